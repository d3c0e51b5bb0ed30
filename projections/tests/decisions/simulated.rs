//! Another pack over the same history: who would have been refused, and whom the
//! freed money and slots would have let in.

use luzhang_ledger::{Body, Event, Window, fact::Repayment};
use luzhang_projections::{
    Command, Pack,
    decide::{CommandBody, decide},
    simulate::{Changed, Report, Simulation},
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};

use crate::{
    given::given,
    ledger::Ledger,
    packs::{changed, under},
    steps::{
        LI, WANG, allowance, attended, award, benefit, budget, course, interest, listed, loan,
        settled, window,
    },
    throws::{Begin, histories, prepared},
};

const CAP_OF_50: &str = "until = 2026-12-17, v = 5000,";
const CAP_OF_40: &str = "until = 2026-12-17, v = 4000,";

fn forty() -> String {
    changed(&[(CAP_OF_50, CAP_OF_40)])
}

fn simulated(log: &[Event], pack: &str, window: Option<Window>) -> Report {
    let pack = Pack::load(pack.as_bytes()).unwrap();
    let window = window.unwrap_or(pack.window);
    let mut simulation = Simulation::new(pack, window);
    for event in log {
        simulation.apply(event);
    }
    assert_eq!(simulation.position(), log.last().map(|e| e.header.position));
    simulation.report().clone()
}

fn lines(changed: &[Changed]) -> Vec<String> {
    let line = |one: &Changed| {
        format!(
            "{} {} {} {}: {}",
            one.position,
            one.office,
            one.programme,
            one.amount,
            one.codes.join(" ")
        )
    };
    changed.iter().map(line).collect()
}

/// 13: Wang's course at ¥50 a day. 14: there is no money left for Li. 15: Wang's
/// second course in the year. 17: Wang's course of the next year.
fn history() -> Ledger {
    given([
        budget("training-allowance", 2024, 20_000),
        budget("training-allowance", 2025, 20_000),
        listed(WANG, "2020-01-01.."),
        listed(LI, "2020-01-01.."),
        course("K1", "2024-03-04", "2024-03-08"),
        attended(WANG, "K1", "2024-03-04..2024-03-08"),
        attended(LI, "K1", "2024-03-04..2024-03-08"),
        course("K2", "2024-06-03", "2024-06-07"),
        attended(WANG, "K2", "2024-06-03..2024-06-07"),
        course("K3", "2025-06-03", "2025-06-07"),
        attended(WANG, "K3", "2025-06-03..2025-06-07"),
        allowance(WANG, "K1", "2024-03-04..2024-03-06").rate(5_000),
    ])
    .and_refused([
        allowance(LI, "K1", "2024-03-04 2024-03-05").rate(4_000),
        allowance(WANG, "K2", "2024-06-03").rate(3_000),
    ])
    .and([
        benefit(LI, "2024-07-01", "2024-07-31"),
        allowance(WANG, "K3", "2025-06-03").rate(5_000),
    ])
}

#[test]
fn what_is_freed_lets_others_in() {
    let report = simulated(&history().log, &forty(), None);
    assert_eq!(report.claims, 4);
    assert_eq!(
        lines(&report.newly_refused),
        [
            "13 510502 training-allowance 150.00: M04_DAILY_CAP",
            "17 510502 training-allowance 50.00: M04_DAILY_CAP",
        ]
    );
    assert_eq!(
        lines(&report.newly_allowed),
        [
            "14 510502 training-allowance 80.00: BUDGET_EXCEEDED",
            "15 510502 training-allowance 30.00: M04_ONCE_YEAR",
        ]
    );
    let money: Vec<_> = report
        .money
        .iter()
        .map(|(key, money)| {
            (
                key.year,
                money.before_fen,
                money.after_fen,
                money.difference_fen(),
            )
        })
        .collect();
    assert_eq!(
        money,
        [(2024, 15_000, 11_000, -4_000), (2025, 5_000, 0, -5_000)]
    );
    let total = report.total();
    assert_eq!((total.before_fen, total.after_fen), (20_000, 11_000));
}

#[test]
fn only_claims_of_the_window_are_judged_by_the_other_pack() {
    let refused = |during: &str| {
        let report = simulated(&history().log, &forty(), Some(window(during)));
        let refused = report.newly_refused.iter();
        let positions: Vec<u64> = refused.map(|one| one.position.number()).collect();
        (positions, report.newly_allowed.len())
    };
    assert_eq!(refused("2024-03-04..2024-03-05"), (vec![13], 2));
    assert_eq!(refused("2024-03-05..2025-06-03"), (vec![], 0));
    assert_eq!(refused("2024-03-05..2025-06-04"), (vec![17], 0));
    assert_eq!(refused("2025-01-01.."), (vec![17], 0));
}

#[test]
fn the_same_pack_changes_nothing() {
    let report = simulated(&history().log, &changed(&[]), None);
    assert_eq!(
        (report.newly_refused, report.newly_allowed),
        (vec![], vec![])
    );
    assert!(
        report
            .money
            .into_values()
            .all(|money| money.difference_fen() == 0)
    );
}

#[test]
fn what_a_claim_stood_on_may_be_gone() {
    // A loan that the other pack refuses: its settlement is a fact that changes
    // nothing, the next loan is not counted as a repeated one, and its interest
    // is not subsidised.
    let ledger = given([
        budget("interest-subsidy", 2024, 1_000_000),
        loan("L1", LI, 30_000_000, "2024-03-01"),
        interest("L1", "2024-04-01..2024-05-01", 100_000, 50_000),
        settled("L1", Repayment::Overdue),
    ])
    .and_refused([
        loan("L2", LI, 10_000_000, "2024-09-01"),
        award("B9", "2024-06-01"),
    ]);
    let pack = changed(&[(
        "from = 2024-01-01, until = 2025-04-01, v = 30000000",
        "from = 2024-01-01, until = 2025-04-01, v = 20000000",
    )]);
    let report = simulated(&ledger.log, &pack, None);
    let numbers = |changed: &[Changed]| -> Vec<String> {
        let line = |one: &Changed| format!("{} {}", one.position, one.codes.join(" "));
        changed.iter().map(line).collect()
    };
    assert_eq!(
        numbers(&report.newly_refused),
        ["3 M22_CAP", "4 M22_NO_LOAN"]
    );
    assert_eq!(numbers(&report.newly_allowed), ["6 M22_REPEAT"]);
    // A loan is not the ledger's money.
    assert_eq!(report.total().before_fen, 50_000);
    assert_eq!(report.total().after_fen, 0);
}

/// Random histories: the outcome of each claim is that of a ledger that adopted
/// the other pack from the beginning.
#[test]
fn a_simulation_is_what_would_have_been() {
    let mut runner = TestRunner::deterministic();
    let pack = changed(&[
        (CAP_OF_50, CAP_OF_40),
        (
            "from = 2024-01-01, until = 2025-04-01, v = 30000000",
            "from = 2024-01-01, until = 2025-04-01, v = 20000000",
        ),
    ]);
    let begin = under(&pack);
    let (mut refused, mut allowed) = (0, 0);
    for _ in 0..150 {
        let history = histories().new_tree(&mut runner).unwrap().current();
        let (mut ledger, mut model) = (Ledger::new(), crate::model::Model::new());
        let prepared = match history.begin {
            Begin::Prepared => prepared(),
            Begin::Bare => Vec::new(),
        };
        for step in prepared {
            let decided = ledger.submit(&step);
            model.note(&step.command, &crate::given::outcome(&decided));
        }
        for throw in &history.throws {
            let step = throw.step(&model);
            let decided = ledger.submit(&step);
            model.note(&step.command, &crate::given::outcome(&decided));
        }
        let mut other = begin.clone();
        let (mut now_refused, mut now_allowed) = (Vec::new(), Vec::new());
        for event in &ledger.log[1..] {
            let claim = match &event.body {
                Body::Granted(claim) => claim,
                Body::Refused(refusal) => &refusal.claim,
                _ => {
                    other.fold(event.clone());
                    continue;
                }
            };
            let command = Command {
                office: event.header.office.unwrap(),
                body: CommandBody::Claim(claim.clone()),
            };
            let was = event.body.granted().is_some();
            let is = decide(other.state(), command).is_ok_and(|decision| {
                let granted = decision.body.granted().is_some();
                let mut event = event.clone();
                event.header.stream = decision.stream;
                event.header.policy = decision.policy;
                event.body = decision.body;
                other.fold(event);
                granted
            });
            match (was, is) {
                (true, false) => now_refused.push(event.header.position),
                (false, true) => now_allowed.push(event.header.position),
                _ => {}
            }
        }
        let report = simulated(&ledger.log, &pack, None);
        let positions =
            |changed: &[Changed]| -> Vec<_> { changed.iter().map(|one| one.position).collect() };
        assert_eq!(positions(&report.newly_refused), now_refused);
        assert_eq!(positions(&report.newly_allowed), now_allowed);
        let committed: i64 = other
            .folded
            .totals
            .lines()
            .into_values()
            .map(|t| t.amount_fen)
            .sum();
        assert_eq!(report.total().after_fen, committed);
        refused += now_refused.len();
        allowed += now_allowed.len();
    }
    assert!(refused > 20 && allowed > 5, "{refused} {allowed}");
}
