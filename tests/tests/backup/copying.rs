//! A log goes from place to place, block by block as it is.

use std::fs;

use luzhang_ledger::{
    LedgerId, Position,
    block::{BlockBuilder, BlockView, Head},
    export::{ExportWriter, Unfinished},
    log::{
        Log as _,
        copy::{CopyError, IntoLog, SupplyError, copy},
        memory::MemoryStore,
    },
};

use crate::{
    shelves::{Scratch, back_up, blocks_of, export, fixture, from_to, hashes, ledger_of, shelve},
    support::{Bureau, Ledger, Target, run},
};

const COPY: &[&str] = &["log", "copy"];

#[test]
fn a_log_that_went_from_place_to_place_is_the_same_bytes() {
    let ledger = Ledger::new();
    Bureau::demo().import(&ledger.target(), &[]).ended(3);
    let original = export(&ledger.target(), &ledger.file("original.luzhang"));
    let blocks = blocks_of(&original).len();

    let file = ledger.file("copy.luzhang-export");
    let said = from_to(COPY, &ledger.dir(), &file, &[]).ended(0).json();
    assert_eq!(said["blocks"], blocks);
    assert!(fs::read(&file).unwrap() == original, "the export differs");
    assert!(!ledger.file("copy.luzhang-export.unfinished").exists());

    let dir = ledger.file("second");
    let ran = from_to(COPY, &file, &dir, &[]).ended(0);
    assert!(ran.err.contains("BACKUP.md"), "{ran:?}");
    let second = Target::data_dir(&dir);
    let back = export(&second, &ledger.file("back.luzhang"));
    assert!(back == original, "the second export differs");

    // From a backup too, and to where everything is already.
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 4_096).ended(0);
    let of_shelf = ledger.file("shelf.luzhang-export");
    from_to(COPY, &shelf, &of_shelf, &[]).ended(0);
    assert!(fs::read(&of_shelf).unwrap() == original);
    for (from, to) in [(&file, &dir), (&shelf, &dir), (&dir, &file)] {
        let said = from_to(COPY, from, to, &[]).ended(0).json();
        assert_eq!([&said["events"], &said["blocks"]], [0, 0]);
    }
    assert!(fs::read(&file).unwrap() == original);
    // It has no keys, so nobody serves it as it is; with them, it goes on.
    let told = second.run(["audit", "head"]);
    assert_ne!(told.code, 0, "{told:?}");
    copy_keys(&ledger, &dir);
    assert_eq!(second.head(), ledger.target().head());
}

fn copy_keys(ledger: &Ledger, to: &std::path::Path) {
    fs::create_dir(to.join("keys")).unwrap();
    for entry in fs::read_dir(ledger.dir().join("keys")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join("keys").join(entry.file_name())).unwrap();
    }
    fs::copy(ledger.dir().join("kek"), to.join("kek")).unwrap();
}

#[test]
fn a_second_copy_goes_on_where_the_first_ended() {
    let ledger = Ledger::new();
    let (file, dir) = (ledger.file("a.luzhang-export"), ledger.file("a"));
    for to in [&file, &dir] {
        from_to(COPY, &ledger.dir(), to, &[]).ended(0);
    }
    Bureau::demo().import(&ledger.target(), &[]).ended(3);
    for to in [&file, &dir] {
        let said = from_to(COPY, &ledger.dir(), to, &[]).ended(0).json();
        assert!(said["from_position"].as_u64().unwrap() > 1, "{said}");
        assert!(said["events"].as_u64().unwrap() > 100, "{said}");
    }
    let original = export(&ledger.target(), &ledger.file("original.luzhang"));
    assert!(fs::read(&file).unwrap() == original);
    let copied = export(&Target::data_dir(&dir), &ledger.file("copied.luzhang"));
    assert!(copied == original);
}

#[test]
fn another_history_is_not_copied_onto_a_log() {
    let ledger = Ledger::new();
    let early = ledger.file("early");
    from_to(COPY, &ledger.dir(), &early, &[]).ended(0);
    copy_keys(&ledger, &early);
    Bureau::demo().import(&ledger.target(), &[]).ended(3);
    // The same ledger, put back and written to again.
    let forked = Target::data_dir(&early);
    Bureau::demo().import(&forked, &[]).ended(3);
    forked.run(["checkpoint", "sign"]).ended(0);
    let (file, shelf) = (ledger.file("x.luzhang-export"), ledger.file("shelf"));
    from_to(COPY, &ledger.dir(), &file, &[]).ended(0);
    back_up(&ledger.target(), &shelf, 4_096).ended(0);
    let before = fs::read(&file).unwrap();
    from_to(COPY, &early, &file, &[]).failed(10, "COPY_FORKED");
    from_to(COPY, &early, &ledger.dir(), &[]).failed(10, "COPY_FORKED");
    back_up(&forked, &shelf, 4_096).failed(10, "COPY_FORKED");
    assert!(fs::read(&file).unwrap() == before, "something was changed");
    assert!(!ledger.file("x.luzhang-export.unfinished").exists());

    // One that ends before what was copied.
    let short = ledger.file("short");
    from_to(&["restore"], &shelf, &short, &["--until", "5"]).ended(0);
    from_to(COPY, &short, &file, &[]).failed(10, "COPY_SHORTER");
    back_up(&Target::data_dir(&short), &shelf, 4_096).failed(10, "COPY_SHORTER");
    assert!(fs::read(&file).unwrap() == before, "something was changed");

    let other = Ledger::new();
    from_to(COPY, &other.dir(), &file, &[]).failed(6, "COPY_OTHER_LEDGER");
    from_to(COPY, &other.dir(), &early, &[]).failed(6, "COPY_OTHER_LEDGER");
    back_up(&other.target(), &shelf, 4_096).failed(6, "SHELF_OTHER_LEDGER");
    back_up(&other.target(), &ledger.dir(), 4_096).failed(6, "SHELF_NOT_EMPTY");
    from_to(COPY, &other.dir(), &shelf, &[]).failed(2, "USAGE");
    let nowhere = other.file("nowhere");
    from_to(COPY, &nowhere, &other.file("b"), &[]).failed(5, "LEDGER_NOT_FOUND");
    let url = run(["log", "copy", "--from", "http://127.0.0.1:1", "--to", "x"]);
    assert_eq!(url.code, 2, "{url:?}");
}

/// A changed byte of a source is found before it arrives.
#[test]
fn a_source_that_does_not_hold_is_not_copied() {
    let scratch = Scratch::new();
    let export = fixture();
    let file = scratch.at("spoilt.luzhang-export");
    for at in (0..export.len()).step_by(97) {
        let mut spoilt = export.clone();
        spoilt[at] ^= 4;
        fs::write(&file, &spoilt).unwrap();
        let to = scratch.at("copy.luzhang-export");
        let said = from_to(COPY, &file, &to, &[]);
        assert!([10, 11].contains(&said.code), "{at} {said:?}");
        assert!(said.err.contains("LOG_UNVERIFIED"), "{at} {said:?}");
        assert!(!to.exists(), "{at}");
    }
}

fn supply(blocks: &[Vec<u8>]) -> impl Iterator<Item = Result<Vec<u8>, SupplyError>> + Send {
    blocks.iter().cloned().map(Ok)
}

/// Whatever of an export file is there, the rest comes after it.
#[test]
fn an_export_that_was_cut_at_any_byte_is_finished_to_the_same_bytes() {
    let export = fixture();
    let (ledger, blocks) = (ledger_of(&export), blocks_of(&export));
    let last = |blocks: &[Vec<u8>]| BlockView::parse(blocks.last().unwrap()).unwrap().last();
    for cut in 0..=export.len() {
        let mut there = export[..cut].to_vec();
        // A torn write, not a clean cut.
        there.extend([0xA5; 7]);
        let there = if cut == export.len() {
            export.clone()
        } else {
            there
        };
        let Ok(kept) = Unfinished::read(&there[..], ledger) else {
            assert!(cut < 32, "{cut}");
            continue;
        };
        let mut writer = match kept {
            Some(kept) => there.truncate_to(kept.bytes, |there| ExportWriter::resume(there, kept)),
            None => ExportWriter::new(Vec::new(), ledger).unwrap(),
        };
        let end = writer.head().position;
        let from = match end {
            None => 0,
            Some(end) => blocks
                .iter()
                .position(|block| BlockView::parse(block).unwrap().last() == end)
                .unwrap(),
        };
        let copied = copy(supply(&blocks[from..]), ledger, &mut writer, None, |_| {}).unwrap();
        assert_eq!(copied.to.position, Some(last(&blocks)));
        assert!(writer.finish().unwrap().0 == export, "{cut}");
    }
}

/// A vector cut to a length, handed on.
trait Truncate: Sized {
    fn truncate_to<T>(self, length: u64, then: impl FnOnce(Self) -> T) -> T;
}

impl Truncate for Vec<u8> {
    fn truncate_to<T>(mut self, length: u64, then: impl FnOnce(Self) -> T) -> T {
        self.truncate(usize::try_from(length).unwrap());
        then(self)
    }
}

/// Every position of a log: copied up to it, the events are the same and the chain
/// holds; and what a log that was cut inside a block says to what comes after.
#[test]
fn a_log_is_copied_up_to_any_position() {
    let export = fixture();
    let (ledger, blocks) = (ledger_of(&export), blocks_of(&export));
    let hashes = hashes(&blocks);
    let ends: Vec<Position> = blocks
        .iter()
        .map(|block| BlockView::parse(block).unwrap().last())
        .collect();
    let mut inside = 0;
    for (hash, number) in hashes.iter().zip(1..) {
        let until = Position::new(number).unwrap();
        let store = MemoryStore::new(ledger);
        let mut log = store.open().unwrap();
        let mut into = IntoLog(&mut log);
        copy(supply(&blocks), ledger, &mut into, Some(until), |_| {}).unwrap();
        assert_eq!(log.head().position, Some(until));
        assert_eq!(log.head().chain, *hash, "{number}");
        let again = luzhang_ledger::verify::verify_blocks(
            log.reader().blocks_from(Position::FIRST),
            None,
            |_| {},
        );
        assert_eq!(again.events, number, "{again:?}");
        assert_eq!(again.finding, None);

        // Going on to the end.
        let at = ends.iter().position(|end| *end >= until).unwrap();
        let mut into = IntoLog(&mut log);
        let on = copy(supply(&blocks[at..]), ledger, &mut into, None, |_| {});
        if ends.contains(&until) {
            assert_eq!(on.unwrap().to.position, ends.last().copied());
        } else {
            assert!(matches!(on, Err(CopyError::Cut { position }) if position == until));
            assert_eq!(log.head().position, Some(until), "nothing was written");
            inside += 1;
        }
    }
    assert!(inside > 10, "{inside} positions inside of blocks");
}

/// What is wrong at the seam has its own name each.
#[test]
fn the_seam_between_two_copies_is_looked_at() {
    let export = fixture();
    let (ledger, blocks) = (ledger_of(&export), blocks_of(&export));
    let begun = |count: usize| {
        let store = MemoryStore::new(ledger);
        let mut log = store.open().unwrap();
        let mut into = IntoLog(&mut log);
        copy(supply(&blocks[..count]), ledger, &mut into, None, |_| {}).unwrap();
        log
    };
    let tried = |from: &[Vec<u8>]| {
        let mut log = begun(3);
        let head = log.head();
        let copied = copy(supply(from), ledger, &mut IntoLog(&mut log), None, |_| {});
        if copied.is_err() {
            assert_eq!(log.head(), head, "nothing was written");
        }
        copied
    };
    assert!(tried(&blocks[2..]).is_ok());
    assert!(matches!(tried(&[]), Err(CopyError::Shorter { .. })));
    let mut spoilt = blocks[2].clone();
    spoilt[300] ^= 1;
    assert!(matches!(tried(&[spoilt]), Err(CopyError::Broken(_))));
    // Another block there: the same events by a later writer.
    let view = BlockView::parse(&blocks[2]).unwrap();
    let before = BlockView::parse(&blocks[1]).unwrap().head();
    let mut builder = BlockBuilder::new(before, view.epoch + 1);
    for frame in view.frames() {
        builder.push_stored(frame.unwrap().event).unwrap().unwrap();
    }
    let same_events = builder.seal().bytes;
    assert!(matches!(tried(&[same_events]), Err(CopyError::Cut { .. })));
    let mut builder = BlockBuilder::new(before, view.epoch);
    for frame in view.frames() {
        let mut event = frame.unwrap().event.to_vec();
        *event.last_mut().unwrap() ^= 1;
        builder.push_stored(&event).unwrap().unwrap();
    }
    let other_events = builder.seal().bytes;
    assert!(matches!(
        tried(&[other_events]),
        Err(CopyError::Forked { .. })
    ));
    // A gap after it.
    let gap = [blocks[2].clone(), blocks[4].clone()];
    assert!(matches!(tried(&gap), Err(CopyError::Broken(_))));

    let other = LedgerId::new(uuid::Uuid::from_u128(9));
    let store = MemoryStore::new(other);
    let mut log = store.open().unwrap();
    let copied = copy(supply(&blocks), other, &mut IntoLog(&mut log), None, |_| {});
    assert!(matches!(copied, Err(CopyError::OtherLedger { .. })));
    assert_eq!(log.head(), Head::genesis(other));
}

/// A shelf of no events is one all the same.
#[test]
fn a_ledger_without_events_has_a_backup_without_events() {
    let scratch = Scratch::new();
    let root = scratch.at("shelf");
    let ledger = LedgerId::new(uuid::Uuid::from_u128(5));
    shelve(&root, ledger, &[], None);
    let report = crate::shelves::verified(&root, &[]).ended(11).json();
    assert_eq!(report["verdict"], "empty");
    from_to(&["restore"], &root, &scratch.at("x"), &[]).failed(11, "LOG_UNVERIFIED");
}
