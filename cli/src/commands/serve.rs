//! `luzhang serve`: serve a data directory over gRPC.

use std::sync::Arc;

use luzhang_server::{Engine, Limits, Server};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    args::{Global, ServeArgs},
    client,
    failure::{Failure, exit},
    output,
};

pub(crate) async fn run(global: &Global, args: &ServeArgs) -> Result<u8, Failure> {
    let dir = global.dir()?;
    let lang = global.lang();
    // Heard from the beginning, so that no signal is lost while the log is read.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let queue = args.queue;
    let opened = tokio::task::spawn_blocking(move || {
        let bar = client::progress(lang.pick("读取账本", "reading the ledger"));
        let engine = Engine::open(&dir, queue, |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        engine
    });
    let engine = opened.await.map_err(anyhow::Error::from)??;
    let limits = Limits {
        message_bytes: args.message_bytes,
        ..Limits::default()
    };
    let server = Server::new(Arc::new(engine), limits);
    let listener = server.listen(args.listen).await?;
    output::line(&format!("listening http://{}", listener.local_addr()?))?;
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        eprintln!(
            "{}",
            lang.pick(
                "正在收尾，已受理的请求不会丢失",
                "finishing: nothing accepted is lost"
            )
        );
    };
    server.run(listener, stop).await?;
    Ok(exit::OK)
}
