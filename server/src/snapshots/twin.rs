//! Snapshots made beside the writer, without stopping it: a thread that gives way to
//! all others reads the newest snapshot and the log after it, as a second server
//! would, writes what that folds to, and forgets it.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use luzhang_ledger::{
    Position,
    block::Head,
    log::Reader,
    replay::{ReplayError, each_event},
    verify::Verifier,
};
use rayon::ThreadPoolBuilder;
use tokio::sync::watch;

use super::{Cadence, Folded, Parts, Shelf};
use crate::{bulk, figures::Figures, vault::Vault};

/// After a twin it rests so many times as long as that took: it costs at most a fifth
/// of one core.
const REST: u32 = 4;
/// When something went wrong, that is long enough to be put right.
const TROUBLED: Duration = Duration::from_mins(10);

/// What the thread starts from.
pub(crate) struct Start {
    pub(crate) shelf: Shelf,
    pub(crate) vault: Arc<Vault>,
    pub(crate) cadence: Cadence,
    pub(crate) log: Arc<dyn Reader>,
    pub(crate) durable: watch::Receiver<Head>,
    /// The position of the newest snapshot.
    pub(crate) newest: u64,
    /// No snapshot before this position may stay: somebody was erased there.
    pub(crate) erased: Arc<AtomicU64>,
    pub(crate) figures: Arc<Figures>,
}

/// The running thread.
#[derive(Debug)]
pub(crate) struct Keeper {
    ended: Arc<AtomicBool>,
    /// Nothing is ever sent; it is closed.
    end: Sender<()>,
    thread: JoinHandle<Start>,
}

impl Keeper {
    pub(crate) fn start(start: Start) -> io::Result<Self> {
        let (end, ending) = mpsc::channel();
        let ended = Arc::<AtomicBool>::default();
        let told = Arc::clone(&ended);
        let thread = thread::Builder::new()
            .name("luzhang-snapshots".to_owned())
            .spawn(move || start.run(&ending, &told))?;
        Ok(Self { ended, end, thread })
    }

    /// Ends the thread, whatever it is at. When the writer has ended in order, what
    /// it leaves is kept, if that is new enough to be worth it.
    pub(crate) fn end(self, parts: Option<&Parts<'_>>) {
        self.ended.store(true, Ordering::Relaxed);
        drop(self.end);
        let (Ok(start), Some(parts)) = (self.thread.join(), parts) else {
            return;
        };
        let end = parts.head.position.map_or(0, Position::number);
        let new = end.saturating_sub(start.newest);
        if !start.is_stale() && new < start.cadence.at_end {
            return;
        }
        if let Err(error) = start.shelf.write(&start.vault, parts, &|| true) {
            tracing::warn!(%error, "no snapshot was made");
        }
    }
}

impl Start {
    fn run(mut self, ending: &Receiver<()>, ended: &AtomicBool) -> Self {
        let mut pause = self.cadence.look;
        while ending.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            pause = self.cadence.look;
            let end = self.durable.borrow().position.map_or(0, Position::number);
            if !self.is_stale() && !self.cadence.is_due(self.newest, end) {
                continue;
            }
            let began = Instant::now();
            match self.make(end, ended) {
                Ok(position) => {
                    self.newest = position;
                    pause = pause.max(began.elapsed().saturating_mul(REST));
                }
                Err(_) if ended.load(Ordering::Relaxed) => break,
                Err(error) => {
                    tracing::warn!(%error, "no snapshot was made");
                    self.figures.no_snapshot();
                    pause = pause.max(TROUBLED);
                }
            }
        }
        self
    }

    /// Whether somebody was erased since the newest snapshot.
    fn is_stale(&self) -> bool {
        self.newest > 0 && self.newest < self.erased.load(Ordering::Acquire)
    }

    /// Makes a snapshot of at least `end` events, on one thread that gives way.
    fn make(&self, end: u64, ended: &AtomicBool) -> io::Result<u64> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(1)
            .thread_name(|_| "luzhang-twin".to_owned())
            .start_handler(|_| bulk::give_way())
            .build();
        let pool = pool.map_err(io::Error::other)?;
        pool.install(|| {
            let twin = self.fold(end, ended).map_err(io::Error::other)?;
            let parts = Parts {
                head: twin.head,
                projections: &twin.projections,
                index: &twin.index,
                frontier: &twin.frontier,
            };
            self.shelf
                .write(&self.vault, &parts, &|| !ended.load(Ordering::Relaxed))?;
            Ok(twin.position())
        })
    }

    fn fold(&self, end: u64, ended: &AtomicBool) -> Result<Folded, ReplayError> {
        let ledger = self.shelf.ledger;
        let newest = self.shelf.newest(&self.vault, &*self.log, |_| true);
        let mut twin = newest.unwrap_or_else(|| Folded::nothing(ledger));
        let mut verifier = Verifier::after(ledger, twin.head);
        for block in self.log.blocks_from(twin.head.next_position()) {
            if twin.position() >= end || ended.load(Ordering::Relaxed) {
                break;
            }
            let block = block?;
            let verified = verifier.push(std::slice::from_ref(&block));
            verified.map_err(ReplayError::Broken)?;
            each_event(&block, |_, event, _| twin.see(&event, event.hash))?;
            twin.head = verifier.head().unwrap_or(twin.head);
        }
        Ok(twin)
    }
}
