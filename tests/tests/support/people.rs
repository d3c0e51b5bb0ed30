//! Invented persons and organisations, as many as a test needs. Their numbers
//! carry a division code that was never issued, and valid check digits.

use luzhang_proto::wire;

const DIVISION: &str = "510590";

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) number: String,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Organisation {
    pub(crate) name: String,
    pub(crate) code: String,
}

impl Person {
    /// The `index`th person; every index below 336,000 is another one.
    pub(crate) fn number(index: u32) -> Self {
        let (year, rest) = (1950 + index % 50, index / 50);
        let (month, rest) = (1 + rest % 12, rest / 12);
        let (day, sequence) = (1 + rest % 28, 1 + rest / 28);
        let body = format!("{DIVISION}{year}{month:02}{day:02}{sequence:03}");
        let check = check_digit(&body);
        Self {
            name: format!("某氏{index}"),
            number: format!("{body}{check}"),
        }
    }

    pub(crate) fn wire(&self) -> wire::Person {
        wire::Person {
            name: self.name.clone(),
            national_id: self.number.clone(),
        }
    }
}

impl Organisation {
    /// The `index`th organisation.
    pub(crate) fn number(index: u32) -> Self {
        let body = format!("91{DIVISION}{index:09}");
        let check = credit_check(&body);
        Self {
            name: format!("某某单位{index}"),
            code: format!("{body}{check}"),
        }
    }

    pub(crate) fn wire(&self) -> wire::Organisation {
        wire::Organisation {
            name: self.name.clone(),
            credit_code: self.code.clone(),
            accept_check_digit: false,
        }
    }
}

/// Source: GB 11643, ISO 7064 MOD 11-2.
fn check_digit(body: &str) -> char {
    let weighted = body.chars().fold(0, |remainder, digit| {
        (remainder + digit.to_digit(10).unwrap()) * 2 % 11
    });
    "0123456789X"
        .chars()
        .nth(((12 - weighted) % 11) as usize)
        .unwrap()
}

/// Source: GB 32100, ISO 7064 MOD 31-3.
fn credit_check(body: &str) -> char {
    let alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let value = |character| alphabet.find(character).unwrap();
    let powers = (0..17).scan(1, |power, _| {
        let this = *power;
        *power = *power * 3 % 31;
        Some(this)
    });
    let sum: usize = body
        .chars()
        .zip(powers)
        .map(|(c, power)| value(c) * power)
        .sum();
    alphabet.chars().nth((31 - sum % 31) % 31).unwrap()
}

/// A repeatable source of choices.
#[derive(Debug)]
pub(crate) struct Dice(blake3::OutputReader);

impl Dice {
    pub(crate) fn new(seed: &str) -> Self {
        Self(blake3::Hasher::new().update(seed.as_bytes()).finalize_xof())
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end
    }
}
