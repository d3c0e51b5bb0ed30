//! Several packs: which judges, and what stays as it was judged. Packs are the
//! built-in one with some of its text replaced.

use luzhang_ledger::{claim::RecognitionLevel::National, claim::SkillBaseKind::MasterStudio};
use luzhang_projections::pack::LUZHOU_2023;

use crate::{
    given::{GRANTED, RECORDED, conflicts, given, refused, rejected},
    ledger::{Ledger, adoption},
    steps::{
        LI, MILL, WANG, WORKS, allowance, attended, award, base, benefit, budget, course, listed,
        loan, placement,
    },
};

/// The built-in pack with each text replaced, wherever it stands.
#[track_caller]
pub(crate) fn changed(changes: &[(&str, &str)]) -> String {
    let mut text = LUZHOU_2023.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "the built-in pack has no {from:?}");
        text = text.replace(from, to);
    }
    text
}

/// A ledger with only this pack, at position 1.
#[track_caller]
pub(crate) fn under(pack: &str) -> Ledger {
    Ledger::empty().with_pack(pack)
}

const LATER: [(&str, &str); 2] = [
    ("until = 2026-12-17", "until = 2029-12-17"),
    ("until = 2028-01-01", "until = 2029-12-17"),
];

/// The built-in pack, in force three years longer.
pub(crate) fn until_2029() -> String {
    changed(&LATER)
}

/// The built-in pack for `[2026-12-17, 2029-12-17)`, with 60 yuan a day and a
/// code of its own for unemployment benefit.
fn successor() -> String {
    let [window, values] = LATER;
    changed(&[
        window,
        values,
        ("from = 2023-12-17\n", "from = 2026-12-17\n"),
        ("\"luzhou-2023\"", "\"luzhou-2026\""),
        ("v = 5000,", "v = 6000,"),
        ("M04_UI_OVERLAP", "M04_UI_AGAIN"),
    ])
}

/// The built-in pack for `[2020-12-17, 2023-12-17)`.
pub(crate) fn predecessor() -> String {
    changed(&[
        (
            "from = 2023-12-17\nuntil = 2026-12-17",
            "from = 2020-12-17\nuntil = 2023-12-17",
        ),
        ("from = 2023-12-17", "from = 2020-12-17"),
        ("\"luzhou-2023\"", "\"luzhou-2020\""),
    ])
}

/// Both packs (positions 1 and 2), and Wang in a course across the change.
fn both() -> Ledger {
    given([]).with_pack(&successor()).and([
        listed(WANG, "2020-01-01.."),
        budget("training-allowance", 2026, 1_000_000),
        budget("training-allowance", 2027, 1_000_000),
        course("K1", "2026-12-14", "2026-12-20"),
        attended(WANG, "K1", "2026-12-14..2026-12-20"),
        course("K2", "2027-03-01", "2027-03-05"),
        attended(WANG, "K2", "2027-03-01..2027-03-05"),
    ])
}

#[test]
fn the_pack_in_force_on_the_basis_date_judges() {
    let ledger = both();
    for (on, rate, expected, policy) in [
        ("2026-12-16", 5_000, GRANTED, 1),
        ("2026-12-16", 5_001, refused("M04_DAILY_CAP"), 1),
        ("2026-12-17", 5_001, GRANTED, 2),
        ("2026-12-17", 6_000, GRANTED, 2),
        ("2026-12-17", 6_001, refused("M04_DAILY_CAP"), 2),
        // A claim has one pack, that of its first day: it is split by the clerk.
        ("2026-12-16..2026-12-17", 5_000, refused("OUT_OF_WINDOW"), 1),
    ] {
        let answer = ledger.when(allowance(WANG, "K1", on).rate(rate));
        let decision = answer.then(expected).decision();
        assert_eq!(decision.policy.unwrap().number(), policy, "{on}");
    }
}

#[test]
fn between_and_beyond_the_windows_the_nearest_pack_judges() {
    // [2020-12-17, 2023-12-17) and [2026-12-17, 2029-12-17).
    let ledger = under(&predecessor()).with_pack(&successor());
    for (on, policy) in [
        ("2010-01-01", 1),
        ("2023-12-17", 1),
        // 548 days after the last day of the one, 549 before the other.
        ("2025-06-16", 1),
        ("2025-06-17", 2),
        ("2026-12-16", 2),
        ("2040-01-01", 2),
    ] {
        let answer = ledger.when(loan("L1", WANG, 1_000, on));
        let decision = answer.then(refused("OUT_OF_WINDOW")).decision();
        assert_eq!(decision.policy.unwrap().number(), policy, "{on}");
    }
}

#[test]
fn a_window_counts_in_whatever_order_packs_are_adopted() {
    let ledger = under(&successor()).with_pack(LUZHOU_2023);
    for (on, policy) in [("2026-12-16", 2), ("2026-12-17", 1)] {
        let answer = ledger.when(loan("L1", WANG, 1_000, on));
        let decision = answer.then(GRANTED).decision();
        assert_eq!(decision.policy.unwrap().number(), policy, "{on}");
    }
}

#[test]
fn of_two_packs_for_one_day_the_later_adopted_judges() {
    let stricter = changed(&[("v = 5000,", "v = 4000,")]);
    let ledger = given([
        listed(WANG, "2020-01-01.."),
        budget("training-allowance", 2024, 1_000_000),
        course("K1", "2024-03-04", "2024-03-08"),
        attended(WANG, "K1", "2024-03-04..2024-03-08"),
        allowance(WANG, "K1", "2024-03-04"),
    ])
    .with_pack(&stricter);
    for (rate, expected) in [(4_000, GRANTED), (4_001, refused("M04_DAILY_CAP"))] {
        ledger
            .when(allowance(WANG, "K1", "2024-03-05").rate(rate))
            .then(expected);
    }
    // What was granted before stands and counts.
    ledger
        .when(allowance(WANG, "K1", "2024-03-04").rate(4_000))
        .then(refused("M04_DAY_DUP"));
    assert_eq!(
        ledger
            .folded
            .totals
            .lines()
            .into_values()
            .map(|t| t.amount_fen)
            .sum::<i64>(),
        5_000
    );
}

#[test]
fn history_counts_across_packs() {
    let ledger = both().and([allowance(WANG, "K1", "2026-12-17")]);
    ledger
        .when(allowance(WANG, "K1", "2026-12-16"))
        .then(GRANTED);
    ledger
        .when(allowance(WANG, "K1", "2026-12-17"))
        .then(refused("M04_DAY_DUP"));
    let ledger = both().and([
        allowance(WANG, "K1", "2026-12-16"),
        course("K3", "2026-12-21", "2026-12-22"),
        attended(WANG, "K3", "2026-12-21"),
    ]);
    ledger
        .when(allowance(WANG, "K3", "2026-12-21"))
        .then(refused("M04_ONCE_YEAR"));
    ledger
        .when(allowance(WANG, "K2", "2027-03-01"))
        .then(GRANTED);
}

#[test]
fn a_grant_stands_under_the_pack_that_allowed_it() {
    let ledger = both().and([
        allowance(WANG, "K1", "2026-12-16"),
        allowance(WANG, "K1", "2026-12-17"),
    ]);
    let answer = ledger.when(benefit(WANG, "2026-12-01", "2026-12-31"));
    let decision = answer.then(conflicts(&[10, 11])).decision();
    let codes: Vec<&str> = decision.conflicts.iter().map(|c| &*c.code).collect();
    assert_eq!(codes, ["M04_UI_OVERLAP", "M04_UI_AGAIN"]);

    // A pack without the limit: its grants contradict nothing.
    let lenient = changed(&[(
        "fact = \"unemployment_benefit\"",
        "fact = \"poverty_status\"",
    )]);
    let lenient = lenient.replace("kind = \"no_fact_overlap\"", "kind = \"requires_fact\"");
    let ledger = under(&lenient).and([
        listed(WANG, "2020-01-01.."),
        budget("training-allowance", 2024, 1_000_000),
        course("K1", "2024-03-04", "2024-03-08"),
        attended(WANG, "K1", "2024-03-04..2024-03-08"),
        allowance(WANG, "K1", "2024-03-04"),
    ]);
    ledger
        .when(benefit(WANG, "2024-03-01", "2024-03-31"))
        .then(RECORDED);
}

#[test]
fn a_budget_year_uses_the_pack_of_its_last_day() {
    let renamed = successor().replace("employment-city", "employment-town");
    let ledger = given([]).with_pack(&renamed);
    for (year, fund, expected) in [
        (2025, "employment-city", RECORDED),
        (2025, "employment-town", rejected("UNKNOWN_FUND")),
        (2026, "employment-town", RECORDED),
        (2026, "employment-city", rejected("UNKNOWN_FUND")),
        (2027, "employment-town", RECORDED),
    ] {
        ledger
            .when(budget("skill-base", year, 1).fund(fund))
            .then(expected);
    }
}

#[test]
fn a_count_has_the_value_of_its_counting_date() {
    // Two courses a year from 2025 on; a course counts by its first day.
    let one = "values = [{ from = 2023-12-17, until = 2026-12-17, v = 1, cite = \"本通知第四条：每年只享受一次\" }]";
    let two = "values = [{ from = 2023-12-17, until = 2025-01-01, v = 1, cite = \"a\" }, \
               { from = 2025-01-01, until = 2026-12-17, v = 2, cite = \"b\" }]";
    let ledger = under(&changed(&[(one, two)])).and([
        listed(WANG, "2020-01-01.."),
        budget("training-allowance", 2024, 1_000_000),
        budget("training-allowance", 2025, 1_000_000),
        course("OLD", "2024-03-04", "2024-03-08"),
        attended(WANG, "OLD", "2024-03-04"),
        course("TURN", "2024-12-28", "2025-01-05"),
        attended(WANG, "TURN", "2025-01-02"),
        course("N1", "2025-03-03", "2025-03-07"),
        attended(WANG, "N1", "2025-03-03"),
        course("N2", "2025-04-01", "2025-04-02"),
        attended(WANG, "N2", "2025-04-01"),
        course("N3", "2025-05-06", "2025-05-07"),
        attended(WANG, "N3", "2025-05-06"),
        allowance(WANG, "OLD", "2024-03-04"),
        allowance(WANG, "N1", "2025-03-03"),
    ]);
    ledger
        .when(allowance(WANG, "TURN", "2025-01-02"))
        .then(refused("M04_ONCE_YEAR"))
        .comparing("count=1 max=1 period=2024");
    ledger
        .when(allowance(WANG, "N2", "2025-04-01"))
        .then(GRANTED);
    let ledger = ledger.and([allowance(WANG, "N2", "2025-04-01")]);
    ledger
        .when(allowance(WANG, "N3", "2025-05-06"))
        .then(refused("M04_ONCE_YEAR"))
        .comparing("count=2 max=2 period=2025");
}

#[test]
fn a_daily_cap_has_the_value_of_each_day() {
    // 60 yuan a day from 2025 on: a claim across the change stays within both.
    let fifty = "from = 2023-12-17, until = 2026-12-17, v = 5000, cite";
    let sixty = "from = 2023-12-17, until = 2025-01-01, v = 5000, cite = \"a\" }, \
                 { from = 2025-01-01, until = 2026-12-17, v = 6000, cite";
    let ledger = under(&changed(&[(fifty, sixty)])).and([
        listed(WANG, "2020-01-01.."),
        budget("training-allowance", 2024, 1_000_000),
        budget("training-allowance", 2025, 1_000_000),
        course("T", "2024-12-28", "2025-01-05"),
        attended(WANG, "T", "2024-12-28..2025-01-05"),
    ]);
    for (on, rate, expected) in [
        ("2024-12-31", 5_001, "M04_DAILY_CAP"),
        ("2025-01-01", 6_000, ""),
        ("2025-01-01", 6_001, "M04_DAILY_CAP"),
        ("2024-12-31..2025-01-02", 5_000, ""),
        ("2024-12-31..2025-01-02", 5_001, "M04_DAILY_CAP"),
    ] {
        ledger
            .when(allowance(WANG, "T", on).rate(rate))
            .then(expected);
    }
}

#[test]
fn limits_are_reported_in_the_order_of_the_pack() {
    let amount = "[[limit]]\nid = \"M15-AMT\"";
    let term = "[[limit]]\nid = \"M15-COND\"";
    let eligible = "[[limit]]\nid = \"M15-ELIG\"";
    let text = LUZHOU_2023;
    let [a, b, c] = [amount, term, eligible].map(|limit| text.find(limit).unwrap());
    let swapped = [&text[..a], &text[b..c], &text[a..b], &text[c..]].concat();
    let claim = || placement(WANG, WORKS, "2024-03-01", "2024-06-30").amount(1);
    let line = || budget("service-subsidy", 2024, 1_000);
    given([line()])
        .when(claim())
        .then(refused("M15_AMOUNT M15_CONTRACT M15_NOT_ELIGIBLE"));
    under(&swapped)
        .and([line()])
        .when(claim())
        .then(refused("M15_CONTRACT M15_AMOUNT M15_NOT_ELIGIBLE"));
}

#[test]
fn a_value_is_data() {
    // Other counts and amounts than the notice's, none of them known to code.
    let text = changed(&[
        (
            "v = 3, cite = \"本通知第二十二条：累计次数",
            "v = 1, cite = \"本通知第二十二条：累计次数",
        ),
        ("v = 30000,", "v = 50000,"),
        ("v = 10000000,", "v = 12000000,"),
        (
            "v = 1, cite = \"本通知第十五条：1年以上",
            "v = 2, cite = \"本通知第十五条：1年以上",
        ),
    ]);
    let ledger = under(&text).and([
        listed(WANG, "2020-01-01.."),
        budget("skill-base", 2024, 100_000_000),
        budget("service-subsidy", 2024, 100_000_000),
    ]);
    let placed = |last| placement(WANG, MILL, "2024-02-29", last).amount(50_000);
    for (claim, expected) in [
        (base(MasterStudio, National, 12_000_000), GRANTED),
        (
            base(MasterStudio, National, 10_000_000),
            refused("M05_AMOUNT"),
        ),
        (placed("2026-02-28"), GRANTED),
        (placed("2026-02-27"), refused("M15_CONTRACT")),
        (award("NONE", "2024-03-01"), refused("M16_EXPIRED")),
    ] {
        ledger.when(claim).then(expected);
    }
    let borrowed = ledger.and([loan("L1", LI, 1_000, "2024-03-01")]);
    borrowed
        .when(loan("L2", LI, 1_000, "2024-03-01"))
        .then(refused("M22_COUNT M22_REPEAT"));
}

#[test]
fn an_unsound_pack_is_not_adopted() {
    let hole = changed(&[(
        "from = 2024-01-01, until = 2025-04-01",
        "from = 2024-01-02, until = 2025-04-01",
    )]);
    for text in ["", "[pack]", "not toml", &hole] {
        Ledger::new()
            .when(adoption(text))
            .then(rejected("POLICY_INVALID"));
    }
    Ledger::empty().when(adoption(LUZHOU_2023)).then(RECORDED);
}
