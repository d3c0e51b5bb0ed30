//! `ProjectionService`: what is computed from the log, and how to compute it
//! again.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc, time::Duration};

use luzhang_ledger::Position;
use luzhang_projections::projection::{Name, Projections, Rows};
use luzhang_proto::wire::{self, projection_service_server::ProjectionService};
use tokio::{sync::mpsc, time::sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};

use super::{ANSWERS, Answers, Context};
use crate::{
    convert::to_proto, edge::Until, engine::Engine, gate::Visitor, rejected::Rejected, replay,
};

/// Rows of a page, if the request does not say.
const PAGE: usize = 1_000;
/// The most rows of a page.
const MAX_PAGE: usize = 10_000;
/// The time between two answers to who follows, if the request does not say,
/// and the least.
const INTERVAL: Duration = Duration::from_secs(1);
const LEAST_INTERVAL: Duration = Duration::from_millis(50);

#[tonic::async_trait]
impl ProjectionService for Context {
    async fn list(
        &self,
        _request: Request<wire::ListRequest>,
    ) -> Result<Response<wire::ListResponse>, Status> {
        let statuses = self
            .engine
            .statuses()
            .await
            .map_err(Rejected::into_status)?;
        Ok(Response::new(wire::ListResponse {
            projections: statuses.iter().map(to_proto::projection).collect(),
        }))
    }

    async fn query(
        &self,
        request: Request<wire::QueryRequest>,
    ) -> Result<Response<wire::QueryResponse>, Status> {
        let visitor = Visitor::of(request.extensions())?.clone();
        let request = request.into_inner();
        let name = named(&request.name)?;
        let (rows, status) = self
            .engine
            .read_aside(move |projections| (projections.rows(name), projections.status(name)))
            .await
            .map_err(Rejected::into_status)?;
        let rows = visible(&visitor, rows).map_err(Rejected::into_status)?;
        let start = match request.page_token.as_str() {
            "" => 0,
            token => Token::parse(token, &status)?,
        };
        let size = match usize::try_from(request.page_size).unwrap_or(MAX_PAGE) {
            0 => PAGE,
            size => size.min(MAX_PAGE),
        };
        let total = rows.rows.len();
        let page = rows.rows.into_iter().skip(start).take(size);
        let end = start.saturating_add(size);
        Ok(Response::new(wire::QueryResponse {
            columns: rows.columns.iter().map(ToString::to_string).collect(),
            rows: page.map(|cells| wire::Row { cells }).collect(),
            next_page_token: if end < total {
                Token::text(end, &status)
            } else {
                String::new()
            },
            projection: Some(to_proto::projection(&status)),
        }))
    }

    type FollowStream = Answers<wire::FollowResponse>;

    async fn follow(
        &self,
        request: Request<wire::FollowRequest>,
    ) -> Result<Response<Self::FollowStream>, Status> {
        let under_way = self.stream(&request)?;
        let asked = request.get_ref();
        let name = named(&asked.name)?;
        let interval = match asked.interval_ms {
            0 => INTERVAL,
            millis => Duration::from_millis(millis.into()).max(LEAST_INTERVAL),
        };
        let visitor = Visitor::of(request.extensions())?.clone();
        let engine = Arc::downgrade(&self.engine);
        let (send, receive) = mpsc::channel(ANSWERS);
        tokio::spawn(async move {
            let Some(engine) = engine.upgrade() else {
                return;
            };
            if let Err(status) = follow(&engine, &visitor, (name, interval), send.clone()).await {
                let _gone = send.send(Err(status)).await;
            }
        });
        let answers = Until::new(
            ReceiverStream::new(receive),
            request.extensions(),
            under_way,
        );
        Ok(Response::new(Box::pin(answers)))
    }

    type RebuildStream = Answers<wire::RebuildResponse>;

    async fn rebuild(
        &self,
        request: Request<wire::RebuildRequest>,
    ) -> Result<Response<Self::RebuildStream>, Status> {
        let under_way = self.stream(&request)?;
        let running = self
            .engine
            .statuses()
            .await
            .map_err(Rejected::into_status)?;
        let target = running.first().and_then(|status| status.position);
        let engine = Arc::clone(&self.engine);
        let (send, receive) = mpsc::channel(ANSWERS);
        tokio::task::spawn_blocking(move || {
            let answer = rebuild(&engine, target, &send).map(|rebuilt| {
                let statuses = rebuilt.statuses();
                wire::RebuildResponse {
                    position: target.map_or(0, Position::number),
                    target: target.map_or(0, Position::number),
                    projections: statuses.iter().map(to_proto::projection).collect(),
                    matches: statuses == running,
                }
            });
            let _gone = send.blocking_send(answer);
        });
        let answers = Until::new(
            ReceiverStream::new(receive),
            request.extensions(),
            under_way,
        );
        Ok(Response::new(Box::pin(answers)))
    }
}

/// The rows that a mandate extends to: those of its offices and programmes, where a
/// projection tells them apart.
fn visible(visitor: &Visitor, mut rows: Rows) -> Result<Rows, Rejected> {
    let Some(mandate) = visitor.mandate()? else {
        return Ok(rows);
    };
    let column = |name: &str| rows.columns.iter().position(|column| *column == name);
    let (office, programme) = (column("office"), column("programme"));
    let is_told = |column: Option<usize>, limited: bool| column.is_some() || !limited;
    if !is_told(office, !mandate.is_citywide())
        || !is_told(programme, !mandate.programmes.is_empty())
    {
        return Err(visitor.denied(visitor.part()));
    }
    let cell = |row: &[String], column: Option<usize>| row.get(column?).cloned();
    rows.rows.retain(|row| {
        let office = cell(row, office).is_none_or(|office| {
            let office = office.parse();
            office.is_ok_and(|office| mandate.covers_office(office))
        });
        let programme = cell(row, programme);
        office && programme.is_none_or(|programme| mandate.covers_programme(&programme))
    });
    Ok(rows)
}

fn named(name: &str) -> Result<Name, Status> {
    Name::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Name::ALL.iter().map(|name| name.as_str()).collect();
        let known = known.join(", ");
        Rejected {
            field: "name".to_owned(),
            ..Rejected::new(
                Code::NotFound,
                "PROJECTION_UNKNOWN",
                format!("没有这个投影，可用：{known}"),
                format!("no such projection; there are: {known}"),
            )
        }
        .into_status()
    })
}

/// Sends what changes of a projection, until nobody listens any more or the
/// ledger is closed.
async fn follow(
    engine: &Arc<Engine>,
    visitor: &Visitor,
    (name, interval): (Name, Duration),
    send: mpsc::Sender<Result<wire::FollowResponse, Status>>,
) -> Result<(), Status> {
    let mut durable = engine.follow();
    let mut known: Option<BTreeSet<Vec<String>>> = None;
    loop {
        durable.mark_unchanged();
        let (rows, status) = engine
            .read_aside(move |projections| (projections.rows(name), projections.status(name)))
            .await
            .map_err(Rejected::into_status)?;
        let rows = visible(visitor, rows).map_err(Rejected::into_status)?;
        let now: BTreeSet<Vec<String>> = rows.rows.into_iter().collect();
        let row = |cells: &Vec<String>| wire::Row {
            cells: cells.clone(),
        };
        let none = BTreeSet::new();
        let was = known.as_ref().unwrap_or(&none);
        let answer = wire::FollowResponse {
            projection: Some(to_proto::projection(&status)),
            columns: match &known {
                None => rows.columns.iter().map(ToString::to_string).collect(),
                Some(_) => Vec::new(),
            },
            come: now.difference(was).map(row).collect(),
            gone: was.difference(&now).map(row).collect(),
        };
        if send.send(Ok(answer)).await.is_err() {
            return Ok(());
        }
        known = Some(now);
        tokio::select! {
            () = send.closed() => return Ok(()),
            () = sleep(interval) => {}
        }
        tokio::select! {
            () = send.closed() => return Ok(()),
            changed = durable.changed() => if changed.is_err() {
                return Ok(());
            },
        }
    }
}

/// Folds the log anew, up to `target`, beside the running state. Ends early if
/// nobody listens any more.
fn rebuild(
    engine: &Engine,
    target: Option<Position>,
    send: &mpsc::Sender<Result<wire::RebuildResponse, Status>>,
) -> Result<Projections, Status> {
    let mut projections = Projections::default();
    replay::replay(&**engine.reader(), |events| {
        let wanted = events.partition_point(|event| Some(event.header.position) <= target);
        let (wanted, more) = events.split_at(wanted);
        projections.apply_all(wanted);
        if !more.is_empty() {
            return ControlFlow::Break(());
        }
        let progress = wire::RebuildResponse {
            position: projections.state.position().map_or(0, Position::number),
            target: target.map_or(0, Position::number),
            projections: Vec::new(),
            matches: false,
        };
        match send.blocking_send(Ok(progress)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })
    .map_err(|error| Rejected::unreadable(&error.to_string()).into_status())?;
    Ok(projections)
}

/// A page token is the projection, the state it was made from and the next row:
/// on another state the pages would not fit together.
struct Token;

impl Token {
    fn text(row: usize, status: &luzhang_projections::projection::Status) -> String {
        let position = status.position.map_or(0, Position::number);
        format!("{}:{position}:{row}", status.name.as_str())
    }

    fn parse(
        token: &str,
        status: &luzhang_projections::projection::Status,
    ) -> Result<usize, Status> {
        let invalid = || {
            Rejected {
                field: "page_token".to_owned(),
                ..Rejected::new(
                    Code::Aborted,
                    "PAGE_TOKEN_INVALID",
                    "翻页期间数据已变化，或者翻页标记不是这个查询的，请从第一页重新查询",
                    "the data changed between pages, or this is no page token of this query: query again from the first page",
                )
            }
            .into_status()
        };
        let mut parts = token.splitn(3, ':');
        let mut part = || parts.next().ok_or_else(invalid);
        let (name, position, row) = (part()?, part()?, part()?);
        let now = status.position.map_or(0, Position::number);
        if name != status.name.as_str() || position.parse() != Ok(now) {
            return Err(invalid());
        }
        row.parse().map_err(|_| invalid())
    }
}
