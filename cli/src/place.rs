//! Where a log can be copied from and to: a data directory, an export file, a backup, a
//! database.

use std::{
    fmt,
    fs::{self, File},
    io::{self, BufWriter, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use indicatif::ProgressBar;
use luzhang_ledger::{
    LedgerId, Position,
    block::{BlockView, Head},
    export::{self, ExportWriter, Unfinished, VerifiedBlocks},
    log::{
        AppendError, Log, Reader,
        backup::Shelf,
        copy::{self, Copied, IntoLog, SupplyError, Target},
        sled::{self, ReadLog, SledLog},
        storage,
    },
    verify::{self, ExpectedTree, Finding, Place as Spot, Verdict, Verifier},
};
use luzhang_server::engine::{
    BareCopy, DatabaseCopy, DatabaseOptions, open_database, open_to_read,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    client::progress,
    failure::{Failure, exit},
    lang::Lang,
};

/// What an export file is called until it is whole.
const UNFINISHED: &str = ".unfinished";

/// Blocks in order, wherever they come from.
pub(crate) type Supply<'a> = Box<dyn Iterator<Item = Result<Vec<u8>, SupplyError>> + Send + 'a>;

/// Where a log is, or shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A data directory.
    Dir(PathBuf),
    /// An export file.
    Export(PathBuf),
    /// A backup.
    Shelf(PathBuf),
    /// A database, without a data directory.
    Database(Address),
}

/// The address of a database. It may have a password in it, and is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(***)")
    }
}

impl Place {
    /// By what is there, and else by the name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let database = ["postgresql://", "postgres://"];
        if database.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self::Database(Address(text.to_owned())));
        }
        if text.contains("://") {
            return Err("neither a directory, a file nor a database".to_owned());
        }
        let path = PathBuf::from(text);
        let named_so = ["luzhang-export", "luzhang"];
        let extension = path.extension().and_then(|ending| ending.to_str());
        let named = extension.is_some_and(|ending| named_so.contains(&ending));
        Ok(if path.is_dir() {
            if Shelf::is_at(&path) {
                Self::Shelf(path)
            } else {
                Self::Dir(path)
            }
        } else if path.is_file() || named {
            Self::Export(path)
        } else {
            Self::Dir(path)
        })
    }
}

/// A log to copy from.
pub(crate) struct Origin {
    /// Whose chain.
    pub(crate) ledger: LedgerId,
    /// Its last event, if that is known before it is read.
    pub(crate) end: Option<Position>,
    blocks: Blocks,
}

enum Blocks {
    Log(ReadLog),
    Export(PathBuf),
    Shelf(Box<Shelf>),
}

impl Origin {
    /// Opens a log for reading. A data directory is opened as its server would, so no
    /// server may have it open, unless its log is in a database. `ledger` says which one,
    /// of a database that has several.
    pub(crate) fn open(
        place: &Place,
        database: &DatabaseOptions,
        ledger: Option<LedgerId>,
    ) -> Result<Self, Failure> {
        match place {
            Place::Dir(dir) => {
                let log = open_to_read(dir, database)?;
                Ok(Self {
                    ledger: log.ledger,
                    end: log.head.position,
                    blocks: Blocks::Log(log),
                })
            }
            Place::Export(path) => Ok(Self {
                ledger: named_in(path)?,
                end: None,
                blocks: Blocks::Export(path.clone()),
            }),
            Place::Shelf(root) => Ok(Self::of_shelf(Shelf::open(root)?)),
            Place::Database(Address(address)) => {
                let log = open_database(address, ledger)?;
                Ok(Self {
                    ledger: log.ledger,
                    end: log.head.position,
                    blocks: Blocks::Log(log),
                })
            }
        }
    }

    /// A backup that is open already.
    pub(crate) fn of_shelf(shelf: Shelf) -> Self {
        Self {
            ledger: shelf.manifest().ledger,
            end: shelf.manifest().head.position,
            blocks: Blocks::Shelf(Box::new(shelf)),
        }
    }

    /// Blocks from the one that holds `from` on, up to one that holds `until` or later.
    fn blocks(&self, from: Position, until: Option<Position>) -> Result<Supply<'_>, Failure> {
        Ok(match &self.blocks {
            Blocks::Log(log) => {
                let blocks = log.reader.blocks_from(from);
                Box::new(blocks.map(|block| Ok(block?)))
            }
            Blocks::Shelf(shelf) => Box::new(shelf.blocks(from, until)),
            Blocks::Export(path) => {
                let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
                let batches = VerifiedBlocks::new(file).flat_map(|batch| match batch {
                    Ok(blocks) => blocks.into_iter().map(Ok).collect::<Vec<_>>(),
                    Err(finding) => vec![Err(SupplyError::Broken(finding))],
                });
                Box::new(batches.skip_while(move |block| {
                    let view = block.as_ref().map(|block| BlockView::parse(block));
                    matches!(view, Ok(Ok(view)) if view.last() < from)
                }))
            }
        })
    }

    /// Copies to a target, on from where that ends.
    pub(crate) fn copy_to<T>(
        &self,
        target: &mut T,
        until: Option<Position>,
        what: &str,
    ) -> Result<Copied, Failure>
    where
        T: Target<Error: Into<Failure>>,
    {
        let from = target.head().position.unwrap_or(Position::FIRST);
        let bar = self.bar(what, until);
        let copied = copy::copy(
            self.blocks(from, until)?,
            self.ledger,
            target,
            until,
            |position| bar.set_position(position.number()),
        );
        bar.finish_and_clear();
        Ok(copied?)
    }

    fn bar(&self, what: &str, until: Option<Position>) -> ProgressBar {
        let bar = progress(what);
        if let Some(end) = until.or(self.end) {
            bar.set_length(end.number());
        }
        bar
    }
}

/// A data directory that is copied to.
pub(crate) enum NewDir {
    /// The log is in it. It is none before everything is there.
    Here { log: Box<SledLog>, making: bool },
    /// The log is in a database.
    Database(DatabaseCopy),
}

impl NewDir {
    /// Opens a data directory, or makes one, or goes on with one that was begun. With the
    /// address of a database, the log of a new one is there.
    pub(crate) fn open(
        dir: &Path,
        ledger: LedgerId,
        database: &DatabaseOptions,
    ) -> Result<Self, Failure> {
        let begun = sled::copying(dir)?;
        let made = if dir.join("FORMAT").exists() {
            Some(sled::format(dir)?)
        } else {
            None
        };
        if let Some(there) = made.or(begun).filter(|there| there.ledger != ledger) {
            return Err(other_ledger(ledger, there.ledger));
        }
        let place = match made.or(begun) {
            Some(there) => there.place,
            None if database.address.is_some() => sled::Place::Database,
            None => sled::Place::Here,
        };
        let making = made.is_none();
        Ok(match place {
            sled::Place::Here if making => Self::Here {
                log: Box::new(SledLog::copying(dir, ledger)?),
                making,
            },
            sled::Place::Here => Self::Here {
                log: Box::new(SledLog::open(dir)?),
                making,
            },
            sled::Place::Database if making => {
                Self::Database(DatabaseCopy::begin(dir, ledger, database)?)
            }
            sled::Place::Database => Self::Database(DatabaseCopy::open(dir, database)?),
        })
    }

    /// Whether the directory is no ledger yet.
    pub(crate) fn is_made(&self) -> bool {
        match self {
            Self::Here { making, .. } => *making,
            Self::Database(copy) => copy.is_made(),
        }
    }

    pub(crate) fn target(&mut self) -> IntoLog<'_> {
        match self {
            Self::Here { log, .. } => IntoLog(log.as_mut()),
            Self::Database(copy) => IntoLog(copy.log.as_mut()),
        }
    }

    pub(crate) fn head(&self) -> Head {
        match self {
            Self::Here { log, .. } => log.head(),
            Self::Database(copy) => copy.log.head(),
        }
    }

    /// Reads a new ledger back and verifies what is on the disk, with these heads of
    /// its tree, before it becomes one.
    pub(crate) fn finish(
        self,
        expected: Vec<ExpectedTree>,
        keep: impl FnOnce() -> Result<(), Failure>,
        lang: Lang,
    ) -> Result<(), Failure> {
        let (made, end) = (self.is_made(), self.head());
        let bar = progress(lang.pick("读回核验", "reading back"));
        bar.set_length(end.position.map_or(0, Position::number));
        let check = |reader: &dyn Reader| {
            read_back(reader, end, expected, |events| bar.set_position(events))?;
            keep()
        };
        let finished = match self {
            Self::Here { log, .. } if made => log.complete(check),
            Self::Here { log, .. } => {
                let closed = log.close();
                closed.map_err(|fault| AppendError::Fault(fault).into())
            }
            Self::Database(copy) => {
                if made {
                    check(&*copy.log.reader())?;
                }
                Ok(copy.finish()?)
            }
        };
        bar.finish_and_clear();
        finished
    }
}

/// A database that is copied to, without a data directory.
pub(crate) struct NewDatabase(BareCopy, TempDir);

impl NewDatabase {
    /// Opens the ledger's log in it, or makes it, or goes on with one that was begun.
    pub(crate) fn open(
        Address(address): &Address,
        ledger: LedgerId,
        database: &DatabaseOptions,
    ) -> Result<Self, Failure> {
        let scratch = tempfile::tempdir()?;
        let copy = BareCopy::open(address, scratch.path(), ledger, database)?;
        Ok(Self(copy, scratch))
    }

    /// Whether it is no ledger yet.
    pub(crate) fn is_made(&self) -> bool {
        self.0.is_made()
    }

    pub(crate) fn target(&mut self) -> IntoLog<'_> {
        IntoLog(&mut self.0.log)
    }

    /// Reads a new ledger back and verifies what is there before it becomes one.
    pub(crate) fn finish(self, lang: Lang) -> Result<(), Failure> {
        if self.is_made() {
            let end = self.0.log.head();
            let bar = progress(lang.pick("读回核验", "reading back"));
            bar.set_length(end.position.map_or(0, Position::number));
            let reader = self.0.log.reader();
            let held = read_back(&*reader, end, Vec::new(), |events| bar.set_position(events));
            bar.finish_and_clear();
            held?;
        }
        let Self(copy, _scratch) = self;
        Ok(copy.finish()?)
    }
}

/// Whether a disk holds what was written to it.
fn read_back(
    reader: &dyn Reader,
    end: Head,
    expected: Vec<ExpectedTree>,
    progress: impl FnMut(u64),
) -> Result<(), Failure> {
    let verifier = Verifier::new(None).with_tree(expected);
    let blocks = reader.blocks_from(Position::FIRST);
    let report = verify::verify_blocks_with(blocks, verifier, progress);
    if let Some(finding) = &report.finding {
        return Err(finding.into());
    }
    let whole = report.events == end.position.map_or(0, Position::number);
    if whole && report.chain_head.is_none_or(|chain| chain == end.chain) {
        return Ok(());
    }
    Err(Failure::from(&Finding {
        verdict: Verdict::Truncated,
        place: Spot::Whole,
        detail: "the disk does not hold what was written to it".to_owned(),
    }))
}

/// An export file that is copied to.
pub(crate) struct NewExport {
    path: PathBuf,
    unfinished: PathBuf,
    writer: ExportWriter<BufWriter<File>>,
}

impl NewExport {
    /// Opens an export file to make it longer, or makes one, or goes on with one that
    /// was not finished. What is there is read and verified.
    pub(crate) fn open(path: &Path, ledger: LedgerId) -> Result<Self, Failure> {
        let mut name = path.as_os_str().to_owned();
        name.push(UNFINISHED);
        let unfinished = PathBuf::from(name);
        let failed = |error: io::Error| Failure::file(&unfinished, &error);
        if path.exists() {
            let there = named_in(path)?;
            if there != ledger {
                return Err(other_ledger(ledger, there));
            }
            if !unfinished.exists() {
                fs::copy(path, &unfinished).map_err(failed)?;
            }
        }
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&unfinished)
            .map_err(failed)?;
        let kept = match Unfinished::read(&mut file, ledger) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(other_ledger(ledger, named_in(&unfinished)?));
            }
            read => read.map_err(failed)?,
        };
        let bytes = kept.as_ref().map_or(0, |kept| kept.bytes);
        file.set_len(bytes)
            .and_then(|()| file.seek(SeekFrom::Start(bytes)))
            .map_err(failed)?;
        let out = BufWriter::with_capacity(1 << 20, file);
        let writer = match kept {
            Some(kept) => ExportWriter::resume(out, kept),
            None => ExportWriter::new(out, ledger).map_err(failed)?,
        };
        Ok(Self {
            path: path.to_owned(),
            unfinished: unfinished.clone(),
            writer,
        })
    }

    pub(crate) fn target(&mut self) -> &mut ExportWriter<BufWriter<File>> {
        &mut self.writer
    }

    /// Leaves it as it is. Nothing stays of what can be had again from the file that was
    /// to be longer.
    pub(crate) fn abandon(self) {
        drop(self.writer);
        if self.path.exists() {
            // Whatever keeps it there, it does no harm.
            let _kept = fs::remove_file(&self.unfinished);
        }
    }

    /// Ends the file; from now on it has its name.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::file(&self.unfinished, &error);
        let (out, _) = self.writer.finish().map_err(failed)?;
        let file = out.into_inner().map_err(|e| failed(e.into_error()))?;
        file.sync_all().map_err(failed)?;
        fs::rename(&self.unfinished, &self.path).map_err(failed)?;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        storage::sync_dir(dir.unwrap_or_else(|| ".".as_ref())).map_err(failed)
    }
}

/// The ledger that the header of an export file names.
fn named_in(path: &Path) -> Result<LedgerId, Failure> {
    let mut header = Vec::new();
    File::open(path)
        .and_then(|file| file.take(32).read_to_end(&mut header))
        .map_err(|error| Failure::file(path, &error))?;
    let id = header.get(16..).and_then(|id| id.try_into().ok());
    match id {
        Some(id) if export::is_export(&header) => Ok(LedgerId::new(Uuid::from_bytes(id))),
        Some(_) | None => Err(Failure::from(&Finding {
            verdict: Verdict::Unreadable,
            place: Spot::FileHeader,
            detail: format!("{} is no luzhang export", path.display()),
        })),
    }
}

pub(crate) fn other_ledger(found: LedgerId, expected: LedgerId) -> Failure {
    let error: copy::CopyError<Failure> = copy::CopyError::OtherLedger { found, expected };
    Failure {
        exit: exit::CONFLICT,
        ..error.into()
    }
}
