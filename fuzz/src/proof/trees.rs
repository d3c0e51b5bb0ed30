//! Tiles, paths, and proofs.

use std::{convert::Infallible, sync::LazyLock};

use luzhang_ledger::{
    hash::Hash,
    proof::{
        Node,
        tile::{
            Resource, Tile, TiledTree, Tiles, bytes_of, entries_of, events_of, nodes_at, nodes_of,
        },
        tree::{self, Frontier, Leaf, TreeHead},
    },
};

use super::model;

/// Leaves of the tree that is kept: more than two tiles.
pub const LEAVES: u64 = 600;

/// Numbers, a few bytes at a time, and zeros where they end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// Small ones, large ones, and those around powers of two.
    fn number(&mut self) -> u64 {
        let byte = self.byte();
        match byte >> 6 {
            0 => u64::from(byte),
            1 => u64::from(byte & 63) << 8 | u64::from(self.byte()),
            2 => (1_u64 << (byte & 63)).wrapping_add(u64::from(self.byte()).wrapping_sub(128)),
            _ => u64::from_be_bytes(std::array::from_fn(|_| self.byte())),
        }
    }

    /// One of a few: that two are equal must happen.
    fn node(&mut self) -> Node {
        Node::leaf(&[self.byte()])
    }
}

/// The event of a place, from 0.
pub fn event(index: u64) -> Hash {
    Hash::from_bytes(*blake3::hash(&index.to_be_bytes()).as_bytes())
}

pub struct Kept {
    levels: Vec<Vec<Node>>,
    heads: Vec<TreeHead>,
}

impl Kept {
    pub fn of(events: impl Iterator<Item = Hash>) -> Self {
        let mut levels = vec![events.map(Node::of_event).collect::<Vec<_>>()];
        while levels.last().is_some_and(|row| row.len() > 1) {
            let (pairs, _) = levels[levels.len() - 1].as_chunks::<2>();
            levels.push(pairs.iter().map(|[a, b]| Node::parent(*a, *b)).collect());
        }
        let mut frontier = Frontier::default();
        let mut heads = vec![frontier.head()];
        for leaf in &levels[0] {
            frontier.push(*leaf);
            heads.push(frontier.head());
        }
        Self { levels, heads }
    }

    pub fn head(&self, size: u64) -> TreeHead {
        self.heads[size as usize]
    }
}

impl Tiles for Kept {
    type Error = Infallible;

    fn tile(&self, tile: Tile) -> Result<Vec<Node>, Infallible> {
        let first = tile.first() as usize;
        let row = &self.levels[usize::from(tile.level()) * 8];
        Ok(row[first..first + usize::from(tile.width())].to_vec())
    }
}

static KEPT: LazyLock<Kept> = LazyLock::new(|| Kept::of((0..LEAVES).map(event)));

pub fn seeds() -> Vec<Vec<u8>> {
    let paths: [&[u8]; 8] = [
        b"pcheckpoint",
        b"ptile/0/000",
        b"ptile/0/x001/067",
        b"ptile/1/000.p/17",
        b"ptile/7/000.p/255",
        b"ptile/entries/x001/x234/067",
        b"ptile/entries/000.p/1",
        b"ptile/0/x072/x057/x594/x037/x927/935",
    ];
    let mut seeds: Vec<Vec<u8>> = paths.map(<[u8]>::to_vec).to_vec();
    let nodes: Vec<Node> = (0..3).map(event).map(Node::of_event).collect();
    let events: Vec<Hash> = (0..3).map(event).collect();
    seeds.push([b"t\x02".as_slice(), &bytes_of(&nodes)].concat());
    seeds.push([b"t\x02".as_slice(), &entries_of(&events)].concat());
    for place in [[0x40, 1, 0x42, 1], [0x00, 1, 0x41, 0], [0x41, 44, 0x41, 99]] {
        seeds.push([b"g".as_slice(), &place, &[1, 2, 3]].concat());
        seeds.push([b"d".as_slice(), &place, &[1, 2, 3, 4, 5]].concat());
    }
    seeds.push(b"i\x05\x08\x01\x01\x02\x03\x04".to_vec());
    seeds.push(b"c\x06\x08\x01\x02\x03\x04\x05".to_vec());
    seeds.push(b"c\x04\x08\x01\x02\x03\x04\x05".to_vec());
    seeds
}

/// Paths (`p`), the bytes of tiles (`t`), proofs from sound tiles (`g`) and from
/// any (`d`), and proofs that somebody made up (`i`, `c`).
pub fn tile(bytes: &[u8]) {
    match bytes.split_first() {
        Some((b'p', path)) => resource(path),
        Some((b't', bytes)) => contents(bytes),
        Some((b'g', bytes)) => generated(&mut Input(bytes)),
        Some((b'd', bytes)) => damaged(&mut Input(bytes)),
        Some((b'i', bytes)) => inclusion(&mut Input(bytes)),
        Some((_, bytes)) => consistency(bytes),
        None => {}
    }
}

fn resource(path: &[u8]) {
    let Ok(path) = str::from_utf8(path) else {
        return;
    };
    let Ok(resource) = path.parse::<Resource>() else {
        return;
    };
    assert_eq!(resource.path(), path);
    let tile = match resource {
        Resource::Checkpoint => return,
        Resource::Tile(tile) => tile,
        Resource::Entries(tile) => {
            assert_eq!(tile.level(), 0);
            tile
        }
    };
    let (level, index, width) = (tile.level(), tile.index(), tile.width());
    assert_eq!(Tile::new(level, index, width), Some(tile));
    // The smallest tree that has it.
    let nodes = u128::from(tile.first()) + u128::from(width);
    if let Ok(size) = u64::try_from(nodes << (8 * u32::from(level))) {
        assert!(tile.is_in(size));
        assert!(!tile.is_in(size - 1));
        assert_eq!(Tile::in_tree(level, index, size), Some(tile));
        assert_eq!(nodes_at(level, size), nodes as u64);
    }
}

fn contents(bytes: &[u8]) {
    let Some((width, bytes)) = bytes.split_first() else {
        return;
    };
    let tile = Tile::new(0, 0, u16::from(*width) + 1).unwrap();
    let count = usize::from(tile.width());
    let nodes = nodes_of(tile, bytes);
    assert_eq!(nodes.is_some(), bytes.len() == count * 32);
    if let Some(nodes) = nodes {
        assert_eq!(bytes_of(&nodes), bytes);
    }
    if let Some(events) = events_of(tile, bytes) {
        assert_eq!(events.len(), count);
        assert_eq!(entries_of(&events), bytes);
    }
}

fn digests(nodes: &[Node]) -> Vec<model::Digest> {
    nodes.iter().map(|node| *node.as_bytes()).collect()
}

/// Proofs of places in the tree that is kept.
fn generated(input: &mut Input<'_>) {
    let size = input.number() % (LEAVES + 1);
    let place = input.number() % (LEAVES + 1);
    let kept = &*KEPT;
    let mut tiled = TiledTree::new(kept, size);
    let Ok(root) = tree::root(&mut tiled, size);
    let leaves = digests(&kept.levels[0][..size as usize]);
    assert_eq!(*root.as_bytes(), model::root(&leaves));
    let Ok(path) = tree::inclusion(&mut tiled, place, size);
    let leaf = Leaf {
        index: place,
        node: kept.levels[0].get(place as usize).copied().unwrap_or(root),
    };
    let head = kept.head(size);
    let included = tree::verify_inclusion(leaf, &path, &head);
    assert_eq!(included.is_ok(), place < size);
    let Ok(path) = tree::consistency(&mut tiled, place, size);
    let continues = tree::verify_consistency(&kept.head(place), &head, &path);
    assert_eq!(continues.is_ok(), place <= size);
}

/// Tiles of anybody's: other nodes, more, or fewer than were asked for.
struct Anything<'a>(&'a [u8]);

impl Tiles for Anything<'_> {
    type Error = ();

    fn tile(&self, tile: Tile) -> Result<Vec<Node>, ()> {
        let place = usize::from(tile.level()) * 31 + tile.index() as usize % 251;
        let choice = self.0.get(place % self.0.len().max(1)).copied();
        let choice = choice.unwrap_or(0);
        let count = match choice & 7 {
            0 => return Err(()),
            1 => 0,
            2 => usize::from(tile.width()) / 2,
            3 => usize::from(tile.width()) + 1,
            _ => usize::from(tile.width()),
        };
        Ok(vec![Node::leaf(&[choice]); count])
    }
}

/// A proof of unsound tiles can be made, and proves nothing of the tree.
fn damaged(input: &mut Input<'_>) {
    let size = input.number();
    let place = input.number();
    let tiles = Anything(input.0);
    let mut tiled = TiledTree::new(&tiles, size);
    let _ = tree::root(&mut tiled, size);
    if let Ok(path) = tree::inclusion(&mut tiled, place, size) {
        assert!(path.len() <= 64);
        let size = size % (LEAVES + 1);
        let leaf = Leaf {
            index: place,
            node: Node::leaf(b"not in the tree"),
        };
        assert!(tree::verify_inclusion(leaf, &path, &KEPT.head(size)).is_err());
    }
    if let Ok(path) = tree::consistency(&mut tiled, place, size) {
        // One for each level, and the part of the old tree that it begins with.
        assert!(path.len() <= 65);
        let size = size % (LEAVES + 1);
        let old = TreeHead {
            size: place,
            root: Node::leaf(b"of no tree"),
        };
        assert!(tree::verify_consistency(&old, &KEPT.head(size), &path).is_err());
    }
}

/// A path that somebody made up, and a root that it leads to, or another one.
fn inclusion(input: &mut Input<'_>) {
    let leaf = Leaf {
        index: input.number(),
        node: input.node(),
    };
    let size = input.number();
    let honest = input.byte() & 1 == 1;
    let path: Vec<Node> = (0..input.0.len().min(70)).map(|_| input.node()).collect();
    let digest = *leaf.node.as_bytes();
    let nodes = digests(&path);
    let led = (leaf.index < size)
        .then(|| model::climb(digest, leaf.index, size, &nodes))
        .flatten();
    let root = led.filter(|_| honest).map(Node::from_bytes);
    let head = TreeHead {
        size,
        root: root.unwrap_or(leaf.node),
    };
    let expected = model::includes(digest, leaf.index, size, *head.root.as_bytes(), &nodes);
    let verified = tree::verify_inclusion(leaf, &path, &head);
    assert_eq!(verified.is_ok(), expected, "{leaf:?} {size} {verified:?}");
}

/// A proof that somebody made up, and roots that it leads to, or others.
pub fn consistency(bytes: &[u8]) {
    let input = &mut Input(bytes);
    let (old, new) = (input.number(), input.number());
    let honest = input.byte();
    let known = input.node();
    let path: Vec<Node> = (0..input.0.len().min(70)).map(|_| input.node()).collect();
    let nodes = digests(&path);
    let led = (0 < old && old < new)
        .then(|| model::roots(old, new, Some(*known.as_bytes()), &nodes))
        .flatten();
    let [old_root, new_root] = match led {
        Some((old, new)) => [old, new].map(Node::from_bytes),
        None if honest & 4 == 4 => [Node::EMPTY, Node::EMPTY],
        None => [known, known],
    };
    let [old, new] = [(1, old, old_root), (2, new, new_root)].map(|(bit, size, root)| TreeHead {
        size,
        root: if honest & bit == 0 { known } else { root },
    });
    let [first, second] = [old, new].map(|head| (head.size, *head.root.as_bytes()));
    let expected = model::continues(first, second, &nodes);
    let verified = tree::verify_consistency(&old, &new, &path);
    assert_eq!(verified.is_ok(), expected, "{old:?} {new:?} {verified:?}");
}
