//! What a clerk sees when the writer changes: nothing but a pause.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use luzhang_proto::event::event::Body as Stored;

use crate::failover::{LOCAL, STANDBY, Site, free, position};
use crate::support::{
    Grpc, Organisation, Person, Ran, Server, Sheet, Target, database::Cluster, luzhang, signal,
};

/// Rows of a table: more than are on their way at a time.
const ROWS: u32 = 30_000;
/// A standby that takes over when it is told to.
const ON_ORDER: [&str; 5] = ["--standby", "--durable", "local", "--lease", "never"];

/// A table of facts, all of which are accepted.
fn facts(dir: &Path, rows: std::ops::Range<u32>) -> PathBuf {
    let path = dir.join(format!("facts-{}.csv", rows.start));
    let row = |index| {
        let Person { name, number } = Person::number(index);
        format!("{name},{number},2024-01-01,,名册")
    };
    Sheet::of("poverty-status", rows.map(row)).write(&path);
    path
}

/// A table of claims, all of which are refused: nothing is appropriated for them.
fn claims(dir: &Path, rows: std::ops::Range<u32>) -> PathBuf {
    let path = dir.join(format!("claims-{}.csv", rows.start));
    let row = |index| {
        let Organisation { name, code } = Organisation::number(index);
        format!(
            "甲{index},{name},{code},技能大师工作室,国家级,2024-03-01,文{index},100000,\
             中央就业创业补助资金,510500"
        )
    };
    Sheet::of("skill-base", rows.map(row)).write(&path);
    path
}

/// An import under way.
struct Import {
    process: Child,
    result: PathBuf,
}

impl Import {
    fn start(servers: &str, table: &Path, more: &[&str]) -> Self {
        let result = table.with_extension("result.csv");
        let process = luzhang()
            .args(["import", table.to_str().unwrap()])
            .args(["--server", servers, "--result", result.to_str().unwrap()])
            .args(more)
            // As it is for a clerk.
            .env_remove("LUZHANG_PATIENCE")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { process, result }
    }

    fn end(self) -> (Ran, Sheet) {
        let ran = Ran::from(self.process.wait_with_output().unwrap());
        assert!(self.result.exists(), "{ran:?}");
        (ran, Sheet::read(&self.result))
    }
}

/// Waits until a server has seen so many events.
async fn until(url: &str, events: u64) -> u64 {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(found) = position(url).await
            && found >= events
        {
            return found;
        }
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// How many events of a kind there are; none of any request is there twice.
async fn count(url: &str, is: impl Fn(&Stored) -> bool) -> usize {
    let events = Grpc::connect(url).await.events().await;
    let mut marks = BTreeSet::new();
    let mut found = 0;
    for event in events {
        let event = event.event.unwrap();
        if !event.request.is_empty() {
            assert!(marks.insert(event.request), "{} twice", event.position);
        }
        found += usize::from(event.body.as_ref().is_some_and(&is));
    }
    found
}

fn is_refusal(body: &Stored) -> bool {
    matches!(body, Stored::CommandRefused(_))
}

/// The log holds, and the running state is what it folds to.
#[track_caller]
fn is_whole(server: &Server) {
    let target = server.target();
    let head = target.head();
    let verified = target.run(["audit", "verify", "-o", "json", "--head", &head]);
    assert_eq!(verified.ended(0).json()["verdict"], "intact");
    let rebuilt = target.run(["rebuild", "-o", "json"]).ended(0);
    assert_eq!(rebuilt.json()["matches"], true);
}

/// Every row once, in its order, with an outcome and a position of its own.
#[track_caller]
fn each_once(table: &Path, result: &Sheet, outcome: &str) {
    let asked = Sheet::read(table);
    assert_eq!(result.rows.len(), asked.rows.len());
    let width = asked.header.len();
    for (row, asked) in result.rows.iter().zip(&asked.rows) {
        assert_eq!(row[..width], asked[..]);
    }
    let outcomes: BTreeSet<&str> = result.column("结果").into_iter().collect();
    assert_eq!(outcomes, BTreeSet::from([outcome]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_goes_on_when_its_writer_is_killed_or_says_nothing_any_more() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let site = Site::new(&[&primary]);
    site.join("second");
    let home = tempfile::tempdir().unwrap();

    // Killed, with the standby named too.
    let writer = site.serve("first", &LOCAL);
    let standby = site.serve("second", &STANDBY);
    let table = facts(home.path(), 0..ROWS);
    let servers = format!("{},{}", writer.url(), standby.url());
    let import = Import::start(&servers, &table, &["--lang", "zh"]);
    until(standby.url(), 1_000).await;
    writer.kill();
    let killed = Instant::now();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let at = position(standby.url()).await.unwrap();
    // Each has a person of its own.
    assert!(at < u64::from(2 * ROWS), "it was done before");
    let (ran, result) = import.end();
    println!("killed at {at}; done {:?} later", killed.elapsed());
    let ran = ran.ended(0);
    // Said once, in the reader's language.
    assert_eq!(ran.err.matches("暂无可用的服务").count(), 1, "{}", ran.err);
    each_once(&table, &result, "通过");
    let facts_of = |body: &Stored| matches!(body, Stored::PovertyStatusAsserted(_));
    assert_eq!(
        count(standby.url(), facts_of).await,
        usize::try_from(ROWS).unwrap()
    );
    is_whole(&standby);

    // Refused rows are no less: those that nobody was told of are not taken for earlier
    // ones, and with `--resubmit` none gets a second attempt.
    let writer = standby;
    let standby = site.serve("first", &ON_ORDER);
    let table = claims(home.path(), 0..ROWS);
    let servers = format!("{},{}", writer.url(), standby.url());
    let before = position(writer.url()).await.unwrap();
    let import = Import::start(&servers, &table, &["--resubmit", "--lang", "zh"]);
    until(standby.url(), before + 1_000).await;
    // No reset comes from a machine that has lost its power.
    signal("STOP", writer.process());
    let stopped = Instant::now();
    signal("USR1", standby.process());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let at = position(standby.url()).await.unwrap();
    assert!(at < before + u64::from(2 * ROWS), "it was done before");
    let (ran, result) = import.end();
    println!("stopped at {at}; done {:?} later", stopped.elapsed());
    ran.ended(3);
    each_once(&table, &result, "不予受理");
    assert_eq!(
        count(standby.url(), is_refusal).await,
        usize::try_from(ROWS).unwrap()
    );
    is_whole(&standby);
    signal("CONT", writer.process());

    // The same file again changes nothing.
    let head = standby.target().head();
    let again = Import::start(standby.url(), &home.path().join("facts-0.csv"), &[]);
    let (ran, _) = again.end();
    ran.ended(0);
    assert_eq!(standby.target().head(), head);
    drop(writer);
    let back = site.serve("second", &STANDBY);
    until(back.url(), position(standby.url()).await.unwrap()).await;
    let digests = |url: &str| {
        let url = url.to_owned();
        async move { Grpc::connect(&url).await.digests().await }
    };
    assert_eq!(digests(back.url()).await, digests(standby.url()).await);
}

fn submit(target: &Target, document: &str, more: &[&str]) -> Ran {
    let command = format!(
        r#"{{"appropriation": {{"document": "{document}", "fund": "市级就业创业补助资金",
        "programme": "training-allowance", "office": "510500", "year": 2025, "amount_fen": 100}}}}"#
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), command).unwrap();
    let arguments = ["submit", file.path().to_str().unwrap(), "-o", "json"];
    target.run(arguments.iter().chain(more))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_to_be_written_goes_from_a_standby_to_the_writer() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let site = Site::new(&[&primary]);
    site.join("second");
    let home = tempfile::tempdir().unwrap();
    let writer = site.serve("first", &LOCAL);
    let standby = site.serve("second", &ON_ORDER);
    // All that is known of the writer is what the standby says.
    let target = standby.target();
    let table = facts(home.path(), 0..20);
    let mut before = position(writer.url()).await.unwrap();
    let commands: [&[&str]; 4] = [
        &["import", table.to_str().unwrap()],
        &["checkpoint", "sign"],
        &["checkpoint", "rotate"],
        &["payment", "create", "批1", "--fund", "市级就业创业补助资金"],
    ];
    for arguments in commands {
        let ran = target.run(arguments).ended(0);
        let now = position(writer.url()).await.unwrap();
        assert!(now > before, "{arguments:?} {ran:?}");
        before = now;
    }
    submit(&target, "文1", &[]).ended(0);
    assert_eq!(position(writer.url()).await, Some(before + 1));
    // What is only asked is answered by whoever is asked.
    submit(&target, "文2", &["--dry-run"]).ended(0);
    assert_eq!(position(writer.url()).await, Some(before + 1));

    // While nobody writes, it is told at once, or after a wait.
    writer.kill();
    let began = Instant::now();
    let ran = submit(&target, "文3", &[]);
    assert!(began.elapsed() < Duration::from_secs(5));
    ran.failed(7, "NOT_THE_WRITER");
    for said in ["try again with request id: ", "SERVER_UNREACHABLE"] {
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    assert!(!ran.err.contains("waiting for one"), "{}", ran.err);
    for (lang, waiting) in [("en", "waiting for one"), ("zh", "最多等候 1.5 秒")] {
        let began = Instant::now();
        let ran = submit(&target, "文3", &["--patience", "1500ms", "--lang", lang]);
        assert!(began.elapsed() >= Duration::from_millis(1_500));
        ran.failed(7, "NOT_THE_WRITER");
        assert_eq!(ran.err.matches(waiting).count(), 1, "{}", ran.err);
    }
    // Reads are answered meanwhile.
    target.run(["report", "totals"]).ended(0);

    // Somebody who waits gets what they wait for.
    let table = facts(home.path(), 100..120);
    let mut import = Import::start(standby.url(), &table, &[]);
    let mut said = BufReader::new(import.process.stderr.take().unwrap()).lines();
    let waiting = said.next().unwrap().unwrap();
    assert!(waiting.contains("waiting for one"), "{waiting}");
    signal("USR1", standby.process());
    let (ran, result) = import.end();
    ran.ended(0);
    assert!(result.column("结果").iter().all(|o| *o == "accepted"));
    is_whole(&standby);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_led_to_a_server_that_cannot_prove_who_it_is() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let home = tempfile::tempdir().unwrap();
    let certs = home.path().join("certs");
    let site = Site::with(&[&primary], &["--dev-certs", certs.to_str().unwrap()]);
    site.join("second");
    let tls = ["--tls", certs.to_str().unwrap()];
    let serve = |advertise: &str, listen: &str| {
        let own = ["--listen", listen, "--advertise", advertise];
        site.serve("first", &[&LOCAL[..], &tls, &own].concat())
    };
    let of = |server: &Server| server.target().identified(&certs.join("steward"));
    let first = free();
    let port = first.rsplit_once(':').unwrap().1;
    // The names that a certificate has, and one that it has not.
    let (named, unnamed) = (format!("localhost:{port}"), format!("127.0.0.2:{port}"));
    let everywhere = format!("0.0.0.0:{port}");

    let writer = serve(&named, &first);
    let standby = site.serve("second", &[&ON_ORDER[..], &tls].concat());
    submit(&of(&standby), "文1", &[]).ended(0);
    assert_eq!(writer.terminate().code, 0);

    // Whoever listens here without TLS hears nothing.
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    plain.set_nonblocking(true).unwrap();
    let plain_at = format!("http://{}", plain.local_addr().unwrap());
    for (advertise, said) in [
        (plain_at.as_str(), plain_at.as_str()),
        // It is there, and is asked for that name's certificate.
        (&unnamed, "SERVER_NAME_MISMATCH"),
        // Of no use to anybody elsewhere.
        (&everywhere, &everywhere),
        ("localhost", "localhost does"),
        ("", "another server does"),
    ] {
        let writer = serve(advertise, &everywhere);
        let began = Instant::now();
        let ran = loop {
            let ran = submit(&of(&standby), "文2", &[]);
            // Of the writer before, for a moment.
            if ran.err.contains(said) || began.elapsed() > Duration::from_secs(20) {
                break ran;
            }
        };
        ran.failed(7, "NOT_THE_WRITER");
        assert!(ran.err.contains(said), "{advertise}: {}", ran.err);
        // Named by the caller, it is one that is asked.
        let both = format!("{},https://localhost:{port}", standby.url());
        let both = Target::server(&both).identified(&certs.join("steward"));
        submit(&both, &format!("文{advertise}"), &[]).ended(0);
        assert_eq!(writer.terminate().code, 0);
    }
    let heard = plain.accept();
    assert!(heard.is_err(), "{heard:?}");
}
