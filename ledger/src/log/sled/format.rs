//! The file `FORMAT`: what made this directory, which ledger it is, and where its log
//! is.
//!
//! ```text
//! luzhang 1
//! ledger 0198c5a2-…
//! engine sled-0.34.7      or: engine postgresql
//! ```

use uuid::Uuid;

use super::error::OpenError;
use crate::position::LedgerId;

const VERSION: &str = "luzhang 1";

/// Where a ledger's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the data directory, on sled.
    Here,
    /// In a PostgreSQL database; the data directory has the rest.
    Database,
}

impl Place {
    fn line(self) -> &'static str {
        match self {
            Self::Here => "engine sled-0.34.7",
            Self::Database => "engine postgresql",
        }
    }
}

/// What `FORMAT` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Whose chain this is.
    pub ledger: LedgerId,
    /// Where it is.
    pub place: Place,
}

impl Format {
    /// Of a ledger whose log is in the data directory.
    pub(super) fn here(ledger: LedgerId) -> Self {
        let place = Place::Here;
        Self { ledger, place }
    }

    pub(super) fn text(self) -> String {
        format!("{VERSION}\nledger {}\n{}\n", self.ledger, self.place.line())
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self, OpenError> {
        let unknown = |line| OpenError::FormatUnknown { line };
        let text = str::from_utf8(text).map_err(|_| unknown(1))?;
        let mut lines = text.split('\n');
        if lines.next() != Some(VERSION) {
            return Err(unknown(1));
        }
        let ledger = lines
            .next()
            .and_then(|line| line.strip_prefix("ledger "))
            .and_then(|id| Uuid::try_parse(id).ok())
            .ok_or_else(|| unknown(2))?;
        let engine = lines.next();
        let place = [Place::Here, Place::Database]
            .into_iter()
            .find(|place| engine == Some(place.line()))
            .ok_or_else(|| unknown(3))?;
        if lines.next() != Some("") || lines.next().is_some() {
            return Err(unknown(4));
        }
        let format = Self {
            ledger: LedgerId::new(ledger),
            place,
        };
        // A UUID has more spellings than the one that is written.
        if text != format.text() {
            return Err(unknown(2));
        }
        Ok(format)
    }
}
