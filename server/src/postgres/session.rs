//! Connections to the database, used from threads that wait.
//!
//! The driver is asynchronous; the log port is not. So all connections live on one
//! small runtime of their own, and whoever asks waits for the answer on a channel:
//! that works in a thread and inside any other runtime.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    future::Future,
    str::FromStr,
    sync::{Arc, mpsc::sync_channel},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_postgres::{
    AsyncMessage, Client, Config, NoTls, Row, Statement,
    config::{Host, SslMode, TargetSessionAttrs},
    error::{DbError, SqlState},
    types::ToSql,
};

use super::PostgresError;

/// How long an attempt to connect to one host may take.
const CONNECT: Duration = Duration::from_secs(3);
/// A connection over which nothing comes is tried after so long, and so often.
const KEEPALIVE: Duration = Duration::from_secs(5);
const KEEPALIVES: u32 = 2;
/// How long what was sent may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// A database that is known by name: how to connect to it, and where connections
/// live.
#[derive(Clone)]
pub struct Database {
    config: Config,
    runtime: Arc<Connections>,
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
    /// `postgresql://luzhang@db1,db2,db3/luzhang`.
    ///
    /// # Errors
    /// [`PostgresError::Address`] if it makes no sense, or asks for what is not
    /// there.
    pub fn parse(text: &str) -> Result<Self, PostgresError> {
        let bad = |detail: String| PostgresError::Address { detail };
        let mut config = Config::from_str(text).map_err(|error| bad(chained(&error)))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(bad("it names no host".to_owned()));
        }
        if config.get_ssl_mode() == SslMode::Require {
            return Err(bad("sslmode=require is not supported".to_owned()));
        }
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
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("luzhang-database")
            .enable_all()
            .build()
            .map_err(PostgresError::Threads)?;
        Ok(Self {
            config,
            runtime: Arc::new(Connections(Some(runtime))),
        })
    }

    /// Where it is, for people: hosts and name, no password.
    pub fn place(&self) -> String {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<String> = hosts.collect();
        let name = self.config.get_dbname().or(self.config.get_user());
        format!("{}/{}", hosts.join(","), name.unwrap_or_default())
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

    /// Connects.
    pub(super) fn connect(
        &self,
        purpose: Purpose,
        within: Duration,
    ) -> Result<Session, PostgresError> {
        let mut config = self.config.clone();
        if purpose == Purpose::Write {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let warnings = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&warnings);
        let client = self.wait(within, async move {
            let (client, mut connection) = config.connect(NoTls).await.map_err(|e| failed(&e))?;
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
            Ok(Arc::new(client))
        })?;
        Ok(Session {
            database: self.clone(),
            client,
            warnings,
            prepared: Arc::default(),
        })
    }
}

/// One connection.
pub(super) struct Session {
    database: Database,
    client: Arc<Client>,
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
fn chained(error: &dyn std::error::Error) -> String {
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
