//! The yardstick of the batches: the same bytes, appended to a plain file.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use luzhang_ledger::block::BlockView;
use prost::bytes::Bytes;

use super::stream::Sent;

/// Appends blocks to a new file, each with one write, and makes them durable
/// whenever so many events have come together: as often as a client that sends
/// so many in a message waits for an answer.
pub(super) fn append(path: &Path, blocks: &[Bytes], events_a_sync: u64) -> Result<Sent> {
    let counted = blocks
        .iter()
        .map(|block| Ok((u64::from(BlockView::parse(block)?.count), block)))
        .collect::<Result<Vec<_>>>()?;
    let mut file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .open(path)?;
    // The first write of a file also makes its name; that is not the yardstick.
    file.sync_all()?;
    let mut sent = Sent::default();
    let mut since_sync = 0;
    let began = Instant::now();
    for (events, block) in counted {
        file.write_all(block)?;
        sent.commands += events;
        since_sync += events;
        if since_sync >= events_a_sync {
            file.sync_data()?;
            since_sync = 0;
        }
    }
    file.sync_data()?;
    sent.time = began.elapsed();
    drop(file);
    std::fs::remove_file(path).with_context(|| path.display().to_string())?;
    Ok(sent)
}

/// The time of one durable write of a few bytes, the middle one of many.
pub(super) fn sync_time(path: &Path) -> Result<Duration> {
    let mut file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .open(path)?;
    let mut times = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        file.write_all(&[0; 512])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    drop(file);
    std::fs::remove_file(path)?;
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .copied()
        .context("no durable write was timed")
}
