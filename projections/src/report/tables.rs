//! Rows that are known at the end only: sums, and lists of what stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use luzhang_ledger::{Body, Date, Event, Position, SubjectId};

use super::{Cell, Name, Named, Report, Shown, Sink, words};
use crate::{
    journal::day_of,
    registers::Standing,
    state::{
        Line, Movement,
        cases::{CaseIx, Notice, PaymentStage, standing},
        money::{Account, Kind as Transferred},
    },
    totals::{Change, Month, grants, programme_of},
};

/// What is summed while the log goes by, of what the query asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// Of the execution table.
    lines: BTreeMap<Line, Change>,
    /// Of the pivot, by month, office and programme.
    months: BTreeMap<(Month, u32, String), Change>,
    /// Of refusals, by programme, office and code.
    refusals: BTreeMap<(String, u32, String), Refused>,
    /// Measures of the limits whose codes refused.
    measures: BTreeMap<String, u32>,
    /// Of a statement, the subject's grants.
    pub(super) own: BTreeSet<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Refused {
    times: i64,
    first: i64,
    claimed_fen: i64,
}

impl Report {
    /// Sums what the next event changes, before it is applied.
    pub(super) fn tally(&mut self, event: &Event, movement: Option<&Movement>) {
        let day = day_of(event.header.recorded_at);
        if !self.query.has_day(day) {
            return;
        }
        match (self.query.report, movement) {
            (Name::Execution, Some(movement)) if self.has_line(&movement.line) => {
                let change = self.sums.lines.entry(movement.line.clone()).or_default();
                take(change, event, movement);
            }
            (Name::Pivot, Some(movement)) if self.has_line(&movement.line) => {
                let of_budget =
                    |kind| matches!(kind, Transferred::Appropriate | Transferred::Withdraw);
                if movement.transfers.iter().all(|t| of_budget(t.kind)) {
                    return;
                }
                let month = Month::of(event.header.recorded_at);
                let line = &movement.line;
                let key = (month, line.office, line.programme.clone());
                take(self.sums.months.entry(key).or_default(), event, movement);
            }
            (Name::Refusals, _) => self.refusal(event),
            _ => {}
        }
    }

    fn refusal(&mut self, event: &Event) {
        let Body::Refused(refusal) = &event.body else {
            return;
        };
        let line = self.line_of_claim(event, &refusal.claim);
        if !self.has_line(&line) {
            return;
        }
        let policy = event.header.policy;
        let pack = policy.and_then(|policy| self.books.state.pack_at(policy));
        let pack = pack.map(Arc::clone);
        let programme = programme_of(event, &self.books.state, &refusal.claim).to_owned();
        let mut seen = BTreeSet::new();
        for (place, failure) in refusal.failures.iter().enumerate() {
            let key = (programme.clone(), line.office, failure.code.clone());
            let refused = self.sums.refusals.entry(key).or_default();
            if seen.insert(&*failure.code) {
                refused.times = refused.times.saturating_add(1);
            }
            if place == 0 {
                refused.first = refused.first.saturating_add(1);
                let fen = refusal.claim.amount().fen();
                refused.claimed_fen = refused.claimed_fen.saturating_add(fen);
            }
            let limit = pack.as_ref().and_then(|pack| pack.limit(&failure.limit));
            if let Some(limit) = limit {
                self.sums
                    .measures
                    .insert(failure.code.clone(), limit.measure);
            }
        }
    }

    /// Whose names the rows of [`Report::rest`] show.
    pub(super) fn named_subjects(&self) -> Vec<SubjectId> {
        match self.query.report {
            Name::Publicity => {
                let cases = self.published().flat_map(|(notice, _)| &notice.cases);
                cases.filter_map(|case| self.notes.payee(*case)).collect()
            }
            Name::Plaques => {
                let all = self.books.plaques.all();
                all.map(|(_, known)| known.applicant()).collect()
            }
            Name::Loans => self.books.loans.all().map(|(_, l)| l.borrower).collect(),
            Name::Register
            | Name::Execution
            | Name::Pivot
            | Name::Refusals
            | Name::Conflicts
            | Name::Payments
            | Name::Statement => Vec::new(),
        }
    }

    /// The rows that remain when the log has gone by.
    pub(super) fn rest(
        &self,
        shown: &BTreeMap<SubjectId, Shown>,
        out: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let rows = match self.query.report {
            Name::Register | Name::Statement => Vec::new(),
            // These may be as long as the log.
            Name::Publicity => return self.publicity(shown, out),
            Name::Payments => return self.waiting(out),
            Name::Execution => self.execution(),
            Name::Pivot => self.pivot(),
            Name::Plaques => self.plaques(shown),
            Name::Loans => self.loans(shown),
            Name::Refusals => self.refusals(),
            Name::Conflicts => self.conflicts(),
        };
        rows.into_iter().try_for_each(out)
    }

    /// The notices that are asked for, with their first days.
    fn published(&self) -> impl Iterator<Item = (&Notice, Date)> {
        let notices = self.books.state.cases.notices.iter();
        notices.filter_map(|notice| {
            let first = *self.notes.notices.get(&*notice.number)?;
            let asked = match &self.query.notice {
                Some(number) => **number == *notice.number,
                None => self.query.all || notice.closed.is_none(),
            };
            (asked && self.query.has_day(first)).then_some((notice, first))
        })
    }

    fn publicity(&self, shown: &BTreeMap<SubjectId, Shown>, out: &mut Sink<'_>) -> ControlFlow<()> {
        for (notice, first) in self.published() {
            for (seq, case) in (1_i64..).zip(&notice.cases) {
                let Some((line, amount)) = self.line_and_amount(*case) else {
                    continue;
                };
                if !self.has_line(&line) {
                    continue;
                }
                let payee = self.notes.payee(*case);
                let known = payee.and_then(|payee| shown.get(&payee));
                let known = known.cloned().unwrap_or_default();
                let [programme, _, office, fund] = self.line_cells(&line);
                out(vec![
                    Cell::text(&*notice.number),
                    first.into(),
                    notice.last_day.into(),
                    Cell::Count(seq),
                    Cell::from(self.notes.number(*case).to_owned()),
                    known.name.into(),
                    known.identity.into(),
                    known.account.into(),
                    programme,
                    fund,
                    Cell::Fen(amount),
                    office,
                ])?;
            }
        }
        ControlFlow::Continue(())
    }

    fn line_and_amount(&self, case: CaseIx) -> Option<(Line, i64)> {
        let state = &self.books.state;
        let row = state.cases.row(case)?;
        let line = state.line_in_words(state.budget.key(row.line)?);
        Some((line, row.amount))
    }

    fn execution(&self) -> Vec<Vec<Cell>> {
        let lines = self.sums.lines.iter();
        let row = |(line, change): (&Line, &Change)| {
            let of = |account| change.accounts.balance(account);
            let appropriated = of(Account::Appropriated).saturating_neg();
            let committed = change.committed_fen();
            let mut row = Vec::from(self.line_cells(line));
            row.extend([
                Cell::Fen(appropriated),
                Cell::Fen(committed),
                Cell::Fen(of(Account::Reserved)),
                Cell::Fen(of(Account::Paid)),
                Cell::Fen(of(Account::Receivable)),
                Cell::Fen(of(Account::Returned)),
                Cell::Fen(of(Account::Recovered)),
                Cell::Fen(of(Account::WrittenOff)),
                Cell::Fen(of(Account::Available)),
                Cell::rate(committed, appropriated),
                Cell::rate(of(Account::Paid), appropriated),
            ]);
            row
        };
        lines.map(row).collect()
    }

    fn pivot(&self) -> Vec<Vec<Cell>> {
        let months = self.sums.months.iter();
        let row = |((month, office, programme), change): (&(Month, u32, String), &Change)| {
            let id = month.to_string();
            let month = Named {
                zh: format!("{}年{}月", month.year, month.month),
                en: id.clone(),
                id,
            };
            vec![
                Cell::Name(Arc::new(month)),
                Cell::Name(self.names.office(*office)),
                Cell::Name(self.names.programme(programme)),
                Cell::Count(change.grants),
                Cell::Fen(change.committed_fen()),
                Cell::Fen(change.paid_fen()),
                Cell::Fen(change.accounts.balance(Account::Receivable)),
            ]
        };
        months.map(row).collect()
    }

    fn plaques(&self, shown: &BTreeMap<SubjectId, Shown>) -> Vec<Vec<Cell>> {
        let state = &self.books.state;
        let day = self.query.on.unwrap_or_else(|| day_of(state.recorded_at()));
        let years = |begun: Date| crate::steps::plaque_term(state, begun);
        let asked = self.books.plaques.all().filter(|(_, known)| {
            self.query.has_day(known.awarded_on()) && self.query.has_office(known.office)
        });
        let rows = asked.filter_map(|(brand, known)| {
            let stands = known.standing(day, years);
            if stands != Standing::InForce && !self.query.all {
                return None;
            }
            let (from, until) = known.term(day, years);
            let name = shown
                .get(&known.applicant())
                .map(|shown| shown.name.clone());
            Some(vec![
                Cell::text(brand),
                Cell::Name(Arc::new(words::level(known.level()))),
                name.unwrap_or_default().into(),
                Cell::from(known.office.map(|office| self.names.office(office.code()))),
                known.awarded_on().into(),
                from.into(),
                until.and_then(|day| day.yesterday().ok()).into(),
                Cell::Name(Arc::new(words::plaque(stands))),
                known.document.clone().into(),
                Cell::number(known.position.number()),
                Cell::Subject(known.applicant()),
            ])
        });
        rows.collect()
    }

    fn loans(&self, shown: &BTreeMap<SubjectId, Shown>) -> Vec<Vec<Cell>> {
        let asked = self.books.loans.all().filter(|(_, lent)| {
            self.query.has_day(lent.issued_on) && self.query.has_office(lent.office)
        });
        let rows = asked.map(|(number, lent)| {
            let name = shown.get(&lent.borrower).map(|shown| shown.name.clone());
            let settled = lent.settled.map(|(_, repayment)| repayment);
            vec![
                Cell::text(number),
                Cell::Name(Arc::new(words::borrower(lent.kind))),
                name.unwrap_or_default().into(),
                Cell::from(lent.office.map(|office| self.names.office(office.code()))),
                lent.bank.clone().into(),
                lent.issued_on.into(),
                lent.due_on.into(),
                lent.settled.map(|(on, _)| on).into(),
                Cell::Name(Arc::new(words::loan(settled))),
                Cell::Fen(lent.principal_fen),
                Cell::Fen(lent.outstanding_fen()),
                Cell::Count(lent.subsidies),
                Cell::Fen(standing(&lent.accounts)),
                Cell::Fen(lent.accounts.balance(Account::Paid)),
                Cell::number(lent.position.number()),
                Cell::Subject(lent.borrower),
            ]
        });
        rows.collect()
    }

    fn refusals(&self) -> Vec<Vec<Cell>> {
        let lines = self.sums.refusals.iter();
        let row = |((programme, office, code), refused): (&(String, u32, String), &Refused)| {
            let measure = self.sums.measures.get(code).filter(|measure| **measure > 0);
            vec![
                if programme.is_empty() {
                    Cell::Empty
                } else {
                    Cell::Name(self.names.programme(programme))
                },
                Cell::Name(self.names.office(*office)),
                Cell::text(code),
                Cell::Name(Arc::new(words::reasons(std::iter::once(&**code)))),
                measure.map_or(Cell::Empty, |measure| Cell::Count((*measure).into())),
                Cell::Count(refused.times),
                Cell::Count(refused.first),
                Cell::Fen(refused.claimed_fen),
            ]
        };
        lines.map(row).collect()
    }

    /// A row for each conflict and each of its recoveries, and one for each
    /// recovery without a conflict. What is at stake stands in a conflict's
    /// first row only, so that the sum counts it once.
    fn conflicts(&self) -> Vec<Vec<Cell>> {
        let state = &self.books.state;
        let day = |position: u64| {
            let day = self.notes.days.get(&position).copied();
            day.filter(|day| self.query.has_day(*day))
        };
        let mut rows = Vec::new();
        for known in &self.books.conflicts.all {
            let number = known.position.number();
            let (Some(day), Some(case)) = (day(number), state.cases.find(known.conflict.grant))
            else {
                continue;
            };
            let purse = state.cases.purse(case);
            let held = purse.balance(Account::Receivable);
            let stake = standing(&purse).saturating_add(held);
            let dates = known.conflict.dates.days().iter().map(Date::to_string);
            let dates: Vec<String> = dates.collect();
            let head = [
                Cell::number(number),
                day.into(),
                Cell::text(&known.conflict.code),
                Cell::Name(Arc::new(words::reasons(std::iter::once(
                    &*known.conflict.code,
                )))),
                Cell::from(dates.join(";")),
                known
                    .cleared
                    .map_or(Cell::Empty, |at| Cell::number(at.number())),
            ];
            let recoveries = state.cases.recoveries.iter();
            let mut recoveries = recoveries.filter(|recovery| recovery.conflict == number);
            let first = recoveries.next();
            let stake = Cell::Fen(stake);
            rows.extend(self.conflict_row(head.clone(), case, stake, first));
            for recovery in recoveries {
                rows.extend(self.conflict_row(head.clone(), case, Cell::Empty, Some(recovery)));
            }
        }
        let alone = state.cases.recoveries.iter();
        for recovery in alone.filter(|recovery| Position::new(recovery.conflict).is_none()) {
            let Some(day) = day(recovery.position) else {
                continue;
            };
            let mut head = [const { Cell::Empty }; 6];
            if let Some(cell) = head.get_mut(1) {
                *cell = day.into();
            }
            rows.extend(self.conflict_row(head, recovery.case, Cell::Empty, Some(recovery)));
        }
        rows
    }

    fn conflict_row(
        &self,
        head: [Cell; 6],
        case: CaseIx,
        stake: Cell,
        recovery: Option<&crate::state::cases::Recovery>,
    ) -> Option<Vec<Cell>> {
        let row = self.books.state.cases.row(case)?;
        let (line, _) = self.line_and_amount(case)?;
        if !self.has_line(&line) {
            return None;
        }
        let mut cells = Vec::from(head);
        cells.extend([
            Cell::number(row.position),
            Cell::from(self.notes.number(case).to_owned()),
        ]);
        cells.extend(self.line_cells(&line));
        cells.push(stake);
        match recovery {
            Some(recovery) => cells.extend([
                Cell::text(&*recovery.number),
                Cell::Fen(recovery.fen),
                Cell::Fen(recovery.received),
                Cell::Fen(recovery.outstanding()),
                recovery.closed.map_or(Cell::Empty, Cell::number),
            ]),
            None => cells.extend([const { Cell::Empty }; 5]),
        }
        Some(cells)
    }

    /// Payments that the bank has not answered.
    fn waiting(&self, out: &mut Sink<'_>) -> ControlFlow<()> {
        let cases = &self.books.state.cases;
        // What waits has no day of its own.
        if self.query.from.is_some() || self.query.to.is_some() {
            return ControlFlow::Continue(());
        }
        for batch in cases.batches.iter() {
            for (case, attempt) in &batch.items {
                let payment = cases.life(*case).and_then(|life| life.payment(*attempt));
                let Some(payment) = payment.filter(|p| p.stage == PaymentStage::Waiting) else {
                    continue;
                };
                let Some(row) = self.payment_row(*case, *attempt, &batch.number) else {
                    continue;
                };
                out(row.filled([
                    Cell::Empty,
                    Cell::Empty,
                    Cell::Empty,
                    Cell::Name(Arc::new(words::event("payment_waiting"))),
                    Cell::Empty,
                    Cell::Empty,
                    Cell::Fen(payment.fen),
                    Cell::Empty,
                    Cell::Empty,
                ]))?;
            }
        }
        ControlFlow::Continue(())
    }
}

fn take(change: &mut Change, event: &Event, movement: &Movement) {
    change.grants = change.grants.saturating_add(grants(event));
    for transfer in &movement.transfers {
        change.accounts.take(*transfer);
    }
}
