//! Every claimed day lies in the pack's window `[from, until)`.

use super::Finding;
use crate::case::Case;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let window = case.pack.window;
    let outside = case.days().iter().filter(|day| !window.contains(**day));
    let outside: Vec<_> = outside.copied().collect();
    if outside.is_empty() {
        return None;
    }
    let finding = Finding::default()
        .dates("dates", outside)
        .date("from", window.from());
    Some(match window.until() {
        Some(until) => finding.date("until", until),
        None => finding,
    })
}
