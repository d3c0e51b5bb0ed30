//! A watcher follows a published tree. It is not deceived, it does not forget, and
//! it does not cry wolf.

#![cfg(test)]

mod support;

#[path = "watch/alarm.rs"]
mod alarm;
#[path = "watch/equivocation.rs"]
mod equivocation;
#[path = "watch/growth.rs"]
mod growth;
#[path = "watch/history.rs"]
mod history;
#[path = "watch/running.rs"]
mod running;
#[path = "watch/site.rs"]
mod site;
#[path = "watch/state.rs"]
mod state;
#[path = "watch/tampered.rs"]
mod tampered;
#[path = "watch/trouble.rs"]
mod trouble;
#[path = "watch/watcher.rs"]
mod watcher;
