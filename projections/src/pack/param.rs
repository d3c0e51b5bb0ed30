//! Dated parameters.

use luzhang_ledger::{Date, Window};

/// A parameter of a pack, by its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamIx(u16);

impl ParamIx {
    pub(super) fn new(index: usize) -> Self {
        // A pack of 96 KiB cannot hold 65,535 parameters.
        Self(u16::try_from(index).unwrap_or(u16::MAX))
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What a parameter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Money in fen.
    Fen,
    /// A number of things.
    Count,
    /// Years.
    Years,
    /// Millionths.
    Ppm,
}

impl Unit {
    /// Its name, as packs write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fen => "fen",
            Self::Count => "count",
            Self::Years => "years",
            Self::Ppm => "ppm",
        }
    }
}

/// A value for each day of a pack's window.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its id, for example `m22.cap.personal`.
    pub id: String,
    /// What it counts.
    pub unit: Unit,
    /// The date that chooses the value, in words.
    pub basis: String,
    /// Its values, by window, ascending.
    pub values: Vec<Dated>,
}

/// A value that holds for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// When it holds.
    pub window: Window,
    /// The value.
    pub value: i64,
    /// The document that says so.
    pub cite: String,
}

/// No single value on that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap;

impl Param {
    /// The one value on `day`; before the first and after the last window the
    /// nearest value.
    pub fn value(&self, day: Date) -> Result<i64, Gap> {
        self.dated(day).map(|dated| dated.value)
    }

    /// That value with its window and citation.
    pub fn dated(&self, day: Date) -> Result<&Dated, Gap> {
        let mut holding = self.values.iter().filter(|v| v.window.contains(day));
        match (holding.next(), holding.next()) {
            (Some(one), None) => return Ok(one),
            (Some(_), Some(_)) => return Err(Gap),
            (None, _) => {}
        }
        let first = self.values.first().ok_or(Gap)?;
        let last = self.values.last().ok_or(Gap)?;
        if day < first.window.from() {
            Ok(first)
        } else if last.window.until().is_some_and(|until| day >= until) {
            Ok(last)
        } else {
            Err(Gap)
        }
    }

    /// Whether exactly one value holds on `day` by its own window.
    pub fn defined(&self, day: Date) -> bool {
        self.values
            .iter()
            .filter(|v| v.window.contains(day))
            .count()
            == 1
    }
}
