//! `luzhang keys`: which key-encryption key, and another one.

use luzhang_ledger::log::sled::{self, Place};
use luzhang_server::{
    engine,
    vault::{KekId, KekSource, Rotated, Survey, Vault},
};
use serde_json::json;

use crate::{
    args::{
        Global,
        keys::{self, KeysCommand, RotateArgs, TakeArgs},
    },
    client::progress,
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
};

pub(crate) fn run(global: &Global, command: &KeysCommand) -> Result<u8, Failure> {
    let done = match command {
        KeysCommand::Show => show(global),
        KeysCommand::Rotate(args) => rotate(global, args),
        KeysCommand::Take(args) => take(global, args),
    };
    done.map(|()| exit::OK)
}

fn show(global: &Global) -> Result<(), Failure> {
    let (dir, kek) = (global.dir()?, global.kek()?);
    let survey = Vault::for_reading(&dir, &kek)?.survey()?;
    let Survey {
        version, counts, ..
    } = survey;
    let text = |id: Option<KekId>| id.map(|id| id.to_string());
    let (id, previous) = (text(survey.kek), text(survey.previous));
    if matches!(global.output, Format::Json | Format::Ndjson) {
        return output::line(
            &json!({
                "schema_version": 1,
                "version": version,
                "kek": id,
                "kek_source": kek.to_string(),
                "previous_kek": previous,
                "subjects": counts.subjects,
                "superseded": counts.superseded,
                "destroyed": counts.destroyed,
            })
            .to_string(),
        );
    }
    let lang = global.lang();
    let mut lines = vec![match &id {
        Some(id) => format!("{} {id} ({kek})", lang.pick("主密钥", "key-encryption key")),
        None => lang
            .pick(
                "第1版：密钥尚未加密，下次启动服务时加密",
                "version 1: the keys are in clear, and are wrapped when a server starts next",
            )
            .to_owned(),
    }];
    if let Some(previous) = previous {
        lines.push(match lang {
            Lang::Zh => format!("更换主密钥时曾中断，前一把是 {previous}；下次启动服务时完成"),
            Lang::En => format!(
                "a rotation from {previous} was interrupted; it is finished when a server starts next"
            ),
        });
    }
    for (zh, en, count) in [
        (
            "个人和单位的密钥",
            "keys of persons and organisations",
            counts.subjects,
        ),
        (
            "已被取代的记录",
            "records that were superseded",
            counts.superseded,
        ),
        (
            "已销毁的记录",
            "records that were destroyed",
            counts.destroyed,
        ),
    ] {
        lines.push(format!("{} {count}", lang.pick(zh, en)));
    }
    output::line(&lines.join("\n"))
}

fn rotate(global: &Global, args: &RotateArgs) -> Result<(), Failure> {
    let (dir, from) = (global.dir()?, global.kek()?);
    let to = keys::source(args.new_kek_file.as_ref(), args.new_kek_command.as_ref());
    let lang = global.lang();
    let bar = progress(lang.pick("重新加密", "wrapping keys"));
    let database = global.database();
    let rotated = engine::rotate_kek(&dir, &database, (&from, to.as_ref()), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let source = to.as_ref().unwrap_or(&from);
    print(global, &rotated?, source)?;
    let advice = if from == KekSource::Own {
        (
            "原主密钥已在本机覆盖。请销毁它的其他副本，之后旧的 keys 备份就无法打开；并重新备份 keys 和主密钥",
            "the old one was overwritten here: destroy its other copies, and older backups of `keys` \
             cannot be opened any more. Back up `keys` and the new one anew",
        )
    } else {
        (
            "原主密钥不在数据目录中，没有改动。其他账本不再使用后请销毁它的所有副本，之后旧的 keys 备份就无法打开；\
             今后请用 --kek-file 或 --kek-command 指明新的主密钥",
            "the old one is not the data directory's own and was left alone: when no other ledger \
             uses it, destroy all its copies, and older backups of `keys` cannot be opened any more. \
             From now on name the new one with --kek-file or --kek-command",
        )
    };
    crate::output::note!("{}", lang.pick(advice.0, advice.1));
    if sled::format(&dir).is_ok_and(|format| format.place == Place::Database) {
        crate::output::note!(
            "{}",
            lang.pick(
                "数据库中的密钥也已换用新的主密钥。账本的其他服务须先停止，取得新的主密钥，运行 luzhang keys take，\
                 在此之前不能登记新的人，也不能接管",
                "the copies in the database are under the new one too. Stop the ledger's other \
                 servers, bring them the new one and run `luzhang keys take` on each: until then \
                 they cannot follow new persons, nor take over"
            )
        );
    }
    Ok(())
}

fn take(global: &Global, args: &TakeArgs) -> Result<(), Failure> {
    let (dir, from) = (global.dir()?, global.kek()?);
    let new = keys::source(args.new_kek_file.as_ref(), args.new_kek_command.as_ref());
    let lang = global.lang();
    let new = new.ok_or_else(|| {
        Failure::usage(
            "请用 --new-kek-file 或 --new-kek-command 指明新的主密钥",
            "say where the new key-encryption key is, with --new-kek-file or --new-kek-command",
        )
    })?;
    let bar = progress(lang.pick("重新加密", "wrapping keys"));
    let database = global.database();
    let taken = engine::take_kek(&dir, &database, (&from, &new), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let own = from == KekSource::Own;
    print(global, &taken?, if own { &from } else { &new })?;
    let advice = if own {
        (
            "原主密钥已在本机覆盖，新的已放入数据目录；请销毁带来的那一份和原主密钥的其他副本",
            "the old one was overwritten here, and the new one is in the data directory: destroy the \
             copy that was brought, and other copies of the old one",
        )
    } else {
        (
            "今后请用 --kek-file 或 --kek-command 指明新的主密钥",
            "from now on name the new one with --kek-file or --kek-command",
        )
    };
    crate::output::note!("{}", lang.pick(advice.0, advice.1));
    Ok(())
}

fn print(global: &Global, rotated: &Rotated, source: &KekSource) -> Result<(), Failure> {
    let Rotated {
        before,
        after,
        counts,
    } = rotated;
    match global.output {
        Format::Json | Format::Ndjson => output::line(
            &json!({
                "schema_version": 1,
                "kek": after.to_string(),
                "kek_source": source.to_string(),
                "previous_kek": before.to_string(),
                "subjects": counts.subjects,
                "dropped": counts.superseded + counts.destroyed,
            })
            .to_string(),
        ),
        Format::Table | Format::Csv => output::line(&match global.lang() {
            Lang::Zh => format!(
                "已用新的主密钥 {after}（{source}）重新加密 {} 个密钥，原主密钥为 {before}",
                counts.subjects
            ),
            Lang::En => format!(
                "wrapped {} keys under the new key-encryption key {after} ({source}); before it was {before}",
                counts.subjects
            ),
        }),
    }
}
