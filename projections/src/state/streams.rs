//! Streams by small numbers: everything else in the state refers to a subject,
//! course, brand or loan by the number that its stream was given when it first
//! appeared.

use std::io;

use hashbrown::{HashTable, hash_table::Entry};
use luzhang_ledger::{Position, StreamId, event::PartyKind};

use super::{digest::Digester, lists::count};
use crate::snapshot::{Reader, Writer, misread, record};

/// A stream's number; dense, in the order of first appearance.
pub(crate) type Ix = u32;

/// What the header of a stream's next event needs, and who the subject is.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    revision: u32,
    kind: u8,
    last: u64,
    details: u64,
}

record!(Stream {
    revision,
    kind,
    last,
    details
});

/// In place of the kind of a subject whose details were erased.
const ERASED: u8 = 4;

/// All streams.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams {
    /// Numbers by id; the ids themselves are in `ids`, so that they are stored
    /// once.
    numbers: HashTable<Ix>,
    ids: Vec<StreamId>,
    entries: Vec<Stream>,
}

/// The ids are hashes already; eight of their bytes spread as well as any hash.
fn spread(id: &StreamId) -> u64 {
    let first = id.as_bytes().first_chunk();
    first.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl Streams {
    /// The number of a stream that has appeared.
    pub(crate) fn find(&self, id: StreamId) -> Option<Ix> {
        self.numbers
            .find(spread(&id), |ix| self.id(*ix) == Some(id))
            .copied()
    }

    /// The number of a stream, given now if it never appeared before.
    pub(crate) fn intern(&mut self, id: StreamId) -> Ix {
        let ids = &self.ids;
        let at = |ix: &Ix| {
            usize::try_from(*ix)
                .ok()
                .and_then(|ix| ids.get(ix))
                .copied()
        };
        let entry = self.numbers.entry(
            spread(&id),
            |ix| at(ix) == Some(id),
            |ix| at(ix).as_ref().map_or(0, spread),
        );
        match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let ix = Ix::try_from(self.ids.len()).unwrap_or(Ix::MAX);
                entry.insert(ix);
                self.ids.push(id);
                self.entries.push(Stream::default());
                ix
            }
        }
    }

    /// The numbers of those that have appeared, with something of what is known of
    /// each; see [`super::State::anticipate`].
    pub(crate) fn touch(&self, ids: &[StreamId]) -> (Vec<Ix>, u64) {
        let found: Vec<Ix> = ids.iter().filter_map(|id| self.find(*id)).collect();
        let entries = found.iter().filter_map(|ix| self.stream(Some(*ix)));
        let read = entries.fold(0, |read, stream| read ^ stream.last);
        (found, read)
    }

    pub(crate) fn id(&self, ix: Ix) -> Option<StreamId> {
        self.ids.get(usize::try_from(ix).ok()?).copied()
    }

    fn stream(&self, ix: Option<Ix>) -> Option<&Stream> {
        self.entries.get(usize::try_from(ix?).ok()?)
    }

    fn stream_mut(&mut self, ix: Ix) -> Option<&mut Stream> {
        self.entries.get_mut(usize::try_from(ix).ok()?)
    }

    /// The revision and position of a stream's last event.
    pub(crate) fn last(&self, id: StreamId) -> (u64, Option<Position>) {
        self.stream(self.find(id))
            .map_or((0, None), |s| (s.revision.into(), Position::new(s.last)))
    }

    /// Notes an event of a stream.
    pub(crate) fn advance(&mut self, ix: Ix, revision: u64, position: Position) {
        if let Some(stream) = self.stream_mut(ix) {
            stream.revision = u32::try_from(revision).unwrap_or(u32::MAX);
            stream.last = position.number();
        }
    }

    /// Notes who a subject is.
    pub(crate) fn set_party(&mut self, ix: Ix, kind: PartyKind, digest: [u8; 8]) {
        if let Some(stream) = self.stream_mut(ix) {
            stream.kind = match kind {
                PartyKind::Person => 1,
                PartyKind::Organisation => 2,
                PartyKind::Brand => 3,
            };
            stream.details = u64::from_le_bytes(digest);
        }
    }

    /// Notes that nobody can say any more who a subject is.
    pub(crate) fn erase_party(&mut self, ix: Ix) {
        if let Some(stream) = self.stream_mut(ix) {
            stream.kind = ERASED;
            stream.details = 0;
        }
    }

    /// Whether that was noted, and nothing since.
    pub(crate) fn is_erased(&self, id: StreamId) -> bool {
        self.stream(self.find(id)).is_some_and(|s| s.kind == ERASED)
    }

    /// All of whom that is so, in the order of their first appearance.
    pub(crate) fn erased(&self) -> impl Iterator<Item = StreamId> {
        let all = self.ids.iter().zip(&self.entries);
        all.filter(|(_, stream)| stream.kind == ERASED)
            .map(|(id, _)| *id)
    }

    /// The kind and details digest of a registered subject.
    pub(crate) fn party(&self, id: StreamId) -> Option<(PartyKind, [u8; 8])> {
        let stream = self.stream(self.find(id))?;
        let kind = match stream.kind {
            1 => PartyKind::Person,
            2 => PartyKind::Organisation,
            3 => PartyKind::Brand,
            _ => return None,
        };
        Some((kind, stream.details.to_le_bytes()))
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        let Self {
            numbers: _,
            ids,
            entries,
        } = self;
        to.column("streams.ids", ids)?;
        to.column("streams.entries", entries)
    }

    pub(crate) fn read(from: &Reader<'_>) -> io::Result<Self> {
        let (ids, entries) = rayon::join(
            || from.column::<StreamId>("streams.ids"),
            || from.column::<Stream>("streams.entries"),
        );
        let (ids, entries) = (ids?, entries?);
        if ids.len() != entries.len() {
            return Err(misread("streams"));
        }
        let mut numbers = HashTable::with_capacity(ids.len());
        for (ix, id) in (0..).zip(&ids) {
            // There is room for all, so none is moved.
            numbers.insert_unique(spread(id), ix, |_| 0);
        }
        Ok(Self {
            numbers,
            ids,
            entries,
        })
    }

    pub(crate) fn digest(&self, hasher: &mut Digester) {
        hasher.update(&count(self.ids.len()));
        for (id, stream) in self.ids.iter().zip(&self.entries) {
            hasher.update(id.as_bytes());
            hasher.update(&stream.revision.to_le_bytes());
            hasher.update(&[stream.kind]);
            hasher.update(&stream.last.to_le_bytes());
            hasher.update(&stream.details.to_le_bytes());
        }
    }
}
