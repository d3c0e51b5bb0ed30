//! Another key-encryption key for servers that share a log: one changes it, the others
//! follow when they are given it, and nothing is lost on the way, wherever it ends.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Stdio},
    slice, thread,
    time::{Duration, Instant},
};

use super::{
    failover::{LOCAL, STANDBY, Site, position},
    keys::{caught_up, import, list, reveal},
};
use crate::support::{
    Person, Target,
    database::{Cluster, Instance},
    keyring::{Kek, Keyring},
    luzhang, signal,
};

fn number(person: u32) -> String {
    Person::number(person).number
}

#[track_caller]
fn shows(target: &Target, people: &[u32]) {
    for person in people {
        let shown = reveal(target, &number(*person)).ended(0).json();
        assert_eq!(shown["rows"][0]["name"], Person::number(*person).name);
    }
}

/// The copies in the database.
fn copies(primary: &Instance) -> Vec<[u8; 96]> {
    let rows = primary.sql("SELECT encode(record, 'hex') FROM luzhang_key");
    let unhex = |line: &str| -> Vec<u8> {
        let digits = line.as_bytes().chunks(2);
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.map(byte).collect()
    };
    rows.lines()
        .map(|line| unhex(line).try_into().unwrap())
        .collect()
}

/// Whether this one opens all copies and what is in these directories, and the others
/// nothing.
#[track_caller]
fn only(new: &Kek, old: &[Kek], primary: &Instance, dirs: &[&Path]) {
    let copies = copies(primary);
    assert!(copies.len() > 2);
    for copy in &copies {
        assert!(new.open_record(copy).is_some());
        assert!(old.iter().all(|old| old.open_record(copy).is_none()));
    }
    let under = primary.sql("SELECT DISTINCT kek FROM luzhang_key");
    assert_eq!(under, new.id());
    assert_eq!(primary.sql("SELECT kek FROM luzhang_kek"), new.id());
    for dir in dirs {
        let ring = Keyring::read(&dir.join("keys"), new);
        assert!(ring.subjects.len() >= copies.len());
        assert!(!dir.join("keys/previous").exists());
        assert!(Kek::read(&dir.join("kek")) == *new);
    }
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

const ROTATE: [&str; 2] = ["keys", "rotate"];

fn take(new: &Path) -> [&str; 4] {
    ["keys", "take", "--new-kek-file", new.to_str().unwrap()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_changes_the_key_encryption_key_and_the_others_follow() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let site = Site::new(&[&primary]);
    site.join("second");
    site.join("third");
    let [one, two, three] = ["first", "second", "third"].map(|name| site.dir(name));
    let [first, second, third] = [&one, &two, &three].map(|dir| Target::data_dir(dir));
    let writer = site.serve("first", &LOCAL);
    let waiting = [&STANDBY[..], &["--lease", "never"]].concat();
    let mut standby = site.serve("second", &waiting);
    import(&writer.target(), &list(&site, 2020, &[1, 2, 3, 4]));
    let erase = [
        "subject",
        "erase",
        &number(3),
        "--document",
        "演〔2026〕1号",
    ];
    writer.target().run(erase).ended(0);
    caught_up(&standby, &writer).await;
    let old = Kek::read(&one.join("kek"));

    // While another server writes, nobody changes anything.
    first.run(ROTATE).failed(6, "LEDGER_LOCKED");
    third.run(ROTATE).failed(6, "LEDGER_LOCKED");
    third.run(take(&one.join("kek"))).failed(1, "KEK_UNCHANGED");
    assert!(!three.join("keys/previous").exists());
    assert_eq!(writer.terminate().code, 0);
    let rotated = first.run(ROTATE).ended(0);
    assert!(rotated.err.contains("keys take"), "{}", rotated.err);
    let new = Kek::read(&one.join("kek"));
    only(&new, slice::from_ref(&old), &primary, &[&one]);

    // A server that runs with the old one goes on to the first new person, and says why
    // it does not go further; it does not take over either.
    let writer = site.serve("first", &LOCAL);
    let before = position(standby.url()).await.unwrap();
    import(&writer.target(), &list(&site, 2020, &[5]));
    until("it does not say why it stays behind", || {
        standby.said().contains("KEYS_FOREIGN") && standby.said().contains("luzhang keys take")
    });
    signal("USR1", standby.process());
    import(&writer.target(), &list(&site, 2020, &[6]));
    thread::sleep(Duration::from_secs(1));
    shows(&writer.target(), &[1, 2, 4, 5, 6]);
    assert_eq!(position(standby.url()).await.unwrap(), before);
    assert_eq!(standby.terminate().code, 0);
    assert!(Keyring::read(&two.join("keys"), &old).subjects.len() >= 3);
    let serve = [
        "serve",
        "--standby",
        "--durable",
        "local",
        "--listen",
        "127.0.0.1:0",
    ];
    second.run(serve).failed(1, "KEYS_FOREIGN");
    second.run(ROTATE).failed(6, "LEDGER_LOCKED");

    // It follows when it is given the new one, and no other.
    let stray = site.dir("stray");
    fs::write(&stray, format!("luzhang kek 1\nkey {}\n", "07".repeat(32))).unwrap();
    fs::set_permissions(&stray, fs::Permissions::from_mode(0o600)).unwrap();
    second.run(take(&stray)).failed(1, "KEK_NOT_AGREED");
    second.run(["keys", "take"]).ended(2);
    let taken = second.run(take(&one.join("kek"))).ended(0);
    assert!(taken.err.contains("overwritten"), "{}", taken.err);
    third.run(take(&one.join("kek"))).ended(0);
    only(&new, slice::from_ref(&old), &primary, &[&one, &two, &three]);
    second
        .run(take(&one.join("kek")))
        .failed(1, "KEK_UNCHANGED");
    let standby = site.serve("second", &STANDBY);
    caught_up(&standby, &writer).await;
    writer.kill();
    until("it does not take over", || {
        reveal(&standby.target(), &number(1)).code == 0
    });
    shows(&standby.target(), &[2, 4, 5, 6]);
    reveal(&standby.target(), &number(3)).failed(1, "SUBJECT_ERASED");
    import(&standby.target(), &list(&site, 2020, &[7]));
    let last = site.serve("third", &STANDBY);
    caught_up(&last, &standby).await;
    standby.kill();
    until("the third does not take over", || {
        reveal(&last.target(), &number(1)).code == 0
    });
    shows(&last.target(), &[2, 4, 5, 6, 7]);
    assert_eq!(last.terminate().code, 0);
    only(&new, &[old], &primary, &[&two, &three]);
}

fn rotating(dir: &Path) -> Child {
    luzhang()
        .args(["--data-dir", dir.to_str().unwrap(), "keys", "rotate"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kill(mut child: Child, primary: &Instance) {
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had asked for, and waits, shall not be done yet.
    primary.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = 'luzhang' AND wait_event_type = 'Lock'",
    );
}

/// Nobody writes to a table until this is done.
fn while_locked(primary: &Instance, table: &str, work: impl FnOnce()) {
    let locking = format!("BEGIN; LOCK TABLE {table} IN SHARE MODE; SELECT pg_sleep(100)");
    thread::scope(|scope| {
        let lock = scope.spawn(|| primary.may_fail(&locking));
        let of_lock = format!(
            "FROM pg_locks WHERE relation = '{table}'::regclass AND mode = 'ShareLock' AND granted"
        );
        primary.until(&format!("SELECT count(*) {of_lock}"), "1");
        work();
        primary.sql(&format!("SELECT pg_terminate_backend(pid) {of_lock}"));
        lock.join().unwrap();
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_is_killed_is_finished_and_no_server_loses_a_key() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let site = Site::new(&[&primary]);
    site.join("second");
    let [one, two] = ["first", "second"].map(|name| site.dir(name));
    let [first, second] = [&one, &two].map(|dir| Target::data_dir(dir));
    import(&first, &list(&site, 2020, &[1, 2, 3]));
    let mut old = vec![Kek::read(&one.join("kek"))];

    // Before the servers could agree: the other goes on as if nothing had been.
    while_locked(&primary, "luzhang_kek", || {
        let child = rotating(&one);
        until("it was not begun", || Kek::read(&one.join("kek")) != old[0]);
        kill(child, &primary);
    });
    assert_eq!(primary.sql("SELECT kek FROM luzhang_kek"), old[0].id());
    let serve = ["serve", "--durable", "local", "--listen", "127.0.0.1:0"];
    first.run(serve).failed(1, "KEYS_ROTATING");
    import(&second, &list(&site, 2021, &[4]));
    shows(&second, &[1, 2, 3, 4]);
    first.run(ROTATE).ended(0);
    let new = Kek::read(&one.join("kek"));
    only(&new, &old, &primary, &[&one]);
    shows(&first, &[1, 2, 3, 4]);

    // After that: whoever serves next, with the new one, finishes it.
    let before = new;
    while_locked(&primary, "luzhang_key", || {
        let child = rotating(&one);
        let kek = || Kek::read(&one.join("kek")).id();
        until("they do not agree", || {
            let agreed = primary.sql("SELECT kek FROM luzhang_kek");
            agreed != before.id() && agreed == kek()
        });
        until("nothing waits", || {
            primary.sql(
                "SELECT count(*) FROM pg_stat_activity \
                 WHERE application_name = 'luzhang' AND wait_event_type = 'Lock'",
            ) == "1"
        });
        kill(child, &primary);
    });
    assert_eq!(
        primary.sql("SELECT DISTINCT kek FROM luzhang_key"),
        before.id()
    );
    second.run(["audit", "head"]).failed(1, "KEYS_FOREIGN");
    second.run(take(&one.join("kek"))).ended(0);
    old.push(before);
    let new = Kek::read(&one.join("kek"));
    let server = site.serve("second", &LOCAL);
    shows(&server.target(), &[1, 2, 3, 4]);
    only(&new, &old, &primary, &[&two]);
    assert_eq!(server.terminate().code, 0);
    shows(&first, &[1, 2, 3, 4]);
    only(&new, &old, &primary, &[&one, &two]);

    // Wherever it is killed.
    let mut killed = 0;
    old.push(new);
    for round in 0_u64..14 {
        let mut child = rotating(&one);
        thread::sleep(Duration::from_millis(10 + 15 * round));
        killed += u32::from(child.try_wait().unwrap().is_none());
        kill(child, &primary);
        if let Ok(text) = fs::read_to_string(one.join("kek"))
            && text.ends_with('\n')
        {
            let now = Kek::read(&one.join("kek"));
            if !old.contains(&now) {
                old.push(now);
            }
        }
    }
    println!("{} key-encryption keys, {killed} times killed", old.len());
    assert!(killed > 3, "{killed}");
    first.run(ROTATE).ended(0);
    let mut new = Kek::read(&one.join("kek"));
    if old.contains(&new) {
        // It had only to be finished.
        first.run(ROTATE).ended(0);
        new = Kek::read(&one.join("kek"));
    }
    only(&new, &old, &primary, &[&one]);
    shows(&first, &[1, 2, 3, 4]);
    second.run(take(&one.join("kek"))).ended(0);
    shows(&second, &[1, 2, 3, 4]);
    only(&new, &old, &primary, &[&one, &two]);
}
