//! Several servers, one that comes back, and lines that break between.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{
    Grpc, Ledger, Person, Ran, Server, Sheet, Target, luzhang,
    proxy::{Then, breaking},
    run, signal,
};

const NOBODY: &str = "http://127.0.0.1:1";

fn facts(dir: &Path, rows: std::ops::Range<u32>) -> PathBuf {
    let path = dir.join(format!("facts-{}.csv", rows.start));
    let row = |index| {
        let Person { name, number } = Person::number(index);
        format!("{name},{number},2024-01-01,,名册")
    };
    Sheet::of("poverty-status", rows.map(row)).write(&path);
    path
}

fn free() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

fn serve(ledger: &Ledger, at: &str) -> Server {
    Server::with(&ledger.dir(), ["--listen", at], "warn")
}

fn submit(target: &Target, document: &str) -> Ran {
    let command = format!(
        r#"{{"appropriation": {{"document": "{document}", "fund": "市级就业创业补助资金",
        "programme": "training-allowance", "office": "510500", "year": 2025, "amount_fen": 100}}}}"#
    );
    target.run_with_input(["submit", "-", "-o", "json"], &command)
}

#[test]
fn servers_are_asked_in_their_order_and_the_first_that_answers_is_taken() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    for servers in [
        format!("{NOBODY},{}", server.url()),
        format!("{},{NOBODY}", server.url()),
        format!("{NOBODY},http://127.0.0.1:2, {}", server.url()),
    ] {
        submit(&Target::server(&servers), &servers).ended(0);
        let head = server.target().head();
        let mut asked = luzhang();
        asked
            .args(["audit", "head"])
            .env("LUZHANG_SERVER", &servers);
        let ran = Ran::from(asked.output().unwrap()).ended(0);
        assert_eq!((ran.out.trim(), ran.err.as_str()), (head.as_str(), ""));
    }
    // Nobody is left out of what is said in the end.
    let nobody = format!("{NOBODY},http://127.0.0.1:2");
    let ran = Target::server(&nobody).run(["audit", "head"]);
    ran.failed(7, "SERVER_UNREACHABLE");
    for asked in nobody.split(',') {
        assert!(
            ran.err.contains(&format!("{asked} SERVER_UNREACHABLE")),
            "{}",
            ran.err
        );
    }
    for mixed in ["https://one.example,http://two.example", "http://one,"] {
        run(["audit", "head", "--server", mixed]).ended(2);
    }
    // A keeper looks at each of them.
    let both = format!("{NOBODY},{}", server.url());
    let looked = Target::server(&both).run(["doctor", "--json"]).ended(1);
    let rows = looked.json()["rows"].as_array().unwrap().clone();
    let of_server = rows.iter().filter(|row| row["code"] == "DOCTOR_SERVER");
    let states: Vec<_> = of_server.map(|row| row["state"].clone()).collect();
    assert_eq!(states.len(), 2, "{rows:?}");
    assert_eq!(states[0], "fail");
    assert_ne!(states[1], "fail");
}

#[test]
fn a_command_waits_for_a_server_that_is_not_there_yet() {
    let ledger = Ledger::new();
    let at = free();
    let address = format!("http://{at}");
    let mut asking = luzhang()
        .args(["audit", "head", "--server", &address, "--patience", "1m"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(asking.stderr.take().unwrap()).lines();
    let waiting = said.next().unwrap().unwrap();
    assert!(waiting.contains("waiting for one"), "{waiting}");
    assert!(
        waiting.contains(&format!("{at} SERVER_UNREACHABLE")),
        "{waiting}"
    );
    let server = serve(&ledger, &at);
    // Nothing more is said.
    assert!(said.next().is_none());
    assert!(asking.wait().unwrap().success());
    drop(server);
    let began = Instant::now();
    let ran = submit(
        &Target::server(&format!("http://{at}")).with(&["--patience", "700ms"]),
        "文2",
    );
    ran.failed(7, "SERVER_UNREACHABLE");
    assert!(began.elapsed() >= Duration::from_millis(700));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_outlives_the_only_server_that_there_is() {
    const ROWS: u32 = 6_000;
    let ledger = Ledger::new();
    let at = free();
    let server = serve(&ledger, &at);
    let home = tempfile::tempdir().unwrap();
    let table = facts(home.path(), 0..ROWS);
    let result = home.path().join("result.csv");
    let import = luzhang()
        .args(["import", table.to_str().unwrap(), "--server", server.url()])
        .args(["--result", result.to_str().unwrap(), "--patience", "1m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut grpc = Grpc::connect(server.url()).await;
    let until = Instant::now() + Duration::from_mins(1);
    while grpc.digests().await[0].position < 1_000 {
        assert!(Instant::now() < until);
    }
    server.kill();
    let server = serve(&ledger, &at);
    let ran = Ran::from(import.wait_with_output().unwrap()).ended(0);
    assert!(
        ran.err.contains("waiting for one"),
        "it had ended before: {}",
        ran.err
    );
    let outcomes = Sheet::read(&result);
    let outcomes = outcomes.column("结果");
    assert_eq!(outcomes.len(), usize::try_from(ROWS).unwrap());
    assert!(outcomes.iter().all(|outcome| *outcome == "accepted"));
    let events = Grpc::connect(server.url()).await.events().await;
    let marks = events
        .iter()
        .map(|event| &event.event.as_ref().unwrap().request);
    let marks: Vec<_> = marks.filter(|mark| !mark.is_empty()).collect();
    assert_eq!(marks.len(), outcomes.len());
    assert_eq!(marks.iter().collect::<BTreeSet<_>>().len(), marks.len());
    // Whoever imports it again is told that it was done.
    let again = ["import", table.to_str().unwrap(), "-o", "json"];
    let again = server.target().run(again).ended(0);
    assert!(again.out.contains("replayed"), "{}", again.out);
}

/// Wherever the line breaks: what was decided without an answer is decided once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_on_its_way_is_asked_for_again() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let mut lost = 0;
    for bytes in (0..400).step_by(13) {
        let before = Grpc::connect(server.url()).await.events().await.len();
        let broken = breaking(server.url(), (1, bytes), Then::Well);
        let target = Target::server(&broken).with(&["--patience", "1m"]);
        let ran = submit(&target, &format!("文{bytes}")).ended(0);
        let after = Grpc::connect(server.url()).await.events().await.len();
        assert_eq!(after, before + 1, "cut after {bytes}: {ran:?}");
        lost += u32::from(ran.json()["replayed"] == true);
    }
    println!("{lost} answers were lost");
    assert!(lost > 0);
    // Of one that stays away nobody says that nothing was done.
    let mut unknown = 0;
    for bytes in (0..400).step_by(13) {
        let broken = breaking(server.url(), (1, bytes), Then::Gone);
        let ran = submit(&Target::server(&broken), &format!("书{bytes}"));
        if ran.code == 0 {
            continue;
        }
        // What was not sent needs no second attempt.
        let lost = ran.err.contains("CONNECTION_LOST: ");
        ran.failed(
            7,
            if lost {
                "CONNECTION_LOST"
            } else {
                "SERVER_UNREACHABLE"
            },
        );
        let again = ran.err.contains("try again with request id: ");
        assert_eq!(again, lost, "{}", ran.err);
        unknown += u32::from(lost);
    }
    assert!(unknown > 0);
}

/// A key is not replaced twice because an answer got lost.
#[test]
fn what_has_no_request_id_is_not_asked_for_again() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let keys = || {
        let listed = server.target().run(["checkpoint", "keys", "-o", "json"]);
        listed.ended(0).json()["rows"].as_array().unwrap().len()
    };
    server.target().run(["checkpoint", "sign"]).ended(0);
    let mut lost = 0;
    for bytes in (0..260).step_by(20) {
        let before = keys();
        let broken = breaking(server.url(), (1, bytes), Then::Well);
        let target = Target::server(&broken).with(&["--patience", "10s"]);
        let ran = target.run(["checkpoint", "rotate"]);
        let made = keys() - before;
        match ran.code {
            0 => assert_eq!(made, 1, "{bytes}: {ran:?}"),
            7 => {
                assert!(made <= 1, "{bytes}: {ran:?}");
                assert!(ran.err.contains("checkpoint keys"), "{}", ran.err);
                lost += made;
            }
            _ => panic!("{bytes}: {ran:?}"),
        }
    }
    assert!(lost > 0, "no answer was lost");
}

#[test]
fn a_log_is_read_on_where_the_line_broke() {
    let ledger = Ledger::new();
    let home = tempfile::tempdir().unwrap();
    let table = facts(home.path(), 0..12_000);
    let table = table.to_str().unwrap();
    ledger.target().run(["import", table]).ended(0);
    let server = Server::start(&ledger.dir());
    let head = server.target().head();
    let export = |target: &Target, name: &str| {
        let path = home.path().join(name);
        let ran = target.run(["audit", "export", "--out", path.to_str().unwrap()]);
        ran.ended(0);
        fs::read(path).unwrap()
    };
    let whole = export(&server.target(), "whole.luzhang");
    // Each line lets one message of the log through, and half of another.
    let line = 1_700_000;
    assert!(whole.len() > 2 * line, "{} bytes", whole.len());
    let through = |then, cuts| {
        let broken = breaking(server.url(), (cuts, line), then);
        Target::server(&broken).with(&["--patience", "10s"])
    };
    assert!(export(&through(Then::Well, 100), "broken.luzhang") == whole);
    let verified = through(Then::Well, 100).run(["audit", "verify", "-o", "json", "--head", &head]);
    assert_eq!(verified.ended(0).json()["verdict"], "intact");
    let totals = ["report", "register", "-o", "json"];
    let direct = server.target().run(totals).ended(0).out;
    assert_eq!(through(Then::Well, 100).run(totals).ended(0).out, direct);
    // With another server behind it, one that is gone is missed by nobody.
    let broken = breaking(server.url(), (1, line), Then::Gone);
    let both = Target::server(&format!("{broken},{}", server.url()));
    assert!(export(&both, "both.luzhang") == whole);
    // Without, the half is no export.
    let path = home.path().join("half.luzhang");
    let alone = Target::server(&breaking(server.url(), (1, line), Then::Gone));
    let ran = alone.run(["audit", "export", "--out", path.to_str().unwrap()]);
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.err.contains("CONNECTION_LOST: "), "{}", ran.err);
    assert!(!path.exists());
    let shelf = home.path().join("shelf");
    let shelf = shelf.to_str().unwrap();
    through(Then::Well, 100)
        .run(["backup", "--to", shelf])
        .ended(0);
    let verified = run(["backup", "verify", shelf, "-o", "json"])
        .ended(0)
        .json();
    let end = format!(
        "{}:{}",
        verified["position"],
        verified["chain_head"].as_str().unwrap()
    );
    // Its checkpoint made an event.
    assert_eq!(end, server.target().head());
}

#[test]
fn a_server_of_another_ledger_gets_nothing() {
    let (ledger, other) = (Ledger::new(), Ledger::new());
    let (server, stranger) = (Server::start(&ledger.dir()), Server::start(&other.dir()));
    // Once a server has said which ledger it has, no other one will do. (Who never heard
    // that takes the list at its word.)
    let mut told = 0;
    for bytes in (0..400).step_by(13) {
        let theirs = stranger.target().head();
        let broken = breaking(server.url(), (1, bytes), Then::Gone);
        let both = Target::server(&format!("{broken},{}", stranger.url()));
        let ran = submit(&both, &format!("文{bytes}"));
        if ran.err.contains("SERVER_OTHER_LEDGER") {
            ran.failed(7, "CONNECTION_LOST");
            assert_eq!(stranger.target().head(), theirs);
            told += 1;
        } else {
            ran.ended(0);
        }
    }
    println!("{told} times it was told");
    assert!(told > 0);
}

/// Reads a line of what a follower prints.
fn line(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Value {
    serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()
}

#[test]
fn who_follows_a_projection_is_told_each_change_once() {
    let ledger = Ledger::new();
    let at = free();
    let server = serve(&ledger, &at);
    submit(&server.target(), "文1").ended(0);
    let mut follower = luzhang()
        .args(["projection", "follow", "budget", "-o", "ndjson"])
        .args(["--server", server.url(), "--patience", "1m"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let first = line(&mut lines);
    assert!(!first["columns"].as_array().unwrap().is_empty());
    let rows = |of: &Value, which: &str| of[which].as_array().unwrap().clone();
    let mut known: BTreeSet<String> = rows(&first, "come").iter().map(Value::to_string).collect();
    assert!(!known.is_empty());
    server.kill();
    let server = serve(&ledger, &at);
    for document in ["文2", "文3"] {
        submit(&server.target(), document).ended(0);
        let next = line(&mut lines);
        assert!(rows(&next, "columns").is_empty(), "{next}");
        for row in rows(&next, "gone") {
            assert!(known.remove(&row.to_string()), "{next}");
        }
        for row in rows(&next, "come") {
            assert!(known.insert(row.to_string()), "{next}");
        }
    }
    let shown = ["projection", "show", "budget", "-o", "csv"];
    let shown = server.target().run(shown).ended(0).out;
    assert_eq!(shown.lines().count(), known.len() + 1, "{shown}");
    signal("KILL", follower.id());
    follower.wait().unwrap();
}
