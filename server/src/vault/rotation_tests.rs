//! Keys are wrapped and wrapped anew, and every crash on the way is survived.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{
    tests::{OWN, Site, details, hex, subject},
    *,
};

#[test]
fn a_rotation_leaves_nothing_that_the_old_key_opens() {
    let site = Site::new(5);
    let before = site.copy();
    let secrets = site.secrets();
    let old_kek = OWN.read(site.dir()).unwrap();
    let identity = fs::read(site.dir().join("keys/identity")).unwrap();
    let vault = site.open();
    let retired = [vault.retire(site.sealed[4].0)];
    vault.destroy(&retired).unwrap();
    drop(vault);
    let mut told = Vec::new();
    let rotated = rotate::rotate_locked(site.dir(), &OWN, None, &mut |done, total| {
        told.push((done, total));
    });
    let rotated = rotated.unwrap();
    assert_eq!(told.last(), Some(&(5, 5)));
    assert_eq!(rotated.before, old_kek.id());
    assert_eq!(rotated.after, OWN.read(site.dir()).unwrap().id());
    assert_ne!(rotated.before, rotated.after);
    assert_eq!((rotated.counts.subjects, rotated.counts.destroyed), (4, 1));
    assert_eq!(site.names(), ["identity", "kek", "keys", "subjects"]);
    for secret in &secrets {
        assert!(!site.has(secret));
    }
    assert!(!site.has(&identity[60..]));
    assert!(!site.has(&old_kek.text().as_bytes()[18..]));
    let vault = site.open();
    for (id, sealed) in &site.sealed[..4] {
        assert_eq!(vault.open_sealed(*id, sealed).unwrap(), details("某甲"));
    }
    assert_eq!(vault.survey().unwrap().counts.destroyed, 0);
    // The backup opens with the old key alone.
    before.all_open(&before.open());
    fs::copy(site.dir().join("kek"), before.dir().join("kek")).unwrap();
    let refused = Vault::open(before.dir(), &OWN).unwrap_err();
    assert_eq!(refused.code(), "KEK_MISMATCH");
    for id in [rotated.before, rotated.after] {
        assert!(refused.to_string().contains(&id.to_string()), "{refused}");
        assert!(refused.zh().contains(&id.to_string()));
    }
}

#[test]
fn keys_in_clear_are_wrapped_when_they_are_opened_for_writing() {
    let site = Site::raw(5);
    let secret = fs::read(site.dir().join("keys/identity")).unwrap();
    let keys: Vec<Vec<u8>> = fs::read(site.dir().join("keys/subjects"))
        .unwrap()
        .chunks(56)
        .map(|record| record[16..48].to_vec())
        .collect();
    // For reading, nothing changes.
    let before = site.names();
    let vault = Vault::for_reading(site.dir(), &OWN).unwrap();
    site.all_open(&vault);
    let check = vault.identity().content(b"x");
    assert_eq!(vault.survey().unwrap().version, 1);
    assert_eq!(vault.survey().unwrap().counts.superseded, 5);
    assert_eq!(site.names(), before);
    assert!(site.has(&secret) && keys.iter().all(|key| site.has(key)));
    assert!(matches!(
        vault.seal_new(subject(9), &details("某乙")),
        Err(VaultError::Damaged { .. })
    ));
    drop(vault);
    let vault = site.open();
    site.all_open(&vault);
    assert_eq!(vault.identity().content(b"x"), check);
    assert!(!site.has(&secret) && !keys.iter().any(|key| site.has(key)));
    assert!(!site.has(&hex(&secret)));
    assert_eq!(site.names(), ["identity", "kek", "keys", "subjects"]);
    let counts = vault.survey().unwrap().counts;
    assert_eq!((counts.subjects, counts.superseded), (5, 0));
    let mode = fs::metadata(site.dir().join("kek")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o7777, 0o600);
}

/// Ends `work` after every number of steps, in a copy of `site`, and shows what is
/// left to `check`. Says how many steps there were.
fn at_every_step<T>(
    site: &Site,
    work: impl Fn(&Path) -> Result<T, VaultError>,
    check: impl Fn(&Site, u32),
) -> u32 {
    for steps in 0.. {
        let copy = site.copy();
        disk::crash::after(steps);
        let worked = work(copy.dir());
        let crashed = disk::crash::off();
        assert_eq!(worked.is_err(), crashed, "{steps}");
        check(&copy, steps);
        if !crashed {
            return steps;
        }
    }
    unreachable!()
}

#[test]
fn a_crash_at_any_step_of_wrapping_loses_nothing_and_leaves_nothing() {
    let site = Site::raw(20);
    let secret = fs::read(site.dir().join("keys/identity")).unwrap();
    let records = fs::read(site.dir().join("keys/subjects")).unwrap();
    let check = Vault::for_reading(site.dir(), &OWN)
        .unwrap()
        .identity()
        .content(b"x");
    let finished = |copy: &Site| {
        let vault = copy.open();
        copy.all_open(&vault);
        assert_eq!(vault.identity().content(b"x"), check);
        assert_eq!(copy.names(), ["identity", "kek", "keys", "subjects"]);
        assert!(!copy.has(&secret));
        assert!(!records.chunks(56).any(|record| copy.has(&record[16..48])));
    };
    let steps = at_every_step(
        &site,
        |dir| Vault::open(dir, &OWN),
        |copy, steps| {
            copy.all_open(&Vault::for_reading(copy.dir(), &OWN).unwrap());
            // Another crash while it is being finished.
            for again in (steps % 3..14).step_by(6) {
                let copy = copy.copy();
                disk::crash::after(again);
                let _crashed = Vault::open(copy.dir(), &OWN);
                disk::crash::off();
                copy.all_open(&Vault::for_reading(copy.dir(), &OWN).unwrap());
                finished(&copy);
            }
            finished(copy);
            let _ = steps;
        },
    );
    assert!(steps > 25, "{steps}");
}

#[test]
fn a_crash_at_any_step_of_a_rotation_loses_nothing_and_leaves_nothing() {
    let site = Site::new(20);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = KekSource::File(elsewhere.path().join("new"));
    file.read_or_make(site.dir()).unwrap();
    let old = OWN.read(site.dir()).unwrap();
    let records = fs::read(site.dir().join("keys/subjects")).unwrap();
    for to in [None, Some(&file)] {
        let rotate = |dir: &Path| rotate::rotate_locked(dir, &OWN, to, &mut |_, _| {});
        let given_up = std::cell::Cell::new(0);
        let gone_on = std::cell::Cell::new(0);
        let steps = at_every_step(&site, rotate, |copy, steps| {
            // Whoever has both keys has at least one that works.
            let opens = |source| {
                let read = Vault::for_reading(copy.dir(), source);
                read.map(|vault| copy.all_open(&vault)).is_ok()
            };
            let sources = [to.unwrap_or(&OWN), &OWN];
            let source = sources.into_iter().find(|source| opens(source));
            let source = source.unwrap_or_else(|| panic!("nothing opens after {steps}"));
            for again in (steps % 3..14).step_by(6) {
                let copy = copy.copy();
                disk::crash::after(again);
                let _crashed = Vault::open(copy.dir(), source);
                disk::crash::off();
                copy.all_open(&Vault::open(copy.dir(), source).unwrap());
            }
            let vault = Vault::open(copy.dir(), source).unwrap();
            copy.all_open(&vault);
            let names = copy.names();
            assert!(
                !names
                    .iter()
                    .any(|name| name.contains('.') || name == PREVIOUS),
                "{steps}: {names:?}"
            );
            let now = vault.survey().unwrap().kek.unwrap();
            if now == old.id() {
                given_up.set(given_up.get() + 1);
                return;
            }
            gone_on.set(gone_on.get() + 1);
            assert!(!copy.has(&old.text().as_bytes()[18..]), "{steps}");
            for record in records.chunks(96).skip(1) {
                assert!(!copy.has(&record[16..]), "{steps}");
            }
            assert_eq!(copy.dir().join("kek").exists(), to.is_none(), "{steps}");
        });
        let fates = (given_up.get(), gone_on.get());
        assert!(fates.0 > 3 && fates.1 > 25, "{steps}: {fates:?}");
    }
}

/// With the old key, a rotation that has begun is not taken back.
#[test]
fn whoever_has_the_old_key_is_told_which_one_is_needed() {
    let site = Site::new(3);
    let elsewhere = tempfile::tempdir().unwrap();
    let to = KekSource::File(elsewhere.path().join("new"));
    let new = to.read_or_make(site.dir()).unwrap().id();
    let rotate = |dir: &Path| rotate::rotate_locked(dir, &OWN, Some(&to), &mut |_, _| {});
    let mixed = std::cell::Cell::new(0);
    at_every_step(&site, rotate, |copy, _| {
        if let Err(error) = Vault::for_reading(copy.dir(), &OWN)
            && copy.dir().join("kek").exists()
        {
            assert_eq!(error.code(), "KEK_MISMATCH");
            assert!(error.to_string().contains(&format!("key {new}")), "{error}");
            mixed.set(mixed.get() + 1);
            // Half of a rotation shows that it is one.
            let reading = Vault::for_reading(copy.dir(), &to).unwrap();
            assert!(reading.survey().unwrap().previous.is_some());
        }
    });
    assert!(mixed.get() > 5);
}

#[test]
fn a_rotation_needs_another_key_and_a_place_for_it() {
    let site = Site::new(1);
    let path = site.dir().join("elsewhere");
    let file = KekSource::File(path.clone());
    let code = |from: &KekSource, to: Option<&KekSource>| {
        let before = fs::read(site.dir().join("keys/subjects")).unwrap();
        let error = rotate::rotate_locked(site.dir(), from, to, &mut |_, _| {}).unwrap_err();
        assert_eq!(fs::read(site.dir().join("keys/subjects")).unwrap(), before);
        assert_eq!(site.names().len(), if path.exists() { 5 } else { 4 });
        error.code()
    };
    assert_eq!(code(&OWN, Some(&OWN)), "KEK_UNCHANGED");
    let own = KekSource::File(site.dir().join("kek"));
    assert_eq!(code(&OWN, Some(&own)), "KEK_UNCHANGED");
    rotate::rotate_locked(site.dir(), &OWN, Some(&file), &mut |_, _| {}).unwrap();
    // It was the data directory's own: nobody else's.
    assert!(!site.dir().join("kek").exists());
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let code = |from: &KekSource, to: Option<&KekSource>| {
        let error = rotate::rotate_locked(site.dir(), from, to, &mut |_, _| {}).unwrap_err();
        error.code()
    };
    // Other ledgers may use that file.
    assert_eq!(code(&file, None), "KEK_NO_PLACE");
    assert_eq!(code(&OWN, None), "KEK_MISSING");
    rotate::rotate_locked(site.dir(), &file, Some(&own), &mut |_, _| {}).unwrap();
    assert!(path.exists());
    site.all_open(&site.open());
    assert_eq!(code(&file, Some(&own)), "KEK_MISMATCH");
}
