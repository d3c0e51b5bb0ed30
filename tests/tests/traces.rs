//! Traces: a request is one trace from the caller to the disk, and nobody's name is in
//! any of it.

#![cfg(test)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use aho_corasick::AhoCorasick;
use luzhang_proto::wire::{self, ledger_service_client::LedgerServiceClient};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::Span,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, codegen::http::uri::PathAndQuery, transport::Endpoint};

use support::{Bureau, signal};

/// Keeps what it is sent.
#[derive(Clone, Debug, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(served);
        url
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap().clone();
        let resources = requests.into_iter().flat_map(|sent| sent.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

/// The program, which sends its traces there.
fn traced(collector: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_traced"));
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .env("LUZHANG_WEB", "off")
        .env("LUZHANG_METRICS", "off")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

fn submit(collector: &str, url: &str, parent: &str, json: &str) -> Output {
    let mut child = traced(collector)
        .args(["--server", url, "submit", "-"])
        .env("TRACEPARENT", parent)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(json.as_bytes()).unwrap();
    drop(input);
    child.wait_with_output().unwrap()
}

/// Text attributes of a span.
fn attributes(span: &Span) -> BTreeMap<&str, String> {
    let attribute = |kept: &'_ opentelemetry_proto::tonic::common::v1::KeyValue| match &kept.value {
        Some(value) => match &value.value {
            Some(Value::StringValue(text)) => text.clone(),
            other => format!("{other:?}"),
        },
        None => String::new(),
    };
    let attributes = span.attributes.iter();
    attributes
        .map(|kept| (kept.key.as_str(), attribute(kept)))
        .collect()
}

/// Who is in a bureau's tables.
fn secrets(bureau: &Bureau) -> BTreeSet<String> {
    let columns = [
        "姓名",
        "身份证号码",
        "统一社会信用代码",
        "培训机构",
        "单位名称",
    ];
    let mut secrets = BTreeSet::new();
    for (_, sheet) in bureau.sheets() {
        for column in columns
            .iter()
            .filter(|c| sheet.header.iter().any(|h| h == *c))
        {
            secrets.extend(sheet.column(column).into_iter().map(str::to_owned));
        }
    }
    secrets
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

#[test]
fn a_request_is_one_trace_from_the_caller_to_the_disk_and_names_nobody() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let collector = Collector::default();
    let at = runtime.block_on(collector.listen());
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("ledger");
    let init = traced(&at).args(["init", "--data-dir"]).arg(&dir).output();
    assert!(init.unwrap().status.success());

    let mut server = traced(&at)
        .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
        .args([
            "--snapshots",
            "100",
            "--checkpoint-every",
            "200ms",
            "--data-dir",
        ])
        .arg(&dir)
        .env("LUZHANG_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = server.stderr.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut all = String::new();
        said.read_to_string(&mut all).unwrap();
        all
    });
    let mut line = String::new();
    let mut out = BufReader::new(server.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening ").unwrap().to_owned();

    let parent = format!("00-{TRACE}-{PARENT}-01");
    let grant = r#"{"appropriation": {"document": "件1", "fund": "county", "office": "510502",
        "programme": "other-subsidy", "year": 2024, "amount_fen": 1}, "office": "510502"}"#;
    assert!(submit(&at, &url, &parent, grant).status.success());
    // A person's number where a credit code belongs.
    let number = "510590197607110016";
    let slip = format!(
        r#"{{"course": {{"course_no": "班1", "provider": {{"credit_code": "{number}",
            "name": "某机构"}}}}, "office": "510502"}}"#
    );
    assert!(!submit(&at, &url, "not a trace", &slip).status.success());
    let bureau = Bureau::demo();
    let import = traced(&at)
        .args(["--server", &url, "import"])
        .args(bureau.files())
        .output()
        .unwrap();
    assert_eq!(import.status.code(), Some(3), "{import:?}");
    // A caller chooses the path, and may put anything there.
    runtime.block_on(async {
        let channel = Endpoint::from_shared(url.clone()).unwrap();
        let channel = channel.connect().await.unwrap();
        let mut grpc = tonic::client::Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = format!("/luzhang.v1.LedgerService/{number}");
        let path: PathAndQuery = path.parse().unwrap();
        let codec =
            tonic_prost::ProstCodec::<wire::GetEventRequest, wire::GetEventResponse>::default();
        let nothing = wire::GetEventRequest { position: 1 };
        grpc.unary(Request::new(nothing), path, codec)
            .await
            .unwrap_err();
        let mut ledger = LedgerServiceClient::new(channel);
        let beyond = wire::GetEventRequest { position: 1 << 40 };
        ledger.get_event(beyond).await.unwrap_err();
    });
    signal("TERM", server.id());
    assert!(server.wait().unwrap().success());
    let said = reading.join().unwrap();

    let spans = collector.spans();
    let of = |name: &'static str| spans.iter().filter(move |span| span.name == name);
    let id = hex;
    let trace = |span: &Span| hex(&span.trace_id);
    // The caller's trace, the command in it, the request in that, and what it waited for.
    let command = of("submit").find(|span| trace(span) == TRACE).unwrap();
    assert_eq!(id(&command.parent_span_id), PARENT);
    let request = of("LedgerService.Submit")
        .find(|span| trace(span) == TRACE)
        .unwrap();
    assert_eq!(request.parent_span_id, command.span_id);
    let waited = of("decided and durable")
        .find(|span| trace(span) == TRACE)
        .unwrap();
    assert_eq!(waited.parent_span_id, request.span_id);
    assert!(waited.start_time_unix_nano >= request.start_time_unix_nano);
    assert!(waited.end_time_unix_nano <= request.end_time_unix_nano);
    // What is no trace begins one; what is turned away says its code.
    let slip = of("LedgerService.Submit")
        .find(|span| trace(span) != TRACE)
        .unwrap();
    assert_eq!(attributes(slip)["luzhang.code"], "USCC_CHECK_DIGIT");
    let beyond = of("LedgerService.GetEvent").next().unwrap();
    assert_eq!(attributes(beyond)["luzhang.code"], "EVENT_NOT_FOUND");
    assert!(of("LedgerService.SubmitBatch").next().is_some());
    assert!(of("unknown").next().is_some());

    let mut secrets = secrets(&bureau);
    assert!(secrets.len() > 60, "{}", secrets.len());
    secrets.extend([number.to_owned(), "某机构".to_owned()]);
    let search = AhoCorasick::new(&secrets).unwrap();
    let sent: Vec<u8> = collector
        .0
        .lock()
        .unwrap()
        .iter()
        .flat_map(prost::Message::encode_to_vec)
        .collect();
    for (place, bytes) in [("spans", &sent[..]), ("log", said.as_bytes())] {
        assert!(bytes.len() > 1_000, "{place}");
        let found = search.find(bytes).map(|found| {
            let from = found.start().saturating_sub(200);
            String::from_utf8_lossy(&bytes[from..found.end()]).into_owned()
        });
        assert_eq!(found, None, "{place}");
    }
    // The search finds what is there.
    let there = secrets.iter().next().unwrap();
    assert!(search.find(format!("…{there}…").as_bytes()).is_some());

    // Each line is JSON, notes of the program among them.
    let mut notes = 0;
    for line in said.lines() {
        let parsed: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(
            parsed["timestamp"].is_string() && parsed["level"].is_string(),
            "{line}"
        );
        notes += u32::from(parsed["level"] == "NOTE");
    }
    assert!(notes >= 2, "{notes}");
    assert!(Path::new(&dir).join("FORMAT").is_file());
}
