//! A clerk's desk: tables go into one ledger, and what becomes of each row.

use std::path::{Path, PathBuf};

use crate::support::{Expected, Ledger, Organisation, Ran, Sheet};

/// One table after another into one ledger, and what becomes of each row.
pub(crate) struct Desk {
    pub(crate) ledger: Ledger,
}

/// What became of a row: outcome, codes, position.
pub(crate) type Row = (String, Vec<String>, Option<u64>);

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            ledger: Ledger::new(),
        }
    }

    pub(crate) fn file(&self, name: &str, sheet: &Sheet) -> PathBuf {
        let path = self.ledger.file(name);
        sheet.write(&path);
        path
    }

    /// Imports one table.
    #[track_caller]
    pub(crate) fn import(&self, sheet: &Sheet, arguments: &[&str], exit: i32) -> Vec<Row> {
        let file = self.file("table.csv", sheet);
        rows(&self.run(&[&file], arguments).ended(exit))
    }

    pub(crate) fn run(&self, files: &[&Path], arguments: &[&str]) -> Ran {
        let files = files.iter().map(|path| path.to_str().unwrap());
        let options = ["-o", "ndjson"].iter().chain(arguments).copied();
        self.ledger
            .target()
            .run(["import"].into_iter().chain(files).chain(options))
    }

    #[track_caller]
    pub(crate) fn writes_nothing<T>(&self, what: impl FnOnce() -> T) -> T {
        let before = self.ledger.target().head();
        let result = what();
        assert_eq!(self.ledger.target().head(), before, "something was written");
        result
    }
}

pub(crate) fn rows(ran: &Ran) -> Vec<Row> {
    let positions = ran
        .lines()
        .into_iter()
        .map(|line| line["position"].as_u64());
    let outcomes = Expected::of(ran)
        .into_iter()
        .map(|row| (row.outcome, row.codes));
    outcomes
        .zip(positions)
        .map(|((outcome, codes), at)| (outcome, codes, at))
        .collect()
}

pub(crate) fn outcomes(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|(outcome, ..)| outcome.as_str()).collect()
}

pub(crate) fn row(outcome: &str, codes: &[&str], position: Option<u64>) -> Row {
    let codes = codes.iter().map(ToString::to_string);
    (outcome.to_owned(), codes.collect(), position)
}

/// A national master studio of the `index`th organisation.
pub(crate) fn studio(claim: &str, index: u32, yuan: &str) -> String {
    let Organisation { name, code } = Organisation::number(index);
    let fund = "中央就业创业补助资金";
    format!("{claim},{name},{code},技能大师工作室,国家级,2024-03-01,文{index},{yuan},{fund},510500")
}

pub(crate) fn appropriation(document: &str, yuan: &str) -> Sheet {
    let row = format!("{document},中央就业创业补助资金,skill-base,510500,2024,{yuan}");
    Sheet::of("appropriation", [row])
}
