//! `luzhang init`: make a new ledger.

use std::{fs, path::Path};

use luzhang_ledger::{LedgerId, Position, access::Mandate, proof::note::KeyName};
use luzhang_projections::pack::LUZHOU_2023;
use luzhang_server::{Engine, Options, engine::Genesis, vault::KekSource};
use serde_json::json;
use uuid::Uuid;

use super::principal;
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
    let mandates = match &args.administrators[..] {
        [] => Vec::new(),
        names => principal::administrators(names)?,
    };
    let begins = Begins {
        pack,
        origin: args.origin.clone(),
        mandates,
    };
    let engine = create(&dir, begins, global.kek()?)?;
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
            eprintln!(
                "{}",
                lang.pick(
                    "请备份 keys 目录和主密钥（默认为 kek 文件），并把两者分开保管：缺少其一，任何人都无法查到个人",
                    "back up the `keys` directory, and apart from it the key-encryption key (the file \
                     `kek` by default): without both no person can be found"
                )
            );
        }
    }
    Ok(exit::OK)
}

/// What a ledger begins with.
#[derive(Default)]
pub(crate) struct Begins {
    /// The text of its first policy pack.
    pub(crate) pack: Option<Vec<u8>>,
    /// The origin of its checkpoints.
    pub(crate) origin: Option<KeyName>,
    /// The first mandates.
    pub(crate) mandates: Vec<Mandate>,
}

/// Makes a ledger in a directory that is empty or absent.
pub(crate) fn create(
    dir: &Path,
    begins: Begins,
    kek: KekSource,
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
        pack: begins.pack,
        origin: begins.origin,
        mandates: begins.mandates,
    };
    let options = Options {
        kek,
        ..Options::default()
    };
    Ok(Engine::create(dir, genesis, options)?)
}
