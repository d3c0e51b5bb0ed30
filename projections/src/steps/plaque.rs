//! Plaques that are renewed, suspended, reinstated, revoked, or run out.

use luzhang_ledger::{
    Date, Position, StreamId, StreamKind,
    claim::Form,
    step::{PlaqueChange, PlaqueEvent, Step},
};

use super::{Asked, Judged, Place};
use crate::{
    late::{Changed, compare_grants},
    pack::{FactKind, Pack, Rule},
    rejection::Rejection,
    state::{Plaque, PlaqueChanged, State, facts::Facts},
};

pub(super) fn change(asked: &mut Asked<'_>, change: PlaqueChange) -> Result<Judged, Rejection> {
    let state = asked.state;
    let brand_no = change.brand_no.as_str();
    let plaque = state
        .plaque(brand_no)
        .ok_or_else(|| Rejection::UnknownPlaque {
            brand_no: brand_no.to_owned(),
        })?;
    let last = plaque.changes.last();
    let at = last.map_or(plaque.position, |last| last.position);
    let latest = last.map_or(plaque.awarded_on, |last| last.on);
    let on = change.on;
    let years = |day: Date| term(state, day);
    let suspended = last.is_some_and(|last| last.change == PlaqueEvent::Suspended);
    if plaque.is_revoked() {
        asked.order("PLAQUE_REVOKED", None, &[at]);
    } else if on < latest {
        asked.order("PLAQUE_ORDER", None, &[at]);
    } else {
        match change.change {
            PlaqueEvent::Renewed | PlaqueEvent::Suspended if suspended => {
                asked.order("PLAQUE_SUSPENDED", None, &[at]);
            }
            PlaqueEvent::Suspended if !plaque.is_in_force(on, years) => {
                asked.order("PLAQUE_NOT_IN_FORCE", None, &[at]);
            }
            PlaqueEvent::Reinstated if !suspended => {
                asked.order("PLAQUE_NOT_SUSPENDED", None, &[at]);
            }
            PlaqueEvent::Expired if plaque.ends(years).is_none_or(|end| on < end) => {
                asked.order("PLAQUE_IN_FORCE", None, &[at]);
            }
            PlaqueEvent::Renewed
            | PlaqueEvent::Suspended
            | PlaqueEvent::Reinstated
            | PlaqueEvent::Revoked
            | PlaqueEvent::Expired => {}
        }
    }
    let stream = StreamId::of(StreamKind::Brand, brand_no);
    Ok(Judged {
        place: Place {
            cause: Position::new(plaque.position),
            ..Place::of_stream(stream)
        },
        step: Step::PlaqueChange(change),
    })
}

/// How many years a plaque of a day is good for, by the pack of that day.
pub(super) fn term(state: &State, day: Date) -> Option<i64> {
    let adopted = state.pack_on(day, luzhang_ledger::Office::LUZHOU)?;
    let pack: &Pack = &adopted.pack;
    let param = pack.limits.iter().find_map(|limit| {
        if let Rule::RequiresFact {
            fact: FactKind::Plaque,
            valid_years,
        } = &limit.rule
        {
            *valid_years
        } else {
            None
        }
    });
    pack.value(param?, day).ok()
}

/// The brand's grants that the change contradicts, or no longer does.
pub(super) fn consequences(state: &State, change: &PlaqueChange) -> Option<Changed> {
    let brand = state.find(StreamId::of(StreamKind::Brand, change.brand_no.as_str()))?;
    let known = state.plaque(change.brand_no.as_str())?;
    let mut plaque: Plaque = known.clone();
    plaque.changes.push(PlaqueChanged {
        change: change.change,
        on: change.on,
        position: 0,
    });
    let after = Facts {
        plaque: Some((brand, &plaque)),
        ..Facts::of(state)
    };
    let grants = state.grants(Form::BrandAward, Some(brand));
    let affected = grants.map(|grant| (Form::BrandAward, brand, grant));
    Some(compare_grants(state, after, affected.collect()))
}
