//! What is left for one subject.

use luzhang_ledger::{StreamId, SubjectId, fact::Repayment::OnTime};
use luzhang_projections::entitlement;

use crate::{
    given::given,
    ledger::Ledger,
    steps::{
        FIRM, LI, MILL, WANG, WORKS, allowance, attended, budget, course, day, listed, loan,
        placement, settled,
    },
};

/// `M04-ONCE 1/1 2024` for each counting limit of which something was used.
fn used(ledger: &Ledger, subject: SubjectId, on: &str) -> Vec<String> {
    let all = entitlement::of(ledger.state(), StreamId::from(subject), day(on));
    all.into_iter()
        .filter(|of| of.used > 0)
        .map(|of| {
            assert_eq!(of.left(), (of.allowed - of.used).max(0));
            format!("{} {}/{} {}", of.limit, of.used, of.allowed, of.period)
        })
        .collect()
}

#[test]
fn counting_limits_by_subject_and_day() {
    let ledger = given([
        budget("training-allowance", 2024, 1_000_000),
        budget("training-allowance", 2025, 1_000_000),
        budget("service-subsidy", 2024, 1_000_000),
        budget("service-subsidy", 2025, 1_000_000),
        listed(WANG, "2020-01-01.."),
        course("T", "2024-12-28", "2025-01-05"),
        attended(WANG, "T", "2024-12-28..2025-01-05"),
        allowance(WANG, "T", "2024-12-28"),
        allowance(WANG, "T", "2025-01-02"),
        placement(WANG, WORKS, "2024-03-01", "2025-02-28"),
        placement(WANG, MILL, "2025-03-01", "2026-02-28"),
        loan("L1", WANG, 1_000, "2024-03-01"),
        settled("L1", OnTime),
        loan("L2", WANG, 1_000, "2024-06-01"),
    ])
    .and_refused([loan("L3", WANG, 1_000, "2024-07-01")]);
    for (subject, on, expected) in [
        (
            WANG,
            "2024-06-01",
            &[
                "M04-ONCE 1/1 2024",
                "M15-UNIQ-YEAR 1/1 2024",
                "M22-COUNT 2/3 ever",
            ][..],
        ),
        // The course counts in the year of its first day.
        (
            WANG,
            "2025-06-01",
            &["M15-UNIQ-YEAR 1/1 2025", "M22-COUNT 2/3 ever"],
        ),
        (WANG, "2026-06-01", &["M22-COUNT 2/3 ever"]),
        (LI, "2024-06-01", &[]),
        (FIRM, "2024-06-01", &[]),
    ] {
        assert_eq!(used(&ledger, subject, on), expected, "{on}");
    }
    let limits = entitlement::of(ledger.state(), StreamId::from(LI), day("2024-06-01"));
    let names: Vec<&str> = limits.iter().map(|of| &*of.limit).collect();
    assert_eq!(
        names,
        [
            "M04-ONCE",
            "M15-UNIQ-YEAR",
            "M15-TRANS-ONCE",
            "M16-ONCE",
            "M22-COUNT",
            "M22-STARTUP",
            "M14-ONCE"
        ]
    );
    assert!(
        entitlement::of(
            Ledger::empty().state(),
            StreamId::from(LI),
            day("2024-06-01")
        )
        .is_empty()
    );
}
