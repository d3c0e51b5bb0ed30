//! Reading events in order: filtered, page by page, and on as new ones become
//! durable.

use luzhang_ledger::{Office, Position, StreamId, access::Mandate, log::ReadError};
use luzhang_proto::wire;
use tokio::{runtime::Handle, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{ANSWERS, Context};
use crate::{
    convert::to_proto::{self, LoggedEvent},
    gate::Visitor,
    rejected::Rejected,
    replay,
};

/// Events in one message.
const PAGE: usize = 256;
/// Stored bytes after which a message is full; with the decoded form beside
/// them it stays below the 4 MiB that clients take by default.
const PAGE_BYTES: usize = 1024 * 1024;

/// Which events a reader wants.
pub(super) struct Filter {
    from: Position,
    through: u64,
    kinds: Vec<String>,
    office: Option<Office>,
    stream: Option<StreamId>,
    then: Then,
    limit: u64,
}

/// What happens at the end of the log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    End,
    Follow,
}

impl Filter {
    pub(super) fn new(request: &wire::ReadEventsRequest) -> Result<Self, Status> {
        let office = match request.office.as_str() {
            "" => None,
            text => Some(text.parse::<Office>().map_err(|error| {
                let zh = "不是六位行政区划代码（如 510502）";
                Rejected::field("office", "OFFICE_CODE", zh, error.to_string()).into_status()
            })?),
        };
        let stream = match request.stream.as_slice() {
            [] => None,
            bytes => Some(StreamId::from_bytes(bytes.try_into().map_err(|_| {
                let zh = "应为 16 字节";
                Rejected::field("stream", "BYTE_LENGTH", zh, "must have 16 bytes").into_status()
            })?)),
        };
        Ok(Self {
            from: Position::new(request.from).unwrap_or(Position::FIRST),
            through: match request.through {
                0 => u64::MAX,
                through => through,
            },
            kinds: request.kinds.clone(),
            office,
            stream,
            then: if request.follow {
                Then::Follow
            } else {
                Then::End
            },
            limit: match request.limit {
                0 => u64::MAX,
                limit => limit,
            },
        })
    }

    fn wants(&self, logged: &LoggedEvent) -> bool {
        let header = &logged.event.header;
        let kind = logged.event.body.kind();
        (self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind))
            && self
                .office
                .is_none_or(|office| header.office == Some(office))
            && self.stream.is_none_or(|stream| header.stream == stream)
    }
}

type Answer = Result<wire::ReadEventsResponse, Status>;

/// Reads on a thread of its own: reading and decoding block.
pub(super) fn read(context: Context, visitor: Visitor, filter: Filter) -> ReceiverStream<Answer> {
    let (send, receive) = mpsc::channel(ANSWERS);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let next = filter.from;
        let mut reading = Reading {
            context,
            visitor,
            mandate: None,
            filter,
            send,
            page: Vec::new(),
            bytes: 0,
            next,
            sent: 0,
        };
        if let Err(Ended::Failed(status)) = reading.run(&runtime) {
            let _gone = reading.send.blocking_send(Err(status));
        }
    });
    ReceiverStream::new(receive)
}

struct Reading {
    context: Context,
    visitor: Visitor,
    /// What limits the reader, as it was when the page was begun.
    mandate: Option<Mandate>,
    filter: Filter,
    send: mpsc::Sender<Answer>,
    page: Vec<LoggedEvent>,
    bytes: usize,
    /// Everything before it has been looked at.
    next: Position,
    sent: u64,
}

/// Why reading ends before everything was read.
enum Ended {
    /// Nobody listens any more.
    Left,
    Failed(Status),
}

impl Reading {
    fn run(&mut self, runtime: &Handle) -> Result<(), Ended> {
        let mut durable = self.context.engine.follow();
        loop {
            let head = self.context.engine.head().position;
            let end = head.map_or(0, Position::number).min(self.filter.through);
            self.mandate = self.visitor.mandate().map_err(Ended::denied)?;
            self.read_to(end)?;
            self.send_page()?;
            if self.filter.then == Then::End || end >= self.filter.through || self.is_full() {
                return Ok(());
            }
            let next = self.next;
            runtime.block_on(async {
                tokio::select! {
                    () = self.send.closed() => Err(Ended::Left),
                    () = self.context.stopped() => Err(Ended::stopping()),
                    grown = durable.wait_for(|head| head.position >= Some(next)) => match grown {
                        Ok(_) => Ok(()),
                        Err(_) => Err(Ended::stopping()),
                    },
                }
            })?;
        }
    }

    fn is_full(&self) -> bool {
        self.sent >= self.filter.limit
    }

    fn read_to(&mut self, end: u64) -> Result<(), Ended> {
        let unreadable =
            |detail: String| Ended::Failed(Rejected::unreadable(&detail).into_status());
        let engine = std::sync::Arc::clone(&self.context.engine);
        for block in engine.reader().blocks_from(self.next) {
            let block = block.map_err(|error: ReadError| unreadable(error.to_string()))?;
            let events =
                replay::block_events(&block).map_err(|error| unreadable(error.to_string()))?;
            for logged in events {
                let at = logged.event.header.position;
                if at < self.next {
                    continue;
                }
                if at.number() > end || self.is_full() {
                    return Ok(());
                }
                self.next = at.next();
                if self.filter.wants(&logged) && self.may_see(&logged) {
                    self.sent += 1;
                    self.bytes += logged.stored.len();
                    self.page.push(logged);
                }
                if self.page.len() >= PAGE || self.bytes >= PAGE_BYTES {
                    self.send_page()?;
                }
            }
        }
        Ok(())
    }

    /// What no office did is everybody's.
    fn may_see(&self, logged: &LoggedEvent) -> bool {
        let covers = |mandate: &Mandate| {
            let office = logged.event.header.office;
            office.is_none_or(|office| mandate.covers_office(office))
        };
        self.mandate.as_ref().is_none_or(covers)
    }

    fn send_page(&mut self) -> Result<(), Ended> {
        let logged = std::mem::take(&mut self.page);
        self.bytes = 0;
        self.mandate = self.visitor.mandate().map_err(Ended::denied)?;
        // They are durable, and so are the packs that they refer to.
        let events = self.context.engine.peek(|projections| {
            let shown = |logged| to_proto::stored_event(&projections.state, logged);
            logged.into_iter().map(shown).collect()
        });
        let answer = wire::ReadEventsResponse {
            events,
            position: self.next.number().saturating_sub(1),
        };
        self.send.blocking_send(Ok(answer)).map_err(|_| Ended::Left)
    }
}

impl Ended {
    fn denied(why: Rejected) -> Self {
        Self::Failed(why.into_status())
    }

    fn stopping() -> Self {
        Self::Failed(Rejected::shutting_down().into_status())
    }
}
