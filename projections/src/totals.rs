//! Small sums over the whole log: what was granted, month by month, what was
//! refused, what conflicts.

use core::fmt;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use luzhang_ledger::{
    Body, Event, Position,
    calendar::to_number,
    claim::Claim,
    event::{Conflict, Refusal},
    step::{Extent, Step},
};

use crate::{
    journal::day_of,
    pack::Pack,
    snapshot::{Reader, Writer, record},
    state::{
        Line, LineKey, Moving, State,
        digest::Digester,
        lists::count,
        money::{Account, Kind, Purse},
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

/// A calendar month in Asia/Shanghai.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// The year.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
}

record!(Month { year, month });

impl Month {
    /// The month in which something was recorded, at a time in UTC microseconds.
    pub fn of(recorded_at: i64) -> Self {
        let day = day_of(recorded_at);
        Self {
            year: day.year(),
            month: day.month(),
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// What changed on one budget line in one month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Grants made, less those reversed as a whole.
    pub grants: i64,
    /// What was debited and credited in the month.
    pub accounts: Purse,
}

record!(Change { grants, accounts });

impl Change {
    /// What was granted, less what was reversed, in fen.
    pub fn committed_fen(&self) -> i64 {
        let reserved = self.accounts.balance(Account::Reserved);
        reserved.saturating_add(self.paid_fen())
    }

    /// What was paid, less what came back or is claimed back, in fen.
    pub fn paid_fen(&self) -> i64 {
        self.accounts.balance(Account::Paid)
    }

    /// Takes what another month changed too.
    pub fn add(&mut self, other: &Self) {
        self.grants = self.grants.saturating_add(other.grants);
        self.accounts.add(&other.accounts);
    }
}

/// Committed sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By budget line and by the month of the record.
    months: BTreeMap<Line, BTreeMap<Month, Change>>,
}

record!(Totals { months });

/// Refusals by programme and code; a refusal counts under each of its codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// How many.
    pub lines: BTreeMap<(String, String), u64>,
}

record!(Refusals { lines });

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

record!(Recorded {
    position,
    fact,
    conflict,
    cleared
});

pub(crate) fn programme_of<'a>(event: &Event, state: &'a State, claim: &Claim) -> &'a str {
    let pack: Option<&Pack> = event
        .header
        .policy
        .and_then(|p| state.pack_at(p))
        .map(|p| &**p);
    pack.and_then(|pack| pack.programme(claim))
        .map_or("", |programme| &programme.id)
}

impl Totals {
    pub(crate) fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        to.value("totals", self)
    }

    pub(crate) fn read(from: &Reader<'_>) -> io::Result<Self> {
        from.value("totals")
    }

    pub(crate) fn apply(&mut self, event: &Event, movement: Option<&Moving<'_>>) {
        let Some(Moving {
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
        let month = Month::of(event.header.recorded_at);
        let known: &dyn LineKey = line;
        let months = match self.months.get_mut(known) {
            Some(months) => months,
            None => self.months.entry(line.to_line()).or_default(),
        };
        let change = months.entry(month).or_default();
        change.grants = change.grants.saturating_add(grants(event));
        for transfer in transfers.iter() {
            change.accounts.take(transfer);
        }
    }

    /// What stands on each line.
    pub fn lines(&self) -> BTreeMap<&Line, Total> {
        let total = |(line, months): (_, &BTreeMap<Month, Change>)| {
            let mut sum = Change::default();
            for change in months.values() {
                sum.add(change);
            }
            let total = Total {
                grants: u64::try_from(sum.grants).unwrap_or(0),
                amount_fen: sum.committed_fen(),
                paid_fen: sum.paid_fen(),
            };
            (line, total)
        };
        self.months.iter().map(total).collect()
    }

    /// What changed on each line in each month, in the order of the lines.
    pub fn months(&self) -> impl Iterator<Item = (&Line, Month, &Change)> {
        self.months.iter().flat_map(|(line, months)| {
            let months = months.iter();
            months.map(move |(month, change)| (line, *month, change))
        })
    }

    pub(crate) fn digest(&self, hasher: &mut Digester) {
        for (line, total) in self.lines() {
            digest_line(line, hasher);
            hasher.update(&total.grants.to_le_bytes());
            hasher.update(&total.amount_fen.to_le_bytes());
            hasher.update(&total.paid_fen.to_le_bytes());
        }
    }

    pub(crate) fn digest_months(&self, hasher: &mut Digester) {
        for (line, month, change) in self.months() {
            digest_line(line, hasher);
            hasher.update(&month.year.to_le_bytes());
            hasher.update(&month.month.to_le_bytes());
            hasher.update(&change.grants.to_le_bytes());
            for fen in change.accounts.balances() {
                hasher.update(&fen.to_le_bytes());
            }
        }
    }
}

/// By how much an event changes the number of grants that stand.
pub(crate) fn grants(event: &Event) -> i64 {
    if let Body::Granted(_) = &event.body {
        1
    } else if let Body::Step(Step::Reversal(reversal)) = &event.body
        && reversal.extent == Extent::Whole
    {
        -1
    } else {
        0
    }
}

fn digest_line(line: &Line, hasher: &mut Digester) {
    for text in [&line.programme, &line.fund] {
        hasher.update(&count(text.len()));
        hasher.update(text.as_bytes());
    }
    hasher.update(&line.year.to_le_bytes());
    hasher.update(&line.office.to_le_bytes());
}

impl Refusals {
    pub(crate) fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        to.value("refusals", self)
    }

    pub(crate) fn read(from: &Reader<'_>) -> io::Result<Self> {
        from.value("refusals")
    }

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

    pub(crate) fn digest(&self, hasher: &mut Digester) {
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
    pub(crate) fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        let Self { all } = self;
        to.column("conflicts", all)
    }

    pub(crate) fn read(from: &Reader<'_>) -> io::Result<Self> {
        Ok(Self {
            all: from.column("conflicts")?,
        })
    }

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

    pub(crate) fn digest(&self, hasher: &mut Digester) {
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
