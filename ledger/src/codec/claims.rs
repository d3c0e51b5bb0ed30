//! Claims to stored messages and back. A granted and a refused claim are the
//! same message under different fields.

use luzhang_proto::event::{
    self as stored, claim::Claim as M, command_refused::Claim as R, event::Body as S,
};

use super::{day, days, missing, numbers, optional_day, subject, unknown};
use crate::{
    amount::Fen,
    calendar::{Window, to_number},
    claim::{
        BorrowerKind, BrandAward, Claim, InterestSubsidy, Loan, RatePpm, RecognitionLevel,
        ServiceSubsidy, SkillBase, SkillBaseKind, Spending, Subsidy, TrainingAllowance,
        TrainingSubsidy, TransportAid, TravelMode,
    },
    malformed::{Malformed, Problem, at},
    office::Office,
    text::{
        BrandNo, CertificateNo, ClaimNo, CourseNo, DocumentNo, FundId, Label, LoanNo, ProgrammeId,
    },
};

pub(super) fn granted_to_stored(claim: &Claim) -> S {
    match to_stored(claim) {
        R::TrainingAllowance(message) => S::TrainingAllowanceGranted(message),
        R::SkillBase(message) => S::SkillBaseGranted(message),
        R::ServiceSubsidy(message) => S::ServiceSubsidyGranted(message),
        R::BrandAward(message) => S::BrandAwardGranted(message),
        R::Loan(message) => S::LoanIssued(message),
        R::InterestSubsidy(message) => S::InterestSubsidyGranted(message),
        R::TrainingSubsidy(message) => S::TrainingSubsidyGranted(message),
        R::TransportAid(message) => S::TransportAidGranted(message),
        R::Subsidy(message) => S::SubsidyGranted(message),
    }
}

/// A claim inside an adjustment.
pub(super) fn to_message(claim: &Claim) -> stored::Claim {
    let claim = match to_stored(claim) {
        R::TrainingAllowance(message) => M::TrainingAllowance(message),
        R::SkillBase(message) => M::SkillBase(message),
        R::ServiceSubsidy(message) => M::ServiceSubsidy(message),
        R::BrandAward(message) => M::BrandAward(message),
        R::Loan(message) => M::Loan(message),
        R::InterestSubsidy(message) => M::InterestSubsidy(message),
        R::TrainingSubsidy(message) => M::TrainingSubsidy(message),
        R::TransportAid(message) => M::TransportAid(message),
        R::Subsidy(message) => M::Subsidy(message),
    };
    stored::Claim { claim: Some(claim) }
}

pub(super) fn from_message(claim: Option<stored::Claim>) -> Result<Claim, Malformed> {
    let claim = claim.and_then(|claim| claim.claim);
    from_stored(match claim.ok_or(missing("claim"))? {
        M::TrainingAllowance(message) => R::TrainingAllowance(message),
        M::SkillBase(message) => R::SkillBase(message),
        M::ServiceSubsidy(message) => R::ServiceSubsidy(message),
        M::BrandAward(message) => R::BrandAward(message),
        M::Loan(message) => R::Loan(message),
        M::InterestSubsidy(message) => R::InterestSubsidy(message),
        M::TrainingSubsidy(message) => R::TrainingSubsidy(message),
        M::TransportAid(message) => R::TransportAid(message),
        M::Subsidy(message) => R::Subsidy(message),
    })
}

#[expect(clippy::too_many_lines, reason = "one arm a message")]
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
        Claim::TrainingSubsidy(claim) => R::TrainingSubsidy(stored::TrainingSubsidy {
            claim_no: claim.claim_no.to_string(),
            person: claim.person.as_bytes().to_vec(),
            course_no: claim.course_no.to_string(),
            certificate_no: claim.certificate_no.to_string(),
            completed_on: claim.completed_on.map_or(0, to_number),
            amount_fen: claim.amount.fen(),
            fund: claim.fund.to_string(),
        }),
        Claim::TransportAid(claim) => R::TransportAid(stored::TransportAid {
            claim_no: claim.claim_no.to_string(),
            person: claim.person.as_bytes().to_vec(),
            province: claim.province.code(),
            travelled_on: to_number(claim.travelled_on),
            mode: match claim.mode {
                TravelMode::Rail => stored::TravelMode::Rail,
                TravelMode::Road => stored::TravelMode::Road,
                TravelMode::Water => stored::TravelMode::Water,
            }
            .into(),
            amount_fen: claim.amount.fen(),
            fund: claim.fund.to_string(),
        }),
        Claim::Subsidy(claim) => R::Subsidy(stored::Subsidy {
            claim_no: claim.claim_no.to_string(),
            programme: claim.programme.to_string(),
            recipient: claim.recipient.as_bytes().to_vec(),
            document: claim.document.to_string(),
            due_on: to_number(claim.due_on),
            spending: claim.spending.map(|spending| stored::Spending {
                previous_fen: spending.previous.fen(),
                current_fen: spending.current.fen(),
            }),
            amount_fen: claim.amount.fen(),
            fund: claim.fund.to_string(),
        }),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm a message")]
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
        R::TrainingSubsidy(claim) => Claim::TrainingSubsidy(TrainingSubsidy {
            claim_no: claim_no(claim.claim_no)?,
            person: subject(&claim.person, "person")?,
            course_no: CourseNo::new(claim.course_no).map_err(at("course_no"))?,
            certificate_no: CertificateNo::new(claim.certificate_no)
                .map_err(at("certificate_no"))?,
            completed_on: Some(day(claim.completed_on, "completed_on")?),
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }),
        R::TransportAid(claim) => Claim::TransportAid(TransportAid {
            mode: match claim.mode() {
                stored::TravelMode::Rail => TravelMode::Rail,
                stored::TravelMode::Road => TravelMode::Road,
                stored::TravelMode::Water => TravelMode::Water,
                stored::TravelMode::Unspecified => return Err(unknown("mode")),
            },
            claim_no: claim_no(claim.claim_no)?,
            person: subject(&claim.person, "person")?,
            province: Office::new(claim.province).map_err(at("province"))?,
            travelled_on: day(claim.travelled_on, "travelled_on")?,
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }),
        R::Subsidy(claim) => Claim::Subsidy(Subsidy {
            claim_no: claim_no(claim.claim_no)?,
            programme: ProgrammeId::new(claim.programme).map_err(at("programme"))?,
            recipient: subject(&claim.recipient, "recipient")?,
            document: DocumentNo::new(claim.document).map_err(at("document"))?,
            due_on: day(claim.due_on, "due_on")?,
            spending: match claim.spending {
                None => None,
                Some(spending) => Some(Spending {
                    previous: Fen::new(spending.previous_fen).map_err(at("previous_fen"))?,
                    current: Fen::new(spending.current_fen).map_err(at("current_fen"))?,
                }),
            },
            amount: amount(claim.amount_fen)?,
            fund: fund(claim.fund)?,
        }),
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
