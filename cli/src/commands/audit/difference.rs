//! Where a log differs from the tree that it has published: the first event that
//! is another one.
//!
//! The tiles are compared from the top down, so that a few of them are enough
//! whatever the size. What the published tiles say there counts only with a proof
//! that leads to the signed root.

use std::ops::ControlFlow;

use luzhang_ledger::{
    Position,
    log::tiles::TileFiles,
    proof::{
        Node, TreeHead,
        tile::{LEVELS, Tile, TiledTree, Tiles, nodes_at},
        tree::{self, Leaf},
    },
};

use crate::{args::Global, failure::Failure, source::Source, tiles::TileSource};

/// The position of the first event that differs; `None` if that cannot be proven.
pub(super) async fn first(
    global: &Global,
    source: &Source,
    published: &TileSource,
    head: TreeHead,
) -> Result<Option<Position>, Failure> {
    let scratch = tempfile::tempdir()?;
    let files = TileFiles::open(scratch.path())?;
    let what = ("查找差异", "looking for the difference");
    let fold = (files, Vec::new(), Ok(()));
    let (mut files, leaves, appended) = source
        .walk(
            global,
            what,
            fold,
            move |(files, leaves, appended), event| {
                leaves.push(Node::of_event(event.hash));
                if leaves.len() == BATCH {
                    *appended = files.append(leaves);
                    leaves.clear();
                }
                let enough = event.header.position.number() >= head.size || appended.is_err();
                if enough {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
        .await?;
    appended?;
    files.append(&leaves)?;
    let published = published.clone();
    let found = tokio::task::spawn_blocking(move || {
        let _scratch = scratch;
        compare(&files, &published, head)
    });
    found.await.map_err(anyhow::Error::from)?
}

/// How many leaves are appended at a time.
const BATCH: usize = 4_096;

fn compare(
    files: &TileFiles,
    published: &TileSource,
    head: TreeHead,
) -> Result<Option<Position>, Failure> {
    let ours = files.reader();
    // The number of the first node of a level that may differ.
    let mut at = 0;
    for level in (0..LEVELS).rev() {
        let nodes = nodes_at(level, head.size);
        if at < nodes
            && let Some(tile) = Tile::in_tree(level, at / 256, head.size)
        {
            let (mine, theirs) = (ours.tile(tile)?, published.tile(tile)?);
            let pairs = mine.iter().zip(&theirs);
            let same = pairs.take_while(|(mine, theirs)| mine == theirs).count();
            at = tile.first() + u64::try_from(same).unwrap_or(u64::MAX);
        }
        if level > 0 {
            at *= 256;
        }
    }
    let (Some(tile), Some(position)) =
        (Tile::in_tree(0, at / 256, head.size), Position::new(at + 1))
    else {
        return Ok(None);
    };
    let in_tile = usize::try_from(at % 256).unwrap_or(usize::MAX);
    let theirs = published.tile(tile)?.get(in_tile).copied();
    let mine = ours.tile(tile)?.get(in_tile).copied();
    let (Some(node), true) = (theirs, theirs != mine) else {
        return Ok(None);
    };
    let path = tree::inclusion(&mut TiledTree::new(published, head.size), at, head.size)?;
    let leaf = Leaf { index: at, node };
    let proven = tree::verify_inclusion(leaf, &path, &head).is_ok();
    Ok(proven.then_some(position))
}
