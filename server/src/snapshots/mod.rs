//! Snapshots: what was folded of the log, kept so that a start need not fold it all.
//!
//! ```text
//! DIR/snapshots/00000000000010000000    what the first ten million events folded to
//! DIR/snapshots/new                     one that is being written
//! ```
//!
//! They are derived: whatever does not fit the log, to the hash of the block that it
//! ends with, or was not written by this ledger's keys, or has another layout, is not
//! used, and the whole log is folded instead. They may be deleted at any time. The
//! events after a snapshot are verified as ever; those before it are when somebody
//! audits.

mod file;
mod twin;

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use luzhang_ledger::{
    Body, Event, Hash, LedgerId, Position,
    block::{BlockView, Head},
    log::{Reader, storage},
    proof::{Frontier, Node},
};
use luzhang_projections::{projection::Projections, snapshot};
use thiserror::Error;

use self::file::{Header, Kept, NewFile};
pub(crate) use self::twin::{Keeper, Start};
use crate::{sequencer::Requests, vault::Vault};

/// Whether snapshots are kept, and how often they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snapshots {
    /// None is read or written, and those that are there are removed.
    Off,
    /// As often as this.
    On(Cadence),
}

impl Default for Snapshots {
    fn default() -> Self {
        Self::On(Cadence::default())
    }
}

/// When a snapshot is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// After so many events, or a quarter of all if that is more: so all snapshots
    /// together write a few times what there is, however long the log gets.
    pub events: u64,
    /// At an orderly end, after so many.
    pub at_end: u64,
    /// How often that is looked at.
    pub look: Duration,
}

impl Default for Cadence {
    fn default() -> Self {
        Self::after(200_000)
    }
}

impl Cadence {
    /// After so many events, and at an orderly end after fewer.
    pub fn after(events: u64) -> Self {
        Self {
            events,
            at_end: events.min(10_000),
            // No more than 20,000 events come in a second.
            look: Duration::from_millis((events / 20).clamp(10, 10_000)),
        }
    }

    fn is_due(self, snapshot: u64, end: u64) -> bool {
        end.saturating_sub(snapshot) >= self.events.max(end / 4)
    }
}

/// What the server finds in the log besides the projections.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Positions of outcomes by blinded request id.
    pub(crate) requests: Requests,
    /// Where keys for checkpoints were adopted.
    pub(crate) adoptions: Vec<Position>,
}

impl Index {
    pub(crate) fn see(&mut self, event: &Event) {
        let position = event.header.position;
        if let Some(request) = event.header.request {
            self.requests.insert(request.id, position.number());
        }
        if let Body::CheckpointKeyAdopted(_) = event.body {
            self.adoptions.push(position);
        }
    }
}

/// What was folded of a log, up to some block.
pub(crate) struct Folded {
    pub(crate) head: Head,
    pub(crate) projections: Projections,
    pub(crate) index: Index,
    pub(crate) frontier: Frontier,
    erasures: u64,
}

/// The same, to be written.
pub(crate) struct Parts<'a> {
    pub(crate) head: Head,
    pub(crate) projections: &'a Projections,
    pub(crate) index: &'a Index,
    pub(crate) frontier: &'a Frontier,
}

impl Folded {
    /// What is known of an empty log.
    fn nothing(ledger: LedgerId) -> Self {
        Self {
            head: Head::genesis(ledger),
            projections: Projections::default(),
            index: Index::default(),
            frontier: Frontier::default(),
            erasures: 0,
        }
    }

    /// How many erasures there were.
    pub(crate) fn erasures(&self) -> u64 {
        self.erasures
    }

    /// The position of the last event.
    pub(crate) fn position(&self) -> u64 {
        self.head.position.map_or(0, Position::number)
    }

    fn see(&mut self, event: &Event, hash: Hash) {
        self.projections.apply(event);
        self.index.see(event);
        self.frontier.push(Node::of_event(hash));
    }
}

impl Parts<'_> {
    fn write(&self, to: &mut snapshot::Writer<'_>) -> io::Result<()> {
        self.projections.write(to)?;
        write_index(self.index, self.frontier, to)
    }
}

fn write_index(
    index: &Index,
    frontier: &Frontier,
    to: &mut snapshot::Writer<'_>,
) -> io::Result<()> {
    let Index {
        requests,
        adoptions,
    } = index;
    // In the map's own order, in which they go into another one fastest.
    to.pairs("server.requests", requests)?;
    to.column("server.adoptions", adoptions)?;
    let nodes = frontier.nodes().iter().map(|node| *node.as_bytes());
    to.column("server.frontier", &nodes.collect::<Vec<[u8; 32]>>())
}

/// The identity of what is written here: see [`snapshot::layout`].
fn layout() -> io::Result<[u8; 32]> {
    let layout = snapshot::layout(|to| write_index(&Index::default(), &Frontier::default(), to))?;
    Ok(blake3::derive_key(
        "luzhang 2026 snapshot layout v1",
        layout.as_bytes(),
    ))
}

/// Why a snapshot is not used.
#[derive(Debug, Error)]
enum Unusable {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not what was written, or by other keys.
    #[error("it is damaged, or was not written under this ledger's keys")]
    Damaged,
    /// Its layout is another one.
    #[error("another version of the program wrote it")]
    Version,
    /// It is of another ledger.
    #[error("it is of another ledger")]
    Ledger,
    /// The log has no such block.
    #[error("the log does not have the block that it ends with")]
    Log,
}

/// Where the snapshots of a ledger are.
#[derive(Debug)]
pub(crate) struct Shelf {
    dir: PathBuf,
    ledger: LedgerId,
    layout: [u8; 32],
}

/// Being written.
const NEW: &str = "new";
/// So many are kept: if the newest is of no use, there is another one.
const KEPT: usize = 2;

impl Shelf {
    /// Those in `DIR/snapshots`, which need not be there.
    pub(crate) fn of(dir: &Path, ledger: LedgerId) -> io::Result<Self> {
        Ok(Self {
            dir: dir.join("snapshots"),
            ledger,
            layout: layout()?,
        })
    }

    /// Removes all there are in a data directory.
    pub(crate) fn clear(dir: &Path) -> io::Result<()> {
        match fs::remove_dir_all(dir.join("snapshots")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            cleared => cleared,
        }
    }

    /// Removes what an interrupted writing left, and every snapshot if none is of use:
    /// who knows whether somebody was erased since.
    pub(crate) fn tidy(&self, newest: u64) -> io::Result<()> {
        remove(&self.dir.join(NEW))?;
        if newest == 0 {
            for position in positions(&self.dir)? {
                remove(&self.dir.join(file_name(position)))?;
            }
        }
        Ok(())
    }

    /// The newest snapshot that fits the log, and that `suits`.
    pub(crate) fn newest(
        &self,
        vault: &Vault,
        log: &dyn Reader,
        mut suits: impl FnMut(&Folded) -> bool,
    ) -> Option<Folded> {
        let mut found = match positions(&self.dir) {
            Ok(positions) => positions,
            Err(error) => {
                tracing::warn!(%error, "no snapshot can be read");
                return None;
            }
        };
        while let Some(position) = found.pop() {
            let began = Instant::now();
            match self.read(position, vault, log) {
                Ok(folded) if suits(&folded) => {
                    let took = began.elapsed();
                    tracing::info!(position, ?took, "a snapshot was read");
                    return Some(folded);
                }
                Ok(_) => {
                    let why = "what was signed cannot be proven from it";
                    tracing::warn!(position, why, "a snapshot is not used");
                }
                Err(why) => tracing::warn!(position, %why, "a snapshot is not used"),
            }
        }
        None
    }

    fn read(&self, position: u64, vault: &Vault, log: &dyn Reader) -> Result<Folded, Unusable> {
        let kept = Kept::open(&self.dir.join(file_name(position)), vault)?;
        let Header {
            layout,
            ledger,
            head,
            erasures,
        } = kept.header();
        if *layout != self.layout {
            return Err(Unusable::Version);
        }
        if ledger != self.ledger.as_bytes() {
            return Err(Unusable::Ledger);
        }
        if head.position.map_or(0, Position::number) != position || !is_in(head, log) {
            return Err(Unusable::Log);
        }
        let reader = snapshot::Reader::new(&kept)?;
        let (projections, index) =
            rayon::join(|| Projections::read(&reader), || read_index(&reader));
        let (projections, index) = (projections?, index?);
        let nodes: Vec<[u8; 32]> = reader.column("server.frontier")?;
        let nodes = nodes.into_iter().map(Node::from_bytes).collect();
        let frontier = Frontier::of(position, nodes).ok_or(Unusable::Damaged)?;
        if projections.state.position() != head.position {
            return Err(Unusable::Damaged);
        }
        Ok(Folded {
            head: *head,
            projections,
            index,
            frontier,
            erasures: *erasures,
        })
    }

    /// Writes a snapshot, durably and whole or not at all, and removes those that are
    /// too old. `go_on` is asked now and then.
    pub(crate) fn write(
        &self,
        vault: &Vault,
        parts: &Parts<'_>,
        go_on: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let began = Instant::now();
        let position = parts.head.position.map_or(0, Position::number);
        let header = Header {
            layout: self.layout,
            ledger: *self.ledger.as_bytes(),
            head: parts.head,
            erasures: parts.projections.state.erasures(),
        };
        match DirBuilder::new().mode(0o700).create(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let new = self.dir.join(NEW);
        let written = NewFile::create(&new, go_on).and_then(|mut file| {
            let mut writer = snapshot::Writer::new(&mut file);
            parts.write(&mut writer)?;
            writer.finish()?;
            file.finish(&header, vault)
        });
        let bytes = match written {
            Ok(bytes) => bytes,
            Err(error) => {
                // Whatever the reason was, it is the one to report.
                let _ = fs::remove_file(&new);
                return Err(error);
            }
        };
        fs::rename(&new, self.dir.join(file_name(position)))?;
        storage::sync_dir(&self.dir)?;
        let took = began.elapsed();
        tracing::info!(position, bytes, ?took, "a snapshot was written");
        self.prune(vault, header.erasures)
    }

    /// Leaves the newest few. One that knows of fewer erasures than there were holds
    /// what somebody was promised to be gone, if only a keyed digest.
    fn prune(&self, vault: &Vault, erasures: u64) -> io::Result<()> {
        let mut fit = 0;
        for position in positions(&self.dir)?.into_iter().rev() {
            let path = self.dir.join(file_name(position));
            let header = Kept::open(&path, vault);
            let is_fit = header.is_ok_and(|kept| kept.header().erasures == erasures);
            if is_fit && fit < KEPT {
                fit += 1;
            } else {
                fs::remove_file(path)?;
            }
        }
        storage::sync_dir(&self.dir)
    }
}

/// The newest snapshot of a data directory: of which position, and its file. Nobody
/// has looked into it.
pub fn newest(dir: &Path) -> Option<(u64, fs::Metadata)> {
    let dir = dir.join("snapshots");
    let position = positions(&dir).ok()?.pop()?;
    let file = fs::metadata(dir.join(file_name(position))).ok()?;
    Some((position, file))
}

/// Positions of those that are in a directory, ascending.
fn positions(dir: &Path) -> io::Result<Vec<u64>> {
    let mut positions = Vec::new();
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(positions),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        let position = name.to_str().and_then(|name| name.parse().ok());
        positions.extend(position.filter(|position| name == *file_name(*position)));
    }
    positions.sort_unstable();
    Ok(positions)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Twenty digits: names sort as positions do.
fn file_name(position: u64) -> String {
    format!("{position:020}")
}

fn read_index(reader: &snapshot::Reader<'_>) -> io::Result<Index> {
    let all: Vec<([u8; 16], u64)> = reader.column("server.requests")?;
    let mut requests = Requests::default();
    // Before the first one: a growing map would take those in its own order badly.
    requests.reserve(all.len());
    requests.extend(all);
    Ok(Index {
        requests,
        adoptions: reader.column("server.adoptions")?,
    })
}

/// Whether the log has the block that ends so, and that block holds.
fn is_in(head: &Head, log: &dyn Reader) -> bool {
    let Some(position) = head.position else {
        return false;
    };
    let Ok(Some(block)) = log.block_with(position) else {
        return false;
    };
    BlockView::parse(&block)
        .is_ok_and(|view| view.head() == *head && view.computed_hash() == view.block)
}
