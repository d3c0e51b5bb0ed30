//! Proofs: the tree, its tiles, and what is signed, against known values, against
//! a model that is slow and obvious, and against programs that are not ours.

#![cfg(test)]

mod flipped;
mod known;
mod sizes;
mod tiles;

mod checkpoints;
mod notes;
mod policies;
mod receipts;
mod requests;

mod fuzzed;
mod python;
mod rust;

/// The targets of fuzzing, and the model that they share with these tests.
#[allow(
    unreachable_pub,
    clippy::as_conversions,
    clippy::pedantic,
    reason = "the source of a crate of its own, outside this workspace"
)]
#[path = "../../../fuzz/src/proof/mod.rs"]
mod fuzz;

#[allow(
    unreachable_pub,
    clippy::pedantic,
    reason = "the source of a crate of its own, outside this workspace"
)]
#[path = "../../../fuzz/src/edits.rs"]
mod edits;

#[allow(
    unreachable_pub,
    clippy::pedantic,
    reason = "the source of a crate of its own, outside this workspace"
)]
#[path = "../../../fuzz/src/corpus.rs"]
mod corpus;

use std::{convert::Infallible, str::FromStr};

use fuzz::model;

use luzhang_ledger::{
    hash::Hash,
    proof::{
        Frontier, Node, SigningKey, VerifierKey,
        note::{KeyName, Purpose},
        tile::{Tile, Tiles},
        tree::{Leaf, Nodes, TreeHead},
    },
};

/// The hash of some event, from 0.
fn event(number: u64) -> Hash {
    Hash::from_bytes(*blake3::hash(&number.to_be_bytes()).as_bytes())
}

/// Every node of every full subtree over the first leaves.
struct Kept {
    levels: Vec<Vec<Node>>,
}

impl Kept {
    fn of(leaves: Vec<Node>) -> Self {
        let mut levels = vec![leaves];
        while levels.last().is_some_and(|row| row.len() > 1) {
            let (pairs, _) = levels.last().unwrap().as_chunks::<2>();
            let row = pairs
                .iter()
                .map(|[left, right]| Node::parent(*left, *right));
            levels.push(row.collect());
        }
        Self { levels }
    }

    fn events(size: u64) -> Self {
        Self::of((0..size).map(event).map(Node::of_event).collect())
    }

    fn leaf(&self, index: u64) -> Leaf {
        Leaf {
            index,
            node: self.levels[0][usize::try_from(index).unwrap()],
        }
    }

    /// The head over the first leaves.
    fn head(&self, size: u64) -> TreeHead {
        let mut frontier = Frontier::default();
        for index in 0..size {
            frontier.push(self.leaf(index).node);
        }
        frontier.head()
    }

    /// The heads of all trees up to, and with, this size.
    fn heads(&self, size: u64) -> Vec<TreeHead> {
        let mut frontier = Frontier::default();
        let mut heads = vec![frontier.head()];
        for index in 0..size {
            frontier.push(self.leaf(index).node);
            heads.push(frontier.head());
        }
        heads
    }
}

impl Nodes for &Kept {
    type Error = Infallible;

    fn node(&mut self, height: u32, index: u64) -> Result<Node, Infallible> {
        Ok(self.levels[height as usize][usize::try_from(index).unwrap()])
    }
}

impl Tiles for Kept {
    type Error = Infallible;

    fn tile(&self, tile: Tile) -> Result<Vec<Node>, Infallible> {
        let row = &self.levels[usize::from(tile.level()) * 8];
        let first = usize::try_from(tile.first()).unwrap();
        Ok(row[first..first + usize::from(tile.width())].to_vec())
    }
}

/// A key that follows from a number.
fn key(name: &str, purpose: Purpose, number: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), purpose, &[number; 32])
}

fn vkey(text: &str) -> VerifierKey {
    VerifierKey::from_str(text).unwrap()
}

/// The bytes in a text of hexadecimal digits.
fn hex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// The other way round.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn node(digits: &str) -> Node {
    Node::from_bytes(hex(digits).try_into().unwrap())
}

/// The same bytes with one bit the other way.
fn flip(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

fn flip_node(node: Node, bit: usize) -> Node {
    let mut bytes = *node.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Node::from_bytes(bytes)
}
