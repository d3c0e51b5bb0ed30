//! Subjects as requests name them: by a number, or by their id.

use luzhang_ledger::{
    StreamId, StreamKind, SubjectId,
    identity::{CheckDigit, CreditCode, IdentityKey, NationalId},
};
use luzhang_proto::wire;

use super::typed;
use crate::rejected::Rejected;

/// How a subject is named.
pub(crate) enum Named {
    NationalId(String),
    CreditCode(String),
    BrandNo(String),
    SubjectId(Vec<u8>),
}

macro_rules! named {
    ($($request:ident),*) => {$(
        impl From<wire::$request::Subject> for Named {
            fn from(subject: wire::$request::Subject) -> Self {
                use wire::$request::Subject as S;
                match subject {
                    S::NationalId(number) => Self::NationalId(number),
                    S::CreditCode(code) => Self::CreditCode(code),
                    S::BrandNo(number) => Self::BrandNo(number),
                    S::SubjectId(id) => Self::SubjectId(id),
                }
            }
        }
    )*};
}

named!(get_subject_request, reveal_details_request, erasure);

/// The subject of this name.
pub(crate) fn subject(
    key: &IdentityKey,
    named: Option<impl Into<Named>>,
) -> Result<SubjectId, Rejected> {
    let named = named.ok_or_else(|| Rejected::missing("subject"))?;
    match named.into() {
        Named::NationalId(text) => match NationalId::parse(&text) {
            Ok(id) => Ok(key.person(&id)),
            Err(e) => Err(Rejected::field(
                "national_id",
                e.code(),
                e.zh(),
                e.to_string(),
            )),
        },
        Named::CreditCode(text) => match CreditCode::parse(&text, CheckDigit::Overridden) {
            Ok(code) => Ok(key.organisation(&code)),
            Err(e) => Err(Rejected::field(
                "credit_code",
                e.code(),
                e.zh(),
                e.to_string(),
            )),
        },
        Named::BrandNo(number) => {
            let number = typed::text(&number);
            Ok(StreamId::of(StreamKind::Brand, &number).subject())
        }
        Named::SubjectId(bytes) => match <[u8; 16]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Ok(SubjectId::from_bytes(bytes)),
            Err(_) => Err(Rejected::field(
                "subject_id",
                "BYTE_LENGTH",
                "应为 16 字节",
                "must have 16 bytes",
            )),
        },
    }
}
