//! Results on stdout: a table for people, JSON, NDJSON and CSV for programs.

use std::{
    borrow::Cow,
    io::{self, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

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
        table.set_header(self.columns.iter().map(|title| visible(title)));
        for row in &self.rows {
            // Before it is laid out, so that columns stay columns.
            table.add_row(row.iter().map(|cell| visible(cell)));
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

/// One line on stdout. What a terminal would act on is shown instead; in a JSON
/// document the same string is meant as before, only written otherwise.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{}\n", visible(text)).as_bytes())
}

/// A line on stderr, for people, as [`line`] has it.
macro_rules! note {
    ($($words:tt)*) => {
        $crate::output::tell(&format!($($words)*))
    };
}
pub(crate) use note;

/// Whether whoever reads standard error wants one JSON object a line.
static AS_JSON: AtomicBool = AtomicBool::new(false);

/// From here on notes are JSON, too.
pub(crate) fn notes_as_json() {
    AS_JSON.store(true, Ordering::Relaxed);
}

/// A line on stderr: see [`note`].
pub(crate) fn tell(text: &str) {
    if AS_JSON.load(Ordering::Relaxed) {
        // In the form of what the program logs.
        let note = serde_json::json!({
            "timestamp": jiff::Timestamp::now().to_string(),
            "level": "NOTE",
            "message": text,
            "target": "luzhang",
        });
        eprintln!("{}", visible(&note.to_string()));
    } else {
        eprintln!("{}", visible(text));
    }
}

/// A text from a file, a server or a ledger as a terminal may have it: controls,
/// escapes, and characters that hide or reorder others are written as JSON writes
/// them (`\u001b`). Ends of lines and tabs stay.
///
/// Source: UTR #36, "Bidirectional Text Spoofing"; ECMA-48.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_acted_on) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_acted_on(character) {
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units).iter();
            shown.extend(units.map(|unit| format!("\\u{unit:04x}")));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal does something else with it than to show it.
fn is_acted_on(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(
            character,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_nothing_to_act_on() {
        for (text, shown) in [
            ("张某，PX-1\t3\n", "张某，PX-1\t3\n"),
            ("\u{1b}]0;owned\u{7}", "\\u001b]0;owned\\u0007"),
            ("\u{9b}2J\u{7f}\r", "\\u009b2J\\u007f\\u000d"),
            ("a\u{202e}b\u{2066}c\u{feff}", "a\\u202eb\\u2066c\\ufeff"),
            ("\u{e0041}", "\\udb40\\udc41"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn a_document_means_the_same_as_before() {
        let value = serde_json::json!({
            "a\u{202e}": "\u{1b}[2J \u{7f}\u{9b}\u{2028} \u{e0041} 泸州\n\t\"\\u202e"
        });
        let text = value.to_string();
        let shown = visible(&text);
        assert!(!shown.contains(is_acted_on));
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
