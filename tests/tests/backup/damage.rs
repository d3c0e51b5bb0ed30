//! A backup on its shelf is spoilt in every way: found, and named by file, byte and
//! event.

use std::{fs, path::Path};

use luzhang_ledger::{
    Position,
    block::{self, BlockView},
    log::{
        backup::{Remark, Shelf, ShelfFault, ShelfReport, ShelfWriter},
        copy::Target as _,
    },
    verify::Verdict,
};

use crate::{
    shelves::{
        Scratch, blocks_of, copy_of, files, fixture, ledger_of, shelve, signed, stamp, verified,
        verify,
    },
    support::Dice,
};

/// A part of a run: where it is, and the event that is named for a fault in it.
#[derive(Clone, Copy, Debug)]
struct Part {
    start: usize,
    end: usize,
    event: u64,
    /// Whether a fault is named to the byte.
    exact: bool,
}

/// The parts of a run, by the table of FORMAT.md.
fn parts(run: &[u8]) -> Vec<Part> {
    let mut event = u64::from_le_bytes(run[32..40].try_into().unwrap()) + 1;
    let mut parts = vec![Part {
        start: 0,
        end: 128,
        event,
        exact: true,
    }];
    let mut start = 128;
    while start < run.len() {
        let length = u32::from_le_bytes(run[start..start + 4].try_into().unwrap());
        if length == 0 {
            for (end, exact) in [(start + 4, false), (run.len(), true)] {
                parts.push(Part {
                    start,
                    end,
                    event,
                    exact,
                });
                start = end;
            }
            break;
        }
        let end = start + 12 + length as usize;
        parts.push(Part {
            start,
            end,
            event,
            exact: false,
        });
        let block = block::from_stored(&run[start + 12..end]).unwrap();
        event = BlockView::parse(&block).unwrap().last().number() + 1;
        start = end;
    }
    parts
}

/// A shelf of some sealed files and an open one, with a checkpoint.
fn shelf(root: &Path) {
    let export = fixture();
    let (ledger, blocks) = (ledger_of(&export), blocks_of(&export));
    let checkpoint = signed(ledger, &blocks, 9);
    shelve(root, ledger, &blocks, Some(checkpoint));
    let report = verify(root);
    assert_eq!(report.verdict, Verdict::SelfConsistent, "{report:?}");
    assert!(report.remarks.is_empty(), "{report:?}");
    assert!(files(root).len() > 3, "{:?}", files(root));
    assert!(is_open(root), "sealed files, and an open one");
}

fn is_open(root: &Path) -> bool {
    let shelf = Shelf::open(root).unwrap();
    shelf
        .manifest()
        .files
        .last()
        .is_some_and(|file| !file.sealed)
}

fn only(report: &ShelfReport) -> &ShelfFault {
    assert_eq!(report.faults.len(), 1, "{report:?}");
    &report.faults[0]
}

#[test]
fn every_byte_of_a_backup_counts_and_is_named() {
    let scratch = Scratch::new();
    let root = scratch.at("shelf");
    shelf(&root);
    for file in files(&root) {
        let path = root.join(&file);
        let sound = fs::read(&path).unwrap();
        let parts = if file == "manifest.json" {
            Vec::new()
        } else {
            parts(&sound)
        };
        for at in 0..sound.len() {
            let mut spoilt = sound.clone();
            spoilt[at] ^= 1 << (at % 8);
            fs::write(&path, &spoilt).unwrap();
            let report = verify(&root);
            assert_eq!(report.verdict, Verdict::Tampered, "{file} {at} {report:?}");
            let fault = only(&report);
            assert_eq!(fault.file(), Some(file.as_str()), "{at} {fault:?}");
            let Some(part) = parts
                .iter()
                .find(|part| (part.start..part.end).contains(&at))
            else {
                assert_eq!(fault.code(), "SHELF_MANIFEST_DAMAGED", "{at}");
                continue;
            };
            assert_eq!(fault.code(), "SHELF_FILE_CHANGED", "{file} {at} {fault:?}");
            let named = usize::try_from(fault.offset().unwrap()).unwrap();
            let expected = if part.exact { at } else { part.start };
            assert_eq!(named, expected, "{file} {at} {fault:?}");
            let event = fault.position().unwrap().number();
            assert_eq!(event, part.event, "{file} {at} {fault:?}");
        }
        fs::write(&path, sound).unwrap();
    }
    assert_eq!(verify(&root).verdict, Verdict::SelfConsistent);
}

#[test]
fn a_file_that_was_cut_anywhere_is_named_with_the_first_event_that_is_missing() {
    let scratch = Scratch::new();
    let root = scratch.at("shelf");
    shelf(&root);
    for file in files(&root) {
        let path = root.join(&file);
        let sound = fs::read(&path).unwrap();
        for length in 0..sound.len() {
            fs::write(&path, &sound[..length]).unwrap();
            let report = verify(&root);
            let fault = only(&report);
            assert_eq!(fault.file(), Some(file.as_str()), "{length} {fault:?}");
            assert_eq!(report.verdict.exit_code(), 10, "{file} {length}");
            if file == "manifest.json" {
                assert_eq!(fault.code(), "SHELF_MANIFEST_DAMAGED");
                continue;
            }
            assert_eq!(fault.code(), "SHELF_FILE_SHORT", "{length} {fault:?}");
            let whole = parts(&sound);
            let whole = whole.iter().filter(|part| part.end <= length);
            let missing = whole.count();
            let event = parts(&sound)[missing].event;
            assert_eq!(fault.position().unwrap().number(), event, "{file} {length}");
        }
        fs::write(&path, sound).unwrap();
    }
}

#[test]
fn files_that_are_gone_too_many_or_in_each_others_place_are_named() {
    let scratch = Scratch::new();
    let root = scratch.at("shelf");
    shelf(&root);
    let all = files(&root);
    let runs = &all[..all.len() - 1];
    for file in &all {
        let spoilt = scratch.at("gone");
        copy_of(&root, &spoilt);
        fs::remove_file(spoilt.join(file)).unwrap();
        let report = verify(&spoilt);
        let code = if file == "manifest.json" {
            "SHELF_MANIFEST_MISSING"
        } else {
            "SHELF_FILE_MISSING"
        };
        assert_eq!(only(&report).code(), code, "{file}");
        fs::remove_dir_all(spoilt).unwrap();
    }
    for stranger in [
        "notes.txt",
        "runs/notes.txt",
        "runs/00000000000000000002.run",
    ] {
        let spoilt = scratch.at("more");
        copy_of(&root, &spoilt);
        fs::write(spoilt.join(stranger), "x").unwrap();
        let report = verify(&spoilt);
        assert_eq!(only(&report).code(), "SHELF_FILE_EXTRA");
        assert_eq!(only(&report).file(), Some(stranger));
        assert_eq!(report.verdict.exit_code(), 10);
        fs::remove_dir_all(spoilt).unwrap();
    }
    let spoilt = scratch.at("swapped");
    copy_of(&root, &spoilt);
    fs::copy(root.join(&runs[0]), spoilt.join(&runs[1])).unwrap();
    fs::copy(root.join(&runs[1]), spoilt.join(&runs[0])).unwrap();
    let report = verify(&spoilt);
    let named: Vec<_> = report.faults.iter().map(ShelfFault::file).collect();
    assert_eq!(named, [Some(runs[0].as_str()), Some(runs[1].as_str())]);
}

/// One bad file does not hide the next.
#[test]
fn every_file_with_a_fault_is_named() {
    let scratch = Scratch::new();
    let root = scratch.at("shelf");
    shelf(&root);
    let all = files(&root);
    let runs = &all[..all.len() - 1];
    assert!(runs.len() >= 3, "{runs:?}");
    for file in runs {
        let mut bytes = fs::read(root.join(file)).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(root.join(file), bytes).unwrap();
    }
    let report = verify(&root);
    let named: Vec<_> = report.faults.iter().filter_map(ShelfFault::file).collect();
    assert_eq!(named, runs);
    // Its blocks hold, the last byte of its checksum does not.
    let sound = report.chain.events;
    let first = report.faults[0].position().unwrap().number();
    assert_eq!(sound + 1, first, "as far as the chain was followed");
}

/// What a killed run leaves behind the open file, or as the next one, counts for
/// nothing; the same bytes behind a sealed file are a fault.
#[test]
fn what_was_left_unfinished_harms_nothing_and_is_written_over() {
    let scratch = Scratch::new();
    let export = fixture();
    let (ledger, blocks) = (ledger_of(&export), blocks_of(&export));
    // As many as leave a file open.
    let root = scratch.at("shelf");
    let mut some = blocks.len();
    while some == blocks.len() || !is_open(&root) {
        some -= 1;
        let _fresh = fs::remove_dir_all(&root);
        shelve(&root, ledger, &blocks[..some], None);
    }
    let rest = &blocks[some..];
    let all = files(&root);
    let [sealed, open] = [&all[0], &all[all.len() - 2]];
    let append = |file: &str| {
        let mut bytes = fs::read(root.join(file)).unwrap();
        let length = bytes.len() as u64;
        bytes.extend([0xEE; 100]);
        fs::write(root.join(file), bytes).unwrap();
        length
    };
    let from = append(open);
    fs::write(root.join("manifest.json.new"), "{").unwrap();
    let report = verify(&root);
    assert_eq!(report.verdict, Verdict::SelfConsistent, "{report:?}");
    let left = |file: &str, from| Remark::Unfinished {
        file: file.to_owned(),
        from,
    };
    let expected = [left(open, from), left("manifest.json.new", 0)];
    assert_eq!(report.remarks, expected);
    shelve(&root, ledger, rest, None);
    let report = verify(&root);
    assert_eq!(report.verdict, Verdict::SelfConsistent, "{report:?}");
    assert!(report.remarks.is_empty(), "{report:?}");

    let length = append(sealed);
    let report = verify(&root);
    assert_eq!(only(&report).code(), "SHELF_FILE_CHANGED");
    assert_eq!(only(&report).offset(), Some(length));
}

/// The command says what the library finds.
#[test]
fn the_command_names_file_byte_and_event_and_says_what_to_do() {
    let scratch = Scratch::new();
    let root = scratch.at("shelf");
    shelf(&root);
    let sound = verified(&root, &[]).ended(0).json();
    assert_eq!(sound["verdict"], "self_consistent");
    assert_eq!(sound["faults"].as_array().unwrap().len(), 0);

    let file = &files(&root)[1];
    let mut bytes = fs::read(root.join(file)).unwrap();
    bytes[200] ^= 0x10;
    fs::write(root.join(file), bytes).unwrap();
    let found = verified(&root, &[]).ended(10).json();
    assert_eq!(found["verdict"], "tampered");
    let fault = &found["faults"][0];
    assert_eq!(fault["code"], "SHELF_FILE_CHANGED");
    assert_eq!(fault["file"], file.as_str());
    assert_eq!(fault["offset"], 128);
    assert!(fault["position"].is_u64(), "{found}");

    let shown = root.to_str().unwrap();
    for (lang, words) in [("en", "another copy"), ("zh", "另一份副本")] {
        let said = crate::support::run(["backup", "verify", shown, "--lang", lang]).ended(10);
        let line = said
            .out
            .lines()
            .find(|line| line.contains("SHELF_FILE_CHANGED"));
        let line = line.unwrap_or_else(|| panic!("{said:?}"));
        assert!(line.contains(file) && line.contains(words), "{line}");
    }
    fs::remove_file(root.join("manifest.json")).unwrap();
    let found = verified(&root, &[]).ended(11).json();
    assert_eq!(found["faults"][0]["code"], "SHELF_MANIFEST_MISSING");
    verified(&scratch.at("nothing"), &[]).failed(5, "SHELF_NOT_FOUND");
}

/// In however many runs, with files of whatever size, and whatever was left by runs that
/// were killed between them.
#[test]
fn however_a_log_is_backed_up_the_shelf_has_its_blocks() {
    let export = fixture();
    let (ledger, blocks) = (ledger_of(&export), blocks_of(&export));
    let mut dice = Dice::new("backups");
    for round in 0..60 {
        let scratch = Scratch::new();
        let root = scratch.at("shelf");
        let mut done = 0;
        while done < blocks.len() {
            let bytes = 1_024 + dice.below(6_000);
            let more = usize::try_from(dice.below(4)).unwrap();
            let end = (done + more).min(blocks.len());
            let mut writer = ShelfWriter::open(&root, ledger, stamp(), bytes).unwrap();
            let here = writer.head().position.map_or(0, Position::number);
            writer.append(blocks[done..end].to_vec()).unwrap();
            if dice.below(4) > 0 {
                let size = dice.below(end as u64 + 1);
                let size = usize::try_from(size).unwrap();
                writer.finish(Some(signed(ledger, &blocks, size))).unwrap();
                done = end;
            } else {
                // Killed: what was sealed is there, what was not yet said is not.
                drop(writer);
                let sealed = Shelf::open(&root).unwrap().manifest().head;
                assert!(sealed.position.map_or(0, Position::number) >= here);
                done = usize::try_from(sealed.height).unwrap();
            }
            let report = verify(&root);
            assert!(report.faults.is_empty(), "{round}: {report:?}");
            assert_eq!(report.chain.events, events(&blocks[..done]), "{round}");
        }
        for shelf in [Shelf::open(&root), Shelf::without_manifest(&root)] {
            let shelf = shelf.unwrap();
            for (at, from) in [
                (0, 1),
                (2, events(&blocks[..2]) + 1),
                (3, events(&blocks[..4])),
            ] {
                let from = Position::new(from).unwrap();
                let read = shelf.blocks(from, None).map(Result::unwrap);
                assert!(read.eq(blocks[at..].iter().cloned()), "{round} from {from}");
            }
        }
        let again = ShelfWriter::open(&root, ledger, stamp(), 1_024).unwrap();
        assert_eq!(
            again.head().position.map(Position::number),
            Some(events(&blocks))
        );
    }
}

fn events(blocks: &[Vec<u8>]) -> u64 {
    let last = blocks
        .last()
        .map(|block| BlockView::parse(block).unwrap().last());
    last.map_or(0, Position::number)
}
