//! What makes groups durable and only then sends the replies, on a thread of its own or
//! on the decider's; and the poison with which a failed one ends all writing.

use std::{
    fmt, io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender},
    },
    time::Instant,
};

use luzhang_ledger::{
    Position,
    block::{Head, SealedBlock},
    log::{AppendError, Fault, Log},
};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::{
    checkpoints::Tidings,
    convert::to_proto::Outcome,
    figures::{Figures, Seen},
    rejected::Rejected,
    turns::Turns,
    vault::{Retired, Vault, VaultError},
};

/// Why the writer stopped, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// Who writes now, if another has taken over.
    pub successor: Option<String>,
}

impl Stopped {
    /// Another writer has taken over.
    pub(crate) fn taken_over(epoch: u64, writer: String) -> Self {
        Self {
            zh: format!("{writer} 已接管写入（第 {epoch} 届）"),
            en: format!("{writer} has taken over, in epoch {epoch}"),
            successor: Some(writer),
        }
    }

    pub(crate) fn new(zh: String, en: String) -> Self {
        Self {
            zh,
            en,
            successor: None,
        }
    }
}

/// Set once, when the writer stops.
pub(crate) type Poison = Arc<OnceLock<Stopped>>;

/// A group of decided commands on its way to the disk.
pub(crate) struct Commit {
    /// Each is appended as a whole, one after the other.
    pub(crate) appends: Vec<Vec<SealedBlock>>,
    /// Whose keys are destroyed when all of it is durable.
    pub(crate) retired: Vec<Retired>,
    pub(crate) replies: Replies,
    pub(crate) seen: Seen,
}

/// What is said when a group is durable, and to whom.
#[derive(Default)]
pub(crate) struct Replies {
    pub(crate) commands: Vec<Reply<Vec<Result<Outcome, Rejected>>>>,
    pub(crate) own: Vec<Reply<Result<Option<Position>, Rejected>>>,
}

pub(crate) type Reply<T> = (oneshot::Sender<T>, T);

pub(crate) struct Committer {
    pub(crate) log: Box<dyn Log>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) tree: Option<SyncSender<Tidings>>,
    pub(crate) durable: watch::Sender<Head>,
    pub(crate) poison: Poison,
    pub(crate) figures: Arc<Figures>,
    /// The position of the newest erasure that is done.
    pub(crate) erased: Arc<AtomicU64>,
}

impl fmt::Debug for Committer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Committer")
    }
}

/// Makes durable what the decider sends, until it has ended.
pub(crate) fn run(committer: &Mutex<Committer>, commits: &Receiver<Commit>, turns: &Turns) {
    while let Ok(commit) = commits.recv() {
        committer.lock().take(commit);
        turns.arrived();
    }
}

impl Committer {
    /// Makes a group durable, and only then sends its replies.
    pub(crate) fn take(&mut self, commit: Commit) {
        let committed = commit
            .appends
            .into_iter()
            .try_for_each(|blocks| self.commit(blocks))
            .and_then(|()| self.destroy(&commit.retired));
        if let Err(why) = committed {
            tracing::error!(why = %why.en, "storage failed; the writer stops");
            // The first failure is the one to report.
            let _first = self.poison.set(why);
            self.durable.send_modify(|_| {});
        }
        let failed = self.poison.get().map(Rejected::stopped);
        if failed.is_none() {
            let outcomes = commit.replies.commands.iter().flat_map(|(_, told)| told);
            self.figures.committed(&commit.seen, outcomes);
        }
        for (reply, said) in commit.replies.own {
            let said = failed.clone().map_or(said, Err);
            let _gone = reply.send(said);
        }
        for (reply, outcomes) in commit.replies.commands {
            let outcomes = match &failed {
                None => outcomes,
                Some(why) => outcomes.iter().map(|_| Err(why.clone())).collect(),
            };
            let _gone = reply.send(outcomes);
        }
    }

    /// An erasure is answered when the key is gone.
    fn destroy(&self, retired: &[Retired]) -> Result<(), Stopped> {
        if retired.is_empty() {
            return Ok(());
        }
        let destroyed = self.vault.destroy(retired);
        destroyed.map_err(|error| Stopped::of_vault(&error))?;
        // Snapshots from before are made anew, without them.
        let end = self.log.head().position.map_or(0, Position::number);
        self.erased.store(end, Ordering::Release);
        Ok(())
    }

    fn commit(&mut self, blocks: Vec<SealedBlock>) -> Result<(), Stopped> {
        if let Some(why) = self.poison.get() {
            return Err(why.clone());
        }
        let Some(head) = blocks.last().map(|block| block.head) else {
            return Ok(());
        };
        let began = Instant::now();
        // Keys first: an event must never be sealed under a key that is lost.
        self.vault
            .sync()
            .map_err(|error| Stopped::of_vault(&error))?;
        self.log
            .append(&blocks)
            .map_err(|error| Stopped::of_log(&error))?;
        self.durable.send_replace(head);
        self.figures.flushed(&blocks, began.elapsed());
        self.tell(blocks);
        Ok(())
    }
}

impl Committer {
    /// Tells who keeps the tree. Nobody waits for that: what there is no room to
    /// say is read from the log instead.
    fn tell(&self, blocks: Vec<SealedBlock>) {
        let Some(tree) = &self.tree else {
            return;
        };
        for block in blocks {
            let grown = Tidings::Grown {
                first: block.first,
                events: block.events,
            };
            if tree.try_send(grown).is_err() {
                return;
            }
        }
    }
}

impl Stopped {
    fn of_vault(error: &VaultError) -> Self {
        match error {
            VaultError::Io { error, .. } if error.kind() == io::ErrorKind::StorageFull => {
                Self::of_fault(&Fault::DiskFull)
            }
            VaultError::Io { .. }
            | VaultError::Missing { .. }
            | VaultError::Damaged { .. }
            | VaultError::Mismatch
            | VaultError::Copies { .. }
            | VaultError::Foreign { .. }
            | VaultError::Rotating { .. }
            | VaultError::NotAgreed { .. }
            | VaultError::Kek(_)
            | VaultError::Erased
            | VaultError::BeingErased => Self::new(error.zh(), error.to_string()),
        }
    }

    fn of_log(error: &AppendError) -> Self {
        match error {
            AppendError::HeadMoved { .. } => Self::new(
                "账本末尾已被改动，另有程序在写".to_owned(),
                "the end of the ledger moved: another program writes to it".to_owned(),
            ),
            AppendError::Fenced { epoch, writer } => Self::taken_over(*epoch, writer.clone()),
            AppendError::Broken => {
                Self::new("要写入的区块前后不衔接".to_owned(), error.to_string())
            }
            AppendError::Fault(fault) => Self::of_fault(fault),
        }
    }

    fn of_fault(fault: &Fault) -> Self {
        let zh = match fault {
            Fault::Poisoned => "此前的写入已经失败".to_owned(),
            Fault::DiskFull => "磁盘已满，请先腾出空间".to_owned(),
            Fault::Io(error) => format!("磁盘读写出错（{error}），请检查磁盘"),
            Fault::Database { detail } => format!("数据库出错（{detail}）"),
        };
        let en = match fault {
            Fault::Poisoned => "an earlier write had failed".to_owned(),
            Fault::DiskFull => "the disk is full; free some space first".to_owned(),
            Fault::Io(error) => format!("reading or writing failed ({error}); check the disk"),
            Fault::Database { detail } => format!("the database failed ({detail})"),
        };
        Self::new(zh, en)
    }
}
