//! Rows that become steps in the life of a grant, of a plaque or of an
//! appropriation, and rows that take a fact back. Each reads its cells in the
//! order of the template's columns; the office that acts comes last and is the
//! city's own if its cell is empty.

use luzhang_proto::wire::{
    Adjustment, AppropriationChange, AppropriationEvent, Duty, Judgement, Notice, NoticeClosing,
    Objection, ObjectionOutcome, ObjectionResolution, Opinion, Override, PlaqueChange, PlaqueEvent,
    RecoveryClosing, RecoveryOpening, RecoveryReceipt, Refund, Restoration, Retraction, Reversal,
    command::Body,
};

use super::{Identity, Spec, row::Fields};

const OPINIONS: [(&str, Opinion); 2] = [("通过", Opinion::Passed), ("退回", Opinion::Returned)];

const DUTIES: [(&str, Duty); 3] = [
    ("审核", Duty::Review),
    ("审批", Duty::Approval),
    ("拨付", Duty::Payment),
];

const OUTCOMES: [(&str, ObjectionOutcome); 2] = [
    ("成立", ObjectionOutcome::Upheld),
    ("不成立", ObjectionOutcome::Dismissed),
];

const PLAQUE_EVENTS: [(&str, PlaqueEvent); 5] = [
    ("续牌", PlaqueEvent::Renewed),
    ("暂停", PlaqueEvent::Suspended),
    ("恢复", PlaqueEvent::Reinstated),
    ("撤销", PlaqueEvent::Revoked),
    ("到期", PlaqueEvent::Expired),
];

const APPROPRIATION_EVENTS: [(&str, AppropriationEvent); 3] = [
    ("调增", AppropriationEvent::Increased),
    ("调减", AppropriationEvent::Decreased),
    ("收回", AppropriationEvent::Returned),
];

pub(super) const REVIEW: Spec = Spec {
    id: "review",
    title: "审核",
    columns: &[
        "审核单号",
        "项目",
        "申领编号",
        "审核意见",
        "审核说明",
        "区县代码",
    ],
    key: &["审核单号", "项目", "申领编号"],
    identity: Identity::Key,
    body: review,
};

fn review(row: &mut Fields<'_>) -> Body {
    // Not stored: with it, a second round is another row than the first.
    let _sheet = row.text("审核单号");
    let step = Judgement {
        grant: row.grant("项目", "申领编号"),
        opinion: row.label("审核意见", &OPINIONS).into(),
        note: row.text_or_none("审核说明"),
    };
    row.acting("区县代码");
    Body::Review(step)
}

pub(super) const APPROVAL: Spec = Spec {
    id: "approval",
    title: "审批",
    columns: &[
        "审批单号",
        "项目",
        "申领编号",
        "审批意见",
        "审批说明",
        "区县代码",
    ],
    key: &["审批单号", "项目", "申领编号"],
    identity: Identity::Key,
    body: approval,
};

fn approval(row: &mut Fields<'_>) -> Body {
    // Not stored: with it, a second round is another row than the first.
    let _sheet = row.text("审批单号");
    let step = Judgement {
        grant: row.grant("项目", "申领编号"),
        opinion: row.label("审批意见", &OPINIONS).into(),
        note: row.text_or_none("审批说明"),
    };
    row.acting("区县代码");
    Body::Approval(step)
}

pub(super) const OVERRIDE: Spec = Spec {
    id: "duty-override",
    title: "岗位例外",
    columns: &[
        "项目",
        "申领编号",
        "岗位",
        "人员账号",
        "例外原因",
        "区县代码",
    ],
    key: &["项目", "申领编号", "岗位", "人员账号"],
    identity: Identity::Key,
    body: duty_override,
};

fn duty_override(row: &mut Fields<'_>) -> Body {
    let step = Override {
        grant: row.grant("项目", "申领编号"),
        duty: row.label("岗位", &DUTIES).into(),
        principal: row.text("人员账号"),
        reason: row.text("例外原因"),
    };
    row.acting("区县代码");
    Body::Override(step)
}

pub(super) const NOTICE: Spec = Spec {
    id: "notice",
    title: "公示",
    columns: &[
        "公示编号",
        "项目",
        "申领编号",
        "公示起始",
        "公示截止",
        "区县代码",
    ],
    key: &["公示编号"],
    identity: Identity::Key,
    body: notice,
};

fn notice(row: &mut Fields<'_>) -> Body {
    let step = Notice {
        notice_no: row.text("公示编号"),
        grants: row.grants("项目", "申领编号"),
        first_day: row.date("公示起始"),
        last_day: row.date_or_none("公示截止"),
    };
    row.acting("区县代码");
    Body::Notice(step)
}

pub(super) const OBJECTION: Spec = Spec {
    id: "objection",
    title: "公示异议",
    columns: &[
        "异议编号",
        "公示编号",
        "项目",
        "申领编号",
        "提出日期",
        "异议事由",
        "区县代码",
    ],
    key: &["异议编号"],
    identity: Identity::Key,
    body: objection,
};

fn objection(row: &mut Fields<'_>) -> Body {
    let step = Objection {
        objection_no: row.text("异议编号"),
        notice_no: row.text("公示编号"),
        grant: row.grant("项目", "申领编号"),
        filed_on: row.date("提出日期"),
        reason: row.text("异议事由"),
    };
    row.acting("区县代码");
    Body::Objection(step)
}

pub(super) const OBJECTION_RESOLUTION: Spec = Spec {
    id: "objection-resolution",
    title: "异议处理",
    columns: &["异议编号", "处理结果", "处理日期", "处理说明", "区县代码"],
    key: &["异议编号"],
    identity: Identity::Key,
    body: objection_resolution,
};

fn objection_resolution(row: &mut Fields<'_>) -> Body {
    let step = ObjectionResolution {
        objection_no: row.text("异议编号"),
        outcome: row.label("处理结果", &OUTCOMES).into(),
        resolved_on: row.date("处理日期"),
        note: row.text_or_none("处理说明"),
    };
    row.acting("区县代码");
    Body::ObjectionResolution(step)
}

pub(super) const NOTICE_CLOSING: Spec = Spec {
    id: "notice-closing",
    title: "公示期满",
    columns: &["公示编号", "期满日期", "区县代码"],
    key: &["公示编号"],
    identity: Identity::Key,
    body: notice_closing,
};

fn notice_closing(row: &mut Fields<'_>) -> Body {
    let step = NoticeClosing {
        notice_no: row.text("公示编号"),
        closed_on: row.date("期满日期"),
    };
    row.acting("区县代码");
    Body::NoticeClosing(step)
}

pub(super) const REVERSAL: Spec = Spec {
    id: "reversal",
    title: "冲正",
    columns: &[
        "冲正单号",
        "项目",
        "申领编号",
        "冲正金额",
        "冲正原因",
        "区县代码",
    ],
    key: &["冲正单号", "项目", "申领编号"],
    identity: Identity::Key,
    body: reversal,
};

fn reversal(row: &mut Fields<'_>) -> Body {
    let _sheet = row.text("冲正单号");
    let step = Reversal {
        grant: row.grant("项目", "申领编号"),
        amount_fen: row.amount_or_all("冲正金额"),
        reason: row.text("冲正原因"),
    };
    row.acting("区县代码");
    Body::Reversal(step)
}

pub(super) const ADJUSTMENT: Spec = Spec {
    id: "adjustment",
    title: "调整",
    columns: &["项目", "申领编号", "调整后金额", "依据文号", "区县代码"],
    key: &["项目", "申领编号", "依据文号"],
    identity: Identity::Key,
    body: adjustment,
};

fn adjustment(row: &mut Fields<'_>) -> Body {
    let step = Adjustment {
        grant: row.grant("项目", "申领编号"),
        amount_fen: row.amount("调整后金额"),
        document: row.text("依据文号"),
    };
    row.acting("区县代码");
    Body::Adjustment(step)
}

pub(super) const REFUND: Spec = Spec {
    id: "refund",
    title: "退款",
    columns: &[
        "退款单号",
        "项目",
        "申领编号",
        "退款金额",
        "到账日期",
        "区县代码",
    ],
    key: &["退款单号", "项目", "申领编号"],
    identity: Identity::Key,
    body: refund,
};

fn refund(row: &mut Fields<'_>) -> Body {
    let _sheet = row.text("退款单号");
    let step = Refund {
        grant: row.grant("项目", "申领编号"),
        amount_fen: row.amount("退款金额"),
        received_on: row.date("到账日期"),
    };
    row.acting("区县代码");
    Body::Refund(step)
}

pub(super) const RECOVERY_OPENING: Spec = Spec {
    id: "recovery-opening",
    title: "追回立案",
    columns: &[
        "追回编号",
        "项目",
        "申领编号",
        "追回金额",
        "冲突位置",
        "追回依据",
        "区县代码",
    ],
    key: &["追回编号"],
    identity: Identity::Key,
    body: recovery_opening,
};

fn recovery_opening(row: &mut Fields<'_>) -> Body {
    let step = RecoveryOpening {
        recovery_no: row.text("追回编号"),
        grant: row.grant("项目", "申领编号"),
        amount_fen: row.amount_or_all("追回金额"),
        conflict: row.position_or_none("冲突位置"),
        basis: row.text("追回依据"),
    };
    row.acting("区县代码");
    Body::RecoveryOpening(step)
}

pub(super) const RECOVERY_RECEIPT: Spec = Spec {
    id: "recovery-receipt",
    title: "追回到账",
    columns: &["到账单号", "追回编号", "到账金额", "到账日期", "区县代码"],
    key: &["到账单号", "追回编号"],
    identity: Identity::Key,
    body: recovery_receipt,
};

fn recovery_receipt(row: &mut Fields<'_>) -> Body {
    let _sheet = row.text("到账单号");
    let step = RecoveryReceipt {
        recovery_no: row.text("追回编号"),
        amount_fen: row.amount("到账金额"),
        received_on: row.date("到账日期"),
    };
    row.acting("区县代码");
    Body::RecoveryReceipt(step)
}

pub(super) const RECOVERY_CLOSING: Spec = Spec {
    id: "recovery-closing",
    title: "追回结案",
    columns: &["追回编号", "核销金额", "结案文号", "区县代码"],
    key: &["追回编号"],
    identity: Identity::Key,
    body: recovery_closing,
};

fn recovery_closing(row: &mut Fields<'_>) -> Body {
    let step = RecoveryClosing {
        recovery_no: row.text("追回编号"),
        written_off_fen: row.amount("核销金额"),
        document: row.text("结案文号"),
    };
    row.acting("区县代码");
    Body::RecoveryClosing(step)
}

pub(super) const RESTORATION: Spec = Spec {
    id: "restoration",
    title: "归垫",
    columns: &["项目", "申领编号", "归垫金额", "归垫文号", "区县代码"],
    key: &["项目", "申领编号", "归垫文号"],
    identity: Identity::Key,
    body: restoration,
};

fn restoration(row: &mut Fields<'_>) -> Body {
    let step = Restoration {
        grant: row.grant("项目", "申领编号"),
        amount_fen: row.amount("归垫金额"),
        document: row.text("归垫文号"),
    };
    row.acting("区县代码");
    Body::Restoration(step)
}

pub(super) const PLAQUE_CHANGE: Spec = Spec {
    id: "plaque-change",
    title: "牌匾变更",
    columns: &["品牌编号", "变更", "变更日期", "变更文号", "区县代码"],
    key: &["品牌编号", "变更文号"],
    identity: Identity::Key,
    body: plaque_change,
};

fn plaque_change(row: &mut Fields<'_>) -> Body {
    let step = PlaqueChange {
        brand_no: row.text("品牌编号"),
        change: row.label("变更", &PLAQUE_EVENTS).into(),
        on: row.date("变更日期"),
        document: row.text("变更文号"),
    };
    row.acting("区县代码");
    Body::PlaqueChange(step)
}

pub(super) const APPROPRIATION_CHANGE: Spec = Spec {
    id: "appropriation-change",
    title: "指标调整",
    columns: &["调整文号", "原文号", "变更", "调整金额", "区县代码"],
    key: &["调整文号"],
    identity: Identity::Key,
    body: appropriation_change,
};

fn appropriation_change(row: &mut Fields<'_>) -> Body {
    let step = AppropriationChange {
        document: row.text("调整文号"),
        of: row.text("原文号"),
        change: row.label("变更", &APPROPRIATION_EVENTS).into(),
        amount_fen: row.amount("调整金额"),
    };
    row.acting("区县代码");
    Body::AppropriationChange(step)
}

pub(super) const RETRACTION: Spec = Spec {
    id: "retraction",
    title: "撤回",
    columns: &["撤回位置", "撤回原因", "区县代码"],
    key: &["撤回位置"],
    identity: Identity::Key,
    body: retraction,
};

fn retraction(row: &mut Fields<'_>) -> Body {
    let step = Retraction {
        asserted: row.position("撤回位置"),
        reason: row.text("撤回原因"),
    };
    row.acting("区县代码");
    Body::Retraction(step)
}
