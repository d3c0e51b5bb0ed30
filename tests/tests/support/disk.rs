//! A file system of its own, for what must be seen below the files.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

/// A journalled ext4 in a file; unmounted and gone when dropped.
pub(crate) struct Disk {
    scratch: TempDir,
}

impl Disk {
    /// Of this many bytes, and mounted; the error says what is missing here.
    pub(crate) fn new(bytes: u64) -> Result<Self, String> {
        let scratch = tempfile::tempdir().unwrap();
        let disk = Self { scratch };
        fs::create_dir(disk.root()).unwrap();
        fs::File::create(disk.image())
            .unwrap()
            .set_len(bytes)
            .unwrap();
        run(Command::new("mkfs.ext4")
            // Small ones would get small blocks, and what lies across two of them is
            // in two places.
            .args(["-q", "-F", "-O", "has_journal", "-b", "4096"])
            .arg(disk.image()))?;
        disk.mount()?;
        Ok(disk)
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.scratch.path().join("image")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.scratch.path().join("disk")
    }

    pub(crate) fn mount(&self) -> Result<(), String> {
        run(Command::new("mount")
            .args(["-o", "loop"])
            .arg(self.image())
            .arg(self.root()))
    }

    pub(crate) fn unmount(&self) -> Result<(), String> {
        run(Command::new("umount").arg(self.root()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A failed test may have files open, or nothing mounted.
        if self.unmount().is_err() {
            let _ = run(Command::new("umount").arg("-l").arg(self.root()));
        }
    }
}

/// Runs a program; the error is what it said.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// Says so past the test runner, which shows what a test prints only if it fails.
pub(crate) fn skipped(what: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    // Nobody may be reading.
    let _unread = writeln!(std::io::stderr(), "{what}");
}
