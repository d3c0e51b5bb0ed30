//! The digest of the whole state: equal on every machine that folded the same
//! log. Only ordered arrays are fed in, never a map in its own order.

use blake3::Hasher;
use luzhang_ledger::{Date, Position, calendar::to_number, fact::Repayment};

use super::{Extent, Grant, Span, State, lists::count};
use crate::pack::Attribute;

impl State {
    /// Feeds everything but the budget, which is a projection of its own.
    pub(crate) fn digest_limits(&self, hasher: &mut Hasher) {
        for adopted in &self.packs {
            number(hasher, adopted.position.number());
            hasher.update(adopted.content.as_bytes());
        }
        self.streams.digest(hasher);
        for list in [&self.poverty, &self.benefits] {
            list.digest(hasher, span);
        }
        self.attended.digest(hasher, |attended, hasher| {
            hasher.update(&attended.course.to_le_bytes());
            number(hasher, attended.position);
            days(hasher, &attended.days);
        });
        self.borrowed.digest(hasher, |loan, hasher| {
            hasher.update(&loan.to_le_bytes());
        });
        for grants in &self.grants {
            grants.digest(hasher, grant);
        }
        hasher.update(&count(self.registered.len()));
        for ix in &self.registered {
            hasher.update(&ix.to_le_bytes());
            if let Some(course) = self.courses.get(ix) {
                number(hasher, course.position);
                days(hasher, &[course.first_day, course.last_day]);
            }
            if let Some(plaque) = self.plaques.get(ix) {
                number(hasher, plaque.position);
                hasher.update(&Attribute::brand_level(plaque.level).to_le_bytes());
                days(hasher, &[plaque.awarded_on]);
            }
            if let Some(loan) = self.loans.get(ix) {
                number(hasher, loan.position);
                hasher.update(loan.borrower.as_bytes());
                hasher.update(&Attribute::borrower_kind(loan.kind).to_le_bytes());
                hasher.update(&loan.principal.fen().to_le_bytes());
                days(hasher, &[loan.issued_on]);
                let settled = loan.settled.map_or(0, |(repayment, position)| {
                    position.saturating_mul(2).saturating_add(match repayment {
                        Repayment::OnTime => 0,
                        Repayment::Overdue => 1,
                    })
                });
                number(hasher, settled);
            }
        }
    }

    /// Feeds the budget, the names that its lines refer to, and the documents.
    pub(crate) fn digest_budget(&self, hasher: &mut Hasher) {
        for names in [&self.funds, &self.programmes] {
            hasher.update(&count(names.iter().count()));
            for name in names.iter() {
                text(hasher, name);
            }
        }
        hasher.update(&count(self.documents.len()));
        for document in &self.documents {
            text(hasher, document);
        }
        self.budget.digest(hasher);
    }
}

/// A digest covers its own name, version and position, so that two projections
/// never share one by accident.
pub(crate) fn named(name: &str, version: u32, position: Option<Position>) -> Hasher {
    let mut hasher = Hasher::new_derive_key("luzhang 2026 projection digest v1");
    hasher.update(&count(name.len()));
    hasher.update(name.as_bytes());
    hasher.update(&version.to_le_bytes());
    number(&mut hasher, position.map_or(0, Position::number));
    hasher
}

fn number(hasher: &mut Hasher, number: u64) {
    hasher.update(&number.to_le_bytes());
}

fn text(hasher: &mut Hasher, text: &str) {
    hasher.update(&count(text.len()));
    hasher.update(text.as_bytes());
}

fn days(hasher: &mut Hasher, days: &[Date]) {
    hasher.update(&count(days.len()));
    for day in days {
        hasher.update(&to_number(*day).to_le_bytes());
    }
}

fn span(span: &Span, hasher: &mut Hasher) {
    days(hasher, &[span.from, span.until]);
    number(hasher, span.position);
    hasher.update(&[u8::from(span.standing)]);
}

fn grant(grant: &Grant, hasher: &mut Hasher) {
    number(hasher, grant.position);
    number(hasher, grant.policy);
    hasher.update(&grant.party.to_le_bytes());
    hasher.update(&[grant.kind, grant.level]);
    days(hasher, &[grant.counted_on]);
    match &grant.extent {
        Extent::None => days(hasher, &[]),
        Extent::Days(list) => days(hasher, list),
        Extent::Period(from, until) => days(hasher, &[*from, *until]),
    }
}
