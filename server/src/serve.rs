//! The server: services, health, reflection, and an orderly end.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use luzhang_proto::{
    DESCRIPTORS,
    wire::{
        audit_service_server::AuditServiceServer, case_service_server::CaseServiceServer,
        ledger_service_server::LedgerServiceServer,
        projection_service_server::ProjectionServiceServer,
        proof_service_server::ProofServiceServer,
    },
};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::watch,
};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{
    server::NamedService,
    service::Routes,
    transport::server::{Connected, Router},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::{Layer, layer::layer_fn};

use crate::{
    allowance::{Allowance, Allowances},
    bulk::{Bulk, Handle},
    caller::Caller,
    connections::{self, Connection, Entrance, Logged, Observer, TurnedAway},
    denials::{self, Denials},
    edge::{self, Edge, Join, MessageLimits},
    engine::Engine,
    gate::Gate,
    service::Context,
    tls::Tls,
};

/// What one request, and one connection, may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of one request message.
    pub message_bytes: usize,
    /// Streams that one connection may have open.
    pub streams: u32,
    /// Connections that are open at a time. Others wait until one ends.
    pub connections: usize,
    /// How long a connection may take to begin: TLS, and the first bytes of HTTP/2.
    pub greeting: Duration,
    /// How long a connection may be silent before it is asked whether anybody is
    /// there, and how long the answer may take.
    pub silence: Duration,
    /// How long a request may take until its answer begins, whatever the caller
    /// says.
    pub request: Duration,
    /// What one principal may ask for.
    pub allowance: Allowance,
    /// How long a caller that does not read its answers can hold up the end of
    /// the server. What is queued is made durable in any case.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 8 * 1024 * 1024,
            streams: 256,
            connections: 4_096,
            greeting: Duration::from_secs(10),
            silence: Duration::from_secs(20),
            request: Duration::from_mins(1),
            allowance: Allowance::default(),
            grace: Duration::from_secs(5),
        }
    }
}

/// Why the server does not run.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Without TLS only this machine may talk to it.
    #[error(
        "{0} is not a loopback address: without TLS the server listens on this machine only, \
         such as 127.0.0.1:7380"
    )]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// What the operating system said.
        error: io::Error,
    },
    /// The operating system gives no threads.
    #[error("no threads to work with: {0}")]
    Threads(io::Error),
    /// The transport failed.
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors cannot be served.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

impl ServeError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotLoopback(_) => "NOT_LOOPBACK",
            Self::Listen { .. } | Self::Threads(_) | Self::Transport(_) | Self::Reflection(_) => {
                "LISTEN_FAILED"
            }
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NotLoopback(address) => {
                format!(
                    "{address} 不是本机回环地址：未启用 TLS 时只能监听本机，例如 127.0.0.1:7380"
                )
            }
            Self::Listen { address, error } => format!("无法监听 {address}：{error}"),
            Self::Threads(error) => format!("无法创建线程：{error}"),
            Self::Transport(error) => format!("网络故障：{error}"),
            Self::Reflection(error) => format!("反射服务故障：{error}"),
        }
    }
}

/// A server that is ready to run.
#[derive(Debug)]
pub struct Server {
    engine: Arc<Engine>,
    limits: Limits,
    tls: Option<Arc<Tls>>,
    observer: Arc<dyn Observer>,
    join: Join,
}

/// Tells the log, and the ledger.
#[derive(Debug)]
struct Noted {
    logged: Logged,
    denials: Arc<Denials>,
}

impl Observer for Noted {
    fn turned_away(&self, who: TurnedAway) {
        self.logged.turned_away(who);
        self.denials.note(None, who.code, "connection");
    }
}

impl Server {
    /// Serves `engine`.
    pub fn new(engine: Arc<Engine>, limits: Limits) -> Self {
        let denials = Arc::clone(engine.denials());
        Self {
            engine,
            limits,
            tls: None,
            observer: Arc::new(Noted {
                logged: Logged::default(),
                denials,
            }),
            join: |_, _| {},
        }
    }

    /// With TLS: callers have to show a certificate, and may be elsewhere.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<Arc<Tls>>) -> Self {
        self.tls = tls;
        self
    }

    /// Tells somebody of callers that were turned away, instead of the log.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Lets requests belong to the traces that their callers name.
    #[must_use]
    pub fn traced_by(mut self, join: Join) -> Self {
        self.join = join;
        self
    }

    /// Listens on an address, without TLS on a loopback address only; port 0 takes a
    /// free one.
    #[expect(
        clippy::unused_async,
        reason = "a socket needs the runtime that it is used in"
    )]
    pub async fn listen(&self, address: SocketAddr) -> Result<TcpListener, ServeError> {
        if self.tls.is_none() && !address.ip().is_loopback() {
            return Err(ServeError::NotLoopback(address));
        }
        connections::listen(address).map_err(|error| ServeError::Listen { address, error })
    }

    /// Serves until `stop`, then finishes what is under way, makes everything
    /// that was queued durable and closes the log.
    pub async fn run(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let entrance = Entrance {
            tls: self.tls.clone(),
            limits: self.limits,
            observer: Arc::clone(&self.observer),
        };
        let incoming = entrance.open(listener);
        self.serve_connections(incoming, stop).await
    }

    /// Serves connections within this process.
    pub async fn serve<I, IO, E>(
        self,
        incoming: I,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        I: Stream<Item = Result<IO, E>>,
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let incoming = incoming.map(|io| io.map(Connection::embedded));
        self.serve_connections(incoming, stop).await
    }

    async fn serve_connections<I, IO, E>(
        self,
        incoming: I,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        I: Stream<Item = Result<IO, E>>,
        IO: AsyncRead + AsyncWrite + Connected<ConnectInfo = Caller> + Unpin + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let engine = Arc::clone(&self.engine);
        let (reporter, health_service) = tonic_health::server::health_reporter();
        let health = Health(reporter);
        health.announce(ServingStatus::Serving).await;
        let watcher = tokio::spawn(health.clone().watch(Arc::clone(&engine)));
        let (stopping_send, stopping) = watch::channel(false);
        let recorder = tokio::spawn(denials::record(Arc::clone(&engine), stopping.clone()));
        let (_bulk, bulk) = Bulk::start().map_err(ServeError::Threads)?;
        let router = self
            .router(stopping.clone(), bulk)?
            .add_service(health_service);
        let told_to_stop = stopping_send.clone();
        let told = async move {
            stop.await;
            watcher.abort();
            health.end().await;
            told_to_stop.send_replace(true);
        };
        let patience = async {
            let mut stopping = stopping;
            // The sending end lives until this is dropped.
            drop(stopping.wait_for(|stopping| *stopping).await);
            tokio::time::sleep(self.limits.grace).await;
        };
        let served = tokio::select! {
            served = router.serve_with_incoming_shutdown(incoming, told) => served,
            () = patience => {
                tracing::warn!("callers that do not read their answers are left behind");
                Ok(())
            }
        };
        // It was told to end when the server was, or is told now.
        stopping_send.send_replace(true);
        if recorder.await.is_err() {
            tracing::error!("what was denied may not be on the log");
        }
        // Joining the sequencer blocks.
        let closed = tokio::task::spawn_blocking(move || engine.close());
        if closed.await.is_err() {
            tracing::error!("the ledger did not close in order");
        }
        Ok(served?)
    }

    fn router(
        &self,
        stopping: watch::Receiver<bool>,
        bulk: Handle,
    ) -> Result<Router<impl Layer<Routes, Service = Edge<Routes>>>, ServeError> {
        let context = Context {
            engine: Arc::clone(&self.engine),
            limits: self.limits,
            allowances: Arc::new(Allowances::new(self.limits.allowance)),
            bulk,
            stopping,
        };
        let message = MessageLimits::of(self.limits.message_bytes);
        let gate = Gate::new(Arc::clone(&self.engine));
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        let request = self.limits.request;
        let figures = Arc::clone(self.engine.figures());
        let join = self.join;
        Ok(edge::transport(&self.limits)
            .layer(layer_fn(move |inner| Edge {
                inner,
                limits: message,
                gate: gate.clone(),
                request,
                figures: Arc::clone(&figures),
                join,
            }))
            .add_service(
                LedgerServiceServer::new(context.clone())
                    .max_decoding_message_size(message.backstop),
            )
            .add_service(
                AuditServiceServer::new(context.clone()).max_decoding_message_size(edge::QUESTION),
            )
            .add_service(
                ProjectionServiceServer::new(context.clone())
                    .max_decoding_message_size(edge::QUESTION),
            )
            .add_service(
                ProofServiceServer::new(context.clone()).max_decoding_message_size(edge::QUESTION),
            )
            .add_service(
                CaseServiceServer::new(context).max_decoding_message_size(message.backstop),
            )
            .add_service(reflection))
    }
}

/// How often is looked whether the writer has stopped, if nothing is written.
const LOOK: Duration = Duration::from_millis(200);

/// What the health service says of the server as a whole and of each service.
#[derive(Clone)]
struct Health(HealthReporter);

/// The empty name is the whole server.
const SERVICES: [&str; 6] = [
    "",
    <LedgerServiceServer<Context> as NamedService>::NAME,
    <AuditServiceServer<Context> as NamedService>::NAME,
    <ProjectionServiceServer<Context> as NamedService>::NAME,
    <CaseServiceServer<Context> as NamedService>::NAME,
    <ProofServiceServer<Context> as NamedService>::NAME,
];

impl Health {
    async fn announce(&self, status: ServingStatus) {
        for service in SERVICES {
            self.0.set_service_status(service, status).await;
        }
    }

    /// Says so when the writer stops.
    async fn watch(self, engine: Arc<Engine>) {
        let mut durable = engine.follow();
        while engine.poisoned().is_none() {
            // A writer that another has replaced may have nothing to do.
            let changed = tokio::time::timeout(LOOK, durable.changed()).await;
            if changed.is_ok_and(|changed| changed.is_err()) {
                return;
            }
        }
        self.announce(ServingStatus::NotServing).await;
    }

    /// Says that the server ends, and lets everybody go who watches.
    async fn end(mut self) {
        self.announce(ServingStatus::NotServing).await;
        for service in SERVICES {
            self.0.clear_service_status(service).await;
        }
    }
}
