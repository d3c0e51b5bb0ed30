//! Short texts with a meaning: numbers of claims, courses, loans, documents.

use std::{borrow::Borrow, fmt};

use thiserror::Error;

/// Why a text is not acceptable.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Too many characters.
    #[error("longer than {max} characters")]
    TooLong {
        /// The most characters allowed.
        max: usize,
    },
    /// A control character or one that reorders the text around it.
    #[error("contains a control or text-direction character")]
    Character,
}

impl TextError {
    /// The stable reason code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "FIELD_REQUIRED",
            Self::TooLong { .. } => "TEXT_TOO_LONG",
            Self::Character => "TEXT_CHARACTER",
        }
    }
}

fn check(text: &str, max: usize) -> Result<(), TextError> {
    // Most texts are numbers of a few plain characters.
    let printable = |byte: &u8| matches!(byte, b' '..=b'~');
    if text.len() <= max
        && text.as_bytes().iter().all(printable)
        && text.as_bytes().iter().any(|byte| *byte != b' ')
    {
        return Ok(());
    }
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().count() > max {
        return Err(TextError::TooLong { max });
    }
    let forbidden =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.chars().any(forbidden) {
        return Err(TextError::Character);
    }
    Ok(())
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $max:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks length and characters.
            pub fn new(text: impl Into<Box<str>>) -> Result<Self, TextError> {
                let text = text.into();
                check(&text, $max)?;
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = TextError;

            fn try_from(text: &str) -> Result<Self, TextError> {
                check(text, $max)?;
                Ok(Self(text.into()))
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

texts! {
    /// Number of a claim (申领编号).
    ClaimNo, 64;
    /// Number of a course (班级编号).
    CourseNo, 64;
    /// Number of a loan (贷款编号).
    LoanNo, 64;
    /// Number of a brand (品牌编号).
    BrandNo, 64;
    /// Number of a document (文号).
    DocumentNo, 100;
    /// Number of a certificate (证书编号).
    CertificateNo, 64;
    /// Number of a public notice (公示编号).
    NoticeNo, 64;
    /// Number of an objection to a notice (异议编号).
    ObjectionNo, 64;
    /// Number of a payment batch (批次号).
    BatchNo, 35;
    /// Number of a recovery (追回编号).
    RecoveryNo, 64;
    /// A fund (资金来源), by its id in the policy pack.
    FundId, 64;
    /// A programme (项目), by its id in the policy pack.
    ProgrammeId, 64;
    /// A policy pack, by its id.
    PackId, 64;
    /// Who asks: an account name, never a person's name.
    Principal, 64;
    /// A short free text: trade, bank, source of a list.
    Label, 200;
}

impl Label {
    /// `luzhang` and a version, cut to what a label may hold.
    pub fn software(version: &str) -> Self {
        let plain = version.chars().filter(char::is_ascii_graphic).take(32);
        Self(format!("luzhang {}", plain.collect::<String>()).into())
    }
}

impl Principal {
    /// The ledger itself, for events that nobody asked for.
    pub fn ledger() -> Self {
        Self("luzhang".into())
    }

    /// Whoever uses a data directory without a name.
    pub fn local() -> Self {
        Self("local".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_and_plain() {
        for (text, expected) in [
            ("PX7-0001", Ok(())),
            ("泸财〔2023〕7001号", Ok(())),
            ("", Err(TextError::Empty)),
            ("  \u{3000}", Err(TextError::Empty)),
            ("a\nb", Err(TextError::Character)),
            ("a\u{202e}b", Err(TextError::Character)),
            ("a\u{2066}b", Err(TextError::Character)),
        ] {
            assert_eq!(CourseNo::new(text).map(|_| ()), expected, "{text:?}");
        }
        assert!(CourseNo::new("泸".repeat(64)).is_ok());
        assert_eq!(
            CourseNo::new("泸".repeat(65)),
            Err(TextError::TooLong { max: 64 })
        );
    }
}
