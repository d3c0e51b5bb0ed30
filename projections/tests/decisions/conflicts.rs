//! Benefit periods that arrive late: always recorded, with one conflict for each
//! grant that they contradict.

use luzhang_ledger::Body;
use luzhang_projections::explain;

use crate::{
    given::{Outcome, RECORDED, conflicts, given},
    ledger::Ledger,
    steps::{
        LI, WANG, WORKS, allowance, attended, benefit, budget, course, listed, placement,
        retraction,
    },
};

/// Positions: pack 1, money 2 and 3, lists 4 and 5, courses 6 and 8 with
/// attendance 7 and 9, Li's attendance 10; then the grants: 11 (4 and 6 March),
/// 12 (7 March), 13 (28 December to 2 January), 14 (Li, 4 March).
fn granted() -> Ledger {
    given([
        budget("training-allowance", 2024, 1_000_000),
        budget("training-allowance", 2025, 1_000_000),
        listed(WANG, "2020-01-01.."),
        listed(LI, "2020-01-01.."),
        course("K1", "2024-03-04", "2024-03-08"),
        attended(WANG, "K1", "2024-03-04..2024-03-08"),
        course("T", "2025-12-28", "2026-01-05"),
        attended(WANG, "T", "2025-12-28..2026-01-05"),
        attended(LI, "K1", "2024-03-04"),
        allowance(WANG, "K1", "2024-03-04 2024-03-06"),
        allowance(WANG, "K1", "2024-03-07"),
        allowance(WANG, "T", "2025-12-28..2026-01-02"),
        allowance(LI, "K1", "2024-03-04"),
    ])
}

#[test]
fn one_conflict_for_each_grant_it_touches() {
    let ledger = granted();
    for (first, last, expected) in [
        ("2024-03-01", "2024-03-31", conflicts(&[11, 12])),
        ("2024-03-06", "2024-03-07", conflicts(&[11, 12])),
        ("2024-03-06", "2024-03-06", conflicts(&[11])),
        ("2024-03-07", "2024-12-31", conflicts(&[12])),
        ("2024-01-01", "2024-03-04", conflicts(&[11])),
        ("2020-01-01", "2030-12-31", conflicts(&[11, 12, 13])),
        ("2026-01-02", "2026-01-31", conflicts(&[13])),
        // Beside the days that were paid, and between them.
        ("2024-02-01", "2024-03-03", RECORDED),
        ("2024-03-05", "2024-03-05", RECORDED),
        ("2024-03-08", "2024-03-31", RECORDED),
        ("2026-01-03", "2026-01-31", RECORDED),
    ] {
        ledger.when(benefit(WANG, first, last)).then(expected);
    }
    ledger
        .when(benefit(LI, "2024-03-01", "2024-03-31"))
        .then(conflicts(&[14]));
}

#[test]
fn a_conflict_names_the_days_and_the_reason() {
    let ledger = granted();
    let decision = ledger
        .when(benefit(WANG, "2024-03-05", "2024-03-07"))
        .then(conflicts(&[11, 12]))
        .decision();
    let pack = &ledger.state().packs()[0].pack;
    for (conflict, day) in decision.conflicts.iter().zip(["2024-03-06", "2024-03-07"]) {
        let reason = explain::conflict(pack, conflict);
        assert_eq!(
            (&*reason.limit, &*reason.code),
            ("M04-UI", "M04_UI_OVERLAP")
        );
        let zh = format!("与失业保险金领取期间重叠：{day}；剔除后可重新申领");
        let en = format!("overlaps unemployment benefit on {day}; claim again without these days");
        assert_eq!((reason.text.zh, reason.text.en), (zh, en));
        assert_eq!(
            (reason.measure, &*reason.quote),
            (4, "且不可同时领取失业保险金")
        );
    }
}

#[test]
fn the_fact_and_its_conflicts_follow_each_other_in_one_stream() {
    let ledger = granted().and([benefit(WANG, "2024-03-01", "2024-03-31")]);
    let [fact, one, two] = &ledger.log[14..] else {
        panic!("a fact and two conflicts")
    };
    assert!(matches!(fact.body, Body::Fact(_)));
    for (conflict, revision) in [(one, 1), (two, 2)] {
        assert!(matches!(conflict.body, Body::Conflict(_)));
        assert_eq!(conflict.header.cause, Some(fact.header.position));
        assert_eq!(conflict.header.stream, fact.header.stream);
        assert_eq!(conflict.header.revision, fact.header.revision + revision);
    }
    assert_eq!(ledger.folded.conflicts.all.len(), 2);
}

#[test]
fn every_late_period_is_reported_anew() {
    let ledger = granted();
    let late = || benefit(WANG, "2024-03-07", "2024-03-07");
    let twice = ledger.and([late()]);
    twice.when(late()).then(conflicts(&[12]));
    // A retraction contradicts nothing, and does not keep the next from doing so.
    let retracted = twice.and([retraction(WANG, 15)]);
    retracted.when(late()).then(conflicts(&[12]));
}

#[test]
fn what_was_refused_contradicts_nothing() {
    let ledger = given([
        budget("training-allowance", 2024, 5_000),
        listed(WANG, "2020-01-01.."),
        course("K1", "2024-03-04", "2024-03-08"),
        attended(WANG, "K1", "2024-03-04..2024-03-08"),
    ])
    .and_refused([allowance(WANG, "K1", "2024-03-04..2024-03-08")]);
    ledger
        .when(benefit(WANG, "2024-03-01", "2024-03-31"))
        .then(RECORDED);
}

#[test]
fn other_facts_that_arrive_late_are_recorded() {
    let ledger = granted().and([
        budget("service-subsidy", 2024, 1_000_000),
        placement(WANG, WORKS, "2024-03-01", "2025-02-28"),
    ]);
    for fact in [
        // The placement has no limit on benefit periods.
        benefit(WANG, "2024-03-01", "2024-03-02"),
        listed(WANG, "2024-01-01..2024-02-01"),
        attended(WANG, "K1", "2024-03-05"),
        attended(LI, "T", "2019-01-01"),
        budget("training-allowance", 2000, 1),
    ] {
        let expected: Outcome = RECORDED;
        ledger.when(fact).then(expected);
    }
}
