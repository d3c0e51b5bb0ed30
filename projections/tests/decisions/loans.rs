//! Measure 22, loans: M22-CAP, -COUNT, -REPEAT.

use luzhang_ledger::fact::Repayment::{OnTime, Overdue};

use crate::{
    given::{GRANTED, given, refused},
    ledger::Ledger,
    packs::predecessor,
    steps::{FIRM, LI, Step, WANG, loan, settled},
};

#[test]
fn m22_cap_the_principal_is_within_the_cap_of_the_day_of_issue() {
    let over = || refused("M22_CAP");
    let ledger = given([]);
    for (issued_on, personal, firm) in [
        ("2023-12-17", 30_000_000, 400_000_000),
        ("2023-12-31", 30_000_000, 400_000_000),
        ("2024-01-01", 30_000_000, 400_000_000),
        ("2024-02-29", 30_000_000, 400_000_000),
        ("2025-03-31", 30_000_000, 400_000_000),
        ("2025-04-01", 50_000_000, 600_000_000),
        ("2026-12-16", 50_000_000, 600_000_000),
    ] {
        for (change, expected) in [(-1, GRANTED), (0, GRANTED), (1, over())] {
            let person = loan("L1", WANG, personal + change, issued_on);
            ledger.when(person).then(expected.clone());
            let firm = loan("L1", FIRM, firm + change, issued_on).of_firm();
            ledger.when(firm).then(expected);
        }
    }
    ledger
        .when(loan("L1", WANG, 50_000_000, "2025-03-31"))
        .then(over())
        .comparing("amount=50000000 max=30000000");
}

/// Loans of one borrower, each settled in time.
fn repaid(numbers: &[&str]) -> Vec<Step> {
    let both = |number: &&str| {
        [
            loan(number, WANG, 10_000_000, "2024-03-01"),
            settled(number, OnTime),
        ]
    };
    numbers.iter().flat_map(both).collect()
}

#[test]
fn m22_count_three_loans_the_first_included() {
    for (before, expected) in [
        (&[][..], GRANTED),
        (&["A"], GRANTED),
        (&["A", "B"], GRANTED),
        (&["A", "B", "C"], refused("M22_COUNT")),
    ] {
        let ledger = given(repaid(before));
        ledger
            .when(loan("L9", WANG, 10_000_000, "2026-01-01"))
            .then(expected);
        // Of another borrower they do not count.
        ledger
            .when(loan("L9", LI, 10_000_000, "2026-01-01"))
            .then(GRANTED);
    }
}

#[test]
fn a_person_and_their_firm_count_apart() {
    let ledger = given(repaid(&["A", "B", "C"]));
    let firm = |number| loan(number, FIRM, 10_000_000, "2024-05-01").of_firm();
    ledger.when(firm("F1")).then(GRANTED);
    let ledger = ledger.and([firm("F1"), settled("F1", OnTime), firm("F2")]);
    ledger.when(firm("F3")).then(refused("M22_REPEAT"));
}

#[test]
fn a_refused_loan_does_not_count() {
    let over = |number| loan(number, WANG, 30_000_001, "2024-03-01");
    let ledger = given(repaid(&["A", "B"]))
        .and_refused([over("X")])
        .and_refused([over("Y")]);
    ledger
        .when(loan("L9", WANG, 10_000_000, "2024-06-01"))
        .then(GRANTED);
    // Its number is free again.
    ledger
        .when(loan("X", WANG, 10_000_000, "2024-06-01"))
        .then(GRANTED);
}

#[test]
fn m22_count_loans_from_before_the_notice_count() {
    let old = |number| {
        [
            loan(number, WANG, 10_000_000, "2022-05-01"),
            settled(number, OnTime),
        ]
    };
    let ledger = Ledger::empty()
        .with_pack(&predecessor())
        .and(["A", "B", "C"].into_iter().flat_map(old))
        .with_pack(luzhang_projections::pack::LUZHOU_2023);
    ledger
        .when(loan("L9", WANG, 10_000_000, "2024-03-01"))
        .then(refused("M22_COUNT"));
    ledger
        .when(loan("L9", LI, 10_000_000, "2024-03-01"))
        .then(GRANTED);
}

#[test]
fn m22_repeat_earlier_loans_are_settled_and_were_never_overdue() {
    let issued = |number, on| loan(number, WANG, 10_000_000, on);
    for (before, expected) in [
        (vec![issued("A", "2024-03-01")], "open=1 overdue=0"),
        (vec![issued("A", "2024-03-01"), settled("A", OnTime)], ""),
        (
            vec![issued("A", "2024-03-01"), settled("A", Overdue)],
            "open=0 overdue=1",
        ),
        (
            vec![
                issued("A", "2024-03-01"),
                settled("A", OnTime),
                issued("B", "2024-04-01"),
            ],
            "open=1 overdue=0",
        ),
        (
            vec![
                issued("A", "2024-03-01"),
                settled("A", OnTime),
                issued("B", "2024-04-01"),
                settled("B", Overdue),
            ],
            "open=0 overdue=1",
        ),
        // Earlier is by the order of record: neither a later day of issue nor a
        // settlement after the claim's own day matters.
        (vec![issued("A", "2026-03-01")], "open=1 overdue=0"),
        (vec![issued("A", "2026-03-01"), settled("A", OnTime)], ""),
        // Somebody else's.
        (vec![loan("A", LI, 10_000_000, "2024-03-01")], ""),
        (
            vec![loan("A", FIRM, 10_000_000, "2024-03-01").of_firm()],
            "",
        ),
    ] {
        let ledger = given(before);
        let answer = ledger.when(issued("L9", "2024-05-01"));
        if expected.is_empty() {
            answer.then(GRANTED);
        } else {
            answer.then(refused("M22_REPEAT")).comparing(expected);
        }
    }
}

#[test]
fn a_refused_loan_blocks_nothing() {
    let ledger = given([]).and_refused([loan("A", WANG, 30_000_001, "2024-03-01")]);
    ledger
        .when(loan("B", WANG, 30_000_000, "2024-03-01"))
        .then(GRANTED);
}

#[test]
fn every_reason_against_a_loan_at_once() {
    let ledger = given(repaid(&["A", "B"])).and([
        loan("C", WANG, 10_000_000, "2024-03-01"),
        settled("C", Overdue),
    ]);
    for (claim, expected) in [
        (
            loan("D", WANG, 10_000_000, "2024-06-01"),
            "M22_COUNT M22_REPEAT",
        ),
        (
            loan("D", WANG, 30_000_001, "2024-06-01"),
            "M22_CAP M22_COUNT M22_REPEAT",
        ),
        (
            loan("D", WANG, 50_000_001, "2026-12-17"),
            "OUT_OF_WINDOW M22_CAP M22_COUNT M22_REPEAT",
        ),
    ] {
        ledger.when(claim).then(refused(expected));
    }
}
