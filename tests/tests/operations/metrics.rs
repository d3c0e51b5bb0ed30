//! Each number that a server gives out, against what was done.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use luzhang_ledger::{
    Hash, Position, block::BlockView, codec, log::Reader, log::memory::Failure, text::Label,
};
use luzhang_proto::wire;
use luzhang_server::{
    metrics,
    notes::{self, Note, Noted},
};
use tokio::task::{JoinHandle, spawn_blocking};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::{
    commands::{
        Commanded as _, allowance, appropriation, attendance, benefit, claimable, course, listed,
        receipt, retraction,
    },
    scrape::Scrape,
    site::{Plan, Site, test},
    support::{Ledger, Server, luzhang, run},
};

/// The numbers of a site, until it is dropped.
pub(crate) struct Numbers {
    url: String,
    task: JoinHandle<()>,
}

impl Numbers {
    pub(crate) async fn of(site: &Site) -> Self {
        let listener = metrics::listen("127.0.0.1:0".parse().unwrap()).await;
        let listener = listener.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let engine = Arc::clone(&site.engine);
        let task = tokio::spawn(metrics::serve(engine, listener, std::future::pending()));
        Self { url, task }
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        let url = self.url.clone();
        spawn_blocking(move || Scrape::of(&url)).await.unwrap()
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Counts = BTreeMap<String, u64>;

fn count(counts: &mut Counts, key: &str) {
    *counts.entry(key.to_owned()).or_default() += 1;
}

/// What callers were told.
#[derive(Debug, Default)]
struct Told {
    refusals: Counts,
    rejections: Counts,
    replays: u64,
    /// Messages that came to the decider.
    messages: u64,
}

impl Told {
    fn outcome(&mut self, outcome: &wire::Outcome) {
        match outcome.result.as_ref().unwrap() {
            wire::outcome::Result::Refused(refused) if !outcome.replayed => {
                for reason in &refused.reasons {
                    count(&mut self.refusals, &reason.code);
                }
            }
            wire::outcome::Result::Rejected(rejected) => {
                count(
                    &mut self.rejections,
                    &rejected.reason.as_ref().unwrap().code,
                );
            }
            _ => {}
        }
        self.replays += u64::from(outcome.replayed);
    }

    fn status(&mut self, status: &Status) {
        let details = status.get_error_details();
        count(&mut self.rejections, &details.error_info().unwrap().reason);
    }

    fn add(&mut self, other: Self) {
        for (all, some) in [
            (&mut self.refusals, other.refusals),
            (&mut self.rejections, other.rejections),
        ] {
            for (key, number) in some {
                *all.entry(key).or_default() += number;
            }
        }
        self.replays += other.replays;
        self.messages += other.messages;
    }
}

/// What a log has, read from its bytes.
#[derive(Debug, Default)]
struct Stored {
    kinds: Counts,
    events: u64,
    blocks: u64,
    bytes: u64,
}

impl Stored {
    fn of(log: &dyn Reader) -> Self {
        let mut stored = Self::default();
        for block in log.blocks_from(Position::FIRST) {
            let block = block.unwrap();
            stored.blocks += 1;
            stored.bytes += u64::try_from(block.len()).unwrap();
            for frame in BlockView::parse(&block).unwrap().frames() {
                let event = codec::decode(frame.unwrap().event).unwrap();
                count(&mut stored.kinds, event.body.kind());
                stored.events += 1;
            }
        }
        stored
    }
}

/// One caller of many: what comes on its own, again, wrong, and in a batch.
async fn caller(site: Arc<Site>, number: u32) -> Told {
    let mut told = Told::default();
    let right = allowance(&format!("A{number}"), number, "PX-1", "2024-03-04").command();
    let again = allowance(&format!("B{number}"), number, "PX-1", "2024-03-04").command();
    let stranger = allowance(&format!("C{number}"), 9_000 + number, "PX-1", "2024-03-05");
    for command in [
        right.clone(),
        // The same request.
        right.clone(),
        // The same day.
        again,
        // Not on the list, and not at the course.
        stranger.command(),
    ] {
        told.messages += 1;
        told.outcome(&site.submit(command).await.unwrap());
    }
    // The decider turns it away.
    told.messages += 1;
    let unknown = attendance(number, "PX-NONE", "2024-03-04").command();
    told.status(&site.submit(unknown).await.unwrap_err());
    // The edge turns it away.
    let mut nobody = listed(number);
    nobody.person.as_mut().unwrap().national_id = "510590197607110017".to_owned();
    told.status(&site.submit(nobody.clone().command()).await.unwrap_err());
    // A question.
    let mut ledger = site.ledger();
    let nowhere = wire::GetEventRequest {
        position: 1_000_000,
    };
    told.status(&ledger.get_event(nowhere).await.unwrap_err());

    let mut batch = site.batch().await;
    for round in 0..3 {
        told.messages += 1;
        let later = format!("D{number}-{round}");
        let commands = vec![
            allowance(&later, number, "PX-1", "2024-03-05").command(),
            nobody.clone().command(),
            right.clone(),
            attendance(number, "PX-NONE", "2024-03-04").command(),
        ];
        for outcome in batch.round(commands).await {
            told.outcome(&outcome);
        }
    }
    told
}

#[test]
fn every_number_is_what_was_done_under_load_too() {
    const CALLERS: u32 = 24;
    test(async {
        let site = Arc::new(Site::new().await);
        let numbers = Numbers::of(&site).await;
        let mut told = Told::default();
        let budget = appropriation("演1号", "training-allowance").command();
        let mut first = vec![budget, course("PX-1").command()];
        for number in 1..=CALLERS {
            first.push(listed(number).command());
            first.push(attendance(number, "PX-1", "2024-03-04 2024-03-05").command());
        }
        told.messages += u64::try_from(first.len()).unwrap();
        site.record(first).await;

        let callers = (1..=CALLERS).map(|number| tokio::spawn(caller(Arc::clone(&site), number)));
        let callers: Vec<_> = callers.collect();
        // Looked at while they work.
        let mut before = numbers.scrape().await;
        while !callers.iter().all(JoinHandle::is_finished) {
            let now = numbers.scrape().await;
            now.follows(&before);
            assert!(now.of_key("luzhang_position") >= before.of_key("luzhang_position"));
            before = now;
        }
        for caller in callers {
            told.add(caller.await.unwrap());
        }

        let now = numbers.scrape().await;
        now.follows(&before);
        let stored = Stored::of(&**site.engine.reader());
        assert_eq!(now.by_label("luzhang_events_total"), stored.kinds);
        assert_eq!(now.by_label("luzhang_refusals_total"), told.refusals);
        assert_eq!(now.by_label("luzhang_rejections_total"), told.rejections);
        assert_eq!(now.of_key("luzhang_replays_total"), told.replays);
        // It was not for nothing.
        let callers = u64::from(CALLERS);
        assert_eq!(told.replays, 4 * callers);
        assert_eq!(told.rejections["UNKNOWN_COURSE"], 4 * callers);
        assert_eq!(told.rejections["ID_CHECK_DIGIT"], 4 * callers);
        assert_eq!(told.rejections["EVENT_NOT_FOUND"], callers);
        assert_eq!(stored.kinds["training_allowance_granted"], 2 * callers);
        assert_eq!(told.refusals["M04_DAY_DUP"], 3 * callers);
        for (key, expected) in [
            ("luzhang_position", stored.events),
            ("luzhang_projections_position", stored.events),
            ("luzhang_projections_lag_events", 0),
            ("luzhang_undurable_events", 0),
            ("luzhang_blocks", stored.blocks),
            ("luzhang_block_events_count", stored.blocks),
            ("luzhang_block_events_sum", stored.events),
            ("luzhang_block_bytes_sum", stored.bytes),
            ("luzhang_group_events_sum", stored.events),
            ("luzhang_queue_seconds_count", told.messages),
            ("luzhang_queue_length{kind=\"single\"}", 0),
            ("luzhang_queue_length{kind=\"stream\"}", 0),
            ("luzhang_queue_capacity", 1_024),
            ("luzhang_writer_stopped", 0),
            ("luzhang_conflicts_open", 0),
            ("luzhang_standby", 0),
            ("luzhang_build_info{version=\"0.1.0\"}", 1),
        ] {
            assert_eq!(now.of_key(key), expected, "{key}");
        }
        // One block an append here, since none is full.
        assert_eq!(now.of_key("luzhang_flush_seconds_count"), stored.blocks);
        assert!(now.is_some("luzhang_flush_seconds_sum"));
        assert!(now.is_some("luzhang_queue_seconds_sum"));
        let recorded = now.of_key("luzhang_recorded_timestamp_seconds");
        assert!(recorded.abs_diff(seconds()) < 600, "{recorded}");
    });
}

fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

#[test]
fn what_waits_and_what_is_not_durable_yet_is_seen() {
    test(async {
        let (site, gate) = Site::gated(Plan::default()).await;
        let numbers = Numbers::of(&site).await;
        site.record(claimable()).await;
        let durable = numbers.scrape().await.of_key("luzhang_position");
        let hold = gate.hold();
        let first = site.start(listed(2).command());
        gate.reached().await;
        // More come, and wait for the first.
        let more: Vec<_> = (3..8).map(|n| site.start(listed(n).command())).collect();
        let waiting = loop {
            let now = numbers.scrape().await;
            if now.of_key("luzhang_queue_length{kind=\"single\"}") == 5 {
                break now;
            }
        };
        assert_eq!(waiting.of_key("luzhang_position"), durable);
        // A person and what is said of it.
        assert_eq!(waiting.of_key("luzhang_undurable_events"), 2);
        tokio::time::sleep(Duration::from_millis(60)).await;
        drop(hold);
        for answer in more.into_iter().chain([first]) {
            answer.await.unwrap().unwrap();
        }
        let now = numbers.scrape().await;
        assert_eq!(now.of_key("luzhang_queue_length{kind=\"single\"}"), 0);
        // Five of them waited at least as long.
        let short = now.of_key("luzhang_queue_seconds_bucket{le=\"0.05\"}");
        assert_eq!(now.of_key("luzhang_queue_seconds_count") - short, 5);
        assert_eq!(now.of_key("luzhang_position"), durable + 12);
    });
}

#[test]
fn conflicts_are_counted_until_they_are_cleared_and_a_stopped_writer_is_seen() {
    test(async {
        let (site, gate) = Site::gated(Plan::default()).await;
        let numbers = Numbers::of(&site).await;
        site.record(claimable()).await;
        let grant = allowance("C1", 1, "PX-1", "2024-03-04").command();
        site.record([grant]).await;
        let late = site.submit(benefit(1, "2024-03-01", "2024-03-31").command());
        let late = receipt(&late.await.unwrap()).position;
        assert_eq!(numbers.scrape().await.of_key("luzhang_conflicts_open"), 1);
        site.record([retraction(1, late).command()]).await;
        assert_eq!(numbers.scrape().await.of_key("luzhang_conflicts_open"), 0);

        gate.fail_next(Failure::BeforeStored);
        let failed = site.submit(listed(5).command()).await;
        failed.expect_err("the disk failed");
        let now = numbers.scrape().await;
        assert_eq!(now.of_key("luzhang_writer_stopped"), 1);
        // What did not become durable is not counted.
        let stored = Stored::of(&**site.engine.reader());
        assert_eq!(now.by_label("luzhang_events_total"), stored.kinds);
        assert_eq!(
            now.of_key("luzhang_rejections_total{code=\"WRITER_STOPPED\"}"),
            1
        );
    });
}

#[test]
fn standbys_and_notes_are_shown_as_they_are_set() {
    test(async {
        let site = Site::new().await;
        let numbers = Numbers::of(&site).await;
        site.record(claimable()).await;
        let position = numbers.scrape().await.of_key("luzhang_position");
        let figures = site.engine.figures();
        figures.standby("泸州-2", position - 2);
        figures.standby("b", position);
        let now = numbers.scrape().await;
        let lag = [("b", 0), ("泸州-2", 2)].map(|(name, lag)| (name.to_owned(), lag));
        assert_eq!(now.by_label("luzhang_standby_lag_events"), lag.into());
        figures.standby_gone("b");
        figures.follows(Some(position + 10));
        let now = numbers.scrape().await;
        assert_eq!(now.by_label("luzhang_standby_position").len(), 1);
        assert_eq!(now.of_key("luzhang_standby"), 1);
        assert_eq!(now.of_key("luzhang_projections_lag_events"), 10);

        assert_eq!(now.find("luzhang_verified_timestamp_seconds"), None);
        let dir = site.close().await;
        let note = |result: &str| Note {
            result: Label::new(result).unwrap(),
            position,
            chain: Hash::from_bytes([1; 32]),
            seconds: 1_764_187_200,
        };
        notes::leave(dir.path(), Noted::Verified, &note("tampered")).unwrap();
        notes::leave(dir.path(), Noted::BackedUp, &note("done")).unwrap();
        let now = numbers.scrape().await;
        assert_eq!(
            now.of_key("luzhang_verified_timestamp_seconds"),
            1_764_187_200
        );
        assert_eq!(now.of_key("luzhang_verified_sound"), 0);
        assert_eq!(now.of_key("luzhang_backup_position"), position);
    });
}

/// The program as it is run, with a witness that cosigns.
pub(crate) struct Witnessed {
    pub(crate) ledger: Ledger,
    pub(crate) server: Server,
    /// Where its numbers are.
    pub(crate) url: String,
    witness: Child,
}

impl Drop for Witnessed {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.witness.kill();
        let _reaped = self.witness.wait();
    }
}

impl Witnessed {
    pub(crate) fn new() -> Self {
        let ledger = Ledger::new();
        ledger.target().run(["checkpoint", "sign"]).ended(0);
        let keys = ledger.target().run(["checkpoint", "keys", "-o", "json"]);
        let keys = keys.ended(0).json();
        let log = keys["rows"][0]["key"].as_str().unwrap().to_owned();
        let place = ledger.file("witness");
        let place = place.to_str().unwrap();
        let init = ["witness", "init", place, "--name", "audit.example/w"];
        let key = run(init).ended(0).out.trim().to_owned();
        run(["witness", "add-log", place, &log]).ended(0);
        let mut witness = luzhang()
            .args(["witness", "serve", place, "--listen", "127.0.0.1:0"])
            .env("LUZHANG_LOG", "off")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(witness.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening ").unwrap();
        let policy = ledger.file("policy");
        let lines = format!("log {log}\nwitness audit {key} {url}\nquorum audit\n");
        fs::write(&policy, lines).unwrap();
        let options = ["--witnesses", policy.to_str().unwrap()];
        let more = [
            "--metrics",
            "127.0.0.1:0",
            "--snapshots",
            "1",
            "--checkpoint-every",
            "50ms",
        ];
        let mut server = Server::with(&ledger.dir(), options.iter().chain(&more), "off");
        let url = metrics_of(&mut server);
        Self {
            ledger,
            server,
            url,
            witness,
        }
    }

    /// One more event.
    pub(crate) fn grow(&self, document: &str) {
        let json = format!(
            r#"{{"appropriation": {{"document": "{document}", "fund": "county",
                "office": "510502", "programme": "other-subsidy", "year": 2024,
                "amount_fen": 1}}, "office": "510502"}}"#
        );
        let target = self.server.target();
        target.run_with_input(["submit", "-"], &json).ended(0);
    }

    /// Its numbers, when all that is there is signed, cosigned and in a snapshot.
    pub(crate) fn settled(&self) -> Scrape {
        until(|| {
            let now = Scrape::of(&self.url);
            let position = now.of_key("luzhang_position");
            let all = now.of_key("luzhang_checkpoint_size") == position
                && now.find("luzhang_snapshot_position") == Some(position)
                && now.of_key("luzhang_witness_size{witness=\"audit.example/w\"}") == position;
            all.then_some(now)
        })
    }
}

/// Where a server that was told to give numbers out says that they are.
pub(crate) fn metrics_of(server: &mut Server) -> String {
    let said = until(|| Some(server.said()).filter(|said| said.contains("/metrics\n")));
    let url = said.lines().find_map(|line| line.strip_prefix("metrics "));
    url.unwrap().strip_suffix("/metrics").unwrap().to_owned()
}

#[test]
fn the_program_shows_its_disk_its_snapshots_its_checkpoints_and_its_witnesses() {
    let mut all = Witnessed::new();
    all.grow("件1");
    let now = all.settled();
    assert_eq!(now.of_key("luzhang_witnesses"), 1);
    for time in [
        "luzhang_checkpoint_timestamp_seconds",
        "luzhang_snapshot_timestamp_seconds",
        "luzhang_recorded_timestamp_seconds",
        "luzhang_witness_timestamp_seconds{witness=\"audit.example/w\"}",
        "process_start_time_seconds",
    ] {
        let time = now.of_key(time);
        assert!(time.abs_diff(seconds()) < 300, "{time}");
    }
    assert!(now.of_key("luzhang_disk_free_bytes") <= now.of_key("luzhang_disk_size_bytes"));
    assert!(now.of_key("luzhang_disk_free_bytes") > 0);
    let parts = now.by_label("luzhang_store_bytes");
    for (part, name) in [("log", "db"), ("tree", "tree"), ("keys", "keys")] {
        assert!(parts[part] > 0, "{parts:?}");
        assert!(all.ledger.dir().join(name).is_dir());
    }
    let snapshots = fs::read_dir(all.ledger.dir().join("snapshots")).unwrap();
    let lengths = snapshots.map(|file| file.unwrap().metadata().unwrap().len());
    assert_eq!(parts["snapshots"], lengths.sum::<u64>());
    assert!(now.of_key("process_open_fds") > 5);
    assert!(now.of_key("process_open_fds") < now.of_key("process_max_fds"));
    assert!(now.of_key("process_resident_memory_bytes") > 1 << 20);

    // A witness that does not answer.
    all.witness.kill().unwrap();
    all.grow("件2");
    until(|| {
        let now = Scrape::of(&all.url);
        let failed = now.of_key("luzhang_witness_failures_total{witness=\"audit.example/w\"}");
        let trouble = now.of_key("luzhang_checkpoint_trouble{code=\"QUORUM_NOT_MET\"}");
        let behind = now.of_key("luzhang_checkpoint_size") < now.of_key("luzhang_position");
        (failed > 0 && trouble == 1 && behind).then_some(())
    });
}

/// Looks until there is something.
#[track_caller]
pub(crate) fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never was so");
}
