//! `luzhang checkpoint`: signed heads of the tree.

use luzhang_ledger::proof::SignedCheckpoint;
use luzhang_proto::wire;
use serde_json::{Value, json};

use super::{open, recorded_at};
use crate::{
    args::{Global, proof::CheckpointCommand},
    client::Client,
    failure::{Failure, exit},
    output::{self, Format, sheet},
};

pub(crate) async fn run(global: &Global, command: &CheckpointCommand) -> Result<u8, Failure> {
    let client = open(global).await?;
    let done = match command {
        CheckpointCommand::Show { covering } => show(global, &client, covering.unwrap_or(0)).await,
        CheckpointCommand::Sign => sign(global, &client).await,
        CheckpointCommand::Keys => keys(global, &client).await,
        CheckpointCommand::Rotate { lost } => rotate(global, &client, *lost).await,
    };
    client.close().await?;
    done.map(|()| exit::OK)
}

async fn show(global: &Global, client: &Client, covering: u64) -> Result<(), Failure> {
    let request = wire::GetCheckpointRequest { covering };
    let answer = client.proofs().get_checkpoint(request).await?.into_inner();
    let trouble = global.lang().pick(&answer.trouble_zh, &answer.trouble_en);
    if !trouble.is_empty() {
        output::note!("{trouble}");
    }
    print(global, &answer.checkpoint, json!({}))
}

async fn sign(global: &Global, client: &Client) -> Result<(), Failure> {
    let answer = client.proofs().attest(wire::AttestRequest {}).await?;
    let answer = answer.into_inner();
    print(
        global,
        &answer.checkpoint,
        json!({ "attested": answer.position }),
    )
}

/// The note itself, or what is in it.
fn print(global: &Global, note: &str, extra: Value) -> Result<(), Failure> {
    if matches!(global.output, Format::Table | Format::Csv) {
        return output::bytes(note.as_bytes());
    }
    let checkpoint = SignedCheckpoint::parse(note.as_bytes()).map_err(anyhow::Error::from)?;
    let mut document = json!({
        "schema_version": 1,
        "origin": checkpoint.checkpoint().origin,
        "size": checkpoint.head().size,
        "root": checkpoint.head().root.to_string(),
        "checkpoint": note,
    });
    if let (Some(document), Value::Object(extra)) = (document.as_object_mut(), extra) {
        document.extend(extra);
    }
    output::line(&document.to_string())
}

async fn keys(global: &Global, client: &Client) -> Result<(), Failure> {
    let answer = client.proofs().list_keys(wire::ListKeysRequest {}).await?;
    let rows = answer
        .into_inner()
        .keys
        .into_iter()
        .map(|key| {
            vec![
                key.position.to_string(),
                recorded_at(key.recorded_at),
                key.endorsed.to_string(),
                key.key,
            ]
        })
        .collect();
    sheet(
        &["position", "recorded_at", "endorsed", "key"],
        &["position"],
        rows,
    )
    .print(global.output, serde_json::Map::new())
}

async fn rotate(global: &Global, client: &Client, lost: bool) -> Result<(), Failure> {
    let request = wire::RotateKeyRequest { old_is_lost: lost };
    let answer = client.proofs().rotate_key(request).await;
    let answer = answer.map_err(|status| {
        let failure = Failure::from(status);
        if failure.exit == exit::UNKNOWN {
            // Asked again it would be replaced once more.
            output::note!(
                "{}",
                global.lang().pick(
                    "是否已更换，请用 luzhang checkpoint keys 查明后再定",
                    "see with `luzhang checkpoint keys` whether it was replaced before you try again"
                )
            );
        }
        failure
    })?;
    let key = answer.into_inner().key;
    output::note!(
        "{}",
        global.lang().pick(
            "请备份 keys/checkpoint，并把新的公钥告知核验方",
            "back up `keys/checkpoint`, and tell those who check of the new key"
        )
    );
    match global.output {
        Format::Json | Format::Ndjson => {
            output::line(&json!({ "schema_version": 1, "key": key }).to_string())
        }
        Format::Table | Format::Csv => output::line(&key),
    }
}
