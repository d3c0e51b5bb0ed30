//! The keys, as FORMAT.md prints them and as version 1 left them.

use std::{
    fs::{self, Permissions},
    ops::ControlFlow,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use luzhang_ledger::{
    Body, Position,
    identity::{Details, NationalId},
};
use luzhang_server::{
    Engine, Options, replay,
    vault::{KekSource, Vault},
};

use crate::{fixture, sample, vectors};

/// A file of its owner's alone.
fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn keys_as_format_md_prints_them_open_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::create_dir(dir.join("keys")).unwrap();
    write(&dir.join("kek"), vectors::printed("kek"));
    write(&dir.join("keys/identity"), vectors::printed("identity"));
    let digits: String = vectors::printed("subjects").split_whitespace().collect();
    write(&dir.join("keys/subjects"), vectors::unhex(&digits));
    let vault = Vault::for_reading(dir, &KekSource::Own).unwrap();
    let (ours, theirs) = (sample::identity(), vault.identity());
    assert_eq!(
        theirs.person(&sample::national_id()),
        ours.person(&sample::national_id())
    );
    assert_eq!(theirs.content(b"any"), ours.content(b"any"));
    let opened = vault.open_sealed(sample::person(), &sample::sealed_person());
    assert_eq!(opened.unwrap(), sample::person_details());
    let survey = vault.survey().unwrap();
    assert_eq!((survey.version, survey.previous), (2, None));
    assert_eq!(
        (survey.counts.subjects, survey.counts.destroyed),
        (1, 1),
        "the second record is zeros"
    );
}

/// Everybody's newest details.
fn everybody(engine: &Engine) -> Vec<Details> {
    let mut found = Vec::new();
    replay::replay(&**engine.reader(), |events| {
        for event in &events {
            if let Body::PartyRegistered(party) | Body::PartyCorrected(party) = &event.body {
                let opened = engine.vault().open_sealed(party.subject, &party.sealed);
                found.push(opened.unwrap());
            }
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

/// A ledger of version 1 with its keys in clear: eight persons, of whom one took
/// another name.
#[test]
fn keys_of_version_1_still_open_and_are_wrapped_thereby() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("ledger");
    for folder in ["", "db", "keys"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
        for entry in fs::read_dir(fixture("v1-keys").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            if name == "db.zst" {
                let data = zstd::bulk::decompress(&fs::read(path).unwrap(), 32 << 20).unwrap();
                fs::write(dir.join("db/db"), data).unwrap();
            } else if path.is_file() {
                fs::copy(&path, dir.join(folder).join(name)).unwrap();
            }
        }
    }
    let mut secrets = vec![fs::read(dir.join("keys/identity")).unwrap()];
    assert_eq!(secrets[0].len(), 32);
    let records = fs::read(dir.join("keys/subjects")).unwrap();
    secrets.extend(records.chunks(56).map(|record| record[16..48].to_vec()));
    assert_eq!(secrets.len(), 9);
    let search = aho_corasick::AhoCorasick::new(&secrets).unwrap();
    let clear = || {
        let names = ["keys/identity", "keys/subjects", "kek"];
        let files = names.map(|name| fs::read(dir.join(name)).unwrap_or_default());
        search.find_iter(&files.concat()).count()
    };
    assert_eq!(clear(), 9);

    // Somebody put other keys there: it is said, and they are left as they are.
    let identity = dir.join("keys/identity");
    fs::write(&identity, [7; 32]).unwrap();
    let foreign = Engine::open(&dir, Options::default(), |_, _| {}).unwrap_err();
    assert_eq!(foreign.code(), "KEY_MISMATCH");
    assert_eq!(fs::read(&identity).unwrap(), [7; 32]);
    assert!(!dir.join("kek").exists());
    fs::write(&identity, &secrets[0]).unwrap();

    let persons = [
        (0, "510590195001010011"),
        (3, "510590195301010013"),
        (7, "510590195701010012"),
    ];
    let person = |name: &str, number: &str| {
        Details::person(name, &NationalId::parse(number).unwrap()).unwrap()
    };
    let mut head = None;
    for opening in 0..2 {
        let engine = Engine::open(&dir, Options::default(), |_, _| {}).unwrap();
        let found = everybody(&engine);
        assert_eq!(found.len(), 9);
        for (index, number) in persons {
            assert_eq!(found[index], person(&format!("某氏{index}"), number));
        }
        assert_eq!(found[8], person("某氏改名", persons[1].1));
        assert_eq!(engine.vault().survey().unwrap().version, 2);
        assert_eq!(engine.vault().survey().unwrap().counts.subjects, 8);
        let at = engine.head();
        assert_eq!(at.position.map(Position::number), Some(19));
        assert_eq!(*head.get_or_insert(at.chain), at.chain);
        engine.close();
        assert_eq!(clear(), 0, "{opening}");
    }
    let names: Vec<_> = fs::read_dir(dir.join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}
