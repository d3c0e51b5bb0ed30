//! Refusals: the codes of the limits in a policy pack.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = entries! {
    "OUT_OF_WINDOW" Refusal {
        zh "不在政策有效期":
            "申领的基准日期（培训补贴为每个补贴日期）不在政策包的有效期内。通知规定了施行日期和有效期，\
             期外发生的事项没有发放依据；培训跨越期末的，逐日判断。请核对日期：填写有误的改正后重新申领，\
             期外的日期从申领中剔除，或待后续政策包启用后办理。";
        en "outside validity":
            "The claim's basis date (for the training allowance: a paid date) lies outside the \
             validity of the policy pack. The notice says when it takes effect and how long it \
             lasts, and outside that time nothing entitles to payment; a course across the end is \
             judged day by day. Check the dates: correct what was mistyped, leave out the days \
             outside, or wait until the pack that follows is adopted.";
    }
    "PARAM_GAP" Refusal {
        zh "参数缺失或重叠":
            "在基准日期当天，政策包的某项标准没有取值，或者有不止一个取值，无法确定应执行哪一个。\
             通知规定政策如有调整按最新文件执行，所以每项标准都载明起止日期，每天只能有一个取值。\
             这不是申领材料的问题：请把不予受理决定所列的参数报告政策包维护人员，\
             待补正后的政策包启用后重新提交。";
        en "gap or overlap":
            "On the basis date a parameter of the policy pack has no value, or more than one, so \
             that it is not known which applies. The notice gives way to later documents, and \
             therefore each parameter has dated values, exactly one for each day. The claim is \
             not at fault: report the parameters named in the refusal to whoever maintains the \
             pack, and resubmit when a corrected pack has been adopted.";
    }
    "BUDGET_EXCEEDED" Refusal {
        zh "超预算指标":
            "本次金额加上已占用的金额，超过了同一资金来源、项目、经办机构和年度已下达的预算指标；\
             未下达指标的视为零。年度是基准日期所在的日历年度。补助资金由财政部门按指标安排，\
             不能先发放后补指标。请核对资金来源、区县代码和日期；填写无误的，\
             待指标文件下达并导入预算指标表后重新提交。";
        en "over budget":
            "This amount and what is committed already are more than was appropriated for the \
             fund, programme, office and year; without an appropriation the line is zero. The \
             year is the calendar year of the basis date. Grants are paid out of appropriations, \
             and none is decided in advance of one. Check the fund, the office and the date; if \
             they are right, import the appropriation when its document has come, then resubmit.";
    }
    "M04_DAILY_CAP" Refusal {
        zh "超每日50元":
            "申领的每日标准高于政策包规定的每人每天上限。通知第四条规定，脱贫人口培训期间的生活（交通）\
             费补贴按人按天不超过限额；按现行口径，各日之间不作平均。标题中的数额出自政策包 luzhou-2023，\
             实际以补贴日期执行的政策包为准。请把每日标准改到上限以内，相应改正金额，重新申领。";
        en "over ¥50 a day":
            "The claim's daily rate is above what the policy pack allows a person for a day. \
             Measure 4 of the notice caps the living allowance for each day of training, and by \
             the reading in force days are not averaged. The figure in the title is that of the \
             pack luzhou-2023; the pack in force on the paid dates decides. Lower the rate, \
             correct the amount with it, and claim again.";
    }
    "M04_DAY_DUP" Refusal {
        zh "同日重复":
            "申领的某些日期，此人已经领过培训生活（交通）费补贴，不论是哪个培训班、线上还是线下。\
             通知第四条按天规定补贴，同一天只补一次。请对照不予受理决定所列的日期和原补贴记录，\
             剔除重复日期并改正金额后重新申领。";
        en "day already paid":
            "The living allowance has been granted to this person for some of the claimed days \
             already, in whatever course, online or not. Measure 4 grants it by the day, and a day \
             is paid once. Compare the days named in the refusal with the earlier grant, leave \
             them out, correct the amount, and claim again.";
    }
    "M04_ONCE_YEAR" Refusal {
        zh "本年度已享受":
            "此人在该年度享受补贴的培训班已经达到规定数目。通知第四条规定生活（交通）费补贴\
             “每年只享受一次”；按现行口径，年度是培训班首日所在的日历年度，同一培训班的补报不算第二次。\
             请用 luzhang subject show 查看此前的补贴：班级编号填错的，改正后重新申领；\
             确已享受的，本年度不再补贴。";
        en "used this year":
            "This person has had the allowance for as many courses of the year as the policy pack \
             allows. Measure 4 grants it once each year; by the reading in force that is the \
             calendar year of the course's first day, and a further claim for the same course is a \
             supplement. Look at the earlier grants with `luzhang subject show`: correct the course \
             number if it is wrong; otherwise nothing more is due for that year.";
    }
    "M04_UI_OVERLAP" Refusal {
        zh "与失业保险金重叠":
            "申领的某些日期落在此人领取失业保险金的期间之内。通知第四条规定两者不可同时领取；\
             按现行口径只剔除重叠的日期，前后相邻日期不受影响。请剔除所列日期并改正金额后重新申领；\
             领取期间登记有误的，先撤回该期间，再重新提交。补贴之后才登记领取期间的，\
             原补贴不改动，以本代码记为冲突，请按规定核实和追回。";
        en "overlaps unemployment benefit":
            "Some of the claimed days lie in a period for which this person draws unemployment \
             benefit. Measure 4 excludes both at once; by the reading in force only those days are \
             lost, the adjacent ones are not. Leave out the days named, correct the amount and \
             claim again; if the benefit period is wrong, have it retracted first. A period that \
             is recorded after the grant leaves the grant as it is and raises a conflict with this \
             code, to be examined and recovered.";
    }
    "M04_NOT_ELIGIBLE" Refusal {
        zh "非脱贫人口":
            "申领的某些日期，此人不在已登记的脱贫人口名册有效期内。通知第四条的补贴对象是脱贫人口，\
             按现行口径逐日核对资格，以申领时账上的名册为准。请核对身份证号码和日期；名册漏登的，\
             先导入更新的脱贫人口名册，再重新提交；确不符合的，剔除这些日期并改正金额。";
        en "not eligible":
            "On some of the claimed days this person is not on the poverty list as recorded. \
             Measure 4 is for people lifted out of poverty; by the reading in force the status is \
             judged for each day, by the lists recorded before the claim. Check the identity \
             number and the days; if the list is incomplete, import the newer one and resubmit; \
             otherwise leave out these days and correct the amount.";
    }
    "M04_NO_ATTENDANCE" Refusal {
        zh "无考勤":
            "申领的某些日期没有此人在该培训班的出勤记录，或者不在培训班的起止日期之内。通知第四条的补贴\
             给予培训期间，按现行口径一天即一个出勤日期。请核对班级编号和日期；考勤漏报的，\
             先导入考勤表，再重新提交；确未出勤的，剔除这些日期并改正金额。";
        en "no attendance":
            "For some of the claimed days there is no record that this person attended the course, \
             or the course was not held on them. Measure 4 pays for the time of training; by the \
             reading in force a day is an attended date. Check the course number and the days; if \
             attendance was not reported, import it and resubmit; otherwise leave out these days \
             and correct the amount.";
    }
    "M05_AMOUNT" Refusal {
        zh "金额不符":
            "申领金额与政策包按类型和级别规定的金额不一致。通知第五条对高技能人才培训基地和技能大师工作室\
             分国家级、省级给予定额补助，多于或少于定额都不符合规定。请按认定文件核对类型和级别，\
             改为不予受理决定所列的应补金额（出自认定日期执行的政策包）后重新申领。";
        en "wrong amount":
            "The amount is not the one that the policy pack sets for this kind and level. Measure \
             5 gives fixed amounts for training bases and master studios, one for the national and \
             one for the provincial level; neither more nor less is right. Compare kind and level \
             with the recognition document, and claim again with the amount named in the refusal, \
             which is that of the pack in force on the day of recognition.";
    }
    "M05_ONCE" Refusal {
        zh "已享受一次性补助":
            "该单位同一类型、同一级别的补助已经发放。通知第五条规定为一次性补助；单位更名、\
             撤销后重新认定都不产生第二次，按现行口径晋升到另一级别的可以另行享受。\
             请核对统一社会信用代码、类型和级别；确已享受的，不再申领。";
        en "already granted":
            "The grant for this kind and level was made to the entity before. Measure 5 gives it \
             once; neither a new name nor a new recognition after revocation makes a second one, \
             while by the reading in force promotion to another level has its own. Check the \
             credit code, kind and level; if they are right, nothing more is due.";
    }
    "M05_FUND" Refusal {
        zh "资金渠道不符":
            "所填的资金来源不是政策包允许用于本项补助的资金。通知第五条规定从中央或省级就业创业补助资金中列支。\
             请按资金文件改正资金来源后重新申领；允许的资金来源见不予受理决定。";
        en "wrong fund":
            "The fund is not one from which the policy pack lets this grant be paid. Measure 5 \
             names the central and the provincial employment fund. Correct the fund by its \
             document and claim again; the refusal lists the funds that are allowed.";
    }
    "M15_AMOUNT" Refusal {
        zh "标准不符":
            "申领金额不等于政策包规定的每人标准。通知第十五条的就业创业服务补助按人定额给予，\
             一行只申领一名就业人员。请按不予受理决定所列的标准（出自合同起始日执行的政策包）\
             改正金额后重新申领。";
        en "wrong rate":
            "The amount is not what the policy pack sets for one worker. The service subsidy of \
             measure 15 is a fixed rate a person, and each row claims for one. Claim again with \
             the rate named in the refusal, which is that of the pack in force on the contract's \
             first day.";
    }
    "M15_CONTRACT" Refusal {
        zh "合同或参保不符":
            "劳动合同短于政策包规定的年限，或者没有参保起始日期。通知第十五条的补助以协助签订满规定年限的\
             劳动合同并参加社会保险为条件；合同截止日计入合同期。请核对合同起止日期和参保记录：\
             填写有误的改正后重新申领，尚未参保的待参保后申领，合同期不足的不予补助。";
        en "contract or insurance":
            "The labour contract is shorter than the policy pack asks, or there is no first day of \
             social insurance. Measure 15 pays for placements with both; the last day belongs to \
             the contract. Compare the dates with the contract and the insurance record: correct \
             what was mistyped, wait for the insurance if it is outstanding; for a shorter \
             contract nothing is due.";
    }
    "M15_NOT_ELIGIBLE" Refusal {
        zh "非脱贫人口":
            "合同起始日当天，被介绍就业人员不在已登记的脱贫人口名册有效期内。通知第十五条补助的是\
             组织脱贫人口到企业就业。请核对身份证号码和合同起始日；名册漏登的，\
             先导入更新的脱贫人口名册，再重新提交。";
        en "worker not eligible":
            "On the contract's first day the placed worker is not on the poverty list as recorded. \
             Measure 15 pays for bringing people lifted out of poverty into work. Check the \
             identity number and the contract's first day; if the list is incomplete, import the \
             newer one and resubmit.";
    }
    "M15_DUP" Refusal {
        zh "同一人员重复":
            "此人在同一用工单位就业，或者在同一日历年度（按合同起始日），已经有过就业创业服务补助。\
             通知第十五条按人给予补助；按现行口径，同一人员同一用工单位只补一次、每个日历年度只补一次，\
             两家机构都申报的以先登记者为准。请核对身份证号码、用工单位代码和合同起始日；\
             确已补助的，不再申领。";
        en "duplicate worker":
            "The service subsidy has been granted for this worker with this employer, or in this \
             calendar year of the contract's first day. Measure 15 pays by the person; by the \
             reading in force once for a worker and employer and once for a worker and year, and of \
             two agencies the first recorded wins. Check the worker's identity number, the \
             employer's code and the first day; if they are right, nothing more is due.";
    }
    "M16_AMOUNT" Refusal {
        zh "奖补不符":
            "申领金额与政策包对该级别品牌规定的奖补金额不一致。通知第十六条只对“川字号”品牌规定了定额奖补，\
             “泸字号”品牌只授牌，区域性品牌是否奖补由区县另定，未规定的级别不奖补。\
             请核对品牌编号及其授牌级别，改为不予受理决定所列的金额（出自发放日期执行的政策包）后重新申领；\
             应奖补金额为零的，不再申领。";
        en "wrong award":
            "The amount is not what the policy pack sets for a brand of this level. Measure 16 \
             fixes an award for provincial brands alone; city brands have a plaque and no money, \
             and awards for county brands need a county rule. Check the brand number and the level \
             of its plaque, and claim again with the amount named in the refusal, which is that of \
             the pack in force on the payment date; if it is zero, nothing is due.";
    }
    "M16_ONCE" Refusal {
        zh "已奖补":
            "该品牌已经领过奖补。通知第十六条规定为一次性奖补；按现行口径每个品牌只奖补一次，\
             授牌期满续牌的不再奖补。请核对品牌编号；确已奖补的，不再申领。";
        en "already awarded":
            "This brand has had its award. Measure 16 gives it once; by the reading in force that \
             is once ever, and a renewed plaque brings no second one. Check the brand number; if \
             it is right, nothing more is due.";
    }
    "M16_EXPIRED" Refusal {
        zh "授牌失效":
            "发放日期当天该品牌没有有效的牌匾：未登记授牌、尚未授牌，或者有效期已满。通知第十六条规定\
             授牌实行动态管理并有有效期，奖补以牌匾有效为前提。请核对品牌编号和发放日期；\
             授牌漏登的，先导入授牌表，再重新提交。本项单独报告，解决后才核对其他限制。";
        en "plaque lapsed":
            "The brand has no plaque in force on the payment date: none is recorded, it was awarded \
             later, or its term is over. Under measure 16 plaques are reviewed and valid for a \
             term, and the award presupposes one in force. Check the brand number and the date; \
             if the plaque was not recorded, import it and resubmit. This is reported alone: other \
             limits are judged once it is resolved.";
    }
    "M22_NO_LOAN" Refusal {
        zh "无有效贷款":
            "账上没有这笔贷款：贷款编号有误，贷款尚未登记，或者登记时不予受理。通知第二十二条的贴息\
             以已发放的创业担保贷款为前提。请核对贷款编号；贷款漏登的，先导入创业担保贷款表，再重新提交。\
             本项单独报告，解决后才核对其他限制。";
        en "no such loan":
            "The loan is not on the ledger: its number is wrong, it was not recorded, or it was \
             refused. Under measure 22 interest is subsidised on guaranteed loans that were \
             issued. Check the loan number; if the loan was not recorded, import it and resubmit. \
             This is reported alone: other limits are judged once it is resolved.";
    }
    "M22_CAP" Refusal {
        zh "超额度":
            "贷款金额超过该类借款人（个人或小微企业）在发放日的最高额度。通知第二十二条规定了最高额度，\
             并规定此后按中央、省最新文件执行；因此适用发放日有效的额度，而不是申请日的。\
             请核对借款人类型、贷款金额和发放日期；填写无误的，该笔贷款不能登记为创业担保贷款。";
        en "over cap":
            "The principal is above the most that this kind of borrower, a person or a small firm, \
             may have on the day of issue. Measure 22 sets the caps and gives way to later central \
             and provincial documents; so the cap is that of the day of issue, not of the \
             application. Check the kind of borrower, the principal and the day; if they are \
             right, this cannot be recorded as a guaranteed loan.";
    }
    "M22_COUNT" Refusal {
        zh "累计超过3次":
            "该借款人已发放的创业担保贷款达到了政策包规定的累计次数。通知第二十二条限定累计次数；\
             按现行口径首次计算在内，只计已发放的贷款，个人与其企业分别计算。标题中的次数出自政策包\
             luzhou-2023，实际以发放日期执行的政策包为准。请核对借款人证件号码；确已达到次数的，\
             不能再享受。";
        en "over three":
            "As many guaranteed loans have been issued to this borrower as the policy pack allows. \
             Measure 22 limits their number; by the reading in force the first counts, only issued \
             loans count, and a person and their firm count apart. The figure in the title is that \
             of the pack luzhou-2023; the pack in force on the day of issue decides. Check the \
             borrower's number; if it is right, no further loan is possible.";
    }
    "M22_REPEAT" Refusal {
        zh "不符合再次申请":
            "该借款人此前登记的贷款还没有全部结清，或者有过逾期。通知第二十二条只允许还款积极的借款人\
             再次申请；按现行口径，“此前”以登记先后为准，不比较日期。已经结清的，\
             先导入贷款结清表，再重新提交；有逾期的，不能再次申请。";
        en "repeat not allowed":
            "A loan that was recorded earlier for this borrower is not settled, or was overdue. \
             Measure 22 lets borrowers apply again who repay well; by the reading in force earlier \
             is by the order of record, and dates are not compared. If the earlier loans are \
             settled, import the settlements and resubmit; after an overdue one no further loan is \
             possible.";
    }
    "M22_INTEREST" Refusal {
        zh "贴息超限":
            "申领的贴息高于实付利息中可以贴补的部分。通知第二十二条要求按规定落实贴息，比例和分段额度\
             由政策包所引的中央、省文件规定：额度以内的本金按比例贴息，超出部分另计；精确比较，\
             不四舍五入。请核对实付利息和贴息金额，改到不予受理决定所列的最高金额以内后重新申领。";
        en "subsidy too high":
            "The subsidy is more than the share of the interest paid that may be subsidised. \
             Measure 22 grants it as prescribed; the shares and tranches are those of the central \
             and provincial documents cited in the policy pack: one share for the principal within \
             the tranche, another for the rest, compared exactly and without rounding. Check the \
             interest and the subsidy, and claim again with no more than the refusal names.";
    }
    "M22_PERIOD_DUP" Refusal {
        zh "计息期重复":
            "申领的计息期与同一贷款已贴息的期间重叠。通知第二十二条的贴息对应实际支付的利息，\
             同一天的利息只贴一次。计息截止日不计入本期，下一期可以从这一天开始。\
             请对照不予受理决定所列的期间，改正计息起止日期和金额后重新申领。";
        en "interest period overlaps":
            "The interest period overlaps one for which the same loan was subsidised. Measure 22 \
             subsidises interest actually paid, and a day's interest once. The last date of a \
             period is not part of it, so the next period may begin on that date. Compare with the \
             period named in the refusal, correct the dates and the amount, and claim again.";
    }
};
