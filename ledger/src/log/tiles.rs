//! The tree's tiles on a disk, beside the log: derived from it, and made anew
//! whenever they do not match.
//!
//! ```text
//! DIR/tree/0     the leaves, 32 bytes each
//! DIR/tree/1     the roots of the full tiles of level 0
//! …
//! DIR/tree/7
//! ```
//!
//! Tile `n` of a level is the bytes `n * 8192 ..` of its file, so a partial tile of
//! any width is the beginning of a full one. Files only grow. Whoever appends makes
//! no promise that what it wrote survives a power cut: what is missing then is
//! appended again.

use std::{
    array,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::proof::{
    tile::{self, LEVELS, NODE_LEN, Tile, Tiles, full_root, nodes_at},
    tree::{Frontier, Node, TreeHead},
};

/// One a level.
const FILES: usize = 8;
/// Nodes of a full tile.
const NODES: usize = 256;

/// The files of a tree, open for appending.
#[derive(Debug)]
pub struct TileFiles {
    shared: Arc<Shared>,
    size: u64,
    /// The nodes of each level's partial tile.
    tails: [Vec<Node>; FILES],
}

#[derive(Debug)]
struct Shared {
    files: [File; FILES],
    /// Leaves that readers may see.
    size: AtomicU64,
}

/// The files of a tree, open for reading beside the one who appends.
#[derive(Clone, Debug)]
pub struct TileReader(Arc<Shared>);

impl TileFiles {
    /// Opens the files in `dir`, and makes what is missing. What does not fit
    /// together, such as the rest of a torn write, is cut off.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut files = Vec::with_capacity(FILES);
        for level in 0..FILES {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            files.push(options.open(dir.join(level.to_string()))?);
        }
        let files = <[File; FILES]>::try_from(files)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let mut size = u64::MAX;
        for (level, file) in (0..LEVELS).zip(&files) {
            let nodes = file.metadata()?.len() / NODE_BYTES;
            size = size.min(largest_with(level, nodes));
        }
        let mut opened = Self {
            shared: Arc::new(Shared {
                files,
                size: AtomicU64::new(0),
            }),
            size: 0,
            tails: array::from_fn(|_| Vec::with_capacity(NODES)),
        };
        opened.truncate(size)?;
        Ok(opened)
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// For reading beside this.
    pub fn reader(&self) -> TileReader {
        TileReader(Arc::clone(&self.shared))
    }

    /// Cuts the tree back to its first leaves; `size` is at most what there is.
    pub fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.shared.size.store(size, Ordering::Release);
        self.size = size;
        for (level, (file, tail)) in (0..LEVELS).zip(self.shared.files.iter().zip(&mut self.tails))
        {
            let nodes = nodes_at(level, size);
            file.set_len(nodes.saturating_mul(NODE_BYTES))?;
            let in_tail = nodes % TILE_NODES;
            *tail = read(file, nodes.saturating_sub(in_tail), in_tail)?;
        }
        Ok(())
    }

    /// Appends leaves; readers see them when all are written. After an error the
    /// files may have more than readers see, and nothing more may be appended.
    pub fn append(&mut self, leaves: &[Node]) -> io::Result<()> {
        let mut rising = leaves.to_vec();
        for (level, (file, tail)) in (0..LEVELS).zip(self.shared.files.iter().zip(&mut self.tails))
        {
            if rising.is_empty() {
                break;
            }
            let at = nodes_at(level, self.size).saturating_mul(NODE_BYTES);
            file.write_all_at(&tile::bytes_of(&rising), at)?;
            let mut roots = Vec::new();
            for node in rising {
                tail.push(node);
                if tail.len() == NODES {
                    roots.push(full_root(tail));
                    tail.clear();
                }
            }
            rising = roots;
        }
        let added = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
        self.size = self.size.saturating_add(added);
        self.shared.size.store(self.size, Ordering::Release);
        Ok(())
    }

    /// The head of the tree, from memory.
    pub fn head(&self) -> TreeHead {
        let mut right: Option<Node> = None;
        for tail in &self.tails {
            let mut rest = tail.as_slice();
            let mut parts = Vec::new();
            // Full subtrees of the tail, the largest first.
            while let Some(height) = rest.len().checked_ilog2() {
                let (part, after) = rest.split_at(1_usize << height);
                parts.push(full_root(part));
                rest = after;
            }
            right = parts.into_iter().rev().fold(right, |right, left| {
                Some(right.map_or(left, |right| Node::parent(left, right)))
            });
        }
        TreeHead {
            size: self.size,
            root: right.unwrap_or(Node::EMPTY),
        }
    }

    /// The tree's right edge, from memory.
    pub fn frontier(&self) -> Frontier {
        let mut nodes = Vec::new();
        for tail in self.tails.iter().rev() {
            let mut rest = tail.as_slice();
            while let Some(height) = rest.len().checked_ilog2() {
                let (part, after) = rest.split_at(1_usize << height);
                nodes.push(full_root(part));
                rest = after;
            }
        }
        // The tails hold one node for each one bit of the size, and no more.
        Frontier::of(self.size, nodes).unwrap_or_default()
    }

    /// Makes the files durable, so that less has to be made anew.
    pub fn sync(&self) -> io::Result<()> {
        self.shared.files.iter().try_for_each(File::sync_data)
    }
}

impl TileReader {
    /// Number of leaves that may be asked for.
    pub fn size(&self) -> u64 {
        self.0.size.load(Ordering::Acquire)
    }
}

impl Tiles for TileReader {
    type Error = io::Error;

    /// # Errors
    /// [`io::ErrorKind::NotFound`] for what the tree does not have yet.
    fn tile(&self, tile: Tile) -> io::Result<Vec<Node>> {
        let file = self.0.files.get(usize::from(tile.level()));
        let file = file.filter(|_| tile.is_in(self.size()));
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        read(file, tile.first(), u64::from(tile.width()))
    }
}

/// Bytes of a node in a file.
const NODE_BYTES: u64 = 32;
/// Nodes of a full tile, for counting in files.
const TILE_NODES: u64 = 256;

/// The largest tree that needs no more than so many nodes of a level.
fn largest_with(level: u8, nodes: u64) -> u64 {
    let height = u32::from(level).saturating_mul(8);
    let next = nodes.saturating_add(1);
    let leaves = next
        .checked_shl(height)
        .filter(|leaves| leaves >> height == next);
    leaves.map_or(u64::MAX, |leaves| leaves.saturating_sub(1))
}

fn read(file: &File, first: u64, count: u64) -> io::Result<Vec<Node>> {
    let count = usize::try_from(count).unwrap_or(0);
    let mut bytes = vec![0; count.saturating_mul(NODE_LEN)];
    file.read_exact_at(&mut bytes, first.saturating_mul(NODE_BYTES))?;
    let (nodes, _) = bytes.as_chunks::<NODE_LEN>();
    Ok(nodes.iter().copied().map(Node::from_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{
        Frontier,
        tile::TiledTree,
        tree::{self, Leaf},
    };

    fn leaf(number: u64) -> Node {
        Node::leaf(&number.to_be_bytes())
    }

    fn frontier(size: u64) -> Frontier {
        let mut frontier = Frontier::default();
        (0..size).for_each(|number| frontier.push(leaf(number)));
        frontier
    }

    #[test]
    fn files_hold_the_tree_however_it_was_appended_and_cut() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = TileFiles::open(dir.path()).unwrap();
        assert_eq!(files.head(), TreeHead::EMPTY);
        for end in [1, 2, 255, 256, 257, 600, 65_535, 65_536, 65_537, 70_000] {
            let leaves: Vec<Node> = (files.size()..end).map(leaf).collect();
            files.append(&leaves).unwrap();
            let head = frontier(end).head();
            assert_eq!(files.head(), head);
            let reopened = TileFiles::open(dir.path()).unwrap();
            assert_eq!(reopened.head(), head, "{end} reopened");
            let mut tree = TiledTree::new(files.reader(), end);
            assert_eq!(tree::root(&mut tree, end).unwrap(), head.root);
            for index in [0, end / 2, end - 1] {
                let path = tree::inclusion(&mut tree, index, end).unwrap();
                let node = leaf(index);
                tree::verify_inclusion(Leaf { index, node }, &path, &head).unwrap();
            }
        }
        for end in [69_999, 65_536, 65_535, 300, 256, 255, 1, 0] {
            files.truncate(end).unwrap();
            assert_eq!(files.head(), frontier(end).head(), "cut to {end}");
        }
    }

    #[test]
    fn a_torn_write_is_cut_off() {
        for (level, cut, size) in [
            // Half a leaf, some leaves, a root that is missing, and all roots.
            ("0", 70_000 * 32 - 1, 69_999),
            ("0", 66_000 * 32, 66_000),
            ("1", 272 * 32, 273 * 256 - 1),
            ("1", 256 * 32, 257 * 256 - 1),
            ("1", 0, 255),
            ("2", 0, 65_535),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let mut files = TileFiles::open(dir.path()).unwrap();
            files
                .append(&(0..70_000).map(leaf).collect::<Vec<_>>())
                .unwrap();
            let file = OpenOptions::new()
                .write(true)
                .open(dir.path().join(level))
                .unwrap();
            file.set_len(cut).unwrap();
            let mut reopened = TileFiles::open(dir.path()).unwrap();
            assert_eq!(reopened.size(), size, "level {level} cut to {cut}");
            assert_eq!(reopened.head(), frontier(size).head());
            reopened
                .append(&(size..70_000).map(leaf).collect::<Vec<_>>())
                .unwrap();
            assert_eq!(reopened.head(), frontier(70_000).head());
        }
    }

    #[test]
    fn a_tile_with_one_bit_changed_is_under_no_head() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = TileFiles::open(dir.path()).unwrap();
        files
            .append(&(0..66_000).map(leaf).collect::<Vec<_>>())
            .unwrap();
        let (head, reader) = (files.head(), files.reader());
        let check = |tile: Tile, expected: bool| {
            let nodes = reader.tile(tile).unwrap();
            let found = tile::is_under(tile, &nodes, &reader, &head).unwrap();
            assert_eq!(found, expected, "{tile}");
        };
        // Of each level a tile in the middle, at the end, and a narrower one.
        let tiles = [
            (0, 3, 256),
            (0, 3, 20),
            (0, 257, 208),
            (0, 257, 7),
            (1, 0, 256),
            (1, 0, 9),
            (1, 1, 1),
            (2, 0, 1),
        ]
        .map(|(level, index, width)| Tile::new(level, index, width).unwrap());
        for tile in tiles {
            check(tile, true);
        }
        for tile in tiles {
            let file = &files.shared.files[usize::from(tile.level())];
            let at = tile.first() * 32 + 5;
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
            check(tile, false);
            file.write_all_at(&byte, at).unwrap();
            check(tile, true);
        }
    }

    #[test]
    fn what_is_not_there_yet_is_not_given_out() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = TileFiles::open(dir.path()).unwrap();
        files
            .append(&(0..300).map(leaf).collect::<Vec<_>>())
            .unwrap();
        let reader = files.reader();
        for (level, index, width, there) in [
            (0, 0, 256, true),
            (0, 1, 44, true),
            (0, 1, 1, true),
            (0, 1, 45, false),
            (0, 2, 1, false),
            (1, 0, 1, true),
            (1, 0, 2, false),
            (7, 0, 1, false),
        ] {
            let tile = Tile::new(level, index, width).unwrap();
            assert_eq!(reader.tile(tile).is_ok(), there, "{tile}");
        }
    }
}
