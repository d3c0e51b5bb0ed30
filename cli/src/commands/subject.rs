//! `luzhang subject`: a person, organisation or brand.

use std::{io, ops::ControlFlow};

use luzhang_ledger::{
    Date, Position, StreamId,
    identity::{CheckDigit, CreditCode, NationalId, SubjectId},
};
use luzhang_projections::{State, entitlement};
use luzhang_proto::{
    google::r#type::Date as WireDate,
    wire::{self, get_subject_request::Subject},
};
use luzhang_server::convert::to_proto;
use serde_json::json;

use super::{event, open, recorded_at, submit_one};
use crate::{
    args::{AsOf, Global, SubjectCommand},
    failure::{Failure, exit},
    message,
    output::{self, Format},
    source::Source,
};

pub(crate) async fn run(global: &Global, command: &SubjectCommand) -> Result<u8, Failure> {
    match command {
        SubjectCommand::Show { number, on, as_of } => {
            show(global, given(number)?, *on, as_of.as_ref()).await
        }
        SubjectCommand::Reveal { number, purpose } => reveal(global, given(number)?, purpose).await,
        SubjectCommand::Erase { number, document } => erase(global, given(number)?, document).await,
    }
}

/// A number as it was given, or from standard input.
fn given(number: &str) -> Result<String, Failure> {
    Ok(match number {
        "-" => {
            let mut line = String::new();
            io::stdin().read_line(&mut line)?;
            line.trim().to_owned()
        }
        number => number.to_owned(),
    })
}

async fn reveal(global: &Global, number: String, purpose: &str) -> Result<u8, Failure> {
    use wire::reveal_details_request::Subject as S;
    let subject = match recognise(number) {
        Subject::NationalId(number) => S::NationalId(number),
        Subject::CreditCode(code) => S::CreditCode(code),
        Subject::BrandNo(number) => S::BrandNo(number),
        Subject::SubjectId(id) => S::SubjectId(id),
    };
    let request = wire::RevealDetailsRequest {
        subject: Some(subject),
        purpose: purpose.to_owned(),
    };
    let client = open(global).await?;
    let answer = client.cases().reveal_details(request).await;
    client.close().await?;
    let details = answer?.into_inner();
    let columns = [
        "subject_id",
        "name",
        "number",
        "bank",
        "account",
        "position",
    ];
    let row = vec![
        message::hex(&details.subject_id),
        details.name,
        details.number,
        details.bank,
        details.account,
        details.position.to_string(),
    ];
    output::sheet(&columns, &["position"], vec![row])
        .print(global.output, serde_json::Map::new())?;
    Ok(exit::OK)
}

async fn erase(global: &Global, number: String, document: &str) -> Result<u8, Failure> {
    use wire::erasure::Subject as S;
    let subject = match recognise(number) {
        Subject::NationalId(number) => S::NationalId(number),
        Subject::CreditCode(code) => S::CreditCode(code),
        Subject::BrandNo(number) => S::BrandNo(number),
        Subject::SubjectId(id) => S::SubjectId(id),
    };
    let erasure = wire::Erasure {
        subject: Some(subject),
        document: document.to_owned(),
    };
    let client = open(global).await?;
    let body = wire::command::Body::Erasure(erasure);
    let ended = submit_one(global, &client, "", body).await;
    client.close().await?;
    ended
}

async fn show(
    global: &Global,
    number: String,
    on: Option<Date>,
    as_of: Option<&AsOf>,
) -> Result<u8, Failure> {
    let request = wire::GetSubjectRequest {
        subject: Some(recognise(number)),
        on: on.map(|day| WireDate {
            year: day.year().into(),
            month: day.month().into(),
            day: day.day().into(),
        }),
        // What came later is left out here, so that more has to come.
        history_limit: as_of.map_or(0, |_| LONGEST_HISTORY),
        history_before: match as_of {
            Some(AsOf::Position(position)) => position.next().number(),
            Some(AsOf::Day(_)) | None => 0,
        },
    };
    let client = open(global).await?;
    let answer = client.ledger().get_subject(request).await;
    client.close().await?;
    let mut subject = answer?.into_inner();
    if let Some(as_of) = as_of {
        subject = known_then(global, subject, *as_of, on).await?;
    }
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

/// The most events of a history that a server gives, and that are shown.
const LONGEST_HISTORY: u32 = 10_000;
const SHOWN_HISTORY: usize = 100;

/// The log up to a moment.
#[derive(Default)]
struct Then {
    state: State,
    /// Whether the log goes as far as it was asked for.
    reached: bool,
}

/// What was known of a subject at a moment: entitlement by folding the log up to
/// it, history without what came later.
async fn known_then(
    global: &Global,
    mut subject: wire::GetSubjectResponse,
    as_of: AsOf,
    on: Option<Date>,
) -> Result<wire::GetSubjectResponse, Failure> {
    let what = ("回到当时", "going back");
    let then = Source::of(global, None)?
        .walk(global, what, Then::default(), move |then, event| {
            let header = &event.header;
            let later = match as_of {
                AsOf::Position(position) => header.position > position,
                AsOf::Day(day) => shanghai(header.recorded_at).is_none_or(|date| date > day),
            };
            if later {
                return ControlFlow::Break(());
            }
            then.state.apply(event);
            then.reached |= matches!(as_of, AsOf::Position(p) if p == header.position);
            ControlFlow::Continue(())
        })
        .await?;
    if let AsOf::Position(position) = as_of
        && !then.reached
    {
        return Err(Failure {
            exit: exit::NOT_FOUND,
            ..Failure::new(
                "EVENT_NOT_FOUND",
                format!("账本没有位置 {position}"),
                format!("the ledger has no event at {position}"),
            )
        });
    }
    let state = &then.state;
    let id = <[u8; 16]>::try_from(&subject.subject_id[..]).unwrap_or_default();
    let stream = StreamId::from(SubjectId::from_bytes(id));
    let (events, _) = state.stream_end(stream);
    if events == 0 {
        return Err(Failure {
            exit: exit::NOT_FOUND,
            ..Failure::new(
                "SUBJECT_NOT_FOUND",
                "账本当时没有该对象",
                "the ledger did not know this subject then",
            )
        });
    }
    let day = match as_of {
        AsOf::Position(_) => shanghai(state.recorded_at()),
        AsOf::Day(day) => Some(day),
    };
    let on = on.or(day).unwrap_or_default();
    let end = state.position().map_or(0, Position::number);
    subject.events = events;
    subject.position = end;
    let left = entitlement::of(state, stream, on).into_iter();
    subject.entitlements = left.map(to_proto::entitlement).collect();
    subject.history.retain(|stored| {
        let event = stored.event.as_ref();
        event.is_some_and(|event| event.position <= end)
    });
    subject.history.truncate(SHOWN_HISTORY);
    Ok(subject)
}

/// The day in China on which something was recorded.
fn shanghai(micros: i64) -> Option<Date> {
    let time = jiff::Timestamp::from_microsecond(micros).ok()?;
    time.in_tz("Asia/Shanghai").ok().map(|time| time.date())
}

/// What kind of number it is, by its own check digits.
pub(super) fn recognise(number: String) -> Subject {
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
