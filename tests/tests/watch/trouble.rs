//! What cannot be read, or is not signed by whom one trusts, is no finding.

use std::{fmt::Write as _, fs, net::TcpListener};

use luzhang_ledger::proof::{SignedCheckpoint, SigningKey, note::Purpose};

use crate::{
    history::{History, Published, key, log_key},
    site::Site,
    watcher::Watcher,
};

/// A watcher that knows 300 events is shown this instead of 600: it says why it
/// can say nothing, and has forgotten nothing.
#[track_caller]
fn check(change: impl FnOnce(&mut Published), code: &str) {
    let (history, key) = (History::new("trouble", 600), log_key(1));
    let site = Site::new();
    let watcher = Watcher::new(&[&key]);
    site.show("/log", &history.published(300, &[&key]));
    watcher.sees(&site.url("/log"), "first", 300);
    let kept = watcher.kept();
    let mut published = history.published(600, &[&key]);
    change(&mut published);
    site.show("/log", &published);
    watcher.look(&site.url("/log")).failed(11, code);
    assert_eq!(watcher.kept(), kept);
    assert!(watcher.evidence().is_empty());
}

/// Another checkpoint in the place of that of 600 events.
fn signed(published: &mut Published, key: &SigningKey) {
    // Forked from the first event: were it believed, it would be a finding.
    let other = History::new("other", 600).head(600);
    published.sign(&SignedCheckpoint::sign(other, &[key]).unwrap());
}

#[test]
fn a_tree_that_cannot_be_read_is_no_finding() {
    check(|all| all.files.clear(), "TILES_MISSING");
    check(
        |all| drop(all.files.remove("tile/0/002.p/88")),
        "TILES_MISSING",
    );
    check(|all| drop(all.files.remove("tile/0/001")), "TILES_MISSING");
    check(
        |all| all.files.get_mut("tile/0/001").unwrap().truncate(8_191),
        "TILES_UNREADABLE",
    );
    check(
        |all| all.files.get_mut("tile/0/002.p/88").unwrap().clear(),
        "TILES_UNREADABLE",
    );
    check(
        |all| *all.files.get_mut("checkpoint").unwrap() = b"<html>come back later</html>".to_vec(),
        "CHECKPOINT_UNREADABLE",
    );
    check(
        |all| *all.files.get_mut("checkpoint").unwrap() = vec![b'a'; 200_000],
        "CHECKPOINT_UNREADABLE",
    );
}

#[test]
fn what_is_not_signed_by_a_trusted_key_is_no_finding() {
    // Another key under the same name.
    check(|all| signed(all, &log_key(2)), "CHECKPOINT_UNSIGNED");
    let elsewhere = key("example.com/elsewhere", Purpose::Author, 1);
    check(|all| signed(all, &elsewhere), "CHECKPOINT_ORIGIN");
    // The trusted key's signature, and another text.
    check(
        |all| {
            let text = String::from_utf8(all.files["checkpoint"].clone()).unwrap();
            let text = text.replacen("\n600\n", "\n601\n", 1);
            *all.files.get_mut("checkpoint").unwrap() = text.into_bytes();
        },
        "CHECKPOINT_FORGED",
    );
}

#[test]
fn nobody_who_answers_is_no_finding() {
    let (history, key) = (History::new("nobody", 300), log_key(1));
    let watcher = Watcher::new(&[&key]);
    let site = Site::new();
    site.show("/log", &history.published(300, &[&key]));
    watcher.sees(&site.url("/log"), "first", 300);
    for status in [403, 429, 500, 503] {
        site.refuse(Some(status));
        let looked = watcher.look(&site.url("/log"));
        looked.failed(11, "TILES_UNREACHABLE");
    }
    // A port on which nobody listens any more.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let closed = format!("http://{}/log", port.unwrap());
    watcher.look(&closed).failed(11, "TILES_UNREACHABLE");
    // A directory that is not there, or has something else in it.
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    let nowhere = nowhere.to_str().unwrap();
    watcher.look(nowhere).failed(11, "TILES_MISSING");
    fs::create_dir(dir.path().join("checkpoint")).unwrap();
    let odd = watcher.look(dir.path().to_str().unwrap());
    odd.failed(11, "TILES_UNREACHABLE");
}

#[test]
fn a_quorum_is_asked_for() {
    let (history, key) = (History::new("quorum", 300), log_key(1));
    let names = ["w1", "w2", "w3"];
    let witnesses: Vec<SigningKey> = names
        .into_iter()
        .zip(11..)
        .map(|(name, seed)| self::key(name, Purpose::Witness, seed))
        .collect();
    let mut policy = format!("log {}\n", key.verifier());
    for (name, witness) in names.iter().zip(&witnesses) {
        writeln!(policy, "witness {name} {}", witness.verifier()).unwrap();
    }
    policy += "group two 2 w1 w2 w3\nquorum two\n";
    let watcher = Watcher::with_policy(&policy);
    let site = Site::new();
    let mut published = history.published(300, &[&key]);
    let mut checkpoint = published.checkpoint();
    for witness in &witnesses[..2] {
        site.show("/log", &published);
        let looked = watcher.look(&site.url("/log"));
        looked.failed(11, "CHECKPOINT_QUORUM");
        checkpoint.add(checkpoint.cosign(witness, 1_700_000_000));
        published.sign(&checkpoint);
    }
    site.show("/log", &published);
    watcher.sees(&site.url("/log"), "first", 300);
    // One more is kept too, though nothing else has changed.
    checkpoint.add(checkpoint.cosign(&witnesses[2], 1_700_000_000));
    published.sign(&checkpoint);
    site.show("/log", &published);
    watcher.sees(&site.url("/log"), "unchanged", 300);
    assert_eq!(watcher.known(), checkpoint);
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let watcher = Watcher::new(&[]);
    watcher.look("somewhere").failed(2, "USAGE");
    let key = log_key(1);
    let watcher = Watcher::new(&[&key]);
    for source in [
        "ftp://example.com/log",
        "http://example.com/log?of=today",
        "",
    ] {
        watcher.look(source).failed(2, "USAGE");
    }
    let witness = self::key("example.com/witness", Purpose::Witness, 1);
    let looked = Watcher::new(&[&witness]).look("somewhere");
    looked.failed(2, "USAGE");
    let watcher = Watcher::with_policy("quorum none\n");
    watcher.look("somewhere").failed(2, "USAGE");
    let watcher = Watcher::with_policy("quorum everybody\n");
    watcher.look("somewhere").failed(2, "TRUST_POLICY");
    for interval in ["0s", "-5s", "soon", "10"] {
        let mut command = Watcher::new(&[&key]).command("somewhere");
        let ran = command.args(["--interval", interval]).output().unwrap();
        assert_eq!(ran.status.code(), Some(2), "{interval}");
    }
}
