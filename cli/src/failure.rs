//! How a command ends when it does not end well: a code, a sentence in the
//! reader's language, and an exit code.

use std::fmt;

use luzhang_ledger::{
    log::{
        AppendError, Fault, ReadError,
        backup::ShelfFault,
        copy::{CopyError, SupplyError},
        sled::OpenError,
    },
    verify::Finding,
};
use luzhang_server::{
    EngineError,
    postgres::PostgresError,
    serve::ServeError,
    tls::TlsError,
    vault::{RotateError, VaultError},
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::lang::Lang;

/// Exit codes, as the README lists them.
pub(crate) mod exit {
    pub(crate) const OK: u8 = 0;
    pub(crate) const ERROR: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const REFUSED: u8 = 3;
    pub(crate) const NOT_PERMITTED: u8 = 4;
    pub(crate) const NOT_FOUND: u8 = 5;
    pub(crate) const CONFLICT: u8 = 6;
    pub(crate) const UNKNOWN: u8 = 7;
    pub(crate) const WARNED: u8 = 8;
    pub(crate) const TAMPERED: u8 = 10;
    pub(crate) const UNVERIFIED: u8 = 11;
}

/// A command that failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) zh: String,
    pub(crate) en: String,
    pub(crate) exit: u8,
}

impl Failure {
    pub(crate) fn new(
        code: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            zh: zh.into(),
            en: en.into(),
            exit: exit::ERROR,
        }
    }

    pub(crate) fn usage(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            exit: exit::USAGE,
            ..Self::new("USAGE", zh, en)
        }
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &dyn fmt::Display) -> Self {
        let path = path.display();
        Self::new(
            "FILE_IO",
            format!("文件 {path}：{error}"),
            format!("file {path}: {error}"),
        )
    }

    /// `CODE: sentence`, in one language.
    pub(crate) fn text(&self, lang: Lang) -> String {
        format!("{}: {}", self.code, lang.pick(&self.zh, &self.en))
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        // A connection that was lost and could not be made again has said why.
        if let Some(failure) = behind(&status) {
            return failure.clone();
        }
        let details = status.get_error_details();
        let code = details.error_info().map_or_else(
            // The transport's own statuses have no details.
            || {
                let code = if status.code() == Code::DeadlineExceeded {
                    "DEADLINE_PASSED"
                } else if status.code() == Code::OutOfRange {
                    "MESSAGE_TOO_LARGE"
                } else if is_cut_off(&status) {
                    "CONNECTION_LOST"
                } else {
                    "SERVER_UNREACHABLE"
                };
                code.to_owned()
            },
            |info| info.reason.clone(),
        );
        let field = details
            .bad_request()
            .and_then(|bad| bad.field_violations.first())
            .map_or(String::new(), |violation| format!("{}: ", violation.field));
        let mut en = format!("{field}{}", status.message());
        let mut zh = details
            .localized_message()
            .map_or_else(|| en.clone(), |text| format!("{field}{}", text.message));
        if code == "CONNECTION_LOST" {
            zh = format!(
                "答复之前连接中断（{zh}），请求是否已办理不得而知。请重试：用同一请求编号不会重复办理"
            );
            en = format!(
                "the connection broke before the answer ({en}): if anything was to be done, whether \
                 it was is unknown. Try again: with the same request id nothing is done twice"
            );
        }
        let exit = match status.code() {
            _ if code == "CONNECTION_LOST" => exit::UNKNOWN,
            Code::PermissionDenied | Code::Unauthenticated => exit::NOT_PERMITTED,
            Code::NotFound => exit::NOT_FOUND,
            Code::AlreadyExists | Code::Aborted => exit::CONFLICT,
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                exit::UNKNOWN
            }
            Code::Ok
            | Code::InvalidArgument
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Internal
            | Code::DataLoss => exit::ERROR,
        };
        Self { code, zh, en, exit }
    }
}

/// Whether a status says no more than that the line broke. What a server says has
/// details.
pub(crate) fn is_cut_off(status: &Status) -> bool {
    let of_transport = matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled
    );
    of_transport && status.get_details_error_info().is_none()
}

/// The failure behind an error, if there is one.
pub(crate) fn behind<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Failure> {
    let source = error.source()?;
    source.downcast_ref().or_else(|| behind(source))
}

fn of_database(error: &PostgresError) -> u8 {
    match error.code() {
        "LEDGER_NOT_FOUND" => exit::NOT_FOUND,
        "LEDGER_EXISTS" | "LEDGER_LOCKED" | "LEDGER_COPYING" => exit::CONFLICT,
        _ => exit::ERROR,
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        if let EngineError::Log(error) = error {
            return error.into();
        }
        let exit = if let EngineError::Database(error) = &error {
            of_database(error)
        } else {
            exit::ERROR
        };
        Self {
            exit,
            ..Self::new(error.code(), error.zh(), error.to_string())
        }
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::new(error.code(), error.zh(), error.to_string())
    }
}

impl From<RotateError> for Failure {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::Log(error) => error.into(),
            RotateError::Vault(error) => error.into(),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let exit = match error {
            OpenError::NotFound => exit::NOT_FOUND,
            OpenError::Exists
            | OpenError::NotEmpty
            | OpenError::Copying
            | OpenError::Locked { .. } => exit::CONFLICT,
            OpenError::Unfinished
            | OpenError::FormatMissing
            | OpenError::FormatUnknown { .. }
            | OpenError::Elsewhere
            | OpenError::Mixed
            | OpenError::Missing { .. }
            | OpenError::Empty { .. }
            | OpenError::Unreadable { .. }
            | OpenError::Damaged { .. }
            | OpenError::Truncated { .. }
            | OpenError::Forked { .. }
            | OpenError::WitnessMissing
            | OpenError::WitnessDamaged { .. }
            | OpenError::DiskFull
            | OpenError::Io { .. } => exit::ERROR,
        };
        Self {
            exit,
            ..Self::new(error.code(), error.zh(), error.to_string())
        }
    }
}

/// A log that does not verify is used no further.
impl From<&Finding> for Failure {
    fn from(finding: &Finding) -> Self {
        let Finding {
            verdict,
            place,
            detail,
        } = finding;
        Self {
            exit: verdict.exit_code(),
            ..Self::new(
                "LOG_UNVERIFIED",
                format!("日志未通过核验（{}，{place}）：{detail}", verdict.word()),
                format!(
                    "the log does not verify ({}, {place}): {detail}",
                    verdict.word()
                ),
            )
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::new(
            "LEDGER_UNREADABLE",
            format!("账本读取失败：{error}"),
            error.to_string(),
        )
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Fault(Fault::DiskFull) => Self::from(OpenError::DiskFull),
            AppendError::Fault(fault) => Self::new(
                "LEDGER_IO",
                format!("写入失败：{fault}"),
                format!("writing failed: {fault}"),
            ),
            AppendError::HeadMoved { .. } | AppendError::Fenced { .. } | AppendError::Broken => {
                Self {
                    exit: exit::CONFLICT,
                    ..Self::new(
                        "COPY_TARGET_MOVED",
                        "目标在复制期间被另一写入者改动：请停止写入者，再用同样的命令继续",
                        "something else wrote to the target while it was copied to: stop the writer, \
                     then run the same command again",
                    )
                }
            }
        }
    }
}

impl From<ShelfFault> for Failure {
    fn from(fault: ShelfFault) -> Self {
        let exit = match &fault {
            ShelfFault::NotFound => exit::NOT_FOUND,
            ShelfFault::Occupied { .. } | ShelfFault::Locked | ShelfFault::OtherLedger { .. } => {
                exit::CONFLICT
            }
            ShelfFault::Full { .. } | ShelfFault::Io { .. } => exit::ERROR,
            ShelfFault::ManifestMissing
            | ShelfFault::ManifestDamaged { .. }
            | ShelfFault::Version { .. }
            | ShelfFault::Untrue { .. }
            | ShelfFault::Missing { .. }
            | ShelfFault::Short { .. }
            | ShelfFault::Changed { .. }
            | ShelfFault::Chain { .. }
            | ShelfFault::Extra { .. }
            | ShelfFault::Differs { .. } => fault.verdict().exit_code(),
        };
        Self {
            exit,
            ..Self::new(fault.code(), fault.zh(), fault.to_string())
        }
    }
}

impl From<SupplyError> for Failure {
    fn from(error: SupplyError) -> Self {
        match error {
            SupplyError::Read(error) => error.into(),
            SupplyError::Broken(finding) => (&finding).into(),
            SupplyError::Shelf(fault) => fault.into(),
        }
    }
}

impl<E: Into<Self>> From<CopyError<E>> for Failure {
    fn from(error: CopyError<E>) -> Self {
        match error {
            CopyError::Supply(error) => error.into(),
            CopyError::Broken(finding) => (&finding).into(),
            CopyError::Target(error) => error.into(),
            CopyError::OtherLedger { found, expected } => Self {
                exit: exit::CONFLICT,
                ..Self::new(
                    "COPY_OTHER_LEDGER",
                    format!("来源是账本 {found}，目标属于账本 {expected}：未作任何改动"),
                    format!(
                        "the source is ledger {found}, the target is of ledger {expected}: nothing \
                         was changed"
                    ),
                )
            },
            CopyError::Forked { position } => Self {
                exit: exit::TAMPERED,
                ..Self::new(
                    "COPY_FORKED",
                    format!(
                        "在位置 {position} 或之前，来源与先前已复制的内容已是两条链：未作任何改动；\
                         请原样保存两份，用 `luzhang audit verify --head` 查明哪一份是真的"
                    ),
                    format!(
                        "at position {position} or before, the source is another chain than what \
                         was copied earlier: nothing was changed; keep both as they are and find \
                         out with `luzhang audit verify --head` which is the true one"
                    ),
                )
            },
            CopyError::Cut { position } => Self {
                exit: exit::CONFLICT,
                ..Self::new(
                    "COPY_CUT",
                    format!(
                        "目标曾恢复到位置 {position}，位于一个区块之中，那个区块已重新封存，不能接着复制：\
                         请复制到另一处"
                    ),
                    format!(
                        "the target was restored to position {position}, inside a block, which was \
                         sealed anew there, so nothing can be copied after it: copy to another place"
                    ),
                )
            },
            CopyError::Shorter { position } => Self {
                exit: exit::TAMPERED,
                ..Self::new(
                    "COPY_SHORTER",
                    format!(
                        "来源在位置 {position} 之前就结束了，而该位置先前已复制：来源缺了尾部，\
                         或来源与目标写反了；未作任何改动"
                    ),
                    format!(
                        "the source ends before position {position}, which was copied earlier: its \
                         end is missing, or source and target are the wrong way round; nothing was \
                         changed"
                    ),
                )
            },
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::new(error.code(), error.zh(), error.to_string())
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::new(error.code(), error.zh(), error.to_string())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(failure) => failure,
            Err(error) => Self::new("ERROR", format!("{error:#}"), format!("{error:#}")),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new("ERROR", error.to_string(), error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

impl std::error::Error for Failure {}
