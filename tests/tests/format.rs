//! The format is a promise: golden bytes, fixtures of every released version,
//! and FORMAT.md itself as the expected value. Whoever changes a byte of it is
//! found.

#![cfg(test)]

#[path = "format/access.rs"]
mod access;
#[path = "format/arbitrary.rs"]
mod arbitrary;
#[path = "format/data_dir.rs"]
mod data_dir;
#[path = "format/keys.rs"]
mod keys;
#[path = "format/life.rs"]
mod life;
#[path = "format/python.rs"]
mod python;
#[path = "format/sample.rs"]
mod sample;
#[path = "format/shelf.rs"]
mod shelf;
#[path = "format/signed.rs"]
mod signed;
#[path = "tamper/mod.rs"]
mod tamper;
#[path = "format/vectors.rs"]
mod vectors;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use luzhang_ledger::{
    Body, Event, Hash, LedgerId, Position, StreamId, StreamKind,
    block::{self, BlockView},
    codec,
    event::{KINDS, KeyAdoption},
    export::{is_export, verify_export, verify_export_with},
    hash::ChainHasher,
    identity::open,
    proof::{Frontier, Node, Policy, Receipt, SignedCheckpoint, rotation, witness::Extension},
    verify::{Anchor, ExpectedTree, Known, Verdict, Verifier},
};
use proptest::prelude::*;
use prost::Message as _;
use python::python;
use sample::hex;
use uuid::Uuid;

#[test]
fn every_vector_of_format_md_is_what_the_program_computes() {
    let expected = vectors::vectors();
    let vector = |name: &str| expected[name].clone();
    let array = |name: &str| <[u8; 16]>::try_from(vector(name)).unwrap();
    let ledger = LedgerId::new(Uuid::from_bytes(array("ledger-id")));
    let stream = |kind, number: &str| StreamId::of(kind, number).as_bytes().to_vec();
    let first = &sample::blocks()[0];
    let event = &stored_events()[0];
    let identity = sample::identity();
    let opened = open(
        &sample::subject_key(),
        &sample::person(),
        &vector("sealed-details"),
    );
    assert_eq!(opened, Ok(sample::person_details()));
    let computed: BTreeMap<&str, Vec<u8>> = [
        ("ledger-id", sample::ledger().as_bytes().to_vec()),
        ("genesis", Hash::genesis(ledger).as_bytes().to_vec()),
        (
            "stream-ledger",
            stream(StreamKind::Ledger, &ledger.to_string()),
        ),
        ("stream-pack", stream(StreamKind::Pack, "sample")),
        ("stream-fund", stream(StreamKind::Fund, "employment")),
        ("stream-course", stream(StreamKind::Course, "PX-2024-001")),
        ("stream-brand", stream(StreamKind::Brand, "川字号-001")),
        ("stream-loan", stream(StreamKind::Loan, "DK-2024-001")),
        ("event-1", event.clone()),
        (
            "event-1-hash",
            ChainHasher::default()
                .event(Hash::genesis(ledger), event)
                .as_bytes()
                .to_vec(),
        ),
        ("block-1", first.bytes.clone()),
        ("block-1-hash", first.head.block.as_bytes().to_vec()),
        (
            "mark-1",
            fs::read(fixture("v1/mark")).unwrap()[..128].to_vec(),
        ),
        ("export-1", sample::export([&first.bytes])),
        ("export-0", sample::export::<&[u8]>([])),
        ("identity-key", (0..32).collect()),
        ("subject-person", sample::person().as_bytes().to_vec()),
        (
            "subject-organisation",
            sample::organisation().as_bytes().to_vec(),
        ),
        ("request-id", Uuid::from_u128(2).as_bytes().to_vec()),
        ("request", identity.request(&array("request-id")).to_vec()),
        ("content", identity.content(b"luzhang").to_vec()),
        ("key-check", identity.content(ledger.as_bytes()).to_vec()),
        (
            "details-digest",
            identity.details_digest(&sample::person_details()).to_vec(),
        ),
        ("details-key", sample::subject_key().as_bytes().to_vec()),
        ("sealed-details", sample::sealed_person()),
        (
            "tree-leaf-1",
            Node::of_event(first.events[0]).as_bytes().to_vec(),
        ),
        ("tree-root-29", sample_root().as_bytes().to_vec()),
        (
            "checkpoint-key",
            signed::keys()[0].verifier().key_bytes().to_vec(),
        ),
        (
            "fixture-chain-head",
            sample::blocks()
                .last()
                .unwrap()
                .head
                .chain
                .as_bytes()
                .to_vec(),
        ),
    ]
    .into();
    let names = |map: Vec<&str>| map.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(
        names(expected.keys().map(String::as_str).collect()),
        names(computed.keys().copied().collect()),
        "FORMAT.md and this test give different vectors"
    );
    for (name, bytes) in computed {
        assert_eq!(hex(&vector(name)), hex(&bytes), "{name}");
    }
    assert_eq!(
        block::to_stored(&first.bytes),
        [&[0][..], &first.bytes].concat()
    );
}

#[test]
fn the_fixture_of_version_1_still_opens() {
    let file = fs::read(fixture("v1/ledger.luzhang-export")).unwrap();
    assert!(is_export(&file));
    let head = <[u8; 32]>::try_from(vectors::vectors()["fixture-chain-head"].clone()).unwrap();
    let anchor = Anchor {
        hash: Hash::from_bytes(head),
        position: Position::new(29),
    };
    let report = verify_export(&file[..], Some(anchor), |_| {});
    assert_eq!(
        (report.verdict, report.events),
        (Verdict::Intact, 29),
        "{report:?}"
    );
    assert_eq!(report.chain_head, Some(anchor.hash));
    assert_eq!(report.ledger, Some(sample::ledger()));

    let listed = fs::read_to_string(fixture("v1/events.txt")).unwrap();
    let mut chain = Hash::genesis(sample::ledger());
    let mut listed = listed.lines();
    for (bytes, expected) in events_of(&file).iter().zip(sample::events()) {
        let event = codec::decode(bytes).unwrap();
        assert_eq!(event, expected);
        chain = ChainHasher::default().event(chain, bytes);
        let line = format!(
            "{} {} {chain} {}",
            event.header.position,
            event.body.kind(),
            hex(bytes)
        );
        assert_eq!(listed.next(), Some(line.as_str()));
    }
    assert_eq!(listed.next(), None);
    let Body::PartyRegistered(party) = codec::decode(&events_of(&file)[2]).unwrap().body else {
        panic!("event 3 is another one");
    };
    let details = open(&sample::subject_key(), &party.subject, &party.sealed).unwrap();
    assert_eq!(
        (details.name(), details.number()),
        ("某甲", "510590197607110016")
    );
}

#[test]
fn what_is_written_today_is_the_fixture_to_the_byte() {
    let written = sample::export(sample::blocks().iter().map(|block| &block.bytes));
    let committed = fs::read(fixture("v1/ledger.luzhang-export")).unwrap();
    assert_eq!(events_of(&written), events_of(&committed));
    assert!(
        written == committed,
        "the events are the same, blocks or file are not"
    );
}

#[test]
fn the_fixture_of_the_life_of_a_grant_still_opens() {
    let file = fs::read(fixture("v1-life/ledger.luzhang-export")).unwrap();
    let report = verify_export(&file[..], None, |_| {});
    let events = life::events();
    let count = u64::try_from(events.len()).unwrap();
    assert_eq!(
        (report.verdict, report.events),
        (Verdict::SelfConsistent, count),
        "{report:?}"
    );
    let listed = fs::read_to_string(fixture("v1-life/events.txt")).unwrap();
    let mut chain = Hash::genesis(sample::ledger());
    let mut listed = listed.lines();
    for (bytes, expected) in events_of(&file).iter().zip(&events) {
        let event = codec::decode(bytes).unwrap();
        assert_eq!(&event, expected);
        check_round_trip(&event);
        chain = ChainHasher::default().event(chain, bytes);
        let (position, kind) = (event.header.position, event.body.kind());
        let line = format!("{position} {kind} {chain} {}", hex(bytes));
        assert_eq!(listed.next(), Some(line.as_str()));
    }
    assert_eq!(listed.next(), None);
    assert_eq!(report.chain_head, Some(chain));
    assert!(
        file == life::export(),
        "what is written today is another file"
    );
    let Body::AccountBound(account) = &events[1].body else {
        panic!("event 2 is another one");
    };
    let details = open(&sample::subject_key(), &account.subject, &account.sealed).unwrap();
    assert_eq!(
        (details.name(), details.number()),
        ("某银行泸州分行", "6217000000000000001")
    );
}

#[test]
fn the_fixture_of_a_ledger_that_has_signed_still_opens_and_proves() {
    let read = |name: &str| {
        let path = fixture("v1-signed").join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    for (name, written) in signed::files() {
        assert!(
            read(name) == written,
            "what is written today is another {name}"
        );
    }
    let events = events_of(&read("ledger.luzhang-export"));
    for (bytes, expected) in events.iter().zip(signed::events()) {
        assert_eq!(codec::decode(bytes).unwrap(), expected);
        check_round_trip(&expected);
    }
    // What was handed out then convinces now.
    let policy = String::from_utf8(read("policy")).unwrap();
    let policy: Policy = policy.parse().unwrap();
    for name in ["hash.tlog-proof", "content.tlog-proof"] {
        let receipt = Receipt::parse(&read(name)).unwrap();
        let proven = receipt.verify(&policy).unwrap();
        assert_eq!(proven.event_hash, signed::hashes()[2], "{name}");
        assert_eq!(proven.checkpoint.cosigners.len(), 1, "{name}");
    }
    let old = SignedCheckpoint::parse(&read("old.checkpoint")).unwrap();
    let extension = Extension::parse(&read("old-to-new.consistency")).unwrap();
    extension.continues(&old.head()).unwrap();
    let new = policy.check(&extension.checkpoint).unwrap();
    let expected = ExpectedTree {
        head: new.head,
        known: Known::Signed,
    };
    let verifier = Verifier::new(None).with_tree([expected]);
    let file = read("ledger.luzhang-export");
    let report = verify_export_with(&file[..], verifier, |_| {});
    assert_eq!(
        (report.verdict, report.tree),
        (Verdict::Intact, Some(new.head))
    );
    // Who knows the first key only is led to the second by the log itself.
    let [first, second] = signed::keys().map(|key| key.verifier().clone());
    let adoptions: Vec<KeyAdoption> = signed::events()
        .into_iter()
        .filter_map(|event| match event.body {
            Body::CheckpointKeyAdopted(adoption) => Some(*adoption),
            _ => None,
        })
        .collect();
    assert_eq!(
        rotation::follow(std::slice::from_ref(&first), &adoptions),
        [first, second]
    );
}

#[test]
fn the_fixture_of_a_ledger_with_mandates_still_opens() {
    let file = fs::read(fixture("v1-access/ledger.luzhang-export")).unwrap();
    assert!(
        file == access::export(),
        "what is written today is another file"
    );
    let report = verify_export(&file[..], None, |_| {});
    assert_eq!(report.verdict, Verdict::SelfConsistent, "{report:?}");
    let events = events_of(&file);
    assert_eq!(events.len(), access::events().len());
    let mut projections = luzhang_projections::projection::Projections::default();
    for (bytes, expected) in events.iter().zip(access::events()) {
        assert_eq!(codec::decode(bytes).unwrap(), expected);
        check_round_trip(&expected);
        projections.apply(&expected);
    }
    let held = projections.state.access.mandates();
    let held: Vec<_> = held.map(|held| held.mandate.principal.as_str()).collect();
    assert_eq!(held, ["admin-1", "admin-2", "clerk-03"]);
    assert_eq!(projections.state.access.proposals().count(), 1);
    assert!(projections.state.is_erased(sample::person()));
}

#[test]
fn the_samples_have_every_kind_of_body_and_of_claim_refused() {
    let descriptors = prost_types::FileDescriptorSet::decode(luzhang_proto::DESCRIPTORS).unwrap();
    let oneof = |message: &str| -> BTreeSet<String> {
        let mut files = descriptors.file.iter();
        let file = files
            .find(|file| file.package() == "luzhang.event.v1")
            .unwrap();
        let mut messages = file.message_type.iter();
        let message = messages.find(|m| m.name() == message).unwrap();
        let fields = message.field.iter();
        let fields = fields.filter(|field| field.oneof_index.is_some());
        fields.map(|field| field.name().to_owned()).collect()
    };
    let events = [
        sample::events(),
        life::events(),
        signed::events(),
        access::events(),
    ]
    .concat();
    let kinds: BTreeSet<_> = events
        .iter()
        .map(|event| event.body.kind().to_owned())
        .collect();
    let mut stored = oneof("Event");
    assert!(stored.remove("step"), "steps go by the names of their own");
    stored.extend(oneof("Step"));
    assert_eq!(kinds, stored);
    let known: BTreeSet<_> = KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(kinds, known);
    let mut refused = BTreeSet::new();
    for event in &events {
        if let Body::Refused(refusal) = &event.body {
            refused.insert(refusal.claim.form());
        }
    }
    assert_eq!(refused.len(), oneof("CommandRefused").len());
    assert_eq!(refused.len(), oneof("Claim").len());
}

#[test]
fn the_sample_reads_back_as_it_was_written() {
    for (event, bytes) in sample::events().iter().zip(stored_events()) {
        check_round_trip(event);
        assert_eq!(
            codec::position_of(&bytes),
            Some(event.header.position.number())
        );
        assert_eq!(
            codec::recorded_at_of(&bytes),
            Some(event.header.recorded_at)
        );
    }
}

#[test]
fn a_position_is_first_in_the_fewest_bytes_and_stands_once() {
    let [event, ..] = &stored_events()[..] else {
        panic!("no events")
    };
    let rest = &event[2..];
    let rows: [(&[u8], &[u8], Option<u64>); 4] = [
        (&[0x08, 0x01], &[], Some(1)),
        // 1 in two bytes.
        (&[0x08, 0x81, 0x00], &[], None),
        // Nothing, then the position at the end.
        (&[], &[0x08, 0x01], None),
        // 1 first, 2 at the end: protobuf takes the last.
        (&[0x08, 0x01], &[0x08, 0x02], Some(1)),
    ];
    for (row, (before, after, position)) in rows.into_iter().enumerate() {
        let bytes = [before, rest, after].concat();
        assert_eq!(codec::position_of(&bytes), position, "row {row}");
        assert_eq!(codec::decode(&bytes).is_ok(), row == 0, "row {row}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_event_reads_back_as_it_was_written(event in arbitrary::event()) {
        check_round_trip(&event);
    }

    #[test]
    fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_total(&bytes);
        let _ = block::from_stored(&bytes);
        if let Ok(view) = BlockView::parse(&bytes) {
            view.frames().for_each(drop);
        }
        let _ = verify_export(&bytes[..], None, |_| {});
    }

    #[test]
    fn no_change_to_an_event_makes_decoding_panic(
        event in arbitrary::event(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = Vec::new();
        codec::encode(&event, &mut bytes);
        for (place, value) in flips {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check_total(&bytes);
    }

    // A block that says it is one, with anything inside.
    #[test]
    fn no_block_makes_verification_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 172..600),
    ) {
        let frames = u32::try_from(bytes.len() - 172).unwrap();
        bytes[..4].copy_from_slice(&[1, 1, 0, 0]);
        bytes[136..140].copy_from_slice(&frames.to_le_bytes());
        let report = verify_export(&sample::export([&bytes])[..], None, |_| {});
        prop_assert_eq!(report.verdict, Verdict::Tampered);
        prop_assert_eq!(report.first_bad_position(), Position::new(1));
    }
}

/// The verifier in Python, written from FORMAT.md alone, and this one agree on
/// whole and on damaged files.
#[test]
fn the_verifier_in_python_says_the_same() {
    let whole = fs::read(fixture("v1/ledger.luzhang-export")).unwrap();
    let blocks: Vec<_> = sample::blocks()
        .into_iter()
        .map(|block| block.bytes)
        .collect();
    let mut files = vec![
        whole.clone(),
        sample::export::<&[u8]>([]),
        sample::export([&blocks[0]]),
        sample::export([&blocks[0], &blocks[2]]),
        sample::export([&blocks[1], &blocks[0]]),
        sample::export([&blocks[0], &blocks[1], &blocks[1]]),
        [&whole[..], b"!"].concat(),
        [&whole[..], &whole].concat(),
        b"LUZHANG EXPORT 2, and some more bytes of it".to_vec(),
        whole[..32].to_vec(),
        vec![],
    ];
    // The length of the first block, of a later one and of the last set to zero.
    for place in [
        32,
        32 + 4 + blocks[0].len(),
        whole.len() - 116 - blocks[5].len() - 4,
    ] {
        let mut file = whole.clone();
        file[place..place + 4].fill(0);
        files.push(file);
    }
    let intact = files.len();
    // Every place of header, first block and trailer; then every so often.
    let places = (0..340).chain((340..whole.len() - 120).step_by(23));
    for place in places.chain(whole.len() - 120..whole.len()) {
        for pattern in [0x01, 0x80, 0xff, whole[place]] {
            let mut file = whole.clone();
            file[place] ^= pattern;
            // Clearing a byte that is zero changes nothing.
            if pattern != 0 {
                files.push(file);
            }
        }
        files.push(whole[..place].to_vec());
    }
    let found = python(&files);
    assert_eq!(found.len(), files.len());
    for (number, (file, found)) in files.iter().zip(&found).enumerate() {
        let report = verify_export(&file[..], None, |_| {});
        let expected = (
            report.verdict.word(),
            report.first_bad_position().map(Position::number),
        );
        let found_bad = found["first_bad_position"].as_u64();
        assert_eq!(
            (found["verdict"].as_str().unwrap(), found_bad),
            expected,
            "file {number}"
        );
        if number >= intact {
            assert!(["tampered", "truncated", "unreadable"].contains(&expected.0));
        }
    }
    let head = sample::blocks().last().unwrap().head.chain.to_string();
    assert_eq!(found[0]["verdict"], "self_consistent");
    assert_eq!(found[0]["events"], 29);
    assert_eq!(found[0]["chain_head"], head);
    println!(
        "{} files, the same verdict and position in both",
        files.len()
    );
}

#[track_caller]
fn check_round_trip(event: &Event) {
    let mut bytes = Vec::new();
    codec::encode(event, &mut bytes);
    assert_eq!(codec::decode(&bytes).as_ref(), Ok(event));
    assert_eq!(
        codec::position_of(&bytes),
        Some(event.header.position.number())
    );
    assert_eq!(
        codec::recorded_at_of(&bytes),
        Some(event.header.recorded_at)
    );
}

/// Any bytes are an event or an error; if an event, one that can be written.
#[track_caller]
fn check_total(bytes: &[u8]) {
    let _ = (codec::position_of(bytes), codec::recorded_at_of(bytes));
    if let Ok(event) = codec::decode(bytes) {
        check_round_trip(&event);
    }
}

/// The root of the tree over the sample's events.
fn sample_root() -> Node {
    let mut frontier = Frontier::default();
    let blocks = sample::blocks();
    let events = blocks.iter().flat_map(|block| &block.events);
    events.for_each(|event| frontier.push(Node::of_event(*event)));
    frontier.head().root
}

fn stored_events() -> Vec<Vec<u8>> {
    let encoded = |event: &Event| {
        let mut bytes = Vec::new();
        codec::encode(event, &mut bytes);
        bytes
    };
    sample::events().iter().map(encoded).collect()
}

/// The events in an export file, by the table of FORMAT.md.
fn events_of(file: &[u8]) -> Vec<Vec<u8>> {
    let mut events = Vec::new();
    let mut rest = &file[32..];
    loop {
        let (length, after) = rest.split_first_chunk().unwrap();
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap();
        if length == 0 {
            return events;
        }
        let (block, after) = after.split_at(length);
        let view = BlockView::parse(block).unwrap();
        events.extend(view.frames().map(|frame| frame.unwrap().event.to_vec()));
        rest = after;
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}
