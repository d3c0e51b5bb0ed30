//! What reads a whole ledger: verification, rebuilding, deciding anew, a report.

use std::{
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use luzhang_ledger::log::{Log as _, sled::SledLog};
use serde_json::{Value, json};

use super::{
    Item, Plan,
    chain::{self, Pass},
    load,
    row::{Better, Row, Runs, Thousandths, Yardstick, fields, grouped, per_second},
    site::peak_bytes,
    tell,
};

/// Verification, rebuilding and deciding anew, beside plain hashing.
pub(super) fn passes(dir: &Path, plan: &Plan<'_>) -> Result<Vec<(Item, Row)>> {
    tell("verify and rebuild");
    let file = plan.site.dir("export");
    let log = SledLog::open(dir)?;
    let through = plan.scale.passes;
    chain::export(&log, &file, through)?;
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
            let pass = chain::rebuild(&*reader, through, &plan.site.interrupt)?;
            round.push((&mut rebuilt, pass));
        }
        if plan.wants(&[Item::Redecide]) {
            let pass = chain::redecide(&*reader, through, &plan.site.interrupt)?;
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
        let mut row = pass_row("verify", "verify an export", &verified, &hashed, cores);
        let speed_up = rates(&verified).median().zip(rates(&alone).median());
        let speed_up = speed_up.and_then(|(all, one)| Thousandths::of(all, one));
        row.extra.insert(
            "speed_up".to_owned(),
            speed_up.map_or(Value::Null, Thousandths::json),
        );
        rows.push((Item::Verify, row));
    }
    if plan.wants(&[Item::Rebuild]) {
        let row = pass_row(
            "rebuild",
            "rebuild all projections",
            &rebuilt,
            &hashed,
            cores,
        );
        rows.push((Item::Rebuild, row));
    }
    if plan.wants(&[Item::Redecide]) {
        rows.push((Item::Redecide, redecide_row(&redecided, &rebuilt)));
    }
    Ok(rows)
}

/// The register of a whole ledger as a workbook: what the process holds at most.
pub(super) fn report(dir: &Path, plan: &Plan<'_>) -> Result<Row> {
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
        id: "report",
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
        id: "redecide",
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
fn pass_row(id: &'static str, work: &str, passes: &[Pass], hashed: &[Pass], cores: usize) -> Row {
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
        id,
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
