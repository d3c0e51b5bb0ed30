//! Outcomes, events and reasons to the wire.

use std::sync::Arc;

use luzhang_ledger::{
    Body, Date, Hash, LedgerId, Position, codec,
    event::{Failure, PartyKind},
};
use luzhang_projections::{
    Pack, State, entitlement::Entitlement, explain, projection::Status as ProjectionStatus,
};
use luzhang_proto::{event as stored, google::r#type::Date as WireDate, wire};

use super::from_proto::Warning;

/// What became of a command, before it is put into words.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Where it is on the chain.
    pub receipt: Receipt,
    /// Why it was refused, with the pack that refused it; `None` if accepted.
    pub refused: Option<(Arc<Pack>, Vec<Failure>)>,
    /// Conflicts that it raised.
    pub conflicts: Vec<Position>,
    /// Events by which it cleared earlier conflicts.
    pub cleared: Vec<Position>,
    /// Whether this is the outcome of an earlier identical request.
    pub replayed: bool,
    /// What the clerk should look at.
    pub warnings: Vec<Warning>,
}

/// Evidence that an event is on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which ledger.
    pub ledger: LedgerId,
    /// Where.
    pub position: Position,
    /// The chain head at that position.
    pub event_hash: Hash,
    /// When, UTC microseconds.
    pub recorded_at: i64,
}

/// A receipt.
pub fn receipt(receipt: Receipt) -> wire::Receipt {
    wire::Receipt {
        ledger_id: receipt.ledger.to_string(),
        position: receipt.position.number(),
        event_hash: receipt.event_hash.as_bytes().to_vec(),
        recorded_at: receipt.recorded_at,
    }
}

/// The answer to a command.
pub fn outcome(outcome: Outcome) -> wire::Outcome {
    let receipt = Some(receipt(outcome.receipt));
    let result = match outcome.refused {
        None => wire::outcome::Result::Accepted(wire::Accepted {
            receipt,
            conflicts: outcome.conflicts.iter().map(|p| p.number()).collect(),
            warnings: outcome.warnings.iter().map(|w| warning(*w)).collect(),
            cleared: outcome.cleared.iter().map(|p| p.number()).collect(),
        }),
        Some((pack, failures)) => wire::outcome::Result::Refused(wire::Refused {
            receipt,
            reasons: failures.iter().map(|f| reason(&pack, f)).collect(),
        }),
    };
    wire::Outcome {
        result: Some(result),
        replayed: outcome.replayed,
    }
}

/// The reason of a failed limit.
pub fn reason(pack: &Pack, failure: &Failure) -> wire::Reason {
    let facts = failure.facts.iter().map(|p| p.number()).collect();
    in_words(explain::failure(pack, failure), facts)
}

fn in_words(reason: explain::Reason, facts: Vec<u64>) -> wire::Reason {
    wire::Reason {
        code: reason.code,
        limit: reason.limit,
        zh: reason.text.zh,
        en: reason.text.en,
        measure: reason.measure,
        quote: reason.quote,
        facts,
    }
}

/// A warning as a reason.
pub fn warning(warning: Warning) -> wire::Reason {
    match warning {
        Warning::CheckDigitOverridden => wire::Reason {
            code: "USCC_CHECK_DIGIT_OVERRIDDEN".to_owned(),
            zh: "统一社会信用代码校验位不符，已按要求受理，请核对".to_owned(),
            en: "a credit code's check digit does not match; accepted on request, please verify"
                .to_owned(),
            ..wire::Reason::default()
        },
    }
}

/// An event of the log, with its hashes.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    /// The stored bytes.
    pub stored: Vec<u8>,
    /// Its hash.
    pub hash: Hash,
    /// The hash before it.
    pub previous: Hash,
    /// The bytes, decoded.
    pub event: luzhang_ledger::Event,
}

/// An event with its proof and its reasons in words.
pub fn stored_event(state: &State, logged: LoggedEvent) -> wire::StoredEvent {
    let reasons = reasons(state, &logged.event);
    wire::StoredEvent {
        event: Some(codec::to_stored(&logged.event)),
        stored: logged.stored,
        event_hash: logged.hash.as_bytes().to_vec(),
        previous_hash: logged.previous.as_bytes().to_vec(),
        reasons,
    }
}

fn reasons(state: &State, event: &luzhang_ledger::Event) -> Vec<wire::Reason> {
    let named = event.header.policy.and_then(|p| state.pack_at(p));
    let newest = || state.packs().last().map(|adopted| &adopted.pack);
    let Some(pack) = named.or_else(newest) else {
        return Vec::new();
    };
    match &event.body {
        Body::Refused(refusal) => refusal.failures.iter().map(|f| reason(pack, f)).collect(),
        Body::StepRefused(refusal) => refusal.failures.iter().map(|f| reason(pack, f)).collect(),
        Body::Conflict(conflict) => {
            vec![in_words(
                explain::conflict(pack, conflict),
                vec![conflict.grant.number()],
            )]
        }
        Body::LedgerCreated { .. }
        | Body::PolicyPackAdopted { .. }
        | Body::PartyRegistered(_)
        | Body::PartyCorrected(_)
        | Body::AccountBound(_)
        | Body::Fact(_)
        | Body::FactRetracted(_)
        | Body::FactCorrected(_)
        | Body::Step(_)
        | Body::ConflictCleared(_)
        | Body::CheckpointKeyAdopted(_)
        | Body::StateAttested(_)
        | Body::MandateProposed(_)
        | Body::MandateAdopted(_)
        | Body::AccessDenied(_)
        | Body::DetailsRevealed(_)
        | Body::SubjectErased(_)
        | Body::Granted(_) => Vec::new(),
    }
}

/// A civil date.
pub fn date(date: Date) -> WireDate {
    WireDate {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}

/// The kind of a subject.
pub fn party_kind(kind: PartyKind) -> stored::PartyKind {
    match kind {
        PartyKind::Person => stored::PartyKind::Person,
        PartyKind::Organisation => stored::PartyKind::Organisation,
        PartyKind::Brand => stored::PartyKind::Brand,
    }
}

/// What is left of one limit.
pub fn entitlement(entitlement: Entitlement) -> wire::Entitlement {
    wire::Entitlement {
        used: entitlement.used,
        allowed: entitlement.allowed,
        left: entitlement.left(),
        unit: "count".to_owned(),
        programme: entitlement.programme,
        limit: entitlement.limit,
        period: entitlement.period,
        zh: entitlement.name.zh,
        en: entitlement.name.en,
    }
}

/// A projection's identity.
pub fn projection(status: &ProjectionStatus) -> wire::Projection {
    wire::Projection {
        name: status.name.as_str().to_owned(),
        version: status.name.version(),
        position: status.position.map_or(0, Position::number),
        digest: status.digest.as_bytes().to_vec(),
    }
}
