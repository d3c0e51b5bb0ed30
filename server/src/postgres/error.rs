//! Why a log in a database cannot be used, in both languages.

use std::{io, time::Duration};

use luzhang_ledger::{LedgerId, Position, log::Fault};
use thiserror::Error;
use tokio_postgres::error::SqlState;

/// Why a log in a database cannot be used.
#[derive(Debug, Error)]
pub enum PostgresError {
    /// The connection string.
    #[error(
        "the database's address makes no sense: {detail}; write it as postgresql://USER@HOST/NAME"
    )]
    Address {
        /// What is wrong.
        detail: String,
    },
    /// Nobody answered, or the connection broke.
    #[error(
        "the database cannot be reached: {detail}; see that it runs and that its address is right"
    )]
    Unreachable {
        /// What happened.
        detail: String,
    },
    /// No answer in time.
    #[error("the database gave no answer within {} s", .within.as_secs())]
    TimedOut {
        /// How long was waited.
        within: Duration,
    },
    /// It said no.
    #[error("the database refused: {detail}")]
    Refused {
        /// What it said.
        detail: String,
        /// Its code.
        code: SqlState,
    },
    /// It did as asked and warned, which of a commit means that no standby has it
    /// for certain.
    #[error("the database warned: {warning}")]
    Warned {
        /// Of what.
        warning: String,
    },
    /// Our tables are not there.
    #[error("there is no ledger in this database: make one with `luzhang init --database`")]
    NoTables,
    /// This ledger is not there.
    #[error("ledger {ledger} is not in this database: check the address")]
    NoLedger {
        /// Which ledger.
        ledger: LedgerId,
    },
    /// There is more than one, and none was named.
    #[error("the database has several ledgers ({ledgers}): name one")]
    Several {
        /// Their ids.
        ledgers: String,
    },
    /// `create` on a ledger.
    #[error("ledger {ledger} is in this database already")]
    Exists {
        /// Which ledger.
        ledger: LedgerId,
    },
    /// Another server holds the lease.
    #[error(
        "the ledger is written by {writer}: stop that server first, or start this one with \
         --standby"
    )]
    Held {
        /// Who, in its own words.
        writer: String,
    },
    /// Another server writes since.
    #[error("another server has taken over")]
    Replaced,
    /// The database keeps less than it was asked to.
    #[error(
        "the database would acknowledge what it may lose: {setting} is {found:?}, and {wanted} \
         is asked for. Change the setting, or ask for less with --durable"
    )]
    NotDurable {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// The database ends before what was acknowledged.
    #[error(
        "the database is behind: it ends at event {found}, but this server has seen event {mark} \
         made durable. A database that lost its end was put in the place of the right one; \
         nothing was written. Use the one that has it"
    )]
    Behind {
        /// What was seen.
        mark: Position,
        /// Its last event; 0 if there is none.
        found: u64,
    },
    /// The database has another history than what was acknowledged.
    #[error(
        "the database is forked: at event {position} it is another chain than the one that this \
         server has seen. Nothing was written; use the database that has it"
    )]
    Forked {
        /// Where, at the latest.
        position: Position,
    },
    /// What is stored contradicts itself.
    #[error(
        "the database is damaged: {detail}. See how far the log holds with `luzhang audit \
         verify`, then restore it from a backup"
    )]
    Damaged {
        /// What is wrong.
        detail: String,
    },
    /// A file beside the log.
    #[error("{file}: {error}")]
    Io {
        /// Relative to the data directory.
        file: &'static str,
        /// What the operating system said.
        error: io::Error,
    },
    /// The file that says how far the log had come.
    #[error(
        "the file mark, which says how far the ledger had come, is damaged: restore it from a \
         backup, or remove it if the database is known to be whole"
    )]
    MarkDamaged,
    /// The operating system gives no threads.
    #[error("no threads to work with: {0}")]
    Threads(io::Error),
    /// The process ends.
    #[error("the connection to the database was given up because the process ends")]
    Ended,
}

impl PostgresError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "DATABASE_ADDRESS",
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Ended => {
                "DATABASE_UNREACHABLE"
            }
            Self::Refused { .. } | Self::Warned { .. } => "DATABASE_REFUSED",
            Self::NoTables | Self::NoLedger { .. } => "LEDGER_NOT_FOUND",
            Self::Several { .. } => "LEDGER_UNNAMED",
            Self::Exists { .. } => "LEDGER_EXISTS",
            Self::Held { .. } | Self::Replaced => "LEDGER_LOCKED",
            Self::NotDurable { .. } => "DATABASE_NOT_DURABLE",
            Self::Behind { .. } => "LEDGER_TRUNCATED",
            Self::Forked { .. } => "LEDGER_FORKED",
            Self::Damaged { .. } => "LEDGER_DAMAGED",
            Self::Io { .. } | Self::Threads(_) => "LEDGER_IO",
            Self::MarkDamaged => "WITNESS_DAMAGED",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Address { detail } => {
                format!("数据库地址有误：{detail}；请写成 postgresql://用户@主机/库名")
            }
            Self::Unreachable { detail } => {
                format!("无法连接数据库：{detail}；请确认数据库在运行、地址无误")
            }
            Self::TimedOut { within } => {
                format!("数据库在 {} 秒内没有答复", within.as_secs())
            }
            Self::Refused { detail, .. } => format!("数据库拒绝执行：{detail}"),
            Self::Warned { warning } => format!("数据库发出警告：{warning}"),
            Self::NoTables => "此数据库中没有账本：请用 luzhang init --database 新建".to_owned(),
            Self::NoLedger { ledger } => {
                format!("账本 {ledger} 不在此数据库中：请核对地址")
            }
            Self::Several { ledgers } => {
                format!("此数据库中有多个账本（{ledgers}）：请指明其一")
            }
            Self::Exists { ledger } => format!("此数据库中已有账本 {ledger}"),
            Self::Held { writer } => {
                format!("账本正由 {writer} 写入：请先停止该服务，或以 --standby 启动本服务")
            }
            Self::Replaced => "另一台服务已接管写入".to_owned(),
            Self::NotDurable {
                setting,
                found,
                wanted,
            } => format!(
                "数据库可能丢失已确认的内容：{setting} 为 {found:?}，而要求是 {wanted}。\
                 请修改该设置，或用 --durable 降低要求"
            ),
            Self::Behind { mark, found } => format!(
                "数据库落后：只到第 {found} 个事件，而本服务已见到第 {mark} 个事件落盘。\
                 丢失尾部的数据库顶替了原来的数据库；未写入任何内容，请改用完整的数据库"
            ),
            Self::Forked { position } => format!(
                "数据库分叉：第 {position} 个事件与本服务所见不是同一条链；\
                 未写入任何内容，请改用原来的数据库"
            ),
            Self::Damaged { detail } => format!(
                "数据库已损坏：{detail}。请用 luzhang audit verify 查明完好部分，再从备份恢复"
            ),
            Self::Io { file, error } => format!("{file}：{error}"),
            Self::MarkDamaged => "记载账本进度的 mark 文件已损坏：请从备份恢复；\
                                  如确知数据库完整，可删除该文件"
                .to_owned(),
            Self::Threads(error) => format!("无法创建线程：{error}"),
            Self::Ended => "进程即将结束，已放弃与数据库的连接".to_owned(),
        }
    }

    /// Whether the connection over which it came is of no use any more: it is broken,
    /// or somebody may still answer on it.
    pub(super) fn ends_session(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Ended
        )
    }

    /// Whether trying again may help: a database that restarts or fails over says so in
    /// many ways.
    pub(super) fn passes(&self) -> bool {
        if let Self::Refused { code, .. } = self {
            let class = code.code().get(..2).unwrap_or_default();
            // Connections, transactions rolled back, resources, intervention by an
            // operator; and a standby that is not promoted yet.
            return matches!(class, "08" | "40" | "53" | "55" | "57")
                || *code == SqlState::READ_ONLY_SQL_TRANSACTION;
        }
        self.ends_session() || matches!(self, Self::Warned { .. })
    }

    /// What it is to whoever appends or reads.
    pub(super) fn into_fault(self) -> Fault {
        Fault::Database {
            detail: self.to_string(),
        }
    }
}
