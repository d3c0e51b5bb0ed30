//! The bank's answer, whichever form it has.

use std::collections::BTreeSet;

use super::{EndToEnd, FileError, Outcome, Reported, pain002};
use crate::import::{cell::Cell, table::Table};

/// The columns of the canonical table of results.
pub(crate) const COLUMNS: [&str; 6] = ["批次号", "端到端标识", "状态", "金额", "日期", "原因"];

/// The largest answer that is read.
const MAX_BYTES: usize = 64 << 20;

/// Reads a table (CSV or XLSX) or a pain.002 message.
pub(crate) fn read(
    bytes: Vec<u8>,
    batch_no: &str,
    expected: &[EndToEnd],
) -> Result<Vec<Reported>, FileError> {
    if bytes.len() > MAX_BYTES {
        return Err(FileError::Unknown {
            detail: "it has more than 64 MiB".to_owned(),
        });
    }
    let start = bytes.trim_ascii_start();
    let start = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(start);
    let reported = if start.starts_with(b"<") {
        let text = std::str::from_utf8(start).map_err(|_| FileError::Unknown {
            detail: "it is not UTF-8".to_owned(),
        })?;
        pain002::read(text, batch_no, expected)?
    } else {
        table(bytes, batch_no)?
    };
    let mut seen = BTreeSet::new();
    for found in &reported {
        if !seen.insert(found.id.clone()) {
            return Err(FileError::Repeated {
                place: found.place,
                id: found.id.to_string(),
            });
        }
    }
    Ok(reported)
}

fn table(bytes: Vec<u8>, batch_no: &str) -> Result<Vec<Reported>, FileError> {
    let table = Table::from_bytes(bytes).map_err(|error| FileError::Unknown {
        detail: error.to_string(),
    })?;
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let found = table.header().iter().position(|name| name.trim() == column);
        *place = found.ok_or_else(|| FileError::Unknown {
            detail: format!("column {column} is missing"),
        })?;
    }
    let mut reported = Vec::with_capacity(table.rows().len());
    for row in table.rows() {
        let number = row.number();
        let cell = |place: usize| row.cells().get(place);
        let text = |place| cell(place).map_or(String::new(), |cell| cell.display().into_owned());
        let [batch, id, status, amount, on, reason] = places;
        let invalid = |field, detail, zh| FileError::Value {
            place: number,
            field,
            detail,
            zh,
        };
        if text(batch).trim() != batch_no {
            return Err(FileError::OtherBatch {
                place: number,
                expected: batch_no.to_owned(),
            });
        }
        let id = EndToEnd::parse(&text(id)).ok_or_else(|| {
            invalid(
                "端到端标识",
                "is not one of this ledger's payments",
                "不是本账本的支付标识",
            )
        })?;
        let fen = cell(amount).map(Cell::amount);
        let fen = match fen {
            Some(Ok(fen)) => Some(fen),
            Some(Err(_)) if text(amount).trim().is_empty() => None,
            Some(Err(_)) => {
                return Err(invalid(
                    "金额",
                    "is not an amount in yuan with at most two decimals",
                    "不是最多两位小数的金额",
                ));
            }
            None => None,
        };
        let day = || {
            let day = cell(on).map(Cell::date);
            match day {
                Some(Ok(day)) => Ok(day),
                Some(Err(_)) | None => Err(invalid("日期", "is not a date", "不是日期")),
            }
        };
        let outcome = match text(status).trim() {
            "成功" => Outcome::Settled { on: day()? },
            "退票" => Outcome::Bounced {
                on: day()?,
                reason: match text(reason).trim() {
                    "" => "退票".to_owned(),
                    reason => reason.chars().take(200).collect(),
                },
            },
            "处理中" => Outcome::Pending,
            _ => {
                return Err(invalid(
                    "状态",
                    "is not one of 成功, 退票, 处理中",
                    "应为成功、退票或处理中",
                ));
            }
        };
        reported.push(Reported {
            place: number,
            id,
            outcome,
            amount: fen,
        });
    }
    Ok(reported)
}
