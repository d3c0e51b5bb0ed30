//! Writes what fuzzing begins from to the directory that is named.

use std::{env, fs, path::PathBuf};

fn main() {
    let directory = PathBuf::from(env::args().nth(1).expect("a directory"));
    for (target, inputs) in luzhang_fuzz::seeds() {
        let directory = directory.join(target);
        fs::create_dir_all(&directory).expect("a directory that can be made");
        for (number, input) in inputs.iter().enumerate() {
            let file = directory.join(format!("seed-{number:02}"));
            fs::write(file, input).expect("a file that can be written");
        }
    }
}
