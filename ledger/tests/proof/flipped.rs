//! Every proof holds, and none of its neighbours does.
//!
//! Every bit of every proof to size [`ALL_BITS`]; above it, to size [`LARGEST`],
//! one bit of every node of every proof, another one each time: all bits there
//! would be a thousand million hashes.

use luzhang_ledger::proof::{
    Node,
    tree::{self, Leaf, ProofError, TreeHead},
};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::{Kept, flip_node, model};

const ALL_BITS: u64 = 128;
const LARGEST: u64 = 256;
const BITS: usize = 256;

/// Which bits of the node at `place` are flipped in the proof about `a` in `b`.
fn bits(a: u64, b: u64, place: usize) -> impl Iterator<Item = usize> {
    let turn = usize::try_from(a * 31 + b * 7).unwrap() + place * 101;
    let (first, count) = if b <= ALL_BITS {
        (0, BITS)
    } else {
        (turn % BITS, 1)
    };
    first..first + count
}

/// What a path becomes when it is not what it was.
fn misshapen(path: &[Node]) -> Vec<(&'static str, Vec<Node>)> {
    let other = Node::leaf(b"another");
    let mut wrong = vec![
        ("one more", [path, &[other]].concat()),
        ("one more in front", [&[other], path].concat()),
    ];
    if let [first, rest @ ..] = path {
        wrong.push(("the last twice", [path, &path[path.len() - 1..]].concat()));
        wrong.push(("without the first", rest.to_vec()));
        wrong.push(("without the last", path[..path.len() - 1].to_vec()));
        wrong.push(("none", Vec::new()));
        if let [second, rest @ ..] = rest {
            wrong.push(("two swapped", [&[*second, *first], rest].concat()));
        }
    }
    wrong
}

fn digests(path: &[Node]) -> Vec<model::Digest> {
    path.iter().map(|node| *node.as_bytes()).collect()
}

#[derive(Clone, Copy)]
struct Inclusion<'a> {
    leaf: Leaf,
    path: &'a [Node],
    head: TreeHead,
}

impl Inclusion<'_> {
    fn verify(self) -> Result<(), ProofError> {
        tree::verify_inclusion(self.leaf, self.path, &self.head)
    }

    fn model(self) -> bool {
        let leaf = *self.leaf.node.as_bytes();
        let root = *self.head.root.as_bytes();
        let path = digests(self.path);
        model::includes(leaf, self.leaf.index, self.head.size, root, &path)
    }

    fn flip_all(self) {
        let (index, size) = (self.leaf.index, self.head.size);
        let mut path = self.path.to_vec();
        for place in 0..path.len() {
            for bit in bits(index, size, place) {
                path[place] = flip_node(self.path[place], bit);
                let flipped = Inclusion {
                    path: &path,
                    ..self
                }
                .verify();
                assert_eq!(flipped, Err(ProofError::Root));
            }
            path[place] = self.path[place];
        }
        for bit in bits(index, size, path.len()) {
            let mut flipped = self;
            flipped.leaf.node = flip_node(self.leaf.node, bit);
            assert_eq!(flipped.verify(), Err(ProofError::Root));
            let mut flipped = self;
            flipped.head.root = flip_node(self.head.root, bit);
            assert_eq!(flipped.verify(), Err(ProofError::Root));
        }
    }

    /// Elsewhere, and with other paths.
    fn misplace_all(self) {
        let (index, size) = (self.leaf.index, self.head.size);
        let places = [
            index ^ 1,
            index + 1,
            index.wrapping_sub(1),
            size - 1,
            size,
            index + size,
        ];
        for place in places.into_iter().filter(|place| *place != index) {
            let mut moved = self;
            moved.leaf.index = place;
            assert!(moved.verify().is_err(), "{index} at {place} of {size}");
        }
        for (what, path) in misshapen(self.path) {
            let changed = Inclusion {
                path: &path,
                ..self
            };
            assert!(changed.verify().is_err(), "{what}: {index} in {size}");
        }
        // Where the way up looks the same in a tree of another size, a path holds
        // for that size too; a head's root and size are signed together.
        for other in [
            0,
            1,
            index,
            index + 1,
            size - 1,
            size + 1,
            size * 2,
            u64::MAX,
        ] {
            let mut resized = self;
            resized.head.size = other;
            assert_eq!(
                resized.verify().is_ok(),
                resized.model(),
                "{index} in {other}"
            );
        }
    }
}

#[test]
fn an_event_that_is_not_in_the_tree_is_proven() {
    let kept = Kept::events(LARGEST);
    let heads = kept.heads(LARGEST);
    (1..=LARGEST).into_par_iter().for_each(|size| {
        let head = heads[usize::try_from(size).unwrap()];
        for index in 0..size {
            let Ok(path) = tree::inclusion(&mut &kept, index, size);
            let proof = Inclusion {
                leaf: kept.leaf(index),
                path: &path,
                head,
            };
            assert_eq!(proof.verify(), Ok(()), "{index} in {size}");
            proof.flip_all();
            proof.misplace_all();
        }
    });
}

#[derive(Clone, Copy)]
struct Consistency<'a> {
    old: TreeHead,
    new: TreeHead,
    path: &'a [Node],
}

impl Consistency<'_> {
    fn verify(self) -> Result<(), ProofError> {
        tree::verify_consistency(&self.old, &self.new, self.path)
    }

    fn model(self) -> bool {
        let [old, new] = [self.old, self.new].map(|head| (head.size, *head.root.as_bytes()));
        model::continues(old, new, &digests(self.path))
    }

    fn flip_all(self) {
        let (old, new) = (self.old.size, self.new.size);
        let mut path = self.path.to_vec();
        for place in 0..path.len() {
            for bit in bits(old, new, place) {
                path[place] = flip_node(self.path[place], bit);
                let flipped = Consistency {
                    path: &path,
                    ..self
                }
                .verify();
                assert_eq!(flipped, Err(ProofError::Root));
            }
            path[place] = self.path[place];
        }
        for bit in bits(old, new, path.len()) {
            let mut flipped = self;
            flipped.old.root = flip_node(self.old.root, bit);
            assert!(flipped.verify().is_err());
            let mut flipped = self;
            flipped.new.root = flip_node(self.new.root, bit);
            // The empty tree is the beginning of every tree.
            assert_eq!(flipped.verify().is_ok(), old == 0 && new != 0);
        }
    }

    fn misplace_all(self) {
        let (old, new) = (self.old.size, self.new.size);
        for (what, path) in misshapen(self.path) {
            let changed = Consistency {
                path: &path,
                ..self
            };
            assert!(changed.verify().is_err(), "{what}: {old} to {new}");
        }
        for other in [
            0,
            1,
            old + 1,
            old.saturating_sub(1),
            new,
            new + 1,
            new * 2,
            u64::MAX,
        ] {
            for (from, to) in [(other, new), (old, other), (new, old)] {
                let mut resized = self;
                resized.old.size = from;
                resized.new.size = to;
                assert_eq!(resized.verify().is_ok(), resized.model(), "{from} to {to}");
            }
        }
    }
}

#[test]
fn a_history_that_was_rewritten_is_proven_to_continue() {
    let kept = Kept::events(LARGEST);
    let heads = kept.heads(LARGEST);
    (0..=LARGEST).into_par_iter().for_each(|size| {
        let new = heads[usize::try_from(size).unwrap()];
        for old in &heads[..=usize::try_from(size).unwrap()] {
            let Ok(path) = tree::consistency(&mut &kept, old.size, size);
            let proof = Consistency {
                old: *old,
                new,
                path: &path,
            };
            assert_eq!(proof.verify(), Ok(()), "{} to {size}", old.size);
            proof.flip_all();
            proof.misplace_all();
        }
    });
}

#[test]
fn two_trees_of_one_size_pass_for_one() {
    let head = Kept::events(5).head(5);
    let other = TreeHead {
        root: Node::leaf(b"another"),
        ..head
    };
    let two = Err(ProofError::TwoRoots { size: 5 });
    assert_eq!(tree::verify_consistency(&head, &other, &[]), two);
    let shrunk = Err(ProofError::Shrunk { old: 5, new: 4 });
    let smaller = TreeHead { size: 4, ..head };
    assert_eq!(tree::verify_consistency(&head, &smaller, &[]), shrunk);
    let outside = Err(ProofError::OutOfTree { index: 5, size: 5 });
    let leaf = Leaf {
        index: 5,
        node: head.root,
    };
    assert_eq!(tree::verify_inclusion(leaf, &[], &head), outside);
}
