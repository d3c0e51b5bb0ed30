//! An import that is killed and repeated.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
};

use luzhang_proto::wire;
use serde_json::Value;

use crate::support::{self, Bureau, Dice, Expected, Grpc, Ledger, Person, Server, Sheet, Totals};

/// A clerk's import is killed again and again, and then repeated.
#[test]
fn an_import_that_is_killed_and_repeated_ends_as_one_that_was_not() {
    let bureau = Bureau::demo();
    let expected = bureau.expected();
    let whole = Ledger::new();
    bureau.import(&whole.target(), &[]).ended(3);
    let events = |ledger: &Ledger| {
        let verify = ["audit", "verify", "-o", "json"];
        let report = ledger.target().run(verify).ended(0).json();
        report["events"].as_u64().unwrap()
    };
    let mut dice = Dice::new("import");
    let mut begun = 0;
    for _ in 0..5 {
        let ledger = Ledger::new();
        let target = ledger.target();
        let lines = dice.below(expected.len() as u64 / 2);
        let mut import = spawn_import(&target, bureau.files());
        let output = BufReader::new(import.stdout.take().unwrap());
        let lines = output.lines().take(lines.try_into().unwrap());
        let read = lines.map_while(Result::ok).count();
        import.kill().unwrap();
        import.wait().unwrap();

        let ran = bureau.import(&target, &["-o", "ndjson"]);
        assert!([0, 3].contains(&ran.code), "{ran:?}");
        let found = Expected::of(&ran);
        let replayed = found.iter().take_while(|row| row.outcome == "replayed");
        let replayed = replayed.count();
        println!("killed after it said {read} rows, {replayed} were in");
        for (number, (row, expected)) in found.iter().zip(&expected).enumerate() {
            // Codes are what a refusal has.
            let same = (&row.key, &row.codes) == (&expected.key, &expected.codes);
            let outcome = match number {
                number if number < replayed => "replayed",
                _ => &expected.outcome,
            };
            assert!(same && row.outcome == outcome, "{row:?}, {expected:?}");
        }
        assert_eq!(found.len(), expected.len());
        assert!(read <= replayed, "{read} rows were said to be in");
        assert!(positions(&ran.lines()).is_sorted_by(|one, two| one < two));
        let totals = target.run(["report", "totals", "-o", "json"]).ended(0);
        assert_eq!(Totals::of(&totals), bureau.totals());
        assert_eq!(events(&ledger), events(&whole), "each row once");
        begun += usize::from(replayed > 0 && replayed < found.len());
    }
    assert!(begun > 0, "no import was killed half way");
}

/// A client that dies in the middle of a long table leaves a beginning of it,
/// never a hole: rows are decided in their order, whenever they come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_client_leaves_no_hole_in_a_table() {
    // More messages than a server takes in at once.
    const ROWS: u32 = 15_000;
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let target = server.target();
    let rows = (0..ROWS).map(|row| {
        let Person { name, number } = Person::number(row);
        format!("{name},{number},2020-01-01,,册")
    });
    let file = ledger.file("long.csv");
    Sheet::of("poverty-status", rows).write(&file);
    let mut dice = Dice::new("client");
    let mut from = 1;
    for _ in 0..2 {
        let mut grpc = Grpc::connect(server.url()).await;
        let follow = wire::ReadEventsRequest {
            from,
            follow: true,
            kinds: vec!["ledger_created".to_owned()],
            ..wire::ReadEventsRequest::default()
        };
        let mut growing = grpc.ledger.read_events(follow).await.unwrap().into_inner();
        let enough = from + 1 + dice.below(1_000);
        let mut import = spawn_import(&target, [file.clone()]);
        while growing.message().await.unwrap().unwrap().position < enough {}
        import.kill().unwrap();
        import.wait().unwrap();
        from = target.head().split(':').next().unwrap().parse().unwrap();
        println!("killed at {enough}, the log goes to {from}");
    }
    let ran = target
        .run(["import", file.to_str().unwrap(), "-o", "ndjson"])
        .ended(0);
    let lines = ran.lines();
    assert_eq!(lines.len(), usize::try_from(ROWS).unwrap());
    let replayed = lines
        .iter()
        .take_while(|line| line["outcome"] == "replayed")
        .count();
    assert!(
        lines[replayed..]
            .iter()
            .all(|line| line["outcome"] == "accepted"),
        "a hole"
    );
    assert!(positions(&lines).is_sorted_by(|one, two| one < two));
    assert!(
        0 < replayed && replayed < lines.len(),
        "{replayed} rows were in"
    );
}

fn spawn_import(target: &support::Target, files: impl IntoIterator<Item = PathBuf>) -> Child {
    support::luzhang()
        .arg("import")
        .args(files)
        .args(target.options())
        .args(["-o", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn positions(lines: &[Value]) -> Vec<u64> {
    lines
        .iter()
        .map(|line| line["position"].as_u64().unwrap())
        .collect()
}
