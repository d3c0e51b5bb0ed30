//! A good row of each template, and what it becomes.

use luzhang_proto::{google::r#type::Date, wire};

use crate::import::template::{
    row::{ParsedRow, RowError},
    *,
};

pub(in crate::import::template) const PERSON: &str = "510590199003070016";
pub(super) const FIRM: &str = "91510590MA0000001L";

/// A good row of a template, and what it becomes.
#[derive(Clone)]
pub(in crate::import::template) struct Case {
    pub(in crate::import::template) template: Template,
    /// In the order of the template's columns.
    pub(in crate::import::template) cells: Vec<&'static str>,
    key: &'static str,
    office: &'static str,
    body: Body,
}

impl Case {
    #[track_caller]
    pub(in crate::import::template) fn check(&self, row: Result<ParsedRow, Vec<RowError>>) {
        let row = row.unwrap();
        assert_eq!((&*row.key, &*row.office), (self.key, self.office));
        assert_eq!(row.body, self.body);
    }
}

/// One good row of each template.
pub(in crate::import::template) fn cases() -> Vec<Case> {
    [
        facts(),
        claims(),
        newer_facts(),
        newer_claims(),
        steps(),
        money(),
        recoveries(),
    ]
    .concat()
}

fn facts() -> Vec<Case> {
    vec![
        case(
            Template::PovertyStatus,
            "甲,510590199003070016,2020-01-01,2025-10-27,2024-A",
            PERSON,
            "510500",
            Body::PovertyStatus(wire::PovertyStatus {
                person: Some(person()),
                from: Some(date(2020, 1, 1)),
                until: Some(date(2025, 10, 27)),
                list_version: "2024-A".to_owned(),
            }),
        ),
        case(
            Template::UnemploymentBenefit,
            "甲,510590199003070016,2024-03-31,2024-11-11,市中心",
            PERSON,
            "510500",
            Body::UnemploymentBenefit(wire::UnemploymentBenefit {
                person: Some(person()),
                first_day: Some(date(2024, 3, 31)),
                last_day: Some(date(2024, 11, 11)),
                source: "市中心".to_owned(),
            }),
        ),
        case(
            Template::Course,
            "PX-1,某学校,91510590MA0000001L,电工,2025-08-01,2025-08-13,510503",
            "PX-1",
            "510503",
            Body::Course(wire::Course {
                course_no: "PX-1".to_owned(),
                provider: Some(organisation("某学校")),
                trade: "电工".to_owned(),
                first_day: Some(date(2025, 8, 1)),
                last_day: Some(date(2025, 8, 13)),
            }),
        ),
        case(
            Template::Attendance,
            "PX-1,甲,510590199003070016,2025-08-01;2025-08-03..2025-08-04",
            "PX-1:510590199003070016",
            "510500",
            Body::Attendance(wire::Attendance {
                course_no: "PX-1".to_owned(),
                person: Some(person()),
                dates: vec![date(2025, 8, 1), date(2025, 8, 3), date(2025, 8, 4)],
            }),
        ),
        case(
            Template::Plaque,
            "BR-1,某品牌,川字号,某公司,91510590MA0000001L,2023-12-18,农工〔2023〕0号,510500",
            "BR-1",
            "510500",
            Body::Plaque(wire::Plaque {
                brand_no: "BR-1".to_owned(),
                brand_name: "某品牌".to_owned(),
                level: wire::BrandLevel::Provincial.into(),
                applicant: Some(organisation("某公司")),
                awarded_on: Some(date(2023, 12, 18)),
                document: "农工〔2023〕0号".to_owned(),
            }),
        ),
        case(
            Template::LoanSettlement,
            "DK-1,2024-12-16,否",
            "DK-1",
            "510500",
            Body::LoanSettlement(wire::LoanSettlement {
                loan_no: "DK-1".to_owned(),
                settled_on: Some(date(2024, 12, 16)),
                repayment: wire::Repayment::OnTime.into(),
            }),
        ),
        case(
            Template::Appropriation,
            "泸财〔2023〕1号,某资金,training-allowance,510502,2023,18000.00",
            "泸财〔2023〕1号",
            "510502",
            Body::Appropriation(wire::Appropriation {
                document: "泸财〔2023〕1号".to_owned(),
                fund: "某资金".to_owned(),
                programme: "training-allowance".to_owned(),
                office: "510502".to_owned(),
                year: 2023,
                amount_fen: 1_800_000,
            }),
        ),
    ]
}

fn claims() -> Vec<Case> {
    vec![
        case(
            Template::TrainingAllowance,
            "SH-1,甲,510590199003070016,PX-1,2025-08-01;2025-08-03,40.00,80.00,某资金,510504",
            "SH-1",
            "510504",
            Body::TrainingAllowance(wire::TrainingAllowance {
                claim_no: "SH-1".to_owned(),
                person: Some(person()),
                course_no: "PX-1".to_owned(),
                dates: vec![date(2025, 8, 1), date(2025, 8, 3)],
                daily_fen: 4_000,
                amount_fen: 8_000,
                fund: "某资金".to_owned(),
            }),
        ),
        case(
            Template::SkillBase,
            "JD-1,某单位,91510590MA0000001L,技能大师工作室,省级,2025-08-15,人社〔2025〕1号,300000.00,某资金,510500",
            "JD-1",
            "510500",
            Body::SkillBase(wire::SkillBase {
                claim_no: "JD-1".to_owned(),
                entity: Some(organisation("某单位")),
                kind: wire::SkillBaseKind::MasterStudio.into(),
                level: wire::RecognitionLevel::Provincial.into(),
                recognised_on: Some(date(2025, 8, 15)),
                document: "人社〔2025〕1号".to_owned(),
                amount_fen: 30_000_000,
                fund: "某资金".to_owned(),
            }),
        ),
        case(
            Template::ServiceSubsidy,
            "FW-1,某公司,91510590MA0000001L,甲,510590199003070016,某企业,91510590MA0000001L,2025-02-27,2026-04-02,2025-02-28,300.00,某资金,510502",
            "FW-1",
            "510502",
            Body::ServiceSubsidy(wire::ServiceSubsidy {
                claim_no: "FW-1".to_owned(),
                agency: Some(organisation("某公司")),
                worker: Some(person()),
                employer: Some(organisation("某企业")),
                contract_first_day: Some(date(2025, 2, 27)),
                contract_last_day: Some(date(2026, 4, 2)),
                insured_from: Some(date(2025, 2, 28)),
                amount_fen: 30_000,
                fund: "某资金".to_owned(),
            }),
        ),
        case(
            Template::BrandAward,
            "JB-1,BR-1,200000.00,2024-06-01,某资金,510500",
            "JB-1",
            "510500",
            Body::BrandAward(wire::BrandAward {
                claim_no: "JB-1".to_owned(),
                brand_no: "BR-1".to_owned(),
                amount_fen: 20_000_000,
                paid_on: Some(date(2024, 6, 1)),
                fund: "某资金".to_owned(),
            }),
        ),
        case(
            Template::Loan,
            "DK-1,个人,甲,510590199003070016,300000.01,4.35,2024-07-11,2025-07-01,某银行,510502",
            "DK-1",
            "510502",
            Body::Loan(wire::Loan {
                loan_no: "DK-1".to_owned(),
                borrower: Some(wire::Borrower {
                    kind: Some(wire::borrower::Kind::Person(person())),
                }),
                principal_fen: 30_000_001,
                rate_ppm: 43_500,
                issued_on: Some(date(2024, 7, 11)),
                due_on: Some(date(2025, 7, 1)),
                bank: "某银行".to_owned(),
            }),
        ),
        case(
            Template::InterestSubsidy,
            "TX-1,DK-1,2025-01-01,2025-02-01,1000.00,500.00,某资金,510502",
            "TX-1",
            "510502",
            Body::InterestSubsidy(wire::InterestSubsidy {
                claim_no: "TX-1".to_owned(),
                loan_no: "DK-1".to_owned(),
                from: Some(date(2025, 1, 1)),
                until: Some(date(2025, 2, 1)),
                interest_fen: 100_000,
                amount_fen: 50_000,
                fund: "某资金".to_owned(),
            }),
        ),
    ]
}

fn newer_facts() -> Vec<Case> {
    vec![
        case(
            Template::Certificate,
            "甲,510590199003070016,职业技能等级证书,S1,四级,2025-08-20",
            "S1",
            "510500",
            Body::Certificate(wire::Certificate {
                certificate_no: "S1".to_owned(),
                person: Some(person()),
                kind: wire::CertificateKind::SkillLevel.into(),
                level: "四级".to_owned(),
                issued_on: Some(date(2025, 8, 20)),
            }),
        ),
        case(
            Template::Authority,
            "泸财〔2024〕7号,rent-relief,510502,2024-01-01,,2000.00,上限",
            "泸财〔2024〕7号:rent-relief",
            "510502",
            Body::Authority(wire::Authority {
                document: "泸财〔2024〕7号".to_owned(),
                programme: "rent-relief".to_owned(),
                office: "510502".to_owned(),
                from: Some(date(2024, 1, 1)),
                until: None,
                amount_fen: 200_000,
                stated: wire::AuthorityAmount::AtMost.into(),
            }),
        ),
        case(
            Template::Account,
            "个人,甲,510590199003070016,某银行,6222-1",
            PERSON,
            "510500",
            Body::Account(wire::Account {
                holder: Some(wire::account::Holder::Person(person())),
                bank: "某银行".to_owned(),
                number: "6222-1".to_owned(),
            }),
        ),
        case(
            Template::ContractEnd,
            "甲,510590199003070016,某企业,91510590MA0000001L,2025-02-27,2025-06-30,市中心",
            "510590199003070016:91510590MA0000001L:2025-02-27",
            "510500",
            Body::ContractEnd(wire::ContractEnd {
                worker: Some(person()),
                employer: Some(organisation("某企业")),
                contract_first_day: Some(date(2025, 2, 27)),
                ended_on: Some(date(2025, 6, 30)),
                source: "市中心".to_owned(),
            }),
        ),
    ]
}

fn newer_claims() -> Vec<Case> {
    vec![
        case(
            Template::TrainingSubsidy,
            "PB-1,甲,510590199003070016,PX-1,S1,1200.00,某资金,510504",
            "PB-1",
            "510504",
            Body::TrainingSubsidy(wire::TrainingSubsidy {
                claim_no: "PB-1".to_owned(),
                person: Some(person()),
                course_no: "PX-1".to_owned(),
                certificate_no: "S1".to_owned(),
                amount_fen: 120_000,
                fund: "某资金".to_owned(),
            }),
        ),
        case(
            Template::TransportAid,
            "JT-1,甲,510590199003070016,广东省,2025-02-20,铁路,300.00,某资金,510504",
            "JT-1",
            "510504",
            Body::TransportAid(wire::TransportAid {
                claim_no: "JT-1".to_owned(),
                person: Some(person()),
                province: "440000".to_owned(),
                travelled_on: Some(date(2025, 2, 20)),
                mode: wire::TravelMode::Rail.into(),
                amount_fen: 30_000,
                fund: "某资金".to_owned(),
            }),
        ),
        case(
            Template::Subsidy,
            "YF-1,rd-post-subsidy,单位,某公司,91510590MA0000001L,泸科〔2025〕3号,2025-12-31,100.00,250.50,15.05,某资金,510502",
            "rd-post-subsidy:YF-1",
            "510502",
            Body::Subsidy(wire::Subsidy {
                claim_no: "YF-1".to_owned(),
                programme: "rd-post-subsidy".to_owned(),
                recipient: Some(wire::Recipient {
                    kind: Some(wire::recipient::Kind::Organisation(organisation("某公司"))),
                }),
                document: "泸科〔2025〕3号".to_owned(),
                due_on: Some(date(2025, 12, 31)),
                spending: Some(wire::Spending {
                    previous_fen: 10_000,
                    current_fen: 25_050,
                }),
                amount_fen: 1_505,
                fund: "某资金".to_owned(),
            }),
        ),
    ]
}

fn steps() -> Vec<Case> {
    let judgement = |opinion: wire::Opinion, note: &str| wire::Judgement {
        grant: Some(claim("SH-1")),
        opinion: opinion.into(),
        note: note.to_owned(),
    };
    vec![
        case(
            Template::Review,
            "S-1,training-allowance,SH-1,退回,缺考勤,510504",
            "S-1:training-allowance:SH-1",
            "510504",
            Body::Review(judgement(wire::Opinion::Returned, "缺考勤")),
        ),
        case(
            Template::Approval,
            "P-1,training-allowance,SH-1,通过,同意,510504",
            "P-1:training-allowance:SH-1",
            "510504",
            Body::Approval(judgement(wire::Opinion::Passed, "同意")),
        ),
        case(
            Template::Override,
            "training-allowance,SH-1,审批,wang,仅一人在岗,510504",
            "training-allowance:SH-1:审批:wang",
            "510504",
            Body::Override(wire::Override {
                grant: Some(claim("SH-1")),
                duty: wire::Duty::Approval.into(),
                principal: "wang".to_owned(),
                reason: "仅一人在岗".to_owned(),
            }),
        ),
        case(
            Template::Notice,
            "GS-1,training-allowance,SH-1；SH-2;,2024-09-27,2024-10-10,510504",
            "GS-1",
            "510504",
            Body::Notice(wire::Notice {
                notice_no: "GS-1".to_owned(),
                grants: vec![claim("SH-1"), claim("SH-2")],
                first_day: Some(date(2024, 9, 27)),
                last_day: Some(date(2024, 10, 10)),
            }),
        ),
        case(
            Template::Objection,
            "YY-1,GS-1,training-allowance,SH-1,2024-09-29,未参加培训,510504",
            "YY-1",
            "510504",
            Body::Objection(wire::Objection {
                notice_no: "GS-1".to_owned(),
                objection_no: "YY-1".to_owned(),
                grant: Some(claim("SH-1")),
                filed_on: Some(date(2024, 9, 29)),
                reason: "未参加培训".to_owned(),
            }),
        ),
        case(
            Template::ObjectionResolution,
            "YY-1,不成立,2024-09-30,已核实,510504",
            "YY-1",
            "510504",
            Body::ObjectionResolution(wire::ObjectionResolution {
                objection_no: "YY-1".to_owned(),
                outcome: wire::ObjectionOutcome::Dismissed.into(),
                resolved_on: Some(date(2024, 9, 30)),
                note: "已核实".to_owned(),
            }),
        ),
        case(
            Template::NoticeClosing,
            "GS-1,2024-10-11,510504",
            "GS-1",
            "510504",
            Body::NoticeClosing(wire::NoticeClosing {
                notice_no: "GS-1".to_owned(),
                closed_on: Some(date(2024, 10, 11)),
            }),
        ),
        case(
            Template::PlaqueChange,
            "BR-1,续牌,2026-12-18,农工〔2026〕1号,510500",
            "BR-1:农工〔2026〕1号",
            "510500",
            Body::PlaqueChange(wire::PlaqueChange {
                brand_no: "BR-1".to_owned(),
                change: wire::PlaqueEvent::Renewed.into(),
                on: Some(date(2026, 12, 18)),
                document: "农工〔2026〕1号".to_owned(),
            }),
        ),
    ]
}

fn money() -> Vec<Case> {
    vec![
        case(
            Template::AppropriationChange,
            "泸财〔2024〕2号,泸财〔2023〕1号,调减,100.00,510502",
            "泸财〔2024〕2号",
            "510502",
            Body::AppropriationChange(wire::AppropriationChange {
                document: "泸财〔2024〕2号".to_owned(),
                of: "泸财〔2023〕1号".to_owned(),
                change: wire::AppropriationEvent::Decreased.into(),
                amount_fen: 10_000,
            }),
        ),
        case(
            Template::Reversal,
            "CZ-1,training-allowance,SH-1,10.00,多算一天,510504",
            "CZ-1:training-allowance:SH-1",
            "510504",
            Body::Reversal(wire::Reversal {
                grant: Some(claim("SH-1")),
                amount_fen: 1_000,
                reason: "多算一天".to_owned(),
            }),
        ),
        case(
            Template::Adjustment,
            "training-allowance,SH-1,80.00,泸财〔2024〕3号,510504",
            "training-allowance:SH-1:泸财〔2024〕3号",
            "510504",
            Body::Adjustment(wire::Adjustment {
                grant: Some(claim("SH-1")),
                amount_fen: 8_000,
                document: "泸财〔2024〕3号".to_owned(),
            }),
        ),
        case(
            Template::Refund,
            "TK-1,training-allowance,SH-1,10.00,2024-11-01,510504",
            "TK-1:training-allowance:SH-1",
            "510504",
            Body::Refund(wire::Refund {
                grant: Some(claim("SH-1")),
                amount_fen: 1_000,
                received_on: Some(date(2024, 11, 1)),
            }),
        ),
    ]
}

fn recoveries() -> Vec<Case> {
    vec![
        case(
            Template::RecoveryOpening,
            "ZH-1,training-allowance,SH-1,10.00,31,泸人社〔2024〕9号,510504",
            "ZH-1",
            "510504",
            Body::RecoveryOpening(wire::RecoveryOpening {
                recovery_no: "ZH-1".to_owned(),
                grant: Some(claim("SH-1")),
                amount_fen: 1_000,
                conflict: 31,
                basis: "泸人社〔2024〕9号".to_owned(),
            }),
        ),
        case(
            Template::RecoveryReceipt,
            "DZ-1,ZH-1,4.00,2024-11-01,510504",
            "DZ-1:ZH-1",
            "510504",
            Body::RecoveryReceipt(wire::RecoveryReceipt {
                recovery_no: "ZH-1".to_owned(),
                amount_fen: 400,
                received_on: Some(date(2024, 11, 1)),
            }),
        ),
        case(
            Template::RecoveryClosing,
            "ZH-1,6.00,泸财〔2024〕4号,510504",
            "ZH-1",
            "510504",
            Body::RecoveryClosing(wire::RecoveryClosing {
                recovery_no: "ZH-1".to_owned(),
                written_off_fen: 600,
                document: "泸财〔2024〕4号".to_owned(),
            }),
        ),
        case(
            Template::Restoration,
            "training-allowance,SH-1,4.00,泸财〔2024〕5号,510504",
            "training-allowance:SH-1:泸财〔2024〕5号",
            "510504",
            Body::Restoration(wire::Restoration {
                grant: Some(claim("SH-1")),
                amount_fen: 400,
                document: "泸财〔2024〕5号".to_owned(),
            }),
        ),
        case(
            Template::Retraction,
            "31,登记有误,510504",
            "31",
            "510504",
            Body::Retraction(wire::Retraction {
                asserted: 31,
                reason: "登记有误".to_owned(),
            }),
        ),
    ]
}

pub(super) fn claim(claim_no: &str) -> wire::GrantRef {
    let claim = wire::ClaimRef {
        programme: "training-allowance".to_owned(),
        claim_no: claim_no.to_owned(),
    };
    wire::GrantRef {
        grant: Some(wire::grant_ref::Grant::Claim(claim)),
    }
}

pub(in crate::import::template) fn good(template: Template) -> Vec<&'static str> {
    let case = cases().into_iter().find(|case| case.template == template);
    case.unwrap().cells
}

pub(super) fn case(
    template: Template,
    cells: &'static str,
    key: &'static str,
    office: &'static str,
    body: Body,
) -> Case {
    Case {
        template,
        cells: cells.split(',').collect(),
        key,
        office,
        body,
    }
}

pub(super) fn date(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

pub(super) fn person() -> wire::Person {
    wire::Person {
        name: "甲".to_owned(),
        national_id: PERSON.to_owned(),
    }
}

pub(super) fn organisation(name: &str) -> wire::Organisation {
    wire::Organisation {
        name: name.to_owned(),
        credit_code: FIRM.to_owned(),
        accept_check_digit: false,
    }
}
