//! `luzhang submit`: one command, its answer, its receipt.

use std::fs;

use serde_json::{Value, json};

use crate::{
    both, bureau, is_han,
    support::{Ledger, Ran, Server, Target, run_with_input},
};

/// A request id that differs between the directory and the server.
fn request_id(target: &Target, number: u32) -> String {
    let of_server = u32::from(target.options()[0] == "--server");
    format!("0198c5a2-7d00-7000-8000-0000000{of_server}{number:04}")
}

fn day(year: i32, month: u8, day: u8) -> Value {
    json!({"year": year, "month": month, "day": day})
}

/// A claim that is refused: there is no such plaque.
fn award(request_id: &str) -> Value {
    json!({
        "request_id": request_id,
        "brand_award": {
            "claim_no": "JB-X", "brand_no": "NOBODY", "amount_fen": 20_000_000,
            "paid_on": day(2024, 6, 1), "fund": "employment-provincial",
        },
    })
}

fn appropriation(document: &str) -> Value {
    json!({
        "office": "510502",
        "appropriation": {
            "document": document, "fund": "市级就业创业补助资金", "programme": "training-allowance",
            "office": "510502", "year": 2025, "amount_fen": 100,
        },
    })
}

fn submit(target: &Target, options: &[&str], command: &Value) -> Ran {
    let own = target.options().iter().map(String::as_str);
    let arguments = ["submit", "-"].iter().chain(options).copied();
    run_with_input(own.chain(arguments), &command.to_string())
}

#[test]
fn a_refusal_is_an_answer_with_a_receipt_that_proves_it() {
    let ledger = bureau();
    both(&ledger, |target| {
        let refused = award(&request_id(target, 1));
        let head = target.head();
        let dry = submit(target, &["--dry-run", "-o", "json"], &refused)
            .ended(3)
            .json();
        assert_eq!(dry["refused"].get("receipt"), None);
        assert_eq!(dry["refused"]["reasons"][0]["code"], "M16_EXPIRED");
        assert_eq!(target.head(), head, "a dry run wrote something");

        let first = submit(target, &["-o", "json"], &refused).ended(3);
        assert!(first.err.is_empty(), "{}", first.err);
        let first = first.json();
        assert_eq!(
            [&first["schema_version"], &first["replayed"]],
            [&json!(1), &json!(false)]
        );
        assert_eq!(first["request_id"], refused["request_id"]);
        assert_eq!(first["refused"]["reasons"], dry["refused"]["reasons"]);
        let again = submit(target, &["-o", "json"], &refused).ended(3).json();
        assert_eq!(again["replayed"], true);
        assert_eq!(again["refused"], first["refused"]);

        // The receipt is evidence: the answer as it was printed, or the receipt
        // in it; and one that was changed is not.
        let receipt = first["refused"]["receipt"].clone();
        let mut forged = receipt.clone();
        forged["position"] = json!(receipt["position"].as_u64().unwrap() - 1);
        for (document, verdict, exit) in [
            (&first, "intact", 0),
            (&receipt, "intact", 0),
            (&forged, "forked", 10),
        ] {
            let file = ledger.file("receipt.json");
            fs::write(&file, document.to_string()).unwrap();
            let verify = [
                "audit",
                "verify",
                "-o",
                "json",
                "--receipt",
                file.to_str().unwrap(),
            ];
            assert_eq!(target.run(verify).ended(exit).json()["verdict"], verdict);
        }
        for text in [
            "",
            "{}",
            "[]",
            "nonsense",
            r#"{"position": 1, "event_hash": "AAAA"}"#,
        ] {
            let file = ledger.file("receipt.json");
            fs::write(&file, text).unwrap();
            let verify = ["audit", "verify", "--receipt", file.to_str().unwrap()];
            target.run(verify).failed(2, "USAGE");
        }

        let mut other = refused.clone();
        other["brand_award"]["amount_fen"] = json!(10_000_000);
        submit(target, &[], &other).failed(6, "REQUEST_ID_REUSED");
    });
}

#[test]
fn a_command_is_accepted_refused_or_rejected() {
    let ledger = Ledger::new();
    both(&ledger, |target| {
        let document = format!("文{}", request_id(target, 0));
        let mut accepted = appropriation(&document);
        let dry = submit(target, &["--dry-run"], &accepted).ended(0);
        assert!(dry.out.contains("dry run, nothing written"), "{}", dry.out);
        let ran = submit(target, &["-o", "json"], &accepted).ended(0).json();
        assert_eq!(ran["accepted"]["conflicts"], json!([]));
        // Without a request id there is a new one each time, and it is told.
        let id = ran["request_id"].as_str().unwrap().to_owned();
        assert_eq!(id.len(), 36);
        let twice = submit(target, &[], &accepted);
        twice.failed(6, "APPROPRIATION_EXISTS");
        accepted["request_id"] = json!(id);
        let replayed = submit(target, &["-o", "json"], &accepted).ended(0).json();
        assert_eq!(replayed["replayed"], true);
        assert_eq!(replayed["accepted"], ran["accepted"]);
        // The event knows who asked, and for which office.
        let position = ran["accepted"]["receipt"]["position"].to_string();
        let event = target
            .run(["event", "show", &position, "-o", "json"])
            .ended(0)
            .json();
        assert_eq!(event["event"]["office"], 510_502);
        assert_eq!(event["event"]["principal"], "local");
        let named = appropriation(&format!("{document}-2"));
        let options = ["-o", "json", "--principal", "county-0502"];
        let ran = submit(target, &options, &named).ended(0).json();
        let position = ran["accepted"]["receipt"]["position"].to_string();
        let event = target
            .run(["event", "show", &position, "-o", "json"])
            .ended(0)
            .json();
        assert_eq!(event["event"]["principal"], "county-0502");

        let rows: [(Value, i32, &str); 9] = [
            (json!({}), 1, "COMMAND_EMPTY"),
            (json!({"no_such": 1}), 1, "COMMAND_JSON"),
            (
                json!({"request_id": "1", "course": {}}),
                1,
                "REQUEST_ID_INVALID",
            ),
            (json!({"office": "51", "course": {}}), 1, "OFFICE_CODE"),
            (json!({"course": {}}), 1, "FIELD_REQUIRED"),
            (
                json!({"loan_settlement": {
                    "loan_no": "DK-X", "settled_on": day(2024, 2, 30), "repayment": "REPAYMENT_ON_TIME",
                }}),
                1,
                "DATE_INVALID",
            ),
            (
                json!({"loan_settlement": {
                    "loan_no": "DK-X", "settled_on": day(2024, 2, 29), "repayment": "REPAYMENT_ON_TIME",
                }}),
                5,
                "UNKNOWN_LOAN",
            ),
            (json!({"policy_pack": {"content": ""}}), 1, "POLICY_INVALID"),
            (
                json!({"brand_award": {
                    "claim_no": "JB-Y", "brand_no": "NOBODY", "amount_fen": 1,
                    "paid_on": day(2024, 6, 1), "fund": "小金库",
                }}),
                1,
                "UNKNOWN_FUND",
            ),
        ];
        let head = target.head();
        for (command, exit, code) in rows {
            for options in [&["--lang", "zh"][..], &["--lang", "en", "--dry-run"]] {
                let ran = submit(target, options, &command);
                ran.failed(exit, code);
                // Funds have Chinese names in every language.
                let has_han = ran.err.chars().any(is_han);
                assert!(
                    has_han == (options[1] == "zh") || code == "UNKNOWN_FUND",
                    "{}",
                    ran.err
                );
            }
        }
        assert_eq!(target.head(), head, "a rejection wrote something");
        submit(target, &["--principal", "审计"], &json!({})).failed(2, "USAGE");
    });
}

/// A period that is reported late raises one conflict for each grant it touches.
#[test]
fn conflicts_come_with_the_answer() {
    let ledger = bureau();
    let target = ledger.target();
    let paid = target
        .run(["report", "register", "-o", "ndjson"])
        .ended(0)
        .lines();
    let grant = paid
        .iter()
        .find(|row| row["claim_no"] == "SH-0003")
        .unwrap();
    let late = json!({"unemployment_benefit": {
        "person": {"name": "余雪莲", "national_id": "510590198910117186"},
        "first_day": day(2023, 12, 18), "last_day": day(2023, 12, 19), "source": "补报",
    }});
    let dry = submit(&target, &["--dry-run", "-o", "json"], &late)
        .ended(0)
        .json();
    assert_eq!(
        dry["accepted"]["conflicts"],
        json!([grant["position"]]),
        "the grant, in a dry run"
    );
    let ran = submit(&target, &["-o", "json"], &late).ended(0).json();
    let [conflict] = ran["accepted"]["conflicts"].as_array().unwrap().as_slice() else {
        panic!("{ran}");
    };
    let shown = target
        .run(["event", "show", &conflict.to_string(), "-o", "json"])
        .ended(0)
        .json();
    let detected = &shown["event"]["conflict_detected"];
    assert_eq!(
        [&detected["grant"], &detected["code"]],
        [&grant["position"], &json!("M04_UI_OVERLAP")]
    );
    assert_eq!(detected["dates"], json!([20_231_218, 20_231_219]));
    assert_eq!(
        shown["event"]["cause"],
        ran["accepted"]["receipt"]["position"]
    );
    assert_eq!(shown["reasons"][0]["facts"], json!([grant["position"]]));
}

#[test]
fn a_request_that_is_too_large_says_so_and_writes_nothing() {
    let ledger = Ledger::new();
    let server = Server::with(&ledger.dir(), ["--message-bytes", "1000"], "warn");
    let target = server.target();
    let head = target.head();
    let long = json!({"policy_pack": {"content": "A".repeat(2_000)}});
    for lang in ["zh", "en"] {
        let ran = submit(&target, &["--lang", lang], &long);
        ran.failed(1, "MESSAGE_TOO_LARGE");
        assert!(ran.err.contains("1000"), "{}", ran.err);
    }
    // So much that the transport itself would not take it.
    let longer = json!({"policy_pack": {"content": "A".repeat(20_000)}});
    submit(&target, &[], &longer).failed(1, "MESSAGE_TOO_LARGE");
    assert_eq!(target.head(), head);
    submit(&target, &[], &appropriation("文")).ended(0);
}
