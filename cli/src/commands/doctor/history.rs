//! What was done for a ledger, and how long ago: checkpoints, cosignatures, snapshots,
//! verifications, backups.

use std::time::{SystemTime, UNIX_EPOCH};

use luzhang_ledger::Position;
use luzhang_server::{
    checkpoints,
    notes::{self, Note, Noted},
    snapshots,
};

use super::{
    Dir, Patient,
    finding::{Finding, Text, span},
};

const CHECKPOINT: &str = "DOCTOR_CHECKPOINT";
const WITNESSES: &str = "DOCTOR_WITNESSES";
const SNAPSHOT: &str = "DOCTOR_SNAPSHOT";
const VERIFIED: &str = "DOCTOR_VERIFIED";
const BACKUP: &str = "DOCTOR_BACKUP";

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
/// Events that a start folds in a second or two.
const FEW: u64 = 1_000_000;

/// Of a ledger, with how many events it has at least.
fn known(patient: &Patient) -> Option<(&Dir, u64)> {
    let dir = patient.dir.as_ref()?;
    let witness = dir.witness.as_ref()?;
    Some((dir, witness.position.map_or(0, Position::number)))
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).ok();
    let seconds = since.and_then(|since| i64::try_from(since.as_secs()).ok());
    seconds.unwrap_or(0)
}

pub(super) fn checkpoint(patient: &Patient) -> Vec<Finding> {
    let Some((dir, events)) = known(patient) else {
        return Vec::new();
    };
    let published = match checkpoints::published(&dir.path) {
        Ok(published) => published,
        Err(error) => {
            let seen = Text::new(error.to_string(), error.to_string());
            let remedy = Text::new(
                "停止服务，删除 tree 目录后再启动：它会由账本重新生成",
                "stop the server, remove the directory `tree` and start it again: it is made anew \
                 from the log",
            );
            return vec![Finding::fail(CHECKPOINT, seen, remedy)];
        }
    };
    let Some(published) = published else {
        let seen = Text::new("还没有签出过检查点", "no checkpoint was ever given out");
        let remedy = Text::new(
            "运行 luzhang serve（默认每 10 秒签一个）或 luzhang checkpoint sign",
            "run `luzhang serve` (which signs one every 10 s by default) or `luzhang checkpoint sign`",
        );
        return vec![Finding::warn(CHECKPOINT, seen, remedy)];
    };
    let size = published.head().size;
    let tree = dir.path.join("tree");
    let at = checkpoints::published_at(&tree).map_or(0, seconds);
    let age = patient.now.as_second().saturating_sub(at);
    let behind = events.saturating_sub(size);
    let ago = span(age);
    let seen = Text::new(
        format!(
            "最新检查点覆盖 {size} 个事件，{}前签出，落后 {behind}",
            ago.zh
        ),
        format!(
            "the newest checkpoint is over {size} events, {} old, {behind} behind",
            ago.en
        ),
    );
    if behind > 0 && age > HOUR {
        let remedy = Text::new(
            "服务没有在签，或者见证方没有联署：查看服务日志和 luzhang checkpoint show",
            "nothing is signed, or witnesses do not cosign: see the server's log and `luzhang \
             checkpoint show`",
        );
        return vec![Finding::warn(CHECKPOINT, seen, remedy)];
    }
    vec![Finding::ok(CHECKPOINT, seen)]
}

pub(super) fn witnesses(patient: &Patient) -> Vec<Finding> {
    let Some((dir, _)) = known(patient) else {
        return Vec::new();
    };
    let Ok(Some(published)) = checkpoints::published(&dir.path) else {
        // Which is a finding already.
        return Vec::new();
    };
    let Some(policy) = &patient.witnesses else {
        let others = published.note().signatures().len().saturating_sub(1);
        if others > 0 {
            let seen = Text::new(
                format!("最新检查点另有 {others} 个签名；用 --witnesses 可以核对"),
                format!(
                    "the newest checkpoint has {others} more signatures; --witnesses checks them"
                ),
            );
            return vec![Finding::ok(WITNESSES, seen)];
        }
        let seen = Text::new("检查点没有见证方联署", "no witness cosigns the checkpoints");
        let remedy = Text::new(
            "请审计部门运行见证方（luzhang witness），服务加 --witnesses：没有见证方，\
             只有看过检查点的人能发现历史被改写",
            "have the audit office run a witness (`luzhang witness`) and serve with --witnesses: \
             without one, only who has seen a checkpoint notices that history was rewritten",
        );
        return vec![Finding::warn(WITNESSES, seen, remedy)];
    };
    let cosigners = match policy.cosigners(&published) {
        Ok(cosigners) => cosigners,
        Err(error) => {
            let seen = Text::new(
                format!("最新检查点的联署不成立：{error}"),
                format!("a cosignature of the newest checkpoint does not hold: {error}"),
            );
            let remedy = Text::new(
                "停止服务，运行 luzhang audit verify 和 luzhang audit watch",
                "stop the server, run `luzhang audit verify` and `luzhang audit watch`",
            );
            return vec![Finding::fail(WITNESSES, seen, remedy)];
        }
    };
    let newest = cosigners.iter().map(|cosigner| cosigner.time).max();
    let newest = newest.and_then(|time| i64::try_from(time).ok());
    let age = patient.now.as_second().saturating_sub(newest.unwrap_or(0));
    let (all, of) = (policy.witnesses().len(), cosigners.len());
    let ago = match newest {
        Some(_) => span(age),
        None => Text::new("从未", "never"),
    };
    let seen = Text::new(
        format!(
            "{all} 个见证方中有 {of} 个联署了最新检查点，最近一次在 {}前",
            ago.zh
        ),
        format!(
            "{of} of {all} witnesses cosigned the newest checkpoint, the last {} ago",
            ago.en
        ),
    );
    if !policy.is_met_by(&cosigners) {
        let remedy = Text::new(
            "逐个检查见证方是否运行、是否认识本账本的密钥（luzhang witness list）",
            "see whether each witness runs and knows this ledger's key (`luzhang witness list`)",
        );
        return vec![Finding::fail(WITNESSES, seen, remedy)];
    }
    if of < all {
        let remedy = Text::new(
            "达到了法定数，但有见证方没有联署：在再少一个之前修好它",
            "the quorum is met and a witness is missing: mend it before another one is",
        );
        return vec![Finding::warn(WITNESSES, seen, remedy)];
    }
    vec![Finding::ok(WITNESSES, seen)]
}

pub(super) fn snapshot(patient: &Patient) -> Vec<Finding> {
    let Some((dir, events)) = known(patient) else {
        return Vec::new();
    };
    let Some((position, file)) = snapshots::newest(&dir.path) else {
        let seen = Text::new(
            format!("没有快照，启动时要读全部 {events} 个事件"),
            format!("there is no snapshot: a start reads all {events} events"),
        );
        if events < FEW {
            return vec![Finding::ok(SNAPSHOT, seen)];
        }
        let remedy = Text::new(
            "去掉 --snapshots off；快照在服务运行时自动生成",
            "serve without `--snapshots off`: they are made while the server runs",
        );
        return vec![Finding::warn(SNAPSHOT, seen, remedy)];
    };
    let at = file.modified().map_or(0, seconds);
    let ago = span(patient.now.as_second().saturating_sub(at));
    let rest = events.saturating_sub(position);
    let seen = Text::new(
        format!(
            "最新快照到 {position}，{}前生成，启动时还要读 {rest} 个事件",
            ago.zh
        ),
        format!(
            "the newest snapshot is of {position}, {} old: a start reads {rest} more events",
            ago.en
        ),
    );
    if rest > FEW {
        let remedy = Text::new(
            "快照没有跟上：查看服务日志中的 no snapshot was made",
            "snapshots do not keep up: see `no snapshot was made` in the server's log",
        );
        return vec![Finding::warn(SNAPSHOT, seen, remedy)];
    }
    vec![Finding::ok(SNAPSHOT, seen)]
}

pub(super) fn verified(patient: &Patient) -> Vec<Finding> {
    let remedy = Text::new(
        "定期运行 luzhang audit verify --note 数据目录（deploy/systemd 中有定时器）",
        "run `luzhang audit verify --note DIR` from time to time (deploy/systemd has a timer)",
    );
    let Some(noted) = read(patient, Noted::Verified, VERIFIED, &remedy) else {
        return Vec::new();
    };
    let note = match noted {
        Ok(note) => note,
        Err(finding) => return vec![finding],
    };
    let (age, seen) = told(patient, &note, "核验", "verified");
    if !note.is_sound() {
        let remedy = Text::new(
            "停止服务，保留现场，从备份恢复前先查明原因",
            "stop the server, keep everything as it is, and find out why before anything is restored",
        );
        return vec![Finding::fail(VERIFIED, seen, remedy)];
    }
    if age > 35 * DAY {
        return vec![Finding::warn(VERIFIED, seen, remedy)];
    }
    vec![Finding::ok(VERIFIED, seen)]
}

pub(super) fn backed_up(patient: &Patient) -> Vec<Finding> {
    let remedy = Text::new(
        "定期运行 luzhang backup（deploy/systemd 中有定时器），并把副本放到另一台机器上",
        "run `luzhang backup` regularly (deploy/systemd has a timer), and keep the copy on another \
         machine",
    );
    let Some(noted) = read(patient, Noted::BackedUp, BACKUP, &remedy) else {
        return Vec::new();
    };
    let note = match noted {
        Ok(note) => note,
        Err(finding) => return vec![finding],
    };
    let (age, seen) = told(patient, &note, "备份", "backed up");
    if age > 2 * DAY {
        return vec![Finding::warn(BACKUP, seen, remedy)];
    }
    vec![Finding::ok(BACKUP, seen)]
}

/// The note of a data directory, or what its absence is; `None` without a directory.
fn read(
    patient: &Patient,
    noted: Noted,
    code: &'static str,
    remedy: &Text,
) -> Option<Result<Note, Finding>> {
    let (dir, _) = known(patient)?;
    let warn = |zh: String, en: String| Err(Finding::warn(code, Text::new(zh, en), remedy.clone()));
    Some(match notes::read(&dir.path, noted) {
        Ok(Some(note)) => Ok(note),
        Ok(None) => warn("没有记录".to_owned(), "there is no note of any".to_owned()),
        Err(error) => warn(
            format!("记录无法读取：{error}"),
            format!("the note cannot be read: {error}"),
        ),
    })
}

fn told(patient: &Patient, note: &Note, zh: &str, en: &str) -> (i64, Text) {
    let at = i64::try_from(note.seconds).unwrap_or(0);
    let age = patient.now.as_second().saturating_sub(at);
    let ago = span(age);
    let Note {
        position, result, ..
    } = note;
    let seen = Text::new(
        format!("{}前{zh}到 {position}：{result}", ago.zh),
        format!("{en} {} ago up to {position}: {result}", ago.en),
    );
    (age, seen)
}
