//! A shelf, as FORMAT.md prints it and as version 1 left it.

use std::fs;

use luzhang_ledger::{
    block::{self, BlockView, Head},
    log::{
        backup::{Shelf, ShelfWriter, Stamp},
        copy::Target as _,
    },
    proof::{Frontier, Node, SignedCheckpoint},
    verify::{ExpectedTree, Known, Verdict},
};

use crate::{fixture, sample, signed, vectors};

const FIXTURE: &str = "v1-shelf";

/// A checkpoint over the sample's first fifteen events.
fn checkpoint() -> SignedCheckpoint {
    let mut frontier = Frontier::default();
    let blocks = sample::blocks();
    for hash in blocks.iter().flat_map(|block| &block.events).take(15) {
        frontier.push(Node::of_event(*hash));
    }
    let [key, _] = signed::keys();
    SignedCheckpoint::sign(frontier.head(), &[&key]).unwrap()
}

/// The sample's blocks on a shelf, in small files.
fn written(root: &std::path::Path) {
    let written = Stamp {
        by: "luzhang 0.1.0".to_owned(),
        at: 1_767_225_600_000_000,
    };
    let mut writer = ShelfWriter::open(root, sample::ledger(), written, 2_048).unwrap();
    let blocks = sample::blocks().into_iter().map(|block| block.bytes);
    writer.append(blocks.collect()).unwrap();
    writer.finish(Some(checkpoint())).unwrap();
}

#[test]
fn the_shelf_of_version_1_holds_and_has_the_samples_blocks() {
    let shelf = Shelf::open(&fixture(FIXTURE)).unwrap();
    assert_eq!(shelf.manifest().checkpoint, Some(checkpoint()));
    let expected = ExpectedTree {
        head: checkpoint().head(),
        known: Known::Signed,
    };
    let report = shelf.verify(vec![expected], |_| {});
    assert!(report.faults.is_empty(), "{report:?}");
    assert!(report.remarks.is_empty(), "{report:?}");
    assert_eq!(report.verdict, Verdict::Intact);
    let first = luzhang_ledger::Position::FIRST;
    let blocks = shelf.blocks(first, None).map(Result::unwrap);
    let sample: Vec<Vec<u8>> = sample::blocks().into_iter().map(|b| b.bytes).collect();
    assert_eq!(blocks.collect::<Vec<_>>(), sample);
    let files = &shelf.manifest().files;
    let (open, sealed) = files.split_last().unwrap();
    assert!(sealed.len() > 1 && sealed.iter().all(|file| file.sealed) && !open.sealed);
}

#[test]
fn format_md_prints_the_manifest_of_the_shelf_of_version_1() {
    let manifest = fs::read_to_string(fixture(FIXTURE).join("manifest.json")).unwrap();
    assert_eq!(vectors::printed("manifest"), manifest);
}

/// What is written today is what version 1 wrote, but for how it was compressed.
#[test]
fn a_shelf_is_written_as_it_was() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("shelf");
    written(&root);
    let now = Shelf::open(&root).unwrap();
    let then = Shelf::open(&fixture(FIXTURE)).unwrap();
    assert_eq!(now.manifest().head, then.manifest().head);
    assert_eq!(now.manifest().files.len(), then.manifest().files.len());
    for (now, then) in now.manifest().files.iter().zip(&then.manifest().files) {
        assert_eq!((&now.name, now.after), (&then.name, then.after));
        let now = fs::read(root.join(&now.name)).unwrap();
        let then = fs::read(fixture(FIXTURE).join(&then.name)).unwrap();
        assert_eq!(opened(&now), opened(&then));
    }
}

/// A run by the tables of FORMAT.md: its header, its blocks, and its end.
fn opened(run: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>, Vec<u8>) {
    let (header, mut rest) = run.split_at(128);
    assert_eq!(&header[..16], b"LUZHANG BLOCKS 1");
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>()
        && *length != [0; 4]
    {
        let (tag, after) = after.split_at(8);
        let (value, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        let mut hasher = blake3::Hasher::new_derive_key("luzhang 2026 shelf entry v1");
        hasher.update(length).update(value);
        assert_eq!(tag, &hasher.finalize().as_bytes()[..8]);
        blocks.push(block::from_stored(value).unwrap());
        rest = after;
    }
    let end = match rest.split_last_chunk::<32>() {
        None => Vec::new(),
        Some((end, checksum)) => {
            let before = run.len() - 32;
            assert_eq!(checksum, blake3::hash(&run[..before]).as_bytes());
            end.to_vec()
        }
    };
    let first = BlockView::parse(&blocks[0]).unwrap();
    let last = BlockView::parse(blocks.last().unwrap()).unwrap();
    // What the header says of the block before, and the end of all of them.
    let before = if first.height == 1 {
        Head::genesis(sample::ledger())
    } else {
        let all = sample::blocks();
        all[usize::try_from(first.height).unwrap() - 2].head
    };
    let numbers = [
        before.position.map_or(0, luzhang_ledger::Position::number),
        before.height,
        before.epoch,
    ];
    for (number, at) in numbers.iter().zip([32, 40, 48]) {
        assert_eq!(header[at..at + 8], number.to_le_bytes());
    }
    assert_eq!(header[56..64], before.recorded_at.to_le_bytes());
    assert_eq!(&header[64..96], before.chain.as_bytes());
    assert_eq!(&header[96..], before.block.as_bytes());
    if !end.is_empty() {
        let events = last.last().number() - first.first.number() + 1;
        assert_eq!(end[4..12], events.to_le_bytes());
        assert_eq!(end[12..20], (blocks.len() as u64).to_le_bytes());
        assert_eq!(&end[20..52], last.chain_after.as_bytes());
        assert_eq!(&end[52..], last.block.as_bytes());
    }
    (header.to_vec(), blocks, end)
}
