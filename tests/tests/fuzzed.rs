//! What fuzzing has found stays found: every input of `fuzz/corpus` for what is
//! recorded, without libFuzzer. Proofs are with `ledger`, tables and the bank's
//! answers with the command line.

#![cfg(test)]

use std::{fs, path::Path};

#[allow(
    unreachable_pub,
    clippy::pedantic,
    reason = "the source of a crate of its own, outside this workspace"
)]
#[path = "../../fuzz/src/log/mod.rs"]
mod log;

#[allow(
    unreachable_pub,
    clippy::pedantic,
    reason = "the source of a crate of its own, outside this workspace"
)]
#[path = "../../fuzz/src/edits.rs"]
mod edits;

/// A target and its function.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 4] = [
    ("event", log::event),
    ("block", log::block),
    ("pack", log::pack),
    ("command", log::command),
];

fn corpus() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus"))
}

#[test]
fn what_fuzzing_found_is_back() {
    for (target, run) in TARGETS {
        let files: Vec<_> = fs::read_dir(corpus().join(target)).unwrap().collect();
        assert!(files.len() > 20, "hardly a corpus for {target}");
        for file in files {
            run(&fs::read(file.unwrap().path()).unwrap());
        }
        for cut in 0..=u8::MAX {
            run(&[cut]);
            run(&[cut, 1]);
        }
        run(b"");
    }
}

/// What fuzzing begins from is sound: otherwise it would look at refusals only.
/// `UPDATE_SEEDS=1` writes it to `fuzz/corpus`.
#[test]
fn fuzzing_begins_from_what_is_sound() {
    for (target, inputs) in log::seeds() {
        let directory = corpus().join(target);
        for (number, input) in inputs.iter().enumerate() {
            let file = directory.join(format!("seed-{number:02}"));
            if std::env::var_os("UPDATE_SEEDS").is_some() {
                fs::create_dir_all(&directory).unwrap();
                fs::write(&file, input).unwrap();
            }
            assert_eq!(&fs::read(&file).unwrap(), input, "{}", file.display());
        }
    }
}

#[test]
fn every_kind_of_command_is_among_those_that_are_changed() {
    assert_eq!(log::unsampled(), [""; 0]);
}
