//! Who may open a log for writing: whoever holds an advisory lock of the database.
//!
//! It is held by a connection of its own, so it is free again when its holder is
//! gone. A holder that was only cut off finds that out here, or at its next append:
//! by then the epoch is another one.

use std::{
    thread,
    time::{Duration, Instant},
};

use luzhang_ledger::LedgerId;

use super::{
    PostgresError,
    log::ANSWER,
    session::{Database, Purpose, Session, failed},
};

const TRY: &str = "SELECT pg_try_advisory_lock($1)";
const FREE: &str = "SELECT pg_advisory_unlock($1)";
const PING: &str = "SELECT 1";
/// How often a lock that somebody has is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// How long a lease has to be free before one who follows takes it by itself: its
/// holder may only have lost its connection, as it does when the database fails over,
/// and is back at once.
const GRACE: Duration = Duration::from_secs(1);
/// How often it is looked for.
const SEEK: Duration = Duration::from_millis(200);

/// When a server that follows takes over by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LeaseSource {
    /// When the database's lock is free.
    #[default]
    Database,
    /// When Patroni, asked at this URL, says that the instance beside this server is
    /// the leader; the lock has to be free too.
    Patroni(String),
    /// Only when it is told to.
    Never,
}

/// The right to write, until it is dropped or the connection breaks.
#[derive(Debug)]
pub struct Lease {
    session: Option<Session>,
    key: i64,
}

impl Lease {
    /// Takes the lease of a ledger; `None` if somebody else has it all the time.
    pub fn take(
        database: &Database,
        ledger: LedgerId,
        patience: Duration,
    ) -> Result<Option<Self>, PostgresError> {
        let mut session = database.connect(Purpose::Write, ANSWER)?;
        let until = Instant::now() + patience;
        loop {
            session = match Self::try_take(session, ledger)? {
                Tried::Taken(lease) => return Ok(Some(lease)),
                Tried::Held(session) => session,
            };
            if Instant::now() >= until {
                return Ok(None);
            }
            thread::sleep(AGAIN);
        }
    }

    fn try_take(session: Session, ledger: LedgerId) -> Result<Tried, PostgresError> {
        let key = key(ledger);
        if asked(&session, TRY, key)? {
            let session = Some(session);
            Ok(Tried::Taken(Self { session, key }))
        } else {
            Ok(Tried::Held(session))
        }
    }

    /// Gives it back.
    fn release(mut self) -> Result<Session, PostgresError> {
        let session = self.session.take().ok_or(PostgresError::Ended)?;
        asked(&session, FREE, self.key)?;
        Ok(session)
    }

    /// Whether it is still held, as far as can be known from here.
    pub fn is_held(&self) -> bool {
        self.session.as_ref().is_some_and(|session| {
            !session.is_closed() && session.query(ANSWER, PING, Vec::new()).is_ok()
        })
    }
}

fn asked(session: &Session, statement: &'static str, key: i64) -> Result<bool, PostgresError> {
    let rows = session.query(ANSWER, statement, vec![Box::new(key)])?;
    let row = rows.first().ok_or(PostgresError::Damaged {
        detail: "it does not say whether a lock was taken".to_owned(),
    })?;
    row.try_get(0).map_err(|e| failed(&e))
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(session) = &self.session {
            // Else it is free when the database notices that the connection is gone.
            let _soon = asked(session, FREE, self.key);
        }
    }
}

enum Tried {
    Taken(Lease),
    Held(Session),
}

/// Looks for the lease of a log that somebody else writes.
#[derive(Debug)]
pub(crate) struct Seeker {
    database: Database,
    ledger: LedgerId,
    source: LeaseSource,
    session: Option<Session>,
    looked: Option<Instant>,
    free_since: Option<Instant>,
}

impl Seeker {
    pub(super) fn new(database: Database, ledger: LedgerId, source: LeaseSource) -> Self {
        Self {
            database,
            ledger,
            source,
            session: None,
            looked: None,
            free_since: None,
        }
    }

    /// The lease, if it has fallen to whoever asks.
    pub(crate) fn seek(&mut self) -> Option<Lease> {
        if self.looked.is_some_and(|looked| looked.elapsed() < SEEK) {
            return None;
        }
        self.looked = Some(Instant::now());
        let grace = match &self.source {
            LeaseSource::Never => return None,
            LeaseSource::Database => GRACE,
            LeaseSource::Patroni(url) if leads(url) => Duration::ZERO,
            LeaseSource::Patroni(_) => {
                self.free_since = None;
                return None;
            }
        };
        let sought = self.try_once(grace);
        sought.unwrap_or_else(|error| {
            tracing::debug!(%error, "the lease cannot be asked for");
            self.free_since = None;
            None
        })
    }

    fn try_once(&mut self, grace: Duration) -> Result<Option<Lease>, PostgresError> {
        let session = match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => self.database.connect(Purpose::Write, ANSWER)?,
        };
        match Lease::try_take(session, self.ledger)? {
            Tried::Held(session) => {
                self.session = Some(session);
                self.free_since = None;
                Ok(None)
            }
            Tried::Taken(lease) => {
                let since = *self.free_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= grace {
                    return Ok(Some(lease));
                }
                self.session = Some(lease.release()?);
                Ok(None)
            }
        }
    }
}

/// Whether Patroni says that its instance is the leader.
fn leads(url: &str) -> bool {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(ANSWER))
        .build()
        .into();
    let url = format!("{}/primary", url.trim_end_matches('/'));
    // Any other status is an error.
    agent.get(&url).call().is_ok()
}

/// The lock's number: a ledger's own, and no other program's by accident.
fn key(ledger: LedgerId) -> i64 {
    let mut key = [0; 8];
    blake3::Hasher::new_derive_key("luzhang 2026 database lease v1")
        .update(ledger.as_bytes())
        .finalize_xof()
        .fill(&mut key);
    i64::from_le_bytes(key)
}
