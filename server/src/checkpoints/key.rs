//! The key that signs checkpoints: `DIR/keys/checkpoint`, readable by its owner
//! alone, and no part of the ledger's other keys.
//!
//! ```text
//! luzhang checkpoint key 1
//! name luzhang/0198c5a2-…
//! seed 6f1c…                 32 random bytes
//! ```
//!
//! A new key is written to `checkpoint.next` before the log says that it is
//! adopted, and renamed after. Whichever of the two the log names is the key.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use luzhang_ledger::{
    log::storage::sync_dir,
    proof::{
        SigningKey, VerifierKey,
        note::{KeyName, Purpose},
    },
};
use zeroize::Zeroizing;

use crate::vault::random;

const TITLE: &str = "luzhang checkpoint key 1";
const KEY: &str = "checkpoint";
const NEXT: &str = "checkpoint.next";

/// The key files of one ledger.
#[derive(Debug)]
pub(super) struct KeyFiles {
    keys: PathBuf,
}

impl KeyFiles {
    /// Those in `dir/keys`.
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            keys: dir.join("keys"),
        }
    }

    /// The key that the log names; the one that waits for its first adoption if
    /// the log names none.
    pub(super) fn open(&self, adopted: Option<&VerifierKey>) -> io::Result<Option<SigningKey>> {
        let is_it = |key: &SigningKey| adopted.is_none_or(|adopted| key.verifier() == adopted);
        if let Some(key) = self.read(KEY)?.filter(is_it) {
            return Ok(Some(key));
        }
        let Some(key) = self.read(NEXT)?.filter(is_it) else {
            return Ok(None);
        };
        if adopted.is_some() {
            // The log took it, and then something kept it from being renamed.
            self.take(key.verifier())?;
        }
        Ok(Some(key))
    }

    /// Makes a key, to be adopted.
    pub(super) fn make_next(&self, name: KeyName) -> io::Result<SigningKey> {
        let mut seed = Zeroizing::new([0; 32]);
        random(&mut *seed)?;
        let mut text = Zeroizing::new(format!("{TITLE}\nname {name}\nseed "));
        for byte in *seed {
            // Two digits at a time: no copy of the seed is left behind.
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
        text.push('\n');
        let path = self.keys.join(NEXT);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            // One that was never adopted.
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_dir(&self.keys)?;
        Ok(SigningKey::from_seed(name, Purpose::Author, &seed))
    }

    /// This key is adopted: it is the one from now on.
    pub(super) fn take(&self, key: &VerifierKey) -> io::Result<()> {
        // The log may have been put back to before its adoption.
        if self.read(KEY)?.is_some_and(|held| held.verifier() == key) {
            return Ok(());
        }
        fs::rename(self.keys.join(NEXT), self.keys.join(KEY))?;
        sync_dir(&self.keys)
    }

    fn read(&self, name: &str) -> io::Result<Option<SigningKey>> {
        let text = match fs::read_to_string(self.keys.join(name)) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let damaged = || {
            let what = format!("keys/{name} is damaged: restore it from its backup");
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        parse(&text).map(Some).ok_or_else(damaged)
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn parse(text: &str) -> Option<SigningKey> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    if lines.next()? != TITLE {
        return None;
    }
    let name = KeyName::new(lines.next()?.strip_prefix("name ")?).ok()?;
    let digits = lines.next()?.strip_prefix("seed ")?.as_bytes();
    let mut seed = Zeroizing::new([0; 32]);
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != seed.len() || lines.next().is_some() {
        return None;
    }
    let digit = |digit: u8| HEX.iter().position(|known| *known == digit);
    for (byte, [high, low]) in seed.iter_mut().zip(pairs) {
        *byte = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    Some(SigningKey::from_seed(name, Purpose::Author, &seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> KeyName {
        KeyName::new("luzhang/test").unwrap()
    }

    fn files() -> (tempfile::TempDir, KeyFiles) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("keys")).unwrap();
        let files = KeyFiles::new(dir.path());
        (dir, files)
    }

    #[test]
    fn the_key_is_the_one_that_the_log_names() {
        let (_dir, files) = files();
        assert!(files.open(None).unwrap().is_none());
        let first = files.make_next(name()).unwrap().verifier().clone();
        // A crash before the first adoption: the key is still good for it.
        assert_eq!(files.open(None).unwrap().unwrap().verifier(), &first);
        assert_eq!(
            files.open(Some(&first)).unwrap().unwrap().verifier(),
            &first
        );
        // A rotation that the log did not take, and one that it did.
        let lost = files.make_next(name()).unwrap().verifier().clone();
        assert_eq!(
            files.open(Some(&first)).unwrap().unwrap().verifier(),
            &first
        );
        let second = files.make_next(name()).unwrap().verifier().clone();
        assert_eq!(
            files.open(Some(&second)).unwrap().unwrap().verifier(),
            &second
        );
        assert_eq!(
            files.open(Some(&second)).unwrap().unwrap().verifier(),
            &second
        );
        assert!(files.open(Some(&first)).unwrap().is_none());
        assert!(files.open(Some(&lost)).unwrap().is_none());
    }

    #[test]
    fn a_first_key_that_waited_can_be_taken_whenever() {
        let (_dir, files) = files();
        let first = files.make_next(name()).unwrap().verifier().clone();
        for _ in 0..2 {
            assert_eq!(files.open(None).unwrap().unwrap().verifier(), &first);
        }
        files.take(&first).unwrap();
        // The log forgot it.
        assert_eq!(files.open(None).unwrap().unwrap().verifier(), &first);
        files.take(&first).unwrap();
        assert_eq!(
            files.open(Some(&first)).unwrap().unwrap().verifier(),
            &first
        );
    }

    #[test]
    fn a_damaged_key_is_no_key() {
        let (dir, files) = files();
        let key = files.make_next(name()).unwrap().verifier().clone();
        files.take(&key).unwrap();
        let path = dir.path().join("keys/checkpoint");
        let text = fs::read_to_string(&path).unwrap();
        for end in 0..text.len() {
            fs::write(&path, &text[..end]).unwrap();
            assert!(files.open(Some(&key)).is_err(), "cut at {end}");
        }
        fs::write(&path, format!("{text} ")).unwrap();
        assert!(files.open(Some(&key)).is_err());
    }
}
