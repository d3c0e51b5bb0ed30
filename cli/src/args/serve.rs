//! The arguments of `luzhang serve`.

use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroU64},
    path::PathBuf,
    str::FromStr,
};

use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use luzhang_server::{
    Snapshots,
    postgres::{Durable, LeaseSource},
    snapshots::Cadence,
};

use super::transport;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; without TLS, loopback only
    #[arg(long, env = "LUZHANG_LISTEN", default_value = "127.0.0.1:7380")]
    pub(crate) listen: SocketAddr,
    /// How many messages may wait to be decided
    #[arg(long, default_value_t = luzhang_server::engine::DEFAULT_QUEUE)]
    pub(crate) queue: usize,
    /// The most bytes of one request
    #[arg(long, default_value_t = luzhang_server::Limits::default().message_bytes)]
    pub(crate) message_bytes: usize,
    #[command(flatten)]
    pub(crate) transport: transport::TransportArgs,
    /// The most commands a second of one principal, or `off`: beyond it single
    /// requests are turned away and streams are slowed down
    #[arg(
        long,
        env = "LUZHANG_RATE",
        default_value = "off",
        value_name = "N|off"
    )]
    pub(crate) rate: Rate,
    /// Where the tree is published over HTTP(S); without TLS, loopback only; or `off`
    #[arg(
        long,
        env = "LUZHANG_WEB",
        default_value = "127.0.0.1:7381",
        value_name = "ADDRESS|off"
    )]
    pub(crate) web: Web,
    /// Where numbers for Prometheus are; loopback only, or `off`
    #[arg(
        long,
        env = "LUZHANG_METRICS",
        default_value = "127.0.0.1:7382",
        value_name = "ADDRESS|off"
    )]
    pub(crate) metrics: Web,
    /// Sign a checkpoint when the newest event has waited so long
    #[arg(
        long,
        env = "LUZHANG_CHECKPOINT_EVERY",
        default_value = "10s",
        value_name = "TIME"
    )]
    pub(crate) checkpoint_every: SignedDuration,
    /// Or after so many blocks
    #[arg(long, default_value_t = 4_096, value_name = "N")]
    pub(crate) checkpoint_blocks: u64,
    /// Ask the witnesses of this policy (C2SP tlog-policy) to cosign checkpoints,
    /// and publish those that meet its quorum
    #[arg(long, env = "LUZHANG_WITNESSES", value_name = "FILE")]
    pub(crate) witnesses: Option<PathBuf>,
    /// Keep what the log folds to for the next start (`snapshots/`): every so many
    /// events, 200,000 for `on`; `off` removes those there are
    #[arg(
        long,
        env = "LUZHANG_SNAPSHOTS",
        default_value = "on",
        value_name = "on|off|N"
    )]
    pub(crate) snapshots: KeepSnapshots,
    /// Follow a ledger in a database that another server writes: answer reads, and take
    /// over when that one is gone, or on SIGUSR1
    #[arg(long)]
    pub(crate) standby: bool,
    /// Where callers find this server, if not where it listens: what others are told
    /// of the writer
    #[arg(long, env = "LUZHANG_ADVERTISE", value_name = "HOST:PORT")]
    pub(crate) advertise: Option<String>,
    /// What the database must have done before anything is acknowledged: written it to
    /// its own disk, or to that of a standby as well
    #[arg(long, env = "LUZHANG_DURABLE", value_enum, default_value_t)]
    pub(crate) durable: DurableOn,
    /// When a standby takes over by itself: when the writer's lock in the database is
    /// free, when Patroni at this URL says that the instance beside it leads, or never
    #[arg(
        long,
        env = "LUZHANG_LEASE",
        default_value = "database",
        value_name = "database|patroni=URL|never"
    )]
    pub(crate) lease: Lease,
    /// Whether the tree is kept: `off` is for measuring what it costs
    #[arg(long, value_enum, default_value_t, hide = true)]
    pub(crate) tree: TreeKept,
}

/// When an append to a database counts as durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurableOn {
    /// On the disk of the one database
    Local,
    /// On the disk of a standby as well
    #[default]
    Standby,
}

impl From<DurableOn> for Durable {
    fn from(durable: DurableOn) -> Self {
        match durable {
            DurableOn::Local => Self::Local,
            DurableOn::Standby => Self::Standby,
        }
    }
}

/// When a standby takes over by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease(pub(crate) LeaseSource);

impl FromStr for Lease {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("patroni=")) {
            ("database", _) => Ok(Self(LeaseSource::Database)),
            ("never", _) => Ok(Self(LeaseSource::Never)),
            (_, Some(url)) if !url.is_empty() => Ok(Self(LeaseSource::Patroni(url.to_owned()))),
            (_, _) => Err("neither `database`, `patroni=URL` nor `never`".to_owned()),
        }
    }
}

/// How many commands a second a principal may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) Option<NonZeroU32>);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let rate = text.parse().map(|rate| Self(Some(rate)));
        rate.map_err(|_| "neither `off` nor a whole number above zero such as 500".to_owned())
    }
}

/// Whether snapshots are kept, and how often they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeepSnapshots(pub(crate) Snapshots);

impl FromStr for KeepSnapshots {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self(Snapshots::default())),
            "off" => Ok(Self(Snapshots::Off)),
            events => match events.parse::<NonZeroU64>() {
                Ok(events) => Ok(Self(Snapshots::On(Cadence::after(events.get())))),
                Err(_) => {
                    Err("neither `on` nor `off` nor a number of events above zero".to_owned())
                }
            },
        }
    }
}

/// Where something is served over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Web {
    /// Nowhere.
    Off,
    /// Here.
    At(SocketAddr),
}

impl FromStr for Web {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let at = text.parse().map(Self::At);
        at.map_err(|_| "neither `off` nor an address such as 127.0.0.1:7381".to_owned())
    }
}

/// Whether the tree is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TreeKept {
    /// It is.
    #[default]
    On,
    /// No checkpoints, no receipts.
    Off,
}
