//! `SubmitBatch`: messages of many commands, answered in order.
//!
//! Two tasks a stream, on threads of their own: one takes messages, the other words
//! the answers. Between them is a window: whoever does not read the answers is not
//! taken from, and holds no more of our memory than the window is wide.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use luzhang_projections::access::Identity;
use luzhang_proto::wire;
use prost::Message as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::yield_now,
    time::sleep,
};
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::{Code, Status, Streaming};

use super::Context as Service;
use crate::{
    convert::to_proto::{self, Outcome},
    edge::MessageLimits,
    engine::{Listener, Pending, Source},
    figures::Figures,
    rejected::Rejected,
};

/// The most commands in one message of a batch.
const BATCH: usize = 10_000;
/// Messages that may be decided before the first is answered.
const WINDOW: usize = 16;
/// Commands that may be, of which one message may always be one.
const COMMANDS: usize = 2 * BATCH;
/// Commands that are converted, or outcomes that are worded, before it is another
/// stream's turn.
const AT_ONCE: usize = 64;

/// What was taken, and its part of the window.
type Taken = (Pending, OwnedSemaphorePermit);

/// The answers to a stream of messages.
pub(super) fn answers(
    context: Service,
    by: Identity,
    messages: Streaming<wire::SubmitBatchRequest>,
) -> impl Stream<Item = Result<wire::SubmitBatchResponse, Status>> + Send + Unpin {
    let listener = Listener::default();
    let bulk = context.bulk.clone();
    let figures = Arc::clone(context.engine.figures());
    let (take, taken) = mpsc::channel(WINDOW);
    let feeder = Feeder {
        source: context.engine.stream(&by.principal, &listener),
        context,
        by,
        window: Arc::new(Semaphore::new(COMMANDS)),
        send: take,
    };
    bulk.spawn(feeder.run(messages));
    let (send, receive) = mpsc::channel(1);
    bulk.spawn(answer(taken, send, figures));
    Wanted {
        answers: ReceiverStream::new(receive),
        _listener: listener,
    }
}

/// The answers, and who waits for them: when they are not wanted any more, what is
/// not decided yet never is.
struct Wanted {
    answers: ReceiverStream<Result<Answer, Status>>,
    _listener: Listener,
}

impl Stream for Wanted {
    type Item = Result<wire::SubmitBatchResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let answer = Pin::new(&mut self.answers).poll_next(context);
        answer.map(|answer| answer.map(|answer| answer.map(|(answer, _place)| answer)))
    }
}

/// Takes the messages of one batch stream, in order.
struct Feeder {
    context: Service,
    by: Identity,
    source: Source,
    window: Arc<Semaphore>,
    send: mpsc::Sender<Result<Taken, Status>>,
}

impl Feeder {
    async fn run(self, mut messages: Streaming<wire::SubmitBatchRequest>) {
        loop {
            let message = tokio::select! {
                // What was taken is answered; what comes later is not.
                () = self.context.stopped() => Some(Err(Rejected::shutting_down().into_status())),
                message = messages.next() => message,
            };
            let Some(message) = message else {
                return;
            };
            let taken = tokio::select! {
                // Nobody listens any more: what still waits for room is not queued.
                () = self.send.closed() => return,
                taken = self.take(message) => taken,
            };
            let failed = taken.is_err();
            if self.send.send(taken).await.is_err() || failed {
                return;
            }
        }
    }

    async fn take(
        &self,
        message: Result<wire::SubmitBatchRequest, Status>,
    ) -> Result<Taken, Status> {
        let limits = MessageLimits::of(self.context.limits.message_bytes);
        let message = message.map_err(|status| limits.explained(status))?;
        self.fits(&message)?;
        let place = self.place(message.commands.len()).await?;
        // How a stream is held to its principal's rate.
        let wait = self
            .context
            .allowances
            .take(&self.by.principal, message.commands.len());
        sleep(wait).await;
        let requests = by_and_by(message.commands, |command| {
            self.context.request(&self.by, command)
        });
        let engine = &self.context.engine;
        let queued = engine.submit_for(&self.source, requests.await).await;
        Ok((queued.map_err(Rejected::into_status)?, place))
    }

    fn fits(&self, message: &wire::SubmitBatchRequest) -> Result<(), Status> {
        self.context.message_size(message.encoded_len())?;
        let count = message.commands.len();
        if count <= BATCH {
            return Ok(());
        }
        Err(Rejected::new(
            Code::InvalidArgument,
            "BATCH_TOO_LARGE",
            format!("一次提交 {count} 条，上限 {BATCH} 条，请拆分"),
            format!("{count} commands in one message, at most {BATCH} are taken: split it"),
        )
        .into_status())
    }

    /// Waits until so many commands are within the window.
    async fn place(&self, commands: usize) -> Result<OwnedSemaphorePermit, Status> {
        let commands = u32::try_from(commands).unwrap_or(u32::MAX);
        let place = Arc::clone(&self.window).acquire_many_owned(commands).await;
        place.map_err(|_| Rejected::shutting_down().into_status())
    }
}

type Answer = (wire::SubmitBatchResponse, OwnedSemaphorePermit);

/// Words the answers when they come, in order.
async fn answer(
    mut taken: mpsc::Receiver<Result<Taken, Status>>,
    send: mpsc::Sender<Result<Answer, Status>>,
    figures: Arc<Figures>,
) {
    while let Some(next) = taken.recv().await {
        let answer = async {
            let (pending, place) = next?;
            let outcomes = pending.outcomes().await.map_err(Rejected::into_status)?;
            let outcomes = by_and_by(outcomes, |outcome| in_batch(outcome, &figures)).await;
            let outcomes = outcomes.into_iter().collect::<Result<_, _>>()?;
            Ok((wire::SubmitBatchResponse { outcomes }, place))
        };
        let answer = tokio::select! {
            // Nobody listens any more.
            () = send.closed() => return,
            answer = answer => answer,
        };
        let failed = answer.is_err();
        if send.send(answer).await.is_err() || failed {
            return;
        }
    }
}

/// Makes one of each, and lets others have their turn.
async fn by_and_by<T, R>(items: Vec<T>, mut make: impl FnMut(T) -> R) -> Vec<R> {
    let mut made = Vec::with_capacity(items.len());
    for item in items {
        made.push(make(item));
        if made.len().is_multiple_of(AT_ONCE) {
            yield_now().await;
        }
    }
    made
}

/// A rejected command keeps its place in the batch; a fault ends the stream.
fn in_batch(
    outcome: Result<Outcome, Rejected>,
    figures: &Figures,
) -> Result<wire::Outcome, Status> {
    match outcome {
        Ok(outcome) => Ok(to_proto::outcome(outcome)),
        Err(fault) if fault.is_fault() || fault.ends_stream() => Err(fault.into_status()),
        Err(rejected) => {
            figures.rejected(rejected.code);
            Ok(wire::Outcome {
                result: Some(wire::outcome::Result::Rejected(rejected.into_wire())),
                replayed: false,
            })
        }
    }
}
