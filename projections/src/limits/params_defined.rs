//! Every parameter that the programme's limits use has exactly one value on each
//! claimed day. Outside the pack's window the window itself is the reason, and
//! this limit is silent.

use super::Finding;
use crate::case::Case;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let inside = |day: &&_| case.pack.window.contains(**day);
    let undefined: Vec<&str> = case
        .pack
        .params(case.claim)
        .filter(|param| {
            !case
                .days()
                .iter()
                .filter(inside)
                .all(|day| param.defined(*day))
        })
        .map(|param| param.id.as_str())
        .collect();
    if undefined.is_empty() {
        return case.passed(|| {
            let ids = case.pack.params(case.claim).map(|param| param.id.as_str());
            let ids: Vec<&str> = ids.collect();
            case.days_judged().text("defined", ids.join(", "))
        });
    }
    Some(Finding::default().text("params", undefined.join(", ")))
}
