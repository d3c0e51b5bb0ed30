//! Whoever changes a byte of a ledger is found, and so is the place. What cannot
//! be found without an anchor is written down here as well.

mod changes;
mod forgeries;
mod shelf;

use std::sync::atomic::{AtomicUsize, Ordering};

use changes::{
    END, Expected, FEW, MANY, bytes_of, every_change, found, frame, hashes, noise, places, trailer,
};
use luzhang_ledger::{
    Body, LedgerId,
    block::{self, BlockView, FRAME_HEADER_LEN},
    export::{ExportWriter, verify_export},
    text::PackId,
    verify::{
        Place,
        Verdict::{self, SelfConsistent, Truncated},
    },
};
use rayon::prelude::*;
use shelf::Shelf;
use uuid::Uuid;

use crate::sample::{self, position};

const UNREADABLE: Expected = (Verdict::Unreadable, Place::FileHeader);
const IN_HEADER: Expected = (Verdict::Tampered, Place::FileHeader);
const IN_TRAILER: Expected = (Verdict::Tampered, Place::Trailer);

#[test]
fn every_changed_byte_of_an_export_is_found_and_named() {
    let blocks = sample::blocks();
    let file = sample::export(blocks.iter().map(|block| &block.bytes));
    let mut expected = vec![UNREADABLE; 16];
    expected.extend([IN_HEADER; 16]);
    for block in &blocks {
        expected.extend([(Verdict::Tampered, Place::Event(block.first)); 4]);
        expected.extend(places(&block.bytes));
    }
    expected.extend([IN_TRAILER; END]);
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
                assert_eq!(report.verdict, SelfConsistent);
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
            UNREADABLE
        } else {
            (Truncated, Place::Event(missing.unwrap_or(position(30))))
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
    let mut ends = [&whole[..], b"\0"].concat();
    ends[whole.len() - END] = 1;
    let other = LedgerId::new(Uuid::from_u128(7));
    let mut renamed = ExportWriter::new(Vec::new(), other).unwrap();
    for block in &blocks {
        renamed.block(block).unwrap();
    }
    // Blocks begin at 1, 2, 9, 16, 23 and 29.
    let rows: [(&str, Vec<u8>, Expected); 19] = [
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
        ("a byte appended", [&whole[..], b"\0"].concat(), IN_TRAILER),
        ("a byte appended and another end mark", ends, tampered(30)),
        ("itself appended", [&whole[..], &whole].concat(), IN_TRAILER),
        (
            "another ledger's name",
            renamed.finish().unwrap().0,
            IN_HEADER,
        ),
        ("no bytes", vec![], UNREADABLE),
        ("garbage", noise(40_000), UNREADABLE),
        (
            "garbage after a header",
            [&whole[..32], &noise(40_000)].concat(),
            tampered(1),
        ),
        (
            "a trailer that counts one event more",
            trailer(&whole, 0),
            (Truncated, Place::Event(position(30))),
        ),
        (
            "a trailer that counts one block more",
            trailer(&whole, 8),
            (Truncated, Place::Event(position(30))),
        ),
        (
            "a trailer with another head",
            trailer(&whole, 16),
            IN_TRAILER,
        ),
        (
            "a trailer with another block",
            trailer(&whole, 48),
            IN_TRAILER,
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
