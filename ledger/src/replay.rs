//! From blocks to events: the whole log, decoded on all cores and handed over in
//! order.

use std::{
    ops::{ControlFlow, Deref},
    sync::mpsc,
    thread,
};

use rayon::prelude::*;
use thiserror::Error;

use crate::{
    block::{BlockView, FRAME_HEADER_LEN, Frame, Head},
    codec,
    event::Event,
    hash::{ChainHasher, Hash},
    log::{ReadError, Reader},
    position::{LedgerId, Position},
    verify::{Finding, Verifier, batches},
};

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

/// How many bytes of blocks each core decodes at a time. Decoded events are several
/// times as large as their blocks, and a few batches of them wait while a slow reader,
/// such as a report's workbook, is at work: so few keep a walk in a few dozen MiB.
const BYTES_PER_CORE: usize = 256 * 1024;

fn batch_bytes() -> usize {
    rayon::current_num_threads().saturating_mul(BYTES_PER_CORE)
}

/// Verifies the log from its first event on, decodes it on all cores, and hands
/// the events over in order, block by block, until `take` breaks off.
pub fn replay(
    reader: &dyn Reader,
    take: impl FnMut(Vec<Replayed>) -> ControlFlow<()>,
) -> Result<(), ReplayError> {
    replay_blocks(reader.blocks_from(Position::FIRST), take)
}

/// The same for what comes after a head up to which the log is known to hold.
pub fn replay_after(
    reader: &dyn Reader,
    (ledger, head): (LedgerId, Head),
    take: impl FnMut(Vec<Replayed>) -> ControlFlow<()>,
) -> Result<(), ReplayError> {
    let blocks = reader.blocks_from(head.next_position());
    verify_and_replay(Verifier::after(ledger, head), blocks, take)
}

/// The same for blocks from anywhere: they are verified here.
pub fn replay_blocks<I>(
    blocks: I,
    take: impl FnMut(Vec<Replayed>) -> ControlFlow<()>,
) -> Result<(), ReplayError>
where
    I: Iterator<Item = Result<Vec<u8>, ReadError>> + Send,
{
    verify_and_replay(Verifier::new(None), blocks, take)
}

fn verify_and_replay<I>(
    mut verifier: Verifier,
    blocks: I,
    take: impl FnMut(Vec<Replayed>) -> ControlFlow<()>,
) -> Result<(), ReplayError>
where
    I: Iterator<Item = Result<Vec<u8>, ReadError>> + Send,
{
    let decode = move |batch: Vec<Result<Vec<u8>, ReadError>>| {
        let batch: Result<Vec<Vec<u8>>, ReadError> = batch.into_iter().collect();
        verifier.decode(&batch?)
    };
    pass_on(batches(blocks, batch_bytes()), decode, take)
}

/// The same for blocks that were verified, batch by batch, before they come
/// here. The first error ends it, and what was handed over is then worthless.
pub fn replay_verified<I>(
    batches: I,
    take: impl FnMut(Vec<Replayed>) -> ControlFlow<()>,
) -> Result<(), ReplayError>
where
    I: Iterator<Item = Result<Vec<Vec<u8>>, ReplayError>> + Send,
{
    pass_on(batches, |batch| decode(&batch?), take)
}

/// How many batches are between one thread and the next: enough that none waits for
/// another to be woken.
const BETWEEN: usize = 4;

/// One thread reads, another decodes on all cores, and this one takes.
fn pass_on<B: Send>(
    batches: impl Iterator<Item = B> + Send,
    mut decode: impl FnMut(B) -> Result<Vec<Vec<Replayed>>, ReplayError> + Send,
    mut take: impl FnMut(Vec<Replayed>) -> ControlFlow<()>,
) -> Result<(), ReplayError> {
    type Batch = Result<Vec<Vec<Replayed>>, ReplayError>;
    thread::scope(|scope| {
        let (send_batch, receive_batch) = mpsc::sync_channel::<B>(BETWEEN);
        let (send, receive) = mpsc::sync_channel::<Batch>(BETWEEN);
        scope.spawn(move || {
            for batch in batches {
                if send_batch.send(batch).is_err() {
                    return;
                }
            }
        });
        scope.spawn(move || {
            for batch in receive_batch {
                let decoded = decode(batch);
                let failed = decoded.is_err();
                // Whoever broke off does not ask.
                if send.send(decoded).is_err() || failed {
                    return;
                }
            }
        });
        for blocks in receive {
            for events in blocks? {
                if take(events).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    })
}

fn decode(blocks: &[Vec<u8>]) -> Result<Vec<Vec<Replayed>>, ReplayError> {
    let decoded: Vec<Result<Vec<Replayed>, ReplayError>> = blocks
        .par_iter()
        .map(|bytes| {
            let mut events = room_for(bytes);
            each_event(bytes, |_, replayed, _| events.push(replayed)).map(|()| events)
        })
        .collect();
    decoded.into_iter().collect()
}

/// Room for a block's events, if it has as many as it says.
fn room_for(bytes: &[u8]) -> Vec<Replayed> {
    let stated = BlockView::parse(bytes).map_or(0, |view| view.count);
    let most = bytes.len() / FRAME_HEADER_LEN;
    Vec::with_capacity(usize::try_from(stated).map_or(most, |stated| stated.min(most)))
}

/// A block's events, while it is verified.
pub(crate) struct Decoded {
    events: Vec<Replayed>,
    failed: Option<ReplayError>,
}

impl Decoded {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            events: room_for(bytes),
            failed: None,
        }
    }

    pub(crate) fn push(&mut self, frame: &Frame<'_>, hash: Hash) {
        if self.failed.is_some() {
            return;
        }
        match codec::decode(frame.event) {
            Ok(event) => self.events.push(Replayed { event, hash }),
            Err(error) => {
                self.failed = Some(ReplayError::Event {
                    position: frame.position,
                    detail: error.to_string(),
                });
            }
        }
    }

    pub(crate) fn finish(self) -> Result<Vec<Replayed>, ReplayError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.events),
        }
    }
}

/// Decodes a block: its events in order, each as it is stored, as it is meant,
/// and with the hash before it.
pub fn each_event(
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
