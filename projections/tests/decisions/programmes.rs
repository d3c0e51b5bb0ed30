//! Programmes for which the notice has no figure, and county packs.

use std::sync::Arc;

use luzhang_ledger::{
    SubjectId, Window,
    claim::{Claim, Spending, Subsidy, TrainingSubsidy, TransportAid, TravelMode},
    event::{Correction, Retraction},
    fact::{
        Authority, AuthorityAmount, Certificate, CertificateKind, ContractEnd, Fact, Repayment,
    },
    text::{CertificateNo, ClaimNo, CourseNo, DocumentNo, FundId, Label, ProgrammeId},
};
use luzhang_projections::{
    Command, Pack, decide::CommandBody, pack::LUZHOU_2023, simulate::Simulation,
};

use crate::{
    given::{GRANTED, RECORDED, conflicts, given, rejected},
    ledger::{Ledger, adoption},
    steps::{
        FIRM, FUND, LI, MILL, OFFICE, Step, WANG, allowance, attended, award, budget, course, day,
        fen, listed, loan, office, placement, plaque, settled,
    },
    transitions::position,
};

fn command(body: CommandBody) -> Step {
    Step {
        command: Command {
            office: office(OFFICE),
            body,
        },
    }
}

fn fact(fact: Fact) -> Step {
    command(CommandBody::Fact(fact))
}

fn authority(programme: &str, number: &str, amount: i64, stated: AuthorityAmount) -> Step {
    fact(Fact::Authority(Authority {
        document: DocumentNo::new(number).unwrap(),
        programme: ProgrammeId::new(programme).unwrap(),
        office: office(510_500),
        window: Window::new(day("2024-02-01"), Some(day("2025-02-01"))).unwrap(),
        amount: fen(amount),
        stated,
    }))
}

fn certificate(number: &str, person: SubjectId) -> Fact {
    Fact::Certificate(Certificate {
        certificate_no: CertificateNo::new(number).unwrap(),
        person,
        kind: CertificateKind::Training,
        level: Label::new("-").unwrap(),
        issued_on: day("2024-03-20"),
    })
}

fn trained(person: SubjectId, certificate: &str, amount: i64, fund: &str) -> Step {
    command(CommandBody::Claim(Claim::TrainingSubsidy(
        TrainingSubsidy {
            claim_no: ClaimNo::new("C1").unwrap(),
            person,
            course_no: CourseNo::new("K1").unwrap(),
            certificate_no: CertificateNo::new(certificate).unwrap(),
            completed_on: None,
            amount: fen(amount),
            fund: FundId::new(fund).unwrap(),
        },
    )))
}

fn travelled(person: SubjectId, province: u32, on: &str, amount: i64) -> Step {
    command(CommandBody::Claim(Claim::TransportAid(TransportAid {
        claim_no: ClaimNo::new("C1").unwrap(),
        person,
        province: office(province),
        travelled_on: day(on),
        mode: TravelMode::Rail,
        amount: fen(amount),
        fund: FundId::new("rural-revitalisation").unwrap(),
    })))
}

fn subsidy(programme: &str, document: &str, on: &str, amount: i64) -> Subsidy {
    Subsidy {
        claim_no: ClaimNo::new("C1").unwrap(),
        programme: ProgrammeId::new(programme).unwrap(),
        recipient: FIRM,
        document: DocumentNo::new(document).unwrap(),
        due_on: day(on),
        spending: None,
        amount: fen(amount),
        fund: FundId::new(FUND).unwrap(),
    }
}

fn claimed(subsidy: Subsidy) -> Step {
    command(CommandBody::Claim(Claim::Subsidy(subsidy)))
}

fn retract(asserted: u64, fact: Fact) -> Step {
    command(CommandBody::Retract(Retraction {
        asserted: position(asserted),
        fact,
        reason: Label::new("why").unwrap(),
    }))
}

fn correct(asserted: u64, was: Fact, now: Fact) -> Step {
    command(CommandBody::Correct(Box::new(Correction {
        asserted: position(asserted),
        was,
        now,
        reason: Label::new("why").unwrap(),
    })))
}

fn body(step: &Step) -> Fact {
    match &step.command.body {
        CommandBody::Fact(fact) => fact.clone(),
        other => panic!("no fact: {other:?}"),
    }
}

#[test]
fn m04_cert_a_training_subsidy_needs_the_persons_own_certificate_once() {
    let ledger = given([
        budget("training-subsidy", 2024, 1_000_000),
        course("K1", "2024-03-04", "2024-03-08"),
        fact(certificate("Z1", WANG)),
        fact(certificate("Z2", WANG)),
        authority("training-subsidy", "D", 80_000, AuthorityAmount::AtMost),
    ]);
    for (person, number, amount, expected) in [
        (WANG, "Z1", 80_000, ""),
        (WANG, "Z1", 80_001, "AUTHORITY_AMOUNT"),
        (WANG, "Z1", 1, ""),
        (LI, "Z1", 80_000, "M04_NO_CERT"),
        (WANG, "Z9", 80_000, "M04_NO_CERT"),
    ] {
        ledger
            .when(trained(person, number, amount, FUND))
            .then(expected);
    }
    for (fund, expected) in [("county", "M04_FUND"), ("rural-revitalisation", "M04_FUND")] {
        let answer = ledger.when(trained(WANG, "Z1", 80_000, fund));
        answer.then(&*format!("BUDGET_EXCEEDED {expected}"));
    }
    let used = ledger.and([trained(WANG, "Z1", 80_000, FUND)]);
    used.when(trained(WANG, "Z1", 1, FUND)).then("M04_CERT_DUP");
    used.when(trained(WANG, "Z2", 80_000, FUND)).then(GRANTED);
    let unknown = given([]);
    let answer = unknown.when(trained(WANG, "Z1", 80_000, FUND));
    answer.then(rejected("UNKNOWN_COURSE"));
    // The certificate's number is one thing.
    let again = used.when(fact(certificate("Z1", LI)));
    again.then(rejected("NUMBER_EXISTS"));
}

#[test]
fn m15_trans_to_another_province_once_a_year_at_the_set_amount() {
    let ledger = given([
        budget("transport-aid", 2024, 1_000_000).fund("rural-revitalisation"),
        budget("transport-aid", 2025, 1_000_000).fund("rural-revitalisation"),
        listed(WANG, "2024-01-01..2025-03-01"),
        authority("transport-aid", "D", 20_000, AuthorityAmount::Exactly),
    ]);
    for (person, province, on, amount, expected) in [
        // Chongqing is another province.
        (WANG, 500_000, "2024-02-20", 20_000, ""),
        (WANG, 510_000, "2024-02-20", 20_000, "M15_TRANSPORT"),
        (WANG, 500_000, "2024-02-20", 19_999, "M15_TRANSPORT"),
        (WANG, 500_000, "2024-02-20", 20_001, "M15_TRANSPORT"),
        (LI, 500_000, "2024-02-20", 20_000, "M15_NOT_ELIGIBLE"),
        // The document is in force on [2024-02-01, 2025-02-01).
        (WANG, 500_000, "2024-01-31", 20_000, "M15_TRANSPORT"),
        (WANG, 500_000, "2024-02-01", 20_000, ""),
        (WANG, 500_000, "2025-01-31", 20_000, ""),
        (WANG, 500_000, "2025-02-01", 20_000, "M15_TRANSPORT"),
        (
            WANG,
            500_000,
            "2025-03-01",
            20_000,
            "M15_TRANSPORT M15_NOT_ELIGIBLE",
        ),
    ] {
        ledger
            .when(travelled(person, province, on, amount))
            .then(expected);
    }
    let used = ledger.and([travelled(WANG, 500_000, "2024-02-20", 20_000)]);
    for (on, expected) in [("2024-12-31", "M15_TRANSPORT"), ("2025-01-01", "")] {
        used.when(travelled(WANG, 440_000, on, 20_000))
            .then(expected);
    }
}

#[test]
fn a_programme_without_a_figure_needs_its_document() {
    let ledger = given([
        budget("rent-relief", 2024, 1_000_000),
        budget("rnd-subsidy", 2024, 10_000_000),
        budget("startup-subsidy", 2024, 10_000_000),
        authority("rent-relief", "D1", 30_000, AuthorityAmount::AtMost),
        authority("rnd-subsidy", "D2", 5_000_000, AuthorityAmount::AtMost),
        authority("startup-subsidy", "D3", 500_000, AuthorityAmount::Exactly),
    ]);
    for (programme, document, on, amount, expected) in [
        ("rent-relief", "D1", "2024-05-01", 30_000, ""),
        (
            "rent-relief",
            "D1",
            "2024-05-01",
            30_001,
            "AUTHORITY_AMOUNT",
        ),
        // Another programme's document, and one that nobody registered.
        (
            "rent-relief",
            "D2",
            "2024-05-01",
            30_000,
            "AUTHORITY_AMOUNT",
        ),
        (
            "rent-relief",
            "D9",
            "2024-05-01",
            30_000,
            "AUTHORITY_AMOUNT",
        ),
        (
            "rent-relief",
            "D1",
            "2024-01-31",
            30_000,
            "AUTHORITY_AMOUNT",
        ),
        (
            "startup-subsidy",
            "D3",
            "2024-05-01",
            499_999,
            "AUTHORITY_AMOUNT",
        ),
        ("startup-subsidy", "D3", "2024-05-01", 500_000, ""),
        // No spending, no increment.
        ("rnd-subsidy", "D2", "2024-05-01", 1, "M14_INCREMENT"),
    ] {
        let claim = claimed(subsidy(programme, document, on, amount));
        ledger.when(claim).then(expected);
    }
    for (previous, current, amount, expected) in [
        (100, 200, 100, ""),
        (100, 200, 101, "M14_INCREMENT"),
        (200, 100, 1, "M14_INCREMENT"),
        (0, 6_000_000, 5_000_000, ""),
    ] {
        let claim = Subsidy {
            spending: Some(Spending {
                previous: fen(previous),
                current: fen(current),
            }),
            ..subsidy("rnd-subsidy", "D2", "2024-05-01", amount)
        };
        ledger.when(claimed(claim)).then(expected);
    }
    let claim = || claimed(subsidy("startup-subsidy", "D3", "2024-05-01", 500_000));
    let used = ledger.and([claim()]);
    used.when(claim()).then("M22_STARTUP_ONCE");
    let other = claimed(subsidy("rent-relief", "D1", "2024-05-01", 30_000));
    used.when(other).then(GRANTED);
    let none = claimed(subsidy("brand-award", "D1", "2024-05-01", 30_000));
    used.when(none).then(rejected("UNKNOWN_PROGRAMME"));
    let wrong = authority("skill-base", "D8", 1, AuthorityAmount::AtMost);
    used.when(wrong).then(rejected("UNKNOWN_PROGRAMME"));
}

#[test]
fn a_late_fact_raises_a_conflict_and_another_clears_it() {
    let on_list = listed(WANG, "2020-01-01..");
    let taught = course("K1", "2024-03-04", "2024-03-08");
    let here = attended(WANG, "K1", "2024-03-04..2024-03-08");
    let ledger = given([
        budget("training-allowance", 2024, 100_000),
        on_list.clone(),
        taught.clone(),
        here.clone(),
        allowance(WANG, "K1", "2024-03-04..2024-03-06"),
    ]);
    let grant = ledger.log.len() as u64;
    let list = body(&listed(WANG, "2024-03-05.."));
    let shorter = body(&course("K1", "2024-03-04", "2024-03-05"));
    let fewer = body(&attended(WANG, "K1", "2024-03-04..2024-03-05"));
    for (at, fact, now) in [
        (3, body(&on_list), list),
        (4, body(&taught), shorter),
        (5, body(&here), fewer),
    ] {
        let mut ledger = ledger.clone();
        let taken_back = retract(at, fact.clone());
        ledger.when(taken_back).then(conflicts(&[grant]));
        let corrected = correct(at, fact.clone(), now.clone());
        ledger.submit(&corrected).unwrap();
        assert_eq!(ledger.folded.conflicts.open().count(), 1);
        // The grant stands; a correction of the correction clears the conflict.
        let last = ledger.log.len() as u64 - 1;
        let decision = ledger
            .submit(&correct(last, now.clone(), fact.clone()))
            .unwrap();
        assert_eq!(decision.cleared, [position(last + 1)]);
        assert_eq!(ledger.folded.conflicts.open().count(), 0);
        // What was corrected cannot be taken back any more.
        let gone = retract(at, fact.clone());
        ledger.when(gone).then(rejected("UNKNOWN_FACT"));
        let other = body(&listed(LI, "2024-03-05.."));
        let answer = ledger.when(correct(last + 2, fact, other));
        answer.then(rejected("OTHER_FACT"));
    }
}

#[test]
fn late_facts_of_every_kind_contradict_the_grants_that_rest_on_them() {
    let ended = |on: &str| {
        fact(Fact::ContractEnd(ContractEnd {
            worker: WANG,
            employer: MILL,
            contract_first_day: day("2024-03-01"),
            ended_on: day(on),
            source: Label::new("insurance").unwrap(),
        }))
    };
    let brand = plaque(
        "B1",
        luzhang_ledger::fact::BrandLevel::Provincial,
        "2024-01-15",
    );
    let paid_back = settled("L1", Repayment::OnTime);
    let own = fact(certificate("Z1", WANG));
    let paper = authority("rent-relief", "D1", 30_000, AuthorityAmount::AtMost);
    let may = authority("training-subsidy", "D", 80_000, AuthorityAmount::AtMost);
    let ledger = given([
        budget("service-subsidy", 2024, 100_000),
        budget("brand-award", 2024, 20_000_000),
        budget("training-subsidy", 2024, 100_000),
        budget("rent-relief", 2024, 100_000),
        listed(WANG, "2020-01-01.."),
        course("K1", "2024-03-04", "2024-03-08"),
        brand.clone(),
        own.clone(),
        paper.clone(),
        may,
        loan("L1", WANG, 1_000, "2024-01-02"),
        paid_back.clone(),
        placement(WANG, MILL, "2024-03-01", "2025-02-28"),
        award("B1", "2024-05-01"),
        trained(WANG, "Z1", 80_000, FUND),
        claimed(subsidy("rent-relief", "D1", "2024-05-01", 30_000)),
        loan("L2", WANG, 1_000, "2024-02-02"),
    ]);
    let (placed, awarded, subsidised, relieved, lent) = (14, 15, 16, 17, 18);
    // A contract that ended before its year was over.
    ledger.when(ended("2025-02-27")).then(conflicts(&[placed]));
    ledger.when(ended("2025-02-28")).then(RECORDED);
    ledger
        .when(retract(8, body(&brand)))
        .then(conflicts(&[awarded]));
    ledger
        .when(retract(9, body(&own)))
        .then(conflicts(&[subsidised]));
    ledger
        .when(retract(10, body(&paper)))
        .then(conflicts(&[relieved]));
    ledger
        .when(retract(13, body(&paid_back)))
        .then(conflicts(&[lent]));
    let overdue = body(&settled("L1", Repayment::Overdue));
    let corrected = correct(13, body(&paid_back), overdue);
    ledger.when(corrected).then(conflicts(&[lent]));
}

/// A county's pack: its own amount for transport, and an award for its brands.
fn county() -> String {
    r#"
[pack]
id = "luxian-2024"
zh = "泸县实施细则"
en = "Rules of Luxian county"
from = 2024-01-01
until = 2026-01-01
source = "泸县实施细则（示例）"
source_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
base = "luzhou-2023"
offices = [510521]

[[param]]
id = "m15.transport"
unit = "fen"
basis = "出行日期"
values = [{ from = 2024-01-01, until = 2026-01-01, v = 25000, cite = "泸县实施细则" }]

[[param]]
id = "m16.amount.county"
unit = "fen"
basis = "发放日期"
values = [{ from = 2024-01-01, until = 2026-01-01, v = 500000, cite = "泸县实施细则" }]

[[limit]]
id = "M15-TRANS-AMT"
code = "M15_TRANSPORT"
programmes = ["transport-aid"]
measure = 15
quote = "可适当安排"
zh = "交通补助不符：申领 {amount} 元，本县标准 {expected} 元"
en = "transport aid: {amount} yuan claimed, this county's standard is {expected}"
kind = "authorised_amount"
amount = "m15.transport"
"#
    .to_owned()
}

#[test]
fn a_county_pack_judges_its_own_offices_on_the_citys_pack() {
    let steps = |at: u32| {
        [
            budget("transport-aid", 2024, 100_000)
                .fund("rural-revitalisation")
                .document(&format!("T{at}"))
                .at(at),
            budget("brand-award", 2024, 20_000_000)
                .document(&format!("B{at}"))
                .at(at),
        ]
    };
    let ledger = Ledger::new()
        .and([adoption(&county())])
        .and(steps(510_521))
        .and(steps(510_522))
        .and([
            listed(WANG, "2020-01-01.."),
            plaque("B1", luzhang_ledger::fact::BrandLevel::County, "2024-01-15"),
            authority("transport-aid", "D", 20_000, AuthorityAmount::Exactly),
        ]);
    let travel = |amount, at| travelled(WANG, 500_000, "2024-02-20", amount).at(at);
    let award = |amount, at| award("B1", "2024-05-01").amount(amount).at(at);
    for (claim, expected) in [
        (travel(25_000, 510_521), ""),
        (travel(20_000, 510_521), "M15_TRANSPORT"),
        (travel(20_000, 510_522), ""),
        (travel(25_000, 510_522), "M15_TRANSPORT"),
        (award(500_000, 510_521), ""),
        (award(500_000, 510_522), "M16_AMOUNT"),
    ] {
        ledger.when(claim).then(expected);
    }
    // Outside its window the city's pack judges.
    let late = travelled(WANG, 500_000, "2026-01-01", 25_000).at(510_521);
    ledger.when(late).then("BUDGET_EXCEEDED M15_TRANSPORT");
}

#[test]
fn a_supposed_county_pack_judges_its_own_offices_alone() {
    let travel = |at| travelled(WANG, 500_000, "2024-02-20", 20_000).at(at);
    for (at, newly_refused) in [(510_521, 1), (510_522, 0)] {
        let ledger = Ledger::new().and([
            budget("transport-aid", 2024, 100_000)
                .fund("rural-revitalisation")
                .at(at),
            listed(WANG, "2020-01-01.."),
            authority("transport-aid", "D", 20_000, AuthorityAmount::Exactly),
            travel(at),
        ]);
        let city = Pack::load(LUZHOU_2023.as_bytes()).unwrap();
        let pack = Pack::load_on(county().as_bytes(), &[city]).unwrap();
        let mut simulation = Simulation::new(Arc::clone(&pack), pack.window);
        for event in &ledger.log {
            simulation.apply(event);
        }
        let report = simulation.report();
        assert_eq!(
            (report.claims, report.newly_refused.len()),
            (1, newly_refused)
        );
    }
}

#[test]
fn a_county_pack_without_its_base_is_not_adopted() {
    let empty = Ledger::empty();
    let answer = empty.when(adoption(&county()));
    answer.then(rejected("POLICY_BASE_MISSING"));
    let ledger = Ledger::new();
    for (from, to) in [
        ("until = 2026-01-01\nsource", "until = 2027-01-01\nsource"),
        (
            "from = 2024-01-01\nuntil = 2026-01-01\nsource",
            "from = 2023-01-01\nuntil = 2026-01-01\nsource",
        ),
        ("offices = [510521]", "offices = []"),
        ("offices = [510521]", "offices = [21]"),
        ("base = \"luzhou-2023\"\n", ""),
    ] {
        assert!(county().contains(from), "{from}");
        let answer = ledger.when(adoption(&county().replacen(from, to, 1)));
        answer.then(rejected("POLICY_INVALID"));
    }
    let above = ledger.and([adoption(&county())]);
    let third = county().replacen("luxian-2024", "town-2024", 1).replacen(
        "base = \"luzhou-2023\"",
        "base = \"luxian-2024\"",
        1,
    );
    above
        .when(adoption(&third))
        .then(rejected("POLICY_INVALID"));
}
