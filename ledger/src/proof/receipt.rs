//! Receipts: that one event is in the tree under a signed head, in a text that
//! anybody can check without the log.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra base64(01 ‖ event hash)              or base64(02 ‖ hash before ‖ event)
//! index 73894                                position - 1
//! gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
//! …
//!
//! luzhang/0198c5a2-7d00-7000-8000-000000000001
//! …                                          the checkpoint, as it was signed
//! ```
//!
//! Source: C2SP tlog-proof.

use std::fmt;

use thiserror::Error;

use super::{
    checkpoint::{CheckpointError, SignedCheckpoint},
    note::MAX_NOTE,
    policy::{Distrust, Policy, Trusted},
    text,
    tree::{self, Leaf, Node, ProofError, TreeHead},
};
use crate::{
    block::MAX_EVENT,
    codec,
    hash::{ChainHasher, Hash},
    position::Position,
};

/// The first line.
const TITLE: &str = "c2sp.org/tlog-proof@v1";
/// First byte of the extra data: a hash follows.
const BY_HASH: u8 = 0x01;
/// First byte of the extra data: the hash before, and the event itself follow.
const BY_CONTENT: u8 = 0x02;
/// The most nodes of a path in a tree of 64-bit size.
pub const MAX_PATH: usize = 64;
/// The most bytes of a receipt that is read: the largest event in base64, and a
/// note.
pub const MAX_RECEIPT: usize = MAX_EVENT * 4 / 3 + MAX_NOTE + 8 * 1024;

/// What a receipt is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An event, by its hash alone.
    Hash(Hash),
    /// An event with its content: then what it says is proven too.
    Content {
        /// The hash of the event before it.
        previous: Hash,
        /// Its stored bytes.
        stored: Vec<u8>,
    },
}

impl Subject {
    /// The hash of the event.
    pub fn event_hash(&self) -> Hash {
        match self {
            Self::Hash(hash) => *hash,
            Self::Content { previous, stored } => ChainHasher::default().event(*previous, stored),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Hash(hash) => [&[BY_HASH], hash.as_bytes().as_slice()].concat(),
            Self::Content { previous, stored } => {
                [&[BY_CONTENT], previous.as_bytes().as_slice(), stored].concat()
            }
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (hash, stored) = rest.split_first_chunk::<32>()?;
        let hash = Hash::from_bytes(*hash);
        match *form {
            BY_HASH => stored.is_empty().then_some(Self::Hash(hash)),
            BY_CONTENT => Some(Self::Content {
                previous: hash,
                stored: stored.to_vec(),
            }),
            _ => None,
        }
    }
}

/// A proof that an event is in a ledger. Its `Display` is the text, byte by byte
/// as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which event.
    pub subject: Subject,
    /// Where.
    pub position: Position,
    /// From the leaf's sibling up.
    pub path: Vec<Node>,
    /// The head that it is under.
    pub checkpoint: SignedCheckpoint,
}

/// Why a text is no receipt, or proves nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReceiptError {
    /// Not the text of a proof.
    #[error("this is no receipt: {0}")]
    Form(ReceiptForm),
    /// The checkpoint in it cannot be read.
    #[error("the checkpoint in the receipt: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint in it is not to be believed.
    #[error("the checkpoint in the receipt: {0}")]
    Distrust(#[from] Distrust),
    /// The path does not lead from the event to the head.
    #[error("the event is not under this checkpoint: {0}")]
    Proof(#[from] ProofError),
    /// The event says that it stands elsewhere.
    #[error("the event in the receipt says that it stands elsewhere")]
    Elsewhere,
}

/// Which part of a receipt's text is wrong.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ReceiptForm {
    /// Too large or not UTF-8.
    #[error("it is not UTF-8 text of at most {MAX_RECEIPT} bytes")]
    Text,
    /// The first line.
    #[error("it does not begin with `c2sp.org/tlog-proof@v1`")]
    Title,
    /// The second line.
    #[error("its `extra` line does not say which event it is about")]
    Extra,
    /// The third line.
    #[error("its `index` line is wrong")]
    Index,
    /// The path.
    #[error("its path is not lines of 32 bytes in base64, at most 64 of them")]
    Path,
}

/// What a receipt proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The event's place.
    pub position: Position,
    /// The event's hash: the chain head at its position.
    pub event_hash: Hash,
    /// The head that it is under, and who vouches for it.
    pub checkpoint: Trusted,
}

impl Receipt {
    /// Reads a receipt. Nothing is checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let text = str::from_utf8(bytes).ok();
        let text = text.filter(|text| text.len() <= MAX_RECEIPT);
        let text = text.ok_or(ReceiptError::Form(ReceiptForm::Text))?;
        let (proof, checkpoint) = text
            .split_once("\n\n")
            .ok_or(ReceiptError::Form(ReceiptForm::Path))?;
        let (subject, position, path) = parse_lines(proof).map_err(ReceiptError::Form)?;
        Ok(Self {
            subject,
            position,
            path,
            checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())?,
        })
    }

    /// Checks that somebody trusted signed a head that the event is under.
    pub fn verify(&self, policy: &Policy) -> Result<Proven, ReceiptError> {
        let checkpoint = policy.check(&self.checkpoint)?;
        let event_hash = self.prove(checkpoint.head)?;
        Ok(Proven {
            position: self.position,
            event_hash,
            checkpoint,
        })
    }

    /// Checks that the event is under this head, and returns its hash. Whoever
    /// calls it has checked who signed the head.
    pub fn prove(&self, head: TreeHead) -> Result<Hash, ReceiptError> {
        if let Subject::Content { stored, .. } = &self.subject
            && codec::position_of(stored) != Some(self.position.number())
        {
            return Err(ReceiptError::Elsewhere);
        }
        let event_hash = self.subject.event_hash();
        let leaf = Leaf {
            index: tree::index_of(self.position),
            node: Node::of_event(event_hash),
        };
        tree::verify_inclusion(leaf, &self.path, &head)?;
        Ok(event_hash)
    }
}

fn parse_lines(proof: &str) -> Result<(Subject, Position, Vec<Node>), ReceiptForm> {
    let mut lines = proof.split('\n');
    if lines.next() != Some(TITLE) {
        return Err(ReceiptForm::Title);
    }
    let subject = lines
        .next()
        .and_then(|line| line.strip_prefix("extra "))
        .and_then(text::decode)
        .and_then(|bytes| Subject::parse(&bytes))
        .ok_or(ReceiptForm::Extra)?;
    let position = lines
        .next()
        .and_then(|line| line.strip_prefix("index "))
        .and_then(text::decimal)
        .and_then(|index| index.checked_add(1))
        .and_then(Position::new)
        .ok_or(ReceiptForm::Index)?;
    let path = lines.map(text::node).collect::<Option<Vec<_>>>();
    let path = path.filter(|path| path.len() <= MAX_PATH);
    Ok((subject, position, path.ok_or(ReceiptForm::Path)?))
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}")?;
        writeln!(f, "extra {}", text::encode(self.subject.bytes()))?;
        writeln!(f, "index {}", tree::index_of(self.position))?;
        for node in &self.path {
            writeln!(f, "{node}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
