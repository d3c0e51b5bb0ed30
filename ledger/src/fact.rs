//! Facts: what a bureau asserts and policy rests on. A fact is always accepted
//! if it is well formed, however late it arrives.

use crate::{
    amount::Fen,
    calendar::{Date, DateSet, Window},
    identity::SubjectId,
    malformed::{Malformed, Problem},
    office::Office,
    position::{Position, StreamId, StreamKind},
    text::{BrandNo, CertificateNo, CourseNo, DocumentNo, FundId, Label, LoanNo, ProgrammeId},
};

/// One asserted fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// 预算指标
    Appropriation(Appropriation),
    /// 脱贫人口
    PovertyStatus(PovertyStatus),
    /// 失业保险金
    UnemploymentBenefit(UnemploymentBenefit),
    /// An unemployment benefit period is withdrawn.
    UnemploymentBenefitRetraction(UnemploymentBenefitRetraction),
    /// 培训班
    Course(Course),
    /// 考勤
    Attendance(Attendance),
    /// 授牌
    Plaque(Plaque),
    /// 贷款结清
    LoanSettlement(LoanSettlement),
    /// 证书
    Certificate(Certificate),
    /// 依据文件
    Authority(Authority),
    /// 劳动合同提前终止
    ContractEnd(ContractEnd),
}

/// Money made available to one office for one programme in one year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appropriation {
    /// Document number (文号).
    pub document: DocumentNo,
    /// From which fund.
    pub fund: FundId,
    /// For which programme.
    pub programme: ProgrammeId,
    /// To which office.
    pub office: Office,
    /// Calendar year.
    pub year: BudgetYear,
    /// How much.
    pub amount: Fen,
}

/// A budget (calendar) year, 2000 to 2999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetYear(i16);

impl BudgetYear {
    /// Checks the range.
    pub fn new(year: i64) -> Result<Self, Problem> {
        match i16::try_from(year) {
            Ok(year @ 2000..=2999) => Ok(Self(year)),
            _ => Err(Problem::YearRange),
        }
    }

    /// The budget year of a day.
    pub fn of(day: Date) -> Self {
        Self(day.year())
    }

    /// The year.
    pub fn number(self) -> i16 {
        self.0
    }
}

/// A person is on a poverty list for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PovertyStatus {
    /// Who.
    pub person: SubjectId,
    /// When.
    pub window: Window,
    /// Which version of the list says so.
    pub list_version: Label,
}

/// A person drew unemployment benefit, first to last day inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnemploymentBenefit {
    /// Who.
    pub person: SubjectId,
    /// First day.
    pub first_day: Date,
    /// Last day.
    pub last_day: Date,
    /// Who says so.
    pub source: Label,
}

/// An asserted benefit period was wrong and no longer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnemploymentBenefitRetraction {
    /// Whose period.
    pub person: SubjectId,
    /// Where it was asserted.
    pub asserted: Position,
}

/// A training course, first to last day inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Its number.
    pub course_no: CourseNo,
    /// Who trains.
    pub provider: SubjectId,
    /// What is taught.
    pub trade: Label,
    /// First day.
    pub first_day: Date,
    /// Last day.
    pub last_day: Date,
}

/// A person attended a course on these days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// Which course.
    pub course_no: CourseNo,
    /// Who.
    pub person: SubjectId,
    /// On which days.
    pub dates: DateSet,
}

/// The level of a labour brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrandLevel {
    /// 泸字号
    City,
    /// 川字号
    Provincial,
    /// 区域性
    County,
}

impl BrandLevel {
    /// The name that policy packs use.
    pub fn key(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Provincial => "provincial",
            Self::County => "county",
        }
    }
}

/// A brand received its plaque.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plaque {
    /// Which brand.
    pub brand_no: BrandNo,
    /// Of which level.
    pub level: BrandLevel,
    /// Who applied for it.
    pub applicant: SubjectId,
    /// First day of its validity.
    pub awarded_on: Date,
    /// By which document.
    pub document: DocumentNo,
}

/// How a loan was paid back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repayment {
    /// In time.
    OnTime,
    /// It was overdue.
    Overdue,
}

/// A loan was paid back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoanSettlement {
    /// Which loan.
    pub loan_no: LoanNo,
    /// When.
    pub settled_on: Date,
    /// How.
    pub repayment: Repayment,
}

/// What kind of certificate; the four that measure 4 names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateKind {
    /// 职业资格证书
    Qualification,
    /// 职业技能等级证书
    SkillLevel,
    /// 专项职业能力证书
    SpecialAbility,
    /// 培训合格证书
    Training,
}

/// A person holds a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its number.
    pub certificate_no: CertificateNo,
    /// Who holds it.
    pub person: SubjectId,
    /// Of which kind.
    pub kind: CertificateKind,
    /// Of which level, in the issuer's words.
    pub level: Label,
    /// When it was issued.
    pub issued_on: Date,
}

/// How an authority document states its amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorityAmount {
    /// 定额: each grant is exactly this much.
    Exactly,
    /// 上限: each grant is at most this much.
    AtMost,
}

/// A document that allows grants of a programme for which the notice gives no
/// figure, and says how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Document number (文号).
    pub document: DocumentNo,
    /// For which programme.
    pub programme: ProgrammeId,
    /// For which office; the city's documents hold for its counties too.
    pub office: Office,
    /// When it is in force.
    pub window: Window,
    /// The amount of one grant.
    pub amount: Fen,
    /// How the amount is meant.
    pub stated: AuthorityAmount,
}

/// A contract for which a placement was subsidised ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractEnd {
    /// Who worked.
    pub worker: SubjectId,
    /// For whom.
    pub employer: SubjectId,
    /// The contract's first day, as it was claimed.
    pub contract_first_day: Date,
    /// The last day worked.
    pub ended_on: Date,
    /// Who says so.
    pub source: Label,
}

impl Fact {
    /// Checks what a single field cannot show.
    pub fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Appropriation(fact) if fact.amount == Fen::ZERO => {
                Err(malformed("amount_fen", Problem::NotPositive))
            }
            Self::UnemploymentBenefit(fact) => in_order("last_day", fact.first_day, fact.last_day),
            Self::Course(fact) => in_order("last_day", fact.first_day, fact.last_day),
            Self::Authority(fact) if fact.amount == Fen::ZERO => {
                Err(malformed("amount_fen", Problem::NotPositive))
            }
            Self::ContractEnd(fact) => in_order("ended_on", fact.contract_first_day, fact.ended_on),
            Self::Appropriation(_)
            | Self::PovertyStatus(_)
            | Self::UnemploymentBenefitRetraction(_)
            | Self::Attendance(_)
            | Self::Plaque(_)
            | Self::LoanSettlement(_)
            | Self::Certificate(_)
            | Self::Authority(_) => Ok(()),
        }
    }

    /// The stream that the fact belongs to by itself. A settlement belongs to
    /// the borrower's stream, which only the state knows.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Appropriation(fact) => StreamId::of(StreamKind::Fund, fact.fund.as_str()),
            Self::PovertyStatus(fact) => fact.person.into(),
            Self::UnemploymentBenefit(fact) => fact.person.into(),
            Self::UnemploymentBenefitRetraction(fact) => fact.person.into(),
            Self::Course(fact) => StreamId::of(StreamKind::Course, fact.course_no.as_str()),
            Self::Attendance(fact) => fact.person.into(),
            Self::Plaque(fact) => StreamId::of(StreamKind::Brand, fact.brand_no.as_str()),
            Self::LoanSettlement(fact) => StreamId::of(StreamKind::Loan, fact.loan_no.as_str()),
            Self::Certificate(fact) => fact.person.into(),
            Self::Authority(fact) => StreamId::of(StreamKind::Document, fact.document.as_str()),
            Self::ContractEnd(fact) => fact.worker.into(),
        }
    }

    /// The civil date that the fact is about, for the event's header.
    pub fn basis(&self) -> Option<Date> {
        match self {
            Self::Appropriation(_) | Self::UnemploymentBenefitRetraction(_) => None,
            Self::PovertyStatus(fact) => Some(fact.window.from()),
            Self::UnemploymentBenefit(fact) => Some(fact.first_day),
            Self::Course(fact) => Some(fact.first_day),
            Self::Attendance(fact) => Some(fact.dates.first()),
            Self::Plaque(fact) => Some(fact.awarded_on),
            Self::LoanSettlement(fact) => Some(fact.settled_on),
            Self::Certificate(fact) => Some(fact.issued_on),
            Self::Authority(fact) => Some(fact.window.from()),
            Self::ContractEnd(fact) => Some(fact.ended_on),
        }
    }
}

pub(crate) fn malformed(field: &'static str, problem: Problem) -> Malformed {
    Malformed { field, problem }
}

pub(crate) fn in_order(field: &'static str, first: Date, last: Date) -> Result<(), Malformed> {
    if last < first {
        return Err(malformed(field, Problem::Reversed { begins: first }));
    }
    Ok(())
}
