use std::fs;

use encoding_rs::GB18030;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

use super::*;

const POVERTY: &str = "姓名,身份证号码,识别日期,截止日期,名册版本\n";

fn parse(bytes: impl AsRef<[u8]>) -> Result<Table, TableError> {
    Table::from_bytes(bytes.as_ref().to_vec())
}

/// Number and cells of each row.
fn rows(table: &Table) -> Vec<(u32, Vec<String>)> {
    table
        .rows()
        .iter()
        .map(|row| {
            let cells = row.cells().iter().map(|cell| cell.display().into_owned());
            (row.number(), cells.collect())
        })
        .collect()
}

fn numbers(table: &Table) -> Vec<u32> {
    table.rows().iter().map(Row::number).collect()
}

fn code(result: Result<Table, TableError>) -> &'static str {
    let error = result.unwrap_err();
    assert!(!error.zh().is_empty() && !error.to_string().is_empty());
    error.code()
}

#[test]
fn every_encoding_gives_the_same_table() {
    let text = format!("{POVERTY}蒋刚红,51059019891007071X,2020-01-01,,㐀〔2024〕A\n");
    let (gb18030, _, _) = GB18030.encode(&text);
    let with_bom = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
    for bytes in [text.as_bytes(), &with_bom, &gb18030] {
        let table = parse(bytes).unwrap();
        assert_eq!(table.header().join(",") + "\n", POVERTY);
        assert_eq!(
            rows(&table),
            [(
                1,
                ["蒋刚红", "51059019891007071X", "2020-01-01", "", "㐀〔2024〕A"]
                    .map(str::to_owned)
                    .to_vec()
            )]
        );
        assert_eq!(table.sheet(), None);
    }
}

#[test]
fn separators() {
    for (text, header, cells) in [
        ("a,b\n1,2", vec!["a", "b"], vec!["1", "2"]),
        ("a\tb\n1\t2,3", vec!["a", "b"], vec!["1", "2,3"]),
        ("a;b\n1;2,3", vec!["a", "b"], vec!["1", "2,3"]),
        ("a,b;c\n1,2;3", vec!["a", "b;c"], vec!["1", "2;3"]),
        ("\n\na\tb\n1\t2", vec!["a", "b"], vec!["1", "2"]),
        ("a\n1", vec!["a"], vec!["1"]),
        ("\"a\",\"b\"\n\"1,\"\"2\",\"x\ny\"", vec!["a", "b"], vec!["1,\"2", "x\ny"]),
    ] {
        let table = parse(text).unwrap();
        assert_eq!(table.header(), header, "{text:?}");
        assert_eq!(rows(&table)[0].1, cells, "{text:?}");
    }
}

#[test]
fn empty_rows_keep_their_numbers() {
    for (text, expected) in [
        ("a,b\n1,2\n3,4\n", vec![1, 2]),
        ("a,b\n1,2\n3,4", vec![1, 2]),
        ("a,b\r\n1,2\r\n3,4\r\n", vec![1, 2]),
        ("a,b\r1,2\r3,4\r", vec![1, 2]),
        ("a,b\n\n1,2\n\n\n3,4\n\n", vec![2, 5]),
        ("a,b\r\n\r\n1,2\r\n\r\n\r\n3,4\r\n\r\n", vec![2, 5]),
        ("a,b\r\r1,2\r\r\r3,4\r\r", vec![2, 5]),
        ("a,b\n,\n1,2\n \u{3000},\n\n3,4\n", vec![2, 5]),
        ("\n\n,,\na,b\n1,2\n", vec![1]),
        ("a,b\n\"x\ny\",2\n\n3,4\n", vec![1, 3]),
        ("a,b\n", vec![]),
    ] {
        assert_eq!(numbers(&parse(text).unwrap()), expected, "{text:?}");
    }
}

#[test]
fn ragged_rows_are_rows() {
    let table = parse("a,b,c\n1\n1,2,3,4\n1,2,3,,,\n").unwrap();
    let widths: Vec<usize> = table.rows().iter().map(|row| row.cells().len()).collect();
    assert_eq!(widths, [1, 4, 6]);
}

#[test]
fn an_open_quotation_mark_is_named() {
    for (text, row) in [
        ("a,b\n1,2\n\"3,4\n5,6\n", Some(2)),
        ("a,b\n1,\"2", Some(1)),
        ("\"a,b\n1,2\n", Some(0)),
        ("a,b\n1,2\"\n", None),
        ("a,b\n1,\"2\"", None),
        ("a,b\n1,\"\"", None),
        // A row that looks like the end of the file is a row.
        ("a,b\n\u{1f}end\u{1f}\n1,2\n", None),
    ] {
        let found = match parse(text) {
            Ok(table) => {
                assert_eq!(numbers(&table).last().copied(), Some(text.lines().count() as u32 - 1));
                None
            }
            Err(TableError::Quotes { row }) => Some(row),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(found, row, "{text:?}");
    }
}

#[test]
fn an_apostrophe_that_guards_a_formula_is_taken_off() {
    let table = parse("a,b,c,d\n'=1+1,'张三,'-x,'-5\n").unwrap();
    assert_eq!(rows(&table)[0].1, ["=1+1", "'张三", "-x", "'-5"]);
}

/// Bytes that look random and are the same every time.
fn noise(length: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let block: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(64 << 10)
    .collect();
    block.into_iter().cycle().take(length).collect()
}

#[test]
fn garbage_is_refused_with_a_code() {
    let with = |prefix: &[u8], rest: Vec<u8>| [prefix, &rest].concat();
    for (name, bytes, expected) in [
        ("nothing", Vec::new(), "FILE_EMPTY"),
        ("a BOM", b"\xef\xbb\xbf".to_vec(), "FILE_EMPTY"),
        ("empty lines", b"\n\r\n\r \n".to_vec(), "FILE_EMPTY"),
        ("empty fields", b",,,\n,,,\n".to_vec(), "FILE_EMPTY"),
        ("noise", noise(40 << 20), "FILE_UNREADABLE"),
        ("noise called XLSX", with(b"PK\x03\x04", noise(40 << 20)), "FILE_UNREADABLE"),
        ("noise after PK", with(b"PK", noise(1 << 20)), "FILE_UNREADABLE"),
        ("an archive's end", b"PK\x05\x06".repeat(1 << 20), "FILE_UNREADABLE"),
        ("an empty archive", with(b"PK\x05\x06", vec![0; 18]), "FILE_UNREADABLE"),
        ("XLS", with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", vec![0; 512]), "FILE_UNREADABLE"),
        ("zero bytes", b"a,b\n1,\x002\n".to_vec(), "FILE_UNREADABLE"),
        ("UTF-16", b"\xff\xfea\0,\0".to_vec(), "FILE_ENCODING"),
        ("half a character", b"a,b\n1,\xff\xff\n".to_vec(), "FILE_ENCODING"),
        ("over 64 MiB", vec![b'a'; (64 << 20) + 1], "FILE_TOO_LARGE"),
        ("257 columns", vec![b"a".to_vec(); 257].join(&b','), "FILE_TOO_LARGE"),
    ] {
        assert_eq!(code(parse(bytes)), expected, "{name}");
    }
    assert!(parse(vec![b"a".to_vec(); 256].join(&b',')).is_ok());
    assert!(parse(vec![b','; 4_096].into_iter().chain(*b"\na").collect::<Vec<_>>()).is_ok());
}

#[test]
fn a_table_has_no_more_rows_than_a_worksheet() {
    let rows = |count: usize| [b"a\n".to_vec(), b"1\n".repeat(count)].concat();
    let largest = parse(rows(1_048_575)).unwrap();
    assert_eq!(numbers(&largest).last(), Some(&1_048_575));
    assert_eq!(code(parse(rows(1_048_576))), "FILE_TOO_LARGE");
    // Empty rows count.
    let far = [b"a\n".to_vec(), b"\n".repeat(1_048_575), b"1\n".to_vec()].concat();
    assert_eq!(code(parse(far)), "FILE_TOO_LARGE");
}

#[test]
fn a_file_is_read_by_its_content_whatever_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.xlsx");
    fs::write(&path, "a,b\n1,2\n").unwrap();
    assert_eq!(rows(&Table::read(&path).unwrap())[0].1, ["1", "2"]);

    let mut workbook = Workbook::new();
    workbook.add_worksheet().write(0, 0, "a").unwrap();
    let path = directory.path().join("table.csv");
    workbook.save(&path).unwrap();
    assert_eq!(Table::read(&path).unwrap().header(), ["a"]);

    let path = directory.path().join("large.csv");
    fs::File::create(&path).unwrap().set_len((64 << 20) + 1).unwrap();
    assert_eq!(code(Table::read(&path)), "FILE_TOO_LARGE");
    assert_eq!(code(Table::read(&directory.path().join("none"))), "FILE_IO");
    assert_eq!(code(Table::read(directory.path())), "FILE_IO");
}

#[test]
fn cells_of_a_workbook() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let date = Format::new().set_num_format("yyyy\"年\"m\"月\"d\"日\"");
    let percent = Format::new().set_num_format("0.00%");
    let ornament = Format::new().set_num_format("0\"%\"");
    let length = Format::new().set_num_format("[h]:mm");
    let moment = |text| ExcelDateTime::parse_from_str(text).unwrap();
    sheet.write(0, 0, "列").unwrap();
    let mut expected: Vec<Cell> = Vec::new();
    let mut row = 0;
    let mut next = |cell| {
        expected.push(cell);
        row += 1;
        row
    };
    let text = |text: &str| Cell::Text(text.to_owned());
    let number = |text: &str| Cell::Number(text.to_owned());

    sheet.write(next(text("510590197607110016")), 0, "510590197607110016").unwrap();
    sheet.write(next(number("510590197607110000")), 0, 510_590_197_607_110_016_f64).unwrap();
    sheet.write(next(number("300000.01")), 0, 300_000.01).unwrap();
    sheet.write(next(number("0.3")), 0, 0.300_000_000_000_000_04).unwrap();
    sheet.write(next(number("9999999999999.99")), 0, 9_999_999_999_999.99).unwrap();
    sheet.write(next(number("0.0001")), 0, 0.0001).unwrap();
    sheet.write(next(number("40")), 0, 40).unwrap();
    sheet.write(next(number("-5")), 0, -5).unwrap();
    sheet.write(next(number("100000000000000000000")), 0, 1e20).unwrap();
    sheet.write(next(text("4.35%")), 0, 0.0435).unwrap();
    sheet.write_number_with_format(10, 0, 0.0435, &percent).unwrap();
    sheet.write(next(number("5")), 0, 5).unwrap();
    sheet.write_number_with_format(11, 0, 5, &ornament).unwrap();
    sheet.write_with_format(
        next(Cell::Date("2024-02-29".parse().unwrap())), 0, &moment("2024-02-29"), &date,
    ).unwrap();
    sheet.write_with_format(
        next(text("2024-02-29 12:00:00")), 0, &moment("2024-02-29T12:00:00"), &date,
    ).unwrap();
    // Before the 29 February 1900 that only spreadsheets know.
    sheet.write_with_format(next(text("1900-01-05 00:00:00")), 0, 5, &date).unwrap();
    // Not the last day of the calendar.
    sheet.write_with_format(next(number("510590197607")), 0, 510_590_197_607_i64, &date).unwrap();
    sheet.write_with_format(next(number("1.5")), 0, 1.5, &length).unwrap();
    sheet.write(next(Cell::Bool(true)), 0, true).unwrap();
    sheet.write(next(number("42")), 0, Formula::new("=6*7").set_result("42")).unwrap();
    sheet.write(next(Cell::Error("#N/A".to_owned())), 0, Formula::new("=NA()").set_result("#N/A")).unwrap();
    sheet.write(next(text("=1+1")), 0, "=1+1").unwrap();
    sheet.write(next(text("a\u{1}_x0041_&<b>")), 0, "a\u{1}_x0041_&<b>").unwrap();

    let table = parse(workbook.save_to_buffer().unwrap()).unwrap();
    assert_eq!(table.rows().len(), expected.len());
    for (row, expected) in table.rows().iter().zip(expected) {
        let [cell] = row.cells() else { panic!("one column") };
        assert_eq!(cell.display(), expected.display(), "row {}", row.number());
        assert!(*cell == expected, "row {}: {cell:?}", row.number());
    }
}

#[test]
fn the_first_visible_sheet_that_holds_something_is_read() {
    let mut workbook = Workbook::new();
    let blank = Format::new().set_bold();
    workbook.add_worksheet().set_name("空").unwrap().write_blank(0, 0, &blank).unwrap();
    workbook.add_worksheet().set_name("藏").unwrap().set_hidden(true).write(0, 0, "x").unwrap();
    let sheet = workbook.add_worksheet().set_name("表").unwrap();
    sheet.write(2, 1, " 姓名 ").unwrap().write(2, 2, "金额").unwrap();
    sheet.write(3, 1, "甲").unwrap();
    sheet.write(6, 2, "乙").unwrap().write_blank(6, 9_999, &blank).unwrap();
    workbook.add_worksheet().set_name("另").unwrap().write(0, 0, "y").unwrap();
    workbook.add_worksheet().set_name("尾").unwrap();

    let table = parse(workbook.save_to_buffer().unwrap()).unwrap();
    assert_eq!(table.sheet(), Some("表"));
    assert_eq!(table.unread_sheets(), ["另"]);
    assert_eq!(table.header(), ["", "姓名", "金额"]);
    let cells = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
    assert_eq!(
        rows(&table),
        [(1, cells(["", "甲", ""])), (4, cells(["", "", "乙"]))]
    );
}

#[test]
fn workbooks_without_content_or_too_wide() {
    let mut empty = Workbook::new();
    empty.add_worksheet();
    assert_eq!(code(parse(empty.save_to_buffer().unwrap())), "FILE_EMPTY");

    let mut wide = Workbook::new();
    wide.add_worksheet().write(0, 0, "a").unwrap().write(1, 256, "b").unwrap();
    assert_eq!(code(parse(wide.save_to_buffer().unwrap())), "FILE_TOO_LARGE");

    // One cell in the last row costs one row, not a million.
    let mut tall = Workbook::new();
    tall.add_worksheet().write(0, 0, "a").unwrap().write(1_048_575, 0, "b").unwrap();
    let table = parse(tall.save_to_buffer().unwrap()).unwrap();
    assert_eq!(numbers(&table), [1_048_575]);
}

#[test]
fn a_damaged_workbook_is_an_error_or_a_table_but_never_a_panic() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for row in 0..20 {
        sheet.write(row, 0, "a").unwrap().write(row, 1, 1.5).unwrap();
    }
    let sound = workbook.save_to_buffer().unwrap();
    let noise = noise(sound.len());
    let mut refused = 0;
    for (place, byte) in noise.iter().enumerate() {
        let mut damaged = sound.clone();
        damaged[place] ^= byte | 1;
        refused += usize::from(parse(&damaged).is_err());
        if place % 7 == 0 {
            assert!(parse(&sound[..place]).is_err(), "cut at {place}");
        }
    }
    assert!(refused > sound.len() / 10, "{refused} of {}", sound.len());
}

#[test]
fn debug_output_has_no_content() {
    let table = parse("姓名\n蒋刚红\n").unwrap();
    let shown = format!("{table:?} {:?}", table.rows());
    assert!(!shown.contains("蒋刚红"), "{shown}");
}
