//! How large a message and a batch may be.

use luzhang_proto::wire;
use luzhang_server::Limits;
use prost::Message as _;
use tonic::{Code, Status};

use crate::{
    commands::{Commanded as _, course, policy, receipt, shown},
    site::{Plan, Site, test},
    status::{Said, fails},
};

const MOST: usize = 20_000;

/// A policy pack, which is none, in a command of so many bytes.
fn sized(bytes: usize) -> wire::Command {
    let mut command = policy("#").command();
    for _ in 0..3 {
        let other = command.encoded_len() - content(&command);
        command.body = policy("#".repeat(bytes - other)).command().body;
    }
    assert_eq!(command.encoded_len(), bytes);
    command
}

fn content(command: &wire::Command) -> usize {
    match &command.body {
        Some(wire::command::Body::PolicyPack(pack)) => pack.content.len(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn too_large<T: std::fmt::Debug>(answer: Result<T, Status>) {
    let said = fails(answer, Code::ResourceExhausted, "MESSAGE_TOO_LARGE", "");
    let Said { zh, en, .. } = said;
    assert!(
        zh.contains("拆分") && en.contains("split"),
        "no advice: {zh} {en}"
    );
    assert!(zh.contains("字节") && en.contains("bytes"), "{zh} {en}");
}

#[test]
fn a_message_is_taken_up_to_its_limit() {
    test(async {
        let plan = Plan {
            limits: Limits {
                message_bytes: MOST,
                ..Limits::default()
            },
            ..Plan::default()
        };
        let site = Site::with(plan).await;
        let before = site.head().await;
        // The last are beyond what the transport takes at all.
        for (bytes, taken) in [
            (MOST - 1, true),
            (MOST, true),
            (MOST + 1, false),
            (4 * MOST - 100, false),
            (4 * MOST + 1, false),
            (100 * MOST, false),
        ] {
            let command = sized(bytes);
            let request = wire::EvaluateRequest {
                command: Some(command.clone()),
            };
            let evaluated = site.ledger().evaluate(request).await;
            let submitted = site.submit(command).await;
            if taken {
                // It is looked at, and found not to be a policy pack.
                fails(
                    evaluated,
                    Code::InvalidArgument,
                    "POLICY_INVALID",
                    "content",
                );
                fails(
                    submitted,
                    Code::InvalidArgument,
                    "POLICY_INVALID",
                    "content",
                );
            } else {
                too_large(evaluated);
                too_large(submitted);
            }
        }
        assert_eq!(site.head().await, before);
    });
}

#[test]
fn a_message_of_a_batch_is_taken_up_to_its_limit() {
    test(async {
        let plan = Plan {
            limits: Limits {
                message_bytes: MOST,
                ..Limits::default()
            },
            ..Plan::default()
        };
        let site = Site::with(plan).await;
        for (number, bytes) in [MOST + 1, 4 * MOST + 1, 100 * MOST].into_iter().enumerate() {
            let mut batch = site.batch().await;
            batch
                .send(vec![course(&format!("PX-{number}")).command()])
                .await;
            batch.send(vec![sized(bytes)]).await;
            // What came before it is answered.
            let answer = batch.answer().await.unwrap().unwrap();
            assert_eq!(shown(&answer[0]), "accepted");
            too_large(batch.answer().await);
        }
        let framed = wire::SubmitBatchRequest {
            commands: vec![sized(MOST - 100)],
        };
        let framing = framed.encoded_len() - (MOST - 100);
        let outcomes = site.batch().await.round(vec![sized(MOST - framing)]).await;
        assert_eq!(shown(&outcomes[0]), "rejected POLICY_INVALID content");
        assert_eq!(site.head().await.position, 6);
    });
}

#[test]
fn the_limit_is_eight_mebibytes_unless_set() {
    test(async {
        let site = Site::new().await;
        let most = Limits::default().message_bytes;
        assert_eq!(most, 8 * 1024 * 1024);
        let answer = site.submit(sized(most)).await;
        fails(answer, Code::InvalidArgument, "POLICY_INVALID", "content");
        too_large(site.submit(sized(most + 1)).await);
        too_large(site.submit(sized(5 * most)).await);
        assert_eq!(
            site.submit(course("PX").command())
                .await
                .map(|o| shown(&o))
                .unwrap(),
            "accepted"
        );
    });
}

#[test]
fn an_error_is_never_too_long_to_be_heard() {
    test(async {
        let site = Site::new().await;
        // What a TOML reader has to say on a long line quotes the line; and a
        // pack without anything in it has many defects.
        for content in [
            "泸".repeat(30_000),
            format!("[pack]\nid = \"{}", "x".repeat(80_000)),
            "[[limit]]\n".repeat(5_000),
        ] {
            let command = policy(content).command();
            let said = fails(
                site.submit(command.clone()).await,
                Code::InvalidArgument,
                "POLICY_INVALID",
                "content",
            );
            assert!(said.zh.chars().count() <= 501 && said.en.chars().count() <= 501);
            let outcomes = site.batch().await.round(vec![command]).await;
            assert_eq!(shown(&outcomes[0]), "rejected POLICY_INVALID content");
        }
    });
}

#[test]
fn a_batch_has_ten_thousand_commands_at_most() {
    test(async {
        let site = Site::new().await;
        let courses = |name: &str, count: usize| -> Vec<_> {
            (0..count)
                .map(|number| course(&format!("{name}-{number}")).command())
                .collect()
        };
        let mut batch = site.batch().await;
        let outcomes = batch.round(courses("PA", 10_000)).await;
        assert_eq!(outcomes.len(), 10_000);
        assert!(outcomes.iter().all(|outcome| shown(outcome) == "accepted"));
        let positions: Vec<_> = outcomes
            .iter()
            .map(|outcome| receipt(outcome).position)
            .collect();
        assert!(positions.is_sorted_by(|a, b| a < b), "in order");
        let head = site.head().await;
        batch.send(courses("PB", 10_001)).await;
        let answer = batch.answer().await;
        let said = fails(answer, Code::InvalidArgument, "BATCH_TOO_LARGE", "");
        assert!(
            said.zh.contains("10000") && said.en.contains("10000"),
            "{said:?}"
        );
        assert!(
            said.zh.contains("拆分") && said.en.contains("split"),
            "{said:?}"
        );
        assert_eq!(site.head().await, head, "none of them is decided");
    });
}
