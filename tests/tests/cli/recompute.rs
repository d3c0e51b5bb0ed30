//! What is computed from a whole log: decisions made anew, explained, made under
//! another pack, and what was known at a moment. From an export file, a data
//! directory and a server alike.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use luzhang_ledger::{
    Body, Event,
    block::{BlockBuilder, BlockView, Head},
    codec,
    export::{ExportWriter, VerifiedBlocks},
};
use serde_json::{Value, json};

use crate::{
    both, bureau, is_han,
    support::{Bureau, Expected, Ledger, Ran, Target, run},
};

const BUILT_IN: &str = include_str!("../../../policies/luzhou-2023.toml");
const CAP_OF_50: &str = "until = 2026-12-17, v = 5000,";
const CAP_OF_40: &str = "until = 2026-12-17, v = 4000,";

fn export(ledger: &Ledger) -> PathBuf {
    let file = ledger.file("ledger.luzhang");
    let out = file.to_str().unwrap();
    ledger
        .target()
        .run(["audit", "export", "--out", out])
        .ended(0);
    file
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The events of an export file.
fn events(file: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    for block in VerifiedBlocks::new(File::open(file).unwrap()).flat_map(Result::unwrap) {
        let view = BlockView::parse(&block).unwrap();
        let frames = view.frames().map(Result::unwrap);
        events.extend(frames.map(|frame| codec::decode(frame.event).unwrap()));
    }
    events
}

/// An export of these events that verifies, as a program without limits writes it.
fn written(file: &Path, events: &[Event]) {
    let Body::LedgerCreated { ledger, .. } = events[0].body else {
        panic!("{:?}", events[0])
    };
    let mut writer = ExportWriter::new(File::create(file).unwrap(), ledger).unwrap();
    let mut builder = BlockBuilder::new(Head::genesis(ledger), 1);
    for event in events {
        while builder.push(event).unwrap().is_none() {
            writer.block(&builder.seal().bytes).unwrap();
        }
    }
    writer.block(&builder.seal().bytes).unwrap();
    writer.finish().unwrap();
    let verify = ["audit", "verify", text(file), "-o", "json"];
    assert_eq!(run(verify).ended(0).json()["verdict"], "self_consistent");
}

fn redecide(file: &Path) -> Ran {
    run(["audit", "redecide", text(file), "-o", "json"])
}

/// The position of the first event of this kind.
fn first(events: &[Event], wanted: impl Fn(&Body) -> bool) -> usize {
    events.iter().position(|event| wanted(&event.body)).unwrap()
}

#[test]
fn a_sound_ledger_is_decided_alike_once_more() {
    let ledger = bureau();
    let file = export(&ledger);
    let count = events(&file).len();
    let offline = redecide(&file).ended(0);
    let said = offline.json();
    let decided = events(&file).into_iter().filter(|event| {
        !matches!(
            event.body,
            Body::LedgerCreated { .. } | Body::PartyRegistered(_) | Body::PartyCorrected(_)
        )
    });
    assert_eq!(
        said,
        json!({
            "schema_version": 1, "events": count, "decisions": decided.count(),
            "attestations": 0, "attestations_compared": 0, "agrees": true, "differences": [],
        })
    );
    both(&ledger, |target| {
        let ran = target.run(["audit", "redecide", "-o", "json"]).ended(0);
        assert_eq!(ran.out, offline.out);
        for lang in ["zh", "en"] {
            let ran = target.run(["audit", "redecide", "--lang", lang]).ended(0);
            assert_eq!(ran.out.chars().any(is_han), lang == "zh", "{}", ran.out);
            assert!(ran.out.contains(&count.to_string()), "{}", ran.out);
        }
    });
}

#[test]
fn what_a_patched_program_let_through_is_named() {
    let ledger = bureau();
    let sound = events(&export(&ledger));
    let file = ledger.file("forged.luzhang");

    // A grant where policy refuses.
    let overlap = first(&sound, |body| {
        let refusal = body.refusal();
        refusal.is_some_and(|refusal| refusal.failures[0].code == "M04_UI_OVERLAP")
    });
    let mut events = sound.clone();
    let refusal = events[overlap].body.refusal().unwrap().clone();
    events[overlap].body = Body::Granted(refusal.claim);
    written(&file, &events);
    let found = redecide(&file).ended(10).json();
    let found = found["differences"].as_array().unwrap();
    assert_eq!(found[0]["position"], overlap + 1);
    assert_eq!(found[0]["recorded"]["outcome"], "granted");
    assert_eq!(found[0]["recomputed"]["outcome"], "refused");
    let reasons = &found[0]["recomputed"]["reasons"];
    assert!(reasons[0] == "M04-UI M04_UI_OVERLAP", "{reasons}");
    for (lang, word) in [("zh", "准予"), ("en", "granted")] {
        let ran = run(["audit", "redecide", text(&file), "--lang", lang]).ended(10);
        let shown = [word, "M04_UI_OVERLAP", &(overlap + 1).to_string()];
        assert!(
            shown.iter().all(|part| ran.out.contains(part)),
            "{}",
            ran.out
        );
    }
    // And explained as such.
    let position = (overlap + 1).to_string();
    let explain = ["explain", &position, "--file", text(&file)];
    let explained = run(explain.iter().chain(&["-o", "json"])).ended(0).json();
    assert_eq!(
        [&explained["outcome"], &explained["agrees"]],
        [&json!("granted"), &json!(false)]
    );
    let said = run(explain.iter().chain(&["--lang", "en"])).ended(0);
    assert!(said.out.contains("audit redecide"), "{}", said.out);

    // A refusal that lacks one of its limits.
    let several = first(&sound, |body| {
        body.refusal()
            .is_some_and(|refusal| refusal.failures.len() > 1)
    });
    let mut events = sound.clone();
    if let Body::Refused(refusal) = &mut events[several].body {
        refusal.failures.pop();
    }
    written(&file, &events);
    let found = redecide(&file).ended(10).json();
    let found = found["differences"].as_array().unwrap();
    let (recorded, recomputed) = (&found[0]["recorded"], &found[0]["recomputed"]);
    let count = |verdict: &Value| verdict["reasons"].as_array().unwrap().len();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["position"], several + 1);
    assert_eq!(found[0]["differs"], json!(["body"]));
    assert_eq!(count(recorded) + 1, count(recomputed));

    // A pack that could never be adopted: nothing after it had a ground.
    let mut events = sound.clone();
    if let Body::PolicyPackAdopted { content, .. } = &mut events[1].body {
        *content = b"[pack".as_slice().into();
    }
    written(&file, &events);
    let found = redecide(&file).ended(10).json();
    let found = found["differences"].as_array().unwrap();
    assert_eq!(found[0]["recomputed"]["reasons"], json!(["POLICY_INVALID"]));
    let claim = found.iter().find(|one| one["position"] == overlap + 1);
    assert_eq!(
        claim.unwrap()["recomputed"]["reasons"],
        json!(["NO_POLICY"])
    );
    let explained = run(explain.iter().chain(&["-o", "json"])).ended(0).json();
    assert_eq!(explained["agrees"], false);

    // A conflict that was kept quiet.
    let conflict = first(&sound, |body| matches!(body, Body::Conflict(_)));
    written(&file, &sound[..conflict]);
    let found = redecide(&file).ended(10).json();
    let found = found["differences"].as_array().unwrap();
    assert_eq!(found[0]["position"], conflict);
    assert_eq!(found[0]["recorded"]["outcome"], "nothing");
    assert_eq!(found[0]["recomputed"]["outcome"], "conflict");
}

#[test]
fn nothing_is_computed_from_a_log_that_does_not_verify() {
    let ledger = bureau();
    let file = export(&ledger);
    let whole = fs::read(&file).unwrap();
    let middle = whole.len() / 2;
    let mut flipped = whole.clone();
    flipped[middle] ^= 1;
    let mut trailer = whole.clone();
    *trailer.last_mut().unwrap() ^= 1;
    let pack = ledger.file("pack.toml");
    fs::write(&pack, BUILT_IN).unwrap();
    for (name, bytes, exit) in [
        ("a byte", flipped, 10),
        ("the trailer", trailer, 10),
        ("cut", whole[..middle].to_vec(), 10),
        (
            "cut before the trailer",
            whole[..whole.len() - 120].to_vec(),
            10,
        ),
        ("something after it", [&whole[..], b"\n"].concat(), 10),
        (
            "no export",
            b"not an export, but long enough to be one".to_vec(),
            11,
        ),
        ("empty", Vec::new(), 11),
    ] {
        fs::write(&file, bytes).unwrap();
        let commands: [&[&str]; 2] = [
            &["audit", "redecide", text(&file)],
            &["simulate", "--pack", text(&pack), "--file", text(&file)],
        ];
        for command in commands {
            for lang in ["zh", "en"] {
                let ran = run(command.iter().chain(&["--lang", lang]));
                ran.failed(exit, "LOG_UNVERIFIED");
                assert_eq!(
                    ran.err.chars().any(is_han),
                    lang == "zh",
                    "{name}: {}",
                    ran.err
                );
            }
        }
    }
    run(["audit", "redecide", "nowhere"]).failed(1, "FILE_IO");
    run(["audit", "redecide"]).failed(2, "USAGE");
}

#[test]
fn a_decision_is_explained_limit_by_limit() {
    let ledger = bureau();
    let file = export(&ledger);
    let events = events(&file);
    let explained = |target: Option<&Target>, position: usize, options: &[&str]| {
        let position = position.to_string();
        let command = [&["explain", &position], options].concat();
        match target {
            Some(target) => target.run(command).ended(0),
            None => run(command.iter().chain(&["--file", text(&file)])).ended(0),
        }
    };
    let mut outcomes = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        let (claim, failures) = match &event.body {
            Body::Granted(claim) => (claim, &[][..]),
            Body::Refused(refusal) => (&refusal.claim, &refusal.failures[..]),
            _ => continue,
        };
        // Some of each kind: each walks the log up to there.
        let seen = outcomes
            .entry((event.body.kind(), format!("{:?}", claim.form())))
            .or_insert(0);
        *seen += 1;
        if *seen > 2 {
            continue;
        }
        let document = explained(None, place + 1, &["-o", "json"]).json();
        assert_eq!(document["position"], place + 1);
        assert_eq!(document["number"], claim.number());
        assert_eq!(document["agrees"], true);
        let limits = document["limits"].as_array().unwrap();
        let failed = limits.iter().filter(|limit| limit["outcome"] == "failed");
        let failed: Vec<&str> = failed
            .map(|limit| limit["limit"].as_str().unwrap())
            .collect();
        let recorded: Vec<&str> = failures.iter().map(|failure| &*failure.limit).collect();
        assert_eq!(failed, recorded);
        for limit in limits {
            assert!(limit["quote"] != "", "{limit}");
            let is_failure = limit["outcome"] == "failed";
            assert_eq!(limit["zh"] != "", is_failure, "{limit}");
            for param in limit["params"].as_array().unwrap() {
                assert!(param["cite"] != "" && param["value"].is_i64(), "{param}");
            }
            for fact in limit["facts"].as_array().unwrap() {
                assert!(fact.as_u64().unwrap() <= place as u64, "{limit}");
            }
        }
    }
    assert!(outcomes.len() >= 10, "{outcomes:?}");

    let refused = 1 + first(&events, |body| body.refusal().is_some());
    let conflict = 1 + first(&events, |body| matches!(body, Body::Conflict(_)));
    let document = explained(None, conflict, &["-o", "json"]).json();
    let Body::Conflict(recorded) = &events[conflict - 1].body else {
        unreachable!()
    };
    assert_eq!(document["grant"]["position"], recorded.grant.number());
    assert_eq!(document["fact"]["kind"], "unemployment_benefit_asserted");
    assert_eq!(document["limit"], "M04-UI");
    assert!(
        document["quote"] != "" && document["zh"] != "",
        "{document}"
    );
    both(&ledger, |target| {
        for position in [1, 2, refused, conflict] {
            for options in [&["-o", "json"][..], &["--lang", "zh"], &["--lang", "en"]] {
                let (here, there) = (
                    explained(Some(target), position, options),
                    explained(None, position, options),
                );
                assert_eq!(here.out, there.out);
            }
        }
    });
    let zh = explained(None, refused, &["--lang", "zh"]).out;
    assert!(zh.contains("未通过") && zh.contains("依据"), "{zh}");
    for position in ["0", "99999"] {
        run(["explain", position, "--file", text(&file)]).failed(5, "EVENT_NOT_FOUND");
    }
}

/// File and row of each claim, with whether it was granted.
fn outcomes(ran: &Ran) -> BTreeMap<(String, u64), (Option<u64>, bool)> {
    let lines = ran.lines();
    let rows = lines.iter().zip(Expected::of(ran));
    rows.map(|(line, row)| {
        let granted = row.outcome == "granted" || row.outcome == "accepted";
        ((row.file, row.row), (line["position"].as_u64(), granted))
    })
    .collect()
}

/// The same tables in a ledger that had the other pack from the beginning: a row
/// that ends otherwise there is a row that the simulation names.
fn simulated_as_it_would_have_been(tables: &Bureau) -> usize {
    let ledger = Ledger::new();
    let before = outcomes(&tables.import(&ledger.target(), &["-o", "ndjson"]).ended(3));
    let pack = ledger.file("forty.toml");
    assert!(BUILT_IN.contains(CAP_OF_50));
    fs::write(&pack, BUILT_IN.replace(CAP_OF_50, CAP_OF_40)).unwrap();
    let other = Target::data_dir(&ledger.file("other"));
    other.run(["init", "--pack", text(&pack)]).ended(0);
    let after = outcomes(&tables.import(&other, &["-o", "ndjson"]).ended(3));
    assert!(before.keys().eq(after.keys()));

    let (mut refused, mut allowed) = (BTreeSet::new(), BTreeSet::new());
    for (row, (position, was)) in &before {
        match (was, after[row].1) {
            (true, false) => refused.insert(position.unwrap()),
            (false, true) => allowed.insert(position.unwrap()),
            (true, true) | (false, false) => continue,
        };
    }
    assert!(!refused.is_empty(), "no row is over ¥40");
    let file = export(&ledger);
    let simulate = ["simulate", "--pack", text(&pack), "-o", "json"];
    let offline = run(simulate.iter().chain(&["--file", text(&file)])).ended(0);
    let said = offline.json();
    let positions = |list: &str| -> BTreeSet<u64> {
        let rows = said[list].as_array().unwrap().iter();
        rows.map(|row| row["position"].as_u64().unwrap()).collect()
    };
    assert_eq!(positions("newly_refused"), refused);
    assert_eq!(positions("newly_allowed"), allowed);
    let rows = said["newly_refused"].as_array().unwrap();
    assert!(
        rows.iter()
            .all(|row| row["codes"] == json!(["M04_DAILY_CAP"])),
        "{rows:?}"
    );

    // The money is what that ledger committed, by programme and year.
    let totals = |target: &Target| {
        let ran = target.run(["report", "totals", "-o", "json"]).ended(0);
        crate::support::Totals::of(&ran).sums
    };
    for (column, target) in [("before_fen", &ledger.target()), ("after_fen", &other)] {
        let mut sums: BTreeMap<(String, u64), i64> = BTreeMap::new();
        for row in said["money"].as_array().unwrap() {
            let programme = row["programme"].as_str().unwrap().to_owned();
            let sum = sums.entry((programme, row["year"].as_u64().unwrap()));
            *sum.or_default() += row[column].as_i64().unwrap();
        }
        sums.retain(|_, sum| *sum != 0);
        assert_eq!(sums, totals(target), "{column}");
        let whole: i64 = sums.values().sum();
        assert_eq!(said[column], whole);
    }

    // Nothing was written, and every source says the same.
    let head = ledger.target().head();
    both(&ledger, |target| {
        assert_eq!(target.run(simulate).ended(0).out, offline.out);
        assert_eq!(target.head(), head);
    });
    // Of days without claims nothing changes.
    let none = [
        "--from",
        "2023-12-17",
        "--to",
        "2023-12-18",
        "--file",
        text(&file),
    ];
    let none = run(simulate.iter().chain(&none)).ended(0).json();
    assert_eq!(
        [&none["newly_refused"], &none["newly_allowed"]],
        [&json!([]), &json!([])]
    );
    assert_eq!(none["difference_fen"], 0);
    allowed.len()
}

#[test]
fn a_simulation_names_the_rows_of_the_demo_that_would_end_otherwise() {
    simulated_as_it_would_have_been(&Bureau::demo());
}

#[test]
fn a_simulation_names_the_rows_of_the_example_that_would_end_otherwise() {
    let Some(example) = Bureau::example() else {
        // Past the test runner, which shows what a test prints only if it fails.
        let _unread = writeln!(io::stderr(), "SKIPPED: ../shared/example is not here");
        return;
    };
    let allowed = simulated_as_it_would_have_been(&example);
    assert!(allowed > 0, "nobody is let in by what is freed");
}

#[test]
fn a_simulation_is_asked_for_in_days_that_exist() {
    let ledger = bureau();
    let target = ledger.target();
    let pack = ledger.file("pack.toml");
    fs::write(&pack, BUILT_IN).unwrap();
    let simulate = |options: &[&str]| {
        let command = [&["simulate", "--pack", text(&pack)], options].concat();
        target.run(command)
    };
    let reversed = ["--from", "2025-01-02", "--to", "2025-01-01"];
    simulate(&reversed).failed(2, "USAGE");
    target
        .run(["simulate", "--pack", "nowhere.toml"])
        .failed(1, "FILE_IO");
    for (lang, words) in [("zh", "无从推演"), ("en", "stays unknown")] {
        let ran = simulate(&["--lang", lang]).ended(0);
        assert!(ran.out.contains(words), "{}", ran.out);
    }
    let csv = simulate(&["-o", "csv"]).ended(0).out;
    assert!(
        csv.contains("position,number,office,programme,amount_fen,codes"),
        "{csv}"
    );
    fs::write(&pack, "[pack").unwrap();
    simulate(&[]).failed(1, "POLICY_INVALID");
}

#[test]
fn two_packs_are_compared() {
    let ledger = Ledger::new();
    let pack = ledger.file("forty.toml");
    let other = BUILT_IN
        .replace("\"luzhou-2023\"", "\"luzhou-forty\"")
        .replace(CAP_OF_50, CAP_OF_40);
    fs::write(&pack, other).unwrap();
    ledger
        .target()
        .run(["policy", "adopt", text(&pack)])
        .ended(0);
    let of_file =
        |target: &Target| target.run(["policy", "diff", "luzhou-2023", text(&pack), "-o", "json"]);
    both(&ledger, |target| {
        let diff = of_file(target).ended(0);
        let adopted = [
            "policy",
            "diff",
            "luzhou-2023",
            "luzhou-forty",
            "-o",
            "json",
        ];
        assert_eq!(target.run(adopted).ended(0).out, diff.out);
        let diff = diff.json();
        assert_eq!(diff["same"], false);
        let keys = json!([{"key": "id", "before": "luzhou-2023", "after": "luzhou-forty"}]);
        assert_eq!(diff["entries"][0]["keys"], keys);
        let value = &diff["params"][0]["values"][0];
        assert_eq!(diff["params"][0]["param"], "m04.daily_cap");
        assert_eq!(
            [&value["before"]["value"], &value["after"]["value"]],
            [5_000, 4_000]
        );
        assert!(value["after"]["cite"] != "", "{value}");
        let unknown = ["policy", "diff", "luzhou-2023", "luzhou-2099"];
        target.run(unknown).failed(5, "POLICY_UNKNOWN");
    });
    for (lang, word) in [("zh", "修改"), ("en", "changed")] {
        let ran =
            ledger
                .target()
                .run(["policy", "diff", "luzhou-2023", text(&pack), "--lang", lang]);
        let ran = ran.ended(0);
        assert!(
            ran.out.contains(word) && ran.out.contains("m04.daily_cap"),
            "{}",
            ran.out
        );
    }
    let same = run(["policy", "diff", text(&pack), text(&pack), "-o", "json"]).ended(0);
    assert_eq!(same.json()["same"], true);
    fs::write(&pack, "[pack").unwrap();
    of_file(&ledger.target()).failed(1, "POLICY_INVALID");
}

#[test]
fn a_subject_is_shown_as_it_was_known() {
    let ledger = Ledger::new();
    let target = ledger.target();
    let tables = Bureau::demo();
    // Of a person with a late conflict, a brand, and whoever the first loan is of.
    let numbers: Vec<String> = {
        let person = tables.sheets();
        let cell = |file: usize, column: &str| {
            let (_, sheet) = &person[file];
            let place = sheet.header.iter().position(|name| name == column).unwrap();
            sheet.rows[0][place].clone()
        };
        vec![
            cell(person.len() - 1, "身份证号码"),
            cell(9, "品牌编号"),
            cell(10, "证件号码"),
        ]
    };
    let show = |number: &str, options: &[&str]| {
        let command = [&["subject", "show", number, "-o", "json"], options].concat();
        target.run(command)
    };
    let on = ["--on", "2024-12-01"];
    let mut known: Vec<(u64, &String, Value)> = Vec::new();
    for file in tables.files() {
        target.run(["import", text(&file)]);
        let head = target.head();
        let position = head.split_once(':').unwrap().0.parse().unwrap();
        for number in &numbers {
            let ran = show(number, &on);
            if ran.code == 0 {
                known.push((position, number, ran.json()));
            }
        }
    }
    assert!(known.len() > 10);
    let mut different = BTreeSet::new();
    for (position, number, document) in &known {
        let position = position.to_string();
        let then = show(number, &[&on[..], &["--as-of", &position]].concat());
        let mut then = then.ended(0).json();
        // Nobody had heard of a conflict or a grant that came later.
        assert_eq!(then["position"], position.parse::<u64>().unwrap());
        then["position"] = document["position"].clone();
        assert_eq!(then, *document, "{number} at {position}");
        different.insert(then["entitlements"].to_string());
    }
    assert!(different.len() > 3, "{}", different.len());

    let (last, number, document) = known.last().unwrap();
    both(&ledger, |target| {
        let show = |as_of: &str| {
            let command = ["subject", "show", number, "-o", "json"];
            target.run(command.iter().chain(&on).chain(&["--as-of", as_of]))
        };
        assert_eq!(show(&last.to_string()).ended(0).json(), *document);
        assert_eq!(show("2099-12-31").ended(0).json(), *document);
        for too_early in ["2", "2000-01-01"] {
            show(too_early).failed(5, "SUBJECT_NOT_FOUND");
        }
        show("99999").failed(5, "EVENT_NOT_FOUND");
        for wrong in ["0", "yesterday", "2024-13-01"] {
            assert_eq!(show(wrong).code, 2);
        }
    });
}
