//! What the built-in pack says.

use std::collections::BTreeSet;

use luzhang_ledger::claim::Form;
use luzhang_projections::{
    Pack,
    pack::{LUZHOU_2023, Reporting},
};

use crate::{day, defects};

#[test]
fn the_built_in_pack_is_sound() {
    let pack = Pack::load(LUZHOU_2023.as_bytes()).unwrap();
    assert_eq!(defects(LUZHOU_2023), []);
    assert_eq!(pack.id.as_str(), "luzhou-2023");
    assert_eq!(pack.window.from(), day("2023-12-17"));
    assert_eq!(pack.window.until(), Some(day("2026-12-17")));
    assert_eq!((pack.funds.len(), pack.programmes.len()), (7, 14));
    for form in Form::ALL {
        assert!(pack.claimable().any(|(_, of)| of == form), "{form:?}");
    }
}

#[test]
fn every_parameter_has_one_value_on_every_day() {
    // Day by day, not by comparing windows as the loader does.
    let pack = Pack::load(LUZHOU_2023.as_bytes()).unwrap();
    let mut days = 0;
    let mut today = pack.window.from();
    while pack.window.contains(today) {
        for param in &pack.params {
            let values = param.values.iter().filter(|v| v.window.contains(today));
            let values: Vec<i64> = values.map(|v| v.value).collect();
            assert_eq!(values.len(), 1, "{} on {today}", param.id);
            assert_eq!(param.value(today), Ok(values[0]));
            assert!(param.defined(today));
        }
        today = today.tomorrow().unwrap();
        days += 1;
    }
    assert_eq!(days, 3 * 365 + 1);
    assert!(pack.params.len() > 20);
}

#[test]
fn values_on_the_days_of_change() {
    let pack = Pack::load(LUZHOU_2023.as_bytes()).unwrap();
    let value = |id: &str, on: &str| {
        let param = pack.params.iter().find(|param| param.id == id).expect(id);
        (param.value(day(on)).unwrap(), param.defined(day(on)))
    };
    for (id, on, expected) in [
        ("m22.cap.personal", "2023-12-31", (30_000_000, true)),
        ("m22.cap.personal", "2024-01-01", (30_000_000, true)),
        ("m22.cap.personal", "2025-03-31", (30_000_000, true)),
        ("m22.cap.personal", "2025-04-01", (50_000_000, true)),
        ("m22.cap.firm", "2025-03-31", (400_000_000, true)),
        ("m22.cap.firm", "2025-04-01", (600_000_000, true)),
        // Before the first and after the last value the nearest one.
        ("m22.cap.personal", "2023-12-16", (30_000_000, false)),
        ("m22.cap.personal", "1900-01-01", (30_000_000, false)),
        ("m22.cap.personal", "2027-12-31", (50_000_000, true)),
        ("m22.cap.personal", "2028-01-01", (50_000_000, false)),
        ("m22.tranche.personal", "2025-04-01", (30_000_000, true)),
        ("m22.tranche.firm", "2025-04-01", (400_000_000, true)),
        ("m22.share", "2025-04-01", (500_000, true)),
        ("m04.daily_cap", "2026-12-16", (5_000, true)),
        ("m04.daily_cap", "2026-12-17", (5_000, false)),
    ] {
        assert_eq!(value(id, on), expected, "{id} on {on}");
    }
}

#[test]
fn limits_stand_in_the_order_of_the_catalogue() {
    let pack = Pack::load(LUZHOU_2023.as_bytes()).unwrap();
    let limits = |form| -> Vec<&str> {
        let (programme, _) = pack.claimable().find(|(_, of)| *of == form).unwrap();
        let limits = pack.limits_of(&programme.id);
        limits.map(|limit| &*limit.id).collect()
    };
    for (form, expected) in [
        (
            Form::TrainingAllowance,
            &[
                "G-WINDOW", "G-PARAM", "G-BUDGET", "M04-CAP", "M04-DAY", "M04-ONCE", "M04-UI",
                "M04-ELIG", "M04-ATT",
            ][..],
        ),
        (
            Form::SkillBase,
            &[
                "G-WINDOW", "G-PARAM", "G-BUDGET", "M05-AMT", "M05-ONCE", "M05-FUND",
            ],
        ),
        (
            Form::ServiceSubsidy,
            &[
                "G-WINDOW",
                "G-PARAM",
                "G-BUDGET",
                "M15-AMT",
                "M15-COND",
                "M15-ELIG",
                "M15-UNIQ-EMPLOYER",
                "M15-UNIQ-YEAR",
            ],
        ),
        (
            Form::BrandAward,
            &[
                "G-WINDOW",
                "G-PARAM",
                "G-BUDGET",
                "M16-AMT",
                "M16-ONCE",
                "M16-VALID",
            ],
        ),
        (
            Form::Loan,
            &["G-WINDOW", "G-PARAM", "M22-CAP", "M22-COUNT", "M22-REPEAT"],
        ),
        (
            Form::InterestSubsidy,
            &[
                "G-WINDOW",
                "G-PARAM",
                "G-BUDGET",
                "M22-NO-LOAN",
                "M22-INT",
                "M22-PERIOD",
            ],
        ),
    ] {
        assert_eq!(limits(form), expected);
    }
    for limit in &pack.limits {
        let alone = matches!(&*limit.id, "M16-VALID" | "M22-NO-LOAN");
        assert_eq!(limit.reporting == Reporting::Alone, alone, "{}", limit.id);
        let measure: u32 = limit.id[1..3].parse().unwrap_or(0);
        assert_eq!(limit.measure, measure, "{}", limit.id);
    }
    // Every reading is used, or it would be printed beside nothing.
    let used: BTreeSet<&str> = pack
        .limits
        .iter()
        .flat_map(|l| &l.readings)
        .map(|r| &**r)
        .collect();
    let known: BTreeSet<&str> = pack.readings.iter().map(|r| &*r.id).collect();
    assert_eq!(used, known);
}

#[test]
fn funds_are_found_by_id_and_by_chinese_name() {
    let pack = Pack::load(LUZHOU_2023.as_bytes()).unwrap();
    for (text, id) in [
        ("county", Some("county")),
        ("县级财政资金", Some("county")),
        ("County budget", None),
        ("", None),
        ("COUNTY", None),
    ] {
        assert_eq!(pack.fund(text).map(|fund| &*fund.id), id, "{text:?}");
    }
}
