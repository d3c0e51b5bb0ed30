//! The data directory, as FORMAT.md prints it and as version 1 left it.

use std::{collections::BTreeSet, fs};

use luzhang_ledger::{
    Position, block,
    log::{
        Log as _,
        sled::{Format, Place, SledLog, open_for_audit},
    },
    verify::{Anchor, Verdict, verify_blocks},
};
use luzhang_server::engine::witnessed;

use crate::{fixture, sample, vectors};

#[test]
fn a_new_data_directory_is_as_format_md_prints_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("ledger");
    let blocks = sample::blocks();
    let mut log = SledLog::create(&dir, sample::ledger()).unwrap();
    log.append(&blocks[..1]).unwrap();
    Box::new(log).close().unwrap();
    for file in ["FORMAT", "head"] {
        let found = fs::read_to_string(dir.join(file)).unwrap();
        assert_eq!(found, vectors::printed(file), "{file}");
    }

    let mut log = SledLog::open(&dir).unwrap();
    log.append(&blocks[1..]).unwrap();
    Box::new(log).close().unwrap();
    // The engine's own view, without the adapter.
    let engine = sled::Config::default()
        .path(dir.join("db"))
        .segment_size(16 << 20)
        .open()
        .unwrap();
    assert_eq!(engine.tree_names().len(), 1);
    let stored: Vec<_> = engine.iter().map(Result::unwrap).collect();
    assert_eq!(stored.len(), blocks.len());
    let mut codecs = BTreeSet::new();
    for ((key, value), block) in stored.iter().zip(&blocks) {
        assert_eq!(key.as_ref(), block.first.number().to_be_bytes());
        let (codec, bytes) = value.split_first().unwrap();
        let raw = match codec {
            0 => bytes.to_vec(),
            1 => zstd::bulk::decompress(bytes, block::MAX_BLOCK).unwrap(),
            other => panic!("stored value begins with {other}"),
        };
        assert_eq!(raw, block.bytes);
        codecs.insert(*codec);
    }
    assert_eq!(
        codecs,
        [0, 1].into(),
        "the sample has a raw and a compressed block"
    );
}

/// `tests/fixtures/v1/mark` is what `server` writes; here it is read as FORMAT.md says.
#[test]
fn the_mark_of_a_log_in_a_database_is_as_format_md_prints_it() {
    let mark = fs::read(fixture("v1/mark")).unwrap();
    let (slots, rest) = mark.as_chunks::<128>();
    assert_eq!((slots.len(), rest.len()), (2, 0));
    assert_eq!(slots[0][..], vectors::vectors()["mark-1"]);
    let blocks = sample::blocks();
    for (slot, block) in slots.iter().zip([&blocks[0], &blocks[5]]) {
        let head = block.head;
        assert_eq!(slot[..16], *b"luzhang mark 1\0\0");
        assert_eq!(slot[16..32], *sample::ledger().as_bytes());
        let position = head.position.unwrap().number();
        assert_eq!(slot[32..40], position.to_le_bytes());
        assert_eq!(slot[40..72], *head.chain.as_bytes());
        assert_eq!(slot[72..104], *head.block.as_bytes());
        assert_eq!(slot[104..112], head.height.to_le_bytes());
        assert_eq!(slot[112..120], head.epoch.to_le_bytes());
        assert_eq!(slot[120..], blake3::hash(&slot[..120]).as_bytes()[..8]);
    }
    // What an audit is told by it.
    let dir = tempfile::tempdir().unwrap();
    let format = Format {
        ledger: sample::ledger(),
        place: Place::Database,
    };
    let mut told = Vec::new();
    for bytes in [&mark[..], &mark[..128]] {
        fs::write(dir.path().join("mark"), bytes).unwrap();
        let witness = witnessed(dir.path(), &format).unwrap();
        told.push((witness.position, witness.chain, witness.block));
    }
    let expected = [5, 0].map(|number| {
        let head = blocks[number].head;
        (head.position, head.chain, head.block)
    });
    assert_eq!(told, expected);
}

/// A data directory as version 1 left it, without the files that only a running
/// writer needs; its `db/db` is committed compressed, being mostly zeros.
#[test]
fn the_data_directory_of_version_1_still_opens() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("ledger");
    fs::create_dir_all(dir.join("db")).unwrap();
    for folder in ["", "db"] {
        for entry in fs::read_dir(fixture("v1/data").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            if name == "db.zst" {
                let data = zstd::bulk::decompress(&fs::read(path).unwrap(), 32 << 20).unwrap();
                fs::write(dir.join("db/db"), data).unwrap();
            } else if path.is_file() {
                fs::copy(&path, dir.join(folder).join(name)).unwrap();
            }
        }
    }
    let scratch = temporary.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    let audit = open_for_audit(&dir, &scratch).unwrap();
    let witness = audit.witness.unwrap();
    let anchor = Anchor {
        hash: witness.chain,
        position: witness.position,
    };
    let report = verify_blocks(
        audit.reader.blocks_from(Position::FIRST),
        Some(anchor),
        |_| {},
    );
    assert_eq!((report.verdict, report.events), (Verdict::Intact, 29));

    let mut log = SledLog::open(&dir).unwrap();
    assert_eq!(
        (log.ledger(), log.head()),
        (sample::ledger(), sample::blocks()[5].head)
    );
    let mut next = sample::events()[28].clone();
    next.header.position = Position::new(30).unwrap();
    next.header.recorded_at += 1;
    let block = sample::block(log.head(), log.next_epoch(), &[next]);
    log.append(&[block]).unwrap();
    let report = verify_blocks(
        log.reader().blocks_from(Position::FIRST),
        Some(anchor),
        |_| {},
    );
    assert_eq!((report.verdict, report.events), (Verdict::Intact, 30));
    Box::new(log).close().unwrap();
}
