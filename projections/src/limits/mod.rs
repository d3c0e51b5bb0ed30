//! The kinds of limits. Each is a small pure function in a file of its own: what
//! it compares, and which events it rests on. The values it compares with are
//! dated parameters of the policy pack.

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

use luzhang_ledger::{
    Date, DateSet, Position,
    event::{Compared, Failure, Value},
};

use crate::{
    case::Case,
    pack::{Limit, ParamIx, Reporting, Rule, Table},
};

pub(crate) use self::{
    count_per_period::{Counting, used as count_used},
    no_fact_overlap::touched,
    requires_fact::anniversary,
};

/// Why a limit fails: the values compared, and where the facts are.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    compared: Vec<Compared>,
    facts: Vec<Position>,
}

impl Finding {
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
    /// A parameter's value; `None` on a day without one, which is for
    /// [`Rule::ParamsDefined`] to report.
    fn value(&self, param: ParamIx, day: Date) -> Option<i64> {
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
