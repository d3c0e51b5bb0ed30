//! The database, if the log is in one: whether it can be asked, how it is set, and
//! whether what it acknowledges is on another disk too.

use jiff::Timestamp;
use luzhang_ledger::log::sled::Place;
use luzhang_server::{
    engine::database_files,
    postgres::{Files, PostgresError, Protection, Survey, survey},
};

use super::{
    Patient, certificates,
    finding::{Finding, Text},
};

const CODE: &str = "DOCTOR_DATABASE";
const REPLICATION: &str = "DOCTOR_REPLICATION";
/// A standby that has so much less is not keeping up.
const BEHIND: u64 = 64 << 20;

pub(super) fn look(patient: &Patient) -> Vec<Finding> {
    let Some(dir) = &patient.dir else {
        return Vec::new();
    };
    let format = dir.outside.as_ref().map(|outside| outside.format);
    if format.is_none_or(|format| format.place == Place::Here) {
        return Vec::new();
    }
    let mut findings = match survey(&dir.path, &patient.database) {
        Ok(found) => {
            let certificate = of_database(&found, patient.now);
            let distrusted = found.distrusted.iter().map(distrusted);
            [settings(&found), replication(&found)]
                .into_iter()
                .chain(distrusted)
                .chain(certificate)
                .collect()
        }
        Err(error) => {
            let (seen, remedy) = told(&error);
            vec![Finding::fail(CODE, seen, remedy)]
        }
    };
    if let Some((cert, _)) = files(patient).and_then(|files| files.identity) {
        findings.extend(certificates::of_file(&cert, patient.now));
    }
    findings
}

/// What the connections to the database are encrypted with, if the log is in one.
pub(super) fn files(patient: &Patient) -> Option<Files> {
    let dir = patient.dir.as_ref()?;
    let place = dir.outside.as_ref()?.format.place;
    if place == Place::Here {
        return None;
    }
    // What is wrong with the address is told by whoever asks the database.
    database_files(&dir.path, &patient.database).ok()?
}

fn told(error: &PostgresError) -> (Text, Text) {
    let code = error.code();
    let seen = Text::new(
        format!("{}（{code}）", error.zh()),
        format!("{error} ({code})"),
    );
    let remedy = Text::new(
        format!("运行 luzhang explain {code} 查看说明"),
        format!("see `luzhang explain {code}`"),
    );
    (seen, remedy)
}

/// A host that could not take over from the one that is used.
fn distrusted(error: &PostgresError) -> Finding {
    let (seen, remedy) = told(error);
    Finding::warn(CODE, seen, remedy)
}

fn of_database(found: &Survey, now: Timestamp) -> Option<Finding> {
    let secured = found.protection.secured.as_ref()?;
    let facts = secured.certificate.as_ref()?;
    let renew = Text::new(
        "在数据库上换发证书，再运行 SELECT pg_reload_conf()",
        "give the database a new certificate, then `SELECT pg_reload_conf()`",
    );
    Some(certificates::judged(
        &found.protection.host,
        facts,
        now,
        renew,
    ))
}

/// How the connection is protected, in words.
fn protection(found: &Protection) -> Text {
    match &found.secured {
        Some(secured) => Text::new(secured.version, secured.version),
        None if found.is_here => Text::new("本机连接", "on this machine"),
        None => Text::new("未加密", "not encrypted"),
    }
}

fn settings(found: &Survey) -> Finding {
    let Survey {
        place,
        version,
        position,
        epoch,
        writer,
        ..
    } = found;
    if let Some(unfit) = &found.unfit {
        let seen = Text::new(
            format!("{place}，PostgreSQL {version}：设置会丢失已确认的内容（{unfit}）"),
            format!(
                "{place}, PostgreSQL {version}: as it is set, it may lose what it acknowledges ({unfit})"
            ),
        );
        let remedy = Text::new(
            "把该设置改为 on 并重新加载配置；服务不会在此设置下启动",
            "set it to `on` and reload; no server starts with it as it is",
        );
        return Finding::fail(CODE, seen, remedy);
    }
    let followed: Vec<(String, String)> = found
        .followers
        .iter()
        .map(|(name, has)| {
            let behind = position.saturating_sub(*has);
            (
                format!("，{name} 跟随（落后 {behind} 个事件）"),
                format!(", followed by {name} ({behind} events behind)"),
            )
        })
        .collect();
    let (zh, en): (Vec<String>, Vec<String>) = followed.into_iter().unzip();
    let protected = protection(&found.protection);
    let seen = Text::new(
        format!(
            "{place}，PostgreSQL {version}，{}，{position} 个事件，第 {epoch} 届由 {writer} 写入{}",
            protected.zh,
            zh.concat()
        ),
        format!(
            "{place}, PostgreSQL {version}, {}, {position} events, written by {writer} in epoch \
             {epoch}{}",
            protected.en,
            en.concat()
        ),
    );
    if found.protection.secured.is_none() && !found.protection.is_here {
        let remedy = Text::new(
            "与数据库之间的内容（含数据库密码）可被途中截获、篡改：在数据库上启用 TLS，\
             并在地址中写明 sslmode=verify-full&sslrootcert=文件；见 docs/CLUSTER.md",
            "what goes to the database and back can be read and changed on the way: set up TLS \
             there, and write sslmode=verify-full&sslrootcert=FILE in the address; see \
             docs/CLUSTER.md",
        );
        return Finding::warn(CODE, seen, remedy);
    }
    Finding::ok(CODE, seen)
}

fn replication(found: &Survey) -> Finding {
    let names: Vec<String> = found
        .standbys
        .iter()
        .map(|standby| format!("{} (-{} kB)", standby.name, standby.behind / 1024))
        .collect();
    let names = names.join(", ");
    if found.awaited.trim().is_empty() {
        let seen = Text::new(
            "提交不等待任何备库：已确认的内容只在一块磁盘上".to_owned(),
            "commits wait for no standby: what is acknowledged is on one disk".to_owned(),
        );
        let remedy = Text::new(
            "设置 synchronous_standby_names，例如 'ANY 1 (s1, s2)'；只用一台时以 --durable local 启动",
            "set synchronous_standby_names, such as 'ANY 1 (s1, s2)'; with one instance serve with \
             --durable local",
        );
        return Finding::warn(REPLICATION, seen, remedy);
    }
    let ready = |standby: &&luzhang_server::postgres::Replica| standby.streams && standby.awaited;
    let count = found.standbys.iter().filter(ready).count();
    if count == 0 {
        let seen = Text::new(
            format!(
                "没有可等待的备库在线（{}）：任何提交都不会得到确认",
                found.awaited
            ),
            format!(
                "no standby that is waited for is there ({}): nothing is acknowledged",
                found.awaited
            ),
        );
        let remedy = Text::new(
            "启动备库，核对其 application_name 与 synchronous_standby_names 一致",
            "start a standby, and see that its application_name is among synchronous_standby_names",
        );
        return Finding::fail(REPLICATION, seen, remedy);
    }
    let seen = Text::new(
        format!("备库在线 {count} 台：{names}"),
        format!("{count} standbys are waited for: {names}"),
    );
    let late = found.standbys.iter().any(|standby| standby.behind > BEHIND);
    if count == 1 || late {
        let remedy = Text::new(
            "备库至少两台且跟得上，才能在坏掉一台时继续办理",
            "with two standbys that keep up, one may fail and work goes on",
        );
        return Finding::warn(REPLICATION, seen, remedy);
    }
    Finding::ok(REPLICATION, seen)
}
