//! What every command may be told: which ledger, as whom, and how results are written.

use std::{path::PathBuf, time::Duration};

use clap::{ArgMatches, Args, parser::ValueSource};
use luzhang_server::{
    engine::DatabaseOptions,
    http::Believed,
    postgres::{Durable, LeaseSource},
    tls::pem,
    vault::{KekCommand, KekSource},
};

use super::{
    keys,
    servers::{self, ServerList},
};
use crate::{
    client::Target, failure::Failure, lang::Lang, logging::LogFormat, output::Format,
    servers::Named,
};

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// A server, for example `http://127.0.0.1:7380` or `https://ledger.example:7380`; if
    /// several have the ledger, all of them, in the order in which to ask
    #[arg(long, global = true, env = "LUZHANG_SERVER", value_name = "URL[,URL…]")]
    pub(crate) server: Option<ServerList>,
    /// How long to wait where no server answers, or none writes: `30s`, `5m`; 0 does not
    /// wait
    #[arg(
        long,
        global = true,
        env = "LUZHANG_PATIENCE",
        default_value = "30s",
        value_name = "TIME",
        value_parser = servers::patience
    )]
    pub(crate) patience: Duration,
    /// A data directory, used without a server
    #[arg(long, global = true, env = "LUZHANG_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// How results are written
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub(crate) output: Format,
    /// Language of messages; that of the locale by default
    #[arg(long, global = true, env = "LUZHANG_LANG", value_enum)]
    pub(crate) lang: Option<Lang>,
    /// How what happens is told on standard error: for people, or one JSON object a line
    #[arg(
        long,
        global = true,
        env = "LUZHANG_LOG_FORMAT",
        value_enum,
        default_value_t,
        value_name = "text|json"
    )]
    pub(crate) log_format: LogFormat,
    /// Show a server this certificate: PREFIX.crt, with its key in PREFIX.key
    #[arg(long, global = true, env = "LUZHANG_IDENTITY", value_name = "PREFIX")]
    pub(crate) identity: Option<PathBuf>,
    /// Believe servers whose certificates are by these CAs; `ca.crt` beside the
    /// identity by default
    #[arg(long, global = true, env = "LUZHANG_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The account that asks; that of the certificate, if one is shown
    #[arg(long, global = true, env = "LUZHANG_PRINCIPAL", value_name = "NAME")]
    pub(crate) principal: Option<String>,
    /// The file that holds the key-encryption key, of its owner's alone; `kek` in
    /// the data directory by default
    #[arg(long, global = true, env = "LUZHANG_KEK_FILE", value_name = "FILE")]
    pub(crate) kek_file: Option<PathBuf>,
    /// A shell command that prints what would be in that file
    #[arg(
        long,
        global = true,
        env = "LUZHANG_KEK_COMMAND",
        hide_env_values = true,
        value_name = "COMMAND"
    )]
    pub(crate) kek_command: Option<KekCommand>,
    /// The PostgreSQL database that has the log, such as
    /// `postgresql://luzhang@db1,db2,db3/luzhang?sslrootcert=db-ca.crt`; the one that the
    /// data directory was made with by default
    #[arg(
        long,
        global = true,
        env = "LUZHANG_DATABASE",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) database: Option<String>,
}

/// A data directory, and what is needed to open it.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub(crate) dir: PathBuf,
    /// Where its key-encryption key comes from.
    pub(crate) kek: KekSource,
    /// How its log is used, if that is in a database.
    pub(crate) database: DatabaseOptions,
}

impl Global {
    pub(crate) fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(Lang::of_locale)
    }

    /// What is named by a flag is meant, whatever the environment says: clap knows
    /// that for each option by itself, but not which exclude each other.
    pub(super) fn prefer_flags(&mut self, matches: &ArgMatches) {
        let is_flag = |name| matches.value_source(name) == Some(ValueSource::CommandLine);
        match (is_flag("server"), is_flag("data_dir")) {
            (true, false) => self.data_dir = None,
            (false, true) => self.server = None,
            (true, true) | (false, false) => {}
        }
        match (is_flag("kek_file"), is_flag("kek_command")) {
            (true, false) => self.kek_command = None,
            (false, true) => self.kek_file = None,
            (true, true) | (false, false) => {}
        }
    }

    /// Where the key-encryption key comes from.
    pub(crate) fn kek(&self) -> Result<KekSource, Failure> {
        if self.kek_file.is_some() && self.kek_command.is_some() {
            return Err(Failure::usage(
                "--kek-file 与 --kek-command 只能给一个",
                "give either --kek-file or --kek-command, not both",
            ));
        }
        let named = keys::source(self.kek_file.as_ref(), self.kek_command.as_ref());
        Ok(named.unwrap_or_default())
    }

    /// How a log in a database is used by whoever is no server.
    pub(crate) fn database(&self) -> DatabaseOptions {
        DatabaseOptions {
            address: self.database.clone(),
            // What the database promises is enough; servers ask for more.
            durable: Durable::Local,
            name: format!("luzhang {}", std::process::id()),
            lease: LeaseSource::Never,
        }
    }

    /// A data directory to open, for commands that make sense on one only.
    pub(crate) fn local(&self) -> Result<Local, Failure> {
        match self.target()? {
            Target::DataDir(local) => Ok(local),
            Target::Server(_) => Err(Failure::usage(
                "此命令需要 --data-dir DIR",
                "this command needs --data-dir DIR",
            )),
        }
    }

    /// Which ledger the command is about.
    pub(crate) fn target(&self) -> Result<Target, Failure> {
        match (&self.server, &self.data_dir) {
            (Some(servers), None) => Ok(Target::Server(self.servers(servers))),
            (None, Some(dir)) => Ok(Target::DataDir(Local {
                dir: dir.clone(),
                kek: self.kek()?,
                database: self.database(),
            })),
            (Some(_), Some(_)) => Err(Failure::usage(
                "--server 与 --data-dir 只能给一个",
                "give either --server or --data-dir, not both",
            )),
            (None, None) => Err(Failure::usage(
                "请用 --server URL 或 --data-dir DIR 指明账本",
                "name the ledger with --server URL or --data-dir DIR",
            )),
        }
    }

    /// Servers, with the means to talk to them.
    pub(crate) fn servers(&self, urls: &ServerList) -> Named {
        Named {
            urls: urls.clone(),
            identity: self.identity.clone(),
            ca: self.ca(),
            patience: self.patience,
        }
    }

    /// The file of the CAs whose servers are believed.
    fn ca(&self) -> Option<PathBuf> {
        let beside = || {
            let beside = self.identity.as_ref()?.with_file_name("ca.crt");
            beside.is_file().then_some(beside)
        };
        self.ca.clone().or_else(beside)
    }

    /// Whose certificates published trees, witnesses and webhooks may have.
    pub(crate) fn believed(&self) -> Result<Believed, Failure> {
        match self.ca() {
            None => Ok(Believed::default()),
            Some(file) => Ok(Believed::these(&pem::certificates(&file)?)),
        }
    }

    /// The data directory, for commands that make sense on one only.
    pub(crate) fn dir(&self) -> Result<PathBuf, Failure> {
        Ok(self.local()?.dir)
    }
}
