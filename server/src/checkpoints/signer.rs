//! The thread that keeps the tree behind the log, and signs its heads.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError},
    },
    time::{Duration, Instant},
};

use luzhang_ledger::{
    Body, Hash, LedgerId, Position, StreamKind,
    block::{BlockView, Head},
    event::{Attested, KeyAdoption},
    hash::ChainHasher,
    log::{Reader, tiles::TileFiles},
    proof::{
        Frontier, Node, SignedCheckpoint, SigningKey, VerifierKey, note::KeyName, rotation,
        tile::TiledTree, tree,
    },
    text::Label,
};
use luzhang_projections::projection::Projections;
use tokio::sync::{oneshot, watch};

use super::{
    OldKey, Published, Rotation, Schedule, Start, Tidings, Trouble, kept::Kept, opening::Opening,
};
use crate::{
    rejected::Rejected,
    sequencer::{Own, Said},
    standing::Standing,
    turns::Turns,
};

/// How long the thread sleeps when nothing is scheduled.
const LONG: Duration = Duration::from_hours(1);
/// How long it rests after hearing of an append that nobody waits for: under load
/// several are then taken at once.
const REST: Duration = Duration::from_millis(5);
/// An attestation costs at most this part of the time: the digests are computed
/// while the writer waits.
const SHARE: u32 = 1_000;
/// Leaves that are appended at a time when the tree is made from the log.
const BATCH: usize = 64 * 1024;

/// Who gives a signed checkpoint out.
pub(super) enum Publisher {
    /// The signer itself.
    Alone(watch::Sender<Published>),
    /// Witnesses are asked first; they are shown the newest only.
    Witnessed {
        newest: SyncSender<Arc<SignedCheckpoint>>,
        publish: watch::Sender<Published>,
    },
}

impl Publisher {
    fn state(&self) -> &watch::Sender<Published> {
        match self {
            Self::Alone(publish) | Self::Witnessed { publish, .. } => publish,
        }
    }
}

pub(super) struct Signer {
    ledger: LedgerId,
    dir: std::path::PathBuf,
    keys: super::key::KeyFiles,
    tiles: TileFiles,
    /// Leaves that were heard of and are not in the files yet.
    pending: Vec<Node>,
    log: Arc<dyn Reader>,
    durable: watch::Receiver<Head>,
    turns: Arc<Turns>,
    standing: Arc<Standing>,
    origin: KeyName,
    /// The key that the log names.
    adopted: Option<VerifierKey>,
    /// The same with its secret, if that is at hand; or one to be adopted first.
    key: Option<SigningKey>,
    publisher: Publisher,
    schedule: Option<Schedule>,
    /// What was signed last.
    signed: Option<Arc<SignedCheckpoint>>,
    /// When and at which height a checkpoint was last made by schedule.
    last: (Instant, u64),
    /// When the state was attested last, and how long that kept the writer.
    attested: Option<(Instant, Duration)>,
    wanted: Option<Position>,
}

impl Signer {
    pub(super) fn new(start: Start, publisher: Publisher) -> Self {
        let Start {
            ledger,
            opening,
            origin,
            schedule,
            log,
            durable,
            turns,
            standing,
            figures: _,
        } = start;
        let height = durable.borrow().height;
        let adopted = opening.adopted().cloned();
        let signed = opening.newest().cloned().map(Arc::new);
        let Opening {
            dir,
            keys,
            tiles,
            key,
            ..
        } = opening;
        Self {
            ledger,
            dir,
            keys,
            tiles,
            pending: Vec::new(),
            log,
            durable,
            turns,
            standing,
            origin,
            adopted,
            key,
            publisher,
            schedule,
            signed,
            last: (Instant::now(), height),
            attested: None,
            wanted: None,
        }
    }

    /// Runs until nobody sends any more. Returns the tree's edge, if it is at the end
    /// of the log then.
    pub(super) fn run(mut self, hear: &Receiver<Tidings>) -> Option<Frontier> {
        if let Err(trouble) = self.show_what_was_left() {
            tracing::error!(%trouble, "no checkpoint");
            self.trouble(Some(trouble));
        }
        loop {
            let heard = match hear.recv_timeout(self.patience()) {
                Ok(tidings) => self
                    .hear(tidings)
                    .and_then(|()| hear.try_iter().try_for_each(|tidings| self.hear(tidings))),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let done = heard
                .and_then(|()| self.flush())
                .and_then(|()| self.sign_if_wanted());
            match done {
                Ok(()) => self.trouble(None),
                Err(trouble) => {
                    tracing::error!(%trouble, "no checkpoint");
                    let fatal = matches!(trouble, Trouble::Storage { .. });
                    self.wanted = None;
                    self.last.0 = Instant::now();
                    self.trouble(Some(trouble));
                    if fatal {
                        // What is in the files is not known any more; whoever
                        // sends now is told that nobody listens.
                        return None;
                    }
                }
            }
            if self.wanted.is_none() {
                std::thread::sleep(REST);
            }
        }
        let ended = self.end();
        if let Err(trouble) = ended {
            tracing::warn!(%trouble, "the tree was not brought to the end of the log");
            return None;
        }
        Some(self.tiles.frontier())
    }

    /// The whole log is in the tree, and under a schedule the last of it is
    /// signed.
    fn end(&mut self) -> Result<(), Trouble> {
        self.catch_up()?;
        let signs = self.schedule.is_some() && !self.standing.follows();
        if signs && self.key_is_adopted() && self.has_news() {
            self.sign()?;
        }
        self.tiles.sync().map_err(|error| Trouble::storage(&error))
    }

    fn trouble(&self, trouble: Option<Trouble>) {
        // What the witnesses said stands until they say something else.
        let of_witnesses = |t: &Trouble| matches!(t, Trouble::Witnesses { .. });
        self.publisher.state().send_if_modified(|published| {
            let stays = trouble.is_none() && published.trouble.as_ref().is_some_and(of_witnesses);
            // Whoever waits is told each time that it did not work.
            if stays || (trouble.is_none() && published.trouble.is_none()) {
                return false;
            }
            published.trouble = trouble;
            true
        });
    }

    fn hear(&mut self, tidings: Tidings) -> Result<(), Trouble> {
        match tidings {
            Tidings::Grown { first, events } => self.grow(first, &events),
            Tidings::Wanted(position) => {
                self.wanted = self.wanted.max(Some(position));
                Ok(())
            }
            Tidings::Attest(reply) => {
                let done = self.attest_and_sign();
                answer(reply, done)
            }
            Tidings::Rotate(rotation) => {
                let done = self.rotate(rotation.old);
                let Rotation { reply, .. } = rotation;
                answer(reply, done)
            }
            Tidings::Damaged => self.rebuild(),
            Tidings::Adopted(key) => {
                let opened = self.keys.open(Some(&key));
                self.key = opened.map_err(|error| Trouble::storage(&error))?;
                self.adopted = Some(*key);
                Ok(())
            }
        }
    }

    /// Makes the tree from the log, whatever there is of it.
    fn rebuild(&mut self) -> Result<(), Trouble> {
        tracing::warn!("a proof from the tiles did not hold; they are made anew");
        self.pending.clear();
        let emptied = self.tiles.truncate(0);
        emptied.map_err(|error| Trouble::storage(&error))?;
        self.catch_up()
    }

    fn grow(&mut self, first: Position, events: &[Hash]) -> Result<(), Trouble> {
        let before = first.number() - 1;
        if before > self.heard() {
            // Something was not heard of.
            self.read_log(before)?;
        }
        let known = self.heard().saturating_sub(before);
        let new = usize::try_from(known)
            .ok()
            .and_then(|known| events.get(known..));
        let leaves = new.unwrap_or(&[]).iter().copied().map(Node::of_event);
        self.pending.extend(leaves);
        Ok(())
    }

    /// Leaves in the files and heard of.
    fn heard(&self) -> u64 {
        let pending = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
        self.tiles.size().saturating_add(pending)
    }

    /// Writes what was heard of, all at once.
    fn flush(&mut self) -> Result<(), Trouble> {
        let leaves = std::mem::take(&mut self.pending);
        self.append(&leaves)
    }

    fn append(&mut self, leaves: &[Node]) -> Result<(), Trouble> {
        self.tiles
            .append(leaves)
            .map_err(|error| Trouble::storage(&error))
    }

    /// Brings the tree to the end of what is durable.
    pub(super) fn catch_up(&mut self) -> Result<(), Trouble> {
        let end = self.durable.borrow().position.map_or(0, Position::number);
        self.read_log(end)
    }

    /// Appends from the log up to this position.
    fn read_log(&mut self, end: u64) -> Result<(), Trouble> {
        self.flush()?;
        append_from_log(&mut self.tiles, &*self.log, end)
    }

    /// When the next checkpoint is due by the clock.
    fn patience(&self) -> Duration {
        match &self.schedule {
            Some(schedule) if self.has_news() => {
                schedule.time.saturating_sub(self.last.0.elapsed())
            }
            Some(schedule) => schedule.time.min(LONG),
            None => LONG,
        }
    }

    /// Whether there are events that no checkpoint covers.
    fn has_news(&self) -> bool {
        let covered = self.signed.as_ref().and_then(|signed| signed.head().last());
        self.durable.borrow().position > covered
    }

    fn is_due(&self) -> bool {
        // By schedule only the writer signs; others do when they are asked.
        let schedule = self.schedule.as_ref().filter(|_| !self.standing.follows());
        schedule.is_some_and(|schedule| {
            let blocks = self.durable.borrow().height.saturating_sub(self.last.1);
            let due = blocks >= schedule.blocks || self.last.0.elapsed() >= schedule.time;
            due && self.has_news()
        })
    }

    fn sign_if_wanted(&mut self) -> Result<(), Trouble> {
        if self.is_due() {
            // Counted from here: what takes long must not be due again at once.
            self.last = (Instant::now(), self.durable.borrow().height);
            if self.may_attest() {
                self.attest_and_sign()?;
            } else {
                self.adopt_first_key()?;
                self.sign()?;
            }
            self.tiles
                .sync()
                .map_err(|error| Trouble::storage(&error))?;
        }
        let signed = self.signed.as_ref().map_or(0, |signed| signed.head().size);
        let published = self.publisher.state().borrow().size();
        match self.wanted.take().map(Position::number) {
            Some(wanted) if wanted > signed => {
                self.adopt_first_key()?;
                self.sign()
            }
            // The witnesses have not cosigned it yet, or did not want to.
            Some(wanted) if wanted > published => self.show(),
            Some(_) | None => Ok(()),
        }
    }

    /// Signs the tree of everything that is durable.
    fn sign(&mut self) -> Result<(), Trouble> {
        self.catch_up()?;
        if self.require_continuity().is_err() {
            // Tiles that were damaged say nothing; the log does.
            self.rebuild()?;
            self.require_continuity()?;
        }
        let Some(key) = self.key.as_ref().filter(|_| self.key_is_adopted()) else {
            return Err(self.key_missing());
        };
        let signed = SignedCheckpoint::sign(self.tiles.head(), &[key]);
        let signed = signed.map_err(|error| Trouble::Storage {
            detail: error.to_string(),
        })?;
        if let Publisher::Witnessed { .. } = self.publisher {
            // Durable before anybody sees it: what was signed is never forgotten.
            self.keep(Kept::Signed, &signed)?;
        }
        self.signed = Some(Arc::new(signed));
        self.show()
    }

    fn keep(&self, kept: Kept, signed: &SignedCheckpoint) -> Result<(), Trouble> {
        let kept = kept.write(&self.dir, signed);
        kept.map_err(|error| Trouble::storage(&error))
    }

    /// Whatever happened to the files: a head that does not continue the last one is
    /// never signed.
    fn require_continuity(&self) -> Result<(), Trouble> {
        let head = self.tiles.head();
        let Some(last) = self.signed.as_ref().map(|signed| signed.head()) else {
            return Ok(());
        };
        let mut nodes = TiledTree::new(self.tiles.reader(), head.size);
        let proof = tree::consistency(&mut nodes, last.size, head.size)?;
        tree::verify_consistency(&last, &head, &proof).map_err(|error| Trouble::Storage {
            detail: format!(
                "the tree of {} events does not continue the checkpoint over {}: {error}",
                head.size, last.size
            ),
        })
    }

    /// What was signed before the last end, and not given out: the witnesses were
    /// not there, or are not asked any more.
    fn show_what_was_left(&self) -> Result<(), Trouble> {
        let signed = self.signed.as_ref().map_or(0, |signed| signed.head().size);
        let published = self.publisher.state().borrow().size();
        if self.schedule.is_some() && signed > published {
            return self.show();
        }
        Ok(())
    }

    /// Gives the newest checkpoint out, or has it shown to the witnesses first.
    fn show(&self) -> Result<(), Trouble> {
        let Some(signed) = &self.signed else {
            return Ok(());
        };
        let newest = match &self.publisher {
            Publisher::Alone(publish) => {
                self.keep(Kept::Published, signed)?;
                publish.send_replace(Published {
                    checkpoint: Some(Arc::clone(signed)),
                    trouble: None,
                });
                return Ok(());
            }
            Publisher::Witnessed { newest, .. } => newest,
        };
        match newest.try_send(Arc::clone(signed)) {
            // While they are busy with an earlier one: the newest that is kept is
            // looked at when that is done.
            Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
            Err(TrySendError::Disconnected(_)) => Err(Trouble::Witnesses {
                detail: "nobody asks them any more".to_owned(),
            }),
        }
    }

    fn key_missing(&self) -> Trouble {
        let key = self.adopted.as_ref();
        Trouble::KeyMissing {
            key: key.map_or_else(String::new, VerifierKey::to_string),
        }
    }

    fn key_is_adopted(&self) -> bool {
        self.adopted.is_some()
            && self.key.as_ref().map(SigningKey::verifier) == self.adopted.as_ref()
    }

    fn may_attest(&self) -> bool {
        self.attested
            .is_none_or(|(when, cost)| when.elapsed() >= cost.saturating_mul(SHARE))
    }

    /// Records what the log folds to, and signs a tree with that in it.
    fn attest_and_sign(&mut self) -> Result<Position, Trouble> {
        self.adopt_first_key()?;
        if !self.key_is_adopted() {
            // Before anything is recorded for a checkpoint that cannot be.
            return Err(self.key_missing());
        }
        let cost = Arc::new(AtomicU64::new(0));
        let measured = Arc::clone(&cost);
        let position = self.say(StreamKind::State, move |projections| {
            let begun = Instant::now();
            let body = attestation(projections);
            let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            measured.store(micros, Ordering::Relaxed);
            body.into_iter().collect()
        })?;
        let cost = Duration::from_micros(cost.load(Ordering::Relaxed));
        self.attested = Some((Instant::now(), cost));
        self.sign()?;
        Ok(position)
    }

    /// The first checkpoint needs a key that the log names.
    fn adopt_first_key(&mut self) -> Result<(), Trouble> {
        if self.adopted.is_some() {
            return Ok(());
        }
        let key = match self.key.take() {
            Some(key) => key,
            None => self.make_key()?,
        };
        self.adopt(key, None)
    }

    fn make_key(&self) -> Result<SigningKey, Trouble> {
        let name = self
            .adopted
            .as_ref()
            .map_or(&self.origin, VerifierKey::name);
        let made = self.keys.make_next(name.clone());
        made.map_err(|error| Trouble::storage(&error))
    }

    fn adopt(
        &mut self,
        key: SigningKey,
        endorsement: Option<luzhang_ledger::proof::Note>,
    ) -> Result<(), Trouble> {
        let verifier = key.verifier().clone();
        let adoption = KeyAdoption {
            key: verifier.clone(),
            endorsement,
        };
        let body = Body::CheckpointKeyAdopted(Box::new(adoption));
        self.say(StreamKind::Ledger, move |_| vec![body])?;
        // The log says so; if this fails, the next start does it.
        let taken = self.keys.take(&verifier);
        self.adopted = Some(verifier);
        self.key = Some(key);
        taken.map_err(|error| Trouble::storage(&error))
    }

    fn rotate(&mut self, old: OldKey) -> Result<VerifierKey, Trouble> {
        if self.adopted.is_none() {
            self.adopt_first_key()?;
            self.sign()?;
            return self.adopted.clone().ok_or_else(|| self.key_missing());
        }
        let next = self.make_key()?;
        let endorsement = match (old, self.key.as_ref()) {
            (OldKey::Lost, _) => None,
            (OldKey::AtHand, Some(key)) if self.key_is_adopted() => {
                let note = rotation::endorse(key, next.verifier());
                Some(note.map_err(|error| Trouble::Storage {
                    detail: error.to_string(),
                })?)
            }
            (OldKey::AtHand, _) => return Err(self.key_missing()),
        };
        let verifier = next.verifier().clone();
        self.adopt(next, endorsement)?;
        self.sign()?;
        Ok(verifier)
    }

    /// Lets the writer record events of the ledger's own, and waits until they are
    /// durable.
    fn say(
        &self,
        kind: StreamKind,
        bodies: impl FnOnce(&Projections) -> Vec<Body> + Send + 'static,
    ) -> Result<Position, Trouble> {
        let stopped = |detail: &str| Trouble::Writer {
            detail: detail.to_owned(),
        };
        if let Some(elsewhere) = self.standing.elsewhere() {
            return Err(stopped(&elsewhere.en));
        }
        let (reply, said) = oneshot::channel();
        let ledger = self.ledger;
        let say = move |projections: &Projections| {
            let bodies = bodies(projections).into_iter();
            let said = bodies.map(|body| Said::of_ledger(ledger, kind, body));
            said.collect()
        };
        let own = Own {
            say: Box::new(say),
            reply,
        };
        let queued = self.turns.own(own);
        queued.map_err(|_| stopped("the server is shutting down"))?;
        let said = said.blocking_recv();
        let said = said.map_err(|_| stopped("the server is shutting down"))?;
        let position = said.map_err(|rejected| stopped(&rejected.en))?;
        position.ok_or_else(|| stopped("nothing was recorded"))
    }
}

/// Appends what the log has up to a position and the tiles have not.
pub(super) fn append_from_log(
    tiles: &mut TileFiles,
    log: &dyn Reader,
    end: u64,
) -> Result<(), Trouble> {
    let unreadable = |detail: String| Trouble::Storage { detail };
    if tiles.size() >= end {
        return Ok(());
    }
    let next = Position::new(tiles.size() + 1).unwrap_or(Position::FIRST);
    let mut leaves = Vec::new();
    for block in log.blocks_from(next) {
        let block = block.map_err(|error| unreadable(error.to_string()))?;
        let view = BlockView::parse(&block).map_err(|error| unreadable(error.to_string()))?;
        if view.first.number() > end {
            break;
        }
        let mut hasher = ChainHasher::default();
        let mut chain = view.chain_before;
        for frame in view.frames() {
            let frame = frame.map_err(|_| unreadable("a block is damaged".to_owned()))?;
            chain = hasher.event(chain, frame.event);
            if (next.number()..=end).contains(&frame.position.number()) {
                leaves.push(Node::of_event(chain));
            }
        }
        if leaves.len() >= BATCH {
            tiles.append(&leaves)?;
            leaves.clear();
        }
    }
    Ok(tiles.append(&leaves)?)
}

/// Passes a result on to whoever waits for it. Trouble with storage ends the
/// signer; other trouble is theirs alone.
fn answer<T>(
    reply: oneshot::Sender<Result<T, Rejected>>,
    done: Result<T, Trouble>,
) -> Result<(), Trouble> {
    let fatal = match &done {
        Err(trouble @ Trouble::Storage { .. }) => Err(trouble.clone()),
        Ok(_) | Err(_) => Ok(()),
    };
    // Whoever asked may be gone.
    let _gone = reply.send(done.map_err(|trouble| Rejected::trouble(&trouble)));
    fatal
}

/// The digests of all projections. `None` where a name is no label, which none is.
fn attestation(projections: &Projections) -> Option<Body> {
    let statuses = projections.statuses();
    let attested: Result<Vec<Attested>, _> = statuses
        .into_iter()
        .map(|status| {
            Label::new(status.name.as_str()).map(|projection| Attested {
                projection,
                version: status.name.version(),
                digest: status.digest,
            })
        })
        .collect();
    attested.ok().map(Body::StateAttested)
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::storage(&error)
    }
}
