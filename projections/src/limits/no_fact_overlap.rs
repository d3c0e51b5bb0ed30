//! No claimed day lies inside a period that a fact asserts for the subject. The
//! claim may be made again without the days named.

use luzhang_ledger::Date;

use super::Finding;
use crate::{
    case::Case,
    pack::FactKind,
    state::{Extent, Grant, Span},
};

pub(super) fn check(case: &Case<'_>, fact: FactKind) -> Option<Finding> {
    let lists = match fact {
        FactKind::UnemploymentBenefit => &case.state.benefits,
        FactKind::PovertyStatus => &case.state.poverty,
        // These have no period of the subject's own.
        FactKind::Attendance | FactKind::Plaque | FactKind::Loan | FactKind::Certificate => {
            return None;
        }
    };
    let mut days: Vec<Date> = Vec::new();
    let mut facts = Vec::new();
    for span in lists.of(case.owner) {
        let before = days.len();
        days.extend(case.days().iter().filter(|day| span.contains(**day)));
        if days.len() > before {
            facts.push(span.position);
        }
    }
    days.sort_unstable();
    days.dedup();
    if days.is_empty() {
        let standing = |span: &&Span| span.standing;
        let spans = lists.of(case.owner).filter(standing);
        return case.passed(|| case.days_judged().facts(spans.map(|span| span.position)));
    }
    Some(Finding::default().dates("dates", days).facts(facts))
}

/// The judged days of a grant that lie inside a span which arrives after it.
pub(crate) fn touched(grant: &Grant, span: Span) -> Vec<Date> {
    let judged = match &grant.extent {
        Extent::Days(days) => days,
        // Of these the counting date is the one day that was judged.
        Extent::None | Extent::Period(..) => std::slice::from_ref(&grant.counted_on),
    };
    let inside = judged.iter().filter(|day| span.contains(**day));
    inside.copied().collect()
}
