//! `luzhang checkpoint`, `proof` and `tiles`: options.

use std::path::PathBuf;

use clap::Subcommand;

use crate::trust::Trust;

/// Signed heads of the tree over all events.
#[derive(Debug, Subcommand)]
pub(crate) enum CheckpointCommand {
    /// Print the newest checkpoint
    Show {
        /// Sign a new one if the newest does not cover this position
        #[arg(long, value_name = "POSITION")]
        covering: Option<u64>,
    },
    /// Record the digests of all projections, and sign a checkpoint over them now
    Sign,
    /// The keys that signed checkpoints, the newest last
    Keys,
    /// Sign with a new key from now on; the old one vouches for it
    Rotate {
        /// The old key is lost: whoever trusts it has to be told of the new one
        #[arg(long)]
        lost: bool,
    },
}

/// Proofs that need no trust in the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum ProofCommand {
    /// A receipt: that an event is in the ledger, under a signed checkpoint
    Get {
        /// The event's position
        position: u64,
        /// Put the event itself in, so that what it says is proven too
        #[arg(long)]
        with_content: bool,
        /// Into a file, which must not exist; else to standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// As a QR code too, SVG or PNG by the file's ending
        #[arg(long, value_name = "FILE.svg|FILE.png")]
        qr: Option<PathBuf>,
    },
    /// The proof that a checkpoint continues an older one
    Consistency {
        /// The older checkpoint
        old: PathBuf,
        /// The newer one; else the newest that is published
        #[arg(long, value_name = "FILE")]
        new: Option<PathBuf>,
        /// Into a file, which must not exist; else to standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Whose signatures to trust; the proof is checked before it is handed out
        #[command(flatten)]
        trust: Trust,
    },
    /// Check a receipt or a consistency proof; no ledger and no network is needed
    Check {
        /// The receipt, or the consistency proof
        file: PathBuf,
        /// Of a consistency proof: the older checkpoint
        #[arg(long, value_name = "FILE")]
        old: Option<PathBuf>,
        /// Whose signatures to trust
        #[command(flatten)]
        trust: Trust,
    },
}

/// The tree as static files.
#[derive(Debug, Subcommand)]
pub(crate) enum TilesCommand {
    /// Write or bring up to date a directory that any web server can serve
    Publish {
        /// Which directory
        dir: PathBuf,
    },
}
