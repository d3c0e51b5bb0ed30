//! Callers who mean harm, beside one who does not: she is served as if they were
//! not there, and the server outlives them.

#![cfg(test)]

mod support;

#[path = "hostile/clerk.rs"]
mod clerk;
#[path = "hostile/crowd.rs"]
mod crowd;
#[path = "hostile/frames.rs"]
mod frames;

#[path = "hostile/edge.rs"]
mod edge;
#[path = "hostile/latency.rs"]
mod latency;
#[path = "hostile/terminal.rs"]
mod terminal;
#[path = "hostile/texts.rs"]
mod texts;
