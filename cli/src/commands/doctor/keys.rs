//! Who can read what nobody else should, and whether the keys can be opened.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use luzhang_server::vault::{KekSource, Vault};
use rustix::process::geteuid;

use super::{
    Patient, database,
    finding::{Finding, Text},
};

const PERMISSIONS: &str = "DOCTOR_PERMISSIONS";
const KEK: &str = "DOCTOR_KEK";

/// What others may do, in the mode of a file.
const OTHERS: u32 = 0o077;

pub(super) fn permissions(patient: &Patient) -> Vec<Finding> {
    let mut files = Vec::new();
    let mut owned = None;
    if let Some(dir) = &patient.dir {
        files.push(dir.path.clone());
        for inner in ["keys", "snapshots"] {
            files.extend(with_files(&dir.path.join(inner)));
        }
        files.push(dir.path.join("kek"));
        // It may have a password in it.
        files.push(dir.path.join("database"));
        let of_database = database::files(patient).and_then(|files| files.identity);
        files.extend(of_database.map(|(_, key)| key));
        owned = Some(&dir.path);
    }
    if let Some(tls) = &patient.tls {
        files.push(tls.key.clone());
    }
    let looked = files.len();
    let open: Vec<&PathBuf> = files.iter().filter(|file| is_open(file)).collect();
    let mut findings = Vec::new();
    if let Some(first) = open.first() {
        let (place, more) = (first.display(), open.len() - 1);
        let seen = Text::new(
            format!("其他用户可以读写 {place}（另有 {more} 处）"),
            format!("others may read or write {place} (and {more} more)"),
        );
        let remedy = Text::new(
            format!("运行 chmod -R go= {place}，并查明谁读过"),
            format!("run `chmod -R go= {place}`, and find out who has read it"),
        );
        findings.push(Finding::fail(PERMISSIONS, seen, remedy));
    } else if looked > 0 {
        let seen = Text::new(
            "数据目录和密钥只有所有者可以读写",
            "the data directory and the keys are their owner's alone",
        );
        findings.push(Finding::ok(PERMISSIONS, seen));
    }
    findings.extend(owned.and_then(|dir| of_another(dir)));
    findings
}

/// A directory and what is in it, as far as it is there.
fn with_files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let files = entries.flatten().map(|entry| entry.path());
    std::iter::once(dir.to_owned()).chain(files).collect()
}

fn is_open(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.mode() & OTHERS != 0)
}

/// Whoever looks at another one's directory does not see all of it, or more than the
/// server will.
fn of_another(dir: &Path) -> Option<Finding> {
    let (owner, own) = (fs::metadata(dir).ok()?.uid(), geteuid().as_raw());
    (owner != own).then(|| {
        let seen = Text::new(
            format!("数据目录属于用户 {owner}，检查者是 {own}"),
            format!("the data directory is of user {owner}, and {own} looks at it"),
        );
        let remedy = Text::new(
            "以运行服务的用户身份检查（sudo -u luzhang luzhang doctor …），并以它运行服务",
            "look as the user that runs the server (`sudo -u luzhang luzhang doctor …`), and run \
             the server as that user",
        );
        Finding::warn(PERMISSIONS, seen, remedy)
    })
}

pub(super) fn kek(patient: &Patient) -> Vec<Finding> {
    let Some(dir) = patient.dir.as_ref() else {
        return Vec::new();
    };
    if dir.outside.is_none() {
        return Vec::new();
    }
    let source = &dir.kek;
    if let Err(error) = Vault::for_reading(&dir.path, source) {
        let seen = Text::new(
            format!("{}（{}）", error.zh(), error.code()),
            format!("{error} ({})", error.code()),
        );
        let remedy = Text::new(
            format!("运行 luzhang explain {} 查看说明", error.code()),
            format!("see `luzhang explain {}`", error.code()),
        );
        return vec![Finding::fail(KEK, seen, remedy)];
    }
    let own = dir.path.join("kek");
    let inside = match source {
        KekSource::Own => true,
        KekSource::File(file) => is_within(file, &dir.path).unwrap_or(false),
        KekSource::Command(_) => false,
    };
    if inside {
        let seen = Text::new(
            format!("密钥可以打开，但主密钥与数据在一处（{}）", own.display()),
            format!(
                "the keys open, and the key-encryption key lies with them ({})",
                own.display()
            ),
        );
        let remedy = Text::new(
            "谁得到这个目录的副本，谁就能看到姓名和账号：把主密钥移到别处，用 --kek-file 或 \
             --kek-command 指明，并单独备份",
            "whoever has a copy of this directory can read names and accounts: keep that key \
             elsewhere, name it with --kek-file or --kek-command, and back it up by itself",
        );
        return vec![Finding::warn(KEK, seen, remedy)];
    }
    let seen = Text::new(
        "主密钥可用，密钥可以打开",
        "the key-encryption key is at hand, and opens the keys",
    );
    vec![Finding::ok(KEK, seen)]
}

fn is_within(file: &Path, dir: &Path) -> io::Result<bool> {
    Ok(fs::canonicalize(file)?.starts_with(fs::canonicalize(dir)?))
}
