//! Why a witness cannot be used, and why it does not cosign.

use std::{
    io,
    path::{Path, PathBuf},
};

use luzhang_ledger::proof::witness::WitnessRefusal;
use thiserror::Error;

/// Why a witness cannot be used.
#[derive(Debug, Error)]
pub enum WitnessError {
    /// There is none.
    #[error(
        "there is no witness in {dir}; check the path, or make one with `luzhang witness init`"
    )]
    NotFound {
        /// Where one was looked for.
        dir: PathBuf,
    },
    /// There is one already.
    #[error("there is a witness in {dir} already; nothing was changed")]
    Exists {
        /// Where.
        dir: PathBuf,
    },
    /// Something else is there.
    #[error("{dir} is not empty: choose another directory")]
    NotEmpty {
        /// Where.
        dir: PathBuf,
    },
    /// Another process has it open.
    #[error(
        "another process uses the witness in {dir}; a witness that is two could cosign two \
         histories. Stop the other process first"
    )]
    Locked {
        /// Where.
        dir: PathBuf,
    },
    /// What it remembers is gone.
    #[error(
        "{path} is missing. Without it this witness does not know what it has cosigned. Bring the \
         file back as it last was, never an older copy; else make a new witness under a new name"
    )]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// What it remembers cannot be believed.
    #[error(
        "{path} is damaged: {detail}. Bring the file back as it last was, never an older copy; \
         else make a new witness under a new name"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        detail: &'static str,
    },
    /// The operating system said no.
    #[error("{path}: {error}")]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// A write failed earlier, so that nobody knows what the disk holds.
    #[error(
        "writing {path} failed earlier, and this witness cosigns nothing of that log until it is \
         started again. Look after the disk first"
    )]
    Stopped {
        /// Which file.
        path: PathBuf,
    },
    /// The key is not one that signs checkpoints.
    #[error(
        "this key is of a witness: a log is watched by the key that signs its checkpoints (01)"
    )]
    NotOfLog,
    /// A cosignature has a time, and there is none to be had.
    #[error("the clock of this machine stands before 1970: set it, then ask again")]
    Clock,
}

impl WitnessError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "WITNESS_NOT_FOUND",
            Self::Exists { .. } => "WITNESS_EXISTS",
            Self::NotEmpty { .. } => "DIRECTORY_NOT_EMPTY",
            Self::Locked { .. } => "WITNESS_LOCKED",
            Self::Missing { .. } => "WITNESS_STATE_MISSING",
            Self::Damaged { .. } => "WITNESS_STATE_DAMAGED",
            Self::Io { .. } => "WITNESS_STATE_IO",
            Self::Stopped { .. } => "WITNESS_STOPPED",
            Self::NotOfLog => "WITNESS_LOG_KEY",
            Self::Clock => "WITNESS_CLOCK",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NotFound { dir } => format!(
                "{} 中没有见证方，请核对路径，或用 luzhang witness init 新建",
                dir.display()
            ),
            Self::Exists { dir } => {
                format!("{} 中已有见证方，没有作任何改动", dir.display())
            }
            Self::NotEmpty { dir } => format!("{} 不是空目录，请换一个", dir.display()),
            Self::Locked { dir } => format!(
                "另一进程正在使用 {} 中的见证方，请先停止它：同时运行两个，可能联署两套历史",
                dir.display()
            ),
            Self::Missing { path } => format!(
                "{} 不见了，见证方不知道自己联署过什么。请恢复该文件的最新内容，\
                 不可用旧备份；否则请以新名称另建见证方",
                path.display()
            ),
            Self::Damaged { path, .. } => format!(
                "{} 已损坏。请恢复该文件的最新内容，不可用旧备份；否则请以新名称另建见证方",
                path.display()
            ),
            Self::Io { path, error } => format!("{} 无法读写：{error}", path.display()),
            Self::Stopped { path } => format!(
                "此前写入 {} 失败，重新启动之前不再联署该日志。请先检查磁盘",
                path.display()
            ),
            Self::NotOfLog => "这是见证方的公钥：关注日志要用签署其检查点的公钥（01）".to_owned(),
            Self::Clock => "本机时钟早于 1970 年，请先校准".to_owned(),
        }
    }

    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }
}

/// Why a checkpoint was not cosigned.
#[derive(Debug, Error)]
pub enum NotCosigned {
    /// Whoever asked is told no.
    #[error(transparent)]
    Refused(#[from] WitnessRefusal),
    /// This witness failed.
    #[error(transparent)]
    Fault(#[from] WitnessError),
}

impl NotCosigned {
    /// The HTTP status that the protocol asks for; 500 for a fault, of which it
    /// says nothing.
    pub fn status(&self) -> u16 {
        match self {
            Self::Refused(refusal) => refusal.status(),
            Self::Fault(_) => 500,
        }
    }
}
