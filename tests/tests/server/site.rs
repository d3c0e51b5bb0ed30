//! A server in this process, over a log of a test's choice, and its clients.

use std::{future::Future, sync::Arc, time::Duration};

use luzhang_ledger::{
    LedgerId,
    access::Mandate,
    log::{Log, memory::MemoryStore},
};
use luzhang_projections::pack::LUZHOU_2023;
use luzhang_proto::wire::{self, ledger_service_client::LedgerServiceClient};
use luzhang_server::{
    Engine, Limits, Server,
    engine::{DEFAULT_QUEUE, Genesis, Options},
    serve::ServeError,
};
use tempfile::TempDir;
use tokio::{
    runtime::Builder,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Status, Streaming,
    metadata::MetadataValue,
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

use crate::{
    commands::{receipt, shown},
    gate::Gate,
    support::Grpc,
};

/// No test needs as long; one that hangs fails.
const AT_MOST: Duration = Duration::from_mins(3);

/// Runs a test.
#[track_caller]
pub(crate) fn test(test: impl Future<Output = ()>) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let ended = runtime.block_on(async { timeout(AT_MOST, test).await });
    runtime.shutdown_background();
    ended.expect("the test hangs");
}

/// What a [`Site`] is made of.
pub(crate) struct Plan {
    pub(crate) pack: Option<Vec<u8>>,
    pub(crate) queue: usize,
    pub(crate) limits: Limits,
    pub(crate) mandates: Vec<Mandate>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            pack: Some(LUZHOU_2023.as_bytes().to_vec()),
            queue: DEFAULT_QUEUE,
            limits: Limits::default(),
            mandates: Vec::new(),
        }
    }
}

/// A running server on a free loopback port.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) grpc: Grpc,
    pub(crate) engine: Arc<Engine>,
    url: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
    scratch: TempDir,
}

pub(crate) fn ledger_id() -> LedgerId {
    LedgerId::new(Uuid::from_u128(7))
}

impl Site {
    /// Over a new log in memory, as it comes.
    pub(crate) async fn new() -> Self {
        Self::with(Plan::default()).await
    }

    pub(crate) async fn with(plan: Plan) -> Self {
        let log = MemoryStore::new(ledger_id()).open().unwrap();
        Self::over(Box::new(log), plan).await
    }

    /// Over a new log in memory, behind a gate.
    pub(crate) async fn gated(plan: Plan) -> (Self, Gate) {
        let gate = Gate::new();
        let log = MemoryStore::new(ledger_id()).open().unwrap();
        let site = Self::over(gate.before(Box::new(log)), plan).await;
        (site, gate)
    }

    pub(crate) async fn over(log: Box<dyn Log>, plan: Plan) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let genesis = Genesis {
            ledger: ledger_id(),
            pack: plan.pack,
            origin: None,
            mandates: plan.mandates,
        };
        let options = Options {
            queue: plan.queue,
            ..Options::default()
        };
        let engine = Engine::over(log, scratch.path(), genesis, options).unwrap();
        Self::serve(engine, plan.limits, scratch).await
    }

    pub(crate) async fn serve(
        engine: impl Into<Arc<Engine>>,
        limits: Limits,
        scratch: TempDir,
    ) -> Self {
        let engine = engine.into();
        let server = Server::new(Arc::clone(&engine), limits);
        let listener = server.listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(listener, async {
            // Dropping the site stops it too.
            let _told = stopped.await;
        }));
        Self {
            grpc: Grpc::connect(&url).await,
            engine,
            url,
            stop,
            task,
            scratch,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Another connection.
    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(self.url.clone()).unwrap();
        endpoint.connect().await.unwrap()
    }

    pub(crate) fn ledger(&self) -> LedgerServiceClient<Channel> {
        self.grpc.ledger.clone()
    }

    pub(crate) async fn submit(&self, command: wire::Command) -> Result<wire::Outcome, Status> {
        let request = wire::SubmitRequest {
            receipt: false,
            command: Some(command),
        };
        let answer = self.ledger().submit(request).await?;
        Ok(answer.into_inner().outcome.unwrap())
    }

    /// Submits as another account than the usual.
    pub(crate) async fn submit_as(
        &self,
        principal: &'static str,
        command: wire::Command,
    ) -> Result<wire::Outcome, Status> {
        let mut request = tonic::Request::new(wire::SubmitRequest {
            receipt: false,
            command: Some(command),
        });
        let principal = MetadataValue::from_static(principal);
        request
            .metadata_mut()
            .insert("luzhang-principal", principal);
        let answer = self.ledger().submit(request).await?;
        Ok(answer.into_inner().outcome.unwrap())
    }

    /// Everything accepted, each by its account; the positions.
    pub(crate) async fn record_as(
        &self,
        commands: impl IntoIterator<Item = (&'static str, wire::Command)>,
    ) -> Vec<u64> {
        let mut positions = Vec::new();
        for (principal, command) in commands {
            let outcome = self.submit_as(principal, command.clone()).await;
            let outcome = outcome.unwrap_or_else(|status| panic!("{command:?}: {status}"));
            assert_eq!(shown(&outcome), "accepted", "{command:?}");
            positions.push(receipt(&outcome).position);
        }
        positions
    }

    /// Submits in another task: the request is on its way, its outcome comes
    /// later.
    pub(crate) fn start(
        &self,
        command: wire::Command,
    ) -> JoinHandle<Result<wire::Outcome, Status>> {
        let mut ledger = self.ledger();
        tokio::spawn(async move {
            let request = wire::SubmitRequest {
                receipt: false,
                command: Some(command),
            };
            let answer = ledger.submit(request).await?;
            Ok(answer.into_inner().outcome.unwrap())
        })
    }

    /// Everything accepted, one command after the other; the positions.
    #[track_caller]
    pub(crate) fn record(
        &self,
        commands: impl IntoIterator<Item = wire::Command>,
    ) -> impl Future<Output = Vec<u64>> {
        let commands: Vec<_> = commands.into_iter().collect();
        async move {
            let mut positions = Vec::new();
            for command in commands {
                let outcome = self.submit(command.clone()).await;
                match outcome.as_ref().map(|outcome| &outcome.result) {
                    Ok(Some(wire::outcome::Result::Accepted(accepted))) => {
                        positions.push(accepted.receipt.as_ref().unwrap().position);
                    }
                    other => panic!("{command:?}\nbut it is {other:?}"),
                }
            }
            positions
        }
    }

    pub(crate) async fn batch(&self) -> Batch {
        Batch::open(&mut self.ledger()).await
    }

    /// Waits until the event at `position` is decided, durable or not.
    pub(crate) async fn decided(&self, position: u64) {
        let last = || self.engine.peek(|projections| projections.state.position());
        while last().is_none_or(|last| last.number() < position) {
            tokio::task::yield_now().await;
        }
    }

    /// What was sent on this connection before has arrived when these are
    /// answered.
    pub(crate) async fn round_trips(&self, count: usize) {
        for _ in 0..count {
            self.head().await;
        }
    }

    /// The durable end of the chain.
    pub(crate) async fn head(&self) -> wire::GetHeadResponse {
        let mut audit = self.grpc.audit.clone();
        audit
            .get_head(wire::GetHeadRequest {})
            .await
            .unwrap()
            .into_inner()
    }

    /// Tells the server to end.
    pub(crate) fn stop(self) -> Ending {
        self.stop.send(()).unwrap();
        Ending {
            task: self.task,
            engine: self.engine,
            scratch: self.scratch,
        }
    }

    /// Ends the server; its directory is what is left.
    pub(crate) async fn close(self) -> TempDir {
        drop(self.grpc.clone());
        self.stop().ended().await
    }
}

/// A server that was told to end.
#[derive(Debug)]
pub(crate) struct Ending {
    task: JoinHandle<Result<(), ServeError>>,
    engine: Arc<Engine>,
    scratch: TempDir,
}

impl Ending {
    pub(crate) async fn ended(self) -> TempDir {
        self.task.await.unwrap().unwrap();
        drop(self.engine);
        self.scratch
    }
}

/// An open batch stream.
#[derive(Debug)]
pub(crate) struct Batch {
    send: mpsc::Sender<wire::SubmitBatchRequest>,
    answers: Streaming<wire::SubmitBatchResponse>,
}

impl Batch {
    pub(crate) async fn open(ledger: &mut LedgerServiceClient<Channel>) -> Self {
        let (send, receive) = mpsc::channel(1);
        let answers = ledger
            .submit_batch(ReceiverStream::new(receive))
            .await
            .unwrap();
        Self {
            send,
            answers: answers.into_inner(),
        }
    }

    /// The sending end.
    pub(crate) fn feeder(&self) -> mpsc::Sender<wire::SubmitBatchRequest> {
        self.send.clone()
    }

    /// Sends one message.
    pub(crate) async fn send(&self, commands: Vec<wire::Command>) {
        self.send
            .send(wire::SubmitBatchRequest { commands })
            .await
            .unwrap();
    }

    /// The next answer; `None` at the end of the stream.
    pub(crate) async fn answer(&mut self) -> Result<Option<Vec<wire::Outcome>>, Status> {
        Ok(self.answers.message().await?.map(|answer| answer.outcomes))
    }

    /// Sends one message and takes its answer.
    pub(crate) async fn round(&mut self, commands: Vec<wire::Command>) -> Vec<wire::Outcome> {
        self.send(commands).await;
        self.answer().await.unwrap().unwrap()
    }

    /// No more messages.
    pub(crate) fn end(self) -> Streaming<wire::SubmitBatchResponse> {
        self.answers
    }
}
