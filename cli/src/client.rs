//! A ledger to talk to: a server at a URL, or a data directory that this process
//! serves to itself. Either way the conversation is the same.

use std::{
    future::Future,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use indicatif::{ProgressBar, ProgressStyle};
use luzhang_proto::wire::{
    SubmitRequest, SubmitResponse, audit_service_client::AuditServiceClient,
    case_service_client::CaseServiceClient, ledger_service_client::LedgerServiceClient,
    projection_service_client::ProjectionServiceClient, proof_service_client::ProofServiceClient,
};
use luzhang_server::{Engine, Limits, Options, Server, allowance::Allowance};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_stream::StreamExt as _;
use tonic::{
    Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;
use tower::service_fn;

use crate::{args::Local, failure::Failure, lang::Lang, logging, transport};

/// The most bytes of one answer that this client takes.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Which ledger a command is about.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A server.
    Server(Remote),
    /// A data directory.
    DataDir(Local),
}

/// A server, and the means to talk to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remote {
    pub(crate) url: String,
    /// The files of the certificate and the key to show, without their endings.
    pub(crate) identity: Option<PathBuf>,
    /// The file of the CAs whose servers are believed.
    pub(crate) ca: Option<PathBuf>,
}

/// Says who asks, with every request.
#[derive(Clone, Debug)]
pub(crate) struct As(Option<MetadataValue<Ascii>>);

impl Interceptor for As {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(name) = &self.0 {
            request
                .metadata_mut()
                .insert("luzhang-principal", name.clone());
        }
        logging::pass_on(request.metadata_mut());
        Ok(request)
    }
}

type Through = InterceptedService<Channel, As>;

/// An open conversation.
#[derive(Debug)]
pub(crate) struct Client {
    channel: Channel,
    principal: As,
    embedded: Option<Embedded>,
}

/// The server that this process runs for itself.
#[derive(Debug)]
struct Embedded {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), luzhang_server::serve::ServeError>>,
}

impl Client {
    pub(crate) async fn open(
        target: &Target,
        principal: Option<&str>,
        lang: Lang,
    ) -> Result<Self, Failure> {
        let principal = principal
            .map(|name| {
                let visible = name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
                let value = name.parse().ok().filter(|_| visible);
                value.ok_or_else(|| {
                    Failure::usage(
                        "账户名只能用可见的 ASCII 字符",
                        "a principal is written in visible ASCII characters",
                    )
                })
            })
            .transpose()?;
        match target {
            Target::Server(remote) => Ok(Self {
                channel: transport::connect(remote).await?,
                principal: As(principal),
                embedded: None,
            }),
            Target::DataDir(local) => {
                let engine = open_engine(local.clone(), lang).await?;
                let (channel, embedded) = embed(Arc::new(engine)).await?;
                Ok(Self {
                    channel,
                    principal: As(principal),
                    embedded: Some(embedded),
                })
            }
        }
    }

    pub(crate) fn ledger(&self) -> LedgerServiceClient<Through> {
        LedgerServiceClient::with_interceptor(self.channel.clone(), self.principal.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    /// Submits one command; patiently, if the server is busy.
    pub(crate) async fn submit(
        &self,
        request: SubmitRequest,
    ) -> Result<Response<SubmitResponse>, Status> {
        patiently(|| {
            let request = request.clone();
            async move { self.ledger().submit(request).await }
        })
        .await
    }

    pub(crate) fn audit(&self) -> AuditServiceClient<Through> {
        AuditServiceClient::with_interceptor(self.channel.clone(), self.principal.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    /// Whether the server takes anything.
    pub(crate) fn health(&self) -> HealthClient<Channel> {
        HealthClient::new(self.channel.clone())
    }

    pub(crate) fn projections(&self) -> ProjectionServiceClient<Through> {
        ProjectionServiceClient::with_interceptor(self.channel.clone(), self.principal.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(crate) fn proofs(&self) -> ProofServiceClient<Through> {
        ProofServiceClient::with_interceptor(self.channel.clone(), self.principal.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(crate) fn cases(&self) -> CaseServiceClient<Through> {
        CaseServiceClient::with_interceptor(self.channel.clone(), self.principal.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    /// Ends the conversation; a data directory is closed in order.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        drop(self.channel);
        if let Some(embedded) = self.embedded {
            // The server may have ended by itself.
            let _ended = embedded.stop.send(());
            embedded
                .task
                .await
                .map_err(|error| Failure::from(anyhow::Error::from(error)))??;
        }
        Ok(())
    }
}

/// How often a server may say that it is busy before it is believed.
const ATTEMPTS: u32 = 6;
/// The longest that is waited between two attempts.
const LONGEST: Duration = Duration::from_secs(10);

/// Asks again when the server is busy and says when to come again
/// (`QUEUE_FULL`, `RATE_LIMITED`). Nothing was decided then.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, Status>>>(
    mut ask: impl FnMut() -> F,
) -> Result<T, Status> {
    let mut attempt = 1;
    loop {
        let answer = ask().await;
        let again = match &answer {
            Err(status) if attempt < ATTEMPTS => busy(status),
            Ok(_) | Err(_) => None,
        };
        let Some(again) = again else {
            return answer;
        };
        // Longer each time, so that many who wait do not come back at once for ever.
        let times = 1 << (attempt - 1);
        tokio::time::sleep(again.saturating_mul(times).min(LONGEST)).await;
        attempt += 1;
    }
}

/// When to come again, if the server is busy.
fn busy(status: &Status) -> Option<Duration> {
    let details = status.get_error_details();
    let code = &details.error_info()?.reason;
    if !["QUEUE_FULL", "RATE_LIMITED"].contains(&code.as_str()) {
        return None;
    }
    details.retry_info()?.retry_delay
}

/// Opens a data directory, with a progress bar where a person watches.
pub(crate) async fn open_engine(local: Local, lang: Lang) -> Result<Engine, Failure> {
    let Local { dir, kek, database } = local;
    let options = Options {
        kek,
        database,
        ..Options::default()
    };
    let opened = tokio::task::spawn_blocking(move || {
        let bar = progress(lang.pick("读取账本", "reading the ledger"));
        let engine = Engine::open(&dir, options, |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        engine
    });
    let opened = opened.await.map_err(anyhow::Error::from)?;
    Ok(opened?)
}

/// A progress bar on stderr; invisible where that is no terminal.
pub(crate) fn progress(what: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{msg} {bar:30} {human_pos}/{human_len} {per_sec}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

async fn embed(engine: Arc<Engine>) -> Result<(Channel, Embedded), Failure> {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (stop, stopped) = oneshot::channel();
    let limits = Limits {
        // Whoever may open the directory needs no protection from themselves.
        message_bytes: MAX_ANSWER,
        request: Duration::from_hours(24),
        allowance: Allowance {
            rate: None,
            requests: usize::MAX,
            streams: usize::MAX,
        },
        // Nobody goes away from within.
        silence: Duration::from_hours(24),
        ..Limits::default()
    };
    let task = tokio::spawn(async move {
        // The server ends when no connection can come any more; until it is told
        // to stop, one could.
        let incoming =
            tokio_stream::once(Ok::<_, io::Error>(theirs)).chain(tokio_stream::pending());
        let stop = async {
            // Either way it is time to end.
            let _told = stopped.await;
        };
        Server::new(engine, limits).serve(incoming, stop).await
    });
    let ours = Arc::new(Mutex::new(Some(ours)));
    let connector = service_fn(move |_| {
        let taken = ours.lock().ok().and_then(|mut ours| ours.take());
        async move {
            taken
                .map(TokioIo::new)
                .ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionReset))
        }
    });
    // The address is never looked up: the connection exists already.
    let channel = Endpoint::from_static("http://embedded.invalid")
        .connect_with_connector(connector)
        .await
        .map_err(|error| Failure::from(anyhow::Error::from(error)))?;
    Ok((channel, Embedded { stop, task }))
}

/// Whether a directory holds a ledger, or anything at all.
pub(crate) fn is_occupied(dir: &Path) -> bool {
    dir.read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
}
