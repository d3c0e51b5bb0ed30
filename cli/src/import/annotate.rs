//! The copy of a table that goes back to the clerk: what became of each row.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, BufWriter, Write},
    path::Path,
};

use csv::WriterBuilder;
use rust_xlsxwriter::{Color, Format, Workbook, XlsxError};
use tempfile::NamedTempFile;
use thiserror::Error;

use super::{
    cell::Cell,
    table::{Row, Table},
    template::RESULT_COLUMNS,
};
use crate::lang::Lang;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is on the chain.
    Accepted,
    /// Policy said no; the refusal is on the chain.
    Refused,
    /// It is malformed; nothing was written.
    Rejected,
    /// It was on the chain before, with the same content.
    Replayed,
}

/// One reason, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: String,
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// What became of one row, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowResult {
    /// 1 is the first row under the header.
    pub(crate) row: u32,
    /// What the clerk knows the row by.
    pub(crate) key: String,
    pub(crate) outcome: Outcome,
    pub(crate) reasons: Vec<Reason>,
    /// Where on the chain the outcome is; none for a rejected row.
    pub(crate) position: Option<u64>,
}

/// Why an annotated copy could not be written. The file that was there before,
/// if any, is as it was.
#[derive(Debug, Error)]
pub(crate) enum AnnotateError {
    #[error("the annotated copy cannot be written: {0}")]
    Io(#[from] io::Error),
    #[error("the annotated copy cannot be written as a workbook: {0}")]
    Workbook(#[from] XlsxError),
}

/// Writes `table` with three columns more, replacing those of an earlier copy:
/// XLSX if `path` ends so, else CSV. The file appears whole or not at all.
pub(crate) fn write_annotated(
    path: &Path,
    table: &Table,
    results: &[RowResult],
    lang: Lang,
) -> Result<(), AnnotateError> {
    let directory = match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    // Beside the target, for a rename does not cross file systems. Readable by
    // its owner alone, like all that holds identity numbers.
    let mut file = tempfile::Builder::new()
        .prefix(".luzhang-")
        .tempfile_in(directory)?;
    let copy = Annotated::new(table, results, lang);
    let extension = path.extension().unwrap_or_default();
    if extension.eq_ignore_ascii_case("xlsx") {
        copy.write_workbook(&mut file, directory)?;
    } else {
        copy.write_text(&mut file)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The same as text, in memory.
#[cfg(any(test, fuzzing))]
pub(crate) fn annotated_text(
    table: &Table,
    results: &[RowResult],
    lang: Lang,
) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    Annotated::new(table, results, lang).write_text(&mut text)?;
    Ok(text)
}

/// Undoes the apostrophe that [`write_annotated`] puts before text that a
/// spreadsheet would take for a formula.
pub(crate) fn unescape(field: &str) -> &str {
    match field.strip_prefix('\'') {
        Some(rest) if looks_like_formula(rest) => rest,
        _ => field,
    }
}

impl AnnotateError {
    /// The stable reason code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Io(_) | Self::Workbook(_) => "RESULT_FILE",
        }
    }

    /// The message in Chinese.
    pub(crate) fn zh(&self) -> String {
        match self {
            Self::Io(error) => format!("无法写出结果文件：{error}"),
            Self::Workbook(error) => format!("无法把结果文件写成工作簿：{error}"),
        }
    }
}

impl RowResult {
    /// The reason codes, each once, in the order in which they were given.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<&str> = Vec::with_capacity(self.reasons.len());
        for reason in &self.reasons {
            if !codes.contains(&reason.code.as_str()) {
                codes.push(&reason.code);
            }
        }
        codes
    }
}

impl Outcome {
    /// The word in JSON and CSV.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Replayed => "replayed",
        }
    }

    /// The word in the result column.
    pub(crate) fn label(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Accepted, Lang::Zh) => "通过",
            (Self::Refused, Lang::Zh) => "不予受理",
            (Self::Rejected, Lang::Zh) => "退回修改",
            (Self::Replayed, Lang::Zh) => "已办理（重复提交）",
            (Self::Accepted, Lang::En) => "accepted",
            (Self::Refused, Lang::En) => "refused",
            (Self::Rejected, Lang::En) => "rejected",
            (Self::Replayed, Lang::En) => "already done (submitted again)",
        }
    }
}

/// A table and its results, side by side.
struct Annotated<'a> {
    table: &'a Table,
    results: BTreeMap<u32, &'a RowResult>,
    lang: Lang,
    /// The columns that are taken over, by position.
    kept: Vec<usize>,
}

impl<'a> Annotated<'a> {
    fn new(table: &'a Table, results: &'a [RowResult], lang: Lang) -> Self {
        let widest = table.rows().iter().map(|row| row.cells().len()).max();
        let width = table.header().len().max(widest.unwrap_or(0));
        let is_result = |place: usize| {
            let name = table.header().get(place);
            name.is_some_and(|name| RESULT_COLUMNS.contains(&name.as_str()))
        };
        Self {
            table,
            results: results.iter().map(|result| (result.row, result)).collect(),
            lang,
            kept: (0..width).filter(|place| !is_result(*place)).collect(),
        }
    }

    fn header(&self) -> impl Iterator<Item = &'a str> {
        let header = self.table.header();
        self.kept
            .iter()
            .map(|place| header.get(*place).map_or("", String::as_str))
    }

    fn originals(&self, row: &'a Row) -> impl Iterator<Item = Cow<'a, str>> {
        self.kept.iter().map(|place| {
            row.cells()
                .get(*place)
                .map_or(Cow::Borrowed(""), Cell::display)
        })
    }

    /// Outcome, reasons, position.
    fn notes(&self, row: &Row) -> [String; 3] {
        let Some(result) = self.results.get(&row.number()) else {
            return match self.lang {
                Lang::Zh => ["未处理".to_owned(), String::new(), String::new()],
                Lang::En => ["not processed".to_owned(), String::new(), String::new()],
            };
        };
        let reasons: Vec<String> = result
            .reasons
            .iter()
            .map(|reason| match self.lang {
                Lang::Zh => format!("{} {}", reason.code, reason.zh),
                Lang::En => format!("{} {}", reason.code, reason.en),
            })
            .collect();
        [
            result.outcome.label(self.lang).to_owned(),
            reasons.join("；"),
            result
                .position
                .map(|position| position.to_string())
                .unwrap_or_default(),
        ]
    }

    fn write_text(&self, file: impl Write) -> Result<(), io::Error> {
        let mut file = BufWriter::new(file);
        // Without it a spreadsheet takes the text for the local code page.
        file.write_all("\u{feff}".as_bytes())?;
        let mut writer = WriterBuilder::new().from_writer(file);
        let header = self.header().map(Cow::Borrowed);
        let names = RESULT_COLUMNS.into_iter().map(Cow::Borrowed);
        write_record(&mut writer, header.chain(names))?;
        let mut line = 1;
        for row in self.table.rows() {
            // Empty rows keep their place, so that the numbers stay the same.
            while line < row.number() {
                let nothing = iter_empty(self.kept.len() + RESULT_COLUMNS.len());
                write_record(&mut writer, nothing)?;
                line += 1;
            }
            let notes = self.notes(row).map(Cow::Owned);
            write_record(&mut writer, self.originals(row).chain(notes))?;
            line += 1;
        }
        writer.flush()
    }

    fn write_workbook(&self, file: &mut NamedTempFile, directory: &Path) -> Result<(), XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(directory)?;
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name("结果")?;
        sheet.set_freeze_panes(1, 0)?;
        // "@" is text: whoever corrects a cell keeps every digit of it.
        let text = Format::new().set_num_format("@");
        let head = text.clone().set_bold();
        let refused = text.clone().set_background_color(Color::RGB(0x00FF_F2CC));
        let rejected = text.clone().set_background_color(Color::RGB(0x00F8_CBAD));

        for (column, name) in (0..).zip(self.header().chain(RESULT_COLUMNS)) {
            let reasons = name == RESULT_COLUMNS[1];
            sheet.set_column_width(column, if reasons { 60 } else { 20 })?;
        }
        for (column, name) in (0..).zip(self.header().chain(RESULT_COLUMNS)) {
            sheet.write_string_with_format(0, column, name, &head)?;
        }
        for row in self.table.rows() {
            let outcome = self.results.get(&row.number()).map(|result| result.outcome);
            let format = match outcome {
                Some(Outcome::Refused) => &refused,
                Some(Outcome::Rejected) => &rejected,
                Some(Outcome::Accepted | Outcome::Replayed) | None => &text,
            };
            let notes = self.notes(row).map(Cow::Owned);
            for (column, value) in (0..).zip(self.originals(row).chain(notes)) {
                sheet.write_string_with_format(row.number(), column, fit(&value), format)?;
            }
        }
        workbook.save_to_writer(file)
    }
}

fn iter_empty<'a>(count: usize) -> impl Iterator<Item = Cow<'a, str>> {
    std::iter::repeat_n(Cow::Borrowed(""), count)
}

fn write_record<'a, W: Write>(
    writer: &mut csv::Writer<W>,
    fields: impl Iterator<Item = Cow<'a, str>>,
) -> io::Result<()> {
    for field in fields {
        writer.write_field(&*escape(field))?;
    }
    writer.write_record(None::<&[u8]>)?;
    Ok(())
}

/// Puts an apostrophe before what a spreadsheet would run as a formula.
/// Source: OWASP, "CSV Injection".
pub(crate) fn escape(field: Cow<'_, str>) -> Cow<'_, str> {
    if looks_like_formula(&field) {
        Cow::Owned(format!("'{field}"))
    } else {
        field
    }
}

fn looks_like_formula(field: &str) -> bool {
    let first = field.chars().next();
    let starts = first.is_some_and(|c| {
        matches!(
            c,
            '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠'
        )
    });
    starts && !is_number(field)
}

fn is_number(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction)
}

/// Cuts a text to what a cell of a workbook can hold: 32,767 characters.
fn fit(text: &str) -> &str {
    match text.char_indices().nth(32_767) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests;
