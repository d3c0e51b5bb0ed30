//! Larger than one ledger, as ARCHITECTURE.md has it: several ledgers by office, each
//! subject at home in one of them. The ledgers are real ones, on disk and served; what
//! goes between them is a sketch of what would.

#![cfg(test)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test asks for one variant of many; the code under test has to know them all"
)]

mod support;

#[path = "server/commands.rs"]
#[expect(dead_code, reason = "a part of it is for other tests")]
mod commands;
#[path = "server/gate.rs"]
#[expect(dead_code, reason = "a part of it is for other tests")]
mod gate;
#[path = "server/site.rs"]
#[expect(dead_code, reason = "a part of it is for other tests")]
mod site;

#[path = "larger/go_between.rs"]
mod go_between;
#[path = "larger/province.rs"]
mod province;

#[path = "larger/claims.rs"]
mod claims;
#[path = "larger/roots.rs"]
mod roots;
