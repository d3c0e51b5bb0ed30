//! A log that shows different histories to different people, each of them signed,
//! is found out as soon as one of them sees what the other was shown; and nobody
//! has to believe the one who says so.

use std::{fs, path::Path};

use luzhang_ledger::proof::{Node, Policy, SignedCheckpoint, TreeHead, witness::Extension};

use crate::{
    history::{History, Published, log_key},
    site::Site,
    watcher::Watcher,
};

/// What is between `BEGIN name` and `END name` in evidence.
fn section(evidence: &str, name: &str) -> Option<String> {
    let (_, rest) = evidence.split_once(&format!("-----BEGIN {name}-----\n"))?;
    let (body, _) = rest.split_once(&format!("-----END {name}-----\n"))?;
    Some(body.to_owned())
}

/// Reads evidence as an outsider would, who has the log's key and nothing else.
/// Returns both checkpoints and the head that is proven.
#[track_caller]
fn read_evidence(
    path: &Path,
    policy: &Policy,
) -> (SignedCheckpoint, SignedCheckpoint, Option<TreeHead>) {
    let evidence = fs::read_to_string(path).unwrap();
    let signed = |name| {
        let note = section(&evidence, name).unwrap();
        let checkpoint = SignedCheckpoint::parse(note.as_bytes()).unwrap();
        policy.check(&checkpoint).unwrap();
        checkpoint
    };
    let (known, found) = (signed("KNOWN CHECKPOINT"), signed("FOUND CHECKPOINT"));
    let proven = section(&evidence, "PROVEN HEAD").map(|head| {
        let proof = section(&evidence, "PROOF").unwrap();
        let proof = Extension::parse(proof.as_bytes()).unwrap();
        let (size, root) = head.trim_end().split_once('\n').unwrap();
        // The root is one of those that the proof can be checked against: that of
        // the head, in base64.
        let head = TreeHead {
            size: size.parse().unwrap(),
            root: node(root),
        };
        proof.continues(&head).unwrap();
        policy.check(&proof.checkpoint).unwrap();
        head
    });
    (known, found, proven)
}

/// A node from base64, by way of a checkpoint.
fn node(text: &str) -> Node {
    let checkpoint = format!("origin\n1\n{text}\n");
    let checkpoint = luzhang_ledger::proof::Checkpoint::parse(&checkpoint);
    checkpoint.unwrap().head.root
}

#[test]
fn two_histories_are_found_out_when_they_meet() {
    let key = log_key(1);
    let policy = Policy::of_key(key.verifier().clone());
    let ours = History::new("ours", 1_200);
    let theirs = ours.fork(299, "theirs");
    let site = Site::new();
    let (for_us, for_them) = (site.url("/us"), site.url("/them"));
    let (us, them) = (Watcher::new(&[&key]), Watcher::new(&[&key]));
    // Each of the two sees a tree that only grows.
    for (size, result) in [(299, "first"), (300, "grew"), (700, "grew"), (900, "grew")] {
        site.show("/us", &ours.published(size, &[&key]));
        site.show("/them", &theirs.published(size, &[&key]));
        us.sees(&for_us, result, size);
        them.sees(&for_them, result, size);
    }
    let kept = us.kept();
    for size in [901, 1_024, 1_200] {
        site.show("/them", &theirs.published(size, &[&key]));
        let found = us.look(&for_them).ended(10).json();
        assert_eq!(found["finding"], "forked");
        let evidence = us.file(&format!("state.evidence-{size}-1"));
        assert_eq!(found["evidence"], evidence.to_str().unwrap());
        let (known, found, proven) = read_evidence(&evidence, &policy);
        assert_eq!(known.head(), ours.head(900));
        assert_eq!(found.head(), theirs.head(size));
        // The log's own signature is under a tree that had another root then.
        let proven = proven.unwrap();
        assert_eq!(proven, theirs.head(900));
        assert_ne!(proven, known.head());
        // What is known stays known.
        assert_eq!(us.kept(), kept);
    }
    // And our history is still fine for us.
    us.sees(&for_us, "unchanged", 900);
}

#[test]
fn a_fork_is_found_at_every_place_where_it_can_begin() {
    let key = log_key(1);
    let ours = History::new("ours", 700);
    let site = Site::new();
    for (forked_at, known, found) in [
        (0, 1, 2),
        (0, 256, 257),
        (255, 256, 700),
        (255, 300, 700),
        (256, 257, 512),
        (299, 300, 301),
        (511, 512, 700),
    ] {
        let watcher = Watcher::new(&[&key]);
        site.show("/log", &ours.published(known, &[&key]));
        watcher.sees(&site.url("/log"), "first", known);
        let theirs = ours.fork(forked_at, "theirs").published(found, &[&key]);
        site.show("/log", &theirs);
        let seen = watcher.look(&site.url("/log")).ended(10).json();
        assert_eq!(seen["finding"], "forked", "{forked_at} {known} {found}");
    }
    // Where the histories part after the last one that is known, there is none.
    let watcher = Watcher::new(&[&key]);
    site.show("/log", &ours.published(300, &[&key]));
    watcher.sees(&site.url("/log"), "first", 300);
    site.show("/log", &ours.fork(300, "theirs").published(700, &[&key]));
    watcher.sees(&site.url("/log"), "grew", 700);
}

#[test]
fn two_roots_for_one_size_are_a_fork() {
    let key = log_key(1);
    let ours = History::new("ours", 300);
    let site = Site::new();
    let watcher = Watcher::new(&[&key]);
    site.show("/log", &ours.published(300, &[&key]));
    watcher.sees(&site.url("/log"), "first", 300);
    // No tile is needed to see it.
    let mut theirs = Published::default();
    theirs.sign(&ours.fork(7, "theirs").published(300, &[&key]).checkpoint());
    site.show("/log", &theirs);
    let found = watcher.look(&site.url("/log")).ended(10).json();
    assert_eq!(found["finding"], "forked");
    let policy = Policy::of_key(key.verifier().clone());
    let (known, found, proven) = read_evidence(&watcher.evidence()[0], &policy);
    assert_eq!(known.head().size, found.head().size);
    assert_ne!(known.head().root, found.head().root);
    assert_eq!(proven, None);
}

#[test]
fn a_smaller_tree_is_a_finding_and_the_tiles_say_which() {
    let key = log_key(1);
    let policy = Policy::of_key(key.verifier().clone());
    let ours = History::new("ours", 700);
    let theirs = ours.fork(100, "theirs");
    let all = ours.published(700, &[&key]);
    // What is published, and what it is.
    let with = |checkpoint: Published| {
        let mut tiles = all.clone();
        tiles.sign(&checkpoint.checkpoint());
        tiles
    };
    for (published, finding, proven) in [
        // The tiles of the larger tree are there: an earlier state of it,
        (
            with(ours.published(300, &[&key])),
            "shrank",
            Some(ours.head(300)),
        ),
        (
            with(ours.published(0, &[&key])),
            "shrank",
            Some(TreeHead::EMPTY),
        ),
        // or another tree.
        (
            with(theirs.published(300, &[&key])),
            "forked",
            Some(ours.head(300)),
        ),
        // Only the tiles of the smaller tree are there: nobody can tell.
        (ours.published(300, &[&key]), "shrank", None),
        (theirs.published(300, &[&key]), "shrank", None),
    ] {
        let site = Site::new();
        let watcher = Watcher::new(&[&key]);
        site.show("/log", &all);
        watcher.sees(&site.url("/log"), "first", 700);
        site.show("/log", &published);
        let seen = watcher.look(&site.url("/log")).ended(10).json();
        assert_eq!(seen["finding"], finding, "{seen}");
        let evidence = read_evidence(&watcher.evidence()[0], &policy);
        assert_eq!(evidence.0.head(), ours.head(700));
        assert_eq!(evidence.1, published.checkpoint());
        assert_eq!(evidence.2, proven);
        assert_eq!(watcher.known().head().size, 700);
    }
}

#[test]
fn the_same_finding_is_kept_once() {
    let key = log_key(1);
    let ours = History::new("ours", 400);
    let site = Site::new();
    let watcher = Watcher::new(&[&key]);
    site.show("/log", &ours.published(300, &[&key]));
    watcher.sees(&site.url("/log"), "first", 300);
    for (name, kept) in [("one", 1), ("one", 1), ("two", 2), ("one", 2)] {
        site.show("/log", &ours.fork(7, name).published(400, &[&key]));
        watcher.look(&site.url("/log")).ended(10);
        assert_eq!(watcher.evidence().len(), kept, "{name}");
    }
}
