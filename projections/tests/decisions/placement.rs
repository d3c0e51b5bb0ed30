//! Measure 15, placement of workers: M15-AMT, -COND, -ELIG, -UNIQ.

use crate::{
    given::{GRANTED, given, refused},
    ledger::Ledger,
    steps::{LI, MILL, OTHER_AGENCY, WANG, WORKS, budget, listed, placement},
};

/// Money, and Wang on the list.
fn funded() -> Ledger {
    given((2023..=2026).map(|year| budget("service-subsidy", year, 100_000_000)))
        .and([listed(WANG, "2020-01-01..")])
}

#[test]
fn m15_amt_exactly_300_yuan_for_each_worker() {
    let ledger = funded();
    for (amount, expected) in [
        (29_999, refused("M15_AMOUNT")),
        (30_000, GRANTED),
        (30_001, refused("M15_AMOUNT")),
        (60_000, refused("M15_AMOUNT")),
    ] {
        let claim = placement(WANG, WORKS, "2024-03-01", "2025-02-28").amount(amount);
        ledger.when(claim).then(expected);
    }
}

#[test]
fn m15_cond_the_contract_lasts_a_year_its_last_day_included() {
    let ledger = funded();
    let short = || refused("M15_CONTRACT");
    for (first, last, expected) in [
        ("2024-03-01", "2025-02-28", GRANTED),
        ("2024-03-01", "2025-02-27", short()),
        ("2024-03-01", "2025-03-01", GRANTED),
        ("2024-03-01", "2030-12-31", GRANTED),
        ("2024-03-01", "2024-03-01", short()),
        // A contract of a leap day ends on 28 February.
        ("2024-02-29", "2025-02-28", GRANTED),
        ("2024-02-29", "2025-02-27", short()),
        ("2024-02-28", "2025-02-27", GRANTED),
        ("2024-02-28", "2025-02-26", short()),
        // One that runs across a leap day has 366 days.
        ("2024-01-01", "2024-12-31", GRANTED),
        ("2024-01-01", "2024-12-30", short()),
        ("2023-12-31", "2024-12-30", GRANTED),
        ("2023-12-31", "2024-12-29", short()),
    ] {
        ledger
            .when(placement(WANG, WORKS, first, last))
            .then(expected);
    }
    ledger
        .when(placement(WANG, WORKS, "2024-02-29", "2025-02-27"))
        .then(short())
        .comparing("first=2024-02-29 last=2025-02-27 earliest_last=2025-02-28 insured=2024-02-29");
}

#[test]
fn m15_cond_the_worker_is_insured() {
    let ledger = funded();
    for (insured, last, expected) in [
        (Some("2024-03-01"), "2025-02-28", GRANTED),
        (Some("2024-06-01"), "2025-02-28", GRANTED),
        (None, "2025-02-28", refused("M15_CONTRACT")),
        // Both wrong is one reason.
        (None, "2025-02-27", refused("M15_CONTRACT")),
    ] {
        let claim = placement(WANG, WORKS, "2024-03-01", last).insured(insured);
        ledger.when(claim).then(expected);
    }
}

#[test]
fn m15_elig_the_worker_is_on_the_list_on_the_first_day() {
    let ledger = given([budget("service-subsidy", 2024, 100_000_000)]);
    let missing = || refused("M15_NOT_ELIGIBLE");
    for (lists, expected) in [
        (vec![], missing()),
        (vec![listed(LI, "2020-01-01..")], missing()),
        (vec![listed(WANG, "2024-03-01..2024-03-02")], GRANTED),
        (vec![listed(WANG, "2020-01-01..2024-03-01")], missing()),
        (vec![listed(WANG, "2024-03-02..")], missing()),
        (
            vec![
                listed(WANG, "2020-01-01..2024-03-01"),
                listed(WANG, "2024-03-01.."),
            ],
            GRANTED,
        ),
    ] {
        let ledger = ledger.clone().and(lists);
        ledger
            .when(placement(WANG, WORKS, "2024-03-01", "2025-02-28"))
            .then(expected);
    }
}

#[test]
fn m15_uniq_once_with_an_employer_and_once_a_year() {
    let placed = |employer, first| placement(WANG, employer, first, "2028-12-31");
    let ledger = funded().and([listed(LI, "2020-01-01.."), placed(WORKS, "2024-03-01")]);
    for (claim, expected) in [
        // Another employer in the same year, from its first to its last day.
        (placed(MILL, "2024-01-01"), "M15_DUP"),
        (placed(MILL, "2024-12-31"), "M15_DUP"),
        (placed(MILL, "2023-12-31"), ""),
        (placed(MILL, "2025-01-01"), ""),
        // The same employer in another year.
        (placed(WORKS, "2025-01-01"), "M15_DUP"),
        (placed(WORKS, "2023-12-31"), "M15_DUP"),
        (placed(WORKS, "2026-12-16"), "M15_DUP"),
        // Both readings are broken: both are named.
        (placed(WORKS, "2024-06-01"), "M15_DUP M15_DUP"),
        // The same contract from another agency: the first recorded wins.
        (
            placed(WORKS, "2024-03-01").by(OTHER_AGENCY),
            "M15_DUP M15_DUP",
        ),
        // Another worker.
        (placement(LI, WORKS, "2024-03-01", "2028-12-31"), ""),
    ] {
        ledger.when(claim).then(expected);
    }
    // A claim for the other employer counts by its own contract, whichever was
    // recorded first.
    let second = ledger.and([placed(MILL, "2025-06-01")]);
    for (claim, expected) in [
        (placed(MILL, "2023-12-20"), "M15_DUP"),
        (placed(WORKS, "2025-01-01"), "M15_DUP M15_DUP"),
        (placed(MILL, "2025-01-01"), "M15_DUP M15_DUP"),
    ] {
        second.when(claim).then(refused(expected));
    }
}

#[test]
fn a_refused_placement_uses_nothing() {
    let ledger = funded()
        .and_refused([placement(WANG, WORKS, "2024-03-01", "2025-02-27")])
        .and_refused([placement(WANG, MILL, "2024-03-01", "2025-02-28").amount(1)]);
    for employer in [WORKS, MILL] {
        let claim = placement(WANG, employer, "2024-03-01", "2025-02-28");
        ledger.when(claim).then(GRANTED);
    }
}
