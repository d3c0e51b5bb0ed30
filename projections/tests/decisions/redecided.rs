//! What a recomputation of decisions finds: logs as a sound ledger writes them,
//! with one event that it would not have written.

use luzhang_ledger::{Body, Event, Position, event::Conflict};
use luzhang_projections::redecide::{Aspect, Difference, Redecider, Verdict};

use crate::{
    given::given,
    ledger::Ledger,
    steps::{WANG, allowance, attended, benefit, budget, course, listed, office, settled},
};

/// Pack 1, money 2, list 3, course 4, attendance 5, grant 6, refusals 7 (a day
/// once more, at too high a rate) and 8 (no attendance), benefit 9 with its
/// conflict 10.
fn log() -> Vec<Event> {
    given([
        budget("training-allowance", 2024, 1_000_000),
        listed(WANG, "2020-01-01.."),
        course("K1", "2024-03-04", "2024-03-08"),
        attended(WANG, "K1", "2024-03-04..2024-03-07"),
        allowance(WANG, "K1", "2024-03-04 2024-03-05"),
    ])
    .and_refused([
        allowance(WANG, "K1", "2024-03-04").rate(5_001),
        allowance(WANG, "K1", "2024-03-08"),
    ])
    .and([benefit(WANG, "2024-03-05", "2024-03-20")])
    .log
}

fn redecided(log: &[Event]) -> Vec<Difference> {
    let mut redecider = Redecider::default();
    let mut differences: Vec<_> = log.iter().flat_map(|e| redecider.apply(e)).collect();
    differences.extend(redecider.finish());
    differences
}

/// The log with one event changed.
fn with(position: usize, change: impl FnOnce(&mut Event)) -> Vec<Event> {
    let mut log = log();
    change(&mut log[position - 1]);
    log
}

/// The one difference, in a line.
#[track_caller]
fn found(log: &[Event], expected: &str) -> Difference {
    let mut differences = redecided(log);
    assert_eq!(differences.len(), 1, "{differences:#?}");
    let found = differences.remove(0);
    let aspects: Vec<&str> = found.aspects.iter().map(|aspect| aspect.name()).collect();
    let said = |verdict: &Verdict| {
        let reasons = verdict.reasons().join(", ");
        format!("{} {reasons}", verdict.name()).trim().to_owned()
    };
    let (recorded, recomputed) = (said(&found.recorded), said(&found.recomputed));
    let line = format!(
        "{} {}: {recorded} -> {recomputed}",
        found.position,
        aspects.join("+")
    );
    assert_eq!(line, expected);
    found
}

fn claim(event: &Event) -> luzhang_ledger::claim::Claim {
    match &event.body {
        Body::Granted(claim) => claim.clone(),
        Body::Refused(refusal) => refusal.claim.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sound_log_has_no_difference() {
    let log = log();
    assert_eq!(log.len(), 10);
    let mut redecider = Redecider::default();
    for event in &log {
        assert_eq!(redecider.apply(event), []);
    }
    assert_eq!(redecider.finish(), []);
    assert_eq!(redecider.decisions(), 10);
    assert_eq!(redecider.state().position(), Position::new(10));
}

#[test]
fn a_grant_that_policy_refuses_is_named() {
    let log = with(8, |event| event.body = Body::Granted(claim(event)));
    let found = &redecided(&log)[0];
    let aspects = [Aspect::Body];
    assert_eq!(
        (found.position.number(), &found.aspects[..]),
        (8, &aspects[..])
    );
    assert_eq!(found.recorded, Verdict::Granted);
    assert_eq!(found.recomputed.reasons(), ["M04-ATT M04_NO_ATTENDANCE"]);
}

#[test]
fn a_refusal_that_policy_allows_is_named() {
    let Body::Refused(refusal) = log()[6].body.clone() else {
        panic!("a refusal")
    };
    let mut log = log();
    log.truncate(6);
    let claim = claim(&log[5]);
    log[5].body = Body::Refused(luzhang_ledger::event::Refusal { claim, ..refusal });
    found(
        &log,
        "6 body: refused M04-CAP M04_DAILY_CAP, M04-DAY M04_DAY_DUP -> granted",
    );
}

#[test]
fn a_refusal_has_every_limit_and_what_it_compared() {
    let change = |change: fn(&mut Vec<luzhang_ledger::event::Failure>)| {
        with(7, |event| match &mut event.body {
            Body::Refused(refusal) => change(&mut refusal.failures),
            other => panic!("{other:?}"),
        })
    };
    let both = "refused M04-CAP M04_DAILY_CAP, M04-DAY M04_DAY_DUP";
    let lacking = change(|failures| drop(failures.pop()));
    let expected = format!("7 body: refused M04-CAP M04_DAILY_CAP -> {both}");
    found(&lacking, &expected);
    let order = change(|failures| failures.reverse());
    let expected = format!("7 body: refused M04-DAY M04_DAY_DUP, M04-CAP M04_DAILY_CAP -> {both}");
    found(&order, &expected);
    let same = format!("7 body: {both} -> {both}");
    found(&change(|failures| failures[0].compared.clear()), &same);
    found(&change(|failures| failures[1].facts.clear()), &same);
}

#[test]
fn a_header_says_what_judged() {
    let grant = |aspect: &str| format!("6 {aspect}: granted -> granted");
    let earlier = "2024-03-03".parse().unwrap();
    found(
        &with(6, |e| e.header.basis = Some(earlier)),
        &grant("basis"),
    );
    // By a policy that is none: what follows from the grant has no ground either.
    let policy = with(6, |event| event.header.policy = Position::new(2));
    found(&policy[..6], &grant("policy"));
    let cause = Position::new(5);
    found(&with(6, |e| e.header.cause = cause), &grant("cause"));
    // Of no office, nothing can be decided.
    let log = with(6, |event| event.header.office = None);
    found(&log[..6], "6 office: granted -> nothing");
    // Another office has no money for it.
    let log = with(6, |event| event.header.office = Some(office(510_504)));
    found(
        &log[..6],
        "6 body: granted -> refused G-BUDGET BUDGET_EXCEEDED",
    );
    let stream = log[3].header.stream;
    let log = with(5, |event| event.header.stream = stream);
    let found = &redecided(&log)[0];
    assert_eq!(
        (found.position.number(), &found.aspects[..]),
        (5, &[Aspect::Stream][..])
    );
}

#[test]
fn a_conflict_follows_its_fact() {
    let conflict = "conflict M04-UI M04_UI_OVERLAP @6";
    let expected = format!("9 body: nothing -> {conflict}");
    // At the end of the log, and before another event.
    found(&log()[..9], &expected);
    let mut late = log();
    let last = late.pop().unwrap();
    let mut next = late[2].clone();
    next.header.position = last.header.position;
    late.push(next);
    found(&late, &expected);

    let change = |change: fn(&mut Conflict)| {
        with(10, |event| match &mut event.body {
            Body::Conflict(conflict) => change(conflict),
            other => panic!("{other:?}"),
        })
    };
    let other = change(|conflict| conflict.grant = Position::FIRST);
    let expected = format!("10 body: conflict M04-UI M04_UI_OVERLAP @1 -> {conflict}");
    found(&other, &expected);
    let cause = with(10, |event| event.header.cause = Position::new(6));
    found(&cause, &format!("10 cause: {conflict} -> {conflict}"));
    let mut twice = log();
    twice.push(twice[9].clone());
    found(&twice, &format!("10 body+cause: {conflict} -> nothing"));
}

#[test]
fn a_fact_that_would_be_rejected_is_named() {
    let ledger = Ledger::new();
    // A settlement of a loan that was never issued, as a fact of this stream.
    let mut event = log()[2].clone();
    let luzhang_projections::decide::CommandBody::Fact(fact) =
        settled("L1", luzhang_ledger::fact::Repayment::OnTime)
            .command
            .body
    else {
        panic!("a fact")
    };
    event.body = Body::Fact(fact);
    event.header.position = Position::new(2).unwrap();
    let log = [ledger.log, vec![event]].concat();
    found(&log, "2 body: recorded -> rejected UNKNOWN_LOAN");
}

#[test]
fn a_claim_without_policy_is_named() {
    let log = &log()[1..];
    // Nothing was adopted: money is rejected, and claims are.
    let codes: Vec<String> = redecided(log)
        .iter()
        .map(|found| found.recomputed.reasons().concat())
        .collect();
    // No grant stands for want of a policy, so the conflict has no ground.
    assert_eq!(
        codes,
        ["NO_POLICY", "NO_POLICY", "NO_POLICY", "NO_POLICY", ""]
    );
}
