//! What whoever runs the program looks at: its metrics, what `luzhang doctor` finds,
//! its traces, and the files in `deploy/`.

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
mod gate;
#[path = "proofs/http.rs"]
mod http;
#[path = "operations/scrape.rs"]
mod scrape;
#[path = "server/site.rs"]
#[expect(dead_code, reason = "a part of it is for other tests")]
mod site;

#[path = "operations/deploy.rs"]
mod deploy;
#[path = "operations/doctor.rs"]
mod doctor;
#[path = "operations/metrics.rs"]
mod metrics;
#[path = "operations/monitoring.rs"]
mod monitoring;
