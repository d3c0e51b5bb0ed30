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
    (!undefined.is_empty()).then(|| Finding::default().text("params", undefined.join(", ")))
}
