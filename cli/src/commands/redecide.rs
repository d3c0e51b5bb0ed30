//! `luzhang audit redecide`: every decision once more, from what was known then.

use std::{ops::ControlFlow, path::Path};

use luzhang_ledger::Position;
use luzhang_projections::redecide::{Difference, Redecider, Verdict};
use serde_json::{Map, Value, json};

use crate::{
    args::Global,
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
    source::Source,
};

/// The exit code where a difference is found, as of a chain that was changed.
const DIFFERS: u8 = 10;

/// A recomputation under way.
#[derive(Default)]
struct Fold {
    redecider: Redecider,
    differences: Vec<Difference>,
}

pub(crate) async fn run(global: &Global, file: Option<&Path>) -> Result<u8, Failure> {
    let source = Source::of(global, file)?;
    let what = ("重新裁决", "deciding anew");
    let mut fold = source
        .walk(global, what, Fold::default(), |fold, event| {
            fold.differences.extend(fold.redecider.apply(event));
            ControlFlow::Continue(())
        })
        .await?;
    fold.differences.extend(fold.redecider.finish());
    print(global, &fold)?;
    Ok(if fold.differences.is_empty() {
        exit::OK
    } else {
        DIFFERS
    })
}

fn print(global: &Global, fold: &Fold) -> Result<(), Failure> {
    let lang = global.lang();
    let events = fold.redecider.state().position();
    let events = events.map_or(0, Position::number);
    let decisions = fold.redecider.decisions();
    let found = fold.differences.len();
    let attestations = fold.redecider.attestations();
    match global.output {
        Format::Json => {
            let differences: Vec<Value> = fold.differences.iter().map(json_of).collect();
            output::line(
                &json!({
                    "schema_version": 1,
                    "events": events,
                    "decisions": decisions,
                    "attestations": attestations.seen,
                    "attestations_compared": attestations.compared,
                    "agrees": found == 0,
                    "differences": differences,
                })
                .to_string(),
            )
        }
        Format::Ndjson => fold
            .differences
            .iter()
            .try_for_each(|difference| output::line(&json_of(difference).to_string())),
        Format::Csv => sheet(fold, lang).print(Format::Csv, Map::new()),
        Format::Table => {
            let said = match (lang, found) {
                (Lang::Zh, 0) => {
                    format!("{events} 个事件，其中 {decisions} 个决定重新裁决，全部一致")
                }
                (Lang::Zh, _) => format!(
                    "{events} 个事件，其中 {decisions} 个决定重新裁决，{found} 处与账上不同"
                ),
                (Lang::En, 0) => format!(
                    "{events} events, of which {decisions} decisions were recomputed: all agree"
                ),
                (Lang::En, _) => format!(
                    "{events} events, of which {decisions} decisions were recomputed: {found} \
                     differ from the log"
                ),
            };
            output::line(&said)?;
            if attestations.seen > 0 {
                let (seen, compared) = (attestations.seen, attestations.compared);
                output::line(&match lang {
                    Lang::Zh => format!("{seen} 次状态存证，其中 {compared} 次重算比对"),
                    Lang::En => {
                        format!("{seen} attested states, of which {compared} were recomputed")
                    }
                })?;
            }
            if found > 0 {
                sheet(fold, lang).print(Format::Table, Map::new())?;
            }
            Ok(())
        }
    }
}

fn aspects(difference: &Difference) -> Vec<&'static str> {
    let aspects = difference.aspects.iter();
    aspects.map(|aspect| aspect.name()).collect()
}

fn json_of(difference: &Difference) -> Value {
    let verdict = |verdict: &Verdict| {
        json!({
            "outcome": verdict.name(),
            "reasons": verdict.reasons(),
        })
    };
    json!({
        "position": difference.position.number(),
        "differs": aspects(difference),
        "recorded": verdict(&difference.recorded),
        "recomputed": verdict(&difference.recomputed),
    })
}

fn sheet(fold: &Fold, lang: Lang) -> output::Sheet {
    let verdict = |verdict: &Verdict| {
        let name = lang.pick(zh(verdict), verdict.name());
        let reasons = verdict.reasons();
        if reasons.is_empty() {
            name.to_owned()
        } else {
            format!("{name}: {}", reasons.join("; "))
        }
    };
    let rows = fold.differences.iter().map(|difference| {
        vec![
            difference.position.to_string(),
            aspects(difference).join(" "),
            verdict(&difference.recorded),
            verdict(&difference.recomputed),
        ]
    });
    let columns = [
        lang.pick("位置", "position"),
        lang.pick("不同之处", "differs"),
        lang.pick("账上", "recorded"),
        lang.pick("重新裁决", "recomputed"),
    ];
    output::sheet(&columns, &[], rows.collect())
}

fn zh(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Recorded => "记录",
        Verdict::Granted => "准予",
        Verdict::Refused(_) => "不予受理",
        Verdict::Rejected { .. } => "退回",
        Verdict::Taken => "办理",
        Verdict::Conflict(_) => "冲突",
        Verdict::Cleared(_) => "冲突解除",
        Verdict::Attested(..) => "状态摘要",
        Verdict::Nothing => "无",
    }
}
