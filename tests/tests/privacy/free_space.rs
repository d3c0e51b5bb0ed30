//! What was erased is not on the disk either: not in a file, not in free space,
//! not in the journal of the file system.
//!
//! It needs root, a loop device and `mkfs.ext4`, and says `SKIPPED` without them.

use std::{fs, path::Path};

use aho_corasick::AhoCorasick;
use luzhang_ledger::SubjectId;

use super::support::{
    Person, Sheet, Target,
    disk::{Disk, skipped},
    keyring::{Kek, Keyring},
};

/// What was found of one thing.
fn found(image: &[u8], wanted: &[Vec<u8>]) -> Vec<bool> {
    let mut found = vec![false; wanted.len()];
    let search = AhoCorasick::new(wanted).unwrap();
    for place in search.find_overlapping_iter(image) {
        found[place.pattern()] = true;
    }
    found
}

#[test]
fn an_erased_key_is_nowhere_on_the_disk_and_no_backup_brings_it_back() {
    let disk = match Disk::new(400 << 20) {
        Ok(disk) => disk,
        Err(why) => return skipped(format_args!("SKIPPED: erased keys in free space: {why}")),
    };
    let elsewhere = tempfile::tempdir().unwrap();
    let dir = disk.root().join("ledger");
    let (keys, kek_file) = (dir.join("keys"), dir.join("kek"));
    let target = Target::data_dir(&dir);
    target.run(["init"]).ended(0);
    let rows = (0..20).map(|number| {
        let Person { name, number } = Person::number(number);
        format!("{name},{number},2020-01-01,,册")
    });
    let file = elsewhere.path().join("persons.csv");
    Sheet::of("poverty-status", rows).write(&file);
    target.run(["import", file.to_str().unwrap()]).ended(0);

    let old = Kek::read(&kek_file);
    let ring = Keyring::read(&keys, &old);
    let erased = *ring.subjects.keys().next().unwrap();
    let backup = elsewhere.path().join("backup");
    fs::create_dir(&backup).unwrap();
    for name in ["identity", "subjects"] {
        fs::copy(keys.join(name), backup.join(name)).unwrap();
    }
    // What must be found first, lest the search prove nothing, and not after.
    let of_record = |record: &[u8; 96]| record[16..].to_vec();
    let mut wrapped: Vec<Vec<u8>> = ring.records.values().map(of_record).collect();
    wrapped.push(fs::read(keys.join("identity")).unwrap()[51..].to_vec());
    wrapped.push(old.traces()[1].clone());
    // What must never be found.
    let mut clear = ring.secrets();
    clear.extend([old.traces()[0].clone(), old.traces()[2].clone()]);
    let image = |disk: &Disk| {
        disk.unmount().unwrap();
        let image = fs::read(disk.image()).unwrap();
        disk.mount().unwrap();
        image
    };
    let before = image(&disk);
    assert_eq!(found(&before, &wrapped), vec![true; wrapped.len()]);
    assert!(!found(&before, &clear).contains(&true));
    drop(before);

    let id = SubjectId::from_bytes(erased).to_string();
    let erase = ["subject", "erase", &id, "--document", "演〔2026〕1号"];
    target.run(erase).ended(0);
    // Of the erased subject alone the record is gone already.
    let during = found(&image(&disk), &wrapped);
    assert_eq!(during.iter().filter(|found| !**found).count(), 1);
    assert!(!during[0]);
    target.run(["keys", "rotate"]).ended(0);
    let after = image(&disk);
    assert!(!found(&after, &wrapped).contains(&true));
    assert!(!found(&after, &clear).contains(&true));
    drop(after);
    let new = Kek::read(&kek_file);
    let left = Keyring::read(&keys, &new);
    assert_eq!((left.subjects.len(), left.destroyed), (19, 0));
    assert!(!left.subjects.contains_key(&erased));

    // The backup of the keys from before, with what there is now.
    let record = ring.records[&erased];
    assert!(old.open_record(&record).is_some() && new.open_record(&record).is_none());
    assert_eq!(opened_with_anything_in(&dir, &record), 0);
    let current = elsewhere.path().join("current");
    fs::create_dir(&current).unwrap();
    for name in ["identity", "subjects"] {
        fs::copy(keys.join(name), current.join(name)).unwrap();
        fs::copy(backup.join(name), keys.join(name)).unwrap();
    }
    target.run(["audit", "head"]).failed(1, "KEK_MISMATCH");
    for name in ["identity", "subjects"] {
        fs::copy(current.join(name), keys.join(name)).unwrap();
    }
    target.run(["audit", "verify"]).ended(0);
}

/// Tries every 32 bytes, and every 64 digits, of every file that is not large as
/// the key that opens a record.
fn opened_with_anything_in(dir: &Path, record: &[u8; 96]) -> usize {
    let mut opened = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            opened += opened_with_anything_in(&path, record);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        if bytes.len() > 1 << 16 {
            continue;
        }
        let digits = |digits: &[u8]| {
            let text = std::str::from_utf8(digits).ok()?;
            let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
            let key: Option<Vec<u8>> = (0..64).step_by(2).map(byte).collect();
            key
        };
        let raw = bytes.windows(32).map(<[u8]>::to_vec);
        for key in raw.chain(bytes.windows(64).filter_map(digits)) {
            let kek = Kek(key.try_into().unwrap());
            opened += usize::from(kek.open_record(record).is_some());
        }
    }
    opened
}
