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
    IDENTITY, Identity, KEYS, Kek, KekError, KekId, KekSource, PREVIOUS, Ring, SUBJECTS, Shared,
    Vault, VaultError, at, copies, disk,
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
    let old = current(&vault)?;
    let new = other(dir, to, &old)?;
    let ring = begin(dir, &old, &new, to.is_none())?;
    let ring = settle(dir, to.unwrap_or(from), Some(ring), progress)?;
    Ok(Rotated {
        before: old.id(),
        after: ring.current.id(),
        counts,
    })
}

fn current(vault: &Vault) -> Result<Arc<Kek>, VaultError> {
    let ring = vault.ring.as_ref();
    // What is open for writing is wrapped.
    let kek = ring.map(|ring| Arc::clone(&ring.current));
    kek.ok_or_else(|| KekError::NoPlace.into())
}

/// The key-encryption key that is changed to.
fn other(dir: &Path, to: Option<&KekSource>, old: &Kek) -> Result<Arc<Kek>, VaultError> {
    let new = match to {
        Some(to) => to.read_or_make(dir)?,
        None => Kek::draw().map_err(at(&dir.join(kek::OWN)))?,
    };
    if new.id() == old.id() {
        return Err(KekError::Unchanged { id: new.id() }.into());
    }
    Ok(Arc::new(new))
}

/// Notes the old key-encryption key under the new one, and has the new one in the data
/// directory's own file if it is to be there. From now on whoever has the new one can go
/// on.
fn begin(dir: &Path, old: &Arc<Kek>, new: &Arc<Kek>, own: bool) -> Result<Ring, VaultError> {
    let keys = dir.join(KEYS);
    let path = keys.join(PREVIOUS);
    let previous = Sealed {
        kek: new.id(),
        wrapped: new.wrap_kek(old).map_err(at(&path))?,
    };
    let text = previous.text(Title::Previous);
    disk::replace(&keys, PREVIOUS, text.as_bytes()).map_err(at(&path))?;
    if own {
        kek::write_own(dir, new).map_err(at(&dir.join(kek::OWN)))?;
    }
    Ok(Ring {
        current: Arc::clone(new),
        previous: Some(Arc::clone(old)),
    })
}

/// As [`rotate`], of a ledger whose log and copies of keys are in a database, which only
/// the caller writes. What an earlier run has begun is finished, and is all that is done
/// unless `to` is yet another.
///
/// The order is: everything that is there is here too; the new key-encryption key is
/// durable; the servers agree on it; what is here is wrapped under it; then the copies.
/// The old one is given up last.
pub(crate) fn rotate_shared(
    dir: &Path,
    from: &KekSource,
    to: Option<&KekSource>,
    copies: &mut dyn Shared,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rotated, VaultError> {
    // An earlier run may have come so far that only the new one opens what is here.
    let (opened, from) = match (Vault::for_reading(dir, from), to) {
        (Err(VaultError::Kek(KekError::Mismatch { .. } | KekError::Missing { .. })), Some(to)) => {
            (Vault::for_reading(dir, to), to)
        }
        (opened, _) => (opened, from),
    };
    let vault = wrapped(opened?)?;
    let agreed = copies.agreed()?;
    if let Some(ring) = vault.ring.clone()
        && let Some(old) = ring.previous.clone()
    {
        let new = Arc::clone(&ring.current);
        drop(vault);
        if agreed != Some(new.id()) {
            if agreed.is_some_and(|agreed| agreed != old.id()) {
                return Err(VaultError::Foreign { kek: new.id() });
            }
            take_all(dir, &ring, agreed, copies)?;
        }
        let counts = go_on(dir, &ring, copies, progress)?;
        let other = to.map(|to| to.read_or_make(dir)).transpose()?;
        if other.is_none_or(|other| other.id() == new.id()) {
            let (before, after) = (old.id(), new.id());
            return Ok(Rotated {
                before,
                after,
                counts,
            });
        }
        return rotate_shared(dir, from, to, copies, progress);
    }
    if to.is_none() && *from != KekSource::Own {
        return Err(KekError::NoPlace.into());
    }
    let old = current(&vault)?;
    let begun = to.and_then(|to| to.read(dir).ok());
    let begun = begun.filter(|kek| agreed == Some(kek.id()) && kek.id() != old.id());
    if begun.is_none() {
        vault.require(agreed)?;
    }
    drop(vault);
    tidy(dir)?;
    let ring = match begun {
        // Agreed on, and given up here before anything was wrapped.
        Some(new) => Ring {
            current: Arc::new(new),
            previous: Some(Arc::clone(&old)),
        },
        None => Ring {
            current: Arc::clone(&old),
            previous: None,
        },
    };
    take_all(dir, &ring, agreed, copies)?;
    let new = other(dir, to, &old)?;
    let ring = begin(dir, &old, &new, to.is_none())?;
    let counts = go_on(dir, &ring, copies, progress)?;
    Ok(Rotated {
        before: old.id(),
        after: ring.current.id(),
        counts,
    })
}

/// Keys in clear become wrapped ones first.
fn wrapped(vault: Vault) -> Result<Vault, VaultError> {
    if vault.ring.is_some() {
        return Ok(vault);
    }
    vault.for_writing()
}

/// Takes every copy in that is not here yet, under whichever of the key-encryption keys
/// at hand it is.
fn take_all(
    dir: &Path,
    ring: &Ring,
    agreed: Option<KekId>,
    copies: &mut dyn Shared,
) -> Result<(), VaultError> {
    let mut subjects = writable(dir, ring)?;
    loop {
        let some = copies.next()?;
        if some.is_empty() {
            return Ok(());
        }
        copies::take_in(&mut subjects, &some, agreed, &ring.all())?;
    }
}

/// The subjects' keys, under whichever key-encryption key they are.
fn writable(dir: &Path, ring: &Ring) -> Result<Subjects, VaultError> {
    let path = dir.join(KEYS).join(SUBJECTS);
    let kek = match subjects::kind(&path)? {
        Kind::Wrapped(id) => ring.find(id)?,
        Kind::Raw => {
            return Err(VaultError::Damaged {
                path,
                detail: "its first record does not say how it was written",
            });
        }
    };
    Subjects::open_to_write(path, kek)
}

/// What comes after the servers can agree on the new one.
fn go_on(
    dir: &Path,
    ring: &Ring,
    copies: &mut dyn Shared,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Counts, VaultError> {
    let kek = ring.current.id();
    copies.agree(kek)?;
    tidy(dir)?;
    let counts = writable(dir, ring)?.counts()?;
    wrap(dir, ring, progress)?;
    let mut subjects = writable(dir, ring)?;
    copies::replace(&mut subjects, kek, copies, |_| true)?;
    let left = copies.others(kek)?;
    if left > 0 {
        return Err(VaultError::Copies {
            detail: format!("{left} of them are under another key-encryption key still"),
        });
    }
    // Once more: when this is durable, what was replaced is.
    copies.agree(kek)?;
    forget(dir, ring)?;
    Ok(counts)
}

/// Wraps all keys of this server, which nobody uses, under the key-encryption key that
/// another server of the ledger has changed to. It takes the place of the old one in the
/// data directory's own file, if that is where the old one is.
///
/// # Errors
/// [`VaultError::NotAgreed`] if it is not that one; [`VaultError::Foreign`] if it does not
/// open what is said to be under it. After any other the same may be done again.
pub(crate) fn take_shared(
    dir: &Path,
    from: &KekSource,
    new: &KekSource,
    copies: &mut dyn Shared,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rotated, VaultError> {
    let new = new.read(dir)?;
    let agreed = copies.agreed()?;
    if agreed != Some(new.id()) {
        let given = new.id();
        return Err(VaultError::NotAgreed { given, agreed });
    }
    let vault = wrapped(Vault::for_reading(dir, from)?)?;
    let counts = vault.survey()?.counts;
    let Some(ring) = vault.ring.clone() else {
        return Err(KekError::NoPlace.into());
    };
    drop(vault);
    let after = new.id();
    if ring.current.id() == after {
        // All was taken in before this was begun.
        let before = ring.previous.as_ref().map(|kek| kek.id());
        let before = before.ok_or(KekError::Unchanged { id: after })?;
        settle(dir, from, Some(ring), progress)?;
        return Ok(Rotated {
            before,
            after,
            counts,
        });
    }
    tidy(dir)?;
    let new = Arc::new(new);
    let mut subjects = writable(dir, &ring)?;
    let keks = [vec![Arc::clone(&new)], ring.all()].concat();
    loop {
        let some = copies.next()?;
        if some.is_empty() {
            break;
        }
        copies::take_in(&mut subjects, &some, agreed, &keks)?;
    }
    drop(subjects);
    // A change of its own that it had begun is of no use to anybody.
    let old = settle(dir, from, Some(ring), progress)?.current;
    let ring = begin(dir, &old, &new, *from == KekSource::Own)?;
    settle(dir, from, Some(ring), progress)?;
    Ok(Rotated {
        before: old.id(),
        after,
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
    tidy(dir)?;
    let ring = match ring {
        Some(ring) => ring,
        None => Ring {
            current: Arc::new(source.read_or_make(dir)?),
            previous: None,
        },
    };
    wrap(dir, &ring, progress)?;
    forget(dir, &ring)?;
    Ok(Ring {
        previous: None,
        ..ring
    })
}

/// Nothing stays of files that were being replaced.
fn tidy(dir: &Path) -> Result<(), VaultError> {
    let keys = dir.join(KEYS);
    for name in [SUBJECTS, IDENTITY, PREVIOUS] {
        disk::tidy(&keys, name).map_err(at(&keys.join(name)))?;
    }
    disk::tidy(dir, kek::OWN).map_err(at(&dir.join(kek::OWN)))
}

fn wrap(dir: &Path, ring: &Ring, progress: &mut dyn FnMut(u64, u64)) -> Result<(), VaultError> {
    let keys = dir.join(KEYS);
    // In this order: an identity key that is wrapped says that all keys are.
    wrap_subjects(&keys, ring, progress)?;
    wrap_identity(&keys, ring)
}

/// Gives the key-encryption key before this one up.
fn forget(dir: &Path, ring: &Ring) -> Result<(), VaultError> {
    let (keys, own) = (dir.join(KEYS), dir.join(kek::OWN));
    if let Some(previous) = &ring.previous
        && let Ok(held) = KekSource::Own.read(dir)
        && held.id() == previous.id()
    {
        disk::remove(dir, kek::OWN).map_err(at(&own))?;
    }
    disk::remove(&keys, PREVIOUS).map_err(at(&keys.join(PREVIOUS)))
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
