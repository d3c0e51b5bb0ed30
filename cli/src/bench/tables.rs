//! A document of figures as tables, for a terminal and for docs/BENCH.md.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use serde_json::Value;

use super::row::grouped;
use crate::output::{self, Sheet};

/// Columns of a terminal that a table is for.
const PAGE: u16 = 120;

/// The rows.
pub(super) fn rows(document: &Value) -> Sheet {
    let columns = [
        "work",
        "figure",
        "unit",
        "spread",
        "against",
        "yardstick",
        "ratio",
        "reach",
        "verdict",
    ];
    let cells = list(document, "rows").map(|row| {
        let verdict = match row["why_not_measured"].as_str() {
            Some(why) => format!("not measured: {why}"),
            None => text(&row["verdict"]),
        };
        vec![
            text(&row["work"]),
            number(&row["figure"]),
            text(&row["unit"]),
            ratio(&row["figure_spread"]),
            text(&row["against"]),
            number(&row["yardstick"]),
            ratio(&row["ratio"]),
            ratio(&row["reach"]),
            verdict,
        ]
    });
    output::sheet(&columns, &[], cells.collect())
}

/// The rows for people: a figure's unit below it, what it is compared with below
/// the work, so that a page is wide enough.
pub(super) fn summary(document: &Value) -> Sheet {
    let columns = [
        "work, and against what",
        "figure",
        "yardstick",
        "spread",
        "ratio",
        "reach",
        "reached",
    ];
    let cells = list(document, "rows").map(|row| {
        let reached = match row["verdict"].as_str() {
            Some("reached") => "yes",
            Some("falls short") => "no",
            Some(_) | None => "-",
        };
        let why = row["why_not_measured"].as_str();
        let why = why.map_or_else(String::new, |why| format!(" (not measured: {why})"));
        vec![
            format!("{}\n/ {}{why}", text(&row["work"]), text(&row["against"])),
            format!("{}\n{}", number(&row["figure"]), text(&row["unit"])),
            number(&row["yardstick"]),
            ratio(&row["figure_spread"]),
            ratio(&row["ratio"]),
            ratio(&row["reach"]),
            reached.to_owned(),
        ]
    });
    output::sheet(&columns, &[], cells.collect())
}

/// Latencies, and CPU time a request: of the rows that are about requests, and
/// of their yardsticks. What was measured once for several rows stands once.
pub(super) fn requests(document: &Value) -> Sheet {
    let columns = [
        "row",
        "whose",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "server CPU ns",
        "load CPU ns",
    ];
    let figures = [
        "p50_us",
        "p99_us",
        "p999_us",
        "server_cpu_ns",
        "client_cpu_ns",
    ];
    let mut cells: Vec<Vec<String>> = Vec::new();
    for row in list(document, "rows") {
        for (prefix, whose) in [("", "luzhang"), ("yardstick_", "yardstick")] {
            let figures = figures.map(|name| &row[format!("{prefix}{name}")]);
            if !figures[0].is_u64() {
                continue;
            }
            let figures = figures.map(number);
            if !cells.iter().any(|line| line.ends_with(&figures)) {
                let whose = [text(&row["id"]), whose.to_owned()];
                cells.push(whose.into_iter().chain(figures).collect());
            }
        }
    }
    output::sheet(&columns, &[], cells)
}

/// What there was after each tenth of the import.
pub(super) fn import(document: &Value) -> Sheet {
    let columns = [
        "imported",
        "events inside",
        "events/s",
        "server CPU ns/event",
        "resident MiB",
        "disk MiB",
        "database/blocks",
    ];
    let growth = list(document, "rows").find(|row| row["id"] == "growth");
    let marks = growth.into_iter().flat_map(|row| list(row, "marks"));
    let mib = |bytes: &Value| {
        let bytes = bytes.as_u64();
        bytes.map_or_else(|| "-".to_owned(), |bytes| grouped(bytes >> 20))
    };
    let cells = marks.map(|mark| {
        vec![
            number(&mark["imported"]),
            number(&mark["events"]),
            number(&mark["events_per_second"]),
            number(&mark["server_cpu_ns"]),
            mib(&mark["resident_bytes"]),
            mib(&mark["disk_bytes"]),
            ratio(&mark["db_to_stored"]),
        ]
    });
    output::sheet(&columns, &[], cells.collect())
}

/// For a terminal. Words wrap, numbers do not.
pub(super) fn page(sheet: &Sheet) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(PAGE);
    table.set_header(&sheet.columns);
    for row in &sheet.rows {
        table.add_row(row);
    }
    for (place, name) in sheet.columns.iter().enumerate() {
        let wraps = name.starts_with("work");
        if let Some(column) = table.column_mut(place).filter(|_| !wraps) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.to_string()
}

/// For a file. Numbers stand to the right.
pub(super) fn markdown(sheet: &Sheet) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rules = sheet.columns.iter().enumerate().map(|(place, _)| {
        let numeric = |row: &Vec<String>| {
            let cell = row.get(place).map_or("", String::as_str);
            cell.chars()
                .all(|c| c.is_ascii_digit() || ",.-".contains(c))
        };
        let right = !sheet.rows.is_empty() && sheet.rows.iter().all(numeric);
        if right { "--:" } else { "---" }.to_owned()
    });
    let rules: Vec<String> = rules.collect();
    let mut text = line(&sheet.columns) + &line(&rules);
    text.extend(sheet.rows.iter().map(|row| line(row)));
    text
}

pub(super) fn list<'a>(from: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    from[name].as_array().into_iter().flatten()
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

fn number(value: &Value) -> String {
    value.as_u64().map_or_else(|| "-".to_owned(), grouped)
}

/// With three digits after the point, as it was written.
pub(super) fn ratio(value: &Value) -> String {
    let number = value.as_number().map(ToString::to_string);
    let Some(number) = number else {
        return "-".to_owned();
    };
    let (whole, part) = number.split_once('.').unwrap_or((&number, ""));
    format!("{whole}.{part:0<3.3}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_is_no_wider_than_a_terminal() {
        let row = json!({
            "work": "streamed batches of 1,000 claims, and so on ".repeat(3),
            "against": "a plain file append of the same blocks ".repeat(3),
            "unit": "bytes/1,000 events",
            "figure": 123_456_789_012_u64,
            "yardstick": 987_654_321_098_u64,
            "ratio": 12_345.678,
            "reach": 15.0,
            "verdict": "not measured",
            "why_not_measured": "its server is not installed",
        });
        for line in page(&summary(&json!({ "rows": [row] }))).lines() {
            assert!(line.chars().count() <= usize::from(PAGE), "{line}");
        }
    }

    #[test]
    fn a_ratio_keeps_its_three_digits() {
        for (value, shown) in [
            (json!(1.5), "1.500"),
            (json!(0.871), "0.871"),
            (json!(2), "2.000"),
            (Value::Null, "-"),
        ] {
            assert_eq!(ratio(&value), shown);
        }
    }

    #[test]
    fn whoever_has_latencies_has_a_line() {
        let document = json!({ "rows": [
            { "id": "echo", "p50_us": 1, "p99_us": 2, "p999_us": 3, "server_cpu_ns": 4_000,
              "client_cpu_ns": 5_000, "yardstick_p50_us": 6 },
            { "id": "tail", "p50_us": 1, "p99_us": 2, "p999_us": 3, "server_cpu_ns": 4_000,
              "client_cpu_ns": 5_000 },
            { "id": "memory" },
        ] });
        let lines = requests(&document).rows;
        assert_eq!(
            lines,
            [
                ["echo", "luzhang", "1", "2", "3", "4,000", "5,000"],
                ["echo", "yardstick", "6", "-", "-", "-", "-"],
            ]
        );
    }
}
