//! What a watcher says on standard output: a sentence, or a JSON object a line.

use std::path::Path;

use luzhang_ledger::proof::{SignedCheckpoint, TreeHead};
use serde_json::json;

use super::{
    finding::{Finding, Kind},
    look::Change,
};
use crate::{
    args::Global,
    failure::Failure,
    lang::Lang,
    output::{self, Format},
    tiles::TileSource,
};

/// A checkpoint that was verified.
pub(super) fn verified(
    global: &Global,
    source: &TileSource,
    head: &TreeHead,
    change: Change,
) -> Result<(), Failure> {
    let TreeHead { size, root } = head;
    let by = match change {
        Change::First => *size,
        Change::Unchanged => 0,
        Change::Grew { by } => by,
    };
    if is_for_programs(global) {
        return output::line(
            &json!({
                "schema_version": 1,
                "result": change.word(),
                "source": source.to_string(),
                "size": size,
                "root": root.to_string(),
                "new_events": by,
            })
            .to_string(),
        );
    }
    output::line(&match (change, global.lang()) {
        (Change::First, Lang::Zh) => {
            format!("首次查看，没有可比对的，暂且信任：{size} 个事件，根 {root}")
        }
        (Change::First, Lang::En) => {
            format!("first look, trusted with nothing to compare: {size} events, root {root}")
        }
        (Change::Unchanged, Lang::Zh) => format!("没有变化：{size} 个事件，根 {root}"),
        (Change::Unchanged, Lang::En) => format!("unchanged: {size} events, root {root}"),
        (Change::Grew { .. }, Lang::Zh) => {
            format!("接续上次：{size} 个事件（新增 {by}），根 {root}")
        }
        (Change::Grew { .. }, Lang::En) => {
            format!("continued: {size} events ({by} new), root {root}")
        }
    })
}

/// A finding, and where the evidence is.
pub(super) fn found(
    global: &Global,
    source: &TileSource,
    finding: &Finding,
    evidence: Option<&Path>,
) -> Result<(), Failure> {
    if is_for_programs(global) {
        let mut message = finding.to_json(source);
        if let Some(message) = message.as_object_mut() {
            let path = evidence.map(|path| path.display().to_string());
            message.insert("evidence".to_owned(), path.into());
        }
        return output::line(&message.to_string());
    }
    let lang = global.lang();
    let mut lines = vec![
        format!("{}: {}", finding.kind.code(), sentence(finding.kind, lang)),
        format!("  {}", finding.detail.text(lang)),
    ];
    if let Some(known) = &finding.known {
        lines.push(side(lang.pick("已知", "known"), known, lang));
    }
    lines.push(side(lang.pick("发现", "found"), &finding.found, lang));
    if let Some(path) = evidence {
        lines.push(format!(
            "  {}: {}",
            lang.pick("证据", "evidence"),
            path.display()
        ));
    }
    output::line(&lines.join("\n"))
}

/// Looks show something again.
pub(super) fn recovered(global: &Global) {
    let text = global.lang().pick("恢复正常", "verified again");
    output::note!("{text}");
}

fn is_for_programs(global: &Global) -> bool {
    matches!(global.output, Format::Json | Format::Ndjson)
}

fn sentence(kind: Kind, lang: Lang) -> &'static str {
    match kind {
        Kind::Forked => lang.pick(
            "分叉：同一账本签署了互不相容的两套历史",
            "forked: two histories that exclude each other were signed for one ledger",
        ),
        Kind::Shrank => lang.pick(
            "倒退：已公布过的事件不见了",
            "shrank: events that had been published are gone",
        ),
        Kind::Tampered => lang.pick(
            "篡改：公布的瓦片与签署的检查点不符",
            "tampered: the published tiles are not those of the signed checkpoint",
        ),
    }
}

fn side(name: &str, checkpoint: &SignedCheckpoint, lang: Lang) -> String {
    let TreeHead { size, root } = checkpoint.head();
    match lang {
        Lang::Zh => format!("  {name}: {size} 个事件，根 {root}"),
        Lang::En => format!("  {name}: {size} events, root {root}"),
    }
}
