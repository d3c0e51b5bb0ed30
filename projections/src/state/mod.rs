//! What has happened, in the shape that decisions need.
//!
//! [`State`] is a fold of the log: [`State::apply`] takes every event in order.
//! It is kept free of policy: it records facts and grants by their natural keys,
//! and limits ask it questions. So a pack adopted later can judge a history that
//! was made under another.

pub(crate) mod budget;
pub(crate) mod digest;
pub(crate) mod lists;
mod names;
pub(crate) mod streams;

use std::{collections::BTreeSet, sync::Arc};

use hashbrown::HashMap;
use luzhang_ledger::{
    Body, Date, Event, Fen, Hash, Office, Position, StreamId, StreamKind, SubjectId, Window,
    claim::{BorrowerKind, Claim, Form},
    event::PartyKind,
    fact::{BrandLevel, BudgetYear, Fact, Repayment},
};

pub use self::budget::Balance;
use self::{
    budget::{Budget, BudgetKey},
    lists::Lists,
    names::Names,
    streams::{Ix, Streams},
};
use crate::pack::{Attribute, Pack};

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// A pack in the log.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// Where it was adopted.
    pub position: Position,
    /// BLAKE3 of its text.
    pub content: Hash,
    /// The pack.
    pub pack: Arc<Pack>,
}

/// A half-open run of days that a fact asserts, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Date,
    pub(crate) until: Date,
    pub(crate) position: u64,
    /// A retracted span no longer counts.
    pub(crate) standing: bool,
}

impl Span {
    pub(crate) fn contains(&self, day: Date) -> bool {
        self.standing && self.from <= day && day < self.until
    }
}

/// Days attended in one course.
#[derive(Clone, Debug)]
pub(crate) struct Attended {
    pub(crate) course: Ix,
    pub(crate) position: u64,
    pub(crate) days: Box<[Date]>,
}

/// A registered course.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) first_day: Date,
    pub(crate) last_day: Date,
    pub(crate) position: u64,
}

/// A plaque in somebody's hands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plaque {
    pub(crate) level: BrandLevel,
    pub(crate) awarded_on: Date,
    pub(crate) position: u64,
}

/// An issued loan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loan {
    pub(crate) borrower: SubjectId,
    pub(crate) kind: BorrowerKind,
    pub(crate) principal: Fen,
    pub(crate) issued_on: Date,
    pub(crate) position: u64,
    pub(crate) settled: Option<(Repayment, u64)>,
}

/// A grant that stands, as limits see it.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) position: u64,
    /// The date that counts per period: of a training allowance the course's
    /// first day, of others the basis date.
    pub(crate) counted_on: Date,
    /// Granted days, or the granted period.
    pub(crate) extent: Extent,
    /// Course of a training allowance, employer of a service subsidy, else 0.
    pub(crate) party: Ix,
    /// Numbers of the claim's kind and level, where it has them.
    pub(crate) kind: u8,
    pub(crate) level: u8,
    /// Where the policy that allowed it was adopted.
    pub(crate) policy: u64,
}

/// The days that a grant covers.
#[derive(Clone, Debug)]
pub(crate) enum Extent {
    /// None in particular.
    None,
    /// These.
    Days(Box<[Date]>),
    /// A half-open period.
    Period(Date, Date),
}

impl Grant {
    pub(crate) fn attribute(&self, attribute: Attribute) -> u32 {
        match attribute {
            Attribute::Kind | Attribute::BorrowerKind => self.kind.into(),
            Attribute::Level | Attribute::BrandLevel => self.level.into(),
            Attribute::Employer => self.party,
        }
    }

    pub(crate) fn days(&self) -> &[Date] {
        match &self.extent {
            Extent::Days(days) => days,
            Extent::None | Extent::Period(..) => &[],
        }
    }
}

/// Everything that decisions rest on.
#[derive(Clone, Debug, Default)]
pub struct State {
    position: Option<Position>,
    recorded_at: i64,
    packs: Vec<Adopted>,
    /// In a simulation, the pack that judges some days instead of those.
    instead: Option<(Window, Adopted)>,
    pub(crate) streams: Streams,
    pub(crate) funds: Names,
    pub(crate) programmes: Names,
    documents: BTreeSet<Box<str>>,
    pub(crate) budget: Budget,
    pub(crate) poverty: Lists<Span>,
    pub(crate) benefits: Lists<Span>,
    pub(crate) attended: Lists<Attended>,
    courses: Map<Ix, Course>,
    plaques: Map<Ix, Plaque>,
    loans: Map<Ix, Loan>,
    /// Of a borrower: the loans, by their streams' numbers.
    pub(crate) borrowed: Lists<Ix>,
    grants: [Lists<Grant>; Form::ALL.len()],
    /// Streams of courses, plaques and loans in the order of their events: maps
    /// have none.
    registered: Vec<Ix>,
}

impl State {
    /// A state in which `pack` judges every day of `window`, whatever is adopted.
    pub(crate) fn supposing(pack: Arc<Pack>, window: Window) -> Self {
        let adopted = Adopted {
            // No log is so long that it could be one of its events.
            position: Position::LAST,
            content: Hash::from_bytes([0; 32]),
            pack,
        };
        Self {
            instead: Some((window, adopted)),
            ..Self::default()
        }
    }

    /// The position of the last event applied.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// When the last event applied was recorded, UTC microseconds.
    pub fn recorded_at(&self) -> i64 {
        self.recorded_at
    }

    /// The packs adopted so far, in order.
    pub fn packs(&self) -> &[Adopted] {
        &self.packs
    }

    /// The pack that was adopted at `position`.
    pub fn pack_at(&self, position: Position) -> Option<&Arc<Pack>> {
        let instead = self.instead.iter().map(|(_, adopted)| adopted);
        let mut adopted = self.packs.iter().chain(instead);
        let adopted = adopted.find(|a| a.position == position)?;
        Some(&adopted.pack)
    }

    /// The pack in force on a day: the latest adopted one whose window holds
    /// the day, else the one whose window is nearest.
    pub fn pack_on(&self, day: Date) -> Option<&Adopted> {
        if let Some((window, adopted)) = &self.instead
            && window.contains(day)
        {
            return Some(adopted);
        }
        let distance = |adopted: &&Adopted| {
            let window = adopted.pack.window;
            let days = |from: Date, to: Date| from.until(to).map_or(i32::MAX, |s| s.get_days());
            if day < window.from() {
                days(day, window.from())
            } else {
                match window.until() {
                    Some(until) if day >= until => days(until, day).saturating_add(1),
                    Some(_) | None => 0,
                }
            }
        };
        // `min_by_key` keeps the first of equals; the latest adopted wins.
        self.packs.iter().rev().min_by_key(distance)
    }

    /// The revision and position of a stream's last event; 0 and `None` for a
    /// new stream.
    pub fn stream_end(&self, stream: StreamId) -> (u64, Option<Position>) {
        self.streams.last(stream)
    }

    /// The kind and details digest of a registered subject.
    pub fn party(&self, subject: SubjectId) -> Option<(PartyKind, [u8; 8])> {
        self.streams.party(subject.into())
    }

    /// How many streams there are.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn find(&self, stream: impl Into<StreamId>) -> Option<Ix> {
        self.streams.find(stream.into())
    }

    pub(crate) fn course(&self, number: &str) -> Option<(Ix, &Course)> {
        let ix = self.find(StreamId::of(StreamKind::Course, number))?;
        Some((ix, self.courses.get(&ix)?))
    }

    pub(crate) fn plaque(&self, brand: &str) -> Option<&Plaque> {
        let ix = self.find(StreamId::of(StreamKind::Brand, brand))?;
        self.plaques.get(&ix)
    }

    pub(crate) fn loan(&self, number: &str) -> Option<(Ix, &Loan)> {
        let ix = self.find(StreamId::of(StreamKind::Loan, number))?;
        Some((ix, self.loans.get(&ix)?))
    }

    pub(crate) fn loan_by(&self, ix: Ix) -> Option<&Loan> {
        self.loans.get(&ix)
    }

    pub(crate) fn has_document(&self, document: &str) -> bool {
        self.documents.contains(document)
    }

    /// Standing grants of one form to one owner, newest first.
    pub(crate) fn grants(&self, form: Form, owner: Option<Ix>) -> impl Iterator<Item = &Grant> {
        self.grants
            .get(slot(form))
            .into_iter()
            .flat_map(move |lists| lists.of(owner))
    }

    /// The key of a budget line, if its fund and programme ever appeared.
    pub(crate) fn budget_key(
        &self,
        fund: &str,
        programme: &str,
        office: Office,
        year: BudgetYear,
    ) -> Option<BudgetKey> {
        Some(BudgetKey {
            fund: self.funds.find(fund)?,
            programme: self.programmes.find(programme)?,
            office,
            year,
        })
    }

    /// Takes the next event. Events come in order of position; what the fold
    /// cannot use it ignores, so that it is total.
    pub fn apply(&mut self, event: &Event) {
        let header = &event.header;
        let position = header.position;
        let stream = self.streams.intern(header.stream);
        self.streams.advance(stream, header.revision, position);
        match &event.body {
            Body::LedgerCreated { .. } | Body::Refused(_) | Body::Conflict(_) => {}
            Body::PolicyPackAdopted { content, .. } => {
                // Only a sound pack is ever adopted; a log made by another hand
                // may hold others, which judge nothing.
                if let Ok(pack) = Pack::load(content) {
                    self.packs.push(Adopted {
                        position,
                        content: Hash::from_bytes(*blake3::hash(content).as_bytes()),
                        pack,
                    });
                }
            }
            Body::PartyRegistered(party) | Body::PartyCorrected(party) => {
                self.streams.set_party(stream, party.kind, party.digest);
            }
            Body::Fact(fact) => self.apply_fact(stream, position, fact),
            Body::Granted(claim) => self.apply_grant(stream, event, claim),
        }
        self.position = Some(position);
        self.recorded_at = header.recorded_at;
    }

    fn apply_fact(&mut self, stream: Ix, position: Position, fact: &Fact) {
        let number = position.number();
        match fact {
            Fact::Appropriation(fact) => {
                let key = BudgetKey {
                    fund: self.funds.intern(fact.fund.as_str()),
                    programme: self.programmes.intern(fact.programme.as_str()),
                    office: fact.office,
                    year: fact.year,
                };
                self.documents.insert(fact.document.as_str().into());
                self.budget.appropriate(key, fact.amount, position);
            }
            Fact::PovertyStatus(fact) => {
                self.poverty.push(stream, span(fact.window, number));
            }
            Fact::UnemploymentBenefit(fact) => {
                if let Ok(window) = Window::inclusive(fact.first_day, fact.last_day) {
                    self.benefits.push(stream, span(window, number));
                }
            }
            Fact::UnemploymentBenefitRetraction(fact) => {
                let asserted = fact.asserted.number();
                if let Some(span) = self.benefits.find_mut(stream, |s| s.position == asserted) {
                    span.standing = false;
                }
            }
            Fact::Course(fact) => {
                let course = Course {
                    first_day: fact.first_day,
                    last_day: fact.last_day,
                    position: number,
                };
                if self.courses.insert(stream, course).is_none() {
                    self.registered.push(stream);
                }
            }
            Fact::Attendance(fact) => {
                let course = StreamId::of(StreamKind::Course, fact.course_no.as_str());
                let course = self.streams.intern(course);
                let attended = Attended {
                    course,
                    position: number,
                    days: fact.dates.days().into(),
                };
                self.attended.push(stream, attended);
            }
            Fact::Plaque(fact) => {
                let plaque = Plaque {
                    level: fact.level,
                    awarded_on: fact.awarded_on,
                    position: number,
                };
                if self.plaques.insert(stream, plaque).is_none() {
                    self.registered.push(stream);
                }
            }
            Fact::LoanSettlement(fact) => {
                let loan = StreamId::of(StreamKind::Loan, fact.loan_no.as_str());
                let loan = self.streams.find(loan);
                if let Some(loan) = loan.and_then(|ix| self.loans.get_mut(&ix)) {
                    loan.settled = Some((fact.repayment, number));
                }
            }
        }
    }

    fn apply_grant(&mut self, stream: Ix, event: &Event, claim: &Claim) {
        let header = &event.header;
        let number = header.position.number();
        let mut grant = Grant {
            position: number,
            counted_on: claim.basis(),
            extent: Extent::None,
            party: 0,
            kind: 0,
            level: 0,
            policy: header.policy.map_or(0, Position::number),
        };
        let mut owner = stream;
        match claim {
            Claim::TrainingAllowance(claim) => {
                grant.extent = Extent::Days(claim.dates.days().into());
                if let Some((ix, course)) = self.course(claim.course_no.as_str()) {
                    grant.party = ix;
                    grant.counted_on = course.first_day;
                }
            }
            Claim::SkillBase(claim) => {
                grant.kind = small(Attribute::kind(claim.kind));
                grant.level = small(Attribute::level(claim.level));
            }
            Claim::ServiceSubsidy(claim) => {
                grant.party = self.streams.intern(claim.employer.into());
            }
            Claim::BrandAward(claim) => {
                if let Some(plaque) = self.plaque(claim.brand_no.as_str()) {
                    grant.level = small(Attribute::brand_level(plaque.level));
                }
            }
            Claim::Loan(claim) => {
                grant.kind = small(Attribute::borrower_kind(claim.borrower_kind));
                let loan_stream = StreamId::of(StreamKind::Loan, claim.loan_no.as_str());
                let ix = self.streams.intern(loan_stream);
                grant.party = ix;
                let loan = Loan {
                    borrower: claim.borrower,
                    kind: claim.borrower_kind,
                    principal: claim.principal,
                    issued_on: claim.issued_on,
                    position: number,
                    settled: None,
                };
                if self.loans.insert(ix, loan).is_none() {
                    self.registered.push(ix);
                }
                self.borrowed.push(stream, ix);
            }
            Claim::InterestSubsidy(claim) => {
                if let Some((ix, loan)) = self.loan(claim.loan_no.as_str()) {
                    owner = ix;
                    grant.kind = small(Attribute::borrower_kind(loan.kind));
                }
                let until = claim.period.until().unwrap_or(Date::MAX);
                grant.extent = Extent::Period(claim.period.from(), until);
            }
        }
        if let Some(lists) = self.grants.get_mut(slot(claim.form())) {
            lists.push(owner, grant);
        }
        self.commit(event, claim);
    }

    /// Moves the claim's amount from "available" to "committed".
    fn commit(&mut self, event: &Event, claim: &Claim) {
        let Some(fund) = claim.fund() else { return };
        let pack = event.header.policy.and_then(|p| self.pack_at(p)).cloned();
        let programme = pack.as_ref().and_then(|p| p.programme(claim.form()));
        let (Some(programme), Some(office)) = (programme, event.header.office) else {
            return;
        };
        let key = BudgetKey {
            fund: self.funds.intern(fund.as_str()),
            programme: self.programmes.intern(&programme.id),
            office,
            year: BudgetYear::of(claim.basis()),
        };
        self.budget.commit(key, claim.amount());
    }
}

fn span(window: Window, position: u64) -> Span {
    Span {
        from: window.from(),
        until: window.until().unwrap_or(Date::MAX),
        position,
        standing: true,
    }
}

/// Attribute numbers are the places of a handful of names.
fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn slot(form: Form) -> usize {
    match form {
        Form::TrainingAllowance => 0,
        Form::SkillBase => 1,
        Form::ServiceSubsidy => 2,
        Form::BrandAward => 3,
        Form::Loan => 4,
        Form::InterestSubsidy => 5,
    }
}
