//! `luzhang report publicity|register|execution|…` and `report check`.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use luzhang_ledger::{
    Office, StreamId, StreamKind, SubjectId,
    identity::{CheckDigit, CreditCode, NationalId},
};
use luzhang_projections::report::{AsOf as Then, Name, Query};
use luzhang_proto::wire;
use luzhang_server::vault::Vault;
use serde_json::json;

use super::{open, subject};
use crate::{
    args::{AsOf, Global, Local, Masked, ReportArgs, ReportCommand},
    client::Target,
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
    report::{self, Difference, Form, Found},
    source::Source,
};

pub(super) async fn write(
    global: &Global,
    command: &ReportCommand,
    args: &ReportArgs,
) -> Result<u8, Failure> {
    let (form, out) = (form(global, args)?, args.out.as_deref());
    let source = Source::of(global, args.file.as_deref())?;
    let query = query(global, command, args).await?;
    let lang = global.lang();
    let made = report::write(global, &source, query, (form, lang), out).await?;
    if let Some(out) = out {
        said(global, &made.pairs, out, made.cover.rows)?;
    }
    Ok(exit::OK)
}

/// What was written, on stderr: stdout is for what was asked for.
fn said(
    global: &Global,
    pairs: &[(&'static str, String)],
    out: &Path,
    rows: u64,
) -> Result<(), Failure> {
    let value = |wanted: &str| {
        let pair = pairs.iter().find(|(key, _)| *key == wanted);
        pair.map_or("", |(_, value)| value.as_str())
    };
    let path = out.display();
    let position = value("position");
    if matches!(global.output, Format::Json | Format::Ndjson) {
        let mut document = serde_json::Map::from_iter([
            ("schema_version".to_owned(), json!(1)),
            ("file".to_owned(), json!(path.to_string())),
        ]);
        for (key, value) in pairs {
            document.insert((*key).to_owned(), json!(value));
        }
        return output::line(&serde_json::Value::Object(document).to_string());
    }
    match global.lang() {
        Lang::Zh => output::note!("已写出 {path}：{rows} 行，截至位置 {position}"),
        Lang::En => output::note!("wrote {path}: {rows} rows, as of position {position}"),
    }
    if value("names") == "sealed" {
        match global.lang() {
            Lang::Zh => output::note!("没有密钥，姓名未打开：请同时给出 --data-dir"),
            Lang::En => output::note!("no keys, so that names stay sealed: give --data-dir too"),
        }
    }
    Ok(())
}

fn form(global: &Global, args: &ReportArgs) -> Result<Form, Failure> {
    let of_path = args.out.as_deref().and_then(Form::of_path);
    let form = args.form.or(of_path).unwrap_or(global.output.into());
    if args.out.is_none() && !form.is_text() && io::stdout().is_terminal() {
        return Err(Failure::usage(
            "XLSX、Parquet 请用 --out FILE 写到文件",
            "write XLSX and Parquet to a file, with --out FILE",
        ));
    }
    Ok(form)
}

async fn query(
    global: &Global,
    command: &ReportCommand,
    args: &ReportArgs,
) -> Result<Query, Failure> {
    let name = match command {
        ReportCommand::Publicity { .. } => Name::Publicity,
        ReportCommand::Execution(_) => Name::Execution,
        ReportCommand::Pivot(_) => Name::Pivot,
        ReportCommand::Plaques { .. } => Name::Plaques,
        ReportCommand::Loans(_) => Name::Loans,
        ReportCommand::Refusals(_) => Name::Refusals,
        ReportCommand::Conflicts(_) => Name::Conflicts,
        ReportCommand::Payments(_) => Name::Payments,
        ReportCommand::Statement { .. } => Name::Statement,
        ReportCommand::Register(_)
        | ReportCommand::Totals
        | ReportCommand::Budget
        | ReportCommand::Journal { .. }
        | ReportCommand::Check { .. }
        | ReportCommand::Pack { .. } => Name::Register,
    };
    if !name.has_lines() && (args.programme.is_some() || args.fund.is_some()) {
        return Err(Failure::usage(
            "本报表的行没有项目和资金来源，不能用 --programme、--fund 筛选",
            "rows of this report have no programme and no fund: leave --programme and --fund out",
        ));
    }
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from > to
    {
        return Err(Failure::usage(
            format!("--from {from} 晚于 --to {to}"),
            format!("--from {from} is after --to {to}"),
        ));
    }
    let office = args.office.map(|code| {
        Office::new(code).map_err(|_| {
            Failure::usage(
                format!("--office {code} 不是六位行政区划代码"),
                format!("--office {code} is no six-digit division code"),
            )
        })
    });
    let mut query = Query {
        as_of: args.as_of.map(then),
        office: office.transpose()?,
        programme: args.programme.clone(),
        fund: args.fund.clone(),
        from: args.from,
        to: args.to,
        ..Query::of(name)
    };
    if let ReportCommand::Publicity {
        notice, all, with, ..
    } = command
    {
        query.notice.clone_from(notice);
        query.all = *all;
        query.identity = with.contains(&Masked::Identity);
        query.account = with.contains(&Masked::Account);
    } else if let ReportCommand::Plaques { on, all, .. } = command {
        query.on = *on;
        query.all = *all;
    } else if let ReportCommand::Statement { number, .. } = command {
        query.subject = Some(subject_of(global, number).await?);
    }
    Ok(query)
}

pub(super) fn then(as_of: AsOf) -> Then {
    match as_of {
        AsOf::Position(position) => Then::Position(position),
        AsOf::Day(day) => Then::Day(day),
    }
}

/// The pseudonym of whoever has a number. The ledger's own key makes it.
async fn subject_of(global: &Global, number: &str) -> Result<SubjectId, Failure> {
    let number = match number {
        "-" => {
            let mut line = String::new();
            io::stdin().read_line(&mut line)?;
            line.trim().to_owned()
        }
        number => number.to_owned(),
    };
    if let Ok(id) = number.parse() {
        return Ok(id);
    }
    if let Ok(Target::DataDir(Local { dir, kek, .. })) = global.target() {
        let vault = Vault::for_reading(&dir, &kek)?;
        let key = vault.identity();
        return if let Ok(id) = NationalId::parse(&number) {
            Ok(key.person(&id))
        } else if let Ok(code) = CreditCode::parse(&number, CheckDigit::Overridden) {
            Ok(key.organisation(&code))
        } else {
            // Brand numbers are public: their streams need no key.
            Ok(StreamId::of(StreamKind::Brand, &number).subject())
        };
    }
    let request = wire::GetSubjectRequest {
        subject: Some(subject::recognise(number)),
        ..wire::GetSubjectRequest::default()
    };
    let client = open(global).await?;
    let answer = client.ledger().get_subject(request).await;
    client.close().await?;
    let id = answer?.into_inner().subject_id;
    let id = <[u8; 16]>::try_from(&id[..]).map_err(anyhow::Error::from)?;
    Ok(SubjectId::from_bytes(id))
}

/// Makes a report again and says whether it is the same.
pub(super) async fn check(
    global: &Global,
    file: &Path,
    export: Option<&Path>,
) -> Result<u8, Failure> {
    let source = Source::of(global, export)?;
    let (found, pairs) = report::check(global, &source, file).await?;
    let (word, zh, en) = match &found {
        Found::Same => (
            "same",
            "一致：按封面重做的报表与本文件逐字节相同".to_owned(),
            "same: the report made again from its cover has the same bytes".to_owned(),
        ),
        Found::SameButNames => (
            "same_but_names",
            "一致，但姓名等个人信息未核对：这里没有密钥".to_owned(),
            "same, but names and numbers of persons were not checked: there are no keys here"
                .to_owned(),
        ),
        Found::Differs(Difference {
            place,
            expected,
            found,
        }) => (
            "differs",
            format!("不一致：{}；账本为“{expected}”，文件为“{found}”", place.0),
            format!(
                "differs: {}; the ledger says {expected:?}, the file {found:?}",
                place.1
            ),
        ),
    };
    let differs = matches!(found, Found::Differs(_));
    if matches!(global.output, Format::Json | Format::Ndjson) {
        let mut document = json!({ "schema_version": 1, "verdict": word });
        if let Found::Differs(difference) = &found {
            document["place"] = json!(difference.place.1);
            document["expected"] = json!(difference.expected);
            document["found"] = json!(difference.found);
        }
        let cover = pairs.into_iter().map(|(key, value)| (key, json!(value)));
        document["cover"] = serde_json::Value::Object(cover.collect());
        output::line(&document.to_string())?;
    } else {
        output::line(global.lang().pick(&zh, &en))?;
    }
    Ok(if differs { exit::TAMPERED } else { exit::OK })
}
