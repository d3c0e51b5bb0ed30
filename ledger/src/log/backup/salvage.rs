//! Runs without a manifest: of a shelf that has lost it, and by themselves.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

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
        loop {
            let path = root.join(run::name(head.next_position()));
            let Ok(meta) = path.metadata() else { break };
            let (entry, whole) = survey(|| File::open(&path), meta.len(), ledger, head)?;
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

/// The blocks of a run by itself, which is this ledger's after this head. Its sums are
/// checked, and not what its blocks say. Of an open run, they are those that are whole.
pub fn read_run(bytes: &[u8], ledger: LedgerId, before: Head) -> Result<Vec<Vec<u8>>, ShelfFault> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let (entry, _) = survey(|| Ok(bytes), length, ledger, before)?;
    let run = OpenRun::over(bytes, length, ledger, before, &entry)?;
    run.map(|placed| Ok(placed?.block)).collect()
}

/// What a manifest would say of the run after this head, as far as it can be read, and
/// whether it was sealed.
fn survey<R: Read>(
    open: impl Fn() -> io::Result<R>,
    length: u64,
    ledger: LedgerId,
    before: Head,
) -> Result<(RunEntry, bool), ShelfFault> {
    let first = before.next_position();
    let name = run::name(first);
    let failed = |error| ShelfFault::io(&name, error);
    let mut entry = RunEntry {
        sealed: false,
        first,
        blocks: 0,
        after: before,
        bytes: length,
        blake3: before.chain,
        name: name.clone(),
    };
    let input = open().map_err(failed)?;
    let mut opened = OpenRun::over(input, length, ledger, before, &entry)?;
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
    let mut input = open().map_err(failed)?.take(entry.bytes);
    hasher.update_reader(&mut input).map_err(failed)?;
    entry.blake3 = Hash::from_bytes(*hasher.finalize().as_bytes());
    let sealed = entry.sealed;
    Ok((entry, sealed))
}
