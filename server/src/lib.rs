//! The gRPC service.
//!
//! [`engine`] owns the ledger: one sequencer decides, one committer makes
//! durable, everything else reads. [`service`] speaks the wire protocol, and
//! [`convert`] is the only place that knows both worlds. [`vault`] keeps the
//! keys.

pub mod allowance;
mod bulk;
pub mod caller;
pub mod checkpoints;
mod committer;
pub mod connections;
pub mod convert;
mod decider;
pub mod denials;
mod door;
mod edge;
pub mod engine;
pub mod figures;
mod follower;
mod gate;
pub mod http;
pub mod metrics;
pub mod notes;
mod original;
pub mod postgres;
pub mod proofs;
mod references;
pub mod rejected;
pub mod replay;
mod sequencer;
pub mod serve;
mod service;
pub mod snapshots;
mod standing;
pub mod tls;
mod turns;
pub mod vault;
pub mod web;
pub mod witness;

pub use caller::{Caller, Certified};
pub use committer::Stopped;
pub use connections::{Observer, TurnedAway};
pub use edge::{Join, transport};
pub use engine::{Engine, EngineError, Options};
pub use rejected::Rejected;
pub use serve::{Limits, Server};
pub use snapshots::Snapshots;
pub use tls::Tls;
