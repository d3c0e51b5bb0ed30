//! Reading what was issued: events, histories, entitlements, policies.

use luzhang_ledger::{Hash, hash::ChainHasher};
use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::{event as stored, wire};
use prost::Message as _;
use tonic::{Code, Status, Streaming};

use crate::{
    commands::{
        Commanded as _, allowance, appropriation, attendance, award, benefit, claimable, course,
        day, listed, loan, organisation, person, placement, plaque, policy, receipt, settlement,
    },
    site::{Site, test},
    status::fails,
};

/// A small history: the positions of its events are in the tables below.
///
/// | position | event |
/// |---|---|
/// | 1, 2 | genesis, pack |
/// | 3 | appropriation |
/// | 4, 5 | person 1 registered, listed |
/// | 6, 7 | school registered, course |
/// | 8 | attendance of person 1 |
/// | 9 | allowance of person 1, office 510503, refused: no budget |
/// | 10 | allowance of person 1, granted |
/// | 11, 12 | benefit of person 1, its conflict |
async fn history() -> Site {
    let site = Site::new().await;
    let elsewhere = wire::Command {
        office: "510503".to_owned(),
        ..allowance("C1", 1, "PX-1", "2024-03-04").command()
    };
    let granted = allowance("C2", 1, "PX-1", "2024-03-04").command();
    site.record(claimable()).await;
    for (command, at) in [
        (elsewhere, 9),
        (granted, 10),
        (benefit(1, "2024-03-01", "2024-03-31").command(), 11),
    ] {
        let outcome = site.submit(command).await.unwrap();
        assert_eq!(receipt(&outcome).position, at);
    }
    assert_eq!(site.head().await.position, 12);
    site
}

/// All answers of a read that ends by itself.
async fn read(site: &Site, request: wire::ReadEventsRequest) -> Vec<wire::ReadEventsResponse> {
    let mut answers = site
        .ledger()
        .read_events(request)
        .await
        .unwrap()
        .into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        all.push(answer);
    }
    all
}

fn positions(answers: &[wire::ReadEventsResponse]) -> Vec<u64> {
    let events = answers.iter().flat_map(|answer| &answer.events);
    events
        .map(|event| event.event.as_ref().unwrap().position)
        .collect()
}

#[test]
fn an_event_comes_with_its_bytes_and_their_hashes() {
    test(async {
        let site = history().await;
        let mut hasher = ChainHasher::default();
        let mut chain = None;
        for position in 1..=12 {
            let get = wire::GetEventRequest { position };
            let event = site
                .ledger()
                .get_event(get)
                .await
                .unwrap()
                .into_inner()
                .event
                .unwrap();
            let decoded = stored::Event::decode(&*event.stored).unwrap();
            assert_eq!(event.event.as_ref(), Some(&decoded));
            assert_eq!(decoded.position, position);
            let previous = Hash::from_bytes(event.previous_hash.clone().try_into().unwrap());
            if let Some(chain) = chain {
                assert_eq!(previous, chain);
            }
            let hash = hasher.event(previous, &event.stored);
            assert_eq!(event.event_hash, hash.as_bytes());
            chain = Some(hash);
            let codes: Vec<_> = event.reasons.iter().map(|reason| &*reason.code).collect();
            let expected: &[&str] = match position {
                9 => &["BUDGET_EXCEEDED"],
                12 => &["M04_UI_OVERLAP"],
                _ => &[],
            };
            assert_eq!(codes, expected, "{position}");
            assert!(
                event
                    .reasons
                    .iter()
                    .all(|r| !r.zh.is_empty() && !r.en.is_empty())
            );
        }
        for position in [0, 13, u64::MAX] {
            let get = wire::GetEventRequest { position };
            let said = fails(
                site.ledger().get_event(get).await,
                Code::NotFound,
                "EVENT_NOT_FOUND",
                "",
            );
            assert!(said.en.contains(&position.to_string()), "{}", said.en);
        }
    });
}

#[test]
fn events_are_read_in_order_and_filtered() {
    test(async {
        let site = history().await;
        let get = wire::GetEventRequest { position: 10 };
        let grant = site
            .ledger()
            .get_event(get)
            .await
            .unwrap()
            .into_inner()
            .event
            .unwrap();
        let stream = grant.event.unwrap().stream;
        let all = wire::ReadEventsRequest::default();
        let kinds = |kinds: &[&str]| wire::ReadEventsRequest {
            kinds: kinds.iter().map(ToString::to_string).collect(),
            ..wire::ReadEventsRequest::default()
        };
        // The last column is how far the reader is said to have looked.
        for (request, expected, looked_at) in [
            (all.clone(), (1..=12).collect::<Vec<u64>>(), 12),
            (
                wire::ReadEventsRequest {
                    from: 1,
                    ..all.clone()
                },
                (1..=12).collect(),
                12,
            ),
            (
                wire::ReadEventsRequest {
                    from: 11,
                    ..all.clone()
                },
                vec![11, 12],
                12,
            ),
            (
                wire::ReadEventsRequest {
                    from: 13,
                    ..all.clone()
                },
                vec![],
                12,
            ),
            (
                wire::ReadEventsRequest {
                    through: 2,
                    ..all.clone()
                },
                vec![1, 2],
                2,
            ),
            (
                wire::ReadEventsRequest {
                    through: 99,
                    ..all.clone()
                },
                (1..=12).collect(),
                12,
            ),
            (
                wire::ReadEventsRequest {
                    from: 5,
                    through: 7,
                    ..all.clone()
                },
                vec![5, 6, 7],
                7,
            ),
            (
                wire::ReadEventsRequest {
                    from: 7,
                    through: 5,
                    ..all.clone()
                },
                vec![],
                6,
            ),
            (
                wire::ReadEventsRequest {
                    limit: 3,
                    ..all.clone()
                },
                vec![1, 2, 3],
                3,
            ),
            (
                wire::ReadEventsRequest {
                    from: 4,
                    limit: 2,
                    ..all.clone()
                },
                vec![4, 5],
                5,
            ),
            (kinds(&["party_registered"]), vec![4, 6], 12),
            (
                kinds(&["training_allowance_granted", "command_refused"]),
                vec![9, 10],
                12,
            ),
            (kinds(&["conflict_detected"]), vec![12], 12),
            (kinds(&["no_such_kind"]), vec![], 12),
            (
                wire::ReadEventsRequest {
                    limit: 1,
                    ..kinds(&["party_registered"])
                },
                vec![4],
                4,
            ),
            (
                wire::ReadEventsRequest {
                    office: "510503".to_owned(),
                    ..all.clone()
                },
                vec![9],
                12,
            ),
            (
                wire::ReadEventsRequest {
                    office: "510502".to_owned(),
                    ..all.clone()
                },
                vec![3, 5, 7, 8, 10, 11, 12],
                12,
            ),
            (
                wire::ReadEventsRequest {
                    stream: stream.clone(),
                    ..all.clone()
                },
                vec![4, 5, 8, 9, 10, 11, 12],
                12,
            ),
            (
                wire::ReadEventsRequest {
                    stream: stream.clone(),
                    office: "510502".to_owned(),
                    from: 9,
                    ..kinds(&["training_allowance_granted", "command_refused"])
                },
                vec![10],
                12,
            ),
        ] {
            let answers = read(&site, request.clone()).await;
            assert_eq!(positions(&answers), expected, "{request:?}");
            assert_eq!(answers.last().unwrap().position, looked_at, "{request:?}");
        }
        let short = wire::ReadEventsRequest {
            stream: vec![0; 15],
            ..all.clone()
        };
        let office = wire::ReadEventsRequest {
            office: "51050".to_owned(),
            ..all
        };
        for (request, reason, field) in [
            (short, "BYTE_LENGTH", "stream"),
            (office, "OFFICE_CODE", "office"),
        ] {
            let answer = site.ledger().read_events(request).await;
            fails(answer, Code::InvalidArgument, reason, field);
        }
    });
}

#[test]
fn a_long_read_comes_in_pages_that_every_client_takes() {
    test(async {
        let site = Site::new().await;
        let mut batch = site.batch().await;
        let courses = (0..1_000).map(|n| course(&format!("PX-{n}")).command());
        batch.round(courses.collect()).await;
        // Large events: the same pack with as much of a comment as it may have.
        let comment = "#".repeat(60_000);
        let pack = format!("{LUZHOU_2023}\n{comment}\n");
        batch
            .round((0..60).map(|_| policy(pack.clone()).command()).collect())
            .await;
        let head = site.head().await.position;
        assert_eq!(head, 3 + 1_000 + 60);
        // The client has its default limit of 4 MiB a message.
        let answers = read(&site, wire::ReadEventsRequest::default()).await;
        assert_eq!(positions(&answers), (1..=head).collect::<Vec<_>>());
        assert!(answers.len() > 4, "{} pages", answers.len());
        assert!(answers.iter().all(|answer| answer.events.len() <= 256));
        for answer in answers.iter().filter(|answer| !answer.events.is_empty()) {
            let last = answer.events.last().unwrap().event.as_ref().unwrap();
            assert_eq!(answer.position, last.position);
        }
    });
}

/// The next event of a follower, past answers without events.
async fn next(answers: &mut Streaming<wire::ReadEventsResponse>) -> Result<Option<u64>, Status> {
    while let Some(answer) = answers.message().await? {
        if let [event] = &answer.events[..] {
            return Ok(Some(event.event.as_ref().unwrap().position));
        }
        assert_eq!(answer.events.len(), 0, "one event at a time is asked for");
    }
    Ok(None)
}

#[test]
fn a_follower_sees_new_events_as_they_become_durable() {
    test(async {
        let site = Site::new().await;
        let follow = wire::ReadEventsRequest {
            follow: true,
            ..wire::ReadEventsRequest::default()
        };
        let requests = [
            // From beyond the end, by kind.
            wire::ReadEventsRequest {
                from: 3,
                kinds: vec!["course_registered".to_owned()],
                ..follow.clone()
            },
            wire::ReadEventsRequest {
                from: 3,
                kinds: vec!["course_registered".to_owned()],
                limit: 2,
                ..follow.clone()
            },
            wire::ReadEventsRequest {
                from: 3,
                kinds: vec!["course_registered".to_owned()],
                through: 5,
                ..follow.clone()
            },
        ];
        let mut followers = Vec::new();
        for request in requests {
            followers.push(
                site.ledger()
                    .read_events(request)
                    .await
                    .unwrap()
                    .into_inner(),
            );
        }
        // The school at 3, courses from 4 on.
        for position in [4, 5] {
            site.record([course(&format!("PX-{position}")).command()])
                .await;
            for follower in &mut followers {
                assert_eq!(next(follower).await.unwrap(), Some(position));
            }
        }
        // Both bounds are met: these end in order, the first goes on.
        assert_eq!(next(&mut followers[1]).await.unwrap(), None);
        assert_eq!(next(&mut followers[2]).await.unwrap(), None);
        site.record([course("PX-6").command()]).await;
        assert_eq!(next(&mut followers[0]).await.unwrap(), Some(6));
    });
}

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
                "M16-ONCE 0/1/1 ever".to_owned(),
                "M22-COUNT 0/3/3 ever".to_owned(),
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
        assert_eq!(
            crate::commands::shown(&refused.unwrap()),
            "refused M04_NO_ATTENDANCE"
        );
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
                    "M16-ONCE 0/1/1 ever",
                    "M22-COUNT 2/3/1 ever",
                ],
            ),
            (
                "2025-06-01",
                vec![
                    "M04-ONCE 0/1/1 2025",
                    "M15-UNIQ-YEAR 0/1/1 2025",
                    "M16-ONCE 0/1/1 ever",
                    "M22-COUNT 2/3/1 ever",
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
        assert_eq!(after[2], "M16-ONCE 1/1/0 ever");
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
