//! The office that acts, by its GB/T 2260 code.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A six-digit GB/T 2260 division code such as 510502. The code is not checked
/// against a list: divisions come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Office(u32);

/// Not a six-digit division code.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a GB/T 2260 division code: six digits such as 510502")]
pub struct OfficeError;

impl Office {
    /// Luzhou itself, the city office.
    pub const LUZHOU: Self = Self(510_500);

    /// Checks that `code` has six digits and does not begin with zero.
    pub fn new(code: u32) -> Result<Self, OfficeError> {
        if (100_000..=999_999).contains(&code) {
            Ok(Self(code))
        } else {
            Err(OfficeError)
        }
    }

    /// The code as a number.
    pub fn code(self) -> u32 {
        self.0
    }
}

impl FromStr for Office {
    type Err = OfficeError;

    fn from_str(text: &str) -> Result<Self, OfficeError> {
        if text.len() != 6 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(OfficeError);
        }
        Self::new(text.parse().map_err(|_| OfficeError)?)
    }
}

impl fmt::Display for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_or_nothing() {
        for (text, ok) in [
            ("510500", true),
            ("510523", true),
            ("51050", false),
            ("5105000", false),
            ("051050", false),
            ("+51050", false),
            ("51o500", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Office>().is_ok(), ok, "{text:?}");
        }
    }
}
