//! `LedgerService`: issue grants and read what was issued.

use luzhang_ledger::{Body, Date, Position, StreamId, SubjectId, access::Mandate};
use luzhang_projections::{
    State,
    access::{self, Identity},
    decide,
    entitlement::{self, Entitlement},
};
use luzhang_proto::{
    event as stored,
    wire::{self, ledger_service_server::LedgerService},
};
use prost::Message as _;
use tonic::{Code, Request, Response, Status, Streaming};

use super::{
    Answers, Context, batch, event_not_found,
    events::{self, Filter},
    position,
};
use crate::{
    convert::{
        from_proto, subject,
        to_proto::{self, LoggedEvent},
    },
    edge::Until,
    gate::Visitor,
    original::refused,
    proofs,
    rejected::{MessageSize, Rejected},
    replay,
};

#[tonic::async_trait]
impl LedgerService for Context {
    async fn submit(
        &self,
        request: Request<wire::SubmitRequest>,
    ) -> Result<Response<wire::SubmitResponse>, Status> {
        let by = Visitor::of(request.extensions())?.who.clone();
        let under_way = self.allowances.command(&by.principal);
        let _under_way = under_way.map_err(Rejected::into_status)?;
        let request = request.into_inner();
        let wants_receipt = request.receipt;
        let principal = by.principal.clone();
        let command = self.command(request.command)?;
        let request = self.request(&by, command).map_err(Rejected::into_status)?;
        let pending = self
            .engine
            .try_submit(&principal, vec![Ok(request)])
            .map_err(Rejected::into_status)?;
        let outcomes = pending.outcomes().await.map_err(Rejected::into_status)?;
        let outcome = outcomes
            .into_iter()
            .next()
            .unwrap_or_else(|| Err(Rejected::shutting_down()));
        let outcome = outcome.map_err(Rejected::into_status)?;
        let receipt = if wants_receipt {
            let at = outcome.receipt.position;
            match proofs::receipt(&self.engine, at, proofs::Form::Hash).await {
                Ok(receipt) => receipt.to_string(),
                Err(why) => {
                    // What was decided is decided; the receipt can be had later.
                    tracing::warn!(position = at.number(), why = %why.en, "no receipt yet");
                    String::new()
                }
            }
        } else {
            String::new()
        };
        Ok(Response::new(wire::SubmitResponse {
            outcome: Some(to_proto::outcome(outcome)),
            receipt,
        }))
    }

    type SubmitBatchStream = Answers<wire::SubmitBatchResponse>;

    async fn submit_batch(
        &self,
        request: Request<Streaming<wire::SubmitBatchRequest>>,
    ) -> Result<Response<Self::SubmitBatchStream>, Status> {
        let by = Visitor::of(request.extensions())?.who.clone();
        let under_way = self.stream(&request)?;
        let (_, extensions, messages) = request.into_parts();
        let answers = batch::answers(self.clone(), by, messages);
        Ok(Response::new(Box::pin(Until::of_commands(
            answers,
            &extensions,
            under_way,
        ))))
    }

    async fn evaluate(
        &self,
        request: Request<wire::EvaluateRequest>,
    ) -> Result<Response<wire::EvaluateResponse>, Status> {
        let visitor = Visitor::of(request.extensions())?.clone();
        let under_way = self.allowances.request(&visitor.who.principal);
        let _under_way = under_way.map_err(Rejected::into_status)?;
        let command = self.command(request.into_inner().command)?;
        let request = self
            .request(&visitor.who, command)
            .map_err(Rejected::into_status)?;
        let warnings = request
            .warnings
            .iter()
            .map(|w| to_proto::warning(*w))
            .collect();
        let judged = self
            .engine
            .read(move |projections| {
                let state = &projections.state;
                let at = state.position().map_or(0, Position::number);
                access::permits(state, &visitor.who, &request.command)
                    .map_err(|denied| visitor.denied(denied))?;
                let decision = decide(state, request.command)?;
                let refused = refused(projections, decision.policy, &decision.body);
                let result = if let Some((pack, failures)) = refused {
                    let reason = |f| to_proto::reason(&pack, f);
                    let reasons = failures.iter().map(reason).collect();
                    wire::outcome::Result::Refused(wire::Refused {
                        receipt: None,
                        reasons,
                    })
                } else {
                    wire::outcome::Result::Accepted(wire::Accepted {
                        receipt: None,
                        conflicts: decision
                            .conflicts
                            .iter()
                            .map(|c| c.grant.number())
                            .collect(),
                        warnings,
                        cleared: decision.cleared.iter().map(|p| p.number()).collect(),
                    })
                };
                Ok::<_, Rejected>((result, at))
            })
            .await
            .map_err(Rejected::into_status)?;
        let (result, position) = judged.map_err(Rejected::into_status)?;
        Ok(Response::new(wire::EvaluateResponse {
            outcome: Some(wire::Outcome {
                result: Some(result),
                replayed: false,
            }),
            position,
        }))
    }

    async fn get_event(
        &self,
        request: Request<wire::GetEventRequest>,
    ) -> Result<Response<wire::GetEventResponse>, Status> {
        let visitor = Visitor::of(request.extensions())?.clone();
        let number = request.into_inner().position;
        let logged = self.event(position(number)?)?;
        let logged = logged.ok_or_else(|| event_not_found(number))?;
        let seen = visitor.may_see(logged.event.header.office);
        seen.map_err(Rejected::into_status)?;
        let event = self
            .engine
            .peek(|projections| to_proto::stored_event(&projections.state, logged));
        Ok(Response::new(wire::GetEventResponse { event: Some(event) }))
    }

    type ReadEventsStream = Answers<wire::ReadEventsResponse>;

    async fn read_events(
        &self,
        request: Request<wire::ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let under_way = self.stream(&request)?;
        let (_, extensions, request) = request.into_parts();
        let filter = Filter::new(&request)?;
        let visitor = Visitor::of(&extensions)?.clone();
        let answers = events::read(self.clone(), visitor, filter);
        Ok(Response::new(Box::pin(Until::new(
            answers,
            &extensions,
            under_way,
        ))))
    }

    async fn get_subject(
        &self,
        request: Request<wire::GetSubjectRequest>,
    ) -> Result<Response<wire::GetSubjectResponse>, Status> {
        let visitor = Visitor::of(request.extensions())?;
        let mandate = visitor.mandate().map_err(Rejected::into_status)?;
        let request = request.into_inner();
        let subject = self.subject(request.subject)?;
        let on = match request.on {
            Some(date) => from_proto::date(Some(date), "on").map_err(Rejected::into_status)?,
            None => jiff::Timestamp::now()
                .in_tz("Asia/Shanghai")
                .map_err(|error| Status::internal(error.to_string()))?
                .date(),
        };
        let limit = match request.history_limit {
            0 => 100,
            limit => usize::try_from(limit).unwrap_or(usize::MAX).min(10_000),
        };
        let stream = StreamId::from(subject);
        let (kind, (events, last), entitlements, at) = self
            .engine
            .read(|projections| {
                let state = &projections.state;
                (
                    state.party(subject),
                    state.stream_end(stream),
                    entitlements(state, stream, on),
                    state.position().map_or(0, Position::number),
                )
            })
            .await
            .map_err(Rejected::into_status)?;
        if events == 0 {
            return Err(Rejected::new(
                Code::NotFound,
                "SUBJECT_NOT_FOUND",
                "账本中没有该对象",
                "the ledger does not know this subject",
            )
            .into_status());
        }
        let mut history = Vec::new();
        let mut next = last;
        while let Some(at) = next
            && history.len() < limit
        {
            let logged = self
                .event(at)?
                .ok_or_else(|| event_not_found(at.number()))?;
            next = logged.event.header.stream_previous;
            // What other offices did stays theirs; what is left is the subject's.
            let office = logged.event.header.office;
            let covers = |mandate: &Mandate| office.is_none_or(|o| mandate.covers_office(o));
            if (request.history_before == 0 || at.number() < request.history_before)
                && mandate.as_ref().is_none_or(covers)
            {
                history.push(logged);
            }
        }
        let history = self.engine.peek(|projections| {
            let shown = |logged| to_proto::stored_event(&projections.state, logged);
            history.into_iter().map(shown).collect()
        });
        Ok(Response::new(wire::GetSubjectResponse {
            subject_id: subject.as_bytes().to_vec(),
            kind: kind
                .map_or(stored::PartyKind::Unspecified, |(kind, _)| {
                    to_proto::party_kind(kind)
                })
                .into(),
            events,
            history,
            entitlements: entitlements
                .into_iter()
                .map(to_proto::entitlement)
                .collect(),
            position: at,
        }))
    }

    async fn list_policies(
        &self,
        _request: Request<wire::ListPoliciesRequest>,
    ) -> Result<Response<wire::ListPoliciesResponse>, Status> {
        let end = self.engine.head().position;
        let mut adopted = self
            .engine
            .peek(|projections| projections.state.packs().to_vec());
        adopted.retain(|adopted| Some(adopted.position) <= end);
        let mut policies = Vec::with_capacity(adopted.len());
        for adopted in adopted {
            let logged = self.event(adopted.position)?;
            let body = logged.map(|logged| logged.event.body);
            let content = if let Some(Body::PolicyPackAdopted { content, .. }) = body {
                content.into_vec()
            } else {
                Vec::new()
            };
            policies.push(wire::AdoptedPolicy {
                position: adopted.position.number(),
                pack_id: adopted.pack.id.to_string(),
                from: Some(to_proto::date(adopted.pack.window.from())),
                until: adopted.pack.window.until().map(to_proto::date),
                content,
            });
        }
        Ok(Response::new(wire::ListPoliciesResponse { policies }))
    }
}

/// What is left on a day; nothing where no policy is in force, since every claim
/// of that day is refused.
fn entitlements(state: &State, subject: StreamId, on: Date) -> Vec<Entitlement> {
    match state.pack_on(on, luzhang_ledger::Office::LUZHOU) {
        Some(adopted) if adopted.pack.window.contains(on) => entitlement::of(state, subject, on),
        Some(_) | None => Vec::new(),
    }
}

impl Context {
    pub(super) fn request(
        &self,
        by: &Identity,
        command: wire::Command,
    ) -> Result<from_proto::Request, Rejected> {
        let engine = &*self.engine;
        from_proto::request(engine.vault().identity(), by, command, engine)
    }

    fn command(&self, command: Option<wire::Command>) -> Result<wire::Command, Status> {
        let command = command.ok_or_else(|| Rejected::missing("command").into_status())?;
        self.message_size(command.encoded_len())?;
        Ok(command)
    }

    pub(super) fn message_size(&self, size: usize) -> Result<(), Status> {
        let most = self.limits.message_bytes;
        if size <= most {
            return Ok(());
        }
        let size = MessageSize { bytes: size, most };
        Err(Rejected::message_too_large(size).into_status())
    }

    /// An event that is durable.
    pub(super) fn event(&self, position: Position) -> Result<Option<LoggedEvent>, Status> {
        if self.engine.head().position < Some(position) {
            return Ok(None);
        }
        replay::event_at(&**self.engine.reader(), position)
            .map_err(|error| Rejected::unreadable(&error.to_string()).into_status())
    }

    pub(super) fn subject(
        &self,
        subject: Option<impl Into<subject::Named>>,
    ) -> Result<SubjectId, Status> {
        let key = self.engine.vault().identity();
        subject::subject(key, subject).map_err(Rejected::into_status)
    }
}
