//! How much is measured: everything, or what fits into a minute.

use std::time::Duration;

use super::load::Bounds;

/// The sizes of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// Sizes of the trees in which receipts are made.
    pub(super) trees: &'static [u64],
    /// Results of which the median is taken.
    pub(super) runs: usize,
    /// Of each run of single requests.
    pub(super) unary: Bounds,
    /// Before the first of them.
    pub(super) warm_up: Bounds,
    /// Persons of the new ledger; each may have four claims.
    pub(super) new_persons: u64,
    /// Events that the large ledger has when requests are made to it.
    pub(super) inside: u64,
    /// Events that it has in the end.
    pub(super) total: u64,
    /// Events over which the cost of one is taken, at the beginning and in the
    /// end.
    pub(super) window: u64,
    /// The import stops here even if it has not come that far.
    pub(super) import_time: Duration,
    /// Messages in each run of batches.
    pub(super) batch_messages: u64,
    /// Subjects in the limit state.
    pub(super) subjects: u64,
}

/// What DESIGN.md asks for.
pub(super) const FULL: Scale = Scale {
    trees: &[1_000_000, 10_000_000],
    runs: 5,
    unary: Bounds {
        time: Duration::from_secs(2),
        requests: 100_000,
    },
    warm_up: Bounds {
        time: Duration::from_secs(1),
        requests: 50_000,
    },
    new_persons: 140_000,
    inside: 2_000_000,
    total: 10_000_000,
    window: 1_000_000,
    import_time: Duration::from_mins(20),
    batch_messages: 100,
    subjects: 10_000_000,
};

/// What fits into a minute.
pub(super) const QUICK: Scale = Scale {
    trees: &[1_000_000],
    runs: 3,
    unary: Bounds {
        time: Duration::from_millis(800),
        requests: 30_000,
    },
    warm_up: Bounds {
        time: Duration::from_millis(300),
        requests: 10_000,
    },
    new_persons: 25_000,
    inside: 500_000,
    total: 1_000_000,
    window: 100_000,
    import_time: Duration::from_secs(12),
    batch_messages: 40,
    subjects: 1_000_000,
};
