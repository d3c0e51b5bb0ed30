//! Whether this server writes its ledger or follows another that does.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

use crate::rejected::Rejected;

/// What this server is to its ledger. A writer from the beginning, unless it is told
/// otherwise.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    follows: AtomicBool,
    writer: RwLock<String>,
}

impl Standing {
    pub(crate) fn following() -> Self {
        Self {
            follows: AtomicBool::new(true),
            writer: RwLock::default(),
        }
    }

    /// Whether another server writes.
    pub(crate) fn follows(&self) -> bool {
        self.follows.load(Ordering::Acquire)
    }

    /// The answer to commands, if another server writes.
    pub(crate) fn elsewhere(&self) -> Option<Rejected> {
        let follows = self.follows();
        follows.then(|| Rejected::not_the_writer(&self.writer.read()))
    }

    /// Who writes, in its own words; empty if nobody is known to.
    pub(crate) fn writer(&self) -> String {
        self.writer.read().clone()
    }

    /// Somebody writes.
    pub(crate) fn is_written_by(&self, writer: &str) {
        if *self.writer.read() != writer {
            writer.clone_into(&mut self.writer.write());
        }
    }

    /// From now on this server does.
    pub(crate) fn writes(&self) {
        self.follows.store(false, Ordering::Release);
    }
}
