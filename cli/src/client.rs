//! A ledger to talk to: a server at a URL, or a data directory that this process
//! serves to itself. Either way the conversation is the same.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use indicatif::{ProgressBar, ProgressStyle};
use luzhang_proto::wire::{
    audit_service_client::AuditServiceClient, case_service_client::CaseServiceClient,
    ledger_service_client::LedgerServiceClient, projection_service_client::ProjectionServiceClient,
    proof_service_client::ProofServiceClient,
};
use luzhang_server::{Engine, Limits, Options, Server, allowance::Allowance};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_stream::StreamExt as _;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use tonic_health::pb::health_client::HealthClient;
use tower::service_fn;

use crate::{
    args::Local,
    failure::Failure,
    lang::Lang,
    logging,
    servers::{Named, Servers, Wait},
};

/// The most bytes of one answer that this client takes.
pub(crate) const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Which ledger a command is about.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A server, or several that have the same.
    Server(Named),
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

type Through = InterceptedService<Servers, As>;

/// An open conversation.
#[derive(Debug)]
pub(crate) struct Client {
    servers: Servers,
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
            Target::Server(named) => {
                let principal = As(principal);
                Ok(Self {
                    servers: Servers::reach(named, principal.clone(), lang).await?,
                    principal,
                    embedded: None,
                })
            }
            Target::DataDir(local) => {
                let engine = open_engine(local.clone(), lang).await?;
                let (channel, embedded) = embed(Arc::new(engine)).await?;
                Ok(Self {
                    servers: Servers::Embedded(channel),
                    principal: As(principal),
                    embedded: Some(embedded),
                })
            }
        }
    }

    pub(crate) fn ledger(&self) -> LedgerServiceClient<Through> {
        LedgerServiceClient::with_interceptor(self.servers.clone(), self.principal.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(crate) fn audit(&self) -> AuditServiceClient<Through> {
        AuditServiceClient::with_interceptor(self.servers.clone(), self.principal.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    /// Whether the server takes anything.
    pub(crate) fn health(&self) -> HealthClient<Servers> {
        HealthClient::new(self.servers.clone())
    }

    /// After a stream ended with this status: whether it may go on, here or elsewhere.
    /// Then its reader asks for the rest; else the status is told.
    pub(crate) async fn again(&self, wait: &mut Wait, status: Status) -> Result<(), Status> {
        self.servers.again(wait, status).await
    }

    pub(crate) fn projections(&self) -> ProjectionServiceClient<Through> {
        ProjectionServiceClient::with_interceptor(self.servers.clone(), self.principal.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(crate) fn proofs(&self) -> ProofServiceClient<Through> {
        ProofServiceClient::with_interceptor(self.servers.clone(), self.principal.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    pub(crate) fn cases(&self) -> CaseServiceClient<Through> {
        CaseServiceClient::with_interceptor(self.servers.clone(), self.principal.clone())
            .max_decoding_message_size(MAX_ANSWER)
    }

    /// Ends the conversation; a data directory is closed in order.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        drop(self.servers);
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
