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
    /// Of each run of one caller.
    pub(super) alone: Bounds,
    /// Durable writes of which the middle one is its yardstick.
    pub(super) syncs: usize,
    /// Persons of the new ledger; each may have four claims.
    pub(super) new_persons: u64,
    /// Events that the large ledger has when requests are made to it.
    pub(super) inside: u64,
    /// Events of a tenth of the import.
    pub(super) tenth: u64,
    /// The import stops here even if it has not come that far.
    pub(super) import_time: Duration,
    /// Messages in each run of batches.
    pub(super) batch_messages: u64,
    /// Events at the beginning of the log over which whole passes go.
    pub(super) passes: u64,
    /// Messages of a batch that a ledger with a tree takes before it is the turn
    /// of the one without.
    pub(super) turn: u64,
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
    alone: Bounds {
        time: Duration::from_secs(2),
        requests: 10_000,
    },
    syncs: 1_000,
    new_persons: 160_000,
    inside: 2_000_000,
    tenth: 1_000_000,
    import_time: Duration::from_mins(20),
    batch_messages: 100,
    passes: u64::MAX,
    turn: 20,
    subjects: 10_000_000,
};

/// What fits into a minute.
pub(super) const QUICK: Scale = Scale {
    trees: &[1_000_000],
    runs: 3,
    unary: Bounds {
        time: Duration::from_millis(600),
        requests: 30_000,
    },
    warm_up: Bounds {
        time: Duration::from_millis(300),
        requests: 10_000,
    },
    alone: Bounds {
        time: Duration::from_millis(300),
        requests: 2_000,
    },
    syncs: 200,
    new_persons: 45_000,
    inside: 500_000,
    tenth: 100_000,
    import_time: Duration::from_secs(12),
    batch_messages: 40,
    passes: 400_000,
    turn: 10,
    subjects: 1_000_000,
};

#[cfg(test)]
mod tests {
    use super::{super::bureau::SLOTS, *};

    #[test]
    fn there_are_claims_for_every_request() {
        for scale in [FULL, QUICK] {
            // The race has five runs at least.
            let many = scale.warm_up.requests + scale.runs.max(5) * scale.unary.requests;
            let one = (scale.runs + 1) * scale.alone.requests;
            let claims = scale.new_persons * SLOTS;
            assert!(claims >= u64::try_from(many + one).unwrap(), "{scale:?}");
            // One new person in three events, one claim each.
            assert!(
                scale.inside / 3 >= u64::try_from(many).unwrap(),
                "{scale:?}"
            );
        }
    }
}
