//! The same name typed on two machines is the same; and a table's files stay where
//! they are put.

use std::fs;

use crate::support::{Ledger, Person, Sheet};

#[test]
fn a_row_typed_on_another_machine_is_the_same_row() {
    let ledger = Ledger::new();
    let number = Person::number(1).number;
    let target = ledger.target();
    for (name, version, outcome) in [
        // One machine composes, the other does not.
        ("Am\u{e9}lie\u{985e}", "\u{fc}1", "accepted"),
        ("Ame\u{301}lie\u{f9d0}", "u\u{308}1", "replayed"),
    ] {
        let table = ledger.file("table.csv");
        let row = format!("{name},{number},2014-11-30,,{version}");
        Sheet::of("poverty-status", [row]).write(&table);
        let ran = target.run(["import", table.to_str().unwrap(), "-o", "ndjson"]);
        assert_eq!(ran.ended(0).lines()[0]["outcome"], outcome, "{name:?}");
    }
}

#[test]
fn results_of_tables_of_one_name_do_not_replace_each_other() {
    let ledger = Ledger::new();
    let target = ledger.target();
    let mut tables = Vec::new();
    for (index, dir) in (1..).zip(["a", "b"]) {
        let dir = ledger.file(dir);
        fs::create_dir(&dir).unwrap();
        let Person { name, number } = Person::number(index);
        let row = format!("{name},{number},2014-11-30,,v1");
        Sheet::of("poverty-status", [row]).write(&dir.join("t.csv"));
        tables.push(dir.join("t.csv").to_str().unwrap().to_owned());
    }
    let results = ledger.file("results");
    let results = results.to_str().unwrap();
    let ran = target.run(["import", &tables[0], &tables[1], "--result", results]);
    ran.failed(2, "USAGE");
    // Nor does the result of one replace the table of another, whatever the way
    // to it.
    let other = ledger.file("b/../b");
    let ran = target.run([
        "import",
        &tables[0],
        &tables[1],
        "--result",
        other.to_str().unwrap(),
    ]);
    ran.failed(2, "USAGE");
    // A link is replaced, not followed.
    let kept = ledger.file("kept.txt");
    fs::write(&kept, "kept").unwrap();
    let link = ledger.file("link.csv");
    std::os::unix::fs::symlink(&kept, &link).unwrap();
    let path = link.to_str().unwrap();
    target
        .run(["import", &tables[0], "--result", path])
        .ended(0);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "kept");
    assert!(fs::read_to_string(&link).unwrap().contains("accepted"));
}
