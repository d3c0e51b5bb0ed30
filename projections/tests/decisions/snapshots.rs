//! Snapshots: what is read back is what was written, and goes on as if nothing had
//! happened.

use std::io::{self, ErrorKind};

use luzhang_ledger::{
    Body, Event, Header, StreamId, StreamKind,
    access::{Mandate, Role, Roles},
    event::{Party, PartyKind},
    text::Principal,
};
use luzhang_projections::{
    projection::Projections,
    redecide::Redecider,
    snapshot::{self, Reader, Sink, Source, Writer},
};

use crate::{
    digests::everything,
    ledger::Ledger,
    steps::{LI, benefit, subject},
};

/// The pieces of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept(Vec<Vec<u8>>);

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
        let piece = self.0.get(usize::try_from(number).unwrap());
        piece.cloned().ok_or(ErrorKind::NotFound.into())
    }
}

impl Kept {
    pub(crate) fn of(projections: &Projections) -> Self {
        let mut kept = Self::default();
        let mut writer = Writer::new(&mut kept);
        projections.write(&mut writer).unwrap();
        writer.finish().unwrap();
        kept
    }

    pub(crate) fn read(&self) -> io::Result<Projections> {
        Projections::read(&Reader::new(self)?)
    }
}

/// Keeps and reads back at some event, and folds the rest of the log from there on:
/// everything is as without it, to the last byte.
#[track_caller]
fn check(ledger: &Ledger, at: usize, folded: &Projections, seed: u64) {
    let kept = Kept::of(folded);
    let mut read = kept.read().unwrap();
    assert_eq!(read.statuses(), folded.statuses(), "seed {seed}");
    assert!(Kept::of(&read) == kept, "seed {seed}");
    for event in &ledger.log[at..] {
        read.apply(event);
    }
    assert_eq!(read.statuses(), ledger.folded.statuses(), "seed {seed}");
    assert!(Kept::of(&read) == Kept::of(&ledger.folded), "seed {seed}");
}

/// As [`check`]; and decides the rest once more, of which all follows again.
#[track_caller]
pub(crate) fn check_decided(ledger: &Ledger, at: usize, folded: &Projections, seed: u64) {
    check(ledger, at, folded, seed);
    let mut redecider = Redecider::from(Kept::of(folded).read().unwrap());
    for event in &ledger.log[at..] {
        assert_eq!(redecider.apply(event), [], "seed {seed}");
    }
    assert_eq!(redecider.finish(), [], "seed {seed}");
}

/// A ledger with something of everything that the state keeps.
fn full() -> Ledger {
    let mut ledger = everything();
    for (number, name) in (1..).zip(["a", "b"]) {
        let principal = Principal::new(name).unwrap();
        let mandate = Mandate::of_everything(principal, Roles::of(&[Role::Administrator]));
        let stream = StreamId::of(StreamKind::Principal, name);
        let header = Header {
            principal: Principal::ledger(),
            ..ledger.header(stream)
        };
        let body = Body::MandateAdopted(Box::new(mandate.clone()));
        ledger.fold(Event { header, body });
        let header = ledger.header(stream);
        let body = Body::MandateProposed(Box::new(mandate));
        ledger.fold(Event { header, body });
        let party = Party {
            kind: PartyKind::Person,
            subject: subject(number),
            sealed: Box::new([]),
            digest: [number; 8],
        };
        let header = ledger.header(subject(number).into());
        let body = Body::PartyRegistered(party);
        ledger.fold(Event { header, body });
    }
    ledger
        .submit(&benefit(LI, "2024-09-01", "2024-09-30"))
        .unwrap();
    ledger
}

#[test]
fn what_is_read_back_goes_on_as_if_nothing_had_happened() {
    let ledger = full();
    let mut folded = Projections::default();
    for (at, event) in ledger.log.iter().enumerate() {
        check(&ledger, at, &folded, 0);
        folded.apply(event);
    }
    check(&ledger, ledger.log.len(), &folded, 0);
}

#[test]
fn a_snapshot_with_something_missing_is_not_read() {
    let kept = Kept::of(&full().folded);
    for piece in 0..kept.0.len() {
        let mut cut = kept.clone();
        cut.0.remove(piece);
        assert!(cut.read().is_err(), "piece {piece}");
        let mut short = kept.clone();
        short.0[piece].pop();
        assert!(short.read().is_err(), "piece {piece}");
        let mut long = kept.clone();
        long.0[piece].push(0);
        assert!(long.read().is_err(), "piece {piece}");
    }
    assert!(Kept::default().read().is_err());
}

/// Whoever gives the pieces checks them. If they were wrong all the same, this
/// neither panics nor asks for all the memory there is.
#[test]
fn wrong_bytes_are_an_error_or_another_state() {
    let kept = Kept::of(&full().folded);
    for (number, piece) in kept.0.iter().enumerate() {
        // Packs are long texts, and are parsed each time.
        let step = (piece.len() / 40).max(1);
        for place in (0..piece.len()).step_by(step) {
            let mut wrong = kept.clone();
            wrong.0[number][place] ^= 0xff;
            if let Ok(read) = wrong.read() {
                let _statuses = read.statuses();
            }
        }
    }
}

#[test]
fn the_layout_says_what_all_bytes_are() {
    let layout = snapshot::layout(|_| Ok(())).unwrap();
    assert_eq!(layout, snapshot::layout(|_| Ok(())).unwrap());
    for part in [
        "streams.entries:Stream{revision:u32,kind:u8,last:u64,details:u64,}\n",
        "accounts:(u32,[u8;8])\n",
        "limits 2\n",
    ] {
        assert!(layout.contains(part), "{layout}");
    }
    let more = snapshot::layout(|to| to.value("more", &1_u64)).unwrap();
    assert_eq!(more, layout + "more:u64\n");
}
