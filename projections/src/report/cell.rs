//! What a report's tables are made of. A cell says what it is; how it is written
//! is each form's business.

use std::sync::Arc;

use luzhang_ledger::{Date, Hash, SubjectId};

use crate::codes::Text;

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Free text, each its own: numbers of claims and documents.
    Text,
    /// One of a few names, with a stable id.
    Name,
    /// Money in fen.
    Fen,
    /// A number of things.
    Count,
    /// A position on the chain, a year: a number that is not summed.
    Number,
    /// A civil date.
    Date,
    /// BLAKE3.
    Hash,
    /// A subject's pseudonym.
    Subject,
    /// A share in basis points, rounded half up: of the sums of two columns.
    Rate {
        /// Id of the column above the line.
        of: &'static str,
        /// Id of the column below it.
        per: &'static str,
    },
}

/// A column of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in programs; in fen if it ends in `_fen`, in basis points if in
    /// `_bp`.
    pub id: &'static str,
    /// Its name for people.
    pub title: Text,
    /// What its cells are.
    pub kind: Kind,
}

/// A name with its stable id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What programs know it by.
    pub id: String,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing to say.
    Empty,
    /// Of a [`Kind::Text`] column.
    Text(String),
    /// Of a [`Kind::Name`] column.
    Name(Arc<Named>),
    /// Of a [`Kind::Fen`] column.
    Fen(i64),
    /// Of a [`Kind::Count`] or [`Kind::Number`] column.
    Count(i64),
    /// Of a [`Kind::Date`] column.
    Date(Date),
    /// Of a [`Kind::Hash`] column.
    Hash(Hash),
    /// Of a [`Kind::Subject`] column.
    Subject(SubjectId),
    /// Of a [`Kind::Rate`] column, in basis points.
    Rate(i64),
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Fen, and nothing of zero: a table full of noughts hides what moved.
    pub(super) fn moved(fen: i64) -> Self {
        if fen == 0 {
            Self::Empty
        } else {
            Self::Fen(fen)
        }
    }

    pub(super) fn number(number: u64) -> Self {
        i64::try_from(number).map_or(Self::Empty, Self::Count)
    }

    /// So many basis points, half up; empty of nothing.
    pub(super) fn rate(of: i64, per: i64) -> Self {
        if per <= 0 {
            return Self::Empty;
        }
        let (of, per) = (i128::from(of), i128::from(per));
        // Neither overflows: 2 × 10^4 × 2^63 is far below 2^127.
        let doubled = of.saturating_mul(20_000).saturating_add(per);
        let points = doubled.div_euclid(per.saturating_mul(2));
        i64::try_from(points).map_or(Self::Empty, Self::Rate)
    }

    /// What it adds to its column's sum.
    pub(super) fn fen_or_count(&self) -> i64 {
        match self {
            Self::Fen(number) | Self::Count(number) => *number,
            Self::Empty
            | Self::Text(_)
            | Self::Name(_)
            | Self::Date(_)
            | Self::Hash(_)
            | Self::Subject(_)
            | Self::Rate(_) => 0,
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Empty, Into::into)
    }
}

impl From<Date> for Cell {
    fn from(date: Date) -> Self {
        Self::Date(date)
    }
}

impl From<Arc<Named>> for Cell {
    fn from(name: Arc<Named>) -> Self {
        Self::Name(name)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Text(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_rounded_half_up() {
        for (of, per, points) in [
            (1, 3, Some(3_333)),
            (2, 3, Some(6_667)),
            (1, 20_000, Some(1)),
            (1, 20_001, Some(0)),
            (0, 5, Some(0)),
            (5, 5, Some(10_000)),
            (-1, 20_000, Some(0)),
            (-3, 20_000, Some(-1)),
            (7, 0, None),
            (i64::MAX, 1, None),
        ] {
            let expected = points.map_or(Cell::Empty, Cell::Rate);
            assert_eq!(Cell::rate(of, per), expected, "{of} of {per}");
        }
    }
}
