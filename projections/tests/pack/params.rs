//! Parameters without exactly one sound value for each day.

use luzhang_projections::pack::Defect;

use crate::{changed, day, defects, in_param, refused, s};

#[test]
fn a_parameter_with_a_hole_or_two_values() {
    let first = "until = 2024-01-01, v = 30000000";
    let second = "from = 2024-01-01, until = 2025-04-01, v = 30000000";
    let third = "from = 2025-04-01, until = 2028-01-01, v = 50000000";
    let cap = "values = [{ from = 2023-12-17, until = 2026-12-17, v = 5000,";
    let share = "values = [{ from = 2023-12-17, until = 2028-01-01, v = 500000,";
    let gap = |param: &str, from: &str| Defect::ParamGap {
        param: s(param),
        from: day(from),
    };
    let overlap = |on: &str| Defect::ParamOverlap {
        param: s("m22.cap.personal"),
        on: day(on),
    };
    for (from, to, expected) in [
        (
            cap,
            &*cap.replace("2023-12-17", "2023-12-18"),
            gap("m04.daily_cap", "2023-12-17"),
        ),
        (
            cap,
            &cap.replace("2026-12-17", "2026-12-16"),
            gap("m04.daily_cap", "2026-12-16"),
        ),
        (
            cap,
            &cap.replace("2023-12-17", "2026-12-16"),
            gap("m04.daily_cap", "2023-12-17"),
        ),
        (
            first,
            "until = 2023-12-31, v = 30000000",
            gap("m22.cap.personal", "2023-12-31"),
        ),
        (
            second,
            &second.replace("2024-01-01", "2024-01-02"),
            gap("m22.cap.personal", "2024-01-01"),
        ),
        (
            second,
            &second.replace("2025-04-01", "2025-03-31"),
            gap("m22.cap.personal", "2025-03-31"),
        ),
        (
            third,
            &third.replace("2028-01-01", "2026-12-16"),
            gap("m22.cap.personal", "2026-12-16"),
        ),
        // Beyond the window a value may be missing at the ends, not between.
        (
            share,
            &share.replace(
                "until = 2028-01-01,",
                "until = 2027-01-01, v = 500000, cite = \"x\" }, \
                 { from = 2027-01-02, until = 2028-01-01,",
            ),
            gap("m22.share", "2027-01-01"),
        ),
        (
            share,
            &share.replace(
                "from = 2023-12-17,",
                "from = 2020-01-01, until = 2020-02-01, v = 500000, cite = \"x\" }, \
                 { from = 2023-12-17,",
            ),
            gap("m22.share", "2020-02-01"),
        ),
        (
            first,
            "until = 2024-01-02, v = 30000000",
            overlap("2024-01-01"),
        ),
        (
            second,
            &second.replace("2025-04-01", "2025-04-02"),
            overlap("2025-04-01"),
        ),
        (
            third,
            &third.replace("2025-04-01", "2025-03-31"),
            overlap("2025-03-31"),
        ),
        (
            third,
            &third.replace("2025-04-01", "2024-01-01"),
            overlap("2024-01-01"),
        ),
    ] {
        refused(&changed(from, to), expected);
    }
    let empty = in_param("m04.daily_cap", "values = []");
    refused(&empty, gap("m04.daily_cap", "2023-12-17"));
    // A value before the window, without a hole, is welcome.
    let early = changed(cap, &cap.replace("2023-12-17", "2020-01-01"));
    assert_eq!(defects(&early), []);
}

#[test]
fn a_value_out_of_range_or_without_source() {
    let window = "from = 2023-12-17, until = 2026-12-17";
    for (param, value, expected) in [
        ("m04.daily_cap", "v = 5000, cite = \"\"", "cite"),
        ("m04.daily_cap", "v = 5000, cite = \" \"", "cite"),
        ("m04.daily_cap", "v = -1, cite = \"x\"", "negative"),
        ("m04.daily_cap", "v = 0, cite = \"x\"", ""),
        ("m04.daily_cap", "v = 9000000000000, cite = \"x\"", ""),
        ("m22.share", "v = 1000000, cite = \"x\"", ""),
        ("m22.share", "v = 1000001, cite = \"x\"", "large"),
        ("m16.plaque_years", "v = 100, cite = \"x\"", ""),
        ("m16.plaque_years", "v = 101, cite = \"x\"", "large"),
        (
            "m15.contract_years",
            "v = 9223372036854775807, cite = \"x\"",
            "large",
        ),
    ] {
        let text = in_param(param, &format!("values = [{{ {window}, {value} }}]"));
        let param = s(param);
        let expected = match expected {
            "cite" => vec![Defect::ParamCitation { param }],
            "negative" => vec![Defect::ParamNegative { param }],
            "large" => vec![Defect::ParamTooLarge { param }],
            _ => vec![],
        };
        assert_eq!(defects(&text), expected, "{value}");
    }
    for window in [
        "from = 2023-12-17, until = 2023-12-17",
        "from = 2026-12-17, until = 2023-12-17",
        "from = 2023-12-17, until = 2026-12-17T00:00:00",
    ] {
        let text = in_param(
            "m04.daily_cap",
            &format!("values = [{{ {window}, v = 1, cite = \"x\" }}]"),
        );
        let param = s("m04.daily_cap");
        refused(&text, Defect::ParamWindow { param });
    }
}
