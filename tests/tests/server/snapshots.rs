//! Snapshots: a start from one is as a start from the beginning, and what does not
//! fit the log to the last byte is not used.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use luzhang_ledger::block;
use luzhang_projections::{
    pack::LUZHOU_2023,
    projection::{Projections, Status},
};
use luzhang_proto::wire;
use luzhang_server::{
    Engine, EngineError, Limits, Snapshots,
    checkpoints::Proofs,
    engine::{Genesis, Options},
    snapshots::Cadence,
};
use uuid::Uuid;

use crate::{
    commands::{Commanded, course, erasure, listed, receipt, shown},
    site::{Site, ledger_id, test},
    submit::story,
};

/// None but at the end, and then always.
const AT_END: Cadence = Cadence {
    events: u64::MAX,
    at_end: 1,
    look: Duration::from_hours(1),
};

/// None is made; those that are there are used.
const NEVER: Cadence = Cadence {
    at_end: u64::MAX,
    ..AT_END
};

fn with(cadence: Cadence) -> Options {
    Options {
        snapshots: Snapshots::On(cadence),
        ..Options::default()
    }
}

fn without() -> Options {
    Options {
        snapshots: Snapshots::Off,
        ..Options::default()
    }
}

fn create(dir: &Path, id: luzhang_ledger::LedgerId, options: Options) -> Engine {
    let genesis = Genesis {
        ledger: id,
        pack: Some(LUZHOU_2023.as_bytes().to_vec()),
        origin: None,
        mandates: Vec::new(),
    };
    Engine::create(dir, genesis, options).unwrap()
}

/// What a start came to.
struct Opened {
    engine: Engine,
    /// The first position up to which it read the log; `None` if it read nothing.
    read: Option<u64>,
}

impl Opened {
    fn statuses(&self) -> Vec<Status> {
        self.engine.peek(Projections::statuses)
    }
}

fn try_open(dir: &Path, options: Options) -> Result<Opened, EngineError> {
    let mut read = None;
    let engine = Engine::open(dir, options, |done, _| {
        read.get_or_insert(done);
    })?;
    Ok(Opened { engine, read })
}

fn open(dir: &Path, options: Options) -> Opened {
    try_open(dir, options).unwrap()
}

/// Positions of the snapshots in a data directory.
fn kept(dir: &Path) -> Vec<u64> {
    let entries = fs::read_dir(dir.join("snapshots")).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut kept: Vec<u64> = names.map(|name| name.parse().unwrap_or(0)).collect();
    kept.sort_unstable();
    kept
}

fn file(dir: &Path, position: u64) -> PathBuf {
    dir.join("snapshots").join(format!("{position:020}"))
}

/// Serves a ledger while `work` is done.
async fn serve(
    engine: Engine,
    scratch: tempfile::TempDir,
    work: impl AsyncFnOnce(&Site),
) -> tempfile::TempDir {
    let site = Site::serve(engine, Limits::default(), scratch).await;
    work(&site).await;
    site.close().await
}

/// A ledger with a snapshot of all its events; how many those are, and the statuses.
async fn told(dir: &Path, scratch: tempfile::TempDir) -> (tempfile::TempDir, u64, Vec<Status>) {
    let engine = create(dir, ledger_id(), with(AT_END));
    let scratch = serve(engine, scratch, async |site| {
        for (command, _) in story() {
            let _rejected = site.submit(command).await;
        }
        site.engine.attest().await.unwrap();
    })
    .await;
    let opened = open(dir, with(NEVER));
    assert_eq!(opened.read, None, "the snapshot was not used");
    let end = opened.engine.head().position.unwrap().number();
    let statuses = opened.statuses();
    (scratch, end, statuses)
}

#[test]
fn a_start_from_a_snapshot_is_as_one_from_the_beginning() {
    test(async {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("ledger");
        let engine = create(&dir, ledger_id(), with(AT_END));
        let mut originals = Vec::new();
        let mut scratch = serve(engine, scratch, async |site| {
            for (command, _) in story() {
                if let Ok(outcome) = site.submit(command.clone()).await {
                    originals.push((command, outcome));
                }
            }
        })
        .await;
        for round in 0..3_u8 {
            let before = kept(&dir);
            let opened = open(&dir, with(AT_END));
            assert_eq!(opened.read, None, "round {round}");
            let end = opened.engine.head().position.unwrap().number();
            assert_eq!(before.last(), Some(&end));
            assert!(before.len() <= 2, "{before:?}");
            scratch = serve(opened.engine, scratch, async |site| {
                for (command, original) in &originals {
                    let again = site.submit(command.clone()).await.unwrap();
                    let expected = wire::Outcome {
                        replayed: true,
                        ..original.clone()
                    };
                    assert_eq!(again, expected);
                }
                let command = course(&format!("PX-9{round}")).command();
                let outcome = site.submit(command.clone()).await.unwrap();
                assert_eq!(shown(&outcome), "accepted");
                assert_eq!(receipt(&outcome).position, end + 1);
                originals.push((command, outcome));
                site.engine.attest().await.unwrap();
            })
            .await;
        }
        let from_snapshot = open(&dir, with(NEVER));
        let statuses = from_snapshot.statuses();
        assert_eq!(from_snapshot.read, None);
        drop(from_snapshot);
        let from_genesis = open(&dir, without());
        assert!(from_genesis.read.is_some());
        assert_eq!(from_genesis.statuses(), statuses);
        assert!(kept(&dir).is_empty(), "off removes them");
        drop(scratch);
    });
}

#[test]
fn a_snapshot_with_a_byte_changed_is_not_used() {
    test(async {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("ledger");
        let (_scratch, end, statuses) = told(&dir, scratch).await;
        let path = file(&dir, end);
        let whole = fs::read(&path).unwrap();
        let edges = (0..300).step_by(12).chain(whole.len() - 40..whole.len());
        let inside = (300..whole.len() - 40).step_by(whole.len() / 40);
        for place in edges.step_by(2).chain(inside) {
            let mut wrong = whole.clone();
            wrong[place] ^= 1;
            fs::write(&path, wrong).unwrap();
            let opened = open(&dir, with(NEVER));
            assert!(opened.read.is_some(), "byte {place}");
            assert_eq!(opened.statuses(), statuses, "byte {place}");
        }
        for wrong in [&whole[..0], &whole[..100], &whole[..whole.len() - 1]] {
            fs::write(&path, wrong).unwrap();
            assert_eq!(open(&dir, with(NEVER)).statuses(), statuses);
        }
        fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
        assert!(open(&dir, with(NEVER)).read.is_some());
        fs::write(&path, whole).unwrap();
        assert_eq!(open(&dir, with(NEVER)).read, None);
    });
}

#[test]
fn a_snapshot_that_does_not_fit_the_log_is_not_used() {
    test(async {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("ledger");
        let (scratch, end, statuses) = told(&dir, scratch).await;
        let earlier = scratch.path().join("earlier");
        copy(&dir, &earlier);

        // From the future: the log does not go so far.
        let site = open(&dir, with(AT_END)).engine;
        let scratch = serve(site, scratch, async |site| {
            site.record([course("PX-7").command()]).await;
        })
        .await;
        let later = *kept(&dir).last().unwrap();
        assert!(later > end);
        fs::copy(file(&dir, later), file(&earlier, later)).unwrap();
        fs::remove_file(file(&earlier, end)).unwrap();
        let opened = open(&earlier, with(NEVER));
        assert!(opened.read.is_some());
        assert_eq!(opened.statuses(), statuses);

        // Of another history under the same keys.
        let scratch = serve(opened.engine, scratch, async |site| {
            let others = (0..u64::max(1, later - end)).map(|n| course(&format!("PX-8{n}")));
            site.record(others.map(Commanded::command)).await;
        })
        .await;
        fs::copy(file(&dir, later), file(&earlier, later)).unwrap();
        let opened = open(&earlier, with(NEVER));
        assert!(opened.engine.head().position.unwrap().number() >= later);
        assert!(opened.read.is_some(), "a snapshot of a fork was used");
        drop(opened);

        // Of another ledger, with other keys.
        let other = scratch.path().join("other");
        let id = luzhang_ledger::LedgerId::new(Uuid::from_u128(77));
        create(&other, id, with(NEVER)).close();
        let position = open(&other, with(NEVER)).engine.head().position.unwrap();
        fs::create_dir_all(other.join("snapshots")).unwrap();
        fs::copy(file(&dir, later), file(&other, position.number())).unwrap();
        assert!(open(&other, with(NEVER)).read.is_some());
        // One of ours under another position's name is not taken either.
        fs::rename(file(&dir, later), file(&dir, end)).unwrap();
        assert!(open(&dir, with(NEVER)).read.is_some());
    });
}

#[test]
fn what_an_interrupted_writing_left_is_cleared_away() {
    test(async {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("ledger");
        let (_scratch, end, statuses) = told(&dir, scratch).await;
        let new = dir.join("snapshots/new");
        fs::write(&new, b"half of it").unwrap();
        let opened = open(&dir, with(NEVER));
        assert_eq!(opened.read, None);
        assert_eq!(opened.statuses(), statuses);
        assert!(!new.exists());
        assert_eq!(kept(&dir), [end]);
    });
}

#[test]
fn what_was_changed_after_a_snapshot_is_found_at_the_start() {
    test(async {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("ledger");
        let (scratch, end, _) = told(&dir, scratch).await;
        let opened = open(&dir, with(NEVER));
        let _scratch = serve(opened.engine, scratch, async |site| {
            site.record((0..4).map(|n| course(&format!("PX-7{n}")).command()))
                .await;
        })
        .await;
        let opened = open(&dir, with(NEVER));
        assert!(opened.read > Some(end), "the rest is read");
        drop(opened);
        // The first block after the snapshot; the last one is looked at in any case.
        let store = sled::Config::default()
            .path(dir.join("db"))
            .segment_size(16 << 20)
            .open()
            .unwrap();
        let (key, value) = store.get_gt(end.to_be_bytes()).unwrap().unwrap();
        let mut bytes = block::from_stored(&value).unwrap();
        let frame = block::HEADER_LEN + block::FRAME_HEADER_LEN;
        bytes[frame + 40] ^= 1;
        store.insert(key, block::to_stored(&bytes)).unwrap();
        store.flush().unwrap();
        drop(store);
        let found = try_open(&dir, with(NEVER)).map(drop);
        assert!(matches!(found, Err(EngineError::Replay(_))), "{found:?}");
    });
}

#[test]
fn what_was_signed_must_be_in_the_tree_of_a_snapshot() {
    test(async {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("ledger");
        // `told` has signed a checkpoint over its end.
        let (scratch, end, statuses) = told(&dir, scratch).await;
        // Without tiles it is proven from the log.
        for level in 0..8 {
            fs::write(dir.join("tree").join(level.to_string()), b"").unwrap();
        }
        let opened = open(&dir, with(NEVER));
        assert_eq!(opened.read, None);
        assert_eq!(opened.statuses(), statuses);
        drop(opened);
        // Other tiles lead nowhere: everything is read, and they are made anew.
        let leaves = dir.join("tree/0");
        let whole = fs::read(&leaves).unwrap();
        let mut wrong = whole.clone();
        wrong[33] ^= 1;
        fs::write(&leaves, &wrong).unwrap();
        let opened = open(&dir, with(NEVER));
        assert!(opened.read.is_some());
        assert_eq!(opened.statuses(), statuses);
        drop(opened);
        assert_eq!(fs::read(&leaves).unwrap(), whole);
        // A checkpoint of another history is found as ever.
        let other = scratch.path().join("other");
        copy(&dir, &other);
        let opened = open(&other, without());
        assert_eq!(opened.statuses(), statuses);
        let scratch = serve(opened.engine, scratch, async |site| {
            site.record([course("PX-66").command()]).await;
            site.engine.attest().await.unwrap();
        })
        .await;
        let opened = open(&dir, with(NEVER));
        let scratch = serve(opened.engine, scratch, async |site| {
            let others = (0..9).map(|n| course(&format!("PX-6{n}")).command());
            site.record(others).await;
        })
        .await;
        fs::copy(other.join("tree/checkpoint"), dir.join("tree/checkpoint")).unwrap();
        for options in [with(NEVER), without()] {
            let found = try_open(&dir, options).map(drop);
            let forked = matches!(found, Err(EngineError::SignedOther { size }) if size > end);
            assert!(forked, "{found:?}");
        }
        drop(scratch);
    });
}

#[test]
fn snapshots_are_made_beside_the_writer_and_none_outlives_an_erasure() {
    test(async {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("ledger");
        let cadence = Cadence {
            events: 20,
            at_end: u64::MAX,
            look: Duration::from_millis(1),
        };
        for proofs in [Proofs::OnDemand, Proofs::Off] {
            let _ = fs::remove_dir_all(&dir);
            let options = || Options {
                proofs: proofs.clone(),
                ..with(cadence)
            };
            let engine = create(&dir, ledger_id(), options());
            let scratch = tempfile::tempdir().unwrap();
            let scratch = serve(engine, scratch, async |site| {
                let mut number = 0;
                // As long as it takes.
                let mut until = async |enough: &dyn Fn(&[u64]) -> bool| {
                    while !enough(&kept(&dir)) {
                        number += 1;
                        site.record([course(&format!("PX-{number}")).command()])
                            .await;
                    }
                };
                until(&|kept| kept.len() == 2).await;
                site.record([listed(1).command()]).await;
                let erased = site.record([erasure(1).command()]).await[0];
                until(&|kept| !kept.is_empty() && kept.iter().all(|p| *p >= erased)).await;
            })
            .await;
            let statuses = open(&dir, with(NEVER)).statuses();
            let opened = open(&dir, options());
            let newest = kept(&dir).last().copied();
            assert!(opened.read.is_none() || opened.read > newest);
            assert_eq!(opened.statuses(), statuses);
            drop(opened);
            assert_eq!(open(&dir, without()).statuses(), statuses);
            drop(scratch);
        }
    });
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
