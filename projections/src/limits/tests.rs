//! G-PARAM, which no adopted pack can break: packs read without their checks. The
//! edges of all limits are in `tests/decisions`, on packs that were adopted.

use luzhang_ledger::{
    DateSet, Fen, Office, SubjectId,
    claim::{BorrowerKind, Claim, Loan, RatePpm, TrainingAllowance},
    event::{Failure, Value},
    text::{ClaimNo, CourseNo, FundId, Label, LoanNo},
};

use super::{Case, failures};
use crate::{
    pack::{LUZHOU_2023, Pack},
    state::State,
};

const WHO: SubjectId = SubjectId::from_bytes([1; 16]);

/// A loan needs neither a budget nor facts.
fn loan(principal: i64, issued_on: &str) -> Claim {
    Claim::Loan(Loan {
        loan_no: LoanNo::new("L1").unwrap(),
        borrower_kind: BorrowerKind::Person,
        borrower: WHO,
        principal: Fen::new(principal).unwrap(),
        rate: RatePpm::new(35_000).unwrap(),
        issued_on: issued_on.parse().unwrap(),
        due_on: "2029-12-31".parse().unwrap(),
        bank: Label::new("bank").unwrap(),
    })
}

/// An allowance for days of a course that nobody registered.
fn allowance(days: &[&str]) -> Claim {
    let days = days.iter().map(|day| day.parse().unwrap()).collect();
    let dates = DateSet::new(days).unwrap();
    Claim::TrainingAllowance(TrainingAllowance {
        claim_no: ClaimNo::new("C1").unwrap(),
        person: WHO,
        course_no: CourseNo::new("K1").unwrap(),
        amount: Fen::new(5_000).unwrap().times(dates.len()).unwrap(),
        dates,
        daily: Fen::new(5_000).unwrap(),
        fund: FundId::new("county").unwrap(),
    })
}

/// What a claim fails in an empty ledger, under the built-in pack with one text
/// replaced by another.
fn judged(claim: &Claim, (from, to): (&str, &str)) -> Vec<Failure> {
    assert!(LUZHOU_2023.contains(from), "{from}");
    let pack = Pack::read(LUZHOU_2023.replacen(from, to, 1).as_bytes()).unwrap();
    failures(&Case::new(&State::default(), &pack, claim, Office::LUZHOU))
}

#[track_caller]
fn check(claim: &Claim, change: (&str, &str), expected: &str) {
    let failures = judged(claim, change);
    let codes: Vec<&str> = failures.iter().map(|failure| &*failure.code).collect();
    assert_eq!(codes.join(" "), expected, "{claim:?}\n{change:?}");
}

/// The personal cap's second value, from one day to another.
const SECOND: &str = "from = 2024-01-01, until = 2025-04-01, v = 30000000";
const THIRD: &str = "from = 2025-04-01, until = 2028-01-01, v = 50000000";

#[test]
fn g_param_exactly_one_value_on_the_basis_date() {
    let sound = (SECOND, SECOND);
    let later = (
        SECOND,
        "from = 2024-01-02, until = 2025-04-01, v = 30000000",
    );
    let sooner = (
        SECOND,
        "from = 2023-12-31, until = 2025-04-01, v = 30000000",
    );
    let shorter = (
        SECOND,
        "from = 2024-01-01, until = 2025-03-31, v = 30000000",
    );
    let longer = (
        SECOND,
        "from = 2024-01-01, until = 2025-04-02, v = 30000000",
    );
    let ends = (THIRD, "from = 2025-04-01, until = 2026-12-16, v = 50000000");
    for (change, issued_on, expected) in [
        (sound, "2023-12-31", ""),
        (sound, "2024-01-01", ""),
        (sound, "2025-03-31", ""),
        (sound, "2025-04-01", ""),
        // A hole of one day.
        (later, "2023-12-31", ""),
        (later, "2024-01-01", "PARAM_GAP"),
        (later, "2024-01-02", ""),
        (shorter, "2025-03-30", ""),
        (shorter, "2025-03-31", "PARAM_GAP"),
        (shorter, "2025-04-01", ""),
        // Two values on one day.
        (sooner, "2023-12-30", ""),
        (sooner, "2023-12-31", "PARAM_GAP"),
        (sooner, "2024-01-01", ""),
        (longer, "2025-03-31", ""),
        (longer, "2025-04-01", "PARAM_GAP"),
        (longer, "2025-04-02", ""),
        // No value at the end; outside the window only the window counts.
        (ends, "2026-12-15", ""),
        (ends, "2026-12-16", "PARAM_GAP"),
        (ends, "2026-12-17", "OUT_OF_WINDOW"),
        (ends, "2028-06-01", "OUT_OF_WINDOW"),
        (later, "2023-12-16", "OUT_OF_WINDOW"),
    ] {
        check(&loan(30_000_000, issued_on), change, expected);
    }
}

#[test]
fn a_limit_without_its_value_is_silent() {
    let later = (
        SECOND,
        "from = 2024-01-02, until = 2025-04-01, v = 30000000",
    );
    let ends = (THIRD, "from = 2025-04-01, until = 2026-12-10, v = 50000000");
    for (change, issued_on, expected) in [
        (later, "2023-12-31", "M22_CAP"),
        (later, "2024-01-01", "PARAM_GAP"),
        (later, "2024-01-02", "M22_CAP"),
        // After the last value, that value is the nearest.
        (ends, "2026-12-16", "PARAM_GAP M22_CAP"),
        (ends, "2026-12-17", "OUT_OF_WINDOW M22_CAP"),
    ] {
        check(&loan(50_000_001, issued_on), change, expected);
    }
}

#[test]
fn the_parameters_are_named() {
    let claim = loan(30_000_000, "2026-12-16");
    // The count of loans, of which every loan needs the value.
    let loans = (
        "until = 2026-12-17, v = 3, cite = \"本通知第二十二条",
        "until = 2026-12-16, v = 3, cite = \"本通知第二十二条",
    );
    for (change, named) in [
        (loans, "m22.loans"),
        (
            (THIRD, "from = 2025-04-01, until = 2026-01-01, v = 50000000"),
            "m22.cap.personal",
        ),
        // Another borrower's cap belongs to the programme too.
        (
            (
                "until = 2028-01-01, v = 600000000",
                "until = 2026-01-01, v = 600000000",
            ),
            "m22.cap.firm",
        ),
        // Another programme's values do not.
        (
            (
                "until = 2026-12-17, v = 5000,",
                "until = 2026-12-16, v = 5000,",
            ),
            "",
        ),
    ] {
        let failures = judged(&claim, change);
        let params = failures.iter().find(|failure| failure.limit == "G-PARAM");
        let value = params.map(|failure| failure.compared[0].value.clone());
        let expected = (!named.is_empty()).then(|| Value::Text(named.to_owned()));
        assert_eq!(value, expected, "{change:?}");
    }
}

#[test]
fn each_claimed_day_is_asked() {
    let ends = (
        "until = 2026-12-17, v = 5000,",
        "until = 2026-12-16, v = 5000,",
    );
    let rest = "BUDGET_EXCEEDED M04_NOT_ELIGIBLE M04_NO_ATTENDANCE";
    for (days, expected) in [
        (&["2026-12-14", "2026-12-15"][..], ""),
        (&["2026-12-15", "2026-12-16"], "PARAM_GAP "),
        (&["2026-12-15", "2026-12-17"], "OUT_OF_WINDOW "),
        (&["2026-12-16", "2026-12-17"], "OUT_OF_WINDOW PARAM_GAP "),
        (&["2026-12-17"], "OUT_OF_WINDOW "),
    ] {
        check(&allowance(days), ends, &format!("{expected}{rest}"));
    }
}
