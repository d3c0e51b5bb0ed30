//! `luzhang policy`: check, show, list and adopt policy packs.

use std::{fs, path::Path, sync::Arc};

use luzhang_projections::{
    Pack,
    pack::{LUZHOU_2023, PackError, Unit},
};
use luzhang_proto::wire::{self, command::Body, outcome::Result as Answer};
use serde_json::{Map, json};
use uuid::Uuid;

use super::{day, open, policy_diff, submit};
use crate::{
    args::{Global, PolicyCommand},
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format, Sheet},
};

pub(crate) async fn run(global: &Global, command: &PolicyCommand) -> Result<u8, Failure> {
    match command {
        PolicyCommand::Check { file } => check(global, file),
        PolicyCommand::Show { pack } => show(global, pack.as_deref()).await,
        PolicyCommand::Diff { before, after } => policy_diff::run(global, before, after).await,
        PolicyCommand::List => list(global).await,
        PolicyCommand::Coverage { pack } => {
            super::coverage::print(global, &*found(global, pack.as_deref()).await?)
        }
        PolicyCommand::Adopt { file } => adopt(global, file).await,
    }
}

pub(super) fn load(text: &[u8]) -> Result<Arc<Pack>, Failure> {
    // A county's pack sits on one that the program knows.
    let below = Pack::load(LUZHOU_2023.as_bytes())
        .into_iter()
        .collect::<Vec<_>>();
    Pack::load_on(text, &below).map_err(|error| unusable(&error))
}

/// A pack that cannot be used, with all its defects.
pub(super) fn unusable(error: &PackError) -> Failure {
    let shown = match error {
        PackError::Defects(defects) => defects.iter().fold(String::new(), |list, defect| {
            list + "\n  - " + &defect.to_string()
        }),
        PackError::Toml(_) | PackError::TooLarge | PackError::BaseMissing { .. } => {
            format!(" {error}")
        }
    };
    Failure::new(
        "POLICY_INVALID",
        format!("政策包不可用：{shown}"),
        format!("the policy pack is not usable:{shown}"),
    )
}

fn check(global: &Global, file: &Path) -> Result<u8, Failure> {
    let text = fs::read(file).map_err(|error| Failure::file(file, &error))?;
    let pack = load(&text)?;
    let (limits, params) = (pack.limits.len(), pack.params.len());
    match (global.output, global.lang()) {
        (Format::Json | Format::Ndjson, _) => output::line(
            &json!({
                "schema_version": 1, "pack": pack.id.as_str(), "defects": [],
                "limits": limits, "params": params,
            })
            .to_string(),
        )?,
        (Format::Table | Format::Csv, Lang::Zh) => output::line(&format!(
            "{} 可以启用：{limits} 条限制，{params} 个参数，无缺口、无重叠",
            pack.id
        ))?,
        (Format::Table | Format::Csv, Lang::En) => output::line(&format!(
            "{} may be adopted: {limits} limits, {params} parameters, no gap, no overlap",
            pack.id
        ))?,
    }
    Ok(exit::OK)
}

async fn show(global: &Global, which: Option<&str>) -> Result<u8, Failure> {
    print(global, &*found(global, which).await?)?;
    Ok(exit::OK)
}

/// A pack by its file or its id; the built-in one by default.
async fn found(global: &Global, which: Option<&str>) -> Result<Arc<Pack>, Failure> {
    Ok(match which {
        None => load(LUZHOU_2023.as_bytes())?,
        Some(which) => load(&text_of(global, which).await?)?,
    })
}

/// The text of a pack: of a file, or of the one that was adopted last by an id.
pub(super) async fn text_of(global: &Global, which: &str) -> Result<Vec<u8>, Failure> {
    let file = Path::new(which);
    if file.is_file() {
        return fs::read(file).map_err(|error| Failure::file(file, &error));
    }
    let policies = adopted(global).await?;
    let mut found = policies.into_iter().rev();
    let found = found.find(|policy| policy.pack_id == which);
    found.map(|policy| policy.content).ok_or_else(|| Failure {
        exit: exit::NOT_FOUND,
        ..Failure::new(
            "POLICY_UNKNOWN",
            format!("账本没有启用政策包 {which}"),
            format!("the ledger has not adopted a pack {which}"),
        )
    })
}

fn print(global: &Global, pack: &Pack) -> Result<(), Failure> {
    let lang = global.lang();
    let (limits, params, readings) = (limits(pack, lang), params(pack, lang), readings(pack, lang));
    let until = pack
        .window
        .until()
        .map_or(String::new(), |day| day.to_string());
    match global.output {
        Format::Json | Format::Ndjson => output::line(
            &json!({
                "schema_version": 1,
                "pack": pack.id.as_str(),
                "title": lang.pick(&pack.title.zh, &pack.title.en),
                "from": pack.window.from().to_string(),
                "until": until,
                "source": pack.source.title,
                "source_sha256": pack.source.sha256,
                "limits": limits.objects(),
                "params": params.objects(),
                "readings": readings.objects(),
            })
            .to_string(),
        ),
        format @ (Format::Table | Format::Csv) => {
            output::line(&format!(
                "{}  {}  [{}, {until})\n{}  sha256 {}",
                pack.id,
                lang.pick(&pack.title.zh, &pack.title.en),
                pack.window.from(),
                pack.source.title,
                pack.source.sha256
            ))?;
            for sheet in [limits, params, readings] {
                sheet.print(format, Map::new())?;
            }
            Ok(())
        }
    }
}

fn limits(pack: &Pack, lang: Lang) -> Sheet {
    let rows = pack.limits.iter().map(|limit| {
        vec![
            limit.id.clone(),
            limit.code.clone(),
            limit.programmes.join(" "),
            match limit.measure {
                0 => "-".to_owned(),
                measure => measure.to_string(),
            },
            lang.pick(&limit.text.zh, &limit.text.en).to_owned(),
            limit.quote.clone(),
            limit.readings.join(" "),
        ]
    });
    let columns = [
        "limit",
        "code",
        "programmes",
        "measure",
        "text",
        "quote",
        "readings",
    ];
    output::sheet(&columns, &[], rows.collect())
}

fn params(pack: &Pack, lang: Lang) -> Sheet {
    let rows = pack.params.iter().flat_map(|param| {
        let unit = match param.unit {
            Unit::Fen => lang.pick("分", "fen"),
            Unit::Count => lang.pick("次", "count"),
            Unit::Years => lang.pick("年", "years"),
            Unit::Ppm => lang.pick("百万分之", "ppm"),
        };
        param.values.iter().map(move |value| {
            let until = value.window.until();
            vec![
                param.id.clone(),
                value.window.from().to_string(),
                until.map_or(String::new(), |day| day.to_string()),
                value.value.to_string(),
                unit.to_owned(),
                param.basis.clone(),
                value.cite.clone(),
            ]
        })
    });
    let columns = ["param", "from", "until", "value", "unit", "basis", "cite"];
    output::sheet(&columns, &["value"], rows.collect())
}

fn readings(pack: &Pack, lang: Lang) -> Sheet {
    let rows = pack.readings.iter().map(|reading| {
        let text = lang.pick(&reading.text.zh, &reading.text.en);
        vec![reading.id.clone(), text.to_owned()]
    });
    output::sheet(&["reading", "text"], &[], rows.collect())
}

async fn adopted(global: &Global) -> Result<Vec<wire::AdoptedPolicy>, Failure> {
    let client = open(global).await?;
    let answer = client
        .ledger()
        .list_policies(wire::ListPoliciesRequest {})
        .await;
    client.close().await?;
    Ok(answer?.into_inner().policies)
}

async fn list(global: &Global) -> Result<u8, Failure> {
    let rows = adopted(global).await?.into_iter().map(|policy| {
        vec![
            policy.position.to_string(),
            policy.pack_id,
            day(policy.from),
            day(policy.until),
        ]
    });
    let sheet = output::sheet(
        &["position", "pack", "from", "until"],
        &["position"],
        rows.collect(),
    );
    sheet.print(global.output, Map::new())?;
    Ok(exit::OK)
}

async fn adopt(global: &Global, file: &Path) -> Result<u8, Failure> {
    let content = fs::read(file).map_err(|error| Failure::file(file, &error))?;
    let pack = load(&content)?;
    let client = open(global).await?;
    let request_id = Uuid::now_v7().to_string();
    let command = wire::Command {
        request_id: request_id.clone(),
        office: String::new(),
        body: Some(Body::PolicyPack(wire::PolicyPack { content })),
    };
    let request = wire::SubmitRequest {
        receipt: false,
        command: Some(command),
    };
    let answer = client.ledger().submit(request).await;
    client.close().await?;
    let answer = submit::answered(global, &request_id, answer)?;
    let outcome = answer.into_inner().outcome.unwrap_or_default();
    let position = match outcome.result {
        Some(Answer::Accepted(accepted)) => accepted.receipt.map_or(0, |r| r.position),
        Some(Answer::Refused(_) | Answer::Rejected(_)) | None => 0,
    };
    match (global.output, global.lang()) {
        (Format::Json | Format::Ndjson, _) => output::line(
            &json!({"schema_version": 1, "pack": pack.id.as_str(), "position": position})
                .to_string(),
        )?,
        (Format::Table | Format::Csv, Lang::Zh) => {
            output::line(&format!("已启用 {}，位置 {position}", pack.id))?;
        }
        (Format::Table | Format::Csv, Lang::En) => {
            output::line(&format!("adopted {} at {position}", pack.id))?;
        }
    }
    Ok(exit::OK)
}
