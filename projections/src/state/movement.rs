//! Money that an event moves, and the budget line that it moves within.

use std::{borrow::Borrow, cmp::Ordering};

use luzhang_ledger::Position;

use super::money::{Transfer, Transfers};
use crate::snapshot::record;

/// A budget line in words, in the order of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Programme id.
    pub programme: String,
    /// Calendar year of the basis date.
    pub year: i16,
    /// Acting office.
    pub office: u32,
    /// Fund id.
    pub fund: String,
}

record!(Line {
    programme,
    year,
    office,
    fund
});

/// The same, of words that are written elsewhere: asked for with every grant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineRef<'a> {
    pub(crate) programme: &'a str,
    pub(crate) year: i16,
    pub(crate) office: u32,
    pub(crate) fund: &'a str,
}

/// Either, as a map of lines looks them up.
pub(crate) trait LineKey {
    fn line(&self) -> LineRef<'_>;
}

impl LineKey for Line {
    fn line(&self) -> LineRef<'_> {
        LineRef {
            programme: &self.programme,
            year: self.year,
            office: self.office,
            fund: &self.fund,
        }
    }
}

impl LineKey for LineRef<'_> {
    fn line(&self) -> LineRef<'_> {
        *self
    }
}

/// In the order of [`Line`].
impl Ord for dyn LineKey + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |line: LineRef<'_>| (line.year, line.office);
        let (one, two) = (self.line(), other.line());
        one.programme
            .cmp(two.programme)
            .then_with(|| key(one).cmp(&key(two)))
            .then_with(|| one.fund.cmp(two.fund))
    }
}

impl PartialOrd for dyn LineKey + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn LineKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for dyn LineKey + '_ {}

impl<'a> Borrow<dyn LineKey + 'a> for Line {
    fn borrow(&self) -> &(dyn LineKey + 'a) {
        self
    }
}

impl LineRef<'_> {
    pub(crate) fn to_line(self) -> Line {
        Line {
            programme: self.programme.to_owned(),
            year: self.year,
            office: self.office,
            fund: self.fund.to_owned(),
        }
    }
}

/// A [`Movement`] of which nothing is copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moving<'a> {
    pub(crate) line: LineRef<'a>,
    pub(crate) grant: Option<Position>,
    pub(crate) transfers: Transfers,
}

/// Money that an event moves within one budget line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Which line.
    pub line: Line,
    /// The grant it is for, if it is for one.
    pub grant: Option<Position>,
    /// What moves; empty of nothing.
    pub transfers: Vec<Transfer>,
}

impl Movement {
    pub(crate) fn as_moving(&self) -> Moving<'_> {
        Moving {
            line: self.line.line(),
            grant: self.grant,
            transfers: self.transfers.iter().copied().collect(),
        }
    }
}
