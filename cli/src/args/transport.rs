//! `luzhang serve`: TLS, and what one connection may cost.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use jiff::SignedDuration;
use luzhang_server::{Limits, tls::Files};

use crate::failure::Failure;

/// Where the certificates are.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TlsArgs {
    /// Serve over TLS: the directory of server.crt, server.key and ca.crt, such as
    /// `luzhang cert dev` makes. Callers show certificates of that CA
    #[arg(long, env = "LUZHANG_TLS", value_name = "DIR")]
    tls: Option<PathBuf>,
    /// The server's certificate, and those between it and its CA
    #[arg(long, env = "LUZHANG_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its key
    #[arg(long, env = "LUZHANG_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The CAs whose certificates callers may show
    #[arg(long, env = "LUZHANG_TLS_CLIENT_CA", value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TransportArgs {
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// Connections that are open at a time; others wait
    #[arg(long, default_value_t = Limits::default().connections, value_name = "N")]
    connections: usize,
    /// How long a connection may take to begin
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = time)]
    connection_start: Duration,
    /// How long a connection may be silent before it is asked whether anybody is
    /// there, and how long the answer may take
    #[arg(long, default_value = "20s", value_name = "TIME", value_parser = time)]
    connection_silence: Duration,
}

fn time(text: &str) -> Result<Duration, String> {
    let time = text.parse::<SignedDuration>().ok().map(Duration::try_from);
    match time {
        Some(Ok(time)) if !time.is_zero() => Ok(time),
        Some(_) | None => Err("not a time above zero, such as 10s".to_owned()),
    }
}

impl TlsArgs {
    /// Where the certificates are; `None` without TLS. A file that is named counts
    /// more than the directory.
    pub(crate) fn files(&self) -> Result<Option<Files>, Failure> {
        let in_directory = self.tls.as_deref().map(Files::in_directory);
        let named = [&self.tls_cert, &self.tls_key, &self.tls_client_ca];
        if let Some(files) = in_directory {
            return Ok(Some(Files {
                cert: self.tls_cert.clone().unwrap_or(files.cert),
                key: self.tls_key.clone().unwrap_or(files.key),
                client_ca: self.tls_client_ca.clone().unwrap_or(files.client_ca),
            }));
        }
        match named {
            [None, None, None] => Ok(None),
            [Some(cert), Some(key), Some(client_ca)] => Ok(Some(Files {
                cert: cert.clone(),
                key: key.clone(),
                client_ca: client_ca.clone(),
            })),
            [_, _, _] => Err(Failure::usage(
                "启用 TLS 须同时给出 --tls-cert、--tls-key 和 --tls-client-ca，或者只用 --tls 目录",
                "TLS needs --tls-cert, --tls-key and --tls-client-ca together, or --tls DIR",
            )),
        }
    }
}

impl TransportArgs {
    /// What one connection may cost.
    pub(crate) fn limits(&self, message_bytes: usize) -> Limits {
        Limits {
            message_bytes,
            connections: self.connections,
            greeting: self.connection_start,
            silence: self.connection_silence,
            ..Limits::default()
        }
    }
}
