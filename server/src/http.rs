//! Asking other servers over HTTP: witnesses, published tiles, webhooks. Blocking,
//! bounded in time and size.

use std::{fmt, sync::Arc, time::Duration};

use rustls::pki_types::CertificateDer;
use thiserror::Error;
use ureq::{
    Agent, Body,
    http::Response,
    tls::{Certificate, RootCerts, TlsConfig},
};

use crate::tls::rustls_error;

/// Asks other servers.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

/// Whose certificates other servers may have: those of the public CAs, or of these
/// CAs alone.
#[derive(Clone, Default)]
pub struct Believed(Option<Arc<Vec<Certificate<'static>>>>);

impl Believed {
    /// These alone.
    pub fn these(certificates: &[CertificateDer<'_>]) -> Self {
        let owned = |der: &CertificateDer<'_>| Certificate::from_der(der).to_owned();
        Self(Some(Arc::new(certificates.iter().map(owned).collect())))
    }
}

impl fmt::Debug for Believed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("Believed(public)"),
            Some(these) => write!(f, "Believed({})", these.len()),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HttpError {
    /// Nobody answered, or not in time, or not in HTTP.
    #[error("{url} cannot be reached: {detail}")]
    Unreachable {
        /// Who was asked.
        url: String,
        /// What happened.
        detail: String,
    },
    /// Somebody answered whose certificate is not believed.
    #[error("{url} has a certificate that is not believed: {detail}. Name its CA with `--ca`")]
    Untrusted {
        /// Who was asked.
        url: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An answer that says no.
    #[error("{url} answered with status {status}")]
    Status {
        /// Who was asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
}

/// An answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// The most bytes of an answer that are read: more than any tile, note or bundle
/// of entries has.
const MOST: u64 = 256 * 1024;

impl Client {
    /// Waits at most so long for an answer, whole.
    pub fn new(patience: Duration) -> Self {
        Self::believing(patience, Believed::default())
    }

    /// As [`Client::new`], and believes these certificates.
    pub fn believing(patience: Duration, believed: Believed) -> Self {
        let roots = believed.0.map_or(RootCerts::WebPki, RootCerts::Specific);
        let config = Agent::config_builder()
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            .max_redirects(2)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .user_agent(concat!("luzhang/", env!("CARGO_PKG_VERSION")));
        Self {
            agent: config.build().into(),
        }
    }

    /// What is there; `None` if nothing is (404).
    pub fn get(&self, url: &str) -> Result<Option<Vec<u8>>, HttpError> {
        let answer = answer(url, self.agent.get(url).call())?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            status => Err(HttpError::Status {
                url: url.to_owned(),
                status,
            }),
        }
    }

    /// Sends a body and returns the answer, whatever its status.
    pub fn post(&self, url: &str, content_type: &str, body: &[u8]) -> Result<Answer, HttpError> {
        let request = self.agent.post(url).header("content-type", content_type);
        answer(url, request.send(body))
    }
}

fn answer(url: &str, called: Result<Response<Body>, ureq::Error>) -> Result<Answer, HttpError> {
    let unreachable = |error: ureq::Error| match of_tls(&error) {
        Some(rustls::Error::InvalidCertificate(why)) => HttpError::Untrusted {
            url: url.to_owned(),
            detail: why.to_string(),
        },
        Some(_) | None => HttpError::Unreachable {
            url: url.to_owned(),
            detail: error.to_string(),
        },
    };
    let mut response = called.map_err(unreachable)?;
    let body = response.body_mut().with_config().limit(MOST);
    Ok(Answer {
        body: body.read_to_vec().map_err(unreachable)?,
        status: response.status().as_u16(),
    })
}

fn of_tls(error: &ureq::Error) -> Option<&rustls::Error> {
    // It does not say itself what is behind it.
    if let ureq::Error::Io(error) = error {
        return rustls_error(error);
    }
    if let ureq::Error::Rustls(error) = error {
        return Some(error);
    }
    rustls_error(error)
}
