//! Citizen identity numbers.

use core::fmt;

use jiff::civil::{Date, date};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Characters of a number: six of division, eight of birth date, three of
/// sequence, one check digit.
const LENGTH: usize = 18;

/// Weights of the first seventeen digits: 2^(17−i) mod 11.
const WEIGHTS: [usize; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// The check digit for each remainder of the weighted sum.
const CHECK_DIGITS: &str = "10X98765432";

/// Nobody alive was born before; an earlier year is a typing error.
const EARLIEST_BIRTH: Date = date(1900, 1, 1);

/// A citizen identity number that is well formed: 17 digits and a digit or `X`.
///
/// The division code is not compared with the divisions of today, since people
/// keep the number of a county that has been renamed or abolished. The birth
/// date is not compared with today either, since this crate has no clock.
///
/// Source: GB 11643-1999; check digit by ISO 7064 MOD 11-2.
///
/// # Example
///
/// ```
/// use luzhang_ledger::identity::NationalId;
///
/// let id = NationalId::parse("11010519491231002x")?;
/// assert_eq!(id.as_str(), "11010519491231002X");
/// assert_eq!(id.masked(), "110105********002X");
/// # Ok::<(), luzhang_ledger::identity::NationalIdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct NationalId {
    number: String,
}

impl NationalId {
    /// Reads a number of exactly 18 characters; a final `x` becomes `X`.
    ///
    /// Nothing is trimmed and full-width digits are not converted: whoever
    /// reads a file decides what is harmless there, and says so.
    ///
    /// # Errors
    ///
    /// The first that applies, in the order of [`NationalIdError`].
    pub fn parse(text: &str) -> Result<Self, NationalIdError> {
        let found = text.chars().count();
        if found != LENGTH {
            return Err(NationalIdError::Length { found });
        }
        // Filled inside the type that wipes itself, and never reallocated, so
        // that a number refused half way is wiped as well.
        let mut id = Self {
            number: String::with_capacity(LENGTH),
        };
        for (index, character) in text.chars().enumerate() {
            match character {
                '0'..='9' => id.number.push(character),
                'x' | 'X' if is_last(index) => id.number.push('X'),
                _ => return Err(NationalIdError::Character { index }),
            }
        }
        if birth_date(&id.number).is_none_or(|born| born < EARLIEST_BIRTH) {
            return Err(NationalIdError::BirthDate);
        }
        if id.number.chars().last() != check_digit(&id.number) {
            return Err(NationalIdError::CheckDigit);
        }
        Ok(id)
    }

    /// The number in clear text, 18 characters. Never to be logged or stored.
    pub fn as_str(&self) -> &str {
        &self.number
    }

    /// The number for a public notice: birth date starred out, 18 characters.
    pub fn masked(&self) -> String {
        self.number
            .chars()
            .enumerate()
            .map(|(index, character)| {
                if (6..14).contains(&index) {
                    '*'
                } else {
                    character
                }
            })
            .collect()
    }
}

impl fmt::Debug for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalId(***)")
    }
}

/// Why a text is no citizen identity number. Never repeats the text, nor the
/// check digit that would have been right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NationalIdError {
    /// The text has not 18 characters.
    #[error(
        "the identity number has {found} characters instead of 18; write all 18 of the present \
         card, without spaces"
    )]
    Length {
        /// Characters in the text.
        found: usize,
    },
    /// A character is no digit, nor a final `X`.
    #[error(
        "character {} of the identity number is not a half-width digit (only the last one may \
         also be X); full-width digits, spaces and other letters have to be retyped",
        index.saturating_add(1)
    )]
    Character {
        /// Zero-based place of the first such character.
        index: usize,
    },
    /// Characters 7 to 14 are no date of the calendar, or one before 1900.
    #[error(
        "characters 7 to 14 of the identity number are no possible birth date; compare them with \
         the card"
    )]
    BirthDate,
    /// The last character does not follow from the others.
    #[error(
        "the check digit of the identity number does not match; compare every digit with the \
         card, and the last three with a cell that a spreadsheet took for a number"
    )]
    CheckDigit,
}

impl NationalIdError {
    /// The stable code of this reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::Length { .. } => "ID_LENGTH",
            Self::Character { .. } => "ID_CHARACTER",
            Self::BirthDate => "ID_BIRTH_DATE",
            Self::CheckDigit => "ID_CHECK_DIGIT",
        }
    }

    /// The reason as a Chinese sentence.
    pub fn zh(self) -> String {
        match self {
            Self::Length { found } => {
                format!("身份证号码有{found}个字符，应为18个；请按现行证件填写完整的18位，不要带空格")
            }
            Self::Character { index } => format!(
                "身份证号码第{}个字符不是半角数字（只有最后一位可以是X）；全角数字、空格和其他字母请重新录入",
                index.saturating_add(1)
            ),
            Self::BirthDate => {
                "身份证号码第7至14位不是有效的出生日期；请与证件核对".to_owned()
            }
            Self::CheckDigit => {
                "身份证号码校验码不符；请与证件逐位核对，并检查表格软件是否把它当作数值而改动了末三位"
                    .to_owned()
            }
        }
    }
}

fn is_last(index: usize) -> bool {
    index.saturating_add(1) == LENGTH
}

fn birth_date(number: &str) -> Option<Date> {
    let year = number.get(6..10)?.parse().ok()?;
    let month = number.get(10..12)?.parse().ok()?;
    let day = number.get(12..14)?.parse().ok()?;
    Date::new(year, month, day).ok()
}

fn check_digit(number: &str) -> Option<char> {
    let sum: usize = number
        .bytes()
        .zip(WEIGHTS)
        // The low half of an ASCII digit is its value.
        .map(|(digit, weight)| usize::from(digit & 0x0F).saturating_mul(weight))
        .sum();
    CHECK_DIGITS.chars().nth(sum % 11)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The standard's own recursion, which has no table of weights.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "a slow, obvious model on small numbers"
    )]
    fn with_check_digit(first_seventeen: &str) -> String {
        let product = first_seventeen.chars().fold(0, |product, digit| {
            (product + digit.to_digit(10).unwrap()) * 2 % 11
        });
        let check = (12 - product) % 11;
        format!(
            "{first_seventeen}{}",
            if check == 10 {
                "X".to_owned()
            } else {
                check.to_string()
            }
        )
    }

    #[track_caller]
    fn check(text: &str, expected: Result<&str, NationalIdError>) {
        let parsed = NationalId::parse(text);
        assert_eq!(
            parsed.as_ref().map(NationalId::as_str),
            expected.as_ref().copied()
        );
        if let Err(error) = parsed {
            for sentence in [error.to_string(), error.zh()] {
                let longest = sentence
                    .split(|c: char| !c.is_ascii_digit())
                    .map(str::len)
                    .max();
                assert!(
                    longest <= Some(2),
                    "an error must not repeat the number: {sentence}"
                );
            }
        }
    }

    #[test]
    fn numbers_at_their_edges() {
        use NationalIdError::{BirthDate, Character, CheckDigit, Length};
        let rows = [
            // The standard's example, and its check digit in small.
            ("11010519491231002X", Ok("11010519491231002X")),
            ("11010519491231002x", Ok("11010519491231002X")),
            ("510590197607110016", Ok("510590197607110016")),
            // No division is unknown.
            ("000000200001010011", Err(CheckDigit)),
            ("000000200001010013", Ok("000000200001010013")),
            ("999999200001010011", Ok("999999200001010011")),
            // Length: counted in characters, before anything else.
            ("", Err(Length { found: 0 })),
            ("510590760711001", Err(Length { found: 15 })),
            ("51059019760711001", Err(Length { found: 17 })),
            ("5105901976071100166", Err(Length { found: 19 })),
            (" 510590197607110016", Err(Length { found: 19 })),
            ("510590197607110016\n", Err(Length { found: 19 })),
            ("5.10590197607110E+17", Err(Length { found: 20 })),
            ("510590", Err(Length { found: 6 })),
            // Characters.
            ("５10590197607110016", Err(Character { index: 0 })),
            ("51059019760711001６", Err(Character { index: 17 })),
            (
                "５１０５９０１９７６０７１１００１６",
                Err(Character { index: 0 }),
            ),
            ("510590 97607110016", Err(Character { index: 6 })),
            ("5105901976071100X6", Err(Character { index: 16 })),
            ("X10590197607110016", Err(Character { index: 0 })),
            ("51059019760711001Y", Err(Character { index: 17 })),
            ("51059019760711001Х", Err(Character { index: 17 })),
            ("-10590197607110016", Err(Character { index: 0 })),
            ("510590+97607110016", Err(Character { index: 6 })),
            (
                "身份证号码身份证号码身份证号码身份证",
                Err(Character { index: 0 }),
            ),
            // Check digit.
            ("510590197607110017", Err(CheckDigit)),
            ("51059019760711001X", Err(CheckDigit)),
            ("110105194912310020", Err(CheckDigit)),
            ("510590197607110000", Err(CheckDigit)),
            // An impossible date is named before a wrong check digit.
            ("510590197602300000", Err(BirthDate)),
        ];
        for (text, expected) in rows {
            check(text, expected);
        }
    }

    #[test]
    fn birth_dates_at_their_edges() {
        let rows = [
            ("19000101", true),
            ("18991231", false),
            ("19000229", false),
            ("20000229", true),
            ("20230229", false),
            ("20240229", true),
            ("19760431", false),
            ("19760430", true),
            ("19761231", true),
            ("19761301", false),
            ("19760001", false),
            ("19760100", false),
            ("19760132", false),
            ("00000000", false),
            // The future is not this crate's to know.
            ("99991231", true),
        ];
        for (born, possible) in rows {
            let number = with_check_digit(&format!("510590{born}002"));
            let expected = if possible {
                Ok(&*number)
            } else {
                Err(NationalIdError::BirthDate)
            };
            check(&number, expected);
        }
    }

    #[test]
    fn every_reason_has_its_code_and_counts_from_one_for_people() {
        let rows = [
            (
                NationalIdError::Length { found: 17 },
                "ID_LENGTH",
                "17 characters",
                "17个字符",
            ),
            (
                NationalIdError::Character { index: 0 },
                "ID_CHARACTER",
                "character 1 ",
                "第1个",
            ),
            (
                NationalIdError::Character { index: 17 },
                "ID_CHARACTER",
                "character 18 ",
                "第18个",
            ),
            (
                NationalIdError::BirthDate,
                "ID_BIRTH_DATE",
                "birth date",
                "出生日期",
            ),
            (
                NationalIdError::CheckDigit,
                "ID_CHECK_DIGIT",
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
    fn a_number_shows_itself_only_when_asked() {
        let id = NationalId::parse("510590197607110016").unwrap();
        assert_eq!(format!("{id:?} {id:#?}"), "NationalId(***) NationalId(***)");
        assert_eq!(id.masked(), "510590********0016");
    }

    fn numbers() -> impl Strategy<Value = String> {
        (0_i32..60_000, 0..1000).prop_map(|(days, sequence)| {
            let born = EARLIEST_BIRTH.saturating_add(jiff::Span::new().days(days));
            with_check_digit(&format!("510590{}{sequence:03}", born.strftime("%Y%m%d")))
        })
    }

    proptest! {
        #[test]
        fn every_number_of_the_slow_model_is_read(number in numbers()) {
            let id = NationalId::parse(&number);
            prop_assert_eq!(id.as_ref().map(NationalId::as_str), Ok(&*number));
        }

        #[test]
        fn every_changed_digit_is_found(number in numbers()) {
            for place in 0..LENGTH {
                for digit in "0123456789X".chars() {
                    let changed: String = number
                        .chars()
                        .enumerate()
                        .map(|(index, old)| if index == place { digit } else { old })
                        .collect();
                    prop_assert_eq!(NationalId::parse(&changed).is_ok(), changed == number);
                }
            }
        }

        // Neighbouring weights are never equal mod 11, so the standard finds
        // every swap, the one with the check digit included.
        #[test]
        fn every_swap_of_neighbours_is_found(number in numbers()) {
            for (left, right) in (0..).zip(1..LENGTH) {
                let mut swapped: Vec<char> = number.chars().collect();
                swapped.swap(left, right);
                let swapped: String = swapped.into_iter().collect();
                prop_assert_eq!(NationalId::parse(&swapped).is_ok(), swapped == number);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            if let Ok(id) = NationalId::parse(&text) {
                prop_assert_eq!(id.as_str(), text.to_ascii_uppercase());
            }
        }
    }
}
