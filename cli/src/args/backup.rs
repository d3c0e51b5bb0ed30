//! `luzhang log`, `backup` and `restore`: options.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use luzhang_ledger::{
    Position,
    log::backup::{MIN_RUN_BYTES, RUN_BYTES},
};

use crate::{place::Place, trust::Trust};

/// The log itself, whatever it is in.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Copy a log block by block, each verified on the way; run again, it goes on where
    /// it ended. Keys are not copied
    Copy {
        /// A data directory that no server has open, an export file, a backup, or a
        /// database, such as `postgresql://luzhang@db1/luzhang`
        #[arg(long, value_name = "DIR|FILE|SHELF|URL", value_parser = Place::parse)]
        from: Place,
        /// A data directory, an export file, or a database by itself; a new one is a file if its name ends in
        /// `.luzhang-export` or `.luzhang`, else a data directory, whose log is in a
        /// database if --database says so
        #[arg(long, value_name = "DIR|FILE|URL", value_parser = Place::parse)]
        to: Place,
        /// The ledger's id, if the database that is copied from has several
        #[arg(long, value_name = "UUID")]
        ledger: Option<uuid::Uuid>,
    },
}

#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true)]
pub(crate) struct BackupArgs {
    #[command(subcommand)]
    pub(crate) command: Option<BackupCommand>,
    /// Which directory: one that is new or empty, or that has a backup of this ledger
    #[arg(long, value_name = "SHELF", required = true)]
    pub(crate) to: Option<PathBuf>,
    /// Leave a note of it in this data directory, for `luzhang doctor` and the metrics
    #[arg(long, value_name = "DIR")]
    pub(crate) note: Option<PathBuf>,
    /// Seal a file when it has so many bytes
    #[arg(
        long,
        value_name = "N",
        default_value_t = RUN_BYTES,
        value_parser = clap::value_parser!(u64).range(MIN_RUN_BYTES..)
    )]
    pub(crate) file_bytes: u64,
}

/// What to do with a backup.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Verify a backup by itself: every file, the chain, the manifest, the checkpoint
    Verify {
        /// The directory with the backup
        #[arg(value_name = "SHELF")]
        shelf: PathBuf,
        /// Whose signature of the checkpoint to trust; without any, only whether the
        /// backup agrees with itself is found out
        #[command(flatten)]
        trust: Trust,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The directory with the backup
    #[arg(long, value_name = "SHELF")]
    pub(crate) from: PathBuf,
    /// Which directory; it must be new or empty, or one that this command began. With
    /// --database its log is there
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Up to this event and no further
    #[arg(long, value_name = "POSITION", value_parser = position)]
    pub(crate) until: Option<Position>,
    /// Go by the files that are there, of a backup whose manifest is lost. That
    /// something is missing at the end cannot be noticed then
    #[arg(long)]
    pub(crate) without_manifest: bool,
    /// Whose signature of the checkpoint to trust; without any, it is not checked
    #[command(flatten)]
    pub(crate) trust: Trust,
}

fn position(text: &str) -> Result<Position, String> {
    let number = text.parse().ok().and_then(Position::new);
    number.ok_or_else(|| "not a position: they count from 1".to_owned())
}
