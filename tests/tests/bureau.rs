//! A bureau's tables go in over gRPC, and what comes out is what an independent
//! model of the rules says, row by row. And what a clerk may rely on when
//! importing: repeating is safe, resubmitting is a new attempt, the copy that
//! comes back can be corrected and imported again.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use luzhang_ledger::{
    Position,
    block::BlockView,
    log::{Blocks, ReadError, Reader},
};
use luzhang_projections::projection::Projections;
use serde_json::{Value, json};
use support::{Bureau, Expected, Grpc, Ledger, Organisation, Person, Ran, Server, Sheet, Target, Totals};

/// The digest of every projection: name, version, position, digest.
type Digests = Vec<(String, u64, u64, String)>;

#[test]
fn the_demo_bureau_is_decided_as_its_model_says() {
    let (ledger, server) = imported_over_grpc(&Bureau::demo(), |codes| codes.to_vec());
    second_machine(&ledger, server);
}

#[test]
fn the_shared_example_is_decided_as_it_says() {
    let Some(example) = Bureau::example() else {
        eprintln!("SKIPPED: ../shared/example is not here");
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
    let found: Vec<_> = Expected::of(&ran).into_iter().map(&form).collect();
    let expected: Vec<_> = bureau.expected().into_iter().map(&form).collect();
    let differ: Vec<_> = found.iter().zip(&expected).filter(|(f, e)| f != e).collect();
    assert_eq!(differ, []);
    assert_eq!(found.len(), expected.len());
    let totals = target.run(["report", "totals", "-o", "json"]).ended(0);
    assert_eq!(Totals::of(&totals), bureau.totals());

    let head = target.head();
    let again = bureau.import(&target, &["-o", "ndjson"]).ended(0);
    assert_eq!(target.head(), head, "the second import wrote something");
    for (first, second) in ran.lines().iter().zip(again.lines()) {
        assert_eq!(second["outcome"], "replayed");
        assert_eq!([&first["position"], &first["codes"]], [&second["position"], &second["codes"]]);
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
    let of_dir = |dir: &Path| digests(&Target::data_dir(dir).run(["rebuild", "-o", "json"]).ended(0));
    assert_eq!(of_dir(&ledger.dir()), running);
    let copy = ledger.file("copy");
    copy_without_keys(&ledger.dir(), &copy);
    assert_eq!(of_dir(&copy), running);
    assert_eq!(folded(&from_dir), running);
    let verified = support::run(["audit", "verify", "--head", &head, "-o", "json"].map(Into::into)
        .into_iter()
        .chain([ledger.file("dir.luzhang").into_os_string()]));
    assert_eq!(verified.ended(0).json()["verdict"], "intact");
}

fn running_digests(url: &str) -> Digests {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listed = runtime.block_on(async { Grpc::connect(url).await.digests().await });
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    listed
        .into_iter()
        .map(|p| (p.name, p.version.into(), p.position, hex(&p.digest)))
        .collect()
}

fn digests(ran: &Ran) -> Digests {
    let report = ran.json();
    assert_eq!(report["schema_version"], 1);
    let rows = report["rows"].as_array().unwrap().iter();
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let number = |name: &str| row[name].as_u64().unwrap();
        (text("name"), number("version"), number("position"), text("digest"))
    };
    rows.map(row).collect()
}

fn export(target: &Target, file: &Path) -> Vec<u8> {
    target.run(["audit", "export", "--out", file.to_str().unwrap()]).ended(0);
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
        events.iter().for_each(|event| projections.apply(event));
        ControlFlow::Continue(())
    })
    .unwrap();
    let status = |status: luzhang_projections::projection::Status| {
        let position = status.position.unwrap().number();
        let name = status.name.as_str().to_owned();
        (name, status.name.version().into(), position, status.digest.to_string())
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

/// One table after another into one ledger, and what becomes of each row.
struct Desk {
    ledger: Ledger,
}

/// What became of a row: outcome, codes, position.
type Row = (String, Vec<String>, Option<u64>);

impl Desk {
    fn new() -> Self {
        Self {
            ledger: Ledger::new(),
        }
    }

    fn file(&self, name: &str, sheet: &Sheet) -> PathBuf {
        let path = self.ledger.file(name);
        sheet.write(&path);
        path
    }

    /// Imports one table.
    #[track_caller]
    fn import(&self, sheet: &Sheet, arguments: &[&str], exit: i32) -> Vec<Row> {
        let file = self.file("table.csv", sheet);
        rows(&self.run(&[&file], arguments).ended(exit))
    }

    fn run(&self, files: &[&Path], arguments: &[&str]) -> Ran {
        let files = files.iter().map(|path| path.to_str().unwrap());
        let options = ["-o", "ndjson"].iter().chain(arguments).copied();
        self.ledger.target().run(["import"].into_iter().chain(files).chain(options))
    }

    #[track_caller]
    fn writes_nothing<T>(&self, what: impl FnOnce() -> T) -> T {
        let before = self.ledger.target().head();
        let result = what();
        assert_eq!(self.ledger.target().head(), before, "something was written");
        result
    }
}

fn rows(ran: &Ran) -> Vec<Row> {
    let positions = ran.lines().into_iter().map(|line| line["position"].as_u64());
    let outcomes = Expected::of(ran).into_iter().map(|row| (row.outcome, row.codes));
    outcomes.zip(positions).map(|((outcome, codes), at)| (outcome, codes, at)).collect()
}

fn outcomes(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|(outcome, ..)| outcome.as_str()).collect()
}

fn row(outcome: &str, codes: &[&str], position: Option<u64>) -> Row {
    let codes = codes.iter().map(ToString::to_string);
    (outcome.to_owned(), codes.collect(), position)
}

/// A national master studio of the `index`th organisation.
fn studio(claim: &str, index: u32, yuan: &str) -> String {
    let Organisation { name, code } = Organisation::number(index);
    let fund = "中央就业创业补助资金";
    format!("{claim},{name},{code},技能大师工作室,国家级,2024-03-01,文{index},{yuan},{fund},510500")
}

fn appropriation(document: &str, yuan: &str) -> Sheet {
    let row = format!("{document},中央就业创业补助资金,skill-base,510500,2024,{yuan}");
    Sheet::of("appropriation", [row])
}

#[test]
fn a_refused_row_gets_a_new_attempt_and_an_accepted_one_never() {
    let desk = Desk::new();
    let claims = Sheet::of("skill-base", [
        studio("甲", 1, "100000.00"),
        studio("乙", 2, "100000.00"),
        studio("丙", 3, "90000.00"),
    ]);
    desk.import(&appropriation("演1", "100000.00"), &[], 0);
    let first = desk.import(&claims, &[], 3);
    let [at_a, at_b, at_c] = [0, 1, 2].map(|row: usize| first[row].2);
    let over = "BUDGET_EXCEEDED";
    assert_eq!(first, [
        row("accepted", &[], at_a),
        row("refused", &[over], at_b),
        row("refused", &[over, "M05_AMOUNT"], at_c),
    ]);
    let replayed = [
        row("replayed", &[], at_a),
        row("replayed", &[over], at_b),
        row("replayed", &[over, "M05_AMOUNT"], at_c),
    ];
    assert_eq!(desk.writes_nothing(|| desk.import(&claims, &[], 0)), replayed);

    // Nothing has changed, so the new attempt is refused too, at a new place.
    let second = desk.import(&claims, &["--resubmit"], 3);
    assert_eq!(outcomes(&second), ["replayed", "refused", "refused"]);
    assert_eq!(second[0].2, at_a);
    assert!(second[1].2 > at_c && second[2].2 > second[1].2, "{second:?}");

    // With more money: not without being asked, and once only.
    desk.import(&appropriation("演2", "200000.00"), &[], 0);
    assert_eq!(desk.writes_nothing(|| desk.import(&claims, &[], 0)), replayed);
    let third = desk.import(&claims, &["--resubmit"], 3);
    assert_eq!(outcomes(&third), ["replayed", "accepted", "refused"]);
    assert_eq!(third[2].1, ["M05_AMOUNT"]);
    let fourth = desk.import(&claims, &["--resubmit"], 3);
    assert_eq!(fourth[..2], [row("replayed", &[], at_a), row("replayed", &[], third[1].2)]);

    // A changed row under an old key: an accepted one can never be replaced, a
    // refused one only when that is asked for.
    let reused = "REQUEST_ID_REUSED";
    let changed = Sheet::of("skill-base", [
        studio("甲", 1, "100000.01"),
        studio("乙", 4, "100000.00"),
        studio("丙", 3, "100000.00"),
    ]);
    let rejected = [at_a, at_b, at_c].map(|at| row("rejected", &[reused], at));
    assert_eq!(desk.writes_nothing(|| desk.import(&changed, &[], 1)), rejected);
    let corrected = desk.import(&changed, &["--resubmit"], 1);
    assert_eq!(corrected[..2], [
        row("rejected", &[reused], at_a),
        row("rejected", &[reused], third[1].2),
    ]);
    assert_eq!(corrected[2].0, "accepted");
    let target = desk.ledger.target();
    let totals = Totals::of(&target.run(["report", "totals", "-o", "json"]).ended(0));
    let expected = BTreeMap::from([(("skill-base".to_owned(), 2024), 30_000_000)]);
    assert_eq!(totals.sums, expected, "each claim once");
}

#[test]
fn a_rejected_row_leaves_nothing_and_is_simply_corrected() {
    let desk = Desk::new();
    let person = Person::number(1);
    let Person { name, number } = &person;
    let other_check = if number.ends_with('1') { '2' } else { '1' };
    let wrong = format!("{}{other_check}", &number[..17]);
    let money = |amount: &str, fund: &str| format!("演1,{fund},skill-base,510500,2024,{amount}");
    let central = "中央就业创业补助资金";
    let studio = |yuan: &str, fund: &str| studio("甲", 1, yuan).replace(central, fund);
    // Template, bad row, code, the same row corrected.
    let cases: [(&str, String, &str, String); 12] = [
        ("poverty-status", format!("{name},{wrong},2020-01-01,,册"), "ID_CHECK_DIGIT",
            format!("{name},{number},2020-01-01,,册")),
        ("poverty-status", format!("{name},{number},2020-02-30,,册"), "DATE_INVALID",
            format!("{name},{number},2020-02-29,,册")),
        ("poverty-status", format!("{name},{number},2021-01-01,2021-01-01,册"), "PERIOD_REVERSED",
            format!("{name},{number},2021-01-01,2021-01-02,册")),
        ("unemployment-benefit", format!("{name},{number},2024-01-02,2024-01-01,源"), "PERIOD_REVERSED",
            format!("{name},{number},2024-01-02,2024-01-02,源")),
        ("appropriation", money("1.001", central), "AMOUNT_DECIMALS", money("1.00", central)),
        ("appropriation", money("-1", central), "AMOUNT_NEGATIVE", money("1.00", central)),
        ("appropriation", money("0", central), "AMOUNT_NOT_POSITIVE", money("1.00", central)),
        ("appropriation", money("1.00", "小金库"), "UNKNOWN_FUND", money("1.00", central)),
        ("skill-base", studio("100000.00", "小金库"), "UNKNOWN_FUND", studio("100000.00", central)),
        ("skill-base", studio("", central), "CELL_EMPTY", studio("100000.00", central)),
        ("attendance", format!("班1,{name},{number},2024-01-05"), "UNKNOWN_COURSE", String::new()),
        ("attendance", format!("班1,{name},{number}"), "FIELD_COUNT", String::new()),
    ];
    for (template, bad, code, good) in cases {
        let desk = if good.is_empty() { &desk } else { &Desk::new() };
        let bad = Sheet::of(template, [bad]);
        let found = desk.writes_nothing(|| desk.import_any(&bad));
        assert_eq!(found, [row("rejected", &[code], None)], "{template}: {bad:?}");
        if !good.is_empty() {
            let good = desk.import_any(&Sheet::of(template, [good]));
            assert!(["accepted", "refused"].contains(&good[0].0.as_str()), "{template}: {good:?}");
        }
    }
}

impl Desk {
    /// Imports a table, however that ends.
    fn import_any(&self, sheet: &Sheet) -> Vec<Row> {
        let file = self.file("table.csv", sheet);
        rows(&self.run(&[&file], &[]))
    }
}
