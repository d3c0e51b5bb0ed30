//! Every claimed day lies in the pack's window `[from, until)`.

use super::Finding;
use crate::case::Case;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let window = case.pack.window;
    let outside = case.days().iter().filter(|day| !window.contains(**day));
    let outside: Vec<_> = outside.copied().collect();
    let with_window = |finding: Finding| {
        let finding = finding.date("from", window.from());
        match window.until() {
            Some(until) => finding.date("until", until),
            None => finding,
        }
    };
    if outside.is_empty() {
        return case.passed(|| with_window(case.days_judged()));
    }
    Some(with_window(Finding::default().dates("dates", outside)))
}
