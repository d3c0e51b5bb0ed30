//! `luzhang keys`: options, and where the key-encryption key comes from.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use luzhang_server::vault::{KekCommand, KekSource};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Which key-encryption key wraps how many keys
    Show,
    /// Wrap all keys under a new key-encryption key; no server may run. Backups of
    /// `keys` that were made before cannot be opened any more, once no copy of the
    /// old key-encryption key is left. Where the log is in a database, so are the
    /// copies of keys there, and the other servers need `keys take`
    Rotate(RotateArgs),
    /// Wrap all keys of this server under the key-encryption key that another server
    /// of the same ledger has changed to; this server may not run
    Take(TakeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// Where the new one is; made if it is not there. By default it takes the place
    /// of the old one in `kek`, in the data directory
    #[arg(long, value_name = "FILE")]
    pub(crate) new_kek_file: Option<PathBuf>,
    /// A shell command that prints the new one
    #[arg(long, value_name = "COMMAND", conflicts_with = "new_kek_file")]
    pub(crate) new_kek_command: Option<KekCommand>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TakeArgs {
    /// Where the new one is. If the old one is the data directory's own, in `kek`, the
    /// new one takes its place there
    #[arg(long, value_name = "FILE")]
    pub(crate) new_kek_file: Option<PathBuf>,
    /// A shell command that prints the new one
    #[arg(long, value_name = "COMMAND")]
    pub(crate) new_kek_command: Option<KekCommand>,
}

/// The source that is named, if one is.
pub(crate) fn source(file: Option<&PathBuf>, command: Option<&KekCommand>) -> Option<KekSource> {
    let file = file.cloned().map(KekSource::File);
    file.or_else(|| command.cloned().map(KekSource::Command))
}
