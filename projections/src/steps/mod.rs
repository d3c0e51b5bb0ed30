//! Steps: what may be done with a grant after it is decided, with a plaque after
//! it is awarded, with an appropriation after it is made. A step that is not
//! allowed is refused with every reason; one about something that is not on the
//! ledger is rejected.

mod judgement;
mod money;
mod notice;
mod payment;
mod plaque;

use luzhang_ledger::{
    Body, Position, StreamId,
    claim::{Claim, Form},
    event::{Compared, Failure, Value},
    step::{Duty, Step, StepRefusal},
    text::Principal,
};

use crate::{
    decide::Decision,
    limits,
    pack::{Limit, Pack, Rule},
    rejection::Rejection,
    state::{
        State,
        cases::{CaseIx, Life, Row},
    },
};

/// The most reasons of one refusal, so that its event fits a block.
const MAX_REASONS: usize = 400;

/// Decides one step.
pub(crate) fn decide(state: &State, by: &Principal, step: Step) -> Result<Decision, Rejection> {
    let mut asked = Asked {
        state,
        by,
        reasons: Vec::new(),
    };
    let judged = match step {
        Step::Review(step) => judgement::review(&mut asked, step)?,
        Step::Approval(step) => judgement::approval(&mut asked, step)?,
        Step::Override(step) => judgement::override_duty(&mut asked, step)?,
        Step::Notice(step) => notice::publish(&mut asked, step)?,
        Step::Objection(step) => notice::object(&mut asked, step)?,
        Step::ObjectionResolution(step) => notice::resolve(&mut asked, step)?,
        Step::NoticeClosing(step) => notice::close(&mut asked, step)?,
        Step::Batch(step) => payment::batch(&mut asked, step)?,
        Step::BatchWithdrawal(step) => payment::withdraw(&mut asked, step)?,
        Step::BatchLocking(step) => payment::lock(&mut asked, step)?,
        Step::BatchSubmission(step) => payment::submit(&mut asked, step)?,
        Step::Settlement(step) => payment::settle(&mut asked, step)?,
        Step::Bounce(step) => payment::bounce(&mut asked, step)?,
        Step::Reissue(step) => payment::reissue(&mut asked, step)?,
        Step::Reversal(step) => money::reverse(&mut asked, step)?,
        Step::Adjustment(step) => money::adjust(&mut asked, step)?,
        Step::Refund(step) => money::refund(&mut asked, step)?,
        Step::RecoveryOpening(step) => money::open_recovery(&mut asked, step)?,
        Step::RecoveryReceipt(step) => money::receive(&mut asked, step)?,
        Step::RecoveryClosing(step) => money::close_recovery(&mut asked, step)?,
        Step::Restoration(step) => money::restore(&mut asked, step)?,
        Step::AppropriationChange(step) => money::change_appropriation(&mut asked, step)?,
        Step::PlaqueChange(step) => plaque::change(&mut asked, step)?,
    };
    let Judged { step, place } = judged;
    let basis = step.basis();
    let reasons = asked.reasons;
    let (body, changed) = if reasons.is_empty() {
        let changed = if let Step::PlaqueChange(change) = &step {
            plaque::consequences(state, change)
        } else {
            None
        };
        (Body::Step(step), changed)
    } else {
        let failures = reasons;
        let refusal = StepRefusal { step, failures };
        (Body::StepRefused(Box::new(refusal)), None)
    };
    let mut decision = Decision {
        basis,
        policy: place.policy,
        cause: place.cause,
        ..Decision::new(place.stream, body)
    };
    if let Some(changed) = changed {
        decision.conflicts = changed.raised;
        decision.cleared = changed.cleared;
    }
    Ok(decision)
}

/// A step with what the ledger filled in, and where it belongs.
struct Judged {
    step: Step,
    place: Place,
}

/// Where a step's event belongs.
struct Place {
    stream: StreamId,
    policy: Option<Position>,
    cause: Option<Position>,
}

impl Place {
    fn of_stream(stream: StreamId) -> Self {
        Self {
            stream,
            policy: None,
            cause: None,
        }
    }
}

/// A step that is being judged, and what speaks against it so far.
struct Asked<'a> {
    state: &'a State,
    by: &'a Principal,
    reasons: Vec<Failure>,
}

/// A grant as steps see it.
#[derive(Clone, Copy)]
struct Of<'a> {
    case: CaseIx,
    grant: Position,
    row: &'a Row,
    life: Option<&'a Life>,
}

impl<'a> Asked<'a> {
    /// The case of a grant.
    fn case(&self, grant: Position) -> Result<Of<'a>, Rejection> {
        let unknown = || Rejection::UnknownGrant { grant };
        let case = self.state.cases.find(grant).ok_or_else(unknown)?;
        self.of(case).ok_or_else(unknown)
    }

    fn of(&self, case: CaseIx) -> Option<Of<'a>> {
        let row = self.state.cases.row(case)?;
        Some(Of {
            case,
            grant: Position::new(row.position)?,
            row,
            life: self.state.cases.life(case),
        })
    }

    /// Where a case's events belong: with the grant.
    fn place(&self, of: Of<'_>) -> Place {
        let adopted = self.state.pack_at_place(of.row.pack);
        let stream = match (of.row.form, self.state.loan_by(of.row.owner)) {
            (Form::InterestSubsidy, Some(loan)) => loan.borrower.into(),
            _ => self.state.stream_id(of.row.owner),
        };
        Place {
            stream,
            policy: adopted.map(|adopted| adopted.position),
            cause: Some(of.grant),
        }
    }

    fn pack(&self, of: Of<'_>) -> Option<&'a Pack> {
        let adopted = self.state.pack_at_place(of.row.pack)?;
        Some(&adopted.pack)
    }

    fn programme(&self, of: Of<'_>) -> &'a str {
        let key = self.state.budget.key(of.row.line);
        key.map_or("", |key| self.state.programmes.name(key.programme))
    }

    /// The limit of a kind that the pack sets on a case's steps.
    fn limit(&self, of: Of<'_>, wanted: fn(&Rule) -> bool) -> Option<&'a Limit> {
        let pack = self.pack(of)?;
        let mut limits = pack.step_limits_of(self.programme(of));
        limits.find(|limit| wanted(&limit.rule))
    }

    /// Notes a reason that is not a matter of policy: the order of things.
    fn order(&mut self, code: &'static str, grant: Option<Position>, facts: &[u64]) {
        let compared = grant.map(in_words).into_iter().collect();
        self.note(Failure {
            limit: ORDER.to_owned(),
            code: code.to_owned(),
            compared,
            facts: positions(facts),
        });
    }

    /// The same, with the money that was asked for and what there is.
    fn money(&mut self, code: &'static str, grant: Option<Position>, (asked, left): (i64, i64)) {
        let compared = grant
            .map(in_words)
            .into_iter()
            .chain([
                compared("amount", Value::Fen(asked)),
                compared("left", Value::Fen(left)),
            ])
            .collect();
        self.note(Failure {
            limit: ORDER.to_owned(),
            code: code.to_owned(),
            compared,
            facts: Vec::new(),
        });
    }

    /// Notes a limit of the pack that fails.
    fn policy(&mut self, limit: &Limit, compared: Vec<Compared>, facts: &[u64]) {
        self.note(Failure {
            limit: limit.id.clone(),
            code: limit.code.clone(),
            compared,
            facts: positions(facts),
        });
    }

    fn note(&mut self, failure: Failure) {
        if self.reasons.len() < MAX_REASONS {
            self.reasons.push(failure);
        }
    }

    /// A case that was reversed as a whole takes no further step of its way to
    /// payment.
    fn alive(&mut self, of: Of<'_>) -> bool {
        let reversed = of.life.and_then(|life| life.reversed);
        if let Some(at) = reversed {
            self.order("CASE_REVERSED", Some(of.grant), &[at]);
        }
        reversed.is_none()
    }

    /// P-EYES: who takes a duty has no other part in the case, unless somebody
    /// else allowed it.
    fn duties_apart(&mut self, of: Of<'_>, duty: Duty) {
        let Some(limit) = self.limit(of, |rule| matches!(rule, Rule::DutiesApart)) else {
            return;
        };
        let principals = &self.state.cases.principals;
        let Some(me) = principals.find(self.by.as_str()) else {
            return;
        };
        let allowed = of
            .life
            .is_some_and(|life| life.overrides.iter().any(|o| (o.duty, o.who) == (duty, me)));
        if allowed {
            return;
        }
        let life = of.life;
        let review = life.and_then(|life| life.review);
        let approval = life.and_then(|life| life.approval);
        let parts = [
            Some(("submitter", of.row.submitter, of.row.position)),
            review
                .filter(|_| duty != Duty::Review)
                .map(|judged| ("reviewer", judged.by, judged.position)),
            approval
                .filter(|_| duty == Duty::Payment)
                .map(|judged| ("approver", judged.by, judged.position)),
        ];
        // Whoever let another one take a second duty is yet another person.
        let overrides = life.into_iter().flat_map(|life| &life.overrides);
        let overrides = overrides.map(|o| ("override", o.by, o.position));
        let parts = parts.into_iter().flatten().chain(overrides);
        for (other, _, position) in parts.filter(|part| part.1 == me) {
            let compared = vec![
                in_words(of.grant),
                text("duty", duty_name(duty)),
                text("principal", self.by.as_str()),
                text("other", other),
            ];
            self.policy(limit, compared, &[position]);
        }
    }

    /// Every limit of the claim anew, with the grant out of the way.
    fn judge_again(&mut self, of: Of<'_>, claim: &Claim) {
        let (Some(pack), Some(key)) = (self.pack(of), self.state.budget.key(of.row.line)) else {
            return;
        };
        let mut case = crate::case::Case::new(self.state, pack, claim, key.office);
        case.instead_of = Some((of.row.position, of.row.amount));
        for failure in limits::failures(&case) {
            self.note(failure);
        }
    }
}

/// The limit that stands for the order of things, which no pack can change.
pub(crate) const ORDER: &str = "S-ORDER";

fn duty_name(duty: Duty) -> &'static str {
    match duty {
        Duty::Review => "review",
        Duty::Approval => "approval",
        Duty::Payment => "payment",
    }
}

fn compared(name: &str, value: Value) -> Compared {
    Compared {
        name: name.to_owned(),
        value,
    }
}

fn text(name: &str, text: impl Into<String>) -> Compared {
    compared(name, Value::Text(text.into()))
}

fn in_words(grant: Position) -> Compared {
    text("grant", grant.to_string())
}

fn positions(numbers: &[u64]) -> Vec<Position> {
    let mut positions: Vec<Position> = numbers.iter().filter_map(|n| Position::new(*n)).collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

/// How many years a plaque whose term begins on a day is good for.
pub(crate) fn plaque_term(state: &State, begun: luzhang_ledger::Date) -> Option<i64> {
    plaque::term(state, begun)
}
