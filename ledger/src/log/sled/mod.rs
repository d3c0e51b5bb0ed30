//! The log in a data directory, on sled 0.34.7.
//!
//! One block is one value under the position of its first event (u64, big-
//! endian), in sled's default tree. What FORMAT.md says of sled was measured;
//! this adapter is what follows from it:
//!
//! - `flush` ends in `sync_file_range`, which survives no power cut. So every
//!   append ends in our own `fdatasync` of sled's file.
//! - Values of more than a quarter segment go to files that are never synced. So
//!   segments have 16 MiB and blocks at most 120 KiB.
//! - A lost end opens without any error, only shorter. So a [`Witness`] outside
//!   sled says how far the log had come.
//! - Damaged bytes make it panic, and opening overwrites what it cannot read. So
//!   panics are caught, and an audit opens a copy ([`open_for_audit`]).
//! - A full disk cannot be opened. So some space is held back ([`Reserve`]).
//! - It makes what it does not find. So a ledger that is missing, empty or
//!   unfinished is recognised before sled is asked.

mod audit;
mod data_dir;
mod engine;
mod error;
mod format;
mod keeper;
mod quiet;
mod recovery;
mod reserve;
mod witness;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::{
    audit::{AuditLog, Outside, Writer, look, open_for_audit, witness},
    error::OpenError,
    format::{Format, Place},
    reserve::Reserve,
    witness::Witness,
};
use self::{
    data_dir::{DataDir, Lock, Purpose},
    engine::{Engine, EngineError},
    keeper::Keeper,
};
use super::{AppendError, Fault, Log, Reader, continuity, keyed::KeyedReader, storage};
use crate::{
    block::{self, Head, SealedBlock},
    position::{LedgerId, Position},
};

/// The log of a data directory, open for writing.
#[derive(Debug)]
pub struct SledLog {
    dir: PathBuf,
    ledger: LedgerId,
    head: Head,
    engine: Arc<Engine>,
    /// Our own descriptor of sled's file, for `fdatasync`.
    data: File,
    reserve: Reserve,
    poisoned: bool,
    // Dropped in this order: the last witness is written under the lock.
    keeper: Keeper,
    _lock: Lock,
}

/// A log, open to be read from front to back. Of one in a data directory writers are
/// kept out meanwhile, and opening may repair it, as that of a writer does.
#[derive(Debug)]
pub struct ReadLog {
    /// Whose chain this is.
    pub ledger: LedgerId,
    /// Its end, which is what the witness says or comes after it.
    pub head: Head,
    /// Its blocks.
    pub reader: Arc<dyn Reader>,
    _lock: Option<Lock>,
}

impl ReadLog {
    /// A log that is in a database, up to this head; its writer goes on.
    pub fn elsewhere(ledger: LedgerId, head: Head, reader: Arc<dyn Reader>) -> Self {
        Self {
            ledger,
            head,
            reader,
            _lock: None,
        }
    }

    /// Opens a ledger that nobody has open.
    ///
    /// # Errors
    /// As [`SledLog::open`].
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let data_dir = DataDir::new(dir);
        data_dir.format()?;
        let lock = data_dir.lock()?;
        let Format { ledger, place } = data_dir.format()?;
        if place == Place::Database {
            return Err(OpenError::Elsewhere);
        }
        data_dir.require_db()?;
        let witness = Witness::read(dir)?;
        if witness.ledger != ledger {
            return Err(OpenError::Mixed);
        }
        let db = data_dir.db();
        let engine = Engine::open_for_audit(&db).map_err(open_engine_error)?;
        engine.refuse_foreign(&db).map_err(open_engine_error)?;
        let head = recovery::head(&engine, &witness)?;
        engine.publish(head.position.map_or(0, Position::number));
        Ok(Self {
            ledger,
            head,
            reader: Arc::new(KeyedReader(Arc::new(engine))),
            _lock: Some(lock),
        })
    }
}

/// Keeps every writer out of a data directory, without opening the log.
#[derive(Debug)]
pub struct Held {
    _lock: Lock,
}

/// Holds the lock of a ledger's one writer, for work on files beside the log.
///
/// # Errors
/// [`OpenError::Locked`] while another process has it; [`OpenError::NotFound`]
/// and others if there is no ledger.
pub fn hold(dir: &Path) -> Result<Held, OpenError> {
    let data_dir = DataDir::new(dir);
    data_dir.format()?;
    Ok(Held {
        _lock: data_dir.lock()?,
    })
}

/// What is in a data directory.
///
/// # Errors
/// [`OpenError::NotFound`] and others if there is no ledger.
pub fn format(dir: &Path) -> Result<Format, OpenError> {
    DataDir::new(dir).format()
}

/// What is being copied to a directory, if something is.
///
/// # Errors
/// What reading says.
pub fn copying(dir: &Path) -> Result<Option<Format>, OpenError> {
    DataDir::new(dir).copying()
}

/// A data directory that is being made for a ledger whose log is in a database. It is
/// one when [`Elsewhere::finish`] is called, and not before.
#[derive(Debug)]
pub struct Elsewhere {
    data_dir: DataDir,
    purpose: Purpose,
    lock: Lock,
}

impl Elsewhere {
    /// Begins in a directory that is new or empty, and locks it.
    ///
    /// # Errors
    /// As [`SledLog::create`].
    pub fn begin(dir: &Path, ledger: LedgerId) -> Result<Self, OpenError> {
        let data_dir = DataDir::new(dir);
        let lock = data_dir.prepare()?;
        let (place, purpose) = (Place::Database, Purpose::New);
        data_dir.begin(purpose, Format { ledger, place })?;
        Ok(Self {
            data_dir,
            purpose,
            lock,
        })
    }

    /// Begins one for a log that is copied to a database, or goes on with it.
    ///
    /// # Errors
    /// As [`SledLog::copying`].
    pub fn copying(dir: &Path, ledger: LedgerId) -> Result<Self, OpenError> {
        let data_dir = DataDir::new(dir);
        let (place, purpose) = (Place::Database, Purpose::Copy);
        let format = Format { ledger, place };
        let lock = match data_dir.copying()? {
            Some(begun) if begun != format => return Err(OpenError::Mixed),
            Some(_) => data_dir.lock()?,
            None => {
                let lock = data_dir.prepare()?;
                data_dir.begin(purpose, format)?;
                lock
            }
        };
        Ok(Self {
            data_dir,
            purpose,
            lock,
        })
    }

    /// It is a data directory from now on.
    pub fn finish(self) -> Result<Held, OpenError> {
        self.data_dir.finish(self.purpose)?;
        Ok(Held { _lock: self.lock })
    }
}

impl SledLog {
    /// Makes a ledger in a directory that is new or empty, and opens it. The
    /// directory gets mode 0700.
    ///
    /// # Errors
    /// [`OpenError::Exists`], [`OpenError::Unfinished`], [`OpenError::NotEmpty`]
    /// by what is there; [`OpenError::DiskFull`] if there is less than 96 MiB of
    /// room; others as [`SledLog::open`].
    pub fn create(dir: &Path, ledger: LedgerId) -> Result<Self, OpenError> {
        let data_dir = DataDir::new(dir);
        let lock = data_dir.prepare()?;
        let format = Format::here(ledger);
        data_dir.begin(Purpose::New, format)?;
        make(&data_dir, ledger)?;
        data_dir.finish(Purpose::New)?;
        Self::open_locked(&data_dir, format, lock)
    }

    /// Makes a ledger to copy a log to, or goes on with one that was begun. It is none
    /// before [`SledLog::complete`]: nothing else opens it.
    ///
    /// # Errors
    /// As [`SledLog::create`]; [`OpenError::Mixed`] if another ledger's log was being
    /// copied here.
    pub fn copying(dir: &Path, ledger: LedgerId) -> Result<Self, OpenError> {
        let data_dir = DataDir::new(dir);
        let format = Format::here(ledger);
        let Some(begun) = data_dir.copying()? else {
            let lock = data_dir.prepare()?;
            data_dir.begin(Purpose::Copy, format)?;
            make(&data_dir, ledger)?;
            return Self::open_locked(&data_dir, format, lock);
        };
        if begun != format {
            return Err(OpenError::Mixed);
        }
        let lock = data_dir.lock()?;
        // The witness is made when the database is.
        if let Err(OpenError::WitnessMissing) = Witness::read(dir) {
            data_dir.discard_db()?;
            make(&data_dir, ledger)?;
        }
        Self::open_locked(&data_dir, format, lock)
    }

    /// Closes a log that was copied, opens it anew for `check` to read what is on the
    /// disk, and makes the directory a ledger if that finds it good.
    ///
    /// # Errors
    /// What closing, opening or checking says; the directory then stays one that is
    /// being copied to.
    pub fn complete<E: From<OpenError>>(
        mut self,
        check: impl FnOnce(&dyn Reader) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |fault: Fault| OpenError::Unreadable {
            detail: fault.to_string(),
        };
        self.keeper.stop().map_err(failed)?;
        let closed = self.engine.close().map_err(EngineError::into_fault);
        closed.map_err(failed)?;
        let data_dir = DataDir::new(&self.dir);
        let engine = Engine::open_for_audit(&data_dir.db()).map_err(open_engine_error)?;
        engine.publish(recovery::end(&engine)?);
        let engine = Arc::new(engine);
        check(&KeyedReader(Arc::clone(&engine)))?;
        engine.close().map_err(open_engine_error)?;
        Ok(data_dir.finish(Purpose::Copy)?)
    }

    /// Opens a ledger for writing: one process at a time.
    ///
    /// # Errors
    /// [`OpenError`] says what is there instead of a whole ledger. Except for
    /// [`OpenError::Locked`] and [`OpenError::DiskFull`], trying again does not
    /// help and may destroy evidence.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let data_dir = DataDir::new(dir);
        data_dir.format()?;
        let lock = data_dir.lock()?;
        let format = data_dir.format()?;
        Self::open_locked(&data_dir, format, lock)
    }

    fn open_locked(data_dir: &DataDir, format: Format, lock: Lock) -> Result<Self, OpenError> {
        let dir = data_dir.root();
        let Format { ledger, place } = format;
        if place == Place::Database {
            return Err(OpenError::Elsewhere);
        }
        data_dir.require_db()?;
        let witness = Witness::read(dir)?;
        if witness.ledger != ledger {
            return Err(OpenError::Mixed);
        }
        let (engine, given_back) = open_with_reserve(data_dir)?;
        engine
            .refuse_foreign(&data_dir.db())
            .map_err(open_engine_error)?;
        let engine = Arc::new(engine);
        let head = recovery::head(&engine, &witness)?;
        engine.publish(head.position.map_or(0, Position::number));
        let data = File::options()
            .write(true)
            .open(data_dir.data())
            .map_err(OpenError::io("db/db"))?;
        // What opening wrote, a new snapshot among it, before anything is built
        // on it.
        data.sync_all().map_err(OpenError::io("db/db"))?;
        storage::sync_dir(&data_dir.db()).map_err(OpenError::io("db"))?;
        let reserve = match given_back {
            Some(reserve) => reserve,
            None => reserve::ensure(dir).map_err(OpenError::io("reserve"))?,
        };
        let latest = Witness::of(ledger, &head);
        let keeper = Keeper::start(dir, Arc::clone(&engine), witness, latest)
            .map_err(OpenError::io(witness::FILE))?;
        Ok(Self {
            dir: dir.to_path_buf(),
            ledger,
            head,
            engine,
            data,
            reserve,
            poisoned: false,
            keeper,
            _lock: lock,
        })
    }

    /// Whose chain this is.
    pub fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// The epoch that this writer's blocks belong to: one more than that of the
    /// last block, so that two writers are told apart afterwards.
    pub fn next_epoch(&self) -> u64 {
        self.head.epoch.saturating_add(1)
    }

    /// How the disk space held back for a full disk stands.
    pub fn reserve(&self) -> Reserve {
        self.reserve
    }

    fn write(&self, blocks: &[SealedBlock]) -> Result<(), Fault> {
        self.keeper.check()?;
        let values = blocks
            .iter()
            .map(|block| (block.first.number(), block::to_stored(&block.bytes)))
            .collect();
        self.engine.store(values).map_err(EngineError::into_fault)?;
        self.data.sync_data().map_err(storage::fault)
    }
}

impl Log for SledLog {
    fn head(&self) -> Head {
        self.head
    }

    fn append(&mut self, blocks: &[SealedBlock]) -> Result<(), AppendError> {
        if self.poisoned {
            return Err(Fault::Poisoned.into());
        }
        let head = continuity::check(&self.head, blocks)?;
        // Also if the thread unwinds from here.
        self.poisoned = true;
        self.write(blocks)?;
        self.poisoned = false;
        self.head = head;
        self.engine
            .publish(head.position.map_or(0, Position::number));
        self.keeper.announce(Witness::of(self.ledger, &head));
        Ok(())
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(KeyedReader(Arc::clone(&self.engine)))
    }

    fn close(mut self: Box<Self>) -> Result<(), Fault> {
        let witnessed = self.keeper.stop();
        let closed = self.engine.close().map_err(EngineError::into_fault);
        // After a fault both fail again, and the fault has been told.
        if self.poisoned {
            return Ok(());
        }
        witnessed.and(closed)
    }
}

impl Drop for SledLog {
    fn drop(&mut self) {
        // In this order whatever else holds the engine: witness, files, lock.
        // Whoever wanted to know the result has called `close`.
        let _ = self.keeper.stop();
        let _ = self.engine.close();
    }
}

/// Makes what is in a data directory: an empty database, its witness, the reserve.
fn make(data_dir: &DataDir, ledger: LedgerId) -> Result<(), OpenError> {
    let dir = data_dir.root();
    engine::create(&data_dir.db()).map_err(open_engine_error)?;
    data_dir.sync_db()?;
    Witness::of(ledger, &Head::genesis(ledger))
        .write(dir)
        .map_err(OpenError::io(witness::FILE))?;
    match reserve::ensure(dir).map_err(OpenError::io("reserve"))? {
        Reserve::Held => Ok(()),
        Reserve::NoRoom | Reserve::GivenBack => Err(OpenError::DiskFull),
    }
}

/// Opens the database; on a full disk once more with the reserve given back.
fn open_with_reserve(data_dir: &DataDir) -> Result<(Engine, Option<Reserve>), OpenError> {
    match Engine::open(&data_dir.db()).map_err(open_engine_error) {
        Ok(engine) => Ok((engine, None)),
        Err(OpenError::DiskFull) => {
            let given = reserve::give_back(data_dir.root()).map_err(OpenError::io("reserve"))?;
            if !given {
                return Err(OpenError::DiskFull);
            }
            let engine = Engine::open(&data_dir.db()).map_err(open_engine_error)?;
            Ok((engine, Some(Reserve::GivenBack)))
        }
        Err(error) => Err(error),
    }
}

fn open_engine_error(error: EngineError) -> OpenError {
    match error {
        EngineError::Sled(::sled::Error::Io(error)) => OpenError::io("db")(error),
        EngineError::Locked => OpenError::Locked { pid: None },
        EngineError::Fresh => OpenError::Empty { file: "db/db" },
        EngineError::Sled(_)
        | EngineError::Panicked(_)
        | EngineError::Foreign
        | EngineError::Closed => OpenError::Unreadable {
            detail: error.detail(),
        },
    }
}
