//! A writer that asks for nothing would not notice that another has taken over; so
//! somebody looks, and at how far the standbys have come too.

use std::{
    sync::{Arc, OnceLock, Weak},
    thread,
    time::Duration,
};

use luzhang_ledger::LedgerId;

use super::{
    Database, PostgresError,
    head::{HEAD, unsigned},
    log::ANSWER,
    session::{Purpose, Session, failed},
    standbys::{self, Followers},
};
use crate::{committer::Stopped, figures::Figures};

/// How often is looked.
const LOOK: Duration = Duration::from_secs(1);

/// The writer that is watched over.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) ledger: LedgerId,
    pub(crate) epoch: u64,
    /// What others are told of it.
    pub(crate) name: String,
    /// Set when another has taken over.
    pub(crate) poison: Weak<OnceLock<Stopped>>,
    /// Where its standbys are shown.
    pub(crate) figures: Arc<Figures>,
}

/// Looks at the epoch from time to time, as long as anybody has the poison, and sets it
/// when the epoch is another one.
pub(crate) fn watch(database: Database, watched: Watched) -> std::io::Result<()> {
    let Watched {
        ledger,
        epoch,
        name,
        poison,
        figures,
    } = watched;
    let watching = move || {
        let mut session = None;
        let mut followers = Followers::new(ledger, name, figures);
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
                Ok(_) => {
                    if let Some(session) = &session {
                        followers.look(session);
                    }
                }
                // Whoever appends finds out what it means.
                Err(_) => {
                    session = None;
                    followers.miss();
                }
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
    let open = session.take().map_or_else(
        || {
            let open = database.connect(Purpose::Write, ANSWER)?;
            open.run(ANSWER, standbys::PATIENCE)?;
            Ok::<_, PostgresError>(open)
        },
        Ok,
    )?;
    let rows = open.query(ANSWER, HEAD, vec![Box::new(ledger.to_string())])?;
    let row = rows.first().ok_or(PostgresError::NoLedger { ledger })?;
    let epoch: i64 = row.try_get(2).map_err(|e| failed(&e))?;
    let writer: String = row.try_get(3).map_err(|e| failed(&e))?;
    *session = Some(open);
    Ok((unsigned(epoch)?, writer))
}
