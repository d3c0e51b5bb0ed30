//! The claim's rate for one unit (a day of training) is at most the cap of each
//! day. There is no averaging: the rate itself is judged.

use luzhang_ledger::claim::Claim;

use super::Finding;
use crate::{case::Case, pack::ParamIx};

pub(super) fn check(case: &Case<'_>, max: ParamIx) -> Option<Finding> {
    let Claim::TrainingAllowance(claim) = case.claim else {
        return None;
    };
    let rate = claim.daily.fen();
    let caps = case.days().iter().filter_map(|day| case.value(max, *day));
    let lowest = caps.min()?;
    case.judged(rate > lowest, || {
        Finding::default().fen("rate", rate).fen("max", lowest)
    })
}
