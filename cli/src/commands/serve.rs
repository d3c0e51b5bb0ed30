//! `luzhang serve`: serve a data directory over gRPC.

use std::{path::PathBuf, sync::Arc, time::Duration};

use luzhang_projections::Rejection;
use luzhang_server::{
    Engine, Limits, Options, Rejected, Server, Tls,
    allowance::Allowance,
    checkpoints::{Proofs, Schedule},
    connections::raise_file_limit,
    engine::DatabaseOptions,
    http::Believed,
    metrics, web,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::{
    args::{
        Global,
        serve::{ServeArgs, TreeKept, Web},
    },
    client,
    failure::{Failure, exit},
    lang::Lang,
    logging, output,
    trust::read_policy,
};

pub(crate) async fn run(global: &Global, args: &ServeArgs) -> Result<u8, Failure> {
    let dir = global.dir()?;
    let lang = global.lang();
    // Heard from the beginning, so that no signal is lost while the log is read.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let take_over = signal(SignalKind::user_defined1())?;
    let tls = certificates(args)?;
    let options = options(global, args)?;
    let engine = open(dir, options, args.standby, lang).await?;
    let limits = Limits {
        allowance: Allowance {
            rate: args.rate.0,
            ..Allowance::default()
        },
        ..args.transport.limits(args.message_bytes)
    };
    take_files(limits.connections);
    let engine = Arc::new(engine);
    if tls.is_some() && !engine.access().is_governed() {
        // Otherwise every certificate would open everything.
        return Err(Failure::from(
            Rejected::from(Rejection::Ungoverned).into_status(),
        ));
    }
    let taking = tokio::spawn(take_over_when_told(take_over, Arc::clone(&engine)));
    let server = Server::new(Arc::clone(&engine), limits)
        .with_tls(tls.clone())
        .traced_by(logging::join);
    let listener = server.listen(args.listen).await?;
    let web = match args.web {
        Web::Off => None,
        Web::At(address) => Some(server.listen(address).await?),
    };
    let metrics = match args.metrics {
        Web::Off => None,
        Web::At(address) => Some(metrics::listen(address).await?),
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    if tls.is_none() {
        warn_of_plain(lang);
    }
    let freshness = tls.clone().map(Tls::keep_fresh).transpose()?;
    let freshness = freshness.map(tokio::spawn);
    output::line(&format!("listening {scheme}://{}", listener.local_addr()?))?;
    let (stopping, stopped) = watch::channel(false);
    let stop_with = |stopped: &watch::Receiver<bool>| {
        let mut stopped = stopped.clone();
        async move {
            // The sending end lives until the server ends.
            let _ended = stopped.wait_for(|stopping| *stopping).await;
        }
    };
    let metrics = match metrics {
        None => None,
        Some(listener) => {
            let address = listener.local_addr()?;
            crate::output::note!("metrics http://{address}/metrics");
            let stop = stop_with(&stopped);
            Some(tokio::spawn(metrics::serve(
                Arc::clone(&engine),
                listener,
                stop,
            )))
        }
    };
    let web = match web {
        None => None,
        Some(web) => {
            output::line(&format!("tiles {scheme}://{}", web.local_addr()?))?;
            let stop = stop_with(&stopped);
            Some(tokio::spawn(web::serve(engine, web, tls, stop)))
        }
    };
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        output::note!(
            "{}",
            lang.pick(
                "正在收尾，已受理的请求不会丢失",
                "finishing: nothing accepted is lost"
            )
        );
    };
    let served = server.run(listener, stop).await;
    stopping.send_replace(true);
    taking.abort();
    if let Some(freshness) = freshness {
        freshness.abort();
    }
    for served in web.into_iter().chain(metrics) {
        // It ends with its readers, or leaves them behind.
        served.await.map_err(anyhow::Error::from)?;
    }
    served?;
    Ok(exit::OK)
}

/// Reads the ledger, to write it or to follow who does.
async fn open(
    dir: PathBuf,
    options: Options,
    standby: bool,
    lang: Lang,
) -> Result<Engine, Failure> {
    let opened = tokio::task::spawn_blocking(move || {
        let bar = client::progress(lang.pick("读取账本", "reading the ledger"));
        let progress = |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        };
        let engine = if standby {
            Engine::stand_by(&dir, options, progress)
        } else {
            Engine::open(&dir, options, progress)
        };
        bar.finish_and_clear();
        engine
    });
    Ok(opened.await.map_err(anyhow::Error::from)??)
}

async fn take_over_when_told(mut told: Signal, engine: Arc<Engine>) {
    while told.recv().await.is_some() {
        engine.take_over();
    }
}

/// Takes as many files as the operating system gives, and says so if they are fewer
/// than connections.
fn take_files(connections: usize) {
    match raise_file_limit() {
        Ok(Some(files)) if files < u64::try_from(connections).unwrap_or(u64::MAX) => {
            tracing::warn!(files, connections, "fewer files than connections");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the number of open files was not raised"),
    }
}

/// Says what it means to have no TLS.
fn warn_of_plain(lang: Lang) {
    crate::output::note!(
        "{}",
        lang.pick(
            "未启用 TLS：只在本机监听，自称哪个账户就按哪个账户办理；正式使用请加 --tls（见 luzhang cert dev）",
            "no TLS: on this machine only, and callers are believed to be who they say; \
             for real use add --tls (see `luzhang cert dev`)"
        )
    );
}

/// The server's certificate, and whose it believes.
fn certificates(args: &ServeArgs) -> Result<Option<Arc<Tls>>, Failure> {
    let files = args.transport.tls.files()?;
    let tls = files.map(Tls::load).transpose()?;
    Ok(tls.map(Arc::new))
}

fn options(global: &Global, args: &ServeArgs) -> Result<Options, Failure> {
    let witnesses = args.witnesses.as_deref().map(read_policy).transpose()?;
    let time = Duration::try_from(args.checkpoint_every)
        .ok()
        .filter(|time| !time.is_zero());
    let time = time.ok_or_else(|| {
        Failure::usage(
            "--checkpoint-every 应为正的时长，例如 10s",
            "--checkpoint-every is a time above zero, such as 10s",
        )
    })?;
    let schedule = Schedule {
        blocks: args.checkpoint_blocks.max(1),
        time,
        believed: match witnesses {
            Some(_) => global.believed()?,
            None => Believed::default(),
        },
        witnesses,
    };
    Ok(Options {
        kek: global.kek()?,
        queue: args.queue,
        proofs: match args.tree {
            TreeKept::On => Proofs::Scheduled(Box::new(schedule)),
            TreeKept::Off => Proofs::Off,
        },
        snapshots: args.snapshots.0,
        database: DatabaseOptions {
            address: global.database.clone(),
            durable: args.durable.into(),
            name: match &args.advertise {
                Some(name) => name.clone(),
                None => args.listen.to_string(),
            },
            lease: args.lease.0.clone(),
        },
    })
}
