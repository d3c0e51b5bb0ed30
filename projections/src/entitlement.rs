//! What is left for one subject: the counting limits of each programme, and its
//! loans.

use luzhang_ledger::{Date, Office, StreamId};

use crate::{
    limits::{Counting, count_used},
    pack::{Bilingual, Period, Rule},
    state::State,
};

/// What is left of one limit for one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlement {
    /// Programme id.
    pub programme: String,
    /// Programme name.
    pub name: Bilingual,
    /// Limit id.
    pub limit: String,
    /// How often it was used in the period.
    pub used: i64,
    /// How often it may be used.
    pub allowed: i64,
    /// `2024`, or `ever`.
    pub period: String,
}

impl Entitlement {
    /// How often it may still be used.
    pub fn left(&self) -> i64 {
        self.allowed.saturating_sub(self.used).max(0)
    }
}

/// The counting limits of the pack in force on a day, for the subject's own
/// history. Limits that count per employer, kind or level are left out: what is
/// left of them depends on the claim.
pub fn of(state: &State, subject: StreamId, on: Date) -> Vec<Entitlement> {
    let Some(adopted) = state.pack_on(on, Office::LUZHOU) else {
        return Vec::new();
    };
    let pack = &adopted.pack;
    let owner = state.streams.find(subject);
    let mut entitlements = Vec::new();
    for (programme, form) in pack.claimable() {
        for limit in pack.limits_of(&programme.id) {
            let Rule::CountPerPeriod {
                unit,
                per,
                period,
                max,
            } = &limit.rule
            else {
                continue;
            };
            let Ok(allowed) = pack.value(*max, on) else {
                continue;
            };
            if !per.is_empty() {
                continue;
            }
            let rule = Counting {
                unit: *unit,
                per: &[],
                period: *period,
            };
            entitlements.push(Entitlement {
                programme: programme.id.clone(),
                name: programme.name.clone(),
                limit: limit.id.clone(),
                used: count_used(state, (form, &programme.id), owner, rule, on.year()),
                allowed,
                period: match period {
                    Period::Ever => "ever".to_owned(),
                    Period::CalendarYear => on.year().to_string(),
                },
            });
        }
    }
    entitlements
}
