//! Signed heads of the tree: when they are made, who cosigns them, what is given
//! out.
//!
//! One thread, the [`signer`], keeps the tree behind the log. It hears of every
//! append from the committer, and reads from the log whatever it did not hear, so
//! that no acknowledgement ever waits for it. It signs when a checkpoint is due or
//! asked for, and only what is durable. With witnesses, another thread collects
//! their cosignatures; a checkpoint is given out when the quorum is met.
//!
//! Nothing here can be lost for good: the tree follows from the log, and the
//! newest checkpoints are kept only so that a ledger that was put back to an
//! earlier state cannot sign another history.

mod kept;
mod key;
mod opening;
mod signer;
mod witnessing;

use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use luzhang_ledger::{
    Hash, LedgerId, Position,
    log::tiles::TileReader,
    proof::{Frontier, Policy, SignedCheckpoint, TreeHead, VerifierKey, note::KeyName},
};
use thiserror::Error;
use tokio::sync::{oneshot, watch};

pub(crate) use self::opening::{Contradiction, Opening};
use self::signer::Signer;
use crate::{
    figures::Figures, http::Believed, rejected::Rejected, standing::Standing, turns::Turns,
};

/// Whether a tree is kept, and when its head is signed.
#[derive(Clone, Debug, Default)]
pub enum Proofs {
    /// No tree: for measuring what it costs.
    Off,
    /// Signed when somebody asks.
    #[default]
    OnDemand,
    /// Signed as the ledger grows, too.
    Scheduled(Box<Schedule>),
}

/// When a checkpoint is due, and who cosigns it.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// After so many blocks.
    pub blocks: u64,
    /// Or when the newest event has waited so long.
    pub time: Duration,
    /// The witnesses, and how many of them are enough.
    pub witnesses: Option<Policy>,
    /// Whose certificates the witnesses may have.
    pub believed: Believed,
}

/// What the signer hears.
#[derive(Debug)]
pub(crate) enum Tidings {
    /// These events are durable.
    Grown { first: Position, events: Vec<Hash> },
    /// Somebody waits for a checkpoint over this position.
    Wanted(Position),
    /// Somebody waits for the state to be attested and signed.
    Attest(oneshot::Sender<Result<Position, Rejected>>),
    /// Somebody waits for another key.
    Rotate(Rotation),
    /// A proof did not hold: the tree is to be made anew.
    Damaged,
    /// The log that is followed names this key.
    Adopted(Box<VerifierKey>),
}

/// Another key for checkpoints.
#[derive(Debug)]
pub(crate) struct Rotation {
    /// Whether the old one is lost and cannot vouch for the new one.
    pub(crate) old: OldKey,
    pub(crate) reply: oneshot::Sender<Result<VerifierKey, Rejected>>,
}

/// What became of the key that is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldKey {
    /// It vouches for its successor.
    AtHand,
    /// It is gone. Whoever trusted it has to be told of the new one by other
    /// means.
    Lost,
}

/// What is given out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published {
    /// The newest checkpoint, with its cosignatures.
    pub(crate) checkpoint: Option<Arc<SignedCheckpoint>>,
    /// Why there is no newer one, if that is so.
    pub(crate) trouble: Option<Trouble>,
}

impl Published {
    /// Leaves under the checkpoint.
    pub(crate) fn size(&self) -> u64 {
        self.checkpoint
            .as_ref()
            .map_or(0, |signed| signed.head().size)
    }

    /// The checkpoint, if it covers this position.
    pub(crate) fn covering(&self, over: Position) -> Option<Arc<SignedCheckpoint>> {
        let checkpoint = self.checkpoint.clone();
        checkpoint.filter(|signed| signed.head().size >= over.number())
    }
}

/// Why no checkpoint is made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Trouble {
    /// The key of the log's last adoption is not there.
    #[error(
        "the key that signs this ledger's checkpoints ({key}) is not in `keys`: restore \
         `keys/checkpoint` from its backup, or replace it with `luzhang checkpoint rotate --lost`"
    )]
    KeyMissing {
        /// The verifier key.
        key: String,
    },
    /// Reading or writing failed.
    #[error("the tree of checkpoints cannot be kept: {detail}")]
    Storage {
        /// What happened.
        detail: String,
    },
    /// The writer has stopped, or is about to.
    #[error("{detail}")]
    Writer {
        /// What it said.
        detail: String,
    },
    /// The quorum is not met.
    #[error("witnesses have not cosigned the newest checkpoint: {detail}")]
    Witnesses {
        /// What they said.
        detail: String,
    },
}

impl Trouble {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyMissing { .. } => "CHECKPOINT_KEY_MISSING",
            Self::Storage { .. } => "TREE_UNAVAILABLE",
            Self::Writer { .. } => "WRITER_STOPPED",
            Self::Witnesses { .. } => "QUORUM_NOT_MET",
        }
    }

    /// All of them.
    pub(crate) const CODES: [&'static str; 4] = [
        "CHECKPOINT_KEY_MISSING",
        "TREE_UNAVAILABLE",
        "WRITER_STOPPED",
        "QUORUM_NOT_MET",
    ];

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::KeyMissing { key } => format!(
                "keys 目录中没有本账本检查点的签名密钥（{key}）：请从备份恢复 keys/checkpoint，\
                 或用 luzhang checkpoint rotate --lost 更换"
            ),
            Self::Storage { detail } => format!("检查点所用的树无法维护：{detail}"),
            Self::Writer { detail } => detail.clone(),
            Self::Witnesses { detail } => format!("见证方尚未联署最新检查点：{detail}"),
        }
    }

    fn storage(error: &std::io::Error) -> Self {
        Self::Storage {
            detail: error.to_string(),
        }
    }
}

/// The running threads, as the engine sees them.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    pub(crate) tiles: TileReader,
    pub(crate) published: watch::Receiver<Published>,
    send: SyncSender<Tidings>,
    tree: JoinHandle<Option<Frontier>>,
    witnessing: Option<JoinHandle<()>>,
}

/// How many appends may wait to be heard of; more are read from the log.
const HEARING: usize = 256;

/// What the signer starts from, besides what was found on opening.
pub(crate) struct Start {
    pub(crate) ledger: LedgerId,
    pub(crate) opening: Opening,
    pub(crate) origin: KeyName,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) log: Arc<dyn luzhang_ledger::log::Reader>,
    pub(crate) durable: watch::Receiver<luzhang_ledger::block::Head>,
    /// Where its own events wait; it may be closed while this still runs.
    pub(crate) turns: Arc<Turns>,
    /// Whether this server writes.
    pub(crate) standing: Arc<Standing>,
    pub(crate) figures: Arc<Figures>,
}

/// Where the committer sends its tidings to; made before anything runs.
pub(crate) fn channel() -> (SyncSender<Tidings>, std::sync::mpsc::Receiver<Tidings>) {
    sync_channel(HEARING)
}

/// The heads that a data directory keeps of what it has signed. No signature is
/// checked: whoever can change the log can change these.
pub fn kept_heads(dir: &std::path::Path) -> std::io::Result<Vec<TreeHead>> {
    let tree = dir.join("tree");
    let kept = [kept::Kept::Signed, kept::Kept::Published].map(|kept| kept.read(&tree));
    let mut heads = Vec::new();
    for kept in kept {
        heads.extend(kept?.map(|signed| signed.head()));
    }
    Ok(heads)
}

/// The checkpoint that a data directory gave out last. No signature is checked.
pub fn published(dir: &std::path::Path) -> std::io::Result<Option<SignedCheckpoint>> {
    kept::Kept::Published.read(&dir.join("tree"))
}

/// When the newest checkpoint in a directory `tree` was given out.
pub fn published_at(tree: &std::path::Path) -> Option<std::time::SystemTime> {
    kept::Kept::Published.written_at(tree)
}

/// Keeps a checkpoint in a data directory that is restored, as one that was given out: it
/// does not open with a log that contradicts it.
pub fn keep(dir: &std::path::Path, checkpoint: &SignedCheckpoint) -> std::io::Result<()> {
    let tree = dir.join("tree");
    std::fs::create_dir_all(&tree)?;
    kept::Kept::Published.write(&tree, checkpoint)
}

/// Makes the key that a new ledger's first checkpoint will adopt, under this name.
pub(crate) fn name_key(dir: &std::path::Path, name: KeyName) -> std::io::Result<()> {
    key::KeyFiles::new(dir).make_next(name).map(drop)
}

/// Starts the threads.
pub(crate) fn start(
    start: Start,
    send: SyncSender<Tidings>,
    hear: std::sync::mpsc::Receiver<Tidings>,
) -> std::io::Result<Checkpoints> {
    let tiles = start.opening.tiles.reader();
    let policy = start.schedule.as_ref().and_then(|s| s.witnesses.clone());
    let believed = start.schedule.as_ref().map(|s| s.believed.clone());
    let (publish, published) = watch::channel(Published {
        checkpoint: match policy {
            // What waited for witnesses waits for nobody now.
            None => start.opening.newest().cloned().map(Arc::new),
            Some(_) => start.opening.published.clone().map(Arc::new),
        },
        trouble: None,
    });
    let mut witnessing = None;
    let publisher = match policy {
        None => signer::Publisher::Alone(publish),
        Some(policy) => {
            let (newest, thread) = witnessing::start(witnessing::Start {
                policy,
                believed: believed.unwrap_or_default(),
                tiles: tiles.clone(),
                dir: start.opening.dir.clone(),
                publish: publish.clone(),
                figures: Arc::clone(&start.figures),
            })?;
            witnessing = Some(thread);
            signer::Publisher::Witnessed { newest, publish }
        }
    };
    let mut signer = Signer::new(start, publisher);
    // What a crash took from the tiles is under checkpoints that are given out.
    signer.catch_up().map_err(std::io::Error::other)?;
    let tree = std::thread::Builder::new()
        .name("luzhang-tree".to_owned())
        .spawn(move || signer.run(&hear))?;
    Ok(Checkpoints {
        tiles,
        published,
        send,
        tree,
        witnessing,
    })
}

impl Checkpoints {
    /// Where tidings are sent to; sending waits if many are on their way.
    pub(crate) fn sender(&self) -> SyncSender<Tidings> {
        self.send.clone()
    }

    /// Ends when the committer has ended. Returns the edge of the tree, if that was
    /// brought to the end of the log.
    pub(crate) fn join(self) -> Option<Frontier> {
        drop(self.send);
        // A panic was reported by its own message.
        let frontier = self.tree.join().ok().flatten();
        if let Some(thread) = self.witnessing {
            drop(thread.join());
        }
        frontier
    }
}
