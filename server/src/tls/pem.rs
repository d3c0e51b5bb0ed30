//! Certificates and keys in PEM.

use std::{fs, path::Path};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use super::{TlsError, certificate::Facts};

/// The most bytes of a file that is read as PEM.
const MOST: u64 = 4 * 1024 * 1024;

/// The certificates of a file, one or more.
///
/// # Errors
/// If there is none, or one that is none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = bytes(path)?;
    let invalid = |detail: String| TlsError::Invalid {
        path: path.to_owned(),
        detail,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| invalid(error.to_string()))?;
    if found.is_empty() {
        return Err(invalid("no certificate in PEM".to_owned()));
    }
    for certificate in &found {
        Facts::read(certificate).map_err(|error| invalid(error.to_string()))?;
    }
    Ok(found)
}

/// The private key of a file.
///
/// # Errors
/// If there is none. What is in the file is not said.
pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = bytes(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| TlsError::Invalid {
        path: path.to_owned(),
        detail: "no private key in PEM".to_owned(),
    })
}

fn bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let unreadable = |error| TlsError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > MOST {
        return Err(TlsError::Invalid {
            path: path.to_owned(),
            detail: format!("{size} bytes are too many for certificates"),
        });
    }
    fs::read(path).map(Zeroizing::new).map_err(unreadable)
}
