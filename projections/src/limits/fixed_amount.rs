//! The amount equals a table's cell exactly: neither more nor less.

use super::Finding;
use crate::{case::Case, pack::Table};

pub(super) fn check(case: &Case<'_>, table: &Table) -> Option<Finding> {
    let expected = case.cell(table, case.basis)?;
    let amount = case.amount().fen();
    case.judged(amount != expected, || {
        Finding::default()
            .fen("amount", amount)
            .fen("expected", expected)
    })
}
