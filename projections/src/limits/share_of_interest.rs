//! The subsidy is at most a share of the interest actually paid on the part of
//! the principal within the tranche, plus another share of the rest. Tested
//! exactly, in whole numbers: nothing is rounded.

use luzhang_ledger::claim::Claim;

use super::Finding;
use crate::{
    case::Case,
    pack::{ParamIx, Table},
};

/// The parameters of the rule.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) share: ParamIx,
    pub(super) excess_share: ParamIx,
    pub(super) tranche: &'a Table,
}

pub(super) fn check(case: &Case<'_>, terms: Terms<'_>) -> Option<Finding> {
    let Claim::InterestSubsidy(claim) = case.claim else {
        return None;
    };
    let (_, loan) = case.loan?;
    let share = i128::from(case.value(terms.share, case.basis)?);
    let excess_share = i128::from(case.value(terms.excess_share, case.basis)?);
    let tranche = i128::from(case.cell(terms.tranche, case.basis)?);
    let principal = i128::from(loan.principal.fen());
    let within = principal.min(tranche);
    let rest = principal.checked_sub(within)?;
    let interest = i128::from(claim.interest.fen());
    let amount = i128::from(claim.amount.fen());
    // amount ≤ interest × (share × within + excess_share × rest)
    //          ÷ (principal × 1,000,000), multiplied out. Each factor is below
    // 2^50 or a share below 2^20, so that nothing reaches 2^127.
    let weight = share
        .checked_mul(within)?
        .checked_add(excess_share.checked_mul(rest)?)?;
    let allowed = interest.checked_mul(weight)?;
    let scale = principal.checked_mul(1_000_000)?;
    let failed = amount.checked_mul(scale)? > allowed;
    let max = allowed.checked_div(scale)?;
    case.judged(failed, || {
        Finding::default()
            .fen("amount", claim.amount.fen())
            .fen("max", i64::try_from(max).unwrap_or(i64::MAX))
            .facts([loan.position])
    })
}
