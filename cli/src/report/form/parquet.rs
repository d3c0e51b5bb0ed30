//! Typed columns for `DuckDB` and pandas: amounts `DECIMAL(18,2)` in yuan, dates
//! `DATE`, names and texts dictionary-encoded strings. The cover is in the
//! file's own key-value metadata.

use std::{fs::File, sync::Arc};

use luzhang_projections::report::{Cell, Column, Kind};
use parquet::{
    basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::Type,
};
use serde_json::{Map, Value};

use super::{Foot, Head};
use crate::failure::Failure;

/// Rows of a row group: so many are held at a time.
const GROUP: usize = 32_768;

/// Where the cover is in the file's metadata.
pub(in crate::report) const COVER: &str = "luzhang.cover";

/// The days of the common era before 1970-01-01.
const EPOCH: jiff::civil::Date = jiff::civil::Date::constant(1970, 1, 1);

/// The cells of one column of a row group.
enum Cells {
    Text(Vec<ByteArray>),
    Long(Vec<i64>),
    Day(Vec<i32>),
}

struct Buffer {
    cells: Cells,
    /// 1 of a cell, 0 of nothing.
    present: Vec<i16>,
}

pub(super) struct Writer {
    file: SerializedFileWriter<File>,
    buffers: Vec<Buffer>,
}

fn failed(error: ParquetError) -> Failure {
    anyhow::Error::from(error).into()
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let name = column.id.strip_suffix("_fen").unwrap_or(column.id);
    let (physical, logical) = match column.kind {
        Kind::Text | Kind::Name | Kind::Hash | Kind::Subject => {
            (Physical::BYTE_ARRAY, Some(LogicalType::String))
        }
        Kind::Fen => (Physical::INT64, Some(LogicalType::decimal(2, 18))),
        Kind::Count | Kind::Number | Kind::Rate { .. } => (Physical::INT64, None),
        Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
    };
    let builder = Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_converted_type(ConvertedType::NONE)
        .with_logical_type(logical);
    if column.kind == Kind::Fen {
        builder.with_precision(18).with_scale(2).build()
    } else {
        builder.build()
    }
}

impl Writer {
    pub(super) fn new(head: &Head, file: File) -> Result<Self, Failure> {
        let fields: Result<Vec<_>, _> = head
            .columns
            .iter()
            .map(|column| field(column).map(Arc::new))
            .collect();
        let schema = Type::group_type_builder(head.report.as_str())
            .with_fields(fields.map_err(failed)?)
            .build()
            .map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("luzhang".to_owned())
            .build();
        let file = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties));
        let buffers = head.columns.iter().map(|column| Buffer {
            cells: match column.kind {
                Kind::Text | Kind::Name | Kind::Hash | Kind::Subject => Cells::Text(Vec::new()),
                Kind::Fen | Kind::Count | Kind::Number | Kind::Rate { .. } => {
                    Cells::Long(Vec::new())
                }
                Kind::Date => Cells::Day(Vec::new()),
            },
            present: Vec::new(),
        });
        Ok(Self {
            file: file.map_err(failed)?,
            buffers: buffers.collect(),
        })
    }

    fn group(&mut self) -> Result<(), ParquetError> {
        if self.buffers.iter().all(|buffer| buffer.present.is_empty()) {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for buffer in &mut self.buffers {
            let Some(mut column) = group.next_column()? else {
                break;
            };
            buffer.write(&mut column)?;
            column.close()?;
        }
        group.close()?;
        Ok(())
    }
}

impl Buffer {
    fn push(&mut self, cell: &Cell) {
        let present = match (&mut self.cells, cell) {
            (Cells::Text(cells), Cell::Text(text)) => {
                cells.push(ByteArray::from(text.as_str()));
                true
            }
            (Cells::Text(cells), Cell::Name(name)) => {
                cells.push(ByteArray::from(name.id.as_str()));
                true
            }
            (Cells::Text(cells), Cell::Hash(hash)) => {
                cells.push(ByteArray::from(&*hash.to_string()));
                true
            }
            (Cells::Text(cells), Cell::Subject(subject)) => {
                cells.push(ByteArray::from(&*subject.to_string()));
                true
            }
            (Cells::Long(cells), Cell::Fen(n) | Cell::Count(n) | Cell::Rate(n)) => {
                cells.push(*n);
                true
            }
            (Cells::Day(cells), Cell::Date(date)) => {
                let days = (*date - EPOCH).get_days();
                cells.push(days);
                true
            }
            // Nothing; a cell of another kind than its column's there is none.
            (Cells::Text(_) | Cells::Long(_) | Cells::Day(_), _) => false,
        };
        self.present.push(present.into());
    }

    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let present = Some(&*self.present);
        match &mut self.cells {
            Cells::Text(cells) => {
                let writer = column.typed::<ByteArrayType>();
                writer.write_batch(cells, present, None)?;
                cells.clear();
            }
            Cells::Long(cells) => {
                column
                    .typed::<Int64Type>()
                    .write_batch(cells, present, None)?;
                cells.clear();
            }
            Cells::Day(cells) => {
                column
                    .typed::<Int32Type>()
                    .write_batch(cells, present, None)?;
                cells.clear();
            }
        }
        self.present.clear();
        Ok(())
    }
}

impl super::Writer for Writer {
    fn row(&mut self, row: &[Cell]) -> Result<(), Failure> {
        for (buffer, cell) in self.buffers.iter_mut().zip(row) {
            buffer.push(cell);
        }
        let full = self
            .buffers
            .first()
            .is_some_and(|buffer| buffer.present.len() >= GROUP);
        if full {
            self.group().map_err(failed)?;
        }
        Ok(())
    }

    fn end(mut self: Box<Self>, foot: &Foot<'_>) -> Result<(), Failure> {
        self.group().map_err(failed)?;
        let pairs = foot.pairs.iter();
        let pairs = pairs.map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())));
        let cover = Value::Object(pairs.collect::<Map<_, _>>()).to_string();
        self.file
            .append_key_value_metadata(KeyValue::new(COVER.to_owned(), cover));
        self.file.close().map_err(failed)?;
        Ok(())
    }
}
