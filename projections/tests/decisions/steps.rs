//! Facts and claims in a few words: what a row needs to say is an argument, what
//! it may change is a method, and the rest is in order.

use luzhang_ledger::{
    Date, DateSet, Fen, Office, Position, SubjectId, Window,
    claim::{
        BorrowerKind, BrandAward, Claim, InterestSubsidy, Loan, RatePpm, RecognitionLevel,
        ServiceSubsidy, SkillBase, SkillBaseKind, TrainingAllowance,
    },
    fact::{
        Appropriation, Attendance, BrandLevel, BudgetYear, Course, Fact, LoanSettlement, Plaque,
        PovertyStatus, Repayment, UnemploymentBenefit, UnemploymentBenefitRetraction,
    },
    text::{BrandNo, ClaimNo, CourseNo, DocumentNo, FundId, Label, LoanNo, Principal, ProgrammeId},
};
use luzhang_projections::{Command, decide::CommandBody};

/// One command.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) command: Command,
}

impl Step {
    /// Who takes it.
    pub(crate) fn principal(&self) -> Principal {
        match &self.command.body {
            CommandBody::Step(_, by) => by.clone(),
            _ => Principal::new("clerk").unwrap(),
        }
    }
}

/// The office and the fund of every step that names no other.
pub(crate) const OFFICE: u32 = 510_502;
pub(crate) const FUND: &str = "employment-provincial";

pub(crate) const WANG: SubjectId = subject(1);
pub(crate) const LI: SubjectId = subject(2);
pub(crate) const AGENCY: SubjectId = subject(11);
pub(crate) const OTHER_AGENCY: SubjectId = subject(12);
pub(crate) const WORKS: SubjectId = subject(21);
pub(crate) const MILL: SubjectId = subject(22);
pub(crate) const SCHOOL: SubjectId = subject(31);
pub(crate) const FIRM: SubjectId = subject(41);

pub(crate) const fn subject(number: u8) -> SubjectId {
    SubjectId::from_bytes([number; 16])
}

pub(crate) fn office(code: u32) -> Office {
    Office::new(code).unwrap()
}

pub(crate) fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Days and inclusive runs of days: `2024-03-04..2024-03-06 2024-03-11`.
pub(crate) fn days(text: &str) -> DateSet {
    let mut days = Vec::new();
    for run in text.split_whitespace() {
        let (first, last) = run.split_once("..").unwrap_or((run, run));
        let last = day(last);
        days.extend(
            day(first)
                .series(jiff::Span::new().days(1))
                .take_while(|d| *d <= last),
        );
    }
    DateSet::new(days).unwrap()
}

/// A half-open window `2024-01-01..2024-02-01`; without an end it is open.
pub(crate) fn window(text: &str) -> Window {
    let (from, until) = text.split_once("..").unwrap();
    Window::new(day(from), (!until.is_empty()).then(|| day(until))).unwrap()
}

fn fact(fact: Fact) -> Step {
    Step {
        command: Command {
            office: office(OFFICE),
            body: CommandBody::Fact(fact),
        },
    }
}

fn claim(claim: Claim) -> Step {
    Step {
        command: Command {
            office: office(OFFICE),
            body: CommandBody::Claim(claim),
        },
    }
}

pub(crate) fn budget(programme: &str, year: i64, amount: i64) -> Step {
    fact(Fact::Appropriation(Appropriation {
        document: DocumentNo::new(format!("{programme} {year} {amount}")).unwrap(),
        fund: FundId::new(FUND).unwrap(),
        programme: ProgrammeId::new(programme).unwrap(),
        office: office(OFFICE),
        year: BudgetYear::new(year).unwrap(),
        amount: fen(amount),
    }))
}

/// On the poverty list, in a half-open window.
pub(crate) fn listed(person: SubjectId, during: &str) -> Step {
    fact(Fact::PovertyStatus(PovertyStatus {
        person,
        window: window(during),
        list_version: Label::new("v1").unwrap(),
    }))
}

/// Unemployment benefit, both days inclusive.
pub(crate) fn benefit(person: SubjectId, first: &str, last: &str) -> Step {
    fact(Fact::UnemploymentBenefit(UnemploymentBenefit {
        person,
        first_day: day(first),
        last_day: day(last),
        source: Label::new("bureau").unwrap(),
    }))
}

pub(crate) fn retraction(person: SubjectId, asserted: u64) -> Step {
    fact(Fact::UnemploymentBenefitRetraction(
        UnemploymentBenefitRetraction {
            person,
            asserted: Position::new(asserted).unwrap(),
        },
    ))
}

/// A course, both days inclusive.
pub(crate) fn course(number: &str, first: &str, last: &str) -> Step {
    fact(Fact::Course(Course {
        course_no: CourseNo::new(number).unwrap(),
        provider: SCHOOL,
        trade: Label::new("welding").unwrap(),
        first_day: day(first),
        last_day: day(last),
    }))
}

pub(crate) fn attended(person: SubjectId, course: &str, on: &str) -> Step {
    fact(Fact::Attendance(Attendance {
        course_no: CourseNo::new(course).unwrap(),
        person,
        dates: days(on),
    }))
}

pub(crate) fn plaque(brand: &str, level: BrandLevel, awarded_on: &str) -> Step {
    fact(Fact::Plaque(Plaque {
        brand_no: BrandNo::new(brand).unwrap(),
        level,
        applicant: FIRM,
        awarded_on: day(awarded_on),
        document: DocumentNo::new("P1").unwrap(),
    }))
}

pub(crate) fn settled(loan: &str, repayment: Repayment) -> Step {
    fact(Fact::LoanSettlement(LoanSettlement {
        loan_no: LoanNo::new(loan).unwrap(),
        settled_on: day("2025-06-30"),
        repayment,
    }))
}

/// A training allowance at 50 yuan a day.
pub(crate) fn allowance(person: SubjectId, course: &str, on: &str) -> Step {
    let dates = days(on);
    claim(Claim::TrainingAllowance(TrainingAllowance {
        claim_no: ClaimNo::new("C1").unwrap(),
        person,
        course_no: CourseNo::new(course).unwrap(),
        amount: fen(5_000).times(dates.len()).unwrap(),
        dates,
        daily: fen(5_000),
        fund: FundId::new(FUND).unwrap(),
    }))
}

/// A skill base recognised on 2024-05-10.
pub(crate) fn base(kind: SkillBaseKind, level: RecognitionLevel, amount: i64) -> Step {
    claim(Claim::SkillBase(SkillBase {
        claim_no: ClaimNo::new("C1").unwrap(),
        entity: SCHOOL,
        kind,
        level,
        recognised_on: day("2024-05-10"),
        document: DocumentNo::new("D1").unwrap(),
        amount: fen(amount),
        fund: FundId::new(FUND).unwrap(),
    }))
}

/// 300 yuan for a worker placed by [`AGENCY`], insured from the first day on.
pub(crate) fn placement(
    worker: SubjectId,
    employer: SubjectId,
    first_day: &str,
    last_day: &str,
) -> Step {
    claim(Claim::ServiceSubsidy(ServiceSubsidy {
        claim_no: ClaimNo::new("C1").unwrap(),
        agency: AGENCY,
        worker,
        employer,
        contract_first_day: day(first_day),
        contract_last_day: day(last_day),
        insured_from: Some(day(first_day)),
        amount: fen(30_000),
        fund: FundId::new(FUND).unwrap(),
    }))
}

/// 200,000 yuan for a brand.
pub(crate) fn award(brand: &str, paid_on: &str) -> Step {
    claim(Claim::BrandAward(BrandAward {
        claim_no: ClaimNo::new("C1").unwrap(),
        brand_no: BrandNo::new(brand).unwrap(),
        amount: fen(20_000_000),
        paid_on: day(paid_on),
        fund: FundId::new(FUND).unwrap(),
    }))
}

/// A personal loan.
pub(crate) fn loan(number: &str, borrower: SubjectId, principal: i64, issued_on: &str) -> Step {
    claim(Claim::Loan(Loan {
        loan_no: LoanNo::new(number).unwrap(),
        borrower_kind: BorrowerKind::Person,
        borrower,
        principal: fen(principal),
        rate: RatePpm::new(35_000).unwrap(),
        issued_on: day(issued_on),
        due_on: day("2029-12-31"),
        bank: Label::new("bank").unwrap(),
    }))
}

/// Interest of a half-open period: paid, and claimed back.
pub(crate) fn interest(loan: &str, period: &str, paid: i64, amount: i64) -> Step {
    claim(Claim::InterestSubsidy(InterestSubsidy {
        claim_no: ClaimNo::new("C1").unwrap(),
        loan_no: LoanNo::new(loan).unwrap(),
        period: window(period),
        interest: fen(paid),
        amount: fen(amount),
        fund: FundId::new(FUND).unwrap(),
    }))
}

impl Step {
    #[track_caller]
    fn claimed(&mut self) -> &mut Claim {
        match &mut self.command.body {
            CommandBody::Claim(claim) => claim,
            other => panic!("not a claim: {other:?}"),
        }
    }

    /// Another daily rate, and the amount that follows from it.
    #[track_caller]
    pub(crate) fn rate(mut self, rate: i64) -> Self {
        match self.claimed() {
            Claim::TrainingAllowance(claim) => {
                claim.daily = fen(rate);
                claim.amount = fen(rate).times(claim.dates.len()).unwrap();
            }
            other => panic!("no daily rate: {other:?}"),
        }
        self
    }

    #[track_caller]
    pub(crate) fn amount(mut self, amount: i64) -> Self {
        match self.claimed() {
            Claim::SkillBase(claim) => claim.amount = fen(amount),
            Claim::ServiceSubsidy(claim) => claim.amount = fen(amount),
            Claim::BrandAward(claim) => claim.amount = fen(amount),
            Claim::InterestSubsidy(claim) => claim.amount = fen(amount),
            other => panic!("no amount of its own: {other:?}"),
        }
        self
    }

    /// From another fund.
    pub(crate) fn fund(mut self, fund: &str) -> Self {
        let fund = FundId::new(fund).unwrap();
        match &mut self.command.body {
            CommandBody::Fact(Fact::Appropriation(fact)) => fact.fund = fund,
            CommandBody::Claim(claim) => claim.set_fund(fund),
            other => panic!("no fund: {other:?}"),
        }
        self
    }

    /// By, or to, another office.
    pub(crate) fn at(mut self, code: u32) -> Self {
        if let CommandBody::Fact(Fact::Appropriation(fact)) = &mut self.command.body {
            fact.office = office(code);
        }
        self.command.office = office(code);
        self
    }

    /// Under another document.
    pub(crate) fn document(mut self, number: &str) -> Self {
        match &mut self.command.body {
            CommandBody::Fact(Fact::Appropriation(fact)) => {
                fact.document = DocumentNo::new(number).unwrap();
            }
            other => panic!("no document: {other:?}"),
        }
        self
    }

    /// Recognised on another day.
    #[track_caller]
    pub(crate) fn recognised(mut self, on: &str) -> Self {
        match self.claimed() {
            Claim::SkillBase(claim) => claim.recognised_on = day(on),
            other => panic!("not recognised: {other:?}"),
        }
        self
    }

    /// Of another entity.
    #[track_caller]
    pub(crate) fn of(mut self, entity: SubjectId) -> Self {
        match self.claimed() {
            Claim::SkillBase(claim) => claim.entity = entity,
            other => panic!("no entity: {other:?}"),
        }
        self
    }

    #[track_caller]
    pub(crate) fn insured(mut self, from: Option<&str>) -> Self {
        match self.claimed() {
            Claim::ServiceSubsidy(claim) => claim.insured_from = from.map(day),
            other => panic!("no insurance: {other:?}"),
        }
        self
    }

    #[track_caller]
    pub(crate) fn by(mut self, agency: SubjectId) -> Self {
        match self.claimed() {
            Claim::ServiceSubsidy(claim) => claim.agency = agency,
            other => panic!("no agency: {other:?}"),
        }
        self
    }

    /// Borrowed as a small firm.
    #[track_caller]
    pub(crate) fn of_firm(mut self) -> Self {
        match self.claimed() {
            Claim::Loan(claim) => claim.borrower_kind = BorrowerKind::SmallFirm,
            other => panic!("no borrower: {other:?}"),
        }
        self
    }
}
