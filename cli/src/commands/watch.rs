//! `luzhang audit watch`: follow a published tree, and raise the alarm when it
//! does not continue what was seen before.
//!
//! What could not be read, or is not signed by whom one trusts, is no finding: it
//! says nothing about the tree. A finding is signed by the log itself.

mod evidence;
mod finding;
mod look;
mod metrics;
mod say;
mod state;
mod webhook;

use std::sync::Arc;

use jiff::Timestamp;
use luzhang_ledger::proof::{Policy, SignedCheckpoint};
use luzhang_server::http::Believed;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time,
};

use self::{
    finding::Finding,
    look::{Looked, Seen, Trouble},
    metrics::Metrics,
    state::State,
};
use crate::{
    args::{Global, watch::WatchArgs},
    failure::{Failure, exit},
    tiles::TileSource,
};

pub(crate) async fn run(global: &Global, args: &WatchArgs) -> Result<u8, Failure> {
    // Heard from the beginning, so that no signal is lost.
    let mut stop = Stop::new()?;
    let mut watcher = Watcher::new(global, args)?;
    if args.once {
        let looked = watcher.look().await?;
        return match looked {
            Ok(seen) => watcher.take(seen).await,
            Err(trouble) => Err(trouble.into()),
        };
    }
    if let Some(address) = args.metrics {
        let serving = metrics::listen(address).await?;
        crate::output::note!("metrics http://{}/metrics", serving.local_addr()?);
        tokio::spawn(metrics::serve(serving, Arc::clone(&watcher.metrics)));
    }
    loop {
        let looked = tokio::select! {
            () = stop.heard() => return Ok(exit::OK),
            looked = watcher.look() => looked?,
        };
        match looked {
            Ok(seen) => {
                let code = watcher.take(seen).await?;
                if code != exit::OK {
                    return Ok(code);
                }
            }
            Err(trouble) => watcher.endure(trouble),
        }
        tokio::select! {
            () = stop.heard() => return Ok(exit::OK),
            () = time::sleep(args.interval) => {}
        }
    }
}

/// What ends the watch in order.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn heard(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Looks again and again.
struct Watcher<'a> {
    global: &'a Global,
    args: &'a WatchArgs,
    source: TileSource,
    believed: Believed,
    policy: Policy,
    state: State,
    known: Option<SignedCheckpoint>,
    metrics: Arc<Metrics>,
    /// What went wrong last time, which is not said again.
    trouble: Option<String>,
}

impl<'a> Watcher<'a> {
    fn new(global: &'a Global, args: &'a WatchArgs) -> Result<Self, Failure> {
        let source = TileSource::parse(&args.source, global.believed()?)?;
        let policy = args.trust.policy()?;
        let state = State::open(&args.state)?;
        let known = state.read(&policy)?;
        let metrics = Arc::new(Metrics::new());
        if let Some(known) = &known {
            metrics.size(known.head().size);
        }
        Ok(Self {
            global,
            args,
            source,
            believed: global.believed()?,
            policy,
            state,
            known,
            metrics,
            trouble: None,
        })
    }

    /// Looks once. Nothing is kept yet, so a look may be left off at any time.
    async fn look(&self) -> Result<Result<Seen, Trouble>, Failure> {
        let (source, policy, known) =
            (self.source.clone(), self.policy.clone(), self.known.clone());
        let looking =
            tokio::task::spawn_blocking(move || look::look(&source, &policy, known.as_ref()));
        Ok(looking.await.map_err(anyhow::Error::from)?)
    }

    /// Keeps and says what was seen. Returns the exit code.
    async fn take(&mut self, seen: Seen) -> Result<u8, Failure> {
        match seen {
            Seen::Verified(looked) => {
                self.keep(*looked)?;
                Ok(exit::OK)
            }
            Seen::Finding(finding) => {
                self.report(*finding).await?;
                Ok(exit::TAMPERED)
            }
        }
    }

    fn keep(&mut self, looked: Looked) -> Result<(), Failure> {
        let Looked { checkpoint, change } = looked;
        // An unchanged head may have other signatures: of a new key, or of more
        // witnesses.
        if self.known.as_ref() != Some(&checkpoint) {
            self.state.keep(&checkpoint)?;
        }
        let head = checkpoint.head();
        self.known = Some(checkpoint);
        self.metrics.verified(change, head.size, Timestamp::now());
        if self.trouble.take().is_some() {
            say::recovered(self.global);
        }
        if self.args.once || change.is_news() {
            say::verified(self.global, &self.source, &head, change)?;
        }
        Ok(())
    }

    /// Whatever of this fails, the finding is said.
    async fn report(&self, finding: Finding) -> Result<(), Failure> {
        self.metrics.found(finding.kind);
        let written = evidence::write(&self.args.state, &finding, &self.source, Timestamp::now());
        let said = say::found(self.global, &self.source, &finding, written.as_deref().ok());
        if let Err(failure) = written {
            self.complain(&failure);
        }
        if let Some(url) = self.args.webhook.clone() {
            let message = finding.to_json(&self.source).to_string();
            let believed = self.believed.clone();
            let sending =
                tokio::task::spawn_blocking(move || webhook::send(&url, &message, believed));
            if let Err(failure) = sending.await.map_err(anyhow::Error::from)? {
                self.complain(&failure);
            }
        }
        said
    }

    /// Counts what went wrong, and says it when it is something new.
    fn endure(&mut self, trouble: Trouble) {
        self.metrics.troubled(&trouble);
        let failure = Failure::from(trouble);
        let text = failure.text(self.global.lang());
        if self.trouble.as_ref() != Some(&text) {
            self.complain(&failure);
            self.trouble = Some(text);
        }
    }

    fn complain(&self, failure: &Failure) {
        crate::output::note!("{}", failure.text(self.global.lang()));
    }
}
