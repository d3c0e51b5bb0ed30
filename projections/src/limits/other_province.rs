//! The province of work is another one than home.

use luzhang_ledger::{Office, claim::Claim};

use super::Finding;
use crate::case::Case;

pub(super) fn check(case: &Case<'_>, home: Office) -> Option<Finding> {
    let Claim::TransportAid(claim) = case.claim else {
        return None;
    };
    case.judged(claim.province == home, || {
        Finding::default()
            .text("province", claim.province.to_string())
            .text("home", home.to_string())
    })
}
