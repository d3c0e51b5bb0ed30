//! Whoever changes a byte of a ledger is found, and so is the place. What cannot
//! be found without an anchor is written down here as well.

#[path = "format/sample.rs"]
mod sample;

use std::sync::atomic::{AtomicUsize, Ordering};

use luzhang_ledger::{
    Body, Event, Fen, Hash, LedgerId, Position,
    block::{self, BlockView, FRAME_HEADER_LEN, HASH_LEN, HEADER_LEN, Head, SealedBlock},
    claim::Claim,
    export::{ExportWriter, verify_export},
    hash::ChainHasher,
    log::{Blocks, ReadError, Reader},
    text::PackId,
    verify::{Anchor, Place, Report, Verdict, verify_blocks},
};
use rayon::prelude::*;
use sample::position;
use uuid::Uuid;

/// Bytes from the end mark of an export to its end.
const END: usize = 4 + 8 + 8 + 32 + 32 + 32;
/// What is done to each byte: every bit by itself, some together, all.
const MANY: &[u8] = &[0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x55, 0xff];
const FEW: &[u8] = &[0x01, 0x80, 0xff];

/// What must be found where.
type Expected = (Verdict, Place);

#[test]
fn every_changed_byte_of_an_export_is_found_and_named() {
    let blocks = sample::blocks();
    let file = sample::export(blocks.iter().map(|block| &block.bytes));
    let mut expected = vec![(Verdict::Unreadable, Place::FileHeader); 16];
    expected.extend([(Verdict::Tampered, Place::FileHeader); 16]);
    for block in &blocks {
        expected.extend([(Verdict::Tampered, Place::Event(block.first)); 4]);
        expected.extend(places(&block.bytes));
    }
    expected.extend([(Verdict::Tampered, Place::Trailer); END]);
    assert_eq!(expected.len(), file.len());
    let tried = every_change(&file, MANY, |place, changed| {
        let report = verify_export(changed, None, |_| {});
        assert_eq!(found(&report), expected[place], "byte {place}: {report:?}");
    });
    println!("{tried} changes to an export of {} bytes", file.len());
}

#[test]
fn every_changed_byte_of_a_block_is_found_and_named() {
    let blocks: Vec<_> = sample::blocks()
        .into_iter()
        .map(|block| block.bytes)
        .collect();
    let mut tried = 0;
    for (number, bytes) in blocks.iter().enumerate() {
        let expected = places(bytes);
        tried += every_change(bytes, FEW, |place, changed| {
            let mut shelf = Shelf::of(&blocks);
            shelf.0[number] = [&[0], changed].concat();
            let report = shelf.verify(None);
            assert_eq!(
                found(&report),
                expected[place],
                "block {number}, byte {place}: {report:?}"
            );
        });
    }
    println!("{tried} changes to {} blocks", blocks.len());
}

/// Of a compressed value some bits mean nothing: whatever decompresses to the
/// same block is that block. Everything else is found.
#[test]
fn every_changed_byte_of_a_stored_value_is_found_or_changes_nothing() {
    let blocks: Vec<_> = sample::blocks()
        .into_iter()
        .map(|block| block.bytes)
        .collect();
    let (mut tried, mut same) = (0, 0);
    for (number, bytes) in blocks.iter().enumerate() {
        let stored = block::to_stored(bytes);
        let view = BlockView::parse(bytes).unwrap();
        let patterns = if stored[0] == 1 { MANY } else { FEW };
        let unchanged = AtomicUsize::new(0);
        tried += every_change(&stored, patterns, |place, changed| {
            let mut shelf = Shelf::of(&blocks);
            shelf.0[number] = changed.to_vec();
            let report = shelf.verify(None);
            if block::from_stored(changed).is_ok_and(|block| block == *bytes) {
                unchanged.fetch_add(1, Ordering::Relaxed);
                assert_eq!(report.verdict, Verdict::SelfConsistent);
                return;
            }
            assert_eq!(
                report.verdict,
                Verdict::Tampered,
                "block {number}, byte {place}"
            );
            let bad = report.first_bad_position().unwrap();
            assert!(
                view.first <= bad && bad <= view.last(),
                "block {number}, byte {place}: {bad}"
            );
        });
        let unchanged = unchanged.into_inner();
        assert!(
            stored[0] == 1 || unchanged == 0,
            "a raw value has no idle bits"
        );
        same += unchanged;
    }
    println!("{tried} changes to stored values, {same} of them to bits without meaning");
}

#[test]
fn every_cut_is_found_and_names_the_first_missing_event() {
    let blocks = sample::blocks();
    let file = sample::export(blocks.iter().map(|block| &block.bytes));
    let ends: Vec<_> = blocks
        .iter()
        .scan(32, |end, block| {
            *end += 4 + block.bytes.len();
            Some((*end, block.first))
        })
        .collect();
    (0..file.len()).into_par_iter().for_each(|length| {
        let report = verify_export(&file[..length], None, |_| {});
        let missing = ends
            .iter()
            .find(|(end, _)| *end > length)
            .map(|(_, first)| *first);
        let expected = if length < 32 {
            (Verdict::Unreadable, Place::FileHeader)
        } else {
            (
                Verdict::Truncated,
                Place::Event(missing.unwrap_or(position(30))),
            )
        };
        assert_eq!(found(&report), expected, "cut at {length}");
    });
    println!("{} cuts", file.len());
}

/// The one length that a change of one byte turns into the end mark.
#[test]
fn a_block_whose_length_becomes_zero_is_not_the_end() {
    let event = |content: usize| {
        let mut event = sample::events().remove(1);
        let pack = PackId::new("padded").unwrap();
        event.body = Body::PolicyPackAdopted {
            pack,
            content: vec![b'#'; content].into(),
        };
        event
    };
    let first = sample::blocks().remove(0);
    let padded = (0..512)
        .map(|content| sample::block(first.head, 1, &[event(content)]))
        .find(|block| block.bytes.len() == 512)
        .unwrap();
    let mut file = sample::export([&first.bytes, &padded.bytes]);
    let place = 32 + 4 + first.bytes.len() + 1;
    assert_eq!(std::mem::take(&mut file[place]), 2);
    let report = verify_export(&file[..], None, |_| {});
    assert_eq!(
        found(&report),
        (Verdict::Tampered, Place::Event(position(2)))
    );
}

#[test]
fn blocks_and_files_that_were_rearranged_are_found() {
    let blocks: Vec<_> = sample::blocks()
        .into_iter()
        .map(|block| block.bytes)
        .collect();
    let whole = sample::export(&blocks);
    let of = |order: &[usize]| sample::export(order.iter().map(|number| &blocks[*number]));
    let tampered = |at| (Verdict::Tampered, Place::Event(position(at)));
    // The block of 16 to 22 in the place of that of 9, with event 20 changed.
    let mut both = of(&[0, 1, 3, 2, 4, 5]);
    let moved = 32 + 3 * 4 + blocks[0].len() + blocks[1].len();
    both[moved + frame(&blocks[3], 4).end - 1] ^= 1;
    let other = LedgerId::new(Uuid::from_u128(7));
    let mut renamed = ExportWriter::new(Vec::new(), other).unwrap();
    blocks
        .iter()
        .for_each(|block| renamed.block(block).unwrap());
    // Blocks begin at 1, 2, 9, 16, 23 and 29.
    let rows: [(&str, Vec<u8>, Expected); 18] = [
        ("two swapped", of(&[0, 1, 3, 2, 4, 5]), tampered(9)),
        (
            "the first two swapped",
            of(&[1, 0, 2, 3, 4, 5]),
            tampered(1),
        ),
        (
            "the last two swapped",
            of(&[0, 1, 2, 3, 5, 4]),
            tampered(23),
        ),
        ("one moved and changed", both, tampered(9)),
        ("one twice", of(&[0, 1, 1, 2, 3, 4, 5]), tampered(9)),
        ("the last twice", of(&[0, 1, 2, 3, 4, 5, 5]), tampered(30)),
        ("one removed", of(&[0, 1, 3, 4, 5]), tampered(9)),
        ("the first removed", of(&[1, 2, 3, 4, 5]), tampered(1)),
        (
            "a byte appended",
            [&whole[..], b"\0"].concat(),
            (Verdict::Tampered, Place::Trailer),
        ),
        (
            "itself appended",
            [&whole[..], &whole].concat(),
            (Verdict::Tampered, Place::Trailer),
        ),
        (
            "another ledger's name",
            renamed.finish().unwrap().0,
            (Verdict::Tampered, Place::FileHeader),
        ),
        ("no bytes", vec![], (Verdict::Unreadable, Place::FileHeader)),
        (
            "garbage",
            noise(40_000),
            (Verdict::Unreadable, Place::FileHeader),
        ),
        (
            "garbage after a header",
            [&whole[..32], &noise(40_000)].concat(),
            tampered(1),
        ),
        (
            "a trailer that counts one event more",
            trailer(&whole, 0),
            (Verdict::Truncated, Place::Event(position(30))),
        ),
        (
            "a trailer that counts one block more",
            trailer(&whole, 8),
            (Verdict::Truncated, Place::Event(position(30))),
        ),
        (
            "a trailer with another head",
            trailer(&whole, 16),
            (Verdict::Tampered, Place::Trailer),
        ),
        (
            "a trailer with another block",
            trailer(&whole, 48),
            (Verdict::Tampered, Place::Trailer),
        ),
    ];
    for (name, file, expected) in rows {
        let report = verify_export(&file[..], None, |_| {});
        assert_eq!(found(&report), expected, "{name}");
        let json = (report.verdict.word(), report.verdict.exit_code());
        assert!(
            ["tampered", "truncated", "unreadable"].contains(&json.0),
            "{name}"
        );
        assert_eq!(
            json.1,
            if json.0 == "unreadable" { 11 } else { 10 },
            "{name}"
        );
    }
}

/// Forgers who recompute every hash still have to keep the rules.
#[test]
fn recomputed_hashes_do_not_excuse_a_broken_rule() {
    let events = sample::events();
    let genesis = Head::genesis(sample::ledger());
    let rebuilt = |change: &dyn Fn(&mut Vec<Event>)| {
        let mut events = events.clone();
        change(&mut events);
        bytes_of(&sample::chain(genesis, &events))
    };
    let resealed = |number: usize, place: usize, value: &[u8]| {
        let mut blocks = bytes_of(&sample::blocks());
        blocks[number][place..place + value.len()].copy_from_slice(value);
        reseal(&mut blocks);
        blocks
    };
    let another = Head::genesis(LedgerId::new(Uuid::from_u128(7)));
    // The sample with a last block that continues another head.
    let continued = |change: &dyn Fn(&mut Head)| {
        let (mut last, mut head) = (events[28].clone(), sample::blocks()[4].head);
        change(&mut head);
        last.header.position = head.next_position();
        let mut blocks = bytes_of(&sample::blocks()[..5]);
        blocks.push(sample::block(head, 2, &[last]).bytes);
        blocks
    };
    let seven = Hash::from_bytes([7; 32]);
    let rows: [(&str, Vec<Vec<u8>>, u64); 14] = [
        (
            "a gap in the positions",
            continued(&|head| head.position = Position::new(30)),
            29,
        ),
        (
            "another block before",
            continued(&|head| head.block = seven),
            29,
        ),
        (
            "another chain before",
            continued(&|head| head.chain = seven),
            29,
        ),
        ("another chain after", resealed(2, 104, &[7; 32]), 9),
        ("another head", resealed(5, 104, &[7; 32]), 29),
        (
            "a height left out",
            resealed(3, 8, &9_u64.to_le_bytes()),
            16,
        ),
        (
            "an epoch that falls",
            resealed(4, 24, &0_u64.to_le_bytes()),
            23,
        ),
        (
            "a block's time of its own",
            resealed(2, 32, &1_704_067_200_014_500_i64.to_le_bytes()),
            9,
        ),
        ("another count", resealed(2, 4, &6_u32.to_le_bytes()), 9),
        (
            "time that stands still between blocks",
            rebuilt(&|events| {
                let last_time = events[7].header.recorded_at;
                events[8..15]
                    .iter_mut()
                    .for_each(|event| event.header.recorded_at = last_time);
            }),
            9,
        ),
        (
            "an event that says it is another",
            rebuilt(&|events| events[10].header.position = position(12)),
            11,
        ),
        (
            "no ledger created",
            rebuilt(&|events| events[0].body = events[1].body.clone()),
            1,
        ),
        (
            "the genesis of another ledger",
            bytes_of(&sample::chain(another, &events)),
            1,
        ),
        (
            "an event too many in front",
            rebuilt(&|events| events.insert(0, events[0].clone())),
            2,
        ),
    ];
    for (name, blocks, at) in rows {
        let expected = (Verdict::Tampered, Place::Event(position(at)));
        assert_eq!(found(&Shelf::of(&blocks).verify(None)), expected, "{name}");
        let file = sample::export(&blocks);
        assert_eq!(
            found(&verify_export(&file[..], None, |_| {})),
            expected,
            "{name}"
        );
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
    use Verdict::{Empty, Forked, Intact, SelfConsistent, Truncated};
    let rows: [(&str, &[SealedBlock], Option<Anchor>, Verdict, Option<u64>); 23] = [
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
        assert_eq!((report.verdict, report.events), (Verdict::Intact, 29));
    }
}

#[test]
fn progress_and_figures_are_those_of_what_holds() {
    let blocks = bytes_of(&sample::blocks());
    let hashes = hashes(&sample::blocks());
    let mut file = sample::export(&blocks);
    let mut seen = Vec::new();
    let report = verify_export(&file[..], None, |events| seen.push(events));
    assert_eq!((report.events, report.chain_head), (29, Some(hashes[28])));
    assert_eq!(
        (report.ledger, seen.last()),
        (Some(sample::ledger()), Some(&29))
    );
    assert!(seen.is_sorted());
    // A byte of event 12 in the third block, which begins with event 9.
    let place = 32 + 3 * 4 + blocks[0].len() + blocks[1].len();
    let inside = frame(&blocks[2], 3).start;
    file[place + inside + FRAME_HEADER_LEN] ^= 1;
    let report = verify_export(&file[..], None, |_| {});
    assert_eq!((report.events, report.chain_head), (8, Some(hashes[7])));
    assert_eq!(report.first_bad_position(), Some(position(12)));
}

fn found(report: &Report) -> Expected {
    let finding = report
        .finding
        .as_ref()
        .unwrap_or_else(|| panic!("nothing found: {report:?}"));
    assert_eq!(finding.verdict, report.verdict);
    (finding.verdict, finding.place)
}

/// For every byte of a block, what a change to it must be called.
fn places(block: &[u8]) -> Vec<Expected> {
    let view = BlockView::parse(block).unwrap();
    let tampered = |at| (Verdict::Tampered, Place::Event(at));
    let mut places = vec![tampered(view.first); HEADER_LEN];
    for frame in view.frames() {
        let frame = frame.unwrap();
        let length = FRAME_HEADER_LEN + frame.event.len();
        places.extend(vec![tampered(frame.position); length]);
    }
    places.extend([tampered(view.first); HASH_LEN]);
    assert_eq!(places.len(), block.len());
    places
}

/// Where the frame of the block's event with this index stands.
fn frame(block: &[u8], index: usize) -> std::ops::Range<usize> {
    let view = BlockView::parse(block).unwrap();
    let lengths = view
        .frames()
        .map(|frame| FRAME_HEADER_LEN + frame.unwrap().event.len());
    let lengths: Vec<_> = lengths.collect();
    let start = HEADER_LEN + lengths[..index].iter().sum::<usize>();
    start..start + lengths[index]
}

/// Calls `check` for every byte with each pattern applied to it, and with it
/// cleared; how many changes that were.
fn every_change(bytes: &[u8], patterns: &[u8], check: impl Fn(usize, &[u8]) + Sync) -> usize {
    let changes = (0..bytes.len()).into_par_iter().map(|place| {
        let mut changed = bytes.to_vec();
        let byte = bytes[place];
        let values = patterns.iter().map(|pattern| byte ^ pattern).chain([0]);
        let values = values.filter(|value| *value != byte);
        values.fold(0, |tried, value| {
            changed[place] = value;
            check(place, &changed);
            tried + 1
        })
    });
    changes.sum()
}

fn bytes_of(blocks: &[SealedBlock]) -> Vec<Vec<u8>> {
    blocks.iter().map(|block| block.bytes.clone()).collect()
}

/// The hash of every event.
fn hashes(blocks: &[SealedBlock]) -> Vec<Hash> {
    let mut hasher = ChainHasher::default();
    let mut chain = Hash::genesis(sample::ledger());
    let mut hashes = Vec::new();
    for block in blocks {
        for frame in BlockView::parse(&block.bytes).unwrap().frames() {
            chain = hasher.event(chain, frame.unwrap().event);
            hashes.push(chain);
        }
    }
    hashes
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

/// Recomputes every block's hash and the link to it, by the table of FORMAT.md.
fn reseal(blocks: &mut [Vec<u8>]) {
    let mut previous = *Hash::genesis(sample::ledger()).as_bytes();
    for block in blocks {
        block[40..72].copy_from_slice(&previous);
        let end = block.len() - HASH_LEN;
        previous = blake3::derive_key("luzhang 2026 block hash v1", &block[..end]);
        block[end..].copy_from_slice(&previous);
    }
}

/// The file with one added to a byte of its trailer, and a checksum to match.
fn trailer(file: &[u8], offset: usize) -> Vec<u8> {
    let mut file = file.to_vec();
    let place = file.len() - END + 4 + offset;
    file[place] += 1;
    let end = file.len() - HASH_LEN;
    let checksum = blake3::derive_key("luzhang 2026 export v1", &file[..end]);
    file[end..].copy_from_slice(&checksum);
    file
}

/// Bytes without a pattern.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

/// Stored values in memory, read as an adapter reads them.
#[derive(Debug)]
struct Shelf(Vec<Vec<u8>>);

impl Shelf {
    fn of(blocks: &[Vec<u8>]) -> Self {
        Self(blocks.iter().map(|block| block::to_stored(block)).collect())
    }

    fn verify(&self, anchor: Option<Anchor>) -> Report {
        verify_blocks(self.blocks_from(Position::FIRST), anchor, |_| {})
    }

    fn read(&self) -> impl Iterator<Item = Result<Vec<u8>, ReadError>> + Send {
        self.0.iter().zip(1..).map(|(stored, first)| {
            block::from_stored(stored).map_err(|error| ReadError::Damaged {
                first,
                detail: error.to_string(),
            })
        })
    }
}

impl Reader for Shelf {
    fn block_with(&self, position: Position) -> Result<Option<Vec<u8>>, ReadError> {
        self.read()
            .find(|block| match block {
                Ok(block) => BlockView::parse(block).is_ok_and(|view| view.last() >= position),
                Err(_) => true,
            })
            .transpose()
    }

    fn blocks_from(&self, position: Position) -> Blocks<'_> {
        Box::new(self.read().skip_while(move |block| {
            let view = block.as_deref().map(BlockView::parse);
            matches!(view, Ok(Ok(view)) if view.last() < position)
        }))
    }
}
