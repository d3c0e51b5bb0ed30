//! Keys of persons across servers: whoever takes over can show who they are, and what
//! is erased is erased everywhere.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::failover::{LOCAL, STANDBY, Site, position};
use crate::support::{
    Person, Server, Sheet, Target,
    database::{Cluster, Instance},
};

pub(crate) fn list(site: &Site, year: u32, people: &[u32]) -> PathBuf {
    let file = site.dir(&format!("list-{year}-{}.csv", people[0]));
    let rows = people.iter().map(|number| {
        let Person { name, number } = Person::number(*number);
        format!("{name},{number},{year}-01-01,,册")
    });
    Sheet::of("poverty-status", rows).write(&file);
    file
}

pub(crate) fn import(target: &Target, file: &Path) {
    target.run(["import", file.to_str().unwrap()]).ended(0);
}

pub(crate) fn reveal(target: &Target, number: &str) -> crate::support::Ran {
    target.run([
        "subject",
        "reveal",
        number,
        "--purpose",
        "电话核实",
        "-o",
        "json",
    ])
}

pub(crate) async fn caught_up(behind: &Server, with: &Server) {
    let until = Instant::now() + Duration::from_secs(20);
    let end = position(with.url()).await;
    while position(behind.url()).await != end {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn stored(primary: &Instance) -> String {
    primary.sql("SELECT count(*) FROM luzhang_key")
}

/// How many records of a directory's keys are not zeros.
fn kept(dir: &Path) -> usize {
    let bytes = fs::read(dir.join("keys/subjects")).unwrap();
    let records = bytes.chunks_exact(96).skip(1);
    records
        .filter(|record| record.iter().any(|byte| *byte != 0))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_over_has_the_keys_and_none_that_were_destroyed() {
    let cluster = Cluster::new();
    let primary = cluster.primary("p", &[]);
    let site = Site::new(&[&primary]);
    site.join("second");
    let [one, two] = [site.dir("first"), site.dir("second")];
    let writer = site.serve("first", &LOCAL);
    let standby = site.serve("second", &STANDBY);
    let number = |person| Person::number(person).number;
    import(&writer.target(), &list(&site, 2020, &[1, 2, 3]));
    assert_eq!(stored(&primary), "3");
    // One is erased; another too, and is back under a new key at once.
    for person in [1, 2] {
        let number = number(person);
        let erase = ["subject", "erase", &number, "--document", "演〔2026〕1号"];
        writer.target().run(erase).ended(0);
    }
    assert_eq!(stored(&primary), "1");
    import(&writer.target(), &list(&site, 2021, &[2]));
    assert_eq!(stored(&primary), "2");
    caught_up(&standby, &writer).await;
    assert_eq!((kept(&one), kept(&two)), (2, 2));
    writer.kill();
    let until = Instant::now() + Duration::from_secs(20);
    let revealed = loop {
        let revealed = reveal(&standby.target(), &number(3));
        if revealed.code == 0 {
            break revealed;
        }
        assert!(revealed.err.contains("NOT_THE_WRITER"), "{}", revealed.err);
        assert!(Instant::now() < until);
    };
    let shown = |ran: &crate::support::Ran| ran.json()["rows"][0]["name"].clone();
    assert_eq!(shown(&revealed), Person::number(3).name);
    let back = reveal(&standby.target(), &number(2)).ended(0);
    assert_eq!(shown(&back), Person::number(2).name);
    reveal(&standby.target(), &number(1)).failed(1, "SUBJECT_ERASED");
    // The first comes back with what it had, is told what happened meanwhile, and
    // takes over in its turn.
    import(&standby.target(), &list(&site, 2020, &[4]));
    let erase = [
        "subject",
        "erase",
        &number(3),
        "--document",
        "演〔2026〕2号",
    ];
    standby.target().run(erase).ended(0);
    let first = site.serve("first", &STANDBY);
    caught_up(&first, &standby).await;
    assert_eq!((kept(&one), kept(&two)), (2, 2));
    assert_eq!(standby.terminate().code, 0);
    let until = Instant::now() + Duration::from_secs(20);
    while reveal(&first.target(), &number(4)).code != 0 {
        assert!(Instant::now() < until);
    }
    reveal(&first.target(), &number(3)).failed(1, "SUBJECT_ERASED");
    let last = reveal(&first.target(), &number(2)).ended(0);
    assert_eq!(shown(&last), Person::number(2).name);
    assert_eq!(first.terminate().code, 0);
}

/// In the database there is nothing in clear, and no key that opens what is there.
#[test]
fn the_database_has_no_name_and_no_number() {
    let cluster = Cluster::new();
    let mut primary = cluster.primary("p", &[]);
    let site = Site::new(&[&primary]);
    let writer = site.serve("first", &LOCAL);
    import(&writer.target(), &list(&site, 2020, &[1, 2, 3]));
    assert_eq!(writer.terminate().code, 0);
    primary.sql("CHECKPOINT");
    primary.stop();
    let kek = fs::read_to_string(site.dir("first").join("kek")).unwrap();
    let kek = kek
        .lines()
        .map(str::to_owned)
        .filter(|line| line.len() >= 32);
    let people = [1, 2, 3].map(Person::number);
    let secrets = people
        .into_iter()
        .flat_map(|Person { name, number }| [name, number]);
    let secrets: Vec<String> = secrets.chain(kek).collect();
    assert!(secrets.len() > 6, "no key-encryption key was looked for");
    let search = aho_corasick::AhoCorasick::new(&secrets).unwrap();
    let mut looked = 0;
    let mut dirs = vec![primary.as_ref().join("data")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            looked += bytes.len();
            let found = search.find(&bytes);
            assert!(found.is_none(), "{}: {found:?}", path.display());
        }
    }
    assert!(looked > 16 << 20, "{looked} bytes are no database");
}
