//! `luzhang report pack`: one directory with all that an auditor needs.

use std::{
    fmt::Write as _,
    fs::{self, File},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use luzhang_projections::{
    projection::Projections,
    report::{AsOf as Then, Name, Query},
};
use serde_json::json;

use super::{audit, published::then, rebuild};
use crate::{
    args::{AsOf, Global},
    failure::{Failure, exit},
    lang::Lang,
    output,
    report::{self, Form},
    source::Source,
};

/// What the export is called.
const EXPORT: &str = "ledger.lzexport";

pub(super) async fn write(global: &Global, out: &Path, as_of: Option<AsOf>) -> Result<u8, Failure> {
    let lang = global.lang();
    fs::create_dir(out).map_err(|error| Failure::file(out, &error))?;
    let written = fill(global, out, as_of.map(then)).await;
    if written.is_err() {
        // Half a pack would be taken for a whole one.
        fs::remove_dir_all(out)?;
    }
    let files = written?;
    match lang {
        Lang::Zh => output::line(&format!(
            "已写出 {}：{files} 个文件，从 README.md 开始",
            out.display()
        ))?,
        Lang::En => output::line(&format!(
            "wrote {}: {files} files; begin with README.md",
            out.display()
        ))?,
    }
    Ok(exit::OK)
}

/// A name out of the ledger as part of a file's: it leads nowhere else.
fn part_of_a_name(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    text.chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect()
}

async fn fill(global: &Global, out: &Path, as_of: Option<Then>) -> Result<usize, Failure> {
    let export = out.join(EXPORT);
    let head = audit::export_to(global, &export).await?;
    // Everything else is made from the export, so that it all belongs together.
    let source = Source::File(export);
    let what = ("计算摘要", "computing the digests");
    let folded = source.walk(global, what, Projections::default(), |fold, event| {
        fold.apply(event);
        ControlFlow::Continue(())
    });
    let folded = folded.await?;
    let packs = out.join("policies");
    fs::create_dir(&packs)?;
    for adopted in folded.state.packs() {
        let name = format!(
            "{}-{}.toml",
            adopted.position,
            part_of_a_name(adopted.pack.id.as_str())
        );
        fs::write(packs.join(name), adopted.pack.text())?;
    }
    let rows = rebuild::status_rows(&folded.statuses());
    let digests = output::sheet(rebuild::COLUMNS, rebuild::NUMBERS, rows).objects();
    let digests = json!({ "schema_version": 1, "rows": digests });
    fs::write(out.join("digests.json"), format!("{digests:#}\n"))?;
    let reports = out.join("reports");
    fs::create_dir(&reports)?;
    let lang = global.lang();
    for name in Name::ALL
        .into_iter()
        .filter(|name| *name != Name::Statement)
    {
        for form in [Form::Xlsx, Form::Csv] {
            let query = Query {
                as_of,
                all: true,
                ..Query::of(name)
            };
            let file = reports.join(format!("{name}.{}", form.ending()));
            report::write(global, &source, query, (form, lang), Some(&file)).await?;
        }
    }
    fs::write(out.join("README.md"), readme(lang, &head))?;
    let mut files = Vec::new();
    collect(out, &mut files)?;
    files.sort();
    let mut sums = String::new();
    for file in &files {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(file)?)?;
        let name = file.strip_prefix(out).map_err(anyhow::Error::from)?;
        // Writing to a string cannot fail.
        let _ = writeln!(sums, "{}  {}", hasher.finalize().to_hex(), name.display());
    }
    fs::write(out.join("B3SUMS"), sums)?;
    Ok(files.len() + 1)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn readme(lang: Lang, head: &str) -> String {
    let commands = format!(
        "```sh\nluzhang audit verify {EXPORT} --head {head}\nluzhang audit redecide {EXPORT}\nluzhang report check reports/execution.xlsx --file {EXPORT}\n```\n"
    );
    match lang {
        Lang::Zh => format!(
            "# 审计资料包\n\n\
             链头：`{head}`\n\n\
             链头应与财政部门另行提供的（回执、公告、签字页）一致；只与本目录自身一致，不能证明日志没有被整体重写。\n\n\
             三条命令：\n\n{commands}\n\
             1. 核验哈希链：一个字节被改、少一个事件、换一段历史，都会指出位置。\n\
             2. 按当时有效的政策和当时已知的事实，重新作出每一个决定，与日志比较。\n\
             3. 按报表自己的封面重做报表，逐字节比较；其余报表同样核对，换文件名即可。\n\n\
             | 文件 | 内容 |\n|---|---|\n\
             | `{EXPORT}` | 全部事件，原样 |\n\
             | `policies/` | 采用过的政策包，文件名为位置和编号 |\n\
             | `reports/` | 各类报表，XLSX 和 CSV；姓名已打码 |\n\
             | `digests.json` | 各投影在链头处的摘要，可用 `luzhang projection rebuild --file {EXPORT}` 重算 |\n\
             | `B3SUMS` | 各文件的 BLAKE3，可用 `b3sum -c B3SUMS` 核对 |\n\n\
             没有密钥的人重做报表时，姓名一列不比较，命令会说明。\n"
        ),
        Lang::En => format!(
            "# Audit pack\n\n\
             Chain head: `{head}`\n\n\
             It should equal the one that the bureau handed over by another way (receipt, bulletin, signed page): a pack that agrees with itself only proves nothing about a log rewritten as a whole.\n\n\
             Three commands:\n\n{commands}\n\
             1. Verifies the hash chain: a changed byte, a missing event, another history are named with their positions.\n\
             2. Decides everything anew, under the policy then in force and from the facts then known, and compares.\n\
             3. Makes a report again from its own cover and compares it byte by byte; the other reports likewise.\n\n\
             | File | What |\n|---|---|\n\
             | `{EXPORT}` | all events, as stored |\n\
             | `policies/` | the policy packs that were adopted, named by position and id |\n\
             | `reports/` | the reports, XLSX and CSV; names are masked |\n\
             | `digests.json` | each projection's digest at the chain head; `luzhang projection rebuild --file {EXPORT}` computes them again |\n\
             | `B3SUMS` | BLAKE3 of each file, for `b3sum -c B3SUMS` |\n\n\
             Whoever has no keys makes the reports again without names; the command says so.\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::part_of_a_name;

    #[test]
    fn a_name_out_of_the_ledger_leads_nowhere() {
        for (name, part) in [
            ("luzhou-2023", "luzhou-2023"),
            ("泸州_2023", "泸州_2023"),
            ("../../x", "______x"),
            ("/etc/x\\y:z", "_etc_x_y_z"),
        ] {
            assert_eq!(part_of_a_name(name), part);
        }
    }
}
