//! `luzhang proof check`: without the ledger, with nothing but keys.

use std::{fs, path::Path};

use luzhang_ledger::{
    codec,
    proof::{
        Policy, Receipt, SignedCheckpoint,
        policy::Trusted,
        receipt::{Proven, ReceiptError, Subject},
        witness::Extension,
    },
};
use serde_json::{Value, json};

use super::read_checkpoint;
use crate::{
    args::Global,
    commands::{event, recorded_at},
    failure::{Failure, exit},
    lang::Lang,
    message,
    output::{self, Format},
    trust::{Trust, distrusted},
};

pub(super) fn run(
    global: &Global,
    file: &Path,
    old: Option<&Path>,
    trust: &Trust,
) -> Result<u8, Failure> {
    let policy = trust.policy()?;
    let bytes = fs::read(file).map_err(|error| Failure::file(file, &error))?;
    if bytes.starts_with(b"old ") {
        let old = old.ok_or_else(|| {
            Failure::usage(
                "这是一致性证明：请用 --old 给出较早的检查点",
                "this is a consistency proof: give the older checkpoint with --old",
            )
        })?;
        let extension = Extension::parse(&bytes).map_err(|error| unreadable(file, &error))?;
        let (old, new) = self::extension(&read_checkpoint(old)?, &extension, &policy)?;
        return print_extension(global, &old, &new);
    }
    let receipt = Receipt::parse(&bytes).map_err(|error| unreadable(file, &error))?;
    let proven = receipt.verify(&policy).map_err(|error| refuted(&error))?;
    print_receipt(global, &receipt, &proven)
}

/// Checks that the newer checkpoint continues the older one, and both signatures.
pub(super) fn extension(
    old: &SignedCheckpoint,
    extension: &Extension,
    policy: &Policy,
) -> Result<(Trusted, Trusted), Failure> {
    let old = policy.check(old).map_err(|error| distrusted(&error))?;
    let new = policy.check(&extension.checkpoint);
    let new = new.map_err(|error| distrusted(&error))?;
    if old.origin != new.origin {
        return Err(Failure {
            exit: exit::TAMPERED,
            ..Failure::new(
                "PROOF_REFUTED",
                format!("两个检查点属于不同的日志：{} 与 {}", old.origin, new.origin),
                format!(
                    "the checkpoints are of two logs: {} and {}",
                    old.origin, new.origin
                ),
            )
        });
    }
    extension.continues(&old.head).map_err(|error| Failure {
        exit: exit::TAMPERED,
        ..Failure::new(
            "PROOF_REFUTED",
            format!("较新的检查点不是较早检查点的延续：{error}"),
            format!("the newer checkpoint does not continue the older one: {error}"),
        )
    })?;
    Ok((old, new))
}

fn unreadable(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure {
        exit: exit::UNVERIFIED,
        ..Failure::new(
            "PROOF_UNREADABLE",
            format!("{} 不是回执或一致性证明：{error}", file.display()),
            format!("{}: {error}", file.display()),
        )
    }
}

pub(in crate::commands) fn refuted(error: &ReceiptError) -> Failure {
    let refuted = |zh: String| Failure {
        exit: exit::TAMPERED,
        ..Failure::new("PROOF_REFUTED", zh, error.to_string())
    };
    match error {
        ReceiptError::Distrust(distrust) => distrusted(distrust),
        ReceiptError::Proof(_) => {
            refuted("该事件不在此检查点之下：回执被改动，或属于另一账本".to_owned())
        }
        ReceiptError::Elsewhere => refuted("回执中的事件自称位于别处：回执被改动".to_owned()),
        ReceiptError::Form(_) | ReceiptError::Checkpoint(_) => Failure {
            exit: exit::UNVERIFIED,
            ..Failure::new(
                "PROOF_UNREADABLE",
                format!("不是回执：{error}"),
                error.to_string(),
            )
        },
    }
}

fn print_receipt(global: &Global, receipt: &Receipt, proven: &Proven) -> Result<u8, Failure> {
    let event = content(receipt)?;
    let lang = global.lang();
    if matches!(global.output, Format::Json | Format::Ndjson) {
        let mut document = json!({
            "schema_version": 1,
            "verdict": "intact",
            "position": proven.position.number(),
            "event_hash": proven.event_hash.to_string(),
            "checkpoint": checkpoint(&proven.checkpoint),
        });
        if let (Some(document), Some(event)) = (document.as_object_mut(), event) {
            document.insert("event".to_owned(), event);
        }
        output::line(&document.to_string())?;
        return Ok(exit::OK);
    }
    let position = proven.position;
    let Trusted { origin, head, .. } = &proven.checkpoint;
    output::line(&match lang {
        Lang::Zh => format!(
            "成立：账本 {origin} 的第 {position} 个事件在其已签署的检查点（{} 个事件）之下",
            head.size
        ),
        Lang::En => format!(
            "proven: event {position} of {origin} is under its signed checkpoint over {} events",
            head.size
        ),
    })?;
    output::line(&format!(
        "  {}: {}",
        lang.pick("事件哈希", "event hash"),
        proven.event_hash
    ))?;
    print_signers(lang, &proven.checkpoint)?;
    if let Some(event) = event {
        let text = serde_json::to_string_pretty(&event).map_err(anyhow::Error::from)?;
        output::line(&format!(
            "{}:\n{text}",
            lang.pick("  事件内容", "  what it says")
        ))?;
    }
    Ok(exit::OK)
}

/// The event in a receipt, decoded; of a kind that this version does not know,
/// its bytes.
fn content(receipt: &Receipt) -> Result<Option<Value>, Failure> {
    let Subject::Content { stored, .. } = &receipt.subject else {
        return Ok(None);
    };
    let Ok(event) = codec::decode(stored) else {
        return Ok(Some(message::hex(stored).into()));
    };
    event::body_to_json(&codec::to_stored(&event)).map(Some)
}

fn print_extension(global: &Global, old: &Trusted, new: &Trusted) -> Result<u8, Failure> {
    let lang = global.lang();
    if matches!(global.output, Format::Json | Format::Ndjson) {
        output::line(
            &json!({
                "schema_version": 1,
                "verdict": "intact",
                "old": checkpoint(old),
                "new": checkpoint(new),
            })
            .to_string(),
        )?;
        return Ok(exit::OK);
    }
    let (before, after) = (old.head.size, new.head.size);
    output::line(&match lang {
        Lang::Zh => format!("成立：{after} 个事件的检查点是 {before} 个事件的检查点的延续"),
        Lang::En => {
            format!("proven: the checkpoint over {after} events continues the one over {before}")
        }
    })?;
    print_signers(lang, new)?;
    Ok(exit::OK)
}

fn print_signers(lang: Lang, trusted: &Trusted) -> Result<(), Failure> {
    output::line(&format!(
        "  {}: {}",
        lang.pick("签署", "signed by"),
        trusted.log
    ))?;
    for cosigner in &trusted.cosigners {
        let when = i64::try_from(cosigner.time).unwrap_or(i64::MAX);
        let when = recorded_at(when.saturating_mul(1_000_000));
        output::line(&format!(
            "  {}: {}  {when}",
            lang.pick("见证", "cosigned by"),
            cosigner.key
        ))?;
    }
    Ok(())
}

fn checkpoint(trusted: &Trusted) -> Value {
    let cosigners: Vec<Value> = trusted
        .cosigners
        .iter()
        .map(|cosigner| json!({ "key": cosigner.key.to_string(), "time": cosigner.time }))
        .collect();
    json!({
        "origin": trusted.origin,
        "size": trusted.head.size,
        "root": trusted.head.root.to_string(),
        "key": trusted.log.to_string(),
        "cosigners": cosigners,
    })
}
