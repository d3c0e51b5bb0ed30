//! Keys are used and destroyed, and whatever is wrong with them is said.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
};

use luzhang_ledger::identity::NationalId;
use tempfile::TempDir;

use super::*;

pub(super) const OWN: KekSource = KekSource::Own;

pub(super) fn subject(number: u8) -> SubjectId {
    SubjectId::from_bytes([number; 16])
}

pub(super) fn details(name: &str) -> Details {
    Details::person(name, &NationalId::parse("510590197607110016").unwrap()).unwrap()
}

/// A directory with keys, and what was sealed with them.
pub(super) struct Site {
    scratch: TempDir,
    pub(super) sealed: Vec<(SubjectId, Vec<u8>)>,
}

impl Site {
    pub(super) fn new(subjects: u8) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let vault = Vault::create(scratch.path(), &OWN).unwrap();
        let sealed = (1..=subjects).map(|number| {
            let id = subject(number);
            (id, vault.seal_new(id, &details("某甲")).unwrap())
        });
        let sealed = sealed.collect();
        vault.sync().unwrap();
        Self { scratch, sealed }
    }

    /// The same as version 1 kept it: all keys in clear.
    pub(super) fn raw(subjects: u8) -> Self {
        let site = Self::new(subjects);
        let vault = site.open();
        let kek = OWN.read(site.dir()).unwrap();
        let text = fs::read(site.dir().join("keys/identity")).unwrap();
        let sealed = Sealed::parse(Title::Identity, &text).unwrap();
        let secret = kek.open(Purpose::Identity, &sealed.wrapped).unwrap();
        fs::write(site.dir().join("keys/identity"), *secret).unwrap();
        let mut records = Vec::new();
        for (id, _) in &site.sealed {
            let key = vault.subjects.lock().key(*id).unwrap();
            // The first of the two is one that a crash has left.
            for key in [&[7; 32], key.as_bytes()] {
                let record = [&id.as_bytes()[..], key].concat();
                let check = file::checksum(&record);
                records.extend([&record[..], &check].concat());
            }
        }
        fs::write(site.dir().join("keys/subjects"), records).unwrap();
        fs::remove_file(site.dir().join("kek")).unwrap();
        site
    }

    pub(super) fn dir(&self) -> &Path {
        self.scratch.path()
    }

    pub(super) fn open(&self) -> Vault {
        Vault::open(self.dir(), &OWN).unwrap()
    }

    /// Another directory with the same files.
    pub(super) fn copy(&self) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        copy(self.dir(), scratch.path());
        Self {
            scratch,
            sealed: self.sealed.clone(),
        }
    }

    #[track_caller]
    pub(super) fn all_open(&self, vault: &Vault) {
        for (id, sealed) in &self.sealed {
            let opened = vault.open_sealed(*id, sealed).unwrap();
            assert_eq!(opened, details("某甲"));
        }
    }

    /// The secrets of each subject that could be found on the disk: key in clear,
    /// and the record.
    pub(super) fn secrets(&self) -> Vec<Vec<u8>> {
        let vault = Vault::for_reading(self.dir(), &OWN).unwrap();
        let mut secrets = Vec::new();
        for (id, _) in &self.sealed {
            let mut subjects = vault.subjects.lock();
            secrets.push(subjects.key(*id).unwrap().as_bytes().to_vec());
            secrets.push(self.record(*id));
        }
        secrets
    }

    /// The last record of a subject, without its id.
    pub(super) fn record(&self, id: SubjectId) -> Vec<u8> {
        let bytes = fs::read(self.dir().join("keys/subjects")).unwrap();
        let records = bytes.chunks(96).skip(1);
        let mut of_subject = records.filter(|record| record[..16] == *id.as_bytes());
        of_subject.next_back().unwrap()[16..].to_vec()
    }

    pub(super) fn has(&self, bytes: &[u8]) -> bool {
        contains(self.dir(), bytes)
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for dir in [self.dir().to_owned(), self.dir().join("keys")] {
            for entry in fs::read_dir(dir).unwrap() {
                names.push(entry.unwrap().file_name().into_string().unwrap());
            }
        }
        names.sort();
        names
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn contains(dir: &Path, wanted: &[u8]) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contains(&path, wanted)
        } else {
            let bytes = fs::read(path).unwrap();
            bytes.windows(wanted.len()).any(|found| found == wanted)
        }
    })
}

pub(super) fn hex(bytes: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    kek::push_hex(&mut text, bytes);
    text.into_bytes()
}

#[test]
fn an_erased_subject_has_no_record_and_no_key() {
    let site = Site::new(5);
    let secrets = site.secrets();
    for pair in secrets.chunks(2) {
        // Wrapped it is there, which the search must find; in clear it never is.
        assert!(!site.has(&pair[0]) && site.has(&pair[1]));
    }
    let vault = site.open();
    let (id, sealed) = &site.sealed[2];
    let retired = vault.retire(*id);
    // Decided, but not durable yet: nobody reads it, and a crash brings it back.
    let erased = |result: Result<Details, VaultError>| matches!(result, Err(VaultError::Erased));
    assert!(erased(vault.open_sealed(*id, sealed)));
    assert!(matches!(
        vault.seal_again(*id, &details("某乙")),
        Err(VaultError::Erased)
    ));
    site.all_open(&site.copy().open());
    vault.destroy(&[retired]).unwrap();
    assert!(erased(vault.open_sealed(*id, sealed)));
    for (number, pair) in secrets.chunks(2).enumerate() {
        assert_eq!(site.has(&pair[1]), number != 2, "{number}");
    }
    let counts = vault.survey().unwrap().counts;
    let expected = Counts {
        subjects: 4,
        superseded: 0,
        destroyed: 1,
    };
    assert_eq!(counts, expected);
    // The same when it is opened again.
    drop(vault);
    let vault = site.open();
    assert_eq!(vault.survey().unwrap().counts, expected);
    assert!(vault.open_sealed(*id, sealed).is_err());
    vault.sweep([*id]).unwrap();
    assert!(erased(vault.open_sealed(*id, sealed)));
}

/// Between deciding an erasure and its being durable, a key of the same subject
/// would be on the disk beside the old one, and after a crash nobody could tell
/// which one the log means.
#[test]
fn a_subject_comes_back_under_a_new_key_when_the_old_one_is_gone() {
    let site = Site::new(2);
    let vault = site.open();
    let (id, sealed) = &site.sealed[0];
    let old = site.record(*id);
    let retired = vault.retire(*id);
    assert!(matches!(
        vault.seal_new(*id, &details("某乙")),
        Err(VaultError::BeingErased)
    ));
    vault.destroy(&[retired]).unwrap();
    let anew = vault.seal_new(*id, &details("某乙")).unwrap();
    vault.sync().unwrap();
    for vault in [vault, site.open()] {
        assert_eq!(vault.open_sealed(*id, &anew).unwrap(), details("某乙"));
        assert!(vault.open_sealed(*id, sealed).is_err());
        // Erased at some time, but not at the end of the log: it is left alone.
        vault.sweep([subject(9)]).unwrap();
        assert_eq!(vault.open_sealed(*id, &anew).unwrap(), details("某乙"));
    }
    assert!(!site.has(&old));
}

/// The decider is ahead of the committer.
#[test]
fn only_the_erasures_that_are_durable_are_carried_out() {
    let site = Site::new(3);
    let vault = site.open();
    let [first, second] = [0, 1].map(|number| vault.retire(site.sealed[number].0));
    vault.destroy(&[first]).unwrap();
    drop(vault);
    let vault = site.open();
    assert!(
        vault
            .open_sealed(site.sealed[0].0, &site.sealed[0].1)
            .is_err()
    );
    for (id, sealed) in &site.sealed[1..] {
        assert_eq!(vault.open_sealed(*id, sealed).unwrap(), details("某甲"));
    }
    drop(second);
}

#[test]
fn a_subject_that_was_never_durable_is_destroyed_too() {
    let site = Site::new(1);
    let vault = site.open();
    let id = subject(7);
    let _sealed = vault.seal_new(id, &details("某乙")).unwrap();
    let retired = vault.retire(id);
    // The committer writes what it is given, then appends, then destroys.
    vault.sync().unwrap();
    let record = site.record(id);
    assert!(site.has(&record));
    vault.destroy(&[retired]).unwrap();
    assert!(!site.has(&record));
    // A key that was never written needs no file.
    let _sealed = vault.seal_new(id, &details("某乙")).unwrap();
    let retired = vault.retire(id);
    vault.destroy(&[retired]).unwrap();
    vault.sync().unwrap();
    assert_eq!(vault.survey().unwrap().counts.destroyed, 1);
}

#[test]
fn sweeping_destroys_what_a_crash_has_left() {
    let site = Site::new(4);
    let path = site.dir().join("keys/subjects");
    let mut bytes = fs::read(&path).unwrap();
    // Of the third, half is zeros; the second has two records.
    bytes[96 * 3..96 * 3 + 50].fill(0);
    let again = bytes[96 * 2..96 * 3].to_vec();
    bytes.extend(again);
    // And the last was cut short.
    bytes.extend([1; 60]);
    fs::write(&path, &bytes).unwrap();
    let vault = site.open();
    vault.sweep([]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes[..bytes.len() - 60]);
    vault.sweep([site.sealed[0].0]).unwrap();
    let left = fs::read(&path).unwrap();
    let zeros: Vec<bool> = left.chunks(96).map(|record| *record == [0; 96]).collect();
    assert_eq!(zeros, [false, true, true, true, false, false]);
    for number in [1, 3] {
        let (id, sealed) = &site.sealed[number];
        assert_eq!(vault.open_sealed(*id, sealed).unwrap(), details("某甲"));
    }
}

#[test]
fn whoever_was_erased_and_came_back_while_we_were_away_has_one_key_here() {
    let site = Site::new(2);
    let path = site.dir().join("keys/subjects");
    let vault = site.open();
    let (id, sealed) = site.sealed[0].clone();
    // As another server has made it.
    let elsewhere = site.open();
    let new = elsewhere.seal_new(id, &details("某乙")).unwrap();
    let taken = fs::read(&path).unwrap().len();
    elsewhere.sync().unwrap();
    let record = fs::read(&path).unwrap()[taken..].to_vec();
    let kek = vault.kek().unwrap();
    let key = Copied {
        kek,
        key: WrappedKey::parse(&record).unwrap(),
    };
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(taken.try_into().unwrap())
        .unwrap();
    vault.take_in(&[key], None).unwrap();
    vault.take_in(&[key], None).unwrap();
    vault.sweep_whole([]).unwrap();
    assert_eq!(vault.open_sealed(id, &new).unwrap(), details("某乙"));
    assert!(vault.open_sealed(id, &sealed).is_err());
    let counts = vault.survey().unwrap().counts;
    assert_eq!(
        (counts.subjects, counts.superseded, counts.destroyed),
        (2, 0, 1)
    );
}

#[test]
fn after_a_failure_nothing_counts_as_destroyed() {
    let site = Site::new(2);
    let vault = site.open();
    let retired = [vault.retire(site.sealed[0].0)];
    disk::crash::after(0);
    assert!(matches!(
        vault.destroy(&retired),
        Err(VaultError::Io { .. })
    ));
    disk::crash::off();
    assert_eq!(vault.survey().unwrap().counts.destroyed, 0);
    vault.destroy(&retired).unwrap();
    assert_eq!(vault.survey().unwrap().counts.destroyed, 1);
}

#[test]
fn a_damaged_file_is_said_to_be_damaged() {
    let site = Site::new(3);
    let path = |name: &str| site.dir().join("keys").join(name);
    let code = || Vault::open(site.dir(), &OWN).map_or_else(|error| error.code(), |_| "none");
    let (identity, subjects) = (
        fs::read(path("identity")).unwrap(),
        fs::read(path("subjects")).unwrap(),
    );
    for end in 0..identity.len() {
        fs::write(path("identity"), &identity[..end]).unwrap();
        assert_eq!(code(), "KEYS_UNREADABLE", "cut at {end}");
    }
    // Any byte of it, but for those of the key's id, which make it another one's.
    for place in 0..identity.len() {
        let mut altered = identity.clone();
        altered[place] ^= 1;
        fs::write(path("identity"), altered).unwrap();
        assert!(
            matches!(code(), "KEYS_UNREADABLE" | "KEK_MISMATCH"),
            "{place}"
        );
    }
    fs::write(path("identity"), &identity).unwrap();
    for end in 0..96 {
        fs::write(path("subjects"), &subjects[..end]).unwrap();
        assert_eq!(code(), "KEYS_UNREADABLE", "cut at {end}");
    }
    for place in 0..96 {
        let mut altered = subjects.clone();
        altered[place] ^= 1;
        fs::write(path("subjects"), altered).unwrap();
        assert_eq!(code(), "KEYS_UNREADABLE", "{place}");
    }
    // Of a record, any byte: the other subjects' are as good as before.
    for place in 96..192 {
        let mut altered = subjects.clone();
        altered[place] ^= 1;
        fs::write(path("subjects"), altered).unwrap();
        let vault = site.open();
        let (id, sealed) = &site.sealed[0];
        let error = vault.open_sealed(*id, sealed).unwrap_err();
        assert_eq!(error.code(), "KEYS_UNREADABLE", "{place}");
        let (id, sealed) = &site.sealed[1];
        assert_eq!(vault.open_sealed(*id, sealed).unwrap(), details("某甲"));
    }
    // Records of one subject under the id of another open nothing.
    let mut altered = subjects.clone();
    altered.copy_within(112..184, 208);
    let check = file::checksum(&altered[192..280]);
    altered[280..288].copy_from_slice(&check);
    fs::write(path("subjects"), altered).unwrap();
    let (id, sealed) = &site.sealed[1];
    assert!(site.open().open_sealed(*id, sealed).is_err());
}

#[test]
fn a_key_file_is_its_owners_alone() {
    let site = Site::new(1);
    let path = site.dir().join("kek");
    for mode in 0..0o1000 {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let opened = Vault::open(site.dir(), &OWN);
        if mode & 0o077 != 0 {
            let error = opened.unwrap_err();
            assert_eq!(error.code(), "KEK_EXPOSED", "{mode:o}");
            assert!(error.to_string().contains(&format!("{mode:04o}")));
        } else if mode & 0o400 != 0 {
            opened.unwrap();
        }
    }
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let root = rustix::process::geteuid().is_root();
    if root {
        std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
        let error = Vault::open(site.dir(), &OWN).unwrap_err();
        assert_eq!(error.code(), "KEK_EXPOSED");
        assert!(error.zh().contains("12345"));
    }
}

#[test]
fn what_is_no_key_is_refused_without_being_repeated() {
    let site = Site::new(1);
    let path = site.dir().join("kek");
    let text = fs::read_to_string(&path).unwrap();
    let digits = text.trim_end().split_at(18).1.to_owned();
    let key = |digits: &str| format!("luzhang kek 1\nkey {digits}\n");
    assert_eq!(key(&digits), text);
    for (text, is_key) in [
        (text.clone(), true),
        (key(&digits.to_uppercase()), true),
        (text.trim_end().to_owned(), true),
        (String::new(), false),
        (digits.clone(), false),
        (text.replace("kek 1", "kek 2"), false),
        (text.replace("key ", "key"), false),
        (key(&digits[1..]), false),
        (key(&format!("{digits}0")), false),
        (key(&format!("{digits}00")), false),
        (key(&format!("g{}", &digits[1..])), false),
        (key(&format!("+{}", &digits[1..])), false),
        (format!("{text}{text}"), false),
        (format!("{text}{}", " ".repeat(5_000)), false),
        (format!("\n{text}"), false),
        (text.replace('\n', "\r\n"), false),
    ] {
        fs::write(&path, &text).unwrap();
        let opened = Vault::open(site.dir(), &OWN);
        assert_eq!(opened.is_ok(), is_key, "{text:?}");
        if let Err(error) = opened {
            assert_eq!(error.code(), "KEK_UNREADABLE");
            let shown = format!("{error} {error:?} {}", error.zh());
            assert!(!shown.contains(&digits[8..40]), "{shown}");
        }
    }
}

#[test]
fn a_command_prints_the_key_in_time_or_is_refused() {
    let site = Site::new(2);
    let path = site.dir().join("kek");
    let shown = path.display();
    let read = |text: String| {
        let kek = KekSource::Command(KekCommand::from(text));
        kek.read(site.dir()).map(|kek| kek.id())
    };
    let id = OWN.read(site.dir()).unwrap().id();
    for text in [
        format!("cat {shown}"),
        format!("sleep 0.05; cat {shown} | cat"),
    ] {
        assert_eq!(read(text).unwrap(), id);
    }
    for text in [
        format!("cat {shown}; exit 3"),
        format!("cat {shown} {shown}"),
        "cat /dev/zero".to_owned(),
        "true".to_owned(),
        "kill -9 $$".to_owned(),
        "no-such-program-of-ours 2>/dev/null".to_owned(),
    ] {
        let error = read(text.clone()).unwrap_err();
        assert_eq!(error.code(), "KEK_UNREADABLE", "{text}");
        assert!(!error.to_string().contains("cat "), "{error}");
    }
    for slow in ["sleep 20", "exec >&-; sleep 20", "echo x; sleep 20"] {
        let command = KekCommand::from(slow.to_owned());
        let begun = std::time::Instant::now();
        let patience = std::time::Duration::from_millis(100);
        let error = kek::run(&command, patience).unwrap_err();
        assert_eq!(error.code(), "KEK_UNREADABLE", "{slow}");
        assert!(begun.elapsed().as_secs() < 10, "{slow}");
    }
}

#[test]
fn nothing_that_holds_a_key_shows_it() {
    let site = Site::raw(1);
    let raw = Vault::for_reading(site.dir(), &OWN).unwrap();
    let secret = fs::read(site.dir().join("keys/identity")).unwrap();
    let raw = format!("{raw:?} {raw:#?}");
    let vault = site.open();
    let key = vault.subjects.lock().key(site.sealed[0].0).unwrap();
    let _sealed = vault.seal_new(subject(9), &details("某乙")).unwrap();
    let kek = OWN.read(site.dir()).unwrap();
    let digits = String::from_utf8(kek.text().as_bytes()[18..].to_vec()).unwrap();
    let mut kek_bytes = [0; 32];
    assert!(kek::unhex(digits.trim_end().as_bytes(), &mut kek_bytes));
    let command = KekSource::Command(KekCommand::from(format!("echo {digits}")));
    let shown = [
        raw,
        format!("{vault:?} {vault:#?}"),
        format!("{kek:?} {kek:#?} {:?}", kek.id()),
        format!("{command:?} {command:#?} {command}"),
        format!("{key:?} {:?}", vault.identity()),
        format!("{:?}", Layout::Wrapped(Arc::new(kek))),
        format!(
            "{:?}",
            crate::Options {
                kek: command,
                ..crate::Options::default()
            }
        ),
    ]
    .concat();
    assert!(shown.contains("***") && !shown.contains("某"));
    for bytes in [&secret[..], key.as_bytes(), &kek_bytes] {
        // As hexadecimal digits, and as a list of numbers on one line or on many.
        let hex = String::from_utf8(hex(bytes)).unwrap();
        let list = format!("{:?}", &bytes[8..16]);
        let lines = format!("{:#?}", &bytes[8..16]);
        let squeezed: String = shown.split_whitespace().collect();
        for form in [&hex[16..32], list.trim_matches(['[', ']']), &lines] {
            let form: String = form.split_whitespace().collect();
            let form = form.trim_matches(['[', ']']).trim_end_matches(',');
            assert!(!squeezed.contains(form), "{form}");
        }
    }
}
