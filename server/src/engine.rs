//! A ledger in use: its state, its queue, and reads that are never ahead of what
//! is durable.

mod error;
mod keys;
mod opening;
mod place;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::{Duration, Instant, SystemTime},
};

use luzhang_ledger::{
    Body, LedgerId, Position, StreamId, StreamKind,
    access::{Mandate, Role},
    block::Head,
    log::{Reader, sled::Held, tiles::TileReader},
    proof::{Frontier, SignedCheckpoint, VerifierKey, note::KeyName},
    text::Principal,
};
use luzhang_projections::{
    access::{Access, Identity},
    projection::{Projections, Status},
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};
use tonic::Code;
use tracing::Instrument as _;

use crate::{
    checkpoints::{self, Checkpoints, OldKey, Proofs, Published, Rotation, Tidings, Trouble},
    committer::{Poison, Stopped},
    convert::{from_proto::Request, to_proto::Outcome},
    denials::Denials,
    figures::Figures,
    follower::Follower,
    postgres::{Durable, LeaseSource},
    rejected::Rejected,
    sequencer::{Commands, Own, Presence, Running, Said, Say},
    snapshots::{Index, Keeper, Parts, Snapshots},
    standing::Standing,
    turns::{Lane, Length, Turned, Turns},
    vault::{KekSource, Vault},
};

pub(crate) use self::place::database;
pub use self::{
    error::EngineError,
    keys::{rotate_kek, take_kek},
    place::{
        BareCopy, DatabaseCopy, database_files, join, open_database, open_for_audit, open_to_read,
        witnessed,
    },
};

/// How many messages may wait for the sequencer.
pub const DEFAULT_QUEUE: usize = 1_024;

/// How long a checkpoint may take: witnesses are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a ledger is used.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many messages may wait for the sequencer.
    pub queue: usize,
    /// Whether a tree is kept, and when it is signed.
    pub proofs: Proofs,
    /// Where the key that wraps all others comes from.
    pub kek: KekSource,
    /// Whether what was folded is kept for the next start.
    pub snapshots: Snapshots,
    /// How a log in a database is used.
    pub database: DatabaseOptions,
}

/// How a log in a database is used.
#[derive(Clone, Debug, Default)]
pub struct DatabaseOptions {
    /// Its address, if not the one that the data directory was made with.
    pub address: Option<String>,
    /// When an append counts as durable.
    pub durable: Durable,
    /// What others are told of this server: where it is asked.
    pub name: String,
    /// When one that follows takes over by itself.
    pub lease: LeaseSource,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: DEFAULT_QUEUE,
            proofs: Proofs::default(),
            kek: KekSource::default(),
            snapshots: Snapshots::default(),
            database: DatabaseOptions::default(),
        }
    }
}

/// A ledger in use.
#[derive(Debug)]
pub struct Engine {
    ledger: LedgerId,
    vault: Arc<Vault>,
    reader: Arc<dyn Reader>,
    projections: Arc<RwLock<Projections>>,
    turns: Arc<Turns>,
    running: Arc<Mutex<Option<Running>>>,
    standing: Arc<Standing>,
    follower: Mutex<Option<Follower>>,
    durable: watch::Receiver<Head>,
    poison: Poison,
    checkpoints: Mutex<Option<Checkpoints>>,
    keeper: Mutex<Option<Keeper>>,
    tree: Option<Tree>,
    access: Arc<RwLock<Arc<Access>>>,
    denials: Arc<Denials>,
    figures: Arc<Figures>,
    dir: PathBuf,
    /// The data directory's lock, where the log itself has none.
    _held: Option<Held>,
}

/// The tree, for reading.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Its nodes.
    pub tiles: TileReader,
    published: watch::Receiver<Published>,
    /// Where it is kept.
    dir: PathBuf,
}

/// What a new ledger begins with.
#[derive(Debug)]
pub struct Genesis {
    /// Its identity.
    pub ledger: LedgerId,
    /// The text of its first policy pack, if any.
    pub pack: Option<Vec<u8>>,
    /// The origin of its checkpoints; `luzhang/` and its id by default.
    pub origin: Option<KeyName>,
    /// The first mandates; none leaves everything to everybody on this machine.
    pub mandates: Vec<Mandate>,
}

impl Engine {
    /// Gives the first mandates of a ledger that has none yet.
    ///
    /// # Errors
    /// `PRINCIPALS_EXIST` if it has some, `ADMINISTRATORS_TOO_FEW` if fewer than two
    /// of these are administrators.
    pub async fn found(&self, mandates: Vec<Mandate>) -> Result<Position, Rejected> {
        enough_administrators(&mandates)?;
        if self.access().is_governed() {
            return Err(already_governed());
        }
        let say = move |projections: &Projections| {
            if projections.state.access.is_governed() {
                return Vec::new();
            }
            let said = |mandate: Mandate| Said {
                by: Identity::believed(Principal::ledger()),
                stream: StreamId::of(StreamKind::Principal, mandate.principal.as_str()),
                body: Body::MandateAdopted(Box::new(mandate)),
            };
            mandates.into_iter().map(said).collect()
        };
        let last = self.record(Box::new(say)).await?;
        last.ok_or_else(already_governed)
    }

    /// Which ledger.
    pub fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// The keys.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The log, for reading.
    pub fn reader(&self) -> &Arc<dyn Reader> {
        &self.reader
    }

    /// The durable end of the chain.
    pub fn head(&self) -> Head {
        *self.durable.borrow()
    }

    /// Follows the durable end of the chain.
    pub fn follow(&self) -> watch::Receiver<Head> {
        self.durable.clone()
    }

    /// Queues a caller's commands if there is room, before what comes in streams.
    /// The answer comes when they are durable.
    pub fn try_submit(
        &self,
        principal: &Principal,
        requests: Vec<Result<Request, Rejected>>,
    ) -> Result<Pending, Rejected> {
        self.require_writer()?;
        let (reply, pending) = oneshot::channel();
        let commands = Commands {
            requests,
            reply,
            presence: Presence::Reply,
            since: Instant::now(),
        };
        match self.turns.single(principal, commands) {
            Ok(()) => Ok(Pending(pending)),
            Err(Turned::Full) => Err(Rejected::queue_full()),
            Err(Turned::Closed) => Err(Rejected::shutting_down()),
        }
    }

    /// A caller's stream, for whose messages this listener waits.
    pub fn stream(&self, principal: &Principal, listener: &Listener) -> Source {
        Source {
            lane: self.turns.lane(principal),
            listener: Arc::downgrade(&listener.0),
        }
    }

    /// Queues a message of a stream, waiting for room: how a stream is slowed down.
    pub async fn submit_for(
        &self,
        source: &Source,
        requests: Vec<Result<Request, Rejected>>,
    ) -> Result<Pending, Rejected> {
        self.require_writer()?;
        let (reply, pending) = oneshot::channel();
        let commands = Commands {
            requests,
            reply,
            presence: Presence::Shared(Weak::clone(&source.listener)),
            since: Instant::now(),
        };
        let queued = self.turns.message(&source.lane, commands).await;
        queued.map_err(|_| Rejected::shutting_down())?;
        Ok(Pending(pending))
    }

    /// Refuses what would be written while another server writes.
    fn require_writer(&self) -> Result<(), Rejected> {
        self.standing.elsewhere().map_or(Ok(()), Err)
    }

    /// Whether another server writes this ledger, and who that is, in its own words.
    pub fn follows(&self) -> Option<String> {
        self.standing.follows().then(|| self.standing.writer())
    }

    /// Takes over the writing of a ledger that was followed, whoever writes it now.
    pub fn take_over(&self) {
        if let Some(follower) = &*self.follower.lock() {
            follower.take_over();
        }
    }

    /// Records what no command asks for; the answer comes when it is durable.
    pub(crate) async fn record(&self, say: Say) -> Result<Option<Position>, Rejected> {
        self.require_writer()?;
        let (reply, done) = oneshot::channel();
        let queued = self.turns.own(Own { say, reply });
        queued.map_err(|_| Rejected::shutting_down())?;
        done.await.map_err(|_| Rejected::shutting_down())?
    }

    /// Who may do what, without waiting for the state.
    pub fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.read())
    }

    /// What was denied.
    pub fn denials(&self) -> &Arc<Denials> {
        &self.denials
    }

    /// What is counted.
    pub fn figures(&self) -> &Arc<Figures> {
        &self.figures
    }

    /// Where its keys are, and all else that is kept as files.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// How much waits to be decided.
    pub(crate) fn queued(&self) -> Length {
        self.turns.length()
    }

    /// Reads the projections. The answer is given when everything that it was
    /// read from is durable.
    pub async fn read<R>(&self, read: impl FnOnce(&Projections) -> R) -> Result<R, Rejected> {
        self.turns.company();
        let (result, position) = {
            let projections = self.projections.read();
            (read(&projections), projections.state.position())
        };
        let mut durable = self.durable.clone();
        let poison = Arc::clone(&self.poison);
        let reached = |head: &Head| head.position >= position || poison.get().is_some();
        if durable.wait_for(reached).await.is_err() && self.head().position < position {
            return Err(Rejected::shutting_down());
        }
        match self.poison.get() {
            Some(why) if self.head().position < position => Err(Rejected::stopped(why)),
            Some(_) | None => Ok(result),
        }
    }

    /// As [`Engine::read`], away from the runtime's own threads: for what takes
    /// long.
    pub async fn read_aside<R: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Projections) -> R + Send + 'static,
    ) -> Result<R, Rejected> {
        let engine = Arc::clone(self);
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || runtime.block_on(engine.read(read)))
            .await
            .map_err(|_| Rejected::shutting_down())?
    }

    /// Reads what nothing that is not durable yet can change, such as the packs
    /// that durable events refer to. It is answered after a storage failure too.
    pub fn peek<R>(&self, read: impl FnOnce(&Projections) -> R) -> R {
        read(&self.projections.read())
    }

    /// The projections' statuses.
    pub async fn statuses(self: &Arc<Self>) -> Result<Vec<Status>, Rejected> {
        self.read_aside(Projections::statuses).await
    }

    /// The tree, if it is kept.
    pub fn tree(&self) -> Result<&Tree, Rejected> {
        self.tree.as_ref().ok_or_else(Rejected::no_tree)
    }

    /// A checkpoint over this position, signed now if there is none yet.
    pub async fn checkpoint(&self, over: Position) -> Result<Arc<SignedCheckpoint>, Rejected> {
        let covered = tokio::time::timeout(PATIENCE, self.covered(over)).await;
        covered.unwrap_or_else(|_| {
            Err(Rejected::trouble(&Trouble::Witnesses {
                detail: format!("no answer in {} s", PATIENCE.as_secs()),
            }))
        })
    }

    async fn covered(&self, over: Position) -> Result<Arc<SignedCheckpoint>, Rejected> {
        let mut published = self.tree()?.published.clone();
        // From here on nothing is missed. What was wrong before is not the answer
        // to what is asked now.
        published.mark_unchanged();
        if let Some(checkpoint) = published.borrow().covering(over) {
            return Ok(checkpoint);
        }
        self.tell(Tidings::Wanted(over)).await?;
        loop {
            if published.changed().await.is_err() {
                return Err(Rejected::shutting_down());
            }
            let state = published.borrow_and_update();
            if let Some(checkpoint) = state.covering(over) {
                return Ok(checkpoint);
            }
            if let Some(trouble) = &state.trouble {
                return Err(Rejected::trouble(trouble));
            }
        }
    }

    /// Records the digests of the projections, and signs a tree with that in it.
    /// The position is that of the record.
    pub async fn attest(&self) -> Result<Position, Rejected> {
        self.require_writer()?;
        let (reply, done) = oneshot::channel();
        self.tell(Tidings::Attest(reply)).await?;
        done.await.map_err(|_| Rejected::shutting_down())?
    }

    /// Replaces the key that signs checkpoints.
    pub async fn rotate_checkpoint_key(&self, old: OldKey) -> Result<VerifierKey, Rejected> {
        self.require_writer()?;
        let (reply, done) = oneshot::channel();
        self.tell(Tidings::Rotate(Rotation { old, reply })).await?;
        done.await.map_err(|_| Rejected::shutting_down())?
    }

    /// Has the tiles made anew from the log.
    pub(crate) async fn rebuild_tree(&self) -> Result<(), Rejected> {
        self.tell(Tidings::Damaged).await
    }

    /// Tells the signer, away from the runtime's own threads: it may be busy.
    async fn tell(&self, tidings: Tidings) -> Result<(), Rejected> {
        self.tree()?;
        let send = self.checkpoints.lock().as_ref().map(Checkpoints::sender);
        let send = send.ok_or_else(Rejected::shutting_down)?;
        let sent = tokio::task::spawn_blocking(move || send.send(tidings)).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            // It ends only when it cannot go on.
            Ok(Err(_)) => {
                let published = self.tree()?.published.borrow().trouble.clone();
                let why = published.as_ref().map(Rejected::trouble);
                Err(why.unwrap_or_else(Rejected::shutting_down))
            }
            Err(_) => Err(Rejected::shutting_down()),
        }
    }

    /// Why the writer stopped, if it did.
    pub fn poisoned(&self) -> Option<&Stopped> {
        self.poison.get()
    }

    /// Takes no more, finishes what is queued, keeps what it folds to for the next
    /// start, closes the log.
    pub fn close(&self) {
        self.turns.close();
        let follower = self.follower.lock().take();
        let followed = follower.and_then(Follower::end);
        let left = self.running.lock().take().and_then(Running::join);
        let checkpoints = self.checkpoints.lock().take();
        let frontier = checkpoints.and_then(Checkpoints::join);
        let keeper = self.keeper.lock().take();
        if let Some(keeper) = keeper {
            let index = left.as_ref().map(|left| &left.index).or(followed.as_ref());
            self.keep(keeper, index, frontier.as_ref());
        }
        if let Some(left) = left
            && let Err(error) = left.log.close()
        {
            tracing::error!(%error, "the log did not close in order");
        }
    }

    /// Ends whoever makes snapshots, with a last one if everything ended in order.
    fn keep(&self, keeper: Keeper, index: Option<&Index>, frontier: Option<&Frontier>) {
        let head = self.head();
        let projections = self.projections.read();
        let whole = self.poison.get().is_none() && projections.state.position() == head.position;
        let at_end = |frontier: &&Frontier| frontier.head().last() == head.position;
        let parts = match (index, frontier.filter(at_end)) {
            (Some(index), Some(frontier)) if whole => Some(Parts {
                head,
                projections: &projections,
                index,
                frontier,
            }),
            (_, _) => None,
        };
        keeper.end(parts.as_ref());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

/// Waits for the outcomes of many messages, such as those of a stream. When it
/// is dropped, what is not decided yet never is.
#[derive(Debug, Default)]
pub struct Listener(Arc<()>);

/// One stream of messages. It does not keep its [`Listener`] alive.
#[derive(Clone, Debug)]
pub struct Source {
    lane: Lane,
    listener: Weak<()>,
}

/// Outcomes to come.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Vec<Result<Outcome, Rejected>>>);

impl Pending {
    /// Waits until the commands are decided and durable.
    pub async fn outcomes(self) -> Result<Vec<Result<Outcome, Rejected>>, Rejected> {
        // Its time is that in the queue, of the decision, and of the flush.
        let waiting = tracing::info_span!("decided and durable");
        let outcomes = self.0.instrument(waiting).await;
        outcomes.map_err(|_| Rejected::shutting_down())
    }
}

impl Tree {
    /// The newest checkpoint that is given out.
    pub fn published(&self) -> Option<Arc<SignedCheckpoint>> {
        self.published.borrow().checkpoint.clone()
    }

    /// When that was, as far as the disk knows.
    pub(crate) fn published_at(&self) -> Option<SystemTime> {
        checkpoints::published_at(&self.dir)
    }

    /// Why there is no newer one, if that is so.
    pub fn trouble(&self) -> Option<Trouble> {
        self.published.borrow().trouble.clone()
    }
}

fn already_governed() -> Rejected {
    Rejected::new(
        Code::FailedPrecondition,
        "PRINCIPALS_EXIST",
        "本账本已有授权：变更由一名系统管理员提出，另一名确认",
        "this ledger has mandates already: one administrator proposes a change, another confirms it",
    )
}

/// Whether first mandates are enough to change mandates later.
pub fn enough_administrators(mandates: &[Mandate]) -> Result<(), Rejected> {
    let is_one = |mandate: &&Mandate| mandate.roles.contains(Role::Administrator);
    if mandates.iter().filter(is_one).count() < 2 {
        return Err(luzhang_projections::Rejection::TooFewAdministrators.into());
    }
    Ok(())
}
