//! `luzhang payment`: batches, the bank's file, the bank's answer.

mod bank;

use luzhang_ledger::Fen;
use luzhang_proto::wire::{self, command::Body, grant_ref::Grant};
use serde_json::{Map, json};

use super::{case, notice::references, open, report, submit_one, wire_day, yuan};
use crate::{
    args::{Global, life::PaymentCommand},
    client::Client,
    failure::{Failure, exit},
    output,
};

pub(crate) async fn run(global: &Global, command: &PaymentCommand) -> Result<u8, Failure> {
    let client = open(global).await?;
    let done = act(global, &client, command).await;
    client.close().await?;
    done
}

async fn act(global: &Global, client: &Client, command: &PaymentCommand) -> Result<u8, Failure> {
    match command {
        PaymentCommand::Create {
            number,
            fund,
            which,
        } => {
            let due = |found: &report::Found, row: &[String]| {
                found.cell(row, "stage") == "cleared"
                    && found.cell(row, "fund") == fund
                    && found.cell(row, "reserved_fen") != "0"
            };
            let grants = case::grants(client, which, due).await?;
            if grants.is_empty() {
                output::note!(
                    "{}",
                    global.lang().pick(
                        "没有待拨付的补助：批次为空，可放入重新支付的退票",
                        "no grant waits for payment: the batch is empty, for reissues",
                    )
                );
            }
            let body = Body::Batch(wire::Batch {
                batch_no: number.clone(),
                fund: fund.clone(),
                grants: references(&grants)?,
            });
            submit_one(global, client, which.acting(), body).await
        }
        PaymentCommand::Show { number } => show(global, client, number).await,
        PaymentCommand::Lock {
            number,
            count,
            total,
        } => {
            let body = Body::BatchLocking(wire::BatchLocking {
                batch_no: number.clone(),
                count: *count,
                total_fen: yuan(total, "--total")?,
            });
            submit_one(global, client, "", body).await
        }
        PaymentCommand::Reissue {
            number,
            grant,
            attempt,
        } => {
            let body = Body::Reissue(wire::Reissue {
                payment: Some(wire::Payment {
                    grant: Some(wire::GrantRef {
                        grant: Some(Grant::Position(*grant)),
                    }),
                    attempt: *attempt,
                }),
                batch_no: number.clone(),
            });
            submit_one(global, client, "", body).await
        }
        PaymentCommand::Submit { number, file, on } => {
            let bytes = std::fs::read(file).map_err(|error| Failure::file(file, &error))?;
            let body = Body::BatchSubmission(wire::BatchSubmission {
                batch_no: number.clone(),
                file_digest: blake3::hash(&bytes).as_bytes().to_vec(),
                submitted_on: Some(wire_day(*on)),
            });
            submit_one(global, client, "", body).await
        }
        PaymentCommand::Status => {
            report::show(global, client, "batches").await?;
            Ok(exit::OK)
        }
        PaymentCommand::Export {
            number,
            format,
            out,
            on,
            debtor,
        } => {
            let batch = batch(client, number, Shown::InFull).await?;
            bank::export(global, batch, (*format, *on, debtor), out)
        }
        PaymentCommand::Results {
            number,
            file,
            dry_run,
        } => {
            let way = if *dry_run {
                bank::Way::Compare
            } else {
                bank::Way::Record
            };
            bank::results(global, client, number, file, way).await
        }
    }
}

/// How payees are shown.
#[derive(Clone, Copy)]
pub(super) enum Shown {
    /// By their ends, which tell them apart.
    Masked,
    /// As the bank needs them; the log says that they were.
    InFull,
}

pub(super) async fn batch(
    client: &Client,
    number: &str,
    shown: Shown,
) -> Result<wire::GetBatchResponse, Failure> {
    let (with_details, purpose) = match shown {
        Shown::Masked => (false, ""),
        Shown::InFull => (true, "付款文件 payment file"),
    };
    let request = wire::GetBatchRequest {
        batch_no: number.to_owned(),
        with_details,
        purpose: purpose.to_owned(),
    };
    Ok(client.cases().get_batch(request).await?.into_inner())
}

async fn show(global: &Global, client: &Client, number: &str) -> Result<u8, Failure> {
    let batch = batch(client, number, Shown::Masked).await?;
    let total: i64 = batch.payments.iter().map(|p| p.amount_fen).sum();
    let rows = batch.payments.iter().map(|payment| {
        vec![
            payment.grant.to_string(),
            payment.attempt.to_string(),
            payment.end_to_end_id.clone(),
            payment.claim_no.clone(),
            payment.payee.clone(),
            ending(&payment.account),
            payment.amount_fen.to_string(),
            payment.stage.clone(),
        ]
    });
    let columns = [
        "grant",
        "attempt",
        "end_to_end_id",
        "claim_no",
        "payee",
        "account",
        "amount_fen",
        "stage",
    ];
    let count = batch.payments.len();
    let extra = Map::from_iter([
        ("batch_no".to_owned(), json!(batch.batch_no)),
        ("locked".to_owned(), json!(batch.locked)),
        ("submitted".to_owned(), json!(batch.submitted)),
        ("count".to_owned(), json!(count)),
        ("total_fen".to_owned(), json!(total)),
    ]);
    let numbers = &["grant", "attempt"];
    output::sheet(&columns, numbers, rows.collect()).print(global.output, extra)?;
    let sum = Fen::new(total).map_or_else(|_| total.to_string(), |sum| sum.to_string());
    let lang = global.lang();
    output::note!(
        "{}",
        lang.pick(
            &format!("{count} 笔，共 {sum} 元"),
            &format!("{count} payments, {sum} yuan in all"),
        )
    );
    Ok(exit::OK)
}

/// The last four characters of an account number.
fn ending(account: &str) -> String {
    let from = account.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    match account {
        "" => String::new(),
        _ => format!("…{}", account.get(from..).unwrap_or_default()),
    }
}
