//! TLS: this server's certificate, whose certificates it believes, and taking new
//! ones while it runs.

pub mod certificate;
mod error;
mod named;
pub mod pem;

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::CertificateDer,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use self::error::handshake_code;
pub use self::error::{TlsError, rustls_error};
use self::named::Named;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Where certificates and keys are, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The server's certificate, and those between it and its CA.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The CAs whose certificates callers may have.
    pub client_ca: PathBuf,
}

impl Files {
    /// As `luzhang cert dev` names them.
    pub fn in_directory(dir: &Path) -> Self {
        Self {
            cert: dir.join("server.crt"),
            key: dir.join("server.key"),
            client_ca: dir.join("ca.crt"),
        }
    }

    fn all(&self) -> [&Path; 3] {
        [&self.cert, &self.key, &self.client_ca]
    }
}

/// What a server needs for TLS. New connections take what was loaded last.
#[derive(Debug)]
pub struct Tls {
    files: Files,
    loaded: RwLock<Loaded>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Debug)]
struct Loaded {
    /// Callers have certificates.
    mutual: Arc<ServerConfig>,
    /// Anybody may call.
    open: Arc<ServerConfig>,
}

/// What tells a file from the one that was there before.
type Seen = [Option<Mark>; 3];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    file: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// If one of them cannot be used.
    pub fn load(files: Files) -> Result<Self, TlsError> {
        let seen = look(&files);
        Ok(Self {
            loaded: RwLock::new(read(&files)?),
            seen: Mutex::new(seen),
            files,
        })
    }

    /// For callers that have to have a certificate, over HTTP/2.
    pub(crate) fn mutual(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.loaded.read().mutual)
    }

    /// For anybody, over HTTP/1.1.
    pub(crate) fn open(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.loaded.read().open)
    }

    /// Reads the files again. If one of them cannot be used, nothing changes.
    ///
    /// # Errors
    /// As [`Tls::load`].
    pub fn reload(&self) -> Result<(), TlsError> {
        // Looked at first: what changes while it is read is read again.
        *self.seen.lock() = look(&self.files);
        let loaded = read(&self.files)?;
        *self.loaded.write() = loaded;
        Ok(())
    }

    /// Reads the files again whenever they change, and on SIGHUP. It does not end.
    ///
    /// # Errors
    /// If the signal cannot be heard.
    pub fn keep_fresh(self: Arc<Self>) -> io::Result<impl Future<Output = ()>> {
        // From here on: a signal that nobody hears ends the process.
        let mut hangup = signal(SignalKind::hangup())?;
        Ok(async move {
            loop {
                let asked = tokio::select! {
                    _ = hangup.recv() => true,
                    () = tokio::time::sleep(EVERY) => false,
                };
                let tls = Arc::clone(&self);
                // A disk may be slow.
                let looked = tokio::task::spawn_blocking(move || tls.refresh(asked)).await;
                if looked.is_err() {
                    tracing::error!("the certificates could not be looked at");
                }
            }
        })
    }

    fn refresh(&self, asked: bool) {
        if !asked && *self.seen.lock() == look(&self.files) {
            return;
        }
        match self.reload() {
            Ok(()) => tracing::info!("new connections use the certificates as they are now"),
            Err(error) => {
                let code = error.code();
                tracing::warn!(code, %error, "the new certificates are not used, the old ones are");
            }
        }
    }
}

fn look(files: &Files) -> Seen {
    files.all().map(|path| {
        let found = fs::metadata(path).ok()?;
        Some(Mark {
            file: (found.dev(), found.ino()),
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    })
}

/// The library that encrypts, here and in clients.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Certificates to believe.
///
/// # Errors
/// If one of them cannot be a CA's.
pub fn roots(
    path: &Path,
    certificates: Vec<CertificateDer<'static>>,
) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| TlsError::Invalid {
            path: path.to_owned(),
            detail: error.to_string(),
        })?;
    }
    Ok(roots)
}

fn read(files: &Files) -> Result<Loaded, TlsError> {
    let chain = pem::certificates(&files.cert)?;
    let key = pem::key(&files.key)?;
    let believed = pem::certificates(&files.client_ca)?;
    let invalid = |path: &Path, detail: String| TlsError::Invalid {
        path: path.to_owned(),
        detail,
    };
    let roots = Arc::new(roots(&files.client_ca, believed)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|error| invalid(&files.client_ca, error.to_string()))?;
    let with = |error| TlsError::of_pair(&files.cert, &files.key, &error);
    let begin = || {
        ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(with)
    };
    let mut mutual = begin()?
        .with_client_cert_verifier(Arc::new(Named(verifier)))
        .with_single_cert(chain.clone(), key.clone_key())
        .map_err(with)?;
    mutual.alpn_protocols = vec![b"h2".to_vec()];
    // Every connection shows its certificate: one that has expired since, or whose CA
    // is no longer believed, does not come back by an old session.
    mutual.session_storage = Arc::new(NoServerSessionStorage {});
    mutual.send_tls13_tickets = 0;
    let mut open = begin()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(with)?;
    open.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Loaded {
        mutual: Arc::new(mutual),
        open: Arc::new(open),
    })
}
