//! What one caller and one connection may cost.

use std::{
    future::Future,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use luzhang_proto::wire::{self, outcome::Result as Said};
use tokio::{runtime::Builder, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, codec::CompressionEncoding};
use tonic_types::StatusExt as _;

use crate::{
    clerk::{Clerk, Client, connect, course},
    frames::{call, fields, flag, frame, greeting, kind},
    support::{Ledger, Person, Server, Sheet},
};

fn run(test: impl Future<Output = ()>) {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(test);
    runtime.shutdown_background();
}

async fn submit(client: &mut Client, who: &str, number: u64) -> Result<Said, Status> {
    let request = wire::SubmitRequest {
        command: Some(course(who, number)),
        receipt: false,
    };
    let answer = client.submit(request).await?.into_inner();
    Ok(answer.outcome.unwrap().result.unwrap())
}

#[track_caller]
fn limited(status: &Status) -> Duration {
    let info = status.get_details_error_info().expect("no code");
    assert_eq!(
        (status.code(), &*info.reason),
        (Code::ResourceExhausted, "RATE_LIMITED")
    );
    let retry = status.get_details_retry_info().expect("when to come again");
    retry.retry_delay.unwrap()
}

#[test]
fn who_asks_too_often_is_told_when_to_come_again_and_nobody_else_is() {
    let ledger = Ledger::new();
    let server = Server::with(&ledger.dir(), ["--rate", "10"], "warn");
    run(async {
        let mut hasty = connect(server.url(), "hasty").await.unwrap();
        let mut again = None;
        for number in 0..1_000 {
            if let Err(status) = submit(&mut hasty, "HASTY", number).await {
                again = Some((number, limited(&status)));
                break;
            }
        }
        let (number, delay) = again.expect("nobody was turned away");
        assert!(number >= 10, "a second's worth may come at once: {number}");
        assert!(delay <= Duration::from_millis(100), "{delay:?}");
        // Others are not concerned, and coming again helps.
        Clerk::new(server.url()).await.work(5).await;
        let again = async {
            while submit(&mut hasty, "HASTY", number).await.is_err() {
                tokio::time::sleep(delay).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), again)
            .await
            .expect("it is turned away for ever");
    });
}

#[test]
fn a_stream_is_slowed_down_and_the_command_line_waits() {
    let ledger = Ledger::new();
    let server = Server::with(&ledger.dir(), ["--rate", "50"], "warn");
    let table = ledger.file("table.csv");
    let rows = (1..=150).map(|index| {
        let Person { name, number } = Person::number(index);
        format!("{name},{number},2014-11-30,,v1")
    });
    Sheet::of("poverty-status", rows).write(&table);
    let began = Instant::now();
    let ran = server
        .target()
        .run(["import", table.to_str().unwrap(), "-o", "ndjson"]);
    let took = began.elapsed();
    let outcomes = ran.ended(0).lines();
    assert_eq!(outcomes.len(), 150);
    assert!(outcomes.iter().all(|row| row["outcome"] == "accepted"));
    // Fifty at once, a hundred more in two seconds.
    assert!(took >= Duration::from_millis(1_900), "{took:?}");
    // In debt now; a single command comes again until it is taken.
    let command = serde_json::json!({
        "course": {
            "course_no": "PX-1",
            "provider": {"name": "某某单位1", "credit_code": "91510590000000001H"},
            "trade": "酿酒工",
            "first_day": {"year": 2024, "month": 3, "day": 4},
            "last_day": {"year": 2024, "month": 3, "day": 8},
        },
    });
    let file = ledger.file("course.json");
    std::fs::write(&file, command.to_string()).unwrap();
    server
        .target()
        .run(["submit", file.to_str().unwrap()])
        .ended(0);
}

#[test]
fn one_caller_has_so_many_streams_and_no_more() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    run(async {
        let mut client = connect(server.url(), "many").await.unwrap();
        let mut open = Vec::new();
        let turned = loop {
            let (send, receive) = mpsc::channel(1);
            match client.submit_batch(ReceiverStream::new(receive)).await {
                Ok(answers) => open.push((send, answers)),
                Err(status) => break status,
            }
            assert!(open.len() <= 200, "as many as it likes");
        };
        limited(&turned);
        assert!(open.len() >= 16, "{}", open.len());
        Clerk::new(server.url()).await.work(5).await;
        // Who closes one may open another.
        open.pop();
        let opened = async {
            loop {
                let (_send, receive) = mpsc::channel(1);
                let stream = ReceiverStream::new(receive);
                if client.submit_batch(stream).await.is_ok() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), opened)
            .await
            .expect("it is not counted down");
    });
}

#[test]
fn a_request_is_not_unfolded() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    run(async {
        let client = connect(server.url(), "zip").await.unwrap();
        let mut client = client.send_compressed(CompressionEncoding::Gzip);
        let mut bomb = course("ZIP", 1);
        bomb.office = "0".repeat(200 << 20);
        let request = wire::SubmitRequest {
            command: Some(bomb),
            receipt: false,
        };
        let status = client.submit(request).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{status}");
    });
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let peak = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .unwrap();
    let kib: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    assert!(kib < 180 << 10, "{kib} KiB");
}

/// Whether the server ends a connection on which this is said.
fn ends(server: &Server, said: &[u8]) -> bool {
    let address = server.url().strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(10));
    connection.set_read_timeout(patience).unwrap();
    // It may end before all is said.
    let _ended = connection.write_all(said);
    match connection.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn headers_without_end_and_streams_taken_back_without_end_end_the_connection() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut clerk = runtime.block_on(Clerk::new(server.url()));
    let submit = call("/luzhang.v1.LedgerService/Submit");
    // HPACK's own end of a list is never there.
    let mut endless = vec![greeting(), frame(kind::HEADERS, flag::NONE, 1, &submit)];
    let some = fields([("x-a", &*"x".repeat(4_000))]);
    endless.extend((0..200).map(|_| frame(kind::CONTINUATION, flag::NONE, 1, &some)));
    let mut taken_back = vec![greeting()];
    for number in 0..20_000 {
        let stream = 2 * number + 1;
        taken_back.push(frame(kind::HEADERS, flag::END_HEADERS, stream, &submit));
        taken_back.push(frame(kind::RST_STREAM, flag::NONE, stream, &[0, 0, 0, 8]));
    }
    for (name, said) in [("endless headers", endless), ("rapid reset", taken_back)] {
        let said = said.concat();
        assert!(ends(&server, &said), "{name}: it goes on");
    }
    // A list that ends, but is too long: this request alone is refused.
    runtime.block_on(async {
        let mut client = connect(server.url(), "long").await.unwrap();
        for (bytes, taken) in [(100, true), (12_000, true), (17_000, false), (100, true)] {
            let mut request = tonic::Request::new(wire::GetEventRequest { position: 1 });
            let value = "x".repeat(bytes).parse().unwrap();
            request.metadata_mut().insert("x-long", value);
            let answer = client.get_event(request).await;
            assert_eq!(answer.is_ok(), taken, "{bytes}");
        }
    });
    runtime.block_on(clerk.work(5));
    runtime.block_on(clerk.check());
}
