//! A ledger that knows who may do what: the kinds of event that came with mandates
//! and with erasure, and headers that name a key. `fixtures/v1-access` was made from
//! it.

use std::collections::BTreeMap;

use luzhang_ledger::{
    Body, Event, Header, Office, Position, StreamId, StreamKind,
    access::{Credential, Denial, Erasure, Mandate, Reveal, Revealed, Role, Roles},
    block::SealedBlock,
    event::{Party, PartyKind},
    text::{BatchNo, DocumentNo, Label, Principal, ProgrammeId},
};

use crate::sample::{self, ledger, person, position, sealed_person};

/// The key with which the second administrator came.
const KEY: Credential = Credential::from_bytes([0x5A; 32]);

fn name(name: &str) -> Principal {
    Principal::new(name).unwrap()
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn clerk() -> Mandate {
    let offices = vec![Office::new(510_502).unwrap(), Office::new(510_521).unwrap()];
    let programmes = vec![ProgrammeId::new("training-allowance").unwrap()];
    let roles = Roles::of(&[Role::Clerk, Role::Reporter]);
    let mandate = Mandate::new(name("clerk-03"), roles, (offices, programmes), vec![KEY]);
    mandate.unwrap()
}

/// Each body, whose it is, and what it follows from.
fn bodies() -> Vec<(&'static str, Body, Option<u64>)> {
    let administrator = |who: &str| {
        let roles = Roles::of(&[Role::Administrator]);
        Body::MandateAdopted(Box::new(Mandate::of_everything(name(who), roles)))
    };
    let revoked = Mandate::new(
        name("clerk-03"),
        Roles::NONE,
        (Vec::new(), Vec::new()),
        Vec::new(),
    );
    let party = Body::PartyRegistered(Party {
        kind: PartyKind::Person,
        subject: person(),
        sealed: sealed_person().into(),
        digest: [0x11; 8],
    });
    vec![
        ("luzhang", sample::bodies().swap_remove(0), None),
        ("luzhang", administrator("admin-1"), None),
        ("luzhang", administrator("admin-2"), None),
        ("admin-1", Body::MandateProposed(Box::new(clerk())), None),
        ("admin-2", Body::MandateAdopted(Box::new(clerk())), Some(4)),
        ("clerk-03", party, None),
        (
            "luzhang",
            Body::AccessDenied(Denial {
                principal: Some(name("clerk-03")),
                code: label("ROLE_REQUIRED"),
                action: label("approval"),
                count: 1,
            }),
            None,
        ),
        (
            "luzhang",
            Body::AccessDenied(Denial {
                principal: None,
                code: label("CERTIFICATE_EXPIRED"),
                action: label("connection"),
                count: u64::from(u32::MAX) + 1,
            }),
            None,
        ),
        (
            "clerk-03",
            Body::DetailsRevealed(Reveal {
                of: Revealed::Subject(person()),
                purpose: label("电话核实"),
            }),
            None,
        ),
        (
            "cashier-01",
            Body::DetailsRevealed(Reveal {
                of: Revealed::Batch(BatchNo::new("BF-1").unwrap()),
                purpose: label("付款文件"),
            }),
            None,
        ),
        (
            "admin-1",
            Body::SubjectErased(Erasure {
                subject: person(),
                document: DocumentNo::new("泸人社〔2026〕7号").unwrap(),
            }),
            None,
        ),
        (
            "admin-2",
            Body::MandateProposed(Box::new(revoked.unwrap())),
            None,
        ),
    ]
}

fn stream(body: &Body) -> StreamId {
    match body {
        Body::MandateProposed(mandate) | Body::MandateAdopted(mandate) => {
            StreamId::of(StreamKind::Principal, mandate.principal.as_str())
        }
        Body::AccessDenied(_) => StreamId::of(StreamKind::Access, &ledger().to_string()),
        Body::DetailsRevealed(Reveal {
            of: Revealed::Batch(number),
            ..
        }) => StreamId::of(StreamKind::Batch, number.as_str()),
        Body::PartyRegistered(_) | Body::DetailsRevealed(_) | Body::SubjectErased(_) => {
            person().into()
        }
        _ => StreamId::of(StreamKind::Ledger, &ledger().to_string()),
    }
}

/// The sample's events, in order.
pub(crate) fn events() -> Vec<Event> {
    let mut streams = BTreeMap::<StreamId, (u64, Position)>::new();
    let mut events = Vec::new();
    for ((principal, body, cause), number) in bodies().into_iter().zip(1_u64..) {
        let stream = stream(&body);
        let before = streams.get(&stream).copied();
        let revision = before.map_or(1, |(revision, _)| revision + 1);
        streams.insert(stream, (revision, position(number)));
        let office = matches!(body, Body::MandateProposed(_)) || cause.is_some();
        let header = Header {
            position: position(number),
            stream,
            revision,
            stream_previous: before.map(|(_, last)| last),
            recorded_at: 1_795_651_200_000_000 + i64::try_from(number).unwrap() * 1_000,
            request: None,
            principal: name(principal),
            office: office.then_some(Office::LUZHOU),
            basis: None,
            policy: None,
            cause: cause.map(position),
            salt: [u8::try_from(number).unwrap(); 16],
            credential: (principal == "admin-2").then(|| KEY.short()),
        };
        events.push(Event { header, body });
    }
    events
}

/// The genesis alone, then the others.
pub(crate) fn blocks() -> Vec<SealedBlock> {
    let events = events();
    let (first, rest) = events.split_at(3);
    let head = luzhang_ledger::block::Head::genesis(ledger());
    let begun = sample::block(head, 1, first);
    let went_on = sample::block(begun.head, 1, rest);
    vec![begun, went_on]
}

pub(crate) fn export() -> Vec<u8> {
    sample::export(blocks().iter().map(|block| &block.bytes))
}
