//! How far the log had come, kept outside the database: the file `mark`.
//!
//! A database that lost its end, such as a standby that was behind when it was
//! promoted, looks like any other, only shorter. What was acknowledged here is
//! written here first, so that such a database is recognised and refused.
//!
//! The file holds two slots of 128 bytes, written in turn: whatever a power cut
//! leaves of one, the other is whole.
//!
//! ```text
//!   0 16  "luzhang mark 1", two zeros    72 32  hash of the block that ends there
//!  16 16  ledger id                     104  8  its height
//!  32  8  position of the last event    112  8  epoch of its writer
//!  40 32  hash of that event            120  8  BLAKE3 of what is before, cut
//! ```
//!
//! Integers are little-endian.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
};

use luzhang_ledger::{
    Hash, LedgerId, Position,
    block::Head,
    log::{sled::Witness, storage::sync_dir},
};

use uuid::Uuid;

use super::PostgresError;

pub(super) const FILE: &str = "mark";
const TITLE: [u8; 16] = *b"luzhang mark 1\0\0";
const SLOT: usize = 128;
const BODY: usize = SLOT - 8;

/// A point that the log had durably reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) ledger: LedgerId,
    /// The last event; 0 before the first.
    pub(super) position: u64,
    pub(super) chain: Hash,
    pub(super) block: Hash,
    pub(super) height: u64,
    pub(super) epoch: u64,
}

impl Mark {
    pub(super) fn of(ledger: LedgerId, head: &Head) -> Self {
        Self {
            ledger,
            position: head.position.map_or(0, Position::number),
            chain: head.chain,
            block: head.block,
            height: head.height,
            epoch: head.epoch,
        }
    }

    fn bytes(&self) -> [u8; SLOT] {
        let mut slot = [0; SLOT];
        let fields = TITLE
            .into_iter()
            .chain(*self.ledger.as_bytes())
            .chain(self.position.to_le_bytes())
            .chain(*self.chain.as_bytes())
            .chain(*self.block.as_bytes())
            .chain(self.height.to_le_bytes())
            .chain(self.epoch.to_le_bytes());
        for (byte, value) in slot.iter_mut().zip(fields) {
            *byte = value;
        }
        let (body, check) = slot.split_at_mut(BODY);
        check.copy_from_slice(&checksum(body));
        slot
    }

    fn parse(slot: &[u8; SLOT]) -> Option<Self> {
        let (body, check) = slot.split_at(BODY);
        if check != checksum(body) {
            return None;
        }
        let body = body.strip_prefix(&TITLE)?;
        let (ledger, body) = body.split_first_chunk::<16>()?;
        let (position, body) = body.split_first_chunk::<8>()?;
        let (chain, body) = body.split_first_chunk::<32>()?;
        let (block, body) = body.split_first_chunk::<32>()?;
        let (height, body) = body.split_first_chunk::<8>()?;
        let (epoch, _) = body.split_first_chunk::<8>()?;
        Some(Self {
            ledger: LedgerId::new(Uuid::from_bytes(*ledger)),
            position: u64::from_le_bytes(*position),
            chain: Hash::from_bytes(*chain),
            block: Hash::from_bytes(*block),
            height: u64::from_le_bytes(*height),
            epoch: u64::from_le_bytes(*epoch),
        })
    }
}

fn checksum(body: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    blake3::Hasher::new()
        .update(body)
        .finalize_xof()
        .fill(&mut check);
    check
}

/// How far the log had come, as an auditor is told it.
pub(crate) fn witness(dir: &Path, ledger: LedgerId) -> Result<Witness, PostgresError> {
    let mark = match MarkFile::open(dir)?.latest() {
        Some(mark) => mark,
        None => Mark::of(ledger, &Head::genesis(ledger)),
    };
    Ok(Witness {
        ledger: mark.ledger,
        position: Position::new(mark.position),
        chain: mark.chain,
        block: mark.block,
        height: mark.height,
    })
}

/// The open file.
#[derive(Debug)]
pub(super) struct MarkFile {
    file: File,
    latest: Option<Mark>,
    /// Where the next one goes.
    slot: u64,
}

impl MarkFile {
    /// Opens or makes the file in a data directory.
    pub(super) fn open(dir: &Path) -> Result<Self, PostgresError> {
        let failed = |error| PostgresError::Io { file: FILE, error };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join(FILE))
            .and_then(|file| {
                sync_dir(dir)?;
                Ok(file)
            })
            .map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut marks = [None, None];
        for (place, mark) in (0_u64..).zip(&mut marks) {
            let mut slot = [0; SLOT];
            match file.read_exact_at(&mut slot, place * SLOT as u64) {
                Ok(()) => *mark = Mark::parse(&slot),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let newer = |mark: &Option<Mark>| mark.map(|mark| mark.position);
        let [first, second] = marks;
        let latest = if newer(&first) >= newer(&second) {
            first
        } else {
            second
        };
        // The first one may be cut short while it is written for the first time;
        // nothing was acknowledged then.
        if latest.is_none() && length > SLOT as u64 {
            return Err(PostgresError::MarkDamaged);
        }
        Ok(Self {
            file,
            slot: u64::from(latest == first && latest.is_some()),
            latest,
        })
    }

    pub(super) fn latest(&self) -> Option<Mark> {
        self.latest
    }

    /// Writes a mark, durably.
    pub(super) fn write(&mut self, mark: Mark) -> Result<(), PostgresError> {
        self.file
            .write_all_at(&mark.bytes(), self.slot * SLOT as u64)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| PostgresError::Io { file: FILE, error })?;
        self.slot = 1 - self.slot;
        self.latest = Some(mark);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use luzhang_ledger::{block::BlockView, export::VerifiedBlocks};

    use super::*;

    fn mark(position: u64) -> Mark {
        Mark {
            ledger: LedgerId::new(Uuid::from_bytes([7; 16])),
            position,
            chain: Hash::from_bytes([1; 32]),
            block: Hash::from_bytes([2; 32]),
            height: position,
            epoch: 3,
        }
    }

    /// What FORMAT.md prints, and the fixture has: after the first block of the sample
    /// ledger, and after its last.
    #[test]
    fn a_mark_has_the_bytes_that_it_always_had() {
        let export = include_bytes!("../../../tests/fixtures/v1/ledger.luzhang-export");
        let blocks = VerifiedBlocks::new(&export[..]).flat_map(Result::unwrap);
        let heads: Vec<Head> = blocks
            .map(|block| BlockView::parse(&block).unwrap().head())
            .collect();
        let ledger = LedgerId::new(Uuid::from_slice(&export[16..32]).unwrap());
        let dir = tempfile::tempdir().unwrap();
        let mut file = MarkFile::open(dir.path()).unwrap();
        let [first, .., last] = &heads[..] else {
            panic!("{heads:?}")
        };
        for head in [first, last] {
            file.write(Mark::of(ledger, head)).unwrap();
        }
        let written = std::fs::read(dir.path().join(FILE)).unwrap();
        let fixture = include_bytes!("../../../tests/fixtures/v1/mark");
        assert_eq!(written, fixture);
        std::fs::write(dir.path().join(FILE), fixture).unwrap();
        let found = MarkFile::open(dir.path()).unwrap().latest();
        assert_eq!(found, Some(Mark::of(ledger, last)));
    }

    #[test]
    fn the_newest_mark_comes_back_and_survives_a_torn_write() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(MarkFile::open(dir.path()).unwrap().latest(), None);
        for position in 1..=5 {
            MarkFile::open(dir.path())
                .unwrap()
                .write(mark(position))
                .unwrap();
            let found = MarkFile::open(dir.path()).unwrap();
            assert_eq!(found.latest(), Some(mark(position)));
        }
        // Positions 4 and 5 are in the file; whichever byte of the newer is lost, the
        // older is what is left.
        let path = dir.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        let newer = if found_at(&whole, 0) == 5 { 0 } else { SLOT };
        for place in newer..newer + SLOT {
            let mut torn = whole.clone();
            torn[place] ^= 1;
            std::fs::write(&path, &torn).unwrap();
            let mut found = MarkFile::open(dir.path()).unwrap();
            assert_eq!(found.latest(), Some(mark(4)), "byte {place}");
            found.write(mark(6)).unwrap();
            let found = MarkFile::open(dir.path()).unwrap();
            assert_eq!(found.latest(), Some(mark(6)), "byte {place}");
        }
        std::fs::write(&path, vec![9; 2 * SLOT]).unwrap();
        assert!(matches!(
            MarkFile::open(dir.path()),
            Err(PostgresError::MarkDamaged)
        ));
    }

    fn found_at(bytes: &[u8], slot: usize) -> u64 {
        let mut number = [0; 8];
        number.copy_from_slice(&bytes[slot + 32..slot + 40]);
        u64::from_le_bytes(number)
    }
}
