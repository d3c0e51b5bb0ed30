//! Appending, and what to make of an answer that is not plain.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use luzhang_ledger::{
    LedgerId,
    block::{self, Head, SealedBlock},
    log::{AppendError, Fault, Log, Reader, continuity},
};
use tokio_postgres::error::SqlState;

use uuid::Uuid;

use super::{
    Database, Durable, Lease, PostgresError, PostgresReader,
    head::{
        HEAD, HeadRow, against_mark, damaged, head_of, number, signed, unsigned, verified_head,
        writer_of,
    },
    mark::{Mark, MarkFile},
    session::{Purpose, Session, failed},
    settings, standbys,
};

/// How long one answer is waited for.
pub(super) const ANSWER: Duration = Duration::from_secs(5);
/// And to make what a new ledger needs, for which nobody waits: a standby whose disk it
/// has to be on may be starting.
const MAKING: Duration = Duration::from_secs(30);
/// How long it is tried to find out what became of an append.
pub(super) const SETTLING: Duration = Duration::from_secs(30);
/// How long to wait between two tries.
pub(super) const AGAIN: Duration = Duration::from_millis(100);
/// How long the lease of a server that has just ended may take to be free.
const HANDOVER: Duration = Duration::from_secs(2);

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS luzhang_head (
    log      text   NOT NULL PRIMARY KEY,
    epoch    bigint NOT NULL,
    position bigint NOT NULL,
    hash     bytea  NOT NULL,
    writer   text   NOT NULL,
    settled  bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS luzhang_block (
    log            text   NOT NULL,
    first_position bigint NOT NULL,
    body           bytea  NOT NULL,
    PRIMARY KEY (log, first_position)
);
ALTER TABLE luzhang_block ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE IF NOT EXISTS luzhang_key (
    log     text   NOT NULL,
    place   bigint NOT NULL,
    subject bytea  NOT NULL,
    kek     text   NOT NULL,
    record  bytea  NOT NULL,
    PRIMARY KEY (log, place)
);
CREATE INDEX IF NOT EXISTS luzhang_key_subject ON luzhang_key (log, subject);
";

const MAKE: &str = "INSERT INTO luzhang_head (log, epoch, position, hash, writer, settled) \
    VALUES ($1, 0, 0, $2, '', 0) \
    RETURNING current_setting('synchronous_commit'), current_setting('synchronous_standby_names')";

/// The head moves only from where it is expected; else nothing is stored.
const APPEND: &str = "WITH moved AS ( \
        UPDATE luzhang_head SET position = $5, hash = $6 \
        WHERE log = $1 AND epoch = $2 AND position = $3 AND hash = $4 \
        RETURNING log) \
    INSERT INTO luzhang_block (log, first_position, body) \
    SELECT moved.log, ($7::bigint[])[i], ($8::bytea[])[i] \
    FROM moved, generate_series(1, $9::int) AS i \
    RETURNING current_setting('synchronous_commit'), current_setting('synchronous_standby_names')";

/// Waits for whatever this writer left under way, and says where the head is. What is
/// read is durable when this commits, and so is all before it.
const SETTLE: &str = "UPDATE luzhang_head SET settled = settled + 1 \
    WHERE log = $1 AND epoch = $2 \
    RETURNING position, hash, \
        current_setting('synchronous_commit'), current_setting('synchronous_standby_names')";

/// Above the epoch of the last block too, which may have been copied from elsewhere.
const RAISE: &str = "UPDATE luzhang_head SET epoch = GREATEST(epoch, $3) + 1, writer = $2 \
    WHERE log = $1 \
    RETURNING position, hash, epoch, \
        current_setting('synchronous_commit'), current_setting('synchronous_standby_names')";

/// A backend that waits for its commit holds the head's row. Whoever waits for it
/// gives up before the answer is given up here.
const PATIENCE: &str = "SET lock_timeout = '4s'";

/// The writer of a log that is being copied, which is no ledger before all is there.
/// Nobody else has a name like that.
const COPYING: &str = "luzhang log copy, unfinished";
const FINISH: &str = "UPDATE luzhang_head SET writer = '' WHERE log = $1 AND epoch = $2 \
    RETURNING current_setting('synchronous_commit'), current_setting('synchronous_standby_names')";

/// Who writes, and what for.
#[derive(Clone, Debug)]
pub struct Writer {
    /// When an append counts as durable.
    pub durable: Durable,
    /// What others are told of this writer, such as its address.
    pub name: String,
}

/// The log of a ledger in a database, open for writing.
#[derive(Debug)]
pub struct PostgresLog {
    database: Database,
    ledger: LedgerId,
    writer: Writer,
    session: Option<Session>,
    lease: Option<Lease>,
    epoch: u64,
    head: Head,
    end: Arc<AtomicU64>,
    mark: MarkFile,
    poisoned: bool,
}

/// What became of an append.
enum Appended {
    /// It is stored, and durable.
    Done,
    /// Nothing is stored: the head is not where it was expected.
    Moved,
}

impl PostgresLog {
    /// Makes the log of a new ledger, and the tables if they are not there, and opens
    /// it. `dir` is where the mark is kept.
    pub fn create(
        database: &Database,
        dir: &Path,
        ledger: LedgerId,
        writer: Writer,
    ) -> Result<Self, PostgresError> {
        let session = database.connect(Purpose::Write, ANSWER)?;
        settings::require(&session, writer.durable)?;
        session.run(MAKING, TABLES)?;
        session.run(MAKING, standbys::TABLE)?;
        let genesis = Head::genesis(ledger);
        let made = session.query(
            MAKING,
            MAKE,
            vec![
                Box::new(ledger.to_string()),
                Box::new(genesis.block.as_bytes().to_vec()),
            ],
        );
        match made {
            Ok(_) => {}
            Err(PostgresError::Refused { code, .. }) if code == SqlState::UNIQUE_VIOLATION => {
                return Err(PostgresError::Exists { ledger });
            }
            Err(error) => return Err(error),
        }
        Self::open(database, dir, ledger, writer)
    }

    /// Opens the log for writing: takes the lease, raises the epoch, and makes sure
    /// that the database has what was acknowledged here.
    ///
    /// # Errors
    /// [`PostgresError::Held`] while another server has the lease,
    /// [`PostgresError::NotDurable`], [`PostgresError::Behind`] and
    /// [`PostgresError::Forked`] by what is found.
    pub fn open(
        database: &Database,
        dir: &Path,
        ledger: LedgerId,
        writer: Writer,
    ) -> Result<Self, PostgresError> {
        let Some(lease) = Lease::take(database, ledger, HANDOVER)? else {
            let session = database.connect(Purpose::Write, ANSWER);
            let writer = session.and_then(|session| writer_of(&session, ledger));
            let writer = writer.unwrap_or_default();
            return Err(PostgresError::Held { writer });
        };
        Self::open_with(database, dir, (ledger, lease), writer)
    }

    /// The same with a lease that was taken.
    pub fn open_with(
        database: &Database,
        dir: &Path,
        (ledger, lease): (LedgerId, Lease),
        writer: Writer,
    ) -> Result<Self, PostgresError> {
        let mut log = Self::open_without_lease(database, dir, ledger, writer)?;
        log.lease = Some(lease);
        Ok(log)
    }

    /// The same whoever holds the lease: for what may happen when it is lost.
    pub fn open_without_lease(
        database: &Database,
        dir: &Path,
        ledger: LedgerId,
        writer: Writer,
    ) -> Result<Self, PostgresError> {
        let mark = MarkFile::open(dir)?;
        let session = database.connect(Purpose::Write, ANSWER)?;
        settings::require(&session, writer.durable)?;
        if writer.name != COPYING {
            whole(&session, ledger)?;
        }
        // Before the epoch is raised: who may not write must not keep others from it.
        let (_, before) = head_of(&session, ledger)?.ok_or(PostgresError::NoLedger { ledger })?;
        against_mark(&session, ledger, &before, mark.latest())?;
        session.run(ANSWER, PATIENCE)?;
        let (row, epoch) = raise(&session, ledger, &writer, before.epoch)?;
        let head = verified_head(&session, ledger, &row)?;
        against_mark(&session, ledger, &head, mark.latest())?;
        if epoch <= head.epoch {
            return Err(PostgresError::Damaged {
                detail: format!(
                    "its epoch is {epoch}, but its last block is of epoch {}",
                    head.epoch
                ),
            });
        }
        Ok(Self {
            database: database.clone(),
            ledger,
            writer,
            session: Some(session),
            lease: None,
            epoch,
            head,
            end: Arc::new(AtomicU64::new(number(&head))),
            mark,
            poisoned: false,
        })
    }

    /// Opens the log of a ledger in a database to copy another one to it, or makes it; no
    /// data directory is needed. `scratch` is a place for what is of use meanwhile only.
    /// Says whether it is none yet: nobody opens it before [`PostgresLog::copied`].
    ///
    /// # Errors
    /// As [`PostgresLog::open`].
    pub fn copying(
        database: &Database,
        scratch: &Path,
        ledger: LedgerId,
        writer: Writer,
    ) -> Result<(Self, bool), PostgresError> {
        let unfinished = Writer {
            durable: writer.durable,
            name: COPYING.to_owned(),
        };
        let session = database.connect(Purpose::Write, ANSWER)?;
        let begun = match whole(&session, ledger) {
            Ok(()) => return Ok((Self::open(database, scratch, ledger, writer)?, false)),
            Err(PostgresError::NoTables | PostgresError::NoLedger { .. }) => false,
            Err(PostgresError::Copying { .. }) => true,
            Err(error) => return Err(error),
        };
        let log = if begun {
            Self::open(database, scratch, ledger, unfinished)
        } else {
            Self::create(database, scratch, ledger, unfinished)
        };
        Ok((log?, true))
    }

    /// All is there, and was read back: from now on it is a ledger.
    ///
    /// # Errors
    /// [`PostgresError::Replaced`] if somebody else copies meanwhile.
    pub fn copied(&mut self) -> Result<(), PostgresError> {
        let (ledger, epoch) = self.identified();
        let durable = self.writer.durable;
        let finished =
            self.session()?
                .query(ANSWER, FINISH, vec![Box::new(ledger), Box::new(epoch)])?;
        let row = finished.first().ok_or(PostgresError::Replaced)?;
        durable.check_row(row)
    }

    /// Whose chain this is.
    pub fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// Somebody has readers already, who know by this how far they may read.
    pub(super) fn goes_on_for(&mut self, end: Arc<AtomicU64>) {
        end.store(number(&self.head), Ordering::Release);
        self.end = end;
    }

    /// The epoch that this writer's blocks belong to.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    fn session(&mut self) -> Result<&Session, PostgresError> {
        let open = self.session.take().filter(|session| !session.is_closed());
        let session = open.map_or_else(
            || {
                let session = self.database.connect(Purpose::Write, ANSWER)?;
                session.run(ANSWER, PATIENCE)?;
                // Lost with the instance that failed. Whoever has it by now will be
                // noticed by the epoch.
                if self.lease.as_ref().is_none_or(|lease| !lease.is_held()) {
                    let again = Lease::take(&self.database, self.ledger, Duration::ZERO);
                    self.lease = again.ok().flatten();
                }
                Ok(session)
            },
            Ok,
        )?;
        Ok(self.session.insert(session))
    }

    fn identified(&self) -> (String, i64) {
        (self.ledger.to_string(), signed(self.epoch))
    }

    fn send(&mut self, blocks: &[SealedBlock], head: &Head) -> Result<Appended, PostgresError> {
        let (ledger, epoch) = self.identified();
        let (durable, before) = (self.writer.durable, self.head);
        let firsts: Vec<i64> = blocks.iter().map(|b| signed(b.first.number())).collect();
        let bodies: Vec<Vec<u8>> = blocks.iter().map(|b| block::to_stored(&b.bytes)).collect();
        let count = i32::try_from(blocks.len()).unwrap_or(i32::MAX);
        let rows = self.session()?.query(
            ANSWER,
            APPEND,
            vec![
                Box::new(ledger),
                Box::new(epoch),
                Box::new(signed(number(&before))),
                Box::new(before.block.as_bytes().to_vec()),
                Box::new(signed(number(head))),
                Box::new(head.block.as_bytes().to_vec()),
                Box::new(firsts),
                Box::new(bodies),
                Box::new(count),
            ],
        )?;
        match rows.first() {
            None => Ok(Appended::Moved),
            Some(row) => durable.check_row(row).map(|()| Appended::Done),
        }
    }

    /// Finds out what became of an append that was answered with anything but a plain
    /// success, until a commit that comes after it is one.
    fn settle(
        &mut self,
        blocks: &[SealedBlock],
        head: &Head,
        mut why: PostgresError,
    ) -> Result<Appended, PostgresError> {
        let until = Instant::now() + SETTLING;
        tracing::warn!(%why, "an append was not confirmed; it is looked for");
        loop {
            match self.settled(blocks, head) {
                Ok(appended) => return Ok(appended),
                Err(error) => why = error,
            }
            if Instant::now() >= until {
                return Err(why);
            }
            thread::sleep(AGAIN);
        }
    }

    fn settled(&mut self, blocks: &[SealedBlock], head: &Head) -> Result<Appended, PostgresError> {
        let (ledger, epoch) = self.identified();
        let (durable, before) = (self.writer.durable, self.head);
        let arguments: Vec<super::session::Argument> = vec![Box::new(ledger), Box::new(epoch)];
        let asked = self.session()?.query(ANSWER, SETTLE, arguments);
        if asked.as_ref().is_err_and(PostgresError::ends_session) {
            self.session = None;
        }
        let rows = asked?;
        let Some(row) = rows.first() else {
            return Ok(Appended::Moved);
        };
        durable.check_row(row)?;
        let found = HeadRow::of(row)?;
        if found.is(head) {
            Ok(Appended::Done)
        } else if found.is(&before) {
            // It never happened, and cannot any more.
            self.send(blocks, head)
        } else {
            Ok(Appended::Moved)
        }
    }

    /// Why the head is not where it was expected.
    fn moved(&mut self, expected: Head) -> AppendError {
        let (ledger, ours) = (self.ledger, self.epoch);
        let found = self.session().and_then(|session| {
            let rows = session.query(ANSWER, HEAD, vec![Box::new(ledger.to_string())])?;
            let row = rows.first().ok_or(PostgresError::NoLedger { ledger })?;
            let epoch: i64 = row.try_get(2).map_err(|e| failed(&e))?;
            let writer: String = row.try_get(3).map_err(|e| failed(&e))?;
            if unsigned(epoch)? == ours {
                let found = verified_head(session, ledger, &HeadRow::of(row)?)?;
                return Ok(AppendError::HeadMoved {
                    expected: Box::new(expected),
                    found: Box::new(found),
                });
            }
            Ok(AppendError::Fenced {
                epoch: unsigned(epoch)?,
                writer,
            })
        });
        found.unwrap_or_else(|error| error.into_fault().into())
    }
}

impl Log for PostgresLog {
    fn head(&self) -> Head {
        self.head
    }

    fn append(&mut self, blocks: &[SealedBlock]) -> Result<(), AppendError> {
        if self.poisoned {
            return Err(Fault::Poisoned.into());
        }
        let head = continuity::check(&self.head, blocks)?;
        // Also if the thread unwinds from here.
        self.poisoned = true;
        let sent = self.send(blocks, &head);
        let appended = match sent {
            Ok(appended) => appended,
            Err(why) => {
                if why.ends_session() {
                    self.session = None;
                }
                self.settle(blocks, &head, why)
                    .map_err(PostgresError::into_fault)?
            }
        };
        match appended {
            Appended::Moved => Err(self.moved(self.head)),
            Appended::Done => {
                self.mark
                    .write(Mark::of(self.ledger, &head))
                    .map_err(PostgresError::into_fault)?;
                self.poisoned = false;
                self.head = head;
                self.end.store(number(&head), Ordering::Release);
                Ok(())
            }
        }
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(PostgresReader::up_to(
            self.database.clone(),
            self.ledger,
            Arc::clone(&self.end),
        ))
    }

    fn close(mut self: Box<Self>) -> Result<(), Fault> {
        self.session = None;
        self.lease = None;
        Ok(())
    }
}

fn raise(
    session: &Session,
    ledger: LedgerId,
    writer: &Writer,
    above: u64,
) -> Result<(HeadRow, u64), PostgresError> {
    // Once more does no harm: only that it is durable counts.
    let until = Instant::now() + SETTLING;
    loop {
        let raised = session.query(
            ANSWER,
            RAISE,
            vec![
                Box::new(ledger.to_string()),
                Box::new(writer.name.clone()),
                Box::new(signed(above)),
            ],
        );
        match raised {
            Ok(rows) => {
                let row = rows.first().ok_or(PostgresError::NoLedger { ledger })?;
                writer.durable.check_row(row)?;
                let epoch: i64 = row.try_get(2).map_err(|e| failed(&e))?;
                return Ok((HeadRow::of(row)?, unsigned(epoch)?));
            }
            Err(error) if session.is_closed() || Instant::now() >= until => return Err(error),
            Err(_) => thread::sleep(AGAIN),
        }
    }
}

const LEDGERS: &str = "SELECT log FROM luzhang_head ORDER BY log LIMIT 10";

/// The ledger that is meant: this one, or the only one there is.
///
/// # Errors
/// [`PostgresError::Several`] if that is not clear.
pub(crate) fn find(
    database: &Database,
    ledger: Option<LedgerId>,
) -> Result<LedgerId, PostgresError> {
    let session = database.connect(Purpose::Read, ANSWER)?;
    let rows = session.query(ANSWER, LEDGERS, Vec::new())?;
    let named = rows.iter().map(|row| {
        let text: String = row.try_get(0).map_err(|e| failed(&e))?;
        let id = Uuid::try_parse(&text).map_err(|_| damaged("it names a ledger without an id"))?;
        Ok(LedgerId::new(id))
    });
    let named: Vec<LedgerId> = named.collect::<Result<_, PostgresError>>()?;
    let found = match (ledger, &named[..]) {
        (Some(ledger), _) => match head_of(&session, ledger)? {
            Some(_) => Ok(ledger),
            None => Err(PostgresError::NoLedger { ledger }),
        },
        (None, []) => Err(PostgresError::NoTables),
        (None, [only]) => Ok(*only),
        (None, several) => {
            let ledgers: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(PostgresError::Several {
                ledgers: ledgers.join(", "),
            })
        }
    }?;
    whole(&session, found)?;
    Ok(found)
}

/// Refuses a ledger of which only a part was copied.
pub(super) fn whole(session: &Session, ledger: LedgerId) -> Result<(), PostgresError> {
    if writer_of(session, ledger)? == COPYING {
        return Err(PostgresError::Copying { ledger });
    }
    Ok(())
}
