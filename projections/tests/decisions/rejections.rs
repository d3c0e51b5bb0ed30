//! What cannot be decided at all: nothing is written.

use luzhang_ledger::fact::{BrandLevel::City, Repayment::OnTime};
use luzhang_projections::decide;

use crate::{
    given::{GRANTED, RECORDED, given, refused, rejected},
    ledger::{Ledger, adoption},
    packs::{changed, under},
    steps::{
        LI, MILL, Step, WANG, allowance, attended, award, base, benefit, budget, course, interest,
        listed, loan, placement, plaque, retraction, settled,
    },
};
use luzhang_ledger::claim::{RecognitionLevel::National, SkillBaseKind::MasterStudio};

#[test]
fn without_a_policy_nothing_is_decided_but_facts_are_recorded() {
    let ledger = Ledger::empty();
    let none = || rejected("NO_POLICY");
    for (step, expected) in [
        (allowance(WANG, "K1", "2024-03-04"), none()),
        (base(MasterStudio, National, 10_000_000), none()),
        (placement(WANG, MILL, "2024-03-01", "2025-02-28"), none()),
        (award("B1", "2024-03-04"), none()),
        (loan("L1", WANG, 1, "2024-03-04"), none()),
        (interest("L1", "2024-03-04..2024-04-01", 2, 1), none()),
        // Funds and programmes are the pack's.
        (budget("skill-base", 2024, 1), none()),
        (listed(WANG, "2020-01-01.."), RECORDED),
        (benefit(WANG, "2024-03-01", "2024-03-31"), RECORDED),
        (course("K1", "2024-03-04", "2024-03-08"), RECORDED),
        (plaque("B1", City, "2024-03-04"), RECORDED),
    ] {
        ledger.when(step).then(expected);
    }
}

#[test]
fn what_it_refers_to_must_be_there() {
    // Positions: pack 1, course 2, Wang's benefit 3, plaque 4, list 5.
    let ledger = given([
        course("K1", "2024-03-04", "2024-03-08"),
        benefit(WANG, "2024-03-01", "2024-03-31"),
        plaque("B1", City, "2024-01-01"),
        listed(WANG, "2020-01-01.."),
        loan("L1", WANG, 1_000, "2024-03-01"),
        loan("L2", LI, 1_000, "2024-03-01"),
        settled("L2", OnTime),
        budget("skill-base", 2024, 1),
    ])
    .and_refused([loan("L3", WANG, 30_000_001, "2024-03-01")]);
    let studio = || base(MasterStudio, National, 10_000_000);
    for (step, code, field) in [
        (studio().fund("lottery"), "UNKNOWN_FUND", "fund"),
        (
            studio().fund("Central employment fund"),
            "UNKNOWN_FUND",
            "fund",
        ),
        (
            budget("skill-base", 2024, 2).fund("lottery"),
            "UNKNOWN_FUND",
            "fund",
        ),
        (
            budget("skill-bases", 2024, 2),
            "UNKNOWN_PROGRAMME",
            "programme",
        ),
        (
            attended(WANG, "K9", "2024-03-04"),
            "UNKNOWN_COURSE",
            "course_no",
        ),
        (settled("L9", OnTime), "UNKNOWN_LOAN", "loan_no"),
        // A refused loan was never issued.
        (settled("L3", OnTime), "UNKNOWN_LOAN", "loan_no"),
        (retraction(WANG, 2), "UNKNOWN_BENEFIT", "asserted"),
        (retraction(WANG, 5), "UNKNOWN_BENEFIT", "asserted"),
        (retraction(WANG, 99), "UNKNOWN_BENEFIT", "asserted"),
        (retraction(LI, 3), "UNKNOWN_BENEFIT", "asserted"),
        (
            course("K1", "2025-03-04", "2025-03-08"),
            "COURSE_EXISTS",
            "course_no",
        ),
        (
            plaque("B1", City, "2024-01-01"),
            "PLAQUE_EXISTS",
            "brand_no",
        ),
        (
            loan("L1", WANG, 1_000, "2024-03-01"),
            "LOAN_EXISTS",
            "loan_no",
        ),
        (
            loan("L1", LI, 99_000_000, "2024-03-01"),
            "LOAN_EXISTS",
            "loan_no",
        ),
        (settled("L2", OnTime), "LOAN_SETTLED", "loan_no"),
        (
            budget("skill-base", 2024, 1),
            "APPROPRIATION_EXISTS",
            "document",
        ),
        (
            budget("brand-award", 2025, 7).document("skill-base 2024 1"),
            "APPROPRIATION_EXISTS",
            "document",
        ),
        (adoption("id = 1"), "POLICY_INVALID", "content"),
    ] {
        ledger.when(step.clone()).then(rejected(code));
        let rejection = ledger.decide(&step).unwrap_err();
        assert_eq!(rejection.field(), field, "{code}");
        assert!(!rejection.zh().is_ascii(), "{code}: {}", rejection.zh());
        assert!(!rejection.to_string().is_empty(), "{code}");
    }
}

#[test]
fn what_is_gone_is_rejected_the_second_time() {
    let ledger = given([
        benefit(WANG, "2024-03-01", "2024-03-31"),
        retraction(WANG, 2),
    ]);
    ledger
        .when(retraction(WANG, 2))
        .then(rejected("UNKNOWN_BENEFIT"));
    ledger
        .when(benefit(WANG, "2024-03-01", "2024-03-31"))
        .then(RECORDED);
}

#[test]
fn a_claim_may_name_a_course_that_is_not_registered() {
    // It is refused, with the attendance that is missing, and stays on record.
    let ledger = given([
        listed(WANG, "2020-01-01.."),
        budget("training-allowance", 2024, 5_000),
    ]);
    ledger
        .when(allowance(WANG, "K1", "2024-03-04"))
        .then(refused("M04_NO_ATTENDANCE"));
}

#[test]
fn a_pack_may_have_no_programme_for_a_form() {
    let without = changed(&[("form = \"skill_base\"\n", "")]);
    let ledger = under(&without).and([budget("skill-base", 2024, 10_000_000)]);
    let studio: Step = base(MasterStudio, National, 10_000_000);
    ledger.when(studio.clone()).then(rejected("NO_PROGRAMME"));
    let with = given([budget("skill-base", 2024, 10_000_000)]);
    with.when(studio).then(GRANTED);
}

#[test]
fn a_decision_is_pure() {
    let ledger = given([budget("skill-base", 2024, 10_000_000)]);
    let before = ledger.folded.statuses();
    for step in [
        base(MasterStudio, National, 10_000_000),
        base(MasterStudio, National, 1),
        base(MasterStudio, National, 1).fund("lottery"),
        listed(WANG, "2020-01-01.."),
    ] {
        let one = decide(ledger.state(), step.command.clone());
        let two = decide(ledger.state(), step.command);
        assert_eq!(one.as_ref().ok(), two.as_ref().ok());
        assert_eq!(one.err().map(|e| e.code()), two.err().map(|e| e.code()));
    }
    assert_eq!(ledger.folded.statuses(), before);
}
