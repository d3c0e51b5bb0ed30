//! Notes beside a ledger, for whoever looks after it: when the log was verified last,
//! and when it was backed up. `luzhang doctor` reads them, and so do the metrics.
//!
//! ```text
//! DIR/notes/verified
//! luzhang note 1
//! result intact
//! position 1204
//! chain 5c0f…
//! seconds 1764187200
//! check 77d1…            BLAKE3 over the lines above
//! ```
//!
//! A note proves nothing: whoever can write the directory can write notes. It is left
//! when somebody asks for it, and never by an audit on its own, which changes nothing
//! of what it looks at.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use luzhang_ledger::{Hash, log::storage, text::Label};

const TITLE: &str = "luzhang note 1";
const CHECK_CONTEXT: &str = "luzhang 2026 note v1";
const DIR: &str = "notes";
/// Results of a verification that found nothing wrong.
const SOUND: [&str; 2] = ["intact", "self_consistent"];
/// A note has some hundred bytes.
const MOST: u64 = 4_096;

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// The log was verified.
    Verified,
    /// The log was backed up.
    BackedUp,
}

impl Noted {
    fn file(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::BackedUp => "backup",
        }
    }
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What came of it, in a word: the verdict of a verification.
    pub result: Label,
    /// How many events there were.
    pub position: u64,
    /// The hash of the last of them.
    pub chain: Hash,
    /// When, in seconds since 1970.
    pub seconds: u64,
}

impl Note {
    /// Whether a verification found nothing wrong.
    pub fn is_sound(&self) -> bool {
        SOUND.contains(&self.result.as_str())
    }

    fn text(&self) -> String {
        let Self {
            result,
            position,
            chain,
            seconds,
        } = self;
        let body = format!(
            "{TITLE}\nresult {result}\nposition {position}\nchain {chain}\nseconds {seconds}\n"
        );
        let check = checksum(&body);
        format!("{body}check {check}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let (body, check) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let body = format!("{body}\n");
        if check.strip_prefix("check ")? != checksum(&body).to_string() {
            return None;
        }
        let mut lines = body.lines();
        let mut line = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        line("luzhang note").filter(|version| *version == "1")?;
        Some(Self {
            result: Label::new(line("result")?).ok()?,
            position: line("position")?.parse().ok()?,
            chain: line("chain")?.parse().ok()?,
            seconds: line("seconds")?.parse().ok()?,
        })
    }
}

fn checksum(body: &str) -> Hash {
    Hash::from_bytes(blake3::derive_key(CHECK_CONTEXT, body.as_bytes()))
}

/// Leaves a note in a data directory, in the place of the one before.
pub fn leave(dir: &Path, noted: Noted, note: &Note) -> io::Result<()> {
    let notes = dir.join(DIR);
    match DirBuilder::new().mode(0o700).create(&notes) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    storage::replace(&notes, noted.file(), note.text().as_bytes())
}

/// The note in a data directory; `None` if there is none.
///
/// # Errors
/// `InvalidData` if it is not as it was written.
pub fn read(dir: &Path, noted: Noted) -> io::Result<Option<Note>> {
    let path = dir.join(DIR).join(noted.file());
    let text = match fs::metadata(&path) {
        Ok(file) if file.len() > MOST => String::new(),
        Ok(_) => String::from_utf8_lossy(&fs::read(&path)?).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let note = Note::parse(&text);
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the note is damaged");
    note.map(Some).ok_or_else(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_left_and_not_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path(), Noted::Verified).unwrap(), None);
        let note = Note {
            result: Label::new("intact").unwrap(),
            position: 1_204,
            chain: Hash::from_bytes([7; 32]),
            seconds: 1_764_187_200,
        };
        leave(dir.path(), Noted::Verified, &note).unwrap();
        assert_eq!(read(dir.path(), Noted::Verified).unwrap(), Some(note));
        assert_eq!(read(dir.path(), Noted::BackedUp).unwrap(), None);
        let file = dir.path().join("notes/verified");
        let text = fs::read(&file).unwrap();
        for place in 0..text.len() {
            let mut changed = text.clone();
            changed[place] ^= 1;
            fs::write(&file, changed).unwrap();
            let error = read(dir.path(), Noted::Verified).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{place}");
        }
        fs::write(&file, vec![b'a'; 1 << 20]).unwrap();
        assert!(read(dir.path(), Noted::Verified).is_err());
    }
}
