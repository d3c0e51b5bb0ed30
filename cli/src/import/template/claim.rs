//! Rows that become claims, which policy decides. Each reads its cells in the
//! order of the template's columns.

use luzhang_proto::wire::{
    Borrower, BrandAward, InterestSubsidy, Loan, RecognitionLevel, ServiceSubsidy, SkillBase,
    SkillBaseKind, TrainingAllowance, borrower, command::Body,
};

use super::row::Fields;

const SKILL_BASE_KINDS: [(&str, SkillBaseKind); 2] = [
    ("高技能人才培训基地", SkillBaseKind::TrainingBase),
    ("技能大师工作室", SkillBaseKind::MasterStudio),
];

const RECOGNITION_LEVELS: [(&str, RecognitionLevel); 2] = [
    ("国家级", RecognitionLevel::National),
    ("省级", RecognitionLevel::Provincial),
];

/// 借款人类型.
#[derive(Clone, Copy, Default)]
enum BorrowerKind {
    #[default]
    Person,
    SmallFirm,
}

const BORROWER_KINDS: [(&str, BorrowerKind); 2] = [
    ("个人", BorrowerKind::Person),
    ("小微企业", BorrowerKind::SmallFirm),
];

pub(super) fn training_allowance(row: &mut Fields<'_>) -> Body {
    let claim = TrainingAllowance {
        claim_no: row.text("申领编号"),
        person: Some(row.person("姓名", "身份证号码")),
        course_no: row.text("班级编号"),
        dates: row.dates("补贴日期"),
        daily_fen: row.amount("每日标准"),
        amount_fen: row.amount("金额"),
        fund: row.text("资金来源"),
    };
    row.office("区县代码");
    Body::TrainingAllowance(claim)
}

pub(super) fn skill_base(row: &mut Fields<'_>) -> Body {
    let claim = SkillBase {
        claim_no: row.text("申领编号"),
        entity: Some(row.organisation("单位名称", "统一社会信用代码")),
        kind: row.label("类型", &SKILL_BASE_KINDS).into(),
        level: row.label("级别", &RECOGNITION_LEVELS).into(),
        recognised_on: row.date("认定日期"),
        document: row.text("认定文号"),
        amount_fen: row.amount("金额"),
        fund: row.text("资金来源"),
    };
    row.office("区县代码");
    Body::SkillBase(claim)
}

pub(super) fn service_subsidy(row: &mut Fields<'_>) -> Body {
    let claim = ServiceSubsidy {
        claim_no: row.text("申领编号"),
        agency: Some(row.organisation("机构名称", "机构代码")),
        worker: Some(row.person("姓名", "身份证号码")),
        employer: Some(row.organisation("用工单位", "用工单位代码")),
        contract_first_day: row.date("合同起始"),
        contract_last_day: row.date("合同截止"),
        insured_from: row.date_or_none("参保起始"),
        amount_fen: row.amount("金额"),
        fund: row.text("资金来源"),
    };
    row.office("区县代码");
    Body::ServiceSubsidy(claim)
}

pub(super) fn brand_award(row: &mut Fields<'_>) -> Body {
    let claim = BrandAward {
        claim_no: row.text("申领编号"),
        brand_no: row.text("品牌编号"),
        amount_fen: row.amount("金额"),
        paid_on: row.date("发放日期"),
        fund: row.text("资金来源"),
    };
    row.office("区县代码");
    Body::BrandAward(claim)
}

pub(super) fn loan(row: &mut Fields<'_>) -> Body {
    let loan_no = row.text("贷款编号");
    let kind = match row.label("借款人类型", &BORROWER_KINDS) {
        BorrowerKind::Person => borrower::Kind::Person(row.person("借款人", "证件号码")),
        BorrowerKind::SmallFirm => {
            borrower::Kind::SmallFirm(row.organisation("借款人", "证件号码"))
        }
    };
    let claim = Loan {
        loan_no,
        borrower: Some(Borrower { kind: Some(kind) }),
        principal_fen: row.amount("贷款金额"),
        rate_ppm: row.rate_ppm("年利率"),
        issued_on: row.date("发放日期"),
        due_on: row.date("到期日期"),
        bank: row.text("经办银行"),
    };
    row.office("区县代码");
    Body::Loan(claim)
}

pub(super) fn interest_subsidy(row: &mut Fields<'_>) -> Body {
    let claim = InterestSubsidy {
        claim_no: row.text("申领编号"),
        loan_no: row.text("贷款编号"),
        from: row.date("计息起始"),
        until: row.date("计息截止"),
        interest_fen: row.amount("实付利息"),
        amount_fen: row.amount("贴息金额"),
        fund: row.text("资金来源"),
    };
    row.office("区县代码");
    Body::InterestSubsidy(claim)
}
