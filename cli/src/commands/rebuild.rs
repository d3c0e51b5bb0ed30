//! `luzhang rebuild`: fold the whole log anew and print the digests.

use std::{ops::ControlFlow, path::Path};

use luzhang_ledger::{Position, log::sled};
use luzhang_projections::projection::{Projections, Status};
use luzhang_proto::wire;
use luzhang_server::replay;
use serde_json::{Map, json};
use tokio_stream::StreamExt as _;

use super::open;
use crate::{
    args::Global,
    client::{Target, progress},
    failure::{Failure, exit},
    lang::Lang,
    message,
    output::{self, Sheet},
};

pub(crate) async fn run(global: &Global) -> Result<u8, Failure> {
    match global.target()? {
        Target::DataDir(dir) => {
            let statuses = rebuild_dir(&dir, global.lang())?;
            let rows = statuses.iter().map(|status| {
                vec![
                    status.name.as_str().to_owned(),
                    status.name.version().to_string(),
                    status.position.map_or(0, Position::number).to_string(),
                    status.digest.to_string(),
                ]
            });
            sheet(rows.collect()).print(global.output, Map::new())?;
            Ok(exit::OK)
        }
        Target::Server(_) => rebuild_server(global).await,
    }
}

/// Folds a data directory's log on a copy, so that nothing is changed.
fn rebuild_dir(dir: &Path, lang: Lang) -> Result<Vec<Status>, Failure> {
    let scratch = tempfile::tempdir()?;
    let log = sled::open_for_audit(dir, scratch.path())?;
    let mut projections = Projections::default();
    let bar = progress(lang.pick("重建", "rebuilding"));
    replay::replay(&*log.reader, |events| {
        for event in &events {
            projections.apply(event);
        }
        bar.set_position(projections.state.position().map_or(0, Position::number));
        ControlFlow::Continue(())
    })
    .map_err(|error| {
        Failure::new(
            "LEDGER_UNREADABLE",
            format!("账本读取失败：{error}"),
            error.to_string(),
        )
    })?;
    bar.finish_and_clear();
    Ok(projections.statuses())
}

async fn rebuild_server(global: &Global) -> Result<u8, Failure> {
    let client = open(global).await?;
    let answers = client.projections().rebuild(wire::RebuildRequest {}).await;
    let mut answers = answers?.into_inner();
    let bar = progress(global.lang().pick("重建", "rebuilding"));
    let mut last = wire::RebuildResponse::default();
    while let Some(answer) = answers.next().await {
        last = answer?;
        bar.set_length(last.target);
        bar.set_position(last.position);
    }
    bar.finish_and_clear();
    client.close().await?;
    let matches = last.matches;
    sheet(projection_rows(&last.projections)).print(
        global.output,
        Map::from_iter([("matches".to_owned(), json!(matches))]),
    )?;
    if !matches {
        return Err(Failure {
            exit: exit::CONFLICT,
            ..Failure::new(
                "DIGEST_DIFFERS",
                "重建的摘要与运行中的不一致：请停止服务并核验账本",
                "the rebuilt digests differ from the running ones: stop the server and verify the ledger",
            )
        });
    }
    Ok(exit::OK)
}

/// Projections as rows.
pub(crate) fn projection_rows(projections: &[wire::Projection]) -> Vec<Vec<String>> {
    projections
        .iter()
        .map(|projection| {
            vec![
                projection.name.clone(),
                projection.version.to_string(),
                projection.position.to_string(),
                message::hex(&projection.digest),
            ]
        })
        .collect()
}

fn sheet(rows: Vec<Vec<String>>) -> Sheet {
    output::sheet(
        &["name", "version", "position", "digest"],
        &["version", "position"],
        rows,
    )
}
