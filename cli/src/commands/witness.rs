//! `luzhang witness`: make one, tell it what to watch, run it.

use std::{path::Path, sync::Arc};

use luzhang_ledger::proof::{VerifierKey, note::KeyName};
use luzhang_server::witness::{self, Added, Survey, WatchedLog, Witness, WitnessError};
use serde_json::{Map, json};
use tokio::signal::unix::{SignalKind, signal};

use super::recorded_at;
use crate::{
    args::{
        Global,
        witness::{WitnessCommand, WitnessServeArgs},
    },
    failure::{Failure, exit},
    output::{self, Format},
};

pub(crate) async fn run(global: &Global, command: &WitnessCommand) -> Result<u8, Failure> {
    match command {
        WitnessCommand::Init { dir, name } => init(global, dir, name),
        WitnessCommand::AddLog { dir, key } => add_log(global, dir, key),
        WitnessCommand::Key { dir } => key(global, dir),
        WitnessCommand::List { dir } => list(global, dir),
        WitnessCommand::Serve(args) => serve(global, args).await,
    }
}

fn init(global: &Global, dir: &Path, name: &KeyName) -> Result<u8, Failure> {
    let witness = Witness::create(dir, name)?;
    print_key(global, witness.verifier())
}

fn key(global: &Global, dir: &Path) -> Result<u8, Failure> {
    let survey = Witness::survey(dir)?;
    print_key(global, &survey.key)
}

fn print_key(global: &Global, key: &VerifierKey) -> Result<u8, Failure> {
    match global.output {
        Format::Json | Format::Ndjson => {
            let document = json!({
                "schema_version": 1,
                "name": key.name().as_str(),
                "verifier_key": key.to_string(),
            });
            output::line(&document.to_string())?;
        }
        Format::Table | Format::Csv => output::line(&key.to_string())?,
    }
    Ok(exit::OK)
}

fn add_log(global: &Global, dir: &Path, key: &VerifierKey) -> Result<u8, Failure> {
    let mut witness = Witness::open(dir)?;
    let added = witness.add_log(key.clone())?;
    let (what, zh, en) = match added {
        Added::Log => ("log", "开始关注", "watching"),
        Added::Key => ("key", "增加了一个公钥：", "one more key of"),
        Added::Nothing => ("nothing", "已有此公钥：", "this key was there already:"),
    };
    let origin = key.name();
    match global.output {
        Format::Json | Format::Ndjson => {
            let document = json!({
                "schema_version": 1,
                "origin": origin.as_str(),
                "added": what,
            });
            output::line(&document.to_string())?;
        }
        Format::Table | Format::Csv => {
            let said = global.lang().pick(zh, en);
            output::line(&format!("{said} {origin}"))?;
        }
    }
    Ok(exit::OK)
}

fn list(global: &Global, dir: &Path) -> Result<u8, Failure> {
    let Survey { key, logs } = Witness::survey(dir)?;
    let columns = ["origin", "keys", "size", "root", "cosigned_at"];
    let rows = logs.iter().map(row).collect();
    let extra = Map::from_iter([("verifier_key".to_owned(), key.to_string().into())]);
    output::sheet(&columns, &["keys", "size"], rows).print(global.output, extra)?;
    Ok(exit::OK)
}

/// Of a log that was never cosigned, root and time are empty.
fn row(log: &WatchedLog) -> Vec<String> {
    let newest = log.newest.as_ref();
    vec![
        log.origin.to_string(),
        log.keys.len().to_string(),
        log.head().size.to_string(),
        newest.map_or(String::new(), |newest| {
            newest.checkpoint.head().root.to_string()
        }),
        newest.map_or(String::new(), |newest| cosigned_at(newest.time)),
    ]
}

/// Seconds since 1970, as all other times are shown.
fn cosigned_at(seconds: u64) -> String {
    let micros = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000));
    micros.map_or_else(|| seconds.to_string(), recorded_at)
}

async fn serve(global: &Global, args: &WitnessServeArgs) -> Result<u8, Failure> {
    let lang = global.lang();
    // Heard from the beginning, so that no signal is lost while files are read.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let dir = args.dir.clone();
    let opened = tokio::task::spawn_blocking(move || Witness::open(&dir)).await;
    let witness = opened.map_err(anyhow::Error::from)??;
    let listener = witness::listen(args.listen).await?;
    output::line(&format!("listening http://{}", listener.local_addr()?))?;
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        output::note!(
            "{}",
            lang.pick(
                "正在收尾，已联署的都已记下",
                "finishing: all that was cosigned is on disk"
            )
        );
    };
    witness::serve(Arc::new(witness), listener, stop).await;
    Ok(exit::OK)
}

impl From<WitnessError> for Failure {
    fn from(error: WitnessError) -> Self {
        let exit = match error {
            WitnessError::NotFound { .. } => exit::NOT_FOUND,
            WitnessError::Exists { .. }
            | WitnessError::NotEmpty { .. }
            | WitnessError::Locked { .. } => exit::CONFLICT,
            WitnessError::NotOfLog => exit::USAGE,
            WitnessError::Missing { .. }
            | WitnessError::Damaged { .. }
            | WitnessError::Io { .. }
            | WitnessError::Stopped { .. }
            | WitnessError::Clock => exit::ERROR,
        };
        Self {
            exit,
            ..Self::new(error.code(), error.zh(), error.to_string())
        }
    }
}
