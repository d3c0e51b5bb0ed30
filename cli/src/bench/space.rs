//! What an event takes on a disk: beside its own bytes, what compression buys
//! and costs, and what sled makes of the blocks that it is given.

use std::{
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use luzhang_ledger::{
    Position,
    block::{self, BlockView},
    log::{Log as _, sled::SledLog},
};
use serde_json::{Value, json};

use super::{
    Plan,
    large::Mark,
    row::{Better, Row, Runs, Thousandths, Yardstick, fields, grouped, nanos_each},
    site::bytes_on_disk,
    tell,
};

/// An event has a few hundred bytes; so that nothing is lost to rounding.
const UNIT: &str = "bytes/1,000 events";

/// The bytes of a whole log.
#[derive(Debug, Default)]
struct Bytes {
    events: u64,
    /// Of the events alone.
    payload: u64,
    /// Of the blocks.
    blocks: u64,
    /// Of the values that are put into the database.
    stored: u64,
    compressing: Duration,
    decompressing: Duration,
}

impl Bytes {
    fn add(&mut self, block: &[u8]) -> Result<()> {
        let view = BlockView::parse(block)?;
        self.events += u64::from(view.count);
        for frame in view.frames() {
            let frame = frame.ok().context("a frame of the log is cut short")?;
            self.payload += u64::try_from(frame.event.len())?;
        }
        self.blocks += u64::try_from(block.len())?;
        let began = Instant::now();
        let stored = block::to_stored(block);
        self.compressing += began.elapsed();
        self.stored += u64::try_from(stored.len())?;
        let began = Instant::now();
        black_box(block::from_stored(&stored)?);
        self.decompressing += began.elapsed();
        Ok(())
    }

    /// For each thousand events.
    fn each(&self, bytes: u64) -> Runs {
        let each = u128::from(bytes) * 1_000 / u128::from(self.events.max(1));
        // Bytes do not vary from run to run.
        u64::try_from(each).into_iter().collect()
    }
}

/// Reads the log once and says what it takes; the marks learn what was stored
/// when they were made.
pub(super) fn rows(dir: &Path, marks: &mut [Mark], plan: &Plan<'_>) -> Result<Vec<Row>> {
    tell("bytes on disk");
    let disk = bytes_on_disk(dir)?;
    let db = bytes_on_disk(&dir.join("db"))?;
    let log = SledLog::open(dir)?;
    let mut bytes = Bytes::default();
    let mut ahead = marks.iter_mut().peekable();
    for block in log.reader().blocks_from(Position::FIRST) {
        plan.site.interrupt.check()?;
        bytes.add(&block?)?;
        while let Some(mark) = ahead.next_if(|mark| mark.position <= bytes.events) {
            mark.stored_bytes = Some(bytes.stored);
        }
    }
    let mut rows = vec![on_disk(&bytes, dir, disk)?, compressed(&bytes)];
    rows.extend(amplified(&bytes, db, marks));
    Ok(rows)
}

fn on_disk(bytes: &Bytes, dir: &Path, disk: u64) -> Result<Row> {
    let mut extra = fields([
        ("events", json!(bytes.events)),
        ("disk_bytes", json!(disk)),
        ("payload_bytes", json!(bytes.payload)),
    ]);
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        let bytes = if meta.is_dir() {
            bytes_on_disk(&entry.path())?
        } else {
            meta.len()
        };
        // The small files do not matter.
        if bytes > 1 << 20 {
            let name = entry.file_name().to_string_lossy().to_lowercase();
            extra.insert(format!("disk_bytes_{name}"), json!(bytes));
        }
    }
    Ok(Row {
        id: "space-disk",
        work: format!(
            "a ledger of {} events on disk: log, tree, keys and all",
            grouped(bytes.events)
        ),
        unit: UNIT,
        against: "the bytes of the events alone".to_owned(),
        figure: bytes.each(disk),
        yardstick: Yardstick::Measured(bytes.each(bytes.payload)),
        better: Better::Less,
        // Proofs, keys and what sled keeps for itself: as much again.
        reach: Thousandths(500),
        extra,
    })
}

fn compressed(bytes: &Bytes) -> Row {
    let costs = nanos_each(bytes.events, bytes.compressing);
    let reading = nanos_each(bytes.events, bytes.decompressing);
    Row {
        id: "space-compression",
        work: format!(
            "blocks compressed, at {} ns an event, and {} when read",
            grouped(costs),
            grouped(reading)
        ),
        unit: UNIT,
        against: "the same blocks as they are".to_owned(),
        figure: bytes.each(bytes.stored),
        yardstick: Yardstick::Measured(bytes.each(bytes.blocks)),
        better: Better::Less,
        // Pseudonyms, salts and seals do not compress; the rest does well.
        reach: Thousandths(1_500),
        extra: fields([
            ("compress_ns", json!(costs)),
            ("decompress_ns", json!(reading)),
            ("block_bytes", json!(bytes.blocks)),
            ("stored_bytes", json!(bytes.stored)),
        ]),
    }
}

/// Fewer are no measure: sled's file grows by whole segments of 16 MiB.
const FROM_EVENTS: u64 = 1_000_000;

/// The database at the worst of the marks, or at the end if that is worse.
fn amplified(bytes: &Bytes, db: u64, marks: &[Mark]) -> Option<Row> {
    let at_end = (bytes.events, db, bytes.stored);
    let at_marks = marks
        .iter()
        .filter(|mark| mark.position >= FROM_EVENTS)
        .filter_map(|mark| Some((mark.position, mark.db_bytes, mark.stored_bytes?)));
    let times = |(_, db, stored)| Thousandths::of(db, stored);
    let worst = at_marks.chain([at_end]).max_by_key(|at| times(*at))?;
    let (events, db, stored) = worst;
    let at_worst = Bytes {
        events,
        ..Bytes::default()
    };
    Some(Row {
        id: "space-sled",
        work: format!(
            "the database where it was largest for its blocks, at {} events",
            grouped(events)
        ),
        unit: UNIT,
        against: "twice the blocks that were put into it".to_owned(),
        figure: at_worst.each(db),
        yardstick: Yardstick::Measured(at_worst.each(stored * 2)),
        better: Better::Less,
        reach: Thousandths(1_000),
        extra: fields([
            ("db_to_stored", json(times(worst))),
            ("db_to_stored_at_end", json(times(at_end))),
        ]),
    })
}

fn json(ratio: Option<Thousandths>) -> Value {
    ratio.map_or(Value::Null, Thousandths::json)
}
