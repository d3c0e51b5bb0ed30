//! `luzhang policy coverage`: every measure of the notice, and what of it is on
//! the ledger.

use luzhang_projections::{
    Pack,
    pack::{Measure, OnLedger},
};
use serde_json::json;

use crate::{
    args::Global,
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
};

pub(super) fn print(global: &Global, pack: &Pack) -> Result<u8, Failure> {
    let lang = global.lang();
    let human = matches!(global.output, Format::Table | Format::Csv);
    if human {
        let columns = [
            lang.pick("措施", "measure"),
            lang.pick("标题", "title"),
            lang.pick("入账", "ledger"),
            lang.pick("理由", "why"),
            lang.pick("项目", "programmes"),
            lang.pick("限制", "limits"),
            lang.pick("事件", "events"),
        ];
        let rows = pack.measures.iter().map(|measure| row(pack, measure, lang));
        output::sheet(&columns, &[], rows.collect())
            .print(global.output, serde_json::Map::new())?;
        return Ok(exit::OK);
    }
    let rows: Vec<serde_json::Value> = pack
        .measures
        .iter()
        .map(|measure| {
            json!({
                "measure": measure.number,
                "title": lang.pick(&measure.title.zh, &measure.title.en),
                "ledger": measure.ledger == OnLedger::Yes,
                "why": lang.pick(&measure.why.zh, &measure.why.en),
                "programmes": programmes(pack, measure),
                "limits": limits(pack, measure),
                "events": measure.events,
            })
        })
        .collect();
    if global.output == Format::Ndjson {
        rows.iter()
            .try_for_each(|row| output::line(&row.to_string()))?;
    } else {
        let document = json!({ "schema_version": 1, "pack": pack.id.as_str(), "rows": rows });
        output::line(&document.to_string())?;
    }
    Ok(exit::OK)
}

fn row(pack: &Pack, measure: &Measure, lang: Lang) -> Vec<String> {
    vec![
        measure.number.to_string(),
        lang.pick(&measure.title.zh, &measure.title.en).to_owned(),
        match measure.ledger {
            OnLedger::Yes => lang.pick("是", "yes"),
            OnLedger::No => lang.pick("否", "no"),
        }
        .to_owned(),
        lang.pick(&measure.why.zh, &measure.why.en).to_owned(),
        programmes(pack, measure).join(" "),
        limits(pack, measure).join(" "),
        measure.events.join(" "),
    ]
}

fn programmes<'a>(pack: &'a Pack, measure: &Measure) -> Vec<&'a str> {
    let of_measure = pack
        .programmes
        .iter()
        .filter(|p| p.measure == measure.number);
    of_measure.map(|programme| &*programme.id).collect()
}

/// The limits of the measure's programmes, general ones included.
fn limits<'a>(pack: &'a Pack, measure: &Measure) -> Vec<&'a str> {
    let programmes = programmes(pack, measure);
    let of_measure = pack.limits.iter().filter(|limit| {
        let holds_for = |programme: &&str| limit.programmes.iter().any(|p| p == programme);
        programmes.iter().any(holds_for)
    });
    of_measure.map(|limit| &*limit.id).collect()
}
