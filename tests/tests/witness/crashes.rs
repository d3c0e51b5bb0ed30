//! What a crash leaves on disk, step by step: a witness opens with what it had
//! before or with what it was about to have, and with nothing else.

use std::fs;

use luzhang_ledger::proof::{
    TreeHead,
    note::{KeyName, SignatureLine},
};
use luzhang_server::witness::{NotCosigned, OriginHash, Witness, WitnessError};

use crate::{
    history::History,
    running::{Office, open},
};

const NOW: u64 = 1_800_000_000;

fn add(witness: &Witness, log: &History, old: u64, new: u64) -> Result<SignatureLine, NotCosigned> {
    witness.add_checkpoint(&log.request(old, new), NOW)
}

#[track_caller]
fn head(witness: &Witness, log: &History) -> TreeHead {
    let newest = witness.newest(OriginHash::of(log.origin()));
    newest.map_or(TreeHead::EMPTY, |newest| newest.head())
}

/// A checkpoint is recorded in five steps: a file beside the old one is emptied
/// or made, written, synced, renamed, and the directory synced. Before the
/// rename is on disk the old record counts, afterwards the new one, and only
/// after all of it is the cosignature given.
#[test]
fn between_any_two_steps_of_recording_a_checkpoint() {
    let log = History::new("log.example/crash", 9);
    let fork = log.fork(2);
    let office = Office::watching([log.verifier()]);
    let path = office.dir().join("logs");
    let path = path.join(OriginHash::of(log.origin()).to_string());
    let beside = path.with_extension("new");
    let mut records = vec![fs::read(&path).unwrap()];
    for (old, new) in [(0, 3), (3, 5)] {
        add(&office.open(), &log, old, new).unwrap();
        records.push(fs::read(&path).unwrap());
    }
    for (before, after, sizes) in [(0, 1, [0, 3]), (1, 2, [3, 5])] {
        let (before, after) = (&records[before], &records[after]);
        let [old, new] = sizes;
        let unfinished = (0..=after.len()).map(|end| &after[..end]);
        for left in unfinished.step_by(7).chain([after.as_slice()]) {
            fs::write(&path, before).unwrap();
            fs::write(&beside, left).unwrap();
            let witness = office.open();
            assert_eq!(head(&witness, &log), log.head(old), "{} bytes", left.len());
            // The client was not answered, asks again, and the fork comes too late.
            add(&witness, &log, old, new).unwrap();
            assert!(add(&witness, &fork, old, new).is_err());
            drop(witness);
            assert_eq!(head(&office.open(), &log), log.head(new));
        }
        // Renamed, but the client was not answered.
        fs::write(&path, after).unwrap();
        let witness = office.open();
        assert_eq!(head(&witness, &log), log.head(new));
        assert!(add(&witness, &fork, old, new).is_err());
        assert!(add(&witness, &fork, new, new).is_err());
        add(&witness, &log, new, new).unwrap();
        drop(witness);
        // A file system that keeps the name and loses what it names: no fresh start.
        for end in 0..after.len() {
            fs::write(&path, &after[..end]).unwrap();
            match office.try_open() {
                Err(WitnessError::Damaged { path: named, .. }) => assert_eq!(named, path),
                other => panic!("{end} bytes: {other:?}"),
            }
        }
        fs::write(&path, after).unwrap();
    }
}

#[test]
fn between_any_two_steps_of_adding_a_log() {
    let log = History::new("log.example/crash", 9);
    let another = History::new("log.example/another", 9);
    let office = Office::watching([log.verifier()]);
    add(&office.open(), &log, 0, 4).unwrap();
    let origins = office.dir().join("origins");
    let before = fs::read(&origins).unwrap();
    office.open().add_log(another.verifier()).unwrap();
    let after = fs::read(&origins).unwrap();
    let file = office.dir().join("logs");
    let file = file.join(OriginHash::of(another.origin()).to_string());
    let record = fs::read(&file).unwrap();

    // The log's file is unfinished: it is as if nobody had asked.
    fs::write(&origins, &before).unwrap();
    fs::remove_file(&file).unwrap();
    for end in [0, 1, record.len()] {
        fs::write(file.with_extension("new"), &record[..end]).unwrap();
        assert_eq!(office.open().logs().len(), 1);
    }
    // It is there and the list is not: the log is watched, and stays so.
    fs::write(&file, &record).unwrap();
    for end in [0, 1, after.len()] {
        fs::write(origins.with_extension("new"), &after[..end]).unwrap();
        let witness = office.open();
        assert_eq!(head(&witness, &log), log.head(4));
        assert_eq!(witness.logs().len(), 2);
        let size = head(&witness, &another).size;
        add(&witness, &another, size, size + 1).unwrap();
    }
    // Asked again, its record is not begun anew.
    office.open().add_log(another.verifier()).unwrap();
    assert_eq!(head(&office.open(), &another), another.head(3));
    // And the list has it, so that its file is missed.
    let third = History::new("log.example/third", 1);
    office.open().add_log(third.verifier()).unwrap();
    fs::remove_file(&file).unwrap();
    let missed = office.try_open().unwrap_err();
    assert_eq!(missed.code(), "WITNESS_STATE_MISSING");
}

/// A witness that was not made to its end is none, and what is there of it is
/// not taken for an empty directory.
#[test]
fn between_any_two_steps_of_making_a_witness() {
    let name = KeyName::new("audit.example/w1").unwrap();
    let office = Office::watching([]);
    let made = office.dir();
    let dir = office.beside("unfinished");
    let key = fs::read(made.join("key")).unwrap();
    let check = |opened: &str, made: &str| {
        let code = |result: Result<Witness, WitnessError>| {
            result.map_or_else(|error| error.code(), |_| "none")
        };
        assert_eq!(code(open(&dir)), opened);
        assert_eq!(code(Witness::create(&dir, &name)), made);
    };
    let fresh = || {
        if dir.exists() {
            fs::remove_dir_all(&dir).unwrap();
        }
        fs::create_dir(&dir).unwrap();
    };
    check("WITNESS_NOT_FOUND", "none");
    fresh();
    check("WITNESS_NOT_FOUND", "none");
    fresh();
    fs::write(dir.join("lock"), b"").unwrap();
    check("WITNESS_NOT_FOUND", "none");
    fresh();
    fs::create_dir(dir.join("logs")).unwrap();
    check("WITNESS_STATE_MISSING", "DIRECTORY_NOT_EMPTY");
    fs::copy(made.join("origins"), dir.join("origins")).unwrap();
    check("WITNESS_STATE_MISSING", "DIRECTORY_NOT_EMPTY");
    for end in 0..key.len() {
        fs::write(dir.join("key.new"), &key[..end]).unwrap();
    }
    check("WITNESS_STATE_MISSING", "DIRECTORY_NOT_EMPTY");
    fs::write(dir.join("key"), &key).unwrap();
    check("none", "WITNESS_EXISTS");
    assert_eq!(open(&dir).unwrap().verifier(), &office.key);
}
