//! A disk that fills up: what was acknowledged stays, and there is a way back.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use luzhang_ledger::{
    Position,
    block::{BlockView, Head, SealedBlock},
    log::{
        AppendError, Fault, Log, ReadError,
        conformance::{Chain, LARGEST},
        sled::{OpenError, Reserve, SledLog},
    },
};
use tempfile::TempDir;

use crate::{count, ledger};

/// A file system of 260 MiB; gone when dropped, however the test ends.
struct Disk {
    scratch: TempDir,
}

impl Disk {
    fn tmpfs() -> Result<Self, String> {
        Self::mount(&["-t", "tmpfs", "-o", "size=260m", "tmpfs"])
    }

    fn ext4() -> Result<Self, String> {
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(260 << 20).unwrap();
        let path = image.path().to_str().unwrap();
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0", path]))?;
        // The loop device keeps the file open after its name is gone.
        Self::mount(&["-o", "loop", path])
    }

    fn mount(arguments: &[&str]) -> Result<Self, String> {
        let scratch = tempfile::tempdir().unwrap();
        run(Command::new("mount").args(arguments).arg(scratch.path()))?;
        Ok(Self { scratch })
    }

    fn ledger(&self) -> PathBuf {
        self.scratch.path().join("ledger")
    }

    /// Takes every byte that is left.
    fn fill(&self) -> PathBuf {
        let path = self.scratch.path().join("filler");
        let mut file = File::create(&path).unwrap();
        for chunk in [1 << 20, 4096] {
            let chunk = vec![0xa5; chunk];
            let error = loop {
                if let Err(error) = file.write_all(&chunk).and_then(|()| file.sync_data()) {
                    break error;
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{error}");
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let plain = run(Command::new("umount").arg(self.scratch.path()));
        if plain.is_err() {
            // A failed test may still have files open.
            let _ = run(Command::new("umount").arg("-l").arg(self.scratch.path()));
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// Appends until the disk is full, and returns the last acknowledged head.
fn append_until_full(dir: &Path, next: impl Fn(&mut Chain) -> Vec<SealedBlock>) -> Head {
    let mut log = SledLog::create(dir, ledger()).unwrap();
    let mut chain = Chain::new(ledger());
    let fault = loop {
        let acknowledged = log.head();
        let blocks = next(&mut chain);
        match log.append(&blocks) {
            Ok(()) => assert_eq!(log.head(), chain.head()),
            Err(fault) => {
                assert_eq!(log.head(), acknowledged);
                break fault;
            }
        }
    };
    assert!(
        matches!(fault, AppendError::Fault(Fault::DiskFull)),
        "{fault:?}"
    );
    let more = Chain::continuing(ledger(), log.head(), 1)
        .block(&[1])
        .unwrap();
    let after = log.append(&[more]).unwrap_err();
    assert!(
        matches!(after, AppendError::Fault(Fault::Poisoned)),
        "{after:?}"
    );
    let head = log.head();
    // sled answers reads of pages that it could not write with its error. What
    // counts is that nothing is missing without one.
    let (events, errors) = count(&*log.reader());
    let told = matches!(errors[..], [ReadError::Fault(Fault::DiskFull)]);
    assert!(
        told || Some(events) == head.position.map(Position::number),
        "{events}: {errors:?}"
    );
    Box::new(log).close().unwrap();
    head
}

/// Everything acknowledged is there; what was not may be, in whole appends.
fn holds(log: &SledLog, acknowledged: &Head) {
    let position = acknowledged.position.unwrap();
    let (events, errors) = count(&*log.reader());
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(Some(events), log.head().position.map(Position::number));
    let block = log.reader().block_with(position).unwrap().unwrap();
    let view = BlockView::parse(&block).unwrap();
    assert_eq!(view.head(), *acknowledged);
}

fn fills_and_recovers(disk: &Disk, next: impl Fn(&mut Chain) -> Vec<SealedBlock>) {
    let dir = disk.ledger();
    // What an operator can remove later.
    let ballast = disk.scratch.path().join("ballast");
    fs::write(&ballast, vec![0xa5; 80 << 20]).unwrap();
    let acknowledged = append_until_full(&dir, next);
    let filler = disk.fill();

    let log = SledLog::open(&dir).unwrap();
    assert_eq!(log.reserve(), Reserve::GivenBack);
    holds(&log, &acknowledged);
    drop(log);

    // Somebody takes that space too: now there is nothing left to give.
    let more = disk.scratch.path().join("more");
    fs::rename(&filler, &more).unwrap();
    let filler = disk.fill();
    match SledLog::open(&dir) {
        // With nothing new since the last opening, opening may need no room.
        Ok(log) => {
            assert_eq!(log.reserve(), Reserve::NoRoom);
            holds(&log, &acknowledged);
        }
        Err(error) => assert!(matches!(error, OpenError::DiskFull), "{error:?}"),
    }

    // Room enough to open, not enough to hold any back.
    fs::remove_file(filler).unwrap();
    fs::remove_file(more).unwrap();
    let log = SledLog::open(&dir).unwrap();
    assert_eq!(log.reserve(), Reserve::NoRoom);
    holds(&log, &acknowledged);
    drop(log);

    fs::remove_file(ballast).unwrap();
    let mut log = SledLog::open(&dir).unwrap();
    assert_eq!(log.reserve(), Reserve::Held);
    holds(&log, &acknowledged);
    let mut chain = Chain::continuing(ledger(), log.head(), log.next_epoch());
    log.append(&[chain.block(&[1, 2, 3]).unwrap()]).unwrap();
    Box::new(log).close().unwrap();
    assert_eq!(SledLog::open(&dir).unwrap().head(), chain.head());
}

#[test]
fn a_full_disk_loses_nothing_acknowledged() {
    type Make = fn() -> Result<Disk, String>;
    type Next = fn(&mut Chain) -> Vec<SealedBlock>;
    let shapes: [(&str, Next); 3] = [
        ("one block of 40 events", |chain| {
            vec![chain.block(&[300; 40]).unwrap()]
        }),
        ("the largest block", |chain| {
            vec![chain.block(&[LARGEST]).unwrap()]
        }),
        ("40 blocks at once", |chain| {
            (0..40).map(|_| chain.block(&[LARGEST]).unwrap()).collect()
        }),
    ];
    let systems: [(&str, Make); 2] = [("tmpfs", Disk::tmpfs), ("ext4", Disk::ext4)];
    for (system, make) in systems {
        for (shape, next) in shapes {
            match make() {
                Ok(disk) => {
                    println!("{system}, {shape}");
                    fills_and_recovers(&disk, next);
                }
                Err(why) => skipped(format_args!(
                    "SKIPPED: a full disk ({system}, {shape}): {why}"
                )),
            }
        }
    }
}

/// Says so past the test runner, which shows what a test prints only if it fails.
fn skipped(what: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    // Nobody may be reading.
    let _unread = writeln!(std::io::stderr(), "{what}");
}
