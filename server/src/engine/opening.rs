//! Making a ledger, and opening one: its log, its keys, what was folded of it.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use luzhang_ledger::{
    Body, LedgerId, Position,
    block::Head,
    log::{
        Log, Reader,
        sled::{self, Elsewhere, Held, Place, SledLog},
    },
    proof::note::KeyName,
    text::Label,
};
use luzhang_projections::{Pack, projection::Projections};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::{
    DatabaseOptions, Engine, EngineError, Genesis, Options, Tree,
    place::{Opened, database, keep_address, open_log, writer},
};
use crate::{
    checkpoints::{self, Contradiction, Opening, Proofs},
    committer::Poison,
    convert::to_proto::LoggedEvent,
    figures::Figures,
    follower::{self, Follower},
    postgres::{self, Database, Followed, PostgresLog, Watched, reconcile},
    replay::{self, Replayed},
    sequencer::{self, Running},
    snapshots::{self, Cadence, Folded, Index, Keeper, Shelf, Snapshots},
    standing::Standing,
    turns::Turns,
    vault::{Vault, VaultError},
};

/// What was read of a log.
struct Known {
    ledger: LedgerId,
    head: Head,
    vault: Arc<Vault>,
    projections: Projections,
    index: Index,
    opening: Option<Opening>,
    erased: Arc<AtomicU64>,
    /// The position of the newest snapshot.
    kept: u64,
}

/// Who moves the end of the log on.
enum Mover {
    Writer(Box<Opened>, Vec<Body>),
    Follower(Box<Followed>, DatabaseOptions, Held),
}

impl Engine {
    /// Makes a new ledger in `dir` and opens it. With the address of a database the log
    /// is there, and all else in `dir`.
    pub fn create(dir: &Path, genesis: Genesis, options: Options) -> Result<Self, EngineError> {
        if let Some(text) = &genesis.pack {
            // Checked before anything is written.
            Pack::load(text)?;
        }
        let Some(address) = &options.database.address else {
            let log = SledLog::create(dir, genesis.ledger)?;
            let opened = Opened {
                epoch: log.next_epoch(),
                log: Box::new(log),
                held: None,
                database: None,
                name: String::new(),
            };
            return Self::begin(opened, dir, genesis, options, Some(dir));
        };
        let database = Database::parse(address)?;
        // Before anything is made that would have to be removed.
        database.reach()?;
        let making = Elsewhere::begin(dir, genesis.ledger)?;
        keep_address(dir, &database)?;
        let log = PostgresLog::create(&database, dir, genesis.ledger, writer(&options.database))?;
        let opened = Opened {
            epoch: log.epoch(),
            log: Box::new(log),
            held: Some(making.finish()?),
            database: Some(database),
            name: options.database.name.clone(),
        };
        Self::begin(opened, dir, genesis, options, Some(dir))
    }

    /// Opens the ledger in `dir`: reads the log, verifying it, from the newest
    /// snapshot on if there is one that fits.
    ///
    /// `progress` is told how many events were read so far, and of how many.
    pub fn open(
        dir: &Path,
        options: Options,
        progress: impl FnMut(u64, u64),
    ) -> Result<Self, EngineError> {
        let (opened, ledger) = open_log(dir, &options.database)?;
        let (head, reader) = (opened.log.head(), opened.log.reader());
        let shared = opened.database.as_ref();
        let known = Known::read(dir, &options, (ledger, head), (&*reader, shared), progress)?;
        // A crash between making the directory and the first block leaves a
        // ledger without events; it begins now.
        let genesis = match head.position {
            Some(_) => Vec::new(),
            None => vec![created(ledger, &known.vault)],
        };
        let fresh = !genesis.is_empty();
        let mover = Mover::Writer(Box::new(opened), genesis);
        let engine = Self::start(known, mover, options, (dir, Some(dir)))?;
        if fresh {
            engine.wait_for_genesis()?;
        }
        Ok(engine)
    }

    /// Opens a ledger whose log is in a database, and follows whoever writes it: reads
    /// are answered, commands are not, until this server takes over.
    pub fn stand_by(
        dir: &Path,
        options: Options,
        progress: impl FnMut(u64, u64),
    ) -> Result<Self, EngineError> {
        let format = sled::format(dir)?;
        if format.place == Place::Here {
            return Err(EngineError::NothingToFollow);
        }
        let held = sled::hold(dir)?;
        let database = database(dir, &options.database)?;
        let followed = Followed::open(&database, dir, format.ledger)?;
        let at = (format.ledger, followed.head());
        let from = (&*followed.reader(), Some(&database));
        let known = Known::read(dir, &options, at, from, progress)?;
        let mover = Mover::Follower(Box::new(followed), options.database.clone(), held);
        Self::start(known, mover, options, (dir, Some(dir)))
    }

    /// Runs over a log of another kind, for tests and yardsticks: the log must
    /// be empty, `keys` is a directory for the keys.
    pub fn over(
        log: Box<dyn Log>,
        keys: &Path,
        genesis: Genesis,
        options: Options,
    ) -> Result<Self, EngineError> {
        let opened = Opened {
            log,
            epoch: 1,
            held: None,
            database: None,
            name: String::new(),
        };
        Self::begin(opened, keys, genesis, options, None)
    }

    /// `dir` is where snapshots go.
    fn begin(
        opened: Opened,
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
        let known = Known {
            ledger: genesis.ledger,
            head: opened.log.head(),
            vault,
            projections: Projections::default(),
            index: Index::default(),
            opening,
            erased: Arc::default(),
            kept: 0,
        };
        let mover = Mover::Writer(Box::new(opened), bodies);
        let engine = Self::start(known, mover, options, (keys, dir))?;
        engine.wait_for_genesis()?;
        Ok(engine)
    }

    /// `dir` is where keys are, `beside` where snapshots go.
    fn start(
        known: Known,
        mover: Mover,
        options: Options,
        (dir, beside): (&Path, Option<&Path>),
    ) -> Result<Self, EngineError> {
        let turns = Arc::new(Turns::new(options.queue.max(1)));
        let (tell, hear) = checkpoints::channel();
        let Known {
            ledger,
            head,
            vault,
            projections,
            index,
            opening,
            erased,
            kept,
        } = known;
        let access = Arc::new(RwLock::new(Arc::new(projections.state.access.clone())));
        let projections = Arc::new(RwLock::new(projections));
        let (denials, poison) = (Arc::default(), Poison::default());
        let figures = Arc::<Figures>::default();
        let (durable, durably) = watch::channel(head);
        let running = Arc::new(Mutex::new(None));
        let (reader, standing) = match &mover {
            Mover::Writer(opened, _) => (opened.log.reader(), Standing::default()),
            Mover::Follower(followed, ..) => (followed.reader(), Standing::following()),
        };
        if let Mover::Follower(followed, ..) = &mover {
            standing.is_written_by(followed.writer());
        }
        let standing = Arc::new(standing);
        let ready = follower::Ready {
            ledger,
            vault: Arc::clone(&vault),
            projections: Arc::clone(&projections),
            index,
            access: Arc::clone(&access),
            denials: Arc::clone(&denials),
            figures: Arc::clone(&figures),
            tree: opening.is_some().then(|| tell.clone()),
            erased: Arc::clone(&erased),
            durable,
            poison: Arc::clone(&poison),
        };
        let to = Arc::clone(&running);
        let (held, follower) = mover.start(ready, (&turns, &standing), to)?;
        let keeper = match beside {
            None => None,
            Some(dir) => keep_snapshots(dir, ledger, options.snapshots, |shelf, cadence| {
                snapshots::Start {
                    shelf,
                    vault: Arc::clone(&vault),
                    cadence,
                    log: Arc::clone(&reader),
                    durable: durably.clone(),
                    newest: kept,
                    erased,
                    figures: Arc::clone(&figures),
                }
            })?,
        };
        let schedule = match options.proofs {
            Proofs::Scheduled(schedule) => Some(*schedule),
            Proofs::OnDemand | Proofs::Off => None,
        };
        let checkpoints = opening.map(|opening| {
            let start = checkpoints::Start {
                ledger,
                opening,
                origin: KeyName::of_ledger(ledger),
                schedule,
                log: Arc::clone(&reader),
                durable: durably.clone(),
                turns: Arc::clone(&turns),
                standing: Arc::clone(&standing),
                figures: Arc::clone(&figures),
            };
            checkpoints::start(start, tell, hear)
        });
        let checkpoints = checkpoints.transpose()?;
        let tree = checkpoints.as_ref().map(|running| Tree {
            tiles: running.tiles.clone(),
            published: running.published.clone(),
            dir: dir.join("tree"),
        });
        Ok(Self {
            ledger,
            vault,
            reader,
            projections,
            turns,
            durable: durably,
            poison,
            running,
            standing,
            follower: Mutex::new(follower),
            checkpoints: Mutex::new(checkpoints),
            keeper: Mutex::new(keeper),
            tree,
            access,
            denials,
            figures,
            dir: dir.to_owned(),
            _held: held,
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
}

impl Mover {
    fn start(
        self,
        ready: follower::Ready,
        (turns, standing): (&Arc<Turns>, &Arc<Standing>),
        running: Arc<Mutex<Option<Running>>>,
    ) -> Result<(Option<Held>, Option<Follower>), EngineError> {
        let turns = Arc::clone(turns);
        match self {
            Self::Writer(opened, genesis) => {
                if let Some(database) = &opened.database {
                    let erased = ready.projections.read().state.erased().collect();
                    let log = (ready.ledger, opened.epoch);
                    reconcile(database, log, &ready.vault, &erased)?;
                    ready.sweep()?;
                    let watched = Watched {
                        ledger: ready.ledger,
                        epoch: opened.epoch,
                        name: opened.name,
                        poison: Arc::downgrade(&ready.poison),
                        figures: Arc::clone(&ready.figures),
                    };
                    postgres::watch(database.clone(), watched)?;
                }
                let start = ready.write(opened.log, opened.epoch, genesis);
                *running.lock() = Some(sequencer::start(start, turns)?);
                Ok((opened.held, None))
            }
            Self::Follower(followed, options, held) => {
                let follower = Follower::start(follower::Start {
                    followed: *followed,
                    ready,
                    writer: writer(&options),
                    lease: options.lease,
                    turns,
                    standing: Arc::clone(standing),
                    running,
                })?;
                Ok((Some(held), Some(follower)))
            }
        }
    }
}

/// Starts whoever makes snapshots in `dir`, if they are made.
fn keep_snapshots(
    dir: &Path,
    ledger: LedgerId,
    snapshots: Snapshots,
    start: impl FnOnce(Shelf, Cadence) -> snapshots::Start,
) -> Result<Option<Keeper>, EngineError> {
    let Snapshots::On(cadence) = snapshots else {
        Shelf::clear(dir)?;
        return Ok(None);
    };
    let start = start(Shelf::of(dir, ledger)?, cadence);
    start.shelf.tidy(start.newest)?;
    Ok(Some(Keeper::start(start)?))
}

impl Known {
    /// Reads a log, verifying it, from the newest snapshot on if there is one that fits.
    fn read(
        dir: &Path,
        options: &Options,
        (ledger, head): (LedgerId, Head),
        (reader, shared): (&dyn Reader, Option<&Database>),
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Self, EngineError> {
        // Nothing is changed in the keys until it is certain that they are this
        // ledger's.
        let vault = Vault::for_reading(dir, &options.kek)?;
        if let Some(database) = shared {
            vault.require(postgres::agreed(database, ledger)?)?;
        }
        let mut opening = open_tree(dir, &options.proofs)?;
        let total = head.position.map_or(0, Position::number);
        let snapshot = match options.snapshots {
            Snapshots::Off => None,
            Snapshots::On(_) => {
                let shelf = Shelf::of(dir, ledger)?;
                shelf.newest(&vault, reader, |found| {
                    resumes(opening.as_mut(), found, reader)
                })
            }
        };
        if snapshot.is_none() {
            // As it was before a snapshot was tried.
            opening = open_tree(dir, &options.proofs)?;
        }
        let from = snapshot.as_ref().map(|folded| folded.head);
        let kept = snapshot.as_ref().map_or(0, Folded::position);
        let erasures = snapshot.as_ref().map_or(0, Folded::erasures);
        let (mut projections, mut index) = snapshot.map_or_else(Default::default, |folded| {
            (folded.projections, folded.index)
        });
        // Only this ledger's keys make a snapshot.
        let mut key_check = None;
        let take = |events: Vec<Replayed>| {
            let fold = || projections.apply_all(&events);
            let see = || {
                for event in &events {
                    if let Body::LedgerCreated {
                        key_check: check, ..
                    } = &event.body
                    {
                        key_check = Some(*check);
                    }
                    index.see(event);
                    if let Some(opening) = &mut opening {
                        opening.see(event, event.hash);
                    }
                }
            };
            rayon::join(fold, see);
            progress(
                projections.state.position().map_or(0, Position::number),
                total,
            );
            ControlFlow::Continue(())
        };
        match from {
            None => replay::replay(reader, take)?,
            Some(head) => replay::replay_after(reader, (ledger, head), take)?,
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
        if let Some(opening) = &mut opening {
            opening.end()?.map_err(|found| match found {
                Contradiction::Truncated { signed, log } => EngineError::SignedMore { signed, log },
                Contradiction::Forked { size } => EngineError::SignedOther { size },
            })?;
        }
        Ok(Self {
            ledger,
            head,
            vault,
            projections,
            index,
            opening,
            erased,
            kept,
        })
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

/// The first event of a ledger.
fn created(ledger: LedgerId, vault: &Vault) -> Body {
    Body::LedgerCreated {
        ledger,
        software: Label::software(env!("CARGO_PKG_VERSION")),
        key_check: vault.check_value(ledger),
    }
}
