//! A log that somebody else writes, as it is seen from outside.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use luzhang_ledger::{LedgerId, Position, block::Head, log::Reader};
use tokio_postgres::Row;

use super::{
    Announcer, Database, KeyTail, Lease, LeaseSource, PostgresError, PostgresLog, PostgresReader,
    Seeker, Watched, Writer,
    head::{HEAD, HeadRow, against_mark, head_of, number, writer_of},
    log::{ANSWER, whole},
    mark::{Mark, MarkFile},
    session::{Purpose, Session, failed},
    watch,
};

/// A log in a database, followed block by block.
///
/// It is the database that takes writes which is looked at: there a block is seen when
/// its writer's wait for a standby is over, and not before.
#[derive(Debug)]
pub struct Followed {
    database: Database,
    dir: PathBuf,
    ledger: LedgerId,
    session: Option<Session>,
    /// Who wrote when it was opened.
    writer: String,
    /// What was read.
    head: Head,
    /// How far may be read.
    end: Arc<AtomicU64>,
    mark: MarkFile,
}

/// What a look at the head has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whether there is more than was read.
    pub news: bool,
    /// Who writes, in its own words.
    pub writer: String,
}

impl Followed {
    /// Begins where the log ends now. `dir` is where the mark is.
    pub fn open(database: &Database, dir: &Path, ledger: LedgerId) -> Result<Self, PostgresError> {
        let mark = MarkFile::open(dir)?;
        let session = database.connect(Purpose::Write, ANSWER)?;
        whole(&session, ledger)?;
        let (_, head) = head_of(&session, ledger)?.ok_or(PostgresError::NoLedger { ledger })?;
        against_mark(&session, ledger, &head, mark.latest())?;
        let writer = writer_of(&session, ledger)?;
        Ok(Self {
            database: database.clone(),
            dir: dir.to_owned(),
            ledger,
            session: Some(session),
            writer,
            head,
            end: Arc::new(AtomicU64::new(number(&head))),
            mark,
        })
    }

    /// Who wrote when it was opened, in its own words.
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// What was read.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Reads what is known to be there.
    pub fn reader(&self) -> Arc<dyn Reader> {
        let end = Arc::clone(&self.end);
        Arc::new(PostgresReader::up_to(
            self.database.clone(),
            self.ledger,
            end,
        ))
    }

    /// Looks where the log ends. What is new may be read then.
    ///
    /// # Errors
    /// [`PostgresError::Behind`] and [`PostgresError::Forked`] if what was read is not
    /// there any more.
    pub fn look(&mut self) -> Result<Seen, PostgresError> {
        let row = self.row();
        if row.is_err() {
            self.session = None;
        }
        let row = row?;
        let found = HeadRow::of(&row)?;
        let writer: String = row.try_get(3).map_err(|e| failed(&e))?;
        let ours = number(&self.head);
        if found.position < ours {
            return Err(PostgresError::Behind {
                mark: Position::new(ours).unwrap_or(Position::FIRST),
                found: found.position,
            });
        }
        let news = found.position > ours;
        if !news && found.hash != self.head.block {
            return Err(PostgresError::Forked {
                position: Position::new(ours).unwrap_or(Position::FIRST),
            });
        }
        self.end.store(found.position, Ordering::Release);
        Ok(Seen { news, writer })
    }

    fn row(&mut self) -> Result<Row, PostgresError> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.database.connect(Purpose::Write, ANSWER)?,
        };
        let session = self.session.insert(session);
        let ledger = self.ledger;
        let rows = session.query(ANSWER, HEAD, vec![Box::new(ledger.to_string())])?;
        let row = rows.into_iter().next();
        row.ok_or(PostgresError::NoLedger { ledger })
    }

    /// A block was read.
    pub(crate) fn has_passed(&mut self, head: Head) {
        self.head = head;
    }

    /// The position of the last event that may be read.
    pub(crate) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Whether all that may be read was.
    pub(crate) fn is_at_end(&self) -> bool {
        number(&self.head) == self.end.load(Ordering::Acquire)
    }

    /// Notes what was read, durably.
    pub(crate) fn keep_mark(&mut self) -> Result<(), PostgresError> {
        self.mark.write(Mark::of(self.ledger, &self.head))
    }

    /// Opens the log for writing. Without a lease it is taken from whoever has it.
    pub(crate) fn take_over(
        &mut self,
        lease: Option<Lease>,
        writer: Writer,
    ) -> Result<PostgresLog, PostgresError> {
        let (database, dir) = (&self.database, self.dir.as_path());
        let mut log = match lease {
            Some(lease) => PostgresLog::open_with(database, dir, (self.ledger, lease), writer)?,
            None => PostgresLog::open_without_lease(database, dir, self.ledger, writer)?,
        };
        log.goes_on_for(Arc::clone(&self.end));
        Ok(log)
    }

    /// Watches over a writer of this log.
    pub(crate) fn watch(&self, watched: Watched) -> Result<(), PostgresError> {
        watch(self.database.clone(), watched).map_err(PostgresError::Threads)
    }

    /// Tells the writer how far this server has come, under this name.
    pub(crate) fn announcer(&self, name: String) -> Result<Announcer, PostgresError> {
        let (ledger, position) = (self.ledger, number(&self.head));
        let announcer = Announcer::start(self.database.clone(), ledger, name, position);
        announcer.map_err(PostgresError::Threads)
    }

    /// Reads the keys that the writer has stored beside it.
    pub(crate) fn keys(&self) -> KeyTail {
        KeyTail::new(self.database.clone(), self.ledger)
    }

    /// Looks for the lease of this log.
    pub(crate) fn seeker(&self, source: LeaseSource) -> Seeker {
        Seeker::new(self.database.clone(), self.ledger, source)
    }
}
