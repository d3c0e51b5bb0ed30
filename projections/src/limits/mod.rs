//! The kinds of limits. Each is a small pure function in a file of its own: what
//! it compares, and which events it rests on. The values it compares with are
//! dated parameters of the policy pack.
//!
//! A decision asks for failures only ([`failures`]). A trace asks for every limit
//! ([`tried`]): then a limit that holds also says what it compared. Each kind ends
//! in `Case::judged`, or in `Case::passed` where success and failure compare
//! different things, so that nothing is gathered that nobody asked for.

mod allowed_fund;
mod authorised_amount;
mod budget;
mod cap;
mod cap_per_unit;
mod count_per_period;
mod fixed_amount;
mod minimum_term;
mod no_fact_overlap;
mod no_period_overlap;
mod other_province;
mod params_defined;
mod prior_settled;
mod requires_fact;
mod share_of_increment;
mod share_of_interest;
mod unique_date;
mod window;

#[cfg(test)]
mod tests;

use std::cell::RefCell;

use luzhang_ledger::{
    Date, DateSet, Position, Window,
    event::{Compared, Failure, Value},
};

use crate::{
    case::Case,
    pack::{Limit, ParamIx, Reporting, Rule, Table, Unit},
};

pub(crate) use self::{
    count_per_period::{Counting, used as count_used},
    no_fact_overlap::touched,
    requires_fact::anniversary,
};

/// Why a limit fails, or holds: the values compared, and where the facts are.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    outcome: Outcome,
    compared: Vec<Compared>,
    facts: Vec<Position>,
}

/// What became of one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// The claim keeps within it.
    Passed,
    /// The claim does not.
    #[default]
    Failed,
    /// It does not count: another limit fails that stands alone, or what this one
    /// looks at does not exist, which another limit reports.
    NotJudged,
}

/// One limit of a claim's programme, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Id of the limit in the pack.
    pub limit: String,
    /// Stable reason code of its failure.
    pub code: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The values compared.
    pub compared: Vec<Compared>,
    /// The events that it rests on, ascending.
    pub facts: Vec<Position>,
    /// The dated parameters that it asked for, each once.
    pub params: Vec<Asked>,
}

/// A parameter as a limit asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Id of the parameter in the pack.
    pub id: String,
    /// What it counts.
    pub unit: Unit,
    /// The value that holds.
    pub value: i64,
    /// When that value holds.
    pub window: Window,
    /// The document that says so.
    pub cite: String,
}

impl Finding {
    fn failed(&self) -> bool {
        self.outcome == Outcome::Failed
    }

    fn fen(self, name: &str, fen: i64) -> Self {
        self.with(name, Value::Fen(fen))
    }

    fn count(self, name: &str, count: i64) -> Self {
        self.with(name, Value::Count(count))
    }

    fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.with(name, Value::Text(text.into()))
    }

    fn date(self, name: &str, date: Date) -> Self {
        self.text(name, date.to_string())
    }

    fn dates(self, name: &str, dates: Vec<Date>) -> Self {
        match DateSet::new(dates) {
            Ok(dates) => self.with(name, Value::Dates(dates)),
            Err(_) => self,
        }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.compared.push(Compared {
            name: name.to_owned(),
            value,
        });
        self
    }

    fn facts(mut self, positions: impl IntoIterator<Item = u64>) -> Self {
        self.facts
            .extend(positions.into_iter().filter_map(Position::new));
        self.facts.sort_unstable();
        self.facts.dedup();
        // A budget line or a long history may rest on thousands; the newest
        // few name the place.
        let surplus = self.facts.len().saturating_sub(MAX_FACTS);
        self.facts.drain(..surplus);
        self
    }
}

/// The most positions that one failure names.
const MAX_FACTS: usize = 32;

/// All limits that a claim fails, in the pack's order; only the one that is to
/// be reported alone, if one such fails.
pub(crate) fn failures(case: &Case<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    for limit in case.pack.limits(case.claim) {
        let Some(finding) = check(case, &limit.rule) else {
            continue;
        };
        let failure = failure(limit, finding);
        match limit.reporting {
            Reporting::WithOthers => failures.push(failure),
            Reporting::Alone => return vec![failure],
        }
    }
    failures
}

/// All limits of the claim's programme, in the pack's order. After one that fails
/// alone the others are not judged.
pub(crate) fn tried(mut case: Case<'_>) -> Vec<Tried> {
    case.lookups = Some(RefCell::default());
    let mut tried: Vec<Tried> = Vec::new();
    let mut limits = case.pack.limits(case.claim);
    for limit in limits.by_ref() {
        let finding = check(&case, &limit.rule);
        let params = case.asked();
        let Some(finding) = finding else {
            tried.push(not_judged(limit));
            continue;
        };
        if finding.failed() && limit.reporting == Reporting::Alone {
            // Nor do the failures before it count: a refusal names this one only.
            for before in tried.iter_mut().filter(|t| t.outcome == Outcome::Failed) {
                before.strike();
            }
            tried.push(with(limit, finding, params));
            break;
        }
        tried.push(with(limit, finding, params));
    }
    tried.extend(limits.map(not_judged));
    tried
}

impl Tried {
    fn strike(&mut self) {
        self.outcome = Outcome::NotJudged;
        self.compared.clear();
        self.facts.clear();
        self.params.clear();
    }
}

fn with(limit: &Limit, finding: Finding, params: Vec<Asked>) -> Tried {
    Tried {
        limit: limit.id.clone(),
        code: limit.code.clone(),
        outcome: finding.outcome,
        compared: finding.compared,
        facts: finding.facts,
        params,
    }
}

fn not_judged(limit: &Limit) -> Tried {
    let finding = Finding {
        outcome: Outcome::NotJudged,
        ..Finding::default()
    };
    with(limit, finding, Vec::new())
}

fn failure(limit: &Limit, finding: Finding) -> Failure {
    Failure {
        limit: limit.id.clone(),
        code: limit.code.clone(),
        compared: finding.compared,
        facts: finding.facts,
    }
}

fn check(case: &Case<'_>, rule: &Rule) -> Option<Finding> {
    match rule {
        Rule::Window => window::check(case),
        Rule::ParamsDefined => params_defined::check(case),
        Rule::Budget => budget::check(case),
        Rule::CapPerUnit { max } => cap_per_unit::check(case, *max),
        Rule::UniqueDate => unique_date::check(case),
        Rule::CountPerPeriod {
            unit,
            per,
            period,
            max,
        } => {
            let rule = Counting {
                unit: *unit,
                per,
                period: *period,
            };
            count_per_period::check(case, rule, *max)
        }
        Rule::NoFactOverlap { fact } => no_fact_overlap::check(case, *fact),
        Rule::RequiresFact { fact, valid_years } => requires_fact::check(case, *fact, *valid_years),
        Rule::FixedAmount { amount } => fixed_amount::check(case, amount),
        Rule::AllowedFund { funds } => allowed_fund::check(case, funds),
        Rule::Cap { max } => cap::check(case, max),
        Rule::PriorSettled => prior_settled::check(case),
        Rule::ShareOfInterest {
            share,
            excess_share,
            tranche,
        } => {
            let terms = share_of_interest::Terms {
                share: *share,
                excess_share: *excess_share,
                tranche,
            };
            share_of_interest::check(case, terms)
        }
        Rule::NoPeriodOverlap => no_period_overlap::check(case),
        Rule::MinimumTerm { years } => minimum_term::check(case, *years),
        Rule::AuthorisedAmount { amount } => authorised_amount::check(case, amount.as_ref()),
        Rule::OtherProvince { home } => other_province::check(case, *home),
        Rule::ShareOfIncrement { share } => share_of_increment::check(case, *share),
        // These gate what follows a grant.
        Rule::NoticeClosed { .. } | Rule::DutiesApart | Rule::PaymentWithinGrant => None,
    }
}

impl Case<'_> {
    /// The finding of a limit that compares the same whether it holds or not.
    fn judged(&self, failed: bool, finding: impl FnOnce() -> Finding) -> Option<Finding> {
        if failed {
            Some(finding())
        } else {
            self.passed(finding)
        }
    }

    /// The finding of a limit that holds, if anybody wants to know.
    fn passed(&self, finding: impl FnOnce() -> Finding) -> Option<Finding> {
        self.lookups.as_ref().map(|_| Finding {
            outcome: Outcome::Passed,
            ..finding()
        })
    }

    /// Each day that is judged by itself, for a limit that all of them keep.
    fn days_judged(&self) -> Finding {
        Finding::default().dates("judged", self.days().to_vec())
    }

    /// The parameters asked for since this was called before, each value once.
    fn asked(&self) -> Vec<Asked> {
        let lookups = self.lookups.as_ref().map(RefCell::take).unwrap_or_default();
        let mut asked = Vec::new();
        for (param, day) in lookups {
            let Some((param, dated)) = self.pack.dated(param, day) else {
                continue;
            };
            let one = Asked {
                id: param.id.clone(),
                unit: param.unit,
                value: dated.value,
                window: dated.window,
                cite: dated.cite.clone(),
            };
            if !asked.contains(&one) {
                asked.push(one);
            }
        }
        asked
    }

    /// A parameter's value; `None` on a day without one, which is for
    /// [`Rule::ParamsDefined`] to report.
    fn value(&self, param: ParamIx, day: Date) -> Option<i64> {
        if let Some(lookups) = &self.lookups {
            lookups.borrow_mut().push((param, day));
        }
        self.pack.value(param, day).ok()
    }

    /// The table's cell for this claim; `None` if what would choose it does not
    /// exist, which another limit reports.
    fn cell(&self, table: &Table, day: Date) -> Option<i64> {
        let numbers: Option<Vec<u32>> = table.by.iter().map(|a| self.attribute(*a)).collect();
        let param = table.cell(&numbers?)?;
        self.value(param, day)
    }
}
