//! sled, with its habits fenced in: it panics on damage, makes what it does not
//! find, calls a flush durable that is not, and can sleep through its own error.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use ::sled::{Batch, Config, Db, IVec};

use super::quiet;
use crate::log::{Fault, ReadError, keyed::Shelf, storage};

/// The size of sled's segments, fixed when the ledger is made. A value of more
/// than a quarter of it would go to a file of its own, which sled never syncs;
/// and so would a leaf, which holds up to 17 blocks.
const SEGMENT: usize = 16 << 20;
const CACHE: u64 = 64 << 20;
/// Of a copy that is read once from front to back: nothing is asked for again.
const AUDIT_CACHE: u64 = 8 << 20;
/// Whatever its capacity, sled's cache keeps the newest leaf of each of its 256
/// shards, a MiB or two each. A copy that is read through is opened anew after so
/// many bytes, so that a long log does not end up in memory.
const RENEW_AFTER: u64 = 64 << 20;
/// sled's threads may hold its file a moment longer than the handle that was
/// closed.
const LOCK_TRIES: u32 = 250;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Why sled did not do what it was asked.
#[derive(Debug)]
pub(super) enum EngineError {
    /// It returned an error.
    Sled(::sled::Error),
    /// It panicked.
    Panicked(String),
    /// Another process has its file open.
    Locked,
    /// It started from nothing, though there should have been something.
    Fresh,
    /// It keeps something that this adapter never put there.
    Foreign,
    /// It was closed.
    Closed,
}

impl EngineError {
    /// What happened, in one short line.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Sled(::sled::Error::Corruption { at: Some(at), .. }) => {
                format!("a checksum does not match at {at:?} of db/db")
            }
            Self::Sled(::sled::Error::Corruption { at: None, .. }) => {
                "its files contradict each other".to_owned()
            }
            Self::Sled(error) => quiet::short(&error.to_string()),
            Self::Panicked(message) => message.clone(),
            Self::Locked => "another process has it open".to_owned(),
            Self::Fresh => "it has no content".to_owned(),
            Self::Foreign => "it holds values that this program did not write".to_owned(),
            Self::Closed => "it was closed".to_owned(),
        }
    }

    pub(super) fn into_fault(self) -> Fault {
        match self {
            Self::Sled(::sled::Error::Io(error)) => storage::fault(error),
            Self::Sled(_)
            | Self::Panicked(_)
            | Self::Locked
            | Self::Fresh
            | Self::Foreign
            | Self::Closed => Fault::Database {
                detail: self.detail(),
            },
        }
    }

    /// The error of a read near `key`. A page whose checksum fails is damage;
    /// sled says so, or panics.
    fn into_read_error(self, key: u64) -> ReadError {
        match self {
            Self::Sled(::sled::Error::Corruption { .. }) | Self::Panicked(_) => {
                ReadError::Damaged {
                    first: key,
                    detail: self.detail(),
                }
            }
            Self::Sled(_) | Self::Locked | Self::Fresh | Self::Foreign | Self::Closed => {
                self.into_fault().into()
            }
        }
    }
}

fn config(path: &Path, cache: u64) -> Config {
    Config::default()
        .path(path)
        .segment_size(SEGMENT)
        .cache_capacity(cache)
        .flush_every_ms(None)
        .use_compression(false)
}

/// Makes an empty database where there is none.
pub(super) fn create(path: &Path) -> Result<(), EngineError> {
    guarded(|| {
        let db = config(path, CACHE).create_new(true).open()?;
        db.flush().map(|_| ())
    })
}

/// The open database, shared by the writer and its readers.
pub(super) struct Engine {
    /// `None` once closed, so that a reader that lives on holds no file.
    db: RwLock<Option<Db>>,
    /// The last position that is durable.
    end: AtomicU64,
    /// Of a copy that is read through.
    renewal: Option<Renewal>,
}

/// When a copy is opened anew.
struct Renewal {
    path: PathBuf,
    /// Bytes of values read since it was opened.
    read: AtomicU64,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // sled's own Debug prints every page.
        f.debug_struct("Engine")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens a database that exists. Readers see nothing before
    /// [`Engine::publish`].
    pub(super) fn open(path: &Path) -> Result<Self, EngineError> {
        Ok(Self {
            db: RwLock::new(Some(open_existing(path, CACHE)?)),
            end: AtomicU64::new(0),
            renewal: None,
        })
    }

    /// The same for whoever reads a copy through, and nobody else has it open.
    pub(super) fn open_for_audit(path: &Path) -> Result<Self, EngineError> {
        Ok(Self {
            db: RwLock::new(Some(open_existing(path, AUDIT_CACHE)?)),
            end: AtomicU64::new(0),
            renewal: Some(Renewal {
                path: path.to_owned(),
                read: AtomicU64::new(0),
            }),
        })
    }

    /// Opens a copy anew when enough of it was read.
    fn renew(&self, renewal: &Renewal) -> Result<(), EngineError> {
        if renewal.read.load(Ordering::Relaxed) < RENEW_AFTER {
            return Ok(());
        }
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        // Another reader may have been here first, or it was closed for good.
        if renewal.read.swap(0, Ordering::Relaxed) < RENEW_AFTER || db.is_none() {
            return Ok(());
        }
        let old = db.take();
        guarded(|| {
            drop(old);
            Ok(())
        })?;
        *db = Some(open_existing(&renewal.path, AUDIT_CACHE)?);
        Ok(())
    }

    /// One entry, as `find` finds it; `key` is what was looked for.
    fn read(
        &self,
        key: u64,
        find: impl FnOnce(&Db) -> Option<::sled::Result<(IVec, IVec)>>,
    ) -> Result<Option<(u64, IVec)>, ReadError> {
        let renewed = self.renewal.as_ref().map_or(Ok(()), |r| self.renew(r));
        let found = renewed.and_then(|()| self.with(|db| find(db).transpose()));
        let found = found.map_err(|error| error.into_read_error(key))?;
        let found = found.map(entry).transpose()?;
        if let (Some(renewal), Some((_, value))) = (&self.renewal, &found) {
            let bytes = u64::try_from(value.len()).unwrap_or(u64::MAX);
            renewal.read.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(found)
    }

    /// Refuses a database with anything in it that a writer of this adapter
    /// does not leave: another tree, or values in files of their own.
    pub(super) fn refuse_foreign(&self, path: &Path) -> Result<(), EngineError> {
        let trees = self.with(|db| Ok(db.tree_names().len()))?;
        if trees != 1 || has_blobs(path) {
            return Err(EngineError::Foreign);
        }
        Ok(())
    }

    /// Lets readers see everything up to this position.
    pub(super) fn publish(&self, end: u64) {
        self.end.store(end, Ordering::Release);
    }

    /// Stores values, all or none, and hands them to the operating system. They
    /// are durable after `fdatasync` of the data file, and not before.
    pub(super) fn store(&self, mut values: Vec<(u64, Vec<u8>)>) -> Result<(), EngineError> {
        self.with(|db| {
            if values.len() == 1
                && let Some((key, value)) = values.pop()
            {
                db.insert(key.to_be_bytes(), value)?;
            } else {
                let mut batch = Batch::default();
                for (key, value) in values {
                    batch.insert(&key.to_be_bytes(), value);
                }
                db.apply_batch(batch)?;
            }
            db.flush().map(|_| ())
        })
    }

    /// The last entry.
    pub(super) fn last(&self) -> Result<Option<(u64, IVec)>, ReadError> {
        self.at_or_before(u64::MAX)
    }

    /// Wakes a flush that waits for a write that has failed: sled 0.34 records
    /// the error of a batch that crosses a segment without waking who waits.
    pub(super) fn nudge(&self) {
        // Whatever it answers, the waiting flush answers too.
        let _ = self.with(|db| {
            db.context
                .global_error()
                .or_else(|_| db.flush().map(|_| ()))
        });
    }

    /// Closes the database and its files.
    pub(super) fn close(&self) -> Result<(), EngineError> {
        let db = self
            .db
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        guarded(|| {
            drop(db);
            Ok(())
        })
    }

    fn with<T>(&self, f: impl FnOnce(&Db) -> Result<T, ::sled::Error>) -> Result<T, EngineError> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        let db = db.as_ref().ok_or(EngineError::Closed)?;
        guarded(|| f(db))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Whoever wanted to know the result has called `close`.
        let _ = self.close();
    }
}

impl Shelf for Engine {
    type Value = IVec;

    fn at_or_before(&self, key: u64) -> Result<Option<(u64, IVec)>, ReadError> {
        self.read(key, |db| db.range(..=key.to_be_bytes()).next_back())
    }

    fn at_or_after(&self, key: u64) -> Result<Option<(u64, IVec)>, ReadError> {
        self.read(key, |db| db.range(key.to_be_bytes()..).next())
    }

    fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }
}

fn entry((key, value): (IVec, IVec)) -> Result<(u64, IVec), ReadError> {
    let key = key.as_ref().try_into().map_err(|_| ReadError::Damaged {
        first: 0,
        detail: "a key is not a position".to_owned(),
    })?;
    Ok((u64::from_be_bytes(key), value))
}

fn open_existing(path: &Path, cache: u64) -> Result<Db, EngineError> {
    let mut tries: u32 = 0;
    let db = loop {
        discard_torn_snapshots(path).map_err(|error| EngineError::Sled(error.into()))?;
        match guarded(|| config(path, cache).open()) {
            Err(EngineError::Sled(error)) if is_locked(&error) => {
                tries = tries.saturating_add(1);
                if tries >= LOCK_TRIES {
                    return Err(EngineError::Locked);
                }
                thread::sleep(LOCK_PAUSE);
            }
            Err(error) => return Err(error),
            Ok(db) => break db,
        }
    };
    if !db.was_recovered() {
        return Err(EngineError::Fresh);
    }
    Ok(db)
}

/// Removes snapshots that were being written when a process died or the disk was
/// full. sled would take one for the latest and call the database corrupt; the
/// one before is still there, since it is removed only after the rename.
fn discard_torn_snapshots(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn is_locked(error: &::sled::Error) -> bool {
    // sled has no kind for it.
    matches!(error, ::sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// Whether sled put anything into files of their own.
fn has_blobs(path: &Path) -> bool {
    fs::read_dir(path.join("blobs")).is_ok_and(|mut entries| entries.next().is_some())
}

fn guarded<T>(f: impl FnOnce() -> Result<T, ::sled::Error>) -> Result<T, EngineError> {
    match quiet::catch(f) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(EngineError::Sled(error)),
        Err(quiet::Panicked(message)) => Err(EngineError::Panicked(message)),
    }
}
