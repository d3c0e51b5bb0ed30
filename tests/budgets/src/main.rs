//! What the hot path does with a thousand of each, for `tests/counts.rs` to count.
//!
//! Every run does the same: people are invented from their numbers, times and salts
//! count up. What is counted is in [`measured`], a function an item; all else is
//! preparation.

mod ledger;
mod measured;
mod work;

use luzhang_ledger::{
    Event, Header, LedgerId, Position,
    block::{BlockBuilder, Head},
    codec,
};
use rayon::ThreadPoolBuilder;

use crate::ledger::{Ledger, claim, command};

/// How many of each.
const COUNT: u64 = 1_000;
/// 300 yuan, what measure 15 gives for a person placed.
const RIGHT_FEN: i64 = 30_000;
/// More than that.
const WRONG_FEN: i64 = 90_000;

fn main() {
    // The thread that counts is the one that works.
    let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread();
    pool.build_global().unwrap();

    let id = LedgerId::new(uuid::Uuid::from_bytes([7; 16]));
    let mut ledger = Ledger::new(id);
    for person in 0..COUNT {
        ledger.introduce(person);
    }
    let right = (0..COUNT).map(|person| command(claim(person, RIGHT_FEN)));
    // Persons whom no list has, and too much money.
    let wrong = (COUNT..2 * COUNT).map(|person| command(claim(person, WRONG_FEN)));
    let (right, wrong): (Vec<_>, Vec<_>) = (right.collect(), wrong.collect());

    let before = ledger.folded.clone();
    let begun = ledger.log.len();
    for command in &right {
        ledger.submit(command.clone());
    }
    let granted = ledger.log.len();
    for command in &wrong {
        ledger.submit(command.clone());
    }
    let grants = &ledger.log[begun..granted];
    let refusals = &ledger.log[granted..];
    let all = |events: &[Event], kind| events.iter().all(|event| event.body.kind() == kind);
    assert!(all(grants, "service_subsidy_granted"), "{grants:?}");
    assert!(all(refusals, "command_refused"), "{refusals:?}");
    let stored = |events: &[Event]| -> Vec<Vec<u8>> {
        let one = |event| {
            let mut bytes = Vec::new();
            codec::encode(event, &mut bytes);
            bytes
        };
        events.iter().map(one).collect()
    };
    let (granted, refused) = (stored(grants), stored(refusals));
    let builder = || BlockBuilder::new(Head::genesis(id), 1);
    let blocks = work::blocks(builder(), &chain(&ledger.log[0], grants));

    measured::decide_grant(&before.state, right);
    measured::decide_refusal(&before.state, wrong);
    measured::encode_grant(grants);
    measured::encode_refusal(refusals);
    measured::hash_grant(&granted);
    measured::seal_grant(builder(), grants);
    measured::decode_grant(&granted);
    measured::decode_refusal(&refused);
    measured::fold_grant(before.clone(), grants);
    measured::fold_refusal(before, refusals);
    measured::verify_grant(&blocks);
}

/// As many events that stand one behind the other: the first of a ledger, and grants.
fn chain(first: &Event, grants: &[Event]) -> Vec<Event> {
    let events = std::iter::once(first).chain(grants).zip(1..=COUNT);
    let placed = events.map(|(event, number)| {
        let header = Header {
            position: Position::new(number).unwrap(),
            recorded_at: i64::try_from(number).unwrap(),
            ..event.header.clone()
        };
        let body = event.body.clone();
        Event { header, body }
    });
    placed.collect()
}
