//! Reading events: one by one, in order, filtered, and as they come.

use luzhang_ledger::{Hash, hash::ChainHasher};
use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::{event as stored, wire};
use prost::Message as _;
use tonic::{Code, Status, Streaming};

use crate::{
    commands::{Commanded as _, allowance, benefit, claimable, course, policy, receipt},
    site::{Site, test},
    status::fails,
};

/// A small history; the positions of its events are in the tables below.
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
pub(crate) async fn history() -> Site {
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

/// A read with a change, so many times as a table has rows.
fn reading(change: impl FnOnce(&mut wire::ReadEventsRequest)) -> wire::ReadEventsRequest {
    let mut request = wire::ReadEventsRequest::default();
    change(&mut request);
    request
}

fn kinds(kinds: &[&str]) -> Vec<String> {
    kinds.iter().map(ToString::to_string).collect()
}

#[test]
fn events_are_read_in_order_and_filtered() {
    test(async {
        let site = history().await;
        let get = wire::GetEventRequest { position: 10 };
        let grant = site.ledger().get_event(get).await.unwrap().into_inner();
        let stream = grant.event.unwrap().event.unwrap().stream;
        let decided = ["training_allowance_granted", "command_refused"];
        // The last column is how far the reader is said to have looked.
        for (request, expected, looked_at) in [
            (
                reading(|_| {}),
                &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12][..],
                12,
            ),
            (reading(|r| r.from = 11), &[11, 12], 12),
            (reading(|r| r.from = 13), &[], 12),
            (reading(|r| r.through = 2), &[1, 2], 2),
            (reading(|r| (r.from, r.through) = (1, 1)), &[1], 1),
            (reading(|r| (r.from, r.through) = (5, 7)), &[5, 6, 7], 7),
            (reading(|r| (r.from, r.through) = (11, 99)), &[11, 12], 12),
            (reading(|r| (r.from, r.through) = (7, 5)), &[], 6),
            (reading(|r| r.limit = 3), &[1, 2, 3], 3),
            (reading(|r| (r.from, r.limit) = (4, 2)), &[4, 5], 5),
            (
                reading(|r| r.kinds = kinds(&["party_registered"])),
                &[4, 6],
                12,
            ),
            (reading(|r| r.kinds = kinds(&decided)), &[9, 10], 12),
            (
                reading(|r| r.kinds = kinds(&["conflict_detected"])),
                &[12],
                12,
            ),
            (reading(|r| r.kinds = kinds(&["no_such_kind"])), &[], 12),
            (
                reading(|r| (r.kinds, r.limit) = (kinds(&["party_registered"]), 1)),
                &[4],
                4,
            ),
            (reading(|r| r.office = "510503".to_owned()), &[9], 12),
            (
                reading(|r| r.office = "510502".to_owned()),
                &[3, 5, 7, 8, 10, 11, 12],
                12,
            ),
            (
                reading(|r| r.stream = stream.clone()),
                &[4, 5, 8, 9, 10, 11, 12],
                12,
            ),
            (
                reading(|r| {
                    (r.stream, r.kinds) = (stream.clone(), kinds(&decided));
                    (r.from, r.office) = (9, "510502".to_owned());
                }),
                &[10],
                12,
            ),
        ] {
            let answers = read(&site, request.clone()).await;
            assert_eq!(positions(&answers), expected, "{request:?}");
            assert_eq!(answers.last().unwrap().position, looked_at, "{request:?}");
        }
        for (request, reason, field) in [
            (reading(|r| r.stream = vec![0; 15]), "BYTE_LENGTH", "stream"),
            (reading(|r| r.stream = vec![0; 17]), "BYTE_LENGTH", "stream"),
            (
                reading(|r| r.office = "51050".to_owned()),
                "OFFICE_CODE",
                "office",
            ),
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
        let comment = "#".repeat(40_000);
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
        let follow = |change: fn(&mut wire::ReadEventsRequest)| {
            reading(|r| {
                (r.from, r.follow) = (3, true);
                r.kinds = kinds(&["course_registered"]);
                change(r);
            })
        };
        // From beyond the end, with and without a bound.
        let requests = [
            follow(|_| {}),
            follow(|r| r.limit = 2),
            follow(|r| r.through = 5),
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
