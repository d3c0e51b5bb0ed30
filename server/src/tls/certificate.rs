//! What a certificate says of whom.

use std::fmt::Write as _;

use jiff::Timestamp;
use luzhang_ledger::{access::Credential, text::Principal};
use thiserror::Error;
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    parse_x509_certificate,
    x509::{SubjectPublicKeyInfo, X509Name},
};

use crate::caller::Certified;

/// Before an account's name in the certificate's alternative names.
pub const URN: &str = "urn:luzhang:principal:";

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whose it is, if it names one account.
    pub principal: Option<Principal>,
    /// The subject, as its directory name.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Its key.
    pub credential: Credential,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// Whether it can tell who somebody is: it is no CA's, and not a server's alone.
    pub identifies: bool,
}

/// Bytes are no certificate.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not an X.509 certificate")]
pub struct NotCertificate;

impl Facts {
    /// Reads a DER-encoded certificate; whether it can be trusted is not asked.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(der: &[u8]) -> Result<Self, NotCertificate> {
        let (rest, certificate) = parse_x509_certificate(der).map_err(|_| NotCertificate)?;
        if !rest.is_empty() {
            return Err(NotCertificate);
        }
        let time = |seconds| Timestamp::from_second(seconds).map_err(|_| NotCertificate);
        let validity = certificate.validity();
        Ok(Self {
            principal: principal(&certificate),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            credential: credential(certificate.public_key()),
            not_before: time(validity.not_before.timestamp())?,
            not_after: time(validity.not_after.timestamp())?,
            identifies: !certificate.is_ca() && is_for_clients(&certificate),
        })
    }

    /// What a connection knows of its caller; `None` if no account is named.
    pub fn certified(&self) -> Option<Certified> {
        Some(Certified {
            principal: self.principal.clone()?,
            credential: self.credential,
        })
    }
}

/// Without the extension a certificate is good for anything.
fn is_for_clients(certificate: &X509Certificate<'_>) -> bool {
    match certificate.extended_key_usage() {
        Ok(None) => true,
        Ok(Some(usage)) => usage.value.client_auth || usage.value.any,
        Err(_) => false,
    }
}

fn credential(key: &SubjectPublicKeyInfo<'_>) -> Credential {
    Credential::of_key_info(key.raw)
}

/// The account in the alternative names, or else the subject's common name. Where
/// two are named, none is: which one counts must not depend on who reads it.
fn principal(certificate: &X509Certificate<'_>) -> Option<Principal> {
    // An error means that the extension is there twice.
    let alternatives = certificate.subject_alternative_name().ok()?;
    let mut urns = alternatives
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix(URN),
            GeneralName::OtherName(..)
            | GeneralName::RFC822Name(_)
            | GeneralName::DNSName(_)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::IPAddress(_)
            | GeneralName::RegisteredID(_)
            | GeneralName::Invalid(..) => None,
        });
    let name = match (urns.next(), urns.next()) {
        (Some(urn), None) => decoded(urn)?,
        (None, _) => common_name(certificate.subject())?,
        (Some(_), Some(_)) => return None,
    };
    let principal = Principal::new(name).ok()?;
    // What nobody asked for is the ledger's own; nobody else may be called that.
    (principal != Principal::ledger()).then_some(principal)
}

fn common_name(subject: &X509Name<'_>) -> Option<String> {
    let mut names = subject.iter_common_name();
    match (names.next(), names.next()) {
        (Some(name), None) => name.as_str().ok().map(str::to_owned),
        (_, None | Some(_)) => None,
    }
}

/// A URI has ASCII alone; other characters are in it as `%XX`, in UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = 16 * digit()? + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// An account's name as it stands in a certificate's alternative names.
pub fn urn(principal: &Principal) -> String {
    let mut urn = URN.to_owned();
    for byte in principal.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            urn.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(urn, "%{byte:02X}");
        }
    }
    urn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back_out_of_its_urn() {
        for name in ["clerk-1", "书记员 1", "50%", "a/b:c", "%41"] {
            let principal = Principal::new(name).unwrap();
            let urn = urn(&principal);
            assert!(urn.is_ascii(), "{urn}");
            let back = decoded(urn.strip_prefix(URN).unwrap());
            assert_eq!(back.as_deref(), Some(name));
        }
        for broken in ["%", "%4", "%zz", "%FF", "%+1"] {
            assert_eq!(decoded(broken), None, "{broken}");
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_are_said_to_be_none() {
        for bytes in [&b""[..], b"0", b"\x30\x82\xff\xff", &[0; 100]] {
            assert_eq!(Facts::read(bytes), Err(NotCertificate));
        }
    }
}
