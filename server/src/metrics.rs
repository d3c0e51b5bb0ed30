//! Numbers about a server, in the text form of Prometheus, for whoever is on this
//! machine: `/metrics`. No number says anything of a person.

use std::{fmt, future::Future, net::SocketAddr, sync::Arc, sync::atomic::AtomicU64};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::get,
};
use luzhang_ledger::Position;
use prometheus_client::{encoding::text, metrics::gauge::Gauge, registry::Registry};
use tokio::net::TcpListener;

use crate::{door, engine::Engine, serve::ServeError};

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Listens on a loopback address; port 0 takes a free one.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    TcpListener::bind(address)
        .await
        .map_err(|error| ServeError::Listen { address, error })
}

/// Serves the numbers until `stop`.
pub async fn serve(engine: Arc<Engine>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let routes = Router::new()
        .route("/metrics", get(numbers))
        .with_state(engine);
    door::serve(routes, listener, None, stop).await;
}

async fn numbers(State(engine): State<Arc<Engine>>) -> Response {
    match encode(&engine) {
        Ok(text) => ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn encode(engine: &Engine) -> Result<String, fmt::Error> {
    let number = |value: u64| {
        let gauge = Gauge::<u64, AtomicU64>::default();
        gauge.set(value);
        gauge
    };
    let head = engine.head();
    let mut registry = Registry::with_prefix("luzhang");
    registry.register(
        "position",
        "Events that are durable",
        number(head.position.map_or(0, Position::number)),
    );
    registry.register("blocks", "Blocks that are durable", number(head.height));
    registry.register(
        "writer_stopped",
        "1 if the writer stopped after a storage failure",
        number(u64::from(engine.poisoned().is_some())),
    );
    registry.register(
        "denied",
        "What was asked for and not permitted, by its reason code and by what was asked",
        engine.denials().counted(),
    );
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}
