//! `luzhang audit watch`, looking once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use luzhang_ledger::proof::{SignedCheckpoint, SigningKey, VerifierKey};
use tempfile::TempDir;

use crate::support::{Ran, luzhang};

/// Somebody who watches, with a state file.
#[derive(Debug)]
pub(crate) struct Watcher {
    scratch: TempDir,
    keys: Vec<VerifierKey>,
    options: Vec<String>,
}

impl Watcher {
    /// Trusts these keys of the log.
    pub(crate) fn new(keys: &[&SigningKey]) -> Self {
        let keys = keys.iter().map(|key| key.verifier().clone()).collect();
        Self {
            scratch: tempfile::tempdir().unwrap(),
            keys,
            options: Vec::new(),
        }
    }

    /// Trusts what a policy says.
    pub(crate) fn with_policy(policy: &str) -> Self {
        let watcher = Self::new(&[]);
        let path = watcher.file("policy");
        fs::write(&path, policy).unwrap();
        watcher.with(&["--policy", path.to_str().unwrap()])
    }

    /// With more options.
    pub(crate) fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(ToString::to_string));
        self
    }

    /// From now on trusts these keys.
    pub(crate) fn trust(&mut self, keys: &[&SigningKey]) {
        self.keys = keys.iter().map(|key| key.verifier().clone()).collect();
    }

    /// The command without `--once`.
    pub(crate) fn command(&self, source: &str) -> Command {
        let mut command = luzhang();
        command
            .args(["audit", "watch", source, "--state"])
            .arg(self.state());
        for key in &self.keys {
            command.args(["--key", &key.to_string()]);
        }
        command.args(&self.options);
        command
    }

    /// Looks once.
    pub(crate) fn look(&self, source: &str) -> Ran {
        let mut command = self.command(source);
        command
            .args(["--once", "-o", "json"])
            .output()
            .unwrap()
            .into()
    }

    /// Looks once, and it ends well.
    #[track_caller]
    pub(crate) fn sees(&self, source: &str, result: &str, size: usize) {
        let seen = self.look(source).ended(0).json();
        assert_eq!(seen["result"], result, "{seen}");
        assert_eq!(seen["size"], size, "{seen}");
        assert_eq!(self.known().head().size, size as u64);
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.file("state")
    }

    /// The bytes of the state file.
    pub(crate) fn kept(&self) -> Vec<u8> {
        fs::read(self.state()).unwrap()
    }

    /// The checkpoint in the state file.
    pub(crate) fn known(&self) -> SignedCheckpoint {
        SignedCheckpoint::parse(&self.kept()).unwrap()
    }

    /// All evidence, in order of the names.
    pub(crate) fn evidence(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.scratch.path()).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        let mut paths: Vec<PathBuf> = paths.filter(|path| is_evidence(path)).collect();
        paths.sort();
        paths
    }
}

fn is_evidence(path: &Path) -> bool {
    path.to_str().unwrap().contains("state.evidence-")
}
