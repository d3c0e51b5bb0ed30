//! No identity number, credit code or name is anywhere but in sealed details.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path};

use aho_corasick::AhoCorasick;
use luzhang_ledger::{Position, log::sled};

mod support;

use support::{Bureau, Ledger, Server};

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

fn find(place: &str, bytes: &[u8], secrets: &BTreeSet<String>) {
    let patterns: Vec<Vec<u8>> = secrets.iter().flat_map(|s| patterns(s)).collect();
    let search = AhoCorasick::new(&patterns).unwrap();
    if let Some(found) = search.find(bytes) {
        let secret = String::from_utf8_lossy(&patterns[found.pattern()]);
        panic!("{place}: {secret:?} in clear at byte {}", found.start());
    }
}

fn find_in_files(dir: &Path, secrets: &BTreeSet<String>) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += find_in_files(&path, secrets);
        } else {
            find(
                &path.display().to_string(),
                &fs::read(&path).unwrap(),
                secrets,
            );
            files += 1;
        }
    }
    files
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
    let secrets = secrets(&bureau);
    assert!(secrets.len() > 100, "{}", secrets.len());
    let ledger = Ledger::new();
    let server = Server::with(&ledger.dir(), [] as [&str; 0], "trace");
    bureau.import(&server.target(), &["-o", "json"]);
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
    find("trace", ended.err.as_bytes(), &secrets);
    assert!(find_in_files(&ledger.dir(), &secrets) >= 6);

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

#[test]
fn errors_do_not_repeat_a_number() {
    let ledger = Ledger::new();
    // The check digit is wrong; the name is nobody's.
    let json = r#"{"poverty_status": {
        "person": {"name": "某氏甲", "national_id": "510590197607110017"},
        "from": {"year": 2024, "month": 1, "day": 1}, "list_version": "2024-A"}}"#;
    let ran = ledger.target().run_with_input(["submit", "-"], json);
    assert!(ran.err.starts_with("ID_CHECK_DIGIT: "), "{}", ran.err);
    let secrets = BTreeSet::from(["510590197607110017".to_owned(), "某氏甲".to_owned()]);
    find("stderr", ran.err.as_bytes(), &secrets);
    find("stdout", ran.out.as_bytes(), &secrets);
}

#[test]
fn keys_are_the_owners_alone_and_this_ledgers_alone() {
    let ledger = Ledger::new();
    let keys = ledger.dir().join("keys");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&ledger.dir()), 0o700);
    assert_eq!(mode(&keys), 0o700);
    for name in ["identity", "subjects"] {
        assert_eq!(mode(&keys.join(name)), 0o600, "{name}");
    }
    let identity = fs::read(keys.join("identity")).unwrap();
    fs::write(keys.join("identity"), [7; 32]).unwrap();
    ledger
        .target()
        .run(["audit", "head"])
        .failed(1, "KEY_MISMATCH");
    fs::write(keys.join("identity"), [7; 31]).unwrap();
    ledger
        .target()
        .run(["audit", "head"])
        .failed(1, "KEYS_UNREADABLE");
    fs::remove_file(keys.join("identity")).unwrap();
    ledger
        .target()
        .run(["audit", "head"])
        .failed(1, "KEYS_MISSING");
    fs::write(keys.join("identity"), identity).unwrap();
    ledger.target().run(["audit", "head"]).ended(0);
}
