//! Copies of the subjects' keys for other servers of the same ledger: the records of
//! `keys/subjects` as they are, wrapped under the key-encryption key, which is not
//! where they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::Arc,
};

use luzhang_ledger::SubjectId;

use super::{
    Kek, KekId, Ring, Vault, VaultError, at,
    file::{self, RECORD, Record},
    kek::NONCE,
    random,
    subjects::{Layout, Subjects},
};

/// Copies are replaced so many at a time.
const TOGETHER: usize = if cfg!(test) { 3 } else { 10_000 };

/// A record for a subject's key, wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrappedKey {
    pub(crate) subject: SubjectId,
    record: Record,
}

impl WrappedKey {
    pub(super) fn of(record: Record) -> Self {
        Self {
            subject: SubjectId::from_bytes(file::subject_of(&record)),
            record,
        }
    }

    /// From its bytes, if they can be one.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let record: [u8; RECORD] = bytes.try_into().ok()?;
        Some(Self::of(record))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.record
    }
}

/// A copy, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    /// What it is wrapped under.
    pub(crate) kek: KekId,
    pub(crate) key: WrappedKey,
}

/// Where copies are kept.
pub(crate) trait Copies: Debug + Send {
    /// Keeps more: before an event that needs them is durable, they are.
    fn put(&mut self, kek: KekId, keys: &[WrappedKey]) -> Result<(), String>;

    /// Removes those of subjects that are erased.
    fn remove(&mut self, subjects: &BTreeSet<SubjectId>) -> Result<(), String>;
}

/// The copies of one ledger while they are wrapped anew, and what its servers have
/// agreed on. Nobody else changes them meanwhile.
pub(crate) trait Shared {
    /// The key-encryption key that all servers are to have; `None` if that was never
    /// said.
    fn agreed(&mut self) -> Result<Option<KekId>, VaultError>;

    /// From now on it is this one: whoever has another stores nothing. Durable when it
    /// returns, as all that was replaced before is.
    fn agree(&mut self, kek: KekId) -> Result<(), VaultError>;

    /// Some more of what is stored, from the first on; nothing if there is no more.
    fn next(&mut self) -> Result<Vec<Copied>, VaultError>;

    /// Puts these in the place of those of the same subjects under another
    /// key-encryption key.
    fn replace(&mut self, kek: KekId, keys: &[WrappedKey]) -> Result<(), VaultError>;

    /// How many there are under another one.
    fn others(&mut self, kek: KekId) -> Result<u64, VaultError>;
}

impl Vault {
    /// Whether this server's keys are as the ledger's servers have agreed.
    ///
    /// # Errors
    /// [`VaultError::Foreign`] if another server has changed the key-encryption key,
    /// [`VaultError::Rotating`] if this one was about to and did not come to the point
    /// where the others have to follow.
    pub(crate) fn require(&self, agreed: Option<KekId>) -> Result<(), VaultError> {
        let Some(Ring { current, previous }) = &self.ring else {
            // In clear they are nobody else's yet.
            return Ok(());
        };
        let kek = current.id();
        if previous.is_some() && agreed != Some(kek) {
            return Err(VaultError::Rotating { kek });
        }
        match agreed {
            Some(agreed) if agreed != kek => Err(VaultError::Foreign { kek }),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes copies of keys that another server has made, durably. Says of which
    /// subjects there are some under an earlier key-encryption key.
    ///
    /// # Errors
    /// [`VaultError::Foreign`] if they are under one that is not at hand.
    pub(crate) fn take_in(
        &self,
        copies: &[Copied],
        agreed: Option<KekId>,
    ) -> Result<BTreeSet<SubjectId>, VaultError> {
        let Some(ring) = &self.ring else {
            return Ok(BTreeSet::new());
        };
        take_in(&mut self.subjects.lock(), copies, agreed, &ring.all())
    }

    /// Has the copies of these subjects replaced by what is here.
    pub(crate) fn replace(
        &self,
        stale: &BTreeSet<SubjectId>,
        copies: &mut dyn Shared,
    ) -> Result<(), VaultError> {
        let Some(kek) = self.kek().filter(|_| !stale.is_empty()) else {
            return Ok(());
        };
        replace(&mut self.subjects.lock(), kek, copies, |subject| {
            stale.contains(&subject)
        })
    }
}

/// As [`Vault::take_in`], with these key-encryption keys at hand.
///
/// A copy under an earlier one than what was agreed on is of a key that every server
/// has which agreed: it took all in that there was before it did.
pub(super) fn take_in(
    subjects: &mut Subjects,
    copies: &[Copied],
    agreed: Option<KekId>,
    keks: &[Arc<Kek>],
) -> Result<BTreeSet<SubjectId>, VaultError> {
    let mut stale = BTreeSet::new();
    let mut keys = Vec::with_capacity(copies.len());
    for Copied { kek, key } in copies {
        if keks.iter().any(|at_hand| at_hand.id() == *kek) {
            keys.push(*key);
            continue;
        }
        let ours = keks.first().map(|kek| kek.id());
        if agreed != ours || subjects.newest_record(key.subject)?.is_none() {
            return Err(subjects.foreign());
        }
        stale.insert(key.subject);
    }
    subjects.take_in(&keys, keks)?;
    Ok(stale)
}

/// Has copies replaced by what is in the file, which is under this key-encryption key.
pub(super) fn replace(
    subjects: &mut Subjects,
    kek: KekId,
    copies: &mut dyn Shared,
    which: impl Fn(SubjectId) -> bool,
) -> Result<(), VaultError> {
    let mut some = Vec::with_capacity(TOGETHER);
    subjects.each_newest(|key| {
        if which(key.subject) {
            some.push(key);
        }
        if some.len() < TOGETHER {
            return Ok(());
        }
        let replaced = copies.replace(kek, &some);
        some.clear();
        replaced
    })?;
    if some.is_empty() {
        return Ok(());
    }
    copies.replace(kek, &some)
}

impl Subjects {
    pub(super) fn share(&mut self, copies: Box<dyn Copies>) {
        self.copies = Some(copies);
    }

    fn foreign(&self) -> VaultError {
        match &self.layout {
            Layout::Wrapped(kek) => VaultError::Foreign { kek: kek.id() },
            Layout::Raw => self.damaged("it is of version 1, and open for reading only"),
        }
    }

    /// Takes keys that another server has made, durably, whichever of these
    /// key-encryption keys they are under. Those that are here are passed over; of two
    /// for one subject the later counts.
    pub(super) fn take_in(
        &mut self,
        keys: &[WrappedKey],
        keks: &[Arc<Kek>],
    ) -> Result<(), VaultError> {
        let Layout::Wrapped(kek) = self.layout.clone() else {
            return Err(self.foreign());
        };
        let last: BTreeMap<SubjectId, usize> = (0..)
            .zip(keys)
            .map(|(place, key)| (key.subject, place))
            .collect();
        for (place, key) in keys.iter().enumerate() {
            if last.get(&key.subject) != Some(&place) {
                continue;
            }
            let here = self.newest_record(key.subject)?;
            if here == Some(key.record) {
                continue;
            }
            let mut opened = [&kek].into_iter().chain(keks).filter_map(|kek| {
                let key = file::key_of(kek, &key.record).ok()?;
                Some((kek.id(), key))
            });
            let (under, secret) = opened.next().ok_or_else(|| self.foreign())?;
            let same = here
                .is_some_and(|here| file::key_of(&kek, &here).is_ok_and(|here| *here == *secret));
            if same {
                continue;
            }
            let record = if under == kek.id() {
                key.record
            } else {
                let mut nonce = [0; NONCE];
                random(&mut nonce).map_err(at(self.path()))?;
                file::record(&kek, *key.subject.as_bytes(), nonce, &secret)
            };
            self.erased.remove(&key.subject);
            self.pending.push((key.subject, record));
        }
        self.write_pending()
    }

    /// Every subject's newest record, in the order of the file.
    pub(super) fn each_newest(
        &mut self,
        mut take: impl FnMut(WrappedKey) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let places = self.take_places()?;
        self.each(|place, record| {
            let key = WrappedKey::of(*record);
            if places.is_newest(key.subject, place) {
                take(key)?;
            }
            Ok(())
        })?;
        self.give_places_back(places);
        Ok(())
    }
}
