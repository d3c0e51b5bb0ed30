//! Who is at the other end of a connection. It is an extension of every request.

use std::{fmt, str::FromStr};

use luzhang_ledger::text::Principal;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tonic::{Code, codegen::http::HeaderMap};

use crate::rejected::Rejected;

/// The header that names the account.
pub(crate) const PRINCIPAL: &str = "luzhang-principal";

/// The account of whoever names none.
const NAMELESS: &str = "local";

/// Who asks, as far as the connection knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// This process itself, which has the data directory open.
    Embedded,
    /// Somebody on this machine, without TLS: who they say they are is believed.
    Local,
    /// Whoever holds the key of a certificate that was verified.
    Certified(Certified),
}

/// What a verified certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// Whose it is.
    pub principal: Principal,
    /// By which key.
    pub credential: Credential,
}

/// A public key, by the SHA-256 of its `SubjectPublicKeyInfo`: a certificate that
/// is renewed for the same key is the same credential.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credential(pub [u8; 32]);

impl Credential {
    /// Of a DER-encoded `SubjectPublicKeyInfo`.
    pub fn of_key_info(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is no credential.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a credential is written in 64 hexadecimal digits")]
pub struct NotCredential;

impl FromStr for Credential {
    type Err = NotCredential;

    fn from_str(text: &str) -> Result<Self, NotCredential> {
        let digits = text.as_bytes();
        let value = |digit: u8| {
            let digit = char::from(digit).to_digit(16);
            digit.and_then(|digit| u8::try_from(digit).ok())
        };
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(NotCredential);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else {
                return Err(NotCredential);
            };
            let (high, low) = value(*high).zip(value(*low)).ok_or(NotCredential)?;
            *byte = 16 * high + low;
        }
        Ok(Self(bytes))
    }
}

impl Caller {
    /// Whose request it is: the certificate's, or else the header's.
    ///
    /// # Errors
    /// `PRINCIPAL_MISMATCH`, or why the header's text is no name.
    pub fn principal(&self, headers: &HeaderMap) -> Result<Principal, Rejected> {
        let named = headers.get(PRINCIPAL);
        match self {
            Self::Certified(certified) => {
                let own = certified.principal.as_str();
                match named {
                    Some(other) if other.as_bytes() != own.as_bytes() => {
                        Err(mismatch(&certified.principal))
                    }
                    Some(_) | None => Ok(certified.principal.clone()),
                }
            }
            Self::Embedded | Self::Local => {
                let name = match named {
                    None => NAMELESS,
                    Some(value) => value.to_str().unwrap_or_default(),
                };
                Principal::new(name).map_err(|error| {
                    let zh = "账户名不能为空，最多 64 个字符";
                    Rejected::field(PRINCIPAL, error.code(), zh, error.to_string())
                })
            }
        }
    }
}

fn mismatch(own: &Principal) -> Rejected {
    Rejected {
        field: PRINCIPAL.to_owned(),
        ..Rejected::new(
            Code::PermissionDenied,
            "PRINCIPAL_MISMATCH",
            format!(
                "请求自称的账户与证书不符，证书属于“{own}”；请去掉 --principal，或改用该账户的证书"
            ),
            format!(
                "the request names another account than the certificate, which is that of `{own}`: \
                 leave out --principal, or use that account's certificate"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certified() -> Caller {
        Caller::Certified(Certified {
            principal: Principal::new("clerk-1").unwrap(),
            credential: Credential([7; 32]),
        })
    }

    fn headers(name: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(PRINCIPAL, name.try_into().unwrap());
        headers
    }

    #[test]
    fn a_header_is_believed_on_this_machine_only() {
        for (caller, name, expected) in [
            (Caller::Local, None, Ok("local")),
            (Caller::Local, Some("clerk-2"), Ok("clerk-2")),
            (Caller::Local, Some(""), Err("FIELD_REQUIRED")),
            (Caller::Embedded, Some("clerk-2"), Ok("clerk-2")),
            (certified(), None, Ok("clerk-1")),
            (certified(), Some("clerk-1"), Ok("clerk-1")),
            (certified(), Some("clerk-2"), Err("PRINCIPAL_MISMATCH")),
            (certified(), Some("Clerk-1"), Err("PRINCIPAL_MISMATCH")),
            (certified(), Some(""), Err("PRINCIPAL_MISMATCH")),
            (certified(), Some("书记员"), Err("PRINCIPAL_MISMATCH")),
        ] {
            let headers = name.map_or_else(HeaderMap::new, |name| headers(name.as_bytes()));
            let principal = caller.principal(&headers);
            let said = principal.as_ref().map(Principal::as_str);
            assert_eq!(
                said.map_err(|rejected| rejected.code),
                expected,
                "{caller:?} {name:?}"
            );
        }
    }

    #[test]
    fn a_credential_is_written_as_it_is_read() {
        let credential = Credential::of_key_info(b"key");
        assert_eq!(credential.to_string().parse(), Ok(credential));
        let capital = credential.to_string().to_uppercase();
        assert_eq!(capital.parse(), Ok(credential));
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
            assert_eq!(text.parse::<Credential>(), Err(NotCredential), "{text}");
        }
        assert_eq!("é".repeat(32).parse::<Credential>(), Err(NotCredential));
    }
}
