//! `luzhang policy`: packs are checked before they are adopted, and judge from
//! then on.

use std::{fs, path::PathBuf};

use serde_json::json;

use crate::{
    both,
    support::{Ledger, Target, run},
};

const BUILT_IN: &str = include_str!("../../../policies/luzhou-2023.toml");

/// A pack that differs from the built-in one, in a file.
fn pack(ledger: &Ledger, name: &str, from: &str, to: &str) -> PathBuf {
    assert!(BUILT_IN.contains(from), "{from}");
    let file = ledger.file(name);
    fs::write(&file, BUILT_IN.replace(from, to)).unwrap();
    file
}

#[test]
fn a_pack_is_checked_before_it_is_adopted() {
    let ledger = Ledger::new();
    let good = pack(&ledger, "good.toml", "\"luzhou-2023\"", "\"luzhou-next\"");
    let bad = pack(
        &ledger,
        "bad.toml",
        "v = 5000, cite = \"",
        "v = 5000, cite = \"\" # ",
    );
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());
    let checked = run(["policy", "check", good, "-o", "json"]).ended(0).json();
    assert_eq!(
        [&checked["pack"], &checked["defects"]],
        [&json!("luzhou-next"), &json!([])]
    );
    run(["policy", "check", bad]).failed(1, "POLICY_INVALID");
    run(["policy", "show", bad]).failed(1, "POLICY_INVALID");
    both(&ledger, |target| {
        let head = target.head();
        target
            .run(["policy", "adopt", bad])
            .failed(1, "POLICY_INVALID");
        assert_eq!(target.head(), head);
        let adopted = target
            .run(["policy", "adopt", good, "-o", "json"])
            .ended(0)
            .json();
        let listed = target
            .run(["policy", "list", "-o", "ndjson"])
            .ended(0)
            .lines();
        let last = listed.last().unwrap();
        assert_eq!(
            [&last["pack"], &last["position"]],
            [&adopted["pack"], &adopted["position"]]
        );
        let shown = target
            .run(["policy", "show", "luzhou-next", "-o", "json"])
            .ended(0)
            .json();
        assert_eq!(shown["pack"], "luzhou-next");
    });
}

#[test]
fn the_built_in_pack_is_shown_without_a_ledger() {
    let zh = run(["policy", "show", "--lang", "zh"]).ended(0).out;
    for text in [
        "luzhou-2023",
        "每年只享受一次",
        "M04-ONCE",
        "m22.cap.personal",
        "2026-12-17",
    ] {
        assert!(zh.contains(text), "{text}");
    }
    let json = run(["policy", "show", "-o", "json"]).ended(0).json();
    assert_eq!(
        [&json["from"], &json["until"]],
        [&json!("2023-12-17"), &json!("2026-12-17")]
    );
    let limits = json["limits"].as_array().unwrap();
    assert!(limits.len() >= 20 && limits.iter().all(|limit| limit["text"] != ""));
    let params = json["params"].as_array().unwrap();
    let cited = params
        .iter()
        .all(|param| param["cite"] != "" && param["value"].is_i64());
    assert!(!params.is_empty() && cited);
    // Sheets of CSV, each with its header.
    let csv = run(["policy", "show", "-o", "csv"]).ended(0).out;
    assert!(csv.contains("limit,code,programmes") && csv.contains("param,from,until"));
}

#[test]
fn a_ledger_begins_with_the_pack_that_was_named() {
    let ledger = Ledger::new();
    let next = pack(&ledger, "next.toml", "\"luzhou-2023\"", "\"luzhou-next\"");
    let bad = pack(&ledger, "bad.toml", "[pack]", "[pack");
    let init = |name: &str, pack: &str| {
        let target = Target::data_dir(&ledger.file(name));
        let ran = target.run(["init", "--pack", pack, "-o", "json"]);
        (target, ran)
    };
    let (target, ran) = init("next", next.to_str().unwrap());
    assert_eq!(ran.ended(0).json()["position"], 2);
    let listed = target
        .run(["policy", "list", "-o", "ndjson"])
        .ended(0)
        .lines();
    assert_eq!(listed[0]["pack"], "luzhou-next");

    // Nothing is made for a pack that cannot be adopted.
    let (_, ran) = init("bad", bad.to_str().unwrap());
    ran.failed(1, "POLICY_INVALID");
    let (_, ran) = init("bad", "nowhere.toml");
    ran.failed(1, "FILE_IO");
    assert!(!ledger.file("bad").exists());

    // Facts need no policy; claims do, and say what to do.
    let (target, ran) = init("none", "none");
    assert_eq!(ran.ended(0).json()["position"], 1);
    assert_eq!(
        target
            .run(["policy", "list", "-o", "ndjson"])
            .ended(0)
            .lines()
            .len(),
        0
    );
    let claim = json!({"brand_award": {
        "claim_no": "JB-1", "brand_no": "BR-1", "amount_fen": 1,
        "paid_on": {"year": 2024, "month": 6, "day": 1}, "fund": "employment-provincial",
    }});
    let submit = || target.run_with_input(["submit", "-"], &claim.to_string());
    let ran = submit();
    ran.failed(1, "NO_POLICY");
    assert!(ran.err.contains("luzhang policy adopt"), "{}", ran.err);
    target
        .run(["policy", "adopt", next.to_str().unwrap()])
        .ended(0);
    assert!(submit().ended(3).out.contains("M16_EXPIRED"));
}
