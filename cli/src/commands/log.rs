//! `luzhang log copy`: a log from one place to another.

use luzhang_ledger::{LedgerId, Position, log::copy::Copied};
use serde_json::json;

use super::backup::keys_note;
use crate::{
    args::{Global, backup::LogCommand},
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
    place::{NewDatabase, NewDir, NewExport, Origin, Place, other_ledger},
};

pub(crate) fn run(global: &Global, command: &LogCommand) -> Result<u8, Failure> {
    let LogCommand::Copy { from, to, ledger } = command;
    let lang = global.lang();
    let what = lang.pick("复制", "copying");
    let database = global.database();
    let ledger = ledger.map(LedgerId::new);
    let origin = Origin::open(from, &database, ledger)?;
    if let Some(expected) = ledger.filter(|expected| *expected != origin.ledger) {
        return Err(other_ledger(origin.ledger, expected));
    }
    let copied = match to {
        Place::Shelf(path) => {
            let shown = path.display();
            return Err(Failure::usage(
                format!("{shown} 是备份；请用 luzhang backup --to 写入"),
                format!("{shown} is a backup: `luzhang backup --to` writes to it"),
            ));
        }
        Place::Dir(dir) => {
            let mut new = NewDir::open(dir, origin.ledger, &database)?;
            let made = new.is_made();
            let copied = origin.copy_to(&mut new.target(), None, what)?;
            new.finish(Vec::new(), || Ok(()), lang)?;
            if made {
                keys_note(lang);
            }
            copied
        }
        Place::Database(address) => {
            let mut new = NewDatabase::open(address, origin.ledger, &database)?;
            let made = new.is_made();
            let copied = origin.copy_to(&mut new.target(), None, what)?;
            new.finish(lang)?;
            if made {
                crate::output::note!(
                    "{}",
                    lang.pick(
                        "数据库中只有日志：请用 luzhang join 建立数据目录，并放入密钥（docs/CLUSTER.md）",
                        "the database has the log only: make a data directory with `luzhang join`, \
                         with a copy of the keys (docs/CLUSTER.md)",
                    )
                );
            }
            copied
        }
        Place::Export(path) => {
            let mut new = NewExport::open(path, origin.ledger)?;
            match origin.copy_to(new.target(), None, what) {
                Ok(copied) => {
                    new.finish()?;
                    copied
                }
                Err(failure) => {
                    new.abandon();
                    return Err(failure);
                }
            }
        }
    };
    print(global, &copied)?;
    Ok(exit::OK)
}

fn print(global: &Global, copied: &Copied) -> Result<(), Failure> {
    let at = |position: Option<Position>| position.map_or(0, Position::number);
    let (events, blocks) = (copied.events(), copied.blocks());
    let (position, chain) = (at(copied.to.position), copied.to.chain);
    match (global.output, global.lang()) {
        (Format::Json | Format::Ndjson, _) => output::line(
            &json!({
                "schema_version": 1,
                "from_position": at(copied.from.position),
                "position": position,
                "events": events,
                "blocks": blocks,
                "chain_head": chain.to_string(),
            })
            .to_string(),
        ),
        (Format::Table | Format::Csv, Lang::Zh) => output::line(&format!(
            "已复制 {events} 个事件（{blocks} 个区块），逐块核验，链头 {position}:{chain}"
        )),
        (Format::Table | Format::Csv, Lang::En) => output::line(&format!(
            "copied {events} events in {blocks} blocks, each verified, chain head {position}:{chain}"
        )),
    }
}
