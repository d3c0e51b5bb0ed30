//! Servers over one database, and what becomes of what was acknowledged when a server
//! or the database is killed under load.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use luzhang_proto::wire;

use crate::support::{
    Grpc, Server, Target,
    database::{Cluster, Instance, url},
    journal::{Journal, Load},
    signal,
};

/// A ledger in a database, and the data directories of its servers.
pub(crate) struct Site {
    home: tempfile::TempDir,
    url: String,
}

impl Site {
    /// Makes the ledger, and the first server's directory.
    pub(crate) fn new(instances: &[&Instance]) -> Self {
        Self::with(instances, &[])
    }

    /// With more options for `init`.
    pub(crate) fn with(instances: &[&Instance], options: &[&str]) -> Self {
        Self::made(url(instances), options)
    }

    /// In the database at this address.
    pub(crate) fn at(url: String) -> Self {
        Self::made(url, &[])
    }

    fn made(url: String, options: &[&str]) -> Self {
        let site = Self {
            home: tempfile::tempdir().unwrap(),
            url,
        };
        let made = site.dir("first");
        let own = ["init", "--database", &site.url];
        Target::data_dir(&made)
            .run(own.iter().chain(options))
            .ended(0);
        site
    }

    pub(crate) fn dir(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Makes another server's directory from the first one's keys.
    pub(crate) fn join(&self, name: &str) {
        let (dir, first) = (self.dir(name), self.dir("first"));
        let keys = first.join("keys");
        Target::data_dir(&dir)
            .run([
                "join",
                "--database",
                &self.url,
                "--keys",
                keys.to_str().unwrap(),
            ])
            .ended(0);
        fs::copy(first.join("kek"), dir.join("kek")).unwrap();
    }

    pub(crate) fn serve(&self, name: &str, arguments: &[&str]) -> Server {
        let listen = free();
        let listen = ["--listen", &listen];
        let is_said = arguments.contains(&"--listen");
        let listen = listen.iter().filter(|_| !is_said);
        Server::with(&self.dir(name), arguments.iter().chain(listen), "info")
    }
}

/// An address that is free. Others are told of it, so it has to be known beforehand.
pub(crate) fn free() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

pub(crate) const LOCAL: [&str; 2] = ["--durable", "local"];
pub(crate) const STANDBY: [&str; 3] = ["--standby", "--durable", "local"];

/// The position of a server's state, and whether it can be read at all.
pub(crate) async fn position(url: &str) -> Option<u64> {
    let mut grpc = Grpc::try_connect(url).await.ok()?;
    let answer = grpc.audit.get_head(wire::GetHeadRequest {}).await.ok()?;
    Some(answer.into_inner().position)
}

/// Asks until a command is acknowledged by one of these, with one request id.
pub(crate) async fn first_acknowledged(journal: &Journal, urls: &[&str]) -> (usize, Duration) {
    let (began, command) = (Instant::now(), journal.aside());
    loop {
        for (place, url) in urls.iter().enumerate() {
            if let Ok(mut grpc) = Grpc::try_connect(url).await {
                let request = wire::SubmitRequest {
                    command: Some(command.clone()),
                    ..wire::SubmitRequest::default()
                };
                let asked =
                    tokio::time::timeout(Duration::from_secs(5), grpc.ledger.submit(request));
                if let Ok(Ok(_)) = asked.await {
                    return (place, began.elapsed());
                }
            }
        }
        assert!(began.elapsed() < Duration::from_mins(1), "nobody writes");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn digests(url: &str) -> Vec<wire::Projection> {
    Grpc::connect(url).await.digests().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_takes_over_from_a_server_that_is_killed_under_load() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let site = Site::new(&[&primary]);
    site.join("second");
    let journal = Journal::default();
    let [mut one, mut two] = ["first", "second"];
    for round in 0..3 {
        let writer = site.serve(one, &LOCAL);
        let standby = site.serve(two, &STANDBY);
        // What is asked of it is not written, and it says who writes.
        let command = journal.aside();
        let request = wire::SubmitRequest {
            command: Some(command),
            ..wire::SubmitRequest::default()
        };
        let refused = Grpc::connect(standby.url())
            .await
            .ledger
            .submit(request)
            .await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused:?}");
        {
            use tonic_types::StatusExt as _;
            let details = refused.get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!(info.reason, "NOT_THE_WRITER");
            assert!(writer.url().ends_with(&info.metadata["writer"]), "{info:?}");
            assert!(details.retry_info().is_some());
        }
        let load = Load::start(writer.url(), &journal);
        load.acknowledged(300).await;
        writer.kill();
        let (urls, reads) = ([standby.url().to_owned()], standby.url().to_owned());
        // It answers reads all the while.
        let reading = tokio::spawn(async move {
            let (mut answers, until) = (0, Instant::now() + Duration::from_secs(1));
            while Instant::now() < until {
                assert!(position(&reads).await.is_some());
                answers += 1;
            }
            answers
        });
        let (_, took) = first_acknowledged(&journal, &[&urls[0]]).await;
        let reads = reading.await.unwrap();
        load.ended().await;
        println!(
            "round {round}: {took:?} from the kill to the first acknowledgement, {reads} reads meanwhile"
        );
        let found = journal.find_again(standby.url()).await;
        println!("round {round}: {found:?}");
        journal.nothing_is_there_twice(&standby).await;
        assert_eq!(standby.terminate().code, 0);
        std::mem::swap(&mut one, &mut two);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_replaced_steps_down_and_can_follow() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let site = Site::new(&[&primary]);
    site.join("second");
    let journal = Journal::default();
    let mut old = site.serve("first", &LOCAL);
    let new = site.serve(
        "second",
        &["--standby", "--durable", "local", "--lease", "never"],
    );
    let load = Load::start(old.url(), &journal);
    load.acknowledged(100).await;
    // Told to, it takes over whoever writes.
    signal("USR1", new.process());
    let (_, took) = first_acknowledged(&journal, &[new.url()]).await;
    println!("{took:?} from the order to the first acknowledgement");
    load.ended().await;
    // It is known even if nobody asks it for anything.
    let until = Instant::now() + Duration::from_secs(10);
    while !old.said().contains("another server has taken over")
        && !old.said().contains("the writer stops")
    {
        assert!(Instant::now() < until, "{}", old.said());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let request = wire::SubmitRequest {
        command: Some(journal.aside()),
        ..wire::SubmitRequest::default()
    };
    let refused = Grpc::connect(old.url()).await.ledger.submit(request).await;
    let refused = refused.unwrap_err();
    assert!(
        refused
            .message()
            .contains(new.url().rsplit('/').next().unwrap()),
        "{refused:?}"
    );
    let ended = old.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
    journal.find_again(new.url()).await;
    journal.nothing_is_there_twice(&new).await;
    // It comes back as the one that follows, and folds to the same.
    let back = site.serve("first", &STANDBY);
    let end = position(new.url()).await.unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while position(back.url()).await != Some(end) {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(digests(new.url()).await, digests(back.url()).await);
    assert_eq!(back.terminate().code, 0);
    assert_eq!(new.terminate().code, 0);
}

const SYNCHRONOUS: [&str; 2] = [
    "synchronous_commit = on",
    "synchronous_standby_names = 'ANY 1 (s1, s2)'",
];
const QUORUM: &str = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'";

/// Three instances, of which one takes writes and waits for one of the others.
struct Trio {
    cluster: Cluster,
    primary: Instance,
    standbys: [Instance; 2],
}

impl Trio {
    fn new() -> Self {
        let cluster = Cluster::new();
        let primary = cluster.primary("p", &[]);
        let standbys = ["s1", "s2"].map(|name| cluster.standby(name, &primary));
        primary.set(&SYNCHRONOUS);
        primary.reload();
        for standby in &standbys {
            standby.set(&SYNCHRONOUS);
        }
        primary.until(QUORUM, "2");
        Self {
            cluster,
            primary,
            standbys,
        }
    }

    fn all(&self) -> [&Instance; 3] {
        let [one, two] = &self.standbys;
        [&self.primary, one, two]
    }

    /// The standby that has most takes the place of the primary, which is gone.
    fn promote_best(&self) {
        let received = |standby: &Instance| {
            let lsn = standby.sql("SELECT pg_last_wal_receive_lsn() - '0/0'");
            lsn.parse::<u64>().unwrap()
        };
        let [one, two] = &self.standbys;
        let (best, other) = if received(one) >= received(two) {
            (one, two)
        } else {
            (two, one)
        };
        best.promote();
        best.reload();
        other.follow(best);
        best.until(QUORUM, "1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_database_fails_over() {
    let mut trio = Trio::new();
    let site = Site::new(&trio.all());
    site.join("second");
    let journal = Journal::default();
    let writer = site.serve("first", &[]);
    let standby = site.serve("second", &["--standby"]);
    let load = Load::start(writer.url(), &journal);
    load.acknowledged(500).await;
    let urls = [writer.url().to_owned(), standby.url().to_owned()];
    trio.primary.kill();
    let asking = {
        let (journal, urls) = (journal.clone(), urls.clone());
        tokio::spawn(async move { first_acknowledged(&journal, &[&urls[0], &urls[1]]).await })
    };
    let trio = tokio::task::spawn_blocking(move || {
        trio.promote_best();
        trio
    });
    let reads = urls[1].clone();
    for _ in 0..20 {
        assert!(
            position(&reads).await.is_some(),
            "no reads during the failover"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let trio = trio.await.unwrap();
    let (who, took) = asking.await.unwrap();
    println!(
        "{took:?} from the kill of the database to the first acknowledgement, by the {}",
        ["writer", "standby"][who]
    );
    // Until the end of it, whoever writes.
    tokio::time::sleep(Duration::from_secs(2)).await;
    drop(load);
    let (who, _) = first_acknowledged(&journal, &[&urls[0], &urls[1]]).await;
    let found = journal.find_again(&urls[who]).await;
    println!("{found:?}");
    let server = if who == 0 { &writer } else { &standby };
    journal.nothing_is_there_twice(server).await;
    drop((writer, standby, trio.cluster));
}

/// The control: where commits do not wait for a standby, the same test loses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_waiting_for_a_standby_what_was_acknowledged_is_lost_and_that_is_seen() {
    let cluster = Cluster::new();
    let mut primary = cluster.primary("p", &[]);
    let mut standby = cluster.standby("s1", &primary);
    let site = Site::new(&[&primary, &standby]);
    let replicated = standby.sql("SELECT count(*) FROM luzhang_block");
    assert_ne!(replicated, "0");
    site.join("second");
    let journal = Journal::default();
    let writer = site.serve("first", &LOCAL);
    let load = Load::start(writer.url(), &journal);
    load.acknowledged(100).await;
    standby.stop();
    load.acknowledged(200).await;
    primary.kill();
    drop(load);
    standby.start();
    standby.promote();
    // Whoever acknowledged it refuses to go on without it.
    let mut writer = writer;
    let until = Instant::now() + Duration::from_mins(1);
    while !writer.said().contains("the writer stops") {
        assert!(Instant::now() < until, "{}", writer.said());
        thread::sleep(Duration::from_millis(200));
    }
    writer.terminate();
    let refused = Target::data_dir(&site.dir("first"))
        .run(["audit", "head", "--database", &site.url])
        .ended(1);
    assert!(refused.err.contains("LEDGER_TRUNCATED"), "{}", refused.err);
    // One that has seen nothing cannot know, and there the loss is.
    let other = site.serve("second", &LOCAL);
    let lost = journal.lost(other.url()).await;
    println!("{lost} acknowledged commands are lost");
    assert!(lost > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_of_what_no_standby_has() {
    let trio = Trio::new();
    let site = Site::new(&trio.all());
    let journal = Journal::default();
    let writer = site.serve("first", &[]);
    first_acknowledged(&journal, &[writer.url()]).await;
    for standby in &trio.standbys {
        standby.freeze();
    }
    let command = journal.aside();
    let request = wire::SubmitRequest {
        command: Some(command.clone()),
        ..wire::SubmitRequest::default()
    };
    let mut grpc = Grpc::connect(writer.url()).await;
    let asked = grpc.ledger.submit(request.clone());
    let gave_up = tokio::time::timeout(Duration::from_secs(2), asked).await;
    assert!(gave_up.is_err(), "{gave_up:?}");
    for standby in &trio.standbys {
        standby.thaw();
    }
    // It was decided, once: whoever asks again gets that answer.
    let until = Instant::now() + Duration::from_secs(30);
    let outcome = loop {
        if let Ok(answer) = grpc.ledger.submit(request.clone()).await {
            break answer.into_inner();
        }
        assert!(Instant::now() < until);
    };
    assert!(outcome.outcome.unwrap().replayed);
    assert_eq!(writer.terminate().code, 0);
}

/// What a keeper is told of the database.
#[test]
fn the_doctor_sees_settings_and_standbys() {
    let trio = Trio::new();
    let site = Site::new(&trio.all());
    let dir = site.dir("first");
    let looked = || {
        let ran = Target::data_dir(&dir).run(["doctor", "--json"]);
        let rows = ran.json()["rows"].as_array().unwrap().clone();
        let of = |code: &str| {
            let row = rows.iter().find(|row| row["code"] == code).unwrap().clone();
            (
                row["state"].as_str().unwrap().to_owned(),
                row["seen_en"].as_str().unwrap().to_owned(),
            )
        };
        (of("DOCTOR_DATABASE"), of("DOCTOR_REPLICATION"))
    };
    let ((database, seen), (replication, standbys)) = looked();
    assert_eq!(
        (&*database, &*replication),
        ("ok", "ok"),
        "{seen} {standbys}"
    );
    assert!(seen.contains("events, written by luzhang "), "{seen}");
    assert!(
        standbys.contains("s1 (-") && standbys.contains("s2 (-"),
        "{standbys}"
    );
    let Trio {
        cluster,
        primary,
        standbys,
    } = trio;
    for (mut standby, expected) in standbys.into_iter().zip(["warn", "fail"]) {
        standby.stop();
        let gone = "SELECT count(*) FROM pg_stat_replication";
        primary.until(gone, if expected == "warn" { "1" } else { "0" });
        assert_eq!(looked().1.0, expected);
    }
    primary.set(&["synchronous_standby_names = ''"]);
    primary.reload();
    assert_eq!(looked().1.0, "warn");
    primary.set(&["synchronous_commit = off"]);
    primary.reload();
    let ((database, seen), _) = looked();
    assert_eq!(database, "fail");
    assert!(seen.contains("synchronous_commit"), "{seen}");
    drop((primary, cluster));
    // Nothing is left of a ledger that cannot be made there.
    let none = site.dir("none");
    let made = Target::data_dir(&none).run(["init", "--database", &site.url]);
    made.failed(1, "DATABASE_UNREACHABLE");
    assert!(!none.exists());
    let ran = Target::data_dir(&dir).run(["doctor", "--json"]).ended(1);
    assert!(ran.out.contains("DATABASE_UNREACHABLE"), "{}", ran.out);
}
