//! Commands as they travel: what is well formed is decided, what is decided can be
//! stored, and decides itself again.

use std::{collections::BTreeSet, sync::LazyLock};

use luzhang_ledger::{Body, codec, text::Principal};
use luzhang_projections::{access::Identity, decide, redecide::Redecider};
use luzhang_proto::{DESCRIPTORS, wire};
use luzhang_server::{Rejected, convert::from_proto};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage as _, Value};

use super::{
    history::{WORLD, key},
    message,
};

static STORED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let samples = WORLD.samples.iter();
    samples
        .map(|sample| sample.command.encode_to_vec())
        .collect()
});

pub fn seeds() -> Vec<Vec<u8>> {
    let raw = STORED.iter().step_by(6);
    let raw = raw.map(|stored| [b"r", &**stored].concat());
    let edited = (0..STORED.len() as u8).step_by(6).flat_map(|which| {
        let what = which / 6 % 8;
        [
            vec![b'e', which, which + 1, what, 2, 5, 0],
            vec![b'e', which, 3, what, 1, 9, 1],
        ]
    });
    raw.chain(edited).chain(mistyped()).collect()
}

/// Each value of a person and of an account as a clerk mistypes it: the most that an
/// error could give away.
fn mistyped() -> impl Iterator<Item = Vec<u8>> {
    use wire::command::Body as B;
    let samples = WORLD.samples.iter();
    let about = samples.filter_map(|sample| match &sample.command.body {
        Some(B::PovertyStatus(_) | B::Account(_)) => Some(sample.command.clone()),
        _ => None,
    });
    about.take(3).flat_map(|command| {
        let mut wrong = [command.clone(), command.clone(), command];
        for (place, command) in wrong.iter_mut().enumerate() {
            let (person, number) = match &mut command.body {
                Some(B::PovertyStatus(fact)) => (fact.person.as_mut(), None),
                Some(B::Account(account)) => (None, Some(&mut account.number)),
                _ => (None, None),
            };
            if let Some(person) = person {
                match place {
                    0 => person.national_id.push('1'),
                    1 => person.national_id.replace_range(17.., "9"),
                    _ => person.name.push('\u{202e}'),
                }
            }
            if let Some(number) = number {
                number.push_str(["x", "\n", "12345678901234567890"][place]);
            }
        }
        wrong.map(|command| [b"r", &*command.encode_to_vec()].concat())
    })
}

/// A command (`r`), or one that the sound ledger took, with some fields changed (`e`).
pub fn command(bytes: &[u8]) {
    let stored = &*STORED;
    match bytes {
        [b'r', bytes @ ..] => one(bytes, &Principal::new("clerk").unwrap()),
        [b'e', which, other, edits @ ..] => {
            let at = |choice: &u8| usize::from(*choice) % stored.len();
            let (which, other) = (at(which), at(other));
            let bytes = message::edited(&stored[which], &stored[other], edits);
            one(&bytes, &WORLD.samples[which].principal);
        }
        _ => {}
    }
}

fn one(bytes: &[u8], principal: &Principal) {
    let Ok(command) = wire::Command::decode(bytes) else {
        return;
    };
    let ledger = &WORLD.ledger;
    let by = Identity::believed(principal.clone());
    let request = from_proto::request(&key(), &by, command.clone(), ledger);
    let again = from_proto::request(&key(), &by, command.clone(), ledger);
    let request = match (request, again) {
        (Ok(request), Ok(again)) => {
            assert_eq!(request.mark, again.mark);
            assert_eq!(request.command, again.command);
            request
        }
        (Err(rejected), Err(again)) => {
            assert_eq!(rejected, again);
            quiet(&command, &rejected);
            return;
        }
        (one, two) => panic!("{one:?}\n{two:?}"),
    };
    let secrets = secrets(&command);
    // Neither a request nor what is decided shows a number or an account.
    let shown = format!("{request:?}");
    for secret in &secrets {
        assert!(!shown.contains(&**secret), "{secret} in {shown}");
    }
    let decision = match decide(&ledger.folded.state, request.command.clone()) {
        Ok(decision) => decision,
        Err(rejection) => return quiet(&command, &rejection.into()),
    };
    let begun = ledger.log.len();
    let mut after = ledger.clone();
    after.write(&request, decision);
    let mut redecider = Redecider::from(ledger.folded.clone());
    for event in &after.log[begun..] {
        let mut stored = Vec::new();
        codec::encode(event, &mut stored);
        assert_eq!(codec::decode(&stored).as_ref(), Ok(event));
        for secret in &secrets {
            let found = stored
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {:?}", event.body);
        }
        assert_eq!(redecider.apply(event), [], "{event:?}");
    }
    assert_eq!(redecider.finish(), []);
    let last = after.log.last().unwrap();
    let about = !matches!(
        last.body,
        Body::LedgerCreated { .. } | Body::StateAttested(_)
    );
    assert!(about);
}

/// A rejection says a code, both languages and a field, and no secret.
fn quiet(command: &wire::Command, rejected: &Rejected) {
    assert!(!rejected.code.is_empty());
    assert!(!rejected.zh.is_empty() && !rejected.en.is_empty());
    let status = rejected.clone().into_status();
    let wire = rejected.clone().into_wire();
    // What it costs in headers is bounded.
    assert!(status.details().len() + status.message().len() < 12 * 1024);
    let shown = format!("{status:?} {wire:?} {} {}", rejected.zh, rejected.en);
    for secret in secrets(command) {
        assert!(!shown.contains(&*secret), "{secret} in {shown}");
    }
}

/// Names, identity numbers and accounts of a command; not those that stand where
/// anybody may read them too, and none so short that it is a word.
fn secrets(command: &wire::Command) -> BTreeSet<String> {
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).unwrap());
    let descriptor = POOL.get_message_by_name("luzhang.v1.Command").unwrap();
    let dynamic = DynamicMessage::decode(descriptor, &*command.encode_to_vec()).unwrap();
    let (mut secret, mut open) = (BTreeSet::new(), Vec::new());
    walk(&dynamic, &mut secret, &mut open);
    secret.retain(|text| text.chars().count() >= 8 && !open.iter().any(|o| o.contains(text)));
    secret
}

fn walk(message: &DynamicMessage, secret: &mut BTreeSet<String>, open: &mut Vec<String>) {
    let descriptor = message.descriptor();
    for (field, value) in message.fields() {
        let personal = matches!(
            (descriptor.name(), field.name()),
            ("Person", _) | ("Account", "number")
        );
        let mut take = |value: &Value| match value {
            Value::String(text) if personal => drop(secret.insert(text.clone())),
            Value::String(text) => open.push(text.clone()),
            Value::Message(message) => walk(message, secret, open),
            _ => {}
        };
        match value {
            Value::List(values) => values.iter().for_each(&mut take),
            value => take(value),
        }
    }
}
