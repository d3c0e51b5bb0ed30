//! A CA of one's own, for trying out, and certificates by it.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::Write as _,
    net::IpAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use luzhang_ledger::{access::Credential, text::Principal};
use luzhang_server::tls::{Files, certificate};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData as _, SanType, date_time_ymd,
};

use crate::failure::{Failure, exit};

/// For how many days certificates are valid, if nothing else is said.
pub(crate) const DAYS: u32 = 365;
/// For how long the CA is there.
const CA_DAYS: u32 = 3_650;
const DAY: Duration = Duration::from_hours(24);
/// Clocks of other machines may be behind.
const BEFORE: Duration = Duration::from_hours(1);
/// Files that are not an account's.
const OWN: [&str; 2] = ["ca", "server"];

/// What was made, and what was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// The new files.
    pub(crate) files: Vec<PathBuf>,
    /// The CA's certificate.
    pub(crate) ca: PathBuf,
}

/// Makes what is missing of a CA and a server's certificate in `dir`, and a
/// certificate for each account. Nothing is written if a file of these is there.
pub(crate) fn make(
    dir: &Path,
    principals: &[Principal],
    hosts: &[String],
    days: u32,
) -> Result<Made, Failure> {
    let Files {
        cert,
        key,
        client_ca,
    } = Files::in_directory(dir);
    let server = Pair { cert, key };
    let ca = Pair {
        key: dir.join("ca.key"),
        cert: client_ca,
    };
    let accounts = principals.iter().map(|principal| {
        let name = file_name(principal)?;
        let at = |ending: &str| dir.join(format!("{name}.{ending}"));
        let pair = Pair {
            cert: at("crt"),
            key: at("key"),
        };
        Ok((principal, pair))
    });
    let accounts: Vec<(&Principal, Pair)> = accounts.collect::<Result<_, Failure>>()?;
    let wants_server = !server.is_there() || !hosts.is_empty() || accounts.is_empty();
    let wanted = accounts.iter().map(|(_, pair)| pair);
    for pair in wanted.chain(wants_server.then_some(&server)) {
        pair.must_be_free()?;
    }
    let names = host_names(hosts)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| Failure::file(dir, &error))?;
    let mut files = Vec::new();
    let issuer = if ca.is_there() {
        read_ca(&ca)?
    } else {
        make_ca(&ca, &mut files)?
    };
    if wants_server {
        let mut params = leaf("luzhang server", ExtendedKeyUsagePurpose::ServerAuth, days)?;
        params.subject_alt_names = names;
        server.make(&params, &issuer, &mut files)?;
    }
    for (principal, pair) in &accounts {
        let client = ExtendedKeyUsagePurpose::ClientAuth;
        let mut params = leaf(principal.as_str(), client, days)?;
        let urn = certificate::urn(principal).try_into().map_err(unmade)?;
        params.subject_alt_names = vec![SanType::URI(urn)];
        pair.make(&params, &issuer, &mut files)?;
    }
    Ok(Made { files, ca: ca.cert })
}

/// An account's name that can be a file's.
fn file_name(principal: &Principal) -> Result<&str, Failure> {
    let name = principal.as_str();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    let begins_well = name.starts_with(|c: char| c.is_alphanumeric());
    let own = OWN.iter().any(|own| name.eq_ignore_ascii_case(own));
    if name.chars().all(plain) && begins_well && !own && *principal != Principal::ledger() {
        return Ok(name);
    }
    let shown = name.escape_debug();
    Err(Failure {
        exit: exit::USAGE,
        ..Failure::new(
            "CERTIFICATE_NAME",
            format!(
                "“{shown}”不能用作证书的账户名：只能用文字、数字和 - _ . @，以文字或数字开头，不能是 ca、server 或 luzhang"
            ),
            format!(
                "`{shown}` cannot be an account's name in a certificate: letters, digits and \
                 `-_.@`, beginning with a letter or digit, and none of ca, server, luzhang"
            ),
        )
    })
}

fn host_names(more: &[String]) -> Result<Vec<SanType>, Failure> {
    let always = ["localhost", "127.0.0.1", "::1"];
    let names = always.into_iter().chain(more.iter().map(String::as_str));
    let name = |text: &str| -> Result<SanType, Failure> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(SanType::IpAddress(address));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        let name = text.to_owned().try_into().ok();
        let name = name.filter(|_| !text.is_empty() && text.chars().all(plain));
        name.map(SanType::DnsName).ok_or_else(|| {
            Failure::usage(
                "--host 应为主机名或 IP 地址",
                "--host is the name of a host or an IP address",
            )
        })
    };
    names.map(name).collect()
}

/// A certificate and its key.
#[derive(Debug)]
struct Pair {
    cert: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn is_there(&self) -> bool {
        self.cert.exists() || self.key.exists()
    }

    fn must_be_free(&self) -> Result<(), Failure> {
        for path in [&self.cert, &self.key] {
            if path.symlink_metadata().is_ok() {
                return Err(exists(path));
            }
        }
        Ok(())
    }

    fn make(
        &self,
        params: &CertificateParams,
        issuer: &Issuer<'_, KeyPair>,
        files: &mut Vec<PathBuf>,
    ) -> Result<(), Failure> {
        let key = new_key()?;
        let cert = params.signed_by(&key, issuer).map_err(unmade)?;
        self.write(&key, &cert.pem(), files)
    }

    fn write(&self, key: &KeyPair, cert: &str, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
        write(&self.key, 0o600, &key.serialize_pem())?;
        write(&self.cert, 0o644, cert)?;
        files.extend([self.cert.clone(), self.key.clone()]);
        Ok(())
    }
}

fn write(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return exists(path);
        }
        Failure::file(path, &error)
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)
}

fn exists(path: &Path) -> Failure {
    let shown = path.display();
    Failure {
        exit: exit::CONFLICT,
        ..Failure::new(
            "CERTIFICATE_EXISTS",
            format!("{shown} 已存在，未作任何改动；要换新证书，请先移走 .crt 和 .key 两个文件"),
            format!(
                "{shown} is there already and nothing was changed: to make another, move its .crt \
                 and its .key away first"
            ),
        )
    }
}

fn make_ca(ca: &Pair, files: &mut Vec<PathBuf>) -> Result<Issuer<'static, KeyPair>, Failure> {
    let key = new_key()?;
    // Two CAs by one name would be taken for each other until a signature fails.
    let known = Credential::of_key_info(&key.subject_public_key_info()).to_string();
    let mark = known.get(..8).unwrap_or_default();
    let mut params = named(&format!("luzhang dev CA {mark}"), CA_DAYS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let cert = params.self_signed(&key).map_err(unmade)?;
    ca.write(&key, &cert.pem(), files)?;
    Ok(Issuer::new(params, key))
}

fn read_ca(ca: &Pair) -> Result<Issuer<'static, KeyPair>, Failure> {
    let read = |path: &Path| {
        let text = fs::read_to_string(path);
        text.map_err(|error| Failure::file(path, &error))
    };
    let invalid = |path: &Path, error: rcgen::Error| {
        Failure::from(luzhang_server::tls::TlsError::Invalid {
            path: path.to_owned(),
            detail: error.to_string(),
        })
    };
    let key = KeyPair::from_pem(&read(&ca.key)?).map_err(|error| invalid(&ca.key, error))?;
    let cert = read(&ca.cert)?;
    Issuer::from_ca_cert_pem(&cert, key).map_err(|error| invalid(&ca.cert, error))
}

fn new_key() -> Result<KeyPair, Failure> {
    // What browsers know, too: they read the tiles.
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(unmade)
}

fn leaf(
    name: &str,
    purpose: ExtendedKeyUsagePurpose,
    days: u32,
) -> Result<CertificateParams, Failure> {
    let mut params = named(name, days)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn named(name: &str, days: u32) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::new(Vec::new()).map_err(unmade)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let seconds = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    params.not_before = now - BEFORE;
    params.not_after = now + DAY * days;
    Ok(params)
}

fn unmade(error: rcgen::Error) -> Failure {
    Failure::from(anyhow::Error::from(error))
}
