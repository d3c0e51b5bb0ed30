//! Why a ledger cannot be used, in both languages.

use luzhang_ledger::log::sled::OpenError;
use luzhang_projections::pack::PackError;
use thiserror::Error;

use crate::{
    committer::Stopped,
    postgres::{KeysError, PostgresError},
    replay::ReplayError,
    vault::{RotateError, VaultError},
};

/// Why a ledger cannot be used.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The log.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The log in a database.
    #[error(transparent)]
    Database(#[from] PostgresError),
    /// The log is in the data directory.
    #[error(
        "the log of this ledger is in its data directory, where nobody else can write it: a \
         standby needs a log in a database"
    )]
    NothingToFollow,
    /// The keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The log's content.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The pack to begin with.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The operating system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The log ends before what it has signed.
    #[error(
        "the log ends at event {log}, but a checkpoint over {signed} events was signed: its end \
         is missing. Nothing was written; restore the newest copy"
    )]
    SignedMore {
        /// Events under the checkpoint.
        signed: u64,
        /// Events in the log.
        log: u64,
    },
    /// The log is another one than it has signed.
    #[error(
        "the log contradicts a checkpoint over its first {size} events that it has signed: it is \
         not the log that it was. Nothing was written; restore the copy that fits `tree/`"
    )]
    SignedOther {
        /// Events under the checkpoint.
        size: u64,
    },
    /// The first block could not be written.
    #[error("the ledger could not be begun: {}", .0.en)]
    Genesis(Stopped),
}

impl From<KeysError> for EngineError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Database(error) => Self::Database(error),
            KeysError::Vault(error) => Self::Vault(error),
        }
    }
}

impl From<RotateError> for EngineError {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::Log(error) => Self::Log(error),
            RotateError::Vault(error) => Self::Vault(error),
        }
    }
}

impl EngineError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Log(error) => error.code(),
            Self::Database(error) => error.code(),
            Self::NothingToFollow => "NOTHING_TO_FOLLOW",
            Self::Vault(error) => error.code(),
            Self::Replay(_) => "LEDGER_UNREADABLE",
            Self::Pack(_) => "POLICY_INVALID",
            Self::Io(_) => "LEDGER_IO",
            Self::SignedMore { .. } => "LEDGER_TRUNCATED",
            Self::SignedOther { .. } => "LEDGER_FORKED",
            Self::Genesis(_) => "WRITER_STOPPED",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Log(error) => error.zh(),
            Self::Database(error) => error.zh(),
            Self::NothingToFollow => {
                "此账本的日志在数据目录中，不会由其他服务写入：备用服务需要日志在数据库中"
                    .to_owned()
            }
            Self::Vault(error) => error.zh(),
            Self::Replay(error) => format!("账本内容无法读取：{error}"),
            Self::Pack(error) => format!("政策包不可用：{error}"),
            Self::Io(error) => format!("系统错误：{error}"),
            Self::SignedMore { signed, log } => format!(
                "账本只到第 {log} 个事件，但曾签署过覆盖 {signed} 个事件的检查点：尾部缺失；未写入任何内容，请恢复最新副本"
            ),
            Self::SignedOther { size } => format!(
                "账本与曾签署的检查点（前 {size} 个事件）不符：已不是原来的账本；未写入任何内容，请恢复与 tree/ 相符的副本"
            ),
            Self::Genesis(why) => format!("账本未能建立：{}", why.zh),
        }
    }
}
