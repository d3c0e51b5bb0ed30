//! `luzhang simulate`: history under another pack, without writing anything.

use std::{fs, ops::ControlFlow, sync::Arc};

use luzhang_ledger::{Position, Window};
use luzhang_projections::{
    Pack,
    simulate::{Changed, Money, Report, Simulation},
};
use serde_json::{Map, Value, json};

use super::policy;
use crate::{
    args::{Global, SimulateArgs},
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format, Sheet},
    source::Source,
};

pub(crate) async fn run(global: &Global, args: &SimulateArgs) -> Result<u8, Failure> {
    let text = fs::read(&args.pack).map_err(|error| Failure::file(&args.pack, &error))?;
    let pack = policy::load(&text)?;
    let window = window(&pack, args)?;
    let source = Source::of(global, args.file.as_deref())?;
    let simulation = Simulation::new(Arc::clone(&pack), window);
    let what = ("推演", "simulating");
    let simulation = source
        .walk(global, what, simulation, |simulation, event| {
            simulation.apply(event);
            ControlFlow::Continue(())
        })
        .await?;
    print(global, &pack, window, &simulation)?;
    Ok(exit::OK)
}

/// Basis dates that the pack judges: its own window, or the days asked for.
fn window(pack: &Pack, args: &SimulateArgs) -> Result<Window, Failure> {
    let from = args.from.unwrap_or(pack.window.from());
    let until = args.to.or(pack.window.until());
    Window::new(from, until).map_err(|_| {
        Failure::usage(
            "--to 应晚于 --from：期间含起始日、不含截止日",
            "--to is after --from: the period holds its first day and not its last",
        )
    })
}

fn print(
    global: &Global,
    pack: &Pack,
    window: Window,
    simulation: &Simulation,
) -> Result<(), Failure> {
    let report = simulation.report();
    let events = simulation.position().map_or(0, Position::number);
    let until = window.until().map_or(String::new(), |day| day.to_string());
    match global.output {
        Format::Json | Format::Ndjson => {
            let total = report.total();
            output::line(
                &json!({
                    "schema_version": 1,
                    "pack": pack.id.as_str(),
                    "from": window.from().to_string(),
                    "to": until,
                    "events": events,
                    "claims": report.claims,
                    "newly_refused": changes(&report.newly_refused),
                    "newly_allowed": changes(&report.newly_allowed),
                    "money": money(report).objects(),
                    "before_fen": total.before_fen,
                    "after_fen": total.after_fen,
                    "difference_fen": total.difference_fen(),
                })
                .to_string(),
            )
        }
        Format::Csv => {
            for sheet in sheets(report) {
                sheet.print(Format::Csv, Map::new())?;
            }
            Ok(())
        }
        Format::Table => table(global.lang(), pack, (window, &until), report),
    }
}

fn table(
    lang: Lang,
    pack: &Pack,
    (window, until): (Window, &str),
    report: &Report,
) -> Result<(), Failure> {
    let (claims, from) = (report.claims, window.from());
    let (refused, allowed) = (report.newly_refused.len(), report.newly_allowed.len());
    output::line(&match lang {
        Lang::Zh => format!(
            "假定基准日在 [{from}, {until}) 的申领适用 {}：{claims} 件申领重新裁决，\
             {refused} 件由准予变为不予受理，{allowed} 件由不予受理变为准予",
            pack.id
        ),
        Lang::En => format!(
            "supposing {} for claims with a basis date in [{from}, {until}): {claims} claims \
             decided anew, {refused} newly refused, {allowed} newly allowed",
            pack.id
        ),
    })?;
    for (sheet, title) in sheets(report).iter().zip([
        lang.pick("新的不予受理", "newly refused"),
        lang.pick("新的准予", "newly allowed"),
        lang.pick("金额（分）", "money (fen)"),
    ]) {
        if !sheet.rows.is_empty() {
            output::line(title)?;
            sheet.print(Format::Table, Map::new())?;
        }
    }
    output::line(lang.pick(
        "事实按账上所记计入；当时被退回、未记账的申请不在账上，无从推演。",
        "Facts count as recorded. What was rejected at the time is not on the log and stays unknown.",
    ))
}

fn sheets(report: &Report) -> [Sheet; 3] {
    [
        rows(&report.newly_refused),
        rows(&report.newly_allowed),
        money(report),
    ]
}

fn changes(changed: &[Changed]) -> Vec<Value> {
    let one = |changed: &Changed| {
        json!({
            "position": changed.position.number(),
            "number": changed.number,
            "office": changed.office.to_string(),
            "programme": changed.programme,
            "amount_fen": changed.amount.fen(),
            "codes": changed.codes,
        })
    };
    changed.iter().map(one).collect()
}

fn rows(changed: &[Changed]) -> Sheet {
    let rows = changed.iter().map(|changed| {
        vec![
            changed.position.to_string(),
            changed.number.clone(),
            changed.office.to_string(),
            changed.programme.clone(),
            changed.amount.fen().to_string(),
            changed.codes.join(";"),
        ]
    });
    let columns = [
        "position",
        "number",
        "office",
        "programme",
        "amount_fen",
        "codes",
    ];
    output::sheet(&columns, &["position"], rows.collect())
}

fn money(report: &Report) -> Sheet {
    let rows = report.money.iter().map(|(key, money)| {
        let Money {
            before_fen,
            after_fen,
        } = money;
        vec![
            key.programme.clone(),
            key.office.to_string(),
            key.year.to_string(),
            before_fen.to_string(),
            after_fen.to_string(),
            money.difference_fen().to_string(),
        ]
    });
    let columns = [
        "programme",
        "office",
        "year",
        "before_fen",
        "after_fen",
        "difference_fen",
    ];
    output::sheet(&columns, &["year"], rows.collect())
}
