//! At most a share of what was spent more than in the year before; nothing where
//! not more was spent. Tested exactly, in whole numbers: nothing is rounded.

use luzhang_ledger::claim::Claim;

use super::Finding;
use crate::{case::Case, pack::ParamIx};

pub(super) fn check(case: &Case<'_>, share: ParamIx) -> Option<Finding> {
    let Claim::Subsidy(claim) = case.claim else {
        return None;
    };
    let share = i128::from(case.value(share, case.basis)?);
    let (previous, current) = claim
        .spending
        .map_or((0, 0), |s| (s.previous.fen(), s.current.fen()));
    let increment = i128::from(current.saturating_sub(previous).max(0));
    let amount = i128::from(claim.amount.fen());
    // amount <= increment x share / 1,000,000, multiplied out: factors below
    // 2^50 and 2^20.
    let allowed = increment.checked_mul(share)?;
    let failed = amount.checked_mul(1_000_000)? > allowed;
    let max = allowed.checked_div(1_000_000)?;
    case.judged(failed, || {
        Finding::default()
            .fen("amount", claim.amount.fen())
            .fen("max", i64::try_from(max).unwrap_or(i64::MAX))
            .fen("previous", previous)
            .fen("current", current)
    })
}
