//! Ways to change a ledger, and what the change must be called.

use luzhang_ledger::{
    Hash,
    block::{BlockView, FRAME_HEADER_LEN, HASH_LEN, HEADER_LEN, SealedBlock},
    hash::ChainHasher,
    verify::{Place, Report, Verdict},
};
use rayon::prelude::*;

use crate::sample;

/// Bytes from the end mark of an export to its end.
pub(crate) const END: usize = 4 + 8 + 8 + 32 + 32 + 32;
/// What is done to each byte: every bit by itself, some together, all.
pub(crate) const MANY: &[u8] = &[0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x55, 0xff];
pub(crate) const FEW: &[u8] = &[0x01, 0x80, 0xff];

/// What must be found where.
pub(crate) type Expected = (Verdict, Place);

/// For every byte of a block, what a change to it must be called.
pub(crate) fn places(block: &[u8]) -> Vec<Expected> {
    let view = BlockView::parse(block).unwrap();
    let tampered = |at| (Verdict::Tampered, Place::Event(at));
    let mut places = vec![tampered(view.first); HEADER_LEN];
    for frame in view.frames() {
        let frame = frame.unwrap();
        let length = FRAME_HEADER_LEN + frame.event.len();
        places.extend(vec![tampered(frame.position); length]);
    }
    places.extend([tampered(view.first); HASH_LEN]);
    assert_eq!(places.len(), block.len());
    places
}

/// Where the frame of the block's event with this index stands.
pub(crate) fn frame(block: &[u8], index: usize) -> std::ops::Range<usize> {
    let view = BlockView::parse(block).unwrap();
    let lengths = view
        .frames()
        .map(|frame| FRAME_HEADER_LEN + frame.unwrap().event.len());
    let lengths: Vec<_> = lengths.collect();
    let start = HEADER_LEN + lengths[..index].iter().sum::<usize>();
    start..start + lengths[index]
}

/// Calls `check` for every byte with each pattern applied to it, and with it
/// cleared; how many changes that were.
pub(crate) fn every_change(
    bytes: &[u8],
    patterns: &[u8],
    check: impl Fn(usize, &[u8]) + Sync,
) -> usize {
    let changes = (0..bytes.len()).into_par_iter().map(|place| {
        let mut changed = bytes.to_vec();
        let byte = bytes[place];
        let values = patterns.iter().map(|pattern| byte ^ pattern).chain([0]);
        let values = values.filter(|value| *value != byte);
        values.fold(0, |tried, value| {
            changed[place] = value;
            check(place, &changed);
            tried + 1
        })
    });
    changes.sum()
}

pub(crate) fn bytes_of(blocks: &[SealedBlock]) -> Vec<Vec<u8>> {
    blocks.iter().map(|block| block.bytes.clone()).collect()
}

/// The hash of every event.
pub(crate) fn hashes(blocks: &[SealedBlock]) -> Vec<Hash> {
    let mut hasher = ChainHasher::default();
    let mut chain = Hash::genesis(sample::ledger());
    let mut all = Vec::new();
    for block in blocks {
        for frame in BlockView::parse(&block.bytes).unwrap().frames() {
            chain = hasher.event(chain, frame.unwrap().event);
            all.push(chain);
        }
    }
    all
}

/// Recomputes every block's hash and the link to it, by the table of FORMAT.md.
pub(crate) fn reseal(blocks: &mut [Vec<u8>]) {
    let mut previous = *Hash::genesis(sample::ledger()).as_bytes();
    for block in blocks {
        block[40..72].copy_from_slice(&previous);
        let end = block.len() - HASH_LEN;
        previous = blake3::derive_key("luzhang 2026 block hash v1", &block[..end]);
        block[end..].copy_from_slice(&previous);
    }
}

/// The file with one added to a byte of its trailer, and a checksum to match.
pub(crate) fn trailer(file: &[u8], offset: usize) -> Vec<u8> {
    let mut file = file.to_vec();
    let place = file.len() - END + 4 + offset;
    file[place] += 1;
    let end = file.len() - HASH_LEN;
    let checksum = blake3::derive_key("luzhang 2026 export v1", &file[..end]);
    file[end..].copy_from_slice(&checksum);
    file
}

/// Bytes without a pattern.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

/// What was found; there must be something.
#[track_caller]
pub(crate) fn found(report: &Report) -> Expected {
    let finding = report
        .finding
        .as_ref()
        .unwrap_or_else(|| panic!("nothing found: {report:?}"));
    assert_eq!(finding.verdict, report.verdict);
    (finding.verdict, finding.place)
}
