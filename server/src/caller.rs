//! Who is at the other end of a connection. It is an extension of every request.

use luzhang_ledger::{access::Credential, malformed::Problem, text::Principal};
use luzhang_projections::access::Identity;
use tonic::{Code, codegen::http::HeaderMap};

use crate::rejected::Rejected;

/// The header that names the account.
pub(crate) const PRINCIPAL: &str = "luzhang-principal";

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

impl Caller {
    /// Whose request it is, as far as it is said: by the certificate, or else by the
    /// header.
    ///
    /// # Errors
    /// `PRINCIPAL_MISMATCH`, or why the header's text is no name.
    pub(crate) fn identity(&self, headers: &HeaderMap) -> Result<Option<Identity>, Rejected> {
        let named = headers.get(PRINCIPAL);
        match self {
            Self::Certified(certified) => {
                let own = certified.principal.as_str();
                match named {
                    Some(other) if other.as_bytes() != own.as_bytes() => {
                        Err(mismatch(&certified.principal))
                    }
                    Some(_) | None => Ok(Some(Identity {
                        principal: certified.principal.clone(),
                        credential: Some(certified.credential),
                    })),
                }
            }
            Self::Embedded | Self::Local => {
                let Some(name) = named else {
                    return Ok(None);
                };
                let name = Principal::new(name.to_str().unwrap_or_default());
                let name = name.map_err(|error| {
                    let zh = "账户名不能为空，最多 64 个字符";
                    Rejected::field(PRINCIPAL, error.code(), zh, error.to_string())
                })?;
                if name == Principal::ledger() {
                    // What the ledger says by itself nobody else says.
                    let malformed = luzhang_ledger::malformed::at(PRINCIPAL);
                    return Err(malformed(Problem::UnknownValue).into());
                }
                Ok(Some(Identity::believed(name)))
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
            credential: Credential::from_bytes([7; 32]),
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
            (Caller::Local, None, Ok("")),
            (Caller::Local, Some("clerk-2"), Ok("clerk-2")),
            (Caller::Local, Some(""), Err("FIELD_REQUIRED")),
            (Caller::Local, Some("luzhang"), Err("VALUE_UNKNOWN")),
            (Caller::Embedded, Some("clerk-2"), Ok("clerk-2")),
            (certified(), None, Ok("clerk-1")),
            (certified(), Some("clerk-1"), Ok("clerk-1")),
            (certified(), Some("clerk-2"), Err("PRINCIPAL_MISMATCH")),
            (certified(), Some("Clerk-1"), Err("PRINCIPAL_MISMATCH")),
            (certified(), Some(""), Err("PRINCIPAL_MISMATCH")),
            (certified(), Some("书记员"), Err("PRINCIPAL_MISMATCH")),
        ] {
            let headers = name.map_or_else(HeaderMap::new, |name| headers(name.as_bytes()));
            let who = caller.identity(&headers);
            let said = who.as_ref().map(|who| {
                let who = who.as_ref();
                who.map_or("", |who| who.principal.as_str())
            });
            assert_eq!(
                said.map_err(|rejected| rejected.code),
                expected,
                "{caller:?} {name:?}"
            );
        }
    }
}
