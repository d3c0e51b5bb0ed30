//! Telling somebody else of a finding.

use std::{thread, time::Duration};

use luzhang_server::http::{Believed, Client, HttpError};

use crate::failure::Failure;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pauses after attempts that failed.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// Sends a message, three times at most.
pub(super) fn send(url: &str, message: &str, believed: Believed) -> Result<(), Failure> {
    let client = Client::believing(PATIENCE, believed);
    let mut sent = attempt(&client, url, message);
    for pause in PAUSES {
        if sent.is_ok() {
            break;
        }
        thread::sleep(pause);
        sent = attempt(&client, url, message);
    }
    sent.map_err(|error| {
        Failure::new(
            "WEBHOOK_FAILED",
            format!("试了三次，发现未能送出：{error}"),
            format!("the finding was not delivered, after three attempts: {error}"),
        )
    })
}

fn attempt(client: &Client, url: &str, message: &str) -> Result<(), HttpError> {
    let answer = client.post(url, "application/json", message.as_bytes())?;
    match answer.status {
        200..=299 => Ok(()),
        status => Err(HttpError::Status {
            url: url.to_owned(),
            status,
        }),
    }
}
