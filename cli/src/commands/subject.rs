//! `luzhang subject`: a person, organisation or brand.

use std::io;

use luzhang_ledger::identity::{CheckDigit, CreditCode, NationalId, SubjectId};
use luzhang_proto::{
    google::r#type::Date as WireDate,
    wire::{self, get_subject_request::Subject},
};
use serde_json::json;

use super::{event, open, recorded_at};
use crate::{
    args::{Global, SubjectCommand},
    failure::{Failure, exit},
    message,
    output::{self, Format},
};

pub(crate) async fn run(global: &Global, command: &SubjectCommand) -> Result<u8, Failure> {
    let SubjectCommand::Show { number, on } = command;
    let number = match number.as_str() {
        "-" => {
            let mut line = String::new();
            io::stdin().read_line(&mut line)?;
            line.trim().to_owned()
        }
        number => number.to_owned(),
    };
    let request = wire::GetSubjectRequest {
        subject: Some(recognise(number)),
        on: on.map(|day| WireDate {
            year: day.year().into(),
            month: day.month().into(),
            day: day.day().into(),
        }),
        ..wire::GetSubjectRequest::default()
    };
    let client = open(global).await?;
    let answer = client.ledger().get_subject(request).await;
    client.close().await?;
    let subject = answer?.into_inner();
    match global.output {
        Format::Json | Format::Ndjson => {
            let mut history = Vec::with_capacity(subject.history.len());
            for stored in &subject.history {
                history.push(event::to_json(stored)?);
            }
            let mut entitlements = Vec::with_capacity(subject.entitlements.len());
            for left in &subject.entitlements {
                entitlements.push(message::to_whole_json("luzhang.v1.Entitlement", left)?);
            }
            let document = json!({
                "schema_version": 1,
                "subject_id": message::hex(&subject.subject_id),
                "events": subject.events,
                "entitlements": entitlements,
                "history": history,
                "position": subject.position,
            });
            output::line(&document.to_string())?;
        }
        Format::Table | Format::Csv => print(global, &subject)?,
    }
    Ok(exit::OK)
}

/// What kind of number it is, by its own check digits.
fn recognise(number: String) -> Subject {
    if let Ok(id) = number.parse::<SubjectId>() {
        Subject::SubjectId(id.as_bytes().to_vec())
    } else if NationalId::parse(&number).is_ok() {
        Subject::NationalId(number)
    } else if CreditCode::parse(&number, CheckDigit::Overridden).is_ok() {
        Subject::CreditCode(number)
    } else {
        Subject::BrandNo(number)
    }
}

fn print(global: &Global, subject: &wire::GetSubjectResponse) -> Result<(), Failure> {
    let lang = global.lang();
    let id = message::hex(&subject.subject_id);
    let name = lang.pick("对象", "subject");
    output::line(&format!("{name}: {id} ({})", subject.events))?;
    let columns = [
        lang.pick("项目", "programme"),
        lang.pick("限制", "limit"),
        lang.pick("期间", "period"),
        lang.pick("已用", "used"),
        lang.pick("上限", "allowed"),
        lang.pick("剩余", "left"),
    ];
    let rows = subject.entitlements.iter().map(|left| {
        vec![
            lang.pick(&left.zh, &left.en).to_owned(),
            left.limit.clone(),
            left.period.clone(),
            left.used.to_string(),
            left.allowed.to_string(),
            left.left.to_string(),
        ]
    });
    let entitlements = output::sheet(&columns, &[], rows.collect());
    entitlements.print(Format::Table, serde_json::Map::new())?;
    let mut rows = Vec::with_capacity(subject.history.len());
    for stored in &subject.history {
        let event = stored.event.clone().unwrap_or_default();
        let json = message::to_json("luzhang.event.v1.Event", &event)?;
        let codes: Vec<&str> = stored.reasons.iter().map(|r| r.code.as_str()).collect();
        rows.push(vec![
            event.position.to_string(),
            recorded_at(event.recorded_at),
            event::kind_of(&json),
            codes.join(";"),
        ]);
    }
    let columns = [
        lang.pick("位置", "position"),
        lang.pick("记录时间", "recorded at"),
        lang.pick("事件", "event"),
        lang.pick("原因", "codes"),
    ];
    output::sheet(&columns, &[], rows).print(Format::Table, serde_json::Map::new())
}
