//! Whose turn it is: what waits for the decider, by who sent it.
//!
//! Nobody waits for what others send without end. Single requests go first; the
//! messages of streams follow slice by slice, each caller in turn and each of its
//! streams in turn, in the order in which they came. A caller is a principal: to
//! open more streams is not to be served more often.
//!
//! While single requests come, the slices are small and at most one group of them
//! is on its way to the disk, so that a single request waits for one of theirs and
//! not for all. While none come, streams have full groups.
//!
//! Of single requests alone, a group is begun when the one before it is durable: the
//! more come meanwhile, the more share what a group costs, which is two flushes and two
//! dozen changes of threads. A lone caller waits for nobody.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
    vec,
};

use luzhang_ledger::text::Principal;
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    convert::{from_proto::Request, to_proto::Outcome},
    rejected::Rejected,
    sequencer::{Commands, Own},
};

/// The most commands that one group commit takes.
pub(crate) const GROUP: usize = 4_096;

/// The most commands of streams in a group that single requests may have to wait
/// for.
pub(crate) const SHARED: usize = 512;

/// Or how long they are decided for: on a slow or busy machine that is fewer.
pub(crate) const SHARED_TIME: Duration = Duration::from_millis(2);

/// The most commands of one stream before it is another's turn.
pub(crate) const SLICE: usize = 256;

/// How many commands of streams are decided in any group, whoever waits: so that
/// single requests without end do not make streams wait for ever.
pub(crate) const LEAST: usize = 64;

/// Or for how long, where a command takes long, such as one whose first outcome is
/// read from the disk.
pub(crate) const LEAST_TIME: Duration = Duration::from_millis(1);

/// How long after the last single request more are reckoned with.
const COMPANY: Duration = Duration::from_secs(1);

/// Groups on their way to the disk beyond which no slice is begun while others
/// may come.
const AHEAD: usize = 2;

/// All that waits for the decider.
#[derive(Debug)]
pub(crate) struct Turns {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// As in `waiting`, to be looked at between two commands.
    singles: AtomicUsize,
    /// Places for single requests.
    most: usize,
    /// Places for messages of streams.
    room: Arc<Semaphore>,
    /// Held by every stream that is open.
    open: Arc<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    closed: bool,
    own: VecDeque<Own>,
    singles: Ring<Principal, VecDeque<Commands>>,
    streams: Ring<Principal, Ring<u64, VecDeque<Part>>>,
    /// The number of the next stream.
    next: u64,
    /// Groups that the committer has, or will have.
    ahead: usize,
    /// Whether the decider is to be woken when something comes.
    wanted: bool,
    /// When there last was somebody beside the streams.
    company: Option<Instant>,
}

/// A stream's place among those that wait.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    principal: Principal,
    number: u64,
    _open: Arc<()>,
}

/// A message of a stream, decided up to somewhere.
#[derive(Debug)]
pub(crate) struct Part {
    lane: Lane,
    /// What is left of it.
    pub(crate) rest: vec::IntoIter<Result<Request, Rejected>>,
    /// The outcomes so far.
    pub(crate) outcomes: Vec<Result<Outcome, Rejected>>,
    /// Where they go; its own requests are in `rest`.
    pub(crate) commands: Commands,
    /// Its place in the queue.
    _place: OwnedSemaphorePermit,
}

/// Who is next.
#[derive(Debug)]
pub(crate) enum Turn {
    Own(Own),
    Single(Commands),
    /// To be given back with [`Turns::later`] if it is not decided to its end.
    Part(Part),
}

/// How much waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) singles: usize,
    pub(crate) messages: usize,
    pub(crate) most: usize,
}

/// Why something is not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turned {
    /// There is no room.
    Full,
    /// The queue takes no more.
    Closed,
}

impl Turns {
    /// With so many places for single requests, and as many for the messages of
    /// streams.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            singles: AtomicUsize::new(0),
            most,
            room: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            open: Arc::default(),
        }
    }

    /// A new stream's place.
    pub(crate) fn lane(&self, principal: &Principal) -> Lane {
        let mut waiting = self.waiting.lock();
        waiting.next = waiting.next.wrapping_add(1);
        Lane {
            principal: principal.clone(),
            number: waiting.next,
            _open: Arc::clone(&self.open),
        }
    }

    /// Queues what the ledger says by itself.
    pub(crate) fn own(&self, own: Own) -> Result<(), Turned> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(Turned::Closed);
        }
        waiting.own.push_back(own);
        self.wake(waiting);
        Ok(())
    }

    /// Queues a single request if there is room.
    pub(crate) fn single(&self, principal: &Principal, commands: Commands) -> Result<(), Turned> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(Turned::Closed);
        }
        if self.singles.load(Ordering::Relaxed) >= self.most {
            return Err(Turned::Full);
        }
        waiting.company = Some(commands.since);
        waiting.singles.of(principal).push_back(commands);
        self.singles.fetch_add(1, Ordering::Relaxed);
        self.wake(waiting);
        Ok(())
    }

    /// Queues a message of a stream, waiting for room: how a stream is slowed down.
    pub(crate) async fn message(&self, lane: &Lane, mut commands: Commands) -> Result<(), Turned> {
        let room = Arc::clone(&self.room);
        let place = room.acquire_owned().await.map_err(|_| Turned::Closed)?;
        let requests = std::mem::take(&mut commands.requests);
        let part = Part {
            lane: lane.clone(),
            outcomes: Vec::with_capacity(requests.len()),
            rest: requests.into_iter(),
            commands,
            _place: place,
        };
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(Turned::Closed);
        }
        let parts = waiting.streams.of(&lane.principal).of(&lane.number);
        parts.push_back(part);
        self.wake(waiting);
        Ok(())
    }

    /// How many single requests and messages of streams wait, and for how many of
    /// each there is room.
    pub(crate) fn length(&self) -> Length {
        Length {
            singles: self.singles.load(Ordering::Relaxed),
            // The one that is being decided is among them.
            messages: self.most.saturating_sub(self.room.available_permits()),
            most: self.most,
        }
    }

    /// Somebody reads the newest state, and so waits for groups too.
    pub(crate) fn company(&self) {
        self.waiting.lock().company = Some(Instant::now());
    }

    /// Takes no more. What is queued is still decided.
    pub(crate) fn close(&self) {
        self.waiting.lock().closed = true;
        self.room.close();
        self.changed.notify_one();
    }

    /// Lets everybody go who still waits: nobody decides any more.
    pub(crate) fn abandon(&self) {
        self.close();
        let mut waiting = self.waiting.lock();
        *waiting = Waiting {
            closed: true,
            ..Waiting::default()
        };
        self.singles.store(0, Ordering::Relaxed);
    }

    /// Wakes the decider if it waits for something to come: once, however much comes
    /// before it runs.
    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        if std::mem::take(&mut waiting.wanted) {
            drop(waiting);
            self.changed.notify_one();
        }
    }

    /// Waits until a group can be begun: how many commands of streams it may take.
    /// `None` when the queue is closed and empty.
    pub(crate) fn begin(&self) -> Option<usize> {
        let mut waiting = self.waiting.lock();
        loop {
            let shared = waiting.company.is_some_and(|at| at.elapsed() < COMPANY);
            let quota = if shared { SHARED } else { GROUP };
            let nobody = waiting.own.is_empty() && waiting.singles.is_empty();
            if !waiting.streams.is_empty() && (!shared || waiting.ahead < AHEAD) {
                return Some(quota);
            }
            if !nobody && waiting.ahead == 0 {
                return Some(quota);
            }
            if waiting.closed && nobody && waiting.streams.is_empty() {
                return None;
            }
            // Who waits already waits for a group to arrive; others wait with them.
            waiting.wanted = nobody;
            self.changed.wait(&mut waiting);
        }
    }

    /// Whether a single request waits.
    pub(crate) fn hurry(&self) -> bool {
        self.singles.load(Ordering::Relaxed) > 0
    }

    /// Who is next: single requests first, then streams if they may.
    pub(crate) fn next(&self, streams: bool) -> Option<Turn> {
        let mut waiting = self.waiting.lock();
        if let Some(own) = waiting.own.pop_front() {
            return Some(Turn::Own(own));
        }
        if let Some(commands) = waiting.singles.take(VecDeque::pop_front) {
            self.singles.fetch_sub(1, Ordering::Relaxed);
            return Some(Turn::Single(commands));
        }
        if !streams {
            return None;
        }
        let part = |streams: &mut Ring<u64, _>| streams.take(VecDeque::pop_front);
        waiting.streams.take(part).map(Turn::Part)
    }

    /// Gives back a message that is not decided to its end: before all others of
    /// its stream.
    pub(crate) fn later(&self, part: Part) {
        let mut waiting = self.waiting.lock();
        let Lane {
            principal, number, ..
        } = &part.lane;
        let parts = waiting.streams.of(principal).of(number);
        parts.push_front(part);
    }

    /// Whether nothing is on its way to the disk, and no stream is open of which more
    /// could be decided meanwhile.
    pub(crate) fn none_beside(&self) -> bool {
        Arc::strong_count(&self.open) == 1 && self.waiting.lock().ahead == 0
    }

    /// A group is on its way to the disk.
    pub(crate) fn sent(&self) {
        self.waiting.lock().ahead += 1;
    }

    /// A group has arrived there.
    pub(crate) fn arrived(&self) {
        let mut waiting = self.waiting.lock();
        waiting.ahead = waiting.ahead.saturating_sub(1);
        self.changed.notify_one();
    }
}

/// Queues by who they belong to, each in its turn. Who has nothing is not in it.
#[derive(Debug)]
struct Ring<K, Q> {
    queues: HashMap<K, Q>,
    order: VecDeque<K>,
}

impl<K, Q> Default for Ring<K, Q> {
    fn default() -> Self {
        Self {
            queues: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

/// Whether nothing is in it.
trait Empty {
    fn is_empty(&self) -> bool;
}

impl<T> Empty for VecDeque<T> {
    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
}

impl<K, Q> Empty for Ring<K, Q> {
    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl<K: Clone + Eq + std::hash::Hash, Q: Default + Empty> Ring<K, Q> {
    /// The queue of this one, who is last in the order if it is new. Something must
    /// be put into it.
    fn of(&mut self, key: &K) -> &mut Q {
        if !self.queues.contains_key(key) {
            self.order.push_back(key.clone());
        }
        self.queues.entry(key.clone()).or_default()
    }

    /// Takes from the queue whose turn it is; then it is the next one's turn.
    fn take<T>(&mut self, take: impl FnOnce(&mut Q) -> Option<T>) -> Option<T> {
        let key = self.order.pop_front()?;
        let queue = self.queues.get_mut(&key)?;
        let taken = take(queue);
        if queue.is_empty() {
            self.queues.remove(&key);
        } else {
            self.order.push_back(key);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Queue = VecDeque<u32>;

    #[test]
    fn everybody_has_a_turn_and_keeps_its_order() {
        let mut ring: Ring<&str, Ring<u8, Queue>> = Ring::default();
        // One caller has many streams with much in them, others have little.
        for number in 0..100 {
            ring.of(&"many").of(&1).push_back(number);
            ring.of(&"many").of(&2).push_back(1_000 + number);
        }
        ring.of(&"one").of(&3).push_back(7);
        ring.of(&"two").of(&4).push_back(8);
        ring.of(&"two").of(&4).push_back(9);
        let mut taken = Vec::new();
        while let Some(next) = ring.take(|inner| inner.take(VecDeque::pop_front)) {
            taken.push(next);
        }
        assert_eq!(taken[..8], [0, 7, 8, 1_000, 9, 1, 1_001, 2]);
        assert_eq!(taken.len(), 203);
        let second = taken.iter().filter(|n| **n >= 1_000);
        assert!(second.is_sorted(), "a stream keeps its order");
        assert!(ring.is_empty() && ring.queues.is_empty(), "nothing is kept");
    }

    fn command() -> Commands {
        let (reply, _nobody) = tokio::sync::oneshot::channel();
        Commands {
            requests: Vec::new(),
            reply,
            presence: crate::sequencer::Presence::Reply,
            since: Instant::now(),
        }
    }

    #[test]
    fn single_requests_wait_for_the_group_before_them_and_come_together() {
        let turns = Turns::new(8);
        let who = Principal::new("a").unwrap();
        turns.single(&who, command()).unwrap();
        assert_eq!(turns.begin(), Some(SHARED), "the first waits for nobody");
        assert!(turns.next(true).is_some());
        turns.sent();
        std::thread::scope(|scope| {
            let (send, receive) = std::sync::mpsc::channel();
            let turns = &turns;
            scope.spawn(move || send.send(turns.begin()));
            for _ in 0..3 {
                turns.single(&who, command()).unwrap();
            }
            let early = receive.recv_timeout(Duration::from_millis(50));
            assert!(early.is_err(), "a group is on its way to the disk");
            turns.arrived();
            assert_eq!(receive.recv().unwrap(), Some(SHARED));
        });
        let together = std::iter::from_fn(|| turns.next(true)).count();
        assert_eq!(together, 3);
    }

    #[test]
    fn what_is_given_back_comes_before_the_rest_of_its_queue() {
        let mut ring: Ring<&str, Queue> = Ring::default();
        ring.of(&"a").extend([1, 2]);
        ring.of(&"b").extend([10, 20]);
        let first = ring.take(VecDeque::pop_front).unwrap();
        ring.of(&"a").push_front(first);
        let order: Vec<_> = std::iter::from_fn(|| ring.take(VecDeque::pop_front)).collect();
        assert_eq!(order, [10, 1, 20, 2]);
    }
}
