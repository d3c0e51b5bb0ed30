//! What was denied: counted as it happens, and written to the log at leisure, so
//! that whoever knocks a million times fills a counter and not the log.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use luzhang_ledger::{
    Body, StreamKind,
    access::Denial,
    text::{Label, Principal},
};
use parking_lot::Mutex;
use prometheus_client::metrics::{counter::Counter, family::Family};
use tokio::sync::{Notify, watch};

use crate::{engine::Engine, sequencer::Said};

/// Different denials that are told apart between two writes; further ones count
/// as nobody's.
const KINDS: usize = 64;
/// The time between two writes.
const PAUSE: Duration = Duration::from_secs(10);

type Labels = [(&'static str, &'static str); 2];

/// What was denied and is not on the log yet.
#[derive(Default)]
pub struct Denials {
    waiting: Mutex<BTreeMap<Kind, u64>>,
    noted: Notify,
    counted: Family<Labels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    principal: Option<Principal>,
    code: &'static str,
    action: &'static str,
}

impl fmt::Debug for Denials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Denials")
    }
}

impl Denials {
    /// Notes one denial: of whom, why, and what was asked for.
    pub(crate) fn note(
        &self,
        principal: Option<&Principal>,
        code: &'static str,
        action: &'static str,
    ) {
        let labels = [("code", code), ("action", action)];
        self.counted.get_or_create(&labels).inc();
        let mut waiting = self.waiting.lock();
        let mut kind = Kind {
            principal: principal.cloned(),
            code,
            action,
        };
        if waiting.len() >= KINDS && !waiting.contains_key(&kind) {
            // Names are whatever somebody chose to send.
            kind.principal = None;
        }
        let count = waiting.entry(kind).or_default();
        *count = count.saturating_add(1);
        drop(waiting);
        self.noted.notify_one();
    }

    /// How often what was denied, for metrics.
    pub(crate) fn counted(&self) -> Family<Labels, Counter> {
        self.counted.clone()
    }

    fn take(&self) -> Vec<Denial> {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        let denial = |(kind, count): (Kind, u64)| {
            Some(Denial {
                principal: kind.principal,
                code: Label::new(kind.code).ok()?,
                action: Label::new(kind.action).ok()?,
                count,
            })
        };
        waiting.into_iter().filter_map(denial).collect()
    }
}

/// Writes what was denied to the log until the server ends, and what is left then.
pub(crate) async fn record(engine: Arc<Engine>, mut stopping: watch::Receiver<bool>) {
    let denials = Arc::clone(engine.denials());
    loop {
        let ended = tokio::select! {
            // The sending end lives as long as the server runs.
            _ended = stopping.wait_for(|stopping| *stopping) => true,
            () = denials.noted.notified() => false,
        };
        write(&engine, denials.take()).await;
        if ended {
            return;
        }
        tokio::select! {
            // What came meanwhile is written by the next turn.
            _ended = stopping.wait_for(|stopping| *stopping) => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn write(engine: &Engine, denials: Vec<Denial>) {
    if denials.is_empty() {
        return;
    }
    let ledger = engine.ledger();
    let say = move |_: &_| {
        let said = |denial| {
            let body = Body::AccessDenied(denial);
            Said::of_ledger(ledger, StreamKind::Access, body)
        };
        denials.into_iter().map(said).collect()
    };
    if let Err(why) = engine.record(Box::new(say)).await {
        tracing::warn!(why = %why.en, "what was denied is not on the log");
    }
}
