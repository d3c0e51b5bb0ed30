//! The end of a server: nobody who behaves holds it up, and nothing is lost.

use std::{net::TcpListener as StdListener, time::Duration};

use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::wire;
use luzhang_server::{
    Engine, Limits, Server,
    engine::{Genesis, Options},
};
use tempfile::TempDir;
use tonic::{Code, transport::Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    commands::{Commanded as _, course, policy, receipt, shown},
    gate::Gate,
    site::{Plan, Site, ledger_id, test},
    status::fails,
};

fn genesis() -> Genesis {
    Genesis {
        ledger: ledger_id(),
        pack: Some(LUZHOU_2023.as_bytes().to_vec()),
        origin: None,
        mandates: Vec::new(),
    }
}

async fn on_disk(limits: Limits) -> Site {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("ledger");
    let engine = Engine::create(&dir, genesis(), Options::default()).unwrap();
    Site::serve(engine, limits, scratch).await
}

async fn again(scratch: TempDir) -> Site {
    let dir = scratch.path().join("ledger");
    let engine = Engine::open(&dir, Options::default(), |_, _| {}).unwrap();
    Site::serve(engine, Limits::default(), scratch).await
}

#[test]
fn open_streams_end_at_once_with_a_reason() {
    test(async {
        // Without any grace to wait for: what ends, ends by itself.
        let site = on_disk(Limits {
            grace: Duration::from_hours(24),
            ..Limits::default()
        })
        .await;
        let mut followers = Vec::new();
        for _ in 0..3 {
            let request = wire::ReadEventsRequest {
                follow: true,
                ..wire::ReadEventsRequest::default()
            };
            let mut follower = site
                .ledger()
                .read_events(request)
                .await
                .unwrap()
                .into_inner();
            assert_eq!(follower.message().await.unwrap().unwrap().events.len(), 2);
            followers.push(follower);
        }
        let idle = site.batch().await;
        let mut used = site.batch().await;
        let outcomes = used.round(vec![course("PX-1").command()]).await;
        assert_eq!(shown(&outcomes[0]), "accepted");
        let mut health = HealthClient::new(site.channel().await);
        let mut watch = health
            .watch(HealthCheckRequest::default())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            watch.message().await.unwrap().unwrap().status(),
            ServingStatus::Serving
        );
        let url = site.url().to_owned();
        let ending = site.stop();
        assert_eq!(
            watch.message().await.unwrap().unwrap().status(),
            ServingStatus::NotServing
        );
        assert!(watch.message().await.unwrap().is_none());
        for mut follower in followers {
            // The school and the course, in one answer or two, come first.
            let ended = loop {
                match follower.message().await {
                    Ok(Some(_)) => {}
                    other => break other,
                }
            };
            fails(ended, Code::Unavailable, "SHUTTING_DOWN", "");
        }
        for mut batch in [idle, used] {
            fails(batch.answer().await, Code::Unavailable, "SHUTTING_DOWN", "");
        }
        let site = again(ending.ended().await).await;
        assert!(Endpoint::from_shared(url).unwrap().connect().await.is_err());
        assert_eq!(site.head().await.position, 4);
    });
}

#[test]
fn what_was_taken_is_answered_and_durable() {
    test(async {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("ledger");
        let gate = Gate::new();
        let log = luzhang_ledger::log::sled::SledLog::create(&dir, ledger_id()).unwrap();
        let log = gate.before(Box::new(log));
        let engine = Engine::over(log, &dir, genesis(), Options::default()).unwrap();
        let limits = Limits {
            grace: Duration::from_hours(24),
            ..Limits::default()
        };
        let site = Site::serve(engine, limits, scratch).await;
        let before = site.head().await.position;
        // While a stream is open, others are decided beside what goes to the disk.
        let mut batch = site.batch().await;
        let hold = gate.hold();
        // Decided, so certainly taken: one request, and one message of a batch.
        let first = course("PX-1").command();
        let taken = site.start(first.clone());
        site.decided(before + 2).await;
        let second = course("PX-2").command();
        batch.send(vec![second.clone()]).await;
        site.decided(before + 3).await;
        // On their way: taken or turned away, but each with an answer.
        let mut under_way = Vec::new();
        for number in 0..20 {
            let command = course(&format!("PY-{number}")).command();
            under_way.push((command.clone(), site.start(command)));
        }
        let ending = site.stop();
        drop(hold);
        let mut acknowledged = vec![(first, taken.await.unwrap().unwrap())];
        let answer = batch.answer().await.unwrap().unwrap();
        acknowledged.push((second, answer[0].clone()));
        fails(batch.answer().await, Code::Unavailable, "SHUTTING_DOWN", "");
        let mut turned_away = Vec::new();
        for (command, started) in under_way {
            match started.await.unwrap() {
                Ok(outcome) => acknowledged.push((command, outcome)),
                // The transport may have closed before it was sent at all.
                Err(_) => turned_away.push(command),
            }
        }
        let site = again(ending.ended().await).await;
        for (command, original) in acknowledged {
            assert_eq!(shown(&original), "accepted");
            let again = site.submit(command).await.unwrap();
            assert!(again.replayed);
            assert_eq!(receipt(&again), receipt(&original));
        }
        for command in turned_away {
            assert!(shown(&site.submit(command).await.unwrap()).starts_with("accepted"));
        }
        // Genesis, pack and school, two and twenty courses.
        assert_eq!(site.head().await.position, 3 + 22);
    });
}

#[test]
fn who_does_not_read_cannot_hold_up_the_end() {
    test(async {
        let site = on_disk(Limits {
            grace: Duration::ZERO,
            ..Limits::default()
        })
        .await;
        // More than a connection holds without being read.
        let pack = format!("{LUZHOU_2023}\n{}\n", "#".repeat(60_000));
        let packs = (0..50).map(|_| policy(pack.clone()).command()).collect();
        site.batch().await.round(packs).await;
        let head = site.head().await;
        let request = wire::ReadEventsRequest {
            follow: true,
            ..wire::ReadEventsRequest::default()
        };
        let unread = site.ledger().read_events(request).await.unwrap();
        let mut audit = site.grpc.audit.clone();
        let unread_too = audit
            .export_blocks(wire::ExportBlocksRequest { from: 0 })
            .await
            .unwrap();
        let scratch = site.stop().ended().await;
        drop((unread, unread_too));
        let site = again(scratch).await;
        let reopened = site.head().await;
        assert_eq!(
            (reopened.position, reopened.chain_head),
            (head.position, head.chain_head)
        );
    });
}

#[test]
fn without_tls_only_this_machine_is_served() {
    test(async {
        let site = Site::with(Plan::default()).await;
        let server = Server::new(std::sync::Arc::clone(&site.engine), Limits::default());
        for address in [
            "0.0.0.0:0",
            "[::]:0",
            "192.0.2.1:7380",
            "[2001:db8::1]:7380",
        ] {
            let error = server.listen(address.parse().unwrap()).await.unwrap_err();
            assert_eq!(error.code(), "NOT_LOOPBACK");
            for text in [error.zh(), error.to_string()] {
                assert!(
                    text.contains(address) && text.contains("127.0.0.1:7380"),
                    "{text}"
                );
            }
        }
        for address in ["127.0.0.1:0", "127.9.9.9:0"] {
            let listener = server.listen(address.parse().unwrap()).await.unwrap();
            assert!(listener.local_addr().unwrap().ip().is_loopback());
        }
        if StdListener::bind("[::1]:0").is_ok() {
            assert!(server.listen("[::1]:0".parse().unwrap()).await.is_ok());
        } else {
            skipped(format_args!("SKIPPED: [::1]: this machine has no IPv6"));
        }
        let taken = server.listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = server.listen(address).await.unwrap_err();
        assert_eq!(error.code(), "LISTEN_FAILED");
        for text in [error.zh(), error.to_string()] {
            assert!(text.contains(&address.to_string()), "{text}");
        }
    });
}

/// Says so past the test runner, which shows what a test prints only if it fails.
fn skipped(what: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    // Nobody may be reading.
    let _unread = writeln!(std::io::stderr(), "{what}");
}
