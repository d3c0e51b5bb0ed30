//! Those who mean harm. In truth they are on machines of their own; here they have
//! one thread together, which leaves the processor to the server and the clerk when
//! these want it: what is measured is the server, not the machine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use luzhang_proto::wire;
use rustix::process::setpriority_process;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::Builder,
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    clerk::{connect, course},
    frames::{PREFACE, call, fields, flag, frame, greeting, kind},
    support::Dice,
};

/// What a crowd does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    /// Opens connections, says nothing, half a greeting or half a request, and
    /// stays.
    Stall { connections: usize },
    /// Sends what is no HTTP/2, or HTTP/2 that is meant to tire.
    Garbage,
    /// Streams batches without end.
    Stream(Batches),
}

/// Batches of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batches {
    pub(crate) kind: Kind,
    pub(crate) answers: Answers,
}

/// Whether there is anything to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Valid,
    Invalid,
}

/// Whether somebody reads what is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    Read,
    Unread,
}

/// A crowd at work, until it is dropped.
#[derive(Debug)]
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    enough: u64,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Waits until harm is being done.
    pub(crate) fn gather(url: &str, harm: Harm) -> Self {
        let (stop, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let member = Member {
            url: url.to_owned(),
            stop: Arc::clone(&stop),
            done: Arc::clone(&done),
        };
        let thread = thread::spawn(move || {
            // On Linux this is about this thread alone.
            setpriority_process(None, 10).unwrap();
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(member.all(harm));
            runtime.shutdown_background();
        });
        let enough = match harm {
            Harm::Stall { .. } => 0,
            Harm::Garbage => 200,
            Harm::Stream(batches) => match batches.answers {
                Answers::Read => 24,
                Answers::Unread => 12,
            },
        };
        let crowd = Self {
            stop,
            done,
            enough,
            thread: Some(thread),
        };
        let first = match harm {
            Harm::Stall { connections } => connections as u64 * 9 / 10,
            Harm::Garbage | Harm::Stream(_) => crowd.enough / 4,
        };
        while crowd.done() < first {
            thread::sleep(Duration::from_millis(5));
        }
        crowd
    }

    /// How often harm must be tried before it is said that none was done.
    pub(crate) fn enough(&self) -> u64 {
        self.enough
    }

    /// How many times harm was tried.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[derive(Clone)]
struct Member {
    url: String,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
}

impl Member {
    async fn all(self, harm: Harm) {
        let mut members = JoinSet::new();
        match harm {
            Harm::Stall { connections } => {
                for number in 0..connections {
                    members.spawn(self.clone().stall(number));
                }
            }
            Harm::Garbage => {
                for number in 0..6 {
                    members.spawn(self.clone().garbage(number));
                }
            }
            Harm::Stream(batches) => {
                for _ in 0..4 {
                    members.spawn(self.clone().stream(batches));
                }
            }
        }
        self.stopped().await;
        members.shutdown().await;
    }

    async fn stopped(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn harm(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    async fn dial(&self) -> Option<TcpStream> {
        let address = self.url.strip_prefix("http://").unwrap();
        let dialled = timeout(Duration::from_secs(5), TcpStream::connect(address)).await;
        dialled.ok()?.ok()
    }

    async fn stall(self, number: usize) {
        let half_a_request = [
            greeting(),
            frame(kind::HEADERS, flag::END_HEADERS, 1, &call(SUBMIT)),
            // A message of eight mebibytes begins, and does not go on.
            frame(kind::DATA, flag::NONE, 1, &[0, 0, 128, 0, 0, 10, 5]),
        ];
        let half_a_request = half_a_request.concat();
        let said: &[u8] = match number % 3 {
            0 => &[],
            1 => &PREFACE[..PREFACE.len() / 2],
            _ => &half_a_request,
        };
        // The server may not want to hear it.
        let mut connection = self.dial().await;
        if let Some(connection) = &mut connection {
            let _refused = connection.write_all(said).await;
        }
        self.harm();
        std::future::pending::<()>().await;
        drop(connection);
    }

    async fn garbage(self, number: u64) {
        let mut dice = Dice::new(&format!("garbage {number}"));
        loop {
            let said = garbage(number % 6, &mut dice);
            if let Some(mut connection) = self.dial().await {
                for _ in 0..50 {
                    let sent = timeout(Duration::from_secs(1), connection.write_all(&said)).await;
                    self.harm();
                    if !matches!(sent, Ok(Ok(()))) {
                        break;
                    }
                    // What is answered is thrown away.
                    let mut answer = [0; 16 * 1024];
                    let read = connection.read(&mut answer);
                    let read = timeout(Duration::from_millis(1), read).await;
                    if matches!(read, Ok(Ok(0) | Err(_))) {
                        break;
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    }

    async fn stream(self, batches: Batches) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let Some(mut client) = connect(&self.url, "crowd").await else {
                continue;
            };
            let (send, receive) = mpsc::channel(1);
            let feeder = async {
                loop {
                    let first = NEXT.fetch_add(MESSAGE, Ordering::Relaxed);
                    let commands = (first..first + MESSAGE).map(|number| match batches.kind {
                        Kind::Valid => course("CROWD", number),
                        Kind::Invalid => wire::Command {
                            request_id: "?".to_owned(),
                            ..course("CROWD", number)
                        },
                    });
                    let commands = commands.collect();
                    let message = wire::SubmitBatchRequest { commands };
                    let sent = timeout(Duration::from_secs(1), send.send(message)).await;
                    // Who does not read is not taken from for ever: it begins anew.
                    if !matches!(sent, Ok(Ok(()))) {
                        return;
                    }
                    self.harm();
                }
            };
            let answers = client.submit_batch(ReceiverStream::new(receive));
            let reader = async {
                let Ok(answers) = answers.await else {
                    return;
                };
                let mut answers = answers.into_inner();
                match batches.answers {
                    Answers::Read => while let Ok(Some(_)) = answers.message().await {},
                    Answers::Unread => std::future::pending().await,
                }
            };
            tokio::select! {
                () = feeder => {}
                () = reader => {}
            }
        }
    }
}

/// Commands in a message of a stream.
const MESSAGE: u64 = 5_000;

const SUBMIT: &str = "/luzhang.v1.LedgerService/Submit";

/// One kind of bytes that are no use.
fn garbage(which: u64, dice: &mut Dice) -> Vec<u8> {
    let mut noise = |count: usize| -> Vec<u8> {
        (0..count)
            .map(|_| u8::try_from(dice.below(256)).unwrap())
            .collect()
    };
    match which {
        0 => noise(4_000),
        1 => [greeting(), noise(4_000)].concat(),
        // Requests that are taken back at once.
        2 => {
            let mut said = greeting();
            let call = call(SUBMIT);
            for number in 0..500 {
                said.extend(frame(
                    kind::HEADERS,
                    flag::END_HEADERS,
                    2 * number + 1,
                    &call,
                ));
                said.extend(frame(
                    kind::RST_STREAM,
                    flag::NONE,
                    2 * number + 1,
                    &[0, 0, 0, 8],
                ));
            }
            said
        }
        // A list of headers without measure.
        3 => {
            let long = "x".repeat(8_000);
            let block = fields([("x-a", &*long), ("x-b", &long)]);
            let mut said = greeting();
            said.extend(frame(kind::HEADERS, flag::NONE, 1, &call(SUBMIT)));
            for _ in 0..20 {
                said.extend(frame(kind::CONTINUATION, flag::NONE, 1, &block[..16_000]));
            }
            said
        }
        // Headers that never end, a byte at a time.
        4 => {
            let mut said = greeting();
            said.extend(frame(kind::HEADERS, flag::NONE, 1, &call(SUBMIT)));
            for _ in 0..2_000 {
                said.extend(frame(kind::CONTINUATION, flag::NONE, 1, &[]));
            }
            said
        }
        // Questions that want answers.
        _ => {
            let mut said = greeting();
            for _ in 0..1_000 {
                said.extend(frame(kind::PING, flag::NONE, 0, &[7; 8]));
                said.extend(frame(kind::SETTINGS, flag::NONE, 0, &[]));
                said.extend(frame(kind::SETTINGS, flag::ACK, 0, &[]));
            }
            said
        }
    }
}
