//! What a witness knows of one log, and the text in which it keeps that.
//!
//! ```text
//! luzhang witness log 1 …
//! key luzhang/0198c5a2-…+1b2c3d4e+AY…          one of the log's; there may be more
//!
//! luzhang/0198c5a2-…                           the newest checkpoint that it has
//! 20852163                                     cosigned, with the log's signatures
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I= and its own; nothing at first
//!
//! — …
//! ```

use std::{fmt, str::FromStr};

use luzhang_ledger::proof::{
    Note, SignedCheckpoint, SigningKey, TreeHead, VerifierKey,
    checkpoint::CheckpointError,
    note::{KeyName, Purpose, SignatureLine},
};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// By what a log is found: SHA-256 of its origin, 64 hex digits in small letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OriginHash([u8; 32]);

/// The text is not 64 hex digits in small letters.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("this is not the hash of an origin: 64 hex digits in small letters")]
pub struct OriginHashError;

impl OriginHash {
    /// The hash of an origin.
    pub fn of(origin: &str) -> Self {
        Self(Sha256::digest(origin).into())
    }
}

impl fmt::Display for OriginHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for OriginHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for OriginHash {
    type Err = OriginHashError;

    fn from_str(text: &str) -> Result<Self, OriginHashError> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| OriginHashError)?;
        let hash = Self(hash.into());
        // Capitals would give one log two names.
        (hash.to_string() == text)
            .then_some(hash)
            .ok_or(OriginHashError)
    }
}

/// A log that a witness watches.
#[derive(Clone, Debug)]
pub struct WatchedLog {
    /// Whose tree: the name of all its keys.
    pub origin: KeyName,
    /// The keys that may sign its checkpoints; more than one while they are
    /// exchanged. Never empty.
    pub keys: Vec<VerifierKey>,
    /// The newest checkpoint that was cosigned, if there is one.
    pub newest: Option<Newest>,
}

/// A checkpoint with a witness's signature.
#[derive(Clone, Debug)]
pub struct Newest {
    /// With the signatures of the log and the witness, and no others.
    pub checkpoint: SignedCheckpoint,
    /// When it was cosigned, in seconds since 1970.
    pub time: u64,
}

impl Newest {
    /// Cosigns a checkpoint that these keys of its log have signed. Signatures of
    /// anybody else are left out: nobody here has checked them.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] if the note has no room for a signature more.
    pub(super) fn cosign(
        checkpoint: &SignedCheckpoint,
        keys: &[VerifierKey],
        own: &SigningKey,
        time: u64,
    ) -> Result<(Self, SignatureLine), CheckpointError> {
        let of_log = |line: &&SignatureLine| {
            let mut keys = keys.iter();
            keys.any(|key| key.name() == line.name() && key.id() == line.id())
        };
        let mut note = Note::new(checkpoint.note().text().to_owned())?;
        for line in checkpoint.note().signatures().iter().filter(of_log) {
            note.add(line.clone());
        }
        let line = checkpoint.cosign(own, time);
        note.add(line.clone());
        // Read back, since one more signature may be one too many: what could not
        // be read again is not cosigned.
        let checkpoint = SignedCheckpoint::parse(note.to_string().as_bytes())?;
        Ok((Self { checkpoint, time }, line))
    }
}

impl WatchedLog {
    /// A log of which nothing was seen yet; its origin is the name of its key.
    pub(super) fn new(key: VerifierKey) -> Self {
        Self {
            origin: key.name().clone(),
            keys: vec![key],
            newest: None,
        }
    }

    /// The newest head that was cosigned.
    pub fn head(&self) -> TreeHead {
        let newest = self.newest.as_ref();
        newest.map_or(TreeHead::EMPTY, |newest| newest.checkpoint.head())
    }

    /// Reads its text.
    pub(super) fn parse(text: &str, own: &VerifierKey) -> Result<Self, &'static str> {
        let (keys, newest) = match text.split_once("\n\n") {
            Some((keys, newest)) => (keys, Some(newest)),
            None => (text.strip_suffix('\n').unwrap_or(text), None),
        };
        let key = |line: &str| {
            let key: VerifierKey = line.strip_prefix("key ")?.parse().ok()?;
            (key.purpose() == Purpose::Author).then_some(key)
        };
        let keys: Option<Vec<VerifierKey>> = keys.split('\n').map(key).collect();
        let keys = keys.ok_or("a key in it is none of a log")?;
        let (first, others) = keys.split_first().ok_or("it has no key")?;
        if others.iter().any(|key| key.name() != first.name()) {
            return Err("its keys are of several logs");
        }
        let mut log = Self::new(first.clone());
        log.keys.extend_from_slice(others);
        log.newest = newest.map(|note| log.read_newest(note, own)).transpose()?;
        Ok(log)
    }

    /// The checksum says that the file is as it was written; the signatures say
    /// that it is this witness's, and of this log.
    fn read_newest(&self, note: &str, own: &VerifierKey) -> Result<Newest, &'static str> {
        let checkpoint = SignedCheckpoint::parse(note.as_bytes());
        let checkpoint = checkpoint.map_err(|_| "what follows its keys is no checkpoint")?;
        if checkpoint.checkpoint().origin != self.origin.as_str() {
            return Err("its checkpoint is of another log");
        }
        let keys: Vec<&VerifierKey> = self.keys.iter().collect();
        let signed = checkpoint.verify(&keys);
        signed.map_err(|_| "its checkpoint is not signed by the log")?;
        let cosigned = checkpoint.verify(&[own]).ok();
        let time = cosigned.and_then(|cosigned| cosigned.first()?.time);
        let time = time.ok_or("its checkpoint is not cosigned by this witness's key")?;
        Ok(Newest { checkpoint, time })
    }
}

/// Its text.
impl fmt::Display for WatchedLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in &self.keys {
            writeln!(f, "key {key}")?;
        }
        if let Some(newest) = &self.newest {
            write!(f, "\n{}", newest.checkpoint)?;
        }
        Ok(())
    }
}
