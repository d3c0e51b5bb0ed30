//! A log in memory whose stored values a test can change.

use luzhang_ledger::{
    Position,
    block::{self, BlockView},
    log::{Blocks, ReadError, Reader},
    verify::{Anchor, Report, verify_blocks},
};

/// Stored values in memory, read as an adapter reads them.
#[derive(Debug)]
pub(crate) struct Shelf(pub(crate) Vec<Vec<u8>>);

impl Shelf {
    pub(crate) fn of(blocks: &[Vec<u8>]) -> Self {
        Self(blocks.iter().map(|block| block::to_stored(block)).collect())
    }

    pub(crate) fn verify(&self, anchor: Option<Anchor>) -> Report {
        verify_blocks(self.blocks_from(Position::FIRST), anchor, |_| {})
    }

    fn read(&self) -> impl Iterator<Item = Result<Vec<u8>, ReadError>> + Send {
        self.0.iter().zip(1..).map(|(stored, first)| {
            block::from_stored(stored).map_err(|error| ReadError::Damaged {
                first,
                detail: error.to_string(),
            })
        })
    }
}

impl Reader for Shelf {
    fn block_with(&self, position: Position) -> Result<Option<Vec<u8>>, ReadError> {
        self.read()
            .find(|block| match block {
                Ok(block) => BlockView::parse(block).is_ok_and(|view| view.last() >= position),
                Err(_) => true,
            })
            .transpose()
    }

    fn blocks_from(&self, position: Position) -> Blocks<'_> {
        Box::new(self.read().skip_while(move |block| {
            let view = block.as_deref().map(BlockView::parse);
            matches!(view, Ok(Ok(view)) if view.last() < position)
        }))
    }
}
