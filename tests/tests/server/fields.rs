//! Every field of every body, each as a function from a value to a command that
//! is in order but for that value.

use luzhang_proto::{google::r#type::Date, wire};

use crate::commands::{
    Commanded as _, allowance, appropriation, attendance, award, benefit, course, interest, listed,
    loan, placement, plaque, retraction, settlement, skill_base,
};

/// A field of a body: its name, and the command with another value in it.
pub(crate) type With<T> = (&'static str, fn(T) -> wire::Command);

fn budget() -> wire::Appropriation {
    appropriation("D", "training-allowance")
}

fn benefits() -> wire::UnemploymentBenefit {
    benefit(1, "2024-01-01", "2024-01-31")
}

fn attended() -> wire::Attendance {
    attendance(1, "PX-1", "2024-03-04")
}

fn claimed() -> wire::TrainingAllowance {
    allowance("C", 1, "PX-1", "2024-03-04")
}

fn borrowed(kind: Option<wire::borrower::Kind>) -> wire::Command {
    loan("L", 1).with(|b| b.borrower = Some(wire::Borrower { kind }))
}

/// Every field that names a person.
pub(crate) fn people() -> Vec<With<Option<wire::Person>>> {
    vec![
        ("person", |v| listed(1).with(|b| b.person = v)),
        ("person", |v| benefits().with(|b| b.person = v)),
        ("person", |v| retraction(1, 3).with(|b| b.person = v)),
        ("person", |v| attended().with(|b| b.person = v)),
        ("person", |v| claimed().with(|b| b.person = v)),
        ("worker", |v| placement("C", 1).with(|b| b.worker = v)),
        ("borrower.person", |v| {
            borrowed(v.map(wire::borrower::Kind::Person))
        }),
    ]
}

/// Every field that names an organisation.
pub(crate) fn organisations() -> Vec<With<Option<wire::Organisation>>> {
    vec![
        ("provider", |v| course("P").with(|b| b.provider = v)),
        ("applicant", |v| plaque("B").with(|b| b.applicant = v)),
        ("entity", |v| skill_base("C").with(|b| b.entity = v)),
        ("agency", |v| placement("C", 1).with(|b| b.agency = v)),
        ("employer", |v| placement("C", 1).with(|b| b.employer = v)),
        ("borrower.small_firm", |v| {
            borrowed(v.map(wire::borrower::Kind::SmallFirm))
        }),
    ]
}

/// Every number: at most 64 characters.
pub(crate) fn numbers() -> Vec<With<String>> {
    vec![
        ("fund", |v| budget().with(|b| b.fund = v)),
        ("programme", |v| budget().with(|b| b.programme = v)),
        ("course_no", |v| course("P").with(|b| b.course_no = v)),
        ("course_no", |v| attended().with(|b| b.course_no = v)),
        ("brand_no", |v| plaque("B").with(|b| b.brand_no = v)),
        ("loan_no", |v| settlement("L").with(|b| b.loan_no = v)),
        ("claim_no", |v| claimed().with(|b| b.claim_no = v)),
        ("course_no", |v| claimed().with(|b| b.course_no = v)),
        ("fund", |v| claimed().with(|b| b.fund = v)),
        ("claim_no", |v| skill_base("C").with(|b| b.claim_no = v)),
        ("fund", |v| skill_base("C").with(|b| b.fund = v)),
        ("claim_no", |v| placement("C", 1).with(|b| b.claim_no = v)),
        ("fund", |v| placement("C", 1).with(|b| b.fund = v)),
        ("claim_no", |v| award("C", "B").with(|b| b.claim_no = v)),
        ("brand_no", |v| award("C", "B").with(|b| b.brand_no = v)),
        ("fund", |v| award("C", "B").with(|b| b.fund = v)),
        ("loan_no", |v| loan("L", 1).with(|b| b.loan_no = v)),
        ("claim_no", |v| interest("C", "L").with(|b| b.claim_no = v)),
        ("loan_no", |v| interest("C", "L").with(|b| b.loan_no = v)),
        ("fund", |v| interest("C", "L").with(|b| b.fund = v)),
    ]
}

/// Every number of a document: at most 100 characters.
pub(crate) fn documents() -> Vec<With<String>> {
    vec![
        ("document", |v| budget().with(|b| b.document = v)),
        ("document", |v| plaque("B").with(|b| b.document = v)),
        ("document", |v| skill_base("C").with(|b| b.document = v)),
    ]
}

/// Every free text: at most 200 characters.
pub(crate) fn labels() -> Vec<With<String>> {
    vec![
        ("list_version", |v| listed(1).with(|b| b.list_version = v)),
        ("source", |v| benefits().with(|b| b.source = v)),
        ("trade", |v| course("P").with(|b| b.trade = v)),
        ("bank", |v| loan("L", 1).with(|b| b.bank = v)),
    ]
}

/// Every required date.
pub(crate) fn dates() -> Vec<With<Option<Date>>> {
    vec![
        ("from", |v| listed(1).with(|b| b.from = v)),
        ("first_day", |v| benefits().with(|b| b.first_day = v)),
        ("last_day", |v| benefits().with(|b| b.last_day = v)),
        ("first_day", |v| course("P").with(|b| b.first_day = v)),
        ("last_day", |v| course("P").with(|b| b.last_day = v)),
        ("awarded_on", |v| plaque("B").with(|b| b.awarded_on = v)),
        ("settled_on", |v| settlement("L").with(|b| b.settled_on = v)),
        ("recognised_on", |v| {
            skill_base("C").with(|b| b.recognised_on = v)
        }),
        ("contract_first_day", |v| {
            placement("C", 1).with(|b| b.contract_first_day = v)
        }),
        ("contract_last_day", |v| {
            placement("C", 1).with(|b| b.contract_last_day = v)
        }),
        ("paid_on", |v| award("C", "B").with(|b| b.paid_on = v)),
        ("issued_on", |v| loan("L", 1).with(|b| b.issued_on = v)),
        ("due_on", |v| loan("L", 1).with(|b| b.due_on = v)),
        ("from", |v| interest("C", "L").with(|b| b.from = v)),
        ("until", |v| interest("C", "L").with(|b| b.until = v)),
    ]
}

/// Dates that may be absent, and those in a set.
pub(crate) fn other_dates() -> Vec<With<Date>> {
    vec![
        ("until", |v| listed(1).with(|b| b.until = Some(v))),
        ("insured_from", |v| {
            placement("C", 1).with(|b| b.insured_from = Some(v))
        }),
        ("dates", |v| attended().with(|b| b.dates = vec![v])),
        ("dates", |v| claimed().with(|b| b.dates = vec![v])),
    ]
}

/// Every set of dates.
pub(crate) fn date_sets() -> Vec<With<Vec<Date>>> {
    vec![
        ("dates", |v| attended().with(|b| b.dates = v)),
        ("dates", |v| claimed().with(|b| b.dates = v)),
    ]
}

/// Every amount that must be greater than zero.
pub(crate) fn amounts() -> Vec<With<i64>> {
    vec![
        ("amount_fen", |v| budget().with(|b| b.amount_fen = v)),
        ("amount_fen", |v| claimed().with(|b| b.amount_fen = v)),
        ("amount_fen", |v| skill_base("C").with(|b| b.amount_fen = v)),
        ("amount_fen", |v| {
            placement("C", 1).with(|b| b.amount_fen = v)
        }),
        ("amount_fen", |v| award("C", "B").with(|b| b.amount_fen = v)),
        ("principal_fen", |v| {
            loan("L", 1).with(|b| b.principal_fen = v)
        }),
        ("amount_fen", |v| {
            interest("C", "L").with(|b| b.amount_fen = v)
        }),
    ]
}

/// Amounts that may be zero by themselves.
pub(crate) fn other_amounts() -> Vec<With<i64>> {
    vec![
        ("daily_fen", |v| claimed().with(|b| b.daily_fen = v)),
        ("interest_fen", |v| {
            interest("C", "L").with(|b| b.interest_fen = v)
        }),
    ]
}

/// Every enumeration.
pub(crate) fn enumerations() -> Vec<With<i32>> {
    vec![
        ("level", |v| plaque("B").with(|b| b.level = v)),
        ("repayment", |v| settlement("L").with(|b| b.repayment = v)),
        ("kind", |v| skill_base("C").with(|b| b.kind = v)),
        ("level", |v| skill_base("C").with(|b| b.level = v)),
    ]
}
