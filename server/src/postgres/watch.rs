//! A writer that asks for nothing would not notice that another has taken over; so
//! somebody looks.

use std::{
    sync::{OnceLock, Weak},
    thread,
    time::Duration,
};

use luzhang_ledger::LedgerId;

use super::{
    Database, PostgresError,
    log::{ANSWER, HEAD, unsigned},
    session::{Purpose, Session, failed},
};
use crate::committer::Stopped;

/// How often is looked.
const LOOK: Duration = Duration::from_secs(1);

/// Looks at the epoch from time to time, as long as anybody has the poison, and sets it
/// when the epoch is another one.
pub(crate) fn watch(
    database: Database,
    (ledger, epoch): (LedgerId, u64),
    poison: Weak<OnceLock<Stopped>>,
) -> std::io::Result<()> {
    let watching = move || {
        let mut session = None;
        loop {
            thread::sleep(LOOK);
            let Some(poison) = poison.upgrade() else {
                return;
            };
            if poison.get().is_some() {
                return;
            }
            match look(&database, &mut session, ledger) {
                Ok((found, writer)) if found > epoch => {
                    tracing::error!(found, writer, "another server has taken over");
                    let _first = poison.set(Stopped::taken_over(found, writer));
                    return;
                }
                Ok(_) => {}
                // Whoever appends finds out what it means.
                Err(_) => session = None,
            }
        }
    };
    let watching = thread::Builder::new()
        .name("luzhang-watch".to_owned())
        .spawn(watching)?;
    // It ends by itself.
    drop(watching);
    Ok(())
}

fn look(
    database: &Database,
    session: &mut Option<Session>,
    ledger: LedgerId,
) -> Result<(u64, String), PostgresError> {
    let open = session.take();
    let open = open.map_or_else(|| database.connect(Purpose::Write, ANSWER), Ok)?;
    let rows = open.query(ANSWER, HEAD, vec![Box::new(ledger.to_string())])?;
    let row = rows.first().ok_or(PostgresError::NoLedger { ledger })?;
    let epoch: i64 = row.try_get(2).map_err(|e| failed(&e))?;
    let writer: String = row.try_get(3).map_err(|e| failed(&e))?;
    *session = Some(open);
    Ok((unsigned(epoch)?, writer))
}
