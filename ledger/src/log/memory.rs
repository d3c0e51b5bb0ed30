//! The adapter for tests: blocks in memory, and faults on demand.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use thiserror::Error;

use super::{
    AppendError, Fault, Log, ReadError, Reader, continuity,
    keyed::{KeyedReader, Shelf},
};
use crate::{
    block::{self, Head, SealedBlock},
    position::{LedgerId, Position},
};

/// How an append fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing reached storage.
    BeforeStored,
    /// The blocks are stored, but the caller is told of a fault.
    AfterStored,
}

/// Another writer is open.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the memory log is open for writing already")]
pub struct AlreadyOpen;

/// What stays when a [`MemoryLog`] is closed: the disk, so to speak.
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<RwLock<Stored>>);

#[derive(Debug)]
struct Stored {
    blocks: BTreeMap<u64, Arc<[u8]>>,
    head: Head,
    open: bool,
    failure: Option<Failure>,
}

impl MemoryStore {
    /// An empty store for this ledger.
    pub fn new(ledger: LedgerId) -> Self {
        Self(Arc::new(RwLock::new(Stored {
            blocks: BTreeMap::new(),
            head: Head::genesis(ledger),
            open: false,
            failure: None,
        })))
    }

    /// Opens the store for writing.
    pub fn open(&self) -> Result<MemoryLog, AlreadyOpen> {
        let mut stored = self.write();
        if stored.open {
            return Err(AlreadyOpen);
        }
        stored.open = true;
        let head = stored.head;
        drop(stored);
        let end = head.position.map_or(0, Position::number);
        Ok(MemoryLog {
            store: self.clone(),
            head,
            end: Arc::new(AtomicU64::new(end)),
            poisoned: false,
        })
    }

    /// Makes the next append fail; the log that answered it takes no more.
    pub fn fail_next(&self, failure: Failure) {
        self.write().failure = Some(failure);
    }

    // A panic elsewhere leaves nothing half done in here.
    fn read(&self) -> RwLockReadGuard<'_, Stored> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Stored> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A log in memory.
#[derive(Debug)]
pub struct MemoryLog {
    store: MemoryStore,
    head: Head,
    end: Arc<AtomicU64>,
    poisoned: bool,
}

impl Log for MemoryLog {
    fn head(&self) -> Head {
        self.head
    }

    fn append(&mut self, blocks: &[SealedBlock]) -> Result<(), AppendError> {
        if self.poisoned {
            return Err(Fault::Poisoned.into());
        }
        let head = continuity::check(&self.head, blocks)?;
        let mut stored = self.store.write();
        let failure = stored.failure.take();
        if failure != Some(Failure::BeforeStored) {
            for block in blocks {
                let value = block::to_stored(&block.bytes).into();
                stored.blocks.insert(block.first.number(), value);
            }
            stored.head = head;
        }
        drop(stored);
        if failure.is_some() {
            self.poisoned = true;
            return Err(Fault::Database {
                detail: "a test asked for this fault".to_owned(),
            }
            .into());
        }
        self.head = head;
        let end = head.position.map_or(0, Position::number);
        self.end.store(end, Ordering::Release);
        Ok(())
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(KeyedReader(Arc::new(MemoryShelf {
            store: self.store.clone(),
            end: Arc::clone(&self.end),
        })))
    }

    fn close(self: Box<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

impl Drop for MemoryLog {
    fn drop(&mut self) {
        self.store.write().open = false;
    }
}

#[derive(Debug)]
struct MemoryShelf {
    store: MemoryStore,
    end: Arc<AtomicU64>,
}

impl Shelf for MemoryShelf {
    type Value = Arc<[u8]>;

    fn at_or_before(&self, key: u64) -> Result<Option<(u64, Arc<[u8]>)>, ReadError> {
        let stored = self.store.read();
        let entry = stored.blocks.range(..=key).next_back();
        Ok(entry.map(|(key, value)| (*key, Arc::clone(value))))
    }

    fn at_or_after(&self, key: u64) -> Result<Option<(u64, Arc<[u8]>)>, ReadError> {
        let stored = self.store.read();
        let entry = stored.blocks.range(key..).next();
        Ok(entry.map(|(key, value)| (*key, Arc::clone(value))))
    }

    fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }
}
