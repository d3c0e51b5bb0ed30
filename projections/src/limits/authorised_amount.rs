//! The amount of a programme for which the notice gives no figure: a table's
//! cell in a pack that has one, else what an authority document in force says.
//! A document of the city holds for its counties.

use luzhang_ledger::{Fen, Office, StreamId, StreamKind, claim::Claim, fact::AuthorityAmount};

use super::Finding;
use crate::{case::Case, pack::Table, state::Authority};

pub(super) fn check(case: &Case<'_>, table: Option<&Table>) -> Option<Finding> {
    let amount = case.amount();
    let finding = |expected: i64, document: &str| {
        Finding::default()
            .fen("amount", amount.fen())
            .fen("expected", expected)
            .text("document", document)
    };
    if let Some(table) = table {
        let expected = case.cell(table, case.basis)?;
        return case.judged(amount.fen() != expected, || finding(expected, "-"));
    }
    let named = if let Claim::Subsidy(claim) = case.claim {
        Some(claim.document.as_str())
    } else {
        None
    };
    let programme = case.pack.programme(case.claim)?;
    let programme = case.state.programmes.find(&programme.id);
    let document = named.map(|number| case.state.find(StreamId::of(StreamKind::Document, number)));
    let in_force = |authority: &&Authority| {
        Some(authority.programme) == programme
            && document.is_none_or(|document| document == Some(authority.document))
            && (authority.office == case.office || authority.office == Office::LUZHOU)
            && authority.span.contains(case.basis)
    };
    let allows = |authority: &&Authority| match authority.stated {
        AuthorityAmount::Exactly => authority.amount == amount,
        AuthorityAmount::AtMost => amount <= authority.amount,
    };
    let documents: Vec<&Authority> = case.state.authorities().filter(in_force).collect();
    // The newest says what would have been allowed.
    let expected = documents.last().map_or(Fen::ZERO, |newest| newest.amount);
    case.judged(!documents.iter().any(allows), || {
        let facts = documents.iter().map(|authority| authority.span.position);
        finding(expected.fen(), named.unwrap_or("-")).facts(facts)
    })
}
