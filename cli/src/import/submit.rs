//! Rows to the ledger and their outcomes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use luzhang_proto::wire::{self, outcome::Result as Answer};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use uuid::Uuid;

use super::{Outcome, ParsedRow, Reason, RowResult, Template};
use crate::{
    client::Client,
    failure::{Failure, exit},
    servers::{Wait, was_not_taken},
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
    /// Where the ledger ended when it began.
    began: u64,
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
        let head = head.into_inner();
        Ok(Self {
            client,
            ledger_id: head.ledger_id,
            began: head.position,
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

    /// Asks for commands in order, and for those that are left once more, with the same
    /// request ids, where a server goes away or another one writes now.
    async fn stream(
        &self,
        commands: Vec<wire::Command>,
        mut done: impl FnMut(u64),
    ) -> Result<Vec<wire::Outcome>, Failure> {
        let commands = Arc::new(commands);
        let mut told = Told {
            outcomes: Vec::with_capacity(commands.len()),
            asked: Arc::default(),
            unheard: 0,
            last: self.began,
        };
        let mut wait = Wait::default();
        loop {
            let streamed = self.once(&commands, &mut told, &mut wait, &mut done);
            let Err(status) = streamed.await else {
                return Ok(told.outcomes);
            };
            if told.outcomes.is_empty() && was_not_taken(&status) {
                // By one that follows, from the beginning: nobody has decided anything.
                told.asked.store(told.unheard, Ordering::Release);
            }
            told.unheard = told.asked.load(Ordering::Acquire);
            let again = self.client.again(&mut wait, status).await;
            again.map_err(|status| interrupted(status.into()))?;
        }
    }

    /// One stream of what is left.
    async fn once(
        &self,
        commands: &Arc<Vec<wire::Command>>,
        told: &mut Told,
        wait: &mut Wait,
        done: &mut impl FnMut(u64),
    ) -> Result<(), Status> {
        let first = told.outcomes.len();
        if first == commands.len() {
            return Ok(());
        }
        let (send, receive) = mpsc::channel(4);
        let mut ledger = self.client.ledger();
        let answers = ledger.submit_batch(ReceiverStream::new(receive)).await?;
        let mut answers = answers.into_inner();
        let feeder = tokio::spawn(feed(
            Arc::clone(commands),
            first,
            Arc::clone(&told.asked),
            send,
        ));
        let ended = loop {
            match answers.message().await {
                Ok(Some(answer)) => {
                    wait.heard();
                    done(answer.outcomes.len() as u64);
                    told.take(answer.outcomes);
                }
                Ok(None) if told.outcomes.len() < commands.len() => {
                    break Err(Status::unavailable("the stream ended early"));
                }
                Ok(None) => break Ok(()),
                Err(status) => break Err(status),
            }
        };
        feeder.abort();
        // What it counts has to have come to an end.
        let _aborted = feeder.await;
        ended
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
                    if failure.exit == exit::UNKNOWN {
                        // The next row would fare no better.
                        return Err(interrupted(failure));
                    }
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

/// Sends what is left of the commands, and counts what it has sent.
async fn feed(
    commands: Arc<Vec<wire::Command>>,
    first: usize,
    asked: Arc<AtomicUsize>,
    send: mpsc::Sender<wire::SubmitBatchRequest>,
) {
    let rest = commands.get(first..).unwrap_or_default();
    let mut end = first;
    for part in rest.chunks(BATCH) {
        end += part.len();
        // Before it is on its way: what may have arrived counts.
        asked.fetch_max(end, Ordering::AcqRel);
        let commands = part.to_vec();
        if send
            .send(wire::SubmitBatchRequest { commands })
            .await
            .is_err()
        {
            // The server ended the stream; its status says why.
            return;
        }
    }
}

/// What was told of the commands of an import, and what may have been decided without
/// anybody being told.
struct Told {
    outcomes: Vec<wire::Outcome>,
    /// How many have been on their way.
    asked: Arc<AtomicUsize>,
    /// How many had been when a stream broke off.
    unheard: usize,
    /// The position of the last outcome that is known.
    last: u64,
}

impl Told {
    /// Outcomes in order. One that had been asked for before the stream broke off, and
    /// is on the chain after all that was known then, is what that import came to, and
    /// nothing from earlier.
    fn take(&mut self, outcomes: Vec<wire::Outcome>) {
        for mut outcome in outcomes {
            let position = position(&outcome);
            let unheard = self.outcomes.len() < self.unheard;
            if unheard && position.is_some_and(|position| position > self.last) {
                outcome.replayed = false;
            }
            self.last = self.last.max(position.unwrap_or(0));
            self.outcomes.push(outcome);
        }
    }
}

/// Where an outcome is on the chain.
fn position(outcome: &wire::Outcome) -> Option<u64> {
    let receipt = match outcome.result.as_ref()? {
        Answer::Accepted(accepted) => accepted.receipt.as_ref(),
        Answer::Refused(refused) => refused.receipt.as_ref(),
        Answer::Rejected(_) => None,
    };
    receipt.map(|receipt| receipt.position)
}

/// A fault in the middle of an import: the clerk only has to repeat it.
fn interrupted(failure: Failure) -> Failure {
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
