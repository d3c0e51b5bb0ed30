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
mod register;
mod tables;
mod words;

use core::fmt;
use std::{collections::BTreeMap, ops::ControlFlow};

use luzhang_ledger::{
    Body, Date, Event, Hash, LedgerId, Office, Position, SubjectId, event::PartyKind,
};
use thiserror::Error;

pub use self::cell::{Cell, Column, Kind, Named};
use self::{names::Names, tables::Sums};
use crate::{
    codes::Text,
    journal::day_of,
    pack::PublicField,
    projection::{self, Projections, Status},
    registers::Known,
    state::{Line, Movement},
};

/// A report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// 公示名单
    Publicity,
    /// 台账: every event that moves a grant's money.
    Register,
    /// 预算执行率表
    Execution,
    /// 按月份、机构、项目汇总
    Pivot,
    /// 有效牌匾
    Plaques,
    /// 担保贷款与贴息
    Loans,
    /// 不予受理原因
    Refusals,
    /// 冲突与追回
    Conflicts,
    /// 拨付与退票
    Payments,
    /// 个人（单位）对账单
    Statement,
}

impl Name {
    /// All.
    pub const ALL: [Self; 10] = [
        Self::Publicity,
        Self::Register,
        Self::Execution,
        Self::Pivot,
        Self::Plaques,
        Self::Loans,
        Self::Refusals,
        Self::Conflicts,
        Self::Payments,
        Self::Statement,
    ];

    /// What it is called on the command line and on covers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publicity => "publicity",
            Self::Register => "register",
            Self::Execution => "execution",
            Self::Pivot => "pivot",
            Self::Plaques => "plaques",
            Self::Loans => "loans",
            Self::Refusals => "refusals",
            Self::Conflicts => "conflicts",
            Self::Payments => "payments",
            Self::Statement => "statement",
        }
    }

    /// The report with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// Its title.
    pub fn title(self) -> Text {
        let (zh, en) = match self {
            Self::Publicity => ("补助公示名单", "Publicity list"),
            Self::Register => ("补助资金台账", "Register of grants and payments"),
            Self::Execution => ("预算执行率表", "Budget execution"),
            Self::Pivot => (
                "补助资金分月汇总表",
                "Grants by month, office and programme",
            ),
            Self::Plaques => ("有效牌匾一览表", "Plaques in force"),
            Self::Loans => (
                "创业担保贷款及贴息表",
                "Startup loans and their interest subsidies",
            ),
            Self::Refusals => ("不予受理原因统计表", "Refusals by reason"),
            Self::Conflicts => ("冲突与追回情况表", "Conflicts and recoveries"),
            Self::Payments => ("拨付与退票明细表", "Payments and bounces"),
            Self::Statement => ("对象补助对账单", "A subject's statement"),
        };
        Text { zh, en }
    }

    /// The version of its columns and rules: raised whenever the same log gives
    /// other rows.
    pub fn version(self) -> u32 {
        1
    }

    /// The projections that it rests on, whose digests its cover names.
    pub fn rests_on(self) -> &'static [projection::Name] {
        use projection::Name as P;
        match self {
            Self::Publicity => &[P::Cases, P::Notices],
            Self::Register | Self::Statement => &[P::Cases],
            Self::Execution => &[P::Budget],
            Self::Pivot => &[P::Months],
            Self::Plaques => &[P::Plaques],
            Self::Loans => &[P::Loans],
            Self::Refusals => &[P::Refusals],
            Self::Conflicts => &[P::Conflicts, P::Recoveries],
            Self::Payments => &[P::Batches],
        }
    }

    /// All columns that it may have.
    pub fn columns(self) -> &'static [Column] {
        columns::of(self)
    }

    /// Whether it may have as many rows as the log has events. Such a report hands
    /// its rows out one by one, and its forms hold none.
    pub fn is_long(self) -> bool {
        matches!(
            self,
            Self::Publicity | Self::Register | Self::Payments | Self::Statement
        )
    }

    /// Whether its rows have a programme, a year and a fund to be chosen by.
    pub fn has_lines(self) -> bool {
        !matches!(self, Self::Plaques | Self::Loans)
    }

    /// What `from` and `to` are about.
    pub fn period(self) -> Text {
        let (zh, en) = match self {
            Self::Publicity => ("公示起始日", "first day of the notice"),
            Self::Plaques => ("授牌日期", "day of the award"),
            Self::Loans => ("发放日期", "day of issue"),
            Self::Register
            | Self::Execution
            | Self::Pivot
            | Self::Refusals
            | Self::Conflicts
            | Self::Payments
            | Self::Statement => ("入账日期", "day of the record"),
        };
        Text { zh, en }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A moment of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After this event.
    Position(Position),
    /// After the last event that was recorded on this day in China.
    Day(Date),
}

/// What is asked of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which.
    pub report: Name,
    /// As known then; else as known now.
    pub as_of: Option<AsOf>,
    /// This acting office only.
    pub office: Option<Office>,
    /// This programme only, by its id or its Chinese name.
    pub programme: Option<String>,
    /// This fund only, by its id or its Chinese name.
    pub fund: Option<String>,
    /// From this day on; see [`Name::period`].
    pub from: Option<Date>,
    /// Up to and with this day.
    pub to: Option<Date>,
    /// Plaques in force on this day; else on that of the last event.
    pub on: Option<Date>,
    /// Whose statement.
    pub subject: Option<SubjectId>,
    /// Which notice; else all that are not closed.
    pub notice: Option<String>,
    /// Closed notices too, plaques that are not in force too.
    pub all: bool,
    /// A masked identity number in a publicity list.
    pub identity: bool,
    /// A masked account number in a publicity list.
    pub account: bool,
}

impl Query {
    /// Everything of one report, as known now.
    pub fn of(report: Name) -> Self {
        Self {
            report,
            as_of: None,
            office: None,
            programme: None,
            fund: None,
            from: None,
            to: None,
            on: None,
            subject: None,
            notice: None,
            all: false,
            identity: false,
            account: false,
        }
    }

    fn has_day(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    fn has_office(&self, office: Option<Office>) -> bool {
        self.office.is_none() || self.office == office
    }
}

/// Why a report cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The log ends before the position that was asked for.
    #[error("the ledger has no event at {0}")]
    Beyond(Position),
    /// No pack of the log knows it.
    #[error("no policy pack knows the programme {asked}; there are: {known}")]
    Programme {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// No pack of the log knows it.
    #[error("no policy pack knows the fund {asked}; there are: {known}")]
    Fund {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// The log has no such notice.
    #[error("there is no notice {0}")]
    Notice(String),
    /// Nothing in the log is about the subject.
    #[error("the ledger did not know this subject then")]
    Subject,
}

impl Problem {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Beyond(_) => "EVENT_NOT_FOUND",
            Self::Programme { .. } => "PROGRAMME_UNKNOWN",
            Self::Fund { .. } => "FUND_UNKNOWN",
            Self::Notice(_) => "UNKNOWN_NOTICE",
            Self::Subject => "SUBJECT_NOT_FOUND",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Beyond(position) => format!("账本没有位置 {position}"),
            Self::Programme { asked, known } => {
                format!("没有政策包规定项目“{asked}”，可用：{known}")
            }
            Self::Fund { asked, known } => {
                format!("没有政策包规定资金来源“{asked}”，可用：{known}")
            }
            Self::Notice(number) => format!("没有公示“{number}”"),
            Self::Subject => "账本当时没有该对象".to_owned(),
        }
    }
}

/// What may be shown of a subject whose details could be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// A person's name masked, others whole.
    pub name: String,
    /// Identity number, masked; credit codes and brand numbers whole.
    pub identity: String,
    /// Account number, masked.
    pub account: String,
}

impl Shown {
    /// What may be shown of a subject: of a person the first character of the
    /// name, the first four and the last four characters of the identity number;
    /// of others all, for they are public. Of an account the last four.
    pub fn of(kind: PartyKind, name: &str, number: &str, account: Option<&str>) -> Self {
        let person = kind == PartyKind::Person;
        Self {
            name: if person {
                masked(name, 1, 0)
            } else {
                name.to_owned()
            },
            identity: if person {
                masked(number, 4, 4)
            } else {
                number.to_owned()
            },
            account: account.map_or(String::new(), |account| masked(account, 0, 4)),
        }
    }
}

/// A star for each character but the first and last few.
pub fn masked(text: &str, first: usize, last: usize) -> String {
    let length = text.chars().count();
    let end = length.saturating_sub(last);
    let masked = |(place, c)| {
        if place < first || place >= end.max(first) {
            c
        } else {
            '*'
        }
    };
    text.chars().enumerate().map(masked).collect()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_person_hides_name_birthday_and_account() {
        let number = "510590197607110016";
        let shown = |kind| Shown::of(kind, "某某甲", number, Some("6217003650001234567"));
        let person = shown(PartyKind::Person);
        assert_eq!(person.name, "某**");
        assert_eq!(person.identity, "5105**********0016");
        assert_eq!(person.account, "***************4567");
        let firm = shown(PartyKind::Organisation);
        assert_eq!((&*firm.name, &*firm.identity), ("某某甲", number));
        // Nothing is so short that it shows itself by its ends.
        for (text, first, last, expected) in [
            ("阿依某某·买买提", 1, 0, "阿*******"),
            ("某", 1, 0, "某"),
            ("", 1, 0, ""),
            ("1234", 0, 4, "1234"),
            ("12345", 0, 4, "*2345"),
        ] {
            assert_eq!(masked(text, first, last), expected);
        }
    }
}
