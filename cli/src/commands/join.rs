//! `luzhang join`: a data directory for another server of a ledger in a database.

use luzhang_ledger::LedgerId;
use luzhang_server::engine;
use serde_json::json;

use crate::{
    args::{Global, JoinArgs},
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
};

pub(crate) fn run(global: &Global, args: &JoinArgs) -> Result<u8, Failure> {
    let dir = global.dir()?;
    let database = global.database.as_deref().ok_or_else(|| {
        Failure::usage(
            "请用 --database URL 指明账本所在的数据库",
            "name the database of the ledger with --database URL",
        )
    })?;
    let ledger = args.ledger.map(LedgerId::new);
    let ledger = engine::join(&dir, &args.keys, ledger, database)?;
    let shown = dir.display();
    output::line(&match (global.output, global.lang()) {
        (Format::Json | Format::Ndjson, _) => {
            json!({ "schema_version": 1, "ledger_id": ledger.to_string() }).to_string()
        }
        (Format::Table | Format::Csv, Lang::Zh) => {
            format!("{shown} 已加入账本 {ledger}；请放入主密钥，再运行 luzhang serve --standby")
        }
        (Format::Table | Format::Csv, Lang::En) => format!(
            "{shown} has joined ledger {ledger}; bring its key-encryption key, then run `luzhang \
             serve --standby`"
        ),
    })?;
    Ok(exit::OK)
}
