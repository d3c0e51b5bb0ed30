//! The closed list of import templates.

pub(crate) mod layout;
pub(crate) mod row;

mod fact;

mod claim;

use luzhang_proto::wire::command::Body;

use row::Fields;

/// The columns that an annotated copy has more; they are not read.
pub(crate) const RESULT_COLUMNS: [&str; 3] = ["结果", "原因", "位置"];

/// One of the tables a bureau keeps. One row is a fact or a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    PovertyStatus,
    UnemploymentBenefit,
    Course,
    Attendance,
    TrainingAllowance,
    SkillBase,
    ServiceSubsidy,
    Plaque,
    BrandAward,
    Loan,
    LoanSettlement,
    InterestSubsidy,
    Appropriation,
}

/// Templates whose rules are not part of any pack yet: id, title, columns.
const NOT_YET: [(&str, &str, &[&str]); 3] = [
    (
        "certificate",
        "证书",
        &[
            "姓名",
            "身份证号码",
            "证书类型",
            "证书编号",
            "等级",
            "发证日期",
        ],
    ),
    (
        "training-subsidy",
        "职业培训补贴",
        &[
            "申领编号",
            "姓名",
            "身份证号码",
            "班级编号",
            "证书编号",
            "金额",
            "资金来源",
            "区县代码",
        ],
    ),
    (
        "transport-aid",
        "一次性交通补助",
        &[
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
    ),
];

impl Template {
    /// All of them, in the order in which a bureau would import them.
    pub(crate) const ALL: [Self; 13] = [
        Self::PovertyStatus,
        Self::UnemploymentBenefit,
        Self::Course,
        Self::Attendance,
        Self::Appropriation,
        Self::TrainingAllowance,
        Self::SkillBase,
        Self::ServiceSubsidy,
        Self::Plaque,
        Self::BrandAward,
        Self::Loan,
        Self::LoanSettlement,
        Self::InterestSubsidy,
    ];

    /// The stable name, part of a row's request id.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::PovertyStatus => "poverty-status",
            Self::UnemploymentBenefit => "unemployment-benefit",
            Self::Course => "course",
            Self::Attendance => "attendance",
            Self::TrainingAllowance => "training-allowance",
            Self::SkillBase => "skill-base",
            Self::ServiceSubsidy => "service-subsidy",
            Self::Plaque => "plaque",
            Self::BrandAward => "brand-award",
            Self::Loan => "loan",
            Self::LoanSettlement => "loan-settlement",
            Self::InterestSubsidy => "interest-subsidy",
            Self::Appropriation => "appropriation",
        }
    }

    /// The name in Chinese.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::PovertyStatus => "脱贫人口名册",
            Self::UnemploymentBenefit => "失业保险金发放",
            Self::Course => "培训班",
            Self::Attendance => "考勤",
            Self::TrainingAllowance => "生活交通费补贴",
            Self::SkillBase => "基地工作室补助",
            Self::ServiceSubsidy => "就业创业服务补助",
            Self::Plaque => "授牌",
            Self::BrandAward => "品牌奖补",
            Self::Loan => "创业担保贷款",
            Self::LoanSettlement => "贷款结清",
            Self::InterestSubsidy => "贴息",
            Self::Appropriation => "预算指标",
        }
    }

    /// The header, in its usual order.
    #[rustfmt::skip]
    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::PovertyStatus => &["姓名", "身份证号码", "识别日期", "截止日期", "名册版本"],
            Self::UnemploymentBenefit => &["姓名", "身份证号码", "领取起始", "领取截止", "数据来源"],
            Self::Course => &[
                "班级编号", "培训机构", "统一社会信用代码", "工种", "开班日期", "结业日期", "区县代码",
            ],
            Self::Attendance => &["班级编号", "姓名", "身份证号码", "出勤日期"],
            Self::TrainingAllowance => &[
                "申领编号", "姓名", "身份证号码", "班级编号", "补贴日期", "每日标准", "金额",
                "资金来源", "区县代码",
            ],
            Self::SkillBase => &[
                "申领编号", "单位名称", "统一社会信用代码", "类型", "级别", "认定日期", "认定文号",
                "金额", "资金来源", "区县代码",
            ],
            Self::ServiceSubsidy => &[
                "申领编号", "机构名称", "机构代码", "姓名", "身份证号码", "用工单位", "用工单位代码",
                "合同起始", "合同截止", "参保起始", "金额", "资金来源", "区县代码",
            ],
            Self::Plaque => &[
                "品牌编号", "品牌名称", "级别", "申报单位", "统一社会信用代码", "授牌日期",
                "授牌文号", "区县代码",
            ],
            Self::BrandAward => &["申领编号", "品牌编号", "金额", "发放日期", "资金来源", "区县代码"],
            Self::Loan => &[
                "贷款编号", "借款人类型", "借款人", "证件号码", "贷款金额", "年利率", "发放日期",
                "到期日期", "经办银行", "区县代码",
            ],
            Self::LoanSettlement => &["贷款编号", "结清日期", "是否逾期"],
            Self::InterestSubsidy => &[
                "申领编号", "贷款编号", "计息起始", "计息截止", "实付利息", "贴息金额", "资金来源",
                "区县代码",
            ],
            Self::Appropriation => &["文号", "资金来源", "项目", "区县代码", "年度", "金额"],
        }
    }

    /// The columns whose cells name a row within its template.
    fn key_columns(self) -> &'static [&'static str] {
        match self {
            Self::PovertyStatus | Self::UnemploymentBenefit => &["身份证号码"],
            Self::Course => &["班级编号"],
            Self::Attendance => &["班级编号", "身份证号码"],
            Self::TrainingAllowance
            | Self::SkillBase
            | Self::ServiceSubsidy
            | Self::BrandAward
            | Self::InterestSubsidy => &["申领编号"],
            Self::Plaque => &["品牌编号"],
            Self::Loan | Self::LoanSettlement => &["贷款编号"],
            Self::Appropriation => &["文号"],
        }
    }

    /// The columns that make a row the same row again: its key, or all of them
    /// where one person may stand on a list several times.
    fn identity_columns(self) -> &'static [&'static str] {
        match self {
            Self::PovertyStatus | Self::UnemploymentBenefit => self.columns(),
            Self::Course
            | Self::Attendance
            | Self::TrainingAllowance
            | Self::SkillBase
            | Self::ServiceSubsidy
            | Self::Plaque
            | Self::BrandAward
            | Self::Loan
            | Self::LoanSettlement
            | Self::InterestSubsidy
            | Self::Appropriation => self.key_columns(),
        }
    }

    fn body(self, fields: &mut Fields<'_>) -> Body {
        match self {
            Self::PovertyStatus => fact::poverty_status(fields),
            Self::UnemploymentBenefit => fact::unemployment_benefit(fields),
            Self::Course => fact::course(fields),
            Self::Attendance => fact::attendance(fields),
            Self::Plaque => fact::plaque(fields),
            Self::LoanSettlement => fact::loan_settlement(fields),
            Self::Appropriation => fact::appropriation(fields),
            Self::TrainingAllowance => claim::training_allowance(fields),
            Self::SkillBase => claim::skill_base(fields),
            Self::ServiceSubsidy => claim::service_subsidy(fields),
            Self::BrandAward => claim::brand_award(fields),
            Self::Loan => claim::loan(fields),
            Self::InterestSubsidy => claim::interest_subsidy(fields),
        }
    }
}

#[cfg(test)]
mod tests;
