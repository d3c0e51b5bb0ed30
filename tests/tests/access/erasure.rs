//! A person's details: shown to few, and the log says to whom; made unreadable for
//! ever, and everything else still holds.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{
    Bureau, Ledger, Person, Server, Sheet, Target, govern,
    keyring::{Kek, Keyring},
};

const PEOPLE: [&str; 3] = ["clerk-1", "clerk-2", "approver-1"];

fn json(target: &Target, arguments: &[&str]) -> Value {
    target
        .run(arguments.iter().chain(&["-o", "json"]))
        .ended(0)
        .json()
}

/// Where one of these byte strings is, of all files in a directory.
fn holding(dir: &Path, wanted: &[Vec<u8>]) -> Vec<String> {
    let search = aho_corasick::AhoCorasick::new(wanted).unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, wanted));
        } else if search.is_match(&fs::read(&path).unwrap()) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn whoever_is_shown_details_is_written_down_before() {
    let ledger = Ledger::new();
    govern(&ledger.dir(), &PEOPLE);
    let server = Server::start(&ledger.dir());
    let by = |name: &str| server.target().with(&["--principal", name]);
    let Person { name, number } = Person::number(3);
    let file = ledger.file("list.csv");
    Sheet::of(
        "poverty-status",
        [format!("{name},{number},2020-01-01,,册")],
    )
    .write(&file);
    by("clerk-1")
        .run(["import", file.to_str().unwrap()])
        .ended(0);
    let reveal = ["subject", "reveal", &number, "--purpose", "电话核实"];
    let shown = json(&by("clerk-2"), &reveal);
    assert_eq!(shown["rows"][0]["name"], *name);
    assert_eq!(shown["rows"][0]["number"], *number);
    let position = shown["rows"][0]["position"].to_string();
    let event = json(&by("approver-1"), &["event", "show", &position]);
    assert_eq!(event["event"]["principal"], "clerk-2");
    assert_eq!(event["event"]["details_revealed"]["purpose"], "电话核实");
    assert!(!event.to_string().contains(&*number) && !event.to_string().contains(&*name));
    // Nobody without a reason, no administrator, and nobody who is not there.
    let blank = ["subject", "reveal", &number, "--purpose", " "];
    by("clerk-1").run(blank).failed(1, "FIELD_REQUIRED");
    by("administrator").run(reveal).failed(4, "ROLE_REQUIRED");
    let other = Person::number(4).number;
    let unknown = ["subject", "reveal", &other, "--purpose", "电话核实"];
    by("clerk-1").run(unknown).failed(5, "SUBJECT_NOT_FOUND");
}

/// Erased: nobody reads the details, and chain, proofs, limits, totals and digests are
/// what they were.
#[test]
fn whoever_is_erased_is_gone_and_everything_else_holds() {
    let ledger = Ledger::new();
    let bureau = Bureau::demo();
    bureau.import(&ledger.target(), &["-o", "json"]);
    let Person { name, number } = Person::number(77);
    let file = ledger.file("one.csv");
    Sheet::of(
        "poverty-status",
        [format!("{name},{number},2020-01-01,,册")],
    )
    .write(&file);
    ledger
        .target()
        .run(["import", file.to_str().unwrap()])
        .ended(0);
    govern(&ledger.dir(), &PEOPLE);
    let dir = ledger.dir();
    // Of a person with a grant to be paid, and one without.
    let sheets = bureau.sheets();
    let column = |file: &str, name: &str| -> Vec<String> {
        let (_, sheet) = sheets.iter().find(|(known, _)| known == file).unwrap();
        sheet.column(name).into_iter().map(str::to_owned).collect()
    };
    let claimants = column("06-training-allowance.csv", "身份证号码");
    assert!(!claimants.contains(&number));
    let granted = bureau.expected().into_iter();
    let granted = granted
        .filter(|row| row.file == "06-training-allowance.csv" && row.outcome == "accepted")
        .map(|row| claimants[usize::try_from(row.row).unwrap() - 1].clone())
        .next()
        .unwrap();

    let old = Kek::read(&dir.join("kek"));
    let ring = Keyring::read(&dir.join("keys"), &old);
    let backup = ledger.file("backup");
    fs::create_dir(&backup).unwrap();
    for file in ["identity", "subjects"] {
        fs::copy(dir.join("keys").join(file), backup.join(file)).unwrap();
    }
    let target = ledger.target();
    let totals = json(&target, &["report", "totals"]);
    let subject = json(&target, &["subject", "show", &number])["subject_id"].clone();
    let subject = subject.as_str().unwrap().to_owned();
    let id: [u8; 16] =
        std::array::from_fn(|at| u8::from_str_radix(&subject[2 * at..2 * at + 2], 16).unwrap());
    let wrapped = vec![ring.records[&id][16..].to_vec()];
    let clear = vec![ring.subjects[&id].to_vec()];
    assert_eq!(holding(&dir, &wrapped), ["subjects"]);
    assert!(holding(&dir, &clear).is_empty());

    let server = Server::start(&dir);
    let by = |name: &str| server.target().with(&["--principal", name]);
    let erase = |number: &str| {
        ["subject", "erase", number, "--document", "演〔2026〕1号"].map(str::to_owned)
    };
    by("clerk-1").run(erase(&number)).failed(4, "ROLE_REQUIRED");
    by("administrator")
        .run(erase(&granted))
        .failed(1, "SUBJECT_UNFINISHED");
    by("administrator").run(erase(&number)).ended(0);
    by("administrator")
        .run(erase(&number))
        .failed(1, "SUBJECT_ERASED");
    // The server itself cannot read them any more, and neither can anybody else.
    let reveal = ["subject", "reveal", &number, "--purpose", "电话核实"];
    by("clerk-1").run(reveal).failed(1, "SUBJECT_ERASED");
    assert!(holding(&dir, &wrapped).is_empty());
    assert!(holding(&dir, &clear).is_empty());
    // The person's history is there, and so are the limits.
    let history = json(&by("clerk-1"), &["subject", "show", &number]);
    assert_eq!(history["subject_id"], *subject);
    let kinds = history["history"].to_string();
    assert!(kinds.contains("subject_erased") && kinds.contains("poverty_status_asserted"));
    drop(server.terminate());

    let rebuilt = |target: &Target| json(target, &["projection", "status"])["rows"].clone();
    let before = rebuilt(&target);
    assert_eq!(json(&target, &["rebuild"])["rows"], before);
    assert_eq!(json(&target, &["report", "totals"])["rows"], totals["rows"]);
    target.run(["audit", "verify"]).ended(0);
    target.run(["audit", "redecide"]).ended(0);
    // The old backup of the keys still has it, until the key that wraps is changed.
    assert_eq!(holding(&backup, &wrapped), ["subjects"]);
    target.run(["keys", "rotate"]).ended(0);
    let new = Kek::read(&dir.join("kek"));
    assert!(new.open_record(&ring.records[&id]).is_none());
    assert!(holding(&dir, &old.traces()).is_empty());
    assert_eq!(json(&target, &["rebuild"])["rows"], before);

    // Whoever comes back is written down anew, under another key.
    let server = Server::start(&dir);
    let clerk = server.target().with(&["--principal", "clerk-1"]);
    let file_again = ledger.file("again.csv");
    Sheet::of(
        "poverty-status",
        [format!("{name},{number},2026-01-01,,新册")],
    )
    .write(&file_again);
    clerk.run(["import", file_again.to_str().unwrap()]).ended(0);
    let shown = json(&clerk, &reveal);
    assert_eq!(shown["rows"][0]["name"], *name);
    drop(server.terminate());
    let ring = Keyring::read(&dir.join("keys"), &new);
    assert_ne!(ring.subjects[&id].to_vec(), clear[0]);
}
