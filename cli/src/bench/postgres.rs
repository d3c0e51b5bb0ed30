//! The yardstick of a decision: PostgreSQL with the same rules and a hash chain
//! in one function. It runs as an instance of its own, on a socket in the
//! scratch directory, with the durability that it has by default.

use std::{
    env, fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use luzhang_proto::{google::r#type::Date as WireDate, wire};
use prost::Message as _;
use tokio::task::JoinSet;
use tokio_postgres::{Client, Config, NoTls, Statement};
use uuid::Uuid;

use super::{
    bureau::{self, Case},
    load::{Bounds, IN_FLIGHT, Slice, Stock, nanos},
    site::{Interrupt, Process, Site, cpu_time},
};

const SCHEMA: &str = include_str!("postgres/issue.sql");
const ISSUE: &str = "SELECT out_position, out_failures FROM issue($1, $2, $3, \
    date '2000-01-01' + $4::int4, date '2000-01-01' + $5::int4, date '2000-01-01' + $6::int4, \
    $7, $8, $9)";
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Where the programs are.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    initdb: PathBuf,
    postgres: PathBuf,
    /// Such as `15.18`.
    pub(super) version: String,
}

/// Looks for `postgres` and `initdb` in the path and where Debian keeps them;
/// `None` if they are not installed.
pub(super) fn find() -> Option<Binaries> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    // 15 is what the figures are about; otherwise the latest.
    versions.sort_by_key(|dir| (dir.parent().is_some_and(|d| d.ends_with("15")), dir.clone()));
    dirs.extend(versions.into_iter().rev());
    dirs.into_iter().find_map(|dir| {
        let (initdb, postgres) = (dir.join("initdb"), dir.join("postgres"));
        if !initdb.exists() || !postgres.exists() {
            return None;
        }
        let said = Command::new(&postgres).arg("--version").output().ok()?;
        let said = String::from_utf8(said.stdout).ok()?;
        let version = said.split_whitespace().nth(2)?.to_owned();
        Some(Binaries {
            initdb,
            postgres,
            version,
        })
    })
}

/// A running instance with the function and some persons in it.
#[derive(Debug)]
pub(super) struct Postgres {
    /// How a ledger finds it.
    pub(super) address: String,
    connections: Vec<(Arc<Client>, Statement)>,
    _process: Process,
}

impl Postgres {
    /// Makes an instance in the scratch directory and puts persons 0 to
    /// `persons` on the poverty list.
    pub(super) async fn start(site: &Site, binaries: &Binaries, persons: u64) -> Result<Self> {
        let home = site.dir("pg");
        fs::create_dir(&home)?;
        let account = Account::for_server(site, &home)?;
        let data = home.join("data");
        let mut initdb = account.command(&binaries.initdb, &home);
        initdb.args([
            "--auth=trust",
            "--username=luzhang",
            "--no-sync",
            "--encoding=UTF8",
        ]);
        initdb.args(["--locale=C", "--pgdata"]).arg(&data);
        let made = initdb.output().context("initdb does not start")?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr).trim()
        );
        let mut postgres = account.command(&binaries.postgres, &home);
        postgres.arg("-D").arg(&data).arg("-k").arg(&home);
        postgres.args(["-c", "listen_addresses="]);
        let log = fs::File::create(site.dir("postgres.log"))?;
        postgres.stdout(Stdio::null()).stderr(log);
        let child = postgres.spawn().context("postgres does not start")?;
        // Killed outright it would leave its shared memory behind.
        let mut process = Process::with_farewell("postgres", child, "INT");
        let first = match first_connection(&home, &mut process).await {
            Ok(client) => client,
            Err(error) => {
                let said = fs::read_to_string(site.dir("postgres.log")).unwrap_or_default();
                return Err(error.context(said));
            }
        };
        first.batch_execute(SCHEMA).await?;
        enlist(&first, persons).await?;
        let mut connections = Vec::with_capacity(IN_FLIGHT);
        for _ in 0..IN_FLIGHT {
            let client = connect(&home).await?;
            let statement = client.prepare(ISSUE).await?;
            connections.push((Arc::new(client), statement));
        }
        let socket = home
            .to_str()
            .context("the scratch directory has no plain name")?;
        let address = format!(
            "postgresql://luzhang@{}/postgres",
            socket.replace('/', "%2F")
        );
        Ok(Self {
            address,
            connections,
            _process: process,
        })
    }

    /// Calls the function with what is in stock until a bound is met.
    pub(super) async fn run(
        &self,
        stock: &Arc<Stock<Claim>>,
        bounds: Bounds,
        interrupt: &Interrupt,
    ) -> Result<Slice> {
        let mut callers = JoinSet::new();
        let cpu = cpu_time()?;
        let began = Instant::now();
        for (client, statement) in &self.connections {
            let (client, statement) = (Arc::clone(client), statement.clone());
            let stock = Arc::clone(stock);
            let interrupt = interrupt.clone();
            callers.spawn(async move {
                let mut latencies = Vec::new();
                while began.elapsed() < bounds.time
                    && let Some(claim) = stock.take()
                {
                    interrupt.check()?;
                    let asked = Instant::now();
                    claim.issue(&client, &statement).await?;
                    latencies.push(nanos(asked.elapsed()));
                }
                Ok::<_, anyhow::Error>(latencies)
            });
        }
        let mut slice = Slice::default();
        while let Some(latencies) = callers.join_next().await {
            slice.latencies.extend(latencies??);
        }
        slice.time = began.elapsed();
        slice.client_cpu = cpu_time()?.saturating_sub(cpu);
        slice.latencies.sort_unstable();
        Ok(slice)
    }
}

/// A claim as the function takes it.
#[derive(Debug)]
pub(super) struct Claim {
    id: Vec<u8>,
    worker: Vec<u8>,
    employer: Vec<u8>,
    first: i32,
    last: i32,
    insured: Option<i32>,
    amount_fen: i64,
    fund: String,
    body: Vec<u8>,
}

impl Claim {
    /// The same claim that the ledger is asked for.
    pub(super) fn new(case: Case) -> Option<Self> {
        let command = bureau::claim(case);
        let body = command.encode_to_vec();
        let id = Uuid::try_parse(&command.request_id).ok()?;
        let Some(wire::command::Body::ServiceSubsidy(claim)) = command.body else {
            return None;
        };
        Some(Self {
            id: id.as_bytes().to_vec(),
            worker: pseudonym(&claim.worker?.national_id),
            employer: pseudonym(&claim.employer?.credit_code),
            first: days(claim.contract_first_day?)?,
            last: days(claim.contract_last_day?)?,
            insured: claim.insured_from.and_then(days),
            amount_fen: claim.amount_fen,
            fund: claim.fund,
            body,
        })
    }

    async fn issue(&self, client: &Client, statement: &Statement) -> Result<()> {
        let row = client
            .query_one(
                statement,
                &[
                    &self.id,
                    &self.worker,
                    &self.employer,
                    &self.first,
                    &self.last,
                    &self.insured,
                    &self.amount_fen,
                    &self.fund,
                    &self.body,
                ],
            )
            .await?;
        let failures: Vec<String> = row.try_get(1)?;
        ensure!(
            failures.is_empty(),
            "a claim that should be granted was not: {failures:?}"
        );
        Ok(())
    }
}

fn pseudonym(number: &str) -> Vec<u8> {
    blake3::hash(number.as_bytes()).as_bytes()[..16].to_vec()
}

/// Days since 2000-01-01.
fn days(date: WireDate) -> Option<i32> {
    let part = |value: i32| i8::try_from(value).ok();
    let year = i16::try_from(date.year).ok()?;
    let date = jiff::civil::Date::new(year, part(date.month)?, part(date.day)?).ok()?;
    Some(
        jiff::civil::Date::constant(2000, 1, 1)
            .until(date)
            .ok()?
            .get_days(),
    )
}

/// Who runs the server: it refuses to be run by root.
struct Account {
    ids: Option<(u32, u32)>,
}

impl Account {
    fn for_server(site: &Site, home: &Path) -> Result<Self> {
        if fs::metadata("/proc/self")?.uid() != 0 {
            return Ok(Self { ids: None });
        }
        let accounts = fs::read_to_string("/etc/passwd")?;
        let ids = ids_of(&accounts, "postgres").or_else(|| ids_of(&accounts, "nobody"));
        let (user, group) = ids.context("there is no account `postgres` or `nobody` to run it")?;
        chown(home, Some(user), Some(group))?;
        // To be passed through, but not looked into.
        fs::set_permissions(site.path(), fs::Permissions::from_mode(0o711))?;
        Ok(Self {
            ids: Some((user, group)),
        })
    }

    fn command(&self, program: &Path, home: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(home).stdin(Stdio::null());
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        command
    }
}

fn ids_of(accounts: &str, name: &str) -> Option<(u32, u32)> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()? == name;
        let mut ids = fields.skip(1).map(str::parse);
        let ids = (ids.next()?.ok()?, ids.next()?.ok()?);
        found.then_some(ids)
    })
}

async fn first_connection(home: &Path, process: &mut Process) -> Result<Client> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        match connect(home).await {
            Ok(client) => return Ok(client),
            Err(_) if process.has_ended() => bail!("postgres ended at once"),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connect(home: &Path) -> Result<Client> {
    let mut config = Config::new();
    config.host_path(home).user("luzhang").dbname("postgres");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn enlist(client: &Client, persons: u64) -> Result<()> {
    let numbers: Vec<u64> = (0..persons).collect();
    for some in numbers.chunks(10_000) {
        let some: Vec<Vec<u8>> = some
            .iter()
            .map(|number| pseudonym(&bureau::person(*number).national_id))
            .collect();
        let insert = "INSERT INTO status (person, since) SELECT unnest($1::bytea[]), '2020-01-01'";
        client.execute(insert, &[&some]).await?;
    }
    // As it would be after a while in use.
    client.batch_execute("VACUUM ANALYZE").await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\n\
                        postgresql:x:7:8::/:/bin/false\n\
                        postgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(ids_of(accounts, "postgres"), Some((101, 104)));
        assert_eq!(ids_of(accounts, "nobody"), None);
    }

    #[test]
    fn a_claim_is_the_same_for_both() {
        let claim = Claim::new(Case { person: 3, slot: 1 }).unwrap();
        // 2024-03-01 and 2025-03-01.
        assert_eq!((claim.first, claim.last), (8_826, 9_191));
        assert_eq!(claim.insured, Some(8_826));
        let command = wire::Command::decode(&*claim.body).unwrap();
        assert_eq!(command, bureau::claim(Case { person: 3, slot: 1 }));
    }
}
