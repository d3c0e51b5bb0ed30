//! What is counted while the server runs, for [`crate::metrics`] to show.
//!
//! The writer pays once a group: what the decider saw goes with the group, and the
//! committer adds it to what is here when the group is durable.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use luzhang_ledger::block::SealedBlock;
use luzhang_projections::codes;
use parking_lot::Mutex;
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::{convert::to_proto::Outcome, rejected::Rejected};

/// Standbys that are told apart. Their names come from elsewhere.
const STANDBYS: usize = 16;
/// What has no code of ours, such as what the transport itself says.
const OTHER: &str = "other";

/// What is counted.
#[derive(Debug)]
pub struct Figures {
    began: SystemTime,
    writer: Mutex<Writer>,
    rejections: Mutex<BTreeMap<&'static str, u64>>,
    witnesses: OnceLock<Mutex<Vec<Witness>>>,
    snapshots_failed: Mutex<u64>,
    standbys: Mutex<BTreeMap<String, u64>>,
    source: Mutex<Option<u64>>,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            began: SystemTime::now(),
            writer: Mutex::default(),
            rejections: Mutex::default(),
            witnesses: OnceLock::new(),
            snapshots_failed: Mutex::default(),
            standbys: Mutex::default(),
            source: Mutex::default(),
        }
    }
}

/// What the writer did.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    /// Durable events by what they say.
    pub(crate) events: HashMap<&'static str, u64>,
    /// Refused commands by the code of each limit that failed.
    pub(crate) refusals: BTreeMap<String, u64>,
    /// Commands that had an outcome already.
    pub(crate) replays: u64,
    /// How long commands waited to be decided.
    pub(crate) waited: Bins,
    /// Events of a group.
    pub(crate) group_events: Bins,
    /// Events and bytes of a block, before it is compressed.
    pub(crate) block_events: Bins,
    pub(crate) block_bytes: Bins,
    /// How long it took to make an append durable.
    pub(crate) flushed: Bins,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            events: HashMap::new(),
            refusals: BTreeMap::new(),
            replays: 0,
            waited: Bins::new(TIMES),
            group_events: Bins::new(EVENTS),
            block_events: Bins::new(EVENTS),
            block_bytes: Bins::new(BYTES),
            flushed: Bins::new(TIMES),
        }
    }
}

/// A witness, as far as this server knows.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    pub(crate) name: String,
    /// Leaves of the newest tree that it cosigned.
    pub(crate) size: u64,
    /// When that was answered, in seconds since 1970.
    pub(crate) time: Option<u64>,
    /// How often it did not cosign.
    pub(crate) failures: u64,
}

/// What the decider saw of a group.
#[derive(Debug)]
pub(crate) struct Seen {
    /// How many of its events there are of each kind.
    kinds: Vec<(&'static str, u64)>,
    waited: Bins,
    /// When it was begun.
    pub(crate) began: Instant,
}

impl Seen {
    /// Of a group that is begun now.
    pub(crate) fn new(began: Instant) -> Self {
        Self {
            kinds: Vec::new(),
            waited: Bins::new(TIMES),
            began,
        }
    }

    /// An event is in the group.
    pub(crate) fn event(&mut self, kind: &'static str) {
        // A group has few kinds, and there are few in all.
        match self.kinds.iter_mut().find(|(seen, _)| *seen == kind) {
            Some((_, count)) => *count += 1,
            None => self.kinds.push((kind, 1)),
        }
    }

    /// What waited since then is decided in this group.
    pub(crate) fn waited(&mut self, since: Instant) {
        let waited = self.began.saturating_duration_since(since);
        self.waited.add(micros(waited));
    }
}

impl Figures {
    /// These blocks became durable, in so long.
    pub(crate) fn flushed(&self, blocks: &[SealedBlock], took: Duration) {
        let mut writer = self.writer.lock();
        writer.flushed.add(micros(took));
        for block in blocks {
            writer.block_events.add(number(block.events.len()));
            writer.block_bytes.add(number(block.bytes.len()));
        }
    }

    /// A group is durable, all of it.
    pub(crate) fn committed<'a>(
        &self,
        seen: &Seen,
        outcomes: impl Iterator<Item = &'a Result<Outcome, Rejected>>,
    ) {
        let mut writer = self.writer.lock();
        let mut events = 0;
        for (kind, count) in &seen.kinds {
            events += count;
            *writer.events.entry(kind).or_default() += count;
        }
        if events > 0 {
            writer.group_events.add(events);
        }
        writer.waited.merge(&seen.waited);
        for outcome in outcomes.flatten() {
            if outcome.replayed {
                writer.replays += 1;
                continue;
            }
            let failures = outcome.refused.iter().flat_map(|(_, failures)| failures);
            for failure in failures {
                match writer.refusals.get_mut(&failure.code) {
                    Some(count) => *count += 1,
                    None => {
                        // Codes are a pack's, and of what may follow: some hundred.
                        writer.refusals.insert(failure.code.clone(), 1);
                    }
                }
            }
        }
    }

    /// A command of a stream was turned away.
    pub(crate) fn rejected(&self, code: &str) {
        let code = codes::find(code).map_or(OTHER, |entry| entry.code);
        *self.rejections.lock().entry(code).or_default() += 1;
    }

    /// A request was answered with this.
    pub(crate) fn answered(&self, status: &Status) {
        if status.code() == tonic::Code::Ok {
            return;
        }
        let details = status.get_error_details();
        let code = details.error_info().map_or("", |info| info.reason.as_str());
        self.rejected(code);
    }

    /// These witnesses are asked.
    pub(crate) fn ask(&self, witnesses: Vec<Witness>) {
        // A server has one policy of witnesses for as long as it runs.
        self.witnesses.get_or_init(|| Mutex::new(witnesses));
    }

    /// The witness of this place in the policy cosigned a tree of so many leaves, or
    /// did not.
    pub(crate) fn asked(&self, place: usize, cosigned: Option<u64>) {
        let Some(witnesses) = self.witnesses.get() else {
            return;
        };
        if let Some(witness) = witnesses.lock().get_mut(place) {
            match cosigned {
                Some(size) => {
                    witness.size = size;
                    witness.time = seconds(SystemTime::now());
                }
                None => witness.failures += 1,
            }
        }
    }

    /// A snapshot could not be made.
    pub(crate) fn no_snapshot(&self) {
        *self.snapshots_failed.lock() += 1;
    }

    /// How far a standby has come. Beyond sixteen names none is added.
    pub fn standby(&self, name: &str, position: u64) {
        let mut standbys = self.standbys.lock();
        if standbys.len() < STANDBYS || standbys.contains_key(name) {
            standbys.insert(name.to_owned(), position);
        }
    }

    /// A standby has gone.
    pub fn standby_gone(&self, name: &str) {
        self.standbys.lock().remove(name);
    }

    /// Of a standby: how far the log has come that it follows. `None` for a writer.
    pub fn follows(&self, position: Option<u64>) {
        *self.source.lock() = position;
    }

    pub(crate) fn began(&self) -> Option<u64> {
        seconds(self.began)
    }

    pub(crate) fn writer(&self) -> Writer {
        self.writer.lock().clone()
    }

    pub(crate) fn rejections(&self) -> BTreeMap<&'static str, u64> {
        self.rejections.lock().clone()
    }

    pub(crate) fn witnesses(&self) -> Vec<Witness> {
        let witnesses = self.witnesses.get();
        witnesses.map_or_else(Vec::new, |witnesses| witnesses.lock().clone())
    }

    pub(crate) fn snapshots_failed(&self) -> u64 {
        *self.snapshots_failed.lock()
    }

    pub(crate) fn standbys(&self) -> BTreeMap<String, u64> {
        self.standbys.lock().clone()
    }

    pub(crate) fn source(&self) -> Option<u64> {
        *self.source.lock()
    }
}

/// Microseconds: 50 of them to 10 seconds.
const TIMES: &[u64] = &[
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 10_000_000,
];
/// A group takes 4,096 commands, each of which may be some events.
const EVENTS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096, 16_384];
/// A block takes 120 KiB.
const BYTES: &[u64] = &[
    512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 98_304, 131_072,
];

/// The most bounds of any of these.
const MOST: usize = 16;

/// How often a value was how large.
#[derive(Clone, Debug)]
pub(crate) struct Bins {
    /// Upper bounds, ascending.
    pub(crate) bounds: &'static [u64],
    /// How many were at most the bound of this place, and above those before.
    pub(crate) counts: [u64; MOST],
    /// How many were larger than any bound.
    pub(crate) beyond: u64,
    pub(crate) sum: u64,
}

impl Bins {
    fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: [0; MOST],
            beyond: 0,
            sum: 0,
        }
    }

    fn add(&mut self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        let in_place = self
            .counts
            .get_mut(place)
            .filter(|_| place < self.bounds.len());
        *in_place.unwrap_or(&mut self.beyond) += 1;
        self.sum = self.sum.saturating_add(value);
    }

    fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.beyond += other.beyond;
        self.sum = self.sum.saturating_add(other.sum);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Seconds since 1970; `None` before.
pub(crate) fn seconds(time: SystemTime) -> Option<u64> {
    time.duration_since(UNIX_EPOCH)
        .ok()
        .map(|time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_the_first_bin_that_takes_it() {
        let mut bins = Bins::new(EVENTS);
        for value in [0, 1, 2, 3, 16_384, 16_385, u64::MAX] {
            bins.add(value);
        }
        assert_eq!(bins.counts[..3], [2, 1, 1]);
        assert_eq!(bins.counts[12], 1);
        assert_eq!(bins.counts[13..], [0; 3], "there are no such bounds");
        assert_eq!((bins.beyond, bins.sum), (2, u64::MAX));
        for bounds in [TIMES, EVENTS, BYTES] {
            assert!(bounds.len() <= MOST && bounds.is_sorted());
        }
    }

    #[test]
    fn whoever_makes_up_names_of_standbys_and_codes_gets_no_more_of_them() {
        let figures = Figures::default();
        for number in 0..1_000 {
            figures.standby(&format!("s{number}"), number);
            figures.rejected(&format!("CODE_{number}"));
        }
        figures.standby("s3", 7);
        figures.rejected("QUEUE_FULL");
        assert_eq!(figures.standbys().len(), STANDBYS);
        assert_eq!(figures.standbys()["s3"], 7);
        figures.standby_gone("s3");
        figures.standby("another", 1);
        assert_eq!(figures.standbys()["another"], 1);
        let rejections = figures.rejections().into_iter();
        assert_eq!(
            rejections.collect::<Vec<_>>(),
            [("QUEUE_FULL", 1), (OTHER, 1_000)]
        );
    }
}
