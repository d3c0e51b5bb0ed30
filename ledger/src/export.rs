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

use std::{
    io::{self, BufReader, Read, Write},
    mem,
    ops::RangeInclusive,
};

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

    /// Goes on with a file that was not finished: `out` stands where the blocks end
    /// that hold.
    pub fn resume(out: W, unfinished: Unfinished) -> Self {
        Self {
            out,
            checksum: unfinished.checksum,
            head: unfinished.head,
        }
    }

    /// The head after the last block.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Appends one block. Its hashes are not checked: an export of a damaged
    /// ledger must be possible, so that it can be examined.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] for a length that no block has; besides,
    /// what writing says.
    pub fn block(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len())
            .ok()
            .filter(|_| LENGTHS.contains(&bytes.len()))
            .ok_or(io::ErrorKind::InvalidData)?;
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
        self.write(&Trailer::of(&head).bytes())?;
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

/// How far a file holds that was not finished, or that is to be longer.
#[derive(Clone, Debug)]
pub struct Unfinished {
    checksum: blake3::Hasher,
    head: Head,
    /// Bytes up to the end of the last block that holds.
    pub bytes: u64,
}

impl Unfinished {
    /// Reads a file up to its end mark, or to the first block that is not whole or
    /// does not hold: what comes after it is to be written again.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] if it is no export of this ledger, and not the
    /// beginning of one; besides, what reading says.
    pub fn read(input: impl Read, ledger: LedgerId) -> io::Result<Option<Self>> {
        let mut reader = ExportReader {
            input: BufReader::with_capacity(64 * 1024, input),
            checksum: blake3::Hasher::new_derive_key(EXPORT_CONTEXT),
        };
        let mut header = Vec::with_capacity(HEADER.saturating_add(1));
        reader.append_to(&mut header, HEADER)?;
        let expected: Vec<u8> = MAGIC.iter().chain(ledger.as_bytes()).copied().collect();
        if !expected.starts_with(&header) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if header.len() < HEADER {
            return Ok(None);
        }
        let mut bytes = u64::try_from(HEADER).unwrap_or(u64::MAX);
        let mut checksum = reader.checksum.clone();
        let mut verifier = Verifier::new(None);
        loop {
            let block = match reader.next_block() {
                Ok(Some(block)) => block,
                Err(BlockFault::Failed(error)) => return Err(error),
                Ok(None) | Err(BlockFault::Length(_) | BlockFault::Cut(_)) => break,
            };
            let length = u64::try_from(block.len()).unwrap_or(u64::MAX);
            if verifier.push(&[block]).is_err() || verifier.ledger() != Some(ledger) {
                break;
            }
            bytes = bytes.saturating_add(4).saturating_add(length);
            checksum = reader.checksum.clone();
        }
        Ok(Some(Self {
            checksum,
            head: verifier.head().unwrap_or(Head::genesis(ledger)),
            bytes,
        }))
    }
}

/// Whether a file begins like an export.
pub fn is_export(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(&MAGIC)
}

/// Verifies an export file. `progress` is told how many events hold so far.
pub fn verify_export(
    input: impl Read + Send,
    anchor: Option<Anchor>,
    progress: impl FnMut(u64),
) -> Report {
    verify_export_with(input, Verifier::new(anchor), progress)
}

/// The same with a verifier that looks for more.
pub fn verify_export_with(
    input: impl Read + Send,
    verifier: Verifier,
    mut progress: impl FnMut(u64),
) -> Report {
    let mut blocks = VerifiedBlocks::with(verifier, input);
    let mut finding = None;
    while let Some(batch) = blocks.next() {
        match batch {
            Ok(_) => progress(blocks.events),
            Err(found) => finding = Some(found),
        }
    }
    blocks.verifier.finish(finding)
}

/// The blocks of an export file, batch by batch, each verified before it is
/// given out. After the last come the checks of the trailer: only an iteration
/// that ends without a [`Finding`] has read the whole ledger. A finding ends it.
#[derive(Debug)]
pub struct VerifiedBlocks<R> {
    reader: ExportReader<R>,
    verifier: Verifier,
    /// What the header says, once it is read.
    ledger: Option<LedgerId>,
    /// The batch to be verified next: it is read while the one before it is verified.
    ahead: Vec<Vec<u8>>,
    /// What comes after that batch.
    end: Option<Result<(), BlockFault>>,
    ended: bool,
    events: u64,
}

/// Bytes of the file header.
const HEADER: usize = 32;
/// The lengths that a block can have.
const LENGTHS: RangeInclusive<usize> = HEADER_LEN + HASH_LEN..=MAX_BLOCK;
/// Bytes of a trailer before its checksum.
const TRAILER_LEN: usize = 80;
/// Bytes from the end mark to the end of the file.
const END_LEN: usize = TRAILER_LEN + HASH_LEN;
/// How many bytes of blocks are checked at a time.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What a trailer says of the blocks before it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Trailer {
    events: u64,
    blocks: u64,
    chain: Hash,
    block: Hash,
}

impl Trailer {
    fn of(head: &Head) -> Self {
        Self {
            events: head.position.map_or(0, Position::number),
            blocks: head.height,
            chain: head.chain,
            block: head.block,
        }
    }

    fn bytes(&self) -> [u8; TRAILER_LEN] {
        let mut bytes = [0; TRAILER_LEN];
        let fields = self.events.to_le_bytes().into_iter();
        let fields = fields
            .chain(self.blocks.to_le_bytes())
            .chain(*self.chain.as_bytes())
            .chain(*self.block.as_bytes());
        for (byte, value) in bytes.iter_mut().zip(fields) {
            *byte = value;
        }
        bytes
    }
}

#[derive(Debug)]
struct ExportReader<R> {
    input: BufReader<R>,
    checksum: blake3::Hasher,
}

/// What a read found instead of the bytes asked for.
enum Stop {
    /// The file ends here.
    End,
    /// The file cannot be read.
    Failed(io::Error),
}

/// Why there is no next block.
#[derive(Debug)]
enum BlockFault {
    /// No block has such a length, or it is not the one in the block. What
    /// follows it, up to the length of a block's header.
    Length(Vec<u8>),
    /// The file ends inside the block. What follows the length, as above.
    Cut(Vec<u8>),
    /// The file cannot be read.
    Failed(io::Error),
}

impl<R: Read + Send> VerifiedBlocks<R> {
    /// Nothing is read before the first batch is asked for.
    pub fn new(input: R) -> Self {
        Self::with(Verifier::new(None), input)
    }

    fn with(verifier: Verifier, input: R) -> Self {
        Self {
            reader: ExportReader {
                input: BufReader::with_capacity(64 * 1024, input),
                checksum: blake3::Hasher::new_derive_key(EXPORT_CONTEXT),
            },
            verifier,
            ledger: None,
            ahead: Vec::new(),
            end: None,
            ended: false,
            events: 0,
        }
    }

    fn advance(&mut self) -> Result<Option<Vec<Vec<u8>>>, Finding> {
        let ledger = if let Some(ledger) = self.ledger {
            ledger
        } else {
            let ledger = *self.ledger.insert(self.reader.header()?);
            (self.ahead, self.end) = self.reader.batch();
            ledger
        };
        // What was read before a fault is judged first: the earliest bad event is the
        // one to name.
        let batch = mem::take(&mut self.ahead);
        if !batch.is_empty() {
            if self.end.is_none() {
                let (verifier, reader) = (&mut self.verifier, &mut self.reader);
                let (pushed, read) = rayon::join(|| verifier.push(&batch), || reader.batch());
                (self.ahead, self.end) = read;
                pushed?;
            } else {
                self.verifier.push(&batch)?;
            }
            let next = self.verifier.next_position().number();
            self.events = next.saturating_sub(1);
            return Ok(Some(batch));
        }
        match self.end.take() {
            None | Some(Ok(())) => self.reader.end(&self.verifier, ledger)?,
            Some(Err(fault)) => return Err(fault.finding(&self.verifier, ledger)),
        }
        Ok(None)
    }
}

impl<R: Read + Send> Iterator for VerifiedBlocks<R> {
    type Item = Result<Vec<Vec<u8>>, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let advanced = self.advance().transpose();
        self.ended = !matches!(advanced, Some(Ok(_)));
        advanced
    }
}

impl<R: Read> ExportReader<R> {
    fn header(&mut self) -> Result<LedgerId, Finding> {
        let magic: [u8; 16] = self.take().map_err(Stop::in_header)?;
        if magic != MAGIC {
            return Err(Finding {
                verdict: Verdict::Unreadable,
                place: Place::FileHeader,
                detail: "this is not a luzhang export: it does not begin with \
                         `LUZHANG EXPORT 1`"
                    .to_owned(),
            });
        }
        let id: [u8; 16] = self.take().map_err(Stop::in_header)?;
        Ok(LedgerId::new(uuid::Uuid::from_bytes(id)))
    }

    /// Blocks of some bytes together, and what ended them early. A batch that nothing
    /// ended is not empty.
    fn batch(&mut self) -> (Vec<Vec<u8>>, Option<Result<(), BlockFault>>) {
        let mut batch = Vec::new();
        let mut batch_bytes = 0_usize;
        while batch_bytes < BATCH_BYTES {
            match self.next_block() {
                Ok(Some(block)) => {
                    batch_bytes = batch_bytes.saturating_add(block.len());
                    batch.push(block);
                }
                Ok(None) => return (batch, Some(Ok(()))),
                Err(fault) => return (batch, Some(Err(fault))),
            }
        }
        (batch, None)
    }

    fn next_block(&mut self) -> Result<Option<Vec<u8>>, BlockFault> {
        let length = u32::from_le_bytes(self.take()?);
        if length == 0 {
            return Ok(None);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut block = Vec::with_capacity(length.clamp(HEADER_LEN, MAX_BLOCK));
        self.append_to(&mut block, HEADER_LEN)
            .map_err(BlockFault::Failed)?;
        // The length stands twice, before the block and in it. Comparing them
        // before reading on tells a changed length from a file cut short.
        let stated = match block.last_chunk::<4>() {
            Some(frames) if block.len() == HEADER_LEN => {
                usize::try_from(u32::from_le_bytes(*frames))
                    .ok()
                    .and_then(|frames| frames.checked_add(HEADER_LEN + HASH_LEN))
            }
            Some(_) | None => Some(length),
        };
        if !LENGTHS.contains(&length) || stated != Some(length) {
            return Err(BlockFault::Length(block));
        }
        let rest = length.saturating_sub(HEADER_LEN);
        self.append_to(&mut block, rest)
            .map_err(BlockFault::Failed)?;
        if block.len() < length {
            return Err(BlockFault::Cut(block));
        }
        Ok(Some(block))
    }

    /// Judges what comes after the end mark.
    fn end(&mut self, verifier: &Verifier, ledger: LedgerId) -> Result<(), Finding> {
        let next = verifier.next_position();
        let found = Trailer::of(&verifier.head().unwrap_or(Head::genesis(ledger)));
        let cut = |stop: Stop| BlockFault::from(stop).finding(verifier, ledger);
        let trailer = Trailer {
            events: u64::from_le_bytes(self.take().map_err(cut)?),
            blocks: u64::from_le_bytes(self.take().map_err(cut)?),
            chain: Hash::from_bytes(self.take().map_err(cut)?),
            block: Hash::from_bytes(self.take().map_err(cut)?),
        };
        let computed = *self.checksum.finalize().as_bytes();
        let stated: [u8; HASH_LEN] = self.take().map_err(cut)?;
        let more = match self.take::<1>() {
            Ok(_) => true,
            Err(Stop::End) => false,
            Err(Stop::Failed(error)) => return Err(unreadable(&error)),
        };
        // An empty ledger has no event that names it, but a trailer that agrees
        // with itself.
        let other_ledger = match verifier.ledger() {
            Some(named) => named != ledger,
            None => trailer.chain == trailer.block && trailer.chain != found.chain,
        };
        if stated != computed && more {
            return Err(tampered(
                Place::Event(next),
                "the length of a block was changed to zero, which marks the end",
            ));
        }
        if other_ledger {
            return Err(tampered(
                Place::FileHeader,
                "the file header names another ledger than the events",
            ));
        }
        if stated != computed {
            return Err(tampered(
                Place::Trailer,
                "the file's checksum is wrong although every event holds: its trailer was changed",
            ));
        }
        if trailer.events > found.events || trailer.blocks > found.blocks {
            return Err(Finding {
                verdict: Verdict::Truncated,
                place: Place::Event(next),
                detail: format!(
                    "the trailer counts {} events, the file holds {}",
                    trailer.events, found.events
                ),
            });
        }
        if trailer != found {
            return Err(tampered(
                Place::Trailer,
                "the trailer does not describe the blocks before it",
            ));
        }
        if more {
            return Err(tampered(
                Place::Trailer,
                "there are bytes after the trailer",
            ));
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut bytes = Vec::with_capacity(N);
        self.append_to(&mut bytes, N).map_err(Stop::Failed)?;
        bytes.try_into().map_err(|_| Stop::End)
    }

    /// The next bytes: as many as asked for, or what the file has left.
    fn append_to(&mut self, bytes: &mut Vec<u8>, length: usize) -> io::Result<()> {
        let before = bytes.len();
        let limit = u64::try_from(length).unwrap_or(u64::MAX);
        self.input.by_ref().take(limit).read_to_end(bytes)?;
        self.checksum
            .update(bytes.get(before..).unwrap_or_default());
        Ok(())
    }
}

fn tampered(place: Place, detail: &str) -> Finding {
    Finding {
        verdict: Verdict::Tampered,
        place,
        detail: detail.to_owned(),
    }
}

impl Stop {
    fn in_header(self) -> Finding {
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

impl From<Stop> for BlockFault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::End => Self::Cut(Vec::new()),
            Stop::Failed(error) => Self::Failed(error),
        }
    }
}

impl BlockFault {
    fn finding(self, verifier: &Verifier, ledger: LedgerId) -> Finding {
        let place = Place::Event(verifier.next_position());
        let trailer = Trailer::of(&verifier.head().unwrap_or(Head::genesis(ledger))).bytes();
        match self {
            // Where the end mark should be stands something else, but behind it
            // is the trailer and nothing more.
            Self::Length(rest) | Self::Cut(rest)
                if rest.len() == END_LEN && rest.starts_with(&trailer) =>
            {
                tampered(
                    Place::Trailer,
                    "the end mark before the trailer was changed",
                )
            }
            Self::Length(_) => tampered(
                place,
                "the length before the block is not the one in it, or none that a block has",
            ),
            Self::Cut(_) => Finding {
                verdict: Verdict::Truncated,
                place,
                detail: "the file ends before its trailer".to_owned(),
            },
            Self::Failed(error) => unreadable(&error),
        }
    }
}
