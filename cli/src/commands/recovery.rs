//! `luzhang recovery`: from a conflict to money that is claimed back.

use luzhang_proto::wire::{self, command::Body, grant_ref::Grant};

use super::{open, report, submit_one, yuan};
use crate::{
    args::{Global, life::RecoveryCommand},
    client::Client,
    failure::{Failure, exit},
};

pub(crate) async fn run(global: &Global, command: &RecoveryCommand) -> Result<u8, Failure> {
    let client = open(global).await?;
    let done = act(global, &client, command).await;
    client.close().await?;
    done
}

async fn act(global: &Global, client: &Client, command: &RecoveryCommand) -> Result<u8, Failure> {
    match command {
        RecoveryCommand::Open {
            number,
            conflict,
            grant,
            amount,
            basis,
        } => {
            let grant = match (grant, conflict) {
                (Some(grant), _) => *grant,
                (None, Some(conflict)) => grant_of(client, *conflict).await?,
                (None, None) => 0,
            };
            let amount = amount.as_deref().map(|text| yuan(text, "--amount"));
            let body = Body::RecoveryOpening(wire::RecoveryOpening {
                recovery_no: number.clone(),
                grant: Some(wire::GrantRef {
                    grant: Some(Grant::Position(grant)),
                }),
                amount_fen: amount.transpose()?.unwrap_or(0),
                conflict: conflict.unwrap_or(0),
                basis: basis.clone(),
            });
            submit_one(global, client, "", body).await
        }
        RecoveryCommand::Status => {
            report::show(global, client, "recoveries").await?;
            Ok(exit::OK)
        }
    }
}

/// The grant that a conflict is about.
async fn grant_of(client: &Client, conflict: u64) -> Result<u64, Failure> {
    let found = report::query(client, "conflicts").await?;
    let position = conflict.to_string();
    let mut rows = found.rows.iter();
    let row = rows.find(|row| found.cell(row, "position") == position);
    let grant = row.and_then(|row| found.cell(row, "grant").parse().ok());
    grant.ok_or_else(|| Failure {
        exit: exit::NOT_FOUND,
        ..Failure::new(
            "UNKNOWN_CONFLICT",
            format!("位置 {conflict} 不是冲突：用 luzhang conflict list 查看"),
            format!("position {conflict} is not a conflict: see `luzhang conflict list`"),
        )
    })
}
