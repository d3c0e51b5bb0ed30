//! A witness never cosigns two histories of one log: whatever is sent, whoever
//! races, whenever it is killed, and whatever becomes of its files.

#![cfg(test)]

mod support;

#[path = "witness/history.rs"]
mod history;
#[path = "witness/running.rs"]
mod running;
#[path = "witness/wire.rs"]
mod wire;

#[path = "witness/asking.rs"]
mod asking;
#[path = "witness/commands.rs"]
mod commands;
#[path = "witness/crashes.rs"]
mod crashes;
#[path = "witness/damage.rs"]
mod damage;
#[path = "witness/faults.rs"]
mod faults;
#[path = "witness/forks.rs"]
mod forks;
#[path = "witness/kills.rs"]
mod kills;
#[path = "witness/protocol.rs"]
mod protocol;
