//! The yardstick of the batches: the same bytes, appended to a plain file.

use std::{
    fs::OpenOptions,
    io::{Seek as _, Write as _},
    path::Path,
    time::Instant,
};

use anyhow::{Context as _, Result};
use luzhang_ledger::block::BlockView;
use prost::bytes::Bytes;

use super::{load::nanos, stream::Sent};

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

/// Where durable writes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To the end of a file that grows, as a log does.
    End,
    /// Over bytes that are there: the file system has nothing else to write.
    Within,
}

/// Nanoseconds of durable writes of these bytes, one after the other to a new
/// file, sorted.
pub(super) fn sync_times(
    path: &Path,
    bytes: &[u8],
    place: Place,
    count: usize,
) -> Result<Vec<u64>> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    if place == Place::Within {
        file.write_all(&bytes.repeat(count))?;
        file.rewind()?;
    }
    file.sync_all()?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        file.write_all(bytes)?;
        file.sync_data()?;
        times.push(nanos(began.elapsed()));
    }
    drop(file);
    std::fs::remove_file(path)?;
    times.sort_unstable();
    Ok(times)
}
