//! Random histories: after every command the decision is the model's, and at the
//! end so is the money.

use std::collections::BTreeMap;

use luzhang_ledger::{Body, fact::Fact};
use luzhang_projections::{Decision, projection::Name, redecide::Redecider};
use proptest::{
    prop_assert, prop_assert_eq,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestCaseError, TestError, TestRunner},
};

use crate::{
    given::{Outcome, outcome},
    ledger::Ledger,
    model::{Model, basis, fund_id, programme},
    steps::Step,
    throws::{Begin, History, histories, prepared},
};

/// How often each outcome and each code of a refusal came up.
type Tally = BTreeMap<String, u32>;

/// Plays a history against both; fails where they differ.
fn play(history: &History) -> Result<Tally, TestCaseError> {
    let (mut ledger, mut model) = (Ledger::new(), Model::new());
    let mut tally = Tally::new();
    if let Begin::Prepared = history.begin {
        for step in prepared() {
            submit(&mut ledger, &mut model, &step)?;
        }
    }
    for throw in &history.throws {
        let step = throw.step(&model);
        let (outcome, decision) = submit(&mut ledger, &mut model, &step)?;
        let kind = decision.map_or("", |decision| decision.body.kind());
        let names = match &outcome {
            Outcome::Refused(codes) => codes.split(' ').map(str::to_owned).collect(),
            Outcome::Rejected(code) => vec![code.clone()],
            Outcome::Conflicts(_) => vec!["conflict".to_owned()],
            Outcome::Recorded | Outcome::Granted => vec![kind.to_owned()],
        };
        for name in names {
            *tally.entry(name).or_default() += 1;
        }
    }
    money(&ledger, &model)?;

    // Nothing but the log decides: folded again it is the same.
    // And every decision follows from it once more.
    let begin = Ledger::new();
    let mut redecider = Redecider::from(begin.folded.clone());
    let mut again = begin.folded;
    for event in &ledger.log[begin.log.len()..] {
        again.apply(event);
        prop_assert_eq!(redecider.apply(event), []);
    }
    prop_assert_eq!(redecider.finish(), []);
    prop_assert_eq!(again.statuses(), ledger.folded.statuses());
    Ok(tally)
}

fn submit(
    ledger: &mut Ledger,
    model: &mut Model,
    step: &Step,
) -> Result<(Outcome, Option<Decision>), TestCaseError> {
    let expected = model.answer(&step.command);
    let decided = ledger.submit(step);
    let actual = outcome(&decided);
    prop_assert_eq!(&actual, &expected, "{:?}\nafter {:#?}", step, model.history);
    if let Ok(decision) = &decided {
        if let Body::Fact(Fact::UnemploymentBenefit(fact)) = &decision.body {
            let days = decision.conflicts.iter().map(|c| c.dates.days().to_vec());
            let expected = model.touched(fact).into_iter().map(|(_, days)| days);
            prop_assert!(days.eq(expected), "{:?}", decision.conflicts);
        }
        prop_assert!(ledger.log.len() as u64 == ledger.state().position().unwrap().number());
    }
    model.note(&step.command, &actual);
    Ok((actual, decided.ok()))
}

/// Committed sums, budget lines and counts are the model's.
fn money(ledger: &Ledger, model: &Model) -> Result<(), TestCaseError> {
    type Line = (String, i16, u32, String);
    let mut granted: BTreeMap<Line, (u64, i64)> = BTreeMap::new();
    let mut appropriated: BTreeMap<Line, i64> = BTreeMap::new();
    for (entry, claim) in model.grants() {
        if let Some(fund) = claim.fund() {
            let fund = fund_id(fund.as_str()).unwrap().to_owned();
            let year = basis(claim).year();
            let line = (programme(claim).to_owned(), year, entry.office, fund);
            let (count, sum) = granted.entry(line).or_default();
            *count += 1;
            *sum += claim.amount().fen();
        }
    }
    for (_, fact) in model.facts() {
        if let Fact::Appropriation(fact) = fact {
            let fund = fund_id(fact.fund.as_str()).unwrap().to_owned();
            let year = fact.year.number();
            let line = (fact.programme.to_string(), year, fact.office.code(), fund);
            *appropriated.entry(line).or_default() += fact.amount.fen();
        }
    }
    let totals = ledger.folded.totals.lines().into_iter();
    let totals: BTreeMap<Line, (u64, i64)> = totals
        .map(|(key, total)| {
            let line = (
                key.programme.clone(),
                key.year,
                key.office,
                key.fund.clone(),
            );
            (line, (total.grants, total.amount_fen))
        })
        .collect();
    prop_assert_eq!(&totals, &granted);

    let lines: Vec<Vec<String>> = appropriated
        .iter()
        .map(|(line, appropriated)| {
            let committed = granted.get(line).map_or(0, |(_, sum)| *sum);
            assert!(committed <= *appropriated, "{line:?} is overrun");
            let (programme, year, office, fund) = line;
            vec![
                programme.clone(),
                year.to_string(),
                office.to_string(),
                fund.clone(),
                appropriated.to_string(),
                committed.to_string(),
                (appropriated - committed).to_string(),
            ]
        })
        .collect();
    // The first seven columns; nothing is paid in these histories.
    let rows = ledger.folded.rows(Name::Budget).rows.into_iter();
    let rows: Vec<Vec<String>> = rows.map(|row| row[..7].to_vec()).collect();
    prop_assert_eq!(rows, lines);
    prop_assert_eq!(ledger.folded.conflicts.all.len(), model.conflicts);
    Ok(())
}

#[test]
fn decisions_are_the_models() {
    // 256 histories; PROPTEST_CASES asks for more.
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let played = TestRunner::new(config).run(&histories(), |history| play(&history).map(drop));
    match played {
        Ok(()) => {}
        Err(TestError::Fail(why, history)) => panic!("{why}\nshrunk to {history:#?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn histories_reach_every_outcome() {
    // Were some limit out of reach, the test above would say nothing of it.
    let mut runner = TestRunner::deterministic();
    let mut tally = Tally::new();
    for _ in 0..200 {
        let history = histories().new_tree(&mut runner).unwrap().current();
        for (name, count) in play(&history).unwrap() {
            *tally.entry(name).or_default() += count;
        }
    }
    for name in [
        // Refusals.
        "OUT_OF_WINDOW",
        "BUDGET_EXCEEDED",
        "M04_DAILY_CAP",
        "M04_DAY_DUP",
        "M04_ONCE_YEAR",
        "M04_UI_OVERLAP",
        "M04_NOT_ELIGIBLE",
        "M04_NO_ATTENDANCE",
        "M05_AMOUNT",
        "M05_ONCE",
        "M05_FUND",
        "M15_AMOUNT",
        "M15_CONTRACT",
        "M15_NOT_ELIGIBLE",
        "M15_DUP",
        "M16_AMOUNT",
        "M16_ONCE",
        "M16_EXPIRED",
        "M22_NO_LOAN",
        "M22_CAP",
        "M22_COUNT",
        "M22_REPEAT",
        "M22_INTEREST",
        "M22_PERIOD_DUP",
        // Rejections.
        "UNKNOWN_FUND",
        "UNKNOWN_PROGRAMME",
        "UNKNOWN_COURSE",
        "UNKNOWN_LOAN",
        "UNKNOWN_BENEFIT",
        "COURSE_EXISTS",
        "LOAN_EXISTS",
        "LOAN_SETTLED",
        "PLAQUE_EXISTS",
        "APPROPRIATION_EXISTS",
        // Grants and facts.
        "training_allowance_granted",
        "skill_base_granted",
        "service_subsidy_granted",
        "brand_award_granted",
        "loan_issued",
        "interest_subsidy_granted",
        "conflict",
        "unemployment_benefit_retracted",
        "loan_settled",
    ] {
        let count = tally.get(name).copied().unwrap_or(0);
        assert!(count >= 5, "{name} came up {count} times: {tally:#?}");
    }
}
