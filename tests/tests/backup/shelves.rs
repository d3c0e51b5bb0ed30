//! Shelves made in this process, and looking at those that the program made.

use std::{
    fs,
    path::{Path, PathBuf},
};

use luzhang_ledger::{
    Hash, LedgerId,
    block::BlockView,
    hash::ChainHasher,
    log::{
        backup::{Shelf, ShelfReport, ShelfWriter, Stamp},
        copy::Target as _,
    },
    proof::{
        Frontier, Node, SignedCheckpoint, SigningKey,
        note::{KeyName, Purpose},
    },
    verify::{ExpectedTree, Known},
};
use uuid::Uuid;

use crate::support::{Ran, Target, run};

/// Files of a few blocks each, and an open one at the end of the fixture's log.
const RUN_BYTES: u64 = 1_500;

/// The blocks of an export, by the table of FORMAT.md.
pub(crate) fn blocks_of(export: &[u8]) -> Vec<Vec<u8>> {
    let (mut blocks, mut rest) = (Vec::new(), &export[32..]);
    while let Some((length, after)) = rest.split_first_chunk::<4>()
        && *length != [0; 4]
    {
        let (block, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        blocks.push(block.to_vec());
        rest = after;
    }
    blocks
}

pub(crate) fn ledger_of(export: &[u8]) -> LedgerId {
    LedgerId::new(Uuid::from_slice(&export[16..32]).unwrap())
}

/// A committed export of events of many kinds.
pub(crate) fn fixture() -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    fs::read(fixtures.join("v1-life/ledger.luzhang-export")).unwrap()
}

/// The hash of every event.
pub(crate) fn hashes(blocks: &[Vec<u8>]) -> Vec<Hash> {
    let mut hasher = ChainHasher::default();
    let mut hashes = Vec::new();
    for block in blocks {
        let view = BlockView::parse(block).unwrap();
        let mut chain = view.chain_before;
        for frame in view.frames() {
            chain = hasher.event(chain, frame.unwrap().event);
            hashes.push(chain);
        }
    }
    hashes
}

/// The key that signs in these tests.
pub(crate) fn signer(ledger: LedgerId) -> SigningKey {
    SigningKey::from_seed(KeyName::of_ledger(ledger), Purpose::Author, &[7; 32])
}

/// A checkpoint over so many events of these blocks.
pub(crate) fn signed(ledger: LedgerId, blocks: &[Vec<u8>], size: usize) -> SignedCheckpoint {
    let mut frontier = Frontier::default();
    for hash in hashes(blocks).into_iter().take(size) {
        frontier.push(Node::of_event(hash));
    }
    SignedCheckpoint::sign(frontier.head(), &[&signer(ledger)]).unwrap()
}

pub(crate) fn stamp() -> Stamp {
    Stamp {
        by: "a test".to_owned(),
        at: 1_767_225_600_000_000,
    }
}

/// Adds blocks to a shelf, as they are: whoever writes verifies before.
pub(crate) fn shelve(
    root: &Path,
    ledger: LedgerId,
    blocks: &[Vec<u8>],
    checkpoint: Option<SignedCheckpoint>,
) {
    let mut writer = ShelfWriter::open(root, ledger, stamp(), RUN_BYTES).unwrap();
    writer.append(blocks.to_vec()).unwrap();
    writer.finish(checkpoint).unwrap();
}

/// What this process says of a shelf, with its own checkpoint beside it.
pub(crate) fn verify(root: &Path) -> ShelfReport {
    match Shelf::open(root) {
        Err(fault) => ShelfReport::of(fault),
        Ok(shelf) => {
            let checkpoint = shelf.manifest().checkpoint.as_ref();
            let expected = checkpoint.map(|signed| ExpectedTree {
                head: signed.head(),
                known: Known::Beside,
            });
            shelf.verify(expected.into_iter().collect(), |_| {})
        }
    }
}

/// All files of a shelf, relative to it; the runs in order, the manifest last.
pub(crate) fn files(root: &Path) -> Vec<String> {
    let runs = fs::read_dir(root.join("runs")).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut files: Vec<String> = runs
        .map(|entry| format!("runs/{}", name(entry.unwrap())))
        .collect();
    files.sort();
    files.push("manifest.json".to_owned());
    files
}

/// A shelf and all its files, in another place.
pub(crate) fn copy_of(root: &Path, to: &Path) {
    fs::create_dir_all(to.join("runs")).unwrap();
    for file in files(root) {
        fs::copy(root.join(&file), to.join(&file)).unwrap();
    }
}

/// Backs a ledger up, in files of so many bytes.
pub(crate) fn back_up(target: &Target, shelf: &Path, file_bytes: u64) -> Ran {
    let bytes = file_bytes.to_string();
    let to = shelf.to_str().unwrap();
    target.run(["backup", "--to", to, "--file-bytes", &bytes, "-o", "json"])
}

/// `luzhang backup verify SHELF -o json` with more options.
pub(crate) fn verified(shelf: &Path, options: &[&str]) -> Ran {
    let shelf = shelf.to_str().unwrap();
    let command = ["backup", "verify", shelf, "-o", "json"];
    run(command.iter().chain(options).copied())
}

/// `luzhang COMMAND --from FROM --to TO` with more options.
pub(crate) fn from_to(command: &[&str], from: &Path, to: &Path, options: &[&str]) -> Ran {
    let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
    let ends = ["--from", from, "--to", to, "-o", "json"];
    run(command.iter().chain(&ends).chain(options).copied())
}

/// The log as an export file.
pub(crate) fn export(target: &Target, file: &Path) -> Vec<u8> {
    target
        .run(["audit", "export", "--out", file.to_str().unwrap()])
        .ended(0);
    fs::read(file).unwrap()
}

/// A place for things that end with the test.
#[derive(Debug)]
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
