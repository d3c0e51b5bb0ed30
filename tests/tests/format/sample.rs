//! A small ledger that never changes: every kind of event, fixed keys, salts
//! and times. What is committed under `fixtures/v1` and printed in FORMAT.md was
//! made from it.

use std::collections::BTreeMap;

use luzhang_ledger::{
    Body, Date, DateSet, Event, Fen, Header, LedgerId, Office, Position, StreamId, StreamKind,
    SubjectId, Window,
    block::{BlockBuilder, Head, SealedBlock},
    calendar::from_number,
    claim::{
        BorrowerKind, BrandAward, Claim, InterestSubsidy, Loan, RatePpm, RecognitionLevel,
        ServiceSubsidy, SkillBase, SkillBaseKind, TrainingAllowance,
    },
    event::{Compared, Conflict, Failure, Party, PartyKind, Refusal, RequestMark, Value},
    export::ExportWriter,
    fact::{
        Appropriation, Attendance, BrandLevel, BudgetYear, Course, Fact, LoanSettlement, Plaque,
        PovertyStatus, Repayment, UnemploymentBenefit, UnemploymentBenefitRetraction,
    },
    identity::{CheckDigit, CreditCode, Details, IdentityKey, NationalId, SubjectKey, seal},
    text::{
        BrandNo, ClaimNo, CourseNo, DocumentNo, FundId, Label, LoanNo, PackId, Principal,
        ProgrammeId,
    },
};
use uuid::Uuid;

/// Whose chain it is.
pub(crate) fn ledger() -> LedgerId {
    LedgerId::new(Uuid::from_u128(0x0198_c5a2_7d00_7000_8000_0000_0000_0001))
}

/// The identity key: the bytes 00 to 1f.
pub(crate) fn identity() -> IdentityKey {
    IdentityKey::new(std::array::from_fn(|index| u8::try_from(index).unwrap()))
}

/// The key of the person's details: 32 bytes 5a.
pub(crate) fn subject_key() -> SubjectKey {
    SubjectKey::new([0x5a; 32])
}

pub(crate) fn national_id() -> NationalId {
    NationalId::parse("510590197607110016").unwrap()
}

pub(crate) fn credit_code() -> CreditCode {
    CreditCode::parse("91510590407224700G", CheckDigit::Required).unwrap()
}

pub(crate) fn person() -> SubjectId {
    identity().person(&national_id())
}

pub(crate) fn organisation() -> SubjectId {
    identity().organisation(&credit_code())
}

pub(crate) fn person_details() -> Details {
    Details::person("某甲", &national_id()).unwrap()
}

pub(crate) fn sealed_person() -> Vec<u8> {
    seal(&subject_key(), &person(), [0x24; 24], &person_details())
}

/// The bodies of the sample's events: one of every kind, then variants that
/// leave out what may be left out.
pub(crate) fn bodies() -> Vec<Body> {
    let mut bodies = vec![
        Body::LedgerCreated {
            ledger: ledger(),
            software: Label::new("luzhang 0.1.0").unwrap(),
            key_check: identity().content(ledger().as_bytes()),
        },
        Body::PolicyPackAdopted {
            pack: PackId::new("sample").unwrap(),
            content: b"# A pack is opaque here.\n".as_slice().into(),
        },
        party(Body::PartyRegistered, &person_details(), person()),
        party(Body::PartyCorrected, &renamed(), person()),
    ];
    bodies.extend(facts().into_iter().map(Body::Fact));
    bodies.extend(claims().into_iter().map(Body::Granted));
    bodies.extend(claims().into_iter().map(refused));
    bodies.push(Body::Conflict(Conflict {
        limit: "M04-UI".to_owned(),
        code: "M04_UI_OVERLAP".to_owned(),
        grant: position(13),
        dates: dates(&[20_240_304]),
    }));
    bodies.extend(variants());
    // Long and repetitive, so that its block is stored compressed.
    bodies.push(Body::PolicyPackAdopted {
        pack: PackId::new("sample-2").unwrap(),
        content: b"# one limit a line\n".repeat(230).into_boxed_slice(),
    });
    bodies
}

/// The sample's events, in order.
pub(crate) fn events() -> Vec<Event> {
    let mut streams: BTreeMap<StreamId, (u64, Position)> = BTreeMap::new();
    let mut policy = None;
    let mut events = Vec::new();
    for (body, number) in bodies().into_iter().zip(1_u64..) {
        let position = position(number);
        let stream = stream(&body);
        let (revision, stream_previous) = streams
            .get(&stream)
            .map_or((1, None), |(revision, last)| (revision + 1, Some(*last)));
        streams.insert(stream, (revision, position));
        let by_itself = matches!(body, Body::LedgerCreated { .. } | Body::Conflict(_));
        let (judged, basis) = match &body {
            Body::Granted(claim) => (true, Some(claim.basis())),
            Body::Refused(refusal) => (true, Some(refusal.claim.basis())),
            Body::Conflict(_) => (true, None),
            Body::Fact(fact) => (false, fact.basis()),
            Body::LedgerCreated { .. }
            | Body::PolicyPackAdopted { .. }
            | Body::PartyRegistered(_)
            | Body::PartyCorrected(_) => (false, None),
            _ => unreachable!("the first sample has the first kinds"),
        };
        let cause = matches!(body, Body::Conflict(_)).then_some(Position::new(7).unwrap());
        let header = Header {
            position,
            stream,
            revision,
            stream_previous,
            recorded_at: 1_704_067_200_000_000 + i64::try_from(number).unwrap() * 1_000,
            request: (!by_itself).then(|| request(number)),
            principal: Principal::new("clerk-02").unwrap(),
            office: (!by_itself).then_some(Office::LUZHOU),
            basis,
            policy: judged.then_some(policy).flatten(),
            cause,
            salt: [u8::try_from(number).unwrap(); 16],
            credential: None,
        };
        if matches!(body, Body::PolicyPackAdopted { .. }) {
            policy = Some(position);
        }
        events.push(Event { header, body });
    }
    events
}

/// The sample's blocks: the first event alone, some of a few events, one large
/// enough to be stored compressed.
pub(crate) fn blocks() -> Vec<SealedBlock> {
    chain(Head::genesis(ledger()), &events())
}

/// Blocks of these events, grouped as the sample's are.
pub(crate) fn chain(mut head: Head, events: &[Event]) -> Vec<SealedBlock> {
    let (rest, large) = events.split_at(events.len() - 1);
    let (first, rest) = rest.split_at(1);
    let groups = [first].into_iter().chain(rest.chunks(7)).chain([large]);
    let mut blocks = Vec::new();
    for (group, epoch) in groups.zip([1, 1, 1, 2, 2, 2, 2]) {
        let block = block(head, epoch, group);
        head = block.head;
        blocks.push(block);
    }
    blocks
}

pub(crate) fn block(head: Head, epoch: u64, events: &[Event]) -> SealedBlock {
    let mut builder = BlockBuilder::new(head, epoch);
    for event in events {
        builder.push(event).unwrap().expect("room in the block");
    }
    builder.seal()
}

/// An export file of these blocks.
pub(crate) fn export<B: AsRef<[u8]>>(blocks: impl IntoIterator<Item = B>) -> Vec<u8> {
    let mut writer = ExportWriter::new(Vec::new(), ledger()).unwrap();
    for block in blocks {
        writer.block(block.as_ref()).unwrap();
    }
    writer.finish().unwrap().0
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn position(number: u64) -> Position {
    Position::new(number).unwrap()
}

fn renamed() -> Details {
    Details::person("某甲甲", &national_id()).unwrap()
}

fn party(kind: fn(Party) -> Body, details: &Details, subject: SubjectId) -> Body {
    kind(Party {
        kind: PartyKind::Person,
        subject,
        sealed: seal(&subject_key(), &subject, [0x24; 24], details).into(),
        digest: identity().details_digest(details),
    })
}

fn request(number: u64) -> RequestMark {
    let id = Uuid::from_u128(u128::from(number));
    RequestMark {
        id: identity().request(id.as_bytes()),
        content: identity().content(&number.to_be_bytes()),
    }
}

fn stream(body: &Body) -> StreamId {
    match body {
        Body::LedgerCreated { ledger, .. } => StreamId::of(StreamKind::Ledger, &ledger.to_string()),
        Body::PolicyPackAdopted { pack, .. } => StreamId::of(StreamKind::Pack, pack.as_str()),
        Body::PartyRegistered(party) | Body::PartyCorrected(party) => party.subject.into(),
        Body::Fact(fact) => fact.stream(),
        Body::Granted(claim) => claim.stream(),
        Body::Refused(refusal) => refusal.claim.stream(),
        Body::Conflict(_) => person().into(),
        _ => unreachable!("the first sample has the first kinds"),
    }
}

fn facts() -> Vec<Fact> {
    vec![
        Fact::Appropriation(Appropriation {
            document: DocumentNo::new("泸财〔2024〕7001号").unwrap(),
            fund: fund(),
            programme: ProgrammeId::new("training-allowance").unwrap(),
            office: Office::LUZHOU,
            year: BudgetYear::new(2024).unwrap(),
            amount: fen(100_000_000),
        }),
        Fact::PovertyStatus(PovertyStatus {
            person: person(),
            window: Window::new(day(20_230_101), Some(day(20_260_101))).unwrap(),
            list_version: label("2023-12"),
        }),
        Fact::UnemploymentBenefit(UnemploymentBenefit {
            person: person(),
            first_day: day(20_240_304),
            last_day: day(20_240_331),
            source: label("失业保险 2024-03"),
        }),
        Fact::UnemploymentBenefitRetraction(UnemploymentBenefitRetraction {
            person: person(),
            asserted: position(7),
        }),
        Fact::Course(Course {
            course_no: course_no(),
            provider: organisation(),
            trade: label("酿酒工"),
            first_day: day(20_240_226),
            last_day: day(20_240_308),
        }),
        Fact::Attendance(Attendance {
            course_no: course_no(),
            person: person(),
            dates: dates(&[20_240_229, 20_240_301, 20_240_304]),
        }),
        Fact::Plaque(Plaque {
            brand_no: brand_no(),
            level: BrandLevel::Provincial,
            applicant: organisation(),
            awarded_on: day(20_240_229),
            document: DocumentNo::new("川人社〔2024〕1号").unwrap(),
        }),
        Fact::LoanSettlement(LoanSettlement {
            loan_no: loan_no(),
            settled_on: day(20_260_302),
            repayment: Repayment::OnTime,
        }),
    ]
}

fn claims() -> Vec<Claim> {
    vec![
        Claim::TrainingAllowance(TrainingAllowance {
            claim_no: claim_no("XL-1"),
            person: person(),
            course_no: course_no(),
            dates: dates(&[20_240_229, 20_240_301, 20_240_304]),
            daily: fen(5_000),
            amount: fen(15_000),
            fund: fund(),
        }),
        Claim::SkillBase(SkillBase {
            claim_no: claim_no("JD-1"),
            entity: organisation(),
            kind: SkillBaseKind::MasterStudio,
            level: RecognitionLevel::Provincial,
            recognised_on: day(20_240_115),
            document: DocumentNo::new("川人社〔2024〕2号").unwrap(),
            amount: fen(30_000_000),
            fund: fund(),
        }),
        Claim::ServiceSubsidy(ServiceSubsidy {
            claim_no: claim_no("FW-1"),
            agency: organisation(),
            worker: person(),
            employer: organisation(),
            contract_first_day: day(20_240_229),
            contract_last_day: day(20_250_228),
            insured_from: Some(day(20_240_301)),
            amount: fen(30_000),
            fund: fund(),
        }),
        Claim::BrandAward(BrandAward {
            claim_no: claim_no("PP-1"),
            brand_no: brand_no(),
            amount: fen(20_000_000),
            paid_on: day(20_240_401),
            fund: fund(),
        }),
        Claim::Loan(Loan {
            loan_no: loan_no(),
            borrower_kind: BorrowerKind::Person,
            borrower: person(),
            principal: fen(30_000_000),
            rate: RatePpm::new(43_500).unwrap(),
            issued_on: day(20_240_301),
            due_on: day(20_260_301),
            bank: label("某银行泸州分行"),
        }),
        Claim::InterestSubsidy(InterestSubsidy {
            claim_no: claim_no("TX-1"),
            loan_no: loan_no(),
            period: Window::new(day(20_240_301), Some(day(20_240_401))).unwrap(),
            interest: fen(108_750),
            amount: fen(54_375),
            fund: fund(),
        }),
    ]
}

fn refused(claim: Claim) -> Body {
    let compared = |name: &str, value| Compared {
        name: name.to_owned(),
        value,
    };
    Body::Refused(Refusal {
        claim,
        failures: vec![
            Failure {
                limit: "M04-CAP".to_owned(),
                code: "M04_DAILY_CAP".to_owned(),
                compared: vec![
                    compared("rate", Value::Fen(5_100)),
                    compared("count", Value::Count(-1)),
                    compared("dates", Value::Dates(dates(&[20_240_229, 20_240_301]))),
                    compared("number", Value::Text("XL-1".to_owned())),
                ],
                facts: vec![position(2), position(10)],
            },
            Failure {
                limit: "G-WINDOW".to_owned(),
                code: "OUT_OF_WINDOW".to_owned(),
                compared: vec![],
                facts: vec![],
            },
        ],
    })
}

fn variants() -> Vec<Body> {
    vec![
        Body::PartyRegistered(Party {
            kind: PartyKind::Organisation,
            subject: organisation(),
            sealed: [0x0f; 104].into(),
            digest: [0x0e; 8],
        }),
        Body::Fact(Fact::PovertyStatus(PovertyStatus {
            person: person(),
            window: Window::new(day(20_260_101), None).unwrap(),
            list_version: label("2026-01"),
        })),
        Body::Granted(Claim::ServiceSubsidy(ServiceSubsidy {
            claim_no: claim_no("FW-2"),
            agency: organisation(),
            worker: person(),
            employer: organisation(),
            contract_first_day: day(20_250_301),
            contract_last_day: day(20_260_228),
            insured_from: None,
            amount: fen(1),
            fund: fund(),
        })),
    ]
}

fn day(number: u32) -> Date {
    from_number(number).unwrap()
}

fn dates(numbers: &[u32]) -> DateSet {
    DateSet::new(numbers.iter().map(|number| day(*number)).collect()).unwrap()
}

fn fen(amount: i64) -> Fen {
    Fen::new(amount).unwrap()
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn claim_no(text: &str) -> ClaimNo {
    ClaimNo::new(text).unwrap()
}

fn course_no() -> CourseNo {
    CourseNo::new("PX-2024-001").unwrap()
}

fn brand_no() -> BrandNo {
    BrandNo::new("川字号-001").unwrap()
}

fn loan_no() -> LoanNo {
    LoanNo::new("DK-2024-001").unwrap()
}

fn fund() -> FundId {
    FundId::new("employment").unwrap()
}
