//! A shelf that has lost its manifest.

use std::{fs::File, io::Read as _, path::Path};

use super::{
    RUNS, Shelf,
    error::ShelfFault,
    manifest::{Manifest, RunEntry, Stamp},
    names,
    run::{self, OpenRun},
};
use crate::{
    block::Head,
    hash::Hash,
    position::{LedgerId, Position},
};

impl Shelf {
    /// Goes by the runs that are there, one after the other as long as they continue
    /// each other. What they have is verified as ever; that something is missing at
    /// their end cannot be noticed.
    pub fn without_manifest(root: &Path) -> Result<Self, ShelfFault> {
        let runs = names(&root.join(RUNS)).map_err(|_| ShelfFault::NotFound)?;
        let first = run::name(Position::FIRST);
        let begins = runs.iter().any(|name| format!("{RUNS}/{name}") == first);
        let ledger = if begins {
            run::ledger_in(root, &first)?
        } else {
            None
        };
        let ledger = ledger.ok_or(ShelfFault::NotFound)?;
        let mut head = Head::genesis(ledger);
        let mut files = Vec::new();
        while root.join(run::name(head.next_position())).exists() {
            let (entry, whole) = survey(root, ledger, head)?;
            if entry.blocks == 0 {
                break;
            }
            head = entry.after;
            files.push(entry);
            if !whole {
                break;
            }
        }
        Ok(Self {
            root: root.to_path_buf(),
            manifest: Manifest {
                head,
                files,
                ..Manifest::empty(
                    ledger,
                    Stamp {
                        by: String::new(),
                        at: 0,
                    },
                )
            },
        })
    }
}

/// What a manifest would say of the run after this head, as far as it can be read, and
/// whether it was sealed.
fn survey(root: &Path, ledger: LedgerId, before: Head) -> Result<(RunEntry, bool), ShelfFault> {
    let first = before.next_position();
    let name = run::name(first);
    let failed = |error| ShelfFault::io(&name, error);
    let file = File::open(root.join(&name)).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut entry = RunEntry {
        sealed: false,
        first,
        blocks: 0,
        after: before,
        bytes: length,
        blake3: before.chain,
        name: name.clone(),
    };
    let mut opened = OpenRun::open(root, ledger, before, &entry)?;
    let mut end = length;
    for block in opened.by_ref() {
        match block {
            Ok(_) => {}
            Err(fault) => end = fault.offset().unwrap_or(length),
        }
    }
    entry.after = opened.head();
    entry.blocks = entry.after.height.saturating_sub(before.height);
    // An end mark is no block's length; what stands there is checked with the rest.
    entry.sealed = length.saturating_sub(end) == run::END;
    entry.bytes = if entry.sealed { length } else { end };
    let mut hasher = blake3::Hasher::new();
    let mut input = file.take(entry.bytes);
    hasher.update_reader(&mut input).map_err(failed)?;
    entry.blake3 = Hash::from_bytes(*hasher.finalize().as_bytes());
    let sealed = entry.sealed;
    Ok((entry, sealed))
}
