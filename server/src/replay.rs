//! From the log to events: the whole of it, as [`luzhang_ledger::replay`] does it,
//! or one event, as it is shown.

use luzhang_ledger::{Hash, Position, block::BlockView, hash::ChainHasher, log::Reader};

pub use luzhang_ledger::replay::{
    ReplayError, Replayed, each_event, replay, replay_after, replay_blocks, replay_verified,
};

use crate::convert::to_proto::LoggedEvent;

/// The events of one block, with their hashes.
pub fn block_events(bytes: &[u8]) -> Result<Vec<LoggedEvent>, ReplayError> {
    let mut events = Vec::new();
    each_event(bytes, |stored, Replayed { event, hash }, previous| {
        events.push(LoggedEvent {
            stored: stored.to_vec(),
            hash,
            previous,
            event,
        });
    })?;
    Ok(events)
}

/// The hashes of up to `count` events from `first` on.
pub fn event_hashes(
    reader: &dyn Reader,
    first: Position,
    count: usize,
) -> Result<Vec<Hash>, ReplayError> {
    let mut hashes = Vec::with_capacity(count);
    for block in reader.blocks_from(first) {
        let block = block?;
        let damaged = |position, detail| ReplayError::Event { position, detail };
        let view = BlockView::parse(&block).map_err(|error| damaged(first, error.to_string()))?;
        let mut hasher = ChainHasher::default();
        let mut chain = view.chain_before;
        for frame in view.frames() {
            let frame =
                frame.map_err(|bad| damaged(bad.position, "its length is not right".to_owned()))?;
            chain = hasher.event(chain, frame.event);
            if frame.position >= first && hashes.len() < count {
                hashes.push(chain);
            }
        }
        if hashes.len() == count {
            break;
        }
    }
    Ok(hashes)
}

/// One event; `None` beyond the end.
pub fn event_at(
    reader: &dyn Reader,
    position: Position,
) -> Result<Option<LoggedEvent>, ReplayError> {
    let Some(block) = reader.block_with(position)? else {
        return Ok(None);
    };
    let events = block_events(&block)?;
    Ok(events
        .into_iter()
        .find(|e| e.event.header.position == position))
}
