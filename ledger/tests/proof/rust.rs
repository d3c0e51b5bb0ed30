//! The crates `signed_note` and `tlog_tiles`, by others: what one writes the other
//! reads, and what one proves the other checks.

use luzhang_ledger::{
    hash::Hash as EventHash,
    proof::{
        Node, Note, SignedCheckpoint,
        note::{NoteError, Purpose},
        tile::{Resource, Tile, TiledTree, bytes_of, entries_of},
        tree,
    },
};
use signed_note::{
    Note as TheirNote, StandardSigner, StandardVerifier, Verifier as _, VerifierList,
};
use tlog_tiles::{
    Checkpoint as TheirCheckpoint, Error, Hash, HashReader, Tile as TheirTile, TileHashReader,
    TileReader, check_record, check_tree, prove_record, prove_tree, record_hash, stored_hash_index,
    stored_hashes_for_record_hash, tree_hash,
};

use crate::{Kept, event, flip_node, key, vkey};

/// Their key of a name and a seed, as text: secret and public.
fn their_key(name: &str, number: u8) -> (StandardSigner, String) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let seed = [number; 32];
    let secret = ed25519_dalek::SigningKey::from_bytes(&seed);
    let public = [&[1], secret.verifying_key().as_bytes().as_slice()].concat();
    let id = signed_note::key_id(name, &public);
    let secret = STANDARD.encode([&[1], seed.as_slice()].concat());
    let signer = StandardSigner::new(&format!("PRIVATE+KEY+{name}+{id:08x}+{secret}"));
    let public = format!("{name}+{id:08x}+{}", STANDARD.encode(public));
    (signer.unwrap(), public)
}

fn verifiers(vkeys: &[&str]) -> VerifierList {
    let verifier = |vkey: &&str| Box::new(StandardVerifier::new(vkey).unwrap()) as Box<_>;
    VerifierList::new(vkeys.iter().map(verifier).collect())
}

#[test]
fn another_program_reads_another_key() {
    for name in [
        "a",
        "example.com/log",
        "\u{6cf8}\u{5dde}/\u{8d26}",
        "luzhang/0198",
    ] {
        for number in 1..20 {
            let ours = key(name, Purpose::Author, number);
            let (_, theirs) = their_key(name, number);
            assert_eq!(ours.verifier().to_string(), theirs);
            assert_eq!(vkey(&theirs), *ours.verifier());
            let read = StandardVerifier::new(&theirs).unwrap();
            assert_eq!(read.name(), name);
            assert_eq!(
                format!("{:08x}", read.key_id()),
                ours.verifier().id().to_string()
            );
        }
    }
    for wrong in ["", "a", "a b+00000000+AQ==", "a+00000000+AQ==", "a+0+AQ=="] {
        assert!(StandardVerifier::new(wrong).is_err(), "{wrong}");
        assert!(wrong.parse::<luzhang_ledger::proof::VerifierKey>().is_err());
    }
}

#[test]
fn a_note_that_another_program_signed_is_not_believed() {
    let (signer, public) = their_key("example.com/them", 5);
    let (other, other_public) = their_key("example.com/others", 6);
    for text in ["one line\n", "\n", "a\n\nb\n\n", "\u{6cf8}\u{5dde}\n"] {
        let mut note = TheirNote::new(text.as_bytes(), &[]).unwrap();
        note.add_sigs(&[&signer, &other]).unwrap();
        let bytes = note.to_bytes();
        let read = Note::parse(&bytes).unwrap();
        assert_eq!(read.text(), text);
        assert_eq!(read.to_string().as_bytes(), bytes);
        let verified = read.verify(&[&vkey(&public)]).unwrap();
        assert_eq!((verified.len(), verified[0].time), (1, None));
        assert_eq!(
            read.verify(&[&vkey(&public), &vkey(&other_public)])
                .unwrap()
                .len(),
            2
        );
        let stranger = key("example.com/them", Purpose::Author, 7);
        assert_eq!(
            read.verify(&[stranger.verifier()]),
            Err(NoteError::Unsigned)
        );
    }
}

#[test]
fn a_checkpoint_of_ours_is_not_believed_by_another_program() {
    let (old, new) = (
        key("log", Purpose::Author, 1),
        key("log", Purpose::Author, 2),
    );
    let kept = Kept::events(300);
    for size in [0, 1, 255, 256, 300] {
        let head = kept.head(size);
        let mut signed = SignedCheckpoint::sign(head, &[&old, &new]).unwrap();
        signed.add(signed.cosign(&key("w", Purpose::Witness, 3), 1_700_000_000));
        let text = signed.to_string();
        let note = TheirNote::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(note.to_bytes(), text.as_bytes());
        for keys in [&[&old][..], &[&new], &[&old, &new]] {
            let vkeys: Vec<String> = keys.iter().map(|key| key.verifier().to_string()).collect();
            let vkeys: Vec<&str> = vkeys.iter().map(String::as_str).collect();
            let (verified, passed_over) = note.verify(&verifiers(&vkeys)).unwrap();
            assert_eq!(verified.len(), keys.len());
            assert_eq!(passed_over.len(), 3 - keys.len());
        }
        let (_, stranger) = their_key("log", 9);
        assert!(note.verify(&verifiers(&[&stranger])).is_err());

        let theirs = TheirCheckpoint::from_bytes(note.text()).unwrap();
        assert_eq!(theirs.origin(), "log");
        assert_eq!(theirs.size(), size);
        assert_eq!(theirs.hash().0, *head.root.as_bytes());
        assert_eq!(theirs.to_bytes(), signed.note().text().as_bytes());
    }
}

#[test]
fn a_checkpoint_of_another_program_is_not_believed_by_ours() {
    let (signer, public) = their_key("example.com/them", 5);
    for (size, root, extension) in [
        (0, *Node::EMPTY.as_bytes(), ""),
        (1, [7; 32], ""),
        (u64::MAX, [0xff; 32], "one\ntwo\n"),
    ] {
        let theirs = TheirCheckpoint::new("example.com/them", size, Hash(root), extension);
        let text = theirs.unwrap().to_bytes();
        let mut note = TheirNote::new(&text, &[]).unwrap();
        note.add_sigs(&[&signer]).unwrap();
        let read = SignedCheckpoint::parse(&note.to_bytes()).unwrap();
        assert_eq!(read.head().size, size);
        assert_eq!(*read.head().root.as_bytes(), root);
        assert_eq!(read.checkpoint().origin, "example.com/them");
        assert_eq!(
            read.checkpoint().extensions.len(),
            extension.lines().count()
        );
        assert_eq!(read.verify(&[&vkey(&public)]).unwrap().len(), 1);
    }
}

/// Their store of hashes, in their order.
struct Stored(Vec<Hash>);

impl Stored {
    fn events(size: u64) -> Self {
        let mut stored = Self(Vec::new());
        for number in 0..size {
            let record = record_hash(event(number).as_bytes());
            let hashes = stored_hashes_for_record_hash(number, record, &stored).unwrap();
            stored.0.extend(hashes);
        }
        stored
    }
}

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let hash = |index: &u64| self.0[usize::try_from(*index).unwrap()];
        Ok(indexes.iter().map(hash).collect())
    }
}

/// Our tiles, as they ask for them.
struct OurTiles<'a>(&'a Kept);

impl OurTiles<'_> {
    fn ours(tile: &TheirTile) -> Tile {
        let width = u16::try_from(tile.width()).unwrap();
        Tile::new(tile.level(), tile.level_index(), width).unwrap()
    }
}

impl TileReader for OurTiles<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[TheirTile]) -> Result<Vec<Vec<u8>>, Error> {
        let bytes = |tile| {
            let Ok(nodes) = luzhang_ledger::proof::tile::Tiles::tile(self.0, Self::ours(tile));
            bytes_of(&nodes)
        };
        Ok(tiles.iter().map(bytes).collect())
    }

    fn save_tiles(&self, _: &[TheirTile], _: &[Vec<u8>]) {}
}

fn theirs(path: &[Node]) -> Vec<Hash> {
    path.iter().map(|node| Hash(*node.as_bytes())).collect()
}

fn ours(path: &[Hash]) -> Vec<Node> {
    path.iter().map(|hash| Node::from_bytes(hash.0)).collect()
}

const SIZES: [u64; 14] = [1, 2, 3, 7, 8, 9, 31, 64, 100, 255, 256, 257, 512, 700];
const LARGEST: u64 = 700;

/// From their own store, and from our tiles, which their reader authenticates
/// against our root.
#[test]
fn another_program_has_another_root_or_other_paths() {
    let kept = Kept::events(LARGEST);
    let stored = Stored::events(LARGEST);
    let heads = kept.heads(LARGEST);
    assert_eq!(tree_hash(0, &stored).unwrap().0, *Node::EMPTY.as_bytes());
    for size in SIZES {
        let head = heads[usize::try_from(size).unwrap()];
        let root = Hash(*head.root.as_bytes());
        assert!(tree_hash(size, &stored).unwrap() == root, "root of {size}");
        let tiles = OurTiles(&kept);
        let through_tiles = TileHashReader::new(size, root, &tiles);
        assert!(tree_hash(size, &through_tiles).unwrap() == root);
        let mut tree = TiledTree::new(&kept, size);
        for index in (0..size).step_by(if size > 100 { 13 } else { 1 }) {
            let leaf = kept.leaf(index);
            let Ok(path) = tree::inclusion(&mut tree, index, size);
            for theirs in [
                prove_record(size, index, &stored).unwrap(),
                prove_record(size, index, &through_tiles).unwrap(),
            ] {
                assert_eq!(ours(&theirs), path, "{index} in {size}");
                assert_eq!(tree::verify_inclusion(leaf, &ours(&theirs), &head), Ok(()));
            }
            let hash = |node: Node| Hash(*node.as_bytes());
            let checked = |path: &[Node], node| {
                check_record(&theirs(path), size, root, index, hash(node)).is_ok()
            };
            assert!(checked(&path, leaf.node));
            assert!(!checked(&path, flip_node(leaf.node, 77)));
        }
        for old in (1..=size).step_by(if size > 100 { 11 } else { 1 }) {
            let before = heads[usize::try_from(old).unwrap()];
            let Ok(path) = tree::consistency(&mut tree, old, size);
            for theirs in [
                prove_tree(size, old, &stored).unwrap(),
                prove_tree(size, old, &through_tiles).unwrap(),
            ] {
                assert_eq!(ours(&theirs), path, "{old} to {size}");
                let verified = tree::verify_consistency(&before, &head, &ours(&theirs));
                assert_eq!(verified, Ok(()));
            }
            let old_root = Hash(*before.root.as_bytes());
            assert!(check_tree(&theirs(&path), size, root, old, old_root).is_ok());
            let wrong = Hash(*flip_node(before.root, 77).as_bytes());
            assert!(check_tree(&theirs(&path), size, root, old, wrong).is_err());
        }
    }
}

/// Their paths have the height in front, which is always 8 here.
fn their_path(tile: &TheirTile) -> String {
    tile.path().replacen("tile/8/", "tile/", 1)
}

#[test]
fn another_program_asks_for_other_tiles() {
    for (old, new) in [
        (0, 1),
        (0, 256),
        (0, 70_000),
        (1, 1),
        (255, 256),
        (256, 257),
        (300, 301),
        (65_535, 65_537),
        (69_999, 70_000),
        (70_000, 1_000_000),
    ] {
        let ours: Vec<String> = Tile::since(old, new).map(|tile| tile.to_string()).collect();
        let theirs: Vec<String> = TheirTile::new_tiles(8, old, new)
            .iter()
            .map(their_path)
            .collect();
        assert_eq!(ours, theirs, "{old} to {new}");
    }
    for (level, index, width) in [
        (0, 0, 256),
        (0, 999, 1),
        (1, 1_000, 255),
        (2, 1_234_067, 256),
        (0, (1 << 56) - 1, 7),
        (7, 0, 200),
    ] {
        let ours = Tile::new(level, index, width).unwrap();
        let theirs = TheirTile::new(8, level, index, u32::from(width), false);
        assert_eq!(ours.to_string(), their_path(&theirs));
        let path = ours.to_string().replacen("tile/", "tile/8/", 1);
        assert!(TheirTile::from_path(&path).unwrap() == theirs);
        assert_eq!(their_path(&theirs).parse(), Ok(Resource::Tile(ours)));
    }
}

/// Bytes of tiles, and the leaves that follow from a bundle of entries.
#[test]
fn another_program_has_other_bytes_in_a_tile() {
    let kept = Kept::events(LARGEST);
    let stored = Stored::events(LARGEST);
    for tile in Tile::since(0, LARGEST) {
        let theirs = TheirTile::new(
            8,
            tile.level(),
            tile.index(),
            u32::from(tile.width()),
            false,
        );
        let Ok(nodes) = luzhang_ledger::proof::tile::Tiles::tile(&kept, tile);
        assert_eq!(
            bytes_of(&nodes),
            theirs.read_data(&stored).unwrap(),
            "{tile}"
        );
        if tile.level() > 0 {
            continue;
        }
        let events: Vec<EventHash> = (tile.first()..tile.first() + u64::from(tile.width()))
            .map(event)
            .collect();
        let bundle = entries_of(&events);
        for ((number, entry), node) in (tile.first()..).zip(bundle.chunks(34)).zip(&nodes) {
            let (length, data) = entry.split_at(2);
            assert_eq!(length, [0, 32]);
            assert_eq!(record_hash(data).0, *node.as_bytes());
            let at = usize::try_from(stored_hash_index(0, number)).unwrap();
            assert!(stored.0[at].0 == *node.as_bytes());
        }
    }
}
