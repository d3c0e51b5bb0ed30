use luzhang_proto::{google::r#type::Date, wire};

use super::{
    layout::Layout,
    row::{ParsedRow, RowError},
    *,
};
use crate::import::table::Table;

pub(super) const PERSON: &str = "510590199003070016";
const FIRM: &str = "91510590MA0000001L";

/// A good row of a template, and what it becomes.
pub(super) struct Case {
    pub(super) template: Template,
    /// In the order of the template's columns.
    pub(super) cells: Vec<&'static str>,
    key: &'static str,
    office: &'static str,
    body: Body,
}

impl Case {
    #[track_caller]
    pub(super) fn check(&self, row: Result<ParsedRow, Vec<RowError>>) {
        let row = row.unwrap();
        assert_eq!((&*row.key, &*row.office), (self.key, self.office));
        assert_eq!(row.body, self.body);
    }
}

/// One good row of each template.
pub(super) fn cases() -> Vec<Case> {
    facts().into_iter().chain(claims()).collect()
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

pub(super) fn good(template: Template) -> Vec<&'static str> {
    let case = cases().into_iter().find(|case| case.template == template);
    case.unwrap().cells
}

fn case(
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

fn date(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

fn person() -> wire::Person {
    wire::Person {
        name: "甲".to_owned(),
        national_id: PERSON.to_owned(),
    }
}

fn organisation(name: &str) -> wire::Organisation {
    wire::Organisation {
        name: name.to_owned(),
        credit_code: FIRM.to_owned(),
        accept_check_digit: false,
    }
}

pub(super) fn table(header: &[&str], cells: &[&str]) -> Table {
    let text = format!("{}\n{}\n", header.join(","), cells.join(","));
    Table::from_bytes(text.into_bytes()).unwrap()
}

pub(super) fn read(header: &[&str], cells: &[&str]) -> Result<ParsedRow, Vec<RowError>> {
    let table = table(header, cells);
    Layout::find(&table).unwrap().row(&table.rows()[0])
}

/// The good row of `template` with `change` in one column.
pub(super) fn with(
    template: Template,
    column: &str,
    change: &'static str,
) -> Result<ParsedRow, Vec<RowError>> {
    let mut cells = good(template);
    let place = template
        .columns()
        .iter()
        .position(|name| *name == column)
        .unwrap();
    cells[place] = change;
    read(template.columns(), &cells)
}

#[test]
fn a_good_row_of_each_template() {
    let cases = cases();
    assert_eq!(cases.len(), Template::ALL.len());
    for case in cases {
        case.check(read(case.template.columns(), &case.cells));
    }
}

#[test]
fn each_label_has_its_value() {
    for (template, column, label, value) in [
        (
            Template::Plaque,
            "级别",
            "泸字号",
            wire::BrandLevel::City as i32,
        ),
        (
            Template::Plaque,
            "级别",
            "川字号",
            wire::BrandLevel::Provincial as i32,
        ),
        (
            Template::Plaque,
            "级别",
            "区域性",
            wire::BrandLevel::County as i32,
        ),
        (
            Template::SkillBase,
            "级别",
            "国家级",
            wire::RecognitionLevel::National as i32,
        ),
        (
            Template::SkillBase,
            "级别",
            "省级",
            wire::RecognitionLevel::Provincial as i32,
        ),
        (
            Template::SkillBase,
            "类型",
            "高技能人才培训基地",
            wire::SkillBaseKind::TrainingBase as i32,
        ),
        (
            Template::SkillBase,
            "类型",
            "技能大师工作室",
            wire::SkillBaseKind::MasterStudio as i32,
        ),
        (
            Template::LoanSettlement,
            "是否逾期",
            "是",
            wire::Repayment::Overdue as i32,
        ),
        (
            Template::LoanSettlement,
            "是否逾期",
            "否",
            wire::Repayment::OnTime as i32,
        ),
    ] {
        let row = with(template, column, label).unwrap();
        let found = if let Body::Plaque(plaque) = row.body {
            plaque.level
        } else if let Body::LoanSettlement(settlement) = row.body {
            settlement.repayment
        } else if let Body::SkillBase(base) = row.body {
            if column == "类型" {
                base.kind
            } else {
                base.level
            }
        } else {
            panic!("{} has no labels", template.id())
        };
        assert_eq!(found, value, "{label}");
    }
}

#[test]
fn a_firm_borrows_by_its_credit_code() {
    let mut cells = good(Template::Loan);
    cells[1..4].copy_from_slice(&["小微企业", "某企业", FIRM]);
    let row = read(Template::Loan.columns(), &cells).unwrap();
    let Body::Loan(loan) = row.body else {
        panic!("a loan")
    };
    let kind = wire::borrower::Kind::SmallFirm(organisation("某企业"));
    assert_eq!(loan.borrower, Some(wire::Borrower { kind: Some(kind) }));
}

#[test]
fn no_two_templates_share_a_name_or_a_header() {
    for (index, one) in Template::ALL.iter().enumerate() {
        for other in &Template::ALL[index + 1..] {
            assert_ne!(one.id(), other.id());
            assert_ne!(one.title(), other.title());
            assert_ne!(one.columns(), other.columns());
        }
    }
}
