//! Checkpoints: signed heads of the tree.
//!
//! ```text
//! luzhang/0198c5a2-7d00-7000-8000-000000000001     origin: which tree
//! 20852163                                         leaves
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=     root
//!
//! — luzhang/0198c5a2-7d00-7000-8000-000000000001 …
//! ```
//!
//! Source: C2SP tlog-checkpoint, tlog-cosignature.

use std::fmt;

use thiserror::Error;

use super::{
    note::{KeyName, Note, NoteError, SignatureLine, SigningKey, Verified, VerifierKey},
    text,
    tree::TreeHead,
};

/// Whose tree a checkpoint is of; the name of the keys that sign it.
pub type Origin = KeyName;

/// A head of the tree, as text to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose tree.
    pub origin: String,
    /// How large it is, and its root.
    pub head: TreeHead,
    /// Lines after the third, which mean nothing here. Ours have none.
    pub extensions: Vec<String>,
}

/// Why a text is no checkpoint, or one is not to be believed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CheckpointError {
    /// The note, or its signatures.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Fewer than three lines, or an empty one.
    #[error("a checkpoint has an origin, a size and a root, each on a line")]
    Form,
    /// The second line.
    #[error("the second line is no tree size")]
    Size,
    /// The third line.
    #[error("the third line is no root: base64 of 32 bytes")]
    Root,
    /// A tree without leaves has one root only.
    #[error("a tree of size 0 has another root")]
    EmptyRoot,
}

impl Checkpoint {
    /// Reads the text of a checkpoint.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let text = text.strip_suffix('\n').ok_or(CheckpointError::Form)?;
        let mut lines = text.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty());
        let origin = line().ok_or(CheckpointError::Form)?.to_owned();
        let size = line().ok_or(CheckpointError::Form)?;
        let root = line().ok_or(CheckpointError::Form)?;
        let head = TreeHead {
            size: text::decimal(size).ok_or(CheckpointError::Size)?,
            root: text::node(root).ok_or(CheckpointError::Root)?,
        };
        if head.size == 0 && head != TreeHead::EMPTY {
            return Err(CheckpointError::EmptyRoot);
        }
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Form);
        }
        Ok(Self {
            origin,
            head,
            extensions,
        })
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.head.size, self.head.root)?;
        self.extensions
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint with signatures. They are checked by
/// [`Policy::check`](super::policy::Policy::check). Its `Display` is what was
/// read, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Signs a head. The origin is the name of the first key; the other keys have
    /// the same name: keys that are about to be replaced, or have just been.
    pub fn sign(head: TreeHead, keys: &[&SigningKey]) -> Result<Self, CheckpointError> {
        let first = keys.first().ok_or(NoteError::Unsigned)?;
        let checkpoint = Checkpoint {
            origin: first.verifier().name().to_string(),
            head,
            extensions: Vec::new(),
        };
        let mut note = Note::new(checkpoint.to_string())?;
        for key in keys {
            let line = key.sign(note.text(), 0);
            note.add(line);
        }
        Ok(Self { checkpoint, note })
    }

    /// Reads a checkpoint. No signature is checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        Ok(Self {
            checkpoint: Checkpoint::parse(note.text())?,
            note,
        })
    }

    /// What it says, believed or not.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The head in it, believed or not.
    pub fn head(&self) -> TreeHead {
        self.checkpoint.head
    }

    /// The note.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The signatures of these keys, all of which must hold.
    pub fn verify(&self, keys: &[&VerifierKey]) -> Result<Vec<Verified>, NoteError> {
        self.note.verify(keys)
    }

    /// Adds a signature, unless it is there.
    pub fn add(&mut self, signature: SignatureLine) {
        self.note.add(signature);
    }

    /// A witness's signature of it: at this time (seconds since 1970), this was
    /// the largest tree of the origin that the witness has seen, and it continued
    /// all that came before.
    pub fn cosign(&self, key: &SigningKey, time: u64) -> SignatureLine {
        key.sign(self.note.text(), time)
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.note, f)
    }
}
