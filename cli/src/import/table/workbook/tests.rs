use std::io::Write;

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::import::table::tests::{code, noise, numbers, parse, rows};

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

    sheet
        .write(next(text("510590197607110016")), 0, "510590197607110016")
        .unwrap();
    sheet
        .write(
            next(number("510590197607110000")),
            0,
            510_590_197_607_110_016_f64,
        )
        .unwrap();
    sheet
        .write(next(number("300000.01")), 0, 300_000.01)
        .unwrap();
    sheet
        .write(next(number("0.3")), 0, 0.300_000_000_000_000_04)
        .unwrap();
    sheet
        .write(next(number("9999999999999.99")), 0, 9_999_999_999_999.99)
        .unwrap();
    sheet.write(next(number("0.0001")), 0, 0.0001).unwrap();
    sheet.write(next(number("40")), 0, 40).unwrap();
    sheet.write(next(number("-5")), 0, -5).unwrap();
    sheet
        .write(next(number("100000000000000000000")), 0, 1e20)
        .unwrap();
    sheet
        .write_with_format(next(text("4.35%")), 0, 0.0435, &percent)
        .unwrap();
    sheet
        .write_with_format(next(number("5")), 0, 5, &ornament)
        .unwrap();
    sheet
        .write_with_format(
            next(Cell::Date("2024-02-29".parse().unwrap())),
            0,
            moment("2024-02-29"),
            &date,
        )
        .unwrap();
    sheet
        .write_with_format(
            next(text("2024-02-29 12:00:00")),
            0,
            moment("2024-02-29T12:00:00"),
            &date,
        )
        .unwrap();
    // Before the 29 February 1900 that only spreadsheets know.
    sheet
        .write_with_format(next(text("1900-01-05 00:00:00")), 0, 5, &date)
        .unwrap();
    // Not the last day of the calendar.
    sheet
        .write_with_format(next(number("510590197607")), 0, 510_590_197_607_i64, &date)
        .unwrap();
    sheet
        .write_with_format(next(number("1.5")), 0, 1.5, &length)
        .unwrap();
    sheet.write(next(Cell::Bool(true)), 0, true).unwrap();
    sheet
        .write(next(number("42")), 0, Formula::new("=6*7").set_result("42"))
        .unwrap();
    sheet
        .write(
            next(Cell::Error("#N/A".to_owned())),
            0,
            Formula::new("=NA()").set_result("#N/A"),
        )
        .unwrap();
    sheet.write(next(text("=1+1")), 0, "=1+1").unwrap();
    sheet
        .write(next(text("a\u{1}_x0041_&<b>")), 0, "a\u{1}_x0041_&<b>")
        .unwrap();

    let table = parse(workbook.save_to_buffer().unwrap()).unwrap();
    assert_eq!(table.rows().len(), expected.len());
    for (row, expected) in table.rows().iter().zip(expected) {
        let [cell] = row.cells() else {
            panic!("one column")
        };
        assert_eq!(cell.display(), expected.display(), "row {}", row.number());
        assert!(*cell == expected, "row {}: {cell:?}", row.number());
    }
}

#[test]
fn the_first_visible_sheet_that_holds_something_is_read() {
    let mut workbook = Workbook::new();
    let blank = Format::new().set_bold();
    workbook
        .add_worksheet()
        .set_name("空")
        .unwrap()
        .write_blank(0, 0, &blank)
        .unwrap();
    workbook
        .add_worksheet()
        .set_name("藏")
        .unwrap()
        .set_hidden(true)
        .write(0, 0, "x")
        .unwrap();
    let sheet = workbook.add_worksheet().set_name("表").unwrap();
    sheet
        .write(2, 1, " 姓名 ")
        .unwrap()
        .write(2, 2, "金额")
        .unwrap();
    sheet.write(3, 1, "甲").unwrap();
    sheet
        .write(6, 2, "乙")
        .unwrap()
        .write_blank(6, 9_999, &blank)
        .unwrap();
    workbook
        .add_worksheet()
        .set_name("另")
        .unwrap()
        .write(0, 0, "y")
        .unwrap();
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
    wide.add_worksheet()
        .write(0, 0, "a")
        .unwrap()
        .write(1, 256, "b")
        .unwrap();
    assert_eq!(
        code(parse(wide.save_to_buffer().unwrap())),
        "FILE_TOO_LARGE"
    );

    // One cell in the last row costs one row, not a million.
    let mut tall = Workbook::new();
    tall.add_worksheet()
        .write(0, 0, "a")
        .unwrap()
        .write(1_048_575, 0, "b")
        .unwrap();
    let table = parse(tall.save_to_buffer().unwrap()).unwrap();
    assert_eq!(numbers(&table), [1_048_575]);
}

#[test]
fn a_workbook_that_would_unfold_without_end_is_not_unpacked() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write(0, 0, "a").unwrap();
    let mut bytes = workbook.save_to_buffer().unwrap();
    // The unpacked size in the first entry of the archive's directory.
    let entry = bytes
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    bytes[entry + 24..entry + 28].copy_from_slice(&(1_u32 << 31).to_le_bytes());
    assert_eq!(code(parse(bytes)), "FILE_TOO_LARGE");
}

#[test]
fn a_damaged_workbook_is_an_error_or_a_table_but_never_a_panic() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for row in 0..20 {
        sheet
            .write(row, 0, "a")
            .unwrap()
            .write(row, 1, 1.5)
            .unwrap();
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

/// A workbook whose one sheet has these rows, in the words of the format.
fn with_rows(xml: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{xml}</sheetData></worksheet>");
    with_part("xl/worksheets/sheet1.xml", |writer| {
        writer.write_all(sheet.as_bytes()).unwrap();
    })
}

/// A workbook one of whose parts is this.
fn with_part(part: &str, content: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write(0, 0, 1).unwrap();
    let sound = workbook.save_to_buffer().unwrap();
    let mut archive = ZipArchive::new(Cursor::new(sound)).unwrap();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        if name != part {
            writer.start_file(&*name, deflated).unwrap();
            io::copy(&mut entry, &mut writer).unwrap();
        }
    }
    writer.start_file(part, deflated).unwrap();
    content(&mut writer);
    writer.finish().unwrap().into_inner()
}

#[test]
fn sheets_that_no_spreadsheet_writes() {
    let cell = |place: &str| format!("<row><c r=\"{place}\"><v>1</v></c></row>");
    let text = |kind: &str, value: &str| {
        format!(
            "{}<row r=\"2\"><c r=\"A2\" t=\"{kind}\"><v>{value}</v></c></row>",
            cell("A1")
        )
    };
    for (xml, expected) in [
        (cell("A1"), Ok(vec![])),
        (cell("A1") + &cell("A2"), Ok(vec!["1"])),
        (
            cell("A1") + &cell("A3") + &cell("A2"),
            Err("FILE_UNREADABLE"),
        ),
        (cell("A1") + &cell("A1048577"), Err("FILE_TOO_LARGE")),
        (cell("A1") + &cell("ZZZ1"), Err("FILE_TOO_LARGE")),
        (text("d", "2024-02-29"), Ok(vec!["2024-02-29"])),
        (
            text("d", "2024-02-29T00:00:00.000Z"),
            Ok(vec!["2024-02-29"]),
        ),
        (
            text("d", "2024-02-29T08:00:00"),
            Ok(vec!["2024-02-29T08:00:00"]),
        ),
        (text("n", "1e400"), Ok(vec!["inf"])),
        (text("e", "#SPILL!"), Err("FILE_UNREADABLE")),
        (text("s", "7"), Err("FILE_UNREADABLE")),
        // No XML has it, and no text that could go back to the clerk.
        (text("str", "a\0b"), Err("FILE_UNREADABLE")),
    ] {
        match parse(with_rows(&xml)) {
            Ok(table) => {
                let found: Vec<String> = rows(&table).into_iter().flat_map(|row| row.1).collect();
                assert_eq!(
                    Ok(found),
                    expected.map(|cells| cells.into_iter().map(str::to_owned).collect()),
                    "{xml}"
                );
            }
            error => assert_eq!(Err(code(error)), expected, "{xml}"),
        }
    }
}

#[test]
fn a_row_number_that_overflows_the_reader_is_no_panic() {
    let cells = ["A1", "A99999999999"].map(|place| format!("<c r=\"{place}\"><v>1</v></c>"));
    let xml = format!("<row>{}</row><row>{}</row>", cells[0], cells[1]);
    // Where overflow is not checked, the row is only far away.
    let found = code(parse(with_rows(&xml)));
    assert!(
        ["FILE_UNREADABLE", "FILE_TOO_LARGE"].contains(&found),
        "{found}"
    );
}

/// Writes a text over and over.
fn repeat(writer: &mut impl Write, text: &str, times: usize) {
    let some = text.repeat(1_000);
    for _ in 0..times / 1_000 {
        writer.write_all(some.as_bytes()).unwrap();
    }
}

/// What the archive's directory says of the part that was written last.
fn lie(bytes: &mut [u8], size: u32) {
    let entry = bytes.windows(4).rposition(|four| four == b"PK\x01\x02");
    let entry = entry.unwrap();
    bytes[entry + 24..entry + 28].copy_from_slice(&size.to_le_bytes());
}

#[test]
fn what_unfolds_without_end_is_left_whatever_the_directory_says() {
    for (part, mebibytes) in [
        ("xl/sharedStrings.xml", 130),
        ("xl/styles.xml", 17),
        ("xl/theme/theme1.xml", 17),
        ("xl/_rels/workbook.xml.rels", 17),
        ("xl/worksheets/sheet1.xml", 1_025),
        ("xl/media/image1.png", 1_025),
    ] {
        let mut bytes = with_part(part, |writer| {
            repeat(writer, &" ".repeat(1 << 10), mebibytes << 10);
        });
        assert!(bytes.len() < 2 << 20, "{part}: it is small");
        assert_eq!(code(parse(&bytes)), "FILE_TOO_LARGE", "{part}");
        lie(&mut bytes, 100);
        assert_eq!(code(parse(bytes)), "FILE_UNREADABLE", "{part}");
    }
}

#[test]
fn shared_texts_without_number_are_not_kept() {
    // 24 bytes of memory for 5 in the file, and 0 in the archive.
    let bytes = with_part("xl/sharedStrings.xml", |writer| {
        writer.write_all(b"<sst>").unwrap();
        repeat(writer, "<si/>", 30_000_000);
        writer.write_all(b"</sst>").unwrap();
    });
    assert_eq!(code(parse(bytes)), "FILE_TOO_LARGE");
}

#[test]
fn rows_and_styles_that_hold_nothing_cost_nothing() {
    let empty = "<row r=\"9\" s=\"1\" customFormat=\"1\"/>".repeat(2_000_000);
    let xml = format!("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>{empty}");
    let table = parse(with_rows(&xml)).unwrap();
    assert_eq!((table.header().len(), table.rows().len()), (1, 0));
    // The last cell of a sheet alone.
    let last = "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>";
    assert_eq!(code(parse(with_rows(last))), "FILE_TOO_LARGE");
}

#[test]
fn a_workbook_asks_nobody_for_what_is_not_in_it() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "geheim").unwrap();
    let lol = (1..12).map(|n| {
        let ten = format!("&l{};", n - 1).repeat(10);
        format!("<!ENTITY l{n} \"{ten}\">")
    });
    let lol = lol.collect::<Vec<_>>().concat();
    for (doctype, entity) in [
        (
            format!("<!ENTITY x SYSTEM \"file://{}\">", secret.path().display()),
            "&x;",
        ),
        (format!("<!ENTITY l0 \"lol\">{lol}"), "&l11;"),
    ] {
        let bytes = with_part("xl/sharedStrings.xml", |writer| {
            let text = format!("<!DOCTYPE sst [{doctype}]><sst><si><t>{entity}</t></si></sst>");
            writer.write_all(text.as_bytes()).unwrap();
        });
        if let Ok(table) = parse(bytes) {
            let said = format!("{:?} {:?}", table.header(), rows(&table));
            assert!(!said.contains("geheim") && said.len() < 1_000, "{said}");
        }
    }
}
