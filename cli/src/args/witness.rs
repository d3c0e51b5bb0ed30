//! `luzhang witness`: options.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use luzhang_ledger::proof::{VerifierKey, note::KeyName};

/// A witness of its own: it cosigns checkpoints that continue what it has seen.
#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    /// Make a new witness, with a key of its own
    Init {
        /// A directory that is empty or absent
        dir: PathBuf,
        /// The name of its key, such as `audit.luzhou.example/w1`; it cannot be
        /// changed later
        #[arg(long, value_parser = name)]
        name: KeyName,
    },
    /// Watch a log; of one that is watched already, accept another key
    AddLog {
        /// The witness's directory; nothing else may use it meanwhile
        dir: PathBuf,
        /// The log's verifier key
        #[arg(value_name = "VKEY")]
        key: VerifierKey,
    },
    /// Print the verifier key, for those who are to trust this witness
    Key {
        /// The witness's directory
        dir: PathBuf,
    },
    /// The logs that it watches, and the newest tree of each that it has cosigned
    List {
        /// The witness's directory
        dir: PathBuf,
    },
    /// Answer logs over HTTP
    Serve(WitnessServeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct WitnessServeArgs {
    /// The witness's directory
    pub(crate) dir: PathBuf,
    /// Where to listen; loopback only
    #[arg(long, default_value = "127.0.0.1:7390")]
    pub(crate) listen: SocketAddr,
}

fn name(text: &str) -> Result<KeyName, String> {
    KeyName::new(text).map_err(|error| error.to_string())
}
