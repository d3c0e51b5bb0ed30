//! Damaged databases: an error that says so, or every event. Never fewer events
//! without a word, and never a panic.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::Path,
};

use luzhang_ledger::{
    Hash, Position,
    log::{
        Log,
        conformance::{Chain, LARGEST},
        sled::{SledLog, open_for_audit},
    },
    verify::{Anchor, Verdict, verify_blocks},
};

use crate::{copy, count, ledger};

const SEGMENT: u64 = 16 << 20;
/// Blocks per opening of the ledger. sled takes a snapshot when it opens, and
/// what it does with damage depends on which side of that the damage is.
const RUNS: [usize; 3] = [150, 200, 600];

/// What became of a damaged ledger.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// The bytes meant nothing to anyone.
    Whole,
    /// It does not open.
    Refused(&'static str),
    /// It opens, and reading says what is missing.
    Reported,
}

/// The hashes of the blocks made, and the number of events.
fn make(dir: &Path) -> (Vec<Hash>, u64) {
    let mut hashes = Vec::new();
    drop(SledLog::create(dir, ledger()).unwrap());
    let mut chain = Chain::new(ledger());
    for blocks in RUNS {
        let mut log = SledLog::open(dir).unwrap();
        for number in 0..blocks {
            let lens = match number % 8 {
                0 => vec![LARGEST],
                1..=5 => vec![300; 30],
                _ => vec![100],
            };
            log.append(&[chain.block(&lens).unwrap()]).unwrap();
            hashes.push(log.head().block);
        }
        Box::new(log).close().unwrap();
    }
    (hashes, chain.head().position.unwrap().number())
}

fn fate(case: &str, dir: &Path, total: u64) -> Fate {
    let log = match SledLog::open(dir) {
        Err(error) => return Fate::Refused(error.code()),
        Ok(log) => log,
    };
    let (events, errors) = count(&*log.reader());
    assert!(
        events == total || !errors.is_empty(),
        "{case}: {events} of {total} events, no error"
    );
    if events == total {
        assert_eq!(errors.len(), 0, "{case}: {errors:?}");
        return Fate::Whole;
    }
    Fate::Reported
}

/// What an audit says of a damaged ledger, which it leaves as it was.
#[derive(Debug)]
enum Seen {
    Unopened(&'static str),
    Verified(Verdict),
}

impl Seen {
    fn agrees(&self, fate: &Fate) -> bool {
        match self {
            Self::Unopened(code) => *fate == Fate::Refused(code),
            Self::Verified(Verdict::Intact) => *fate == Fate::Whole,
            Self::Verified(Verdict::Truncated) => *fate == Fate::Refused("LEDGER_TRUNCATED"),
            Self::Verified(Verdict::Tampered) => {
                *fate == Fate::Reported || *fate == Fate::Refused("LEDGER_DAMAGED")
            }
            Self::Verified(_) => false,
        }
    }
}

fn audit(case: &str, dir: &Path) -> Seen {
    let before = digests(dir);
    let scratch = tempfile::tempdir().unwrap();
    let seen = match open_for_audit(dir, scratch.path()) {
        Err(error) => Seen::Unopened(error.code()),
        Ok(audit) => {
            let anchor = audit.witness.ok().map(|witness| Anchor {
                hash: witness.chain,
                position: witness.position,
            });
            let blocks = audit.reader.blocks_from(Position::FIRST);
            Seen::Verified(verify_blocks(blocks, anchor, |_| {}).verdict)
        }
    };
    assert_eq!(digests(dir), before, "{case}: an audit changed the ledger");
    seen
}

fn digests(dir: &Path) -> BTreeMap<String, blake3::Hash> {
    let mut digests = BTreeMap::new();
    for dir in [dir, &dir.join("db")] {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let digest = blake3::hash(&fs::read(&path).unwrap());
            digests.insert(path.display().to_string(), digest);
        }
    }
    digests
}

fn overwrite(dir: &Path, at: u64, change: impl Fn(&mut [u8]), len: usize) {
    let file = File::options()
        .read(true)
        .write(true)
        .open(dir.join("db/db"))
        .unwrap();
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, at).unwrap();
    change(&mut bytes);
    file.write_all_at(&bytes, at).unwrap();
}

/// Where the hash of a block stands in sled's file: in the record of its append,
/// and in each later copy of its page. The block must not compress.
fn places(dir: &Path, block: Hash) -> Vec<u64> {
    let hash = block.as_bytes();
    let data = fs::read(dir.join("db/db")).unwrap();
    let places: Vec<u64> = (0..data.len())
        .filter(|at| data[*at] == hash[0] && data[*at..].starts_with(hash))
        .map(|at| at as u64)
        .collect();
    assert!(!places.is_empty(), "{block}");
    places
}

type Damage = Box<dyn Fn(&Path)>;

#[test]
fn damaged_data_is_reported() {
    let scratch = tempfile::tempdir().unwrap();
    let whole = scratch.path().join("whole");
    let (hashes, total) = make(&whole);
    let len = fs::metadata(whole.join("db/db")).unwrap().len();
    assert!(len > 3 * SEGMENT, "{len}");

    let mut cases: Vec<(String, Damage)> = vec![("none".to_owned(), Box::new(|_| {}))];
    for segment in 0..len.div_ceil(SEGMENT) {
        let start = segment * SEGMENT;
        let used = (len - start).min(SEGMENT);
        for at in [start + 6, start + used / 2, start + used - 5000] {
            cases.push((
                format!("a bit at {at}"),
                Box::new(move |dir| overwrite(dir, at, |bytes| bytes[0] ^= 0x10, 1)),
            ));
        }
        let at = (start + used / 4) & !4095;
        cases.push((
            format!("zeros at {at}"),
            Box::new(move |dir| overwrite(dir, at, |bytes| bytes.fill(0), 4096)),
        ));
        let at = start + used * 2 / 3;
        cases.push((
            format!("garbage at {at}"),
            Box::new(move |dir| overwrite(dir, at, |bytes| bytes.fill(0xa5), 700)),
        ));
    }
    for cut in [1, 30, 5000, 1_000_000, len / 2, len - 30, len - 1] {
        cases.push((
            format!("{cut} bytes less"),
            Box::new(move |dir| {
                let file = File::options().write(true).open(dir.join("db/db")).unwrap();
                file.set_len(len - cut).unwrap();
            }),
        ));
    }

    for number in [0, 250, hashes.len() - 1] {
        let places = places(&whole, hashes[number]);
        cases.push((
            format!("a bit in every copy of block {number}, opened since"),
            Box::new(move |dir| {
                drop(SledLog::open(dir).unwrap());
                for at in &places {
                    overwrite(dir, *at, |bytes| bytes[0] ^= 0x10, 1);
                }
            }),
        ));
    }

    let mut fates: BTreeMap<Fate, u32> = BTreeMap::new();
    for (case, damage) in cases {
        let dir = scratch.path().join("case");
        copy(&whole, &dir);
        damage(&dir);
        let seen = audit(&case, &dir);
        let fate = fate(&case, &dir, total);
        assert!(
            seen.agrees(&fate),
            "{case}: {seen:?} by an audit, {fate:?} by the writer"
        );
        assert!(case != "none" || fate == Fate::Whole, "{fate:?}");
        *fates.entry(fate).or_default() += 1;
        fs::remove_dir_all(&dir).unwrap();
    }
    // Each way out was taken, so none of them is merely believed to work.
    for fate in [
        Fate::Whole,
        Fate::Reported,
        Fate::Refused("LEDGER_DAMAGED"),
        Fate::Refused("LEDGER_TRUNCATED"),
        Fate::Refused("LEDGER_UNREADABLE"),
    ] {
        assert!(fates.contains_key(&fate), "{fates:?}");
    }
}

#[test]
fn damaged_files_are_named() {
    let scratch = tempfile::tempdir().unwrap();
    let whole = scratch.path().join("whole");
    let mut chain = crate::make(&whole, &[1, 2]);
    crate::append(SledLog::open(&whole).unwrap(), &mut chain, &[3]);
    let snapshot = fs::read_dir(whole.join("db"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .find(|name| name.starts_with("snap."))
        .map(|name| format!("db/{name}"))
        .unwrap();
    let garbage = [0xa5; 300];
    let torn = "db/snap.7FFFFFFFFFFFFFFF.generating";
    let rows: [(&str, Option<&[u8]>, &str); 14] = [
        ("db/db", None, "LEDGER_MISSING"),
        ("db/db", Some(b""), "LEDGER_EMPTY"),
        ("db/db", Some(&garbage), "LEDGER_UNREADABLE"),
        ("db/conf", None, "LEDGER_MISSING"),
        ("db/conf", Some(b""), "LEDGER_EMPTY"),
        ("db/conf", Some(&garbage), "LEDGER_UNREADABLE"),
        (
            "db/conf",
            Some(b"segment_size: 512\nuse_compression: false\nversion: 0.34\nabcd"),
            "LEDGER_UNREADABLE",
        ),
        (&snapshot, None, ""),
        (&snapshot, Some(b""), "LEDGER_UNREADABLE"),
        (&snapshot, Some(&garbage), "LEDGER_UNREADABLE"),
        (torn, Some(b""), ""),
        (torn, Some(&garbage), ""),
        ("head", Some(b""), "WITNESS_DAMAGED"),
        ("lock", Some(&garbage), ""),
    ];
    for (file, content, expected) in rows {
        let dir = scratch.path().join("case");
        copy(&whole, &dir);
        match content {
            None => fs::remove_file(dir.join(file)).unwrap(),
            Some(content) => fs::write(dir.join(file), content).unwrap(),
        }
        let seen = audit(file, &dir);
        let fate = fate(file, &dir, 6);
        let expected = if expected.is_empty() {
            Fate::Whole
        } else {
            Fate::Refused(expected)
        };
        assert_eq!(fate, expected, "{file}: {content:?}");
        assert!(
            seen.agrees(&fate) || file == "head",
            "{file}: {seen:?}, {fate:?}"
        );
        fs::remove_dir_all(&dir).unwrap();
    }
}
