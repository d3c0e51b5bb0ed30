//! A ledger that grows: an import, a tenth at a time, and batches of claims.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use luzhang_proto::wire::Command;
use prost::bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Item, Plan,
    bureau::{self, IMPORT_EVENTS, Import, MESSAGE, Walk},
    load,
    plain_file::{self, Place},
    restart,
    row::{Better, Row, Runs, Thousandths, Yardstick, fields, grouped, nanos_each, per_second},
    site::{CpuClock, Service, bytes_on_disk},
    space,
    stream::{Importer, Sent, WINDOW},
    tell, whole,
};

/// Parts of the import after which it is looked at. The growth of the first and
/// of the last is compared.
const TENTHS: usize = 10;
/// Results of which the middle one is the cost of an event in a tenth.
const PARTS: u64 = 5;

/// A ledger that was served and grew.
#[derive(Debug)]
pub(super) struct Large {
    dir: PathBuf,
    service: Service,
    importer: Importer,
    import: Import,
    /// How long may still be imported.
    import_left: Duration,
    marks: Vec<Mark>,
}

/// How a tenth of the import went, and what there was at its end.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// Events that were imported so far, the warm-up not among them.
    pub(super) imported: u64,
    /// Events that there are, whatever they came by.
    pub(super) position: u64,
    /// Nanoseconds an event, part by part, while messages were under way.
    costs: Runs,
    /// Nanoseconds an event of the server's CPU time, whatever it did.
    server_cpu: u64,
    resident_bytes: u64,
    pub(super) disk_bytes: u64,
    pub(super) db_bytes: u64,
    /// Bytes of the blocks as they were put into the database, which is known
    /// when the log was read.
    pub(super) stored_bytes: Option<u64>,
}

impl Mark {
    fn rate(&self) -> Option<u64> {
        1_000_000_000_u64.checked_div(self.costs.median()?)
    }

    /// Bytes of the database for each thousand that were put in.
    pub(super) fn amplification(&self) -> Option<Thousandths> {
        Thousandths::of(self.db_bytes, self.stored_bytes?)
    }

    fn json(&self) -> Value {
        let amplification = self.amplification();
        json!({
            "imported": self.imported,
            "events": self.position,
            "ns_per_event": self.costs.median(),
            "ns_per_event_runs": self.costs.all(),
            "events_per_second": self.rate(),
            "server_cpu_ns": self.server_cpu,
            "resident_bytes": self.resident_bytes,
            "disk_bytes": self.disk_bytes,
            "db_bytes": self.db_bytes,
            "stored_bytes": self.stored_bytes,
            "db_to_stored": amplification.map_or(Value::Null, Thousandths::json),
        })
    }
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
            marks: Vec::new(),
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
        let warm = plan.scale.tenth / 4 / IMPORT_EVENTS;
        self.send(warm, plan).await?;
        while self.position().await? < inside && self.import_tenth(plan).await? {}
        Ok(())
    }

    /// Imports the rest.
    pub(super) async fn import_rest(&mut self, plan: &Plan<'_>) -> Result<()> {
        let whole = plan.scale.tenth * 10;
        tell(&format!("import of {} events", grouped(whole)));
        while self.marks.len() < TENTHS && self.import_tenth(plan).await? {}
        Ok(())
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
        let sync = plain_file::sync_times(&plan.site.dir("plain"), &[0; 512], Place::End, 100)?;
        let sync = load::at_share(&sync, 500).unwrap_or(0);
        Ok(Row {
            id: "batch",
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
                ("fdatasync_us", json!(sync / 1_000)),
            ]),
        })
    }

    /// Ends the server, and measures what reads the whole log.
    pub(super) async fn end(mut self, plan: &Plan<'_>) -> Result<Vec<(Item, Row)>> {
        let mut after_kill = Runs::default();
        if plan.wants(&[Item::Restart]) {
            tell("restart after kill -9");
            for _ in 0..restart::RUNS {
                after_kill.push(restart::millis(self.kill(plan).await?));
            }
        }
        drop(self.importer);
        self.service.stop()?;
        let (dir, marks) = (&self.dir, &mut self.marks);
        let mut rows = Vec::new();
        if plan.wants(&[Item::Space, Item::Growth]) {
            let space = space::rows(dir, marks, plan)?;
            if plan.wants(&[Item::Space]) {
                rows.extend(space.into_iter().map(|row| (Item::Space, row)));
            }
        }
        if plan.wants(&[Item::Growth]) {
            rows.push((Item::Growth, growth(marks)));
        }
        if plan.wants(&[Item::Restart]) {
            let restart = restart::rows(dir, after_kill, plan)?;
            rows.extend(restart.into_iter().map(|row| (Item::Restart, row)));
        }
        if plan.wants(&[Item::Verify, Item::Rebuild, Item::Redecide]) {
            rows.extend(whole::passes(dir, plan)?);
        }
        if plan.wants(&[Item::Report]) {
            rows.push((Item::Report, whole::report(dir, plan)?));
        }
        Ok(rows)
    }

    /// Kills the server amid an import, and answers how long another takes to be
    /// ready.
    async fn kill(&mut self, plan: &Plan<'_>) -> Result<Duration> {
        const MESSAGES: u64 = 20;
        self.send(MESSAGES, plan).await?;
        self.service.kill()?;
        self.service = plan.site.serve(&self.dir)?;
        self.importer = Importer::connect(&self.service.url).await?;
        Ok(self.service.ready_after)
    }

    /// Imports a tenth, and sees what its events cost. Answers whether there was
    /// time for it.
    async fn import_tenth(&mut self, plan: &Plan<'_>) -> Result<bool> {
        let messages = (plan.scale.tenth / PARTS).div_ceil(IMPORT_EVENTS);
        let clock = self.clock();
        let before = clock.now()?;
        let mut costs = Runs::default();
        for _ in 0..PARTS {
            if self.import_left.is_zero() {
                return Ok(false);
            }
            let sent = self.send(messages, plan).await?;
            costs.push(nanos_each(messages * IMPORT_EVENTS, sent.time));
        }
        let events = messages * IMPORT_EVENTS * PARTS;
        let used = clock.now()?.saturating_sub(before);
        let imported = self.marks.last().map_or(0, |mark| mark.imported) + events;
        let mark = Mark {
            imported,
            position: self.position().await?,
            costs,
            server_cpu: nanos_each(events, used),
            resident_bytes: self.service.resident_bytes()?,
            disk_bytes: bytes_on_disk(&self.dir)?,
            db_bytes: bytes_on_disk(&self.dir.join("db"))?,
            stored_bytes: None,
        };
        self.marks.push(mark);
        Ok(true)
    }

    /// Sends so many messages of the import. They are prepared before the clock
    /// runs, so that only the server's work is in it.
    async fn send(&mut self, messages: u64, plan: &Plan<'_>) -> Result<Sent> {
        let began = Instant::now();
        let messages: Vec<_> = (0..messages).map(|_| self.import.message()).collect();
        let interrupt = &plan.site.interrupt;
        let sent = self.importer.send(messages.into_iter(), interrupt).await?;
        self.import_left = self.import_left.saturating_sub(began.elapsed());
        Ok(sent)
    }
}

/// The cost of an event at the end of the import and at its beginning.
fn growth(marks: &[Mark]) -> Row {
    let tenth = marks.first().map_or(0, |mark| mark.imported);
    let imported = marks.last().map_or(0, |mark| mark.imported);
    let cut = if marks.len() < TENTHS {
        ", where time was up"
    } else {
        ""
    };
    let (figure, yardstick) = if let [first, .., last] = marks {
        let first = first.costs.clone();
        (last.costs.clone(), Yardstick::Measured(first))
    } else {
        let why = "time was up before there were two tenths; is the disk slow?";
        (Runs::default(), Yardstick::Missing(why.to_owned()))
    };
    Row {
        id: "growth",
        work: format!(
            "import of {} events, growth of cost: an event of the last {}{cut}",
            grouped(imported),
            grouped(tenth)
        ),
        unit: "ns/event",
        against: format!("an event of the first {}", grouped(tenth)),
        figure,
        yardstick,
        better: Better::Less,
        reach: Thousandths(870),
        extra: fields([("marks", marks.iter().map(Mark::json).collect::<Value>())]),
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

impl Sent {
    fn rate(&self) -> u64 {
        per_second(self.commands, self.time)
    }
}
