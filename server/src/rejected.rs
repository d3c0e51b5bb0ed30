//! Rejections and faults as the wire says them: a code, a field, both languages.

use std::{collections::HashMap, num::NonZeroU32, time::Duration};

use luzhang_ledger::{Position, malformed::Malformed};
use luzhang_projections::{Rejection, access::Denied};
use luzhang_proto::wire;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{checkpoints::Trouble, committer::Stopped};

/// The domain of every `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "luzhang";

/// A command that was not decided. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The gRPC status that it becomes.
    pub status: Code,
    /// Stable reason code.
    pub code: &'static str,
    /// Dotted name of the field at fault; empty if none.
    pub field: String,
    /// What happened and what to do, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// For a reused request id: what it was used for.
    pub original: Option<Original>,
    /// After how many milliseconds to try again, if that is known.
    pub retry_millis: Option<NonZeroU32>,
    /// Who writes the ledger, if it is not this server.
    pub writer: Option<Box<WriterName>>,
}

/// What a server that writes calls itself, such as its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterName(pub String);

/// What a reused request id was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Original {
    /// Where the outcome is on the chain.
    pub position: Position,
    /// Whether it was a refusal.
    pub refused: bool,
}

/// How large a message is, and how large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageSize {
    /// Its bytes, at least.
    pub bytes: usize,
    /// The most bytes that are taken.
    pub most: usize,
}

impl Rejected {
    /// The log has no such event.
    pub(crate) fn event_not_found(position: u64) -> Self {
        Self::new(
            Code::NotFound,
            "EVENT_NOT_FOUND",
            format!("账本中没有位置 {position}"),
            format!("there is no event at position {position}"),
        )
    }

    /// The ledger is used without a tree.
    pub(crate) fn no_tree() -> Self {
        Self::new(
            Code::FailedPrecondition,
            "TREE_OFF",
            "此服务未维护检查点所用的树，请去掉 --tree off 后重启",
            "this server keeps no tree for checkpoints: restart it without `--tree off`",
        )
    }

    /// No checkpoint can be had now.
    pub(crate) fn trouble(trouble: &Trouble) -> Self {
        Self::new(
            Code::Unavailable,
            trouble.code(),
            trouble.zh(),
            trouble.to_string(),
        )
    }

    /// A rejection that is not about one field.
    pub fn new(
        status: Code,
        code: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            field: String::new(),
            zh: zh.into(),
            en: en.into(),
            original: None,
            retry_millis: None,
            writer: None,
        }
    }

    /// A rejection of one field's value.
    pub fn field(
        field: impl Into<String>,
        code: &'static str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            ..Self::new(Code::InvalidArgument, code, zh, en)
        }
    }

    /// A required field is absent.
    pub fn missing(field: impl Into<String>) -> Self {
        Self::field(field, "FIELD_REQUIRED", "不能为空", "is required")
    }

    /// The request id was used for other content.
    pub fn reused(original: Original) -> Self {
        let position = original.position;
        Self {
            field: "request_id".to_owned(),
            original: Some(original),
            ..Self::new(
                Code::AlreadyExists,
                "REQUEST_ID_REUSED",
                format!(
                    "同一请求编号的内容已改变，原结果在位置 {position}；如需重新申报，请使用新的编号"
                ),
                format!(
                    "this request id was used for other content, see position {position}; \
                     use a new id for a new attempt"
                ),
            )
        }
    }

    /// The request id was used by another principal.
    pub fn of_another(original: Original) -> Self {
        let position = original.position;
        Self {
            field: "request_id".to_owned(),
            original: Some(original),
            ..Self::new(
                Code::PermissionDenied,
                "REQUEST_OF_ANOTHER",
                format!(
                    "同一请求已由另一账户提交，见位置 {position}；如当时不予受理，可用 --resubmit 重新申报"
                ),
                format!(
                    "another principal made this request, see position {position}; if it was \
                     refused, `--resubmit` makes a new attempt"
                ),
            )
        }
    }

    /// The queue is full.
    pub fn queue_full() -> Self {
        Self::new(
            Code::ResourceExhausted,
            "QUEUE_FULL",
            "系统繁忙，排队已满，请稍后用同一请求编号重试",
            "the queue is full: try again shortly with the same request id",
        )
    }

    /// The caller has asked for more than it may, and may again after this time.
    pub fn rate_limited(again: Duration) -> Self {
        Self {
            retry_millis: u32::try_from(again.as_millis())
                .ok()
                .and_then(NonZeroU32::new),
            ..Self::new(
                Code::ResourceExhausted,
                "RATE_LIMITED",
                "该账户的请求过多，请稍后用同一请求编号重试",
                "this principal asks for too much at a time: try again shortly with the same \
                 request id",
            )
        }
    }

    /// The writer stopped after a storage failure.
    pub fn stopped(why: &Stopped) -> Self {
        let Stopped { zh, en, successor } = why;
        if let Some(writer) = successor {
            return Self::not_the_writer(writer);
        }
        Self::new(
            Code::Unavailable,
            "WRITER_STOPPED",
            format!("存储故障，已停止写入：{zh}。结果未知，请重启服务后用同一请求编号重试"),
            format!(
                "writing stopped after a storage failure: {en}. The outcome is unknown; restart \
                 the server and try again with the same request id"
            ),
        )
    }

    /// This server does not write the ledger, and has written nothing.
    pub fn not_the_writer(writer: &str) -> Self {
        let (zh, en) = if writer.is_empty() {
            ("另一台服务".to_owned(), "another server".to_owned())
        } else {
            (format!(" {writer} "), writer.to_owned())
        };
        Self {
            writer: (!writer.is_empty()).then(|| Box::new(WriterName(writer.to_owned()))),
            ..Self::new(
                Code::Unavailable,
                "NOT_THE_WRITER",
                format!(
                    "本服务不是写入方，账本由{zh}写入；没有写入任何内容，请用同一请求编号向它重试"
                ),
                format!(
                    "this server does not write the ledger, {en} does: nothing was written; ask \
                     there with the same request id"
                ),
            )
        }
    }

    /// A message of `size` bytes or more.
    pub fn message_too_large(size: MessageSize) -> Self {
        let MessageSize { bytes, most } = size;
        Self::new(
            Code::ResourceExhausted,
            "MESSAGE_TOO_LARGE",
            format!("请求不少于 {bytes} 字节，上限 {most} 字节，请拆分后重新发送"),
            format!(
                "the request has {bytes} bytes or more, at most {most} are taken: split it and \
                 send it again"
            ),
        )
    }

    /// The caller's deadline has passed.
    pub fn deadline_passed() -> Self {
        Self::new(
            Code::DeadlineExceeded,
            "DEADLINE_PASSED",
            "期限已过，没有得到结果。结果未知，请用同一请求编号重试",
            "the deadline passed without an outcome. The outcome is unknown; try again with the \
             same request id",
        )
    }

    /// The server is shutting down.
    pub fn shutting_down() -> Self {
        Self::new(
            Code::Unavailable,
            "SHUTTING_DOWN",
            "服务正在关闭，请稍后重试",
            "the server is shutting down: try again later",
        )
    }

    /// A stored block could not be read.
    pub fn unreadable(detail: &str) -> Self {
        Self::new(
            Code::DataLoss,
            "LEDGER_UNREADABLE",
            format!("账本读取失败：{detail}。请停止服务并运行 luzhang audit verify"),
            format!(
                "the ledger could not be read: {detail}. Stop the server and run `luzhang audit verify`"
            ),
        )
    }

    /// Whether it is the ledger that failed, and not the command.
    pub fn is_fault(&self) -> bool {
        matches!(
            self.status,
            Code::Unavailable | Code::Internal | Code::DataLoss
        )
    }

    /// Whether nothing else of a stream can come to anything: its principal was
    /// sent away.
    pub(crate) fn ends_stream(&self) -> bool {
        matches!(
            self.code,
            "PRINCIPAL_UNKNOWN" | "PRINCIPAL_REVOKED" | "CREDENTIAL_UNKNOWN"
        )
    }

    /// The status with `google.rpc` details.
    pub fn into_status(self) -> Status {
        let (zh, en) = (shortened(self.zh), shortened(self.en));
        let mut metadata = HashMap::new();
        if !self.field.is_empty() {
            metadata.insert("field".to_owned(), self.field.clone());
        }
        if let Some(original) = self.original {
            metadata.insert("position".to_owned(), original.position.to_string());
        }
        if let Some(writer) = self.writer {
            metadata.insert("writer".to_owned(), writer.0);
        }
        let mut details = ErrorDetails::new();
        details.set_error_info(self.code, DOMAIN, metadata);
        details.set_localized_message("zh-CN", zh);
        if !self.field.is_empty() {
            details.add_bad_request_violation(self.field, en.clone());
        }
        if matches!(self.status, Code::ResourceExhausted | Code::Unavailable) {
            let millis = self.retry_millis.map_or(200, NonZeroU32::get);
            details.set_retry_info(Some(Duration::from_millis(millis.into())));
        }
        Status::with_error_details(self.status, en, details)
    }

    /// The rejection as part of a batch's answer.
    pub fn into_wire(self) -> wire::Rejected {
        wire::Rejected {
            reason: Some(wire::Reason {
                code: self.code.to_owned(),
                zh: shortened(self.zh),
                en: shortened(self.en),
                ..wire::Reason::default()
            }),
            field: self.field,
            original_position: self.original.map_or(0, |o| o.position.number()),
            original_refused: self.original.is_some_and(|o| o.refused),
        }
    }
}

/// The most characters of one text. A status travels in headers, once in the
/// open and once encoded in its details; a client ends the connection if they
/// have more than 16 KiB in all.
const TEXT: usize = 500;

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(TEXT) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl From<Malformed> for Rejected {
    fn from(error: Malformed) -> Self {
        Self::field(
            error.field,
            error.problem.code(),
            error.problem.zh(),
            error.problem.to_string(),
        )
    }
}

impl From<Denied> for Rejected {
    fn from(denied: Denied) -> Self {
        let (code, zh) = (denied.code(), denied.zh());
        Self::new(Code::PermissionDenied, code, zh, denied.to_string())
    }
}

impl From<Rejection> for Rejected {
    fn from(rejection: Rejection) -> Self {
        let status = match rejection {
            Rejection::NoPolicy
            | Rejection::NoProgramme { .. }
            | Rejection::Ungoverned
            | Rejection::TooFewAdministrators
            | Rejection::Erased
            | Rejection::Unfinished { .. } => Code::FailedPrecondition,
            Rejection::OneAdministrator { .. } => Code::PermissionDenied,
            Rejection::UnknownFund { .. }
            | Rejection::UnknownProgramme { .. }
            | Rejection::OtherFact { .. }
            | Rejection::AdjustmentAmount { .. }
            | Rejection::UnknownScope { .. }
            | Rejection::Pack(_) => Code::InvalidArgument,
            Rejection::UnknownGrant { .. }
            | Rejection::UnknownNotice { .. }
            | Rejection::UnknownObjection { .. }
            | Rejection::UnknownBatch { .. }
            | Rejection::UnknownPayment { .. }
            | Rejection::UnknownRecovery { .. }
            | Rejection::UnknownConflict { .. }
            | Rejection::UnknownPlaque { .. }
            | Rejection::UnknownAppropriation { .. }
            | Rejection::UnknownFact { .. }
            | Rejection::UnknownCourse { .. }
            | Rejection::UnknownLoan { .. }
            | Rejection::UnknownProposal { .. }
            | Rejection::UnknownSubject
            | Rejection::UnknownBenefit { .. } => Code::NotFound,
            Rejection::CourseExists { .. }
            | Rejection::LoanExists { .. }
            | Rejection::LoanSettled { .. }
            | Rejection::PlaqueExists { .. }
            | Rejection::NumberExists { .. }
            | Rejection::AppropriationExists { .. } => Code::AlreadyExists,
        };
        Self {
            field: rejection.field().to_owned(),
            ..Self::new(
                status,
                rejection.code(),
                rejection.zh(),
                rejection.to_string(),
            )
        }
    }
}
