//! A ledger in memory: every decision becomes events, as the server would write
//! them, and the folds follow.

use std::sync::OnceLock;

use luzhang_ledger::{
    Body, Event, Header, Position, StreamId,
    event::{Conflict, Failure},
    text::Principal,
};
use luzhang_projections::{
    Command, Decision, Rejection, State,
    decide::{self, CommandBody},
    pack::LUZHOU_2023,
    projection::Projections,
    trace::{self, Outcome},
};

use crate::steps::{OFFICE, Step, office};

/// The log so far and what it folds to.
#[derive(Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) log: Vec<Event>,
    pub(crate) folded: Projections,
}

impl Ledger {
    /// Nothing, not even a policy.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// The built-in pack at position 1.
    pub(crate) fn new() -> Self {
        // Parsing a pack takes longer than most of the tests that need one.
        static ADOPTED: OnceLock<Ledger> = OnceLock::new();
        ADOPTED
            .get_or_init(|| Self::empty().with_pack(LUZHOU_2023))
            .clone()
    }

    /// Adopts a pack next.
    #[track_caller]
    pub(crate) fn with_pack(mut self, text: &str) -> Self {
        self.submit(&adoption(text)).unwrap();
        self
    }

    pub(crate) fn state(&self) -> &State {
        &self.folded.state
    }

    /// Decides, without writing anything.
    pub(crate) fn decide(&self, step: &Step) -> Result<Decision, Rejection> {
        let decision = decide::decide(self.state(), step.command.clone());
        if let Ok(decision) = &decision {
            self.check_trace(step, &decision.body);
        }
        decision
    }

    /// A trace tries every limit, and fails those that the decision names.
    #[track_caller]
    fn check_trace(&self, step: &Step, body: &Body) {
        let (claim, failures) = match body {
            Body::Granted(claim) => (claim, &[][..]),
            Body::Refused(refusal) => (&refusal.claim, &refusal.failures[..]),
            _ => return,
        };
        let traced = trace::of(self.state(), step.command.office, claim).unwrap();
        let failed = traced
            .limits
            .iter()
            .filter(|t| t.outcome == Outcome::Failed);
        let failed: Vec<Failure> = failed
            .map(|tried| Failure {
                limit: tried.limit.clone(),
                code: tried.code.clone(),
                compared: tried.compared.clone(),
                facts: tried.facts.clone(),
            })
            .collect();
        assert_eq!(failed, failures, "{step:?}");
        let pack = self.state().pack_at(traced.policy).unwrap();
        let limits = pack.limits(claim).map(|limit| &limit.id);
        assert!(traced.limits.iter().map(|t| &t.limit).eq(limits));
        for tried in &traced.limits {
            let judged = tried.outcome != Outcome::NotJudged;
            assert!(!judged || !tried.compared.is_empty(), "{tried:?}");
        }
    }

    /// Decides and writes; the events' first position is that of the decision.
    pub(crate) fn submit(&mut self, step: &Step) -> Result<Decision, Rejection> {
        let decision = self.decide(step)?;
        let first = self.append(&decision, decision.body.clone(), step, decision.cause);
        for conflict in &decision.conflicts {
            let body = Body::Conflict(Conflict::clone(conflict));
            self.append(&decision, body, step, Some(first));
        }
        for conflict in &decision.cleared {
            let body = Body::ConflictCleared(*conflict);
            self.append(&decision, body, step, Some(first));
        }
        Ok(decision)
    }

    fn append(
        &mut self,
        decision: &Decision,
        body: Body,
        step: &Step,
        cause: Option<Position>,
    ) -> Position {
        let (revision, stream_previous) = self.state().stream_end(decision.stream);
        let event = Event {
            header: Header {
                revision: revision + 1,
                stream_previous,
                office: Some(step.command.office),
                basis: decision.basis,
                policy: decision.policy,
                principal: step.principal(),
                cause,
                ..self.header(decision.stream)
            },
            body,
        };
        self.fold(event)
    }

    /// Writes an event that no decision makes.
    pub(crate) fn fold(&mut self, event: Event) -> Position {
        let position = event.header.position;
        self.folded.apply(&event);
        self.log.push(event);
        position
    }

    /// The header of the next event, were it the first of `stream`.
    pub(crate) fn header(&self, stream: StreamId) -> Header {
        let position = self
            .state()
            .position()
            .map_or(Position::FIRST, Position::next);
        Header {
            position,
            stream,
            revision: 1,
            stream_previous: None,
            recorded_at: 1_700_000_000_000_000 + i64::try_from(position.number()).unwrap(),
            request: None,
            principal: Principal::new("clerk").unwrap(),
            office: None,
            basis: None,
            policy: None,
            cause: None,
            salt: [0; 16],
            credential: None,
        }
    }
}

/// The adoption of a pack.
pub(crate) fn adoption(text: &str) -> Step {
    Step {
        command: Command {
            office: office(OFFICE),
            body: CommandBody::AdoptPolicy(text.as_bytes().into()),
        },
    }
}
