//! The witness's own key: a name and 32 random bytes, from which it follows.
//!
//! ```text
//! luzhang witness key 1 …
//! name audit.luzhou.example/w1
//! seed 64 hex digits
//! ```

use std::path::Path;

use luzhang_ledger::proof::{
    SigningKey,
    note::{KeyName, Purpose},
};
use zeroize::Zeroizing;

use super::{
    error::WitnessError,
    kept::{self, Kind},
};
use crate::vault::random;

/// Makes a new key, durably.
pub(super) fn create(path: &Path, name: &KeyName) -> Result<(), WitnessError> {
    let mut seed = Zeroizing::new([0; 32]);
    random(&mut *seed).map_err(WitnessError::io(path))?;
    let hex = Zeroizing::new(blake3::Hash::from_bytes(*seed).to_hex());
    let body = Zeroizing::new(format!("name {name}\nseed {}\n", hex.as_str()));
    kept::replace(path, Kind::Key, &body)
}

/// Reads the key.
pub(super) fn read(path: &Path) -> Result<SigningKey, WitnessError> {
    let body = kept::read(path, Kind::Key)?;
    parse(&body).ok_or_else(|| WitnessError::Damaged {
        path: path.to_owned(),
        detail: "it is not a name and a seed",
    })
}

fn parse(body: &str) -> Option<SigningKey> {
    let (name, seed) = body.strip_suffix('\n')?.split_once('\n')?;
    let name = KeyName::new(name.strip_prefix("name ")?).ok()?;
    let seed = blake3::Hash::from_hex(seed.strip_prefix("seed ")?).ok()?;
    let seed = Zeroizing::new(*seed.as_bytes());
    Some(SigningKey::from_seed(name, Purpose::Witness, &seed))
}
