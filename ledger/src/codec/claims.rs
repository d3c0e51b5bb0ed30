//! Claims to stored messages and back. A granted and a refused claim are the
//! same message under different fields.

use luzhang_proto::event::{self as stored, command_refused::Claim as R, event::Body as S};

use super::{day, days, numbers, optional_day, subject, unknown};
use crate::{
    amount::Fen,
    calendar::{Window, to_number},
    claim::{
        BorrowerKind, BrandAward, Claim, InterestSubsidy, Loan, RatePpm, RecognitionLevel,
        ServiceSubsidy, SkillBase, SkillBaseKind, TrainingAllowance,
    },
    malformed::{Malformed, Problem, at},
    text::{BrandNo, ClaimNo, CourseNo, DocumentNo, FundId, Label, LoanNo},
};

pub(super) fn granted_to_stored(claim: &Claim) -> S {
    match to_stored(claim) {
        R::TrainingAllowance(message) => S::TrainingAllowanceGranted(message),
        R::SkillBase(message) => S::SkillBaseGranted(message),
        R::ServiceSubsidy(message) => S::ServiceSubsidyGranted(message),
        R::BrandAward(message) => S::BrandAwardGranted(message),
        R::Loan(message) => S::LoanIssued(message),
        R::InterestSubsidy(message) => S::InterestSubsidyGranted(message),
    }
}

pub(super) fn to_stored(claim: &Claim) -> R {
    match claim {
        Claim::TrainingAllowance(claim) => R::TrainingAllowance(stored::TrainingAllowance {
            claim_no: claim.claim_no.to_string(),
            person: claim.person.as_bytes().to_vec(),
            course_no: claim.course_no.to_string(),
            dates: numbers(&claim.dates),
            daily_fen: claim.daily.fen(),
            amount_fen: claim.amount.fen(),
            fund: claim.fund.to_string(),
        }),
        Claim::SkillBase(claim) => R::SkillBase(stored::SkillBase {
            claim_no: claim.claim_no.to_string(),
            entity: claim.entity.as_bytes().to_vec(),
            kind: match claim.kind {
                SkillBaseKind::TrainingBase => stored::SkillBaseKind::TrainingBase,
                SkillBaseKind::MasterStudio => stored::SkillBaseKind::MasterStudio,
            }
            .into(),
            level: match claim.level {
                RecognitionLevel::National => stored::RecognitionLevel::National,
                RecognitionLevel::Provincial => stored::RecognitionLevel::Provincial,
            }
            .into(),
            recognised_on: to_number(claim.recognised_on),
            document: claim.document.to_string(),
            amount_fen: claim.amount.fen(),
            fund: claim.fund.to_string(),
        }),
        Claim::ServiceSubsidy(claim) => R::ServiceSubsidy(stored::ServiceSubsidy {
            claim_no: claim.claim_no.to_string(),
            agency: claim.agency.as_bytes().to_vec(),
            worker: claim.worker.as_bytes().to_vec(),
            employer: claim.employer.as_bytes().to_vec(),
            contract_first_day: to_number(claim.contract_first_day),
            contract_last_day: to_number(claim.contract_last_day),
            insured_from: claim.insured_from.map_or(0, to_number),
            amount_fen: claim.amount.fen(),
            fund: claim.fund.to_string(),
        }),
        Claim::BrandAward(claim) => R::BrandAward(stored::BrandAward {
            claim_no: claim.claim_no.to_string(),
            brand_no: claim.brand_no.to_string(),
            amount_fen: claim.amount.fen(),
            paid_on: to_number(claim.paid_on),
            fund: claim.fund.to_string(),
        }),
        Claim::Loan(claim) => R::Loan(stored::Loan {
            loan_no: claim.loan_no.to_string(),
            borrower_kind: match claim.borrower_kind {
                BorrowerKind::Person => stored::BorrowerKind::Person,
                BorrowerKind::SmallFirm => stored::BorrowerKind::SmallFirm,
            }
            .into(),
            borrower: claim.borrower.as_bytes().to_vec(),
            principal_fen: claim.principal.fen(),
            rate_ppm: claim.rate.ppm(),
            issued_on: to_number(claim.issued_on),
            due_on: to_number(claim.due_on),
            bank: claim.bank.to_string(),
        }),
        Claim::InterestSubsidy(claim) => R::InterestSubsidy(stored::InterestSubsidy {
            claim_no: claim.claim_no.to_string(),
            loan_no: claim.loan_no.to_string(),
            from: to_number(claim.period.from()),
            until: claim.period.until().map_or(0, to_number),
            interest_fen: claim.interest.fen(),
            amount_fen: claim.amount.fen(),
            fund: claim.fund.to_string(),
        }),
    }
}

pub(super) fn from_stored(message: R) -> Result<Claim, Malformed> {
    let claim = match message {
        R::TrainingAllowance(claim) => Claim::TrainingAllowance(TrainingAllowance {
            claim_no: claim_no(claim.claim_no)?,
            person: subject(&claim.person, "person")?,
            course_no: CourseNo::new(claim.course_no).map_err(at("course_no"))?,
            dates: days(&claim.dates, "dates")?,
            daily: Fen::new(claim.daily_fen).map_err(at("daily_fen"))?,
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }),
        R::SkillBase(claim) => Claim::SkillBase(SkillBase {
            kind: match claim.kind() {
                stored::SkillBaseKind::TrainingBase => SkillBaseKind::TrainingBase,
                stored::SkillBaseKind::MasterStudio => SkillBaseKind::MasterStudio,
                stored::SkillBaseKind::Unspecified => return Err(unknown("kind")),
            },
            level: match claim.level() {
                stored::RecognitionLevel::National => RecognitionLevel::National,
                stored::RecognitionLevel::Provincial => RecognitionLevel::Provincial,
                stored::RecognitionLevel::Unspecified => return Err(unknown("level")),
            },
            claim_no: claim_no(claim.claim_no)?,
            entity: subject(&claim.entity, "entity")?,
            recognised_on: day(claim.recognised_on, "recognised_on")?,
            document: DocumentNo::new(claim.document).map_err(at("document"))?,
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }),
        R::ServiceSubsidy(claim) => Claim::ServiceSubsidy(ServiceSubsidy {
            claim_no: claim_no(claim.claim_no)?,
            agency: subject(&claim.agency, "agency")?,
            worker: subject(&claim.worker, "worker")?,
            employer: subject(&claim.employer, "employer")?,
            contract_first_day: day(claim.contract_first_day, "contract_first_day")?,
            contract_last_day: day(claim.contract_last_day, "contract_last_day")?,
            insured_from: optional_day(claim.insured_from, "insured_from")?,
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }),
        R::BrandAward(claim) => Claim::BrandAward(BrandAward {
            claim_no: claim_no(claim.claim_no)?,
            brand_no: BrandNo::new(claim.brand_no).map_err(at("brand_no"))?,
            amount: amount(claim.amount_fen)?,
            paid_on: day(claim.paid_on, "paid_on")?,
            fund: fund(claim.fund)?,
        }),
        R::Loan(claim) => Claim::Loan(Loan {
            borrower_kind: match claim.borrower_kind() {
                stored::BorrowerKind::Person => BorrowerKind::Person,
                stored::BorrowerKind::SmallFirm => BorrowerKind::SmallFirm,
                stored::BorrowerKind::Unspecified => {
                    return Err(unknown("borrower_kind"));
                }
            },
            loan_no: LoanNo::new(claim.loan_no).map_err(at("loan_no"))?,
            borrower: subject(&claim.borrower, "borrower")?,
            principal: Fen::new(claim.principal_fen).map_err(at("principal_fen"))?,
            rate: RatePpm::new(claim.rate_ppm).map_err(at("rate_ppm"))?,
            issued_on: day(claim.issued_on, "issued_on")?,
            due_on: day(claim.due_on, "due_on")?,
            bank: Label::new(claim.bank).map_err(at("bank"))?,
        }),
        R::InterestSubsidy(claim) => {
            let from = day(claim.from, "from")?;
            let period = Window::new(from, optional_day(claim.until, "until")?)
                .map_err(|_| at("until")(Problem::Reversed { begins: from }))?;
            Claim::InterestSubsidy(InterestSubsidy {
                claim_no: claim_no(claim.claim_no)?,
                loan_no: LoanNo::new(claim.loan_no).map_err(at("loan_no"))?,
                period,
                interest: Fen::new(claim.interest_fen).map_err(at("interest_fen"))?,
                amount: amount(claim.amount_fen)?,
                fund: fund(claim.fund)?,
            })
        }
    };
    claim.check()?;
    Ok(claim)
}

fn claim_no(text: String) -> Result<ClaimNo, Malformed> {
    ClaimNo::new(text).map_err(at("claim_no"))
}

fn fund(text: String) -> Result<FundId, Malformed> {
    FundId::new(text).map_err(at("fund"))
}

fn amount(fen: i64) -> Result<Fen, Malformed> {
    Fen::new(fen).map_err(at("amount_fen"))
}
