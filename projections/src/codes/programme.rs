//! Refusals: limits of the programmes without a figure, and of what follows a grant.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "M04_NO_CERT" Refusal {
        zh "无证书":
            "职业培训补贴以条文列明的证书为依据，所填证书没有登记，或者不是此人的。请先导入证书表，或者改正证书编号。";
        en "no certificate":
            "The training subsidy rests on one of the certificates that the clause names; this one is not recorded, or is another person's. Import the certificate table first, or correct the number.";
    }
    "M04_CERT_DUP" Refusal {
        zh "证书已补贴":
            "同一证书只补贴一次，该证书已有有效的补贴。原补贴有误的，请先冲正。";
        en "certificate used":
            "A certificate is subsidised once, and a grant on this one stands. If that one is wrong, reverse it first.";
    }
    "M04_FUND" Refusal {
        zh "资金渠道不符":
            "职业培训补贴只能从条文列明的资金中列支。请改正资金来源后重新申领。";
        en "wrong fund":
            "The training subsidy is paid from the funds that the clause names. Correct the fund and claim again.";
    }
    "M14_INCREMENT" Refusal {
        zh "超过研发投入增量":
            "研发后补助只补增量，申领金额超过本年度比上年度多投入的部分。请核对两年的投入和金额。";
        en "over the increment":
            "The subsidy is for the increment in research and development, and more is claimed than was spent over the year before. Check both years' spending and the amount.";
    }
    "M14_ONCE_YEAR" Refusal {
        zh "本年度已享受":
            "同一对象每个年度只享受一次研发后补助。原补助有误的，请调整或冲正。";
        en "used this year":
            "A recipient has this subsidy once a year. If the earlier grant is wrong, adjust or reverse it.";
    }
    "M15_TRANSPORT" Refusal {
        zh "交通补助不符":
            "交通补助给予跨省就业的人员，每年一次，金额按区县标准或依据文件，从规定的资金列支。请对照原因改正省份、金额或资金来源。";
        en "transport rule":
            "Transport aid is for work in another province, once a year, at the county's standard or that of an authority document, from the fund named. Correct province, amount or fund by the reason given.";
    }
    "M22_STARTUP_ONCE" Refusal {
        zh "已享受创业补贴":
            "一次性创业补贴每个对象只享受一次，已有有效的补贴。原补贴有误的，请先冲正。";
        en "startup subsidy used":
            "The one-time startup subsidy is granted once, and a grant stands. If that one is wrong, reverse it first.";
    }
    "AUTHORITY_AMOUNT" Refusal {
        zh "依据不符":
            "条文没有规定标准的项目，须有在有效期内的依据文件，金额符合文件。请先登记依据文件，或者改正文号、日期和金额。";
        en "no authority for this":
            "Where the notice gives no figure, a grant needs an authority document in force and keeps to its amount. Register the document first, or correct number, date and amount.";
    }
    "NOTICE_OPEN" Refusal {
        zh "公示未结束":
            "补助在公示期满并结束、没有未处理的异议之后才能支付；公示期满之前也不能结束公示。请等到列出的日期之后，并处理完异议。";
        en "notice open":
            "A grant is paid when its notice is over and closed and no objection is open; nor is a notice closed before its last day. Wait until after the day named, and resolve the objections.";
    }
    "FOUR_EYES" Refusal {
        zh "岗位不相容":
            "同一笔补助的录入、审核、审批和拨付应由不同的人办理，此人在该笔中已有另一岗位。请换人办理；确需兼任的，由无关的另一人登记例外。";
        en "duties conflict":
            "Who submits, reviews, approves and pays one grant are different people, and this one has another part in it. Let somebody else do it; if that cannot be, a person without a part records an exception.";
    }
    "PAY_EXCEEDS" Refusal {
        zh "支付超批":
            "支付的金额超过该笔补助尚未支付的有效金额，例如重新支付之后原支付又到账。请与银行核对，多付的款项办理追回。";
        en "pays over grant":
            "More would be paid than stands of the grant and is not paid, for example when a payment arrives after its reissue. Clear it with the bank, and recover what was paid too much.";
    }
};
