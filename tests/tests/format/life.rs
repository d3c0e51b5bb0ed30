//! The second sample: one event of every kind that came with the life of a
//! grant, with fixed keys, salts and times. What is committed under
//! `fixtures/v1-life` was made from it.

use luzhang_ledger::{
    Body, Date, Event, Fen, Header, Office, Position, StreamId, StreamKind, Window,
    block::{BlockBuilder, Head, SealedBlock},
    calendar::from_number,
    claim::{Claim, Spending, Subsidy, TrainingSubsidy, TransportAid, TravelMode},
    event::{Correction, Failure, Refusal, Retraction},
    fact::{
        Authority, AuthorityAmount, Certificate, CertificateKind, ContractEnd, Fact,
        UnemploymentBenefit,
    },
    identity::{Details, seal},
    step::{
        Account, Adjustment, AppropriationChange, AppropriationEvent, Batch, BatchLocking,
        BatchSubmission, BatchWithdrawal, Bounce, Duty, Extent, Judgement, Notice, NoticeClosing,
        Objection, ObjectionOutcome, ObjectionResolution, Opinion, Override, Payment, PlaqueChange,
        PlaqueEvent, RecoveryClosing, RecoveryOpening, RecoveryReceipt, Refund, Reissue,
        Restoration, Reversal, Settlement, Step, StepRefusal,
    },
    text::{
        BatchNo, BrandNo, CertificateNo, ClaimNo, CourseNo, DocumentNo, FundId, Label, NoticeNo,
        ObjectionNo, Principal, ProgrammeId, RecoveryNo,
    },
};

use crate::sample::{self, identity, ledger, organisation, person, position, subject_key};

/// The sample's events, in order, each the first of its stream but for what the
/// person's and the organisation's have.
pub(crate) fn events() -> Vec<Event> {
    let mut revisions = std::collections::BTreeMap::<StreamId, (u64, Position)>::new();
    let mut events = Vec::new();
    for (body, number) in bodies().into_iter().zip(1_u64..) {
        let position = position(number);
        let stream = stream(&body);
        let before = revisions.get(&stream).copied();
        let revision = before.map_or(1, |(revision, _)| revision + 1);
        revisions.insert(stream, (revision, position));
        let cause = match &body {
            Body::FactRetracted(retraction) => Some(retraction.asserted),
            Body::FactCorrected(correction) => Some(correction.asserted),
            Body::ConflictCleared(_) => Some(self::position(9)),
            Body::Step(step) => step.grant(),
            _ => None,
        };
        let header = Header {
            position,
            stream,
            revision,
            stream_previous: before.map(|(_, last)| last),
            recorded_at: 1_735_689_600_000_000 + i64::try_from(number).unwrap() * 1_000,
            request: None,
            principal: Principal::new("clerk-03").unwrap(),
            office: Some(Office::LUZHOU),
            basis: None,
            policy: None,
            cause,
            salt: [u8::try_from(number).unwrap(); 16],
            credential: None,
        };
        events.push(Event { header, body });
    }
    events
}

/// The sample's blocks: seven events each.
pub(crate) fn blocks() -> Vec<SealedBlock> {
    let mut head = Head::genesis(ledger());
    let mut blocks = Vec::new();
    for group in events().chunks(7) {
        let mut builder = BlockBuilder::new(head, 3);
        for event in group {
            builder.push(event).unwrap().expect("room in the block");
        }
        let block = builder.seal();
        head = block.head;
        blocks.push(block);
    }
    blocks
}

fn stream(body: &Body) -> StreamId {
    match body {
        Body::Fact(fact) => fact.stream(),
        Body::FactRetracted(retraction) => retraction.fact.stream(),
        Body::FactCorrected(correction) => correction.now.stream(),
        Body::Granted(claim) => claim.stream(),
        Body::Refused(refusal) => refusal.claim.stream(),
        Body::Step(step) => step.stream().unwrap_or(person().into()),
        Body::AccountBound(account) => account.subject.into(),
        Body::LedgerCreated { ledger, .. } => StreamId::of(StreamKind::Ledger, &ledger.to_string()),
        _ => person().into(),
    }
}

fn bodies() -> Vec<Body> {
    let details = Details::account("某银行泸州分行", "6217 0000 0000 0000 001").unwrap();
    let mut bodies = vec![
        sample::bodies().swap_remove(0),
        Body::AccountBound(Account {
            subject: person(),
            sealed: seal(&subject_key(), &person(), [0x25; 24], &details).into(),
            digest: identity().details_digest(&details),
        }),
        Body::Fact(certificate(CertificateKind::SkillLevel)),
        Body::Fact(Fact::Authority(Authority {
            document: document("泸市财〔2024〕9号"),
            programme: ProgrammeId::new("rnd-subsidy").unwrap(),
            office: Office::LUZHOU,
            window: Window::new(day(20_240_101), None).unwrap(),
            amount: fen(50_000_000),
            stated: AuthorityAmount::AtMost,
        })),
        Body::Fact(Fact::ContractEnd(ContractEnd {
            worker: person(),
            employer: organisation(),
            contract_first_day: day(20_240_229),
            ended_on: day(20_240_930),
            source: label("社保减员"),
        })),
        Body::FactRetracted(Retraction {
            asserted: position(4),
            fact: Fact::UnemploymentBenefit(UnemploymentBenefit {
                person: person(),
                first_day: day(20_240_304),
                last_day: day(20_240_331),
                source: label("失业保险 2024-03"),
            }),
            reason: label("重复上报"),
        }),
        Body::FactCorrected(Correction {
            asserted: position(2),
            was: certificate(CertificateKind::SkillLevel),
            now: certificate(CertificateKind::Training),
            reason: label("类型录错"),
        }),
        Body::ConflictCleared(position(3)),
    ];
    bodies.extend(claims().into_iter().map(Body::Granted));
    bodies.extend(claims().into_iter().map(|claim| {
        Body::Refused(Refusal {
            claim,
            failures: vec![failure()],
        })
    }));
    bodies.extend(steps().into_iter().map(Body::Step));
    bodies.push(Body::StepRefused(Box::new(StepRefusal {
        step: Step::Review(judgement()),
        failures: vec![failure()],
    })));
    bodies
}

fn claims() -> Vec<Claim> {
    vec![
        Claim::TrainingSubsidy(TrainingSubsidy {
            claim_no: claim_no("PB-1"),
            person: person(),
            course_no: CourseNo::new("PX-2024-001").unwrap(),
            certificate_no: certificate_no(),
            completed_on: Some(day(20_240_308)),
            amount: fen(80_000),
            fund: fund(),
        }),
        Claim::TransportAid(TransportAid {
            claim_no: claim_no("JT-1"),
            person: person(),
            province: Office::new(500_000).unwrap(),
            travelled_on: day(20_240_220),
            mode: TravelMode::Rail,
            amount: fen(20_000),
            fund: fund(),
        }),
        Claim::Subsidy(Subsidy {
            claim_no: claim_no("QT-1"),
            programme: ProgrammeId::new("rnd-subsidy").unwrap(),
            recipient: organisation(),
            document: document("泸市财〔2024〕9号"),
            due_on: day(20_240_520),
            spending: Some(Spending {
                previous: fen(100_000_000),
                current: fen(140_000_000),
            }),
            amount: fen(10_000_000),
            fund: fund(),
        }),
    ]
}

fn steps() -> Vec<Step> {
    let grant = position(8);
    let payment = Payment { grant, attempt: 1 };
    let batch_no = || BatchNo::new("ZF-2024-01").unwrap();
    let notice_no = || NoticeNo::new("GS-2024-01").unwrap();
    let objection_no = || ObjectionNo::new("YY-1").unwrap();
    let recovery_no = || RecoveryNo::new("ZH-1").unwrap();
    let plaque = |change| {
        Step::PlaqueChange(PlaqueChange {
            brand_no: BrandNo::new("川字号-001").unwrap(),
            change,
            on: day(20_270_301),
            document: document("川人社〔2027〕1号"),
        })
    };
    let appropriation = |change| {
        Step::AppropriationChange(AppropriationChange {
            document: document("泸财〔2024〕7002号"),
            of: document("泸财〔2024〕7001号"),
            change,
            amount: fen(1_000_000),
        })
    };
    vec![
        Step::Review(judgement()),
        Step::Approval(Judgement {
            opinion: Opinion::Returned,
            note: None,
            ..judgement()
        }),
        Step::Override(Override {
            grant,
            duty: Duty::Payment,
            principal: Principal::new("cashier-01").unwrap(),
            reason: label("一人多岗"),
        }),
        Step::Notice(Notice {
            notice_no: notice_no(),
            grants: vec![grant, position(9)],
            first_day: day(20_241_008),
            last_day: Some(day(20_241_014)),
            list_digest: [0x11; 32],
        }),
        Step::Objection(Objection {
            notice_no: notice_no(),
            objection_no: objection_no(),
            grant,
            filed_on: day(20_241_009),
            reason: label("人员不符"),
        }),
        Step::ObjectionResolution(ObjectionResolution {
            objection_no: objection_no(),
            outcome: ObjectionOutcome::Dismissed,
            resolved_on: day(20_241_010),
            note: Some(label("核实无误")),
        }),
        Step::NoticeClosing(NoticeClosing {
            notice_no: notice_no(),
            closed_on: day(20_241_015),
        }),
        Step::Batch(Batch {
            batch_no: batch_no(),
            fund: fund(),
            grants: vec![grant, position(9)],
            amounts: vec![fen(80_000), fen(20_000)],
        }),
        Step::BatchWithdrawal(BatchWithdrawal {
            batch_no: batch_no(),
            grant: position(9),
            reason: label("账户待核"),
        }),
        Step::BatchLocking(BatchLocking {
            batch_no: batch_no(),
            count: 1,
            total: fen(80_000),
        }),
        Step::BatchSubmission(BatchSubmission {
            batch_no: batch_no(),
            file_digest: [0x22; 32],
            submitted_on: day(20_241_016),
        }),
        Step::Settlement(Settlement {
            payment,
            amount: fen(80_000),
            settled_on: day(20_241_017),
        }),
        Step::Bounce(Bounce {
            payment,
            bounced_on: day(20_241_018),
            reason: label("户名不符"),
        }),
        Step::Reissue(Reissue {
            payment,
            batch_no: batch_no(),
        }),
        Step::Reversal(Reversal {
            grant,
            extent: Extent::Part(fen(10_000)),
            reason: label("多报"),
        }),
        Step::Reversal(Reversal {
            grant,
            extent: Extent::Whole,
            reason: label("不符合条件"),
        }),
        Step::Adjustment(Adjustment {
            grant,
            claim: claims().swap_remove(0),
            document: document("泸人社〔2024〕3号"),
        }),
        Step::Refund(Refund {
            grant,
            amount: fen(5_000),
            received_on: day(20_241_101),
        }),
        Step::RecoveryOpening(RecoveryOpening {
            recovery_no: recovery_no(),
            grant,
            amount: Some(fen(75_000)),
            conflict: Some(position(3)),
            basis: label("与失业保险金重叠"),
        }),
        Step::RecoveryReceipt(RecoveryReceipt {
            recovery_no: recovery_no(),
            amount: fen(70_000),
            received_on: day(20_241_201),
        }),
        Step::RecoveryClosing(RecoveryClosing {
            recovery_no: recovery_no(),
            written_off: fen(5_000),
            document: document("泸财〔2024〕核销1号"),
        }),
        Step::Restoration(Restoration {
            grant,
            amount: fen(75_000),
            document: document("泸财〔2024〕归垫1号"),
        }),
        plaque(PlaqueEvent::Renewed),
        plaque(PlaqueEvent::Suspended),
        plaque(PlaqueEvent::Reinstated),
        plaque(PlaqueEvent::Revoked),
        plaque(PlaqueEvent::Expired),
        appropriation(AppropriationEvent::Increased),
        appropriation(AppropriationEvent::Decreased),
        appropriation(AppropriationEvent::Returned),
    ]
}

fn judgement() -> Judgement {
    Judgement {
        grant: position(8),
        opinion: Opinion::Passed,
        note: Some(label("材料齐全")),
    }
}

fn certificate(kind: CertificateKind) -> Fact {
    Fact::Certificate(Certificate {
        certificate_no: certificate_no(),
        person: person(),
        kind,
        level: label("四级"),
        issued_on: day(20_240_320),
    })
}

fn failure() -> Failure {
    Failure {
        limit: "P-EYES".to_owned(),
        code: "FOUR_EYES".to_owned(),
        compared: Vec::new(),
        facts: vec![position(8)],
    }
}

fn certificate_no() -> CertificateNo {
    CertificateNo::new("ZS-2024-001").unwrap()
}

fn claim_no(text: &str) -> ClaimNo {
    ClaimNo::new(text).unwrap()
}

fn day(number: u32) -> Date {
    from_number(number).unwrap()
}

fn document(text: &str) -> DocumentNo {
    DocumentNo::new(text).unwrap()
}

fn fen(amount: i64) -> Fen {
    Fen::new(amount).unwrap()
}

fn fund() -> FundId {
    FundId::new("employment-provincial").unwrap()
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

/// The export file of the sample.
pub(crate) fn export() -> Vec<u8> {
    sample::export(blocks().iter().map(|block| &block.bytes))
}
