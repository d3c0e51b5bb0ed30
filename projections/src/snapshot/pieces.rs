//! A snapshot as pieces: sections one after the other, each cut into pieces of some
//! hundred KiB that are checked and read by themselves, on as many threads as there
//! are. What stands where is in the last piece.

use std::{collections::BTreeMap, io};

use rayon::prelude::*;

use super::record::{Record, record};

/// Where the pieces of a snapshot go.
pub trait Sink {
    /// The next piece.
    fn piece(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// Where they come from. Whoever gives them has checked that they are what was
/// written.
pub trait Source: Sync {
    /// How many there are.
    fn pieces(&self) -> u32;
    /// One of them.
    fn piece(&self, number: u32) -> io::Result<Vec<u8>>;
}

/// A piece is ended when it has as many bytes as this: few enough to stay in a
/// core's cache while they are hashed and read.
const PIECE: usize = 256 << 10;

/// Where a section is.
#[derive(Clone, Copy, Debug)]
struct Section {
    first: u32,
    pieces: u32,
    records: u64,
}

record!(Section {
    first,
    pieces,
    records
});

/// Writes sections.
pub struct Writer<'a> {
    sink: &'a mut dyn Sink,
    pieces: u32,
    contents: BTreeMap<String, Section>,
    shape: String,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("contents", &self.contents)
            .finish_non_exhaustive()
    }
}

impl<'a> Writer<'a> {
    /// Nothing yet.
    pub fn new(sink: &'a mut dyn Sink) -> Self {
        Self {
            sink,
            pieces: 0,
            contents: BTreeMap::new(),
            shape: String::new(),
        }
    }

    /// A section of records.
    pub fn column<'r, T: Record + 'r>(
        &mut self,
        name: &str,
        records: impl IntoIterator<Item = &'r T>,
    ) -> io::Result<()> {
        let mut records = records.into_iter();
        self.section::<T>(name, |bytes| records.next().map(|record| record.put(bytes)))
    }

    /// A section of pairs, such as those of a map.
    pub fn pairs<'r, K: Record + 'r, V: Record + 'r>(
        &mut self,
        name: &str,
        pairs: impl IntoIterator<Item = (&'r K, &'r V)>,
    ) -> io::Result<()> {
        let mut pairs = pairs.into_iter();
        self.section::<(K, V)>(name, |bytes| {
            pairs.next().map(|(key, value)| {
                key.put(bytes);
                value.put(bytes);
            })
        })
    }

    /// A section of one record.
    pub fn value<T: Record>(&mut self, name: &str, value: &T) -> io::Result<()> {
        self.column(name, [value])
    }

    fn section<T: Record>(
        &mut self,
        name: &str,
        mut put: impl FnMut(&mut Vec<u8>) -> Option<()>,
    ) -> io::Result<()> {
        self.shape.push_str(name);
        self.shape.push(':');
        T::shape(&mut self.shape);
        self.shape.push('\n');
        let mut section = Section {
            first: self.pieces,
            pieces: 0,
            records: 0,
        };
        let mut bytes = Vec::with_capacity(PIECE);
        while put(&mut bytes).is_some() {
            section.records = section.records.saturating_add(1);
            if bytes.len() >= PIECE {
                self.piece(&bytes, &mut section)?;
                bytes.clear();
            }
        }
        if !bytes.is_empty() {
            self.piece(&bytes, &mut section)?;
        }
        self.contents.insert(name.to_owned(), section);
        Ok(())
    }

    fn piece(&mut self, bytes: &[u8], section: &mut Section) -> io::Result<()> {
        self.sink.piece(bytes)?;
        self.pieces = self.pieces.saturating_add(1);
        section.pieces = section.pieces.saturating_add(1);
        Ok(())
    }

    /// Writes the contents, and says in one text what all the bytes were: of two
    /// snapshots with the same text, either can be read as the other.
    pub fn finish(self) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.contents.put(&mut bytes);
        self.sink.piece(&bytes)?;
        Ok(self.shape)
    }
}

/// Reads sections, several at a time if asked so.
pub struct Reader<'a> {
    source: &'a dyn Source,
    contents: BTreeMap<String, Section>,
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("contents", &self.contents)
            .finish_non_exhaustive()
    }
}

/// What was written is not what is read.
pub(crate) fn misread(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{what} is not what was written"),
    )
}

fn all<T: Record>(mut bytes: &[u8]) -> Option<Vec<T>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        records.push(T::take(&mut bytes)?);
    }
    Some(records)
}

impl<'a> Reader<'a> {
    /// Reads what there is.
    pub fn new(source: &'a dyn Source) -> io::Result<Self> {
        let damaged = || misread("the table of contents");
        let last = source.pieces().checked_sub(1).ok_or_else(damaged)?;
        let bytes = source.piece(last)?;
        let mut rest = bytes.as_slice();
        let contents = Record::take(&mut rest).filter(|_| rest.is_empty());
        Ok(Self {
            source,
            contents: contents.ok_or_else(damaged)?,
        })
    }

    /// The records of a section.
    pub fn column<T: Record + Send>(&self, name: &str) -> io::Result<Vec<T>> {
        let damaged = || misread(name);
        let section = self.contents.get(name).ok_or_else(damaged)?;
        let mut next = section.first;
        let end = next.saturating_add(section.pieces);
        let records = usize::try_from(section.records).map_err(|_| damaged())?;
        let pieces = usize::try_from(section.pieces).map_err(|_| damaged())?;
        // A record has at least one byte: memory is only asked for what is there.
        if end > self.source.pieces() || records > pieces.saturating_mul(PIECE) {
            return Err(damaged());
        }
        let mut column = Vec::with_capacity(records);
        // A few pieces at a time, so that little stands in memory twice.
        let batch = u32::try_from(rayon::current_num_threads()).unwrap_or(1);
        while next < end {
            let until = next.saturating_add(batch).min(end);
            let read: io::Result<Vec<Vec<T>>> = (next..until)
                .into_par_iter()
                .map(|piece| all(&self.source.piece(piece)?).ok_or_else(damaged))
                .collect();
            for mut piece in read? {
                column.append(&mut piece);
            }
            next = until;
        }
        if column.len() != records {
            return Err(damaged());
        }
        Ok(column)
    }

    /// The record of a section that has one.
    pub fn value<T: Record + Send>(&self, name: &str) -> io::Result<T> {
        let mut column = self.column(name)?;
        match (column.pop(), column.is_empty()) {
            (Some(value), true) => Ok(value),
            (Some(_) | None, _) => Err(misread(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Kept(Vec<Vec<u8>>);

    impl Sink for Kept {
        fn piece(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0.push(bytes.to_vec());
            Ok(())
        }
    }

    impl Source for Kept {
        fn pieces(&self) -> u32 {
            u32::try_from(self.0.len()).unwrap()
        }

        fn piece(&self, number: u32) -> io::Result<Vec<u8>> {
            Ok(self.0[usize::try_from(number).unwrap()].clone())
        }
    }

    #[test]
    fn a_column_of_any_length_comes_back_in_order() {
        // As many as fit one piece, and one more or less.
        let fits = u64::try_from(PIECE / 8).unwrap();
        for count in [0, 1, fits - 1, fits, fits + 1, 3 * fits, 5 * fits + 7] {
            let numbers: Vec<u64> = (0..count).collect();
            let long = "x".repeat(PIECE + 1);
            let mut kept = Kept::default();
            let mut writer = Writer::new(&mut kept);
            writer.value("long", &long).unwrap();
            writer.column("numbers", &numbers).unwrap();
            writer.column::<u8>("none", []).unwrap();
            let pairs = numbers.iter().zip(&numbers);
            writer.pairs("pairs", pairs.clone()).unwrap();
            writer.finish().unwrap();
            let reader = Reader::new(&kept).unwrap();
            assert_eq!(reader.column::<u64>("numbers").unwrap(), numbers);
            assert_eq!(reader.value::<String>("long").unwrap(), long);
            assert_eq!(reader.column::<u8>("none").unwrap(), [0_u8; 0]);
            let pairs: Vec<(u64, u64)> = pairs.map(|(one, two)| (*one, *two)).collect();
            assert_eq!(reader.column::<(u64, u64)>("pairs").unwrap(), pairs);
            assert!(reader.column::<u8>("other").is_err());
            assert!(reader.value::<u8>("none").is_err());
            assert_eq!(reader.value::<u64>("numbers").is_ok(), count == 1);
        }
    }
}
