//! What fuzzing has found stays found: every input of `fuzz/corpus` for what is
//! recorded, without libFuzzer. Proofs are with `ledger`, tables and the bank's
//! answers with the command line.

#![cfg(test)]

#[allow(
    unreachable_pub,
    clippy::pedantic,
    reason = "the source of a crate of its own, outside this workspace"
)]
#[path = "../../fuzz/src/corpus.rs"]
mod corpus;

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

const TARGETS: [corpus::Target; 5] = [
    ("event", log::event),
    ("block", log::block),
    ("pack", log::pack),
    ("command", log::command),
    ("shelf", log::shelf),
];

#[test]
fn what_fuzzing_found_is_back() {
    corpus::replay(&TARGETS);
}

#[test]
fn fuzzing_begins_from_what_is_sound() {
    for (target, inputs) in log::seeds() {
        corpus::begins_from(target, "seed", &inputs);
    }
}

#[test]
fn every_kind_of_command_is_among_those_that_are_changed() {
    assert_eq!(log::unsampled(), [""; 0]);
}
