//! Traces: what every limit compared, those that hold included. That they agree
//! with decisions is checked at every step of every other test
//! ([`crate::ledger::Ledger::decide`]).

use luzhang_ledger::{event::Value, fact::Repayment};
use luzhang_projections::{
    decide::CommandBody,
    trace::{self, Outcome, Trace, Tried},
};

use crate::{
    given::{given, shown},
    ledger::Ledger,
    steps::{LI, Step, WANG, allowance, attended, award, budget, course, listed, loan, settled},
};

fn traced(ledger: &Ledger, step: Step) -> Trace {
    let CommandBody::Claim(claim) = step.command.body else {
        panic!("a claim")
    };
    trace::of(ledger.state(), step.command.office, &claim).unwrap()
}

/// `LIMIT outcome | values | facts | parameters`, a line for each limit.
fn lines(trace: &Trace) -> Vec<String> {
    let line = |tried: &Tried| {
        let facts: Vec<String> = tried.facts.iter().map(ToString::to_string).collect();
        let params = tried.params.iter().map(|p| format!("{}={}", p.id, p.value));
        let params: Vec<String> = params.collect();
        let outcome = match tried.outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "FAILED",
            Outcome::NotJudged => "-",
        };
        let (values, facts, params) = (shown(&tried.compared), facts.join(" "), params.join(" "));
        format!("{} {outcome} | {values} | {facts} | {params}", tried.limit)
    };
    trace.limits.iter().map(line).collect()
}

#[test]
fn every_limit_of_an_allowance_says_what_it_compared() {
    let ledger = given([
        budget("training-allowance", 2024, 1_000_000),
        listed(WANG, "2020-01-01.."),
        course("K1", "2024-03-04", "2024-03-08"),
        attended(WANG, "K1", "2024-03-04..2024-03-07"),
        allowance(WANG, "K1", "2024-03-04"),
    ]);
    let trace = traced(&ledger, allowance(WANG, "K1", "2024-03-05").fund("county"));
    assert_eq!(trace.programme, "training-allowance");
    assert_eq!(trace.basis.to_string(), "2024-03-05");
    let expected = [
        "G-WINDOW passed | judged=2024-03-05 from=2023-12-17 until=2026-12-17 |  | ",
        "G-PARAM passed | judged=2024-03-05 defined=m04.daily_cap, m04.courses_per_year |  | ",
        "G-BUDGET FAILED | amount=5000 committed=0 appropriated=0 left=0 year=2024 fund=county |  | ",
        "M04-CAP passed | rate=5000 max=5000 |  | m04.daily_cap=5000",
        "M04-DAY passed | judged=2024-03-05 | 6 | ",
        // Another claim for the same course is a supplement.
        "M04-ONCE passed | count=0 max=1 period=2024 |  | m04.courses_per_year=1",
        "M04-UI passed | judged=2024-03-05 |  | ",
        "M04-ELIG passed | judged=2024-03-05 | 3 | ",
        "M04-ATT passed | judged=2024-03-05 number=K1 | 4 5 | ",
    ];
    assert_eq!(lines(&trace), expected);
    let cap = trace.limits.iter().find(|t| t.limit == "M04-CAP").unwrap();
    assert_eq!(cap.outcome, Outcome::Passed);
    assert_eq!(cap.params[0].value, 5_000);
    assert!(!cap.params[0].cite.is_empty());
    assert_eq!(cap.compared[1].value, Value::Fen(5_000));
}

#[test]
fn after_what_stands_alone_nothing_is_judged() {
    // No money either, but of a plaque that was never awarded nobody asks that.
    let trace = traced(&given([]), award("B9", "2024-06-01"));
    let expected = [
        "G-WINDOW passed | judged=2024-06-01 from=2023-12-17 until=2026-12-17 |  | ",
        "G-PARAM passed | judged=2024-06-01 defined=m16.amount.city, m16.amount.provincial, \
         m16.amount.county, m16.times, m16.plaque_years |  | ",
        "G-BUDGET - |  |  | ",
        "M16-AMT - |  |  | ",
        "M16-ONCE passed | count=0 max=1 period= |  | m16.times=1",
        "M16-VALID FAILED | number=B9 dates=2024-06-01 |  | ",
    ];
    assert_eq!(lines(&trace), expected);
}

#[test]
fn loans_that_were_paid_back_are_named() {
    let ledger = given([
        loan("L1", LI, 30_000_000, "2024-03-01"),
        settled("L1", Repayment::OnTime),
    ]);
    let trace = traced(&ledger, loan("L2", LI, 30_000_000, "2024-06-01"));
    let expected = [
        "M22-CAP passed | amount=30000000 max=30000000 |  | m22.cap.personal=30000000",
        "M22-COUNT passed | count=1 max=3 period= | 2 | m22.loans=3",
        "M22-REPEAT passed | open=0 overdue=0 | 2 3 | ",
    ];
    assert_eq!(lines(&trace)[2..], expected);
    // The value that holds from another day on is another value.
    let trace = traced(&ledger, loan("L2", LI, 30_000_000, "2025-06-01"));
    assert_eq!(trace.limits[2].params[0].value, 50_000_000);
    assert_eq!(
        trace.limits[2].params[0].window.from().to_string(),
        "2025-04-01"
    );
}
