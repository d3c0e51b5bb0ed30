//! Commands one by one and in batches: order, receipts, replays, conflicts.

use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::wire;
use luzhang_server::{
    Engine, Limits,
    engine::{DEFAULT_QUEUE, Genesis},
};
use tonic::{Code, Request};

use crate::{
    commands::{
        Commanded as _, accepted, allowance, appropriation, attendance, award, benefit, claimable,
        command, course, interest, listed, loan, organisation, placement, plaque, policy, receipt,
        retraction, settlement, shown, skill_base,
    },
    site::{Plan, Site, ledger_id, test},
    status::fails,
};

/// Every kind of command, in an order in which each finds what it rests on.
fn story() -> Vec<(wire::Command, &'static str)> {
    let budgets = [
        "training-allowance",
        "skill-base",
        "service-subsidy",
        "brand-award",
        "interest-subsidy",
    ];
    let budgets = budgets.map(|of| (appropriation(of, of).command(), "accepted"));
    let rest = [
        (
            attendance(1, "PX-1", "2024-03-04").command(),
            "rejected UNKNOWN_COURSE course_no",
        ),
        (course("PX-1").command(), "accepted"),
        (course("PX-1").command(), "rejected COURSE_EXISTS course_no"),
        (
            attendance(1, "PX-1", "2024-03-04 2024-03-05").command(),
            "accepted",
        ),
        (
            allowance("C1", 1, "PX-1", "2024-03-04").command(),
            "refused M04_NOT_ELIGIBLE",
        ),
        (listed(1).command(), "accepted"),
        (
            allowance("C2", 1, "PX-1", "2024-03-04").command(),
            "accepted",
        ),
        (
            allowance("C3", 1, "PX-1", "2024-03-04 2024-03-05").command(),
            "refused M04_DAY_DUP",
        ),
        (
            command(wire::command::Body::TrainingAllowance(
                wire::TrainingAllowance {
                    fund: "没有这个资金".to_owned(),
                    ..allowance("C4", 1, "PX-1", "2024-03-05")
                },
            )),
            "rejected UNKNOWN_FUND fund",
        ),
        (plaque("BR-1").command(), "accepted"),
        (award("C5", "BR-1").command(), "accepted"),
        (award("C6", "BR-1").command(), "refused M16_ONCE"),
        (skill_base("C7").command(), "accepted"),
        (placement("C8", 1).command(), "accepted"),
        (loan("DK-1", 2).command(), "accepted"),
        (interest("C9", "DK-1").command(), "accepted"),
        (settlement("DK-1").command(), "accepted"),
        (
            settlement("DK-1").command(),
            "rejected LOAN_SETTLED loan_no",
        ),
        (benefit(1, "2024-03-01", "2024-03-31").command(), "accepted"),
        (policy(LUZHOU_2023).command(), "accepted"),
    ];
    budgets.into_iter().chain(rest).collect()
}

#[test]
fn every_kind_of_command_has_its_outcome_and_its_receipt() {
    test(async {
        let site = Site::new().await;
        let mut last = (2, 0);
        for (command, expected) in story() {
            let outcome = match site.submit(command.clone()).await {
                Ok(outcome) => outcome,
                Err(status) => {
                    let (_, reason) = expected.split_once("rejected ").expect("no rejection");
                    let (code, field) = reason.split_once(' ').unwrap();
                    fails(Err::<(), _>(status.clone()), status.code(), code, field);
                    continue;
                }
            };
            assert_eq!(shown(&outcome), expected, "{command:?}");
            let receipt = receipt(&outcome);
            assert_eq!(receipt.ledger_id, ledger_id().to_string());
            assert!(
                (receipt.position, receipt.recorded_at) > last,
                "{receipt:?} after {last:?}"
            );
            last = (receipt.position, receipt.recorded_at);
            let get = wire::GetEventRequest {
                position: receipt.position,
            };
            let event = site
                .ledger()
                .get_event(get)
                .await
                .unwrap()
                .into_inner()
                .event
                .unwrap();
            assert_eq!(event.event_hash, receipt.event_hash);
            // Acknowledged is durable: the head is there, or beyond it by the
            // conflicts that this fact raised.
            let conflicts = match outcome.result.unwrap() {
                wire::outcome::Result::Accepted(accepted) => accepted.conflicts.len() as u64,
                _ => 0,
            };
            assert_eq!(site.head().await.position, last.0 + conflicts);
        }
    });
}

#[test]
fn a_batch_is_decided_in_order_and_each_command_keeps_its_place() {
    test(async {
        let (commands, expected): (Vec<_>, Vec<_>) = story().into_iter().unzip();
        for size in [1, 3, commands.len()] {
            let site = Site::new().await;
            let mut batch = site.batch().await;
            let mut outcomes = Vec::new();
            // All messages are sent before the first answer is asked for.
            for message in commands.chunks(size) {
                batch.send(message.to_vec()).await;
            }
            for message in commands.chunks(size) {
                let answer = batch.answer().await.unwrap().unwrap();
                assert_eq!(answer.len(), message.len());
                outcomes.extend(answer);
            }
            let found: Vec<_> = outcomes.iter().map(shown).collect();
            assert_eq!(found, expected, "{size} a message");
            let positions = outcomes
                .iter()
                .filter(|outcome| !shown(outcome).starts_with("rejected"));
            assert!(
                positions
                    .map(|outcome| receipt(outcome).position)
                    .is_sorted()
            );
            assert!(
                batch.end().message().await.unwrap().is_none(),
                "the stream ends in order"
            );
        }
    });
}

#[test]
fn a_malformed_command_keeps_its_place_and_takes_nothing_with_it() {
    test(async {
        let site = Site::new().await;
        let malformed = wire::Command {
            request_id: "?".to_owned(),
            ..course("X").command()
        };
        let empty = wire::Command {
            body: None,
            ..course("X").command()
        };
        let twice = course("PX-3").command();
        let messages = [
            (
                vec![
                    malformed.clone(),
                    course("PX-1").command(),
                    empty,
                    course("PX-2").command(),
                ],
                vec![
                    "rejected REQUEST_ID_INVALID request_id",
                    "accepted",
                    "rejected COMMAND_EMPTY",
                    "accepted",
                ],
            ),
            (vec![], vec![]),
            (
                vec![malformed],
                vec!["rejected REQUEST_ID_INVALID request_id"],
            ),
            (
                vec![
                    twice.clone(),
                    twice.clone(),
                    course("PX-3").command(),
                    twice,
                ],
                vec![
                    "accepted",
                    "accepted replayed",
                    "rejected COURSE_EXISTS course_no",
                    "accepted replayed",
                ],
            ),
        ];
        let mut batch = site.batch().await;
        for (commands, expected) in messages {
            let outcomes = batch.round(commands).await;
            assert_eq!(outcomes.iter().map(shown).collect::<Vec<_>>(), expected);
        }
        // Genesis and pack, the school, three courses: a rejection writes nothing.
        assert_eq!(site.head().await.position, 6);
    });
}

#[test]
fn the_same_request_has_the_same_outcome_whenever_it_is_repeated() {
    test(async {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("ledger");
        let genesis = Genesis {
            ledger: ledger_id(),
            pack: Some(LUZHOU_2023.as_bytes().to_vec()),
        };
        let engine = Engine::create(&dir, genesis, DEFAULT_QUEUE).unwrap();
        let site = Site::serve(engine, Limits::default(), scratch).await;
        let mut originals = Vec::new();
        for (command, expected) in story() {
            if let Ok(outcome) = site.submit(command.clone()).await {
                assert_eq!(shown(&outcome), expected);
                originals.push((command, outcome));
            }
        }
        assert!(
            originals
                .iter()
                .any(|(_, outcome)| shown(outcome).starts_with("refused"))
        );
        assert!(originals.iter().any(|(_, outcome)| has_conflicts(outcome)));
        let head = site.head().await;
        let repeated = async |site: &Site| {
            let mut batch = site.batch().await;
            let commands: Vec<_> = originals
                .iter()
                .map(|(command, _)| command.clone())
                .collect();
            let in_batch = batch.round(commands).await;
            for ((command, original), in_batch) in originals.iter().zip(in_batch) {
                let again = site.submit(command.clone()).await.unwrap();
                let expected = wire::Outcome {
                    replayed: true,
                    ..original.clone()
                };
                assert_eq!(again, expected);
                assert_eq!(in_batch, expected);
            }
            assert_eq!(site.head().await, head, "a replay writes nothing");
        };
        repeated(&site).await;
        let scratch = site.close().await;
        let engine = Engine::open(&dir, DEFAULT_QUEUE, |_, _| {}).unwrap();
        let site = Site::serve(engine, Limits::default(), scratch).await;
        repeated(&site).await;
    });
}

fn has_conflicts(outcome: &wire::Outcome) -> bool {
    matches!(&outcome.result, Some(wire::outcome::Result::Accepted(accepted)) if !accepted.conflicts.is_empty())
}

#[test]
fn a_request_id_stands_for_one_content() {
    test(async {
        let site = Site::new().await;
        site.record(claimable()).await;
        let granted = allowance("C1", 1, "PX-1", "2024-03-04").command();
        let refused = allowance("C2", 2, "PX-1", "2024-03-04").command();
        for (original, was_refused) in [(granted, false), (refused, true)] {
            let outcome = site.submit(original.clone()).await.unwrap();
            assert_eq!(shown(&outcome).starts_with("refused"), was_refused);
            let position = receipt(&outcome).position;
            let other_body = wire::Command {
                request_id: original.request_id.clone(),
                ..allowance("C3", 1, "PX-1", "2024-03-05").command()
            };
            let other_office = wire::Command {
                office: "510503".to_owned(),
                ..original.clone()
            };
            for changed in [other_body, other_office] {
                let status = site.submit(changed.clone()).await;
                let said = fails(
                    status,
                    Code::AlreadyExists,
                    "REQUEST_ID_REUSED",
                    "request_id",
                );
                assert!(
                    said.en.contains(&format!("position {position}")),
                    "{}",
                    said.en
                );
                assert!(said.zh.contains(&format!("位置 {position}")), "{}", said.zh);
                let outcomes = site.batch().await.round(vec![changed]).await;
                match outcomes[0].result.as_ref().unwrap() {
                    wire::outcome::Result::Rejected(rejected) => {
                        assert_eq!(rejected.reason.as_ref().unwrap().code, "REQUEST_ID_REUSED");
                        assert_eq!(rejected.field, "request_id");
                        assert_eq!(rejected.original_position, position);
                        assert_eq!(rejected.original_refused, was_refused);
                    }
                    other => panic!("{other:?}"),
                }
            }
            // The id is the same however it is written.
            let upper = wire::Command {
                request_id: original.request_id.to_uppercase(),
                ..original
            };
            let again = site.submit(upper).await.unwrap();
            assert!(again.replayed);
            assert_eq!(receipt(&again).position, position);
        }
    });
}

#[test]
fn of_many_equal_requests_at_once_one_is_decided() {
    test(async {
        let site = Site::new().await;
        let command = course("PX-1").command();
        let mut started = Vec::new();
        for _ in 0..50 {
            started.push(site.start(command.clone()));
        }
        let mut fresh = 0;
        let mut receipts = Vec::new();
        for outcome in started {
            let outcome = outcome.await.unwrap().unwrap();
            fresh += usize::from(!outcome.replayed);
            receipts.push(receipt(&outcome).clone());
        }
        assert_eq!(fresh, 1);
        receipts.dedup();
        assert_eq!(receipts.len(), 1);
        assert_eq!(site.head().await.position, 4);
    });
}

#[test]
fn a_late_fact_is_accepted_and_names_its_conflicts() {
    test(async {
        let site = Site::new().await;
        site.record(claimable()).await;
        let grants = site
            .record([
                allowance("C1", 1, "PX-1", "2024-03-04").command(),
                allowance("C2", 1, "PX-1", "2024-03-05 2024-03-06").command(),
            ])
            .await;
        let late = benefit(1, "2024-03-05", "2024-03-05").command();
        let dry = wire::EvaluateRequest {
            command: Some(late.clone()),
        };
        let dry = site.ledger().evaluate(dry).await.unwrap().into_inner();
        // No conflict exists yet, so a dry run names the grants.
        assert_eq!(accepted(&dry.outcome.unwrap()).conflicts, [grants[1]]);
        let outcome = site.submit(late.clone()).await.unwrap();
        let fact = receipt(&outcome).position;
        assert_eq!(accepted(&outcome).conflicts, [fact + 1]);
        let get = wire::GetEventRequest { position: fact + 1 };
        let conflict = site
            .ledger()
            .get_event(get)
            .await
            .unwrap()
            .into_inner()
            .event
            .unwrap();
        assert_eq!(conflict.reasons[0].code, "M04_UI_OVERLAP");
        assert_eq!(conflict.reasons[0].facts, [grants[1]]);
        let whole = benefit(1, "2024-03-01", "2024-03-31").command();
        let outcome = site.submit(whole.clone()).await.unwrap();
        let second = receipt(&outcome).position;
        assert_eq!(accepted(&outcome).conflicts, [second + 1, second + 2]);
        // More of the same stream, right behind: no conflicts of these facts.
        site.record([retraction(1, fact).command()]).await;
        for (command, conflicts) in [
            (late, vec![fact + 1]),
            (whole, vec![second + 1, second + 2]),
        ] {
            let again = site.submit(command).await.unwrap();
            assert!(again.replayed);
            assert_eq!(accepted(&again).conflicts, conflicts);
        }
    });
}

#[test]
fn a_wrong_check_digit_is_taken_on_demand_and_said_every_time() {
    test(async {
        let site = Site::new().await;
        let right = organisation(9);
        let mut code = right.credit_code.clone();
        let last = code.pop().unwrap();
        code.push(if last == '7' { '8' } else { '7' });
        let with = |number: &str, credit_code: &str, accept_check_digit| {
            wire::Course {
                provider: Some(wire::Organisation {
                    credit_code: credit_code.to_owned(),
                    accept_check_digit,
                    ..right.clone()
                }),
                ..course(number)
            }
            .command()
        };
        let refused = site.submit(with("PX-1", &code, false)).await;
        fails(
            refused,
            Code::InvalidArgument,
            "USCC_CHECK_DIGIT",
            "provider.credit_code",
        );
        let taken = with("PX-1", &code, true);
        for replayed in [false, true] {
            let outcome = site.submit(taken.clone()).await.unwrap();
            assert_eq!(outcome.replayed, replayed);
            let [warning] = &accepted(&outcome).warnings[..] else {
                panic!("{outcome:?}");
            };
            assert_eq!(warning.code, "USCC_CHECK_DIGIT_OVERRIDDEN");
            assert!(!warning.zh.is_empty() && !warning.en.is_empty());
        }
        // Nothing to warn of where the digit is right.
        let outcome = site
            .submit(with("PX-2", &right.credit_code, true))
            .await
            .unwrap();
        assert_eq!(accepted(&outcome).warnings, []);
        let dry = wire::EvaluateRequest {
            command: Some(with("PX-3", &code, true)),
        };
        let dry = site
            .ledger()
            .evaluate(dry)
            .await
            .unwrap()
            .into_inner()
            .outcome
            .unwrap();
        assert_eq!(accepted(&dry).warnings.len(), 1);
    });
}

#[test]
fn a_dry_run_says_what_would_happen_and_writes_nothing() {
    test(async {
        let site = Site::new().await;
        for (command, expected) in story() {
            let before = site.head().await;
            let request = wire::EvaluateRequest {
                command: Some(command.clone()),
            };
            let dry = site.ledger().evaluate(request).await;
            assert_eq!(site.head().await, before);
            match (dry, site.submit(command).await) {
                (Ok(dry), Ok(outcome)) => {
                    let dry = dry.into_inner();
                    assert_eq!(dry.position, before.position);
                    let judged = dry.outcome.unwrap();
                    assert_eq!(shown(&judged), expected);
                    assert_eq!(reasons(&judged), reasons(&outcome));
                    assert!(without_receipt(&judged), "{judged:?}");
                }
                (Err(dry), Err(submitted)) => {
                    assert_eq!(dry.code(), submitted.code());
                    assert_eq!(dry.details(), submitted.details());
                }
                (dry, submitted) => panic!("{dry:?}\n{submitted:?}"),
            }
        }
    });
}

fn reasons(outcome: &wire::Outcome) -> &[wire::Reason] {
    match &outcome.result {
        Some(wire::outcome::Result::Refused(refused)) => &refused.reasons,
        _ => &[],
    }
}

fn without_receipt(outcome: &wire::Outcome) -> bool {
    match outcome.result.as_ref().unwrap() {
        wire::outcome::Result::Accepted(accepted) => accepted.receipt.is_none(),
        wire::outcome::Result::Refused(refused) => refused.receipt.is_none(),
        wire::outcome::Result::Rejected(_) => true,
    }
}

#[test]
fn a_refusal_says_why_in_both_languages_with_clause_and_facts() {
    test(async {
        let site = Site::new().await;
        site.record(claimable()).await;
        let granted = site
            .record([allowance("C1", 1, "PX-1", "2024-03-04").command()])
            .await;
        let again = site
            .submit(allowance("C2", 1, "PX-1", "2024-03-04").command())
            .await
            .unwrap();
        let [reason] = reasons(&again) else {
            panic!("{again:?}");
        };
        assert_eq!(reason.code, "M04_DAY_DUP");
        assert_eq!(reason.measure, 4);
        assert_eq!(reason.facts, granted);
        assert!(reason.quote.contains("50"), "{reason:?}");
        assert!(
            reason.zh.contains("2024-03-04") && reason.en.contains("2024-03-04"),
            "{reason:?}"
        );
    });
}

#[test]
fn an_event_names_who_asked() {
    test(async {
        let site = Site::with(Plan::default()).await;
        for (name, expected) in [(None, "local"), (Some("clerk-7"), "clerk-7")] {
            let mut request = Request::new(wire::SubmitRequest {
                command: Some(course(expected).command()),
            });
            if let Some(name) = name {
                request
                    .metadata_mut()
                    .insert("luzhang-principal", name.parse().unwrap());
            }
            let outcome = site
                .ledger()
                .submit(request)
                .await
                .unwrap()
                .into_inner()
                .outcome
                .unwrap();
            let get = wire::GetEventRequest {
                position: receipt(&outcome).position,
            };
            let event = site
                .ledger()
                .get_event(get)
                .await
                .unwrap()
                .into_inner()
                .event
                .unwrap();
            assert_eq!(event.event.unwrap().principal, expected);
        }
        let long = "x".repeat(65);
        for (name, reason) in [("", "FIELD_REQUIRED"), (&*long, "TEXT_TOO_LONG")] {
            let mut request = Request::new(wire::SubmitRequest {
                command: Some(course("PX-9").command()),
            });
            request
                .metadata_mut()
                .insert("luzhang-principal", name.parse().unwrap());
            let answer = site.ledger().submit(request).await;
            fails(answer, Code::InvalidArgument, reason, "luzhang-principal");
        }
    });
}
