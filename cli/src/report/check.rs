//! Makes a report again from its own cover, and says same or where it differs.

use std::{
    fs::{self, File},
    io::{BufReader, Read as _, Seek as _},
    path::Path,
};

use calamine::{Data, Reader as _};
use luzhang_projections::report::Name;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

use super::{
    Form,
    cover::{self, Names},
    form,
};
use crate::{args::Global, failure::Failure, source::Source};

/// What a check found.
#[derive(Debug)]
pub(crate) enum Found {
    /// Byte for byte.
    Same,
    /// All but names and numbers of persons, for there are no keys here.
    SameButNames,
    /// Something else than the log says.
    Differs(Difference),
}

/// Where a report and the log part.
#[derive(Debug)]
pub(crate) struct Difference {
    /// In words.
    pub(crate) place: (String, String),
    /// What the log says.
    pub(crate) expected: String,
    /// What the file says.
    pub(crate) found: String,
}

/// A report in cells, whatever its form.
struct Content {
    /// Where each row is, and its cells.
    rows: Vec<(String, Vec<String>)>,
    cover: Vec<(String, String)>,
}

/// Whether a column shows what only the keys open: its cells are empty without
/// them.
fn is_of_persons(title: &str) -> bool {
    let columns = Name::ALL.into_iter().flat_map(Name::columns);
    columns
        .filter(|column| matches!(column.id, "name" | "identity" | "account"))
        .any(|column| [column.id, column.title.zh, column.title.en].contains(&title))
}

/// Checks the report in a file.
pub(crate) async fn check(
    global: &Global,
    source: &Source,
    path: &Path,
) -> Result<(Found, Vec<(String, String)>), Failure> {
    let failed = |error: std::io::Error| Failure::file(path, &error);
    let mut file = File::open(path).map_err(failed)?;
    let form = recognised(&mut file).map_err(failed)?.ok_or_else(unknown)?;
    let content = read(form, path)?;
    let read_cover = cover::Read::of(content.cover.clone())?;
    let mut again = tempfile::Builder::new().suffix(".again").tempfile()?;
    let asked = (form, read_cover.lang);
    let query = read_cover.query.clone();
    let made = super::make(global, source, query, asked, again.as_file().try_clone()?).await?;
    let (length, other) = (file.metadata()?.len(), again.as_file().metadata()?.len());
    file.rewind()?;
    again.rewind()?;
    if length == other && same(&mut file, again.as_file_mut())? {
        return Ok((Found::Same, read_cover.pairs));
    }
    let expected = read(form, again.path())?;
    let without_names = read_cover.names == Names::Opened && made.names == Names::Sealed;
    let difference = first(&expected, &content, without_names);
    let found = match difference {
        Some(difference) => Found::Differs(difference),
        None if without_names => Found::SameButNames,
        None => Found::Differs(Difference {
            place: (
                "单元格内容相同，文件字节不同".to_owned(),
                "the cells agree, the bytes do not".to_owned(),
            ),
            expected: blake3_of(again.path())?,
            found: blake3_of(path)?,
        }),
    };
    Ok((found, read_cover.pairs))
}

fn blake3_of(path: &Path) -> Result<String, Failure> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(format!("blake3 {}", hasher.finalize().to_hex()))
}

fn unknown() -> Failure {
    Failure::new(
        "REPORT_FORM",
        "无法识别的报表文件：可核对 luzhang 写出的 CSV、JSON、NDJSON、XLSX、Parquet",
        "no report that can be checked: CSV, JSON, NDJSON, XLSX and Parquet files of luzhang can",
    )
}

/// The form of a file by its first bytes.
fn recognised(file: &mut File) -> std::io::Result<Option<Form>> {
    let mut first = [0; 16];
    let length = file.read(&mut first)?;
    let first = first.get(..length).unwrap_or_default();
    Ok(if first.starts_with(b"PK\x03\x04") {
        Some(Form::Xlsx)
    } else if first.starts_with(b"PAR1") {
        Some(Form::Parquet)
    } else if first.starts_with(&[0xEF, 0xBB, 0xBF]) {
        Some(Form::Csv)
    } else if first.starts_with(b"{\"schema_versio") {
        Some(Form::Json)
    } else if first.starts_with(b"{") {
        Some(Form::Ndjson)
    } else {
        None
    })
}

fn same(one: &mut File, other: &mut File) -> std::io::Result<bool> {
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(other));
    let (mut left, mut right) = ([0; 8192], [0; 8192]);
    loop {
        let length = one.read(&mut left)?;
        if length == 0 {
            return Ok(other.read(&mut right)? == 0);
        }
        let left = left.get(..length).unwrap_or_default();
        let right = right.get_mut(..length).unwrap_or_default();
        if other.read_exact(right).is_err() || left != right {
            return Ok(false);
        }
    }
}

fn read(form: Form, path: &Path) -> Result<Content, Failure> {
    let read = match form {
        Form::Csv => csv(path),
        Form::Json => json(path),
        Form::Ndjson => ndjson(path),
        Form::Xlsx => xlsx(path),
        Form::Parquet => parquet(path),
        Form::Table => return Err(unknown()),
    };
    read.map_err(|error| Failure::file(path, &error))
}

fn csv(path: &Path) -> anyhow::Result<Content> {
    let text = fs::read_to_string(path)?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    // The cover is the last line; without it there is nothing to check by.
    let (table, cover) = match text.rfind(form::CSV_COVER) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let cover = cover.strip_prefix(form::CSV_COVER).unwrap_or_default();
    let cover = cover.trim_end().split(' ').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), form::csv_decoded(value)))
    });
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(table.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, ::csv::Position::line);
        let cells = record.iter().map(str::to_owned).collect();
        rows.push((line.to_string(), cells));
    }
    Ok(Content {
        rows,
        cover: cover.collect(),
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn of_object(value: &Value) -> Vec<(String, String)> {
    let members = value.as_object().into_iter().flatten();
    members
        .map(|(key, value)| (key.clone(), plain(value)))
        .collect()
}

fn keys_and_rows<'a>(objects: impl Iterator<Item = &'a Value>) -> Vec<(String, Vec<String>)> {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for (number, object) in (1_u64..).zip(objects) {
        let pairs = of_object(object);
        if rows.is_empty() {
            let keys = pairs.iter().map(|(key, _)| key.clone()).collect();
            rows.push(("columns".to_owned(), keys));
        }
        let cells = pairs.into_iter().map(|(_, value)| value).collect();
        rows.push((number.to_string(), cells));
    }
    rows
}

fn json(path: &Path) -> anyhow::Result<Content> {
    let document: Value = serde_json::from_reader(BufReader::new(File::open(path)?))?;
    let objects = document["rows"].as_array().into_iter().flatten();
    let mut rows = keys_and_rows(objects);
    rows.push(("totals".to_owned(), vec![document["totals"].to_string()]));
    Ok(Content {
        rows,
        cover: of_object(&document["cover"]),
    })
}

fn ndjson(path: &Path) -> anyhow::Result<Content> {
    let text = fs::read_to_string(path)?;
    let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    let mut lines = lines?;
    let cover = lines.pop_if(|line| line["cover"].is_object());
    let cover = cover.map_or_else(Vec::new, |line| of_object(&line["cover"]));
    Ok(Content {
        rows: keys_and_rows(lines.iter()),
        cover,
    })
}

fn xlsx(path: &Path) -> anyhow::Result<Content> {
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path)?;
    let mut content = Content {
        rows: Vec::new(),
        cover: Vec::new(),
    };
    for name in book.sheet_names() {
        let range = book.worksheet_range(&name)?;
        let cover = name == "说明" || name == "cover";
        for (number, row) in (1_u64..).zip(range.rows()) {
            if cover {
                if let [_, value, key, ..] = row
                    && number > 2
                    && *key != Data::Empty
                {
                    let value = value.to_string().replace(";\n", ";");
                    content.cover.push((key.to_string(), value));
                }
                continue;
            }
            let cells = row.iter().map(ToString::to_string).collect();
            content.rows.push((format!("{name}!{number}"), cells));
        }
    }
    Ok(content)
}

fn parquet(path: &Path) -> anyhow::Result<Content> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let metadata = reader.metadata().file_metadata();
    let pairs = metadata.key_value_metadata().into_iter().flatten();
    let mut pairs = pairs.filter(|pair| pair.key == form::PARQUET_COVER);
    let cover = pairs.next().and_then(|pair| pair.value.as_deref());
    let cover: Value = serde_json::from_str(cover.unwrap_or("{}"))?;
    let columns = metadata.schema_descr().columns().iter();
    let columns = columns.map(|column| column.name().to_owned()).collect();
    let mut rows = vec![("columns".to_owned(), columns)];
    for (number, row) in (1_u64..).zip(reader.get_row_iter(None)?) {
        let row = row?;
        let cells = row.get_column_iter();
        let cells = cells.map(|(_, field)| field.to_string()).collect();
        rows.push((number.to_string(), cells));
    }
    Ok(Content {
        rows,
        cover: of_object(&cover),
    })
}

/// The first cell that is not as expected: of the cover, then of the rows.
fn first(expected: &Content, found: &Content, without_names: bool) -> Option<Difference> {
    let length = expected.rows.len().max(found.rows.len());
    // The titles of the columns: the first row without a gap; above it stand a
    // workbook's title and unit.
    let mut titles = expected.rows.iter().map(|(_, cells)| cells);
    let titles = titles.find(|cells| cells.len() > 1 && cells.iter().all(|c| !c.is_empty()));
    for number in 0..length {
        let (place, should) = match expected.rows.get(number) {
            Some((place, cells)) => (place, Some(cells)),
            None => (&found.rows.get(number)?.0, None),
        };
        let is = found.rows.get(number).map(|(_, cells)| cells);
        if should == is {
            continue;
        }
        let (Some(should), Some(is)) = (should, is) else {
            let (expected, found) = match should {
                Some(_) => ("one more row", "the end"),
                None => ("the end", "one more row"),
            };
            return Some(Difference {
                place: (format!("第 {place} 行"), format!("row {place}")),
                expected: expected.to_owned(),
                found: found.to_owned(),
            });
        };
        for column in 0..should.len().max(is.len()) {
            let title = titles.and_then(|titles| titles.get(column));
            let title = title.map_or("", String::as_str);
            if without_names && is_of_persons(title) {
                continue;
            }
            let cell = |cells: &Vec<String>| cells.get(column).cloned().unwrap_or_default();
            let (should, is) = (cell(should), cell(is));
            if should != is {
                let number = column + 1;
                return Some(Difference {
                    place: (
                        format!("第 {place} 行，第 {number} 列 {title}"),
                        format!("row {place}, column {number} {title}"),
                    ),
                    expected: should,
                    found: is,
                });
            }
        }
    }
    for (key, value) in &expected.cover {
        let is = found.cover.iter().find(|(known, _)| known == key);
        let is = is.map_or("", |(_, value)| value.as_str());
        if is != value && !(without_names && key == "names") {
            let (zh, en) = cover::label(key);
            return Some(Difference {
                place: (
                    format!("封面“{zh}”（{key}）"),
                    format!("the cover's {en} ({key})"),
                ),
                expected: value.clone(),
                found: is.to_owned(),
            });
        }
    }
    None
}
