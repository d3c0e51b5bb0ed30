//! Tables as a clerk has them: CSV in two encodings, and workbooks.

use std::{fs, path::Path};

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

/// The headers that tests write themselves.
pub(crate) const HEADERS: [(&str, &str); 7] = [
    (
        "poverty-status",
        "姓名,身份证号码,识别日期,截止日期,名册版本",
    ),
    (
        "unemployment-benefit",
        "姓名,身份证号码,领取起始,领取截止,数据来源",
    ),
    (
        "course",
        "班级编号,培训机构,统一社会信用代码,工种,开班日期,结业日期,区县代码",
    ),
    ("attendance", "班级编号,姓名,身份证号码,出勤日期"),
    (
        "training-allowance",
        "申领编号,姓名,身份证号码,班级编号,补贴日期,每日标准,金额,资金来源,区县代码",
    ),
    (
        "skill-base",
        "申领编号,单位名称,统一社会信用代码,类型,级别,认定日期,认定文号,金额,资金来源,区县代码",
    ),
    ("appropriation", "文号,资金来源,项目,区县代码,年度,金额"),
];

/// A header and the rows under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    /// A table of this template; cells are separated by commas.
    pub(crate) fn of<R: AsRef<str>>(template: &str, rows: impl IntoIterator<Item = R>) -> Self {
        let (_, header) = HEADERS.iter().find(|(name, _)| *name == template).unwrap();
        let split = |line: &str| line.split(',').map(str::to_owned).collect();
        Self {
            header: split(header),
            rows: rows.into_iter().map(|row| split(row.as_ref())).collect(),
        }
    }

    /// Reads CSV in UTF-8, or the first sheet of a workbook as text.
    pub(crate) fn read(path: &Path) -> Self {
        if path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx"))
        {
            return Self::read_workbook(path);
        }
        let text = fs::read_to_string(path).unwrap();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
        Self {
            header: cells(reader.headers().unwrap()),
            rows: reader
                .records()
                .map(|record| cells(&record.unwrap()))
                .collect(),
        }
    }

    fn read_workbook(path: &Path) -> Self {
        use calamine::Reader as _;
        let mut workbook: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
        let sheet = workbook.worksheet_range_at(0).unwrap().unwrap();
        let cells = |row: &[calamine::Data]| row.iter().map(ToString::to_string).collect();
        let mut rows = sheet.rows().map(cells);
        Self {
            header: rows.next().unwrap(),
            rows: rows.collect(),
        }
    }

    /// The cells of a column.
    pub(crate) fn column(&self, name: &str) -> Vec<&str> {
        let place = self.header.iter().position(|column| column == name);
        let place = place.unwrap_or_else(|| panic!("no column {name} in {:?}", self.header));
        self.rows.iter().map(|row| row[place].as_str()).collect()
    }

    fn text(&self) -> String {
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .from_writer(Vec::new());
        for row in [&self.header].into_iter().chain(&self.rows) {
            writer.write_record(row).unwrap();
        }
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    }

    /// Writes CSV in UTF-8 without a byte order mark.
    pub(crate) fn write(&self, path: &Path) {
        fs::write(path, self.text()).unwrap();
    }

    /// Writes CSV as a Chinese spreadsheet does.
    pub(crate) fn write_gb18030(&self, path: &Path) {
        let text = self.text();
        let (bytes, _, lossy) = encoding_rs::GB18030.encode(&text);
        assert!(!lossy);
        fs::write(path, bytes).unwrap();
    }

    /// Writes a workbook as a clerk fills it in: whole days as dates, amounts
    /// and rates as numbers, everything else as text.
    pub(crate) fn write_workbook(&self, path: &Path) {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        let date = Format::new().set_num_format("yyyy/m/d");
        for (column, name) in (0..).zip(&self.header) {
            sheet.write_string(0, column, name).unwrap();
        }
        for (line, row) in (1..).zip(&self.rows) {
            for ((column, cell), name) in (0..).zip(row).zip(&self.header) {
                let numeric = ["金额", "标准", "利率", "利息"]
                    .iter()
                    .any(|part| name.contains(part));
                if let Some(day) = whole_day(cell) {
                    sheet
                        .write_datetime_with_format(line, column, day, &date)
                        .unwrap();
                } else if let (true, Ok(number)) = (numeric, cell.parse::<f64>()) {
                    sheet.write_number(line, column, number).unwrap();
                } else if !cell.is_empty() {
                    sheet.write_string(line, column, cell).unwrap();
                }
            }
        }
        workbook.save(path).unwrap();
    }
}

fn whole_day(cell: &str) -> Option<ExcelDateTime> {
    let is_day = cell.len() == 10
        && (0..).zip(cell.bytes()).all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_day.then(|| ExcelDateTime::parse_from_str(cell).unwrap())
}
