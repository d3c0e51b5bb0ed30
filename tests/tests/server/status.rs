//! What a failed call says, beyond its code.

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// A rejection or fault as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: Code,
    pub(crate) reason: String,
    pub(crate) field: String,
    pub(crate) zh: String,
    pub(crate) en: String,
}

pub(crate) fn has_han(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

impl Said {
    /// Reads the `google.rpc` details, which must be complete and agree with
    /// each other.
    #[track_caller]
    pub(crate) fn by(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details
            .error_info()
            .unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
        assert_eq!(info.domain, "luzhang");
        let zh = details.localized_message().expect("a LocalizedMessage");
        assert_eq!(zh.locale, "zh-CN");
        let violations = details
            .bad_request()
            .map_or(&[][..], |bad| &bad.field_violations);
        let field = match violations {
            [] => String::new(),
            [violation] => {
                assert_eq!(violation.description, status.message());
                violation.field.clone()
            }
            several => panic!("{several:?}"),
        };
        let in_info = info.metadata.get("field").cloned().unwrap_or_default();
        assert_eq!(
            in_info, field,
            "ErrorInfo and BadRequest name different fields"
        );
        let said = Self {
            status: status.code(),
            reason: info.reason.clone(),
            field,
            zh: zh.message.clone(),
            en: status.message().to_owned(),
        };
        said.is_worded();
        said
    }

    /// Both languages say something, each in its own letters.
    #[track_caller]
    pub(crate) fn is_worded(&self) {
        assert!(has_han(&self.zh), "{self:?}");
        assert!(
            self.en.starts_with(|c: char| c.is_ascii_alphanumeric()),
            "{self:?}"
        );
        assert!(self.en.contains(' '), "{self:?}");
    }
}

/// Whether a call failed in this way.
#[track_caller]
pub(crate) fn fails<T: std::fmt::Debug>(
    answer: Result<T, Status>,
    status: Code,
    reason: &str,
    field: &str,
) -> Said {
    let said = Said::by(&answer.expect_err("the call succeeded"));
    let (got, wanted) = (
        (said.status, &*said.reason, &*said.field),
        (status, reason, field),
    );
    assert_eq!(got, wanted, "{} {}", said.zh, said.en);
    said
}
