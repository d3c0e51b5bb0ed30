//! The bytes of the key files; FORMAT.md, section 9, says the same.

use zeroize::Zeroizing;

use super::kek::{Kek, KekId, NONCE, Purpose, WRAPPED, Wrapped, push_hex, unhex};

/// Bytes of a record of version 1: the key in clear.
pub(super) const RAW: usize = 56;
/// Bytes of a record of version 2, and of what stands before the first.
pub(super) const RECORD: usize = 96;

const SUBJECTS: &str = "luzhang subject keys 2";
const IDENTITY: &str = "luzhang identity key 2";
const PREVIOUS: &str = "luzhang previous kek 1";

const CHECK: usize = 8;
/// Where a record's check begins.
const BODY: usize = RECORD - CHECK;

/// A record of version 2.
pub(super) type Record = [u8; RECORD];

/// What stands before the records: two lines, zeros, a check.
pub(super) fn header(kek: KekId) -> Record {
    let text = format!("{SUBJECTS}\nkek {kek}\n");
    let mut header = [0; RECORD];
    header[..text.len()].copy_from_slice(text.as_bytes());
    with_check(header)
}

/// Under which key-encryption key the records are.
pub(super) fn parse_header(header: &Record) -> Option<KekId> {
    let lines = header.strip_prefix(SUBJECTS.as_bytes())?;
    let id = lines.strip_prefix(b"\nkek ")?.get(..16)?;
    let id = KekId::parse(id)?;
    // Everything else follows from it.
    (*header == self::header(id)).then_some(id)
}

/// Whether a file that begins so is of version 2, damaged or not.
pub(super) fn has_header(start: &[u8]) -> bool {
    start.starts_with(SUBJECTS.as_bytes())
}

/// The record of a subject's key.
pub(super) fn record(kek: &Kek, subject: [u8; 16], nonce: [u8; NONCE], key: &[u8; 32]) -> Record {
    let mut record = [0; RECORD];
    record[..16].copy_from_slice(&subject);
    let wrapped = kek.wrap(Purpose::Subject(subject), nonce, key);
    record[16..BODY].copy_from_slice(&wrapped);
    with_check(record)
}

/// The key in a record.
pub(super) fn key_of(kek: &Kek, record: &Record) -> Result<Zeroizing<[u8; 32]>, &'static str> {
    if !is_whole(record) {
        return Err("a record's checksum is wrong");
    }
    let mut wrapped = [0; WRAPPED];
    wrapped.copy_from_slice(&record[16..BODY]);
    let subject = Purpose::Subject(subject_of(record));
    let key = kek.open(subject, &wrapped);
    key.ok_or("a record was not wrapped under the key that the file names")
}

/// Whose a record is; all zeros if it was destroyed.
pub(super) fn subject_of(record: &Record) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&record[..16]);
    id
}

fn is_whole(record: &Record) -> bool {
    checksum(&record[..BODY]) == record[BODY..]
}

fn with_check(mut record: Record) -> Record {
    let check = checksum(&record[..BODY]);
    record[BODY..].copy_from_slice(&check);
    record
}

pub(super) fn checksum(bytes: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    blake3::Hasher::new()
        .update(bytes)
        .finalize_xof()
        .fill(&mut check);
    check
}

/// A file of one wrapped key: three lines, of which the second names the key that
/// it is wrapped under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed {
    pub(super) kek: KekId,
    pub(super) wrapped: Wrapped,
}

/// Which file of one wrapped key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Title {
    Identity,
    Previous,
}

impl Title {
    fn text(self) -> &'static str {
        match self {
            Self::Identity => IDENTITY,
            Self::Previous => PREVIOUS,
        }
    }

    /// Whether a file that begins so is one, damaged or not.
    pub(super) fn begins(self, text: &[u8]) -> bool {
        text.starts_with(self.text().as_bytes())
    }
}

impl Sealed {
    pub(super) fn text(&self, title: Title) -> String {
        let mut text = format!("{}\nkek {}\nwrapped ", title.text(), self.kek);
        push_hex(&mut text, &self.wrapped);
        text.push('\n');
        text
    }

    pub(super) fn parse(title: Title, text: &[u8]) -> Option<Self> {
        let text = text.strip_prefix(title.text().as_bytes())?;
        let mut lines = text.strip_prefix(b"\n")?.split(|byte| *byte == b'\n');
        let kek = KekId::parse(lines.next()?.strip_prefix(b"kek ")?)?;
        let mut wrapped = [0; WRAPPED];
        let digits = lines.next()?.strip_prefix(b"wrapped ")?;
        let ends = lines.next() == Some(b"") && lines.next().is_none();
        (ends && unhex(digits, &mut wrapped)).then_some(Self { kek, wrapped })
    }
}
