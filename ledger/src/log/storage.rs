//! Files that survive a power cut.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use crate::log::Fault;

/// Whether there is no room left.
pub(in crate::log) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// The fault that an error of the operating system stands for.
pub(in crate::log) fn fault(error: io::Error) -> Fault {
    if is_full(&error) {
        Fault::DiskFull
    } else {
        Fault::Io(error)
    }
}

/// Makes the names in a directory durable.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Writes a new file, or over an old one, and makes its content durable. Its
/// name is durable after [`sync_dir`].
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Replaces a file: after a power cut the old content is there, or the new one.
pub fn replace(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let fresh = dir.join(format!("{name}.new"));
    write(&fresh, content)?;
    fs::rename(&fresh, dir.join(name))?;
    sync_dir(dir)
}
