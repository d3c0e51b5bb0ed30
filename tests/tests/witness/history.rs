//! Logs as witnesses see them: leaves in memory, and a key.

use std::{convert::Infallible, fmt::Display};

use luzhang_ledger::proof::{
    Checkpoint, Node, Note, SignedCheckpoint, SigningKey, TreeHead, VerifierKey,
    note::{KeyName, Purpose},
    tile::full_root,
    tree::{self, Nodes},
    witness::Extension,
};

/// A key of a log; another number makes another key of the same name.
pub(crate) fn log_key(origin: &str, number: u8) -> SigningKey {
    let name = KeyName::new(origin).unwrap();
    SigningKey::from_seed(name, Purpose::Author, &[number; 32])
}

/// One history of a log. A log that forks has two, under one key.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) key: SigningKey,
    leaves: Vec<Node>,
}

impl History {
    /// With so many leaves.
    pub(crate) fn new(origin: &str, leaves: u64) -> Self {
        let mut history = Self {
            key: log_key(origin, 1),
            leaves: Vec::new(),
        };
        history.grow(leaves, "first");
        history
    }

    /// Another history, which parts from this one after so many leaves and gets
    /// as long.
    pub(crate) fn fork(&self, after: u64) -> Self {
        let kept = usize::try_from(after).unwrap();
        let mut other = Self {
            key: self.key.clone(),
            leaves: self.leaves[..kept].to_vec(),
        };
        other.grow(self.size() - after, "other");
        other
    }

    /// The same history, signed with another key of the log.
    pub(crate) fn under_key(&self, number: u8) -> Self {
        Self {
            key: log_key(self.origin(), number),
            leaves: self.leaves.clone(),
        }
    }

    pub(crate) fn grow(&mut self, leaves: u64, what: impl Display) {
        for _ in 0..leaves {
            let data = format!("{what} {}", self.size());
            self.leaves.push(Node::leaf(data.as_bytes()));
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    pub(crate) fn origin(&self) -> &str {
        self.key.verifier().name().as_str()
    }

    pub(crate) fn verifier(&self) -> VerifierKey {
        self.key.verifier().clone()
    }

    pub(crate) fn head(&self, size: u64) -> TreeHead {
        let Ok(root) = tree::root(&mut Leaves(&self.leaves), size);
        TreeHead { size, root }
    }

    pub(crate) fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        SignedCheckpoint::sign(self.head(size), &[&self.key]).unwrap()
    }

    pub(crate) fn proof(&self, old: u64, new: u64) -> Vec<Node> {
        let Ok(proof) = tree::consistency(&mut Leaves(&self.leaves), old, new);
        proof
    }

    pub(crate) fn extension(&self, old: u64, new: u64) -> Extension {
        Extension {
            old,
            proof: self.proof(old, new),
            checkpoint: self.checkpoint(new),
        }
    }

    /// What is sent to a witness.
    pub(crate) fn request(&self, old: u64, new: u64) -> Vec<u8> {
        self.extension(old, new).to_string().into_bytes()
    }
}

struct Leaves<'a>(&'a [Node]);

impl Nodes for Leaves<'_> {
    type Error = Infallible;

    fn node(&mut self, height: u32, index: u64) -> Result<Node, Infallible> {
        let place = |index: u64| usize::try_from(index << height).unwrap();
        Ok(full_root(&self.0[place(index)..place(index + 1)]))
    }
}

/// A checkpoint of this text, signed by a key.
pub(crate) fn signed(checkpoint: &Checkpoint, key: &SigningKey) -> SignedCheckpoint {
    let note = |line| {
        let mut note = Note::new(checkpoint.to_string()).unwrap();
        note.add(line);
        SignedCheckpoint::parse(note.to_string().as_bytes()).unwrap()
    };
    // A signature of anything, so that there is a checkpoint to be signed.
    let head = SignedCheckpoint::sign(checkpoint.head, &[key]).unwrap();
    let unsigned = note(head.note().signatures()[0].clone());
    note(unsigned.cosign(key, 0))
}
