//! For people, on a terminal.

use std::{fs::File, io::Write as _};

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use luzhang_projections::report::{Cell, Kind};

use super::{Foot, Head, words};
use crate::{failure::Failure, output::visible};

/// Longer tables are for files: a terminal shows this many rows.
const SHOWN: usize = 1_000;

pub(super) struct Writer {
    head: Head,
    file: File,
    table: Table,
    rows: usize,
}

impl Writer {
    pub(super) fn new(head: Head, file: File) -> Self {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        let titles = head
            .columns
            .iter()
            .map(|c| head.lang.pick(c.title.zh, c.title.en));
        table.set_header(titles);
        for (place, column) in head.columns.iter().enumerate() {
            let right = matches!(
                column.kind,
                Kind::Fen | Kind::Count | Kind::Number | Kind::Rate { .. }
            );
            if let Some(column) = table.column_mut(place).filter(|_| right) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self {
            head,
            file,
            table,
            rows: 0,
        }
    }

    fn text(&self, cell: &Cell) -> String {
        match cell {
            Cell::Fen(fen) => words::grouped(*fen),
            // What is checked on a screen is compared elsewhere.
            Cell::Hash(hash) => hash.to_string().chars().take(12).collect(),
            Cell::Subject(subject) => subject.to_string().chars().take(8).collect(),
            Cell::Empty
            | Cell::Text(_)
            | Cell::Name(_)
            | Cell::Count(_)
            | Cell::Date(_)
            | Cell::Rate(_) => visible(&words::words(cell, self.head.lang)).into_owned(),
        }
    }
}

impl super::Writer for Writer {
    fn row(&mut self, row: &[Cell]) -> Result<(), Failure> {
        self.rows += 1;
        if self.rows <= SHOWN {
            let cells: Vec<String> = row.iter().map(|cell| self.text(cell)).collect();
            self.table.add_row(cells);
        }
        Ok(())
    }

    fn end(mut self: Box<Self>, foot: &Foot<'_>) -> Result<(), Failure> {
        let lang = self.head.lang;
        let title = self.head.report.title();
        writeln!(self.file, "{}", lang.pick(title.zh, title.en))?;
        if foot.cover.totals.iter().any(|cell| *cell != Cell::Empty) {
            let totals = foot.cover.totals.iter().map(|cell| self.text(cell));
            let mut totals: Vec<String> = totals.collect();
            if let Some(first) = totals.first_mut().filter(|first| first.is_empty()) {
                lang.pick("合计", "Total").clone_into(first);
            }
            self.table.add_row(totals);
        }
        writeln!(self.file, "{}", self.table)?;
        if let Some(more) = self.rows.checked_sub(SHOWN).filter(|more| *more > 0) {
            let line = match lang {
                crate::lang::Lang::Zh => {
                    format!("另有 {more} 行未显示，请用 --out FILE.xlsx 或 -o csv 导出全部")
                }
                crate::lang::Lang::En => {
                    format!("{more} more rows; write them all with --out FILE.xlsx or -o csv")
                }
            };
            writeln!(self.file, "{line}")?;
        }
        for (key, value) in &foot.pairs {
            writeln!(self.file, "  {key}: {value}")?;
        }
        Ok(())
    }
}
