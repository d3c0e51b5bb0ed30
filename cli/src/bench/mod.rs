//! `luzhang bench`: figures of this machine, each beside a yardstick that was
//! measured in the same run.
//!
//! Server and load are processes of their own, as they would be; whatever is
//! compared takes turns, after a warm-up, and medians are compared. A row that
//! falls short says so.

mod bureau;
mod chain;
mod echo;
mod history;
mod large;
mod load;
mod machine;
mod memory;
mod plain_file;
mod postgres;
mod proof;
mod restart;
mod row;
mod scale;
mod site;
mod space;
mod stream;
mod tables;
mod unary;
mod whole;

use std::{path::PathBuf, time::Instant};

use anyhow::Result;
use clap::{Args, ValueEnum};
use jiff::{Timestamp, Unit};
use serde_json::{Map, Value, json};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

use self::{
    history::Commit,
    machine::Machine,
    row::Row,
    scale::{FULL, QUICK, Scale},
    site::{Interrupt, Site},
};
use crate::output::{self, Format};

/// What `luzhang bench` takes.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Fewer events and shorter runs: under a minute
    #[arg(long)]
    quick: bool,
    /// Only these rows; may be given several times
    #[arg(long, value_enum, value_name = "ROW")]
    only: Vec<Item>,
    /// Measure another program too, if it is installed
    #[arg(long, value_enum, value_name = "PEER")]
    compare: Vec<Peer>,
    /// Add the figures to this directory's bench.ndjson, and write its BENCH.md
    #[arg(long, value_name = "DIR", conflicts_with = "only")]
    record: Option<PathBuf>,
    /// The directory to make the scratch directory in; its disk is measured
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// For the processes that the measurement starts
    #[arg(long, value_enum, hide = true)]
    role: Option<Role>,
    /// For the role `memory`
    #[arg(long, hide = true, default_value_t = 0)]
    subjects: u64,
}

/// The rows, in the order in which they are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Item {
    /// Single requests against a bare echo
    Echo,
    /// How long all but one in a hundred of them take
    Tail,
    /// One caller at a time
    Single,
    /// Single requests against PostgreSQL
    Postgres,
    /// Single requests with the log in PostgreSQL against sled
    Database,
    /// Single requests with many events inside against a new ledger
    Inside,
    /// Streamed batches against a plain file
    Batch,
    /// Verification against hashing
    Verify,
    /// Rebuilding against hashing
    Rebuild,
    /// Deciding anew against rebuilding
    Redecide,
    /// Memory of a long report
    Report,
    /// Memory of the limit state
    Memory,
    /// Cost of a decision in a large limit state
    Decide,
    /// Time until a large ledger is ready again
    Restart,
    /// Cost of an event early and late
    Growth,
    /// Bytes on disk
    Space,
    /// Issuing with the tree kept against issuing without it
    Tree,
    /// Receipts in large trees
    Receipt,
}

/// Programs that the ledger is compared with on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Peer {
    /// An instance of its own, with the same rules in a function
    Postgres,
}

/// What a process that the measurement starts is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// Answers and does nothing else
    EchoServer,
    /// Holds a limit state
    Memory,
}

/// Runs the measurement, or one of its parts in a process of its own.
pub(crate) fn run(args: &BenchArgs, format: Format) -> Result<()> {
    let runtime = Runtime::new()?;
    match args.role {
        Some(Role::EchoServer) => return runtime.block_on(echo::serve()),
        Some(Role::Memory) => return memory::measure(args.subjects),
        None => {}
    }
    let commit = Commit::of_program();
    if let Some(dir) = &args.record {
        history::check(dir, &commit)?;
    }
    let interrupt = Interrupt::default();
    runtime.block_on(async {
        // Ended by a signal the run cleans up after itself like any other.
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let mut signals = signal(kind)?;
            let interrupt = interrupt.clone();
            tokio::spawn(async move {
                signals.recv().await;
                interrupt.set();
            });
        }
        let site = Site::new(args.scratch.as_deref(), interrupt)?;
        let machine = Machine::of(site.path());
        eprintln!("machine: {machine}");
        eprintln!("seed: {}, scratch: {}", seed(), site.path().display());
        let measured_at = Timestamp::now().round(Unit::Second)?;
        let began = Instant::now();
        let rows = measure(&site, args).await?;
        let document = Value::Object(row::document(
            &rows,
            row::fields([
                ("measured_at", json!(measured_at.to_string())),
                ("seconds", json!(began.elapsed().as_secs())),
                ("scale", json!(if args.quick { "quick" } else { "full" })),
                ("version", json!(env!("CARGO_PKG_VERSION"))),
                ("commit", commit.map_or(Value::Null, |commit| commit.json())),
                ("seed", json!(seed())),
                ("machine", machine.json()),
            ]),
        ));
        if let Some(dir) = &args.record {
            history::record(dir, &document)?;
        }
        print(&document, format)
    })
}

fn seed() -> String {
    format!("{:#018x}", bureau::SEED)
}

fn print(document: &Value, format: Format) -> Result<()> {
    match format {
        Format::Json => output::line(&document.to_string())?,
        Format::Ndjson => {
            for row in tables::list(document, "rows") {
                output::line(&row.to_string())?;
            }
        }
        Format::Csv => tables::rows(document).print(format, Map::new())?,
        Format::Table => {
            output::line(&tables::page(&tables::summary(document)))?;
            for more in [tables::requests(document), tables::import(document)] {
                if !more.rows.is_empty() {
                    output::line(&tables::page(&more))?;
                }
            }
        }
    }
    Ok(())
}

/// Which rows are asked for, at which scale.
#[derive(Debug)]
struct Plan<'a> {
    site: &'a Site,
    scale: Scale,
    only: &'a [Item],
    compare: &'a [Peer],
}

impl Plan<'_> {
    fn wants(&self, items: &[Item]) -> bool {
        self.only.is_empty() || items.iter().any(|item| self.only.contains(item))
    }
}

async fn measure(site: &Site, args: &BenchArgs) -> Result<Vec<Row>> {
    let plan = Plan {
        site,
        scale: if args.quick { QUICK } else { FULL },
        only: &args.only,
        compare: &args.compare,
    };
    let mut rows: Vec<(Item, Row)> = Vec::new();
    if plan.wants(&[Item::Memory, Item::Decide]) {
        rows.extend(memory::rows(&plan)?);
    }
    rows.extend(proof::rows(&plan).await?);
    let on_large = [
        Item::Inside,
        Item::Batch,
        Item::Verify,
        Item::Rebuild,
        Item::Redecide,
        Item::Report,
        Item::Restart,
        Item::Growth,
        Item::Space,
    ];
    let mut large = None;
    if plan.wants(&on_large) {
        let mut ledger = large::Large::begin(&plan).await?;
        ledger.import_first(&plan).await?;
        if plan.wants(&[Item::Batch]) {
            rows.push((Item::Batch, ledger.batches(&plan).await?));
        }
        large = Some(ledger);
    }
    let of_requests = [
        Item::Echo,
        Item::Tail,
        Item::Single,
        Item::Postgres,
        Item::Database,
        Item::Inside,
        Item::Tree,
    ];
    if plan.wants(&of_requests) {
        rows.extend(unary::rows(&plan, large.as_mut()).await?);
    }
    if let Some(mut ledger) = large {
        if plan.wants(&[Item::Growth, Item::Space]) {
            ledger.import_rest(&plan).await?;
        }
        rows.extend(ledger.end(&plan).await?);
    }
    rows.sort_by_key(|(item, _)| *item);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Says what is going on, on stderr.
fn tell(what: &str) {
    eprintln!("  {what}");
}
