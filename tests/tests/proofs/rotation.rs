//! Keys are replaced, lost and stolen; whoever trusts one follows exactly as far as
//! that one vouches.

use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use luzhang_ledger::{
    Body,
    event::KeyAdoption,
    proof::{
        SigningKey,
        note::{KeyName, Purpose},
        rotation,
    },
};
use serde_json::Value;

use crate::{
    ledgers::{
        bureau, checkpoint, events, export, fund, key, keys, parse, policy, size, text, trusted,
        write_export,
    },
    support::{Dice, Ledger, Server, Target, luzhang, run},
};

fn name() -> &'static str {
    "luzhou.example/ledger"
}

#[test]
fn a_ledger_signs_under_the_name_it_was_given() {
    let scratch = tempfile::tempdir().unwrap();
    let target = Target::data_dir(&scratch.path().join("ledger"));
    target.run(["init", "--origin", name()]).ended(0);
    let signed = checkpoint(&target);
    assert_eq!(signed.checkpoint().origin, name());
    assert!(key(&target).starts_with(&format!("{}+", name())));
    trusted(&signed, &key(&target));
    target.run(["checkpoint", "rotate"]).ended(0);
    let keys = keys(&target);
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key.starts_with(name())), "{keys:?}");

    let other = Target::data_dir(&scratch.path().join("other"));
    for wrong in ["", "two words", "a+b", "line\nfeed"] {
        let ran = other.run(["init", "--origin", wrong]).ended(2);
        assert!(ran.err.starts_with("error: "), "{}", ran.err);
    }
    let unnamed = Ledger::new();
    let shown = checkpoint(&unnamed.target());
    let head = unnamed
        .target()
        .run(["audit", "head", "-o", "json"])
        .ended(0);
    let id = head.json()["ledger_id"].as_str().unwrap().to_owned();
    assert_eq!(shown.checkpoint().origin, format!("luzhang/{id}"));
}

/// Runs `audit verify` of an export, the directory and its server.
fn verify_all(ledger: &Ledger, options: &[&str], check: impl Fn(crate::support::Ran)) {
    let file = ledger.file("rotated.luzhang");
    let _none = fs::remove_file(&file);
    export(ledger, "rotated.luzhang");
    let options = [&["-o", "json"], options].concat();
    let of_file = ["audit", "verify", text(&file)];
    check(run(of_file.iter().chain(&options)));
    let verify = ["audit", "verify"];
    check(ledger.target().run(verify.iter().chain(&options)));
    let server = Server::start(&ledger.dir());
    check(server.target().run(verify.iter().chain(&options)));
    server.terminate();
}

#[test]
fn whoever_trusts_the_old_key_follows_to_the_new_one_and_no_further() {
    let ledger = bureau();
    let target = ledger.target();
    let before = checkpoint(&target);
    let first = key(&target);
    let said = target.run(["checkpoint", "rotate", "-o", "json"]).ended(0);
    assert!(said.err.contains("keys/checkpoint"), "{}", said.err);
    let second = key(&target);
    assert_eq!(said.json()["key"], second);
    assert_ne!(first, second);
    assert_eq!(keys(&target), [first.clone(), second.clone()]);
    let after = checkpoint(&target);
    assert!(after.head().size > before.head().size);
    trusted(&after, &second);
    let file = |name: &str, text: &str| {
        let file = ledger.file(name);
        fs::write(&file, text).unwrap();
        file
    };
    let old = file("old", &before.to_string());
    let new = file("new", &after.to_string());
    let receipt = ledger.file("receipt");
    let over = size(&target).to_string();
    let get = ["proof", "get", &over, "--out", text(&receipt)];
    target.run(get).ended(0);

    // By itself, the old key says nothing of what the new one signs.
    assert!(policy(&first).check(&after).is_err());
    for (file, more) in [(&receipt, &[][..]), (&old, &["--old", text(&old)])] {
        let check = ["proof", "check", text(file), "--key", &first];
        assert_eq!(run(check.iter().chain(more)).code, 11);
    }
    run(["proof", "check", text(&receipt), "--key", &second]).ended(0);
    // With the log, it does; and the new key says nothing of before.
    let verdict = |exit: i32, word: &'static str| {
        move |ran: crate::support::Ran| {
            assert_eq!(ran.ended(exit).json()["verdict"], word);
        }
    };
    let distrusted = |ran: crate::support::Ran| ran.failed(11, "CHECKPOINT_UNSIGNED");
    let with = |file: &std::path::Path, key: &str| {
        ["--checkpoint", text(file), "--key", key].map(str::to_owned)
    };
    let rows = |file, key: &str, check: &dyn Fn(crate::support::Ran)| {
        let options = with(file, key);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        verify_all(&ledger, &options, check);
    };
    rows(&new, &first, &verdict(0, "intact"));
    rows(&new, &second, &verdict(0, "intact"));
    rows(&old, &first, &verdict(0, "intact"));
    rows(&old, &second, &distrusted);
    let by_receipt = ["--receipt", text(&receipt), "--key", &first];
    verify_all(&ledger, &by_receipt, verdict(0, "intact"));

    // Twice, and still.
    target.run(["checkpoint", "rotate"]).ended(0);
    let third = key(&target);
    let newest = file("newest", &checkpoint(&target).to_string());
    rows(&newest, &first, &verdict(0, "intact"));
    // The consistency of both can be shown to whoever trusts both.
    let consistency = ["proof", "consistency", text(&old), "--key", &first];
    let ran = target.run(consistency.iter().chain(&["--key", &third]));
    ran.ended(0);
    target.run(consistency).failed(11, "CHECKPOINT_UNSIGNED");

    // Lost: the old key cannot vouch, and so nobody follows.
    fs::remove_file(ledger.dir().join("keys/checkpoint")).unwrap();
    let rotate = target.run(["checkpoint", "rotate"]);
    rotate.failed(7, "CHECKPOINT_KEY_MISSING");
    target.run(["checkpoint", "rotate", "--lost"]).ended(0);
    let fourth = key(&target);
    assert_eq!(
        keys(&target),
        [&first, &second, &third, &fourth].map(String::clone)
    );
    let shown = target
        .run(["checkpoint", "keys", "-o", "json"])
        .ended(0)
        .json();
    let endorsed: Vec<&Value> = shown["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["endorsed"])
        .collect();
    assert_eq!(endorsed, ["false", "true", "true", "false"]);
    let latest = file("latest", &checkpoint(&target).to_string());
    for key in [&first, &third] {
        rows(&latest, key, &distrusted);
    }
    rows(&latest, &fourth, &verdict(0, "intact"));
    rows(&newest, &first, &verdict(0, "intact"));
}

/// Whoever holds the ledger may write any key into it. Followed is only the one that
/// the key before it vouches for.
#[test]
fn an_endorsement_by_anybody_else_is_none() {
    let ledger = bureau();
    let target = ledger.target();
    checkpoint(&target);
    let first = key(&target);
    target.run(["checkpoint", "rotate"]).ended(0);
    let sound = events(&export(&ledger, "sound.luzhang"));
    let last = sound.len() - 1;
    let Body::CheckpointKeyAdopted(adoption) = &sound[last].body else {
        panic!("{:?}", sound[last])
    };
    let name = KeyName::new(first.split_once('+').unwrap().0).unwrap();
    let thief = SigningKey::from_seed(name.clone(), Purpose::Author, &[66; 32]);
    let elsewhere = KeyName::new("elsewhere.example").unwrap();
    let elsewhere = SigningKey::from_seed(elsewhere, Purpose::Author, &[67; 32]);
    let by_thief = rotation::endorse(&thief, thief.verifier()).unwrap();
    let forged = ledger.file("forged.luzhang");
    for (what, endorsement) in [
        ("none", None),
        ("by the thief", Some(by_thief)),
        ("of the true key", adoption.endorsement.clone()),
        (
            "by another log",
            Some(rotation::endorse(&elsewhere, thief.verifier()).unwrap()),
        ),
    ] {
        let mut events = sound.clone();
        events[last].body = Body::CheckpointKeyAdopted(Box::new(KeyAdoption {
            key: thief.verifier().clone(),
            endorsement,
        }));
        write_export(&forged, &events);
        // The thief signs what the thief wrote.
        let head = run(["audit", "verify", text(&forged), "-o", "json"]).ended(0);
        let events = head.json()["events"].as_u64().unwrap();
        let tree = tree_of(&forged);
        assert_eq!(tree.size, events);
        let signed = luzhang_ledger::proof::SignedCheckpoint::sign(tree, &[&thief]).unwrap();
        let file = ledger.file("stolen");
        fs::write(&file, signed.to_string()).unwrap();
        let verify = [
            "audit",
            "verify",
            text(&forged),
            "--checkpoint",
            text(&file),
        ];
        let own = thief.verifier().to_string();
        run(verify.iter().chain(&["--key", own.as_str()])).ended(0);
        let ran = run(verify.iter().chain(&["--key", first.as_str()]));
        assert_eq!(ran.code, 11, "{what}: {ran:?}");
    }
}

/// The head of the tree over an export.
fn tree_of(file: &std::path::Path) -> luzhang_ledger::proof::TreeHead {
    use luzhang_ledger::{
        block::BlockView,
        export::VerifiedBlocks,
        hash::ChainHasher,
        proof::{Frontier, Node},
    };
    let mut frontier = Frontier::default();
    for block in VerifiedBlocks::new(fs::File::open(file).unwrap()).flat_map(Result::unwrap) {
        let view = BlockView::parse(&block).unwrap();
        let mut chain = view.chain_before;
        for frame in view.frames().map(Result::unwrap) {
            chain = ChainHasher::default().event(chain, frame.event);
            frontier.push(Node::of_event(chain));
        }
    }
    frontier.head()
}

#[test]
fn without_its_key_a_ledger_still_takes_commands() {
    let ledger = bureau();
    let target = ledger.target();
    let before = checkpoint(&target);
    let key_file = ledger.dir().join("keys/checkpoint");
    let secret = fs::read(&key_file).unwrap();
    let without = |target: &Target, document: &str| {
        // What is under an old checkpoint can be proven, what is new cannot.
        target.run(["proof", "get", "5"]).ended(0);
        fund(target, document).ended(0);
        let over = size(target).to_string();
        for wanted in [
            &["proof", "get", &over][..],
            &["checkpoint", "show", "--covering", &over],
            &["checkpoint", "sign"],
            &["checkpoint", "rotate"],
        ] {
            let ran = target.run(wanted);
            ran.failed(7, "CHECKPOINT_KEY_MISSING");
            assert!(ran.err.contains(&key(target)), "{}", ran.err);
        }
        // The answer to a command is worth more than its receipt.
        let file = ledger.file("receipt");
        let submit = ["submit", "-", "--proof", text(&file)];
        let command = crate::ledgers::appropriation(&format!("{document}甲"));
        let ran = target.run_with_input(submit, &command.to_string());
        assert!(ran.ended(0).err.contains("proof get"), "{document}");
        assert!(!file.exists());
    };
    fs::remove_file(&key_file).unwrap();
    without(&target, "文1");
    // Nor is the key of another ledger one.
    let other = Ledger::new();
    checkpoint(&other.target());
    fs::copy(other.dir().join("keys/checkpoint"), &key_file).unwrap();
    without(&target, "文2");
    let (server, _) = Server::publishing(&ledger.dir(), ["--checkpoint-every", "100ms"]);
    without(&server.target(), "文3");
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
    // Put back, all is as it was.
    fs::write(&key_file, secret).unwrap();
    let after = checkpoint(&target);
    assert!(after.head().size > before.head().size);
    trusted(&after, &key(&target));
    // Damaged, it is as good as missing, and said to be damaged.
    fs::write(&key_file, "luzhang checkpoint key 1\n").unwrap();
    without(&target, "文4");
    let ran = target.run(["checkpoint", "show"]).ended(0);
    assert!(ran.err.contains("keys/checkpoint is damaged"), "{ran:?}");
}

/// However a rotation is cut short, the key that the log names is at hand.
#[test]
fn a_kill_in_the_middle_of_a_rotation_loses_no_key() {
    let ledger = Ledger::new();
    let target = ledger.target();
    checkpoint(&target);
    let begun = Instant::now();
    target.run(["checkpoint", "rotate"]).ended(0);
    let whole = begun.elapsed();
    let mut dice = Dice::new("rotation");
    let mut rotated = 0;
    for round in 0..16 {
        let before = keys(&target);
        let mut child = luzhang()
            .args(target.options())
            .args(["checkpoint", "rotate"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let micros = u64::try_from(whole.as_micros()).unwrap();
        thread::sleep(Duration::from_micros(micros / 8 + dice.below(micros)));
        // It may have ended before.
        let _ended = child.kill();
        child.wait().unwrap();
        let after = keys(&target);
        assert!(after.starts_with(&before), "round {round}: {after:?}");
        assert!(after.len() <= before.len() + 1, "round {round}: {after:?}");
        rotated += after.len() - before.len();
        fund(&target, &format!("文{round}")).ended(0);
        let signed = checkpoint(&target);
        assert_eq!(trusted(&signed, &key(&target)).head.size, size(&target));
        assert_eq!(key(&target), after[after.len() - 1]);
    }
    // Some were killed before the log took the key, some after.
    println!("{rotated} of 16 rotations were taken");
    let signed = parse(&target.run(["checkpoint", "show"]).ended(0).out);
    let file = ledger.file("newest");
    fs::write(&file, signed.to_string()).unwrap();
    let first = keys(&target)[0].clone();
    let verify = [
        "audit",
        "verify",
        "--checkpoint",
        text(&file),
        "--key",
        &first,
    ];
    target.run(verify).ended(0);
}
