//! Measure 5, skill bases and studios: M05-AMT, -ONCE, -FUND.

use luzhang_ledger::claim::{
    RecognitionLevel::{National, Provincial},
    SkillBaseKind::{MasterStudio, TrainingBase},
};

use crate::{
    given::{GRANTED, given, refused},
    ledger::Ledger,
    steps::{FIRM, SCHOOL, base, budget},
};

fn funded() -> Ledger {
    let funds = [
        "employment-central",
        "employment-provincial",
        "employment-city",
    ];
    given(funds.into_iter().flat_map(|fund| {
        (2024..=2026).map(move |year| {
            budget("skill-base", year, 10_000_000_000)
                .fund(fund)
                .document(&format!("{fund} {year}"))
        })
    }))
}

#[test]
fn m05_amt_the_amount_is_the_tables_exactly() {
    let ledger = funded();
    for (kind, level, due) in [
        (MasterStudio, National, 10_000_000),
        (MasterStudio, Provincial, 30_000_000),
        (TrainingBase, National, 500_000_000),
        (TrainingBase, Provincial, 300_000_000),
    ] {
        for (amount, expected) in [
            (due, GRANTED),
            (due - 1, refused("M05_AMOUNT")),
            (due + 1, refused("M05_AMOUNT")),
            (1, refused("M05_AMOUNT")),
        ] {
            ledger.when(base(kind, level, amount)).then(expected);
        }
    }
    // The amount of another cell is wrong too.
    ledger
        .when(base(MasterStudio, National, 30_000_000))
        .then(refused("M05_AMOUNT"))
        .comparing("amount=30000000 expected=10000000");
}

#[test]
fn m05_once_once_for_each_entity_kind_and_level() {
    let ledger = funded().and([base(MasterStudio, Provincial, 30_000_000)]);
    for (claim, expected) in [
        (
            base(MasterStudio, Provincial, 30_000_000),
            refused("M05_ONCE"),
        ),
        // Recognised again years later, after a revocation perhaps: still once.
        (
            base(MasterStudio, Provincial, 30_000_000).recognised("2026-12-16"),
            refused("M05_ONCE"),
        ),
        (
            base(MasterStudio, Provincial, 30_000_000).fund("employment-central"),
            refused("M05_ONCE"),
        ),
        (
            base(MasterStudio, Provincial, 1),
            refused("M05_AMOUNT M05_ONCE"),
        ),
        // Promoted to another level, or recognised as something else.
        (base(MasterStudio, National, 10_000_000), GRANTED),
        (base(TrainingBase, Provincial, 300_000_000), GRANTED),
        // Somebody else.
        (base(MasterStudio, Provincial, 30_000_000).of(FIRM), GRANTED),
    ] {
        ledger.when(claim).then(expected);
    }
    let promoted = ledger.and([base(MasterStudio, National, 10_000_000)]);
    for level in [National, Provincial] {
        let amount = if level == National {
            10_000_000
        } else {
            30_000_000
        };
        promoted
            .when(base(MasterStudio, level, amount).of(SCHOOL))
            .then(refused("M05_ONCE"));
    }
}

#[test]
fn a_refused_recognition_does_not_count() {
    let ledger = funded().and_refused([base(MasterStudio, National, 10_000_001)]);
    ledger
        .when(base(MasterStudio, National, 10_000_000))
        .then(GRANTED);
}

#[test]
fn m05_fund_only_central_and_provincial_money() {
    let rows = [
        ("employment-central", GRANTED),
        ("employment-provincial", GRANTED),
        ("employment-city", refused("M05_FUND")),
        ("skills-action", refused("M05_FUND")),
        ("rural-revitalisation", refused("M05_FUND")),
        ("startup-loan-interest", refused("M05_FUND")),
        ("county", refused("M05_FUND")),
        ("省级就业创业补助资金", GRANTED),
        ("县级财政资金", refused("M05_FUND")),
    ];
    let funds = rows.iter().map(|(fund, _)| {
        budget("skill-base", 2024, 500_000_000)
            .fund(fund)
            .document(fund)
    });
    let ledger = given(funds);
    for (fund, expected) in rows {
        ledger
            .when(base(TrainingBase, National, 500_000_000).fund(fund))
            .then(expected);
    }
}
