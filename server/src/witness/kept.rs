//! Files that are replaced as a whole, and never half believed.
//!
//! ```text
//! luzhang witness KIND 1 CHECKSUM          64 hex digits: BLAKE3 of all below
//! …
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use zeroize::Zeroizing;

use super::error::WitnessError;

/// What a file holds, so that none is taken for another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// The witness's own key.
    Key,
    /// Which logs are watched.
    Origins,
    /// What is known of one log.
    Log,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Origins => "origins",
            Self::Log => "log",
        }
    }

    fn header(self, body: &str) -> String {
        let checksum = blake3::hash(body.as_bytes()).to_hex();
        format!("luzhang witness {} 1 {checksum}\n", self.name())
    }
}

/// Puts a file into the place of the one that was there. When it returns, the new
/// one is durable under its name; if it fails or the machine stops, one of the two
/// is there, whole.
pub(super) fn replace(path: &Path, kind: Kind, body: &str) -> Result<(), WitnessError> {
    let text = Zeroizing::new(kind.header(body) + body);
    write(path, text.as_bytes()).map_err(WitnessError::io(path))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // One name for all attempts: what a crash leaves is overwritten by the next.
    let new = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)?;
    // A name is durable when its directory is.
    let dir = path.parent().unwrap_or(Path::new("."));
    sync_dir(dir)
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The body of a file.
///
/// # Errors
/// [`WitnessError::Missing`], [`WitnessError::Damaged`] and [`WitnessError::Io`].
pub(super) fn read(path: &Path, kind: Kind) -> Result<Zeroizing<String>, WitnessError> {
    let damaged = |detail| WitnessError::Damaged {
        path: path.to_owned(),
        detail,
    };
    let bytes = match fs::read(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(WitnessError::Missing {
                path: path.to_owned(),
            });
        }
        Err(error) => return Err(WitnessError::io(path)(error)),
    };
    let text = str::from_utf8(&bytes).map_err(|_| damaged("it is not text"))?;
    let first = text.find('\n').map_or(0, |end| end + 1);
    let (header, body) = text.split_at(first);
    if header != kind.header(body) {
        return Err(damaged("its checksum is wrong"));
    }
    Ok(Zeroizing::new(body.to_owned()))
}
