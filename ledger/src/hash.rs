//! The chain: every event's hash covers the hash of the event before it.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::position::LedgerId;

/// The context under which event hashes are derived.
const EVENT_CONTEXT: &str = "luzhang 2026 event hash v1";
/// The context under which a ledger's first incoming hash is derived.
const GENESIS_CONTEXT: &str = "luzhang 2026 genesis v1";
/// The context under which block hashes are derived.
const BLOCK_CONTEXT: &str = "luzhang 2026 block hash v1";
/// The context under which an export file's checksum is derived.
pub(crate) const EXPORT_CONTEXT: &str = "luzhang 2026 export v1";

/// A 32-byte BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

/// Not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a hash: 64 hexadecimal digits")]
pub struct HashError;

impl Hash {
    /// The hash before the first event of a ledger: derived from its id, so
    /// that two ledgers never share a chain.
    pub fn genesis(ledger: LedgerId) -> Self {
        Self(blake3::derive_key(GENESIS_CONTEXT, ledger.as_bytes()))
    }

    /// Wraps 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight bytes: a frame's tag, which names a damaged event
    /// exactly. See [`crate::block`].
    pub fn tag(&self) -> [u8; 8] {
        self.0.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| HashError)?;
        Ok(Self(*hash.as_bytes()))
    }
}

/// Hashes events one after the other; cheap to clone, reused for many events.
#[derive(Clone, Debug)]
pub struct ChainHasher {
    keyed: blake3::Hasher,
}

impl Default for ChainHasher {
    fn default() -> Self {
        Self {
            keyed: blake3::Hasher::new_derive_key(EVENT_CONTEXT),
        }
    }
}

impl ChainHasher {
    /// `BLAKE3 derive-key(EVENT_CONTEXT, previous ‖ event bytes)`.
    pub fn event(&mut self, previous: Hash, event: &[u8]) -> Hash {
        self.keyed.reset();
        self.keyed.update(&previous.0);
        self.keyed.update(event);
        Hash(*self.keyed.finalize().as_bytes())
    }
}

/// `BLAKE3 derive-key(BLOCK_CONTEXT, block bytes before the hash)`.
pub(crate) fn block(bytes: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key(BLOCK_CONTEXT);
    hasher.update(bytes);
    Hash(*hasher.finalize().as_bytes())
}
