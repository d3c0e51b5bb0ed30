//! Stored events, and what a log of them folds to, whoever made it.

use std::{collections::BTreeMap, ops::ControlFlow, sync::LazyLock};

use luzhang_ledger::{Body, Date, Event, Hash, Position, codec};
use luzhang_projections::{
    State, entitlement, explain,
    journal::{Entry, Format, Journal},
    projection::{Name, Projections},
    redecide::Redecider,
    report::{self, Query, Report},
    trace,
};

use super::{
    history::{WORLD, hashes},
    message,
};

/// What is known before each event of the sound log.
struct Before {
    redecider: Redecider,
    folded: Projections,
    reports: Vec<Report>,
}

/// The sound log as it is stored, and what it folds to.
struct Sound {
    stored: Vec<Vec<u8>>,
    before: Vec<Before>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let log = &WORLD.ledger.log;
    let stored = log.iter().map(encoded).collect();
    let mut redecider = Redecider::default();
    let mut folded = Projections::default();
    let reports = report::Name::ALL.map(|name| Report::new(Query::of(name)));
    let mut reports = reports.to_vec();
    let mut before = Vec::new();
    for (event, hash) in log.iter().zip(hashes(log)) {
        before.push(Before {
            redecider: redecider.clone(),
            folded: folded.clone(),
            reports: reports.clone(),
        });
        assert_eq!(redecider.apply(event), [], "{event:?}");
        folded.apply(event);
        for report in &mut reports {
            let _ = report.take(event, hash, &mut |_| ControlFlow::Continue(()));
        }
    }
    assert_eq!(redecider.finish(), []);
    Sound { stored, before }
});

/// The first event that is changed or follows one: those before it make the ledger,
/// and reading the built-in pack takes longer than all else.
const FROM: usize = 2;
/// Events that are folded after the first that is changed.
const FOLDED: usize = 160;

pub fn seeds() -> Vec<Vec<u8>> {
    let count = SOUND.stored.len();
    let raw = SOUND.stored.iter().skip(FROM).step_by(4);
    let raw = raw.map(|stored| [b"r", &**stored].concat());
    let all: Vec<u8> = (0..count).step_by(9).map(|at| at as u8).collect();
    let edited = all.iter().enumerate().map(|(number, at)| {
        let what = number as u8;
        vec![
            b'e',
            what,
            what,
            *at,
            at.wrapping_add(20),
            what % 8,
            2,
            5,
            1,
        ]
    });
    let moved = all
        .iter()
        .map(|at| vec![b'm', *at, 1, *at, at.wrapping_add(3), *at, 9]);
    raw.chain(edited)
        .chain(moved)
        .chain([b"n".to_vec()])
        .collect()
}

/// One event (`r`), the log with one event changed and folded (`e`), or with
/// several that come twice, late or not at all (`m`).
pub fn event(bytes: &[u8]) {
    let sound = &*SOUND;
    let count = sound.stored.len();
    let at = |choice: &u8| FROM + usize::from(*choice) % (count - FROM);
    match bytes {
        [b'r', stored @ ..] => {
            if let Some(event) = read(stored) {
                fold(count, &[event], stored.len() as u8);
            }
        }
        [b'e', report, which, place, other, edits @ ..] => {
            let (which, other) = (at(which), at(other));
            let changed = message::edited(&sound.stored[which], &sound.stored[other], edits);
            let Some(event) = read(&changed) else { return };
            let begin = which.min(at(place));
            let mut log = WORLD.ledger.log[begin..].to_vec();
            // In its own place, or elsewhere.
            if place & 1 == 0 {
                log[which - begin] = event;
            } else {
                log.insert(at(place).max(begin) - begin, event);
            }
            fold(begin, &log, *report);
        }
        [b'm', report, moves @ ..] => {
            let mut log = WORLD.ledger.log[FROM..].to_vec();
            for pair in moves.chunks_exact(2).take(12) {
                let (from, to) = (usize::from(pair[0]), usize::from(pair[1]));
                let from = from % log.len();
                match to {
                    0..64 => drop(log.remove(from)),
                    64..128 => log.insert(to % log.len(), log[from].clone()),
                    _ => {
                        let to = to % log.len();
                        log.swap(from, to);
                    }
                }
            }
            fold(FROM, &log, *report);
        }
        _ => {}
    }
}

fn encoded(event: &Event) -> Vec<u8> {
    let mut stored = Vec::new();
    codec::encode(event, &mut stored);
    stored
}

/// An event, if the bytes are one. Then it can be written down, and that is the
/// same event.
fn read(stored: &[u8]) -> Option<Event> {
    let position = codec::position_of(stored);
    let recorded_at = codec::recorded_at_of(stored);
    let event = codec::decode(stored).ok()?;
    assert_eq!(position, Some(event.header.position.number()));
    let again = encoded(&event);
    assert_eq!(codec::decode(&again).as_ref(), Ok(&event));
    assert_eq!(codec::position_of(&again), position);
    assert_eq!(
        codec::recorded_at_of(&again),
        Some(event.header.recorded_at)
    );
    // Where the field stands once, both see the same.
    if again == stored {
        assert_eq!(recorded_at, Some(event.header.recorded_at));
    }
    assert_eq!(
        codec::from_stored(codec::to_stored(&event)).as_ref(),
        Ok(&event)
    );
    Some(event)
}

/// Folds events after the first ones of the sound log, in all ways that there are.
fn fold(begin: usize, events: &[Event], which: u8) {
    let before = SOUND.before.get(begin).or(SOUND.before.last()).unwrap();
    let begin = before.folded.state.position().map_or(0, Position::number);
    let mut folded = before.folded.clone();
    let mut redecider = before.redecider.clone();
    let mut report = before.reports[usize::from(which) % before.reports.len()].clone();
    let mut journal = Journal::new(if which & 1 == 0 {
        Format::Hledger
    } else {
        Format::Beancount
    });
    let mut rows = 0;
    for (number, event) in (begin + 1..).zip(events.iter().take(FOLDED)) {
        // A verified log has each event in its place.
        let mut event = event.clone();
        event.header.position = Position::new(number).unwrap();
        if let Some(entry) = Entry::of(&folded.state, &event) {
            let sum: i128 = entry.postings.iter().map(|p| i128::from(p.fen)).sum();
            assert_eq!(sum, 0, "{entry:?}");
            assert!(!journal.entry(&entry).is_empty());
        }
        explained(&folded.state, &event);
        for difference in redecider.apply(&event) {
            assert!(!difference.aspects.is_empty());
            assert!(difference.position <= event.header.position);
            let _ = (
                difference.recorded.reasons(),
                difference.recomputed.reasons(),
            );
        }
        let hash = Hash::from_bytes([which; 32]);
        let taken = report.take(&event, hash, &mut |_| {
            rows += 1;
            ControlFlow::Continue(())
        });
        assert!(taken.is_continue());
        folded.apply(&event);
    }
    redecider.finish();
    judged(&folded, &redecider, &report);
    let shown = BTreeMap::new();
    let _ = report.finish(&shown, &mut |row| {
        rows += 1;
        assert!(!row.is_empty());
        ControlFlow::Continue(())
    });
}

/// What a decision says of itself, and what a trace of it says.
fn explained(state: &State, event: &Event) {
    let packs = state.packs();
    let pack = event.header.policy.and_then(|policy| state.pack_at(policy));
    let Some(pack) = pack.or(packs.last().map(|adopted| &adopted.pack)) else {
        return;
    };
    match &event.body {
        Body::Refused(refusal) => {
            for failure in &refusal.failures {
                let reason = explain::failure(pack, failure);
                assert_eq!(reason.code, failure.code);
            }
        }
        Body::StepRefused(refusal) => {
            for failure in &refusal.failures {
                explain::failure(pack, failure);
            }
        }
        Body::Conflict(conflict) => drop(explain::conflict(pack, conflict)),
        Body::Granted(claim) => {
            let office = event
                .header
                .office
                .unwrap_or(luzhang_ledger::Office::LUZHOU);
            if let Some(trace) = trace::of(state, office, claim) {
                for tried in &trace.limits {
                    explain::tried(pack, tried);
                }
            }
        }
        _ => {}
    }
}

/// What holds of every state, however it came to be.
fn judged(folded: &Projections, redecider: &Redecider, report: &Report) {
    assert_eq!(redecider.state().position(), folded.state.position());
    assert_eq!(redecider.state().streams(), folded.state.streams());
    // A report keeps the books alone, and they are the same books.
    for status in report.cover().projections {
        assert_eq!(status, folded.status(status.name), "{:?}", status.name);
    }
    for name in Name::ALL {
        let table = folded.rows(name);
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len());
        }
    }
    // Money comes from an appropriation, and is somewhere.
    let budget = folded.rows(Name::Budget);
    let column = |name: &str| {
        budget
            .columns
            .iter()
            .position(|column| *column == name)
            .unwrap()
    };
    for row in &budget.rows {
        let of = |name: &str| row[column(name)].parse::<i128>().unwrap();
        let held = [
            "left_fen",
            "reserved_fen",
            "paid_fen",
            "receivable_fen",
            "returned_fen",
        ];
        let held: i128 = held.iter().map(|name| of(name)).sum();
        let held = held + of("recovered_fen") + of("written_off_fen");
        assert_eq!(of("appropriated_fen") + of("advanced_fen"), held, "{row:?}");
    }
    let day = Date::constant(2024, 6, 1);
    for event in WORLD.ledger.log.iter().step_by(40) {
        for left in entitlement::of(&folded.state, event.header.stream, day) {
            assert!(left.left() >= 0);
        }
    }
}
