//! The published tree: over HTTP and in a directory it is the same, and it is that of
//! the log.

use std::{collections::BTreeMap, fs, io::Read as _, path::Path};

use flate2::read::GzDecoder;
use luzhang_ledger::{
    Hash,
    proof::{
        Node,
        tile::{self, Resource, Tile, TiledTree, Tiles},
        tree,
    },
};

use crate::{
    http::{self, Answer},
    ledgers::{
        bureau, checkpoint, copy, event, files, fund, grow, key, parse, put_back, signed, size,
        text, trusted,
    },
    support::{Ledger, Ran, Server, Target},
};

fn publish(target: &Target, dir: &Path) -> Ran {
    target.run(["tiles", "publish", text(dir), "-o", "json"])
}

/// Everything that a tree of this size has, besides its checkpoint.
fn resources(size: u64) -> Vec<Resource> {
    let tiles = Tile::since(0, size).flat_map(|tile| {
        let entries = (tile.level() == 0).then_some(Resource::Entries(tile));
        [Some(Resource::Tile(tile)), entries]
    });
    tiles.flatten().collect()
}

/// An answer that is there, compressed or not.
#[track_caller]
fn body(answer: &Answer) -> Vec<u8> {
    assert_eq!(answer.status, 200);
    match answer.header("content-encoding") {
        "" => answer.body.clone(),
        "gzip" => {
            let mut bytes = Vec::new();
            let mut decoder = GzDecoder::new(&answer.body[..]);
            decoder.read_to_end(&mut bytes).unwrap();
            bytes
        }
        other => panic!("{other}"),
    }
}

/// Tiles as they were published.
struct Published(BTreeMap<String, Vec<u8>>);

impl Tiles for Published {
    type Error = ();

    fn tile(&self, tile: Tile) -> Result<Vec<Node>, ()> {
        let bytes = self.0.get(&tile.to_string()).ok_or(())?;
        tile::nodes_of(tile, bytes).ok_or(())
    }
}

#[test]
fn the_same_tree_is_served_and_written() {
    let ledger = bureau();
    grow(&ledger.target(), "文", 600);
    checkpoint(&ledger.target());
    let (server, url) = Server::publishing(&ledger.dir(), [] as [&str; 0]);
    let target = server.target();
    let signed = checkpoint(&target);
    let size = signed.head().size;
    assert!(size > 600);
    let dir = ledger.file("tiles");
    let said = publish(&target, &dir).ended(0).json();
    assert_eq!(said["size"], size);
    assert_eq!(said["root"], signed.head().root.to_string());

    let mut served = BTreeMap::new();
    for resource in resources(size) {
        let path = resource.path();
        let plain = http::get(&url, &path, &[]);
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        let bytes = body(&plain);
        let zipped = http::get(&url, &path, &[("Accept-Encoding", "gzip")]);
        assert!(body(&zipped) == bytes, "{path}");
        if let Resource::Entries(_) = resource {
            assert_eq!(zipped.header("content-encoding"), "gzip", "{path}");
        }
        for answer in [&plain, &zipped] {
            assert_eq!(answer.header("content-type"), "application/octet-stream");
            let cache = answer.header("cache-control");
            assert!(
                cache.contains("immutable") && cache.contains("max-age=31536000"),
                "{cache}"
            );
            assert_eq!(answer.header("access-control-allow-origin"), "*");
        }
        served.insert(path, bytes);
    }
    let answer = http::get(&url, "checkpoint", &[]);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    let cache = answer.header("cache-control");
    let age = cache.split("max-age=").nth(1).unwrap();
    assert!(age.parse::<u64>().unwrap() <= 10, "{cache}");
    let note = String::from_utf8(body(&answer)).unwrap();
    assert_eq!(note, signed.to_string());
    trusted(&parse(&note), &key(&target));

    // Every file of the directory, and no other, is what is served.
    let mut expected = served.clone();
    expected.insert("checkpoint".to_owned(), note.into_bytes());
    let written: BTreeMap<_, _> = files(&dir).into_iter().collect();
    assert_eq!(
        written.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    assert!(written == expected);

    // The tree in it is that of the events.
    let mut hashes: Vec<Hash> = Vec::new();
    for tile in Tile::since(0, size).filter(|tile| tile.level() == 0) {
        let events = tile::events_of(tile, &served[&tile.entries_path()]).unwrap();
        let leaves = tile::nodes_of(tile, &served[&tile.to_string()]).unwrap();
        let of_events: Vec<Node> = events.iter().copied().map(Node::of_event).collect();
        assert_eq!(of_events, leaves);
        hashes.extend(events);
    }
    assert_eq!(hashes.len() as u64, size);
    for position in [1, 2, 255, 256, 257, 511, 512, 513, size] {
        let hash = hashes[usize::try_from(position).unwrap() - 1].to_string();
        assert_eq!(event(&target, position)["event_hash"], hash.as_str());
    }
    let mut tree = TiledTree::new(Published(served), size);
    assert_eq!(tree::root(&mut tree, size), Ok(signed.head().root));
    server.terminate();
}

#[test]
fn what_the_tree_does_not_have_is_not_found() {
    let ledger = signed(300);
    checkpoint(&ledger.target());
    let (server, url) = Server::publishing(&ledger.dir(), [] as [&str; 0]);
    // An event that no checkpoint covers is not published.
    fund(&server.target(), "文X").ended(0);
    assert_eq!(size(&server.target()), 301);
    let missing = [
        "",
        "checkpoints",
        "checkpoint/",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/044",
        "tile/0/000.p/256",
        "tile/0/002.p/1",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/x001/067",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/-01",
        "tile/0/+00",
        "tile/00/000",
        "tile/1/000",
        "tile/1/000.p/2",
        "tile/2/000.p/1",
        "tile/8/000.p/1",
        "tile/256/000",
        "tile/entries/001",
        "tile/entries/001.p/45",
        "tile/entries/x000/000",
        "tile/entries",
        "tile/data/000",
        "tile/0/000/",
        "tile//0/000",
        "tile/0/../0/000",
        "tile/0/000%00",
        "tile/0/000.p/%31",
        "../keys/checkpoint",
        "tile/../../keys/checkpoint",
        "tile/0/..%2f..%2f..%2fkeys%2fcheckpoint",
        "tile/%e6%96%87/000",
    ];
    for path in missing {
        let answer = http::get(&url, path, &[]);
        // `%31` is a `1`: that path is one of the tree.
        if path == "tile/0/000.p/%31" {
            assert_eq!(answer.body.len(), 32);
            continue;
        }
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.is_empty(), "{path}");
        let cache = answer.header("cache-control");
        assert!(!cache.contains("immutable"), "{path}: {cache}");
    }
    // A partial tile stays when it is not the last any more.
    for path in [
        "tile/0/000",
        "tile/0/000.p/7",
        "tile/0/001.p/44",
        "tile/0/001.p/43",
    ] {
        assert_eq!(http::get(&url, path, &[]).status, 200, "{path}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        for path in ["checkpoint", "tile/0/000"] {
            let status = http::ask(&url, method, path, &[]).status;
            assert_eq!(status, 405, "{method} {path}");
        }
    }
    let head = http::ask(&url, "HEAD", "checkpoint", &[]);
    assert!(head.status == 200 && head.body.is_empty());
    server.terminate();

    // Of a tree that nobody signed yet, nothing is there.
    let ledger = Ledger::new();
    let (server, url) = Server::publishing(&ledger.dir(), [] as [&str; 0]);
    for path in ["checkpoint", "tile/0/000.p/1"] {
        assert_eq!(http::get(&url, path, &[]).status, 404);
    }
    server.terminate();
}

#[test]
fn what_is_published_is_only_ever_added_to() {
    let ledger = signed(300);
    let target = ledger.target();
    checkpoint(&target);
    let before = ledger.file("before");
    copy(&ledger.dir(), &before);
    let dir = ledger.file("tiles");
    let written = |said: Ran| said.ended(0).json()["files_written"].as_u64().unwrap();
    // Two tiles of level 0 with their entries, one of level 1, the checkpoint.
    assert_eq!(written(publish(&target, &dir)), 6);
    let first = files(&dir);
    assert_eq!(written(publish(&target, &dir)), 0);
    assert!(files(&dir) == first);
    grow(&target, "文", 305);
    checkpoint(&target);
    assert_eq!(written(publish(&target, &dir)), 3);
    let second: BTreeMap<_, _> = files(&dir).into_iter().collect();
    for (path, bytes) in &first {
        assert!(path == "checkpoint" || second[path] == *bytes, "{path}");
    }
    // Without its checkpoint, a directory is looked through, and lacks two files.
    fs::write(dir.join("tile/0/001.p/49"), b"").unwrap();
    fs::remove_file(dir.join("checkpoint")).unwrap();
    assert_eq!(written(publish(&target, &dir)), 2);
    assert!(files(&dir).into_iter().collect::<BTreeMap<_, _>>() == second);
    // With another key, over the same events, it is the same tree.
    target.run(["checkpoint", "rotate"]).ended(0);
    assert_eq!(written(publish(&target, &dir)), 3);

    // An older copy of the ledger, or one that went on otherwise, is refused.
    let published = files(&dir);
    put_back(&before, &ledger.dir());
    publish(&target, &dir).failed(10, "TILES_OTHER_HISTORY");
    assert!(files(&dir) == published);
    grow(&target, "彼", 400);
    checkpoint(&target);
    publish(&target, &dir).failed(10, "TILES_OTHER_HISTORY");
    assert!(files(&dir) == published);
    let other = Ledger::new();
    checkpoint(&other.target());
    publish(&other.target(), &dir).failed(10, "TILES_OTHER_HISTORY");
    assert!(files(&dir) == published);
    // Nor is what is no tree at all.
    fs::write(dir.join("checkpoint"), b"hello\n").unwrap();
    let published = files(&dir);
    publish(&target, &dir).failed(1, "FILE_IO");
    assert!(files(&dir) == published);
    let file = ledger.file("file");
    fs::write(&file, b"years of work").unwrap();
    publish(&target, &file).failed(1, "FILE_IO");
}
