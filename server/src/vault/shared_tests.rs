//! A change of the key-encryption key that several servers have, and every crash on the
//! way.

use std::{cell::Cell, fs};

use super::{
    disk::crash,
    file::{self, RECORD},
    tests::{OWN, Site, details, subject},
    *,
};

/// The copies, as a database has them.
#[derive(Clone, Debug, Default)]
struct Table {
    agreed: Option<KekId>,
    rows: Vec<Copied>,
    read: usize,
}

fn step() -> Result<(), VaultError> {
    crash::step().map_err(|error| VaultError::Copies {
        detail: error.to_string(),
    })
}

impl Table {
    /// Of all keys that a server has.
    fn of(vault: &Vault) -> Self {
        let mut table = Self::default();
        let kek = vault.kek().unwrap();
        let each = vault.subjects.lock().each_newest(|key| {
            table.rows.push(Copied { kek, key });
            Ok(())
        });
        each.unwrap();
        table
    }

    /// Another server makes a key.
    fn seal(&mut self, vault: &Vault, id: SubjectId) -> (SubjectId, Vec<u8>) {
        let sealed = vault.seal_new(id, &details("某甲")).unwrap();
        vault.sync().unwrap();
        let record = vault.subjects.lock().newest_record(id).unwrap().unwrap();
        self.rows.push(Copied {
            kek: vault.kek().unwrap(),
            key: WrappedKey::parse(&record).unwrap(),
        });
        (id, sealed)
    }

    /// How many rows this key-encryption key opens.
    fn opened_by(&self, kek: &Kek) -> usize {
        let records = self
            .rows
            .iter()
            .map(|row| <[u8; RECORD]>::try_from(row.key.bytes()).unwrap());
        records
            .filter(|record| file::key_of(kek, record).is_ok())
            .count()
    }
}

impl Shared for Table {
    fn agreed(&mut self) -> Result<Option<KekId>, VaultError> {
        self.read = 0;
        Ok(self.agreed)
    }

    fn agree(&mut self, kek: KekId) -> Result<(), VaultError> {
        step()?;
        self.agreed = Some(kek);
        // It may be done and not be known to be.
        step()
    }

    fn next(&mut self) -> Result<Vec<Copied>, VaultError> {
        step()?;
        let some: Vec<Copied> = self.rows.iter().skip(self.read).take(4).copied().collect();
        self.read += some.len();
        Ok(some)
    }

    fn replace(&mut self, kek: KekId, keys: &[WrappedKey]) -> Result<(), VaultError> {
        step()?;
        for row in &mut self.rows {
            let fresh = keys.iter().find(|key| key.subject == row.key.subject);
            if let Some(key) = fresh
                && row.kek != kek
            {
                *row = Copied { kek, key: *key };
            }
        }
        step()
    }

    fn others(&mut self, kek: KekId) -> Result<u64, VaultError> {
        let others = self.rows.iter().filter(|row| row.kek != kek);
        Ok(others.count() as u64)
    }
}

/// Opens keys as a server that writes does, and finishes what is left in the table.
fn serve(dir: &Path, source: &KekSource, table: &mut Table) -> Result<Vault, VaultError> {
    let vault = Vault::for_reading(dir, source)?;
    vault.require(table.agreed)?;
    let vault = vault.for_writing()?;
    let mut stale = BTreeSet::new();
    for rows in table.rows.chunks(5) {
        stale.append(&mut vault.take_in(rows, table.agreed)?);
    }
    if table.agreed.is_none() {
        table.agreed = vault.kek();
    }
    vault.replace(&stale, table)?;
    Ok(vault)
}

fn rotate(
    dir: &Path,
    from: &KekSource,
    to: Option<&KekSource>,
    table: &mut Table,
) -> Result<Rotated, VaultError> {
    rotate_shared(dir, from, to, table, &mut |_, _| {})
}

fn take(
    dir: &Path,
    from: &KekSource,
    new: &KekSource,
    table: &mut Table,
) -> Result<Rotated, VaultError> {
    take_shared(dir, from, new, table, &mut |_, _| {})
}

#[track_caller]
fn clean(site: &Site, old: &Kek, table: &Table, what: &str) {
    let names = site.names();
    let left = |name: &String| name.contains('.') || name == PREVIOUS;
    assert!(!names.iter().any(left), "{what}: {names:?}");
    assert!(!site.has(&old.text().as_bytes()[18..]), "{what}");
    let subjects = fs::read(site.dir().join("keys/subjects")).unwrap();
    for record in subjects.chunks_exact(RECORD).skip(1) {
        let record = <[u8; RECORD]>::try_from(record).unwrap();
        assert!(file::key_of(old, &record).is_err(), "{what}");
    }
    assert_eq!(table.opened_by(old), 0, "{what}");
}

#[track_caller]
fn opens(vault: &Vault, (id, sealed): &(SubjectId, Vec<u8>), what: &str) {
    let opened = vault.open_sealed(*id, sealed);
    let opened = opened.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(opened, details("某甲"), "{what}");
}

/// Two servers over one table; of one person only the other server has the key.
struct Pair {
    one: Site,
    other: Site,
    table: Table,
    late: (SubjectId, Vec<u8>),
    old: Kek,
}

impl Pair {
    fn new() -> Self {
        let one = Site::new(12);
        let other = one.copy();
        let mut table = Table::of(&one.open());
        let late = table.seal(&other.open(), subject(30));
        let old = OWN.read(one.dir()).unwrap();
        Self {
            one,
            other,
            table,
            late,
            old,
        }
    }
}

#[test]
fn a_crash_at_any_step_of_a_rotation_for_several_servers_loses_nothing() {
    let pair = Pair::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = KekSource::File(elsewhere.path().join("new"));
    file.read_or_make(pair.one.dir()).unwrap();
    for to in [None, Some(&file)] {
        let (before, after) = (Cell::new(0), Cell::new(0));
        for steps in 0.. {
            let what = format!("{steps} to {to:?}");
            let (one, other) = (pair.one.copy(), pair.other.copy());
            let mut table = pair.table.clone();
            crash::after(steps);
            let rotated = rotate(one.dir(), &OWN, to, &mut table);
            let crashed = crash::off();
            assert_eq!(rotated.is_err(), crashed, "{what}");
            let agreed = table.agreed;
            let mut others = None;
            if agreed.is_none() || agreed == Some(pair.old.id()) {
                // The other one goes on as before, and makes more.
                before.set(before.get() + 1);
                let vault = serve(other.dir(), &OWN, &mut table).unwrap();
                others = Some(table.seal(&vault, subject(40)));
                other.all_open(&vault);
                opens(&vault, &pair.late, &what);
                // This one does not, before that is settled.
                if let Err(error) = serve(one.dir(), &OWN, &mut table) {
                    assert_eq!(error.code(), "KEYS_ROTATING", "{what}");
                }
            } else {
                after.set(after.get() + 1);
                // The other one stops, without harm, and follows when it is told to.
                let rows = table.rows.clone();
                let refused = serve(other.dir(), &OWN, &mut table).unwrap_err();
                assert_eq!(refused.code(), "KEYS_FOREIGN", "{what}");
                other.all_open(&Vault::for_reading(other.dir(), &OWN).unwrap());
                let brought = elsewhere.path().join("brought");
                let source = to.cloned().unwrap_or_else(|| {
                    fs::copy(one.dir().join("kek"), &brought).unwrap();
                    KekSource::File(brought)
                });
                take(other.dir(), &OWN, &source, &mut table).unwrap();
                assert_eq!(table.rows, rows, "{what}: taking writes nothing there");
                let mut finished = table.clone();
                let vault = serve(other.dir(), &OWN, &mut finished).unwrap();
                other.all_open(&vault);
                opens(&vault, &pair.late, &what);
                // Whoever serves first has finished it.
                clean(&other, &pair.old, &finished, &what);
                let started = one.copy();
                let mut finished = table.clone();
                let serving = |source| serve(started.dir(), source, &mut finished);
                let vault = [&OWN, &file].map(serving).into_iter().find_map(Result::ok);
                let vault = vault.unwrap_or_else(|| panic!("nothing serves after {what}"));
                started.all_open(&vault);
                opens(&vault, &pair.late, &what);
                clean(&started, &pair.old, &finished, &what);
            }
            // Again, with the same arguments.
            match rotate(one.dir(), &OWN, to, &mut table) {
                Ok(_) | Err(VaultError::Kek(KekError::Unchanged { .. })) => {}
                Err(error) => panic!("{what}: {error}"),
            }
            let vault = serve(one.dir(), to.unwrap_or(&OWN), &mut table).unwrap();
            one.all_open(&vault);
            opens(&vault, &pair.late, &what);
            if let Some(others) = &others {
                opens(&vault, others, &what);
            }
            clean(&one, &pair.old, &table, &what);
            if !crashed {
                break;
            }
        }
        let seen = (before.get(), after.get());
        assert!(seen.0 > 10 && seen.1 > 30, "{seen:?}");
    }
}

#[test]
fn a_crash_at_any_step_of_taking_a_key_encryption_key_loses_nothing() {
    let pair = Pair::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let new = KekSource::File(elsewhere.path().join("new"));
    // As far as it had come when the other one was interrupted, and when it had not been.
    for part in [0, 5, 100] {
        let mut table = pair.table.clone();
        let rotated = pair.one.copy();
        rotate(rotated.dir(), &OWN, Some(&new), &mut table).unwrap();
        let whole = table.rows.clone();
        table.rows = pair.table.rows.clone();
        for (row, fresh) in table.rows.iter_mut().zip(whole).take(part) {
            *row = fresh;
        }
        for steps in 0.. {
            let what = format!("{steps} of {part}");
            let site = pair.one.copy();
            crash::after(steps);
            let taken = take(site.dir(), &OWN, &new, &mut table);
            let crashed = crash::off();
            assert_eq!(taken.is_err(), crashed, "{what}");
            // It is refused as it was, or works.
            let mut finished = table.clone();
            match serve(site.copy().dir(), &OWN, &mut finished) {
                Ok(vault) => {
                    site.all_open(&vault);
                    opens(&vault, &pair.late, &what);
                }
                Err(error) => assert!(
                    matches!(error.code(), "KEYS_FOREIGN" | "KEYS_ROTATING"),
                    "{what}: {error}"
                ),
            }
            match take(site.dir(), &OWN, &new, &mut table) {
                Ok(_) | Err(VaultError::Kek(KekError::Unchanged { .. })) => {}
                Err(error) => panic!("{what}: {error}"),
            }
            let mut finished = table.clone();
            let vault = serve(site.dir(), &OWN, &mut finished).unwrap();
            site.all_open(&vault);
            opens(&vault, &pair.late, &what);
            clean(&site, &pair.old, &finished, &what);
            if !crashed {
                assert!(steps > 20, "{steps}");
                break;
            }
        }
    }
}

#[test]
fn only_the_key_encryption_key_that_was_agreed_on_is_taken() {
    let pair = Pair::new();
    let mut table = pair.table.clone();
    let elsewhere = tempfile::tempdir().unwrap();
    let source = |name: &str| KekSource::File(elsewhere.path().join(name));
    let [new, stray] = ["new", "stray"].map(source);
    stray.read_or_make(pair.one.dir()).unwrap();
    let code = |taken: Result<Rotated, VaultError>| taken.unwrap_err().code();
    // Nobody has changed anything.
    let other = &pair.other;
    assert_eq!(
        code(take(other.dir(), &OWN, &stray, &mut table)),
        "KEK_NOT_AGREED"
    );
    let rotated = rotate(pair.one.dir(), &OWN, Some(&new), &mut table).unwrap();
    assert_eq!(table.agreed, Some(rotated.after));
    assert_eq!(
        (rotated.before, rotated.counts.subjects),
        (pair.old.id(), 13)
    );
    for (source, expected) in [
        (&stray, "KEK_NOT_AGREED"),
        (&OWN, "KEK_NOT_AGREED"),
        (&source("none"), "KEK_MISSING"),
    ] {
        let before = fs::read(other.dir().join("keys/subjects")).unwrap();
        assert_eq!(code(take(other.dir(), &OWN, source, &mut table)), expected);
        assert_eq!(fs::read(other.dir().join("keys/subjects")).unwrap(), before);
    }
    // Whoever is behind changes nothing for the others.
    let rows = table.rows.clone();
    for to in [None, Some(&stray)] {
        assert_eq!(
            code(rotate(other.dir(), &OWN, to, &mut table)),
            "KEYS_FOREIGN"
        );
    }
    // A copy that it does not open.
    let mut spoilt = table.clone();
    let mut record = spoilt.rows[3].key.bytes().to_vec();
    record[50] ^= 1;
    spoilt.rows[3].key = WrappedKey::parse(&record).unwrap();
    let before = fs::read(other.dir().join("keys/subjects")).unwrap();
    assert_eq!(
        code(take(other.dir(), &OWN, &new, &mut spoilt)),
        "KEYS_FOREIGN"
    );
    assert_eq!(fs::read(other.dir().join("keys/subjects")).unwrap(), before);
    take(other.dir(), &OWN, &new, &mut table).unwrap();
    assert_eq!(table.rows, rows);
    assert_eq!(
        code(take(other.dir(), &OWN, &new, &mut table)),
        "KEK_UNCHANGED"
    );
    // And from there it goes on.
    let again = rotate(other.dir(), &OWN, None, &mut table).unwrap();
    assert_eq!(again.before, rotated.after);
    assert_eq!(
        serve(pair.one.dir(), &new, &mut table).unwrap_err().code(),
        "KEYS_FOREIGN"
    );
}

/// A crash leaves a key that no event needs, and the person is registered again.
#[test]
fn of_two_copies_for_one_person_the_later_counts_however_often_they_are_read() {
    let pair = Pair::new();
    let mut table = pair.table.clone();
    let writer = serve(pair.one.dir(), &OWN, &mut table).unwrap();
    let _orphan = table.seal(&writer, subject(50));
    let known = table.seal(&writer, subject(50));
    let standby = serve(pair.other.dir(), &OWN, &mut table).unwrap();
    let length = || {
        fs::metadata(pair.other.dir().join("keys/subjects"))
            .unwrap()
            .len()
    };
    let before = length();
    for _ in 0..3 {
        opens(&standby, &known, "the later one");
        for rows in table.rows.chunks(5) {
            standby.take_in(rows, table.agreed).unwrap();
        }
        for rows in table.rows.chunks(100) {
            standby.take_in(rows, table.agreed).unwrap();
        }
        opens(&standby, &known, "the later one");
    }
    assert!(length() - before <= 6 * 2 * RECORD as u64);
    // Both go under another key-encryption key, and the later counts there too.
    drop((writer, standby));
    rotate(pair.one.dir(), &OWN, None, &mut table).unwrap();
    assert_eq!(table.opened_by(&pair.old), 0);
    let vault = serve(pair.one.dir(), &OWN, &mut table).unwrap();
    opens(&vault, &known, "after a rotation");
}
