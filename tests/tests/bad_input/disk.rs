//! A disk that fills up under a running server.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use luzhang_proto::wire;
use tempfile::TempDir;

use super::{Words, import, outcomes, positions, says, says_in_both};
use crate::{
    commands::{Commanded as _, course, listed, receipt},
    site::test,
    support::{Grpc, Person, Server, Sheet, Target, run},
};

/// Past the test harness, which shows nothing that a passing test prints.
fn skipped(what: &str, why: &str) {
    let line = format!("SKIPPED: {what}: cannot mount a tmpfs here: {why}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}

/// A file system in memory, of 260 MiB; gone when dropped, however the test
/// ends.
struct Disk(TempDir);

impl Disk {
    fn new() -> Result<Self, String> {
        let scratch = tempfile::tempdir().unwrap();
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=260m", "tmpfs"])
            .arg(scratch.path())
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(Self(scratch))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Takes every byte that is left.
    fn fill(&self) -> PathBuf {
        let path = self.path("filler");
        let mut file = File::create(&path).unwrap();
        for chunk in [1 << 20, 4_096] {
            let chunk = vec![0xa5; chunk];
            let error = loop {
                if let Err(error) = file.write_all(&chunk) {
                    break error;
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{error}");
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        for arguments in [&[][..], &["-l"]] {
            let unmounted = Command::new("umount")
                .args(arguments)
                .arg(self.0.path())
                .output();
            if unmounted.is_ok_and(|output| output.status.success()) {
                return;
            }
        }
    }
}

/// Submits until the server says that it stopped; what it acknowledged before.
async fn until_full(url: &str) -> (Vec<(wire::Command, wire::Outcome)>, tonic::Status) {
    let mut grpc = Grpc::connect(url).await;
    let mut acknowledged = Vec::new();
    for number in 0.. {
        // By turns: with a subject that needs a key, and without.
        let command = if number % 2 == 0 {
            listed(10_000 + number).command()
        } else {
            course(&format!("PD-{number}")).command()
        };
        let request = wire::SubmitRequest {
            receipt: false,
            command: Some(command.clone()),
        };
        match grpc.ledger.submit(request).await {
            Ok(answer) => {
                acknowledged.push((command, answer.into_inner().outcome.unwrap()));
            }
            Err(status) => return (acknowledged, status),
        }
    }
    unreachable!("a disk without end");
}

const STOPPED: Words<'static> = Words {
    zh: &[
        "已停止写入",
        "磁盘已满",
        "请先腾出空间",
        "重启服务",
        "同一请求编号",
    ],
    en: &[
        "writing stopped",
        "the disk is full",
        "free some space",
        "restart the server",
        "same request id",
    ],
};

fn table(path: &Path, persons: std::ops::Range<u32>) {
    let rows = persons.map(|index| {
        let Person { name, number } = Person::number(index);
        format!("{name},{number},2014-11-30,,v1")
    });
    Sheet::of("poverty-status", rows).write(path);
}

#[test]
fn a_full_disk_stops_the_writer_and_loses_nothing_acknowledged() {
    let disk = match Disk::new() {
        Ok(disk) => disk,
        Err(why) => {
            skipped("a full disk", &why);
            return;
        }
    };
    let dir = disk.path("ledger");
    let data = Target::data_dir(&dir);
    data.run(["init"]).ended(0);
    let server = Server::start(&dir);
    let target = server.target();
    let scratch = tempfile::tempdir().unwrap();
    let (before, during) = (
        scratch.path().join("before.csv"),
        scratch.path().join("during.csv"),
    );
    table(&before, 1..200);
    table(&during, 200..3_000);
    let imported = import(&target, &before).ended(0);
    let filler = disk.fill();

    // It goes on as long as there is room, and then stops for good.
    let url = server.url().to_owned();
    let (send, receive) = std::sync::mpsc::channel();
    test(async move { send.send(until_full(&url).await).unwrap() });
    let (acknowledged, status) = receive.recv().unwrap();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    says(status.message(), STOPPED.en);
    let head = target.head();
    let file = during.to_str().unwrap();
    target.run(["import", file]).failed(7, "WRITER_STOPPED");
    says_in_both(&target, &["import", file], "WRITER_STOPPED", STOPPED);
    says_in_both(
        &target,
        &["import", file],
        "WRITER_STOPPED",
        Words {
            zh: &["请重新导入同一文件"],
            en: &["Import the same file again"],
        },
    );
    // What is durable is still there to be read and taken away.
    assert_eq!(target.head(), head);
    let last = positions(&imported).last().unwrap().to_string();
    target.run(["event", "show", &last]).ended(0);
    let taken = scratch.path().join("taken");
    target
        .run(["audit", "export", "--out", taken.to_str().unwrap()])
        .ended(0);
    let verified = run(["audit", "verify", taken.to_str().unwrap(), "--head", &head]).ended(0);
    assert!(verified.out.contains("intact"), "{}", verified.out);
    assert_eq!(server.terminate().code, 0);

    // Somebody frees some space, and everything acknowledged is there.
    fs::remove_file(filler).unwrap();
    let server = Server::start(&dir);
    let target = server.target();
    let again = import(&target, &before).ended(0);
    assert_eq!(outcomes(&again), vec!["replayed"; 199]);
    assert_eq!(positions(&again), positions(&imported));
    let url = server.url().to_owned();
    test(async move {
        let mut grpc = Grpc::connect(&url).await;
        for (command, original) in acknowledged {
            let request = wire::SubmitRequest {
                receipt: false,
                command: Some(command),
            };
            let again = grpc
                .ledger
                .submit(request)
                .await
                .unwrap()
                .into_inner()
                .outcome
                .unwrap();
            assert!(again.replayed);
            assert_eq!(receipt(&again), receipt(&original));
        }
    });
    let rest = import(&target, &during).ended(0);
    let known = |outcome: &String| matches!(&**outcome, "accepted" | "replayed");
    assert!(outcomes(&rest).iter().all(known));
    assert_eq!(server.terminate().code, 0);
    let verified = data.run(["audit", "verify", "--head", &head]).ended(0);
    assert!(verified.out.contains("intact"), "{}", verified.out);
}

#[test]
fn a_ledger_on_a_full_disk_opens_or_says_why_not() {
    let disk = match Disk::new() {
        Ok(disk) => disk,
        Err(why) => {
            skipped("opening on a full disk", &why);
            return;
        }
    };
    let dir = disk.path("ledger");
    let data = Target::data_dir(&dir);
    data.run(["init"]).ended(0);
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("table.csv");
    table(&file, 1..100);
    let imported = import(&data, &file).ended(0);
    let head = data.head();
    let filler = disk.fill();
    // Twice: the space held back for this is given only once.
    for _ in 0..2 {
        let ran = data.run(["audit", "head"]);
        if ran.code == 0 {
            assert_eq!(ran.out.trim(), head);
        } else {
            ran.failed(1, "DISK_FULL");
            let words = Words {
                zh: &["磁盘已满", "请腾出空间"],
                en: &["the disk is full", "free some space"],
            };
            says_in_both(&data, &["audit", "head"], "DISK_FULL", words);
        }
    }
    // A new ledger has no room at all, and leaves nothing that looks like one.
    let other = disk.path("other");
    let ran = Target::data_dir(&other).run(["init"]);
    ran.failed(1, "DISK_FULL");
    fs::remove_file(filler).unwrap();
    assert_eq!(data.head(), head);
    let again = import(&data, &file).ended(0);
    assert_eq!(positions(&again), positions(&imported));
    assert_eq!(data.head(), head);
}
