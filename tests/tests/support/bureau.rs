//! A bureau's tables with the outcomes that an independent model gives.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{program::Ran, tables::Sheet};

/// A directory of tables, with `order.txt`, `expected.csv` and `totals.csv`.
#[derive(Clone, Debug)]
pub(crate) struct Bureau {
    dir: PathBuf,
}

/// A row's outcome: file, row, key, outcome, codes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expected {
    pub(crate) file: String,
    pub(crate) row: u64,
    pub(crate) key: String,
    pub(crate) outcome: String,
    pub(crate) codes: Vec<String>,
}

/// Committed fen by programme and year, and the number of conflicts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) sums: BTreeMap<(String, u64), i64>,
    pub(crate) conflicts: u64,
}

impl Bureau {
    /// The project's own, which `luzhang demo` imports.
    pub(crate) fn demo() -> Self {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/demo");
        Self { dir: dir.into() }
    }

    /// The one that is handed out beside the checkout, if it is there.
    pub(crate) fn example() -> Option<Self> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/example");
        dir.join("expected.csv").is_file().then_some(Self { dir })
    }

    /// The tables, in the order of their import.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let order = fs::read_to_string(self.dir.join("order.txt")).unwrap();
        order.lines().map(|name| self.dir.join(name)).collect()
    }

    /// The tables' content, in the order of their import.
    pub(crate) fn sheets(&self) -> Vec<(String, Sheet)> {
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let files = self.files().into_iter();
        files
            .map(|path| (name(&path), Sheet::read(&path)))
            .collect()
    }

    /// `luzhang import` of all tables, with more arguments.
    pub(crate) fn import(&self, target: &super::Target, arguments: &[&str]) -> Ran {
        let files = self.files().into_iter().map(PathBuf::into_os_string);
        let more = arguments.iter().map(Into::into);
        target.run(["import".into()].into_iter().chain(files).chain(more))
    }

    pub(crate) fn expected(&self) -> Vec<Expected> {
        let sheet = Sheet::read(&self.dir.join("expected.csv"));
        let row = |cells: Vec<String>| {
            let [file, row, key, outcome, codes] = cells.try_into().unwrap();
            let codes = codes.split(';').filter(|code| !code.is_empty());
            Expected {
                row: row.parse().unwrap(),
                codes: codes.map(str::to_owned).collect(),
                file,
                key,
                outcome,
            }
        };
        sheet.rows.into_iter().map(row).collect()
    }

    pub(crate) fn totals(&self) -> Totals {
        let sheet = Sheet::read(&self.dir.join("totals.csv"));
        let mut totals = Totals::default();
        for row in sheet.rows {
            let [programme, year, amount] = row.try_into().unwrap();
            if programme == "conflicts" {
                totals.conflicts = amount.parse().unwrap();
            } else {
                let key = (programme, year.parse().unwrap());
                totals.sums.insert(key, amount.parse().unwrap());
            }
        }
        totals
    }
}

impl Expected {
    /// The rows of `luzhang import -o ndjson`.
    pub(crate) fn of(ran: &Ran) -> Vec<Self> {
        ran.lines().iter().map(Self::of_line).collect()
    }

    fn of_line(line: &Value) -> Self {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let codes = line["codes"].as_array().unwrap().iter();
        Self {
            file: text("file"),
            row: line["row"].as_u64().unwrap(),
            key: text("key"),
            outcome: text("outcome"),
            codes: codes
                .map(|code| code.as_str().unwrap().to_owned())
                .collect(),
        }
    }
}

impl Totals {
    /// What `luzhang report totals -o json` says.
    pub(crate) fn of(ran: &Ran) -> Self {
        let report = ran.json();
        let rows = report["rows"].as_array().unwrap().iter();
        let sum = |row: &Value| {
            let programme = row["programme"].as_str().unwrap().to_owned();
            let key = (programme, row["year"].as_u64().unwrap());
            (key, row["amount_fen"].as_i64().unwrap())
        };
        Self {
            sums: rows.map(sum).collect(),
            conflicts: report["conflicts"].as_u64().unwrap(),
        }
    }
}
