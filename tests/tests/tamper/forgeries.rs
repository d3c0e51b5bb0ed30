//! Ledgers that were forged with care: what their own hashes still show, and
//! what only an anchor does.

use luzhang_ledger::{
    Body, Event, Fen, Hash, LedgerId, Position,
    block::{Head, SealedBlock},
    claim::Claim,
    export::verify_export,
    verify::{
        Anchor, Place,
        Verdict::{self, Empty, Forked, Intact, SelfConsistent, Truncated},
    },
};
use uuid::Uuid;

use super::{
    changes::{bytes_of, found, hashes, reseal},
    shelf::Shelf,
};
use crate::sample::{self, position};

/// What it is, its blocks, the anchor; the verdict and the first bad position.
type Row<'a> = (
    &'static str,
    &'a [SealedBlock],
    Option<Anchor>,
    Verdict,
    Option<u64>,
);

/// Forgers who recompute every hash still have to keep the rules.
#[test]
fn recomputed_block_hashes_do_not_excuse_a_broken_rule() {
    let events = sample::events();
    let resealed = |number: usize, place: usize, value: &[u8]| {
        let mut blocks = bytes_of(&sample::blocks());
        blocks[number][place..place + value.len()].copy_from_slice(value);
        reseal(&mut blocks);
        blocks
    };
    // The sample with a last block that continues another head.
    let continued = |change: &dyn Fn(&mut Head)| {
        let (mut last, mut head) = (events[28].clone(), sample::blocks()[4].head);
        change(&mut head);
        last.header.position = head.next_position();
        let mut blocks = bytes_of(&sample::blocks()[..5]);
        blocks.push(sample::block(head, 2, &[last]).bytes);
        blocks
    };
    let gap = continued(&|head| head.position = Position::new(30));
    let other_block = continued(&|head| head.block = Hash::from_bytes([7; 32]));
    let other_chain = continued(&|head| head.chain = Hash::from_bytes([7; 32]));
    let mut empty = bytes_of(&sample::blocks());
    empty.push(sample::block(sample::blocks()[5].head, 2, &[]).bytes);
    let time = 1_704_067_200_014_500_i64.to_le_bytes();
    for (name, blocks, at) in [
        ("a gap in the positions", gap, 29),
        ("another block before", other_block, 29),
        ("another chain before", other_chain, 29),
        ("a block without events", empty, 30),
        ("a reserved byte set", resealed(2, 3, &[1]), 9),
        ("another count", resealed(2, 4, &[6]), 9),
        ("a height left out", resealed(3, 8, &[9]), 16),
        ("an epoch that falls", resealed(4, 24, &[0]), 23),
        ("a block's time of its own", resealed(2, 32, &time), 9),
        ("another chain after", resealed(2, 104, &[7; 32]), 9),
        ("another head", resealed(5, 104, &[7; 32]), 29),
    ] {
        check(name, &blocks, at);
    }
}

#[test]
fn recomputed_event_hashes_do_not_excuse_a_broken_rule() {
    let events = sample::events();
    let rebuilt = |change: &dyn Fn(&mut Vec<Event>)| {
        let mut events = events.clone();
        change(&mut events);
        bytes_of(&sample::chain(Head::genesis(sample::ledger()), &events))
    };
    let still = rebuilt(&|events| {
        let time = events[7].header.recorded_at;
        for event in &mut events[8..15] {
            event.header.recorded_at = time;
        }
    });
    let elsewhere = rebuilt(&|events| events[10].header.position = position(12));
    let uncreated = rebuilt(&|events| events[0].body = events[1].body.clone());
    let pushed = rebuilt(&|events| events.insert(0, events[0].clone()));
    let other = Head::genesis(LedgerId::new(Uuid::from_u128(7)));
    let other = bytes_of(&sample::chain(other, &events));
    for (name, blocks, at) in [
        ("time that stands still between blocks", still, 9),
        ("an event that says it is another", elsewhere, 11),
        ("no ledger created", uncreated, 1),
        ("the genesis of another ledger", other, 1),
        ("an event too many in front", pushed, 2),
    ] {
        check(name, &blocks, at);
    }
}

#[test]
fn an_anchor_finds_what_agrees_with_itself() {
    let whole = sample::blocks();
    let hashes = hashes(&whole);
    let at = |number: usize| Anchor {
        hash: hashes[number - 1],
        position: Some(position(number.try_into().unwrap())),
    };
    let hash = |number: usize| Anchor {
        position: None,
        ..at(number)
    };
    let moved = |number: usize, to| Anchor {
        position: Some(position(to)),
        ..at(number)
    };
    let unknown = Anchor {
        hash: Hash::from_bytes([7; 32]),
        position: None,
    };
    let cut = &whole[..5];
    let replaced = sample::chain(Head::genesis(sample::ledger()), &with_more_money());
    let rows: [Row<'_>; 23] = [
        ("whole", &whole, None, SelfConsistent, None),
        ("whole", &whole, Some(at(29)), Intact, None),
        ("whole", &whole, Some(hash(29)), Intact, None),
        ("whole", &whole, Some(at(1)), Intact, None),
        ("whole", &whole, Some(hash(12)), Intact, None),
        ("whole", &whole, Some(moved(12, 13)), Forked, Some(13)),
        ("whole", &whole, Some(moved(12, 30)), Truncated, Some(30)),
        ("whole", &whole, Some(unknown), Forked, None),
        // The last block removed, and a trailer to match: nothing in the file
        // can tell.
        ("cut", cut, None, SelfConsistent, None),
        ("cut", cut, Some(at(28)), Intact, None),
        ("cut", cut, Some(at(29)), Truncated, Some(29)),
        ("cut", cut, Some(hash(29)), Forked, None),
        // Event 13 replaced, and every hash from there on: nor can it here.
        ("replaced", &replaced, None, SelfConsistent, None),
        ("replaced", &replaced, Some(at(12)), Intact, None),
        ("replaced", &replaced, Some(hash(12)), Intact, None),
        ("replaced", &replaced, Some(at(13)), Forked, Some(13)),
        ("replaced", &replaced, Some(hash(13)), Forked, None),
        ("replaced", &replaced, Some(at(29)), Forked, Some(29)),
        ("replaced", &replaced, Some(hash(29)), Forked, None),
        ("empty", &[], None, Empty, None),
        ("empty", &[], Some(at(29)), Truncated, Some(1)),
        ("empty", &[], Some(hash(29)), Truncated, Some(1)),
        ("empty", &[], Some(unknown), Truncated, Some(1)),
    ];
    for (row, (name, blocks, anchor, verdict, bad)) in rows.into_iter().enumerate() {
        let blocks = bytes_of(blocks);
        let file = sample::export(&blocks);
        let of_file = verify_export(&file[..], anchor, |_| {});
        assert_eq!(
            of_file,
            Shelf::of(&blocks).verify(anchor),
            "row {row}, {name}"
        );
        let bad = bad.map(position);
        assert_eq!(
            (of_file.verdict, of_file.first_bad_position()),
            (verdict, bad),
            "row {row}"
        );
    }
    for number in 1..=29 {
        let blocks = bytes_of(&whole);
        for anchor in [at(number), hash(number)] {
            assert_eq!(
                Shelf::of(&blocks).verify(Some(anchor)).verdict,
                Intact,
                "event {number}"
            );
        }
    }
}

/// FORMAT.md says so: an anchor covers events, not how they are grouped.
#[test]
fn an_anchor_does_not_cover_the_grouping_into_blocks() {
    let whole = sample::blocks();
    let anchor = Anchor {
        hash: whole.last().unwrap().head.chain,
        position: Position::new(29),
    };
    let regrouped = sample::block(Head::genesis(sample::ledger()), 9, &sample::events());
    let mut epochs = bytes_of(&whole);
    epochs[5][24] = 9;
    reseal(&mut epochs);
    for blocks in [vec![regrouped.bytes], epochs] {
        let report = Shelf::of(&blocks).verify(Some(anchor));
        assert_eq!((report.verdict, report.events), (Intact, 29));
    }
}

/// The sample's events with one fen more in the allowance of event 13.
fn with_more_money() -> Vec<Event> {
    let mut events = sample::events();
    let Body::Granted(Claim::TrainingAllowance(claim)) = &mut events[12].body else {
        panic!("event 13 is another one");
    };
    claim.daily = Fen::new(claim.daily.fen() + 1).unwrap();
    claim.amount = claim.daily.times(claim.dates.len()).unwrap();
    events
}

/// These blocks are tampered with at this position, in a log and in a file.
#[track_caller]
fn check(name: &str, blocks: &[Vec<u8>], at: u64) {
    let expected = (Verdict::Tampered, Place::Event(position(at)));
    assert_eq!(found(&Shelf::of(blocks).verify(None)), expected, "{name}");
    let file = sample::export(blocks);
    assert_eq!(
        found(&verify_export(&file[..], None, |_| {})),
        expected,
        "{name}"
    );
}
