//! Opening for an audit: a copy, so that the evidence stays as it is.
//!
//! sled repairs what it opens: a torn end is overwritten, and with it what could
//! still be learned. An audit therefore never opens the data directory itself.

use std::{fs, io, path::Path, sync::Arc};

use super::{
    data_dir::DataDir,
    engine::Engine,
    error::OpenError,
    format::{Format, Place},
    open_engine_error, recovery,
    witness::Witness,
};
use crate::log::{Reader, keyed::KeyedReader};

/// A copy of a ledger, open for reading.
#[derive(Debug)]
pub struct AuditLog {
    /// What `FORMAT` says.
    pub format: Format,
    /// How far the log had come, by its own account; an error if that account
    /// is missing or damaged, which is a finding and no reason not to look.
    pub witness: Result<Witness, OpenError>,
    /// What is stored. Nothing of it has been checked.
    pub reader: Arc<dyn Reader>,
}

/// What a data directory says of itself without being opened.
#[derive(Debug)]
pub struct Outside {
    /// Which ledger it is.
    pub format: Format,
    /// Whoever has it open for writing.
    pub writer: Option<Writer>,
}

/// Whoever has a ledger open for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Its process, if it said so.
    pub pid: Option<u32>,
}

/// Looks at a data directory, also beside a server that uses it. Nothing is written,
/// and the log is not read.
///
/// # Errors
/// If it is no ledger, or cannot be read.
pub fn look(dir: &Path) -> Result<Outside, OpenError> {
    let data_dir = DataDir::new(dir);
    let format = data_dir.format()?;
    if format.place == Place::Here {
        data_dir.require_db()?;
    }
    let writer = match data_dir.lock_out_writers() {
        Ok(_free) => None,
        Err(OpenError::Locked { pid }) => Some(Writer { pid }),
        Err(error) => return Err(error),
    };
    Ok(Outside { format, writer })
}

/// How far the log of a data directory had come when that was last written down there.
///
/// # Errors
/// If it was not, or cannot be read.
pub fn witness(dir: &Path) -> Result<Witness, OpenError> {
    Witness::read(dir)
}

/// Copies the database files of `dir` into `scratch`, an empty directory, and
/// opens the copy. Nothing in `dir` is written, not even a lock, so a read-only
/// copy of a data directory will do. `scratch` belongs to the caller and may be
/// removed once the result is dropped.
///
/// # Errors
/// [`OpenError::Locked`] while a writer has the ledger open; otherwise what kept
/// the database from being opened at all.
pub fn open_for_audit(dir: &Path, scratch: &Path) -> Result<AuditLog, OpenError> {
    let data_dir = DataDir::new(dir);
    let format = data_dir.format()?;
    if format.place == Place::Database {
        return Err(OpenError::Elsewhere);
    }
    let witness;
    {
        let _no_writer = data_dir.lock_out_writers()?;
        data_dir.require_db()?;
        witness = Witness::read(dir);
        copy_tree(&data_dir.db(), &scratch.join("db")).map_err(OpenError::io("db"))?;
    }
    let engine = Engine::open_for_audit(&DataDir::new(scratch).db()).map_err(open_engine_error)?;
    engine.publish(recovery::end(&engine)?);
    Ok(AuditLog {
        format,
        witness,
        reader: Arc::new(KeyedReader(Arc::new(engine))),
    })
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
