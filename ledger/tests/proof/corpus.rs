//! What fuzzing has found stays found: every input of `fuzz/corpus`, without
//! libFuzzer.

use std::{fs, path::Path};

use crate::fuzz;

/// A target and its function.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 5] = [
    ("note", fuzz::note),
    ("checkpoint", fuzz::checkpoint),
    ("tile", fuzz::tile),
    ("receipt", fuzz::receipt),
    ("request", fuzz::request),
];

fn corpus() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus"))
}

#[test]
fn what_fuzzing_found_is_back() {
    for (target, run) in TARGETS {
        let mut count = 0;
        for file in fs::read_dir(corpus().join(target)).unwrap() {
            run(&fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "no corpus for {target}");
        for cut in [
            b"".as_slice(),
            b"r",
            b"p",
            b"q",
            b"k",
            b"s",
            b"t",
            b"g",
            b"d",
            b"i",
            b"e",
        ] {
            run(cut);
        }
    }
}

/// What fuzzing begins from is sound: otherwise it would look at refusals only.
/// `UPDATE_SEEDS=1` writes it to `fuzz/corpus`.
#[test]
fn fuzzing_begins_from_nothing() {
    for (target, inputs) in fuzz::seeds() {
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
