//! The adapters of the log: the contract, the data directory, damage, full disks.

#![cfg(test)]

mod contract;
mod damage;
mod data_dir;
mod disk_full;

use std::{fs, path::Path};

use luzhang_ledger::{
    LedgerId, Position,
    block::BlockView,
    log::{Log, ReadError, Reader, conformance::Chain, sled::SledLog},
};
use uuid::Uuid;

fn ledger() -> LedgerId {
    LedgerId::new(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0002))
}

/// A ledger in `dir` with blocks of so many events each, closed.
fn make(dir: &Path, blocks: &[usize]) -> Chain {
    let log = SledLog::create(dir, ledger()).unwrap();
    let mut chain = Chain::new(ledger());
    append(log, &mut chain, blocks);
    chain
}

/// Appends blocks of so many events each, one at a time, and closes.
fn append(mut log: SledLog, chain: &mut Chain, blocks: &[usize]) {
    for count in blocks {
        let block = chain.block(&vec![200; *count]).unwrap();
        log.append(&[block]).unwrap();
    }
    Box::new(log).close().unwrap();
}

/// How many events a reader hands out, and the errors among them.
fn count(reader: &dyn Reader) -> (u64, Vec<ReadError>) {
    let (mut events, mut errors) = (0, Vec::new());
    for block in reader.blocks_from(Position::FIRST) {
        match block {
            Ok(block) => events += u64::from(BlockView::parse(&block).unwrap().count),
            Err(error) => errors.push(error),
        }
    }
    (events, errors)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_name() == "reserve" {
            // Nothing writes to it, and its bytes mean nothing.
            fs::hard_link(entry.path(), target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
