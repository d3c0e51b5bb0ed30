//! Trees of all sizes against the model.

use luzhang_ledger::proof::{
    Frontier, Node,
    tile::TiledTree,
    tree::{self, TreeHead},
};

use crate::{Kept, event, model};

/// Around the edges of one tile and of a full tile of tiles.
const LARGE: [u64; 9] = [255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 65_793];

fn leaves(size: u64) -> Vec<model::Digest> {
    (0..size)
        .map(|number| model::leaf(event(number).as_bytes()))
        .collect()
}

fn nodes(path: Vec<model::Digest>) -> Vec<Node> {
    path.into_iter().map(Node::from_bytes).collect()
}

/// Root and paths, through tiles, as the model has them.
fn check(kept: &Kept, leaves: &[model::Digest], places: impl Iterator<Item = u64> + Clone) {
    let size = leaves.len() as u64;
    let mut tree = TiledTree::new(kept, size);
    let root = Node::from_bytes(model::root(leaves));
    assert_eq!(tree::root(&mut tree, size), Ok(root), "root of {size}");
    for index in places.clone() {
        let expected = nodes(model::path(usize::try_from(index).unwrap(), leaves));
        let path = tree::inclusion(&mut tree, index, size);
        assert_eq!(path, Ok(expected), "{index} in {size}");
    }
    for old in places.map(|index| index + 1) {
        let expected = nodes(model::proof(usize::try_from(old).unwrap(), leaves));
        let proof = tree::consistency(&mut tree, old, size);
        assert_eq!(proof, Ok(expected), "{old} to {size}");
    }
}

#[test]
fn some_small_tree_has_another_root_or_other_paths() {
    let leaves = leaves(64);
    let kept = Kept::events(64);
    let mut frontier = Frontier::default();
    for size in 0..=64_u64 {
        let first = &leaves[..usize::try_from(size).unwrap()];
        let head = TreeHead {
            size,
            root: Node::from_bytes(model::root(first)),
        };
        assert_eq!(frontier.head(), head);
        check(&kept, first, 0..size);
        frontier.push(Node::of_event(event(size)));
    }
}

#[test]
fn a_tree_of_many_tiles_has_another_root_or_other_paths() {
    let most = LARGE[LARGE.len() - 1];
    let leaves = leaves(most);
    let kept = Kept::events(most);
    let heads = kept.heads(most);
    for size in LARGE {
        let at = usize::try_from(size).unwrap();
        let first = &leaves[..at];
        assert_eq!(heads[at].root, Node::from_bytes(model::root(first)));
        let edges = [0, 1, 127, 128, 254, 255, 256, 257, 510, 32_767, 65_535];
        let places = edges.into_iter().chain([size - 2, size - 1]);
        check(&kept, first, places.filter(|place| *place < size));
    }
}

#[test]
fn a_proof_is_made_of_what_is_not_there() {
    let kept = Kept::events(8);
    let mut tree = TiledTree::new(&kept, 8);
    assert_eq!(tree::inclusion(&mut tree, 8, 8), Ok(Vec::new()));
    assert_eq!(tree::inclusion(&mut tree, 0, 0), Ok(Vec::new()));
    assert_eq!(tree::consistency(&mut tree, 0, 8), Ok(Vec::new()));
    assert_eq!(tree::consistency(&mut tree, 8, 8), Ok(Vec::new()));
    assert_eq!(tree::consistency(&mut tree, 9, 8), Ok(Vec::new()));
}
