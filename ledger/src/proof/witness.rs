//! What a log asks of a witness, and what a witness answers.
//!
//! ```text
//! old 20852014
//! PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=       consistency proof
//! …
//!
//! example.com/behind-the-sofa                         the newer checkpoint
//! …
//! ```
//!
//! The same text, beside the older checkpoint, is how a consistency proof is kept
//! in a file.
//!
//! Source: C2SP tlog-witness, `add-checkpoint`.

use std::fmt;

use thiserror::Error;

use super::{
    checkpoint::{CheckpointError, SignedCheckpoint},
    note::{MAX_NOTE, NoteError, VerifierKey},
    text,
    tree::{self, Node, ProofError, TreeHead},
};

/// The most nodes of a proof.
pub const MAX_PROOF: usize = 63;
/// The most bytes of a request that is read.
pub const MAX_REQUEST: usize = MAX_NOTE + 8 * 1024;

/// A newer checkpoint, and the proof that it continues an older one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Leaves of the older tree.
    pub old: u64,
    /// From the older tree to the newer one.
    pub proof: Vec<Node>,
    /// The newer one.
    pub checkpoint: SignedCheckpoint,
}

/// Why bytes are no such text.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ExtensionError {
    /// Not UTF-8, too large, or no empty line before the checkpoint.
    #[error("this is not `old SIZE`, a proof, an empty line and a checkpoint")]
    Form,
    /// The first line.
    #[error("the first line is not `old SIZE`")]
    Old,
    /// A node.
    #[error("the proof is not lines of 32 bytes in base64, at most {MAX_PROOF} of them")]
    Proof,
    /// The checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl Extension {
    /// Reads one. Nothing is checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, ExtensionError> {
        let text = str::from_utf8(bytes).ok();
        let text = text.filter(|text| text.len() <= MAX_REQUEST);
        let (lines, checkpoint) = text
            .and_then(|text| text.split_once("\n\n"))
            .ok_or(ExtensionError::Form)?;
        let mut lines = lines.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(text::decimal)
            .ok_or(ExtensionError::Old)?;
        let proof = lines.map(text::node).collect::<Option<Vec<_>>>();
        let proof = proof.filter(|proof| proof.len() <= MAX_PROOF);
        Ok(Self {
            old,
            proof: proof.ok_or(ExtensionError::Proof)?,
            checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())?,
        })
    }

    /// Checks that it continues this older head. Signatures are not looked at.
    pub fn continues(&self, old: &TreeHead) -> Result<(), ProofError> {
        if self.old != old.size {
            return Err(ProofError::Length);
        }
        tree::verify_consistency(old, &self.checkpoint.head(), &self.proof)
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for node in &self.proof {
            writeln!(f, "{node}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WitnessRefusal {
    /// The request cannot be read.
    #[error(transparent)]
    Malformed(#[from] ExtensionError),
    /// It is of a log that this witness does not watch.
    #[error("this witness does not watch `{origin}`")]
    UnknownLog {
        /// Which log.
        origin: String,
    },
    /// Not signed by a key of the log.
    #[error("the checkpoint is not signed by a key of the log: {0}")]
    Unsigned(#[from] NoteError),
    /// The older tree would be the larger one.
    #[error("the old size {old} is larger than the checkpoint's {new}")]
    OldIsLarger {
        /// What the request calls old.
        old: u64,
        /// The size of its checkpoint.
        new: u64,
    },
    /// It does not begin where this witness stands.
    #[error("the newest tree that this witness has cosigned has {seen} leaves")]
    Stale {
        /// Where it stands.
        seen: u64,
    },
    /// The proof does not hold: a log that shows this has forked.
    #[error("the checkpoint does not continue what this witness has cosigned: {0}")]
    Inconsistent(#[from] ProofError),
}

impl WitnessRefusal {
    /// The HTTP status that the protocol asks for.
    pub fn status(&self) -> u16 {
        match self {
            // An empty tree with another root is the one fault of a text that the
            // protocol counts among those of the tree.
            Self::Inconsistent(_)
            | Self::Malformed(ExtensionError::Checkpoint(CheckpointError::EmptyRoot)) => 422,
            Self::Malformed(_) | Self::OldIsLarger { .. } => 400,
            Self::Unsigned(_) => 403,
            Self::UnknownLog { .. } => 404,
            Self::Stale { .. } => 409,
        }
    }
}

/// Whether a witness may cosign: `seen` is the newest head that it has cosigned
/// for the log, [`TreeHead::EMPTY`] at first, and `keys` are the log's. Whoever
/// calls it makes the answer durable before it gives a cosignature out, and lets
/// nobody else ask in between.
pub fn judge(
    seen: &TreeHead,
    keys: &[&VerifierKey],
    request: &Extension,
) -> Result<TreeHead, WitnessRefusal> {
    request.checkpoint.verify(keys)?;
    let head = request.checkpoint.head();
    if request.old > head.size {
        return Err(WitnessRefusal::OldIsLarger {
            old: request.old,
            new: head.size,
        });
    }
    if request.old != seen.size {
        return Err(WitnessRefusal::Stale { seen: seen.size });
    }
    request.continues(seen)?;
    Ok(head)
}
