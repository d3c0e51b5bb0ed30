//! The disk below a data directory: what it is, how much room it has, how long it
//! takes to make something durable.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::fs::statvfs;

use super::{
    Patient,
    finding::{Finding, Text, size},
};

const DISK: &str = "DOCTOR_DISK";
const FLUSH: &str = "DOCTOR_FLUSH";

/// A ledger does not start with less than 96 MiB, and needs room for a while.
const LITTLE: u64 = 256 << 20;
/// Less than this, or than a twentieth, is soon little.
const LOW: u64 = 2 << 30;
const TWENTIETH: u64 = 20;

pub(super) fn room(patient: &Patient) -> Vec<Finding> {
    let Some(dir) = &patient.dir else {
        return Vec::new();
    };
    let path = &dir.path;
    let disk = match statvfs(path) {
        Ok(disk) => disk,
        Err(error) => return vec![unreadable(DISK, path, &error.into())],
    };
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let (free, all) = (bytes(disk.f_bavail), bytes(disk.f_blocks));
    let mount = mount_of(path);
    let kind = mount.as_ref().map_or("?", |mount| mount.kind.as_str());
    let seen = Text::new(
        format!(
            "{}：{kind}，可用 {}，共 {}",
            path.display(),
            size(free),
            size(all)
        ),
        format!(
            "{}: {kind}, {} free of {}",
            path.display(),
            size(free),
            size(all)
        ),
    );
    let room = if free < LITTLE {
        let remedy = Text::new(
            "立即腾出空间：磁盘写满后账本停止写入，不足 96 MiB 时不能启动",
            "make room now: a full disk stops the writer, and with less than 96 MiB a ledger does \
             not start",
        );
        Finding::fail(DISK, seen, remedy)
    } else if free < LOW || free < all / TWENTIETH || is_short_of_files(&disk) {
        let remedy = Text::new(
            "在写满之前腾出空间或扩容；df 与 df -i 可见空间与文件数",
            "make room, or make the disk larger, before it is full; `df` and `df -i` show bytes \
             and files",
        );
        Finding::warn(DISK, seen, remedy)
    } else {
        Finding::ok(DISK, seen)
    };
    let about = mount.and_then(|mount| of_mount(path, &mount));
    std::iter::once(room).chain(about).collect()
}

/// Whether fewer than a twentieth of the files are left that it can have. Some
/// systems have no such number.
fn is_short_of_files(disk: &rustix::fs::StatVfs) -> bool {
    disk.f_files > 0 && disk.f_favail < disk.f_files / TWENTIETH
}

fn unreadable(code: &'static str, path: &Path, error: &io::Error) -> Finding {
    let path = path.display();
    Finding::fail(
        code,
        Text::new(format!("{path}：{error}"), format!("{path}: {error}")),
        Text::new(
            "核对路径，并以运行服务的用户身份检查",
            "check the path, and look as the user that runs the server",
        ),
    )
}

/// A file system, where it is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    kind: String,
    options: String,
}

/// The mount below a path.
///
/// Source: proc(5), `/proc/pid/mountinfo`.
fn mount_of(path: &Path) -> Option<Mount> {
    let path = fs::canonicalize(path).ok()?;
    mount_in(&fs::read_to_string("/proc/self/mountinfo").ok()?, &path)
}

fn mount_in(mounts: &str, path: &Path) -> Option<Mount> {
    let read = |line: &str| {
        let (place, source) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(4);
        let point = PathBuf::from(unescaped(place.next()?));
        let of_mount = place.next()?;
        let mut source = source.split(' ');
        let kind = source.next()?.to_owned();
        let of_system = source.nth(1).unwrap_or_default();
        let mount = Mount {
            kind,
            options: format!("{of_mount},{of_system}"),
        };
        path.starts_with(&point).then_some((point, mount))
    };
    let mounts = mounts.lines().filter_map(read);
    // Of two on the same place the later hides the earlier.
    let nearest = mounts.max_by_key(|(point, _)| point.components().count());
    nearest.map(|(_, mount)| mount)
}

/// Spaces and the like are written as three octal digits.
fn unescaped(text: &str) -> String {
    let mut shown = text.to_owned();
    for (escape, character) in [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ] {
        shown = shown.replace(escape, character);
    }
    shown
}

fn of_mount(path: &Path, mount: &Mount) -> Option<Finding> {
    let Mount { kind, options } = mount;
    let place = path.display();
    let has = |wanted: &str| options.split(',').any(|option| option == wanted);
    if has("nobarrier") || has("barrier=0") {
        let seen = Text::new(
            format!("{place} 的文件系统关闭了写屏障（{kind}，{options}）：断电会丢失已确认的写入"),
            format!(
                "the file system of {place} has no write barriers ({kind}, {options}): a power cut \
                 loses what was acknowledged"
            ),
        );
        let remedy = Text::new(
            "去掉挂载选项 nobarrier / barrier=0 后重新挂载",
            "mount it again without `nobarrier` or `barrier=0`",
        );
        return Some(Finding::fail(DISK, seen, remedy));
    }
    let network = ["nfs", "cifs", "smb", "9p", "fuse", "ceph", "gluster", "afs"];
    if matches!(kind.as_str(), "tmpfs" | "ramfs") {
        let seen = Text::new(
            format!("{place} 在内存中（{kind}）：重启后什么都不剩"),
            format!("{place} is in memory ({kind}): nothing of it survives a restart"),
        );
        let remedy = Text::new(
            "把数据目录移到磁盘上的 ext4 或 xfs",
            "move the data directory to ext4 or xfs on a disk",
        );
        return Some(Finding::fail(DISK, seen, remedy));
    }
    if kind == "overlay" || network.iter().any(|begin| kind.starts_with(begin)) {
        let seen = Text::new(
            format!("{place} 的文件系统是 {kind}：落盘与文件锁是否可靠由别处决定"),
            format!("{place} is on {kind}: whether flushes and locks hold is decided elsewhere"),
        );
        let remedy = Text::new(
            "改用本机磁盘上的 ext4 或 xfs；容器中请挂载卷",
            "take ext4 or xfs on a disk of this machine; in a container, mount a volume",
        );
        return Some(Finding::warn(DISK, seen, remedy));
    }
    None
}

/// How often it is measured, and how long at most.
const ROUNDS: usize = 64;
const AT_MOST: Duration = Duration::from_secs(5);
/// What a group of events has, about.
const BYTES: usize = 4_096;
/// From here on a caller notices.
const SLOW: Duration = Duration::from_millis(20);
const STALLED: Duration = Duration::from_millis(500);
/// No disk answers so fast: the flush did not go there.
const TOO_FAST: Duration = Duration::from_micros(4);

pub(super) fn flush(patient: &Patient) -> Vec<Finding> {
    let Some(dir) = &patient.dir else {
        return Vec::new();
    };
    match measure(&dir.path) {
        Ok(mut times) => {
            times.sort_unstable();
            vec![judged(&times)]
        }
        Err(error) => vec![unreadable(FLUSH, &dir.path, &error)],
    }
}

/// Appends to a file without a name, and waits until it is durable each time.
fn measure(dir: &Path) -> io::Result<Vec<Duration>> {
    let mut file = tempfile::tempfile_in(dir)?;
    let bytes = [0x5a; BYTES];
    let mut times = Vec::with_capacity(ROUNDS);
    let begun = Instant::now();
    while times.len() < ROUNDS && begun.elapsed() < AT_MOST {
        let each = Instant::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        times.push(each.elapsed());
    }
    Ok(times)
}

/// Of times in ascending order.
fn judged(times: &[Duration]) -> Finding {
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let worst = times.last().copied().unwrap_or_default();
    let count = times.len();
    let seen = Text::new(
        format!("落盘 {count} 次，中位 {median:.1?}，最长 {worst:.1?}"),
        format!("{count} flushes, median {median:.1?}, worst {worst:.1?}"),
    );
    if median < TOO_FAST {
        let remedy = Text::new(
            "没有磁盘能这么快：确认数据目录不在内存中，虚拟机磁盘没有使用 unsafe 缓存",
            "no disk is so fast: see that the data directory is not in memory, and that a virtual \
             disk's cache mode is not `unsafe`",
        );
        Finding::warn(FLUSH, seen, remedy)
    } else if median > SLOW || worst > STALLED {
        let remedy = Text::new(
            "每次受理都要等落盘：换用带掉电保护的 SSD，或查看是谁占用磁盘（iostat -x）",
            "every acknowledgement waits for a flush: take an SSD with power-loss protection, or \
             see who else uses the disk (`iostat -x`)",
        );
        Finding::warn(FLUSH, seen, remedy)
    } else {
        Finding::ok(FLUSH, seen)
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /run rw,nosuid - tmpfs tmpfs rw,size=1k
31 22 8:2 / /srv/a\\040b rw - xfs /dev/sdb rw,nobarrier
32 22 0:40 / /srv/net rw master:3 - nfs4 host:/x rw,vers=4.2
";

    #[test]
    fn the_nearest_mount_says_what_a_directory_is_on() {
        let of = |path: &str| mount_in(MOUNTS, Path::new(path)).unwrap();
        for (path, kind, state) in [
            ("/var/lib/luzhang", "ext4", None),
            ("/runner", "ext4", None),
            ("/run/x", "tmpfs", Some(State::Fail)),
            ("/srv/a b/ledger", "xfs", Some(State::Fail)),
            ("/srv/net/ledger", "nfs4", Some(State::Warn)),
        ] {
            let mount = of(path);
            assert_eq!(mount.kind, kind, "{path}");
            let found = of_mount(Path::new(path), &mount);
            assert_eq!(found.map(|found| found.state), state, "{path}");
        }
    }

    #[test]
    fn a_flush_may_be_neither_slow_nor_too_fast() {
        let micros = |times: &[u64]| -> Vec<_> {
            times.iter().copied().map(Duration::from_micros).collect()
        };
        for (times, state) in [
            (&[1, 2, 3][..], State::Warn),
            (&[100, 200, 400_000], State::Ok),
            (&[100, 200, 600_000], State::Warn),
            (&[100, 30_000, 40_000], State::Warn),
            (&[4], State::Ok),
        ] {
            assert_eq!(judged(&micros(times)).state, state, "{times:?}");
        }
    }
}
