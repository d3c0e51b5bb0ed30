//! Every loan of the borrower that was recorded earlier is settled, and none was
//! overdue. The dates of issue and settlement are not compared with each other.

use luzhang_ledger::{claim::Claim, fact::Repayment};

use super::Finding;
use crate::case::Case;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let Claim::Loan(_) = case.claim else {
        return None;
    };
    let (mut open, mut overdue, mut facts) = (0_i64, 0_i64, Vec::new());
    let mut settled_in_time = Vec::new();
    for ix in case.state.borrowed.of(case.owner) {
        let Some(loan) = case.state.loan_by(*ix) else {
            continue;
        };
        match loan.settled {
            None => {
                open = open.saturating_add(1);
                facts.push(loan.position);
            }
            Some((Repayment::Overdue, settled)) => {
                overdue = overdue.saturating_add(1);
                facts.extend([loan.position, settled]);
            }
            Some((Repayment::OnTime, settled)) => settled_in_time.push([loan.position, settled]),
        }
    }
    let failed = open > 0 || overdue > 0;
    if !failed {
        facts = settled_in_time.concat();
    }
    case.judged(failed, || {
        Finding::default()
            .count("open", open)
            .count("overdue", overdue)
            .facts(facts)
    })
}
