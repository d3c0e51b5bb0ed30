//! A run of blocks in a file.
//!
//! ```text
//! header   16 "LUZHANG BLOCKS 1", 16 ledger id, and of the block before the first:
//!           8 position of its last event, 8 height, 8 epoch, 8 recorded at,
//!          32 hash of its last event, 32 block hash
//! entries   4 length of the value, 8 tag, then the value as a data directory has it
//! end       4 zero, 8 events, 8 blocks, 32 chain head, 32 block hash,
//!          32 BLAKE3 of everything before
//! ```
//!
//! The last file of a shelf may be open: it has no end yet.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use uuid::Uuid;

use super::{RUNS, error::ShelfFault, manifest::RunEntry};
use crate::{
    block::{self, BlockView, Head, MAX_BLOCK},
    hash::Hash,
    position::{LedgerId, Position},
};

const MAGIC: [u8; 16] = *b"LUZHANG BLOCKS 1";
const ENTRY_CONTEXT: &str = "luzhang 2026 shelf entry v1";
/// Bytes of an entry before its value.
const ENTRY_HEADER: usize = 12;
/// Bytes from the end mark of a sealed run to the end of its file.
pub(super) const END: u64 = 116;
/// The longest value: a block as it is, and the byte that says so.
const MAX_VALUE: usize = MAX_BLOCK + 1;

/// The ledger that the header of a run names, if that is one.
pub(super) fn ledger_in(root: &Path, name: &str) -> Result<Option<LedgerId>, ShelfFault> {
    let mut header = Vec::new();
    File::open(root.join(name))
        .and_then(|file| file.take(32).read_to_end(&mut header))
        .map_err(|error| ShelfFault::io(name, error))?;
    let id = header
        .strip_prefix(&MAGIC)
        .and_then(|id| id.try_into().ok());
    Ok(id.map(|id| LedgerId::new(Uuid::from_bytes(id))))
}

/// The name of the run that begins here, relative to the shelf.
pub(super) fn name(first: Position) -> String {
    format!("{RUNS}/{:020}.run", first.number())
}

/// The header of the run that comes after this head.
pub(super) fn header(ledger: LedgerId, before: &Head) -> Vec<u8> {
    let position = before.position.map_or(0, Position::number);
    let mut bytes = Vec::with_capacity(128);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(ledger.as_bytes());
    bytes.extend_from_slice(&position.to_le_bytes());
    bytes.extend_from_slice(&before.height.to_le_bytes());
    bytes.extend_from_slice(&before.epoch.to_le_bytes());
    bytes.extend_from_slice(&before.recorded_at.to_le_bytes());
    bytes.extend_from_slice(before.chain.as_bytes());
    bytes.extend_from_slice(before.block.as_bytes());
    bytes
}

/// A block as an entry.
pub(super) fn entry(block: &[u8]) -> Vec<u8> {
    let value = block::to_stored(block);
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = Vec::with_capacity(value.len().saturating_add(ENTRY_HEADER));
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&tag(length, &value));
    bytes.extend_from_slice(&value);
    bytes
}

fn tag(length: [u8; 4], value: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new_derive_key(ENTRY_CONTEXT);
    hasher.update(&length);
    hasher.update(value);
    let mut tag = [0; 8];
    hasher.finalize_xof().fill(&mut tag);
    tag
}

/// The end of a sealed run, without its checksum.
pub(super) fn end(before: &Head, after: &Head) -> Vec<u8> {
    let at = |head: &Head| head.position.map_or(0, Position::number);
    let events = at(after).saturating_sub(at(before));
    let blocks = after.height.saturating_sub(before.height);
    let mut bytes = Vec::with_capacity(116);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&events.to_le_bytes());
    bytes.extend_from_slice(&blocks.to_le_bytes());
    bytes.extend_from_slice(after.chain.as_bytes());
    bytes.extend_from_slice(after.block.as_bytes());
    bytes
}

/// A block, and where its entry is.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) block: Vec<u8>,
    pub(super) offset: u64,
}

/// A run that is read from front to back, and checked against its bytes' own sums and
/// against what the manifest says.
#[derive(Debug)]
pub(super) struct OpenRun<R> {
    input: io::Take<BufReader<R>>,
    hasher: blake3::Hasher,
    offset: u64,
    entry: RunEntry,
    before: Head,
    /// The head after the last block that was read, as that block states it.
    head: Head,
    /// The length of the file.
    length: u64,
    ended: bool,
}

impl OpenRun<File> {
    /// Opens a run and checks its header.
    pub(super) fn open(
        root: &Path,
        ledger: LedgerId,
        before: Head,
        entry: &RunEntry,
    ) -> Result<Self, ShelfFault> {
        let failed = |error: io::Error| {
            if error.kind() != io::ErrorKind::NotFound {
                return ShelfFault::io(&entry.name, error);
            }
            ShelfFault::Missing {
                file: entry.name.clone(),
                first: entry.first,
                last: entry.last(),
            }
        };
        let file = File::open(root.join(&entry.name)).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        Self::over(file, meta.len(), ledger, before, entry)
    }
}

impl<R: Read> OpenRun<R> {
    /// The same for a run that is at hand, of so many bytes.
    pub(super) fn over(
        input: R,
        length: u64,
        ledger: LedgerId,
        before: Head,
        entry: &RunEntry,
    ) -> Result<Self, ShelfFault> {
        let mut run = Self {
            input: BufReader::with_capacity(256 * 1024, input).take(entry.bytes),
            hasher: blake3::Hasher::new(),
            offset: 0,
            entry: entry.clone(),
            before,
            head: before,
            length,
            ended: false,
        };
        run.expect(&header(ledger, &before), "its header is another")?;
        Ok(run)
    }

    /// The length of the file, which may be more than the manifest says.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The head after what was read.
    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// The BLAKE3 of what was read, to go on with.
    pub(super) fn into_hasher(self) -> blake3::Hasher {
        self.hasher
    }

    fn advance(&mut self) -> Result<Option<Placed>, ShelfFault> {
        if self.offset == self.entry.bytes && !self.entry.sealed {
            return self.end().map(|()| None);
        }
        let offset = self.offset;
        let length: [u8; 4] = self.take()?;
        if length == [0; 4] && self.entry.sealed {
            return self.sealed_end(offset).map(|()| None);
        }
        let size = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if !(2..=MAX_VALUE).contains(&size) {
            return Err(self.changed(offset, "no block has such a length"));
        }
        let stated: [u8; 8] = self.take()?;
        let mut value = Vec::with_capacity(size);
        self.append_to(&mut value, size)?;
        if value.len() < size {
            // More than the manifest says that there is, or than there is.
            return Err(self.cut(offset, "its length leads beyond the end"));
        }
        if tag(length, &value) != stated {
            return Err(self.changed(offset, "the block's checksum does not match"));
        }
        let block = match block::from_stored(&value) {
            Ok(block) => block,
            Err(error) => return Err(self.changed(offset, &error.to_string())),
        };
        match BlockView::parse(&block) {
            Ok(view) => self.head = view.head(),
            Err(error) => return Err(self.changed(offset, &error.to_string())),
        }
        Ok(Some(Placed { block, offset }))
    }

    /// The end of a sealed run, after its mark.
    fn sealed_end(&mut self, offset: u64) -> Result<(), ShelfFault> {
        let expected = end(&self.before, &self.head);
        let rest = expected.get(4..).unwrap_or_default().to_vec();
        if self.entry.bytes.saturating_sub(offset) > END {
            return Err(self.changed(offset, "the length of a block was changed to zero"));
        }
        self.expect(&rest, "its end does not describe what is before it")?;
        let checksum = *self.hasher.finalize().as_bytes();
        self.expect(&checksum, "its checksum does not match")?;
        if self.length > self.entry.bytes {
            return Err(self.changed(self.entry.bytes, "there are bytes after its end"));
        }
        self.end()
    }

    /// The run was read: whether the manifest says so, too.
    fn end(&self) -> Result<(), ShelfFault> {
        let untrue = |what: &str| {
            Err(ShelfFault::Untrue {
                what: format!("{what} of {}", self.entry.name),
            })
        };
        if self.offset != self.entry.bytes {
            return untrue("the length");
        }
        if Hash::from_bytes(*self.hasher.finalize().as_bytes()) != self.entry.blake3 {
            return untrue("the BLAKE3");
        }
        let blocks = self.head.height.saturating_sub(self.before.height);
        if self.head != self.entry.after || blocks != self.entry.blocks {
            return untrue("the last block");
        }
        Ok(())
    }

    /// Reads bytes that can only be these.
    fn expect(&mut self, expected: &[u8], detail: &str) -> Result<(), ShelfFault> {
        let start = self.offset;
        let mut found = Vec::with_capacity(expected.len());
        self.append_to(&mut found, expected.len())?;
        let differs = found.iter().zip(expected).position(|(a, b)| a != b);
        if let Some(at) = differs {
            let at = u64::try_from(at).unwrap_or(0);
            return Err(self.changed(start.saturating_add(at), detail));
        }
        if found.len() < expected.len() {
            return Err(self.cut(start, detail));
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ShelfFault> {
        let start = self.offset;
        let mut bytes = Vec::with_capacity(N);
        self.append_to(&mut bytes, N)?;
        bytes
            .try_into()
            .map_err(|_| self.cut(start, "it ends inside an entry"))
    }

    fn append_to(&mut self, bytes: &mut Vec<u8>, length: usize) -> Result<(), ShelfFault> {
        let before = bytes.len();
        let limit = u64::try_from(length).unwrap_or(u64::MAX);
        let read = self.input.by_ref().take(limit).read_to_end(bytes);
        let read = read.map_err(|error| ShelfFault::io(&self.entry.name, error))?;
        self.hasher.update(bytes.get(before..).unwrap_or_default());
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        self.offset = self.offset.saturating_add(read);
        Ok(())
    }

    /// Bytes are missing: of the file, or only of what the manifest says of it.
    fn cut(&self, offset: u64, detail: &str) -> ShelfFault {
        if self.length < self.entry.bytes {
            return ShelfFault::Short {
                file: self.entry.name.clone(),
                bytes: self.length,
                stated: self.entry.bytes,
                position: self.head.next_position(),
            };
        }
        self.changed(offset, detail)
    }

    fn changed(&self, offset: u64, detail: &str) -> ShelfFault {
        ShelfFault::Changed {
            file: self.entry.name.clone(),
            offset,
            position: self.head.next_position(),
            detail: detail.to_owned(),
        }
    }
}

impl<R: Read> Iterator for OpenRun<R> {
    type Item = Result<Placed, ShelfFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let advanced = self.advance().transpose();
        self.ended = !matches!(advanced, Some(Ok(_)));
        advanced
    }
}
