//! What must hold of a database that sled opened, before it is believed.

use super::{engine::Engine, error::OpenError, witness::Witness};
use crate::{
    block::{BlockView, Head},
    hash::{ChainHasher, Hash},
    log::{
        ReadError,
        keyed::{self, Shelf as _},
    },
    position::Position,
};

/// The head of the log, if the log begins as this ledger must, ends in a block
/// that holds, and has the witnessed block where the witness says.
pub(super) fn head(engine: &Engine, witness: &Witness) -> Result<Head, OpenError> {
    let genesis = Head::genesis(witness.ledger);
    let Some((last, stored)) = engine.last().map_err(unread)? else {
        return match witness.position {
            None => Ok(genesis),
            Some(witness) => Err(OpenError::Truncated { witness, log: 0 }),
        };
    };
    let head = verified(last, stored.as_ref())?;
    begins_at(engine, &genesis)?;
    let Some(position) = witness.position else {
        return Ok(head);
    };
    let end = head.position.map_or(0, Position::number);
    if end < position.number() {
        return Err(OpenError::Truncated {
            witness: position,
            log: end,
        });
    }
    let (first, stored) = engine
        .at_or_before(position.number())
        .map_err(unread)?
        .ok_or_else(|| missing(position.number()))?;
    let there = verified(first, stored.as_ref())?;
    if there.position.is_none_or(|last| last < position) {
        return Err(missing(position.number()));
    }
    if Witness::of(witness.ledger, &there) != *witness {
        return Err(OpenError::Forked { position });
    }
    Ok(head)
}

/// The last position that readers of a database may ask for: that of the last
/// block, or no limit if the last block does not say.
pub(super) fn end(engine: &Engine) -> Result<u64, OpenError> {
    Ok(match engine.last().map_err(unread)? {
        None => 0,
        Some((first, stored)) => {
            keyed::unpack(first, stored.as_ref()).map_or(u64::MAX, |(_, last)| last)
        }
    })
}

fn begins_at(engine: &Engine, genesis: &Head) -> Result<(), OpenError> {
    let first = Position::FIRST.number();
    let (key, stored) = engine
        .at_or_after(0)
        .map_err(unread)?
        .ok_or_else(|| missing(first))?;
    if key != first {
        return Err(missing(first));
    }
    let (block, _) = keyed::unpack(key, stored.as_ref()).map_err(unread)?;
    let begins = BlockView::parse(&block).is_ok_and(|view| {
        view.previous_block == genesis.block && view.chain_before == genesis.chain
    });
    if !begins {
        return Err(OpenError::Forked {
            position: Position::FIRST,
        });
    }
    Ok(())
}

/// The head after a stored block, every hash of which is computed anew.
fn verified(first: u64, stored: &[u8]) -> Result<Head, OpenError> {
    let (block, _) = keyed::unpack(first, stored).map_err(unread)?;
    let damaged = |detail: &str| OpenError::Damaged {
        first,
        detail: detail.to_owned(),
    };
    let view = BlockView::parse(&block).map_err(|error| damaged(&error.to_string()))?;
    if view.computed_hash() != view.block {
        return Err(damaged("its hash does not match its bytes"));
    }
    if chain(&view) != Some(view.chain_after) {
        return Err(damaged("its chain hash does not follow from its events"));
    }
    Ok(view.head())
}

fn chain(view: &BlockView<'_>) -> Option<Hash> {
    let mut hasher = ChainHasher::default();
    view.frames().try_fold(view.chain_before, |chain, frame| {
        let frame = frame.ok()?;
        let hash = hasher.event(chain, frame.event);
        (hash.tag() == frame.tag).then_some(hash)
    })
}

fn missing(first: u64) -> OpenError {
    OpenError::Damaged {
        first,
        detail: "no block is stored for it, though the log goes on".to_owned(),
    }
}

fn unread(error: ReadError) -> OpenError {
    match error {
        ReadError::Damaged { first, detail } => OpenError::Damaged { first, detail },
        ReadError::Fault(fault) => OpenError::Unreadable {
            detail: fault.to_string(),
        },
    }
}
