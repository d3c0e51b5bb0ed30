//! On what machine: whoever reads the figures has to know.

use std::{fs, path::Path, thread};

/// A few lines on the machine that the scratch directory is on.
pub(super) fn describe(scratch: &Path) -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_else(|| "unknown".to_owned());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease");
    let kernel = kernel.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned());
    let system = file_system(scratch).unwrap_or_else(|| "unknown".to_owned());
    format!(
        "machine: {cores} cores, {model}, {memory} memory, Linux {kernel}\n\
         scratch: {} on {system}{}",
        scratch.display(),
        if system == "tmpfs" {
            ": memory, not a disk; nothing here is durable, choose another with --scratch"
        } else {
            ""
        }
    )
}

/// The first field of this name in a file of `name : value` lines.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    })?;
    Some(value)
}

/// The type of the file system that a directory is on.
fn file_system(dir: &Path) -> Option<String> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    innermost(&mounts, &dir.canonicalize().ok()?)
}

fn innermost(mounts: &str, dir: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (place, system) = (fields.next()?, fields.next()?);
        dir.starts_with(place).then_some((place.len(), system))
    });
    // Of two mounts on one place the later one is seen.
    let (_, system) = mounts.max_by_key(|(length, _)| *length)?;
    Some(system.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_counts_and_the_later_of_two() {
        let mounts = "/dev/vda / ext4 rw 0 0\n\
                      tmpfs /tmp tmpfs rw 0 0\n\
                      /dev/vdb /tmp/disk xfs rw 0 0\n\
                      /dev/vdc /data btrfs rw 0 0\n\
                      /dev/vdd /data zfs rw 0 0\n";
        for (dir, system) in [
            ("/home/a", "ext4"),
            ("/tmp/a", "tmpfs"),
            ("/tmp/disk/a", "xfs"),
            ("/tmp/diskette", "tmpfs"),
            ("/data", "zfs"),
        ] {
            assert_eq!(
                innermost(mounts, Path::new(dir)).as_deref(),
                Some(system),
                "{dir}"
            );
        }
    }
}
