//! Who may connect, and as whom; what those do who may not.

#![cfg(test)]

mod support;

#[path = "access/certificates.rs"]
mod certificates;
#[path = "access/connections.rs"]
mod connections;
#[path = "access/erasure.rs"]
mod erasure;
#[path = "access/mandates.rs"]
mod mandates;
#[path = "access/raw.rs"]
mod raw;
#[path = "access/tls.rs"]
mod tls;

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// What `look` finds, as soon as it finds something.
#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn is_han(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}
