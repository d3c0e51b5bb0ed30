//! The state file: the last checkpoint that was verified, as it was signed.
//!
//! It is replaced as a whole, so that it is always one checkpoint or the next.
//! Damage shows in its signature. A file that is not as it should be is never
//! passed over: to begin anew would be to trust whatever is shown next.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use luzhang_ledger::proof::{Policy, SignedCheckpoint, note::NoteError};

use crate::failure::{Failure, exit};

/// The state file, ours alone while this lives.
#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    _lock: File,
}

impl State {
    /// Takes the state file; it need not be there.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let lock_path = beside(path, ".lock");
        let failed = |error: &io::Error| Failure::file(&lock_path, error);
        // The state file itself is replaced, and a lock on it with it.
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(|error| failed(&error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Failure {
                exit: exit::CONFLICT,
                ..Failure::new(
                    "WATCH_STATE_LOCKED",
                    format!("另一个进程正在使用状态文件 {}", path.display()),
                    format!("another process uses the state file {}", path.display()),
                )
            }),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    /// The checkpoint in it; `None` if there is no file yet.
    pub(super) fn read(&self, policy: &Policy) -> Result<Option<SignedCheckpoint>, Failure> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file(&self.path, &error)),
        };
        let kept = SignedCheckpoint::parse(&bytes).map_err(|error| self.damaged(&error))?;
        // The quorum was met when it was written, under the policy of that day.
        let logs = policy.logs().iter().map(|log| &log.key);
        let keys: Vec<_> = logs
            .filter(|key| key.name().as_str() == kept.checkpoint().origin)
            .collect();
        match kept.verify(&keys) {
            Ok(_) => Ok(Some(kept)),
            Err(NoteError::Unsigned) => Err(self.untrusted(&kept)),
            Err(error) => Err(self.damaged(&error)),
        }
    }

    /// Puts a checkpoint into the place of the last one. When this returns, it is
    /// durable.
    pub(super) fn keep(&self, checkpoint: &SignedCheckpoint) -> Result<(), Failure> {
        // One name for all attempts: what a crash left is overwritten.
        let new = beside(&self.path, ".new");
        let replaced = write_durably(
            OpenOptions::new().create(true).truncate(true),
            &new,
            checkpoint.to_string().as_bytes(),
        )
        .and_then(|()| fs::rename(&new, &self.path))
        .and_then(|()| sync_dir_of(&self.path));
        replaced.map_err(|error| Failure::file(&self.path, &error))
    }

    fn damaged(&self, error: &dyn std::fmt::Display) -> Failure {
        let path = self.path.display();
        Failure::new(
            "WATCH_STATE_DAMAGED",
            format!(
                "状态文件 {path} 已损坏：{error}。请从备份恢复；不要直接删除，删除等于从头信任"
            ),
            format!(
                "the state file {path} is damaged: {error}. Restore it from a backup; to delete it \
                 is to trust from the beginning again"
            ),
        )
    }

    fn untrusted(&self, kept: &SignedCheckpoint) -> Failure {
        let (path, origin) = (self.path.display(), &kept.checkpoint().origin);
        Failure::new(
            "WATCH_STATE_UNTRUSTED",
            format!(
                "状态文件 {path} 记的是 {origin} 的检查点，所给的密钥都没有签过它。\
                 账本换过密钥的，请把旧密钥也用 --key 给出"
            ),
            format!(
                "the state file {path} keeps a checkpoint of {origin} that none of the given keys \
                 has signed. If the log has a new key, give the old one with another --key too"
            ),
        )
    }
}

/// The path with something after its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Writes a file whose bytes are durable; its name is after [`sync_dir_of`].
pub(super) fn write_durably(
    options: &mut OpenOptions,
    path: &Path,
    bytes: &[u8],
) -> io::Result<()> {
    let mut file = options.write(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in the directory of a file durable.
pub(super) fn sync_dir_of(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
}
