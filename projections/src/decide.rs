//! The decision: a pure, total function of the state and a command.
//!
//! A command is *rejected* if it refers to something that cannot be (an unknown
//! fund, a course that was never registered); nothing is written. Otherwise it
//! becomes an event: a fact or a grant, or a refusal with every limit that
//! failed.

use luzhang_ledger::{
    Body, Date, Office, Position, StreamId, StreamKind, SubjectId,
    access::{Erasure, Mandate},
    claim::Claim,
    event::{Conflict, Correction, Refusal, Retraction},
    fact::Fact,
    step::{Account, Step},
    text::{FundId, Principal},
};

pub use crate::rejection::Rejection;
use crate::{case::Case, late, limits, pack::Pack, state::State, steps};

/// What is asked of the ledger, with references still to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The office that acts.
    pub office: Office,
    /// What it says.
    pub body: CommandBody,
}

/// The content of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandBody {
    /// Record a fact.
    Fact(Fact),
    /// Decide a claim.
    Claim(Claim),
    /// Adopt a policy pack: its text.
    AdoptPolicy(Box<[u8]>),
    /// Take back a fact; it is the one that is recorded there.
    Retract(Retraction),
    /// Put a fact in another's place; `was` is the one that is recorded there.
    Correct(Box<Correction>),
    /// Take a step, and who takes it.
    Step(Box<Step>, Principal),
    /// Note a subject's bank account: the digest of its details.
    BindAccount(SubjectId, [u8; 8]),
    /// Propose another mandate for a principal.
    ProposeMandate(Box<Mandate>),
    /// Confirm the proposal at a position, and who confirms it.
    ConfirmMandate(Position, Principal),
    /// Make the details of a subject unreadable.
    Erase(Erasure),
}

/// What a command becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The stream of the event.
    pub stream: StreamId,
    /// For the header.
    pub basis: Option<Date>,
    /// Where the policy that judged it was adopted.
    pub policy: Option<Position>,
    /// The event.
    pub body: Body,
    /// The event that it corrects or follows from.
    pub cause: Option<Position>,
    /// Conflicts that follow from it, by grant, in the same stream.
    pub conflicts: Vec<Conflict>,
    /// Conflicts that no longer hold, by the positions of their events.
    pub cleared: Vec<Position>,
}

impl Decision {
    /// A decision about a stream that nothing follows from.
    pub(crate) fn new(stream: StreamId, body: Body) -> Self {
        Self {
            stream,
            basis: None,
            policy: None,
            body,
            cause: None,
            conflicts: Vec::new(),
            cleared: Vec::new(),
        }
    }
}

/// Decides one command.
pub fn decide(state: &State, command: Command) -> Result<Decision, Rejection> {
    match command.body {
        CommandBody::Fact(fact) => late::assert(state, fact),
        CommandBody::Claim(claim) => decide_claim(state, command.office, claim),
        CommandBody::AdoptPolicy(content) => adopt(state, content),
        CommandBody::Retract(retraction) => late::retract(state, retraction),
        CommandBody::Correct(correction) => late::correct(state, *correction),
        CommandBody::Step(step, by) => steps::decide(state, &by, *step),
        CommandBody::BindAccount(subject, digest) => {
            let account = Account {
                subject,
                sealed: Box::new([]),
                digest,
            };
            Ok(Decision::new(subject.into(), Body::AccountBound(account)))
        }
        CommandBody::ProposeMandate(mandate) => propose(state, mandate),
        CommandBody::ConfirmMandate(proposal, by) => confirm(state, proposal, &by),
        CommandBody::Erase(erasure) => erase(state, erasure),
    }
}

/// The fewest administrators that a ledger has: what one proposes, another
/// confirms.
const ADMINISTRATORS: usize = 2;

fn propose(state: &State, mandate: Box<Mandate>) -> Result<Decision, Rejection> {
    lasting(state, &mandate)?;
    let adopted = state.packs().iter();
    let programmes = adopted.flat_map(|adopted| &adopted.pack.programmes);
    for wanted in &mandate.programmes {
        if !programmes.clone().any(|known| known.id == wanted.as_str()) {
            let known: Vec<&str> = programmes.map(|known| &*known.id).collect();
            return Err(Rejection::UnknownScope {
                programme: wanted.to_string(),
                known: known.join(", "),
            });
        }
    }
    let stream = StreamId::of(StreamKind::Principal, mandate.principal.as_str());
    Ok(Decision::new(stream, Body::MandateProposed(mandate)))
}

fn confirm(state: &State, position: Position, by: &Principal) -> Result<Decision, Rejection> {
    let proposal = state.access.proposal(position);
    let proposal = proposal.ok_or(Rejection::UnknownProposal { position })?;
    if proposal.by == *by {
        return Err(Rejection::OneAdministrator { position });
    }
    let mandate = proposal.mandate.clone();
    lasting(state, &mandate)?;
    let stream = StreamId::of(StreamKind::Principal, mandate.principal.as_str());
    Ok(Decision {
        cause: Some(position),
        ..Decision::new(stream, Body::MandateAdopted(Box::new(mandate)))
    })
}

/// Whether a ledger could still be administered under a mandate.
fn lasting(state: &State, mandate: &Mandate) -> Result<(), Rejection> {
    if !state.access.is_governed() {
        return Err(Rejection::Ungoverned);
    }
    if state.access.administrators_with(mandate) < ADMINISTRATORS {
        return Err(Rejection::TooFewAdministrators);
    }
    Ok(())
}

fn erase(state: &State, erasure: Erasure) -> Result<Decision, Rejection> {
    let subject = erasure.subject;
    if state.is_erased(subject) {
        return Err(Rejection::Erased);
    }
    if state.party(subject).is_none() {
        return Err(Rejection::UnknownSubject);
    }
    if let Some(grant) = state.unfinished(subject).first() {
        return Err(Rejection::Unfinished { grant: *grant });
    }
    Ok(Decision::new(subject.into(), Body::SubjectErased(erasure)))
}

fn adopt(state: &State, content: Box<[u8]>) -> Result<Decision, Rejection> {
    let below: Vec<_> = state.packs().iter().map(|a| a.pack.clone()).collect();
    let pack = Pack::load_on(&content, &below)?;
    let stream = StreamId::of(StreamKind::Pack, pack.id.as_str());
    let body = Body::PolicyPackAdopted {
        pack: pack.id.clone(),
        content,
    };
    Ok(Decision {
        basis: Some(pack.window.from()),
        ..Decision::new(stream, body)
    })
}

fn decide_claim(state: &State, office: Office, mut claim: Claim) -> Result<Decision, Rejection> {
    complete(state, &mut claim)?;
    let basis = claim.basis();
    let adopted = state.pack_on(basis, office).ok_or(Rejection::NoPolicy)?;
    let pack = &*adopted.pack;
    if pack.programme(&claim).is_none() {
        return Err(no_programme(pack, &claim));
    }
    if let Some(fund) = claim.fund() {
        let fund = resolve_fund(pack, fund)?;
        claim.set_fund(fund);
    }
    if let Claim::Loan(loan) = &claim
        && let Some((_, issued)) = state.loan(loan.loan_no.as_str())
    {
        return Err(Rejection::LoanExists {
            loan_no: loan.loan_no.to_string(),
            at: issued.position,
        });
    }
    let case = Case::new(state, pack, &claim, office);
    let stream = match case.loan {
        Some((_, loan)) => loan.borrower.into(),
        None => claim.stream(),
    };
    let failures = limits::failures(&case);
    let body = if failures.is_empty() {
        Body::Granted(claim)
    } else {
        Body::Refused(Refusal { claim, failures })
    };
    Ok(Decision {
        basis: Some(basis),
        policy: Some(adopted.position),
        ..Decision::new(stream, body)
    })
}

/// What a claim leaves to the ledger: the date of a training subsidy is that of
/// its course's last day.
fn complete(state: &State, claim: &mut Claim) -> Result<(), Rejection> {
    if let Claim::TrainingSubsidy(claim) = claim {
        let course_no = claim.course_no.as_str();
        let (_, course) = state
            .course(course_no)
            .ok_or_else(|| Rejection::UnknownCourse {
                course_no: course_no.to_owned(),
            })?;
        claim.completed_on = Some(course.last_day);
    }
    Ok(())
}

fn no_programme(pack: &Pack, claim: &Claim) -> Rejection {
    let pack_id = pack.id.clone();
    if !matches!(claim, Claim::Subsidy(_)) {
        return Rejection::NoProgramme { pack: pack_id };
    }
    let subsidies = pack
        .claimable()
        .filter(|(_, form)| *form == claim.form())
        .map(|(programme, _)| &*programme.id);
    Rejection::UnknownProgramme {
        pack: pack_id,
        known: subsidies.collect::<Vec<_>>().join(", "),
    }
}

pub(crate) fn resolve_fund(pack: &Pack, fund: &FundId) -> Result<FundId, Rejection> {
    let known = pack.fund(fund.as_str());
    if let Some(Ok(id)) = known.map(|known| FundId::new(&*known.id)) {
        return Ok(id);
    }
    let names: Vec<&str> = pack.funds.iter().map(|known| &*known.name.zh).collect();
    Err(Rejection::UnknownFund {
        pack: pack.id.clone(),
        known: names.join(", "),
    })
}
