//! The log: where blocks live, and what an adapter promises.
//!
//! # The contract
//!
//! A log is one chain of blocks. It starts at the genesis head of its ledger
//! and only ever grows.
//!
//! - **Compare and append.** [`Log::append`] takes blocks that continue each
//!   other, the first of them continuing the log's head. If the head is another
//!   one, nothing is written and the answer is [`AppendError::HeadMoved`].
//! - **All or nothing.** The blocks of one call become visible together or not
//!   at all, also across a crash.
//! - **Durable before it returns.** When `append` returns `Ok`, the blocks
//!   survive the death of the process and a power cut.
//! - **A fault is final.** After [`AppendError::Fault`] the caller must assume
//!   nothing: the blocks may or may not be there. The adapter answers every
//!   later append with a fault too; the truth is read after a new open.
//! - **Readers never see more than was appended**, and may run beside the
//!   writer. A reader returns the stored bytes; whoever reads checks hashes.
//! - **One writer.** An adapter refuses a second open for writing. Where that cannot
//!   be known for certain, a later writer *fences* the earlier one: from then on its
//!   appends are refused ([`AppendError::Fenced`]).
//!
//! ```text
//!   sequencer ──append(blocks)──▶ Log ──┬── memory       (tests)
//!                                       ├── sled         (the default)
//!                                       └── PostgreSQL   (several machines; in the server)
//!   verify, rebuild, queries ──▶ Reader ┘
//! ```
//!
//! [`conformance`] is this contract as executable checks; every adapter passes
//! it.

pub mod backup;
pub mod conformance;
pub mod continuity;
pub mod copy;
pub mod keyed;
pub mod memory;
pub mod sled;
pub mod storage;
pub mod tiles;

use std::{fmt::Debug, io, sync::Arc};

use thiserror::Error;

use crate::{
    block::{Head, SealedBlock},
    position::Position,
};

/// The writing end of a log.
pub trait Log: Debug + Send {
    /// The durable end of the chain.
    fn head(&self) -> Head;

    /// Appends blocks atomically and durably; see the contract.
    fn append(&mut self, blocks: &[SealedBlock]) -> Result<(), AppendError>;

    /// A reader that may be used from other threads, beside this writer.
    fn reader(&self) -> Arc<dyn Reader>;

    /// Closes in order: everything witnessed, the lock released.
    fn close(self: Box<Self>) -> Result<(), Fault>;
}

/// The reading end of a log.
pub trait Reader: Debug + Send + Sync {
    /// The block that holds `position`; `None` if the log ends before it.
    fn block_with(&self, position: Position) -> Result<Option<Vec<u8>>, ReadError>;

    /// Blocks in order, from the one that holds `position` on. After an error
    /// the iterator may go on with the next block.
    fn blocks_from(&self, position: Position) -> Blocks<'_>;
}

/// Blocks in order.
pub type Blocks<'a> = Box<dyn Iterator<Item = Result<Vec<u8>, ReadError>> + Send + 'a>;

/// Why an append did not happen, or may not have.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The log's head is not the one that the blocks continue.
    #[error("the log's head moved: blocks continue {expected:?}, the log is at {found:?}")]
    HeadMoved {
        /// The head that the blocks continue.
        expected: Box<Head>,
        /// The log's head.
        found: Box<Head>,
    },
    /// Another writer has taken over.
    #[error("{writer} has taken over the log, in epoch {epoch}")]
    Fenced {
        /// Its epoch.
        epoch: u64,
        /// Who, in its own words.
        writer: String,
    },
    /// The blocks do not continue each other, or there are none.
    #[error("the blocks handed over do not continue each other")]
    Broken,
    /// Storage failed; the outcome is unknown and the log takes no more.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Storage failed.
#[derive(Debug, Error)]
pub enum Fault {
    /// An earlier append failed; only a new open can tell what is stored.
    #[error("the log stopped after an earlier storage failure; restart to read what is stored")]
    Poisoned,
    /// The disk is full.
    #[error("the disk is full: free some space, then restart")]
    DiskFull,
    /// The operating system said no.
    #[error("storage failed: {0}")]
    Io(#[from] io::Error),
    /// The database said no.
    #[error("the database failed: {detail}")]
    Database {
        /// What it said.
        detail: String,
    },
}

/// Why a block could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The stored value under this key is not a block.
    #[error("the block stored for position {first} is damaged: {detail}")]
    Damaged {
        /// The key: the position of the block's first event.
        first: u64,
        /// What is wrong.
        detail: String,
    },
    /// Storage failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}
