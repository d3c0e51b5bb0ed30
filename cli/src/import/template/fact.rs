//! Rows that become facts: lists, courses, attendance, plaques, settlements and
//! appropriations. Each reads its cells in the order of the template's columns.

use luzhang_proto::wire::{
    Appropriation, Attendance, BrandLevel, Course, LoanSettlement, Plaque, PovertyStatus,
    Repayment, UnemploymentBenefit, command::Body,
};

use super::row::Fields;

const BRAND_LEVELS: [(&str, BrandLevel); 3] = [
    ("泸字号", BrandLevel::City),
    ("川字号", BrandLevel::Provincial),
    ("区域性", BrandLevel::County),
];

/// 是否逾期.
const REPAYMENTS: [(&str, Repayment); 2] = [("是", Repayment::Overdue), ("否", Repayment::OnTime)];

pub(super) fn poverty_status(row: &mut Fields<'_>) -> Body {
    Body::PovertyStatus(PovertyStatus {
        person: Some(row.person("姓名", "身份证号码")),
        from: row.date("识别日期"),
        until: row.date_or_none("截止日期"),
        list_version: row.text("名册版本"),
    })
}

pub(super) fn unemployment_benefit(row: &mut Fields<'_>) -> Body {
    Body::UnemploymentBenefit(UnemploymentBenefit {
        person: Some(row.person("姓名", "身份证号码")),
        first_day: row.date("领取起始"),
        last_day: row.date("领取截止"),
        source: row.text("数据来源"),
    })
}

pub(super) fn course(row: &mut Fields<'_>) -> Body {
    let course = Course {
        course_no: row.text("班级编号"),
        provider: Some(row.organisation("培训机构", "统一社会信用代码")),
        trade: row.text("工种"),
        first_day: row.date("开班日期"),
        last_day: row.date("结业日期"),
    };
    row.office("区县代码");
    Body::Course(course)
}

pub(super) fn attendance(row: &mut Fields<'_>) -> Body {
    Body::Attendance(Attendance {
        course_no: row.text("班级编号"),
        person: Some(row.person("姓名", "身份证号码")),
        dates: row.dates("出勤日期"),
    })
}

pub(super) fn plaque(row: &mut Fields<'_>) -> Body {
    let plaque = Plaque {
        brand_no: row.text("品牌编号"),
        brand_name: row.text("品牌名称"),
        level: row.label("级别", &BRAND_LEVELS).into(),
        applicant: Some(row.organisation("申报单位", "统一社会信用代码")),
        awarded_on: row.date("授牌日期"),
        document: row.text("授牌文号"),
    };
    row.office("区县代码");
    Body::Plaque(plaque)
}

pub(super) fn loan_settlement(row: &mut Fields<'_>) -> Body {
    Body::LoanSettlement(LoanSettlement {
        loan_no: row.text("贷款编号"),
        settled_on: row.date("结清日期"),
        repayment: row.label("是否逾期", &REPAYMENTS).into(),
    })
}

pub(super) fn appropriation(row: &mut Fields<'_>) -> Body {
    Body::Appropriation(Appropriation {
        document: row.text("文号"),
        fund: row.text("资金来源"),
        programme: row.text("项目"),
        office: row.office("区县代码"),
        year: row.year("年度"),
        amount_fen: row.amount("金额"),
    })
}
