//! The export file: all blocks of a ledger in one file that an auditor takes
//! away. FORMAT.md specifies it byte by byte.
//!
//! ```text
//! header   16 "LUZHANG EXPORT 1", 16 ledger id
//! blocks    4 length, then the block; any number of times
//! end       4 zero
//! trailer   8 events, 8 blocks, 32 chain head, 32 block hash,
//!          32 BLAKE3 derive-key(EXPORT_CONTEXT, everything before)
//! ```

use std::io::{self, Read, Write};

use crate::{
    block::{BlockView, HASH_LEN, HEADER_LEN, Head, MAX_BLOCK},
    hash::{EXPORT_CONTEXT, Hash},
    position::{LedgerId, Position},
    verify::{Anchor, Finding, Place, Report, Verdict, Verifier, unreadable},
};

/// The first 16 bytes of every export file.
pub const MAGIC: [u8; 16] = *b"LUZHANG EXPORT 1";

/// Writes an export file.
#[derive(Debug)]
pub struct ExportWriter<W> {
    out: W,
    checksum: blake3::Hasher,
    head: Head,
}

impl<W: Write> ExportWriter<W> {
    /// Begins the file.
    pub fn new(out: W, ledger: LedgerId) -> io::Result<Self> {
        let mut writer = Self {
            out,
            checksum: blake3::Hasher::new_derive_key(EXPORT_CONTEXT),
            head: Head::genesis(ledger),
        };
        writer.write(&MAGIC)?;
        writer.write(ledger.as_bytes())?;
        Ok(writer)
    }

    /// Appends one block. Its hashes are not checked: an export of a damaged
    /// ledger must be possible, so that it can be examined.
    pub fn block(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        self.write(&length.to_le_bytes())?;
        self.write(bytes)?;
        if let Ok(view) = BlockView::parse(bytes) {
            self.head = view.head();
        }
        Ok(())
    }

    /// Writes the trailer; the head is that of the last block.
    pub fn finish(mut self) -> io::Result<(W, Head)> {
        let head = self.head;
        self.write(&0_u32.to_le_bytes())?;
        let events = head.position.map_or(0, Position::number);
        self.write(&events.to_le_bytes())?;
        self.write(&head.height.to_le_bytes())?;
        self.write(head.chain.as_bytes())?;
        self.write(head.block.as_bytes())?;
        let checksum = *self.checksum.finalize().as_bytes();
        self.out.write_all(&checksum)?;
        self.out.flush()?;
        Ok((self.out, head))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.checksum.update(bytes);
        self.out.write_all(bytes)
    }
}

/// Whether a file begins like an export.
pub fn is_export(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(&MAGIC)
}

/// Verifies an export file. `progress` is told how many events hold so far.
pub fn verify_export(
    input: impl Read,
    anchor: Option<Anchor>,
    mut progress: impl FnMut(u64),
) -> Report {
    let mut verifier = Verifier::new(anchor);
    let mut reader = ExportReader {
        input,
        checksum: blake3::Hasher::new_derive_key(EXPORT_CONTEXT),
    };
    let finding = reader.run(&mut verifier, &mut progress).err();
    verifier.finish(finding)
}

/// How many bytes of blocks are checked at a time.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

struct ExportReader<R> {
    input: R,
    checksum: blake3::Hasher,
}

/// What a read found instead of the bytes asked for.
enum Stop {
    /// The file ends here.
    End,
    /// The file cannot be read.
    Failed(io::Error),
}

impl<R: Read> ExportReader<R> {
    fn run(
        &mut self,
        verifier: &mut Verifier,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), Finding> {
        let ledger = self.header()?;
        let mut batch = Vec::new();
        let mut batch_bytes = 0_usize;
        let mut pending_events = 0_u64;
        loop {
            let next = |verifier: &Verifier, pending: u64| {
                let number = verifier.next_position().number().saturating_add(pending);
                Position::new(number).unwrap_or(Position::FIRST)
            };
            let block = self.next_block();
            let done = match &block {
                Ok(Some(bytes)) => {
                    batch_bytes = batch_bytes.saturating_add(bytes.len());
                    batch_bytes >= BATCH_BYTES
                }
                Ok(None) | Err(_) => true,
            };
            let ended = match block {
                Ok(Some(bytes)) => {
                    let count = BlockView::parse(&bytes).map_or(0, |view| u64::from(view.count));
                    pending_events = pending_events.saturating_add(count);
                    batch.push(bytes);
                    None
                }
                Ok(None) => Some(Ok(())),
                Err(fault) => Some(Err(fault.finding(next(verifier, pending_events)))),
            };
            if done {
                // What was read before the fault is judged first: the earliest
                // bad event is the one to name.
                verifier.push(&batch)?;
                progress(verifier.next_position().number().saturating_sub(1));
                batch.clear();
                (batch_bytes, pending_events) = (0, 0);
            }
            match ended {
                None => {}
                Some(Ok(())) => break,
                Some(Err(finding)) => return Err(finding),
            }
        }
        self.trailer(verifier, ledger)
    }

    fn header(&mut self) -> Result<LedgerId, Finding> {
        let magic: [u8; 16] = self.take().map_err(|stop| stop.unreadable())?;
        if magic != MAGIC {
            return Err(Finding {
                verdict: Verdict::Unreadable,
                place: Place::FileHeader,
                detail: "this is not a luzhang export: it does not begin with \
                         `LUZHANG EXPORT 1`"
                    .to_owned(),
            });
        }
        let id: [u8; 16] = self.take().map_err(|stop| stop.unreadable())?;
        Ok(LedgerId::new(uuid::Uuid::from_bytes(id)))
    }

    fn next_block(&mut self) -> Result<Option<Vec<u8>>, BlockFault> {
        let length = u32::from_le_bytes(self.take()?);
        if length == 0 {
            return Ok(None);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(HEADER_LEN.saturating_add(HASH_LEN)..=MAX_BLOCK).contains(&length) {
            return Err(BlockFault::Length);
        }
        let header: [u8; HEADER_LEN] = self.take()?;
        // The length stands twice, before the block and in it. Comparing them
        // before reading on tells a changed length from a file cut short.
        let stated = header
            .last_chunk::<4>()
            .and_then(|bytes| usize::try_from(u32::from_le_bytes(*bytes)).ok())
            .and_then(|frames| frames.checked_add(HEADER_LEN + HASH_LEN));
        if stated != Some(length) {
            return Err(BlockFault::Length);
        }
        let mut block = vec![0; length];
        let (head, rest) = block.split_at_mut(HEADER_LEN);
        head.copy_from_slice(&header);
        self.fill(rest)?;
        Ok(Some(block))
    }

    fn trailer(&mut self, verifier: &Verifier, ledger: LedgerId) -> Result<(), Finding> {
        let next = verifier.next_position();
        let cut = |stop: Stop| BlockFault::from(stop).finding(next);
        let events = u64::from_le_bytes(self.take().map_err(cut)?);
        let blocks = u64::from_le_bytes(self.take().map_err(cut)?);
        let chain = Hash::from_bytes(self.take().map_err(cut)?);
        let block = Hash::from_bytes(self.take().map_err(cut)?);
        let expected = *self.checksum.finalize().as_bytes();
        let stated: [u8; 32] = self.take().map_err(cut)?;
        let head = verifier.head().unwrap_or(Head::genesis(ledger));
        let found = head.position.map_or(0, Position::number);
        let trailer = |verdict, detail: &str| Finding {
            verdict,
            place: Place::Trailer,
            detail: detail.to_owned(),
        };
        if stated != expected {
            return Err(trailer(
                Verdict::Tampered,
                "the file's checksum is wrong although every event holds: its header, its end \
                 mark or its trailer was changed",
            ));
        }
        if events > found || blocks > head.height {
            return Err(Finding {
                verdict: Verdict::Truncated,
                place: Place::Event(next),
                detail: format!("the trailer counts {events} events, the file holds {found}"),
            });
        }
        if (events, blocks, chain, block) != (found, head.height, head.chain, head.block) {
            return Err(trailer(
                Verdict::Tampered,
                "the trailer does not describe the blocks before it",
            ));
        }
        if verifier.ledger().is_some_and(|found| found != ledger) {
            return Err(Finding {
                verdict: Verdict::Tampered,
                place: Place::FileHeader,
                detail: "the file header names another ledger than the first event".to_owned(),
            });
        }
        match self.take::<1>() {
            Err(Stop::End) => Ok(()),
            Err(Stop::Failed(error)) => Err(unreadable(&error)),
            Ok(_) => Err(trailer(
                Verdict::Tampered,
                "there are bytes after the trailer",
            )),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Stop> {
        match self.input.read_exact(bytes) {
            Ok(()) => {
                self.checksum.update(bytes);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Stop::End),
            Err(error) => Err(Stop::Failed(error)),
        }
    }
}

impl Stop {
    fn unreadable(self) -> Finding {
        match self {
            Self::End => Finding {
                verdict: Verdict::Unreadable,
                place: Place::FileHeader,
                detail: "the file is shorter than an export's header".to_owned(),
            },
            Self::Failed(error) => unreadable(&error),
        }
    }
}

/// Why there is no next block.
enum BlockFault {
    Length,
    Cut,
    Failed(io::Error),
}

impl From<Stop> for BlockFault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::End => Self::Cut,
            Stop::Failed(error) => Self::Failed(error),
        }
    }
}

impl BlockFault {
    fn finding(self, next: Position) -> Finding {
        let (verdict, detail) = match self {
            Self::Length => (
                Verdict::Tampered,
                "the length before the block and the length in it differ".to_owned(),
            ),
            Self::Cut => (
                Verdict::Truncated,
                "the file ends before its trailer".to_owned(),
            ),
            Self::Failed(error) => (Verdict::Unreadable, error.to_string()),
        };
        Finding {
            verdict,
            place: Place::Event(next),
            detail,
        }
    }
}
