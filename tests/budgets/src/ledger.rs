//! A ledger in memory, of a bureau that is invented.

use luzhang_ledger::{
    Body, Date, Event, Fen, Header, LedgerId, Office, Position, StreamId, StreamKind, SubjectId,
    Window,
    claim::{Claim, ServiceSubsidy},
    event::{Party, PartyKind, RequestMark},
    fact::{Appropriation, BudgetYear, Fact, PovertyStatus},
    text::{ClaimNo, DocumentNo, FundId, Label, PackId, Principal, ProgrammeId},
};
use luzhang_projections::{
    Command, decide, decide::CommandBody, pack::LUZHOU_2023, projection::Projections,
};

const FUND: &str = "employment-city";
const FIRST_DAY: Date = Date::constant(2024, 3, 1);
const LAST_DAY: Date = Date::constant(2025, 2, 28);

/// The log so far, and what it folds to.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) log: Vec<Event>,
    pub(crate) folded: Projections,
}

impl Ledger {
    /// With the built-in pack, and money.
    pub(crate) fn new(id: LedgerId) -> Self {
        let mut ledger = Self {
            log: Vec::new(),
            folded: Projections::default(),
        };
        let created = Body::LedgerCreated {
            ledger: id,
            software: Label::software("0.0.0"),
            key_check: [0; 16],
        };
        ledger.append(StreamId::of(StreamKind::Ledger, "ledger"), created);
        let adopted = Body::PolicyPackAdopted {
            pack: PackId::new("luzhou-2023").unwrap(),
            content: LUZHOU_2023.as_bytes().into(),
        };
        ledger.append(StreamId::of(StreamKind::Pack, "luzhou-2023"), adopted);
        let appropriation = Appropriation {
            document: DocumentNo::new("泸市财社〔2024〕1号").unwrap(),
            fund: FundId::new(FUND).unwrap(),
            programme: ProgrammeId::new("service-subsidy").unwrap(),
            office: Office::LUZHOU,
            year: BudgetYear::of(FIRST_DAY),
            amount: Fen::new(1_000_000_000).unwrap(),
        };
        ledger.submit(command_of(CommandBody::Fact(Fact::Appropriation(
            appropriation,
        ))));
        ledger
    }

    /// Registers a person, and puts them on the poverty list.
    pub(crate) fn introduce(&mut self, number: u64) {
        let person = subject(number);
        let party = Body::PartyRegistered(Party {
            kind: PartyKind::Person,
            subject: person,
            sealed: vec![9; 96].into(),
            digest: number.to_le_bytes(),
        });
        self.append(person.into(), party);
        let status = PovertyStatus {
            person,
            window: Window::new(Date::constant(2020, 1, 1), None).unwrap(),
            list_version: Label::new("2020-1").unwrap(),
        };
        self.submit(command_of(CommandBody::Fact(Fact::PovertyStatus(status))));
    }

    /// Decides and writes.
    pub(crate) fn submit(&mut self, command: Command) {
        let office = command.office;
        let decision = decide(&self.folded.state, command).unwrap();
        let header = self.header(decision.stream);
        let number = header.position.number();
        let header = Header {
            office: Some(office),
            basis: decision.basis,
            policy: decision.policy,
            cause: decision.cause,
            request: Some(RequestMark {
                id: scattered(number ^ 1),
                content: scattered(number ^ 2),
            }),
            ..header
        };
        self.fold(Event {
            header,
            body: decision.body,
        });
    }

    fn append(&mut self, stream: StreamId, body: Body) {
        let header = self.header(stream);
        self.fold(Event { header, body });
    }

    fn fold(&mut self, event: Event) {
        self.folded.apply(&event);
        self.log.push(event);
    }

    fn header(&self, stream: StreamId) -> Header {
        let last = self.folded.state.position();
        let position = last.map_or(Position::FIRST, Position::next);
        let (revision, stream_previous) = self.folded.state.stream_end(stream);
        Header {
            position,
            stream,
            revision: revision + 1,
            stream_previous,
            recorded_at: 1_700_000_000_000_000 + i64::try_from(position.number()).unwrap(),
            request: None,
            principal: Principal::local(),
            office: None,
            basis: None,
            policy: None,
            cause: None,
            salt: scattered(position.number()),
            credential: None,
        }
    }
}

/// A service subsidy for the placement of a person.
pub(crate) fn claim(person: u64, fen: i64) -> Claim {
    const EMPLOYERS: u64 = 50;
    Claim::ServiceSubsidy(ServiceSubsidy {
        claim_no: ClaimNo::new(format!("FW-{person:09}")).unwrap(),
        agency: subject(u64::MAX),
        worker: subject(person),
        employer: subject(u64::MAX - 1 - person % EMPLOYERS),
        contract_first_day: FIRST_DAY,
        contract_last_day: LAST_DAY,
        insured_from: Some(FIRST_DAY),
        amount: Fen::new(fen).unwrap(),
        fund: FundId::new(FUND).unwrap(),
    })
}

/// The command that makes a claim.
pub(crate) fn command(claim: Claim) -> Command {
    command_of(CommandBody::Claim(claim))
}

fn command_of(body: CommandBody) -> Command {
    Command {
        office: Office::LUZHOU,
        body,
    }
}

fn subject(number: u64) -> SubjectId {
    SubjectId::from_bytes(scattered(number))
}

/// Bytes that look random, always the same for a number.
fn scattered(number: u64) -> [u8; 16] {
    let hash = blake3::hash(&number.to_le_bytes());
    *hash.as_bytes().first_chunk().unwrap()
}
