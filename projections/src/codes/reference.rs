//! Rejections: what a step or a bank's answer refers to, and how it is written.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "UNKNOWN_GRANT" Rejection {
        zh "没有这笔补助":
            "所填的位置或项目和申领编号，不是账本上可以拨付的补助。不予受理的申领和贷款没有后续环节；请核对位置、项目和编号。";
        en "no such grant":
            "The position, or the programme and claim number, is no grant of this ledger that is paid. Refused claims and loans have no further steps; check position, programme and number.";
    }
    "GRANT_AMBIGUOUS" Rejection {
        zh "对应多笔补助":
            "同一项目和申领编号有不止一笔有效的补助。请用 luzhang case list 查出位置，改填位置。";
        en "several grants":
            "More than one standing grant has this programme and claim number. Find the position with `luzhang case list` and give that.";
    }
    "UNKNOWN_NOTICE" Rejection {
        zh "没有这次公示":
            "账本上没有这个公示编号。请用 luzhang notice status 核对编号。";
        en "no such notice":
            "The ledger has no notice of this number. Check it with `luzhang notice status`.";
    }
    "UNKNOWN_OBJECTION" Rejection {
        zh "没有这件异议":
            "账本上没有这个异议编号。请核对编号，或者先登记异议。";
        en "no such objection":
            "The ledger has no objection of this number. Check it, or file the objection first.";
    }
    "UNKNOWN_BATCH" Rejection {
        zh "没有这个批次":
            "账本上没有这个批次号。请用 luzhang payment status 核对编号。";
        en "no such batch":
            "The ledger has no payment batch of this number. Check it with `luzhang payment status`.";
    }
    "UNKNOWN_PAYMENT" Rejection {
        zh "没有这次支付":
            "该笔补助没有这一次支付。请核对端到端标识中的位置和次数。";
        en "no such payment":
            "The grant has no such payment. Check the position and the attempt in the end-to-end id.";
    }
    "UNKNOWN_RECOVERY" Rejection {
        zh "没有这件追回":
            "账本上没有这个追回编号。请用 luzhang recovery status 核对编号。";
        en "no such recovery":
            "The ledger has no recovery of this number. Check it with `luzhang recovery status`.";
    }
    "UNKNOWN_CONFLICT" Rejection {
        zh "没有这个冲突":
            "所填位置不是该笔补助未解除的冲突。请用 luzhang conflict list 查看。";
        en "no such conflict":
            "The position is not an open conflict of this grant. See `luzhang conflict list`.";
    }
    "UNKNOWN_PLAQUE" Rejection {
        zh "没有牌匾":
            "该品牌没有授牌记录，无从变更。请先导入授牌表，或者核对品牌编号。";
        en "no plaque":
            "The brand never had a plaque, so that none can change. Import the plaque table first, or check the brand's number.";
    }
    "UNKNOWN_APPROPRIATION" Rejection {
        zh "没有这个指标":
            "所填原文号没有下达过预算指标。请核对文号，或者先导入预算指标表。";
        en "no such appropriation":
            "No appropriation was made under this document. Check its number, or import the appropriation table first.";
    }
    "UNKNOWN_FACT" Rejection {
        zh "没有这个事实":
            "所填位置不是有效的事实：从未登记，或者已经撤回、更正。更正过的事实，位置是最近一次更正的位置。";
        en "no such fact":
            "The position is not a fact that counts: it never was one, or was retracted or corrected. A corrected fact is known by the position of its last correction.";
    }
    "OTHER_FACT" Rejection {
        zh "不是同一事实":
            "更正应与原事实同类、同一对象、同一编号。对象或编号有误的，请撤回原事实，另行登记。";
        en "another fact":
            "A correction is of the same kind, about the same subject and number. If these are wrong, retract the fact and record the right one.";
    }
    "NUMBER_EXISTS" Rejection {
        zh "编号已使用":
            "该编号已经登记，同一编号不能用于两件事。请换一个编号；重复导入同一文件时，不会重复登记。";
        en "number taken":
            "This number is recorded already, and one number is not given to two things. Choose another; importing the same file again records nothing twice.";
    }
    "ADJUSTMENT_AMOUNT" Rejection {
        zh "金额不能这样调整":
            "培训补贴的金额是每日标准的整数倍，贷款本金由银行确定。请按天数推算金额。";
        en "not an amount for this":
            "A training allowance is a whole daily rate times its days, and a loan's principal is the bank's. Compute the amount from the days.";
    }
    "POLICY_BASE_MISSING" Rejection {
        zh "依托的政策包未启用":
            "区县政策包依托另一个政策包，账本还没有启用它。请先启用该政策包，再启用区县政策包。";
        en "base pack missing":
            "A county's pack sits on another one, which the ledger has not adopted. Adopt that first, then the county's.";
    }
    "PROVINCE_CODE" Rejection {
        zh "不是省级代码":
            "务工省份应为省级行政区划代码，六位，末四位为零。请填写省、自治区、直辖市的代码或名称。";
        en "not a province":
            "The province of work is a province's division code, six digits ending in four zeros. Give the code or the name of a province, region or municipality.";
    }
    "ENTRIES_TOO_MANY" Rejection {
        zh "条目过多":
            "一次公示或一个批次的补助超过上限。请按项目或机构分开办理。";
        en "too many entries":
            "One notice or batch names more grants than one event holds. Divide them by programme or office.";
    }
    "ENTRY_TWICE" Rejection {
        zh "条目重复":
            "同一笔补助在名单中出现两次。请去掉重复的一行。";
        en "entry twice":
            "The same grant stands twice in the list. Leave out one of them.";
    }
    "ACCOUNT_NUMBER" Rejection {
        zh "账号格式不对":
            "账号应为字母、数字或短横，不超过三十四位。请按银行卡或开户资料填写，空格会自动去掉。";
        en "not an account number":
            "An account number has letters, digits and dashes, at most thirty-four. Copy it from the card or the bank's letter; blanks are taken out.";
    }
    "NOTHING_TO_PUBLISH" Rejection {
        zh "没有可公示的补助":
            "没有已审批而未公示的补助符合所给条件。请先审核、审批，或者放宽条件。";
        en "nothing to publish":
            "No approved grant outside a notice meets the conditions given. Review and approve first, or widen the conditions.";
    }
    "PAYMENT_INCOMPLETE" Rejection {
        zh "支付信息不全":
            "该笔支付缺少收款人、账号或开户银行，银行无法支付。请导入银行账户表，或者把这一笔撤出批次。";
        en "payment incomplete":
            "The payment lacks the payee's name, account or bank, so that no bank can make it. Import the account table, or withdraw the payment.";
    }
    "PAYMENT_TOO_LONG" Rejection {
        zh "支付信息过长":
            "该字段超过标准规定的长度，截断会改变内容。请更正登记的名称或编号。";
        en "payment too long":
            "The field is longer than the standard takes, and cutting it would change it. Correct the name or number that is recorded.";
    }
    "RESULTS_UNREADABLE" Rejection {
        zh "无法读取结果":
            "文件既不是支付结果表，也不是 pain.002 报文。请向银行取得约定格式的文件，不要改动列名。";
        en "results unreadable":
            "The file is neither a table of results nor a pain.002 message. Get the agreed form from the bank, and leave the columns' names as they are.";
    }
    "RESULT_INVALID" Rejection {
        zh "结果有误":
            "该行或该笔的状态、金额、日期或标识不合要求，整个文件都没有登记。请与银行核对后重新读取。";
        en "result invalid":
            "A status, amount, date or id of this row or transaction cannot be, and nothing of the file was recorded. Clear it with the bank and read the file again.";
    }
    "RESULTS_OTHER_BATCH" Rejection {
        zh "回执属于另一批次":
            "文件中的批次号与所填的不同。请核对文件和批次号。";
        en "answer to another batch":
            "The file speaks of another batch than the one named. Check the file and the batch's number.";
    }
    "RESULT_REPEATED" Rejection {
        zh "结果重复":
            "同一笔支付在文件中出现两次，不知以哪一次为准。请向银行取得更正后的文件。";
        en "result repeated":
            "The same payment stands twice in the file, and it is not known which counts. Get a corrected file from the bank.";
    }
};
