//! The thread that keeps the witness close behind the log.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{engine::Engine, reserve, witness::Witness};
use crate::log::{Fault, storage};

/// The pause between two witnesses. With the time that writing one takes, it
/// stays under the second that the contract of this adapter allows.
const PAUSE: Duration = Duration::from_millis(400);

/// Writes the latest witness, at once when the log was quiet, and every
/// [`PAUSE`] when it is busy.
#[derive(Debug)]
pub(super) struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    engine: Arc<Engine>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    latest: Witness,
    written: Witness,
    stopping: bool,
    failure: Option<io::Error>,
}

impl Keeper {
    /// Starts the thread. `written` is what the file says now.
    pub(super) fn start(
        dir: &Path,
        engine: Arc<Engine>,
        written: Witness,
        latest: Witness,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            dir: dir.to_path_buf(),
            engine,
            state: Mutex::new(State {
                latest,
                written,
                stopping: false,
                failure: None,
            }),
            changed: Condvar::new(),
        });
        let thread = thread::Builder::new()
            .name("luzhang-witness".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.run()
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Announces what is durable from now on.
    pub(super) fn announce(&self, latest: Witness) {
        self.shared.lock().latest = latest;
        self.shared.changed.notify_one();
    }

    /// The error that keeps the witness from following, if there is one.
    pub(super) fn check(&self) -> Result<(), Fault> {
        match self.shared.lock().failure.take() {
            Some(error) => Err(storage::fault(error)),
            None => Ok(()),
        }
    }

    /// Writes the last witness and ends the thread.
    pub(super) fn stop(&mut self) -> Result<(), Fault> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        self.shared.lock().stopping = true;
        self.shared.changed.notify_one();
        // The thread does not panic; if it did, the witness is merely older.
        let _ = thread.join();
        self.check()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Whoever wanted to know the result has called `stop`.
        let _ = self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            // Read before the attempt: whatever was announced before `stop` is
            // then part of it.
            let stopping = state.stopping;
            let behind = state.latest != state.written;
            if behind {
                let latest = state.latest;
                drop(state);
                let result = self.write(&latest);
                state = self.lock();
                match result {
                    Ok(()) => {
                        state.written = latest;
                        state.failure = None;
                    }
                    Err(error) => state.failure = Some(error),
                }
            }
            if stopping {
                return;
            }
            drop(
                self.changed
                    .wait_timeout_while(state, PAUSE, |state| {
                        !state.stopping && (behind || state.latest == state.written)
                    })
                    .unwrap_or_else(PoisonError::into_inner),
            );
            self.engine.nudge();
            state = self.lock();
        }
    }

    fn write(&self, witness: &Witness) -> io::Result<()> {
        match witness.write(&self.dir) {
            Err(error) if storage::is_full(&error) => {
                reserve::give_page(&self.dir)?;
                witness.write(&self.dir)
            }
            result => result,
        }
    }
}
