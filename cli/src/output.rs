//! Results on stdout: a table for people, JSON, NDJSON and CSV for programs.

use std::io::{self, Write as _};

use clap::ValueEnum;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde_json::{Map, Value};

use crate::failure::Failure;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated values.
    Csv,
}

/// Rows with named columns. Columns ending in `_fen`, and those named in
/// `numbers`, are numbers in JSON. Without names, CSV has no header.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) numbers: &'static [&'static str],
}

impl Sheet {
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.rows.iter().map(|row| self.object(row)).collect()
    }

    fn object(&self, row: &[String]) -> Value {
        let mut object = Map::new();
        for (column, cell) in self.columns.iter().zip(row) {
            let numeric = column.ends_with("_fen") || self.numbers.contains(&column.as_str());
            let number = cell.parse::<i64>().ok().filter(|_| numeric);
            let value = number.map_or_else(|| Value::from(cell.as_str()), Value::from);
            object.insert(column.clone(), value);
        }
        Value::Object(object)
    }

    /// Writes the rows; `extra` joins them in a JSON document.
    pub(crate) fn print(&self, format: Format, extra: Map<String, Value>) -> Result<(), Failure> {
        match format {
            Format::Table => line(&self.table()),
            Format::Json => {
                let mut document = Map::from_iter([("schema_version".to_owned(), 1.into())]);
                document.extend(extra);
                document.insert("rows".to_owned(), self.objects().into());
                line(&Value::Object(document).to_string())
            }
            Format::Ndjson => self
                .objects()
                .iter()
                .try_for_each(|row| line(&row.to_string())),
            Format::Csv => self.csv(),
        }
    }

    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_header(&self.columns);
        for row in &self.rows {
            table.add_row(row);
        }
        table.to_string()
    }

    fn csv(&self) -> Result<(), Failure> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let failed = |error: csv::Error| Failure::from(anyhow::Error::from(error));
        if !self.columns.is_empty() {
            writer.write_record(&self.columns).map_err(failed)?;
        }
        for row in &self.rows {
            writer.write_record(row).map_err(failed)?;
        }
        bytes(&writer.into_inner().map_err(anyhow::Error::from)?)
    }
}

/// One line on stdout.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

/// Bytes on stdout. A reader that has gone away (`| head`) is no failure.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// A sheet from literal columns.
pub(crate) fn sheet(
    columns: &[&str],
    numbers: &'static [&'static str],
    rows: Vec<Vec<String>>,
) -> Sheet {
    Sheet {
        columns: columns.iter().map(ToString::to_string).collect(),
        rows,
        numbers,
    }
}
