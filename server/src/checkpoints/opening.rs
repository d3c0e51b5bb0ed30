//! What opening a ledger finds of its tree, and whether the log still is the one
//! that was signed.

use std::{
    io,
    path::{Path, PathBuf},
};

use luzhang_ledger::{
    Body, Event, Hash,
    event::KeyAdoption,
    log::{Reader, tiles::TileFiles},
    proof::{
        Frontier, Node, SignedCheckpoint, SigningKey, TreeHead, VerifierKey, tile::TiledTree, tree,
    },
};

use super::{Trouble, kept::Kept, key::KeyFiles, signer::append_from_log};

/// The tree of a ledger that is being opened. It is told of every event of the
/// log, and compares.
#[derive(Debug)]
pub(crate) struct Opening {
    /// `DIR/tree`.
    pub(super) dir: PathBuf,
    pub(super) keys: KeyFiles,
    pub(super) tiles: TileFiles,
    pub(super) signed: Option<SignedCheckpoint>,
    pub(super) published: Option<SignedCheckpoint>,
    /// Every key that the log has adopted.
    pub(super) adoptions: Vec<KeyAdoption>,
    /// The key at hand, if it is the adopted one.
    pub(super) key: Option<SigningKey>,
    frontier: Frontier,
    /// Heads to compare with, by size.
    expected: Vec<TreeHead>,
    contradicted: Option<TreeHead>,
    tiles_differ: bool,
}

/// How the log differs from what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contradiction {
    /// It ends before it.
    Truncated { signed: u64, log: u64 },
    /// It has another root there.
    Forked { size: u64 },
}

impl Opening {
    /// What is there before the log is read.
    pub(crate) fn begin(dir: &Path) -> io::Result<Self> {
        let tree = dir.join("tree");
        let tiles = TileFiles::open(&tree)?;
        let signed = Kept::Signed.read(&tree)?;
        let published = Kept::Published.read(&tree)?;
        let heads = signed.iter().chain(&published).map(SignedCheckpoint::head);
        let mut expected: Vec<TreeHead> = heads.chain([tiles.head()]).collect();
        expected.retain(|head| head.size > 0);
        Ok(Self {
            keys: KeyFiles::new(dir),
            dir: tree,
            tiles,
            signed,
            published,
            adoptions: Vec::new(),
            key: None,
            frontier: Frontier::default(),
            expected,
            contradicted: None,
            tiles_differ: false,
        })
    }

    /// The next event of the log.
    pub(crate) fn see(&mut self, event: &Event, hash: Hash) {
        if let Body::CheckpointKeyAdopted(adoption) = &event.body {
            self.adoptions.push((**adoption).clone());
        }
        self.frontier.push(Node::of_event(hash));
        let size = self.frontier.size();
        if !self.expected.iter().any(|head| head.size == size) {
            return;
        }
        let found = self.frontier.head();
        self.tiles_differ |= self.tiles.size() == size && self.tiles.head() != found;
        let signed = self.signed.iter().chain(&self.published);
        let differs =
            |signed: &SignedCheckpoint| signed.head().size == size && signed.head() != found;
        if self.contradicted.is_none() && signed.clone().any(differs) {
            self.contradicted = Some(found);
        }
    }

    /// Goes on from a snapshot, instead of being told of the events before it. Whether
    /// that can be: all that was signed before must be proven to be in its tree, by the
    /// tiles, which are nothing but a help: they have to lead to its root.
    pub(crate) fn resume(
        &mut self,
        frontier: &Frontier,
        adoptions: Vec<KeyAdoption>,
        log: &dyn Reader,
    ) -> Result<bool, Trouble> {
        let head = frontier.head();
        if self.tiles.size() < head.size {
            append_from_log(&mut self.tiles, log, head.size)?;
        }
        if self.tiles.size() == head.size && self.tiles.head() != head {
            return Ok(false);
        }
        let mut nodes = TiledTree::new(self.tiles.reader(), head.size);
        if tree::root(&mut nodes, head.size)? != head.root {
            return Ok(false);
        }
        let signed = self.signed.iter().chain(&self.published);
        let earlier = signed.map(SignedCheckpoint::head);
        for earlier in earlier.filter(|earlier| earlier.size <= head.size) {
            let proof = tree::consistency(&mut nodes, earlier.size, head.size)?;
            if tree::verify_consistency(&earlier, &head, &proof).is_err() {
                return Ok(false);
            }
        }
        self.frontier = frontier.clone();
        self.adoptions = adoptions;
        Ok(true)
    }

    /// The log has been read. Tiles that do not fit it are thrown away.
    pub(crate) fn end(&mut self) -> io::Result<Result<(), Contradiction>> {
        let size = self.frontier.size();
        if let Some(head) = self.contradicted {
            return Ok(Err(Contradiction::Forked { size: head.size }));
        }
        let signed = self.signed.iter().chain(&self.published);
        let longest = signed.map(|signed| signed.head().size).max().unwrap_or(0);
        if longest > size {
            return Ok(Err(Contradiction::Truncated {
                signed: longest,
                log: size,
            }));
        }
        if self.tiles_differ || self.tiles.size() > size {
            tracing::warn!("the tiles of the tree do not fit the log; they are made anew");
            self.tiles.truncate(0)?;
        }
        self.key = match self.keys.open(self.adopted()) {
            // Issuing needs no checkpoints: it is as good as missing.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::error!(%error, "no checkpoints are signed");
                None
            }
            opened => opened?,
        };
        Ok(Ok(()))
    }

    /// What was signed last.
    pub(super) fn newest(&self) -> Option<&SignedCheckpoint> {
        let kept = self.signed.iter().chain(&self.published);
        kept.max_by_key(|signed| signed.head().size)
    }

    /// The key that signs now, by the log.
    pub(super) fn adopted(&self) -> Option<&VerifierKey> {
        self.adoptions.last().map(|adoption| &adoption.key)
    }
}
