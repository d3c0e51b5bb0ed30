//! The file `keys/subjects`: a record for each subject's key, found by place.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::Read as _,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use hashbrown::HashMap;
use luzhang_ledger::{SubjectId, identity::SubjectKey};
use zeroize::Zeroizing;

use super::{
    VaultError, at,
    copies::{Copies, WrappedKey},
    disk,
    file::{self, RAW, RECORD, Record},
    kek::{Kek, KekId, NONCE},
};

/// Records are read so many at a time.
const BATCH: usize = if cfg!(test) { 3 } else { 8_192 };

/// How the records are laid out.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    /// Version 1: the keys in clear. It is only read.
    Raw,
    /// Version 2: under this key-encryption key.
    Wrapped(Arc<Kek>),
}

impl Layout {
    fn record(&self) -> usize {
        match self {
            Self::Raw => RAW,
            Self::Wrapped(_) => RECORD,
        }
    }

    /// Where a record begins.
    fn offset(&self, place: u64) -> u64 {
        match self {
            Self::Raw => place * RAW as u64,
            // What stands before the records is as long as one.
            Self::Wrapped(_) => (place + 1) * RECORD as u64,
        }
    }

    fn places(&self, length: u64) -> u64 {
        match self {
            Self::Raw => length / RAW as u64,
            Self::Wrapped(_) => (length / RECORD as u64).saturating_sub(1),
        }
    }
}

/// What `keys/subjects` is before it is known how to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Raw,
    Wrapped(KekId),
}

/// Recognises `keys/subjects`. A file of version 1 has nothing that says so.
pub(super) fn kind(path: &Path) -> Result<Kind, VaultError> {
    let mut file = File::open(path).map_err(at(path))?;
    let mut start = [0; RECORD];
    let mut length = 0;
    while length < RECORD {
        match file.read(&mut start[length..]).map_err(at(path))? {
            0 => break,
            read => length += read,
        }
    }
    if !file::has_header(&start[..length]) {
        return Ok(Kind::Raw);
    }
    let damaged = VaultError::Damaged {
        path: path.to_owned(),
        detail: "its first record does not say how it was written",
    };
    file::parse_header(&start).map(Kind::Wrapped).ok_or(damaged)
}

/// The open file.
#[derive(Debug)]
pub(super) struct Subjects {
    path: PathBuf,
    file: File,
    pub(super) layout: Layout,
    records: u64,
    /// Records that are not durable yet.
    pub(super) pending: Vec<(SubjectId, Record)>,
    /// Where each subject's record is; built when a key is first looked up,
    /// which happens only when a name changes, is revealed or is erased.
    places: Option<Places>,
    /// Subjects whose erasure is decided, and whose keys are not destroyed yet.
    retiring: BTreeSet<SubjectId>,
    /// Subjects whose keys are destroyed.
    pub(super) erased: BTreeSet<SubjectId>,
    /// Where copies are kept for other servers.
    pub(super) copies: Option<Box<dyn Copies>>,
}

/// Where records are.
#[derive(Debug, Default)]
pub(super) struct Places {
    newest: HashMap<SubjectId, u64>,
    /// Records that a later one of the same subject has taken the place of. A
    /// crash leaves one when the key was durable and the event that needs it was
    /// not.
    superseded: Vec<(SubjectId, u64)>,
    /// Records that are zeros.
    destroyed: u64,
    /// Records of which a crash left a part when they were being destroyed.
    remains: Vec<u64>,
}

/// How many records there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Subjects that have a key.
    pub subjects: u64,
    /// Records that a later one took the place of.
    pub superseded: u64,
    /// Records that were overwritten with zeros.
    pub destroyed: u64,
}

/// What becomes of records that are of no use to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leftovers {
    Stay,
    Go,
}

impl Places {
    /// The records of these subjects, which are not places of anybody any more.
    fn take(&mut self, subjects: &BTreeSet<SubjectId>, leftovers: Leftovers) -> Vec<u64> {
        let of_subjects = subjects.iter().filter_map(|id| self.newest.remove(id));
        let mut taken: Vec<u64> = of_subjects.collect();
        let goes = |(subject, _): &mut (SubjectId, u64)| {
            leftovers == Leftovers::Go || subjects.contains(subject)
        };
        taken.extend(self.superseded.extract_if(.., goes).map(|(_, place)| place));
        if leftovers == Leftovers::Go {
            taken.append(&mut self.remains);
        }
        self.destroyed += taken.len() as u64;
        taken
    }

    pub(super) fn is_newest(&self, subject: SubjectId, place: u64) -> bool {
        self.newest.get(&subject) == Some(&place)
    }

    fn insert(&mut self, subject: SubjectId, place: u64) {
        if let Some(before) = self.newest.insert(subject, place) {
            self.superseded.push((subject, before));
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            subjects: self.newest.len() as u64,
            superseded: self.superseded.len() as u64,
            destroyed: self.destroyed + self.remains.len() as u64,
        }
    }
}

impl Subjects {
    /// Opens the file to look keys up.
    pub(super) fn open(path: PathBuf, layout: Layout) -> Result<Self, VaultError> {
        let file = File::open(&path).map_err(at(&path))?;
        Self::of(path, file, layout)
    }

    /// Opens a file of version 2 to write to it as well.
    pub(super) fn open_to_write(path: PathBuf, kek: Arc<Kek>) -> Result<Self, VaultError> {
        // Not to append: Linux would ignore the place that a record is written at.
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let file = opened.map_err(at(&path))?;
        let subjects = Self::of(path, file, Layout::Wrapped(kek))?;
        // A crash may cut the last record short; no event needs it yet, since
        // records are durable before events are.
        let whole = subjects.layout.offset(subjects.records);
        subjects.file.set_len(whole).map_err(at(&subjects.path))?;
        Ok(subjects)
    }

    fn of(path: PathBuf, file: File, layout: Layout) -> Result<Self, VaultError> {
        let length = file.metadata().map_err(at(&path))?.len();
        Ok(Self {
            records: layout.places(length),
            path,
            file,
            layout,
            pending: Vec::new(),
            places: None,
            retiring: BTreeSet::new(),
            erased: BTreeSet::new(),
            copies: None,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a new key; it becomes durable with the next [`Subjects::sync`].
    pub(super) fn add(
        &mut self,
        subject: SubjectId,
        nonce: [u8; NONCE],
        key: &[u8; 32],
    ) -> Result<(), VaultError> {
        if self.retiring.contains(&subject) {
            return Err(VaultError::BeingErased);
        }
        let Layout::Wrapped(kek) = &self.layout else {
            return Err(self.damaged("it is of version 1, and open for reading only"));
        };
        let record = file::record(kek, *subject.as_bytes(), nonce, key);
        self.pending.push((subject, record));
        self.erased.remove(&subject);
        Ok(())
    }

    /// Makes what is new durable, here and in the copies.
    pub(super) fn sync(&mut self) -> Result<(), VaultError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if let (Some(copies), Layout::Wrapped(kek)) = (&mut self.copies, &self.layout) {
            let keys: Vec<WrappedKey> = self
                .pending
                .iter()
                .map(|(_, record)| WrappedKey::of(*record))
                .collect();
            let put = copies.put(kek.id(), &keys);
            put.map_err(|detail| VaultError::Copies { detail })?;
        }
        self.write_pending()
    }

    pub(super) fn write_pending(&mut self) -> Result<(), VaultError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(self.pending.len() * RECORD);
        for (_, record) in &self.pending {
            bytes.extend_from_slice(record);
        }
        let first = self.records;
        self.file
            .write_all_at(&bytes, self.layout.offset(first))
            .and_then(|()| self.file.sync_data())
            .map_err(at(&self.path))?;
        self.records += self.pending.len() as u64;
        for ((subject, _), place) in self.pending.drain(..).zip(first..) {
            if let Some(places) = &mut self.places {
                places.insert(subject, place);
            }
        }
        Ok(())
    }

    pub(super) fn key(&mut self, subject: SubjectId) -> Result<SubjectKey, VaultError> {
        if self.erased.contains(&subject) || self.retiring.contains(&subject) {
            return Err(VaultError::Erased);
        }
        let pending = self.pending.iter().rev().find(|(id, _)| *id == subject);
        if let Some((_, record)) = pending {
            return self.key_in(record);
        }
        let Some(record) = self.newest_record(subject)? else {
            return Err(self.damaged("a subject of the ledger has no key in it"));
        };
        self.key_in(&record)
    }

    /// A subject's newest record that is durable.
    pub(super) fn newest_record(
        &mut self,
        subject: SubjectId,
    ) -> Result<Option<Record>, VaultError> {
        let Some(place) = self.places()?.newest.get(&subject).copied() else {
            return Ok(None);
        };
        let mut record = [0; RECORD];
        self.file
            .read_exact_at(
                &mut record[..self.layout.record()],
                self.layout.offset(place),
            )
            .map_err(at(&self.path))?;
        Ok(Some(record))
    }

    fn key_in(&self, record: &Record) -> Result<SubjectKey, VaultError> {
        let key = match &self.layout {
            Layout::Raw => raw_key(record),
            Layout::Wrapped(kek) => file::key_of(kek, record),
        };
        key.map(|key| SubjectKey::new(*key))
            .map_err(|detail| self.damaged(detail))
    }

    /// From now on the subject's keys are not used any more, and no new one is
    /// made until they are destroyed.
    pub(super) fn retire(&mut self, subject: SubjectId) {
        self.retiring.insert(subject);
    }

    /// Overwrites all records of retired subjects with zeros.
    pub(super) fn destroy(&mut self, subjects: &BTreeSet<SubjectId>) -> Result<(), VaultError> {
        // Whatever was pending when the erasure was decided is durable by now,
        // unless the writer failed, and then nobody needs it.
        self.pending
            .retain(|(subject, _)| !subjects.contains(subject));
        if let Some(copies) = &mut self.copies {
            let removed = copies.remove(subjects);
            removed.map_err(|detail| VaultError::Copies { detail })?;
        }
        self.zero(subjects, Leftovers::Stay)?;
        self.retiring.retain(|subject| !subjects.contains(subject));
        self.erased.extend(subjects);
        Ok(())
    }

    /// Destroys what a crash has kept from being destroyed.
    pub(super) fn sweep(&mut self, erased: BTreeSet<SubjectId>) -> Result<(), VaultError> {
        if erased.is_empty() {
            return Ok(());
        }
        self.sweep_whole(erased)
    }

    /// The same if nobody is erased any more: whoever came back since has an old key
    /// that was to be destroyed.
    pub(super) fn sweep_whole(&mut self, erased: BTreeSet<SubjectId>) -> Result<(), VaultError> {
        self.zero(&erased, Leftovers::Go)?;
        self.erased = erased;
        Ok(())
    }

    fn zero(
        &mut self,
        subjects: &BTreeSet<SubjectId>,
        leftovers: Leftovers,
    ) -> Result<(), VaultError> {
        if subjects.is_empty() && leftovers == Leftovers::Stay {
            return Ok(());
        }
        let mut places = self.places.take().map_or_else(|| self.find(), Ok)?;
        let mut doomed = places.take(subjects, leftovers);
        doomed.sort_unstable();
        for place in &doomed {
            disk::zero(&self.file, self.layout.offset(*place), RECORD as u64)
                .map_err(at(&self.path))?;
        }
        if !doomed.is_empty() {
            self.file.sync_data().map_err(at(&self.path))?;
        }
        // After an error they are looked for again: nothing counts as destroyed
        // that may still be there.
        self.places = Some(places);
        Ok(())
    }

    pub(super) fn counts(&mut self) -> Result<Counts, VaultError> {
        Ok(self.places()?.counts())
    }

    pub(super) fn take_places(&mut self) -> Result<Places, VaultError> {
        self.places.take().map_or_else(|| self.find(), Ok)
    }

    pub(super) fn give_places_back(&mut self, places: Places) {
        self.places = Some(places);
    }

    fn places(&mut self) -> Result<&Places, VaultError> {
        let places = self.places.take().map_or_else(|| self.find(), Ok)?;
        Ok(self.places.insert(places))
    }

    fn find(&self) -> Result<Places, VaultError> {
        let mut places = Places::default();
        self.each(|place, record| {
            let id = file::subject_of(record);
            if record.iter().all(|byte| *byte == 0) {
                places.destroyed += 1;
            } else if id == [0; 16] {
                places.remains.push(place);
            } else {
                places.insert(SubjectId::from_bytes(id), place);
            }
            Ok(())
        })?;
        Ok(places)
    }

    /// Hands every subject's newest key to `take`, in the order of the file, and
    /// says how many there were. `progress` is told of records, and of how many.
    pub(super) fn newest(
        &mut self,
        progress: &mut dyn FnMut(u64, u64),
        mut take: impl FnMut([u8; 16], &[u8; 32]) -> Result<(), VaultError>,
    ) -> Result<u64, VaultError> {
        let places = self.places.take().map_or_else(|| self.find(), Ok)?;
        let mut taken = 0;
        self.each(|place, record| {
            let id = file::subject_of(record);
            if places.newest.get(&SubjectId::from_bytes(id)) == Some(&place) {
                take(id, self.key_in(record)?.as_bytes())?;
                taken += 1;
            }
            progress(place + 1, self.records);
            Ok(())
        })?;
        self.places = Some(places);
        Ok(taken)
    }

    /// Every record, one of version 1 with zeros behind it.
    pub(super) fn each(
        &self,
        mut see: impl FnMut(u64, &Record) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let length = self.layout.record();
        let mut bytes = Zeroizing::new(vec![0; BATCH * length]);
        let mut record = Zeroizing::new([0; RECORD]);
        let mut place = 0;
        while place < self.records {
            let count = usize::try_from(self.records - place).map_or(BATCH, |left| left.min(BATCH));
            let bytes = &mut bytes[..count * length];
            self.file
                .read_exact_at(bytes, self.layout.offset(place))
                .map_err(at(&self.path))?;
            for bytes in bytes.chunks_exact(length) {
                record[..length].copy_from_slice(bytes);
                see(place, &record)?;
                place += 1;
            }
        }
        Ok(())
    }

    pub(super) fn damaged(&self, detail: &'static str) -> VaultError {
        VaultError::Damaged {
            path: self.path.clone(),
            detail,
        }
    }
}

fn raw_key(record: &Record) -> Result<Zeroizing<[u8; 32]>, &'static str> {
    if file::checksum(&record[..48]) != record[48..RAW] {
        return Err("a record's checksum is wrong");
    }
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(&record[16..48]);
    Ok(key)
}
