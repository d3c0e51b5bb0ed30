//! The connection to a database on another machine: encrypted, to the right one, or not
//! at all.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use luzhang_ledger::LedgerId;
use luzhang_server::postgres::{Database, PostgresReader};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm,
    date_time_ymd,
};
use serde_json::Value;
use uuid::Uuid;

use super::failover::{LOCAL, STANDBY, Site, first_acknowledged, position};
use crate::support::{
    Ran, Target,
    database::{Cluster, Instance},
    journal::Journal,
    luzhang, run,
};

/// A CA for databases and those who connect to them.
struct Ca(CertifiedIssuer<'static, KeyPair>);

/// What it makes: PEM of a certificate, and of its key.
struct Made {
    certificate: String,
    key: String,
}

/// When a certificate is valid, in seconds from now.
const NOW: (i64, i64) = (-60, 3_600 * 24 * 365);
const PAST: (i64, i64) = (-7_200, -3_600);
const SOON: (i64, i64) = (-60, 3_600 * 24 * 3);
const LATER: (i64, i64) = (3_600, 7_200);

impl Ca {
    fn new() -> Self {
        Self::signing(&PKCS_ECDSA_P256_SHA256)
    }

    fn signing(algorithm: &'static SignatureAlgorithm) -> Self {
        Self::named("databases", algorithm)
    }

    fn named(name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate_for(algorithm).unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a server that goes by these names.
    fn server(&self, names: &[&str], valid: (i64, i64)) -> Made {
        self.made(
            "postgres",
            names,
            valid,
            ExtendedKeyUsagePurpose::ServerAuth,
        )
    }

    /// A certificate of an account.
    fn client(&self, account: &str) -> Made {
        self.made(account, &[], NOW, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn made(
        &self,
        name: &str,
        names: &[&str],
        (from, until): (i64, i64),
        purpose: ExtendedKeyUsagePurpose,
    ) -> Made {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![purpose];
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let at = |offset| Duration::from_secs(now.checked_add_signed(offset).unwrap());
        params.not_before = date_time_ymd(1970, 1, 1) + at(from);
        params.not_after = date_time_ymd(1970, 1, 1) + at(until);
        let key = KeyPair::generate().unwrap();
        Made {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Made {
    fn write(&self, dir: &Path, name: &str) {
        let key = dir.join(format!("{name}.key"));
        fs::write(dir.join(format!("{name}.crt")), &self.certificate).unwrap();
        fs::write(&key, &self.key).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Everybody, if encrypted.
const ENCRYPTED: &str = "hostssl all all 127.0.0.0/8 trust";

/// An instance that lets these in, with a certificate if it has one.
fn instance(cluster: &Cluster, name: &str, (ca, made): (&Ca, &Made), admitted: &str) -> Instance {
    let instance = cluster.primary(name, &[]);
    instance.encrypt(&made.certificate, &made.key, &ca.pem());
    instance.admit(&[admitted]);
    instance
}

/// The address of instances, each by a name that only its certificate knows.
fn address(hosts: &[(&str, &Instance)], query: &str) -> String {
    let names: Vec<&str> = hosts.iter().map(|(name, _)| *name).collect();
    let numbers = hosts.iter().map(|(_, instance)| instance.address());
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    let (names, numbers) = (names.join(","), numbers.join(","));
    format!("postgresql://luzhang@{names}/postgres?hostaddr={numbers}&{query}")
}

/// Whether a database was reached: one without a ledger says so.
fn reached(url: &str) -> Result<(), String> {
    let none = LedgerId::new(Uuid::from_u128(1));
    let database = Database::parse(url);
    let database = database.map_err(|error| format!("{}: {error}", error.code()))?;
    let error = PostgresReader::open(&database, none).unwrap_err();
    match error.code() {
        "LEDGER_NOT_FOUND" => Ok(()),
        code => Err(format!("{code}: {error}")),
    }
}

#[track_caller]
fn refused(url: &str, code: &str, words: &str) {
    let said = reached(url).unwrap_err();
    assert!(said.starts_with(code) && said.contains(words), "{said}");
}

/// What `doctor` finds of one kind: state and what was seen.
fn found(ran: &Ran, code: &str) -> Vec<(String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = ran.json()["rows"].as_array().unwrap().clone();
    let of_kind = rows.iter().filter(|row| row["code"] == code);
    of_kind
        .map(|row| (text(row, "state"), text(row, "seen_en")))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_and_a_standby_use_a_database_that_is_encrypted_and_the_right_one() {
    let cluster = Cluster::on_network();
    let ca = Ca::new();
    let made = ca.server(&["db1.test"], NOW);
    let primary = instance(&cluster, "p", (&ca, &made), ENCRYPTED);
    // The file is named as whoever types the command sees it, and found from elsewhere.
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("ca.crt"), ca.pem()).unwrap();
    let site = Site::at(address(
        &[("db1.test", &primary)],
        &format!("sslrootcert={}/ca.crt", files.path().display()),
    ));
    let relative = address(&[("db1.test", &primary)], "sslrootcert=ca.crt");
    let joined = luzhang()
        .current_dir(files.path())
        .args(["join", "--database", &relative, "--keys"])
        .arg(site.dir("first").join("keys"))
        .arg("--data-dir")
        .arg(site.dir("second"))
        .output()
        .unwrap();
    Ran::from(joined).ended(0);
    fs::copy(
        site.dir("first").join("kek"),
        site.dir("second").join("kek"),
    )
    .unwrap();
    let kept = fs::read_to_string(site.dir("second").join("database")).unwrap();
    assert_eq!(
        kept,
        fs::read_to_string(site.dir("first").join("database")).unwrap()
    );

    let writer = site.serve("first", &LOCAL);
    let standby = site.serve("second", &STANDBY);
    let journal = Journal::default();
    first_acknowledged(&journal, &[writer.url()]).await;
    assert!(position(standby.url()).await.unwrap() > 0);
    // Of all connections: its lease, its appends, who watches and who follows.
    let ours = "FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE application_name = 'luzhang' AND client_addr IS NOT NULL";
    let clear = primary.sql(&format!("SELECT count(*) {ours} AND NOT ssl"));
    let encrypted = primary.sql(&format!("SELECT count(*) {ours} AND ssl"));
    assert_eq!(clear, "0");
    assert!(encrypted.parse::<u32>().unwrap() >= 5, "{encrypted}");
    assert_eq!(
        primary.sql(&format!("SELECT DISTINCT version {ours}")),
        "TLSv1.3"
    );
    writer.kill();
    first_acknowledged(&journal, &[standby.url()]).await;
    assert_eq!(journal.lost(standby.url()).await, 0);

    // And all else that reads a log.
    let target = Target::data_dir(&site.dir("second"));
    let shelf = site.dir("shelf");
    target
        .run(["backup", "--to", shelf.to_str().unwrap()])
        .ended(0);
    let copy = site.dir("copy.luzhang");
    let dir = site.dir("second");
    let ends = [
        "--from",
        dir.to_str().unwrap(),
        "--to",
        copy.to_str().unwrap(),
    ];
    run(["log", "copy"].into_iter().chain(ends)).ended(0);
    let looked = target.run(["doctor", "--json"]);
    let [(state, seen)] = &found(&looked, "DOCTOR_DATABASE")[..] else {
        panic!("{}", looked.out);
    };
    assert_eq!(state, "ok");
    assert!(seen.contains(", TLS 1.3, "), "{seen}");
    assert_eq!(standby.terminate().code, 0);
}

/// Nothing is made here, and nothing there.
#[test]
fn a_database_that_may_be_another_is_not_spoken_to() {
    let cluster = Cluster::on_network();
    let (ca, other) = (Ca::new(), Ca::new());
    let good = ca.server(&["db1.test"], NOW);
    let primary = instance(&cluster, "p", (&ca, &good), ENCRYPTED);
    // In clear too, so that nothing but our own rules keeps us from it.
    primary.admit(&["host all all 127.0.0.0/8 trust"]);
    let files = tempfile::tempdir().unwrap();
    let (root, wrong) = (files.path().join("ca.crt"), files.path().join("other.crt"));
    fs::write(&root, ca.pem()).unwrap();
    fs::write(&wrong, other.pem()).unwrap();
    let with = |name: &str, root: &Path, mode: &str| {
        let query = format!("sslrootcert={}{mode}", root.display());
        address(&[(name, &primary)], &query)
    };
    let dir = files.path().join("ledger");
    let init = |url: &str| Target::data_dir(&dir).run(["init", "--database", url]);
    let not_made = |url: &str, code: &str, words: &str| {
        let ran = init(url);
        ran.failed(1, code);
        assert!(ran.err.contains(words), "{}", ran.err);
        assert!(!dir.exists());
        let tables = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'luzhang%'";
        assert_eq!(primary.sql(tables), "0");
    };
    let right = with("db1.test", &root, "");
    not_made(
        &with("db1.test", &wrong, ""),
        "DATABASE_UNTRUSTED",
        "db1.test",
    );
    for mode in ["verify-ca", "require", "prefer"] {
        let url = with("db1.test", &wrong, &format!("&sslmode={mode}"));
        not_made(&url, "DATABASE_UNTRUSTED", "db1.test");
    }
    not_made(
        &with("db2.test", &root, ""),
        "DATABASE_NAME_MISMATCH",
        "db1.test",
    );
    // By its number, which the certificate does not have.
    let by_number = format!(
        "postgresql://luzhang@{}/postgres?sslrootcert={}",
        primary.address(),
        root.display()
    );
    not_made(&by_number, "DATABASE_NAME_MISMATCH", "db1.test");
    // Nobody to ask; no name is looked up either.
    for mode in [
        "",
        "?sslmode=require",
        "?sslmode=verify-full",
        "?sslmode=prefer",
    ] {
        let unknown = format!("postgresql://luzhang@db1.invalid/postgres{mode}");
        not_made(&unknown, "DATABASE_UNVERIFIED", "sslrootcert");
    }
    let missing = files.path().join("missing.crt");
    not_made(&with("db1.test", &missing, ""), "FILE_IO", "missing.crt");
    let odd = files.path().join("odd.crt");
    fs::write(&odd, "no certificate").unwrap();
    not_made(&with("db1.test", &odd, ""), "TLS_FILE_INVALID", "odd.crt");

    let shows = |made: &Made| primary.encrypt(&made.certificate, &made.key, &ca.pem());
    shows(&ca.server(&["db1.test"], PAST));
    not_made(&right, "DATABASE_CERTIFICATE_EXPIRED", "db1.test");
    shows(&ca.server(&["db1.test"], LATER));
    not_made(&right, "DATABASE_CERTIFICATE_INVALID", "not valid yet");
    let made = ca.client("luzhang");
    shows(&made);
    not_made(&right, "DATABASE_CERTIFICATE_INVALID", "db1.test");
    primary.set(&["ssl = off"]);
    primary.take_in();
    not_made(&right, "DATABASE_NO_TLS", "ssl = on");
    for mode in ["verify-ca", "require"] {
        let url = with("db1.test", &root, &format!("&sslmode={mode}"));
        not_made(&url, "DATABASE_NO_TLS", "db1.test");
    }
    let ran = luzhang()
        .args(["--lang", "zh", "init", "--database", &right, "--data-dir"])
        .arg(&dir)
        .output()
        .unwrap();
    assert!(Ran::from(ran).err.contains("未发送任何内容"));

    // What is asked for in so many words is done.
    let prefer = with("db1.test", &root, "&sslmode=prefer");
    assert_eq!(reached(&prefer), Ok(()));
    assert_eq!(
        reached(&with("db1.test", &root, "&sslmode=disable")),
        Ok(())
    );
    shows(&good);
    // Any name, by the right CA.
    for mode in ["verify-ca", "require", "prefer"] {
        let url = with("db2.test", &root, &format!("&sslmode={mode}"));
        assert_eq!(reached(&url), Ok(()), "{mode}");
    }
    assert!(!dir.exists());
    init(&right).ended(0);
}

/// Where one fails over to is looked at before that day.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_host_is_known_by_its_own_name_and_the_others_are_not_believed_for_it() {
    let cluster = Cluster::on_network();
    let ca = Ca::new();
    let (one, two) = (
        ca.server(&["db1.test"], SOON),
        ca.server(&["db2.test"], NOW),
    );
    let mut primary = instance(&cluster, "p", (&ca, &one), ENCRYPTED);
    let standby = cluster.standby("s1", &primary);
    let shows = |instance: &Instance, made: &Made| {
        instance.encrypt(&made.certificate, &made.key, &ca.pem());
    };
    shows(&standby, &two);
    let files = tempfile::tempdir().unwrap();
    let root = files.path().join("ca.crt");
    fs::write(&root, ca.pem()).unwrap();
    let query = format!("sslmode=verify-full&sslrootcert={}", root.display());
    let site = Site::at(address(
        &[("db1.test", &primary), ("db2.test", &standby)],
        &query,
    ));
    let target = Target::data_dir(&site.dir("first"));
    let looked = || target.run(["doctor", "--json"]);
    let states = |ran: &Ran| {
        let found = found(ran, "DOCTOR_DATABASE").into_iter();
        found.map(|(state, _)| state).collect::<Vec<_>>()
    };
    assert_eq!(states(&looked()), ["ok"]);
    // The one that is used; the other is asked when it takes writes.
    let [(state, seen)] = &found(&looked(), "DOCTOR_CERTIFICATE")[..] else {
        panic!("{}", looked().out);
    };
    assert!(state == "warn" && seen.starts_with("db1.test: "), "{seen}");

    // The standby shows the primary's certificate, as one that was copied with it.
    shows(&standby, &one);
    let ran = looked();
    assert_eq!(states(&ran), ["ok", "warn"]);
    let seen = &found(&ran, "DOCTOR_DATABASE")[1].1;
    assert!(
        seen.contains("db2.test") && seen.contains("(DATABASE_NAME_MISMATCH)"),
        "{seen}"
    );
    let mut writer = site.serve("first", &LOCAL);
    let journal = Journal::default();
    first_acknowledged(&journal, &[writer.url()]).await;
    standby.until(
        "SELECT pg_last_wal_replay_lsn() = pg_last_wal_receive_lsn()",
        "t",
    );
    primary.kill();
    standby.promote();
    // It stays where it is safe, for half a minute; the certificate comes in time.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        standby.sql("SELECT count(*) FROM pg_stat_ssl WHERE ssl"),
        "0"
    );
    shows(&standby, &two);
    first_acknowledged(&journal, &[writer.url()]).await;
    assert_eq!(journal.lost(writer.url()).await, 0);
    let said = writer.said();
    assert!(said.contains("DATABASE_NAME_MISMATCH"), "{said}");
    assert_eq!(writer.terminate().code, 0);
}

#[test]
fn a_database_that_asks_for_a_certificate_is_shown_the_one_in_the_address() {
    let cluster = Cluster::on_network();
    let (ca, other) = (Ca::new(), Ca::new());
    let made = ca.server(&["db1.test"], NOW);
    let only = "hostssl all all 127.0.0.0/8 cert";
    let primary = instance(&cluster, "p", (&ca, &made), only);
    let files = tempfile::tempdir().unwrap();
    let root = files.path().join("ca.crt");
    fs::write(&root, ca.pem()).unwrap();
    ca.client("luzhang").write(files.path(), "own");
    ca.client("somebody").write(files.path(), "somebody");
    other.client("luzhang").write(files.path(), "foreign");
    let stranger = Ca::named("strangers", &PKCS_ECDSA_P256_SHA256);
    stranger.client("luzhang").write(files.path(), "stranger");
    let with = |cert: &str, key: &str| {
        let at = files.path().display();
        let query = format!("sslrootcert={at}/ca.crt&sslcert={at}/{cert}&sslkey={at}/{key}");
        address(&[("db1.test", &primary)], &query)
    };
    let own = with("own.crt", "own.key");
    assert_eq!(reached(&own), Ok(()));
    let without = address(
        &[("db1.test", &primary)],
        &format!("sslrootcert={}", root.display()),
    );
    refused(&without, "DATABASE_REFUSED", "certificate");
    refused(
        &with("somebody.crt", "somebody.key"),
        "DATABASE_REFUSED",
        "luzhang",
    );
    for name in ["foreign", "stranger"] {
        let url = with(&format!("{name}.crt"), &format!("{name}.key"));
        refused(&url, "DATABASE_DISTRUSTS", "db1.test");
    }
    refused(
        &with("own.crt", "somebody.key"),
        "TLS_KEY_MISMATCH",
        "own.crt",
    );
    refused(&with("own.crt", "none.key"), "FILE_IO", "none.key");
    refused(&with("own.crt", "own.crt"), "TLS_FILE_INVALID", "own.crt");

    // Its key is nobody else's, and both are looked at.
    let site = Site::at(own.clone());
    let target = Target::data_dir(&site.dir("first"));
    let looked = target.run(["doctor", "--json"]);
    assert_eq!(found(&looked, "DOCTOR_PERMISSIONS")[0].0, "ok");
    let certificates = found(&looked, "DOCTOR_CERTIFICATE");
    assert_eq!(certificates.len(), 2, "{certificates:?}");
    assert!(certificates[1].1.contains("own.crt"), "{certificates:?}");
    // By hand, with names of files beside it.
    let dir = site.dir("first");
    for name in ["ca.crt", "own.crt", "own.key"] {
        fs::copy(files.path().join(name), dir.join(name)).unwrap();
    }
    let by_hand = "sslrootcert=ca.crt&sslcert=own.crt&sslkey=own.key";
    let by_hand = address(&[("db1.test", &primary)], by_hand);
    fs::write(dir.join("database"), by_hand).unwrap();
    let looked = target.run(["doctor", "--json"]);
    assert_eq!(found(&looked, "DOCTOR_DATABASE")[0].0, "ok");
    let seen = &found(&looked, "DOCTOR_CERTIFICATE")[1].1;
    assert!(seen.contains("first/own.crt"), "{seen}");
    let key = dir.join("own.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let looked = target.run(["doctor", "--json"]);
    let (state, seen) = &found(&looked, "DOCTOR_PERMISSIONS")[0];
    assert!(state == "fail" && seen.contains("own.key"), "{seen}");
}

/// Files are read with each connection: a CA or a certificate may be replaced while
/// servers run.
#[test]
fn new_connections_use_the_files_as_they_are_now() {
    let cluster = Cluster::on_network();
    let (old, new) = (Ca::new(), Ca::new());
    let primary = instance(
        &cluster,
        "p",
        (&old, &old.server(&["db1.test"], NOW)),
        ENCRYPTED,
    );
    let files = tempfile::tempdir().unwrap();
    let root = files.path().join("ca.crt");
    fs::write(&root, old.pem()).unwrap();
    let query = format!("sslrootcert={}", root.display());
    let database = Database::parse(&address(&[("db1.test", &primary)], &query)).unwrap();
    let none = LedgerId::new(Uuid::from_u128(1));
    let asked = || PostgresReader::open(&database, none).unwrap_err().code();
    assert_eq!(asked(), "LEDGER_NOT_FOUND");
    let made = new.server(&["db1.test"], NOW);
    primary.encrypt(&made.certificate, &made.key, &new.pem());
    assert_eq!(asked(), "DATABASE_UNTRUSTED");
    // Both, while it is not clear which is in use.
    fs::write(&root, old.pem() + &new.pem()).unwrap();
    assert_eq!(asked(), "LEDGER_NOT_FOUND");
    fs::write(&root, new.pem()).unwrap();
    assert_eq!(asked(), "LEDGER_NOT_FOUND");
    fs::remove_file(&root).unwrap();
    assert_eq!(asked(), "FILE_IO");
}

/// A password is worth nothing to whoever stands between, with whatever hash the
/// certificate is signed.
#[test]
fn a_password_is_bound_to_the_connection_that_it_is_for() {
    let cluster = Cluster::on_network();
    let scram = "hostssl all all 127.0.0.0/8 scram-sha-256";
    let primary = cluster.primary("p", &[]);
    primary.sql("CREATE ROLE scram LOGIN PASSWORD 'geheim'");
    let files = tempfile::tempdir().unwrap();
    let root = files.path().join("ca.crt");
    let with = |more: &str| {
        let query = format!("sslrootcert={}{more}", root.display());
        address(&[("db1.test", &primary)], &query).replace("luzhang@", "scram:geheim@")
    };
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384] {
        let ca = Ca::signing(algorithm);
        fs::write(&root, ca.pem()).unwrap();
        let made = ca.server(&["db1.test"], NOW);
        primary.encrypt(&made.certificate, &made.key, &ca.pem());
        primary.admit(&[scram]);
        for more in ["", "&channel_binding=require", "&channel_binding=disable"] {
            assert_eq!(reached(&with(more)), Ok(()), "{more}");
        }
        let wrong = with("&channel_binding=require").replace("geheim", "falsch");
        refused(&wrong, "DATABASE_REFUSED", "password");
        assert!(!reached(&wrong).unwrap_err().contains("falsch"));
        // Whoever lets everybody in binds nothing.
        primary.admit(&[ENCRYPTED]);
        refused(
            &with("&channel_binding=require"),
            "DATABASE_REFUSED",
            "channel binding",
        );
    }
    // Signed with what has no hash of its own: nothing to bind to, and said so.
    let ca = Ca::signing(&PKCS_ED25519);
    fs::write(&root, ca.pem()).unwrap();
    let made = ca.server(&["db1.test"], NOW);
    primary.encrypt(&made.certificate, &made.key, &ca.pem());
    primary.admit(&[scram]);
    refused(
        &with("&channel_binding=require"),
        "DATABASE_REFUSED",
        "channel binding",
    );
    // In clear there is nothing either.
    primary.admit(&["host all all 127.0.0.0/8 scram-sha-256"]);
    let clear = with("&sslmode=disable&channel_binding=require");
    refused(&clear, "DATABASE_REFUSED", "channel binding");
}

/// A host that takes a connection and says nothing keeps nobody from the next one.
#[test]
fn a_host_that_is_silent_in_the_handshake_is_passed_over() {
    let cluster = Cluster::on_network();
    let ca = Ca::new();
    let made = ca.server(&["db1.test", "db2.test"], NOW);
    let frozen = instance(&cluster, "f", (&ca, &made), ENCRYPTED);
    let primary = instance(&cluster, "p", (&ca, &made), ENCRYPTED);
    let files = tempfile::tempdir().unwrap();
    let root = files.path().join("ca.crt");
    fs::write(&root, ca.pem()).unwrap();
    let url = address(
        &[("db1.test", &frozen), ("db2.test", &primary)],
        &format!("sslrootcert={}", root.display()),
    );
    frozen.freeze();
    assert_eq!(reached(&url), Ok(()));
    primary.freeze();
    refused(&url, "DATABASE_UNREACHABLE", "no answer");
}

/// In clear to another machine: only because somebody said so, and it is mentioned.
#[test]
fn the_doctor_mentions_a_connection_in_clear_to_another_machine() {
    let cluster = Cluster::on_network();
    let primary = cluster.primary("p", &[]);
    primary.admit(&["host all all 127.0.0.0/8 trust"]);
    // A way to write a loopback address that is not known for one.
    let [_, a, b, c] = primary.address().octets();
    let number = u32::from_be_bytes([0, a, b, c]);
    let [far, near] = [format!("127.{number}"), primary.address().to_string()];
    let refused = format!("postgresql://luzhang@{far}/postgres");
    assert!(
        reached(&refused)
            .unwrap_err()
            .starts_with("DATABASE_UNVERIFIED")
    );
    let site = Site::at(format!("{refused}?sslmode=disable"));
    let target = Target::data_dir(&site.dir("first"));
    let looked = target.run(["doctor", "--json"]);
    let (state, seen) = &found(&looked, "DOCTOR_DATABASE")[0];
    assert!(
        state == "warn" && seen.contains(", not encrypted, "),
        "{seen}"
    );
    assert!(looked.out.contains("sslmode=verify-full&sslrootcert=FILE"));
    // On this machine there is nothing between.
    let near = format!("postgresql://luzhang@{near}/postgres");
    let looked = target.run(["doctor", "--json", "--database", &near]);
    let (state, seen) = &found(&looked, "DOCTOR_DATABASE")[0];
    assert!(
        state == "ok" && seen.contains(", on this machine, "),
        "{seen}"
    );
}
