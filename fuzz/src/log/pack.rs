//! Policy packs: what loads judges every claim, and says so in words.

use std::sync::{Arc, LazyLock};

use luzhang_ledger::{
    Body, Office, Position,
    claim::Claim,
    event::{Event, Failure},
};
use luzhang_projections::{
    Command, Pack, Rejection, State, decide,
    decide::CommandBody,
    explain,
    pack::{PackError, diff},
    trace::{self, Outcome},
};

use super::{super::edits, history::WORLD};

const SMALL: &str = include_str!("small.toml");
const COUNTY: &str = include_str!("county.toml");

struct Sound {
    small: Arc<Pack>,
    /// What the log folds to, under the small pack alone.
    state: State,
    claims: Vec<(Office, Claim)>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let mut state = State::default();
    let mut claims = Vec::new();
    for event in &WORLD.ledger.log {
        let mut event = event.clone();
        if let Body::PolicyPackAdopted { content, .. } = &mut event.body {
            *content = SMALL.as_bytes().into();
        }
        let claim = match &event.body {
            Body::Granted(claim) => Some(claim.clone()),
            Body::Refused(refusal) => Some(refusal.claim.clone()),
            _ => None,
        };
        let office = event.header.office;
        claims.extend(office.zip(claim));
        state.apply(&event);
    }
    assert_eq!(state.packs().len(), 1, "the small pack is sound");
    Sound {
        small: state.packs()[0].pack.clone(),
        state,
        claims,
    }
});

/// Entries of a pack, each with its head.
fn entries(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = text.match_indices("\n[").map(|(at, _)| at + 1).collect();
    starts.push(text.len());
    starts
        .windows(2)
        .map(|pair| &text[pair[0]..pair[1]])
        .collect()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        [b"r", SMALL.as_bytes()].concat(),
        [b"r", COUNTY.as_bytes()].concat(),
    ];
    let count = entries(SMALL).len() as u8;
    for place in (0..count).step_by(4) {
        seeds.push(vec![b'v', place, 2, 3, 0]);
        seeds.push(vec![b't', place, place % 5, 1, 0]);
        seeds.push(vec![b'e', 7, 0, place.wrapping_mul(5), 0, 5, 1, place, 3]);
    }
    for place in 0..12 {
        seeds.push(vec![b'c', 0, 1, place * 20, 7]);
        seeds.push(vec![b'c', 7, 0, place, 0]);
    }
    seeds
}

/// A pack's text (`r`), the small one with some lines (`e`), entries (`t`) or values
/// (`v`) changed, and a county's on top of it (`c`).
pub fn pack(bytes: &[u8]) {
    let sound = &*SOUND;
    match bytes {
        [b'r', text @ ..] => loaded(text),
        [b'e', edits @ ..] => {
            loaded(&edits::edited(SMALL.as_bytes(), COUNTY.as_bytes(), edits));
        }
        [b't', edits @ ..] => {
            let from = entries(SMALL);
            let mut all = from.clone();
            for edit in edits.chunks_exact(3).take(8) {
                let place = usize::from(edit[0]) % all.len().max(1);
                let other = from[usize::from(edit[2]) % from.len()];
                match edit[1] % 4 {
                    0 if !all.is_empty() => drop(all.remove(place)),
                    1 if !all.is_empty() => all[place] = other,
                    2 => all.rotate_left(place),
                    _ => all.push(other),
                }
            }
            loaded(all.concat().as_bytes());
        }
        [b'v', edits @ ..] => {
            let mut text = SMALL.to_owned();
            for edit in edits.chunks_exact(4).take(8) {
                text = revalued(&text, edit);
            }
            loaded(text.as_bytes());
        }
        [b'c', edits @ ..] => {
            let text = edits::edited(COUNTY.as_bytes(), SMALL.as_bytes(), edits);
            judged(
                &text,
                Pack::load_on(&text, std::slice::from_ref(&sound.small)),
            );
        }
        _ => {}
    }
}

/// A text with one of its values changed: the right side of an assignment.
fn revalued(text: &str, edit: &[u8]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let valued = |line: &&mut String| line.contains(" = ");
    let count = lines.iter_mut().filter(valued).count();
    let place = (usize::from(edit[0]) << 2 | usize::from(edit[3] & 3)) % count.max(1);
    let from = text.lines().filter_map(|line| line.split_once(" = "));
    let values: Vec<&str> = from.map(|(_, value)| value).collect();
    let other = values[(usize::from(edit[2]) << 1 | usize::from(edit[3] >> 7)) % values.len()];
    const NUMBERS: [&str; 12] = [
        "0",
        "1",
        "-1",
        "100",
        "101",
        "1000000",
        "1000001",
        "9223372036854775807",
        "-9223372036854775808",
        "4294967295",
        "510502",
        "2147483648",
    ];
    const DAYS: [&str; 6] = [
        "0001-01-01",
        "9999-12-31",
        "2024-02-29",
        "2023-12-17",
        "2026-12-17",
        "2024-01-01T00:00:00",
    ];
    if let Some(line) = lines.iter_mut().filter(valued).nth(place) {
        let (key, value) = line.split_once(" = ").unwrap();
        let value = match edit[1] % 6 {
            0 => other.to_owned(),
            1 => NUMBERS[usize::from(edit[2]) % NUMBERS.len()].to_owned(),
            2 => DAYS[usize::from(edit[2]) % DAYS.len()].to_owned(),
            // Inside of a list of dated values.
            3 => replaced(value, "v = ", NUMBERS[usize::from(edit[2]) % NUMBERS.len()]),
            4 => replaced(value, "from = ", DAYS[usize::from(edit[2]) % DAYS.len()]),
            _ => replaced(value, "until = ", DAYS[usize::from(edit[2]) % DAYS.len()]),
        };
        *line = format!("{key} = {value}");
    }
    lines.join("\n")
}

fn replaced(value: &str, key: &str, with: &str) -> String {
    let Some((before, after)) = value.split_once(key) else {
        return value.to_owned();
    };
    let end = after.find([',', ' ', '}']).unwrap_or(after.len());
    format!("{before}{key}{with}{}", &after[end..])
}

fn loaded(text: &[u8]) {
    judged(text, Pack::load(text));
    // A pack that names a base is not sound without it.
    if let Ok(pack) = Pack::load(text) {
        assert!(pack.scope.is_none());
        let same = diff::of(text, text).unwrap();
        assert!(same.is_empty());
        diff::of(SMALL.as_bytes(), text).unwrap();
        diff::of(text, SMALL.as_bytes()).unwrap();
    }
}

fn judged(text: &[u8], loaded: Result<Arc<Pack>, PackError>) {
    let sound = &*SOUND;
    let office = Office::LUZHOU;
    let body = CommandBody::AdoptPolicy(text.into());
    let adopted = decide::decide(&sound.state, Command { office, body });
    let pack = match (&loaded, &adopted) {
        (Ok(pack), Ok(_)) => pack,
        // It sits on the small pack, which `load` does not know.
        (Err(PackError::BaseMissing { .. }), _) => return,
        (Err(error), Err(Rejection::Pack(same))) => {
            assert_eq!(error.to_string(), same.to_string());
            if let PackError::Defects(defects) = error {
                assert!(!defects.is_empty());
            }
            return;
        }
        (loaded, adopted) => panic!("{loaded:?}\n{adopted:?}"),
    };
    assert_eq!(pack.text().as_bytes(), text);
    let mut state = sound.state.clone();
    let position = state.position().map_or(Position::FIRST, Position::next);
    let decision = adopted.unwrap();
    assert!(matches!(&decision.body, Body::PolicyPackAdopted { pack: id, .. } if *id == pack.id));
    let mut header = WORLD.ledger.log[1].header.clone();
    header.position = position;
    state.apply(&Event {
        header,
        body: decision.body,
    });
    assert_eq!(state.packs().len(), 2);
    for (office, claim) in &sound.claims {
        one(&state, *office, claim);
    }
}

/// One claim under whatever pack is in force on its day: a decision and a trace say
/// the same, in both languages.
fn one(state: &State, office: Office, claim: &Claim) {
    let pack = &state.pack_on(claim.basis(), office).unwrap().pack;
    let body = CommandBody::Claim(claim.clone());
    let decided = decide::decide(state, Command { office, body });
    let Ok(decision) = decided else { return };
    let (claim, failures): (_, &[Failure]) = match &decision.body {
        Body::Granted(claim) => (claim, &[]),
        Body::Refused(refusal) => (&refusal.claim, &refusal.failures),
        other => panic!("{other:?}"),
    };
    let trace = trace::of(state, office, claim).unwrap();
    assert_eq!(Some(trace.policy), decision.policy);
    let failed = trace
        .limits
        .iter()
        .filter(|tried| tried.outcome == Outcome::Failed);
    let failed: Vec<(&str, &[_], &[_])> = failed
        .map(|tried| (&*tried.limit, &*tried.compared, &*tried.facts))
        .collect();
    let said: Vec<(&str, &[_], &[_])> = failures
        .iter()
        .map(|failure| (&*failure.limit, &*failure.compared, &*failure.facts))
        .collect();
    assert_eq!(failed, said);
    for failure in failures {
        let reason = explain::failure(pack, failure);
        assert!(!reason.text.zh.trim().is_empty() && !reason.text.en.trim().is_empty());
    }
}
