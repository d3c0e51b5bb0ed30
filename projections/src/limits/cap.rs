//! The amount is at most a table's cell on the basis date.

use super::Finding;
use crate::{case::Case, pack::Table};

pub(super) fn check(case: &Case<'_>, table: &Table) -> Option<Finding> {
    let max = case.cell(table, case.basis)?;
    let amount = case.amount().fen();
    case.judged(amount > max, || {
        Finding::default().fen("amount", amount).fen("max", max)
    })
}
