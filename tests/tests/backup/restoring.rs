//! What is restored is the ledger as it was: the same chain, the same digests, the same
//! decisions.

use std::{fs, path::Path};

use luzhang_ledger::block::BlockView;
use serde_json::Value;

use crate::{
    shelves::{Scratch, back_up, blocks_of, export, files, from_to, hashes, verified},
    support::{Bureau, Ledger, Person, Server, Sheet, Target, govern, run},
};

const RESTORE: &[&str] = &["restore"];

/// Rows of digests: name, version, position, digest.
fn digests(arguments: &[&str], target: &Target) -> Value {
    let ran = target.run(arguments.iter().copied()).ended(0);
    ran.json()["rows"].clone()
}

/// A ledger with the demo's bureau in it, and a checkpoint of its state.
fn bureau() -> Ledger {
    let ledger = Ledger::new();
    Bureau::demo().import(&ledger.target(), &[]).ended(3);
    ledger.target().run(["checkpoint", "sign"]).ended(0);
    ledger
}

#[test]
fn a_ledger_restored_to_any_position_has_the_digests_that_it_had_there() {
    let ledger = bureau();
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 8_192).ended(0);
    assert!(files(&shelf).len() > 4, "{:?}", files(&shelf));
    let whole = export(&ledger.target(), &ledger.file("whole.luzhang"));
    let blocks = blocks_of(&whole);
    let hashes = hashes(&blocks);
    let last = hashes.len();
    let ends: Vec<u64> = blocks
        .iter()
        .map(|block| BlockView::parse(block).unwrap().last().number())
        .collect();
    let is_inside = |until: u64| !ends.contains(&until);
    let mut inside = 0;
    for until in [2, 17, 50, 101, 150, 222, 300, last as u64 - 1, last as u64] {
        let dir = ledger.file(&format!("until-{until}"));
        let number = until.to_string();
        let said = from_to(RESTORE, &shelf, &dir, &["--until", &number])
            .ended(0)
            .json();
        let hash = hashes[usize::try_from(until).unwrap() - 1];
        assert_eq!(said["chain_head"], hash.to_string());
        let restored = Target::data_dir(&dir);
        let live = ["projection", "status", "--as-of", &number, "-o", "json"];
        let expected = digests(&live, &ledger.target());
        assert_eq!(expected.as_array().unwrap().len(), 13);
        assert_eq!(digests(&["rebuild", "-o", "json"], &restored), expected);
        let head = format!("{until}:{hash}");
        let verify = ["audit", "verify", "--head", &head, "-o", "json"];
        let report = restored.run(verify).ended(0).json();
        assert_eq!(report["verdict"], "intact", "{until}");
        let decided = restored.run(["audit", "redecide", "-o", "json"]).ended(0);
        assert_eq!(decided.json()["agrees"], true, "{until}");
        inside += usize::from(is_inside(until));
        fs::remove_dir_all(dir).unwrap();
    }
    assert!(inside >= 3, "{inside} of them inside of blocks");

    let beyond = (last + 1).to_string();
    let nowhere = ledger.file("beyond");
    from_to(RESTORE, &shelf, &nowhere, &["--until", &beyond]).failed(5, "RESTORE_BEYOND");
    assert!(!nowhere.exists());
    let zero = from_to(RESTORE, &shelf, &nowhere, &["--until", "0"]);
    assert_eq!(zero.code, 2, "{zero:?}");
}

#[test]
fn a_ledger_restored_whole_goes_on_with_its_keys() {
    let ledger = bureau();
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 8_192).ended(0);
    let head = ledger.target().head();
    let key = key(&ledger.target());
    let dir = ledger.file("restored");
    let ran = from_to(RESTORE, &shelf, &dir, &["--key", &key]).ended(0);
    assert!(ran.err.contains("BACKUP.md"), "{ran:?}");
    let restored = Target::data_dir(&dir);
    let back = export(&restored, &ledger.file("back.luzhang"));
    assert!(back == export(&ledger.target(), &ledger.file("there.luzhang")));
    // A second time onto the same place: a ledger is there.
    from_to(RESTORE, &shelf, &dir, &[]).failed(6, "LEDGER_EXISTS");

    copy_keys(&ledger.dir(), &dir);
    let server = Server::start(&dir);
    assert_eq!(server.target().head(), head);
    // The checkpoint came along, and what is signed next continues it.
    let old = ledger.file("old.checkpoint");
    fs::write(
        &old,
        server.target().run(["checkpoint", "show"]).ended(0).out,
    )
    .unwrap();
    let rebuilt = server.target().run(["rebuild", "-o", "json"]).ended(0);
    assert_eq!(rebuilt.json()["matches"], true);
    let again = Bureau::demo().import(&server.target(), &["-o", "ndjson"]);
    assert_eq!(
        again.ended(0).lines().len(),
        Bureau::demo().expected().len()
    );
    assert_eq!(server.target().head(), head, "each was known already");
    server.target().run(["checkpoint", "sign"]).ended(0);
    let proof = ["proof", "consistency", old.to_str().unwrap(), "--key", &key];
    server.target().run(proof).ended(0);
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
    // And is backed up onto the same shelf.
    let said = back_up(&restored, &shelf, 8_192).ended(0).json();
    assert!(said["events"].as_u64().unwrap() > 0, "{said}");
    let report = verified(&shelf, &["--key", &key]).ended(0).json();
    assert_eq!(report["verdict"], "intact");
}

pub(crate) fn key(target: &Target) -> String {
    let keys = target.run(["checkpoint", "keys", "-o", "json"]).ended(0);
    let keys = keys.json();
    let last = keys["rows"].as_array().unwrap().last().unwrap().clone();
    last["key"].as_str().unwrap().to_owned()
}

pub(crate) fn copy_keys(from: &Path, to: &Path) {
    fs::create_dir(to.join("keys")).unwrap();
    for entry in fs::read_dir(from.join("keys")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join("keys").join(entry.file_name())).unwrap();
    }
    fs::copy(from.join("kek"), to.join("kek")).unwrap();
}

/// The keys that are kept are an older copy than the log: what the log says was erased
/// stays so.
#[test]
fn whoever_was_erased_does_not_come_back_with_a_backup() {
    let ledger = Ledger::new();
    govern(&ledger.dir(), &["clerk"]);
    let by = |target: &Target, name: &str| target.clone().with(&["--principal", name]);
    let people = [Person::number(5), Person::number(6)];
    let list = ledger.file("list.csv");
    let row = |person: &Person| format!("{},{},2020-01-01,,册", person.name, person.number);
    Sheet::of("poverty-status", people.each_ref().map(row)).write(&list);
    let import = ["import", list.to_str().unwrap()];
    by(&ledger.target(), "clerk").run(import).ended(0);
    let old = ledger.file("old");
    fs::create_dir(&old).unwrap();
    copy_keys(&ledger.dir(), &old);
    let [erased, other] = people.map(|person| person.number);
    let erase = ["subject", "erase", &erased, "--document", "演1号"];
    by(&ledger.target(), "administrator").run(erase).ended(0);
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 8_192).ended(0);

    let dir = ledger.file("restored");
    from_to(RESTORE, &shelf, &dir, &[]).ended(0);
    copy_keys(&old, &dir);
    let clerk = by(&Target::data_dir(&dir), "clerk");
    let reveal = |number: &str| clerk.run(["subject", "reveal", number, "--purpose", "核对"]);
    reveal(&erased).failed(1, "SUBJECT_ERASED");
    assert!(reveal(&other).ended(0).out.contains("某氏6"));
    let (then, now) = (old.join("keys/subjects"), dir.join("keys/subjects"));
    assert_ne!(
        fs::read(then).unwrap(),
        fs::read(now).unwrap(),
        "the key is destroyed"
    );
}

/// A checkpoint key that is replaced is followed to its successors in the backup.
#[test]
fn whoever_trusts_the_first_key_verifies_a_backup_that_a_later_one_signed() {
    let ledger = bureau();
    let first = key(&ledger.target());
    ledger.target().run(["checkpoint", "rotate"]).ended(0);
    ledger.target().run(["checkpoint", "sign"]).ended(0);
    let second = key(&ledger.target());
    assert_ne!(first, second);
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 1 << 20).ended(0);
    for key in [&first, &second] {
        let report = verified(&shelf, &["--key", key]).ended(0).json();
        assert_eq!(report["verdict"], "intact");
    }
}

/// What is on the shelf is verified before anything is a ledger.
#[test]
fn a_backup_with_a_fault_becomes_no_ledger_but_what_is_before_it_does() {
    let ledger = bureau();
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 8_192).ended(0);
    let all = files(&shelf);
    let third = shelf.join(&all[2]);
    let mut bytes = fs::read(&third).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&third, bytes).unwrap();
    let report = verified(&shelf, &[]).ended(10).json();
    let bad = report["faults"][0]["position"].as_u64().unwrap();

    let dir = ledger.file("restored");
    from_to(RESTORE, &shelf, &dir, &[]).failed(10, "SHELF_FILE_CHANGED");
    let target = Target::data_dir(&dir);
    let out = ledger.file("out.luzhang");
    let out = out.to_str().unwrap();
    for command in [
        &["rebuild"][..],
        &["audit", "head"],
        &["audit", "export", "--out", out],
    ] {
        let ran = target.run(command.iter().copied());
        assert!(
            ran.code != 0 && ran.err.contains("LEDGER_COPYING"),
            "{ran:?}"
        );
    }
    target.run(["init"]).failed(6, "DIRECTORY_NOT_EMPTY");
    let verify = target.run(["audit", "verify", "-o", "json"]).ended(11);
    assert_eq!(verify.json()["verdict"], "unreadable");
    back_up(&target, &ledger.file("other"), 8_192).failed(6, "LEDGER_COPYING");
    // The earlier files give what they have, up to the file with the fault.
    let before = third.file_stem().unwrap().to_str().unwrap();
    let until = before.parse::<u64>().unwrap() - 1;
    assert!(until < bad);
    let said = from_to(RESTORE, &shelf, &dir, &["--until", &until.to_string()]);
    if said.code == 6 {
        // The interrupted one had come further already.
        said.failed(6, "RESTORE_PAST");
        fs::remove_dir_all(&dir).unwrap();
        from_to(RESTORE, &shelf, &dir, &["--until", &until.to_string()]).ended(0);
    }
    let report = target.run(["audit", "verify", "-o", "json"]).ended(0);
    assert_eq!(report.json()["events"], until);
    // Within the file with the fault, nothing is given out.
    let inside = ledger.file("inside");
    let inside_of = (until + 1).to_string();
    from_to(RESTORE, &shelf, &inside, &["--until", &inside_of]).failed(10, "SHELF_FILE_CHANGED");
}

/// Nothing but the files is left; they say what belongs together.
#[test]
fn a_backup_without_its_manifest_still_gives_what_its_files_have() {
    let ledger = bureau();
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 8_192).ended(0);
    let whole = export(&ledger.target(), &ledger.file("whole.luzhang"));
    let all = files(&shelf);
    let restored = |name: &str| {
        let dir = ledger.file(name);
        from_to(RESTORE, &shelf, &dir, &["--without-manifest"]).ended(0);
        let target = Target::data_dir(&dir);
        export(&target, &ledger.file(&format!("{name}.luzhang")))
    };
    for manifest in ["", "{\"schema_version\": 1"] {
        fs::write(shelf.join("manifest.json"), manifest).unwrap();
        let x = ledger.file("x");
        from_to(RESTORE, &shelf, &x, &[]).failed(10, "SHELF_MANIFEST_DAMAGED");
    }
    fs::remove_file(shelf.join("manifest.json")).unwrap();
    let x = ledger.file("x");
    from_to(RESTORE, &shelf, &x, &[]).failed(11, "SHELF_MANIFEST_MISSING");
    back_up(&ledger.target(), &shelf, 8_192).failed(11, "SHELF_MANIFEST_MISSING");
    assert!(restored("all") == whole);

    // A byte of a file: what is before it comes back, and holds.
    let path = shelf.join(&all[2]);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let some = blocks_of(&restored("some"));
    let blocks = blocks_of(&whole);
    assert!(some.len() > 2 && some.len() < blocks.len());
    assert!(some == blocks[..some.len()]);
    // A file in the middle: what is before it.
    fs::remove_file(path).unwrap();
    let fewer = blocks_of(&restored("fewer"));
    assert!(!fewer.is_empty() && fewer.len() <= some.len());
    assert!(fewer == blocks[..fewer.len()]);
    fs::remove_file(shelf.join(&all[0])).unwrap();
    let nothing = ledger.file("nothing");
    from_to(RESTORE, &shelf, &nothing, &["--without-manifest"]).failed(5, "SHELF_NOT_FOUND");
}

/// The checkpoint on the shelf is of another history: found before the ledger is one.
#[test]
fn a_restored_ledger_must_be_the_one_that_was_signed() {
    let scratch = Scratch::new();
    let export = crate::shelves::fixture();
    let (ledger, blocks) = (crate::shelves::ledger_of(&export), blocks_of(&export));
    let root = scratch.at("shelf");
    // Signed over another order of the same events.
    let mut other = blocks.clone();
    other.swap(2, 3);
    let checkpoint = crate::shelves::signed(ledger, &other, 15);
    crate::shelves::shelve(&root, ledger, &blocks, Some(checkpoint));
    from_to(RESTORE, &root, &scratch.at("x"), &[]).failed(10, "LOG_UNVERIFIED");
    // An earlier position is under no checkpoint.
    from_to(RESTORE, &root, &scratch.at("y"), &["--until", "3"]).ended(0);
    let missing = run(["restore", "--from", "/nowhere", "--to", "/nowhere/x"]);
    missing.failed(5, "SHELF_NOT_FOUND");
}
