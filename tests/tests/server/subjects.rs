//! What is known of a subject, and the policies that it is judged by.

use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::{event as stored, wire};
use tonic::Code;

use crate::{
    commands::{
        Commanded as _, allowance, appropriation, attendance, award, claimable, course, day,
        listed, loan, organisation, person, placement, plaque, policy, settlement, shown,
    },
    events::history,
    site::{Site, test},
    status::fails,
};

fn about(subject: wire::get_subject_request::Subject) -> wire::GetSubjectRequest {
    wire::GetSubjectRequest {
        subject: Some(subject),
        on: Some(day("2024-06-01")),
        ..wire::GetSubjectRequest::default()
    }
}

fn national_id(index: u32) -> wire::get_subject_request::Subject {
    wire::get_subject_request::Subject::NationalId(person(index).national_id)
}

async fn subject(site: &Site, request: wire::GetSubjectRequest) -> wire::GetSubjectResponse {
    site.ledger()
        .get_subject(request)
        .await
        .unwrap()
        .into_inner()
}

#[test]
fn a_history_is_read_newest_first_page_by_page() {
    test(async {
        let site = history().await;
        let all = [12, 11, 10, 9, 8, 5, 4];
        for (history_limit, history_before, expected) in [
            (0, 0, &all[..]),
            (100, 0, &all),
            (3, 0, &all[..3]),
            (3, 10, &all[3..6]),
            (3, 5, &all[6..]),
            (3, 4, &[]),
            (1, 6, &all[5..6]),
            (0, u64::MAX, &all),
            (u32::MAX, 9, &all[4..]),
        ] {
            let page = subject(
                &site,
                wire::GetSubjectRequest {
                    history_limit,
                    history_before,
                    ..about(national_id(1))
                },
            )
            .await;
            let found: Vec<_> = page
                .history
                .iter()
                .map(|e| e.event.as_ref().unwrap().position)
                .collect();
            assert_eq!(found, expected, "{history_limit} before {history_before}");
            assert_eq!((page.events, page.position), (7, 12));
            assert_eq!(page.kind(), stored::PartyKind::Person);
        }
        // Reasons come with the events that have some.
        let whole = subject(&site, about(national_id(1))).await;
        let reasons: Vec<_> = whole
            .history
            .iter()
            .map(|event| event.reasons.len())
            .collect();
        assert_eq!(reasons, [1, 0, 0, 1, 0, 0, 0]);
    });
}

#[test]
fn a_subject_is_found_by_each_of_its_names() {
    use wire::get_subject_request::Subject;
    test(async {
        let site = history().await;
        site.record([plaque("BR-1").command(), loan("DK-1", 2).command()])
            .await;
        let by_number = subject(&site, about(national_id(1))).await;
        let found = subject(
            &site,
            about(Subject::SubjectId(by_number.subject_id.clone())),
        )
        .await;
        assert_eq!(found, by_number);
        for (named, kind, events) in [
            (
                Subject::CreditCode(organisation(1).credit_code),
                stored::PartyKind::Organisation,
                1,
            ),
            (
                Subject::BrandNo("BR-1".to_owned()),
                stored::PartyKind::Brand,
                2,
            ),
            (national_id(2), stored::PartyKind::Person, 2),
        ] {
            let found = subject(&site, about(named.clone())).await;
            assert_eq!((found.kind(), found.events), (kind, events), "{named:?}");
        }
        let mut wrong = person(1).national_id;
        wrong.replace_range(17.., if wrong.ends_with('5') { "6" } else { "5" });
        let unknown = |named| (named, Code::NotFound, "SUBJECT_NOT_FOUND", "");
        let malformed = |named, reason, field| (named, Code::InvalidArgument, reason, field);
        for (named, code, reason, field) in [
            unknown(national_id(99)),
            unknown(Subject::CreditCode(organisation(99).credit_code)),
            unknown(Subject::BrandNo("BR-9".to_owned())),
            unknown(Subject::SubjectId(vec![7; 16])),
            malformed(Subject::NationalId(wrong), "ID_CHECK_DIGIT", "national_id"),
            malformed(
                Subject::NationalId("510590".to_owned()),
                "ID_LENGTH",
                "national_id",
            ),
            malformed(
                Subject::CreditCode("I".repeat(18)),
                "USCC_CHARACTER",
                "credit_code",
            ),
            malformed(Subject::SubjectId(vec![7; 15]), "BYTE_LENGTH", "subject_id"),
        ] {
            let answer = site.ledger().get_subject(about(named.clone())).await;
            let said = fails(answer, code, reason, field);
            if let Subject::NationalId(number) | Subject::CreditCode(number) = &named {
                assert!(
                    !said.zh.contains(number) && !said.en.contains(number),
                    "{said:?}"
                );
            }
        }
        let nobody = site
            .ledger()
            .get_subject(wire::GetSubjectRequest::default())
            .await;
        fails(nobody, Code::InvalidArgument, "FIELD_REQUIRED", "subject");
        let never = wire::GetSubjectRequest {
            on: Some(day("2023-02-29")),
            ..about(national_id(1))
        };
        let never = site.ledger().get_subject(never).await;
        fails(never, Code::InvalidArgument, "DATE_INVALID", "on");
        // Without a day it is the server's today, whatever that is.
        let today = wire::GetSubjectRequest {
            on: None,
            ..about(national_id(1))
        };
        assert_eq!(subject(&site, today).await.events, 7);
    });
}

/// `limit used/allowed/left period` for every counting limit.
async fn entitlements(
    site: &Site,
    named: wire::get_subject_request::Subject,
    on: &str,
) -> Vec<String> {
    let request = wire::GetSubjectRequest {
        on: Some(day(on)),
        ..about(named)
    };
    let found = subject(site, request).await;
    let shown = |e: wire::Entitlement| {
        assert!(
            e.unit == "count" && !e.zh.is_empty() && !e.en.is_empty(),
            "{e:?}"
        );
        format!(
            "{} {}/{}/{} {}",
            e.limit, e.used, e.allowed, e.left, e.period
        )
    };
    found.entitlements.into_iter().map(shown).collect()
}

#[test]
fn entitlement_goes_down_with_each_grant_and_depends_on_the_day() {
    test(async {
        let site = Site::new().await;
        let budgets = ["service-subsidy", "brand-award"].map(|of| appropriation(of, of).command());
        site.record(claimable().into_iter().chain(budgets)).await;
        let fresh = |year: &str| {
            vec![
                format!("M04-ONCE 0/1/1 {year}"),
                format!("M15-UNIQ-YEAR 0/1/1 {year}"),
                format!("M15-TRANS-ONCE 0/1/1 {year}"),
                "M16-ONCE 0/1/1 ever".to_owned(),
                "M22-COUNT 0/3/3 ever".to_owned(),
                "M22-STARTUP 0/1/1 ever".to_owned(),
                format!("M14-ONCE 0/1/1 {year}"),
            ]
        };
        assert_eq!(
            entitlements(&site, national_id(1), "2024-06-01").await,
            fresh("2024")
        );
        // A refused claim uses nothing up.
        let refused = site
            .submit(allowance("C0", 1, "PX-1", "2024-03-08").command())
            .await;
        assert_eq!(shown(&refused.unwrap()), "refused M04_NO_ATTENDANCE");
        assert_eq!(
            entitlements(&site, national_id(1), "2024-06-01").await,
            fresh("2024")
        );
        site.record([
            allowance("C1", 1, "PX-1", "2024-03-04").command(),
            placement("C2", 1).command(),
            loan("DK-1", 1).command(),
            settlement("DK-1").command(),
            loan("DK-2", 1).command(),
        ])
        .await;
        for (on, expected) in [
            (
                "2024-06-01",
                vec![
                    "M04-ONCE 1/1/0 2024",
                    "M15-UNIQ-YEAR 1/1/0 2024",
                    "M15-TRANS-ONCE 0/1/1 2024",
                    "M16-ONCE 0/1/1 ever",
                    "M22-COUNT 2/3/1 ever",
                    "M22-STARTUP 0/1/1 ever",
                    "M14-ONCE 0/1/1 2024",
                ],
            ),
            (
                "2025-06-01",
                vec![
                    "M04-ONCE 0/1/1 2025",
                    "M15-UNIQ-YEAR 0/1/1 2025",
                    "M15-TRANS-ONCE 0/1/1 2025",
                    "M16-ONCE 0/1/1 ever",
                    "M22-COUNT 2/3/1 ever",
                    "M22-STARTUP 0/1/1 ever",
                    "M14-ONCE 0/1/1 2025",
                ],
            ),
            // No policy is in force.
            ("2023-12-16", vec![]),
            ("2026-12-17", vec![]),
        ] {
            assert_eq!(
                entitlements(&site, national_id(1), on).await,
                expected,
                "{on}"
            );
        }
        site.record([plaque("BR-1").command()]).await;
        let brand = || wire::get_subject_request::Subject::BrandNo("BR-1".to_owned());
        assert_eq!(
            entitlements(&site, brand(), "2024-06-01").await,
            fresh("2024")
        );
        site.record([award("C3", "BR-1").command()]).await;
        let after = entitlements(&site, brand(), "2025-06-01").await;
        assert_eq!(after[3], "M16-ONCE 1/1/0 ever");
    });
}

#[test]
fn policies_are_listed_as_they_were_adopted() {
    test(async {
        let site = Site::new().await;
        site.record([listed(1).command(), course("PX-1").command()])
            .await;
        site.record([attendance(1, "PX-1", "2024-03-04").command()])
            .await;
        let second = LUZHOU_2023.replace("id = \"luzhou-2023\"", "id = \"luzhou-2023-b\"");
        let at = site.record([policy(second.clone()).command()]).await[0];
        let listed = site
            .ledger()
            .list_policies(wire::ListPoliciesRequest {})
            .await;
        let listed = listed.unwrap().into_inner().policies;
        let window = (Some(day("2023-12-17")), Some(day("2026-12-17")));
        let found: Vec<_> = listed
            .iter()
            .map(|policy| (policy.position, &*policy.pack_id, &*policy.content))
            .collect();
        assert_eq!(
            found,
            [
                (2, "luzhou-2023", LUZHOU_2023.as_bytes()),
                (at, "luzhou-2023-b", second.as_bytes())
            ]
        );
        assert!(
            listed
                .into_iter()
                .all(|policy| (policy.from, policy.until) == window)
        );
    });
}
