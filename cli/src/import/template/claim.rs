//! Rows that become claims, which policy decides. Each reads its cells in the
//! order of the template's columns.

use luzhang_proto::wire::{
    Borrower, BrandAward, InterestSubsidy, Loan, Recipient, RecognitionLevel, ServiceSubsidy,
    SkillBase, SkillBaseKind, Spending, Subsidy, TrainingAllowance, TrainingSubsidy, TransportAid,
    TravelMode, borrower, command::Body, recipient,
};

use super::{
    Identity, Spec,
    row::{Fields, HOLDER_KINDS, HolderKind},
};

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

/// 方式.
const TRAVEL_MODES: [(&str, TravelMode); 4] = [
    ("铁路", TravelMode::Rail),
    ("公路", TravelMode::Road),
    ("水运", TravelMode::Water),
    ("水路", TravelMode::Water),
];

pub(super) const TRAINING_ALLOWANCE: Spec = Spec {
    id: "training-allowance",
    title: "生活交通费补贴",
    columns: &[
        "申领编号",
        "姓名",
        "身份证号码",
        "班级编号",
        "补贴日期",
        "每日标准",
        "金额",
        "资金来源",
        "区县代码",
    ],
    key: &["申领编号"],
    identity: Identity::Key,
    body: training_allowance,
};

fn training_allowance(row: &mut Fields<'_>) -> Body {
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

pub(super) const SKILL_BASE: Spec = Spec {
    id: "skill-base",
    title: "基地工作室补助",
    columns: &[
        "申领编号",
        "单位名称",
        "统一社会信用代码",
        "类型",
        "级别",
        "认定日期",
        "认定文号",
        "金额",
        "资金来源",
        "区县代码",
    ],
    key: &["申领编号"],
    identity: Identity::Key,
    body: skill_base,
};

fn skill_base(row: &mut Fields<'_>) -> Body {
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

pub(super) const SERVICE_SUBSIDY: Spec = Spec {
    id: "service-subsidy",
    title: "就业创业服务补助",
    columns: &[
        "申领编号",
        "机构名称",
        "机构代码",
        "姓名",
        "身份证号码",
        "用工单位",
        "用工单位代码",
        "合同起始",
        "合同截止",
        "参保起始",
        "金额",
        "资金来源",
        "区县代码",
    ],
    key: &["申领编号"],
    identity: Identity::Key,
    body: service_subsidy,
};

fn service_subsidy(row: &mut Fields<'_>) -> Body {
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

pub(super) const BRAND_AWARD: Spec = Spec {
    id: "brand-award",
    title: "品牌奖补",
    columns: &[
        "申领编号",
        "品牌编号",
        "金额",
        "发放日期",
        "资金来源",
        "区县代码",
    ],
    key: &["申领编号"],
    identity: Identity::Key,
    body: brand_award,
};

fn brand_award(row: &mut Fields<'_>) -> Body {
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

pub(super) const LOAN: Spec = Spec {
    id: "loan",
    title: "创业担保贷款",
    columns: &[
        "贷款编号",
        "借款人类型",
        "借款人",
        "证件号码",
        "贷款金额",
        "年利率",
        "发放日期",
        "到期日期",
        "经办银行",
        "区县代码",
    ],
    key: &["贷款编号"],
    identity: Identity::Key,
    body: loan,
};

fn loan(row: &mut Fields<'_>) -> Body {
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

pub(super) const INTEREST_SUBSIDY: Spec = Spec {
    id: "interest-subsidy",
    title: "贴息",
    columns: &[
        "申领编号",
        "贷款编号",
        "计息起始",
        "计息截止",
        "实付利息",
        "贴息金额",
        "资金来源",
        "区县代码",
    ],
    key: &["申领编号"],
    identity: Identity::Key,
    body: interest_subsidy,
};

fn interest_subsidy(row: &mut Fields<'_>) -> Body {
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

pub(super) const TRAINING_SUBSIDY: Spec = Spec {
    id: "training-subsidy",
    title: "职业培训补贴",
    columns: &[
        "申领编号",
        "姓名",
        "身份证号码",
        "班级编号",
        "证书编号",
        "金额",
        "资金来源",
        "区县代码",
    ],
    key: &["申领编号"],
    identity: Identity::Key,
    body: training_subsidy,
};

fn training_subsidy(row: &mut Fields<'_>) -> Body {
    let claim = TrainingSubsidy {
        claim_no: row.text("申领编号"),
        person: Some(row.person("姓名", "身份证号码")),
        course_no: row.text("班级编号"),
        certificate_no: row.text("证书编号"),
        amount_fen: row.amount("金额"),
        fund: row.text("资金来源"),
    };
    row.office("区县代码");
    Body::TrainingSubsidy(claim)
}

pub(super) const TRANSPORT_AID: Spec = Spec {
    id: "transport-aid",
    title: "一次性交通补助",
    columns: &[
        "申领编号",
        "姓名",
        "身份证号码",
        "务工省份",
        "出行日期",
        "方式",
        "金额",
        "资金来源",
        "区县代码",
    ],
    key: &["申领编号"],
    identity: Identity::Key,
    body: transport_aid,
};

fn transport_aid(row: &mut Fields<'_>) -> Body {
    let claim = TransportAid {
        claim_no: row.text("申领编号"),
        person: Some(row.person("姓名", "身份证号码")),
        province: row.province("务工省份"),
        travelled_on: row.date("出行日期"),
        mode: row.label("方式", &TRAVEL_MODES).into(),
        amount_fen: row.amount("金额"),
        fund: row.text("资金来源"),
    };
    row.office("区县代码");
    Body::TransportAid(claim)
}

pub(super) const SUBSIDY: Spec = Spec {
    id: "subsidy",
    title: "其他补助",
    columns: &[
        "申领编号",
        "项目",
        "对象类型",
        "对象名称",
        "证件号码",
        "依据文号",
        "基准日期",
        "上年投入",
        "本年投入",
        "金额",
        "资金来源",
        "区县代码",
    ],
    key: &["项目", "申领编号"],
    identity: Identity::Key,
    body: subsidy,
};

fn subsidy(row: &mut Fields<'_>) -> Body {
    let claim_no = row.text("申领编号");
    let programme = row.text("项目");
    let recipient = match row.label("对象类型", &HOLDER_KINDS) {
        HolderKind::Person => recipient::Kind::Person(row.person("对象名称", "证件号码")),
        HolderKind::Organisation => {
            recipient::Kind::Organisation(row.organisation("对象名称", "证件号码"))
        }
    };
    let document = row.text("依据文号");
    let due_on = row.date("基准日期");
    // Both or neither: only where the increment is subsidised.
    let spending = if row.is_blank("上年投入") && row.is_blank("本年投入") {
        None
    } else {
        Some(Spending {
            previous_fen: row.amount("上年投入"),
            current_fen: row.amount("本年投入"),
        })
    };
    let claim = Subsidy {
        claim_no,
        programme,
        recipient: Some(Recipient {
            kind: Some(recipient),
        }),
        document,
        due_on,
        spending,
        amount_fen: row.amount("金额"),
        fund: row.text("资金来源"),
    };
    row.office("区县代码");
    Body::Subsidy(claim)
}
