//! Metrics of a watcher, for Prometheus.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use jiff::Timestamp;
use luzhang_server::serve::ServeError;
use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tokio::net::TcpListener;

use super::{
    finding::Kind,
    look::{Change, Trouble},
};
use crate::failure::Failure;

/// The round that ended in a finding.
const FINDING: &str = "finding";

/// What is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    size: Gauge,
    last_success: Gauge,
    last_change: Gauge,
    rounds: Family<Round, Counter>,
    findings: Family<Found, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Round {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Found {
    finding: &'static str,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("luzhang_watch"),
            size: Gauge::default(),
            last_success: Gauge::default(),
            last_change: Gauge::default(),
            rounds: Family::default(),
            findings: Family::default(),
        };
        metrics.register();
        // A series that begins at 0 can be asked for its increase from the start.
        let results = Change::WORDS.into_iter().chain(Trouble::WORDS);
        for result in results.chain([FINDING]) {
            drop(metrics.rounds.get_or_create(&Round { result }));
        }
        for finding in Kind::WORDS {
            drop(metrics.findings.get_or_create(&Found { finding }));
        }
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "size",
            "Events under the last checkpoint that was verified",
            self.size.clone(),
        );
        registry.register(
            "last_success_timestamp_seconds",
            "When a checkpoint was last verified",
            self.last_success.clone(),
        );
        registry.register(
            "last_change_timestamp_seconds",
            "When a new checkpoint was last verified",
            self.last_change.clone(),
        );
        registry.register("rounds", "Looks, by their result", self.rounds.clone());
        registry.register("findings", "Findings, by their kind", self.findings.clone());
    }

    /// The size that is known.
    pub(super) fn size(&self, size: u64) {
        self.size.set(i64::try_from(size).unwrap_or(i64::MAX));
    }

    /// A look that ended well.
    pub(super) fn verified(&self, change: Change, size: u64, time: Timestamp) {
        self.round(change.word());
        self.size(size);
        self.last_success.set(time.as_second());
        if change.is_news() {
            self.last_change.set(time.as_second());
        }
    }

    /// A look that has shown nothing.
    pub(super) fn troubled(&self, trouble: &Trouble) {
        self.round(trouble.word());
    }

    /// A look that ended in a finding.
    pub(super) fn found(&self, kind: Kind) {
        self.round(FINDING);
        let found = Found {
            finding: kind.word(),
        };
        self.findings.get_or_create(&found).inc();
    }

    fn round(&self, result: &'static str) {
        self.rounds.get_or_create(&Round { result }).inc();
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Listens on a loopback address.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address).into());
    }
    let listening = TcpListener::bind(address).await;
    Ok(listening.map_err(|error| ServeError::Listen { address, error })?)
}

/// Answers for as long as the process lives.
pub(super) async fn serve(listener: TcpListener, metrics: Arc<Metrics>) {
    let answer = move || {
        let text = metrics.text();
        async move {
            match text {
                Ok(text) => ([(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
    };
    let router = Router::new().route("/metrics", get(answer));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::warn!(%error, "metrics are no longer served");
    }
}
