//! One cell of a clerk's table, and what it may be read as.

use std::{borrow::Cow, fmt};

use jiff::civil::Date;
use luzhang_ledger::{
    Fen, Office,
    amount::AmountError,
    calendar::{self, DateSet},
};
use rust_decimal::Decimal;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

/// A cell as the file holds it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing.
    Empty,
    /// Text, untrimmed.
    Text(String),
    /// A number in the shortest decimal notation, as a spreadsheet shows it.
    Number(String),
    /// A whole day.
    Date(Date),
    /// A truth value.
    Bool(bool),
    /// A formula that failed, such as `#N/A`.
    Error(String),
}

/// Why a cell cannot be read as what its column holds. No variant carries the
/// cell's text: it may be an identity number in the wrong column.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum CellError {
    #[error("empty; fill it in")]
    Empty,
    #[error("longer than 32,767 characters; shorten it")]
    TooLong,
    #[error("a formula that failed (such as #N/A); replace it by its value")]
    Formula,
    #[error("turned into a date by the spreadsheet; format the column as text and type it again")]
    DateForText,
    #[error("a truth value (TRUE or FALSE); format the column as text and type it again")]
    Truth,
    #[error(
        "stored as a number, so the spreadsheet has lost its last digits; \
         format the column as text and type it again"
    )]
    IdNotText,
    #[error(transparent)]
    Amount(#[from] AmountError),
    #[error("not a date; write 2024-02-29 or 2024/2/29")]
    DateFormat,
    #[error("a number without a date format; format the cell as a date or write 2024-02-29")]
    DateNumber,
    #[error("not a day of the calendar")]
    DateInvalid,
    #[error("a run whose last day lies before its first; write FIRST..LAST")]
    RunReversed,
    #[error("more than 1,000 days; split the row")]
    DatesTooMany,
    #[error("date {index} of the list: {problem}")]
    DateItem {
        /// Counts from 1.
        index: usize,
        problem: Box<CellError>,
    },
    #[error("not a rate in percent; write 4.35 for 4.35 %")]
    RateFormat,
    #[error("more than four decimals; a rate is counted in millionths")]
    RateDecimals,
    #[error("above 100 % a year")]
    RateRange,
    #[error("not a six-digit division code such as 510502 (GB/T 2260)")]
    OfficeCode,
    #[error("not a year of four digits such as 2025")]
    YearFormat,
    #[error("zero; leave the cell empty if all of it is meant")]
    NoAmount,
    #[error("not a position of the chain: a whole number above 0")]
    PositionFormat,
    #[error("not a province: its name, or its six-digit code such as 440000")]
    Province,
    #[error(
        "no grant: fill in the programme and the claim number, or leave the programme empty \
         and write @ and the grant's position"
    )]
    GrantNumber,
    #[error("no such value; allowed: {}", .allowed.join(", "))]
    ValueUnknown { allowed: Vec<&'static str> },
}

/// The divisions of the first level (GB/T 2260): code, short name, and the rest
/// of the full name.
const PROVINCES: [(&str, &str, &str); 34] = [
    ("110000", "北京", "市"),
    ("120000", "天津", "市"),
    ("130000", "河北", "省"),
    ("140000", "山西", "省"),
    ("150000", "内蒙古", "自治区"),
    ("210000", "辽宁", "省"),
    ("220000", "吉林", "省"),
    ("230000", "黑龙江", "省"),
    ("310000", "上海", "市"),
    ("320000", "江苏", "省"),
    ("330000", "浙江", "省"),
    ("340000", "安徽", "省"),
    ("350000", "福建", "省"),
    ("360000", "江西", "省"),
    ("370000", "山东", "省"),
    ("410000", "河南", "省"),
    ("420000", "湖北", "省"),
    ("430000", "湖南", "省"),
    ("440000", "广东", "省"),
    ("450000", "广西", "壮族自治区"),
    ("460000", "海南", "省"),
    ("500000", "重庆", "市"),
    ("510000", "四川", "省"),
    ("520000", "贵州", "省"),
    ("530000", "云南", "省"),
    ("540000", "西藏", "自治区"),
    ("610000", "陕西", "省"),
    ("620000", "甘肃", "省"),
    ("630000", "青海", "省"),
    ("640000", "宁夏", "回族自治区"),
    ("650000", "新疆", "维吾尔自治区"),
    ("710000", "台湾", "省"),
    ("810000", "香港", "特别行政区"),
    ("820000", "澳门", "特别行政区"),
];

impl Cell {
    /// The cell as text, as it goes into an annotated copy.
    pub(crate) fn display(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) | Self::Number(text) | Self::Error(text) => Cow::Borrowed(text),
            Self::Date(date) => Cow::Owned(date.to_string()),
            Self::Bool(true) => Cow::Borrowed("TRUE"),
            Self::Bool(false) => Cow::Borrowed("FALSE"),
        }
    }

    /// Whether there is nothing, or nothing but white space.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => trim(text).is_empty(),
            Self::Number(_) | Self::Date(_) | Self::Bool(_) | Self::Error(_) => false,
        }
    }

    /// Text of any kind: a name, a number of a claim, a fund. In Unicode's composed
    /// form (NFC), so that a row typed on another machine is the same row.
    pub(crate) fn text(&self) -> Result<String, CellError> {
        match self {
            Self::Number(number) if !keeps_all_digits(number) => Err(CellError::IdNotText),
            Self::Date(_) => Err(CellError::DateForText),
            Self::Empty | Self::Text(_) | Self::Number(_) | Self::Bool(_) | Self::Error(_) => {
                Ok(self.written()?.nfc().collect())
            }
        }
    }

    /// An identity number or credit code, in capitals. Whether it is a valid one
    /// is for the ledger to say.
    pub(crate) fn identity_number(&self) -> Result<String, CellError> {
        if matches!(self, Self::Number(_)) {
            return Err(CellError::IdNotText);
        }
        let text = self.text()?;
        if has_exponent(&text) {
            return Err(CellError::IdNotText);
        }
        Ok(text.to_ascii_uppercase())
    }

    /// An amount in yuan.
    pub(crate) fn amount(&self) -> Result<Fen, CellError> {
        match self {
            Self::Date(_) => Err(AmountError::Format.into()),
            Self::Empty | Self::Text(_) | Self::Number(_) | Self::Bool(_) | Self::Error(_) => {
                Ok(Fen::parse_yuan(self.written()?)?)
            }
        }
    }

    /// A yearly rate, written in percent, in millionths.
    pub(crate) fn rate_ppm(&self) -> Result<u32, CellError> {
        if matches!(self, Self::Date(_)) {
            return Err(CellError::RateFormat);
        }
        let written = self.written()?;
        let percent = trim(written.strip_suffix(['%', '％']).unwrap_or(written));
        let is_digit = |c: char| c.is_ascii_digit();
        if !percent.starts_with(is_digit)
            || !percent.ends_with(is_digit)
            || !percent.chars().all(|c| is_digit(c) || c == '.')
        {
            return Err(CellError::RateFormat);
        }
        let percent = Decimal::from_str_exact(percent).map_err(|_| CellError::RateFormat)?;
        if percent > Decimal::ONE_HUNDRED {
            return Err(CellError::RateRange);
        }
        if percent.normalize().scale() > 4 {
            return Err(CellError::RateDecimals);
        }
        percent
            .checked_mul(Decimal::from(10_000))
            .and_then(|ppm| u32::try_from(ppm.normalize()).ok())
            .ok_or(CellError::RateRange)
    }

    /// A day: `YYYY-MM-DD`, `YYYY/M/D` or a date of the spreadsheet.
    pub(crate) fn date(&self) -> Result<Date, CellError> {
        match self {
            Self::Date(date) => Ok(*date),
            Self::Number(_) => Err(CellError::DateNumber),
            Self::Empty | Self::Text(_) | Self::Bool(_) | Self::Error(_) => {
                parse_date(self.written()?)
            }
        }
    }

    /// Days separated by `;`, runs as `FIRST..LAST` inclusive, in the order
    /// written; 1 to 1,000 of them.
    pub(crate) fn dates(&self) -> Result<Vec<Date>, CellError> {
        if matches!(self, Self::Date(_) | Self::Number(_)) {
            return self.date().map(|date| vec![date]);
        }
        let list = self.written()?;
        let list = list.strip_suffix([';', '；']).unwrap_or(list);
        let mut days = Vec::new();
        for (index, item) in (1..).zip(list.split([';', '；'])) {
            push_days(&mut days, trim(item)).map_err(|problem| {
                if problem == CellError::DatesTooMany {
                    return problem;
                }
                CellError::DateItem {
                    index,
                    problem: Box::new(problem),
                }
            })?;
        }
        Ok(days)
    }

    /// A division code.
    pub(crate) fn office(&self) -> Result<String, CellError> {
        if matches!(self, Self::Date(_)) {
            return Err(CellError::OfficeCode);
        }
        let office: Office = self.written()?.parse().map_err(|_| CellError::OfficeCode)?;
        Ok(office.to_string())
    }

    /// A province: its code, or its name with or without what kind it is.
    pub(crate) fn province(&self) -> Result<String, CellError> {
        if let Ok(code) = self.office() {
            return Ok(code);
        }
        let name = self.text()?;
        let code = PROVINCES.iter().find_map(|(code, short, kind)| {
            let rest = name.strip_prefix(short)?;
            (rest.is_empty() || rest == *kind).then_some(*code)
        });
        code.map(str::to_owned).ok_or(CellError::Province)
    }

    /// A position on the chain.
    pub(crate) fn position(&self) -> Result<u64, CellError> {
        if matches!(self, Self::Date(_)) {
            return Err(CellError::PositionFormat);
        }
        let position = digits(self.written()?, 1..=20).filter(|position| *position > 0);
        position.ok_or(CellError::PositionFormat)
    }

    /// A calendar year.
    pub(crate) fn year(&self) -> Result<i32, CellError> {
        if matches!(self, Self::Date(_)) {
            return Err(CellError::YearFormat);
        }
        digits(self.written()?, 4..=4).ok_or(CellError::YearFormat)
    }

    /// One of a closed list of labels.
    pub(crate) fn label<T: Copy>(&self, labels: &[(&'static str, T)]) -> Result<T, CellError> {
        let unknown = || CellError::ValueUnknown {
            allowed: labels.iter().map(|(label, _)| *label).collect(),
        };
        if matches!(self, Self::Date(_) | Self::Bool(_)) {
            return Err(unknown());
        }
        let written = self.written()?;
        labels
            .iter()
            .find(|(label, _)| *label == written)
            .map(|(_, value)| *value)
            .ok_or_else(unknown)
    }

    /// What the clerk wrote, trimmed and not empty.
    fn written(&self) -> Result<&str, CellError> {
        let text = match self {
            Self::Empty => return Err(CellError::Empty),
            Self::Error(_) => return Err(CellError::Formula),
            Self::Bool(_) => return Err(CellError::Truth),
            Self::Date(_) => return Err(CellError::DateForText),
            Self::Text(text) | Self::Number(text) => trim(text),
        };
        if text.is_empty() {
            return Err(CellError::Empty);
        }
        // Excel's own limit; anything longer is a quote that was never closed.
        if text.len() > 32_767 && text.chars().count() > 32_767 {
            return Err(CellError::TooLong);
        }
        Ok(text)
    }
}

impl fmt::Debug for Cell {
    /// The kind alone: the content may be a name or an identity number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Text(_) => "Text",
            Self::Number(_) => "Number",
            Self::Date(_) => "Date",
            Self::Bool(_) => "Bool",
            Self::Error(_) => "Error",
        })
    }
}

impl CellError {
    /// The stable reason code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Empty => "CELL_EMPTY",
            Self::TooLong => "CELL_TOO_LONG",
            Self::Formula => "CELL_ERROR",
            Self::DateForText | Self::Truth => "CELL_KIND",
            Self::IdNotText => "ID_NOT_TEXT",
            Self::Amount(error) => error.code(),
            Self::DateFormat | Self::DateNumber => "DATE_FORMAT",
            Self::DateInvalid => "DATE_INVALID",
            Self::RunReversed => "DATE_RUN_REVERSED",
            Self::DatesTooMany => "DATES_TOO_MANY",
            Self::DateItem { problem, .. } => problem.code(),
            Self::RateFormat => "RATE_FORMAT",
            Self::RateDecimals => "RATE_DECIMALS",
            Self::RateRange => "RATE_RANGE",
            Self::OfficeCode => "OFFICE_CODE",
            Self::YearFormat => "YEAR_FORMAT",
            Self::NoAmount => "AMOUNT_ZERO",
            Self::PositionFormat => "POSITION_FORMAT",
            Self::Province => "PROVINCE_UNKNOWN",
            Self::GrantNumber => "GRANT_NUMBER",
            Self::ValueUnknown { .. } => "VALUE_UNKNOWN",
        }
    }

    /// The message in Chinese.
    pub(crate) fn zh(&self) -> String {
        match self {
            Self::Empty => "未填写，请补全".to_owned(),
            Self::TooLong => "超过 32767 个字，请缩短".to_owned(),
            Self::Formula => "公式出错（如 #N/A），请改填数值".to_owned(),
            Self::DateForText => "被表格软件改成了日期，请把该列设为文本后重新填写".to_owned(),
            Self::Truth => "是逻辑值（TRUE 或 FALSE），请把该列设为文本后重新填写".to_owned(),
            Self::IdNotText => "存成了数字，末尾几位已丢失，请把该列设为文本后重新填写".to_owned(),
            Self::Amount(error) => error.zh().to_owned(),
            Self::DateFormat => "不是日期，请写成 2024-02-29 或 2024/2/29".to_owned(),
            Self::DateNumber => {
                "是数字而不是日期，请把单元格设为日期格式，或写成 2024-02-29".to_owned()
            }
            Self::DateInvalid => "不是日历上的有效日期".to_owned(),
            Self::RunReversed => "起止日期颠倒，请写成“首日..末日”".to_owned(),
            Self::DatesTooMany => "日期超过 1000 个，请拆成几行".to_owned(),
            Self::DateItem { index, problem } => format!("第 {index} 个日期{}", problem.zh()),
            Self::RateFormat => "不是百分比利率，年利率 4.35% 请写 4.35".to_owned(),
            Self::RateDecimals => "超过四位小数，利率最小单位是百万分之一".to_owned(),
            Self::RateRange => "年利率超过 100%".to_owned(),
            Self::OfficeCode => "不是六位行政区划代码（如 510502）".to_owned(),
            Self::YearFormat => "不是四位年份（如 2025）".to_owned(),
            Self::NoAmount => "是零；全额请留空".to_owned(),
            Self::PositionFormat => "不是账本位置（大于零的整数）".to_owned(),
            Self::Province => "不是省份，请填省份名称或六位代码（如 440000）".to_owned(),
            Self::GrantNumber => {
                "不能确定是哪一笔补助：请填项目和申领编号，或者项目留空、此处填 @ 和补助的位置"
                    .to_owned()
            }
            Self::ValueUnknown { allowed } => {
                format!("没有这个取值，可填：{}", allowed.join("、"))
            }
        }
    }
}

/// Without the white space around it, the full-width and the invisible included.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

fn parse_date(text: &str) -> Result<Date, CellError> {
    let (separator, lengths) = if text.contains('/') {
        ('/', 1..=2)
    } else {
        ('-', 2..=2)
    };
    let mut parts = text.split(separator);
    let (Some(year), Some(month), Some(day), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(CellError::DateFormat);
    };
    let (Some(year), Some(month), Some(day)) = (
        digits(year, 4..=4),
        digits(month, lengths.clone()),
        digits(day, lengths),
    ) else {
        return Err(CellError::DateFormat);
    };
    calendar::date(year, month, day).map_err(|_| CellError::DateInvalid)
}

fn push_days(days: &mut Vec<Date>, item: &str) -> Result<(), CellError> {
    let (first, last) = match item.split_once("..") {
        Some((first, last)) => (parse_date(trim(first))?, parse_date(trim(last))?),
        None => parse_date(item).map(|day| (day, day))?,
    };
    if last < first {
        return Err(CellError::RunReversed);
    }
    let mut day = first;
    loop {
        if days.len() == DateSet::MAX {
            return Err(CellError::DatesTooMany);
        }
        days.push(day);
        if day == last {
            return Ok(());
        }
        day = day.tomorrow().map_err(|_| CellError::DateInvalid)?;
    }
}

fn digits<T: std::str::FromStr>(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<T> {
    (lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn whole_digits(number: &str) -> usize {
    let number = number.trim_start_matches('-');
    number
        .split_once('.')
        .map_or(number, |(whole, _)| whole)
        .len()
}

/// A binary fraction is exact to 15 digits.
fn keeps_all_digits(number: &str) -> bool {
    whole_digits(number) <= 15
}

/// `5.10590E+17`: what is left of an identity number once a spreadsheet has
/// saved it as a number into a text file.
fn has_exponent(text: &str) -> bool {
    text.split_once(['E', 'e'])
        .is_some_and(|(mantissa, exponent)| {
            let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            mantissa.contains('.') && digits(mantissa) && exponent.starts_with('+')
        })
}

#[cfg(test)]
mod tests;
