//! Tables as text, their fields separated by commas, tabs or semicolons.

use std::{borrow::Cow, io::Read};

use csv::{Reader, ReaderBuilder, StringRecord};
use encoding_rs::GB18030;

use super::{Damage, Excess, Lines, MAX_COLUMNS, Table, TableError};
use crate::import::{annotate, cell::Cell};

/// The longest line, in bytes: 2 MiB, more than the widest template's cells can
/// hold. What is longer is no row, and would be split into millions of fields.
const MAX_LINE: usize = 2 << 20;

/// A last record of our own. If it does not come back as one, then a quotation
/// mark before it was never closed.
const SENTINEL: &str = "\u{1f}end\u{1f}";

/// The text of a file: UTF-8, else GB18030, strictly.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, TableError> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        // UTF-16.
        return Err(TableError::Encoding);
    }
    if bytes.contains(&0) {
        return Err(TableError::Unreadable(Damage::Binary));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(_) => GB18030
            .decode_without_bom_handling_and_without_replacement(bytes)
            .ok_or(TableError::Encoding),
    }
}

/// Splits a text into rows.
pub(super) fn parse(text: &str) -> Result<Table, TableError> {
    if text.trim().is_empty() {
        return Err(TableError::Empty);
    }
    if text.split(['\r', '\n']).any(|line| line.len() > MAX_LINE) {
        return Err(TableError::TooLarge(Excess::Line));
    }
    let mut reader = reader(text, separator(text));
    let mut lines = Lines::new();
    let mut record = StringRecord::new();
    // The line of the spreadsheet that the next record is, and the row (0 is
    // the header) that the last one was.
    let mut line: u32 = 0;
    let mut first = None;
    let mut last = 0;
    let mut closed = false;
    while reader
        .read_record(&mut record)
        .map_err(|_| TableError::Encoding)?
    {
        let rest = text.get(start(&record)..).unwrap_or_default();
        if record == [SENTINEL][..] && rest.trim_matches(['\r', '\n']).is_empty() {
            closed = true;
            break;
        }
        line = line.saturating_add(empty_lines(text, start(&record)));
        lines.push(line, cells(&record)?)?;
        if first.is_none() && !lines.is_empty() {
            first = Some(line);
        }
        last = line - first.unwrap_or(line);
        line = line.saturating_add(1);
    }
    if !closed {
        return Err(TableError::Quotes { row: last });
    }
    lines.into_table()
}

/// Where the record before this one ended, in bytes.
fn start(record: &StringRecord) -> usize {
    let start = record.position().map_or(0, csv::Position::byte);
    usize::try_from(start).unwrap_or(usize::MAX)
}

fn reader(text: &str, separator: u8) -> Reader<impl Read> {
    let end = b"\n".chain(SENTINEL.as_bytes()).chain(b"\n".as_slice());
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes().chain(end))
}

/// The comma, unless the first line has none and another separator splits it.
fn separator(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty());
    let first = first.unwrap_or_default();
    [b',', b'\t', b';']
        .into_iter()
        .find(|separator| first.contains(char::from(*separator)))
        .unwrap_or(b',')
}

/// How many empty lines lie between `start`, where the record before ended, and
/// the record that follows. The reader skips them; the clerk counts them.
fn empty_lines(text: &str, start: usize) -> u32 {
    let bytes = text.as_bytes();
    let mut rest = bytes.get(start..).unwrap_or_default();
    // The reader ends a record at the CR of a CR LF.
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    if before == Some(&b'\r') {
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
    let mut count: u32 = 0;
    loop {
        rest = match rest {
            [b'\r', b'\n', rest @ ..] | [b'\r' | b'\n', rest @ ..] => rest,
            _ => return count,
        };
        count = count.saturating_add(1);
    }
}

/// The fields of a record. Trailing separators are harmless, however many.
fn cells(record: &StringRecord) -> Result<Vec<Cell>, TableError> {
    if record
        .iter()
        .skip(MAX_COLUMNS)
        .any(|field| !field.is_empty())
    {
        return Err(TableError::TooLarge(Excess::Columns));
    }
    Ok(record.iter().take(MAX_COLUMNS).map(cell).collect())
}

fn cell(field: &str) -> Cell {
    if field.is_empty() {
        Cell::Empty
    } else {
        Cell::Text(annotate::unescape(field).to_owned())
    }
}
