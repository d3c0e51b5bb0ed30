//! The witness over HTTP: C2SP tlog-witness, and numbers for who watches it.
//!
//! ```text
//! POST /add-checkpoint              body: what is asked; answer: the cosignature
//! GET  /ORIGIN HASH/checkpoint      the newest checkpoint that was cosigned
//! GET  /metrics                     for Prometheus
//! ```

use std::{
    future::Future,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest as _, Path, Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use luzhang_ledger::proof::witness::{MAX_REQUEST, WitnessRefusal};
use tokio::{net::TcpListener, task::spawn_blocking};

use super::{
    NotCosigned, OriginHash, Witness,
    metrics::{self, Counted},
};
use crate::{
    door::{self, PATIENCE},
    serve::ServeError,
};

/// Listens on a loopback address; port 0 takes a free one.
///
/// # Errors
/// [`ServeError::NotLoopback`] and [`ServeError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    TcpListener::bind(address)
        .await
        .map_err(|error| ServeError::Listen { address, error })
}

/// Serves until `stop`, then finishes what is under way.
pub async fn serve(witness: Arc<Witness>, listener: TcpListener, stop: impl Future<Output = ()>) {
    door::serve(router(witness), listener, None, stop).await;
}

/// What every request needs.
#[derive(Clone, Debug)]
struct Site {
    witness: Arc<Witness>,
    counted: Counted,
}

fn router(witness: Arc<Witness>) -> Router {
    let site = Site {
        witness,
        counted: Counted::default(),
    };
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{log}/checkpoint", get(newest))
        .route("/metrics", get(numbers))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .layer(middleware::from_fn_with_state(site.clone(), count))
        .with_state(site)
}

async fn count(State(site): State<Site>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    site.counted.answered(response.status().as_u16());
    response
}

async fn add_checkpoint(State(site): State<Site>, request: Request) -> Response {
    let body = match tokio::time::timeout(PATIENCE, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => body,
        Ok(Err(rejection)) => return rejection.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let asked = spawn_blocking(move || site.witness.add_checkpoint(&body, now())).await;
    match asked {
        Ok(Ok(line)) => format!("{line}\n").into_response(),
        Ok(Err(error)) => no(&error),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn no(error: &NotCosigned) -> Response {
    let status = StatusCode::from_u16(error.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match error {
        NotCosigned::Refused(WitnessRefusal::Stale { seen }) => {
            let size = [(CONTENT_TYPE, "text/x.tlog.size")];
            (status, size, format!("{seen}\n")).into_response()
        }
        NotCosigned::Refused(refusal) => (status, format!("{refusal}\n")).into_response(),
        // What is wrong with the disk is the operator's, not the caller's.
        NotCosigned::Fault(fault) => (status, format!("{}\n", fault.code())).into_response(),
    }
}

async fn newest(State(site): State<Site>, Path(log): Path<String>) -> Response {
    let Ok(log) = log.parse::<OriginHash>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match spawn_blocking(move || site.witness.newest(log)).await {
        Ok(Some(checkpoint)) => checkpoint.to_string().into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn numbers(State(site): State<Site>) -> Response {
    let encoded = spawn_blocking(move || metrics::encode(&site.counted, &site.witness.logs()));
    match encoded.await {
        Ok(Ok(text)) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Seconds since 1970; 0 for a clock that stands before, which nothing is
/// cosigned by.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.as_ref().map_or(0, Duration::as_secs)
}
