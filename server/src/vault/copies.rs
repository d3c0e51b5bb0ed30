//! Copies of the subjects' keys for other servers of the same ledger: the records of
//! `keys/subjects` as they are, wrapped under the key-encryption key, which is not
//! where they are.

use std::{collections::BTreeSet, fmt::Debug};

use luzhang_ledger::SubjectId;

use super::{
    KekId, VaultError,
    file::{self, RECORD, Record},
    subjects::{Layout, Subjects},
};

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

/// Where copies are kept.
pub(crate) trait Copies: Debug + Send {
    /// Keeps more: before an event that needs them is durable, they are.
    fn put(&mut self, kek: KekId, keys: &[WrappedKey]) -> Result<(), String>;

    /// Removes those of subjects that are erased.
    fn remove(&mut self, subjects: &BTreeSet<SubjectId>) -> Result<(), String>;
}

impl Subjects {
    pub(super) fn share(&mut self, copies: Box<dyn Copies>) {
        self.copies = Some(copies);
    }

    /// Takes keys that another server has made, durably. Those that are here are passed
    /// over.
    pub(super) fn take_in(&mut self, keys: &[WrappedKey]) -> Result<(), VaultError> {
        let Layout::Wrapped(kek) = self.layout.clone() else {
            return Err(self.damaged("it is of version 1, and open for reading only"));
        };
        for key in keys {
            if self.newest_record(key.subject)? == Some(key.record) {
                continue;
            }
            if file::key_of(&kek, &key.record).is_err() {
                return Err(VaultError::Foreign { kek: kek.id() });
            }
            self.erased.remove(&key.subject);
            self.pending.push((key.subject, key.record));
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
