//! A ledger that grows: batches into it, and everything that reads it whole.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use luzhang_ledger::{
    Position,
    log::{Log as _, sled::SledLog},
};
use luzhang_proto::wire::Command;
use prost::bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    Item, Plan,
    bureau::{self, IMPORT_EVENTS, Import, MESSAGE, Walk},
    chain::{self, Pass},
    load, plain_file,
    row::{Better, Row, Runs, Thousandths, Yardstick, grouped, nanos_each, per_second},
    site::{CpuClock, Service, bytes_on_disk, peak_bytes},
    stream::{Importer, Sent, WINDOW},
    tell,
};

/// Results of which the middle one is the cost of a window.
const WINDOW_PARTS: u64 = 5;

/// A ledger that was served and grew.
#[derive(Debug)]
pub(super) struct Large {
    dir: PathBuf,
    service: Service,
    importer: Importer,
    import: Import,
    /// How long may still be imported.
    import_left: Duration,
    early: Option<Window>,
}

/// The cost of events over a part of the import.
#[derive(Clone, Debug)]
struct Window {
    from: u64,
    through: u64,
    /// Nanoseconds an event.
    costs: Runs,
    resident_bytes: u64,
    disk_bytes: u64,
}

impl Large {
    /// Makes an empty ledger and serves it.
    pub(super) async fn begin(plan: &Plan<'_>) -> Result<Self> {
        let dir = plan.site.dir("large");
        plan.site.init(&dir)?;
        let service = plan.site.serve(&dir)?;
        let mut importer = Importer::connect(&service.url).await?;
        importer
            .send(std::iter::once(bureau::opening()), &plan.site.interrupt)
            .await?;
        Ok(Self {
            dir,
            service,
            importer,
            import: Import::default(),
            import_left: plan.scale.import_time,
            early: None,
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.service.url
    }

    pub(super) fn clock(&self) -> CpuClock {
        self.service.clock()
    }

    /// How many persons are on the poverty list.
    pub(super) fn persons(&self) -> u64 {
        self.import.persons()
    }

    /// How many events it has.
    pub(super) async fn position(&mut self) -> Result<u64> {
        self.importer.position().await
    }

    /// Imports until requests are to be made to it.
    pub(super) async fn import_first(&mut self, plan: &Plan<'_>) -> Result<()> {
        let inside = plan.scale.inside;
        tell(&format!("import of {} events", grouped(inside)));
        // Warm-up: pages, caches and threads that are there for the first time.
        let warm = self.position().await? + plan.scale.window / 4;
        self.import_to(warm, plan).await?;
        if plan.wants(&[Item::Growth]) {
            self.early = Some(self.window(plan).await?);
        }
        self.import_to(inside, plan).await
    }

    /// Streamed batches of claims, beside a plain file.
    pub(super) async fn batches(&mut self, plan: &Plan<'_>) -> Result<Row> {
        tell("streamed batches");
        let mut walk = Walk::new(self.persons(), 2..3).map(bureau::claim);
        let (mut ours, mut plain, mut cpu) = (Runs::default(), Runs::default(), Runs::default());
        let clock = self.clock();
        let mut bytes = 0;
        for run in 0..=plan.scale.runs {
            let from = self.position().await? + 1;
            let messages = messages(&mut walk, plan.scale.batch_messages)?;
            let before = clock.now()?;
            let sent = self
                .importer
                .send(messages.into_iter(), &plan.site.interrupt)
                .await?;
            let used = clock.now()?.saturating_sub(before);
            let blocks = self.importer.blocks(from).await?;
            bytes = blocks.iter().map(Bytes::len).sum::<usize>();
            let same = plain_file::append(&plan.site.dir("plain"), &blocks, MESSAGE)?;
            // The first is the warm-up.
            if run > 0 {
                ours.push(sent.rate());
                plain.push(same.rate());
                cpu.push(nanos_each(sent.commands, used));
            }
        }
        let sync = plain_file::sync_time(&plan.site.dir("plain"))?;
        Ok(Row {
            work: format!(
                "streamed batches of {} claims, {WINDOW} messages under way",
                grouped(MESSAGE)
            ),
            unit: "grants/s",
            against: format!(
                "plain file append of the same blocks, fdatasync every {} events",
                grouped(MESSAGE)
            ),
            figure: ours,
            yardstick: Yardstick::Measured(plain),
            better: Better::More,
            reach: Thousandths(333),
            extra: fields([
                ("server_cpu_ns", json!(cpu.median())),
                ("bytes_a_run", json!(bytes)),
                ("fdatasync_us", json!(load::nanos(sync) / 1_000)),
            ]),
        })
    }

    /// Imports on, and compares the cost of an event with that at the beginning.
    pub(super) async fn growth(&mut self, plan: &Plan<'_>) -> Result<Row> {
        let early = self
            .early
            .clone()
            .context("the beginning was not measured")?;
        let target = plan.scale.total.saturating_sub(plan.scale.window);
        tell(&format!("import of {} events", grouped(plan.scale.total)));
        self.import_to(target, plan).await?;
        let late = self.window(plan).await?;
        let cut = if late.through < plan.scale.total {
            ", where time was up"
        } else {
            ""
        };
        let span =
            |window: &Window| format!("{} to {}", grouped(window.from), grouped(window.through));
        Ok(Row {
            work: format!(
                "cost growth: an event of an import, events {}{cut}",
                span(&late)
            ),
            unit: "ns/event",
            against: format!("the same import, events {}", span(&early)),
            figure: late.costs,
            yardstick: Yardstick::Measured(early.costs),
            better: Better::Less,
            reach: Thousandths(870),
            extra: fields([
                ("resident_bytes", json!(late.resident_bytes)),
                ("yardstick_resident_bytes", json!(early.resident_bytes)),
                ("disk_bytes", json!(late.disk_bytes)),
                ("yardstick_disk_bytes", json!(early.disk_bytes)),
            ]),
        })
    }

    /// Ends the server, and measures what reads the whole log.
    pub(super) fn end(self, plan: &Plan<'_>) -> Result<Vec<(Item, Row)>> {
        drop(self.importer);
        self.service.stop()?;
        let mut rows = Vec::new();
        if plan.wants(&[Item::Restart]) {
            rows.push((Item::Restart, restart(&self.dir, plan)?));
        }
        if plan.wants(&[Item::Verify, Item::Rebuild, Item::Redecide]) {
            rows.extend(passes(&self.dir, plan)?);
        }
        if plan.wants(&[Item::Report]) {
            rows.push((Item::Report, report(&self.dir, plan)?));
        }
        Ok(rows)
    }

    /// Imports until there are so many events, or time is up.
    async fn import_to(&mut self, events: u64, plan: &Plan<'_>) -> Result<()> {
        let missing = events.saturating_sub(self.position().await?);
        let began = Instant::now();
        let left = self.import_left;
        let import = &mut self.import;
        let messages = (0..missing.div_ceil(IMPORT_EVENTS))
            .take_while(|_| began.elapsed() < left)
            .map(|_| import.message());
        self.importer.send(messages, &plan.site.interrupt).await?;
        self.import_left = left.saturating_sub(began.elapsed());
        Ok(())
    }

    /// Imports one window, and sees what its events cost. Messages are prepared
    /// before the clock runs, so that only the server's work is in it.
    async fn window(&mut self, plan: &Plan<'_>) -> Result<Window> {
        let from = self.position().await?;
        let count = plan.scale.window / WINDOW_PARTS / IMPORT_EVENTS;
        let mut costs = Runs::default();
        for _ in 0..WINDOW_PARTS {
            let messages: Vec<_> = (0..count).map(|_| self.import.message()).collect();
            let sent = self
                .importer
                .send(messages.into_iter(), &plan.site.interrupt)
                .await?;
            costs.push(nanos_each(count * IMPORT_EVENTS, sent.time));
        }
        Ok(Window {
            from,
            through: self.position().await?,
            costs,
            resident_bytes: self.service.resident_bytes()?,
            disk_bytes: bytes_on_disk(&self.dir)?,
        })
    }
}

/// So many messages, prepared.
fn messages(source: &mut impl Iterator<Item = Command>, count: u64) -> Result<Vec<Vec<Command>>> {
    let size = usize::try_from(MESSAGE)?;
    let messages: Vec<Vec<Command>> = (0..count)
        .map(|_| source.by_ref().take(size).collect())
        .collect();
    let full = messages.iter().all(|message| message.len() == size);
    full.then_some(messages)
        .context("the bureau has no more claims to make")
}

/// From the start of the process until it listens.
fn restart(dir: &Path, plan: &Plan<'_>) -> Result<Row> {
    /// For ten million events: what "in seconds" means here.
    const ALLOWED: Duration = Duration::from_secs(5);
    const ALLOWED_EVENTS: u64 = 10_000_000;
    tell("restart");
    let mut times = Runs::default();
    for _ in 0..plan.scale.runs {
        plan.site.interrupt.check()?;
        let service = plan.site.serve(dir)?;
        times.push(load::nanos(service.ready_after) / 1_000_000);
        service.stop()?;
    }
    let head = SledLog::open(dir)?.head();
    let events = head.position.map_or(0, Position::number);
    let allowed = load::nanos(ALLOWED) / 1_000_000 * events / ALLOWED_EVENTS;
    Ok(Row {
        work: format!(
            "restart until ready with {} events; there are no snapshots yet, so all are read",
            grouped(events)
        ),
        unit: "ms",
        against: "5 seconds for 10 million events, as from a snapshot, in proportion".to_owned(),
        figure: times,
        yardstick: Yardstick::Measured(Runs::from_iter([allowed])),
        better: Better::Less,
        reach: Thousandths(1_000),
        extra: fields([("events", json!(events))]),
    })
}

/// Verification, rebuilding and deciding anew, beside plain hashing.
fn passes(dir: &Path, plan: &Plan<'_>) -> Result<Vec<(Item, Row)>> {
    tell("verify and rebuild");
    let file = plan.site.dir("export");
    let log = SledLog::open(dir)?;
    chain::export(&log, &file)?;
    let reader = log.reader();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (mut verified, mut alone, mut rebuilt, mut hashed) = (vec![], vec![], vec![], vec![]);
    let mut redecided = vec![];
    for run in 0..=plan.scale.runs {
        plan.site.interrupt.check()?;
        let mut round: Vec<(&mut Vec<Pass>, Pass)> = Vec::new();
        round.push((&mut hashed, chain::hash(&file, &plan.site.interrupt)?));
        if plan.wants(&[Item::Verify]) {
            round.push((&mut verified, chain::verify(&file, cores)?));
            round.push((&mut alone, chain::verify(&file, 1)?));
        }
        if plan.wants(&[Item::Rebuild, Item::Redecide]) {
            let pass = chain::rebuild(&*reader, &plan.site.interrupt)?;
            round.push((&mut rebuilt, pass));
        }
        if plan.wants(&[Item::Redecide]) {
            let pass = chain::redecide(&*reader, &plan.site.interrupt)?;
            round.push((&mut redecided, pass));
        }
        // The first is the warm-up.
        if run > 0 {
            for (passes, pass) in round {
                passes.push(pass);
            }
        }
    }
    let mut rows = Vec::new();
    if plan.wants(&[Item::Verify]) {
        let mut row = pass_row("verify an export", &verified, &hashed, cores);
        let speed_up = rates(&verified).median().zip(rates(&alone).median());
        let speed_up = speed_up.and_then(|(all, one)| Thousandths::of(all, one));
        row.extra.insert(
            "speed_up".to_owned(),
            speed_up.map_or(Value::Null, Thousandths::json),
        );
        rows.push((Item::Verify, row));
    }
    if plan.wants(&[Item::Rebuild]) {
        let row = pass_row("rebuild all projections", &rebuilt, &hashed, cores);
        rows.push((Item::Rebuild, row));
    }
    if plan.wants(&[Item::Redecide]) {
        rows.push((Item::Redecide, redecide_row(&redecided, &rebuilt)));
    }
    Ok(rows)
}

/// The register of a whole ledger as a workbook: what the process holds at most.
fn report(dir: &Path, plan: &Plan<'_>) -> Result<Row> {
    /// For a register of up to a million grants; more may hold more.
    const ALLOWED: u64 = 200 << 20;
    const ALLOWED_GRANTS: u64 = 1_000_000;
    /// How often the process is looked at.
    const LOOK: Duration = Duration::from_millis(10);
    tell("register of all grants");
    let out = plan.site.dir("register.xlsx");
    let mut command = plan.site.program();
    command
        .args([
            "report",
            "register",
            "-o",
            "json",
            "--lang",
            "zh",
            "--data-dir",
        ])
        .arg(dir)
        .arg("--out")
        .arg(&out);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        plan.site.interrupt.check()?;
        // Between its end and our look there is nothing to see.
        peak = peak_bytes(&status).unwrap_or(peak);
        thread::sleep(LOOK);
    }
    let took = began.elapsed();
    let said = child.wait_with_output()?;
    anyhow::ensure!(said.status.success(), "the report could not be made");
    let said: Value = serde_json::from_slice(&said.stdout)?;
    let rows = said["rows"].as_str().and_then(|rows| rows.parse().ok());
    let grants: u64 = rows.context("the report does not say its rows")?;
    let file_bytes = fs::metadata(&out)?.len();
    fs::remove_file(&out)?;
    Ok(Row {
        work: format!("register of {} grants as a workbook", grouped(grants)),
        unit: "bytes at most",
        against: "200 MiB up to a million grants, in proportion beyond".to_owned(),
        figure: Runs::from_iter([peak]),
        yardstick: Yardstick::Measured(Runs::from_iter([
            ALLOWED * grants.max(ALLOWED_GRANTS) / ALLOWED_GRANTS
        ])),
        better: Better::Less,
        reach: Thousandths(1_000),
        extra: fields([
            ("grants", json!(grants)),
            ("seconds", json!(took.as_secs())),
            ("grants_per_second", json!(per_second(grants, took))),
            ("file_bytes", json!(file_bytes)),
        ]),
    })
}

fn rates(passes: &[Pass]) -> Runs {
    passes
        .iter()
        .map(|pass| per_second(pass.events, pass.time))
        .collect()
}

fn redecide_row(redecided: &[Pass], rebuilt: &[Pass]) -> Row {
    let events = redecided.first().map_or(0, |pass| pass.events);
    Row {
        work: format!("recompute every decision of {} events", grouped(events)),
        unit: "events/s",
        against: "rebuilding all projections from the same events".to_owned(),
        figure: rates(redecided),
        yardstick: Yardstick::Measured(rates(rebuilt)),
        better: Better::More,
        reach: Thousandths(500),
        extra: fields([("events", json!(events))]),
    }
}

/// Speed by core: whoever leaves a core idle does not get it counted.
fn pass_row(work: &str, passes: &[Pass], hashed: &[Pass], cores: usize) -> Row {
    let events = passes.first().map_or(0, |pass| pass.events);
    let all = rates(passes);
    let busy: Runs = passes
        .iter()
        .filter_map(|pass| Thousandths::of(load::nanos(pass.cpu), load::nanos(pass.time)))
        .map(|busy| busy.0)
        .collect();
    let busy = busy
        .median()
        .map_or(Value::Null, |busy| Thousandths(busy).json());
    Row {
        work: format!(
            "{work} of {} events, by each of {cores} cores",
            grouped(events)
        ),
        unit: "events/s a core",
        against: "one BLAKE3 pass over the same events, one at a time, one core".to_owned(),
        figure: all.divided_by(u64::try_from(cores).unwrap_or(1)),
        yardstick: Yardstick::Measured(rates(hashed)),
        better: Better::More,
        reach: Thousandths(500),
        extra: fields([
            ("events_per_second", json!(all.median())),
            ("cores", json!(cores)),
            ("cores_busy", busy),
        ]),
    }
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

impl Sent {
    fn rate(&self) -> u64 {
        per_second(self.commands, self.time)
    }
}
