//! Reports: every one in every form, on two machines, reopened with programs that
//! we did not write, and checked from their own covers.

use std::{fs, path::Path};

use calamine::{Data, Reader as _};
use serde_json::Value;

use crate::{
    bureau,
    support::{Bureau, Ledger, Ran, Server, Target},
};

const REPORTS: [&str; 9] = [
    "publicity",
    "register",
    "execution",
    "pivot",
    "plaques",
    "loans",
    "refusals",
    "conflicts",
    "payments",
];
const FORMS: [&str; 5] = ["json", "ndjson", "csv", "xlsx", "parquet"];

/// Everything there is of a report.
fn arguments<'a>(report: &'a str, out: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["report", report, "--lang", "zh", "--out", out];
    if report == "publicity" {
        arguments.extend(["--all", "--with", "identity,account"]);
    }
    arguments
}

/// Writes every report in every form into a directory.
fn write_all(target: &Target, dir: &Path) {
    fs::create_dir(dir).unwrap();
    for report in REPORTS {
        for form in FORMS {
            let out = dir.join(format!("{report}.{form}"));
            let out = out.to_str().unwrap();
            target.run(arguments(report, out)).ended(0);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn read(dir: &Path, report: &str) -> Value {
    serde_json::from_slice(&fs::read(dir.join(format!("{report}.json"))).unwrap()).unwrap()
}

fn sum(report: &Value, column: &str) -> i64 {
    let rows = report["rows"].as_array().unwrap().iter();
    let sum = rows.map(|row| row[column].as_i64().unwrap_or(0)).sum();
    assert_eq!(report["totals"][column], sum, "{column}");
    sum
}

/// The reports of a ledger that is not served: equal to the byte on another
/// machine, equal in all forms, and summing to what `report totals` and
/// `report budget` say.
pub(crate) fn published(ledger: &Ledger) {
    let here = ledger.target();
    let one = ledger.file("reports");
    write_all(&here, &one);

    // Another data directory with the same log, and another language, zone and
    // time around it.
    let elsewhere = ledger.file("elsewhere");
    copy(&ledger.dir(), &elsewhere);
    let there = Target::data_dir(&elsewhere);
    let two = ledger.file("reports elsewhere");
    write_all(&there, &two);
    for report in REPORTS {
        for form in FORMS {
            let name = format!("{report}.{form}");
            let (one, two) = (fs::read(one.join(&name)), fs::read(two.join(&name)));
            assert!(one.unwrap() == two.unwrap(), "{name} differs");
        }
    }

    // Programs that know nothing of luzhang read the same in every form.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports.py");
    let output = std::process::Command::new("python3")
        .arg(script)
        .arg(&one)
        .output();
    Ran::from(output.unwrap()).ended(0);
    workbook(&one);

    let rows = |arguments: &[&str]| {
        let json = here.run(arguments).ended(0).json();
        json["rows"].as_array().unwrap().clone()
    };
    let of = |rows: &[Value], column: &str| -> i64 {
        rows.iter().map(|row| row[column].as_i64().unwrap()).sum()
    };
    let totals = rows(&["report", "totals", "-o", "json"]);
    let committed = of(&totals, "amount_fen");
    let (register, execution, pivot) = (
        read(&one, "register"),
        read(&one, "execution"),
        read(&one, "pivot"),
    );
    for report in [&register, &execution, &pivot] {
        assert_eq!(sum(report, "committed_fen"), committed);
    }
    assert_eq!(sum(&pivot, "grants"), of(&totals, "grants"));
    let budget = rows(&["report", "budget", "-o", "json"]);
    for column in [
        "paid_fen",
        "receivable_fen",
        "returned_fen",
        "recovered_fen",
        "written_off_fen",
    ] {
        assert_eq!(sum(&register, column), of(&budget, column), "{column}");
        assert_eq!(sum(&execution, column), of(&budget, column), "{column}");
    }
    for column in ["appropriated_fen", "reserved_fen", "left_fen"] {
        assert_eq!(sum(&execution, column), of(&budget, column), "{column}");
    }
    let settled = sum(&read(&one, "payments"), "settled_fen");
    assert!(settled >= of(&budget, "paid_fen"), "{settled}");
    let waiting = rows(&["projection", "show", "batches", "-o", "json"]);
    assert_eq!(
        sum(&read(&one, "payments"), "waiting_fen"),
        of(&waiting, "waiting_fen")
    );

    // Each is checked from its own cover, by whoever has the log.
    let export = ledger.file("for the auditor");
    let export = export.to_str().unwrap();
    here.run(["audit", "export", "--out", export]).ended(0);
    for report in REPORTS {
        for form in FORMS {
            let file = one.join(format!("{report}.{form}"));
            let file = file.to_str().unwrap();
            let checked = there
                .run(["report", "check", file, "-o", "json"])
                .ended(0)
                .json();
            assert_eq!(checked["verdict"], "same", "{file}");
        }
        // Without the keys: all but the names.
        let file = one.join(format!("{report}.csv"));
        let file = file.to_str().unwrap();
        let arguments = ["report", "check", file, "--file", export, "-o", "json"];
        let checked = crate::support::run(arguments).ended(0).json();
        let names = read(&one, report)["cover"]["names"] == "opened";
        let verdict = if names { "same_but_names" } else { "same" };
        assert_eq!(checked["verdict"], verdict, "{file}");
    }
}

/// The register once more, with `calamine`: numbers of claims are texts, and the
/// amounts are those of the register.
fn workbook(dir: &Path) {
    let register = read(dir, "register");
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(dir.join("register.xlsx")).unwrap();
    let sheet = book.worksheet_range("补助资金台账").unwrap();
    let columns = register["columns"].as_array().unwrap();
    let place = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let (number, amount) = (place("claim_no"), place("committed_fen"));
    for (row, expected) in sheet
        .rows()
        .skip(3)
        .zip(register["rows"].as_array().unwrap())
    {
        assert_eq!(
            row[number],
            Data::String(expected["claim_no"].as_str().unwrap().to_owned())
        );
        match expected["committed_fen"].as_i64() {
            None => assert_eq!(row[amount], Data::Empty),
            Some(fen) => {
                let yuan = format!(
                    "{}{}.{:02}",
                    if fen < 0 { "-" } else { "" },
                    fen.abs() / 100,
                    fen.abs() % 100
                );
                assert_eq!(row[amount], Data::Float(yuan.parse().unwrap()));
            }
        }
    }
}

fn json(target: &Target, arguments: &[&str]) -> Value {
    let mut arguments = arguments.to_vec();
    arguments.extend(["-o", "json", "--lang", "zh"]);
    target.run(arguments).ended(0).json()
}

#[test]
fn a_server_an_export_and_a_data_directory_give_the_same_bytes() {
    let ledger = bureau();
    let export = ledger.file("export");
    let export = export.to_str().unwrap();
    let sheets = Bureau::demo().sheets();
    let allowances = sheets
        .iter()
        .find(|(name, _)| name.contains("training-allowance"));
    let person = allowances.unwrap().1.column("身份证号码")[1].to_owned();
    let out =
        |report: &str, form: &str, from: &str| ledger.file(&format!("{report}-{from}.{form}"));
    let write = |target: &Target, from: &str, more: &[&str]| {
        for report in REPORTS.into_iter().chain(["statement"]) {
            for form in ["csv", "xlsx"] {
                let out = out(report, form, from);
                let mut arguments = arguments(report, out.to_str().unwrap());
                if report == "statement" {
                    arguments.push(&person);
                }
                arguments.extend(more);
                target.run(arguments).ended(0);
            }
        }
    };
    let server = Server::start(&ledger.dir());
    server
        .target()
        .run(["audit", "export", "--out", export])
        .ended(0);
    write(&server.target(), "server", &[]);
    assert_eq!(server.terminate().code, 0);
    write(&ledger.target(), "dir", &[]);
    write(&ledger.target(), "export", &["--file", export]);
    for report in REPORTS.into_iter().chain(["statement"]) {
        for form in ["csv", "xlsx"] {
            let read = |from: &str| fs::read(out(report, form, from)).unwrap();
            assert!(
                read("server") == read("dir"),
                "{report}.{form}: data directory"
            );
            assert!(read("server") == read("export"), "{report}.{form}: export");
        }
    }
    let statement = fs::read_to_string(out("statement", "csv", "dir")).unwrap();
    assert!(
        statement.lines().count() > 2 && !statement.contains(&person),
        "{statement}"
    );
    let nobody = ["report", "statement", "00000000000000000000000000000000"];
    ledger.target().run(nobody).failed(5, "SUBJECT_NOT_FOUND");
}

#[test]
fn a_changed_report_is_found_with_its_place() {
    let ledger = bureau();
    let target = ledger.target();
    let file = ledger.file("execution.csv");
    let path = file.to_str().unwrap();
    target.run(arguments("execution", path)).ended(0);
    let sound = fs::read_to_string(&file).unwrap();
    let check = |text: &str| {
        fs::write(&file, text).unwrap();
        target.run(["report", "check", path, "-o", "json"])
    };
    assert_eq!(check(&sound).ended(0).json()["verdict"], "same");

    let raised = sound.replacen("600000.00", "600000.01", 1);
    let found = check(&raised).ended(10).json();
    assert_eq!(found["verdict"], "differs");
    assert_eq!(found["place"], "row 2, column 5 预算指标");
    assert_eq!(
        (&found["expected"], &found["found"]),
        (&"600000.00".into(), &"600000.01".into())
    );

    // A row taken out, a row put in, a head that is another's.
    let mut lines: Vec<&str> = sound.split_inclusive('\n').collect();
    let taken = lines.remove(3);
    assert_eq!(
        check(&lines.concat()).ended(10).json()["verdict"],
        "differs"
    );
    lines.insert(3, taken);
    lines.insert(3, taken);
    assert_eq!(
        check(&lines.concat()).ended(10).json()["verdict"],
        "differs"
    );
    let (rest, head) = sound.split_once(" head=").unwrap();
    let other = format!(
        "{rest} head={}{}",
        if head.starts_with('0') { "1" } else { "0" },
        &head[1..]
    );
    let found = check(&other).ended(10).json();
    assert_eq!(found["place"], "the cover's Chain head (head)");

    // What is no report, or of no version that this program makes.
    check(sound.split_once("# luzhang").unwrap().0).failed(1, "REPORT_COVER");
    check(&sound.replace("report=execution/1", "report=execution/2")).failed(1, "REPORT_VERSION");
    check("nothing").failed(1, "REPORT_FORM");
    let beyond = sound.replace(" position=", " position=9");
    check(&beyond).failed(5, "EVENT_NOT_FOUND");
}

#[test]
fn as_known_then_is_as_it_was_reported_then() {
    let ledger = Ledger::new();
    let target = ledger.target();
    let files = Bureau::demo().files();
    let import = |files: &[std::path::PathBuf]| {
        let mut arguments: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
        arguments.insert(0, "import");
        arguments.extend(["-o", "json", "--principal", "clerk"]);
        target.run(arguments);
    };
    let (early, late) = files.split_at(files.len() / 2);
    import(early);
    let then: Vec<Value> = REPORTS
        .map(|report| json(&target, &["report", report]))
        .into();
    let position = then[0]["cover"]["position"].as_str().unwrap().to_owned();
    import(late);
    for (report, then) in REPORTS.iter().zip(&then) {
        let as_of = json(&target, &["report", report, "--as-of", &position]);
        assert_eq!(as_of, *then, "{report}");
        let now = json(&target, &["report", report]);
        assert_ne!(now["cover"]["head"], then["cover"]["head"], "{report}");
    }
    target
        .run(["report", "register", "--as-of", "99999"])
        .failed(5, "EVENT_NOT_FOUND");
    let before = json(&target, &["report", "register", "--as-of", "2020-01-01"]);
    assert_eq!(before["rows"], serde_json::json!([]));
}

#[test]
fn rows_are_chosen_by_office_programme_fund_and_day() {
    let ledger = bureau();
    let target = ledger.target();
    let whole = json(&target, &["report", "register"]);
    let rows = whole["rows"].as_array().unwrap();
    for (option, column, value) in [
        ("--office", "office", "510502"),
        ("--programme", "programme", "training-allowance"),
        ("--fund", "fund", "employment-city"),
    ] {
        let chosen = json(&target, &["report", "register", option, value]);
        let expected: Vec<&Value> = rows.iter().filter(|row| row[column] == value).collect();
        assert!(
            !expected.is_empty() && expected.len() < rows.len(),
            "{option}"
        );
        let chosen: Vec<&Value> = chosen["rows"].as_array().unwrap().iter().collect();
        assert_eq!(chosen, expected, "{option}");
        let name = whole["cover"][option.trim_start_matches('-')].clone();
        assert_eq!(name, Value::Null);
    }
    // By the Chinese name too.
    let by_id = json(&target, &["report", "pivot", "--programme", "brand-award"]);
    let by_name = json(&target, &["report", "pivot", "--programme", "品牌奖补"]);
    assert_eq!(by_id["rows"], by_name["rows"]);
    let day = rows[0]["recorded_on"].as_str().unwrap();
    let all = json(&target, &["report", "register", "--from", day]);
    assert_eq!(all["rows"], whole["rows"]);
    let none = json(&target, &["report", "register", "--to", "2020-01-01"]);
    assert_eq!(none["rows"], serde_json::json!([]));

    let failed = |arguments: &[&str], exit, code| {
        target.run(arguments).failed(exit, code);
    };
    failed(
        &["report", "pivot", "--programme", "nothing"],
        2,
        "PROGRAMME_UNKNOWN",
    );
    failed(&["report", "pivot", "--fund", "nothing"], 2, "FUND_UNKNOWN");
    failed(&["report", "pivot", "--office", "12"], 2, "USAGE");
    failed(
        &["report", "loans", "--fund", "employment-city"],
        2,
        "USAGE",
    );
    failed(
        &["report", "publicity", "--notice", "GS-404"],
        5,
        "UNKNOWN_NOTICE",
    );
    let period = ["--from", "2024-02-01", "--to", "2024-01-01"];
    failed(&[&["report", "register"], &period[..]].concat(), 2, "USAGE");
    // A report that fails leaves no file, and none is overwritten.
    let out = ledger.file("out.csv");
    let path = out.to_str().unwrap();
    failed(
        &["report", "pivot", "--fund", "nothing", "--out", path],
        2,
        "FUND_UNKNOWN",
    );
    assert!(!out.exists());
    fs::write(&out, "mine").unwrap();
    assert_eq!(target.run(["report", "pivot", "--out", path]).code, 1);
    assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
}

#[test]
fn an_audit_pack_is_whole_and_checks_itself() {
    let ledger = bureau();
    let pack = ledger.file("pack");
    let path = pack.to_str().unwrap();
    ledger
        .target()
        .run(["report", "pack", "--out", path, "--lang", "zh"])
        .ended(0);
    for line in fs::read_to_string(pack.join("B3SUMS")).unwrap().lines() {
        let (hash, file) = line.split_once("  ").unwrap();
        let content = fs::read(pack.join(file)).unwrap();
        assert_eq!(blake3::hash(&content).to_hex().as_str(), hash, "{file}");
    }
    // The commands of its README, in its directory, without the ledger.
    let readme = fs::read_to_string(pack.join("README.md")).unwrap();
    let commands: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("luzhang "))
        .collect();
    assert_eq!(commands.len(), 3, "{readme}");
    for command in commands {
        let arguments = command.split(' ').skip(1);
        let ran = crate::support::luzhang()
            .current_dir(&pack)
            .args(arguments)
            .output();
        Ran::from(ran.unwrap()).ended(0);
    }
    let export = pack.join("ledger.lzexport");
    let export = export.to_str().unwrap();
    let rebuilt = crate::support::run(["projection", "rebuild", "--file", export, "-o", "json"]);
    let digests: Value =
        serde_json::from_slice(&fs::read(pack.join("digests.json")).unwrap()).unwrap();
    assert_eq!(rebuilt.ended(0).json()["rows"], digests["rows"]);
    assert_eq!(
        ledger.target().run(["report", "pack", "--out", path]).code,
        1
    );
}

#[test]
fn a_projection_says_what_changed_and_follows() {
    let ledger = bureau();
    let target = ledger.target();
    let listed = json(&target, &["projection", "list"]);
    let names: Vec<&str> = listed["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"months") && names.contains(&"limits"),
        "{names:?}"
    );
    let status = json(&target, &["projection", "status"]);
    let rebuilt = json(&target, &["projection", "rebuild"]);
    assert_eq!(status["rows"], rebuilt["rows"]);

    let last: u64 = rebuilt["rows"][0]["position"].as_u64().unwrap();
    let before = (last / 2).to_string();
    let diff = json(
        &target,
        &["projection", "diff", "totals", "--since", &before],
    );
    let now = json(&target, &["projection", "show", "totals"]);
    let then = json(
        &target,
        &["projection", "show", "totals", "--as-of", &before],
    );
    let marked = |mark: &str| -> Vec<Value> {
        let rows = diff["rows"].as_array().unwrap().iter();
        let rows = rows.filter(|row| row["change"] == mark).cloned();
        rows.map(|mut row| {
            row.as_object_mut().unwrap().remove("change");
            row
        })
        .collect()
    };
    let (come, gone) = (marked("+"), marked("-"));
    let (now, then) = (
        now["rows"].as_array().unwrap(),
        then["rows"].as_array().unwrap(),
    );
    assert!(!come.is_empty());
    assert!(
        come.iter()
            .all(|row| now.contains(row) && !then.contains(row))
    );
    assert!(
        gone.iter()
            .all(|row| then.contains(row) && !now.contains(row))
    );
    assert_eq!(now.len() - come.len(), then.len() - gone.len());
    assert_eq!(
        diff["after"]["digest"],
        json(&target, &["projection", "show", "totals"])["digest"]
    );
    target
        .run(["projection", "show", "nothing"])
        .failed(5, "PROJECTION_UNKNOWN");
}
