//! Refusals of steps: the order of things, which no policy pack can change.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "CASE_REVIEWED" Order {
        zh "已经审核":
            "该笔补助已经审核通过，不必再审核。如需撤回，请在审批时退回，或者办理冲正。";
        en "reviewed already":
            "This grant has been reviewed and passed; there is nothing to review again. To take it back, return it at approval, or reverse it.";
    }
    "CASE_NOT_REVIEWED" Order {
        zh "尚未审核":
            "审批在审核通过之后办理，该笔补助还没有通过审核，或者已被退回。请先由另一人审核。";
        en "not reviewed":
            "Approval follows a review that was passed; this grant has none, or was returned. Have another person review it first.";
    }
    "CASE_APPROVED" Order {
        zh "已经审批":
            "该笔补助已经审批通过，不必再审批。如金额或对象有误，请办理调整或冲正。";
        en "approved already":
            "This grant has been approved; there is nothing to approve again. If it is wrong, adjust or reverse it.";
    }
    "CASE_NOT_APPROVED" Order {
        zh "尚未审批":
            "公示和拨付只能办理已审批的补助。请先完成审核和审批，或者把这一笔从名单中去掉。";
        en "not approved":
            "Only an approved grant is published and paid. Review and approve it first, or leave it out of the list.";
    }
    "CASE_IN_NOTICE" Order {
        zh "已在公示":
            "该笔补助已经列入一次公示，不能重复公示。请用 luzhang notice list 查看原公示，把这一笔从新名单中去掉。";
        en "in a notice already":
            "This grant is in a notice, and is not published twice. See that notice with `luzhang notice list`, and leave the grant out of the new one.";
    }
    "CASE_NOT_IN_NOTICE" Order {
        zh "不在该公示":
            "异议只能针对公示名单上的补助，该笔不在所填的公示中。请核对公示编号和申领编号。";
        en "not in this notice":
            "An objection is about a grant on the published list, and this one is not on it. Check the number of the notice and of the claim.";
    }
    "NOTICE_TOO_SHORT" Order {
        zh "公示天数不足":
            "所填的截止日期早于政策包规定的工作日数，节假日和调休已计算在内。请不填截止日期，由系统推算，或者改为列出的日期以后。";
        en "notice too short":
            "The last day given comes before the policy's number of working days, holidays taken into account. Leave it out to have it computed, or choose the day named or a later one.";
    }
    "NOTICE_CLOSED" Order {
        zh "公示已结束":
            "该公示已经结束，不能再结束一次，也不再受理异议。公示后发现问题的，请办理冲正或追回。";
        en "notice closed":
            "This notice is closed: it is not closed again and takes no further objections. What is found afterwards is reversed or recovered.";
    }
    "CALENDAR_END" Order {
        zh "超出工作日历":
            "公示会延续到政策包工作日历没有规定的日期，无法确定期满日。每年的放假安排公布后，请启用补充了日历的政策包。";
        en "beyond the calendar":
            "The notice would last into days that the policy pack's calendar says nothing about, so its end is not known. When the year's holidays are announced, adopt a pack whose calendar has them.";
    }
    "OBJECTION_RESOLVED" Order {
        zh "异议已处理":
            "该异议已经有处理结果，不能再改。有新情况的，请登记新的异议。";
        en "objection resolved":
            "This objection has been dealt with, and that stands. If there is something new, file another one.";
    }
    "CASE_REVERSED" Order {
        zh "补助已冲正":
            "该笔补助已经整笔冲正，不再审核、公示或拨付。资格和预算自冲正起释放；需要补助的，请重新申领。";
        en "grant reversed":
            "This grant was reversed as a whole and is no longer reviewed, published or paid. Entitlement and budget are free since then; if something is due, claim it anew.";
    }
    "CASE_IN_PAYMENT" Order {
        zh "正在支付":
            "该笔补助在一个批次中还没有支付结果，结果出来前不能再支付、冲正或调整。请先撤出批次，或者导入银行的支付结果。";
        en "in payment":
            "A payment of this grant has no result yet; until it has, the grant is not paid again, reversed or adjusted. Withdraw it from the batch, or read the bank's answer first.";
    }
    "CASE_BOUNCED" Order {
        zh "支付已退票":
            "该笔补助上次支付被退票，应当重新支付，而不是再列一笔。请核对收款账户后用重新支付放入批次。";
        en "payment bounced":
            "The last payment of this grant bounced; it is reissued, not listed once more. Check the account, then put it into a batch by a reissue.";
    }
    "CASE_PAID" Order {
        zh "没有待付金额":
            "该笔补助已全部支付或冲正，没有可以支付的金额。请把这一笔从批次中去掉。";
        en "nothing to pay":
            "All of this grant is paid or reversed, so that nothing is left to pay. Leave it out of the batch.";
    }
    "CASE_OWES" Order {
        zh "尚有应收款":
            "该笔补助还有应当退回的款项，先处理完再调整金额。请登记退款或追回，然后办理调整。";
        en "money is owed":
            "Of this grant money is still to be given back; that is dealt with before its amount is adjusted. Record the refund or the recovery, then adjust.";
    }
    "CASE_NOT_IN_BATCH" Order {
        zh "不在该批次":
            "该笔补助不在所填的批次中，或者已经撤出。请用 luzhang payment show 核对批次。";
        en "not in this batch":
            "This grant is not in the batch named, or was withdrawn from it. Look at the batch with `luzhang payment show`.";
    }
    "BATCH_FUND" Order {
        zh "资金来源不同":
            "一个批次只支付一种资金来源，该笔补助的资金来源与批次不同。请另建批次。";
        en "another fund":
            "A batch pays from one fund, and this grant draws on another. Make a batch of its own for it.";
    }
    "BATCH_LOCKED" Order {
        zh "批次已锁定":
            "批次锁定后不再增减，也不再锁定一次。有误的，请等支付结果后冲正，或者另建批次。";
        en "batch locked":
            "A locked batch takes and loses no payment, and is not locked again. What is wrong is reversed after the bank's answer, or goes into another batch.";
    }
    "BATCH_EMPTY" Order {
        zh "批次为空":
            "批次中没有待支付的补助，不能锁定。请先放入补助或重新支付的退票。";
        en "batch empty":
            "There is no payment in this batch, so that there is nothing to lock. Put grants or reissues into it first.";
    }
    "BATCH_DIFFERS" Order {
        zh "笔数或金额不符":
            "所填的笔数或合计与批次不同：核对后批次有过变动，或者数错了。请重新查看批次，按实际笔数和合计锁定。";
        en "count or total differs":
            "The count or the total given is not the batch's: it changed since it was looked at, or was miscounted. Look at the batch again and lock what is there.";
    }
    "BATCH_NOT_LOCKED" Order {
        zh "批次未锁定":
            "批次锁定之后才能导出和送交银行，否则文件可能与批次不同。请先锁定批次。";
        en "batch not locked":
            "A batch is locked before it is exported and goes to the bank, or the file might be another one than the batch. Lock it first.";
    }
    "BATCH_SUBMITTED" Order {
        zh "批次已送交":
            "该批次已经送交银行，不能再送一次。结果请用 luzhang payment results 导入。";
        en "batch submitted":
            "This batch went to the bank already and is not sent twice. Read the answer with `luzhang payment results`.";
    }
    "BATCH_NOT_SUBMITTED" Order {
        zh "批次未送交":
            "批次还没有送交银行，不会有支付结果。请核对批次号；确已送交的，先登记送交。";
        en "batch not submitted":
            "The batch did not go to the bank yet, so that there can be no result. Check its number; if it was sent, record that first.";
    }
    "PAYMENT_SETTLED" Order {
        zh "支付已成功":
            "该笔支付已经登记成功，不能再登记一次。同一结果文件重复导入不会改变任何内容。";
        en "settled already":
            "This payment is recorded as settled, and is not recorded twice. Reading the same file again changes nothing.";
    }
    "PAYMENT_BOUNCED" Order {
        zh "支付已退票":
            "该笔支付已经登记退票，不能再登记一次。需要支付的，请办理重新支付。";
        en "bounced already":
            "This payment is recorded as bounced, and is not recorded twice. If it is due, reissue it.";
    }
    "PAYMENT_NOT_BOUNCED" Order {
        zh "支付未退票":
            "只有退票的支付才能重新支付，该笔支付没有退票，或者已经重新支付。请核对是第几次支付。";
        en "not bounced":
            "Only a payment that bounced is reissued; this one did not, or was reissued already. Check which of the grant's payments is meant.";
    }
    "PAYMENT_AMOUNT" Order {
        zh "支付金额不符":
            "银行报告的金额与批次中的不同，不能据此登记成功。请与银行核对后，按批次金额登记或办理退款、追回。";
        en "another amount":
            "The bank reports another amount than the batch has, which is not recorded as settled. Clear it with the bank, then record the batch's amount, or a refund or recovery.";
    }
    "REVERSAL_EXCEEDS" Order {
        zh "冲正超过补助":
            "冲正或调减的金额超过该笔补助尚有效的金额。请按列出的余额办理，或者整笔冲正。";
        en "reversal exceeds the grant":
            "More would be taken back than stands of this grant. Take what is left as named, or reverse the whole.";
    }
    "REFUND_EXCEEDS" Order {
        zh "退款超过已付":
            "退回的金额超过收款人持有的款项，或者其中一部分已在追回。请核对金额；属于追回的，登记追回到账。";
        en "refund exceeds what was paid":
            "More would come back than the payee holds, or a recovery expects part of it. Check the amount; what belongs to a recovery is recorded as its receipt.";
    }
    "RECOVERY_EXCEEDS" Order {
        zh "追回金额不符":
            "追回的金额超过收款人持有的款项或追回的余额，或者没有可以追回的款项。请按列出的余额办理。";
        en "recovery exceeds what is held":
            "More would be recovered than the payee holds or the recovery still expects, or there is nothing to recover. Take what is left as named.";
    }
    "RECOVERY_CLOSED" Order {
        zh "追回已结案":
            "该追回已经结案，不再登记到账。又有款项退回的，请登记退款或另立追回。";
        en "recovery closed":
            "This recovery is closed and takes no further receipts. If money still comes in, record a refund or open another recovery.";
    }
    "RECOVERY_OUTSTANDING" Order {
        zh "核销金额不符":
            "结案时核销的金额应当正好等于尚未追回的金额。请按列出的余额填写，已全部追回的填零。";
        en "write-off differs":
            "A recovery is closed by writing off exactly what is outstanding. Give the amount named, or nothing if all came in.";
    }
    "RESTORATION_EXCEEDS" Order {
        zh "归垫超过退回":
            "归垫的金额超过已退回、追回而尚未归垫的款项。请按列出的余额办理。";
        en "restoration exceeds what came back":
            "More would be restored than was given back or recovered and is not restored yet. Take what is left as named.";
    }
    "APPROPRIATION_OVERDRAWN" Order {
        zh "指标余额不足":
            "调减或收回的金额超过该指标的可用余额，其余已被补助占用。请减少金额，或者先冲正有关补助。";
        en "appropriation overdrawn":
            "More would be taken away than is available on this budget line; the rest is committed to grants. Take less, or reverse grants first.";
    }
    "PLAQUE_REVOKED" Order {
        zh "牌匾已撤销":
            "该牌匾已经撤销，不再续牌、暂停、恢复或到期。重新认定的，请用授牌表登记新的牌匾。";
        en "plaque revoked":
            "This plaque was revoked and is neither renewed, suspended, reinstated nor expired. If the brand is recognised again, award it a new one.";
    }
    "PLAQUE_ORDER" Order {
        zh "日期早于上次变更":
            "牌匾的变更按日期先后登记，所填日期早于上一次变更。请核对日期。";
        en "earlier than the last change":
            "Changes of a plaque are recorded in the order of their days, and this day comes before the last one. Check the date.";
    }
    "PLAQUE_SUSPENDED" Order {
        zh "牌匾已暂停":
            "该牌匾处于暂停状态，不能再暂停，恢复之前也不能续牌。请先登记恢复或撤销。";
        en "plaque suspended":
            "This plaque is suspended: it is not suspended again, nor renewed before it is reinstated. Reinstate or revoke it first.";
    }
    "PLAQUE_NOT_IN_FORCE" Order {
        zh "牌匾不在有效期":
            "牌匾在所填日期已经不在有效期内，不能暂停。请核对日期，或者登记到期。";
        en "plaque not in force":
            "The plaque is not in force on that day, so that it cannot be suspended. Check the date, or record that it expired.";
    }
    "PLAQUE_NOT_SUSPENDED" Order {
        zh "牌匾未暂停":
            "只有暂停的牌匾才能恢复。请核对品牌编号。";
        en "plaque not suspended":
            "Only a suspended plaque is reinstated. Check the brand's number.";
    }
    "PLAQUE_IN_FORCE" Order {
        zh "牌匾尚未到期":
            "牌匾在所填日期还没有期满，不能登记到期。提前终止的，请登记撤销。";
        en "plaque in force":
            "The term of this plaque is not over on that day, so that it has not expired. If it ends early, revoke it.";
    }
};
