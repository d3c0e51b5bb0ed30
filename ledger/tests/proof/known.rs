//! Values that others published.
//!
//! The eight leaves are those of the tests of Certificate Transparency's first
//! implementation, which most others have taken over.

use std::convert::Infallible;

use luzhang_ledger::proof::{
    Frontier, Node, Note,
    note::{NoteError, Purpose},
    tile::TiledTree,
    tree::{self, Leaf, TreeHead},
};

use crate::{Kept, hex, node, vkey};

const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// The nodes over pairs and over fours.
const L: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
    "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
    "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
];
const PAIRS: [&str; 4] = [
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
];
const FOURS: [&str; 2] = [
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
];

/// Index, size and path.
const INCLUSION: [(u64, u64, &[&str]); 7] = [
    (0, 1, &[]),
    (0, 8, &[L[1], PAIRS[1], FOURS[1]]),
    (5, 8, &[L[4], PAIRS[3], FOURS[0]]),
    (2, 3, &[PAIRS[0]]),
    (1, 5, &[L[0], PAIRS[1], L[4]]),
    (6, 7, &[PAIRS[2], FOURS[0]]),
    (4, 5, &[FOURS[0]]),
];

/// Sizes and proof.
const CONSISTENCY: [(u64, u64, &[&str]); 6] = [
    (1, 1, &[]),
    (1, 8, &[L[1], PAIRS[1], FOURS[1]]),
    (2, 8, &[PAIRS[1], FOURS[1]]),
    (6, 8, &[PAIRS[2], PAIRS[3], FOURS[0]]),
    (2, 5, &[PAIRS[1], L[4]]),
    (6, 7, &[PAIRS[2], L[6], FOURS[0]]),
];

fn published() -> Kept {
    Kept::of(LEAVES.map(|data| Node::leaf(&hex(data))).to_vec())
}

fn nodes(path: &[&str]) -> Vec<Node> {
    path.iter().copied().map(node).collect()
}

fn head(size: u64) -> TreeHead {
    TreeHead {
        size,
        root: node(ROOTS[usize::try_from(size).unwrap()]),
    }
}

#[test]
fn our_tree_is_not_the_one_that_others_hash() {
    assert_eq!(Node::EMPTY, node(ROOTS[0]));
    assert_eq!(TreeHead::EMPTY, head(0));
    let kept = published();
    assert_eq!(kept.levels[0], nodes(&L));
    assert_eq!(kept.levels[1], nodes(&PAIRS));
    assert_eq!(kept.levels[2], nodes(&FOURS));
    let mut frontier = Frontier::default();
    for (size, leaf) in (0..).zip(&kept.levels[0]) {
        assert_eq!(frontier.head(), head(size));
        frontier.push(*leaf);
    }
    assert_eq!(frontier.head(), head(8));
    for size in 0..=8 {
        let Ok(root) = tree::root(&mut TiledTree::new(&kept, size), size);
        assert_eq!(root, head(size).root);
    }
}

#[test]
fn our_paths_are_not_those_that_others_check() {
    let kept = published();
    for (index, size, path) in INCLUSION {
        let Ok(found) = tree::inclusion(&mut TiledTree::new(&kept, size), index, size);
        assert_eq!(found, nodes(path), "{index} in {size}");
        let leaf = Leaf {
            index,
            node: node(L[usize::try_from(index).unwrap()]),
        };
        assert_eq!(tree::verify_inclusion(leaf, &found, &head(size)), Ok(()));
    }
    for (old, new, path) in CONSISTENCY {
        let found: Result<_, Infallible> =
            tree::consistency(&mut TiledTree::new(&kept, new), old, new);
        assert_eq!(found, Ok(nodes(path)), "{old} to {new}");
        assert_eq!(
            tree::verify_consistency(&head(old), &head(new), &nodes(path)),
            Ok(())
        );
    }
}

const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
     Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// C2SP signed-note gives a key and a note that it signed.
#[test]
fn the_note_of_the_specification_does_not_verify() {
    let key = vkey(KEY);
    assert_eq!(key.to_string(), KEY);
    assert_eq!(key.name().as_str(), "example.com/foo");
    assert_eq!(key.id().to_string(), "530d903a");
    assert_eq!(key.purpose(), Purpose::Author);
    let note = Note::parse(NOTE.as_bytes()).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.to_string(), NOTE);
    let verified = note.verify(&[&key]).unwrap();
    assert_eq!(verified.len(), 1);
    assert_eq!((&verified[0].key, verified[0].time), (&key, None));

    let changed = NOTE.replace("example message", "exemplary message");
    let changed = Note::parse(changed.as_bytes()).unwrap();
    let forged = NoteError::Forged(key.name().clone());
    assert_eq!(changed.verify(&[&key]), Err(forged));
}

/// The other examples of the specifications come without keys, and one is cut
/// short in the document; they can be read.
#[test]
fn the_examples_of_the_specifications_cannot_be_read() {
    let sofa = "example.com/behind-the-sofa\n20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let signed = luzhang_ledger::proof::SignedCheckpoint::parse(sofa.as_bytes()).unwrap();
    assert_eq!(signed.to_string(), sofa);
    assert_eq!(signed.checkpoint().origin, "example.com/behind-the-sofa");
    assert_eq!(signed.head().size, 20_852_163);
    let ids = signed
        .note()
        .signatures()
        .iter()
        .map(|line| line.id().to_string());
    assert_eq!(ids.collect::<Vec<_>>(), ["033de0ae", "8d66cf3f"]);

    let poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n\
        ed \u{e8} subito sera.\n\n\u{2014} quasimodo.example/salvatore \
        NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
    let note = Note::parse(poem.as_bytes()).unwrap();
    assert_eq!(note.to_string(), poem);
    assert!(note.text().contains("sole:\n\ned"));

    let request = format!(
        "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
         jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
         5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
         /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n{sofa}"
    );
    let read = luzhang_ledger::proof::witness::Extension::parse(request.as_bytes()).unwrap();
    assert_eq!((read.old, read.proof.len()), (20_852_014, 4));
    assert_eq!(read.to_string(), request);
}
