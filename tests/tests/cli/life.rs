//! The whole life of a bureau's grants, as its offices run it: reviewed, published,
//! paid, bounced, paid again, corrected, recovered. Afterwards the money is
//! followed with programs that we did not write.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::support::{Bureau, Dice, Ledger, Organisation, Person, Ran, Server, Sheet};

/// One account of a budget line (programme, year, office, fund), by the name that
/// the journal gives its kind.
type Accounts = BTreeMap<(&'static str, String), i64>;

/// A ledger behind a server, and what happens to it by chance.
struct Office {
    ledger: Ledger,
    server: Server,
    dice: Dice,
    tables: u64,
}

impl Office {
    fn new(seed: &str, prepare: impl FnOnce(&Ledger)) -> Self {
        let ledger = Ledger::new();
        prepare(&ledger);
        let server = Server::start(&ledger.dir());
        Self {
            ledger,
            server,
            dice: Dice::new(seed),
            tables: 0,
        }
    }

    fn run(&self, principal: &str, arguments: &[&str]) -> Ran {
        let options = ["-o", "json", "--principal", principal];
        let arguments = arguments.iter().chain(&options);
        self.server.target().run(arguments)
    }

    /// The rows of a query.
    fn rows(&self, arguments: &[&str]) -> Vec<Value> {
        let json = self.run("reporter", arguments).ended(0).json();
        json["rows"].as_array().unwrap().clone()
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.dice.below(n) == 0
    }

    /// Imports rows under a header; how many were accepted.
    fn import(&mut self, principal: &str, header: &str, rows: &[String]) -> usize {
        if rows.is_empty() {
            return 0;
        }
        self.tables += 1;
        let file = self.ledger.file(&format!("step-{}.csv", self.tables));
        fs::write(&file, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
        let file = file.to_str().unwrap();
        let import = ["import", file, "-o", "ndjson", "--principal", principal];
        let ran = self.server.target().run(import);
        assert!(
            [0, 3].contains(&ran.code),
            "{header}\n{}{}",
            ran.out,
            ran.err
        );
        let rows = ran.lines();
        let is = |row: &&Value, outcome: &str| row["outcome"] == outcome;
        // The tables are well-formed: a row is refused, never rejected.
        assert!(!rows.iter().any(|row| is(&row, "rejected")), "{}", ran.out);
        rows.iter().filter(|row| is(row, "accepted")).count()
    }

    /// Reviews and approves all grants and publishes what was approved.
    fn clear(&mut self) {
        let cases = self.rows(&["case", "list"]);
        let mut reviews = Vec::new();
        let mut approvals = Vec::new();
        for case in &cases {
            let opinion = ["通过", "退回"][usize::from(self.one_in(12))];
            reviews.push(format!("S-1,,@{},{opinion},,", text(case, "grant")));
            approvals.push(format!("P-1,,@{},通过,,", text(case, "grant")));
        }
        let header = "审核单号,项目,申领编号,审核意见,审核说明,区县代码";
        assert_eq!(self.import("reviewer", header, &reviews), cases.len());
        let header = "审批单号,项目,申领编号,审批意见,审批说明,区县代码";
        let approved = self.import("approver", header, &approvals);
        assert!(approved > cases.len() / 2 && approved < cases.len());
        // Nobody has two duties.
        let again = approvals[0].replace("P-1,", "P-2,");
        assert_eq!(self.import("reviewer", header, &[again]), 0);

        let publish = ["notice", "publish", "GS-1", "--from", "2024-09-27"];
        self.run("reviewer", &publish).ended(0);
        let noticed = self.rows(&["case", "list", "--stage", "in_notice"]);
        assert_eq!(noticed.len(), approved);
        let mut objections = Vec::new();
        let mut resolutions = Vec::new();
        for (number, case) in noticed.iter().enumerate().filter(|(n, _)| n % 9 == 0) {
            let grant = text(case, "grant");
            objections.push(format!("YY-{number},GS-1,,@{grant},2024-09-29,有异议,"));
            let outcome = ["成立", "不成立"][number % 2];
            resolutions.push(format!("YY-{number},{outcome},2024-09-30,,"));
        }
        let header = "异议编号,公示编号,项目,申领编号,提出日期,异议事由,区县代码";
        assert_eq!(self.import("clerk", header, &objections), objections.len());
        let close = ["notice", "close", "GS-1", "--on", "2024-10-31"];
        // An open objection holds up its own case, not the others.
        self.run("reviewer", &close).ended(0);
        let held_up = self.rows(&["case", "list", "--stage", "objected"]);
        assert_eq!(held_up.len(), objections.len());
        let header = "异议编号,处理结果,处理日期,处理说明,区县代码";
        assert_eq!(
            self.import("approver", header, &resolutions),
            resolutions.len()
        );
    }

    /// Pays what is cleared, batch by batch, with some bounces; pays those again.
    fn pay(&mut self) {
        let mut funds: Vec<String> = self
            .rows(&["report", "budget"])
            .iter()
            .map(|line| text(line, "fund"))
            .collect();
        funds.sort();
        funds.dedup();
        for (number, fund) in funds.iter().enumerate() {
            let first = format!("BF-{number}");
            let create = |office: &Self, batch: &str| {
                let create = ["payment", "create", batch, "--fund", fund];
                office.run("cashier", &create).ended(0);
            };
            create(self, &first);
            if self.settle(&first, true) == 0 {
                continue;
            }
            let second = format!("BF-{number}-2");
            create(self, &second);
            for payment in self.rows(&["payment", "show", &first]) {
                if payment["stage"] == "bounced" {
                    let [grant, attempt] =
                        ["grant", "attempt"].map(|name| payment[name].to_string());
                    let reissue = ["payment", "reissue", &second, "--grant", &grant];
                    let reissue = [&reissue[..], &["--attempt", &attempt]].concat();
                    self.run("cashier", &reissue).ended(0);
                }
            }
            self.settle(&second, false);
        }
        let open = self.rows(&["case", "list", "--stage", "cleared"]);
        assert!(open.is_empty(), "{open:?}");
    }

    /// Locks, writes, submits and settles a batch; how many bounced.
    fn settle(&mut self, batch: &str, by_chance: bool) -> usize {
        let shown = self
            .run("cashier", &["payment", "show", batch])
            .ended(0)
            .json();
        let (count, total) = (
            shown["count"].to_string(),
            shown["total_fen"].as_i64().unwrap(),
        );
        if count == "0" {
            return 0;
        }
        let total = format!("{}.{:02}", total / 100, total % 100);
        let lock = [
            "payment", "lock", batch, "--count", &count, "--total", &total,
        ];
        self.run("cashier", &lock).ended(0);
        let file = self.ledger.file(&format!("{batch}.csv"));
        let out = file.to_str().unwrap();
        let debtor = [
            "--debtor",
            "演示市财政局",
            "--debtor-account",
            "6200-1",
            "--debtor-bank",
            "灯盏银行",
        ];
        let export = [
            "payment",
            "export",
            batch,
            "--format",
            "csv",
            "--out",
            out,
            "--on",
            "2024-11-06",
        ];
        self.run("cashier", &[&export[..], &debtor[..]].concat())
            .ended(0);
        let submit = [
            "payment",
            "submit",
            batch,
            "--file",
            out,
            "--on",
            "2024-11-05",
        ];
        self.run("cashier", &submit).ended(0);

        let sent = Sheet::read(&file);
        let mut answer = vec!["批次号,端到端标识,状态,金额,日期,原因".to_owned()];
        let mut bounced = 0;
        for (id, amount) in sent
            .column("端到端标识")
            .into_iter()
            .zip(sent.column("金额"))
        {
            if by_chance && (bounced == 0 || self.one_in(5)) {
                bounced += 1;
                answer.push(format!("{batch},{id},退票,{amount},2024-11-08,户名不符"));
            } else {
                answer.push(format!("{batch},{id},成功,{amount},2024-11-07,"));
            }
        }
        let results = self.ledger.file(&format!("{batch}-results.csv"));
        fs::write(&results, answer.join("\n")).unwrap();
        let read = ["payment", "results", batch, results.to_str().unwrap()];
        self.run("cashier", &read).ended(0);
        let head = self.server.target().head();
        self.run("cashier", &read).ended(0);
        assert_eq!(
            self.server.target().head(),
            head,
            "read twice, written twice"
        );
        bounced
    }

    /// Reversals, adjustments, refunds, recoveries and changed appropriations.
    fn correct(&mut self) {
        let mut reversals = Vec::new();
        for case in self.rows(&["case", "list"]) {
            let grant = text(&case, "grant");
            if self.one_in(7) {
                let amount = ["", "1.00", "0.01"][usize::try_from(self.dice.below(3)).unwrap()];
                reversals.push(format!("CZ-1,,@{grant},{amount},核减,"));
            }
        }
        let header = "冲正单号,项目,申领编号,冲正金额,冲正原因,区县代码";
        assert!(self.import("approver", header, &reversals) > reversals.len() / 2);

        let mut refunds = Vec::new();
        let mut recoveries = Vec::new();
        for case in self.rows(&["case", "list"]) {
            let owed = case["receivable_fen"].as_i64().unwrap();
            let grant = text(&case, "grant");
            match self.dice.below(3) {
                0 if owed > 0 => refunds.push(format!("TK-1,,@{grant},0.01,2024-12-02,")),
                1 if owed > 0 => recoveries.push(format!("ZH-{grant},,@{grant},,,演〔2024〕9号,")),
                _ => {}
            }
        }
        let header = "退款单号,项目,申领编号,退款金额,到账日期,区县代码";
        assert_eq!(self.import("cashier", header, &refunds), refunds.len());
        for conflict in self.rows(&["conflict", "list"]) {
            if conflict["held_fen"].as_i64().unwrap() > 0 {
                let (grant, position) =
                    (text(&conflict, "grant"), conflict["position"].to_string());
                recoveries.push(format!("CT-{grant},,@{grant},,{position},演〔2024〕10号,"));
            }
        }
        let header = "追回编号,项目,申领编号,追回金额,冲突位置,追回依据,区县代码";
        let opened = self.import("approver", header, &recoveries);
        let mut receipts = Vec::new();
        let mut closings = Vec::new();
        for recovery in self.rows(&["recovery", "status"]) {
            let number = text(&recovery, "recovery_no");
            receipts.push(format!("DZ-1,{number},0.01,2024-12-03,"));
            closings.push(format!("{number},0.00,演〔2024〕11号,"));
        }
        assert_eq!(receipts.len(), opened);
        let header = "到账单号,追回编号,到账金额,到账日期,区县代码";
        assert_eq!(self.import("cashier", header, &receipts), opened);
        // Something is still outstanding, so none closes without a write-off.
        let header = "追回编号,核销金额,结案文号,区县代码";
        assert_eq!(self.import("approver", header, &closings), 0);
        let mut restored = Vec::new();
        for case in self.rows(&["case", "list"]) {
            let back = ["returned_fen", "recovered_fen"].map(|name| case[name].as_i64().unwrap());
            if back.iter().sum::<i64>() > 0 {
                restored.push(format!(",@{},0.01,演〔2024〕12号,", text(&case, "grant")));
            }
        }
        let header = "项目,申领编号,归垫金额,归垫文号,区县代码";
        assert_eq!(self.import("cashier", header, &restored), restored.len());
        let changes = self
            .appropriations()
            .into_iter()
            .enumerate()
            .map(|(number, of)| {
                let change = ["调增", "调减", "收回"][number % 3];
                format!("TZ-{number},{of},{change},0.05,")
            });
        let changes: Vec<String> = changes.collect();
        let header = "调整文号,原文号,变更,调整金额,区县代码";
        assert!(self.import("steward", header, &changes) > 0);
    }

    /// The numbers of all appropriations' documents.
    fn appropriations(&self) -> Vec<String> {
        let dir = fs::read_dir(self.ledger.file("tables")).unwrap();
        let mut numbers = Vec::new();
        for entry in dir {
            let sheet = Sheet::read(&entry.unwrap().path());
            if sheet.header.first().is_some_and(|name| name == "文号") {
                numbers.extend(sheet.column("文号").into_iter().map(str::to_owned));
            }
        }
        numbers.sort();
        numbers
    }

    /// What the ledger itself says about every account.
    fn accounts(&self) -> Accounts {
        let kinds = [
            ("appropriated_fen", "Appropriated", -1),
            ("left_fen", "Available", 1),
            ("reserved_fen", "Reserved", 1),
            ("paid_fen", "Paid", 1),
            ("receivable_fen", "Receivable", 1),
            ("returned_fen", "Returned", 1),
            ("recovered_fen", "Recovered", 1),
            ("written_off_fen", "WrittenOff", 1),
            ("advanced_fen", "Advanced", -1),
        ];
        let mut accounts = Accounts::new();
        for line in self.rows(&["report", "budget"]) {
            let name = [
                text(&line, "programme"),
                line["year"].to_string(),
                text(&line, "office"),
                text(&line, "fund"),
            ];
            let name = name.join(":").to_lowercase();
            for (column, kind, sign) in kinds {
                let fen = line[column].as_i64().unwrap() * sign;
                if fen != 0 {
                    accounts.insert((kind, name.clone()), fen);
                }
            }
        }
        accounts
    }

    fn journal(&self, format: &str) -> PathBuf {
        let file = self.ledger.file(&format!("journal.{format}"));
        let ran = self
            .server
            .target()
            .run(["report", "journal", "--format", format]);
        fs::write(&file, ran.ended(0).out).unwrap();
        file
    }

    /// The money as others count it is the money as the ledger counts it.
    fn check(&self) {
        let own = self.accounts();
        assert!(own.values().sum::<i64>() == 0, "{own:?}");
        assert_eq!(hledger(&self.journal("hledger")), own, "hledger");
        assert_eq!(beancount(&self.journal("beancount")), own, "beancount");

        // And `report totals` is its committed part, by programme and year.
        let mut committed: BTreeMap<String, i64> = BTreeMap::new();
        for ((kind, name), fen) in &own {
            if ["Reserved", "Paid"].contains(kind) {
                let year = name.splitn(3, ':').take(2).collect::<Vec<_>>().join(":");
                *committed.entry(year).or_default() += fen;
            }
        }
        committed.retain(|_, fen| *fen != 0);
        let totals = self.rows(&["report", "totals"]).into_iter().map(|row| {
            let name = format!("{}:{}", text(&row, "programme"), row["year"]);
            (name, row["amount_fen"].as_i64().unwrap())
        });
        let totals: BTreeMap<String, i64> = totals.filter(|(_, fen)| *fen != 0).collect();
        assert_eq!(totals, committed);
    }
}

fn text(row: &Value, column: &str) -> String {
    match &row[column] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `Assets:Paid:Training-allowance:2024:510502:Employment-city` without its root.
fn account(name: &str) -> (&'static str, String) {
    let kinds = [
        "Appropriated",
        "Available",
        "Reserved",
        "Paid",
        "Receivable",
        "Returned",
        "Recovered",
        "WrittenOff",
        "Advanced",
    ];
    let mut parts = name.splitn(3, ':');
    let _root = parts.next();
    let kind = parts.next().unwrap();
    let kind = kinds.into_iter().find(|known| *known == kind).unwrap();
    (kind, parts.next().unwrap().to_lowercase())
}

/// `1,000.05` or `-3` in fen, whatever zeros are left out.
fn fen(amount: &str) -> i64 {
    let (sign, amount) = match amount.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, amount),
    };
    let (whole, rest) = amount.split_once('.').unwrap_or((amount, ""));
    assert!(rest.len() <= 2, "{amount}");
    let whole: i64 = whole.replace(',', "").parse().unwrap();
    let rest: i64 = format!("{rest:0<2}").parse().unwrap();
    sign * (whole * 100 + rest)
}

fn hledger(journal: &Path) -> Accounts {
    let strict = command("hledger", &["-f", journal.to_str().unwrap(), "check"]);
    assert_eq!(strict, "");
    let report = [
        "-f",
        journal.to_str().unwrap(),
        "balance",
        "--flat",
        "-N",
        "-O",
        "csv",
    ];
    let report = command("hledger", &report);
    let mut accounts = Accounts::new();
    for line in report.lines().skip(1) {
        let (name, balance) = line.split_once("\",\"").unwrap();
        let balance = balance.trim_end_matches('"').replace("CNY", "");
        accounts.insert(account(name.trim_start_matches('"')), fen(balance.trim()));
    }
    accounts
}

/// Balances as `beancount` sees them; it also checks that each account was opened.
fn beancount(journal: &Path) -> Accounts {
    let program = "
import sys
from collections import defaultdict
from beancount import loader
from beancount.core.data import Transaction
entries, errors, _ = loader.load_file(sys.argv[1])
for error in errors:
    print(error, file=sys.stderr)
assert not errors
balances = defaultdict(int)
for entry in entries:
    if isinstance(entry, Transaction):
        for posting in entry.postings:
            assert posting.units.currency == 'CNY'
            balances[posting.account] += posting.units.number
for name in sorted(balances):
    if balances[name]:
        print(name, balances[name])
";
    let out = command("python3", &["-c", program, journal.to_str().unwrap()]);
    let lines = out.lines().map(|line| line.split_once(' ').unwrap());
    lines
        .map(|(name, balance)| (account(name), fen(balance)))
        .collect()
}

#[track_caller]
fn command(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} does not start ({error}): run scripts/test, which installs it")
    });
    let ran = Ran::from(output);
    ran.ended(0).out
}

/// An account at the bank for everybody whom the tables name.
fn bank_accounts(tables: &Path) -> Vec<String> {
    let columns = [
        ("姓名", "身份证号码"),
        ("单位名称", "统一社会信用代码"),
        ("机构名称", "机构代码"),
        ("申报单位", "统一社会信用代码"),
        ("借款人", "证件号码"),
    ];
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(tables).unwrap() {
        let sheet = Sheet::read(&entry.unwrap().path());
        for (name, number) in columns {
            if !sheet.header.iter().any(|column| column == name) {
                continue;
            }
            for (name, number) in sheet.column(name).into_iter().zip(sheet.column(number)) {
                found.insert(number.to_owned(), name.to_owned());
            }
        }
    }
    let rows = found
        .into_iter()
        .enumerate()
        .map(|(index, (number, name))| {
            let kind = if number.starts_with('9') {
                "单位"
            } else {
                "个人"
            };
            format!("{kind},{name},{number},演示银行,6222-{index:06}")
        });
    rows.collect()
}

/// The tables of a bureau go in, all their grants live, and the money is counted.
fn lives(seed: &str, tables: &[(String, Sheet)]) {
    let mut office = Office::new(seed, |ledger| {
        let dir = ledger.file("tables");
        fs::create_dir(&dir).unwrap();
        let mut arguments = vec!["import".to_owned()];
        for (name, sheet) in tables {
            let file = dir.join(name);
            sheet.write(&file);
            arguments.push(file.to_str().unwrap().to_owned());
        }
        arguments.extend(["--principal", "clerk", "-o", "json"].map(str::to_owned));
        let ran = ledger.target().run(arguments);
        assert!([0, 3].contains(&ran.code), "{}", ran.err);
    });
    office.check();
    let accounts = bank_accounts(&office.ledger.file("tables"));
    let header = "户主类型,户名,证件号码,开户银行,账号";
    office.import("clerk", header, &accounts);
    office.clear();
    office.check();
    office.pay();
    office.check();
    office.correct();
    office.check();
    let dir = office.ledger.dir();
    let redecided = office
        .server
        .target()
        .run(["audit", "redecide", "-o", "json"]);
    redecided.ended(0);
    assert_eq!(office.server.terminate().code, 0);
    let rebuilt = crate::support::Target::data_dir(&dir).run(["rebuild", "-o", "json"]);
    rebuilt.ended(0);
    crate::reports::published(&office.ledger);
}

#[test]
fn the_money_of_the_demo_is_the_same_in_hledger_and_beancount() {
    lives("demo", &Bureau::demo().sheets());
}

#[test]
fn the_money_of_the_example_is_the_same_in_hledger_and_beancount() {
    let Some(example) = Bureau::example() else {
        use std::io::{Write as _, stderr};
        // Past the test runner, which shows what a test prints only if it fails.
        let _unread = writeln!(stderr(), "SKIPPED: ../shared/example is not here");
        return;
    };
    lives("example", &example.sheets());
}

#[test]
fn the_money_of_a_random_bureau_is_the_same_in_hledger_and_beancount() {
    lives("random", &random_bureau("one of them"));
}

/// Courses, their people, their allowances and studios, by chance.
fn random_bureau(seed: &str) -> Vec<(String, Sheet)> {
    let mut dice = Dice::new(seed);
    let offices = ["510502", "510503", "510504"];
    let fund = "市级就业创业补助资金";
    let mut courses = Vec::new();
    let mut listed = Vec::new();
    let mut attendance = Vec::new();
    let mut allowances = Vec::new();
    let mut studios = Vec::new();
    let mut benefits = Vec::new();
    for number in 0..6_u32 {
        let office = offices[usize::try_from(dice.below(3)).unwrap()];
        let month = 2 + dice.below(6);
        let Organisation { name, code } = Organisation::number(number);
        let days = format!("2024-{month:02}-03,2024-{month:02}-12");
        courses.push(format!("K{number},{name},{code},砌筑工,{days},{office}"));
        for place in 0..8 + u32::try_from(dice.below(5)).unwrap() {
            let Person { name, number: id } = Person::number(number * 20 + place);
            if dice.below(10) > 0 {
                listed.push(format!("{name},{id},2020-01-01,,v1"));
            }
            attendance.push(format!(
                "K{number},{name},{id},2024-{month:02}-03..2024-{month:02}-12"
            ));
            let days = 1 + dice.below(9);
            let daily = 30 + dice.below(22);
            let last = 3 + days - 1;
            allowances.push(format!(
                "SH-{number}-{place},{name},{id},K{number},2024-{month:02}-03..2024-{month:02}-{last:02},{daily}.00,{}.00,{fund},{office}",
                days * daily
            ));
            if dice.below(6) == 0 {
                benefits.push(format!(
                    "{name},{id},2024-{month:02}-05,2024-{month:02}-06,市中心"
                ));
            }
        }
        let Organisation { name, code } = Organisation::number(100 + number);
        let level = [
            "国家级,2024-03-01,文,100000.00",
            "省级,2024-03-01,文,300000.00",
        ];
        let level = level[usize::try_from(dice.below(2)).unwrap()];
        studios.push(format!(
            "JD-{number},{name},{code},技能大师工作室,{level},{fund},510500"
        ));
    }
    let mut budgets: Vec<String> = (0_u64..)
        .zip(offices)
        .map(|(number, office)| {
            format!(
                "文{number},{fund},training-allowance,{office},2024,{}.00",
                2_000 + dice.below(4_000)
            )
        })
        .collect();
    budgets.push(format!("文9,{fund},skill-base,510500,2024,1000000.00"));
    let sheets = [
        ("1.csv", "poverty-status", listed),
        ("2.csv", "course", courses),
        ("3.csv", "attendance", attendance),
        ("4.csv", "appropriation", budgets),
        ("5.csv", "training-allowance", allowances),
        ("6.csv", "skill-base", studios),
        ("7.csv", "unemployment-benefit", benefits),
    ];
    let sheet = |(name, template, rows): (&str, &str, Vec<String>)| {
        (name.to_owned(), Sheet::of(template, rows))
    };
    sheets.map(sheet).into()
}
