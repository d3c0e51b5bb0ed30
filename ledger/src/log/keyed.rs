//! Reading from any ordered map of first positions to stored blocks.
//!
//! The adapters differ in how they find a key; what a position means, and what
//! counts as missing, is the same for all of them and stands here once.

use std::{collections::VecDeque, fmt::Debug, sync::Arc};

use super::{Blocks, ReadError, Reader};
use crate::{
    block::{self, BlockView},
    position::Position,
};

/// An ordered map from the position of a block's first event to its stored
/// value.
pub trait Shelf: Debug + Send + Sync {
    /// A stored value, however the map hands it out.
    type Value: AsRef<[u8]> + Send;

    /// The last entry with a key of at most `key`.
    fn at_or_before(&self, key: u64) -> Result<Option<(u64, Self::Value)>, ReadError>;

    /// The first entry with a key of at least `key`.
    fn at_or_after(&self, key: u64) -> Result<Option<(u64, Self::Value)>, ReadError>;

    /// That and as many of those after it as come cheaply with it; none if there is
    /// none.
    fn some_from(&self, key: u64) -> Result<Vec<(u64, Self::Value)>, ReadError> {
        Ok(self.at_or_after(key)?.into_iter().collect())
    }

    /// The position up to which readers may look; 0 while there is nothing.
    fn end(&self) -> u64;
}

/// The block of a stored value and the position of its last event.
pub(super) fn unpack(first: u64, stored: &[u8]) -> Result<(Vec<u8>, u64), ReadError> {
    let damaged = |detail: String| ReadError::Damaged { first, detail };
    let block = block::from_stored(stored).map_err(|error| damaged(error.to_string()))?;
    let view = BlockView::parse(&block).map_err(|error| damaged(error.to_string()))?;
    if view.first.number() != first {
        return Err(damaged(format!(
            "the block says that it begins at {}",
            view.first
        )));
    }
    let last = view.last().number();
    Ok((block, last))
}

fn missing(first: u64) -> ReadError {
    ReadError::Damaged {
        first,
        detail: "no block is stored for it, though the log goes on".to_owned(),
    }
}

/// The [`Reader`] over a [`Shelf`].
#[derive(Debug)]
pub struct KeyedReader<S>(pub Arc<S>);

impl<S: Shelf> Reader for KeyedReader<S> {
    fn block_with(&self, position: Position) -> Result<Option<Vec<u8>>, ReadError> {
        let position = position.number();
        if position > self.0.end() {
            return Ok(None);
        }
        let (first, stored) = self
            .0
            .at_or_before(position)?
            .ok_or_else(|| missing(position))?;
        let (block, last) = unpack(first, stored.as_ref())?;
        if last < position {
            return Err(missing(position));
        }
        Ok(Some(block))
    }

    fn blocks_from(&self, position: Position) -> Blocks<'_> {
        Box::new(Run {
            shelf: self.0.as_ref(),
            end: self.0.end(),
            next: Next::Holding(position.number()),
            ahead: VecDeque::new(),
        })
    }
}

/// Where an iteration stands.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The block that holds this position.
    Holding(u64),
    /// The block that begins exactly here.
    Exactly(u64),
    /// Whatever comes from here on: the block before could not be read, so
    /// where it ended is unknown.
    From(u64),
    /// Nothing.
    Done,
}

struct Run<'a, S: Shelf> {
    shelf: &'a S,
    end: u64,
    next: Next,
    /// Entries that came with those before them.
    ahead: VecDeque<(u64, S::Value)>,
}

impl<S: Shelf> Run<'_, S> {
    /// The first entry with a key of at least `key`.
    fn entry(&mut self, key: u64) -> Result<Option<(u64, S::Value)>, ReadError> {
        if self.ahead.front().is_none_or(|(ahead, _)| *ahead < key) {
            self.ahead = self.shelf.some_from(key)?.into();
        }
        Ok(self.ahead.pop_front())
    }

    /// The key at which the run begins.
    fn start(&self, position: u64) -> Result<Next, ReadError> {
        let Some((first, stored)) = self.shelf.at_or_before(position)? else {
            return Ok(Next::Exactly(position));
        };
        Ok(match unpack(first, stored.as_ref()) {
            Ok((_, last)) if last < position => Next::Exactly(position),
            Ok(_) | Err(_) => Next::Exactly(first),
        })
    }

    fn step(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let next = match std::mem::replace(&mut self.next, Next::Done) {
            Next::Holding(position) if position > self.end => return Ok(None),
            Next::Holding(position) => self.start(position)?,
            other @ (Next::Exactly(_) | Next::From(_) | Next::Done) => other,
        };
        let (key, exact) = match next {
            Next::Exactly(key) => (key, Some(key)),
            Next::From(key) => (key, None),
            Next::Holding(_) | Next::Done => return Ok(None),
        };
        if key > self.end {
            return Ok(None);
        }
        let Some((first, stored)) = self.entry(key)? else {
            return exact.map_or(Ok(None), |key| Err(missing(key)));
        };
        if let Some(key) = exact.filter(|key| *key < first) {
            self.next = Next::Exactly(first);
            return Err(missing(key));
        }
        if first > self.end {
            return Ok(None);
        }
        self.next = Next::From(first.saturating_add(1));
        let (block, last) = unpack(first, stored.as_ref())?;
        self.next = Next::Exactly(last.saturating_add(1));
        Ok(Some(block))
    }
}

impl<S: Shelf> Iterator for Run<'_, S> {
    type Item = Result<Vec<u8>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
