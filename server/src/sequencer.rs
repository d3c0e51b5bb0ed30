//! The one writer: two threads, one after the other on every command.
//!
//! The *decider* takes what waits, in turn (see [`crate::turns`]), decides it, and
//! turns the decisions into blocks. The *committer* makes the blocks durable and only
//! then sends the replies. While one group is being made durable, the decider
//! works on what streams send; it is at most two groups ahead. Single requests wait for the
//! group before them and make one together. While no stream is open, the decider makes its
//! groups durable itself: to wake another thread takes a good part of the time that a
//! flush does.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Weak, atomic::AtomicU64, mpsc::sync_channel},
    thread::{self, JoinHandle},
    time::Instant,
};

use hashbrown::HashMap;
use luzhang_ledger::{
    Body, LedgerId, Position, StreamId, StreamKind, block::Head, log::Log, text::Principal,
};
use luzhang_projections::{
    access::{Access, Identity},
    projection::Projections,
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};

use crate::{
    checkpoints::Tidings,
    committer::{self, Committer, Poison},
    convert::{from_proto::Request, to_proto::Outcome},
    decider::Decider,
    denials::Denials,
    figures::Figures,
    original::Recall,
    rejected::Rejected,
    snapshots::Index,
    turns::Turns,
    vault::{Vault, random},
};

/// Positions of outcomes by blinded request id.
pub(crate) type Requests = HashMap<[u8; 16], u64, foldhash::fast::FixedState>;

/// Commands that came together, and where their outcomes go.
#[derive(Debug)]
pub(crate) struct Commands {
    /// In order; what the edge rejected passes through, to keep its place.
    pub(crate) requests: Vec<Result<Request, Rejected>>,
    /// One result for each.
    pub(crate) reply: oneshot::Sender<Vec<Result<Outcome, Rejected>>>,
    /// Whether somebody waits for them.
    pub(crate) presence: Presence,
    /// Since when they wait.
    pub(crate) since: Instant,
}

/// Makes events that no command asks for, given the state that they are said of.
pub(crate) type Say = Box<dyn FnOnce(&Projections) -> Vec<Said> + Send>;

/// An event that no command asks for.
pub(crate) struct Said {
    /// Who is behind it.
    pub(crate) by: Identity,
    /// The stream that it belongs to.
    pub(crate) stream: StreamId,
    /// What it says.
    pub(crate) body: Body,
}

impl Said {
    /// What the ledger says of itself.
    pub(crate) fn of_ledger(ledger: LedgerId, kind: StreamKind, body: Body) -> Self {
        Self {
            by: Identity::believed(Principal::ledger()),
            stream: StreamId::of(kind, &ledger.to_string()),
            body,
        }
    }
}

/// What is recorded without a command.
pub(crate) struct Own {
    pub(crate) say: Say,
    /// The position of the last of them, when it is durable.
    pub(crate) reply: oneshot::Sender<Result<Option<Position>, Rejected>>,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Own")
    }
}

/// Whether somebody waits for an outcome.
#[derive(Clone, Debug)]
pub(crate) enum Presence {
    /// As long as the reply can be sent.
    Reply,
    /// As long as this lives. All messages of a stream share it: when it is gone
    /// for one, it is gone for those that come later, so none of them is decided
    /// without the ones before it.
    Shared(Weak<()>),
}

impl Commands {
    /// Whether nobody waits for them any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        match &self.presence {
            Presence::Reply => self.reply.is_closed(),
            Presence::Shared(listener) => listener.strong_count() == 0,
        }
    }
}

/// What the sequencer starts from.
pub(crate) struct Start {
    pub(crate) ledger: LedgerId,
    pub(crate) epoch: u64,
    pub(crate) log: Box<dyn Log>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) projections: Arc<RwLock<Projections>>,
    pub(crate) index: Index,
    /// The first events of a new ledger.
    pub(crate) genesis: Vec<Body>,
    /// Who may do what, for those who do not wait for the state.
    pub(crate) access: Arc<RwLock<Arc<Access>>>,
    /// Where what was denied is noted.
    pub(crate) denials: Arc<Denials>,
    /// Where what is done is counted.
    pub(crate) figures: Arc<Figures>,
    /// Who keeps the tree, if it is kept.
    pub(crate) tree: Option<std::sync::mpsc::SyncSender<Tidings>>,
    /// The position of the newest erasure that is done.
    pub(crate) erased: Arc<AtomicU64>,
    /// Where it is told how far the log is durable.
    pub(crate) durable: watch::Sender<Head>,
    /// Where it is told that the writer has stopped.
    pub(crate) poison: Poison,
}

/// The running writer, as the engine sees it.
#[derive(Debug)]
pub(crate) struct Running {
    decider: JoinHandle<Index>,
    committer: JoinHandle<()>,
    shared: Arc<Mutex<Committer>>,
}

/// What the writer leaves when it has ended.
pub(crate) struct Left {
    pub(crate) index: Index,
    /// To be closed.
    pub(crate) log: Box<dyn Log>,
}

impl Running {
    /// Waits until everything that was queued is done. The queue's sending ends
    /// must be gone.
    pub(crate) fn join(self) -> Option<Left> {
        // A panic in either thread was reported by its own message; the other
        // has ended with it.
        let (index, committed) = (self.decider.join(), self.committer.join());
        let (index, ()) = (index.ok()?, committed.ok()?);
        let committer = Arc::into_inner(self.shared)?.into_inner();
        Some(Left {
            index,
            log: committer.log,
        })
    }
}

pub(crate) fn start(start: Start, turns: Arc<Turns>) -> std::io::Result<Running> {
    let head = start.log.head();
    let poison = start.poison;
    let durable = start.durable.subscribe();
    start.durable.send_replace(head);
    let (commit_send, commits) = sync_channel(1);
    let mut salt_seed = [0; 32];
    random(&mut salt_seed)?;
    let recall = Recall::new(start.ledger, start.log.reader());
    let committer = Arc::new(Mutex::new(Committer {
        log: start.log,
        vault: Arc::clone(&start.vault),
        tree: start.tree,
        durable: start.durable,
        poison: Arc::clone(&poison),
        figures: start.figures,
        erased: start.erased,
    }));
    let decider = Decider {
        ledger: start.ledger,
        epoch: start.epoch,
        head,
        vault: start.vault,
        recall,
        projections: start.projections,
        index: start.index,
        salts: blake3::Hasher::new_derive_key("luzhang 2026 event salt")
            .update(&salt_seed)
            .finalize_xof(),
        undurable: VecDeque::new(),
        durable,
        poison,
        commits: commit_send,
        committer: Arc::clone(&committer),
        access: start.access,
        denials: start.denials,
        turns: Arc::clone(&turns),
    };
    let genesis = start.genesis;
    let decider = thread::Builder::new()
        .name("luzhang-decider".to_owned())
        .spawn(move || decider.run(genesis))?;
    let shared = Arc::clone(&committer);
    let committer = thread::Builder::new()
        .name("luzhang-committer".to_owned())
        .spawn(move || committer::run(&committer, &commits, &turns))?;
    Ok(Running {
        decider,
        committer,
        shared,
    })
}
