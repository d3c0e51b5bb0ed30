//! `luzhang init`: make a new ledger.

use std::{fs, path::Path};

use luzhang_ledger::{
    LedgerId, Position,
    access::{Mandate, Role, Roles},
    proof::note::KeyName,
};
use luzhang_projections::pack::LUZHOU_2023;
use luzhang_server::{Engine, Options, engine::Genesis};
use serde_json::json;
use uuid::Uuid;

use super::principal;
use crate::{
    args::{Global, InitArgs, Local, access},
    client::is_occupied,
    dev,
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
    let mandates = match (&args.administrators[..], &args.dev_certs) {
        (_, Some(certs)) => one_a_role(certs)?,
        ([], None) => Vec::new(),
        (names, None) => principal::administrators(names)?,
    };
    let governed = !mandates.is_empty();
    let begins = Begins {
        pack,
        origin: args.origin.clone(),
        mandates,
    };
    let engine = create(global.local()?, begins)?;
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
                    "请备份 keys 目录和主密钥（默认为 kek 文件），并把两者分开保管：缺少其一，任何人都无法查到个人",
                    "back up the `keys` directory, and apart from it the key-encryption key (the file \
                     `kek` by default): without both no person can be found"
                )
            );
            if !governed {
                crate::output::note!(
                    "{}",
                    lang.pick(
                        "尚无授权：能连到本机的任何人都可以办理一切；正式使用请先运行 luzhang principal found",
                        "nobody has a mandate: whoever reaches this machine may do everything; for \
                         real use run `luzhang principal found` first"
                    )
                );
            }
        }
    }
    Ok(exit::OK)
}

/// Two administrators and somebody for each other role, each by the role's name, with
/// certificates in `dir`.
fn one_a_role(dir: &Path) -> Result<Vec<Mandate>, Failure> {
    let second = [(Role::Administrator, "administrator-2")];
    let roles = Role::ALL.into_iter().map(|role| (role, role.as_str()));
    let mandates = roles.chain(second).map(|(role, name)| {
        let name = access::principal(name).map_err(anyhow::Error::msg)?;
        Ok(Mandate::of_everything(name, Roles::of(&[role])))
    });
    let mandates = mandates.collect::<Result<Vec<_>, Failure>>()?;
    let names: Vec<_> = mandates.iter().map(|m| m.principal.clone()).collect();
    dev::make(dir, &names, &[], dev::DAYS)?;
    Ok(mandates)
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
pub(crate) fn create(local: Local, begins: Begins) -> Result<Engine, Failure> {
    let Local { dir, kek, database } = local;
    let dir = dir.as_path();
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
        database,
        ..Options::default()
    };
    Ok(Engine::create(dir, genesis, options)?)
}
