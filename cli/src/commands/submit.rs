//! `luzhang submit`: one command, written as JSON.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use luzhang_proto::wire::{self, outcome::Result as Answer};
use uuid::Uuid;

use super::proof::write_new;
use super::{open, reason_line};
use crate::{
    args::{Global, SubmitArgs},
    client::Client,
    failure::{Failure, exit},
    lang::Lang,
    message,
    output::{self, Format},
};

pub(crate) async fn run(global: &Global, args: &SubmitArgs) -> Result<u8, Failure> {
    if let Some(file) = args.proof.as_deref().filter(|file| file.exists()) {
        // Found out before anything is decided.
        return Err(Failure::file(
            file,
            &io::Error::from(io::ErrorKind::AlreadyExists),
        ));
    }
    let text = read(&args.file)?;
    let mut command: wire::Command =
        message::from_json("luzhang.v1.Command", &text).map_err(|error| {
            let error = message::without_values(&format!("{error:#}"));
            Failure::new(
                "COMMAND_JSON",
                format!("不是 luzhang.v1.Command 的 JSON：{error}"),
                format!("not the JSON of a luzhang.v1.Command: {error}"),
            )
        })?;
    if command.request_id.is_empty() {
        command.request_id = Uuid::now_v7().to_string();
    }
    let client = open(global).await?;
    let way = if args.dry_run {
        Way::Evaluate
    } else {
        Way::Submit
    };
    let ended = match &args.proof {
        Some(file) => with_receipt(global, &client, command, file).await,
        None => send(global, &client, command, way).await,
    };
    client.close().await?;
    ended
}

/// Whether a command is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is.
    Submit,
    /// Only what would become of it.
    Evaluate,
}

/// Sends one command, says what became of it, and writes its receipt.
async fn with_receipt(
    global: &Global,
    client: &Client,
    command: wire::Command,
    file: &Path,
) -> Result<u8, Failure> {
    let request_id = command.request_id.clone();
    let request = wire::SubmitRequest {
        command: Some(command),
        receipt: true,
    };
    let answer = client.ledger().submit(request).await;
    let answer = answered(global, &request_id, answer)?.into_inner();
    let code = show(global, &request_id, &answer.outcome.unwrap_or_default())?;
    if answer.receipt.is_empty() {
        output::note!(
            "{}",
            global.lang().pick(
                "已决定，但回执尚未取得：稍后用 luzhang proof get 取得",
                "decided, but there is no receipt yet: get it later with `luzhang proof get`"
            )
        );
    } else {
        write_new(file, answer.receipt.as_bytes())?;
    }
    Ok(code)
}

/// An answer, or the failure with the request id to try again with.
pub(super) fn answered<T>(
    global: &Global,
    request_id: &str,
    answer: Result<T, tonic::Status>,
) -> Result<T, Failure> {
    answer.map_err(|status| {
        let failure = Failure::from(status);
        if failure.exit == exit::UNKNOWN {
            let again = global
                .lang()
                .pick("请用同一请求编号重试", "try again with request id");
            output::note!("{again}: {request_id}");
        }
        failure
    })
}

/// Sends one command and says what became of it.
pub(super) async fn send(
    global: &Global,
    client: &Client,
    command: wire::Command,
    way: Way,
) -> Result<u8, Failure> {
    let request_id = command.request_id.clone();
    let command = Some(command);
    let answer = match way {
        Way::Evaluate => {
            let request = wire::EvaluateRequest { command };
            let answer = client.ledger().evaluate(request).await;
            answer.map(|answer| answer.into_inner().outcome)
        }
        Way::Submit => {
            let request = wire::SubmitRequest {
                command,
                receipt: false,
            };
            let answer = client.ledger().submit(request).await;
            answer.map(|answer| answer.into_inner().outcome)
        }
    };
    let outcome = answered(global, &request_id, answer)?;
    show(global, &request_id, &outcome.unwrap_or_default())
}

fn read(file: &Path) -> Result<String, Failure> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(file).map_err(|error| Failure::file(file, &error))
}

fn show(global: &Global, request_id: &str, outcome: &wire::Outcome) -> Result<u8, Failure> {
    let code = match &outcome.result {
        Some(Answer::Accepted(_)) => exit::OK,
        Some(Answer::Refused(_)) => exit::REFUSED,
        Some(Answer::Rejected(_)) | None => exit::ERROR,
    };
    let lang = global.lang();
    if matches!(global.output, Format::Json | Format::Ndjson) {
        let mut json = message::to_whole_json("luzhang.v1.Outcome", outcome)?;
        if let Some(object) = json.as_object_mut() {
            object.insert("schema_version".to_owned(), 1.into());
            object.insert("request_id".to_owned(), request_id.into());
        }
        output::line(&json.to_string())?;
        return Ok(code);
    }
    let (word, receipt, reasons) = match &outcome.result {
        Some(Answer::Accepted(accepted)) => (
            lang.pick("通过", "accepted"),
            accepted.receipt.as_ref(),
            accepted.warnings.as_slice(),
        ),
        Some(Answer::Refused(refused)) => (
            lang.pick("不予受理", "refused"),
            refused.receipt.as_ref(),
            refused.reasons.as_slice(),
        ),
        Some(Answer::Rejected(_)) | None => (lang.pick("退回", "rejected"), None, [].as_slice()),
    };
    let place = match (receipt, lang) {
        (None, Lang::Zh) => "（试算，未写入）".to_owned(),
        (None, Lang::En) => " (dry run, nothing written)".to_owned(),
        (Some(receipt), Lang::Zh) => format!(
            "，位置 {}，哈希 {}",
            receipt.position,
            message::hex(&receipt.event_hash)
        ),
        (Some(receipt), Lang::En) => format!(
            " at {}, hash {}",
            receipt.position,
            message::hex(&receipt.event_hash)
        ),
    };
    let again = match (outcome.replayed, lang) {
        (false, _) => "",
        (true, Lang::Zh) => "（重复提交，原结果）",
        (true, Lang::En) => " (seen before: the original outcome)",
    };
    output::line(&format!("{word}{place}{again}"))?;
    for reason in reasons {
        output::line(&format!("  {}", reason_line(reason, lang)))?;
    }
    output::note!("request_id {request_id}");
    Ok(code)
}
