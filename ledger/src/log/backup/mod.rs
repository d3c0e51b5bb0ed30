//! A shelf: a copy of a log in files that are written once, for a backup that is
//! proven without the ledger. FORMAT.md specifies it byte by byte.
//!
//! ```text
//! SHELF/manifest.json    what is here: appears whole or not at all
//! SHELF/runs/…           runs of blocks, a file each, named by their first position
//! SHELF/lock             held by the one process that writes
//! ```
//!
//! Files are sealed when they are large enough, and never touched again. Only the last
//! one is open, and only grows. What the manifest does not name, a file or the end of
//! the open one, was left by a run that was killed, and is written over by the next.
//!
//! Keys are not here, and must not be: whoever was erased must not come back from a
//! backup of the log.

mod error;
mod manifest;
mod run;
mod salvage;
mod verify;
mod writer;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use self::run::OpenRun;
pub use self::{
    error::ShelfFault,
    manifest::{Manifest, RunEntry, Stamp},
    salvage::read_run,
    verify::{Remark, ShelfReport},
    writer::ShelfWriter,
};
use super::copy::SupplyError;
use crate::{block::BlockView, position::Position};

/// The name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// The directory of the runs.
const RUNS: &str = "runs";
/// What keeps a second writer out.
const LOCK: &str = "lock";
/// What a file system keeps in its own root.
const LOST_AND_FOUND: &str = "lost+found";
/// A file is sealed when it has so many bytes, if nobody says otherwise: a year of a
/// county is a handful of them, and one is copied or fetched in seconds.
pub const RUN_BYTES: u64 = 64 * 1024 * 1024;
/// The fewest bytes that can be asked for.
pub const MIN_RUN_BYTES: u64 = 1024;
/// The most bytes of a manifest that are read.
const MAX_MANIFEST: u64 = 256 * 1024 * 1024;

/// A shelf, open for reading.
#[derive(Clone, Debug)]
pub struct Shelf {
    root: PathBuf,
    manifest: Manifest,
}

impl Shelf {
    /// Reads the manifest, which is checked in itself. Nothing else is looked at.
    pub fn open(root: &Path) -> Result<Self, ShelfFault> {
        let bytes = read_manifest(root)?.ok_or_else(|| without_manifest(root))?;
        Ok(Self {
            root: root.to_path_buf(),
            manifest: Manifest::parse(&bytes)?,
        })
    }

    /// Whether a directory is one, or was.
    pub fn is_at(root: &Path) -> bool {
        root.join(MANIFEST).exists() || root.join(RUNS).is_dir()
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The blocks in order, from the one that holds `from` on, up to the end of the
    /// file that holds `until`. Each file is checked to its end, but what its blocks
    /// say is not: that is for a verifier.
    pub fn blocks(
        &self,
        from: Position,
        until: Option<Position>,
    ) -> impl Iterator<Item = Result<Vec<u8>, SupplyError>> + Send + use<> {
        let after = self.manifest.files.iter();
        let skipped = after.take_while(|file| file.last() < from).count();
        let wanted = |file: &RunEntry| until.is_none_or(|until| file.first <= until);
        let files: Vec<(crate::block::Head, RunEntry)> = self
            .manifest
            .with_heads()
            .skip(skipped)
            .filter(|(_, file)| wanted(file))
            .map(|(head, file)| (head, file.clone()))
            .collect();
        let ledger = self.manifest.ledger;
        let root = self.root.clone();
        let each = files.into_iter().flat_map(move |(head, file)| {
            let opened = OpenRun::open(&root, ledger, head, &file);
            let (run, failed) = match opened {
                Ok(run) => (Some(run), None),
                Err(fault) => (None, Some(Err(fault))),
            };
            failed.into_iter().chain(run.into_iter().flatten())
        });
        let mut ended = false;
        let each = each.take_while(move |block| !std::mem::replace(&mut ended, block.is_err()));
        let before = move |block: &Result<run::Placed, ShelfFault>| {
            let bytes = block.as_ref().map(|placed| placed.block.as_slice());
            bytes.is_ok_and(|bytes| BlockView::parse(bytes).is_ok_and(|view| view.last() < from))
        };
        each.skip_while(before)
            .map(|placed| Ok(placed.map(|placed| placed.block)?))
    }
}

/// The manifest's bytes; `None` if there is none.
fn read_manifest(root: &Path) -> Result<Option<Vec<u8>>, ShelfFault> {
    let path = root.join(MANIFEST);
    let length = match fs::metadata(&path) {
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ShelfFault::io(MANIFEST, error)),
    };
    if length > MAX_MANIFEST {
        return Err(ShelfFault::ManifestDamaged {
            detail: format!("it has {length} bytes"),
        });
    }
    fs::read(path)
        .map(Some)
        .map_err(|error| ShelfFault::io(MANIFEST, error))
}

/// What a directory is that has no manifest.
fn without_manifest(root: &Path) -> ShelfFault {
    match names(root) {
        Ok(names) if names.iter().any(|name| name == RUNS) => ShelfFault::ManifestMissing,
        Ok(_) => ShelfFault::NotFound,
        Err(error) if error.kind() == io::ErrorKind::NotFound => ShelfFault::NotFound,
        Err(error) => ShelfFault::io(".", error),
    }
}

/// The names in a directory, in order.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(dir)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}
