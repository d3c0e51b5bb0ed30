//! Commands one by one and in batches: order, receipts, replays, conflicts.

use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::wire;
use tonic::{Code, Request};

use crate::{
    commands::{
        Commanded as _, allowance, appropriation, attendance, award, benefit, claimable, command,
        course, interest, listed, loan, placement, plaque, policy, receipt, settlement, shown,
        skill_base,
    },
    site::{Plan, Site, ledger_id, test},
    status::fails,
};

/// Every kind of command, in an order in which each finds what it rests on.
pub(crate) fn story() -> Vec<(wire::Command, &'static str)> {
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
                receipt: false,
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
                receipt: false,
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
