//! The contract lasts at least so many years, its last day included, and the
//! worker is insured.

use luzhang_ledger::claim::Claim;

use super::{Finding, anniversary};
use crate::{case::Case, pack::ParamIx};

pub(super) fn check(case: &Case<'_>, years: ParamIx) -> Option<Finding> {
    let Claim::ServiceSubsidy(claim) = case.claim else {
        return None;
    };
    let years = case.value(years, case.basis)?;
    let earliest_last = anniversary(claim.contract_first_day, years)?
        .yesterday()
        .ok()?;
    let failed = claim.contract_last_day < earliest_last || claim.insured_from.is_none();
    case.judged(failed, || {
        let insured = match claim.insured_from {
            Some(day) => day.to_string(),
            None => "-".to_owned(),
        };
        Finding::default()
            .date("first", claim.contract_first_day)
            .date("last", claim.contract_last_day)
            .date("earliest_last", earliest_last)
            .text("insured", insured)
    })
}
