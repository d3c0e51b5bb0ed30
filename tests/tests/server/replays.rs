//! Requests that are repeated: the same outcome, with its conflicts and warnings,
//! as long as the ledger lives.

use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::wire;
use luzhang_server::{
    Engine, Limits,
    engine::{Genesis, Options},
};
use tonic::Code;

use crate::{
    commands::{
        Commanded as _, accepted, allowance, benefit, claimable, course, organisation, receipt,
        retraction, shown,
    },
    site::{Site, ledger_id, test},
    status::fails,
    submit::story,
};

#[test]
fn the_same_request_has_the_same_outcome_whenever_it_is_repeated() {
    test(async {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("ledger");
        let genesis = Genesis {
            ledger: ledger_id(),
            pack: Some(LUZHOU_2023.as_bytes().to_vec()),
            origin: None,
            mandates: Vec::new(),
        };
        let engine = Engine::create(&dir, genesis, Options::default()).unwrap();
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
        let engine = Engine::open(&dir, Options::default(), |_, _| {}).unwrap();
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
