//! Tiles: their paths, which of them a tree has, and what is in them.

use std::collections::BTreeSet;

use luzhang_ledger::{
    hash::Hash,
    proof::{
        Node,
        tile::{
            LEVELS, Resource, Tile, TiledTree, WIDTH, bytes_of, entries_of, events_of, full_root,
            nodes_at, nodes_of,
        },
        tree,
    },
};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use crate::{Kept, event};

/// The tiles of a tree, straight from the specification: a level of a tree of
/// `size` leaves has `size / 256^level` nodes, in full tiles and a partial one.
fn tiles_of(size: u64) -> BTreeSet<Tile> {
    let mut tiles = BTreeSet::new();
    let mut nodes = size;
    for level in 0..LEVELS {
        let mut left = nodes;
        for index in 0.. {
            if left == 0 {
                break;
            }
            let width = u16::try_from(left.min(256)).unwrap();
            tiles.insert(Tile::new(level, index, width).unwrap());
            left -= u64::from(width);
        }
        nodes /= 256;
    }
    tiles
}

#[test]
fn the_tiles_of_the_specifications_example_are_others() {
    let found: BTreeSet<Tile> = Tile::since(0, 70_000).collect();
    let count = |level, full| {
        let of_level = found.iter().filter(|tile| tile.level() == level);
        of_level.filter(|tile| tile.is_full() == full).count()
    };
    assert_eq!(
        [count(0, true), count(1, true), count(2, true)],
        [273, 1, 0]
    );
    let partial: Vec<String> = found
        .iter()
        .filter(|tile| !tile.is_full())
        .map(Tile::to_string)
        .collect();
    assert_eq!(
        partial,
        ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    );
    let full: Vec<String> = Tile::since(0, 256).map(|tile| tile.to_string()).collect();
    assert_eq!(full, ["tile/0/000", "tile/1/000.p/1"]);
}

#[test]
fn one_tile_has_two_paths_or_a_path_leads_to_no_tile() {
    for (path, sound) in [
        ("checkpoint", true),
        ("tile/0/000", true),
        ("tile/0/000.p/1", true),
        ("tile/0/000.p/255", true),
        ("tile/7/000.p/255", true),
        ("tile/3/x001/x234/067", true),
        ("tile/entries/000", true),
        ("tile/entries/x001/000.p/17", true),
        // The last tile whose leaves can be counted in 64 bits, and the next one.
        ("tile/0/x072/x057/x594/x037/x927/935", true),
        ("tile/0/x072/x057/x594/x037/x927/936", false),
        ("tile/6/255", true),
        ("tile/6/256", false),
        ("tile/7/001.p/1", false),
        ("tile/8/000", false),
        ("tile/63/000", false),
        ("tile/256/000", false),
        ("", false),
        ("/checkpoint", false),
        ("checkpoint/", false),
        ("Checkpoint", false),
        ("tile", false),
        ("tile/", false),
        ("tile/0", false),
        ("tile/0/", false),
        ("tile/0/0", false),
        ("tile/0/00", false),
        ("tile/0/0000", false),
        ("tile/0/x000/000", false),
        ("tile/0/x000/x001/000", false),
        ("tile/0/000/000", false),
        ("tile/0/x001", false),
        ("tile/0/x001/", false),
        ("tile/0/x001/x234", false),
        ("tile/0/X001/234", false),
        ("tile/0/xx01/234", false),
        ("tile/0/x01/234", false),
        ("tile/0/+01", false),
        ("tile/0/-01", false),
        ("tile/0/ 01", false),
        ("tile/0/0 1", false),
        ("tile/0/\u{ff11}\u{ff11}\u{ff11}", false),
        ("tile/00/000", false),
        ("tile/+0/000", false),
        ("tile//000", false),
        ("tile/0/000.p", false),
        ("tile/0/000.p/", false),
        ("tile/0/000.p/0", false),
        ("tile/0/000.p/01", false),
        ("tile/0/000.p/+1", false),
        ("tile/0/000.p/256", false),
        ("tile/0/000.p/65537", false),
        ("tile/0/000.p/1/", false),
        ("tile/0/000.p/1.p/1", false),
        ("tile/0/x001.p/1/000", false),
        ("tile/entries/000.p/256", false),
        ("tile/entries/0/000", false),
        ("tile/data/000", false),
        ("tile/0/000\n", false),
        ("tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999", false),
    ] {
        let read: Result<Resource, _> = path.parse();
        assert_eq!(read.is_ok(), sound, "{path:?}");
        if let Ok(resource) = read {
            assert_eq!(resource.path(), path);
        }
    }
}

#[test]
fn a_tile_is_wider_or_narrower_than_its_bytes() {
    let nodes: Vec<Node> = (0..3).map(|n| Node::of_event(event(n))).collect();
    let events: Vec<Hash> = (0..3).map(event).collect();
    let tile = |width| Tile::new(0, 5, width).unwrap();
    let (bytes, entries) = (bytes_of(&nodes), entries_of(&events));
    assert_eq!((bytes.len(), entries.len()), (96, 102));
    assert_eq!(nodes_of(tile(3), &bytes), Some(nodes));
    assert_eq!(events_of(tile(3), &entries), Some(events));
    for width in [1, 2, 4, 256] {
        assert_eq!(nodes_of(tile(width), &bytes), None);
        assert_eq!(events_of(tile(width), &entries), None);
    }
    for cut in 0..bytes.len() {
        assert_eq!(nodes_of(tile(3), &bytes[..cut]), None);
    }
    for cut in 0..entries.len() {
        assert_eq!(events_of(tile(3), &entries[..cut]), None);
    }
    // An entry of another length than a hash, though the bundle has its length.
    for at in [0, 1, 34, 35, 68, 69] {
        let mut wrong = entries.clone();
        wrong[at] ^= 1;
        assert_eq!(events_of(tile(3), &wrong), None, "byte {at}");
    }
}

#[test]
fn a_tile_that_nobody_can_have_is_made() {
    for (level, index, width, sound) in [
        (0, 0, 0, false),
        (0, 0, 1, true),
        (0, 0, WIDTH, true),
        (0, 0, WIDTH + 1, false),
        (0, (1 << 56) - 1, 1, true),
        (0, 1 << 56, 1, false),
        (0, u64::MAX, 1, false),
        (7, 0, 1, true),
        (7, 1, 1, false),
        (8, 0, 1, false),
        (u8::MAX, 0, 1, false),
    ] {
        assert_eq!(Tile::new(level, index, width).is_some(), sound);
    }
    for (level, index, size, width) in [
        (0, 0, 0, None),
        (0, 0, 1, Some(1)),
        (0, 0, 256, Some(256)),
        (0, 1, 256, None),
        (0, 1, 257, Some(1)),
        (0, 0, 257, Some(256)),
        (1, 0, 255, None),
        (1, 0, 256, Some(1)),
        (7, 0, u64::MAX, Some(255)),
        (7, 1, u64::MAX, None),
        (8, 0, u64::MAX, None),
        (0, u64::MAX, u64::MAX, None),
        (0, (1 << 56) - 1, u64::MAX, Some(255)),
    ] {
        let tile = Tile::in_tree(level, index, size);
        assert_eq!(tile.map(Tile::width), width, "{level}/{index} in {size}");
    }
}

/// Each tile is asked for once, and only tiles of the tree are.
#[test]
fn a_proof_reads_more_tiles_than_it_needs() {
    let kept = Kept::events(600);
    let root = |nodes: &[Node]| full_root(nodes);
    assert_eq!(root(&[]), Node::EMPTY);
    assert_eq!(root(&kept.levels[0][..256]), kept.levels[8][0]);
    for (index, tiles) in [(0, 2), (300, 2), (599, 2)] {
        let asked = std::cell::RefCell::new(Vec::new());
        let mut tree = TiledTree::new(Asked(&kept, &asked), 600);
        tree::inclusion(&mut tree, index, 600).unwrap();
        tree::inclusion(&mut tree, index, 600).unwrap();
        let asked = asked.into_inner();
        let distinct: BTreeSet<&Tile> = asked.iter().collect();
        assert_eq!(distinct.len(), asked.len());
        assert!(asked.len() <= tiles + 1, "{asked:?}");
        let of_tree = tiles_of(600);
        assert!(asked.iter().all(|tile| of_tree.contains(tile)));
    }
}

struct Asked<'a>(&'a Kept, &'a std::cell::RefCell<Vec<Tile>>);

impl luzhang_ledger::proof::tile::Tiles for Asked<'_> {
    type Error = std::convert::Infallible;

    fn tile(&self, tile: Tile) -> Result<Vec<Node>, Self::Error> {
        self.1.borrow_mut().push(tile);
        luzhang_ledger::proof::tile::Tiles::tile(self.0, tile)
    }
}

fn sizes() -> impl Strategy<Value = u64> {
    let edge = prop_oneof![
        Just(0_u64),
        Just(255),
        Just(256),
        Just(257),
        Just(65_535),
        Just(65_536),
        Just(65_537)
    ];
    prop_oneof![0..1_000_u64, 0..200_000_u64, edge]
}

fn tiles() -> impl Strategy<Value = Tile> {
    (0..LEVELS, any::<u64>(), 0..64_u32, 1..=WIDTH)
        .prop_filter_map("not countable", |(level, index, shift, width)| {
            Tile::new(level, index >> shift, width)
        })
}

proptest! {
    #[test]
    fn a_path_does_not_lead_back_to_its_tile(tile in tiles()) {
        let path = tile.to_string();
        assert_eq!(path.parse(), Ok(Resource::Tile(tile)));
        assert_eq!(Resource::Tile(tile).path(), path);
        if tile.level() == 0 {
            let path = tile.entries_path();
            assert_eq!(path.parse(), Ok(Resource::Entries(tile)));
        }
    }

    #[test]
    fn a_text_is_read_as_a_path_and_written_as_another(
        path in "(tile/)?([0-9]|entries|63)/(x[0-9]{3}/){0,3}[0-9]{3}(\\.p/[0-9]{1,3})?"
    ) {
        if let Ok(resource) = path.parse::<Resource>() {
            assert_eq!(resource.path(), path);
        }
    }

    /// What grows a published tree: the tiles of the old tree that the new one
    /// has as they are, and those that are written, are the tiles of the new one.
    #[test]
    fn a_tree_that_grew_lacks_a_tile(old in sizes(), more in sizes()) {
        let new = old + more;
        let before = tiles_of(old);
        let after = tiles_of(new);
        let written: Vec<Tile> = Tile::since(old, new).collect();
        let distinct: BTreeSet<Tile> = written.iter().copied().collect();
        assert_eq!(written.len(), distinct.len());
        let missing: BTreeSet<Tile> = after.difference(&before).copied().collect();
        assert_eq!(distinct, missing, "{old} to {new}");
    }

    #[test]
    fn a_level_has_other_nodes_than_its_tiles(size in sizes(), level in 0..LEVELS) {
        let of_level = tiles_of(size).into_iter().filter(|tile| tile.level() == level);
        let nodes: u64 = of_level.map(|tile| u64::from(tile.width())).sum();
        assert_eq!(nodes_at(level, size), nodes);
    }

    #[test]
    fn a_tile_is_in_a_tree_that_does_not_have_it(tile in tiles(), size in any::<u64>()) {
        let wider = Tile::in_tree(tile.level(), tile.index(), size)
            .is_some_and(|there| there.width() >= tile.width());
        assert_eq!(tile.is_in(size), wider);
    }
}
