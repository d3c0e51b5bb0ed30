//! Connecting to a server, and saying in words why that failed.
//!
//! Since TLS 1.3 a server's no to a certificate comes after the client has begun to
//! speak, as an alert in place of the first answer. So a connection counts as made
//! when the first answer is there.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use luzhang_server::tls::{self, certificate::Facts, pem, rustls_error};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, RootCertStore, pki_types::ServerName,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::{
    client::Remote,
    failure::{Failure, exit},
};

/// How long a server may take to be reached, and again to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How a TLS record begins that says what is wrong: TLS to somebody who does not
/// speak it.
///
/// Source: RFC 8446, 5.1.
const ALERT: [u8; 2] = [21, 3];

/// How often a server that has not answered yet is asked whether it is still there. It
/// has [`PATIENCE`] to say so: a machine without power says nothing.
const SILENCE: Duration = Duration::from_secs(5);

/// Makes connections to one server.
pub(crate) struct Dialer {
    endpoint: Endpoint,
    url: String,
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    shown: Option<Shown>,
}

/// The certificate that is shown.
struct Shown {
    path: PathBuf,
    facts: Option<Facts>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dialer").field(&self.url).finish()
    }
}

impl Dialer {
    /// Reads the files of certificates, if the address is one of TLS.
    pub(crate) fn new(remote: &Remote) -> Result<Arc<Self>, Failure> {
        let url = remote.url.clone();
        let wrong = || {
            unreachable(
                format!(
                    "{url} 不是服务地址，应是 luzhang serve 所印的地址，如 http://127.0.0.1:7380 或 https://主机:7380"
                ),
                format!(
                    "{url} is not a server's address: it is the one that luzhang serve prints, such \
                     as http://127.0.0.1:7380 or https://HOST:7380"
                ),
            )
        };
        let endpoint = Endpoint::from_shared(url.clone()).map_err(|_| wrong())?;
        let endpoint = endpoint
            .http2_keep_alive_interval(SILENCE)
            .keep_alive_timeout(PATIENCE);
        let uri = endpoint.uri();
        let host = uri.host().ok_or_else(wrong)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(wrong()),
        };
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let mut dialer = Self {
            url: url.clone(),
            host,
            port,
            tls: None,
            shown: None,
            endpoint,
        };
        if secure {
            let name = ServerName::try_from(dialer.host.clone()).map_err(|_| wrong())?;
            let (config, shown) = config(remote)?;
            dialer.tls = Some((TlsConnector::from(Arc::new(config)), name));
            dialer.shown = shown;
        }
        Ok(Arc::new(dialer))
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A channel to the server, which has answered. Each step may take so long.
    pub(crate) async fn connect(self: &Arc<Self>, within: Duration) -> Result<Channel, Failure> {
        let (stream, heard) = self.dial(within).await?;
        let ready = Mutex::new(Some(stream));
        let again = Arc::clone(self);
        let connector = service_fn(move |_| {
            let ready = ready.lock().ok().and_then(|mut ready| ready.take());
            let dialer = Arc::clone(&again);
            async move {
                match ready {
                    Some(stream) => Ok(TokioIo::new(stream)),
                    None => dialer
                        .dial(within)
                        .await
                        .map(|(stream, _)| TokioIo::new(stream)),
                }
            }
        });
        let connected = self.endpoint.connect_with_connector(connector).await;
        // What went wrong, it went wrong before the answer was heard.
        match timeout(within, heard).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => return Err(self.failure(&error)),
            // It was given up before anything came.
            Ok(Err(_)) => {
                let error = io::Error::from(io::ErrorKind::ConnectionAborted);
                return Err(
                    connected.map_or_else(|error| self.failure(&error), |_| self.failure(&error))
                );
            }
            Err(_) => {
                let error = io::Error::from(io::ErrorKind::TimedOut);
                return Err(self.failure(&error));
            }
        }
        connected.map_err(|error| self.failure(&error))
    }

    /// A connection, and its first answer to come.
    async fn dial(&self, within: Duration) -> Result<(Listening, Heard), Failure> {
        let reached = TcpStream::connect((self.host.as_str(), self.port));
        let stream = match timeout(within, reached).await {
            Ok(stream) => stream,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        let stream = stream
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|error| self.failure(&error))?;
        let stream: Box<dyn Transport> = match &self.tls {
            None => Box::new(stream),
            Some((connector, name)) => {
                let handshake = connector.connect(name.clone(), stream);
                let done = match timeout(within, handshake).await {
                    Ok(done) => done,
                    Err(_) => Err(io::ErrorKind::TimedOut.into()),
                };
                Box::new(done.map_err(|error| self.failure(&error))?)
            }
        };
        let (send, heard) = oneshot::channel();
        let listening = Listening {
            stream,
            first: Some(send),
        };
        Ok((listening, heard))
    }

    /// Why nothing came of a connection.
    pub(crate) fn failure(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        match rustls_error(error) {
            Some(rustls::Error::AlertReceived(alert)) => self.refused(*alert),
            Some(rustls::Error::InvalidCertificate(why)) => self.disbelieved(why),
            Some(other) => self.unexplained(other),
            None if error.is::<SpeaksTls>() || has_source::<SpeaksTls>(error) => self.speaks_tls(),
            None => self.unreachable(error),
        }
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        let url = &self.url;
        let cause = error
            .source()
            .map_or_else(String::new, |cause| format!(": {cause}"));
        unreachable(
            format!("无法连接 {url}：{error}{cause}。服务是否已启动（luzhang serve）？"),
            format!("cannot reach {url}: {error}{cause}. Is the server running (luzhang serve)?"),
        )
    }

    /// The server did not take our certificate.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the list of alerts is long and open; those about certificates are few"
    )]
    fn refused(&self, alert: AlertDescription) -> Failure {
        let url = &self.url;
        let shown = |zh: bool| self.shown.as_ref().map_or_else(String::new, |s| s.text(zh));
        let (own_zh, own_en) = (shown(true), shown(false));
        match alert {
            AlertDescription::CertificateExpired => {
                let early = self.shown.as_ref().is_some_and(Shown::is_early);
                let code = if early {
                    "CERTIFICATE_NOT_YET_VALID"
                } else {
                    "CERTIFICATE_EXPIRED"
                };
                denied(
                    code,
                    format!(
                        "{url} 不接受本方证书：已过期或尚未生效（以服务器的时钟为准）。{own_zh}。请换发证书"
                    ),
                    format!(
                        "{url} does not take this certificate: by the server's clock it has \
                         expired, or is not valid yet. {own_en}. Have another one made"
                    ),
                )
            }
            AlertDescription::UnknownCA | AlertDescription::DecryptError => denied(
                "CERTIFICATE_UNTRUSTED",
                format!(
                    "{url} 不承认签发本方证书的机构。{own_zh}。请使用该服务认可的 CA 签发的证书"
                ),
                format!(
                    "{url} does not know the CA of this certificate. {own_en}. Use one by a CA \
                     that the server believes"
                ),
            ),
            AlertDescription::CertificateRequired => self.required(),
            AlertDescription::HandshakeFailure if self.shown.is_none() => self.required(),
            AlertDescription::AccessDenied => denied(
                "CERTIFICATE_NAMELESS",
                format!(
                    "{url} 从本方证书中看不出是哪个账户：应有一个 urn:luzhang:principal: 备用名称，或者一个通用名称（CN）。{own_zh}"
                ),
                format!(
                    "{url} cannot tell which account this certificate is of: it needs one \
                     alternative name `urn:luzhang:principal:NAME`, or one common name. {own_en}"
                ),
            ),
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown => denied(
                "CERTIFICATE_INVALID",
                format!("{url} 不接受本方证书（{alert:?}）。{own_zh}。证书须可用于客户端认证"),
                format!(
                    "{url} does not take this certificate ({alert:?}). {own_en}. It has to be one \
                     for client authentication"
                ),
            ),
            other => self.unexplained(&rustls::Error::AlertReceived(other)),
        }
    }

    fn required(&self) -> Failure {
        let url = &self.url;
        denied(
            "CERTIFICATE_REQUIRED",
            format!("{url} 要求出示证书：请用 --identity 前缀（或 LUZHANG_IDENTITY）指明证书"),
            format!(
                "{url} asks for a certificate: name yours with `--identity PREFIX` (or \
                 LUZHANG_IDENTITY)"
            ),
        )
    }

    /// We do not take the server's certificate.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's list is long and open; all others are one to a reader"
    )]
    fn disbelieved(&self, why: &CertificateError) -> Failure {
        let (url, host) = (&self.url, &self.host);
        match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => denied(
                "CERTIFICATE_EXPIRED",
                format!("{url} 的服务器证书已过期（{why}）。请告知管理服务的人换发证书"),
                format!(
                    "the certificate of {url} has expired ({why}). Tell those who run the server \
                     to have another one made"
                ),
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => denied(
                "CERTIFICATE_NOT_YET_VALID",
                format!("{url} 的服务器证书尚未生效（{why}）。请核对本机时钟"),
                format!(
                    "the certificate of {url} is not valid yet ({why}). Check this machine's clock"
                ),
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                denied(
                    "SERVER_NAME_MISMATCH",
                    format!("{url} 的证书不属于 {host}：{why}。请用证书上的名称连接，或者重新签发"),
                    format!(
                        "the certificate of {url} is not for {host}: {why}. Connect by a name that \
                         it has, or have it made anew"
                    ),
                )
            }
            other => denied(
                "SERVER_UNTRUSTED",
                format!(
                    "{url} 的证书不可信（{other}）：请用 --ca 文件（或 LUZHANG_CA）指明签发它的 CA 的证书"
                ),
                format!(
                    "the certificate of {url} is not believed ({other}): name the certificate of \
                     its CA with `--ca FILE` (or LUZHANG_CA)"
                ),
            ),
        }
    }

    fn unexplained(&self, error: &rustls::Error) -> Failure {
        let url = &self.url;
        Failure {
            exit: exit::UNKNOWN,
            ..Failure::new(
                "TLS_HANDSHAKE",
                format!("与 {url} 的 TLS 连接没有建立：{error}。该端口是否启用了 TLS？"),
                format!("no TLS with {url}: {error}. Does that port speak TLS?"),
            )
        }
    }

    fn speaks_tls(&self) -> Failure {
        let url = &self.url;
        denied(
            "TLS_REQUIRED",
            format!("{url} 只接受 TLS 连接：请改用 https:// 地址，并用 --identity 出示证书"),
            format!(
                "{url} speaks TLS only: write https:// and show a certificate with `--identity`"
            ),
        )
    }
}

/// Whether any of the errors behind this one is of a kind.
pub(crate) fn has_source<E: std::error::Error + 'static>(
    error: &(dyn std::error::Error + 'static),
) -> bool {
    let held = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    if let Some(held) = held {
        return held.is::<E>() || has_source::<E>(held);
    }
    error
        .source()
        .is_some_and(|source| source.is::<E>() || has_source::<E>(source))
}

fn unreachable(zh: String, en: String) -> Failure {
    Failure {
        exit: exit::UNKNOWN,
        ..Failure::new("SERVER_UNREACHABLE", zh, en)
    }
}

fn denied(code: &'static str, zh: String, en: String) -> Failure {
    Failure {
        exit: exit::NOT_PERMITTED,
        ..Failure::new(code, zh, en)
    }
}

impl Shown {
    fn is_early(&self) -> bool {
        let facts = self.facts.as_ref();
        facts.is_some_and(|facts| facts.not_before > Timestamp::now())
    }

    fn text(&self, zh: bool) -> String {
        let path = self.path.display();
        let Some(facts) = &self.facts else {
            return path.to_string();
        };
        let whose = facts.principal.as_ref().map_or("?", |name| name.as_str());
        let (from, until) = (facts.not_before, facts.not_after);
        if zh {
            format!("{path} 属于 {whose}，有效期 {from} 至 {until}")
        } else {
            format!("{path} is that of {whose}, valid from {from} until {until}")
        }
    }
}

/// What is believed and shown.
fn config(remote: &Remote) -> Result<(ClientConfig, Option<Shown>), Failure> {
    let roots = match &remote.ca {
        None => RootCertStore::empty(),
        Some(file) => tls::roots(file, pem::certificates(file)?)?,
    };
    let begun = ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::from(anyhow::Error::from(error)))?
        .with_root_certificates(roots);
    let (mut config, shown) = match &remote.identity {
        None => (begun.with_no_client_auth(), None),
        Some(prefix) => {
            let (cert, key) = identity_files(prefix);
            let chain = pem::certificates(&cert)?;
            let facts = chain.first().and_then(|first| Facts::read(first).ok());
            let config = begun
                .with_client_auth_cert(chain, pem::key(&key)?)
                .map_err(|error| tls::TlsError::of_pair(&cert, &key, &error))?;
            (config, Some(Shown { path: cert, facts }))
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok((config, shown))
}

/// `PREFIX.crt` and `PREFIX.key`. Who names one of the two, means both.
pub(crate) fn identity_files(prefix: &Path) -> (PathBuf, PathBuf) {
    let stem = match prefix.extension().and_then(|ending| ending.to_str()) {
        Some("crt" | "key") => prefix.with_extension(""),
        Some(_) | None => prefix.to_owned(),
    };
    let with = |ending: &str| {
        let mut path = stem.clone().into_os_string();
        path.push(ending);
        PathBuf::from(path)
    };
    (with(".crt"), with(".key"))
}

/// Bytes in both directions.
trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Comes when the first answer does, or instead of it.
type Heard = oneshot::Receiver<io::Result<()>>;

/// A connection that tells of its first answer.
struct Listening {
    stream: Box<dyn Transport>,
    first: Option<oneshot::Sender<io::Result<()>>>,
}

/// A server answered in TLS to somebody who did not speak it.
#[derive(Debug)]
struct SpeaksTls;

impl fmt::Display for SpeaksTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server speaks TLS")
    }
}

impl std::error::Error for SpeaksTls {}

impl AsyncRead for Listening {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Poll::Ready(ready) = &read else {
            return read;
        };
        let Some(first) = self.first.take() else {
            return read;
        };
        let new = buffer.filled().get(before..).unwrap_or_default();
        let told = match ready {
            // What is behind an I/O error can be told once; here is where it counts.
            Err(error) => match rustls_error(error) {
                Some(tls) => Err(io::Error::new(error.kind(), tls.clone())),
                None => Err(error.kind().into()),
            },
            Ok(()) if new.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(()) if new.starts_with(&ALERT) => Err(io::Error::other(SpeaksTls)),
            Ok(()) => Ok(()),
        };
        // Of later connections nobody waits for the first answer.
        let _waited_for = first.send(told);
        read
    }
}

impl AsyncWrite for Listening {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
