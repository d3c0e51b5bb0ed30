use super::*;
use crate::import::template::tests::{cases, read};

#[test]
fn columns_in_any_order_with_white_space_and_results() {
    for case in cases() {
        let columns = case.template.columns();
        let spaced: Vec<String> = columns
            .iter()
            .map(|name| format!(" {name}\u{3000}"))
            .collect();
        let mut header: Vec<&str> = spaced.iter().map(String::as_str).rev().collect();
        let mut cells: Vec<&str> = case.cells.iter().copied().rev().collect();
        header.insert(1, "原因");
        cells.insert(1, "X 某原因；Y 又一个");
        header.extend(["结果", "位置", ""]);
        cells.extend(["通过", "17", ""]);
        case.check(read(&header, &cells));
    }
}

#[test]
fn headers_that_are_no_template() {
    let error = |header: &str| {
        let table = Table::from_bytes(header.as_bytes().to_vec()).unwrap();
        let error = Layout::find(&table).unwrap_err();
        (error.code(), error.zh(), error.to_string())
    };
    for (header, code, words) in [
        ("a,b", "TEMPLATE_UNKNOWN", vec![]),
        // A file without a header begins with a person.
        (
            "蒋刚红,510590199003070016,2020-01-01,,2024-A",
            "TEMPLATE_UNKNOWN",
            vec!["识别日期,截止日期,名册版本"],
        ),
        ("贷款编号,x,y", "TEMPLATE_UNKNOWN", vec![]),
        // Half of one template is more than two fifths of another.
        (
            "姓名,身份证号码",
            "COLUMN_MISSING",
            vec!["attendance", "班级编号"],
        ),
        (
            "贷款编号,结清日期",
            "COLUMN_MISSING",
            vec!["loan-settlement", "是否逾期"],
        ),
        (
            "姓名,身份证号,识别日期,名册版本",
            "COLUMN_MISSING",
            vec!["poverty-status", "身份证号码", "截止日期"],
        ),
        (
            "申领编号,姓名,身份证号码,班级编号,每日标准,金额,资金来源,区县代码",
            "COLUMN_MISSING",
            vec!["training-allowance", "补贴日期"],
        ),
        (
            "贷款编号,结清日期,是否逾期,备注,经办人",
            "COLUMN_UNKNOWN",
            vec!["loan-settlement", "备注", "经办人"],
        ),
        (
            "贷款编号,结清日期,是否逾期,结清日期",
            "COLUMN_REPEATED",
            vec!["loan-settlement", "结清日期"],
        ),
        (
            "贷款编号,结清日期,是否逾期,更正位置",
            "COLUMN_MISSING",
            vec!["loan-settlement", "更正原因"],
        ),
        (
            "文号,资金来源,项目,区县代码,年度,金额,更正位置,更正原因",
            "COLUMN_UNKNOWN",
            vec!["appropriation", "更正位置", "更正原因"],
        ),
    ] {
        let (found, zh, en) = error(header);
        assert_eq!(found, code, "{header}");
        for word in words {
            assert!(zh.contains(word) && en.contains(word), "{word}: {zh} {en}");
        }
        for secret in ["蒋刚红", "510590199003070016"] {
            assert!(!zh.contains(secret) && !en.contains(secret));
        }
    }
}
