//! `luzhang notice`: what is published, its masked list, its end.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use luzhang_proto::wire::{self, command::Body, grant_ref::Grant};

use super::{case, open, report, submit_one, wire_day};
use crate::{
    args::{Global, life::NoticeCommand},
    client::Client,
    failure::{Failure, exit},
    output,
};

/// The most grants of one notice or batch.
const MAX_GRANTS: usize = luzhang_ledger::step::Step::MAX_GRANTS;

pub(crate) async fn run(global: &Global, command: &NoticeCommand) -> Result<u8, Failure> {
    let client = open(global).await?;
    let done = act(global, &client, command).await;
    client.close().await?;
    done
}

async fn act(global: &Global, client: &Client, command: &NoticeCommand) -> Result<u8, Failure> {
    match command {
        NoticeCommand::Publish {
            number,
            from,
            until,
            which,
        } => {
            let approved =
                |found: &report::Found, row: &[String]| found.cell(row, "stage") == "approved";
            let grants = case::grants(client, which, approved).await?;
            if grants.is_empty() {
                return Err(Failure {
                    exit: exit::NOT_FOUND,
                    ..Failure::new(
                        "NOTHING_TO_PUBLISH",
                        "没有已审批、尚未公示的补助：请先审核、审批",
                        "no approved grant waits for a notice: review and approve first",
                    )
                });
            }
            let body = Body::Notice(wire::Notice {
                notice_no: number.clone(),
                grants: references(&grants)?,
                first_day: Some(wire_day(*from)),
                last_day: until.map(wire_day),
            });
            submit_one(global, client, which.acting(), body).await
        }
        NoticeCommand::List { number, out } => list(global, client, number, out.as_deref()).await,
        NoticeCommand::Close { number, on } => {
            let body = Body::NoticeClosing(wire::NoticeClosing {
                notice_no: number.clone(),
                closed_on: Some(wire_day(*on)),
            });
            submit_one(global, client, "", body).await
        }
        NoticeCommand::Status => {
            report::show(global, client, "notices").await?;
            Ok(exit::OK)
        }
    }
}

/// Positions as references; at most as many as one event holds.
pub(super) fn references(grants: &[u64]) -> Result<Vec<wire::GrantRef>, Failure> {
    if grants.len() > MAX_GRANTS {
        let count = grants.len();
        return Err(Failure::usage(
            format!(
                "{count} 笔补助超过一次的上限 {MAX_GRANTS} 笔：请按 --programme 或 --office 分开"
            ),
            format!(
                "{count} grants, at most {MAX_GRANTS} at a time: divide them by --programme or --office"
            ),
        ));
    }
    let reference = |grant: &u64| wire::GrantRef {
        grant: Some(Grant::Position(*grant)),
    };
    Ok(grants.iter().map(reference).collect())
}

async fn list(
    global: &Global,
    client: &Client,
    number: &str,
    out: Option<&Path>,
) -> Result<u8, Failure> {
    let of = Some(wire::get_notice_list_request::Of::NoticeNo(
        number.to_owned(),
    ));
    let request = wire::GetNoticeListRequest { of };
    let answer = client.cases().get_notice_list(request).await?.into_inner();
    if answer.list_digest != answer.published_digest {
        let note = global.lang().pick(
            "注意：公示后有名称更正，名单与公示时不同",
            "note: a name was corrected since, the list differs from the published one",
        );
        output::note!("{note}");
    }
    match out {
        None => output::bytes(&answer.list)?,
        Some(path) => write_new(path, &answer.list)?,
    }
    Ok(exit::OK)
}

/// A file that must not exist yet.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    })
    .map_err(|error| Failure::file(path, &error))
}
