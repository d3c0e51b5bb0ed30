//! `luzhang projection`: what is computed from the log.

use std::collections::BTreeSet;

use luzhang_ledger::Position;
use luzhang_projections::{
    projection::{Name, Projections},
    report,
};
use luzhang_proto::wire;
use serde_json::{Map, json};
use tonic::Status;

use super::{open, rebuild};
use crate::{
    args::{AsOf, Global, ProjectionCommand},
    client::Client,
    failure::{Failure, exit},
    message,
    output::{self, Format},
    servers::Wait,
    source::Source,
};

pub(crate) async fn run(global: &Global, command: &ProjectionCommand) -> Result<u8, Failure> {
    match command {
        ProjectionCommand::List => list(global),
        ProjectionCommand::Rebuild { file } => return rebuild::run(global, file.as_deref()).await,
        ProjectionCommand::Status { file, as_of } => {
            let source = Source::of(global, file.as_deref())?;
            let rows = if matches!(source, Source::Server) && as_of.is_none() {
                let client = open(global).await?;
                let answer = client.projections().list(wire::ListRequest {}).await;
                client.close().await?;
                rebuild::projection_rows(&answer?.into_inner().projections)
            } else {
                let folded = folded(global, &source, *as_of).await?;
                rebuild::status_rows(&folded.statuses())
            };
            output::sheet(rebuild::COLUMNS, rebuild::NUMBERS, rows).print(global.output, Map::new())
        }
        ProjectionCommand::Show { name, file, as_of } => {
            let name = named(name)?;
            let source = Source::of(global, file.as_deref())?;
            let folded = folded(global, &source, *as_of).await?;
            let rows = folded.rows(name);
            let status = folded.status(name);
            let extra = Map::from_iter([
                (
                    "position".to_owned(),
                    json!(status.position.map(Position::number)),
                ),
                ("digest".to_owned(), json!(status.digest.to_string())),
            ]);
            output::sheet(rows.columns, &[], rows.rows).print(global.output, extra)
        }
        ProjectionCommand::Diff {
            name,
            since,
            until,
            file,
        } => {
            let name = named(name)?;
            let source = Source::of(global, file.as_deref())?;
            diff(global, &source, name, (*since, *until)).await
        }
        ProjectionCommand::Follow { name } => follow(global, named(name)?).await,
    }?;
    Ok(exit::OK)
}

/// The fold up to a moment, which the log has to reach.
async fn folded(
    global: &Global,
    source: &Source,
    as_of: Option<AsOf>,
) -> Result<Projections, Failure> {
    let folded = rebuild::folded(global, source, as_of).await?;
    if let Some(AsOf::Position(position)) = as_of
        && folded.state.position() < Some(position)
    {
        return Err(Failure {
            exit: exit::NOT_FOUND,
            ..Failure::new(
                "EVENT_NOT_FOUND",
                format!("账本没有位置 {position}"),
                format!("the ledger has no event at {position}"),
            )
        });
    }
    Ok(folded)
}

fn named(name: &str) -> Result<Name, Failure> {
    Name::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Name::ALL.iter().map(|name| name.as_str()).collect();
        let known = known.join(", ");
        Failure {
            exit: exit::NOT_FOUND,
            ..Failure::new(
                "PROJECTION_UNKNOWN",
                format!("没有投影“{name}”，可用：{known}"),
                format!("there is no projection {name}; there are: {known}"),
            )
        }
    })
}

fn list(global: &Global) -> Result<(), Failure> {
    let lang = global.lang();
    let rows = Name::ALL.into_iter().map(|name| {
        let about = name.about();
        let resting = report::Name::ALL.into_iter();
        let resting: Vec<&str> = resting
            .filter(|report| report.rests_on().contains(&name))
            .map(report::Name::as_str)
            .collect();
        vec![
            name.as_str().to_owned(),
            name.version().to_string(),
            lang.pick(about.zh, about.en).to_owned(),
            resting.join(", "),
        ]
    });
    let columns = ["name", "version", "about", "reports"];
    output::sheet(&columns, &["version"], rows.collect()).print(global.output, Map::new())
}

/// Rows that one moment has and the other has not.
async fn diff(
    global: &Global,
    source: &Source,
    name: Name,
    (since, until): (AsOf, Option<AsOf>),
) -> Result<(), Failure> {
    let before = folded(global, source, Some(since)).await?;
    let after = folded(global, source, until).await?;
    let (was, is) = (before.rows(name), after.rows(name));
    let old: BTreeSet<&Vec<String>> = was.rows.iter().collect();
    let new: BTreeSet<&Vec<String>> = is.rows.iter().collect();
    let gone = was.rows.iter().filter(|row| !new.contains(row));
    let come = is.rows.iter().filter(|row| !old.contains(row));
    let marked = |mark: &'static str| {
        move |row: &Vec<String>| {
            let mut cells = vec![mark.to_owned()];
            cells.extend(row.iter().cloned());
            cells
        }
    };
    let mut rows: Vec<Vec<String>> = gone.map(marked("-")).chain(come.map(marked("+"))).collect();
    // A row and what it became, one under the other.
    rows.sort_by(|one, other| {
        one.get(1)
            .cmp(&other.get(1))
            .then(other.first().cmp(&one.first()))
    });
    let mut columns = vec!["change"];
    columns.extend(is.columns);
    let moment = |of: &Projections| {
        let status = of.status(name);
        json!({
            "position": status.position.map(Position::number),
            "digest": status.digest.to_string(),
        })
    };
    let extra = Map::from_iter([
        ("before".to_owned(), moment(&before)),
        ("after".to_owned(), moment(&after)),
    ]);
    output::sheet(&columns, &[], rows).print(global.output, extra)
}

/// Prints what changes, a line each, until the server or the caller ends it. From
/// another server all comes once more: what differs from what was printed is printed.
async fn follow(global: &Global, name: Name) -> Result<(), Failure> {
    let client = open(global).await?;
    let mut following = Following {
        global,
        name,
        columns: Vec::new(),
        printed: None,
        wait: Wait::default(),
    };
    while let Err(cut) = following.follow(&client).await {
        match cut {
            Cut::Off(status) => client.again(&mut following.wait, status).await?,
            Cut::Failed(failure) => return Err(failure),
        }
    }
    client.close().await
}

/// Why following ended before its time.
enum Cut {
    /// The stream did.
    Off(Status),
    /// It cannot be printed.
    Failed(Failure),
}

type Rows = BTreeSet<Vec<String>>;

struct Following<'a> {
    global: &'a Global,
    name: Name,
    columns: Vec<String>,
    /// The rows as they were printed last.
    printed: Option<Rows>,
    wait: Wait,
}

impl Following<'_> {
    async fn follow(&mut self, client: &Client) -> Result<(), Cut> {
        let request = wire::FollowRequest {
            name: self.name.as_str().to_owned(),
            interval_ms: 0,
        };
        let answers = client.projections().follow(request).await;
        let mut answers = answers.map_err(Cut::Off)?.into_inner();
        // As this server has told.
        let mut rows = Rows::new();
        while let Some(answer) = answers.message().await.map_err(Cut::Off)? {
            self.wait.heard();
            let cells = |rows: Vec<wire::Row>| rows.into_iter().map(|row| row.cells);
            for row in cells(answer.gone) {
                rows.remove(&row);
            }
            rows.extend(cells(answer.come));
            let columns = Some(answer.columns).filter(|columns| !columns.is_empty());
            let projection = answer.projection.unwrap_or_default();
            let printed = self.print(&projection, columns, &rows);
            printed.map_err(Cut::Failed)?;
        }
        Ok(())
    }

    /// Prints how rows differ from those that were printed last. Columns are told with
    /// the first ones only.
    fn print(
        &mut self,
        projection: &wire::Projection,
        columns: Option<Vec<String>>,
        rows: &Rows,
    ) -> Result<(), Failure> {
        let none = Rows::new();
        let was = self.printed.as_ref().unwrap_or(&none);
        let come: Vec<_> = rows.difference(was).collect();
        let gone: Vec<_> = was.difference(rows).collect();
        let is_new = columns.as_ref().is_some_and(|now| *now != self.columns);
        if self.printed.is_some()
            && columns.is_some()
            && !is_new
            && come.is_empty()
            && gone.is_empty()
        {
            // Another server, which says the same.
            return Ok(());
        }
        let told = columns.filter(|_| is_new).unwrap_or_default();
        let digest = message::hex(&projection.digest);
        if self.global.output == Format::Table {
            output::line(&format!("{} {digest}", projection.position))?;
            for (mark, rows) in [("-", gone), ("+", come)] {
                for row in rows {
                    output::line(&format!("  {mark} {}", row.join(" | ")))?;
                }
            }
        } else {
            let line = json!({
                "position": projection.position,
                "digest": digest,
                "columns": told,
                "come": come,
                "gone": gone,
            });
            output::line(&line.to_string())?;
        }
        if is_new {
            self.columns = told;
        }
        self.printed = Some(rows.clone());
        Ok(())
    }
}
