//! The memory of the limit state, measured in a process of its own.

use anyhow::{Context as _, Result};
use luzhang_ledger::{
    Body, Date, Event, Fen, Header, Office, Position, StreamId, StreamKind, SubjectId, Window,
    claim::{Claim, ServiceSubsidy},
    event::{Party, PartyKind},
    fact::{Fact, PovertyStatus},
    text::{ClaimNo, FundId, Label, PackId, Principal},
};
use luzhang_projections::{State, pack::LUZHOU_2023};

use super::site::resident_bytes;
use crate::output;

const EMPLOYERS: u64 = 1_000;

/// Folds a ledger of so many subjects, each with a poverty status and a grant,
/// and prints by how many bytes this process grew.
pub(super) fn fold(subjects: u64) -> Result<()> {
    let mut ledger = Synthetic::new()?;
    let mut state = State::default();
    state.apply(&ledger.event(
        StreamId::of(StreamKind::Pack, "luzhou-2023"),
        Body::PolicyPackAdopted {
            pack: PackId::new("luzhou-2023")?,
            content: LUZHOU_2023.as_bytes().into(),
        },
    )?);
    let policy = state.position();
    for number in 0..EMPLOYERS {
        let subject = subject(u64::MAX - number);
        state.apply(&ledger.registration(subject, PartyKind::Organisation)?);
    }
    let before = resident_bytes("/proc/self/status")?;
    for number in 0..subjects {
        let subject = subject(number);
        state.apply(&ledger.registration(subject, PartyKind::Person)?);
        state.apply(&ledger.status(subject)?);
        let employer = self::subject(u64::MAX - number % EMPLOYERS);
        let mut grant = ledger.grant(subject, employer, number)?;
        grant.header.policy = policy;
        state.apply(&grant);
    }
    let grown = resident_bytes("/proc/self/status")?.saturating_sub(before);
    // Every subject must still be there when the memory was counted.
    anyhow::ensure!(
        u64::try_from(state.streams())? > subjects,
        "the state has fewer streams than subjects"
    );
    output::line(&grown.to_string())?;
    Ok(())
}

fn subject(number: u64) -> SubjectId {
    let hash = blake3::hash(&number.to_le_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.as_bytes()[..16]);
    SubjectId::from_bytes(id)
}

/// A log that is never written.
struct Synthetic {
    next: u64,
    principal: Principal,
    list: Label,
    fund: FundId,
}

impl Synthetic {
    fn new() -> Result<Self> {
        Ok(Self {
            next: 1,
            principal: Principal::new("bench")?,
            list: Label::new("2020-1")?,
            fund: FundId::new("employment-city")?,
        })
    }

    fn event(&mut self, stream: StreamId, body: Body) -> Result<Event> {
        let position = Position::new(self.next).context("position")?;
        self.next += 1;
        Ok(Event {
            header: Header {
                position,
                stream,
                revision: 1,
                stream_previous: None,
                recorded_at: i64::try_from(self.next)?,
                request: None,
                principal: self.principal.clone(),
                office: Some(Office::LUZHOU),
                basis: None,
                policy: None,
                cause: None,
                salt: [0; 16],
                credential: None,
            },
            body,
        })
    }

    fn registration(&mut self, subject: SubjectId, kind: PartyKind) -> Result<Event> {
        let body = Body::PartyRegistered(Party {
            kind,
            subject,
            sealed: Box::default(),
            digest: [7; 8],
        });
        self.event(subject.into(), body)
    }

    fn status(&mut self, subject: SubjectId) -> Result<Event> {
        let fact = Fact::PovertyStatus(PovertyStatus {
            person: subject,
            window: Window::new(Date::constant(2020, 1, 1), None)?,
            list_version: self.list.clone(),
        });
        self.event(subject.into(), Body::Fact(fact))
    }

    fn grant(&mut self, worker: SubjectId, employer: SubjectId, number: u64) -> Result<Event> {
        let claim = Claim::ServiceSubsidy(ServiceSubsidy {
            claim_no: ClaimNo::new(format!("FW-{number:09}"))?,
            agency: subject(u64::MAX),
            worker,
            employer,
            contract_first_day: Date::constant(2024, 3, 1),
            contract_last_day: Date::constant(2025, 3, 1),
            insured_from: Some(Date::constant(2024, 3, 1)),
            amount: Fen::new(30_000)?,
            fund: self.fund.clone(),
        });
        self.event(worker.into(), Body::Granted(claim))
    }
}
