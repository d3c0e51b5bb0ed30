//! Every command, against a server and against a data directory: what it prints,
//! in which shape, and how it ends.

use std::fs;

use serde_json::{Value, json};

mod support;

use support::{Bureau, Ledger, Ran, Server, Target, luzhang, run};

const AWARD: &str = r#"{"request_id": "0198c5a2-7d00-7000-8000-0000000000aa", "brand_award": {
    "claim_no": "JB-X", "brand_no": "NOBODY", "amount_fen": 20000000,
    "paid_on": {"year": 2024, "month": 6, "day": 1}, "fund": "employment-provincial"}}"#;

/// A ledger with the demo's bureau in it.
fn bureau() -> Ledger {
    let ledger = Ledger::new();
    Bureau::demo().import(&ledger.target(), &["-o", "json"]);
    ledger
}

/// The same command to a directory and to a server that serves a copy of it
/// gives the same answer.
fn both(ledger: &Ledger, check: impl Fn(&Target)) {
    check(&ledger.target());
    let server = Server::start(&ledger.dir());
    check(&server.target());
    assert_eq!(server.terminate().code, 0);
}

#[test]
fn reading_commands_answer_alike_with_and_without_a_server() {
    let ledger = bureau();
    both(&ledger, |target| {
        let json = |arguments: &[&str]| {
            let ran = target.run(arguments.iter().chain(&["-o", "json"])).ended(0);
            let json = ran.json();
            assert_eq!(json["schema_version"], 1, "{arguments:?}");
            json
        };
        let head = json(&["audit", "head"]);
        let event = json(&["event", "show", "1"]);
        assert_eq!(
            event["event"]["ledger_created"]["software"],
            "luzhang 0.1.0"
        );
        assert_eq!(event["event_hash"].as_str().unwrap().len(), 64);
        let policies = json(&["policy", "list"]);
        assert_eq!(policies["rows"][0]["pack"], "luzhou-2023");
        let brand = json(&["subject", "show", "BR-01"]);
        assert!(
            brand["history"].as_array().is_some_and(|h| !h.is_empty()),
            "{brand}"
        );
        let totals = json(&["report", "totals"]);
        assert_eq!(totals["conflicts"], 3);
        assert_eq!(totals["position"], head["position"]);
        let registers = json(&["report", "registers", "--kind", "brand_award_granted"]);
        assert_eq!(registers["rows"].as_array().unwrap().len(), 4);
        assert_eq!(registers["rows"][0]["amount_fen"], 20_000_000);
        for format in ["table", "csv", "ndjson"] {
            target.run(["report", "registers", "-o", format]).ended(0);
            target.run(["report", "totals", "-o", format]).ended(0);
        }
        let shown = target
            .run(["policy", "show", "luzhou-2023", "--lang", "zh"])
            .ended(0);
        assert!(shown.out.contains("每年只享受一次"));
        target
            .run(["event", "show", "99999"])
            .failed(5, "EVENT_NOT_FOUND");
        target
            .run(["subject", "show", "NOBODY"])
            .failed(5, "SUBJECT_NOT_FOUND");
    });
}

#[test]
fn digests_are_the_same_wherever_they_are_computed() {
    let ledger = bureau();
    let digests = |ran: Ran| {
        let rows = ran.ended(0).json()["rows"].clone();
        let names: Vec<&str> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            ["limits", "budget", "totals", "refusals", "conflicts"]
        );
        rows
    };
    let offline = digests(ledger.target().run(["rebuild", "-o", "json"]));
    let server = Server::start(&ledger.dir());
    assert_eq!(
        digests(server.target().run(["rebuild", "-o", "json"])),
        offline
    );
}

#[test]
fn a_submitted_command_has_a_receipt_that_proves_it() {
    both(&bureau(), |target| {
        let dry = target.run_with_input(["submit", "-", "--dry-run", "-o", "json"], AWARD);
        assert_eq!(dry.code, 3, "{}", dry.err);
        let head = target.head();
        let ran = target
            .run_with_input(["submit", "-", "-o", "json"], AWARD)
            .ended(3);
        let answer = ran.json();
        assert_eq!(answer["refused"]["reasons"][0]["code"], "M16_EXPIRED");
        let again = target
            .run_with_input(["submit", "-", "-o", "json"], AWARD)
            .ended(3)
            .json();
        assert_eq!(again["replayed"], true);
        assert_eq!(again["refused"]["receipt"], answer["refused"]["receipt"]);
        let other = AWARD.replace("20000000", "10000000");
        let reused = target.run_with_input(["submit", "-"], &other);
        reused.failed(6, "REQUEST_ID_REUSED");
        let position = answer["refused"]["receipt"]["position"].to_string();
        let explained = target.run(["explain", &position, "--lang", "zh"]).ended(0);
        assert!(
            explained.out.contains("授牌实行动态管理，有效期3年"),
            "{}",
            explained.out
        );
        assert!(!head.is_empty());
        target
            .run_with_input(["submit", "-"], "{\"no_such\": 1}")
            .failed(1, "COMMAND_JSON");
    });
}

#[test]
fn verification_says_what_it_can_prove() {
    let ledger = bureau();
    let head = ledger.target().head();
    let (position, hash) = head.split_once(':').unwrap();
    let export = ledger.file("ledger.luzhang");
    let out = export.to_str().unwrap();
    ledger
        .target()
        .run(["audit", "export", "--out", out])
        .ended(0);
    // It never writes over a file.
    ledger
        .target()
        .run(["audit", "export", "--out", out])
        .failed(1, "FILE_IO");
    let stranger = "0".repeat(64);
    let early = ledger
        .target()
        .run(["event", "show", "5", "-o", "json"])
        .ended(0)
        .json();
    let early = early["event_hash"].as_str().unwrap().to_owned();
    let receipt = ledger.file("receipt.json");
    fs::write(
        &receipt,
        json!({"receipt": {"position": 5, "event_hash": base64(&early)}}).to_string(),
    )
    .unwrap();
    let beyond = format!("99999:{hash}");
    let rows: [(&[&str], &str, i32); 7] = [
        (&[], "self_consistent", 0),
        (&["--head", hash], "intact", 0),
        (&["--head", &head], "intact", 0),
        (&["--head", &early], "intact", 0),
        (&["--receipt", receipt.to_str().unwrap()], "intact", 0),
        (&["--head", &stranger], "forked", 10),
        (&["--head", &beyond], "truncated", 10),
    ];
    let check = |ran: Ran, verdict: &str, exit: i32| {
        let report = ran.ended(exit).json();
        assert_eq!(report["verdict"], verdict);
        assert_eq!(report["events"].to_string(), position);
        assert_eq!(report["chain_head"], hash);
    };
    for (anchor, verdict, exit) in rows {
        let verify = ["audit", "verify", "-o", "json"];
        check(
            run(verify.iter().chain(&[out]).chain(anchor)),
            verdict,
            exit,
        );
        check(
            ledger.target().run(verify.iter().chain(anchor)),
            verdict,
            exit,
        );
    }
    let server = Server::start(&ledger.dir());
    check(
        server.target().run(["audit", "verify", "-o", "json"]),
        "self_consistent",
        0,
    );
    // A directory in use cannot be copied in a consistent way.
    ledger
        .target()
        .run(["audit", "verify"])
        .failed(6, "LEDGER_LOCKED");
    assert_eq!(server.terminate().code, 0);

    let garbage = ledger.file("garbage");
    fs::write(&garbage, "not an export").unwrap();
    let ran = run(["audit", "verify", garbage.to_str().unwrap(), "-o", "json"]).ended(11);
    assert_eq!(ran.json()["verdict"], "unreadable");
    assert_eq!(ran.json()["first_bad_position"], Value::Null);
}

fn base64(hex: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = hex
        .chars()
        .map(|digit| format!("{:04b}", digit.to_digit(16).unwrap()))
        .collect();
    let mut text: String = bits
        .as_bytes()
        .chunks(6)
        .map(|six| {
            let six = format!("{:0<6}", std::str::from_utf8(six).unwrap());
            char::from(ALPHABET[usize::from_str_radix(&six, 2).unwrap()])
        })
        .collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[test]
fn a_pack_is_checked_before_it_is_adopted() {
    let ledger = Ledger::new();
    let built_in = include_str!("../../policies/luzhou-2023.toml");
    let good = ledger.file("good.toml");
    fs::write(
        &good,
        built_in.replace("\"luzhou-2023\"", "\"luzhou-next\""),
    )
    .unwrap();
    let bad = ledger.file("bad.toml");
    fs::write(
        &bad,
        built_in.replace("v = 5000, cite = \"", "v = 5000, cite = \"\" # "),
    )
    .unwrap();
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());
    run(["policy", "check", good]).ended(0);
    run(["policy", "check", bad]).failed(1, "POLICY_INVALID");
    both(&ledger, |target| {
        target
            .run(["policy", "adopt", bad])
            .failed(1, "POLICY_INVALID");
        target.run(["policy", "adopt", good]).ended(0);
        let listed = target
            .run(["policy", "list", "-o", "ndjson"])
            .ended(0)
            .lines();
        assert_eq!(listed.last().unwrap()["pack"], "luzhou-next");
    });
}

#[test]
fn a_ledger_is_never_begun_over_something_else() {
    let ledger = Ledger::new();
    ledger.target().run(["init"]).failed(6, "LEDGER_EXISTS");
    let full = ledger.file("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("thesis.txt"), "years of work").unwrap();
    let full = Target::data_dir(&full);
    full.run(["init"]).failed(6, "DIRECTORY_NOT_EMPTY");
    full.run(["audit", "head"]).failed(5, "LEDGER_NOT_FOUND");
    let nowhere = Target::data_dir(&ledger.file("nowhere"));
    nowhere.run(["audit", "head"]).failed(5, "LEDGER_NOT_FOUND");
    assert!(!ledger.file("nowhere").exists());
    // The database of a ledger that was there is gone.
    fs::remove_dir_all(ledger.dir().join("db")).unwrap();
    ledger
        .target()
        .run(["audit", "head"])
        .failed(1, "LEDGER_MISSING");
    assert!(!ledger.dir().join("db").exists());
    let verdict = ledger
        .target()
        .run(["audit", "verify", "-o", "json"])
        .ended(11)
        .json();
    assert_eq!(verdict["verdict"], "unreadable");
}

#[test]
fn usage_and_help_are_right() {
    run(["audit", "head"]).failed(2, "USAGE");
    let ledger = Ledger::new();
    let both = ["--server", "http://127.0.0.1:1", "audit", "head"];
    ledger.target().run(both).failed(2, "USAGE");
    run(["--server", "http://127.0.0.1:1", "audit", "head"]).failed(7, "SERVER_UNREACHABLE");
    run(["explain", "m04-once-year", "--lang", "zh"]).ended(0);
    run(["explain", "NO_SUCH_CODE"]).failed(5, "CODE_UNKNOWN");
    assert_eq!(
        luzhang().arg("--no-such").output().unwrap().status.code(),
        Some(2)
    );
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(["completion", shell]).ended(0).out.contains("luzhang"));
    }
    let man = ledger.file("man");
    run(["man", man.to_str().unwrap()]).ended(0);
    assert!(fs::read_dir(man).unwrap().count() > 10);
    let address = ["serve", "--listen", "0.0.0.0:0"];
    ledger.target().run(address).failed(1, "NOT_LOOPBACK");
}
