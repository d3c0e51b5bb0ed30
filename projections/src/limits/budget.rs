//! What is committed on the budget line (fund, programme, office, calendar year
//! of the basis date) plus the claim stays within what was appropriated. Without
//! an appropriation the line is zero.

use luzhang_ledger::{Position, fact::BudgetYear};

use super::Finding;
use crate::{case::Case, state::Balance};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let fund = case.claim.fund()?;
    let programme = case.pack.programme(case.claim)?;
    let year = BudgetYear::of(case.basis);
    let key = case
        .state
        .budget_key(fund.as_str(), &programme.id, case.office, year);
    let balance = key.map_or(Balance::default(), |key| case.state.budget.balance(key));
    let amount = case.amount().fen();
    let left = balance.left().saturating_add(case.amount_before());
    case.judged(amount > left, || {
        let sources = key
            .into_iter()
            .flat_map(|key| case.state.budget.sources(key))
            .map(Position::number);
        Finding::default()
            .fen("amount", amount)
            .fen("committed", balance.committed())
            .fen("appropriated", balance.appropriated())
            .fen("left", left)
            .text("year", year.number().to_string())
            .text("fund", fund.as_str())
            .facts(sources)
    })
}
