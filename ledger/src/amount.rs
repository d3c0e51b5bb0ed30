//! Money: integer fen, and text in yuan.

use std::fmt;

use rust_decimal::Decimal;
use thiserror::Error;

/// An amount of money in fen (1/100 yuan). Never negative; at most
/// 9,000,000,000,000.00 yuan, so that sums of a few thousand cannot overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fen(i64);

/// The largest single amount, in fen.
const MAX_FEN: i64 = 900_000_000_000_000;

/// Why a number or text is not an amount.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AmountError {
    /// Not a decimal number such as `1234.50`.
    #[error("not an amount: write yuan as digits with at most two decimals, such as 1234.50")]
    Format,
    /// More than two decimals: there is nothing smaller than a fen.
    #[error("more than two decimals: there is nothing smaller than a fen (0.01 yuan)")]
    Decimals,
    /// Below zero.
    #[error("an amount cannot be negative")]
    Negative,
    /// Above the largest amount.
    #[error("larger than 9,000,000,000,000.00 yuan")]
    Range,
}

impl AmountError {
    /// The stable reason code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Format => "AMOUNT_FORMAT",
            Self::Decimals => "AMOUNT_DECIMALS",
            Self::Negative => "AMOUNT_NEGATIVE",
            Self::Range => "AMOUNT_RANGE",
        }
    }

    /// The message in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Format => "金额格式不对：以元为单位写数字，最多两位小数，例如 1234.50",
            Self::Decimals => "金额超过两位小数：最小单位是分（0.01 元）",
            Self::Negative => "金额不能为负数",
            Self::Range => "金额超过 9,000,000,000,000.00 元",
        }
    }
}

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of `fen` fen.
    pub fn new(fen: i64) -> Result<Self, AmountError> {
        match fen {
            ..0 => Err(AmountError::Negative),
            0..=MAX_FEN => Ok(Self(fen)),
            _ => Err(AmountError::Range),
        }
    }

    /// Parses yuan: `1234`, `1234.5`, `1234.50`. No sign, no separators.
    ///
    /// ```
    /// use luzhang_ledger::Fen;
    /// assert_eq!(Fen::parse_yuan("50.01").unwrap().fen(), 5_001);
    /// assert!(Fen::parse_yuan("50.001").is_err());
    /// ```
    pub fn parse_yuan(text: &str) -> Result<Self, AmountError> {
        if let Some(rest) = text.strip_prefix('-') {
            return Err(if is_plain_decimal(rest) {
                AmountError::Negative
            } else {
                AmountError::Format
            });
        }
        if !is_plain_decimal(text) {
            return Err(AmountError::Format);
        }
        let yuan = Decimal::from_str_exact(text).map_err(|_| AmountError::Range)?;
        if yuan.normalize().scale() > 2 {
            return Err(AmountError::Decimals);
        }
        let fen = yuan
            .checked_mul(Decimal::ONE_HUNDRED)
            .ok_or(AmountError::Range)?;
        Self::new(i64::try_from(fen.normalize()).map_err(|_| AmountError::Range)?)
    }

    /// The number of fen.
    pub fn fen(self) -> i64 {
        self.0
    }

    /// `self × count`.
    pub fn times(self, count: usize) -> Result<Self, AmountError> {
        let count = i64::try_from(count).map_err(|_| AmountError::Range)?;
        self.0
            .checked_mul(count)
            .ok_or(AmountError::Range)
            .and_then(Self::new)
    }
}

fn is_plain_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction)
}

impl fmt::Display for Fen {
    /// Yuan with two decimals: `1234.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Decimal::new(self.0, 2), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_text_to_fen() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("50", Ok(5_000)),
            ("50.0", Ok(5_000)),
            ("50.01", Ok(5_001)),
            ("50.010", Ok(5_001)),
            ("0.01", Ok(1)),
            ("9000000000000.00", Ok(MAX_FEN)),
            ("50.001", Err(AmountError::Decimals)),
            ("9000000000000.01", Err(AmountError::Range)),
            ("99999999999999999999999999999999", Err(AmountError::Range)),
            ("-1", Err(AmountError::Negative)),
            ("-x", Err(AmountError::Format)),
            ("", Err(AmountError::Format)),
            (".5", Err(AmountError::Format)),
            ("5.", Err(AmountError::Format)),
            ("+5", Err(AmountError::Format)),
            ("1,000", Err(AmountError::Format)),
            ("1e3", Err(AmountError::Format)),
            ("５０", Err(AmountError::Format)),
        ] {
            assert_eq!(Fen::parse_yuan(text).map(Fen::fen), expected, "{text:?}");
        }
    }

    #[test]
    fn fen_to_yuan_text() {
        for (fen, text) in [
            (0, "0.00"),
            (1, "0.01"),
            (5_000, "50.00"),
            (123_450, "1234.50"),
        ] {
            assert_eq!(Fen::new(fen).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_product_never_wraps() {
        assert_eq!(Fen(5_000).times(3), Ok(Fen(15_000)));
        assert_eq!(Fen(MAX_FEN).times(2), Err(AmountError::Range));
        assert_eq!(Fen(MAX_FEN).times(usize::MAX), Err(AmountError::Range));
    }
}
