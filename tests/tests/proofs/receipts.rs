//! What a receipt proves holds with nothing but a key. What was changed never does.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use luzhang_ledger::{
    Hash,
    proof::{
        Policy, Receipt, SigningKey,
        note::{KeyName, Purpose},
        receipt::Subject,
    },
};
use serde_json::{Value, json};

use crate::{
    ledgers::{appropriation, bureau, checkpoint, event, key, policy, size, text},
    support::{Ledger, Ran, Server, Target, run, run_with_input},
};

/// Beginning and end, and both sides of the first tile's.
const PLACES: [u64; 5] = [1, 2, 255, 256, 257];

#[track_caller]
fn get(target: &Target, position: u64, options: &[&str]) -> String {
    let position = position.to_string();
    let arguments = [&["proof", "get", &position], options].concat();
    target.run(arguments).ended(0).out
}

/// `proof check`, where there is no ledger.
fn check(file: &Path, text_of_it: &str, key: &str) -> Ran {
    fs::write(file, text_of_it).unwrap();
    run(["proof", "check", text(file), "--key", key, "-o", "json"])
}

#[test]
fn a_receipt_holds_with_the_key_alone() {
    let ledger = bureau();
    checkpoint(&ledger.target());
    let key = key(&ledger.target());
    let file = ledger.file("receipt");
    let check_all = |target: &Target| {
        let last = size(target);
        assert!(last > 300, "{last}");
        for position in PLACES.into_iter().chain([last - 1, last]) {
            let expected = event(target, position);
            for options in [&[][..], &["--with-content"]] {
                let receipt = get(target, position, options);
                let said = check(&file, &receipt, &key).ended(0).json();
                assert_eq!(said["schema_version"], 1);
                assert_eq!(said["verdict"], "intact");
                assert_eq!(said["position"], position);
                assert_eq!(said["event_hash"], expected["event_hash"]);
                let signed = &said["checkpoint"];
                let parsed = Receipt::parse(receipt.as_bytes()).unwrap();
                let head = parsed.checkpoint.head();
                assert_eq!(signed["origin"], parsed.checkpoint.checkpoint().origin);
                assert_eq!(signed["size"], head.size);
                assert!(head.size >= position);
                assert_eq!(signed["root"], head.root.to_string());
                assert_eq!(signed["key"], key.as_str());
                assert_eq!(signed["cosigners"], json!([]));
                let content = said.get("event").unwrap_or(&Value::Null);
                if options.is_empty() {
                    assert_eq!(content, &Value::Null);
                } else {
                    assert_eq!(content, &expected["event"], "{position}");
                }
                // To people, the same.
                for (lang, word) in [("zh", "成立"), ("en", "proven")] {
                    let arguments = ["proof", "check", text(&file), "--key", &key];
                    let said = run(arguments.iter().chain(&["--lang", lang])).ended(0).out;
                    let hash = expected["event_hash"].as_str().unwrap();
                    for part in [word, hash, &key, &position.to_string()] {
                        assert!(said.contains(part), "{part}: {said}");
                    }
                }
            }
        }
        // Byte for byte the same in a file, and as JSON.
        let plain = get(target, 2, &[]);
        let written = ledger.file(&format!("written{}", target.options()[0]));
        let out = text(&written);
        let said = get(target, 2, &["--out", out]);
        assert_eq!(said.trim(), out);
        assert_eq!(fs::read_to_string(&written).unwrap(), plain);
        let said = get(target, 2, &["-o", "json"]);
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!((&said["receipt"], &said["of"]), (&json!(plain), &json!(2)));
        assert_eq!(said["bytes"], plain.len());
        let taken = target.run(["proof", "get", "2", "--out", out]);
        taken.failed(1, "FILE_IO");
        for nowhere in ["0", &(last + 1).to_string(), "18446744073709551615"] {
            let nothing = target.run(["proof", "get", nowhere]);
            nothing.failed(5, "EVENT_NOT_FOUND");
        }
    };
    check_all(&ledger.target());
    let server = Server::start(&ledger.dir());
    check_all(&server.target());
    server.terminate();
    // No receipt added anything.
    let keys = ledger.target().run(["checkpoint", "keys", "-o", "json"]);
    assert_eq!(keys.ended(0).json()["rows"].as_array().unwrap().len(), 1);
}

#[test]
fn a_receipt_does_not_hold_under_another_key() {
    let (ledger, other) = (bureau(), Ledger::new());
    checkpoint(&other.target());
    let receipt = get(&ledger.target(), 257, &[]);
    let file = ledger.file("receipt");
    let own = key(&ledger.target());
    let name = own.split_once('+').unwrap().0;
    let stranger = SigningKey::from_seed(KeyName::new(name).unwrap(), Purpose::Author, &[7; 32]);
    let witness = SigningKey::from_seed(KeyName::new("w").unwrap(), Purpose::Witness, &[7; 32]);
    for (wrong, exit, code) in [
        (stranger.verifier().to_string(), 11, "CHECKPOINT_UNSIGNED"),
        (key(&other.target()), 11, "CHECKPOINT_ORIGIN"),
        (witness.verifier().to_string(), 2, "USAGE"),
    ] {
        check(&file, &receipt, &wrong).failed(exit, code);
    }
    run(["proof", "check", text(&file)]).failed(2, "USAGE");
    // Of several keys, one is enough.
    let stranger = stranger.verifier().to_string();
    let both = [
        "proof",
        "check",
        text(&file),
        "--key",
        &stranger,
        "--key",
        &own,
    ];
    run(both).ended(0);
}

/// The same text with one line changed.
fn with(receipt: &str, line: usize, change: impl Fn(&str) -> String) -> String {
    let lines = receipt.split('\n').enumerate();
    let changed = lines.map(|(n, text)| {
        if n == line {
            change(text)
        } else {
            text.to_owned()
        }
    });
    changed.collect::<Vec<_>>().join("\n")
}

/// The bytes after the last space of a line, one of them changed.
fn flipped(byte: usize) -> impl Fn(&str) -> String {
    move |line| {
        let (before, bytes) = line.rsplit_once(' ').unwrap_or(("", line));
        let mut bytes = STANDARD.decode(bytes).unwrap();
        let at = byte.min(bytes.len() - 1);
        bytes[at] ^= 0x04;
        let space = if before.is_empty() { "" } else { " " };
        format!("{before}{space}{}", STANDARD.encode(bytes))
    }
}

#[test]
fn whatever_is_changed_in_a_receipt_is_noticed() {
    let ledger = bureau();
    let target = ledger.target();
    let hash = get(&target, 257, &[]);
    let content = get(&target, 257, &["--with-content"]);
    let key = key(&target);
    let file = ledger.file("receipt");
    let empty = hash.split('\n').position(str::is_empty).unwrap();
    let (origin, size, root, signature) = (empty + 1, empty + 2, empty + 3, empty + 5);
    let other = get(&target, 256, &[]);
    let earlier = get(&target, 255, &["--with-content"]);
    let extra = |receipt: &str| receipt.split('\n').nth(1).unwrap().to_owned();
    let to = |text: &str| {
        let text = text.to_owned();
        move |_: &str| text.clone()
    };
    let twice = |line: &str| format!("{line}\n{line}");
    let without = |line: usize| {
        let mut lines: Vec<&str> = hash.split('\n').collect();
        lines.remove(line);
        lines.join("\n")
    };
    let rows = [
        ("the hash", with(&hash, 1, flipped(9)), 10),
        (
            "another event's hash",
            with(&hash, 1, to(&extra(&other))),
            10,
        ),
        ("the form", with(&hash, 1, flipped(0)), 11),
        ("the hash before", with(&content, 1, flipped(9)), 10),
        ("a byte of the event", with(&content, 1, flipped(99)), 10),
        (
            "the last byte of it",
            with(&content, 1, flipped(usize::MAX)),
            10,
        ),
        ("another event", with(&content, 1, to(&extra(&earlier))), 10),
        ("the index", with(&hash, 2, to("index 255")), 10),
        ("the index, too", with(&hash, 2, to("index 257")), 10),
        (
            "the index of the event",
            with(&content, 2, to("index 257")),
            10,
        ),
        ("an index outside", with(&hash, 2, to("index 9999")), 10),
        ("an index with a zero", with(&hash, 2, to("index 0256")), 11),
        (
            "the largest index",
            with(&hash, 2, to("index 18446744073709551615")),
            11,
        ),
        ("a node", with(&hash, 3, flipped(31)), 10),
        ("a node twice", with(&hash, 3, twice), 10),
        ("a node less", without(3), 10),
        ("all nodes but one", with(&hash, empty - 1, to(" ")), 11),
        (
            "the origin",
            with(&hash, origin, |line| format!("{line}x")),
            11,
        ),
        ("the size", with(&hash, size, to("9999")), 11),
        ("the root", with(&hash, root, flipped(0)), 11),
        ("the signature", with(&hash, signature, flipped(20)), 11),
        ("the key's id", with(&hash, signature, flipped(0)), 11),
        ("no signature", without(signature), 11),
        ("a line after it", format!("{hash}more\n"), 11),
        ("no line feed", hash.trim_end().to_owned(), 11),
        ("line feeds of others", hash.replace('\n', "\r\n"), 11),
        (
            "the title",
            with(&hash, 0, to("c2sp.org/tlog-proof@v2")),
            11,
        ),
        ("nothing", String::new(), 11),
        ("words", "a receipt, honestly\n".to_owned(), 11),
        ("a checkpoint", checkpoint(&target).to_string(), 11),
        ("JSON", json!({"position": 1}).to_string(), 11),
    ];
    check(&file, &hash, &key).ended(0);
    check(&file, &content, &key).ended(0);
    for (name, receipt, exit) in rows {
        assert_ne!(receipt, hash, "{name}");
        let ran = check(&file, &receipt, &key);
        assert_eq!(ran.code, exit, "{name}: {ran:?}");
        assert!(ran.out.is_empty(), "{name}: {ran:?}");
    }
    fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
    let binary = run(["proof", "check", text(&file), "--key", &key]);
    binary.failed(11, "PROOF_UNREADABLE");
    run(["proof", "check", "nowhere", "--key", &key]).failed(1, "FILE_IO");

    // And every bit of it, without starting a program for each.
    let policy = policy(&key);
    for whole in [&hash, &content] {
        assert!(holds(whole.as_bytes(), &policy));
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                assert!(!holds(&bytes, &policy), "byte {at}, bit {bit}");
            }
        }
        for end in 0..whole.len() {
            assert!(!holds(&whole.as_bytes()[..end], &policy), "cut at {end}");
        }
    }
}

fn holds(bytes: &[u8], policy: &Policy) -> bool {
    Receipt::parse(bytes).is_ok_and(|receipt| receipt.verify(policy).is_ok())
}

/// Content of another place cannot be moved: the event says where it stands.
#[test]
fn content_does_not_move() {
    let ledger = bureau();
    let target = ledger.target();
    let policy = policy(&{
        checkpoint(&target);
        key(&target)
    });
    let read = |position, options: &[&str]| {
        let text = get(&target, position, options);
        Receipt::parse(text.as_bytes()).unwrap()
    };
    let (here, there) = (read(7, &["--with-content"]), read(8, &[]));
    let Subject::Hash(_) = there.subject else {
        panic!("{:?}", there.subject)
    };
    let moved = Receipt {
        subject: here.subject.clone(),
        ..there
    };
    let found = moved.verify(&policy).unwrap_err().to_string();
    assert!(found.contains("elsewhere"), "{found}");
    here.verify(&policy).unwrap();
}

#[test]
fn a_command_comes_back_with_its_receipt() {
    let ledger = bureau();
    let check_both = |target: &Target| {
        let way = &target.options()[0];
        let refused = json!({"brand_award": {
            "claim_no": format!("JB{way}"), "brand_no": "NOBODY", "amount_fen": 20_000_000,
            "paid_on": {"year": 2024, "month": 6, "day": 1}, "fund": "employment-provincial",
        }});
        let accepted = appropriation(&format!("文{way}"));
        for (command, word, exit) in [(accepted, "accepted", 0), (refused, "refused", 3)] {
            let file = ledger.file(&format!("{word}{way}"));
            let submit = ["submit", "-", "-o", "json", "--proof", text(&file)];
            let mut command = command;
            let ran = target.run_with_input(submit, &command.to_string());
            let said = ran.ended(exit).json();
            let receipt = fs::read_to_string(&file).unwrap();
            let key = key(target);
            let again = ledger.file("again");
            let proven = check(&again, &receipt, &key).ended(0).json();
            let of = &said[word]["receipt"];
            assert_eq!(proven["position"], of["position"]);
            let hash = of["event_hash"].as_str().unwrap();
            let hash = STANDARD.decode(hash).unwrap();
            let hash = Hash::from_bytes(hash.try_into().unwrap()).to_string();
            assert_eq!(proven["event_hash"], hash);

            // Asked again, it is the same event; a file is never written over, and
            // that is found out before anything is decided.
            command["request_id"] = said["request_id"].clone();
            let head = target.head();
            let taken = target.run_with_input(submit, &command.to_string());
            taken.failed(1, "FILE_IO");
            fs::remove_file(&file).unwrap();
            let ran = target.run_with_input(submit, &command.to_string());
            assert_eq!(ran.ended(exit).json()["replayed"], true);
            let proven = check(&again, &fs::read_to_string(&file).unwrap(), &key);
            assert_eq!(proven.ended(0).json()["event_hash"], hash);
            assert_eq!(target.head(), head);
        }
    };
    check_both(&ledger.target());
    let server = Server::start(&ledger.dir());
    check_both(&server.target());
    let head = server.target().head();
    let dry = ["submit", "-", "--dry-run", "--proof", "x"];
    let own = server.target().options().clone();
    let own = own.iter().map(String::as_str);
    run_with_input(own.chain(dry), &appropriation("文X").to_string()).ended(2);
    assert_eq!(server.target().head(), head);
}
