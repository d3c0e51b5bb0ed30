//! `luzhang backup verify`: a backup by itself.

use std::path::Path;

use luzhang_ledger::{
    Body, Position,
    event::KeyAdoption,
    log::backup::{Remark, Shelf, ShelfFault, ShelfReport},
    proof::{SignedCheckpoint, note::NoteError, policy::Distrust, rotation},
    replay::each_event,
    verify::{ExpectedTree, Known},
};
use serde_json::{Value, json};

use crate::{
    args::Global,
    client::progress,
    commands::audit::verdict_line,
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
    trust::{Trust, distrusted},
};

pub(super) async fn run(global: &Global, root: &Path, trust: &Trust) -> Result<u8, Failure> {
    let (root, trust, lang) = (root.to_owned(), trust.clone(), global.lang());
    let verified = tokio::task::spawn_blocking(move || verified(&root, &trust, lang)).await;
    let (shelf, report) = verified.map_err(anyhow::Error::from)??;
    print(global, shelf.as_ref(), &report)?;
    Ok(report.verdict.exit_code())
}

fn verified(
    root: &Path,
    trust: &Trust,
    lang: Lang,
) -> Result<(Option<Shelf>, ShelfReport), Failure> {
    let shelf = match Shelf::open(root) {
        Ok(shelf) => shelf,
        Err(fault @ ShelfFault::NotFound) => return Err(fault.into()),
        Err(fault) => return Ok((None, ShelfReport::of(fault))),
    };
    let expected = expected(&shelf, trust)?;
    let bar = progress(lang.pick("核验", "verifying"));
    let end = shelf.manifest().head.position;
    bar.set_length(end.map_or(0, Position::number));
    let report = shelf.verify(expected, |position| bar.set_position(position.number()));
    bar.finish_and_clear();
    Ok((Some(shelf), report))
}

/// The head of the tree that the backup's checkpoint is of. With keys, the signatures
/// are checked here; keys that came later are followed to in the backup itself.
pub(super) fn expected(shelf: &Shelf, trust: &Trust) -> Result<Vec<ExpectedTree>, Failure> {
    let checkpoint = shelf.manifest().checkpoint.as_ref();
    let of = |signed: &SignedCheckpoint, known| ExpectedTree {
        head: signed.head(),
        known,
    };
    if !trust.is_given() {
        return Ok(checkpoint
            .map(|c| of(c, Known::Beside))
            .into_iter()
            .collect());
    }
    let policy = trust.policy()?;
    let Some(checkpoint) = checkpoint else {
        return Err(Failure {
            exit: exit::UNVERIFIED,
            ..Failure::new(
                "SHELF_NO_CHECKPOINT",
                "备份中没有检查点，无从检查签名：不带 --key 仍可核验备份自身；请先在账本签署检查点再备份",
                "there is no checkpoint in the backup, so no signature to check: without --key the \
                 backup can be verified in itself; have the ledger sign one, then back up again",
            )
        });
    };
    let mut checked = policy.check(checkpoint);
    if checked == Err(Distrust::Note(NoteError::Unsigned)) {
        let trusted: Vec<_> = policy.logs().iter().map(|log| log.key.clone()).collect();
        let keys = rotation::follow(&trusted, &adoptions(shelf));
        checked = policy.clone().for_logs(keys).check(checkpoint);
    }
    checked.map_err(|error| distrusted(&error))?;
    Ok(vec![of(checkpoint, Known::Signed)])
}

/// The keys that the log in a backup has adopted, as far as it can be read.
fn adoptions(shelf: &Shelf) -> Vec<KeyAdoption> {
    let mut adoptions = Vec::new();
    for block in shelf.blocks(Position::FIRST, None).map_while(Result::ok) {
        // What cannot be decoded is for the verification to judge.
        let _decoded = each_event(&block, |_, event, _| {
            if let Body::CheckpointKeyAdopted(adoption) = &event.event.body {
                adoptions.push((**adoption).clone());
            }
        });
    }
    adoptions
}

fn print(global: &Global, shelf: Option<&Shelf>, report: &ShelfReport) -> Result<(), Failure> {
    let lang = global.lang();
    if matches!(global.output, Format::Json | Format::Ndjson) {
        return output::line(&document(shelf, report).to_string());
    }
    let mut chain = report.chain.clone();
    chain.verdict = report.verdict;
    output::line(&verdict_line(&chain, lang))?;
    for fault in &report.faults {
        let text = match lang {
            Lang::Zh => fault.zh(),
            Lang::En => fault.to_string(),
        };
        output::line(&format!("  {}: {text}", fault.code()))?;
    }
    for remark in &report.remarks {
        output::line(&format!("  {}", remark_line(remark, lang)))?;
    }
    if let Some(head) = report.chain.chain_head {
        let name = lang.pick("  链头", "  chain head");
        output::line(&format!("{name}: {}:{head}", report.chain.events))?;
    }
    let checkpoint = shelf.and_then(|shelf| shelf.manifest().checkpoint.as_ref());
    if let Some(size) = checkpoint.map(|signed| signed.head().size) {
        output::line(&match lang {
            Lang::Zh => format!("  检查点: 覆盖 {size} 个事件"),
            Lang::En => format!("  checkpoint: over {size} events"),
        })?;
    }
    Ok(())
}

fn remark_line(remark: &Remark, lang: Lang) -> String {
    let Remark::Unfinished { file, from } = remark;
    match lang {
        Lang::Zh => {
            format!("{file} 自第 {from} 字节起是中断的备份留下的，不计入；下次备份会接着写")
        }
        Lang::En => format!(
            "{file} from byte {from} on was left by a backup that was interrupted: it does not \
             count, and the next one writes over it"
        ),
    }
}

fn document(shelf: Option<&Shelf>, report: &ShelfReport) -> Value {
    let manifest = shelf.map(Shelf::manifest);
    let fault = |fault: &ShelfFault| {
        json!({
            "code": fault.code(),
            "verdict": fault.verdict().word(),
            "file": fault.file(),
            "offset": fault.offset(),
            "position": fault.position().map(Position::number),
            "detail": fault.to_string(),
        })
    };
    let remark = |remark: &Remark| {
        let Remark::Unfinished { file, from } = remark;
        json!({ "file": file, "unfinished_from": from })
    };
    let checkpoint = manifest.and_then(|manifest| manifest.checkpoint.as_ref());
    json!({
        "schema_version": 1,
        "verdict": report.verdict.word(),
        "ledger_id": manifest.map(|manifest| manifest.ledger.to_string()),
        "position": manifest.map(|m| m.head.position.map_or(0, Position::number)),
        "written_at": manifest.map(|manifest| manifest.written.at),
        "files": manifest.map(|manifest| manifest.files.len()),
        "bytes": manifest.map(|m| m.files.iter().map(|file| file.bytes).sum::<u64>()),
        "events": report.chain.events,
        "chain_head": report.chain.chain_head.map(|head| head.to_string()),
        "tree_root": report.chain.tree.map(|tree| tree.root.to_string()),
        "checkpoint_size": checkpoint.map(|signed| signed.head().size),
        "faults": report.faults.iter().map(fault).collect::<Vec<_>>(),
        "remarks": report.remarks.iter().map(remark).collect::<Vec<_>>(),
    })
}
