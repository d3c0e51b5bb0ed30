//! `luzhang cert`: options.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Certificates: who a server and its callers are.
#[derive(Debug, Subcommand)]
pub(crate) enum CertCommand {
    /// Make a local CA, the server's certificate, and one for each account. Run again
    /// for more accounts, it uses the CA that is there; no file is overwritten
    Dev(DevArgs),
    /// Whose a certificate is, and when it expires; exits with 1 if one has
    Show {
        /// A PEM file, a directory of `*.crt`, or a server; that of --identity by
        /// default
        #[arg(value_name = "FILE|DIR|https://HOST:PORT")]
        of: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Where the files are
    pub(crate) dir: PathBuf,
    /// Make a certificate for this account: NAME.crt and NAME.key
    // The id is that of the option that every command takes, which it stands for here.
    #[arg(id = "principal", long = "principal", value_name = "NAME")]
    pub(crate) principals: Vec<String>,
    /// Another name or address of the server, beside localhost
    #[arg(long = "host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// For how many days they are valid
    #[arg(long, value_name = "N", default_value_t = crate::dev::DAYS, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub(crate) days: u32,
}
