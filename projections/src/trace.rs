//! What a decision looked at: every limit of the programme, whether it failed or
//! not, with the values compared, the parameters used and the positions of facts.

use luzhang_ledger::{Date, Office, Position, claim::Claim};

pub use crate::limits::{Asked, Outcome, Tried};
use crate::{case::Case, limits, pack::Bilingual, state::State};

/// A claim, judged in the open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Where the pack that judges it was adopted.
    pub policy: Position,
    /// Programme id.
    pub programme: String,
    /// Programme name.
    pub name: Bilingual,
    /// The date that decides policy and budget year.
    pub basis: Date,
    /// All limits of the programme, in the pack's order. Those that failed are
    /// those that a refusal would name.
    pub limits: Vec<Tried>,
}

/// Judges a claim in a state and says how. `None` where a decision would be a
/// rejection for want of a pack or a programme.
///
/// The claim is taken as it stands in an event: its fund is an id of the pack.
pub fn of(state: &State, office: Office, claim: &Claim) -> Option<Trace> {
    let basis = claim.basis();
    let adopted = state.pack_on(basis, office)?;
    let programme = adopted.pack.programme(claim)?;
    let case = Case::new(state, &adopted.pack, claim, office);
    Some(Trace {
        policy: adopted.position,
        programme: programme.id.clone(),
        name: programme.name.clone(),
        basis,
        limits: limits::tried(case),
    })
}
