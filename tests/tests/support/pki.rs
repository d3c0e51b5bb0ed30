//! Certificates, as `luzhang cert dev` makes them and as nobody should, and servers
//! that use them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use luzhang_ledger::{
    access::{Mandate, Role, Roles},
    text::Principal,
};
use luzhang_server::{
    Engine, Options,
    tls::{self, pem},
};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::ClientConfig;
use tempfile::TempDir;

use super::{Grpc, Server, Target, run};

/// A directory of `luzhang cert dev`.
#[derive(Debug)]
pub(crate) struct Pki {
    dir: TempDir,
}

/// A certificate to be made by the CA of a [`Pki`].
#[derive(Debug)]
pub(crate) struct Signed {
    /// The file's name.
    pub(crate) file: &'static str,
    /// The subject's common names.
    pub(crate) names: &'static [&'static str],
    /// URIs among its alternative names.
    pub(crate) uris: &'static [&'static str],
    /// Valid from then on, in seconds from now.
    pub(crate) from: i64,
    /// And until then.
    pub(crate) until: i64,
    /// For a server, else for a client.
    pub(crate) server: bool,
}

impl Default for Signed {
    fn default() -> Self {
        Self {
            file: "odd",
            names: &["odd"],
            uris: &[],
            from: -60,
            until: 3_600,
            server: false,
        }
    }
}

impl Pki {
    /// With a certificate for each of these accounts.
    pub(crate) fn new(accounts: &[&str]) -> Self {
        let pki = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        pki.add(accounts);
        pki
    }

    /// Certificates for more accounts.
    pub(crate) fn add(&self, accounts: &[&str]) {
        let mut arguments = vec!["cert", "dev", self.path()];
        arguments.extend(accounts.iter().flat_map(|account| ["--principal", account]));
        run(arguments).ended(0);
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self) -> &str {
        self.dir().to_str().unwrap()
    }

    /// What `--identity` is given.
    pub(crate) fn identity(&self, account: &str) -> PathBuf {
        self.dir().join(account)
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.dir().join("ca.crt")
    }

    /// How a client shows a certificate, and believes this CA's servers.
    pub(crate) fn client(&self, identity: &Path) -> ClientConfig {
        let believed = pem::certificates(&self.ca()).unwrap();
        let chain = pem::certificates(&identity.with_extension("crt")).unwrap();
        let key = pem::key(&identity.with_extension("key")).unwrap();
        let mut config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(tls::roots(&self.ca(), believed).unwrap())
            .with_client_auth_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    /// Has the CA sign something; the result is what `--identity` is given.
    pub(crate) fn sign(&self, wanted: &Signed) -> PathBuf {
        let read = |name| fs::read_to_string(self.dir().join(name)).unwrap();
        let key = KeyPair::from_pem(&read("ca.key")).unwrap();
        let issuer = Issuer::from_ca_cert_pem(&read("ca.crt"), key).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for name in wanted.names {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        let uris = wanted.uris.iter();
        let uris = uris.map(|uri| SanType::URI((*uri).try_into().unwrap()));
        params.subject_alt_names = uris.collect();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = if wanted.server {
            let here = "127.0.0.1".parse().unwrap();
            params.subject_alt_names.push(SanType::IpAddress(here));
            vec![ExtendedKeyUsagePurpose::ServerAuth]
        } else {
            vec![ExtendedKeyUsagePurpose::ClientAuth]
        };
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let at = |offset| Duration::from_secs(now.checked_add_signed(offset).unwrap());
        params.not_before = date_time_ymd(1970, 1, 1) + at(wanted.from);
        params.not_after = date_time_ymd(1970, 1, 1) + at(wanted.until);
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &issuer).unwrap();
        let prefix = self.identity(wanted.file);
        fs::write(prefix.with_extension("crt"), cert.pem()).unwrap();
        fs::write(prefix.with_extension("key"), key.serialize_pem()).unwrap();
        prefix
    }
}

/// Gives two administrators and these accounts mandates, in a ledger that has none:
/// the accounts for everything but giving mandates.
pub(crate) fn govern(dir: &Path, accounts: &[&str]) {
    let engine = Engine::open(dir, Options::default(), |_, _| {}).unwrap();
    if !engine.access().is_governed() {
        let administrator = Roles::of(&[Role::Administrator]);
        let others = Role::ALL.into_iter();
        let others: Roles = others.filter(|r| *r != Role::Administrator).collect();
        let mandate =
            |name: &str, roles| Mandate::of_everything(Principal::new(name).unwrap(), roles);
        let administrators = ["administrator", "administrator-2"];
        let administrators = administrators.map(|name| mandate(name, administrator));
        let accounts = accounts.iter().map(|name| mandate(name, others));
        let mandates = administrators.into_iter().chain(accounts).collect();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(engine.found(mandates)).unwrap();
    }
    engine.close();
}

/// A server with TLS, and the certificates for it.
#[derive(Debug)]
pub(crate) struct SecureServer {
    pub(crate) server: Server,
    pub(crate) pki: Pki,
}

impl SecureServer {
    /// With a certificate for each of these accounts.
    pub(crate) fn start(dir: &Path, accounts: &[&str], arguments: &[&str]) -> Self {
        let pki = Pki::new(accounts);
        govern(dir, accounts);
        let mut all = vec!["--tls", pki.path()];
        all.extend(arguments);
        Self {
            server: Server::with(dir, all, "warn"),
            pki,
        }
    }

    /// Asks as this account.
    pub(crate) fn target(&self, account: &str) -> Target {
        self.server.target().identified(&self.pki.identity(account))
    }

    /// The services, for this account.
    pub(crate) async fn grpc(&self, account: &str) -> Grpc {
        let config = self.pki.client(&self.pki.identity(account));
        Grpc::secure(self.server.url(), config).await
    }
}
