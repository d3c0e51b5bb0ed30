//! One file a command. Each returns its exit code.

pub(crate) mod audit;
mod audit_pack;
pub(crate) mod backup;
pub(crate) mod case;
pub(crate) mod cert;
pub(crate) mod checkpoint;
mod contradiction;
mod coverage;
mod decided;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod join;
mod journal;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod notice;
pub(crate) mod payment;
pub(crate) mod policy;
mod policy_diff;
pub(crate) mod principal;
pub(crate) mod projection;
pub(crate) mod proof;
mod published;
pub(crate) mod rebuild;
pub(crate) mod recovery;
pub(crate) mod redecide;
pub(crate) mod report;
pub(crate) mod serve;
pub(crate) mod shell;
pub(crate) mod simulate;
pub(crate) mod subject;
pub(crate) mod submit;
pub(crate) mod tiles;
mod watch;
pub(crate) mod witness;

use std::path::Path;

use jiff::Timestamp;
use luzhang_ledger::{Hash, text::Label};
use luzhang_proto::wire;
use luzhang_server::notes::{self, Note, Noted};

use crate::{args::Global, client::Client, failure::Failure, lang::Lang};

/// Opens the ledger that the options name.
async fn open(global: &Global) -> Result<Client, Failure> {
    let target = global.target()?;
    Client::open(&target, global.principal.as_deref(), global.lang()).await
}

/// Submits one command and says what became of it.
async fn submit_one(
    global: &Global,
    client: &Client,
    office: &str,
    body: wire::command::Body,
) -> Result<u8, Failure> {
    let request_id = uuid::Uuid::now_v7().to_string();
    let command = wire::Command {
        request_id: request_id.clone(),
        office: office.to_owned(),
        body: Some(body),
    };
    submit::send(global, client, command, submit::Way::Submit).await
}

/// For whoever looks after a ledger: what came of it, and how far it reached. Neither a
/// verification nor a backup writes anything there by itself.
fn leave_note(
    dir: &Path,
    noted: Noted,
    result: &str,
    (position, chain): (u64, Hash),
) -> Result<(), Failure> {
    let note = Note {
        result: Label::new(result).map_err(anyhow::Error::from)?,
        position,
        chain,
        seconds: u64::try_from(Timestamp::now().as_second()).unwrap_or(0),
    };
    let left = notes::leave(dir, noted, &note);
    left.map_err(|error| Failure::file(&dir.join("notes"), &error))
}

/// A day for the wire.
fn wire_day(day: jiff::civil::Date) -> luzhang_proto::google::r#type::Date {
    luzhang_proto::google::r#type::Date {
        year: day.year().into(),
        month: day.month().into(),
        day: day.day().into(),
    }
}

/// Yuan on the command line, in fen.
fn yuan(text: &str, option: &str) -> Result<i64, Failure> {
    let amount = luzhang_ledger::Fen::parse_yuan(text);
    let amount = amount.map_err(|error| {
        Failure::usage(
            format!("{option}：{}", error.zh()),
            format!("{option}: {error}"),
        )
    })?;
    Ok(amount.fen())
}

/// `CODE（第四条）: sentence`.
fn reason_line(reason: &wire::Reason, lang: Lang) -> String {
    let text = lang.pick(&reason.zh, &reason.en);
    let clause = match (reason.measure, lang) {
        (0, _) => String::new(),
        (measure, Lang::Zh) => format!("（措施第{measure}条）"),
        (measure, Lang::En) => format!(" (measure {measure})"),
    };
    let quote = match (reason.quote.as_str(), lang) {
        ("", _) => String::new(),
        (quote, Lang::Zh) => format!("。依据：“{quote}”"),
        (quote, Lang::En) => format!(". Clause: “{quote}”"),
    };
    format!("{}{clause}: {text}{quote}", reason.code)
}

/// A day as `YYYY-MM-DD`.
fn day(date: Option<luzhang_proto::google::r#type::Date>) -> String {
    date.map_or_else(String::new, |date| {
        format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
    })
}

/// UTC microseconds as text in Shanghai time.
fn recorded_at(micros: i64) -> String {
    let time =
        jiff::Timestamp::from_microsecond(micros).and_then(|time| time.in_tz("Asia/Shanghai"));
    time.map_or_else(
        |_| micros.to_string(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S%.6f %:z").to_string(),
    )
}
