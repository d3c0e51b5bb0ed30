//! A backup that somebody wrote anew, checksums and all.

use std::fs;

use luzhang_ledger::{
    block::{BlockBuilder, BlockView, Head},
    verify::Verdict,
};
use serde_json::{Value, json};

use crate::shelves::{
    Scratch, blocks_of, files, fixture, ledger_of, shelve, signed, signer, verified, verify,
};

/// A manifest's text with the checksum that belongs to it, as FORMAT.md says.
fn sealed(mut document: Value) -> String {
    let fields = document.as_object_mut().unwrap();
    fields.shift_remove("check");
    let text = serde_json::to_string_pretty(&document).unwrap();
    let before = format!("{},\n", text.strip_suffix("\n}").unwrap());
    let check = blake3::Hash::from(blake3::derive_key(
        "luzhang 2026 shelf manifest v1",
        before.as_bytes(),
    ));
    format!("{before}  \"check\": \"{check}\"\n}}\n")
}

/// Where every value of a document is.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                places(value, &format!("{here}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                places(value, &format!("{here}/{number}"), found);
            }
        }
        _ => found.push(here.to_owned()),
    }
}

fn another(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_i64().unwrap() + 1),
        Value::Bool(value) => json!(!value),
        Value::String(text) => {
            // Another digit, where it is one.
            let last = if text.ends_with('1') { '2' } else { '1' };
            let cut = text.char_indices().next_back().map_or(0, |(at, _)| at);
            json!(format!("{}{last}", &text[..cut]))
        }
        other => other.clone(),
    }
}

#[test]
fn no_value_of_a_manifest_can_be_another_even_with_its_checksum_computed_anew() {
    let scratch = Scratch::new();
    let root = scratch.at("shelf");
    let export = fixture();
    let (ledger, blocks) = (ledger_of(&export), blocks_of(&export));
    shelve(&root, ledger, &blocks, Some(signed(ledger, &blocks, 9)));
    let path = root.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        sealed(document.clone()),
        text,
        "the test seals as the program does"
    );
    let mut all = Vec::new();
    places(&document, "", &mut all);
    // What nothing on the shelf can prove.
    let unproven = ["/written_by", "/written_at", "/check"];
    let mut tried = 0;
    for place in all
        .iter()
        .filter(|place| !unproven.contains(&place.as_str()))
    {
        let mut forged = document.clone();
        let value = forged.pointer_mut(place).unwrap();
        *value = another(value);
        fs::write(&path, sealed(forged)).unwrap();
        let report = verify(&root);
        assert!(!report.faults.is_empty(), "{place}");
        let exit = report.verdict.exit_code();
        assert!([10, 11].contains(&exit), "{place} {report:?}");
        tried += 1;
    }
    assert!(tried > 30, "{tried}");
    for (name, value) in [("more", json!(1)), ("schema_version", json!(2))] {
        let mut forged = document.clone();
        forged[name] = value;
        fs::write(&path, sealed(forged)).unwrap();
        assert!(!verify(&root).faults.is_empty(), "{name}");
    }
    fs::write(&path, text).unwrap();
    assert_eq!(verify(&root).verdict, Verdict::SelfConsistent);
}

/// The blocks with one event changed in the block of this number, and that block
/// sealed anew; with `all`, everything after it too.
fn rewritten(blocks: &[Vec<u8>], number: usize, all: bool) -> Vec<Vec<u8>> {
    let mut forged: Vec<Vec<u8>> = Vec::new();
    let export = fixture();
    let mut head = Head::genesis(ledger_of(&export));
    for (at, block) in blocks.iter().enumerate() {
        let view = BlockView::parse(block).unwrap();
        if at < number || (at > number && !all) {
            forged.push(block.clone());
            head = view.head();
            continue;
        }
        let mut builder = BlockBuilder::new(head, view.epoch);
        for frame in view.frames() {
            let mut event = frame.unwrap().event.to_vec();
            if at == number {
                // Its salt stands last, or near: the bytes stay an event.
                let last = event.len() - 1;
                event[last] ^= 1;
            }
            builder.push_stored(&event).unwrap().unwrap();
        }
        let sealed = builder.seal();
        head = sealed.head;
        forged.push(sealed.bytes);
    }
    forged
}

#[test]
fn a_block_that_was_written_anew_breaks_the_chain_after_it() {
    let export = fixture();
    let (ledger, blocks) = (ledger_of(&export), blocks_of(&export));
    for number in 1..blocks.len() - 1 {
        let scratch = Scratch::new();
        let root = scratch.at("shelf");
        shelve(&root, ledger, &rewritten(&blocks, number, false), None);
        let report = verify(&root);
        let [fault] = &report.faults[..] else {
            panic!("{report:?}")
        };
        let next = BlockView::parse(&blocks[number + 1]).unwrap().first;
        assert_eq!(fault.position(), Some(next), "{fault:?}");
        // At the start of a file its header shows it first.
        let codes = ["SHELF_CHAIN_BROKEN", "SHELF_FILE_CHANGED"];
        assert!(codes.contains(&fault.code()), "{fault:?}");
        assert!(files(&root).contains(&fault.file().unwrap().to_owned()));
        assert_eq!(report.verdict, Verdict::Tampered);
    }
}

#[test]
fn a_history_that_was_written_anew_is_not_the_one_that_was_signed() {
    let export = fixture();
    let (ledger, blocks) = (ledger_of(&export), blocks_of(&export));
    let size = BlockView::parse(&blocks[2]).unwrap().last().number();
    let checkpoint = signed(ledger, &blocks, usize::try_from(size).unwrap());
    let scratch = Scratch::new();
    let root = scratch.at("shelf");
    shelve(
        &root,
        ledger,
        &rewritten(&blocks, 1, true),
        Some(checkpoint.clone()),
    );
    let report = verify(&root);
    assert_eq!(report.verdict, Verdict::Forked, "{report:?}");
    let [fault] = &report.faults[..] else {
        panic!("{report:?}")
    };
    assert_eq!(fault.code(), "SHELF_CHECKPOINT_DIFFERS");
    assert_eq!(fault.position().unwrap().number(), size);

    // Without the checkpoint it agrees with itself, as any history does; whoever asks
    // for a signature is told that there is none.
    let without = scratch.at("without");
    shelve(&without, ledger, &rewritten(&blocks, 1, true), None);
    assert_eq!(verify(&without).verdict, Verdict::SelfConsistent);
    let key = signer(ledger).verifier().to_string();
    verified(&without, &["--key", &key]).failed(11, "SHELF_NO_CHECKPOINT");
    let forked = verified(&root, &["--key", &key]).ended(10).json();
    assert_eq!(forked["verdict"], "forked");

    // The true one, with the key that signed and with another.
    let sound = scratch.at("sound");
    shelve(&sound, ledger, &blocks, Some(checkpoint));
    let intact = verified(&sound, &["--key", &key]).ended(0).json();
    assert_eq!(intact["verdict"], "intact");
    assert_eq!(intact["checkpoint_size"], size);
    let other = luzhang_ledger::proof::SigningKey::from_seed(
        signer(ledger).verifier().name().clone(),
        luzhang_ledger::proof::note::Purpose::Author,
        &[8; 32],
    );
    let other = other.verifier().to_string();
    verified(&sound, &["--key", &other]).failed(11, "CHECKPOINT_UNSIGNED");
}
