//! `luzhang policy diff`: what two packs say differently.

use luzhang_projections::pack::{
    Unit,
    diff::{self, Change, Cited, Diff, Entry, KeyDiff, ParamDiff, Span},
};
use serde_json::{Map, Value, json};

use super::policy::{text_of, unusable};
use crate::{
    args::Global,
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format, Sheet},
};

pub(crate) async fn run(global: &Global, before: &str, after: &str) -> Result<u8, Failure> {
    let texts = (
        text_of(global, before).await?,
        text_of(global, after).await?,
    );
    let diff = diff::of(&texts.0, &texts.1).map_err(|error| unusable(&error))?;
    match global.output {
        Format::Json | Format::Ndjson => output::line(&document(&diff).to_string())?,
        Format::Csv => sheet(&diff, Lang::En).print(Format::Csv, Map::new())?,
        Format::Table => table(&diff, global.lang())?,
    }
    Ok(exit::OK)
}

fn document(diff: &Diff) -> Value {
    json!({
        "schema_version": 1,
        "same": diff.is_empty(),
        "entries": diff.entries.iter().map(entry).collect::<Vec<_>>(),
        "params": diff.params.iter().map(param).collect::<Vec<_>>(),
        "limits_reordered": diff.reordered,
    })
}

fn entry(entry: &Entry) -> Value {
    json!({
        "section": entry.section,
        "id": entry.id,
        "change": entry.change.name(),
        "keys": keys(&entry.keys),
    })
}

fn keys(keys: &[KeyDiff]) -> Vec<Value> {
    let key = |key: &KeyDiff| json!({"key": key.key, "before": key.before, "after": key.after});
    keys.iter().map(key).collect()
}

fn param(param: &ParamDiff) -> Value {
    let cited = |cited: &Option<Cited>| {
        let cited = cited.as_ref();
        cited.map(|cited| json!({"value": cited.value, "cite": cited.cite}))
    };
    let span = |span: &Span| {
        json!({
            "from": span.window.from().to_string(),
            "until": span.window.until().map(|day| day.to_string()),
            "before": cited(&span.before),
            "after": cited(&span.after),
        })
    };
    json!({
        "param": param.id,
        "change": param.change.name(),
        "unit": param.unit.name(),
        "keys": keys(&param.keys),
        "values": param.spans.iter().map(span).collect::<Vec<_>>(),
    })
}

fn table(diff: &Diff, lang: Lang) -> Result<(), Failure> {
    if diff.is_empty() {
        return output::line(lang.pick("两个政策包内容相同", "the packs say the same"));
    }
    sheet(diff, lang).print(Format::Table, Map::new())?;
    if diff.reordered {
        output::line(lang.pick(
            "共有的限制报告次序不同",
            "the limits that both have are reported in another order",
        ))?;
    }
    Ok(())
}

fn sheet(diff: &Diff, lang: Lang) -> Sheet {
    let mut rows = Vec::new();
    for entry in &diff.entries {
        let section = section(&entry.section, lang);
        let begin = [section, &entry.id, change(entry.change, lang)];
        rows.extend(entry.keys.iter().map(|key| key_row(begin, key)));
    }
    for param in &diff.params {
        let begin = [
            section("param", lang),
            &param.id,
            change(param.change, lang),
        ];
        rows.extend(param.keys.iter().map(|key| key_row(begin, key)));
        rows.extend(param.spans.iter().map(|span| {
            let until = span.window.until();
            let until = until.map_or(String::new(), |day| day.to_string());
            let days = format!("[{}, {until})", span.window.from());
            let values =
                [&span.before, &span.after].map(|value| cited(value.as_ref(), param.unit, lang));
            begin
                .iter()
                .map(ToString::to_string)
                .chain([days])
                .chain(values)
                .collect()
        }));
    }
    let columns = [
        lang.pick("部分", "section"),
        lang.pick("编号", "id"),
        lang.pick("变化", "change"),
        lang.pick("键", "key"),
        lang.pick("前", "before"),
        lang.pick("后", "after"),
    ];
    output::sheet(&columns, &[], rows)
}

fn key_row(begin: [&str; 3], key: &KeyDiff) -> Vec<String> {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let [section, id, change] = begin.map(str::to_owned);
    let (before, after) = (value(&key.before), value(&key.after));
    vec![section, id, change, key.key.clone(), before, after]
}

fn cited(cited: Option<&Cited>, unit: Unit, lang: Lang) -> String {
    let Some(Cited { value, cite }) = cited else {
        return "-".to_owned();
    };
    let unit = match unit {
        Unit::Fen => lang.pick("分", "fen"),
        Unit::Count => lang.pick("次", "times"),
        Unit::Years => lang.pick("年", "years"),
        Unit::Ppm => lang.pick("百万分之一", "ppm"),
    };
    match lang {
        Lang::Zh => format!("{value} {unit}（{cite}）"),
        Lang::En => format!("{value} {unit} ({cite})"),
    }
}

fn section(section: &str, lang: Lang) -> &str {
    let zh = match section {
        "pack" => "政策包",
        "fund" => "资金来源",
        "programme" => "项目",
        "reading" => "口径",
        "limit" => "限制",
        "param" => "参数",
        other => other,
    };
    lang.pick(zh, section)
}

fn change(change: Change, lang: Lang) -> &'static str {
    let zh = match change {
        Change::Added => "新增",
        Change::Removed => "删除",
        Change::Changed => "修改",
    };
    lang.pick(zh, change.name())
}
