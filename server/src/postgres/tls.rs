//! TLS to a database: the driver asks for it, rustls speaks it.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use x509_parser::{oid_registry as oid, parse_x509_certificate};

use super::address::{Files, Names};
use crate::tls::{TlsError, certificate::Facts, pem, provider, roots};

/// What a database's name in the TLS protocol is: one that is asked for TLS at once
/// wants to hear it.
const PROTOCOL: &[u8] = b"postgresql";

/// A connection that is encrypted.
#[derive(Clone, Debug)]
pub struct Secured {
    /// The version of TLS.
    pub version: &'static str,
    /// What the database's certificate says.
    pub certificate: Option<Facts>,
}

/// How to encrypt and whom to believe, by the files as they are now.
pub(super) fn client(files: &Files, names: Names) -> Result<ClientConfig, TlsError> {
    let believed = Arc::new(roots(&files.root, pem::certificates(&files.root)?)?);
    let of_root = |detail: String| TlsError::Invalid {
        path: files.root.clone(),
        detail,
    };
    let provider = provider();
    let verifier: Arc<dyn ServerCertVerifier> = match names {
        Names::Checked => {
            WebPkiServerVerifier::builder_with_provider(believed, Arc::clone(&provider))
                .build()
                .map_err(|error| of_root(error.to_string()))?
        }
        Names::Any => Arc::new(AnyName {
            believed,
            algorithms: provider.signature_verification_algorithms,
        }),
    };
    let begun = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| of_root(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut client = match &files.identity {
        None => begun.with_no_client_auth(),
        Some((cert, key)) => begun
            .with_client_auth_cert(pem::certificates(cert)?, pem::key(key)?)
            .map_err(|error| TlsError::of_pair(cert, key, &error))?,
    };
    client.alpn_protocols = vec![PROTOCOL.to_vec()];
    // Each connection is proven anew.
    client.resumption = Resumption::disabled();
    Ok(client)
}

/// Believes certificates by a CA, whatever name they have.
#[derive(Debug)]
struct AnyName {
    believed: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &self.believed,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What the driver asks for TLS: of one connection, of which is noted what became of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Connector {
    client: Option<Arc<ClientConfig>>,
    host: String,
    secured: Arc<OnceLock<Secured>>,
}

impl Connector {
    /// Without a client there is no TLS.
    pub(super) fn new(client: Option<Arc<ClientConfig>>) -> Self {
        Self {
            client,
            ..Self::default()
        }
    }

    /// How the connection is encrypted, if it is.
    pub(super) fn secured(&self) -> Option<Secured> {
        self.secured.get().cloned()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Connector {
    type Stream = Encrypted<S>;
    type TlsConnect = Self;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Self> {
        // Of a socket too, for which TLS is not asked then.
        Ok(Self {
            host: host.to_owned(),
            ..self.clone()
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Connector {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let client = self
                .client
                .ok_or_else(|| io::Error::other("no TLS was asked for"))?;
            let name = ServerName::try_from(self.host)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let stream = TlsConnector::from(client).connect(name, stream).await?;
            let encrypted = Encrypted(stream);
            let _first = self.secured.set(Secured {
                version: encrypted.version(),
                certificate: encrypted.shown().and_then(|der| Facts::read(der).ok()),
            });
            Ok(encrypted)
        })
    }
}

/// An encrypted connection.
#[derive(Debug)]
pub(super) struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

impl<S> Encrypted<S> {
    fn version(&self) -> &'static str {
        match self.0.get_ref().1.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS",
        }
    }

    /// The database's certificate.
    fn shown(&self) -> Option<&CertificateDer<'static>> {
        self.0.get_ref().1.peer_certificates()?.first()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        let bound = self.shown().and_then(|der| end_point(der));
        bound.map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// The hash by which a password is bound to a certificate (`tls-server-end-point`, RFC
/// 5929): by the function with which the certificate is signed, where that is clear; MD5
/// and SHA-1 count as SHA-256.
fn end_point(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    let signed = &certificate.signature_algorithm.algorithm;
    let with = |list: &[&oid::Oid<'_>]| list.contains(&signed);
    if with(&[
        &oid::OID_PKCS1_SHA256WITHRSA,
        &oid::OID_SIG_ECDSA_WITH_SHA256,
        &oid::OID_PKCS1_SHA1WITHRSA,
        &oid::OID_PKCS1_MD5WITHRSAENC,
    ]) {
        Some(Sha256::digest(der).to_vec())
    } else if with(&[
        &oid::OID_PKCS1_SHA384WITHRSA,
        &oid::OID_SIG_ECDSA_WITH_SHA384,
    ]) {
        Some(Sha384::digest(der).to_vec())
    } else if with(&[
        &oid::OID_PKCS1_SHA512WITHRSA,
        &oid::OID_SIG_ECDSA_WITH_SHA512,
    ]) {
        Some(Sha512::digest(der).to_vec())
    } else {
        None
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
