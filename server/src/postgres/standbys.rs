//! How far each standby has come, for the writer to show: a row for each in
//! `luzhang_standby`.
//!
//! Nothing depends on it. A standby tells it from a thread of its own, in commits that
//! nobody waits for, and the writer reads it beside its look at the epoch; where the
//! table cannot be made or written, both go on without it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use luzhang_ledger::LedgerId;
use parking_lot::{Condvar, Mutex};
use tokio_postgres::{Row, error::SqlState};

use super::{
    Database, PostgresError,
    head::{signed, unsigned},
    log::ANSWER,
    session::{Argument, Purpose, Session, failed},
};
use crate::figures::Figures;

/// Made with the other tables, or by whoever misses it first.
pub(super) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS luzhang_standby (
    log      text        NOT NULL,
    name     text        NOT NULL,
    position bigint      NOT NULL,
    heard    timestamptz NOT NULL,
    PRIMARY KEY (log, name)
);
";

/// What is told is soon told again: nobody waits until it is on a disk. Nor is anybody
/// who has locked the table waited for.
const LIGHTLY: &str = "SET synchronous_commit = off; SET lock_timeout = '500ms'";
/// The same for the session of a writer, which looks for more than this.
pub(super) const PATIENCE: &str = "SET lock_timeout = '500ms'";

const AGAIN: &str = "UPDATE luzhang_standby SET position = $3, heard = CURRENT_TIMESTAMP \
    WHERE log = $1 AND name = $2 RETURNING log";
const FIRST: &str = "INSERT INTO luzhang_standby (log, name, position, heard) \
    VALUES ($1, $2, $3, CURRENT_TIMESTAMP)";
const LEAVE: &str = "DELETE FROM luzhang_standby WHERE log = $1 AND name = $2";
/// The clock is the database's. After a failover it may be another one, and what was
/// heard may lie ahead.
const HEARD: &str = "SELECT name, position FROM luzhang_standby WHERE log = $1 \
    AND heard > CURRENT_TIMESTAMP - INTERVAL '15 seconds' \
    AND heard < CURRENT_TIMESTAMP + INTERVAL '15 seconds' \
    ORDER BY heard DESC LIMIT 16";
/// Of whoever writes now, and of servers that are long gone.
const TIDY: &str = "DELETE FROM luzhang_standby WHERE log = $1 \
    AND (name = $2 OR heard < CURRENT_TIMESTAMP - INTERVAL '1 day')";

/// How often a standby says how far it has come, if it has come further.
const TELL: Duration = Duration::from_secs(1);
/// How often, if it has not.
const STILL: Duration = Duration::from_secs(5);
/// Who is not heard of for so long is gone. `HEARD` says the same.
const GONE: Duration = Duration::from_secs(15);
/// How long whoever ends waits until that is known.
const PARTING: Duration = Duration::from_secs(1);

/// A standby that says how far it has come, until it is dropped.
#[derive(Debug)]
pub(crate) struct Announcer {
    voice: Voice,
    thread: Option<JoinHandle<()>>,
}

/// How far it has come.
#[derive(Clone, Debug)]
pub(crate) struct Voice(Arc<Said>);

#[derive(Debug)]
struct Said {
    position: AtomicU64,
    over: Mutex<bool>,
    ended: Condvar,
}

impl Voice {
    /// It has come so far.
    pub(crate) fn passed(&self, position: u64) {
        self.0.position.store(position, Ordering::Release);
    }

    /// It follows no more, since it writes.
    pub(crate) fn end(&self) {
        *self.0.over.lock() = true;
        self.0.ended.notify_all();
    }
}

impl Announcer {
    /// `name` is what others are told of this server.
    pub(crate) fn start(
        database: Database,
        ledger: LedgerId,
        name: String,
        position: u64,
    ) -> std::io::Result<Self> {
        let voice = Voice(Arc::new(Said {
            position: AtomicU64::new(position),
            over: Mutex::new(false),
            ended: Condvar::new(),
        }));
        let mut telling = Telling {
            database,
            ledger,
            name,
            session: None,
            complaint: Complaint::default(),
        };
        let said = Arc::clone(&voice.0);
        let thread = thread::Builder::new()
            .name("luzhang-announcer".to_owned())
            .spawn(move || telling.run(&said))?;
        Ok(Self {
            voice,
            thread: Some(thread),
        })
    }

    pub(crate) fn voice(&self) -> Voice {
        self.voice.clone()
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.voice.end();
        if let Some(thread) = self.thread.take() {
            // A panic was reported by its own message.
            let _ended = thread.join();
        }
    }
}

struct Telling {
    database: Database,
    ledger: LedgerId,
    name: String,
    session: Option<Session>,
    complaint: Complaint,
}

impl Telling {
    fn run(&mut self, said: &Said) {
        let mut told: Option<(u64, Instant)> = None;
        let mut over = said.over.lock();
        while !*over {
            drop(over);
            let position = said.position.load(Ordering::Acquire);
            let due =
                told.is_none_or(|(before, when)| before != position || when.elapsed() >= STILL);
            if due {
                let tried = self.tell(position);
                told = tried.is_ok().then(|| (position, Instant::now()));
                self.complaint.about(
                    tried,
                    "the writer cannot be told how far this standby has come",
                );
            }
            over = said.over.lock();
            if !*over {
                said.ended.wait_for(&mut over, TELL);
            }
        }
        drop(over);
        if let Some(session) = &self.session {
            // Else it is forgotten by itself.
            let _soon = session.query(PARTING, LEAVE, self.who());
        }
    }

    fn who(&self) -> Vec<Argument> {
        vec![
            Box::new(self.ledger.to_string()),
            Box::new(self.name.clone()),
        ]
    }

    fn tell(&mut self, position: u64) -> Result<(), PostgresError> {
        let open = self.session.take().filter(|session| !session.is_closed());
        let session = open.map_or_else(
            || {
                let session = self.database.connect(Purpose::Write, ANSWER)?;
                session.run(ANSWER, LIGHTLY)?;
                Ok(session)
            },
            Ok,
        )?;
        let told = self.tell_over(&session, position);
        if !told.as_ref().is_err_and(|error: &PostgresError| {
            // It may take no writes any more.
            error.ends_session() || error.passes()
        }) {
            self.session = Some(session);
        }
        told
    }

    fn tell_over(&self, session: &Session, position: u64) -> Result<(), PostgresError> {
        let arguments = || {
            let mut arguments = self.who();
            arguments.push(Box::new(signed(position)));
            arguments
        };
        let told = session.query(ANSWER, AGAIN, arguments());
        let rows = match told {
            Err(PostgresError::NoTables) => {
                session.run(ANSWER, TABLE)?;
                Vec::new()
            }
            told => told?,
        };
        if !rows.is_empty() {
            return Ok(());
        }
        match session.query(ANSWER, FIRST, arguments()) {
            // Another standby of this name was first; the next time it is there.
            Err(PostgresError::Refused { code, .. }) if code == SqlState::UNIQUE_VIOLATION => {
                Ok(())
            }
            told => told.map(drop),
        }
    }
}

/// Says once that something does not work, and again only when it had worked since.
#[derive(Debug, Default)]
struct Complaint {
    failures: u32,
}

impl Complaint {
    fn about(&mut self, tried: Result<(), PostgresError>, what: &str) {
        match tried {
            Ok(()) => self.failures = 0,
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                // The first time it may be a failover, or two who make the table at once.
                if self.failures == 2 {
                    tracing::warn!(%error, "{what}");
                }
            }
        }
    }
}

/// Who follows, as the writer knows it.
#[derive(Debug)]
pub(super) struct Followers {
    ledger: LedgerId,
    /// The writer's own name.
    name: String,
    figures: Arc<Figures>,
    shown: BTreeMap<String, u64>,
    read: Instant,
    tidied: bool,
    complaint: Complaint,
}

impl Followers {
    pub(super) fn new(ledger: LedgerId, name: String, figures: Arc<Figures>) -> Self {
        Self {
            ledger,
            name,
            figures,
            shown: BTreeMap::new(),
            read: Instant::now(),
            tidied: false,
            complaint: Complaint::default(),
        }
    }

    /// Reads who follows over the session of whoever looks at the epoch, and shows it.
    pub(super) fn look(&mut self, session: &Session) {
        let looked = self.read_over(session);
        match looked {
            Ok(found) => {
                self.read = Instant::now();
                self.show(found);
                self.complaint.about(Ok(()), "");
            }
            Err(error) => {
                self.complaint.about(
                    Err(error),
                    "how far the standbys have come is not known, and not in the metrics",
                );
                self.miss();
            }
        }
    }

    /// Nobody could be asked.
    pub(super) fn miss(&mut self) {
        if self.read.elapsed() >= GONE {
            self.show(BTreeMap::new());
        }
    }

    fn read_over(&mut self, session: &Session) -> Result<BTreeMap<String, u64>, PostgresError> {
        if !self.tidied {
            let whose: Vec<Argument> = vec![
                Box::new(self.ledger.to_string()),
                Box::new(self.name.clone()),
            ];
            match session.query(ANSWER, TIDY, whose) {
                Err(PostgresError::NoTables) => session.run(ANSWER, TABLE)?,
                tidied => drop(tidied?),
            }
            self.tidied = true;
        }
        heard(session, self.ledger)
    }

    fn show(&mut self, found: BTreeMap<String, u64>) {
        for gone in self.shown.keys().filter(|name| !found.contains_key(*name)) {
            self.figures.standby_gone(gone);
        }
        for (name, position) in &found {
            self.figures.standby(name, *position);
        }
        self.shown = found;
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        // Whoever does not write has none.
        self.show(BTreeMap::new());
    }
}

/// The standbys that were heard of lately, and how far they have come.
pub(super) fn heard(
    session: &Session,
    ledger: LedgerId,
) -> Result<BTreeMap<String, u64>, PostgresError> {
    let rows = session.query(ANSWER, HEARD, vec![Box::new(ledger.to_string())])?;
    rows.iter()
        .map(|row: &Row| {
            let name: String = row.try_get(0).map_err(|e| failed(&e))?;
            let position: i64 = row.try_get(1).map_err(|e| failed(&e))?;
            Ok((name, unsigned(position)?))
        })
        .collect()
}
