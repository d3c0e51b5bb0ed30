//! Tables: CSV and workbooks, every template.

use std::{
    collections::BTreeSet,
    io::{Cursor, Write as _},
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{edits::edited, is_telling};
use crate::{
    import::{
        Layout, Outcome, Reason, RowResult, Table, Template,
        annotate::annotated_text,
        cell::{Cell, trim},
        table::{MAX_COLUMNS, MAX_ROWS, TableError},
    },
    lang::Lang,
};

/// The most cells that are looked at closely.
const CELLS: usize = 20_000;

/// Persons and organisations, with an area code that was never issued.
const PERSON: &str = "51059019831126546X";
const FIRM: &str = "91510590831602985E";

/// The parts of a small workbook, a line an element.
const PARTS: [(&str, &str); 7] = [
    (
        "[Content_Types].xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>
<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>
<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>
</Types>
"#,
    ),
    (
        "_rels/.rels",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>
</Relationships>
"#,
    ),
    (
        "xl/workbook.xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<workbookPr date1904="0"/>
<sheets>
<sheet name="名册" sheetId="1" r:id="rId1"/>
<sheet name="other" sheetId="2" state="hidden" r:id="rId1"/>
</sheets>
</workbook>
"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>
<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/>
</Relationships>
"#,
    ),
    (
        "xl/worksheets/sheet1.xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<dimension ref="A1:E4"/>
<cols><col min="1" max="5" width="20" style="1"/></cols>
<sheetData>
<row r="1">
<c r="A1" t="s"><v>0</v></c>
<c r="B1" t="s"><v>1</v></c>
<c r="C1" t="s"><v>2</v></c>
<c r="D1" t="inlineStr"><is><t>截止日期</t></is></c>
<c r="E1" t="str"><v>名册版本</v></c>
</row>
<row r="2">
<c r="A2" t="s"><v>3</v></c>
<c r="B2" t="s"><v>4</v></c>
<c r="C2" s="1"><v>45362</v></c>
<c r="E2"><v>2024</v></c>
</row>
<row r="3">
<c r="A3" t="inlineStr"><is><t>某乙</t></is></c>
<c r="B3"><v>510590198910117000</v></c>
<c r="C3" s="1"><v>45362.5</v></c>
<c r="D3" s="2"><v>0.0435</v></c>
<c r="E3" t="b"><v>1</v></c>
</row>
<row r="5">
<c r="A5" t="e"><v>#N/A</v></c>
<c r="B5"><f>A2&amp;"x"</f><v>1e308</v></c>
<c r="C5" t="d"><v>2024-03-11T00:00:00</v></c>
<c r="D5" s="1"/>
<c r="E5" s="3"><v>-1.5</v></c>
</row>
</sheetData>
<mergeCells count="1"><mergeCell ref="A7:B7"/></mergeCells>
</worksheet>
"#,
    ),
    (
        "xl/styles.xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<numFmts count="1"><numFmt numFmtId="164" formatCode="[h]:mm"/></numFmts>
<cellXfs count="4">
<xf numFmtId="0"/>
<xf numFmtId="14" applyNumberFormat="1"/>
<xf numFmtId="10" applyNumberFormat="1"/>
<xf numFmtId="164" applyNumberFormat="1"/>
</cellXfs>
</styleSheet>
"#,
    ),
    (
        "xl/sharedStrings.xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="5" uniqueCount="5">
<si><t>姓名</t></si>
<si><t>身份证号码</t></si>
<si><r><t>识别</t></r><r><t>日期</t></r></si>
<si><t xml:space="preserve">某甲 </t></si>
<si><t>51059019831126546X</t></si>
</sst>
"#,
    ),
];

fn workbook(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, part) in parts {
        writer.start_file(*name, options).unwrap();
        writer.write_all(part).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn sound_workbook() -> Vec<(&'static str, Vec<u8>)> {
    PARTS.map(|(name, part)| (name, part.into())).to_vec()
}

/// What a clerk writes into a column.
fn usual(column: &str) -> &'static str {
    match column {
        "身份证号码" | "证件号码" => PERSON,
        "统一社会信用代码" | "机构代码" | "用工单位代码" => FIRM,
        "出勤日期" | "补贴日期" => "2024-03-11..2024-03-13;2024/3/15",
        "每日标准" | "金额" | "上年投入" | "本年投入" | "核销金额" => "40.00",
        "贷款金额" => "300000",
        "实付利息" | "贴息金额" => "872.08",
        "年利率" => "3.45%",
        "年度" => "2024",
        "区县代码" => "510502",
        "更正位置" | "位置" | "冲突位置" => "12",
        "是否逾期" => "否",
        "借款人类型" | "户主类型" | "对象类型" => "个人",
        "输出省份" | "务工省份" | "省份" => "广东",
        "申领编号" | "申领编号列表" => "@12",
        _ if column.ends_with("日期") || column.ends_with("起始") || column.ends_with("截止") => {
            "2024-03-11"
        }
        "识别" | "日期" => "2024-03-11",
        _ => "某甲",
    }
}

/// A table of a template with two rows; what has only some values has each of them.
fn usual_table(template: Template, rotated: usize) -> String {
    let mut columns = template.columns().to_vec();
    let length = columns.len();
    columns.rotate_left(rotated % length);
    if rotated > 127 {
        columns.extend(crate::import::CORRECTION_COLUMNS);
    }
    let row: Vec<&str> = columns.iter().map(|column| usual(column)).collect();
    let (head, row) = (columns.join(","), row.join(","));
    format!("{head}\n{row}\n\n{row}\n")
}

#[cfg(test)]
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, _) in Template::ALL.iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        seeds.push(vec![b't', number, number % 3 * 70]);
    }
    for part in 0..7 {
        seeds.push(vec![b'x', part, 6, 0, 8, 4, 5, 0, 9, 3]);
    }
    for what in 0..8 {
        seeds.push(vec![b'x', 4, what, what * 3, what * 36, 10 + what]);
    }
    seeds.push(vec![b'x', 4]);
    seeds.push(vec![b'z', 0, 0, 90, 1]);
    let raw = [
        "姓名,身份证号码,识别日期,截止日期,名册版本\n某甲,51059019831126546X,2024-11-30,,v1\n",
        "姓名;身份证号码;识别日期;截止日期;名册版本\r\n\"某;甲\";51059019831126546X;2024/1/3;;v\r\n",
        "\u{feff}姓名\t身份证号码\t识别日期\t截止日期\t名册版本\n'=1+1\t\"a\"\"b\"\t\t\t\n",
        "姓名,身份证号码,识别日期,截止日期,名册版本\n\"某甲,1,2,3,4\n",
        "",
        "\n\n",
    ];
    seeds.extend(raw.map(|text| [b"c", text.as_bytes()].concat()));
    let (chinese, _, _) = encoding_rs::GB18030.encode(raw[0]);
    seeds.push([b"c", &*chinese].concat());
    seeds
}

/// A file (`c`), the usual table of a template, its columns turned, with some lines
/// changed (`t`), and a workbook with a part (`x`) or its bytes (`z`) changed.
pub fn table(bytes: &[u8]) {
    match bytes {
        [b'c', file @ ..] => file_of(file.to_vec()),
        [b't', which, rotated, edits @ ..] => {
            let template = |which: usize| Template::ALL[which % Template::ALL.len()];
            let which = usize::from(*which);
            let sound = usual_table(template(which), usize::from(*rotated));
            let other = usual_table(template(which + 1), 0);
            file_of(edited(sound.as_bytes(), other.as_bytes(), edits));
        }
        [b'x', which, edits @ ..] => {
            let mut parts = sound_workbook();
            let which = usize::from(*which) % parts.len();
            let other = parts[(which + 1) % parts.len()].1.clone();
            parts[which].1 = edited(&parts[which].1, &other, edits);
            file_of(workbook(&parts));
        }
        [b'z', edits @ ..] => {
            let sound = workbook(&sound_workbook());
            file_of(edited(&sound, PARTS[4].1.as_bytes(), edits));
        }
        _ => {}
    }
}

fn file_of(bytes: Vec<u8>) {
    let is_text = !bytes.starts_with(b"PK");
    let outside: BTreeSet<String> = pieces(&bytes).into_iter().collect();
    let table = match Table::from_bytes(bytes) {
        Ok(table) => table,
        Err(error) => return refused(&error, &outside),
    };
    assert!(table.header().len() <= MAX_COLUMNS);
    let mut last = 0;
    let mut cells = 0;
    for row in table.rows() {
        assert!(row.number() > last && row.number() < MAX_ROWS);
        assert!(!row.cells().is_empty() && row.cells().len() <= MAX_COLUMNS);
        last = row.number();
        cells += row.cells().len();
    }
    let shown = format!("{table:?}");
    assert!(!outside.iter().any(|piece| shown.contains(piece)));
    if cells > CELLS || last > 5_000 {
        return;
    }
    let Ok(layout) = Layout::find(&table) else {
        // What it says of a header is bounded.
        let said = Layout::find(&table).map(|_| ()).unwrap_err();
        let long = table
            .header()
            .iter()
            .map(|name| name.chars().count().min(20) + 4);
        assert!(said.zh().chars().count() < 4_000 + long.sum::<usize>());
        return;
    };
    let mut results = Vec::new();
    for row in table.rows() {
        let key = layout.key(row);
        let reasons = match layout.row(row) {
            Ok(parsed) => {
                assert_eq!(parsed.key, key);
                assert!(!parsed.identity.is_empty());
                assert_eq!(parsed.office.len(), 6);
                assert!(parsed.body.encoded_len() > 0);
                Vec::new()
            }
            Err(errors) => {
                assert!(!errors.is_empty());
                for error in &errors {
                    quiet(row.cells(), error);
                }
                let reason = |error: &crate::import::RowError| Reason {
                    code: error.code.to_owned(),
                    zh: error.zh.clone(),
                    en: error.en.clone(),
                };
                errors.iter().map(reason).collect()
            }
        };
        results.push(RowResult {
            row: row.number(),
            key,
            outcome: if reasons.is_empty() {
                Outcome::Accepted
            } else {
                Outcome::Rejected
            },
            reasons,
            position: None,
        });
    }
    given_back(&table, &layout, &results, is_text);
}

/// Pieces of a text file that are long enough to be somebody's.
fn pieces(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let ends = [',', ';', '\t', '\n', '\r', '"'];
    let pieces = text.split(ends).filter(|piece| is_telling(piece));
    pieces.take(200).map(str::to_owned).collect()
}

fn refused(error: &TableError, outside: &BTreeSet<String>) {
    assert!(error.code().starts_with("FILE_"));
    for said in [error.zh(), error.to_string()] {
        assert!(!said.is_empty());
        for piece in outside {
            assert!(!said.contains(piece), "{piece:?} in {said}");
        }
    }
}

fn quiet(cells: &[Cell], error: &crate::import::RowError) {
    for said in [&error.zh, &error.en] {
        assert!(!said.is_empty());
        for cell in cells {
            let cell = cell.display();
            let cell = trim(&cell);
            assert!(
                !is_telling(cell) || !said.contains(cell),
                "{cell:?} in {said}"
            );
        }
    }
}

/// The copy that the clerk gets back reads as the same table; and if it was text, its
/// rows are the same commands.
fn given_back(table: &Table, layout: &Layout, results: &[RowResult], is_text: bool) {
    let written = annotated_text(table, results, Lang::Zh).unwrap();
    let again = match Table::from_bytes(written) {
        Ok(again) => again,
        // Three columns more may be too many, or a row too long.
        Err(TableError::TooLarge(_)) => return,
        Err(error) => panic!("{error}"),
    };
    let Ok(same) = Layout::find(&again) else {
        panic!("{:?}", again.header())
    };
    assert_eq!(same.template(), layout.template());
    assert_eq!(again.rows().len(), table.rows().len());
    for (row, copy) in table.rows().iter().zip(again.rows()) {
        assert_eq!(copy.number(), row.number());
        assert_eq!(same.key(copy), layout.key(row));
        if !is_text {
            continue;
        }
        match (layout.row(row), same.row(copy)) {
            (Ok(one), Ok(two)) => {
                assert_eq!(one.identity, two.identity);
                assert_eq!(one.office, two.office);
                assert_eq!(one.body, two.body);
            }
            // A field too many has a column in the copy.
            (Err(one), _) if one[0].code == "FIELD_COUNT" => {}
            (Err(one), Err(two)) => assert_eq!(one, two),
            (Err(one), Ok(_)) => panic!("{one:?}"),
            (Ok(_), Err(two)) => panic!("{two:?}"),
        }
    }
}
