//! One checkpoint key after another.
//!
//! The ledger's log says which key signs from where on. Each key but the first is
//! vouched for by the one before it, in a note of its own:
//!
//! ```text
//! luzhang checkpoint key v1
//! luzhang/0198c5a2-…+5f6a7b8c+AY…      the new key
//!
//! — luzhang/0198c5a2-… …               signed by the old one
//! ```
//!
//! So whoever trusts one key can follow to those that came after it. The text is
//! no checkpoint: its second line is no size.

use super::note::{Note, NoteError, SigningKey, VerifierKey};
use crate::event::KeyAdoption;

const TITLE: &str = "luzhang checkpoint key v1";

/// What the old key says of the new one.
pub fn endorse(old: &SigningKey, new: &VerifierKey) -> Result<Note, NoteError> {
    let mut note = Note::new(text(new))?;
    let line = old.sign(note.text(), 0);
    note.add(line);
    Ok(note)
}

fn text(new: &VerifierKey) -> String {
    format!("{TITLE}\n{new}\n")
}

/// Whether a note is by `old` and says that `new` follows it.
fn is_endorsed(note: &Note, old: &VerifierKey, new: &VerifierKey) -> bool {
    note.text() == text(new) && note.verify(&[old]).is_ok()
}

/// The keys in these adoptions that follow from trusted ones, those included, in
/// the order in which they were adopted.
pub fn follow(trusted: &[VerifierKey], adoptions: &[KeyAdoption]) -> Vec<VerifierKey> {
    let mut keys = trusted.to_vec();
    for KeyAdoption { key, endorsement } in adoptions {
        let follows = |old: &VerifierKey| {
            let note = endorsement.as_ref();
            old.name() == key.name() && note.is_some_and(|note| is_endorsed(note, old, key))
        };
        if !keys.contains(key) && keys.iter().any(follows) {
            keys.push(key.clone());
        }
    }
    keys
}
