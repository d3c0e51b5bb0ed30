//! From the log to events: one at a time, or the whole log on all cores.

use std::{
    ops::{ControlFlow, Deref},
    sync::mpsc,
    thread,
};

use luzhang_ledger::{
    Event, Hash, Position,
    block::BlockView,
    codec,
    hash::ChainHasher,
    log::{ReadError, Reader},
    verify::{Finding, Verifier},
};
use rayon::prelude::*;
use thiserror::Error;

use crate::convert::to_proto::LoggedEvent;

/// Why the log could not be read to its end.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// A block could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The chain does not hold.
    #[error("the chain does not hold at {}: {}", .0.place, .0.detail)]
    Broken(Finding),
    /// An event cannot be understood.
    #[error("event {position} cannot be understood: {detail}")]
    Event {
        /// Where.
        position: Position,
        /// Why not.
        detail: String,
    },
}

/// An event of the log, with its hash.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The event.
    pub event: Event,
    /// Its hash, which is the chain's head after it.
    pub hash: Hash,
}

impl Deref for Replayed {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.event
    }
}

/// How many blocks a core decodes at a time. Decoded events are several times as
/// large as their blocks, and a few batches of them wait while a slow reader, such
/// as a report's workbook, is at work: so few keep a walk in a few dozen MiB.
const BLOCKS_PER_CORE: usize = 1;

fn batch_size() -> usize {
    rayon::current_num_threads().saturating_mul(BLOCKS_PER_CORE)
}

/// Verifies the log from its first event on, decodes it on all cores, and hands
/// the events over in order, batch by batch, until `take` breaks off.
pub fn replay(
    reader: &dyn Reader,
    take: impl FnMut(Vec<Replayed>) -> ControlFlow<()>,
) -> Result<(), ReplayError> {
    replay_blocks(reader.blocks_from(Position::FIRST), take)
}

/// The same for blocks from anywhere: they are verified here.
pub fn replay_blocks<I>(
    blocks: I,
    take: impl FnMut(Vec<Replayed>) -> ControlFlow<()>,
) -> Result<(), ReplayError>
where
    I: Iterator<Item = Result<Vec<u8>, ReadError>> + Send,
{
    let mut verifier = Verifier::new(None);
    let mut blocks = blocks.peekable();
    let batches = std::iter::from_fn(move || {
        blocks.peek()?;
        let batch: Result<Vec<_>, ReadError> = blocks.by_ref().take(batch_size()).collect();
        Some(batch.map_err(ReplayError::from).and_then(|batch| {
            verifier.push(&batch).map_err(ReplayError::Broken)?;
            Ok(batch)
        }))
    });
    replay_verified(batches, take)
}

/// The same for blocks that were verified, batch by batch, before they come
/// here. The first error ends it, and what was handed over is then worthless.
pub fn replay_verified<I>(
    batches: I,
    mut take: impl FnMut(Vec<Replayed>) -> ControlFlow<()>,
) -> Result<(), ReplayError>
where
    I: Iterator<Item = Result<Vec<Vec<u8>>, ReplayError>> + Send,
{
    thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel::<Result<Vec<Replayed>, ReplayError>>(1);
        scope.spawn(move || {
            for batch in batches {
                let batch = match batch {
                    Ok(batch) => batch,
                    Err(error) => {
                        // Whoever broke off does not ask.
                        let _gone = send.send(Err(error));
                        return;
                    }
                };
                for blocks in batch.chunks(batch_size()) {
                    let events = decode(blocks);
                    let failed = events.is_err();
                    if send.send(events).is_err() || failed {
                        return;
                    }
                }
            }
        });
        for events in receive {
            if take(events?).is_break() {
                break;
            }
        }
        Ok(())
    })
}

fn decode(blocks: &[Vec<u8>]) -> Result<Vec<Replayed>, ReplayError> {
    let decoded: Vec<Result<Vec<Replayed>, ReplayError>> = blocks
        .par_iter()
        .map(|bytes| {
            let mut events = Vec::new();
            each_event(bytes, |_, replayed, _| events.push(replayed)).map(|()| events)
        })
        .collect();
    let mut events = Vec::new();
    for block in decoded {
        events.extend(block?);
    }
    Ok(events)
}

/// The events of one block, with their hashes.
pub fn block_events(bytes: &[u8]) -> Result<Vec<LoggedEvent>, ReplayError> {
    let mut events = Vec::new();
    each_event(bytes, |stored, Replayed { event, hash }, previous| {
        events.push(LoggedEvent {
            stored: stored.to_vec(),
            hash,
            previous,
            event,
        });
    })?;
    Ok(events)
}

/// Decodes a block: its events in order, each as it is stored, as it is meant,
/// and with the hash before it.
fn each_event(
    bytes: &[u8],
    mut take: impl FnMut(&[u8], Replayed, Hash),
) -> Result<(), ReplayError> {
    let damaged = |position: Position, detail: String| ReplayError::Event { position, detail };
    let view = BlockView::parse(bytes).map_err(|e| damaged(Position::FIRST, e.to_string()))?;
    let mut hasher = ChainHasher::default();
    let mut previous: Hash = view.chain_before;
    for frame in view.frames() {
        let frame =
            frame.map_err(|bad| damaged(bad.position, "its length is not right".to_owned()))?;
        let event =
            codec::decode(frame.event).map_err(|e| damaged(frame.position, e.to_string()))?;
        let hash = hasher.event(previous, frame.event);
        take(frame.event, Replayed { event, hash }, previous);
        previous = hash;
    }
    Ok(())
}

/// The hashes of up to `count` events from `first` on.
pub fn event_hashes(
    reader: &dyn Reader,
    first: Position,
    count: usize,
) -> Result<Vec<Hash>, ReplayError> {
    let mut hashes = Vec::with_capacity(count);
    for block in reader.blocks_from(first) {
        let block = block?;
        let damaged = |position, detail| ReplayError::Event { position, detail };
        let view = BlockView::parse(&block).map_err(|error| damaged(first, error.to_string()))?;
        let mut hasher = ChainHasher::default();
        let mut chain = view.chain_before;
        for frame in view.frames() {
            let frame =
                frame.map_err(|bad| damaged(bad.position, "its length is not right".to_owned()))?;
            chain = hasher.event(chain, frame.event);
            if frame.position >= first && hashes.len() < count {
                hashes.push(chain);
            }
        }
        if hashes.len() == count {
            break;
        }
    }
    Ok(hashes)
}

/// One event; `None` beyond the end.
pub fn event_at(
    reader: &dyn Reader,
    position: Position,
) -> Result<Option<LoggedEvent>, ReplayError> {
    let Some(block) = reader.block_with(position)? else {
        return Ok(None);
    };
    let events = block_events(&block)?;
    Ok(events
        .into_iter()
        .find(|e| e.event.header.position == position))
}
