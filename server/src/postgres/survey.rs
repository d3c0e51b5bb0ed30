//! What a database says of itself, for whoever looks after it.

use std::{collections::BTreeMap, path::Path};

use luzhang_ledger::{LedgerId, log::sled};
use tokio_postgres::Row;

use super::{
    Database, Durable, PostgresError, Protection,
    head::{HEAD, unsigned},
    log::ANSWER,
    session::{Purpose, failed},
    standbys,
};
use crate::engine::{DatabaseOptions, database};

/// What there is to say of a database that has a ledger's log.
#[derive(Debug)]
pub struct Survey {
    /// Where it is, without a password.
    pub place: String,
    /// How the connection to the one who takes writes is protected.
    pub protection: Protection,
    /// Which hosts cannot be trusted, though others can.
    pub distrusted: Vec<PostgresError>,
    /// Its version.
    pub version: String,
    /// The last event's position; 0 if there is none.
    pub position: u64,
    /// The epoch of whoever writes.
    pub epoch: u64,
    /// Who writes, in its own words.
    pub writer: String,
    /// Why nothing may be acknowledged as it is set, if that is so.
    pub unfit: Option<String>,
    /// Whose disks are waited for (`synchronous_standby_names`); empty if nobody's.
    pub awaited: String,
    /// Who receives from it.
    pub standbys: Vec<Replica>,
    /// Servers that follow the ledger's writer, and how many events each has.
    pub followers: BTreeMap<String, u64>,
}

/// One who receives what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// What it calls itself.
    pub name: String,
    /// Whether it is up to the stream.
    pub streams: bool,
    /// Whether a commit waits for it, or may.
    pub awaited: bool,
    /// How many bytes it has not flushed yet.
    pub behind: u64,
}

const ASK: &str = "SELECT current_setting('server_version'), current_setting('fsync'), \
    current_setting('full_page_writes'), current_setting('synchronous_commit'), \
    current_setting('synchronous_standby_names')";

/// An account without the right to see others' sessions sees empty columns.
const REPLICAS: &str = "SELECT coalesce(application_name, ''), \
    coalesce(state = 'streaming', false), \
    coalesce(sync_state IN ('sync', 'quorum', 'potential'), false), \
    coalesce((pg_current_wal_flush_lsn() - flush_lsn)::bigint, 0) \
    FROM pg_stat_replication ORDER BY application_name";

/// Asks the database of a data directory.
///
/// # Errors
/// Why it cannot be asked.
pub fn survey(dir: &Path, options: &DatabaseOptions) -> Result<Survey, PostgresError> {
    let unfit = |error: sled::OpenError| PostgresError::Damaged {
        detail: error.to_string(),
    };
    let ledger = sled::format(dir).map_err(unfit)?.ledger;
    of(&database(dir, options)?, ledger)
}

fn of(database: &Database, ledger: LedgerId) -> Result<Survey, PostgresError> {
    let session = database.connect(Purpose::Write, ANSWER)?;
    let silent = || PostgresError::Damaged {
        detail: "it does not say how it is set".to_owned(),
    };
    let rows = session.query(ANSWER, ASK, Vec::new())?;
    let row = rows.first().ok_or_else(silent)?;
    let awaited = text(row, 4)?;
    let unfit = [("fsync", 1), ("full_page_writes", 2)]
        .into_iter()
        .map(|(setting, column)| Ok((setting, text(row, column)?)))
        .collect::<Result<Vec<_>, PostgresError>>()?
        .into_iter()
        .find(|(_, found)| found != "on")
        .map(|(setting, found)| format!("{setting} = {found}"));
    let unfit = match Durable::Local.check(&text(row, 3)?, &awaited) {
        Err(error) => Some(error.to_string()),
        Ok(()) => unfit,
    };
    let head = session.query(ANSWER, HEAD, vec![Box::new(ledger.to_string())])?;
    let head = head.first().ok_or(PostgresError::NoLedger { ledger })?;
    let number = |row: &Row, column| {
        let number: i64 = row.try_get(column).map_err(|e| failed(&e))?;
        unsigned(number)
    };
    let replicas = session.query(ANSWER, REPLICAS, Vec::new())?;
    let replicas = replicas.iter().map(|row| {
        let flag = |column: usize| row.try_get(column).map_err(|e| failed(&e));
        Ok(Replica {
            name: text(row, 0)?,
            streams: flag(1)?,
            awaited: flag(2)?,
            // What was received before it was sent is not behind.
            behind: number(row, 3).unwrap_or(0),
        })
    });
    Ok(Survey {
        place: database.place(),
        protection: session.protection().clone(),
        distrusted: database.distrusted(ANSWER)?,
        version: text(row, 0)?,
        position: number(head, 0)?,
        epoch: number(head, 2)?,
        writer: text(head, 3)?,
        unfit,
        awaited,
        standbys: replicas.collect::<Result<_, PostgresError>>()?,
        // Not in every database, and nothing depends on it.
        followers: standbys::heard(&session, ledger).unwrap_or_default(),
    })
}

fn text(row: &Row, column: usize) -> Result<String, PostgresError> {
    row.try_get(column).map_err(|e| failed(&e))
}
