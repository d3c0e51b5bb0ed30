//! `luzhang explain`: what a code means, or why an event was decided so.

use luzhang_projections::codes;
use luzhang_proto::wire;
use serde_json::json;

use super::{event, open, reason_line};
use crate::{
    args::{ExplainArgs, Global},
    failure::{Failure, exit},
    output::{self, Format},
};

pub(crate) async fn run(global: &Global, args: &ExplainArgs) -> Result<u8, Failure> {
    match args.what.parse::<u64>() {
        Ok(position) => explain_event(global, position).await,
        Err(_) => explain_code(global, &args.what),
    }
}

fn explain_code(global: &Global, code: &str) -> Result<u8, Failure> {
    let lang = global.lang();
    let Some(entry) = codes::find(code) else {
        let near = codes::closest(code);
        let (zh, en) = if near.is_empty() {
            (String::new(), String::new())
        } else {
            let near = near.join(", ");
            (
                format!("。相近的：{near}"),
                format!(". Close to it: {near}"),
            )
        };
        return Err(Failure {
            exit: exit::NOT_FOUND,
            ..Failure::new(
                "CODE_UNKNOWN",
                format!("没有代码 {code}{zh}"),
                format!("there is no code {code}{en}"),
            )
        });
    };
    if matches!(global.output, Format::Json | Format::Ndjson) {
        let document = json!({
            "schema_version": 1,
            "code": entry.code,
            "kind": entry.kind.name().en,
            "zh": { "title": entry.title.zh, "text": entry.paragraph.zh },
            "en": { "title": entry.title.en, "text": entry.paragraph.en },
        });
        output::line(&document.to_string())?;
    } else {
        output::line(&format!(
            "{}  {}\n{}",
            entry.code,
            lang.pick(entry.title.zh, entry.title.en),
            lang.pick(entry.paragraph.zh, entry.paragraph.en)
        ))?;
    }
    Ok(exit::OK)
}

async fn explain_event(global: &Global, position: u64) -> Result<u8, Failure> {
    let lang = global.lang();
    let client = open(global).await?;
    let answer = client
        .ledger()
        .get_event(wire::GetEventRequest { position })
        .await;
    client.close().await?;
    let stored = answer?.into_inner().event.unwrap_or_default();
    if matches!(global.output, Format::Json | Format::Ndjson) {
        output::line(&event::to_json(&stored)?.to_string())?;
        return Ok(exit::OK);
    }
    if stored.reasons.is_empty() {
        output::line(lang.pick(
            "该事件没有不予受理的原因：用 luzhang event show 查看内容",
            "nothing was refused here: see `luzhang event show`",
        ))?;
    }
    for reason in &stored.reasons {
        output::line(&reason_line(reason, lang))?;
        if !reason.facts.is_empty() {
            let facts: Vec<String> = reason.facts.iter().map(ToString::to_string).collect();
            let name = lang.pick("  所依据的事件", "  rests on events");
            output::line(&format!("{name}: {}", facts.join(", ")))?;
        }
        if let Some(entry) = codes::find(&reason.code) {
            let text = lang.pick(entry.paragraph.zh, entry.paragraph.en);
            output::line(&format!("  {text}"))?;
        }
    }
    Ok(exit::OK)
}
