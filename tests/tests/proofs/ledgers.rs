//! Ledgers that something is to be proven of.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    str::FromStr,
    thread,
    time::{Duration, Instant},
};

use luzhang_ledger::{
    Body, Event,
    block::{BlockBuilder, BlockView, Head},
    codec,
    export::{ExportWriter, VerifiedBlocks},
    proof::{Policy, SignedCheckpoint, policy::Trusted},
};
use serde_json::{Value, json};

use crate::support::{Bureau, Ledger, Ran, Sheet, Target};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// What `look` finds, as soon as it finds something.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Looks again and again for so long, and expects nothing to change.
#[track_caller]
pub(crate) fn stays<T: PartialEq + std::fmt::Debug>(time: Duration, look: impl Fn() -> T) -> T {
    let (begun, first) = (Instant::now(), look());
    while begun.elapsed() < time {
        thread::sleep(Duration::from_millis(20));
        assert_eq!(look(), first);
    }
    first
}

/// The demo's bureau: several hundred events.
pub(crate) fn bureau() -> Ledger {
    let ledger = Ledger::new();
    Bureau::demo()
        .import(&ledger.target(), &["-o", "json"])
        .ended(3);
    ledger
}

/// A ledger of so many events, at least 4: it has signed a checkpoint, so that
/// its key is known before anything forks.
pub(crate) fn signed(events: u64) -> Ledger {
    let ledger = Ledger::new();
    ledger.target().run(["checkpoint", "sign"]).ended(0);
    grow(&ledger.target(), "文", events);
    ledger
}

/// Brings a ledger to so many events with appropriations that bear this name.
pub(crate) fn grow(target: &Target, name: &str, events: u64) {
    let size = size(target);
    assert!(size <= events, "{size} events, more than {events}");
    if size == events {
        return;
    }
    let rows = size..events;
    let rows = rows.map(|n| format!("{name}{n},county,other-subsidy,510502,2025,1.00"));
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("appropriations.csv");
    Sheet::of("appropriation", rows).write(&file);
    target.run(["import", text(&file)]).ended(0);
    assert_eq!(self::size(target), events);
}

/// One more event.
pub(crate) fn fund(target: &Target, document: &str) -> Ran {
    target.run_with_input(["submit", "-"], &appropriation(document).to_string())
}

pub(crate) fn appropriation(document: &str) -> Value {
    json!({"appropriation": {
        "document": document, "fund": "county", "programme": "other-subsidy",
        "office": "510502", "year": 2025, "amount_fen": 1,
    }})
}

/// How many events there are.
#[track_caller]
pub(crate) fn size(target: &Target) -> u64 {
    let head = target.head();
    head.split_once(':').unwrap().0.parse().unwrap()
}

/// The verifier key that signs now.
#[track_caller]
pub(crate) fn key(target: &Target) -> String {
    keys(target).pop().unwrap()
}

/// Every key that the log has adopted.
#[track_caller]
pub(crate) fn keys(target: &Target) -> Vec<String> {
    let said = target.run(["checkpoint", "keys", "-o", "json"]).ended(0);
    let rows = said.json()["rows"].as_array().unwrap().clone();
    let key = |row: &Value| row["key"].as_str().unwrap().to_owned();
    rows.iter().map(key).collect()
}

/// A checkpoint over everything, signed now if there is none yet.
#[track_caller]
pub(crate) fn checkpoint(target: &Target) -> SignedCheckpoint {
    let over = size(target).to_string();
    let shown = target.run(["checkpoint", "show", "--covering", &over]);
    parse(&shown.ended(0).out)
}

#[track_caller]
pub(crate) fn parse(note: &str) -> SignedCheckpoint {
    SignedCheckpoint::parse(note.as_bytes()).unwrap()
}

/// What a checkpoint says, if this key signed it.
#[track_caller]
pub(crate) fn trusted(checkpoint: &SignedCheckpoint, key: &str) -> Trusted {
    policy(key).check(checkpoint).unwrap()
}

pub(crate) fn policy(key: &str) -> Policy {
    Policy::from_str(&format!("log {key}\nquorum none\n")).unwrap()
}

/// `event show -o json`.
#[track_caller]
pub(crate) fn event(target: &Target, position: u64) -> Value {
    let position = position.to_string();
    let shown = target.run(["event", "show", &position, "-o", "json"]);
    shown.ended(0).json()
}

/// Copies a directory.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Puts a copy in the place of a directory.
pub(crate) fn put_back(copy: &Path, place: &Path) {
    fs::remove_dir_all(place).unwrap();
    self::copy(copy, place);
}

/// Every file below a directory, by its path there.
pub(crate) fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(here) = open.pop() {
        for entry in fs::read_dir(here).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                let path = entry.path();
                let name = text(path.strip_prefix(dir).unwrap()).to_owned();
                found.push((name, fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Writes all blocks to a file beside the ledger.
#[track_caller]
pub(crate) fn export(ledger: &Ledger, name: &str) -> PathBuf {
    let file = ledger.file(name);
    let export = ["audit", "export", "--out", text(&file)];
    ledger.target().run(export).ended(0);
    file
}

/// The events of an export file.
pub(crate) fn events(file: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    for block in VerifiedBlocks::new(File::open(file).unwrap()).flat_map(Result::unwrap) {
        let view = BlockView::parse(&block).unwrap();
        let frames = view.frames().map(Result::unwrap);
        events.extend(frames.map(|frame| codec::decode(frame.event).unwrap()));
    }
    events
}

/// An export of these events that verifies, as a program without limits writes it.
pub(crate) fn write_export(file: &Path, events: &[Event]) {
    let Body::LedgerCreated { ledger, .. } = events[0].body else {
        panic!("{:?}", events[0])
    };
    let mut writer = ExportWriter::new(File::create(file).unwrap(), ledger).unwrap();
    let mut builder = BlockBuilder::new(Head::genesis(ledger), 1);
    for event in events {
        while builder.push(event).unwrap().is_none() {
            writer.block(&builder.seal().bytes).unwrap();
        }
    }
    writer.block(&builder.seal().bytes).unwrap();
    writer.finish().unwrap();
}
