//! `luzhang tiles publish`: the tree as static files.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    ops::ControlFlow,
    path::Path,
};

use luzhang_ledger::{
    Hash,
    log::tiles::TileFiles,
    proof::{
        Node, SignedCheckpoint, TreeHead,
        tile::{Resource, Tile, TiledTree, Tiles as _, bytes_of, entries_of},
        tree,
    },
};
use luzhang_proto::wire;
use serde_json::json;
use tempfile::{NamedTempFile, TempDir};

use super::open;
use crate::{
    args::{Global, proof::TilesCommand},
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
    source::Source,
};

pub(crate) async fn run(global: &Global, command: &TilesCommand) -> Result<u8, Failure> {
    let TilesCommand::Publish { dir } = command;
    let client = open(global).await?;
    let request = wire::GetCheckpointRequest { covering: 0 };
    let answer = client.proofs().get_checkpoint(request).await;
    client.close().await?;
    let checkpoint = SignedCheckpoint::parse(answer?.into_inner().checkpoint.as_bytes());
    let checkpoint = checkpoint.map_err(anyhow::Error::from)?;
    let head = checkpoint.head();
    let source = Source::of(global, None)?;
    let what = ("建树", "making the tree");
    let copy = Copy::new(head.size)?;
    let copy = source
        .walk(global, what, copy, |copy, event| copy.take(event.hash))
        .await?
        .finish()?;
    if copy.tiles.head() != head {
        return Err(other_history(
            "日志与其检查点不符",
            "the log is not the one that its checkpoint is of",
        ));
    }
    let written = copy.publish(dir, &checkpoint)?;
    match (global.output, global.lang()) {
        (Format::Json | Format::Ndjson, _) => output::line(
            &json!({
                "schema_version": 1,
                "dir": dir.display().to_string(),
                "size": head.size,
                "root": head.root.to_string(),
                "files_written": written,
            })
            .to_string(),
        )?,
        (Format::Table | Format::Csv, Lang::Zh) => output::line(&format!(
            "{} 已发布 {} 个事件的树，新写 {written} 个文件",
            dir.display(),
            head.size
        ))?,
        (Format::Table | Format::Csv, Lang::En) => output::line(&format!(
            "published the tree of {} events in {}, {written} files written",
            head.size,
            dir.display()
        ))?,
    }
    Ok(exit::OK)
}

fn other_history(zh: &str, en: &str) -> Failure {
    Failure {
        exit: exit::TAMPERED,
        ..Failure::new("TILES_OTHER_HISTORY", zh, en)
    }
}

/// The tree up to some size, made from the log in a scratch directory.
struct Copy {
    size: u64,
    tiles: TileFiles,
    /// Leaves that are not in the tiles yet.
    leaves: Vec<Node>,
    /// All event hashes, in order.
    events: BufWriter<File>,
    failed: Option<io::Error>,
    /// Removed when dropped.
    _scratch: TempDir,
}

/// How many leaves are appended at a time.
const BATCH: usize = 4_096;

impl Copy {
    fn new(size: u64) -> io::Result<Self> {
        let scratch = tempfile::tempdir()?;
        Ok(Self {
            size,
            tiles: TileFiles::open(scratch.path())?,
            leaves: Vec::with_capacity(BATCH),
            events: BufWriter::new(tempfile::tempfile()?),
            failed: None,
            _scratch: scratch,
        })
    }

    /// Takes the next event's hash, until there are enough.
    fn take(&mut self, event: Hash) -> ControlFlow<()> {
        match self.add(event) {
            Ok(true) => ControlFlow::Continue(()),
            Ok(false) => ControlFlow::Break(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn add(&mut self, event: Hash) -> io::Result<bool> {
        self.leaves.push(Node::of_event(event));
        self.events.write_all(event.as_bytes())?;
        let pending = u64::try_from(self.leaves.len()).unwrap_or(u64::MAX);
        let is_last = self.tiles.size() + pending >= self.size;
        if is_last || self.leaves.len() == BATCH {
            self.tiles.append(&self.leaves)?;
            self.leaves.clear();
        }
        Ok(!is_last)
    }

    fn finish(mut self) -> io::Result<Self> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.events.flush()?;
        Ok(self)
    }

    /// Writes what a directory lacks, the checkpoint last, so that whoever reads
    /// it finds everything under it. Returns how many files were written.
    fn publish(&self, dir: &Path, checkpoint: &SignedCheckpoint) -> Result<u64, Failure> {
        let before = self.published_before(dir)?;
        let mut written = 0;
        for tile in Tile::since(before, self.size) {
            let nodes = self.tiles.reader().tile(tile)?;
            written += write(dir, Resource::Tile(tile), &bytes_of(&nodes))?;
            if tile.level() == 0 {
                let entries = entries_of(&self.entries(tile)?);
                written += write(dir, Resource::Entries(tile), &entries)?;
            }
        }
        let text = checkpoint.to_string();
        written += write(dir, Resource::Checkpoint, text.as_bytes())?;
        Ok(written)
    }

    /// How much of the tree is in a directory already, by its own checkpoint;
    /// an error if that is of another history.
    fn published_before(&self, dir: &Path) -> Result<u64, Failure> {
        let path = dir.join(Resource::Checkpoint.path());
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(Failure::file(&path, &error)),
        };
        let before = SignedCheckpoint::parse(&bytes).map_err(|e| Failure::file(&path, &e))?;
        let before = before.head();
        let known = before.size <= self.size;
        let mut tree = TiledTree::new(self.tiles.reader(), self.size);
        let root = known
            .then(|| tree::root(&mut tree, before.size))
            .transpose()?;
        let here = root.map(|root| TreeHead {
            size: before.size,
            root,
        });
        if here != Some(before) {
            return Err(other_history(
                "该目录发布过另一段历史，未改动；请查明后换一个目录",
                "the directory has published another history, and was left as it is: find out why, \
                 then use another directory",
            ));
        }
        Ok(before.size)
    }

    fn entries(&self, tile: Tile) -> io::Result<Vec<Hash>> {
        let mut file = self.events.get_ref();
        file.seek(SeekFrom::Start(tile.first() * 32))?;
        let mut bytes = vec![0; usize::from(tile.width()) * 32];
        file.read_exact(&mut bytes)?;
        let (hashes, _) = bytes.as_chunks::<32>();
        Ok(hashes.iter().copied().map(Hash::from_bytes).collect())
    }
}

/// Writes a file that appears whole, unless it is there as it should be.
fn write(dir: &Path, resource: Resource, bytes: &[u8]) -> Result<u64, Failure> {
    let path = dir.join(resource.path());
    if fs::read(&path).is_ok_and(|there| there == bytes) {
        return Ok(0);
    }
    let parent = path.parent().unwrap_or(dir);
    let written = fs::create_dir_all(parent)
        .and_then(|()| NamedTempFile::new_in(parent))
        .and_then(|mut file| {
            file.write_all(bytes)?;
            public(file.as_file())?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)
        });
    written.map_err(|error| Failure::file(&path, &error))?;
    Ok(1)
}

/// A web server runs as somebody else, and scratch files are private.
fn public(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}
