//! What has happened, in the shape that decisions need.
//!
//! [`State`] is a fold of the log: [`State::apply`] takes every event in order.
//! It is kept free of policy: it records facts and grants by their natural keys,
//! and limits ask it questions. So a pack adopted later can judge a history that
//! was made under another.

pub(crate) mod budget;
pub(crate) mod cases;
pub(crate) mod digest;
pub(crate) mod facts;
mod fold;
pub(crate) mod lists;
pub mod money;
mod movement;
mod names;
mod records;
mod snapshot;
mod steps;
pub(crate) mod streams;
mod views;

use std::{collections::BTreeMap, sync::Arc};

use hashbrown::HashMap;
use luzhang_ledger::{
    Date, Event, Hash, Office, Position, StreamId, StreamKind, SubjectId, Window, claim::Form,
    event::PartyKind, fact::BudgetYear,
};

pub use self::{
    budget::Balance,
    cases::Found,
    movement::{Line, Movement},
    views::{BatchView, NoticeView, PaymentView},
};
use self::{
    budget::{Budget, BudgetKey},
    cases::Cases,
    lists::Lists,
    names::Names,
    records::first_of,
    streams::{Ix, Streams},
};
pub(crate) use self::{
    movement::{LineKey, Moving},
    records::{
        Attended, Authority, Certificate, ContractEnded, Course, Extent, Grant, Loan, OpenConflict,
        Plaque, PlaqueChanged, Span,
    },
};
use crate::{access::Access, pack::Pack};

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// The place of a simulation's pack, which is not among the adopted ones.
const SUPPOSED: u16 = u16::MAX;

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

/// Everything that decisions rest on.
#[derive(Clone, Debug, Default)]
pub struct State {
    position: Option<Position>,
    recorded_at: i64,
    /// Only money, cases and packs are kept: what limits ask is not.
    books_only: bool,
    packs: Vec<Adopted>,
    /// In a simulation, the pack that judges some days instead of those.
    instead: Option<(Window, Adopted)>,
    pub(crate) streams: Streams,
    /// Where the policies of grants were adopted, 0 for none: there are few, and millions
    /// of grants.
    policies: Vec<u64>,
    pub(crate) funds: Names,
    pub(crate) programmes: Names,
    /// Budget lines by the documents that made or changed them.
    documents: BTreeMap<Box<str>, u32>,
    pub(crate) budget: Budget,
    pub(crate) poverty: Lists<Span>,
    pub(crate) benefits: Lists<Span>,
    pub(crate) attended: Lists<Attended>,
    courses: Map<Ix, Course>,
    plaques: Map<Ix, Plaque>,
    loans: Map<Ix, Loan>,
    certificates: Map<Ix, Certificate>,
    /// A few hundred at most, in the order of their events.
    authorities: Vec<Authority>,
    pub(crate) ended: Lists<ContractEnded>,
    /// Of a borrower: the loans, by their streams' numbers.
    pub(crate) borrowed: Lists<Ix>,
    grants: [Lists<Grant>; Form::ALL.len()],
    /// Streams of courses, plaques, loans and certificates in the order of their
    /// events: maps have none.
    registered: Vec<Ix>,
    pub(crate) cases: Cases,
    /// Conflicts that are not cleared, by their grants.
    conflicts: BTreeMap<u64, Vec<OpenConflict>>,
    /// Digests of bank accounts, by their subjects.
    accounts: Map<Ix, [u8; 8]>,
    /// Who may do what.
    pub access: Access,
    /// How many erasures there were.
    erasures: u64,
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

    /// A state that keeps money, cases and packs and nothing that limits ask:
    /// some dozen bytes a grant, for those who report and do not decide. Its
    /// money and its digests are those of the whole state, but for `limits`.
    pub(crate) fn of_books() -> Self {
        Self {
            books_only: true,
            ..Self::default()
        }
    }

    /// Reads a little of what decisions about these subjects will read, for all of
    /// them at a time.
    ///
    /// A state of millions of subjects is far larger than any cache, and a decision
    /// about one of them waits for a dozen reads of memory, one after the other. The
    /// reads of different subjects wait for nothing of each other: a processor does
    /// many of them in the time of one, if they come close together.
    pub fn anticipate(&self, subjects: &[StreamId]) {
        let (owners, mut read) = self.streams.touch(subjects);
        read ^= self.poverty.touch(&owners, |span| span.position);
        read ^= self.benefits.touch(&owners, |span| span.position);
        read ^= self.attended.touch(&owners, |attended| {
            attended.position ^ first_of(&attended.days)
        });
        read ^= self.ended.touch(&owners, |ended| ended.position);
        read ^= self.borrowed.touch(&owners, |loan| u64::from(*loan));
        for grants in &self.grants {
            read ^= grants.touch(&owners, |grant| grant.position ^ first_of(grant.days()));
        }
        // Else nobody would need it, and nothing be read.
        std::hint::black_box(read);
    }

    /// The same before these events are folded, which reads less.
    pub(crate) fn expect<'a>(&self, events: impl Iterator<Item = &'a Event>) {
        let streams: Vec<StreamId> = events.map(|event| event.header.stream).collect();
        let (owners, mut read) = self.streams.touch(&streams);
        for grants in &self.grants {
            read ^= grants.touch_heads(&owners);
        }
        std::hint::black_box(read);
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

    /// The pack in force on a day for an office: the latest adopted one for that
    /// office whose window holds the day; else the latest adopted one for all
    /// whose window does; else the one for all whose window is nearest.
    pub fn pack_on(&self, day: Date, office: Office) -> Option<&Adopted> {
        if let Some((window, adopted)) = &self.instead
            && window.contains(day)
            && adopted.pack.governs(office)
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
        let own = self.packs.iter().rev().find(|adopted| {
            let pack = &adopted.pack;
            pack.scope.is_some() && pack.governs(office) && pack.window.contains(day)
        });
        // `min_by_key` keeps the first of equals; the latest adopted wins.
        let all = self.packs.iter().rev().filter(|a| a.pack.scope.is_none());
        own.or_else(|| all.min_by_key(distance))
    }

    /// Where the pack adopted at `position` stands among the adopted ones.
    pub(crate) fn pack_place(&self, position: Option<Position>) -> Option<u16> {
        let supposed = self.instead.as_ref();
        if supposed.is_some_and(|(_, adopted)| Some(adopted.position) == position) {
            return Some(SUPPOSED);
        }
        let place = self.packs.iter().position(|a| Some(a.position) == position);
        u16::try_from(place?).ok()
    }

    /// The pack at a place among the adopted ones.
    pub(crate) fn pack_at_place(&self, place: u16) -> Option<&Adopted> {
        match &self.instead {
            Some((_, adopted)) if place == SUPPOSED => Some(adopted),
            Some(_) | None => self.packs.get(usize::from(place)),
        }
    }

    /// Where a grant's policy was adopted.
    pub(crate) fn policy_at(&self, place: u16) -> Option<Position> {
        let position = self.policies.get(usize::from(place));
        Position::new(position.copied().unwrap_or(0))
    }

    /// The place of a policy among those of grants, given now if it has none.
    fn policy_place(&mut self, policy: Option<Position>) -> u16 {
        let position = policy.map_or(0, Position::number);
        let place = self.policies.iter().rposition(|known| *known == position);
        let place = place.unwrap_or_else(|| {
            let next = self.policies.len();
            self.policies.push(position);
            next
        });
        // Packs are adopted a few times a year.
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    /// Where the policy that allowed a grant was adopted; `None` of a loan.
    pub fn policy_of(&self, grant: Position) -> Option<Position> {
        let row = self.cases.row(self.cases.find(grant)?)?;
        Some(self.pack_at_place(row.pack)?.position)
    }

    /// The grant with this programme and claim number.
    pub fn numbered(&self, programme: &str, number: &str) -> Found {
        self.cases.numbered(programme, number)
    }

    /// Who applied for a brand's plaque.
    pub fn brand_applicant(&self, brand: &str) -> Option<SubjectId> {
        Some(self.plaque(brand)?.applicant)
    }

    /// Who borrows.
    pub fn loan_borrower(&self, loan: &str) -> Option<SubjectId> {
        Some(self.loan(loan)?.1.borrower)
    }

    /// The digest of a subject's bank account, if one is known.
    pub fn account(&self, subject: SubjectId) -> Option<[u8; 8]> {
        self.accounts.get(&self.find(subject)?).copied()
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

    /// Whether a subject's details were erased, and nobody gave them again since.
    pub fn is_erased(&self, subject: SubjectId) -> bool {
        self.streams.is_erased(subject.into())
    }

    /// Every subject whose details are erased.
    pub fn erased(&self) -> impl Iterator<Item = SubjectId> {
        self.streams.erased().map(StreamId::subject)
    }

    /// How many erasures there were.
    pub fn erasures(&self) -> u64 {
        self.erasures
    }

    /// Grants of a subject of which money is still on its way, either way: they
    /// cannot be finished without the details.
    pub(crate) fn unfinished(&self, subject: SubjectId) -> Vec<Position> {
        let Some(owner) = self.find(subject) else {
            return Vec::new();
        };
        let moving = [money::Account::Reserved, money::Account::Receivable];
        let rows = (0..).zip(self.cases.rows());
        rows.filter(|(case, row)| {
            let purse = self.cases.purse(*case);
            let is_payee = row.owner == owner
                || self
                    .loan_by(row.owner)
                    .is_some_and(|loan| loan.borrower == subject);
            is_payee && moving.iter().any(|account| purse.balance(*account) > 0)
        })
        .filter_map(|(_, row)| Position::new(row.position))
        .collect()
    }

    /// How many streams there are.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn find(&self, stream: impl Into<StreamId>) -> Option<Ix> {
        self.streams.find(stream.into())
    }

    /// The id of a stream by its number; all zero if there is none.
    pub(crate) fn stream_id(&self, ix: Ix) -> StreamId {
        let none = StreamId::from_bytes([0; 16]);
        self.streams.id(ix).unwrap_or(none)
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

    pub(crate) fn certificate(&self, number: &str) -> Option<(Ix, &Certificate)> {
        let ix = self.find(StreamId::of(StreamKind::Certificate, number))?;
        Some((ix, self.certificates.get(&ix)?))
    }

    pub(crate) fn authorities(&self) -> impl Iterator<Item = &Authority> {
        self.authorities.iter().filter(|a| a.span.standing)
    }

    pub(crate) fn has_document(&self, document: &str) -> bool {
        self.documents.contains_key(document)
    }

    /// The budget line that an appropriation's document made or changed.
    pub(crate) fn line_of(&self, document: &str) -> Option<u32> {
        self.documents.get(document).copied()
    }

    /// Standing grants of one form to one owner, newest first.
    pub(crate) fn grants(&self, form: Form, owner: Option<Ix>) -> impl Iterator<Item = &Grant> {
        self.grants
            .get(slot(form))
            .into_iter()
            .flat_map(move |lists| lists.of(owner))
            .filter(|grant| grant.standing)
    }

    /// Standing grants of one form whose party is `party`, with their owners.
    /// Looks at all of them: for facts that are corrected, not for claims.
    pub(crate) fn grants_with(&self, form: Form, party: Ix) -> impl Iterator<Item = (Ix, &Grant)> {
        let lists = self.grants.get(slot(form)).into_iter();
        lists
            .flat_map(Lists::all)
            .filter(move |(_, grant)| grant.standing && grant.party == party)
    }

    /// Conflicts of a grant that are not cleared, oldest first.
    pub(crate) fn open_conflicts(&self, grant: u64) -> &[OpenConflict] {
        self.conflicts.get(&grant).map_or(&[], |open| open)
    }

    /// How many conflicts are not cleared.
    pub fn conflicts_open(&self) -> usize {
        self.conflicts.values().map(Vec::len).sum()
    }

    pub(crate) fn has_conflicts(&self) -> bool {
        !self.conflicts.is_empty()
    }

    /// Whether a conflict at this position is open, and of which grant.
    pub(crate) fn conflict_at(&self, position: Position) -> Option<u64> {
        let number = position.number();
        let found = self
            .conflicts
            .iter()
            .find(|(_, open)| open.iter().any(|conflict| conflict.position == number));
        found.map(|(grant, _)| *grant)
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
        Form::TrainingSubsidy => 6,
        Form::TransportAid => 7,
        Form::Subsidy => 8,
    }
}
