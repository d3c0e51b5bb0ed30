//! Rows to the ledger and their outcomes back.

use std::time::Duration;

use luzhang_proto::wire::{self, outcome::Result as Answer};
use tokio::sync::mpsc;
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use uuid::Uuid;

use super::{Outcome, ParsedRow, Reason, RowResult, Template};
use crate::{
    client::{Client, patiently},
    failure::Failure,
};

/// Rows in one message: small enough for a moving progress bar, large enough to
/// share one flush.
const BATCH: usize = 512;

/// The most attempts of one row.
const ATTEMPTS: u32 = 1_000;

/// How rows are to be submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Submission {
    /// Each row once, however often its file is imported.
    Once,
    /// Rows that were refused get a new attempt.
    NewAttempt,
    /// Nothing is written.
    DryRun,
}

/// An import into one ledger.
pub(crate) struct Job<'a> {
    client: &'a Client,
    ledger_id: String,
    submission: Submission,
}

/// A row's outcome, before it is joined with its row again.
pub(crate) struct Decided {
    outcome: wire::Outcome,
}

impl<'a> Job<'a> {
    pub(crate) async fn new(
        client: &'a Client,
        submission: Submission,
    ) -> Result<Job<'a>, Failure> {
        let head = client.audit().get_head(wire::GetHeadRequest {}).await?;
        Ok(Self {
            client,
            ledger_id: head.into_inner().ledger_id,
            submission,
        })
    }

    /// Submits rows in order; `done` is told how many more are decided. Returns
    /// each row's place, key and outcome.
    pub(crate) async fn submit(
        &self,
        template: Template,
        rows: Vec<(usize, ParsedRow)>,
        mut done: impl FnMut(u64),
    ) -> Result<Vec<(usize, String, Decided)>, Failure> {
        let mut keys = Vec::with_capacity(rows.len());
        let mut pending = Vec::with_capacity(rows.len());
        for (place, row) in rows {
            keys.push((place, row.key));
            let command = wire::Command {
                request_id: String::new(),
                office: row.office,
                body: Some(row.body),
            };
            pending.push((pending.len(), row.identity, command));
        }
        if self.submission == Submission::DryRun {
            return self.evaluate(keys, pending, done).await;
        }
        let mut decided: Vec<Option<wire::Outcome>> = vec![None; keys.len()];
        for attempt in 1..=ATTEMPTS {
            let commands: Vec<wire::Command> = pending
                .iter()
                .map(|(_, identity, command)| wire::Command {
                    request_id: self.request_id(template, identity, attempt),
                    ..command.clone()
                })
                .collect();
            let outcomes = self.stream(commands, |count| {
                if attempt == 1 {
                    done(count);
                }
            });
            let mut again = Vec::new();
            for ((place, identity, command), outcome) in pending.into_iter().zip(outcomes.await?) {
                if self.submission == Submission::NewAttempt && was_refused_before(&outcome) {
                    again.push((place, identity, command));
                }
                if let Some(slot) = decided.get_mut(place) {
                    *slot = Some(outcome);
                }
            }
            if again.is_empty() {
                break;
            }
            pending = again;
        }
        let joined = keys.into_iter().zip(decided);
        let joined = joined.filter_map(|((place, key), outcome)| {
            outcome.map(|outcome| (place, key, Decided { outcome }))
        });
        Ok(joined.collect())
    }

    /// The request id that a row has in this ledger: the same row gives the same
    /// id, so that importing a file again grants nothing twice.
    fn request_id(&self, template: Template, identity: &str, attempt: u32) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("luzhang 2026 import request id v1");
        for part in [&self.ledger_id, template.id(), identity] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&attempt.to_le_bytes());
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        Uuid::new_v8(id).to_string()
    }

    async fn stream(
        &self,
        commands: Vec<wire::Command>,
        mut done: impl FnMut(u64),
    ) -> Result<Vec<wire::Outcome>, Failure> {
        let total = commands.len();
        let opened = patiently(|| async {
            let (send, receive) = mpsc::channel(4);
            let mut ledger = self.client.ledger();
            let answers = ledger.submit_batch(ReceiverStream::new(receive)).await?;
            Ok((send, answers.into_inner()))
        });
        let (send, mut answers) = opened.await.map_err(interrupted)?;
        let feeder = tokio::spawn(async move {
            let mut commands = commands.into_iter().peekable();
            while commands.peek().is_some() {
                let commands = commands.by_ref().take(BATCH).collect();
                if send
                    .send(wire::SubmitBatchRequest { commands })
                    .await
                    .is_err()
                {
                    // The server ended the stream; its status says why.
                    return;
                }
            }
        });
        let mut outcomes = Vec::with_capacity(total);
        while let Some(answer) = answers.next().await {
            let answer = answer.map_err(interrupted)?;
            done(answer.outcomes.len() as u64);
            outcomes.extend(answer.outcomes);
        }
        feeder.abort();
        if outcomes.len() < total {
            return Err(interrupted(tonic::Status::unavailable(
                "the stream ended early",
            )));
        }
        Ok(outcomes)
    }

    async fn evaluate(
        &self,
        keys: Vec<(usize, String)>,
        rows: Vec<(usize, String, wire::Command)>,
        mut done: impl FnMut(u64),
    ) -> Result<Vec<(usize, String, Decided)>, Failure> {
        let mut decided = Vec::with_capacity(rows.len());
        for ((place, key), (_, _, mut command)) in keys.into_iter().zip(rows) {
            command.request_id = Uuid::now_v7().to_string();
            let mut request = tonic::Request::new(wire::EvaluateRequest {
                command: Some(command),
            });
            request.set_timeout(Duration::from_mins(1));
            let outcome = match self.client.ledger().evaluate(request).await {
                Ok(answer) => answer.into_inner().outcome.unwrap_or_default(),
                Err(status) => {
                    let failure = Failure::from(status);
                    wire::Outcome {
                        result: Some(Answer::Rejected(wire::Rejected {
                            reason: Some(wire::Reason {
                                code: failure.code,
                                zh: failure.zh,
                                en: failure.en,
                                ..wire::Reason::default()
                            }),
                            ..wire::Rejected::default()
                        })),
                        replayed: false,
                    }
                }
            };
            done(1);
            decided.push((place, key, Decided { outcome }));
        }
        Ok(decided)
    }
}

/// A fault in the middle of an import: the clerk only has to repeat it.
fn interrupted(status: tonic::Status) -> Failure {
    let failure = Failure::from(status);
    Failure {
        zh: format!("{}。请重新导入同一文件：已办理的行不会重复", failure.zh),
        en: format!(
            "{}. Import the same file again: rows that are done are not done twice",
            failure.en
        ),
        ..failure
    }
}

/// Whether this attempt was used up by an earlier refusal.
fn was_refused_before(outcome: &wire::Outcome) -> bool {
    match &outcome.result {
        Some(Answer::Refused(_)) => outcome.replayed,
        Some(Answer::Rejected(rejected)) => rejected.original_refused,
        Some(Answer::Accepted(_)) | None => false,
    }
}

impl Decided {
    /// The result of row number `row`.
    pub(crate) fn into_result(self, row: u32, key: String) -> RowResult {
        let replayed = self.outcome.replayed;
        let either = |fresh| if replayed { Outcome::Replayed } else { fresh };
        let (outcome, reasons, position) = match self.outcome.result {
            Some(Answer::Accepted(accepted)) => (
                either(Outcome::Accepted),
                accepted.warnings.into_iter().map(reason).collect(),
                accepted.receipt.map(|receipt| receipt.position),
            ),
            Some(Answer::Refused(refused)) => (
                either(Outcome::Refused),
                refused.reasons.into_iter().map(reason).collect(),
                refused.receipt.map(|receipt| receipt.position),
            ),
            Some(Answer::Rejected(rejected)) => {
                let field = rejected.field;
                let reasons = rejected.reason.into_iter().map(|found| {
                    let mut reason = reason(found);
                    if !field.is_empty() {
                        reason.zh = format!("{field}：{}", reason.zh);
                        reason.en = format!("{field}: {}", reason.en);
                    }
                    reason
                });
                let original = Some(rejected.original_position).filter(|position| *position != 0);
                (Outcome::Rejected, reasons.collect(), original)
            }
            None => (Outcome::Rejected, Vec::new(), None),
        };
        RowResult {
            row,
            key,
            outcome,
            reasons,
            position,
        }
    }
}

fn reason(reason: wire::Reason) -> Reason {
    let clause = |zh: &str, text: String, open: &str, close: &str| match reason.measure {
        0 => text,
        measure => format!("{text}{open}{zh}{measure}{close}"),
    };
    Reason {
        zh: clause("措施第", reason.zh.clone(), "（", "条）"),
        en: clause("measure ", reason.en.clone(), " (", ")"),
        code: reason.code,
    }
}
