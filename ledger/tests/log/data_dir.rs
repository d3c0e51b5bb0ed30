//! What is taken for a ledger, and what is not.

use std::{fs, path::Path, process};

use luzhang_ledger::{
    LedgerId, Position,
    log::{
        Log, Reader,
        sled::{OpenError, ReadLog, Reserve, SledLog, copying, open_for_audit},
    },
};
use uuid::Uuid;

use crate::{append, copy, count, ledger, make};

/// The code with which opening ends, or `opens`: for writing, and for reading it
/// through.
fn open(dir: &Path) -> &'static str {
    let read = ReadLog::open(dir).map_or_else(|error| told(&error), |_| "opens");
    let written = SledLog::open(dir).map_or_else(|error| told(&error), |_| "opens");
    assert_eq!(read, written);
    written
}

fn create(dir: &Path) -> &'static str {
    SledLog::create(dir, ledger()).map_or_else(|error| told(&error), |_| "makes")
}

/// Every error says in both languages what to do.
fn told(error: &OpenError) -> &'static str {
    let (en, zh) = (error.to_string(), error.zh());
    assert!(en.contains(": ") || en.contains("; "), "{en}");
    assert!(zh.contains('：') || zh.contains('；'), "{zh}");
    error.code()
}

/// What is done to a ledger, and the codes with which opening it and making
/// another in its place end.
type Row = (&'static str, fn(&Path), &'static str, &'static str);

const ROWS: [Row; 18] = [
    ("a ledger", |_| {}, "opens", "LEDGER_EXISTS"),
    (
        "nothing at all",
        |dir| fs::remove_dir_all(dir).unwrap(),
        "LEDGER_NOT_FOUND",
        "makes",
    ),
    (
        "an empty directory",
        |dir| {
            fs::remove_dir_all(dir).unwrap();
            fs::create_dir(dir).unwrap();
        },
        "LEDGER_NOT_FOUND",
        "makes",
    ),
    (
        "the root of a file system, and a lock that was taken before a crash",
        |dir| {
            fs::remove_dir_all(dir).unwrap();
            fs::create_dir_all(dir.join("lost+found")).unwrap();
            fs::write(dir.join("lock"), "").unwrap();
        },
        "LEDGER_NOT_FOUND",
        "makes",
    ),
    (
        "somebody's files",
        |dir| {
            fs::remove_dir_all(dir).unwrap();
            fs::create_dir(dir).unwrap();
            fs::write(dir.join("letter.txt"), "").unwrap();
        },
        "LEDGER_NOT_FOUND",
        "DIRECTORY_NOT_EMPTY",
    ),
    (
        "making was interrupted in its last step",
        |dir| fs::rename(dir.join("FORMAT"), dir.join("FORMAT.unfinished")).unwrap(),
        "LEDGER_UNFINISHED",
        "LEDGER_UNFINISHED",
    ),
    (
        "making was interrupted in its first step",
        |dir| {
            fs::remove_dir_all(dir).unwrap();
            fs::create_dir(dir).unwrap();
            fs::write(dir.join("FORMAT.unfinished.new"), "luz").unwrap();
        },
        "LEDGER_UNFINISHED",
        "LEDGER_UNFINISHED",
    ),
    (
        "copying was interrupted in its last step",
        |dir| fs::rename(dir.join("FORMAT"), dir.join("FORMAT.copying")).unwrap(),
        "LEDGER_COPYING",
        "LEDGER_COPYING",
    ),
    (
        "copying was interrupted in its first step",
        |dir| {
            fs::remove_dir_all(dir).unwrap();
            fs::create_dir(dir).unwrap();
            fs::write(dir.join("FORMAT.copying.new"), "luz").unwrap();
        },
        "LEDGER_NOT_FOUND",
        "makes",
    ),
    (
        "no FORMAT",
        |dir| fs::remove_file(dir.join("FORMAT")).unwrap(),
        "FORMAT_MISSING",
        "FORMAT_MISSING",
    ),
    (
        "an empty FORMAT",
        |dir| fs::write(dir.join("FORMAT"), "").unwrap(),
        "FORMAT_UNKNOWN",
        "LEDGER_EXISTS",
    ),
    (
        "a later version",
        |dir| {
            let text = fs::read_to_string(dir.join("FORMAT")).unwrap();
            fs::write(dir.join("FORMAT"), text.replace("luzhang 1", "luzhang 2")).unwrap();
        },
        "FORMAT_UNKNOWN",
        "LEDGER_EXISTS",
    ),
    (
        "another engine",
        |dir| {
            let text = fs::read_to_string(dir.join("FORMAT")).unwrap();
            fs::write(dir.join("FORMAT"), text.replace("0.34.7", "0.35.0")).unwrap();
        },
        "FORMAT_UNKNOWN",
        "LEDGER_EXISTS",
    ),
    (
        "the FORMAT of another ledger",
        |dir| {
            let text = fs::read_to_string(dir.join("FORMAT")).unwrap();
            let other = text.replace("000000000002", "000000000003");
            assert_ne!(text, other);
            fs::write(dir.join("FORMAT"), other).unwrap();
        },
        "LEDGER_MIXED",
        "LEDGER_EXISTS",
    ),
    (
        "no witness",
        |dir| fs::remove_file(dir.join("head")).unwrap(),
        "WITNESS_MISSING",
        "LEDGER_EXISTS",
    ),
    (
        "no database directory",
        |dir| fs::remove_dir_all(dir.join("db")).unwrap(),
        "LEDGER_MISSING",
        "LEDGER_EXISTS",
    ),
    (
        "no lock file and no reserve",
        |dir| {
            fs::remove_file(dir.join("lock")).unwrap();
            fs::remove_file(dir.join("reserve")).unwrap();
        },
        "opens",
        "LEDGER_EXISTS",
    ),
    (
        "a value in a file of its own",
        |dir| fs::write(dir.join("db/blobs/12"), "x").unwrap(),
        "LEDGER_UNREADABLE",
        "LEDGER_EXISTS",
    ),
];

#[test]
fn a_directory_is_what_its_files_say() {
    let scratch = tempfile::tempdir().unwrap();
    let whole = scratch.path().join("whole");
    make(&whole, &[1, 2]);
    for (case, change, opened, created) in ROWS {
        let dir = scratch.path().join("case");
        copy(&whole, &dir);
        change(&dir);
        assert_eq!(open(&dir), opened, "open: {case}");
        assert_eq!(create(&dir), created, "create: {case}");
        let _ = fs::remove_dir_all(&dir);
    }
}

/// What is done to a directory that was being copied to, and the last event that is
/// there when it is gone on with.
type Step = (&'static str, fn(&Path), Option<u64>);

/// What a copy has made when it is interrupted, step by step.
#[test]
fn a_copy_goes_on_from_wherever_it_was_interrupted() {
    let scratch = tempfile::tempdir().unwrap();
    let whole = scratch.path().join("whole");
    let chain = make(&whole, &[1, 2]);
    fs::rename(whole.join("FORMAT"), whole.join("FORMAT.copying")).unwrap();
    let steps: [Step; 5] = [
        ("all but the last", |_| {}, Some(3)),
        (
            "the lock of whoever died",
            |dir| fs::write(dir.join("lock"), "1").unwrap(),
            Some(3),
        ),
        (
            "a database without its witness",
            |dir| fs::remove_file(dir.join("head")).unwrap(),
            None,
        ),
        (
            "half a database",
            |dir| {
                fs::remove_file(dir.join("head")).unwrap();
                fs::remove_file(dir.join("db/conf")).unwrap();
            },
            None,
        ),
        (
            "the mark alone",
            |dir| {
                for file in ["head", "reserve", "lock"] {
                    fs::remove_file(dir.join(file)).unwrap();
                }
                fs::remove_dir_all(dir.join("db")).unwrap();
            },
            None,
        ),
    ];
    for (case, change, there) in steps {
        let dir = scratch.path().join("case");
        copy(&whole, &dir);
        change(&dir);
        assert_eq!(open(&dir), "LEDGER_COPYING", "{case}");
        let begun = copying(&dir).unwrap().map(|format| format.ledger);
        assert_eq!(begun, Some(ledger()), "{case}");
        let other = LedgerId::new(Uuid::from_u128(9));
        let mixed = SledLog::copying(&dir, other).unwrap_err();
        assert_eq!(told(&mixed), "LEDGER_MIXED", "{case}");
        let log = SledLog::copying(&dir, ledger()).unwrap();
        let at = log.head().position.map(Position::number);
        assert_eq!(at, there, "{case}");
        let locked = SledLog::copying(&dir, ledger()).unwrap_err();
        assert_eq!(told(&locked), "LEDGER_LOCKED", "{case}");
        drop(log);
        assert_eq!(open(&dir), "LEDGER_COPYING", "{case}: it is not complete");
        let begun = || SledLog::copying(&dir, ledger()).unwrap();
        let refused = begun().complete(|_| Err(OpenError::NotEmpty)).unwrap_err();
        assert_eq!(refused.code(), "DIRECTORY_NOT_EMPTY");
        assert_eq!(open(&dir), "LEDGER_COPYING", "{case}: it was found wanting");
        let read_back = |reader: &dyn Reader| {
            assert_eq!(count(reader).0, there.unwrap_or(0), "{case}");
            Ok::<_, OpenError>(())
        };
        begun().complete(read_back).unwrap();
        assert_eq!(copying(&dir).unwrap(), None, "{case}");
        assert_eq!(open(&dir), "opens", "{case}");
        if there.is_some() {
            append(SledLog::open(&dir).unwrap(), &mut chain.clone(), &[1]);
        }
        let again = SledLog::copying(&dir, ledger()).unwrap_err();
        assert_eq!(told(&again), "LEDGER_EXISTS", "{case}");
        fs::remove_dir_all(&dir).unwrap();
    }
}

#[test]
fn a_new_ledger_is_private_and_holds_space_back() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("a/b");
    let log = SledLog::create(&dir, ledger()).unwrap();
    assert_eq!(log.ledger(), ledger());
    assert_eq!(log.next_epoch(), 1);
    assert_eq!(log.reserve(), Reserve::Held);
    assert_eq!(
        fs::metadata(&dir).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let reserve = dir.join("reserve");
    assert!(fs::metadata(&reserve).unwrap().blocks() * 512 >= 48 << 20);
    drop(log);
    // A reserve that is a hole holds nothing back.
    fs::write(&reserve, "").unwrap();
    fs::File::options()
        .write(true)
        .open(&reserve)
        .unwrap()
        .set_len(48 << 20)
        .unwrap();
    let log = SledLog::open(&dir).unwrap();
    assert_eq!(log.reserve(), Reserve::Held);
    assert!(fs::metadata(&reserve).unwrap().blocks() * 512 >= 48 << 20);
}

#[test]
fn one_process_writes_and_nobody_copies_meanwhile() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("ledger");
    make(&dir, &[1, 2]);
    let here = Some(process::id());
    let log = SledLog::open(&dir).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for refused in [
        SledLog::open(&dir).map(|_| ()),
        ReadLog::open(&dir).map(|_| ()),
        open_for_audit(&dir, copy.path()).map(|_| ()),
    ] {
        let error = refused.unwrap_err();
        assert!(
            matches!(error, OpenError::Locked { pid } if pid == here),
            "{error:?}"
        );
        assert_eq!(told(&error), "LEDGER_LOCKED");
    }
    drop(log);
    let first = open_for_audit(&dir, copy.path()).unwrap();
    let other = tempfile::tempdir().unwrap();
    let second = open_for_audit(&dir, other.path()).unwrap();
    let read = ReadLog::open(&dir).unwrap();
    assert_eq!(read.head.position, Position::new(3));
    assert_eq!(count(&*read.reader).0, 3);
    let refused = SledLog::open(&dir).unwrap_err();
    assert_eq!(told(&refused), "LEDGER_LOCKED");
    drop(read);
    for audit in [first, second] {
        assert_eq!(audit.format.ledger, ledger());
        assert_eq!(audit.witness.unwrap().position, Position::new(3));
        assert_eq!(count(&*audit.reader).0, 3);
    }
    assert_eq!(open(&dir), "opens");
}

#[test]
fn the_witness_catches_what_the_database_does_not() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    let swap = |from: &str, to: &str, file: &str| {
        let (from, to) = (at(from).join(file), at(to).join(file));
        if from.is_dir() {
            fs::remove_dir_all(&to).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    };
    // 6 events; then two continuations of equal length, and a longer one.
    let chain = make(&at("short"), &[1, 2, 3]);
    for (name, blocks) in [("left", &[4][..]), ("right", &[3, 1]), ("long", &[4, 5])] {
        copy(&at("short"), &at(name));
        append(
            SledLog::open(&at(name)).unwrap(),
            &mut chain.clone(),
            blocks,
        );
    }
    drop(SledLog::create(&at("empty"), ledger()).unwrap());
    let other = LedgerId::new(Uuid::from_u128(9));
    drop(SledLog::create(&at("other"), other).unwrap());

    let rows: [(&str, &str, &str, &str); 9] = [
        ("its own", "short", "short", "opens"),
        ("behind, as after a crash", "short", "long", "opens"),
        ("of the genesis, as after a crash", "empty", "long", "opens"),
        ("ahead by a block", "left", "short", "LEDGER_TRUNCATED"),
        ("ahead of nothing", "short", "empty", "LEDGER_TRUNCATED"),
        (
            "of a fork with other blocks",
            "right",
            "left",
            "LEDGER_FORKED",
        ),
        (
            "of a fork with other blocks, behind",
            "right",
            "long",
            "LEDGER_FORKED",
        ),
        ("of another ledger", "other", "short", "LEDGER_MIXED"),
        (
            "of another ledger, with its FORMAT",
            "other",
            "long",
            "LEDGER_FORKED",
        ),
    ];
    for (case, witness, database, expected) in rows {
        copy(&at(database), &at("case"));
        swap(witness, "case", "head");
        if case.ends_with("FORMAT") {
            swap(witness, "case", "FORMAT");
        }
        assert_eq!(open(&at("case")), expected, "witness {case}");
        fs::remove_dir_all(at("case")).unwrap();
    }
    copy(&at("short"), &at("case"));
    swap("left", "case", "head");
    let error = SledLog::open(&at("case")).unwrap_err();
    assert!(
        matches!(error, OpenError::Truncated { witness, log: 6 } if witness.number() == 10),
        "{error:?}"
    );
}

#[test]
fn no_byte_of_format_or_witness_may_change() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("ledger");
    make(&dir, &[1, 2]);
    for file in ["FORMAT", "head"] {
        let whole = fs::read(dir.join(file)).unwrap();
        for at in 0..whole.len() {
            for bit in [0x01, 0x20] {
                let mut flipped = whole.clone();
                flipped[at] ^= bit;
                fs::write(dir.join(file), flipped).unwrap();
                let code = open(&dir);
                assert!(
                    ["FORMAT_UNKNOWN", "WITNESS_DAMAGED", "LEDGER_MIXED"].contains(&code),
                    "{file}, byte {at}: {code}"
                );
            }
        }
        for len in 0..whole.len() {
            fs::write(dir.join(file), &whole[..len]).unwrap();
            assert_ne!(open(&dir), "opens", "{file}, {len} bytes");
        }
        fs::write(dir.join(file), whole).unwrap();
    }
    assert_eq!(open(&dir), "opens");
}

#[test]
fn the_witness_follows_a_running_log() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("ledger");
    drop(SledLog::create(&dir, ledger()).unwrap());
    let mut chain = luzhang_ledger::log::conformance::Chain::new(ledger());
    let mut log = SledLog::open(&dir).unwrap();
    for round in 1..=3 {
        for _ in 0..20 {
            log.append(&[chain.block(&[10]).unwrap()]).unwrap();
        }
        let line = format!("\nposition {}\n", round * 20);
        // The file is replaced by another thread, soon; this loop ends with the
        // first witness that says so.
        while !fs::read_to_string(dir.join("head"))
            .unwrap()
            .contains(&line)
        {
            std::thread::yield_now();
        }
    }
    // As after `kill -9`: nothing is closed.
    copy(&dir, &scratch.path().join("killed"));
    let killed = SledLog::open(&scratch.path().join("killed")).unwrap();
    assert_eq!(killed.head(), log.head());
    assert_eq!(killed.next_epoch(), 2);
}
