//! A log is copied, backed up while it grows, and restored; and whatever happens to a
//! backup on its shelf is found and named.

#![cfg(test)]

mod support;

#[path = "backup/copying.rs"]
mod copying;
#[path = "backup/damage.rs"]
mod damage;
#[path = "backup/database.rs"]
mod database;
#[path = "backup/forgeries.rs"]
mod forgeries;
#[path = "backup/killed.rs"]
mod killed;
#[path = "backup/online.rs"]
mod online;
#[path = "backup/restoring.rs"]
mod restoring;
#[path = "backup/shelves.rs"]
mod shelves;
