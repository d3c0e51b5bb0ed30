//! The Merkle tree of RFC 6962: SHA-256 over event hashes.
//!
//! The leaf of an event is at index `position - 1`. Its data are the 32 bytes of
//! the event's hash, so the last leaf of a tree binds the whole chain up to it.
//!
//! Source: RFC 6962, section 2.1; RFC 9162, sections 2.1.3 and 2.1.4, for
//! checking proofs.

use std::fmt;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::text;
use crate::{hash::Hash, position::Position};

/// SHA-256 of the empty string: the root of a tree without leaves.
const EMPTY: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The hash of a leaf or of a subtree: 32 bytes of SHA-256. Shown in base64, as
/// checkpoints have it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node([u8; 32]);

impl Node {
    /// The root of a tree without leaves.
    pub const EMPTY: Self = Self(EMPTY);

    /// The leaf of an event.
    pub fn of_event(event: Hash) -> Self {
        Self::leaf(event.as_bytes())
    }

    /// `SHA-256(00 ‖ data)`.
    pub fn leaf(data: &[u8]) -> Self {
        Self(
            Sha256::new()
                .chain_update([0])
                .chain_update(data)
                .finalize()
                .into(),
        )
    }

    /// `SHA-256(01 ‖ left ‖ right)`.
    pub fn parent(left: Self, right: Self) -> Self {
        let mut bytes = [1; 65];
        for (byte, value) in bytes
            .iter_mut()
            .skip(1)
            .zip(left.0.into_iter().chain(right.0))
        {
            *byte = value;
        }
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::encode(self.0))
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A tree, as far as anyone has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// The root over them.
    pub root: Node,
}

impl TreeHead {
    /// The head of a tree without leaves.
    pub const EMPTY: Self = Self {
        size: 0,
        root: Node::EMPTY,
    };

    /// The position of the last event under it.
    pub fn last(&self) -> Option<Position> {
        Position::new(self.size)
    }
}

/// The leaf index of a position.
pub fn index_of(position: Position) -> u64 {
    position.number().saturating_sub(1)
}

/// The right edge of a growing tree: the roots of the full subtrees that make it
/// up, from the largest to the smallest. At most 64 nodes, whatever the size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Node>,
}

impl Frontier {
    /// Appends a leaf; on average one parent is hashed.
    pub fn push(&mut self, leaf: Node) {
        let mut node = leaf;
        // Each one bit at the end of the size is a full subtree that the new leaf
        // completes to one of twice its size.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = Node::parent(left, node);
            }
        }
        self.nodes.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// The edge of a tree of this size; `None` if such a tree has more nodes there, or
    /// fewer.
    pub fn of(size: u64, nodes: Vec<Node>) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        (nodes.len() == expected).then_some(Self { size, nodes })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the full subtrees, the largest first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The tree's head.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: join(&self.nodes),
        }
    }
}

/// The root over neighbouring subtrees that get smaller to the right.
fn join(nodes: &[Node]) -> Node {
    let from_right = nodes.iter().rev().copied();
    from_right
        .reduce(|right, left| Node::parent(left, right))
        .unwrap_or(Node::EMPTY)
}

/// Where nodes of a tree come from.
pub trait Nodes {
    /// Why a node cannot be had.
    type Error;

    /// The root of the full subtree over the leaves
    /// `index << height .. (index + 1) << height`.
    fn node(&mut self, height: u32, index: u64) -> Result<Node, Self::Error>;
}

/// Leaves from one up to, not including, another.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: u64,
    to: u64,
}

impl Span {
    fn len(self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    /// The left and the right subtree: the left one is full, and as large as it
    /// can be without being all. `None` for a single leaf.
    fn split(self) -> Option<(Self, Self)> {
        let height = self.len().checked_sub(1)?.checked_ilog2()?;
        let middle = self.from.saturating_add(1 << height);
        let left = Self { to: middle, ..self };
        let right = Self {
            from: middle,
            ..self
        };
        Some((left, right))
    }
}

/// The root over a span that is a subtree of some tree.
fn root_over<N: Nodes>(nodes: &mut N, span: Span) -> Result<Node, N::Error> {
    let mut parts = Vec::new();
    let mut rest = span;
    while let Some(height) = rest.len().checked_ilog2() {
        parts.push(nodes.node(height, rest.from >> height)?);
        rest.from = rest.from.saturating_add(1 << height);
    }
    Ok(join(&parts))
}

/// The root of the tree of this size.
pub fn root<N: Nodes>(nodes: &mut N, size: u64) -> Result<Node, N::Error> {
    root_over(nodes, Span { from: 0, to: size })
}

/// The path that proves the leaf at `index` to be in the tree of `size` leaves,
/// from the leaf's sibling up. Empty if there is no such leaf.
///
/// Source: RFC 6962, section 2.1.1.
pub fn inclusion<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Node>, N::Error> {
    let leaf = Subtree { height: 0, index };
    subtree_inclusion(nodes, leaf, size)
}

/// A full subtree: the leaves `index << height .. (index + 1) << height`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subtree {
    /// 0 for a leaf.
    pub height: u32,
    /// From 0, among the full subtrees of that height.
    pub index: u64,
}

/// The same path for a full subtree, from its sibling up. Empty if it is not in
/// the tree, or is all of it.
pub fn subtree_inclusion<N: Nodes>(
    nodes: &mut N,
    subtree: Subtree,
    size: u64,
) -> Result<Vec<Node>, N::Error> {
    let mut path = Vec::new();
    if subtree.index >= size.checked_shr(subtree.height).unwrap_or(0) {
        return Ok(path);
    }
    let first = subtree.index << subtree.height;
    let leaves = 1 << subtree.height;
    let mut span = Span { from: 0, to: size };
    while span.len() > leaves
        && let Some((left, right)) = span.split()
    {
        let (inside, sibling) = if first < left.to {
            (left, right)
        } else {
            (right, left)
        };
        path.push(root_over(nodes, sibling)?);
        span = inside;
    }
    path.reverse();
    Ok(path)
}

/// The path that proves the tree of `old` leaves to be the beginning of the tree
/// of `new` leaves. Empty if either is empty, if they are equal, or if `old` is
/// the larger one.
///
/// Source: RFC 6962, section 2.1.2.
pub fn consistency<N: Nodes>(nodes: &mut N, old: u64, new: u64) -> Result<Vec<Node>, N::Error> {
    let mut path = Vec::new();
    if old == 0 || old >= new {
        return Ok(path);
    }
    let mut span = Span { from: 0, to: new };
    while span.to != old {
        let Some((left, right)) = span.split() else {
            break;
        };
        let (inside, sibling) = if old <= left.to {
            (left, right)
        } else {
            (right, left)
        };
        path.push(root_over(nodes, sibling)?);
        span = inside;
    }
    // What is left is the old tree itself, which the verifier knows, or its last
    // part, which it does not.
    if span.from != 0 {
        path.push(root_over(nodes, span)?);
    }
    path.reverse();
    Ok(path)
}

/// Why a proof does not prove.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ProofError {
    /// The tree has no such leaf.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    OutOfTree {
        /// The leaf.
        index: u64,
        /// The tree.
        size: u64,
    },
    /// A tree that grew is not smaller than before.
    #[error("the later tree has {new} leaves, fewer than the {old} of the earlier one")]
    Shrunk {
        /// Leaves of the earlier tree.
        old: u64,
        /// Leaves of the later tree.
        new: u64,
    },
    /// More or fewer nodes than the sizes ask for.
    #[error("the proof does not have the length that these sizes ask for")]
    Length,
    /// The nodes do not lead to the root.
    #[error("the proof does not lead to the root")]
    Root,
    /// Two roots for one size: no proof could join them.
    #[error("two trees of {size} leaves have different roots")]
    TwoRoots {
        /// Leaves of both.
        size: u64,
    },
}

/// Climbs from a leaf to the root, telling at each node of a path on which side
/// it stands.
struct Climb {
    node: u64,
    last: u64,
}

enum Side {
    Left,
    Right,
}

impl Climb {
    /// The side of the next node of the path; `None` if there should be none.
    fn step(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            // Where the tree has no sibling on the right, the climb goes on
            // without a node until there is one on the left.
            let skipped = self.node.trailing_zeros();
            self.shift(skipped);
            Side::Left
        } else {
            Side::Right
        };
        self.shift(1);
        Some(side)
    }

    fn shift(&mut self, by: u32) {
        self.node = self.node.checked_shr(by).unwrap_or(0);
        self.last = self.last.checked_shr(by).unwrap_or(0);
    }
}

/// A leaf and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// From 0.
    pub index: u64,
    /// Its hash.
    pub node: Node,
}

/// Checks that a leaf is under a head.
///
/// # Errors
/// [`ProofError::OutOfTree`], [`ProofError::Length`] and [`ProofError::Root`].
pub fn verify_inclusion(leaf: Leaf, path: &[Node], head: &TreeHead) -> Result<(), ProofError> {
    let Leaf { index, node } = leaf;
    verify_subtree(Subtree { height: 0, index }, node, path, head)
}

/// Checks that a full subtree with this root is under a head.
///
/// # Errors
/// As [`verify_inclusion`].
pub fn verify_subtree(
    subtree: Subtree,
    node: Node,
    path: &[Node],
    head: &TreeHead,
) -> Result<(), ProofError> {
    let Subtree { height, index } = subtree;
    let full = head.size.checked_shr(height).unwrap_or(0);
    if index >= full {
        return Err(ProofError::OutOfTree {
            index,
            size: head.size,
        });
    }
    let mut climb = Climb {
        node: index,
        last: head.size.saturating_sub(1) >> height,
    };
    let mut root = node;
    for node in path {
        root = match climb.step().ok_or(ProofError::Length)? {
            Side::Left => Node::parent(*node, root),
            Side::Right => Node::parent(root, *node),
        };
    }
    if climb.last != 0 {
        return Err(ProofError::Length);
    }
    if root != head.root {
        return Err(ProofError::Root);
    }
    Ok(())
}

/// Checks that the tree under `old` is the beginning of the tree under `new`.
///
/// # Errors
/// All but [`ProofError::OutOfTree`].
pub fn verify_consistency(old: &TreeHead, new: &TreeHead, path: &[Node]) -> Result<(), ProofError> {
    if old.size > new.size {
        return Err(ProofError::Shrunk {
            old: old.size,
            new: new.size,
        });
    }
    if old.size == new.size && old.root != new.root {
        return Err(ProofError::TwoRoots { size: old.size });
    }
    let Some(before) = old.size.checked_sub(1).filter(|_| old.size != new.size) else {
        if old.size == 0 && old.root != Node::EMPTY {
            return Err(ProofError::Root);
        }
        return if path.is_empty() {
            Ok(())
        } else {
            Err(ProofError::Length)
        };
    };
    let mut climb = Climb {
        node: before,
        last: new.size.saturating_sub(1),
    };
    climb.shift(before.trailing_ones());
    // A full tree is itself the node that the climb begins at.
    let (first, path) = if old.size.is_power_of_two() {
        (old.root, path)
    } else {
        let (first, rest) = path.split_first().ok_or(ProofError::Length)?;
        (*first, rest)
    };
    let (mut old_root, mut new_root) = (first, first);
    for node in path {
        match climb.step().ok_or(ProofError::Length)? {
            Side::Left => {
                old_root = Node::parent(*node, old_root);
                new_root = Node::parent(*node, new_root);
            }
            Side::Right => new_root = Node::parent(new_root, *node),
        }
    }
    if climb.last != 0 {
        return Err(ProofError::Length);
    }
    if old_root != old.root || new_root != new.root {
        return Err(ProofError::Root);
    }
    Ok(())
}
