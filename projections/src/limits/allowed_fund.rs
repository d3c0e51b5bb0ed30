//! The claim draws on one of the funds that the clause names.

use super::Finding;
use crate::case::Case;

pub(super) fn check(case: &Case<'_>, funds: &[String]) -> Option<Finding> {
    let fund = case.claim.fund()?.as_str();
    let failed = !funds.iter().any(|allowed| allowed == fund);
    case.judged(failed, || {
        Finding::default()
            .text("fund", fund)
            .text("allowed", funds.join(", "))
    })
}
