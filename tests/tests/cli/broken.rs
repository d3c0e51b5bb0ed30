//! Directories that hold no ledger, half a ledger, or something else: nothing is
//! begun over them, nothing in them is changed, and what to do is said.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    is_han,
    support::{Ledger, Server, Target},
};

/// The content of every file, but for the lock: who tries it leaves its number.
fn content(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).into_iter().flatten().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() {
            for (inner, bytes) in content(&path) {
                files.insert(format!("{name}/{inner}"), bytes);
            }
        } else if name != "lock" {
            files.insert(name, fs::read(path).unwrap());
        }
    }
    files
}

/// What happens to a data directory.
type Change = Box<dyn Fn(&Path)>;

#[test]
fn what_is_lost_is_said_and_never_made_anew() {
    let write = |path: &str, bytes: &[u8]| {
        let (path, bytes) = (path.to_owned(), bytes.to_vec());
        move |dir: &Path| fs::write(dir.join(&path), &bytes).unwrap()
    };
    let remove = |path: &str| {
        let path = path.to_owned();
        move |dir: &Path| {
            let path = dir.join(&path);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
    };
    let garbage = |length: usize| {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    };
    let rows: [(&str, Change, i32, &str, &str); 12] = [
        (
            "no database",
            Box::new(remove("db")),
            1,
            "LEDGER_MISSING",
            "unreadable",
        ),
        (
            "no data file",
            Box::new(remove("db/db")),
            1,
            "LEDGER_MISSING",
            "unreadable",
        ),
        (
            "an empty data file",
            Box::new(write("db/db", b"")),
            1,
            "LEDGER_EMPTY",
            "empty",
        ),
        (
            "garbage",
            Box::new(write("db/db", &garbage(100_000))),
            1,
            "LEDGER_UNREADABLE",
            "unreadable",
        ),
        (
            "zeros",
            Box::new(write("db/db", &vec![0; 16 << 20])),
            1,
            "LEDGER_UNREADABLE",
            "unreadable",
        ),
        (
            "garbage as settings",
            Box::new(write("db/conf", &garbage(64))),
            1,
            "LEDGER_UNREADABLE",
            "unreadable",
        ),
        (
            "no witness",
            Box::new(remove("head")),
            1,
            "WITNESS_MISSING",
            "unreadable",
        ),
        (
            "a damaged witness",
            Box::new(write("head", b"luzhang\n")),
            1,
            "WITNESS_DAMAGED",
            "unreadable",
        ),
        (
            "no FORMAT",
            Box::new(remove("FORMAT")),
            1,
            "FORMAT_MISSING",
            "unreadable",
        ),
        (
            "another FORMAT",
            Box::new(write("FORMAT", b"luzhang 9\n")),
            1,
            "FORMAT_UNKNOWN",
            "unreadable",
        ),
        (
            "an empty directory",
            Box::new(|dir| {
                fs::remove_dir_all(dir).unwrap();
                fs::create_dir(dir).unwrap();
            }),
            5,
            "LEDGER_NOT_FOUND",
            "unreadable",
        ),
        (
            "no directory",
            Box::new(|dir| fs::remove_dir_all(dir).unwrap()),
            5,
            "LEDGER_NOT_FOUND",
            "unreadable",
        ),
    ];
    for (name, change, exit, code, verdict) in rows {
        let ledger = Ledger::new();
        let (dir, target) = (ledger.dir(), ledger.target());
        change(&dir);
        let before = content(&dir);
        let existed = dir.exists();
        let commands: [&[&str]; 3] = [
            &["audit", "head"],
            &["serve", "--listen", "127.0.0.1:0", "--lang", "zh"],
            &["report", "totals"],
        ];
        for command in commands {
            let ran = target.run(command);
            ran.failed(exit, code);
            // It says what to do.
            let advice = [
                "restore",
                "恢复",
                "luzhang init",
                "备份",
                "use that version",
            ];
            assert!(
                advice.iter().any(|words| ran.err.contains(words)),
                "{name}: {}",
                ran.err
            );
            assert_eq!(
                ran.err.chars().any(is_han),
                command.contains(&"zh"),
                "{}",
                ran.err
            );
            assert!(
                content(&dir) == before,
                "{name}: {command:?} changed something"
            );
        }
        assert_eq!(dir.exists(), existed, "{name}");
        let ran = target.run(["audit", "verify", "-o", "json"]);
        let report = ran.json();
        assert_eq!(report["verdict"], verdict, "{name}: {report}");
        assert_eq!(ran.code, 11, "{name}: {report}");
        assert!(
            content(&dir) == before,
            "{name}: verification changed something"
        );
        // A new ledger is not put over the remains of an old one.
        if !before.is_empty() {
            let ran = target.run(["init"]);
            assert!([1, 6].contains(&ran.code), "{name}: {ran:?}");
            assert!(content(&dir) == before, "{name}: init changed something");
        }
    }
}

#[test]
fn a_ledger_is_never_begun_over_something_else() {
    let ledger = Ledger::new();
    let head = ledger.target().head();
    ledger.target().run(["init"]).failed(6, "LEDGER_EXISTS");
    assert_eq!(ledger.target().head(), head);
    let full = ledger.file("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("thesis.txt"), "years of work").unwrap();
    Target::data_dir(&full)
        .run(["init"])
        .failed(6, "DIRECTORY_NOT_EMPTY");
    assert_eq!(content(&full).len(), 1);
    Target::data_dir(&full)
        .run(["audit", "head"])
        .failed(5, "LEDGER_NOT_FOUND");
    assert_eq!(content(&full).len(), 1);
    let file = full.join("thesis.txt");
    assert_eq!(Target::data_dir(&file).run(["init"]).code, 1);
    assert_eq!(fs::read(&file).unwrap(), b"years of work");
    // Directories above it are made, and one that is empty is taken.
    let deep = full.join("a/b/c");
    let made = Target::data_dir(&deep)
        .run(["init", "-o", "json"])
        .ended(0)
        .json();
    let fields: Vec<_> = made.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        ["schema_version", "ledger_id", "position", "chain_head"]
    );
    let empty = full.join("empty");
    fs::create_dir(&empty).unwrap();
    Target::data_dir(&empty).run(["init"]).ended(0);
}

#[test]
fn a_ledger_has_one_writer() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    for lang in ["zh", "en"] {
        for command in [
            &["audit", "head"][..],
            &["serve", "--listen", "127.0.0.1:0"],
        ] {
            let ran = ledger.target().run(command.iter().chain(&["--lang", lang]));
            ran.failed(6, "LEDGER_LOCKED");
            let process = server.process().to_string();
            assert!(ran.err.contains(&process), "{}", ran.err);
        }
    }
    // Two servers cannot have one address.
    let other = Ledger::new();
    let address = server.url().trim_start_matches("http://");
    other
        .target()
        .run(["serve", "--listen", address])
        .failed(1, "LISTEN_FAILED");
    // Who was killed has no lock any more.
    server.kill();
    ledger.target().run(["audit", "head"]).ended(0);
    other
        .target()
        .run(["serve", "--listen", "0.0.0.0:0"])
        .failed(1, "NOT_LOOPBACK");
}
