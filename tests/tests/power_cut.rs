//! What is acknowledged survives a power cut.
//!
//! A writer process works on a loop-mounted, journalled ext4. At some moment the
//! file system is shut down without its journal being flushed
//! (`EXT4_IOC_SHUTDOWN`), which is what a power cut leaves but for the disk's own
//! cache. After mounting again every acknowledged block must be there.
//!
//! - `LUZHANG_POWER_CUTS=200` cuts so many times instead of six.
//! - `LUZHANG_POWER_CUT_CONTROL=20` shows that the test can fail: the same
//!   blocks, the same database, acknowledged after sled's `flush` alone.
//!
//! It needs root, a loop device, `mkfs.ext4` and `python3`, and says `SKIPPED`
//! without them.

#![cfg(test)]

#[path = "support/disk.rs"]
mod disk;

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use disk::{Disk, skipped};
use luzhang_ledger::{
    Position,
    block::BlockView,
    log::{
        Log as _,
        sled::{OpenError, SledLog},
    },
    verify::{Verdict, verify_blocks},
};

/// What the writer is doing when the cut comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It makes a new ledger.
    Making,
    /// It opens a ledger, if there is one.
    Opening,
    /// It appends, and so many appends were acknowledged.
    After(usize),
}

const PHASES: [Phase; 11] = [
    Phase::After(40),
    Phase::After(0),
    Phase::Opening,
    Phase::After(7),
    Phase::After(110),
    Phase::Making,
    Phase::After(1),
    Phase::After(23),
    Phase::After(2),
    Phase::After(70),
    Phase::After(150),
];
/// A ledger goes through so many cuts before a new one is made.
const CUTS_PER_LEDGER: usize = 4;

#[test]
fn what_is_acknowledged_survives_a_power_cut() {
    let cuts = number("LUZHANG_POWER_CUTS").unwrap_or(6);
    let Some(fates) = cut("log", cuts) else {
        return;
    };
    println!("{fates:?}");
    assert!(
        fates
            .keys()
            .all(|fate| matches!(fate, Fate::Kept | Fate::NotMade)),
        "{fates:?}"
    );
}

#[test]
fn flush_alone_does_not() {
    let Some(cuts) = number("LUZHANG_POWER_CUT_CONTROL") else {
        skipped(format_args!(
            "SKIPPED: the control runs with LUZHANG_POWER_CUT_CONTROL=20"
        ));
        return;
    };
    let Some(fates) = cut("flush", cuts) else {
        return;
    };
    println!("{fates:?}");
    let lost: usize = fates
        .iter()
        .filter(|(fate, _)| !matches!(fate, Fate::Kept | Fate::NotMade))
        .map(|(_, count)| count)
        .sum();
    assert!(
        lost > 0,
        "the control lost nothing, so the test proves nothing: {fates:?}"
    );
}

fn number(variable: &str) -> Option<usize> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is not a number")),
    )
}

/// What the ledger was like after a cut.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// Every acknowledged block is there, and every hash holds.
    Kept,
    /// It was cut while it was being made, and says so.
    NotMade,
    /// It does not open.
    Refused(&'static str),
    /// It opens, but blocks are not there.
    Lost,
    /// It opens, but hashes do not hold.
    Broken,
}

/// Cuts so often, and counts the fates. `None` where it cannot be done.
fn cut(mode: &str, cuts: usize) -> Option<BTreeMap<Fate, usize>> {
    let python = || disk::run(Command::new("python3").args(["-c", "import fcntl"]));
    let disk = match python().and_then(|()| Disk::new(3 << 30)) {
        Ok(disk) => disk,
        Err(why) => {
            skipped(format_args!("SKIPPED: power cuts ({mode}): {why}"));
            return None;
        }
    };
    let mut fates = BTreeMap::new();
    let (mut dir, mut age) = (ledger(&disk, 0), 0);
    for trial in 0..cuts {
        let phase = PHASES[trial % PHASES.len()];
        if age == CUTS_PER_LEDGER || phase == Phase::Making {
            let _ = fs::remove_dir_all(&dir);
            (dir, age) = (ledger(&disk, trial), 0);
        }
        // Making and opening take longer than an append.
        let unit = match phase {
            Phase::Making | Phase::Opening => 40_000,
            Phase::After(_) => 10_000,
        };
        let delay = u32::from(blake3::hash(&trial.to_le_bytes()).as_bytes()[0]) * unit;
        let acknowledged = cut_while_writing(&disk, &dir, mode, Moment { phase, delay });
        disk.mount().unwrap();
        let fate = fate(&dir, &acknowledged);
        println!(
            "{mode} {trial}: {} acknowledged appends, {fate:?}",
            acknowledged.len()
        );
        age += 1;
        if fate != Fate::Kept {
            let _ = fs::remove_dir_all(&dir);
            (dir, age) = (ledger(&disk, trial + cuts), 0);
        }
        *fates.entry(fate).or_default() += 1;
    }
    Some(fates)
}

fn ledger(disk: &Disk, number: usize) -> PathBuf {
    disk.root().join(format!("ledger-{number}"))
}

/// When to cut.
#[derive(Clone, Copy)]
struct Moment {
    phase: Phase,
    /// Turns of an empty loop after that, so that the cut falls here and there in
    /// what is done next.
    delay: u32,
}

/// Starts the writer, cuts, and returns what was acknowledged: hashes by
/// position. The disk is not mounted afterwards.
fn cut_while_writing(disk: &Disk, dir: &Path, mode: &str, moment: Moment) -> Vec<(u64, String)> {
    let mut switch = Switch::new(&disk.root());
    let mut writer = Guarded(
        Command::new(env!("CARGO_BIN_EXE_power-cut-writer"))
            .arg(dir)
            .arg(mode)
            .stdout(Stdio::piped())
            // It ends with an error, of course.
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let said = BufReader::new(writer.0.stdout.take().unwrap()).lines();
    let (send, receive) = mpsc::channel();
    let listener = thread::spawn(move || {
        let mut acknowledged = Vec::new();
        for line in said.map_while(Result::ok) {
            let (position, chain) = line.split_once(' ').unwrap();
            acknowledged.push((position.parse().unwrap(), chain.to_owned()));
            let _ = send.send(());
        }
        acknowledged
    });
    // The first line says that the ledger is open.
    let lines = match moment.phase {
        Phase::Making | Phase::Opening => 0,
        Phase::After(appends) => appends + 1,
    };
    for _ in 0..lines {
        receive.recv().expect("the writer ended before the cut");
    }
    for _ in 0..moment.delay {
        std::hint::spin_loop();
    }
    switch.cut();
    drop(writer);
    let acknowledged = listener.join().unwrap();
    disk.unmount().unwrap();
    acknowledged
}

fn fate(dir: &Path, acknowledged: &[(u64, String)]) -> Fate {
    let log = match SledLog::open(dir) {
        Ok(log) => log,
        Err(OpenError::NotFound | OpenError::Unfinished) if acknowledged.is_empty() => {
            return Fate::NotMade;
        }
        Err(error) => return Fate::Refused(error.code()),
    };
    let reader = log.reader();
    let verdict = verify_blocks(reader.blocks_from(Position::FIRST), None, |_| {}).verdict;
    if !matches!(verdict, Verdict::SelfConsistent | Verdict::Empty) {
        return Fate::Broken;
    }
    let mut heads = BTreeMap::new();
    for block in reader.blocks_from(Position::FIRST) {
        let head = BlockView::parse(&block.unwrap()).unwrap().head();
        heads.insert(head.position.unwrap().number(), head.chain.to_string());
    }
    let there =
        |(position, chain): &(u64, String)| *position == 0 || heads.get(position) == Some(chain);
    if acknowledged.iter().all(there) {
        Fate::Kept
    } else {
        Fate::Lost
    }
}

/// A process that is killed when dropped.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`, ready to be thrown.
/// An ioctl needs unsafe code in Rust, so Python throws it.
struct Switch(Guarded);

const SWITCH: &str = "
import fcntl, os, struct, sys
disk = os.open(sys.argv[1], os.O_RDONLY)
print('ready', flush=True)
sys.stdin.readline()
fcntl.ioctl(disk, 0x8004587d, struct.pack('I', 2))
";

impl Switch {
    fn new(disk: &Path) -> Self {
        let mut python = Guarded(
            Command::new("python3")
                .args(["-c", SWITCH])
                .arg(disk)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        let mut line = String::new();
        BufReader::new(python.0.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "ready\n");
        Self(python)
    }

    fn cut(&mut self) {
        let mut stdin = self.0.0.stdin.take().unwrap();
        stdin.write_all(b"\n").unwrap();
        drop(stdin);
        assert!(
            self.0.0.wait().unwrap().success(),
            "the file system was not shut down"
        );
    }
}
