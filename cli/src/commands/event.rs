//! `luzhang event`: look at events.

use luzhang_proto::{event as stored, wire};
use serde_json::{Value, json};
use tonic::Status;

use super::{open, reason_line, recorded_at};
use crate::{
    args::{EventCommand, Global},
    client::Client,
    failure::{Failure, exit},
    message,
    output::{self, Format},
    servers::Wait,
};

pub(crate) async fn run(global: &Global, command: &EventCommand) -> Result<u8, Failure> {
    let EventCommand::Show { position } = command;
    let client = open(global).await?;
    let request = wire::GetEventRequest {
        position: *position,
    };
    let answer = client.ledger().get_event(request).await;
    client.close().await?;
    let event = answer?.into_inner().event.unwrap_or_default();
    match global.output {
        Format::Json | Format::Ndjson => output::line(&to_json(&event)?.to_string())?,
        Format::Table | Format::Csv => print(global, &event)?,
    }
    Ok(exit::OK)
}

/// Every event of some kinds, in order.
pub(super) async fn each(
    client: &Client,
    kinds: &[&str],
    mut see: impl FnMut(stored::Event),
) -> Result<(), Failure> {
    let mut request = wire::ReadEventsRequest {
        kinds: kinds.iter().map(ToString::to_string).collect(),
        ..wire::ReadEventsRequest::default()
    };
    let mut wait = Wait::default();
    loop {
        let Err(status) = read(client, &mut request, &mut wait, &mut see).await else {
            return Ok(());
        };
        client.again(&mut wait, status).await?;
    }
}

/// Reads on from where the request says, and has it say how far it came.
async fn read(
    client: &Client,
    request: &mut wire::ReadEventsRequest,
    wait: &mut Wait,
    see: &mut impl FnMut(stored::Event),
) -> Result<(), Status> {
    let answers = client.ledger().read_events(request.clone()).await?;
    let mut answers = answers.into_inner();
    while let Some(answer) = answers.message().await? {
        wait.heard();
        request.from = answer.position.saturating_add(1);
        let events = answer.events.into_iter();
        events.filter_map(|event| event.event).for_each(&mut *see);
    }
    Ok(())
}

/// An event as JSON, hashes in hexadecimal digits.
pub(crate) fn to_json(event: &wire::StoredEvent) -> Result<Value, Failure> {
    let body = body_to_json(&event.event.clone().unwrap_or_default())?;
    let mut reasons = Vec::with_capacity(event.reasons.len());
    for reason in &event.reasons {
        reasons.push(message::to_whole_json("luzhang.v1.Reason", reason)?);
    }
    Ok(json!({
        "schema_version": 1,
        "event": body,
        "event_hash": message::hex(&event.event_hash),
        "previous_hash": message::hex(&event.previous_hash),
        "stored": message::hex(&event.stored),
        "reasons": reasons,
    }))
}

/// What an event says, as JSON; what has the look of a hash is one.
pub(crate) fn body_to_json(event: &stored::Event) -> Result<Value, Failure> {
    let mut body = message::to_json("luzhang.event.v1.Event", event)?;
    if let Some(object) = body.as_object_mut() {
        for (key, bytes) in [
            ("stream", &event.stream),
            ("request", &event.request),
            ("content", &event.content),
            ("salt", &event.salt),
        ] {
            object.insert(key.to_owned(), message::hex(bytes).into());
        }
        if !event.credential.is_empty() {
            let credential = message::hex(&event.credential);
            object.insert("credential".to_owned(), credential.into());
        }
    }
    Ok(body)
}

fn print(global: &Global, stored: &wire::StoredEvent) -> Result<(), Failure> {
    let lang = global.lang();
    let event = stored.event.clone().unwrap_or_default();
    let mut json = message::to_json("luzhang.event.v1.Event", &event)?;
    let kind = kind_of(&json);
    let body = json
        .as_object_mut()
        .and_then(|object| object.remove(&kind))
        .unwrap_or_default();
    let number = |number: u64| match number {
        0 => "-".to_owned(),
        number => number.to_string(),
    };
    for (name, value) in [
        (lang.pick("位置", "position"), number(event.position)),
        (lang.pick("事件", "kind"), kind),
        (
            lang.pick("记录时间", "recorded at"),
            recorded_at(event.recorded_at),
        ),
        (lang.pick("对象", "stream"), message::hex(&event.stream)),
        (
            lang.pick("对象内序号", "revision"),
            format!("{} (← {})", event.revision, number(event.stream_previous)),
        ),
        (lang.pick("经办机构", "office"), number(event.office.into())),
        (lang.pick("账户", "principal"), event.principal),
        (
            lang.pick("基准日期", "basis date"),
            number(event.basis_date.into()),
        ),
        (lang.pick("政策", "policy"), number(event.policy)),
        (lang.pick("起因", "cause"), number(event.cause)),
        (lang.pick("哈希", "hash"), message::hex(&stored.event_hash)),
        (
            lang.pick("前一哈希", "previous hash"),
            message::hex(&stored.previous_hash),
        ),
    ] {
        output::line(&format!("{name}: {value}"))?;
    }
    let body = serde_json::to_string_pretty(&body).map_err(anyhow::Error::from)?;
    output::line(&body)?;
    for reason in &stored.reasons {
        output::line(&reason_line(reason, lang))?;
    }
    Ok(())
}

/// The body's field: the one object that is not part of the header.
pub(crate) fn kind_of(event: &Value) -> String {
    let fields = event.as_object().into_iter().flatten();
    let body = fields.filter(|(_, value)| value.is_object());
    body.map(|(key, _)| key.clone()).next().unwrap_or_default()
}
