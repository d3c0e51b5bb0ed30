//! The witness: how far the log had come, written outside the database.
//!
//! A database that lost its end opens without any error, only shorter. The file
//! `head` is what tells: a log that ends before it is truncated.
//!
//! ```text
//! luzhang head 1
//! ledger 0198c5a2-…
//! position 1204
//! chain 5c0f…            hash of the event at that position
//! block 90ab…            hash of the block that ends with it
//! height 87
//! check 77d1…            BLAKE3 over the lines above
//! ```

use std::{fs, io, path::Path, str::Split};

use uuid::Uuid;

use super::error::OpenError;
use crate::{
    block::Head,
    hash::Hash,
    log::storage,
    position::{LedgerId, Position},
};

/// The name of the witness's file.
pub(super) const FILE: &str = "head";
const TITLE: &str = "luzhang head 1";
const CHECK_CONTEXT: &str = "luzhang 2026 witness v1";

/// A point that the log had durably reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Whose chain.
    pub ledger: LedgerId,
    /// The last event; `None` before the first.
    pub position: Option<Position>,
    /// Its hash.
    pub chain: Hash,
    /// The hash of the block that ends with it.
    pub block: Hash,
    /// That block's height; 0 before the first.
    pub height: u64,
}

impl Witness {
    /// The witness of this head.
    pub(super) fn of(ledger: LedgerId, head: &Head) -> Self {
        Self {
            ledger,
            position: head.position,
            chain: head.chain,
            block: head.block,
            height: head.height,
        }
    }

    fn text(&self) -> String {
        let body = format!(
            "{TITLE}\nledger {}\nposition {}\nchain {}\nblock {}\nheight {}\n",
            self.ledger,
            self.position.map_or(0, Position::number),
            self.chain,
            self.block,
            self.height,
        );
        let check = checksum(&body);
        format!("{body}check {check}\n")
    }

    fn parse(text: &[u8]) -> Result<Self, OpenError> {
        let damaged = |line| OpenError::WitnessDamaged { line };
        let text = str::from_utf8(text).map_err(|_| damaged(1))?;
        let mut lines = text.split('\n');
        if lines.next() != Some(TITLE) {
            return Err(damaged(1));
        }
        let witness = Self {
            ledger: field(&mut lines, "ledger ")
                .and_then(|id| Uuid::try_parse(id).ok())
                .map(LedgerId::new)
                .ok_or_else(|| damaged(2))?,
            position: field(&mut lines, "position ")
                .and_then(|number| number.parse().ok())
                .map(Position::new)
                .ok_or_else(|| damaged(3))?,
            chain: field(&mut lines, "chain ")
                .and_then(|hash| hash.parse().ok())
                .ok_or_else(|| damaged(4))?,
            block: field(&mut lines, "block ")
                .and_then(|hash| hash.parse().ok())
                .ok_or_else(|| damaged(5))?,
            height: field(&mut lines, "height ")
                .and_then(|number| number.parse().ok())
                .ok_or_else(|| damaged(6))?,
        };
        // One spelling per witness, and the checksum is part of it.
        if text != witness.text() {
            return Err(damaged(7));
        }
        Ok(witness)
    }

    /// Reads the witness of a data directory.
    pub(super) fn read(dir: &Path) -> Result<Self, OpenError> {
        match fs::read(dir.join(FILE)) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(OpenError::WitnessMissing),
            Err(error) => Err(OpenError::io(FILE)(error)),
        }
    }

    /// Replaces the witness of a data directory.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        storage::replace(dir, FILE, self.text().as_bytes())
    }
}

fn field<'a>(lines: &mut Split<'a, char>, name: &str) -> Option<&'a str> {
    lines.next()?.strip_prefix(name)
}

fn checksum(body: &str) -> Hash {
    Hash::from_bytes(blake3::derive_key(CHECK_CONTEXT, body.as_bytes()))
}
