//! Rows that become facts. Each reads its cells in the order of the template's
//! columns.

use luzhang_proto::wire::{
    Account, Appropriation, Attendance, Authority, AuthorityAmount, BrandLevel, Certificate,
    CertificateKind, ContractEnd, Course, LoanSettlement, Plaque, PovertyStatus, Repayment,
    UnemploymentBenefit, account, command::Body,
};

use super::{
    Identity, Spec,
    row::{Fields, HOLDER_KINDS, HolderKind},
};

const BRAND_LEVELS: [(&str, BrandLevel); 3] = [
    ("泸字号", BrandLevel::City),
    ("川字号", BrandLevel::Provincial),
    ("区域性", BrandLevel::County),
];

/// 是否逾期.
const REPAYMENTS: [(&str, Repayment); 2] = [("是", Repayment::Overdue), ("否", Repayment::OnTime)];

const CERTIFICATE_KINDS: [(&str, CertificateKind); 4] = [
    ("职业资格证书", CertificateKind::Qualification),
    ("职业技能等级证书", CertificateKind::SkillLevel),
    ("专项职业能力证书", CertificateKind::SpecialAbility),
    ("培训合格证书", CertificateKind::Training),
];

/// 标准.
const AUTHORITY_AMOUNTS: [(&str, AuthorityAmount); 2] = [
    ("定额", AuthorityAmount::Exactly),
    ("上限", AuthorityAmount::AtMost),
];

pub(super) const POVERTY_STATUS: Spec = Spec {
    id: "poverty-status",
    title: "脱贫人口名册",
    columns: &["姓名", "身份证号码", "识别日期", "截止日期", "名册版本"],
    key: &["身份证号码"],
    identity: Identity::Row,
    body: poverty_status,
};

fn poverty_status(row: &mut Fields<'_>) -> Body {
    Body::PovertyStatus(PovertyStatus {
        person: Some(row.person("姓名", "身份证号码")),
        from: row.date("识别日期"),
        until: row.date_or_none("截止日期"),
        list_version: row.text("名册版本"),
    })
}

pub(super) const UNEMPLOYMENT_BENEFIT: Spec = Spec {
    id: "unemployment-benefit",
    title: "失业保险金发放",
    columns: &["姓名", "身份证号码", "领取起始", "领取截止", "数据来源"],
    key: &["身份证号码"],
    identity: Identity::Row,
    body: unemployment_benefit,
};

fn unemployment_benefit(row: &mut Fields<'_>) -> Body {
    Body::UnemploymentBenefit(UnemploymentBenefit {
        person: Some(row.person("姓名", "身份证号码")),
        first_day: row.date("领取起始"),
        last_day: row.date("领取截止"),
        source: row.text("数据来源"),
    })
}

pub(super) const COURSE: Spec = Spec {
    id: "course",
    title: "培训班",
    columns: &[
        "班级编号",
        "培训机构",
        "统一社会信用代码",
        "工种",
        "开班日期",
        "结业日期",
        "区县代码",
    ],
    key: &["班级编号"],
    identity: Identity::Key,
    body: course,
};

fn course(row: &mut Fields<'_>) -> Body {
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

pub(super) const ATTENDANCE: Spec = Spec {
    id: "attendance",
    title: "考勤",
    columns: &["班级编号", "姓名", "身份证号码", "出勤日期"],
    key: &["班级编号", "身份证号码"],
    identity: Identity::Key,
    body: attendance,
};

fn attendance(row: &mut Fields<'_>) -> Body {
    Body::Attendance(Attendance {
        course_no: row.text("班级编号"),
        person: Some(row.person("姓名", "身份证号码")),
        dates: row.dates("出勤日期"),
    })
}

pub(super) const PLAQUE: Spec = Spec {
    id: "plaque",
    title: "授牌",
    columns: &[
        "品牌编号",
        "品牌名称",
        "级别",
        "申报单位",
        "统一社会信用代码",
        "授牌日期",
        "授牌文号",
        "区县代码",
    ],
    key: &["品牌编号"],
    identity: Identity::Key,
    body: plaque,
};

fn plaque(row: &mut Fields<'_>) -> Body {
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

pub(super) const LOAN_SETTLEMENT: Spec = Spec {
    id: "loan-settlement",
    title: "贷款结清",
    columns: &["贷款编号", "结清日期", "是否逾期"],
    key: &["贷款编号"],
    identity: Identity::Key,
    body: loan_settlement,
};

fn loan_settlement(row: &mut Fields<'_>) -> Body {
    Body::LoanSettlement(LoanSettlement {
        loan_no: row.text("贷款编号"),
        settled_on: row.date("结清日期"),
        repayment: row.label("是否逾期", &REPAYMENTS).into(),
    })
}

pub(super) const APPROPRIATION: Spec = Spec {
    id: "appropriation",
    title: "预算指标",
    columns: &["文号", "资金来源", "项目", "区县代码", "年度", "金额"],
    key: &["文号"],
    identity: Identity::Key,
    body: appropriation,
};

fn appropriation(row: &mut Fields<'_>) -> Body {
    Body::Appropriation(Appropriation {
        document: row.text("文号"),
        fund: row.text("资金来源"),
        programme: row.text("项目"),
        office: row.office("区县代码"),
        year: row.year("年度"),
        amount_fen: row.amount("金额"),
    })
}

pub(super) const CERTIFICATE: Spec = Spec {
    id: "certificate",
    title: "证书",
    columns: &[
        "姓名",
        "身份证号码",
        "证书类型",
        "证书编号",
        "等级",
        "发证日期",
    ],
    key: &["证书编号"],
    identity: Identity::Key,
    body: certificate,
};

fn certificate(row: &mut Fields<'_>) -> Body {
    Body::Certificate(Certificate {
        person: Some(row.person("姓名", "身份证号码")),
        kind: row.label("证书类型", &CERTIFICATE_KINDS).into(),
        certificate_no: row.text("证书编号"),
        level: row.text("等级"),
        issued_on: row.date("发证日期"),
    })
}

pub(super) const AUTHORITY: Spec = Spec {
    id: "authority",
    title: "依据文件",
    columns: &[
        "文号",
        "项目",
        "区县代码",
        "生效日期",
        "失效日期",
        "金额",
        "标准",
    ],
    key: &["文号", "项目"],
    identity: Identity::Key,
    body: authority,
};

fn authority(row: &mut Fields<'_>) -> Body {
    Body::Authority(Authority {
        document: row.text("文号"),
        programme: row.text("项目"),
        office: row.office("区县代码"),
        from: row.date("生效日期"),
        until: row.date_or_none("失效日期"),
        amount_fen: row.amount("金额"),
        stated: row.label("标准", &AUTHORITY_AMOUNTS).into(),
    })
}

pub(super) const ACCOUNT: Spec = Spec {
    id: "account",
    title: "银行账户",
    columns: &["户主类型", "户名", "证件号码", "开户银行", "账号"],
    key: &["证件号码"],
    identity: Identity::Row,
    body: account,
};

fn account(row: &mut Fields<'_>) -> Body {
    let holder = match row.label("户主类型", &HOLDER_KINDS) {
        HolderKind::Person => account::Holder::Person(row.person("户名", "证件号码")),
        HolderKind::Organisation => {
            account::Holder::Organisation(row.organisation("户名", "证件号码"))
        }
    };
    Body::Account(Account {
        holder: Some(holder),
        bank: row.text("开户银行"),
        number: row.text("账号"),
    })
}

pub(super) const CONTRACT_END: Spec = Spec {
    id: "contract-end",
    title: "合同终止",
    columns: &[
        "姓名",
        "身份证号码",
        "用工单位",
        "用工单位代码",
        "合同起始",
        "终止日期",
        "数据来源",
    ],
    key: &["身份证号码", "用工单位代码", "合同起始"],
    identity: Identity::Key,
    body: contract_end,
};

fn contract_end(row: &mut Fields<'_>) -> Body {
    Body::ContractEnd(ContractEnd {
        worker: Some(row.person("姓名", "身份证号码")),
        employer: Some(row.organisation("用工单位", "用工单位代码")),
        contract_first_day: row.date("合同起始"),
        ended_on: row.date("终止日期"),
        source: row.text("数据来源"),
    })
}
