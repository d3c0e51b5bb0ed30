//! Connections to the services: how many, how they begin, and when they are over.
//!
//! Each begins in a task of its own, so that one that stalls holds up nobody. Until
//! its first bytes are complete it has a deadline; from then on the transport's pings
//! find out whether anybody is there.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Sleep, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::transport::server::Connected;

use crate::{
    caller::Caller,
    serve::Limits,
    tls::{self, Tls, certificate::Facts},
};

/// A caller that was turned away before it could ask anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    /// The stable reason code.
    pub code: &'static str,
    /// From where it called; `None` if nobody in particular is meant.
    pub from: Option<SocketAddr>,
}

/// Is told of callers that were turned away.
pub trait Observer: fmt::Debug + Send + Sync {
    /// One was. This is called between connections and must not wait.
    fn turned_away(&self, who: TurnedAway);
}

/// Says so in the log, at most once a second: whoever can connect could fill it.
#[derive(Debug, Default)]
pub struct Logged(Mutex<Said>);

#[derive(Debug, Default)]
struct Said {
    last: Option<Instant>,
    unsaid: u64,
}

impl Observer for Logged {
    fn turned_away(&self, who: TurnedAway) {
        const PAUSE: Duration = Duration::from_secs(1);
        let unsaid = {
            let mut said = self.0.lock();
            if said.last.is_some_and(|last| last.elapsed() < PAUSE) {
                said.unsaid += 1;
                return;
            }
            said.last = Some(Instant::now());
            std::mem::take(&mut said.unsaid)
        };
        let from = who.from.map(|from| from.ip().to_string());
        let from = from.unwrap_or_default();
        tracing::warn!(code = who.code, from, unsaid, "a caller was turned away");
    }
}

/// Takes as many files as the operating system allows: each connection is one.
/// Answers how many that are, if there is a bound.
///
/// # Errors
/// If the operating system does not allow what it allows.
pub fn raise_file_limit() -> io::Result<Option<u64>> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let raised = Rlimit {
            current: maximum,
            maximum,
        };
        setrlimit(Resource::Nofile, raised)?;
    }
    Ok(maximum)
}

/// Connections that may wait to be accepted. The usual 128 are full as soon as somebody
/// opens a thousand at once, and then others wait for seconds, or for ever.
const BACKLOG: u32 = 4_096;

/// Listens on an address.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // As the usual way of listening does: who starts again need not wait.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A pause after a failure to accept, which is for want of files most often.
const RESPITE: Duration = Duration::from_millis(100);
/// How long, and over how many bytes, a caller that was turned away is listened to:
/// a socket that is closed with something unread in it takes back what was said last,
/// which is why.
const LINGER: Duration = Duration::from_secs(1);
const UNREAD: u64 = 64 * 1024;
/// So many bytes are written at once, whatever may come.
const FULL: usize = 8 * 1024;
/// With these bytes HTTP/2 begins.
///
/// Source: RFC 9113, 3.4.
const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();

/// How connections begin.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) limits: Limits,
    pub(crate) observer: Arc<dyn Observer>,
}

impl Entrance {
    /// Connections that have begun. The listener is closed when they are no longer
    /// asked for.
    pub(crate) fn open(
        self,
        listener: TcpListener,
    ) -> impl Stream<Item = io::Result<Connection<Box<dyn Transport>>>> {
        let (send, receive) = mpsc::channel(1);
        tokio::spawn(async move {
            tokio::select! {
                () = send.closed() => {}
                () = self.accept(&listener, &send) => {}
            }
        });
        ReceiverStream::new(receive)
    }

    async fn accept(&self, listener: &TcpListener, send: &Begun) {
        let places = Arc::new(Semaphore::new(self.limits.connections.max(1)));
        loop {
            let Some(place) = self.place(&places).await else {
                // Nobody closes the places.
                return;
            };
            match listener.accept().await {
                Ok((stream, from)) => {
                    let (gate, send) = (self.clone(), send.clone());
                    tokio::spawn(async move {
                        if let Some(connection) = gate.begin(stream, from, place).await {
                            // Else the server ends.
                            let _taken = send.send(Ok(connection)).await;
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(RESPITE).await;
                }
            }
        }
    }

    async fn place(&self, places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Some(place);
        }
        self.turn_away("CONNECTIONS_FULL", None);
        Arc::clone(places).acquire_owned().await.ok()
    }

    async fn begin(
        &self,
        stream: TcpStream,
        from: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> Option<Connection<Box<dyn Transport>>> {
        // Answers are small; without this they may wait until an earlier packet is
        // acknowledged. They would still arrive.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "answers may be slow");
        }
        let greeting = Watch {
            due: Box::pin(sleep(self.limits.greeting)),
            then: None,
            code: "CONNECTION_STALLED",
            from,
            observer: Arc::clone(&self.observer),
        };
        let Some(tls) = &self.tls else {
            return Some(Connection {
                io: Box::new(stream),
                caller: Caller::Local,
                missing: PREFACE,
                watch: Some(greeting),
                waited: false,
                _place: Some(place),
            });
        };
        let acceptor = TlsAcceptor::from(tls.mutual());
        let handshake = acceptor.accept(stream).into_fallible();
        let stream = match timeout(self.limits.greeting, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err((error, stream))) => {
                tracing::debug!(%error, "a handshake failed");
                self.turn_away(tls::handshake_code(&error), Some(from));
                linger(stream).await;
                return None;
            }
            Err(_) => {
                self.turn_away("CONNECTION_STALLED", Some(from));
                return None;
            }
        };
        let shown = stream.get_ref().1.peer_certificates();
        let facts = shown
            .and_then(<[_]>::first)
            .and_then(|certificate| Facts::read(certificate).ok());
        let known = facts.and_then(|facts| Some((facts.certified()?, facts.not_after)));
        let Some((certified, not_after)) = known else {
            // The verifier asks for a name, so there is one.
            self.turn_away("CERTIFICATE_NAMELESS", Some(from));
            return None;
        };
        Some(Connection {
            io: Box::new(stream),
            caller: Caller::Certified(certified),
            missing: PREFACE,
            watch: Some(Watch {
                then: Some(not_after),
                ..greeting
            }),
            waited: false,
            _place: Some(place),
        })
    }

    fn turn_away(&self, code: &'static str, from: Option<SocketAddr>) {
        self.observer.turned_away(TurnedAway { code, from });
    }
}

type Begun = mpsc::Sender<io::Result<Connection<Box<dyn Transport>>>>;

async fn linger(mut stream: TcpStream) {
    let heard = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(UNREAD), &mut tokio::io::sink()).await
    };
    // It was turned away; how it takes that does not matter.
    let _over = timeout(LINGER, heard).await;
}

/// Bytes in both directions.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// A connection, and who is at its other end.
pub(crate) struct Connection<IO> {
    io: IO,
    caller: Caller,
    /// How many of the first bytes have not come.
    missing: usize,
    watch: Option<Watch>,
    /// Whether a small answer has let the others of its group be worded first.
    waited: bool,
    _place: Option<OwnedSemaphorePermit>,
}

/// When a connection is over whatever happens: until its first bytes are complete,
/// and then when its certificate is no longer valid.
struct Watch {
    due: Pin<Box<Sleep>>,
    then: Option<Timestamp>,
    code: &'static str,
    from: SocketAddr,
    observer: Arc<dyn Observer>,
}

impl Watch {
    /// For the time after the first bytes.
    fn next(mut self) -> Option<Self> {
        let end = self.then.take()?;
        let rest = Duration::try_from(end.duration_since(Timestamp::now()));
        self.due = Box::pin(sleep(rest.unwrap_or_default()));
        self.code = "CERTIFICATE_EXPIRED";
        Some(self)
    }
}

impl<IO> Connection<IO> {
    /// One within this process.
    pub(crate) fn embedded(io: IO) -> Self {
        Self {
            io,
            caller: Caller::Embedded,
            missing: 0,
            watch: None,
            waited: false,
            _place: None,
        }
    }
}

impl<IO> Connection<IO> {
    /// Whether so many bytes wait for a moment. A group's answers are worded by a task
    /// each, and the first of them wakes the connection before the second is worded: so
    /// it would write, and its caller read, each of them by itself. A task that wakes
    /// itself comes after those that wait already; then it writes them all.
    fn lets_others_come(&mut self, bytes: usize, context: &Context<'_>) -> bool {
        if self.waited || bytes >= FULL {
            return false;
        }
        self.waited = true;
        context.waker().wake_by_ref();
        true
    }
}

impl<IO> Connected for Connection<IO> {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Connection<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(watch) = &mut this.watch
            && watch.due.as_mut().poll(context).is_ready()
        {
            watch.observer.turned_away(TurnedAway {
                code: watch.code,
                from: Some(watch.from),
            });
            this.watch = None;
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.io).poll_read(context, buffer);
        if this.missing > 0 {
            let new = buffer.filled().len().saturating_sub(before);
            this.missing = this.missing.saturating_sub(new);
            if this.missing == 0 {
                this.watch = this.watch.take().and_then(Watch::next);
                if let Some(watch) = &mut this.watch
                    && watch.due.as_mut().poll(context).is_ready()
                {
                    // The next read says so.
                    context.waker().wake_by_ref();
                }
            }
        }
        read
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Connection<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.lets_others_come(bytes.len(), context) {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = slices.iter().map(|slice| slice.len()).sum();
        if self.lets_others_come(bytes, context) {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.waited = false;
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// What was written, write by write.
    #[derive(Default)]
    struct Written(Vec<Vec<u8>>);

    impl AsyncWrite for Written {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.0.push(bytes.to_vec());
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn small_answers_let_others_come_once_and_large_ones_do_not_wait() {
        let mut connection = Connection::embedded(Written::default());
        let mut context = Context::from_waker(Waker::noop());
        let mut write = |bytes: &[u8]| {
            let written = Pin::new(&mut connection).poll_write(&mut context, bytes);
            written.is_ready()
        };
        assert!(!write(b"one"));
        assert!(write(b"one, two"));
        assert!(write(b"three"), "until it is flushed it waits no more");
        assert!(
            Pin::new(&mut connection)
                .poll_flush(&mut context)
                .is_ready()
        );
        let mut write = |bytes: &[u8]| {
            let written = Pin::new(&mut connection).poll_write(&mut context, bytes);
            written.is_ready()
        };
        assert!(write(&[7; FULL]));
        assert!(!write(b"four"));
        assert!(write(b"four"));
        let lengths: Vec<usize> = connection.io.0.iter().map(Vec::len).collect();
        assert_eq!(lengths, [8, 5, FULL, 4]);
    }
}
