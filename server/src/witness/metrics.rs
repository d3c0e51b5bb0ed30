//! Numbers about a witness, in the text form of Prometheus.

use std::{fmt, sync::atomic::AtomicU64};

use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::WatchedLog;

/// The media type of what [`encode`] makes.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = [(&'static str, String); 1];

/// What is counted as it happens. All else is asked of the witness when somebody
/// wants to know.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    answers: Family<Labels, Counter>,
}

impl Counted {
    pub(super) fn answered(&self, status: u16) {
        let labels = [("status", status.to_string())];
        self.answers.get_or_create(&labels).inc();
    }
}

/// Everything, as text.
pub(super) fn encode(counted: &Counted, logs: &[WatchedLog]) -> Result<String, fmt::Error> {
    let size = Family::<Labels, Gauge<u64, AtomicU64>>::default();
    let time = Family::<Labels, Gauge<u64, AtomicU64>>::default();
    for log in logs {
        let labels = [("origin", log.origin.to_string())];
        size.get_or_create(&labels).set(log.head().size);
        if let Some(newest) = &log.newest {
            time.get_or_create(&labels).set(newest.time);
        }
    }
    let mut registry = Registry::with_prefix("luzhang_witness");
    registry.register(
        "requests",
        "Requests, by the status of the answer",
        counted.answers.clone(),
    );
    registry.register("size", "Leaves of the newest tree that was cosigned", size);
    registry.register(
        "cosigned_timestamp_seconds",
        "When the newest tree was cosigned, since 1970",
        time,
    );
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}
