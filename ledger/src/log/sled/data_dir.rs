//! The data directory: its files, its lock, and the order in which it is made.
//!
//! ```text
//! DIR/FORMAT    what this is; see `format`
//! DIR/lock      held by the one process that may write
//! DIR/db/       sled's files
//! DIR/head      the witness; see `witness`
//! DIR/reserve   disk space held back; see `reserve`
//! DIR/keys/     not of this module
//! ```
//!
//! Making a ledger writes `FORMAT.unfinished` first and renames it to `FORMAT`
//! last, both durably. So `FORMAT` means that everything else was made, and
//! whatever is missing beside it was lost; and a directory with
//! `FORMAT.unfinished` never held an event. A directory that a log is copied to has
//! `FORMAT.copying` until all of it is there.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process,
};

use super::{error::OpenError, format::Format};
use crate::log::storage::{self, sync_dir};

const FORMAT: &str = "FORMAT";
const UNFINISHED: &str = "FORMAT.unfinished";
const COPYING: &str = "FORMAT.copying";
const LOCK: &str = "lock";
const DB: &str = "db";
const DATA: &str = "db/db";
const CONF: &str = "db/conf";
/// What a file system keeps in its own root.
const LOST_AND_FOUND: &str = "lost+found";
/// A private directory: it will hold keys.
const MODE: u32 = 0o700;

/// The paths of a data directory.
#[derive(Clone, Debug)]
pub(super) struct DataDir {
    root: PathBuf,
}

impl DataDir {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// sled's directory.
    pub(super) fn db(&self) -> PathBuf {
        self.root.join(DB)
    }

    /// sled's data file.
    pub(super) fn data(&self) -> PathBuf {
        self.root.join(DATA)
    }

    /// Makes the directory, or takes an empty one, and locks it.
    pub(super) fn prepare(&self) -> Result<Lock, OpenError> {
        DirBuilder::new()
            .recursive(true)
            .mode(MODE)
            .create(&self.root)
            .map_err(OpenError::io("."))?;
        self.refuse_what_is_there()?;
        let lock = self.lock()?;
        // Between the two, another process may have made a ledger here.
        self.refuse_what_is_there()?;
        fs::set_permissions(&self.root, fs::Permissions::from_mode(MODE))
            .map_err(OpenError::io("."))?;
        if let Some(parent) = self.root.parent().filter(|p| !p.as_os_str().is_empty()) {
            sync_dir(parent).map_err(OpenError::io(".."))?;
        }
        Ok(lock)
    }

    /// First step of making a ledger.
    pub(super) fn begin(&self, purpose: Purpose, format: Format) -> Result<(), OpenError> {
        let name = purpose.marker();
        storage::replace(&self.root, name, format.text().as_bytes()).map_err(OpenError::io(name))
    }

    /// Last step of making a ledger.
    pub(super) fn finish(&self, purpose: Purpose) -> Result<(), OpenError> {
        fs::rename(self.root.join(purpose.marker()), self.root.join(FORMAT))
            .and_then(|()| sync_dir(&self.root))
            .map_err(OpenError::io(FORMAT))
    }

    /// What is being copied here, if a copy was begun.
    pub(super) fn copying(&self) -> Result<Option<Format>, OpenError> {
        match fs::read(self.root.join(COPYING)) {
            Ok(text) => Format::parse(&text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(OpenError::io(COPYING)(error)),
        }
    }

    /// Removes what a copy had made of the database before it could be used.
    pub(super) fn discard_db(&self) -> Result<(), OpenError> {
        match fs::remove_dir_all(self.db()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(OpenError::io(DB)(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Makes the files that sled has just made durable.
    pub(super) fn sync_db(&self) -> Result<(), OpenError> {
        for file in [DATA, CONF] {
            File::open(self.root.join(file))
                .and_then(|file| file.sync_all())
                .map_err(OpenError::io(file))?;
        }
        sync_dir(&self.db()).map_err(OpenError::io(DB))
    }

    /// Reads `FORMAT`, and says what is there instead if it is not.
    pub(super) fn format(&self) -> Result<Format, OpenError> {
        match fs::read(self.root.join(FORMAT)) {
            Ok(text) => Format::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.without_format()),
            Err(error) => Err(OpenError::io(FORMAT)(error)),
        }
    }

    /// Takes the writer's lock.
    pub(super) fn lock(&self) -> Result<Lock, OpenError> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.root.join(LOCK))
            .map_err(OpenError::io(LOCK))?;
        match file.try_lock() {
            Ok(()) => {
                // Only for the message to whoever comes second. A full disk has
                // no room for it, and that must not keep anyone out.
                let _ = file
                    .set_len(0)
                    .and_then(|()| write!(file, "{}", process::id()));
                Ok(Lock { file })
            }
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
                pid: holder(&mut file),
            }),
            Err(TryLockError::Error(error)) => Err(OpenError::io(LOCK)(error)),
        }
    }

    /// Keeps writers out while files are copied. A copy without a `lock` file,
    /// or on a medium that cannot be locked, has no writer to keep out.
    pub(super) fn lock_out_writers(&self) -> Result<Option<File>, OpenError> {
        let Ok(mut file) = File::open(self.root.join(LOCK)) else {
            return Ok(None);
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
                pid: holder(&mut file),
            }),
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }

    /// sled makes what it does not find. So look before it does.
    pub(super) fn require_db(&self) -> Result<(), OpenError> {
        for file in [DATA, CONF] {
            match fs::metadata(self.root.join(file)) {
                Ok(meta) if meta.len() == 0 => return Err(OpenError::Empty { file }),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(OpenError::Missing { file });
                }
                Err(error) => return Err(OpenError::io(file)(error)),
            }
        }
        Ok(())
    }

    fn refuse_what_is_there(&self) -> Result<(), OpenError> {
        let names = self.names()?;
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        if has(FORMAT) {
            Err(OpenError::Exists)
        } else if names.iter().any(|name| name.starts_with(UNFINISHED)) {
            Err(OpenError::Unfinished)
        } else if names.iter().any(|name| name.starts_with(COPYING)) {
            Err(OpenError::Copying)
        } else if has(DB) && has(super::witness::FILE) {
            Err(OpenError::FormatMissing)
        } else if names.is_empty() {
            Ok(())
        } else {
            Err(OpenError::NotEmpty)
        }
    }

    fn without_format(&self) -> OpenError {
        match self.refuse_what_is_there() {
            // Not a ledger, whatever it is.
            Ok(()) | Err(OpenError::NotEmpty) => OpenError::NotFound,
            Err(error) => error,
        }
    }

    /// The names in the directory, without those that mean nothing.
    fn names(&self) -> Result<Vec<String>, OpenError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::NotFound);
            }
            Err(error) => return Err(OpenError::io(".")(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(OpenError::io("."))?.file_name();
            let name = name.to_string_lossy().into_owned();
            // A copy that was interrupted before it was begun is none.
            let unborn = name.strip_suffix(".new") == Some(COPYING);
            if name != LOCK && name != LOST_AND_FOUND && !unborn {
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// What a ledger is made for, which says how far it is to be believed meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be written to.
    New,
    /// To hold what another one does.
    Copy,
}

impl Purpose {
    fn marker(self) -> &'static str {
        match self {
            Self::New => UNFINISHED,
            Self::Copy => COPYING,
        }
    }
}

/// The writer's lock; released when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The number of a process that is gone would only mislead.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
