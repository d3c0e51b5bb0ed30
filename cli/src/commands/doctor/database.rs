//! The database, if the log is in one: whether it can be asked, how it is set, and
//! whether what it acknowledges is on another disk too.

use luzhang_ledger::log::sled::Place;
use luzhang_server::postgres::{Survey, survey};

use super::{
    Patient,
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
    match survey(&dir.path, &patient.database) {
        Ok(found) => vec![settings(&found), replication(&found)],
        Err(error) => {
            let seen = Text::new(
                format!("{}（{}）", error.zh(), error.code()),
                format!("{error} ({})", error.code()),
            );
            let remedy = Text::new(
                format!("运行 luzhang explain {} 查看说明", error.code()),
                format!("see `luzhang explain {}`", error.code()),
            );
            vec![Finding::fail(CODE, seen, remedy)]
        }
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
    let seen = Text::new(
        format!("{place}，PostgreSQL {version}，{position} 个事件，第 {epoch} 届由 {writer} 写入"),
        format!(
            "{place}, PostgreSQL {version}, {position} events, written by {writer} in epoch {epoch}"
        ),
    );
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
