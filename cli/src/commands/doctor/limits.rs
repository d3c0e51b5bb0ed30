//! How many files a server may have open: each connection is one.

use std::fs;

use luzhang_server::Limits;
use rustix::process::{Resource, getrlimit};

use super::{
    Patient,
    finding::{Finding, Text},
};

const CODE: &str = "DOCTOR_FILES";
/// What a ledger has open besides its connections, and more.
const OWN: u64 = 256;
/// With fewer a handful of offices can use all of them.
const FEW: u64 = 1_024;

pub(super) fn files(patient: &Patient) -> Vec<Finding> {
    let Some(dir) = &patient.dir else {
        return Vec::new();
    };
    let writer = dir.outside.as_ref().and_then(|outside| outside.writer);
    let served = writer.and_then(|writer| {
        let pid = writer.pid?;
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
        Some((most_of(&limits)?, pid))
    });
    let own = getrlimit(Resource::Nofile).maximum;
    let own = own.map_or(Most::Any, Most::Files);
    let (most, zh, en) = match served {
        Some((most, pid)) => (most, format!("进程 {pid}"), format!("process {pid}")),
        None => (
            own,
            "从这里启动的服务".to_owned(),
            "a server started from here".to_owned(),
        ),
    };
    vec![judged(most, &zh, &en)]
}

/// How many files may be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Most {
    Any,
    Files(u64),
}

/// The hard limit in the words of Linux; a server raises its own to that.
///
/// Source: proc(5), `/proc/pid/limits`.
fn most_of(limits: &str) -> Option<Most> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let hard = line.split_whitespace().nth(1)?;
    Some(hard.parse().map_or(Most::Any, Most::Files))
}

fn judged(most: Most, zh: &str, en: &str) -> Finding {
    let Most::Files(most) = most else {
        let seen = Text::new(
            format!("{zh}打开文件数不限"),
            format!("{en} may open any number of files"),
        );
        return Finding::ok(CODE, seen);
    };
    let connections = u64::try_from(Limits::default().connections).unwrap_or(u64::MAX);
    let seen = Text::new(
        format!("{zh}最多打开 {most} 个文件，默认的连接上限是 {connections}"),
        format!("{en} may open {most} files; connections are {connections} at most by default"),
    );
    let remedy = Text::new(
        "在 systemd 单元中设置 LimitNOFILE=16384（见 deploy/systemd），或减小 --connections",
        "set LimitNOFILE=16384 in the systemd unit (see deploy/systemd), or take fewer \
         `--connections`",
    );
    if most < FEW {
        Finding::fail(CODE, seen, remedy)
    } else if most < connections.saturating_add(OWN) {
        Finding::warn(CODE, seen, remedy)
    } else {
        Finding::ok(CODE, seen)
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn the_hard_limit_counts() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             63350                63350                processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(most_of(limits), Some(Most::Files(524_288)));
        let any = limits.replace("524288", "unlimited");
        assert_eq!(most_of(&any), Some(Most::Any));
        assert_eq!(most_of(""), None);
        for (most, state) in [
            (Most::Any, State::Ok),
            (Most::Files(1_023), State::Fail),
            (Most::Files(4_096), State::Warn),
            (Most::Files(4_352), State::Ok),
        ] {
            assert_eq!(judged(most, "", "").state, state, "{most:?}");
        }
    }
}
