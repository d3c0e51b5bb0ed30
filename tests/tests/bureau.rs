//! A bureau's tables go in over gRPC, and what comes out is what an independent
//! model of the rules says, row by row. And what a clerk may rely on when
//! importing: repeating is safe, resubmitting is a new attempt, the copy that
//! comes back can be corrected and imported again.

#![cfg(test)]

mod support;

#[path = "bureau/attempts.rs"]
mod attempts;
#[path = "bureau/desk.rs"]
mod desk;
#[path = "bureau/files.rs"]
mod files;

use std::{collections::BTreeSet, fs, ops::ControlFlow, path::Path};

use luzhang_ledger::{
    Position,
    block::BlockView,
    log::{Blocks, ReadError, Reader},
};
use luzhang_projections::projection::Projections;
use serde_json::{Value, json};
use support::{Bureau, Expected, Grpc, Ledger, Ran, Server, Target, Totals};

/// The digest of every projection: name, version, position, digest.
type Digests = Vec<(String, u64, u64, String)>;

#[test]
fn the_demo_bureau_is_decided_as_its_model_says() {
    let (ledger, server) = imported_over_grpc(&Bureau::demo(), <[String]>::to_vec);
    second_machine(&ledger, server);
}

#[test]
fn the_shared_example_is_decided_as_it_says() {
    let Some(example) = Bureau::example() else {
        skipped(format_args!("SKIPPED: ../shared/example is not here"));
        return;
    };
    let (ledger, server) = imported_over_grpc(&example, |codes| {
        let set: BTreeSet<_> = codes.iter().cloned().collect();
        set.into_iter().collect()
    });
    second_machine(&ledger, server);
}

/// Imports a bureau twice into a served ledger. `comparable` puts the codes of a
/// row into the form in which they are compared.
fn imported_over_grpc(
    bureau: &Bureau,
    comparable: impl Fn(&[String]) -> Vec<String>,
) -> (Ledger, Server) {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let target = server.target();
    let ran = bureau.import(&target, &["-o", "ndjson"]).ended(3);
    let form = |row: Expected| Expected {
        codes: comparable(&row.codes),
        ..row
    };
    let sorted = |rows: Vec<Expected>| {
        let mut rows: Vec<_> = rows.into_iter().map(&form).collect();
        rows.sort();
        rows
    };
    let (found, expected) = (sorted(Expected::of(&ran)), sorted(bureau.expected()));
    let differ: Vec<_> = found
        .iter()
        .zip(&expected)
        .filter(|(f, e)| f != e)
        .collect();
    assert_eq!(differ, []);
    assert_eq!(found.len(), expected.len());
    let totals = target.run(["report", "totals", "-o", "json"]).ended(0);
    assert_eq!(Totals::of(&totals), bureau.totals());

    let head = target.head();
    let again = bureau.import(&target, &["-o", "ndjson"]).ended(0);
    assert_eq!(target.head(), head, "the second import wrote something");
    for (first, second) in ran.lines().iter().zip(again.lines()) {
        assert_eq!(second["outcome"], "replayed");
        assert_eq!(
            [&first["position"], &first["codes"]],
            [&second["position"], &second["codes"]]
        );
    }
    assert_eq!(again.lines().len(), ran.lines().len());
    let counted = bureau.import(&target, &["-o", "json"]).ended(0);
    for (file, counts) in bureau.files().iter().zip(counted.lines()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let rows = expected.iter().filter(|row| row.file == name).count();
        let shape = json!({
            "schema_version": 1, "file": name, "rows": rows,
            "accepted": 0, "refused": 0, "rejected": 0, "replayed": rows,
        });
        assert_eq!(counts, shape);
    }
    (ledger, server)
}

/// The running server, a rebuild beside it, a rebuild of the directory after it
/// has ended, a copy of the directory without its keys, and a fold of the
/// export in this process all have the same digests.
fn second_machine(ledger: &Ledger, server: Server) {
    let target = server.target();
    let running = running_digests(server.url());
    let beside = target.run(["rebuild", "-o", "json"]).ended(0);
    assert_eq!(beside.json()["matches"], true);
    assert_eq!(digests(&beside), running);
    let head = target.head();
    let from_server = export(&target, &ledger.file("server.luzhang"));
    let ended = server.terminate();
    assert_eq!(ended.code, 0, "{}", ended.err);

    let from_dir = export(&ledger.target(), &ledger.file("dir.luzhang"));
    assert!(from_server == from_dir, "the exports differ");
    let of_dir = |dir: &Path| {
        digests(
            &Target::data_dir(dir)
                .run(["rebuild", "-o", "json"])
                .ended(0),
        )
    };
    assert_eq!(of_dir(&ledger.dir()), running);
    let copy = ledger.file("copy");
    copy_without_keys(&ledger.dir(), &copy);
    assert_eq!(of_dir(&copy), running);
    assert_eq!(folded(&from_dir), running);
    let verified = support::run(
        ["audit", "verify", "--head", &head, "-o", "json"]
            .map(Into::into)
            .into_iter()
            .chain([ledger.file("dir.luzhang").into_os_string()]),
    );
    assert_eq!(verified.ended(0).json()["verdict"], "intact");
}

fn running_digests(url: &str) -> Digests {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listed = runtime.block_on(async { Grpc::connect(url).await.digests().await });
    listed
        .into_iter()
        .map(|p| {
            let digest = luzhang_ledger::Hash::from_bytes(p.digest.try_into().unwrap());
            (p.name, p.version.into(), p.position, digest.to_string())
        })
        .collect()
}

fn digests(ran: &Ran) -> Digests {
    let report = ran.json();
    assert_eq!(report["schema_version"], 1);
    let rows = report["rows"].as_array().unwrap().iter();
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let number = |name: &str| row[name].as_u64().unwrap();
        (
            text("name"),
            number("version"),
            number("position"),
            text("digest"),
        )
    };
    rows.map(row).collect()
}

fn export(target: &Target, file: &Path) -> Vec<u8> {
    target
        .run(["audit", "export", "--out", file.to_str().unwrap()])
        .ended(0);
    fs::read(file).unwrap()
}

fn copy_without_keys(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (name, path) = (entry.file_name(), entry.path());
        if path.is_dir() && name != "keys" {
            copy_without_keys(&path, &to.join(name));
        } else if path.is_file() {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// Folds an export, as a machine does that has nothing else.
fn folded(export: &[u8]) -> Digests {
    let mut projections = Projections::default();
    luzhang_server::replay::replay(&Exported::new(export), |events| {
        for event in &events {
            projections.apply(event);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    let status = |status: luzhang_projections::projection::Status| {
        let position = status.position.unwrap().number();
        let name = status.name.as_str().to_owned();
        (
            name,
            status.name.version().into(),
            position,
            status.digest.to_string(),
        )
    };
    projections.statuses().into_iter().map(status).collect()
}

/// The blocks of an export, by the table of FORMAT.md.
#[derive(Debug)]
struct Exported(Vec<Vec<u8>>);

impl Exported {
    fn new(export: &[u8]) -> Self {
        let (mut blocks, mut rest) = (Vec::new(), &export[32..]);
        while let Some((length, after)) = rest.split_first_chunk::<4>()
            && *length != [0; 4]
        {
            let (block, after) = after.split_at(u32::from_le_bytes(*length) as usize);
            blocks.push(block.to_vec());
            rest = after;
        }
        Self(blocks)
    }
}

impl Reader for Exported {
    fn block_with(&self, position: Position) -> Result<Option<Vec<u8>>, ReadError> {
        self.blocks_from(position).next().transpose()
    }

    fn blocks_from(&self, position: Position) -> Blocks<'_> {
        let before = move |block: &&Vec<u8>| BlockView::parse(block).unwrap().last() < position;
        Box::new(self.0.iter().skip_while(before).cloned().map(Ok))
    }
}

/// Says so past the test runner, which shows what a test prints only if it fails.
fn skipped(what: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    // Nobody may be reading.
    let _unread = writeln!(std::io::stderr(), "{what}");
}
