//! `luzhang witness`, as its operator types it.

use std::fs;

use crate::{
    history::{History, log_key},
    running::Running,
    support::{luzhang, run},
};

#[test]
fn from_nothing_to_a_cosigned_tree() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("offices/audit");
    let dir = dir.to_str().unwrap();
    let log = History::new("log.example/one", 9);
    let fresh = History::new("log.example/fresh", 9);
    let (key, another) = (log.verifier().to_string(), fresh.verifier().to_string());

    let made = run(["witness", "init", dir, "--name", "审计局/w1"]).ended(0);
    let own = run(["witness", "key", dir]).ended(0).out;
    assert_eq!(made.out, own);
    assert!(own.starts_with("审计局/w1+"), "{own}");
    let shown = run(["witness", "key", dir, "-o", "json"]).ended(0).json();
    assert_eq!(shown["verifier_key"], own.trim());
    assert_eq!(shown["name"], "审计局/w1");

    for (vkey, said) in [
        (&key, "watching log.example/one\n"),
        (&key, "this key was there already: log.example/one\n"),
        (
            &log_key("log.example/one", 2).verifier().to_string(),
            "one more key of log.example/one\n",
        ),
        (&another, "watching log.example/fresh\n"),
    ] {
        let added = run(["witness", "add-log", dir, vkey]).ended(0);
        assert_eq!(added.out, said);
    }
    let added = run(["witness", "add-log", dir, &key, "-o", "json"]).ended(0);
    assert_eq!(added.json()["added"], "nothing");

    let witness = Running::start(dir.as_ref());
    assert_eq!(witness.add_checkpoint(&log.request(0, 7)).status, 200);
    // Looking needs no lock, adding does.
    let listed = run(["witness", "list", dir, "-o", "json"]).ended(0).json();
    assert_eq!(listed["verifier_key"], own.trim());
    let rows = listed["rows"].as_array().unwrap();
    let row = |at: usize, column: &str| rows[at][column].clone();
    assert_eq!(row(0, "origin"), "log.example/fresh");
    assert_eq!((row(0, "size"), row(0, "keys")), (0.into(), 1.into()));
    assert_eq!(
        (row(0, "root"), row(0, "cosigned_at")),
        ("".into(), "".into())
    );
    assert_eq!(row(1, "origin"), "log.example/one");
    assert_eq!((row(1, "size"), row(1, "keys")), (7.into(), 2.into()));
    assert_eq!(row(1, "root"), log.head(7).root.to_string());
    let at = row(1, "cosigned_at");
    assert!(at.as_str().unwrap().ends_with("+08:00"), "{at}");
    let table = run(["witness", "list", dir]).ended(0).out;
    assert!(
        table.contains("log.example/one") && table.contains("┆ 7 "),
        "{table}"
    );
    run(["witness", "add-log", dir, &another]).failed(6, "WITNESS_LOCKED");
    run(["witness", "serve", dir]).failed(6, "WITNESS_LOCKED");

    let (code, said) = witness.terminate();
    assert_eq!((code, said.lines().count()), (0, 1), "{said}");
    assert!(said.starts_with("finishing"), "{said}");
    run(["witness", "add-log", dir, &another]).ended(0);
}

#[test]
fn what_cannot_be_done_is_said_in_both_languages() {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let (there, nowhere, occupied) = (path("there"), path("nowhere"), path("occupied"));
    run(["witness", "init", &there, "--name", "w"]).ended(0);
    fs::create_dir(&occupied).unwrap();
    fs::write(path("occupied/notes.txt"), b"notes").unwrap();
    let log = History::new("log.example/one", 1).verifier().to_string();
    let own = run(["witness", "key", &there]).out;
    let own = own.trim();

    let rows: [(&[&str], i32, &str); 9] = [
        (&["init", &there, "--name", "w"], 6, "WITNESS_EXISTS"),
        (
            &["init", &occupied, "--name", "w"],
            6,
            "DIRECTORY_NOT_EMPTY",
        ),
        (&["key", &nowhere], 5, "WITNESS_NOT_FOUND"),
        (&["list", &nowhere], 5, "WITNESS_NOT_FOUND"),
        (&["serve", &nowhere], 5, "WITNESS_NOT_FOUND"),
        (&["add-log", &nowhere, &log], 5, "WITNESS_NOT_FOUND"),
        (&["list", &occupied], 5, "WITNESS_NOT_FOUND"),
        (&["add-log", &there, own], 2, "WITNESS_LOG_KEY"),
        (
            &["serve", &there, "--listen", "0.0.0.0:0"],
            1,
            "NOT_LOOPBACK",
        ),
    ];
    for (arguments, exit, code) in rows {
        let arguments = [&["witness"], arguments].concat();
        run(&arguments).failed(exit, code);
        let zh = luzhang().args(["--lang", "zh"]).args(&arguments).output();
        let said = String::from_utf8(zh.unwrap().stderr).unwrap();
        let han = said.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(said.starts_with(code) && han, "{said}");
        run(["explain", code]).ended(0);
    }
    assert!(!fs::exists(&nowhere).unwrap(), "nothing is made by looking");

    // What makes no sense is said by the command line itself.
    for arguments in [
        &["init", nowhere.as_str()][..],
        &["init", &nowhere, "--name", ""],
        &["init", &nowhere, "--name", "a b"],
        &["init", &nowhere, "--name", "a+b"],
        &["add-log", &there, "log.example/one"],
        &["add-log", &there, &log.replace("one+", "two+")],
    ] {
        let ran = run([&["witness"], arguments].concat()).ended(2);
        assert!(ran.err.starts_with("error: "), "{}", ran.err);
    }

    let record = path("there/origins");
    fs::write(&record, b"nothing").unwrap();
    for arguments in [["serve", &there], ["list", &there]] {
        let ran = run([&["witness"], &arguments[..]].concat());
        ran.failed(1, "WITNESS_STATE_DAMAGED");
        assert!(ran.err.contains(&record), "{}", ran.err);
    }
    fs::remove_file(&record).unwrap();
    run(["witness", "serve", &there]).failed(1, "WITNESS_STATE_MISSING");
}
