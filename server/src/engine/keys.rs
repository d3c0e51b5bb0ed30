//! Another key-encryption key for a ledger, wherever its log is.

use std::path::Path;

use luzhang_ledger::log::{
    Log as _,
    sled::{self, Place},
};

use super::{
    DatabaseOptions, EngineError,
    place::{database, writer},
};
use crate::{
    postgres::{PostgresLog, SharedKeys},
    vault::{self, KekSource, Rotated},
};

/// As [`vault::rotate`]. Of a ledger whose log is in a database the copies of keys there
/// are wrapped anew too, and its other servers have to follow ([`take_kek`]): until they
/// do they store no keys and do not take over. What an earlier run has begun is finished.
///
/// # Errors
/// `LEDGER_LOCKED` while another server writes; `KEYS_FOREIGN` if another server has
/// changed the key-encryption key since.
pub fn rotate_kek(
    dir: &Path,
    options: &DatabaseOptions,
    (from, to): (&KekSource, Option<&KekSource>),
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rotated, EngineError> {
    let format = sled::format(dir)?;
    if format.place == Place::Here {
        return Ok(vault::rotate(dir, from, to, progress)?);
    }
    let _held = sled::hold(dir)?;
    let database = database(dir, options)?;
    // From here on nobody else writes, whatever they believe.
    let log = PostgresLog::open(&database, dir, format.ledger, writer(options))?;
    let mut copies = SharedKeys::new(&database, format.ledger, log.epoch());
    let rotated = vault::rotate_shared(dir, from, to, &mut copies, progress)?;
    // Nothing was appended.
    let _closed = Box::new(log).close();
    Ok(rotated)
}

/// Wraps the keys of a server, which does not run, under the key-encryption key that
/// another server of the ledger has changed to.
///
/// # Errors
/// `KEK_NOT_AGREED` if it is another one.
pub fn take_kek(
    dir: &Path,
    options: &DatabaseOptions,
    (from, new): (&KekSource, &KekSource),
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rotated, EngineError> {
    let format = sled::format(dir)?;
    if format.place == Place::Here {
        return Err(EngineError::NothingToFollow);
    }
    let _held = sled::hold(dir)?;
    let database = database(dir, options)?;
    // It only reads there: in no epoch.
    let mut copies = SharedKeys::new(&database, format.ledger, 0);
    let taken = vault::take_shared(dir, from, new, &mut copies, progress);
    Ok(taken?)
}
