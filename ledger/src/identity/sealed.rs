//! The sealed form of a subject's details in the log.

use core::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Details, SubjectId};

/// First byte of the plaintext.
const VERSION: u8 = 1;

/// The plaintext's length is a multiple of this, which most names share, so
/// that the length of the sealed form says little about whose it is.
const PADDING: usize = 64;

const NONCE: usize = 24;
const TAG: usize = 16;

/// The key that one subject's details are sealed under, 32 bytes drawn at
/// random for that subject alone. Destroying it erases the subject.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SubjectKey([u8; 32]);

impl SubjectKey {
    /// The key of these uniformly random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the key store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(***)")
    }
}

/// Encrypts details for the log; readable only with the same key and subject.
///
/// The result is `24-byte nonce ‖ ciphertext ‖ 16-byte tag`, with the 16 bytes
/// of the subject as associated data. The plaintext is `u8 version 1 ‖ u16 LE
/// name length ‖ u16 LE number length ‖ name ‖ number ‖ zeros` up to the next
/// multiple of 64 bytes; lengths are in bytes, text is UTF-8.
///
/// The nonce must never be used twice with one key; drawn at random it is not.
///
/// Source: draft-irtf-cfrg-xchacha-03; RFC 8439.
pub fn seal(
    key: &SubjectKey,
    subject: &SubjectId,
    nonce: [u8; NONCE],
    details: &Details,
) -> Vec<u8> {
    let ciphertext = encrypt(key, subject, nonce, &encode(details));
    [&nonce[..], &ciphertext].concat()
}

/// Decrypts what [`seal`] made for the same key and subject.
///
/// The rules for names are not applied again: what was accepted once stays
/// readable when they become stricter.
///
/// # Errors
///
/// The first that applies, in the order of [`OpenError`].
pub fn open(key: &SubjectKey, subject: &SubjectId, sealed: &[u8]) -> Result<Details, OpenError> {
    let wrong_length = OpenError::Length {
        found: sealed.len(),
    };
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>().ok_or(wrong_length)?;
    let padded = ciphertext.len().checked_sub(TAG).ok_or(wrong_length)?;
    if padded == 0 || !padded.is_multiple_of(PADDING) {
        return Err(wrong_length);
    }
    let payload = Payload {
        msg: ciphertext,
        aad: subject.as_bytes(),
    };
    let plaintext = XChaCha20Poly1305::new(&key.0.into())
        .decrypt(&XNonce::from(*nonce), payload)
        .map_err(|_| OpenError::Unauthentic)?;
    decode(&Zeroizing::new(plaintext))
}

/// Why sealed details cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not 24 bytes, a positive multiple of 64, and 16 more.
    #[error(
        "the sealed details have an impossible length of {found} bytes; the log is damaged here, \
         verify it"
    )]
    Length {
        /// Bytes given.
        found: usize,
    },
    /// Wrong key, wrong subject, or altered bytes; these cannot be told apart.
    #[error(
        "the sealed details do not open: they belong to another key or subject, or were altered; \
         verify the log, and compare the key store with it"
    )]
    Unauthentic,
    /// Sealed by a newer release.
    #[error("the sealed details have version {found}, unknown here; use a newer release")]
    Version {
        /// Version byte.
        found: u8,
    },
    /// Authentic, yet not what [`seal`] writes.
    #[error(
        "the sealed details are authentic but not laid out as version 1 requires; whatever wrote \
         them does not follow the format"
    )]
    Layout,
}

impl OpenError {
    /// The stable code of this reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::Length { .. } => "DETAILS_LENGTH",
            Self::Unauthentic => "DETAILS_UNAUTHENTIC",
            Self::Version { .. } => "DETAILS_VERSION",
            Self::Layout => "DETAILS_LAYOUT",
        }
    }

    /// The reason as a Chinese sentence.
    pub fn zh(self) -> String {
        match self {
            Self::Length { found } => {
                format!("密封信息长度为{found}字节，不可能出现；日志在此处已损坏，请校验日志")
            }
            Self::Unauthentic => {
                "密封信息无法解开：密钥或对象不符，或内容被改动；请校验日志，并核对密钥库"
                    .to_owned()
            }
            Self::Version { found } => {
                format!("密封信息的版本为{found}，本程序不认识；请使用更新的版本")
            }
            Self::Layout => {
                "密封信息真实，但不符合第1版的格式；写入它的程序没有遵守格式".to_owned()
            }
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "the cipher refuses only 2^38 bytes and more, and two 16-bit lengths are less"
)]
fn encrypt(key: &SubjectKey, subject: &SubjectId, nonce: [u8; NONCE], plaintext: &[u8]) -> Vec<u8> {
    let payload = Payload {
        msg: plaintext,
        aad: subject.as_bytes(),
    };
    XChaCha20Poly1305::new(&key.0.into())
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a plaintext of limited length")
}

fn encode(details: &Details) -> Zeroizing<Vec<u8>> {
    let framed = details.framed();
    let length = framed.len().saturating_add(1).next_multiple_of(PADDING);
    let mut plaintext = Zeroizing::new(Vec::with_capacity(length));
    plaintext.push(VERSION);
    plaintext.extend_from_slice(&framed);
    plaintext.resize(length, 0);
    plaintext
}

fn decode(plaintext: &[u8]) -> Result<Details, OpenError> {
    let (&version, rest) = plaintext.split_first().ok_or(OpenError::Layout)?;
    if version != VERSION {
        return Err(OpenError::Version { found: version });
    }
    let details = unframed(rest).ok_or(OpenError::Layout)?;
    // One plaintext for each pair of texts: this also demands that the padding
    // is zero and no longer than needed.
    if *encode(&details) == plaintext {
        Ok(details)
    } else {
        Err(OpenError::Layout)
    }
}

fn unframed(bytes: &[u8]) -> Option<Details> {
    let (name_length, bytes) = bytes.split_first_chunk()?;
    let (number_length, bytes) = bytes.split_first_chunk()?;
    let (name, bytes) = bytes.split_at_checked(u16::from_le_bytes(*name_length).into())?;
    let (number, _) = bytes.split_at_checked(u16::from_le_bytes(*number_length).into())?;
    Some(Details::unchecked(text(name)?, text(number)?))
}

/// Neither text was ever allowed to be empty or to hold a zero byte, so that
/// padding cannot pass for text.
fn text(bytes: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.contains('\0')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use core::fmt::Write;

    use proptest::prelude::*;

    use super::super::NationalId;
    use super::*;

    const NUMBER: &str = "510590197607110016";
    const SUBJECT: SubjectId = SubjectId::from_bytes([0x5A; 16]);
    const NONCE: [u8; 24] = *b"@ABCDEFGHIJKLMNOPQRSTUVW";

    fn key() -> SubjectKey {
        SubjectKey::new(*b"a key that guards nobody at all.")
    }

    fn details(name: &str) -> Details {
        Details::person(name, &NationalId::parse(NUMBER).unwrap()).unwrap()
    }

    fn sealed(name: &str) -> Vec<u8> {
        seal(&key(), &SUBJECT, NONCE, &details(name))
    }

    fn opened(sealed: &[u8]) -> Result<Details, OpenError> {
        open(&key(), &SUBJECT, sealed)
    }

    /// Made with another implementation of XChaCha20-Poly1305.
    #[test]
    fn golden_sealed_details() {
        let mut hex = String::new();
        for byte in sealed("某甲") {
            write!(hex, "{byte:02x}").unwrap();
        }
        assert_eq!(
            hex,
            "404142434445464748494a4b4c4d4e4f5051525354555657811c1b80014e666c86b82ff85a71d7ae\
             e08089e00dd4b44e572418fbd908f280e461675e5dec40b0c8435b731cd4c6244b62d2eb4010dd2a\
             82a3ee36820c7c59471663e824a0e17dd4ac4c064a2ec847"
        );
    }

    #[test]
    fn only_the_same_key_and_subject_open() {
        let sealed = sealed("某甲");
        assert_eq!(opened(&sealed), Ok(details("某甲")));
        let other_key = SubjectKey::new(*b"a key that guards nobody at all!");
        let other_subject = SubjectId::from_bytes([0x5B; 16]);
        for (key, subject) in [(other_key, SUBJECT), (key(), other_subject)] {
            assert_eq!(open(&key, &subject, &sealed), Err(OpenError::Unauthentic));
        }
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let mut sealed = sealed("某甲");
        for place in 0..sealed.len() {
            for bit in 0..8 {
                sealed[place] ^= 1 << bit;
                assert_eq!(opened(&sealed), Err(OpenError::Unauthentic));
                sealed[place] ^= 1 << bit;
            }
        }
        assert!(opened(&sealed).is_ok());
    }

    #[test]
    fn every_other_length_is_found() {
        let sealed = sealed(&"某".repeat(128));
        assert_eq!(sealed.len(), 24 + 448 + 16);
        let longer = [&sealed[..], &[0; 64]].concat();
        for found in (0..=longer.len()).filter(|found| *found != sealed.len()) {
            let expected = if found > 40 && (found - 40) % 64 == 0 {
                OpenError::Unauthentic
            } else {
                OpenError::Length { found }
            };
            assert_eq!(opened(&longer[..found]), Err(expected));
        }
    }

    #[test]
    fn a_sealed_form_shows_neither_text_nor_its_length() {
        // 1 + 2 + 2 bytes of frame and 18 of number leave 41 for the name.
        let (fits, does_not) = ("a".repeat(41), "a".repeat(42));
        for (name, expected) in [("a", 104), ("某甲", 104), (&fits, 104), (&does_not, 168)] {
            let sealed = sealed(name);
            assert_eq!(sealed.len(), expected, "{} bytes of name", name.len());
            let shows = |text: &str| {
                sealed
                    .windows(text.len())
                    .any(|seen| seen == text.as_bytes())
            };
            assert!(!shows(&NUMBER[..4]) && !shows(&NUMBER[14..]));
            assert!(name.len() < 4 || !shows(name));
        }
    }

    #[test]
    fn authentic_bytes_that_are_laid_out_otherwise_are_not_read() {
        use OpenError::{Layout, Version};
        let good = encode(&details("某甲"));
        assert_eq!(decode(&good), Ok(details("某甲")));
        let altered = |place: usize, byte: u8| {
            let mut plaintext = good.to_vec();
            plaintext[place] = byte;
            plaintext
        };
        let rows = [
            (vec![], Layout),
            (vec![1], Layout),
            (altered(0, 0), Version { found: 0 }),
            (altered(0, 2), Version { found: 2 }),
            // The name ends within a character, then past the end.
            (altered(1, 5), Layout),
            (altered(2, 0xFF), Layout),
            // The number ends early, late, and past the end.
            (altered(3, 17), Layout),
            (altered(3, 19), Layout),
            (altered(4, 0xFF), Layout),
            // An empty name, an empty number.
            ([&[1, 0, 0, 1, 0, b'1'][..], &[0; 58]].concat(), Layout),
            ([&[1, 1, 0, 0, 0, b'a'][..], &[0; 58]].concat(), Layout),
            // No UTF-8 in the name, in the number.
            (altered(5, 0xFF), Layout),
            (altered(11, 0xFF), Layout),
            // Padding: not zero, at its first and last byte; too long; too short.
            (altered(29, 1), Layout),
            (altered(63, 1), Layout),
            ([&good[..], &[0; 64]].concat(), Layout),
            (good[..63].to_vec(), Layout),
        ];
        for (row, (plaintext, expected)) in rows.into_iter().enumerate() {
            assert_eq!(decode(&plaintext), Err(expected), "row {row}");
        }
    }

    #[test]
    fn every_reason_has_its_code_in_two_languages() {
        use OpenError::{Layout, Length, Unauthentic, Version};
        let rows = [
            (Length { found: 39 }, "DETAILS_LENGTH", "39 b", "39字节"),
            (Unauthentic, "DETAILS_UNAUTHENTIC", "altered", "改动"),
            (Version { found: 2 }, "DETAILS_VERSION", "n 2,", "为2，"),
            (Layout, "DETAILS_LAYOUT", "laid out", "格式"),
        ];
        for (error, code, english, chinese) in rows {
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(english), "{error}");
            assert!(error.zh().contains(chinese), "{}", error.zh());
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(
            format!("{:?} {:#?}", key(), key()),
            "SubjectKey(***) SubjectKey(***)"
        );
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_the_same(
            name in "[^\\pC\\p{Zl}\\p{Zp}]{1,128}",
            key: [u8; 32],
            subject: [u8; 16],
            nonce: [u8; 24],
        ) {
            prop_assume!(!name.trim().is_empty());
            let made = details(&name);
            let (key, subject) = (SubjectKey::new(key), SubjectId::from_bytes(subject));
            let sealed = seal(&key, &subject, nonce, &made);
            prop_assert_eq!(sealed.len() % 64, 40);
            prop_assert_eq!(open(&key, &subject, &sealed), Ok(made));
        }

        #[test]
        fn no_bytes_make_it_panic(sealed: Vec<u8>, mut plaintext: Vec<u8>) {
            prop_assert!(opened(&sealed).is_err());
            // Mostly the right version, so that the lengths are reached.
            if let Some(version) = plaintext.first_mut() { *version &= 1 }
            if let Ok(details) = decode(&plaintext) {
                prop_assert_eq!(&*encode(&details), &plaintext);
            }
        }
    }
}
