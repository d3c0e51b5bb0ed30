use super::*;

fn text(content: &str) -> Cell {
    Cell::Text(content.to_owned())
}

fn number(content: &str) -> Cell {
    Cell::Number(content.to_owned())
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// The code of an error, or the value as text.
fn shown<T: ToString>(result: Result<T, CellError>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(error) => error.code().to_owned(),
    }
}

#[test]
fn dates() {
    for (cell, expected) in [
        (text("2024-02-29"), "2024-02-29"),
        (text("2024/2/29"), "2024-02-29"),
        (text("2024/02/29"), "2024-02-29"),
        (text(" \u{3000}2024-02-29\u{a0}\u{feff}"), "2024-02-29"),
        (Cell::Date(day("2024-02-29")), "2024-02-29"),
        (text("1900-01-01"), "1900-01-01"),
        (text("9999-12-31"), "9999-12-31"),
        (text("2023-02-29"), "DATE_INVALID"),
        (text("2024-13-01"), "DATE_INVALID"),
        (text("2024-00-01"), "DATE_INVALID"),
        (text("1899-12-31"), "DATE_INVALID"),
        (text("2024-2-29"), "DATE_FORMAT"),
        (text("24/2/29"), "DATE_FORMAT"),
        (text("2024/2/029"), "DATE_FORMAT"),
        (text("2024-02/29"), "DATE_FORMAT"),
        (text("2024-02"), "DATE_FORMAT"),
        (text("2024-02-29-01"), "DATE_FORMAT"),
        (text("2024-02-29 08:00:00"), "DATE_FORMAT"),
        (text("20240229"), "DATE_FORMAT"),
        (text("２０２４-０２-２９"), "DATE_FORMAT"),
        (text("-024-02-29"), "DATE_FORMAT"),
        (number("45351"), "DATE_FORMAT"),
        (Cell::Empty, "CELL_EMPTY"),
        (text(" \u{3000} "), "CELL_EMPTY"),
        (Cell::Error("#N/A".to_owned()), "CELL_ERROR"),
        (Cell::Bool(true), "CELL_KIND"),
    ] {
        assert_eq!(shown(cell.date()), expected, "{:?}", cell.display());
    }
}

#[test]
fn lists_and_runs_of_dates() {
    for (cell, expected) in [
        (text("2024-02-28"), "2024-02-28"),
        (text("2024-02-28;2024/2/29"), "2024-02-28 2024-02-29"),
        (text("2024-02-28； 2024-02-29 ;"), "2024-02-28 2024-02-29"),
        // Order and repetition are for the ledger to judge.
        (
            text("2024-02-29;2024-02-28;2024-02-29"),
            "2024-02-29 2024-02-28 2024-02-29",
        ),
        (
            text("2024-02-28..2024-03-01"),
            "2024-02-28 2024-02-29 2024-03-01",
        ),
        (text("2024/2/28 .. 2024/2/28"), "2024-02-28"),
        (
            text("2024-01-01;2024-02-28..2024-02-29"),
            "2024-01-01 2024-02-28 2024-02-29",
        ),
        (text("9999-12-31..9999-12-31"), "9999-12-31"),
        (Cell::Date(day("2024-02-28")), "2024-02-28"),
        (text("2024-02-29..2024-02-28"), "DATE_RUN_REVERSED"),
        (text("2024-02-28;;2024-02-29"), "DATE_FORMAT"),
        (text(";2024-02-28"), "DATE_FORMAT"),
        (text("2024-02-28,2024-02-29"), "DATE_FORMAT"),
        (text("2024-02-28.."), "DATE_FORMAT"),
        (text("2024-02-28...2024-02-29"), "DATE_FORMAT"),
        (text("2024-02-28;2024-02-30"), "DATE_INVALID"),
        (text("1900-01-01..9999-12-31"), "DATES_TOO_MANY"),
        (number("45351"), "DATE_FORMAT"),
        (text(";"), "DATE_FORMAT"),
        (Cell::Empty, "CELL_EMPTY"),
    ] {
        let days = cell.dates().map(|days| {
            days.iter()
                .map(Date::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        });
        assert_eq!(shown(days), expected, "{:?}", cell.display());
    }
}

#[test]
fn a_list_ends_at_a_thousand_days() {
    // 2024-01-01 is day 1, 2026-09-26 is day 1,000.
    for (list, expected) in [
        ("2024-01-01..2026-09-25", "999"),
        ("2024-01-01..2026-09-26", "1000"),
        ("2024-01-01..2026-09-27", "DATES_TOO_MANY"),
        ("2024-01-01..2026-09-26;2027-01-01", "DATES_TOO_MANY"),
    ] {
        let count = text(list).dates().map(|days| days.len());
        assert_eq!(shown(count), expected, "{list}");
    }
}

#[test]
fn an_error_in_a_list_says_which_date() {
    let error = text("2024-01-01;2024-01-32").dates().unwrap_err();
    assert_eq!(
        error.to_string(),
        "date 2 of the list: not a day of the calendar"
    );
    assert_eq!(error.zh(), "第 2 个日期不是日历上的有效日期");
}

#[test]
fn amounts_in_fen() {
    for (cell, expected) in [
        (text("1234.50"), "123450"),
        (text("1234.5"), "123450"),
        (text("1234"), "123400"),
        (text("0"), "0"),
        (text("0.01"), "1"),
        (text(" 300000.01\u{3000}"), "30000001"),
        (number("300000.01"), "30000001"),
        (text("9000000000000.00"), "900000000000000"),
        (text("9000000000000.01"), "AMOUNT_RANGE"),
        (number("99999999999999"), "AMOUNT_RANGE"),
        (text("50.001"), "AMOUNT_DECIMALS"),
        (number("50.005"), "AMOUNT_DECIMALS"),
        (text("-1"), "AMOUNT_NEGATIVE"),
        (number("-0.01"), "AMOUNT_NEGATIVE"),
        (text("1,234.50"), "AMOUNT_FORMAT"),
        (text("¥50"), "AMOUNT_FORMAT"),
        (text("50元"), "AMOUNT_FORMAT"),
        (text("1e3"), "AMOUNT_FORMAT"),
        (text("4%"), "AMOUNT_FORMAT"),
        (Cell::Date(day("2024-02-29")), "AMOUNT_FORMAT"),
        (Cell::Bool(false), "CELL_KIND"),
        (Cell::Empty, "CELL_EMPTY"),
        (Cell::Error("#REF!".to_owned()), "CELL_ERROR"),
    ] {
        assert_eq!(
            shown(cell.amount().map(Fen::fen)),
            expected,
            "{:?}",
            cell.display()
        );
    }
}

#[test]
fn rates_in_millionths() {
    for (cell, expected) in [
        (text("4.35"), "43500"),
        (number("4.35"), "43500"),
        (text("4.35%"), "43500"),
        (text("4.35 ％"), "43500"),
        (text("4.3500"), "43500"),
        (text("0"), "0"),
        (text("0.0001"), "1"),
        (text("100"), "1000000"),
        (text("100.0001"), "RATE_RANGE"),
        (text("99999999999999999999"), "RATE_RANGE"),
        (text("4.35001"), "RATE_DECIMALS"),
        (text("-1"), "RATE_FORMAT"),
        (text("4."), "RATE_FORMAT"),
        (text(".5"), "RATE_FORMAT"),
        (text("4.3.5"), "RATE_FORMAT"),
        (text("%"), "RATE_FORMAT"),
        (text("四"), "RATE_FORMAT"),
        (text("99999999999999999999999999999999999"), "RATE_FORMAT"),
        (Cell::Date(day("2024-02-29")), "RATE_FORMAT"),
        (Cell::Empty, "CELL_EMPTY"),
    ] {
        assert_eq!(shown(cell.rate_ppm()), expected, "{:?}", cell.display());
    }
}

#[test]
fn offices_and_years() {
    for (cell, office, year) in [
        (text("510502"), "510502", "YEAR_FORMAT"),
        (number("510502"), "510502", "YEAR_FORMAT"),
        (text(" 510502 "), "510502", "YEAR_FORMAT"),
        (text("051050"), "OFFICE_CODE", "YEAR_FORMAT"),
        (text("51050"), "OFFICE_CODE", "YEAR_FORMAT"),
        (text("江阳区"), "OFFICE_CODE", "YEAR_FORMAT"),
        (text("2025"), "OFFICE_CODE", "2025"),
        (number("2025"), "OFFICE_CODE", "2025"),
        (text("2025年"), "OFFICE_CODE", "YEAR_FORMAT"),
        (text("+202"), "OFFICE_CODE", "YEAR_FORMAT"),
        (Cell::Date(day("2025-01-01")), "OFFICE_CODE", "YEAR_FORMAT"),
        (Cell::Empty, "CELL_EMPTY", "CELL_EMPTY"),
    ] {
        assert_eq!(shown(cell.office()), office, "{:?}", cell.display());
        assert_eq!(shown(cell.year()), year, "{:?}", cell.display());
    }
}

#[test]
fn texts_and_identity_numbers() {
    for (cell, as_text, as_identity) in [
        (text("\u{3000}蒋刚红 "), "蒋刚红", "蒋刚红"),
        (
            text("51059019891007071x"),
            "51059019891007071x",
            "51059019891007071X",
        ),
        (
            text("510590197607110016"),
            "510590197607110016",
            "510590197607110016",
        ),
        // What a spreadsheet leaves of it in a text file.
        (text("5.10590E+17"), "5.10590E+17", "ID_NOT_TEXT"),
        (number("510590197607110000"), "ID_NOT_TEXT", "ID_NOT_TEXT"),
        (number("1234567890123456"), "ID_NOT_TEXT", "ID_NOT_TEXT"),
        (number("123456789012345"), "123456789012345", "ID_NOT_TEXT"),
        (number("2024"), "2024", "ID_NOT_TEXT"),
        (
            text("91510590407224700G"),
            "91510590407224700G",
            "91510590407224700G",
        ),
        (
            text("9151059034260842e5"),
            "9151059034260842e5",
            "9151059034260842E5",
        ),
        (Cell::Date(day("2024-01-01")), "CELL_KIND", "CELL_KIND"),
        (Cell::Bool(true), "CELL_KIND", "CELL_KIND"),
        (Cell::Error("#N/A".to_owned()), "CELL_ERROR", "CELL_ERROR"),
        (Cell::Empty, "CELL_EMPTY", "CELL_EMPTY"),
    ] {
        assert_eq!(shown(cell.text()), as_text, "{:?}", cell.display());
        assert_eq!(
            shown(cell.identity_number()),
            as_identity,
            "{:?}",
            cell.display()
        );
    }
    assert!(text(&"泸".repeat(32_767)).text().is_ok());
    assert_eq!(shown(text(&"泸".repeat(32_768)).text()), "CELL_TOO_LONG");
}

#[test]
fn a_label_is_one_of_a_list() {
    let labels = [("是", 1), ("否", 2)];
    for (cell, expected) in [
        (text("是"), "1"),
        (text(" 否\u{3000}"), "2"),
        (text("是的"), "VALUE_UNKNOWN"),
        (text("Y"), "VALUE_UNKNOWN"),
        (number("1"), "VALUE_UNKNOWN"),
        (Cell::Bool(true), "VALUE_UNKNOWN"),
        (Cell::Date(day("2024-01-01")), "VALUE_UNKNOWN"),
        (Cell::Empty, "CELL_EMPTY"),
    ] {
        assert_eq!(shown(cell.label(&labels)), expected, "{:?}", cell.display());
    }
    let error = text("x").label(&labels).unwrap_err();
    assert_eq!(error.to_string(), "no such value; allowed: 是, 否");
    assert_eq!(error.zh(), "没有这个取值，可填：是、否");
}

#[test]
fn no_content_in_errors_or_debug_output() {
    let secret = "510590197607110016";
    let cells = [text(secret), number(secret), Cell::Error(secret.to_owned())];
    for cell in &cells {
        assert!(!format!("{cell:?}").contains("510590"));
        let errors = [
            cell.date().map(|_| ()),
            cell.dates().map(|_| ()),
            cell.amount().map(|_| ()),
            cell.rate_ppm().map(|_| ()),
            cell.office().map(|_| ()),
            cell.year().map(|_| ()),
            cell.label(&[("是", 1)]).map(|_| ()),
        ];
        for error in errors {
            let error = error.unwrap_err();
            assert!(!format!("{error} {error:?} {}", error.zh()).contains("510590"));
        }
    }
}
