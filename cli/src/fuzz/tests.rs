//! What fuzzing has found stays found, without libFuzzer.

#[allow(
    unreachable_pub,
    clippy::pedantic,
    reason = "the source of a crate of its own, outside this workspace"
)]
#[path = "../../../fuzz/src/corpus.rs"]
mod corpus;

const TARGETS: [corpus::Target; 3] = [
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

#[test]
fn what_fuzzing_found_is_back() {
    corpus::replay(&TARGETS);
}

#[test]
fn fuzzing_begins_from_what_is_sound() {
    for (target, prefix, inputs) in super::seeds() {
        corpus::begins_from(target, prefix, &inputs);
    }
}
