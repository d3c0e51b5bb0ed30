//! Tiles: the tree in pieces of 256 hashes, which never change once they are full.
//!
//! ```text
//! tile/0/x001/067         the leaves 1067 * 256 .. 1068 * 256
//! tile/1/000.p/17         the roots of the first 17 full tiles of level 0
//! tile/entries/x001/067   what the leaves of tile/0/x001/067 are the hashes of
//! ```
//!
//! An entry is the 32 bytes of an event's hash, so the published log says nothing
//! of what the events say.
//!
//! Source: C2SP tlog-tiles.

use std::{fmt, str::FromStr};

use thiserror::Error;

use super::{
    text,
    tree::{self, Node, Nodes, Subtree, TreeHead},
};
use crate::hash::Hash;

/// Nodes of a full tile.
pub const WIDTH: u16 = 256;
/// The same, for counting nodes.
const NODES: u64 = 256;
/// Levels of the tree from a node of a tile to the root of the tile.
const HEIGHT: u32 = 8;
/// The most levels of tiles that a tree of 64-bit size has.
pub const LEVELS: u8 = 8;
/// Bytes of a node in a tile.
pub const NODE_LEN: usize = 32;
/// Bytes of an entry in a bundle: its length (u16, big-endian) and the hash.
pub const ENTRY_LEN: usize = 2 + NODE_LEN;

/// One tile of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

/// Not a tile's path, or not that of any tree.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a tile, such as `tile/0/x001/067` or `tile/1/000.p/17`")]
pub struct TileError;

impl Tile {
    /// The tile at this place of a level, as wide as it is in a tree of `size`
    /// leaves; `None` if it is not in that tree.
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let nodes = nodes_at(level, size);
        let before = index.checked_mul(NODES)?;
        let left = nodes.checked_sub(before).filter(|left| *left > 0)?;
        let width = u16::try_from(left).map_or(WIDTH, |left| left.min(WIDTH));
        Some(Self {
            level,
            index,
            width,
        })
    }

    /// A tile by its numbers: `width` from 1 to 256.
    pub fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        let sound = level < LEVELS && (1..=WIDTH).contains(&width);
        // Its leaves can be counted.
        let end = index.checked_add(1)?;
        let leaves = u32::from(level).saturating_add(1).checked_mul(HEIGHT)?;
        let countable = end <= u64::MAX.checked_shr(leaves).unwrap_or(0).saturating_add(1);
        (sound && countable).then_some(Self {
            level,
            index,
            width,
        })
    }

    /// 0 for leaves; a node of level `l` is the root of a full tile of `l - 1`.
    pub fn level(self) -> u8 {
        self.level
    }

    /// From 0, within the level.
    pub fn index(self) -> u64 {
        self.index
    }

    /// Number of nodes, 1 to 256.
    pub fn width(self) -> u16 {
        self.width
    }

    /// Whether it will never change.
    pub fn is_full(self) -> bool {
        self.width == WIDTH
    }

    /// The number of its first node within the level.
    pub fn first(self) -> u64 {
        self.index.saturating_mul(NODES)
    }

    /// The full tile in its place.
    #[must_use]
    pub fn full(self) -> Self {
        Self {
            width: WIDTH,
            ..self
        }
    }

    /// Whether a tree of `size` leaves has it: with this width, or wider.
    pub fn is_in(self, size: u64) -> bool {
        let end = self.first().saturating_add(u64::from(self.width));
        end <= nodes_at(self.level, size)
    }

    /// The tiles of a tree of `size` leaves, level by level, that a tree of
    /// `since` leaves does not have as they are.
    pub fn since(since: u64, size: u64) -> impl Iterator<Item = Self> {
        (0..LEVELS).flat_map(move |level| {
            let (before, now) = (nodes_at(level, since), nodes_at(level, size));
            let end = if now > before { now.div_ceil(NODES) } else { 0 };
            (before / NODES..end).filter_map(move |index| Self::in_tree(level, index, size))
        })
    }

    /// The path of the entries under this tile of level 0.
    pub fn entries_path(self) -> String {
        format!("tile/entries/{}", self.place())
    }

    fn place(self) -> String {
        let mut groups = vec![format!("{:03}", self.index % 1_000)];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1_000));
            rest /= 1_000;
        }
        groups.reverse();
        let place = groups.join("/");
        if self.is_full() {
            place
        } else {
            format!("{place}.p/{}", self.width)
        }
    }
}

/// How many nodes of full subtrees a level has in a tree of `size` leaves.
pub fn nodes_at(level: u8, size: u64) -> u64 {
    let height = u32::from(level).saturating_mul(HEIGHT);
    size.checked_shr(height).unwrap_or(0)
}

/// The path that it is published under.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/{}", self.level, self.place())
    }
}

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The newest signed head.
    Checkpoint,
    /// Nodes of the tree.
    Tile(Tile),
    /// The entries under a tile of level 0.
    Entries(Tile),
}

impl Resource {
    /// The path, without a slash in front.
    pub fn path(self) -> String {
        match self {
            Self::Checkpoint => "checkpoint".to_owned(),
            Self::Tile(tile) => tile.to_string(),
            Self::Entries(tile) => tile.entries_path(),
        }
    }
}

impl FromStr for Resource {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        if path == "checkpoint" {
            return Ok(Self::Checkpoint);
        }
        let rest = path.strip_prefix("tile/").ok_or(TileError)?;
        let (level, place) = rest.split_once('/').ok_or(TileError)?;
        let entries = level == "entries";
        let level = if entries {
            0
        } else {
            let level = text::decimal(level).and_then(|level| u8::try_from(level).ok());
            level.ok_or(TileError)?
        };
        let (index, width) = parse_place(place).ok_or(TileError)?;
        let tile = Tile::new(level, index, width).ok_or(TileError)?;
        Ok(if entries {
            Self::Entries(tile)
        } else {
            Self::Tile(tile)
        })
    }
}

fn parse_place(place: &str) -> Option<(u64, u16)> {
    let (index, width) = match place.split_once(".p/") {
        None => (place, WIDTH),
        Some((index, width)) => {
            let width = text::decimal(width).and_then(|width| u16::try_from(width).ok());
            (index, width.filter(|width| *width < WIDTH)?)
        }
    };
    let mut number: u64 = 0;
    let mut groups = index.split('/').peekable();
    let mut first = true;
    while let Some(group) = groups.next() {
        let digits = match groups.peek() {
            Some(_) => group.strip_prefix('x')?,
            None => group,
        };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let group: u64 = digits.parse().ok()?;
        // One path for one tile: no group of zeros in front.
        if first && group == 0 && groups.peek().is_some() {
            return None;
        }
        first = false;
        number = number.checked_mul(1_000)?.checked_add(group)?;
    }
    Some((number, width))
}

/// The nodes in the bytes of a tile; `None` if the bytes are not that wide.
pub fn nodes_of(tile: Tile, bytes: &[u8]) -> Option<Vec<Node>> {
    let (nodes, rest) = bytes.as_chunks::<NODE_LEN>();
    let sound = rest.is_empty() && nodes.len() == usize::from(tile.width);
    sound.then(|| nodes.iter().copied().map(Node::from_bytes).collect())
}

/// The bytes of a tile.
pub fn bytes_of(nodes: &[Node]) -> Vec<u8> {
    nodes.iter().flat_map(Node::as_bytes).copied().collect()
}

/// The event hashes in a bundle of entries; `None` if it is not that wide, or has
/// an entry of another length.
pub fn events_of(tile: Tile, bytes: &[u8]) -> Option<Vec<Hash>> {
    let (entries, rest) = bytes.as_chunks::<ENTRY_LEN>();
    if !rest.is_empty() || entries.len() != usize::from(tile.width) {
        return None;
    }
    let hash = |entry: &[u8; ENTRY_LEN]| {
        let (length, hash) = entry.split_first_chunk::<2>()?;
        let hash: [u8; NODE_LEN] = hash.try_into().ok()?;
        (usize::from(u16::from_be_bytes(*length)) == NODE_LEN).then(|| Hash::from_bytes(hash))
    };
    entries.iter().map(hash).collect()
}

/// The bundle of entries for event hashes.
pub fn entries_of(events: &[Hash]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(events.len().saturating_mul(ENTRY_LEN));
    for event in events {
        bytes.extend_from_slice(&[0, 32]);
        bytes.extend_from_slice(event.as_bytes());
    }
    bytes
}

/// Where tiles come from: the files beside a log, a published directory, a URL.
pub trait Tiles {
    /// Why a tile cannot be had.
    type Error;

    /// The nodes of a tile, exactly as many as it is wide. Nothing of them has
    /// been checked; a proof made of them is.
    fn tile(&self, tile: Tile) -> Result<Vec<Node>, Self::Error>;
}

impl<T: Tiles + ?Sized> Tiles for &T {
    type Error = T::Error;

    fn tile(&self, tile: Tile) -> Result<Vec<Node>, Self::Error> {
        (**self).tile(tile)
    }
}

/// The nodes of the tree of some size, from its tiles. Each tile is asked for
/// once.
#[derive(Debug)]
pub struct TiledTree<T> {
    tiles: T,
    size: u64,
    seen: Vec<(Tile, Vec<Node>)>,
}

impl<T: Tiles> TiledTree<T> {
    /// The tree of the first `size` leaves.
    pub fn new(tiles: T, size: u64) -> Self {
        Self {
            tiles,
            size,
            seen: Vec::new(),
        }
    }

    fn tile(&mut self, tile: Tile) -> Result<&[Node], T::Error> {
        let seen = self.seen.iter().position(|(seen, _)| *seen == tile);
        let at = if let Some(at) = seen {
            at
        } else {
            self.seen.push((tile, self.tiles.tile(tile)?));
            self.seen.len().saturating_sub(1)
        };
        Ok(self.seen.get(at).map_or(&[], |(_, nodes)| nodes))
    }
}

impl<T: Tiles> Nodes for TiledTree<T> {
    type Error = T::Error;

    fn node(&mut self, height: u32, index: u64) -> Result<Node, T::Error> {
        let level = u8::try_from(height / HEIGHT).unwrap_or(LEVELS);
        let inside = height % HEIGHT;
        let first = index.checked_shl(inside).unwrap_or(u64::MAX);
        let in_tile = first / NODES;
        // Callers ask for nodes of the tree only; what is not there has no value.
        let Some(tile) = Tile::in_tree(level, in_tile, self.size) else {
            return Ok(Node::EMPTY);
        };
        let start = usize::try_from(first % NODES).unwrap_or(usize::MAX);
        let count = 1_usize.checked_shl(inside).unwrap_or(usize::MAX);
        let nodes = self.tile(tile)?;
        let nodes = nodes.get(start..start.saturating_add(count)).unwrap_or(&[]);
        Ok(full_root(nodes))
    }
}

/// Whether the nodes of a tile are under a head. The rest of the tree is taken from
/// `tiles`, which may be wrong too: then the answer is no.
///
/// # Errors
/// What `tiles` says.
pub fn is_under<T: Tiles>(
    tile: Tile,
    nodes: &[Node],
    tiles: T,
    head: &TreeHead,
) -> Result<bool, T::Error> {
    let Some(whole) = Tile::in_tree(tile.level, tile.index, head.size) else {
        return Ok(false);
    };
    let all = tiles.tile(whole)?;
    if !all.starts_with(nodes) {
        return Ok(false);
    }
    let mut tree = TiledTree::new(tiles, head.size);
    if !whole.is_full() {
        // It is the right edge of its level, all of which makes up the root.
        return Ok(tree::root(&mut tree, head.size)? == head.root);
    }
    let height = u32::from(tile.level)
        .saturating_add(1)
        .saturating_mul(HEIGHT);
    let subtree = Subtree {
        height,
        index: tile.index,
    };
    let path = tree::subtree_inclusion(&mut tree, subtree, head.size)?;
    Ok(tree::verify_subtree(subtree, full_root(&all), &path, head).is_ok())
}

/// The root over nodes whose number is a power of two.
pub fn full_root(nodes: &[Node]) -> Node {
    let mut row = nodes.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        row = pairs
            .iter()
            .map(|[left, right]| Node::parent(*left, *right))
            .collect();
    }
    row.first().copied().unwrap_or(Node::EMPTY)
}
