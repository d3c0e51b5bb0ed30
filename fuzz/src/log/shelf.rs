//! A backup's manifest and its runs: whatever bytes they are, there is an answer, and
//! nothing comes out that did not go in.

use std::sync::LazyLock;

use luzhang_ledger::{
    Hash, LedgerId,
    block::{self, BlockView, Head, SealedBlock},
    log::backup::{Manifest, RunEntry, ShelfFault, Stamp, read_run},
};

use super::{super::edits, block::small};

/// A sound backup of a small ledger: two runs, the second of them open.
struct Sound {
    ledger: LedgerId,
    /// Each run, the head before it, and its blocks.
    runs: Vec<(Vec<u8>, Head, Vec<Vec<u8>>)>,
    manifest: String,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let (ledger, blocks) = small();
    let (first, rest) = blocks.split_at(blocks.len() / 2);
    let mut before = Head::genesis(ledger);
    let mut runs = Vec::new();
    let mut files = Vec::new();
    for (blocks, sealed) in [(first, true), (rest, false)] {
        let bytes = run(ledger, before, blocks, sealed);
        let after = blocks.last().unwrap().head;
        files.push(RunEntry {
            name: format!("runs/{:020}.run", before.next_position().number()),
            sealed,
            first: before.next_position(),
            blocks: blocks.len() as u64,
            after,
            bytes: bytes.len() as u64,
            blake3: Hash::from_bytes(*blake3::hash(&bytes).as_bytes()),
        });
        let blocks = blocks.iter().map(|block| block.bytes.clone()).collect();
        runs.push((bytes, before, blocks));
        before = after;
    }
    let manifest = Manifest {
        ledger,
        written: Stamp {
            by: "a fuzzer".to_owned(),
            at: 1,
        },
        head: before,
        checkpoint: None,
        files,
    };
    let manifest = manifest.text().unwrap();
    Sound {
        ledger,
        runs,
        manifest,
    }
});

/// A run by the tables of FORMAT.md.
fn run(ledger: LedgerId, before: Head, blocks: &[SealedBlock], sealed: bool) -> Vec<u8> {
    let mut run = b"LUZHANG BLOCKS 1".to_vec();
    run.extend(ledger.as_bytes());
    for number in [
        before.position.map_or(0, |position| position.number()),
        before.height,
        before.epoch,
    ] {
        run.extend(number.to_le_bytes());
    }
    run.extend(before.recorded_at.to_le_bytes());
    run.extend(before.chain.as_bytes());
    run.extend(before.block.as_bytes());
    let mut events = 0_u64;
    let mut last = before;
    for block in blocks {
        run.extend(entry(&block::to_stored(&block.bytes)));
        events += block.events.len() as u64;
        last = block.head;
    }
    if sealed {
        run.extend([0; 4]);
        run.extend(events.to_le_bytes());
        run.extend((blocks.len() as u64).to_le_bytes());
        run.extend(last.chain.as_bytes());
        run.extend(last.block.as_bytes());
        let checksum = blake3::hash(&run);
        run.extend(checksum.as_bytes());
    }
    run
}

fn entry(value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u32).to_le_bytes();
    let mut hasher = blake3::Hasher::new_derive_key("luzhang 2026 shelf entry v1");
    hasher.update(&length).update(value);
    [&length, &hasher.finalize().as_bytes()[..8], value].concat()
}

fn is_sealed(run: &[u8]) -> bool {
    *run == SOUND.runs[0].0
}

/// A text with the check that belongs to it.
fn checked(before: &[u8]) -> Vec<u8> {
    let check = blake3::derive_key("luzhang 2026 shelf manifest v1", before);
    let check = blake3::Hash::from(check).to_hex();
    [before, b"  \"check\": \"", check.as_bytes(), b"\"\n}\n"].concat()
}

/// The sound manifest without its check.
fn unchecked() -> &'static [u8] {
    let text = SOUND.manifest.as_bytes();
    &text[..text.len() - "  \"check\": \"\"\n}\n".len() - 64]
}

pub fn seeds() -> Vec<Vec<u8>> {
    let sound = &*SOUND;
    let mut seeds = vec![
        [b"m", sound.manifest.as_bytes()].concat(),
        [b"d", unchecked()].concat(),
        b"d{\n  \"schema_version\": 2,\n".to_vec(),
        b"d{\n  \"schema_version\": 1,\n".to_vec(),
    ];
    for (bytes, _, _) in &sound.runs {
        seeds.push([b"r", &bytes[..bytes.len().min(2_000)]].concat());
    }
    let value = block::to_stored(&sound.runs[0].2[0]);
    seeds.push([b"v", &*value].concat());
    seeds.push(b"v\x01".to_vec());
    for what in 0..8 {
        seeds.push(vec![b'e', what, 0, what * 30, 2]);
        seeds.push(vec![b'c', what, 1, what * 17, 5]);
        seeds.push(vec![b'x', what, what, 0, what * 20, 1, what, 3, what, 9]);
    }
    // The ends of both runs: a byte too many, and one too few.
    for which in 0..2_u8 {
        let length = sound.runs[usize::from(which)].0.len() as u16;
        let [high, low] = length.to_be_bytes();
        seeds.push(vec![b'x', which, 1, high, low, 0]);
        let [high, low] = (length - 1).to_be_bytes();
        seeds.push(vec![b'x', which, 3, high, low, 0]);
    }
    seeds
}

/// A manifest (`m`), one with its check computed (`d`), the sound one changed (`e`) and
/// with its check computed anew (`c`); a run (`r`), a sound one changed (`x`), and one
/// of a single value (`v`).
pub fn shelf(bytes: &[u8]) {
    let sound = &*SOUND;
    match bytes {
        [b'm', text @ ..] => drop(manifest(text)),
        [b'd', before @ ..] => drop(manifest(&checked(before))),
        [b'e', edits @ ..] => {
            let text = edits::edited(sound.manifest.as_bytes(), unchecked(), edits);
            let same = text == sound.manifest.as_bytes();
            assert_eq!(manifest(&text).is_ok(), same, "only the manifest itself");
        }
        [b'c', edits @ ..] => {
            let text = edits::edited(unchecked(), sound.manifest.as_bytes(), edits);
            drop(manifest(&checked(&text)));
        }
        [b'r', run @ ..] => {
            for (_, before, _) in &sound.runs {
                drop(read(run, *before));
            }
        }
        [b'x', which, edits @ ..] => {
            let at = |choice: usize| &sound.runs[choice % sound.runs.len()];
            let (run, before, blocks) = at(usize::from(*which));
            let edited = edits::edited(run, &at(usize::from(*which) + 1).0, edits);
            match read(&edited, *before) {
                Ok(found) => {
                    assert!(blocks.starts_with(&found), "what did not go in");
                    if !is_sealed(run) && found.len() == blocks.len() {
                        // More than it has may follow, and does not count.
                        assert!(edited.starts_with(run));
                    }
                }
                Err(fault) => assert_ne!(edited, *run, "{fault}"),
            }
        }
        [b'v', value @ ..] => {
            let genesis = Head::genesis(sound.ledger);
            let mut file = run(sound.ledger, genesis, &[], false);
            file.extend(entry(value));
            if let Ok(found) = read(&file, genesis) {
                let block = block::from_stored(value).ok();
                let one = block.filter(|block| BlockView::parse(block).is_ok());
                assert_eq!(found, one.into_iter().collect::<Vec<_>>());
            }
        }
        _ => {}
    }
}

fn read(run: &[u8], before: Head) -> Result<Vec<Vec<u8>>, ShelfFault> {
    let found = read_run(run, SOUND.ledger, before);
    match &found {
        Ok(blocks) => {
            for block in blocks {
                BlockView::parse(block).unwrap();
            }
        }
        Err(fault) => assert!(!fault.to_string().is_empty() && !fault.zh().is_empty()),
    }
    found
}

fn manifest(text: &[u8]) -> Result<Manifest, ShelfFault> {
    let parsed = Manifest::parse(text);
    if let Ok(manifest) = &parsed {
        let again = manifest.text().unwrap();
        assert_eq!(Manifest::parse(again.as_bytes()).unwrap(), *manifest);
        let last = manifest.files.last().map(|file| file.after);
        assert_eq!(
            last.unwrap_or(Head::genesis(manifest.ledger)),
            manifest.head
        );
        let blocks = manifest.files.iter().map(|file| file.blocks);
        let summed = blocks.fold(0_u64, u64::saturating_add);
        assert_eq!(summed, manifest.head.height);
    }
    parsed
}
