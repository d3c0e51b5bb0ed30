//! A log goes into a database and comes back, and is backed up there.

use std::{fs, path::Path};

use crate::{
    killed::{kill_when, spawn},
    restoring::{copy_keys, key},
    shelves::{back_up, export, files, from_to, verified},
    support::{
        Bureau, Ledger, Server, Target,
        database::{Cluster, url},
    },
};

const COPY: &[&str] = &["log", "copy"];

#[test]
fn a_log_goes_into_a_database_and_comes_back_the_same() {
    let cluster = Cluster::new();
    let primary = cluster.primary("primary", &[]);
    let address = url(&[&primary]);
    let database = ["--database", address.as_str()];
    let ledger = Ledger::new();
    // Some epochs, so that whoever writes next in the database must be above them.
    for _ in 0..3 {
        ledger.target().run(["checkpoint", "sign"]).ended(0);
    }
    let moved = ledger.file("moved");
    from_to(COPY, &ledger.dir(), &moved, &database).ended(0);
    let format = fs::read_to_string(moved.join("FORMAT")).unwrap();
    assert!(format.contains("engine postgresql"), "{format}");
    // A second time, with what came meanwhile; the directory knows its database.
    Bureau::demo().import(&ledger.target(), &[]).ended(3);
    let said = from_to(COPY, &ledger.dir(), &moved, &[]).ended(0).json();
    assert!(said["events"].as_u64().unwrap() > 100, "{said}");
    let original = export(&ledger.target(), &ledger.file("original.luzhang"));
    let out = ledger.file("out.luzhang-export");
    from_to(COPY, &moved, &out, &[]).ended(0);
    assert!(fs::read(&out).unwrap() == original, "not the same blocks");

    // Onto another directory it is not copied: the ledger is in the database already.
    let second = ledger.file("second");
    for _ in 0..2 {
        from_to(COPY, &ledger.dir(), &second, &database).failed(6, "LEDGER_EXISTS");
    }

    // Served from there, it goes on; a backup does not stop it.
    copy_keys(&ledger.dir(), &moved);
    let server = Server::with(&moved, ["--durable", "local"], "warn");
    let target = server.target();
    assert_eq!(target.head(), ledger.target().head());
    target.run(["checkpoint", "sign"]).ended(0);
    let (online, beside) = (ledger.file("online"), ledger.file("beside"));
    back_up(&target, &online, 8_192).ended(0);
    let key = key(&target);
    assert_eq!(
        verified(&online, &["--key", &key]).ended(0).json()["verdict"],
        "intact"
    );
    // From the database itself, while the server writes there.
    let dir = Target::data_dir(&moved);
    back_up(&dir, &beside, 8_192).ended(0);
    for file in files(&online)
        .iter()
        .filter(|file| Path::new(file).extension().is_some_and(|e| e == "run"))
    {
        let [one, other] = [&online, &beside].map(|shelf| fs::read(shelf.join(file)).unwrap());
        assert!(one == other, "{file}");
    }
    // Nothing is copied to a log that a server writes.
    let refused = from_to(COPY, &ledger.dir(), &moved, &[]);
    assert!(refused.err.contains("LEDGER_LOCKED"), "{refused:?}");
    let head = target.head();
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);

    // And back into a directory, from the database and from the backup.
    let back = ledger.file("back");
    from_to(COPY, &moved, &back, &[]).ended(0);
    let there = export(&Target::data_dir(&back), &ledger.file("back.luzhang"));
    let restored = ledger.file("restored");
    from_to(&["restore"], &online, &restored, &["--key", &key]).ended(0);
    let of_backup = export(
        &Target::data_dir(&restored),
        &ledger.file("restored.luzhang"),
    );
    assert!(there == of_backup);
    copy_keys(&ledger.dir(), &back);
    assert_eq!(Target::data_dir(&back).head(), head);
}

#[test]
fn a_restore_into_a_database_that_is_killed_goes_on() {
    let cluster = Cluster::new();
    let primary = cluster.primary("primary", &[]);
    let address = url(&[&primary]);
    let database = ["--database", address.as_str()];
    let ledger = Ledger::new();
    Bureau::demo().import(&ledger.target(), &[]).ended(3);
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 4_096).ended(0);
    let to = ledger.file("restored");
    let ends = [
        "restore",
        "--from",
        shelf.to_str().unwrap(),
        "--to",
        to.to_str().unwrap(),
    ];
    let arguments: Vec<&str> = ends.iter().chain(&database).copied().collect();
    let mut killed = 0;
    for mark in ["FORMAT.copying", "database", "mark"] {
        if kill_when(spawn(&arguments), || to.join(mark).exists()) {
            killed += 1;
            let ran = Target::data_dir(&to).run(["rebuild"]);
            ran.failed(6, "LEDGER_COPYING");
        }
    }
    assert!(killed >= 2, "killed {killed} times");
    if !to.join("FORMAT").exists() {
        from_to(&["restore"], &shelf, &to, &database).ended(0);
    }
    let out = ledger.file("out.luzhang-export");
    from_to(COPY, &to, &out, &[]).ended(0);
    let original = export(&ledger.target(), &ledger.file("original.luzhang"));
    assert!(fs::read(&out).unwrap() == original, "not the same blocks");
    let restored = Target::data_dir(&to);
    let digests = |target: &Target| target.run(["rebuild", "-o", "json"]).ended(0).out;
    assert_eq!(digests(&restored), digests(&ledger.target()));
}
