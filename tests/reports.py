"""Reads reports with programs that know nothing of luzhang and compares the forms.

usage: reports.py DIRECTORY

The directory holds NAME.json, NAME.ndjson, NAME.csv, NAME.xlsx and NAME.parquet
of every report NAME. JSON is the measure: all others have to say the same.
"""

import csv
import datetime
import decimal
import json
import pathlib
import re
import sys

import duckdb
import openpyxl

COVER = "# luzhang "
HEADER = 3


def yuan(fen):
    return decimal.Decimal(fen) / 100


def of_workbook(path, report, columns):
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "A4", sheet.freeze_panes
    assert sheet.print_title_rows == "$3:$3", sheet.print_title_rows
    assert sheet.page_setup.orientation == "landscape"
    # One page wide, as many high as it takes; 1 is what the format leaves out.
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToWidth in (1, None), sheet.page_setup.fitToWidth
    assert int(sheet.page_setup.fitToHeight) == 0, sheet.page_setup.fitToHeight
    assert book.worksheets[-1].title in ("说明", "cover")
    rows = len(report["rows"])
    charts = sum(len(each._charts) for each in book.worksheets)
    wants = report["report"] in ("execution", "pivot") and rows > 0
    assert charts == (1 if wants else 0), charts
    for number, row in enumerate(report["rows"]):
        for place, column in enumerate(columns):
            cell = sheet.cell(HEADER + 1 + number, place + 1)
            same_cell(column, cell.value, row[column], cell)
    totals = report["totals"]
    for place, column in enumerate(columns):
        if column in totals:
            cell = sheet.cell(HEADER + 1 + rows, place + 1)
            same_cell(column, cell.value, totals[column], cell)


def same_cell(column, found, expected, cell):
    where = f"{column} {cell.coordinate}: {found!r}, not {expected!r}"
    if expected is None:
        assert found is None, where
    elif column.endswith("_fen"):
        assert isinstance(found, (int, float)), where
        assert decimal.Decimal(str(found)) == yuan(expected), where
        assert cell.number_format == "#,##0.00", where
    elif column.endswith("_bp"):
        assert decimal.Decimal(str(found)) == decimal.Decimal(expected) / 10000, where
        assert cell.number_format == "0.00%", where
    elif isinstance(expected, int):
        assert found == expected, where
    elif isinstance(found, datetime.datetime):
        assert found.date().isoformat() == expected, where
    else:
        # Numbers of claims, persons and documents are texts, to the last digit.
        assert isinstance(found, str) and cell.data_type in ("s", "inlineStr"), where
        if not is_name(column):
            assert found == expected, where


def is_name(column):
    """Whether people read another word than programs do."""
    names = "kind programme office fund month level standing borrower_kind title reason"
    return column in names.split()


def of_csv(path, report, columns):
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
    assert lines[-1][0].startswith(COVER) and len(lines[-1]) == 1
    assert len(lines) == len(report["rows"]) + 2
    for found, expected in zip(lines[1:-1], report["rows"]):
        for text, column in zip(found, columns, strict=True):
            value = expected[column]
            assert not text.startswith(("=", "+", "@")), text
            if value is None:
                assert text == "", (column, text)
            elif column.endswith("_fen"):
                assert decimal.Decimal(text) == yuan(value), (column, text, value)
            elif column.endswith("_bp"):
                assert decimal.Decimal(text.rstrip("%")) * 100 == value
            elif not is_name(column):
                assert text.removeprefix("'") == str(value), (column, text, value)


def of_parquet(path, report, columns):
    db = duckdb.connect()
    table = f"read_parquet('{path}')"
    names = [column.removesuffix("_fen") for column in columns]
    described = db.execute(f"describe select * from {table}").fetchall()
    assert [name for name, *_ in described] == names
    for (name, kind, *_), column in zip(described, columns):
        if column.endswith("_fen"):
            assert kind == "DECIMAL(18,2)", (name, kind)
        elif any(isinstance(row[column], int) for row in report["rows"]):
            assert kind == "BIGINT", (name, kind)
        else:
            assert kind in ("VARCHAR", "DATE", "BIGINT"), (name, kind)
    rows = db.execute(f"select * from {table}").fetchall()
    assert len(rows) == len(report["rows"])
    for found, expected in zip(rows, report["rows"]):
        for value, column in zip(found, columns, strict=True):
            if isinstance(value, datetime.date):
                value = value.isoformat()
            wanted = expected[column]
            if column.endswith("_fen") and wanted is not None:
                wanted = yuan(wanted)
            assert value == wanted, (column, value, wanted)
    for column, total in report["totals"].items():
        if column.endswith("_fen"):
            name = column.removesuffix("_fen")
            (sum_of,) = db.execute(f'select coalesce(sum("{name}"), 0) from {table}').fetchone()
            assert sum_of == yuan(total), (column, sum_of, total)
    encodings = db.execute(
        f"select distinct path_in_schema, encodings from parquet_metadata('{path}')"
    ).fetchall()
    for name, encoding in encodings:
        if name in ("programme", "office", "fund", "kind"):
            assert "DICTIONARY" in encoding, (name, encoding)


def of_ndjson(path, report):
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines.pop() == {"cover": report["cover"]}
    assert lines == report["rows"]


def main():
    directory = pathlib.Path(sys.argv[1])
    reports = sorted(directory.glob("*.json"))
    assert len(reports) >= 9, reports
    for path in reports:
        report = json.loads(path.read_text(encoding="utf-8"))
        columns = report["columns"]
        for column, total in report["totals"].items():
            if column.endswith("_bp"):
                continue
            assert total == sum(row[column] or 0 for row in report["rows"]), column
        try:
            of_ndjson(path.with_suffix(".ndjson"), report)
            of_csv(path.with_suffix(".csv"), report, columns)
            of_workbook(path.with_suffix(".xlsx"), report, columns)
            of_parquet(path.with_suffix(".parquet"), report, columns)
        except AssertionError as error:
            raise AssertionError(f"{path.stem}: {error}") from error
    # What identifies a person is in no report in clear. The birthday tells an
    # identity number from a firm's credit code, which is public.
    identity = re.compile(
        r"(?<![0-9A-Za-z])[1-9]\d{5}(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dX](?![0-9A-Za-z])"
    )
    for path in directory.iterdir():
        if path.suffix in (".json", ".ndjson", ".csv", ".txt"):
            found = identity.search(path.read_text(encoding="utf-8"))
            assert found is None, (path, found)
    print(f"{len(reports)} reports in five forms agree")


if __name__ == "__main__":
    main()
