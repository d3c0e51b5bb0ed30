//! Blocks, as they are stored and as an export holds them: whatever bytes they
//! are, there is a verdict, and it is true.

use std::sync::LazyLock;

use luzhang_ledger::{
    Body, Event, Hash, LedgerId, Position,
    block::{self, BlockBuilder, BlockView, Head, MAX_BLOCK, SealedBlock},
    codec,
    export::{ExportWriter, VerifiedBlocks, verify_export},
    verify::{Anchor, Report, Verdict, Verifier},
};

use super::{super::edits, history::WORLD};

/// A sound ledger in a few blocks, without its large pack.
struct Sound {
    ledger: LedgerId,
    events: Vec<Event>,
    blocks: Vec<SealedBlock>,
    export: Vec<u8>,
    anchor: Anchor,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let log = &WORLD.ledger.log;
    let Body::LedgerCreated { ledger, .. } = log[0].body else {
        panic!("the first event makes the ledger")
    };
    let small = log
        .iter()
        .filter(|event| !matches!(event.body, Body::PolicyPackAdopted { .. }));
    let mut events: Vec<Event> = small.take(60).cloned().collect();
    renumber(&mut events);
    let blocks = sealed(ledger, &events, 1, 9);
    let last = blocks.last().unwrap().head;
    Sound {
        export: export(ledger, &blocks),
        anchor: Anchor {
            position: last.position,
            hash: last.chain,
        },
        ledger,
        events,
        blocks,
    }
});

fn renumber(events: &mut [Event]) {
    for (number, event) in (1..).zip(events) {
        event.header.position = Position::new(number).unwrap();
        event.header.recorded_at = 1_730_000_000_000_000 + number as i64;
    }
}

fn sealed(ledger: LedgerId, events: &[Event], epoch: u64, each: usize) -> Vec<SealedBlock> {
    let mut builder = BlockBuilder::new(Head::genesis(ledger), epoch);
    let mut blocks = Vec::new();
    for chunk in events.chunks(each) {
        for event in chunk {
            while builder.push(event).unwrap().is_none() {
                blocks.push(builder.seal());
            }
        }
        blocks.push(builder.seal());
    }
    blocks
}

/// The blocks of a small ledger.
pub fn small() -> (LedgerId, &'static [SealedBlock]) {
    (SOUND.ledger, &SOUND.blocks)
}

fn export(ledger: LedgerId, blocks: &[SealedBlock]) -> Vec<u8> {
    let mut writer = ExportWriter::new(Vec::new(), ledger).unwrap();
    for block in blocks {
        writer.block(&block.bytes).unwrap();
    }
    writer.finish().unwrap().0
}

pub fn seeds() -> Vec<Vec<u8>> {
    let sound = &*SOUND;
    let blocks = sound.blocks.iter().take(3);
    let mut seeds: Vec<Vec<u8>> = blocks.map(|b| [b"b", &*b.bytes].concat()).collect();
    for block in &sound.blocks[..2] {
        seeds.push([b"s", &*block::to_stored(&block.bytes)].concat());
    }
    let long = [
        block::to_stored(&[5; MAX_BLOCK]),
        block::to_stored(&[5; MAX_BLOCK + 1]),
    ];
    seeds.extend(long.map(|stored| [b"s", &*stored].concat()));
    for what in 0..8 {
        seeds.push(vec![b'c', what, what, what, 0, 60, 1]);
        seeds.push(vec![b'x', what, what * 7, 31, what, what * 7, 90, 2]);
        seeds.push(vec![b'z', what, what + 3, what, what * 9, 5]);
    }
    seeds.push([b"v", &*export(sound.ledger, &sound.blocks[..1])].concat());
    seeds.push([b"v", &*export(sound.ledger, &[])].concat());
    // A byte too many, and one too few.
    let [high, low] = (sound.export.len() as u16).to_be_bytes();
    seeds.push(vec![b'x', 1, high, low, 0]);
    let [high, low] = (sound.export.len() as u16 - 1).to_be_bytes();
    seeds.push(vec![b'x', 3, high, low, 0]);
    seeds.push(b"x".to_vec());
    seeds
}

/// A block (`b`), a sound one changed (`c`), a stored value (`s`), an export file
/// (`v`), a sound one changed (`x`), and events sealed anew by somebody who can
/// compute hashes (`z`).
pub fn block(bytes: &[u8]) {
    let sound = &*SOUND;
    match bytes {
        [b'b', block @ ..] => one(block),
        [b'c', which, edits @ ..] => {
            let at = |choice: usize| &*sound.blocks[choice % sound.blocks.len()].bytes;
            let which = usize::from(*which);
            one(&edits::edited(at(which), at(which + 1), edits));
        }
        [b's', stored @ ..] => {
            if let Ok(block) = block::from_stored(stored) {
                assert!(block.len() <= MAX_BLOCK);
                let again = block::to_stored(&block);
                assert_eq!(block::from_stored(&again), Ok(block));
            }
        }
        [b'v', file @ ..] => {
            let report = exported(file);
            if report.verdict == Verdict::Intact {
                assert_eq!(file, sound.export);
            }
        }
        [b'x', edits @ ..] => {
            let blocks: Vec<u8> = sound.blocks.iter().flat_map(|b| b.bytes.clone()).collect();
            let file = edits::edited(&sound.export, &blocks, edits);
            let report = exported(&file);
            // Only the file itself holds, whole or not at all.
            let same = file == sound.export;
            assert_eq!(report.verdict == Verdict::Intact, same, "{report:?}");
            if !same {
                let finding = report.finding.expect("what is wrong");
                assert!(!finding.detail.is_empty());
            }
        }
        [b'z', each, epoch, moves @ ..] => forged(usize::from(*each % 16) + 1, *epoch, moves),
        _ => {}
    }
}

/// A block by itself, and after the ones before it.
fn one(bytes: &[u8]) {
    let mut alone = Verifier::new(None);
    let pushed = alone.push(&[bytes.to_vec()]);
    let Ok(view) = BlockView::parse(bytes) else {
        let finding = pushed.expect_err("not a block");
        assert_eq!(finding.verdict, Verdict::Tampered);
        return;
    };
    let frames: Vec<_> = view.frames().collect();
    assert!(frames.len() as u64 <= u64::from(view.count) + 1);
    let sound = frames.iter().filter_map(|frame| frame.as_ref().ok());
    let whole = frames.iter().all(Result::is_ok);
    let mut length = 0;
    for (number, frame) in (view.first.number()..).zip(sound) {
        assert_eq!(frame.position.number(), number);
        length += frame.event.len() + block::FRAME_HEADER_LEN;
    }
    if whole {
        assert_eq!(frames.len() as u64, u64::from(view.count));
        assert_eq!(length, bytes.len() - block::HEADER_LEN - block::HASH_LEN);
    }
    if pushed.is_ok() {
        assert!(whole);
        assert_eq!(view.computed_hash(), view.block);
        assert_eq!(alone.head(), Some(view.head()));
        assert_eq!(alone.next_position(), view.last().next());
    }
    // Nothing but the block itself goes on where a sound chain has it.
    let sound = &*SOUND;
    for (place, block) in sound.blocks.iter().enumerate().take(4) {
        let mut verifier = Verifier::new(Some(sound.anchor));
        for before in &sound.blocks[..place] {
            verifier.push(std::slice::from_ref(&before.bytes)).unwrap();
        }
        let joined = verifier.push(&[bytes.to_vec()]).is_ok();
        if bytes == block.bytes {
            assert!(joined);
        } else if joined {
            // It has other events, and then the anchor's hash is never met.
            let report = verifier.finish(None);
            assert_ne!(report.verdict, Verdict::Intact);
        }
    }
}

/// An export file, read at once and block by block: the same is said of it.
fn exported(file: &[u8]) -> Report {
    let sound = &*SOUND;
    let mut told = 0;
    let report = verify_export(file, Some(sound.anchor), |events| {
        assert!(events >= told);
        told = events;
    });
    let without = verify_export(file, None, |_| {});
    // Where the anchor is contradicted, its block does not hold.
    assert!(report.events <= without.events);
    assert_eq!(report.finding.is_none(), report.verdict == Verdict::Intact);
    if matches!(
        without.verdict,
        Verdict::Tampered | Verdict::Unreadable | Verdict::Truncated
    ) {
        assert_ne!(report.verdict, Verdict::Intact);
    }
    let mut events = 0;
    let mut held = 0;
    let mut ended = false;
    for batch in VerifiedBlocks::new(file) {
        assert!(!ended, "a finding ends it");
        match batch {
            Ok(blocks) => {
                for block in blocks {
                    held += block.len();
                    events += u64::from(BlockView::parse(&block).unwrap().count);
                }
            }
            Err(finding) => {
                ended = true;
                let found = without.finding.as_ref().expect("the same finding");
                assert_eq!(found.detail, finding.detail);
            }
        }
    }
    assert!(held <= file.len());
    assert_eq!(ended, without.finding.is_some());
    assert!(events <= without.events);
    report
}

/// Whoever can compute hashes makes a sound chain of any events; it is another one,
/// and whoever holds an anchor sees that.
fn forged(each: usize, epoch: u8, moves: &[u8]) {
    let sound = &*SOUND;
    let mut events = sound.events.clone();
    for pair in moves.chunks_exact(2).take(8) {
        let at = usize::from(pair[0]) % events.len();
        match pair[1] {
            0..85 if events.len() > 1 => drop(events.remove(at)),
            85..170 => events.swap(at, 0),
            salt => events[at].header.salt[0] ^= salt,
        }
    }
    renumber(&mut events);
    let blocks = sealed(sound.ledger, &events, u64::from(epoch) + 1, each);
    let file = export(sound.ledger, &blocks);
    let first = matches!(events[0].body, Body::LedgerCreated { .. });
    let plain = verify_export(&*file, None, |_| {});
    let held = if first {
        Verdict::SelfConsistent
    } else {
        Verdict::Tampered
    };
    assert_eq!(plain.verdict, held, "{plain:?}");
    let report = exported(&file);
    assert_eq!(report.verdict == Verdict::Intact, events == sound.events);
    if first {
        assert_eq!(plain.events, events.len() as u64);
        let chain: Vec<Hash> = blocks
            .iter()
            .flat_map(|block| block.events.clone())
            .collect();
        assert_eq!(plain.chain_head.as_ref(), chain.last());
        // What comes out is what went in.
        let read: Vec<Event> = blocks
            .iter()
            .flat_map(|block| {
                let view = BlockView::parse(&block.bytes).unwrap();
                let stored = view.frames().map(|frame| frame.unwrap().event.to_vec());
                stored.collect::<Vec<_>>()
            })
            .map(|stored| codec::decode(&stored).unwrap())
            .collect();
        assert_eq!(read, events);
    }
}
