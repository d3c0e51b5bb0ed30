//! Copying a log: block by block as they are, each verified on the way, on from
//! where an earlier copy ended.
//!
//! A target that holds something already must hold the beginning of what is copied.
//! A block's hash covers all blocks before it, so it is enough that the source has the
//! target's last block.

use std::{io::Write, sync::mpsc, thread};

use thiserror::Error;

use super::{AppendError, Log, ReadError, backup::ShelfFault};
use crate::{
    block::{BlockBuilder, BlockView, Head, SealedBlock},
    export::ExportWriter,
    hash::ChainHasher,
    position::{LedgerId, Position},
    verify::{Finding, Place, Verdict, Verifier, batches},
};

/// How many bytes of blocks are verified and appended at a time.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Why the next block of a source cannot be had.
#[derive(Debug, Error)]
pub enum SupplyError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The source verifies what it gives out, and found this.
    #[error("the source does not hold at {}: {}", .0.place, .0.detail)]
    Broken(Finding),
    /// It is a backup, and this is wrong with it.
    #[error(transparent)]
    Shelf(#[from] ShelfFault),
}

/// Where blocks are copied to.
pub trait Target {
    /// Why blocks were not taken.
    type Error;

    /// The end of what is there.
    fn head(&self) -> Head;

    /// Takes blocks that were verified, and continue what is there.
    fn append(&mut self, blocks: Vec<Vec<u8>>) -> Result<(), Self::Error>;
}

/// Why a copy ended before the end.
#[derive(Debug, Error)]
pub enum CopyError<E> {
    /// The source's blocks did not come.
    #[error(transparent)]
    Supply(#[from] SupplyError),
    /// A block does not hold.
    #[error("the source does not hold at {}: {}", .0.place, .0.detail)]
    Broken(Finding),
    /// The blocks are another ledger's.
    #[error("the source is ledger {found}, the target is of ledger {expected}")]
    OtherLedger {
        /// The source's.
        found: LedgerId,
        /// The target's.
        expected: LedgerId,
    },
    /// The source has another block where the target ends.
    #[error("at position {position} the source is another chain than what was copied before")]
    Forked {
        /// Where the target ends. They differ there or before.
        position: Position,
    },
    /// The source has the same events, but not in the same blocks.
    #[error(
        "up to position {position} the source has the same events, but in other blocks: what is \
         there was cut inside a block"
    )]
    Cut {
        /// Where the target ends.
        position: Position,
    },
    /// The source ends before the target does.
    #[error("the source ends before position {position}, which was copied before")]
    Shorter {
        /// Where the target ends.
        position: Position,
    },
    /// The target did not take the blocks.
    #[error("the target did not take the blocks")]
    Target(E),
}

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Where the target ended before.
    pub from: Head,
    /// Where it ends now.
    pub to: Head,
}

impl Copied {
    /// Events that were copied now.
    pub fn events(&self) -> u64 {
        let at = |head: &Head| head.position.map_or(0, Position::number);
        at(&self.to).saturating_sub(at(&self.from))
    }

    /// Blocks that were copied now.
    pub fn blocks(&self) -> u64 {
        self.to.height.saturating_sub(self.from.height)
    }
}

/// Copies blocks to their end, or up to the event at `until`, and then only
/// reads on. `blocks` begin with the block that holds the target's last event, if it
/// has one, and else with the first.
///
/// One thread reads while the others hash. `progress` is told how far the target has
/// come.
///
/// # Errors
/// What was appended before an error stays, and holds.
pub fn copy<I, T>(
    blocks: I,
    ledger: LedgerId,
    target: &mut T,
    until: Option<Position>,
    mut progress: impl FnMut(Position),
) -> Result<Copied, CopyError<T::Error>>
where
    I: Iterator<Item = Result<Vec<u8>, SupplyError>> + Send,
    T: Target,
{
    let from = target.head();
    let mut copying = Copying {
        ledger,
        seam: from.position.map(|position| (position, from)),
        verifier: match from.position {
            None => Verifier::new(None),
            Some(_) => Verifier::after(ledger, from),
        },
        until,
    };
    thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel::<Vec<Result<Vec<u8>, SupplyError>>>(1);
        scope.spawn(move || {
            for batch in batches(blocks, BATCH_BYTES) {
                if send.send(batch).is_err() {
                    return;
                }
            }
        });
        for batch in receive {
            let mut sound = Vec::with_capacity(batch.len());
            let mut error = None;
            for block in batch {
                match block {
                    Ok(block) => sound.push(block),
                    Err(found) => error = Some(found),
                }
            }
            let verified = copying.verified(sound, &target.head())?;
            if !verified.is_empty() {
                target.append(verified).map_err(CopyError::Target)?;
                target.head().position.into_iter().for_each(&mut progress);
            }
            if let Some(error) = error {
                return Err(error.into());
            }
        }
        match copying.seam {
            Some((position, _)) => Err(CopyError::Shorter { position }),
            None => Ok(Copied {
                from,
                to: target.head(),
            }),
        }
    })
}

/// A copy under way.
struct Copying {
    ledger: LedgerId,
    /// The target's last block, until the source has shown that it has it too.
    seam: Option<(Position, Head)>,
    verifier: Verifier,
    until: Option<Position>,
}

impl Copying {
    /// The blocks that are to be appended, of those that came.
    fn verified<E>(
        &mut self,
        mut blocks: Vec<Vec<u8>>,
        head: &Head,
    ) -> Result<Vec<Vec<u8>>, CopyError<E>> {
        if let Some((position, head)) = self.seam
            && let Some(first) = blocks.first()
        {
            joins(first, position, &head)?;
            self.seam = None;
            blocks.remove(0);
        }
        let next = self.verifier.next_position();
        if let Some(until) = self.until {
            blocks = up_to(until, next, blocks);
        }
        self.verifier.push(&blocks).map_err(CopyError::Broken)?;
        if let Some(found) = self.verifier.ledger().filter(|found| *found != self.ledger) {
            let expected = self.ledger;
            return Err(CopyError::OtherLedger { found, expected });
        }
        if let Some(until) = self.until
            && let Some(last) = blocks.pop()
        {
            let before = blocks.last().and_then(|bytes| BlockView::parse(bytes).ok());
            let before = before.map_or(*head, |view| view.head());
            blocks.push(cut(before, last, until)?);
        }
        Ok(blocks)
    }
}

/// Of blocks, those with events up to this one; the first begins at `next`.
fn up_to(until: Position, mut next: Position, blocks: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let wanted = |block: &Vec<u8>| {
        let here = next;
        // A block that cannot be read is for the verifier to judge.
        next = BlockView::parse(block).map_or(next, |view| view.last().next());
        here <= until
    };
    blocks.into_iter().take_while(wanted).collect()
}

/// Whether the source's block is the last one of the target.
fn joins<E>(bytes: &[u8], position: Position, head: &Head) -> Result<(), CopyError<E>> {
    let broken = |detail: String| {
        CopyError::Broken(Finding {
            verdict: Verdict::Tampered,
            place: Place::Event(position),
            detail,
        })
    };
    let view = BlockView::parse(bytes).map_err(|error| broken(error.to_string()))?;
    if view.computed_hash() != view.block {
        return Err(broken("the block's header does not match its hash".into()));
    }
    if view.head() == *head {
        return Ok(());
    }
    let mut hasher = ChainHasher::default();
    let mut chain = view.chain_before;
    for frame in view.frames().flatten() {
        chain = hasher.event(chain, frame.event);
        if frame.position == position && chain == head.chain {
            return Err(CopyError::Cut { position });
        }
    }
    Err(CopyError::Forked { position })
}

/// A block with its events up to `until`, sealed anew if there were more. Its events
/// and their hashes stay what they are; its own hash is another.
fn cut<E>(before: Head, bytes: Vec<u8>, until: Position) -> Result<Vec<u8>, CopyError<E>> {
    let broken = |position: Position, detail: &str| {
        CopyError::Broken(Finding {
            verdict: Verdict::Tampered,
            place: Place::Event(position),
            detail: detail.to_owned(),
        })
    };
    let Ok(view) = BlockView::parse(&bytes) else {
        return Err(broken(until, "the block does not parse"));
    };
    if view.last() <= until {
        return Ok(bytes);
    }
    let mut builder = BlockBuilder::new(before, view.epoch);
    for frame in view.frames() {
        let frame = frame.map_err(|bad| broken(bad.position, "its length is not right"))?;
        if frame.position > until {
            break;
        }
        if !matches!(builder.push_stored(frame.event), Ok(Some(_))) {
            return Err(broken(frame.position, "the event does not fit a block"));
        }
    }
    Ok(builder.seal().bytes)
}

/// A log as a target.
#[derive(Debug)]
pub struct IntoLog<'a>(pub &'a mut dyn Log);

impl Target for IntoLog<'_> {
    type Error = AppendError;

    fn head(&self) -> Head {
        self.0.head()
    }

    fn append(&mut self, blocks: Vec<Vec<u8>>) -> Result<(), AppendError> {
        let mut head = self.0.head();
        let mut sealed = Vec::with_capacity(blocks.len());
        for bytes in blocks {
            let block = SealedBlock::read(head, bytes).ok_or(AppendError::Broken)?;
            head = block.head;
            sealed.push(block);
        }
        self.0.append(&sealed)
    }
}

impl<W: Write> Target for ExportWriter<W> {
    type Error = std::io::Error;

    fn head(&self) -> Head {
        Self::head(self)
    }

    fn append(&mut self, blocks: Vec<Vec<u8>>) -> Result<(), std::io::Error> {
        blocks.iter().try_for_each(|block| self.block(block))
    }
}
