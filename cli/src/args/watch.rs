//! `luzhang audit watch`: options.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use jiff::SignedDuration;

use crate::trust::Trust;

/// The shortest pause that can be asked for: a server is not there for one
/// watcher alone.
const SHORTEST: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// A published directory, or the URL of one
    #[arg(value_name = "DIR|URL")]
    pub(crate) source: String,
    #[command(flatten)]
    pub(crate) trust: Trust,
    /// Keeps the last checkpoint that was verified; evidence is written beside it
    #[arg(long, value_name = "FILE")]
    pub(crate) state: PathBuf,
    /// The pause between looks
    #[arg(long, value_name = "10s|5m|1h", value_parser = pause, default_value = "10s")]
    pub(crate) interval: Duration,
    /// Look once, and say by the exit code what was seen
    #[arg(long, conflicts_with_all = ["interval", "metrics"])]
    pub(crate) once: bool,
    /// Serve Prometheus metrics; loopback only
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Send findings there, as JSON
    #[arg(long, value_name = "URL")]
    pub(crate) webhook: Option<String>,
}

fn pause(text: &str) -> Result<Duration, String> {
    let wrong = || "not a pause such as 10s, 5m or 1h".to_owned();
    let pause: SignedDuration = text.parse().map_err(|_| wrong())?;
    let pause = Duration::try_from(pause).map_err(|_| wrong())?;
    if pause < SHORTEST {
        return Err("the pause is at least 100ms".to_owned());
    }
    Ok(pause)
}
