//! What `luzhang doctor` finds: each thing well, and each thing not.

use std::{
    fs::{self, File, FileTimes, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use luzhang_projections::codes;
use serde_json::Value;

use crate::{
    metrics::metrics_of,
    scrape::Scrape,
    support::{Ledger, Ran, Server, luzhang, run},
};

/// Findings by code: states, and what was seen and is to be done, in English.
#[derive(Debug)]
struct Found(Vec<Value>);

impl Found {
    #[track_caller]
    fn of(ran: &Ran) -> Self {
        let said = ran.json();
        let rows = said["rows"].as_array().unwrap().clone();
        let states: Vec<&str> = rows
            .iter()
            .map(|row| row["state"].as_str().unwrap())
            .collect();
        let worst = ["fail", "warn", "ok"]
            .into_iter()
            .find(|state| states.contains(state));
        assert_eq!(said["state"], worst.unwrap());
        let exit = match worst.unwrap() {
            "fail" => 1,
            "warn" => 8,
            _ => 0,
        };
        assert_eq!(ran.code, exit, "{said:#}");
        for row in &rows {
            let code = row["code"].as_str().unwrap();
            assert!(codes::find(code).is_some(), "{code}");
            let is_well = row["state"] == "ok";
            for lang in ["zh", "en"] {
                assert_ne!(row[format!("seen_{lang}")], "", "{row}");
                assert_eq!(row[format!("remedy_{lang}")] == "", is_well, "{row}");
            }
        }
        Self(rows)
    }

    fn all(&self, code: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |row| row["code"] == code)
    }

    /// The worst of one code; it must be there.
    #[track_caller]
    fn state(&self, code: &str) -> &str {
        let states: Vec<&str> = self
            .all(code)
            .map(|row| row["state"].as_str().unwrap())
            .collect();
        let worst = ["fail", "warn", "ok"]
            .into_iter()
            .find(|state| states.contains(state));
        worst.unwrap_or_else(|| panic!("no {code}: {self:#?}"))
    }

    /// All that was seen of one code.
    fn seen(&self, code: &str) -> String {
        let seen = self.all(code).map(|row| row["seen_en"].as_str().unwrap());
        seen.collect::<Vec<_>>().join("\n")
    }
}

/// A program that says this, in a directory of its own.
fn program(dir: &Path, name: &str, says: &str) {
    fs::create_dir_all(dir).unwrap();
    let file = dir.join(name);
    fs::write(&file, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o755)).unwrap();
}

/// With a clock that is said to be kept right, or not.
fn doctor(ledger: &Ledger, synchronized: &str, options: &[&str]) -> Ran {
    let programs = ledger.file(synchronized);
    program(&programs, "timedatectl", synchronized);
    let output = luzhang()
        .args(["doctor", "--json"])
        .args(options)
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .output()
        .unwrap();
    output.into()
}

#[test]
fn a_ledger_in_good_care_is_well_and_each_neglect_is_named() {
    let ledger = Ledger::new();
    let dir = ledger.dir();
    let place = dir.to_str().unwrap().to_owned();
    let look = |options: &[&str]| {
        let all = [&["--data-dir", place.as_str()][..], options].concat();
        Found::of(&doctor(&ledger, "yes", &all))
    };

    // As it is made: nobody has looked after it yet.
    let found = look(&[]);
    for (code, state) in [
        ("DOCTOR_LEDGER", "ok"),
        ("DOCTOR_CLOCK", "ok"),
        ("DOCTOR_PERMISSIONS", "ok"),
        ("DOCTOR_KEK", "warn"),
        ("DOCTOR_CHECKPOINT", "warn"),
        ("DOCTOR_SNAPSHOT", "ok"),
        ("DOCTOR_VERIFIED", "warn"),
        ("DOCTOR_BACKUP", "warn"),
    ] {
        assert_eq!(found.state(code), state, "{code}: {}", found.seen(code));
    }
    assert!(found.seen("DOCTOR_LEDGER").contains("nobody has it open"));
    // How fast it is is the machine's affair.
    assert_ne!(found.state("DOCTOR_FLUSH"), "fail");
    assert!(found.seen("DOCTOR_FLUSH").contains(" flushes, median "));
    let files = |dir: &Path| -> Vec<_> {
        let names = fs::read_dir(dir)
            .unwrap()
            .map(|file| file.unwrap().file_name());
        names.collect()
    };
    let before = files(&dir);

    // Verified: a note is left where it is asked for, and nowhere else.
    ledger.target().run(["audit", "verify"]).ended(0);
    assert_eq!(files(&dir).len(), before.len());
    ledger.target().run(["checkpoint", "sign"]).ended(0);
    ledger
        .target()
        .run(["audit", "verify", "--note", &place])
        .ended(0);
    let kek = ledger.file("kek");
    fs::rename(dir.join("kek"), &kek).unwrap();
    let kek = ["--kek-file", kek.to_str().unwrap()];
    let found = look(&kek);
    for code in [
        "DOCTOR_VERIFIED",
        "DOCTOR_KEK",
        "DOCTOR_CHECKPOINT",
        "DOCTOR_PERMISSIONS",
    ] {
        assert_eq!(found.state(code), "ok", "{}", found.seen(code));
    }
    let events = ledger.target().with(&kek).head();
    let events = events.split_once(':').unwrap().0;
    assert!(
        found
            .seen("DOCTOR_VERIFIED")
            .contains(&format!("up to {events}: self_consistent"))
    );
    assert!(
        found
            .seen("DOCTOR_CHECKPOINT")
            .contains(&format!("over {events} events"))
    );
    assert_eq!(found.state("DOCTOR_WITNESSES"), "warn");

    let shelf = ledger.file("shelf");
    let backup = ["backup", "--to", shelf.to_str().unwrap(), "--note", &place];
    ledger.target().with(&kek).run(backup).ended(0);
    let found = look(&kek);
    assert_eq!(found.state("DOCTOR_BACKUP"), "ok");
    assert!(
        found
            .seen("DOCTOR_BACKUP")
            .contains(&format!("up to {events}: done"))
    );

    // What is wrong with it, one at a time.
    let found = look(&[]);
    assert_eq!(found.state("DOCTOR_KEK"), "fail");
    assert!(found.seen("DOCTOR_KEK").contains("KEK_MISSING"));

    let key = dir.join("keys/identity");
    fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    let found = look(&kek);
    assert_eq!(found.state("DOCTOR_PERMISSIONS"), "fail");
    assert!(found.seen("DOCTOR_PERMISSIONS").contains("keys/identity"));
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();

    let head = File::options().append(true).open(dir.join("head")).unwrap();
    let ahead = SystemTime::now() + Duration::from_hours(2);
    head.set_times(FileTimes::new().set_modified(ahead))
        .unwrap();
    let found = look(&kek);
    assert_eq!(found.state("DOCTOR_CLOCK"), "fail");
    assert!(
        found
            .seen("DOCTOR_CLOCK")
            .contains("before what was written last")
    );
    head.set_times(FileTimes::new().set_modified(SystemTime::now()))
        .unwrap();
    let unkept = [&["--data-dir", place.as_str()][..], &kek].concat();
    let found = Found::of(&doctor(&ledger, "no", &unkept));
    assert_eq!(found.state("DOCTOR_CLOCK"), "warn");

    // It grows, and nothing is signed for hours.
    let json = r#"{"appropriation": {"document": "件1", "fund": "county", "office": "510502",
        "programme": "other-subsidy", "year": 2024, "amount_fen": 1}, "office": "510502"}"#;
    let target = ledger.target().with(&kek);
    target.run_with_input(["submit", "-"], json).ended(0);
    let checkpoint = File::options()
        .append(true)
        .open(dir.join("tree/checkpoint"))
        .unwrap();
    let before = SystemTime::now() - Duration::from_hours(3);
    checkpoint
        .set_times(FileTimes::new().set_modified(before))
        .unwrap();
    let found = look(&kek);
    assert_eq!(found.state("DOCTOR_CHECKPOINT"), "warn");
    assert!(
        found
            .seen("DOCTOR_CHECKPOINT")
            .contains("3 h old, 1 behind")
    );

    // Something in the log is not as it was.
    let export = ledger.file("export");
    let export = export.to_str().unwrap();
    ledger
        .target()
        .run(["audit", "export", "--out", export])
        .ended(0);
    let mut bytes = fs::read(export).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(export, bytes).unwrap();
    run(["audit", "verify", export, "--note", &place]).ended(10);
    let found = look(&kek);
    assert_eq!(found.state("DOCTOR_VERIFIED"), "fail");
    assert!(found.seen("DOCTOR_VERIFIED").contains(": tampered"));
    fs::write(dir.join("notes/verified"), "luzhang note 1\n").unwrap();
    assert_eq!(look(&kek).state("DOCTOR_VERIFIED"), "warn");

    fs::remove_file(dir.join("FORMAT")).unwrap();
    let found = look(&kek);
    assert_eq!(found.state("DOCTOR_LEDGER"), "fail");
    assert!(found.seen("DOCTOR_LEDGER").contains("FORMAT_MISSING"));
}

#[test]
fn a_server_is_looked_at_from_outside_and_beside_it() {
    let ledger = Ledger::new();
    let place = ledger.dir();
    let place = place.to_str().unwrap();
    let mut server = Server::with(&ledger.dir(), ["--metrics", "127.0.0.1:0"], "off");
    let url = server.url().to_owned();
    let both = ["--data-dir", place, "--server", &url];
    let found = Found::of(&doctor(&ledger, "yes", &both));
    assert_ne!(
        found.state("DOCTOR_SERVER"),
        "fail",
        "{}",
        found.seen("DOCTOR_SERVER")
    );
    assert_ne!(found.state("DOCTOR_FLUSH"), "fail");
    let process = format!("process {}", server.process());
    assert!(found.seen("DOCTOR_LEDGER").contains(&process));
    assert!(found.seen("DOCTOR_FILES").contains(&process));

    // A note beside a running server is in its metrics at once.
    let verify = ["audit", "verify", "--note", place];
    server.target().run(verify).ended(0);
    let metrics = metrics_of(&mut server);
    assert_eq!(Scrape::of(&metrics).of_key("luzhang_verified_sound"), 1);

    server.kill();
    let found = Found::of(&doctor(&ledger, "yes", &["--server", &url]));
    assert_eq!(found.state("DOCTOR_SERVER"), "fail");
    assert!(found.seen("DOCTOR_SERVER").contains("SERVER_UNREACHABLE"));
}

#[test]
fn certificates_are_looked_at_before_they_expire() {
    let ledger = Ledger::new();
    let dir = ledger.file("tls");
    let place = dir.to_str().unwrap();
    for (days, state) in [("90", "ok"), ("10", "warn")] {
        let _before = fs::remove_dir_all(&dir);
        run(["cert", "dev", place, "--days", days]).ended(0);
        let found = Found::of(&doctor(&ledger, "yes", &["--tls", place]));
        assert_eq!(
            found.state("DOCTOR_CERTIFICATE"),
            state,
            "{}",
            found.seen("DOCTOR_CERTIFICATE")
        );
        assert_eq!(found.state("DOCTOR_PERMISSIONS"), "ok");
    }
    let key = dir.join("server.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let found = Found::of(&doctor(&ledger, "yes", &["--tls", place]));
    assert!(
        found.0.iter().any(|row| row["state"] == "fail"),
        "{found:#?}"
    );
    fs::remove_file(dir.join("server.crt")).unwrap();
    let found = Found::of(&doctor(&ledger, "yes", &["--tls", place]));
    assert_eq!(found.state("DOCTOR_CERTIFICATE"), "fail");
}

#[test]
fn people_read_it_in_their_language_and_nothing_to_look_at_is_no_check_up() {
    let ledger = Ledger::new();
    let said = ledger.target().run(["doctor", "--lang", "zh"]);
    assert!(
        said.out.contains("DOCTOR_BACKUP") && said.out.contains("→"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("没有记录") && said.out.contains("注意"),
        "{}",
        said.out
    );
    run(["doctor"]).failed(2, "USAGE");
}
