//! Trees in memory, and what is published of them.

use std::{collections::BTreeMap, fs, path::Path};

use luzhang_ledger::{
    Hash,
    proof::{
        Frontier, Node, SignedCheckpoint, SigningKey, TreeHead,
        note::{KeyName, Purpose},
        tile::{self, Resource, Tile},
    },
};

/// The log's name.
pub(crate) const ORIGIN: &str = "example.com/ledger";

/// A key of the log.
pub(crate) fn log_key(seed: u8) -> SigningKey {
    key(ORIGIN, Purpose::Author, seed)
}

pub(crate) fn key(name: &str, purpose: Purpose, seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), purpose, &[seed; 32])
}

/// Events, of which nothing but the hash is known.
#[derive(Clone, Debug)]
pub(crate) struct History {
    events: Vec<Hash>,
    /// The nodes of each level of tiles, from the leaves up.
    levels: Vec<Vec<Node>>,
    /// The right edge at every multiple of [`STRIDE`] events, so that the head of
    /// any size is near.
    edges: Vec<Frontier>,
}

const STRIDE: usize = 256;

impl History {
    /// So many events, which follow from a name.
    pub(crate) fn new(name: &str, size: usize) -> Self {
        Self::of((0..size).map(|index| event(name, index)).collect())
    }

    /// The same up to here, and other events after it.
    pub(crate) fn fork(&self, at: usize, name: &str) -> Self {
        let rest = (at..self.events.len()).map(|index| event(name, index));
        Self::of(self.events[..at].iter().copied().chain(rest).collect())
    }

    fn of(events: Vec<Hash>) -> Self {
        let mut nodes: Vec<Node> = events.iter().copied().map(Node::of_event).collect();
        let mut edges = vec![Frontier::default()];
        for leaves in nodes.chunks(STRIDE) {
            edges.push(grown(&edges[edges.len() - 1], leaves));
        }
        let mut levels = Vec::new();
        while !nodes.is_empty() {
            let (full, _) = nodes.as_chunks::<256>();
            let above = full.iter().map(|tile| tile::full_root(tile)).collect();
            levels.push(nodes);
            nodes = above;
        }
        Self {
            events,
            levels,
            edges,
        }
    }

    /// The head over the first events.
    pub(crate) fn head(&self, size: usize) -> TreeHead {
        let edge = &self.edges[size / STRIDE];
        let leaves = self.levels.first().map_or(&[][..], Vec::as_slice);
        grown(edge, &leaves[size / STRIDE * STRIDE..size]).head()
    }

    /// What is published of the first events.
    pub(crate) fn published(&self, size: usize, keys: &[&SigningKey]) -> Published {
        let signed = SignedCheckpoint::sign(self.head(size), keys).unwrap();
        let mut published = Published::default();
        published.sign(&signed);
        for tile in Tile::since(0, size as u64) {
            let first = usize::try_from(tile.first()).unwrap();
            let range = first..first + usize::from(tile.width());
            let nodes = &self.levels[usize::from(tile.level())][range.clone()];
            published.put(Resource::Tile(tile), tile::bytes_of(nodes));
            if tile.level() == 0 {
                let entries = tile::entries_of(&self.events[range]);
                published.put(Resource::Entries(tile), entries);
            }
        }
        published
    }
}

fn grown(edge: &Frontier, leaves: &[Node]) -> Frontier {
    let mut edge = edge.clone();
    for leaf in leaves {
        edge.push(*leaf);
    }
    edge
}

fn event(name: &str, index: usize) -> Hash {
    Hash::from_bytes(blake3::hash(format!("{name} {index}").as_bytes()).into())
}

/// Files by their paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Published {
    pub(crate) fn put(&mut self, resource: Resource, bytes: Vec<u8>) {
        self.files.insert(resource.path(), bytes);
    }

    /// Another checkpoint.
    pub(crate) fn sign(&mut self, checkpoint: &SignedCheckpoint) {
        self.put(Resource::Checkpoint, checkpoint.to_string().into_bytes());
    }

    pub(crate) fn checkpoint(&self) -> SignedCheckpoint {
        SignedCheckpoint::parse(&self.files["checkpoint"]).unwrap()
    }

    /// Flips one bit.
    pub(crate) fn flip(&mut self, path: &str, byte: usize) {
        self.files.get_mut(path).unwrap()[byte] ^= 0x10;
    }

    /// Into a directory, beside what is there.
    pub(crate) fn write(&self, dir: &Path) {
        for (path, bytes) in &self.files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}
