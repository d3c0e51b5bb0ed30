//! The server: services, health, reflection, and an orderly end.

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use luzhang_proto::{
    DESCRIPTORS,
    wire::{
        audit_service_server::AuditServiceServer, ledger_service_server::LedgerServiceServer,
        projection_service_server::ProjectionServiceServer,
    },
};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::watch,
};
use tokio_stream::{Stream, wrappers::TcpListenerStream};
use tonic::transport::server::{Connected, Router};
use tonic_health::ServingStatus;

use crate::{engine::Engine, service::Context};

/// What one request may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of one request message.
    pub message_bytes: usize,
    /// Streams that one connection may have open.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 8 * 1024 * 1024,
            streams: 256,
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
            Self::Listen { .. } | Self::Transport(_) | Self::Reflection(_) => "LISTEN_FAILED",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NotLoopback(address) => {
                format!("{address} 不是本机回环地址：未启用 TLS 时只能监听本机，例如 127.0.0.1:7380")
            }
            Self::Listen { address, error } => format!("无法监听 {address}：{error}"),
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
}

impl Server {
    /// Serves `engine`.
    pub fn new(engine: Arc<Engine>, limits: Limits) -> Self {
        Self { engine, limits }
    }

    /// Listens on a loopback address; port 0 takes a free one.
    pub async fn listen(&self, address: SocketAddr) -> Result<TcpListener, ServeError> {
        if !address.ip().is_loopback() {
            return Err(ServeError::NotLoopback(address));
        }
        TcpListener::bind(address)
            .await
            .map_err(|error| ServeError::Listen { address, error })
    }

    /// Serves until `stop`, then finishes what is under way, makes everything
    /// that was queued durable and closes the log.
    pub async fn run(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let incoming = TcpListenerStream::new(listener);
        self.serve(incoming, stop).await
    }

    /// Serves connections of any kind, for example in memory.
    pub async fn serve<I, IO, E>(
        self,
        incoming: I,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        I: Stream<Item = Result<IO, E>>,
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
        IO::ConnectInfo: Clone + Send + Sync + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let engine = Arc::clone(&self.engine);
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_service_status("", ServingStatus::Serving).await;
        let watched = Arc::clone(&engine);
        let watcher = tokio::spawn(async move {
            let mut durable = watched.follow();
            while durable.changed().await.is_ok() {
                if watched.poisoned().is_some() {
                    health.set_service_status("", ServingStatus::NotServing).await;
                    return;
                }
            }
        });
        let (stopping_send, stopping) = watch::channel(false);
        let router = self.router(stopping)?.add_service(health_service);
        let told = async {
            stop.await;
            stopping_send.send_replace(true);
        };
        let served = router.serve_with_incoming_shutdown(incoming, told).await;
        watcher.abort();
        // Joining the sequencer blocks.
        let closed = tokio::task::spawn_blocking(move || engine.close());
        if closed.await.is_err() {
            tracing::error!("the ledger did not close in order");
        }
        Ok(served?)
    }

    fn router(&self, stopping: watch::Receiver<bool>) -> Result<Router, ServeError> {
        let context = Context {
            engine: Arc::clone(&self.engine),
            limits: self.limits,
            stopping,
        };
        // The transport's own limit is a backstop with a bare error; ours, well
        // below it, explains itself.
        let backstop = self.limits.message_bytes.saturating_mul(4);
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        Ok(tonic::transport::Server::builder()
            .max_concurrent_streams(self.limits.streams)
            .tcp_nodelay(true)
            .add_service(
                LedgerServiceServer::new(context.clone()).max_decoding_message_size(backstop),
            )
            .add_service(AuditServiceServer::new(context.clone()))
            .add_service(ProjectionServiceServer::new(context))
            .add_service(reflection))
    }
}
