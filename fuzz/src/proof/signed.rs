//! Notes, checkpoints, receipts and requests: whatever verifies is true.

use std::sync::LazyLock;

use ed25519_dalek::{Signature, VerifyingKey};
use luzhang_ledger::{
    Position,
    hash::{ChainHasher, Hash},
    proof::{
        Checkpoint, Node, Note, Policy, Receipt, SignedCheckpoint, SigningKey, VerifierKey,
        note::{KeyName, NoteError, Purpose, SignatureLine},
        policy::Trusted,
        receipt::Subject,
        tile::TiledTree,
        tree::{self, TreeHead},
        witness::{Extension, judge},
    },
};
use sha2::{Digest as _, Sha256};

use super::{
    super::edits::edited,
    model,
    trees::{Kept, event},
};

const ORIGIN: &str = "luzhang/a-ledger";
/// Sizes of the trees whose heads are signed.
const SIZES: [u64; 3] = [13, 21, 300];
/// The place, from 0, of the event whose content is known.
const TOLD: u64 = 2;

struct World {
    log: SigningKey,
    witnesses: [SigningKey; 3],
    kept: Kept,
    policy: Policy,
    /// All that was ever signed.
    checkpoints: Vec<SignedCheckpoint>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

fn key(name: &str, purpose: Purpose, number: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::new(name).unwrap(), purpose, &[number; 32])
}

/// The event whose content is known.
fn told() -> Subject {
    Subject::Content {
        previous: event(TOLD - 1),
        stored: vec![0x08, TOLD as u8 + 1, 0x12, 0x03, b'a', b'b', b'c'],
    }
}

fn event_at(index: u64) -> Hash {
    if index == TOLD {
        told().event_hash()
    } else {
        event(index)
    }
}

impl World {
    fn new() -> Self {
        let log = key(ORIGIN, Purpose::Author, 1);
        let witness = |number| key(&format!("w{number}.example"), Purpose::Witness, number);
        let witnesses = [11, 12, 13].map(witness);
        let kept = Kept::of((0..300).map(event_at));
        let policy = format!(
            "log {}\nwitness a {}\nwitness b {}\ngroup g any a b\nquorum g\n",
            log.verifier(),
            witnesses[0].verifier(),
            witnesses[1].verifier(),
        );
        let checkpoints = SIZES.map(|size| {
            let mut signed = SignedCheckpoint::sign(kept.head(size), &[&log]).unwrap();
            for (number, witness) in (0..).zip(&witnesses) {
                let line = signed.cosign(witness, 1_700_000_000 + size + number);
                signed.add(line);
            }
            signed
        });
        Self {
            policy: policy.parse().unwrap(),
            checkpoints: checkpoints.to_vec(),
            log,
            witnesses,
            kept,
        }
    }

    fn keys(&self) -> Vec<&VerifierKey> {
        let witnesses = self.witnesses.iter().map(SigningKey::verifier);
        [self.log.verifier()].into_iter().chain(witnesses).collect()
    }

    fn was_signed(&self, text: &str) -> bool {
        let mut signed = self.checkpoints.iter();
        signed.any(|signed| signed.note().text() == text)
    }

    fn receipt(&self, checkpoint: usize, index: u64, subject: Subject) -> Receipt {
        let size = SIZES[checkpoint];
        let Ok(path) = tree::inclusion(&mut TiledTree::new(&self.kept, size), index, size);
        Receipt {
            subject,
            position: Position::new(index + 1).unwrap(),
            path,
            checkpoint: self.checkpoints[checkpoint].clone(),
        }
    }

    fn request(&self, old: u64, checkpoint: usize) -> Extension {
        let size = SIZES[checkpoint];
        let Ok(proof) = tree::consistency(&mut TiledTree::new(&self.kept, size), old, size);
        Extension {
            old,
            proof,
            checkpoint: self.checkpoints[checkpoint].clone(),
        }
    }
}

/// Takes raw bytes (`r`), or edits of one of several sound texts.
fn raw_or_edited(bytes: &[u8], sound: &[String]) -> Vec<u8> {
    match bytes {
        [b'r', raw @ ..] => raw.to_vec(),
        [which, other, edits @ ..] => {
            let sound = |choice: &u8| sound[usize::from(*choice) % sound.len()].as_bytes();
            edited(sound(which), sound(other), edits)
        }
        _ => Vec::new(),
    }
}

/// Seeds for [`raw_or_edited`].
fn seeds_of(sound: &[String]) -> Vec<Vec<u8>> {
    let raw = sound.iter().map(|text| [b"r", text.as_bytes()].concat());
    let edits = (0..sound.len() as u8).flat_map(|which| {
        [
            vec![which, which.wrapping_add(1)],
            vec![which, which.wrapping_add(1), 0, 0, 40, 1],
            vec![which, which.wrapping_add(1), 4, 0, 8, 5, 7, 0, 4, 0],
            vec![which, which.wrapping_add(1), 6, 0, 1, 1, 6, 0, 2, 2],
        ]
    });
    raw.chain(edits).collect()
}

fn checkpoint_texts() -> Vec<String> {
    WORLD.checkpoints.iter().map(ToString::to_string).collect()
}

pub fn note_seeds() -> Vec<Vec<u8>> {
    let keys = WORLD.keys().into_iter().map(|key| format!("k{key}"));
    let mut seeds = seeds_of(&checkpoint_texts());
    seeds.extend(keys.map(String::into_bytes));
    let line = WORLD.checkpoints[0].note().signatures()[0].to_string();
    seeds.push(format!("s{line}").into_bytes());
    seeds.push("ra\n\nb\n\n\u{2014} x AAAAAAA=\n".as_bytes().to_vec());
    seeds
}

pub fn checkpoint_seeds() -> Vec<Vec<u8>> {
    let mut seeds = seeds_of(&checkpoint_texts());
    let text = WORLD.checkpoints[0].to_string();
    let extended = text.replacen("\n\n", "\nextension\n\n", 1);
    seeds.push(format!("r{extended}").into_bytes());
    seeds
}

fn receipt_texts() -> Vec<String> {
    let world = &*WORLD;
    let by_hash = |index| Subject::Hash(event_at(index));
    [
        world.receipt(1, 13, by_hash(13)),
        world.receipt(0, TOLD, told()),
        world.receipt(2, 299, by_hash(299)),
        world.receipt(2, TOLD, by_hash(TOLD)),
    ]
    .map(|receipt| receipt.to_string())
    .to_vec()
}

pub fn receipt_seeds() -> Vec<Vec<u8>> {
    seeds_of(&receipt_texts())
}

fn request_texts() -> Vec<String> {
    let world = &*WORLD;
    [(0, 0), (13, 1), (21, 2), (21, 1)]
        .map(|(old, checkpoint)| world.request(old, checkpoint).to_string())
        .to_vec()
}

pub fn request_seeds() -> Vec<Vec<u8>> {
    let raw = request_texts().into_iter();
    let raw = raw.map(|text| [b"r", text.as_bytes()].concat());
    let edits = (0..4).map(|which| vec![b'e', which, which + 1, 0, 0, 4, 1]);
    raw.chain(edits).collect()
}

/// What the key with this name and id says of a line, from the specifications.
fn model_verify(text: &str, line: &SignatureLine, keys: &[&VerifierKey]) -> Option<bool> {
    let key = keys.iter().find(|key| {
        let kind = match key.purpose() {
            Purpose::Author => 1,
            Purpose::Witness => 4,
        };
        let material = [&[kind], key.key_bytes().as_slice()].concat();
        let digest = Sha256::digest([key.name().as_str().as_bytes(), b"\n", &material].concat());
        let id: String = digest[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(id, key.id().to_string());
        (key.name(), id) == (line.name(), line.id().to_string())
    })?;
    let line = line.to_string();
    let base64 = line.rsplit_once(' ').unwrap().1;
    let bytes = &decode(base64)[4..];
    let (message, signature) = match key.purpose() {
        Purpose::Author => (text.to_owned(), bytes),
        Purpose::Witness if bytes.len() < 8 => return Some(false),
        Purpose::Witness => {
            let (time, signature) = bytes.split_at(8);
            let time = u64::from_be_bytes(time.try_into().unwrap());
            if time == 0 || time >> 63 == 1 {
                return Some(false);
            }
            (format!("cosignature/v1\ntime {time}\n{text}"), signature)
        }
    };
    let Ok(signature) = Signature::from_slice(signature) else {
        return Some(false);
    };
    let key = VerifyingKey::from_bytes(key.key_bytes()).unwrap();
    Some(key.verify_strict(message.as_bytes(), &signature).is_ok())
}

/// Base64 that is known to be sound.
fn decode(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for digit in text.bytes().filter(|byte| *byte != b'=') {
        let value = alphabet.iter().position(|known| *known == digit).unwrap();
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    assert_eq!(bits, 0, "bits that count for nothing");
    bytes
}

/// Keys (`k`), signature lines (`s`), and notes.
pub fn note(bytes: &[u8]) {
    match bytes {
        [b'k', text @ ..] => {
            let text = str::from_utf8(text).unwrap_or_default();
            if let Ok(key) = text.parse::<VerifierKey>() {
                assert_eq!(key.to_string(), text);
            }
            if let Ok(name) = KeyName::new(text) {
                assert!(!text.is_empty() && !text.contains(['+', ' ', '\n']));
                assert_eq!(name.as_str(), text);
            }
        }
        [b's', text @ ..] => {
            let text = str::from_utf8(text).unwrap_or_default();
            if let Ok(line) = text.parse::<SignatureLine>() {
                assert_eq!(line.to_string(), text);
            }
        }
        bytes => whole_note(&raw_or_edited(bytes, &checkpoint_texts())),
    }
}

fn whole_note(bytes: &[u8]) {
    let Ok(note) = Note::parse(bytes) else {
        return;
    };
    assert_eq!(note.to_string().as_bytes(), bytes);
    assert_eq!(
        Note::new(note.text().to_owned()).unwrap().text(),
        note.text()
    );
    let keys = WORLD.keys();
    let lines = note.signatures().iter();
    let answers: Vec<bool> = lines
        .filter_map(|line| model_verify(note.text(), line, &keys))
        .collect();
    let expected = !answers.is_empty() && answers.iter().all(|holds| *holds);
    let verified = note.verify(&keys);
    assert_eq!(verified.is_ok(), expected, "{verified:?}");
    match verified {
        Ok(verified) => {
            assert!(WORLD.was_signed(note.text()));
            assert!((1..=answers.len()).contains(&verified.len()));
        }
        Err(NoteError::Unsigned) => assert!(answers.is_empty()),
        Err(error) => assert!(matches!(error, NoteError::Forged(_)), "{error}"),
    }
}

/// What is trusted was signed, by those who are said to have signed it.
fn is_true(trusted: &Trusted, signed: &SignedCheckpoint) {
    let world = &*WORLD;
    assert!(world.was_signed(signed.note().text()));
    assert_eq!(trusted.origin, ORIGIN);
    assert!(SIZES.contains(&trusted.head.size));
    assert_eq!(trusted.head, world.kept.head(trusted.head.size));
    assert_eq!(trusted.log, *world.log.verifier());
    assert!(!trusted.cosigners.is_empty());
    for cosigner in &trusted.cosigners {
        let number = (cosigner.time - 1_700_000_000 - trusted.head.size) as usize;
        assert!(number < 2, "the third is not trusted");
        assert_eq!(cosigner.key, *world.witnesses[number].verifier());
    }
}

/// Checkpoints, and what a policy says of them.
pub fn checkpoint(bytes: &[u8]) {
    let bytes = raw_or_edited(bytes, &checkpoint_texts());
    if let Ok(text) = str::from_utf8(&bytes)
        && let Ok(checkpoint) = Checkpoint::parse(text)
    {
        assert_eq!(checkpoint.to_string(), text);
    }
    let Ok(signed) = SignedCheckpoint::parse(&bytes) else {
        return;
    };
    assert_eq!(signed.to_string().as_bytes(), bytes);
    let checkpoint = signed.checkpoint();
    assert_eq!(checkpoint.to_string(), signed.note().text());
    assert!(checkpoint.head.size > 0 || checkpoint.head.root == Node::EMPTY);
    if let Ok(trusted) = WORLD.policy.check(&signed) {
        is_true(&trusted, &signed);
    }
}

/// Receipts.
pub fn receipt(bytes: &[u8]) {
    let bytes = raw_or_edited(bytes, &receipt_texts());
    let Ok(receipt) = Receipt::parse(&bytes) else {
        return;
    };
    assert_eq!(receipt.to_string().as_bytes(), bytes);
    let hash = match &receipt.subject {
        Subject::Hash(hash) => *hash,
        Subject::Content { previous, stored } => ChainHasher::default().event(*previous, stored),
    };
    let index = tree::index_of(receipt.position);
    let head = receipt.checkpoint.head();
    let path: Vec<model::Digest> = receipt.path.iter().map(|node| *node.as_bytes()).collect();
    let leaf = model::leaf(hash.as_bytes());
    let included = model::includes(leaf, index, head.size, *head.root.as_bytes(), &path);
    let trusted = WORLD.policy.check(&receipt.checkpoint);
    let elsewhere = receipt.subject != Subject::Hash(hash) && receipt.subject != told();
    match receipt.verify(&WORLD.policy) {
        Ok(proven) => {
            assert!(included);
            is_true(&proven.checkpoint, &receipt.checkpoint);
            assert_eq!(proven.position, receipt.position);
            assert_eq!(proven.event_hash, hash);
            assert!(index < proven.checkpoint.head.size);
            assert_eq!(hash, event_at(index), "an event that is not there");
            assert!(matches!(receipt.subject, Subject::Hash(_)) || receipt.subject == told());
        }
        Err(_) => assert!(!included || trusted.is_err() || elsewhere),
    }
}

pub fn edited_request(edits: &[u8]) {
    request(&raw_or_edited(edits, &request_texts()));
}

/// Requests: what they continue, and what a witness says.
pub fn request(bytes: &[u8]) {
    let Ok(request) = Extension::parse(bytes) else {
        return;
    };
    assert_eq!(request.to_string().as_bytes(), bytes);
    let world = &*WORLD;
    let new = request.checkpoint.head();
    let proof: Vec<model::Digest> = request.proof.iter().map(|node| *node.as_bytes()).collect();
    let mut seen: Vec<TreeHead> = [0, 13, 21, 300].map(|size| world.kept.head(size)).to_vec();
    seen.push(new);
    for seen in seen {
        let head = |head: TreeHead| (head.size, *head.root.as_bytes());
        let expected = request.old == seen.size && model::continues(head(seen), head(new), &proof);
        assert_eq!(request.continues(&seen).is_ok(), expected);
        let signed = request.checkpoint.verify(&[world.log.verifier()]);
        let judged = judge(&seen, &[world.log.verifier()], &request);
        assert_eq!(judged.is_ok(), expected && signed.is_ok(), "{judged:?}");
        match judged {
            Ok(head) => {
                assert_eq!(head, new);
                assert!(head.size >= seen.size);
                assert!(world.was_signed(request.checkpoint.note().text()));
            }
            Err(refusal) => assert!([400, 403, 409, 422].contains(&refusal.status())),
        }
    }
}
