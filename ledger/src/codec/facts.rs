//! Facts to stored messages and back.

use luzhang_proto::event::{self as stored, event::Body as S, fact::Fact as F};

use super::{day, days, missing, numbers, optional_day, subject, unknown};
use crate::{
    amount::Fen,
    calendar::{Window, to_number},
    fact::{
        Appropriation, Attendance, Authority, AuthorityAmount, BrandLevel, BudgetYear, Certificate,
        CertificateKind, ContractEnd, Course, Fact, LoanSettlement, Plaque, PovertyStatus,
        Repayment, UnemploymentBenefit, UnemploymentBenefitRetraction,
    },
    malformed::{Malformed, Problem, at},
    office::Office,
    position::Position,
    text::{BrandNo, CertificateNo, CourseNo, DocumentNo, FundId, Label, LoanNo, ProgrammeId},
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
        Fact::Certificate(fact) => S::CertificateAsserted(stored::Certificate {
            certificate_no: fact.certificate_no.to_string(),
            person: fact.person.as_bytes().to_vec(),
            kind: match fact.kind {
                CertificateKind::Qualification => stored::CertificateKind::Qualification,
                CertificateKind::SkillLevel => stored::CertificateKind::SkillLevel,
                CertificateKind::SpecialAbility => stored::CertificateKind::SpecialAbility,
                CertificateKind::Training => stored::CertificateKind::Training,
            }
            .into(),
            level: fact.level.to_string(),
            issued_on: to_number(fact.issued_on),
        }),
        Fact::Authority(fact) => S::AuthorityRegistered(stored::Authority {
            document: fact.document.to_string(),
            programme: fact.programme.to_string(),
            office: fact.office.code(),
            from: to_number(fact.window.from()),
            until: fact.window.until().map_or(0, to_number),
            amount_fen: fact.amount.fen(),
            stated: match fact.stated {
                AuthorityAmount::Exactly => stored::AuthorityAmount::Exactly,
                AuthorityAmount::AtMost => stored::AuthorityAmount::AtMost,
            }
            .into(),
        }),
        Fact::ContractEnd(fact) => S::ContractEnded(stored::ContractEnd {
            worker: fact.worker.as_bytes().to_vec(),
            employer: fact.employer.as_bytes().to_vec(),
            contract_first_day: to_number(fact.contract_first_day),
            ended_on: to_number(fact.ended_on),
            source: fact.source.to_string(),
        }),
    }
}

/// A fact inside a retraction or correction. Appropriations change by steps of
/// their own and retractions are not retracted, so these have no such message.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms that are left are not facts"
)]
pub(super) fn to_message(fact: &Fact) -> stored::Fact {
    let fact = match to_stored(fact) {
        S::PovertyStatusAsserted(fact) => Some(F::PovertyStatus(fact)),
        S::UnemploymentBenefitAsserted(fact) => Some(F::UnemploymentBenefit(fact)),
        S::CourseRegistered(fact) => Some(F::Course(fact)),
        S::AttendanceRecorded(fact) => Some(F::Attendance(fact)),
        S::PlaqueAwarded(fact) => Some(F::Plaque(fact)),
        S::LoanSettled(fact) => Some(F::LoanSettlement(fact)),
        S::CertificateAsserted(fact) => Some(F::Certificate(fact)),
        S::AuthorityRegistered(fact) => Some(F::Authority(fact)),
        S::ContractEnded(fact) => Some(F::ContractEnd(fact)),
        _ => None,
    };
    stored::Fact { fact }
}

pub(super) fn from_message(
    fact: Option<stored::Fact>,
    field: &'static str,
) -> Result<Fact, Malformed> {
    let fact = match fact.and_then(|fact| fact.fact).ok_or(missing(field))? {
        F::PovertyStatus(fact) => poverty_status(fact),
        F::UnemploymentBenefit(fact) => unemployment_benefit(fact),
        F::Course(fact) => course(fact),
        F::Attendance(fact) => attendance(fact),
        F::Plaque(fact) => plaque(fact),
        F::LoanSettlement(fact) => loan_settlement(fact),
        F::Certificate(fact) => certificate(fact),
        F::Authority(fact) => authority(fact),
        F::ContractEnd(fact) => contract_end(fact),
    }?;
    fact.check()?;
    Ok(fact)
}

pub(super) fn certificate(fact: stored::Certificate) -> Result<Fact, Malformed> {
    Ok(Fact::Certificate(Certificate {
        kind: match fact.kind() {
            stored::CertificateKind::Qualification => CertificateKind::Qualification,
            stored::CertificateKind::SkillLevel => CertificateKind::SkillLevel,
            stored::CertificateKind::SpecialAbility => CertificateKind::SpecialAbility,
            stored::CertificateKind::Training => CertificateKind::Training,
            stored::CertificateKind::Unspecified => return Err(unknown("kind")),
        },
        certificate_no: CertificateNo::new(fact.certificate_no).map_err(at("certificate_no"))?,
        person: subject(&fact.person, "person")?,
        level: Label::new(fact.level).map_err(at("level"))?,
        issued_on: day(fact.issued_on, "issued_on")?,
    }))
}

pub(super) fn authority(fact: stored::Authority) -> Result<Fact, Malformed> {
    let from = day(fact.from, "from")?;
    Ok(Fact::Authority(Authority {
        stated: match fact.stated() {
            stored::AuthorityAmount::Exactly => AuthorityAmount::Exactly,
            stored::AuthorityAmount::AtMost => AuthorityAmount::AtMost,
            stored::AuthorityAmount::Unspecified => return Err(unknown("stated")),
        },
        document: DocumentNo::new(fact.document).map_err(at("document"))?,
        programme: ProgrammeId::new(fact.programme).map_err(at("programme"))?,
        office: Office::new(fact.office).map_err(at("office"))?,
        window: Window::new(from, optional_day(fact.until, "until")?)
            .map_err(|_| at("until")(Problem::Reversed { begins: from }))?,
        amount: Fen::new(fact.amount_fen).map_err(at("amount_fen"))?,
    }))
}

pub(super) fn contract_end(fact: stored::ContractEnd) -> Result<Fact, Malformed> {
    Ok(Fact::ContractEnd(ContractEnd {
        worker: subject(&fact.worker, "worker")?,
        employer: subject(&fact.employer, "employer")?,
        contract_first_day: day(fact.contract_first_day, "contract_first_day")?,
        ended_on: day(fact.ended_on, "ended_on")?,
        source: Label::new(fact.source).map_err(at("source"))?,
    }))
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
