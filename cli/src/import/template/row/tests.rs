use super::*;
use crate::import::template::{
    Template,
    tests::{PERSON, good, read, table, with},
};

fn faults(result: Result<ParsedRow, Vec<RowError>>) -> Vec<(&'static str, &'static str)> {
    let errors = result.unwrap_err();
    errors
        .iter()
        .map(|error| (error.column, error.code))
        .collect()
}

#[test]
fn an_empty_cell_is_named_by_its_column() {
    let may_be_empty = [
        (Template::PovertyStatus, "截止日期"),
        (Template::ServiceSubsidy, "参保起始"),
        (Template::Authority, "失效日期"),
        (Template::Review, "审核说明"),
        (Template::Approval, "审批说明"),
        (Template::Notice, "公示截止"),
        (Template::ObjectionResolution, "处理说明"),
        (Template::Reversal, "冲正金额"),
        (Template::RecoveryOpening, "追回金额"),
        (Template::RecoveryOpening, "冲突位置"),
    ];
    for template in Template::ALL {
        for column in template.columns() {
            let result = with(template, column, "\u{3000}");
            let is_step = is_step(template);
            if names_a_grant(template) && *column == "项目" {
                assert_eq!(faults(result), [("申领编号", "GRANT_NUMBER")]);
            } else if may_be_empty.contains(&(template, column)) || is_step && *column == "区县代码"
            {
                assert!(result.is_ok(), "{} {column}", template.id());
            } else {
                assert_eq!(
                    faults(result),
                    [(*column, "CELL_EMPTY")],
                    "{}",
                    template.id()
                );
            }
        }
    }
}

fn names_a_grant(template: Template) -> bool {
    is_step(template) && template.columns().contains(&"申领编号")
}

/// Whether the acting office comes last and may be left out.
fn is_step(template: Template) -> bool {
    let mut cells = good(template);
    let last = template.columns().last() == Some(&"区县代码");
    *cells.last_mut().unwrap() = "";
    last && read(template.columns(), &cells).is_ok()
}

fn may_be_empty(template: Template, column: &str) -> bool {
    if names_a_grant(template) && column == "项目" {
        return true;
    }
    // Spending is stated for both years or for none.
    let spending = ["上年投入", "本年投入"].contains(&column);
    spending || column != "区县代码" && with(template, column, "").is_ok()
}

/// Whether an `x` is good there.
fn last_is_text(template: Template, column: &str) -> bool {
    template.columns().last() == Some(&column) && with(template, column, "x").is_ok()
}

#[test]
fn all_errors_of_a_row_in_the_order_of_its_columns() {
    for template in Template::ALL {
        let columns = template.columns();
        let nothing = vec![""; columns.len() - 1];
        let cells: Vec<&str> = nothing.into_iter().chain(["x"]).collect();
        let found: Vec<&str> = faults(read(columns, &cells))
            .iter()
            .map(|fault| fault.0)
            .collect();
        let expected: Vec<&str> = columns
            .iter()
            .copied()
            .filter(|name| !may_be_empty(template, name) && !last_is_text(template, name))
            .collect();
        assert_eq!(found, expected, "{}", template.id());
    }
}

#[test]
fn values_that_are_wrong() {
    for (template, column, value, code) in [
        (
            Template::PovertyStatus,
            "截止日期",
            "2025-02-30",
            "DATE_INVALID",
        ),
        (Template::ServiceSubsidy, "参保起始", "无", "DATE_FORMAT"),
        (
            Template::UnemploymentBenefit,
            "身份证号码",
            "5.10590E+17",
            "ID_NOT_TEXT",
        ),
        (Template::Course, "区县代码", "江阳区", "OFFICE_CODE"),
        (
            Template::Attendance,
            "出勤日期",
            "2025-08-04..2025-08-01",
            "DATE_RUN_REVERSED",
        ),
        (
            Template::TrainingAllowance,
            "每日标准",
            "40.001",
            "AMOUNT_DECIMALS",
        ),
        (
            Template::TrainingAllowance,
            "补贴日期",
            "1900-01-01..2100-01-01",
            "DATES_TOO_MANY",
        ),
        (Template::SkillBase, "类型", "学校", "VALUE_UNKNOWN"),
        (Template::SkillBase, "级别", "川字号", "VALUE_UNKNOWN"),
        (Template::Plaque, "级别", "省级", "VALUE_UNKNOWN"),
        (Template::BrandAward, "金额", "-1", "AMOUNT_NEGATIVE"),
        (Template::Loan, "借款人类型", "公司", "VALUE_UNKNOWN"),
        (Template::Loan, "年利率", "4.35001", "RATE_DECIMALS"),
        (Template::LoanSettlement, "是否逾期", "y", "VALUE_UNKNOWN"),
        (
            Template::InterestSubsidy,
            "实付利息",
            "一千",
            "AMOUNT_FORMAT",
        ),
        (Template::Reversal, "冲正金额", "0.00", "AMOUNT_ZERO"),
        (Template::Retraction, "撤回位置", "-31", "POSITION_FORMAT"),
        (Template::Retraction, "撤回位置", "一", "POSITION_FORMAT"),
        (Template::Review, "审核意见", "同意", "VALUE_UNKNOWN"),
        (Template::Appropriation, "年度", "二〇二三", "YEAR_FORMAT"),
        (
            Template::Appropriation,
            "金额",
            "99999999999999",
            "AMOUNT_RANGE",
        ),
    ] {
        let errors = with(template, column, value).unwrap_err();
        let [error] = errors.as_slice() else {
            panic!("{errors:?}")
        };
        assert_eq!((error.column, error.code), (column, code), "{value}");
        // The column is told apart; whoever shows the error names it.
        for sentence in [&error.zh, &error.en] {
            assert!(
                !sentence.is_empty() && !sentence.contains(value),
                "{sentence}"
            );
        }
    }
}

#[test]
fn the_same_value_in_other_words_is_the_same_row() {
    let identity = |cells: [&str; 5]| {
        read(Template::PovertyStatus.columns(), &cells)
            .unwrap()
            .identity
    };
    let one = identity(["甲", "51059019881111051X", "2020-01-01", "", "2024-A"]);
    assert_eq!(
        one,
        "甲\u{1f}51059019881111051X\u{1f}2020-01-01\u{1f}\u{1f}2024-A"
    );
    for same in [
        [" 甲", "51059019881111051x", "2020/1/1", " ", "2024-A"],
        [
            "甲",
            "51059019881111051X ",
            "2020/01/01",
            "",
            "\u{3000}2024-A",
        ],
    ] {
        assert_eq!(identity(same), one);
    }
    for other in [
        ["乙", "51059019881111051X", "2020-01-01", "", "2024-A"],
        ["甲", PERSON, "2020-01-01", "", "2024-A"],
        ["甲", "51059019881111051X", "2020-01-02", "", "2024-A"],
        [
            "甲",
            "51059019881111051X",
            "2020-01-01",
            "2025-01-01",
            "2024-A",
        ],
        ["甲", "51059019881111051X", "2020-01-01", "", "2024-B"],
    ] {
        assert_ne!(identity(other), one);
    }
}

#[test]
fn elsewhere_the_key_alone_is_the_identity() {
    for template in Template::ALL {
        let row = read(template.columns(), &good(template)).unwrap();
        let lists = [
            Template::PovertyStatus,
            Template::UnemploymentBenefit,
            Template::Account,
        ];
        let expected = if lists.contains(&template) {
            good(template).join("\u{1f}")
        } else {
            row.key.replace(':', "\u{1f}")
        };
        assert_eq!(row.identity, expected, "{}", template.id());
    }
}

#[test]
fn a_row_with_errors_has_a_key() {
    for (template, cells, key) in [
        (Template::LoanSettlement, vec![" DK-1 ", "x", "x"], "DK-1"),
        (Template::LoanSettlement, vec!["", "x", "x"], ""),
        (Template::LoanSettlement, vec!["DK-1"], "DK-1"),
        (
            Template::Attendance,
            vec!["px-1", "甲", "51059019881111051x", "x"],
            "px-1:51059019881111051X",
        ),
    ] {
        let table = table(template.columns(), &cells);
        let layout = Layout::find(&table).unwrap();
        assert_eq!(layout.key(&table.rows()[0]), key);
        assert!(layout.row(&table.rows()[0]).is_err());
    }
}

#[test]
fn a_row_of_another_width_is_an_error_of_the_row() {
    let header = ["贷款编号", "结清日期", "是否逾期", "", "结果"];
    for (cells, sound) in [
        (vec!["DK-1", "2024-12-16", "否"], true),
        (vec!["DK-1", "2024-12-16", "否", "", "通过", "", ""], true),
        (vec!["DK-1", "2024-12-16"], false),
        (vec!["DK-1", "2024-12-16", "否", "x"], false),
        (vec!["DK-1", "2024-12-16", "否", "", "通过", "x"], false),
    ] {
        let result = read(&header, &cells);
        if sound {
            assert!(result.is_ok(), "{cells:?}");
        } else {
            assert_eq!(faults(result), [("", "FIELD_COUNT")], "{cells:?}");
        }
    }
}

#[test]
fn debug_output_has_no_content() {
    let row = read(
        Template::PovertyStatus.columns(),
        &good(Template::PovertyStatus),
    )
    .unwrap();
    assert_eq!(format!("{row:?}"), "ParsedRow { .. }");
}
