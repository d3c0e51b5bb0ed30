//! Commands that only read: the same answer from a server and from a directory,
//! byte by byte, in every format.

use serde_json::{Value, json};

use crate::{
    both, bureau, is_han,
    support::{Bureau, Ledger, Server, Target, Totals, run},
};

/// A refusal of the demo's bureau and the fact that it rests on.
fn refusal(target: &Target) -> u64 {
    let ran = Bureau::demo().import(target, &["-o", "ndjson"]);
    let lines = ran.ended(0).lines();
    let line = lines.iter().find(|line| line["key"] == "SH-0028").unwrap();
    assert_eq!(line["codes"], json!(["M04_UI_OVERLAP"]));
    line["position"].as_u64().unwrap()
}

#[test]
fn a_server_and_a_directory_answer_alike() {
    let ledger = bureau();
    let refused = refusal(&ledger.target()).to_string();
    let commands: [&[&str]; 12] = [
        &["audit", "head"],
        &["audit", "verify"],
        &["event", "show", "1"],
        &["event", "show", &refused],
        &["explain", &refused],
        &["subject", "show", "BR-01", "--on", "2025-01-01"],
        &["policy", "list"],
        &["policy", "show", "luzhou-2023"],
        &["report", "totals"],
        &["report", "register"],
        &["report", "register", "--programme", "brand-award"],
        &["report", "register", "--office", "510502"],
    ];
    let formats = ["table", "json", "ndjson", "csv"];
    let answers = |target: &Target| -> Vec<String> {
        let asked = commands.iter().enumerate().flat_map(|(number, command)| {
            // Every command in its first form; the last ones in every form.
            let formats = if number < 8 {
                &formats[..2]
            } else {
                &formats[..]
            };
            formats.iter().map(move |format| (command, format))
        });
        let answer = |(command, format): (&&[&str], &&str)| {
            let lang = if *format == "table" { "zh" } else { "en" };
            let options = ["-o", format, "--lang", lang];
            let ran = target.run(command.iter().chain(&options)).ended(0);
            assert_eq!(ran.err, "", "{command:?}");
            assert!(ran.out.ends_with('\n') && ran.out.len() > 10, "{command:?}");
            format!("{command:?} {format}\n{}", ran.out)
        };
        asked.map(answer).collect()
    };
    let of_directory = answers(&ledger.target());
    let server = Server::start(&ledger.dir());
    for (one, two) in of_directory.into_iter().zip(answers(&server.target())) {
        assert_eq!(one, two);
    }
}

/// Names and kinds of a document's fields, as a program relies on them.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(items) => items
            .first()
            .map_or(json!([]), |first| json!([shape(first)])),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("bool"),
        Value::Null => json!(null),
    }
}

#[test]
fn documents_have_the_shapes_that_programs_rely_on() {
    let ledger = bureau();
    let refused = refusal(&ledger.target()).to_string();
    let (t, n) = ("text", "number");
    let projection = json!({"name": t, "version": n, "position": n, "digest": t});
    let entitlement = json!({
        "programme": t, "limit": t, "used": n, "allowed": n, "left": n, "unit": t, "period": t,
        "zh": t, "en": t,
    });
    let limit = json!({
        "limit": t, "code": t, "programmes": t, "measure": t, "text": t, "quote": t, "readings": t,
    });
    let param = json!({
        "param": t, "from": t, "until": t, "value": n, "unit": t, "basis": t, "cite": t,
    });
    let month = json!({
        "month": t, "office": t, "programme": t, "grants": n, "committed_fen": n,
        "paid_fen": n, "receivable_fen": n,
    });
    let reason = json!({
        "code": t, "limit": t, "zh": t, "en": t, "measure": n, "quote": t, "facts": [n],
    });
    let rows: [(&[&str], Value); 8] = [
        (
            &["audit", "head"],
            json!({"schema_version": n, "ledger_id": t, "position": n, "chain_head": t, "blocks": n}),
        ),
        (
            &["audit", "verify"],
            json!({
                "schema_version": n, "verdict": t, "events": n, "chain_head": t,
                "first_bad_position": null, "place": null, "detail": null, "ledger_id": t,
                "tree_root": null,
            }),
        ),
        (
            &["policy", "list"],
            json!({"schema_version": n, "rows": [
                {"position": n, "pack": t, "from": t, "until": t},
            ]}),
        ),
        (
            &["policy", "show", "luzhou-2023"],
            json!({
                "schema_version": n, "pack": t, "title": t, "from": t, "until": t, "source": t,
                "source_sha256": t, "limits": [limit], "params": [param],
                "readings": [{"reading": t, "text": t}],
            }),
        ),
        (
            &["report", "totals"],
            json!({
                "schema_version": n, "conflicts": n, "position": n, "digest": t,
                "rows": [{"programme": t, "year": n, "grants": n, "amount_fen": n}],
            }),
        ),
        (
            &["report", "pivot"],
            json!({
                "schema_version": n, "report": t, "columns": [t], "rows": [month],
                "totals": {"grants": n, "committed_fen": n, "paid_fen": n, "receivable_fen": n},
                "cover": {
                    "report": t, "ledger": t, "position": t, "recorded_at": t, "head": t,
                    "projections": t, "packs": t, "lang": t, "names": t, "rows": t,
                },
            }),
        ),
        (
            &["explain", "M04_ONCE_YEAR"],
            json!({
                "schema_version": n, "code": t, "kind": t,
                "zh": {"title": t, "text": t}, "en": {"title": t, "text": t},
            }),
        ),
        (
            &["rebuild"],
            json!({"schema_version": n, "rows": [projection]}),
        ),
    ];
    both(&ledger, |target| {
        let document = |command: &[&str]| {
            let ran = target.run(command.iter().chain(&["-o", "json"])).ended(0);
            let document = ran.json();
            assert_eq!(document["schema_version"], 1, "{command:?}");
            document
        };
        for (command, expected) in &rows {
            let mut found = shape(&document(command));
            // Only a server has something to compare a rebuild with.
            found.as_object_mut().unwrap().remove("matches");
            assert_eq!(found, *expected, "{command:?}");
        }
        let event = document(&["event", "show", &refused]);
        let fields: Vec<_> = event.as_object().unwrap().keys().collect();
        let expected = [
            "schema_version",
            "event",
            "event_hash",
            "previous_hash",
            "stored",
            "reasons",
        ];
        assert_eq!(fields, expected);
        assert_eq!(shape(&event["reasons"]), json!([reason]));
        assert_eq!(event["event"]["position"].to_string(), refused);
        assert!(event["event"]["command_refused"]["training_allowance"].is_object());
        let subject = document(&["subject", "show", "BR-01"]);
        let fields: Vec<_> = subject.as_object().unwrap().keys().collect();
        let expected = [
            "schema_version",
            "subject_id",
            "events",
            "entitlements",
            "history",
            "position",
        ];
        assert_eq!(fields, expected);
        assert_eq!(shape(&subject["entitlements"]), json!([entitlement]));
        // The newest first; each line names the one before it.
        let history = subject["history"].as_array().unwrap();
        assert_eq!(history.len().to_string(), subject["events"].to_string());
        for pair in history.windows(2) {
            assert_eq!(
                pair[0]["event"]["stream_previous"],
                pair[1]["event"]["position"]
            );
        }
    });
}

#[test]
fn reports_add_up() {
    let ledger = bureau();
    let target = ledger.target();
    let totals = target.run(["report", "totals", "-o", "json"]).ended(0);
    let totals = Totals::of(&totals);
    assert_eq!(totals, Bureau::demo().totals());
    let register = |options: &[&str]| {
        let ran = target.run(["report", "register", "-o", "json"].iter().chain(options));
        ran.ended(0).json()["rows"].as_array().unwrap().clone()
    };
    let all = register(&[]);
    for (kind, programme) in [
        ("training_allowance_granted", "training-allowance"),
        ("skill_base_granted", "skill-base"),
        ("service_subsidy_granted", "service-subsidy"),
        ("brand_award_granted", "brand-award"),
        ("interest_subsidy_granted", "interest-subsidy"),
    ] {
        let rows = register(&["--programme", programme]);
        assert!(!rows.is_empty(), "{kind}");
        assert!(rows.iter().all(|row| row["kind"] == kind), "{kind}");
        let fen: i64 = rows
            .iter()
            .map(|row| row["committed_fen"].as_i64().unwrap())
            .sum();
        let sums = totals.sums.iter().filter(|((of, _), _)| of == programme);
        let sum: i64 = sums.map(|(_, fen)| fen).sum();
        assert_eq!(fen, sum, "{kind}");
    }
    let offices = [
        "510500", "510502", "510503", "510504", "510521", "510522", "510524", "510525",
    ];
    let by_office: usize = offices
        .iter()
        .map(|code| register(&["--office", code]).len())
        .sum();
    assert_eq!(by_office, all.len());
    assert_eq!(register(&["--office", "510523"]), [] as [Value; 0]);
}

#[test]
fn what_is_not_there_is_said_to_be_missing() {
    let ledger = bureau();
    both(&ledger, |target| {
        let rows: [(&[&str], i32, &str); 9] = [
            (&["event", "show", "99999"], 5, "EVENT_NOT_FOUND"),
            (&["event", "show", "0"], 5, "EVENT_NOT_FOUND"),
            (&["explain", "99999"], 5, "EVENT_NOT_FOUND"),
            (&["explain", "M04_ONCE_YAER"], 5, "CODE_UNKNOWN"),
            (&["subject", "show", "NOBODY"], 5, "SUBJECT_NOT_FOUND"),
            (&["policy", "show", "luzhou-2099"], 5, "POLICY_UNKNOWN"),
            (&["report", "register", "--office", "51"], 2, "USAGE"),
            (
                &["report", "register", "--fund", "loans"],
                2,
                "FUND_UNKNOWN",
            ),
            (&["policy", "check", "nowhere.toml"], 1, "FILE_IO"),
        ];
        for (command, exit, code) in rows {
            for lang in ["zh", "en"] {
                let ran = target.run(command.iter().chain(&["--lang", lang]));
                ran.failed(exit, code);
                let has_han = ran.err.chars().any(is_han);
                assert_eq!(has_han, lang == "zh", "{}", ran.err);
                assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
            }
        }
        // What was probably meant is named.
        let near = target.run(["explain", "M04_ONCE_YAER"]).err;
        assert!(near.contains("M04_ONCE_YEAR"), "{near}");
    });
}

/// Each answer is in the language asked for, and only there: data is the same.
#[test]
fn a_refusal_is_explained_in_the_readers_language() {
    let ledger = bureau();
    let target = ledger.target();
    let refused = refusal(&target).to_string();
    let explained = |lang: &str| {
        target
            .run(["explain", &refused, "--lang", lang])
            .ended(0)
            .out
    };
    let (zh, en) = (explained("zh"), explained("en"));
    for text in [
        "M04_UI_OVERLAP（措施第4条）",
        "2024-09-02",
        "依据：“且不可同时领取失业保险金”",
        "所依据的事件: ",
    ] {
        assert!(zh.contains(text), "{text}: {zh}");
    }
    for text in [
        "M04_UI_OVERLAP (measure 4)",
        "2024-09-02",
        "rests on events: ",
    ] {
        assert!(en.contains(text), "{text}: {en}");
    }
    let nothing = target.run(["explain", "1", "--lang", "zh"]).ended(0);
    assert!(
        nothing.out.contains("没有不予受理的原因"),
        "{}",
        nothing.out
    );
    for (code, lang, text) in [
        ("M04_ONCE_YEAR", "zh", "每年只享受一次"),
        ("m04-once-year", "en", "once each year"),
        ("LEDGER_TRUNCATED", "zh", "截"),
    ] {
        let said = run(["explain", code, "--lang", lang]).ended(0).out;
        assert!(said.contains(text), "{said}");
    }
}

#[test]
fn digests_are_the_same_wherever_they_are_computed() {
    let ledger = bureau();
    let digests = |target: &Target| {
        let ran = target.run(["rebuild", "-o", "json"]).ended(0);
        ran.json()["rows"].clone()
    };
    let offline = digests(&ledger.target());
    let names = offline.as_array().unwrap().iter().map(|row| &row["name"]);
    let expected = [
        "limits",
        "budget",
        "totals",
        "refusals",
        "conflicts",
        "cases",
        "notices",
        "batches",
        "recoveries",
        "months",
        "plaques",
        "loans",
        "access",
    ];
    assert_eq!(names.collect::<Vec<_>>(), expected);
    let server = Server::start(&ledger.dir());
    assert_eq!(digests(&server.target()), offline);
    let totals = server
        .target()
        .run(["report", "totals", "-o", "json"])
        .ended(0);
    assert_eq!(totals.json()["digest"], offline[2]["digest"]);
    // An empty ledger has digests too, and other ones.
    let empty = Ledger::new();
    assert_ne!(digests(&empty.target()), offline);
}
