//! What makes a record malformed, whatever policy says.

use thiserror::Error;

use crate::{
    amount::AmountError,
    calendar::{CalendarError, Date},
    office::OfficeError,
    text::TextError,
};

/// A record that contradicts itself or names something that cannot be. It is
/// rejected before policy is asked, and nothing is written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{field}: {problem}")]
pub struct Malformed {
    /// Dotted name of the field at fault, as on the wire.
    pub field: &'static str,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Problem {
    /// A required value is absent.
    #[error("is required")]
    Missing,
    /// A text is unacceptable.
    #[error(transparent)]
    Text(#[from] TextError),
    /// An amount is unacceptable.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// A date or a set of dates is unacceptable.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// An office code is unacceptable.
    #[error(transparent)]
    Office(#[from] OfficeError),
    /// An amount must be greater than zero.
    #[error("must be greater than zero")]
    NotPositive,
    /// The amount is not days × rate.
    #[error("is not the daily rate times the number of days ({expected_fen} fen)")]
    AmountMismatch {
        /// Rate × days, in fen.
        expected_fen: i64,
    },
    /// The end lies before the beginning.
    #[error("ends before it begins on {begins}")]
    Reversed {
        /// The first day.
        begins: Date,
    },
    /// A rate above 100 % a year.
    #[error("is above 100 % a year")]
    RateRange,
    /// A division that is not a province.
    #[error("is not a province's GB/T 2260 code: six digits ending in 0000")]
    NotProvince,
    /// More entries than one record may have.
    #[error("has more than {max} entries")]
    TooMany {
        /// The most.
        max: usize,
    },
    /// The same entry twice.
    #[error("names {0} twice")]
    Twice(u64),
    /// A year that no budget has.
    #[error("is not a year between 2000 and 2999")]
    YearRange,
    /// An enumeration has no such value.
    #[error("has no such value")]
    UnknownValue,
    /// Bytes of the wrong length.
    #[error("must have {expected} bytes")]
    ByteLength {
        /// How many there must be.
        expected: usize,
    },
}

impl Problem {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing | Self::Calendar(CalendarError::Empty) => "FIELD_REQUIRED",
            Self::Text(error) => error.code(),
            Self::Amount(error) => error.code(),
            Self::Calendar(CalendarError::NoSuchDay) => "DATE_INVALID",
            Self::Calendar(CalendarError::Duplicate(_)) => "DATE_DUPLICATE",
            Self::Calendar(CalendarError::TooMany) => "DATES_TOO_MANY",
            Self::Office(_) => "OFFICE_CODE",
            Self::NotPositive => "AMOUNT_NOT_POSITIVE",
            Self::AmountMismatch { .. } => "AMOUNT_MISMATCH",
            Self::Reversed { .. } => "PERIOD_REVERSED",
            Self::RateRange => "RATE_RANGE",
            Self::NotProvince => "PROVINCE_CODE",
            Self::TooMany { .. } => "ENTRIES_TOO_MANY",
            Self::Twice(_) => "ENTRY_TWICE",
            Self::YearRange => "YEAR_RANGE",
            Self::UnknownValue => "VALUE_UNKNOWN",
            Self::ByteLength { .. } => "BYTE_LENGTH",
        }
    }

    /// The problem in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Missing | Self::Text(TextError::Empty) => "不能为空".to_owned(),
            Self::Text(TextError::TooLong { max }) => format!("超过 {max} 个字"),
            Self::Text(TextError::Character) => "含有控制字符或改变文字方向的字符".to_owned(),
            Self::Amount(error) => error.zh().to_owned(),
            Self::Calendar(CalendarError::NoSuchDay) => "不是有效日期".to_owned(),
            Self::Calendar(CalendarError::Duplicate(day)) => format!("{day} 重复出现"),
            Self::Calendar(CalendarError::Empty) => "没有日期".to_owned(),
            Self::Calendar(CalendarError::TooMany) => "日期超过 1000 个".to_owned(),
            Self::Office(_) => "不是六位行政区划代码（如 510502）".to_owned(),
            Self::NotPositive => "必须大于零".to_owned(),
            Self::AmountMismatch { expected_fen } => {
                format!("与每日标准乘以天数不符，应为 {expected_fen} 分")
            }
            Self::Reversed { begins } => format!("结束早于开始（{begins}）"),
            Self::RateRange => "年利率超过 100%".to_owned(),
            Self::NotProvince => "不是省级行政区划代码（六位，末四位为 0000）".to_owned(),
            Self::TooMany { max } => format!("超过 {max} 项，请拆分"),
            Self::Twice(number) => format!("{number} 重复出现"),
            Self::YearRange => "年度应在 2000 至 2999 之间".to_owned(),
            Self::UnknownValue => "没有这个取值".to_owned(),
            Self::ByteLength { expected } => format!("应为 {expected} 字节"),
        }
    }
}

/// Names the field in an error: `text.map_err(at("claim_no"))`.
pub fn at<P: Into<Problem>>(field: &'static str) -> impl Fn(P) -> Malformed {
    move |problem| Malformed {
        field,
        problem: problem.into(),
    }
}
