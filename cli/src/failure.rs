//! How a command ends when it does not end well: a code, a sentence in the
//! reader's language, and an exit code.

use std::fmt;

use luzhang_ledger::log::sled::OpenError;
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
        let en = format!("{field}{}", status.message());
        let zh = details
            .localized_message()
            .map_or_else(|| en.clone(), |text| format!("{field}{}", text.message));
        let exit = match status.code() {
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

/// The failure behind an error, if there is one.
fn behind<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Failure> {
    let source = error.source()?;
    source.downcast_ref().or_else(|| behind(source))
}

fn of_database(error: &PostgresError) -> u8 {
    match error.code() {
        "LEDGER_NOT_FOUND" => exit::NOT_FOUND,
        "LEDGER_EXISTS" | "LEDGER_LOCKED" => exit::CONFLICT,
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
            OpenError::Exists | OpenError::NotEmpty | OpenError::Locked { .. } => exit::CONFLICT,
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
