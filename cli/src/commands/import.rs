//! `luzhang import`: a bureau's tables, row by row.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use luzhang_ledger::identity::{CheckDigit, CreditCode};
use luzhang_proto::wire::{self, command::Body};
use serde_json::{Value, json};

use super::open;
use crate::{
    args::{Global, ImportArgs},
    client,
    failure::{Failure, exit},
    import::{
        Job, Layout, Outcome, ParsedRow, Reason, Row, RowResult, Submission, Table, write_annotated,
    },
    lang::Lang,
    output::{self, Format},
};

/// What became of one file.
pub(crate) struct FileReport {
    pub(crate) file: String,
    pub(crate) results: Vec<RowResult>,
}

/// How many rows ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
    pub(crate) rejected: usize,
    pub(crate) replayed: usize,
}

impl FileReport {
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for result in &self.results {
            *match result.outcome {
                Outcome::Accepted => &mut counts.accepted,
                Outcome::Refused => &mut counts.refused,
                Outcome::Rejected => &mut counts.rejected,
                Outcome::Replayed => &mut counts.replayed,
            } += 1;
        }
        counts
    }
}

impl Counts {
    fn add(self, other: Self) -> Self {
        Self {
            accepted: self.accepted + other.accepted,
            refused: self.refused + other.refused,
            rejected: self.rejected + other.rejected,
            replayed: self.replayed + other.replayed,
        }
    }

    fn exit_code(self) -> u8 {
        if self.rejected > 0 {
            exit::ERROR
        } else if self.refused > 0 {
            exit::REFUSED
        } else {
            exit::OK
        }
    }
}

pub(crate) async fn run(global: &Global, args: &ImportArgs) -> Result<u8, Failure> {
    check_result_path(args)?;
    let client = open(global).await?;
    let job = Job::new(&client, args.submission()).await;
    let ended = match job {
        Ok(job) => import_files(global, args, &job).await,
        Err(failure) => Err(failure),
    };
    client.close().await?;
    ended
}

async fn import_files(global: &Global, args: &ImportArgs, job: &Job<'_>) -> Result<u8, Failure> {
    let mut all = Counts::default();
    for (number, file) in args.files.iter().enumerate() {
        let (table, report) = import_file(global, args, job, file).await?;
        all = all.add(report.counts());
        print(global, number, &report)?;
        if let Some(result) = &args.result {
            let path = result_path(result, args.files.len(), file);
            write_annotated(&path, &table, &report.results, global.lang())
                .map_err(|error| Failure::new(error.code(), error.zh(), error.to_string()))?;
        }
    }
    Ok(all.exit_code())
}

/// Imports one table.
pub(crate) async fn import_file(
    global: &Global,
    args: &ImportArgs,
    job: &Job<'_>,
    file: &Path,
) -> Result<(Table, FileReport), Failure> {
    let lang = global.lang();
    let name = file.file_name().map_or_else(
        || file.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    let in_file = |code: &str, zh: String, en: String| {
        Failure::new(code, format!("{name}：{zh}"), format!("{name}: {en}"))
    };
    let table =
        Table::read(file).map_err(|error| in_file(error.code(), error.zh(), error.to_string()))?;
    let layout = Layout::find(&table)
        .map_err(|error| in_file(error.code(), error.zh(), error.to_string()))?;
    if !table.unread_sheets().is_empty() {
        let sheets = table.unread_sheets().join(", ");
        let read = table.sheet().unwrap_or_default();
        match lang {
            Lang::Zh => output::note!("{name}：只读取工作表“{read}”，未读取：{sheets}"),
            Lang::En => output::note!("{name}: only sheet “{read}” is read, not: {sheets}"),
        }
    }
    let mut results: Vec<Option<RowResult>> = Vec::with_capacity(table.rows().len());
    let mut rows = Vec::with_capacity(table.rows().len());
    for (place, row) in table.rows().iter().enumerate() {
        match layout.row(row) {
            Ok(mut parsed) => {
                if args.accept_check_digits {
                    accept_check_digits(&mut parsed);
                }
                results.push(None);
                rows.push((place, parsed));
            }
            Err(errors) => results.push(Some(RowResult {
                row: row.number(),
                key: layout.key(row),
                outcome: Outcome::Rejected,
                reasons: errors
                    .into_iter()
                    .map(|error| Reason {
                        code: error.code.to_owned(),
                        zh: in_column(error.column, &error.zh, Lang::Zh),
                        en: in_column(error.column, &error.en, Lang::En),
                    })
                    .collect(),
                position: None,
            })),
        }
    }
    let bar = client::progress(&name);
    bar.set_length(rows.len() as u64);
    let decided = job
        .submit(layout.template(), rows, |done| bar.inc(done))
        .await;
    bar.finish_and_clear();
    for (place, key, outcome) in decided? {
        let row = table.rows().get(place).map_or(0, Row::number);
        if let Some(slot) = results.get_mut(place) {
            *slot = Some(outcome.into_result(row, key));
        }
    }
    let report = FileReport {
        file: name,
        results: results.into_iter().flatten().collect(),
    };
    Ok((table, report))
}

fn in_column(column: &str, text: &str, lang: Lang) -> String {
    match (column, lang) {
        ("", _) => text.to_owned(),
        (column, Lang::Zh) => format!("“{column}”：{text}"),
        (column, Lang::En) => format!("“{column}”: {text}"),
    }
}

/// Marks the credit codes whose check digit does not match as accepted, and
/// only those, so that the other rows stay the same requests.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others name no organisation"
)]
fn accept_check_digits(row: &mut ParsedRow) {
    let mark = |organisation: &mut Option<wire::Organisation>| {
        if let Some(organisation) = organisation {
            let code = CreditCode::parse(&organisation.credit_code, CheckDigit::Overridden);
            organisation.accept_check_digit = code.is_ok_and(|code| !code.check_digit_matches());
        }
    };
    match &mut row.body {
        Body::Course(fact) => mark(&mut fact.provider),
        Body::Plaque(fact) => mark(&mut fact.applicant),
        Body::SkillBase(claim) => mark(&mut claim.entity),
        Body::ServiceSubsidy(claim) => {
            mark(&mut claim.agency);
            mark(&mut claim.employer);
        }
        Body::Loan(claim) => {
            let kind = claim
                .borrower
                .as_mut()
                .and_then(|borrower| borrower.kind.as_mut());
            if let Some(wire::borrower::Kind::SmallFirm(firm)) = kind {
                let mut organisation = Some(std::mem::take(firm));
                mark(&mut organisation);
                *firm = organisation.unwrap_or_default();
            }
        }
        Body::ContractEnd(fact) => mark(&mut fact.employer),
        Body::Correction(correction) => {
            use wire::correction::Now;
            match &mut correction.now {
                Some(Now::Course(fact)) => mark(&mut fact.provider),
                Some(Now::Plaque(fact)) => mark(&mut fact.applicant),
                Some(Now::ContractEnd(fact)) => mark(&mut fact.employer),
                _ => {}
            }
        }
        Body::Subsidy(claim) => {
            use wire::recipient::Kind as K;
            let kind = claim.recipient.as_mut().and_then(|r| r.kind.as_mut());
            if let Some(K::Organisation(organisation)) = kind {
                let mut taken = Some(std::mem::take(organisation));
                mark(&mut taken);
                *organisation = taken.unwrap_or_default();
            }
        }
        Body::Account(account) => {
            use wire::account::Holder as H;
            if let Some(H::Organisation(organisation)) = &mut account.holder {
                let mut taken = Some(std::mem::take(organisation));
                mark(&mut taken);
                *organisation = taken.unwrap_or_default();
            }
        }
        _ => {}
    }
}

impl ImportArgs {
    /// How rows are to be submitted.
    pub(crate) fn submission(&self) -> Submission {
        match (self.dry_run, self.resubmit) {
            (true, _) => Submission::DryRun,
            (false, true) => Submission::NewAttempt,
            (false, false) => Submission::Once,
        }
    }
}

fn check_result_path(args: &ImportArgs) -> Result<(), Failure> {
    let Some(result) = &args.result else {
        return Ok(());
    };
    let tables: Vec<PathBuf> = args
        .files
        .iter()
        .filter_map(|f| f.canonicalize().ok())
        .collect();
    let mut taken = BTreeSet::new();
    for file in &args.files {
        let path = result_path(result, args.files.len(), file);
        if path.canonicalize().is_ok_and(|path| tables.contains(&path)) {
            return Err(Failure::usage(
                "--result 不能覆盖原表，请换一个文件名",
                "--result would replace the table itself: choose another name",
            ));
        }
        if !taken.insert(path) {
            return Err(Failure::usage(
                "--result 的目录里会有两个同名文件：请分别导入，或先改名",
                "--result would have two files of one name: import them apart, or rename one",
            ));
        }
    }
    if args.files.len() > 1 {
        fs::create_dir_all(result).map_err(|error| Failure::file(result, &error))?;
    }
    Ok(())
}

/// One file's result goes to the path given; those of several into it.
fn result_path(result: &Path, files: usize, file: &Path) -> PathBuf {
    match (files, file.file_name()) {
        (1, _) | (_, None) => result.to_owned(),
        (_, Some(name)) => result.join(name),
    }
}

/// A row's result as JSON.
fn row_json(file: &str, result: &RowResult) -> Value {
    json!({
        "file": file,
        "row": result.row,
        "key": result.key,
        "outcome": result.outcome.word(),
        "codes": result.codes(),
        "position": result.position,
    })
}

/// `number` counts the files from 0.
fn print(global: &Global, number: usize, report: &FileReport) -> Result<(), Failure> {
    let counts = report.counts();
    let lang = global.lang();
    match global.output {
        Format::Json => output::line(
            &json!({
                "schema_version": 1,
                "file": report.file,
                "rows": report.results.len(),
                "accepted": counts.accepted,
                "refused": counts.refused,
                "rejected": counts.rejected,
                "replayed": counts.replayed,
            })
            .to_string(),
        ),
        Format::Ndjson => report
            .results
            .iter()
            .try_for_each(|result| output::line(&row_json(&report.file, result).to_string())),
        Format::Csv => {
            let rows = report.results.iter().map(|result| {
                vec![
                    report.file.clone(),
                    result.row.to_string(),
                    result.key.clone(),
                    result.outcome.word().to_owned(),
                    result.codes().join(";"),
                    result.position.map_or(String::new(), |p| p.to_string()),
                ]
            });
            // All files together are one table.
            let columns: &[&str] = match number {
                0 => &["file", "row", "key", "outcome", "codes", "position"],
                _ => &[],
            };
            output::sheet(columns, &[], rows.collect()).print(Format::Csv, serde_json::Map::new())
        }
        Format::Table => {
            output::line(&summary(report, lang))?;
            for result in &report.results {
                let shown = matches!(result.outcome, Outcome::Refused | Outcome::Rejected)
                    || !result.reasons.is_empty();
                if shown {
                    output::line(&row_line(result, lang))?;
                }
            }
            Ok(())
        }
    }
}

/// One line on a file.
pub(crate) fn summary(report: &FileReport, lang: Lang) -> String {
    let counts = report.counts();
    let Counts {
        accepted,
        refused,
        rejected,
        replayed,
    } = counts;
    let (file, rows) = (&report.file, report.results.len());
    match lang {
        Lang::Zh => format!(
            "{file}：共 {rows} 行，通过 {accepted}，不予受理 {refused}，退回修改 {rejected}，已办理 {replayed}"
        ),
        Lang::En => format!(
            "{file}: {rows} rows, {accepted} accepted, {refused} refused, {rejected} rejected, \
             {replayed} replayed"
        ),
    }
}

fn row_line(result: &RowResult, lang: Lang) -> String {
    let reasons: Vec<String> = result
        .reasons
        .iter()
        .map(|reason| format!("{} {}", reason.code, lang.pick(&reason.zh, &reason.en)))
        .collect();
    let reasons = reasons.join(lang.pick("；", "; "));
    let (row, key, word) = (result.row, &result.key, result.outcome.label(lang));
    match lang {
        Lang::Zh => format!("  第 {row} 行 {key} {word}：{reasons}"),
        Lang::En => format!("  row {row} {key} {word}: {reasons}"),
    }
}
