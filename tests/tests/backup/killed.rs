//! What is killed in the middle goes on.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    shelves::{Scratch, back_up, export, from_to, verified},
    support::{
        Bureau, Ledger, Target,
        disk::{Disk, skipped},
        luzhang,
    },
};

/// Starts `luzhang ARGUMENTS`.
pub(crate) fn spawn(arguments: &[&str]) -> Child {
    luzhang()
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills a process as soon as something is so; false if it ended before.
pub(crate) fn kill_when(mut child: Child, is_so: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    let ended = loop {
        if is_so() {
            break false;
        }
        if child.try_wait().unwrap().is_some() {
            break true;
        }
        assert!(begun.elapsed() < Duration::from_mins(2), "it hangs");
        thread::yield_now();
    };
    child.kill().unwrap();
    let status = child.wait().unwrap();
    !ended && !status.success()
}

/// A ledger of many small blocks.
fn large() -> Ledger {
    let ledger = Ledger::new();
    Bureau::demo().import(&ledger.target(), &[]).ended(3);
    ledger
}

fn runs(shelf: &Path) -> usize {
    fs::read_dir(shelf.join("runs")).map_or(0, Iterator::count)
}

#[test]
fn a_backup_that_is_killed_again_and_again_goes_on() {
    let ledger = large();
    let shelf = ledger.file("shelf");
    let dir = ledger.dir();
    let arguments = [
        "backup",
        "--data-dir",
        dir.to_str().unwrap(),
        "--to",
        shelf.to_str().unwrap(),
        "--file-bytes",
        "4096",
    ];
    let mut killed = 0;
    for files in 1.. {
        let was_killed = kill_when(spawn(&arguments), || runs(&shelf) >= files);
        killed += usize::from(was_killed);
        if shelf.join("manifest.json").exists() {
            // What is there is a backup, of nothing yet or of a part.
            let ran = verified(&shelf, &[]);
            let verdict = ran.json()["verdict"].clone();
            let expected = [Value::from("empty"), Value::from("self_consistent")];
            assert!(expected.contains(&verdict), "{ran:?}");
        }
        if !was_killed {
            break;
        }
    }
    assert!(killed >= 3, "killed {killed} times");
    let said = back_up(&ledger.target(), &shelf, 4_096).ended(0).json();
    assert_eq!(said["events"], 0, "the last run ended by itself");
    let whole = export(&ledger.target(), &ledger.file("whole.luzhang"));
    let of_shelf = ledger.file("shelf.luzhang");
    from_to(&["log", "copy"], &shelf, &of_shelf, &[]).ended(0);
    assert!(fs::read(of_shelf).unwrap() == whole);
    let report = verified(&shelf, &[]).ended(0).json();
    assert_eq!(report["remarks"].as_array().unwrap().len(), 0, "{report}");
}

/// Bytes of a data directory's log so far, by its engine's file.
fn written(dir: &Path) -> Option<PathBuf> {
    let marker = dir.join("FORMAT.copying");
    marker.exists().then(|| dir.join("head"))
}

#[test]
fn a_restore_and_a_copy_that_are_killed_are_no_ledger_and_go_on() {
    let ledger = large();
    let whole = export(&ledger.target(), &ledger.file("whole.luzhang"));
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 4_096).ended(0);
    let commands = [
        (&["restore"][..], shelf),
        (&["log", "copy"][..], ledger.file("whole.luzhang")),
    ];
    for (command, from) in commands {
        let scratch = Scratch::new();
        let to = scratch.at("ledger");
        let ends = [
            "--from",
            from.to_str().unwrap(),
            "--to",
            to.to_str().unwrap(),
        ];
        let arguments: Vec<&str> = command.iter().chain(&ends).copied().collect();
        // When it was marked, when its witness was made, and a moment later.
        let stages: [&dyn Fn() -> bool; 3] = [
            &|| to.join("FORMAT.copying").exists(),
            &|| written(&to).is_some_and(|head| head.exists()),
            &|| {
                let head = written(&to).and_then(|head| fs::read_to_string(head).ok());
                head.is_some_and(|head| !head.contains("position 0\n"))
            },
        ];
        let mut killed = 0;
        for stage in stages {
            if !kill_when(spawn(&arguments), stage) {
                continue;
            }
            killed += 1;
            let ran = Target::data_dir(&to).run(["rebuild"]);
            ran.failed(6, "LEDGER_COPYING");
        }
        assert!(killed >= 2, "{command:?} was killed {killed} times");
        if !to.join("FORMAT").exists() {
            from_to(command, &from, &to, &[]).ended(0);
        }
        assert!(!to.join("FORMAT.copying").exists());
        let back = export(&Target::data_dir(&to), &scratch.at("back.luzhang"));
        assert!(back == whole, "{command:?}");
    }
}

#[test]
fn two_backups_at_once_do_not_meet() {
    let ledger = large();
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 4_096).ended(0);
    // Held as the other one would.
    let lock = fs::File::options()
        .write(true)
        .open(shelf.join("lock"))
        .unwrap();
    lock.lock().unwrap();
    back_up(&ledger.target(), &shelf, 4_096).failed(6, "SHELF_LOCKED");
    verified(&shelf, &[]).ended(0);
    drop(lock);
    back_up(&ledger.target(), &shelf, 4_096).ended(0);
}

/// What is written stays, and the rest comes when there is room.
#[test]
fn a_backup_onto_a_full_disk_says_so_and_goes_on() {
    let disk = match Disk::new(16 << 20) {
        Ok(disk) => disk,
        Err(why) => return skipped(format_args!("SKIPPED: a backup onto a full disk: {why}")),
    };
    let ledger = large();
    let shelf = disk.root().join("shelf");
    let filler = disk.root().join("filler");
    let fill = |leave: usize| {
        let mut file = fs::File::create(&filler).unwrap();
        while file.write_all(&[7; 4_096]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(leave as u64)).unwrap();
        file.sync_all().unwrap();
    };
    let mut kept = Vec::new();
    for leave in [0, 40_000, 60_000] {
        fill(leave);
        back_up(&ledger.target(), &shelf, 4_096).failed(1, "DISK_FULL");
        fs::remove_file(&filler).unwrap();
        if shelf.join("manifest.json").exists() {
            let report = verified(&shelf, &[]).json();
            assert_eq!(report["faults"].as_array().unwrap().len(), 0, "{report}");
            kept.push(report["events"].as_u64().unwrap());
        }
    }
    assert!(kept.is_sorted() && kept.last() > Some(&0), "{kept:?}");
    back_up(&ledger.target(), &shelf, 4_096).ended(0);
    let whole = export(&ledger.target(), &ledger.file("whole.luzhang"));
    let of_shelf = ledger.file("shelf.luzhang");
    from_to(&["log", "copy"], &shelf, &of_shelf, &[]).ended(0);
    assert!(fs::read(of_shelf).unwrap() == whole);
}
