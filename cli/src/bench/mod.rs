//! `luzhang bench`: figures of this machine, each beside a yardstick that was
//! measured in the same run.
//!
//! Server and load are processes of their own, as they would be; whatever is
//! compared takes turns, after a warm-up, and medians are compared. A row that
//! falls short says so.

mod bureau;
mod chain;
mod echo;
mod large;
mod load;
mod machine;
mod memory;
mod plain_file;
mod postgres;
mod proof;
mod row;
mod scale;
mod site;
mod stream;
mod unary;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde_json::{Map, json};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

use self::{
    row::{Better, Row, Runs, Thousandths, Yardstick},
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
    /// Single requests against PostgreSQL
    Postgres,
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
    /// Time until a large ledger is ready again
    Restart,
    /// Cost of an event early and late
    Growth,
    /// Issuing with the tree kept against issuing without it
    Tree,
    /// Receipts in large trees
    Receipt,
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
        Some(Role::Memory) => return memory::fold(args.subjects),
        None => {}
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
        eprintln!("{}", machine::describe(site.path()));
        let rows = measure(&site, args).await?;
        match format {
            Format::Json => output::line(&row::document(&rows).to_string())?,
            Format::Ndjson => {
                for row in &rows {
                    output::line(&row.json().to_string())?;
                }
            }
            Format::Table | Format::Csv => row::sheet(&rows).print(format, Map::new())?,
        }
        Ok(())
    })
}

/// Which rows are asked for, at which scale.
#[derive(Debug)]
struct Plan<'a> {
    site: &'a Site,
    scale: Scale,
    only: &'a [Item],
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
    };
    let mut rows: Vec<(Item, Row)> = Vec::new();
    if plan.wants(&[Item::Memory]) {
        rows.push((Item::Memory, limit_state(&plan)?));
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
    if plan.wants(&[Item::Echo, Item::Postgres, Item::Inside, Item::Tree]) {
        rows.extend(unary::rows(&plan, large.as_mut()).await?);
    }
    if let Some(mut ledger) = large {
        if plan.wants(&[Item::Growth]) {
            rows.push((Item::Growth, ledger.growth(&plan).await?));
        }
        rows.extend(ledger.end(&plan)?);
    }
    rows.sort_by_key(|(item, _)| *item);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Says what is going on, on stderr.
fn tell(what: &str) {
    eprintln!("  {what}");
}

/// The memory of the limit state, in a process of its own.
fn limit_state(plan: &Plan<'_>) -> Result<Row> {
    const ALLOWED: u64 = 2 << 30;
    let subjects = plan.scale.subjects;
    tell(&format!(
        "limit state of {} subjects",
        row::grouped(subjects)
    ));
    let mut command = plan.site.program();
    command.args([
        "bench",
        "--role",
        "memory",
        "--subjects",
        &subjects.to_string(),
    ]);
    let folded = command.output()?;
    let said = String::from_utf8(folded.stdout)?;
    let figure: u64 = said.trim().parse().with_context(|| {
        format!(
            "memory of the state: {}",
            String::from_utf8_lossy(&folded.stderr)
        )
    })?;
    let full = FULL.subjects;
    let (scaled, allowed) = if subjects == full {
        (String::new(), ALLOWED)
    } else {
        let scaled = format!(", measured with {} of them", row::grouped(subjects));
        (scaled, ALLOWED / (full / subjects))
    };
    Ok(Row {
        work: format!(
            "10 million subjects in the limit state, each with a status and a grant{scaled}"
        ),
        unit: "bytes resident",
        against: "2 GiB for 10 million".to_owned(),
        // Memory does not vary from run to run as time does: one run.
        figure: Runs::from_iter([figure]),
        yardstick: Yardstick::Measured(Runs::from_iter([allowed])),
        better: Better::Less,
        reach: Thousandths(1_000),
        extra: Map::from_iter([
            ("subjects".to_owned(), json!(subjects)),
            ("bytes_per_subject".to_owned(), json!(figure / subjects)),
        ]),
    })
}
