//! Every decision once more: the log is folded, and what each event decided is
//! compared with what [`decide()`] gives from the state before it.
//!
//! A chain that holds proves that nobody changed the log afterwards. It does not
//! prove that what wrote it kept to the policy. This does.

use std::{collections::VecDeque, fmt};

use luzhang_ledger::{
    Body, Event, Hash, Office, Position, StreamId,
    access::Revealed,
    event::{Attested, Conflict, Failure},
};

use crate::{
    access::{self, Identity},
    decide::{Command, CommandBody, decide},
    projection::{Name, Projections},
    state::State,
};

/// Folds a log from its first event on, and recomputes its decisions.
#[derive(Clone, Debug, Default)]
pub struct Redecider {
    projections: Projections,
    decisions: u64,
    due: Due,
    attestations: Attestations,
}

/// Streams of a state whose digests cost next to nothing.
const SMALL: u64 = 100_000;

/// Attested states seen, and compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attestations {
    /// How many there are.
    pub seen: u64,
    /// How many were compared. A state costs as much as it is large, so one that
    /// comes soon after another is passed over; what it says, the next one says
    /// too.
    pub compared: u64,
    /// Events since the last one that was compared.
    since: u64,
}

/// Events that have to follow another: conflicts raised and cleared.
#[derive(Clone, Debug, Default)]
struct Due {
    cause: Option<Position>,
    stream: Option<StreamId>,
    bodies: VecDeque<Body>,
}

/// An event that is not what its state and policy give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where; of a conflict that is missing, the fact that has it.
    pub position: Position,
    /// What differs; never empty.
    pub aspects: Vec<Aspect>,
    /// What is on the log.
    pub recorded: Verdict,
    /// What is recomputed.
    pub recomputed: Verdict,
}

/// What an event and its recomputation can differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// The verdict, or the content.
    Body,
    /// The stream it belongs to.
    Stream,
    /// The date that decides policy and budget year.
    Basis,
    /// The policy that judged it.
    Policy,
    /// The acting office, without which nothing can be decided.
    Office,
    /// The event that it follows from.
    Cause,
    /// Whoever caused it was not permitted to.
    Mandate,
}

/// A decision in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A fact was recorded, or a pack adopted.
    Recorded,
    /// The claim was allowed.
    Granted,
    /// The claim was refused for these limits.
    Refused(Vec<Failure>),
    /// The command cannot be decided; nothing would be written.
    Rejected {
        /// The stable reason code.
        code: &'static str,
    },
    /// The step was taken.
    Taken,
    /// A grant contradicts a fact.
    Conflict(Conflict),
    /// A conflict no longer holds.
    Cleared(Position),
    /// The digest of a projection, by its name.
    Attested(String, Hash),
    /// There is nothing.
    Nothing,
}

impl Aspect {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Stream => "stream",
            Self::Basis => "basis",
            Self::Policy => "policy",
            Self::Office => "office",
            Self::Cause => "cause",
            Self::Mandate => "mandate",
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Verdict {
    fn of(body: &Body) -> Self {
        match body {
            Body::Granted(_) => Self::Granted,
            Body::Refused(refusal) => Self::Refused(refusal.failures.clone()),
            Body::Conflict(conflict) => Self::Conflict(conflict.clone()),
            Body::ConflictCleared(conflict) => Self::Cleared(*conflict),
            Body::Step(_) => Self::Taken,
            Body::StepRefused(refusal) => Self::Refused(refusal.failures.clone()),
            Body::LedgerCreated { .. }
            | Body::PolicyPackAdopted { .. }
            | Body::PartyRegistered(_)
            | Body::PartyCorrected(_)
            | Body::AccountBound(_)
            | Body::FactRetracted(_)
            | Body::FactCorrected(_)
            | Body::CheckpointKeyAdopted(_)
            | Body::StateAttested(_)
            | Body::MandateProposed(_)
            | Body::MandateAdopted(_)
            | Body::AccessDenied(_)
            | Body::DetailsRevealed(_)
            | Body::SubjectErased(_)
            | Body::Fact(_) => Self::Recorded,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Granted => "granted",
            Self::Refused(_) => "refused",
            Self::Rejected { .. } => "rejected",
            Self::Taken => "taken",
            Self::Conflict(_) => "conflict",
            Self::Cleared(_) => "cleared",
            Self::Attested(..) => "attested",
            Self::Nothing => "nothing",
        }
    }

    /// The limits and codes that it names, as `LIMIT CODE`.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Self::Refused(failures) => failures
                .iter()
                .map(|failure| format!("{} {}", failure.limit, failure.code))
                .collect(),
            Self::Conflict(conflict) => vec![format!(
                "{} {} @{}",
                conflict.limit, conflict.code, conflict.grant
            )],
            Self::Rejected { code } => vec![(*code).to_owned()],
            Self::Cleared(conflict) => vec![format!("@{conflict}")],
            Self::Attested(projection, digest) => vec![format!("{projection} {digest}")],
            Self::Recorded | Self::Granted | Self::Taken | Self::Nothing => Vec::new(),
        }
    }
}

impl From<Projections> for Redecider {
    /// Goes on from a state that is known to be right.
    fn from(projections: Projections) -> Self {
        Self {
            projections,
            ..Self::default()
        }
    }
}

impl Redecider {
    /// The state after the last event.
    pub fn state(&self) -> &State {
        &self.projections.state
    }

    /// How many attested states were seen and compared.
    pub fn attestations(&self) -> Attestations {
        self.attestations
    }

    /// How many events were recomputed.
    pub fn decisions(&self) -> u64 {
        self.decisions
    }

    /// Takes the next event: recomputes it, then folds it. More than one
    /// difference if conflicts should have stood before it.
    pub fn apply(&mut self, event: &Event) -> Vec<Difference> {
        let mut differences = Vec::new();
        if matches!(event.body, Body::Conflict(_) | Body::ConflictCleared(_)) {
            self.decisions = self.decisions.saturating_add(1);
            differences.extend(self.due.take(event));
        } else {
            differences.extend(self.due.missing());
            if let Body::StateAttested(attested) = &event.body {
                differences.extend(self.compare(event, attested));
            } else if matches!(event.body, Body::MandateAdopted(_)) && event.header.cause.is_none()
            {
                differences.extend(self.founded(event));
            } else if let Body::DetailsRevealed(reveal) = &event.body {
                differences.extend(self.looked(event, &reveal.of));
            } else if let Some(body) = command_body(event) {
                self.decisions = self.decisions.saturating_add(1);
                differences.extend(self.redecide(event, body));
            }
        }
        self.projections.apply(event);
        self.attestations.since = self.attestations.since.saturating_add(1);
        differences
    }

    /// The log has ended: conflicts that are still due are missing.
    pub fn finish(&mut self) -> Vec<Difference> {
        self.due.missing()
    }

    /// Compares what the ledger says of its state with the state before it.
    fn compare(&mut self, event: &Event, attested: &[Attested]) -> Option<Difference> {
        self.attestations.seen = self.attestations.seen.saturating_add(1);
        // As many events as keep the digests cheaper than the decisions; of a state
        // that is small, every one.
        let size = u64::try_from(self.projections.state.streams()).unwrap_or(u64::MAX);
        if self.attestations.since < size.saturating_sub(SMALL) / 16 {
            return None;
        }
        // Another version of a fold has another digest; that is no difference.
        let known = attested.iter().filter_map(|attested| {
            let name = Name::parse(attested.projection.as_str())?;
            (name.version() == attested.version).then_some((name, attested))
        });
        let known: Vec<_> = known.collect();
        if known.is_empty() {
            return None;
        }
        self.attestations.since = 0;
        self.attestations.compared = self.attestations.compared.saturating_add(1);
        known.into_iter().find_map(|(name, attested)| {
            let digest = self.projections.status(name).digest;
            if digest == attested.digest {
                return None;
            }
            let verdict = |digest| Verdict::Attested(name.as_str().to_owned(), digest);
            Some(Difference {
                position: event.header.position,
                aspects: vec![Aspect::Body],
                recorded: verdict(attested.digest),
                recomputed: verdict(digest),
            })
        })
    }

    /// Mandates that nobody proposed stand at the beginning, and nowhere else.
    fn founded(&self, event: &Event) -> Option<Difference> {
        let position = event.header.position;
        let access = &self.projections.state.access;
        (!access.may_be_founded(position)).then(|| Difference {
            position,
            aspects: vec![Aspect::Cause],
            recorded: Verdict::Recorded,
            recomputed: Verdict::Nothing,
        })
    }

    /// Whoever was shown details had a mandate for that.
    fn looked(&self, event: &Event, of: &Revealed) -> Option<Difference> {
        let who = Identity::believed(event.header.principal.clone());
        let denied = access::may_look(&self.projections.state, &who, of).err()?;
        Some(Difference {
            position: event.header.position,
            aspects: vec![Aspect::Mandate],
            recorded: Verdict::Recorded,
            recomputed: Verdict::Rejected {
                code: denied.code(),
            },
        })
    }

    fn redecide(&mut self, event: &Event, body: CommandBody) -> Option<Difference> {
        let header = &event.header;
        let differs = |aspects: Vec<Aspect>, recomputed| {
            (!aspects.is_empty()).then(|| Difference {
                position: header.position,
                aspects,
                recorded: Verdict::of(&event.body),
                recomputed,
            })
        };
        // The pack that a ledger begins with is adopted by no office, and has
        // no basis: nobody asked.
        let genesis = matches!(body, CommandBody::AdoptPolicy(_)) && header.office.is_none();
        let office = match header.office {
            Some(office) => office,
            None if genesis => Office::LUZHOU,
            None => return differs(vec![Aspect::Office], Verdict::Nothing),
        };
        let command = Command { office, body };
        // With which key, the log says too shortly to judge by.
        let who = Identity::believed(header.principal.clone());
        let permitted = access::permits(&self.projections.state, &who, &command);
        if let Err(denied) = permitted
            && !genesis
        {
            let code = denied.code();
            return differs(vec![Aspect::Mandate], Verdict::Rejected { code });
        }
        let decision = match decide(&self.projections.state, command) {
            Ok(decision) => decision,
            Err(rejection) => {
                let code = rejection.code();
                return differs(vec![Aspect::Body], Verdict::Rejected { code });
            }
        };
        let aspects = [
            (Aspect::Body, same(&decision.body, &event.body)),
            (Aspect::Stream, decision.stream == header.stream),
            (Aspect::Basis, genesis || decision.basis == header.basis),
            (Aspect::Policy, decision.policy == header.policy),
            (Aspect::Cause, decision.cause == header.cause),
        ];
        let aspects = aspects.into_iter().filter(|(_, same)| !same);
        let aspects: Vec<Aspect> = aspects.map(|(aspect, _)| aspect).collect();
        let difference = differs(aspects, Verdict::of(&decision.body));
        let raised = decision.conflicts.into_iter().map(Body::Conflict);
        let cleared = decision.cleared.into_iter().map(Body::ConflictCleared);
        let bodies: VecDeque<Body> = raised.chain(cleared).collect();
        if !bodies.is_empty() {
            self.due = Due {
                cause: Some(header.position),
                stream: Some(decision.stream),
                bodies,
            };
        }
        difference
    }
}

/// Whether a recomputed body is the recorded one. What is under seal only the
/// ledger's keys give.
fn same(recomputed: &Body, recorded: &Body) -> bool {
    match (recomputed, recorded) {
        (Body::AccountBound(one), Body::AccountBound(two)) => {
            one.subject == two.subject && one.digest == two.digest
        }
        (one, two) => one == two,
    }
}

/// The command that an event decided; `None` for what follows from another event
/// or from no command.
fn command_body(event: &Event) -> Option<CommandBody> {
    let by = || event.header.principal.clone();
    match &event.body {
        Body::Granted(claim) => Some(CommandBody::Claim(claim.clone())),
        Body::Refused(refusal) => Some(CommandBody::Claim(refusal.claim.clone())),
        Body::Fact(fact) => Some(CommandBody::Fact(fact.clone())),
        Body::PolicyPackAdopted { content, .. } => Some(CommandBody::AdoptPolicy(content.clone())),
        Body::AccountBound(account) => {
            Some(CommandBody::BindAccount(account.subject, account.digest))
        }
        Body::FactRetracted(retraction) => Some(CommandBody::Retract(retraction.clone())),
        Body::FactCorrected(correction) => Some(CommandBody::Correct(Box::new(correction.clone()))),
        Body::Step(step) => Some(CommandBody::Step(Box::new(step.clone()), by())),
        Body::StepRefused(refusal) => Some(CommandBody::Step(Box::new(refusal.step.clone()), by())),
        Body::MandateProposed(mandate) => Some(CommandBody::ProposeMandate(mandate.clone())),
        Body::MandateAdopted(_) => {
            let proposal = event.header.cause?;
            Some(CommandBody::ConfirmMandate(proposal, by()))
        }
        Body::SubjectErased(erasure) => Some(CommandBody::Erase(erasure.clone())),
        Body::LedgerCreated { .. }
        | Body::PartyRegistered(_)
        | Body::PartyCorrected(_)
        | Body::Conflict(_)
        | Body::ConflictCleared(_)
        | Body::CheckpointKeyAdopted(_)
        | Body::StateAttested(_)
        | Body::AccessDenied(_)
        | Body::DetailsRevealed(_) => None,
    }
}

impl Due {
    /// The next event that follows another, beside the one that should be there.
    fn take(&mut self, event: &Event) -> Option<Difference> {
        let header = &event.header;
        let expected = self.bodies.pop_front();
        let same_body = expected.as_ref() == Some(&event.body);
        let same_cause = expected.is_some() && header.cause == self.cause;
        let same_stream = expected.is_none() || self.stream == Some(header.stream);
        let aspects = [
            (Aspect::Body, same_body),
            (Aspect::Stream, same_stream),
            (Aspect::Cause, same_cause),
        ];
        let aspects = aspects.into_iter().filter(|(_, same)| !same);
        let aspects: Vec<Aspect> = aspects.map(|(aspect, _)| aspect).collect();
        (!aspects.is_empty()).then(|| Difference {
            position: header.position,
            aspects,
            recorded: Verdict::of(&event.body),
            recomputed: expected.as_ref().map_or(Verdict::Nothing, Verdict::of),
        })
    }

    fn missing(&mut self) -> Vec<Difference> {
        let Some(cause) = self.cause.take() else {
            return Vec::new();
        };
        let missing = std::mem::take(&mut self.bodies).into_iter();
        missing
            .map(|body| Difference {
                position: cause,
                aspects: vec![Aspect::Body],
                recorded: Verdict::Nothing,
                recomputed: Verdict::of(&body),
            })
            .collect()
    }
}
