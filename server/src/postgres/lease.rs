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

/// The right to write, until it is dropped or the connection breaks.
#[derive(Debug)]
pub struct Lease {
    session: Session,
    key: i64,
}

impl Lease {
    /// Takes the lease of a ledger; `None` if somebody else has it all the time.
    pub fn take(
        database: &Database,
        ledger: LedgerId,
        patience: Duration,
    ) -> Result<Option<Self>, PostgresError> {
        let session = database.connect(Purpose::Write, ANSWER)?;
        let lease = Self {
            session,
            key: key(ledger),
        };
        let until = Instant::now() + patience;
        loop {
            if lease.asked(TRY)? {
                return Ok(Some(lease));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            thread::sleep(AGAIN);
        }
    }

    /// Whether it is still held, as far as can be known from here.
    pub fn is_held(&self) -> bool {
        !self.session.is_closed() && self.session.query(ANSWER, PING, Vec::new()).is_ok()
    }

    fn asked(&self, statement: &'static str) -> Result<bool, PostgresError> {
        let rows = self
            .session
            .query(ANSWER, statement, vec![Box::new(self.key)])?;
        let row = rows.first().ok_or(PostgresError::Damaged {
            detail: "it does not say whether a lock was taken".to_owned(),
        })?;
        row.try_get(0).map_err(failed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Else it is free when the database notices that the connection is gone.
        let _soon = self.asked(FREE);
    }
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
