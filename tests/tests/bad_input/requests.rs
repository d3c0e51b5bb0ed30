//! Requests that are too large, or too many.

use luzhang_proto::wire;
use prost::Message as _;
use serde_json::json;
use tokio::task::JoinSet;
use tonic::Code;

use super::{Words, explained, outcomes, says, says_in_both};
use crate::{
    commands::{Commanded as _, course, policy, shown},
    site::{Plan, Site, test},
    support::{Grpc, Ledger, Person, Server, Sheet, Target},
};

/// A command that `luzhang submit` reads: a course with a long trade.
fn course_json(request: &str, number: &str, trade: &str) -> String {
    let course = course(number);
    let provider = course.provider.unwrap();
    let day = |day: Option<luzhang_proto::google::r#type::Date>| {
        let day = day.unwrap();
        json!({"year": day.year, "month": day.month, "day": day.day})
    };
    json!({
        "request_id": request,
        "office": "510502",
        "course": {
            "course_no": number,
            "provider": {"name": provider.name, "credit_code": provider.credit_code},
            "trade": trade,
            "first_day": day(course.first_day),
            "last_day": day(course.last_day),
        }
    })
    .to_string()
}

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[test]
fn a_request_larger_than_the_limit_is_not_taken_and_the_next_one_is() {
    let ledger = Ledger::new();
    let server = Server::with(&ledger.dir(), ["--message-bytes", "4096"], "warn");
    let target = server.target();
    let before = target.head();
    // Just beyond the limit, and beyond what the transport takes at all.
    for length in [4_096, 100_000] {
        let file = ledger.file("large.json");
        std::fs::write(&file, course_json(ID, "PX-1", &"x".repeat(length))).unwrap();
        let file = file.to_str().unwrap();
        target.run(["submit", file]).failed(1, "MESSAGE_TOO_LARGE");
        let words = Words {
            zh: &["字节", "上限 4096 字节", "请拆分"],
            en: &["bytes", "at most 4096", "split it"],
        };
        says_in_both(&target, &["submit", file], "MESSAGE_TOO_LARGE", words);
    }
    assert_eq!(target.head(), before);
    // The same request id was not used up.
    let file = ledger.file("small.json");
    std::fs::write(&file, course_json(ID, "PX-1", "酿酒工")).unwrap();
    target.run(["submit", file.to_str().unwrap()]).ended(0);
    assert_ne!(target.head(), before);
    assert_eq!(server.terminate().code, 0);
}

#[test]
fn a_large_request_in_a_stream_ends_it_and_loses_no_answer() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    test(async move {
        let mut grpc = Grpc::connect(server.url()).await;
        let mut batch = crate::site::Batch::open(&mut grpc.ledger).await;
        let large = policy(vec![b'#'; 9 << 20]).command();
        assert!(large.encoded_len() > 8 << 20);
        batch
            .send(vec![course("PX-1").command(), course("PX-2").command()])
            .await;
        batch.send(vec![large]).await;
        let answer = batch.answer().await.unwrap().unwrap();
        assert_eq!(
            answer.iter().map(shown).collect::<Vec<_>>(),
            ["accepted"; 2]
        );
        let status = batch.answer().await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        says(status.message(), &["8388608", "split it"]);
        // Genesis, pack, school and both courses.
        let head = grpc
            .audit
            .get_head(wire::GetHeadRequest {})
            .await
            .unwrap()
            .into_inner();
        assert_eq!(head.position, 5);
        let ended = tokio::task::spawn_blocking(|| server.terminate())
            .await
            .unwrap();
        assert_eq!(ended.code, 0);
    });
}

#[test]
fn a_full_queue_turns_requests_away_and_makes_an_import_wait() {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let single = path("single.json");
    std::fs::write(&single, course_json(ID, "PS-1", "酿酒工")).unwrap();
    let table = path("table.csv");
    let rows = (1..=2_000).map(|index| {
        let Person { name, number } = Person::number(index);
        format!("{name},{number},2014-11-30,,v1")
    });
    Sheet::of("poverty-status", rows).write(std::path::Path::new(&table));
    test(async move {
        let plan = Plan {
            queue: 1,
            ..Plan::default()
        };
        let (site, gate) = Site::gated(plan).await;
        site.record([course("PX").command()]).await;
        let before = site.head().await.position;
        let hold = gate.hold();
        let started = site.start(course("PF").command());
        site.decided(before + 1).await;
        let target = Target::server(site.url());
        // The import is four messages long; the queue has room for one. It is
        // that one, or the requests that come until the queue is full.
        let importing = tokio::task::spawn_blocking({
            let (target, table) = (target.clone(), table.clone());
            move || target.run(["import", &table, "-o", "ndjson"])
        });
        let mut alone = JoinSet::new();
        for number in 0..2 {
            let request = site.start(course(&format!("PU-{number}")).command());
            alone.spawn(async move { request.await.unwrap() });
        }
        let status = alone.join_next().await.unwrap().unwrap().unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        // Full, and so it stays: what a clerk is told meanwhile.
        let told = tokio::task::spawn_blocking({
            let target = target.clone();
            move || {
                let words = Words {
                    zh: &["排队已满", "请稍后用同一请求编号重试"],
                    en: &[
                        "the queue is full",
                        "try again shortly with the same request id",
                    ],
                };
                says_in_both(&target, &["submit", &single], "QUEUE_FULL", words);
                target.run(["submit", &single]).failed(1, "QUEUE_FULL");
                single
            }
        });
        let single = told.await.unwrap();
        assert_eq!(site.head().await.position, before);
        drop(hold);
        assert_eq!(shown(&started.await.unwrap().unwrap()), "accepted");
        match alone.join_next().await.unwrap().unwrap() {
            Ok(outcome) => assert_eq!(shown(&outcome), "accepted"),
            Err(status) => assert_eq!(status.code(), Code::ResourceExhausted),
        }
        let imported = importing.await.unwrap().ended(0);
        assert_eq!(outcomes(&imported), vec!["accepted"; 2_000]);
        let accepted = tokio::task::spawn_blocking(move || {
            target.run(["submit", &single]).ended(0);
            explained("QUEUE_FULL");
            outcomes(&target.run(["import", &table, "-o", "ndjson"]).ended(0))
        });
        assert_eq!(accepted.await.unwrap(), vec!["replayed"; 2_000]);
    });
}
