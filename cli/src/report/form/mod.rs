//! The forms that a report takes. Forms for people speak their language and
//! count in yuan; forms for programs have stable names and count in fen, or say
//! that they are decimal.

mod csv;
mod json;
mod parquet;
mod table;
mod words;
mod xlsx;

use std::{fs::File, path::Path};

use clap::ValueEnum;
use luzhang_projections::report::{Cell, Column, Cover, Name};

use crate::{failure::Failure, lang::Lang, output::Format};

pub(super) use self::{
    csv::{COVER as CSV_COVER, decoded as csv_decoded},
    parquet::COVER as PARQUET_COVER,
};

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people, on a terminal.
    Table,
    /// For spreadsheets: UTF-8 with a mark, in yuan.
    Csv,
    /// One JSON document, in fen.
    Json,
    /// One JSON object a line, in fen.
    Ndjson,
    /// A workbook, with a cover sheet and print set-up.
    Xlsx,
    /// Typed columns, for `DuckDB` and pandas.
    Parquet,
}

impl Form {
    /// The form of a file by the ending of its name.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match &*ending {
            "csv" => Self::Csv,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            "xlsx" => Self::Xlsx,
            "parquet" => Self::Parquet,
            "txt" => Self::Table,
            _ => return None,
        })
    }

    /// Whether a terminal can show it.
    pub(crate) fn is_text(self) -> bool {
        !matches!(self, Self::Xlsx | Self::Parquet)
    }

    /// The ending of its files.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Table => "txt",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }
}

impl From<Format> for Form {
    fn from(format: Format) -> Self {
        match format {
            Format::Table => Self::Table,
            Format::Json => Self::Json,
            Format::Ndjson => Self::Ndjson,
            Format::Csv => Self::Csv,
        }
    }
}

/// What is known before the first row.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) report: Name,
    pub(super) columns: Vec<Column>,
    pub(super) lang: Lang,
}

/// What is known after the last row.
#[derive(Debug)]
pub(super) struct Foot<'a> {
    pub(super) cover: &'a Cover,
    /// The cover as it is written, in its order.
    pub(super) pairs: Vec<(&'static str, String)>,
}

/// Writes a report row by row.
pub(super) trait Writer: Send {
    fn row(&mut self, row: &[Cell]) -> Result<(), Failure>;
    fn end(self: Box<Self>, foot: &Foot<'_>) -> Result<(), Failure>;
}

/// Begins a report in a file.
pub(super) fn begin(form: Form, head: Head, file: File) -> Result<Box<dyn Writer>, Failure> {
    Ok(match form {
        Form::Table => Box::new(table::Writer::new(head, file)),
        Form::Csv => Box::new(csv::Writer::new(&head, file)?),
        Form::Json => Box::new(json::Writer::document(head, file)?),
        Form::Ndjson => Box::new(json::Writer::lines(head, file)),
        Form::Xlsx => Box::new(xlsx::Writer::new(head, file)?),
        Form::Parquet => Box::new(parquet::Writer::new(&head, file)?),
    })
}
