//! Decisions: what policy allows, what it refuses and why, limit by limit.
//!
//! Each test is a table; each row is a history, a claim and the outcome, and ends
//! in one check ([`given::Answer::then`]). The last module compares decisions
//! with a slow model of the same rules on random histories.

#![cfg(test)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test asks for one variant of many; the code under test has to know them all"
)]

mod given;
mod ledger;
mod steps;

mod budget;
mod window;

mod bases;
mod brands;
mod interest;
mod loans;
mod mandates;
mod placement;
mod training;

mod conflicts;
mod packs;
mod payments;
mod programmes;
mod reasons;
mod rejections;

mod digests;
mod entitlements;
mod redecided;
mod simulated;
mod snapshots;
mod traces;

mod histories;
mod lives;
mod model;
mod named;
mod throws;

mod transitions;
