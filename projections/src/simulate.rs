//! What if another pack had been in force: every claim of the log is decided
//! anew, in a state of its own, so that budget and slots that are freed or used
//! have their consequences for all that follows.
//!
//! Facts count as they were recorded, and so do the steps that were taken with
//! grants, as far as these stand: a grant that is refused anew is not paid. What was rejected at the time is on no log
//! and stays unknown: a claim that the adopted packs had no programme or fund
//! for, or the settlement of a loan that only the other pack would have issued.

use std::{collections::BTreeMap, sync::Arc};

use luzhang_ledger::{
    Body, Event, Fen, Office, Position, Window,
    claim::Claim,
    event::{Header, Refusal},
    fact::BudgetYear,
};

use crate::{
    decide::{Command, CommandBody, Decision, decide},
    pack::Pack,
    state::State,
};

/// Folds a log from its first event on as it would have been.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// What follows from the facts and from the decisions that are made anew.
    supposed: State,
    position: Option<Position>,
    report: Report,
}

/// What would have been different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Claims that were decided anew.
    pub claims: u64,
    /// Granted at the time, and not under the other pack.
    pub newly_refused: Vec<Changed>,
    /// Refused at the time, and granted under the other pack.
    pub newly_allowed: Vec<Changed>,
    /// What was granted, and what would have been. Loans are a bank's money and
    /// are not here.
    pub money: BTreeMap<MoneyKey, Money>,
}

/// A claim that would have ended otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Where it was decided.
    pub position: Position,
    /// Its number; of a loan, the loan's.
    pub number: String,
    /// The acting office.
    pub office: Office,
    /// Programme id, by the pack that judged it at the time.
    pub programme: String,
    /// How much was claimed.
    pub amount: Fen,
    /// Why it is refused: under the other pack if newly refused, at the time if
    /// newly allowed.
    pub codes: Vec<String>,
}

/// What money is summed by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MoneyKey {
    /// Programme id, by the pack that judges.
    pub programme: String,
    /// Acting office.
    pub office: u32,
    /// Calendar year of the basis date.
    pub year: i16,
}

/// Granted sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Money {
    /// As recorded, in fen.
    pub before_fen: i64,
    /// Under the other pack, in fen.
    pub after_fen: i64,
}

impl Money {
    /// How much more would have been granted; negative if less.
    pub fn difference_fen(self) -> i64 {
        self.after_fen.saturating_sub(self.before_fen)
    }
}

impl Report {
    /// The sums of all lines.
    pub fn total(&self) -> Money {
        let mut total = Money::default();
        for line in self.money.values() {
            total.before_fen = total.before_fen.saturating_add(line.before_fen);
            total.after_fen = total.after_fen.saturating_add(line.after_fen);
        }
        total
    }
}

impl Simulation {
    /// Supposes that `pack` judges every claim whose basis date lies in `window`,
    /// instead of the pack that the ledger has for it.
    pub fn new(pack: Arc<Pack>, window: Window) -> Self {
        Self {
            supposed: State::supposing(pack, window),
            position: None,
            report: Report::default(),
        }
    }

    /// The last event taken.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// What is different so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Takes the next event.
    pub fn apply(&mut self, event: &Event) {
        self.position = Some(event.header.position);
        match &event.body {
            Body::Granted(claim) => self.decide(event, claim, None),
            Body::Refused(refusal) => self.decide(event, &refusal.claim, Some(refusal)),
            Body::LedgerCreated { .. }
            | Body::PolicyPackAdopted { .. }
            | Body::PartyRegistered(_)
            | Body::PartyCorrected(_)
            | Body::Fact(_)
            | Body::FactRetracted(_)
            | Body::FactCorrected(_)
            | Body::AccountBound(_)
            | Body::Conflict(_)
            | Body::ConflictCleared(_)
            | Body::CheckpointKeyAdopted(_)
            | Body::StateAttested(_)
            | Body::MandateProposed(_)
            | Body::MandateAdopted(_)
            | Body::AccessDenied(_)
            | Body::DetailsRevealed(_)
            | Body::SubjectErased(_)
            | Body::Step(_)
            | Body::StepRefused(_) => self.supposed.apply(event),
        }
    }

    fn decide(&mut self, event: &Event, claim: &Claim, refusal: Option<&Refusal>) {
        let header = &event.header;
        // A claim of no office is decided by nothing, then or now.
        let Some(office) = header.office else { return };
        self.report.claims = self.report.claims.saturating_add(1);
        if refusal.is_none() {
            let line = self.line(header.policy, office, claim);
            if let Some(line) = line {
                line.before_fen = line.before_fen.saturating_add(claim.amount().fen());
            }
        }
        let command = Command {
            office,
            body: CommandBody::Claim(claim.clone()),
        };
        let codes = match decide(&self.supposed, command) {
            Ok(decision) => self.record(header, decision),
            Err(rejection) => vec![rejection.code().to_owned()],
        };
        let changed = |state: &State, codes| Changed {
            position: header.position,
            number: claim.number().to_owned(),
            office,
            programme: programme(state, header.policy, claim).to_owned(),
            amount: claim.amount(),
            codes,
        };
        match (refusal, codes.is_empty()) {
            (None, false) => {
                let changed = changed(&self.supposed, codes);
                self.report.newly_refused.push(changed);
            }
            (Some(refusal), true) => {
                let changed = changed(&self.supposed, codes_of(refusal));
                self.report.newly_allowed.push(changed);
            }
            (None, true) | (Some(_), false) => {}
        }
    }

    /// Lets a decision count, and says for which codes it is a refusal.
    fn record(&mut self, header: &Header, decision: Decision) -> Vec<String> {
        let codes = match &decision.body {
            Body::Refused(refusal) => codes_of(refusal),
            Body::Granted(claim) => {
                if let Some(office) = header.office
                    && let Some(line) = self.line(decision.policy, office, claim)
                {
                    line.after_fen = line.after_fen.saturating_add(claim.amount().fen());
                }
                Vec::new()
            }
            Body::LedgerCreated { .. }
            | Body::PolicyPackAdopted { .. }
            | Body::PartyRegistered(_)
            | Body::PartyCorrected(_)
            | Body::Fact(_)
            | Body::FactRetracted(_)
            | Body::FactCorrected(_)
            | Body::AccountBound(_)
            | Body::Conflict(_)
            | Body::ConflictCleared(_)
            | Body::CheckpointKeyAdopted(_)
            | Body::StateAttested(_)
            | Body::MandateProposed(_)
            | Body::MandateAdopted(_)
            | Body::AccessDenied(_)
            | Body::DetailsRevealed(_)
            | Body::SubjectErased(_)
            | Body::Step(_)
            | Body::StepRefused(_) => Vec::new(),
        };
        let header = Header {
            stream: decision.stream,
            basis: decision.basis,
            policy: decision.policy,
            ..header.clone()
        };
        self.supposed.apply(&Event {
            header,
            body: decision.body,
        });
        codes
    }

    /// The sums that a claim counts in; `None` if it draws on no fund.
    fn line(
        &mut self,
        policy: Option<Position>,
        office: Office,
        claim: &Claim,
    ) -> Option<&mut Money> {
        claim.fund()?;
        let key = MoneyKey {
            programme: programme(&self.supposed, policy, claim).to_owned(),
            office: office.code(),
            year: BudgetYear::of(claim.basis()).number(),
        };
        Some(self.report.money.entry(key).or_default())
    }
}

fn codes_of(refusal: &Refusal) -> Vec<String> {
    let codes = refusal.failures.iter().map(|failure| failure.code.clone());
    codes.collect()
}

/// The programme of a claim by the pack adopted at `policy`; empty if there is
/// none.
fn programme<'a>(state: &'a State, policy: Option<Position>, claim: &Claim) -> &'a str {
    let pack = policy.and_then(|position| state.pack_at(position));
    pack.and_then(|pack| pack.programme(claim))
        .map_or("", |programme| &programme.id)
}
