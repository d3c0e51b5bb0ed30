//! Words that reports say, with their stable ids.

use luzhang_ledger::{
    claim::BorrowerKind,
    fact::{BrandLevel, Repayment},
};

use super::Named;
use crate::registers::Standing;

/// What an event in a register is called, by [`luzhang_ledger::Body::kind`].
const EVENTS: &[(&str, &str, &str)] = &[
    (
        "training_allowance_granted",
        "生活（交通）费补贴核定",
        "training allowance",
    ),
    (
        "skill_base_granted",
        "基地、工作室补助核定",
        "skill base grant",
    ),
    (
        "service_subsidy_granted",
        "就业创业服务补助核定",
        "service subsidy",
    ),
    ("brand_award_granted", "品牌奖补核定", "brand award"),
    ("interest_subsidy_granted", "贴息核定", "interest subsidy"),
    (
        "training_subsidy_granted",
        "职业培训补贴核定",
        "training subsidy",
    ),
    ("transport_aid_granted", "交通补助核定", "transport aid"),
    ("subsidy_granted", "补助核定", "subsidy"),
    ("loan_issued", "担保贷款发放", "loan issued"),
    ("payment_settled", "拨付成功", "payment settled"),
    ("payment_bounced", "退票", "payment bounced"),
    ("payment_reissued", "退票重拨", "payment reissued"),
    ("payment_waiting", "待银行回执", "waiting for the bank"),
    ("grant_reversed", "冲正", "reversal"),
    ("grant_adjusted", "调整", "adjustment"),
    ("refund_received", "退款", "refund"),
    ("recovery_opened", "追回立案", "recovery opened"),
    ("recovery_received", "追回到账", "recovery received"),
    ("recovery_closed", "追回结案", "recovery closed"),
    ("fund_restored", "归垫", "fund restored"),
    ("command_refused", "不予受理", "refused"),
    ("plaque_awarded", "授牌", "plaque awarded"),
];

fn named(id: &str, zh: &str, en: &str) -> Named {
    Named {
        id: id.to_owned(),
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

/// An event's kind in words.
pub(super) fn event(kind: &str) -> Named {
    let known = EVENTS.iter().find(|(id, ..)| *id == kind);
    known.map_or_else(|| named(kind, kind, kind), |(id, zh, en)| named(id, zh, en))
}

/// Reason codes in words.
pub(super) fn reasons<'a>(codes: impl Iterator<Item = &'a str>) -> Named {
    let (mut ids, mut zh, mut en) = (Vec::new(), Vec::new(), Vec::new());
    for code in codes {
        let title = crate::codes::find(code).map(|entry| entry.title);
        ids.push(code);
        zh.push(title.map_or(code, |title| title.zh));
        en.push(title.map_or(code, |title| title.en));
    }
    named(&ids.join("; "), &zh.join("；"), &en.join("; "))
}

pub(super) fn level(level: BrandLevel) -> Named {
    let (zh, en) = match level {
        BrandLevel::City => ("泸字号", "city"),
        BrandLevel::Provincial => ("川字号", "provincial"),
        BrandLevel::County => ("区域性", "county"),
    };
    named(level.key(), zh, en)
}

pub(super) fn plaque(standing: Standing) -> Named {
    match standing {
        Standing::InForce => named("in_force", "有效", "in force"),
        Standing::Suspended => named("suspended", "暂停", "suspended"),
        Standing::Revoked => named("revoked", "撤销", "revoked"),
        Standing::Expired => named("expired", "到期", "expired"),
        Standing::NotYet => named("not_yet", "尚未授牌", "not yet awarded"),
    }
}

pub(super) fn borrower(kind: BorrowerKind) -> Named {
    match kind {
        BorrowerKind::Person => named("personal", "个人", "person"),
        BorrowerKind::SmallFirm => named("firm", "小微企业", "small firm"),
    }
}

pub(super) fn loan(settled: Option<Repayment>) -> Named {
    match settled {
        None => named("outstanding", "未结清", "outstanding"),
        Some(Repayment::OnTime) => named("settled", "按期结清", "settled in time"),
        Some(Repayment::Overdue) => named("settled_overdue", "逾期结清", "settled overdue"),
    }
}
