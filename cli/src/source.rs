//! One way to walk a whole log: an export file, a data directory or a server. It
//! is verified while it is read and decoded on all cores; what is computed from
//! it counts only if the walk ends well.

use std::{
    fs::File,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use indicatif::ProgressBar;
use luzhang_ledger::{
    Body, Position,
    export::VerifiedBlocks,
    log::{ReadError, sled::AuditLog},
    verify::{Finding, Place, Verdict},
};
use luzhang_server::{
    engine::{DatabaseOptions, open_for_audit},
    replay::{self, ReplayError, Replayed},
};
use tokio::sync::mpsc;

use crate::{
    args::Global,
    blocks::Blocks,
    client::{Client, Target, progress},
    failure::Failure,
};

/// How many blocks of a server wait to be verified.
const WAITING: usize = 64;

/// Where a log is read from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// An export file.
    File(PathBuf),
    /// A data directory; a copy of it is read.
    Dir(PathBuf, DatabaseOptions),
    /// The server that the options name.
    Server,
}

impl Source {
    /// The file if one is given, else the ledger that the options name.
    pub(crate) fn of(global: &Global, file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(file) = file {
            return Ok(Self::File(file.to_owned()));
        }
        Ok(match global.target()? {
            Target::DataDir(local) => Self::Dir(local.dir, local.database),
            Target::Server(_) => Self::Server,
        })
    }

    /// Hands every event in order to `step`, which folds it into `fold` and may
    /// end the walk. What follows the end is not verified.
    ///
    /// `what` is shown beside the progress, in Chinese and English.
    pub(crate) async fn walk<F, S>(
        &self,
        global: &Global,
        what: (&'static str, &'static str),
        fold: F,
        mut step: S,
    ) -> Result<F, Failure>
    where
        F: Send + 'static,
        S: FnMut(&mut F, &Replayed) -> ControlFlow<()> + Send + 'static,
    {
        let each = move |fold: &mut F, events: &[Replayed]| {
            events.iter().try_for_each(|event| step(fold, event))
        };
        self.walk_together(global, what, fold, each).await
    }

    /// The same, some events at a time.
    pub(crate) async fn walk_together<F, S>(
        &self,
        global: &Global,
        what: (&'static str, &'static str),
        fold: F,
        step: S,
    ) -> Result<F, Failure>
    where
        F: Send + 'static,
        S: FnMut(&mut F, &[Replayed]) -> ControlFlow<()> + Send + 'static,
    {
        let bar = progress(global.lang().pick(what.0, what.1));
        let walk = Walk {
            fold,
            step,
            events: 0,
            bar: bar.clone(),
        };
        let walked = match self {
            Self::File(path) => {
                let path = path.clone();
                blocking(move || of_file(&path, walk)).await
            }
            Self::Dir(dir, database) => {
                let (dir, database) = (dir.clone(), database.clone());
                blocking(move || of_dir(&dir, &database, walk)).await
            }
            Self::Server => of_server(global, walk).await,
        };
        bar.finish_and_clear();
        walked
    }
}

async fn blocking<F: Send + 'static>(
    work: impl FnOnce() -> Result<F, Failure> + Send + 'static,
) -> Result<F, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(anyhow::Error::from)?
}

/// A fold under way.
struct Walk<F, S> {
    fold: F,
    step: S,
    events: u64,
    bar: ProgressBar,
}

impl<F, S: FnMut(&mut F, &[Replayed]) -> ControlFlow<()>> Walk<F, S> {
    fn take(&mut self, events: &[Replayed]) -> ControlFlow<()> {
        if let Some(last) = events.last() {
            self.events = last.header.position.number();
        }
        (self.step)(&mut self.fold, events)?;
        self.bar.set_position(self.events);
        ControlFlow::Continue(())
    }

    fn end(self, replayed: Result<(), ReplayError>) -> Result<F, Failure> {
        replayed.map_err(|error| failed(&error))?;
        if self.events == 0 {
            return Err(Failure::from(&Finding {
                verdict: Verdict::Empty,
                place: Place::Whole,
                detail: "there are no events".to_owned(),
            }));
        }
        Ok(self.fold)
    }
}

fn of_file<F, S>(path: &Path, mut walk: Walk<F, S>) -> Result<F, Failure>
where
    S: FnMut(&mut F, &[Replayed]) -> ControlFlow<()>,
{
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    let batches = VerifiedBlocks::new(file).map(|batch| batch.map_err(ReplayError::Broken));
    let replayed = replay::replay_verified(batches, |events| walk.take(&events));
    walk.end(replayed)
}

fn of_dir<F, S>(dir: &Path, database: &DatabaseOptions, mut walk: Walk<F, S>) -> Result<F, Failure>
where
    S: FnMut(&mut F, &[Replayed]) -> ControlFlow<()>,
{
    let scratch = tempfile::tempdir()?;
    let log = open_for_audit(dir, scratch.path(), database)?;
    if let Some(finding) = against_witness(&log) {
        return Err(Failure::from(&finding));
    }
    if let Ok(Some(last)) = log.witness.as_ref().map(|witness| witness.position) {
        walk.bar.set_length(last.number());
    }
    let replayed = replay::replay(&*log.reader, |events| walk.take(&events));
    walk.end(replayed)
}

/// What the witness, and `FORMAT`, say against the log. Blocks that cannot be
/// read are for the walk to name.
fn against_witness(log: &AuditLog) -> Option<Finding> {
    let finding = |verdict, place, detail: String| {
        Some(Finding {
            verdict,
            place,
            detail,
        })
    };
    if let Ok(Some(first)) = replay::event_at(&*log.reader, Position::FIRST)
        && let Body::LedgerCreated { ledger, .. } = first.event.body
        && ledger != log.format.ledger
    {
        let detail = "the first event names another ledger than FORMAT".to_owned();
        return finding(Verdict::Tampered, Place::Event(Position::FIRST), detail);
    }
    let witness = match &log.witness {
        Ok(witness) => witness,
        Err(error) => return finding(Verdict::Unreadable, Place::Whole, error.to_string()),
    };
    let position = witness.position?;
    let place = Place::Event(position);
    match replay::event_at(&*log.reader, position) {
        Ok(Some(event)) if event.hash == witness.chain => None,
        Ok(Some(_)) => {
            let detail = format!("the witness saw another event at {position}");
            finding(Verdict::Forked, place, detail)
        }
        Ok(None) => {
            let detail = format!("the log ends before {position}, which its witness saw");
            finding(Verdict::Truncated, place, detail)
        }
        Err(_) => None,
    }
}

async fn of_server<F, S>(global: &Global, mut walk: Walk<F, S>) -> Result<F, Failure>
where
    F: Send + 'static,
    S: FnMut(&mut F, &[Replayed]) -> ControlFlow<()> + Send + 'static,
{
    let client = Client::open(
        &global.target()?,
        global.principal.as_deref(),
        global.lang(),
    )
    .await?;
    let blocks = Blocks::from(&client, 1).await?;
    walk.bar.set_length(blocks.head.position);
    let (send, mut receive) = mpsc::channel::<Result<Vec<u8>, ReadError>>(WAITING);
    let walking = tokio::task::spawn_blocking(move || {
        let blocks = std::iter::from_fn(move || receive.blocking_recv());
        let replayed = replay::replay_blocks(blocks, |events| walk.take(&events));
        walk.end(replayed)
    });
    let streamed = pass_on(blocks, send).await;
    let walked = walking.await.map_err(anyhow::Error::from)?;
    client.close().await?;
    // Blocks that did not come are no end of the log.
    streamed?;
    walked
}

/// Passes a server's blocks on, until nobody takes them any more.
pub(crate) async fn pass_on(
    mut blocks: Blocks<'_>,
    send: mpsc::Sender<Result<Vec<u8>, ReadError>>,
) -> Result<(), Failure> {
    while let Some(block) = blocks.next().await? {
        if send.send(Ok(block.into())).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn failed(error: &ReplayError) -> Failure {
    match error {
        ReplayError::Broken(finding) => finding.into(),
        ReplayError::Read(_) | ReplayError::Event { .. } => Failure::new(
            "LEDGER_UNREADABLE",
            format!("账本读取失败：{error}"),
            error.to_string(),
        ),
    }
}
