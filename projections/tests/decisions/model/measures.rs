//! The limits of each measure, one question after the other.

use luzhang_ledger::{
    Date,
    claim::{
        BorrowerKind, BrandAward, Claim, InterestSubsidy, Loan, RecognitionLevel, ServiceSubsidy,
        SkillBase, SkillBaseKind, TrainingAllowance,
    },
    fact::{BrandLevel, Fact, Repayment},
};

use super::{Model, fund_id, years_later, ymd};

impl Model {
    pub(super) fn training(&self, claim: &TrainingAllowance, codes: &mut Vec<&str>) {
        let days = claim.dates.days();
        if claim.daily.fen() > 5_000 {
            codes.push("M04_DAILY_CAP");
        }
        let paid = |day: &Date| {
            self.allowances(claim.person)
                .any(|(_, other)| other.dates.days().contains(day))
        };
        if days.iter().any(paid) {
            codes.push("M04_DAY_DUP");
        }
        let year_of = |number: &str| self.course(number).map(|(first, _)| first.year());
        let number = claim.course_no.as_str();
        if let Some(year) = year_of(number) {
            let another = self.allowances(claim.person).any(|(_, other)| {
                let other = other.course_no.as_str();
                other != number && year_of(other) == Some(year)
            });
            if another {
                codes.push("M04_ONCE_YEAR");
            }
        }
        let drew = |day: &Date| {
            self.facts().any(|(position, fact)| match fact {
                Fact::UnemploymentBenefit(fact) => {
                    fact.person == claim.person
                        && !self.retracted(position)
                        && fact.first_day <= *day
                        && *day <= fact.last_day
                }
                _ => false,
            })
        };
        if days.iter().any(drew) {
            codes.push("M04_UI_OVERLAP");
        }
        if !days.iter().all(|day| self.listed(claim.person, *day)) {
            codes.push("M04_NOT_ELIGIBLE");
        }
        let was_there = |day: &Date| {
            let course = self.course(number);
            let of_course = course.is_some_and(|(first, last)| first <= *day && *day <= last);
            of_course
                && self.facts().any(|(_, fact)| match fact {
                    Fact::Attendance(fact) => {
                        fact.person == claim.person
                            && fact.course_no.as_str() == number
                            && fact.dates.days().contains(day)
                    }
                    _ => false,
                })
        };
        if !days.iter().all(was_there) {
            codes.push("M04_NO_ATTENDANCE");
        }
    }

    pub(super) fn skill_base(&self, claim: &SkillBase, codes: &mut Vec<&str>) {
        let due = match (claim.kind, claim.level) {
            (SkillBaseKind::MasterStudio, RecognitionLevel::National) => 10_000_000,
            (SkillBaseKind::MasterStudio, RecognitionLevel::Provincial) => 30_000_000,
            (SkillBaseKind::TrainingBase, RecognitionLevel::National) => 500_000_000,
            (SkillBaseKind::TrainingBase, RecognitionLevel::Provincial) => 300_000_000,
        };
        if claim.amount.fen() != due {
            codes.push("M05_AMOUNT");
        }
        let again = self.grants().any(|(_, other)| match other {
            Claim::SkillBase(other) => {
                other.entity == claim.entity
                    && other.kind == claim.kind
                    && other.level == claim.level
            }
            _ => false,
        });
        if again {
            codes.push("M05_ONCE");
        }
        let fund = fund_id(claim.fund.as_str());
        if !matches!(fund, Some("employment-central" | "employment-provincial")) {
            codes.push("M05_FUND");
        }
    }

    pub(super) fn placement(&self, claim: &ServiceSubsidy, codes: &mut Vec<&str>) {
        if claim.amount.fen() != 30_000 {
            codes.push("M15_AMOUNT");
        }
        let day_after = ymd(claim.contract_last_day.tomorrow().unwrap());
        let a_year = day_after >= years_later(ymd(claim.contract_first_day), 1);
        if !a_year || claim.insured_from.is_none() {
            codes.push("M15_CONTRACT");
        }
        if !self.listed(claim.worker, claim.contract_first_day) {
            codes.push("M15_NOT_ELIGIBLE");
        }
        let placed: Vec<&ServiceSubsidy> = self
            .grants()
            .filter_map(|(_, other)| match other {
                Claim::ServiceSubsidy(other) if other.worker == claim.worker => Some(other),
                _ => None,
            })
            .collect();
        if placed.iter().any(|other| other.employer == claim.employer) {
            codes.push("M15_DUP");
        }
        let year = claim.contract_first_day.year();
        if placed
            .iter()
            .any(|other| other.contract_first_day.year() == year)
        {
            codes.push("M15_DUP");
        }
    }

    pub(super) fn plaque(&self, brand: &str) -> Option<(BrandLevel, Date)> {
        self.facts().find_map(|(_, fact)| match fact {
            Fact::Plaque(fact) if fact.brand_no.as_str() == brand => {
                Some((fact.level, fact.awarded_on))
            }
            _ => None,
        })
    }

    pub(super) fn plaque_in_force(&self, claim: &BrandAward) -> bool {
        let plaque = self.plaque(claim.brand_no.as_str());
        plaque.is_some_and(|(_, awarded_on)| {
            awarded_on <= claim.paid_on && ymd(claim.paid_on) < years_later(ymd(awarded_on), 3)
        })
    }

    pub(super) fn award(&self, claim: &BrandAward, codes: &mut Vec<&str>) {
        let due = match self.plaque(claim.brand_no.as_str()) {
            Some((BrandLevel::Provincial, _)) => 20_000_000,
            _ => 0,
        };
        if claim.amount.fen() != due {
            codes.push("M16_AMOUNT");
        }
        let again = self.grants().any(|(_, other)| {
            matches!(other, Claim::BrandAward(other) if other.brand_no == claim.brand_no)
        });
        if again {
            codes.push("M16_ONCE");
        }
    }

    pub(super) fn loan(&self, loan: &Loan, codes: &mut Vec<&str>) {
        let raised = ymd(loan.issued_on) >= (2025, 4, 1);
        let cap = match (loan.borrower_kind, raised) {
            (BorrowerKind::Person, false) => 30_000_000,
            (BorrowerKind::Person, true) => 50_000_000,
            (BorrowerKind::SmallFirm, false) => 400_000_000,
            (BorrowerKind::SmallFirm, true) => 600_000_000,
        };
        if loan.principal.fen() > cap {
            codes.push("M22_CAP");
        }
        let earlier: Vec<&Loan> = self
            .issued()
            .filter(|other| other.borrower == loan.borrower)
            .collect();
        if earlier.len() >= 3 {
            codes.push("M22_COUNT");
        }
        let in_time =
            |other: &&Loan| self.repayment(other.loan_no.as_str()) == Some(Repayment::OnTime);
        if !earlier.iter().all(in_time) {
            codes.push("M22_REPEAT");
        }
    }

    pub(super) fn interest(&self, claim: &InterestSubsidy, loan: &Loan, codes: &mut Vec<&str>) {
        let tranche = match loan.borrower_kind {
            BorrowerKind::Person => 30_000_000,
            BorrowerKind::SmallFirm => 400_000_000,
        };
        let principal = i128::from(loan.principal.fen());
        let (amount, paid) = (
            i128::from(claim.amount.fen()),
            i128::from(claim.interest.fen()),
        );
        if 2 * amount * principal > paid * principal.min(tranche) {
            codes.push("M22_INTEREST");
        }
        let (from, until) = (claim.period.from(), claim.period.until().unwrap());
        let twice = self.grants().any(|(_, other)| match other {
            Claim::InterestSubsidy(other) if other.loan_no == claim.loan_no => {
                other.period.from() < until && from < other.period.until().unwrap()
            }
            _ => false,
        });
        if twice {
            codes.push("M22_PERIOD_DUP");
        }
    }
}
