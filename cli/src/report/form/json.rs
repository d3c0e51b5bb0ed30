//! For programs: stable names, amounts in fen, names by their ids.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
};

use luzhang_projections::report::{Cell, Column};
use serde_json::{Map, Value, json};

use super::{Foot, Head};
use crate::failure::Failure;

pub(super) struct Writer {
    head: Head,
    file: BufWriter<File>,
    document: bool,
    rows: u64,
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Empty => Value::Null,
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Name(name) => Value::from(name.id.as_str()),
        Cell::Fen(number) | Cell::Count(number) | Cell::Rate(number) => Value::from(*number),
        Cell::Date(date) => Value::from(date.to_string()),
        Cell::Hash(hash) => Value::from(hash.to_string()),
        Cell::Subject(subject) => Value::from(subject.to_string()),
    }
}

fn object(columns: &[Column], row: &[Cell]) -> Value {
    let members = columns.iter().zip(row);
    let members = members.map(|(column, cell)| (column.id.to_owned(), value(cell)));
    Value::Object(members.collect())
}

impl Writer {
    pub(super) fn document(head: Head, file: File) -> Result<Self, Failure> {
        let mut file = BufWriter::new(file);
        let columns: Vec<&str> = head.columns.iter().map(|column| column.id).collect();
        write!(
            file,
            "{{\"schema_version\":1,\"report\":{},\"columns\":{},\"rows\":[",
            json!(head.report.as_str()),
            json!(columns),
        )?;
        Ok(Self {
            head,
            file,
            document: true,
            rows: 0,
        })
    }

    pub(super) fn lines(head: Head, file: File) -> Self {
        Self {
            head,
            file: BufWriter::new(file),
            document: false,
            rows: 0,
        }
    }
}

impl super::Writer for Writer {
    fn row(&mut self, row: &[Cell]) -> Result<(), Failure> {
        let object = object(&self.head.columns, row);
        if self.document {
            let comma = if self.rows == 0 { "" } else { "," };
            write!(self.file, "{comma}\n{object}")?;
        } else {
            writeln!(self.file, "{object}")?;
        }
        self.rows += 1;
        Ok(())
    }

    fn end(mut self: Box<Self>, foot: &Foot<'_>) -> Result<(), Failure> {
        let pairs = foot.pairs.iter();
        let pairs = pairs.map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())));
        let cover = Value::Object(pairs.collect());
        if self.document {
            let cells = self.head.columns.iter().zip(&foot.cover.totals);
            let sums = cells.filter(|(_, cell)| **cell != Cell::Empty);
            let sums: Map<String, Value> = sums
                .map(|(column, cell)| (column.id.to_owned(), value(cell)))
                .collect();
            let totals = Value::Object(sums);
            writeln!(self.file, "\n],\"totals\":{totals},\"cover\":{cover}}}")?;
        } else {
            // The last line, and the only one of its kind.
            writeln!(self.file, "{}", json!({ "cover": cover }))?;
        }
        self.file.flush()?;
        Ok(())
    }
}
