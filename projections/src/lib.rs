//! Meaning and limits.
//!
//! This crate knows what the policy says ([`pack`]), what has happened
//! ([`state`]), and decides what may happen next ([`decide`]). Everything here is
//! a pure function of the log and the command: no clock, socket, disk,
//! environment or randomness.

#![warn(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing
)]

pub mod codes;
pub mod pack;

pub mod state;

pub mod access;
mod case;
pub mod decide;
mod late;
mod limits;
mod rejection;
mod steps;

pub mod entitlement;
pub mod explain;
pub mod journal;
pub mod projection;
pub mod redecide;
pub mod registers;
pub mod report;
pub mod simulate;
pub mod snapshot;
pub mod totals;
pub mod trace;

pub use decide::{Command, Decision, Rejection, decide};
pub use pack::Pack;
pub use state::State;
