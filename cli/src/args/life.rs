//! Commands for the life of a grant.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;

/// Which cases a list is about.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Which {
    /// Only this programme, by its id
    #[arg(long)]
    pub(crate) programme: Option<String>,
    /// Only this office
    #[arg(long)]
    pub(crate) office: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// Every grant and how far it is
    List {
        #[command(flatten)]
        which: Which,
        /// Only these stages: granted, reviewed, approved, `in_notice`, cleared,
        /// settled, bounced, reversed …
        #[arg(long, value_delimiter = ',')]
        stage: Vec<String>,
    },
    /// Who let whom take a second duty in a case, and why
    Overrides,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NoticeCommand {
    /// Publish every approved grant that is in no notice yet
    Publish {
        /// The notice's number
        number: String,
        /// The day on which it goes up
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Date,
        /// Its last day; the policy's working days by default
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<Date>,
        #[command(flatten)]
        which: Which,
    },
    /// The masked list, as CSV
    List {
        /// The notice's number
        number: String,
        /// Into a file
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Close a notice whose days are over
    Close {
        /// The notice's number
        number: String,
        /// A day after its last
        #[arg(long, value_name = "YYYY-MM-DD")]
        on: Date,
    },
    /// All notices
    Status,
}

/// What a payment file is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// Comma-separated values.
    Csv,
    /// ISO 20022 pain.001.001.09.
    Pain001,
}

/// Who pays.
#[derive(Clone, Debug, Args)]
pub(crate) struct Debtor {
    /// Name of the account that pays
    #[arg(id = "debtor", long = "debtor", value_name = "NAME")]
    pub(crate) name: String,
    /// Its number
    #[arg(id = "debtor_account", long = "debtor-account", value_name = "NUMBER")]
    pub(crate) account: String,
    /// Its bank
    #[arg(id = "debtor_bank", long = "debtor-bank", value_name = "NAME")]
    pub(crate) bank: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PaymentCommand {
    /// Make a batch of every grant whose notice is closed and that is not paid
    Create {
        /// The batch's number
        number: String,
        /// From which fund, by its id
        #[arg(long)]
        fund: String,
        #[command(flatten)]
        which: Which,
    },
    /// The payments of a batch, with names masked
    Show {
        /// The batch's number
        number: String,
    },
    /// Lock a batch, naming what you counted
    Lock {
        /// The batch's number
        number: String,
        /// How many payments
        #[arg(long)]
        count: u32,
        /// Their sum in yuan
        #[arg(long, value_name = "YUAN")]
        total: String,
    },
    /// Write the file for the bank; the batch must be locked
    Export {
        /// The batch's number
        number: String,
        /// In which format
        #[arg(long, value_enum)]
        format: FileFormat,
        /// Into which file; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The day on which the bank is to pay
        #[arg(long, value_name = "YYYY-MM-DD")]
        on: Date,
        #[command(flatten)]
        debtor: Debtor,
    },
    /// Record that the bank got the file
    Submit {
        /// The batch's number
        number: String,
        /// The file
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// When
        #[arg(long, value_name = "YYYY-MM-DD")]
        on: Date,
    },
    /// Read the bank's answer, CSV or pain.002, and compare it with the batch
    Results {
        /// The batch's number
        number: String,
        /// The bank's file
        file: PathBuf,
        /// Only compare
        #[arg(long)]
        dry_run: bool,
    },
    /// Put a bounced payment into another batch that is not locked yet
    Reissue {
        /// The other batch
        number: String,
        /// The grant, by its position
        #[arg(long, value_name = "POSITION")]
        grant: u64,
        /// Which of its payments bounced
        #[arg(long)]
        attempt: u32,
    },
    /// All batches
    Status,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConflictCommand {
    /// Conflicts that are open, with the money at stake
    List {
        /// Those that were cleared too
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecoveryCommand {
    /// Claim money back
    Open {
        /// The recovery's number
        number: String,
        /// The conflict that it follows from, by its position
        #[arg(long, value_name = "POSITION", required_unless_present = "grant")]
        conflict: Option<u64>,
        /// The grant, by its position; that of the conflict by default
        #[arg(long, value_name = "POSITION")]
        grant: Option<u64>,
        /// How much, in yuan; all that the payee holds by default
        #[arg(long, value_name = "YUAN")]
        amount: Option<String>,
        /// On what ground
        #[arg(long)]
        basis: String,
    },
    /// All recoveries
    Status,
}

/// A plain-text accounting format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum JournalFormat {
    /// hledger, ledger.
    Hledger,
    /// beancount.
    Beancount,
}
