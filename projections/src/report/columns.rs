//! The columns of each report, in their order.

use super::{Column, Kind, Name};
use crate::codes::Text;

const fn column(id: &'static str, zh: &'static str, en: &'static str, kind: Kind) -> Column {
    Column {
        id,
        title: Text { zh, en },
        kind,
    }
}

const POSITION: Column = column("position", "位置", "Position", Kind::Number);
const RECORDED_ON: Column = column("recorded_on", "入账日期", "Recorded on", Kind::Date);
const BUSINESS_DATE: Column = column("date", "业务日期", "Business date", Kind::Date);
const EVENT: Column = column("kind", "事项", "Event", Kind::Name);
const GRANT: Column = column("grant", "补助位置", "Grant", Kind::Number);
const CLAIM_NO: Column = column("claim_no", "申领编号", "Claim no.", Kind::Text);
const SUBJECT: Column = column("subject", "对象代号", "Subject", Kind::Subject);
const PERSON: Column = column("name", "对象", "Name", Kind::Text);
const PROGRAMME: Column = column("programme", "项目", "Programme", Kind::Name);
const YEAR: Column = column("year", "年度", "Year", Kind::Number);
const OFFICE: Column = column("office", "经办机构", "Office", Kind::Name);
const FUND: Column = column("fund", "资金来源", "Fund", Kind::Name);
const DOCUMENT: Column = column("document", "文号", "Document", Kind::Text);
const COMMITTED: Column = column("committed_fen", "核定", "Committed", Kind::Fen);
const PAID: Column = column("paid_fen", "拨付", "Paid", Kind::Fen);
const RECEIVABLE: Column = column("receivable_fen", "应收回", "Receivable", Kind::Fen);
const RETURNED: Column = column("returned_fen", "退款", "Refunded", Kind::Fen);
const RECOVERED: Column = column("recovered_fen", "追回", "Recovered", Kind::Fen);
const WRITTEN_OFF: Column = column("written_off_fen", "核销", "Written off", Kind::Fen);
const GRANTS: Column = column("grants", "笔数", "Grants", Kind::Count);
const HASH: Column = column("event_hash", "事件哈希", "Event hash", Kind::Hash);
const AMOUNT: Column = column("amount_fen", "金额", "Amount", Kind::Fen);
const BATCH_NO: Column = column("batch_no", "批次号", "Batch no.", Kind::Text);
const REASON: Column = column("reason", "原因", "Reason", Kind::Text);

const PUBLICITY: &[Column] = &[
    column("notice_no", "公示编号", "Notice no.", Kind::Text),
    column("first_day", "公示起始日", "First day", Kind::Date),
    column("last_day", "公示截止日", "Last day", Kind::Date),
    column("seq", "序号", "No.", Kind::Number),
    CLAIM_NO,
    PERSON,
    column("identity", "证件号码", "Identity no.", Kind::Text),
    column("account", "银行账号", "Account no.", Kind::Text),
    PROGRAMME,
    FUND,
    AMOUNT,
    OFFICE,
];

const REGISTER: &[Column] = &[
    POSITION,
    RECORDED_ON,
    BUSINESS_DATE,
    EVENT,
    GRANT,
    CLAIM_NO,
    PROGRAMME,
    YEAR,
    OFFICE,
    FUND,
    DOCUMENT,
    COMMITTED,
    PAID,
    RECEIVABLE,
    RETURNED,
    RECOVERED,
    WRITTEN_OFF,
    SUBJECT,
    HASH,
];

const EXECUTION: &[Column] = &[
    PROGRAMME,
    YEAR,
    OFFICE,
    FUND,
    column("appropriated_fen", "预算指标", "Appropriated", Kind::Fen),
    column("committed_fen", "已核定", "Committed", Kind::Fen),
    column("reserved_fen", "待拨付", "Reserved", Kind::Fen),
    column("paid_fen", "已拨付", "Paid", Kind::Fen),
    RECEIVABLE,
    RETURNED,
    RECOVERED,
    WRITTEN_OFF,
    column("left_fen", "指标余额", "Balance", Kind::Fen),
    column(
        "committed_rate_bp",
        "核定率",
        "Committed %",
        Kind::Rate {
            of: "committed_fen",
            per: "appropriated_fen",
        },
    ),
    column(
        "paid_rate_bp",
        "执行率",
        "Executed %",
        Kind::Rate {
            of: "paid_fen",
            per: "appropriated_fen",
        },
    ),
];

const PIVOT: &[Column] = &[
    column("month", "月份", "Month", Kind::Name),
    OFFICE,
    PROGRAMME,
    GRANTS,
    COMMITTED,
    PAID,
    RECEIVABLE,
];

const PLAQUES: &[Column] = &[
    column("brand_no", "品牌编号", "Brand no.", Kind::Text),
    column("level", "级别", "Level", Kind::Name),
    column("name", "申报单位", "Applicant's name", Kind::Text),
    OFFICE,
    column("awarded_on", "授牌日期", "Awarded on", Kind::Date),
    column("term_from", "本期起始日", "Term from", Kind::Date),
    column("term_to", "本期截止日", "Term to", Kind::Date),
    column("standing", "状态", "Standing", Kind::Name),
    DOCUMENT,
    POSITION,
    column("applicant", "申报单位代号", "Applicant", Kind::Subject),
];

const LOANS: &[Column] = &[
    column("loan_no", "贷款编号", "Loan no.", Kind::Text),
    column("borrower_kind", "借款人类别", "Borrower", Kind::Name),
    column("name", "借款人", "Name", Kind::Text),
    OFFICE,
    column("bank", "经办银行", "Bank", Kind::Text),
    column("issued_on", "发放日期", "Issued on", Kind::Date),
    column("due_on", "到期日期", "Due on", Kind::Date),
    column("settled_on", "结清日期", "Settled on", Kind::Date),
    column("standing", "状态", "Standing", Kind::Name),
    column("principal_fen", "本金", "Principal", Kind::Fen),
    column("outstanding_fen", "未结清本金", "Outstanding", Kind::Fen),
    column("subsidies", "贴息笔数", "Subsidies", Kind::Count),
    column("subsidy_fen", "核定贴息", "Subsidy", Kind::Fen),
    column("subsidy_paid_fen", "已拨贴息", "Subsidy paid", Kind::Fen),
    POSITION,
    column("borrower", "借款人代号", "Borrower id", Kind::Subject),
];

const REFUSALS: &[Column] = &[
    PROGRAMME,
    OFFICE,
    column("code", "代码", "Code", Kind::Text),
    column("title", "原因", "Reason", Kind::Text),
    column("measure", "条款", "Measure", Kind::Number),
    column("refusals", "涉及笔数", "Refusals", Kind::Count),
    column("headline", "首要原因笔数", "As first reason", Kind::Count),
    column("claimed_fen", "首要原因金额", "Claimed", Kind::Fen),
];

const CONFLICTS: &[Column] = &[
    column("conflict", "冲突位置", "Conflict", Kind::Number),
    RECORDED_ON,
    column("code", "代码", "Code", Kind::Text),
    column("title", "冲突", "What conflicts", Kind::Text),
    column("dates", "涉及日期", "Dates", Kind::Text),
    column("cleared", "解除位置", "Cleared", Kind::Number),
    GRANT,
    CLAIM_NO,
    PROGRAMME,
    YEAR,
    OFFICE,
    FUND,
    column("stake_fen", "涉及金额", "At stake", Kind::Fen),
    column("recovery_no", "追回编号", "Recovery no.", Kind::Text),
    column("recovery_fen", "应追回", "To recover", Kind::Fen),
    column("received_fen", "已追回", "Received", Kind::Fen),
    column("outstanding_fen", "未追回", "Outstanding", Kind::Fen),
    column("closed", "结案位置", "Closed", Kind::Number),
];

const PAYMENTS: &[Column] = &[
    POSITION,
    RECORDED_ON,
    column("date", "银行日期", "Bank date", Kind::Date),
    EVENT,
    BATCH_NO,
    column("attempt", "次序", "Attempt", Kind::Number),
    GRANT,
    CLAIM_NO,
    PROGRAMME,
    YEAR,
    OFFICE,
    FUND,
    column("settled_fen", "支付成功", "Settled", Kind::Fen),
    column("bounced_fen", "退票", "Bounced", Kind::Fen),
    column("waiting_fen", "待回执", "Waiting", Kind::Fen),
    REASON,
    HASH,
];

const STATEMENT: &[Column] = &[
    POSITION,
    RECORDED_ON,
    BUSINESS_DATE,
    EVENT,
    GRANT,
    CLAIM_NO,
    PROGRAMME,
    YEAR,
    OFFICE,
    FUND,
    DOCUMENT,
    REASON,
    COMMITTED,
    PAID,
    RECEIVABLE,
    RETURNED,
    RECOVERED,
    WRITTEN_OFF,
    HASH,
];

pub(super) fn of(name: Name) -> &'static [Column] {
    match name {
        Name::Publicity => PUBLICITY,
        Name::Register => REGISTER,
        Name::Execution => EXECUTION,
        Name::Pivot => PIVOT,
        Name::Plaques => PLAQUES,
        Name::Loans => LOANS,
        Name::Refusals => REFUSALS,
        Name::Conflicts => CONFLICTS,
        Name::Payments => PAYMENTS,
        Name::Statement => STATEMENT,
    }
}
