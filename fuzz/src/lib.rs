//! What is checked of bytes that come from outside.
//!
//! Plain functions of bytes, which panic where something does not hold. libFuzzer
//! calls them (`src/bin`, `scripts/fuzz`), and so do tests, with every file of
//! `corpus` (`corpus.rs` is theirs): what was found once stays found. Tests of `ledger`
//! have [`proof`], those of `tests` have [`log`], those of the command line its own
//! part, which stands there.

mod edits;
pub mod log;
pub mod proof;

pub use luzhang::fuzz::{results, table};

/// A command as it travels, or as somebody writes it down (`j`).
pub fn command(bytes: &[u8]) {
    match bytes.split_first() {
        Some((b'j', text)) => luzhang::fuzz::command_text(text),
        _ => log::command(bytes),
    }
}
