//! `luzhang explain`: what a code means, or why an event was decided so.

use luzhang_projections::codes;
use serde_json::json;

use super::decided;
use crate::{
    args::{ExplainArgs, Global},
    failure::{Failure, exit},
    output::{self, Format},
};

pub(crate) async fn run(global: &Global, args: &ExplainArgs) -> Result<u8, Failure> {
    match args.what.parse::<u64>() {
        Ok(position) => decided::run(global, position, args.file.as_deref()).await,
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
