//! Facts to stored messages and back.

use luzhang_proto::event::{self as stored, event::Body as S};

use super::{day, days, missing, numbers, optional_day, subject, unknown};
use crate::{
    amount::Fen,
    calendar::{Window, to_number},
    fact::{
        Appropriation, Attendance, BrandLevel, BudgetYear, Course, Fact, LoanSettlement, Plaque,
        PovertyStatus, Repayment, UnemploymentBenefit, UnemploymentBenefitRetraction,
    },
    malformed::{Malformed, Problem, at},
    office::Office,
    position::Position,
    text::{BrandNo, CourseNo, DocumentNo, FundId, Label, LoanNo, ProgrammeId},
};

pub(super) fn to_stored(fact: &Fact) -> S {
    match fact {
        Fact::Appropriation(fact) => S::AppropriationGranted(stored::Appropriation {
            document: fact.document.to_string(),
            fund: fact.fund.to_string(),
            programme: fact.programme.to_string(),
            office: fact.office.code(),
            year: u32::from(fact.year.number().unsigned_abs()),
            amount_fen: fact.amount.fen(),
        }),
        Fact::PovertyStatus(fact) => S::PovertyStatusAsserted(stored::PovertyStatus {
            person: fact.person.as_bytes().to_vec(),
            from: to_number(fact.window.from()),
            until: fact.window.until().map_or(0, to_number),
            list_version: fact.list_version.to_string(),
        }),
        Fact::UnemploymentBenefit(fact) => {
            S::UnemploymentBenefitAsserted(stored::UnemploymentBenefit {
                person: fact.person.as_bytes().to_vec(),
                first_day: to_number(fact.first_day),
                last_day: to_number(fact.last_day),
                source: fact.source.to_string(),
            })
        }
        Fact::UnemploymentBenefitRetraction(fact) => {
            S::UnemploymentBenefitRetracted(stored::UnemploymentBenefitRetraction {
                person: fact.person.as_bytes().to_vec(),
                asserted: fact.asserted.number(),
            })
        }
        Fact::Course(fact) => S::CourseRegistered(stored::Course {
            course_no: fact.course_no.to_string(),
            provider: fact.provider.as_bytes().to_vec(),
            trade: fact.trade.to_string(),
            first_day: to_number(fact.first_day),
            last_day: to_number(fact.last_day),
        }),
        Fact::Attendance(fact) => S::AttendanceRecorded(stored::Attendance {
            course_no: fact.course_no.to_string(),
            person: fact.person.as_bytes().to_vec(),
            dates: numbers(&fact.dates),
        }),
        Fact::Plaque(fact) => S::PlaqueAwarded(stored::Plaque {
            brand_no: fact.brand_no.to_string(),
            level: match fact.level {
                BrandLevel::City => stored::BrandLevel::City,
                BrandLevel::Provincial => stored::BrandLevel::Provincial,
                BrandLevel::County => stored::BrandLevel::County,
            }
            .into(),
            applicant: fact.applicant.as_bytes().to_vec(),
            awarded_on: to_number(fact.awarded_on),
            document: fact.document.to_string(),
        }),
        Fact::LoanSettlement(fact) => S::LoanSettled(stored::LoanSettlement {
            loan_no: fact.loan_no.to_string(),
            settled_on: to_number(fact.settled_on),
            repayment: match fact.repayment {
                Repayment::OnTime => stored::Repayment::OnTime,
                Repayment::Overdue => stored::Repayment::Overdue,
            }
            .into(),
        }),
    }
}

pub(super) fn appropriation(fact: stored::Appropriation) -> Result<Fact, Malformed> {
    Ok(Fact::Appropriation(Appropriation {
        document: DocumentNo::new(fact.document).map_err(at("document"))?,
        fund: FundId::new(fact.fund).map_err(at("fund"))?,
        programme: ProgrammeId::new(fact.programme).map_err(at("programme"))?,
        office: Office::new(fact.office).map_err(at("office"))?,
        year: BudgetYear::new(fact.year.into()).map_err(at("year"))?,
        amount: Fen::new(fact.amount_fen).map_err(at("amount_fen"))?,
    }))
}

pub(super) fn poverty_status(fact: stored::PovertyStatus) -> Result<Fact, Malformed> {
    let from = day(fact.from, "from")?;
    let window = Window::new(from, optional_day(fact.until, "until")?)
        .map_err(|_| at("until")(Problem::Reversed { begins: from }))?;
    Ok(Fact::PovertyStatus(PovertyStatus {
        person: subject(&fact.person, "person")?,
        window,
        list_version: Label::new(fact.list_version).map_err(at("list_version"))?,
    }))
}

pub(super) fn unemployment_benefit(fact: stored::UnemploymentBenefit) -> Result<Fact, Malformed> {
    Ok(Fact::UnemploymentBenefit(UnemploymentBenefit {
        person: subject(&fact.person, "person")?,
        first_day: day(fact.first_day, "first_day")?,
        last_day: day(fact.last_day, "last_day")?,
        source: Label::new(fact.source).map_err(at("source"))?,
    }))
}

pub(super) fn unemployment_benefit_retraction(
    fact: &stored::UnemploymentBenefitRetraction,
) -> Result<Fact, Malformed> {
    Ok(Fact::UnemploymentBenefitRetraction(
        UnemploymentBenefitRetraction {
            person: subject(&fact.person, "person")?,
            asserted: Position::new(fact.asserted).ok_or(missing("asserted"))?,
        },
    ))
}

pub(super) fn course(fact: stored::Course) -> Result<Fact, Malformed> {
    Ok(Fact::Course(Course {
        course_no: CourseNo::new(fact.course_no).map_err(at("course_no"))?,
        provider: subject(&fact.provider, "provider")?,
        trade: Label::new(fact.trade).map_err(at("trade"))?,
        first_day: day(fact.first_day, "first_day")?,
        last_day: day(fact.last_day, "last_day")?,
    }))
}

pub(super) fn attendance(fact: stored::Attendance) -> Result<Fact, Malformed> {
    Ok(Fact::Attendance(Attendance {
        course_no: CourseNo::new(fact.course_no).map_err(at("course_no"))?,
        person: subject(&fact.person, "person")?,
        dates: days(&fact.dates, "dates")?,
    }))
}

pub(super) fn plaque(fact: stored::Plaque) -> Result<Fact, Malformed> {
    Ok(Fact::Plaque(Plaque {
        level: match fact.level() {
            stored::BrandLevel::City => BrandLevel::City,
            stored::BrandLevel::Provincial => BrandLevel::Provincial,
            stored::BrandLevel::County => BrandLevel::County,
            stored::BrandLevel::Unspecified => return Err(unknown("level")),
        },
        brand_no: BrandNo::new(fact.brand_no).map_err(at("brand_no"))?,
        applicant: subject(&fact.applicant, "applicant")?,
        awarded_on: day(fact.awarded_on, "awarded_on")?,
        document: DocumentNo::new(fact.document).map_err(at("document"))?,
    }))
}

pub(super) fn loan_settlement(fact: stored::LoanSettlement) -> Result<Fact, Malformed> {
    Ok(Fact::LoanSettlement(LoanSettlement {
        repayment: match fact.repayment() {
            stored::Repayment::OnTime => Repayment::OnTime,
            stored::Repayment::Overdue => Repayment::Overdue,
            stored::Repayment::Unspecified => return Err(unknown("repayment")),
        },
        loan_no: LoanNo::new(fact.loan_no).map_err(at("loan_no"))?,
        settled_on: day(fact.settled_on, "settled_on")?,
    }))
}
