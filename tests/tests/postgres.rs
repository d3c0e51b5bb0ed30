//! The log in PostgreSQL: the contract of the log port, and what it promises when
//! databases are killed, promoted or set to lose what they acknowledge.

#![cfg(test)]

mod support;

#[path = "postgres/adapter.rs"]
mod adapter;
#[path = "postgres/client.rs"]
mod client;
#[path = "postgres/failover.rs"]
mod failover;
#[path = "postgres/keys.rs"]
mod keys;
#[path = "postgres/tls.rs"]
mod tls;
