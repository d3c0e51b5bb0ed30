//! A witness of logs, as an audit office may run one: it cosigns a checkpoint if
//! it continues all that it has cosigned of that log, and so no log that needs
//! its cosignature can show different histories to different people.
//!
//! ```text
//! DIR/key         its name and secret, for its owner alone
//! DIR/lock        held by the one process that uses it
//! DIR/origins     which logs it watches
//! DIR/logs/HASH   what it knows of one log; HASH is that of the log's origin
//! ```
//!
//! It is worth what it remembers. So it answers when what it answers is durable;
//! a file that is missing, torn or edited is an error and not a fresh start; and
//! after a write that failed it cosigns nothing more of that log until it is
//! started again. An older copy of a file in `logs` is not told from the newest:
//! never restore one.
//!
//! [`serve()`] speaks C2SP tlog-witness; [`client`] is the log's side of it.

pub mod client;
mod dir;
mod error;
mod kept;
mod key;
mod metrics;
mod serve;
mod watched;

use std::{
    collections::BTreeMap,
    fs::{DirBuilder, File},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use luzhang_ledger::proof::{
    SignedCheckpoint, SigningKey, VerifierKey,
    note::{KeyName, Purpose, SignatureLine},
    tree::ProofError,
    witness::{Extension, ExtensionError, WitnessRefusal, judge},
};
use parking_lot::Mutex;

pub use error::{NotCosigned, WitnessError};
pub use serve::{listen, serve};
pub use watched::{Newest, OriginHash, OriginHashError, WatchedLog};

/// A witness, in use by this process alone.
#[derive(Debug)]
pub struct Witness {
    dir: PathBuf,
    key: SigningKey,
    logs: BTreeMap<OriginHash, Mutex<Standing>>,
    /// Held for as long as the witness is open.
    _lock: File,
}

/// Where the witness stands with one log, in memory and on disk.
#[derive(Debug)]
struct Standing {
    path: PathBuf,
    log: WatchedLog,
    /// A write failed: the disk may be ahead of `log`, or behind what it says.
    stopped: bool,
}

/// What became of a key that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// Its log is watched from now on.
    Log,
    /// Its log was watched already, and now under this key too.
    Key,
    /// It was there already.
    Nothing,
}

/// A witness as it is on disk, also beside the process that uses it.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Its public key.
    pub key: VerifierKey,
    /// The logs that it watches, by origin.
    pub logs: Vec<WatchedLog>,
}

impl Witness {
    /// Makes a new witness in a directory that is empty or absent.
    ///
    /// # Errors
    /// [`WitnessError::Exists`], [`WitnessError::NotEmpty`],
    /// [`WitnessError::Locked`] and [`WitnessError::Io`].
    pub fn create(dir: &Path, name: &KeyName) -> Result<Self, WitnessError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(WitnessError::io(dir))?;
        if dir::key(dir).exists() {
            return Err(WitnessError::Exists {
                dir: dir.to_owned(),
            });
        }
        dir::refuse_what_is_there(dir)?;
        let lock = dir::lock(dir)?;
        let logs = dir::logs(dir);
        DirBuilder::new()
            .mode(0o700)
            .create(&logs)
            .map_err(WitnessError::io(&logs))?;
        dir::keep_origins(dir, &[])?;
        // The key comes last: where it is, all the rest is.
        key::create(&dir::key(dir), name)?;
        let parent = dir.parent().filter(|parent| *parent != Path::new(""));
        let parent = parent.unwrap_or(Path::new("."));
        kept::sync_dir(parent).map_err(WitnessError::io(parent))?;
        Self::open_locked(dir, lock)
    }

    /// Opens a witness.
    ///
    /// # Errors
    /// [`WitnessError::NotFound`], [`WitnessError::Locked`], and
    /// [`WitnessError::Missing`], [`WitnessError::Damaged`] and
    /// [`WitnessError::Io`] with the file.
    pub fn open(dir: &Path) -> Result<Self, WitnessError> {
        dir::require(dir)?;
        let lock = dir::lock(dir)?;
        Self::open_locked(dir, lock)
    }

    fn open_locked(dir: &Path, lock: File) -> Result<Self, WitnessError> {
        let key = key::read(&dir::key(dir))?;
        let logs = dir::read_logs(dir, key.verifier())?;
        // What a process that was killed left in the page cache reads like what is
        // on disk, and may not be there after a power cut.
        for (hash, log) in &logs {
            dir::keep_log(&dir::log(dir, *hash), log)?;
        }
        let standing = |(hash, log)| {
            let standing = Standing {
                path: dir::log(dir, hash),
                log,
                stopped: false,
            };
            (hash, Mutex::new(standing))
        };
        Ok(Self {
            logs: logs.into_iter().map(standing).collect(),
            dir: dir.to_owned(),
            key,
            _lock: lock,
        })
    }

    /// Looks at a witness without opening it: nothing is locked or written.
    ///
    /// # Errors
    /// Those of [`Witness::open`] but [`WitnessError::Locked`].
    pub fn survey(dir: &Path) -> Result<Survey, WitnessError> {
        dir::require(dir)?;
        let key = key::read(&dir::key(dir))?;
        let logs = dir::read_logs(dir, key.verifier())?;
        Ok(Survey {
            logs: by_origin(logs.into_values()),
            key: key.verifier().clone(),
        })
    }

    /// Its public key: what those who trust it have to know.
    pub fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// Watches the log whose checkpoints this key signs. If the log is watched
    /// already, under another key, then under both from now on.
    ///
    /// # Errors
    /// [`WitnessError::NotOfLog`] and [`WitnessError::Io`].
    pub fn add_log(&mut self, key: VerifierKey) -> Result<Added, WitnessError> {
        if key.purpose() != Purpose::Author {
            return Err(WitnessError::NotOfLog);
        }
        let hash = OriginHash::of(key.name().as_str());
        let path = dir::log(&self.dir, hash);
        if let Some(standing) = self.logs.get_mut(&hash) {
            return standing.get_mut().add_key(key);
        }
        let log = WatchedLog::new(key);
        // The log before the list: a log in the list has a file.
        dir::keep_log(&path, &log)?;
        let standing = Standing {
            path,
            log,
            stopped: false,
        };
        self.logs.insert(hash, Mutex::new(standing));
        dir::keep_origins(&self.dir, &self.logs())?;
        Ok(Added::Log)
    }

    /// Answers a request of the protocol: the cosignature, if the checkpoint
    /// continues all that was cosigned of its log. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`NotCosigned::Refused`] with what the protocol has the caller told;
    /// [`NotCosigned::Fault`] if the answer cannot be made durable.
    pub fn add_checkpoint(&self, body: &[u8], now: u64) -> Result<SignatureLine, NotCosigned> {
        let request = Extension::parse(body).map_err(WitnessRefusal::from)?;
        let origin = &request.checkpoint.checkpoint().origin;
        let standing = self.logs.get(&OriginHash::of(origin));
        let standing = standing.ok_or_else(|| WitnessRefusal::UnknownLog {
            origin: origin.clone(),
        })?;
        standing.lock().extend(&request, &self.key, now)
    }

    /// The newest checkpoint of a log that was cosigned, with its signatures.
    pub fn newest(&self, log: OriginHash) -> Option<SignedCheckpoint> {
        let standing = self.logs.get(&log)?.lock();
        let newest = standing.log.newest.as_ref()?;
        Some(newest.checkpoint.clone())
    }

    /// The logs that it watches, by origin.
    pub fn logs(&self) -> Vec<WatchedLog> {
        by_origin(
            self.logs
                .values()
                .map(|standing| standing.lock().log.clone()),
        )
    }
}

impl Standing {
    fn extend(
        &mut self,
        request: &Extension,
        own: &SigningKey,
        now: u64,
    ) -> Result<SignatureLine, NotCosigned> {
        self.require_running()?;
        let keys: Vec<&VerifierKey> = self.log.keys.iter().collect();
        judge(&self.log.head(), &keys, request)
            .inspect_err(|refusal| self.report(refusal, request))?;
        // A cosignature has 63 bits for its time, and 0 stands for none.
        if now == 0 || i64::try_from(now).is_err() {
            return Err(WitnessError::Clock.into());
        }
        let cosigned = Newest::cosign(&request.checkpoint, &self.log.keys, own, now);
        let (newest, line) = cosigned
            .map_err(ExtensionError::from)
            .map_err(WitnessRefusal::from)?;
        let log = WatchedLog {
            newest: Some(newest),
            ..self.log.clone()
        };
        self.advance(log)?;
        Ok(line)
    }

    /// A log that shows what does not continue what it showed before has forked,
    /// or was given a wrong proof. Two signed heads of one size leave no doubt, and
    /// are what the operator needs to confront it with.
    fn report(&self, refusal: &WitnessRefusal, request: &Extension) {
        let WitnessRefusal::Inconsistent(problem) = refusal else {
            return;
        };
        if let (ProofError::TwoRoots { .. }, Some(newest)) = (problem, &self.log.newest) {
            let (seen, shown) = (&newest.checkpoint, &request.checkpoint);
            tracing::error!(%seen, %shown, "the log has signed two trees of one size");
        } else {
            let origin = &self.log.origin;
            tracing::warn!(%origin, %problem, "a checkpoint was shown that is not consistent");
        }
    }

    fn add_key(&mut self, key: VerifierKey) -> Result<Added, WitnessError> {
        self.require_running()?;
        if self.log.keys.contains(&key) {
            return Ok(Added::Nothing);
        }
        let mut log = self.log.clone();
        log.keys.push(key);
        self.advance(log)?;
        Ok(Added::Key)
    }

    fn require_running(&self) -> Result<(), WitnessError> {
        if self.stopped {
            return Err(WitnessError::Stopped {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    /// On disk first, then in memory.
    fn advance(&mut self, log: WatchedLog) -> Result<(), WitnessError> {
        dir::keep_log(&self.path, &log).inspect_err(|error| {
            tracing::error!(%error, "this log is cosigned no more until the witness is restarted");
            self.stopped = true;
        })?;
        self.log = log;
        Ok(())
    }
}

fn by_origin(logs: impl Iterator<Item = WatchedLog>) -> Vec<WatchedLog> {
    let mut logs: Vec<WatchedLog> = logs.collect();
    logs.sort_by(|one, other| one.origin.cmp(&other.origin));
    logs
}
