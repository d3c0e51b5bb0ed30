//! `luzhang explain POSITION`: every limit that a decision tried, from what was
//! known then.

use std::{collections::BTreeMap, ops::ControlFlow, path::Path, sync::Arc};

use luzhang_ledger::{
    Body, Event, Position,
    claim::Claim,
    event::{Compared, Conflict, Failure as Failed, Value as Shown},
    step::StepRefusal,
};
use luzhang_projections::{
    Pack, State, codes, explain,
    pack::Unit,
    trace::{self, Asked, Outcome, Trace, Tried},
};
use serde_json::{Map, Value, json};

use super::{contradiction::Contradiction, recorded_at};
use crate::{
    args::Global,
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
    source::Source,
};

/// Events, as they are looked for on a walk.
#[derive(Default)]
struct Search {
    state: State,
    found: Option<(Event, Option<Decided>)>,
}

/// A decision with everything that it rests on.
struct Decided {
    trace: Trace,
    pack: Arc<Pack>,
}

pub(crate) async fn run(
    global: &Global,
    position: u64,
    file: Option<&Path>,
) -> Result<u8, Failure> {
    let not_found = || Failure {
        exit: exit::NOT_FOUND,
        ..Failure::new(
            "EVENT_NOT_FOUND",
            format!("账本没有位置 {position}"),
            format!("the ledger has no event at {position}"),
        )
    };
    let wanted = Position::new(position).ok_or_else(not_found)?;
    let source = Source::of(global, file)?;
    let what = ("查找依据", "looking for the reasons");
    let search = source
        .walk(global, what, Search::default(), move |search, event| {
            search.take(event, wanted)
        })
        .await?;
    let (event, decided) = search.found.ok_or_else(not_found)?;
    match (&event.body, decided) {
        (Body::Conflict(conflict), _) => {
            let wanted = [Some(conflict.grant), event.header.cause];
            let others = events_at(global, &source, wanted.into_iter().flatten()).await?;
            let explained = Contradiction {
                event: &event,
                conflict,
                grant: others.get(&conflict.grant),
                fact: event.header.cause.and_then(|cause| others.get(&cause)),
                pack: policy_of(&search.state, conflict, &others),
            };
            explained.print(global)?;
        }
        (Body::StepRefused(refusal), _) => print_step(global, &event, refusal, &search.state)?,
        (_, Some(decided)) => decided.print(global, &event)?,
        (_, None) => print_other(global, &event)?,
    }
    Ok(exit::OK)
}

impl Search {
    fn take(&mut self, event: &Event, wanted: Position) -> ControlFlow<()> {
        if event.header.position < wanted {
            self.state.apply(event);
            return ControlFlow::Continue(());
        }
        let decided = claim_of(&event.body).and_then(|claim| {
            let trace = trace::of(&self.state, event.header.office?, claim)?;
            let pack = Arc::clone(self.state.pack_at(trace.policy)?);
            Some(Decided { trace, pack })
        });
        self.found = Some((event.clone(), decided));
        ControlFlow::Break(())
    }
}

pub(super) fn claim_of(body: &Body) -> Option<&Claim> {
    body.granted()
        .or_else(|| body.refusal().map(|refusal| &refusal.claim))
}

async fn events_at(
    global: &Global,
    source: &Source,
    positions: impl Iterator<Item = Position>,
) -> Result<BTreeMap<Position, Event>, Failure> {
    let wanted: Vec<Position> = positions.collect();
    let what = ("查找依据", "looking for the reasons");
    source
        .walk(global, what, BTreeMap::new(), move |found, event| {
            let position = event.header.position;
            if wanted.contains(&position) {
                found.insert(position, event.event.clone());
            }
            if found.len() < wanted.len() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })
        .await
}

/// The pack that allowed the grant, whose words the conflict is in.
fn policy_of(
    state: &State,
    conflict: &Conflict,
    events: &BTreeMap<Position, Event>,
) -> Option<Arc<Pack>> {
    let grant = events.get(&conflict.grant)?;
    state.pack_at(grant.header.policy?).map(Arc::clone)
}

impl Decided {
    fn print(&self, global: &Global, event: &Event) -> Result<(), Failure> {
        match global.output {
            Format::Json | Format::Ndjson => output::line(&self.json(event).to_string()),
            Format::Table | Format::Csv => self.text(global.lang(), event),
        }
    }

    /// Whether the limits fail now that failed then.
    fn agrees(&self, event: &Event) -> bool {
        let recorded = event.body.refusal().map(|refusal| &refusal.failures[..]);
        let failed = self.trace.limits.iter();
        let failed = failed.filter(|tried| tried.outcome == Outcome::Failed);
        let failed: Vec<Failed> = failed
            .map(|tried| Failed {
                limit: tried.limit.clone(),
                code: tried.code.clone(),
                compared: tried.compared.clone(),
                facts: tried.facts.clone(),
            })
            .collect();
        recorded.unwrap_or_default() == failed
    }

    fn json(&self, event: &Event) -> Value {
        let mut document = head(event);
        let trace = &self.trace;
        let claim = claim_of(&event.body);
        document.extend([
            (
                "outcome".to_owned(),
                json!(outcome_of(event).unwrap_or_default()),
            ),
            (
                "number".to_owned(),
                json!(claim.map_or("", |claim| claim.number())),
            ),
            (
                "amount_fen".to_owned(),
                json!(claim.map(|claim| claim.amount().fen())),
            ),
            ("programme".to_owned(), json!(trace.programme)),
            ("basis".to_owned(), json!(trace.basis.to_string())),
            ("policy".to_owned(), json!(trace.policy.number())),
            ("pack".to_owned(), json!(self.pack.id.as_str())),
            ("agrees".to_owned(), json!(self.agrees(event))),
            (
                "limits".to_owned(),
                trace.limits.iter().map(|tried| self.limit(tried)).collect(),
            ),
        ]);
        Value::Object(document)
    }

    fn limit(&self, tried: &Tried) -> Value {
        let reason = explain::tried(&self.pack, tried);
        let compared: Vec<Value> = tried.compared.iter().map(compared).collect();
        let facts: Vec<u64> = tried.facts.iter().map(|fact| fact.number()).collect();
        let params = tried.params.iter().map(|param| {
            json!({
                "id": param.id,
                "value": param.value,
                "unit": unit(param.unit, Lang::En),
                "from": param.window.from().to_string(),
                "until": param.window.until().map(|day| day.to_string()),
                "cite": param.cite,
            })
        });
        json!({
            "limit": tried.limit,
            "code": tried.code,
            "outcome": name_of(tried.outcome, Lang::En).replace(' ', "_"),
            "zh": reason.text.zh,
            "en": reason.text.en,
            "measure": reason.measure,
            "quote": reason.quote,
            "params": params.collect::<Vec<_>>(),
            "compared": compared,
            "facts": facts,
        })
    }

    fn text(&self, lang: Lang, event: &Event) -> Result<(), Failure> {
        let trace = &self.trace;
        output::line(&title(event, lang))?;
        let pack = format!("{}@{}", self.pack.id, trace.policy);
        let name = lang.pick(&trace.name.zh, &trace.name.en);
        let basis = trace.basis;
        output::line(&match lang {
            Lang::Zh => format!("项目 {name}，基准日 {basis}，政策包 {pack}"),
            Lang::En => format!("programme {name}, basis date {basis}, policy pack {pack}"),
        })?;
        for tried in &trace.limits {
            self.limit_text(lang, tried)?;
        }
        if !self.agrees(event) {
            output::line(lang.pick(
                "注意：按当时的事实和政策重新判断，结果与账上不同。请运行 luzhang audit redecide。",
                "note: judged anew from what was known then, this is not what is recorded. See \
                 `luzhang audit redecide`.",
            ))?;
        }
        Ok(())
    }

    fn limit_text(&self, lang: Lang, tried: &Tried) -> Result<(), Failure> {
        let reason = explain::tried(&self.pack, tried);
        let (limit, code) = (&tried.limit, &tried.code);
        let outcome = name_of(tried.outcome, lang);
        let clause = clause(lang, reason.measure, &reason.quote);
        output::line(&format!("{outcome} {limit} {code}{clause}"))?;
        if !reason.text.zh.is_empty() {
            output::line(&format!(
                "  {}",
                lang.pick(&reason.text.zh, &reason.text.en)
            ))?;
        }
        if !tried.compared.is_empty() {
            let values = tried.compared.iter().map(|compared| {
                let shown = explain::value(&compared.value);
                format!("{}={}", compared.name, lang.pick(&shown.zh, &shown.en))
            });
            let values: Vec<String> = values.collect();
            let name = lang.pick("  比较", "  compared");
            output::line(&format!("{name}: {}", values.join(" ")))?;
        }
        for param in &tried.params {
            let name = lang.pick("  参数", "  parameter");
            output::line(&format!("{name}: {}", parameter(lang, param)))?;
        }
        if !tried.facts.is_empty() {
            let facts: Vec<String> = tried.facts.iter().map(ToString::to_string).collect();
            let name = lang.pick("  所依据的事件", "  rests on events");
            output::line(&format!("{name}: {}", facts.join(", ")))?;
        }
        if tried.outcome == Outcome::Failed
            && let Some(entry) = codes::find(code)
        {
            let text = lang.pick(entry.paragraph.zh, entry.paragraph.en);
            output::line(&format!("  {text}"))?;
        }
        Ok(())
    }
}

/// A step that was not allowed, with every reason.
fn print_step(
    global: &Global,
    event: &Event,
    refusal: &StepRefusal,
    state: &State,
) -> Result<(), Failure> {
    let lang = global.lang();
    let named = event.header.policy.and_then(|policy| state.pack_at(policy));
    let newest = || state.packs().last().map(|adopted| &adopted.pack);
    let Some(pack) = named.or_else(newest) else {
        return print_other(global, event);
    };
    let facts =
        |failure: &Failed| -> Vec<u64> { failure.facts.iter().map(|fact| fact.number()).collect() };
    if matches!(global.output, Format::Json | Format::Ndjson) {
        let limits = refusal.failures.iter().map(|failure| {
            let reason = explain::failure(pack, failure);
            json!({
                "limit": reason.limit,
                "code": reason.code,
                "outcome": "failed",
                "zh": reason.text.zh,
                "en": reason.text.en,
                "measure": reason.measure,
                "quote": reason.quote,
                "compared": failure.compared.iter().map(compared).collect::<Vec<_>>(),
                "facts": facts(failure),
            })
        });
        let mut document = head(event);
        document.insert("step".to_owned(), json!(refusal.step.kind()));
        document.insert("limits".to_owned(), limits.collect());
        return output::line(&Value::Object(document).to_string());
    }
    output::line(&format!("{}  {}", title(event, lang), refusal.step.kind()))?;
    for failure in &refusal.failures {
        let reason = explain::failure(pack, failure);
        let clause = clause(lang, reason.measure, &reason.quote);
        let text = lang.pick(&reason.text.zh, &reason.text.en);
        output::line(&format!(
            "  {} {}{clause}: {text}",
            reason.limit, reason.code
        ))?;
        if !failure.facts.is_empty() {
            let name = lang.pick("    所依据的事件", "    rests on events");
            let facts: Vec<String> = facts(failure).iter().map(u64::to_string).collect();
            output::line(&format!("{name}: {}", facts.join(", ")))?;
        }
    }
    Ok(())
}

/// An event that no limit judged.
fn print_other(global: &Global, event: &Event) -> Result<(), Failure> {
    if matches!(global.output, Format::Json | Format::Ndjson) {
        let mut document = head(event);
        document.insert("limits".to_owned(), json!([]));
        if claim_of(&event.body).is_some() {
            document.insert("agrees".to_owned(), json!(false));
        }
        return output::line(&Value::Object(document).to_string());
    }
    let lang = global.lang();
    output::line(&title(event, lang))?;
    if claim_of(&event.body).is_some() {
        return output::line(lang.pick(
            "当时没有可据以裁决此项申领的政策包：请运行 luzhang audit redecide",
            "no policy pack could decide this claim then: see `luzhang audit redecide`",
        ));
    }
    output::line(lang.pick(
        "该事件没有不予受理的原因：用 luzhang event show 查看内容",
        "nothing was refused here: see `luzhang event show`",
    ))
}

pub(super) fn head(event: &Event) -> Map<String, Value> {
    let header = &event.header;
    Map::from_iter([
        ("schema_version".to_owned(), json!(1)),
        ("position".to_owned(), json!(header.position.number())),
        ("kind".to_owned(), json!(event.body.kind())),
        (
            "recorded_at".to_owned(),
            json!(recorded_at(header.recorded_at)),
        ),
        (
            "office".to_owned(),
            json!(header.office.map(|office| office.to_string())),
        ),
    ])
}

/// `14  command_refused  SH-0028  250.00  510504  2026-…`.
pub(super) fn title(event: &Event, lang: Lang) -> String {
    let header = &event.header;
    let place = lang.pick("位置", "position");
    let mut parts = vec![
        format!("{place} {}", header.position),
        event.body.kind().to_owned(),
    ];
    if let Some(claim) = claim_of(&event.body) {
        parts.extend([claim.number().to_owned(), claim.amount().to_string()]);
    }
    parts.extend(header.office.map(|office| office.to_string()));
    parts.push(recorded_at(header.recorded_at));
    parts.join("  ")
}

fn outcome_of(event: &Event) -> Option<&'static str> {
    match &event.body {
        Body::Granted(_) => Some("granted"),
        Body::Refused(_) | Body::StepRefused(_) => Some("refused"),
        Body::LedgerCreated { .. }
        | Body::PolicyPackAdopted { .. }
        | Body::PartyRegistered(_)
        | Body::PartyCorrected(_)
        | Body::AccountBound(_)
        | Body::Fact(_)
        | Body::FactRetracted(_)
        | Body::FactCorrected(_)
        | Body::Conflict(_)
        | Body::ConflictCleared(_)
        | Body::CheckpointKeyAdopted(_)
        | Body::StateAttested(_)
        | Body::MandateProposed(_)
        | Body::MandateAdopted(_)
        | Body::AccessDenied(_)
        | Body::DetailsRevealed(_)
        | Body::SubjectErased(_)
        | Body::Step(_) => None,
    }
}

fn name_of(outcome: Outcome, lang: Lang) -> &'static str {
    match outcome {
        Outcome::Passed => lang.pick("通过", "passed"),
        Outcome::Failed => lang.pick("未通过", "failed"),
        Outcome::NotJudged => lang.pick("未判断", "not judged"),
    }
}

pub(super) fn clause(lang: Lang, measure: u32, quote: &str) -> String {
    let measure = match (measure, lang) {
        (0, _) => String::new(),
        (measure, Lang::Zh) => format!("（措施第{measure}条）"),
        (measure, Lang::En) => format!(" (measure {measure})"),
    };
    match (quote, lang) {
        ("", _) => measure,
        (quote, Lang::Zh) => format!("{measure}，依据：“{quote}”"),
        (quote, Lang::En) => format!("{measure}, clause: “{quote}”"),
    }
}

fn unit(unit: Unit, lang: Lang) -> &'static str {
    match unit {
        Unit::Fen => lang.pick("分", "fen"),
        Unit::Count => lang.pick("次", "count"),
        Unit::Years => lang.pick("年", "years"),
        Unit::Ppm => lang.pick("百万分之", "ppm"),
    }
}

fn parameter(lang: Lang, param: &Asked) -> String {
    let value = match param.unit {
        Unit::Fen => explain::value(&Shown::Fen(param.value)).en,
        Unit::Count | Unit::Years | Unit::Ppm => {
            format!("{} {}", param.value, unit(param.unit, lang))
        }
    };
    let until = param.window.until();
    let until = until.map_or(String::new(), |day| day.to_string());
    let (id, from, cite) = (&param.id, param.window.from(), &param.cite);
    match lang {
        Lang::Zh => format!("{id} = {value} [{from}, {until})，{cite}"),
        Lang::En => format!("{id} = {value} [{from}, {until}), {cite}"),
    }
}

/// A value under a key that says what it is.
fn compared(compared: &Compared) -> Value {
    let (key, value) = match &compared.value {
        Shown::Fen(fen) => ("fen", json!(fen)),
        Shown::Count(count) => ("count", json!(count)),
        Shown::Text(text) => ("text", json!(text)),
        Shown::Dates(dates) => {
            let days: Vec<String> = dates.days().iter().map(ToString::to_string).collect();
            ("dates", json!(days))
        }
    };
    json!({ "name": compared.name, key: value })
}
