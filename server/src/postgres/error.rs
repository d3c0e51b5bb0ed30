//! Why a log in a database cannot be used, in both languages.

use std::{io, time::Duration};

use luzhang_ledger::{LedgerId, Position, log::Fault};
use rustls::{AlertDescription, CertificateError};
use thiserror::Error;
use tokio_postgres::error::SqlState;

use super::session::{chained, failed};
use crate::tls::{TlsError, rustls_error};

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
    /// Another machine would be trusted unseen.
    #[error(
        "the connection to {host} would not be protected: name the file of the CA that the \
         database's certificate is by, as ?sslrootcert=FILE in the address, or ask for a \
         connection in clear with ?sslmode=disable"
    )]
    Unverified {
        /// The host.
        host: String,
    },
    /// Files of certificates or a key.
    #[error("{0}; the database's address names it (sslrootcert, sslcert, sslkey)")]
    Files(TlsError),
    /// A host speaks in clear only.
    #[error(
        "{host} offers no TLS, and the address asks for it: nothing was sent. Set ssl = on there, \
         or ask for a connection in clear with ?sslmode=disable"
    )]
    NoTls {
        /// The host.
        host: String,
    },
    /// A host is not believed to be what it should be, or does not believe us.
    #[error("{}", .why.en(.host, .detail))]
    Tls {
        /// The host.
        host: String,
        /// Why.
        why: Distrust,
        /// What TLS says.
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
    /// Not all of it is there yet.
    #[error(
        "ledger {ledger} is not in this database yet: a log is being copied there, or that was \
         interrupted. Run the same `luzhang log copy` again, which goes on where it ended"
    )]
    Copying {
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

/// Why there is no encrypted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// The certificate is by no CA that is believed.
    Issuer,
    /// It has not the host's name.
    Name,
    /// It has expired.
    Expired,
    /// It is no good for another reason.
    Certificate,
    /// The database does not take ours.
    Ours,
    /// The two do not come to terms.
    Handshake,
}

impl Distrust {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's list of errors is long and open"
    )]
    fn of(error: &rustls::Error) -> Self {
        use CertificateError as E;
        match error {
            rustls::Error::InvalidCertificate(why) => match why {
                // Another CA may go by the same name.
                E::UnknownIssuer | E::BadSignature => Self::Issuer,
                E::NotValidForName | E::NotValidForNameContext { .. } => Self::Name,
                E::Expired | E::ExpiredContext { .. } => Self::Expired,
                _ => Self::Certificate,
            },
            rustls::Error::AlertReceived(
                AlertDescription::UnknownCA
                // By another CA of the same name.
                | AlertDescription::DecryptError
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateUnknown
                | AlertDescription::CertificateRequired
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::AccessDenied,
            ) => Self::Ours,
            _ => Self::Handshake,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Issuer => "DATABASE_UNTRUSTED",
            Self::Name => "DATABASE_NAME_MISMATCH",
            Self::Expired => "DATABASE_CERTIFICATE_EXPIRED",
            Self::Certificate => "DATABASE_CERTIFICATE_INVALID",
            Self::Ours => "DATABASE_DISTRUSTS",
            Self::Handshake => "DATABASE_TLS",
        }
    }

    fn en(self, host: &str, detail: &str) -> String {
        match self {
            Self::Issuer => format!(
                "the certificate of {host} is by no CA in the file of sslrootcert ({detail}); \
                 nothing was sent. Name the CA that the database's certificate is by"
            ),
            Self::Name => format!(
                "the certificate of {host} is for another name ({detail}); nothing was sent. \
                 Connect by a name that it has, or have it made anew with this one among its \
                 alternative names"
            ),
            Self::Expired => format!(
                "the certificate of {host} has expired ({detail}); nothing was sent. Give the \
                 database a new one"
            ),
            Self::Certificate => format!(
                "the certificate of {host} cannot be used ({detail}); nothing was sent. Give the \
                 database one that is made for a server, and check the clocks"
            ),
            Self::Ours => format!(
                "{host} does not accept our certificate ({detail}); see sslcert and sslkey in the \
                 address, and ssl_ca_file of the database"
            ),
            Self::Handshake => format!(
                "no TLS could be agreed on with {host} ({detail}); see that PostgreSQL is there, \
                 and allows TLS 1.2 or later"
            ),
        }
    }

    fn zh(self, host: &str, detail: &str) -> String {
        match self {
            Self::Issuer => format!(
                "{host} 的证书不是 sslrootcert 文件中的 CA 签发的（{detail}）；未发送任何内容。\
                 请指明签发数据库证书的 CA"
            ),
            Self::Name => format!(
                "{host} 的证书属于别的名称（{detail}）；未发送任何内容。\
                 请用证书上的名称连接，或者重新签发并把此名称列入备用名称"
            ),
            Self::Expired => {
                format!("{host} 的证书已过期（{detail}）；未发送任何内容。请为数据库换发证书")
            }
            Self::Certificate => format!(
                "{host} 的证书不可用（{detail}）；未发送任何内容。\
                 请为数据库换上服务器证书，并核对两边的时钟"
            ),
            Self::Ours => format!(
                "{host} 不接受本服务的证书（{detail}）；\
                 请核对地址中的 sslcert、sslkey 和数据库的 ssl_ca_file"
            ),
            Self::Handshake => format!(
                "未能与 {host} 建立 TLS（{detail}）；请确认对方是 PostgreSQL，且允许 TLS 1.2 或更高版本"
            ),
        }
    }
}

impl PostgresError {
    /// Why a host cannot be connected to.
    pub(super) fn of_connecting(host: &str, error: &tokio_postgres::Error) -> Self {
        let host = host.to_owned();
        if let Some(why) = rustls_error(error) {
            return Self::Tls {
                host,
                why: Distrust::of(why),
                detail: why.to_string(),
            };
        }
        // The driver says so in words only.
        let said = chained(error);
        if said.contains("server does not support TLS") {
            Self::NoTls { host }
        } else if said.contains("TLS handshake") && !is_silence(error) {
            Self::Tls {
                host,
                why: Distrust::Handshake,
                detail: said,
            }
        } else {
            failed(error)
        }
    }

    /// Whether it says that a host cannot be trusted, or does not trust us.
    pub(super) fn is_of_trust(&self) -> bool {
        matches!(self, Self::NoTls { .. } | Self::Tls { .. })
    }

    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "DATABASE_ADDRESS",
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Ended => {
                "DATABASE_UNREACHABLE"
            }
            Self::Unverified { .. } => "DATABASE_UNVERIFIED",
            Self::Files(error) => error.code(),
            Self::NoTls { .. } => "DATABASE_NO_TLS",
            Self::Tls { why, .. } => why.code(),
            Self::Refused { .. } | Self::Warned { .. } => "DATABASE_REFUSED",
            Self::NoTables | Self::NoLedger { .. } => "LEDGER_NOT_FOUND",
            Self::Several { .. } => "LEDGER_UNNAMED",
            Self::Exists { .. } => "LEDGER_EXISTS",
            Self::Copying { .. } => "LEDGER_COPYING",
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
            Self::Unverified { host } => format!(
                "与 {host} 的连接没有保护：请在地址中用 ?sslrootcert=文件 指明签发数据库证书的 CA，\
                 或者用 ?sslmode=disable 表明要用明文连接"
            ),
            Self::Files(error) => format!(
                "{}；由数据库地址中的 sslrootcert、sslcert、sslkey 指明",
                error.zh()
            ),
            Self::NoTls { host } => format!(
                "{host} 没有启用 TLS，而地址要求加密：未发送任何内容。请在数据库上设置 ssl = on，\
                 或者用 ?sslmode=disable 表明要用明文连接"
            ),
            Self::Tls { host, why, detail } => why.zh(host, detail),
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
            Self::Copying { ledger } => format!(
                "账本 {ledger} 还没有全部复制到此数据库，或复制曾中断：请再次运行同样的 luzhang log copy，它会接着做完"
            ),
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
        // A certificate or its file may be replaced meanwhile.
        self.ends_session()
            || self.is_of_trust()
            || matches!(self, Self::Warned { .. } | Self::Files(_))
    }

    /// What it is to whoever appends or reads.
    pub(super) fn into_fault(self) -> Fault {
        Fault::Database {
            detail: self.to_string(),
        }
    }
}

/// Whether the other side broke off, as one does that ends or fails.
fn is_silence(error: &tokio_postgres::Error) -> bool {
    use io::ErrorKind as Kind;
    use std::error::Error as _;
    let source = error.source();
    let io = source.and_then(|source| source.downcast_ref::<io::Error>());
    io.is_some_and(|io| {
        matches!(
            io.kind(),
            Kind::UnexpectedEof
                | Kind::ConnectionReset
                | Kind::ConnectionAborted
                | Kind::BrokenPipe
                | Kind::TimedOut
        )
    })
}
