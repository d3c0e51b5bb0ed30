//! The data directory, as FORMAT.md prints it and as version 1 left it.

use std::{collections::BTreeSet, fs};

use luzhang_ledger::{
    Position, block,
    log::{
        Log as _,
        sled::{SledLog, open_for_audit},
    },
    verify::{Anchor, Verdict, verify_blocks},
};

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
