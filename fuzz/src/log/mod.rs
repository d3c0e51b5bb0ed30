//! What is recorded: events and blocks as they are stored, policy packs, commands as
//! they travel, and backups. A test of `tests` calls these functions too, with
//! every file of `corpus`.

mod block;
mod command;
mod event;
mod history;
mod message;
mod pack;
mod shelf;

pub use self::{
    block::block, command::command, event::event, history::unsampled, pack::pack, shelf::shelf,
};

/// What fuzzing begins from, by target.
pub fn seeds() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    vec![
        ("event", event::seeds()),
        ("block", block::seeds()),
        ("pack", pack::seeds()),
        ("command", command::seeds()),
        ("shelf", shelf::seeds()),
    ]
}
