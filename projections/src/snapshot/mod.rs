//! Snapshots: everything that was folded, as bytes and back, so that a start need
//! not fold the whole log.
//!
//! A snapshot is derived and private to one build of the program: it has no format
//! that anybody else could rely on. [`layout`] names the layout of its bytes, which
//! follows from the types themselves; a snapshot of another layout is not read. What
//! follows from other parts, such as every hash index, is left out and made anew.
//!
//! This knows nothing of files: bytes go to a [`Sink`] and come from a [`Source`],
//! piece by piece.

mod pieces;
mod record;

use std::{fmt::Write as _, io};

pub(crate) use self::{
    pieces::misread,
    record::{numbered, record, shape_of},
};
pub use self::{
    pieces::{Reader, Sink, Source, Writer},
    record::Record,
};
use crate::projection::{Name, Projections};

impl Projections {
    /// Writes everything that was folded.
    ///
    /// # Errors
    /// Those of the sink; [`io::ErrorKind::Unsupported`] of projections that are not
    /// those of a log alone, such as a simulation's.
    pub fn write(&self, to: &mut Writer<'_>) -> io::Result<()> {
        let Self {
            state,
            totals,
            refusals,
            conflicts,
            plaques,
            loans,
        } = self;
        state.write(to)?;
        totals.write(to)?;
        refusals.write(to)?;
        conflicts.write(to)?;
        plaques.write(to)?;
        loans.write(to)
    }

    /// Reads it back.
    ///
    /// # Errors
    /// Those of the source; [`io::ErrorKind::InvalidData`] if that is not what was
    /// written.
    pub fn read(from: &Reader<'_>) -> io::Result<Self> {
        Ok(Self {
            state: crate::State::read(from)?,
            totals: crate::totals::Totals::read(from)?,
            refusals: crate::totals::Refusals::read(from)?,
            conflicts: crate::totals::Conflicts::read(from)?,
            plaques: crate::registers::Plaques::read(from)?,
            loans: crate::registers::Loans::read(from)?,
        })
    }
}

/// Says what all bytes of a snapshot are, and by which folds they came to be; with
/// `more`, what else its writer puts there.
///
/// # Errors
/// Those of `more`.
pub fn layout(more: impl FnOnce(&mut Writer<'_>) -> io::Result<()>) -> io::Result<String> {
    struct Nowhere;
    impl Sink for Nowhere {
        fn piece(&mut self, _: &[u8]) -> io::Result<()> {
            Ok(())
        }
    }
    let mut nowhere = Nowhere;
    let mut writer = Writer::new(&mut nowhere);
    Projections::default().write(&mut writer)?;
    more(&mut writer)?;
    let mut layout = format!("luzhang {}\n", env!("CARGO_PKG_VERSION"));
    for name in Name::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(layout, "{} {}", name.as_str(), name.version());
    }
    layout.push_str(&writer.finish()?);
    Ok(layout)
}
