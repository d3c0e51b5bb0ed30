//! Measure 16, awards to brands: M16-AMT, -ONCE, -VALID.

use luzhang_ledger::fact::BrandLevel::{City, County, Provincial};

use crate::{
    given::{GRANTED, given, refused},
    ledger::Ledger,
    packs::until_2029,
    steps::{award, budget, plaque},
};

fn funded() -> Ledger {
    given((2023..=2026).map(|year| budget("brand-award", year, 1_000_000_000)))
}

#[test]
fn m16_amt_only_a_provincial_brand_and_exactly_200_000_yuan() {
    let ledger = funded().and([
        plaque("CITY", City, "2024-01-01"),
        plaque("PROVINCE", Provincial, "2024-01-01"),
        plaque("COUNTY", County, "2024-01-01"),
    ]);
    for (brand, amount, expected) in [
        ("PROVINCE", 20_000_000, GRANTED),
        ("PROVINCE", 19_999_999, refused("M16_AMOUNT")),
        ("PROVINCE", 20_000_001, refused("M16_AMOUNT")),
        // A city brand has its plaque and no money, a county's award needs a
        // county pack.
        ("CITY", 20_000_000, refused("M16_AMOUNT")),
        ("CITY", 1, refused("M16_AMOUNT")),
        ("COUNTY", 20_000_000, refused("M16_AMOUNT")),
        ("COUNTY", 1, refused("M16_AMOUNT")),
    ] {
        ledger
            .when(award(brand, "2024-06-01").amount(amount))
            .then(expected);
    }
    ledger
        .when(award("COUNTY", "2024-06-01"))
        .then(refused("M16_AMOUNT"))
        .comparing("amount=20000000 expected=0");
}

#[test]
fn m16_once_once_ever() {
    let ledger = funded().and([
        plaque("B1", Provincial, "2024-01-01"),
        plaque("B2", Provincial, "2024-01-01"),
        award("B1", "2024-06-01"),
    ]);
    for (claim, expected) in [
        (award("B1", "2024-06-01"), refused("M16_ONCE")),
        (award("B1", "2026-12-16"), refused("M16_ONCE")),
        (
            award("B1", "2025-01-01").amount(1),
            refused("M16_AMOUNT M16_ONCE"),
        ),
        (award("B2", "2024-06-01"), GRANTED),
    ] {
        ledger.when(claim).then(expected);
    }
    let ledger = funded()
        .and([plaque("B1", Provincial, "2024-01-01")])
        .and_refused([award("B1", "2024-06-01").amount(1)]);
    ledger.when(award("B1", "2024-06-01")).then(GRANTED);
}

#[test]
fn m16_valid_the_plaque_is_in_force_for_three_years() {
    let lapsed = || refused("M16_EXPIRED");
    for (awarded_on, paid_on, expected) in [
        ("2024-01-15", "2024-01-14", lapsed()),
        ("2024-01-15", "2024-01-15", GRANTED),
        ("2024-01-15", "2026-12-16", GRANTED),
        // Awarded before the notice.
        ("2021-06-01", "2024-05-31", GRANTED),
        ("2021-06-01", "2024-06-01", lapsed()),
        ("2020-12-17", "2023-12-17", lapsed()),
        ("2020-12-18", "2023-12-17", GRANTED),
        // Three years from a leap day end with 28 February.
        ("2020-02-29", "2023-12-20", lapsed()),
        ("2024-02-29", "2024-02-29", GRANTED),
        ("2024-02-29", "2024-02-28", lapsed()),
    ] {
        let ledger = funded().and([plaque("B1", Provincial, awarded_on)]);
        ledger.when(award("B1", paid_on)).then(expected);
    }
}

#[test]
fn m16_valid_a_plaque_of_a_leap_day_outlives_the_notice() {
    let ledger = Ledger::empty().with_pack(&until_2029()).and([
        budget("brand-award", 2027, 100_000_000),
        plaque("LEAP", Provincial, "2024-02-29"),
        plaque("MARCH", Provincial, "2024-03-01"),
    ]);
    for (brand, paid_on, expected) in [
        ("LEAP", "2027-02-27", GRANTED),
        ("LEAP", "2027-02-28", GRANTED),
        ("LEAP", "2027-03-01", refused("M16_EXPIRED")),
        ("MARCH", "2027-02-28", GRANTED),
        ("MARCH", "2027-03-01", refused("M16_EXPIRED")),
    ] {
        ledger.when(award(brand, paid_on)).then(expected);
    }
}

#[test]
fn without_a_plaque_in_force_nothing_else_is_judged() {
    let bare = given([]);
    for (ledger, claim) in [
        // No budget, no such brand, the wrong amount, the wrong year.
        (bare.clone(), award("B1", "2024-06-01")),
        (bare.clone(), award("B1", "2024-06-01").amount(1)),
        (bare.clone(), award("B1", "2030-06-01")),
        (
            bare.clone().and([plaque("B1", City, "2020-01-01")]),
            award("B1", "2023-06-01"),
        ),
        (
            funded().and([
                plaque("B1", Provincial, "2021-06-01"),
                award("B1", "2024-05-31"),
            ]),
            award("B1", "2024-06-01").amount(1),
        ),
    ] {
        ledger.when(claim).then(refused("M16_EXPIRED"));
    }
}
