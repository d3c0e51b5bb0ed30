//! Notes: a text, and signatures of it by named keys.
//!
//! ```text
//! any text that ends with a line feed
//!
//! — name base64(key id ‖ signature)
//! ```
//!
//! Source: C2SP signed-note, with its Ed25519 signatures (type `01`); C2SP
//! tlog-cosignature, with its Ed25519 cosignatures (type `04`).

use std::{fmt, str::FromStr};

use ed25519_dalek::{Signature as Ed25519, Signer as _, VerifyingKey};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::text;
use crate::position::LedgerId;

/// The most bytes of a note that is read.
pub const MAX_NOTE: usize = 64 * 1024;
/// The most signatures of a note that is read.
pub const MAX_SIGNATURES: usize = 64;
/// What a signature line begins with.
const DASH: &str = "\u{2014} ";

/// The name of a key: not empty, no space, no plus.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

/// The name of a key is empty, or has a space, a plus or a control character.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a key's name must not be empty, and has no spaces, no `+` and no control characters")]
pub struct KeyNameError;

impl KeyName {
    /// Checks a name.
    pub fn new(name: impl Into<String>) -> Result<Self, KeyNameError> {
        let name = name.into();
        let wrong = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.chars().any(wrong) {
            return Err(KeyNameError);
        }
        Ok(Self(name))
    }

    /// The name of the keys of a ledger that was not given another one:
    /// `luzhang/` and its id.
    pub fn of_ledger(ledger: LedgerId) -> Self {
        Self(format!("luzhang/{ledger}"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Four bytes that tell keys of one name apart; no proof of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The text of a note, as its author: type `01`.
    Author,
    /// That a checkpoint continues all that was seen before: type `04`.
    Witness,
}

impl Purpose {
    fn byte(self) -> u8 {
        match self {
            Self::Author => 0x01,
            Self::Witness => 0x04,
        }
    }

    fn id(self, name: &KeyName, key: &[u8; 32]) -> KeyId {
        let digest = Sha256::new()
            .chain_update(name.as_str())
            .chain_update([b'\n', self.byte()])
            .chain_update(key)
            .finalize();
        KeyId(u32::from_be_bytes(
            digest.first_chunk().copied().unwrap_or_default(),
        ))
    }
}

/// A public key under its name: what whoever checks has to know.
///
/// Its text is `name+id+base64(type ‖ key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    purpose: Purpose,
    key: VerifyingKey,
}

/// Why a text is no verifier key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum VerifierKeyError {
    /// Not of the form.
    #[error("a verifier key has the form `name+id+key`")]
    Form,
    /// Its name.
    #[error(transparent)]
    Name(#[from] KeyNameError),
    /// Of another kind than Ed25519 signatures and cosignatures.
    #[error(
        "the key is of a kind that is not known here: Ed25519 signatures (01) and cosignatures (04) are"
    )]
    Kind,
    /// Not a point, or one for which signatures prove nothing.
    #[error("the key is not a sound Ed25519 key")]
    Key,
    /// The id does not follow from name and key: one of them was mistyped.
    #[error("the id in the key is not that of its name and key: something was mistyped")]
    Id,
}

impl VerifierKey {
    /// The name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The 32 bytes of the key, whatever its name and purpose.
    pub fn key_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether a signature line says that it is of this key.
    fn is_named_by(&self, line: &SignatureLine) -> bool {
        line.name == self.name && line.id == self.id
    }

    /// The signature in a line that names this key, if it holds for this text.
    fn check(&self, text: &str, line: &SignatureLine) -> Option<Verified> {
        let (time, signature) = match self.purpose {
            Purpose::Author => (None, line.signature.as_slice()),
            Purpose::Witness => {
                let (time, signature) = line.signature.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                // The highest bit is not used, and a time must be stated.
                let stated = time != 0 && i64::try_from(time).is_ok();
                (Some(stated.then_some(time)?), signature)
            }
        };
        let signature = Ed25519::from_slice(signature).ok()?;
        let message = signed_message(text, time);
        self.key
            .verify_strict(message.as_bytes(), &signature)
            .ok()
            .map(|()| Verified {
                key: self.clone(),
                time,
            })
    }
}

/// What is signed: the text, or for a cosignature two lines before it.
fn signed_message(text: &str, time: Option<u64>) -> String {
    match time {
        None => text.to_owned(),
        Some(time) => format!("cosignature/v1\ntime {time}\n{text}"),
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.purpose.byte()];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, self.id, text::encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, VerifierKeyError> {
        // Base64 may have a plus of its own.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VerifierKeyError::Form);
        };
        let name = KeyName::new(name)?;
        let key = text::decode(key).ok_or(VerifierKeyError::Form)?;
        let (kind, key) = key.split_first().ok_or(VerifierKeyError::Form)?;
        let purpose = match kind {
            0x01 => Purpose::Author,
            0x04 => Purpose::Witness,
            _ => return Err(VerifierKeyError::Kind),
        };
        let bytes: [u8; 32] = key.try_into().map_err(|_| VerifierKeyError::Key)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| VerifierKeyError::Key)?;
        if key.is_weak() {
            return Err(VerifierKeyError::Key);
        }
        let expected = purpose.id(&name, &bytes);
        if id != expected.to_string() {
            return Err(VerifierKeyError::Id);
        }
        Ok(Self {
            name,
            id: expected,
            purpose,
            key,
        })
    }
}

/// A secret key under its name. Its `Debug` shows the public part; it is wiped
/// when dropped.
#[derive(Clone)]
pub struct SigningKey {
    verifier: VerifierKey,
    secret: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// The key that follows from a seed of 32 random bytes.
    pub fn from_seed(name: KeyName, purpose: Purpose, seed: &[u8; 32]) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        let key = secret.verifying_key();
        Self {
            verifier: VerifierKey {
                id: purpose.id(&name, key.as_bytes()),
                name,
                purpose,
                key,
            },
            secret,
        }
    }

    /// The public part.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text. `time` is seconds since 1970, and counts for a
    /// [`Purpose::Witness`] only.
    pub(super) fn sign(&self, text: &str, time: u64) -> SignatureLine {
        let time = match self.verifier.purpose {
            Purpose::Author => None,
            Purpose::Witness => Some(time),
        };
        let signature = self.secret.sign(signed_message(text, time).as_bytes());
        let mut bytes = Vec::with_capacity(72);
        if let Some(time) = time {
            bytes.extend_from_slice(&time.to_be_bytes());
        }
        bytes.extend_from_slice(&signature.to_bytes());
        SignatureLine {
            name: self.verifier.name.clone(),
            id: self.verifier.id,
            signature: bytes,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier)
    }
}

/// A signature under a note. Nothing about it is known before it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    name: KeyName,
    id: KeyId,
    signature: Vec<u8>,
}

impl SignatureLine {
    /// The name of the key.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key.
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// The line without its line feed.
impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.0.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(f, "{DASH}{} {}", self.name, text::encode(bytes))
    }
}

impl FromStr for SignatureLine {
    type Err = NoteError;

    fn from_str(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix(DASH).ok_or(NoteError::Signature)?;
        let (name, signature) = rest.split_once(' ').ok_or(NoteError::Signature)?;
        let bytes = text::decode(signature).ok_or(NoteError::Signature)?;
        let (id, signature) = bytes.split_first_chunk().ok_or(NoteError::Signature)?;
        if signature.is_empty() {
            return Err(NoteError::Signature);
        }
        Ok(Self {
            name: KeyName::new(name).map_err(|_| NoteError::Signature)?,
            id: KeyId(u32::from_be_bytes(*id)),
            signature: signature.to_vec(),
        })
    }
}

/// A text with signatures. Its `Display` is the note, byte by byte as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

/// Why bytes are no note, or a note is not to be believed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NoteError {
    /// Larger than any note that is read.
    #[error("a note has at most {MAX_NOTE} bytes and {MAX_SIGNATURES} signatures")]
    TooLarge,
    /// Not UTF-8, or with control characters.
    #[error("a note is UTF-8 text without control characters")]
    Characters,
    /// Text and signatures are not told apart by an empty line.
    #[error("a note is a text, an empty line and signatures, each line ended by a line feed")]
    Form,
    /// A line after the empty line is no signature.
    #[error("a line below the text is no signature")]
    Signature,
    /// None of the keys that count has signed.
    #[error("no key that is trusted here has signed it")]
    Unsigned,
    /// A key that counts is named, and its signature does not hold.
    #[error("the signature of {0} does not hold: the text or the signature was changed")]
    Forged(KeyName),
}

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Of which key.
    pub key: VerifierKey,
    /// When, in seconds since 1970; `None` for signatures without a time.
    pub time: Option<u64>,
}

impl Note {
    /// A note without signatures yet.
    ///
    /// # Errors
    /// [`NoteError::Characters`], and [`NoteError::Form`] if the text does not
    /// end with a line feed.
    pub fn new(text: String) -> Result<Self, NoteError> {
        if text.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Characters);
        }
        if !text.ends_with('\n') {
            return Err(NoteError::Form);
        }
        Ok(Self {
            text,
            signatures: Vec::new(),
        })
    }

    /// Reads a note. No signature is checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLarge);
        }
        let whole = str::from_utf8(bytes).map_err(|_| NoteError::Characters)?;
        // The text may have empty lines: the last one counts.
        let (text, signatures) = whole.rsplit_once("\n\n").ok_or(NoteError::Form)?;
        let mut note = Self::new(format!("{text}\n"))?;
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Form)?;
        if signatures.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Characters);
        }
        for line in signatures.split('\n') {
            if note.signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooLarge);
            }
            note.signatures.push(line.parse()?);
        }
        Ok(note)
    }

    /// The text, with its last line feed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, none of them checked.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Adds a signature, unless it is there.
    pub fn add(&mut self, signature: SignatureLine) {
        if !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
    }

    /// Every signature of these keys. Signatures of other keys are passed over.
    ///
    /// # Errors
    /// [`NoteError::Forged`] if one that names a key of these does not hold,
    /// [`NoteError::Unsigned`] if there is none.
    pub fn verify(&self, keys: &[&VerifierKey]) -> Result<Vec<Verified>, NoteError> {
        let mut verified: Vec<Verified> = Vec::new();
        for line in &self.signatures {
            let Some(key) = keys.iter().find(|key| key.is_named_by(line)) else {
                continue;
            };
            let found = key.check(&self.text, line);
            let found = found.ok_or_else(|| NoteError::Forged(line.name.clone()))?;
            // A key counts once, however often it signed.
            if !verified.iter().any(|seen| seen.key == found.key) {
                verified.push(found);
            }
        }
        if verified.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(verified)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for signature in &self.signatures {
            writeln!(f, "{signature}")?;
        }
        Ok(())
    }
}
