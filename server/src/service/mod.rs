//! The gRPC services: thin layers between the wire and the engine.

pub(crate) mod audit;
mod batch;
mod case;
mod events;
pub(crate) mod ledger;
pub(crate) mod projection;
pub(crate) mod proof;

use std::{pin::Pin, sync::Arc};

use luzhang_ledger::Position;
use tokio::sync::watch;
use tokio_stream::Stream;
use tonic::{Request, Status};

use crate::{
    allowance::{Allowances, UnderWay},
    bulk::Handle,
    engine::Engine,
    gate::Visitor,
    rejected::Rejected,
    serve::Limits,
};

/// What every service has at hand.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) engine: Arc<Engine>,
    pub(crate) limits: Limits,
    pub(crate) allowances: Arc<Allowances>,
    /// Where what comes in bulk is worked on.
    pub(crate) bulk: Handle,
    /// Turns true when the server is to end: streams that could go on for ever
    /// end then.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Context {
    /// Counts a stream among those of its caller.
    pub(crate) fn stream<T>(&self, request: &Request<T>) -> Result<UnderWay, Status> {
        let visitor = Visitor::of(request.extensions())?;
        let under_way = self.allowances.stream(&visitor.who.principal);
        under_way.map_err(Rejected::into_status)
    }

    /// Waits until the server is to end.
    pub(crate) async fn stopped(&self) {
        // The sending end lives as long as the server runs.
        let mut stopping = self.stopping.clone();
        let _ended = stopping.wait_for(|stopping| *stopping).await;
    }
}

/// A stream of answers.
pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

fn position(number: u64) -> Result<Position, Status> {
    Position::new(number).ok_or_else(|| event_not_found(number))
}

fn event_not_found(number: u64) -> Status {
    Rejected::event_not_found(number).into_status()
}

/// How many answers may wait for a slow reader.
const ANSWERS: usize = 4;
