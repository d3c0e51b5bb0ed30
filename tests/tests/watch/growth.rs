//! A tree that only grows is followed, at every size at which its shape changes.

use luzhang_ledger::proof::{
    SignedCheckpoint,
    tile::{Resource, Tile},
};
use serde_json::json;

use crate::{
    history::{History, log_key},
    site::Site,
    watcher::Watcher,
};

/// Sizes at and around those at which a level of tiles begins.
const SIZES: [usize; 14] = [
    0, 1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 65_836, 131_072,
];

#[test]
fn every_size_continues_the_one_before_it() {
    let (history, key) = (History::new("growth", 131_072), log_key(1));
    let site = Site::new();
    let dir = tempfile::tempdir().unwrap();
    let (by_url, by_dir) = (Watcher::new(&[&key]), Watcher::new(&[&key]));
    let mut before = None;
    for size in SIZES {
        let published = history.published(size, &[&key]);
        site.show("/log", &published);
        published.write(dir.path());
        let (result, new) = match before {
            None => ("first", size),
            Some(before) => ("grew", size - before),
        };
        for (watcher, source) in [
            // A slash at the end is no other place.
            (&by_url, site.url("/log/")),
            (&by_dir, dir.path().to_str().unwrap().to_owned()),
        ] {
            let seen = watcher.look(&source).ended(0);
            assert_eq!(
                seen.json(),
                json!({
                    "schema_version": 1,
                    "result": result,
                    "source": source.trim_end_matches('/'),
                    "size": size,
                    "root": history.head(size).root.to_string(),
                    "new_events": new,
                })
            );
            assert_eq!(seen.err, "");
            // The whole note is kept, as it was signed.
            assert_eq!(watcher.kept(), published.files["checkpoint"]);
            watcher.sees(&source, "unchanged", size);
        }
        before = Some(size);
    }
    assert!(by_url.evidence().is_empty());
}

#[test]
fn any_two_sizes_can_follow_each_other() {
    let (history, key) = (History::new("pairs", 65_837), log_key(1));
    let site = Site::new();
    let sizes = [1, 3, 256, 300, 512, 65_536, 65_837];
    for (at, first) in sizes.iter().enumerate() {
        for second in &sizes[at + 1..] {
            let watcher = Watcher::new(&[&key]);
            site.show("/log", &history.published(*first, &[&key]));
            watcher.sees(&site.url("/log"), "first", *first);
            site.show("/log", &history.published(*second, &[&key]));
            watcher.sees(&site.url("/log"), "grew", *second);
        }
    }
}

#[test]
fn a_partial_tile_that_is_gone_is_cut_from_the_full_one() {
    let (history, key) = (History::new("gone", 1_024), log_key(1));
    let site = Site::new();
    let watcher = Watcher::new(&[&key]);
    site.show("/log", &history.published(300, &[&key]));
    watcher.sees(&site.url("/log"), "first", 300);
    // The log has gone on, its newest checkpoint is not published yet, and the
    // partial tile of that of 600 events is gone where there is a full one.
    let mut later = history.published(1_024, &[&key]);
    let above = Resource::Tile(Tile::in_tree(1, 0, 600).unwrap());
    let then = history.published(600, &[&key]);
    later.put(above, then.files[&above.path()].clone());
    later.sign(&SignedCheckpoint::sign(history.head(600), &[&key]).unwrap());
    site.show("/log", &later);
    watcher.sees(&site.url("/log"), "grew", 600);
    let partial = Resource::Tile(Tile::in_tree(0, 2, 600).unwrap());
    assert_eq!(site.asked(&format!("/log/{}", partial.path())), 1);
}

#[test]
fn an_interrupted_look_at_a_copy_of_tiles_is_repeated() {
    let (history, key) = (History::new("copy", 600), log_key(1));
    let site = Site::new();
    let watcher = Watcher::new(&[&key]);
    let (path, mut half) = ("/log/tile/0/002.p/88", history.published(600, &[&key]));
    site.show("/log", &half);
    half.flip("tile/0/002.p/88", 17);
    site.instead(path, half.files["tile/0/002.p/88"].clone(), 1);
    watcher.sees(&site.url("/log"), "first", 600);
    assert_eq!(site.asked(path), 2);
}
