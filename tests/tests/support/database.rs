//! PostgreSQL instances of a test's own: on Unix sockets, in a directory of their own,
//! without any service of the system. A primary, standbys of it, and what can happen to
//! them.

use std::{
    env, fs,
    io::Write as _,
    net::Ipv4Addr,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU8, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

const READY_WITHIN: Duration = Duration::from_mins(1);

/// A directory in which instances live. They end with it.
pub(crate) struct Cluster {
    home: tempfile::TempDir,
    programs: PathBuf,
    ids: Option<(u32, u32)>,
    network: bool,
}

/// One instance.
pub(crate) struct Instance {
    name: String,
    home: PathBuf,
    programs: PathBuf,
    ids: Option<(u32, u32)>,
    /// Where it listens besides its socket.
    address: Option<Ipv4Addr>,
    process: Option<Child>,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        // To be passed through by the account of the instances, not to be looked into.
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o711)).unwrap();
        Self {
            home,
            programs: programs(),
            ids: account(),
            network: false,
        }
    }

    /// Whose instances listen on the loopback network too, each at its own address.
    pub(crate) fn on_network() -> Self {
        Self {
            network: true,
            ..Self::new()
        }
    }

    /// A new instance, with these settings.
    pub(crate) fn primary(&self, name: &str, settings: &[&str]) -> Instance {
        let mut instance = self.instance(name);
        done(instance.command("initdb").args([
            "--auth=trust",
            "--username=luzhang",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            "--pgdata=data",
        ]));
        instance.set(&[
            "max_connections = 60",
            "shared_buffers = '32MB'",
            "hot_standby = on",
            "wal_keep_size = '256MB'",
            "wal_receiver_timeout = '2s'",
            "wal_retrieve_retry_interval = '100ms'",
        ]);
        instance.set(settings);
        instance.start();
        instance
    }

    /// A standby of a running instance, which knows it by this name.
    pub(crate) fn standby(&self, name: &str, of: &Instance) -> Instance {
        let mut instance = self.instance(name);
        done(instance.command("pg_basebackup").args([
            "--no-sync",
            "--checkpoint=fast",
            "--wal-method=stream",
            "--write-recovery-conf",
            "--pgdata=data",
            "--username=luzhang",
            "--dbname",
            &format!("application_name={name}"),
            "--host",
            of.home.to_str().unwrap(),
        ]));
        instance.start();
        instance
    }

    fn instance(&self, name: &str) -> Instance {
        let home = self.home.path().join(name);
        fs::create_dir(&home).unwrap();
        if let Some((user, group)) = self.ids {
            chown(&home, Some(user), Some(group)).unwrap();
        }
        Instance {
            name: name.to_owned(),
            home,
            programs: self.programs.clone(),
            ids: self.ids,
            address: self.network.then(own_address),
            process: None,
        }
    }
}

/// How to connect to whichever of these takes writes.
pub(crate) fn url(instances: &[&Instance]) -> String {
    let hosts = instances.iter().map(|instance| {
        let path = instance.home.to_str().unwrap();
        format!("{}:5432", path.replace('/', "%2F"))
    });
    let hosts: Vec<String> = hosts.collect();
    format!("postgresql://luzhang@{}/postgres", hosts.join(","))
}

impl Instance {
    /// Adds lines to its settings; they hold after the next start, or [`Self::reload`].
    pub(crate) fn set(&self, lines: &[&str]) {
        let path = self.home.join("data/postgresql.conf");
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        for line in lines {
            writeln!(file, "{line}").unwrap();
        }
    }

    /// Where it listens besides its socket.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address.unwrap()
    }

    /// Who is let in over the network, in lines of `pg_hba.conf`. Over its socket everybody
    /// is.
    pub(crate) fn admit(&self, lines: &[&str]) {
        let local = ["local all all trust", "local replication all trust"];
        let all: Vec<&str> = local.iter().chain(lines).copied().collect();
        self.write("pg_hba.conf", &all.join("\n"));
        self.take_in();
    }

    /// Gives it a certificate and its key, and whose certificates it believes.
    pub(crate) fn encrypt(&self, certificate: &str, key: &str, clients: &str) {
        self.write("server.crt", certificate);
        self.write("server.key", key);
        self.write("clients.crt", clients);
        self.set(&["ssl_ca_file = 'clients.crt'", "ssl = on"]);
        self.take_in();
    }

    /// Has the settings read again, and waits until whoever connects is met by them.
    pub(crate) fn take_in(&self) {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let mark = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        self.set(&[&format!("test.mark = '{mark}'")]);
        self.reload();
        self.until("SHOW test.mark", &mark);
    }

    /// A file among its data, its own alone.
    fn write(&self, name: &str, text: &str) {
        let path = self.home.join("data").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = self.ids {
            chown(&path, Some(user), Some(group)).unwrap();
        }
    }

    /// Has the settings read again.
    pub(crate) fn reload(&self) {
        self.sql("SELECT pg_reload_conf()");
    }

    pub(crate) fn start(&mut self) {
        assert!(self.process.is_none(), "{} runs already", self.name);
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.home.join("log"))
            .unwrap();
        let mut command = self.command("postgres");
        // Not among its settings, which are copied to its standbys.
        command.args(["-D", "data", "-k"]).arg(&self.home);
        let address = self.address.map(|address| address.to_string());
        let listen = address.unwrap_or_default();
        command.args(["-c", &format!("listen_addresses={listen}")]);
        command.stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().unwrap());
        let until = Instant::now() + READY_WITHIN;
        while !self.try_sql("SELECT 1").status.success() {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            let said = || {
                let refused = self.try_sql("SELECT 1").stderr;
                let refused = String::from_utf8_lossy(&refused).into_owned();
                refused + &fs::read_to_string(self.home.join("log")).unwrap()
            };
            assert_eq!(ended, None, "{} ended: {}", self.name, said());
            assert!(Instant::now() < until, "{} is slow: {}", self.name, said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// All its processes are gone at once, as when the power fails.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.process.take().unwrap().wait().unwrap();
    }

    /// It ends in order.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        kill_process(Pid::from_child(&process), Signal::INT).unwrap();
        process.wait().unwrap();
    }

    /// It does nothing more, and holds its connections, until [`Self::thaw`].
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a signal to the instance, and to its processes, which are no group.
    fn signal(&self, signal: Signal) {
        let first = Pid::from_child(self.process.as_ref().unwrap());
        // Meanwhile it starts no others.
        kill_process(first, Signal::STOP).unwrap();
        for child in children(first) {
            // It may have ended by itself.
            let _ = kill_process(child, signal);
        }
        kill_process(first, signal).unwrap();
    }

    /// A standby becomes the primary.
    pub(crate) fn promote(&self) {
        assert_eq!(self.sql("SELECT pg_promote()"), "t");
    }

    /// A standby follows another primary from now on.
    pub(crate) fn follow(&self, primary: &Instance) {
        self.sql(&format!(
            "ALTER SYSTEM SET primary_conninfo = \
             'user=luzhang dbname=postgres application_name={} host={}'",
            self.name,
            primary.home.display()
        ));
        self.reload();
    }

    /// The answer of a statement, one line a row.
    pub(crate) fn sql(&self, statement: &str) -> String {
        let output = self.try_sql(statement);
        let said = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statement}: {error}");
        said.trim_end().to_owned()
    }

    /// Runs a statement that somebody may end.
    pub(crate) fn may_fail(&self, statement: &str) {
        let _ended = self.try_sql(statement);
    }

    fn try_sql(&self, statement: &str) -> Output {
        let mut command = self.command("psql");
        command.args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet"]);
        command.args(["--username=luzhang", "--dbname=postgres", "--host"]);
        command.arg(&self.home).args(["--command", statement]);
        command.output().unwrap()
    }

    /// Waits until a statement's answer is as wanted.
    pub(crate) fn until(&self, statement: &str, wanted: &str) {
        let until = Instant::now() + READY_WITHIN;
        loop {
            // What it asks of may not have come yet either.
            let found = self.try_sql(statement);
            let found = String::from_utf8(found.stdout).unwrap();
            if found.trim_end() == wanted {
                return;
            }
            assert!(Instant::now() < until, "{statement}: {found}, not {wanted}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.home).stdin(Stdio::null());
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        command
    }
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.process.is_some() {
            // Frozen or not; what it has is of no use to anybody.
            self.signal(Signal::CONT);
        }
        if let Some(mut process) = self.process.take() {
            let _ = kill_process(Pid::from_child(&process), Signal::QUIT);
            let _ = process.wait();
        }
    }
}

/// The processes that another one has started.
fn children(of: Pid) -> Vec<Pid> {
    let parent = |stat: &str| {
        // After the name, which may have any character: state, parent.
        let (_, rest) = stat.rsplit_once(')')?;
        rest.split_whitespace().nth(1)?.parse::<i32>().ok()
    };
    let processes = fs::read_dir("/proc").unwrap();
    let children = processes.filter_map(|entry| {
        let entry = entry.ok()?;
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        (parent(&stat)? == of.as_raw_nonzero().get()).then(|| Pid::from_raw(pid))?
    });
    children.collect()
}

/// Where the programs are: in the path, or where Debian keeps them.
fn programs() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).collect::<Vec<_>>();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path().join("bin"))
        .collect();
    versions.sort();
    let found = versions.into_iter().rev().chain(in_path);
    let whole = |dir: &PathBuf| dir.join("initdb").exists() && dir.join("psql").exists();
    found.into_iter().find(whole).expect(
        "PostgreSQL is not installed: `scripts/test` does it, or Debian's package `postgresql`",
    )
}

/// An address of the loopback network that no other test has.
fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    // The first ones are everybody's.
    Ipv4Addr::new(
        127,
        64 | high & 63,
        low,
        NEXT.fetch_add(1, Ordering::Relaxed),
    )
}

/// PostgreSQL refuses to be run by root.
fn account() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then_some(())?;
            let mut ids = fields.skip(1).map(|id| id.parse::<u32>().unwrap());
            Some((ids.next()?, ids.next()?))
        })
    };
    Some(ids("postgres").or_else(|| ids("nobody")).unwrap())
}

/// The path of an instance, for what is done to its files.
impl AsRef<Path> for Instance {
    fn as_ref(&self) -> &Path {
        &self.home
    }
}
