//! Why a data directory cannot be made or opened, and what to do about it.

use std::io;

use thiserror::Error;

use crate::log::storage::is_full;
use crate::position::Position;

/// Why a data directory cannot be made or opened. File names are relative to
/// the data directory, which the caller knows.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Nothing here.
    #[error("there is no ledger here: check the path, or make one with `luzhang init`")]
    NotFound,
    /// `create` on a ledger.
    #[error("there is a ledger here already: open it, or make the new one in another directory")]
    Exists,
    /// `create` on a directory with other things in it.
    #[error(
        "the directory is not empty, and what is in it is not a ledger: \
         choose a directory that is new or empty"
    )]
    NotEmpty,
    /// The making of this ledger was interrupted.
    #[error(
        "the making of this ledger was interrupted, so nothing was ever recorded in it: \
         remove the directory and make the ledger again"
    )]
    Unfinished,
    /// A log is being copied here.
    #[error(
        "a log was being copied to this directory and not all of it is here yet: run the same \
         `luzhang log copy` or `luzhang restore` again to go on, or remove the directory"
    )]
    Copying,
    /// A ledger's files without its `FORMAT`.
    #[error(
        "the file FORMAT is missing beside a ledger's other files: nothing was changed; \
         restore FORMAT from a backup"
    )]
    FormatMissing,
    /// `FORMAT` says something that this program does not know.
    #[error(
        "line {line} of the file FORMAT is not what this program writes: the ledger was made by \
         another version, or the file is damaged; use that version, or restore the file from a backup"
    )]
    FormatUnknown {
        /// From 1.
        line: usize,
    },
    /// The log is in a database.
    #[error("the log of this ledger is in a database, not in this directory")]
    Elsewhere,
    /// `FORMAT` and the witness name different ledgers.
    #[error(
        "the files FORMAT and head name different ledgers: files of two ledgers were mixed; \
         restore the whole data directory from one backup"
    )]
    Mixed,
    /// Another process has it open.
    #[error(
        "the ledger is in use by {}: stop it first, or ask the running server instead",
        .pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Locked {
        /// That process, if it said so.
        pid: Option<u32>,
    },
    /// A file of the database is gone.
    #[error(
        "the ledger was made, but its file {file} is missing: nothing was changed; \
         restore the data directory from a backup"
    )]
    Missing {
        /// Relative to the data directory.
        file: &'static str,
    },
    /// The database has no content at all, not even of an empty ledger.
    #[error(
        "the ledger was made, but its file {file} has no content: \
         copy the data directory as it is, then restore it from a backup"
    )]
    Empty {
        /// Relative to the data directory.
        file: &'static str,
    },
    /// The database does not open.
    #[error(
        "the database is unreadable ({detail}): copy the data directory as it is before anything \
         else, then restore it from a backup"
    )]
    Unreadable {
        /// What the database says.
        detail: String,
    },
    /// A block that opening has to rely on does not hold.
    #[error(
        "the block that begins at position {first} is damaged ({detail}): copy the data directory \
         as it is, see how far it holds with `luzhang audit verify`, then restore it from a backup"
    )]
    Damaged {
        /// Position of the block's first event.
        first: u64,
        /// What is wrong.
        detail: String,
    },
    /// The log ends before its witness.
    #[error(
        "the ledger is truncated: it ends at position {log}, but position {witness} had been \
         recorded; copy the data directory as it is, then restore it from a backup"
    )]
    Truncated {
        /// The last position that was witnessed.
        witness: Position,
        /// The last position in the log; 0 if there is none.
        log: u64,
    },
    /// The log contradicts its witness or its `FORMAT`.
    #[error(
        "the ledger is forked: at position {position} it is another chain than the one that was \
         recorded here; copy the data directory as it is, then restore it from a backup"
    )]
    Forked {
        /// Where they differ, at the latest.
        position: Position,
    },
    /// The witness file is gone.
    #[error(
        "the file head, which says how far the ledger had come, is missing, so a loss could not be \
         noticed: restore it, or the whole data directory, from a backup"
    )]
    WitnessMissing,
    /// The witness file does not say what a witness says.
    #[error(
        "line {line} of the file head, which says how far the ledger had come, is damaged: \
         restore it, or the whole data directory, from a backup"
    )]
    WitnessDamaged {
        /// From 1.
        line: usize,
    },
    /// No room to work.
    #[error("the disk is full: free some space, then try again; nothing recorded was lost")]
    DiskFull,
    /// The operating system said no.
    #[error("{file}: {source}")]
    Io {
        /// Relative to the data directory.
        file: &'static str,
        /// What it said.
        source: io::Error,
    },
}

impl OpenError {
    /// The error of an operation on a file of the data directory.
    pub(super) fn io(file: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            if is_full(&source) {
                Self::DiskFull
            } else {
                Self::Io { file, source }
            }
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "LEDGER_NOT_FOUND",
            Self::Exists => "LEDGER_EXISTS",
            Self::NotEmpty => "DIRECTORY_NOT_EMPTY",
            Self::Unfinished => "LEDGER_UNFINISHED",
            Self::Copying => "LEDGER_COPYING",
            Self::FormatMissing => "FORMAT_MISSING",
            Self::FormatUnknown { .. } => "FORMAT_UNKNOWN",
            Self::Elsewhere => "LEDGER_ELSEWHERE",
            Self::Mixed => "LEDGER_MIXED",
            Self::Locked { .. } => "LEDGER_LOCKED",
            Self::Missing { .. } => "LEDGER_MISSING",
            Self::Empty { .. } => "LEDGER_EMPTY",
            Self::Unreadable { .. } => "LEDGER_UNREADABLE",
            Self::Damaged { .. } => "LEDGER_DAMAGED",
            Self::Truncated { .. } => "LEDGER_TRUNCATED",
            Self::Forked { .. } => "LEDGER_FORKED",
            Self::WitnessMissing => "WITNESS_MISSING",
            Self::WitnessDamaged { .. } => "WITNESS_DAMAGED",
            Self::DiskFull => "DISK_FULL",
            Self::Io { .. } => "LEDGER_IO",
        }
    }

    /// The error in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NotFound => "此处没有账本：请核对路径，或用 `luzhang init` 新建".to_owned(),
            Self::Exists => "此处已有账本：请直接打开，或在另一目录新建".to_owned(),
            Self::NotEmpty => "目录不为空，且其中不是账本：请选用新目录或空目录".to_owned(),
            Self::Unfinished => {
                "账本新建时中断，尚未记入任何内容：请删除该目录后重新新建".to_owned()
            }
            Self::Copying => {
                "正有一份日志复制到此目录，尚未完成：请用同样的 `luzhang log copy` 或 \
                 `luzhang restore` 命令继续，或删除该目录"
                    .to_owned()
            }
            Self::FormatMissing => {
                "账本的其他文件都在，唯独缺少 FORMAT 文件：未作任何改动，请从备份恢复该文件"
                    .to_owned()
            }
            Self::FormatUnknown { line } => format!(
                "FORMAT 文件第 {line} 行不是本程序的写法：账本由其他版本建立，或文件已损坏；\
                 请改用对应版本，或从备份恢复该文件"
            ),
            Self::Elsewhere => "此账本的日志在数据库中，不在本目录".to_owned(),
            Self::Mixed => "FORMAT 与 head 两个文件属于不同账本：两个账本的文件被混放，\
                 请用同一份备份恢复整个数据目录"
                .to_owned(),
            Self::Locked { pid } => {
                let holder =
                    pid.map_or_else(|| "另一进程".to_owned(), |pid| format!("进程 {pid} "));
                format!("账本正被{holder}使用：请先停止该进程，或改向运行中的服务查询")
            }
            Self::Missing { file } => {
                format!("账本已建立，但缺少文件 {file}：未作任何改动，请从备份恢复数据目录")
            }
            Self::Empty { file } => {
                format!("账本已建立，但文件 {file} 没有内容：请先原样复制数据目录，再从备份恢复")
            }
            Self::Unreadable { detail } => format!(
                "数据库无法读取（{detail}）：请在做任何操作之前原样复制数据目录，再从备份恢复"
            ),
            Self::Damaged { first, detail } => format!(
                "从位置 {first} 开始的区块已损坏（{detail}）：请原样复制数据目录，\
                 用 `luzhang audit verify` 查明完好部分，再从备份恢复"
            ),
            Self::Truncated { witness, log } => format!(
                "账本被截短：现止于位置 {log}，而此前已记到位置 {witness}；\
                 请原样复制数据目录，再从备份恢复"
            ),
            Self::Forked { position } => format!(
                "账本分叉：位置 {position} 处与此前记录的不是同一条链；\
                 请原样复制数据目录，再从备份恢复"
            ),
            Self::WitnessMissing => "缺少记载账本进度的 head 文件，账目若有丢失将无从发现：\
                 请从备份恢复该文件或整个数据目录"
                .to_owned(),
            Self::WitnessDamaged { line } => format!(
                "记载账本进度的 head 文件第 {line} 行已损坏：请从备份恢复该文件或整个数据目录"
            ),
            Self::DiskFull => "磁盘已满：请腾出空间后重试，已记入的内容没有丢失".to_owned(),
            Self::Io { file, source } => format!("{file}：{source}"),
        }
    }
}
