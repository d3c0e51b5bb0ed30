//! The bank's side: the file it gets, the answer it gives.

use std::path::Path;

use jiff::{Timestamp, civil::Date, tz};
use luzhang_ledger::Fen;
use luzhang_proto::wire::{self, command::Body, grant_ref::Grant, outcome::Result as Answer};
use serde_json::{Map, json};
use uuid::Uuid;

use super::{Shown, batch};
use crate::{
    args::{
        Global,
        life::{Debtor, FileFormat},
    },
    client::Client,
    commands::{notice::write_new, reason_line, wire_day},
    failure::{Failure, exit},
    lang::Lang,
    output,
    payment::{
        self, Batch, EndToEnd, FileError, Item, Outcome, Party,
        reconcile::{Expected, Line, Verdict, reconcile},
    },
};

/// Whether the bank's answer is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is.
    Record,
    /// It is only compared with the batch.
    Compare,
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::new(error.code(), error.zh(), error.to_string())
    }
}

/// Writes the file for the bank.
pub(super) fn export(
    global: &Global,
    batch: wire::GetBatchResponse,
    (format, on, debtor): (FileFormat, Date, &Debtor),
    out: &Path,
) -> Result<u8, Failure> {
    if !batch.locked {
        return Err(Failure {
            exit: exit::CONFLICT,
            ..Failure::new(
                "BATCH_NOT_LOCKED",
                "批次尚未锁定：锁定后再导出，文件才不会与批次不同",
                "the batch is not locked: lock it first, so that the file is the batch",
            )
        });
    }
    let count = batch.payments.len();
    let batch = in_full(batch, on, debtor)?;
    let bytes = match format {
        FileFormat::Csv => payment::write_csv(&batch)?,
        FileFormat::Pain001 => payment::write_pain001(&batch)?,
    };
    write_new(out, &bytes)?;
    let total: i64 = batch.items.iter().map(|item| item.amount.fen()).sum();
    let total = Fen::new(total).map_or_else(|_| total.to_string(), |fen| fen.to_string());
    let path = out.display();
    output::line(&match global.lang() {
        Lang::Zh => format!("{path}：{count} 笔，共 {total} 元"),
        Lang::En => format!("{path}: {count} payments, {total} yuan"),
    })?;
    Ok(exit::OK)
}

fn in_full(batch: wire::GetBatchResponse, on: Date, debtor: &Debtor) -> Result<Batch, Failure> {
    let made = Timestamp::from_microsecond(batch.created_at).map_err(anyhow::Error::from)?;
    let shanghai = tz::TimeZone::fixed(tz::offset(8));
    let items = batch.payments.into_iter().map(|payment| {
        Ok(Item {
            id: id_of(&payment)?,
            payee: Party {
                name: payment.payee,
                account: payment.account,
                bank: payment.bank,
            },
            amount: Fen::new(payment.amount_fen).map_err(anyhow::Error::from)?,
            remittance: payment.claim_no,
        })
    });
    Ok(Batch {
        number: batch.batch_no,
        created_at: made.to_zoned(shanghai).datetime(),
        requested_on: on,
        debtor: Party {
            name: debtor.name.clone(),
            account: debtor.account.clone(),
            bank: debtor.bank.clone(),
        },
        items: items.collect::<Result<_, Failure>>()?,
    })
}

fn id_of(payment: &wire::BatchPayment) -> Result<EndToEnd, Failure> {
    let id = EndToEnd::parse(&payment.end_to_end_id);
    Ok(id.ok_or_else(|| anyhow::anyhow!("an end-to-end id cannot be read"))?)
}

/// Reads the bank's answer, compares it with the batch, records what is plain.
pub(super) async fn results(
    global: &Global,
    client: &Client,
    number: &str,
    file: &Path,
    way: Way,
) -> Result<u8, Failure> {
    let batch = batch(client, number, Shown::Masked).await?;
    let expected = batch.payments.iter().map(|payment| {
        Ok(Expected {
            id: id_of(payment)?,
            amount: Fen::new(payment.amount_fen).map_err(anyhow::Error::from)?,
        })
    });
    let expected = expected.collect::<Result<Vec<_>, Failure>>()?;
    let ids: Vec<EndToEnd> = expected.iter().map(|payment| payment.id.clone()).collect();
    let bytes = std::fs::read(file).map_err(|error| Failure::file(file, &error))?;
    let reported = payment::read(bytes, number, &ids)?;
    let lines = reconcile(&expected, &reported);
    let mut answers = vec![None; lines.len()];
    if way == Way::Record {
        for (line, answer) in lines.iter().zip(&mut answers) {
            *answer = record(client, &batch.ledger_id, line).await?;
        }
    }
    print(global, number, &lines, &answers)?;
    let refused = answers
        .iter()
        .flatten()
        .any(|answer| matches!(answer.result, Some(Answer::Refused(_))));
    Ok(if refused { exit::REFUSED } else { exit::OK })
}

/// A settlement or a bounce; anything else is for a person to look at. The same
/// answer gives the same request, so that a file read twice changes nothing.
async fn record(
    client: &Client,
    ledger_id: &str,
    line: &Line,
) -> Result<Option<wire::Outcome>, Failure> {
    let payment = Some(wire::Payment {
        grant: Some(wire::GrantRef {
            grant: Some(Grant::Position(line.id.grant)),
        }),
        attempt: line.id.attempt,
    });
    let (body, what) = match (&line.outcome, line.verdict, line.expected) {
        (Some(Outcome::Settled { on }), Verdict::Settled, Some(amount)) => {
            let settlement = wire::Settlement {
                payment,
                amount_fen: amount.fen(),
                settled_on: Some(wire_day(*on)),
            };
            (Body::Settlement(settlement), format!("settled {on}"))
        }
        (Some(Outcome::Bounced { on, reason }), Verdict::Bounced, Some(_)) => {
            let bounce = wire::Bounce {
                payment,
                bounced_on: Some(wire_day(*on)),
                reason: reason.clone(),
            };
            (Body::Bounce(bounce), format!("bounced {on} {reason}"))
        }
        _ => return Ok(None),
    };
    let command = wire::Command {
        request_id: request_id(ledger_id, &line.id.to_string(), &what),
        office: String::new(),
        body: Some(body),
    };
    let request = wire::SubmitRequest {
        receipt: false,
        command: Some(command),
    };
    let answer = client.ledger().submit(request).await;
    Ok(answer.map_err(interrupted)?.into_inner().outcome)
}

/// A fault among the lines of an answer: the cashier only has to repeat it.
fn interrupted(status: tonic::Status) -> Failure {
    let failure = Failure::from(status);
    if failure.exit != exit::UNKNOWN {
        return failure;
    }
    Failure {
        zh: format!("{}。请重新读入同一文件：已登记的各笔不会重复", failure.zh),
        en: format!(
            "{}. Read the same file again: what is recorded is not recorded twice",
            failure.en
        ),
        ..failure
    }
}

fn request_id(ledger_id: &str, id: &str, what: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("luzhang 2026 payment result id v1");
    for part in [ledger_id, id, what] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    Uuid::new_v8(id).to_string()
}

fn print(
    global: &Global,
    number: &str,
    lines: &[Line],
    answers: &[Option<wire::Outcome>],
) -> Result<(), Failure> {
    let lang = global.lang();
    let fen = |amount: Option<Fen>| amount.map_or(String::new(), |a| a.fen().to_string());
    let rows = lines.iter().zip(answers).map(|(line, answer)| {
        let (position, said) = match answer.as_ref().and_then(|answer| answer.result.as_ref()) {
            Some(Answer::Accepted(accepted)) => (accepted.receipt.as_ref(), String::new()),
            Some(Answer::Refused(refused)) => (
                refused.receipt.as_ref(),
                refused
                    .reasons
                    .iter()
                    .map(|reason| reason_line(reason, lang))
                    .collect::<Vec<_>>()
                    .join("; "),
            ),
            Some(Answer::Rejected(_)) | None => (None, String::new()),
        };
        let replayed = answer.as_ref().is_some_and(|answer| answer.replayed);
        vec![
            line.id.to_string(),
            line.verdict.name().to_owned(),
            fen(line.expected),
            fen(line.reported),
            position.map_or(String::new(), |receipt| receipt.position.to_string()),
            if replayed { "replayed" } else { "" }.to_owned(),
            said,
        ]
    });
    let columns = [
        "end_to_end_id",
        "verdict",
        "expected_fen",
        "reported_fen",
        "position",
        "replayed",
        "reasons",
    ];
    let to_look_at = lines.iter().filter(|line| !line.verdict.is_plain()).count();
    let extra = Map::from_iter([
        ("batch_no".to_owned(), json!(number)),
        ("to_look_at".to_owned(), json!(to_look_at)),
    ]);
    output::sheet(&columns, &["position"], rows.collect()).print(global.output, extra)?;
    if to_look_at > 0 {
        match lang {
            Lang::Zh => output::note!("{to_look_at} 笔需要核对，未登记"),
            Lang::En => output::note!("{to_look_at} payment(s) to look at, not recorded"),
        }
    }
    Ok(())
}
