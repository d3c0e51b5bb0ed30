//! On what machine: whoever reads the figures has to know.

use std::{fmt, fs, path::Path, thread};

use serde_json::{Value, json};

/// The machine that the scratch directory is on.
#[derive(Debug)]
pub(super) struct Machine {
    cores: usize,
    model: String,
    memory: String,
    kernel: String,
    file_system: String,
}

impl Machine {
    pub(super) fn of(scratch: &Path) -> Self {
        let known = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
        Self {
            cores: thread::available_parallelism().map_or(1, usize::from),
            model: known(field("/proc/cpuinfo", "model name")),
            memory: known(field("/proc/meminfo", "MemTotal")),
            // Its version; what a distribution or a host adds says nothing here.
            kernel: known(kernel.map(|text| version(text.trim()).to_owned())),
            file_system: known(file_system(scratch)),
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "cores": self.cores,
            "model": self.model,
            "memory": self.memory,
            "kernel": self.kernel,
            "file_system": self.file_system,
            "text": self.to_string(),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cores, {}, {} memory, Linux {}, {}{}",
            self.cores,
            self.model,
            self.memory,
            self.kernel,
            self.file_system,
            if self.file_system == "tmpfs" {
                ": memory, not a disk; nothing here is durable, choose another with --scratch"
            } else {
                ""
            }
        )
    }
}

/// The leading digits and dots.
fn version(release: &str) -> &str {
    let end = release.find(|c: char| !c.is_ascii_digit() && c != '.');
    release
        .get(..end.unwrap_or(release.len()))
        .unwrap_or(release)
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
    fn a_kernel_is_its_version() {
        assert_eq!(version("6.1.0-25-amd64"), "6.1.0");
        assert_eq!(version("6.18.44"), "6.18.44");
    }

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
