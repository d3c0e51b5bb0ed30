//! `luzhang audit`: what verification can prove of an export, a directory and a
//! server, and what it finds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    both, bureau,
    support::{Ledger, Ran, Server, Target, run},
};

fn export(target: &Target, file: &Path) -> Vec<u8> {
    let out = file.to_str().unwrap();
    let ran = target
        .run(["audit", "export", "--out", out, "-o", "json"])
        .ended(0);
    let said = ran.json();
    let head = target.run(["audit", "head", "-o", "json"]).ended(0).json();
    let fields = ["schema_version", "file", "events", "blocks", "chain_head"];
    assert_eq!(said.as_object().unwrap().keys().collect::<Vec<_>>(), fields);
    assert_eq!(
        [&said["events"], &said["blocks"], &said["chain_head"]],
        [&head["position"], &head["blocks"], &head["chain_head"]]
    );
    fs::read(file).unwrap()
}

#[test]
fn verification_says_what_it_can_prove() {
    let ledger = bureau();
    let head = ledger.target().head();
    let (position, hash) = head.split_once(':').unwrap();
    let file = ledger.file("ledger.luzhang");
    export(&ledger.target(), &file);
    let early = ledger
        .target()
        .run(["event", "show", "5", "-o", "json"])
        .ended(0)
        .json();
    let early = early["event_hash"].as_str().unwrap().to_owned();
    let other_head = format!("{position}:{}", "0".repeat(64));
    let anchors = [
        (String::new(), "self_consistent", 0),
        (hash.to_owned(), "intact", 0),
        (head.clone(), "intact", 0),
        (early.clone(), "intact", 0),
        (format!("5:{early}"), "intact", 0),
        (format!("6:{early}"), "forked", 10),
        ("0".repeat(64), "forked", 10),
        (other_head.clone(), "forked", 10),
        (format!("99999:{hash}"), "truncated", 10),
    ];
    let check = |verify: &dyn Fn(&[&str]) -> Ran| {
        for (anchor, verdict, exit) in &anchors {
            let options: &[&str] = if anchor.is_empty() {
                &[]
            } else {
                &["--head", anchor]
            };
            let report = verify(&[&["-o", "json"], options].concat())
                .ended(*exit)
                .json();
            assert_eq!(report["verdict"], *verdict, "{anchor}");
            // In words, it ends the same way.
            let said = verify(&[&["--lang", "zh"], options].concat()).ended(*exit);
            // An anchor that is contradicted ends it there.
            if !anchor.starts_with("6:") && anchor != &other_head {
                assert_eq!(report["events"].to_string(), position, "{anchor}");
                assert_eq!(report["chain_head"], hash, "{anchor}");
                assert!(said.out.contains(hash), "{}", said.out);
            }
        }
        for wrong in [
            "",
            "12",
            "x:y",
            "0:0",
            &hash[1..],
            &format!(":{hash}"),
            &format!("{hash}:1"),
        ] {
            verify(&["--head", wrong]).failed(2, "USAGE");
        }
    };
    check(&|options| {
        let verify = ["audit", "verify", file.to_str().unwrap()];
        run(verify.iter().chain(options))
    });
    both(&ledger, |target| {
        check(&|options| target.run(["audit", "verify"].iter().chain(options)));
    });
}

#[test]
fn an_export_is_whole_or_not_there() {
    let ledger = bureau();
    let of_directory = export(&ledger.target(), &ledger.file("directory.luzhang"));
    let server = Server::start(&ledger.dir());
    let of_server = export(&server.target(), &ledger.file("server.luzhang"));
    assert!(of_directory == of_server);
    // It never writes over a file.
    let taken = ledger.file("taken");
    fs::write(&taken, "years of work").unwrap();
    let to = |file: &Path| ["audit", "export", "--out", file.to_str().unwrap()].map(str::to_owned);
    server.target().run(to(&taken)).failed(1, "FILE_IO");
    assert_eq!(fs::read(&taken).unwrap(), b"years of work");
    // Half an export is none.
    let none = ledger.file("none");
    ledger.target().run(to(&none)).failed(6, "LEDGER_LOCKED");
    run(to(&none)).failed(2, "USAGE");
    let nowhere = Target::server("http://127.0.0.1:1");
    nowhere.run(to(&none)).failed(7, "SERVER_UNREACHABLE");
    assert!(!none.exists());
    // A directory in use cannot be copied in a consistent way; its server can say.
    ledger
        .target()
        .run(["audit", "verify"])
        .failed(6, "LEDGER_LOCKED");
    ledger.target().run(["rebuild"]).failed(6, "LEDGER_LOCKED");
}

#[test]
fn what_was_done_to_an_export_is_named() {
    let ledger = bureau();
    let file = ledger.file("ledger.luzhang");
    let whole = export(&ledger.target(), &file);
    let flipped = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        bytes
    };
    let rows: [(&str, Vec<u8>, &str, i32, bool); 8] = [
        ("whole", whole.clone(), "self_consistent", 0, false),
        (
            "a byte of an event",
            flipped(whole.len() / 2),
            "tampered",
            10,
            true,
        ),
        (
            "a byte of the trailer",
            flipped(whole.len() - 1),
            "tampered",
            10,
            false,
        ),
        (
            "cut in the middle",
            whole[..whole.len() / 2].to_vec(),
            "truncated",
            10,
            true,
        ),
        (
            "cut before the trailer",
            whole[..whole.len() - 120].to_vec(),
            "truncated",
            10,
            true,
        ),
        (
            "something after it",
            [&whole[..], b"\n"].concat(),
            "tampered",
            10,
            false,
        ),
        ("empty", vec![], "unreadable", 11, false),
        (
            "no export",
            b"not an export, but long enough to be one".to_vec(),
            "unreadable",
            11,
            false,
        ),
    ];
    for (name, bytes, verdict, exit, at_an_event) in rows {
        fs::write(&file, bytes).unwrap();
        let verify = ["audit", "verify", file.to_str().unwrap()];
        let report = run(verify.iter().chain(&["-o", "json"])).ended(exit).json();
        assert_eq!(report["verdict"], verdict, "{name}");
        assert_eq!(
            report["first_bad_position"].is_u64(),
            at_an_event,
            "{name}: {report}"
        );
        assert_eq!(report["detail"].is_string(), exit != 0, "{name}: {report}");
        let said = run(verify.iter().chain(&["--lang", "zh"])).ended(exit);
        assert!(
            said.out.lines().count() >= usize::from(exit != 0) * 3,
            "{}",
            said.out
        );
    }
    run(["audit", "verify", ledger.file("nowhere").to_str().unwrap()]).failed(1, "FILE_IO");
    let directory = ledger.dir();
    let ran = run(["audit", "verify", directory.to_str().unwrap(), "-o", "json"]).ended(11);
    assert_eq!(ran.json()["verdict"], "unreadable");
}

/// A copy of the database from another time, or of another history, under the
/// witness of today.
#[test]
fn an_older_or_another_database_is_found_by_its_witness() {
    let ledger = Ledger::new();
    let fund = |document: &str| {
        let command = json!({"appropriation": {
            "document": document, "fund": "county", "programme": "other-subsidy",
            "office": "510502", "year": 2025, "amount_fen": 1,
        }});
        let ran = ledger
            .target()
            .run_with_input(["submit", "-"], &command.to_string());
        ran.ended(0);
    };
    let keep = |name: &str| {
        let kept = ledger.file(name);
        copy(&ledger.dir(), &kept);
        kept
    };
    fund("文1");
    let older = keep("older");
    fund("文2");
    let one = keep("one");
    // The same past, another present.
    fs::remove_dir_all(ledger.dir()).unwrap();
    copy(&older, &ledger.dir());
    fund("文3");
    let head = |dir: &Path| Target::data_dir(dir).head();
    assert_ne!(head(&one), head(&ledger.dir()));

    let database_of = |other: &Path| {
        let database = ledger.dir().join("db");
        fs::remove_dir_all(&database).unwrap();
        copy(&other.join("db"), &database);
    };
    for (other, code, verdict) in [
        (&older, "LEDGER_TRUNCATED", "truncated"),
        (&one, "LEDGER_FORKED", "forked"),
    ] {
        database_of(other);
        ledger.target().run(["audit", "head"]).failed(1, code);
        let serve = ["serve", "--listen", "127.0.0.1:0"];
        ledger.target().run(serve).failed(1, code);
        let report = ledger
            .target()
            .run(["audit", "verify", "-o", "json"])
            .ended(10)
            .json();
        assert_eq!(report["verdict"], verdict, "{report}");
        assert_ne!(report["detail"], Value::Null);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
