//! `luzhang proof`: receipts and consistency proofs.

mod check;
mod qr;

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use luzhang_ledger::proof::{Node, SignedCheckpoint, witness::Extension};
use luzhang_proto::wire;
use serde_json::json;

pub(super) use self::check::refuted;
use super::open;
use crate::{
    args::{Global, proof::ProofCommand},
    failure::{Failure, exit},
    output::{self, Format},
    trust::Trust,
};

pub(crate) async fn run(global: &Global, command: &ProofCommand) -> Result<u8, Failure> {
    match command {
        ProofCommand::Get {
            position,
            with_content,
            out,
            qr,
        } => {
            let wanted = wire::GetReceiptRequest {
                position: *position,
                with_content: *with_content,
            };
            get(global, wanted, out.as_deref(), qr.as_deref()).await
        }
        ProofCommand::Consistency {
            old,
            new,
            out,
            trust,
        } => {
            let new = new.as_deref().map(read_checkpoint).transpose()?;
            let pair = (read_checkpoint(old)?, new);
            consistency(global, pair, out.as_deref(), trust).await
        }
        ProofCommand::Check { file, old, trust } => check::run(global, file, old.as_deref(), trust),
    }
}

async fn get(
    global: &Global,
    wanted: wire::GetReceiptRequest,
    out: Option<&Path>,
    qr: Option<&Path>,
) -> Result<u8, Failure> {
    // Found out before anything is asked.
    let form = qr.map(qr::Form::of).transpose()?;
    let position = wanted.position;
    let client = open(global).await?;
    let answer = client.proofs().get_receipt(wanted).await;
    client.close().await?;
    let receipt = answer?.into_inner().receipt;
    if let (Some(path), Some(form)) = (qr, form) {
        write_new(path, &qr::draw(&receipt, form)?)?;
    }
    hand_out(global, &receipt, out, "receipt", position)
}

/// Writes a text to a file, or prints it.
fn hand_out(
    global: &Global,
    text: &str,
    out: Option<&Path>,
    name: &str,
    of: u64,
) -> Result<u8, Failure> {
    if let Some(out) = out {
        write_new(out, text.as_bytes())?;
    }
    match (global.output, out) {
        (Format::Json | Format::Ndjson, _) => output::line(
            &json!({ "schema_version": 1, "of": of, name: text, "bytes": text.len() }).to_string(),
        )?,
        (Format::Table | Format::Csv, None) => output::bytes(text.as_bytes())?,
        (Format::Table | Format::Csv, Some(out)) => output::line(&out.display().to_string())?,
    }
    Ok(exit::OK)
}

pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
    written.map_err(|error| Failure::file(path, &error))
}

async fn consistency(
    global: &Global,
    (old, new): (SignedCheckpoint, Option<SignedCheckpoint>),
    out: Option<&Path>,
    trust: &Trust,
) -> Result<u8, Failure> {
    let old_size = old.head().size;
    let new_size = new.as_ref().map_or(0, |new| new.head().size);
    let client = open(global).await?;
    let request = wire::GetConsistencyRequest { old_size, new_size };
    let answer = client.proofs().get_consistency(request).await;
    client.close().await?;
    let answer = answer?.into_inner();
    let nodes = answer.proof.into_iter().map(<[u8; 32]>::try_from);
    let proof: Result<Vec<Node>, _> = nodes.map(|node| node.map(Node::from_bytes)).collect();
    let extension = Extension {
        old: old_size,
        proof: proof.map_err(|_| anyhow::anyhow!("the server's proof is not of 32-byte nodes"))?,
        checkpoint: match new {
            Some(new) => new,
            None => SignedCheckpoint::parse(answer.checkpoint.as_bytes())
                .map_err(anyhow::Error::from)?,
        },
    };
    check::extension(&old, &extension, &trust.policy()?)?;
    hand_out(global, &extension.to_string(), out, "consistency", old_size)
}

pub(super) fn read_checkpoint(path: &Path) -> Result<SignedCheckpoint, Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::file(path, &error))?;
    SignedCheckpoint::parse(&bytes).map_err(|error| Failure {
        exit: exit::UNVERIFIED,
        ..Failure::new(
            "CHECKPOINT_UNREADABLE",
            format!("{} 不是检查点：{error}", path.display()),
            format!("{} is no checkpoint: {error}", path.display()),
        )
    })
}
