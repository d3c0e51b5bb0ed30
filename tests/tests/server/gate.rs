//! A log that can be held and broken, so that a test decides when things become
//! durable instead of waiting for it.

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use luzhang_ledger::{
    block::{Head, SealedBlock},
    log::{AppendError, Fault, Log, Reader, memory::Failure},
};
use tokio::sync::watch;

/// Decides what a [`Gated`] log does. All clones are one gate.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// How many appends wait at the gate.
    waiting: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    held: bool,
    failure: Option<Failure>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

/// While it lives, nothing becomes durable.
#[derive(Debug)]
pub(crate) struct Hold(Gate);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            waiting: watch::Sender::new(0),
        }))
    }

    /// Puts the gate before a log.
    pub(crate) fn before(&self, log: Box<dyn Log>) -> Box<dyn Log> {
        Box::new(Gated {
            log,
            gate: self.clone(),
            broken: false,
        })
    }

    /// Lets no append through until the result is dropped.
    pub(crate) fn hold(&self) -> Hold {
        self.state().held = true;
        Hold(self.clone())
    }

    /// The next append fails.
    pub(crate) fn fail_next(&self, failure: Failure) {
        self.state().failure = Some(failure);
    }

    /// Waits until an append stands at the gate: its commands are decided and
    /// folded, and not durable.
    pub(crate) async fn reached(&self) {
        let mut waiting = self.0.waiting.subscribe();
        waiting.wait_for(|waiting| *waiting > 0).await.unwrap();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    fn pass(&self) -> Option<Failure> {
        let mut state = self.state();
        if state.held {
            self.0.waiting.send_modify(|waiting| *waiting += 1);
            state = self
                .0
                .changed
                .wait_while(state, |state| state.held)
                .unwrap();
            self.0.waiting.send_modify(|waiting| *waiting -= 1);
        }
        state.failure.take()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.state().held = false;
        self.0.0.changed.notify_all();
    }
}

#[derive(Debug)]
struct Gated {
    log: Box<dyn Log>,
    gate: Gate,
    broken: bool,
}

impl Log for Gated {
    fn head(&self) -> Head {
        self.log.head()
    }

    fn append(&mut self, blocks: &[SealedBlock]) -> Result<(), AppendError> {
        let failure = self.gate.pass();
        if self.broken {
            return Err(Fault::Poisoned.into());
        }
        if failure != Some(Failure::BeforeStored) {
            self.log.append(blocks)?;
        }
        if failure.is_some() {
            self.broken = true;
            return Err(Fault::DiskFull.into());
        }
        Ok(())
    }

    fn reader(&self) -> Arc<dyn Reader> {
        self.log.reader()
    }

    fn close(self: Box<Self>) -> Result<(), Fault> {
        self.log.close()
    }
}
