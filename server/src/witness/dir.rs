//! The directory of a witness: what is where, and reading it.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use luzhang_ledger::proof::VerifierKey;

use super::{
    error::WitnessError,
    kept::{self, Kind},
    watched::{OriginHash, WatchedLog},
};

const KEY: &str = "key";
const LOCK: &str = "lock";
const ORIGINS: &str = "origins";
const LOGS: &str = "logs";

/// The file of the witness's key.
pub(super) fn key(dir: &Path) -> PathBuf {
    dir.join(KEY)
}

/// The directory of what is known of the logs.
pub(super) fn logs(dir: &Path) -> PathBuf {
    dir.join(LOGS)
}

/// The file of what is known of one log.
pub(super) fn log(dir: &Path, hash: OriginHash) -> PathBuf {
    logs(dir).join(hash.to_string())
}

/// Makes what is known of a log durable.
pub(super) fn keep_log(path: &Path, log: &WatchedLog) -> Result<(), WitnessError> {
    kept::replace(path, Kind::Log, &log.to_string())
}

/// Makes the list of logs durable. Each is to have its file before.
pub(super) fn keep_origins(dir: &Path, logs: &[WatchedLog]) -> Result<(), WitnessError> {
    let mut origins = String::new();
    for log in logs {
        origins.push_str(log.origin.as_str());
        origins.push('\n');
    }
    kept::replace(&dir.join(ORIGINS), Kind::Origins, &origins)
}

/// Says whether there is a witness, or what is left of one.
pub(super) fn require(dir: &Path) -> Result<(), WitnessError> {
    if key(dir).exists() || logs(dir).exists() {
        return Ok(());
    }
    Err(WitnessError::NotFound {
        dir: dir.to_owned(),
    })
}

/// Nothing but a lock may be where a witness is to be made.
pub(super) fn refuse_what_is_there(dir: &Path) -> Result<(), WitnessError> {
    for entry in fs::read_dir(dir).map_err(WitnessError::io(dir))? {
        let entry = entry.map_err(WitnessError::io(dir))?;
        if entry.file_name() != LOCK {
            return Err(WitnessError::NotEmpty {
                dir: dir.to_owned(),
            });
        }
    }
    Ok(())
}

/// Takes the lock of the one process that uses a witness.
pub(super) fn lock(dir: &Path) -> Result<File, WitnessError> {
    let path = dir.join(LOCK);
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(WitnessError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(WitnessError::Locked {
            dir: dir.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(WitnessError::io(&path)(error)),
    }
}

/// What is known of every log.
pub(super) fn read_logs(
    dir: &Path,
    own: &VerifierKey,
) -> Result<BTreeMap<OriginHash, WatchedLog>, WitnessError> {
    let mut hashes: Vec<OriginHash> = kept::read(&dir.join(ORIGINS), Kind::Origins)?
        .lines()
        .map(OriginHash::of)
        .collect();
    hashes.extend(hashes_in(&logs(dir))?);
    let mut read = BTreeMap::new();
    for hash in hashes {
        let path = log(dir, hash);
        let text = kept::read(&path, Kind::Log)?;
        let known = WatchedLog::parse(&text, own).and_then(|known| {
            let named = OriginHash::of(known.origin.as_str()) == hash;
            named
                .then_some(known)
                .ok_or("it has the name of another log's")
        });
        let known = known.map_err(|detail| WitnessError::Damaged { path, detail })?;
        read.insert(hash, known);
    }
    Ok(read)
}

/// Logs that have a file. One that the list does not have is of an
/// [`Witness::add_log`] that was cut short, and is watched all the same.
fn hashes_in(dir: &Path) -> Result<Vec<OriginHash>, WitnessError> {
    let mut hashes = Vec::new();
    for entry in fs::read_dir(dir).map_err(WitnessError::io(dir))? {
        let name = entry.map_err(WitnessError::io(dir))?.file_name();
        // What else is there are files that were not finished.
        hashes.extend(
            name.to_str()
                .and_then(|name| name.parse::<OriginHash>().ok()),
        );
    }
    Ok(hashes)
}
