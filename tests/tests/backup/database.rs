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

#[test]
fn a_log_goes_into_a_database_by_itself_and_comes_out_the_same() {
    let cluster = Cluster::new();
    let primary = cluster.primary("primary", &[]);
    let address = url(&[&primary]);
    let there = Path::new(&address);
    let ledger = Ledger::new();
    from_to(COPY, there, &ledger.file("none.luzhang"), &[]).failed(5, "LEDGER_NOT_FOUND");
    let said = from_to(COPY, &ledger.dir(), there, &[]).ended(0);
    assert!(said.err.contains("luzhang join"), "{}", said.err);
    // A second time, with what came meanwhile.
    Bureau::demo().import(&ledger.target(), &[]).ended(3);
    let said = from_to(COPY, &ledger.dir(), there, &[]).ended(0).json();
    assert!(said["events"].as_u64().unwrap() > 100, "{said}");
    let original = export(&ledger.target(), &ledger.file("original.luzhang"));
    let (out, back) = (ledger.file("out.luzhang-export"), ledger.file("back"));
    for to in [&out, &back] {
        from_to(COPY, there, to, &[]).ended(0);
        let said = from_to(COPY, to, there, &[]).ended(0).json();
        assert_eq!(said["events"], 0, "{said}");
    }
    assert!(fs::read(&out).unwrap() == original, "not the same blocks");
    let of_back = export(&Target::data_dir(&back), &ledger.file("back.luzhang"));
    assert!(of_back == original, "not the same blocks");

    // Another one beside it: which is meant has to be said then.
    let other = Ledger::new();
    from_to(COPY, &other.dir(), there, &[]).ended(0);
    let again = ledger.file("again.luzhang-export");
    from_to(COPY, there, &again, &[]).failed(1, "LEDGER_UNNAMED");
    let format = fs::read_to_string(ledger.dir().join("FORMAT")).unwrap();
    let id = format.lines().find_map(|line| line.strip_prefix("ledger "));
    let named = ["--ledger", id.unwrap()];
    from_to(COPY, there, &again, &named).ended(0);
    assert!(fs::read(&again).unwrap() == original, "not the same blocks");
    from_to(COPY, &other.dir(), &again, &named).failed(6, "COPY_OTHER_LEDGER");

    // With keys and a data directory it is a ledger in use.
    let joined = ledger.file("joined");
    let keys = ledger.dir().join("keys");
    let join = [
        "join",
        "--database",
        &address,
        "--keys",
        keys.to_str().unwrap(),
    ];
    let target = Target::data_dir(&joined);
    target.run([&join[..], &named].concat()).ended(0);
    fs::copy(ledger.dir().join("kek"), joined.join("kek")).unwrap();
    assert_eq!(target.head(), ledger.target().head());
    let server = Server::with(&joined, ["--durable", "local"], "warn");
    server.target().run(["checkpoint", "sign"]).ended(0);
    from_to(COPY, &ledger.dir(), there, &[]).failed(6, "LEDGER_LOCKED");
    // It is read while its server goes on.
    from_to(COPY, there, &again, &named).ended(0);
    assert_eq!(server.terminate().code, 0);
    // What was written there since is not overwritten.
    let shorter = from_to(COPY, &ledger.dir(), there, &[]);
    assert!(shorter.err.contains("COPY_SHORTER"), "{shorter:?}");
}

#[test]
fn a_log_that_was_not_copied_whole_into_a_database_is_no_ledger_there() {
    let cluster = Cluster::new();
    let primary = cluster.primary("primary", &[]);
    let address = url(&[&primary]);
    let there = Path::new(&address);
    let ledger = Ledger::new();
    let shorter = ledger.file("shorter.luzhang-export");
    from_to(COPY, &ledger.dir(), &shorter, &[]).ended(0);
    Bureau::demo().import(&ledger.target(), &[]).ended(3);
    let original = export(&ledger.target(), &ledger.file("original.luzhang"));
    let out = ledger.file("out.luzhang-export");
    let keys = ledger.dir().join("keys");
    let join = [
        "join",
        "--database",
        &address,
        "--keys",
        keys.to_str().unwrap(),
    ];
    let refused = || {
        let joined = ledger.file("joined");
        Target::data_dir(&joined)
            .run(join)
            .failed(6, "LEDGER_COPYING");
        assert!(!joined.exists());
        from_to(COPY, there, &out, &[]).failed(6, "LEDGER_COPYING");
    };
    // Killed while the blocks wait to be stored: another ledger has made the tables.
    let other = Ledger::new();
    from_to(COPY, &other.dir(), there, &[]).ended(0);
    let blocks = || primary.sql("SELECT count(*) FROM luzhang_block");
    let before = blocks();
    primary.sql("DELETE FROM luzhang_head");
    let from = ledger.dir();
    let ends = [
        "log",
        "copy",
        "--from",
        from.to_str().unwrap(),
        "--to",
        &address,
    ];
    primary.sql(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM pg_sleep(100); RETURN NEW; END $$; \
         CREATE TRIGGER wait BEFORE INSERT ON luzhang_block \
         FOR EACH ROW EXECUTE FUNCTION wait()",
    );
    let waits = "FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let killed = kill_when(spawn(&ends), || {
        primary.sql(&format!("SELECT count(*) {waits}")) == "1"
    });
    assert!(killed);
    // What waits shall not be done any more.
    primary.sql(&format!("SELECT pg_terminate_backend(pid) {waits}"));
    primary.sql("DROP TRIGGER wait ON luzhang_block");
    assert_eq!(blocks(), before);
    refused();
    // As if it had been killed later, with a part of the blocks.
    from_to(COPY, &shorter, there, &[]).ended(0);
    primary.sql("UPDATE luzhang_head SET writer = 'luzhang log copy, unfinished'");
    assert_ne!(blocks(), before);
    refused();
    from_to(COPY, &ledger.dir(), there, &[]).ended(0);
    from_to(COPY, there, &out, &[]).ended(0);
    assert!(fs::read(&out).unwrap() == original, "not the same blocks");
    // What does not hold when it is read back is none either.
    primary.sql("UPDATE luzhang_head SET writer = 'luzhang log copy, unfinished'");
    primary.sql(
        "UPDATE luzhang_block SET body = set_byte(body, length(body) - 1, 1) \
         WHERE first_position = 1",
    );
    let spoilt = from_to(COPY, &ledger.dir(), there, &[]);
    assert_ne!(spoilt.code, 0, "{spoilt:?}");
    refused();
}
