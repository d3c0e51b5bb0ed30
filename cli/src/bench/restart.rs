//! How long a ledger takes until it is ready again: after an orderly end, after
//! none, and from nothing but its log.

use std::{path::Path, time::Duration};

use anyhow::Result;
use luzhang_ledger::{
    Position,
    log::{Log as _, sled::SledLog},
};
use serde_json::json;

use super::{
    Plan, load,
    row::{Better, Row, Runs, Thousandths, Yardstick, fields, grouped},
    tell,
};

/// Starts of which the middle one counts.
pub(super) const RUNS: usize = 3;

/// For ten million events: what "in seconds" means here.
const ALLOWED: Duration = Duration::from_secs(5);
const ALLOWED_EVENTS: u64 = 10_000_000;

/// The rows, with what it took `after_kill`. Nobody serves the ledger.
pub(super) fn rows(dir: &Path, after_kill: Runs, plan: &Plan<'_>) -> Result<Vec<Row>> {
    tell("restart");
    let orderly = starts(dir, RUNS, &[], plan)?;
    // This removes them, so it is the last.
    let from_log = starts(dir, 1, &["--snapshots", "off"], plan)?;
    let head = SledLog::open(dir)?.head();
    let events = head.position.map_or(0, Position::number);
    let row = |id, after: &str, figure| Row {
        id,
        work: format!(
            "ready again after {after}, from a snapshot and what came after it, {} events",
            grouped(events)
        ),
        unit: "ms",
        against: "5 seconds for 10 million events, in proportion".to_owned(),
        figure,
        yardstick: Yardstick::Measured(Runs::from_iter(
            [millis(ALLOWED) * events / ALLOWED_EVENTS],
        )),
        better: Better::Less,
        reach: Thousandths(1_000),
        extra: fields([
            ("events", json!(events)),
            ("from_log_alone_ms", json!(from_log.median())),
        ]),
    };
    Ok(vec![
        row("restart", "an orderly end", orderly),
        row("restart-killed", "kill -9 amid an import", after_kill),
    ])
}

pub(super) fn millis(time: Duration) -> u64 {
    load::nanos(time) / 1_000_000
}

/// From the start of the process until it listens.
fn starts(dir: &Path, runs: usize, arguments: &[&str], plan: &Plan<'_>) -> Result<Runs> {
    let mut times = Runs::default();
    for _ in 0..runs {
        plan.site.interrupt.check()?;
        let service = plan.site.serve_with(dir, arguments)?;
        times.push(millis(service.ready_after));
        service.stop()?;
    }
    Ok(times)
}
