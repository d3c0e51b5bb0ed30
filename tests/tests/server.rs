//! The services over a real connection: what is answered, in which order, when,
//! and what is said when something is wrong; bad input of every kind.

#![cfg(test)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test asks for one variant of many; the code under test has to know them all"
)]

mod support;

#[path = "server/commands.rs"]
mod commands;
#[path = "server/each_kind.rs"]
mod each_kind;
#[path = "server/fields.rs"]
mod fields;
#[path = "server/gate.rs"]
mod gate;
#[path = "server/meter.rs"]
mod meter;
#[path = "server/site.rs"]
mod site;
#[path = "server/status.rs"]
mod status;

#[path = "server/audit.rs"]
mod audit;
#[path = "bad_input/mod.rs"]
mod bad_input;
#[path = "server/durability.rs"]
mod durability;
#[path = "server/events.rs"]
mod events;
#[path = "server/health.rs"]
mod health;
#[path = "server/limits.rs"]
mod limits;
#[path = "server/malformed.rs"]
mod malformed;
#[path = "server/poison.rs"]
mod poison;
#[path = "server/projections.rs"]
mod projections;
#[path = "server/references.rs"]
mod references;
#[path = "server/replays.rs"]
mod replays;
#[path = "server/roles.rs"]
mod roles;
#[path = "server/shutdown.rs"]
mod shutdown;
#[path = "server/snapshots.rs"]
mod snapshots;
#[path = "server/steps.rs"]
mod steps;
#[path = "server/subjects.rs"]
mod subjects;
#[path = "server/submit.rs"]
mod submit;
