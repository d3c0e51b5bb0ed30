//! The whole log again: verified, folded, and merely hashed as a yardstick.

use std::{
    fs::File,
    hint::black_box,
    io::{BufReader, BufWriter, Read},
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use luzhang_ledger::{
    Position,
    block::BlockView,
    export::{ExportWriter, verify_export},
    log::{Log as _, Reader, sled::SledLog},
    verify::Verdict,
};
use luzhang_projections::{projection::Projections, redecide::Redecider};
use luzhang_server::replay::replay;
use rayon::ThreadPoolBuilder;

use super::site::{Interrupt, cpu_time};

/// How many bytes of blocks are hashed at a time, so that memory stays bounded.
const CHUNK: usize = 64 * 1024 * 1024;

/// One pass over the log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pass {
    pub(super) events: u64,
    pub(super) time: Duration,
    /// CPU time of this process meanwhile.
    pub(super) cpu: Duration,
}

impl Pass {
    fn of(work: impl FnOnce() -> Result<u64>) -> Result<Self> {
        let cpu = cpu_time()?;
        let began = Instant::now();
        let events = work()?;
        Ok(Self {
            events,
            time: began.elapsed(),
            cpu: cpu_time()?.saturating_sub(cpu),
        })
    }
}

/// Writes the export file that an auditor would take away, up to the block that
/// holds this position.
pub(super) fn export(log: &SledLog, file: &Path, through: u64) -> Result<()> {
    let out = BufWriter::with_capacity(1 << 20, File::create_new(file)?);
    let mut writer = ExportWriter::new(out, log.ledger())?;
    for block in log.reader().blocks_from(Position::FIRST) {
        let block = block?;
        writer.block(&block)?;
        if BlockView::parse(&block)?.last().number() >= through {
            break;
        }
    }
    writer.finish()?;
    Ok(())
}

/// Verifies an export file with so many threads.
pub(super) fn verify(file: &Path, threads: usize) -> Result<Pass> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build()?;
    let file = File::open(file)?;
    pool.install(|| {
        Pass::of(|| {
            let report = verify_export(file, None, |_| ());
            ensure!(
                report.verdict == Verdict::SelfConsistent,
                "the ledger just written does not verify: {report:?}"
            );
            Ok(report.events)
        })
    })
}

/// Folds all projections anew, up to this position or a little further.
pub(super) fn rebuild(reader: &dyn Reader, through: u64, interrupt: &Interrupt) -> Result<Pass> {
    let mut projections = Projections::default();
    Pass::of(|| {
        replay(reader, |events| {
            projections.apply_all(&events);
            let done = projections.state.position().map_or(0, Position::number) >= through;
            if done || interrupt.is_set() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        interrupt.check()?;
        Ok(projections.state.position().map_or(0, Position::number))
    })
}

/// Recomputes every decision from what was known at its position, as far as
/// [`rebuild`] goes.
pub(super) fn redecide(reader: &dyn Reader, through: u64, interrupt: &Interrupt) -> Result<Pass> {
    let mut redecider = Redecider::default();
    let mut differences = 0_usize;
    let pass = Pass::of(|| {
        replay(reader, |events| {
            for event in &events {
                differences += redecider.apply(event).len();
            }
            let done = redecider.state().position().map_or(0, Position::number) >= through;
            if done || interrupt.is_set() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        interrupt.check()?;
        differences += redecider.finish().len();
        let last = redecider.state().position();
        Ok(last.map_or(0, Position::number))
    })?;
    ensure!(
        differences == 0,
        "{differences} decisions of the ledger just written differ"
    );
    Ok(pass)
}

/// Hashes every event of an export file by itself, on one core. Only hashing is
/// timed, not reading.
pub(super) fn hash(file: &Path, interrupt: &Interrupt) -> Result<Pass> {
    let mut input = BufReader::with_capacity(1 << 20, File::open(file)?);
    input.read_exact(&mut [0; 32])?;
    let mut pass = Pass::default();
    let mut more = ControlFlow::Continue(());
    while more.is_continue() {
        interrupt.check()?;
        let mut blocks = Vec::new();
        more = read_blocks(&mut input, &mut blocks)?;
        let mut events = Vec::new();
        for block in &blocks {
            for frame in BlockView::parse(block)?.frames() {
                let frame = frame.ok().context("a frame of the export is cut short")?;
                events.push(frame.event);
            }
        }
        let began = Instant::now();
        for event in &events {
            black_box(blake3::hash(event));
        }
        pass.time += began.elapsed();
        pass.events += u64::try_from(events.len())?;
    }
    // It is on one core and waits for nothing.
    pass.cpu = pass.time;
    Ok(pass)
}

/// Reads the next [`CHUNK`] bytes of blocks; breaks at the end of them all.
fn read_blocks(input: &mut impl Read, blocks: &mut Vec<Vec<u8>>) -> Result<ControlFlow<()>> {
    let mut bytes = 0;
    while bytes < CHUNK {
        let mut length = [0; 4];
        input.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_le_bytes(length))?;
        if length == 0 {
            return Ok(ControlFlow::Break(()));
        }
        let mut block = vec![0; length];
        input.read_exact(&mut block)?;
        bytes += length;
        blocks.push(block);
    }
    Ok(ControlFlow::Continue(()))
}
