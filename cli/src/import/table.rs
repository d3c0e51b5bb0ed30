//! A file of rows: CSV or XLSX, told apart by content.

mod text;
mod workbook;

use std::{fmt, fs::File, io, io::Read, path::Path};

use thiserror::Error;

use super::cell::{Cell, trim};

/// The largest file that is read, in bytes: 64 MiB.
pub(crate) const MAX_BYTES: u64 = 64 << 20;
/// The most rows, the header included: what a worksheet can hold, so that every
/// table can go back to the clerk as one.
pub(crate) const MAX_ROWS: u32 = 1_048_576;
/// The most columns. The widest template has 13.
pub(crate) const MAX_COLUMNS: usize = 256;
/// The most cells of a workbook that hold something: 20 columns of all rows.
const MAX_CELLS: usize = 20 << 20;
/// The most bytes that a workbook may unfold to: 1 GiB.
const MAX_UNFOLDED: u64 = 1 << 30;

/// A table as the file holds it: the header and the rows under it.
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Row>,
    sheet: Option<String>,
    unread_sheets: Vec<String>,
}

/// One row that is not empty.
pub(crate) struct Row {
    number: u32,
    cells: Vec<Cell>,
}

/// Why a file is not a table.
#[derive(Debug, Error)]
pub(crate) enum TableError {
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("the file is empty; its first row must be the header of a template")]
    Empty,
    #[error("the file is too large ({0}); split it into several files")]
    TooLarge(Excess),
    #[error(
        "the text is neither UTF-8 nor GB18030; save it from the spreadsheet as \
         \"CSV UTF-8\" or as XLSX"
    )]
    Encoding,
    #[error("the file cannot be read as a table: {0}")]
    Unreadable(Damage),
    #[error(
        "a quotation mark in row {row} is opened but never closed, which swallows all rows \
         after it; remove or close it (row 0 is the header)"
    )]
    Quotes { row: u32 },
}

/// What there is too much of.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Excess {
    #[error("more than 64 MiB")]
    Bytes,
    #[error("a workbook that unfolds to more than 1 GiB")]
    Unfolded,
    #[error("more than 1,048,576 rows, the header included")]
    Rows,
    #[error("a line of more than 2 MiB")]
    Line,
    #[error("more than 256 columns")]
    Columns,
    #[error("more than 20,971,520 cells")]
    Cells,
}

/// What makes a file unreadable.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Damage {
    #[error("it is neither text nor an XLSX workbook; save it as XLSX or CSV")]
    Binary,
    #[error(
        "it is an old workbook (XLS) or one with a password; save it as XLSX without a \
         password, or as CSV"
    )]
    OldWorkbook,
    #[error(
        "it is not a sound XLSX workbook; open it in the spreadsheet and save it as XLSX again"
    )]
    Workbook,
    #[error(
        "sheet number {sheet} of the workbook is damaged, or a formula in it has failed, in row \
         {line} or after it; open it in the spreadsheet, correct it and save it as XLSX again"
    )]
    Sheet {
        /// Counts from 1.
        sheet: usize,
        /// As the spreadsheet counts: the first line is 1.
        line: u32,
    },
}

impl Table {
    /// Reads CSV (UTF-8 with or without BOM, or GB18030) or XLSX, whatever the
    /// file is called.
    pub(crate) fn read(path: &Path) -> Result<Self, TableError> {
        let file = File::open(path)?;
        // Before the first byte is read; a pipe has no length and is cut below.
        if file.metadata()?.len() > MAX_BYTES {
            return Err(TableError::TooLarge(Excess::Bytes));
        }
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Self::from_bytes(bytes)
    }

    /// As [`Table::read`], from the content of a file.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Result<Self, TableError> {
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
            return Err(TableError::TooLarge(Excess::Bytes));
        }
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            workbook::parse(bytes)
        } else if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
            Err(TableError::Unreadable(Damage::OldWorkbook))
        } else {
            text::parse(&text::decode(&bytes)?)
        }
    }

    /// The names of the columns, as written. A column may have no name.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The rows that are not empty, in the order of the file.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The sheet that was read; `None` if the file is text.
    pub(crate) fn sheet(&self) -> Option<&str> {
        self.sheet.as_deref()
    }

    /// Further sheets that hold something and were not read.
    pub(crate) fn unread_sheets(&self) -> &[String] {
        &self.unread_sheets
    }
}

impl Row {
    /// 1 is the first row under the header; empty rows count.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The cells. In a text file there may be fewer or more than columns.
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }
}

impl TableError {
    /// The stable reason code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "FILE_IO",
            Self::Empty => "FILE_EMPTY",
            Self::TooLarge(_) => "FILE_TOO_LARGE",
            Self::Encoding => "FILE_ENCODING",
            Self::Unreadable(_) => "FILE_UNREADABLE",
            Self::Quotes { .. } => "FILE_QUOTES",
        }
    }

    /// The message in Chinese.
    pub(crate) fn zh(&self) -> String {
        match self {
            Self::Io(error) => format!("无法读取文件：{error}"),
            Self::Empty => "文件是空的，第一行应为模板表头".to_owned(),
            Self::TooLarge(excess) => format!("文件过大（{}），请拆成几个文件", excess.zh()),
            Self::Encoding => {
                "文字编码既不是 UTF-8 也不是 GB18030，请在表格软件中另存为“CSV UTF-8”或 XLSX"
                    .to_owned()
            }
            Self::Unreadable(damage) => format!("文件不能作为表格读取：{}", damage.zh()),
            Self::Quotes { row } => format!(
                "第 {row} 行的引号没有闭合，其后各行都被并入该行，请删除或补全引号（第 0 行为表头）"
            ),
        }
    }
}

impl Excess {
    fn zh(self) -> &'static str {
        match self {
            Self::Bytes => "超过 64 MiB",
            Self::Unfolded => "工作簿解压后超过 1 GiB",
            Self::Rows => "连表头超过 1048576 行",
            Self::Line => "一行超过 2 MiB",
            Self::Columns => "超过 256 列",
            Self::Cells => "超过 20971520 个单元格",
        }
    }
}

impl Damage {
    fn zh(self) -> String {
        match self {
            Self::Binary => "既不是文本也不是 XLSX 工作簿，请另存为 XLSX 或 CSV".to_owned(),
            Self::OldWorkbook => {
                "是旧版工作簿（XLS）或设有密码，请另存为不带密码的 XLSX 或 CSV".to_owned()
            }
            Self::Workbook => {
                "不是完好的 XLSX 工作簿，请用表格软件打开后重新另存为 XLSX".to_owned()
            }
            Self::Sheet { sheet, line } => format!(
                "工作簿第 {sheet} 张工作表在第 {line} 行或其后损坏，或有公式出错，\
                 请用表格软件打开、改正后重新另存为 XLSX"
            ),
        }
    }
}

impl fmt::Debug for Table {
    /// The size alone: the content is names and identity numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("columns", &self.header.len())
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("number", &self.number)
            .field("cells", &self.cells)
            .finish()
    }
}

/// Takes the lines of a file one after the other: the first that is not empty is
/// the header, and the others are numbered by their distance from it.
struct Lines {
    header: Option<(u32, Vec<String>)>,
    rows: Vec<Row>,
}

impl Lines {
    fn new() -> Self {
        Self {
            header: None,
            rows: Vec::new(),
        }
    }

    /// `line` counts from 0 and only grows.
    fn push(&mut self, line: u32, mut cells: Vec<Cell>) -> Result<(), TableError> {
        if cells.iter().all(Cell::is_blank) {
            return Ok(());
        }
        let Some((first, _)) = self.header else {
            let names = cells.iter().map(|cell| trim(&cell.display()).to_owned());
            self.header = Some((line, names.collect()));
            return Ok(());
        };
        let number = line.saturating_sub(first);
        if number >= MAX_ROWS {
            return Err(TableError::TooLarge(Excess::Rows));
        }
        cells.shrink_to_fit();
        self.rows.push(Row { number, cells });
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.header.is_none()
    }

    fn into_table(self) -> Result<Table, TableError> {
        let (_, header) = self.header.ok_or(TableError::Empty)?;
        Ok(Table {
            header,
            rows: self.rows,
            sheet: None,
            unread_sheets: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests;
