//! `luzhang audit`: export and verify the chain.

mod anchors;
mod difference;

use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, Read, Seek as _, SeekFrom},
    path::Path,
    sync::mpsc,
};

use luzhang_ledger::{
    Hash, LedgerId, Position,
    block::Head,
    export::{self, ExportWriter},
    log::{
        ReadError,
        sled::{AuditLog, OpenError},
    },
    proof::TreeHead,
    verify::{self, Anchor, Finding, Place, Report, Verdict, Verifier},
};
use luzhang_proto::wire;
use luzhang_server::{EngineError, checkpoints, engine::open_for_audit, notes::Noted, replay};
use serde_json::json;
use uuid::Uuid;

use self::anchors::Anchors;
use super::{leave_note, open, redecide, watch};
use crate::{
    args::{AuditCommand, Global, Local, VerifyArgs},
    blocks::Blocks,
    client::{Target, progress},
    failure::{Failure, exit},
    lang::Lang,
    message,
    output::{self, Format},
    source::Source,
    tiles::TileSource,
};

pub(crate) async fn run(global: &Global, command: &AuditCommand) -> Result<u8, Failure> {
    match command {
        AuditCommand::Verify(args) => verify(global, args).await,
        AuditCommand::Export { out } => export(global, out).await,
        AuditCommand::Head => head(global).await,
        AuditCommand::Watch(args) => watch::run(global, args).await,
        AuditCommand::Redecide { file } => redecide::run(global, file.as_deref()).await,
    }
}

async fn verify(global: &Global, args: &VerifyArgs) -> Result<u8, Failure> {
    let anchors = anchors::gather(global, args).await?;
    let mut report = match &args.file {
        Some(file) => verify_file_with(file, anchors.verifier(&[]), global.lang())?,
        None => match global.target()? {
            Target::DataDir(local) => verify_dir(&local, &anchors, global.lang())?,
            Target::Server(_) => verify_server(global, anchors.verifier(&[])).await?,
        },
    };
    if let Some((tiles, head)) = anchors.published() {
        narrow(global, args, &mut report, tiles, head).await?;
    }
    print(global, &report)?;
    if let Some(dir) = &args.note {
        let chain = report.chain_head.unwrap_or(Hash::from_bytes([0; 32]));
        let result = report.verdict.word();
        leave_note(dir, Noted::Verified, result, (report.events, chain))?;
    }
    Ok(report.verdict.exit_code())
}

/// Of a log that is not the published one: names the first event that differs.
async fn narrow(
    global: &Global,
    args: &VerifyArgs,
    report: &mut Report,
    tiles: &TileSource,
    head: TreeHead,
) -> Result<(), Failure> {
    let Some(finding) = &mut report.finding else {
        return Ok(());
    };
    let of_tree = head.last().map(Place::Event);
    if finding.verdict != Verdict::Forked || Some(finding.place) != of_tree {
        return Ok(());
    }
    let source = Source::of(global, args.file.as_deref())?;
    if let Some(position) = difference::first(global, &source, tiles, head).await? {
        finding.place = Place::Event(position);
        finding.detail = format!("the tree in {tiles} has another event here");
    }
    Ok(())
}

/// Verifies an export file. Anything that cannot be read is a verdict too.
pub(crate) fn verify_file(
    path: &Path,
    anchor: Option<Anchor>,
    lang: Lang,
) -> Result<Report, Failure> {
    verify_file_with(path, Verifier::new(anchor), lang)
}

fn verify_file_with(path: &Path, verifier: Verifier, lang: Lang) -> Result<Report, Failure> {
    let mut file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    let mut first = Vec::new();
    let begun = Read::take(&mut file, 16)
        .read_to_end(&mut first)
        .and_then(|_| file.seek(SeekFrom::Start(0)));
    if let Err(error) = begun {
        return Ok(nothing(
            Verdict::Unreadable,
            verify::unreadable(&error).detail,
        ));
    }
    let bar = progress(lang.pick("核验", "verifying"));
    let input = BufReader::with_capacity(1 << 20, file);
    let report = export::verify_export_with(input, verifier, |events| bar.set_position(events));
    bar.finish_and_clear();
    Ok(report)
}

fn verify_dir(local: &Local, anchors: &Anchors, lang: Lang) -> Result<Report, Failure> {
    let dir = local.dir.as_path();
    let beside = match checkpoints::kept_heads(dir) {
        Ok(heads) => heads,
        Err(error) => return Ok(nothing(Verdict::Unreadable, error.to_string())),
    };
    let scratch = tempfile::tempdir()?;
    let log = match open_for_audit(dir, scratch.path(), &local.database) {
        Ok(log) => log,
        Err(EngineError::Log(error @ OpenError::Locked { .. })) => return Err(error.into()),
        Err(EngineError::Log(error)) => {
            return Ok(nothing(verdict_of(&error), error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let bar = progress(lang.pick("核验", "verifying"));
    let blocks = log.reader.blocks_from(Position::FIRST);
    let verifier = anchors.verifier(&beside);
    let report = verify::verify_blocks_with(blocks, verifier, |events| bar.set_position(events));
    bar.finish_and_clear();
    Ok(against_witness(&log, report))
}

/// What an unopenable ledger is, in one word.
fn verdict_of(error: &OpenError) -> Verdict {
    match error.code() {
        "LEDGER_TRUNCATED" => Verdict::Truncated,
        "LEDGER_FORKED" => Verdict::Forked,
        "LEDGER_EMPTY" => Verdict::Empty,
        _ => Verdict::Unreadable,
    }
}

fn nothing(verdict: Verdict, detail: String) -> Report {
    Report {
        verdict,
        events: 0,
        chain_head: None,
        ledger: None,
        tree: None,
        finding: Some(Finding {
            verdict,
            place: Place::Whole,
            detail,
        }),
    }
}

/// The witness lies outside the database: a log that is shorter than it, or that
/// has another event where it was, is not the one that was witnessed.
fn against_witness(log: &AuditLog, report: Report) -> Report {
    let sound = matches!(
        report.verdict,
        Verdict::Intact | Verdict::SelfConsistent | Verdict::Empty
    );
    if !sound {
        return report;
    }
    if report
        .ledger
        .is_some_and(|ledger| ledger != log.format.ledger)
    {
        let detail = "the first event names another ledger than FORMAT".to_owned();
        return found(
            Verdict::Tampered,
            Place::Event(Position::FIRST),
            detail,
            report,
        );
    }
    let witness = match &log.witness {
        Ok(witness) => witness,
        Err(error) => {
            return found(Verdict::Unreadable, Place::Whole, error.to_string(), report);
        }
    };
    let Some(position) = witness.position else {
        return report;
    };
    let events = report.events;
    if position.number() > events {
        let next = Position::new(events.saturating_add(1)).unwrap_or(Position::FIRST);
        let detail = format!("the log ends at {events}, its witness saw {position}");
        return found(Verdict::Truncated, Place::Event(next), detail, report);
    }
    match replay::event_at(&*log.reader, position) {
        Ok(Some(event)) if event.hash == witness.chain => report,
        Ok(_) | Err(_) => {
            let detail = format!("the witness saw another event at {position}");
            found(Verdict::Forked, Place::Event(position), detail, report)
        }
    }
}

/// The report of a chain that holds in itself, with what is wrong beside it.
fn found(verdict: Verdict, place: Place, detail: String, mut report: Report) -> Report {
    report.verdict = verdict;
    report.finding = Some(Finding {
        verdict,
        place,
        detail,
    });
    report
}

async fn verify_server(global: &Global, verifier: Verifier) -> Result<Report, Failure> {
    let client = open(global).await?;
    let mut blocks = Blocks::from(&client, 1).await?;
    let (send, receive) = mpsc::sync_channel::<Result<Vec<u8>, ReadError>>(1_024);
    let verifying = tokio::task::spawn_blocking(move || {
        verify::verify_blocks_with(receive.into_iter(), verifier, |_| {})
    });
    while let Some(block) = blocks.next().await? {
        let send = send.clone();
        let sent = tokio::task::spawn_blocking(move || send.send(Ok(block.into())));
        if sent.await.map_err(anyhow::Error::from)?.is_err() {
            // The verifier has found something and stopped.
            break;
        }
    }
    drop(blocks);
    drop(send);
    let report = verifying.await.map_err(anyhow::Error::from)?;
    client.close().await?;
    Ok(report)
}

fn print(global: &Global, report: &Report) -> Result<(), Failure> {
    let head = report.chain_head.map(|head| head.to_string());
    let bad = report.first_bad_position().map(Position::number);
    let finding = report.finding.as_ref();
    if matches!(global.output, Format::Json | Format::Ndjson) {
        return output::line(
            &json!({
                "schema_version": 1,
                "verdict": report.verdict.word(),
                "events": report.events,
                "chain_head": head,
                "first_bad_position": bad,
                "place": finding.map(|finding| finding.place.to_string()),
                "detail": finding.map(|finding| finding.detail.as_str()),
                "ledger_id": report.ledger.map(|ledger| ledger.to_string()),
                "tree_root": report.tree.map(|tree| tree.root.to_string()),
            })
            .to_string(),
        );
    }
    let lang = global.lang();
    output::line(&verdict_line(report, lang))?;
    if let Some(finding) = finding {
        let place = lang.pick("  位置", "  where");
        output::line(&format!("{place}: {}", finding.place))?;
        output::line(&format!("  {}", finding.detail))?;
    }
    if let Some(head) = head {
        let name = lang.pick("  链头", "  chain head");
        output::line(&format!("{name}: {}:{head}", report.events))?;
    }
    Ok(())
}

/// The verdict as a sentence.
pub(crate) fn verdict_line(report: &Report, lang: Lang) -> String {
    let (zh, en) = match report.verdict {
        Verdict::Intact => (
            "完整：与所给锚点一致",
            "intact: the anchor is on this chain",
        ),
        Verdict::SelfConsistent => (
            "自洽：未给出外部锚点，只能证明自身一致",
            "self-consistent only: no anchor was given to compare with",
        ),
        Verdict::Tampered => ("已被篡改", "tampered: bytes were changed"),
        Verdict::Truncated => ("尾部缺失", "truncated: the end is missing"),
        Verdict::Forked => (
            "分叉：所给锚点不在此链上",
            "forked: the anchor is not on this chain",
        ),
        Verdict::Empty => (
            "空：没有任何事件可核验",
            "empty: there is nothing to verify",
        ),
        Verdict::Unreadable => (
            "无法读取",
            "unreadable: this is no ledger, or it cannot be read",
        ),
    };
    match lang {
        Lang::Zh => format!("{zh}（{} 个事件）", report.events),
        Lang::En => format!("{en} ({} events)", report.events),
    }
}

/// Writes all blocks to a new file, and says the chain's head as
/// `POSITION:HASH`.
pub(super) async fn export_to(global: &Global, out: &Path) -> Result<String, Failure> {
    let head = exported(global, out).await?;
    let position = head.position.map_or(0, Position::number);
    Ok(format!("{position}:{}", head.chain))
}

async fn exported(global: &Global, out: &Path) -> Result<Head, Failure> {
    let target = global.target()?;
    let file = OpenOptions::new().write(true).create_new(true).open(out);
    let file = file.map_err(|error| Failure::file(out, &error))?;
    let written = match target {
        Target::DataDir(local) => export_dir(&local, file),
        Target::Server(_) => export_server(global, file).await,
    };
    if written.is_err() {
        // Half an export is worse than none. What cannot be removed either
        // does not verify.
        let _kept = fs::remove_file(out);
    }
    written
}

async fn export(global: &Global, out: &Path) -> Result<u8, Failure> {
    let head = exported(global, out).await?;
    let events = head.position.map_or(0, Position::number);
    match (global.output, global.lang()) {
        (Format::Json | Format::Ndjson, _) => output::line(
            &json!({
                "schema_version": 1,
                "file": out.display().to_string(),
                "events": events,
                "blocks": head.height,
                "chain_head": head.chain.to_string(),
            })
            .to_string(),
        )?,
        (Format::Table | Format::Csv, Lang::Zh) => output::line(&format!(
            "已导出 {events} 个事件到 {}，链头 {events}:{}",
            out.display(),
            head.chain
        ))?,
        (Format::Table | Format::Csv, Lang::En) => output::line(&format!(
            "exported {events} events to {}, chain head {events}:{}",
            out.display(),
            head.chain
        ))?,
    }
    Ok(exit::OK)
}

fn export_dir(local: &Local, file: File) -> Result<Head, Failure> {
    let scratch = tempfile::tempdir()?;
    let log = open_for_audit(&local.dir, scratch.path(), &local.database)?;
    let mut writer = ExportWriter::new(BufWriter::new(file), log.format.ledger)?;
    for block in log.reader.blocks_from(Position::FIRST) {
        let block = block.map_err(anyhow::Error::from)?;
        writer.block(&block)?;
    }
    finish(writer)
}

async fn export_server(global: &Global, file: File) -> Result<Head, Failure> {
    let client = open(global).await?;
    let mut blocks = Blocks::from(&client, 1).await?;
    let ledger = Uuid::try_parse(&blocks.head.ledger_id).map_err(anyhow::Error::from)?;
    let mut writer = ExportWriter::new(BufWriter::new(file), LedgerId::new(ledger))?;
    while let Some(block) = blocks.next().await? {
        writer.block(&block)?;
    }
    drop(blocks);
    client.close().await?;
    finish(writer)
}

fn finish(writer: ExportWriter<BufWriter<File>>) -> Result<Head, Failure> {
    let (file, head) = writer.finish()?;
    let file = file
        .into_inner()
        .map_err(|error| Failure::from(error.into_error()))?;
    file.sync_all()?;
    Ok(head)
}

async fn head(global: &Global) -> Result<u8, Failure> {
    let client = open(global).await?;
    let answer = client.audit().get_head(wire::GetHeadRequest {}).await;
    client.close().await?;
    let head = answer?.into_inner();
    let chain = message::hex(&head.chain_head);
    match global.output {
        Format::Json | Format::Ndjson => output::line(
            &json!({
                "schema_version": 1,
                "ledger_id": head.ledger_id,
                "position": head.position,
                "chain_head": chain,
                "blocks": head.height,
            })
            .to_string(),
        )?,
        Format::Table | Format::Csv => output::line(&format!("{}:{chain}", head.position))?,
    }
    Ok(exit::OK)
}
