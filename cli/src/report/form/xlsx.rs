//! A workbook for a bureau: title, unit, frozen header, totals, print set-up, a
//! cover sheet, and a chart where one helps. Rows go to disk as they come
//! (constant memory); numbers of claims, persons and documents are texts.

use std::{collections::BTreeMap, fs::File, io::BufWriter};

use jiff::{Timestamp, tz::Offset};
use luzhang_projections::report::{Cell, Column, Kind, Name};
use rust_xlsxwriter::{
    Chart, ChartLegendPosition, ChartType, DocProperties, ExcelDateTime, Format, FormatAlign,
    FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Foot, Head, words};
use crate::{failure::Failure, lang::Lang, report::cover};

/// Rows of data of a sheet; Excel ends at 1,048,576.
const SHEET: u32 = 1_000_000;
/// Title, subtitle, column titles.
const HEADER: u32 = 3;
/// Paper sizes, as Excel numbers them.
const A3: u8 = 8;
const A4: u8 = 9;

pub(in crate::report) struct Writer {
    head: Head,
    file: BufWriter<File>,
    book: Workbook,
    formats: Formats,
    /// Sheets of data so far.
    sheets: usize,
    /// Rows on the newest of them.
    rows: u32,
    /// The most rows of a sheet.
    most: u32,
    summary: Summary,
}

struct Formats {
    title: Format,
    subtitle: Format,
    header: Format,
    text: Format,
    wrapped: Format,
    shrunk: Format,
    date: Format,
    yuan: Format,
    count: Format,
    number: Format,
    percent: Format,
    total_text: Format,
    total_yuan: Format,
    total_count: Format,
    total_percent: Format,
}

fn failed(error: XlsxError) -> Failure {
    anyhow::Error::from(error).into()
}

impl Formats {
    fn new() -> Self {
        let cell = || {
            Format::new()
                .set_font_name("SimSun")
                .set_font_size(10)
                .set_border(FormatBorder::Thin)
                .set_align(FormatAlign::VerticalCenter)
        };
        let total = || cell().set_bold().set_background_color("F2F2F2");
        let bare = || Format::new().set_font_name("SimSun");
        Self {
            title: bare()
                .set_font_name("SimHei")
                .set_font_size(16)
                .set_bold()
                .set_align(FormatAlign::Center)
                .set_align(FormatAlign::VerticalCenter),
            subtitle: bare().set_font_size(10),
            header: cell()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Center)
                .set_background_color("DDEBF7"),
            text: cell().set_num_format("@"),
            wrapped: cell().set_num_format("@").set_text_wrap(),
            shrunk: cell().set_num_format("@").set_shrink(),
            date: cell()
                .set_num_format("yyyy-mm-dd")
                .set_align(FormatAlign::Center),
            yuan: cell().set_num_format("#,##0.00"),
            count: cell().set_num_format("#,##0"),
            number: cell().set_num_format("0").set_align(FormatAlign::Center),
            percent: cell().set_num_format("0.00%"),
            total_text: total(),
            total_yuan: total().set_num_format("#,##0.00"),
            total_count: total().set_num_format("#,##0"),
            total_percent: total().set_num_format("0.00%"),
        }
    }
}

/// Characters wide; a Chinese one is two.
fn width(column: &Column) -> u8 {
    match (column.id, column.kind) {
        ("dates" | "title" | "reason", _) => 26,
        ("programme", _) => 24,
        ("name" | "identity" | "account" | "fund" | "kind" | "code", _) => 22,
        ("document", _) => 18,
        ("year" | "seq" | "attempt" | "measure", _) => 6,
        (_, Kind::Text | Kind::Fen) => 14,
        (_, Kind::Date) => 11,
        (_, Kind::Name) => 10,
        (_, Kind::Count | Kind::Number | Kind::Rate { .. }) => 9,
        (_, Kind::Hash) => 66,
        (_, Kind::Subject) => 34,
    }
}

/// The height of a line, in points.
const LINE: u32 = 14;

/// How many lines a text takes in its column. What is for machines stays on one.
fn lines_of(text: &str, column: &Column) -> u32 {
    if !matches!(column.kind, Kind::Text | Kind::Name) {
        return 1;
    }
    let wide: u32 = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    wide.div_ceil(u32::from(width(column)).saturating_sub(1).max(1))
        .clamp(1, 8)
}

/// Wider tables are for larger paper: on A4 they would be too small to read.
const A4_WIDTH: u32 = 150;

fn paper(columns: &[Column]) -> u8 {
    let printed = columns.iter().take(usize::from(printed(columns)) + 1);
    let sum: u32 = printed.map(|column| u32::from(width(column))).sum();
    if sum > A4_WIDTH { A3 } else { A4 }
}

/// What is for machines only is not printed: it stands in the last columns.
fn printed(columns: &[Column]) -> u16 {
    let machine = |column: &Column| matches!(column.kind, Kind::Hash | Kind::Subject);
    let tail = columns.iter().rev().take_while(|c| machine(c)).count();
    let printed = columns.len().saturating_sub(tail).saturating_sub(1);
    u16::try_from(printed).unwrap_or(u16::MAX)
}

/// A column's place.
fn place(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

/// The number that the decimal text names: what Excel stores is the nearest
/// binary one, and shows the same decimals.
fn exact(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

impl Writer {
    pub(super) fn new(head: Head, file: File) -> Result<Self, Failure> {
        Self::with_sheets_of(SHEET, head, file)
    }

    fn with_sheets_of(most: u32, head: Head, file: File) -> Result<Self, Failure> {
        let mut writer = Self {
            summary: Summary::new(&head),
            head,
            file: BufWriter::new(file),
            book: Workbook::new(),
            formats: Formats::new(),
            sheets: 0,
            rows: 0,
            most,
        };
        writer.sheet().map_err(failed)?;
        Ok(writer)
    }

    /// What sheets are called: at most 31 characters.
    fn name(&self, number: usize) -> String {
        let name = match self.head.lang {
            Lang::Zh => self.head.report.title().zh.to_owned(),
            Lang::En => self.head.report.as_str().to_owned(),
        };
        if number == 1 {
            name
        } else {
            format!("{name} {number}")
        }
    }

    /// Another sheet of data.
    fn sheet(&mut self) -> Result<(), XlsxError> {
        self.sheets += 1;
        self.rows = 0;
        let name = self.name(self.sheets);
        let lang = self.head.lang;
        let title = self.head.report.title();
        let title = lang.pick(title.zh, title.en);
        let last = printed(&self.head.columns);
        let paper = paper(&self.head.columns);
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        print_setup(sheet, title, lang, paper);
        for (at, column) in self.head.columns.iter().enumerate() {
            sheet.set_column_width(place(at), width(column))?;
        }
        sheet.set_row_height(0, 30)?;
        if last > 0 {
            sheet.merge_range(0, 0, 0, last, title, &self.formats.title)?;
        } else {
            sheet.write_with_format(0, 0, title, &self.formats.title)?;
        }
        if self
            .head
            .columns
            .iter()
            .any(|column| column.kind == Kind::Fen)
        {
            let unit = lang.pick("单位：元", "Amounts in yuan (CNY)");
            sheet.write_with_format(1, 0, unit, &self.formats.subtitle)?;
        }
        sheet.set_row_height(2, 30)?;
        for (at, column) in self.head.columns.iter().enumerate() {
            let title = lang.pick(column.title.zh, column.title.en);
            sheet.write_with_format(2, place(at), title, &self.formats.header)?;
        }
        sheet.set_freeze_panes(HEADER, 0)?;
        sheet.set_repeat_rows(2, 2)?;
        Ok(())
    }

    fn write(&mut self, row: &[Cell]) -> Result<(), XlsxError> {
        if self.rows == self.most {
            self.sheet()?;
        }
        let at = HEADER + self.rows;
        self.rows += 1;
        let lang = self.head.lang;
        let f = &self.formats;
        let sheet = self.book.worksheet_from_index(self.sheets - 1)?;
        // What is wrapped needs a row of its height: nothing measures it later. The
        // library remembers every height, so that a report that may have a
        // million rows shrinks its long names instead.
        if !self.head.report.is_long() {
            let of_cell = |(cell, column)| lines_of(&words::words(cell, lang), column);
            let lines = row.iter().zip(&self.head.columns).map(of_cell).max();
            if let Some(lines) = lines.filter(|lines| *lines > 1) {
                sheet.set_row_height(at, lines * LINE)?;
            }
        }
        for (to, (cell, column)) in row.iter().zip(&self.head.columns).enumerate() {
            let to = place(to);
            match cell {
                Cell::Empty => {
                    let format = if column.kind == Kind::Fen {
                        &f.yuan
                    } else {
                        &f.text
                    };
                    sheet.write_blank(at, to, format)?;
                }
                Cell::Text(_) | Cell::Name(_) | Cell::Hash(_) | Cell::Subject(_) => {
                    let text = words::words(cell, lang);
                    let format = match lines_of(&text, column) {
                        1 => &f.text,
                        _ if self.head.report.is_long() => &f.shrunk,
                        _ => &f.wrapped,
                    };
                    sheet.write_string_with_format(at, to, text, format)?;
                }
                Cell::Fen(fen) => {
                    let yuan = exact(&words::yuan(*fen));
                    sheet.write_number_with_format(at, to, yuan, &f.yuan)?;
                }
                Cell::Count(number) => {
                    let format = if column.kind == Kind::Count {
                        &f.count
                    } else {
                        &f.number
                    };
                    let number = exact(&number.to_string());
                    sheet.write_number_with_format(at, to, number, format)?;
                }
                Cell::Date(date) => {
                    let day = excel(*date)?;
                    sheet.write_datetime_with_format(at, to, &day, &f.date)?;
                }
                Cell::Rate(points) => {
                    let share = share(*points);
                    sheet.write_number_with_format(at, to, share, &f.percent)?;
                }
            }
        }
        Ok(())
    }

    fn totals(&mut self, foot: &Foot<'_>) -> Result<(), XlsxError> {
        let lang = self.head.lang;
        let totals = &foot.cover.totals;
        let mut at = HEADER + self.rows;
        let f = &self.formats;
        let last = printed(&self.head.columns);
        let sheet = self.book.worksheet_from_index(self.sheets - 1)?;
        if totals.iter().any(|cell| *cell != Cell::Empty) {
            for (to, cell) in totals.iter().enumerate() {
                let to = place(to);
                match cell {
                    Cell::Fen(fen) => {
                        let yuan = exact(&words::yuan(*fen));
                        sheet.write_number_with_format(at, to, yuan, &f.total_yuan)?;
                    }
                    Cell::Count(number) => {
                        let number = exact(&number.to_string());
                        sheet.write_number_with_format(at, to, number, &f.total_count)?;
                    }
                    Cell::Rate(points) => {
                        let share = share(*points);
                        sheet.write_number_with_format(at, to, share, &f.total_percent)?;
                    }
                    Cell::Empty
                    | Cell::Text(_)
                    | Cell::Name(_)
                    | Cell::Date(_)
                    | Cell::Hash(_)
                    | Cell::Subject(_)
                        if to == 0 =>
                    {
                        let word = lang.pick("合计", "Total");
                        sheet.write_with_format(at, to, word, &f.total_text)?;
                    }
                    Cell::Empty
                    | Cell::Text(_)
                    | Cell::Name(_)
                    | Cell::Date(_)
                    | Cell::Hash(_)
                    | Cell::Subject(_) => {
                        sheet.write_blank(at, to, &f.total_text)?;
                    }
                }
            }
            at += 1;
        }
        let position = foot
            .cover
            .position
            .map_or(0, luzhang_ledger::Position::number);
        let head = foot
            .cover
            .head
            .map_or(String::new(), |head| head.to_string());
        let short: String = head.chars().take(16).collect();
        let day = luzhang_projections::journal::day_of(foot.cover.recorded_at);
        let line = match lang {
            Lang::Zh => format!(
                "数据截至账本位置 {position}（{day} 入账），共 {} 行；链头 {short}…，完整信息见“说明”表。",
                foot.cover.rows
            ),
            Lang::En => format!(
                "As of ledger position {position} (recorded {day}), {} rows; chain head {short}…; see the sheet \"cover\".",
                foot.cover.rows
            ),
        };
        sheet.write_with_format(at, 0, line, &f.subtitle)?;
        sheet.set_print_area(0, 0, at, last)?;
        Ok(())
    }

    fn cover(&mut self, foot: &Foot<'_>) -> Result<(), XlsxError> {
        let lang = self.head.lang;
        let f = &self.formats;
        let title = lang.pick("报表说明", "Cover");
        let sheet = self.book.add_worksheet();
        sheet.set_name(lang.pick("说明", "cover"))?;
        print_setup(sheet, title, lang, A4);
        sheet.set_column_width(0, 24)?;
        sheet.set_column_width(1, 90)?;
        sheet.set_column_width(2, 14)?;
        sheet.merge_range(0, 0, 0, 2, title, &f.title)?;
        sheet.set_row_height(0, 30)?;
        let titles = [("内容", "What"), ("值", "Value"), ("代码", "Key")];
        for (at, (zh, en)) in titles.into_iter().enumerate() {
            sheet.write_with_format(1, place(at), lang.pick(zh, en), &f.header)?;
        }
        let mut at = 2;
        for (key, value) in &foot.pairs {
            let (zh, en) = cover::label(key);
            sheet.write_with_format(at, 0, lang.pick(zh, en), &f.text)?;
            let value = value.replace(';', ";\n");
            let lines = u32::try_from(value.lines().count()).unwrap_or(1).max(1);
            sheet.set_row_height(at, lines * 15)?;
            sheet.write_string_with_format(at, 1, value, &f.wrapped)?;
            sheet.write_with_format(at, 2, *key, &f.text)?;
            at += 1;
        }
        let how = lang.pick(
            "核对：luzhang report check 本文件 --data-dir 账本目录（或 --file 导出文件），可按以上各项重做本表并逐字节比较。",
            "To check: luzhang report check THIS_FILE --data-dir DIR (or --file EXPORT) makes the report again and compares it byte by byte.",
        );
        sheet.merge_range(at + 1, 0, at + 1, 2, how, &f.subtitle)?;
        sheet.set_print_area(0, 0, at + 1, 2)?;
        Ok(())
    }
}

fn print_setup(sheet: &mut Worksheet, title: &str, lang: Lang, paper: u8) {
    sheet.set_landscape();
    sheet.set_paper_size(paper);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_print_center_horizontally(true);
    sheet.set_margins(0.4, 0.4, 0.6, 0.6, 0.3, 0.3);
    sheet.set_footer(match lang {
        Lang::Zh => format!("&L{title}&R第 &P 页，共 &N 页"),
        Lang::En => format!("&L{title}&RPage &P of &N"),
    });
}

fn excel(date: jiff::civil::Date) -> Result<ExcelDateTime, XlsxError> {
    let year = u16::try_from(date.year()).unwrap_or(0);
    let month = u8::try_from(date.month()).unwrap_or(1);
    ExcelDateTime::from_ymd(year, month, u8::try_from(date.day()).unwrap_or(1))
}

/// Basis points as a share of one.
fn share(points: i64) -> f64 {
    let (whole, rest) = (
        points.unsigned_abs() / 10_000,
        points.unsigned_abs() % 10_000,
    );
    let sign = if points < 0 { "-" } else { "" };
    exact(&format!("{sign}{whole}.{rest:04}"))
}

impl super::Writer for Writer {
    fn row(&mut self, row: &[Cell]) -> Result<(), Failure> {
        self.summary.take(&self.head, row);
        self.write(row).map_err(failed)
    }

    fn end(mut self: Box<Self>, foot: &Foot<'_>) -> Result<(), Failure> {
        self.totals(foot).map_err(failed)?;
        let summary = std::mem::take(&mut self.summary);
        summary
            .write(&mut self.book, &self.head, &self.formats)
            .map_err(failed)?;
        self.cover(foot).map_err(failed)?;
        let at = Timestamp::from_microsecond(foot.cover.recorded_at).unwrap_or_default();
        let at = Offset::UTC.to_datetime(at);
        let made = excel(at.date()).and_then(|day| {
            let part = |n: i8| u8::try_from(n).unwrap_or(0);
            day.and_hms(part(at.hour()).into(), part(at.minute()), part(at.second()))
        });
        // The clock that counts is the ledger's: the same log, the same bytes.
        let title = self.head.report.title();
        let properties = DocProperties::new()
            .set_title(self.head.lang.pick(title.zh, title.en))
            .set_author("luzhang")
            .set_creation_datetime(&made.map_err(failed)?);
        self.book.set_properties(&properties);
        self.book.save_to_writer(&mut self.file).map_err(failed)?;
        std::io::Write::flush(&mut self.file)?;
        Ok(())
    }
}

/// The sums of a chart: of few rows, so that they may be held.
#[derive(Default)]
struct Summary {
    /// By row and series.
    cells: BTreeMap<String, BTreeMap<usize, i64>>,
    /// Titles of the series.
    series: Vec<String>,
}

impl Summary {
    fn new(head: &Head) -> Self {
        let title = |id: &str| {
            let column = head.columns.iter().find(|column| column.id == id);
            column.map(|column| head.lang.pick(column.title.zh, column.title.en).to_owned())
        };
        let series = if head.report == Name::Execution {
            ["appropriated_fen", "committed_fen", "paid_fen"]
                .into_iter()
                .filter_map(title)
                .collect()
        } else {
            Vec::new()
        };
        Self {
            cells: BTreeMap::new(),
            series,
        }
    }

    fn take(&mut self, head: &Head, row: &[Cell]) {
        let cell = |id: &str| {
            let at = head.columns.iter().position(|column| column.id == id)?;
            row.get(at)
        };
        let text = |id: &str| cell(id).map_or(String::new(), |c| words::words(c, head.lang));
        let fen = |id: &str| match cell(id) {
            Some(Cell::Fen(fen)) => *fen,
            _ => 0,
        };
        if head.report == Name::Execution {
            let line = self.cells.entry(text("programme")).or_default();
            let ids = ["appropriated_fen", "committed_fen", "paid_fen"];
            for (series, id) in ids.into_iter().enumerate() {
                let sum = line.entry(series).or_default();
                *sum = sum.saturating_add(fen(id));
            }
        } else if head.report == Name::Pivot {
            let programme = text("programme");
            let known = self.series.iter().position(|series| *series == programme);
            let series = known.unwrap_or_else(|| {
                self.series.push(programme);
                self.series.len() - 1
            });
            // Months sort by their ids, whatever they are called.
            let month = match cell("month") {
                Some(Cell::Name(name)) => name.id.clone(),
                _ => String::new(),
            };
            let line = self.cells.entry(month).or_default();
            let sum = line.entry(series).or_default();
            *sum = sum.saturating_add(fen("committed_fen"));
        }
    }

    /// A sheet with the sums and their chart.
    fn write(self, book: &mut Workbook, head: &Head, f: &Formats) -> Result<(), XlsxError> {
        if self.cells.is_empty() {
            return Ok(());
        }
        let lang = head.lang;
        let pivot = head.report == Name::Pivot;
        let name = lang.pick("图表", "chart");
        let title = if pivot {
            lang.pick("分月分项目核定净额", "Committed by month and programme")
        } else {
            lang.pick("分项目预算执行", "Execution by programme")
        };
        let sheet = book.add_worksheet();
        sheet.set_name(name)?;
        print_setup(sheet, title, lang, A4);
        let last = place(self.series.len());
        sheet.set_column_width(0, 28)?;
        for at in 1..=last {
            sheet.set_column_width(at, 17)?;
        }
        sheet.merge_range(0, 0, 0, last, title, &f.title)?;
        sheet.set_row_height(0, 30)?;
        sheet.write_with_format(1, 0, lang.pick("单位：元", "In yuan (CNY)"), &f.subtitle)?;
        let corner = if pivot {
            lang.pick("月份", "Month")
        } else {
            lang.pick("项目", "Programme")
        };
        sheet.set_row_height(2, 30)?;
        sheet.write_with_format(2, 0, corner, &f.header)?;
        for (at, series) in self.series.iter().enumerate() {
            sheet.write_with_format(2, place(at + 1), series, &f.header)?;
        }
        let mut at = HEADER;
        let mut totals = vec![0_i64; self.series.len()];
        for (line, cells) in &self.cells {
            sheet.write_with_format(at, 0, line, &f.text)?;
            for (series, total) in totals.iter_mut().enumerate() {
                let fen = cells.get(&series).copied().unwrap_or(0);
                *total = total.saturating_add(fen);
                let yuan = exact(&words::yuan(fen));
                sheet.write_number_with_format(at, place(series + 1), yuan, &f.yuan)?;
            }
            at += 1;
        }
        sheet.write_with_format(at, 0, lang.pick("合计", "Total"), &f.total_text)?;
        for (series, total) in totals.iter().enumerate() {
            let yuan = exact(&words::yuan(*total));
            sheet.write_number_with_format(at, place(series + 1), yuan, &f.total_yuan)?;
        }
        let kind = if pivot {
            ChartType::ColumnStacked
        } else {
            ChartType::Column
        };
        let mut chart = Chart::new(kind);
        for series in 0..self.series.len() {
            let column = place(series + 1);
            chart
                .add_series()
                .set_name((name, 2, column))
                .set_categories((name, HEADER, 0, at - 1, 0))
                .set_values((name, HEADER, column, at - 1, column));
        }
        chart.title().set_name(title);
        chart.y_axis().set_name(lang.pick("元", "CNY"));
        chart.y_axis().set_num_format("#,##0");
        chart.legend().set_position(ChartLegendPosition::Bottom);
        chart.set_width(960).set_height(420);
        sheet.insert_chart(at + 2, 0, &chart)?;
        Ok(())
    }
}
