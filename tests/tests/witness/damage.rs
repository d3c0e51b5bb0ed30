//! Files of a witness that are not as it left them.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use luzhang_ledger::proof::TreeHead;
use luzhang_server::witness::{OriginHash, Witness, WitnessError};

use crate::{history::History, running::Office};

const NOW: u64 = 1_800_000_000;

/// A witness that has cosigned five leaves of one log, and none of another.
fn standing() -> (Office, History) {
    let log = History::new("log.example/one", 9);
    let fresh = History::new("log.example/two", 9);
    let office = Office::watching([log.verifier(), fresh.verifier()]);
    let witness = office.open();
    witness.add_checkpoint(&log.request(0, 5), NOW).unwrap();
    drop(witness);
    (office, log)
}

fn heads(witness: &Witness) -> Vec<(String, TreeHead)> {
    let logs = witness.logs();
    let head = |log: &luzhang_server::witness::WatchedLog| (log.origin.to_string(), log.head());
    logs.iter().map(head).collect()
}

/// Opening says that this file is damaged, and so does looking.
#[track_caller]
fn damaged(office: &Office, file: &Path, what: &str) {
    let looked = Witness::survey(&office.dir()).map(|_| ());
    for opened in [office.try_open().map(|_| ()), looked] {
        match opened {
            Err(WitnessError::Damaged { path, .. }) => assert_eq!(path, file, "{what}"),
            other => panic!("{}: {what}: {other:?}", file.display()),
        }
    }
}

#[test]
fn any_byte_changed_is_noticed() {
    let (office, log) = standing();
    let before = heads(&office.open());
    let record = office.dir().join("logs");
    let record = record.join(OriginHash::of(log.origin()).to_string());
    for file in [
        record,
        office.dir().join("key"),
        office.dir().join("origins"),
    ] {
        let bytes = fs::read(&file).unwrap();
        for at in 0..bytes.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                fs::write(&file, &changed).unwrap();
                damaged(&office, &file, &format!("byte {at}, {flip:#x}"));
            }
        }
        for changed in [
            [&bytes[..], b"\n"].concat(),
            [&bytes[..], &bytes[..]].concat(),
            [b"\n", &bytes[..]].concat(),
            Vec::new(),
        ] {
            fs::write(&file, &changed).unwrap();
            damaged(&office, &file, "more or nothing");
        }
        fs::write(&file, &bytes).unwrap();
    }
    assert_eq!(heads(&office.open()), before, "and nothing was mended");
}

#[test]
fn a_file_that_is_gone_is_missed() {
    let (office, log) = standing();
    let record = office.dir().join("logs");
    let record = record.join(OriginHash::of(log.origin()).to_string());
    for file in [
        record,
        office.dir().join("key"),
        office.dir().join("origins"),
    ] {
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        for missed in [
            office.try_open().map(|_| ()),
            Witness::survey(&office.dir()).map(|_| ()),
        ] {
            match missed {
                Err(WitnessError::Missing { path }) => assert_eq!(path, file),
                other => panic!("{}: {other:?}", file.display()),
            }
        }
        fs::write(&file, &bytes).unwrap();
    }
    office.open();
}

/// Whole files that belong elsewhere: their checksums are right.
#[test]
fn files_of_another_log_witness_or_kind_are_not_believed() {
    let (office, log) = standing();
    let (other, _) = standing();
    let logs = office.dir().join("logs");
    let record = logs.join(OriginHash::of(log.origin()).to_string());
    let fresh = logs.join(OriginHash::of("log.example/two").to_string());
    let of_other = other.dir().join("logs");
    let of_other = of_other.join(OriginHash::of(log.origin()).to_string());
    for (from, to) in [
        (&fresh, &record),
        (&of_other, &record),
        (&office.dir().join("origins"), &record),
        (&record, &office.dir().join("origins")),
        (&record, &office.dir().join("key")),
    ] {
        let bytes = fs::read(to).unwrap();
        fs::copy(from, to).unwrap();
        damaged(&office, to, &format!("from {}", from.display()));
        fs::write(to, bytes).unwrap();
    }
    // Another witness's key: what is on record was not cosigned by it.
    fs::copy(other.dir().join("key"), office.dir().join("key")).unwrap();
    damaged(&office, &record, "the key was exchanged");
}

#[test]
fn one_process_at_a_time_and_others_may_look() {
    let (office, log) = standing();
    let witness = office.open();
    let second = Witness::open(&office.dir()).unwrap_err();
    assert_eq!(second.code(), "WITNESS_LOCKED");
    let survey = Witness::survey(&office.dir()).unwrap();
    assert_eq!(survey.logs.len(), 2);
    assert_eq!(survey.logs[0].head(), log.head(5));
    assert_eq!(&survey.key, witness.verifier());
    drop(witness);
    office.open();
}

#[test]
fn its_files_are_its_owners_alone() {
    let (office, _) = standing();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&office.dir()), 0o700);
    assert_eq!(mode(&office.dir().join("key")), 0o600);
}
