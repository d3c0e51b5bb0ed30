//! What the program tells of what it does: lines on standard error, for people or as
//! JSON, and with the feature `otel` spans for an OpenTelemetry collector.

#[cfg(feature = "otel")]
mod otel;

use std::{
    env,
    io::{self, IsTerminal as _},
};

use clap::ValueEnum;
use tonic::metadata::MetadataMap;
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{failure::Failure, output};

/// How lines on standard error are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Spans that are on their way to a collector.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    #[cfg(feature = "otel")]
    exporting: Option<otel::Exporting>,
}

impl Traces {
    /// Sends what is left.
    pub(crate) fn end(self) {
        #[cfg(feature = "otel")]
        if let Some(exporting) = self.exporting {
            exporting.end();
        }
        #[cfg(not(feature = "otel"))]
        let Self {} = self;
    }
}

/// Where a collector is, by the name that all programs have for it.
const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Begins to tell, within a runtime.
pub(crate) fn begin(format: LogFormat) -> Result<Traces, Failure> {
    // What the database grumbles about is in our own words in the error.
    let filter =
        EnvFilter::try_from_env("LUZHANG_LOG").unwrap_or_else(|_| EnvFilter::new("warn,sled=off"));
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => {
            let colour = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none();
            lines.with_ansi(colour).with_filter(filter).boxed()
        }
        LogFormat::Json => {
            output::notes_as_json();
            let lines = lines.json().flatten_event(true);
            lines.with_ansi(false).with_filter(filter).boxed()
        }
    };
    let registry = tracing_subscriber::registry().with(lines);
    let is_wanted = env::var_os(COLLECTOR).is_some_and(|place| !place.is_empty());
    export(registry, is_wanted)
}

type Told = tracing_subscriber::layer::Layered<
    Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>,
    Registry,
>;

#[cfg(feature = "otel")]
fn export(registry: Told, is_wanted: bool) -> Result<Traces, Failure> {
    if !is_wanted {
        registry.init();
        return Ok(Traces::default());
    }
    let (layer, exporting) = otel::begin()?;
    registry.with(layer).init();
    Ok(Traces {
        exporting: Some(exporting),
    })
}

#[cfg(not(feature = "otel"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "with the feature a collector may not be reachable"
)]
fn export(registry: Told, is_wanted: bool) -> Result<Traces, Failure> {
    registry.init();
    if is_wanted {
        tracing::warn!("{COLLECTOR} is set, and this program was built without `otel`");
    }
    Ok(Traces::default())
}

/// One run of a command; of the trace that the environment names (`TRACEPARENT`), if it
/// does.
pub(crate) fn command(name: &str) -> tracing::Span {
    let span = tracing::info_span!("command", otel.name = name, otel.kind = "client");
    #[cfg(feature = "otel")]
    otel::join_environment(&span);
    span
}

/// Tells a server which trace a request belongs to.
#[cfg_attr(
    not(feature = "otel"),
    expect(unused_variables, reason = "there is nothing to tell")
)]
pub(crate) fn pass_on(metadata: &mut MetadataMap) {
    #[cfg(feature = "otel")]
    otel::pass_on(metadata);
}

/// Where a request of a server belongs to, if its caller said so.
#[cfg_attr(
    not(feature = "otel"),
    expect(unused_variables, reason = "there is nothing to belong to")
)]
pub(crate) fn join(span: &tracing::Span, headers: &tonic::codegen::http::HeaderMap) {
    #[cfg(feature = "otel")]
    otel::join(span, headers);
}
