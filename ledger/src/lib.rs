//! Facts and proof.
//!
//! This crate knows what an event is, how it is stored and hashed, how a run of
//! events becomes a block, and how an outsider verifies all of it. It knows
//! nothing of policy, and no clock, socket, environment or randomness: times,
//! salts and keys are passed in. The adapters in [`log`] are the one door to a
//! disk.
//!
//! Read in this order: [`event`] (what is recorded), [`codec`] (its bytes),
//! [`hash`] and [`block`] (the chain), [`log`] (where blocks live), [`proof`] (the
//! tree, its signed heads and what they prove), [`verify`] and [`export`] (what an
//! auditor uses).

#![warn(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing
)]

pub mod amount;
pub mod calendar;
pub mod office;
pub mod position;
pub mod text;

pub mod identity;

pub mod access;
pub mod claim;
pub mod event;
pub mod fact;
pub mod malformed;
pub mod step;

pub mod codec;

pub mod block;
pub mod hash;

pub mod log;

pub mod proof;

pub mod export;
pub mod replay;
pub mod verify;

pub use amount::Fen;
pub use calendar::{Date, DateSet, Window};
pub use event::{Body, Event, Header};
pub use hash::Hash;
pub use identity::SubjectId;
pub use office::Office;
pub use position::{LedgerId, Position, StreamId, StreamKind};
