//! Blocks: what one group commit makes durable.
//!
//! A block is a header, the events as frames, and the block's own hash.
//! FORMAT.md specifies it byte by byte; this file is its only reader and writer.
//!
//! ```text
//!   0  1  version, 1            40 32  hash of the previous block
//!   1  1  algorithm, 1=BLAKE3   72 32  chain hash before the first event
//!   2  2  zero                 104 32  chain hash after the last event
//!   4  4  count                136  4  length of the frames
//!   8  8  height, from 1       140  …  frames: 4 length, 8 tag, event bytes
//!  16  8  first position         …  32  block hash
//!  24  8  epoch
//!  32  8  recorded at, µs       integers are little-endian
//! ```

use std::cell::RefCell;

use thiserror::Error;
use zstd::bulk::Compressor;

use crate::{
    codec,
    event::Event,
    hash::{self, ChainHasher, Hash},
    position::{LedgerId, Position},
};

/// The version of this layout.
pub const VERSION: u8 = 1;
/// BLAKE3, the only algorithm of version 1.
pub const ALGORITHM_BLAKE3: u8 = 1;
/// Bytes before the frames.
pub const HEADER_LEN: usize = 140;
/// Bytes of the block hash at the end.
pub const HASH_LEN: usize = 32;
/// Bytes of a frame before its event.
pub const FRAME_HEADER_LEN: usize = 12;
/// The most bytes a block may have, so that sled keeps it inside its log: a
/// value of more than a quarter segment goes to a file that is never synced.
pub const MAX_BLOCK: usize = 120 * 1024;
/// The most bytes of one event.
pub const MAX_EVENT: usize = MAX_BLOCK - HEADER_LEN - HASH_LEN - FRAME_HEADER_LEN;

/// The end of a chain of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Position of the last event; `None` before the first.
    pub position: Option<Position>,
    /// Hash of the last event.
    pub chain: Hash,
    /// Hash of the last block.
    pub block: Hash,
    /// Number of blocks.
    pub height: u64,
    /// Epoch of the last block's writer.
    pub epoch: u64,
    /// When the last event was recorded, UTC microseconds.
    pub recorded_at: i64,
}

impl Head {
    /// The head of a ledger without events.
    pub fn genesis(ledger: LedgerId) -> Self {
        let hash = Hash::genesis(ledger);
        Self {
            position: None,
            chain: hash,
            block: hash,
            height: 0,
            epoch: 0,
            recorded_at: 0,
        }
    }

    /// Where the next event goes.
    pub fn next_position(&self) -> Position {
        self.position.map_or(Position::FIRST, Position::next)
    }
}

/// Why bytes are not a block.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BlockError {
    /// Shorter than its own header says.
    #[error("the block is cut short")]
    Short,
    /// Written by a later version.
    #[error("the block has version {0}; this program reads version 1")]
    Version(u8),
    /// An algorithm that this version does not know.
    #[error("the block has hash algorithm {0}; this program knows 1 (BLAKE3)")]
    Algorithm(u8),
    /// Bytes left over, a reserved byte set, or counts that do not add up.
    #[error("the block's lengths and counts contradict each other")]
    Shape,
    /// Larger than any writer of this format makes one.
    #[error("the block is larger than {MAX_BLOCK} bytes")]
    TooLarge,
}

/// An event of more than [`MAX_EVENT`] bytes.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the event has {len} bytes; the most that fits a block is {MAX_EVENT}")]
pub struct EventTooLarge {
    /// Its length in bytes.
    pub len: usize,
}

/// A finished block.
#[derive(Clone, Debug)]
pub struct SealedBlock {
    /// The head that this block continues.
    pub predecessor: Head,
    /// The head after it.
    pub head: Head,
    /// Position of its first event.
    pub first: Position,
    /// The whole block, hash included.
    pub bytes: Vec<u8>,
    /// The hashes of its events, in order: leaves for the tree.
    pub events: Vec<Hash>,
}

impl SealedBlock {
    /// A block that was sealed before and is to be appended somewhere else. `None`
    /// if it does not continue `predecessor`, or one of its hashes does not hold.
    pub fn read(predecessor: Head, bytes: Vec<u8>) -> Option<Self> {
        let view = BlockView::parse(&bytes).ok()?;
        let mut hasher = ChainHasher::default();
        let mut chain = view.chain_before;
        let mut events = Vec::new();
        for frame in view.frames() {
            let frame = frame.ok()?;
            chain = hasher.event(chain, frame.event);
            if chain.tag() != frame.tag {
                return None;
            }
            events.push(chain);
        }
        let (head, first) = (view.head(), view.first);
        let continues = first == predecessor.next_position()
            && view.height == predecessor.height.saturating_add(1)
            && view.previous_block == predecessor.block
            && view.chain_before == predecessor.chain;
        let holds = chain == view.chain_after && view.computed_hash() == view.block;
        (continues && holds).then_some(Self {
            predecessor,
            head,
            first,
            bytes,
            events,
        })
    }
}

/// Collects events into one block.
#[derive(Debug)]
pub struct BlockBuilder {
    predecessor: Head,
    epoch: u64,
    hasher: ChainHasher,
    chain: Hash,
    next: Position,
    count: u32,
    recorded_at: i64,
    bytes: Vec<u8>,
    events: Vec<Hash>,
}

impl BlockBuilder {
    /// An empty block that continues `predecessor`.
    pub fn new(predecessor: Head, epoch: u64) -> Self {
        Self {
            predecessor,
            epoch,
            hasher: ChainHasher::default(),
            chain: predecessor.chain,
            next: predecessor.next_position(),
            count: 0,
            recorded_at: predecessor.recorded_at,
            bytes: empty_block(),
            events: Vec::new(),
        }
    }

    /// Where the next event goes.
    pub fn next_position(&self) -> Position {
        self.next
    }

    /// The hash of the last event so far.
    pub fn chain(&self) -> Hash {
        self.chain
    }

    /// Whether nothing was pushed yet.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Encodes an event into the block and returns its hash. `None` if the
    /// block has no room for it: seal this block and push to a new one.
    ///
    /// # Errors
    /// [`EventTooLarge`] if no block could hold it.
    pub fn push(&mut self, event: &Event) -> Result<Option<Hash>, EventTooLarge> {
        self.frame(event.header.recorded_at, |bytes| {
            codec::encode(event, bytes);
        })
    }

    /// The same for an event that was stored before: its bytes are taken as they are.
    ///
    /// # Errors
    /// [`EventTooLarge`] if no block could hold it.
    pub fn push_stored(&mut self, event: &[u8]) -> Result<Option<Hash>, EventTooLarge> {
        let recorded_at = codec::recorded_at_of(event).unwrap_or(0);
        self.frame(recorded_at, |bytes| bytes.extend_from_slice(event))
    }

    fn frame(
        &mut self,
        recorded_at: i64,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Option<Hash>, EventTooLarge> {
        let frame = self.bytes.len();
        self.bytes.extend_from_slice(&[0; FRAME_HEADER_LEN]);
        let start = self.bytes.len();
        write(&mut self.bytes);
        let len = self.bytes.len().saturating_sub(start);
        if len > MAX_EVENT {
            self.bytes.truncate(frame);
            return Err(EventTooLarge { len });
        }
        if self.bytes.len().saturating_add(HASH_LEN) > MAX_BLOCK {
            self.bytes.truncate(frame);
            return Ok(None);
        }
        let (head, body) = self.bytes.split_at_mut(start);
        let hash = self.hasher.event(self.chain, body);
        let length = u32::try_from(len).map_err(|_| EventTooLarge { len })?;
        if let Some(header) = head.last_chunk_mut::<FRAME_HEADER_LEN>() {
            let (length_bytes, tag) = header.split_at_mut(4);
            length_bytes.copy_from_slice(&length.to_le_bytes());
            tag.copy_from_slice(&hash.tag());
        }
        self.chain = hash;
        self.events.push(hash);
        self.next = self.next.next();
        self.count = self.count.saturating_add(1);
        self.recorded_at = recorded_at;
        Ok(Some(hash))
    }

    /// Finishes the block and begins the next one, which continues it.
    pub fn seal(&mut self) -> SealedBlock {
        let frames = self.bytes.len().saturating_sub(HEADER_LEN);
        let height = self.predecessor.height.saturating_add(1);
        let first = self.predecessor.next_position();
        let mut header = Vec::with_capacity(HEADER_LEN);
        header.extend_from_slice(&[VERSION, ALGORITHM_BLAKE3, 0, 0]);
        header.extend_from_slice(&self.count.to_le_bytes());
        header.extend_from_slice(&height.to_le_bytes());
        header.extend_from_slice(&first.number().to_le_bytes());
        header.extend_from_slice(&self.epoch.to_le_bytes());
        header.extend_from_slice(&self.recorded_at.to_le_bytes());
        header.extend_from_slice(self.predecessor.block.as_bytes());
        header.extend_from_slice(self.predecessor.chain.as_bytes());
        header.extend_from_slice(self.chain.as_bytes());
        // At most MAX_BLOCK, which fits easily.
        header.extend_from_slice(&u32::try_from(frames).unwrap_or(u32::MAX).to_le_bytes());
        for (byte, value) in self.bytes.iter_mut().zip(header) {
            *byte = value;
        }
        let block = hash::block(&self.bytes);
        self.bytes.extend_from_slice(block.as_bytes());
        let position = self
            .predecessor
            .position
            .map_or(0, Position::number)
            .saturating_add(u64::from(self.count));
        let head = Head {
            position: Position::new(position),
            chain: self.chain,
            block,
            height,
            epoch: self.epoch,
            recorded_at: self.recorded_at,
        };
        self.count = 0;
        SealedBlock {
            predecessor: std::mem::replace(&mut self.predecessor, head),
            head,
            first,
            bytes: std::mem::replace(&mut self.bytes, empty_block()),
            events: std::mem::take(&mut self.events),
        }
    }
}

/// Room for a header, and for what one group commit usually brings.
fn empty_block() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16 * 1024);
    bytes.resize(HEADER_LEN, 0);
    bytes
}

/// A block as it was read: lengths are checked, hashes are not.
#[derive(Clone, Copy, Debug)]
pub struct BlockView<'a> {
    /// Number of events; at least 1.
    pub count: u32,
    /// From 1.
    pub height: u64,
    /// Position of the first event.
    pub first: Position,
    /// Epoch of the writer.
    pub epoch: u64,
    /// When the last event was recorded.
    pub recorded_at: i64,
    /// Hash of the previous block.
    pub previous_block: Hash,
    /// Chain hash before the first event.
    pub chain_before: Hash,
    /// Chain hash after the last event.
    pub chain_after: Hash,
    /// The stated hash of this block.
    pub block: Hash,
    frames: &'a [u8],
    hashed: &'a [u8],
}

/// One event in a block.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its place.
    pub position: Position,
    /// The first eight bytes of its hash.
    pub tag: [u8; 8],
    /// Its stored bytes.
    pub event: &'a [u8],
}

/// Where a block's bytes stop making sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFrame {
    /// The event whose stated length is wrong; the block's first event if all
    /// lengths fit, but there are more or fewer events than the header counts.
    pub position: Position,
}

impl<'a> BlockView<'a> {
    /// Reads the header and checks lengths.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BlockError> {
        if bytes.len() > MAX_BLOCK {
            return Err(BlockError::TooLarge);
        }
        let mut reader = Bytes(bytes);
        let [version, algorithm, zero, zero_too] = reader.take()?;
        if version != VERSION {
            return Err(BlockError::Version(version));
        }
        if algorithm != ALGORITHM_BLAKE3 {
            return Err(BlockError::Algorithm(algorithm));
        }
        let count = u32::from_le_bytes(reader.take()?);
        let height = u64::from_le_bytes(reader.take()?);
        let first = u64::from_le_bytes(reader.take()?);
        let epoch = u64::from_le_bytes(reader.take()?);
        let recorded_at = i64::from_le_bytes(reader.take()?);
        let previous_block = Hash::from_bytes(reader.take()?);
        let chain_before = Hash::from_bytes(reader.take()?);
        let chain_after = Hash::from_bytes(reader.take()?);
        let frames_len = u32::from_le_bytes(reader.take()?);
        let frames_len = usize::try_from(frames_len).map_err(|_| BlockError::Shape)?;
        let (frames, rest) = reader
            .0
            .split_at_checked(frames_len)
            .ok_or(BlockError::Short)?;
        let block: [u8; HASH_LEN] = match rest.try_into() {
            Ok(hash) => hash,
            Err(_) if rest.len() < HASH_LEN => return Err(BlockError::Short),
            Err(_) => return Err(BlockError::Shape),
        };
        let (hashed, _) = bytes
            .split_at_checked(bytes.len().saturating_sub(HASH_LEN))
            .ok_or(BlockError::Short)?;
        if zero != 0 || zero_too != 0 || count == 0 || height == 0 {
            return Err(BlockError::Shape);
        }
        let first = Position::new(first).ok_or(BlockError::Shape)?;
        Ok(Self {
            count,
            height,
            first,
            epoch,
            recorded_at,
            previous_block,
            chain_before,
            chain_after,
            block: Hash::from_bytes(block),
            frames,
            hashed,
        })
    }

    /// The events, in order. Ends with an error if the frames do not hold the
    /// stated number of events exactly.
    pub fn frames(&self) -> Frames<'a> {
        Frames {
            rest: Bytes(self.frames),
            first: self.first,
            position: self.first,
            left: self.count,
            failed: false,
        }
    }

    /// Computes the block's hash anew.
    pub fn computed_hash(&self) -> Hash {
        hash::block(self.hashed)
    }

    /// The position of the last event.
    pub fn last(&self) -> Position {
        let last = self
            .first
            .number()
            .saturating_add(u64::from(self.count).saturating_sub(1));
        Position::new(last).unwrap_or(self.first)
    }

    /// The head after this block.
    pub fn head(&self) -> Head {
        Head {
            position: Some(self.last()),
            chain: self.chain_after,
            block: self.block,
            height: self.height,
            epoch: self.epoch,
            recorded_at: self.recorded_at,
        }
    }
}

/// Iterates the events of a block.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    rest: Bytes<'a>,
    first: Position,
    position: Position,
    left: u32,
    failed: bool,
}

impl<'a> Frames<'a> {
    fn frame(&mut self) -> Result<Frame<'a>, BlockError> {
        let length = u32::from_le_bytes(self.rest.take()?);
        let tag = self.rest.take()?;
        let length = usize::try_from(length).map_err(|_| BlockError::Shape)?;
        let (event, rest) = self
            .rest
            .0
            .split_at_checked(length)
            .ok_or(BlockError::Short)?;
        self.rest = Bytes(rest);
        Ok(Frame {
            position: self.position,
            tag,
            event,
        })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, BadFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let position = match (self.left, self.rest.0.is_empty()) {
            (0, true) => return None,
            (0, false) | (_, true) => self.first,
            (_, false) => {
                if let Ok(frame) = self.frame() {
                    self.left = self.left.saturating_sub(1);
                    self.position = self.position.next();
                    return Some(Ok(frame));
                }
                self.position
            }
        };
        self.failed = true;
        Some(Err(BadFrame { position }))
    }
}

#[derive(Clone, Copy, Debug)]
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BlockError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(BlockError::Short)?;
        self.0 = rest;
        Ok(*head)
    }
}

/// Why a stored value is not a block.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum StoredError {
    /// Neither raw nor zstd.
    #[error("the stored value has an unknown first byte")]
    Codec,
    /// zstd says no.
    #[error("the stored value does not decompress")]
    Compression,
    /// See [`BlockError::TooLarge`].
    #[error("the stored value states a block larger than {MAX_BLOCK} bytes")]
    TooLarge,
}

/// Blocks with at least this many bytes are compressed; below, zstd costs more
/// than it saves.
const COMPRESS_FROM: usize = 4 * 1024;

/// The value that an adapter stores for a block: a byte 0 and the block, or a
/// byte 1 and the block as one zstd frame, whichever is shorter.
pub fn to_stored(block: &[u8]) -> Vec<u8> {
    thread_local! {
        // Its memory is a MiB, and costs more to make than a small block to compress.
        static COMPRESSOR: RefCell<Option<Compressor<'static>>> =
            RefCell::new(Compressor::new(1).ok());
    }
    let compressed = COMPRESSOR.with_borrow_mut(|compressor| {
        if block.len() < COMPRESS_FROM {
            return None;
        }
        compressor.as_mut()?.compress(block).ok()
    });
    match compressed {
        Some(compressed) if compressed.len() < block.len() => prefixed(1, &compressed),
        Some(_) | None => prefixed(0, block),
    }
}

fn prefixed(codec: u8, bytes: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(bytes.len().saturating_add(1));
    stored.push(codec);
    stored.extend_from_slice(bytes);
    stored
}

/// The block of a stored value.
pub fn from_stored(stored: &[u8]) -> Result<Vec<u8>, StoredError> {
    match stored.split_first() {
        Some((0, block)) if block.len() > MAX_BLOCK => Err(StoredError::TooLarge),
        Some((0, block)) => Ok(block.to_vec()),
        Some((1, frame)) => {
            zstd::bulk::decompress(frame, MAX_BLOCK).map_err(|_| StoredError::Compression)
        }
        Some(_) | None => Err(StoredError::Codec),
    }
}
