//! `luzhang report`: totals and registers.

use std::collections::BTreeMap;

use luzhang_ledger::Fen;
use luzhang_proto::wire;
use serde_json::{Map, json};

use super::{audit_pack, journal, open, published};
use crate::{
    args::{Global, ReportCommand},
    client::Client,
    failure::{Failure, exit},
    message,
    output::{self, Format},
};

/// Rows asked for at a time.
const PAGE: u32 = 10_000;

pub(crate) async fn run(global: &Global, command: &ReportCommand) -> Result<u8, Failure> {
    match command {
        ReportCommand::Journal { format, file, out } => {
            journal::write(global, *format, file.as_deref(), out.as_deref()).await
        }
        ReportCommand::Totals => {
            let client = open(global).await?;
            let ended = totals(global, &client).await;
            client.close().await?;
            ended.map(|()| exit::OK)
        }
        ReportCommand::Budget => {
            let client = open(global).await?;
            let ended = show(global, &client, "budget").await;
            client.close().await?;
            ended.map(|()| exit::OK)
        }
        ReportCommand::Publicity { report, .. }
        | ReportCommand::Plaques { report, .. }
        | ReportCommand::Statement { report, .. }
        | ReportCommand::Register(report)
        | ReportCommand::Execution(report)
        | ReportCommand::Pivot(report)
        | ReportCommand::Loans(report)
        | ReportCommand::Refusals(report)
        | ReportCommand::Conflicts(report)
        | ReportCommand::Payments(report) => published::write(global, command, report).await,
        ReportCommand::Check { file, export } => {
            published::check(global, file, export.as_deref()).await
        }
        ReportCommand::Pack { out, as_of } => audit_pack::write(global, out, *as_of).await,
    }
}

/// A projection's rows, as they are.
pub(crate) async fn show(global: &Global, client: &Client, name: &str) -> Result<(), Failure> {
    let found = query(client, name).await?;
    print(global, &found, found.rows.clone())
}

/// Some of a projection's rows.
pub(crate) fn print(global: &Global, found: &Found, rows: Vec<Vec<String>>) -> Result<(), Failure> {
    let columns: Vec<&str> = found.columns.iter().map(String::as_str).collect();
    let extra = Map::from_iter([
        ("position".to_owned(), json!(found.projection.position)),
        (
            "digest".to_owned(),
            json!(message::hex(&found.projection.digest)),
        ),
    ]);
    output::sheet(&columns, NUMBERS, rows).print(global.output, extra)
}

/// Columns of projections that hold numbers, besides those in fen.
const NUMBERS: &[&str] = &["year", "grants", "payments", "position"];

/// All rows of a projection at one position.
pub(crate) struct Found {
    pub(crate) projection: wire::Projection,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Found {
    /// The cell of a row in a named column.
    pub(crate) fn cell<'a>(&self, row: &'a [String], column: &str) -> &'a str {
        let place = self.columns.iter().position(|name| name == column);
        let cell = place.and_then(|place| row.get(place));
        cell.map_or("", String::as_str)
    }
}

/// Reads all rows of a projection.
pub(crate) async fn query(client: &Client, name: &str) -> Result<Found, Failure> {
    let mut rows = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = wire::QueryRequest {
            name: name.to_owned(),
            page_size: PAGE,
            page_token,
        };
        let page = client.projections().query(request).await?.into_inner();
        rows.extend(page.rows.into_iter().map(|row| row.cells));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(Found {
                projection: page.projection.unwrap_or_default(),
                columns: page.columns,
                rows,
            });
        }
    }
}

/// Committed sums by programme and year.
pub(crate) type Sums = BTreeMap<(String, String), (i64, i64)>;

/// Sums and conflicts, with the projection they come from.
pub(crate) async fn sums(client: &Client) -> Result<(wire::Projection, Sums, usize), Failure> {
    let Found {
        projection, rows, ..
    } = query(client, "totals").await?;
    let mut sums = Sums::new();
    for row in rows {
        let [programme, year, _office, _fund, grants, amount, _paid] = row.as_slice() else {
            continue;
        };
        let sum = sums.entry((programme.clone(), year.clone())).or_default();
        sum.0 += grants.parse::<i64>().unwrap_or(0);
        sum.1 += amount.parse::<i64>().unwrap_or(0);
    }
    let conflicts = query(client, "conflicts").await?;
    Ok((projection, sums, conflicts.rows.len()))
}

async fn totals(global: &Global, client: &Client) -> Result<(), Failure> {
    let (projection, sums, conflicts) = sums(client).await?;
    let human = global.output == Format::Table;
    let mut rows: Vec<Vec<String>> = sums
        .into_iter()
        .map(|((programme, year), (grants, amount))| {
            let shown = match Fen::new(amount) {
                Ok(amount) if human => amount.to_string(),
                Ok(_) | Err(_) => amount.to_string(),
            };
            vec![programme, year, grants.to_string(), shown]
        })
        .collect();
    let lang = global.lang();
    let columns: Vec<&str> = if human {
        vec![
            lang.pick("项目", "programme"),
            lang.pick("年度", "year"),
            lang.pick("笔数", "grants"),
            lang.pick("金额（元）", "yuan"),
        ]
    } else {
        vec!["programme", "year", "grants", "amount_fen"]
    };
    let extra = Map::from_iter([
        ("conflicts".to_owned(), json!(conflicts)),
        ("position".to_owned(), json!(projection.position)),
        ("digest".to_owned(), json!(message::hex(&projection.digest))),
    ]);
    if global.output == Format::Csv {
        let conflicts = conflicts.to_string();
        rows.push(vec![
            "conflicts".to_owned(),
            String::new(),
            conflicts,
            String::new(),
        ]);
    }
    output::sheet(&columns, &["year", "grants"], rows).print(global.output, extra)?;
    if human {
        let name = lang.pick("冲突", "conflicts");
        let (position, digest) = (projection.position, message::hex(&projection.digest));
        output::line(&format!("{name}: {conflicts}"))?;
        let at = lang.pick("截至位置", "at position");
        let digest_name = lang.pick("摘要", "digest");
        output::line(&format!("{at} {position}, {digest_name} {digest}"))?;
    }
    Ok(())
}
