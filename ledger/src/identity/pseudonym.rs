//! Keyed names for what must not be guessed from the log.
//!
//! An identity number has about 2^36 plausible values, and far fewer for one
//! county, so an unkeyed hash of it is the number itself to anyone with an
//! afternoon. The same holds for whatever is derived from it: a request id that
//! a client computes from a row's key, a hash of a request's content, a hash of
//! a name and number. All of these are therefore passed through the identity
//! key, which is kept outside the log, before they are written.

use core::{fmt, iter, str::FromStr};

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{CreditCode, Details, NationalId};

const SUBJECT_CONTEXT: &str = "luzhang 2026 subject id v1";
const REQUEST_CONTEXT: &str = "luzhang 2026 request id v1";
const CONTENT_CONTEXT: &str = "luzhang 2026 content digest v1";
const DETAILS_CONTEXT: &str = "luzhang 2026 details digest v1";
const SNAPSHOT_CONTEXT: &str = "luzhang 2026 snapshot v1";

const KIND_PERSON: u8 = 1;
const KIND_ORGANISATION: u8 = 2;

/// Characters of a person's number and of an organisation's code, all ASCII.
const NUMBER: usize = 18;

/// The secret of one ledger that turns identities into pseudonyms.
///
/// Whoever holds it can find a known person in the log; without it nobody can.
/// It cannot be changed during the life of a ledger: under another key every
/// subject would be a stranger, with all once-only slots free again.
///
/// Each use has its own subkey: `BLAKE3 derive_key(context, key)`, 32 bytes.
///
/// Source: BLAKE3 specification, 2.3 (modes).
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct IdentityKey {
    subject: [u8; 32],
    request: [u8; 32],
    content: [u8; 32],
    details: [u8; 32],
    snapshot: [u8; 32],
}

impl IdentityKey {
    /// Derives the subkeys from a uniformly random 32-byte secret.
    pub fn new(mut secret: [u8; 32]) -> Self {
        let key = Self {
            subject: blake3::derive_key(SUBJECT_CONTEXT, &secret),
            request: blake3::derive_key(REQUEST_CONTEXT, &secret),
            content: blake3::derive_key(CONTENT_CONTEXT, &secret),
            details: blake3::derive_key(DETAILS_CONTEXT, &secret),
            snapshot: blake3::derive_key(SNAPSHOT_CONTEXT, &secret),
        };
        secret.zeroize();
        key
    }

    /// The subject a person is in this ledger: keyed hash of
    /// `u8 1 ‖ 18 characters of the number`.
    pub fn person(&self, id: &NationalId) -> SubjectId {
        SubjectId(self.numbered(KIND_PERSON, id.as_str()))
    }

    /// The subject an organisation is in this ledger: keyed hash of
    /// `u8 2 ‖ 18 characters of the code`.
    pub fn organisation(&self, code: &CreditCode) -> SubjectId {
        SubjectId(self.numbered(KIND_ORGANISATION, code.as_str()))
    }

    fn numbered(&self, kind: u8, number: &str) -> [u8; 16] {
        let mut clear = Zeroizing::new([0; 1 + NUMBER]);
        for (place, byte) in clear.iter_mut().zip(iter::once(kind).chain(number.bytes())) {
            *place = byte;
        }
        keyed(&self.subject, &*clear)
    }

    /// Blinds the UUID a client named its request by.
    ///
    /// Clients derive it from a row's key, so that the same file sent again is
    /// recognised, and a key may contain an identity number. Written as it is,
    /// the number could be found by trying all of them.
    pub fn request(&self, request_id: &[u8; 16]) -> [u8; 16] {
        keyed(&self.request, request_id)
    }

    /// A digest by which two requests under one id are told apart. Keyed since
    /// the content names people.
    pub fn content(&self, content: &[u8]) -> [u8; 16] {
        keyed(&self.content, content)
    }

    /// A digest by which changed details of a subject are noticed without
    /// opening the sealed ones: keyed hash of
    /// `u16 LE name length ‖ u16 LE number length ‖ name ‖ number`.
    ///
    /// The sealed form's version and padding are left out, so that a later
    /// version of it changes nobody's digest.
    pub fn details_digest(&self, details: &Details) -> [u8; 8] {
        keyed(&self.details, &details.framed())
    }

    /// Marks what this ledger's server wrote for itself, so that it knows it again:
    /// its snapshots.
    pub fn mark(&self, written: &[u8]) -> [u8; 32] {
        *blake3::keyed_hash(&self.snapshot, written).as_bytes()
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(***)")
    }
}

/// A subject as the log knows it: 16 bytes, which for a person or an
/// organisation mean nothing without the [`IdentityKey`]. Printed as 32 small
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId([u8; 16]);

impl SubjectId {
    /// The subject of these 16 bytes, as they stand in the log.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes as they go into the log.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectId({self})")
    }
}

impl FromStr for SubjectId {
    type Err = SubjectIdError;

    /// Reads 32 hexadecimal digits, small or capital.
    fn from_str(text: &str) -> Result<Self, SubjectIdError> {
        let found = text.chars().count();
        if found != 32 {
            return Err(SubjectIdError::Length { found });
        }
        let mut bytes = [0_u8; 16];
        for (index, character) in text.chars().enumerate() {
            let digit = character
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok());
            let digit = digit.ok_or(SubjectIdError::Character { index })?;
            if let Some(byte) = bytes.get_mut(index / 2) {
                *byte = (*byte << 4) | digit;
            }
        }
        Ok(Self(bytes))
    }
}

/// Why a text is no subject id. Never repeats the text, since an identity
/// number is easily put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubjectIdError {
    /// The text has not 32 characters.
    #[error(
        "the subject id has {found} characters instead of 32; copy the whole id, and not an \
         identity number"
    )]
    Length {
        /// Characters in the text.
        found: usize,
    },
    /// A character is no hexadecimal digit.
    #[error("character {} of the subject id is not one of 0-9 and a-f", index.saturating_add(1))]
    Character {
        /// Zero-based place of the first such character.
        index: usize,
    },
}

impl SubjectIdError {
    /// The stable code of this reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::Length { .. } => "SUBJECT_ID_LENGTH",
            Self::Character { .. } => "SUBJECT_ID_CHARACTER",
        }
    }

    /// The reason as a Chinese sentence.
    pub fn zh(self) -> String {
        match self {
            Self::Length { found } => {
                format!("对象标识有{found}个字符，应为32个；请复制完整的标识，不要填写身份证号码")
            }
            Self::Character { index } => {
                format!("对象标识第{}个字符不是0-9或a-f", index.saturating_add(1))
            }
        }
    }
}

/// The first `N` bytes of the keyed hash of the parts, one after the other.
/// The first `N` bytes of the keyed hash, at most its 32.
fn keyed<const N: usize>(key: &[u8; 32], content: &[u8]) -> [u8; N] {
    const { assert!(N <= blake3::OUT_LEN) }
    let mut digest = [0; N];
    let hash = blake3::keyed_hash(key, content);
    for (place, byte) in digest.iter_mut().zip(hash.as_bytes()) {
        *place = *byte;
    }
    digest
}

#[cfg(test)]
mod tests {
    use core::fmt::Write;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::CheckDigit;
    use super::*;

    fn key() -> IdentityKey {
        IdentityKey::new(core::array::from_fn(|index| u8::try_from(index).unwrap()))
    }

    fn person(number: &str) -> NationalId {
        NationalId::parse(number).unwrap()
    }

    fn organisation(code: &str) -> CreditCode {
        CreditCode::parse(code, CheckDigit::Overridden).unwrap()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    /// Made with another implementation of BLAKE3, key 00 01 … 1f.
    #[test]
    fn golden_pseudonyms() {
        let key = key();
        let request: [u8; 16] = core::array::from_fn(|index| 0xF0 | u8::try_from(index).unwrap());
        let details = Details::person("某甲", &person("510590197607110016")).unwrap();
        let rows = [
            (
                key.person(&person("510590197607110016")).to_string(),
                "396106795773c47028d92ab679a02218",
            ),
            (
                key.person(&person("11010519491231002x")).to_string(),
                "c7124bad4436de34de6da0dbe1d724c6",
            ),
            (
                key.organisation(&organisation("91510590407224700G"))
                    .to_string(),
                "1b5fc9c95f45ab72502e6a116d30f7c3",
            ),
            (
                hex(&key.request(&request)),
                "92b19ba0e334a911c3b62c5b135029a6",
            ),
            (hex(&key.content(b"")), "50532d8e5a2221c7077b6dfc99c9c784"),
            (
                hex(&key.content(b"luzhang")),
                "00c478424f5a1df3b191ecd65a19d284",
            ),
            (hex(&key.details_digest(&details)), "7b9ed3bd6d393d6a"),
        ];
        for (row, (found, expected)) in rows.into_iter().enumerate() {
            assert_eq!(found, expected, "row {row}");
        }
    }

    #[test]
    fn nothing_is_shared_between_kinds_uses_and_keys() {
        let other = IdentityKey::new([0xA5; 32]);
        // Eighteen digits that are a number and a code alike.
        let (id, code) = ("510590197607110016", "510590197607110016");
        let mut seen = BTreeSet::new();
        for key in [key(), other] {
            let subject = *key.person(&person(id)).as_bytes();
            assert_eq!(key.person(&person(id)).as_bytes(), &subject);
            let all = [
                subject,
                *key.organisation(&organisation(code)).as_bytes(),
                key.request(&subject),
                key.content(&subject),
            ];
            for pseudonym in all {
                assert!(seen.insert(pseudonym), "two uses gave the same pseudonym");
            }
        }
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn a_details_digest_follows_both_name_and_number() {
        let key = key();
        let digest = |name: &str, number: &str| {
            key.details_digest(&Details::person(name, &person(number)).unwrap())
        };
        let first = digest("某甲", "510590197607110016");
        assert_eq!(first, digest("  某甲 ", "510590197607110016"));
        assert_ne!(first, digest("某乙", "510590197607110016"));
        assert_ne!(first, digest("某甲", "510590198601140075"));
        assert_ne!(first, digest("某甲5", "510590197607110016"));
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = IdentityKey::new([0xA5; 32]);
        assert_eq!(
            format!("{key:?} {key:#?}"),
            "IdentityKey(***) IdentityKey(***)"
        );
    }

    #[test]
    fn subject_ids_as_text() {
        use SubjectIdError::{Character, Length};
        let id = SubjectId::from_bytes(*b"\x00\x01\x0f\x10\x7f\x80\xfe\xff\0\0\0\0\0\0\0\xab");
        let text = "00010f107f80feff00000000000000ab";
        assert_eq!(id.to_string(), text);
        assert_eq!(format!("{id:?}"), format!("SubjectId({text})"));
        let rows = [
            (text, Ok(id)),
            ("00010F107F80FEFF00000000000000AB", Ok(id)),
            ("", Err(Length { found: 0 })),
            ("510590197607110016", Err(Length { found: 18 })),
            ("00010f107f80feff00000000000000a", Err(Length { found: 31 })),
            (
                "00010f107f80feff00000000000000ab0",
                Err(Length { found: 33 }),
            ),
            (
                "0x010f107f80feff00000000000000ab",
                Err(Character { index: 1 }),
            ),
            (
                "+0010f107f80feff00000000000000ab",
                Err(Character { index: 0 }),
            ),
            (
                "00010f107f80feff00000000000000ag",
                Err(Character { index: 31 }),
            ),
            (
                "00010f107f80feff00000000000000a１",
                Err(Character { index: 31 }),
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse(), expected, "{text}");
        }
        let errors = [
            (
                Length { found: 18 },
                "SUBJECT_ID_LENGTH",
                "18 characters",
                "18个字符",
            ),
            (
                Character { index: 31 },
                "SUBJECT_ID_CHARACTER",
                "character 32 ",
                "第32个",
            ),
        ];
        for (error, code, english, chinese) in errors {
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(english), "{error}");
            assert!(error.zh().contains(chinese), "{}", error.zh());
        }
    }

    proptest! {
        #[test]
        fn subject_ids_survive_text_and_keep_their_order(a: [u8; 16], b: [u8; 16]) {
            let (a, b) = (SubjectId::from_bytes(a), SubjectId::from_bytes(b));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
