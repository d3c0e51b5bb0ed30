//! Measure 22, interest subsidies: M22-NO-LOAN, -INT, -PERIOD.

use luzhang_ledger::{StreamId, fact::Repayment::Overdue};

use crate::{
    given::{GRANTED, given, refused},
    ledger::Ledger,
    packs::{changed, under},
    steps::{FIRM, LI, WANG, budget, interest, loan, settled},
};

fn funded() -> Ledger {
    given((2023..=2026).map(|year| budget("interest-subsidy", year, 100_000_000_000)))
}

const MARCH: &str = "2025-04-01..2025-05-01";

#[test]
fn m22_no_loan_without_a_loan_nothing_else_is_judged() {
    for ledger in [
        given([]),
        funded(),
        // A refused loan is none, and another number is another loan.
        funded().and_refused([loan("L1", WANG, 30_000_001, "2024-03-01")]),
        funded().and([loan("L2", WANG, 30_000_000, "2024-03-01")]),
    ] {
        for claim in [
            interest("L1", MARCH, 1_000, 500),
            interest("L1", MARCH, 1_000, 900_000_000_000_000),
            interest("L1", "2027-01-01..2027-02-01", 1_000, 500),
        ] {
            ledger
                .when(claim)
                .then(refused("M22_NO_LOAN"))
                .comparing("number=L1");
        }
    }
}

#[test]
fn m22_int_at_most_half_of_the_interest_exactly() {
    let ledger = funded().and([loan("L1", WANG, 30_000_000, "2024-03-01")]);
    for (paid, most) in [
        (2, 1),
        (3, 1),
        (999, 499),
        (1_000, 500),
        (1_001, 500),
        // The largest amounts on either side.
        (90_000_000_001, 45_000_000_000),
    ] {
        for (amount, expected) in [(most, GRANTED), (most + 1, refused("M22_INTEREST"))] {
            ledger
                .when(interest("L1", MARCH, paid, amount))
                .then(expected);
        }
    }
    // Nothing paid, or one fen: no fen is half of it.
    for paid in [0, 1] {
        ledger
            .when(interest("L1", MARCH, paid, 1))
            .then(refused("M22_INTEREST"))
            .comparing("amount=1 max=0");
    }
}

#[test]
fn m22_int_only_the_interest_on_the_tranche_of_the_old_cap() {
    for (principal, firm, paid, most) in [
        // 300,000 yuan and less: all of it.
        (30_000_000, false, 100_000, 50_000),
        (100, false, 100_000, 50_000),
        // 2 × subsidy × 500,000 ≤ interest × 300,000.
        (50_000_000, false, 100_000, 30_000),
        (50_000_000, false, 10, 3),
        (50_000_000, false, 7, 2),
        (50_000_000, false, 3, 0),
        // One fen above the tranche: the bound is 30,000,000 exactly.
        (30_000_001, false, 60_000_002, 30_000_000),
        (30_000_001, false, 60_000_001, 29_999_999),
        (40_000_000, false, 8, 3),
        // Firms: 4,000,000 yuan of at most 6,000,000.
        (400_000_000, true, 1_000, 500),
        (600_000_000, true, 1_000, 333),
        (600_000_000, true, 3, 1),
        (600_000_000, true, 2, 0),
        // A firm's tranche is not a person's.
        (50_000_000, true, 100_000, 50_000),
    ] {
        let (borrower, issued) = (if firm { FIRM } else { WANG }, "2025-04-01");
        let issued = loan("L1", borrower, principal, issued);
        let ledger = funded().and([if firm { issued.of_firm() } else { issued }]);
        if most > 0 {
            ledger.when(interest("L1", MARCH, paid, most)).then(GRANTED);
        }
        ledger
            .when(interest("L1", MARCH, paid, most + 1))
            .then(refused("M22_INTEREST"))
            .comparing(&format!("amount={} max={most}", most + 1));
    }
}

#[test]
fn the_rest_has_a_share_of_its_own() {
    let pays_the_rest = changed(&[(
        "v = 0, cite = \"川办规〔2025〕6号",
        "v = 1000000, cite = \"川办规〔2025〕6号",
    )]);
    let ledger = under(&pays_the_rest).and([
        budget("interest-subsidy", 2025, 100_000_000),
        loan("L1", WANG, 50_000_000, "2025-04-01"),
    ]);
    // Half of three fifths and all of two fifths: seven tenths.
    for (paid, most) in [(100_000, 70_000), (11, 7), (1_009, 706)] {
        ledger.when(interest("L1", MARCH, paid, most)).then(GRANTED);
        ledger
            .when(interest("L1", MARCH, paid, most + 1))
            .then(refused("M22_INTEREST"));
    }
}

#[test]
fn m22_period_periods_of_one_loan_share_no_day() {
    let ledger = funded().and([
        loan("L1", WANG, 30_000_000, "2024-01-01"),
        loan("L2", LI, 30_000_000, "2024-01-01"),
        interest("L1", "2024-02-01..2024-03-01", 1_000, 500),
    ]);
    let twice = || refused("M22_PERIOD_DUP");
    for (period, expected) in [
        // Half-open: one ends on the day on which the next begins.
        ("2024-01-01..2024-02-01", GRANTED),
        ("2024-03-01..2024-04-01", GRANTED),
        ("2024-02-01..2024-03-01", twice()),
        ("2024-01-01..2024-02-02", twice()),
        ("2024-02-29..2024-04-01", twice()),
        ("2024-02-10..2024-02-11", twice()),
        ("2024-01-01..2024-12-31", twice()),
        // In or out by one day.
        ("2024-01-31..2024-02-01", GRANTED),
        ("2024-03-01..2024-03-02", GRANTED),
    ] {
        ledger
            .when(interest("L1", period, 1_000, 500))
            .then(expected);
        ledger
            .when(interest("L2", period, 1_000, 500))
            .then(GRANTED);
    }
    let more = ledger.and([interest("L1", "2024-03-01..2024-04-01", 1_000, 500)]);
    more.when(interest("L1", "2024-02-15..2024-03-15", 1_000, 500))
        .then(twice());
    more.when(interest("L1", "2024-04-01..2024-05-01", 1_000, 500))
        .then(GRANTED);
}

#[test]
fn a_refused_period_may_be_claimed_again() {
    let ledger = funded()
        .and([loan("L1", WANG, 30_000_000, "2024-03-01")])
        .and_refused([interest("L1", MARCH, 1_000, 501)]);
    ledger.when(interest("L1", MARCH, 1_000, 500)).then(GRANTED);
}

#[test]
fn interest_is_not_checked_against_settlement() {
    let ledger = funded().and([
        loan("L1", WANG, 30_000_000, "2024-03-01"),
        settled("L1", Overdue),
    ]);
    ledger.when(interest("L1", MARCH, 1_000, 500)).then(GRANTED);
}

#[test]
fn it_belongs_to_the_borrower_if_there_is_one() {
    let ledger = funded().and([loan("L1", WANG, 30_000_000, "2024-03-01")]);
    let of = |claim| ledger.when(claim).decision().stream;
    assert_eq!(of(interest("L1", MARCH, 1_000, 500)), StreamId::from(WANG));
    let unknown = of(interest("L7", MARCH, 1_000, 500));
    assert_ne!(unknown, StreamId::from(WANG));
}
