//! The first storage failure ends all writing. What was acknowledged before is
//! there after a new start; what was not may be, and a repeated request tells.

use std::sync::Arc;

use luzhang_ledger::{
    Position,
    log::{
        Log as _,
        memory::{Failure, MemoryStore},
        sled::SledLog,
    },
    text::Principal,
    verify::{Verdict, verify_blocks},
};
use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::wire;
use luzhang_server::{
    Engine, Limits, Rejected,
    engine::{Genesis, Options},
    replay,
};
use tonic::{Code, Status};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_types::StatusExt as _;

use crate::{
    commands::{Commanded as _, claimable, course, day, person, receipt, shown},
    gate::Gate,
    site::{Plan, Site, ledger_id, test},
    status::{Said, fails},
};

#[track_caller]
fn stopped<T: std::fmt::Debug>(answer: Result<T, Status>) -> Said {
    let status = answer.expect_err("the writer had stopped");
    assert!(status.get_details_retry_info().is_some());
    let said = fails(Err::<T, _>(status), Code::Unavailable, "WRITER_STOPPED", "");
    for (text, words) in [
        (&said.zh, ["重启", "同一请求编号"]),
        (&said.en, ["restart", "same request id"]),
    ] {
        assert!(
            words.iter().all(|word| text.contains(word)),
            "no advice: {text}"
        );
    }
    said
}

#[test]
fn a_storage_failure_stops_the_writer_and_loses_nothing_acknowledged() {
    for failure in [Failure::BeforeStored, Failure::AfterStored] {
        test(async move {
            let scratch = tempfile::tempdir().unwrap();
            let dir = scratch.path().join("ledger");
            let gate = Gate::new();
            let log = SledLog::create(&dir, ledger_id()).unwrap();
            let genesis = Genesis {
                ledger: ledger_id(),
                pack: Some(LUZHOU_2023.as_bytes().to_vec()),
                origin: None,
                mandates: Vec::new(),
            };
            let log = gate.before(Box::new(log));
            let engine = Engine::over(log, &dir, genesis, Options::default()).unwrap();
            let site = Site::serve(engine, Limits::default(), scratch).await;
            let mut acknowledged = Vec::new();
            for command in claimable() {
                let outcome = site.submit(command.clone()).await.unwrap();
                acknowledged.push((command, outcome));
            }
            let head = site.head().await;

            // One group is on its way when it fails, and others wait for it.
            let hold = gate.hold();
            let mut lost = Vec::new();
            for number in 1..=3 {
                let command = course(&format!("PF-{number}")).command();
                lost.push((command.clone(), site.start(command)));
                site.decided(head.position + 1).await;
            }
            site.round_trips(5).await;
            let mut batch = site.batch().await;
            batch.send(vec![course("PF-4").command()]).await;
            gate.fail_next(failure);
            drop(hold);
            let mut unknown = Vec::new();
            for (command, started) in lost {
                let said = stopped(started.await.unwrap());
                assert!(
                    said.zh.contains("磁盘已满") && said.en.contains("disk is full"),
                    "{said:?}"
                );
                unknown.push(command);
            }
            stopped(batch.answer().await);

            // Nothing is taken any more, by whatever way.
            stopped(site.submit(course("PF-5").command()).await);
            let mut batch = site.batch().await;
            batch
                .send(vec![course("PF-6").command(), course("PF-7").command()])
                .await;
            stopped(batch.answer().await);
            reads_after_the_failure(&site, &head).await;

            let scratch = site.close().await;
            let engine = Engine::open(&dir, Options::default(), |_, _| {}).unwrap();
            let site = Site::serve(engine, Limits::default(), scratch).await;
            for (command, original) in acknowledged {
                let again = site.submit(command).await.unwrap();
                assert!(again.replayed);
                assert_eq!(again.result, original.result);
            }
            // The first was on the disk or not; the others never were.
            let stored = failure == Failure::AfterStored;
            assert_eq!(
                site.head().await.position,
                head.position + u64::from(stored)
            );
            let mut again = Vec::new();
            for command in unknown {
                again.push(shown(&site.submit(command).await.unwrap()));
            }
            let first = if stored {
                "accepted replayed"
            } else {
                "accepted"
            };
            assert_eq!(again, [first, "accepted", "accepted"]);
            assert_eq!(site.head().await.position, head.position + 3);
        });
    }
}

/// What is durable is still read; what rests on undurable state is not.
async fn reads_after_the_failure(site: &Site, head: &wire::GetHeadResponse) {
    assert_eq!(site.head().await, *head);
    let events = site.grpc.clone().events().await;
    assert_eq!(events.len() as u64, head.position);
    assert_eq!(events.last().unwrap().event_hash, head.chain_head);
    let get = |position| wire::GetEventRequest { position };
    let last = site
        .ledger()
        .get_event(get(head.position))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(last.event.as_ref(), events.last());
    let beyond = site.ledger().get_event(get(head.position + 1)).await;
    fails(beyond, Code::NotFound, "EVENT_NOT_FOUND", "");
    let policies = site
        .ledger()
        .list_policies(wire::ListPoliciesRequest {})
        .await
        .unwrap();
    assert_eq!(policies.into_inner().policies.len(), 1);
    let mut audit = site.grpc.audit.clone();
    let request = wire::ExportBlocksRequest { from: 0 };
    let mut answers = audit.export_blocks(request).await.unwrap().into_inner();
    let mut blocks = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        blocks += answer.blocks.len() as u64;
    }
    assert_eq!(blocks, head.height);

    let mut projections = site.grpc.projections.clone();
    stopped(projections.list(wire::ListRequest {}).await);
    let query = wire::QueryRequest {
        name: "budget".to_owned(),
        ..wire::QueryRequest::default()
    };
    stopped(projections.query(query).await);
    stopped(projections.rebuild(wire::RebuildRequest {}).await);
    let subject = wire::GetSubjectRequest {
        subject: Some(wire::get_subject_request::Subject::NationalId(
            person(1).national_id,
        )),
        on: Some(day("2024-06-01")),
        ..wire::GetSubjectRequest::default()
    };
    stopped(site.ledger().get_subject(subject).await);
    let evaluate = wire::EvaluateRequest {
        command: Some(course("PE").command()),
    };
    stopped(site.ledger().evaluate(evaluate).await);
}

#[test]
fn a_log_in_memory_keeps_what_was_acknowledged() {
    for failure in [Failure::BeforeStored, Failure::AfterStored] {
        test(async move {
            let store = MemoryStore::new(ledger_id());
            let log = store.open().unwrap();
            let site = Site::over(Box::new(log), Plan::default()).await;
            let mut receipts = Vec::new();
            for command in claimable() {
                receipts.push(receipt(&site.submit(command).await.unwrap()).clone());
            }
            let durable = site.head().await;
            store.fail_next(failure);
            let said = stopped(site.submit(course("PF").command()).await);
            assert!(said.en.contains("a test asked for this fault"), "{said:?}");
            assert_eq!(site.head().await, durable);
            site.close().await;
            let log = store.open().unwrap();
            let stored = failure == Failure::AfterStored;
            let end = log.head().position.unwrap().number();
            assert_eq!(end, durable.position + u64::from(stored));
            let reader = log.reader();
            let report = verify_blocks(reader.blocks_from(Position::FIRST), None, |_| {});
            assert_eq!(
                (report.verdict, report.events),
                (Verdict::SelfConsistent, end)
            );
            for receipt in receipts {
                let position = Position::new(receipt.position).unwrap();
                let logged = replay::event_at(&*reader, position).unwrap().unwrap();
                assert_eq!(receipt.event_hash, logged.hash.as_bytes());
            }
        });
    }
}

#[test]
fn a_ledger_that_cannot_begin_says_so() {
    let store = MemoryStore::new(ledger_id());
    store.fail_next(Failure::BeforeStored);
    let scratch = tempfile::tempdir().unwrap();
    let genesis = Genesis {
        ledger: ledger_id(),
        pack: None,
        origin: None,
        mandates: Vec::new(),
    };
    let log = Box::new(store.open().unwrap());
    let error = Engine::over(log, scratch.path(), genesis, Options::default()).unwrap_err();
    assert_eq!(error.code(), "WRITER_STOPPED");
    let said = Said {
        status: Code::Unknown,
        reason: error.code().to_owned(),
        field: String::new(),
        zh: error.zh(),
        en: error.to_string(),
    };
    said.is_worded();
}

#[test]
fn a_writer_that_stopped_before_it_is_served_is_not_healthy() {
    test(async {
        let (site, gate) = Site::gated(Plan::default()).await;
        gate.fail_next(Failure::BeforeStored);
        // Without a server: straight into the queue, a command that the edge
        // has rejected and one that it has not.
        let rejected: Result<_, Rejected> = Err(Rejected::missing("command"));
        let outcomes = site
            .engine
            .try_submit(&Principal::new("local").unwrap(), vec![rejected])
            .unwrap()
            .outcomes()
            .await
            .unwrap();
        assert_eq!(outcomes[0].as_ref().unwrap_err().code, "FIELD_REQUIRED");
        stopped(site.submit(course("PX").command()).await);
        let scratch = tempfile::tempdir().unwrap();
        let other = Site::serve(Arc::clone(&site.engine), Limits::default(), scratch).await;
        let mut health = HealthClient::new(other.channel().await);
        let mut watch = health
            .watch(HealthCheckRequest::default())
            .await
            .unwrap()
            .into_inner();
        // The first answers may come from before the server has looked.
        while watch.message().await.unwrap().unwrap().status() != ServingStatus::NotServing {}
        stopped(other.submit(course("PY").command()).await);
    });
}
