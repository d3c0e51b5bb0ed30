//! The command line.

pub(crate) mod access;
pub(crate) mod backup;
pub(crate) mod cert;
pub(crate) mod doctor;
mod global;
pub(crate) mod keys;
pub(crate) mod life;
pub(crate) mod proof;
pub(crate) mod serve;
pub(crate) mod servers;
pub(crate) mod transport;
pub(crate) mod watch;
pub(crate) mod witness;

use std::{path::PathBuf, str::FromStr};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use luzhang_ledger::{Date, Position, proof::note::KeyName, text::Principal};

pub(crate) use self::global::{Global, Local};
use crate::{bench::BenchArgs, report::Form, trust::Trust};

/// luzhang 泸账: a subsidy ledger that can be checked without trusting it.
#[derive(Debug, Parser)]
#[command(
    name = "luzhang",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
    /// The command's name.
    #[arg(skip)]
    pub(crate) name: String,
}

impl Cli {
    /// Reads the command line, and ends the process if it makes no sense.
    pub(crate) fn parse_arguments() -> Self {
        let matches = Self::command().get_matches();
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        cli.global.prefer_flags(&matches);
        let name = matches.subcommand_name().unwrap_or_default();
        name.clone_into(&mut cli.name);
        cli
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new ledger in a data directory
    Init(InitArgs),
    /// Make a data directory for another server of a ledger in a database
    Join(JoinArgs),
    /// Serve a data directory over gRPC
    Serve(serve::ServeArgs),
    /// Certificates: make them for trying out, and see when they expire
    #[command(subcommand)]
    Cert(cert::CertCommand),
    /// Submit one command, written as JSON
    Submit(SubmitArgs),
    /// Import a bureau's tables, CSV or XLSX
    Import(ImportArgs),
    /// Look at events
    #[command(subcommand)]
    Event(EventCommand),
    /// Look at a person, organisation or brand; show or erase who it is
    #[command(subcommand)]
    Subject(SubjectCommand),
    /// Say what a reason code means, or why an event was decided so
    Explain(ExplainArgs),
    /// Who may do what
    #[command(subcommand)]
    Principal(access::PrincipalCommand),
    /// Check, show, list and adopt policy packs
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Export and verify the chain
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Signed heads of the tree over all events
    #[command(subcommand)]
    Checkpoint(proof::CheckpointCommand),
    /// Receipts and consistency proofs, and checking them without the ledger
    #[command(subcommand)]
    Proof(proof::ProofCommand),
    /// The tree as static files
    #[command(subcommand)]
    Tiles(proof::TilesCommand),
    /// A witness of its own, for an audit office
    #[command(subcommand)]
    Witness(witness::WitnessCommand),
    /// Copy a log from one place to another
    #[command(subcommand)]
    Log(backup::LogCommand),
    /// Back up a ledger, running or not, adding what is new; or verify a backup
    Backup(backup::BackupArgs),
    /// Make a data directory from a backup, whole or up to a position
    Restore(backup::RestoreArgs),
    /// Replay history under another policy pack, without writing
    Simulate(SimulateArgs),
    /// Fold the whole log anew and print the digests
    Rebuild {
        /// From an export file instead of a ledger
        #[arg(long, value_name = "EXPORT")]
        file: Option<PathBuf>,
    },
    /// What is computed from the log: names, digests, rows, what changed
    #[command(subcommand)]
    Projection(ProjectionCommand),
    /// Totals and registers
    #[command(subcommand)]
    Report(ReportCommand),
    /// How far each grant is
    #[command(subcommand)]
    Case(life::CaseCommand),
    /// Public notices
    #[command(subcommand)]
    Notice(life::NoticeCommand),
    /// Payment batches and the bank's answers
    #[command(subcommand)]
    Payment(life::PaymentCommand),
    /// Grants that later facts contradict
    #[command(subcommand)]
    Conflict(life::ConflictCommand),
    /// Money that is claimed back
    #[command(subcommand)]
    Recovery(life::RecoveryCommand),
    /// The keys of persons and organisations, and the key that wraps them
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Look at a data directory or a server as its keeper should: disk, clock, keys,
    /// certificates, checkpoints, backups
    Doctor(doctor::DoctorArgs),
    /// Measure this machine against its yardsticks
    Bench(BenchArgs),
    /// The whole way of a grant, in a new directory, in a few seconds
    Demo(DemoArgs),
    /// Print a completion script
    Completion {
        /// For which shell
        shell: Shell,
    },
    /// Write the manual pages
    Man {
        /// Into which directory
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The first policy pack: a file, or `none`; the built-in luzhou-2023 by default
    #[arg(long, value_name = "FILE|none")]
    pub(crate) pack: Option<String>,
    /// The name under which checkpoints are signed, such as
    /// `luzhou.example/ledger`; `luzhang/` and the ledger's id by default
    #[arg(long, value_name = "NAME", value_parser = key_name)]
    pub(crate) origin: Option<KeyName>,
    /// An administrator, by account; give two or more. Without any, whoever reaches
    /// this machine may do everything
    #[arg(long = "administrator", value_name = "NAME", value_parser = access::principal)]
    pub(crate) administrators: Vec<Principal>,
    /// To try it out: make a principal for each role (and `administrator-2`), with
    /// certificates of a CA of its own in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "administrators")]
    pub(crate) dev_certs: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct JoinArgs {
    /// A copy of the ledger's `keys` directory. The key-encryption key is not among
    /// them: bring it as `kek`, or name it with --kek-file or --kek-command
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: PathBuf,
    /// The ledger's id, if the database has several
    #[arg(long, value_name = "UUID")]
    pub(crate) ledger: Option<uuid::Uuid>,
}

fn key_name(text: &str) -> Result<KeyName, String> {
    KeyName::new(text).map_err(|error| error.to_string())
}

#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// A JSON file of a `luzhang.v1.Command`, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only say what would happen
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write a receipt (C2SP tlog-proof) into this file
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(crate) proof: Option<PathBuf>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct ImportArgs {
    /// Tables, taken in the order given
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write the table back with what became of each row (CSV, or XLSX by its
    /// ending); with several files, a directory
    #[arg(long, value_name = "FILE")]
    pub(crate) result: Option<PathBuf>,
    /// Give rows that were refused a new attempt
    #[arg(long)]
    pub(crate) resubmit: bool,
    /// Accept credit codes whose check digit does not match; each such row
    /// carries a warning
    #[arg(long)]
    pub(crate) accept_check_digits: bool,
    /// Only say what would happen, each row judged by itself
    #[arg(long, conflicts_with = "resubmit")]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EventCommand {
    /// One event, with its hash
    Show {
        /// Its position
        position: u64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SubjectCommand {
    /// History and remaining entitlement
    Show {
        /// Identity number, credit code, brand number or subject id; `-` reads it
        /// from standard input, so that it is not seen in the list of processes
        number: String,
        /// The day for which entitlement is asked
        #[arg(long, value_name = "YYYY-MM-DD")]
        on: Option<jiff::civil::Date>,
        /// As known then: up to this event, or to the end of this day in China
        #[arg(long, value_name = "POSITION|YYYY-MM-DD")]
        as_of: Option<AsOf>,
    },
    /// Name, numbers and bank account in clear; the log says who asked and why
    Reveal {
        /// As for `show`
        number: String,
        /// Why, for the log; no personal data
        #[arg(long, value_name = "TEXT")]
        purpose: String,
    },
    /// Make name, numbers and bank account unreadable for ever; grants, limits and
    /// totals stay
    Erase {
        /// As for `show`
        number: String,
        /// The document that orders it
        #[arg(long, value_name = "NUMBER")]
        document: String,
    },
}

/// A moment of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AsOf {
    /// After this event.
    Position(Position),
    /// After the last event of this day.
    Day(Date),
}

impl FromStr for AsOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(number) = text.parse() {
            let position = Position::new(number);
            return position
                .map(Self::Position)
                .ok_or_else(|| "positions count from 1".to_owned());
        }
        let day = text.parse().map(Self::Day);
        day.map_err(|_| "neither a position nor a day such as 2026-01-31".to_owned())
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A reason code, for example `M04_ONCE_YEAR`, or the position of an event
    #[arg(value_name = "CODE|POSITION")]
    pub(crate) what: String,
    /// An export file that holds the position; without it --data-dir or --server
    #[arg(long, value_name = "EXPORT")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// The other pack, a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) pack: PathBuf,
    /// The first basis date that it judges; that of its window by default
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<jiff::civil::Date>,
    /// The day after the last basis date that it judges
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: Option<jiff::civil::Date>,
    /// An export file; without it --data-dir or --server is read
    #[arg(long, value_name = "EXPORT")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say whether a pack may be adopted
    Check {
        /// The TOML file
        file: PathBuf,
    },
    /// Show a pack: programmes, parameters, limits, readings
    Show {
        /// A file, or the id of an adopted pack; the built-in one by default
        pack: Option<String>,
    },
    /// Say what two packs say differently
    Diff {
        /// A file, or the id of an adopted pack
        before: String,
        /// Another
        after: String,
    },
    /// The packs that the ledger has adopted
    List,
    /// Every measure of the notice: whether it is on the ledger, why, and how
    Coverage {
        /// A file, or the id of an adopted pack; the built-in one by default
        pack: Option<String>,
    },
    /// Adopt a pack
    Adopt {
        /// The TOML file
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify an export file, a data directory or a server's blocks
    Verify(VerifyArgs),
    /// Write all blocks to one file
    Export {
        /// Which file; it must not exist
        #[arg(long)]
        out: PathBuf,
    },
    /// The durable end of the chain
    Head,
    /// Follow a published tree, and raise the alarm when it forks or shrinks
    Watch(watch::WatchArgs),
    /// Decide everything anew from what was known then, and compare
    Redecide {
        /// An export file; without it --data-dir or --server is read
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// An export file; without it --data-dir or --server is verified
    pub(crate) file: Option<PathBuf>,
    /// A chain head that was written down: `HASH` or `POSITION:HASH`
    #[arg(long, value_name = "[POSITION:]HASH")]
    pub(crate) head: Option<String>,
    /// A receipt that must be on the chain: a tlog-proof, or JSON
    #[arg(long, value_name = "FILE", conflicts_with = "head")]
    pub(crate) receipt: Option<PathBuf>,
    /// A signed checkpoint, cosigned or not, that the chain must be under
    #[arg(long, value_name = "FILE", conflicts_with_all = ["head", "receipt"])]
    pub(crate) checkpoint: Option<PathBuf>,
    /// A published tree that the chain must be under: a directory or a URL
    #[arg(long, value_name = "DIR|URL", conflicts_with_all = ["head", "receipt", "checkpoint"])]
    pub(crate) tiles: Option<String>,
    /// Leave a note of what came of it in this data directory, for `luzhang doctor`
    /// and the metrics
    #[arg(long, value_name = "DIR")]
    pub(crate) note: Option<PathBuf>,
    /// Whose signatures to trust
    #[command(flatten)]
    pub(crate) trust: Trust,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Committed sums by programme and year, and the number of conflicts
    Totals,
    /// Every budget line with all its accounts
    Budget,
    /// All money, one transaction an event, in plain-text accounting
    Journal {
        /// For which program
        #[arg(long, value_enum)]
        format: life::JournalFormat,
        /// From an export file instead of a ledger
        #[arg(long, value_name = "EXPORT")]
        file: Option<PathBuf>,
        /// Into a file, which must not exist
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// 公示名单: what is published, masked
    Publicity {
        /// This notice; else all that are not closed
        #[arg(long, value_name = "NUMBER")]
        notice: Option<String>,
        /// Closed notices too
        #[arg(long)]
        all: bool,
        /// Identity or account numbers too, masked
        #[arg(long, value_enum, value_delimiter = ',')]
        with: Vec<Masked>,
        #[command(flatten)]
        report: ReportArgs,
    },
    /// 台账: every event that moves a grant's money
    Register(ReportArgs),
    /// 预算执行率表: every budget line, how much of it is granted and paid
    Execution(ReportArgs),
    /// Sums by month, office and programme
    Pivot(ReportArgs),
    /// Plaques in force on a day
    Plaques {
        /// The day; else that of the last event
        #[arg(long, value_name = "YYYY-MM-DD")]
        on: Option<Date>,
        /// Those that are not in force too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        report: ReportArgs,
    },
    /// Startup loans: outstanding, settled, subsidised
    Loans(ReportArgs),
    /// Refused claims by programme, office and reason
    Refusals(ReportArgs),
    /// Conflicts, and what is recovered for them
    Conflicts(ReportArgs),
    /// Payments and bounces, and what the bank has not answered
    Payments(ReportArgs),
    /// Everything about one subject's money
    Statement {
        /// Identity number, credit code, brand number or subject id; `-` reads it
        /// from standard input, so that it is not seen in the list of processes
        number: String,
        #[command(flatten)]
        report: ReportArgs,
    },
    /// Make a report again from its own cover, and compare
    Check {
        /// The report
        file: PathBuf,
        /// From an export file; names need --data-dir beside it
        #[arg(long = "file", value_name = "EXPORT")]
        export: Option<PathBuf>,
    },
    /// One directory with all that an auditor needs
    Pack {
        /// Which directory; it must not exist
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Also everything as of then
        #[arg(long, value_name = "POSITION|YYYY-MM-DD")]
        as_of: Option<AsOf>,
    },
}

/// What of a number may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Masked {
    /// Identity numbers.
    Identity,
    /// Account numbers.
    Account,
}

/// What every report takes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReportArgs {
    /// As known then: up to this event, or to the end of this day in China
    #[arg(long, value_name = "POSITION|YYYY-MM-DD")]
    pub(crate) as_of: Option<AsOf>,
    /// This office only, by its GB/T 2260 code
    #[arg(long, value_name = "CODE")]
    pub(crate) office: Option<u32>,
    /// This programme only, by its id or its Chinese name
    #[arg(long, value_name = "NAME")]
    pub(crate) programme: Option<String>,
    /// This fund only, by its id or its Chinese name
    #[arg(long, value_name = "NAME")]
    pub(crate) fund: Option<String>,
    /// From this day on: of the record, the award, the issue or the notice
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) from: Option<Date>,
    /// Up to and with this day
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) to: Option<Date>,
    /// Which form; else by the ending of --out, else as -o says
    #[arg(long, value_enum)]
    pub(crate) form: Option<Form>,
    /// Into this file, which must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// From an export file; names need --data-dir beside it
    #[arg(long, value_name = "EXPORT")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectionCommand {
    /// All projections: what each is for, its version, the reports that rest on it
    List,
    /// Position and digest of each
    Status {
        /// From an export file instead of a ledger
        #[arg(long, value_name = "EXPORT")]
        file: Option<PathBuf>,
        /// As known then
        #[arg(long, value_name = "POSITION|YYYY-MM-DD")]
        as_of: Option<AsOf>,
    },
    /// Fold the whole log anew and print the digests; a server compares them with
    /// its own
    Rebuild {
        /// From an export file instead of a ledger
        #[arg(long, value_name = "EXPORT")]
        file: Option<PathBuf>,
    },
    /// The rows of one, as they are
    Show {
        /// Which
        name: String,
        /// From an export file instead of a ledger
        #[arg(long, value_name = "EXPORT")]
        file: Option<PathBuf>,
        /// As known then
        #[arg(long, value_name = "POSITION|YYYY-MM-DD")]
        as_of: Option<AsOf>,
    },
    /// The rows of one that changed between two moments
    Diff {
        /// Which
        name: String,
        /// As known then
        #[arg(long, value_name = "POSITION|YYYY-MM-DD")]
        since: AsOf,
        /// And then; else now
        #[arg(long, value_name = "POSITION|YYYY-MM-DD")]
        until: Option<AsOf>,
        /// From an export file instead of a ledger
        #[arg(long, value_name = "EXPORT")]
        file: Option<PathBuf>,
    },
    /// Rows of one as they change, until it is interrupted; of a server
    Follow {
        /// Which
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where to make the ledger; a temporary directory by default
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}
