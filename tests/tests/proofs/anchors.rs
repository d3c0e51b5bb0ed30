//! Every kind of anchor against every way in which a ledger may not be the one that
//! it was: what is found, how it ends, and where.

use std::{
    fs,
    path::{Path, PathBuf},
};

use luzhang_ledger::proof::{
    SigningKey,
    note::{KeyName, Purpose},
};
use serde_json::Value;

use crate::{
    ledgers::{
        appropriation, checkpoint, copy, events, export, fund, grow, key, signed, size, text,
        write_export,
    },
    support::{Ledger, Ran, Server, Target, run},
};

/// The first event that the other ledger has otherwise.
const FORK: u64 = 259;
/// What the anchors know of.
const KNOWN: u64 = 300;
const LONGER: u64 = 330;

/// What is known from elsewhere, as options of `audit verify`.
struct Anchor {
    name: &'static str,
    options: Vec<String>,
    /// Of a shorter ledger.
    shorter: (&'static str, Option<u64>),
    /// Of the other one.
    other: (&'static str, Option<u64>),
}

/// A ledger to be verified.
enum Subject {
    File(PathBuf),
    Target(Target),
}

impl Subject {
    fn verify(&self, options: &[String]) -> Ran {
        let json = ["-o", "json"].map(str::to_owned);
        let verify = ["audit", "verify"].map(str::to_owned);
        match self {
            Self::File(file) => {
                let file = [text(file).to_owned()];
                run(verify.iter().chain(&file).chain(&json).chain(options))
            }
            Self::Target(target) => target.run(verify.iter().chain(&json).chain(options)),
        }
    }
}

#[track_caller]
fn expect(ran: &Ran, what: &str, verdict: &str, place: Option<u64>) {
    let exit = match verdict {
        "intact" | "self_consistent" => 0,
        "truncated" | "forked" | "tampered" => 10,
        _ => 11,
    };
    assert_eq!(ran.code, exit, "{what}: {ran:?}");
    let said = ran.json();
    assert_eq!(said["verdict"], verdict, "{what}: {said}");
    assert_eq!(said["first_bad_position"].as_u64(), place, "{what}: {said}");
    assert_eq!(said["detail"].is_string(), exit != 0, "{what}: {said}");
    if let Some(place) = place {
        assert_eq!(said["place"], format!("event {place}"), "{what}");
    }
}

/// An anchor's file, written beside the ledger.
fn file(ledger: &Ledger, name: &str, content: &str) -> String {
    let file = ledger.file(name);
    fs::write(&file, content).unwrap();
    text(&file).to_owned()
}

fn witness() -> SigningKey {
    let name = KeyName::new("audit.luzhou.example/w1").unwrap();
    SigningKey::from_seed(name, Purpose::Witness, &[9; 32])
}

/// Every kind of anchor, all of the first [`KNOWN`] events.
fn anchors(ledger: &Ledger, submitted: &Value, tiles: &str) -> Vec<Anchor> {
    let target = ledger.target();
    let key = key(&target);
    let head = target.head();
    let note = checkpoint(&target);
    assert_eq!(note.head().size, KNOWN);
    let signed = file(ledger, "checkpoint", &note.to_string());
    let mut cosigned = note;
    cosigned.add(cosigned.cosign(&witness(), 1_800_000_000));
    let cosigned = file(ledger, "cosigned", &cosigned.to_string());
    let vkey = witness().verifier().to_string();
    let policy = format!("log {key}\nwitness w {vkey}\nquorum w\n");
    let policy = file(ledger, "policy", &policy);
    let json = file(ledger, "receipt.json", &submitted.to_string());
    let proof = |position: &str| {
        let proof = ledger.file(&format!("{position}.tlog-proof"));
        let get = ["proof", "get", position, "--out", text(&proof)];
        target.run(get).ended(0);
        text(&proof).to_owned()
    };
    let (last, early) = (proof(&KNOWN.to_string()), proof("100"));
    let dir = ledger.file("tiles");
    target.run(["tiles", "publish", text(&dir)]).ended(0);
    let dir = text(&dir).to_owned();
    let hash = head.split_once(':').unwrap().1.to_owned();

    let cut = ("truncated", Some(FORK));
    let there = ("forked", Some(KNOWN));
    let row = |name, options: &[&str], shorter, other| Anchor {
        name,
        options: options.iter().map(|&option| option.to_owned()).collect(),
        shorter,
        other,
    };
    let with_key = |option, file: &str| [option, file, "--key", &key].map(str::to_owned);
    let keyed = |name, option, file: &str, shorter, other| {
        let options = with_key(option, file);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        row(name, &options, shorter, other)
    };
    vec![
        row("head", &["--head", &head], cut, there),
        row(
            "hash",
            &["--head", &hash],
            ("forked", None),
            ("forked", None),
        ),
        row("JSON receipt", &["--receipt", &json], cut, there),
        row("proof", &["--receipt", &last], cut, there),
        keyed("proof with key", "--receipt", &last, cut, there),
        // Without its checkpoint, a proof is as good as the event's hash.
        row(
            "early",
            &["--receipt", &early],
            ("intact", None),
            ("intact", None),
        ),
        keyed("early with key", "--receipt", &early, cut, there),
        keyed("checkpoint", "--checkpoint", &signed, cut, there),
        row(
            "cosigned",
            &["--checkpoint", &cosigned, "--policy", &policy],
            cut,
            there,
        ),
        row(
            "cosigned, the log's key apart",
            &[
                "--checkpoint",
                &cosigned,
                "--policy",
                &policy,
                "--key",
                &key,
            ],
            cut,
            there,
        ),
        keyed("tiles", "--tiles", &dir, cut, ("forked", Some(FORK))),
        keyed(
            "tiles by URL",
            "--tiles",
            tiles,
            cut,
            ("forked", Some(FORK)),
        ),
    ]
}

/// An export of a directory that nothing else has open.
fn exported(dir: &Path, to: &Path) -> PathBuf {
    let export = ["audit", "export", "--out", text(to)];
    Target::data_dir(dir).run(export).ended(0);
    to.to_owned()
}

#[test]
fn every_anchor_against_every_ledger() {
    let ledger = signed(FORK - 1);
    let target = ledger.target();
    checkpoint(&target);
    let shorter = ledger.file("shorter");
    copy(&ledger.dir(), &shorter);
    let other = ledger.file("other");
    copy(&ledger.dir(), &other);
    grow(&Target::data_dir(&other), "彼", LONGER);
    grow(&target, "此", KNOWN - 1);
    let submit = ["submit", "-", "-o", "json"];
    let submitted = target.run_with_input(submit, &appropriation("文").to_string());
    let submitted = submitted.ended(0).json();
    assert_eq!(size(&target), KNOWN);
    checkpoint(&target);
    let same = ledger.file("same");
    copy(&ledger.dir(), &same);
    let publisher = ledger.file("publisher");
    copy(&ledger.dir(), &publisher);
    let (_publisher, tiles) = Server::publishing(&publisher, [] as [&str; 0]);
    let anchors = anchors(&ledger, &submitted, &tiles);
    grow(&target, "此", LONGER);
    checkpoint(&target);
    let longer = ledger.dir();
    let empty = ledger.file("empty");
    fs::create_dir(&empty).unwrap();

    let dirs = [
        ("same", &same),
        ("longer", &longer),
        ("shorter", &shorter),
        ("other", &other),
    ];
    for (of, dir) in dirs {
        let check = |place: &str, subject: &Subject| {
            for anchor in &anchors {
                let what = format!("{} against {place} of the {of} ledger", anchor.name);
                let (verdict, at) = match of {
                    "shorter" => anchor.shorter,
                    "other" => anchor.other,
                    _ => ("intact", None),
                };
                expect(&subject.verify(&anchor.options), &what, verdict, at);
            }
        };
        let file = exported(dir, &ledger.file(&format!("{of}.luzhang")));
        check("an export", &Subject::File(file));
        check("a directory", &Subject::Target(Target::data_dir(dir)));
        let server = Server::start(dir);
        check("a server", &Subject::Target(server.target()));
        server.terminate();
    }

    // A file that breaks off: where it does, whatever is known.
    let whole = fs::read(ledger.file("longer.luzhang")).unwrap();
    let cut = ledger.file("cut.luzhang");
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let subject = Subject::File(cut);
    let found = subject.verify(&[]).ended(10).json();
    let place = found["first_bad_position"].as_u64();
    assert!(place.is_some_and(|place| place < KNOWN), "{place:?}");
    for anchor in &anchors {
        expect(
            &subject.verify(&anchor.options),
            anchor.name,
            "truncated",
            place,
        );
    }
    // Nothing at all.
    let subject = Subject::Target(Target::data_dir(&empty));
    for anchor in &anchors {
        expect(
            &subject.verify(&anchor.options),
            anchor.name,
            "unreadable",
            None,
        );
    }
}

#[test]
fn published_tiles_name_the_first_event_that_differs() {
    const SIZE: u64 = 520;
    let ledger = signed(SIZE);
    let target = ledger.target();
    checkpoint(&target);
    let key = key(&target);
    let dir = ledger.file("tiles");
    target.run(["tiles", "publish", text(&dir)]).ended(0);
    let sound = events(&export(&ledger, "sound.luzhang"));
    let (server, url) = Server::publishing(&ledger.dir(), [] as [&str; 0]);
    let file = ledger.file("forked.luzhang");
    let by = |tiles: &str| ["--tiles", tiles, "--key", &key].map(str::to_owned);
    let forked = |at: u64| {
        let mut events = sound.clone();
        let event = &mut events[usize::try_from(at).unwrap() - 1];
        event.header.salt[0] ^= 1;
        write_export(&file, &events);
        Subject::File(file.clone())
    };
    let places = [
        1, 2, 100, 254, 255, 256, 257, 258, 511, 512, 513, 514, 519, 520,
    ];
    for at in places {
        let subject = forked(at);
        for tiles in [text(&dir), &url] {
            let what = format!("event {at}, {tiles}");
            expect(&subject.verify(&by(tiles)), &what, "forked", Some(at));
        }
    }
    // However the tiles lie, a place is named only if it is proven.
    let whole = ledger.file("whole");
    copy(&dir, &whole);
    let subject = forked(300);
    for (tile, bytes) in [
        ("tile/0/001", vec![0; 8192]),
        ("tile/0/001", vec![0; 8191]),
        ("tile/0/000", vec![0; 8192]),
        ("tile/1/000.p/2", vec![0; 64]),
        ("tile/0/002.p/8", Vec::new()),
    ] {
        fs::write(dir.join(tile), bytes).unwrap();
        let ran = subject.verify(&by(text(&dir)));
        assert!(matches!(ran.code, 10 | 11), "{tile}: {ran:?}");
        if ran.code == 10 {
            let place = ran.json()["first_bad_position"].as_u64();
            assert!(place == Some(300) || place == Some(SIZE), "{tile}: {ran:?}");
        }
        fs::copy(whole.join(tile), dir.join(tile)).unwrap();
    }
    expect(
        &subject.verify(&by(text(&dir))),
        "whole",
        "forked",
        Some(300),
    );
    server.terminate();
}

#[test]
fn an_anchor_that_nobody_vouches_for_is_no_anchor() {
    let ledger = signed(20);
    let target = ledger.target();
    let note = checkpoint(&target).to_string();
    let own = key(&target);
    let other = Ledger::new();
    checkpoint(&other.target());
    let foreign = key(&other.target());
    let signed = file(&ledger, "checkpoint", &note);
    let changed = file(&ledger, "changed", &note.replace("\n20\n", "\n21\n"));
    let vkey = witness().verifier().to_string();
    let quorum = format!("log {own}\nwitness w {vkey}\nquorum w\n");
    let quorum = file(&ledger, "policy", &quorum);
    let nonsense = file(&ledger, "nonsense", "quorum of friends\n");
    let words = file(&ledger, "words", "a checkpoint\n");
    let dir = ledger.file("tiles");
    target.run(["tiles", "publish", text(&dir)]).ended(0);
    let receipt = ledger.file("receipt");
    let get = ["proof", "get", "7", "--out", text(&receipt)];
    target.run(get).ended(0);
    let moved = fs::read_to_string(&receipt)
        .unwrap()
        .replace("index 6", "index 7");
    let moved = file(&ledger, "moved", &moved);
    let nowhere = ledger.file("nowhere");
    let (tiles, receipt, nowhere) = (text(&dir), text(&receipt), text(&nowhere));
    let rows: [(&[&str], i32, &str); 15] = [
        (&["--checkpoint", &signed], 2, "USAGE"),
        (&["--tiles", tiles], 2, "USAGE"),
        (
            &["--checkpoint", &signed, "--key", &foreign],
            11,
            "CHECKPOINT_ORIGIN",
        ),
        (
            &["--tiles", tiles, "--key", &foreign],
            11,
            "CHECKPOINT_ORIGIN",
        ),
        (
            &["--receipt", receipt, "--key", &foreign],
            11,
            "CHECKPOINT_ORIGIN",
        ),
        (
            &["--checkpoint", &changed, "--key", &own],
            11,
            "CHECKPOINT_FORGED",
        ),
        (
            &["--checkpoint", &words, "--key", &own],
            11,
            "CHECKPOINT_UNREADABLE",
        ),
        (&["--checkpoint", nowhere, "--key", &own], 1, "FILE_IO"),
        (
            &["--checkpoint", &signed, "--policy", &quorum],
            11,
            "CHECKPOINT_QUORUM",
        ),
        (
            &["--tiles", tiles, "--policy", &quorum],
            11,
            "CHECKPOINT_QUORUM",
        ),
        (
            &["--checkpoint", &signed, "--policy", &nonsense],
            2,
            "TRUST_POLICY",
        ),
        (&["--receipt", &moved, "--key", &own], 10, "PROOF_REFUTED"),
        (&["--tiles", nowhere, "--key", &own], 11, "TILES_MISSING"),
        (
            &["--tiles", "http://127.0.0.1:1", "--key", &own],
            11,
            "TILES_UNREACHABLE",
        ),
        (&["--tiles", "ftp://example.com", "--key", &own], 2, "USAGE"),
    ];
    let exported = export(&ledger, "ledger.luzhang");
    for (options, exit, code) in rows {
        let verify = ["audit", "verify"];
        target.run(verify.iter().chain(options)).failed(exit, code);
        let verify = ["audit", "verify", text(&exported)];
        run(verify.iter().chain(options)).failed(exit, code);
    }
    // Nor is it one of another ledger, though its own key signed it.
    fund(&other.target(), "文").ended(0);
    let theirs = file(&ledger, "theirs", &checkpoint(&other.target()).to_string());
    let options = ["--checkpoint", &theirs, "--key", &foreign].map(str::to_owned);
    let place = Some(size(&other.target()));
    expect(
        &Subject::Target(target).verify(&options),
        "theirs",
        "forked",
        place,
    );
}
