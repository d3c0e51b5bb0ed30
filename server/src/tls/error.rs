//! Why there is no TLS, and why a handshake failed.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use rustls::{AlertDescription, CertificateError};
use thiserror::Error as ThisError;

/// Certificates or keys cannot be used.
#[derive(Debug, ThisError)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {error}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A file has not what is expected of it.
    #[error("{}: {detail}", .path.display())]
    Invalid {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The key is another certificate's.
    #[error("the key in {} does not belong to the certificate in {}", .key.display(), .cert.display())]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
}

impl TlsError {
    /// Why a certificate and its key cannot be used.
    pub fn of_pair(cert: &Path, key: &Path, error: &rustls::Error) -> Self {
        if matches!(error, rustls::Error::InconsistentKeys(_)) {
            return Self::Mismatch {
                cert: cert.to_owned(),
                key: key.to_owned(),
            };
        }
        Self::Invalid {
            path: cert.to_owned(),
            detail: error.to_string(),
        }
    }

    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "FILE_IO",
            Self::Invalid { .. } => "TLS_FILE_INVALID",
            Self::Mismatch { .. } => "TLS_KEY_MISMATCH",
        }
    }

    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Unreadable { path, error } => format!("文件 {}：{error}", path.display()),
            Self::Invalid { path, detail } => {
                format!("{} 不是可用的 PEM 证书或私钥文件：{detail}", path.display())
            }
            Self::Mismatch { cert, key } => format!(
                "{} 中的私钥与 {} 中的证书不配对",
                key.display(),
                cert.display()
            ),
        }
    }
}

/// What TLS said, if it is anywhere behind an error.
pub fn rustls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    // An I/O error is transparent: the source of what it holds is its own.
    let held = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match held {
        Some(held) => rustls_error(held),
        None => error.source().and_then(rustls_error),
    }
}

/// The stable code for a handshake that failed here.
pub(crate) fn handshake_code(error: &io::Error) -> &'static str {
    match rustls_error(error) {
        Some(error) => rustls_code(error),
        None => "TLS_HANDSHAKE",
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's list of errors is long, open, and mostly not about certificates"
)]
fn rustls_code(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::NoCertificatesPresented => "CERTIFICATE_REQUIRED",
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "CERTIFICATE_EXPIRED"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "CERTIFICATE_NOT_YET_VALID"
            }
            // Another CA may go by the same name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "CERTIFICATE_UNTRUSTED"
            }
            CertificateError::ApplicationVerificationFailure => "CERTIFICATE_NAMELESS",
            _ => "CERTIFICATE_INVALID",
        },
        // The caller does not believe that this is its server.
        rustls::Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::DecryptError
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown,
        ) => "SERVER_UNTRUSTED",
        _ => "TLS_HANDSHAKE",
    }
}
