//! Names and texts.

use luzhang_projections::pack::{Defect, LUZHOU_2023, PackError};

use crate::{changed, defects, refused, s};

#[test]
fn a_head_without_name_or_window() {
    let window = "from = 2023-12-17\nuntil = 2026-12-17\n";
    for (from, to) in [
        ("id = \"luzhou-2023\"", "id = \"\"".to_owned()),
        (
            "id = \"luzhou-2023\"",
            format!("id = \"{}\"", "x".repeat(65)),
        ),
        (window, s("from = 2023-12-17\nuntil = 2023-12-17\n")),
        (window, s("from = 2023-12-17\nuntil = 2022-12-17\n")),
        (
            window,
            s("from = 2023-12-17\nuntil = 2026-12-17T00:00:00\n"),
        ),
        (
            window,
            s("from = 2023-12-17T00:00:00Z\nuntil = 2026-12-17\n"),
        ),
        (window, s("from = 1899-12-17\nuntil = 2026-12-17\n")),
    ] {
        refused(&changed(from, &to), Defect::Head);
    }
    let digest = "ed69ed27383dde903eebee55698f779b22bf299bce0db1c323228d739a92e5f1";
    for (from, to) in [
        ("source = \"建设培育", "source = \" \" # "),
        (digest, ""),
        (digest, &digest[1..]),
        (digest, &format!("{digest}0")),
        (digest, &digest.replacen('e', "g", 1)),
    ] {
        refused(&changed(from, to), Defect::Source);
    }
}

#[test]
fn a_text_that_says_nothing_or_too_much() {
    let translation = |what: &str| Defect::Translation { what: s(what) };
    let placeholder = |limit: &str, name: &str| Defect::Placeholder {
        limit: s(limit),
        placeholder: s(name),
    };
    let code = || Defect::Code {
        limit: s("M04-CAP"),
    };
    for (from, to, expected) in [
        ("zh = \"建设培育", "zh = \"\" # ", translation("pack")),
        ("en = \"Twenty-three", "en = \" \" # ", translation("pack")),
        (
            "zh = \"县级财政资金\"",
            "zh = \"\"",
            translation("fund county"),
        ),
        (
            "en = \"County budget\"",
            "en = \"\"",
            translation("fund county"),
        ),
        (
            "zh = \"品牌奖补\"",
            "zh = \"　\"",
            translation("programme brand-award"),
        ),
        (
            "en = \"Brand award\"",
            "en = \"\"",
            translation("programme brand-award"),
        ),
        (
            "zh = \"贴息申领不核对逾期和结清情况\"",
            "zh = \"\"",
            translation("reading R-M22-OVERDUE"),
        ),
        (
            "en = \"Interest claims are",
            "en = \"\" # ",
            translation("reading R-M22-OVERDUE"),
        ),
        (
            "zh = \"无有效贷款：{number}\"",
            "zh = \"\"",
            translation("limit M22-NO-LOAN"),
        ),
        (
            "en = \"no such loan: {number}\"",
            "en = \"\"",
            translation("limit M22-NO-LOAN"),
        ),
        (
            "zh = \"无有效贷款：{number}\"",
            "zh = \"无有效贷款：{loan}\"",
            placeholder("M22-NO-LOAN", "loan"),
        ),
        (
            "en = \"paid already: {dates}\"",
            "en = \"paid already: {dates}{}\"",
            placeholder("M04-DAY", ""),
        ),
        ("code = \"M04_DAILY_CAP\"", "code = \"\"", code()),
        (
            "code = \"M04_DAILY_CAP\"",
            "code = \"m04_daily_cap\"",
            code(),
        ),
        (
            "code = \"M04_DAILY_CAP\"",
            "code = \"M04 DAILY CAP\"",
            code(),
        ),
        ("code = \"M04_DAILY_CAP\"", "code = \"每日\"", code()),
        (
            "quote = \"培训期间给予不超过",
            "quote = \"\" # ",
            Defect::LimitCitation {
                limit: s("M04-CAP"),
            },
        ),
    ] {
        refused(&changed(from, to), expected);
    }
}

#[test]
fn the_same_id_twice() {
    let (fund, programme) = (
        "[[fund]]\nid = \"county\"\nzh = \"甲\"\nen = \"A\"\n\n",
        "[[programme]]\nid = \"transport-aid\"\nzh = \"甲\"\nen = \"A\"\nmeasure = 15\n\n",
    );
    let reading = "[[reading]]\nid = \"R-WINDOW\"\nzh = \"甲\"\nen = \"A\"\n\n";
    let param = "[[param]]\nid = \"m15.times\"\nunit = \"count\"\nbasis = \"x\"\n\
                 values = [{ from = 2023-12-17, until = 2026-12-17, v = 1, cite = \"x\" }]\n\n";
    let limit = "[[limit]]\nid = \"M04-DAY\"\ncode = \"X\"\nprogrammes = []\nquote = \"x\"\n\
                 zh = \"甲\"\nen = \"A\"\nkind = \"unique_date\"\n\n";
    for (more, name) in [
        (fund, "county"),
        (programme, "transport-aid"),
        (reading, "R-WINDOW"),
        (param, "m15.times"),
        (limit, "M04-DAY"),
    ] {
        refused(
            &format!("{LUZHOU_2023}\n{more}"),
            Defect::Twice { name: s(name) },
        );
    }
}

#[test]
fn all_defects_are_named_at_once() {
    let text = changed("v = 5000,", "v = -5000,");
    let text = text.replacen("en = \"Brand award\"", "en = \"\"", 1);
    let text = text.replacen("code = \"M05_FUND\"", "code = \"m05\"", 1);
    let found = defects(&text);
    assert_eq!(
        found,
        [
            Defect::ParamNegative {
                param: s("m04.daily_cap"),
            },
            Defect::Code {
                limit: s("M05-FUND"),
            },
            Defect::Translation {
                what: s("programme brand-award"),
            },
        ]
    );
    let error = PackError::Defects(found).to_string();
    assert!(
        error.starts_with("the policy pack has 3 defect(s): "),
        "{error}"
    );
}
