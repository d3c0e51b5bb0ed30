//! The load of a fleet of callers: one claim a request, so many in flight, over
//! several HTTP/2 connections.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use luzhang_proto::wire::{
    Outcome, SubmitRequest, SubmitResponse, ledger_service_client::LedgerServiceClient, outcome,
};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

use super::{
    row,
    site::{Interrupt, cpu_time},
};

/// Requests under way at any time.
pub(super) const IN_FLIGHT: usize = 64;
/// Connections that they are spread over.
pub(super) const CONNECTIONS: usize = 8;

/// How many ask at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callers {
    /// [`IN_FLIGHT`], over [`CONNECTIONS`].
    Many,
    /// One, who waits for each answer.
    One,
}

impl Callers {
    pub(super) fn count(self) -> usize {
        match self {
            Self::Many => IN_FLIGHT,
            Self::One => 1,
        }
    }
}

/// How much one run asks at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) time: Duration,
    pub(super) requests: usize,
}

/// What one run gave.
#[derive(Debug, Default)]
pub(super) struct Slice {
    pub(super) time: Duration,
    /// Nanoseconds of each request, sorted.
    pub(super) latencies: Vec<u64>,
    /// CPU time of this process, which is the load, meanwhile.
    pub(super) client_cpu: Duration,
    /// CPU time of the server meanwhile, where it is one process.
    pub(super) server_cpu: Option<Duration>,
}

impl Slice {
    /// Requests a second.
    pub(super) fn rate(&self) -> u64 {
        row::per_second(self.requests(), self.time)
    }

    /// Nanoseconds of the server's CPU time for each request.
    pub(super) fn server_cpu_each(&self) -> Option<u64> {
        Some(row::nanos_each(self.requests(), self.server_cpu?))
    }

    /// Nanoseconds of the load's CPU time for each request.
    pub(super) fn client_cpu_each(&self) -> u64 {
        row::nanos_each(self.requests(), self.client_cpu)
    }

    /// Nanoseconds below which so many thousandths of the requests lie.
    pub(super) fn latency(&self, thousandths: usize) -> Option<u64> {
        at_share(&self.latencies, thousandths)
    }

    fn requests(&self) -> u64 {
        u64::try_from(self.latencies.len()).unwrap_or(u64::MAX)
    }
}

/// Requests prepared before the clock runs, handed out to whoever is free.
#[derive(Debug)]
pub(super) struct Stock<T>(Mutex<Vec<T>>);

impl<T> Default for Stock<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Stock<T> {
    /// Fills up to `size` from `source`.
    pub(super) fn fill(&self, size: usize, source: impl Iterator<Item = T>) -> Result<()> {
        let mut stock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = size.saturating_sub(stock.len());
        stock.extend(source.take(missing));
        if stock.len() < size {
            bail!("the bureau has no more claims to make");
        }
        Ok(())
    }

    pub(super) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// Callers connected to one server.
#[derive(Debug)]
pub(super) struct Fleet {
    connections: Vec<LedgerServiceClient<Channel>>,
    callers: Callers,
}

impl Fleet {
    pub(super) async fn connect(url: &str, callers: Callers) -> Result<Self> {
        let count = CONNECTIONS.min(callers.count());
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(LedgerServiceClient::new(connect(url).await?));
        }
        Ok(Self {
            connections,
            callers,
        })
    }

    /// Submits what is in stock until a bound is met, and waits for all answers.
    pub(super) async fn run(
        &self,
        stock: &Arc<Stock<SubmitRequest>>,
        bounds: Bounds,
        interrupt: &Interrupt,
    ) -> Result<Slice> {
        let mut callers = JoinSet::new();
        let count = self.callers.count();
        let cpu = cpu_time()?;
        let began = Instant::now();
        for connection in self.connections.iter().cycle().take(count) {
            let mut client = connection.clone();
            let stock = Arc::clone(stock);
            let interrupt = interrupt.clone();
            callers.spawn(async move {
                let mut latencies = Vec::with_capacity(bounds.requests / count);
                while began.elapsed() < bounds.time
                    && let Some(request) = stock.take()
                {
                    interrupt.check()?;
                    let asked = Instant::now();
                    let answer = client.submit(request).await?;
                    latencies.push(nanos(asked.elapsed()));
                    accepted(answer.get_ref())?;
                }
                Ok::<_, anyhow::Error>(latencies)
            });
        }
        let mut slice = Slice::default();
        while let Some(latencies) = callers.join_next().await {
            slice.latencies.extend(latencies??);
        }
        slice.time = began.elapsed();
        slice.client_cpu = cpu_time()?.saturating_sub(cpu);
        slice.latencies.sort_unstable();
        Ok(slice)
    }
}

pub(super) async fn connect(url: &str) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned())?
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(10));
    endpoint
        .connect()
        .await
        .with_context(|| format!("cannot reach {url}"))
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A measurement of refusals or of repeated answers would be another one.
fn accepted(answer: &SubmitResponse) -> Result<()> {
    is_new(answer.outcome.as_ref().context("no outcome")?)
}

/// Whether a command was accepted, now and not earlier.
pub(super) fn is_new(outcome: &Outcome) -> Result<()> {
    match &outcome.result {
        Some(outcome::Result::Accepted(_)) if !outcome.replayed => Ok(()),
        other => bail!("a command that should be accepted was not: {other:?}"),
    }
}

/// Percentiles of some runs together, as fields of a row.
pub(super) fn latencies<'a>(
    prefix: &str,
    slices: impl IntoIterator<Item = &'a Slice>,
) -> Map<String, Value> {
    let mut all: Vec<u64> = slices
        .into_iter()
        .flat_map(|slice| slice.latencies.iter().copied())
        .collect();
    all.sort_unstable();
    [("p50_us", 500), ("p99_us", 990), ("p999_us", 999)]
        .into_iter()
        .filter_map(|(name, share)| {
            let nanos = at_share(&all, share)?;
            Some((format!("{prefix}{name}"), json!(nanos / 1_000)))
        })
        .collect()
}

/// The value below which so many thousandths of the sorted values lie.
pub(super) fn at_share(sorted: &[u64], thousandths: usize) -> Option<u64> {
    let last = sorted.len().checked_sub(1)?;
    sorted
        .get((sorted.len() * thousandths / 1_000).min(last))
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let thousand: Vec<u64> = (0..1_000).collect();
        for (values, share, expected) in [
            (&thousand[..], 500, Some(500)),
            (&thousand, 990, Some(990)),
            (&thousand, 999, Some(999)),
            (&[7], 999, Some(7)),
            (&[], 500, None),
        ] {
            assert_eq!(at_share(values, share), expected);
        }
    }

    #[test]
    fn a_stock_is_filled_up_and_never_beyond() {
        let stock = Stock::default();
        let mut source = 0..10;
        stock.fill(3, source.by_ref()).unwrap();
        assert_eq!(stock.take(), Some(2));
        stock.fill(3, source.by_ref()).unwrap();
        let taken: Vec<u64> = std::iter::from_fn(|| stock.take()).collect();
        assert_eq!(taken, [3, 1, 0]);
        assert!(stock.fill(8, source).is_err());
    }
}
