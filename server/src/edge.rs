//! Around all services: deadlines, and words for what the transport would
//! answer with a bare status.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use luzhang_projections::codes;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tokio_stream::Stream;
use tonic::{
    Code, Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
};
use tonic_types::StatusExt as _;
use tracing::{Instrument as _, Span, field};

use crate::{
    allowance::UnderWay,
    figures::Figures,
    gate::{Gate, Visitor},
    rejected::{MessageSize, Rejected},
    serve::Limits,
};

/// When the caller no longer waits; an extension of its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

/// What one message may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageLimits {
    /// What a handler takes and explains.
    pub(crate) most: usize,
    /// What the transport decodes at all.
    pub(crate) backstop: usize,
}

impl MessageLimits {
    /// The transport's own limit is a backstop; the handler's, well below it,
    /// knows the size exactly.
    pub(crate) fn of(most: usize) -> Self {
        Self {
            most,
            backstop: most.saturating_mul(4),
        }
    }

    /// The transport's status for a message beyond the backstop, in our words.
    pub(crate) fn explained(self, status: Status) -> Status {
        if status.code() != Code::OutOfRange || !status.details().is_empty() {
            return status;
        }
        Rejected::message_too_large(MessageSize {
            bytes: self.backstop,
            most: self.most,
        })
        .into_status()
    }
}

/// The most bytes of a question: names, positions, receipts.
pub(crate) const QUESTION: usize = 256 * 1024;

/// The most bytes of a request's headers, names and values and 32 for each. Ours
/// have a few hundred.
const HEADERS: u32 = 16 * 1024;

/// The most bytes of one frame. A message is many of them.
const FRAME: u32 = 16 * 1024;

/// The most bytes of a stream, and of all streams of a connection, that may come
/// before we have looked at them.
const WINDOW: u32 = 1024 * 1024;

/// Streams of a connection that were taken back before we have looked at them, and
/// such that we have ended ourselves; with more the connection ends (CVE-2023-44487
/// and CVE-2025-8671, opened and reset without end).
const RESET: usize = 20;

/// What one connection may cost. Who does not answer a ping that is sent when nothing
/// else comes is gone, and so are its streams; a stream may be open and silent as long
/// as its caller answers.
pub fn transport(limits: &Limits) -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .max_concurrent_streams(limits.streams)
        .http2_max_header_list_size(HEADERS)
        .max_frame_size(FRAME)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .http2_max_pending_accept_reset_streams(Some(RESET))
        .http2_max_local_error_reset_streams(Some(RESET))
        .http2_keepalive_interval(Some(limits.silence))
        .http2_keepalive_timeout(Some(limits.silence))
}

/// The services, with an edge around them.
#[derive(Clone, Debug)]
pub(crate) struct Edge<S> {
    pub(crate) inner: S,
    pub(crate) limits: MessageLimits,
    pub(crate) gate: Gate,
    /// How long a request may take until its answer begins.
    pub(crate) request: Duration,
    pub(crate) figures: Arc<Figures>,
    /// Says which trace a request belongs to.
    pub(crate) join: Join,
}

/// Says which trace a request belongs to, by its headers.
pub type Join = fn(&Span, &http::HeaderMap);

impl<S, B> Service<http::Request<B>> for Edge<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<S::Response, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        // Read before anything else, so that it passes before the transport's
        // own timer, which would answer with a bare `CANCELLED`.
        let deadline = timeout(request.headers())
            .and_then(|timeout| Instant::now().checked_add(timeout))
            .map(Deadline);
        if let Some(deadline) = deadline {
            request.extensions_mut().insert(deadline);
        }
        let limits = self.limits;
        let figures = Arc::clone(&self.figures);
        let span = match self.gate.admit(&request) {
            Ok(Some(visitor)) => {
                let span = span(visitor.method());
                if !span.is_disabled() {
                    (self.join)(&span, request.headers());
                }
                request.extensions_mut().insert(visitor);
                span
            }
            // Whether the server is well is asked every few seconds.
            Ok(None) => Span::none(),
            Err(why) => {
                self.figures.rejected(why.code);
                let denied = why.into_status().into_http();
                return Box::pin(async move { Ok(denied) });
            }
        };
        let ours = Instant::now().checked_add(self.request);
        let answer = span.in_scope(|| self.inner.call(request));
        let told = span.clone();
        let answered = async move {
            let theirs = deadline.map(|Deadline(at)| at);
            let answer = match theirs.into_iter().chain(ours).min() {
                None => answer.await,
                Some(at) => match timeout_at(at, answer).await {
                    Ok(answer) => answer,
                    Err(_) => Ok(Rejected::deadline_passed().into_status().into_http()),
                },
            };
            answer.map(|answer| match Status::from_header_map(answer.headers()) {
                Some(status) if status.code() == Code::OutOfRange => {
                    let explained = limits.explained(status);
                    figures.answered(&explained);
                    tell(&told, &explained);
                    explained.into_http()
                }
                Some(status) => {
                    figures.answered(&status);
                    tell(&told, &status);
                    answer
                }
                None => answer,
            })
        };
        Box::pin(answered.instrument(span))
    }
}

/// A request, by its method alone: what it is about is not told.
fn span(method: &'static str) -> Span {
    tracing::info_span!(
        "request",
        otel.name = method,
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.method = method,
        rpc.grpc.status_code = field::Empty,
        luzhang.code = field::Empty,
    )
}

/// What a request came to: the number of its status and our own code, no words.
fn tell(span: &Span, status: &Status) {
    if span.is_disabled() {
        return;
    }
    span.record("rpc.grpc.status_code", i32::from(status.code()));
    let details = status.get_error_details();
    if let Some(entry) = details
        .error_info()
        .and_then(|info| codes::find(&info.reason))
    {
        span.record("luzhang.code", entry.code);
    }
}

/// The header `grpc-timeout`: at most eight digits and a unit.
///
/// Source: gRPC over HTTP2, "Timeout".
fn timeout(headers: &http::HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&number.len()) || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_hours(number)),
        "M" => Some(Duration::from_mins(number)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// A stream of answers that ends when the caller's deadline passes, or its mandate
/// is taken back. What it was waiting for is dropped with it, and so is not decided
/// any more.
pub(crate) struct Until<S> {
    answers: Option<S>,
    visitor: Option<Visitor>,
    figures: Option<Arc<Figures>>,
    /// It counts among its principal's streams as long as this lives.
    _under_way: UnderWay,
    over: Option<Pin<Box<Sleep>>>,
}

impl<S> Until<S> {
    pub(crate) fn new(answers: S, extensions: &tonic::Extensions, under_way: UnderWay) -> Self {
        Self {
            visitor: extensions.get().cloned(),
            ..Self::of_commands(answers, extensions, under_way)
        }
    }

    /// Outcomes of commands: each of them was judged by itself, and what was decided
    /// is told.
    pub(crate) fn of_commands(
        answers: S,
        extensions: &tonic::Extensions,
        under_way: UnderWay,
    ) -> Self {
        let deadline = extensions.get::<Deadline>();
        Self {
            answers: Some(answers),
            visitor: None,
            figures: extensions.get().map(Visitor::figures),
            _under_way: under_way,
            over: deadline.map(|Deadline(at)| Box::pin(sleep_until(*at))),
        }
    }
}

impl<S> Until<S> {
    /// The last answer.
    fn failed<T>(&self, why: Rejected) -> Poll<Option<Result<T, Status>>> {
        if let Some(figures) = &self.figures {
            figures.rejected(why.code);
        }
        Poll::Ready(Some(Err(why.into_status())))
    }
}

impl<T, S: Stream<Item = Result<T, Status>> + Unpin> Stream for Until<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let Some(answers) = &mut self.answers else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(answer) = Pin::new(answers).poll_next(context) {
            // Whoever was sent away meanwhile gets no more.
            let welcome = self.visitor.as_ref().map(Visitor::is_welcome);
            if let (Some(Ok(_)), Some(Err(why))) = (&answer, welcome) {
                self.answers = None;
                return self.failed(why);
            }
            if let (Some(Err(status)), Some(figures)) = (&answer, &self.figures) {
                figures.answered(status);
            }
            return Poll::Ready(answer);
        }
        let over = self.over.as_mut().map(|over| over.as_mut().poll(context));
        if over.is_some_and(|over| over.is_ready()) {
            self.answers = None;
            return self.failed(Rejected::deadline_passed());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_number_and_a_unit() {
        for (text, expected) in [
            ("1H", Some(Duration::from_hours(1))),
            ("2M", Some(Duration::from_mins(2))),
            ("30S", Some(Duration::from_secs(30))),
            ("5m", Some(Duration::from_millis(5))),
            ("7u", Some(Duration::from_micros(7))),
            ("0n", Some(Duration::ZERO)),
            ("99999999H", Some(Duration::from_hours(99_999_999))),
            ("100000000S", None),
            ("S", None),
            ("", None),
            ("5", None),
            ("5s", None),
            ("-5S", None),
            ("+5S", None),
            ("5 S", None),
            ("5秒", None),
        ] {
            let mut headers = http::HeaderMap::new();
            headers.insert(
                "grpc-timeout",
                http::HeaderValue::from_bytes(text.as_bytes()).unwrap(),
            );
            assert_eq!(timeout(&headers), expected, "{text:?}");
        }
        assert_eq!(timeout(&http::HeaderMap::new()), None);
    }
}
