//! G-WINDOW: `[2023-12-17, 2026-12-17)`.

use luzhang_ledger::{
    claim::{RecognitionLevel::National, SkillBaseKind::TrainingBase},
    fact::BrandLevel::Provincial,
};

use crate::{
    given::{GRANTED, given, refused},
    ledger::Ledger,
    steps::{
        LI, Step, WANG, WORKS, allowance, attended, award, base, budget, course, interest, listed,
        loan, placement, plaque,
    },
};

const PLENTY: i64 = 100_000_000_000;

/// Whatever a claim of any form could need, from 2023 to 2026.
fn anything() -> Ledger {
    let budgets = ["skill-base", "service-subsidy", "brand-award"]
        .into_iter()
        .chain(["interest-subsidy", "training-allowance"])
        .flat_map(|programme| (2023..=2026).map(move |year| budget(programme, year, PLENTY)));
    given(budgets).and([
        listed(WANG, "2020-01-01.."),
        plaque("B1", Provincial, "2023-12-01"),
        plaque("B2", Provincial, "2024-06-01"),
        loan("L1", LI, 20_000_000, "2023-12-17"),
        course("E", "2023-12-15", "2023-12-20"),
        attended(WANG, "E", "2023-12-15..2023-12-20"),
        course("K", "2026-12-14", "2026-12-20"),
        attended(WANG, "K", "2026-12-14..2026-12-20"),
    ])
}

#[test]
fn g_window_every_form_is_judged_by_its_basis_date() {
    let forms: [fn(&str) -> Step; 5] = [
        |on| base(TrainingBase, National, 500_000_000).recognised(on),
        |on| placement(WANG, WORKS, on, "2028-12-31"),
        |on| award(if on < "2025" { "B1" } else { "B2" }, on),
        |on| loan("L9", WANG, 30_000_000, on),
        |on| interest("L1", &format!("{on}..2027-06-30"), 1_000, 500),
    ];
    let ledger = anything();
    for claim in forms {
        for (on, expected) in [
            ("2023-12-16", refused("OUT_OF_WINDOW")),
            ("2023-12-17", GRANTED),
            ("2024-02-29", GRANTED),
            ("2026-12-16", GRANTED),
            ("2026-12-17", refused("OUT_OF_WINDOW")),
        ] {
            ledger.when(claim(on)).then(expected);
        }
    }
}

#[test]
fn g_window_a_course_across_an_end_is_judged_day_by_day() {
    let ledger = anything();
    for (course, on, expected) in [
        ("E", "2023-12-15..2023-12-18", "2023-12-15,2023-12-16"),
        ("E", "2023-12-16", "2023-12-16"),
        ("E", "2023-12-17..2023-12-20", ""),
        ("K", "2026-12-14..2026-12-16", ""),
        ("K", "2026-12-16..2026-12-18", "2026-12-17,2026-12-18"),
        ("K", "2026-12-17", "2026-12-17"),
    ] {
        ledger
            .when(allowance(WANG, course, on))
            .then_for(expected, "OUT_OF_WINDOW");
    }
    ledger
        .when(allowance(WANG, "K", "2026-12-17"))
        .then(refused("OUT_OF_WINDOW"))
        .comparing("dates=2026-12-17 from=2023-12-17 until=2026-12-17");
}

#[test]
fn outside_the_window_the_clerk_still_sees_every_other_reason() {
    let ledger = anything();
    let outside = "OUT_OF_WINDOW";
    for (claim, others) in [
        (
            allowance(WANG, "K", "2026-12-18").rate(5_001),
            "M04_DAILY_CAP",
        ),
        (
            allowance(WANG, "E", "2023-12-15").rate(5_001),
            "M04_DAILY_CAP",
        ),
        (
            base(TrainingBase, National, 1).recognised("2027-01-01"),
            "BUDGET_EXCEEDED M05_AMOUNT",
        ),
        (
            placement(WANG, WORKS, "2023-12-01", "2024-11-29").amount(1),
            "M15_AMOUNT M15_CONTRACT",
        ),
        (award("B1", "2023-12-16").amount(1), "M16_AMOUNT"),
        // The nearest value of the cap before the window, and after it the one
        // that the province set until 2028.
        (loan("L9", WANG, 30_000_001, "2023-12-16"), "M22_CAP"),
        (loan("L9", WANG, 50_000_001, "2026-12-17"), "M22_CAP"),
        (loan("L9", WANG, 50_000_001, "2030-01-01"), "M22_CAP"),
        (
            interest("L1", "2026-12-17..2027-01-01", 100, 51),
            "M22_INTEREST",
        ),
    ] {
        ledger
            .when(claim)
            .then(refused(&format!("{outside} {others}")));
    }
}
