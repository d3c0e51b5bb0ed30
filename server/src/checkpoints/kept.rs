//! The newest checkpoints, in `DIR/tree/`: `signed`, what was signed last, and
//! `checkpoint`, what was given out last. They are the same where there are no
//! witnesses.

use std::{fs, io, path::Path, time::SystemTime};

use luzhang_ledger::{log::storage, proof::SignedCheckpoint};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Signed, and perhaps not cosigned yet.
    Signed,
    /// Given out.
    Published,
}

impl Kept {
    fn file(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Published => "checkpoint",
        }
    }

    /// Reads it; `None` if there never was one.
    pub(super) fn read(self, dir: &Path) -> io::Result<Option<SignedCheckpoint>> {
        let bytes = match fs::read(dir.join(self.file())) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let damaged = |error| {
            let what = format!(
                "tree/{} is damaged: {error}. Remove the directory `tree`: it is made anew",
                self.file()
            );
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        SignedCheckpoint::parse(&bytes).map(Some).map_err(damaged)
    }

    /// When it was replaced last.
    pub(super) fn written_at(self, dir: &Path) -> Option<SystemTime> {
        let written = fs::metadata(dir.join(self.file()));
        written.and_then(|written| written.modified()).ok()
    }

    /// Replaces it durably.
    pub(super) fn write(self, dir: &Path, checkpoint: &SignedCheckpoint) -> io::Result<()> {
        storage::replace(dir, self.file(), checkpoint.to_string().as_bytes())
    }
}
