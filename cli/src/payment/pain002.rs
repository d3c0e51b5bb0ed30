//! The bank's answer as ISO 20022 pain.002.001.10, `CustomerPaymentStatusReport`.

use jiff::civil::Date;
use luzhang_ledger::Fen;
use quick_xml::{Reader, events::Event};

use super::{EndToEnd, FileError, Outcome, Reported};

/// The deepest message that is read; the standard's own is about ten.
const MAX_DEPTH: usize = 32;

/// What one transaction says, until it ends.
#[derive(Default)]
struct Transaction {
    id: String,
    status: String,
    reason: String,
    amount: String,
    currency: String,
    on: String,
}

/// What the whole message says.
#[derive(Default)]
struct Message {
    created: String,
    original: String,
    group_status: String,
    payment_status: String,
    transactions: Vec<Transaction>,
}

/// Reads a message; `expected` are the payments of the batch, for a bank that
/// answers for all of them at once.
pub(super) fn read(
    text: &str,
    batch_no: &str,
    expected: &[EndToEnd],
) -> Result<Vec<Reported>, FileError> {
    let message = parse(text)?;
    if message.original != batch_no {
        return Err(FileError::OtherBatch {
            place: 0,
            expected: batch_no.to_owned(),
        });
    }
    let whole = match message.payment_status.as_str() {
        "" => message.group_status.as_str(),
        status => status,
    };
    if message.transactions.is_empty() && matches!(whole, "ACSC" | "ACCC" | "RJCT") {
        let on = day(0, &message.created)?;
        let outcome = outcome(0, whole, on, "RJCT")?;
        let reported = (1_u32..).zip(expected).map(|(place, id)| Reported {
            place,
            id: id.clone(),
            outcome: outcome.clone(),
            amount: None,
        });
        return Ok(reported.collect());
    }
    (1_u32..)
        .zip(&message.transactions)
        .map(|(place, transaction)| reported(place, transaction, &message.created))
        .collect()
}

fn reported(place: u32, found: &Transaction, created: &str) -> Result<Reported, FileError> {
    let id = EndToEnd::parse(&found.id).ok_or(FileError::Value {
        place,
        field: "OrgnlEndToEndId",
        detail: "is not one of this ledger's payments",
        zh: "不是本账本的支付标识",
    })?;
    let on = match found.on.as_str() {
        "" => created,
        on => on,
    };
    let amount = match found.amount.as_str() {
        "" => None,
        text if found.currency == "CNY" => {
            Some(Fen::parse_yuan(text).map_err(|_| FileError::Value {
                place,
                field: "InstdAmt",
                detail: "is not an amount in yuan with at most two decimals",
                zh: "不是最多两位小数的金额",
            })?)
        }
        _ => {
            return Err(FileError::Value {
                place,
                field: "InstdAmt",
                detail: "is not in CNY",
                zh: "币种不是人民币",
            });
        }
    };
    Ok(Reported {
        place,
        outcome: outcome(place, &found.status, day(place, on)?, &found.reason)?,
        id,
        amount,
    })
}

fn outcome(place: u32, status: &str, on: Date, reason: &str) -> Result<Outcome, FileError> {
    match status {
        "ACSC" | "ACCC" => Ok(Outcome::Settled { on }),
        "RJCT" => Ok(Outcome::Bounced {
            on,
            reason: match reason {
                "" => "RJCT".to_owned(),
                reason => reason.chars().take(200).collect(),
            },
        }),
        "ACSP" | "ACTC" | "ACCP" | "ACWC" | "ACWP" | "ACFC" | "RCVD" | "PDNG" | "PATC" => {
            Ok(Outcome::Pending)
        }
        _ => Err(FileError::Value {
            place,
            field: "TxSts",
            detail: "is not a status of the standard: ACSC, ACCC, RJCT, PDNG …",
            zh: "不是标准规定的状态：ACSC、ACCC、RJCT、PDNG 等",
        }),
    }
}

/// The day of a date or a date and time, as it is written.
fn day(place: u32, text: &str) -> Result<Date, FileError> {
    let day = text.get(..10).and_then(|day| day.parse().ok());
    day.ok_or(FileError::Value {
        place,
        field: "AccptncDtTm",
        detail: "is not a date or a date and time",
        zh: "不是日期或日期时间",
    })
}

fn parse(text: &str) -> Result<Message, FileError> {
    let unknown = |detail: String| FileError::Unknown { detail };
    // Without the reader's own words: they repeat what it found.
    let unsound = |at: u64| unknown(format!("it is not sound XML, at byte {at} or after it"));
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut message = Message::default();
    let mut content = String::new();
    loop {
        let begin = reader.buffer_position();
        let event = reader.read_event();
        match event.map_err(|_| unsound(begin))? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                if name == "TxInfAndSts" {
                    message.transactions.push(Transaction::default());
                }
                if name == "InstdAmt"
                    && let Some(transaction) = message.transactions.last_mut()
                {
                    let found = start.try_get_attribute("Ccy");
                    let found = found.map_err(|_| unsound(begin))?;
                    let value = found.map(|ccy| ccy.value.into_owned());
                    transaction.currency = value.unwrap_or_default();
                }
                path.push(name);
                content.clear();
                if path.len() > MAX_DEPTH {
                    return Err(unknown("it is nested too deeply".to_owned()));
                }
            }
            Event::Text(text) => content.push_str(&text),
            Event::GeneralRef(reference) => content.push(entity(&reference).ok_or_else(|| {
                unknown("it uses an entity that XML does not predefine".to_owned())
            })?),
            Event::CData(text) => content.push_str(&text),
            Event::End(_) => {
                message.take(&path, content.trim().to_owned());
                content.clear();
                path.pop();
            }
            // A document type could define what its text means: none is read.
            Event::DocType(_) => return Err(unknown("it has a document type".to_owned())),
            Event::Eof => break,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    if message.original.is_empty() {
        return Err(unknown("it has no OrgnlMsgId".to_owned()));
    }
    Ok(message)
}

/// The five predefined entities, and characters by number.
fn entity(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

impl Message {
    /// Takes an element's text by the end of its path.
    fn take(&mut self, path: &[String], text: String) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let transaction = self.transactions.last_mut();
        match (path.as_slice(), transaction) {
            ([.., "GrpHdr", "CreDtTm"], _) => self.created = text,
            ([.., "OrgnlGrpInfAndSts", "OrgnlMsgId"], _) => self.original = text,
            ([.., "OrgnlGrpInfAndSts", "GrpSts"], _) => self.group_status = text,
            ([.., "OrgnlPmtInfAndSts", "PmtInfSts"], _) => self.payment_status = text,
            ([.., "TxInfAndSts", "OrgnlEndToEndId"], Some(found)) => found.id = text,
            ([.., "TxInfAndSts", "TxSts"], Some(found)) => found.status = text,
            ([.., "TxInfAndSts", "AccptncDtTm"], Some(found)) => found.on = text,
            ([.., "TxInfAndSts", "StsRsnInf", "Rsn", _], Some(found)) => {
                let reason = format!("{text} {}", found.reason);
                reason.trim().clone_into(&mut found.reason);
            }
            ([.., "TxInfAndSts", "StsRsnInf", "AddtlInf"], Some(found)) => {
                let reason = format!("{} {text}", found.reason);
                reason.trim().clone_into(&mut found.reason);
            }
            ([.., "OrgnlTxRef", "Amt", "InstdAmt"], Some(found)) => found.amount = text,
            _ => {}
        }
    }
}
