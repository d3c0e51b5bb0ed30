//! `luzhang init`: make a new ledger.

use std::{fs, path::Path};

use luzhang_ledger::{LedgerId, Position, proof::note::KeyName};
use luzhang_projections::pack::LUZHOU_2023;
use luzhang_server::{Engine, Options, engine::Genesis};
use serde_json::json;
use uuid::Uuid;

use crate::{
    args::{Global, InitArgs},
    client::is_occupied,
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
};

pub(crate) fn run(global: &Global, args: &InitArgs) -> Result<u8, Failure> {
    let dir = global.dir()?;
    let pack = match args.pack.as_deref() {
        None => Some(LUZHOU_2023.as_bytes().to_vec()),
        Some("none") => None,
        Some(file) => {
            let file = Path::new(file);
            Some(fs::read(file).map_err(|error| Failure::file(file, &error))?)
        }
    };
    let engine = create(&dir, pack, args.origin.clone())?;
    let head = engine.head();
    let ledger = engine.ledger();
    engine.close();
    let position = head.position.map_or(0, Position::number);
    match (global.output, global.lang()) {
        (Format::Json | Format::Ndjson, _) => output::line(
            &json!({
                "schema_version": 1,
                "ledger_id": ledger.to_string(),
                "position": position,
                "chain_head": head.chain.to_string(),
            })
            .to_string(),
        )?,
        (Format::Table | Format::Csv, lang) => {
            let dir = dir.display();
            output::line(&match lang {
                Lang::Zh => format!(
                    "已建立账本 {ledger}，位于 {dir}，链头 {position}:{}",
                    head.chain
                ),
                Lang::En => format!(
                    "made ledger {ledger} in {dir}, head {position}:{}",
                    head.chain
                ),
            })?;
            output::note!(
                "{}",
                lang.pick(
                    "请另行备份 keys 目录：没有它，任何人都无法查到个人",
                    "back up the `keys` directory apart: without it no person can be found"
                )
            );
        }
    }
    Ok(exit::OK)
}

/// Makes a ledger in a directory that is empty or absent.
pub(crate) fn create(
    dir: &Path,
    pack: Option<Vec<u8>>,
    origin: Option<KeyName>,
) -> Result<Engine, Failure> {
    if is_occupied(dir) && !dir.join("FORMAT").exists() {
        let shown = dir.display();
        return Err(Failure {
            exit: exit::CONFLICT,
            ..Failure::new(
                "DIRECTORY_NOT_EMPTY",
                format!("{shown} 不是空目录，请换一个"),
                format!("{shown} is not empty: choose another directory"),
            )
        });
    }
    let genesis = Genesis {
        ledger: LedgerId::new(Uuid::now_v7()),
        pack,
        origin,
    };
    Ok(Engine::create(dir, genesis, Options::default())?)
}
