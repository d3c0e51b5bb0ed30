//! What must hold of the blocks of an append before storage is asked.

use super::AppendError;
use crate::block::{BlockView, Head, SealedBlock};

/// The head after the blocks, if they continue each other and `head`.
pub fn check(head: &Head, blocks: &[SealedBlock]) -> Result<Head, AppendError> {
    let expected = blocks.first().ok_or(AppendError::Broken)?.predecessor;
    let mut tip = expected;
    for block in blocks {
        if block.predecessor != tip || !follows(block) {
            return Err(AppendError::Broken);
        }
        tip = block.head;
    }
    if expected != *head {
        return Err(AppendError::HeadMoved {
            expected: Box::new(expected),
            found: Box::new(*head),
        });
    }
    Ok(tip)
}

/// Whether the bytes say the same as the fields beside them. A block without
/// events does not: it has no last event to be the head.
fn follows(block: &SealedBlock) -> bool {
    let before = &block.predecessor;
    BlockView::parse(&block.bytes).is_ok_and(|view| {
        view.head() == block.head
            && view.first == block.first
            && view.first == before.next_position()
            && view.height == before.height.saturating_add(1)
            && view.previous_block == before.block
            && view.chain_before == before.chain
    })
}
