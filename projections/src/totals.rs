//! Small sums over the whole log: what was granted, what was refused, what
//! conflicts.

use std::collections::{BTreeMap, BTreeSet};

use blake3::Hasher;
use luzhang_ledger::{
    Body, Event, Position,
    calendar::to_number,
    claim::Claim,
    event::{Conflict, Refusal},
    step::{Extent, Step},
};

use crate::{
    pack::Pack,
    state::{
        Line, Movement, State,
        lists::count,
        money::{Account, Kind, Transfer},
    },
};

/// What stands on one budget line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// How many grants stand; those reversed as a whole do not.
    pub grants: u64,
    /// What stands of them, in fen: granted, less what was reversed.
    pub amount_fen: i64,
    /// What of that is paid, in fen.
    pub paid_fen: i64,
}

/// Committed sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By budget line.
    pub lines: BTreeMap<Line, Total>,
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
    /// In the order of their events.
    pub all: Vec<Recorded>,
}

/// A conflict, and what became of it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Where it was recorded.
    pub position: Position,
    /// The fact that raised it.
    pub fact: Option<Position>,
    /// The conflict.
    pub conflict: Conflict,
    /// Where it was cleared.
    pub cleared: Option<Position>,
}

fn programme_of<'a>(event: &Event, state: &'a State, claim: &Claim) -> &'a str {
    let pack: Option<&Pack> = event
        .header
        .policy
        .and_then(|p| state.pack_at(p))
        .map(|p| &**p);
    pack.and_then(|pack| pack.programme(claim))
        .map_or("", |programme| &programme.id)
}

impl Totals {
    pub(crate) fn apply(&mut self, event: &Event, movement: Option<Movement>) {
        let Some(Movement {
            line, transfers, ..
        }) = movement
        else {
            return;
        };
        // An appropriation grants nothing: a line appears with its first grant.
        if transfers
            .iter()
            .all(|t| matches!(t.kind, Kind::Appropriate | Kind::Withdraw))
        {
            return;
        }
        let total = self.lines.entry(line).or_default();
        if let Body::Granted(_) = &event.body {
            total.grants = total.grants.saturating_add(1);
        } else if let Body::Step(Step::Reversal(reversal)) = &event.body
            && reversal.extent == Extent::Whole
        {
            total.grants = total.grants.saturating_sub(1);
        }
        for posting in transfers.into_iter().flat_map(Transfer::postings) {
            let paid = posting.account == Account::Paid;
            if paid || posting.account == Account::Reserved {
                total.amount_fen = total.amount_fen.saturating_add(posting.fen);
            }
            if paid {
                total.paid_fen = total.paid_fen.saturating_add(posting.fen);
            }
        }
    }

    pub(crate) fn digest(&self, hasher: &mut Hasher) {
        for (line, total) in &self.lines {
            for text in [&line.programme, &line.fund] {
                hasher.update(&count(text.len()));
                hasher.update(text.as_bytes());
            }
            hasher.update(&line.year.to_le_bytes());
            hasher.update(&line.office.to_le_bytes());
            hasher.update(&total.grants.to_le_bytes());
            hasher.update(&total.amount_fen.to_le_bytes());
            hasher.update(&total.paid_fen.to_le_bytes());
        }
    }
}

impl Refusals {
    pub(crate) fn apply(&mut self, event: &Event, state: &State) {
        let Body::Refused(Refusal { claim, failures }) = &event.body else {
            return;
        };
        let programme = programme_of(event, state, claim);
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
        let header = &event.header;
        if let Body::Conflict(conflict) = &event.body {
            self.all.push(Recorded {
                position: header.position,
                fact: header.cause,
                conflict: conflict.clone(),
                cleared: None,
            });
        } else if let Body::ConflictCleared(cleared) = &event.body {
            let place = self
                .all
                .binary_search_by_key(cleared, |known| known.position);
            if let Some(known) = place.ok().and_then(|place| self.all.get_mut(place)) {
                known.cleared = Some(header.position);
            }
        }
    }

    /// Those that were not cleared.
    pub fn open(&self) -> impl Iterator<Item = &Recorded> {
        self.all.iter().filter(|known| known.cleared.is_none())
    }

    pub(crate) fn digest(&self, hasher: &mut Hasher) {
        for known in &self.all {
            hasher.update(&known.position.number().to_le_bytes());
            hasher.update(&known.fact.map_or(0, Position::number).to_le_bytes());
            hasher.update(&known.cleared.map_or(0, Position::number).to_le_bytes());
            let conflict = &known.conflict;
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
