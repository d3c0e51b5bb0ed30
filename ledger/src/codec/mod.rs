//! Events to stored bytes and back.
//!
//! Encoding happens once, when an event is sealed; afterwards the bytes are the
//! event, and everything is computed from them. Decoding checks every value, so
//! what comes out of the log is as trustworthy as what went in.

mod access;
mod claims;
mod facts;
mod short;
mod steps;

use luzhang_proto::event as stored;
use prost::{
    Message as _,
    encoding::{self, DecodeContext, WireType},
};
use thiserror::Error;

use crate::{
    access::Erasure,
    calendar::{self, Date, DateSet},
    event::{
        Attested, Body, Compared, Conflict, Correction, Event, Failure, Header, KeyAdoption, Party,
        PartyKind, Refusal, RequestMark, Retraction, Value,
    },
    fact::Fact,
    hash::Hash,
    identity::SubjectId,
    malformed::{Malformed, Problem, at},
    office::Office,
    position::{LedgerId, Position, StreamId},
    proof::Note,
    step::{Account, StepRefusal},
    text::{DocumentNo, Label, PackId, Principal},
};

/// Why stored bytes are not an event.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// Not the protobuf message that FORMAT.md specifies.
    #[error("not a luzhang.event.v1.Event: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// A value that no writer of this format produces.
    #[error(transparent)]
    Value(#[from] Malformed),
    /// A body that this version does not know.
    #[error("the event's body is absent or unknown to this version")]
    UnknownBody,
}

/// The stored bytes of an event, appended to `out`.
pub fn encode(event: &Event, out: &mut Vec<u8>) {
    short::encode(event, out);
}

/// Reads stored bytes.
pub fn decode(bytes: &[u8]) -> Result<Event, DecodeError> {
    let event = match short::decode(bytes) {
        Some(event) => event,
        None => from_stored(stored::Event::decode(bytes)?)?,
    };
    // Protobuf lets a field stand twice and the last one win. Verification
    // looks at the first, so they must be one.
    if position_of(bytes) != Some(event.header.position.number()) {
        return Err(Malformed {
            field: "position",
            problem: Problem::UnknownValue,
        }
        .into());
    }
    Ok(event)
}

/// The position that stored bytes state, without decoding the rest: writers of
/// this format put field 1 first, in as few bytes as it takes.
pub fn position_of(bytes: &[u8]) -> Option<u64> {
    let (&0x08, mut rest) = bytes.split_first()? else {
        return None;
    };
    let before = rest.len();
    let number = encoding::decode_varint(&mut rest).ok()?;
    (encoding::encoded_len_varint(number) == before.saturating_sub(rest.len())).then_some(number)
}

/// The time that stored bytes state (field 5), without decoding the rest; 0 if
/// they state none.
pub fn recorded_at_of(mut bytes: &[u8]) -> Option<i64> {
    const RECORDED_AT: u32 = 5;
    while !bytes.is_empty() {
        let (field, wire_type) = encoding::decode_key(&mut bytes).ok()?;
        if field == RECORDED_AT {
            let time = (wire_type == WireType::Varint)
                .then(|| encoding::decode_varint(&mut bytes).ok())??;
            return Some(time.cast_signed());
        }
        encoding::skip_field(wire_type, field, &mut bytes, DecodeContext::default()).ok()?;
    }
    Some(0)
}

/// The message of an event, for encoding and for showing.
pub fn to_stored(event: &Event) -> stored::Event {
    let header = &event.header;
    let number = |position: Option<Position>| position.map_or(0, Position::number);
    stored::Event {
        position: header.position.number(),
        stream: header.stream.as_bytes().to_vec(),
        revision: header.revision,
        stream_previous: number(header.stream_previous),
        recorded_at: header.recorded_at,
        request: header.request.map_or_else(Vec::new, |r| r.id.to_vec()),
        content: header.request.map_or_else(Vec::new, |r| r.content.to_vec()),
        principal: header.principal.as_str().to_owned(),
        office: header.office.map_or(0, Office::code),
        basis_date: header.basis.map_or(0, calendar::to_number),
        policy: number(header.policy),
        cause: number(header.cause),
        salt: header.salt.to_vec(),
        credential: header.credential.map_or_else(Vec::new, Vec::from),
        body: Some(body_to_stored(&event.body)),
    }
}

fn body_to_stored(body: &Body) -> stored::event::Body {
    use stored::event::Body as S;
    match body {
        Body::LedgerCreated {
            ledger,
            software,
            key_check,
        } => S::LedgerCreated(stored::LedgerCreated {
            ledger_id: ledger.as_bytes().to_vec(),
            software: software.as_str().to_owned(),
            key_check: key_check.to_vec(),
        }),
        Body::PolicyPackAdopted { pack, content } => {
            S::PolicyPackAdopted(stored::PolicyPackAdopted {
                pack_id: pack.as_str().to_owned(),
                content: content.to_vec(),
            })
        }
        Body::PartyRegistered(party) => S::PartyRegistered(party_to_stored(party)),
        Body::PartyCorrected(party) => S::PartyCorrected(party_to_stored(party)),
        Body::Fact(fact) => facts::to_stored(fact),
        Body::Granted(claim) => claims::granted_to_stored(claim),
        Body::Refused(refusal) => S::CommandRefused(stored::CommandRefused {
            claim: Some(claims::to_stored(&refusal.claim)),
            failures: refusal.failures.iter().map(failure_to_stored).collect(),
        }),
        Body::Conflict(conflict) => S::ConflictDetected(stored::ConflictDetected {
            limit: conflict.limit.clone(),
            code: conflict.code.clone(),
            grant: conflict.grant.number(),
            dates: numbers(&conflict.dates),
        }),
        Body::AccountBound(account) => S::AccountBound(stored::AccountDetails {
            sealed: account.sealed.to_vec(),
            digest: account.digest.to_vec(),
        }),
        Body::FactRetracted(retraction) => S::FactRetracted(stored::FactRetraction {
            asserted: retraction.asserted.number(),
            fact: Some(facts::to_message(&retraction.fact)),
            reason: retraction.reason.to_string(),
        }),
        Body::FactCorrected(correction) => S::FactCorrected(stored::FactCorrection {
            asserted: correction.asserted.number(),
            was: Some(facts::to_message(&correction.was)),
            now: Some(facts::to_message(&correction.now)),
            reason: correction.reason.to_string(),
        }),
        Body::Step(step) => S::Step(steps::to_stored(step)),
        Body::StepRefused(refusal) => S::StepRefused(stored::StepRefused {
            step: Some(steps::to_stored(&refusal.step)),
            failures: refusal.failures.iter().map(failure_to_stored).collect(),
        }),
        Body::ConflictCleared(conflict) => S::ConflictCleared(stored::ConflictCleared {
            conflict: conflict.number(),
        }),
        Body::CheckpointKeyAdopted(adoption) => {
            S::CheckpointKeyAdopted(stored::CheckpointKeyAdopted {
                key: adoption.key.to_string(),
                endorsement: adoption
                    .endorsement
                    .as_ref()
                    .map_or_else(String::new, Note::to_string),
            })
        }
        Body::StateAttested(projections) => S::StateAttested(stored::StateAttested {
            projections: projections.iter().map(attested_to_stored).collect(),
        }),
        Body::MandateProposed(mandate) => S::MandateProposed(access::mandate_to_stored(mandate)),
        Body::MandateAdopted(mandate) => S::MandateAdopted(access::mandate_to_stored(mandate)),
        Body::AccessDenied(denial) => S::AccessDenied(access::denial_to_stored(denial)),
        Body::DetailsRevealed(reveal) => S::DetailsRevealed(access::reveal_to_stored(reveal)),
        Body::SubjectErased(erasure) => S::SubjectErased(stored::SubjectErased {
            document: erasure.document.to_string(),
        }),
    }
}

fn attested_to_stored(attested: &Attested) -> stored::AttestedProjection {
    stored::AttestedProjection {
        name: attested.projection.to_string(),
        version: attested.version,
        digest: attested.digest.as_bytes().to_vec(),
    }
}

fn party_to_stored(party: &Party) -> stored::PartyDetails {
    let kind = match party.kind {
        PartyKind::Person => stored::PartyKind::Person,
        PartyKind::Organisation => stored::PartyKind::Organisation,
        PartyKind::Brand => stored::PartyKind::Brand,
    };
    stored::PartyDetails {
        kind: kind.into(),
        sealed: party.sealed.to_vec(),
        digest: party.digest.to_vec(),
    }
}

fn failure_to_stored(failure: &Failure) -> stored::LimitFailure {
    use stored::compared::Value as V;
    let compared = |compared: &Compared| stored::Compared {
        name: compared.name.clone(),
        value: Some(match &compared.value {
            Value::Fen(fen) => V::Fen(*fen),
            Value::Count(count) => V::Count(*count),
            Value::Dates(dates) => V::Dates(stored::Dates {
                dates: numbers(dates),
            }),
            Value::Text(text) => V::Text(text.clone()),
        }),
    };
    stored::LimitFailure {
        limit: failure.limit.clone(),
        code: failure.code.clone(),
        compared: failure.compared.iter().map(compared).collect(),
        facts: failure.facts.iter().map(|p| p.number()).collect(),
    }
}

/// Checks a message and turns it into an event.
pub fn from_stored(event: stored::Event) -> Result<Event, DecodeError> {
    let stream = StreamId::from_bytes(bytes(&event.stream, "stream")?);
    let request = match (event.request.as_slice(), event.content.as_slice()) {
        ([], []) => None,
        (id, content) => Some(RequestMark {
            id: bytes(id, "request")?,
            content: bytes(content, "content")?,
        }),
    };
    let office = match event.office {
        0 => None,
        code => Some(Office::new(code).map_err(at("office"))?),
    };
    let header = Header {
        position: Position::new(event.position).ok_or(missing("position"))?,
        stream,
        revision: event.revision,
        stream_previous: Position::new(event.stream_previous),
        recorded_at: event.recorded_at,
        request,
        principal: Principal::new(event.principal).map_err(at("principal"))?,
        office,
        basis: optional_day(event.basis_date, "basis_date")?,
        policy: Position::new(event.policy),
        cause: Position::new(event.cause),
        salt: bytes(&event.salt, "salt")?,
        credential: match event.credential.as_slice() {
            [] => None,
            credential => Some(bytes(credential, "credential")?),
        },
    };
    let body = body_from_stored(event.body.ok_or(DecodeError::UnknownBody)?, stream)?;
    Ok(Event { header, body })
}

fn body_from_stored(body: stored::event::Body, stream: StreamId) -> Result<Body, DecodeError> {
    use stored::{command_refused::Claim as C, event::Body as S};
    let fact = |fact: Result<Fact, Malformed>| {
        let fact = fact?;
        fact.check().map(|()| Body::Fact(fact))
    };
    let granted = |claim| claims::from_stored(claim).map(Body::Granted);
    Ok(match body {
        S::LedgerCreated(body) => Body::LedgerCreated {
            ledger: LedgerId::new(uuid::Uuid::from_bytes(bytes(&body.ledger_id, "ledger_id")?)),
            software: Label::new(body.software).map_err(at("software"))?,
            key_check: bytes(&body.key_check, "key_check")?,
        },
        S::PolicyPackAdopted(body) => Body::PolicyPackAdopted {
            pack: PackId::new(body.pack_id).map_err(at("pack_id"))?,
            content: body.content.into_boxed_slice(),
        },
        S::PartyRegistered(party) => Body::PartyRegistered(party_from_stored(party, stream)?),
        S::PartyCorrected(party) => Body::PartyCorrected(party_from_stored(party, stream)?),
        S::CommandRefused(refused) => {
            let claim = claims::from_stored(refused.claim.ok_or(DecodeError::UnknownBody)?)?;
            let failures = failures_from_stored(refused.failures)?;
            Body::Refused(Refusal { claim, failures })
        }
        S::ConflictDetected(conflict) => Body::Conflict(Conflict {
            limit: conflict.limit,
            code: conflict.code,
            grant: Position::new(conflict.grant).ok_or(missing("grant"))?,
            dates: days(&conflict.dates, "dates")?,
        }),
        S::AccountBound(account) => Body::AccountBound(Account {
            subject: stream.subject(),
            digest: bytes(&account.digest, "digest")?,
            sealed: account.sealed.into_boxed_slice(),
        }),
        S::FactRetracted(body) => Body::FactRetracted(Retraction {
            asserted: position(body.asserted, "asserted")?,
            fact: facts::from_message(body.fact, "fact")?,
            reason: Label::new(body.reason).map_err(at("reason"))?,
        }),
        S::FactCorrected(body) => Body::FactCorrected(Correction {
            asserted: position(body.asserted, "asserted")?,
            was: facts::from_message(body.was, "was")?,
            now: facts::from_message(body.now, "now")?,
            reason: Label::new(body.reason).map_err(at("reason"))?,
        }),
        S::Step(step) => Body::Step(steps::from_stored(step)?),
        S::StepRefused(refused) => Body::StepRefused(Box::new(StepRefusal {
            step: steps::from_stored(refused.step.ok_or(DecodeError::UnknownBody)?)?,
            failures: failures_from_stored(refused.failures)?,
        })),
        S::ConflictCleared(cleared) => {
            Body::ConflictCleared(position(cleared.conflict, "conflict")?)
        }
        S::CheckpointKeyAdopted(adopted) => {
            Body::CheckpointKeyAdopted(Box::new(key_adoption(&adopted)?))
        }
        S::StateAttested(attested) => Body::StateAttested(attested_from_stored(attested)?),
        S::MandateProposed(mandate) => {
            Body::MandateProposed(Box::new(access::mandate_from_stored(mandate)?))
        }
        S::MandateAdopted(mandate) => {
            Body::MandateAdopted(Box::new(access::mandate_from_stored(mandate)?))
        }
        S::AccessDenied(denied) => Body::AccessDenied(access::denial_from_stored(denied)?),
        S::DetailsRevealed(revealed) => {
            Body::DetailsRevealed(access::reveal_from_stored(revealed)?)
        }
        S::SubjectErased(erased) => Body::SubjectErased(Erasure {
            subject: stream.subject(),
            document: DocumentNo::new(erased.document).map_err(at("document"))?,
        }),
        S::AppropriationGranted(body) => fact(facts::appropriation(body))?,
        S::PovertyStatusAsserted(body) => fact(facts::poverty_status(body))?,
        S::UnemploymentBenefitAsserted(body) => fact(facts::unemployment_benefit(body))?,
        S::UnemploymentBenefitRetracted(body) => {
            fact(facts::unemployment_benefit_retraction(&body))?
        }
        S::CourseRegistered(body) => fact(facts::course(body))?,
        S::AttendanceRecorded(body) => fact(facts::attendance(body))?,
        S::PlaqueAwarded(body) => fact(facts::plaque(body))?,
        S::LoanSettled(body) => fact(facts::loan_settlement(body))?,
        S::CertificateAsserted(body) => fact(facts::certificate(body))?,
        S::AuthorityRegistered(body) => fact(facts::authority(body))?,
        S::ContractEnded(body) => fact(facts::contract_end(body))?,
        S::TrainingAllowanceGranted(body) => granted(C::TrainingAllowance(body))?,
        S::SkillBaseGranted(body) => granted(C::SkillBase(body))?,
        S::ServiceSubsidyGranted(body) => granted(C::ServiceSubsidy(body))?,
        S::BrandAwardGranted(body) => granted(C::BrandAward(body))?,
        S::LoanIssued(body) => granted(C::Loan(body))?,
        S::InterestSubsidyGranted(body) => granted(C::InterestSubsidy(body))?,
        S::TrainingSubsidyGranted(body) => granted(C::TrainingSubsidy(body))?,
        S::TransportAidGranted(body) => granted(C::TransportAid(body))?,
        S::SubsidyGranted(body) => granted(C::Subsidy(body))?,
    })
}

fn key_adoption(adopted: &stored::CheckpointKeyAdopted) -> Result<KeyAdoption, Malformed> {
    let endorsement = match adopted.endorsement.as_str() {
        "" => None,
        note => Some(Note::parse(note.as_bytes()).map_err(|_| unknown("endorsement"))?),
    };
    Ok(KeyAdoption {
        key: adopted.key.parse().map_err(|_| unknown("key"))?,
        endorsement,
    })
}

fn attested_from_stored(attested: stored::StateAttested) -> Result<Vec<Attested>, Malformed> {
    if attested.projections.is_empty() {
        return Err(missing("projections"));
    }
    let one = |attested: stored::AttestedProjection| {
        Ok(Attested {
            projection: Label::new(attested.name).map_err(at("name"))?,
            version: attested.version,
            digest: Hash::from_bytes(bytes(&attested.digest, "digest")?),
        })
    };
    attested.projections.into_iter().map(one).collect()
}

fn party_from_stored(party: stored::PartyDetails, stream: StreamId) -> Result<Party, Malformed> {
    let kind = match party.kind() {
        stored::PartyKind::Person => PartyKind::Person,
        stored::PartyKind::Organisation => PartyKind::Organisation,
        stored::PartyKind::Brand => PartyKind::Brand,
        stored::PartyKind::Unspecified => return Err(unknown("kind")),
    };
    Ok(Party {
        kind,
        subject: stream.subject(),
        digest: bytes(&party.digest, "digest")?,
        sealed: party.sealed.into_boxed_slice(),
    })
}

fn failures_from_stored(failures: Vec<stored::LimitFailure>) -> Result<Vec<Failure>, Malformed> {
    if failures.is_empty() {
        return Err(missing("failures"));
    }
    failures.into_iter().map(failure_from_stored).collect()
}

fn failure_from_stored(failure: stored::LimitFailure) -> Result<Failure, Malformed> {
    use stored::compared::Value as V;
    let compared = |compared: stored::Compared| {
        Ok(Compared {
            name: compared.name,
            value: match compared.value.ok_or(missing("value"))? {
                V::Fen(fen) => Value::Fen(fen),
                V::Count(count) => Value::Count(count),
                V::Dates(dates) => Value::Dates(days(&dates.dates, "dates")?),
                V::Text(text) => Value::Text(text),
            },
        })
    };
    Ok(Failure {
        limit: failure.limit,
        code: failure.code,
        compared: failure
            .compared
            .into_iter()
            .map(compared)
            .collect::<Result<_, Malformed>>()?,
        facts: failure
            .facts
            .into_iter()
            .map(|number| Position::new(number).ok_or(missing("facts")))
            .collect::<Result<_, Malformed>>()?,
    })
}

fn position(number: u64, field: &'static str) -> Result<Position, Malformed> {
    Position::new(number).ok_or(missing(field))
}

fn missing(field: &'static str) -> Malformed {
    Malformed {
        field,
        problem: Problem::Missing,
    }
}

fn unknown(field: &'static str) -> Malformed {
    Malformed {
        field,
        problem: Problem::UnknownValue,
    }
}

fn bytes<const N: usize>(slice: &[u8], field: &'static str) -> Result<[u8; N], Malformed> {
    slice.try_into().map_err(|_| Malformed {
        field,
        problem: Problem::ByteLength { expected: N },
    })
}

fn subject(slice: &[u8], field: &'static str) -> Result<SubjectId, Malformed> {
    Ok(SubjectId::from_bytes(bytes(slice, field)?))
}

fn day(number: u32, field: &'static str) -> Result<Date, Malformed> {
    calendar::from_number(number).map_err(at(field))
}

fn optional_day(number: u32, field: &'static str) -> Result<Option<Date>, Malformed> {
    match number {
        0 => Ok(None),
        number => day(number, field).map(Some),
    }
}

fn days(stored: &[u32], field: &'static str) -> Result<DateSet, Malformed> {
    let days = stored
        .iter()
        .map(|number| day(*number, field))
        .collect::<Result<Vec<_>, _>>()?;
    DateSet::new(days).map_err(at(field))
}

fn numbers(dates: &DateSet) -> Vec<u32> {
    dates
        .days()
        .iter()
        .copied()
        .map(calendar::to_number)
        .collect()
}
