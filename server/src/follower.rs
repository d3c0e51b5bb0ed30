//! Following a log that another server writes: its state is kept hot, reads are
//! answered at its position, and when the writer is gone this one takes over.
//!
//! One thread looks at the head of the log in the database, reads and verifies what is
//! new, folds it and only then lets it be seen. It takes over when it is told to, or
//! when the lease falls to it; then it ends, and the sequencer goes on with what it had.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use luzhang_ledger::{
    Body, Hash, LedgerId, Position, SubjectId,
    block::Head,
    log::{Log, ReadError},
    proof::VerifierKey,
    verify::{Finding, Verifier},
};
use luzhang_projections::{access::Access, projection::Projections};
use parking_lot::{Mutex, RwLock};
use thiserror::Error;
use tokio::sync::watch;

use crate::{
    checkpoints::Tidings,
    committer::{Poison, Stopped},
    denials::Denials,
    engine::EngineError,
    figures::Figures,
    postgres::{
        Announcer, Followed, KeyCopies, KeyTail, KeysError, Lease, LeaseSource, PostgresError,
        PostgresLog, Seeker, Voice, Watched, Writer, share,
    },
    replay::{ReplayError, each_event},
    sequencer::{self, Running},
    snapshots::Index,
    standing::Standing,
    turns::Turns,
    vault::{Copied, Retired, Vault, VaultError},
};

/// How often the head is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long after something went wrong.
const TROUBLED: Duration = Duration::from_millis(250);

/// Everything that a writer needs but the log.
pub(crate) struct Ready {
    pub(crate) ledger: LedgerId,
    pub(crate) vault: Arc<Vault>,
    pub(crate) projections: Arc<RwLock<Projections>>,
    pub(crate) index: Index,
    pub(crate) access: Arc<RwLock<Arc<Access>>>,
    pub(crate) denials: Arc<Denials>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) tree: Option<SyncSender<Tidings>>,
    pub(crate) erased: Arc<AtomicU64>,
    pub(crate) durable: watch::Sender<Head>,
    pub(crate) poison: Poison,
}

impl Ready {
    /// Destroys keys of persons who were erased while this server was away.
    pub(crate) fn sweep(&self) -> Result<(), VaultError> {
        let projections = self.projections.read();
        if projections.state.erasures() == 0 {
            return Ok(());
        }
        self.vault.sweep_whole(projections.state.erased())
    }

    /// With a log it is one.
    pub(crate) fn write(
        self,
        log: Box<dyn Log>,
        epoch: u64,
        genesis: Vec<Body>,
    ) -> sequencer::Start {
        sequencer::Start {
            ledger: self.ledger,
            epoch,
            log,
            vault: self.vault,
            projections: self.projections,
            index: self.index,
            genesis,
            access: self.access,
            denials: self.denials,
            figures: self.figures,
            tree: self.tree,
            erased: self.erased,
            durable: self.durable,
            poison: self.poison,
        }
    }
}

/// What following starts from.
pub(crate) struct Start {
    pub(crate) followed: Followed,
    pub(crate) ready: Ready,
    pub(crate) writer: Writer,
    pub(crate) lease: LeaseSource,
    pub(crate) turns: Arc<Turns>,
    pub(crate) standing: Arc<Standing>,
    /// Where the writer goes when this server has taken over.
    pub(crate) running: Arc<Mutex<Option<Running>>>,
}

/// The thread that follows.
#[derive(Debug)]
pub(crate) struct Follower {
    orders: Sender<Order>,
    thread: JoinHandle<Option<Index>>,
    /// Speaks of it also when it has stopped: then it is behind.
    announcer: Announcer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    TakeOver,
}

impl Follower {
    pub(crate) fn start(start: Start) -> Result<Self, EngineError> {
        let (orders, ordered) = channel();
        let announcer = start.followed.announcer(start.writer.name.clone())?;
        let mut following = Following {
            seeker: start.followed.seeker(start.lease),
            keys: start.followed.keys(),
            unsettled: Unsettled::default(),
            stale: BTreeSet::new(),
            followed: start.followed,
            ready: start.ready,
            writer: start.writer,
            standing: start.standing,
            voice: announcer.voice(),
        };
        let figures = &following.ready.figures;
        figures.follows(Some(following.followed.end()));
        let (turns, running) = (start.turns, start.running);
        // Before anybody can ask for what they open.
        following.take_keys()?;
        following.ready.sweep()?;
        let thread = thread::Builder::new()
            .name("luzhang-follower".to_owned())
            .spawn(move || following.run(&ordered, turns, &running))?;
        Ok(Self {
            orders,
            thread,
            announcer,
        })
    }

    /// Takes over, whoever writes.
    pub(crate) fn take_over(&self) {
        // If it has ended, it has taken over or never will.
        let _ended = self.orders.send(Order::TakeOver);
    }

    /// Ends. What it had, if it followed to the end.
    pub(crate) fn end(self) -> Option<Index> {
        drop(self.orders);
        drop(self.announcer);
        // A panic was reported by its own message.
        self.thread.join().ok().flatten()
    }
}

struct Following {
    followed: Followed,
    seeker: Seeker,
    keys: KeyTail,
    unsettled: Unsettled,
    /// Whose copies are under an earlier key-encryption key.
    stale: BTreeSet<SubjectId>,
    ready: Ready,
    writer: Writer,
    standing: Arc<Standing>,
    voice: Voice,
}

/// What was folded, and not done to the keys or not seen by anybody yet.
#[derive(Default)]
struct Unsettled {
    /// Their keys are to be destroyed.
    erased: Vec<Retired>,
    /// Who was erased and is back: their new keys are not those that are destroyed here,
    /// and the old ones are no longer where the new ones are.
    again: BTreeSet<SubjectId>,
    unseen: Option<Unseen>,
}

/// A block that was folded.
struct Unseen {
    head: Head,
    /// The hashes of its events, from the first one's position on.
    grown: Option<(Position, Vec<Hash>)>,
    adopted: Option<VerifierKey>,
}

/// Why the log cannot be followed, now or ever.
#[derive(Debug, Error)]
enum FollowError {
    #[error(transparent)]
    Database(#[from] PostgresError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{0}")]
    Replay(#[from] ReplayError),
    #[error("the log does not verify ({}): {}", .0.place, .0.detail)]
    Broken(Finding),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("the log ends at another event than its head says")]
    Short,
}

impl FollowError {
    /// Whether trying again cannot help: what was read is not what it has to be.
    fn is_final(&self) -> bool {
        match self {
            Self::Database(error) => matches!(
                error,
                PostgresError::Behind { .. } | PostgresError::Forked { .. }
            ),
            Self::Replay(_) | Self::Broken(_) => true,
            Self::Read(_) | Self::Vault(_) | Self::Keys(_) | Self::Short => false,
        }
    }

    /// The stable reason code, if it has one.
    fn code(&self) -> &'static str {
        match self {
            Self::Database(error) | Self::Keys(KeysError::Database(error)) => error.code(),
            Self::Vault(error) | Self::Keys(KeysError::Vault(error)) => error.code(),
            Self::Read(_) | Self::Replay(_) | Self::Broken(_) | Self::Short => "LEDGER_UNREADABLE",
        }
    }

    fn stopped(&self) -> Stopped {
        if let Self::Database(error) = self {
            return Stopped::new(error.zh(), error.to_string());
        }
        Stopped::new(format!("无法跟随账本：{self}"), self.to_string())
    }
}

impl Following {
    /// Until it is told to end, and then gives back what it had; or until it has taken
    /// over.
    fn run(
        mut self,
        orders: &Receiver<Order>,
        turns: Arc<Turns>,
        running: &Mutex<Option<Running>>,
    ) -> Option<Index> {
        let (mut pause, mut told) = (LOOK, false);
        let mut said = String::new();
        loop {
            match orders.recv_timeout(pause) {
                Ok(Order::TakeOver) => told = true,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Some(self.ready.index),
            }
            let followed = self.follow().and_then(|()| {
                let lease = self.seeker.seek();
                if lease.is_none() && !told {
                    return Ok(None);
                }
                self.take_over(lease).map(Some)
            });
            match followed {
                Ok(None) => {
                    pause = LOOK;
                    said.clear();
                }
                Ok(Some(log)) => {
                    self.write(log, turns, running);
                    return None;
                }
                Err(error) if error.is_final() => {
                    tracing::error!(%error, "the log is followed no further");
                    // Nobody else has said anything.
                    let _first = self.ready.poison.set(error.stopped());
                    self.ready.durable.send_modify(|_| {});
                    return Some(self.ready.index);
                }
                Err(error) => {
                    pause = TROUBLED;
                    // Once, however long it lasts.
                    let now = error.to_string();
                    if said != now {
                        let code = error.code();
                        tracing::warn!(code, error = %now, "the log cannot be followed at the moment");
                        said = now;
                    }
                }
            }
        }
    }

    /// Reads what is new, and lets it be seen.
    fn follow(&mut self) -> Result<(), FollowError> {
        if self.unsettled.unseen.is_some() {
            self.settle()?;
            self.followed.keep_mark()?;
        }
        let seen = self.followed.look()?;
        self.standing.is_written_by(&seen.writer);
        self.ready.figures.follows(Some(self.followed.end()));
        if !seen.news {
            return Ok(());
        }
        self.read()
    }

    /// Reads as far as the log is known to go.
    fn read(&mut self) -> Result<(), FollowError> {
        // Before the events that need them; they were stored before those.
        self.take_keys()?;
        let reader = self.followed.reader();
        let mut head = self.followed.head();
        let mut verifier = Verifier::after(self.ready.ledger, head);
        for block in reader.blocks_from(head.next_position()) {
            let block = block?;
            let verified = verifier.push(std::slice::from_ref(&block));
            verified.map_err(FollowError::Broken)?;
            head = verifier.head().ok_or(FollowError::Short)?;
            self.take(&block, head)?;
        }
        // Nothing is forgotten that was shown to anybody.
        self.followed.keep_mark()?;
        if self.followed.is_at_end() {
            Ok(())
        } else {
            Err(FollowError::Short)
        }
    }

    /// Takes the keys that the writer has stored since.
    fn take_keys(&mut self) -> Result<(), KeysError> {
        loop {
            let mut keys = self.keys.next()?;
            if keys.is_empty() {
                return Ok(());
            }
            let projections = self.ready.projections.read();
            keys.retain(|copied| !projections.state.is_erased(copied.key.subject));
            drop(projections);
            let mut stale = take_in(&mut self.keys, &self.ready.vault, &keys)?;
            self.stale.append(&mut stale);
            self.keys.taken();
        }
    }

    /// Folds a block that was verified, and lets it be seen.
    fn take(&mut self, block: &[u8], head: Head) -> Result<(), FollowError> {
        let ready = &mut self.ready;
        let Unsettled { erased, again, .. } = &mut self.unsettled;
        let mut hashes = Vec::new();
        let mut adopted = None;
        let mut projections = ready.projections.write();
        let mut first = None;
        let mut governed = false;
        each_event(block, |_, event, _| {
            first.get_or_insert(event.header.position);
            hashes.push(event.hash);
            match &event.body {
                Body::SubjectErased(erasure) => {
                    again.remove(&erasure.subject);
                    erased.push(ready.vault.retire(erasure.subject));
                }
                Body::PartyRegistered(party) if projections.state.is_erased(party.subject) => {
                    again.insert(party.subject);
                }
                Body::CheckpointKeyAdopted(adoption) => adopted = Some(adoption.key.clone()),
                Body::MandateProposed(_) | Body::MandateAdopted(_) => governed = true,
                Body::LedgerCreated { .. }
                | Body::PolicyPackAdopted { .. }
                | Body::PartyRegistered(_)
                | Body::PartyCorrected(_)
                | Body::Fact(_)
                | Body::Granted(_)
                | Body::Refused(_)
                | Body::Conflict(_)
                | Body::AccountBound(_)
                | Body::FactRetracted(_)
                | Body::FactCorrected(_)
                | Body::Step(_)
                | Body::StepRefused(_)
                | Body::ConflictCleared(_)
                | Body::StateAttested(_)
                | Body::AccessDenied(_)
                | Body::DetailsRevealed(_) => {}
            }
            projections.apply(&event);
            ready.index.see(&event);
        })?;
        if governed {
            *ready.access.write() = Arc::new(projections.state.access.clone());
        }
        drop(projections);
        // Whatever comes now, it is not folded twice.
        self.followed.has_passed(head);
        let end = head.position.map_or(0, Position::number);
        self.voice.passed(end);
        if !erased.is_empty() {
            ready.erased.store(end, Ordering::Release);
        }
        let grown = first.map(|first| (first, hashes));
        self.unsettled.unseen = Some(Unseen {
            head,
            grown,
            adopted,
        });
        self.settle()
    }

    /// Does to the keys what was read, and lets it be seen: now, or as soon as it can be
    /// done. Nothing more is read before.
    fn settle(&mut self) -> Result<(), FollowError> {
        let Unsettled {
            erased,
            again,
            unseen,
        } = &mut self.unsettled;
        if !erased.is_empty() {
            self.ready.vault.destroy(erased)?;
            erased.clear();
        }
        if !again.is_empty() {
            let keys = self.keys.of(again)?;
            let mut stale = take_in(&mut self.keys, &self.ready.vault, &keys)?;
            self.stale.append(&mut stale);
            again.clear();
        }
        let Some(unseen) = unseen.take() else {
            return Ok(());
        };
        self.ready.durable.send_replace(unseen.head);
        let Some(tree) = &self.ready.tree else {
            return Ok(());
        };
        if let Some((first, events)) = unseen.grown {
            // What there is no room to say is read from the log.
            let _read = tree.try_send(Tidings::Grown { first, events });
        }
        if let Some(key) = unseen.adopted {
            // Waits: the log is not looked through for this. If nobody listens, no
            // checkpoint is signed in any case.
            let _gone = tree.send(Tidings::Adopted(Box::new(key)));
        }
        Ok(())
    }

    /// Opens the log for writing, and reads it to its end.
    fn take_over(&mut self, lease: Option<Lease>) -> Result<PostgresLog, FollowError> {
        let began = Instant::now();
        // Before the epoch is raised: who may not write must not keep others from it.
        self.ready.vault.require(self.keys.agreed()?)?;
        let log = self.followed.take_over(lease, self.writer.clone())?;
        self.read()?;
        let epoch = log.epoch();
        // In this epoch nobody else changes it.
        let agreed = self.keys.agreed()?;
        self.ready.vault.require(agreed)?;
        self.followed.watch(Watched {
            ledger: self.ready.ledger,
            epoch,
            name: self.writer.name.clone(),
            poison: Arc::downgrade(&self.ready.poison),
            figures: Arc::clone(&self.ready.figures),
        })?;
        let mut copies = KeyCopies::after(&self.keys, epoch);
        share(&self.ready.vault, agreed, &self.stale, &mut copies)?;
        self.ready.vault.share(Box::new(copies));
        tracing::warn!(epoch, took = ?began.elapsed(), "this server writes the ledger now");
        Ok(log)
    }

    fn write(self, log: PostgresLog, turns: Arc<Turns>, running: &Mutex<Option<Running>>) {
        let epoch = log.epoch();
        let poison = Arc::clone(&self.ready.poison);
        self.ready.figures.follows(None);
        self.voice.end();
        let start = self.ready.write(Box::new(log), epoch, Vec::new());
        match sequencer::start(start, turns) {
            Ok(started) => {
                *running.lock() = Some(started);
                self.standing.writes();
            }
            Err(error) => {
                tracing::error!(%error, "this server cannot write");
                let _first = poison.set(Stopped::new(
                    format!("系统错误：{error}"),
                    error.to_string(),
                ));
            }
        }
    }
}

/// Takes copies of keys in. Says of which subjects there are some under an earlier
/// key-encryption key.
fn take_in(
    tail: &mut KeyTail,
    vault: &Vault,
    copies: &[Copied],
) -> Result<BTreeSet<SubjectId>, KeysError> {
    let ours = vault.kek();
    let agreed = if copies.iter().all(|copied| Some(copied.kek) == ours) {
        ours
    } else {
        tail.agreed()?
    };
    Ok(vault.take_in(copies, agreed)?)
}
