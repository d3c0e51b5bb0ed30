//! Proofs that need no trust in whoever keeps the ledger.
//!
//! The chain shows that a log agrees with itself; whoever holds it could still
//! write another one. So its event hashes are also the leaves of the Merkle tree
//! of RFC 6962, whose head is signed and published. Two heads of one tree can be
//! proven consistent, and any event can be proven to be under a head, in a few
//! hundred bytes and without the log.
//!
//! Everything here is in the forms of C2SP, byte by byte, so that programs that
//! are not ours read it: [`note`] (signed-note), [`checkpoint`] (tlog-checkpoint
//! and tlog-cosignature), [`policy`] (tlog-policy), [`receipt`] (tlog-proof),
//! [`tile`] (tlog-tiles), [`witness`] (tlog-witness).

pub mod checkpoint;
pub mod note;
pub mod policy;
pub mod receipt;
pub mod rotation;
pub mod tile;
pub mod tree;
pub mod witness;

mod text;

pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use note::{Note, SigningKey, VerifierKey};
pub use policy::Policy;
pub use receipt::Receipt;
pub use tree::{Frontier, Node, TreeHead};
