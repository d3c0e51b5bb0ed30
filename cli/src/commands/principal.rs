//! `luzhang principal`: who may do what.

use luzhang_ledger::{
    Office,
    access::{Mandate, Role, Roles},
    text::Principal,
};
use luzhang_proto::{
    event::{self as stored, event::Body as Stored},
    wire,
};
use luzhang_server::engine::enough_administrators;
use serde_json::Map;

use super::{open, recorded_at, report, submit_one};
use crate::{
    args::{
        Global,
        access::{MandateArgs, PrincipalCommand},
    },
    client::{Client, open_engine},
    failure::{Failure, exit},
    output,
};

pub(crate) async fn run(global: &Global, command: &PrincipalCommand) -> Result<u8, Failure> {
    if let PrincipalCommand::Found { administrators } = command {
        return found(global, administrators).await;
    }
    let client = open(global).await?;
    let ended = with(global, &client, command).await;
    client.close().await?;
    ended
}

async fn with(global: &Global, client: &Client, command: &PrincipalCommand) -> Result<u8, Failure> {
    use wire::command::Body;
    match command {
        PrincipalCommand::List => {
            report::show(global, client, "access").await?;
            Ok(exit::OK)
        }
        PrincipalCommand::Propose { name, mandate } => {
            let body = Body::Mandate(wanted(name, mandate));
            submit_one(global, client, "", body).await
        }
        PrincipalCommand::Revoke { name } => {
            let mandate = wire::Mandate {
                principal: name.to_string(),
                ..wire::Mandate::default()
            };
            submit_one(global, client, "", Body::Mandate(mandate)).await
        }
        PrincipalCommand::Confirm { position } => {
            let confirmation = wire::MandateConfirmation {
                proposal: *position,
            };
            submit_one(global, client, "", Body::MandateConfirmation(confirmation)).await
        }
        PrincipalCommand::Denials => denials(global, client).await,
        PrincipalCommand::Found { administrators } => found(global, administrators).await,
    }
}

fn wanted(name: &Principal, mandate: &MandateArgs) -> wire::Mandate {
    let mut offices: Vec<String> = mandate.offices.iter().map(ToString::to_string).collect();
    if offices.is_empty() {
        offices.push(Office::LUZHOU.to_string());
    }
    wire::Mandate {
        principal: name.to_string(),
        roles: mandate
            .roles
            .iter()
            .map(|role| stored::Role::from(*role).into())
            .collect(),
        offices,
        programmes: mandate.programmes.iter().map(ToString::to_string).collect(),
        credentials: mandate
            .credentials
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

/// Mandates of administrators for everything.
pub(super) fn administrators(names: &[Principal]) -> Result<Vec<Mandate>, Failure> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    let mandates = names.into_iter().map(|name| {
        let mandate = Mandate::of_everything(name, Roles::of(&[Role::Administrator]));
        mandate.check().map(|()| mandate)
    });
    let mandates = mandates.collect::<Result<Vec<_>, _>>();
    let mandates = mandates.map_err(|malformed| {
        let rejected = luzhang_server::Rejected::from(malformed);
        Failure::from(rejected.into_status())
    })?;
    enough_administrators(&mandates).map_err(|why| Failure::from(why.into_status()))?;
    Ok(mandates)
}

async fn found(global: &Global, names: &[Principal]) -> Result<u8, Failure> {
    let mandates = administrators(names)?;
    let engine = open_engine(global.local()?, global.lang()).await?;
    let founded = engine.found(mandates).await;
    tokio::task::spawn_blocking(move || engine.close())
        .await
        .map_err(anyhow::Error::from)?;
    let position = founded.map_err(|why| Failure::from(why.into_status()))?;
    output::line(&format!(
        "{} {position}",
        global.lang().pick("已记录，位置", "recorded at")
    ))?;
    Ok(exit::OK)
}

async fn denials(global: &Global, client: &Client) -> Result<u8, Failure> {
    let mut rows = Vec::new();
    super::event::each(client, &["access_denied"], |event| {
        if let Some(Stored::AccessDenied(denied)) = event.body {
            rows.push(vec![
                event.position.to_string(),
                recorded_at(event.recorded_at),
                denied.principal,
                denied.code,
                denied.action,
                denied.count.to_string(),
            ]);
        }
    })
    .await?;
    let columns = [
        "position",
        "recorded_at",
        "principal",
        "code",
        "action",
        "count",
    ];
    let numbers = &["position", "count"];
    output::sheet(&columns, numbers, rows).print(global.output, Map::new())?;
    Ok(exit::OK)
}
