use luzhang_proto::wire;

use super::{
    layout::Layout,
    row::{ParsedRow, RowError},
    *,
};
use crate::import::table::Table;

mod cases;

use self::cases::*;
pub(super) use self::cases::{PERSON, cases, good};

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

#[test]
fn a_grant_without_a_programme_is_named_by_its_position() {
    let at = |position| {
        let grant = Some(wire::grant_ref::Grant::Position(position));
        Some(wire::GrantRef { grant })
    };
    let read_review = |programme: &'static str, number: &'static str| {
        let mut cells = good(Template::Review);
        cells[1..3].copy_from_slice(&[programme, number]);
        read(Template::Review.columns(), &cells)
    };
    let Body::Review(review) = read_review("", "@17").unwrap().body else {
        panic!("a review")
    };
    assert_eq!(review.grant, at(17));
    for number in ["17", "@", "@x", "@-1", "@ 17"] {
        let errors = read_review("", number).unwrap_err();
        assert_eq!(
            (errors[0].column, errors[0].code),
            ("申领编号", "GRANT_NUMBER")
        );
    }
    let mut cells = good(Template::Notice);
    cells[1..3].copy_from_slice(&["", "@17; @18"]);
    let Body::Notice(notice) = read(Template::Notice.columns(), &cells).unwrap().body else {
        panic!("a notice")
    };
    let both: Vec<_> = [at(17), at(18)].into_iter().flatten().collect();
    assert_eq!(notice.grants, both);
}

#[test]
fn two_columns_more_make_a_fact_a_correction() {
    for case in cases() {
        let mut header = case.template.columns().to_vec();
        let mut cells = case.cells.clone();
        header.extend(CORRECTION_COLUMNS);
        cells.extend(["31", "录入有误"]);
        let table = table(&header, &cells);
        if !case.template.is_correctable() {
            let error = Layout::find(&table).unwrap_err();
            assert_eq!(error.code(), "COLUMN_UNKNOWN", "{}", case.template.id());
            continue;
        }
        let plain = read(case.template.columns(), &case.cells).unwrap();
        let row = read(&header, &cells).unwrap();
        assert_eq!((&row.key, &row.office), (&plain.key, &plain.office));
        assert_ne!(row.identity, plain.identity);
        let Body::Correction(correction) = row.body else {
            panic!("a correction")
        };
        assert_eq!((correction.asserted, &*correction.reason), (31, "录入有误"));
        assert!(correction.now.is_some(), "{}", case.template.id());
        // The other values, another request.
        *cells.last_mut().unwrap() = "另一个原因";
        assert_ne!(read(&header, &cells).unwrap().identity, row.identity);
        // One of the two is not enough.
        header.pop();
        cells.pop();
        let error = Layout::find(&super::tests::table(&header, &cells)).unwrap_err();
        assert_eq!(error.code(), "COLUMN_MISSING");
    }
}

#[test]
fn a_province_is_known_by_code_or_name() {
    for (written, code) in [
        ("广东", "440000"),
        ("广西壮族自治区", "450000"),
        ("内蒙古", "150000"),
        ("重庆市", "500000"),
        ("310000", "310000"),
    ] {
        let row = with(Template::TransportAid, "务工省份", written).unwrap();
        let Body::TransportAid(claim) = row.body else {
            panic!("a claim")
        };
        assert_eq!(claim.province, code);
    }
    for written in ["广", "广东市", "深圳", "44"] {
        let errors = with(Template::TransportAid, "务工省份", written).unwrap_err();
        assert_eq!(errors[0].code, "PROVINCE_UNKNOWN", "{written}");
    }
}

/// The tables as the project's documentation has them: a row for each template.
#[test]
fn the_documentation_has_every_template_with_its_header() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/TEMPLATES.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut documented = 0;
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let id = cells[1].split('`').nth(1).unwrap();
        let template = Template::ALL.into_iter().find(|known| known.id() == id);
        let template = template.unwrap_or_else(|| panic!("{id} is no template"));
        assert!(cells[1].ends_with(template.title()), "{line}");
        assert_eq!(cells[2], template.columns().join(","), "{id}");
        documented += 1;
    }
    assert_eq!(documented, Template::ALL.len());
}
