//! A slow, obvious model of decisions: for every question it looks through the
//! whole history. It is written from the limit catalogue and shares nothing with
//! the code that it checks; the figures of the notice stand here once more.

mod measures;

use luzhang_ledger::{
    Date, Position, SubjectId,
    claim::{Claim, Loan, TrainingAllowance},
    fact::{Appropriation, Fact, Repayment, UnemploymentBenefit},
};
use luzhang_projections::{Command, decide::CommandBody};

use crate::given::{GRANTED, Outcome, RECORDED, conflicts, refused, rejected};

/// What is on the chain, as far as anything follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) position: u64,
    pub(crate) office: u32,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Fact(Fact),
    Granted(Claim),
    Refused,
}

/// The history since the built-in pack was adopted at position 1.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) history: Vec<Entry>,
    pub(crate) conflicts: usize,
    /// Grants and their days that a standing benefit period touches.
    open: Vec<(u64, Vec<Date>)>,
    next: u64,
}

type Ymd = (i16, i8, i8);

fn ymd(day: Date) -> Ymd {
    (day.year(), day.month(), day.day())
}

/// A date as three numbers, some years later: 29 February stays that, between 28
/// February and 1 March.
fn years_later((year, month, day): Ymd, years: i16) -> Ymd {
    (year + years, month, day)
}

const FUNDS: [(&str, &str); 7] = [
    ("employment-central", "中央就业创业补助资金"),
    ("employment-provincial", "省级就业创业补助资金"),
    ("employment-city", "市级就业创业补助资金"),
    ("skills-action", "职业技能提升行动专账资金"),
    ("rural-revitalisation", "衔接推进乡村振兴补助资金"),
    ("startup-loan-interest", "创业担保贷款贴息资金"),
    ("county", "县级财政资金"),
];

const PROGRAMMES: [&str; 14] = [
    "training-allowance",
    "training-subsidy",
    "skill-base",
    "service-subsidy",
    "transport-aid",
    "brand-award",
    "startup-loan",
    "interest-subsidy",
    "startup-subsidy",
    "startup-training-subsidy",
    "elder-care-support",
    "rent-relief",
    "rnd-subsidy",
    "other-subsidy",
];

pub(crate) fn fund_id(text: &str) -> Option<&'static str> {
    let found = FUNDS.iter().find(|(id, zh)| *id == text || *zh == text);
    found.map(|(id, _)| *id)
}

pub(crate) fn programme(claim: &Claim) -> &'static str {
    match claim {
        Claim::TrainingAllowance(_) => "training-allowance",
        Claim::SkillBase(_) => "skill-base",
        Claim::ServiceSubsidy(_) => "service-subsidy",
        Claim::BrandAward(_) => "brand-award",
        Claim::Loan(_) => "startup-loan",
        Claim::InterestSubsidy(_) => "interest-subsidy",
        Claim::TrainingSubsidy(_) => "training-subsidy",
        Claim::TransportAid(_) => "transport-aid",
        Claim::Subsidy(_) => unreachable!("not part of these histories"),
    }
}

/// The date of the window, the budget year and the parameters.
pub(crate) fn basis(claim: &Claim) -> Date {
    match claim {
        Claim::TrainingAllowance(claim) => *claim.dates.days().iter().min().unwrap(),
        Claim::SkillBase(claim) => claim.recognised_on,
        Claim::ServiceSubsidy(claim) => claim.contract_first_day,
        Claim::BrandAward(claim) => claim.paid_on,
        Claim::Loan(claim) => claim.issued_on,
        Claim::InterestSubsidy(claim) => claim.period.from(),
        Claim::TrainingSubsidy(claim) => claim.completed_on.unwrap(),
        Claim::TransportAid(claim) => claim.travelled_on,
        Claim::Subsidy(claim) => claim.due_on,
    }
}

/// The days that are judged one by one.
fn days(claim: &Claim) -> Vec<Date> {
    match claim {
        Claim::TrainingAllowance(claim) => claim.dates.days().to_vec(),
        _ => vec![basis(claim)],
    }
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            history: Vec::new(),
            conflicts: 0,
            open: Vec::new(),
            next: 2,
        }
    }

    /// What must become of a command.
    pub(crate) fn answer(&self, command: &Command) -> Outcome {
        match &command.body {
            CommandBody::Fact(fact) => self.fact(fact),
            CommandBody::Claim(claim) => self.claim(claim, command.office.code()),
            CommandBody::AdoptPolicy(_) => RECORDED,
            _ => unreachable!("not part of these histories"),
        }
    }

    /// Puts a command and its outcome into the history.
    pub(crate) fn note(&mut self, command: &Command, outcome: &Outcome) {
        let mut follow = match outcome {
            Outcome::Rejected(_) => return,
            Outcome::Conflicts(grants) => grants.len(),
            Outcome::Recorded | Outcome::Granted | Outcome::Refused(_) => 0,
        };
        let raised = follow;
        if let CommandBody::Fact(Fact::UnemploymentBenefit(fact)) = &command.body {
            self.open.extend(self.touched(fact));
        }
        let what = match (&command.body, outcome) {
            (CommandBody::Fact(fact), _) => What::Fact(fact.clone()),
            (CommandBody::Claim(claim), Outcome::Granted) => What::Granted(claim.clone()),
            _ => What::Refused,
        };
        self.history.push(Entry {
            position: self.next,
            office: command.office.code(),
            what,
        });
        if let CommandBody::Fact(Fact::UnemploymentBenefitRetraction(_)) = &command.body {
            follow = self.clear();
        }
        self.conflicts += raised;
        self.next += 1 + follow as u64;
    }

    /// Forgets conflicts on days that no benefit period touches any more, and
    /// says how many.
    fn clear(&mut self) -> usize {
        let open = std::mem::take(&mut self.open);
        let before = open.len();
        let still = |(grant, days): &(u64, Vec<Date>)| {
            let granted = self.grants().find(|(entry, _)| entry.position == *grant);
            let Some((_, Claim::TrainingAllowance(claim))) = granted else {
                return false;
            };
            days.iter()
                .any(|day| self.draws_benefit(claim.person, *day))
        };
        let open: Vec<_> = open.into_iter().filter(still).collect();
        self.open = open;
        before - self.open.len()
    }

    /// Whether a benefit period that was not retracted holds the day.
    fn draws_benefit(&self, person: SubjectId, day: Date) -> bool {
        self.facts().any(|(position, fact)| {
            matches!(fact, Fact::UnemploymentBenefit(b)
                if b.person == person && b.first_day <= day && day <= b.last_day)
                && !self.retracted(position)
        })
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = (u64, &Fact)> {
        self.history.iter().filter_map(|entry| match &entry.what {
            What::Fact(fact) => Some((entry.position, fact)),
            What::Granted(_) | What::Refused => None,
        })
    }

    pub(crate) fn grants(&self) -> impl Iterator<Item = (&Entry, &Claim)> {
        self.history.iter().filter_map(|entry| match &entry.what {
            What::Granted(claim) => Some((entry, claim)),
            What::Fact(_) | What::Refused => None,
        })
    }

    fn allowances(&self, of: SubjectId) -> impl Iterator<Item = (u64, &TrainingAllowance)> {
        self.grants().filter_map(move |(entry, claim)| match claim {
            Claim::TrainingAllowance(claim) if claim.person == of => Some((entry.position, claim)),
            _ => None,
        })
    }

    fn issued(&self) -> impl Iterator<Item = &Loan> {
        self.grants().filter_map(|(_, claim)| match claim {
            Claim::Loan(loan) => Some(loan),
            _ => None,
        })
    }

    /// First and last day of a course.
    fn course(&self, number: &str) -> Option<(Date, Date)> {
        self.facts().find_map(|(_, fact)| match fact {
            Fact::Course(course) if course.course_no.as_str() == number => {
                Some((course.first_day, course.last_day))
            }
            _ => None,
        })
    }

    fn repayment(&self, number: &str) -> Option<Repayment> {
        self.facts().find_map(|(_, fact)| match fact {
            Fact::LoanSettlement(fact) if fact.loan_no.as_str() == number => Some(fact.repayment),
            _ => None,
        })
    }

    fn retracted(&self, asserted: u64) -> bool {
        self.facts().any(|(_, fact)| match fact {
            Fact::UnemploymentBenefitRetraction(fact) => fact.asserted.number() == asserted,
            _ => false,
        })
    }

    fn listed(&self, person: SubjectId, day: Date) -> bool {
        self.facts().any(|(_, fact)| match fact {
            Fact::PovertyStatus(fact) => {
                let end = fact.window.until().unwrap_or(Date::MAX);
                fact.person == person && fact.window.from() <= day && day < end
            }
            _ => false,
        })
    }

    fn fact(&self, fact: &Fact) -> Outcome {
        match fact {
            Fact::Appropriation(fact) => {
                let same = |(_, known): (u64, &Fact)| matches!(known, Fact::Appropriation(known) if known.document == fact.document);
                if self.facts().any(same) {
                    rejected("APPROPRIATION_EXISTS")
                } else if fund_id(fact.fund.as_str()).is_none() {
                    rejected("UNKNOWN_FUND")
                } else if !PROGRAMMES.contains(&fact.programme.as_str()) {
                    rejected("UNKNOWN_PROGRAMME")
                } else {
                    RECORDED
                }
            }
            Fact::Course(fact) if self.course(fact.course_no.as_str()).is_some() => {
                rejected("COURSE_EXISTS")
            }
            Fact::Attendance(fact) if self.course(fact.course_no.as_str()).is_none() => {
                rejected("UNKNOWN_COURSE")
            }
            Fact::Plaque(fact) if self.plaque(fact.brand_no.as_str()).is_some() => {
                rejected("PLAQUE_EXISTS")
            }
            Fact::LoanSettlement(fact) => {
                let number = fact.loan_no.as_str();
                if !self.issued().any(|loan| loan.loan_no.as_str() == number) {
                    rejected("UNKNOWN_LOAN")
                } else if self.repayment(number).is_some() {
                    rejected("LOAN_SETTLED")
                } else {
                    RECORDED
                }
            }
            Fact::UnemploymentBenefitRetraction(fact) => {
                let asserted = fact.asserted.number();
                let stands = self.facts().any(|(position, known)| {
                    position == asserted
                        && matches!(known, Fact::UnemploymentBenefit(b) if b.person == fact.person)
                });
                if stands && !self.retracted(asserted) {
                    RECORDED
                } else {
                    rejected("UNKNOWN_BENEFIT")
                }
            }
            Fact::UnemploymentBenefit(fact) => {
                let touched = self.touched(fact);
                if touched.is_empty() {
                    RECORDED
                } else {
                    conflicts(&touched.iter().map(|(grant, _)| *grant).collect::<Vec<_>>())
                }
            }
            Fact::Course(_) | Fact::Attendance(_) | Fact::Plaque(_) | Fact::PovertyStatus(_) => {
                RECORDED
            }
            Fact::Certificate(_) | Fact::Authority(_) | Fact::ContractEnd(_) => {
                unreachable!("not part of these histories")
            }
        }
    }

    /// The grants that a benefit period contradicts, and on which days.
    pub(crate) fn touched(&self, benefit: &UnemploymentBenefit) -> Vec<(u64, Vec<Date>)> {
        let grants = self.allowances(benefit.person).map(|(position, claim)| {
            let inside = |day: &&Date| benefit.first_day <= **day && **day <= benefit.last_day;
            (
                position,
                claim.dates.days().iter().filter(inside).copied().collect(),
            )
        });
        grants
            .filter(|(_, days): &(u64, Vec<Date>)| !days.is_empty())
            .collect()
    }

    fn claim(&self, claim: &Claim, office: u32) -> Outcome {
        if claim
            .fund()
            .is_some_and(|fund| fund_id(fund.as_str()).is_none())
        {
            return rejected("UNKNOWN_FUND");
        }
        let mut codes = Vec::new();
        let window = (2023, 12, 17)..(2026, 12, 17);
        if days(claim).iter().any(|day| !window.contains(&ymd(*day))) {
            codes.push("OUT_OF_WINDOW");
        }
        if self.over_budget(claim, office) {
            codes.push("BUDGET_EXCEEDED");
        }
        match claim {
            Claim::TrainingAllowance(claim) => self.training(claim, &mut codes),
            Claim::SkillBase(claim) => self.skill_base(claim, &mut codes),
            Claim::ServiceSubsidy(claim) => self.placement(claim, &mut codes),
            Claim::BrandAward(claim) => {
                if !self.plaque_in_force(claim) {
                    return refused("M16_EXPIRED");
                }
                self.award(claim, &mut codes);
            }
            Claim::Loan(loan) => {
                if self.issued().any(|other| other.loan_no == loan.loan_no) {
                    return rejected("LOAN_EXISTS");
                }
                self.loan(loan, &mut codes);
            }
            Claim::InterestSubsidy(claim) => {
                let Some(loan) = self.issued().find(|loan| loan.loan_no == claim.loan_no) else {
                    return refused("M22_NO_LOAN");
                };
                self.interest(claim, loan, &mut codes);
            }
            Claim::TrainingSubsidy(_) | Claim::TransportAid(_) | Claim::Subsidy(_) => {
                unreachable!("not part of these histories")
            }
        }
        if codes.is_empty() {
            GRANTED
        } else {
            refused(&codes.join(" "))
        }
    }

    fn over_budget(&self, claim: &Claim, office: u32) -> bool {
        let Some(fund) = claim.fund().and_then(|fund| fund_id(fund.as_str())) else {
            return false;
        };
        let year = basis(claim).year();
        let (mut appropriated, mut committed) = (0, 0);
        for (_, fact) in self.facts() {
            if let Fact::Appropriation(Appropriation {
                fund: of,
                programme: for_programme,
                office: to,
                year: in_year,
                amount,
                ..
            }) = fact
                && fund_id(of.as_str()) == Some(fund)
                && for_programme.as_str() == programme(claim)
                && to.code() == office
                && in_year.number() == year
            {
                appropriated += amount.fen();
            }
        }
        for (entry, other) in self.grants() {
            if other.fund().and_then(|of| fund_id(of.as_str())) == Some(fund)
                && programme(other) == programme(claim)
                && entry.office == office
                && basis(other).year() == year
            {
                committed += other.amount().fen();
            }
        }
        committed + claim.amount().fen() > appropriated
    }

    /// Positions of benefit periods, standing or not.
    pub(crate) fn benefits(&self) -> Vec<(Position, SubjectId)> {
        self.facts()
            .filter_map(|(position, fact)| match fact {
                Fact::UnemploymentBenefit(fact) => Some((Position::new(position)?, fact.person)),
                _ => None,
            })
            .collect()
    }
}
