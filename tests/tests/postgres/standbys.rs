//! How far the standbys have come, as the writer shows it.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use super::failover::{LOCAL, STANDBY, Site, position};
use crate::{
    scrape::Scrape,
    support::{
        Server, Target,
        database::Cluster,
        journal::{Journal, Load},
        signal,
    },
};

const METRICS: [&str; 2] = ["--metrics", "127.0.0.1:0"];
/// A standby that is not heard of is gone after 15 s.
const PATIENCE: Duration = Duration::from_secs(40);

#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Where a server that was told to give numbers out says that they are.
fn metrics_of(server: &mut Server) -> String {
    until("no metrics", || {
        let said = server.said();
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix("metrics "))?;
        Some(line.strip_suffix("/metrics")?.to_owned())
    })
}

fn positions(url: &str) -> BTreeMap<String, u64> {
    Scrape::of(url).by_label("luzhang_standby_position")
}

fn with_metrics(options: &[&'static str]) -> Vec<&'static str> {
    options.iter().chain(&METRICS).copied().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer_shows_how_far_each_standby_has_come_until_it_is_gone() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let site = Site::new(&[&primary]);
    site.join("second");
    // A database that was made before there was such a table.
    primary.sql("DROP TABLE luzhang_standby");
    let mut writer = site.serve("first", &with_metrics(&LOCAL));
    let url = metrics_of(&mut writer);
    assert_eq!(positions(&url), BTreeMap::new());
    let mut standby = site.serve("second", &with_metrics(&STANDBY));
    let of_standby = metrics_of(&mut standby);
    let name = standby.url().strip_prefix("http://").unwrap().to_owned();
    let journal = Journal::default();
    let load = Load::start(writer.url(), &journal);
    let mut before = until("the standby is not heard of", || {
        positions(&url).get(&name).copied()
    });
    // It comes further while there is more.
    for _ in 0..3 {
        before = until("it comes no further", || {
            let now = positions(&url)[&name];
            (now > before).then_some(now)
        });
    }
    let stopped_at = tokio::task::block_in_place(|| {
        signal("STOP", standby.process());
        // What it had told before that is read.
        thread::sleep(Duration::from_secs(2));
        positions(&url)[&name]
    });
    load.acknowledged(300).await;
    let lagging = Scrape::of(&url);
    let head = lagging.of_key("luzhang_position");
    assert_eq!(
        lagging.by_label("luzhang_standby_position"),
        [(name.clone(), stopped_at)].into()
    );
    assert!(head >= stopped_at + 300, "{head} {stopped_at}");
    assert_eq!(
        lagging.by_label("luzhang_standby_lag_events"),
        [(name.clone(), head - stopped_at)].into()
    );
    signal("CONT", standby.process());
    drop(load);
    // The load has gone, and it reaches the head.
    until("the standby does not reach the head", || {
        let now = Scrape::of(&url);
        let head = now.of_key("luzhang_position");
        let has = now.by_label("luzhang_standby_position");
        (has == [(name.clone(), head)].into()).then_some(())
    });
    let lag = Scrape::of(&url).by_label("luzhang_standby_lag_events");
    assert_eq!(lag, [(name.clone(), 0)].into());
    // A keeper is told too.
    let ran = Target::data_dir(&site.dir("first")).run(["doctor", "--json"]);
    let said = format!("followed by {name} (0 events behind)");
    assert!(ran.out.contains(&said), "{}", ran.out);
    // It takes over: it is no standby any more, neither here nor there.
    assert_eq!(positions(&of_standby), BTreeMap::new());
    signal("USR1", standby.process());
    until("it does not take over", || {
        (Scrape::of(&of_standby).of_key("luzhang_standby") == 0).then_some(())
    });
    until("whoever stepped down still has standbys", || {
        positions(&url).is_empty().then_some(())
    });
    assert_eq!(writer.terminate().code, 0);
    let back = site.serve("first", &STANDBY);
    let other = back.url().strip_prefix("http://").unwrap().to_owned();
    until("the new writer knows no standby, or itself", || {
        positions(&of_standby).keys().eq([&other]).then_some(())
    });
    back.kill();
    let (killed, gone) = (
        Instant::now(),
        until("a standby that was killed is still there", || {
            positions(&of_standby).is_empty().then(Instant::now)
        }),
    );
    println!("gone {:?} after it was killed", gone - killed);
    // One that ends in order says so.
    let back = site.serve("first", &STANDBY);
    let other = back.url().strip_prefix("http://").unwrap().to_owned();
    until("it does not come back", || {
        positions(&of_standby).contains_key(&other).then_some(())
    });
    assert_eq!(back.terminate().code, 0);
    assert_eq!(
        primary.sql("SELECT count(*) FROM luzhang_standby WHERE heard > now() - INTERVAL '10 s'"),
        "0"
    );
    assert_eq!(standby.terminate().code, 0);
}

/// What is only shown is no reason to stop or to wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_that_table_and_with_one_that_is_locked_all_else_goes_on() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let site = Site::new(&[&primary]);
    site.join("second");
    primary.sql("DROP TABLE luzhang_standby");
    primary.sql("CREATE TABLE luzhang_standby (another text)");
    let mut writer = site.serve("first", &with_metrics(&LOCAL));
    let url = metrics_of(&mut writer);
    let mut standby = site.serve("second", &STANDBY);
    let journal = Journal::default();
    let load = Load::start(writer.url(), &journal);
    load.acknowledged(200).await;
    for (server, said) in [
        (&mut writer, "how far the standbys have come is not known"),
        (&mut standby, "the writer cannot be told how far"),
    ] {
        until(said, || server.said().contains(said).then_some(()));
        // Some tries more.
        thread::sleep(Duration::from_secs(3));
        assert_eq!(server.said().matches(said).count(), 1);
    }
    assert_eq!(positions(&url), BTreeMap::new());
    // Somebody repairs it, and locks it meanwhile.
    primary.sql("DROP TABLE luzhang_standby");
    until("it is not made", || {
        (positions(&url).len() == 1).then_some(())
    });
    let locked = thread::scope(|scope| {
        let lock = scope.spawn(|| {
            primary.sql(
                "BEGIN; LOCK TABLE luzhang_standby IN ACCESS EXCLUSIVE MODE; \
                 SELECT pg_sleep(6); COMMIT",
            )
        });
        let began = Instant::now();
        let mut followed = position_of(standby.url());
        while !lock.is_finished() {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(load.acknowledged(50));
            });
            let now = until("it follows no further", || {
                let now = position_of(standby.url());
                (now > followed).then_some(now)
            });
            followed = now;
        }
        lock.join().unwrap();
        began.elapsed()
    });
    assert!(locked >= Duration::from_secs(6), "{locked:?}");
    drop(load);
    assert_eq!(writer.terminate().code, 0);
    assert_eq!(standby.terminate().code, 0);
}

fn position_of(url: &str) -> Option<u64> {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(position(url)))
}
