//! A ledger in use: its state, its queue, and reads that are never ahead of what
//! is durable.

mod error;

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use luzhang_ledger::{
    Body, LedgerId, Position, StreamId, StreamKind,
    access::{Mandate, Role},
    block::Head,
    log::{Log, Reader, sled::SledLog, tiles::TileReader},
    proof::{Frontier, SignedCheckpoint, VerifierKey, note::KeyName},
    text::{Label, Principal},
};
use luzhang_projections::{
    Pack,
    access::{Access, Identity},
    projection::{Projections, Status},
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};
use tonic::Code;

use crate::{
    checkpoints::{
        self, Checkpoints, Contradiction, OldKey, Opening, Proofs, Published, Rotation, Tidings,
        Trouble,
    },
    committer::{Poison, Stopped},
    convert::{
        from_proto::Request,
        to_proto::{LoggedEvent, Outcome},
    },
    denials::Denials,
    rejected::Rejected,
    replay::{self, Replayed},
    sequencer::{self, Commands, Left, Own, Presence, Running, Said, Say, Start},
    snapshots::{self, Folded, Index, Keeper, Parts, Shelf, Snapshots},
    turns::{Lane, Turned, Turns},
    vault::{KekSource, Vault, VaultError},
};

pub use self::error::EngineError;

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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: DEFAULT_QUEUE,
            proofs: Proofs::default(),
            kek: KekSource::default(),
            snapshots: Snapshots::default(),
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
    running: Mutex<Option<Running>>,
    durable: watch::Receiver<Head>,
    poison: Poison,
    checkpoints: Mutex<Option<Checkpoints>>,
    keeper: Mutex<Option<Keeper>>,
    tree: Option<Tree>,
    access: Arc<RwLock<Arc<Access>>>,
    denials: Arc<Denials>,
}

/// The tree, for reading.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Its nodes.
    pub tiles: TileReader,
    published: watch::Receiver<Published>,
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
    /// Makes a new ledger in `dir` and opens it.
    pub fn create(dir: &Path, genesis: Genesis, options: Options) -> Result<Self, EngineError> {
        if let Some(text) = &genesis.pack {
            // Checked before anything is written.
            Pack::load(text)?;
        }
        let log = SledLog::create(dir, genesis.ledger)?;
        let epoch = log.next_epoch();
        let log: Box<dyn Log> = Box::new(log);
        Self::begin((log, epoch), dir, genesis, options, Some(dir))
    }

    /// Opens the ledger in `dir`: reads the log, verifying it, from the newest
    /// snapshot on if there is one that fits.
    ///
    /// `progress` is told how many events were read so far, and of how many.
    pub fn open(
        dir: &Path,
        options: Options,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Self, EngineError> {
        let log = SledLog::open(dir)?;
        // Nothing is changed in the keys until it is certain that they are this
        // ledger's.
        let vault = Vault::for_reading(dir, &options.kek)?;
        let mut opening = open_tree(dir, &options.proofs)?;
        let ledger = log.ledger();
        let epoch = log.next_epoch();
        let head = log.head();
        let total = head.position.map_or(0, Position::number);
        let reader = log.reader();
        let snapshot = match options.snapshots {
            Snapshots::Off => None,
            Snapshots::On(_) => {
                let shelf = Shelf::of(dir, ledger)?;
                shelf.newest(&vault, &*reader, |found| {
                    resumes(opening.as_mut(), found, &*reader)
                })
            }
        };
        if snapshot.is_none() {
            // As it was before a snapshot was tried.
            opening = open_tree(dir, &options.proofs)?;
        }
        let from = snapshot.as_ref().map(|folded| folded.head);
        let was = snapshot.as_ref().map_or(0, Folded::position);
        let erasures = snapshot.as_ref().map_or(0, Folded::erasures);
        let (mut projections, mut index) = snapshot.map_or_else(Default::default, |folded| {
            (folded.projections, folded.index)
        });
        // Only this ledger's keys make a snapshot.
        let mut key_check = None;
        let take = |events: Vec<Replayed>| {
            for event in &events {
                if let Body::LedgerCreated {
                    key_check: check, ..
                } = &event.body
                {
                    key_check = Some(*check);
                }
                projections.apply(event);
                index.see(event);
                if let Some(opening) = &mut opening {
                    opening.see(event, event.hash);
                }
            }
            progress(
                projections.state.position().map_or(0, Position::number),
                total,
            );
            ControlFlow::Continue(())
        };
        match from {
            None => replay::replay(&*reader, take)?,
            Some(head) => replay::replay_after(&*reader, (ledger, head), take)?,
        }
        if key_check.is_some_and(|check| check != vault.check_value(ledger)) {
            return Err(VaultError::Mismatch.into());
        }
        let vault = Arc::new(vault.for_writing()?);
        if projections.state.erasures() > 0 {
            // What a crash kept from being destroyed.
            vault.sweep(projections.state.erased())?;
        }
        let erased = Arc::<AtomicU64>::default();
        if projections.state.erasures() > erasures {
            erased.store(total, Ordering::Release);
        }
        // A crash between making the directory and the first block leaves a
        // ledger without events; it begins now.
        let genesis = match head.position {
            Some(_) => Vec::new(),
            None => vec![created(ledger, &vault)],
        };
        let fresh = !genesis.is_empty();
        if let Some(opening) = &mut opening {
            opening.end()?.map_err(|found| match found {
                Contradiction::Truncated { signed, log } => EngineError::SignedMore { signed, log },
                Contradiction::Forked { size } => EngineError::SignedOther { size },
            })?;
        }
        let engine = Self::start(
            Start {
                ledger,
                epoch,
                log: Box::new(log),
                vault,
                projections: Arc::new(RwLock::new(projections)),
                index,
                genesis,
                access: Arc::default(),
                denials: Arc::default(),
                tree: None,
                erased,
            },
            opening,
            options,
            Some((dir, was)),
        )?;
        if fresh {
            engine.wait_for_genesis()?;
        }
        Ok(engine)
    }

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

    /// Runs over a log of another kind, for tests and yardsticks: the log must
    /// be empty, `keys` is a directory for the keys.
    pub fn over(
        log: Box<dyn Log>,
        keys: &Path,
        genesis: Genesis,
        options: Options,
    ) -> Result<Self, EngineError> {
        Self::begin((log, 1), keys, genesis, options, None)
    }

    /// `dir` is where snapshots go.
    fn begin(
        (log, epoch): (Box<dyn Log>, u64),
        keys: &Path,
        genesis: Genesis,
        options: Options,
        dir: Option<&Path>,
    ) -> Result<Self, EngineError> {
        let vault = Arc::new(Vault::create(keys, &options.kek)?);
        if let Some(origin) = genesis.origin {
            checkpoints::name_key(keys, origin)?;
        }
        let mut opening = open_tree(keys, &options.proofs)?;
        if let Some(opening) = &mut opening {
            // There is no log yet that it could contradict.
            let _nothing = opening.end()?;
        }
        let mut bodies = vec![created(genesis.ledger, &vault)];
        if let Some(text) = genesis.pack {
            bodies.push(Body::PolicyPackAdopted {
                pack: Pack::load(&text)?.id.clone(),
                content: text.into_boxed_slice(),
            });
        }
        let founded = genesis.mandates.into_iter();
        bodies.extend(founded.map(|mandate| Body::MandateAdopted(Box::new(mandate))));
        let engine = Self::start(
            Start {
                ledger: genesis.ledger,
                epoch,
                log,
                vault,
                projections: Arc::default(),
                index: Index::default(),
                genesis: bodies,
                access: Arc::default(),
                denials: Arc::default(),
                tree: None,
                erased: Arc::default(),
            },
            opening,
            options,
            dir.map(|dir| (dir, 0)),
        )?;
        engine.wait_for_genesis()?;
        Ok(engine)
    }

    /// `beside` is where snapshots go, and the position of the newest there.
    fn start(
        mut start: Start,
        opening: Option<Opening>,
        options: Options,
        beside: Option<(&Path, u64)>,
    ) -> Result<Self, EngineError> {
        let turns = Arc::new(Turns::new(options.queue.max(1)));
        let (tell, hear) = checkpoints::channel();
        start.tree = opening.is_some().then(|| tell.clone());
        let ledger = start.ledger;
        let vault = Arc::clone(&start.vault);
        let reader = start.log.reader();
        let projections = Arc::clone(&start.projections);
        let access = Arc::clone(&start.access);
        let denials = Arc::clone(&start.denials);
        *access.write() = Arc::new(projections.read().state.access.clone());
        let erased = Arc::clone(&start.erased);
        let running = sequencer::start(start, Arc::clone(&turns))?;
        let keeper = match (beside, options.snapshots) {
            (None, _) => None,
            (Some((dir, _)), Snapshots::Off) => {
                Shelf::clear(dir)?;
                None
            }
            (Some((dir, newest)), Snapshots::On(cadence)) => {
                let shelf = Shelf::of(dir, ledger)?;
                shelf.tidy(newest)?;
                Some(Keeper::start(snapshots::Start {
                    shelf,
                    vault: Arc::clone(&vault),
                    cadence,
                    log: Arc::clone(&reader),
                    durable: running.durable.clone(),
                    newest,
                    erased,
                })?)
            }
        };
        let checkpoints = opening.map(|opening| {
            let start = checkpoints::Start {
                ledger,
                opening,
                origin: KeyName::of_ledger(ledger),
                schedule: match options.proofs {
                    Proofs::Scheduled(schedule) => Some(*schedule),
                    Proofs::OnDemand | Proofs::Off => None,
                },
                log: Arc::clone(&reader),
                durable: running.durable.clone(),
                turns: Arc::clone(&turns),
            };
            checkpoints::start(start, tell, hear)
        });
        let checkpoints = checkpoints.transpose()?;
        let tree = checkpoints.as_ref().map(|running| Tree {
            tiles: running.tiles.clone(),
            published: running.published.clone(),
        });
        Ok(Self {
            ledger,
            vault,
            reader,
            projections,
            turns,
            durable: running.durable.clone(),
            poison: Arc::clone(&running.poison),
            running: Mutex::new(Some(running)),
            checkpoints: Mutex::new(checkpoints),
            keeper: Mutex::new(keeper),
            tree,
            access,
            denials,
        })
    }

    /// The first block is written before anything else happens; this is the
    /// one place that waits for it without a runtime.
    fn wait_for_genesis(&self) -> Result<(), EngineError> {
        loop {
            if let Some(why) = self.poison.get() {
                return Err(EngineError::Genesis(why.clone()));
            }
            if self.head().position.is_some() {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
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
        let (reply, pending) = oneshot::channel();
        let commands = Commands {
            requests,
            reply,
            presence: Presence::Reply,
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
        let (reply, pending) = oneshot::channel();
        let commands = Commands {
            requests,
            reply,
            presence: Presence::Shared(Weak::clone(&source.listener)),
        };
        let queued = self.turns.message(&source.lane, commands).await;
        queued.map_err(|_| Rejected::shutting_down())?;
        Ok(Pending(pending))
    }

    /// Records what no command asks for; the answer comes when it is durable.
    pub(crate) async fn record(&self, say: Say) -> Result<Option<Position>, Rejected> {
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
        let (reply, done) = oneshot::channel();
        self.tell(Tidings::Attest(reply)).await?;
        done.await.map_err(|_| Rejected::shutting_down())?
    }

    /// Replaces the key that signs checkpoints.
    pub async fn rotate_checkpoint_key(&self, old: OldKey) -> Result<VerifierKey, Rejected> {
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
        let left = self.running.lock().take().and_then(Running::join);
        let checkpoints = self.checkpoints.lock().take();
        let frontier = checkpoints.and_then(Checkpoints::join);
        let keeper = self.keeper.lock().take();
        if let Some(keeper) = keeper {
            self.keep(keeper, left.as_ref(), frontier.as_ref());
        }
        if let Some(left) = left
            && let Err(error) = left.log.close()
        {
            tracing::error!(%error, "the log did not close in order");
        }
    }

    /// Ends whoever makes snapshots, with a last one if everything ended in order.
    fn keep(&self, keeper: Keeper, left: Option<&Left>, frontier: Option<&Frontier>) {
        let head = self.head();
        let projections = self.projections.read();
        let whole = self.poison.get().is_none() && projections.state.position() == head.position;
        let at_end = |frontier: &&Frontier| frontier.head().last() == head.position;
        let parts = match (left, frontier.filter(at_end)) {
            (Some(left), Some(frontier)) if whole => Some(Parts {
                head,
                projections: &projections,
                index: &left.index,
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
        self.0.await.map_err(|_| Rejected::shutting_down())
    }
}

impl Tree {
    /// The newest checkpoint that is given out.
    pub fn published(&self) -> Option<Arc<SignedCheckpoint>> {
        self.published.borrow().checkpoint.clone()
    }

    /// Why there is no newer one, if that is so.
    pub fn trouble(&self) -> Option<Trouble> {
        self.published.borrow().trouble.clone()
    }
}

/// Whether what was signed is proven to be in the tree of a snapshot; then the tree
/// goes on from there.
fn resumes(opening: Option<&mut Opening>, found: &Folded, log: &dyn Reader) -> bool {
    let Some(opening) = opening else {
        return true;
    };
    let mut adoptions = Vec::new();
    for position in &found.index.adoptions {
        let event = replay::event_at(log, *position);
        let Ok(Some(LoggedEvent { event, .. })) = event else {
            return false;
        };
        let Body::CheckpointKeyAdopted(adoption) = event.body else {
            return false;
        };
        adoptions.push(*adoption);
    }
    let resumed = opening.resume(&found.frontier, adoptions, log);
    resumed.unwrap_or_else(|error| {
        tracing::warn!(%error, "the tree does not help to use a snapshot");
        false
    })
}

fn open_tree(dir: &Path, proofs: &Proofs) -> Result<Option<Opening>, EngineError> {
    match proofs {
        Proofs::Off => Ok(None),
        Proofs::OnDemand | Proofs::Scheduled(_) => Ok(Some(Opening::begin(dir)?)),
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

/// The first event of a ledger.
fn created(ledger: LedgerId, vault: &Vault) -> Body {
    Body::LedgerCreated {
        ledger,
        software: Label::software(env!("CARGO_PKG_VERSION")),
        key_check: vault.check_value(ledger),
    }
}
