//! The figures of earlier commits: a line each in `bench.ndjson`, and
//! `BENCH.md`, which is written from all of them.

use std::{
    env,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::tables::{self, list, text};
use crate::output;

const FILE: &str = "bench.ndjson";
const PAGE: &str = "BENCH.md";
/// Runs whose ratios stand side by side.
const SIDE_BY_SIDE: usize = 6;

const PREFACE: &str = "\
# Figures

Measured by `luzhang bench --compare postgres --record docs`, which adds a line to
[bench.ndjson](bench.ndjson) and writes this page from all its lines. Server and load
share the machine. A ratio is of medians, and more is better; `reach` is what it should
be; `spread` is from the lowest run to the highest, as a part of the median. Rates of one
day are no rates of another: what counts is the ratio to a yardstick of the same run.
";

/// The commit of the checkout that this program was built in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commit {
    hash: String,
    /// Whether files differ from it, those in docs/ aside.
    changed: bool,
}

impl Commit {
    /// Asks git where this program lies, which in a checkout is below `target`.
    /// A program that was installed has no commit.
    pub(super) fn of_program() -> Result<Self> {
        let program = env::current_exe()?;
        let dir = program.parent().context("this program is nowhere")?;
        Self::of(dir)
    }

    fn of(dir: &Path) -> Result<Self> {
        let git = |arguments: &[&str]| -> Result<Output> {
            let mut git = Command::new("git");
            let said = git.arg("-C").arg(dir).args(arguments).output();
            said.context("git does not start")
        };
        // The repository of a home directory, say, is another one.
        let ours = git(&["cat-file", "-e", "HEAD:cli/src/bench/history.rs"])?;
        ensure!(
            ours.status.success(),
            "this program does not lie in a checkout of its source"
        );
        let head = git(&["rev-parse", "HEAD"])?;
        let changes = git(&[
            "status",
            "--porcelain",
            "--untracked-files=no",
            "--",
            ":/",
            ":(exclude,top)docs",
        ])?;
        ensure!(
            head.status.success() && changes.status.success(),
            "git: {}{}",
            String::from_utf8_lossy(&head.stderr).trim(),
            String::from_utf8_lossy(&changes.stderr).trim()
        );
        Ok(Self {
            hash: String::from_utf8(head.stdout)?.trim().to_owned(),
            changed: !changes.stdout.is_empty(),
        })
    }

    pub(super) fn json(&self) -> Value {
        json!({ "hash": self.hash, "changed": self.changed })
    }
}

/// Refuses, before anything is measured, what could not be recorded after it.
pub(super) fn check(dir: &Path, commit: &Result<Commit>) -> Result<()> {
    ensure!(dir.is_dir(), "{} is not a directory", dir.display());
    match commit {
        Err(why) => bail!("no commit to record the figures of: {why:#}"),
        Ok(commit) if commit.changed => {
            bail!("not recorded: files differ from commit {}", commit.hash)
        }
        Ok(_) => Ok(()),
    }
}

/// Adds a document to the history in a directory.
pub(super) fn record(dir: &Path, document: &Value) -> Result<()> {
    let path = dir.join(FILE);
    let mut file = fs::File::options().append(true).create(true).open(&path)?;
    writeln!(file, "{document}")?;
    let lines = fs::read_to_string(&path)?;
    let page = page(&lines).with_context(|| path.display().to_string())?;
    fs::write(dir.join(PAGE), page)?;
    Ok(())
}

/// The page of a history.
fn page(lines: &str) -> Result<String> {
    let runs = lines.lines().map(serde_json::from_str);
    let mut runs: Vec<Value> = runs.collect::<Result<_, _>>()?;
    runs.reverse();
    let mut page = PREFACE.to_owned();
    if !runs.is_empty() {
        page += "\n## Ratios, the newest first\n\n";
        page += &tables::markdown(&side_by_side(&runs));
    }
    for run in &runs {
        write!(
            page,
            "\n## {}\n\nversion {}, commit `{}`, seed {}, {} s\n\n{}\n\n",
            title(run),
            text(&run["version"]),
            text(&run["commit"]["hash"]),
            text(&run["seed"]),
            run["seconds"],
            text(&run["machine"]["text"]),
        )?;
        page += &tables::markdown(&tables::rows(run));
        for more in [tables::requests(run), tables::import(run)] {
            if !more.rows.is_empty() {
                page += "\n";
                page += &tables::markdown(&more);
            }
        }
    }
    Ok(page)
}

/// Such as `2026-11-26 1a2b3c4 full`.
fn title(run: &Value) -> String {
    let day: String = text(&run["measured_at"]).chars().take(10).collect();
    let hash: String = text(&run["commit"]["hash"]).chars().take(7).collect();
    format!("{day} {hash} {}", text(&run["scale"]))
}

/// A line for each row, by its id, and a column for each run.
fn side_by_side(runs: &[Value]) -> output::Sheet {
    let shown = || runs.iter().take(SIDE_BY_SIDE);
    let mut ids: Vec<String> = Vec::new();
    for row in shown().flat_map(|run| list(run, "rows")) {
        let id = text(&row["id"]);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let cells = ids.iter().map(|id| {
        let of = |run| list(run, "rows").find(|row| row["id"] == id.as_str());
        let ratios =
            shown().map(|run| of(run).map_or_else(String::new, |r| tables::ratio(&r["ratio"])));
        let reach = shown().find_map(of).map(|row| tables::ratio(&row["reach"]));
        let first = [format!("`{id}`"), reach.unwrap_or_default()];
        first.into_iter().chain(ratios).collect()
    });
    let columns = ["row".to_owned(), "reach".to_owned()];
    output::Sheet {
        rows: cells.collect(),
        columns: columns.into_iter().chain(shown().map(title)).collect(),
        numbers: &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(day: &str, ratio: &str) -> String {
        format!(
            "{{\"schema_version\":1,\"measured_at\":\"{day}T00:00:00Z\",\"scale\":\"quick\",\
             \"version\":\"0.1.0\",\"commit\":{{\"hash\":\"0123456789\",\"changed\":false}},\
             \"seed\":\"0x1\",\"seconds\":50,\"machine\":{{\"text\":\"2 cores\"}},\"rows\":[{{\
             \"id\":\"echo\",\"work\":\"unary\",\"figure\":25000,\"unit\":\"1/s\",\
             \"against\":\"an echo\",\"yardstick\":50000,\"ratio\":{ratio},\"reach\":0.500,\
             \"verdict\":\"reached\",\"figure_spread\":0.012}}]}}\n"
        )
    }

    #[test]
    fn a_page_has_the_newest_first_and_ratios_side_by_side() {
        let dir = tempfile::tempdir().unwrap();
        for (day, ratio) in [("2026-11-25", "0.5"), ("2026-11-26", "0.6")] {
            let document: Value = serde_json::from_str(&run(day, ratio)).unwrap();
            record(dir.path(), &document).unwrap();
        }
        let page = fs::read_to_string(dir.path().join(PAGE)).unwrap();
        let expected = "\
## Ratios, the newest first

| row | reach | 2026-11-26 0123456 quick | 2026-11-25 0123456 quick |
| --- | --: | --: | --: |
| `echo` | 0.500 | 0.600 | 0.500 |

## 2026-11-26 0123456 quick

version 0.1.0, commit `0123456789`, seed 0x1, 50 s

2 cores

| work | figure | unit | spread | against | yardstick | ratio | reach | verdict |
| --- | --: | --- | --: | --- | --: | --: | --: | --- |
| unary | 25,000 | 1/s | 0.012 | an echo | 50,000 | 0.600 | 0.500 | reached |

## 2026-11-25 0123456 quick
";
        assert!(page.contains(expected), "{page}");
    }

    #[test]
    fn the_page_says_what_the_history_says() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let lines = fs::read_to_string(docs.join(FILE)).unwrap();
        let written = fs::read_to_string(docs.join(PAGE)).unwrap();
        assert!(
            page(&lines).unwrap() == written,
            "luzhang bench --record writes BENCH.md"
        );
    }

    #[test]
    fn a_commit_is_of_our_own_source() {
        // Whether this is a checkout or an unpacked archive.
        let here = Commit::of(Path::new(env!("CARGO_MANIFEST_DIR")));
        if let Ok(commit) = here {
            assert_eq!(commit.hash.len(), 40);
        }
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(Commit::of(elsewhere.path()).is_err());
        let nothing = Err(anyhow::anyhow!("none"));
        assert!(check(elsewhere.path(), &nothing).is_err());
        let commit = |changed| {
            Ok(Commit {
                hash: "1".to_owned(),
                changed,
            })
        };
        assert!(check(elsewhere.path(), &commit(true)).is_err());
        assert!(check(&elsewhere.path().join("no"), &commit(false)).is_err());
        check(elsewhere.path(), &commit(false)).unwrap();
    }
}
