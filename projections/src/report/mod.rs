//! Reports: what a bureau publishes, a mayor reads and an auditor computes again.
//!
//! A [`Report`] is a fold of the log like every projection, and hands out its
//! rows in order: registers while the log goes by, sums at the end. It holds the
//! books, some dozen bytes a grant, and never its rows. The same log and the same
//! [`Query`] give the same rows on every machine; a [`Cover`] says which they
//! were.

mod cell;
mod columns;
mod names;
mod query;
mod register;
mod shown;
mod tables;
mod words;

use std::{collections::BTreeMap, ops::ControlFlow};

use luzhang_ledger::{Body, Date, Event, Hash, LedgerId, Position, SubjectId};

pub use self::{
    cell::{Cell, Column, Kind, Named},
    query::{AsOf, Name, Problem, Query},
    shown::{Shown, masked},
};
use self::{names::Names, tables::Sums};
use crate::{
    journal::day_of,
    pack::PublicField,
    projection::{Projections, Status},
    registers::Known,
    state::{Line, Movement},
};

/// Takes a row, and may have had enough.
pub type Sink<'a> = dyn FnMut(Vec<Cell>) -> ControlFlow<()> + 'a;

/// What a report was made of: enough to make it again.
#[derive(Clone, Debug)]
pub struct Cover {
    /// What was asked.
    pub query: Query,
    /// Which ledger.
    pub ledger: Option<LedgerId>,
    /// The last event that it knows.
    pub position: Option<Position>,
    /// When that was recorded, UTC microseconds.
    pub recorded_at: i64,
    /// The chain's head after it.
    pub head: Option<Hash>,
    /// The projections that it rests on.
    pub projections: Vec<Status>,
    /// Adopted policy packs, by BLAKE3 of their texts.
    pub packs: Vec<(String, Hash)>,
    /// How many rows.
    pub rows: u64,
    /// The sum of each column that has one.
    pub totals: Vec<Cell>,
}

/// A report being made.
#[derive(Clone, Debug)]
pub struct Report {
    query: Query,
    books: Projections,
    names: Names,
    notes: Notes,
    sums: Sums,
    ledger: Option<LedgerId>,
    head: Option<Hash>,
    rows: u64,
    totals: Vec<i64>,
}

/// What the books do not keep of each grant, because decisions do not ask: its
/// number, and who is paid.
#[derive(Clone, Debug, Default)]
struct Notes {
    /// All numbers, one after another.
    numbers: String,
    /// By the grant's place in the order of all grants: where its number ends.
    ends: Vec<u32>,
    payees: Vec<SubjectId>,
    /// First days of notices.
    notices: BTreeMap<String, Date>,
    /// Days on which conflicts and recoveries were recorded.
    days: BTreeMap<u64, Date>,
}

impl Notes {
    fn number(&self, case: u32) -> &str {
        let Ok(place) = usize::try_from(case) else {
            return "";
        };
        let end = |place: usize| {
            let end = self.ends.get(place).copied().unwrap_or(0);
            usize::try_from(end).unwrap_or(0)
        };
        let start = place.checked_sub(1).map_or(0, end);
        self.numbers.get(start..end(place)).unwrap_or("")
    }

    fn payee(&self, case: u32) -> Option<SubjectId> {
        self.payees.get(usize::try_from(case).ok()?).copied()
    }
}

impl Report {
    /// Begins with an empty log.
    pub fn new(query: Query) -> Self {
        let columns = columns::of(query.report);
        Self {
            books: Projections::of_books(),
            names: Names::default(),
            notes: Notes::default(),
            sums: Sums::default(),
            ledger: None,
            head: None,
            rows: 0,
            totals: vec![0; columns.len()],
            query,
        }
    }

    /// What is asked.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Takes the next event and its hash, and hands out the rows that are known
    /// by then. Breaks at the end of what was asked for, or when `out` does.
    pub fn take(&mut self, event: &Event, hash: Hash, out: &mut Sink<'_>) -> ControlFlow<()> {
        let header = &event.header;
        let later = match self.query.as_of {
            Some(AsOf::Position(position)) => header.position > position,
            Some(AsOf::Day(day)) => day_of(header.recorded_at) > day,
            None => false,
        };
        if later {
            return ControlFlow::Break(());
        }
        if let Body::LedgerCreated { ledger, .. } = &event.body {
            self.ledger = Some(*ledger);
        }
        let movement = self.books.state.movement(event);
        self.note(event, movement.as_ref());
        self.tally(event, movement.as_ref());
        let row = self.row(event, hash, movement.as_ref());
        self.books.apply_moved(event, movement.as_ref());
        self.head = Some(hash);
        if let Body::PolicyPackAdopted { .. } = &event.body {
            self.names.learn(self.books.state.packs());
        }
        if let Some(row) = row {
            self.hand(row, out)?;
        }
        ControlFlow::Continue(())
    }

    /// Whose names its remaining rows show. Whoever has the keys opens them.
    pub fn subjects(&self) -> Vec<SubjectId> {
        let mut subjects = self.named_subjects();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    /// Hands out the rest of the rows. `shown` says what may be shown of the
    /// subjects whose details could be opened.
    ///
    /// # Errors
    /// What was asked for is not in the log.
    pub fn finish(
        &mut self,
        shown: &BTreeMap<SubjectId, Shown>,
        out: &mut Sink<'_>,
    ) -> Result<ControlFlow<()>, Problem> {
        self.check()?;
        let (mut totals, mut count) = (std::mem::take(&mut self.totals), self.rows);
        let ended = self.rest(shown, &mut |row| {
            count = count.saturating_add(1);
            add(&mut totals, &row);
            out(self.chosen(row))
        });
        (self.totals, self.rows) = (totals, count);
        Ok(ended)
    }

    /// What the report was made of, once it is finished.
    pub fn cover(&self) -> Cover {
        let projections = self.query.report.rests_on().iter();
        Cover {
            query: self.query.clone(),
            ledger: self.ledger,
            position: self.books.state.position(),
            recorded_at: self.books.state.recorded_at(),
            head: self.head,
            projections: projections.map(|name| self.books.status(*name)).collect(),
            packs: self
                .books
                .state
                .packs()
                .iter()
                .map(|adopted| (adopted.pack.id.to_string(), adopted.content))
                .collect(),
            rows: self.rows,
            totals: self.totals(),
        }
    }

    /// Its columns; those of a publicity list are the policy pack's choice, once
    /// the log has gone by.
    pub fn columns(&self) -> Vec<Column> {
        let all = columns::of(self.query.report);
        all.iter().filter(|c| self.has_column(c)).copied().collect()
    }

    fn has_column(&self, column: &Column) -> bool {
        if self.query.report != Name::Publicity {
            return true;
        }
        let packs = self.books.state.packs().iter().rev();
        let mut packs = packs.filter(|adopted| adopted.pack.scope.is_none());
        let fields = packs.next().map(|adopted| &*adopted.pack.public_fields);
        let fields = fields.unwrap_or(PublicField::USUAL);
        match column.id {
            "claim_no" => fields.contains(&PublicField::ClaimNo),
            "name" => fields.contains(&PublicField::Name),
            "programme" => fields.contains(&PublicField::Programme),
            "fund" => fields.contains(&PublicField::Fund),
            "amount_fen" => fields.contains(&PublicField::Amount),
            "office" => fields.contains(&PublicField::Office),
            "identity" => self.query.identity,
            "account" => self.query.account,
            _ => true,
        }
    }

    fn hand(&mut self, row: Vec<Cell>, out: &mut Sink<'_>) -> ControlFlow<()> {
        add(&mut self.totals, &row);
        self.rows = self.rows.saturating_add(1);
        out(row)
    }

    /// The cells of the columns that are shown.
    fn chosen(&self, row: Vec<Cell>) -> Vec<Cell> {
        if self.query.report != Name::Publicity {
            return row;
        }
        let cells = row.into_iter().zip(columns::of(self.query.report));
        let kept = cells.filter(|(_, column)| self.has_column(column));
        kept.map(|(cell, _)| cell).collect()
    }

    fn totals(&self) -> Vec<Cell> {
        let all = columns::of(self.query.report);
        let sum = |id: &str| {
            let place = all.iter().position(|column| column.id == id);
            let sum = place.and_then(|place| self.totals.get(place));
            sum.copied().unwrap_or(0)
        };
        let cells = all
            .iter()
            .filter(|c| self.has_column(c))
            .map(|column| match column.kind {
                Kind::Fen => Cell::Fen(sum(column.id)),
                Kind::Count => Cell::Count(sum(column.id)),
                Kind::Rate { of, per } => Cell::rate(sum(of), sum(per)),
                Kind::Text
                | Kind::Name
                | Kind::Number
                | Kind::Date
                | Kind::Hash
                | Kind::Subject => Cell::Empty,
            });
        cells.collect()
    }

    /// Remembers what the books do not.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of the others the books keep all"
    )]
    fn note(&mut self, event: &Event, movement: Option<&Movement>) {
        use luzhang_ledger::{claim::Claim, step::Step};
        let header = &event.header;
        let number = header.position.number();
        match &event.body {
            // A loan is no case: nothing is paid for it.
            Body::Granted(claim) if movement.is_some() => {
                let payee = if let Claim::BrandAward(claim) = claim {
                    let plaque = self.books.plaques.of(claim.brand_no.as_str());
                    plaque.map(Known::applicant)
                } else if let Claim::InterestSubsidy(claim) = claim {
                    let lent = self.books.loans.of(claim.loan_no.as_str());
                    lent.map(|lent| lent.borrower)
                } else {
                    claim.payee()
                };
                let asked = self.query.subject;
                if asked.is_some() && (payee == asked || asked == Some(header.stream.subject())) {
                    self.sums.own.insert(number);
                }
                self.notes.numbers.push_str(claim.number());
                let end = u32::try_from(self.notes.numbers.len()).unwrap_or(u32::MAX);
                self.notes.ends.push(end);
                let none = SubjectId::from_bytes([0; 16]);
                self.notes.payees.push(payee.unwrap_or(none));
            }
            Body::Conflict(_) | Body::Step(Step::RecoveryOpening(_)) => {
                let day = day_of(header.recorded_at);
                self.notes.days.insert(number, day);
            }
            Body::Step(Step::Notice(notice)) => {
                let number = notice.notice_no.to_string();
                self.notes.notices.insert(number, notice.first_day);
            }
            _ => {}
        }
    }

    /// Whether the query asks for this budget line.
    fn has_line(&self, line: &Line) -> bool {
        let Query {
            office,
            programme,
            fund,
            ..
        } = &self.query;
        let office = office.is_none_or(|office| office.code() == line.office);
        let of = |asked: &Option<String>, id: &str, name: &Named| {
            let same = |asked: &String| *asked == id || *asked == name.zh;
            asked.as_ref().is_none_or(same)
        };
        office
            && of(
                programme,
                &line.programme,
                &self.names.programme(&line.programme),
            )
            && of(fund, &line.fund, &self.names.fund(&line.fund))
    }

    fn check(&self) -> Result<(), Problem> {
        if let Some(AsOf::Position(position)) = self.query.as_of
            && self.books.state.position() < Some(position)
        {
            return Err(Problem::Beyond(position));
        }
        if let Some(asked) = &self.query.programme
            && !self.names.knows_programme(asked)
        {
            return Err(Problem::Programme {
                asked: asked.clone(),
                known: self.names.programmes(),
            });
        }
        if let Some(asked) = &self.query.fund
            && !self.names.knows_fund(asked)
        {
            return Err(Problem::Fund {
                asked: asked.clone(),
                known: self.names.funds(),
            });
        }
        if let Some(number) = &self.query.notice
            && self.books.state.notice(number).is_none()
        {
            return Err(Problem::Notice(number.clone()));
        }
        let Query { from, to, .. } = self.query;
        if self.query.report == Name::Statement
            && self.rows == 0
            && (from, to, self.query.office) == (None, None, None)
        {
            return Err(Problem::Subject);
        }
        Ok(())
    }
}

fn add(totals: &mut [i64], row: &[Cell]) {
    for (sum, cell) in totals.iter_mut().zip(row) {
        *sum = sum.saturating_add(cell.fen_or_count());
    }
}
