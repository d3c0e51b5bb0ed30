//! Tables as XLSX workbooks.

use std::{
    io::{self, Cursor, Read as _},
    iter, panic,
};

use calamine::{
    DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Style, Xlsx, XlsxCellReader,
};
use jiff::civil::{Date, date};
use luzhang_ledger::calendar;
use rust_decimal::Decimal;
use zip::ZipArchive;

use super::{
    Damage, Excess, Lines, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, MAX_UNFOLDED, Table, TableError,
};
use crate::import::cell::Cell;

type Bytes = Cursor<Vec<u8>>;

/// Reads the first visible sheet that holds something.
pub(super) fn parse(bytes: Vec<u8>) -> Result<Table, TableError> {
    // The reader of workbooks computes with row numbers it has not checked; where
    // overflow is checked, a damaged one panics.
    panic::catch_unwind(|| read_workbook(bytes))
        .unwrap_or(Err(TableError::Unreadable(Damage::Workbook)))
}

fn read_workbook(bytes: Vec<u8>) -> Result<Table, TableError> {
    let bytes = unfoldable(bytes)?;
    let mut workbook = Xlsx::new(bytes).map_err(|_| TableError::Unreadable(Damage::Workbook))?;
    let sheets: Vec<(usize, String)> = (1..)
        .zip(workbook.sheets_metadata())
        .filter(|(_, sheet)| {
            sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible
        })
        .map(|(index, sheet)| (index, sheet.name.clone()))
        .collect();

    let mut found: Option<Table> = None;
    for (index, name) in sheets {
        let damaged = |line| TableError::Unreadable(Damage::Sheet { sheet: index, line });
        let mut reader = workbook
            .worksheet_cells_reader(&name)
            .map_err(|_| damaged(1))?;
        if let Some(table) = &mut found {
            if holds_something(&mut reader) {
                table.unread_sheets.push(name);
            }
            continue;
        }
        let lines = read_sheet(&mut reader, damaged)?;
        if !lines.is_empty() {
            let mut table = lines.into_table()?;
            table.sheet = Some(name);
            found = Some(table);
        }
    }
    found.ok_or(TableError::Empty)
}

/// The most bytes of the texts that sheets share: 100 for each row.
const MAX_TEXTS: u64 = 128 << 20;
/// The most bytes of styles, relations and the like. A spreadsheet stops at 64,000
/// styles.
const MAX_REST: u64 = 16 << 20;

/// Looks at what is in the archive before any of it is kept: first at what its
/// directory says, then at what is there. A sheet is read cell by cell; everything
/// else is kept in memory, some of it much wider than it is in the file.
fn unfoldable(bytes: Vec<u8>) -> Result<Bytes, TableError> {
    let unsound = |_| TableError::Unreadable(Damage::Workbook);
    let too_large = || TableError::TooLarge(Excess::Unfolded);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unsound)?;
    let mut size: u64 = 0;
    for index in 0..archive.len() {
        size = size.saturating_add(archive.by_index_raw(index).map_err(unsound)?.size());
    }
    if size > MAX_UNFOLDED {
        return Err(too_large());
    }
    // The directory may lie.
    let (mut left, mut texts, mut rest) = (MAX_UNFOLDED, MAX_TEXTS, MAX_REST);
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(unsound)?;
        let name = part
            .name()
            .map_err(|_| TableError::Unreadable(Damage::Workbook))?;
        let name = name.to_ascii_lowercase();
        let ending = name.rsplit('.').next();
        let is_xml = matches!(ending, Some("xml" | "rels"));
        let most = if name.ends_with("sharedstrings.xml") {
            &mut texts
        } else if is_xml && !name.starts_with("xl/worksheets/") {
            &mut rest
        } else {
            &mut left
        };
        let found = io::copy(&mut part.take(most.saturating_add(1)), &mut io::sink());
        let found = found.map_err(|_| TableError::Unreadable(Damage::Workbook))?;
        *most = most.checked_sub(found).ok_or_else(too_large)?;
    }
    Ok(archive.into_inner())
}

fn read_sheet(
    reader: &mut XlsxCellReader<'_, Bytes>,
    damaged: impl Fn(u32) -> TableError,
) -> Result<Lines, TableError> {
    let percent: Vec<bool> = reader.styles().iter().map(is_percent).collect();
    let mut lines = Lines::new();
    let mut line: u32 = 0;
    let mut cells: Vec<Cell> = Vec::new();
    let mut count: usize = 0;
    while let Some((found, style)) = reader
        .next_cell_with_style_id()
        .map_err(|_| damaged(line.saturating_add(1)))?
    {
        let percent = percent.get(style).copied().unwrap_or(false);
        let value = cell(
            found.get_value(),
            if percent {
                Shown::Percent
            } else {
                Shown::Plain
            },
        );
        // Formatted but empty cells may reach to the last column of the sheet.
        if value.is_blank() {
            continue;
        }
        if matches!(&value, Cell::Text(text) if text.contains('\0')) {
            return Err(damaged(line.saturating_add(1)));
        }
        let (at, column) = found.get_position();
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if at >= MAX_ROWS {
            return Err(TableError::TooLarge(Excess::Rows));
        }
        if column >= MAX_COLUMNS {
            return Err(TableError::TooLarge(Excess::Columns));
        }
        count = count.saturating_add(1);
        if count > MAX_CELLS {
            return Err(TableError::TooLarge(Excess::Cells));
        }
        if at != line {
            lines.push(line, std::mem::take(&mut cells))?;
            // A sheet that jumps back would give one number to two rows.
            if at < line {
                return Err(damaged(line.saturating_add(1)));
            }
            line = at;
        }
        if cells.len() <= column {
            cells.resize(column + 1, Cell::Empty);
        }
        if let Some(place) = cells.get_mut(column) {
            *place = value;
        }
    }
    lines.push(line, cells)?;
    // A sheet does not store the empty cells at the end of a row.
    let width = lines.header.as_ref().map_or(0, |(_, names)| names.len());
    for row in &mut lines.rows {
        let missing = width.saturating_sub(row.cells.len());
        row.cells.extend(iter::repeat_n(Cell::Empty, missing));
    }
    Ok(lines)
}

fn holds_something(reader: &mut XlsxCellReader<'_, Bytes>) -> bool {
    loop {
        match reader.next_cell() {
            Ok(Some(found)) if cell(found.get_value(), Shown::Plain).is_blank() => {}
            Ok(found) => return found.is_some(),
            // It is not read, and so it need not be sound.
            Err(_) => return true,
        }
    }
}

/// How a spreadsheet shows a number.
#[derive(Clone, Copy)]
enum Shown {
    Plain,
    /// 0.0435 is shown, and was typed, as 4.35%.
    Percent,
}

fn is_percent(style: &Style) -> bool {
    let code = style
        .number_format
        .as_ref()
        .map(|format| format.format_code.as_str());
    // Between quotation marks, a percent sign is only an ornament.
    code.is_some_and(|code| code.split('"').step_by(2).any(|part| part.contains('%')))
}

fn cell(value: &DataRef<'_>, shown: Shown) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::String(text) | DataRef::DurationIso(text) => Cell::Text(text.clone()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::Int(number) => Cell::Number(number.to_string()),
        DataRef::Float(number) => match (shortest(*number), shown) {
            (Some(number), Shown::Percent) => Cell::Text(percent(number)),
            (Some(number), Shown::Plain) => Cell::Number(number.to_string()),
            (None, _) => Cell::Number(number.to_string()),
        },
        DataRef::Bool(truth) => Cell::Bool(*truth),
        DataRef::DateTime(moment) if is_day(moment) => day(moment),
        // A length of time, or a number that only looks like a date.
        DataRef::DateTime(other) => Cell::Number(other.as_f64().to_string()),
        DataRef::DateTimeIso(text) => iso_day(text),
        DataRef::Error(error) => Cell::Error(error.to_string()),
    }
}

/// A number to the 15 significant digits that a spreadsheet shows and keeps, so
/// that 0.1 + 0.2 is 0.3 here as it is there. `None` if it is no amount of
/// anything: not finite, or beyond 28 digits.
fn shortest(number: f64) -> Option<Decimal> {
    Decimal::from_scientific(&format!("{number:.14e}"))
        .ok()
        .map(|number| number.normalize())
}

fn percent(fraction: Decimal) -> String {
    match fraction.checked_mul(Decimal::ONE_HUNDRED) {
        Some(percent) => format!("{}%", percent.normalize()),
        None => fraction.to_string(),
    }
}

/// Serial numbers beyond the calendar would be cut to its last day.
fn is_day(moment: &ExcelDateTime) -> bool {
    moment.is_datetime() && (1.0..2_958_466.0).contains(&moment.as_f64())
}

/// A whole day, or the moment as text: a time of day is never dropped in silence.
fn day(moment: &ExcelDateTime) -> Cell {
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    let date = i16::try_from(year)
        .ok()
        .zip(i8::try_from(month).ok())
        .zip(i8::try_from(day).ok())
        .and_then(|((year, month), day)| calendar::date(year, month, day).ok());
    match (date, (hour, minute, second, milli)) {
        (Some(date), (0, 0, 0, 0)) if date >= FIRST_SOUND_DAY => Cell::Date(date),
        _ => Cell::Text(format!(
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        )),
    }
}

/// Spreadsheets count a 29 February 1900 that never was, and show days before it
/// one off.
const FIRST_SOUND_DAY: Date = date(1900, 3, 1);

fn iso_day(text: &str) -> Cell {
    let (day, time) = text.split_once('T').unwrap_or((text, ""));
    let midnight = time.bytes().all(|b| matches!(b, b'0' | b':' | b'.' | b'Z'));
    match day.parse() {
        Ok(day) if midnight => Cell::Date(day),
        _ => Cell::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests;
