//! Claims: what policy decides. A claim is granted or refused as a whole.

use crate::{
    amount::Fen,
    calendar::{Date, DateSet, Window},
    fact::{in_order, malformed},
    identity::SubjectId,
    malformed::{Malformed, Problem, at},
    office::Office,
    position::{StreamId, StreamKind},
    text::{
        BrandNo, CertificateNo, ClaimNo, CourseNo, DocumentNo, FundId, Label, LoanNo, ProgrammeId,
    },
};

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// 生活（交通）费补贴, measure 4.
    TrainingAllowance(TrainingAllowance),
    /// 基地、工作室补助, measure 5.
    SkillBase(SkillBase),
    /// 就业创业服务补助, measure 15.
    ServiceSubsidy(ServiceSubsidy),
    /// 品牌奖补, measure 16.
    BrandAward(BrandAward),
    /// 创业担保贷款, measure 22.
    Loan(Loan),
    /// 贴息, measure 22.
    InterestSubsidy(InterestSubsidy),
    /// 职业培训补贴, measure 4.
    TrainingSubsidy(TrainingSubsidy),
    /// 一次性交通补助, measure 15.
    TransportAid(TransportAid),
    /// Programmes for which the notice gives no figure: measures 10, 12, 14, 22
    /// and county rules.
    Subsidy(Subsidy),
}

/// The closed list of forms a claim can take. A policy pack says which
/// programme each form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// [`Claim::TrainingAllowance`]
    TrainingAllowance,
    /// [`Claim::SkillBase`]
    SkillBase,
    /// [`Claim::ServiceSubsidy`]
    ServiceSubsidy,
    /// [`Claim::BrandAward`]
    BrandAward,
    /// [`Claim::Loan`]
    Loan,
    /// [`Claim::InterestSubsidy`]
    InterestSubsidy,
    /// [`Claim::TrainingSubsidy`]
    TrainingSubsidy,
    /// [`Claim::TransportAid`]
    TransportAid,
    /// [`Claim::Subsidy`]: the one form that several programmes may have.
    Subsidy,
}

impl Form {
    /// All forms, in the order in which they came to be.
    pub const ALL: [Self; 9] = [
        Self::TrainingAllowance,
        Self::SkillBase,
        Self::ServiceSubsidy,
        Self::BrandAward,
        Self::Loan,
        Self::InterestSubsidy,
        Self::TrainingSubsidy,
        Self::TransportAid,
        Self::Subsidy,
    ];
}

/// Living and transport allowance of a person in training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingAllowance {
    /// Its number.
    pub claim_no: ClaimNo,
    /// Who was trained and is paid.
    pub person: SubjectId,
    /// In which course.
    pub course_no: CourseNo,
    /// For which days.
    pub dates: DateSet,
    /// How much a day.
    pub daily: Fen,
    /// In all: `daily` × days.
    pub amount: Fen,
    /// From which fund.
    pub fund: FundId,
}

/// What kind of skill base was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkillBaseKind {
    /// 高技能人才培训基地
    TrainingBase,
    /// 技能大师工作室
    MasterStudio,
}

impl SkillBaseKind {
    /// The name that policy packs use.
    pub fn key(self) -> &'static str {
        match self {
            Self::TrainingBase => "training_base",
            Self::MasterStudio => "master_studio",
        }
    }
}

/// Who recognised a skill base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecognitionLevel {
    /// 国家级
    National,
    /// 省级
    Provincial,
}

impl RecognitionLevel {
    /// The name that policy packs use.
    pub fn key(self) -> &'static str {
        match self {
            Self::National => "national",
            Self::Provincial => "provincial",
        }
    }
}

/// One-time grant for a recognised skill base or studio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillBase {
    /// Its number.
    pub claim_no: ClaimNo,
    /// Who was recognised and is paid.
    pub entity: SubjectId,
    /// As what.
    pub kind: SkillBaseKind,
    /// By whom.
    pub level: RecognitionLevel,
    /// When.
    pub recognised_on: Date,
    /// By which document.
    pub document: DocumentNo,
    /// How much.
    pub amount: Fen,
    /// From which fund.
    pub fund: FundId,
}

/// Subsidy to an agency that placed a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSubsidy {
    /// Its number.
    pub claim_no: ClaimNo,
    /// Who placed the worker and is paid.
    pub agency: SubjectId,
    /// Who was placed.
    pub worker: SubjectId,
    /// With whom.
    pub employer: SubjectId,
    /// First day of the contract.
    pub contract_first_day: Date,
    /// Last day of the contract, inclusive.
    pub contract_last_day: Date,
    /// First day of social insurance, if insured.
    pub insured_from: Option<Date>,
    /// How much.
    pub amount: Fen,
    /// From which fund.
    pub fund: FundId,
}

/// One-time award to a brand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrandAward {
    /// Its number.
    pub claim_no: ClaimNo,
    /// Which brand.
    pub brand_no: BrandNo,
    /// How much.
    pub amount: Fen,
    /// When it is paid.
    pub paid_on: Date,
    /// From which fund.
    pub fund: FundId,
}

/// Who borrows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BorrowerKind {
    /// 个人
    Person,
    /// 小微企业
    SmallFirm,
}

impl BorrowerKind {
    /// The name that policy packs use.
    pub fn key(self) -> &'static str {
        match self {
            Self::Person => "personal",
            Self::SmallFirm => "firm",
        }
    }
}

/// Interest rate a year in millionths; at most 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatePpm(u32);

impl RatePpm {
    /// Checks the range.
    pub fn new(ppm: u32) -> Result<Self, Problem> {
        if ppm > 1_000_000 {
            return Err(Problem::RateRange);
        }
        Ok(Self(ppm))
    }

    /// Millionths.
    pub fn ppm(self) -> u32 {
        self.0
    }
}

/// A guaranteed startup loan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loan {
    /// Its number.
    pub loan_no: LoanNo,
    /// Person or firm.
    pub borrower_kind: BorrowerKind,
    /// Who borrows.
    pub borrower: SubjectId,
    /// How much.
    pub principal: Fen,
    /// At which rate.
    pub rate: RatePpm,
    /// When it is paid out.
    pub issued_on: Date,
    /// When it is due.
    pub due_on: Date,
    /// By which bank.
    pub bank: Label,
}

/// Subsidy of the interest of a startup loan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterestSubsidy {
    /// Its number.
    pub claim_no: ClaimNo,
    /// For which loan.
    pub loan_no: LoanNo,
    /// For which period; never open.
    pub period: Window,
    /// Interest that the borrower paid.
    pub interest: Fen,
    /// How much is claimed.
    pub amount: Fen,
    /// From which fund.
    pub fund: FundId,
}

/// Subsidy of a person's training, on a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingSubsidy {
    /// Its number.
    pub claim_no: ClaimNo,
    /// Who was trained and is paid.
    pub person: SubjectId,
    /// In which course.
    pub course_no: CourseNo,
    /// On which certificate.
    pub certificate_no: CertificateNo,
    /// The course's last day: the date that decides policy and budget year.
    /// `None` in a request; whoever decides it knows the course.
    pub completed_on: Option<Date>,
    /// How much.
    pub amount: Fen,
    /// From which fund.
    pub fund: FundId,
}

/// How somebody travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TravelMode {
    /// 铁路
    Rail,
    /// 公路
    Road,
    /// 水运（路）
    Water,
}

/// Aid for travel to work in another province.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportAid {
    /// Its number.
    pub claim_no: ClaimNo,
    /// Who travelled and is paid.
    pub person: SubjectId,
    /// To which province: its GB/T 2260 code, six digits ending in 0000.
    pub province: Office,
    /// When.
    pub travelled_on: Date,
    /// How.
    pub mode: TravelMode,
    /// How much.
    pub amount: Fen,
    /// From which fund.
    pub fund: FundId,
}

/// What was spent before and in the year that is subsidised, for a subsidy of
/// the increment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// In the year before.
    pub previous: Fen,
    /// In the year that is subsidised.
    pub current: Fen,
}

/// A subsidy that rests on an authority document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subsidy {
    /// Its number.
    pub claim_no: ClaimNo,
    /// For which programme.
    pub programme: ProgrammeId,
    /// Who is paid.
    pub recipient: SubjectId,
    /// The authority document.
    pub document: DocumentNo,
    /// The date that decides policy and budget year.
    pub due_on: Date,
    /// Spending on research and development, where the increment is subsidised.
    pub spending: Option<Spending>,
    /// How much.
    pub amount: Fen,
    /// From which fund.
    pub fund: FundId,
}

impl Claim {
    /// Checks what a single field cannot show.
    pub fn check(&self) -> Result<(), Malformed> {
        if self.amount() == Fen::ZERO {
            let field = match self {
                Self::Loan(_) => "principal_fen",
                Self::TrainingAllowance(_)
                | Self::SkillBase(_)
                | Self::ServiceSubsidy(_)
                | Self::BrandAward(_)
                | Self::InterestSubsidy(_)
                | Self::TrainingSubsidy(_)
                | Self::TransportAid(_)
                | Self::Subsidy(_) => "amount_fen",
            };
            return Err(malformed(field, Problem::NotPositive));
        }
        match self {
            Self::TrainingAllowance(claim) => {
                let expected = claim
                    .daily
                    .times(claim.dates.len())
                    .map_err(at("daily_fen"))?;
                if expected != claim.amount {
                    let expected_fen = expected.fen();
                    return Err(malformed(
                        "amount_fen",
                        Problem::AmountMismatch { expected_fen },
                    ));
                }
                Ok(())
            }
            Self::ServiceSubsidy(claim) => in_order(
                "contract_last_day",
                claim.contract_first_day,
                claim.contract_last_day,
            ),
            Self::Loan(claim) => in_order("due_on", claim.issued_on, claim.due_on),
            Self::InterestSubsidy(claim) if claim.period.until().is_none() => {
                Err(malformed("until", Problem::Missing))
            }
            Self::TransportAid(claim) if claim.province.code() % 10_000 != 0 => {
                Err(malformed("province", Problem::NotProvince))
            }
            Self::SkillBase(_)
            | Self::BrandAward(_)
            | Self::InterestSubsidy(_)
            | Self::TrainingSubsidy(_)
            | Self::TransportAid(_)
            | Self::Subsidy(_) => Ok(()),
        }
    }

    /// The form it takes.
    pub fn form(&self) -> Form {
        match self {
            Self::TrainingAllowance(_) => Form::TrainingAllowance,
            Self::SkillBase(_) => Form::SkillBase,
            Self::ServiceSubsidy(_) => Form::ServiceSubsidy,
            Self::BrandAward(_) => Form::BrandAward,
            Self::Loan(_) => Form::Loan,
            Self::InterestSubsidy(_) => Form::InterestSubsidy,
            Self::TrainingSubsidy(_) => Form::TrainingSubsidy,
            Self::TransportAid(_) => Form::TransportAid,
            Self::Subsidy(_) => Form::Subsidy,
        }
    }

    /// How much is claimed; of a loan, its principal.
    pub fn amount(&self) -> Fen {
        match self {
            Self::TrainingAllowance(claim) => claim.amount,
            Self::SkillBase(claim) => claim.amount,
            Self::ServiceSubsidy(claim) => claim.amount,
            Self::BrandAward(claim) => claim.amount,
            Self::Loan(claim) => claim.principal,
            Self::InterestSubsidy(claim) => claim.amount,
            Self::TrainingSubsidy(claim) => claim.amount,
            Self::TransportAid(claim) => claim.amount,
            Self::Subsidy(claim) => claim.amount,
        }
    }

    /// The fund it draws on; a loan draws on none.
    pub fn fund(&self) -> Option<&FundId> {
        match self {
            Self::TrainingAllowance(claim) => Some(&claim.fund),
            Self::SkillBase(claim) => Some(&claim.fund),
            Self::ServiceSubsidy(claim) => Some(&claim.fund),
            Self::BrandAward(claim) => Some(&claim.fund),
            Self::Loan(_) => None,
            Self::InterestSubsidy(claim) => Some(&claim.fund),
            Self::TrainingSubsidy(claim) => Some(&claim.fund),
            Self::TransportAid(claim) => Some(&claim.fund),
            Self::Subsidy(claim) => Some(&claim.fund),
        }
    }

    /// Replaces the fund, for example its name by its id.
    pub fn set_fund(&mut self, fund: FundId) {
        match self {
            Self::TrainingAllowance(claim) => claim.fund = fund,
            Self::SkillBase(claim) => claim.fund = fund,
            Self::ServiceSubsidy(claim) => claim.fund = fund,
            Self::BrandAward(claim) => claim.fund = fund,
            Self::Loan(_) => {}
            Self::InterestSubsidy(claim) => claim.fund = fund,
            Self::TrainingSubsidy(claim) => claim.fund = fund,
            Self::TransportAid(claim) => claim.fund = fund,
            Self::Subsidy(claim) => claim.fund = fund,
        }
    }

    /// Replaces the amount, for an adjustment; of a training allowance the daily
    /// rate with it. `false` if the amount is not a whole rate, and of a loan,
    /// which is a bank's.
    #[must_use]
    pub fn set_amount(&mut self, amount: Fen) -> bool {
        match self {
            Self::TrainingAllowance(claim) => {
                let days = i64::try_from(claim.dates.len()).unwrap_or(i64::MAX);
                let rate = amount.fen().checked_div(days).map(Fen::new);
                let Some(Ok(daily)) = rate else { return false };
                if daily.times(claim.dates.len()) != Ok(amount) {
                    return false;
                }
                claim.daily = daily;
                claim.amount = amount;
            }
            Self::SkillBase(claim) => claim.amount = amount,
            Self::ServiceSubsidy(claim) => claim.amount = amount,
            Self::BrandAward(claim) => claim.amount = amount,
            Self::Loan(_) => return false,
            Self::InterestSubsidy(claim) => claim.amount = amount,
            Self::TrainingSubsidy(claim) => claim.amount = amount,
            Self::TransportAid(claim) => claim.amount = amount,
            Self::Subsidy(claim) => claim.amount = amount,
        }
        true
    }

    /// Who is paid; `None` of a brand award, where the brand's applicant is, and
    /// of what belongs to a loan, where the borrower is: the state knows them.
    pub fn payee(&self) -> Option<SubjectId> {
        match self {
            Self::TrainingAllowance(claim) => Some(claim.person),
            Self::SkillBase(claim) => Some(claim.entity),
            Self::ServiceSubsidy(claim) => Some(claim.agency),
            Self::Loan(claim) => Some(claim.borrower),
            Self::TrainingSubsidy(claim) => Some(claim.person),
            Self::TransportAid(claim) => Some(claim.person),
            Self::Subsidy(claim) => Some(claim.recipient),
            Self::BrandAward(_) | Self::InterestSubsidy(_) => None,
        }
    }

    /// Its number as the bureau writes it: of a loan, the loan's.
    pub fn number(&self) -> &str {
        match self {
            Self::TrainingAllowance(claim) => claim.claim_no.as_str(),
            Self::SkillBase(claim) => claim.claim_no.as_str(),
            Self::ServiceSubsidy(claim) => claim.claim_no.as_str(),
            Self::BrandAward(claim) => claim.claim_no.as_str(),
            Self::Loan(claim) => claim.loan_no.as_str(),
            Self::InterestSubsidy(claim) => claim.claim_no.as_str(),
            Self::TrainingSubsidy(claim) => claim.claim_no.as_str(),
            Self::TransportAid(claim) => claim.claim_no.as_str(),
            Self::Subsidy(claim) => claim.claim_no.as_str(),
        }
    }

    /// The date that decides which policy and which budget year apply.
    pub fn basis(&self) -> Date {
        match self {
            Self::TrainingAllowance(claim) => claim.dates.first(),
            Self::SkillBase(claim) => claim.recognised_on,
            Self::ServiceSubsidy(claim) => claim.contract_first_day,
            Self::BrandAward(claim) => claim.paid_on,
            Self::Loan(claim) => claim.issued_on,
            Self::InterestSubsidy(claim) => claim.period.from(),
            Self::TrainingSubsidy(claim) => claim.completed_on.unwrap_or(Date::ZERO),
            Self::TransportAid(claim) => claim.travelled_on,
            Self::Subsidy(claim) => claim.due_on,
        }
    }

    /// The stream that the claim belongs to by itself. An interest subsidy
    /// belongs to the borrower's stream if the loan exists, which only the
    /// state knows.
    pub fn stream(&self) -> StreamId {
        match self {
            Self::TrainingAllowance(claim) => claim.person.into(),
            Self::SkillBase(claim) => claim.entity.into(),
            Self::ServiceSubsidy(claim) => claim.worker.into(),
            Self::BrandAward(claim) => StreamId::of(StreamKind::Brand, claim.brand_no.as_str()),
            Self::Loan(claim) => claim.borrower.into(),
            Self::InterestSubsidy(claim) => StreamId::of(StreamKind::Loan, claim.loan_no.as_str()),
            Self::TrainingSubsidy(claim) => claim.person.into(),
            Self::TransportAid(claim) => claim.person.into(),
            Self::Subsidy(claim) => claim.recipient.into(),
        }
    }
}
