//! Tiles that are not those of the signed tree say nothing about it: that is a
//! finding, and no fork.

use std::fs;

use crate::{
    history::{History, log_key},
    site::Site,
    watcher::Watcher,
};

#[test]
fn one_bit_of_any_tile_that_counts_is_seen() {
    let (history, key) = (History::new("bits", 65_836), log_key(1));
    let (before, after) = (300, 65_836);
    let published = history.published(after, &[&key]);
    for (path, byte, names_a_root) in [
        // The right edge, at each level.
        ("tile/0/257.p/44", 0, true),
        ("tile/0/257.p/44", 44 * 32 - 1, true),
        ("tile/1/001.p/1", 5, true),
        ("tile/2/000.p/1", 31, true),
        // Where the older tree ended: its last events, those after it, the tiles
        // above them.
        ("tile/0/001", 0, false),
        ("tile/0/001", 44 * 32, false),
        ("tile/0/001", 8_191, false),
        ("tile/1/000", 0, false),
        ("tile/1/000", 32 * 32, false),
        ("tile/1/000", 8_191, false),
    ] {
        let site = Site::new();
        let watcher = Watcher::new(&[&key]);
        site.show("/log", &history.published(before, &[&key]));
        watcher.sees(&site.url("/log"), "first", before);
        let mut flipped = published.clone();
        flipped.flip(path, byte);
        site.show("/log", &flipped);
        let seen = watcher.look(&site.url("/log")).ended(10).json();
        assert_eq!(seen["finding"], "tampered", "{path} {byte}: {seen}");
        let detail = seen["detail"].as_str().unwrap();
        assert_eq!(detail.contains("another root"), names_a_root, "{detail}");
        assert_eq!(watcher.known().head().size, before as u64);
        // The right tiles are all that it takes.
        site.show("/log", &published);
        watcher.sees(&site.url("/log"), "grew", after);
    }
}

#[test]
fn tiles_of_another_tree_are_no_fork() {
    let (history, key) = (History::new("ours", 700), log_key(1));
    let mut mixed = history.fork(7, "theirs").published(700, &[&key]);
    mixed.sign(&history.published(700, &[&key]).checkpoint());
    let site = Site::new();
    site.show("/log", &mixed);
    // At the first look there is nothing to compare with, but tiles and root.
    let watcher = Watcher::new(&[&key]);
    let seen = watcher.look(&site.url("/log")).ended(10).json();
    assert_eq!(seen["finding"], "tampered");
    assert!(seen["known"].is_null());
    assert!(!watcher.state().exists());
    let evidence = fs::read_to_string(&watcher.evidence()[0]).unwrap();
    assert!(!evidence.contains("BEGIN KNOWN"), "{evidence}");
    assert!(
        evidence.contains(&mixed.checkpoint().to_string()),
        "{evidence}"
    );
}

#[test]
fn a_directory_is_looked_at_no_less_closely() {
    let (history, key) = (History::new("dir", 600), log_key(1));
    let dir = tempfile::tempdir().unwrap();
    let mut published = history.published(600, &[&key]);
    published.flip("tile/0/002.p/88", 17);
    published.write(dir.path());
    let watcher = Watcher::new(&[&key]);
    let seen = watcher.look(dir.path().to_str().unwrap()).ended(10).json();
    assert_eq!(seen["finding"], "tampered");
}
