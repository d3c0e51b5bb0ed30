//! Projections: named, versioned folds of the log, each with a digest of its
//! state. Two machines that folded the same log print the same digests.

use luzhang_ledger::{Event, Hash, Position};

use crate::{
    state::{State, digest},
    totals::{Conflicts, Refusals, Totals},
};

/// A projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// What decisions rest on: statuses, periods, attendance, grants, loans.
    Limits,
    /// Appropriated and committed money by budget line.
    Budget,
    /// Granted sums by programme, year, office and fund.
    Totals,
    /// Refusals by programme and reason.
    Refusals,
    /// Grants that later facts contradict.
    Conflicts,
}

impl Name {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 5] = [
        Self::Limits,
        Self::Budget,
        Self::Totals,
        Self::Refusals,
        Self::Conflicts,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::Budget => "budget",
            Self::Totals => "totals",
            Self::Refusals => "refusals",
            Self::Conflicts => "conflicts",
        }
    }

    /// The projection with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// The version of its fold: raised whenever the digest of the same log
    /// changes.
    pub fn version(self) -> u32 {
        match self {
            Self::Limits | Self::Budget | Self::Totals | Self::Refusals | Self::Conflicts => 1,
        }
    }
}

/// The identity of a projection's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Which projection.
    pub name: Name,
    /// The last event folded.
    pub position: Option<Position>,
    /// BLAKE3 of the state.
    pub digest: Hash,
}

/// All projections, folded together.
#[derive(Clone, Debug, Default)]
pub struct Projections {
    /// What decisions rest on.
    pub state: State,
    /// Granted sums.
    pub totals: Totals,
    /// Refusals.
    pub refusals: Refusals,
    /// Conflicts.
    pub conflicts: Conflicts,
}

/// Rows of a projection for showing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Names of the columns; those ending in `_fen` are integers in fen.
    pub columns: &'static [&'static str],
    /// The cells.
    pub rows: Vec<Vec<String>>,
}

impl Projections {
    /// Takes the next event.
    pub fn apply(&mut self, event: &Event) {
        self.state.apply(event);
        self.totals.apply(event, &self.state);
        self.refusals.apply(event, &self.state);
        self.conflicts.apply(event);
    }

    /// The status of each projection.
    pub fn statuses(&self) -> Vec<Status> {
        Name::ALL
            .into_iter()
            .map(|name| self.status(name))
            .collect()
    }

    /// The status of one projection.
    pub fn status(&self, name: Name) -> Status {
        let position = self.state.position();
        let mut hasher = digest::named(name.as_str(), name.version(), position);
        match name {
            Name::Limits => self.state.digest_limits(&mut hasher),
            Name::Budget => self.state.digest_budget(&mut hasher),
            Name::Totals => self.totals.digest(&mut hasher),
            Name::Refusals => self.refusals.digest(&mut hasher),
            Name::Conflicts => self.conflicts.digest(&mut hasher),
        }
        Status {
            name,
            position,
            digest: Hash::from_bytes(*hasher.finalize().as_bytes()),
        }
    }

    /// The rows of one projection. `limits` shows how large it is; its content
    /// is asked subject by subject.
    pub fn rows(&self, name: Name) -> Rows {
        match name {
            Name::Limits => Rows {
                columns: &["packs", "streams"],
                rows: vec![vec![
                    self.state.packs().len().to_string(),
                    self.state.streams().to_string(),
                ]],
            },
            Name::Budget => self.budget_rows(),
            Name::Totals => Rows {
                columns: &[
                    "programme",
                    "year",
                    "office",
                    "fund",
                    "grants",
                    "amount_fen",
                ],
                rows: self
                    .totals
                    .lines
                    .iter()
                    .map(|(key, total)| {
                        vec![
                            key.programme.clone(),
                            key.year.to_string(),
                            key.office.to_string(),
                            key.fund.clone(),
                            total.grants.to_string(),
                            total.amount_fen.to_string(),
                        ]
                    })
                    .collect(),
            },
            Name::Refusals => Rows {
                columns: &["programme", "code", "refusals"],
                rows: self
                    .refusals
                    .lines
                    .iter()
                    .map(|((programme, code), number)| {
                        vec![programme.clone(), code.clone(), number.to_string()]
                    })
                    .collect(),
            },
            Name::Conflicts => Rows {
                columns: &["position", "fact", "grant", "code", "dates"],
                rows: self
                    .conflicts
                    .all
                    .iter()
                    .map(|(position, cause, conflict)| {
                        let days: Vec<String> = conflict
                            .dates
                            .days()
                            .iter()
                            .map(ToString::to_string)
                            .collect();
                        vec![
                            position.to_string(),
                            cause.map_or(String::new(), |c| c.to_string()),
                            conflict.grant.to_string(),
                            conflict.code.clone(),
                            days.join(";"),
                        ]
                    })
                    .collect(),
            },
        }
    }

    fn budget_rows(&self) -> Rows {
        let state = &self.state;
        let mut rows: Vec<Vec<String>> = state
            .budget
            .lines()
            .map(|(key, balance)| {
                vec![
                    state.programmes.name(key.programme).to_owned(),
                    key.year.number().to_string(),
                    key.office.to_string(),
                    state.funds.name(key.fund).to_owned(),
                    balance.appropriated.to_string(),
                    balance.committed.to_string(),
                    balance.left().to_string(),
                ]
            })
            .collect();
        rows.sort();
        Rows {
            columns: &[
                "programme",
                "year",
                "office",
                "fund",
                "appropriated_fen",
                "committed_fen",
                "left_fen",
            ],
            rows,
        }
    }
}
