//! Every field of every body, each as a function from a value to a command that
//! is in order but for that value.

use luzhang_proto::{google::r#type::Date, wire};

use crate::commands::{
    Commanded as _, allowance, appropriation, attendance, award, benefit, course, interest, listed,
    loan, placement, plaque, retraction, settlement, skill_base,
};

/// A field of a body: the command with another value in it.
pub(crate) type With<T> = (&'static str, fn(T) -> wire::Command);

/// Every field that names a person.
pub(crate) fn people() -> Vec<With<Option<wire::Person>>> {
    vec![
        ("person", |person| {
            wire::PovertyStatus {
                person,
                ..listed(1)
            }
            .command()
        }),
        ("person", |person| {
            wire::UnemploymentBenefit {
                person,
                ..benefit(1, "2024-01-01", "2024-01-31")
            }
            .command()
        }),
        ("person", |person| {
            wire::UnemploymentBenefitRetraction {
                person,
                ..retraction(1, 3)
            }
            .command()
        }),
        ("person", |person| {
            wire::Attendance {
                person,
                ..attendance(1, "PX-1", "2024-03-04")
            }
            .command()
        }),
        ("person", |person| {
            wire::TrainingAllowance {
                person,
                ..allowance("C", 1, "PX-1", "2024-03-04")
            }
            .command()
        }),
        ("worker", |worker| {
            wire::ServiceSubsidy {
                worker,
                ..placement("C", 1)
            }
            .command()
        }),
        ("borrower.person", |person| {
            let kind = person.map(wire::borrower::Kind::Person);
            wire::Loan {
                borrower: Some(wire::Borrower { kind }),
                ..loan("L", 1)
            }
            .command()
        }),
    ]
}

/// Every field that names an organisation.
pub(crate) fn organisations() -> Vec<With<Option<wire::Organisation>>> {
    vec![
        ("provider", |provider| {
            wire::Course {
                provider,
                ..course("P")
            }
            .command()
        }),
        ("applicant", |applicant| {
            wire::Plaque {
                applicant,
                ..plaque("B")
            }
            .command()
        }),
        ("entity", |entity| {
            wire::SkillBase {
                entity,
                ..skill_base("C")
            }
            .command()
        }),
        ("agency", |agency| {
            wire::ServiceSubsidy {
                agency,
                ..placement("C", 1)
            }
            .command()
        }),
        ("employer", |employer| {
            wire::ServiceSubsidy {
                employer,
                ..placement("C", 1)
            }
            .command()
        }),
        ("borrower.small_firm", |firm| {
            let kind = firm.map(wire::borrower::Kind::SmallFirm);
            wire::Loan {
                borrower: Some(wire::Borrower { kind }),
                ..loan("L", 1)
            }
            .command()
        }),
    ]
}

/// Every plain text, with the most characters that it may have.
pub(crate) fn texts() -> Vec<(usize, With<String>)> {
    vec![
        (
            100,
            ("document", |document| {
                wire::Appropriation {
                    document,
                    ..appropriation("D", "training-allowance")
                }
                .command()
            }),
        ),
        (
            64,
            ("fund", |fund| {
                wire::Appropriation {
                    fund,
                    ..appropriation("D", "training-allowance")
                }
                .command()
            }),
        ),
        (
            64,
            ("programme", |programme| {
                wire::Appropriation {
                    programme,
                    ..appropriation("D", "training-allowance")
                }
                .command()
            }),
        ),
        (
            200,
            ("list_version", |list_version| {
                wire::PovertyStatus {
                    list_version,
                    ..listed(1)
                }
                .command()
            }),
        ),
        (
            200,
            ("source", |source| {
                wire::UnemploymentBenefit {
                    source,
                    ..benefit(1, "2024-01-01", "2024-01-31")
                }
                .command()
            }),
        ),
        (
            64,
            ("course_no", |course_no| {
                wire::Course {
                    course_no,
                    ..course("P")
                }
                .command()
            }),
        ),
        (
            200,
            ("trade", |trade| {
                wire::Course {
                    trade,
                    ..course("P")
                }
                .command()
            }),
        ),
        (
            64,
            ("course_no", |course_no| {
                wire::Attendance {
                    course_no,
                    ..attendance(1, "PX-1", "2024-03-04")
                }
                .command()
            }),
        ),
        (
            64,
            ("brand_no", |brand_no| {
                wire::Plaque {
                    brand_no,
                    ..plaque("B")
                }
                .command()
            }),
        ),
        (
            100,
            ("document", |document| {
                wire::Plaque {
                    document,
                    ..plaque("B")
                }
                .command()
            }),
        ),
        (
            64,
            ("loan_no", |loan_no| {
                wire::LoanSettlement {
                    loan_no,
                    ..settlement("L")
                }
                .command()
            }),
        ),
        (
            64,
            ("claim_no", |claim_no| {
                wire::TrainingAllowance {
                    claim_no,
                    ..allowance("C", 1, "PX-1", "2024-03-04")
                }
                .command()
            }),
        ),
        (
            64,
            ("course_no", |course_no| {
                wire::TrainingAllowance {
                    course_no,
                    ..allowance("C", 1, "PX-1", "2024-03-04")
                }
                .command()
            }),
        ),
        (
            64,
            ("fund", |fund| {
                wire::TrainingAllowance {
                    fund,
                    ..allowance("C", 1, "PX-1", "2024-03-04")
                }
                .command()
            }),
        ),
        (
            64,
            ("claim_no", |claim_no| {
                wire::SkillBase {
                    claim_no,
                    ..skill_base("C")
                }
                .command()
            }),
        ),
        (
            100,
            ("document", |document| {
                wire::SkillBase {
                    document,
                    ..skill_base("C")
                }
                .command()
            }),
        ),
        (
            64,
            ("fund", |fund| {
                wire::SkillBase {
                    fund,
                    ..skill_base("C")
                }
                .command()
            }),
        ),
        (
            64,
            ("claim_no", |claim_no| {
                wire::ServiceSubsidy {
                    claim_no,
                    ..placement("C", 1)
                }
                .command()
            }),
        ),
        (
            64,
            ("fund", |fund| {
                wire::ServiceSubsidy {
                    fund,
                    ..placement("C", 1)
                }
                .command()
            }),
        ),
        (
            64,
            ("claim_no", |claim_no| {
                wire::BrandAward {
                    claim_no,
                    ..award("C", "B")
                }
                .command()
            }),
        ),
        (
            64,
            ("brand_no", |brand_no| {
                wire::BrandAward {
                    brand_no,
                    ..award("C", "B")
                }
                .command()
            }),
        ),
        (
            64,
            ("fund", |fund| {
                wire::BrandAward {
                    fund,
                    ..award("C", "B")
                }
                .command()
            }),
        ),
        (
            64,
            ("loan_no", |loan_no| {
                wire::Loan {
                    loan_no,
                    ..loan("L", 1)
                }
                .command()
            }),
        ),
        (
            200,
            ("bank", |bank| {
                wire::Loan {
                    bank,
                    ..loan("L", 1)
                }
                .command()
            }),
        ),
        (
            64,
            ("claim_no", |claim_no| {
                wire::InterestSubsidy {
                    claim_no,
                    ..interest("C", "L")
                }
                .command()
            }),
        ),
        (
            64,
            ("loan_no", |loan_no| {
                wire::InterestSubsidy {
                    loan_no,
                    ..interest("C", "L")
                }
                .command()
            }),
        ),
        (
            64,
            ("fund", |fund| {
                wire::InterestSubsidy {
                    fund,
                    ..interest("C", "L")
                }
                .command()
            }),
        ),
    ]
}

/// Every required date.
pub(crate) fn dates() -> Vec<With<Option<Date>>> {
    vec![
        ("from", |from| {
            wire::PovertyStatus { from, ..listed(1) }.command()
        }),
        ("first_day", |first_day| {
            wire::UnemploymentBenefit {
                first_day,
                ..benefit(1, "2024-01-01", "2024-01-31")
            }
            .command()
        }),
        ("last_day", |last_day| {
            wire::UnemploymentBenefit {
                last_day,
                ..benefit(1, "2024-01-01", "2024-01-31")
            }
            .command()
        }),
        ("first_day", |first_day| {
            wire::Course {
                first_day,
                ..course("P")
            }
            .command()
        }),
        ("last_day", |last_day| {
            wire::Course {
                last_day,
                ..course("P")
            }
            .command()
        }),
        ("awarded_on", |awarded_on| {
            wire::Plaque {
                awarded_on,
                ..plaque("B")
            }
            .command()
        }),
        ("settled_on", |settled_on| {
            wire::LoanSettlement {
                settled_on,
                ..settlement("L")
            }
            .command()
        }),
        ("recognised_on", |recognised_on| {
            wire::SkillBase {
                recognised_on,
                ..skill_base("C")
            }
            .command()
        }),
        ("contract_first_day", |contract_first_day| {
            wire::ServiceSubsidy {
                contract_first_day,
                ..placement("C", 1)
            }
            .command()
        }),
        ("contract_last_day", |contract_last_day| {
            wire::ServiceSubsidy {
                contract_last_day,
                ..placement("C", 1)
            }
            .command()
        }),
        ("paid_on", |paid_on| {
            wire::BrandAward {
                paid_on,
                ..award("C", "B")
            }
            .command()
        }),
        ("issued_on", |issued_on| {
            wire::Loan {
                issued_on,
                ..loan("L", 1)
            }
            .command()
        }),
        ("due_on", |due_on| {
            wire::Loan {
                due_on,
                ..loan("L", 1)
            }
            .command()
        }),
        ("from", |from| {
            wire::InterestSubsidy {
                from,
                ..interest("C", "L")
            }
            .command()
        }),
        ("until", |until| {
            wire::InterestSubsidy {
                until,
                ..interest("C", "L")
            }
            .command()
        }),
    ]
}

/// Dates that may be absent, and those in a set.
pub(crate) fn other_dates() -> Vec<With<Date>> {
    vec![
        ("until", |until| {
            wire::PovertyStatus {
                until: Some(until),
                ..listed(1)
            }
            .command()
        }),
        ("insured_from", |day| {
            wire::ServiceSubsidy {
                insured_from: Some(day),
                ..placement("C", 1)
            }
            .command()
        }),
        ("dates", |day| {
            wire::Attendance {
                dates: vec![day],
                ..attendance(1, "PX-1", "2024-03-04")
            }
            .command()
        }),
        ("dates", |day| {
            wire::TrainingAllowance {
                dates: vec![day],
                ..allowance("C", 1, "PX-1", "2024-03-04")
            }
            .command()
        }),
    ]
}

/// Every set of dates.
pub(crate) fn date_sets() -> Vec<With<Vec<Date>>> {
    vec![
        ("dates", |dates| {
            wire::Attendance {
                dates,
                ..attendance(1, "PX-1", "2024-03-04")
            }
            .command()
        }),
        ("dates", |dates| {
            wire::TrainingAllowance {
                dates,
                ..allowance("C", 1, "PX-1", "2024-03-04")
            }
            .command()
        }),
    ]
}

/// Every amount that must be greater than zero.
pub(crate) fn amounts() -> Vec<With<i64>> {
    vec![
        ("amount_fen", |amount_fen| {
            wire::Appropriation {
                amount_fen,
                ..appropriation("D", "training-allowance")
            }
            .command()
        }),
        ("amount_fen", |amount_fen| {
            wire::TrainingAllowance {
                amount_fen,
                ..allowance("C", 1, "PX-1", "2024-03-04")
            }
            .command()
        }),
        ("amount_fen", |amount_fen| {
            wire::SkillBase {
                amount_fen,
                ..skill_base("C")
            }
            .command()
        }),
        ("amount_fen", |amount_fen| {
            wire::ServiceSubsidy {
                amount_fen,
                ..placement("C", 1)
            }
            .command()
        }),
        ("amount_fen", |amount_fen| {
            wire::BrandAward {
                amount_fen,
                ..award("C", "B")
            }
            .command()
        }),
        ("principal_fen", |principal_fen| {
            wire::Loan {
                principal_fen,
                ..loan("L", 1)
            }
            .command()
        }),
        ("amount_fen", |amount_fen| {
            wire::InterestSubsidy {
                amount_fen,
                ..interest("C", "L")
            }
            .command()
        }),
    ]
}

/// Amounts that may be zero by themselves.
pub(crate) fn other_amounts() -> Vec<With<i64>> {
    vec![
        ("daily_fen", |daily_fen| {
            wire::TrainingAllowance {
                daily_fen,
                ..allowance("C", 1, "PX-1", "2024-03-04")
            }
            .command()
        }),
        ("interest_fen", |interest_fen| {
            wire::InterestSubsidy {
                interest_fen,
                ..interest("C", "L")
            }
            .command()
        }),
    ]
}

/// Every enumeration.
pub(crate) fn enumerations() -> Vec<With<i32>> {
    vec![
        ("level", |level| {
            wire::Plaque {
                level,
                ..plaque("B")
            }
            .command()
        }),
        ("repayment", |repayment| {
            wire::LoanSettlement {
                repayment,
                ..settlement("L")
            }
            .command()
        }),
        ("kind", |kind| {
            wire::SkillBase {
                kind,
                ..skill_base("C")
            }
            .command()
        }),
        ("level", |level| {
            wire::SkillBase {
                level,
                ..skill_base("C")
            }
            .command()
        }),
    ]
}
