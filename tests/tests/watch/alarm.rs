//! Whoever is to be told of a finding is told.

use serde_json::json;

use crate::{
    history::{History, log_key},
    site::Site,
    watcher::Watcher,
};

/// A watcher with these options that has found a fork at `site`'s `/log`.
fn alarmed(site: &Site, options: &[&str]) -> (Watcher, crate::support::Ran) {
    let (history, key) = (History::new("alarm", 400), log_key(1));
    let watcher = Watcher::new(&[&key]).with(options);
    site.show("/log", &history.published(300, &[&key]));
    watcher.sees(&site.url("/log"), "first", 300);
    let theirs = history.fork(7, "theirs");
    site.show("/log", &theirs.published(400, &[&key]));
    let ran = watcher.look(&site.url("/log")).ended(10);
    (watcher, ran)
}

#[test]
fn the_webhook_gets_both_checkpoints() {
    let (site, office) = (Site::new(), Site::new());
    let (watcher, ran) = alarmed(&site, &["--webhook", &office.url("/alarm")]);
    let (history, key) = (History::new("alarm", 400), log_key(1));
    let known = history.published(300, &[&key]).checkpoint();
    let theirs = history.fork(7, "theirs").published(400, &[&key]);
    let found = theirs.checkpoint();
    let message = json!({
        "schema_version": 1,
        "finding": "forked",
        "source": site.url("/log"),
        "known": {
            "size": 300,
            "root": known.head().root.to_string(),
            "note": known.to_string(),
        },
        "found": {
            "size": 400,
            "root": found.head().root.to_string(),
            "note": found.to_string(),
        },
        "detail": "both are validly signed, but at the size of the smaller tree the larger one \
                   had another root",
    });
    assert_eq!(office.posted(), std::slice::from_ref(&message));
    assert_eq!(office.asked("/alarm"), 1);
    // The same on standard output, and where the evidence is.
    let mut said = message;
    said["evidence"] = watcher.evidence()[0].to_str().unwrap().into();
    assert_eq!(ran.json(), said);
    assert_eq!(ran.err, "");
}

#[test]
fn a_webhook_that_fails_hides_no_finding() {
    let (site, office) = (Site::new(), Site::new());
    office.refuse(Some(500));
    let (_, ran) = alarmed(&site, &["--webhook", &office.url("/alarm")]);
    assert_eq!(ran.json()["finding"], "forked");
    assert!(ran.err.starts_with("WEBHOOK_FAILED: "), "{}", ran.err);
    assert_eq!(office.asked("/alarm"), 3);
    drop(office);
    // And nobody there at all.
    let office = Site::new();
    let url = office.url("/alarm");
    drop(office);
    let (_, ran) = alarmed(&site, &["--webhook", &url]);
    assert_eq!(ran.json()["finding"], "forked");
}

#[test]
fn people_are_told_in_their_language() {
    let site = Site::new();
    let (watcher, _) = alarmed(&site, &[]);
    for (lang, said) in [
        (
            "en",
            ["TREE_FORKED: forked: ", "known: 300 events", "evidence: "],
        ),
        ("zh", ["TREE_FORKED: 分叉：", "已知: 300 个事件", "证据: "]),
    ] {
        let mut command = watcher.command(&site.url("/log"));
        let ran = command.args(["--once", "--lang", lang]).output().unwrap();
        let ran = crate::support::Ran::from(ran).ended(10);
        for said in said {
            assert!(ran.out.contains(said), "{}", ran.out);
        }
    }
}
