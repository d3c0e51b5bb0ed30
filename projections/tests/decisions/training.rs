//! Measure 4, living and transport allowance: M04-CAP, -DAY, -ONCE, -UI, -ELIG,
//! -ATT.

use crate::{
    given::{GRANTED, given, refused},
    ledger::Ledger,
    steps::{LI, Step, WANG, allowance, attended, benefit, budget, course, listed, retraction},
};

/// Money for every year.
fn funded() -> Ledger {
    given((2023..=2026).map(|year| budget("training-allowance", year, 100_000_000)))
}

/// Wang, on the list, was every day in each of these courses.
fn trained(courses: &[(&str, &str, &str)]) -> Ledger {
    let ledger = funded().and([listed(WANG, "2020-01-01..")]);
    ledger.and(courses.iter().flat_map(|(number, first, last)| {
        [
            course(number, first, last),
            attended(WANG, number, &format!("{first}..{last}")),
        ]
    }))
}

const MARCH: (&str, &str, &str) = ("K1", "2024-02-27", "2024-03-08");
const TURN: (&str, &str, &str) = ("T", "2024-12-28", "2025-01-05");

#[test]
fn m04_cap_cap_judges_the_rate_of_a_day_without_averaging() {
    let ledger = trained(&[MARCH]);
    for (rate, on, expected) in [
        (1, "2024-03-04", GRANTED),
        (4_999, "2024-03-04", GRANTED),
        (5_000, "2024-03-04", GRANTED),
        (5_001, "2024-03-04", refused("M04_DAILY_CAP")),
        (5_000, "2024-03-04..2024-03-08", GRANTED),
        (5_001, "2024-03-04..2024-03-08", refused("M04_DAILY_CAP")),
        (
            80_000_000_000,
            "2024-03-04",
            refused("BUDGET_EXCEEDED M04_DAILY_CAP"),
        ),
    ] {
        ledger
            .when(allowance(WANG, "K1", on).rate(rate))
            .then(expected);
    }
}

#[test]
fn m04_day_no_day_is_paid_twice() {
    let ledger = trained(&[
        MARCH,
        ("K2", "2024-03-06", "2024-03-12"),
        TURN,
        ("N", "2025-01-02", "2025-01-10"),
    ]);
    let leap_day = [allowance(WANG, "K1", "2024-02-29")];
    let some = [allowance(WANG, "K1", "2024-03-05 2024-03-07")];
    let turn = [allowance(WANG, "T", "2024-12-28..2025-01-05")];
    let parts = [
        allowance(WANG, "K1", "2024-03-04"),
        allowance(WANG, "K1", "2024-03-06"),
    ];
    for (before, claim, expected, dates) in [
        // 29 February is a day like any other.
        (&leap_day[..], ("K1", "2024-02-28"), "", ""),
        (&leap_day, ("K1", "2024-03-01"), "", ""),
        (
            &leap_day,
            ("K1", "2024-02-28..2024-03-01"),
            "M04_DAY_DUP",
            "2024-02-29",
        ),
        // Only the days in common are named.
        (
            &some,
            ("K1", "2024-03-04..2024-03-07"),
            "M04_DAY_DUP",
            "2024-03-05,2024-03-07",
        ),
        (&some, ("K1", "2024-03-04 2024-03-06 2024-03-08"), "", ""),
        (
            &parts,
            ("K1", "2024-03-04..2024-03-06"),
            "M04_DAY_DUP",
            "2024-03-04,2024-03-06",
        ),
        // An overlapping course of the same year, and one of the next.
        (
            &some,
            ("K2", "2024-03-06..2024-03-07"),
            "M04_DAY_DUP M04_ONCE_YEAR",
            "2024-03-07",
        ),
        (
            &turn,
            ("N", "2025-01-04..2025-01-07"),
            "M04_DAY_DUP",
            "2025-01-04,2025-01-05",
        ),
        (&turn, ("N", "2025-01-06..2025-01-07"), "", ""),
    ] {
        let ledger = ledger.clone().and(before.iter().cloned());
        ledger
            .when(allowance(WANG, claim.0, claim.1))
            .then_for(dates, expected);
    }
}

#[test]
fn another_person_on_the_same_day_is_another_matter() {
    let ledger = trained(&[MARCH]).and([
        listed(LI, "2020-01-01.."),
        attended(LI, "K1", "2024-03-04"),
        allowance(WANG, "K1", "2024-03-04"),
    ]);
    ledger.when(allowance(LI, "K1", "2024-03-04")).then(GRANTED);
}

#[test]
fn m04_once_one_course_for_each_calendar_year_of_the_first_day() {
    let ledger = trained(&[
        ("OLD", "2023-12-18", "2023-12-22"),
        MARCH,
        ("K2", "2024-05-06", "2024-05-10"),
        TURN,
        ("N", "2025-01-06", "2025-01-10"),
        ("N2", "2025-12-31", "2026-01-02"),
        ("P", "2026-01-01", "2026-01-03"),
    ]);
    for (before, claim, expected) in [
        (
            vec![("K1", "2024-03-04")],
            ("K2", "2024-05-06"),
            "M04_ONCE_YEAR",
        ),
        // 12-28 to 01-05 belongs to the old year, whichever days are paid.
        (
            vec![("K1", "2024-03-04")],
            ("T", "2025-01-02"),
            "M04_ONCE_YEAR",
        ),
        (
            vec![("T", "2025-01-02")],
            ("K2", "2024-05-06"),
            "M04_ONCE_YEAR",
        ),
        (
            vec![("T", "2024-12-28..2025-01-05")],
            ("N", "2025-01-06"),
            "",
        ),
        (vec![("T", "2025-01-02")], ("N", "2025-01-06"), ""),
        // The last day of a year is not the first of the next.
        (
            vec![("N", "2025-01-06")],
            ("N2", "2026-01-01"),
            "M04_ONCE_YEAR",
        ),
        (vec![("N2", "2025-12-31")], ("P", "2026-01-03"), ""),
        (vec![("OLD", "2023-12-18")], ("K1", "2024-03-04"), ""),
        // Claiming the older course later changes nothing.
        (vec![("N", "2025-01-06")], ("K1", "2024-03-04"), ""),
        (
            vec![("N", "2025-01-06"), ("K1", "2024-03-04")],
            ("T", "2024-12-28"),
            "M04_ONCE_YEAR",
        ),
        // A further claim for the same course is a supplement.
        (
            vec![("K1", "2024-03-04")],
            ("K1", "2024-03-05..2024-03-08"),
            "",
        ),
        (
            vec![("K1", "2024-03-04"), ("K1", "2024-03-05")],
            ("K1", "2024-03-06"),
            "",
        ),
        (
            vec![("T", "2024-12-28"), ("N", "2025-01-06")],
            ("T", "2025-01-02"),
            "",
        ),
        (
            vec![("K1", "2024-03-04"), ("K1", "2024-03-05")],
            ("K2", "2024-05-06"),
            "M04_ONCE_YEAR",
        ),
    ] {
        let held = before
            .iter()
            .map(|(course, on)| allowance(WANG, course, on));
        let ledger = ledger.clone().and(held);
        ledger
            .when(allowance(WANG, claim.0, claim.1))
            .then(expected);
    }
}

#[test]
fn a_refused_course_uses_no_year() {
    let ledger = trained(&[MARCH, ("K2", "2024-05-06", "2024-05-10")]).and_refused([allowance(
        WANG,
        "K1",
        "2024-03-04",
    )
    .rate(5_001)]);
    ledger
        .when(allowance(WANG, "K2", "2024-05-06"))
        .then(GRANTED);
    ledger
        .when(allowance(WANG, "K1", "2024-03-04"))
        .then(GRANTED);
}

#[test]
fn m04_ui_no_allowance_on_a_day_of_unemployment_benefit() {
    let ledger = trained(&[MARCH, TURN]);
    let one = |first, last| vec![benefit(WANG, first, last)];
    for (before, on, dates) in [
        // Both ends of a period count; the days beside it are free.
        (
            one("2024-03-05", "2024-03-06"),
            "2024-03-04..2024-03-07",
            "2024-03-05,2024-03-06",
        ),
        (one("2024-03-05", "2024-03-06"), "2024-03-04 2024-03-07", ""),
        (one("2024-03-05", "2024-03-05"), "2024-03-05", "2024-03-05"),
        (one("2024-03-05", "2024-03-05"), "2024-03-04 2024-03-06", ""),
        // A source by months is whole months.
        (
            one("2024-02-01", "2024-02-29"),
            "2024-02-29..2024-03-01",
            "2024-02-29",
        ),
        (one("2024-02-01", "2024-02-29"), "2024-03-01", ""),
        (
            one("2024-03-01", "2024-03-31"),
            "2024-02-28..2024-03-01",
            "2024-03-01",
        ),
        (one("2024-03-01", "2024-03-31"), "2024-02-29", ""),
        // Two periods, overlapping ones, and those of somebody else.
        (
            vec![
                benefit(WANG, "2024-03-04", "2024-03-04"),
                benefit(WANG, "2024-03-06", "2024-03-06"),
            ],
            "2024-03-04..2024-03-06",
            "2024-03-04,2024-03-06",
        ),
        (
            vec![
                benefit(WANG, "2024-03-01", "2024-03-05"),
                benefit(WANG, "2024-03-04", "2024-03-10"),
            ],
            "2024-03-04..2024-03-05",
            "2024-03-04,2024-03-05",
        ),
        (
            vec![benefit(LI, "2024-03-01", "2024-03-31")],
            "2024-03-04",
            "",
        ),
    ] {
        let ledger = ledger.clone().and(before);
        ledger
            .when(allowance(WANG, "K1", on))
            .then_for(dates, "M04_UI_OVERLAP");
    }
}

#[test]
fn a_claim_without_the_days_of_benefit_passes() {
    let ledger = trained(&[MARCH])
        .and([benefit(WANG, "2024-03-06", "2024-03-31")])
        .and_refused([allowance(WANG, "K1", "2024-03-04..2024-03-08")]);
    let again = allowance(WANG, "K1", "2024-03-04..2024-03-05");
    ledger.when(again).then(GRANTED);
}

#[test]
fn a_retracted_period_no_longer_counts() {
    let claim = || allowance(WANG, "K1", "2024-03-04..2024-03-05");
    let ledger = trained(&[MARCH]);
    let next = ledger.log.len() as u64 + 1;
    let two = ledger.and([
        benefit(WANG, "2024-03-01", "2024-03-04"),
        benefit(WANG, "2024-03-05", "2024-03-31"),
    ]);
    two.when(claim())
        .then(refused("M04_UI_OVERLAP"))
        .comparing("dates=2024-03-04,2024-03-05");
    let one = two.and([retraction(WANG, next)]);
    one.when(claim())
        .then(refused("M04_UI_OVERLAP"))
        .comparing("dates=2024-03-05");
    let none = one.and([retraction(WANG, next + 1)]);
    none.when(claim()).then(GRANTED);
    let again = none.and([benefit(WANG, "2024-03-05", "2024-03-05")]);
    again.when(claim()).then(refused("M04_UI_OVERLAP"));
}

#[test]
fn m04_elig_the_status_holds_on_every_day() {
    let ledger = funded().and([
        course("T", "2025-12-29", "2026-01-04"),
        attended(WANG, "T", "2025-12-29..2026-01-04"),
    ]);
    let on = "2025-12-29..2026-01-03";
    for (lists, missing) in [
        (
            vec![],
            "2025-12-29,2025-12-30,2025-12-31,2026-01-01,2026-01-02,2026-01-03",
        ),
        (vec![listed(WANG, "2020-01-01..")], ""),
        (
            vec![listed(LI, "2020-01-01.."), listed(WANG, "2025-12-29..")],
            "",
        ),
        // The window is half-open.
        (vec![listed(WANG, "2025-12-29..2026-01-04")], ""),
        (vec![listed(WANG, "2025-12-29..2026-01-03")], "2026-01-03"),
        (vec![listed(WANG, "2025-12-30..2026-01-04")], "2025-12-29"),
        // The list of the transition ends, a new one begins on 2026-01-01.
        (
            vec![
                listed(WANG, "2021-01-01..2026-01-01"),
                listed(WANG, "2026-01-01..2027-01-01"),
            ],
            "",
        ),
        (
            vec![
                listed(WANG, "2021-01-01..2025-12-31"),
                listed(WANG, "2026-01-01..2027-01-01"),
            ],
            "2025-12-31",
        ),
        (
            vec![listed(WANG, "2021-01-01..2026-01-01")],
            "2026-01-01,2026-01-02,2026-01-03",
        ),
        // Lists that overlap, the newer one first.
        (
            vec![
                listed(WANG, "2025-12-31..2027-01-01"),
                listed(WANG, "2021-01-01..2026-01-02"),
            ],
            "",
        ),
    ] {
        let ledger = ledger.clone().and(lists);
        ledger
            .when(allowance(WANG, "T", on))
            .then_for(missing, "M04_NOT_ELIGIBLE");
    }
}

#[test]
fn m04_att_every_day_was_attended_in_the_claimed_course() {
    let ledger = funded().and([
        listed(WANG, "2020-01-01.."),
        course("K1", "2024-03-04", "2024-03-08"),
        course("K2", "2024-03-04", "2024-03-08"),
    ]);
    let here = |on| attended(WANG, "K1", on);
    for (records, number, on, missing) in [
        (vec![], "K1", "2024-03-04", "2024-03-04"),
        (
            vec![here("2024-03-04..2024-03-08")],
            "K1",
            "2024-03-04..2024-03-08",
            "",
        ),
        (
            vec![here("2024-03-04 2024-03-06")],
            "K1",
            "2024-03-04..2024-03-06",
            "2024-03-05",
        ),
        // Records add up, in whatever order they arrive.
        (
            vec![here("2024-03-06"), here("2024-03-04..2024-03-05")],
            "K1",
            "2024-03-04..2024-03-06",
            "",
        ),
        (
            vec![here("2024-03-04"), here("2024-03-04")],
            "K1",
            "2024-03-04",
            "",
        ),
        // In another course, or by another person.
        (vec![here("2024-03-04")], "K2", "2024-03-04", "2024-03-04"),
        (
            vec![attended(LI, "K1", "2024-03-04")],
            "K1",
            "2024-03-04",
            "2024-03-04",
        ),
        // A day outside the course is no day of the course.
        (
            vec![here("2024-03-01..2024-03-11")],
            "K1",
            "2024-03-03..2024-03-09",
            "2024-03-03,2024-03-09",
        ),
        // A course that was never registered has no attendance at all.
        (vec![here("2024-03-04")], "NONE", "2024-03-04", "2024-03-04"),
    ] {
        let ledger = ledger.clone().and(records);
        ledger
            .when(allowance(WANG, number, on))
            .then_for(missing, "M04_NO_ATTENDANCE");
    }
}

#[test]
fn a_course_across_the_year_is_paid_on_either_side() {
    let ledger = trained(&[TURN]);
    let whole: Step = allowance(WANG, "T", "2024-12-28..2025-01-05");
    ledger.when(whole).then(GRANTED);
}
