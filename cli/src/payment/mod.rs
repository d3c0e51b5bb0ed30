//! Payment files: what the bank gets, what it answers, and what became of each
//! payment. Nothing here talks to a ledger or reads a clock.

mod pain001;
mod pain002;
mod results;

pub(crate) mod reconcile;

use std::fmt;

use jiff::civil::{Date, DateTime};
use luzhang_ledger::Fen;
use thiserror::Error;

pub(crate) use self::{pain001::write as write_pain001, results::read};
use crate::import::annotate::escape;

/// A batch as the bank is to pay it.
pub(crate) struct Batch {
    /// The message's number: the batch's.
    pub(crate) number: String,
    /// When the batch was made, in Asia/Shanghai: a file written again is the
    /// same file.
    pub(crate) created_at: DateTime,
    /// When the bank is to pay.
    pub(crate) requested_on: Date,
    /// Who pays.
    pub(crate) debtor: Party,
    /// The payments, in the batch's order.
    pub(crate) items: Vec<Item>,
}

/// Somebody with a bank account. Never printed: it is a person's.
pub(crate) struct Party {
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) bank: String,
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Party(***)")
    }
}

/// One payment.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) id: EndToEnd,
    pub(crate) payee: Party,
    pub(crate) amount: Fen,
    /// Number of the claim.
    pub(crate) remittance: String,
}

/// What the bank calls a payment: `LZ`, eight digits of the ledger's id, the
/// grant's position and the attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EndToEnd {
    text: String,
    pub(crate) grant: u64,
    pub(crate) attempt: u32,
}

impl EndToEnd {
    /// The longest that ISO 20022 takes.
    const MAX: usize = 35;

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut parts = text.strip_prefix("LZ")?.split('-');
        let (ledger, grant, attempt) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = ledger.len() == 8 && ledger.bytes().all(|b| b.is_ascii_hexdigit());
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !digits || !plain(grant) || !plain(attempt) || parts.next().is_some() {
            return None;
        }
        let (grant, attempt) = (grant.parse().ok()?, attempt.parse().ok()?);
        (text.len() <= Self::MAX).then(|| Self {
            text: text.to_owned(),
            grant,
            attempt,
        })
    }
}

impl fmt::Display for EndToEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What the bank says of one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reported {
    /// Row or transaction of the file, from 1.
    pub(crate) place: u32,
    pub(crate) id: EndToEnd,
    pub(crate) outcome: Outcome,
    /// Absent where the file does not repeat it.
    pub(crate) amount: Option<Fen>,
}

/// What became of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Settled { on: Date },
    Bounced { on: Date, reason: String },
    Pending,
}

/// Why a payment file cannot be written or read. Never says a name or account.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    #[error("payment {id}: {field} is missing; bind the payee's account, or withdraw the payment")]
    Missing { id: String, field: &'static str },
    #[error("payment {id}: {field} has {found} characters, the standard takes {max}")]
    TooLong {
        id: String,
        field: &'static str,
        found: usize,
        max: usize,
    },
    #[error("the file is neither a table of results nor a pain.002 message: {detail}")]
    Unknown { detail: String },
    #[error("row or transaction {place}: {field}: {detail}")]
    Value {
        place: u32,
        field: &'static str,
        detail: &'static str,
        zh: &'static str,
    },
    /// What stands there instead may be anything, such as the next column.
    #[error("{}the answer is not to batch {expected}", in_row(*.place))]
    OtherBatch { place: u32, expected: String },
    #[error("row or transaction {place}: {id} was reported before in this file")]
    Repeated { place: u32, id: String },
}

/// Of a table; a message speaks of one batch.
fn in_row(place: u32) -> String {
    match place {
        0 => String::new(),
        place => format!("row {place}: "),
    }
}

impl FileError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "PAYMENT_INCOMPLETE",
            Self::TooLong { .. } => "PAYMENT_TOO_LONG",
            Self::Unknown { .. } => "RESULTS_UNREADABLE",
            Self::Value { .. } => "RESULT_INVALID",
            Self::OtherBatch { .. } => "RESULTS_OTHER_BATCH",
            Self::Repeated { .. } => "RESULT_REPEATED",
        }
    }

    pub(crate) fn zh(&self) -> String {
        match self {
            Self::Missing { id, field } => {
                format!("支付 {id}：缺少 {field}；请先登记收款账户，或者撤出该笔支付")
            }
            Self::TooLong {
                id,
                field,
                found,
                max,
            } => format!("支付 {id}：{field} 有 {found} 个字符，标准最多 {max} 个"),
            Self::Unknown { detail } => {
                format!("文件既不是支付结果表，也不是 pain.002 报文：{detail}")
            }
            Self::Value {
                place, field, zh, ..
            } => format!("第 {place} 笔，{field}：{zh}"),
            Self::OtherBatch { place: 0, expected } => format!("回执不属于批次 {expected}"),
            Self::OtherBatch { place, expected } => {
                format!("第 {place} 笔：回执不属于批次 {expected}")
            }
            Self::Repeated { place, id } => format!("第 {place} 笔：{id} 在本文件中重复"),
        }
    }
}

/// The columns of the canonical payment table.
pub(crate) const COLUMNS: [&str; 7] = [
    "批次号",
    "端到端标识",
    "收款人",
    "收款账号",
    "开户银行",
    "金额",
    "附言",
];

/// The batch as a table: UTF-8 with a byte order mark, formulas escaped.
pub(crate) fn write_csv(batch: &Batch) -> Result<Vec<u8>, FileError> {
    let failed = |error: csv::Error| FileError::Unknown {
        detail: error.to_string(),
    };
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(COLUMNS).map_err(failed)?;
    for item in &batch.items {
        item.check()?;
        let id = item.id.to_string();
        let amount = item.amount.to_string();
        let cells = [
            &batch.number,
            &id,
            &item.payee.name,
            &item.payee.account,
            &item.payee.bank,
            &amount,
            &item.remittance,
        ];
        let cells = cells.map(|cell| escape(cell.as_str().into()).into_owned());
        writer.write_record(cells).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| FileError::Unknown {
        detail: error.to_string(),
    })
}

impl Item {
    /// Whether a bank can pay it.
    fn check(&self) -> Result<(), FileError> {
        for (field, value, max) in [
            ("收款人", &self.payee.name, 140),
            ("收款账号", &self.payee.account, 34),
            ("开户银行", &self.payee.bank, 140),
            ("附言", &self.remittance, 140),
        ] {
            within(&self.id.to_string(), field, value, max)?;
        }
        Ok(())
    }
}

fn within(id: &str, field: &'static str, value: &str, max: usize) -> Result<(), FileError> {
    let id = || id.to_owned();
    let found = value.chars().count();
    if found == 0 {
        return Err(FileError::Missing { id: id(), field });
    }
    if found > max {
        return Err(FileError::TooLong {
            id: id(),
            field,
            found,
            max,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
