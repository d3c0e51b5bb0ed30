use std::fs;

use rust_xlsxwriter::{ExcelDateTime, Format};

use super::*;
use crate::import::template::layout::Layout;

fn parse(bytes: impl AsRef<[u8]>) -> Table {
    Table::from_bytes(bytes.as_ref().to_vec()).unwrap()
}

fn reason(code: &str) -> Reason {
    Reason {
        code: code.to_owned(),
        zh: format!("{code}的原因"),
        en: format!("why {code}"),
    }
}

fn result(row: u32, outcome: Outcome, codes: &[&str], position: Option<u64>) -> RowResult {
    RowResult {
        row,
        key: String::new(),
        outcome,
        reasons: codes.iter().map(|code| reason(code)).collect(),
        position,
    }
}

/// Writes a copy called `name` and reads it back as bytes.
fn copy(name: &str, table: &Table, results: &[RowResult], lang: Lang) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    write_annotated(&path, table, results, lang).unwrap();
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing but the copy is left");
    fs::read(path).unwrap()
}

fn csv(table: &Table, results: &[RowResult], lang: Lang) -> String {
    let text = String::from_utf8(copy("copy.csv", table, results, lang)).unwrap();
    text.strip_prefix('\u{feff}').unwrap().to_owned()
}

fn cells(table: &Table) -> Vec<Vec<String>> {
    let row = |row: &Row| {
        row.cells()
            .iter()
            .map(|cell| cell.display().into_owned())
            .collect()
    };
    table.rows().iter().map(row).collect()
}

#[test]
fn outcomes_reasons_and_positions() {
    let table = parse("a,b\n1,2\n3,4\n\n5,6\n7,8\n9,10\n");
    let results = [
        result(1, Outcome::Accepted, &[], Some(17)),
        result(
            2,
            Outcome::Refused,
            &["M04_ONCE_YEAR", "BUDGET_EXCEEDED"],
            Some(18),
        ),
        result(4, Outcome::Rejected, &["AMOUNT_DECIMALS"], None),
        result(5, Outcome::Replayed, &[], Some(3)),
    ];
    assert_eq!(
        csv(&table, &results, Lang::Zh),
        "a,b,结果,原因,位置\n\
         1,2,通过,,17\n\
         3,4,不予受理,M04_ONCE_YEAR M04_ONCE_YEAR的原因；BUDGET_EXCEEDED BUDGET_EXCEEDED的原因,18\n\
         ,,,,\n\
         5,6,退回修改,AMOUNT_DECIMALS AMOUNT_DECIMALS的原因,\n\
         7,8,已办理（重复提交）,,3\n\
         9,10,未处理,,\n"
    );
    assert_eq!(
        csv(&table, &results, Lang::En),
        "a,b,结果,原因,位置\n\
         1,2,accepted,,17\n\
         3,4,refused,M04_ONCE_YEAR why M04_ONCE_YEAR；BUDGET_EXCEEDED why BUDGET_EXCEEDED,18\n\
         ,,,,\n\
         5,6,rejected,AMOUNT_DECIMALS why AMOUNT_DECIMALS,\n\
         7,8,already done (submitted again),,3\n\
         9,10,not processed,,\n"
    );
}

#[test]
fn the_columns_of_an_earlier_copy_are_replaced() {
    let table = parse("位置,a,结果,b,原因\n1,x,通过,y,\n");
    let results = [result(1, Outcome::Refused, &["C"], Some(9))];
    let text = csv(&table, &results, Lang::Zh);
    assert_eq!(text, "a,b,结果,原因,位置\nx,y,不予受理,C C的原因,9\n");
    assert_eq!(csv(&parse(&text), &results, Lang::Zh), text);
}

#[test]
fn nothing_of_a_ragged_row_is_lost() {
    let table = parse("a,b\n1\n1,2,3\n");
    let results = [result(1, Outcome::Rejected, &["FIELD_COUNT"], None)];
    assert_eq!(
        csv(&table, &results, Lang::En),
        "a,b,,结果,原因,位置\n\
         1,,,rejected,FIELD_COUNT why FIELD_COUNT,\n\
         1,2,3,not processed,,\n"
    );
}

#[test]
fn formulas_are_text_and_come_back_as_they_were() {
    for (cell, written) in [
        ("=1+1", "'=1+1"),
        ("+A1", "'+A1"),
        ("-甲", "'-甲"),
        ("@x", "'@x"),
        ("＝1", "'＝1"),
        ("\tx", "'\tx"),
        ("-", "'-"),
        ("-1+1", "'-1+1"),
        ("'=1", "'=1"),
        ("''=1", "''=1"),
        ("-12.50", "-12.50"),
        ("+5", "+5"),
        ("2024-02-29", "2024-02-29"),
        ("1=1", "1=1"),
        ("'甲", "'甲"),
    ] {
        let table = parse(format!("h\n{cell}\n"));
        let text = csv(&table, &[], Lang::En);
        let line = text.lines().nth(1).unwrap();
        assert_eq!(line, format!("{written},not processed,,"));
        assert!(
            parse(&text).rows()[0].cells()[0] == table.rows()[0].cells()[0],
            "{cell}"
        );
    }
    // A header and a reason are guarded too.
    let mut result = result(1, Outcome::Rejected, &["C"], None);
    result.reasons[0].code = "=C".to_owned();
    let text = csv(&parse("=h\nx\n"), &[result], Lang::En);
    assert_eq!(text, "'=h,结果,原因,位置\nx,rejected,'=C why C,\n");
}

#[test]
fn a_workbook_keeps_every_digit_and_every_row() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("source.xlsx");
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let names = ["姓名", "身份证号码", "识别日期", "截止日期", "名册版本"];
    for (column, name) in (0..).zip(names) {
        sheet.write(0, column, name).unwrap();
    }
    let from = ExcelDateTime::from_ymd(2020, 1, 1).unwrap();
    for row in [1, 3] {
        sheet.write(row, 0, "=甲").unwrap();
        sheet.write(row, 1, "51059019881111051X").unwrap();
        sheet.write_with_format(row, 2, &from, &day).unwrap();
        sheet.write(row, 4, row * 1000).unwrap();
    }
    workbook.save(&source).unwrap();
    let table = Table::read(&source).unwrap();

    let results = [
        result(1, Outcome::Accepted, &[], Some(1)),
        result(3, Outcome::Refused, &["C", "D"], Some(2)),
    ];
    let annotated = parse(copy("copy.XLSX", &table, &results, Lang::Zh));
    assert_eq!(annotated.sheet(), Some("结果"));
    assert_eq!(annotated.header()[5..], ["结果", "原因", "位置"]);
    assert_eq!(annotated.rows()[1].number(), 3);
    assert_eq!(
        cells(&annotated),
        [
            [
                "=甲",
                "51059019881111051X",
                "2020-01-01",
                "",
                "1000",
                "通过",
                "",
                "1"
            ],
            [
                "=甲",
                "51059019881111051X",
                "2020-01-01",
                "",
                "3000",
                "不予受理",
                "C C的原因；D D的原因",
                "2"
            ],
        ]
    );
    for row in annotated.rows() {
        assert!(
            row.cells()
                .iter()
                .all(|cell| matches!(cell, Cell::Text(_) | Cell::Empty))
        );
    }

    // As text or as a workbook, the copy is the same rows again.
    let text = parse(copy("copy.csv", &table, &results, Lang::Zh));
    for again in [annotated, text] {
        let (before, after) = (Layout::find(&table).unwrap(), Layout::find(&again).unwrap());
        assert_eq!(again.rows().len(), table.rows().len());
        for (old, new) in table.rows().iter().zip(again.rows()) {
            assert_eq!(old.number(), new.number());
            let (old, new) = (before.row(old).unwrap(), after.row(new).unwrap());
            assert_eq!(old.identity, new.identity);
            assert_eq!(old.body, new.body);
        }
    }
}

#[test]
fn a_workbook_holds_any_text() {
    let long = "泸".repeat(40_000);
    let text = format!("h,i\n\"a\u{1}_x0041_&<b>\ny\",{long}\n");
    let annotated = parse(copy("copy.xlsx", &parse(text), &[], Lang::Zh));
    let cells = cells(&annotated);
    assert_eq!(cells[0][0], "a\u{1}_x0041_&<b>\ny");
    assert_eq!(cells[0][1].chars().count(), 32_767);
}

#[test]
fn a_copy_that_cannot_be_written_leaves_what_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let table = parse("a\n1\n");

    let occupied = directory.path().join("copy.csv");
    fs::create_dir(&occupied).unwrap();
    let error = write_annotated(&occupied, &table, &[], Lang::Zh).unwrap_err();
    assert_eq!(error.code(), "RESULT_FILE");
    assert!(error.zh().contains("结果文件"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    let nowhere = directory.path().join("none").join("copy.csv");
    assert!(write_annotated(&nowhere, &table, &[], Lang::Zh).is_err());

    let there = directory.path().join("there.csv");
    fs::write(&there, "old").unwrap();
    write_annotated(&there, &table, &[], Lang::Zh).unwrap();
    assert!(fs::read_to_string(&there).unwrap().contains("结果"));
}

#[cfg(unix)]
#[test]
fn a_copy_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("copy.csv");
    write_annotated(&path, &parse("a\n1\n"), &[], Lang::Zh).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
}
