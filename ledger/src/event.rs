//! Events: a header that says where, when, who and why, and a body.

use crate::{
    access::{Denial, Erasure, Mandate, Reveal},
    calendar::{Date, DateSet},
    claim::Claim,
    fact::Fact,
    hash::Hash,
    identity::SubjectId,
    office::Office,
    position::{LedgerId, Position, StreamId},
    proof::{Note, VerifierKey},
    step::{Account, Step, StepRefusal},
    text::{Label, PackId, Principal},
};

/// One immutable entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Where, when, who and why.
    pub header: Header,
    /// What.
    pub body: Body,
}

/// What every event says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The place in the whole order.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// The place in that stream, from 1.
    pub revision: u64,
    /// The stream's previous event.
    pub stream_previous: Option<Position>,
    /// UTC microseconds; strictly increasing along the log.
    pub recorded_at: i64,
    /// Which request caused it; `None` for what the ledger does by itself.
    pub request: Option<RequestMark>,
    /// Who asked.
    pub principal: Principal,
    /// Which office acted.
    pub office: Option<Office>,
    /// The date that decided which policy and budget year apply.
    pub basis: Option<Date>,
    /// Where the policy that judged this was adopted.
    pub policy: Option<Position>,
    /// The event that this one follows from.
    pub cause: Option<Position>,
    /// 16 random bytes, so that a published hash reveals nothing.
    pub salt: [u8; 16],
    /// The key in the certificate that said who asked, as
    /// [`crate::access::Credential::short`] gives it; `None` if the name was
    /// believed.
    pub credential: Option<[u8; 16]>,
}

/// A request, recognisable only with the ledger's identity key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestMark {
    /// Keyed hash of the request id.
    pub id: [u8; 16],
    /// Keyed hash of the whole content.
    pub content: [u8; 16],
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The ledger begins.
    LedgerCreated {
        /// Its identity.
        ledger: LedgerId,
        /// The software that made it, for information.
        software: Label,
        /// A keyed hash that only the ledger's own identity key gives.
        key_check: [u8; 16],
    },
    /// A policy pack comes into force.
    PolicyPackAdopted {
        /// Its id.
        pack: PackId,
        /// Its text, byte by byte.
        content: Box<[u8]>,
    },
    /// A subject appears for the first time.
    PartyRegistered(Party),
    /// A known subject appears with another name.
    PartyCorrected(Party),
    /// A fact was asserted.
    Fact(Fact),
    /// Policy allowed a claim.
    Granted(Claim),
    /// Policy refused a claim.
    Refused(Refusal),
    /// A later fact contradicts a grant.
    Conflict(Conflict),
    /// A subject's bank account became known, or another one.
    AccountBound(Account),
    /// A fact was wrong and no longer counts.
    FactRetracted(Retraction),
    /// A fact was wrong; another takes its place.
    FactCorrected(Correction),
    /// Something was done with a grant, a plaque or an appropriation.
    Step(Step),
    /// A step was not allowed.
    StepRefused(Box<StepRefusal>),
    /// A conflict no longer holds.
    ConflictCleared(Position),
    /// Checkpoints are signed with another key from here on.
    CheckpointKeyAdopted(Box<KeyAdoption>),
    /// What all events before this one fold to.
    StateAttested(Vec<Attested>),
    /// An administrator wants a principal to have another mandate.
    MandateProposed(Box<Mandate>),
    /// A principal has another mandate from here on. Its cause is the proposal
    /// that a second administrator confirmed; the first mandates of a ledger have
    /// none.
    MandateAdopted(Box<Mandate>),
    /// Something was asked for that was not permitted.
    AccessDenied(Denial),
    /// Somebody was shown personal details in clear.
    DetailsRevealed(Reveal),
    /// The details of a subject can no longer be opened.
    SubjectErased(Erasure),
}

/// A new key for checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAdoption {
    /// The key.
    pub key: VerifierKey,
    /// What the key before it says of it, see [`crate::proof::rotation`]; `None`
    /// for the first.
    pub endorsement: Option<Note>,
}

/// The state of one projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested {
    /// Which projection.
    pub projection: Label,
    /// The version of its fold.
    pub version: u32,
    /// The digest of its state.
    pub digest: Hash,
}

/// A fact that no longer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retraction {
    /// Where it was asserted, or last corrected.
    pub asserted: Position,
    /// The fact.
    pub fact: Fact,
    /// Why; no personal data.
    pub reason: Label,
}

/// A fact in another's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Where it was asserted, or last corrected.
    pub asserted: Position,
    /// The fact that was wrong.
    pub was: Fact,
    /// The fact that is right.
    pub now: Fact,
    /// Why; no personal data.
    pub reason: Label,
}

/// The names of all kinds of events, as [`Body::kind`] gives them.
pub const KINDS: [&str; 66] = [
    "ledger_created",
    "policy_pack_adopted",
    "party_registered",
    "party_corrected",
    "account_bound",
    "appropriation_granted",
    "poverty_status_asserted",
    "unemployment_benefit_asserted",
    "unemployment_benefit_retracted",
    "course_registered",
    "attendance_recorded",
    "plaque_awarded",
    "loan_settled",
    "certificate_asserted",
    "authority_registered",
    "contract_ended",
    "fact_retracted",
    "fact_corrected",
    "training_allowance_granted",
    "skill_base_granted",
    "service_subsidy_granted",
    "brand_award_granted",
    "loan_issued",
    "interest_subsidy_granted",
    "training_subsidy_granted",
    "transport_aid_granted",
    "subsidy_granted",
    "review_decided",
    "approval_decided",
    "override_recorded",
    "notice_published",
    "objection_filed",
    "objection_resolved",
    "notice_closed",
    "payment_batch_created",
    "payment_withdrawn",
    "payment_batch_locked",
    "payment_batch_submitted",
    "payment_settled",
    "payment_bounced",
    "payment_reissued",
    "grant_reversed",
    "grant_adjusted",
    "refund_received",
    "recovery_opened",
    "recovery_received",
    "recovery_closed",
    "fund_restored",
    "plaque_renewed",
    "plaque_suspended",
    "plaque_reinstated",
    "plaque_revoked",
    "plaque_expired",
    "appropriation_adjusted",
    "appropriation_returned",
    "command_refused",
    "conflict_detected",
    "step_refused",
    "conflict_cleared",
    "checkpoint_key_adopted",
    "state_attested",
    "mandate_proposed",
    "mandate_adopted",
    "access_denied",
    "details_revealed",
    "subject_erased",
];

/// What kind of subject it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyKind {
    /// A natural person.
    Person,
    /// An organisation.
    Organisation,
    /// A labour brand.
    Brand,
}

/// Who a pseudonym stands for, under seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// What kind of subject.
    pub kind: PartyKind,
    /// The pseudonym; it is the event's stream.
    pub subject: SubjectId,
    /// The sealed details, see [`crate::identity::details`].
    pub sealed: Box<[u8]>,
    /// Keyed digest of the details.
    pub digest: [u8; 8],
}

/// A refused claim, with every limit that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The whole claim, so that it can be judged again.
    pub claim: Claim,
    /// Never empty; in the order of the pack.
    pub failures: Vec<Failure>,
}

/// One limit that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Id of the limit in the pack.
    pub limit: String,
    /// Stable reason code.
    pub code: String,
    /// The values compared.
    pub compared: Vec<Compared>,
    /// The events that the limit rested on, ascending.
    pub facts: Vec<Position>,
}

/// One value that a limit looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The name that the pack's texts use.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// A value that a limit looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Money.
    Fen(i64),
    /// A number of things.
    Count(i64),
    /// Days.
    Dates(DateSet),
    /// Anything else.
    Text(String),
}

/// A later fact contradicts a grant that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Id of the limit in the pack that judged the grant.
    pub limit: String,
    /// Stable reason code.
    pub code: String,
    /// The grant.
    pub grant: Position,
    /// The grant's days that the fact touches.
    pub dates: DateSet,
}

impl Body {
    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        if let Self::Refused(refusal) = self {
            Some(refusal)
        } else {
            None
        }
    }

    /// The granted claim, if it is one.
    pub fn granted(&self) -> Option<&Claim> {
        if let Self::Granted(claim) = self {
            Some(claim)
        } else {
            None
        }
    }

    /// The name of the body's field in the stored message: what filters and
    /// listings call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LedgerCreated { .. } => "ledger_created",
            Self::PolicyPackAdopted { .. } => "policy_pack_adopted",
            Self::PartyRegistered(_) => "party_registered",
            Self::PartyCorrected(_) => "party_corrected",
            Self::Fact(fact) => match fact {
                Fact::Appropriation(_) => "appropriation_granted",
                Fact::PovertyStatus(_) => "poverty_status_asserted",
                Fact::UnemploymentBenefit(_) => "unemployment_benefit_asserted",
                Fact::UnemploymentBenefitRetraction(_) => "unemployment_benefit_retracted",
                Fact::Course(_) => "course_registered",
                Fact::Attendance(_) => "attendance_recorded",
                Fact::Plaque(_) => "plaque_awarded",
                Fact::LoanSettlement(_) => "loan_settled",
                Fact::Certificate(_) => "certificate_asserted",
                Fact::Authority(_) => "authority_registered",
                Fact::ContractEnd(_) => "contract_ended",
            },
            Self::Granted(claim) => match claim {
                Claim::TrainingAllowance(_) => "training_allowance_granted",
                Claim::SkillBase(_) => "skill_base_granted",
                Claim::ServiceSubsidy(_) => "service_subsidy_granted",
                Claim::BrandAward(_) => "brand_award_granted",
                Claim::Loan(_) => "loan_issued",
                Claim::InterestSubsidy(_) => "interest_subsidy_granted",
                Claim::TrainingSubsidy(_) => "training_subsidy_granted",
                Claim::TransportAid(_) => "transport_aid_granted",
                Claim::Subsidy(_) => "subsidy_granted",
            },
            Self::Refused(_) => "command_refused",
            Self::Conflict(_) => "conflict_detected",
            Self::AccountBound(_) => "account_bound",
            Self::FactRetracted(_) => "fact_retracted",
            Self::FactCorrected(_) => "fact_corrected",
            Self::Step(step) => step.kind(),
            Self::StepRefused(_) => "step_refused",
            Self::ConflictCleared(_) => "conflict_cleared",
            Self::CheckpointKeyAdopted(_) => "checkpoint_key_adopted",
            Self::StateAttested(_) => "state_attested",
            Self::MandateProposed(_) => "mandate_proposed",
            Self::MandateAdopted(_) => "mandate_adopted",
            Self::AccessDenied(_) => "access_denied",
            Self::DetailsRevealed(_) => "details_revealed",
            Self::SubjectErased(_) => "subject_erased",
        }
    }
}
