//! A watch that goes on.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
};

use serde_json::Value;

use crate::{
    history::{History, Published, log_key},
    site::Site,
    support::signal,
    watcher::Watcher,
};

/// A watcher that looks again and again, and says a JSON object a line.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
}

impl Running {
    fn new(command: &mut Command) -> Self {
        let mut child = command
            .args(["--interval", "100ms", "-o", "ndjson"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            out: BufReader::new(child.stdout.take().unwrap()),
            err: BufReader::new(child.stderr.take().unwrap()),
            child,
        }
    }

    /// The next line on standard output.
    fn says(&mut self) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// The next line on standard error.
    fn complains(&mut self) -> String {
        let mut line = String::new();
        self.err.read_line(&mut line).unwrap();
        line
    }

    /// The exit code after this signal, if one is sent, and all that is still on
    /// standard output.
    fn ends(mut self, name: Option<&str>) -> (Option<i32>, String) {
        if let Some(name) = name {
            signal(name, self.child.id());
        }
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

#[test]
fn it_says_one_line_a_change_and_ends_in_order() {
    let (history, key) = (History::new("running", 600), log_key(1));
    for name in ["TERM", "INT"] {
        let site = Site::new();
        let watcher = Watcher::new(&[&key]);
        site.add("/log", &history.published(10, &[&key]));
        let mut running = Running::new(&mut watcher.command(&site.url("/log")));
        let first = running.says();
        assert_eq!(
            (&first["result"], &first["size"]),
            (&"first".into(), &10.into())
        );
        for (size, new) in [(20, 10), (300, 280), (600, 300)] {
            // Nothing is said of looks that show nothing new.
            site.wait_for("/checkpoint", 2);
            site.add("/log", &history.published(size, &[&key]));
            let grew = running.says();
            assert_eq!(
                (&grew["result"], &grew["size"]),
                (&"grew".into(), &size.into())
            );
            assert_eq!(grew["new_events"], new);
        }
        site.wait_for("/checkpoint", 2);
        assert_eq!(running.ends(Some(name)), (Some(0), String::new()), "{name}");
        assert_eq!(watcher.known().head(), history.head(600));
    }
}

#[test]
fn it_ends_with_a_finding() {
    let (history, key) = (History::new("running", 600), log_key(1));
    let site = Site::new();
    let watcher = Watcher::new(&[&key]);
    site.show("/log", &history.published(300, &[&key]));
    let mut running = Running::new(&mut watcher.command(&site.url("/log")));
    assert_eq!(running.says()["result"], "first");
    site.show("/log", &history.fork(7, "theirs").published(600, &[&key]));
    assert_eq!(running.says()["finding"], "forked");
    assert_eq!(running.ends(None), (Some(10), String::new()));
}

/// Metrics at this address, by their names with labels.
fn metrics(url: &str) -> impl Fn(&str) -> Option<i64> {
    let address = url.trim().trim_start_matches("metrics ");
    let client = luzhang_server::http::Client::new(std::time::Duration::from_secs(10));
    let text = String::from_utf8(client.get(address).unwrap().unwrap()).unwrap();
    move |name| {
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(&format!("luzhang_watch_{name} ")));
        line.map(|value| value.parse().unwrap())
    }
}

#[test]
fn trouble_is_counted_said_once_and_got_over() {
    let (history, key) = (History::new("running", 600), log_key(1));
    let site = Site::new();
    let watcher = Watcher::new(&[&key]);
    site.show("/log", &history.published(300, &[&key]));
    let mut command = watcher.command(&site.url("/log"));
    let mut running = Running::new(command.args(["--metrics", "127.0.0.1:0"]));
    let address = running.complains();
    assert_eq!(running.says()["result"], "first");
    let value = metrics(&address);
    assert_eq!(value("size"), Some(300));
    assert!(value("last_success_timestamp_seconds") > Some(1_700_000_000));
    assert_eq!(value("rounds_total{result=\"first\"}"), Some(1));
    assert_eq!(value("rounds_total{result=\"unreachable\"}"), Some(0));
    for finding in ["forked", "shrank", "tampered"] {
        let name = format!("findings_total{{finding=\"{finding}\"}}");
        assert_eq!(value(&name), Some(0));
    }

    site.show("/log", &Published::default());
    let said = running.complains();
    assert!(said.starts_with("TILES_MISSING: "), "{said}");
    site.wait_for("/checkpoint", 3);
    let before = metrics(&address)("rounds_total{result=\"unreachable\"}");
    assert!(before >= Some(2), "{before:?}");

    let mut unsigned = history.published(600, &[&log_key(2)]);
    site.show("/log", &unsigned);
    let said = running.complains();
    assert!(said.starts_with("CHECKPOINT_UNSIGNED: "), "{said}");
    site.wait_for("/checkpoint", 2);
    assert!(metrics(&address)("rounds_total{result=\"untrusted\"}") >= Some(1));
    assert_eq!(metrics(&address)("size"), Some(300));

    unsigned.sign(&history.published(600, &[&key]).checkpoint());
    site.show("/log", &unsigned);
    assert_eq!(running.says()["size"], 600);
    assert_eq!(running.complains(), "verified again\n");
    assert_eq!(metrics(&address)("size"), Some(600));
    assert_eq!(metrics(&address)("rounds_total{result=\"grew\"}"), Some(1));
    assert_eq!(running.ends(Some("TERM")), (Some(0), String::new()));
}

#[test]
fn metrics_are_for_this_machine_only() {
    let watcher = Watcher::new(&[&log_key(1)]).with(&["--metrics", "0.0.0.0:0"]);
    let ran = watcher.command("somewhere").output().unwrap();
    crate::support::Ran::from(ran).failed(1, "NOT_LOOPBACK");
}
