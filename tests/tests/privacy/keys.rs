//! The keys on the disk: wrapped, changed, and shown to nobody.

use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use super::support::{
    Bureau, Ledger, Person, Server, Sheet, Target,
    keyring::{Kek, Keyring, hex},
    luzhang, signal,
};

/// A ledger with a few persons.
fn persons(ledger: &Ledger, numbers: std::ops::Range<u32>) {
    let rows = numbers.map(|number| {
        let Person { name, number } = Person::number(number);
        format!("{name},{number},2020-01-01,,册")
    });
    let file = ledger.file("persons.csv");
    Sheet::of("poverty-status", rows).write(&file);
    let import = ["import", file.to_str().unwrap()];
    ledger.target().run(import).ended(0);
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

#[test]
fn every_key_is_wrapped_as_format_md_says() {
    let ledger = Ledger::new();
    persons(&ledger, 0..5);
    let kek = Kek::read(&ledger.dir().join("kek"));
    let ring = Keyring::read(&ledger.dir().join("keys"), &kek);
    assert_eq!((ring.subjects.len(), ring.destroyed), (5, 0));
    let shown = ledger.target().run(["keys", "show", "-o", "json"]);
    let shown = shown.ended(0).json();
    assert_eq!(shown["version"], 2);
    assert_eq!(shown["kek"], kek.id());
    assert_eq!(shown["kek_source"], "kek");
    assert_eq!(shown["subjects"], 5);
    assert_eq!(shown["destroyed"], 0);
    // In clear no key is anywhere, and the one that wraps them in its file only.
    let mut secrets = ring.secrets();
    secrets.extend(kek.traces());
    let files = holding(&ledger.dir(), &secrets);
    assert_eq!(files, [ledger.dir().join("kek")]);
}

/// The files below a directory that hold one of these.
fn holding(dir: &Path, secrets: &[Vec<u8>]) -> Vec<PathBuf> {
    let search = aho_corasick::AhoCorasick::new(secrets).unwrap();
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(holding(&path, secrets));
        } else if search.is_match(&fs::read(&path).unwrap()) {
            files.push(path);
        }
    }
    files
}

#[test]
fn after_a_rotation_an_old_backup_of_the_keys_opens_no_more() {
    let ledger = Ledger::new();
    persons(&ledger, 0..5);
    let target = ledger.target();
    let dir = ledger.dir();
    let (keys, kek_file) = (dir.join("keys"), dir.join("kek"));
    let head = target.head();
    let old = Kek::read(&kek_file);
    let before = Keyring::read(&keys, &old);
    let backup = ledger.file("backup");
    copy(&keys, &backup);

    let server = Server::start(&dir);
    let rotate = ["keys", "rotate"];
    target.run(rotate).failed(6, "LEDGER_LOCKED");
    assert!(Kek::read(&kek_file) == old);
    server.terminate();

    let rotated = target.run(["keys", "rotate", "-o", "json"]).ended(0);
    assert!(rotated.err.contains("Back up"), "{}", rotated.err);
    let new = Kek::read(&kek_file);
    let rotated = rotated.json();
    assert_eq!(rotated["previous_kek"], old.id());
    assert_eq!(rotated["kek"], new.id());
    assert_eq!(rotated["subjects"], 5);
    assert_eq!(target.head(), head);
    let after = Keyring::read(&keys, &new);
    // The same keys, and not one record as it was.
    assert_eq!(after.subjects, before.subjects);
    assert_eq!(after.identity, before.identity);
    for (id, record) in &before.records {
        assert_ne!(after.records[id], *record);
        assert!(new.open_record(record).is_none());
        assert_eq!(old.open_record(record), Some(before.subjects[id]));
    }
    assert!(holding(&dir, &old.traces()).is_empty());
    persons(&ledger, 0..6);

    // Putting the backup back does not help whoever has the new key.
    let current = ledger.file("current");
    fs::rename(&keys, &current).unwrap();
    copy(&backup, &keys);
    let ran = target.run(["audit", "head"]);
    ran.failed(1, "KEK_MISMATCH");
    assert!(ran.err.contains(&old.id()) && ran.err.contains(&new.id()));
    fs::remove_dir_all(&keys).unwrap();
    fs::rename(&current, &keys).unwrap();
    assert_eq!(
        target.run(["keys", "show", "-o", "json"]).json()["subjects"],
        6
    );
}

#[test]
fn the_key_that_wraps_comes_from_a_file_or_a_command() {
    let ledger = Ledger::new();
    persons(&ledger, 0..3);
    let target = ledger.target();
    let dir = ledger.dir();
    let head = target.head();
    // Out of the data directory, in one step.
    let file = ledger.file("elsewhere");
    let rotate = ["keys", "rotate", "--new-kek-file", text(&file)];
    target.run(rotate).ended(0);
    assert!(!dir.join("kek").exists());
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    target.run(["audit", "head"]).failed(1, "KEK_MISSING");
    target
        .run(["serve", "--listen", "127.0.0.1:0"])
        .failed(1, "KEK_MISSING");
    let with = |arguments: &[&str]| {
        let arguments = [&["audit", "head"], arguments].concat();
        target.run(arguments)
    };
    let same = |ran: super::support::Ran| assert_eq!(ran.ended(0).out.trim(), head);
    same(with(&["--kek-file", text(&file)]));
    let cat = format!("cat '{}'", file.display());
    same(with(&["--kek-command", &cat]));
    let environment = |name: &str, value: &str, arguments: &[&str]| -> super::support::Ran {
        let mut command = luzhang();
        command
            .args(target.options())
            .args(["audit", "head"])
            .args(arguments)
            .env(name, value);
        command.output().unwrap().into()
    };
    same(environment("LUZHANG_KEK_FILE", text(&file), &[]));
    same(environment("LUZHANG_KEK_COMMAND", &cat, &[]));
    // What a flag says counts, whatever the environment does.
    same(environment(
        "LUZHANG_KEK_FILE",
        "/nowhere",
        &["--kek-command", &cat],
    ));
    same(environment(
        "LUZHANG_KEK_COMMAND",
        "false",
        &["--kek-file", text(&file)],
    ));
    with(&["--kek-file", text(&file), "--kek-command", &cat]).failed(2, "USAGE");

    // Wrong ones.
    let other = ledger.file("other");
    fs::write(&other, format!("luzhang kek 1\nkey {}\n", hex(&[7; 32]))).unwrap();
    for (mode, code) in [
        (0o644, "KEK_EXPOSED"),
        (0o640, "KEK_EXPOSED"),
        (0o604, "KEK_EXPOSED"),
        (0o600, "KEK_MISMATCH"),
        (0o400, "KEK_MISMATCH"),
    ] {
        fs::set_permissions(&other, Permissions::from_mode(mode)).unwrap();
        for lang in ["zh", "en"] {
            let ran = with(&["--kek-file", text(&other), "--lang", lang]);
            ran.failed(1, code);
            assert!(!ran.err.contains(&hex(&[7; 8])), "{}", ran.err);
        }
    }
    let garbage = ledger.file("garbage");
    fs::write(&garbage, hex(&[9; 32])).unwrap();
    fs::set_permissions(&garbage, Permissions::from_mode(0o600)).unwrap();
    let command = format!("cat '{}'", garbage.display());
    for option in [["--kek-file", text(&garbage)], ["--kek-command", &command]] {
        let ran = with(&option);
        ran.failed(1, "KEK_UNREADABLE");
        assert!(!ran.err.contains(&hex(&[9; 8])), "{}", ran.err);
    }
    with(&["--kek-command", "exit 1"]).failed(1, "KEK_UNREADABLE");
    with(&["--kek-file", text(&ledger.file("none"))]).failed(1, "KEK_MISSING");
    // None of this has changed anything, and reports open names with it too.
    same(with(&["--kek-file", text(&file)]));
    let (report, number) = (["report", "statement"], Person::number(1).number);
    let statement = |more: &[&str]| target.run([&report[..], &[&number], more].concat());
    // No money of theirs is there; without the key not even that could be said.
    statement(&["--kek-file", text(&file)]).failed(5, "SUBJECT_NOT_FOUND");
    statement(&["--kek-file", text(&other)]).failed(1, "KEK_MISMATCH");

    // A key that others may use is not replaced where it is.
    let own = ["keys", "rotate", "--kek-file", text(&file)];
    target.run(own).failed(1, "KEK_NO_PLACE");
    let to_itself = [&own[..], &["--new-kek-file", text(&file)]].concat();
    target.run(to_itself).failed(1, "KEK_UNCHANGED");
    let print = format!("cat '{}'", other.display());
    let to_command = [&own[..], &["--new-kek-command", &print]].concat();
    let ran = target.run(to_command).ended(0);
    assert!(ran.err.contains("left alone"), "{}", ran.err);
    assert!(file.exists());
    same(with(&["--kek-command", &print]));
    with(&["--kek-file", text(&file)]).failed(1, "KEK_MISMATCH");

    // A new ledger may begin with one that is there, or have it made.
    for (name, made) in [("other", false), ("made", true)] {
        let path = ledger.file(name);
        let new = ledger.file(&format!("ledger-{name}"));
        let target = Target::data_dir(&new);
        let options = ["--kek-file", text(&path)];
        target.run([&["init"][..], &options].concat()).ended(0);
        assert!(!new.join("kek").exists(), "{made}");
        target
            .run([&["audit", "head"][..], &options].concat())
            .ended(0);
        target.run(["audit", "head"]).failed(1, "KEK_MISSING");
    }
}

/// Whatever goes wrong, and whatever is logged on the way.
#[test]
fn no_key_is_in_a_trace_or_an_error() {
    let bureau = Bureau::demo();
    let ledger = Ledger::new();
    let dir = ledger.dir();
    let moved = ledger.file("kek");
    fs::rename(dir.join("kek"), &moved).unwrap();
    let command = format!("cat '{}'", moved.display());
    let server = Server::with(&dir, ["--kek-command", &command], "trace");
    bureau.import(&server.target(), &["-o", "json"]);
    let mut said = server.terminate().err;
    let kek = Kek::read(&moved);
    let ring = Keyring::read(&dir.join("keys"), &kek);
    let next = ledger.file("next");
    for (arguments, code) in [
        (vec!["keys", "show"], 1),
        (vec!["keys", "show", "--kek-file", text(&moved)], 0),
        (vec!["keys", "rotate", "--kek-file", text(&moved)], 1),
        (
            vec![
                "keys",
                "rotate",
                "--kek-command",
                &command,
                "--new-kek-file",
                text(&next),
            ],
            0,
        ),
        (vec!["audit", "head", "--kek-file", text(&moved)], 1),
        (vec!["audit", "head", "--kek-file", text(&next)], 0),
        (vec!["report", "register", "--kek-command", &command], 0),
    ] {
        let ran = luzhang()
            .env("LUZHANG_LOG", "trace")
            .args(ledger.target().options())
            .args(&arguments)
            .output()
            .unwrap();
        // A report needs no names here; whatever it says, it says no key.
        if arguments[0] != "report" {
            assert_eq!(ran.status.code(), Some(code), "{arguments:?} {ran:?}");
        }
        said.push_str(&String::from_utf8_lossy(&ran.stdout));
        said.push_str(&String::from_utf8_lossy(&ran.stderr));
    }
    assert!(said.lines().count() > 100 && said.contains(&kek.id()));
    let mut secrets = ring.secrets();
    secrets.push(kek.0.to_vec());
    secrets.push(Kek::read(&next).0.to_vec());
    assert!(secrets.len() > 50);
    let said: String = said.split_whitespace().collect();
    for secret in secrets {
        // Eight bytes of it, in every form that a program would print.
        let part = &secret[8..16];
        let numbers: Vec<String> = part.iter().map(u8::to_string).collect();
        for form in [
            hex(part),
            hex(part).to_uppercase(),
            numbers.join(","),
            String::from_utf8_lossy(part).into_owned(),
        ] {
            assert!(!said.contains(&form), "{form}");
        }
    }
}

#[test]
fn a_process_with_keys_leaves_no_core_behind() {
    let ledger = Ledger::new();
    // Even one that is started where cores are wanted.
    let program = luzhang().get_program().to_owned();
    let server = Server::start(&ledger.dir());
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.process())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max core file"));
    let words: Vec<&str> = line.unwrap().split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{limits}");
    // What the yardsticks read of it is still there.
    let status = fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    assert!(status.contains("VmRSS"));
    server.terminate();

    let scratch = tempfile::tempdir().unwrap();
    let ended = |command: &str| {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("ulimit -c unlimited; {command}")])
            .current_dir(scratch.path())
            .env("LUZHANG_DATA_DIR", ledger.dir())
            .env("LUZHANG_WEB", "off")
            .env("LUZHANG_METRICS", "off")
            .stdout(std::process::Stdio::piped());
        let mut child = shell.spawn().unwrap();
        if command.starts_with("exec") {
            let mut line = String::new();
            let stdout = child.stdout.take().unwrap();
            std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
            assert!(line.starts_with("listening"), "{line}");
            signal("ABRT", child.id());
        }
        child.wait().unwrap()
    };
    let serve = format!("exec '{}' serve --listen 127.0.0.1:0", program.display());
    let status = ended(&serve);
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
    // The control: where a core could be left, another process leaves one.
    if !ended("kill -ABRT $$").core_dumped() {
        super::support::disk::skipped(format_args!(
            "SKIPPED: no process leaves a core here, so that ours leaves none says little"
        ));
    }
}
