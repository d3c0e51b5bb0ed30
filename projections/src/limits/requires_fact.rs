//! A fact holds on each claimed day: a status, attendance in the claimed course,
//! a plaque in force, an issued loan.

use luzhang_ledger::{Date, claim::Claim};

use super::Finding;
use crate::{
    case::Case,
    pack::{FactKind, ParamIx},
};

pub(super) fn check(
    case: &Case<'_>,
    fact: FactKind,
    valid_years: Option<ParamIx>,
) -> Option<Finding> {
    match fact {
        FactKind::PovertyStatus => status(case),
        FactKind::Attendance => attendance(case),
        FactKind::Plaque => plaque(case, valid_years),
        FactKind::Loan => loan(case),
        FactKind::Certificate => certificate(case),
        FactKind::UnemploymentBenefit => benefit(case),
    }
}

/// The days without the fact, if there are any; where limits are traced, else
/// the days that have it.
fn covered(case: &Case<'_>, holds: impl Fn(Date) -> bool) -> Option<Finding> {
    let without: Vec<Date> = case.days().iter().copied().filter(|d| !holds(*d)).collect();
    if without.is_empty() {
        return case.passed(|| case.days_judged());
    }
    Some(Finding::default().dates("dates", without))
}

fn status(case: &Case<'_>) -> Option<Finding> {
    let spans = || case.state.poverty.of(case.owner);
    let finding = covered(case, |day| spans().any(|span| span.contains(day)))?;
    Some(finding.facts(spans().map(|span| span.position)))
}

fn benefit(case: &Case<'_>) -> Option<Finding> {
    let spans = || case.state.benefits.of(case.owner);
    let finding = covered(case, |day| spans().any(|span| span.contains(day)))?;
    // A failure names none: there may be no such fact at all.
    if finding.failed() {
        return Some(finding);
    }
    let standing = spans().filter(|span| span.standing);
    Some(finding.facts(standing.map(|span| span.position)))
}

fn attendance(case: &Case<'_>) -> Option<Finding> {
    let Claim::TrainingAllowance(claim) = case.claim else {
        return None;
    };
    let records = || {
        let (ix, _) = case.course.unzip();
        let of_course = move |record: &&crate::state::Attended| Some(record.course) == ix;
        case.state.attended.of(case.owner).filter(of_course)
    };
    let finding = covered(case, |day| {
        let in_course = case
            .course
            .is_some_and(|(_, c)| c.first_day <= day && day <= c.last_day);
        in_course && records().any(|record| record.days.binary_search(&day).is_ok())
    })?;
    let course = case.course.map(|(_, course)| course.position);
    let facts = records().map(|record| record.position).chain(course);
    Some(
        finding
            .text("number", claim.course_no.as_str())
            .facts(facts),
    )
}

fn plaque(case: &Case<'_>, valid_years: Option<ParamIx>) -> Option<Finding> {
    let Claim::BrandAward(claim) = case.claim else {
        return None;
    };
    let number = claim.brand_no.as_str();
    let Some(plaque) = case.plaque else {
        let finding = Finding::default().text("number", number);
        return Some(finding.dates("dates", vec![case.basis]));
    };
    let years = |begun: Date| valid_years.and_then(|param| case.value(param, begun));
    let in_force = |day: Date| plaque.is_in_force(day, years);
    let without: Vec<Date> = case
        .days()
        .iter()
        .copied()
        .filter(|d| !in_force(*d))
        .collect();
    let changes = plaque.changes.iter().map(|changed| changed.position);
    let facts = changes.chain([plaque.position]);
    if without.is_empty() {
        let finding = || case.days_judged().text("number", number);
        return case.passed(|| finding().facts(facts));
    }
    let finding = Finding::default().text("number", number);
    Some(finding.dates("dates", without).facts(facts))
}

fn loan(case: &Case<'_>) -> Option<Finding> {
    let Claim::InterestSubsidy(claim) = case.claim else {
        return None;
    };
    case.judged(case.loan.is_none(), || {
        Finding::default()
            .text("number", claim.loan_no.as_str())
            .facts(case.loan.map(|(_, loan)| loan.position))
    })
}

fn certificate(case: &Case<'_>) -> Option<Finding> {
    let Claim::TrainingSubsidy(claim) = case.claim else {
        return None;
    };
    let finding = || {
        Finding::default()
            .dates("dates", vec![case.basis])
            .text("number", claim.certificate_no.as_str())
    };
    match case.certificate {
        Some((_, certificate)) => case.judged(certificate.person != claim.person, || {
            finding().facts([certificate.position])
        }),
        None => Some(finding()),
    }
}

/// The same day `years` later: the first day after a term of whole years. Of
/// 29 February it is 1 March where that year has none, so that the term ends
/// with 28 February.
pub(crate) fn anniversary(day: Date, years: i64) -> Option<Date> {
    let year = i16::try_from(years).ok()?.checked_add(day.year())?;
    Date::new(year, day.month(), day.day())
        .or_else(|_| Date::new(year, 3, 1))
        .ok()
}
