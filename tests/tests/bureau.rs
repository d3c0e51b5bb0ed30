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
use support::{
    Bureau, Expected, Grpc, Ledger, Organisation, Person, Ran, Server, Sheet, Target, Totals,
};

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
        self.ledger
            .target()
            .run(["import"].into_iter().chain(files).chain(options))
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
    let positions = ran
        .lines()
        .into_iter()
        .map(|line| line["position"].as_u64());
    let outcomes = Expected::of(ran)
        .into_iter()
        .map(|row| (row.outcome, row.codes));
    outcomes
        .zip(positions)
        .map(|((outcome, codes), at)| (outcome, codes, at))
        .collect()
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
    let claims = Sheet::of(
        "skill-base",
        [
            studio("甲", 1, "100000.00"),
            studio("乙", 2, "100000.00"),
            studio("丙", 3, "90000.00"),
        ],
    );
    desk.import(&appropriation("演1", "100000.00"), &[], 0);
    let first = desk.import(&claims, &[], 3);
    let [at_a, at_b, at_c] = [0, 1, 2].map(|row: usize| first[row].2);
    let over = "BUDGET_EXCEEDED";
    assert_eq!(
        first,
        [
            row("accepted", &[], at_a),
            row("refused", &[over], at_b),
            row("refused", &[over, "M05_AMOUNT"], at_c),
        ]
    );
    let replayed = [
        row("replayed", &[], at_a),
        row("replayed", &[over], at_b),
        row("replayed", &[over, "M05_AMOUNT"], at_c),
    ];
    assert_eq!(
        desk.writes_nothing(|| desk.import(&claims, &[], 0)),
        replayed
    );

    // Nothing has changed, so the new attempt is refused too, at a new place.
    let second = desk.import(&claims, &["--resubmit"], 3);
    assert_eq!(outcomes(&second), ["replayed", "refused", "refused"]);
    assert_eq!(second[0].2, at_a);
    assert!(
        second[1].2 > at_c && second[2].2 > second[1].2,
        "{second:?}"
    );

    // With more money: not without being asked, and once only.
    desk.import(&appropriation("演2", "200000.00"), &[], 0);
    assert_eq!(
        desk.writes_nothing(|| desk.import(&claims, &[], 0)),
        replayed
    );
    let third = desk.import(&claims, &["--resubmit"], 3);
    assert_eq!(outcomes(&third), ["replayed", "accepted", "refused"]);
    assert_eq!(third[2].1, ["M05_AMOUNT"]);
    let fourth = desk.import(&claims, &["--resubmit"], 3);
    assert_eq!(
        fourth[..2],
        [row("replayed", &[], at_a), row("replayed", &[], third[1].2)]
    );

    // A changed row under an old key: an accepted one can never be replaced, a
    // refused one only when that is asked for.
    let reused = "REQUEST_ID_REUSED";
    let changed = Sheet::of(
        "skill-base",
        [
            studio("甲", 1, "100000.01"),
            studio("乙", 4, "100000.00"),
            studio("丙", 3, "100000.00"),
        ],
    );
    let rejected = [at_a, at_b, at_c].map(|at| row("rejected", &[reused], at));
    assert_eq!(
        desk.writes_nothing(|| desk.import(&changed, &[], 1)),
        rejected
    );
    let corrected = desk.import(&changed, &["--resubmit"], 1);
    assert_eq!(
        corrected[..2],
        [
            row("rejected", &[reused], at_a),
            row("rejected", &[reused], third[1].2),
        ]
    );
    assert_eq!(corrected[2].0, "accepted");
    let target = desk.ledger.target();
    let totals = Totals::of(&target.run(["report", "totals", "-o", "json"]).ended(0));
    let expected = BTreeMap::from([(("skill-base".to_owned(), 2024), 30_000_000)]);
    assert_eq!(totals.sums, expected, "each claim once");
}

#[test]
fn a_rejected_row_leaves_nothing_and_is_simply_corrected() {
    let desk = Desk::new();
    let person = |index| {
        let Person { name, number } = Person::number(index);
        format!("{name},{number}")
    };
    let wrong_check = {
        let Person { name, number } = Person::number(1);
        let other = if number.ends_with('1') { '2' } else { '1' };
        format!("{name},{}{other}", &number[..17])
    };
    let central = "中央就业创业补助资金";
    let money = |number: u32, yuan: &str, fund: &str| {
        format!("演{number},{fund},skill-base,510500,2024,{yuan}")
    };
    let studio = |number: u32, yuan: &str, fund: &str| {
        studio(&format!("甲{number}"), number, yuan).replace(central, fund)
    };
    // Template, bad row, its code, the same row corrected (if it can be).
    let cases: [(&str, String, &str, Option<String>); 15] = [
        (
            "poverty-status",
            format!("{wrong_check},2020-01-01,,册"),
            "ID_CHECK_DIGIT",
            Some(format!("{},2020-01-01,,册", person(1))),
        ),
        (
            "poverty-status",
            format!("{},2020-02-30,,册", person(2)),
            "DATE_INVALID",
            Some(format!("{},2020-02-29,,册", person(2))),
        ),
        (
            "poverty-status",
            format!("{},2021-01-01,2021-01-01,册", person(3)),
            "PERIOD_REVERSED",
            Some(format!("{},2021-01-01,2021-01-02,册", person(3))),
        ),
        (
            "unemployment-benefit",
            format!("{},2024-01-02,2024-01-01,源", person(4)),
            "PERIOD_REVERSED",
            Some(format!("{},2024-01-02,2024-01-02,源", person(4))),
        ),
        (
            "appropriation",
            money(1, "1.001", central),
            "AMOUNT_DECIMALS",
            Some(money(1, "1.00", central)),
        ),
        (
            "appropriation",
            money(2, "-1", central),
            "AMOUNT_NEGATIVE",
            Some(money(2, "1", central)),
        ),
        (
            "appropriation",
            money(3, "0", central),
            "AMOUNT_NOT_POSITIVE",
            Some(money(3, "0.01", central)),
        ),
        (
            "appropriation",
            money(4, "1.00", "小金库"),
            "UNKNOWN_FUND",
            Some(money(4, "1.00", central)),
        ),
        (
            "appropriation",
            money(5, "1.00", central).replace("skill-base", "小项目"),
            "UNKNOWN_PROGRAMME",
            Some(money(5, "1.00", central)),
        ),
        (
            "appropriation",
            money(6, "1.00", central).replace("510500", "51050"),
            "OFFICE_CODE",
            Some(money(6, "1.00", central)),
        ),
        (
            "skill-base",
            studio(7, "100000", "小金库"),
            "UNKNOWN_FUND",
            Some(studio(7, "100000", central)),
        ),
        (
            "skill-base",
            studio(8, "", central),
            "CELL_EMPTY",
            Some(studio(8, "100000", central)),
        ),
        (
            "skill-base",
            studio(9, "100000", central).replace("国家级", "世界级"),
            "VALUE_UNKNOWN",
            Some(studio(9, "100000", central)),
        ),
        (
            "attendance",
            format!("班1,{},2024-01-05", person(10)),
            "UNKNOWN_COURSE",
            None,
        ),
        (
            "attendance",
            format!("班1,{}", person(10)),
            "FIELD_COUNT",
            None,
        ),
    ];
    for (template, bad, code, good) in cases {
        let bad = Sheet::of(template, [bad]);
        let found = desk.writes_nothing(|| desk.import(&bad, &[], 1));
        assert_eq!(
            found,
            [row("rejected", &[code], None)],
            "{template}: {bad:?}"
        );
        if let Some(good) = good {
            let exit = if template == "skill-base" { 3 } else { 0 };
            let good = desk.import(&Sheet::of(template, [good]), &[], exit);
            let outcome = if exit == 3 { "refused" } else { "accepted" };
            assert_eq!(outcomes(&good), [outcome], "{template}: {good:?}");
        }
    }
}

/// A bad row does not hold up the good ones beside it, and the exit code is that
/// of the worst row.
#[test]
fn every_row_is_judged_for_itself_and_the_worst_sets_the_exit_code() {
    let desk = Desk::new();
    desk.import(&appropriation("演1", "100000.00"), &[], 0);
    let (good, refused) = (studio("甲", 1, "100000.00"), studio("乙", 2, "100000.00"));
    let rejected = studio("丙", 3, "1.234");
    let all = Sheet::of("skill-base", [&rejected, &good, &refused]);
    let found = desk.import(&all, &[], 1);
    assert_eq!(outcomes(&found), ["rejected", "accepted", "refused"]);
    for (rows, exit) in [
        (vec![&good], 0),
        (vec![&good, &refused], 0),
        (vec![&rejected], 1),
        (vec![&refused, &rejected], 1),
    ] {
        desk.writes_nothing(|| desk.import(&Sheet::of("skill-base", rows), &[], exit));
    }
    // Of several files too, and the later ones are still imported.
    let bad = desk.file("bad.csv", &Sheet::of("skill-base", [&rejected]));
    let more = desk.file(
        "more.csv",
        &Sheet::of("skill-base", [studio("丁", 4, "100000.00")]),
    );
    let ran = desk.run(&[&bad, &more], &[]).ended(1);
    assert_eq!(outcomes(&rows(&ran)), ["rejected", "refused"]);
    desk.run(&[&more], &[]).ended(0);
}

#[test]
fn files_are_taken_in_the_order_given() {
    let claims = Sheet::of("skill-base", [studio("甲", 1, "100000.00")]);
    let budget = appropriation("演1", "100000.00");
    for (order, exit, outcome) in [([0, 1], 0, "accepted"), ([1, 0], 3, "refused")] {
        let desk = Desk::new();
        let files = [desk.file("z.csv", &budget), desk.file("a.csv", &claims)];
        let ran = desk
            .run(&order.map(|place: usize| files[place].as_path()), &[])
            .ended(exit);
        let found = Expected::of(&ran);
        let names = order.map(|place| ["z.csv", "a.csv"][place]);
        assert_eq!([&found[0].file, &found[1].file], names);
        let claim = found.iter().find(|row| row.file == "a.csv").unwrap();
        assert_eq!(claim.outcome, outcome);
        // The same file twice in one go is once.
        let twice = desk.run(&[&files[0], &files[0]], &[]).ended(0);
        assert_eq!(outcomes(&rows(&twice)), ["replayed", "replayed"]);
    }
}

#[test]
fn a_dry_run_writes_nothing_and_judges_each_row_by_itself() {
    let desk = Desk::new();
    desk.import(&appropriation("演1", "100000.00"), &[], 0);
    let (first, second) = (studio("甲", 1, "100000.00"), studio("乙", 2, "100000.00"));
    let claims = Sheet::of(
        "skill-base",
        [
            first.clone(),
            second.clone(),
            studio("丙", 3, "100000.01"),
            studio("丁", 4, "1.234"),
            studio("戊", 5, "100000.00").replace("中央就业创业补助资金", "小金库"),
        ],
    );
    let dry = || desk.writes_nothing(|| desk.import(&claims, &["--dry-run"], 1));
    let judged = [
        row("accepted", &[], None),
        row("accepted", &[], None),
        row("refused", &["BUDGET_EXCEEDED", "M05_AMOUNT"], None),
        row("rejected", &["AMOUNT_DECIMALS"], None),
        row("rejected", &["UNKNOWN_FUND"], None),
    ];
    assert_eq!(dry(), judged);
    assert_eq!(dry(), judged);
    for (row, exit) in [(first, 0), (studio("己", 6, "1.00"), 3)] {
        let sheet = Sheet::of("skill-base", [row]);
        desk.writes_nothing(|| desk.import(&sheet, &["--dry-run"], exit));
    }
    // Not used up by having been tried.
    let done = desk.import(&claims, &[], 1);
    let expected = ["accepted", "refused", "refused", "rejected", "rejected"];
    assert_eq!(outcomes(&done), expected);
    assert_eq!(outcomes(&dry())[1], "refused", "the money is gone now");
    desk.writes_nothing(|| desk.import(&claims, &["--dry-run", "--resubmit"], 2));
}

/// What the clerk gets back can be corrected and imported again as it is.
#[test]
fn the_annotated_copy_says_what_became_of_each_row_and_can_be_imported() {
    let desk = Desk::new();
    desk.import(&appropriation("演1", "100000.00"), &[], 0);
    let claims = Sheet::of(
        "skill-base",
        [
            studio("甲", 1, "100000.00"),
            studio("乙", 2, "90000.00"),
            studio("丙", 3, "1.234"),
        ],
    );
    let done = desk.import(&claims, &[], 1);
    let at = |row: usize| done[row].2.map_or(String::new(), |at| at.to_string());
    for (name, lang, labels) in [
        (
            "back.csv",
            "zh",
            ["已办理（重复提交）", "已办理（重复提交）", "退回修改"],
        ),
        (
            "back.xlsx",
            "zh",
            ["已办理（重复提交）", "已办理（重复提交）", "退回修改"],
        ),
        (
            "back.XLSX",
            "en",
            [
                "already done (submitted again)",
                "already done (submitted again)",
                "rejected",
            ],
        ),
    ] {
        let back = desk.ledger.file(name);
        let result = back.to_str().unwrap();
        desk.writes_nothing(|| desk.import(&claims, &["--result", result, "--lang", lang], 1));
        let copy = Sheet::read(&back);
        let mut header = claims.header.clone();
        header.extend(["结果", "原因", "位置"].map(str::to_owned));
        assert_eq!(copy.header, header, "{name}");
        for (copied, original) in copy.rows.iter().zip(&claims.rows) {
            assert_eq!(copied[..original.len()], original[..], "{name}");
        }
        assert_eq!(copy.column("结果"), labels, "{name}");
        assert_eq!(copy.column("位置"), [at(0), at(1), at(2)], "{name}");
        let reasons = copy.column("原因");
        assert_eq!(reasons[0], "", "{name}");
        assert!(reasons[1].starts_with("BUDGET_EXCEEDED ") && reasons[1].contains("M05_AMOUNT "));
        assert!(
            reasons[2].starts_with("AMOUNT_DECIMALS "),
            "{name}: {reasons:?}"
        );
        assert!(reasons[1].contains(if lang == "zh" {
            "措施第5条"
        } else {
            "measure 5"
        }));

        // The copy itself goes in again, and its copy has no more columns.
        let again = desk.ledger.file(&format!("again-{name}"));
        let arguments = ["--result", again.to_str().unwrap(), "--lang", lang];
        let ran = desk.writes_nothing(|| desk.run(&[&back], &arguments));
        assert_eq!(
            rows(&ran.ended(1))[..2],
            [
                row("replayed", &[], done[0].2),
                row("replayed", &["BUDGET_EXCEEDED", "M05_AMOUNT"], done[1].2),
            ]
        );
        assert_eq!(Sheet::read(&again), copy, "{name}");
    }
    // Corrected in the copy, as a clerk does.
    desk.import(&appropriation("演2", "200000.00"), &[], 0);
    let mut corrected = Sheet::read(&desk.ledger.file("back.xlsx"));
    for row in &mut corrected.rows {
        "100000".clone_into(&mut row[7]);
    }
    let file = desk.ledger.file("corrected.xlsx");
    corrected.write_workbook(&file);
    let ran = desk.run(&[&file], &["--resubmit"]).ended(0);
    assert_eq!(outcomes(&rows(&ran)), ["replayed", "accepted", "accepted"]);

    // Several files have a directory for their copies.
    let (one, two) = (desk.file("one.csv", &claims), desk.file("two.csv", &claims));
    let copies = desk.ledger.file("copies");
    let result = ["--result", copies.to_str().unwrap()];
    desk.writes_nothing(|| desk.run(&[&one, &two], &result).ended(1));
    for name in ["one.csv", "two.csv"] {
        assert_eq!(Sheet::read(&copies.join(name)).rows.len(), 3);
    }
    // Never over the table itself, and then nothing is imported either.
    let fresh = Sheet::of("skill-base", [studio("丁", 4, "100000.00")]);
    let file = desk.file("fresh.csv", &fresh);
    let over = ["--result", file.to_str().unwrap()];
    desk.writes_nothing(|| desk.run(&[&file], &over))
        .failed(2, "USAGE");
    assert_eq!(Sheet::read(&file), fresh);
}

/// How a table is written to a file.
type Write = fn(&Sheet, &Path);

/// Whatever a table was saved as, it is the same table.
#[test]
fn every_file_format_is_the_same_requests() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let target = server.target();
    let bureau = Bureau::demo();
    let first = bureau.import(&target, &["-o", "ndjson"]).ended(3);
    let head = target.head();
    let formats: [(&str, Write); 3] = [
        ("utf-8.csv", Sheet::write),
        ("gb18030.csv", Sheet::write_gb18030),
        ("workbook.xlsx", Sheet::write_workbook),
    ];
    for (ending, write) in formats {
        let mut files = Vec::new();
        for (name, sheet) in bureau.sheets() {
            let file = ledger.file(&format!("{name}.{ending}"));
            write(&sheet, &file);
            files.push(file.into_os_string());
        }
        let options = ["-o", "ndjson"].map(Into::into);
        let ran = target.run(["import".into()].into_iter().chain(files).chain(options));
        for (one, two) in first.lines().iter().zip(ran.ended(0).lines()) {
            assert_eq!(two["outcome"], "replayed", "{ending}: {two}");
            assert_eq!(one["position"], two["position"], "{ending}: {two}");
            assert_eq!(one["key"], two["key"], "{ending}: {two}");
        }
        assert_eq!(target.head(), head, "{ending}");
    }
}

#[test]
fn a_file_that_is_no_table_is_refused_whole() {
    let desk = Desk::new();
    let noise = {
        let mut bytes = vec![0; 40_000_000];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    };
    let zip = [b"PK\x03\x04".as_slice(), &noise].concat();
    let header = Sheet::of("skill-base", [studio("甲", 1, "100000.00")]);
    let lacking = Sheet {
        header: header.header[..9].to_vec(),
        rows: vec![header.rows[0][..9].to_vec()],
    };
    let repeated = Sheet {
        header: [&header.header[..], &["金额".to_owned()]].concat(),
        rows: vec![],
    };
    let text = |sheet: &Sheet| fs::read(desk.file("text.csv", sheet)).unwrap();
    let not_yet = "姓名,身份证号码,证书类型,证书编号,等级,发证日期\n";
    let files: [(&str, Vec<u8>, &str); 11] = [
        ("noise.xlsx", noise, "FILE_UNREADABLE"),
        ("zip.xlsx", zip, "FILE_UNREADABLE"),
        ("empty.csv", vec![], "FILE_EMPTY"),
        ("blank.csv", b" \n,,\n".to_vec(), "FILE_EMPTY"),
        ("utf-16.csv", b"\xff\xfe\x00\x00".to_vec(), "FILE_ENCODING"),
        ("latin.csv", b"stra\xdfe\n\xff\n".to_vec(), "FILE_ENCODING"),
        ("other.csv", "一,二,三\n1,2,3\n".into(), "TEMPLATE_UNKNOWN"),
        ("lacking.csv", text(&lacking), "COLUMN_MISSING"),
        ("repeated.csv", text(&repeated), "COLUMN_REPEATED"),
        ("not-yet.csv", not_yet.into(), "TEMPLATE_NOT_YET"),
        (
            "quote.csv",
            [&text(&header)[..], b"\"a\n"].concat(),
            "FILE_QUOTES",
        ),
    ];
    for (name, bytes, code) in files {
        let file = desk.ledger.file(name);
        fs::write(&file, bytes).unwrap();
        let ran = desk.writes_nothing(|| desk.run(&[&file], &[]));
        ran.failed(1, code);
        assert!(ran.err.contains(name), "{}", ran.err);
    }
    desk.run(&[&desk.ledger.file("missing.csv")], &[])
        .failed(1, "FILE_IO");
}
