//! No identity number, credit code or name is anywhere but in sealed details.

use std::{
    collections::BTreeSet, ffi::OsString, fs, os::unix::fs::PermissionsExt as _, path::Path,
};

use aho_corasick::AhoCorasick;
use luzhang_ledger::{Position, log::sled};

mod support;

#[path = "privacy/free_space.rs"]
mod free_space;
#[path = "privacy/keys.rs"]
mod keys;

use support::{Bureau, Ledger, Organisation, Person, Server, Sheet, luzhang};

/// Columns whose cells say who somebody is.
const SECRETS: [&str; 13] = [
    "姓名",
    "身份证号码",
    "统一社会信用代码",
    "培训机构",
    "单位名称",
    "机构名称",
    "机构代码",
    "用工单位",
    "用工单位代码",
    "申报单位",
    "品牌名称",
    "借款人",
    "证件号码",
];

/// Everything in a bureau's tables that must not be readable in the ledger.
fn secrets(bureau: &Bureau) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for (_, sheet) in bureau.sheets() {
        for column in SECRETS
            .iter()
            .filter(|c| sheet.header.iter().any(|h| h == *c))
        {
            secrets.extend(sheet.column(column).into_iter().map(str::to_owned));
        }
    }
    secrets
}

/// A bank account for everybody who claims an allowance.
fn accounts(bureau: &Bureau) -> Sheet {
    let mut rows = Vec::new();
    for (_, sheet) in bureau.sheets() {
        if sheet.header.iter().any(|column| column == "补贴日期") {
            let people = sheet.column("姓名").into_iter();
            let people = people.zip(sheet.column("身份证号码"));
            rows.extend(people.enumerate().map(|(index, (name, number))| {
                let account = format!("62228801{index:08}");
                ["个人", name, number, "演示银行", &account].map(str::to_owned)
            }));
        }
    }
    assert!(rows.len() > 30);
    let header = ["户主类型", "户名", "证件号码", "开户银行", "账号"];
    Sheet {
        header: header.map(str::to_owned).into(),
        rows: rows.into_iter().map(Vec::from).collect(),
    }
}

/// The byte patterns in which a secret could show.
fn patterns(secret: &str) -> Vec<Vec<u8>> {
    let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut patterns = vec![secret.as_bytes().to_vec(), utf16];
    if secret.is_ascii() {
        // A number is known from its digits without the check digit, too.
        patterns.push(secret.as_bytes()[..secret.len() - 1].to_vec());
    }
    patterns
}

#[track_caller]
fn find(place: &str, bytes: &[u8], secrets: &BTreeSet<String>) {
    let patterns: Vec<Vec<u8>> = secrets.iter().flat_map(|s| patterns(s)).collect();
    let search = AhoCorasick::new(&patterns).unwrap();
    if let Some(found) = search.find(bytes) {
        let secret = String::from_utf8_lossy(&patterns[found.pattern()]);
        let around = found.start().saturating_sub(100)..bytes.len().min(found.end() + 100);
        let around = String::from_utf8_lossy(&bytes[around]);
        panic!("{place}: {secret:?} in clear: {around}");
    }
}

fn find_in_files(dir: &Path, secrets: &BTreeSet<String>) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += find_in_files(&path, secrets);
        } else {
            let bytes = without_holes(&fs::read(&path).unwrap());
            find(&path.display().to_string(), &bytes, secrets);
            files += 1;
        }
    }
    files
}

/// The bytes with each empty page (the reserve has nothing else) as one zero.
fn without_holes(bytes: &[u8]) -> Vec<u8> {
    let pages = bytes.chunks(4096).map(|page| match page {
        page if *page == [0; 4096] => &[0][..],
        page => page,
    });
    pages.collect::<Vec<_>>().concat()
}

#[test]
fn the_search_finds_what_is_there() {
    let secrets = BTreeSet::from(["510590197607110016".to_owned(), "某氏".to_owned()]);
    for text in ["x510590197607110016", "y51059019760711001z", "…某氏…"] {
        let found = std::panic::catch_unwind(|| find("text", text.as_bytes(), &secrets));
        assert!(found.is_err(), "{text}");
    }
    find("text", "nothing here 5105901976071100".as_bytes(), &secrets);
}

#[test]
fn a_ledger_tells_nobody_who_is_in_it() {
    let bureau = Bureau::demo();
    let mut secrets = secrets(&bureau);
    assert!(secrets.len() > 100, "{}", secrets.len());
    let ledger = Ledger::new();
    let server = Server::with(&ledger.dir(), ["--snapshots", "100"], "trace");
    bureau.import(&server.target(), &["-o", "json"]);
    let accounts = accounts(&bureau);
    secrets.extend(accounts.rows.iter().map(|row| row[4].clone()));
    let file = ledger.file("accounts.csv");
    accounts.write(&file);
    let import = ["import", file.to_str().unwrap(), "-o", "json"];
    server.target().run(import).ended(0);
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
    find("trace", ended.err.as_bytes(), &secrets);
    assert!(find_in_files(&ledger.dir(), &secrets) >= 6);
    let snapshots = ledger.dir().join("snapshots");
    assert!(find_in_files(&snapshots, &secrets) >= 1);
    for entry in fs::read_dir(snapshots).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    // The blocks are compressed where they lie; the export is not.
    let export = ledger.file("export");
    let out = export.to_str().unwrap();
    ledger
        .target()
        .run(["audit", "export", "--out", out])
        .ended(0);
    let bytes = fs::read(&export).unwrap();
    assert!(bytes.len() > 50_000);
    find("export", &bytes, &secrets);
    // What is open for an audit is the same.
    let scratch = tempfile::tempdir().unwrap();
    let log = sled::open_for_audit(&ledger.dir(), scratch.path()).unwrap();
    for block in log.reader.blocks_from(Position::FIRST) {
        find("block", &block.unwrap(), &secrets);
    }
}

/// A clerk's slip puts a person where something else belongs: what is said about
/// it does not repeat the person. Only a row's key is what the clerk typed.
#[test]
fn errors_do_not_repeat_what_stands_in_the_wrong_column() {
    let bureau = Bureau::demo();
    let ledger = Ledger::new();
    bureau.import(&ledger.target(), &["-o", "json"]);
    let server = Server::with(&ledger.dir(), [] as [&str; 0], "trace");
    let mut strangers = (1_000..).map(Person::number);
    let mut secrets = BTreeSet::new();
    let mut files = Vec::new();
    for (name, sheet) in bureau.sheets() {
        let key = key_columns(&sheet.header);
        let mut slips = Vec::new();
        for (place, column) in sheet.header.iter().enumerate() {
            if key.contains(&column.as_str()) || NUMBERS.contains(&column.as_str()) {
                continue;
            }
            let Person { name, number } = strangers.next().unwrap();
            for secret in [name, number] {
                let mut row = sheet.rows[0].clone();
                // Another row than the one that is there, wherever that is possible.
                if key[0] != "身份证号码" {
                    row[0] = format!("新{}", secrets.len());
                }
                row[place].clone_from(&secret);
                slips.push(row);
                secrets.insert(secret);
            }
        }
        let slips = Sheet {
            header: sheet.header,
            rows: slips,
        };
        let file = ledger.file(&name);
        slips.write(&file);
        files.push(file);
    }
    assert!(secrets.len() > 150, "{}", secrets.len());
    for format in ["table", "ndjson"] {
        for lang in ["zh", "en"] {
            let options = ["import", "-o", format, "--lang", lang].map(Into::into);
            let files = files.iter().map(|file| file.clone().into_os_string());
            let output = luzhang()
                .env("LUZHANG_LOG", "trace")
                .args(server.target().options())
                .args(options.into_iter().chain::<Vec<OsString>>(files.collect()))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.lines().count() > 150, "{said}");
            find("stdout", &output.stdout, &secrets);
            find("stderr", &output.stderr, &secrets);
        }
    }
    find("the server", server.terminate().err.as_bytes(), &secrets);
}

/// Numbers of courses, brands, loans and documents are nobody's secret: a refusal
/// names the one that it is about.
const NUMBERS: [&str; 3] = ["班级编号", "品牌编号", "贷款编号"];

/// The columns whose cells are a row's key.
fn key_columns(header: &[String]) -> Vec<&str> {
    let has = |name: &&str| header.iter().any(|column| column == name);
    let alone = ["申领编号", "贷款编号", "品牌编号", "文号"];
    match alone.iter().find(|name| has(name)) {
        Some(name) => vec![name],
        None if has(&"出勤日期") => vec!["班级编号", "身份证号码"],
        None if has(&"班级编号") => vec!["班级编号"],
        None => vec!["身份证号码"],
    }
}

#[test]
fn errors_about_json_do_not_repeat_its_values() {
    let ledger = Ledger::new();
    let (name, number) = ("某氏甲", "510590197607110017");
    let person = |text: &str| {
        format!(
            r#"{{"poverty_status": {{"person": {text},
            "from": {{"year": 2024, "month": 1, "day": 1}}, "list_version": "册"}}}}"#
        )
    };
    let number_text = format!("\"{number}\"");
    let name_text = format!("\"{name}\"");
    for (json, code) in [
        // The check digit is wrong.
        (
            person(&format!(
                r#"{{"name": "{name}", "national_id": "{number}"}}"#
            )),
            "ID_CHECK_DIGIT",
        ),
        (
            person(&format!(r#"{{"name": "{name}", "national_id": {number}}}"#)),
            "COMMAND_JSON",
        ),
        (person(&name_text), "COMMAND_JSON"),
        (person(&format!("[{number}]")), "COMMAND_JSON"),
        (person(&name_text)[..50].to_owned(), "COMMAND_JSON"),
        (
            format!(r#"{{"request_id": {number_text}}}"#),
            "REQUEST_ID_INVALID",
        ),
        (
            format!(r#"{{"office": {number_text}, "course": {{}}}}"#),
            "OFFICE_CODE",
        ),
        (
            format!(r#"{{"plaque": {{"level": {name_text}}}}}"#),
            "COMMAND_JSON",
        ),
        (
            format!(r#"{{"attendance": {{"course_no": "{name}", "person": {{}}}}}}"#),
            "ID_LENGTH",
        ),
        (
            format!(
                r#"{{"course": {{"course_no": "班1", "provider": {{"credit_code": {number_text}}}}}}}"#
            ),
            "USCC_CHECK_DIGIT",
        ),
        (
            format!(r#"{{"brand_award": {{"amount_fen": {number_text}}}}}"#),
            "FIELD_REQUIRED",
        ),
    ] {
        for lang in ["zh", "en"] {
            let options = ["submit", "-", "--lang", lang];
            let ran = ledger.target().run_with_input(options, &json);
            assert!(ran.err.starts_with(&format!("{code}: ")), "{json}\n{ran:?}");
            let secrets = BTreeSet::from([number.to_owned(), name.to_owned()]);
            find("stderr", ran.err.as_bytes(), &secrets);
            find("stdout", ran.out.as_bytes(), &secrets);
        }
    }
}

/// Whoever has the number finds the history; whoever has the ledger only, finds
/// a pseudonym.
#[test]
fn a_subject_is_found_by_its_number_and_shown_by_its_pseudonym() {
    let ledger = Ledger::new();
    let person = (0..1_000)
        .map(Person::number)
        .find(|person| person.number.ends_with('X'));
    let Person { name, number } = person.unwrap();
    let changed = "某氏改名".to_owned();
    let firm = Organisation::number(1);
    let list = |rows: &[(&str, &str)]| {
        let rows = rows
            .iter()
            .map(|(name, day)| format!("{name},{number},{day},,册"));
        let file = ledger.file("list.csv");
        Sheet::of("poverty-status", rows).write(&file);
        let ran = ledger
            .target()
            .run(["import", file.to_str().unwrap()])
            .ended(0);
        drop(ran);
    };
    list(&[(&name, "2020-01-01"), (&name, "2021-01-01")]);
    list(&[
        (&changed, "2022-01-01"),
        (&changed, "2023-01-01"),
        (&name, "2024-01-01"),
    ]);
    let courses = Sheet::of(
        "course",
        [format!(
            "班1,{},{},砌筑工,2024-01-01,2024-01-05,510502",
            firm.name, firm.code
        )],
    );
    let file = ledger.file("courses.csv");
    courses.write(&file);
    ledger
        .target()
        .run(["import", file.to_str().unwrap()])
        .ended(0);
    let secrets = [&name, &number, &changed, &firm.name, &firm.code];
    let secrets: BTreeSet<_> = secrets.into_iter().cloned().collect();

    let show = |number: &str, input: &str| {
        let options = ["subject", "show", number, "-o", "json"];
        let ran = ledger.target().run_with_input(options, input).ended(0);
        find("stdout", ran.out.as_bytes(), &secrets);
        find("stderr", ran.err.as_bytes(), &secrets);
        for format in ["table", "csv"] {
            let options = ["subject", "show", number, "-o", format];
            let ran = ledger.target().run_with_input(options, input).ended(0);
            find("stdout", ran.out.as_bytes(), &secrets);
        }
        ran.json()
    };
    let by_number = show("-", &format!("{number}\n"));
    let id = by_number["subject_id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 32);
    let lower = number.to_lowercase();
    for (number, input) in [
        ("-", format!("  {lower} ")),
        (&number, String::new()),
        (&id, String::new()),
    ] {
        assert_eq!(show(number, &input), by_number, "{number}");
    }
    let kinds: Vec<_> = by_number["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            let names = event["event"].as_object().unwrap().iter();
            let body = names.filter(|(_, value)| value.is_object());
            body.map(|(name, _)| name.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    // Newest first: a name is recorded when it changes, and only then.
    assert_eq!(
        kinds,
        [
            "poverty_status_asserted",
            "party_corrected",
            "poverty_status_asserted",
            "poverty_status_asserted",
            "party_corrected",
            "poverty_status_asserted",
            "poverty_status_asserted",
            "party_registered",
        ]
    );
    assert_eq!(by_number["events"], 8);
    let firm_id = show("-", &firm.code)["subject_id"].clone();
    assert_ne!(firm_id, id);
    for unknown in [
        &Person::number(9).number,
        &Organisation::number(9).code,
        &"0".repeat(32),
    ] {
        let ran = ledger
            .target()
            .run_with_input(["subject", "show", "-"], unknown);
        ran.failed(5, "SUBJECT_NOT_FOUND");
        assert!(!ran.err.contains(unknown.as_str()), "{}", ran.err);
    }
    // Another ledger has another pseudonym for the same person.
    let other = Ledger::new();
    let file = ledger.file("list.csv");
    other
        .target()
        .run(["import", file.to_str().unwrap()])
        .ended(0);
    let elsewhere = other
        .target()
        .run(["subject", "show", &number, "-o", "json"])
        .ended(0);
    assert_ne!(elsewhere.json()["subject_id"], id);
    assert_eq!(
        find_in_files(&ledger.dir(), &secrets),
        find_in_files(&other.dir(), &secrets)
    );
}

#[test]
fn keys_are_the_owners_alone_and_this_ledgers_alone() {
    let ledger = Ledger::new();
    let keys = ledger.dir().join("keys");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&ledger.dir()), 0o700);
    assert_eq!(mode(&keys), 0o700);
    assert_eq!(mode(&ledger.dir().join("kek")), 0o600);
    for name in ["identity", "subjects"] {
        assert_eq!(mode(&keys.join(name)), 0o600, "{name}");
    }
    let head = ledger.target().head();
    let identity = fs::read(keys.join("identity")).unwrap();
    let other = fs::read(Ledger::new().dir().join("keys/identity"));
    let other = other.unwrap_or_else(|_| vec![7; 32]);
    let rows: [(&str, Option<&[u8]>, &str); 8] = [
        ("identity", Some(&other), "KEK_MISMATCH"),
        ("identity", Some(&[0; 32]), "KEY_MISMATCH"),
        ("identity", Some(&identity[..31]), "KEYS_UNREADABLE"),
        ("identity", Some(&[]), "KEYS_UNREADABLE"),
        ("subjects", Some(&[]), "KEYS_UNREADABLE"),
        ("identity", None, "KEYS_MISSING"),
        ("subjects", None, "KEYS_MISSING"),
        ("", None, "KEYS_MISSING"),
    ];
    let whole = ledger.file("whole-keys");
    fs::rename(&keys, &whole).unwrap();
    for (name, content, code) in rows {
        fs::create_dir(&keys).unwrap();
        for file in ["identity", "subjects"] {
            fs::copy(whole.join(file), keys.join(file)).unwrap();
        }
        let path = keys.join(name);
        match content {
            Some(content) => fs::write(path, content).unwrap(),
            None if path.is_dir() => fs::remove_dir_all(path).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        ledger.target().run(["audit", "head"]).failed(1, code);
        let serve = ["serve", "--listen", "127.0.0.1:0", "--lang", "zh"];
        let served = ledger.target().run(serve);
        served.failed(1, code);
        assert!(
            served.err.contains("恢复") && served.err.contains("keys"),
            "{}",
            served.err
        );
        // What an auditor does needs no key.
        let verified = ledger
            .target()
            .run(["audit", "verify", "-o", "json"])
            .ended(0);
        assert_eq!(verified.json()["verdict"], "self_consistent");
        ledger.target().run(["rebuild"]).ended(0);
        // No key is made up in the place of one that is lost.
        let _gone = fs::remove_dir_all(&keys);
        assert!(!keys.exists());
    }
    fs::rename(&whole, &keys).unwrap();
    assert_eq!(ledger.target().head(), head);
}
