//! What becomes of a row, and of the same row again.

use std::collections::BTreeMap;

use crate::{
    desk::{Desk, appropriation, outcomes, row, rows, studio},
    support::{Expected, Person, Sheet, Totals},
};

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
