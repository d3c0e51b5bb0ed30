//! `deploy/grafana`, `deploy/prometheus` and docs/OPERATIONS.md: what they name is what
//! a server gives out, what they ask makes sense, and alerts come when they should.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use luzhang_projections::codes;
use serde_json::Value;

use crate::{
    commands::{Commanded as _, allowance, attendance, claimable, listed},
    metrics::{Numbers, Witnessed},
    scrape::Scrape,
    site::{Site, test},
    support::run,
};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn text(path: &str) -> String {
    let read = fs::read_to_string(root().join(path));
    read.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What servers give out, all of it: names and labels.
#[derive(Debug, Default)]
struct Given {
    names: BTreeSet<String>,
    labels: BTreeSet<String>,
}

impl Given {
    fn by_servers() -> Self {
        let mut given = Self::default();
        let all = Witnessed::new();
        all.grow("件1");
        let place = all.ledger.dir();
        let place = place.to_str().unwrap();
        let verify = ["audit", "verify", "--note", place];
        all.server.target().run(verify).ended(0);
        let shelf = all.ledger.file("shelf");
        let backup = ["backup", "--note", place, "--to", shelf.to_str().unwrap()];
        all.server.target().run(backup).ended(0);
        given.add(&all.settled());
        test(async {
            let site = Site::new().await;
            let numbers = Numbers::of(&site).await;
            site.engine.figures().standby("b", 1);
            site.record(claimable()).await;
            let twice = allowance("C1", 2, "PX-1", "2024-03-04").command();
            site.submit(twice.clone()).await.unwrap();
            site.submit(twice).await.unwrap();
            let unknown = attendance(2, "PX-NONE", "2024-03-04").command();
            site.submit(unknown).await.unwrap_err();
            // Only a governed ledger denies; of one that is not, a bad name is.
            let denied = site.submit_as("", listed(3).command()).await;
            denied.unwrap_err();
            given.add(&numbers.scrape().await);
        });
        given
    }

    fn add(&mut self, scrape: &Scrape) {
        self.names.extend(scrape.names());
        self.labels.extend(scrape.labels());
    }
}

/// Names of series in an expression: nothing else in one begins so.
fn names_in(expression: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = expression.split(|c| !is_part(c));
    let ours = words.filter(|word| word.starts_with("luzhang_") || word.starts_with("process_"));
    ours.map(str::to_owned).collect()
}

/// Names of labels in an expression: in braces before an operator, and in lists after
/// `by`, `on` and the like.
fn labels_in(expression: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    for part in expression.split('{').skip(1) {
        let inner = part.split('}').next().unwrap();
        for matcher in inner
            .split(',')
            .filter(|matcher| !matcher.trim().is_empty())
        {
            let name = matcher.split(['=', '!']).next().unwrap();
            labels.insert(name.trim().to_owned());
        }
    }
    for word in ["by (", "on (", "without (", "ignoring ("] {
        for part in expression.split(word).skip(1) {
            let inner = part.split(')').next().unwrap();
            let names = inner.split(',').map(str::trim);
            labels.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    labels
}

#[track_caller]
fn is_given(given: &Given, place: &str, expression: &str) {
    for name in names_in(expression) {
        assert!(
            given.names.contains(&name),
            "{place}: no server gives {name}"
        );
    }
    for label in labels_in(expression) {
        // The first two are Prometheus' own.
        let known = ["instance", "job"].contains(&&*label) || given.labels.contains(&label);
        assert!(known, "{place}: no metric has {label}");
    }
}

/// A tool of Prometheus. `scripts/test` puts it in place.
fn promtool(arguments: &[&str]) -> String {
    let own = root().join("target/tools/bin/promtool");
    let program = if own.is_file() {
        own
    } else {
        "promtool".into()
    };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root().join("deploy/prometheus"))
        .output()
        .expect("promtool; scripts/test puts it in target/tools");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{err}");
    said
}

/// Of a dashboard: each panel that asks something.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels.filter(|panel| panel["type"] != "row")
}

fn expressions(dashboard: &Value) -> Vec<(String, String)> {
    let asked = panels(dashboard).flat_map(|panel| {
        let title = panel["title"].as_str().unwrap();
        let targets = panel["targets"].as_array().unwrap().iter();
        targets.map(move |target| {
            let expression = target["expr"].as_str().unwrap();
            (title.to_owned(), expression.to_owned())
        })
    });
    asked.collect()
}

#[test]
fn the_dashboard_the_alerts_and_the_documentation_name_what_servers_give_out() {
    let given = Given::by_servers();
    let dashboard: Value = serde_json::from_str(&text("deploy/grafana/luzhang.json")).unwrap();
    let mut shown = BTreeSet::new();
    for (title, expression) in expressions(&dashboard) {
        is_given(&given, &title, &expression);
        shown.extend(names_in(&expression));
    }
    for line in text("deploy/prometheus/luzhang.rules.yml").lines() {
        let words = ["labels: ", "summary: ", "todo: "];
        if !words.iter().any(|word| line.trim_start().starts_with(word)) {
            is_given(&given, "luzhang.rules.yml", line);
        }
    }
    for name in names_in(&text("deploy/prometheus/luzhang.rules.test.yml")) {
        assert!(
            given.names.contains(&name),
            "luzhang.rules.test.yml: {name}"
        );
    }
    // Every name is explained, and nothing else is.
    let documentation = text("docs/OPERATIONS.md");
    let chapter = documentation.split("\n## ").nth(1).unwrap();
    assert!(chapter.starts_with("Metrics"), "{chapter}");
    let documented = names_in(chapter);
    let family = |name: &String| {
        let parts = ["_bucket", "_count", "_sum"];
        let family = parts.iter().find_map(|part| name.strip_suffix(part));
        family.unwrap_or(name).to_owned()
    };
    let families: BTreeSet<String> = given.names.iter().map(family).collect();
    assert_eq!(documented, families);
    // Most of what there is can be seen; what is left says more in a query than in a
    // picture.
    let seen: BTreeSet<String> = shown.iter().map(family).collect();
    let unseen: Vec<&String> = families.difference(&seen).collect();
    assert!(unseen.len() < families.len() / 4, "{unseen:?}");
}

#[test]
fn the_dashboard_can_be_imported_and_what_it_asks_is_understood() {
    let dashboard: Value = serde_json::from_str(&text("deploy/grafana/luzhang.json")).unwrap();
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36);
    assert!(dashboard["uid"].as_str().unwrap().len() <= 40);
    assert_eq!(dashboard.get("id"), None, "Grafana numbers them itself");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let source = &variables[0];
    assert_eq!(
        (&source["name"], &source["type"]),
        (&"datasource".into(), &"datasource".into())
    );
    assert_eq!(source["query"], "prometheus");
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        let (zh, en) = title.split_once(' ').unwrap();
        assert!(zh.chars().any(is_han), "{title}: no Chinese");
        assert!(
            !en.is_empty() && !en.chars().any(is_han),
            "{title}: no English"
        );
        assert!(
            ids.insert(panel["id"].as_u64().unwrap()),
            "{title}: its id is used"
        );
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{title}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(places.insert((x, y)), "{title} lies on another panel");
            }
        }
    }
    for panel in panels(&dashboard) {
        let mut refs = BTreeSet::new();
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}");
            assert!(refs.insert(target["refId"].as_str().unwrap()));
        }
    }
    // Each expression as a rule, with Grafana's variables as it would fill them.
    let rules = expressions(&dashboard)
        .into_iter()
        .enumerate()
        .map(|(number, (_, asked))| {
            let asked = asked
                .replace("$instance", ".+")
                .replace("$__rate_interval", "5m");
            serde_json::json!({ "record": format!("panel:{number}"), "expr": asked })
        });
    let rules: Vec<Value> = rules.collect();
    let count = rules.len();
    // JSON is YAML.
    let file = serde_json::json!({ "groups": [{ "name": "panels", "rules": rules }] });
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("panels.yml");
    fs::write(&place, file.to_string()).unwrap();
    let said = promtool(&["check", "rules", place.to_str().unwrap()]);
    assert!(said.contains(&format!("{count} rules found")), "{said}");
}

#[test]
fn alerts_come_when_they_should_and_say_what_to_do() {
    let rules = text("deploy/prometheus/luzhang.rules.yml");
    let alerts = rules.matches("- alert: ").count();
    let said = promtool(&["check", "rules", "luzhang.rules.yml"]);
    assert!(said.contains(&format!("{alerts} rules found")), "{said}");
    let tests = text("deploy/prometheus/luzhang.rules.test.yml");
    assert!(
        tests.contains(&format!("value: {alerts}}}")),
        "an alert is not tested"
    );
    promtool(&["test", "rules", "luzhang.rules.test.yml"]);
    // The check itself works: without its threshold nothing fires.
    let scratch = tempfile::tempdir().unwrap();
    let broken = rules.replace("luzhang_writer_stopped == 1", "luzhang_writer_stopped == 2");
    assert_ne!(broken, rules);
    fs::write(scratch.path().join("luzhang.rules.yml"), broken).unwrap();
    let place = scratch.path().join("luzhang.rules.test.yml");
    fs::write(&place, tests).unwrap();
    let failed = std::panic::catch_unwind(|| {
        promtool(&["test", "rules", place.to_str().unwrap()]);
    });
    assert!(failed.is_err());

    let todos: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.split_once("todo: "))
        .map(|(_, todo)| todo)
        .collect();
    assert_eq!(todos.len(), alerts);
    for todo in todos {
        let words: Vec<&str> = todo.trim_matches('"').split(' ').collect();
        match words.as_slice() {
            ["luzhang", "explain", code] if code.starts_with("{{") => {}
            ["luzhang", "explain", code, ..] if !code.starts_with('{') => {
                assert!(codes::find(code).is_some(), "{todo}");
            }
            ["luzhang", command, ..] => {
                run([command, &"--help"]).ended(0);
            }
            _ => panic!("{todo}"),
        }
    }
}
