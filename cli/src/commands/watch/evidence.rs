//! Evidence: what was found, so that anyone can check it without the log and
//! without us.
//!
//! Both checkpoints stand in it as they were signed, each between two lines, so
//! that `sed` takes them out:
//!
//! ```text
//! sed '1,/BEGIN FOUND/d; /END FOUND/,$d' state.evidence-300-1 > found
//! ```
//!
//! Where the tiles have proven what the larger tree was at the size of the
//! smaller one, the proof stands there too: in the form that a witness is asked
//! in, against the head named above it. If that head is not the one that the
//! smaller checkpoint has, the log has forked.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use luzhang_ledger::proof::witness::Extension;

use super::{
    finding::Finding,
    state::{beside, sync_dir_of, write_durably},
};
use crate::{failure::Failure, lang::Lang, tiles::TileSource};

/// The most evidence of one size that is kept.
const MOST: u32 = 1_000;

/// Writes evidence beside the state file, durably, unless the same is there.
/// Returns where it is.
pub(super) fn write(
    state: &Path,
    finding: &Finding,
    source: &TileSource,
    time: Timestamp,
) -> Result<PathBuf, Failure> {
    let sections = sections(finding);
    let text = format!("{}{sections}", heading(finding, source, time));
    let size = finding.found.head().size;
    let mut path = state.to_owned();
    for number in 1..=MOST {
        path = beside(state, &format!(".evidence-{size}-{number}"));
        let written = write_durably(OpenOptions::new().create_new(true), &path, text.as_bytes())
            .and_then(|()| sync_dir_of(&path));
        match written {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // A watcher that is started again finds the same again.
                let is_same = fs::read(&path).is_ok_and(|kept| kept.ends_with(sections.as_bytes()));
                if is_same {
                    return Ok(path);
                }
            }
            Err(error) => return Err(Failure::file(&path, &error)),
        }
    }
    let full = io::Error::from(io::ErrorKind::AlreadyExists);
    Err(Failure::file(&path, &full))
}

/// For people.
fn heading(finding: &Finding, source: &TileSource, time: Timestamp) -> String {
    format!(
        "luzhang audit watch: {kind} ({code})\n\
         source: {source}\n\
         seen: {time:.0}\n\
         {zh}\n\
         {en}\n",
        kind = finding.kind.word(),
        code = finding.kind.code(),
        zh = finding.detail.text(Lang::Zh),
        en = finding.detail.text(Lang::En),
    )
}

/// For programs.
fn sections(finding: &Finding) -> String {
    let mut text = String::new();
    if let Some(known) = &finding.known {
        section(&mut text, "KNOWN CHECKPOINT", known);
    }
    section(&mut text, "FOUND CHECKPOINT", &finding.found);
    if let Some(past) = &finding.past {
        let head = format!("{}\n{}\n", past.head.size, past.head.root);
        section(&mut text, "PROVEN HEAD", &head);
        let proof = Extension {
            old: past.head.size,
            proof: past.proof.clone(),
            checkpoint: finding.larger().clone(),
        };
        section(&mut text, "PROOF", &proof);
    }
    text
}

fn section(text: &mut String, name: &str, body: &dyn std::fmt::Display) {
    // Writing to a string does not fail.
    let _written = write!(text, "-----BEGIN {name}-----\n{body}-----END {name}-----\n");
}
