//! Digests: the same log gives the same, another log another.

use std::collections::BTreeSet;

use luzhang_ledger::{
    Body, Event,
    claim::{RecognitionLevel, SkillBaseKind},
    event::{Party, PartyKind},
    fact::{BrandLevel, Repayment},
};
use luzhang_projections::{
    pack::LUZHOU_2023,
    projection::{Name, Projections, Status},
};

use crate::{
    ledger::{Ledger, adoption},
    packs::changed,
    steps::{
        FIRM, LI, MILL, Step, WANG, WORKS, allowance, attended, award, base, benefit, budget,
        course, interest, listed, loan, placement, plaque, retraction, settled, subject,
    },
};

/// At least one event of every kind that a decision makes.
pub(crate) fn everything() -> Ledger {
    const PLENTY: i64 = 100_000_000_000;
    let mut ledger = Ledger::new();
    for step in [
        budget("training-allowance", 2024, PLENTY),
        budget("skill-base", 2024, PLENTY),
        budget("service-subsidy", 2024, PLENTY),
        budget("brand-award", 2024, PLENTY),
        budget("interest-subsidy", 2024, PLENTY),
        listed(WANG, "2020-01-01.."),
        benefit(WANG, "2024-05-01", "2024-05-31"),
        retraction(WANG, 8),
        course("K1", "2024-03-04", "2024-03-08"),
        attended(WANG, "K1", "2024-03-04..2024-03-08"),
        allowance(WANG, "K1", "2024-03-04..2024-03-06"),
        allowance(WANG, "K1", "2024-03-04").rate(5_001),
        base(
            SkillBaseKind::MasterStudio,
            RecognitionLevel::National,
            10_000_000,
        ),
        placement(WANG, WORKS, "2024-03-01", "2025-02-28"),
        plaque("B1", BrandLevel::Provincial, "2024-01-01"),
        award("B1", "2024-06-01"),
        loan("L1", LI, 30_000_000, "2024-03-01"),
        settled("L1", Repayment::OnTime),
        loan("L2", LI, 30_000_000, "2024-06-01"),
        interest("L1", "2024-03-01..2024-06-01", 1_000, 500),
        benefit(WANG, "2024-03-05", "2024-03-06"),
        benefit(LI, "2024-07-01", "2024-07-31"),
        benefit(LI, "2024-08-01", "2024-08-31"),
    ] {
        ledger.submit(&step).unwrap();
    }
    ledger
}

fn fold<'a>(log: impl IntoIterator<Item = &'a Event>) -> Projections {
    let mut folded = Projections::default();
    for event in log {
        folded.apply(event);
    }
    folded
}

/// The projections whose digests differ.
fn differing(one: &[Status], two: &[Status]) -> BTreeSet<Name> {
    let pairs = one.iter().zip(two);
    let different = pairs.filter(|(one, two)| one.digest != two.digest);
    different.map(|(one, _)| one.name).collect()
}

#[test]
fn the_same_log_gives_the_same_digests() {
    let ledger = everything();
    let statuses = ledger.folded.statuses();
    assert_eq!(fold(&ledger.log).statuses(), statuses);

    // However often it was copied and asked on the way, and whatever a copy went
    // through: a copy's maps have another capacity and history.
    let mut folded = Projections::default();
    for event in &ledger.log {
        let mut copy = folded.clone();
        for other in &ledger.log {
            copy.apply(other);
        }
        assert_ne!(copy.statuses(), folded.statuses());
        folded = folded.clone();
        folded.apply(event);
    }
    assert_eq!(folded.statuses(), statuses);
}

#[test]
fn every_event_changes_every_digest() {
    // A digest covers the position, so that none is that of an earlier head.
    let ledger = everything();
    let mut folded = Projections::default();
    let mut seen = BTreeSet::new();
    for event in &ledger.log {
        folded.apply(event);
        for status in folded.statuses() {
            assert_eq!(status.position, Some(event.header.position));
            assert!(seen.insert(*status.digest.as_bytes()), "{status:?}");
        }
    }
    assert_eq!(seen.len(), ledger.log.len() * Name::ALL.len());
}

/// Each row: two steps of which one follows the same history, and the projections
/// whose digests then differ.
#[track_caller]
fn check(rows: &[(Step, Step, &[Name])]) {
    let before = everything();
    for (one, two, expected) in rows {
        let statuses = |step: &Step| {
            let mut ledger = before.clone();
            ledger.submit(step).unwrap();
            ledger.folded.statuses()
        };
        let concerned: BTreeSet<Name> = expected.iter().copied().collect();
        let differing = differing(&statuses(one), &statuses(two));
        assert_eq!(differing, concerned, "{one:?}\n{two:?}");
    }
}

#[test]
fn another_fact_changes_what_decisions_rest_on() {
    use Name::{Cases, Conflicts, Limits, Loans, Plaques};
    let stricter = changed(&[("v = 5000,", "v = 4999,")]);
    let renamed = changed(&[("Skills action account", "Skills account")]);
    let of = |person, from| listed(person, from);
    let drew = |first, last| benefit(LI, first, last);
    let taught = |number, last| course(number, "2024-03-04", last);
    let brand = |level, on| plaque("B2", level, on);
    check(&[
        (adoption(LUZHOU_2023), adoption(&stricter), &[Limits]),
        (adoption(LUZHOU_2023), adoption(&renamed), &[Limits]),
        (of(LI, "2024-01-01.."), of(LI, "2024-01-02.."), &[Limits]),
        (
            of(LI, "2024-01-01.."),
            of(LI, "2024-01-01..2030-01-01"),
            &[Limits],
        ),
        (of(LI, "2024-01-01.."), of(FIRM, "2024-01-01.."), &[Limits]),
        (
            drew("2024-01-01", "2024-01-31"),
            drew("2024-01-01", "2024-01-30"),
            &[Limits],
        ),
        (
            drew("2024-01-01", "2024-01-31"),
            of(LI, "2024-01-01..2024-02-01"),
            &[Limits],
        ),
        (
            taught("K2", "2024-03-08"),
            taught("K2", "2024-03-09"),
            &[Limits],
        ),
        (
            taught("K2", "2024-03-08"),
            taught("K3", "2024-03-08"),
            &[Limits],
        ),
        (
            attended(LI, "K1", "2024-03-04"),
            attended(LI, "K1", "2024-03-05"),
            &[Limits],
        ),
        (
            brand(BrandLevel::City, "2024-01-01"),
            brand(BrandLevel::County, "2024-01-01"),
            &[Limits, Plaques],
        ),
        (
            brand(BrandLevel::City, "2024-01-01"),
            brand(BrandLevel::City, "2024-01-02"),
            &[Limits, Plaques],
        ),
        (
            settled("L2", Repayment::OnTime),
            settled("L2", Repayment::Overdue),
            &[Limits, Loans],
        ),
        (retraction(LI, 24), retraction(LI, 25), &[Limits]),
        (
            benefit(WANG, "2024-03-05", "2024-03-05"),
            benefit(WANG, "2024-03-06", "2024-03-06"),
            &[Limits, Conflicts, Cases],
        ),
    ]);
}

#[test]
fn another_appropriation_changes_the_budget() {
    use Name::{Budget, Limits};
    // Of 2025 there is no line yet.
    let line = || budget("skill-base", 2025, 1).document("D");
    check(&[
        (
            line(),
            budget("skill-base", 2025, 2).document("D"),
            &[Budget],
        ),
        (
            line(),
            budget("skill-base", 2026, 1).document("D"),
            &[Budget],
        ),
        (
            line(),
            budget("brand-award", 2025, 1).document("D"),
            &[Budget],
        ),
        (
            line(),
            budget("skill-base", 2024, 1).document("D"),
            &[Budget],
        ),
        (line().at(510_521), line().at(510_522), &[Budget]),
        // The same document cannot come again.
        (line(), line().document("E"), &[Budget]),
        // A fund has a stream of its own.
        (line(), line().fund("county"), &[Limits, Budget]),
    ]);
}

#[test]
fn another_claim_changes_limits_and_sums() {
    use Name::{Budget, Cases, Limits, Loans, Months, Refusals, Totals};
    let studio =
        |entity, level, amount| base(SkillBaseKind::MasterStudio, level, amount).of(entity);
    let (national, provincial) = (RecognitionLevel::National, RecognitionLevel::Provincial);
    let again = |employer| placement(WANG, employer, "2024-03-01", "2025-02-28");
    let borrowed = |principal| loan("L9", WANG, principal, "2024-03-01");
    let paid = |period, amount| interest("L1", period, 100, amount);
    check(&[
        (
            studio(FIRM, national, 10_000_000),
            studio(FIRM, provincial, 30_000_000),
            &[Limits, Budget, Totals, Cases, Months],
        ),
        (
            studio(FIRM, national, 10_000_000),
            studio(LI, national, 10_000_000),
            &[Limits],
        ),
        (
            studio(FIRM, national, 10_000_000),
            studio(FIRM, national, 10_000_000).recognised("2024-05-11"),
            &[Limits],
        ),
        (
            allowance(WANG, "K1", "2024-03-07"),
            allowance(WANG, "K1", "2024-03-08"),
            &[Limits],
        ),
        (
            allowance(WANG, "K1", "2024-03-07").rate(2),
            allowance(WANG, "K1", "2024-03-07").rate(1),
            &[Budget, Totals, Cases, Months],
        ),
        (again(MILL), again(MILL).amount(1), &[Refusals]),
        // A refusal counts once under each of its codes, M15_DUP here.
        (again(MILL), again(WORKS), &[]),
        // A loan is no money of the office.
        (borrowed(1_000), borrowed(1_001), &[Limits, Loans]),
        (borrowed(1_000), borrowed(1_000).of_firm(), &[Limits, Loans]),
        (
            paid("2024-07-01..2024-08-01", 50),
            paid("2024-07-01..2024-08-01", 49),
            &[Budget, Totals, Cases, Months, Loans],
        ),
        (
            paid("2024-07-01..2024-08-01", 50),
            paid("2024-07-01..2024-08-02", 50),
            &[Limits],
        ),
    ]);
}

#[test]
fn who_a_subject_is_belongs_to_the_limits() {
    let person = |kind, digest: u8| {
        let mut ledger = Ledger::new();
        let party = Party {
            kind,
            subject: subject(9),
            sealed: Box::new([]),
            digest: [digest; 8],
        };
        let event = Event {
            header: ledger.header(subject(9).into()),
            body: Body::PartyRegistered(party),
        };
        ledger.fold(event);
        ledger
    };
    let one = person(PartyKind::Person, 1);
    assert_eq!(
        one.state().party(subject(9)),
        Some((PartyKind::Person, [1; 8]))
    );
    assert_eq!(one.state().party(subject(8)), None);
    for (other, expected) in [
        (person(PartyKind::Person, 1), vec![]),
        (person(PartyKind::Person, 2), vec![Name::Limits]),
        (person(PartyKind::Organisation, 1), vec![Name::Limits]),
        (person(PartyKind::Brand, 1), vec![Name::Limits]),
    ] {
        let differing = differing(&one.folded.statuses(), &other.folded.statuses());
        assert_eq!(Vec::from_iter(differing), expected);
    }
}

#[test]
fn projections_are_named_and_versioned() {
    for name in Name::ALL {
        assert_eq!(Name::parse(name.as_str()), Some(name));
        assert!(name.version() >= 1);
    }
    assert_eq!(Name::parse("LIMITS"), None);
    let nothing = Projections::default().statuses();
    let digests: BTreeSet<[u8; 32]> = nothing.iter().map(|s| *s.digest.as_bytes()).collect();
    assert_eq!(digests.len(), Name::ALL.len());
}
