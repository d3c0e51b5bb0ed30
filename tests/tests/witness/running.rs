//! `luzhang witness serve` as a process of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
};

use luzhang_ledger::proof::{
    SignedCheckpoint, VerifierKey,
    note::{KeyName, SignatureLine},
};
use luzhang_server::witness::{Witness, WitnessError};
use tempfile::TempDir;

use crate::{
    support::{luzhang, signal},
    wire::{self, Reply},
};

/// How often a lock is tried that somebody holds who is about to let it go.
const TRIES: usize = 100_000;

/// Opens a witness that nobody else uses. A child that another test is just
/// starting has this process's locks until it becomes a program of its own.
pub(crate) fn open(dir: &Path) -> Result<Witness, WitnessError> {
    for _ in 0..TRIES {
        match Witness::open(dir) {
            Err(WitnessError::Locked { .. }) => thread::yield_now(),
            opened => return opened,
        }
    }
    Witness::open(dir)
}

/// A witness's directory, with logs that it watches.
#[derive(Debug)]
pub(crate) struct Office {
    scratch: TempDir,
    pub(crate) key: VerifierKey,
}

impl Office {
    pub(crate) fn watching(logs: impl IntoIterator<Item = VerifierKey>) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let name = KeyName::new("audit.example/w1").unwrap();
        let mut witness = Witness::create(&scratch.path().join("witness"), &name).unwrap();
        for key in logs {
            witness.add_log(key).unwrap();
        }
        Self {
            key: witness.verifier().clone(),
            scratch,
        }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.scratch.path().join("witness")
    }

    /// A place beside it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub(crate) fn open(&self) -> Witness {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<Witness, WitnessError> {
        open(&self.dir())
    }

    pub(crate) fn start(&self) -> Running {
        Running::start(&self.dir())
    }

    /// The cosignature in an answer, which must hold for this checkpoint.
    #[track_caller]
    pub(crate) fn cosigned(&self, checkpoint: &SignedCheckpoint, reply: &Reply) -> SignatureLine {
        assert_eq!(reply.status, 200, "{reply:?}");
        let line = reply.body.strip_suffix('\n').unwrap();
        let line: SignatureLine = line.parse().unwrap();
        self.holds(checkpoint, &line);
        line
    }

    /// A cosignature must hold for this checkpoint, and be of our time.
    #[track_caller]
    pub(crate) fn holds(&self, checkpoint: &SignedCheckpoint, line: &SignatureLine) {
        let mut checkpoint = checkpoint.clone();
        checkpoint.add(line.clone());
        let verified = checkpoint.verify(&[&self.key]).unwrap();
        assert!(verified[0].time.unwrap() > 1_700_000_000, "{verified:?}");
    }
}

/// A running witness on a free loopback port. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pub(crate) url: String,
}

impl Running {
    pub(crate) fn start(dir: &Path) -> Self {
        // The lock may be held for a moment more, as `open` knows.
        let mut starts = (0..10).map(|_| Self::try_start(dir));
        let locked = |said: &str| said.starts_with("WITNESS_LOCKED: ");
        let started = starts.find(|start| !start.as_ref().is_err_and(|said| locked(said)));
        match started {
            Some(Ok(running)) => running,
            other => panic!("the witness does not run: {other:?}"),
        }
    }

    fn try_start(dir: &Path) -> Result<Self, String> {
        let mut child = luzhang()
            .args(["witness", "serve", "--listen", "127.0.0.1:0"])
            .arg(dir)
            // Forks are what these tests are about; they would fill the screen.
            .env("LUZHANG_LOG", "off")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        if let Some(url) = line.trim().strip_prefix("listening ") {
            return Ok(Self {
                url: url.to_owned(),
                child,
            });
        }
        let ended = child.wait_with_output().unwrap();
        Err(String::from_utf8(ended.stderr).unwrap())
    }

    #[track_caller]
    pub(crate) fn add_checkpoint(&self, body: &[u8]) -> Reply {
        wire::add_checkpoint(&self.url, body).unwrap()
    }

    #[track_caller]
    pub(crate) fn ask(&self, method: &str, path: &str) -> Reply {
        wire::ask(&self.url, method, path, b"").unwrap()
    }

    /// Ends it as a power switch does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end: its exit code, and what it said.
    pub(crate) fn terminate(mut self) -> (i32, String) {
        signal("TERM", self.child.id());
        let mut said = String::new();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        let status = self.child.wait().unwrap();
        (status.code().unwrap_or(-1), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
