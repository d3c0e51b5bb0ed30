//! A ledger that was put back, swapped or damaged does not pass for the one that it
//! was: it does not open, or what was derived from it is made anew.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use luzhang_ledger::proof::Receipt;

use crate::{
    http,
    ledgers::{
        checkpoint, copy, event, files, fund, grow, key, policy, put_back, signed, size, text,
        trusted, until,
    },
    support::{Ledger, Ran, Server, Target},
};

/// The database and its witness, as they were there.
fn restore(from: &Path, to: &Path) {
    let database = to.join("db");
    fs::remove_dir_all(&database).unwrap();
    copy(&from.join("db"), &database);
    fs::copy(from.join("head"), to.join("head")).unwrap();
}

/// A copy of the ledger's directory as it is now.
fn kept(ledger: &Ledger, name: &str) -> PathBuf {
    let kept = ledger.file(name);
    copy(&ledger.dir(), &kept);
    kept
}

/// Nothing opens it, everything says why, and nothing in it is changed.
#[track_caller]
fn is_refused(ledger: &Ledger, code: &str, verdict: &str, place: u64) {
    let target = ledger.target();
    let but_the_lock = || {
        let files = files(&ledger.dir()).into_iter();
        files
            .filter(|(name, _)| name != "lock")
            .collect::<BTreeMap<_, _>>()
    };
    let before = but_the_lock();
    for command in [
        &["audit", "head"][..],
        &["proof", "get", "1"],
        &["checkpoint", "show"],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        target.run(command).failed(1, code);
    }
    fund(&target, "文X").failed(1, code);
    let said = target
        .run(["audit", "verify", "-o", "json"])
        .ended(10)
        .json();
    assert_eq!(said["verdict"], verdict, "{said}");
    assert_eq!(said["first_bad_position"], place, "{said}");
    assert!(but_the_lock() == before, "something was written");
}

#[test]
fn an_older_database_is_not_taken_for_the_newest() {
    let ledger = signed(10);
    checkpoint(&ledger.target());
    let older = kept(&ledger, "older");
    grow(&ledger.target(), "文", 300);
    checkpoint(&ledger.target());
    let newest = kept(&ledger, "newest");
    restore(&older, &ledger.dir());
    is_refused(&ledger, "LEDGER_TRUNCATED", "truncated", 11);
    // With what was restored, it is the same ledger again.
    put_back(&newest, &ledger.dir());
    assert_eq!(size(&ledger.target()), 300);
    // What was never under a checkpoint could be lost: that no one could see.
    grow(&ledger.target(), "文", 310);
    restore(&newest, &ledger.dir());
    assert_eq!(size(&ledger.target()), 300);
    checkpoint(&ledger.target());
}

#[test]
fn another_database_is_not_taken_for_this_one() {
    let ledger = signed(250);
    checkpoint(&ledger.target());
    let before = kept(&ledger, "before");
    grow(&ledger.target(), "此", 270);
    checkpoint(&ledger.target());
    let one = kept(&ledger, "one");
    put_back(&before, &ledger.dir());
    grow(&ledger.target(), "彼", 290);
    let other = kept(&ledger, "other");
    assert_ne!(
        Target::data_dir(&one).head(),
        Target::data_dir(&other).head()
    );

    // Its own tree, and then that of the other.
    put_back(&one, &ledger.dir());
    assert_eq!(size(&ledger.target()), 270);
    restore(&other, &ledger.dir());
    is_refused(&ledger, "LEDGER_FORKED", "forked", 270);
    // The other database under the tree of before: that knows of neither.
    put_back(&before, &ledger.dir());
    restore(&other, &ledger.dir());
    assert_eq!(size(&ledger.target()), 290);
}

/// What happens to a file.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Removed,
    Emptied,
    Cut,
    Shortened,
    Longer,
    Garbled,
    LastBit,
}

const FATES: [Fate; 7] = [
    Fate::Removed,
    Fate::Emptied,
    Fate::Cut,
    Fate::Shortened,
    Fate::Longer,
    Fate::Garbled,
    Fate::LastBit,
];

impl Fate {
    fn befall(self, file: &Path) {
        let bytes = fs::read(file).unwrap();
        let bytes = match self {
            Self::Removed => return fs::remove_file(file).unwrap(),
            Self::Emptied => Vec::new(),
            Self::Cut => bytes[..bytes.len() / 2].to_vec(),
            Self::Shortened => bytes[..bytes.len().saturating_sub(1)].to_vec(),
            Self::Longer => [&bytes[..], &[0; 100]].concat(),
            Self::Garbled => vec![0xa5; bytes.len()],
            Self::LastBit => {
                let mut bytes = bytes;
                if let Some(last) = bytes.last_mut() {
                    *last ^= 1;
                }
                bytes
            }
        };
        fs::write(file, bytes).unwrap();
    }
}

#[test]
fn the_tree_is_made_anew_from_the_log_whatever_becomes_of_it() {
    let ledger = signed(700);
    let target = ledger.target();
    let before = checkpoint(&target);
    let head = before.head();
    let trust = policy(&key(&target));
    let whole = ledger.file("tree");
    let tree = ledger.dir().join("tree");
    copy(&tree, &whole);
    // Level 2 and all above it have nothing yet.
    let of_level_2 = [Fate::Removed, Fate::Longer];
    for (name, fates) in [("0", &FATES[..]), ("1", &FATES), ("2", &of_level_2)] {
        for fate in fates {
            put_back(&whole, &tree);
            fate.befall(&tree.join(name));
            let what = format!("{fate:?} of {name}");
            // The first may find the damage.
            for position in [257, 1, 700] {
                let receipt = proven(&target, position, &what);
                assert_eq!(
                    receipt.verify(&trust).unwrap().checkpoint.head,
                    head,
                    "{what}"
                );
            }
            assert!(levels(&tree) == levels(&whole), "{what}");
        }
    }
    // All of it.
    fs::remove_dir_all(&tree).unwrap();
    let again = checkpoint(&target);
    assert_eq!(again.head(), head);
    assert!(levels(&tree) == levels(&whole));
    // Ed25519 has one signature for one text.
    assert_eq!(again, before);
}

/// The levels of a tree.
fn levels(tree: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = files(tree).into_iter();
    files.filter(|(name, _)| name != "checkpoint").collect()
}

/// The receipt of an event, at the first or at the second time: an answer that is
/// not one says that the tree is being made anew.
#[track_caller]
fn proven(target: &Target, position: u64, what: &str) -> Receipt {
    let place = position.to_string();
    let get = || target.run(["proof", "get", &place]);
    let mut ran = get();
    if ran.code != 0 {
        ran.failed(7, "TREE_DAMAGED");
        ran = get();
    }
    let Ran { code, out, err } = ran;
    assert_eq!(code, 0, "{what}, event {position}: {err}");
    Receipt::parse(out.as_bytes()).unwrap()
}

#[test]
fn a_damaged_checkpoint_file_is_not_passed_over() {
    let ledger = signed(20);
    let target = ledger.target();
    let head = checkpoint(&target).head();
    let file = ledger.dir().join("tree/checkpoint");
    for fate in [
        Fate::Emptied,
        Fate::Cut,
        Fate::Shortened,
        Fate::Longer,
        Fate::Garbled,
    ] {
        let whole = fs::read(&file).unwrap();
        fate.befall(&file);
        let ran = target.run(["audit", "head"]);
        assert!(
            ran.code == 1 && ran.err.contains("tree"),
            "{fate:?}: {ran:?}"
        );
        let said = target
            .run(["audit", "verify", "-o", "json"])
            .ended(11)
            .json();
        assert_eq!(said["verdict"], "unreadable", "{said}");
        fs::write(&file, whole).unwrap();
        assert_eq!(checkpoint(&target).head(), head);
    }
    // One that nobody signed so is one that the log contradicts.
    let note = fs::read_to_string(&file).unwrap();
    fs::write(&file, note.replace("\n20\n", "\n19\n")).unwrap();
    is_refused(&ledger, "LEDGER_FORKED", "forked", 19);
    fs::write(&file, note.replace("\n20\n", "\n21\n")).unwrap();
    is_refused(&ledger, "LEDGER_TRUNCATED", "truncated", 21);
    // As it is said: without the directory, it follows from the log.
    fs::remove_dir_all(ledger.dir().join("tree")).unwrap();
    assert_eq!(checkpoint(&target).head(), head);
}

/// Flips a bit of a file.
fn flip(file: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(file);
    let file = file.unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 8], at).unwrap();
}

/// Damage inside is not looked for on opening. It must never become a receipt that
/// does not hold.
#[test]
fn a_flipped_bit_inside_the_tree_never_gets_out_as_a_proof() {
    let ledger = signed(700);
    let target = ledger.target();
    let before = checkpoint(&target);
    let head = before.head();
    let trust = policy(&key(&target));
    let whole = ledger.file("tree");
    let tree = ledger.dir().join("tree");
    copy(&tree, &whole);
    // A bit of a leaf in each tile, a node of the level above; over a server too.
    let places = [
        ("0", 5 * 32),
        ("0", 255 * 32 + 31),
        ("0", 300 * 32),
        ("1", 3),
        ("1", 33),
    ];
    for (level, at) in places {
        let flip = || {
            put_back(&whole, &tree);
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(tree.join(level));
            let file = file.unwrap();
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 8], at).unwrap();
        };
        let what = format!("level {level} at {at}");
        for position in [1, 5, 6, 255, 302, 700] {
            flip();
            for _ in 0..2 {
                let receipt = proven(&target, position, &what);
                let proven = receipt.verify(&trust).unwrap();
                assert_eq!(proven.checkpoint.head, head, "{what}");
                let hash = &event(&target, position)["event_hash"];
                assert_eq!(hash, &proven.event_hash.to_string(), "{what}");
            }
        }
        // Nor over HTTP, where it would be kept for a year.
        flip();
        let (server, tiles) = Server::publishing(&ledger.dir(), [] as [&str; 0]);
        let path = match (level, at) {
            ("0", 0..8192) => "tile/0/000",
            ("0", _) => "tile/0/001",
            _ => "tile/1/000.p/2",
        };
        let first = http::get(&tiles, path, &[]);
        let sound = fs::read(whole.join(level)).unwrap();
        let from = if path.ends_with("001") { 8192 } else { 0 };
        let is_sound = |body: &[u8]| body == &sound[from..from + body.len()];
        assert!(
            first.status == 503 || is_sound(&first.body),
            "{what}: {first:?}"
        );
        until("the tile is made anew", || {
            let again = http::get(&tiles, path, &[]);
            (again.status == 200 && is_sound(&again.body)).then_some(())
        });
        server.terminate();
        flip();
        let (server, tiles) = Server::publishing(&ledger.dir(), [] as [&str; 0]);
        // The neighbours of those leaves: of a leaf itself, the log is asked.
        for position in [5, 255, 302] {
            proven(&server.target(), position, &what)
                .verify(&trust)
                .unwrap();
        }
        // What was found by a proof is right for everybody from then on.
        let path = format!("tile/{level}/000{}", if level == "1" { ".p/2" } else { "" });
        let bytes = http::get(&tiles, &path, &[]).body;
        let sound = fs::read(whole.join(level)).unwrap();
        assert!(bytes == sound[..bytes.len()], "{what}");
        server.terminate();
        assert!(levels(&tree) == levels(&whole), "{what}");
    }
    // Nor does it keep the next checkpoint from being signed.
    for (level, at) in places {
        put_back(&whole, &tree);
        flip(&tree.join(level), at);
        fund(&target, &format!("{level}-{at}")).ended(0);
        let after = checkpoint(&target);
        let old = ledger.file("old");
        fs::write(&old, before.to_string()).unwrap();
        let consistency = ["proof", "consistency", text(&old), "--key", &key(&target)];
        target.run(consistency).ended(0);
        assert_eq!(after.head().size, size(&target));
        assert_eq!(trusted(&after, &key(&target)).head, after.head());
        fs::remove_dir_all(&whole).unwrap();
        copy(&tree, &whole);
    }
}
