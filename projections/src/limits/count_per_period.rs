//! At most so many grants (or courses) per key and period. The key is the
//! subject and the attributes that the pack names; the period is all time or the
//! calendar year of the counting date.

use luzhang_ledger::claim::Form;

use super::Finding;
use crate::{
    case::Case,
    pack::{Attribute, CountUnit, ParamIx, Period},
    state::{Grant, State, streams::Ix},
};

/// What is counted, and by what.
#[derive(Clone, Copy)]
pub(crate) struct Counting<'a> {
    pub(crate) unit: CountUnit,
    pub(crate) per: &'a [Attribute],
    pub(crate) period: Period,
}

pub(super) fn check(case: &Case<'_>, rule: Counting<'_>, max: ParamIx) -> Option<Finding> {
    let counted_on = case.counted_on()?;
    let key: Option<Vec<u32>> = rule.per.iter().map(|a| case.attribute(*a)).collect();
    let key = key?;
    let same = |grant: &&Grant| {
        let attributes = rule.per.iter().map(|a| grant.attribute(*a));
        attributes.eq(key.iter().copied())
            && match rule.period {
                Period::Ever => true,
                Period::CalendarYear => grant.counted_on.year() == counted_on.year(),
            }
    };
    let this_course = match rule.unit {
        CountUnit::Course => Some(case.course?.0),
        CountUnit::Grant => None,
    };
    let others = case
        .grants()
        .filter(same)
        // Another claim for the same course is a supplement, not a second one.
        .filter(|grant| this_course != Some(grant.party));
    let (count, grants) = count(rule.unit, others);
    let max = case.value(max, counted_on)?;
    case.judged(count >= max, || {
        let period = match rule.period {
            Period::Ever => String::new(),
            Period::CalendarYear => counted_on.year().to_string(),
        };
        Finding::default()
            .count("count", count)
            .count("max", max)
            .text("period", period)
            .facts(grants)
    })
}

/// How much is used up in a period, for an entitlement statement.
pub(crate) fn used(
    state: &State,
    (form, programme): (Form, &str),
    owner: Option<Ix>,
    rule: Counting<'_>,
    year: i16,
) -> i64 {
    let in_period = |grant: &&Grant| match rule.period {
        Period::Ever => true,
        Period::CalendarYear => grant.counted_on.year() == year,
    };
    let programme = state.programmes.find(programme);
    let same = |grant: &&Grant| form != Form::Subsidy || Some(grant.programme) == programme;
    let grants = state.grants(form, owner).filter(same);
    count(rule.unit, grants.filter(in_period)).0
}

fn count<'a>(unit: CountUnit, grants: impl Iterator<Item = &'a Grant>) -> (i64, Vec<u64>) {
    let mut parties: Vec<Ix> = Vec::new();
    let mut positions = Vec::new();
    for grant in grants {
        positions.push(grant.position);
        if !parties.contains(&grant.party) {
            parties.push(grant.party);
        }
    }
    let counted = match unit {
        CountUnit::Grant => positions.len(),
        CountUnit::Course => parties.len(),
    };
    (i64::try_from(counted).unwrap_or(i64::MAX), positions)
}
