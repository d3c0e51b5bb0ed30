//! `luzhang restore`: a data directory from a backup.

use luzhang_ledger::{
    Position,
    block::Head,
    log::backup::{Manifest, Shelf},
    verify::{Finding, Place as Spot, Verdict},
};
use luzhang_server::checkpoints;
use serde_json::json;

use super::{keys_note, verify::expected};
use crate::{
    args::{Global, backup::RestoreArgs},
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
    place::{NewDir, Origin},
};

pub(crate) fn run(global: &Global, args: &RestoreArgs) -> Result<u8, Failure> {
    let lang = global.lang();
    let shelf = if args.without_manifest {
        Shelf::without_manifest(&args.from)?
    } else {
        Shelf::open(&args.from)?
    };
    let manifest = shelf.manifest().clone();
    let end = end(&manifest, args.until)?;
    let mut trees = expected(&shelf, &args.trust)?;
    trees.retain(|tree| tree.head.size <= end.number());

    if args.to.join("FORMAT").exists() {
        return Err(luzhang_ledger::log::sled::OpenError::Exists.into());
    }
    let mut new = NewDir::open(&args.to, manifest.ledger, &global.database())?;
    if new.head().position > Some(end) {
        return Err(past(new.head().position.unwrap_or(end), end));
    }
    let origin = Origin::of_shelf(shelf);
    let what = lang.pick("恢复", "restoring");
    origin.copy_to(&mut new.target(), Some(end), what)?;
    let head = new.head();
    if head.position != Some(end) {
        return Err(Failure::from(&Finding {
            verdict: Verdict::Truncated,
            place: Spot::Event(head.next_position()),
            detail: format!("the backup ends before {end}"),
        }));
    }
    let given_out = manifest
        .checkpoint
        .as_ref()
        .filter(|signed| signed.head().size <= end.number());
    let keep = || {
        given_out.map_or(Ok(()), |signed| checkpoints::keep(&args.to, signed))?;
        Ok(())
    };
    new.finish(trees, keep, lang)?;
    print(global, &manifest, head)?;
    Ok(exit::OK)
}

/// The last event that is wanted.
fn end(manifest: &Manifest, until: Option<Position>) -> Result<Position, Failure> {
    let Some(last) = manifest.head.position else {
        return Err(Failure::from(&Finding {
            verdict: Verdict::Empty,
            place: Spot::Whole,
            detail: "the backup has no events".to_owned(),
        }));
    };
    match until {
        None => Ok(last),
        Some(until) if until <= last => Ok(until),
        Some(until) => Err(Failure {
            exit: exit::NOT_FOUND,
            ..Failure::new(
                "RESTORE_BEYOND",
                format!("备份止于位置 {last}，没有位置 {until}"),
                format!("the backup ends at position {last}: there is no position {until} in it"),
            )
        }),
    }
}

/// A directory that an earlier run filled beyond what is wanted now.
fn past(there: Position, until: Position) -> Failure {
    Failure {
        exit: exit::CONFLICT,
        ..Failure::new(
            "RESTORE_PAST",
            format!(
                "先前中断的恢复已写到位置 {there}，超过了 --until {until}：请删除该目录后重新恢复"
            ),
            format!(
                "an earlier restore, which was interrupted, came as far as position {there}, beyond \
                 --until {until}: remove the directory and restore again"
            ),
        )
    }
}

fn print(global: &Global, manifest: &Manifest, head: Head) -> Result<(), Failure> {
    let lang = global.lang();
    let position = head.position.map_or(0, Position::number);
    let last = manifest.head.position.map_or(0, Position::number);
    match (global.output, lang) {
        (Format::Json | Format::Ndjson, _) => output::line(
            &json!({
                "schema_version": 1,
                "ledger_id": manifest.ledger.to_string(),
                "position": position,
                "chain_head": head.chain.to_string(),
                "blocks": head.height,
                "backup_position": last,
            })
            .to_string(),
        )?,
        (Format::Table | Format::Csv, Lang::Zh) => {
            output::line(&format!("已恢复并读回核验，链头 {position}:{}", head.chain))?;
        }
        (Format::Table | Format::Csv, Lang::En) => output::line(&format!(
            "restored and read back, chain head {position}:{}",
            head.chain
        ))?,
    }
    if position < last {
        output::note!(
            "{}",
            lang.pick(
                "这是账本过去某一时刻的状态：可以查阅，但继续记账就会与原账本分叉",
                "this is the ledger as it once was: read it, but whoever goes on writing to it \
                 forks the ledger"
            )
        );
    }
    keys_note(lang);
    Ok(())
}
