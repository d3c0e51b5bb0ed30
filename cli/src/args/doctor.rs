//! `luzhang doctor`.

use std::path::PathBuf;

use clap::Args;

use super::transport::TlsArgs;

#[derive(Clone, Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// The policy of witnesses (C2SP tlog-policy) that the server has
    #[arg(long, env = "LUZHANG_WITNESSES", value_name = "FILE")]
    pub(crate) witnesses: Option<PathBuf>,
    /// As `--output json`
    #[arg(long)]
    pub(crate) json: bool,
}
