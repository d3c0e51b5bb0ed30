//! Changes to key files, of which nothing stays behind: what is replaced or
//! removed is overwritten with zeros first.
//!
//! A file system that copies on write, a journal of data, or the flash below
//! them may still hold old bytes; that is why the keys in these files are
//! wrapped, and why the key that wraps them can be changed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use luzhang_ledger::log::storage;

/// Zeros are written so many bytes at a time.
const CHUNK: usize = if cfg!(test) { 512 } else { 1 << 16 };

/// A file that is to take the place of `dir/name`.
#[derive(Debug)]
pub(super) struct Fresh<'a> {
    dir: &'a Path,
    name: &'a str,
    pub(super) file: File,
}

impl<'a> Fresh<'a> {
    pub(super) fn begin(dir: &'a Path, name: &'a str) -> io::Result<Self> {
        let path = with(dir, name, "new");
        wipe(&path)?;
        step()?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        step()?;
        Ok(Self { dir, name, file })
    }

    /// Takes its place: after a crash at any moment the old file is there or the
    /// new one, whole. Nothing of the old one stays on the disk, once [`tidy`] was
    /// called if this was interrupted.
    pub(super) fn take_place(self) -> io::Result<()> {
        let Self { dir, name, file } = self;
        let live = dir.join(name);
        let stale = with(dir, name, "old");
        step()?;
        file.sync_all()?;
        if live.exists() {
            // A second name keeps the old bytes within reach until they are zeros.
            step()?;
            fs::hard_link(&live, &stale)?;
        }
        sync_dir(dir)?;
        step()?;
        fs::rename(with(dir, name, "new"), live)?;
        sync_dir(dir)?;
        wipe(&stale)
    }
}

/// Replaces `dir/name`, or makes it, as [`Fresh`] does.
pub(super) fn replace(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let mut fresh = Fresh::begin(dir, name)?;
    fresh.file.write_all(content)?;
    fresh.take_place()
}

/// Finishes what an interrupted [`replace`] left behind.
pub(super) fn tidy(dir: &Path, name: &str) -> io::Result<()> {
    wipe(&with(dir, name, "new"))?;
    let stale = with(dir, name, "old");
    let same = match (fs::metadata(dir.join(name)), fs::metadata(&stale)) {
        (Ok(live), Ok(stale)) => (live.dev(), live.ino()) == (stale.dev(), stale.ino()),
        (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => false,
    };
    if !same {
        return wipe(&stale);
    }
    // It was not replaced yet: only the second name is too much.
    step()?;
    fs::remove_file(&stale)?;
    sync_dir(dir)
}

/// Removes `dir/name`, if it is there: after a crash at any moment it is there
/// whole, or not at all. Nothing of it stays, as with [`Fresh`].
pub(super) fn remove(dir: &Path, name: &str) -> io::Result<()> {
    let (live, stale) = (dir.join(name), with(dir, name, "old"));
    if live.exists() {
        step()?;
        fs::rename(live, &stale)?;
        sync_dir(dir)?;
    }
    wipe(&stale)
}

/// Overwrites a file with zeros and removes it, if it is there.
fn wipe(path: &Path) -> io::Result<()> {
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    zero(&file, 0, file.metadata()?.len())?;
    step()?;
    file.sync_all()?;
    step()?;
    fs::remove_file(path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Overwrites part of a file with zeros. They are durable when it is synced.
pub(super) fn zero(file: &File, mut from: u64, length: u64) -> io::Result<()> {
    let zeros = vec![0; CHUNK];
    let end = from + length;
    while from < end {
        step()?;
        let part = usize::try_from(end - from).map_or(CHUNK, |left| left.min(CHUNK));
        file.write_all_at(&zeros[..part], from)?;
        from += part as u64;
    }
    Ok(())
}

/// Makes a file that was not there.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    step()?;
    storage::sync_dir(dir)
}

fn with(dir: &Path, name: &str, ending: &str) -> PathBuf {
    dir.join(format!("{name}.{ending}"))
}

/// Passed before everything that changes the disk, so that tests can end there.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "only in tests does it fail")]
fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) use crash::step;

/// A crash that tests can have at any step.
#[cfg(test)]
pub(super) mod crash {
    use std::{cell::Cell, io};

    thread_local! {
        static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
        static CRASHED: Cell<bool> = const { Cell::new(false) };
    }

    /// Lets so many steps of this thread pass, and none after them.
    pub(in crate::vault) fn after(steps: u32) {
        LEFT.set(Some(steps));
    }

    /// Lets all steps pass, and says whether there was a crash.
    pub(in crate::vault) fn off() -> bool {
        LEFT.set(None);
        CRASHED.take()
    }

    pub(in crate::vault) fn step() -> io::Result<()> {
        match LEFT.get() {
            Some(0) => {
                CRASHED.set(true);
                Err(io::Error::other("the crash of a test"))
            }
            Some(left) => {
                LEFT.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
