//! Wrapping every key anew: under another key-encryption key, or for the first
//! time.
//!
//! A rotation keeps the old key-encryption key in `keys/previous`, wrapped under
//! the new one, before anything else changes. So whoever has the new one can
//! always go on where a crash ended, wherever the two come from; and until the
//! first file is under the new one, whoever has the old one can give up.

use std::{
    io::{BufWriter, Write as _},
    path::Path,
    sync::Arc,
};

use luzhang_ledger::log::sled::{self, OpenError};
use thiserror::Error;

use super::{
    IDENTITY, Identity, KEYS, Kek, KekError, KekId, KekSource, PREVIOUS, Ring, SUBJECTS, Vault,
    VaultError, at, disk,
    file::{self, Sealed, Title},
    kek,
    kek::Purpose,
    random, sealed_identity,
    subjects::{self, Counts, Kind, Layout, Subjects},
};

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key-encryption key before.
    pub before: KekId,
    /// The one from now on.
    pub after: KekId,
    /// What was in the old file: records that are of no use are not in the new.
    pub counts: Counts,
}

/// Why keys could not be rotated.
#[derive(Debug, Error)]
pub enum RotateError {
    /// The data directory.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Wraps all keys of a ledger, which nobody uses, under another key-encryption
/// key: one of `to`, which is made if it is a file that is not there; otherwise a
/// new one in the data directory's own file. What the old one could open is
/// overwritten with zeros, and so is the old one if it was in the own file.
///
/// `progress` is told how many records were read so far, and of how many.
///
/// # Errors
/// [`OpenError::Locked`] if a server runs; [`KekError::NoPlace`] and
/// [`KekError::Unchanged`] if there is nothing to change to. After any other the
/// ledger opens with the old key-encryption key or with the new one, and goes on
/// where this ended.
pub fn rotate(
    dir: &Path,
    from: &KekSource,
    to: Option<&KekSource>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rotated, RotateError> {
    let _lock = sled::hold(dir)?;
    Ok(rotate_locked(dir, from, to, progress)?)
}

pub(super) fn rotate_locked(
    dir: &Path,
    from: &KekSource,
    to: Option<&KekSource>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rotated, VaultError> {
    if to.is_none() && *from != KekSource::Own {
        return Err(KekError::NoPlace.into());
    }
    let vault = Vault::open(dir, from)?;
    let counts = vault.survey()?.counts;
    let Some(Ring { current: old, .. }) = vault.ring else {
        // Not reached: what is open for writing is wrapped.
        return Err(KekError::NoPlace.into());
    };
    let keys = dir.join(KEYS);
    let new = match to {
        Some(to) => to.read_or_make(dir)?,
        None => Kek::draw().map_err(at(&dir.join(kek::OWN)))?,
    };
    if new.id() == old.id() {
        return Err(KekError::Unchanged { id: new.id() }.into());
    }
    let path = keys.join(PREVIOUS);
    let previous = Sealed {
        kek: new.id(),
        wrapped: new.wrap_kek(&old).map_err(at(&path))?,
    };
    let text = previous.text(Title::Previous);
    disk::replace(&keys, PREVIOUS, text.as_bytes()).map_err(at(&path))?;
    if to.is_none() {
        kek::write_own(dir, &new).map_err(at(&dir.join(kek::OWN)))?;
    }
    let ring = Ring {
        current: Arc::new(new),
        previous: Some(Arc::clone(&old)),
    };
    let ring = settle(dir, to.unwrap_or(from), Some(ring), progress)?;
    Ok(Rotated {
        before: old.id(),
        after: ring.current.id(),
        counts,
    })
}

/// Finishes what was begun: afterwards every key is under the current
/// key-encryption key, and nothing else is left. Without a ring nothing is
/// wrapped yet.
pub(super) fn settle(
    dir: &Path,
    source: &KekSource,
    ring: Option<Ring>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Ring, VaultError> {
    let keys = dir.join(KEYS);
    for name in [SUBJECTS, IDENTITY, PREVIOUS] {
        disk::tidy(&keys, name).map_err(at(&keys.join(name)))?;
    }
    let own = dir.join(kek::OWN);
    disk::tidy(dir, kek::OWN).map_err(at(&own))?;
    let ring = match ring {
        Some(ring) => ring,
        None => Ring {
            current: Arc::new(source.read_or_make(dir)?),
            previous: None,
        },
    };
    // In this order: an identity key that is wrapped says that all keys are.
    wrap_subjects(&keys, &ring, progress)?;
    wrap_identity(&keys, &ring)?;
    if let Some(previous) = &ring.previous
        && let Ok(held) = KekSource::Own.read(dir)
        && held.id() == previous.id()
    {
        disk::remove(dir, kek::OWN).map_err(at(&own))?;
    }
    disk::remove(&keys, PREVIOUS).map_err(at(&keys.join(PREVIOUS)))?;
    Ok(Ring {
        previous: None,
        ..ring
    })
}

fn wrap_subjects(
    keys: &Path,
    ring: &Ring,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), VaultError> {
    let path = keys.join(SUBJECTS);
    let kek = &ring.current;
    let layout = match subjects::kind(&path)? {
        Kind::Wrapped(id) if id == kek.id() => return Ok(()),
        Kind::Wrapped(id) => Layout::Wrapped(ring.find(id)?),
        Kind::Raw => Layout::Raw,
    };
    let mut old = Subjects::open(path.clone(), layout)?;
    let fresh = disk::Fresh::begin(keys, SUBJECTS).map_err(at(&path))?;
    let mut output = BufWriter::with_capacity(1 << 20, &fresh.file);
    output
        .write_all(&file::header(kek.id()))
        .map_err(at(&path))?;
    old.newest(progress, |subject, key| {
        let mut nonce = [0; kek::NONCE];
        random(&mut nonce).map_err(at(&path))?;
        let record = file::record(kek, subject, nonce, key);
        output.write_all(&record).map_err(at(&path))
    })?;
    output.flush().map_err(at(&path))?;
    drop(output);
    fresh.take_place().map_err(at(&path))
}

fn wrap_identity(keys: &Path, ring: &Ring) -> Result<(), VaultError> {
    let path = keys.join(IDENTITY);
    let kek = &ring.current;
    let secret = match Identity::read(&path)? {
        Identity::Raw(secret) => secret,
        Identity::Sealed(sealed) if sealed.kek == kek.id() => return Ok(()),
        Identity::Sealed(sealed) => {
            let secret = ring
                .find(sealed.kek)?
                .open(Purpose::Identity, &sealed.wrapped);
            secret.ok_or_else(|| VaultError::Damaged {
                path: path.clone(),
                detail: "the key in it was altered",
            })?
        }
    };
    let text = sealed_identity(kek, &secret).map_err(at(&path))?;
    disk::replace(keys, IDENTITY, text.as_bytes()).map_err(at(&path))
}
