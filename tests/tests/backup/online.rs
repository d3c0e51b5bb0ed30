//! A backup is taken from a server while its clients are at work.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use luzhang_proto::{google::r#type::Date, wire};
use luzhang_server::notes::{self, Noted};
use uuid::Uuid;

use crate::{
    restoring::key,
    shelves::{back_up, blocks_of, export, files, from_to, verified},
    support::{Grpc, Ledger, Person, Server, Target, govern},
};

/// What a caller issues, one after the other, until it is told to stop.
async fn issue(url: String, caller: u32, stop: &AtomicBool, issued: &AtomicU64) {
    let mut server = Grpc::connect(&url).await;
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let status = wire::PovertyStatus {
            person: Some(Person::number(caller * 10_000 + number).wire()),
            from: Some(Date {
                year: 2020,
                month: 1,
                day: 1,
            }),
            until: None,
            list_version: "v1".to_owned(),
        };
        let command = wire::Command {
            request_id: Uuid::from_u64_pair(u64::from(caller), number.into()).to_string(),
            office: "510502".to_owned(),
            body: Some(wire::command::Body::PovertyStatus(status)),
        };
        let request = wire::SubmitRequest {
            receipt: false,
            command: Some(command),
        };
        server.ledger.submit(request).await.unwrap();
        issued.fetch_add(1, Ordering::Relaxed);
    }
}

/// Stops the callers, also if a check panics: they would go on for ever.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `check` while callers issue.
fn under_load<T>(server: &Server, check: impl FnOnce(&AtomicU64) -> T) -> T {
    let (stop, issued) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for caller in 1..=4 {
            let (url, stop, issued) = (server.url().to_owned(), &stop, &issued);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(issue(url, caller, stop, issued));
            });
        }
        let _stop = Stop(&stop);
        check(&issued)
    })
}

/// The files of a shelf that are sealed, with their content.
fn sealed(shelf: &Path) -> BTreeMap<String, Vec<u8>> {
    let manifest = fs::read(shelf.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap().iter();
    files
        .filter(|file| file["sealed"] == true)
        .map(|file| {
            let name = file["name"].as_str().unwrap().to_owned();
            let content = fs::read(shelf.join(&name)).unwrap();
            (name, content)
        })
        .collect()
}

#[test]
fn a_backup_taken_under_load_holds_and_the_next_adds_what_is_new() {
    const FILE: u64 = 32 * 1024;
    let ledger = Ledger::new();
    let server = Server::with(&ledger.dir(), ["--checkpoint-every", "200ms"], "warn");
    let shelf = ledger.file("shelf");
    let target = server.target();
    let key = under_load(&server, |issued| {
        let mut was = (0, BTreeMap::new());
        let mut grown = 0;
        // Until there was enough to tell, whatever the machine.
        while grown < 6 || was.1.len() < 3 {
            let before = issued.load(Ordering::Relaxed);
            let said = back_up(&target, &shelf, FILE).ended(0).json();
            let position = said["position"].as_u64().unwrap();
            assert!(position >= was.0 && position >= before, "{said}");
            grown += u64::from(position > was.0 && was.0 > 0);
            let report = verified(&shelf, &[]).ended(0).json();
            assert_eq!(report["events"], position);
            assert_eq!(report["verdict"], "self_consistent");
            assert_eq!(report["remarks"].as_array().unwrap().len(), 0);
            let now = sealed(&shelf);
            for (name, content) in &was.1 {
                assert!(now[name] == *content, "{name} was rewritten");
            }
            was = (position, now);
        }
        key(&target)
    });
    let after = back_up(&target, &shelf, FILE).ended(0).json();
    // The server itself may have signed and written down something since.
    let whole = blocks_of(&export(&target, &ledger.file("whole.luzhang")));
    let copied = ledger.file("shelf.luzhang");
    from_to(&["log", "copy"], &shelf, &copied, &[]).ended(0);
    let of_shelf = blocks_of(&fs::read(&copied).unwrap());
    assert_eq!(after["position"].as_u64(), last(&of_shelf));
    assert!(whole.starts_with(&of_shelf), "not the same blocks");
    let report = verified(&shelf, &["--key", &key]).ended(0).json();
    assert_eq!(report["verdict"], "intact");
    assert!(report["checkpoint_size"].as_u64().unwrap() > 0, "{report}");

    // One byte of it, anywhere: the sweep over every byte is in `damage`.
    for (file, number) in files(&shelf).into_iter().zip(1_usize..) {
        let path = shelf.join(&file);
        let sound = fs::read(&path).unwrap();
        let mut spoilt = sound.clone();
        let at = sound.len() * number % sound.len().max(7) / 7 + 5;
        spoilt[at] ^= 0x40;
        fs::write(&path, spoilt).unwrap();
        let found = verified(&shelf, &["--key", &key]);
        assert_eq!(found.code, 10, "{file} {at} {found:?}");
        assert_eq!(found.json()["faults"][0]["file"], file.as_str());
        fs::write(&path, sound).unwrap();
    }
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);
    // A closed directory goes on with the same backup.
    let said = back_up(&ledger.target(), &shelf, FILE).ended(0).json();
    assert!(
        said["position"].as_u64() >= after["position"].as_u64(),
        "{said}"
    );
    from_to(&["log", "copy"], &shelf, &copied, &[]).ended(0);
    let closed = export(&ledger.target(), &ledger.file("closed.luzhang"));
    assert!(fs::read(&copied).unwrap() == closed, "not the same blocks");
    assert_eq!(
        verified(&shelf, &["--key", &key]).ended(0).json()["verdict"],
        "intact"
    );
}

fn last(blocks: &[Vec<u8>]) -> Option<u64> {
    let view = luzhang_ledger::block::BlockView::parse(blocks.last()?).ok()?;
    Some(view.last().number())
}

#[test]
fn a_directory_that_is_served_is_backed_up_through_its_server() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let shelf = ledger.file("shelf");
    back_up(&ledger.target(), &shelf, 4_096).failed(6, "LEDGER_LOCKED");
    assert!(!shelf.exists(), "nothing was begun");
    back_up(&server.target(), &shelf, 4_096).ended(0);
    server.kill();
    let gone = Target::server("http://127.0.0.1:9");
    let ran = back_up(&gone, &shelf, 4_096);
    assert_eq!(ran.code, 7, "{ran:?}");
    verified(&shelf, &[]).ended(0);
}

/// For `luzhang doctor` and the metrics; without being asked, nothing is written beside
/// the ledger.
#[test]
fn a_note_of_the_backup_is_left_for_whoever_asks_for_it() {
    let ledger = Ledger::new();
    let (dir, shelf) = (ledger.dir(), ledger.file("shelf"));
    let noted = || notes::read(&dir, Noted::BackedUp).unwrap();
    back_up(&ledger.target(), &shelf, 4_096).ended(0);
    assert_eq!(noted(), None);
    let to = ["backup", "--to", shelf.to_str().unwrap()];
    let note = ["--note", dir.to_str().unwrap()];
    ledger.target().run(to.iter().chain(&note)).ended(0);
    let note = noted().unwrap();
    let head = ledger.target().head();
    assert_eq!(head, format!("{}:{}", note.position, note.chain));
}

#[test]
fn whoever_may_not_read_everything_may_not_back_it_up() {
    let ledger = Ledger::new();
    govern(&ledger.dir(), &["clerk-1"]);
    let server = Server::start(&ledger.dir());
    let shelf = ledger.file("shelf");
    let by = |name: &str| server.target().with(&["--principal", name]);
    for (target, code) in [
        (server.target(), "PRINCIPAL_REQUIRED"),
        (by("nobody"), "PRINCIPAL_UNKNOWN"),
    ] {
        back_up(&target, &shelf, 4_096).failed(4, code);
        assert!(!shelf.exists(), "nothing was begun");
    }
    let said = back_up(&by("administrator"), &shelf, 4_096).ended(0).json();
    assert!(said["events"].as_u64().unwrap() > 3, "{said}");
}
