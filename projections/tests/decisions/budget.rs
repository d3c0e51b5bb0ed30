//! G-BUDGET: committed plus claimed stays within what was appropriated, by fund,
//! programme, office and year.

use luzhang_ledger::{
    Body,
    claim::{RecognitionLevel::National, SkillBaseKind::MasterStudio},
};
use luzhang_projections::projection::Name;

use crate::{
    given::{GRANTED, Outcome, RECORDED, given, refused},
    ledger::Ledger,
    steps::{
        LI, OFFICE, SCHOOL, Step, WANG, WORKS, allowance, attended, base, budget, course, fen,
        interest, listed, loan, placement, subject,
    },
};

const OTHER_OFFICE: u32 = 510_521;

/// A national studio: 100,000 yuan on one line of 2024.
fn studio() -> Step {
    base(MasterStudio, National, 10_000_000)
}

fn over() -> Outcome {
    refused("BUDGET_EXCEEDED")
}

#[test]
fn g_budget_a_line_may_be_used_up_to_the_last_fen() {
    for (appropriated, expected) in [
        (vec![], over()),
        (vec![9_999_999], over()),
        (vec![10_000_000], GRANTED),
        (vec![10_000_001], GRANTED),
        // Several appropriations on one line are one sum.
        (vec![4_000_000, 5_999_999], over()),
        (vec![4_000_000, 6_000_000], GRANTED),
        (vec![1, 9_999_998, 1], GRANTED),
    ] {
        let documents = appropriated.iter().zip(1..).map(|(amount, number)| {
            budget("skill-base", 2024, *amount).document(&format!("D{number}"))
        });
        given(documents).when(studio()).then(expected);
    }
}

#[test]
fn g_budget_what_is_committed_no_longer_counts() {
    let ledger = given([budget("skill-base", 2024, 20_000_000), studio()]);
    ledger.when(studio().of(LI)).then(GRANTED);
    let ledger = ledger.and([studio().of(LI)]);
    ledger.when(studio().of(WANG)).then(over()).comparing(
        "amount=10000000 committed=20000000 appropriated=20000000 left=0 year=2024 \
         fund=employment-provincial",
    );
    let more = ledger.and([budget("skill-base", 2024, 10_000_000)]);
    more.when(studio().of(WANG)).then(GRANTED);
}

#[test]
fn g_budget_money_of_another_line_does_not_help() {
    let line = || budget("skill-base", 2024, 10_000_000);
    for (given_line, claimed, expected) in [
        (line(), studio(), GRANTED),
        (line().fund("employment-central"), studio(), over()),
        (line(), studio().fund("employment-central"), over()),
        (line().at(OTHER_OFFICE), studio(), over()),
        (line(), studio().at(OTHER_OFFICE), over()),
        (line().at(OTHER_OFFICE), studio().at(OTHER_OFFICE), GRANTED),
        (
            budget("service-subsidy", 2024, 10_000_000),
            studio(),
            over(),
        ),
        (budget("skill-base", 2023, 10_000_000), studio(), over()),
        (budget("skill-base", 2025, 10_000_000), studio(), over()),
        // The year is that of the basis date.
        (line(), studio().recognised("2024-01-01"), GRANTED),
        (line(), studio().recognised("2024-12-31"), GRANTED),
        (line(), studio().recognised("2023-12-31"), over()),
        (line(), studio().recognised("2025-01-01"), over()),
    ] {
        given([given_line]).when(claimed).then(expected);
    }
}

#[test]
fn a_grant_takes_from_its_own_line_only() {
    let lines = |ledger: &Ledger| ledger.folded.rows(Name::Budget).rows;
    let before = given([
        budget("skill-base", 2024, 10_000_000),
        budget("skill-base", 2024, 10_000_000)
            .fund("employment-central")
            .document("2"),
        budget("skill-base", 2024, 10_000_000)
            .at(OTHER_OFFICE)
            .document("3"),
        budget("skill-base", 2025, 10_000_000),
        budget("brand-award", 2024, 10_000_000),
    ]);
    let after = before.clone().and([studio()]);
    let (before, after) = (lines(&before), lines(&after));
    assert_eq!(before.len(), 5);
    let changed: Vec<_> = before.iter().zip(&after).filter(|(b, a)| b != a).collect();
    let [(was, is)] = changed[..] else {
        panic!("one line changes: {changed:?}")
    };
    let office = OFFICE.to_string();
    let line = [
        "skill-base",
        "2024",
        &office,
        "employment-provincial",
        "10000000",
    ];
    assert_eq!(was[..5], line);
    assert_eq!(was[5..8], ["0", "10000000", "0"]);
    assert_eq!(is[..5], line);
    assert_eq!(is[5..8], ["10000000", "0", "10000000"]);
}

#[test]
fn the_year_of_a_training_allowance_is_that_of_its_first_paid_day() {
    let trained = given([
        listed(WANG, "2020-01-01.."),
        course("K", "2024-12-28", "2025-01-05"),
        attended(WANG, "K", "2024-12-28..2025-01-05"),
    ]);
    for (year, on, expected) in [
        (2024, "2024-12-31..2025-01-02", GRANTED),
        (2025, "2024-12-31..2025-01-02", over()),
        (2025, "2025-01-01..2025-01-02", GRANTED),
        (2024, "2025-01-01..2025-01-02", over()),
    ] {
        let ledger = trained
            .clone()
            .and([budget("training-allowance", year, 15_000)]);
        ledger.when(allowance(WANG, "K", on)).then(expected);
    }
}

#[test]
fn a_refused_claim_commits_nothing() {
    let ledger = given([
        listed(WANG, "2020-01-01.."),
        budget("service-subsidy", 2024, 30_000),
    ])
    .and_refused([placement(LI, WORKS, "2024-03-01", "2025-02-28")])
    .and_refused([placement(WANG, WORKS, "2024-03-01", "2025-02-27")]);
    ledger
        .when(placement(WANG, WORKS, "2024-03-01", "2025-02-28"))
        .then(GRANTED);
}

#[test]
fn loans_need_no_budget_but_their_interest_does() {
    let ledger = given([]);
    ledger
        .when(loan("L1", LI, 30_000_000, "2024-03-01"))
        .then(GRANTED);
    let ledger = ledger.and([loan("L1", LI, 30_000_000, "2024-03-01")]);
    let claim = || interest("L1", "2024-12-01..2025-03-01", 2_000, 1_000);
    ledger.when(claim()).then(over());
    let next_year = ledger
        .clone()
        .and([budget("interest-subsidy", 2025, 1_000)]);
    next_year.when(claim()).then(over());
    let this_year = ledger.and([budget("interest-subsidy", 2024, 1_000)]);
    this_year.when(claim()).then(GRANTED);
}

#[test]
fn the_largest_amounts_do_not_overflow() {
    const MOST: i64 = 900_000_000_000_000;
    let ledger = given([loan("L1", LI, 30_000_000, "2024-03-01")]);
    for (claim, expected) in [
        (
            base(MasterStudio, National, MOST),
            "BUDGET_EXCEEDED M05_AMOUNT",
        ),
        (loan("L2", WANG, MOST, "2024-03-01"), "M22_CAP"),
        (
            interest("L1", "2024-03-01..2024-04-01", MOST, MOST),
            "BUDGET_EXCEEDED M22_INTEREST",
        ),
        (
            interest("L1", "2024-03-01..2024-04-01", MOST, MOST / 2),
            "BUDGET_EXCEEDED",
        ),
    ] {
        ledger.when(claim).then(refused(expected));
    }

    // So many of the largest appropriations that their sum is out of range: it
    // stops at the largest number, and a claim is still decided.
    let mut ledger = ledger;
    for number in 0..10_300 {
        let step = budget("interest-subsidy", 2024, MOST).document(&number.to_string());
        ledger.submit(&step).unwrap();
    }
    let claim = interest("L1", "2024-03-01..2024-04-01", MOST, MOST / 2);
    ledger.when(claim).then(GRANTED);
}

#[test]
fn a_failure_names_the_newest_appropriations() {
    let ledger =
        given((1..=40).map(|number| budget("skill-base", 2024, 1).document(&number.to_string())));
    let Body::Refused(refusal) = ledger.when(studio()).then(over()).decision().body else {
        panic!("refused")
    };
    let facts: Vec<u64> = refusal.failures[0]
        .facts
        .iter()
        .map(|p| p.number())
        .collect();
    // Position 1 is the pack, 2 to 41 are the appropriations.
    assert_eq!(facts, (10..=41).collect::<Vec<u64>>());
}

#[test]
fn the_chinese_name_of_a_fund_is_stored_as_its_id() {
    let named = budget("skill-base", 2024, 10_000_000).fund("中央就业创业补助资金");
    let stored = given([]).when(named.clone()).then(RECORDED).decision().body;
    let Body::Fact(luzhang_ledger::fact::Fact::Appropriation(fact)) = stored else {
        panic!("an appropriation")
    };
    assert_eq!(fact.fund.as_str(), "employment-central");
    assert_eq!(fact.amount, fen(10_000_000));

    let ledger = given([named]);
    for fund in ["中央就业创业补助资金", "employment-central"] {
        let body = ledger
            .when(studio().fund(fund))
            .then(GRANTED)
            .decision()
            .body;
        let Body::Granted(claim) = body else {
            panic!("granted")
        };
        assert_eq!(claim.fund().unwrap().as_str(), "employment-central");
    }
    let by_name = ledger.and([studio().fund("中央就业创业补助资金")]);
    by_name
        .when(studio().of(subject(77)).fund("employment-central"))
        .then(over());
    assert_eq!(by_name.folded.totals.lines().len(), 1);
    let lines = by_name.folded.totals.lines();
    let key = lines.keys().next().unwrap();
    assert_eq!(
        (&*key.fund, &*key.programme),
        ("employment-central", "skill-base")
    );
    assert_ne!(SCHOOL, subject(77));
}
