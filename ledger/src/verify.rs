//! Verification: from blocks alone, without trusting whoever wrote them.
//!
//! Each block carries the chain hash that comes in, so blocks are checked on
//! all cores; how they join is checked in order. A chain that verifies proves
//! that it is consistent in itself. Only an anchor from elsewhere (a head that
//! was written down, a receipt) proves that it is the chain it claims to be.

use std::{fmt, io, sync::mpsc, thread};

use rayon::prelude::*;

use crate::{
    block::{BlockView, Frame, Head},
    codec,
    event::Body,
    hash::{ChainHasher, Hash},
    log::ReadError,
    position::{LedgerId, Position},
    proof::{Frontier, Node, TreeHead},
    replay::{Decoded, ReplayError, Replayed},
};

/// What verification found, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every hash holds and the anchor is on the chain.
    Intact,
    /// Every hash holds; there was no anchor to compare with.
    SelfConsistent,
    /// Bytes were changed.
    Tampered,
    /// The end is missing.
    Truncated,
    /// Every hash holds, but the anchor is not on this chain.
    Forked,
    /// There are no events.
    Empty,
    /// This is not a ledger, or it cannot be read.
    Unreadable,
}

impl Verdict {
    /// The word, as JSON output has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::SelfConsistent => "self_consistent",
            Self::Tampered => "tampered",
            Self::Truncated => "truncated",
            Self::Forked => "forked",
            Self::Empty => "empty",
            Self::Unreadable => "unreadable",
        }
    }

    /// The exit code: 0 good, 10 tampering found, 11 nothing could be verified.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Intact | Self::SelfConsistent => 0,
            Self::Tampered | Self::Truncated | Self::Forked => 10,
            Self::Empty | Self::Unreadable => 11,
        }
    }
}

/// Something known from elsewhere that must be on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The hash of an event, which is the chain head at its position.
    pub hash: Hash,
    /// Its position, if known. Without it every position is searched.
    pub position: Option<Position>,
}

/// Where something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The event at this position, or the block that begins with it.
    Event(Position),
    /// The header of an export file.
    FileHeader,
    /// The trailer of an export file.
    Trailer,
    /// What is stored, as a whole.
    Whole,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(position) => write!(f, "event {position}"),
            Self::FileHeader => f.write_str("file header"),
            Self::Trailer => f.write_str("file trailer"),
            Self::Whole => f.write_str("ledger"),
        }
    }
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Tampered, truncated, forked or unreadable.
    pub verdict: Verdict,
    /// Where.
    pub place: Place,
    /// What, in English.
    pub detail: String,
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In one word.
    pub verdict: Verdict,
    /// Events in whole blocks whose hashes hold, from the first on.
    pub events: u64,
    /// The hash of the last of them.
    pub chain_head: Option<Hash>,
    /// The ledger that it says it is.
    pub ledger: Option<LedgerId>,
    /// The head of the tree over these events, if it was computed.
    pub tree: Option<TreeHead>,
    /// What is wrong and where, if anything.
    pub finding: Option<Finding>,
}

impl Report {
    /// The position of the first event that is missing or bad.
    pub fn first_bad_position(&self) -> Option<Position> {
        match self.finding.as_ref()?.place {
            Place::Event(position) => Some(position),
            Place::FileHeader | Place::Trailer | Place::Whole => None,
        }
    }
}

/// How many bytes of blocks are handed to the cores at a time: enough for many cores,
/// and for many small blocks.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Takes blocks in order and remembers how far the chain holds.
#[derive(Debug)]
pub struct Verifier {
    anchor: Option<Anchor>,
    anchor_met: bool,
    ledger: Option<LedgerId>,
    head: Option<Head>,
    tree: Option<TreeCheck>,
}

/// Heads of the tree that must be those of this chain.
#[derive(Debug, Default)]
struct TreeCheck {
    frontier: Frontier,
    expected: Vec<ExpectedTree>,
}

/// A head of the tree that is known from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedTree {
    /// The head.
    pub head: TreeHead,
    /// How it is known.
    pub known: Known,
}

/// How something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Signed by somebody who is trusted: an anchor.
    Signed,
    /// It lies beside the chain, where whoever changes the one may change the
    /// other. It can contradict the chain, but not vouch for it.
    Beside,
}

/// What one block shows by itself.
struct Checked {
    head: Head,
    first: Position,
    previous_block: Hash,
    chain_before: Hash,
    first_event: Option<LedgerId>,
    anchor_met: bool,
    anchor_contradicted: bool,
    /// Empty if no tree is asked for.
    leaves: Vec<Node>,
}

impl Verifier {
    /// Nothing seen yet.
    pub fn new(anchor: Option<Anchor>) -> Self {
        Self {
            anchor,
            anchor_met: false,
            ledger: None,
            head: None,
            tree: None,
        }
    }

    /// Everything up to a head was verified before, and is the beginning of this
    /// ledger's chain.
    pub fn after(ledger: LedgerId, head: Head) -> Self {
        Self {
            ledger: Some(ledger),
            head: Some(head),
            ..Self::new(None)
        }
    }

    /// Computes the tree too, and compares it with these heads.
    #[must_use]
    pub fn with_tree(mut self, expected: impl IntoIterator<Item = ExpectedTree>) -> Self {
        let tree = self.tree.get_or_insert_default();
        tree.expected.extend(expected);
        self
    }

    /// The head of the tree over what was verified so far, if it is computed.
    pub fn tree(&self) -> Option<TreeHead> {
        self.tree.as_ref().map(|tree| tree.frontier.head())
    }

    /// The head of what was verified so far.
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// The ledger that the first event names.
    pub fn ledger(&self) -> Option<LedgerId> {
        self.ledger
    }

    /// The position of the next event to come.
    pub fn next_position(&self) -> Position {
        self.head
            .and_then(|head| head.position)
            .map_or(Position::FIRST, Position::next)
    }

    /// Checks blocks that continue what was seen.
    pub fn push(&mut self, blocks: &[Vec<u8>]) -> Result<(), Finding> {
        let look = self.look();
        let checked: Vec<Result<Checked, Flaw>> = blocks
            .par_iter()
            .map(|bytes| check_block(bytes, look, |_, _| ()))
            .collect();
        for checked in checked {
            self.join_checked(checked)?;
        }
        Ok(())
    }

    /// The same, and decodes their events: each block is read once.
    pub(crate) fn decode(&mut self, blocks: &[Vec<u8>]) -> Result<Vec<Vec<Replayed>>, ReplayError> {
        let look = self.look();
        let checked: Vec<(Result<Checked, Flaw>, Decoded)> = blocks
            .par_iter()
            .map(|bytes| {
                let mut decoded = Decoded::of(bytes);
                let checked = check_block(bytes, look, |frame, hash| decoded.push(frame, hash));
                (checked, decoded)
            })
            .collect();
        let joined = checked.into_iter().map(|(checked, decoded)| {
            self.join_checked(checked).map_err(ReplayError::Broken)?;
            decoded.finish()
        });
        joined.collect()
    }

    fn look(&self) -> Look {
        Look {
            anchor: self.anchor,
            leaves: self.tree.is_some(),
        }
    }

    fn join_checked(&mut self, checked: Result<Checked, Flaw>) -> Result<(), Finding> {
        let here = self.next_position();
        self.join(&checked.map_err(|flaw| flaw.at(here))?)
    }

    fn join(&mut self, next: &Checked) -> Result<(), Finding> {
        let here = Place::Event(self.next_position());
        let expected = if let Some(head) = self.head {
            head
        } else {
            let ledger = next
                .first_event
                .ok_or_else(|| tampered(here, "the first event is not LedgerCreated"))?;
            self.ledger = Some(ledger);
            Head::genesis(ledger)
        };
        if next.first != expected.next_position() {
            return Err(tampered(here, ELSEWHERE));
        }
        if next.head.height != expected.height.saturating_add(1) {
            return Err(tampered(here, "a block is missing or out of order"));
        }
        if next.previous_block != expected.block || next.chain_before != expected.chain {
            return Err(tampered(here, "the block does not continue the chain"));
        }
        if next.head.epoch < expected.epoch || next.head.recorded_at <= expected.recorded_at {
            return Err(tampered(here, "time or epoch runs backwards"));
        }
        if next.anchor_contradicted {
            return Err(Finding {
                verdict: Verdict::Forked,
                place: self
                    .anchor
                    .and_then(|anchor| anchor.position)
                    .map_or(here, Place::Event),
                detail: "the event at the anchor's position has another hash".to_owned(),
            });
        }
        if let Some(tree) = &mut self.tree {
            self.anchor_met |= tree.grow(&next.leaves)?;
        }
        self.anchor_met |= next.anchor_met;
        self.head = Some(next.head);
        Ok(())
    }

    /// The verdict, with what ended the reading if anything did.
    pub fn finish(self, finding: Option<Finding>) -> Report {
        let finding = finding.or_else(|| self.anchor_finding());
        let verdict = match (&finding, self.head, self.anchor_met) {
            (Some(finding), _, _) => finding.verdict,
            (None, None, _) => Verdict::Empty,
            (None, Some(_), true) => Verdict::Intact,
            (None, Some(_), false) => Verdict::SelfConsistent,
        };
        Report {
            verdict,
            events: self
                .head
                .and_then(|head| head.position)
                .map_or(0, Position::number),
            chain_head: self.head.map(|head| head.chain),
            ledger: self.ledger,
            tree: self.tree.map(|tree| tree.frontier.head()),
            finding,
        }
    }

    fn anchor_finding(&self) -> Option<Finding> {
        let longest = self.tree.as_ref().and_then(TreeCheck::longest);
        if let Some(size) = longest.filter(|size| size.number() >= self.next_position().number()) {
            return Some(Finding {
                verdict: Verdict::Truncated,
                place: Place::Event(self.next_position()),
                detail: format!("a checkpoint covers {size} events, more than there are"),
            });
        }
        let anchor = self.anchor.filter(|_| !self.anchor_met)?;
        let truncated = |detail| Finding {
            verdict: Verdict::Truncated,
            place: Place::Event(self.next_position()),
            detail,
        };
        Some(match (anchor.position, self.head) {
            (Some(position), _) => truncated(format!(
                "the chain ends before the anchor's position {position}"
            )),
            (None, None) => truncated("nothing is left of what the anchor saw".to_owned()),
            (None, Some(_)) => Finding {
                verdict: Verdict::Forked,
                place: Place::Whole,
                detail: "no event of this chain has the anchor's hash".to_owned(),
            },
        })
    }
}

impl TreeCheck {
    /// Takes the leaves of a block. Whether an anchor was met in it.
    fn grow(&mut self, leaves: &[Node]) -> Result<bool, Finding> {
        let mut met = false;
        for leaf in leaves {
            self.frontier.push(*leaf);
            let size = self.frontier.size();
            for expected in self.expected.iter().filter(|tree| tree.head.size == size) {
                if self.frontier.head() != expected.head {
                    return Err(Finding {
                        verdict: Verdict::Forked,
                        place: expected.head.last().map_or(Place::Whole, Place::Event),
                        detail: format!("the tree over {size} events has another root"),
                    });
                }
                met |= expected.known == Known::Signed;
            }
        }
        Ok(met)
    }

    fn longest(&self) -> Option<Position> {
        self.expected
            .iter()
            .filter_map(|tree| tree.head.last())
            .max()
    }
}

fn tampered(place: Place, detail: &str) -> Finding {
    Finding {
        verdict: Verdict::Tampered,
        place,
        detail: detail.to_owned(),
    }
}

const ELSEWHERE: &str = "the block does not begin where the last one ended";

/// What is wrong inside one block. Only whoever knows the blocks before it
/// knows where it stands: what it says of that itself may be what was changed.
struct Flaw {
    /// Where the block says that it begins; `None` if it does not parse.
    stated: Option<Position>,
    /// How many events of the block come before the one at fault.
    sound: u64,
    detail: String,
}

impl Flaw {
    /// The finding for a block that should begin here.
    fn at(self, here: Position) -> Finding {
        if self.stated.is_some_and(|stated| stated != here) {
            return tampered(Place::Event(here), ELSEWHERE);
        }
        let number = here.number().saturating_add(self.sound);
        let place = Place::Event(Position::new(number).unwrap_or(here));
        tampered(place, &self.detail)
    }
}

/// What to look for in a block, besides faults.
#[derive(Clone, Copy)]
struct Look {
    anchor: Option<Anchor>,
    leaves: bool,
}

/// Checks a block by itself; `take` is handed each event whose hash holds, with it.
fn check_block(
    bytes: &[u8],
    look: Look,
    mut take: impl FnMut(&Frame<'_>, Hash),
) -> Result<Checked, Flaw> {
    let view = BlockView::parse(bytes).map_err(|error| Flaw {
        stated: None,
        sound: 0,
        detail: error.to_string(),
    })?;
    let flaw = |position: Position, detail: &str| Flaw {
        stated: Some(view.first),
        sound: position.number().saturating_sub(view.first.number()),
        detail: detail.to_owned(),
    };
    let mut hasher = ChainHasher::default();
    let mut chain = view.chain_before;
    let mut last = None;
    let mut first_event = None;
    let mut leaves = Vec::new();
    let (mut anchor_met, mut anchor_contradicted) = (false, false);
    for frame in view.frames() {
        let frame = frame.map_err(|bad| {
            flaw(
                bad.position,
                "the events' lengths or their number are not right",
            )
        })?;
        let at = frame.position;
        chain = hasher.event(chain, frame.event);
        if chain.tag() != frame.tag {
            return Err(flaw(at, "the event's bytes do not match its hash"));
        }
        if codec::position_of(frame.event) != Some(at.number()) {
            return Err(flaw(at, "the event says that it stands elsewhere"));
        }
        if at == Position::FIRST {
            let event = codec::decode(frame.event).map_err(|error| flaw(at, &error.to_string()))?;
            if let Body::LedgerCreated { ledger, .. } = event.body {
                first_event = Some(ledger);
            }
        }
        if look.leaves {
            leaves.push(Node::of_event(chain));
        }
        if let Some(anchor) = look.anchor {
            let here = anchor.position.is_none_or(|p| p == at);
            anchor_met |= here && anchor.hash == chain;
            anchor_contradicted |= here && anchor.position.is_some() && anchor.hash != chain;
        }
        last = Some(frame.event);
        take(&frame, chain);
    }
    if chain != view.chain_after {
        return Err(flaw(
            view.first,
            "the block's chain hash does not follow from its events",
        ));
    }
    if view.computed_hash() != view.block {
        return Err(flaw(
            view.first,
            "the block's header does not match its hash",
        ));
    }
    // An anchor covers events, not the headers of blocks. This keeps the one
    // value of a header that people read from saying something else.
    if last.and_then(codec::recorded_at_of) != Some(view.recorded_at) {
        return Err(flaw(
            view.first,
            "the block's time is not that of its last event",
        ));
    }
    Ok(Checked {
        head: view.head(),
        first: view.first,
        previous_block: view.previous_block,
        chain_before: view.chain_before,
        first_event,
        anchor_met,
        anchor_contradicted,
        leaves,
    })
}

/// Verifies a run of blocks from the first on. One thread reads while the
/// others hash; memory stays bounded whatever the log's size.
///
/// `progress` is told how many events hold so far.
pub fn verify_blocks<I>(blocks: I, anchor: Option<Anchor>, progress: impl FnMut(u64)) -> Report
where
    I: Iterator<Item = Result<Vec<u8>, ReadError>> + Send,
{
    verify_blocks_with(blocks, Verifier::new(anchor), progress)
}

/// The same with a verifier that looks for more.
pub fn verify_blocks_with<I>(
    blocks: I,
    mut verifier: Verifier,
    mut progress: impl FnMut(u64),
) -> Report
where
    I: Iterator<Item = Result<Vec<u8>, ReadError>> + Send,
{
    let mut finding = None;
    thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel::<Vec<Result<Vec<u8>, ReadError>>>(1);
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
                    Err(found) => {
                        error = Some(found);
                        break;
                    }
                }
            }
            let pushed = verifier.push(&sound);
            progress(verifier.next_position().number().saturating_sub(1));
            if let Err(found) = pushed {
                finding = Some(found);
                return;
            }
            if let Some(error) = error {
                finding = Some(read_finding(&error, verifier.next_position()));
                return;
            }
        }
    });
    verifier.finish(finding)
}

/// Runs of blocks of at least so many bytes together, the last one of what is left. An
/// error ends its run.
pub(crate) fn batches<I, E>(
    blocks: I,
    bytes: usize,
) -> impl Iterator<Item = Vec<Result<Vec<u8>, E>>>
where
    I: Iterator<Item = Result<Vec<u8>, E>>,
{
    let mut blocks = blocks.fuse();
    std::iter::from_fn(move || {
        let mut batch = Vec::new();
        let mut length = 0_usize;
        while length < bytes {
            let Some(block) = blocks.next() else { break };
            length = match &block {
                Ok(block) => length.saturating_add(block.len()),
                Err(_) => bytes,
            };
            batch.push(block);
        }
        (!batch.is_empty()).then_some(batch)
    })
}

fn read_finding(error: &ReadError, next: Position) -> Finding {
    let (verdict, place) = match error {
        ReadError::Damaged { .. } => (Verdict::Tampered, Place::Event(next)),
        ReadError::Fault(_) => (Verdict::Unreadable, Place::Event(next)),
    };
    Finding {
        verdict,
        place,
        detail: error.to_string(),
    }
}

/// A finding for something that could not be read at all.
pub fn unreadable(error: &io::Error) -> Finding {
    Finding {
        verdict: Verdict::Unreadable,
        place: Place::Whole,
        detail: error.to_string(),
    }
}
