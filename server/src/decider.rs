//! The first of the writer's two threads: it takes what waits, in turn (see
//! [`crate::turns`]), decides it, and turns the decisions into blocks.

use std::{
    collections::VecDeque,
    sync::{Arc, mpsc::SyncSender},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use luzhang_ledger::{
    Body, Event, Header, LedgerId, Position, StreamId, StreamKind,
    block::{BlockBuilder, Head, SealedBlock},
    event::{Conflict, Party, RequestMark},
    text::Principal,
};
use luzhang_projections::{
    access::{self, Access, Action, Identity},
    decide,
    projection::Projections,
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tonic::Code;

use crate::{
    committer::{Commit, Committer, Poison, Replies},
    convert::{
        from_proto::{NamedParty, Request},
        to_proto::{Outcome, Receipt},
    },
    denials::Denials,
    figures::Seen,
    original::{Recall, refused},
    rejected::{Original, Rejected},
    sequencer::Said,
    snapshots::Index,
    turns::{GROUP, LEAST, LEAST_TIME, SHARED, SHARED_TIME, SLICE, Turn, Turns},
    vault::{Retired, Vault, VaultError},
};

/// The most full blocks that one append takes, 120 KiB each: sled needs room for
/// a whole append at once, and a full disk must still leave that.
const APPEND: usize = 24;

/// How many commands are looked at together before they are decided one by one.
const NEAR: usize = 64;

/// What decides.
pub(crate) struct Decider {
    pub(crate) ledger: LedgerId,
    pub(crate) epoch: u64,
    pub(crate) head: Head,
    pub(crate) vault: Arc<Vault>,
    pub(crate) recall: Recall,
    pub(crate) projections: Arc<RwLock<Projections>>,
    pub(crate) index: Index,
    pub(crate) salts: blake3::OutputReader,
    /// Outcomes that are decided but not durable yet, in the order of their positions.
    pub(crate) undurable: VecDeque<Undurable>,
    pub(crate) durable: watch::Receiver<Head>,
    pub(crate) poison: Poison,
    pub(crate) commits: SyncSender<Commit>,
    /// To commit without them.
    pub(crate) committer: Arc<Mutex<Committer>>,
    pub(crate) access: Arc<RwLock<Arc<Access>>>,
    pub(crate) denials: Arc<Denials>,
    pub(crate) turns: Arc<Turns>,
}

/// An outcome that is decided but not durable yet.
pub(crate) struct Undurable {
    position: u64,
    mark: RequestMark,
    /// Whose it is.
    by: Principal,
    outcome: Outcome,
}

/// The blocks of the group that is being decided.
struct Group {
    builder: BlockBuilder,
    /// Full blocks of the append that is being filled.
    blocks: Vec<SealedBlock>,
    /// Appends that are full.
    appends: Vec<Vec<SealedBlock>>,
    /// Whose keys are destroyed when all of it is durable.
    retired: Vec<Retired>,
    /// For the figures.
    seen: Seen,
    now: i64,
}

impl Group {
    fn next_position(&self) -> Position {
        self.builder.next_position()
    }
}

/// What an event's header takes from its command.
struct Origin<'a> {
    by: &'a Identity,
    request: Option<RequestMark>,
    cause: Option<Position>,
}

impl Decider {
    /// Until its queue is closed and empty.
    pub(crate) fn run(mut self, genesis: Vec<Body>) -> Index {
        let turns = Arc::clone(&self.turns);
        // Whoever still waits when this ends is told.
        let _ended = Ended(&turns);
        if !genesis.is_empty() && !self.write_genesis(genesis) {
            return self.index;
        }
        while let Some(quota) = turns.begin() {
            if let Some(why) = self.poison.get() {
                refuse(&turns, &Rejected::stopped(why));
                continue;
            }
            let commit = self.group(&turns, quota);
            if !self.send(commit) {
                break;
            }
        }
        self.index
    }

    /// Hands a group on, or makes it durable here if there are single requests alone: the
    /// next of them waits for it in any case. The committer never ends before this does,
    /// unless it panics.
    fn send(&mut self, commit: Commit) -> bool {
        if self.turns.none_beside() {
            self.committer.lock().take(commit);
            return true;
        }
        self.turns.sent();
        self.commits.send(commit).is_ok()
    }

    fn write_genesis(&mut self, bodies: Vec<Body>) -> bool {
        let ledger = Identity::believed(Principal::ledger());
        let projections = Arc::clone(&self.projections);
        let mut projections = projections.write();
        let mut group = self.open_group();
        for body in bodies {
            let stream = if let Body::PolicyPackAdopted { pack, .. } = &body {
                StreamId::of(StreamKind::Pack, pack.as_str())
            } else if let Body::MandateAdopted(mandate) = &body {
                StreamId::of(StreamKind::Principal, mandate.principal.as_str())
            } else {
                StreamId::of(StreamKind::Ledger, &self.ledger.to_string())
            };
            let origin = Origin {
                by: &ledger,
                request: None,
                cause: None,
            };
            let header = self.header(&projections, &group, stream, &origin);
            if self
                .record(&mut projections, &mut group, &Event { header, body })
                .is_err()
            {
                return false;
            }
        }
        let commit = self.close_group(group, Replies::default());
        self.send(commit)
    }

    fn open_group(&self) -> Group {
        Group {
            builder: BlockBuilder::new(self.head, self.epoch),
            blocks: Vec::new(),
            appends: Vec::new(),
            retired: Vec::new(),
            seen: Seen::new(Instant::now()),
            // Strictly increasing, whatever the clock does.
            now: clock_micros().max(self.head.recorded_at),
        }
    }

    fn close_group(&mut self, mut group: Group, replies: Replies) -> Commit {
        self.close_append(&mut group);
        Commit {
            appends: group.appends,
            retired: group.retired,
            replies,
            seen: group.seen,
        }
    }

    /// Ends the append that is being filled. Called between decisions only, so
    /// that the events of one are never in two.
    fn close_append(&mut self, group: &mut Group) {
        if !group.builder.is_empty() {
            let block = group.builder.seal();
            self.head = block.head;
            group.blocks.push(block);
        }
        if !group.blocks.is_empty() {
            group.appends.push(std::mem::take(&mut group.blocks));
        }
    }

    /// Decides a group: what single requests there are, and so many commands of
    /// streams. When a single request comes meanwhile, it is taken into this group
    /// and the group ends.
    fn group(&mut self, turns: &Turns, quota: usize) -> Commit {
        let durable = self.durable.borrow().position.map_or(0, Position::number);
        let arrived = |undurable: &mut Undurable| undurable.position <= durable;
        while self.undurable.pop_front_if(arrived).is_some() {}
        let projections = Arc::clone(&self.projections);
        let mut projections = projections.write();
        let mut group = self.open_group();
        let mut replies = Replies::default();
        let (mut left, mut quota, mut streamed) = (GROUP, quota, 0);
        let (began, shared) = (group.seen.began, quota <= SHARED);
        while left > 0
            && let Some(turn) = turns.next(quota > 0)
        {
            match turn {
                Turn::Own(own) => {
                    left -= 1;
                    let last = self.say(&mut projections, &mut group, own.say);
                    replies.own.push((own.reply, last));
                }
                Turn::Single(commands) => {
                    left = left.saturating_sub(commands.requests.len().max(1));
                    // Who asked has gone or run out of time: nothing is decided
                    // for them, so that a late answer cannot surprise anybody.
                    if commands.is_abandoned() {
                        continue;
                    }
                    group.seen.waited(commands.since);
                    let requests = commands.requests.into_iter();
                    let mut outcomes = Vec::with_capacity(requests.len());
                    for request in requests {
                        outcomes.push(self.take(&mut projections, &mut group, request));
                    }
                    replies.commands.push((commands.reply, outcomes));
                }
                Turn::Part(mut part) => {
                    // The same, and no matter how far it was: what is not decided
                    // now never is, and neither is what comes later on its stream.
                    if part.commands.is_abandoned() {
                        continue;
                    }
                    if part.outcomes.is_empty() {
                        group.seen.waited(part.commands.since);
                    }
                    let slice = SLICE.min(quota).min(left);
                    let mut taken = 0;
                    while taken < slice {
                        if taken % NEAR == 0 {
                            let near = part.rest.as_slice();
                            self.anticipate(&projections, near.get(..NEAR).unwrap_or(near));
                        }
                        let Some(request) = part.rest.next() else {
                            break;
                        };
                        let decided = self.take(&mut projections, &mut group, request);
                        part.outcomes.push(decided);
                        taken += 1;
                        streamed += 1;
                        let since = began.elapsed();
                        let enough = streamed >= LEAST || since >= LEAST_TIME;
                        if (enough && turns.hurry()) || (shared && since >= SHARED_TIME) {
                            quota = 0;
                            break;
                        }
                    }
                    left -= taken;
                    // An empty message is a turn too.
                    quota = quota.saturating_sub(taken.max(1));
                    if part.rest.len() == 0 {
                        replies.commands.push((part.commands.reply, part.outcomes));
                    } else {
                        turns.later(part);
                    }
                }
            }
        }
        drop(projections);
        self.close_group(group, replies)
    }

    /// Has what will be read for some commands near, before the first is decided.
    fn anticipate(&self, projections: &Projections, requests: &[Result<Request, Rejected>]) {
        let requests = requests.iter().flatten();
        let known = requests
            .clone()
            .filter(|request| self.index.requests.contains_key(&request.mark.id));
        std::hint::black_box(known.count());
        let parties = requests.flat_map(|request| &request.parties);
        let subjects: Vec<StreamId> = parties.map(|party| party.subject.into()).collect();
        projections.state.anticipate(&subjects);
    }

    /// Decides one command; what the edge rejected passes through.
    fn take(
        &mut self,
        projections: &mut Projections,
        group: &mut Group,
        request: Result<Request, Rejected>,
    ) -> Result<Outcome, Rejected> {
        let decided = request.and_then(|request| self.decide(projections, group, request));
        if group.blocks.len() >= APPEND {
            self.close_append(group);
        }
        decided
    }

    /// Records what no command asks for.
    fn say(
        &mut self,
        projections: &mut Projections,
        group: &mut Group,
        say: impl FnOnce(&Projections) -> Vec<Said>,
    ) -> Result<Option<Position>, Rejected> {
        let mut last = None;
        for Said { by, stream, body } in say(projections) {
            let origin = Origin {
                by: &by,
                request: None,
                cause: None,
            };
            let header = self.header(projections, group, stream, &origin);
            let event = Event { header, body };
            last = Some(self.record(projections, group, &event)?.position);
        }
        Ok(last)
    }

    fn decide(
        &mut self,
        projections: &mut Projections,
        group: &mut Group,
        request: Request,
    ) -> Result<Outcome, Rejected> {
        let permitted = access::permits(&projections.state, &request.by, &request.command);
        if let Err(denied) = permitted {
            let action = Action::of(&request.command.body).name;
            self.denials
                .note(Some(&request.by.principal), denied.code(), action);
            return Err(denied.into());
        }
        if let Some(position) = self.index.requests.get(&request.mark.id) {
            return self.original(projections, *position, &request);
        }
        let office = request.command.office;
        let decision = decide::decide(&projections.state, request.command)?;
        let origin = Origin {
            by: &request.by,
            request: None,
            cause: None,
        };
        for party in &request.parties {
            self.introduce(projections, group, party, &origin)?;
        }
        let origin = Origin {
            request: Some(request.mark),
            ..origin
        };
        let mut header = self.header(projections, group, decision.stream, &origin);
        header.office = Some(office);
        header.basis = decision.basis;
        header.policy = decision.policy;
        header.cause = decision.cause;
        let position = header.position;
        let refusal = refused(projections, header.policy, &decision.body);
        let mut body = decision.body;
        if let (Body::AccountBound(account), Some(details)) = (&mut body, &request.account) {
            let sealed = self.vault.seal_again(account.subject, details);
            account.sealed = sealed.map_err(|e| unsealed(&e))?.into_boxed_slice();
        }
        let event = Event { header, body };
        let receipt = self.record(projections, group, &event)?;
        if let Body::SubjectErased(erasure) = &event.body {
            group.retired.push(self.vault.retire(erasure.subject));
        }
        let mut conflicts = Vec::with_capacity(decision.conflicts.len());
        for conflict in decision.conflicts {
            let origin = Origin {
                by: &request.by,
                request: None,
                cause: Some(position),
            };
            let mut header = self.header(projections, group, decision.stream, &origin);
            header.office = Some(office);
            header.policy = policy_of(projections, &conflict);
            conflicts.push(header.position);
            let body = Body::Conflict(conflict);
            self.record(projections, group, &Event { header, body })?;
        }
        let mut cleared = Vec::with_capacity(decision.cleared.len());
        for conflict in decision.cleared {
            let origin = Origin {
                by: &request.by,
                request: None,
                cause: Some(position),
            };
            let mut header = self.header(projections, group, decision.stream, &origin);
            header.office = Some(office);
            cleared.push(header.position);
            let body = Body::ConflictCleared(conflict);
            self.record(projections, group, &Event { header, body })?;
        }
        let outcome = Outcome {
            receipt,
            refused: refusal,
            conflicts,
            cleared,
            replayed: false,
            warnings: request.warnings,
        };
        self.undurable.push_back(Undurable {
            position: position.number(),
            mark: request.mark,
            by: request.by.principal,
            outcome: outcome.clone(),
        });
        Ok(outcome)
    }

    /// Records who a subject is, if the ledger does not know it by this name.
    fn introduce(
        &mut self,
        projections: &mut Projections,
        group: &mut Group,
        party: &NamedParty,
        origin: &Origin<'_>,
    ) -> Result<(), Rejected> {
        let known = projections.state.party(party.subject);
        let sealed = match known {
            Some((_, digest)) if digest == party.digest => return Ok(()),
            Some(_) => self.vault.seal_again(party.subject, &party.details),
            None => self.vault.seal_new(party.subject, &party.details),
        };
        let sealed = sealed.map_err(|e| unsealed(&e))?;
        let body = Party {
            kind: party.kind,
            subject: party.subject,
            sealed: sealed.into_boxed_slice(),
            digest: party.digest,
        };
        let body = match known {
            Some(_) => Body::PartyCorrected(body),
            None => Body::PartyRegistered(body),
        };
        let header = self.header(projections, group, party.subject.into(), origin);
        self.record(projections, group, &Event { header, body })?;
        Ok(())
    }

    fn header(
        &mut self,
        projections: &Projections,
        group: &Group,
        stream: StreamId,
        origin: &Origin<'_>,
    ) -> Header {
        let (revision, stream_previous) = projections.state.stream_end(stream);
        let mut salt = [0; 16];
        self.salts.fill(&mut salt);
        Header {
            position: group.next_position(),
            stream,
            revision: revision + 1,
            stream_previous,
            recorded_at: group.now + 1,
            request: origin.request,
            principal: origin.by.principal.clone(),
            office: None,
            basis: None,
            policy: None,
            cause: origin.cause,
            salt,
            credential: origin.by.credential.map(|credential| credential.short()),
        }
    }

    /// Puts an event into the group and folds it.
    fn record(
        &mut self,
        projections: &mut Projections,
        group: &mut Group,
        event: &Event,
    ) -> Result<Receipt, Rejected> {
        let too_large = |error: luzhang_ledger::block::EventTooLarge| {
            Rejected::new(
                Code::InvalidArgument,
                "EVENT_TOO_LARGE",
                format!("内容过大：{} 字节", error.len),
                error.to_string(),
            )
        };
        let hash = loop {
            if let Some(hash) = group.builder.push(event).map_err(too_large)? {
                break hash;
            }
            let full = group.builder.seal();
            self.head = full.head;
            group.blocks.push(full);
        };
        group.now = event.header.recorded_at;
        group.seen.event(event.body.kind());
        projections.apply(event);
        self.index.see(event);
        if matches!(
            event.body,
            Body::MandateProposed(_) | Body::MandateAdopted(_)
        ) {
            *self.access.write() = Arc::new(projections.state.access.clone());
        }
        Ok(Receipt {
            ledger: self.ledger,
            position: event.header.position,
            event_hash: hash,
            recorded_at: event.header.recorded_at,
        })
    }

    /// The outcome of an earlier request with the same id.
    fn original(
        &mut self,
        projections: &Projections,
        position: u64,
        request: &Request,
    ) -> Result<Outcome, Rejected> {
        let undurable = &self.undurable;
        let place = undurable.binary_search_by_key(&position, |undurable| undurable.position);
        let (known, by, outcome) = match place.ok().and_then(|place| undurable.get(place)) {
            Some(Undurable {
                mark, by, outcome, ..
            }) => (*mark, by.clone(), outcome.clone()),
            None => self.recall.outcome(projections, position)?,
        };
        // Whose it is not learns neither whether the content is the same, nor why it
        // was refused if it was.
        if by != request.by.principal {
            let code = "REQUEST_OF_ANOTHER";
            let action = Action::of(&request.command.body).name;
            self.denials.note(Some(&request.by.principal), code, action);
            return Err(Rejected::of_another(Original {
                position: outcome.receipt.position,
                refused: outcome.refused.is_some(),
            }));
        }
        if known.content != request.mark.content {
            return Err(Rejected::reused(Original {
                position: outcome.receipt.position,
                refused: outcome.refused.is_some(),
            }));
        }
        Ok(Outcome {
            replayed: true,
            // They follow from the content, which is the same.
            warnings: request.warnings.clone(),
            ..outcome
        })
    }
}

/// Lets everybody go who waits for a decider that has ended.
struct Ended<'a>(&'a Turns);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Tells everybody who waits why nothing is decided.
fn refuse(turns: &Turns, why: &Rejected) {
    let refused = |count| vec![Err(why.clone()); count];
    while let Some(turn) = turns.next(true) {
        // Whoever asked may be gone.
        match turn {
            Turn::Own(own) => {
                let _gone = own.reply.send(Err(why.clone()));
            }
            Turn::Single(commands) => {
                let outcomes = refused(commands.requests.len());
                let _gone = commands.reply.send(outcomes);
            }
            Turn::Part(part) => {
                let outcomes = refused(part.outcomes.len() + part.rest.len());
                let _gone = part.commands.reply.send(outcomes);
            }
        }
    }
}

fn unsealed(error: &VaultError) -> Rejected {
    let status = error.status();
    Rejected::new(status, error.code(), error.zh(), error.to_string())
}

/// A conflict is in the words of the policy that allowed the grant. A loan has
/// no case: of it, the newest policy that has the limit.
fn policy_of(projections: &Projections, conflict: &Conflict) -> Option<Position> {
    if let Some(policy) = projections.state.policy_of(conflict.grant) {
        return Some(policy);
    }
    let adopted = projections.state.packs().iter();
    let mut with_limit = adopted.filter(|a| a.pack.limit(&conflict.limit).is_some());
    with_limit.next_back().map(|adopted| adopted.position)
}

fn clock_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .unwrap_or(0)
}
