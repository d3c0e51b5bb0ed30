//! `luzhang serve`: serve a data directory over gRPC.

use std::{sync::Arc, time::Duration};

use luzhang_server::{
    Engine, Limits, Options, Server,
    allowance::Allowance,
    checkpoints::{Proofs, Schedule},
    web,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    args::{Global, ServeArgs, TreeKept, Web},
    client,
    failure::{Failure, exit},
    output,
    trust::read_policy,
};

pub(crate) async fn run(global: &Global, args: &ServeArgs) -> Result<u8, Failure> {
    let dir = global.dir()?;
    let lang = global.lang();
    // Heard from the beginning, so that no signal is lost while the log is read.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let options = options(args)?;
    let opened = tokio::task::spawn_blocking(move || {
        let bar = client::progress(lang.pick("读取账本", "reading the ledger"));
        let engine = Engine::open(&dir, options, |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        engine
    });
    let engine = opened.await.map_err(anyhow::Error::from)??;
    let limits = Limits {
        message_bytes: args.message_bytes,
        allowance: Allowance {
            rate: args.rate.0,
            ..Allowance::default()
        },
        ..Limits::default()
    };
    let engine = Arc::new(engine);
    let server = Server::new(Arc::clone(&engine), limits);
    let listener = server.listen(args.listen).await?;
    let web = match args.web {
        Web::Off => None,
        Web::At(address) => Some(server.listen(address).await?),
    };
    output::line(&format!("listening http://{}", listener.local_addr()?))?;
    let (stopping, stopped) = watch::channel(false);
    let web = match web {
        None => None,
        Some(web) => {
            output::line(&format!("tiles http://{}", web.local_addr()?))?;
            let mut stopped = stopped.clone();
            let stop = async move {
                // The sending end lives until the server ends.
                let _ended = stopped.wait_for(|stopping| *stopping).await;
            };
            Some(tokio::spawn(web::serve(engine, web, stop)))
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
    if let Some(web) = web {
        // It ends with its readers, or leaves them behind.
        web.await.map_err(anyhow::Error::from)?;
    }
    served?;
    Ok(exit::OK)
}

fn options(args: &ServeArgs) -> Result<Options, Failure> {
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
        witnesses,
    };
    Ok(Options {
        queue: args.queue,
        proofs: match args.tree {
            TreeKept::On => Proofs::Scheduled(Box::new(schedule)),
            TreeKept::Off => Proofs::Off,
        },
    })
}
