use std::fs;

use encoding_rs::GB18030;
use rust_xlsxwriter::Workbook;

use super::*;

const POVERTY: &str = "姓名,身份证号码,识别日期,截止日期,名册版本\n";

pub(super) fn parse(bytes: impl AsRef<[u8]>) -> Result<Table, TableError> {
    Table::from_bytes(bytes.as_ref().to_vec())
}

/// Number and cells of each row.
pub(super) fn rows(table: &Table) -> Vec<(u32, Vec<String>)> {
    table
        .rows()
        .iter()
        .map(|row| {
            let cells = row.cells().iter().map(|cell| cell.display().into_owned());
            (row.number(), cells.collect())
        })
        .collect()
}

pub(super) fn numbers(table: &Table) -> Vec<u32> {
    table.rows().iter().map(Row::number).collect()
}

pub(super) fn code(result: Result<Table, TableError>) -> &'static str {
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
                [
                    "蒋刚红",
                    "51059019891007071X",
                    "2020-01-01",
                    "",
                    "㐀〔2024〕A"
                ]
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
        (
            "\"a\",\"b\"\n\"1,\"\"2\",\"x\ny\"",
            vec!["a", "b"],
            vec!["1,\"2", "x\ny"],
        ),
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
                assert_eq!(table.rows().len(), text.lines().count() - 1);
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
pub(super) fn noise(length: usize) -> Vec<u8> {
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
        (
            "noise called XLSX",
            with(b"PK\x03\x04", noise(40 << 20)),
            "FILE_UNREADABLE",
        ),
        (
            "noise after PK",
            with(b"PK", noise(1 << 20)),
            "FILE_UNREADABLE",
        ),
        (
            "an archive's end",
            b"PK\x05\x06".repeat(1 << 20),
            "FILE_UNREADABLE",
        ),
        (
            "an empty archive",
            with(b"PK\x05\x06", vec![0; 18]),
            "FILE_UNREADABLE",
        ),
        (
            "XLS",
            with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", vec![0; 512]),
            "FILE_UNREADABLE",
        ),
        ("zero bytes", b"a,b\n1,\x002\n".to_vec(), "FILE_UNREADABLE"),
        ("UTF-16", b"\xff\xfea\0,\0".to_vec(), "FILE_ENCODING"),
        (
            "half a character",
            b"a,b\n1,\xff\xff\n".to_vec(),
            "FILE_ENCODING",
        ),
        ("one endless line", vec![b'a'; 40 << 20], "FILE_TOO_LARGE"),
        ("endless fields", vec![b','; 40 << 20], "FILE_TOO_LARGE"),
        ("over 64 MiB", vec![b'a'; (64 << 20) + 1], "FILE_TOO_LARGE"),
        (
            "257 columns",
            vec![b"a".to_vec(); 257].join(&b','),
            "FILE_TOO_LARGE",
        ),
    ] {
        assert_eq!(code(parse(bytes)), expected, "{name}");
    }
    assert!(parse(vec![b"a".to_vec(); 256].join(&b',')).is_ok());
    assert!(
        parse(
            vec![b','; 4_096]
                .into_iter()
                .chain(*b"\na")
                .collect::<Vec<_>>()
        )
        .is_ok()
    );
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
    fs::File::create(&path)
        .unwrap()
        .set_len((64 << 20) + 1)
        .unwrap();
    assert_eq!(code(Table::read(&path)), "FILE_TOO_LARGE");
    assert_eq!(code(Table::read(&directory.path().join("none"))), "FILE_IO");
    assert_eq!(code(Table::read(directory.path())), "FILE_IO");
}

#[test]
fn debug_output_has_no_content() {
    let table = parse("姓名\n蒋刚红\n").unwrap();
    let shown = format!("{table:?} {:?}", table.rows());
    assert!(!shown.contains("蒋刚红"), "{shown}");
}
