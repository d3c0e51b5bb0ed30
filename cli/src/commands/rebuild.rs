//! `luzhang rebuild`: fold the whole log anew and print the digests.

use std::{ops::ControlFlow, path::Path};

use indicatif::ProgressBar;
use luzhang_ledger::{Event, Position, replay::Replayed};
use luzhang_projections::{
    journal::day_of,
    projection::{self, Projections},
};
use luzhang_proto::wire;
use serde_json::{Map, json};
use tonic::Status;

use super::open;
use crate::{
    args::{AsOf, Global},
    client::{Client, progress},
    failure::{Failure, exit},
    message,
    output::{self, Sheet},
    servers::Wait,
    source::Source,
};

/// Columns of statuses, and which of them are numbers.
pub(super) const COLUMNS: &[&str] = &["name", "version", "position", "digest"];
pub(super) const NUMBERS: &[&str] = &["version", "position"];

pub(crate) async fn run(global: &Global, file: Option<&Path>) -> Result<u8, Failure> {
    let source = Source::of(global, file)?;
    if matches!(source, Source::Server) {
        return rebuild_server(global).await;
    }
    let folded = folded(global, &source, None).await?;
    sheet(status_rows(&folded.statuses())).print(global.output, Map::new())?;
    Ok(exit::OK)
}

/// Folds the log of a source anew, up to a moment.
pub(super) async fn folded(
    global: &Global,
    source: &Source,
    as_of: Option<AsOf>,
) -> Result<Projections, Failure> {
    let what = ("重建", "rebuilding");
    let later = move |event: &Event| match as_of {
        Some(AsOf::Position(position)) => event.header.position > position,
        Some(AsOf::Day(day)) => day_of(event.header.recorded_at) > day,
        None => false,
    };
    let step = move |fold: &mut Projections, events: &[Replayed]| {
        let end = events.iter().position(|event| later(event));
        let (wanted, more) = events.split_at(end.unwrap_or(events.len()));
        fold.apply_all(wanted);
        if more.is_empty() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let walked = source.walk_together(global, what, Projections::default(), step);
    walked.await
}

/// Statuses as rows.
pub(super) fn status_rows(statuses: &[projection::Status]) -> Vec<Vec<String>> {
    let row = |status: &projection::Status| {
        vec![
            status.name.as_str().to_owned(),
            status.name.version().to_string(),
            status.position.map_or(0, Position::number).to_string(),
            status.digest.to_string(),
        ]
    };
    statuses.iter().map(row).collect()
}

async fn rebuild_server(global: &Global) -> Result<u8, Failure> {
    let client = open(global).await?;
    let bar = progress(global.lang().pick("重建", "rebuilding"));
    let mut wait = Wait::default();
    let last = loop {
        // A server that has gone away is of no use to another one: that begins anew.
        match rebuilt(&client, &bar, &mut wait).await {
            Ok(last) => break last,
            Err(status) => client.again(&mut wait, status).await?,
        }
    };
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

/// The last answer of a rebuild, which has the digests.
async fn rebuilt(
    client: &Client,
    bar: &ProgressBar,
    wait: &mut Wait,
) -> Result<wire::RebuildResponse, Status> {
    let answers = client.projections().rebuild(wire::RebuildRequest {}).await;
    let mut answers = answers?.into_inner();
    let mut last = wire::RebuildResponse::default();
    while let Some(answer) = answers.message().await? {
        wait.heard();
        last = answer;
        bar.set_length(last.target);
        bar.set_position(last.position);
    }
    Ok(last)
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
    output::sheet(COLUMNS, NUMBERS, rows)
}
