//! No claimed day was granted to the subject before, in whatever course.

use super::Finding;
use crate::case::Case;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let mut days = Vec::new();
    let mut grants = Vec::new();
    for grant in case.grants() {
        let before = days.len();
        let granted = |day: &&_| grant.days().binary_search(day).is_ok();
        days.extend(case.days().iter().filter(granted).copied());
        if days.len() > before {
            grants.push(grant.position);
        }
    }
    days.sort_unstable();
    days.dedup();
    if days.is_empty() {
        let earlier = case.state.grants(case.form(), case.owner);
        return case.passed(|| {
            case.days_judged()
                .facts(earlier.map(|grant| grant.position))
        });
    }
    Some(Finding::default().dates("dates", days).facts(grants))
}
