//! Proofs that need no trust in whoever keeps the ledger.

#![cfg(test)]

mod support;

#[test]
fn stub() {
    support::run(["--version"]).ended(0);
}
