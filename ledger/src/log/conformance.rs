//! The contract of [`super`] as executable checks. Every adapter passes them.
//!
//! They need nothing of the adapter but the port, so they run against one that
//! does not exist yet.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use thiserror::Error;
use uuid::Uuid;

use super::{AppendError, Log, Reader};
use crate::{
    block::{BlockBuilder, Head, MAX_EVENT, SealedBlock},
    event::{Body, Event, Header},
    hash::Hash,
    position::{LedgerId, Position, StreamId, StreamKind},
    text::{Label, PackId, Principal, TextError},
};

/// A length of content with which one event fills a block: its header and tags
/// take what is left.
pub const LARGEST: usize = MAX_EVENT - 256;

/// What a check needs of an adapter.
pub trait Subject {
    /// Makes a log for a new ledger and opens it. Earlier ones are closed.
    fn create(&mut self, ledger: LedgerId) -> Result<Box<dyn Log>, Box<dyn Error>>;

    /// Opens the log that was made last, as another process would.
    fn open(&mut self) -> Result<Box<dyn Log>, Box<dyn Error>>;
}

/// A promise that the adapter does not keep.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{rule}: {detail}")]
pub struct Violation {
    /// The promise.
    pub rule: &'static str,
    /// What was found instead.
    pub detail: String,
}

type Outcome = Result<(), Box<dyn Error>>;
type Rule = fn(&mut dyn Subject) -> Outcome;

const RULES: [(&str, Rule); 11] = [
    ("a new log is at its genesis and has no block", is_empty),
    (
        "a position is found in its block, and nowhere after the end",
        finds,
    ),
    ("a run begins with the block that holds its position", runs),
    (
        "blocks of one append continue each other or are refused",
        refuses_broken,
    ),
    (
        "an append to another head is refused and changes nothing",
        refuses_stale,
    ),
    (
        "the largest blocks come back as they went in",
        keeps_largest,
    ),
    (
        "readers beside the writer see whole appends",
        shows_whole_appends,
    ),
    ("a reader sees what is appended later", follows),
    ("what was appended is there after closing", survives_close),
    ("what was appended is there after dropping", survives_drop),
    (
        "a second writer is refused until the first has closed",
        excludes,
    ),
];

/// Checks every promise, each with a log of its own.
///
/// # Errors
/// The first [`Violation`].
pub fn check(subject: &mut dyn Subject) -> Result<(), Violation> {
    for (rule, check) in RULES {
        check(subject).map_err(|error| Violation {
            rule,
            detail: error.to_string(),
        })?;
    }
    Ok(())
}

fn is_empty(subject: &mut dyn Subject) -> Outcome {
    let log = subject.create(ledger())?;
    same("head", &log.head(), &Head::genesis(ledger()))?;
    let reader = log.reader();
    same("block at 1", &read(&*reader, 1)?, &None)?;
    same("run from 1", &run(&*reader, 1)?, &vec![])?;
    Ok(log.close()?)
}

fn finds(subject: &mut dyn Subject) -> Outcome {
    let mut log = subject.create(ledger())?;
    let mut chain = Chain::new(ledger());
    let blocks = [
        chain.block(&[40])?,
        chain.block(&[40; 3])?,
        chain.block(&[9000; 5])?,
    ];
    for block in &blocks {
        log.append(std::slice::from_ref(block))?;
        same("head", &log.head(), &block.head)?;
    }
    let reader = log.reader();
    let [one, three, five] = blocks.map(|block| Some(digest(&block.bytes)));
    let expected = [
        (1, one),
        (2, three),
        (3, three),
        (4, three),
        (5, five),
        (7, five),
        (9, five),
    ];
    for (position, block) in expected.into_iter().chain([(10, None), (u64::MAX, None)]) {
        same(
            &format!("block at {position}"),
            &read(&*reader, position)?,
            &block,
        )?;
    }
    Ok(log.close()?)
}

fn runs(subject: &mut dyn Subject) -> Outcome {
    let mut log = subject.create(ledger())?;
    let mut chain = Chain::new(ledger());
    // Positions 1..=2, 3..=4, 5, 6..=8; the middle two in one append.
    let blocks = [
        chain.block(&[40; 2])?,
        chain.block(&[40; 2])?,
        chain.block(&[40])?,
        chain.block(&[40; 3])?,
    ];
    let [first, middle @ .., last] = &blocks;
    log.append(std::slice::from_ref(first))?;
    log.append(middle)?;
    log.append(std::slice::from_ref(last))?;
    let all: Vec<_> = blocks.iter().map(|block| digest(&block.bytes)).collect();
    let reader = log.reader();
    for (position, skipped) in [
        (1, 0),
        (2, 0),
        (3, 1),
        (4, 1),
        (5, 2),
        (6, 3),
        (8, 3),
        (9, 4),
    ] {
        let expected: Vec<_> = all.iter().skip(skipped).copied().collect();
        same(
            &format!("run from {position}"),
            &run(&*reader, position)?,
            &expected,
        )?;
    }
    Ok(log.close()?)
}

fn refuses_broken(subject: &mut dyn Subject) -> Outcome {
    let mut log = subject.create(ledger())?;
    let mut chain = Chain::new(ledger());
    let [one, two, three] = [
        chain.block(&[40])?,
        chain.block(&[40])?,
        chain.block(&[40])?,
    ];
    let mut lying = one.clone();
    lying.head.height = 7;
    let mut torn = one.clone();
    torn.bytes.truncate(100);
    let empty = BlockBuilder::new(Head::genesis(ledger()), 1).seal();
    let broken: [(&str, &[SealedBlock]); 7] = [
        ("no blocks", &[]),
        ("a gap", &[one.clone(), three.clone()]),
        ("a repetition", &[one.clone(), one.clone()]),
        ("the wrong order", &[two.clone(), one.clone()]),
        ("a head that the bytes do not have", &[lying]),
        ("bytes that are no block", &[torn]),
        ("a block without events", &[empty]),
    ];
    for (what, blocks) in broken {
        match log.append(blocks) {
            Err(AppendError::Broken) => {}
            other => return Err(format!("{what} was answered with {other:?}").into()),
        }
        same(what, &log.head(), &Head::genesis(ledger()))?;
        same(what, &run(&*log.reader(), 1)?, &vec![])?;
    }
    log.append(&[one, two, three])?;
    Ok(log.close()?)
}

fn refuses_stale(subject: &mut dyn Subject) -> Outcome {
    let mut log = subject.create(ledger())?;
    let mut chain = Chain::new(ledger());
    let rival = Chain::new(ledger()).block(&[41])?;
    let [one, two] = [chain.block(&[40])?, chain.block(&[40])?];
    refuse(&mut *log, "a block too far ahead", &two)?;
    log.append(std::slice::from_ref(&one))?;
    refuse(&mut *log, "a rival of the last block", &rival)?;
    refuse(&mut *log, "the last block again", &one)?;
    log.append(&[two])?;
    Ok(log.close()?)
}

fn refuse(log: &mut dyn Log, what: &str, block: &SealedBlock) -> Outcome {
    let before = (log.head(), run(&*log.reader(), 1)?);
    match log.append(std::slice::from_ref(block)) {
        Err(AppendError::HeadMoved { expected, found }) => {
            same(what, &*expected, &block.predecessor)?;
            same(what, &*found, &before.0)?;
        }
        other => return Err(format!("{what} was answered with {other:?}").into()),
    }
    same(what, &(log.head(), run(&*log.reader(), 1)?), &before)
}

fn keeps_largest(subject: &mut dyn Subject) -> Outcome {
    let mut log = subject.create(ledger())?;
    let mut chain = Chain::new(ledger());
    let mut expected = Vec::new();
    // One append of more than 16 MiB, then single blocks.
    for count in [140, 1, 1, 1] {
        let blocks: Vec<_> = (0..count)
            .map(|_| chain.block(&[LARGEST]))
            .collect::<Result<_, _>>()?;
        expected.extend(blocks.iter().map(|block| digest(&block.bytes)));
        log.append(&blocks)?;
    }
    same("run from 1", &run(&*log.reader(), 1)?, &expected)?;
    log.close()?;
    let log = subject.open()?;
    same("run from 1, reopened", &run(&*log.reader(), 1)?, &expected)?;
    Ok(log.close()?)
}

fn shows_whole_appends(subject: &mut dyn Subject) -> Outcome {
    const ROUNDS: usize = 200;
    const TOGETHER: usize = 3;
    let mut log = subject.create(ledger())?;
    let mut chain = Chain::new(ledger());
    let done = Arc::new(AtomicBool::new(false));
    let watcher = thread::spawn({
        let (reader, done) = (log.reader(), Arc::clone(&done));
        move || watch(&*reader, &done)
    });
    let mut appended = Ok(());
    for _ in 0..ROUNDS {
        let blocks: Vec<_> = (0..TOGETHER)
            .map(|_| chain.block(&[40]))
            .collect::<Result<_, _>>()?;
        appended = log.append(&blocks);
        if appended.is_err() {
            break;
        }
    }
    done.store(true, Ordering::Release);
    let seen = watcher.join().map_err(|_| "the reader panicked")??;
    appended?;
    if let Some(part) = seen.iter().find(|count| !count.is_multiple_of(TOGETHER)) {
        return Err(format!("a reader saw {part} blocks, which is part of an append").into());
    }
    if !seen.is_sorted() {
        return Err("a reader saw fewer blocks than before".into());
    }
    same(
        "blocks at the end",
        &seen.last(),
        &Some(&(ROUNDS.saturating_mul(TOGETHER))),
    )?;
    Ok(log.close()?)
}

/// Counts the blocks until told that all are there, and once more.
fn watch(reader: &dyn Reader, done: &AtomicBool) -> Result<Vec<usize>, String> {
    let mut seen = Vec::new();
    loop {
        let last = done.load(Ordering::Acquire);
        let blocks = run(reader, 1).map_err(|error| error.to_string())?;
        seen.push(blocks.len());
        if last {
            return Ok(seen);
        }
    }
}

fn follows(subject: &mut dyn Subject) -> Outcome {
    let mut log = subject.create(ledger())?;
    let mut chain = Chain::new(ledger());
    let reader = log.reader();
    for count in 1..=5_u64 {
        let block = chain.block(&[40])?;
        log.append(std::slice::from_ref(&block))?;
        same(
            "the newest",
            &read(&*reader, count)?,
            &Some(digest(&block.bytes)),
        )?;
    }
    Ok(log.close()?)
}

fn survives_close(subject: &mut dyn Subject) -> Outcome {
    survives(subject, Log::close)
}

fn survives_drop(subject: &mut dyn Subject) -> Outcome {
    survives(subject, |log| {
        drop(log);
        Ok(())
    })
}

fn survives(
    subject: &mut dyn Subject,
    end: fn(Box<dyn Log>) -> Result<(), super::Fault>,
) -> Outcome {
    let mut log = subject.create(ledger())?;
    let mut chain = Chain::new(ledger());
    let mut expected = Vec::new();
    for lens in [&[40][..], &[40; 64], &[20_000; 5]] {
        let block = chain.block(lens)?;
        log.append(std::slice::from_ref(&block))?;
        expected.push(digest(&block.bytes));
        let before = log.head();
        // A reader that is still there must not keep the log from closing.
        let _reader = log.reader();
        end(log)?;
        log = subject.open()?;
        same("head", &log.head(), &before)?;
        same("run from 1", &run(&*log.reader(), 1)?, &expected)?;
    }
    Ok(log.close()?)
}

fn excludes(subject: &mut dyn Subject) -> Outcome {
    let mut log = subject.create(ledger())?;
    if subject.open().is_ok() {
        return Err("a second writer was let in".into());
    }
    log.append(&[Chain::new(ledger()).block(&[40])?])?;
    log.close()?;
    Ok(subject.open()?.close()?)
}

/// Makes blocks that continue each other, for these checks and for tests of
/// one adapter alone.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    ledger: LedgerId,
    head: Head,
    epoch: u64,
}

impl Chain {
    /// A new ledger's.
    pub fn new(ledger: LedgerId) -> Self {
        Self::continuing(ledger, Head::genesis(ledger), 1)
    }

    /// Continues this head in this epoch.
    pub fn continuing(ledger: LedgerId, head: Head, epoch: u64) -> Self {
        Self {
            ledger,
            head,
            epoch,
        }
    }

    /// The head after the last block.
    pub fn head(&self) -> Head {
        self.head
    }

    /// A block with one event for each length of content, which no compression
    /// makes shorter. The ledger's first event has no content.
    ///
    /// # Errors
    /// If the events do not fit one block.
    pub fn block(&mut self, lens: &[usize]) -> Result<SealedBlock, Box<dyn Error>> {
        let mut builder = BlockBuilder::new(self.head, self.epoch);
        for len in lens {
            let event = self.event(builder.next_position(), *len)?;
            builder.push(&event)?.ok_or("the block has no room")?;
        }
        let block = builder.seal();
        self.head = block.head;
        Ok(block)
    }

    fn event(&self, position: Position, len: usize) -> Result<Event, TextError> {
        let number = position.number();
        let mut noise = blake3::Hasher::new()
            .update(format!("{number} {len}").as_bytes())
            .finalize_xof();
        let mut salt = [0; 16];
        noise.fill(&mut salt);
        let body = if position == Position::FIRST {
            Body::LedgerCreated {
                ledger: self.ledger,
                software: Label::new("conformance")?,
                key_check: [0; 16],
            }
        } else {
            let mut content = vec![0; len];
            noise.fill(&mut content);
            Body::PolicyPackAdopted {
                pack: PackId::new("conformance")?,
                content: content.into(),
            }
        };
        Ok(Event {
            header: Header {
                position,
                stream: StreamId::of(StreamKind::Ledger, "conformance"),
                revision: number,
                stream_previous: Position::new(number.saturating_sub(1)),
                recorded_at: i64::try_from(number).unwrap_or(i64::MAX),
                request: None,
                principal: Principal::new("conformance")?,
                office: None,
                basis: None,
                policy: None,
                cause: None,
                salt,
                credential: None,
            },
            body,
        })
    }
}

fn ledger() -> LedgerId {
    LedgerId::new(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0001))
}

/// Enough of a block to compare and to print.
fn digest(block: &[u8]) -> Hash {
    Hash::from_bytes(*blake3::hash(block).as_bytes())
}

fn read(reader: &dyn Reader, position: u64) -> Result<Option<Hash>, Box<dyn Error>> {
    let position = Position::new(position).ok_or("position 0")?;
    Ok(reader.block_with(position)?.map(|block| digest(&block)))
}

fn run(reader: &dyn Reader, position: u64) -> Result<Vec<Hash>, Box<dyn Error>> {
    let position = Position::new(position).ok_or("position 0")?;
    reader
        .blocks_from(position)
        .map(|block| Ok(digest(&block?)))
        .collect()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Outcome {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, expected {expected:?}").into())
}
