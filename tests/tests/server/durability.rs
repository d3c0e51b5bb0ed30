//! Nothing is acknowledged or read before it is durable, and nothing is decided
//! for whoever no longer waits. A gate before the log decides what is durable.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::wire::{self, ledger_service_client::LedgerServiceClient};
use luzhang_server::Limits;
use tokio::task::{JoinHandle, JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status, body::Body};
use tonic_types::StatusExt as _;

use crate::{
    commands::{Commanded as _, claimable, course, day, listed, person, policy, receipt, shown},
    gate::{Gate, Hold},
    site::{Plan, Site, test},
    status::fails,
};

/// Everything that can be on its way is: a single request's group in the log, and a
/// stream's decided behind it. What is submitted from now on stays in the queue.
async fn full(site: &Site, gate: &Gate) -> (Hold, Vec<JoinHandle<Result<wire::Outcome, Status>>>) {
    let before = site.head().await.position;
    // While a stream is open, others are decided beside what goes to the disk.
    let mut batch = site.batch().await;
    // The school is known, so that each course is one event.
    let hold = gate.hold();
    let single = site.start(course("PF-1").command());
    site.decided(before + 1).await;
    gate.reached().await;
    batch.send(vec![course("PF-2").command()]).await;
    site.decided(before + 2).await;
    let streamed = tokio::spawn(async move {
        let answer = batch.answer().await?;
        Ok(answer.unwrap().remove(0))
    });
    (hold, vec![single, streamed])
}

async fn accepted(started: Vec<JoinHandle<Result<wire::Outcome, Status>>>) {
    for started in started {
        assert_eq!(shown(&started.await.unwrap().unwrap()), "accepted");
    }
}

/// A task, and whether it ended before the log was let through.
fn watched<T: Send + 'static>(
    released: &Arc<AtomicBool>,
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<(T, bool)> {
    let released = Arc::clone(released);
    tokio::spawn(async move {
        let output = task.await;
        (output, released.load(Ordering::SeqCst))
    })
}

#[test]
fn a_repeated_request_waits_for_the_first_and_has_its_outcome() {
    test(async {
        let (site, gate) = Site::gated(Plan::default()).await;
        let released = Arc::new(AtomicBool::new(false));
        let hold = gate.hold();
        let command = course("PX-1").command();
        let other = wire::Command {
            request_id: command.request_id.clone(),
            ..course("PX-2").command()
        };
        let first = watched(&released, site.start(command.clone()));
        gate.reached().await;
        let again: Vec<_> = (0..4)
            .map(|_| watched(&released, site.start(command.clone())))
            .collect();
        let changed = watched(&released, site.start(other.clone()));
        let mut batch = site.batch().await;
        batch
            .send(vec![command.clone(), other, course("PX-3").command()])
            .await;
        let in_batch = watched(&released, async move { batch.answer().await });
        // What was sent before these has arrived before their answers.
        site.round_trips(3).await;
        released.store(true, Ordering::SeqCst);
        drop(hold);
        let (first, late) = first.await.unwrap();
        let first = first.unwrap().unwrap();
        assert!(late, "acknowledged before it was durable");
        assert_eq!(shown(&first), "accepted");
        for again in again {
            let (again, late) = again.await.unwrap();
            let again = again.unwrap().unwrap();
            assert!(late, "acknowledged before it was durable");
            assert!(again.replayed);
            assert_eq!(again.result, first.result);
        }
        let (changed, late) = changed.await.unwrap();
        assert!(
            late,
            "it may still turn out that the first was never recorded"
        );
        fails(
            changed.unwrap(),
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
            "request_id",
        );
        let (in_batch, late) = in_batch.await.unwrap();
        assert!(late, "acknowledged before it was durable");
        let in_batch = in_batch.unwrap().unwrap();
        assert_eq!(in_batch[0].result, first.result);
        assert_eq!(
            in_batch.iter().map(shown).collect::<Vec<_>>(),
            [
                "accepted replayed",
                "rejected REQUEST_ID_REUSED request_id",
                "accepted"
            ]
        );
    });
}

#[test]
fn reads_are_never_ahead_of_what_is_durable() {
    test(async {
        let (site, gate) = Site::gated(Plan::default()).await;
        site.record(claimable()).await;
        let durable = site.head().await.position;
        let hold = gate.hold();
        let second = LUZHOU_2023.replace("id = \"luzhou-2023\"", "id = \"luzhou-2023-b\"");
        let mut batch = site.batch().await;
        batch
            .send(vec![listed(2).command(), policy(second).command()])
            .await;
        gate.reached().await;
        // Two registrations and the pack: decided, not durable.
        site.decided(durable + 3).await;

        // What rests on durable events alone is answered, without the new ones.
        let policies = site
            .ledger()
            .list_policies(wire::ListPoliciesRequest {})
            .await
            .unwrap();
        assert_eq!(policies.into_inner().policies.len(), 1);
        let events = site.grpc.clone().events().await;
        assert_eq!(events.len() as u64, durable);
        for (position, there) in [(durable, true), (durable + 1, false)] {
            let answer = site
                .ledger()
                .get_event(wire::GetEventRequest { position })
                .await;
            assert_eq!(answer.is_ok(), there, "{position}");
        }
        assert_eq!(site.head().await.position, durable);

        // What rests on the newest state waits for it.
        let released = Arc::new(AtomicBool::new(false));
        let mut reads = waiting_reads(&site, &released);
        let new = durable + 3;
        site.round_trips(5).await;
        released.store(true, Ordering::SeqCst);
        drop(hold);
        let mut count = 0;
        while let Some(read) = reads.join_next().await {
            let (position, late) = read.unwrap().unwrap();
            assert_eq!(position, new);
            assert!(late, "an answer from what was not durable");
            count += 1;
        }
        assert_eq!(count, 10);
        assert_eq!(batch.answer().await.unwrap().unwrap().len(), 2);
    });
}

/// Every read that rests on the newest state: the position that it was answered
/// from, and whether that was after the log was let through.
fn waiting_reads(
    site: &Site,
    released: &Arc<AtomicBool>,
) -> JoinSet<Result<(u64, bool), tokio::task::JoinError>> {
    let mut reads = JoinSet::new();
    for index in [1, 2] {
        let mut ledger = site.ledger();
        reads.spawn(watched(released, async move {
            let request = wire::GetSubjectRequest {
                subject: Some(wire::get_subject_request::Subject::NationalId(
                    person(index).national_id,
                )),
                on: Some(day("2024-06-01")),
                ..wire::GetSubjectRequest::default()
            };
            ledger
                .get_subject(request)
                .await
                .unwrap()
                .into_inner()
                .position
        }));
    }
    for name in ["limits", "budget", "totals", "refusals", "conflicts"] {
        let mut projections = site.grpc.projections.clone();
        reads.spawn(watched(released, async move {
            let request = wire::QueryRequest {
                name: name.to_owned(),
                ..wire::QueryRequest::default()
            };
            let answer = projections.query(request).await.unwrap().into_inner();
            answer.projection.unwrap().position
        }));
    }
    let mut projections = site.grpc.projections.clone();
    reads.spawn(watched(released, async move {
        let answer = projections
            .list(wire::ListRequest {})
            .await
            .unwrap()
            .into_inner();
        answer.projections[0].position
    }));
    let mut projections = site.grpc.projections.clone();
    reads.spawn(watched(released, async move {
        let answers = projections.rebuild(wire::RebuildRequest {}).await.unwrap();
        let mut answers = answers.into_inner();
        let mut last = None;
        while let Some(answer) = answers.message().await.unwrap() {
            last = Some(answer);
        }
        let last = last.unwrap();
        assert!(last.matches);
        last.position
    }));
    let mut ledger = site.ledger();
    reads.spawn(watched(released, async move {
        let request = wire::EvaluateRequest {
            command: Some(listed(3).command()),
        };
        ledger
            .evaluate(request)
            .await
            .unwrap()
            .into_inner()
            .position
    }));
    reads
}

/// A connection without the timer of tonic's own client, so that it is the
/// server that ends what takes too long.
fn patient(site: &Site) -> LedgerServiceClient<legacy::Client<HttpConnector, Body>> {
    let http = legacy::Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    LedgerServiceClient::with_origin(http, site.url().parse().unwrap())
}

#[test]
fn a_request_whose_deadline_passes_in_the_queue_is_not_decided() {
    test(async {
        let (site, gate) = Site::gated(Plan::default()).await;
        site.record([course("PX-1").command()]).await;
        let before = site.head().await.position;
        let (hold, started) = full(&site, &gate).await;

        let late = course("PX-2").command();
        let mut request = Request::new(wire::SubmitRequest {
            receipt: false,
            command: Some(late.clone()),
        });
        request.set_timeout(Duration::from_millis(20));
        let answer = patient(&site).submit(request).await;
        fails(answer, Code::DeadlineExceeded, "DEADLINE_PASSED", "");

        let in_batch = course("PX-3").command();
        let (send, receive) = tokio::sync::mpsc::channel(1);
        let commands = vec![in_batch.clone()];
        send.send(wire::SubmitBatchRequest { commands })
            .await
            .unwrap();
        let mut request = Request::new(ReceiverStream::new(receive));
        request.set_timeout(Duration::from_millis(20));
        let answer = match patient(&site).submit_batch(request).await {
            Ok(answers) => answers.into_inner().message().await,
            Err(status) => Err(status),
        };
        fails(answer, Code::DeadlineExceeded, "DEADLINE_PASSED", "");

        drop(hold);
        accepted(started).await;
        // Behind what was on its way, nothing was written for those two; they can be
        // repeated, and are decided then.
        assert_eq!(site.head().await.position, before + 2);
        for command in [late, in_batch] {
            assert_eq!(shown(&site.submit(command).await.unwrap()), "accepted");
        }
        assert_eq!(site.head().await.position, before + 4);
    });
}

#[test]
fn a_follower_is_told_when_its_deadline_passes() {
    test(async {
        let site = Site::new().await;
        let mut request = Request::new(wire::ReadEventsRequest {
            follow: true,
            ..wire::ReadEventsRequest::default()
        });
        request.set_timeout(Duration::from_millis(20));
        let answer = patient(&site).read_events(request).await;
        let ended = match answer {
            Ok(answers) => {
                let mut answers = answers.into_inner();
                loop {
                    match answers.message().await {
                        Ok(Some(_)) => {}
                        Ok(None) => panic!("a follower does not end in order"),
                        Err(status) => break Err(status),
                    }
                }
            }
            Err(status) => Err(status),
        };
        fails::<()>(ended, Code::DeadlineExceeded, "DEADLINE_PASSED", "");
    });
}

#[test]
fn a_full_queue_turns_requests_away_and_takes_them_later() {
    test(async {
        let plan = Plan {
            queue: 2,
            ..Plan::default()
        };
        let (site, gate) = Site::gated(plan).await;
        site.record([course("PX-0").command()]).await;
        let before = site.head().await.position;
        let (hold, started) = full(&site, &gate).await;
        let mut waiting = JoinSet::new();
        for number in 1..=5 {
            let command = course(&format!("PX-{number}")).command();
            let submitted = site.start(command.clone());
            waiting.spawn(async move { (command, submitted.await.unwrap()) });
        }
        let mut turned_away = Vec::new();
        while turned_away.len() < 3 {
            let (command, answer) = waiting.join_next().await.unwrap().unwrap();
            let status = answer.clone().unwrap_err();
            fails(answer, Code::ResourceExhausted, "QUEUE_FULL", "");
            let retry = status.get_details_retry_info().expect("when to come again");
            assert!(retry.retry_delay.is_some_and(|delay| !delay.is_zero()));
            turned_away.push(command);
        }
        drop(hold);
        accepted(started).await;
        while let Some(answer) = waiting.join_next().await {
            assert_eq!(shown(&answer.unwrap().1.unwrap()), "accepted");
        }
        assert_eq!(
            site.head().await.position,
            before + 4,
            "nothing of those turned away"
        );
        for command in turned_away {
            assert_eq!(shown(&site.submit(command).await.unwrap()), "accepted");
        }
    });
}

#[test]
fn a_batch_stream_waits_where_a_request_is_turned_away() {
    test(async {
        const MESSAGES: usize = 40;
        let plan = Plan {
            queue: 1,
            ..Plan::default()
        };
        let (site, gate) = Site::gated(plan).await;
        site.record([course("PX").command()]).await;
        let before = site.head().await.position;
        let (hold, started) = full(&site, &gate).await;
        let mut batch = site.batch().await;
        let feeder = batch.feeder();
        let fed = tokio::spawn(async move {
            for number in 0..MESSAGES {
                let commands = vec![course(&format!("PB-{number}")).command()];
                feeder
                    .send(wire::SubmitBatchRequest { commands })
                    .await
                    .unwrap();
            }
        });
        fed.await.unwrap();
        site.round_trips(5).await;
        // There is one place, and perhaps the batch has it.
        let mut started_alone = JoinSet::new();
        for number in 0..3 {
            let submitted = site.start(course(&format!("PU-{number}")).command());
            started_alone.spawn(async move { submitted.await.unwrap() });
        }
        for _ in 0..2 {
            let answer = started_alone.join_next().await.unwrap().unwrap();
            fails(answer, Code::ResourceExhausted, "QUEUE_FULL", "");
        }
        drop(hold);
        accepted(started).await;
        let taken = match started_alone.join_next().await.unwrap().unwrap() {
            Ok(outcome) => u64::from(shown(&outcome) == "accepted"),
            answer @ Err(_) => {
                fails(answer, Code::ResourceExhausted, "QUEUE_FULL", "");
                0
            }
        };
        let mut last = 0;
        for number in 0..MESSAGES {
            let answer = batch.answer().await.unwrap().unwrap();
            assert_eq!(
                answer.iter().map(shown).collect::<Vec<_>>(),
                ["accepted"],
                "{number}"
            );
            assert!(receipt(&answer[0]).position > last, "in order");
            last = receipt(&answer[0]).position;
        }
        let expected = before + 2 + MESSAGES as u64 + taken;
        assert_eq!(site.head().await.position, expected);
    });
}

#[test]
fn nobody_waits_for_a_batch_that_came_before() {
    test(async {
        let (site, gate) = Site::gated(Plan::default()).await;
        site.record([course("PX").command()]).await;
        let (hold, started) = full(&site, &gate).await;
        let courses = |name: &str, count: usize| -> Vec<_> {
            (0..count)
                .map(|number| course(&format!("{name}-{number}")).command())
                .collect()
        };
        let mut long = site.batch().await;
        long.send(courses("PL", 10_000)).await;
        site.round_trips(20).await;
        let mut short = site.batch().await;
        short.send(courses("PS", 10)).await;
        let single = site.start(course("PU").command());
        site.round_trips(20).await;
        drop(hold);
        accepted(started).await;
        let single = single.await.unwrap().unwrap();
        let short = short.answer().await.unwrap().unwrap();
        let long = long.answer().await.unwrap().unwrap();
        let place = |outcome: &wire::Outcome| receipt(outcome).position;
        assert!(long.iter().map(place).is_sorted(), "in its own order");
        assert!(short.iter().map(place).is_sorted());
        let last = place(long.last().unwrap());
        assert!(
            place(&single) + 9_000 < last,
            "{} of {last}",
            place(&single)
        );
        let others = short.iter().map(place).max().unwrap();
        assert!(others + 9_000 < last, "{others} of {last}");
    });
}

#[test]
fn what_is_left_of_a_message_is_not_decided_when_nobody_listens() {
    test(async {
        let (site, gate) = Site::gated(Plan::default()).await;
        site.record([course("PX").command()]).await;
        let batch = site.batch().await;
        // Somebody is there beside the stream, so that groups are small.
        let hold = gate.hold();
        let first = site.start(course("PA").command());
        gate.reached().await;
        let before = site.head().await.position;
        let commands = (0..10_000).map(|n| course(&format!("PB-{n}")).command());
        batch.send(commands.collect()).await;
        // Some of it is decided.
        site.decided(before + 3).await;
        drop(batch);
        site.round_trips(20).await;
        drop(hold);
        accepted(vec![first]).await;
        site.record([course("PC").command()]).await;
        let head = site.head().await.position;
        assert!(head < before + 9_000, "{head} after {before}");
    });
}

#[test]
fn a_request_that_nobody_limits_is_limited() {
    test(async {
        let plan = Plan {
            limits: Limits {
                request: Duration::from_millis(50),
                ..Limits::default()
            },
            ..Plan::default()
        };
        let (site, gate) = Site::gated(plan).await;
        let hold = gate.hold();
        let answer = patient(&site)
            .submit(wire::SubmitRequest {
                receipt: false,
                command: Some(course("PX").command()),
            })
            .await;
        fails(answer, Code::DeadlineExceeded, "DEADLINE_PASSED", "");
        drop(hold);
    });
}
