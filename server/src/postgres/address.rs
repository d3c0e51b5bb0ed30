//! A database's address: which hosts, and how the connection to each is protected.
//!
//! The driver knows some of the parameters that say so and refuses the others. They are
//! taken off the address first, and mean here what [`Mode`] says.

use std::{
    path::{Path, PathBuf, absolute},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rustls::ClientConfig;
use tokio_postgres::{
    Config,
    config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs},
};

use super::{PostgresError, session::chained, tls};

/// How long an attempt to connect to one host may take.
const CONNECT: Duration = Duration::from_secs(3);
/// A connection over which nothing comes is tried after so long, and so often.
const KEEPALIVE: Duration = Duration::from_secs(5);
const KEEPALIVES: u32 = 2;
/// How long what was sent may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// What a file's path keeps of itself in an address.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A database's address, understood.
#[derive(Clone)]
pub(super) struct Address {
    text: String,
    name: String,
    in_turn: LoadBalanceHosts,
    hosts: Vec<Place>,
    files: Option<Files>,
    names: Names,
}

/// One of its hosts.
#[derive(Clone)]
pub(super) struct Place {
    /// What it is called in the address.
    pub(super) name: String,
    /// Whether what is sent there stays on this machine.
    pub(super) is_here: bool,
    /// How to connect to it alone.
    pub(super) config: Config,
}

/// Files that a connection is encrypted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The CAs by one of which the database's certificate has to be.
    pub root: PathBuf,
    /// The certificate that is shown to the database, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Whether a certificate has to have the name of the host that was connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Checked,
    Any,
}

/// How a connection is protected, as `sslmode` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Not at all.
    Disable,
    /// As the database likes. If it is encrypted, the certificate is checked.
    Prefer,
    /// Encrypted, and the certificate is by a CA that is believed: `require` too, since
    /// a connection to anybody is protected from nobody.
    VerifyCa,
    /// And it has the name of the host.
    VerifyFull,
}

/// What an address says of protection.
#[derive(Default)]
struct Asked {
    mode: Option<Mode>,
    root: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Address {
    /// Understands an address in which paths are relative to a directory; to the working
    /// directory, if that is empty.
    pub(super) fn parse(text: &str, from: &Path) -> Result<Self, PostgresError> {
        let (rest, text, mut asked) = take_off(text, from)?;
        let mut config = Config::from_str(&rest).map_err(|error| bad(chained(&error)))?;
        // Without a query the driver has understood it by itself.
        asked.mode = asked
            .mode
            .or_else(|| Mode::of_driver(config.get_ssl_mode()));
        complete(&mut config);
        let files = asked.files()?;
        let mode = asked.mode.or(files.as_ref().map(|_| Mode::VerifyFull));
        let mut hosts = hosts(&config)?;
        for host in &mut hosts {
            let mode = host.protected(mode, files.is_some())?;
            host.config.ssl_mode(mode);
        }
        let name = config.get_dbname().or(config.get_user());
        let address = Self {
            text,
            name: name.unwrap_or_default().to_owned(),
            in_turn: config.get_load_balance_hosts(),
            hosts,
            files,
            names: match mode {
                Some(Mode::VerifyFull) => Names::Checked,
                _ => Names::Any,
            },
        };
        // Files that cannot be used are told of before anything is done.
        address.client()?;
        Ok(address)
    }

    /// The same address, which means the same whatever the working directory is.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Hosts and name, for people.
    pub(super) fn place(&self) -> String {
        let hosts: Vec<&str> = self.hosts.iter().map(|host| &*host.name).collect();
        format!("{}/{}", hosts.join(","), self.name)
    }

    /// Its hosts, in the order in which they are to be tried.
    pub(super) fn hosts(&self) -> Vec<Place> {
        let mut hosts = self.hosts.clone();
        if self.in_turn == LoadBalanceHosts::Random
            && let Ok(random) = getrandom::u32()
            && let Ok(random) = usize::try_from(random)
        {
            let first = random % hosts.len();
            hosts.rotate_left(first);
        }
        hosts
    }

    /// The files that connections to another machine are encrypted with, if any are.
    pub(super) fn files(&self) -> Option<&Files> {
        let encrypts = |host: &Place| host.config.get_ssl_mode() != SslMode::Disable;
        let encrypted = self.hosts.iter().any(encrypts);
        self.files.as_ref().filter(|_| encrypted)
    }

    /// How to encrypt, with the files as they are now: they may be replaced.
    pub(super) fn client(&self) -> Result<Option<Arc<ClientConfig>>, PostgresError> {
        let client = self.files().map(|files| tls::client(files, self.names));
        let client = client.transpose().map_err(PostgresError::Files)?;
        Ok(client.map(Arc::new))
    }
}

impl Place {
    /// How a connection is protected that is asked for in this way.
    fn protected(&self, mode: Option<Mode>, verifiable: bool) -> Result<SslMode, PostgresError> {
        let is_socket = matches!(self.config.get_hosts(), [Host::Unix(_)]);
        match mode {
            _ if is_socket => Ok(SslMode::Disable),
            Some(Mode::Disable) => Ok(SslMode::Disable),
            Some(Mode::Prefer) if verifiable => Ok(SslMode::Prefer),
            Some(Mode::VerifyCa | Mode::VerifyFull) if verifiable => Ok(SslMode::Require),
            None | Some(Mode::Prefer) if self.is_here => Ok(SslMode::Disable),
            None | Some(Mode::Prefer | Mode::VerifyCa | Mode::VerifyFull) => {
                Err(PostgresError::Unverified {
                    host: self.name.clone(),
                })
            }
        }
    }
}

impl Mode {
    /// What the driver has understood, if it is not what it takes for granted.
    fn of_driver(mode: SslMode) -> Option<Self> {
        if mode == SslMode::Disable {
            Some(Self::Disable)
        } else if mode == SslMode::Require {
            Some(Self::VerifyCa)
        } else {
            None
        }
    }

    fn parse(text: &str) -> Result<Self, PostgresError> {
        match text {
            "disable" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" | "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" => Ok(Self::VerifyFull),
            other => Err(bad(format!(
                "sslmode={other} is none of disable, prefer, require, verify-ca, verify-full"
            ))),
        }
    }
}

impl Asked {
    fn files(&mut self) -> Result<Option<Files>, PostgresError> {
        let identity = match (self.cert.take(), self.key.take()) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) => return Err(bad("sslcert needs sslkey".to_owned())),
            (None, Some(_)) => return Err(bad("sslkey needs sslcert".to_owned())),
        };
        Ok(self.root.take().map(|root| Files { root, identity }))
    }
}

fn bad(detail: String) -> PostgresError {
    PostgresError::Address { detail }
}

/// Takes off an address what the driver does not know. Returns it without that, with
/// paths that do not depend on anything, and what it was.
fn take_off(text: &str, from: &Path) -> Result<(String, String, Asked), PostgresError> {
    let mut asked = Asked::default();
    let Some(query) = query(text) else {
        return Ok((text.to_owned(), text.to_owned(), asked));
    };
    let (before, after) = text.split_at(query);
    let (mut left, mut all) = (Vec::new(), Vec::new());
    for piece in after.split('&') {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        let slot = match &*name {
            "sslmode" => {
                if asked.mode.replace(Mode::parse(&value)?).is_some() {
                    return Err(twice(&name));
                }
                all.push(piece.to_owned());
                continue;
            }
            "sslrootcert" => &mut asked.root,
            "sslcert" => &mut asked.cert,
            "sslkey" => &mut asked.key,
            _ => {
                left.push(piece);
                all.push(piece.to_owned());
                continue;
            }
        };
        if name == "sslrootcert" && value == "system" {
            return Err(bad(
                "sslrootcert=system is not supported: name the file of the CA".to_owned(),
            ));
        }
        let no_path = || bad(format!("{name} names no file"));
        let path = absolute(from.join(&*value)).map_err(|_| no_path())?;
        let shown = path.to_str().ok_or_else(no_path)?;
        let shown = utf8_percent_encode(shown, IN_PATH);
        all.push(format!("{name}={shown}"));
        if slot.replace(path).is_some() {
            return Err(twice(&name));
        }
    }
    let whole = |query: String| format!("{before}{query}");
    Ok((whole(left.join("&")), whole(all.join("&")), asked))
}

fn twice(name: &str) -> PostgresError {
    bad(format!("{name} is there twice"))
}

/// Where the query of a URL begins, behind its `?`. The driver looks for it in the same
/// way: a password may have one too.
fn query(text: &str) -> Option<usize> {
    let schemes = ["postgres://", "postgresql://"];
    let scheme = schemes.iter().find(|scheme| text.starts_with(**scheme))?;
    let hosts = text.find('@').unwrap_or(scheme.len());
    let query = text.get(hosts..)?.find('?')?;
    Some(hosts + query + 1)
}

fn decoded(text: &str) -> Result<String, PostgresError> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| bad("it has characters that are no UTF-8".to_owned()))?;
    Ok(decoded.into_owned())
}

/// What an address need not say.
fn complete(config: &mut Config) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNACKNOWLEDGED);
    }
    if config.get_application_name().is_none() {
        config.application_name("luzhang");
    }
    config
        .keepalives_idle(KEEPALIVE)
        .keepalives_interval(KEEPALIVE)
        .keepalives_retries(KEEPALIVES);
}

/// Each host by itself.
fn hosts(config: &Config) -> Result<Vec<Place>, PostgresError> {
    let (names, numbers) = (config.get_hosts(), config.get_hostaddrs());
    let count = names.len().max(numbers.len());
    if count == 0 {
        return Err(bad("it names no host".to_owned()));
    }
    if !names.is_empty() && !numbers.is_empty() && names.len() != numbers.len() {
        return Err(bad(
            "it has another number of host than of hostaddr".to_owned()
        ));
    }
    let ports = config.get_ports();
    if ports.len() > 1 && ports.len() != count {
        return Err(bad(
            "it has another number of ports than of hosts".to_owned()
        ));
    }
    let hosts = (0..count).map(|index| {
        let mut alone = without_hosts(config);
        let (host, number) = (names.get(index), numbers.get(index).copied());
        if let Some(port) = ports.get(index).or(ports.first()) {
            alone.port(*port);
        }
        let number_of = |name: &str| name.parse::<std::net::IpAddr>().ok();
        let (name, is_here) = match host {
            Some(Host::Unix(path)) => {
                alone.host_path(path);
                (path.display().to_string(), true)
            }
            Some(Host::Tcp(name)) => {
                alone.host(name);
                let is_here = match number.or_else(|| number_of(name)) {
                    Some(number) => number.is_loopback(),
                    None => name.eq_ignore_ascii_case("localhost"),
                };
                (name.clone(), is_here)
            }
            None => {
                // What has no name is called by its number, also in a certificate.
                let name = number.map(|number| number.to_string()).unwrap_or_default();
                alone.host(&name);
                (name, number.is_some_and(|number| number.is_loopback()))
            }
        };
        if let Some(number) = number {
            alone.hostaddr(number);
        }
        Place {
            name,
            is_here,
            config: alone,
        }
    });
    Ok(hosts.collect())
}

/// All of a configuration but its hosts, which cannot be taken out of one.
fn without_hosts(of: &Config) -> Config {
    let mut config = Config::new();
    if let Some(user) = of.get_user() {
        config.user(user);
    }
    if let Some(password) = of.get_password() {
        config.password(password);
    }
    if let Some(name) = of.get_dbname() {
        config.dbname(name);
    }
    if let Some(options) = of.get_options() {
        config.options(options);
    }
    if let Some(name) = of.get_application_name() {
        config.application_name(name);
    }
    if let Some(within) = of.get_connect_timeout() {
        config.connect_timeout(*within);
    }
    if let Some(within) = of.get_tcp_user_timeout() {
        config.tcp_user_timeout(*within);
    }
    if let Some(interval) = of.get_keepalives_interval() {
        config.keepalives_interval(interval);
    }
    if let Some(retries) = of.get_keepalives_retries() {
        config.keepalives_retries(retries);
    }
    config
        .keepalives(of.get_keepalives())
        .keepalives_idle(of.get_keepalives_idle())
        .ssl_negotiation(of.get_ssl_negotiation())
        .target_session_attrs(of.get_target_session_attrs())
        .channel_binding(of.get_channel_binding())
        .load_balance_hosts(of.get_load_balance_hosts());
    config
}

impl Place {
    /// How to connect to it, if it takes writes.
    pub(super) fn writable(mut self) -> Self {
        self.config
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    use super::*;

    /// A directory with a CA's certificate in it.
    fn with_ca() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca = params.self_signed(&key).unwrap();
        fs::write(dir.path().join("ca.crt"), ca.pem()).unwrap();
        dir
    }

    fn modes(dir: &Path, rest: &str) -> Result<(Vec<SslMode>, Names), &'static str> {
        let address = Address::parse(&format!("postgresql://u:p%3F@{rest}"), dir);
        let address = address.map_err(|error| error.code())?;
        let hosts = address.hosts.iter().map(|host| host.config.get_ssl_mode());
        Ok((hosts.collect(), address.names))
    }

    #[test]
    fn what_is_not_said_to_be_in_clear_is_checked_or_refused() {
        use SslMode as M;
        let dir = with_ca();
        let clear = Ok((vec![M::Disable], Names::Any));
        let refused = Err("DATABASE_UNVERIFIED");
        let full = Ok((vec![M::Require], Names::Checked));
        let ca = Ok((vec![M::Require], Names::Any));
        for (address, expected) in [
            // Another machine.
            ("db1/n", refused.clone()),
            ("db1", refused.clone()),
            ("10.0.0.1/n", refused.clone()),
            ("localhost.example/n", refused.clone()),
            ("127.0.0.1.example/n", refused.clone()),
            ("127.1/n", refused.clone()),
            ("localhost/n?hostaddr=10.0.0.1", refused.clone()),
            ("db1/n?sslmode=prefer", refused.clone()),
            ("db1/n?sslmode=require", refused.clone()),
            ("db1/n?sslmode=verify-ca", refused.clone()),
            ("db1/n?sslmode=verify-full", refused.clone()),
            ("db1/n?sslmode=disable", clear.clone()),
            ("db1/n?ssl%6Dode=disable", clear.clone()),
            ("db1/n?sslmode=disable&sslrootcert=ca.crt", clear.clone()),
            ("db1/n?sslrootcert=ca.crt", full.clone()),
            ("db1?sslrootcert=ca.crt&connect_timeout=9", full.clone()),
            ("db1/n?sslmode=verify-full&sslrootcert=ca.crt", full.clone()),
            ("db1/n?sslrootcert=ca.crt&sslmode=verify-ca", ca.clone()),
            ("db1/n?sslrootcert=ca.crt&sslmode=require", ca.clone()),
            (
                "db1/n?sslrootcert=ca.crt&sslmode=prefer",
                Ok((vec![M::Prefer], Names::Any)),
            ),
            // This one.
            ("localhost/n", clear.clone()),
            ("127.0.0.1:5433/n", clear.clone()),
            ("127.9.9.9/n?sslmode=prefer", clear.clone()),
            ("[::1]/n", clear.clone()),
            ("db1/n?hostaddr=127.0.0.1", clear.clone()),
            ("localhost/n?sslmode=require", refused.clone()),
            ("localhost/n?sslrootcert=ca.crt", full.clone()),
            ("%2Frun%2Fpg/n", clear.clone()),
            ("%2Frun%2Fpg/n?sslmode=require", clear.clone()),
            // Several.
            ("localhost,db2/n", refused.clone()),
            (
                "db1,%2Frun%2Fpg,db3/n?sslrootcert=ca.crt",
                Ok((vec![M::Require, M::Disable, M::Require], Names::Checked)),
            ),
            // Nonsense.
            ("db1/n?sslmode=allow", Err("DATABASE_ADDRESS")),
            ("db1/n?sslmode=", Err("DATABASE_ADDRESS")),
            ("db1/n?sslmode", Err("DATABASE_ADDRESS")),
            ("db1/n?sslrootcert=", Err("FILE_IO")),
            ("db1/n?sslrootcert=system", Err("DATABASE_ADDRESS")),
            ("db1/n?sslrootcert=%FF", Err("DATABASE_ADDRESS")),
            (
                "db1/n?sslmode=disable&sslmode=disable",
                Err("DATABASE_ADDRESS"),
            ),
            ("db1/n?sslrootcert=ca.crt&sslcrl=x", Err("DATABASE_ADDRESS")),
            (
                "db1/n?sslrootcert=ca.crt&sslcert=x",
                Err("DATABASE_ADDRESS"),
            ),
            ("db1/n?sslrootcert=ca.crt&sslkey=x", Err("DATABASE_ADDRESS")),
            (
                "db1/n?sslrootcert=ca.crt&sslkey=x&sslcert=x",
                Err("FILE_IO"),
            ),
            ("db1/n?sslrootcert=none.crt", Err("FILE_IO")),
            (
                "db1,db2:1,db3/n?hostaddr=127.0.0.1",
                Err("DATABASE_ADDRESS"),
            ),
        ] {
            assert_eq!(modes(dir.path(), address), expected, "{address}");
        }
        // The other way to write it.
        for (text, expected) in [
            ("host=db1 user=u", "DATABASE_UNVERIFIED"),
            ("host=db1 user=u sslmode=require", "DATABASE_UNVERIFIED"),
            ("host=db1 user=u sslmode=verify-full", "DATABASE_ADDRESS"),
            ("host=db1 user=u sslmode=disable", ""),
            ("host=localhost user=u", ""),
            ("user=u", "DATABASE_ADDRESS"),
            ("", "DATABASE_ADDRESS"),
        ] {
            let code = Address::parse(text, dir.path()).map_err(|error| error.code());
            assert_eq!(code.err().unwrap_or_default(), expected, "{text}");
        }
    }

    #[test]
    fn an_address_that_is_kept_means_the_same_elsewhere() {
        let dir = with_ca();
        let odd = dir.path().join("a b&c=泸");
        fs::create_dir(&odd).unwrap();
        fs::copy(dir.path().join("ca.crt"), odd.join("ca.crt")).unwrap();
        let text = "postgresql://u:%40p@db1:1,db2/n?options=-c%20a%3Db&\
                    sslrootcert=a%20b%26c%3D%E6%B3%B8%2Fca.crt&sslmode=verify-ca";
        let address = Address::parse(text, dir.path()).unwrap();
        assert_eq!(
            address.files(),
            Some(&Files {
                root: odd.join("ca.crt"),
                identity: None
            })
        );
        assert_eq!(address.place(), "db1,db2/n");
        let again = Address::parse(address.text(), Path::new("/nowhere")).unwrap();
        assert_eq!(again.text(), address.text());
        assert_eq!(again.files(), address.files());
        assert_eq!(again.names, Names::Any);
        for (first, second) in address.hosts.iter().zip(&again.hosts) {
            assert_eq!(first.config, second.config);
        }
        assert_eq!(again.hosts[0].config.get_password(), Some(&b"@p"[..]));
        assert_eq!(again.hosts[0].config.get_ports(), [1]);
        assert_eq!(again.hosts[1].config.get_ports(), [5432]);
        assert_eq!(again.hosts[1].config.get_options(), Some("-c a=b"));
        // Without files it is as it was written.
        let plain = "postgres://u@localhost/n?sslmode=disable&connect_timeout=7";
        assert_eq!(Address::parse(plain, dir.path()).unwrap().text(), plain);
    }

    #[test]
    fn no_address_however_spoilt_is_more_than_refused() {
        let dir = with_ca();
        let url = "postgresql://u:p@[::1]:1,db2/n?hostaddr=127.0.0.1,::1&sslrootcert=%63a.crt&\
                   sslmode=verify-ca";
        for text in [url, "host='a b' port=1 user=\\u sslmode=disable"] {
            for at in 0..=text.len() {
                let (before, after) = text.split_at(at);
                let _any = Address::parse(before, dir.path());
                let rest = after.get(1..).unwrap_or_default();
                for odd in [
                    "", "/", "?", "&", "=", "%", "@", ":", ",", "[", "]", "'", "泸",
                ] {
                    for spoilt in [
                        format!("{before}{odd}{rest}"),
                        format!("{before}{odd}{after}"),
                    ] {
                        let Ok(address) = Address::parse(&spoilt, dir.path()) else {
                            continue;
                        };
                        assert!(!address.hosts().is_empty(), "{spoilt}");
                        let again = Address::parse(address.text(), Path::new("/nowhere"));
                        let again = again.unwrap();
                        for (first, second) in address.hosts.iter().zip(&again.hosts) {
                            assert_eq!(first.config, second.config, "{spoilt}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_of_what_is_asked_is_lost_between_an_address_and_its_hosts() {
        let text = "postgresql://u:p@h1:1,h2:2/n?sslmode=disable&options=o&application_name=a&\
                    connect_timeout=1&tcp_user_timeout=2&keepalives=0&target_session_attrs=any&\
                    channel_binding=disable&load_balance_hosts=random&sslnegotiation=direct";
        let whole: Config = text.parse().unwrap();
        let address = Address::parse(text, Path::new("")).unwrap();
        for (index, host) in address.hosts.iter().enumerate() {
            let mut expected: Config = text.replace("h1:1,h2:2", &host.name).parse().unwrap();
            complete(&mut expected);
            let port = whole.get_ports()[index];
            let shown = format!("{expected:?}").replace("5432", &port.to_string());
            assert_eq!(format!("{:?}", host.config), shown);
        }
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            seen.insert(address.hosts()[0].name.clone());
        }
        assert_eq!(seen.len(), 2, "{seen:?}");
    }
}
