//! Unified social credit codes.

use core::fmt;
use std::sync::LazyLock;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Characters of a code: one of registering department, one of kind, six of
/// division, nine of organisation code, one check digit.
const LENGTH: usize = 18;

/// Digits and letters without I, O, S, V and Z; a character's value is its
/// place here.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Weights of the characters: 3^i mod 31, and one for the check digit.
const WEIGHTS: [u32; LENGTH] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1,
];

/// What a check digit that does not match means to the caller.
///
/// Codes with a wrong check digit have been issued and are in daily use, so a
/// person may decide that the certificate is right and the arithmetic is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckDigit {
    /// The code is not accepted.
    Required,
    /// Someone has compared the code with the certificate: it is accepted, and
    /// [`CreditCode::check_digit_matches`] still tells.
    Overridden,
}

/// The code of an organisation: 18 digits and capital letters.
///
/// Neither the department, the kind nor the division in it is compared with
/// any list.
///
/// Source: GB 32100-2015.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct CreditCode {
    code: String,
    check_digit_matches: bool,
}

impl CreditCode {
    /// Reads a code of exactly 18 characters; small letters become capitals.
    /// Nothing is trimmed and full-width characters are not converted.
    ///
    /// # Errors
    ///
    /// The first that applies, in the order of [`CreditCodeError`]; never
    /// [`CreditCodeError::CheckDigit`] with [`CheckDigit::Overridden`].
    pub fn parse(text: &str, check_digit: CheckDigit) -> Result<Self, CreditCodeError> {
        let found = text.chars().count();
        if found != LENGTH {
            return Err(CreditCodeError::Length { found });
        }
        let mut code = Self {
            code: String::with_capacity(LENGTH),
            check_digit_matches: false,
        };
        let mut sum: u32 = 0;
        for ((index, character), weight) in text.chars().enumerate().zip(WEIGHTS) {
            let character = character.to_ascii_uppercase();
            let value = value(character).ok_or(CreditCodeError::Character { index })?;
            sum = sum.saturating_add(u32::from(value).saturating_mul(weight));
            code.code.push(character);
        }
        // (31 − sum mod 31) mod 31 makes the whole sum divisible by 31, the
        // check digit having weight one.
        code.check_digit_matches = sum.is_multiple_of(31);
        match check_digit {
            CheckDigit::Required if !code.check_digit_matches => Err(CreditCodeError::CheckDigit),
            CheckDigit::Required | CheckDigit::Overridden => Ok(code),
        }
    }

    /// Whether the last character follows from the others.
    pub fn check_digit_matches(&self) -> bool {
        self.check_digit_matches
    }

    /// The code in clear text, 18 characters. Never to be logged or stored.
    pub fn as_str(&self) -> &str {
        &self.code
    }
}

impl fmt::Debug for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CreditCode(***)")
    }
}

/// Why a text is no unified social credit code. Never repeats the text, nor
/// the check digit that would have been right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreditCodeError {
    /// The text has not 18 characters.
    #[error(
        "the unified social credit code has {found} characters instead of 18; write the whole \
         code of the certificate, without spaces or hyphens"
    )]
    Length {
        /// Characters in the text.
        found: usize,
    },
    /// A character is outside the standard's alphabet.
    #[error(
        "character {} of the unified social credit code is not a half-width digit or letter, or \
         is one of I, O, S, V and Z, which no code contains; compare it with the certificate \
         (1 for I, 0 for O, 5 for S, U for V, 2 for Z)",
        index.saturating_add(1)
    )]
    Character {
        /// Zero-based place of the first such character.
        index: usize,
    },
    /// The last character does not follow from the others.
    #[error(
        "the check digit of the unified social credit code does not match; compare every \
         character with the certificate, and if it really reads so, confirm the code to override \
         this check"
    )]
    CheckDigit,
}

impl CreditCodeError {
    /// The stable code of this reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::Length { .. } => "USCC_LENGTH",
            Self::Character { .. } => "USCC_CHARACTER",
            Self::CheckDigit => "USCC_CHECK_DIGIT",
        }
    }

    /// The reason as a Chinese sentence.
    pub fn zh(self) -> String {
        match self {
            Self::Length { found } => format!(
                "统一社会信用代码有{found}个字符，应为18个；请按证照填写完整代码，不要带空格或连字符"
            ),
            Self::Character { index } => format!(
                "统一社会信用代码第{}个字符不是半角数字或字母，或者是代码中不使用的I、O、S、V、Z；\
                 请与证照核对（I应为1，O应为0，S应为5，V应为U，Z应为2）",
                index.saturating_add(1)
            ),
            Self::CheckDigit => {
                "统一社会信用代码校验码不符；请与证照逐位核对，证照确实如此的，可确认后忽略此项检查"
                    .to_owned()
            }
        }
    }
}

fn value(character: char) -> Option<u8> {
    /// Places in the alphabet by ASCII code, each one more than it is.
    static PLACES: LazyLock<[u8; 128]> = LazyLock::new(|| {
        let mut places = [0; 128];
        for (known, place) in ALPHABET.bytes().zip(1..) {
            if let Some(slot) = places.get_mut(usize::from(known)) {
                *slot = place;
            }
        }
        places
    });
    let place = PLACES.get(usize::try_from(u32::from(character)).ok()?)?;
    place.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The check digit by trial: the one for which Horner's scheme, from the
    /// right and with no table of weights, ends in zero.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a slow, obvious model on small numbers"
    )]
    fn with_check_digit(first_seventeen: &str) -> String {
        let sum = first_seventeen.chars().rev().fold(0, |sum, character| {
            sum * 3 % 31 + u32::from(value(character).unwrap())
        });
        let check = ALPHABET
            .chars()
            .find(|check| (sum + u32::from(value(*check).unwrap())).is_multiple_of(31));
        format!("{first_seventeen}{}", check.unwrap())
    }

    #[track_caller]
    fn check(text: &str, how: CheckDigit, expected: Result<&str, CreditCodeError>) {
        let parsed = CreditCode::parse(text, how);
        assert_eq!(
            parsed.as_ref().map(CreditCode::as_str),
            expected.as_ref().copied(),
            "{how:?}"
        );
        if let Err(error) = parsed {
            for sentence in [error.to_string(), error.zh()] {
                let longest = sentence
                    .split(|c: char| !c.is_ascii_digit())
                    .map(str::len)
                    .max();
                assert!(
                    longest <= Some(2),
                    "an error must not repeat the code: {sentence}"
                );
            }
        }
    }

    #[test]
    fn the_alphabet_has_31_characters_and_each_weight_is_a_power_of_three() {
        assert_eq!(ALPHABET.chars().count(), 31);
        let left_out: String = ('A'..='Z')
            .filter(|letter| value(*letter).is_none())
            .collect();
        assert_eq!(left_out, "IOSVZ");
        let mut power = 1;
        let (check, weights) = WEIGHTS.split_last().unwrap();
        assert_eq!(*check, 1);
        for weight in weights {
            assert_eq!(*weight, power);
            power = power * 3 % 31;
        }
    }

    #[test]
    fn codes_at_their_edges() {
        use CreditCodeError::{Character, Length};
        let rows = [
            ("91510590407224700G", Ok("91510590407224700G")),
            ("91510590407224700g", Ok("91510590407224700G")),
            ("9151059082384302w2", Ok("9151059082384302W2")),
            ("000000000000000000", Ok("000000000000000000")),
            ("", Err(Length { found: 0 })),
            ("91510590407224700", Err(Length { found: 17 })),
            ("91510590407224700GG", Err(Length { found: 19 })),
            ("91510590407224700G ", Err(Length { found: 19 })),
            ("915105904072247-00G", Err(Length { found: 19 })),
            ("I1510590407224700G", Err(Character { index: 0 })),
            ("9151059040722470OG", Err(Character { index: 16 })),
            ("91510590407224700S", Err(Character { index: 17 })),
            ("91510590407224700v", Err(Character { index: 17 })),
            ("91510590407224700Z", Err(Character { index: 17 })),
            ("9151059040722470０G", Err(Character { index: 16 })),
            ("91510590407224700Ｇ", Err(Character { index: 17 })),
            ("91510590 07224700G", Err(Character { index: 8 })),
            ("91510590407224700-", Err(Character { index: 17 })),
            // Turns into S and I under Unicode case mapping, not under ASCII's.
            ("9151059040722470ſG", Err(Character { index: 16 })),
            ("9151059040722470ıG", Err(Character { index: 16 })),
        ];
        for (text, expected) in rows {
            // An override is about the check digit and forgives nothing else.
            check(text, CheckDigit::Required, expected);
            check(text, CheckDigit::Overridden, expected);
        }
    }

    #[test]
    fn a_wrong_check_digit_passes_only_when_overridden() {
        let rows = [
            "91510590407224700H",
            "91510590407224701G",
            "19510590407224700G",
        ];
        for text in rows {
            check(text, CheckDigit::Required, Err(CreditCodeError::CheckDigit));
            check(text, CheckDigit::Overridden, Ok(text));
            let code = CreditCode::parse(text, CheckDigit::Overridden).unwrap();
            assert!(!code.check_digit_matches());
        }
        let right = CreditCode::parse("91510590407224700G", CheckDigit::Overridden).unwrap();
        assert!(right.check_digit_matches());
    }

    #[test]
    fn every_reason_has_its_code_and_counts_from_one_for_people() {
        let rows = [
            (
                CreditCodeError::Length { found: 17 },
                "USCC_LENGTH",
                "17 characters",
                "17个字符",
            ),
            (
                CreditCodeError::Character { index: 0 },
                "USCC_CHARACTER",
                "character 1 ",
                "第1个",
            ),
            (
                CreditCodeError::Character { index: 17 },
                "USCC_CHARACTER",
                "character 18 ",
                "第18个",
            ),
            (
                CreditCodeError::CheckDigit,
                "USCC_CHECK_DIGIT",
                "check digit",
                "校验码",
            ),
        ];
        for (error, code, english, chinese) in rows {
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(english), "{error}");
            assert!(error.zh().contains(chinese), "{}", error.zh());
        }
    }

    #[test]
    fn a_code_does_not_show_itself() {
        let code = CreditCode::parse("91510590407224700G", CheckDigit::Required).unwrap();
        assert_eq!(
            format!("{code:?} {code:#?}"),
            "CreditCode(***) CreditCode(***)"
        );
    }

    fn codes() -> impl Strategy<Value = String> {
        proptest::collection::vec(0..31_usize, 17).prop_map(|values| {
            let first: String = values
                .into_iter()
                .map(|value| ALPHABET.chars().nth(value).unwrap())
                .collect();
            with_check_digit(&first)
        })
    }

    proptest! {
        #[test]
        fn every_code_of_the_slow_model_is_read(code in codes()) {
            let parsed = CreditCode::parse(&code, CheckDigit::Required);
            prop_assert_eq!(parsed.as_ref().map(CreditCode::as_str), Ok(&*code));
        }

        // 31 is prime and no weight is divisible by it.
        #[test]
        fn every_changed_character_is_found(code in codes()) {
            for place in 0..LENGTH {
                for character in ALPHABET.chars() {
                    let changed: String = code
                        .chars()
                        .enumerate()
                        .map(|(index, old)| if index == place { character } else { old })
                        .collect();
                    let parsed = CreditCode::parse(&changed, CheckDigit::Required);
                    prop_assert_eq!(parsed.is_ok(), changed == code);
                    let parsed = CreditCode::parse(&changed, CheckDigit::Overridden).unwrap();
                    prop_assert_eq!(parsed.check_digit_matches(), changed == code);
                }
            }
        }

        // Neighbouring weights are never equal mod 31.
        #[test]
        fn every_swap_of_neighbours_is_found(code in codes()) {
            for (left, right) in (0..).zip(1..LENGTH) {
                let mut swapped: Vec<char> = code.chars().collect();
                swapped.swap(left, right);
                let swapped: String = swapped.into_iter().collect();
                let parsed = CreditCode::parse(&swapped, CheckDigit::Required);
                prop_assert_eq!(parsed.is_ok(), swapped == code);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            if let Ok(code) = CreditCode::parse(&text, CheckDigit::Overridden) {
                prop_assert_eq!(code.as_str(), text.to_ascii_uppercase());
            }
        }
    }
}
