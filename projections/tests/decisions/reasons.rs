//! All reasons at once, in the order of the catalogue, with the values compared,
//! the facts they rest on, and the words.

use luzhang_ledger::{
    claim::{RecognitionLevel::National, SkillBaseKind::TrainingBase},
    fact::{BrandLevel::Provincial, Repayment::Overdue},
};

use crate::{
    given::{given, refused},
    steps::{
        LI, WANG, WORKS, allowance, attended, award, base, benefit, budget, course, interest,
        listed, loan, placement, plaque, settled,
    },
};

#[test]
fn training_allowance() {
    let ledger = given([
        budget("training-allowance", 2026, 20_000),     // 2
        listed(WANG, "2026-01-01..2026-12-15"),         // 3
        course("K1", "2026-12-14", "2026-12-18"),       // 4
        attended(WANG, "K1", "2026-12-14..2026-12-16"), // 5
        allowance(WANG, "K1", "2026-12-14"),            // 6
        course("K2", "2026-12-14", "2026-12-20"),       // 7
        attended(WANG, "K2", "2026-12-14..2026-12-15"), // 8
        benefit(WANG, "2026-12-16", "2026-12-31"),      // 9
    ]);
    ledger
        .when(allowance(WANG, "K2", "2026-12-14..2026-12-17").rate(5_001))
        .then(refused(
            "OUT_OF_WINDOW BUDGET_EXCEEDED M04_DAILY_CAP M04_DAY_DUP M04_ONCE_YEAR \
             M04_UI_OVERLAP M04_NOT_ELIGIBLE M04_NO_ATTENDANCE",
        ))
        .because(&[
            (
                "G-WINDOW",
                "dates=2026-12-17 from=2023-12-17 until=2026-12-17",
                &[],
                "2026-12-17 不在政策有效期内（2023-12-17 起，2026-12-17 前）",
                "2026-12-17 is outside the policy's validity (from 2023-12-17, before 2026-12-17)",
            ),
            (
                "G-BUDGET",
                "amount=20004 committed=5000 appropriated=20000 left=15000 year=2026 \
                 fund=employment-provincial",
                &[2],
                "超预算指标：2026 年度下达 200.00 元，已占用 50.00 元，余 150.00 元，本次申领 200.04 元",
                "over budget: 200.00 yuan appropriated for 2026, 50.00 committed, 150.00 left, \
                 200.04 claimed",
            ),
            (
                "M04-CAP",
                "rate=5001 max=5000",
                &[],
                "每日标准 50.01 元，超过每人每天 50.00 元",
                "a daily rate of 50.01 yuan is over 50.00 yuan a person and day",
            ),
            (
                "M04-DAY",
                "dates=2026-12-14",
                &[6],
                "同日重复：2026-12-14 已经补贴",
                "paid already: 2026-12-14",
            ),
            (
                "M04-ONCE",
                "count=1 max=1 period=2026",
                &[6],
                "2026 年度已享受 1 个培训班的补贴，上限 1 个",
                "1 course(s) allowed for 2026 already, at most 1",
            ),
            (
                "M04-UI",
                "dates=2026-12-16,2026-12-17",
                &[9],
                "与失业保险金领取期间重叠：2026-12-16、2026-12-17；剔除后可重新申领",
                "overlaps unemployment benefit on 2026-12-16, 2026-12-17; claim again without \
                 these days",
            ),
            (
                "M04-ELIG",
                "dates=2026-12-15,2026-12-16,2026-12-17",
                &[3],
                "非脱贫人口：2026-12-15、2026-12-16、2026-12-17 不在名册有效期内",
                "not on the poverty list on 2026-12-15, 2026-12-16, 2026-12-17",
            ),
            (
                "M04-ATT",
                "dates=2026-12-16,2026-12-17 number=K2",
                &[7, 8],
                "培训班 K2 无考勤：2026-12-16、2026-12-17",
                "no attendance in course K2 on 2026-12-16, 2026-12-17",
            ),
        ]);
}

#[test]
fn skill_base() {
    let ledger = given([
        budget("skill-base", 2024, 600_000_000),   // 2
        base(TrainingBase, National, 500_000_000), // 3
    ]);
    ledger
        .when(base(TrainingBase, National, 300_000_000).fund("county"))
        .then(refused("BUDGET_EXCEEDED M05_AMOUNT M05_ONCE M05_FUND"))
        .because(&[
            (
                "G-BUDGET",
                "amount=300000000 committed=0 appropriated=0 left=0 year=2024 fund=county",
                &[],
                "超预算指标：2024 年度下达 0.00 元，已占用 0.00 元，余 0.00 元，本次申领 3000000.00 元",
                "over budget: 0.00 yuan appropriated for 2024, 0.00 committed, 0.00 left, \
                 3000000.00 claimed",
            ),
            (
                "M05-AMT",
                "amount=300000000 expected=500000000",
                &[],
                "金额不符：应为 5000000.00 元，申领 3000000.00 元",
                "wrong amount: 5000000.00 yuan is due, 3000000.00 claimed",
            ),
            (
                "M05-ONCE",
                "count=1 max=1 period=",
                &[3],
                "已享受同类同级一次性补助 1 次，上限 1 次",
                "granted 1 time(s) for this kind and level already, at most 1",
            ),
            (
                "M05-FUND",
                "fund=county allowed=employment-central, employment-provincial",
                &[],
                "资金渠道不符：county，应为 employment-central, employment-provincial",
                "wrong fund: county, should be one of employment-central, employment-provincial",
            ),
        ]);
}

#[test]
fn service_subsidy() {
    let ledger = given([
        budget("service-subsidy", 2024, 30_000),            // 2
        listed(WANG, "2024-01-01..2024-06-01"),             // 3
        placement(WANG, WORKS, "2024-03-01", "2025-02-28"), // 4
    ]);
    let again = placement(WANG, WORKS, "2024-06-01", "2025-05-30");
    ledger
        .when(again.amount(30_001).insured(None))
        .then(refused(
            "BUDGET_EXCEEDED M15_AMOUNT M15_CONTRACT M15_NOT_ELIGIBLE M15_DUP M15_DUP",
        ))
        .because(&[
            (
                "G-BUDGET",
                "amount=30001 committed=30000 appropriated=30000 left=0 year=2024 \
                 fund=employment-provincial",
                &[2],
                "超预算指标：2024 年度下达 300.00 元，已占用 300.00 元，余 0.00 元，本次申领 300.01 元",
                "over budget: 300.00 yuan appropriated for 2024, 300.00 committed, 0.00 left, \
                 300.01 claimed",
            ),
            (
                "M15-AMT",
                "amount=30001 expected=30000",
                &[],
                "标准不符：应为 300.00 元，申领 300.01 元",
                "wrong rate: 300.00 yuan is due, 300.01 claimed",
            ),
            (
                "M15-COND",
                "first=2024-06-01 last=2025-05-30 earliest_last=2025-05-31 insured=-",
                &[],
                "合同或参保不符：合同 2024-06-01 至 2025-05-30（满一年应至 2025-05-31），参保起始 -",
                "contract or insurance: 2024-06-01 to 2025-05-30 (a year lasts to 2025-05-31), \
                 insured from -",
            ),
            (
                "M15-ELIG",
                "dates=2024-06-01",
                &[3],
                "非脱贫人口：2024-06-01 不在名册有效期内",
                "worker not on the poverty list on 2024-06-01",
            ),
            (
                "M15-UNIQ-EMPLOYER",
                "count=1 max=1 period=",
                &[4],
                "同一人员重复：与该用工单位已补助 1 次",
                "duplicate worker: granted 1 time(s) with this employer",
            ),
            (
                "M15-UNIQ-YEAR",
                "count=1 max=1 period=2024",
                &[4],
                "同一人员重复：2024 年度已补助 1 次",
                "duplicate worker: granted 1 time(s) in 2024",
            ),
        ]);
}

#[test]
fn brand_award() {
    let ledger = given([
        budget("brand-award", 2024, 20_000_000), // 2
        plaque("B1", Provincial, "2024-01-01"),  // 3
        award("B1", "2024-06-01"),               // 4
    ]);
    ledger
        .when(award("B1", "2024-07-01").amount(1))
        .then(refused("BUDGET_EXCEEDED M16_AMOUNT M16_ONCE"))
        .because(&[
            (
                "G-BUDGET",
                "amount=1 committed=20000000 appropriated=20000000 left=0 year=2024 \
                 fund=employment-provincial",
                &[2],
                "超预算指标：2024 年度下达 200000.00 元，已占用 200000.00 元，余 0.00 元，本次申领 0.01 元",
                "over budget: 200000.00 yuan appropriated for 2024, 200000.00 committed, \
                 0.00 left, 0.01 claimed",
            ),
            (
                "M16-AMT",
                "amount=1 expected=20000000",
                &[],
                "奖补不符：应为 200000.00 元，申领 0.01 元",
                "wrong award: 200000.00 yuan is due, 0.01 claimed",
            ),
            (
                "M16-ONCE",
                "count=1 max=1 period=",
                &[4],
                "该品牌已奖补 1 次，上限 1 次",
                "awarded 1 time(s) already, at most 1",
            ),
        ]);
    ledger
        .when(award("B1", "2027-01-01").amount(1))
        .then(refused("M16_EXPIRED"))
        .because(&[(
            "M16-VALID",
            "number=B1 dates=2027-01-01",
            &[3],
            "授牌失效：品牌 B1 在 2027-01-01 没有有效牌匾",
            "no plaque of brand B1 in force on 2027-01-01",
        )]);
}

#[test]
fn loans_and_interest() {
    let ledger = given([
        loan("L1", WANG, 30_000_000, "2024-03-01"),           // 2
        settled("L1", Overdue),                               // 3
        loan("L2", LI, 30_000_000, "2024-03-01"),             // 4
        budget("interest-subsidy", 2024, 500),                // 5
        interest("L2", "2024-03-01..2024-04-01", 1_000, 500), // 6
    ]);
    ledger
        .when(loan("L3", WANG, 30_000_001, "2025-03-31"))
        .then(refused("M22_CAP M22_REPEAT"))
        .because(&[
            (
                "M22-CAP",
                "amount=30000001 max=30000000",
                &[],
                "超额度：300000.01 元，发放日上限 300000.00 元",
                "over the cap: 300000.01 yuan, at most 300000.00 on the day of issue",
            ),
            (
                "M22-REPEAT",
                "open=0 overdue=1",
                &[2, 3],
                "不符合再次申请条件：此前贷款未结清 0 笔，逾期 1 笔",
                "no further loan: 0 earlier loan(s) not settled, 1 overdue",
            ),
        ]);
    ledger
        .when(interest("L2", "2024-03-31..2024-05-01", 1_000, 501))
        .then(refused("BUDGET_EXCEEDED M22_INTEREST M22_PERIOD_DUP"))
        .because(&[
            (
                "G-BUDGET",
                "amount=501 committed=500 appropriated=500 left=0 year=2024 \
                 fund=employment-provincial",
                &[5],
                "超预算指标：2024 年度下达 5.00 元，已占用 5.00 元，余 0.00 元，本次申领 5.01 元",
                "over budget: 5.00 yuan appropriated for 2024, 5.00 committed, 0.00 left, \
                 5.01 claimed",
            ),
            (
                "M22-INT",
                "amount=501 max=500",
                &[4],
                "贴息超限：申领 5.01 元，最多 5.00 元",
                "subsidy too high: 5.01 yuan claimed, at most 5.00",
            ),
            (
                "M22-PERIOD",
                "from=2024-03-01 until=2024-04-01",
                &[6],
                "计息期重复：该贷款 2024-03-01 起、2024-04-01 前已贴息",
                "interest period overlaps one from 2024-03-01, before 2024-04-01",
            ),
        ]);
    ledger
        .when(interest("L9", "2027-01-01..2027-02-01", 1_000, 501))
        .then(refused("M22_NO_LOAN"))
        .because(&[(
            "M22-NO-LOAN",
            "number=L9",
            &[],
            "无有效贷款：L9",
            "no such loan: L9",
        )]);
}

#[test]
fn many_days_are_named_up_to_eight() {
    let ledger = given([
        budget("training-allowance", 2024, 1_000_000),
        listed(WANG, "2020-01-01.."),
        course("K1", "2024-03-01", "2024-03-31"),
    ]);
    let zh = |days: &str| format!("培训班 K1 无考勤：{days}");
    let en = |days: &str| format!("no attendance in course K1 on {days}");
    let list = |last: i32, comma: &str| {
        let days: Vec<String> = (1..=last).map(|d| format!("2024-03-{d:02}")).collect();
        days.join(comma)
    };
    for (last, zh, en) in [
        (1, zh("2024-03-01"), en("2024-03-01")),
        (8, zh(&list(8, "、")), en(&list(8, ", "))),
        (
            9,
            zh(&format!("{}等9天", list(8, "、"))),
            en(&format!("{} … (9 days)", list(8, ", "))),
        ),
        (
            31,
            zh(&format!("{}等31天", list(8, "、"))),
            en(&format!("{} … (31 days)", list(8, ", "))),
        ),
    ] {
        let on = format!("2024-03-01..2024-03-{last:02}");
        ledger
            .when(allowance(WANG, "K1", &on))
            .then(refused("M04_NO_ATTENDANCE"))
            .because(&[(
                "M04-ATT",
                &format!("dates={} number=K1", list(last, ",")),
                &[4],
                &zh,
                &en,
            )]);
    }
}
