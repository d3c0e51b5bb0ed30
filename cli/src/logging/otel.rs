//! Spans of requests for an OpenTelemetry collector: OTLP over gRPC, with the trace
//! context of the W3C in the metadata of each request.
//!
//! Where the collector is, and how much of it is sampled, is said by the environment
//! that all such programs share: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER`,
//! `OTEL_RESOURCE_ATTRIBUTES`.

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator as _},
    trace::TracerProvider as _,
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracerProvider, Tracer},
};
use tonic::{
    codegen::http::HeaderMap,
    metadata::{MetadataKey, MetadataMap},
};
use tracing::{Span, Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::{
    Layer,
    filter::{Filtered, Targets},
    registry::LookupSpan,
};

use crate::failure::Failure;

/// What is sent: our own spans. Those of the transport would be of the sending itself,
/// too, without end.
const OURS: [&str; 2] = ["luzhang", "luzhang_server"];

/// The running exporter.
#[derive(Debug)]
pub(super) struct Exporting(SdkTracerProvider);

impl Exporting {
    /// Sends what is left.
    pub(super) fn end(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "spans were not sent");
        }
    }
}

type Sent<S> = Filtered<OpenTelemetryLayer<S, Tracer>, Targets, S>;

/// Begins to export; within a runtime.
pub(super) fn begin<S>() -> Result<(Sent<S>, Exporting), Failure>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let exporter = SpanExporter::builder().with_tonic().build();
    let exporter = exporter.map_err(|error| {
        Failure::new(
            "TRACES_COLLECTOR",
            format!("无法向 OTEL_EXPORTER_OTLP_ENDPOINT 发送跟踪：{error}"),
            format!("traces cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT: {error}"),
        )
    })?;
    let resource = Resource::builder().with_service_name("luzhang").build();
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build();
    let tracer = provider.tracer("luzhang");
    let targets = OURS.map(|target| (target, LevelFilter::INFO));
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_filter(Targets::new().with_targets(targets));
    Ok((layer, Exporting(provider)))
}

struct Into<'a>(&'a mut MetadataMap);

impl Injector for Into<'_> {
    fn set(&mut self, key: &str, value: String) {
        // The propagator's own names and values are such.
        if let (Ok(key), Ok(value)) = (MetadataKey::from_bytes(key.as_bytes()), value.parse()) {
            self.0.insert(key, value);
        }
    }
}

pub(super) fn pass_on(metadata: &mut MetadataMap) {
    let context = Span::current().context();
    TraceContextPropagator::new().inject_context(&context, &mut Into(metadata));
}

struct From<'a>(&'a HeaderMap);

impl Extractor for From<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0
            .keys()
            .map(tonic::codegen::http::HeaderName::as_str)
            .collect()
    }
}

/// Whoever starts a program in a trace says so in its environment.
struct Environment(Option<String>);

impl Extractor for Environment {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key == "traceparent")
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

pub(super) fn join_environment(span: &Span) {
    let named = Environment(std::env::var("TRACEPARENT").ok());
    adopt(span, &named);
}

/// What is no trace context begins a trace of its own.
pub(super) fn join(span: &Span, headers: &HeaderMap) {
    adopt(span, &From(headers));
}

fn adopt(span: &Span, named: &dyn Extractor) {
    let propagator = TraceContextPropagator::new();
    let parent = propagator.extract_with_context(&Context::new(), named);
    if let Err(error) = span.set_parent(parent) {
        tracing::debug!(?error, "a span has no parent");
    }
}
