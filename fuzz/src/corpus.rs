//! `fuzz/corpus` for the tests of every crate that has targets: they run without
//! libFuzzer, and this file is no part of the crate beside it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// A target and its function.
pub type Target = (&'static str, fn(&[u8]));

/// The crates of the workspace stand beside `fuzz`.
fn of(target: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus")).join(target)
}

/// What fuzzing has found stays found: runs every kept input, and every start of
/// one or two bytes, since the first often says which kind follows.
pub fn replay(targets: &[Target]) {
    for (target, run) in targets {
        let files: Vec<_> = fs::read_dir(of(target)).unwrap().collect();
        assert!(files.len() > 20, "hardly a corpus for {target}");
        for file in files {
            run(&fs::read(file.unwrap().path()).unwrap());
        }
        for first in 0..=u8::MAX {
            run(&[first]);
            run(&[first, 1]);
        }
        run(b"");
    }
}

/// Fuzzing begins from what is sound: otherwise it would look at refusals only.
/// `UPDATE_SEEDS=1` writes these inputs to the corpus.
pub fn begins_from(target: &str, prefix: &str, inputs: &[Vec<u8>]) {
    for (number, input) in inputs.iter().enumerate() {
        let file = of(target).join(format!("{prefix}-{number:02}"));
        if env::var_os("UPDATE_SEEDS").is_some() {
            fs::create_dir_all(of(target)).unwrap();
            fs::write(&file, input).unwrap();
        }
        assert_eq!(&fs::read(&file).unwrap(), input, "{}", file.display());
    }
}
