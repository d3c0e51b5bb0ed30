//! What commands refer to, and what the offices around a case need to see:
//! names and accounts are opened here, for the list that is published (masked)
//! and the file that the bank gets.

use luzhang_ledger::{
    Body, Event, Position, StreamId, SubjectId, claim::Claim, event::PartyKind, identity::Details,
};
use luzhang_projections::{
    report::{Shown, masked},
    state::Found,
};
use tonic::Code;

use crate::{convert::from_proto::References, engine::Engine, rejected::Rejected, replay};

impl References for Engine {
    fn numbered(&self, programme: &str, claim_no: &str) -> Found {
        self.peek(|projections| {
            let state = &projections.state;
            let packs = state.packs().iter().rev();
            let mut programmes = packs.flat_map(|adopted| &adopted.pack.programmes);
            let known = programmes.find(|p| p.id == programme || p.name.zh == programme);
            state.numbered(known.map_or(programme, |p| &p.id), claim_no)
        })
    }

    fn event(&self, position: Position) -> Result<Option<Event>, Rejected> {
        if self.head().position < Some(position) {
            return Ok(None);
        }
        replay::event_at(&**self.reader(), position)
            .map(|logged| logged.map(|logged| logged.event))
            .map_err(|error| Rejected::unreadable(&error.to_string()))
    }

    fn notice_digest(&self, grants: &[Position]) -> Result<[u8; 32], Rejected> {
        let list = notice_list(self, grants)?;
        Ok(*blake3::hash(&list).as_bytes())
    }
}

/// The masked list of grants, as CSV.
pub(crate) fn notice_list(engine: &Engine, grants: &[Position]) -> Result<Vec<u8>, Rejected> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| {
        Rejected::new(
            Code::Internal,
            "LEDGER_IO",
            "名单生成失败",
            error.to_string(),
        )
    };
    let header = ["序号", "申领编号", "对象", "项目", "金额", "经办机构"];
    writer.write_record(header).map_err(failed)?;
    for (number, grant) in (1_u32..).zip(grants) {
        let granted = granted(engine, *grant)?;
        let payee = payee(engine, &granted.claim);
        let name = match payee {
            Some(payee) => shown(engine, payee)?,
            None => String::new(),
        };
        let row = [
            number.to_string(),
            escaped(granted.claim.number()),
            escaped(&name),
            granted.programme,
            granted.claim.amount().to_string(),
            granted.office,
        ];
        writer.write_record(row).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| {
        Rejected::new(
            Code::Internal,
            "LEDGER_IO",
            "名单生成失败",
            error.to_string(),
        )
    })
}

/// A grant as it was made.
pub(crate) struct Granted {
    pub(crate) claim: Claim,
    pub(crate) programme: String,
    pub(crate) office: String,
}

/// The grant at a position.
pub(crate) fn granted(engine: &Engine, grant: Position) -> Result<Granted, Rejected> {
    let unknown = || Rejected::from(luzhang_projections::Rejection::UnknownGrant { grant });
    let event = engine.event(grant)?.ok_or_else(unknown)?;
    let Body::Granted(claim) = event.body else {
        return Err(unknown());
    };
    let programme = engine.peek(|projections| {
        let policy = event.header.policy?;
        let pack = projections.state.pack_at(policy)?;
        Some(pack.programme(&claim)?.name.zh.clone())
    });
    Ok(Granted {
        programme: programme.unwrap_or_default(),
        office: event.header.office.map_or(String::new(), |o| o.to_string()),
        claim,
    })
}

/// Who is paid for a claim.
pub(crate) fn payee(engine: &Engine, claim: &Claim) -> Option<SubjectId> {
    let applicant = |state: &luzhang_projections::State| {
        if let Claim::BrandAward(award) = claim {
            state.brand_applicant(award.brand_no.as_str())
        } else if let Claim::InterestSubsidy(interest) = claim {
            state.loan_borrower(interest.loan_no.as_str())
        } else {
            None
        }
    };
    let known = claim.payee();
    known.or_else(|| engine.peek(|projections| applicant(&projections.state)))
}

/// A subject's name as it may be published: a person's masked, others whole.
fn shown(engine: &Engine, subject: SubjectId) -> Result<String, Rejected> {
    let Some((kind, details)) = details(engine, subject)? else {
        return Ok(String::new());
    };
    Ok(match kind {
        PartyKind::Person => masked(details.name(), 1, 0),
        PartyKind::Organisation | PartyKind::Brand => details.name().to_owned(),
    })
}

/// A subject's newest details.
pub(crate) fn details(
    engine: &Engine,
    subject: SubjectId,
) -> Result<Option<(PartyKind, Details)>, Rejected> {
    details_then(engine, subject, Position::LAST)
}

/// A subject's details as known after an event.
fn details_then(
    engine: &Engine,
    subject: SubjectId,
    until: Position,
) -> Result<Option<(PartyKind, Details)>, Rejected> {
    let party = newest(engine, subject, until, |body| {
        if let Body::PartyRegistered(party) | Body::PartyCorrected(party) = body {
            Some((party.kind, party.sealed))
        } else {
            None
        }
    })?;
    party
        .map(|(kind, sealed)| Ok((kind, open(engine, subject, &sealed)?)))
        .transpose()
}

/// A subject's newest bank account: the bank's name and the number.
pub(crate) fn account(engine: &Engine, subject: SubjectId) -> Result<Option<Details>, Rejected> {
    account_then(engine, subject, Position::LAST)
}

/// A subject's bank account as known after an event.
fn account_then(
    engine: &Engine,
    subject: SubjectId,
    until: Position,
) -> Result<Option<Details>, Rejected> {
    let known = engine.peek(|projections| projections.state.account(subject).is_some());
    if !known {
        return Ok(None);
    }
    let sealed = newest(engine, subject, until, |body| {
        if let Body::AccountBound(account) = body {
            Some(account.sealed)
        } else {
            None
        }
    })?;
    sealed
        .map(|sealed| open(engine, subject, &sealed))
        .transpose()
}

fn open(engine: &Engine, subject: SubjectId, sealed: &[u8]) -> Result<Details, Rejected> {
    let opened = engine.vault().open_sealed(subject, sealed);
    opened.map_err(|error| {
        let status = error.status();
        Rejected::new(status, error.code(), error.zh(), error.to_string())
    })
}

/// What may be shown of a subject as known after an event.
pub(crate) fn masked_details(
    engine: &Engine,
    subject: SubjectId,
    until: Position,
) -> Result<Option<Shown>, Rejected> {
    let Some((kind, details)) = details_then(engine, subject, until)? else {
        return Ok(None);
    };
    let account = account_then(engine, subject, until)?;
    let account = account.as_ref().map(Details::number);
    let shown = Shown::of(kind, details.name(), details.number(), account);
    Ok(Some(shown))
}

/// The newest event of a subject's stream, up to `until`, in which `wanted` finds something.
fn newest<T>(
    engine: &Engine,
    subject: SubjectId,
    until: Position,
    wanted: impl Fn(Body) -> Option<T>,
) -> Result<Option<T>, Rejected> {
    let stream = StreamId::from(subject);
    let (_, mut next) = engine.peek(|projections| projections.state.stream_end(stream));
    while let Some(position) = next {
        // An event that is being made durable is there in a moment.
        let event = engine.event(position)?.ok_or_else(Rejected::queue_full)?;
        if matches!(event.body, Body::SubjectErased(_)) {
            // Of what was said before, nobody has the key any more.
            return Ok(None);
        }
        next = event.header.stream_previous;
        if position > until {
            continue;
        }
        if let Some(found) = wanted(event.body) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// A spreadsheet does not take it for a formula.
fn escaped(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
