//! `luzhang case` and `luzhang conflict`: how far each grant is, and what
//! contradicts it.

use luzhang_proto::event::{self as stored, event::Body as Stored};
use serde_json::Map;

use super::{event, open, recorded_at, report};
use crate::{
    args::{
        Global,
        life::{CaseCommand, ConflictCommand, Which},
    },
    client::Client,
    failure::{Failure, exit},
    output,
};

pub(crate) async fn run(global: &Global, command: &CaseCommand) -> Result<u8, Failure> {
    let client = open(global).await?;
    let listed = match command {
        CaseCommand::List { which, stage } => list(global, &client, which, stage).await,
        CaseCommand::Overrides => overrides(global, &client).await,
    };
    client.close().await?;
    listed.map(|()| exit::OK)
}

async fn list(
    global: &Global,
    client: &Client,
    which: &Which,
    stages: &[String],
) -> Result<(), Failure> {
    let found = report::query(client, "cases").await?;
    let rows = found.rows.iter().filter(|row| {
        let stage = found.cell(row, "stage");
        which.holds(&found, row) && (stages.is_empty() || stages.iter().any(|s| s == stage))
    });
    report::print(global, &found, rows.cloned().collect())
}

async fn overrides(global: &Global, client: &Client) -> Result<(), Failure> {
    let mut rows = Vec::new();
    event::each(client, &["override_recorded"], |event| {
        let Some(Stored::Step(step)) = event.body else {
            return;
        };
        let Some(stored::step::Step::OverrideRecorded(step)) = step.step else {
            return;
        };
        let duty = match step.duty() {
            stored::Duty::Review => "review",
            stored::Duty::Approval => "approval",
            stored::Duty::Payment => "payment",
            stored::Duty::Unspecified => "",
        };
        rows.push(vec![
            event.position.to_string(),
            recorded_at(event.recorded_at),
            step.grant.to_string(),
            duty.to_owned(),
            step.principal,
            event.principal,
            step.reason,
        ]);
    })
    .await?;
    let columns = [
        "position",
        "recorded_at",
        "grant",
        "duty",
        "principal",
        "let_by",
        "reason",
    ];
    output::sheet(&columns, &["position", "grant"], rows).print(global.output, Map::new())
}

impl Which {
    /// Whether a row of the cases is meant.
    pub(super) fn holds(&self, found: &report::Found, row: &[String]) -> bool {
        let is = |wanted: &Option<String>, column: &str| {
            wanted
                .as_deref()
                .is_none_or(|wanted| found.cell(row, column) == wanted)
        };
        is(&self.programme, "programme") && is(&self.office, "office")
    }

    /// The office that acts; the city's by default.
    pub(super) fn acting(&self) -> &str {
        self.office.as_deref().unwrap_or_default()
    }
}

/// The positions of the grants of a stage.
pub(super) async fn grants(
    client: &Client,
    which: &Which,
    wanted: impl Fn(&report::Found, &[String]) -> bool,
) -> Result<Vec<u64>, Failure> {
    let found = report::query(client, "cases").await?;
    let rows = found.rows.iter();
    let rows = rows.filter(|row| which.holds(&found, row) && wanted(&found, row));
    let positions = rows.filter_map(|row| found.cell(row, "grant").parse().ok());
    Ok(positions.collect())
}

pub(crate) async fn conflicts(global: &Global, command: &ConflictCommand) -> Result<u8, Failure> {
    let ConflictCommand::List { all } = command;
    let client = open(global).await?;
    let found = report::query(&client, "conflicts").await;
    client.close().await?;
    let found = found?;
    let open = |row: &&Vec<String>| *all || found.cell(row, "cleared").is_empty();
    let rows = found.rows.iter().filter(open).cloned().collect();
    report::print(global, &found, rows)?;
    Ok(exit::OK)
}
