//! Reports: from the verified log, through a fold, into a file. The same log and
//! the same question give the same bytes on every machine: nothing here asks a
//! clock, a locale or the order of a map.

mod check;
mod cover;
mod form;
mod names;

use std::{
    fs::File,
    io,
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use luzhang_projections::report::{Cell, Cover, Problem, Query, Report};

use self::form::{Foot, Head, Writer};
pub(crate) use self::{
    check::{Difference, Found, check},
    form::Form,
};
use crate::{
    args::Global,
    failure::{Failure, exit},
    lang::Lang,
    source::Source,
};

/// A report that was made.
pub(crate) struct Made {
    /// What it was made of.
    pub(crate) cover: Cover,
    /// The cover as it was written.
    pub(crate) pairs: Vec<(&'static str, String)>,
    names: cover::Names,
}

/// A report under way.
struct Making {
    report: Report,
    form: Form,
    lang: Lang,
    /// Until the first row: then the form has it.
    file: Option<File>,
    writer: Option<Box<dyn Writer>>,
    failed: Option<Failure>,
}

impl Making {
    fn row(&mut self, row: &[Cell]) -> Result<(), Failure> {
        self.begun()?.row(row)
    }

    /// The form, begun now if it was not. The columns of a publicity list are
    /// known when its rows are.
    fn begun(&mut self) -> Result<&mut dyn Writer, Failure> {
        if self.writer.is_none() {
            let head = Head {
                report: self.report.query().report,
                columns: self.report.columns(),
                lang: self.lang,
            };
            let file = self.file.take().ok_or_else(gone)?;
            self.writer = Some(form::begin(self.form, head, file)?);
        }
        match &mut self.writer {
            Some(writer) => Ok(&mut **writer),
            None => Err(gone()),
        }
    }
}

fn gone() -> Failure {
    anyhow::anyhow!("the report's file is gone").into()
}

/// Makes a report in `file`. Ends early, with nothing to show, on Ctrl-C.
pub(crate) async fn make(
    global: &Global,
    source: &Source,
    query: Query,
    (form, lang): (Form, Lang),
    file: File,
) -> Result<Made, Failure> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&cancelled);
    let listening = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.store(true, Ordering::Relaxed);
        }
    });
    let made = making(
        global,
        source,
        Box::new(Making {
            report: Report::new(query),
            form,
            lang,
            file: Some(file),
            writer: None,
            failed: None,
        }),
        &cancelled,
    )
    .await;
    listening.abort();
    if cancelled.load(Ordering::Relaxed) {
        return Err(Failure::new(
            "REPORT_CANCELLED",
            "已取消，没有写出任何文件",
            "cancelled; no file was written",
        ));
    }
    made
}

async fn making(
    global: &Global,
    source: &Source,
    making: Box<Making>,
    cancelled: &Arc<AtomicBool>,
) -> Result<Made, Failure> {
    let stop = Arc::clone(cancelled);
    let what = ("编制报表", "making the report");
    let walked = source.walk(global, what, making, move |making, event| {
        if stop.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        let mut rows = Vec::new();
        let ended = making.report.take(event, event.hash, &mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        });
        for row in rows {
            if let Err(error) = making.row(&row) {
                making.failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ended
    });
    let mut making = walked.await?;
    if let Some(error) = making.failed.take() {
        return Err(error);
    }
    let position = making.report.cover().position;
    let subjects = making.report.subjects();
    let (shown, names) = names::shown(global, source, subjects, position).await?;
    let stop = Arc::clone(cancelled);
    let finishing = tokio::task::spawn_blocking(move || {
        let columns = making.report.columns();
        let Making {
            mut report,
            form,
            lang,
            mut file,
            mut writer,
            ..
        } = *making;
        if writer.is_none() {
            let head = Head {
                report: report.query().report,
                columns,
                lang,
            };
            writer = Some(form::begin(form, head, file.take().ok_or_else(gone)?)?);
        }
        let mut writer = writer.ok_or_else(gone)?;
        let mut failed = None;
        let ended = report.finish(&shown, &mut |row| {
            if stop.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            match writer.row(&row) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        let _all = ended.map_err(|error| problem(&error))?;
        if let Some(error) = failed {
            return Err(error);
        }
        let cover = report.cover();
        let pairs = cover::pairs(&cover, lang, names);
        let foot = Foot {
            cover: &cover,
            pairs: pairs.clone(),
        };
        writer.end(&foot)?;
        Ok(Made {
            cover,
            pairs,
            names,
        })
    });
    finishing.await.map_err(anyhow::Error::from)?
}

fn problem(problem: &Problem) -> Failure {
    let exit = match problem {
        Problem::Beyond(_) | Problem::Notice(_) | Problem::Subject => exit::NOT_FOUND,
        Problem::Programme { .. } | Problem::Fund { .. } => exit::USAGE,
    };
    Failure {
        exit,
        ..Failure::new(problem.code(), problem.zh(), problem.to_string())
    }
}

/// Makes a report into a file that must not exist, or onto stdout. A report that
/// fails or is cancelled leaves no file.
pub(crate) async fn write(
    global: &Global,
    source: &Source,
    query: Query,
    form: (Form, Lang),
    out: Option<&Path>,
) -> Result<Made, Failure> {
    let Some(out) = out else {
        let mut scratch = tempfile::tempfile()?;
        let made = make(global, source, query, form, scratch.try_clone()?).await?;
        io::Seek::rewind(&mut scratch)?;
        let mut stdout = io::stdout().lock();
        return match io::copy(&mut scratch, &mut stdout).map(|_| ()) {
            // A reader that has gone away (`| head`) is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(made),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(made),
        };
    };
    let failed = |error: &dyn core::fmt::Display| Failure::file(out, error);
    if out.exists() {
        let error = io::Error::from(io::ErrorKind::AlreadyExists);
        return Err(failed(&error));
    }
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let scratch = tempfile::Builder::new()
        .prefix(".luzhang-report-")
        .tempfile_in(parent)
        .map_err(|error| failed(&error))?;
    let file = scratch.as_file().try_clone()?;
    let made = make(global, source, query, form, file).await?;
    readable(scratch.as_file())?;
    scratch
        .persist_noclobber(out)
        .map_err(|error| failed(&error.error))?;
    Ok(made)
}

/// A temporary file is its owner's alone; a report is as readable as any file.
fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
