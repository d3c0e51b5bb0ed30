//! `luzhang backup`: a shelf of blocks beside a ledger that goes on.

pub(crate) mod restore;
mod verify;

use std::path::PathBuf;

use indicatif::ProgressBar;
use jiff::Timestamp;
use luzhang_ledger::{
    LedgerId, Position,
    log::{
        ReadError,
        backup::{Manifest, ShelfWriter, Stamp},
        copy::{self, Copied, SupplyError, Target as _},
    },
    proof::SignedCheckpoint,
};
use luzhang_proto::wire;
use luzhang_server::{checkpoints, notes::Noted};
use serde_json::json;
use tokio::sync::mpsc;
use tonic::Code;
use uuid::Uuid;

use super::{leave_note, open};
use crate::{
    args::{
        Global, Local,
        backup::{BackupArgs, BackupCommand},
    },
    blocks::Blocks,
    client::{Client, Target, progress},
    failure::{Failure, exit},
    lang::Lang,
    output::{self, Format},
    place::{Origin, Place},
    source::pass_on,
};

/// How many blocks of a server wait to be verified.
const WAITING: usize = 64;

pub(crate) async fn run(global: &Global, args: &BackupArgs) -> Result<u8, Failure> {
    if let Some(BackupCommand::Verify { shelf, trust }) = &args.command {
        return verify::run(global, shelf, trust).await;
    }
    let Some(to) = args.to.clone() else {
        return Err(Failure::usage(
            "请用 --to 指明备份目录",
            "say with --to where the backup is",
        ));
    };
    let shelf = Onto {
        root: to,
        file_bytes: args.file_bytes,
        lang: global.lang(),
    };
    let (copied, manifest) = match global.target()? {
        Target::DataDir(local) => {
            let done = tokio::task::spawn_blocking(move || of_dir(&local, &shelf)).await;
            done.map_err(anyhow::Error::from)??
        }
        Target::Server(_) => of_server(global, shelf).await?,
    };
    print(global, &copied, &manifest)?;
    if let Some(dir) = &args.note {
        let head = &manifest.head;
        let end = (head.position.map_or(0, Position::number), head.chain);
        leave_note(dir, Noted::BackedUp, "done", end)?;
    }
    Ok(exit::OK)
}

/// Where a backup goes.
struct Onto {
    root: PathBuf,
    file_bytes: u64,
    lang: Lang,
}

impl Onto {
    fn open(&self, ledger: LedgerId) -> Result<ShelfWriter, Failure> {
        let written = Stamp {
            by: concat!("luzhang ", env!("CARGO_PKG_VERSION")).to_owned(),
            at: Timestamp::now().as_microsecond(),
        };
        let writer = ShelfWriter::open(&self.root, ledger, written, self.file_bytes)?;
        if writer.head().position.is_none() {
            keys_note(self.lang);
        }
        Ok(writer)
    }

    fn what(&self) -> &'static str {
        self.lang.pick("备份", "backing up")
    }
}

/// A ledger that no server has open.
fn of_dir(local: &Local, onto: &Onto) -> Result<(Copied, Manifest), Failure> {
    let origin = Origin::open(&Place::Dir(local.dir.clone()), &local.database, None)?;
    let mut writer = onto.open(origin.ledger)?;
    let copied = origin.copy_to(&mut writer, None, onto.what())?;
    let checkpoint = checkpoints::published(&local.dir).unwrap_or_else(|error| {
        output::note!("{error}");
        None
    });
    Ok((copied, writer.finish(checkpoint)?))
}

/// A ledger that goes on meanwhile.
async fn of_server(global: &Global, onto: Onto) -> Result<(Copied, Manifest), Failure> {
    let client = open(global).await?;
    let done = online(&client, onto).await;
    client.close().await?;
    done
}

async fn online(client: &Client, onto: Onto) -> Result<(Copied, Manifest), Failure> {
    // Before the blocks, so that it covers no more than they do.
    let checkpoint = newest_checkpoint(client, onto.lang).await?;
    let head = client.audit().get_head(wire::GetHeadRequest {}).await?;
    let ledger = Uuid::try_parse(&head.into_inner().ledger_id).map(LedgerId::new);
    let ledger = ledger.map_err(anyhow::Error::from)?;
    let what = onto.what();
    let opened = tokio::task::spawn_blocking(move || onto.open(ledger)).await;
    let mut writer = opened.map_err(anyhow::Error::from)??;
    let from = writer.head().position.map_or(1, Position::number);
    let blocks = Blocks::from(client, from).await?;
    let bar = progress(what);
    bar.set_length(blocks.head.position);
    let (send, receive) = mpsc::channel(WAITING);
    let copying = tokio::task::spawn_blocking({
        let bar = bar.clone();
        move || {
            let copied = of_stream(ledger, receive, &mut writer, &bar);
            (copied, writer)
        }
    });
    let streamed = pass_on(blocks, send).await;
    let (copied, writer) = copying.await.map_err(anyhow::Error::from)?;
    bar.finish_and_clear();
    let finishing = tokio::task::spawn_blocking(move || match copied {
        Ok(copied) => Ok((copied, writer.finish(checkpoint)?)),
        Err(failure) => Err(failure),
    });
    let finished = finishing.await.map_err(anyhow::Error::from)?;
    // Blocks that did not come are no end of the log; those that came are kept.
    streamed?;
    finished
}

fn of_stream(
    ledger: LedgerId,
    mut receive: mpsc::Receiver<Result<Vec<u8>, ReadError>>,
    writer: &mut ShelfWriter,
    bar: &ProgressBar,
) -> Result<Copied, Failure> {
    let blocks = std::iter::from_fn(move || receive.blocking_recv());
    let blocks = blocks.map(|block| Ok::<_, SupplyError>(block?));
    let copied = copy::copy(blocks, ledger, writer, None, |position| {
        bar.set_position(position.number());
    });
    Ok(copied?)
}

/// The checkpoint that goes beside the blocks. A ledger that has none is backed up all
/// the same, and so is one that cannot sign at the moment.
async fn newest_checkpoint(
    client: &Client,
    lang: Lang,
) -> Result<Option<SignedCheckpoint>, Failure> {
    let request = wire::GetCheckpointRequest { covering: 0 };
    let answer = match client.proofs().get_checkpoint(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            let none = matches!(
                status.code(),
                Code::FailedPrecondition | Code::Unavailable | Code::NotFound
            );
            let failure = Failure::from(status);
            if !none {
                return Err(failure);
            }
            output::note!("{}", failure.text(lang));
            return Ok(None);
        }
    };
    let parsed = SignedCheckpoint::parse(answer.checkpoint.as_bytes());
    Ok(Some(parsed.map_err(anyhow::Error::from)?))
}

/// What is not in a copy of a log.
pub(super) fn keys_note(lang: Lang) {
    output::note!(
        "{}",
        lang.pick(
            "其中不含密钥：请另行备份 keys 目录，并与主密钥分开保管（docs/BACKUP.md）",
            "keys are not in it: back up the `keys` directory by itself, apart from the \
             key-encryption key (docs/BACKUP.md)"
        )
    );
}

fn print(global: &Global, copied: &Copied, manifest: &Manifest) -> Result<(), Failure> {
    let position = manifest.head.position.map_or(0, Position::number);
    let events = copied.events();
    let bytes = manifest.files.iter().map(|file| file.bytes).sum::<u64>();
    let covered = manifest
        .checkpoint
        .as_ref()
        .map(|signed| signed.head().size);
    let chain = manifest.head.chain;
    let files = manifest.files.len();
    match (global.output, global.lang()) {
        (Format::Json | Format::Ndjson, _) => output::line(
            &json!({
                "schema_version": 1,
                "ledger_id": manifest.ledger.to_string(),
                "position": position,
                "chain_head": chain.to_string(),
                "events": events,
                "blocks": copied.blocks(),
                "files": files,
                "bytes": bytes,
                "checkpoint_size": covered,
            })
            .to_string(),
        ),
        (Format::Table | Format::Csv, Lang::Zh) => {
            output::line(&format!(
                "新备份 {events} 个事件（共 {files} 个文件、{bytes} 字节），链头 {position}:{chain}"
            ))?;
            output::line(&covered.map_or_else(
                || "其中没有检查点".to_owned(),
                |size| format!("其中的检查点覆盖 {size} 个事件"),
            ))
        }
        (Format::Table | Format::Csv, Lang::En) => {
            output::line(&format!(
                "backed up {events} more events (files: {files}, bytes: {bytes}), chain head \
                 {position}:{chain}"
            ))?;
            output::line(&covered.map_or_else(
                || "there is no checkpoint in it".to_owned(),
                |size| format!("the checkpoint in it covers {size} events"),
            ))
        }
    }
}
