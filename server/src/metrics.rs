//! Numbers about a server, in the text form of Prometheus, for whoever is on this
//! machine: `/metrics`. No number says anything of a person, and no label is what a
//! caller may choose.

use std::{
    fmt, fs,
    future::Future,
    net::SocketAddr,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::get,
};
use luzhang_ledger::Position;
use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet, text},
    metrics::{MetricType, counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};
use rustix::{
    fs::statvfs,
    process::{Resource, getrlimit},
};
use tokio::net::TcpListener;

use crate::{
    checkpoints::Trouble,
    door,
    engine::Engine,
    figures::{self, Bins, Figures, Writer},
    notes::{self, Noted},
    serve::ServeError,
    snapshots,
};

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Number = Gauge<u64, AtomicU64>;
type Labelled<K> = [(&'static str, K); 1];

/// Listens on a loopback address; port 0 takes a free one.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    TcpListener::bind(address)
        .await
        .map_err(|error| ServeError::Listen { address, error })
}

/// Serves the numbers until `stop`.
pub async fn serve(engine: Arc<Engine>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let routes = Router::new()
        .route("/metrics", get(numbers))
        .with_state(engine);
    door::serve(routes, listener, None, stop).await;
}

async fn numbers(State(engine): State<Arc<Engine>>) -> Response {
    // It looks at the state, for which it may have to wait, and at files.
    match tokio::task::spawn_blocking(move || encode(&engine)).await {
        Ok(Ok(text)) => ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn encode(engine: &Engine) -> Result<String, fmt::Error> {
    let mut all = Registry::default();
    let mut page = Page(all.sub_registry_with_prefix("luzhang"));
    let figures = engine.figures();
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.0
        .register("build", "Which program it is", Info::new(version));
    of_log(&mut page, engine);
    of_queue(&mut page, engine);
    of_writer(&mut page, &figures.writer());
    page.counts(
        "rejections",
        "Commands and questions that were turned away, by reason code",
        "code",
        figures.rejections(),
    );
    page.0.register(
        "denied",
        "What was asked for and not permitted, by its reason code and by what was asked",
        engine.denials().counted(),
    );
    of_tree(&mut page, engine);
    of_standbys(&mut page, engine);
    of_snapshots(&mut page, engine);
    of_disk(&mut page, engine.dir());
    // What every program calls the same.
    let mut page = Page(all.sub_registry_with_prefix("process"));
    of_process(&mut page, figures);
    let mut text = String::new();
    text::encode(&mut text, &all)?;
    Ok(text)
}

/// What is shown.
struct Page<'a>(&'a mut Registry);

impl Page<'_> {
    fn number(&mut self, name: &str, help: &str, value: u64) {
        let gauge = Number::default();
        gauge.set(value);
        self.0.register(name, help, gauge);
    }

    /// Numbers that are told apart by one label.
    fn numbers<K: fmt::Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (K, u64)>,
    ) {
        let family = Family::<Labelled<String>, Number>::default();
        for (key, value) in values {
            family.get_or_create(&[(label, key.to_string())]).set(value);
        }
        self.0.register(name, help, family);
    }

    fn count(&mut self, name: &str, help: &str, value: u64) {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        self.0.register(name, help, counter);
    }

    fn counts<K: fmt::Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl IntoIterator<Item = (K, u64)>,
    ) {
        let family = Family::<Labelled<String>, Counter>::default();
        for (key, value) in values {
            family
                .get_or_create(&[(label, key.to_string())])
                .inc_by(value);
        }
        self.0.register(name, help, family);
    }

    /// `parts` of a value are what the unit of the name is: seconds have a million
    /// microseconds.
    fn bins(&mut self, name: &str, help: &str, bins: &Bins, parts: Parts) {
        self.0.register(name, help, Shown::of(bins, parts));
    }
}

fn of_log(page: &mut Page<'_>, engine: &Engine) {
    let head = engine.head();
    let position = head.position.map_or(0, Position::number);
    page.number("position", "Events that are durable", position);
    page.number("blocks", "Blocks that are durable", head.height);
    page.number(
        "epoch",
        "How often the log was opened for writing, as of its last block",
        head.epoch,
    );
    page.number(
        "recorded_timestamp_seconds",
        "When the newest event was recorded, since 1970",
        u64::try_from(head.recorded_at / 1_000_000).unwrap_or(0),
    );
    page.number(
        "writer_stopped",
        "1 if the writer stopped after a storage failure",
        u64::from(engine.poisoned().is_some()),
    );
    let (folded, conflicts) = engine.peek(|projections| {
        let state = &projections.state;
        (state.position(), state.conflicts_open())
    });
    let folded = folded.map_or(0, Position::number);
    let source = engine.figures().source().unwrap_or(0).max(position);
    page.number(
        "projections_position",
        "Events that the projections have, some perhaps not durable yet",
        folded,
    );
    page.number(
        "projections_lag_events",
        "Events of the log that the projections do not have yet",
        source.saturating_sub(folded),
    );
    page.number(
        "undurable_events",
        "Events that are decided and not durable yet",
        folded.saturating_sub(position),
    );
    page.number(
        "conflicts_open",
        "Grants' conflicts with later facts that nobody has cleared",
        size(conflicts),
    );
}

fn of_queue(page: &mut Page<'_>, engine: &Engine) {
    let queue = engine.queued();
    page.numbers(
        "queue_length",
        "Messages that wait to be decided, by how they came",
        "kind",
        [
            ("single", size(queue.singles)),
            ("stream", size(queue.messages)),
        ],
    );
    page.number(
        "queue_capacity",
        "How many messages of each kind may wait",
        size(queue.most),
    );
}

fn of_writer(page: &mut Page<'_>, writer: &Writer) {
    let Writer {
        events,
        refusals,
        replays,
        waited,
        group_events,
        block_events,
        block_bytes,
        flushed,
    } = writer;
    let mut kinds: Vec<_> = events.iter().map(|(kind, count)| (*kind, *count)).collect();
    kinds.sort_unstable();
    page.counts(
        "events",
        "Events that became durable since the start, by what they say",
        "kind",
        kinds,
    );
    page.counts(
        "refusals",
        "Limits that failed, by reason code: a refusal has one or more",
        "code",
        refusals.iter().map(|(code, count)| (code, *count)),
    );
    page.count(
        "replays",
        "Commands that were sent again and had their first outcome",
        *replays,
    );
    let micros = Parts(1_000_000);
    page.bins(
        "queue_seconds",
        "How long messages waited to be decided",
        waited,
        micros,
    );
    page.bins(
        "flush_seconds",
        "How long it took to make blocks durable, and keys before them",
        flushed,
        micros,
    );
    page.bins(
        "group_events",
        "Events that became durable together",
        group_events,
        Parts(1),
    );
    page.bins("block_events", "Events in a block", block_events, Parts(1));
    page.bins(
        "block_bytes",
        "Bytes of a block, before it is compressed",
        block_bytes,
        Parts(1),
    );
}

fn of_tree(page: &mut Page<'_>, engine: &Engine) {
    let Ok(tree) = engine.tree() else {
        return;
    };
    let size = tree.published().map_or(0, |signed| signed.head().size);
    page.number(
        "checkpoint_size",
        "Events under the newest checkpoint that is given out",
        size,
    );
    if let Some(at) = tree.published_at().and_then(figures::seconds) {
        page.number(
            "checkpoint_timestamp_seconds",
            "When the newest checkpoint was given out, since 1970",
            at,
        );
    }
    let trouble = tree.trouble();
    let trouble = trouble.as_ref().map(Trouble::code);
    page.numbers(
        "checkpoint_trouble",
        "1 for the reason why there is no newer checkpoint",
        "code",
        Trouble::CODES.map(|code| (code, u64::from(trouble == Some(code)))),
    );
    of_witnesses(page, engine);
}

fn of_witnesses(page: &mut Page<'_>, engine: &Engine) {
    let witnesses = engine.figures().witnesses();
    page.number(
        "witnesses",
        "Witnesses that are asked to cosign checkpoints",
        size(witnesses.len()),
    );
    let each = || witnesses.iter();
    page.numbers(
        "witness_size",
        "Events under the newest checkpoint that a witness cosigned",
        "witness",
        each().map(|witness| (&witness.name, witness.size)),
    );
    page.numbers(
        "witness_timestamp_seconds",
        "When a witness cosigned last, since 1970",
        "witness",
        each().filter_map(|witness| Some((&witness.name, witness.time?))),
    );
    page.counts(
        "witness_failures",
        "How often a witness was asked in vain",
        "witness",
        each().map(|witness| (&witness.name, witness.failures)),
    );
}

fn of_standbys(page: &mut Page<'_>, engine: &Engine) {
    let figures = engine.figures();
    let standbys = figures.standbys();
    page.numbers(
        "standby_position",
        "Events that a standby has",
        "standby",
        standbys.iter().map(|(name, position)| (name, *position)),
    );
    let position = engine.head().position.map_or(0, Position::number);
    page.numbers(
        "standby_lag_events",
        "Events that are durable here and that a standby does not have yet",
        "standby",
        standbys
            .iter()
            .map(|(name, has)| (name, position.saturating_sub(*has))),
    );
    page.number(
        "standby",
        "1 if this server follows another one",
        u64::from(figures.source().is_some()),
    );
}

fn of_snapshots(page: &mut Page<'_>, engine: &Engine) {
    page.count(
        "snapshot_failures",
        "How often a snapshot could not be made",
        engine.figures().snapshots_failed(),
    );
    let Some((position, file)) = snapshots::newest(engine.dir()) else {
        return;
    };
    page.number(
        "snapshot_position",
        "Events that the newest snapshot has",
        position,
    );
    page.number("snapshot_bytes", "Bytes of the newest snapshot", file.len());
    if let Some(at) = file.modified().ok().and_then(figures::seconds) {
        page.number(
            "snapshot_timestamp_seconds",
            "When the newest snapshot was made, since 1970",
            at,
        );
    }
}

/// What a data directory has, by its parts.
const PARTS: [(&str, &str); 4] = [
    ("log", "db"),
    ("keys", "keys"),
    ("tree", "tree"),
    ("snapshots", "snapshots"),
];

fn of_disk(page: &mut Page<'_>, dir: &Path) {
    if let Ok(disk) = statvfs(dir) {
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        page.number(
            "disk_size_bytes",
            "Size of the file system of the data directory",
            bytes(disk.f_blocks),
        );
        page.number(
            "disk_free_bytes",
            "What is free there for this program",
            bytes(disk.f_bavail),
        );
    }
    page.numbers(
        "store_bytes",
        "Lengths of the files of a data directory, by its parts",
        "part",
        PARTS.map(|(part, name)| (part, bytes_in(&dir.join(name)))),
    );
    // What cannot be read is for `luzhang doctor` to explain.
    if let Ok(Some(note)) = notes::read(dir, Noted::Verified) {
        page.number(
            "verified_timestamp_seconds",
            "When the log was verified last, since 1970",
            note.seconds,
        );
        page.number(
            "verified_sound",
            "1 if it was found to be what it should be",
            u64::from(note.is_sound()),
        );
    }
    if let Ok(Some(note)) = notes::read(dir, Noted::BackedUp) {
        page.number(
            "backup_timestamp_seconds",
            "When a backup was finished last, since 1970",
            note.seconds,
        );
        page.number(
            "backup_position",
            "Events that the last backup has",
            note.position,
        );
    }
}

/// Lengths of all files in it. What goes away meanwhile has none.
fn bytes_in(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    let bytes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_in(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

fn of_process(page: &mut Page<'_>, figures: &Figures) {
    if let Some(began) = figures.began() {
        page.number(
            "start_time_seconds",
            "When the program began, since 1970",
            began,
        );
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        page.number("open_fds", "Files that are open", size(files.count()));
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        page.number("max_fds", "Files that may be open", most);
    }
    if let Some(bytes) = resident() {
        page.number("resident_memory_bytes", "Memory in use", bytes);
    }
}

/// Bytes of memory of this process, as Linux says.
///
/// Source: proc(5), `/proc/pid/status`.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// How many of what was counted are one of what is shown.
#[derive(Clone, Copy, Debug)]
struct Parts(u32);

impl Parts {
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "Prometheus has all numbers as floats; none of these is money"
    )]
    fn of(self, value: u64) -> f64 {
        value as f64 / f64::from(self.0)
    }
}

/// [`Bins`] as Prometheus has them.
#[derive(Debug)]
struct Shown {
    sum: f64,
    count: u64,
    buckets: Vec<(f64, u64)>,
}

impl Shown {
    fn of(bins: &Bins, parts: Parts) -> Self {
        let known = bins.bounds.iter().zip(bins.counts);
        let mut buckets: Vec<_> = known
            .map(|(bound, count)| (parts.of(*bound), count))
            .collect();
        // What the library writes as `+Inf`.
        buckets.push((f64::MAX, bins.beyond));
        Self {
            sum: parts.of(bins.sum),
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets,
        }
    }
}

impl EncodeMetric for Shown {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_histogram::<NoLabelSet>(self.sum, self.count, &self.buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
