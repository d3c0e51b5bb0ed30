//! The reserve: disk space held back, because sled cannot even be opened on a
//! full disk. Given back, it is the room in which to open and to read.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use crate::log::storage::{is_full, sync_dir};

const FILE: &str = "reserve";
const FRESH: &str = "reserve.new";
/// Opening fills the rest of the segment at the tip, fills each segment (16 MiB)
/// that the interrupted append had begun beyond it, and writes a snapshot of the
/// page table. An append of 4 MiB begins at most one beyond, so three segments
/// are enough for any append of that size. A larger one may need more.
const BYTES: u64 = 48 << 20;
/// What the witness takes from the reserve when nothing else is left.
const PAGE: u64 = 1 << 20;
const CHUNK: usize = 1 << 20;

/// How the reserve stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserve {
    /// The space is held.
    Held,
    /// The disk has too little room to hold any back. Free some space.
    NoRoom,
    /// The disk was full and the space was given back in order to open. Free
    /// some space now: the next full disk has no way out.
    GivenBack,
}

/// Holds the space back if it is not held yet and there is as much again free;
/// a reserve made of the last bytes would only bring the end nearer.
pub(super) fn ensure(dir: &Path) -> io::Result<Reserve> {
    if is_held(dir) {
        return Ok(Reserve::Held);
    }
    let fresh = dir.join(FRESH);
    let made = make(&fresh).and_then(|()| {
        fs::rename(&fresh, dir.join(FILE))?;
        sync_dir(dir)
    });
    match made {
        Ok(()) => Ok(Reserve::Held),
        Err(error) => {
            // A torn reserve would hold space without being one.
            let _ = fs::remove_file(&fresh);
            if is_full(&error) {
                Ok(Reserve::NoRoom)
            } else {
                Err(error)
            }
        }
    }
}

/// Whether the file has all its bytes on disk, and not merely in its length.
fn is_held(dir: &Path) -> bool {
    const UNIT: u64 = 512;
    fs::metadata(dir.join(FILE))
        .is_ok_and(|meta| meta.len() == BYTES && meta.blocks().saturating_mul(UNIT) >= BYTES)
}

fn make(path: &Path) -> io::Result<()> {
    // Bytes that no file system compresses: zeros may take no room at all.
    let mut noise = blake3::Hasher::new().finalize_xof();
    let mut chunk = vec![0; CHUNK];
    let mut file = File::create(path)?;
    let mut left = BYTES.saturating_mul(2);
    while left > 0 {
        noise.fill(&mut chunk);
        file.write_all(&chunk)?;
        left = left.saturating_sub(PAGE);
    }
    file.set_len(BYTES)?;
    file.sync_all()
}

/// Gives the space back; `false` if there was none to give.
pub(super) fn give_back(dir: &Path) -> io::Result<bool> {
    match fs::remove_file(dir.join(FILE)) {
        Ok(()) => sync_dir(dir).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Gives one page back, for a file of a few hundred bytes that must be written
/// now.
pub(super) fn give_page(dir: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(dir.join(FILE))?;
    let len = file.metadata()?.len();
    file.set_len(len.saturating_sub(PAGE))?;
    file.sync_all()
}
