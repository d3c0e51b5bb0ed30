//! Projections: named, versioned folds of the log, each with a digest of its
//! state. Two machines that folded the same log print the same digests.

use std::ops::Deref;

use luzhang_ledger::{Event, Hash, Position};
use rayon::prelude::*;

mod rows;

use crate::{
    codes::Text,
    registers::{Loans, Plaques},
    state::{Movement, State, digest},
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
    /// What became of each grant.
    Cases,
    /// Public notices.
    Notices,
    /// Payment batches.
    Batches,
    /// Money that is claimed back.
    Recoveries,
    /// What changed on each budget line, month by month.
    Months,
    /// Plaques of brands.
    Plaques,
    /// Startup loans and their interest subsidies.
    Loans,
    /// Who may do what.
    Access,
}

impl Name {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 13] = [
        Self::Limits,
        Self::Budget,
        Self::Totals,
        Self::Refusals,
        Self::Conflicts,
        Self::Cases,
        Self::Notices,
        Self::Batches,
        Self::Recoveries,
        Self::Months,
        Self::Plaques,
        Self::Loans,
        Self::Access,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::Budget => "budget",
            Self::Totals => "totals",
            Self::Refusals => "refusals",
            Self::Conflicts => "conflicts",
            Self::Cases => "cases",
            Self::Notices => "notices",
            Self::Batches => "batches",
            Self::Recoveries => "recoveries",
            Self::Months => "months",
            Self::Plaques => "plaques",
            Self::Loans => "loans",
            Self::Access => "access",
        }
    }

    /// The projection with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// What it is, in a few words.
    pub fn about(self) -> Text {
        let (zh, en) = match self {
            Self::Limits => ("决定所依据的事实和名额", "what decisions rest on"),
            Self::Budget => ("预算指标各账户余额", "balances of every budget line"),
            Self::Totals => (
                "按项目、年度、机构、资金的核定数",
                "granted sums by budget line",
            ),
            Self::Refusals => ("不予受理的原因", "refusals by programme and reason"),
            Self::Conflicts => (
                "后来的事实与已核定补助的冲突",
                "grants that later facts contradict",
            ),
            Self::Cases => ("每笔补助的进度和资金", "what became of each grant"),
            Self::Notices => ("公示", "public notices"),
            Self::Batches => ("拨付批次", "payment batches"),
            Self::Recoveries => ("追回", "money that is claimed back"),
            Self::Months => (
                "各预算指标逐月发生数",
                "what changed on each budget line, by month",
            ),
            Self::Plaques => ("品牌牌匾", "plaques of brands"),
            Self::Loans => (
                "创业担保贷款和贴息",
                "startup loans and their interest subsidies",
            ),
            Self::Access => ("授权：谁可以办理什么", "who may do what"),
        };
        Text { zh, en }
    }

    /// The version of its fold: raised whenever the digest of the same log
    /// changes.
    pub fn version(self) -> u32 {
        match self {
            Self::Refusals
            | Self::Notices
            | Self::Batches
            | Self::Recoveries
            | Self::Months
            | Self::Plaques
            | Self::Loans
            | Self::Access => 1,
            Self::Limits | Self::Totals | Self::Conflicts => 2,
            Self::Budget | Self::Cases => 3,
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

/// How many events are looked at together before they are folded one by one.
const NEAR: usize = 64;

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
    /// Plaques.
    pub plaques: Plaques,
    /// Startup loans.
    pub loans: Loans,
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
    /// Projections without what limits ask, for those who report: all but
    /// [`Name::Limits`] have the digests of whole ones.
    pub(crate) fn of_books() -> Self {
        Self {
            state: State::of_books(),
            ..Self::default()
        }
    }

    /// Takes the next event.
    pub fn apply(&mut self, event: &Event) {
        let moving = self.state.moving(event);
        self.loans.apply(event, moving.as_ref());
        self.totals.apply(event, moving.as_ref());
        self.apply_rest(event);
    }

    /// Takes the next events, of which what is read is looked up together: see
    /// [`State::anticipate`].
    pub fn apply_all<E: Deref<Target = Event>>(&mut self, events: &[E]) {
        for near in events.chunks(NEAR) {
            self.state.expect(near.iter().map(Deref::deref));
            for event in near {
                self.apply(event);
            }
        }
    }

    /// The same, for whoever has asked the state already what the event moves.
    pub(crate) fn apply_moved(&mut self, event: &Event, movement: Option<&Movement>) {
        let moving = movement.map(Movement::as_moving);
        self.loans.apply(event, moving.as_ref());
        self.totals.apply(event, moving.as_ref());
        self.apply_rest(event);
    }

    fn apply_rest(&mut self, event: &Event) {
        self.state.apply(event);
        self.refusals.apply(event, &self.state);
        self.conflicts.apply(event);
        self.plaques.apply(event);
    }

    /// The status of each projection, made on all cores.
    pub fn statuses(&self) -> Vec<Status> {
        Name::ALL
            .into_par_iter()
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
            Name::Cases => self.state.digest_cases(&mut hasher),
            Name::Notices => self.state.digest_notices(&mut hasher),
            Name::Batches => self.state.digest_batches(&mut hasher),
            Name::Recoveries => self.state.digest_recoveries(&mut hasher),
            Name::Months => self.totals.digest_months(&mut hasher),
            Name::Plaques => self.plaques.digest(&mut hasher),
            Name::Loans => self.loans.digest(&mut hasher),
            Name::Access => self.state.digest_access(&mut hasher),
        }
        Status {
            name,
            position,
            digest: hasher.finish(),
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
            Name::Budget => rows::budget(&self.state),
            Name::Totals => Rows {
                columns: &[
                    "programme",
                    "year",
                    "office",
                    "fund",
                    "grants",
                    "amount_fen",
                    "paid_fen",
                ],
                rows: self
                    .totals
                    .lines()
                    .iter()
                    .map(|(line, total)| {
                        vec![
                            line.programme.clone(),
                            line.year.to_string(),
                            line.office.to_string(),
                            line.fund.clone(),
                            total.grants.to_string(),
                            total.amount_fen.to_string(),
                            total.paid_fen.to_string(),
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
            Name::Conflicts => rows::conflicts(&self.state, &self.conflicts),
            Name::Cases => rows::cases(&self.state),
            Name::Notices => rows::notices(&self.state),
            Name::Batches => rows::batches(&self.state),
            Name::Recoveries => rows::recoveries(&self.state),
            Name::Months => rows::months(&self.totals),
            Name::Plaques => rows::plaques(&self.plaques),
            Name::Loans => rows::loans(&self.loans),
            Name::Access => rows::access(&self.state),
        }
    }
}
