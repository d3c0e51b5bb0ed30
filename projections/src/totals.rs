//! Small sums over the whole log: what was granted, what was refused, what
//! conflicts.

use std::collections::{BTreeMap, BTreeSet};

use blake3::Hasher;
use luzhang_ledger::{
    Body, Event, Position,
    calendar::to_number,
    event::{Conflict, Refusal},
    fact::BudgetYear,
};

use crate::{
    pack::Pack,
    state::{State, lists::count},
};

/// What grants are summed by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotalKey {
    /// Programme id.
    pub programme: String,
    /// Calendar year of the basis date.
    pub year: i16,
    /// Acting office.
    pub office: u32,
    /// Fund id.
    pub fund: String,
}

/// A number of grants and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// How many.
    pub grants: u64,
    /// Sum in fen.
    pub amount_fen: i64,
}

/// Committed sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By programme, year, office and fund.
    pub lines: BTreeMap<TotalKey, Total>,
}

/// Refusals by programme and code; a refusal counts under each of its codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// How many.
    pub lines: BTreeMap<(String, String), u64>,
}

/// All conflicts, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Conflicts {
    /// Where each was recorded, the fact's position, and the conflict.
    pub all: Vec<(Position, Option<Position>, Conflict)>,
}

fn programme_of<'a>(event: &Event, state: &'a State, form: luzhang_ledger::claim::Form) -> &'a str {
    let pack: Option<&Pack> = event
        .header
        .policy
        .and_then(|p| state.pack_at(p))
        .map(|p| &**p);
    pack.and_then(|pack| pack.programme(form))
        .map_or("", |programme| &programme.id)
}

impl Totals {
    pub(crate) fn apply(&mut self, event: &Event, state: &State) {
        let Body::Granted(claim) = &event.body else {
            return;
        };
        // A loan is a bank's money: it commits nothing.
        let Some(fund) = claim.fund() else {
            return;
        };
        let key = TotalKey {
            programme: programme_of(event, state, claim.form()).to_owned(),
            year: BudgetYear::of(claim.basis()).number(),
            office: event.header.office.map_or(0, luzhang_ledger::Office::code),
            fund: fund.to_string(),
        };
        let total = self.lines.entry(key).or_default();
        total.grants = total.grants.saturating_add(1);
        total.amount_fen = total.amount_fen.saturating_add(claim.amount().fen());
    }

    pub(crate) fn digest(&self, hasher: &mut Hasher) {
        for (key, total) in &self.lines {
            for text in [&key.programme, &key.fund] {
                hasher.update(&count(text.len()));
                hasher.update(text.as_bytes());
            }
            hasher.update(&key.year.to_le_bytes());
            hasher.update(&key.office.to_le_bytes());
            hasher.update(&total.grants.to_le_bytes());
            hasher.update(&total.amount_fen.to_le_bytes());
        }
    }
}

impl Refusals {
    pub(crate) fn apply(&mut self, event: &Event, state: &State) {
        let Body::Refused(Refusal { claim, failures }) = &event.body else {
            return;
        };
        let programme = programme_of(event, state, claim.form());
        let codes: BTreeSet<&str> = failures.iter().map(|failure| &*failure.code).collect();
        for code in codes {
            let key = (programme.to_owned(), code.to_owned());
            let line = self.lines.entry(key).or_default();
            *line = line.saturating_add(1);
        }
    }

    pub(crate) fn digest(&self, hasher: &mut Hasher) {
        for ((programme, code), number) in &self.lines {
            for text in [programme, code] {
                hasher.update(&count(text.len()));
                hasher.update(text.as_bytes());
            }
            hasher.update(&number.to_le_bytes());
        }
    }
}

impl Conflicts {
    pub(crate) fn apply(&mut self, event: &Event) {
        if let Body::Conflict(conflict) = &event.body {
            let header = &event.header;
            self.all
                .push((header.position, header.cause, conflict.clone()));
        }
    }

    pub(crate) fn digest(&self, hasher: &mut Hasher) {
        for (position, cause, conflict) in &self.all {
            hasher.update(&position.number().to_le_bytes());
            hasher.update(&cause.map_or(0, Position::number).to_le_bytes());
            hasher.update(&conflict.grant.number().to_le_bytes());
            for text in [&conflict.limit, &conflict.code] {
                hasher.update(&count(text.len()));
                hasher.update(text.as_bytes());
            }
            hasher.update(&count(conflict.dates.len()));
            for day in conflict.dates.days() {
                hasher.update(&to_number(*day).to_le_bytes());
            }
        }
    }
}
