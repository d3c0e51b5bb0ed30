//! Name and number of a subject, in clear text.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{CreditCode, NationalId};
use crate::text::BrandNo;

/// Longest name, in characters.
const NAME_LIMIT: usize = 128;

/// Longest account number: that of an IBAN, which is longer than Chinese ones.
const ACCOUNT_LIMIT: usize = 34;

/// What a person, an organisation or a brand is called, and its number.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Details {
    name: String,
    number: String,
}

impl Details {
    /// Details of a person. The name is trimmed of blanks at both ends and then
    /// has 1 to 128 characters that are all visible.
    ///
    /// # Errors
    ///
    /// The first that applies, in the order of [`DetailsError`].
    pub fn person(name: &str, id: &NationalId) -> Result<Self, DetailsError> {
        Self::checked(name, id.as_str())
    }

    /// Details of an organisation, its name under the rules of
    /// [`Details::person`].
    ///
    /// # Errors
    ///
    /// The first that applies, in the order of [`DetailsError`].
    pub fn organisation(name: &str, code: &CreditCode) -> Result<Self, DetailsError> {
        Self::checked(name, code.as_str())
    }

    /// Details of a brand, its name under the rules of [`Details::person`].
    ///
    /// # Errors
    ///
    /// The first that applies, in the order of [`DetailsError`].
    pub fn brand(name: &str, number: &BrandNo) -> Result<Self, DetailsError> {
        Self::checked(name, number.as_str())
    }

    /// A bank account: the bank's name under the rules of [`Details::person`],
    /// and the number, 1 to 34 ASCII letters, digits and dashes once blanks are
    /// taken out.
    ///
    /// # Errors
    ///
    /// The first that applies, in the order of [`DetailsError`].
    pub fn account(bank: &str, number: &str) -> Result<Self, DetailsError> {
        let number: String = number.split_whitespace().collect();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if number.is_empty() || number.len() > ACCOUNT_LIMIT || !number.bytes().all(plain) {
            return Err(DetailsError::AccountNumber);
        }
        Self::checked(bank, &number)
    }

    /// The name in clear text. Never to be logged or stored.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The identity number, credit code or brand number in clear text. Never to be logged or
    /// stored.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// `u16 LE name length ‖ u16 LE number length ‖ name ‖ number`, the lengths
    /// in bytes.
    #[expect(
        clippy::expect_used,
        reason = "a name has at most 128 characters of 4 bytes and a number 64, or both were read \
                  back from 16-bit lengths"
    )]
    pub(super) fn framed(&self) -> Zeroizing<Vec<u8>> {
        let length = |text: &str| {
            u16::try_from(text.len())
                .expect("a checked length")
                .to_le_bytes()
        };
        let parts = [
            &length(&self.name)[..],
            &length(&self.number)[..],
            self.name.as_bytes(),
            self.number.as_bytes(),
        ];
        // One allocation of the right size, so that no copy is left behind.
        Zeroizing::new(parts.concat())
    }

    /// Details as they were read back: whoever sealed them had checked them.
    pub(super) fn unchecked(name: String, number: String) -> Self {
        Self { name, number }
    }

    fn checked(name: &str, number: &str) -> Result<Self, DetailsError> {
        let name = name.trim();
        let found = name.chars().count();
        if found == 0 {
            return Err(DetailsError::NameEmpty);
        }
        if found > NAME_LIMIT {
            return Err(DetailsError::NameTooLong { found });
        }
        if let Some(index) = name.chars().position(is_invisible) {
            return Err(DetailsError::NameCharacter { index });
        }
        Ok(Self {
            name: name.to_owned(),
            number: number.to_owned(),
        })
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Details(***)")
    }
}

/// Why a name cannot be taken. Never repeats the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DetailsError {
    /// Nothing but blanks.
    #[error("the name is empty; write the name as it is on the card or certificate")]
    NameEmpty,
    /// More than 128 characters.
    #[error(
        "the name has {found} characters, more than the 128 that are allowed; check that no other \
         column has run into it"
    )]
    NameTooLong {
        /// Characters in the trimmed name.
        found: usize,
    },
    /// A control character, or one that reorders or hides text.
    #[error(
        "character {} of the name cannot be seen (a control, direction or zero-width character); \
         retype the name",
        index.saturating_add(1)
    )]
    NameCharacter {
        /// Zero-based place of the first such character in the trimmed name.
        index: usize,
    },
    /// Not an account number.
    #[error(
        "the account number must have 1 to 34 letters, digits and dashes; copy it as it is on the \
         card or in the bank's letter"
    )]
    AccountNumber,
}

impl DetailsError {
    /// The stable code of this reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::NameEmpty => "NAME_EMPTY",
            Self::NameTooLong { .. } => "NAME_TOO_LONG",
            Self::NameCharacter { .. } => "NAME_CHARACTER",
            Self::AccountNumber => "ACCOUNT_NUMBER",
        }
    }

    /// The reason as a Chinese sentence.
    pub fn zh(self) -> String {
        match self {
            Self::NameEmpty => "姓名或名称为空；请按证件或证照填写".to_owned(),
            Self::NameTooLong { found } => {
                format!("姓名或名称有{found}个字符，最多128个；请检查是否混入了其他列的内容")
            }
            Self::NameCharacter { index } => format!(
                "姓名或名称第{}个字符不可见（控制、方向或零宽字符）；请重新录入",
                index.saturating_add(1)
            ),
            Self::AccountNumber => {
                "账号应为 1 至 34 位字母、数字或短横；请按银行卡或开户资料填写".to_owned()
            }
        }
    }
}

/// Characters that make two different names look the same, or one look like
/// another: controls and line ends, the Unicode property `Bidi_Control`, and
/// the zero-width characters that no script needs within a name.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}'
                | '\u{061C}' | '\u{200E}' | '\u{200F}'
                | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
                | '\u{200B}' | '\u{2060}' | '\u{FEFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::super::CheckDigit;
    use super::*;

    const NUMBER: &str = "510590197607110016";

    fn details(name: &str) -> Result<Details, DetailsError> {
        Details::person(name, &NationalId::parse(NUMBER).unwrap())
    }

    #[test]
    fn names_at_their_edges() {
        use DetailsError::{NameCharacter, NameEmpty, NameTooLong};
        let (longest, too_long) = ("某".repeat(128), "某".repeat(129));
        let (blanks, widest) = (format!(" {longest}\u{3000}"), "𠮷".repeat(128));
        let rows = [
            ("某", Ok("某")),
            (" \u{3000}某甲\t\r\n", Ok("某甲")),
            ("阿依某某·买买提某某", Ok("阿依某某·买买提某某")),
            ("Mou Jia", Ok("Mou Jia")),
            // Rare characters still stand in the private use area of many tables.
            ("某\u{E81A}", Ok("某\u{E81A}")),
            // The neighbours of the forbidden ranges are nobody's business.
            ("某\u{202F}甲", Ok("某\u{202F}甲")),
            ("某\u{2065}甲", Ok("某\u{2065}甲")),
            (&longest, Ok(&*longest)),
            (&widest, Ok(&*widest)),
            (&blanks, Ok(&*longest)),
            (&too_long, Err(NameTooLong { found: 129 })),
            ("", Err(NameEmpty)),
            (" \u{3000}\t\n", Err(NameEmpty)),
            ("\u{FEFF}", Err(NameCharacter { index: 0 })),
            ("  某\n甲", Err(NameCharacter { index: 1 })),
            ("某甲乙\0 ", Err(NameCharacter { index: 3 })),
        ];
        let code = CreditCode::parse("91510590407224700G", CheckDigit::Required).unwrap();
        let brand = BrandNo::new("某-001").unwrap();
        let made = |name: &str| {
            let person = details(name)?;
            let organisation = Details::organisation(name, &code)?;
            assert_eq!(organisation.name(), person.name());
            assert_eq!(organisation.number(), code.as_str());
            let brand = Details::brand(name, &brand)?;
            assert_eq!((brand.name(), brand.number()), (person.name(), "某-001"));
            assert_eq!(person.number(), NUMBER);
            Ok(person.name().to_owned())
        };
        for (name, expected) in rows {
            assert_eq!(made(name), expected.map(str::to_owned));
        }
        let invisible = [
            '\0', '\t', '\n', '\r', '\u{1B}', '\u{7F}', '\u{9B}', '\u{2028}', '\u{2029}',
            '\u{061C}', '\u{200E}', '\u{200F}', '\u{202A}', '\u{202B}', '\u{202C}', '\u{202D}',
            '\u{202E}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}', '\u{200B}', '\u{2060}',
            '\u{FEFF}',
        ];
        for character in invisible {
            let found = made(&format!("某{character}甲"));
            assert_eq!(found, Err(NameCharacter { index: 1 }), "{character:?}");
        }
    }

    #[test]
    fn every_reason_has_its_code_in_two_languages() {
        use DetailsError::{NameCharacter, NameEmpty, NameTooLong};
        let rows = [
            (NameEmpty, "NAME_EMPTY", "empty", "为空"),
            (NameTooLong { found: 129 }, "NAME_TOO_LONG", "129", "129"),
            (NameCharacter { index: 2 }, "NAME_CHARACTER", "r 3", "第3个"),
        ];
        for (error, code, english, chinese) in rows {
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(english), "{error}");
            assert!(error.zh().contains(chinese), "{}", error.zh());
        }
    }

    #[test]
    fn details_do_not_show_themselves() {
        assert_eq!(
            format!(
                "{:?} {:#?}",
                details("某甲").unwrap(),
                details("某甲").unwrap()
            ),
            "Details(***) Details(***)"
        );
    }
}
