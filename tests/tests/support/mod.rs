//! The `luzhang` binary as its users run it, servers that it serves, and the
//! tables of a bureau.

#![allow(
    dead_code,
    unused_imports,
    reason = "every test binary that includes this module uses its own part of it"
)]

mod bureau;
pub(crate) mod database;
pub(crate) mod disk;
mod grpc;
pub(crate) mod journal;
pub(crate) mod keyring;
mod people;
mod pki;
mod program;
pub(crate) mod proxy;
mod server;
mod tables;

pub(crate) use bureau::{Bureau, Expected, Totals};
pub(crate) use grpc::Grpc;
pub(crate) use people::{Dice, Organisation, Person};
pub(crate) use pki::{Pki, SecureServer, Signed, govern};
pub(crate) use program::{Ledger, Ran, Target, luzhang, run, run_with_input, signal};
pub(crate) use server::{Ended, Server};
pub(crate) use tables::{HEADERS, Sheet};
