//! Whom to believe: keys on the command line, or a policy file.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;
use luzhang_ledger::proof::{
    Policy, VerifierKey,
    note::{NoteError, Purpose},
    policy::{Distrust, MAX_POLICY},
};

use crate::failure::{Failure, exit};

/// Options of commands that check signatures.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Trust {
    /// A key of the log (`name+id+key`); of several, any is enough
    // A key has no spaces, so the variable can hold several.
    #[arg(
        long = "key",
        env = "LUZHANG_KEY",
        value_name = "VKEY",
        value_delimiter = ' '
    )]
    pub(crate) keys: Vec<VerifierKey>,
    /// Logs, witnesses and a quorum (C2SP tlog-policy); with --key, the keys
    /// instead of its logs
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

impl Trust {
    /// Whether anything was given.
    pub(crate) fn is_given(&self) -> bool {
        !self.keys.is_empty() || self.policy.is_some()
    }

    /// What was given, which must name a log.
    pub(crate) fn policy(&self) -> Result<Policy, Failure> {
        if let Some(key) = self
            .keys
            .iter()
            .find(|key| key.purpose() != Purpose::Author)
        {
            return Err(Failure::usage(
                format!("{} 是见证方的密钥；--key 应为账本的密钥", key.name()),
                format!(
                    "{} is the key of a witness; --key is for a log's",
                    key.name()
                ),
            ));
        }
        let policy = match (&self.policy, self.keys.as_slice()) {
            (None, []) => {
                return Err(Failure::usage(
                    "请用 --key 或 --policy 指明信任谁的签名",
                    "say with --key or --policy whose signatures to trust",
                ));
            }
            (Some(_), []) => self.file()?,
            (Some(_), keys) => self.file()?.for_logs(keys.iter().cloned()),
            (None, [first, ..]) => {
                Policy::of_key(first.clone()).for_logs(self.keys.iter().cloned())
            }
        };
        if policy.logs().is_empty() {
            return Err(Failure::usage(
                "策略文件没有 log 行；请用 --key 给出账本的密钥",
                "the policy has no `log` line; give the log's key with --key",
            ));
        }
        Ok(policy)
    }

    fn file(&self) -> Result<Policy, Failure> {
        read_policy(self.policy.as_deref().unwrap_or_else(|| "".as_ref()))
    }
}

/// Reads a policy file (C2SP tlog-policy).
pub(crate) fn read_policy(path: &Path) -> Result<Policy, Failure> {
    let mut text = String::new();
    let most = u64::try_from(MAX_POLICY).unwrap_or(u64::MAX);
    File::open(path)
        .and_then(|file| file.take(most.saturating_add(1)).read_to_string(&mut text))
        .map_err(|error| Failure::file(path, &error))?;
    text.parse().map_err(|error| Failure {
        exit: exit::USAGE,
        ..Failure::new(
            "TRUST_POLICY",
            format!("策略文件 {}：{error}", path.display()),
            format!("policy {}: {error}", path.display()),
        )
    })
}

/// A checkpoint that is not believed: neither confirmed nor refuted.
pub(crate) fn distrusted(distrust: &Distrust) -> Failure {
    let (code, zh) = match distrust {
        Distrust::Note(NoteError::Forged(name)) => (
            "CHECKPOINT_FORGED",
            format!("{name} 的签名不成立：内容或签名被改动过"),
        ),
        Distrust::Note(NoteError::Unsigned) => (
            "CHECKPOINT_UNSIGNED",
            "没有任何受信任的密钥签过这个检查点".to_owned(),
        ),
        Distrust::Note(
            error @ (NoteError::TooLarge
            | NoteError::Characters
            | NoteError::Form
            | NoteError::Signature),
        ) => ("CHECKPOINT_UNREADABLE", format!("检查点不合格式：{error}")),
        Distrust::Origin { found } => (
            "CHECKPOINT_ORIGIN",
            format!("检查点属于 {found}，受信任的密钥都不是它的"),
        ),
        Distrust::Quorum { found } => (
            "CHECKPOINT_QUORUM",
            format!("只有 {found} 个受信任的见证方联署，未达到规定数目"),
        ),
    };
    Failure {
        exit: exit::UNVERIFIED,
        ..Failure::new(code, zh, distrust.to_string())
    }
}
