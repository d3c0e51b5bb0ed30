//! HTTP connections: how many at a time, and how long each may keep others waiting.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    connections::Transport,
    tls::{Tls, handshake_code},
};

/// Connections that are open at a time.
const CONNECTIONS: usize = 256;
/// How long a caller may take over its headers, and again over its body. A
/// connection that is kept open for so long without a request is closed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long TLS may take to begin.
const GREETING: Duration = Duration::from_secs(10);
/// How long requests under way can hold up the end.
const GRACE: Duration = Duration::from_secs(5);
/// A pause after a failure to accept, which is for want of files most often.
const RESPITE: Duration = Duration::from_millis(100);

/// Serves until `stop`, then finishes what is under way.
pub(crate) async fn serve(
    router: Router,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    let open = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, accept(&listener).await)
        };
        let (place, stream) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        let (http, router, watcher) = (http.clone(), router.clone(), open.watcher());
        let tls = tls.as_ref().map(|tls| TlsAcceptor::from(tls.open()));
        tokio::spawn(async move {
            let stream = match tls {
                None => Some(Box::new(stream) as Box<dyn Transport>),
                Some(tls) => greet(tls, stream).await,
            };
            if let Some(stream) = stream {
                let service = TowerToHyperService::new(router);
                let connection = http.serve_connection(TokioIo::new(stream), service);
                if let Err(error) = watcher.watch(connection.into_owned()).await {
                    tracing::debug!(error, "a connection ended");
                }
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, open.shutdown()).await.is_err() {
        tracing::warn!("callers that do not read their answers are left behind");
    }
}

/// `None` if the caller does not speak TLS, or too slowly.
async fn greet(tls: TlsAcceptor, stream: TcpStream) -> Option<Box<dyn Transport>> {
    match tokio::time::timeout(GREETING, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(Box::new(stream)),
        Ok(Err(error)) => {
            tracing::debug!(code = handshake_code(&error), %error, "a handshake failed");
            None
        }
        Err(_) => None,
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small; without this they may wait until an earlier
                // packet is acknowledged. They would still arrive.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "answers may be slow");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(RESPITE).await;
            }
        }
    }
}
