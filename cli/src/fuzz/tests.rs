//! What fuzzing has found stays found, without libFuzzer.

use std::{fs, path::Path};

/// A target and its function.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 3] = [
    ("table", super::table),
    ("results", super::results),
    ("command", command),
];

/// Of the target that others share: what somebody writes down.
fn command(bytes: &[u8]) {
    if let Some((b'j', text)) = bytes.split_first() {
        super::command_text(text);
    }
}

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

/// What fuzzing begins from. `UPDATE_SEEDS=1` writes it to `fuzz/corpus`.
#[test]
fn fuzzing_begins_from_what_is_sound() {
    for (target, prefix, inputs) in super::seeds() {
        let directory = corpus().join(target);
        for (number, input) in inputs.iter().enumerate() {
            let file = directory.join(format!("{prefix}-{number:02}"));
            if std::env::var_os("UPDATE_SEEDS").is_some() {
                fs::create_dir_all(&directory).unwrap();
                fs::write(&file, input).unwrap();
            }
            assert_eq!(&fs::read(&file).unwrap(), input, "{}", file.display());
        }
    }
}
