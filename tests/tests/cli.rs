//! Every command, against a server and against a data directory: what it prints,
//! in which shape, and how it ends.

#![cfg(test)]

mod support;

#[path = "cli/auditing.rs"]
mod auditing;
#[path = "cli/broken.rs"]
mod broken;
#[path = "cli/life.rs"]
mod life;
#[path = "cli/policies.rs"]
mod policies;
#[path = "cli/reading.rs"]
mod reading;
#[path = "cli/recompute.rs"]
mod recompute;
#[path = "cli/reports.rs"]
mod reports;
#[path = "cli/servers.rs"]
mod servers;
#[path = "cli/shell.rs"]
mod shell;
#[path = "cli/submitting.rs"]
mod submitting;

use support::{Bureau, Ledger, Server, Target};

/// A ledger with the demo's bureau in it.
fn bureau() -> Ledger {
    let ledger = Ledger::new();
    Bureau::demo()
        .import(&ledger.target(), &["-o", "json"])
        .ended(3);
    ledger
}

/// The same command to a directory, and then to a server that serves it.
fn both(ledger: &Ledger, check: impl Fn(&Target)) {
    check(&ledger.target());
    let server = Server::start(&ledger.dir());
    check(&server.target());
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
}

fn is_han(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}
