//! Rows that are known as soon as their event is: of the register, of a
//! subject's statement, of payments.

use std::sync::Arc;

use luzhang_ledger::{Body, Date, Event, Hash, Office, SubjectId, claim::Claim, step::Step};

use super::{Cell, Name, Report, words};
use crate::{
    journal::day_of,
    state::{
        Line, Movement,
        cases::PaymentStage,
        money::{Account, Purse},
    },
    totals::programme_of,
};

/// Money accounts of a register, in the order of its columns after "committed".
const ACCOUNTS: [Account; 5] = [
    Account::Paid,
    Account::Receivable,
    Account::Returned,
    Account::Recovered,
    Account::WrittenOff,
];

impl Report {
    /// The row of the next event, before it is applied.
    pub(super) fn row(
        &self,
        event: &Event,
        hash: Hash,
        movement: Option<&Movement>,
    ) -> Option<Vec<Cell>> {
        match self.query.report {
            Name::Register => self.register(event, hash, movement?),
            Name::Statement => self.statement(event, hash, movement),
            Name::Payments => self.payment(event, hash),
            Name::Publicity
            | Name::Execution
            | Name::Pivot
            | Name::Plaques
            | Name::Loans
            | Name::Refusals
            | Name::Conflicts => None,
        }
    }

    fn register(&self, event: &Event, hash: Hash, movement: &Movement) -> Option<Vec<Cell>> {
        let grant = movement.grant?;
        let day = day_of(event.header.recorded_at);
        if !self.has_line(&movement.line) || !self.query.has_day(day) {
            return None;
        }
        let (number, payee) = self.of_grant(event, grant.number());
        let [programme, year, office, fund] = self.line_cells(&movement.line);
        let mut row = vec![
            Cell::number(event.header.position.number()),
            day.into(),
            business_date(event).into(),
            self.event_name(event),
            Cell::number(grant.number()),
            Cell::from(number),
            programme,
            year,
            office,
            fund,
            document(&event.body).into(),
        ];
        row.extend(money(movement));
        row.push(payee.map_or(Cell::Empty, Cell::Subject));
        row.push(Cell::Hash(hash));
        Some(row)
    }

    fn statement(
        &self,
        event: &Event,
        hash: Hash,
        movement: Option<&Movement>,
    ) -> Option<Vec<Cell>> {
        let header = &event.header;
        let day = day_of(header.recorded_at);
        let asked = self.query.subject?;
        if !self.query.has_day(day) {
            return None;
        }
        if let Body::Refused(refusal) = &event.body {
            let of = refusal.claim.payee();
            let own = of == Some(asked) || header.stream.subject() == asked;
            let line = self.line_of_claim(event, &refusal.claim);
            if !own || !self.has_line(&line) {
                return None;
            }
            let reasons = refusal.failures.iter().map(|failure| &*failure.code);
            let reasons = Cell::Name(Arc::new(words::reasons(reasons)));
            let [programme, year, office, fund] = self.line_cells(&line);
            let mut row = vec![
                Cell::number(header.position.number()),
                day.into(),
                refusal.claim.basis().into(),
                Cell::Name(Arc::new(words::event("command_refused"))),
                Cell::Empty,
                Cell::text(refusal.claim.number()),
                programme,
                year,
                office,
                fund,
                Cell::Empty,
                reasons,
            ];
            row.extend([const { Cell::Empty }; 6]);
            row.push(Cell::Hash(hash));
            return Some(row);
        }
        let movement = movement?;
        let grant = movement.grant?;
        let (number, _) = self.of_grant(event, grant.number());
        if !self.sums.own.contains(&grant.number()) || !self.has_line(&movement.line) {
            return None;
        }
        let [programme, year, office, fund] = self.line_cells(&movement.line);
        let mut row = vec![
            Cell::number(header.position.number()),
            day.into(),
            business_date(event).into(),
            self.event_name(event),
            Cell::number(grant.number()),
            Cell::from(number),
            programme,
            year,
            office,
            fund,
            document(&event.body).into(),
            reason(&event.body).into(),
        ];
        row.extend(money(movement));
        row.push(Cell::Hash(hash));
        Some(row)
    }

    fn payment(&self, event: &Event, hash: Hash) -> Option<Vec<Cell>> {
        let Body::Step(step) = &event.body else {
            return None;
        };
        let of = if let Step::Settlement(step) = step {
            step.payment
        } else if let Step::Bounce(step) = step {
            step.payment
        } else if let Step::Reissue(step) = step {
            step.payment
        } else {
            return None;
        };
        let day = day_of(event.header.recorded_at);
        let case = self.books.state.cases.find(of.grant)?;
        let payment = self.books.state.cases.life(case)?.payment(of.attempt)?;
        let (settled, bounced) = if let Step::Settlement(step) = step {
            (step.amount.fen(), 0)
        } else if let Step::Bounce(_) = step {
            let was = payment.stage == PaymentStage::Settled;
            let back = if was { payment.fen.saturating_neg() } else { 0 };
            (back, payment.fen)
        } else {
            (0, 0)
        };
        if !self.query.has_day(day) {
            return None;
        }
        let batch = self.books.state.cases.batches.at(payment.batch);
        let row = self.payment_row(case, of.attempt, batch.map_or("", |batch| &batch.number))?;
        Some(row.filled([
            Cell::number(event.header.position.number()),
            day.into(),
            business_date(event).into(),
            self.event_name(event),
            Cell::moved(settled),
            Cell::moved(bounced),
            Cell::Empty,
            reason(&event.body).into(),
            Cell::Hash(hash),
        ]))
    }

    /// What a row of payments says of the grant; `None` if nobody asked for it.
    pub(super) fn payment_row(&self, case: u32, attempt: u32, batch: &str) -> Option<OfPayment> {
        let row = self.books.state.cases.row(case)?;
        let line = self.books.state.budget.key(row.line)?;
        let line = self.books.state.line_in_words(line);
        if !self.has_line(&line) {
            return None;
        }
        let [programme, year, office, fund] = self.line_cells(&line);
        Some(OfPayment([
            Cell::text(batch),
            Cell::number(attempt.into()),
            Cell::number(row.position),
            Cell::from(self.notes.number(case).to_owned()),
            programme,
            year,
            office,
            fund,
        ]))
    }

    /// Number and payee of a grant, which may be the event itself.
    fn of_grant(&self, event: &Event, grant: u64) -> (String, Option<SubjectId>) {
        let cases = &self.books.state.cases;
        let case = if event.header.position.number() == grant {
            // It was noted, and is not applied yet.
            u32::try_from(cases.rows().len()).ok()
        } else {
            luzhang_ledger::Position::new(grant).and_then(|grant| cases.find(grant))
        };
        let Some(case) = case else {
            return (String::new(), None);
        };
        let known = |subject: &SubjectId| *subject.as_bytes() != [0; 16];
        let payee = self.notes.payee(case).filter(known);
        (self.notes.number(case).to_owned(), payee)
    }

    pub(super) fn line_cells(&self, line: &Line) -> [Cell; 4] {
        [
            Cell::Name(self.names.programme(&line.programme)),
            if line.year == 0 {
                Cell::Empty
            } else {
                Cell::Count(line.year.into())
            },
            Cell::Name(self.names.office(line.office)),
            if line.fund.is_empty() {
                Cell::Empty
            } else {
                Cell::Name(self.names.fund(&line.fund))
            },
        ]
    }

    /// The line that a refused claim asked for.
    pub(super) fn line_of_claim(&self, event: &Event, claim: &Claim) -> Line {
        Line {
            programme: programme_of(event, &self.books.state, claim).to_owned(),
            year: claim.basis().year(),
            office: event.header.office.map_or(0, Office::code),
            fund: claim.fund().map_or(String::new(), ToString::to_string),
        }
    }

    fn event_name(&self, event: &Event) -> Cell {
        Cell::Name(self.names.event(event.body.kind()))
    }
}

/// The cells of a payment's row that are the grant's.
pub(super) struct OfPayment([Cell; 8]);

impl OfPayment {
    /// The whole row: position, day, bank date and event before them; amounts,
    /// reason and hash after.
    pub(super) fn filled(self, own: [Cell; 9]) -> Vec<Cell> {
        let [
            position,
            day,
            date,
            event,
            settled,
            bounced,
            waiting,
            reason,
            hash,
        ] = own;
        let before = [position, day, date, event];
        let after = [settled, bounced, waiting, reason, hash];
        before.into_iter().chain(self.0).chain(after).collect()
    }
}

/// What an event changes of a grant: what stands of it, then [`ACCOUNTS`].
fn money(movement: &Movement) -> impl Iterator<Item = Cell> {
    let mut purse = Purse::default();
    for transfer in &movement.transfers {
        purse.take(*transfer);
    }
    let standing = crate::state::cases::standing(&purse);
    let others = ACCOUNTS.map(|account| Cell::moved(purse.balance(account)));
    std::iter::once(Cell::moved(standing)).chain(others)
}

/// The civil date that the event itself gives.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others have no date but that of their record"
)]
fn business_date(event: &Event) -> Option<Date> {
    match &event.body {
        Body::Granted(claim) => Some(claim.basis()),
        Body::Step(Step::Settlement(step)) => Some(step.settled_on),
        Body::Step(Step::Bounce(step)) => Some(step.bounced_on),
        Body::Step(Step::Refund(step)) => Some(step.received_on),
        Body::Step(Step::RecoveryReceipt(step)) => Some(step.received_on),
        _ => None,
    }
}

/// The document, batch or recovery that the event names.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others name none")]
fn document(body: &Body) -> String {
    match body {
        Body::Granted(Claim::SkillBase(claim)) => claim.document.to_string(),
        Body::Granted(Claim::Subsidy(claim)) => claim.document.to_string(),
        Body::Granted(Claim::TrainingSubsidy(claim)) => claim.certificate_no.to_string(),
        Body::Step(Step::Adjustment(step)) => step.document.to_string(),
        Body::Step(Step::Restoration(step)) => step.document.to_string(),
        Body::Step(Step::RecoveryOpening(step)) => step.recovery_no.to_string(),
        Body::Step(Step::RecoveryReceipt(step)) => step.recovery_no.to_string(),
        Body::Step(Step::RecoveryClosing(step)) => step.document.to_string(),
        _ => String::new(),
    }
}

/// Why, where the event says it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others give no reason")]
fn reason(body: &Body) -> String {
    match body {
        Body::Step(Step::Bounce(step)) => step.reason.to_string(),
        Body::Step(Step::Reversal(step)) => step.reason.to_string(),
        _ => String::new(),
    }
}
