//! The file of a snapshot:
//!
//! ```text
//!   0  16  "luzhang snap v2\0"         pieces, one after the other
//!  16   …  header, see `Header`        what is said of each, see `Piece`
//!   …  12  pieces, bytes of them
//!   …  32  BLAKE3 of what is said
//!   …  32  keyed hash of all of the above, under a key of the vault
//! ```
//!
//! So every byte is checked, and nobody without the ledger's keys can make one. Pieces
//! are zstd frames: that halves the file, and they are read on all cores.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

use luzhang_ledger::{Hash, Position, block::Head};
use luzhang_projections::snapshot::{Record, Sink, Source};
use zstd::bulk::Compressor;

use super::Unusable;
use crate::vault::Vault;

const MAGIC: &[u8; 16] = b"luzhang snap v2\0";
/// With this and something else begin those of other versions.
const NAME: &[u8; 12] = b"luzhang snap";

/// What a snapshot is of.
pub(super) struct Header {
    /// The layout of its pieces.
    pub(super) layout: [u8; 32],
    pub(super) ledger: [u8; 16],
    /// The block with its last event.
    pub(super) head: Head,
    /// How many erasures there were.
    pub(super) erasures: u64,
}

/// Bytes before the pieces.
const LENGTH: usize = 16 + (32 + 16 + 8 + 32 + 32 + 8 + 8 + 8 + 8) + 12 + 32 + 32;
/// The keyed hash at their end.
const MAC: usize = 32;
/// Written bytes go to the disk a few MiB at a time: a file system that had hundreds
/// of them to write at once would let the log's own `fdatasync` wait for them.
const SYNC_AFTER: u64 = 8 << 20;
/// Bytes that the file says of a piece.
const ENTRY: usize = 4 + 4 + 32;
/// Higher ones gain a twentieth, and take twice as long.
const LEVEL: i32 = 1;

impl Header {
    fn put(&self, bytes: &mut Vec<u8>) {
        let Self {
            layout,
            ledger,
            head,
            erasures,
        } = self;
        let Head {
            position,
            chain,
            block,
            height,
            epoch,
            recorded_at,
        } = head;
        layout.put(bytes);
        ledger.put(bytes);
        position.map_or(0, Position::number).put(bytes);
        chain.put(bytes);
        block.put(bytes);
        height.put(bytes);
        epoch.put(bytes);
        recorded_at.put(bytes);
        erasures.put(bytes);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self {
            layout: Record::take(bytes)?,
            ledger: Record::take(bytes)?,
            head: Head {
                position: Position::new(Record::take(bytes)?),
                chain: Hash::take(bytes)?,
                block: Hash::take(bytes)?,
                height: Record::take(bytes)?,
                epoch: Record::take(bytes)?,
                recorded_at: Record::take(bytes)?,
            },
            erasures: Record::take(bytes)?,
        })
    }
}

/// A snapshot that is being written.
pub(super) struct NewFile<'a> {
    file: File,
    compressor: Compressor<'static>,
    entries: Vec<u8>,
    pieces: u32,
    bytes: u64,
    /// Of those, not yet on the disk.
    loose: u64,
    go_on: &'a dyn Fn() -> bool,
}

impl<'a> NewFile<'a> {
    pub(super) fn create(path: &Path, go_on: &'a dyn Fn() -> bool) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        // The header is known when everything else is.
        file.write_all(&[0; LENGTH])?;
        Ok(Self {
            file,
            compressor: Compressor::new(LEVEL)?,
            entries: Vec::new(),
            pieces: 0,
            bytes: 0,
            loose: 0,
            go_on,
        })
    }

    /// Completes it, and makes it durable. Returns its length.
    pub(super) fn finish(mut self, header: &Header, vault: &Vault) -> io::Result<u64> {
        self.file.write_all(&self.entries)?;
        let mut first = Vec::with_capacity(LENGTH);
        first.extend_from_slice(MAGIC);
        header.put(&mut first);
        self.pieces.put(&mut first);
        self.bytes.put(&mut first);
        blake3::hash(&self.entries).as_bytes().put(&mut first);
        let mac = vault.mark_snapshot(&first);
        mac.put(&mut first);
        debug_assert_eq!(first.len(), LENGTH);
        self.file.write_all_at(&first, 0)?;
        self.file.sync_all()?;
        Ok(self.file.metadata()?.len())
    }
}

impl Sink for NewFile<'_> {
    fn piece(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !(self.go_on)() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let frame = self.compressor.compress(bytes)?;
        // What is too long for a length would not be read back.
        let length = |bytes: &[u8]| u32::try_from(bytes.len());
        let too_long = |_| io::ErrorKind::FileTooLarge;
        let content = length(bytes).map_err(too_long)?;
        let length = length(&frame).map_err(too_long)?;
        self.file.write_all(&frame)?;
        length.put(&mut self.entries);
        content.put(&mut self.entries);
        blake3::hash(&frame).as_bytes().put(&mut self.entries);
        self.pieces = self.pieces.saturating_add(1);
        self.bytes = self.bytes.saturating_add(length.into());
        self.loose = self.loose.saturating_add(length.into());
        if self.loose >= SYNC_AFTER {
            self.file.sync_data()?;
            self.loose = 0;
        }
        Ok(())
    }
}

/// A snapshot that is there. Its header was checked, each piece is when it is read.
pub(super) struct Kept {
    file: File,
    header: Header,
    pieces: Vec<Piece>,
}

/// What is said of a piece: the bytes of its frame, those of its content, and the BLAKE3
/// of the frame. Where it is follows from those before it.
struct Piece {
    at: u64,
    length: u32,
    content: u32,
    hash: [u8; 32],
}

impl Kept {
    pub(super) fn open(path: &Path, vault: &Vault) -> Result<Self, Unusable> {
        let file = File::open(path)?;
        let mut first = vec![0; LENGTH];
        file.read_exact_at(&mut first, 0)?;
        if first.starts_with(NAME) && !first.starts_with(MAGIC) {
            return Err(Unusable::Version);
        }
        let (said, mac) = first.split_at(LENGTH - MAC);
        // Of equal time for all, as it is with every hash of the crate.
        if blake3::Hash::from_bytes(vault.mark_snapshot(said)) != *mac {
            return Err(Unusable::Damaged);
        }
        let mut rest = said.strip_prefix(MAGIC).ok_or(Unusable::Damaged)?;
        let (header, count, bytes, entries_hash) =
            take_first(&mut rest).ok_or(Unusable::Damaged)?;
        let after = (LENGTH as u64).saturating_add(bytes);
        let left = file.metadata()?.len().checked_sub(after);
        let entries = usize::try_from(count)
            .ok()
            .and_then(|count| count.checked_mul(ENTRY))
            .filter(|entries| Some(*entries as u64) == left);
        let mut entries = vec![0; entries.ok_or(Unusable::Damaged)?];
        file.read_exact_at(&mut entries, after)?;
        if *blake3::hash(&entries).as_bytes() != entries_hash {
            return Err(Unusable::Damaged);
        }
        Ok(Self {
            file,
            header,
            pieces: pieces(&entries, after).ok_or(Unusable::Damaged)?,
        })
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }
}

fn take_first(rest: &mut &[u8]) -> Option<(Header, u32, u64, [u8; 32])> {
    Some((
        Header::take(rest)?,
        Record::take(rest)?,
        Record::take(rest)?,
        Record::take(rest)?,
    ))
}

/// Where each piece is; together they end at `end`.
fn pieces(mut entries: &[u8], end: u64) -> Option<Vec<Piece>> {
    let mut at = LENGTH as u64;
    let mut pieces = Vec::with_capacity(entries.len() / ENTRY);
    while !entries.is_empty() {
        let length = u32::take(&mut entries)?;
        let content = u32::take(&mut entries)?;
        let hash = Record::take(&mut entries)?;
        pieces.push(Piece {
            at,
            length,
            content,
            hash,
        });
        at = at.checked_add(length.into())?;
    }
    (at == end).then_some(pieces)
}

impl Source for Kept {
    fn pieces(&self) -> u32 {
        u32::try_from(self.pieces.len()).unwrap_or(u32::MAX)
    }

    fn piece(&self, number: u32) -> io::Result<Vec<u8>> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a piece is damaged");
        let number = usize::try_from(number).map_err(|_| damaged())?;
        let piece = self.pieces.get(number).ok_or_else(damaged)?;
        let mut bytes = vec![0; usize::try_from(piece.length).map_err(|_| damaged())?];
        self.file.read_exact_at(&mut bytes, piece.at)?;
        if *blake3::hash(&bytes).as_bytes() != piece.hash {
            return Err(damaged());
        }
        let content = usize::try_from(piece.content).map_err(|_| damaged())?;
        zstd::bulk::decompress(&bytes, content)
    }
}
