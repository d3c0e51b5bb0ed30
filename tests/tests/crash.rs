//! Whatever the moment at which a process is killed: what was acknowledged is
//! there, nothing is there twice, and whoever asks again gets the same answer.

#![cfg(test)]

mod support;

#[path = "crash/imports.rs"]
mod imports;
#[path = "crash/order.rs"]
mod order;

use std::fs;

use luzhang_proto::wire;
use support::journal::{Journal, Load};
use support::{Dice, Grpc, Ledger, Server};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// How often the server is killed.
const KILLS: usize = 8;
/// The most acknowledgements before a kill.
const ACKNOWLEDGED: u64 = 400;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_survives_being_killed() {
    let ledger = Ledger::new();
    let journal = Journal::default();
    let mut dice = Dice::new("killed");
    for kill in 0..KILLS {
        let server = Server::start(&ledger.dir());
        let load = Load::start(server.url(), &journal);
        load.acknowledged(dice.below(ACKNOWLEDGED)).await;
        server.kill();
        let acknowledged = load.ended().await;
        let server = Server::start(&ledger.dir());
        let found = journal.find_again(server.url()).await;
        println!("kill {kill}: {acknowledged} acknowledged, {found:?}");
        journal.nothing_is_there_twice(&server).await;
        assert_eq!(server.terminate().code, 0);
    }
    let verified = ledger
        .target()
        .run(["audit", "verify", "-o", "json"])
        .ended(0);
    assert_eq!(verified.json()["verdict"], "self_consistent");
}

/// Snapshots are made all the time, beside the writer, and at each end; `rebuild`
/// folds everything and compares.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_while_it_makes_snapshots_starts_from_what_holds() {
    let ledger = Ledger::new();
    let journal = Journal::default();
    let mut dice = Dice::new("killed with snapshots");
    let often = ["--snapshots", "20"];
    for kill in 0..KILLS {
        let server = Server::with(&ledger.dir(), often, "warn");
        let load = Load::start(server.url(), &journal);
        load.acknowledged(dice.below(ACKNOWLEDGED)).await;
        server.kill();
        let acknowledged = load.ended().await;
        let kept = fs::read_dir(ledger.dir().join("snapshots"));
        println!(
            "kill {kill}: {acknowledged} acknowledged, {} snapshots",
            // It may not have come that far.
            kept.map_or(0, Iterator::count)
        );
        let server = Server::with(&ledger.dir(), often, "warn");
        journal.find_again(server.url()).await;
        journal.nothing_is_there_twice(&server).await;
        server.target().run(["rebuild"]).ended(0);
        assert_eq!(server.terminate().code, 0);
    }
    let kept = fs::read_dir(ledger.dir().join("snapshots")).unwrap();
    assert!(kept.count() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_end_loses_nothing() {
    let ledger = Ledger::new();
    let journal = Journal::default();
    let mut dice = Dice::new("told to end");
    for _ in 0..3 {
        let server = Server::start(&ledger.dir());
        // Streams that would go on for ever must not hold it up.
        let mut idle = Grpc::connect(server.url()).await;
        let follow = wire::ReadEventsRequest {
            follow: true,
            ..wire::ReadEventsRequest::default()
        };
        let mut following = idle.ledger.read_events(follow).await.unwrap().into_inner();
        let (never_sent, nothing) = mpsc::channel(1);
        let open = idle.ledger.submit_batch(ReceiverStream::new(nothing)).await;
        let load = Load::start(server.url(), &journal);
        load.acknowledged(1 + dice.below(ACKNOWLEDGED)).await;

        let ended = tokio::task::spawn_blocking(|| server.terminate());
        let mut last = 0;
        while let Ok(Some(answer)) = following.message().await {
            last = answer.position;
        }
        let acknowledged = load.ended().await;
        let ended = ended.await.unwrap();
        assert_eq!(
            (ended.code, ended.err.lines().count()),
            (0, 2),
            "{}",
            ended.err
        );
        // That there is no TLS, and this.
        assert!(ended.err.contains("\nfinishing"), "{}", ended.err);
        drop((never_sent, open));
        assert_eq!(
            fs::read(ledger.dir().join("lock")).unwrap(),
            b"",
            "the lock was left"
        );
        let head: u64 = ledger
            .target()
            .head()
            .split(':')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!(
            last <= head,
            "followers were told of {last}, the log ends at {head}"
        );

        let server = Server::start(&ledger.dir());
        let found = journal.find_again(server.url()).await;
        println!("{acknowledged} acknowledged, {found:?}");
        journal.nothing_is_there_twice(&server).await;
        server.kill();
    }
}
