//! The adapter alone, without a server around it.

use std::{
    error::Error,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use luzhang_ledger::{
    LedgerId, Position,
    block::{BlockView, Head},
    log::{
        AppendError, Fault, Log, Reader as _,
        conformance::{self, Chain, Subject},
    },
    verify::{Verdict, Verifier},
};
use luzhang_server::postgres::{
    Database, Durable, Lease, PostgresError, PostgresLog, PostgresReader, Writer,
};
use uuid::Uuid;

use crate::support::database::{Cluster, Instance, url};

fn ledger() -> LedgerId {
    LedgerId::new(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0002))
}

fn writer(name: &str, durable: Durable) -> Writer {
    Writer {
        durable,
        name: name.to_owned(),
    }
}

fn local(name: &str) -> Writer {
    writer(name, Durable::Local)
}

const DROP: &str = "DROP TABLE IF EXISTS luzhang_head; DROP TABLE IF EXISTS luzhang_block";

struct Tables {
    primary: Instance,
    database: Database,
    dir: tempfile::TempDir,
    ledger: LedgerId,
}

impl Subject for Tables {
    fn create(&mut self, ledger: LedgerId) -> Result<Box<dyn Log>, Box<dyn Error>> {
        self.primary.sql(DROP);
        self.dir = tempfile::tempdir()?;
        self.ledger = ledger;
        let dir = self.dir.path();
        Ok(Box::new(PostgresLog::create(
            &self.database,
            dir,
            ledger,
            local("first"),
        )?))
    }

    fn open(&mut self) -> Result<Box<dyn Log>, Box<dyn Error>> {
        let dir = self.dir.path();
        Ok(Box::new(PostgresLog::open(
            &self.database,
            dir,
            self.ledger,
            local("second"),
        )?))
    }
}

#[test]
fn the_adapter_keeps_the_contract_of_the_port() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let mut subject = Tables {
        database: Database::parse(&url(&[&primary])).unwrap(),
        primary,
        dir: tempfile::tempdir().unwrap(),
        ledger: ledger(),
    };
    conformance::check(&mut subject).unwrap();
}

/// Eight writers, each of which believes that it is the only one: they take the right
/// to write from each other as fast as they can.
#[test]
fn of_eight_racing_writers_one_chain_comes() {
    const WRITERS: usize = 8;
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let database = Database::parse(&url(&[&primary])).unwrap();
    let dir = tempfile::tempdir().unwrap();
    Box::new(PostgresLog::create(&database, dir.path(), ledger(), local("made")).unwrap())
        .close()
        .unwrap();
    let barrier = Arc::new(Barrier::new(WRITERS));
    let until = Instant::now() + Duration::from_secs(8);
    let racing = (0..WRITERS).map(|number| {
        let (database, barrier) = (database.clone(), Arc::clone(&barrier));
        thread::spawn(move || {
            let dir = tempfile::tempdir().unwrap();
            let (mut appended, mut fenced) = (Vec::new(), 0);
            barrier.wait();
            while Instant::now() < until {
                // Without its lease, which would let one of them in at a time.
                let opened = PostgresLog::open_without_lease(
                    &database,
                    dir.path(),
                    ledger(),
                    local(&format!("writer {number}")),
                );
                let Ok(mut log) = opened else { continue };
                let mut chain = Chain::continuing(ledger(), log.head(), log.epoch());
                while Instant::now() < until {
                    let block = chain.block(&[40, 40]).unwrap();
                    match log.append(std::slice::from_ref(&block)) {
                        Ok(()) => appended.push(block.head),
                        Err(AppendError::Fenced { epoch, .. }) => {
                            assert!(epoch > log.epoch());
                            fenced += 1;
                            // Nothing more is taken, whatever it is.
                            let again = log.append(&[block]);
                            assert!(matches!(again, Err(AppendError::Fault(Fault::Poisoned))));
                            break;
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            (appended, fenced)
        })
    });
    let racing: Vec<_> = racing.collect();
    let mut acknowledged: Vec<Head> = Vec::new();
    let mut fenced = 0;
    for racer in racing {
        let (appended, refused) = racer.join().unwrap();
        acknowledged.extend(appended);
        fenced += refused;
    }
    let (reader, head) = PostgresReader::open(&database, ledger()).unwrap();
    let mut verifier = Verifier::new(None);
    let mut heads = Vec::new();
    for block in reader.blocks_from(Position::FIRST) {
        let block = block.unwrap();
        heads.push(BlockView::parse(&block).unwrap().head());
        assert_eq!(verifier.push(&[block]), Ok(()));
    }
    assert_eq!(verifier.finish(None).verdict, Verdict::SelfConsistent);
    assert_eq!(heads.last(), Some(&head));
    // Everything acknowledged is there, and nothing else.
    acknowledged.sort_by_key(|head| head.height);
    assert_eq!(acknowledged, heads);
    println!(
        "{} appends by {WRITERS} writers, {fenced} times one was fenced, {} epochs",
        heads.len(),
        head.epoch
    );
    assert!(fenced > 10, "they hardly raced: {fenced}");
}

#[test]
fn a_database_that_would_lose_what_it_acknowledges_is_refused() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let database = Database::parse(&url(&[&primary])).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let open = |durable| PostgresLog::create(&database, dir.path(), ledger(), writer("w", durable));
    let refused = |error: PostgresError| match error {
        PostgresError::NotDurable { setting, found, .. } => (setting, found),
        other => panic!("{other}"),
    };
    // No standby is waited for.
    assert_eq!(
        refused(open(Durable::Standby).unwrap_err()),
        ("synchronous_standby_names", String::new())
    );
    primary.set(&["synchronous_commit = off"]);
    primary.reload();
    assert_eq!(
        refused(open(Durable::Local).unwrap_err()),
        ("synchronous_commit", "off".to_owned())
    );
    primary.set(&["synchronous_commit = on", "full_page_writes = off"]);
    primary.reload();
    assert_eq!(
        refused(open(Durable::Local).unwrap_err()),
        ("full_page_writes", "off".to_owned())
    );
    primary.set(&["full_page_writes = on"]);
    primary.reload();
    let mut log = open(Durable::Local).unwrap();
    let mut chain = Chain::continuing(ledger(), log.head(), log.epoch());
    log.append(&[chain.block(&[40]).unwrap()]).unwrap();
    // Set lower while it is open: nothing more is acknowledged.
    primary.set(&["synchronous_commit = off"]);
    primary.reload();
    let block = chain.block(&[40]).unwrap();
    let told = thread::spawn(move || log.append(&[block]));
    thread::sleep(Duration::from_secs(2));
    primary.set(&["synchronous_commit = on"]);
    primary.reload();
    // It was not certain, and is now.
    told.join().unwrap().unwrap();
}

#[test]
fn an_old_epoch_is_refused_and_says_who_took_over() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let database = Database::parse(&url(&[&primary])).unwrap();
    let [one, two] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut old = PostgresLog::create(&database, one.path(), ledger(), local("a:7380")).unwrap();
    let mut chain = Chain::continuing(ledger(), old.head(), old.epoch());
    old.append(&[chain.block(&[40]).unwrap()]).unwrap();
    // While it holds the lease nobody is let in who asks.
    let held = PostgresLog::open(&database, two.path(), ledger(), local("b:7380")).unwrap_err();
    assert!(matches!(held, PostgresError::Held { writer } if writer == "a:7380"));
    // It is cut off from its lease, but not from the table of blocks.
    primary.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_locks \
         WHERE locktype = 'advisory' AND granted",
    );
    let mut new = PostgresLog::open(&database, two.path(), ledger(), local("b:7380")).unwrap();
    let block = chain.block(&[40]).unwrap();
    match old.append(std::slice::from_ref(&block)) {
        Err(AppendError::Fenced { epoch, writer }) => {
            assert_eq!((epoch, &*writer), (new.epoch(), "b:7380"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(new.head().height, 1);
    let mut chain = Chain::continuing(ledger(), new.head(), new.epoch());
    new.append(&[chain.block(&[40]).unwrap()]).unwrap();
    // The mark of the one that was fenced is of what it had acknowledged.
    drop(new);
    drop(PostgresLog::open(&database, one.path(), ledger(), local("a:7380")).unwrap());
}

/// A primary whose standbys do not answer, and a wait for them that somebody cancels:
/// the database says that all is well, with a warning.
#[test]
fn a_commit_whose_wait_was_cancelled_is_not_acknowledged() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let standby = cluster.standby("s1", &primary);
    primary.set(&["synchronous_standby_names = 'ANY 1 (s1)'"]);
    primary.reload();
    let replicating = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'";
    primary.until(replicating, "1");
    let database = Database::parse(&url(&[&primary])).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut log = PostgresLog::create(
        &database,
        dir.path(),
        ledger(),
        writer("w", Durable::Standby),
    )
    .unwrap();
    let mut chain = Chain::continuing(ledger(), log.head(), log.epoch());
    log.append(&[chain.block(&[40]).unwrap()]).unwrap();
    standby.freeze();
    let block = chain.block(&[40]).unwrap();
    let (asked, head) = (Instant::now(), block.head);
    let told = thread::spawn(move || {
        let appended = log.append(&[block]);
        (appended, asked.elapsed(), log)
    });
    // Cancelled as soon as it waits, and again and again.
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity \
                  WHERE wait_event = 'SyncRep'";
    primary.until(cancel, "1");
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        primary.sql(cancel);
        thread::sleep(Duration::from_millis(50));
    }
    assert!(!told.is_finished(), "it was acknowledged without a standby");
    // It is there, on one disk, for everybody to see.
    let stored = primary.sql("SELECT position FROM luzhang_head");
    assert_eq!(stored, head.position.unwrap().number().to_string());
    standby.thaw();
    let (appended, took, mut log) = told.join().unwrap();
    appended.unwrap();
    assert!(took >= Duration::from_secs(3));
    println!("acknowledged {took:?} after it was asked for, when the standby was back");
    log.append(&[chain.block(&[40]).unwrap()]).unwrap();
}

/// The database falls back to what it was: a standby that was behind is promoted.
#[test]
fn a_database_that_is_behind_what_was_acknowledged_is_refused() {
    let cluster = Cluster::new();
    let mut primary = cluster.primary("p", &[]);
    let mut standby = cluster.standby("s1", &primary);
    let database = Database::parse(&url(&[&primary, &standby])).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut log = PostgresLog::create(&database, dir.path(), ledger(), local("w")).unwrap();
    let mut chain = Chain::continuing(ledger(), log.head(), log.epoch());
    log.append(&[chain.block(&[40]).unwrap()]).unwrap();
    standby.until("SELECT position FROM luzhang_head", "1");
    standby.stop();
    log.append(&[chain.block(&[40]).unwrap()]).unwrap();
    primary.kill();
    standby.start();
    standby.promote();
    drop(log);
    let open = |dir: &tempfile::TempDir, name: &str| {
        PostgresLog::open(&database, dir.path(), ledger(), local(name))
    };
    let refused = open(&dir, "w").unwrap_err();
    assert!(
        matches!(refused, PostgresError::Behind { mark, found: 1 } if mark.number() == 2),
        "{refused}"
    );
    // And whoever goes on there all the same is recognised as another history.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut other = open(&elsewhere, "other").unwrap();
    let mut chain = Chain::continuing(ledger(), other.head(), other.epoch());
    for _ in 0..2 {
        other.append(&[chain.block(&[41]).unwrap()]).unwrap();
    }
    drop(other);
    let refused = open(&dir, "w").unwrap_err();
    assert!(
        matches!(refused, PostgresError::Forked { position } if position.number() == 2),
        "{refused}"
    );
}

#[test]
fn a_lease_is_one_writers_until_it_is_gone() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let database = Database::parse(&url(&[&primary])).unwrap();
    let now = Duration::ZERO;
    let lease = Lease::take(&database, ledger(), now).unwrap().unwrap();
    assert!(lease.is_held());
    assert!(Lease::take(&database, ledger(), now).unwrap().is_none());
    let other = LedgerId::new(Uuid::from_u128(7));
    assert!(Lease::take(&database, other, now).unwrap().is_some());
    drop(lease);
    let lease = Lease::take(&database, ledger(), now).unwrap().unwrap();
    primary.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_locks \
         WHERE locktype = 'advisory' AND granted",
    );
    thread::sleep(Duration::from_millis(100));
    assert!(!lease.is_held());
}
