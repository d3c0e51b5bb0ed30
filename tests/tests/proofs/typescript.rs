//! The second verifier, in another language and without our code, comes to the same
//! verdicts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use luzhang_ledger::{
    export,
    proof::{
        SigningKey,
        note::{KeyName, Purpose},
    },
};
use serde_json::{Value, json};

use crate::{
    ledgers::{bureau, checkpoint, copy, grow, key, signed, size, text},
    support::{Dice, Ran, Target, run},
};

fn verifier() -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../verifier");
    let built = dir.join("dist/cli.js");
    assert!(
        built.is_file(),
        "scripts/test builds this: `npm ci && npm run build` in verifier/"
    );
    dir
}

fn node(arguments: &[&str]) -> Ran {
    let output = Command::new("node").args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("scripts/test installs node: {error}"));
    output.into()
}

/// `node dist/cli.js ARGUMENTS`
fn theirs(arguments: &[&str]) -> Ran {
    let cli = verifier().join("dist/cli.js");
    node(&[&[text(&cli)], arguments].concat())
}

/// Both come to the same end, and say the same of it.
#[track_caller]
fn agree(what: &str, ours: &Ran, theirs: &Ran, fields: &[&str]) -> Value {
    assert_eq!(ours.code, theirs.code, "{what}: {ours:?} {theirs:?}");
    let (ours, theirs) = (ours.json(), theirs.json());
    for field in fields {
        assert_eq!(
            ours[field], theirs[field],
            "{what}, {field}: {ours} {theirs}"
        );
    }
    theirs
}

const OF_CHAIN: [&str; 5] = [
    "verdict",
    "events",
    "chain_head",
    "first_bad_position",
    "place",
];

#[test]
fn chains_and_anchors_are_judged_alike() {
    let ledger = bureau();
    let target = ledger.target();
    checkpoint(&target);
    let base = ledger.file("base");
    copy(&ledger.dir(), &base);
    let known = size(&target) + 20;
    let other = Target::data_dir(&base);
    let exported = |target: &Target, name: &str| {
        let file = ledger.file(name);
        let export = ["audit", "export", "--out", text(&file)];
        target.run(export).ended(0);
        file
    };
    let shorter = exported(&other, "shorter");
    grow(&target, "此", known);
    grow(&other, "彼", known + 20);
    let forked = exported(&other, "forked");
    let note = ledger.file("checkpoint");
    fs::write(&note, checkpoint(&target).to_string()).unwrap();
    let same = exported(&target, "same");
    let head = target.head();
    grow(&target, "此", known + 30);
    let longer = exported(&target, "longer");
    let hash = head.split_once(':').unwrap().1;
    let key = key(&target);
    let under = ["--checkpoint", text(&note), "--key", &key];
    let anchors: [(&str, &[&str]); 4] = [
        ("none", &[]),
        ("head", &["--head", &head]),
        ("hash", &["--head", hash]),
        ("checkpoint", &under),
    ];
    let mut seen = Vec::new();
    for (of, file) in [
        ("same", &same),
        ("longer", &longer),
        ("shorter", &shorter),
        ("forked", &forked),
    ] {
        for (anchor, options) in anchors {
            let what = format!("{anchor} against {of}");
            let verify = ["audit", "verify", text(file), "-o", "json"];
            let ours = run(verify.iter().chain(options));
            let theirs = theirs(&[&["chain", text(file)], options].concat());
            let said = agree(&what, &ours, &theirs, &OF_CHAIN);
            seen.push(said["verdict"].as_str().unwrap().to_owned());
        }
    }
    for verdict in ["self_consistent", "intact", "truncated", "forked"] {
        assert!(seen.iter().any(|seen| seen == verdict), "{seen:?}");
    }
}

/// Verifies every file that is named, in one process.
const MANY: &str = r#"
import { readFileSync } from "node:fs";
const [dist, ...files] = process.argv.slice(1);
const { verifyChain } = await import(`${dist}/chain.js`);
const { hex } = await import(`${dist}/bytes.js`);
for (const file of files) {
  const report = verifyChain(readFileSync(file));
  console.log(JSON.stringify({
    verdict: report.verdict,
    events: Number(report.events),
    chain_head: report.chainHead && hex(report.chainHead),
    first_bad_position: report.firstBadPosition && Number(report.firstBadPosition),
    place: report.place,
  }));
}
"#;

/// One thing done to a file.
fn changed(whole: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let any = |dice: &mut Dice| {
        let end = u64::try_from(whole.len()).unwrap();
        usize::try_from(dice.below(end)).unwrap()
    };
    let (at, to) = (any(dice), any(dice));
    let few = usize::try_from(1 + dice.below(40)).unwrap();
    let until = (at + few).min(bytes.len());
    match dice.below(9) {
        0..=2 => bytes[at] ^= 1 << dice.below(8),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..until)),
        5 => drop(bytes.splice(at..at, whole[at..until].iter().copied())),
        6 => bytes[at..until].fill(0),
        7 => bytes.swap(at, to),
        _ => bytes.extend_from_slice(&whole[..few]),
    }
    bytes
}

#[test]
fn whatever_is_done_to_an_export_both_find_the_same() {
    let scratch = tempfile::tempdir().unwrap();
    let target = Target::data_dir(&scratch.path().join("ledger"));
    // A policy pack would be most of it.
    target.run(["init", "--pack", "none"]).ended(0);
    target.run(["checkpoint", "sign"]).ended(0);
    for _ in 0..4 {
        target.run(["checkpoint", "rotate"]).ended(0);
        target.run(["checkpoint", "sign"]).ended(0);
    }
    let out = scratch.path().join("whole");
    target
        .run(["audit", "export", "--out", text(&out)])
        .ended(0);
    let whole = fs::read(&out).unwrap();
    let mut dice = Dice::new("typescript");
    let mut files = vec![out];
    // Every way to break off near a border, and then anything.
    let cuts = (0..whole.len())
        .step_by(97)
        .map(|end| whole[..end].to_vec());
    let tail = (1..=120)
        .step_by(7)
        .map(|cut| whole[..whole.len() - cut].to_vec());
    let mutations: Vec<Vec<u8>> = cuts.chain(tail).collect();
    let any = (0..400).map(|_| changed(&whole, &mut dice));
    for (number, bytes) in mutations.into_iter().chain(any).enumerate() {
        let file = scratch.path().join(number.to_string());
        fs::write(&file, bytes).unwrap();
        files.push(file);
    }
    let dist = verifier().join("dist");
    let dist = format!("file://{}", text(&dist));
    let names = files.iter().map(|file| text(file));
    let arguments = ["--input-type=module", "-e", MANY, &dist];
    let arguments: Vec<&str> = arguments.into_iter().chain(names).collect();
    let theirs = node(&arguments).ended(0).lines();
    assert_eq!(theirs.len(), files.len());
    let mut kinds = std::collections::BTreeMap::new();
    for (file, theirs) in files.iter().zip(&theirs) {
        // What `audit verify FILE` runs.
        let report = export::verify_export(&fs::read(file).unwrap()[..], None, |_| {});
        let position = report.first_bad_position();
        let ours = json!({
            "verdict": report.verdict.word(),
            "events": report.events,
            "chain_head": report.chain_head.map(|hash| hash.to_string()),
            "first_bad_position": position.map(luzhang_ledger::Position::number),
            "place": report.finding.as_ref().map(|finding| finding.place.to_string()),
        });
        let name = file.file_name().unwrap();
        assert_eq!(&ours, theirs, "{} {:?}", name.display(), report.finding);
        *kinds.entry(report.verdict.word()).or_insert(0) += 1;
    }
    for verdict in ["self_consistent", "tampered", "truncated", "unreadable"] {
        assert!(kinds.contains_key(verdict), "{kinds:?}");
    }
    // And the two programs, as they are used.
    for file in files.iter().step_by(files.len() / 12) {
        let verify = ["audit", "verify", text(file), "-o", "json"];
        let name = file.file_name().unwrap().display().to_string();
        agree(
            &name,
            &run(verify),
            &self::theirs(&["chain", text(file)]),
            &OF_CHAIN,
        );
    }
}

/// Whether a proof holds, and whether that could be found out at all. Signatures that
/// do not hold are exit 11 here and 10 there.
#[track_caller]
fn both_hold(what: &str, ours: &Ran, theirs: &Ran, expected: bool) {
    assert_eq!(ours.code == 0, expected, "{what}: {ours:?}");
    assert_eq!(theirs.code == 0, expected, "{what}: {theirs:?}");
    for ran in [ours, theirs] {
        assert!(matches!(ran.code, 0 | 10 | 11), "{what}: {ran:?}");
    }
}

#[test]
fn receipts_are_judged_alike() {
    let ledger = bureau();
    let target = ledger.target();
    checkpoint(&target);
    let own = key(&target);
    let stranger = KeyName::new(own.split_once('+').unwrap().0).unwrap();
    let stranger = SigningKey::from_seed(stranger, Purpose::Author, &[5; 32]);
    let stranger = stranger.verifier().to_string();
    let file = ledger.file("receipt");
    for (position, options) in [
        (1, &[][..]),
        (257, &[]),
        (2, &["--with-content"]),
        (256, &["--with-content"]),
    ] {
        let place = position.to_string();
        let get = ["proof", "get", &place];
        let receipt = target.run(get.iter().chain(options)).ended(0).out;
        let judge = |what: &str, receipt: &str, key: &str, expected: bool| {
            fs::write(&file, receipt).unwrap();
            let ours = run(["proof", "check", text(&file), "--key", key, "-o", "json"]);
            let theirs = theirs(&["receipt", text(&file), "--key", key]);
            both_hold(what, &ours, &theirs, expected);
            if expected {
                let said = agree(what, &ours, &theirs, &["verdict", "position", "event_hash"]);
                let ours = &ours.json()["checkpoint"];
                assert_eq!(
                    [&ours["size"], &said["position"]],
                    [&said["size"], &json!(position)]
                );
            }
        };
        judge("whole", &receipt, &own, true);
        judge("another key", &receipt, &stranger, false);
        let mut dice = Dice::new(&place);
        for _ in 0..8 {
            let at = usize::try_from(dice.below(receipt.len() as u64)).unwrap();
            let mut bytes = receipt.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            judge(&format!("byte {at}"), &changed, &own, false);
        }
    }
}

/// Cosignatures, as many as are asked for.
#[test]
fn witnesses_are_counted_alike() {
    let ledger = signed(20);
    let target = ledger.target();
    let mut receipt = {
        let said = target.run(["proof", "get", "7"]).ended(0).out;
        luzhang_ledger::proof::Receipt::parse(said.as_bytes()).unwrap()
    };
    let own = key(&target);
    let witnesses: Vec<SigningKey> = (1..=3)
        .map(|number| {
            let name = KeyName::new(format!("w{number}.example")).unwrap();
            SigningKey::from_seed(name, Purpose::Witness, &[number; 32])
        })
        .collect();
    let vkeys: Vec<String> = witnesses.iter().map(|w| w.verifier().to_string()).collect();
    let file = ledger.file("receipt");
    let policy = ledger.file("policy");
    for signed in 0..=3 {
        if signed > 0 {
            // A time of zero is none.
            let time = [0, 1_800_000_000, 7, 0][signed];
            let line = receipt.checkpoint.cosign(&witnesses[signed - 1], time);
            receipt.checkpoint.add(line);
        }
        fs::write(&file, receipt.to_string()).unwrap();
        for quorum in 0..=3 {
            let mut words = vec![format!("log {own}")];
            let mut arguments = vec!["receipt", text(&file), "--key", &own];
            for (number, vkey) in vkeys.iter().enumerate() {
                words.push(format!("witness w{number} {vkey}"));
                arguments.extend(["--witness", vkey]);
            }
            let asked = quorum.to_string();
            arguments.extend(["--quorum", &asked]);
            words.push(match quorum {
                0 => "quorum none".to_owned(),
                _ => format!("group g {quorum} w0 w1 w2\nquorum g"),
            });
            fs::write(&policy, words.join("\n")).unwrap();
            let check = ["proof", "check", text(&file), "--policy", text(&policy)];
            let ours = run(check.iter().chain(&["-o", "json"]));
            let what = format!("{signed} signed, {quorum} asked for");
            let expected = signed < 3 && quorum <= signed;
            both_hold(&what, &ours, &theirs(&arguments), expected);
            if expected {
                let cosigners = ours.json()["checkpoint"]["cosigners"].clone();
                assert_eq!(cosigners.as_array().unwrap().len(), signed, "{what}");
            }
        }
    }
}

#[test]
fn consistency_is_judged_alike() {
    let ledger = signed(10);
    let target = ledger.target();
    checkpoint(&target);
    let own = key(&target);
    let base = ledger.file("base");
    copy(&ledger.dir(), &base);
    let sizes = [10, 11, 255, 256, 257, 300];
    let mut notes = Vec::new();
    for events in sizes {
        grow(&target, "此", events);
        let note = ledger.file(&format!("checkpoint{events}"));
        fs::write(&note, checkpoint(&target).to_string()).unwrap();
        notes.push(note);
    }
    let other = Target::data_dir(&base);
    grow(&other, "彼", 256);
    let forked = ledger.file("forked");
    fs::write(&forked, checkpoint(&other).to_string()).unwrap();
    let judge = |what: &str, old: &Path, file: &Path, expected: bool| {
        let check = ["proof", "check", text(file), "--key", &own, "-o", "json"];
        let ours = run(check.iter().chain(&["--old", text(old)]));
        let theirs = theirs(&["consistency", text(old), text(file), "--key", &own]);
        both_hold(what, &ours, &theirs, expected);
        if expected {
            let (ours, theirs) = (ours.json(), theirs.json());
            assert_eq!(ours["verdict"], theirs["verdict"]);
            assert_eq!(ours["old"]["size"], theirs["old_size"]);
            assert_eq!(ours["new"]["size"], theirs["size"]);
            assert_eq!(ours["new"]["root"].is_string(), theirs["root"].is_string());
        }
    };
    for (events, note) in sizes.iter().zip(&notes) {
        let file = ledger.file(&format!("consistency{events}"));
        let make = ["proof", "consistency", text(note), "--key", &own];
        let out = ["--out", text(&file)];
        target.run(make.iter().chain(&out)).ended(0);
        let what = events.to_string();
        judge(&what, note, &file, true);
        // Of another size or history, and with a node more, less or changed.
        for (other, older) in sizes.iter().zip(&notes) {
            if other != events {
                judge(&format!("{other} for {what}"), older, &file, false);
            }
        }
        judge(&format!("{what} for a fork"), &forked, &file, false);
        let words = fs::read_to_string(&file).unwrap();
        let changed = ledger.file("changed");
        for (from, to) in [
            ("old ", "old 1"),
            ("\n\n", "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"),
        ] {
            fs::write(&changed, words.replacen(from, to, 1)).unwrap();
            judge(&format!("{what}: {from:?}"), note, &changed, false);
        }
    }
}
