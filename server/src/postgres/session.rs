//! Connections to the database, used from threads that wait.
//!
//! The driver is asynchronous; the log port is not. So all connections live on one
//! small runtime of their own, and whoever asks waits for the answer on a channel:
//! that works in a thread and inside any other runtime.

use std::{
    collections::{HashMap, HashSet},
    error::Error,
    fmt,
    future::Future,
    path::Path,
    sync::{Arc, mpsc::sync_channel},
    time::Duration,
};

use parking_lot::Mutex;
use rustls::ClientConfig;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_postgres::{
    AsyncMessage, Client, Row, Statement,
    error::{DbError, SqlState},
    types::ToSql,
};

use super::{
    PostgresError,
    address::{Address, Files, Place},
    tls::{Connector, Secured},
};

/// How long a host has to answer at least before the next one is asked.
const LEAST: Duration = Duration::from_secs(2);
/// How much later whoever waits gives up than who is waited for.
const LATER: Duration = Duration::from_millis(500);

/// A database that is known by name: how to connect to it, and where connections
/// live.
#[derive(Clone)]
pub struct Database {
    address: Arc<Address>,
    runtime: Arc<Connections>,
    /// Hosts of which was told already that they cannot be trusted.
    told: Arc<Mutex<HashSet<String>>>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the password.
        f.debug_tuple("Database").field(&self.place()).finish()
    }
}

/// The runtime of the connections; it ends with the last who uses it.
#[derive(Debug)]
struct Connections(Option<Runtime>);

impl Drop for Connections {
    fn drop(&mut self) {
        // This may happen on a thread that must not wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reading blocks that are known to be there; any instance will do.
    Read,
    /// The instance that takes writes.
    Write,
}

impl Database {
    /// Understands a connection string, such as
    /// `postgresql://luzhang@db1,db2,db3/luzhang?sslrootcert=ca.crt`. Its paths are
    /// relative to the working directory.
    ///
    /// # Errors
    /// [`PostgresError::Address`] if it makes no sense, or asks for what is not there;
    /// [`PostgresError::Unverified`] if it asks for no protection where there should be
    /// one; [`PostgresError::Files`] if its files cannot be used.
    pub fn parse(text: &str) -> Result<Self, PostgresError> {
        Self::parse_in(text, Path::new(""))
    }

    /// The same with paths that are relative to this directory.
    ///
    /// # Errors
    /// As [`Database::parse`].
    pub fn parse_in(text: &str, dir: &Path) -> Result<Self, PostgresError> {
        let address = Address::parse(text, dir)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("luzhang-database")
            .enable_all()
            .build()
            .map_err(PostgresError::Threads)?;
        Ok(Self {
            address: Arc::new(address),
            runtime: Arc::new(Connections(Some(runtime))),
            told: Arc::default(),
        })
    }

    /// Where it is, for people: hosts and name, no password.
    pub fn place(&self) -> String {
        self.address.place()
    }

    /// Its address, to be kept: paths do not depend on where it is read.
    pub(crate) fn address(&self) -> &str {
        self.address.text()
    }

    /// The files that its connections are encrypted with, if any are.
    pub fn files(&self) -> Option<&Files> {
        self.address.files()
    }

    /// Whether it takes writes from us.
    pub(crate) fn reach(&self) -> Result<(), PostgresError> {
        self.connect(Purpose::Write, super::log::ANSWER).map(drop)
    }

    fn handle(&self) -> Result<Handle, PostgresError> {
        let runtime = self.runtime.0.as_ref();
        runtime
            .map(|runtime| runtime.handle().clone())
            .ok_or(PostgresError::Ended)
    }

    /// Runs a future on the connections' runtime and waits for it, in any thread.
    fn wait<T: Send + 'static>(
        &self,
        within: Duration,
        future: impl Future<Output = Result<T, PostgresError>> + Send + 'static,
    ) -> Result<T, PostgresError> {
        let (send, receive) = sync_channel(1);
        self.handle()?.spawn(async move {
            let done = tokio::time::timeout(within, future).await;
            // Whoever asked waits for it.
            let _waits = send.send(done.unwrap_or(Err(PostgresError::TimedOut { within })));
        });
        receive.recv().unwrap_or(Err(PostgresError::Ended))
    }

    /// Connects to the first of its hosts that will do.
    ///
    /// # Errors
    /// Why the last one would not; or why one could not be trusted, which nobody should
    /// have to guess from what the others said.
    pub(super) fn connect(
        &self,
        purpose: Purpose,
        within: Duration,
    ) -> Result<Session, PostgresError> {
        let client = self.address.client()?;
        let hosts = self.address.hosts();
        // One that is silent does not keep the others from being asked.
        let count = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        let each = (within / count).max(LEAST);
        let warnings = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&warnings);
        let told = Arc::clone(&self.told);
        let (client, protection) = self.wait(each * count + LATER, async move {
            let mut failed = None;
            for host in hosts {
                let name = host.name.clone();
                let host = match purpose {
                    Purpose::Read => host,
                    Purpose::Write => host.writable(),
                };
                let tried = connect(host, client.clone(), Arc::clone(&heard));
                match tokio::time::timeout(each, tried).await {
                    Ok(Ok(connected)) => {
                        told.lock().remove(&name);
                        return Ok(connected);
                    }
                    Ok(Err(error)) => {
                        // Another may do, and then nobody else would tell.
                        if error.is_of_trust() && told.lock().insert(name) {
                            let code = error.code();
                            tracing::warn!(code, %error, "a host of the database is not used");
                        }
                        let known = failed.take().filter(PostgresError::is_of_trust);
                        failed = known.or(Some(error));
                    }
                    Err(_) => {
                        failed.get_or_insert(PostgresError::TimedOut { within: each });
                    }
                }
            }
            Err(failed.unwrap_or(PostgresError::Ended))
        })?;
        Ok(Session {
            database: self.clone(),
            client,
            protection,
            warnings,
            prepared: Arc::default(),
        })
    }

    /// Which of its hosts cannot be trusted, whoever takes writes now: one that is needed
    /// only when another fails would show that too late.
    pub(super) fn distrusted(&self, within: Duration) -> Result<Vec<PostgresError>, PostgresError> {
        let client = self.address.client()?;
        let mut found = Vec::new();
        for host in self.address.hosts() {
            let tried = connect(host, client.clone(), Arc::default());
            if let Err(error) = self.wait(within, tried)
                && error.is_of_trust()
            {
                found.push(error);
            }
        }
        Ok(found)
    }
}

/// How a connection is protected.
#[derive(Clone, Debug)]
pub struct Protection {
    /// The host that it is to.
    pub host: String,
    /// Whether that is this machine.
    pub is_here: bool,
    /// How it is encrypted, if it is.
    pub secured: Option<Secured>,
}

/// Connects to one host.
async fn connect(
    host: Place,
    client: Option<Arc<ClientConfig>>,
    heard: Arc<Mutex<Vec<String>>>,
) -> Result<(Arc<Client>, Protection), PostgresError> {
    let tls = Connector::new(client);
    let connected = host.config.connect(tls.clone()).await;
    let (client, mut connection) =
        connected.map_err(|error| PostgresError::of_connecting(&host.name, &error))?;
    tokio::spawn(async move {
        while let Some(Ok(message)) =
            std::future::poll_fn(|context| connection.poll_message(context)).await
        {
            if let AsyncMessage::Notice(notice) = message
                && is_warning(&notice)
            {
                heard.lock().push(described(&notice));
            }
        }
    });
    // A role may be set to hear of errors only.
    let asked = client.batch_execute("SET client_min_messages = warning");
    asked.await.map_err(|e| failed(&e))?;
    let protection = Protection {
        is_here: host.is_here,
        host: host.name,
        secured: tls.secured(),
    };
    Ok((Arc::new(client), protection))
}

/// One connection.
pub(super) struct Session {
    database: Database,
    client: Arc<Client>,
    protection: Protection,
    /// What the database warned of since somebody last looked.
    warnings: Arc<Mutex<Vec<String>>>,
    /// Statements that the database has understood already, by their text.
    prepared: Arc<Mutex<HashMap<&'static str, Statement>>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.database).finish()
    }
}

/// An argument of a statement.
pub(super) type Argument = Box<dyn ToSql + Send + Sync>;

impl Session {
    pub(super) fn protection(&self) -> &Protection {
        &self.protection
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs a statement. What it returns counts only if it was not warned of:
    /// a commit whose wait for a standby was cancelled succeeds with a warning.
    ///
    /// # Errors
    /// [`PostgresError::Warned`] for that.
    pub(super) fn query(
        &self,
        within: Duration,
        statement: &'static str,
        arguments: Vec<Argument>,
    ) -> Result<Vec<Row>, PostgresError> {
        self.warnings.lock().clear();
        let (client, known) = (Arc::clone(&self.client), Arc::clone(&self.prepared));
        let rows = self.database.wait(within, async move {
            let arguments: Vec<&(dyn ToSql + Sync)> = arguments
                .iter()
                .map(|argument| &**argument as &(dyn ToSql + Sync))
                .collect();
            let mut prepared = known.lock().get(statement).cloned();
            if prepared.is_none() {
                let new = client.prepare(statement).await.map_err(|e| failed(&e))?;
                known.lock().insert(statement, new.clone());
                prepared = Some(new);
            }
            let prepared = prepared.ok_or(PostgresError::Ended)?;
            client
                .query(&prepared, &arguments)
                .await
                .map_err(|e| failed(&e))
        })?;
        // The warning of a commit comes before its end does.
        match self.warnings.lock().pop() {
            None => Ok(rows),
            Some(warning) => Err(PostgresError::Warned { warning }),
        }
    }
}

impl Session {
    /// Runs statements without arguments, of which nothing is expected.
    pub(super) fn run(
        &self,
        within: Duration,
        statements: &'static str,
    ) -> Result<(), PostgresError> {
        let client = Arc::clone(&self.client);
        self.database.wait(within, async move {
            client
                .batch_execute(statements)
                .await
                .map_err(|e| failed(&e))
        })
    }
}

/// Whether a notice says that something did not go as it should.
fn is_warning(notice: &DbError) -> bool {
    // In the language of the database, unless it is new enough to say it plainly.
    notice.parsed_severity().is_none_or(|severity| {
        use tokio_postgres::error::Severity as S;
        matches!(severity, S::Warning | S::Error | S::Fatal | S::Panic)
    })
}

/// An error or a warning of the database, with its code.
fn described(error: &DbError) -> String {
    format!("{} ({})", error.message(), error.code().code())
}

/// An error with what caused it.
pub(super) fn chained(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// Whether the connection is at fault, and not what was said over it.
fn is_of_connection(error: &tokio_postgres::Error) -> bool {
    let io = error
        .source()
        .is_some_and(<dyn Error>::is::<std::io::Error>);
    // An attempt to connect says so in words only.
    io || error.is_closed() || error.to_string().contains("connect")
}

pub(super) fn failed(error: &tokio_postgres::Error) -> PostgresError {
    match error.as_db_error() {
        Some(said) if *said.code() == SqlState::UNDEFINED_TABLE => PostgresError::NoTables,
        Some(said) => PostgresError::Refused {
            detail: described(said),
            code: said.code().clone(),
        },
        None if is_of_connection(error) => PostgresError::Unreachable {
            detail: chained(error),
        },
        None => PostgresError::Refused {
            detail: chained(error),
            code: SqlState::INTERNAL_ERROR,
        },
    }
}
