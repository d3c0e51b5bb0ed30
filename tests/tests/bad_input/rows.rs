//! A bad row among good ones.

use super::{Words, import, outcomes, positions, says_in_both};
use crate::support::{Ledger, Organisation, Person, Server, Sheet};

/// A table whose second row is bad.
struct Case {
    template: &'static str,
    rows: [String; 3],
    /// The bad row, corrected.
    corrected: String,
    code: &'static str,
    words: Words<'static>,
}

const KNOWN: &str = "省级就业创业补助资金";

fn cases() -> Vec<Case> {
    let person = |index| {
        let Person { name, number } = Person::number(index);
        (name, number)
    };
    let listed = |(name, number): (String, String)| format!("{name},{number},2014-11-30,,v1");
    let mut cases = Vec::new();
    // One digit off: the check digit of a neighbour.
    let (name, mut number) = person(2);
    let last = number.pop().unwrap();
    number.push(if last == '0' { '1' } else { '0' });
    cases.push(Case {
        template: "poverty-status",
        rows: [listed(person(1)), listed((name, number)), listed(person(3))],
        corrected: listed(person(2)),
        code: "ID_CHECK_DIGIT",
        words: Words {
            zh: &["第 2 行", "身份证号码校验码不符", "请与证件逐位核对"],
            en: &[
                "row 2",
                "check digit of the identity number",
                "compare every digit",
            ],
        },
    });
    let budget = |document: &str, fund: &str, amount: &str| {
        format!("{document},{fund},training-allowance,510502,2024,{amount}")
    };
    cases.push(Case {
        template: "appropriation",
        rows: [
            budget("A-1", KNOWN, "1000.00"),
            budget("A-2", KNOWN, "1000.005"),
            budget("A-3", KNOWN, "1000"),
        ],
        corrected: budget("A-2", KNOWN, "1000.01"),
        code: "AMOUNT_DECIMALS",
        words: Words {
            zh: &["第 2 行", "A-2", "金额", "超过两位小数", "最小单位是分"],
            en: &[
                "row 2",
                "A-2",
                "金额",
                "more than two decimals",
                "nothing smaller than a fen",
            ],
        },
    });
    cases.push(Case {
        template: "appropriation",
        rows: [
            budget("B-1", KNOWN, "1000.00"),
            budget("B-2", "省级就业资金", "1000.00"),
            budget("B-3", KNOWN, "1000.00"),
        ],
        corrected: budget("B-2", KNOWN, "1000.00"),
        code: "UNKNOWN_FUND",
        words: Words {
            zh: &["第 2 行", "B-2", "资金来源", "可用：", KNOWN],
            en: &["row 2", "B-2", "unknown fund", "luzhou-2023 has:", KNOWN],
        },
    });
    let course = |number: &str, Organisation { name, code }: Organisation, last: &str| {
        format!("{number},{name},{code},酿酒工,2024-03-04,{last},510502")
    };
    let school = || Organisation::number(1);
    cases.push(Case {
        template: "course",
        rows: [
            course("PX-1", school(), "2024-03-08"),
            course("PX-2", school(), "2024-03-01"),
            course("PX-3", school(), "2024-03-08"),
        ],
        corrected: course("PX-2", school(), "2024-03-09"),
        code: "PERIOD_REVERSED",
        words: Words {
            zh: &["第 2 行", "PX-2", "结束早于开始", "2024-03-04"],
            en: &["row 2", "PX-2", "ends before it begins", "2024-03-04"],
        },
    });
    cases
}

#[test]
fn a_bad_row_is_named_and_the_others_go_through() {
    let ledger = Ledger::new();
    let server = Server::start(&ledger.dir());
    let target = server.target();
    let mut acknowledged = 2;
    for (number, case) in cases().into_iter().enumerate() {
        let file = ledger.file(&format!("{number}.csv"));
        let mut rows = case.rows;
        Sheet::of(case.template, &rows).write(&file);
        let bad = format!("rejected {}", case.code);
        let first = import(&target, &file).ended(1);
        assert_eq!(outcomes(&first), ["accepted", &*bad, "accepted"]);
        let path = file.to_str().unwrap();
        says_in_both(&target, &["import", path], case.code, case.words);
        let again = import(&target, &file).ended(1);
        assert_eq!(outcomes(&again), ["replayed", &*bad, "replayed"]);
        assert_eq!(positions(&again), positions(&first));
        // As a workbook it is the same table.
        let workbook = ledger.file(&format!("{number}.xlsx"));
        Sheet::of(case.template, &rows).write_workbook(&workbook);
        let ran = import(&target, &workbook).ended(1);
        assert_eq!(outcomes(&ran), ["replayed", &*bad, "replayed"]);
        // Corrected, the file goes through, and what was done is not done twice.
        rows[1] = case.corrected;
        Sheet::of(case.template, &rows).write(&file);
        let ran = import(&target, &file).ended(0);
        assert_eq!(outcomes(&ran), ["replayed", "accepted", "replayed"]);
        assert!(positions(&ran).is_superset(&positions(&first)));
        assert!(
            positions(&ran)
                .into_iter()
                .all(|position| position > acknowledged)
        );
        acknowledged = *positions(&ran).last().unwrap();
    }
    let head = target.head();
    assert_eq!(server.terminate().code, 0);
    let verified = ledger.target().run(["audit", "verify", "--head", &head]);
    assert!(verified.ended(0).out.contains("intact"));
}
