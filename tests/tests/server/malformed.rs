//! Malformed commands: every field of every body, what is wrong with it, and how
//! that is said. Nothing of them is written.

use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::{google::r#type::Date, wire};
use tonic::Code;

use crate::{
    commands::{
        Commanded as _, allowance, appropriation, benefit, course, day, interest, listed, loan,
        organisation, person, placement, plaque, policy, retraction, shown,
    },
    fields::{
        With, amounts, date_sets, dates, documents, enumerations, labels, numbers, organisations,
        other_amounts, other_dates, people,
    },
    site::{Site, test},
    status::{Said, fails},
};

/// A command that is in order but for one thing.
pub(crate) struct Row {
    pub(crate) command: wire::Command,
    pub(crate) status: Code,
    pub(crate) reason: &'static str,
    pub(crate) field: &'static str,
}

pub(crate) fn malformed(command: wire::Command, reason: &'static str, field: &'static str) -> Row {
    Row {
        command,
        status: Code::InvalidArgument,
        reason,
        field,
    }
}

/// Submits, tries dry and sends in a batch: all three say the same, and none
/// writes anything.
pub(crate) async fn check(site: &Site, rows: Vec<Row>) {
    let before = site.head().await;
    let mut batch = site.batch().await;
    for Row {
        command,
        status,
        reason,
        field,
    } in rows
    {
        println!("{reason} {field}: {command:?}");
        let submitted = fails(site.submit(command.clone()).await, status, reason, field);
        let request = wire::EvaluateRequest {
            command: Some(command.clone()),
        };
        let evaluated = fails(site.ledger().evaluate(request).await, status, reason, field);
        assert_eq!(submitted, evaluated);
        let outcomes = batch.round(vec![command]).await;
        assert_eq!(
            shown(&outcomes[0]),
            format!("rejected {reason} {field}").trim_end()
        );
        let Some(wire::outcome::Result::Rejected(rejected)) = &outcomes[0].result else {
            panic!("{outcomes:?}");
        };
        let worded = rejected.reason.as_ref().unwrap();
        assert_eq!((&worded.zh, &worded.en), (&submitted.zh, &submitted.en));
        assert_eq!(
            (rejected.original_position, rejected.original_refused),
            (0, false)
        );
    }
    assert_eq!(site.head().await, before, "a rejection wrote something");
}

/// The same field of every body, with the same fault.
fn each<T: Clone>(
    fields: &[With<T>],
    value: &T,
    reason: &'static str,
) -> impl Iterator<Item = Row> {
    fields
        .iter()
        .map(move |(field, with)| malformed(with(value.clone()), reason, field))
}

/// A path below a field, for the table's own names.
fn below(field: &str, leaf: &str) -> &'static str {
    Box::leak(format!("{field}.{leaf}").into_boxed_str())
}

fn other_check_digit(number: &str) -> String {
    let (body, last) = number.split_at(17);
    format!("{body}{}", if last == "1" { "2" } else { "1" })
}

#[test]
fn persons() {
    test(async {
        let site = Site::new().await;
        let fine = person(1);
        let number = |national_id: &str| wire::Person {
            national_id: national_id.to_owned(),
            ..fine.clone()
        };
        let name = |name: &str| wire::Person {
            name: name.to_owned(),
            ..fine.clone()
        };
        let mut rows: Vec<Row> = Vec::new();
        for (field, with) in people() {
            // A loan without a borrower's kind has no `person` to name.
            let absent = if field == "borrower.person" {
                "borrower"
            } else {
                field
            };
            rows.push(malformed(with(None), "FIELD_REQUIRED", absent));
            for (person, reason, leaf) in [
                (number(""), "ID_LENGTH", "national_id"),
                (number(&fine.national_id[..17]), "ID_LENGTH", "national_id"),
                (number("51059019510101001９"), "ID_CHARACTER", "national_id"),
                (number("X10590195101010019"), "ID_CHARACTER", "national_id"),
                (number("510590195102300019"), "ID_BIRTH_DATE", "national_id"),
                (
                    number(&other_check_digit(&fine.national_id)),
                    "ID_CHECK_DIGIT",
                    "national_id",
                ),
                (name(""), "NAME_EMPTY", "name"),
                (name(" \u{3000}"), "NAME_EMPTY", "name"),
                (name(&"某".repeat(129)), "NAME_TOO_LONG", "name"),
                (name("某\u{202e}氏"), "NAME_CHARACTER", "name"),
                (name("某\u{200b}氏"), "NAME_CHARACTER", "name"),
                (name("某\n氏"), "NAME_CHARACTER", "name"),
            ] {
                rows.push(malformed(with(Some(person)), reason, below(field, leaf)));
            }
        }
        check(&site, rows).await;
    });
}

#[test]
fn an_error_never_repeats_who_it_is_about() {
    test(async {
        let site = Site::new().await;
        let fine = person(1);
        let wrong = other_check_digit(&fine.national_id);
        let firm = organisation(1);
        let wrong_code = other_check_digit(&firm.credit_code);
        let secrets = [
            &fine.name,
            &fine.national_id,
            &wrong,
            &firm.name,
            &wrong_code,
        ];
        for (_, with) in people() {
            let person = wire::Person {
                national_id: wrong.clone(),
                ..fine.clone()
            };
            silent(&site, with(Some(person)), &secrets).await;
        }
        for (_, with) in organisations() {
            let organisation = wire::Organisation {
                credit_code: wrong_code.clone(),
                ..firm.clone()
            };
            silent(&site, with(Some(organisation)), &secrets).await;
        }
    });
}

async fn silent(site: &Site, command: wire::Command, secrets: &[&String]) {
    let status = site.submit(command).await.unwrap_err();
    let said = Said::by(&status);
    let all = format!("{said:?} {status:?}");
    for secret in secrets {
        assert!(!all.contains(&***secret), "{all}");
    }
}

#[test]
fn organisations_and_their_codes() {
    test(async {
        let site = Site::new().await;
        let fine = organisation(1);
        let code = |credit_code: &str| wire::Organisation {
            credit_code: credit_code.to_owned(),
            ..fine.clone()
        };
        let name = |name: &str| wire::Organisation {
            name: name.to_owned(),
            ..fine.clone()
        };
        let mut rows: Vec<Row> = Vec::new();
        for (field, with) in organisations() {
            let absent = if field == "borrower.small_firm" {
                "borrower"
            } else {
                field
            };
            rows.push(malformed(with(None), "FIELD_REQUIRED", absent));
            for (organisation, reason, leaf) in [
                (code(""), "USCC_LENGTH", "credit_code"),
                (code(&fine.credit_code[..17]), "USCC_LENGTH", "credit_code"),
                (code("I15105900000000010"), "USCC_CHARACTER", "credit_code"),
                (
                    code(&other_check_digit(&fine.credit_code)),
                    "USCC_CHECK_DIGIT",
                    "credit_code",
                ),
                (name(""), "NAME_EMPTY", "name"),
                (name(&"某".repeat(129)), "NAME_TOO_LONG", "name"),
                (name("某\u{2066}单位"), "NAME_CHARACTER", "name"),
                // The override is about the check digit and nothing else.
                (
                    wire::Organisation {
                        accept_check_digit: true,
                        ..code("I15105900000000010")
                    },
                    "USCC_CHARACTER",
                    "credit_code",
                ),
            ] {
                rows.push(malformed(
                    with(Some(organisation)),
                    reason,
                    below(field, leaf),
                ));
            }
        }
        for brand_name in ["", "半\u{202e}坛"] {
            let reason = if brand_name.is_empty() {
                "NAME_EMPTY"
            } else {
                "NAME_CHARACTER"
            };
            let brand_name = brand_name.to_owned();
            let command = plaque("B").with(|b| b.brand_name = brand_name);
            rows.push(malformed(command, reason, "brand_name"));
        }
        check(&site, rows).await;
    });
}

#[test]
fn texts_dates_amounts_and_values() {
    test(async {
        let site = Site::new().await;
        let mut rows: Vec<Row> = Vec::new();
        for (most, fields) in [(64, numbers()), (100, documents()), (200, labels())] {
            for (text, reason) in [
                (String::new(), "FIELD_REQUIRED"),
                ("\u{3000} ".to_owned(), "FIELD_REQUIRED"),
                ("泸".repeat(most + 1), "TEXT_TOO_LONG"),
                ("A\u{202e}1".to_owned(), "TEXT_CHARACTER"),
                ("A\t1".to_owned(), "TEXT_CHARACTER"),
            ] {
                rows.extend(each(&fields, &text, reason));
            }
        }
        let no_days = [
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-04-31",
            "1899-12-31",
            "10000-01-01",
        ];
        let no_days = no_days.map(day).into_iter().chain([
            Date {
                year: i32::MAX,
                month: 1,
                day: 1,
            },
            Date {
                year: 2024,
                month: 300,
                day: 1,
            },
            Date {
                year: 2024,
                month: 1,
                day: -1,
            },
            // A month alone, as `google.type.Date` allows.
            Date {
                year: 2024,
                month: 1,
                day: 0,
            },
        ]);
        rows.extend(each(&dates(), &None, "FIELD_REQUIRED"));
        for day in no_days {
            rows.extend(each(&dates(), &Some(day), "DATE_INVALID"));
            rows.extend(each(&other_dates(), &day, "DATE_INVALID"));
        }
        rows.extend(each(&date_sets(), &vec![], "FIELD_REQUIRED"));
        rows.extend(each(
            &date_sets(),
            &vec![day("2024-03-04"); 2],
            "DATE_DUPLICATE",
        ));
        let twice = vec![day("2024-03-05"), day("2024-03-04"), day("2024-03-05")];
        rows.extend(each(&date_sets(), &twice, "DATE_DUPLICATE"));
        rows.extend(each(
            &date_sets(),
            &vec![day("2024-03-04"); 1_001],
            "DATES_TOO_MANY",
        ));
        rows.extend(each(&amounts(), &0, "AMOUNT_NOT_POSITIVE"));
        for (amount, reason) in [
            (-1, "AMOUNT_NEGATIVE"),
            (i64::MIN, "AMOUNT_NEGATIVE"),
            (900_000_000_000_001, "AMOUNT_RANGE"),
            (i64::MAX, "AMOUNT_RANGE"),
        ] {
            rows.extend(each(&amounts(), &amount, reason));
            rows.extend(each(&other_amounts(), &amount, reason));
        }
        rows.extend(each(&enumerations(), &0, "FIELD_REQUIRED"));
        for unknown in [99, -1, i32::MAX] {
            rows.extend(each(&enumerations(), &unknown, "VALUE_UNKNOWN"));
        }
        check(&site, rows).await;
    });
}

#[test]
fn what_no_single_field_shows() {
    test(async {
        let site = Site::new().await;
        let budget = || appropriation("D", "training-allowance");
        let claimed = || allowance("C", 1, "PX-1", "2024-03-04 2024-03-05");
        let until = |text| Some(day(text));
        let mut rows = Vec::new();
        for (command, field) in [
            (listed(1).with(|b| b.until = until("2020-01-01")), "until"),
            (benefit(1, "2024-03-04", "2024-03-03").command(), "last_day"),
            (
                course("P").with(|b| b.last_day = until("2024-03-03")),
                "last_day",
            ),
            (
                placement("C", 1).with(|b| b.contract_last_day = until("2024-04-07")),
                "contract_last_day",
            ),
            (
                loan("L", 1).with(|b| b.due_on = until("2024-01-14")),
                "due_on",
            ),
            (
                interest("C", "L").with(|b| b.until = until("2024-01-15")),
                "until",
            ),
        ] {
            rows.push(malformed(command, "PERIOD_REVERSED", field));
        }
        for amount in [9_999, 10_001, 5_000] {
            let command = claimed().with(|b| b.amount_fen = amount);
            rows.push(malformed(command, "AMOUNT_MISMATCH", "amount_fen"));
        }
        for (daily, reason, field) in [
            (0, "AMOUNT_MISMATCH", "amount_fen"),
            (900_000_000_000_000, "AMOUNT_RANGE", "daily_fen"),
        ] {
            rows.push(malformed(
                claimed().with(|b| b.daily_fen = daily),
                reason,
                field,
            ));
        }
        for year in [1_999, 3_000, -2_024, i32::MAX] {
            let command = budget().with(|b| b.year = year);
            rows.push(malformed(command, "YEAR_RANGE", "year"));
        }
        for office in ["", "51050"] {
            let command = budget().with(|b| b.office = office.to_owned());
            rows.push(malformed(command, "OFFICE_CODE", "appropriation.office"));
        }
        for rate in [1_000_001, u32::MAX] {
            let command = loan("L", 1).with(|b| b.rate_ppm = rate);
            rows.push(malformed(command, "RATE_RANGE", "rate_ppm"));
        }
        let nobody = loan("L", 1).with(|b| b.borrower = None);
        rows.push(malformed(nobody, "FIELD_REQUIRED", "borrower"));
        rows.push(malformed(
            retraction(1, 0).command(),
            "FIELD_REQUIRED",
            "asserted",
        ));
        for content in [
            Vec::new(),
            b"[pack".to_vec(),
            vec![0xff, 0xfe],
            vec![b'#'; 98_305],
            LUZHOU_2023.replace("v = 5000, ", "").into_bytes(),
        ] {
            rows.push(malformed(
                policy(content).command(),
                "POLICY_INVALID",
                "content",
            ));
        }
        check(&site, rows).await;
    });
}

#[test]
fn the_envelope() {
    test(async {
        let site = Site::new().await;
        let with_id = |id: &str| wire::Command {
            request_id: id.to_owned(),
            ..course("P").command()
        };
        let of_office = |office: &str| wire::Command {
            office: office.to_owned(),
            ..course("P").command()
        };
        let mut rows: Vec<Row> = ["", "7", "01890a5d-ac96-774b-bcce-b302099a805", "not-a-uuid"]
            .into_iter()
            .map(|id| malformed(with_id(id), "REQUEST_ID_INVALID", "request_id"))
            .collect();
        let offices = [
            "51050",
            "5105000",
            "051050",
            "51o502",
            "５１０５０２",
            " 510502",
        ];
        rows.extend(offices.map(|office| malformed(of_office(office), "OFFICE_CODE", "office")));
        let empty = wire::Command {
            body: None,
            ..course("P").command()
        };
        rows.push(malformed(empty, "COMMAND_EMPTY", ""));
        check(&site, rows).await;
        let nothing = site
            .ledger()
            .submit(wire::SubmitRequest {
                command: None,
                receipt: false,
            })
            .await;
        fails(nothing, Code::InvalidArgument, "FIELD_REQUIRED", "command");
        let nothing = site
            .ledger()
            .evaluate(wire::EvaluateRequest { command: None })
            .await;
        fails(nothing, Code::InvalidArgument, "FIELD_REQUIRED", "command");
        // Without an office it is the city's own.
        let city = site.submit(of_office("")).await.unwrap();
        assert_eq!(shown(&city), "accepted");
    });
}
