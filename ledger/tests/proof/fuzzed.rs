//! What fuzzing has found stays found: every input of `fuzz/corpus`, without
//! libFuzzer.

use crate::{corpus, fuzz};

const TARGETS: [corpus::Target; 5] = [
    ("note", fuzz::note),
    ("checkpoint", fuzz::checkpoint),
    ("tile", fuzz::tile),
    ("receipt", fuzz::receipt),
    ("request", fuzz::request),
];

#[test]
fn what_fuzzing_found_is_back() {
    corpus::replay(&TARGETS);
}

#[test]
fn fuzzing_begins_from_what_is_sound() {
    for (target, inputs) in fuzz::seeds() {
        corpus::begins_from(target, "seed", &inputs);
    }
}
