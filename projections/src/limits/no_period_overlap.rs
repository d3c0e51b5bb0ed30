//! The claimed half-open period shares no day with one that was granted for the
//! same loan.

use luzhang_ledger::{Date, claim::Claim};

use super::Finding;
use crate::{case::Case, state::Extent};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let Claim::InterestSubsidy(claim) = case.claim else {
        return None;
    };
    case.loan?;
    let (from, until) = (
        claim.period.from(),
        claim.period.until().unwrap_or(Date::MAX),
    );
    let mut shared: Option<(Date, Date)> = None;
    let mut grants = Vec::new();
    for grant in case.grants() {
        if let Extent::Period(granted_from, granted_until) = grant.extent
            && granted_from < until
            && from < granted_until
        {
            grants.push(grant.position);
            shared.get_or_insert((granted_from, granted_until));
        }
    }
    let Some((granted_from, granted_until)) = shared else {
        let earlier = case.state.grants(case.form(), case.owner);
        return case.passed(|| {
            Finding::default()
                .date("claimed_from", from)
                .date("claimed_until", until)
                .facts(earlier.map(|grant| grant.position))
        });
    };
    let finding = Finding::default()
        .date("from", granted_from)
        .date("until", granted_until)
        .facts(grants);
    Some(finding)
}
