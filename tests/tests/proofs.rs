//! Proofs that need no trust in whoever keeps the ledger: what is handed out holds,
//! and nothing that was changed ever does.

#![cfg(test)]

mod support;

#[path = "proofs/http.rs"]
mod http;
#[path = "proofs/ledgers.rs"]
mod ledgers;

#[path = "proofs/anchors.rs"]
mod anchors;
#[path = "proofs/opening.rs"]
mod opening;
#[path = "proofs/qr.rs"]
mod qr;
#[path = "proofs/receipts.rs"]
mod receipts;
#[path = "proofs/rotation.rs"]
mod rotation;
#[path = "proofs/schedule.rs"]
mod schedule;
#[path = "proofs/tiles.rs"]
mod tiles;
#[path = "proofs/typescript.rs"]
mod typescript;
#[path = "proofs/witnessed.rs"]
mod witnessed;
