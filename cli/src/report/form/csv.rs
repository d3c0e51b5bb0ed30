//! For spreadsheets: UTF-8 with a byte order mark, so that Excel reads Chinese;
//! amounts in yuan; a text that would be taken for a formula begins with an
//! apostrophe. The cover is the last line, a comment.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
};

use luzhang_projections::report::Cell;

use super::{Foot, Head, words};
use crate::{failure::Failure, lang::Lang};

/// What the last line begins with.
pub(in crate::report) const COVER: &str = "# luzhang ";

pub(super) struct Writer {
    lang: Lang,
    csv: csv::Writer<BufWriter<File>>,
}

fn failed(error: csv::Error) -> Failure {
    anyhow::Error::from(error).into()
}

impl Writer {
    pub(super) fn new(head: &Head, file: File) -> Result<Self, Failure> {
        let mut file = BufWriter::new(file);
        file.write_all("\u{FEFF}".as_bytes())?;
        let mut csv = csv::Writer::from_writer(file);
        let titles = head.columns.iter();
        let titles = titles.map(|column| head.lang.pick(column.title.zh, column.title.en));
        csv.write_record(titles).map_err(failed)?;
        Ok(Self {
            lang: head.lang,
            csv,
        })
    }
}

/// A spreadsheet does not take it for a formula, in full width neither.
fn escaped(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text
    }
}

impl super::Writer for Writer {
    fn row(&mut self, row: &[Cell]) -> Result<(), Failure> {
        for cell in row {
            let text = words::words(cell, self.lang);
            let is_text = matches!(cell, Cell::Text(_) | Cell::Name(_));
            let text = if is_text { escaped(text) } else { text };
            self.csv.write_field(text).map_err(failed)?;
        }
        self.csv.write_record(None::<&[u8]>).map_err(failed)
    }

    fn end(self: Box<Self>, foot: &Foot<'_>) -> Result<(), Failure> {
        let mut file = self
            .csv
            .into_inner()
            .map_err(|e| anyhow::Error::from(e.into_error()))?;
        let pairs = foot.pairs.iter();
        let pairs: Vec<String> = pairs
            .map(|(key, value)| format!("{key}={}", encoded(value)))
            .collect();
        // No comma and no quote: one cell for a spreadsheet, one line for others.
        writeln!(file, "{COVER}{}", pairs.join(" "))?;
        file.flush()?;
        Ok(())
    }
}

/// Percent-encoded where it would end a pair, a cell or a line.
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '%' => text.push_str("%25"),
            ' ' => text.push_str("%20"),
            ',' => text.push_str("%2C"),
            '"' => text.push_str("%22"),
            '\n' => text.push_str("%0A"),
            '\r' => text.push_str("%0D"),
            c => text.push(c),
        }
    }
    text
}

/// What [`encoded`] wrote.
pub(in crate::report) fn decoded(text: &str) -> String {
    let mut value = text.to_owned();
    for (code, c) in [
        ("%20", " "),
        ("%2C", ","),
        ("%22", "\""),
        ("%0A", "\n"),
        ("%0D", "\r"),
        ("%25", "%"),
    ] {
        value = value.replace(code, c);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        for value in [
            "",
            "a b",
            "100%",
            "%20",
            "a,b\"c\n",
            "川财〔2024〕1号",
            "%2520",
        ] {
            let text = encoded(value);
            assert!(!text.contains([' ', ',', '"', '\n']), "{text}");
            assert_eq!(decoded(&text), value);
        }
    }

    #[test]
    fn formulas_stay_texts() {
        assert_eq!(escaped("=1+1".to_owned()), "'=1+1");
        assert_eq!(escaped("@SUM".to_owned()), "'@SUM");
        assert_eq!(escaped("＝1+1".to_owned()), "'＝1+1");
        assert_eq!(escaped("\t=1".to_owned()), "'\t=1");
        assert_eq!(escaped("某".to_owned()), "某");
    }
}
