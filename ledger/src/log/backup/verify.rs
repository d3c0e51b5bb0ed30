//! Verifying a shelf by itself: all of it, whatever is found on the way.

use std::{fs::File, path::Path};

use super::{
    LOCK, LOST_AND_FOUND, MANIFEST, RUNS, Shelf,
    error::ShelfFault,
    manifest::RunEntry,
    names,
    run::{self, OpenRun, Placed},
};
use crate::{
    block::{BlockView, Head},
    position::Position,
    verify::{ExpectedTree, Finding, Place, Report, Verdict, Verifier},
};

/// How many bytes of blocks are checked at a time.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Something that is worth a word, and harms nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// What a run that was killed left; the next one writes over it.
    Unfinished {
        /// The file.
        file: String,
        /// From which byte on.
        from: u64,
    },
}

/// What the verification of a shelf found.
#[derive(Debug)]
pub struct ShelfReport {
    /// Of the chain, as far as it goes from the first event on.
    pub chain: Report,
    /// The worst of all faults; the chain's verdict if there are none.
    pub verdict: Verdict,
    /// All that is wrong: of a file the first thing, and files after it.
    pub faults: Vec<ShelfFault>,
    /// What harms nothing.
    pub remarks: Vec<Remark>,
}

impl ShelfReport {
    /// Of something that is no shelf, or has no manifest to go by.
    pub fn of(fault: ShelfFault) -> Self {
        let verdict = fault.verdict();
        Self {
            chain: Verifier::new(None).finish(None),
            verdict,
            faults: vec![fault],
            remarks: Vec::new(),
        }
    }
}

impl Shelf {
    /// Reads all files and checks all that the manifest says of them, the chain of
    /// their blocks, and these heads of the tree. A file with a fault does not keep
    /// those after it from being checked.
    ///
    /// `progress` is told which event was read last.
    pub fn verify(
        &self,
        expected: Vec<ExpectedTree>,
        mut progress: impl FnMut(Position),
    ) -> ShelfReport {
        let mut found = Found {
            verifier: Verifier::new(None).with_tree(expected),
            chain: None,
            faults: Vec::new(),
            remarks: Vec::new(),
        };
        for (before, entry) in self.manifest.with_heads() {
            if let Err(fault) = self.verify_run(before, entry, &mut found, &mut progress) {
                found.broken(self, fault, entry.after);
            }
        }
        self.find_strangers(&mut found);
        found.report(self)
    }

    fn verify_run(
        &self,
        before: Head,
        entry: &RunEntry,
        found: &mut Found,
        progress: &mut impl FnMut(Position),
    ) -> Result<(), ShelfFault> {
        let ledger = self.manifest.ledger;
        let mut opened = OpenRun::open(&self.root, ledger, before, entry)?;
        if !entry.sealed && opened.length() > entry.bytes {
            found.remarks.push(Remark::Unfinished {
                file: entry.name.clone(),
                from: entry.bytes,
            });
        }
        loop {
            let (batch, fault) = batch(&mut opened);
            if batch.is_empty() && fault.is_none() {
                return Ok(());
            }
            // What was read before a fault is judged first: the earliest is named.
            let (blocks, places): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .map(|placed| (placed.block, placed.offset))
                .unzip();
            if let Err(finding) = found.verifier.push(&blocks) {
                return Err(located(&finding, entry, &blocks, &places));
            }
            if found.verifier.ledger().is_some_and(|named| named != ledger) {
                return Err(ShelfFault::Untrue {
                    what: "the ledger_id".to_owned(),
                });
            }
            let last = found.verifier.head().and_then(|head| head.position);
            last.into_iter().for_each(&mut *progress);
            if let Some(fault) = fault {
                return Err(fault);
            }
        }
    }

    /// Files that the manifest does not name.
    fn find_strangers(&self, found: &mut Found) {
        let listed = |dir: &Path| {
            let shown = if dir == self.root { "." } else { RUNS };
            names(dir).map_err(|error| ShelfFault::io(shown, error))
        };
        let next = run::name(self.manifest.head.next_position());
        let unfinished = format!("{MANIFEST}.new");
        let mut seen: Vec<String> = Vec::new();
        match listed(&self.root) {
            Ok(names) => seen.extend(names),
            Err(fault) => found.faults.push(fault),
        }
        match listed(&self.root.join(RUNS)) {
            Ok(names) => seen.extend(names.into_iter().map(|name| format!("{RUNS}/{name}"))),
            // Without runs every file of them is missing, and was named.
            Err(_) if !self.manifest.files.is_empty() => {}
            Err(fault) => found.faults.push(fault),
        }
        let ours = [MANIFEST, RUNS, LOCK, LOST_AND_FOUND];
        for name in seen {
            let named = self.manifest.files.iter().any(|file| file.name == name);
            if named || ours.contains(&name.as_str()) {
                continue;
            }
            if name == next || name == unfinished {
                found.remarks.push(Remark::Unfinished {
                    file: name,
                    from: 0,
                });
            } else {
                found.faults.push(ShelfFault::Extra { file: name });
            }
        }
    }
}

/// What was found so far.
struct Found {
    verifier: Verifier,
    /// What the chain was, up to the first fault.
    chain: Option<Report>,
    faults: Vec<ShelfFault>,
    remarks: Vec<Remark>,
}

impl Found {
    /// A run has a fault. What comes after it is checked from where the manifest
    /// says that it ends.
    fn broken(&mut self, shelf: &Shelf, fault: ShelfFault, after: Head) {
        let ledger = shelf.manifest.ledger;
        let ended = std::mem::replace(&mut self.verifier, Verifier::after(ledger, after));
        if self.chain.is_none() {
            let place = fault.position().map_or(Place::Whole, Place::Event);
            self.chain = Some(ended.finish(Some(Finding {
                verdict: fault.verdict(),
                place,
                detail: fault.to_string(),
            })));
        }
        self.faults.push(fault);
    }

    fn report(self, shelf: &Shelf) -> ShelfReport {
        let mut faults = self.faults;
        let chain = match self.chain {
            Some(chain) => chain,
            None => self.verifier.finish(None),
        };
        if faults.is_empty()
            && let Some(finding) = &chain.finding
        {
            let end = shelf.manifest.head.position.unwrap_or(Position::FIRST);
            faults.push(ShelfFault::Differs {
                position: match finding.place {
                    Place::Event(position) => position,
                    Place::FileHeader | Place::Trailer | Place::Whole => end,
                },
                detail: finding.detail.clone(),
            });
        }
        let verdicts = faults.iter().map(ShelfFault::verdict);
        // Tampering outweighs what cannot be read.
        let verdict = verdicts.max_by_key(|verdict| verdict.exit_code() == 10);
        ShelfReport {
            verdict: verdict.unwrap_or(chain.verdict),
            chain,
            faults,
            remarks: self.remarks,
        }
    }
}

/// Blocks of some bytes together, and what ended them early.
fn batch(run: &mut OpenRun<File>) -> (Vec<Placed>, Option<ShelfFault>) {
    let mut batch = Vec::new();
    let mut bytes = 0_usize;
    while bytes < BATCH_BYTES {
        match run.next() {
            Some(Ok(placed)) => {
                bytes = bytes.saturating_add(placed.block.len());
                batch.push(placed);
            }
            Some(Err(fault)) => return (batch, Some(fault)),
            None => break,
        }
    }
    (batch, None)
}

/// Where in a file the chain does not hold.
fn located(finding: &Finding, entry: &RunEntry, blocks: &[Vec<u8>], places: &[u64]) -> ShelfFault {
    let Place::Event(position) = finding.place else {
        return ShelfFault::Differs {
            position: entry.first,
            detail: finding.detail.clone(),
        };
    };
    if finding.verdict == Verdict::Forked {
        return ShelfFault::Differs {
            position,
            detail: finding.detail.clone(),
        };
    }
    let holds = |block: &Vec<u8>| BlockView::parse(block).is_ok_and(|view| view.last() >= position);
    let at = blocks.iter().position(holds).unwrap_or(0);
    ShelfFault::Chain {
        file: entry.name.clone(),
        offset: places.get(at).copied().unwrap_or(0),
        position,
        detail: finding.detail.clone(),
    }
}
