//! The decision: a pure, total function of the state and a command.
//!
//! A command is *rejected* if it refers to something that cannot be (an unknown
//! fund, a course that was never registered); nothing is written. Otherwise it
//! becomes an event: a fact or a grant, or a refusal with every limit that
//! failed.

use luzhang_ledger::{
    Body, Date, DateSet, Office, Position, StreamId, StreamKind, Window,
    claim::{Claim, Form},
    event::{Conflict, Refusal},
    fact::{BudgetYear, Fact, UnemploymentBenefit},
    text::{FundId, PackId},
};
use thiserror::Error;

use crate::{
    case::Case,
    limits,
    pack::{FactKind, Pack, PackError, Rule},
    state::{Adopted, Span, State},
};

/// What is asked of the ledger, with references still to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The office that acts.
    pub office: Office,
    /// What it says.
    pub body: CommandBody,
}

/// The content of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandBody {
    /// Record a fact.
    Fact(Fact),
    /// Decide a claim.
    Claim(Claim),
    /// Adopt a policy pack: its text.
    AdoptPolicy(Box<[u8]>),
}

/// What a command becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The stream of the event.
    pub stream: StreamId,
    /// For the header.
    pub basis: Option<Date>,
    /// Where the policy that judged it was adopted.
    pub policy: Option<Position>,
    /// The event.
    pub body: Body,
    /// Conflicts that follow from it, one for each grant, in the same stream.
    pub conflicts: Vec<Conflict>,
}

/// Why a well-formed command cannot be decided. Nothing is written.
#[derive(Debug, Error)]
pub enum Rejection {
    /// No policy pack was ever adopted.
    #[error("no policy pack is adopted: run `luzhang policy adopt` first")]
    NoPolicy,
    /// The fund is not one of the pack's.
    #[error("unknown fund; the policy pack {pack} has: {known}")]
    UnknownFund {
        /// The pack asked.
        pack: PackId,
        /// Its funds.
        known: String,
    },
    /// The programme is not one of the pack's.
    #[error("unknown programme; the policy pack {pack} has: {known}")]
    UnknownProgramme {
        /// The pack asked.
        pack: PackId,
        /// Its programmes.
        known: String,
    },
    /// The pack in force has no programme for this form of claim.
    #[error("the policy pack {pack} has no programme for this kind of claim")]
    NoProgramme {
        /// The pack asked.
        pack: PackId,
    },
    /// The course was never registered.
    #[error("course {course_no} is not registered: import the course table first")]
    UnknownCourse {
        /// The number given.
        course_no: String,
    },
    /// The loan was never issued.
    #[error("loan {loan_no} is not on the ledger: it was never issued, or was refused")]
    UnknownLoan {
        /// The number given.
        loan_no: String,
    },
    /// There is no such benefit period of this person.
    #[error("position {position} is not a standing benefit period of this person")]
    UnknownBenefit {
        /// The position given.
        position: Position,
    },
    /// The course number is taken.
    #[error("course {course_no} is registered already at position {at}")]
    CourseExists {
        /// The number given.
        course_no: String,
        /// Where.
        at: u64,
    },
    /// The loan number is taken.
    #[error("loan {loan_no} is issued already at position {at}")]
    LoanExists {
        /// The number given.
        loan_no: String,
        /// Where.
        at: u64,
    },
    /// The loan is settled.
    #[error("loan {loan_no} is settled already at position {at}")]
    LoanSettled {
        /// The number given.
        loan_no: String,
        /// Where.
        at: u64,
    },
    /// The brand has a plaque.
    #[error("brand {brand_no} has its plaque already at position {at}")]
    PlaqueExists {
        /// The number given.
        brand_no: String,
        /// Where.
        at: u64,
    },
    /// The appropriation's document was recorded.
    #[error("document {document} is recorded already")]
    AppropriationExists {
        /// The number given.
        document: String,
    },
    /// The pack is not usable.
    #[error(transparent)]
    Pack(#[from] PackError),
}

impl Rejection {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPolicy => "NO_POLICY",
            Self::UnknownFund { .. } => "UNKNOWN_FUND",
            Self::UnknownProgramme { .. } => "UNKNOWN_PROGRAMME",
            Self::NoProgramme { .. } => "NO_PROGRAMME",
            Self::UnknownCourse { .. } => "UNKNOWN_COURSE",
            Self::UnknownLoan { .. } => "UNKNOWN_LOAN",
            Self::UnknownBenefit { .. } => "UNKNOWN_BENEFIT",
            Self::CourseExists { .. } => "COURSE_EXISTS",
            Self::LoanExists { .. } => "LOAN_EXISTS",
            Self::LoanSettled { .. } => "LOAN_SETTLED",
            Self::PlaqueExists { .. } => "PLAQUE_EXISTS",
            Self::AppropriationExists { .. } => "APPROPRIATION_EXISTS",
            Self::Pack(_) => "POLICY_INVALID",
        }
    }

    /// The field at fault, as on the wire; empty if none.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NoPolicy | Self::NoProgramme { .. } => "",
            Self::UnknownFund { .. } => "fund",
            Self::UnknownProgramme { .. } => "programme",
            Self::UnknownCourse { .. } | Self::CourseExists { .. } => "course_no",
            Self::UnknownLoan { .. } | Self::LoanExists { .. } | Self::LoanSettled { .. } => {
                "loan_no"
            }
            Self::UnknownBenefit { .. } => "asserted",
            Self::PlaqueExists { .. } => "brand_no",
            Self::AppropriationExists { .. } => "document",
            Self::Pack(_) => "content",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NoPolicy => "尚未启用任何政策包：请先运行 luzhang policy adopt".to_owned(),
            Self::UnknownFund { pack, known } => {
                format!("资金来源不在政策包 {pack} 之内，可用：{known}")
            }
            Self::UnknownProgramme { pack, known } => {
                format!("项目不在政策包 {pack} 之内，可用：{known}")
            }
            Self::NoProgramme { pack } => format!("政策包 {pack} 没有这类申领的项目"),
            Self::UnknownCourse { course_no } => {
                format!("班级编号 {course_no} 未登记：请先导入培训班表")
            }
            Self::UnknownLoan { loan_no } => {
                format!("贷款编号 {loan_no} 不在账上：未发放或未获受理")
            }
            Self::UnknownBenefit { position } => {
                format!("位置 {position} 不是此人有效的失业保险金领取期间")
            }
            Self::CourseExists { course_no, at } => {
                format!("班级编号 {course_no} 已在位置 {at} 登记")
            }
            Self::LoanExists { loan_no, at } => format!("贷款编号 {loan_no} 已在位置 {at} 发放"),
            Self::LoanSettled { loan_no, at } => format!("贷款编号 {loan_no} 已在位置 {at} 结清"),
            Self::PlaqueExists { brand_no, at } => {
                format!("品牌编号 {brand_no} 已在位置 {at} 授牌")
            }
            Self::AppropriationExists { document } => format!("文号 {document} 的指标已登记"),
            Self::Pack(error) => format!("政策包不可用：{error}"),
        }
    }
}

/// Decides one command.
pub fn decide(state: &State, command: Command) -> Result<Decision, Rejection> {
    match command.body {
        CommandBody::Fact(fact) => decide_fact(state, fact),
        CommandBody::Claim(claim) => decide_claim(state, command.office, claim),
        CommandBody::AdoptPolicy(content) => adopt(content),
    }
}

fn adopt(content: Box<[u8]>) -> Result<Decision, Rejection> {
    let pack = Pack::load(&content)?;
    Ok(Decision {
        stream: StreamId::of(StreamKind::Pack, pack.id.as_str()),
        basis: Some(pack.window.from()),
        policy: None,
        body: Body::PolicyPackAdopted {
            pack: pack.id.clone(),
            content,
        },
        conflicts: Vec::new(),
    })
}

fn decide_claim(state: &State, office: Office, mut claim: Claim) -> Result<Decision, Rejection> {
    let basis = claim.basis();
    let adopted = state.pack_on(basis).ok_or(Rejection::NoPolicy)?;
    let pack = &*adopted.pack;
    if pack.programme(claim.form()).is_none() {
        return Err(Rejection::NoProgramme {
            pack: pack.id.clone(),
        });
    }
    if let Some(fund) = claim.fund() {
        let fund = resolve_fund(pack, fund)?;
        claim.set_fund(fund);
    }
    if let Claim::Loan(loan) = &claim
        && let Some((_, issued)) = state.loan(loan.loan_no.as_str())
    {
        return Err(Rejection::LoanExists {
            loan_no: loan.loan_no.to_string(),
            at: issued.position,
        });
    }
    let case = Case::new(state, pack, &claim, office);
    let stream = match case.loan {
        Some((_, loan)) => loan.borrower.into(),
        None => claim.stream(),
    };
    let failures = limits::failures(&case);
    let body = if failures.is_empty() {
        Body::Granted(claim)
    } else {
        Body::Refused(Refusal { claim, failures })
    };
    Ok(Decision {
        stream,
        basis: Some(basis),
        policy: Some(adopted.position),
        body,
        conflicts: Vec::new(),
    })
}

fn resolve_fund(pack: &Pack, fund: &FundId) -> Result<FundId, Rejection> {
    let known = pack.fund(fund.as_str());
    if let Some(Ok(id)) = known.map(|known| FundId::new(&*known.id)) {
        return Ok(id);
    }
    let names: Vec<&str> = pack.funds.iter().map(|known| &*known.name.zh).collect();
    Err(Rejection::UnknownFund {
        pack: pack.id.clone(),
        known: names.join(", "),
    })
}

fn decide_fact(state: &State, mut fact: Fact) -> Result<Decision, Rejection> {
    let mut stream = fact.stream();
    let mut conflicts = Vec::new();
    match &mut fact {
        Fact::Appropriation(fact) => {
            if state.has_document(fact.document.as_str()) {
                return Err(Rejection::AppropriationExists {
                    document: fact.document.to_string(),
                });
            }
            let pack = pack_of_year(state, fact.year)?;
            fact.fund = resolve_fund(&pack.pack, &fact.fund)?;
            stream = StreamId::of(StreamKind::Fund, fact.fund.as_str());
            let programmes = &pack.pack.programmes;
            if !programmes.iter().any(|p| p.id == fact.programme.as_str()) {
                let names: Vec<&str> = programmes.iter().map(|p| &*p.id).collect();
                return Err(Rejection::UnknownProgramme {
                    pack: pack.pack.id.clone(),
                    known: names.join(", "),
                });
            }
        }
        Fact::Course(fact) => {
            if let Some((_, course)) = state.course(fact.course_no.as_str()) {
                return Err(Rejection::CourseExists {
                    course_no: fact.course_no.to_string(),
                    at: course.position,
                });
            }
        }
        Fact::Attendance(fact) => {
            if state.course(fact.course_no.as_str()).is_none() {
                return Err(Rejection::UnknownCourse {
                    course_no: fact.course_no.to_string(),
                });
            }
        }
        Fact::Plaque(fact) => {
            if let Some(plaque) = state.plaque(fact.brand_no.as_str()) {
                return Err(Rejection::PlaqueExists {
                    brand_no: fact.brand_no.to_string(),
                    at: plaque.position,
                });
            }
        }
        Fact::LoanSettlement(fact) => {
            let loan_no = fact.loan_no.as_str();
            let (_, loan) = state.loan(loan_no).ok_or_else(|| Rejection::UnknownLoan {
                loan_no: loan_no.to_owned(),
            })?;
            if let Some((_, at)) = loan.settled {
                return Err(Rejection::LoanSettled {
                    loan_no: loan_no.to_owned(),
                    at,
                });
            }
            stream = loan.borrower.into();
        }
        Fact::UnemploymentBenefit(fact) => conflicts = conflicts_with(state, fact),
        Fact::UnemploymentBenefitRetraction(fact) => {
            let asserted = fact.asserted.number();
            let standing = |span: &Span| span.position == asserted && span.standing;
            let owner = state.find(fact.person);
            if !state.benefits.of(owner).any(standing) {
                return Err(Rejection::UnknownBenefit {
                    position: fact.asserted,
                });
            }
        }
        Fact::PovertyStatus(_) => {}
    }
    Ok(Decision {
        stream,
        basis: fact.basis(),
        policy: None,
        body: Body::Fact(fact),
        conflicts,
    })
}

/// The pack whose funds and programmes a budget year uses: the one in force on
/// the year's last day, so that a year in which a pack begins is the pack's.
fn pack_of_year(state: &State, year: BudgetYear) -> Result<&Adopted, Rejection> {
    let last = Date::new(year.number(), 12, 31).map_err(|_| Rejection::NoPolicy)?;
    state.pack_on(last).ok_or(Rejection::NoPolicy)
}

/// Standing grants that a benefit period contradicts, by the policy that
/// allowed each of them.
fn conflicts_with(state: &State, fact: &UnemploymentBenefit) -> Vec<Conflict> {
    let Ok(window) = Window::inclusive(fact.first_day, fact.last_day) else {
        return Vec::new();
    };
    let span = Span {
        from: window.from(),
        until: window.until().unwrap_or(Date::MAX),
        position: 0,
        standing: true,
    };
    let owner = state.find(fact.person);
    let mut conflicts = Vec::new();
    for form in Form::ALL {
        for grant in state.grants(form, owner) {
            let policy = Position::new(grant.policy).and_then(|p| state.pack_at(p));
            let limit = policy.and_then(|pack| {
                pack.limits(form).find(|limit| {
                    matches!(
                        limit.rule,
                        Rule::NoFactOverlap {
                            fact: FactKind::UnemploymentBenefit
                        }
                    )
                })
            });
            let days = DateSet::new(limits::touched(grant, span));
            if let (Some(limit), Ok(dates), Some(grant)) =
                (limit, days, Position::new(grant.position))
            {
                conflicts.push(Conflict {
                    limit: limit.id.clone(),
                    code: limit.code.clone(),
                    grant,
                    dates,
                });
            }
        }
    }
    conflicts.sort_by_key(|conflict| conflict.grant);
    conflicts
}
