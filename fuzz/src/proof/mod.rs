//! Proofs. A test of `ledger` calls these functions too, with every file of
//! `corpus`.
//!
//! Whatever is read is written again to the same bytes. Whatever verifies is
//! true: the keys are fixed, and have signed nothing but what is made here, so
//! that no input, however close to a sound one, can prove anything else.

pub mod model;
mod policies;
mod signed;
mod trees;

pub use signed::{checkpoint, note, receipt};
pub use trees::tile;

/// Witness requests (`r`) and policies (`p`, `q`).
pub fn request(bytes: &[u8]) {
    match bytes.split_first() {
        Some((b'p', text)) => policies::text(text),
        Some((b'q', choices)) => policies::built(choices),
        Some((b'r', request)) => signed::request(request),
        Some((b'e', edits)) => signed::edited_request(edits),
        Some((_, bytes)) => trees::consistency(bytes),
        None => {}
    }
}

/// What fuzzing begins from, by target.
pub fn seeds() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let mut request = signed::request_seeds();
    request.extend(policies::seeds());
    vec![
        ("note", signed::note_seeds()),
        ("checkpoint", signed::checkpoint_seeds()),
        ("tile", trees::seeds()),
        ("receipt", signed::receipt_seeds()),
        ("request", request),
    ]
}
