//! A ledger that has signed: the kinds of event that came with checkpoints, and
//! the files that are handed out. `fixtures/v1-signed` was made from it.

use std::collections::BTreeMap;

use luzhang_ledger::{
    Body, Event, Hash, Header, Position, StreamId, StreamKind,
    block::{BlockBuilder, Head, SealedBlock},
    event::{Attested, KeyAdoption},
    proof::{
        Frontier, Node, SignedCheckpoint, SigningKey,
        note::{KeyName, Purpose},
        receipt::{Receipt, Subject},
        rotation,
        tile::{Tile, TiledTree, Tiles},
        tree::{self, index_of},
        witness::Extension,
    },
    text::{Label, Principal},
};

use crate::sample::{self, ledger, position};

/// The ledger's first key, and the one that followed it.
pub(crate) fn keys() -> [SigningKey; 2] {
    [0x31, 0x32].map(|byte| {
        SigningKey::from_seed(KeyName::of_ledger(ledger()), Purpose::Author, &[byte; 32])
    })
}

/// A witness.
pub(crate) fn witness() -> SigningKey {
    let name = KeyName::new("audit.example/w1").unwrap();
    SigningKey::from_seed(name, Purpose::Witness, &[0x33; 32])
}

fn bodies() -> Vec<Body> {
    let [first, second] = keys();
    let adopted = |key: &SigningKey, endorsement| {
        Body::CheckpointKeyAdopted(Box::new(KeyAdoption {
            key: key.verifier().clone(),
            endorsement,
        }))
    };
    let attested = |projection: &str, version, byte| Attested {
        projection: Label::new(projection).unwrap(),
        version,
        digest: Hash::from_bytes([byte; 32]),
    };
    vec![
        sample::bodies().swap_remove(0),
        adopted(&first, None),
        Body::StateAttested(vec![
            attested("limits", 2, 0xAA),
            attested("budget", 3, 0xBB),
        ]),
        adopted(
            &second,
            Some(rotation::endorse(&first, second.verifier()).unwrap()),
        ),
        Body::StateAttested(vec![attested("limits", 2, 0xCC)]),
    ]
}

/// The sample's events, in order.
pub(crate) fn events() -> Vec<Event> {
    let mut streams = BTreeMap::<StreamId, (u64, Position)>::new();
    let mut events = Vec::new();
    for (body, number) in bodies().into_iter().zip(1_u64..) {
        let kind = match body {
            Body::StateAttested(_) => StreamKind::State,
            _ => StreamKind::Ledger,
        };
        let stream = StreamId::of(kind, &ledger().to_string());
        let before = streams.get(&stream).copied();
        let revision = before.map_or(1, |(revision, _)| revision + 1);
        streams.insert(stream, (revision, position(number)));
        let header = Header {
            position: position(number),
            stream,
            revision,
            stream_previous: before.map(|(_, last)| last),
            recorded_at: 1_767_225_600_000_000 + i64::try_from(number).unwrap() * 1_000,
            request: None,
            principal: Principal::ledger(),
            office: None,
            basis: None,
            policy: None,
            cause: None,
            salt: [u8::try_from(number).unwrap(); 16],
            credential: None,
        };
        events.push(Event { header, body });
    }
    events
}

/// The first event alone, then the others.
pub(crate) fn blocks() -> Vec<SealedBlock> {
    let events = events();
    let (first, rest) = events.split_at(1);
    let mut head = Head::genesis(ledger());
    let mut blocks = Vec::new();
    for group in [first, rest] {
        let mut builder = BlockBuilder::new(head, 1);
        for event in group {
            builder.push(event).unwrap().expect("room in the block");
        }
        let block = builder.seal();
        head = block.head;
        blocks.push(block);
    }
    blocks
}

/// The leaves, which are the tree's only tile.
struct Leaves(Vec<Node>);

impl Tiles for Leaves {
    type Error = std::convert::Infallible;

    fn tile(&self, tile: Tile) -> Result<Vec<Node>, Self::Error> {
        Ok(self.0[..usize::from(tile.width())].to_vec())
    }
}

pub(crate) fn hashes() -> Vec<Hash> {
    blocks()
        .into_iter()
        .flat_map(|block| block.events)
        .collect()
}

fn leaves() -> Leaves {
    Leaves(hashes().into_iter().map(Node::of_event).collect())
}

/// The checkpoint over the first events, signed with this key.
fn checkpoint(size: usize, key: &SigningKey) -> SignedCheckpoint {
    let mut frontier = Frontier::default();
    leaves().0[..size]
        .iter()
        .for_each(|leaf| frontier.push(*leaf));
    SignedCheckpoint::sign(frontier.head(), &[key]).unwrap()
}

/// Every file of the fixture, by its name.
pub(crate) fn files() -> BTreeMap<&'static str, Vec<u8>> {
    let [first, second] = keys();
    let old = checkpoint(3, &first);
    let mut new = checkpoint(5, &second);
    let cosignature = new.cosign(&witness(), 1_767_225_700);
    new.add(cosignature);
    let mut nodes = TiledTree::new(leaves(), 5);
    let proof = tree::consistency(&mut nodes, 3, 5).unwrap();
    let extension = Extension {
        old: 3,
        proof,
        checkpoint: new.clone(),
    };
    let at = position(3);
    let path = tree::inclusion(&mut nodes, index_of(at), 5).unwrap();
    let (hashes, events) = (hashes(), events());
    let mut stored = Vec::new();
    luzhang_ledger::codec::encode(&events[2], &mut stored);
    let receipt = |subject| Receipt {
        subject,
        position: at,
        path: path.clone(),
        checkpoint: new.clone(),
    };
    let by_content = Subject::Content {
        previous: hashes[1],
        stored,
    };
    let keys = [first.verifier(), second.verifier()].map(|key| format!("log {key}\n"));
    let witness = format!("witness audit {}\nquorum audit\n", witness().verifier());
    let export = sample::export(blocks().iter().map(|block| &block.bytes));
    let text = |text: String| text.into_bytes();
    [
        ("ledger.luzhang-export", export),
        ("old.checkpoint", text(old.to_string())),
        ("new.checkpoint", text(new.to_string())),
        ("old-to-new.consistency", text(extension.to_string())),
        (
            "hash.tlog-proof",
            text(receipt(Subject::Hash(hashes[2])).to_string()),
        ),
        ("content.tlog-proof", text(receipt(by_content).to_string())),
        ("policy", text(keys.concat() + &witness)),
    ]
    .into()
}
