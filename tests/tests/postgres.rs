//! The log in PostgreSQL: the contract of the log port, and what it promises when
//! databases are killed, promoted or set to lose what they acknowledge.

#![cfg(test)]

mod support;

#[path = "proofs/http.rs"]
mod http;
#[path = "operations/scrape.rs"]
#[expect(dead_code, reason = "a part of it is for other tests")]
mod scrape;

#[path = "postgres/adapter.rs"]
mod adapter;
#[path = "postgres/client.rs"]
mod client;
#[path = "postgres/failover.rs"]
mod failover;
#[path = "postgres/keys.rs"]
mod keys;
#[path = "postgres/rotation.rs"]
mod rotation;
#[path = "postgres/standbys.rs"]
mod standbys;
#[path = "postgres/tls.rs"]
mod tls;
