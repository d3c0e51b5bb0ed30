//! `luzhang cert`: make certificates for trying out, and see when they expire.

use std::{fs, path::Path, sync::Arc};

use jiff::Timestamp;
use luzhang_ledger::text::Principal;
use luzhang_server::tls::{self, certificate::Facts, pem};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use serde_json::{Map, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{
    args::{
        Global,
        cert::{CertCommand, DevArgs},
    },
    dev,
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
    transport::{self, PATIENCE},
};

/// From then on it is said that a certificate expires soon.
const SOON_DAYS: i64 = 30;
const DAY_SECONDS: i64 = 24 * 60 * 60;

pub(crate) async fn run(global: &Global, command: &CertCommand) -> Result<u8, Failure> {
    match command {
        CertCommand::Dev(args) => make(global, args),
        CertCommand::Show { of } => show(global, of.as_deref()).await,
    }
}

fn make(global: &Global, args: &DevArgs) -> Result<u8, Failure> {
    let names = args.principals.iter().map(|name| {
        Principal::new(name.as_str()).map_err(|error| {
            Failure::usage(
                format!("账户名“{}”不可用，最多 64 个字符", name.escape_debug()),
                format!("`{}` is no account's name: {error}", name.escape_debug()),
            )
        })
    });
    let principals: Vec<Principal> = names.collect::<Result<_, _>>()?;
    let made = dev::make(&args.dir, &principals, &args.hosts, args.days)?;
    match (global.output, global.lang()) {
        (Format::Json | Format::Ndjson, _) => {
            let shown = |path: &std::path::PathBuf| path.display().to_string();
            let document = json!({
                "schema_version": 1,
                "ca": shown(&made.ca),
                "files": made.files.iter().map(shown).collect::<Vec<_>>(),
            });
            output::line(&document.to_string())?;
        }
        (Format::Table | Format::Csv, lang) => {
            for file in &made.files {
                output::line(&file.display().to_string())?;
            }
            crate::output::note!(
                "{}",
                lang.pick(
                    "谁持有 ca.key，谁就能冒充任何账户：正式使用请用单位自己的 CA",
                    "whoever has ca.key can be any account: for real use take the bureau's own CA"
                )
            );
        }
    }
    Ok(exit::OK)
}

/// A certificate, and where it was found.
pub(super) struct Found {
    pub(super) place: String,
    pub(super) facts: Facts,
}

/// How much longer a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Valid,
    Soon,
    Expired,
    Early,
}

impl Standing {
    pub(super) fn of(facts: &Facts, now: Timestamp) -> Self {
        if facts.not_after < now {
            Self::Expired
        } else if now < facts.not_before {
            Self::Early
        } else if days_left(facts, now) < SOON_DAYS {
            Self::Soon
        } else {
            Self::Valid
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Soon => "expires_soon",
            Self::Expired => "expired",
            Self::Early => "not_yet_valid",
        }
    }

    fn words(self, lang: Lang) -> &'static str {
        match self {
            Self::Valid => lang.pick("有效", "valid"),
            Self::Soon => lang.pick("即将过期", "expires soon"),
            Self::Expired => lang.pick("已过期", "EXPIRED"),
            Self::Early => lang.pick("尚未生效", "not yet valid"),
        }
    }
}

/// Whole days; negative when it has expired.
pub(super) fn days_left(facts: &Facts, now: Timestamp) -> i64 {
    let seconds = facts.not_after.as_second().saturating_sub(now.as_second());
    seconds.div_euclid(DAY_SECONDS)
}

async fn show(global: &Global, of: Option<&str>) -> Result<u8, Failure> {
    let own = || {
        let prefix = global.identity.as_deref()?;
        Some(transport::identity_files(prefix).0)
    };
    let found = match of {
        Some(url) if url.starts_with("https://") => of_server(url).await?,
        Some(path) => of_path(Path::new(path))?,
        None => of_path(&own().ok_or_else(|| {
            Failure::usage(
                "请给出证书文件、目录或 https:// 地址，或者用 --identity 指明证书",
                "name a file, a directory or an https:// address, or use --identity",
            )
        })?)?,
    };
    let now = Timestamp::now();
    let lang = global.lang();
    let table = global.output == Format::Table;
    let row = |Found { place, facts }: &Found| {
        let standing = Standing::of(facts, now);
        let principal = facts.principal.as_ref().filter(|_| facts.identifies);
        vec![
            place.clone(),
            principal.map_or_else(String::new, ToString::to_string),
            facts.subject.clone(),
            facts.issuer.clone(),
            facts.credential.to_string(),
            facts.not_before.to_string(),
            facts.not_after.to_string(),
            days_left(facts, now).to_string(),
            if table {
                standing.words(lang).to_owned()
            } else {
                standing.name().to_owned()
            },
        ]
    };
    let columns = [
        "place",
        "principal",
        "subject",
        "issuer",
        "credential",
        "not_before",
        "not_after",
        "days_left",
        "state",
    ];
    let rows = found.iter().map(row).collect();
    output::sheet(&columns, &["days_left"], rows).print(global.output, Map::new())?;
    let expired = |found: &Found| Standing::of(&found.facts, now) == Standing::Expired;
    if found.iter().any(expired) {
        return Ok(exit::ERROR);
    }
    Ok(exit::OK)
}

/// Of a file, or of all `*.crt` of a directory.
fn of_path(path: &Path) -> Result<Vec<Found>, Failure> {
    let unreadable = |error: std::io::Error| Failure::file(path, &error);
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.extension().is_some_and(|ending| ending == "crt") {
                files.push(file);
            }
        }
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut found = Vec::new();
    for file in files {
        let certificates = pem::certificates(&file)?;
        found.extend(read(&file.display().to_string(), &certificates));
    }
    if found.is_empty() {
        let nothing = "no certificate (*.crt) in it";
        return Err(Failure::file(path, &nothing));
    }
    Ok(found)
}

fn read(place: &str, certificates: &[CertificateDer<'_>]) -> Vec<Found> {
    let facts = certificates.iter().filter_map(|der| Facts::read(der).ok());
    facts
        .map(|facts| Found {
            place: place.to_owned(),
            facts,
        })
        .collect()
}

/// What a server shows to anybody, whether it can be believed or not.
pub(super) async fn of_server(url: &str) -> Result<Vec<Found>, Failure> {
    let unreachable = |error: &dyn std::fmt::Display| Failure {
        exit: exit::UNKNOWN,
        ..Failure::new(
            "SERVER_UNREACHABLE",
            format!("无法读取 {url} 的证书：{error}"),
            format!("the certificate of {url} cannot be read: {error}"),
        )
    };
    let uri: tonic::codegen::http::Uri = url.parse().map_err(|error| unreachable(&error))?;
    let host = uri.host().unwrap_or_default();
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let name = ServerName::try_from(host.clone()).map_err(|error| unreachable(&error))?;
    let provider = tls::provider();
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unreachable(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    let port = uri.port_u16().unwrap_or(443);
    let handshake = async {
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    };
    let stream = timeout(PATIENCE, handshake)
        .await
        .map_err(|error| unreachable(&error))?
        .map_err(|error| unreachable(&error))?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    Ok(read(url, chain))
}

/// Believes any certificate whose key the server has: it is only looked at, and
/// nothing is said over such a connection.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
