//! The state file never goes back, and is never passed over.

use std::{fs, process::Stdio};

use luzhang_ledger::proof::Policy;

use crate::{
    history::{History, log_key},
    site::Site,
    support::Dice,
    watcher::Watcher,
};

/// How often the watcher is killed.
const KILLS: usize = 20;

#[test]
fn a_damaged_state_file_is_no_fresh_start() {
    let (history, key) = (History::new("state", 300), log_key(1));
    let site = Site::new();
    let watcher = Watcher::new(&[&key]);
    site.show("/log", &history.published(300, &[&key]));
    watcher.sees(&site.url("/log"), "first", 300);
    let whole = watcher.kept();
    let damaged = |damage: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        fs::write(watcher.state(), &bytes).unwrap();
        let looked = watcher.look(&site.url("/log"));
        looked.failed(1, "WATCH_STATE_DAMAGED");
        assert_eq!(watcher.kept(), bytes, "it is left as it is");
    };
    damaged(&Vec::clear);
    damaged(&|bytes| bytes.truncate(30));
    damaged(&|bytes| bytes.truncate(bytes.len() - 1));
    damaged(&|bytes| *bytes = vec![0; bytes.len()]);
    // Another size, another root, another signature.
    let text = String::from_utf8(whole.clone()).unwrap();
    for (from, to) in [("\n300\n", "\n301\n"), ("\n300\n", "\n30\n")] {
        damaged(&|bytes| *bytes = text.replacen(from, to, 1).into_bytes());
    }
    for line in [2, 4] {
        let at = text.match_indices('\n').nth(line).unwrap().0 - 5;
        damaged(&|bytes| bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' });
    }
    fs::write(watcher.state(), &whole).unwrap();
    watcher.sees(&site.url("/log"), "unchanged", 300);
}

#[test]
fn a_key_is_replaced_without_trusting_anew() {
    let history = History::new("rotation", 600);
    let (old, new) = (log_key(1), log_key(2));
    let site = Site::new();
    let mut watcher = Watcher::new(&[&old]);
    let look = |watcher: &Watcher, size, keys: &[_], result| {
        site.show("/log", &history.published(size, keys));
        watcher.sees(&site.url("/log"), result, size);
    };
    look(&watcher, 300, &[&old], "first");
    // Both sign for a while.
    look(&watcher, 400, &[&old, &new], "grew");
    watcher.trust(&[&old, &new]);
    look(&watcher, 500, &[&old, &new], "grew");
    look(&watcher, 510, &[&new], "grew");
    watcher.trust(&[&new]);
    look(&watcher, 600, &[&new], "grew");
    // Who knows only the old key stands still, and is not alarmed.
    let mut late = Watcher::new(&[&old]);
    site.show("/log", &history.published(500, &[&old]));
    late.sees(&site.url("/log"), "first", 500);
    site.show("/log", &history.published(600, &[&new]));
    let looked = late.look(&site.url("/log"));
    looked.failed(11, "CHECKPOINT_UNSIGNED");
    // Who gives the new key alone is told that it needs the old one.
    late.trust(&[&new]);
    let looked = late.look(&site.url("/log"));
    looked.failed(1, "WATCH_STATE_UNTRUSTED");
    late.trust(&[&new, &old]);
    late.sees(&site.url("/log"), "grew", 600);
}

#[test]
fn the_same_head_under_a_new_key_is_kept() {
    let history = History::new("rotation", 300);
    let (old, new) = (log_key(1), log_key(2));
    let site = Site::new();
    let mut watcher = Watcher::new(&[&old, &new]);
    site.show("/log", &history.published(300, &[&old]));
    watcher.sees(&site.url("/log"), "first", 300);
    site.show("/log", &history.published(300, &[&old, &new]));
    watcher.sees(&site.url("/log"), "unchanged", 300);
    watcher.trust(&[&new]);
    watcher.sees(&site.url("/log"), "unchanged", 300);
}

#[test]
fn one_state_file_has_one_watcher() {
    let (history, key) = (History::new("locked", 300), log_key(1));
    let site = Site::new();
    let watcher = Watcher::new(&[&key]);
    site.show("/log", &history.published(300, &[&key]));
    let mut first = watcher
        .command(&site.url("/log"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    site.wait_for("/checkpoint", 1);
    let looked = watcher.look(&site.url("/log"));
    looked.failed(6, "WATCH_STATE_LOCKED");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(watcher.look(&site.url("/log")).code, 0);
}

#[test]
fn whenever_it_is_killed_the_state_never_goes_back() {
    let (history, key) = (History::new("killed", 20_000), log_key(1));
    let policy = Policy::of_key(key.verifier().clone());
    let site = Site::new();
    let watcher = Watcher::new(&[&key]);
    let mut dice = Dice::new("a watcher is killed");
    let mut sizes = (1..=20_000).step_by(61);
    let mut grow = || {
        let size = sizes.next().unwrap();
        site.add("/log", &history.published(size, &[&key]));
    };
    grow();
    let mut before = 0;
    for kill in 0..KILLS {
        let mut running = watcher
            .command(&site.url("/log"))
            .args(["--interval", "100ms"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..dice.below(3) {
            site.wait_for("/checkpoint", 1);
            grow();
        }
        // Somewhere between two tiles, or after the last of them, when the state
        // is about to be replaced.
        site.wait_for("/checkpoint", 1);
        site.wait_for("", usize::try_from(dice.below(4)).unwrap());
        running.kill().unwrap();
        running.wait().unwrap();
        grow();
        if !watcher.state().exists() {
            assert_eq!(before, 0, "kill {kill}: the state is gone");
            continue;
        }
        let known = watcher.known();
        policy.check(&known).unwrap();
        assert!(known.head().size >= before, "kill {kill}");
        before = known.head().size;
    }
    assert!(before > 0, "it was killed too early each time");
    assert!(watcher.evidence().is_empty());
    assert_eq!(watcher.look(&site.url("/log")).code, 0);
}
