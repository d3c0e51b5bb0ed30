//! The manifest of a shelf: JSON, so that anybody can read it, and a checksum of its
//! own bytes, so that nobody has to believe it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{error::ShelfFault, run};
use crate::{
    block::Head,
    hash::Hash,
    position::{LedgerId, Position},
    proof::SignedCheckpoint,
};

const SCHEMA_VERSION: u64 = 1;
const CHECK_CONTEXT: &str = "luzhang 2026 shelf manifest v1";
/// Before and after the checksum, at the end of the file.
const CHECK_BEGINS: &str = "  \"check\": \"";
const CHECK_ENDS: &str = "\"\n}\n";
const HASH_DIGITS: usize = 64;

/// Who wrote a shelf, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The program and its version.
    pub by: String,
    /// UTC microseconds.
    pub at: i64,
}

/// What is on a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Whose chain.
    pub ledger: LedgerId,
    /// Who wrote it last.
    pub written: Stamp,
    /// The end of the chain.
    pub head: Head,
    /// The newest signed checkpoint of the ledger that covers no more than is here.
    pub checkpoint: Option<SignedCheckpoint>,
    /// The runs, in order.
    pub files: Vec<RunEntry>,
}

/// What a manifest says of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEntry {
    /// Relative to the shelf.
    pub name: String,
    /// Whether it is never written to again.
    pub sealed: bool,
    /// Its first event.
    pub first: Position,
    /// How many blocks it has.
    pub blocks: u64,
    /// The head after the last of them.
    pub after: Head,
    /// Its length. Of an open run, what counts: it may be longer.
    pub bytes: u64,
    /// BLAKE3 of these bytes.
    pub blake3: Hash,
}

impl RunEntry {
    /// Its last event.
    pub fn last(&self) -> Position {
        self.after.position.unwrap_or(self.first)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema_version: u64,
    ledger_id: String,
    written_by: String,
    /// UTC microseconds, as all times here.
    written_at: i64,
    /// Of the last event; 0 if there is none.
    position: u64,
    chain_head: String,
    blocks: u64,
    block_hash: String,
    epoch: u64,
    recorded_at: i64,
    checkpoint: Option<String>,
    files: Vec<File>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    sealed: bool,
    first_position: u64,
    last_position: u64,
    chain_head: String,
    blocks: u64,
    block_hash: String,
    epoch: u64,
    recorded_at: i64,
    bytes: u64,
    blake3: String,
}

impl Manifest {
    /// Of a shelf with nothing on it.
    pub(super) fn empty(ledger: LedgerId, written: Stamp) -> Self {
        Self {
            ledger,
            written,
            head: Head::genesis(ledger),
            checkpoint: None,
            files: Vec::new(),
        }
    }

    /// Each run, with the head before it.
    pub(super) fn with_heads(&self) -> impl Iterator<Item = (Head, &RunEntry)> {
        let after = self.files.iter().map(|file| file.after);
        std::iter::once(Head::genesis(self.ledger))
            .chain(after)
            .zip(&self.files)
    }

    /// Its bytes.
    pub fn text(&self) -> Result<String, ShelfFault> {
        let file = |(before, file): (Head, &RunEntry)| File {
            name: file.name.clone(),
            sealed: file.sealed,
            first_position: before.next_position().number(),
            last_position: file.last().number(),
            chain_head: file.after.chain.to_string(),
            blocks: file.blocks,
            block_hash: file.after.block.to_string(),
            epoch: file.after.epoch,
            recorded_at: file.after.recorded_at,
            bytes: file.bytes,
            blake3: file.blake3.to_string(),
        };
        let document = Document {
            schema_version: SCHEMA_VERSION,
            ledger_id: self.ledger.to_string(),
            written_by: self.written.by.clone(),
            written_at: self.written.at,
            position: self.head.position.map_or(0, Position::number),
            chain_head: self.head.chain.to_string(),
            blocks: self.head.height,
            block_hash: self.head.block.to_string(),
            epoch: self.head.epoch,
            recorded_at: self.head.recorded_at,
            checkpoint: self.checkpoint.as_ref().map(ToString::to_string),
            files: self.with_heads().map(file).collect(),
        };
        let damaged = |error: serde_json::Error| ShelfFault::ManifestDamaged {
            detail: error.to_string(),
        };
        let text = serde_json::to_string_pretty(&document).map_err(damaged)?;
        let text = text.strip_suffix("\n}").unwrap_or(&text);
        let before = format!("{text},\n");
        let check = check(before.as_bytes());
        Ok(format!("{before}{CHECK_BEGINS}{check}{CHECK_ENDS}"))
    }

    /// Reads a manifest: its checksum, and whether it agrees with itself.
    pub fn parse(bytes: &[u8]) -> Result<Self, ShelfFault> {
        let damaged = |detail: &str| ShelfFault::ManifestDamaged {
            detail: detail.to_owned(),
        };
        let text = str::from_utf8(bytes).map_err(|_| damaged("it is not UTF-8"))?;
        let body = text
            .strip_suffix(CHECK_ENDS)
            .and_then(|text| text.split_at_checked(text.len().saturating_sub(HASH_DIGITS)))
            .and_then(|(text, stated)| Some((text.strip_suffix(CHECK_BEGINS)?, stated)));
        let (before, stated) = body.ok_or_else(|| damaged("it does not end in its checksum"))?;
        if check(before.as_bytes()).to_string() != stated {
            return Err(damaged("its checksum does not match"));
        }
        let document = before.trim_end().trim_end_matches(',');
        let document = format!("{document}\n}}");
        let version: serde_json::Value =
            serde_json::from_str(&document).map_err(|error| damaged(&error.to_string()))?;
        match version.get("schema_version") {
            Some(version) if *version == SCHEMA_VERSION => {}
            Some(version) => {
                return Err(ShelfFault::Version {
                    found: version.to_string(),
                });
            }
            None => return Err(damaged("it has no schema_version")),
        }
        let document: Document =
            serde_json::from_value(version).map_err(|error| untrue(&error.to_string()))?;
        document.read()
    }
}

impl Document {
    fn read(self) -> Result<Manifest, ShelfFault> {
        let ledger = Uuid::try_parse(&self.ledger_id).map(LedgerId::new);
        let ledger = ledger.map_err(|_| untrue("the ledger_id is no UUID"))?;
        let head = Head {
            position: Position::new(self.position),
            chain: hash(&self.chain_head, "chain_head")?,
            block: hash(&self.block_hash, "block_hash")?,
            height: self.blocks,
            epoch: self.epoch,
            recorded_at: self.recorded_at,
        };
        let checkpoint = self
            .checkpoint
            .map(|text| SignedCheckpoint::parse(text.as_bytes()))
            .transpose()
            .map_err(|error| untrue(&format!("checkpoint: {error}")))?;
        let covered = checkpoint.as_ref().map_or(0, |signed| signed.head().size);
        if covered > self.position {
            return Err(untrue("the checkpoint covers more events than there are"));
        }
        let mut files = Vec::with_capacity(self.files.len());
        let mut before = Head::genesis(ledger);
        let last = self.files.len().saturating_sub(1);
        for (number, file) in self.files.into_iter().enumerate() {
            let file = file.read(&before)?;
            if !file.sealed && number != last {
                return Err(untrue(&format!("{} is open, and not the last", file.name)));
            }
            before = file.after;
            files.push(file);
        }
        if before != head {
            return Err(untrue("the head is not that of the last file"));
        }
        Ok(Manifest {
            ledger,
            written: Stamp {
                by: self.written_by,
                at: self.written_at,
            },
            head,
            checkpoint,
            files,
        })
    }
}

impl File {
    fn read(self, before: &Head) -> Result<RunEntry, ShelfFault> {
        let first = before.next_position();
        let last = Position::new(self.last_position).filter(|last| *last >= first);
        if self.first_position != first.number() || last.is_none() {
            return Err(untrue(&format!("the positions of {}", self.name)));
        }
        if self.name != run::name(first) {
            return Err(untrue(&format!("the name {}", self.name)));
        }
        if self.blocks == 0 {
            return Err(untrue(&format!("the blocks of {}", self.name)));
        }
        Ok(RunEntry {
            sealed: self.sealed,
            first,
            blocks: self.blocks,
            after: Head {
                position: last,
                chain: hash(&self.chain_head, "chain_head")?,
                block: hash(&self.block_hash, "block_hash")?,
                height: before.height.saturating_add(self.blocks),
                epoch: self.epoch,
                recorded_at: self.recorded_at,
            },
            bytes: self.bytes,
            blake3: hash(&self.blake3, "blake3")?,
            name: self.name,
        })
    }
}

fn hash(text: &str, field: &str) -> Result<Hash, ShelfFault> {
    text.parse()
        .map_err(|_| untrue(&format!("{field} is no hash: {text}")))
}

fn untrue(what: &str) -> ShelfFault {
    ShelfFault::Untrue {
        what: what.to_owned(),
    }
}

fn check(before: &[u8]) -> Hash {
    Hash::from_bytes(blake3::derive_key(CHECK_CONTEXT, before))
}
