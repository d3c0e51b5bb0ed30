//! The thread that shows signed checkpoints to witnesses, and gives out those that
//! enough of them have cosigned.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use luzhang_ledger::{
    log::tiles::TileReader,
    proof::{Policy, SignedCheckpoint, note::SignatureLine, policy::Party, tile::TiledTree, tree},
};
use tokio::sync::watch;

use super::{Published, Trouble, kept::Kept};
use crate::{
    figures::{Figures, Witness},
    http,
    witness::client::{self, AskError, Question},
};

/// How long a witness may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Start {
    pub(super) policy: Policy,
    pub(super) believed: http::Believed,
    pub(super) tiles: TileReader,
    pub(super) dir: PathBuf,
    pub(super) publish: watch::Sender<Published>,
    pub(super) figures: Arc<Figures>,
}

type Newest = SyncSender<Arc<SignedCheckpoint>>;

/// Starts the thread; it ends when nobody can send any more.
pub(super) fn start(start: Start) -> std::io::Result<(Newest, JoinHandle<()>)> {
    // Room for one: whatever comes while witnesses are asked is overtaken by the
    // one that comes next.
    let (send, receive) = sync_channel(1);
    let seen = start.policy.witnesses().iter().map(|_| AtomicU64::new(0));
    start.figures.ask(known(&start));
    let collector = Collector {
        seen: seen.collect(),
        policy: start.policy,
        tiles: start.tiles,
        dir: start.dir,
        publish: start.publish,
        figures: start.figures,
        http: http::Client::believing(PATIENCE, start.believed),
    };
    let thread = thread::Builder::new()
        .name("luzhang-witnesses".to_owned())
        .spawn(move || collector.run(&receive))?;
    Ok((send, thread))
}

/// The witnesses, and what the checkpoint that is given out says of them.
fn known(start: &Start) -> Vec<Witness> {
    let published = start.publish.borrow().checkpoint.clone();
    let cosigned = published.as_ref().and_then(|signed| {
        let cosigners = start.policy.cosigners(signed).ok()?;
        Some((signed.head().size, cosigners))
    });
    let witness = |party: &Party| {
        let seen = cosigned.as_ref().and_then(|(size, cosigners)| {
            let cosigner = cosigners
                .iter()
                .find(|cosigner| cosigner.key == party.key)?;
            Some((*size, cosigner.time))
        });
        Witness {
            name: party.key.name().to_string(),
            size: seen.map_or(0, |(size, _)| size),
            time: seen.map(|(_, time)| time),
            failures: 0,
        }
    };
    start.policy.witnesses().iter().map(witness).collect()
}

struct Collector {
    policy: Policy,
    tiles: TileReader,
    dir: PathBuf,
    publish: watch::Sender<Published>,
    figures: Arc<Figures>,
    http: http::Client,
    /// What each witness has cosigned last, as far as is known here.
    seen: Vec<AtomicU64>,
}

impl Collector {
    fn run(self, receive: &Receiver<Arc<SignedCheckpoint>>) {
        while let Ok(first) = receive.recv() {
            let mut newest = receive.try_iter().last().unwrap_or(first);
            // While witnesses were asked, newer ones may have been signed that
            // found no room.
            loop {
                self.collect(&newest);
                match Kept::Signed.read(&self.dir) {
                    Ok(Some(kept)) if kept.head().size > newest.head().size => {
                        newest = Arc::new(kept);
                    }
                    Ok(_) | Err(_) => break,
                }
            }
        }
    }

    /// Asks every witness at once, and gives the checkpoint out if enough answer.
    fn collect(&self, signed: &SignedCheckpoint) {
        let asked = thread::scope(|scope| {
            let witnesses = self.policy.witnesses().iter().zip(&self.seen);
            let asked: Vec<_> = witnesses
                .map(|(witness, seen)| scope.spawn(move || self.ask(witness, seen, signed)))
                .collect();
            let answers = asked.into_iter().map(thread::ScopedJoinHandle::join);
            answers.collect::<Vec<_>>()
        });
        let mut cosigned = signed.clone();
        let mut refusals = Vec::new();
        for (place, answer) in asked.into_iter().enumerate() {
            let size = signed.head().size;
            self.figures
                .asked(place, matches!(answer, Ok(Ok(_))).then_some(size));
            match answer {
                Ok(Ok(line)) => cosigned.add(line),
                Ok(Err(why)) => refusals.push(why),
                Err(_) => refusals.push("a thread that asked a witness panicked".to_owned()),
            }
        }
        if let Err(trouble) = self.give_out(cosigned, &refusals) {
            tracing::warn!(%trouble, size = signed.head().size, "no cosigned checkpoint");
            self.publish
                .send_modify(|published| published.trouble = Some(trouble));
        }
    }

    fn give_out(&self, cosigned: SignedCheckpoint, refusals: &[String]) -> Result<(), Trouble> {
        let cosigners = self.policy.cosigners(&cosigned);
        let met = cosigners.is_ok_and(|cosigners| self.policy.is_met_by(&cosigners));
        if !met {
            return Err(Trouble::Witnesses {
                detail: refusals.join("; "),
            });
        }
        Kept::Published
            .write(&self.dir, &cosigned)
            .map_err(|error| Trouble::storage(&error))?;
        self.publish.send_replace(Published {
            checkpoint: Some(Arc::new(cosigned)),
            trouble: None,
        });
        Ok(())
    }

    fn ask(
        &self,
        witness: &Party,
        seen: &AtomicU64,
        signed: &SignedCheckpoint,
    ) -> Result<SignatureLine, String> {
        let name = witness.key.name();
        let url = witness.url.as_deref();
        let size = signed.head().size;
        let question = Question {
            url: url.ok_or_else(|| format!("{name} has no URL in the policy"))?,
            key: &witness.key,
            checkpoint: signed,
            old: seen.load(Ordering::Relaxed),
        };
        let prove = |old| tree::consistency(&mut TiledTree::new(&self.tiles, size), old, size);
        match client::ask(&self.http, &question, &prove) {
            Ok(cosigned) => {
                seen.store(size, Ordering::Relaxed);
                Ok(cosigned.line)
            }
            Err(AskError::Witness(error)) => Err(format!("{name}: {error}")),
            Err(AskError::Proof(error)) => Err(format!("{name}: no proof could be made: {error}")),
        }
    }
}
