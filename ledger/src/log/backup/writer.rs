//! Adding to a shelf.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, BufWriter, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{
    LOCK, LOST_AND_FOUND, MANIFEST, MIN_RUN_BYTES, RUNS,
    error::ShelfFault,
    manifest::{Manifest, RunEntry, Stamp},
    names, read_manifest, run,
};
use crate::{
    block::{BlockView, Head},
    hash::Hash,
    log::{
        copy::Target,
        storage::{self, sync_dir},
    },
    position::{LedgerId, Position},
    proof::SignedCheckpoint,
};

/// A private directory, as the data directory is: pseudonyms are nobody's business.
const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Bytes that are written together.
const BUFFER: usize = 1024 * 1024;

/// A shelf, open for adding to it.
#[derive(Debug)]
pub struct ShelfWriter {
    root: PathBuf,
    /// Of what the manifest on the disk says, and what will be said next.
    manifest: Manifest,
    open: Option<Open>,
    run_bytes: u64,
    head: Head,
    _lock: Lock,
}

/// The run that is written to.
#[derive(Debug)]
struct Open {
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    before: Head,
    bytes: u64,
}

impl ShelfWriter {
    /// Opens the shelf of this ledger, or makes one in a directory that is new or
    /// empty. Runs are sealed when they have `run_bytes`.
    ///
    /// # Errors
    /// [`ShelfFault::Locked`] while another process writes; [`ShelfFault::OtherLedger`],
    /// [`ShelfFault::Occupied`] by what is there; and whatever is found wrong with the
    /// manifest or with the open run. Sealed runs are not read.
    pub fn open(
        root: &Path,
        ledger: LedgerId,
        written: Stamp,
        run_bytes: u64,
    ) -> Result<Self, ShelfFault> {
        let mut dir = DirBuilder::new();
        dir.recursive(true).mode(DIR_MODE);
        dir.create(root).map_err(|e| ShelfFault::io(".", e))?;
        let lock = lock(root)?;
        let manifest = match read_manifest(root)? {
            Some(bytes) => Manifest::parse(&bytes)?,
            None => begin(root, ledger, written.clone())?,
        };
        if manifest.ledger != ledger {
            return Err(ShelfFault::OtherLedger {
                found: ledger,
                expected: manifest.ledger,
            });
        }
        dir.create(root.join(RUNS))
            .and_then(|()| sync_dir(root))
            .map_err(|e| ShelfFault::io(RUNS, e))?;
        let mut writer = Self {
            root: root.to_path_buf(),
            head: manifest.head,
            manifest: Manifest {
                written,
                ..manifest
            },
            open: None,
            run_bytes: run_bytes.max(MIN_RUN_BYTES),
            _lock: lock,
        };
        writer.reopen()?;
        Ok(writer)
    }

    /// Makes durable what was added, with the ledger's newest checkpoint, and says so
    /// in the manifest. A checkpoint over more than is here is left out.
    pub fn finish(mut self, checkpoint: Option<SignedCheckpoint>) -> Result<Manifest, ShelfFault> {
        let here = self.head.position.map_or(0, Position::number);
        let covers = |signed: &SignedCheckpoint| signed.head().size;
        let known = self.manifest.checkpoint.as_ref().map_or(0, covers);
        if let Some(newer) = checkpoint.filter(|new| (known..=here).contains(&covers(new))) {
            self.manifest.checkpoint = Some(newer);
        }
        if let Some(mut open) = self.open.take() {
            self.sync(&mut open)?;
        }
        self.publish()?;
        Ok(self.manifest)
    }

    /// Takes up the open run of an earlier time, if it is as it was left. What a run
    /// that was killed left behind it is cut off.
    fn reopen(&mut self) -> Result<(), ShelfFault> {
        let Some((before, entry)) = self.manifest.with_heads().last() else {
            return Ok(());
        };
        if entry.sealed {
            return Ok(());
        }
        let failed = |error| ShelfFault::io(&entry.name, error);
        let mut found = run::OpenRun::open(&self.root, self.manifest.ledger, before, entry)?;
        for block in found.by_ref() {
            block?;
        }
        let path = self.root.join(&entry.name);
        let mut file = File::options().write(true).open(path).map_err(failed)?;
        file.set_len(entry.bytes)
            .and_then(|()| file.seek(SeekFrom::Start(entry.bytes)))
            .map_err(failed)?;
        self.open = Some(Open {
            out: BufWriter::with_capacity(BUFFER, file),
            hasher: found.into_hasher(),
            before,
            bytes: entry.bytes,
        });
        Ok(())
    }

    fn add(&mut self, block: &[u8]) -> Result<(), ShelfFault> {
        let name = self.name();
        let failed = |error| ShelfFault::io(&name, error);
        let view = BlockView::parse(block).map_err(|error| {
            ShelfFault::io(&name, io::Error::new(io::ErrorKind::InvalidData, error))
        })?;
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin_run()?,
        };
        open.write(&run::entry(block)).map_err(failed)?;
        self.head = view.head();
        if open.bytes >= self.run_bytes {
            self.seal(open)?;
        } else {
            self.open = Some(open);
        }
        Ok(())
    }

    /// The name of the run that the next block goes to.
    fn name(&self) -> String {
        let before = self.open.as_ref().map_or(&self.head, |open| &open.before);
        run::name(before.next_position())
    }

    fn begin_run(&self) -> Result<Open, ShelfFault> {
        let name = self.name();
        let failed = |error| ShelfFault::io(&name, error);
        // What has this name was left by a run that was killed.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(FILE_MODE)
            .open(self.root.join(&name))
            .map_err(failed)?;
        let mut open = Open {
            out: BufWriter::with_capacity(BUFFER, file),
            hasher: blake3::Hasher::new(),
            before: self.head,
            bytes: 0,
        };
        let header = run::header(self.manifest.ledger, &self.head);
        open.write(&header).map_err(failed)?;
        Ok(open)
    }

    /// Ends a run for good.
    fn seal(&mut self, mut open: Open) -> Result<(), ShelfFault> {
        let name = run::name(open.before.next_position());
        let failed = |error| ShelfFault::io(&name, error);
        open.write(&run::end(&open.before, &self.head))
            .map_err(failed)?;
        let checksum = *open.hasher.finalize().as_bytes();
        open.write(&checksum).map_err(failed)?;
        self.sync(&mut open)?;
        if let Some(entry) = self.manifest.files.last_mut() {
            entry.sealed = true;
        }
        self.publish()
    }

    /// Makes a run durable, and enters it in the manifest as it is now.
    fn sync(&mut self, open: &mut Open) -> Result<(), ShelfFault> {
        let name = run::name(open.before.next_position());
        let failed = |error| ShelfFault::io(&name, error);
        open.out
            .flush()
            .and_then(|()| open.out.get_ref().sync_all())
            .and_then(|()| sync_dir(&self.root.join(RUNS)))
            .map_err(failed)?;
        let entry = RunEntry {
            sealed: false,
            first: open.before.next_position(),
            blocks: self.head.height.saturating_sub(open.before.height),
            after: self.head,
            bytes: open.bytes,
            blake3: Hash::from_bytes(*open.hasher.finalize().as_bytes()),
            name: name.clone(),
        };
        self.manifest.files.retain(|file| file.name != name);
        self.manifest.files.push(entry);
        Ok(())
    }

    fn publish(&mut self) -> Result<(), ShelfFault> {
        self.manifest.head = self.head;
        replace(&self.root, &self.manifest)
    }
}

impl Target for ShelfWriter {
    type Error = ShelfFault;

    fn head(&self) -> Head {
        self.head
    }

    fn append(&mut self, blocks: Vec<Vec<u8>>) -> Result<(), ShelfFault> {
        blocks.iter().try_for_each(|block| self.add(block))
    }
}

impl Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.hasher.update(bytes);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(length);
        Ok(())
    }
}

/// Makes a new shelf, if nothing else is here.
fn begin(root: &Path, ledger: LedgerId, written: Stamp) -> Result<Manifest, ShelfFault> {
    let names = names(root).map_err(|error| ShelfFault::io(".", error))?;
    if names.iter().any(|name| name == RUNS) {
        return Err(ShelfFault::ManifestMissing);
    }
    let unfinished = format!("{MANIFEST}.new");
    let ours = [LOCK, LOST_AND_FOUND, &unfinished];
    if let Some(found) = names
        .into_iter()
        .find(|name| !ours.contains(&name.as_str()))
    {
        return Err(ShelfFault::Occupied { found });
    }
    let manifest = Manifest::empty(ledger, written);
    replace(root, &manifest)?;
    Ok(manifest)
}

fn replace(root: &Path, manifest: &Manifest) -> Result<(), ShelfFault> {
    let text = manifest.text()?;
    storage::replace(root, MANIFEST, text.as_bytes()).map_err(|e| ShelfFault::io(MANIFEST, e))
}

/// The writer's lock; released when dropped, also if a process that is just being started
/// has inherited the file for a moment.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Whatever it answers, the file is closed next.
        let _ = self.0.unlock();
    }
}

fn lock(root: &Path) -> Result<Lock, ShelfFault> {
    let failed = |error| ShelfFault::io(LOCK, error);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(root.join(LOCK))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(ShelfFault::Locked),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            // A medium that cannot be locked.
            Ok(Lock(file))
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
